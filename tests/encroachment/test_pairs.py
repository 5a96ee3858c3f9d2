"""Candidates and areas that meet, with their common ground: the plain intersection, asked of pieces."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis.boundary.ground.pieces import cut
from rivergis.encroachment.pairs import pairs

EAST, NORTH = 500_000.0, 3_300_000.0


def ground(rng: np.random.Generator) -> np.ndarray:
    """Two strips along one river that share an edge, one that overlaps both, and an area of two parts with a hole.

    |----0----|----1----|      [ 3  o ]   [3]
         |---2---|
    """
    along = np.linspace(0, 2_000, 200)
    bank = NORTH + 50 + rng.normal(0, 4, 200)

    def strip(first: int, last: int, low: float) -> shapely.Polygon:
        top = np.column_stack([EAST + along[first:last], bank[first:last]])
        return shapely.Polygon([*top, (top[-1][0], NORTH + low), (top[0][0], NORTH + low)])

    holed = shapely.box(EAST + 2_200, NORTH, EAST + 2_300, NORTH + 100).difference(
        shapely.Point(EAST + 2_250, NORTH + 50).buffer(20, 64)
    )
    two = shapely.union(holed, shapely.box(EAST + 2_400, NORTH, EAST + 2_420, NORTH + 90))
    return np.array([strip(0, 101, -60), strip(100, 200, -60), strip(60, 140, -30), two], object)


def things(rng: np.random.Generator, count: int = 60) -> np.ndarray:
    """Houses, patches, ponds with holes, pairs of patches, points, fences, a plain over everything, and nothing."""
    at = shapely.points(rng.uniform([EAST - 50, NORTH - 90], [EAST + 2_450, NORTH + 120], (count, 2)))
    made = shapely.buffer(at, rng.uniform(1, 90, count))
    kind = rng.integers(0, 6, count)
    made[kind == 1] = at[kind == 1]
    made[kind == 2] = shapely.difference(made[kind == 2], shapely.buffer(at[kind == 2], 0.7))
    made[kind == 3] = [shapely.MultiPolygon([g, shapely.affinity.translate(g, 200, 0)]) for g in made[kind == 3]]
    made[kind == 4] = [shapely.LineString([(p.x, p.y), (p.x + 60, p.y - 30)]) for p in at[kind == 4]]
    whole = shapely.box(EAST - 1e4, NORTH - 1e4, EAST + 1e4, NORTH + 1e4)
    return np.concatenate([made, np.array([whole, None, shapely.Polygon(), shapely.Point()], object)])


@given(st.integers(0, 2**32))
def test_pairs_are_the_plain_intersections(seed: int) -> None:
    rng = np.random.default_rng(seed)
    areas, shapes = ground(rng), things(rng)
    found = pairs(shapes, cut(areas))
    meet = shapely.intersects(shapes[:, None], areas[None])
    common = shapely.intersection(shapes[:, None], areas[None])
    told = np.zeros_like(meet)
    told[found.candidate, found.area] = True
    # where they only touch, the last digit of a cut decides
    assert (told == meet)[shapely.area(common) > 1e-6].all()
    assert (~told)[shapely.distance(shapes[:, None], areas[None]) > 1e-6].all()
    assert np.abs(found.area_m2 - shapely.area(common[found.candidate, found.area])).max() < 1e-6
    assert (np.diff(found.candidate * 10 + found.area) > 0).all()


@given(st.integers(0, 2**32))
def test_the_part_is_the_ground_that_was_measured(seed: int) -> None:
    rng = np.random.default_rng(seed)
    areas, shapes = ground(rng), things(rng)
    found = pairs(shapes, cut(areas))
    assert np.abs(shapely.area(found.part) - found.area_m2).max() < 1e-6
    assert shapely.is_valid(found.part).all()
    assert not shapely.is_empty(found.part).any()
    assert (shapely.get_dimensions(found.part) <= shapely.get_dimensions(shapes[found.candidate])).all()
    plain = shapely.intersection(shapes[found.candidate], areas[found.area])
    both = (shapely.get_dimensions(plain) == 2) & (found.area_m2 > 0)
    assert shapely.area(shapely.symmetric_difference(found.part[both], plain[both])).max() < 1e-5
    lines = (shapely.get_dimensions(plain) == 1) & (shapely.get_dimensions(found.part) == 1)
    assert np.abs(shapely.length(found.part[lines]) - shapely.length(plain[lines])).max(initial=0) < 1e-6


@given(st.integers(0, 2**32))
def test_order_and_a_shift_of_everything_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    areas, shapes = ground(rng), things(rng, 30)
    found = pairs(shapes, cut(areas))
    turn = rng.permutation(len(shapes))
    again = pairs(shapes[turn], cut(areas))
    order = np.lexsort((again.area, turn[again.candidate]))
    assert (turn[again.candidate][order] == found.candidate).all()
    assert (again.area[order] == found.area).all()
    assert (again.area_m2[order] == found.area_m2).all()

    def moved(given_shapes: np.ndarray) -> np.ndarray:
        return shapely.transform(given_shapes, lambda xy: xy + np.array([40_000.0, -70_000.0]))

    shifted = pairs(moved(shapes), cut(moved(areas)))
    inside = found.area_m2 > 1e-6
    there = shifted.area_m2 > 1e-6
    assert (shifted.candidate[there] == found.candidate[inside]).all()
    assert np.abs(shifted.area_m2[there] - found.area_m2[inside]).max(initial=0) < 1e-5


def test_neighbours_over_a_common_edge_touch_with_no_ground() -> None:
    """A house wall to wall with the area: a pair, and nothing of it inside."""
    area, house = shapely.box(0, 0, 100, 10), shapely.box(20, 10, 30, 20)
    found = pairs([house, shapely.Point(100, 5), shapely.Point(100.001, 5)], cut([area]))
    assert found.candidate.tolist() == [0, 1]
    assert found.area_m2.tolist() == [0, 0]
    assert [g.geom_type for g in found.part] == ["LineString", "Point"]


def test_a_patch_over_many_pieces_is_one_part() -> None:
    rng = np.random.default_rng(1)
    top = np.column_stack([np.linspace(0, 1_000, 900), 20 + rng.random(900)])
    area = shapely.Polygon([*top, (1_000, 0), (0, 0)])
    pieces, patch = cut([area]), shapely.box(-5, 5, 1_005, 15)
    assert len(pieces) > 10
    found = pairs([patch], pieces)
    assert found.part[0].geom_type == "Polygon"
    assert found.part[0].equals(patch.intersection(area))


def test_no_candidates_and_no_areas_make_no_pairs() -> None:
    assert len(pairs([], cut([shapely.box(0, 0, 1, 1)]))) == 0
    assert len(pairs([shapely.Point(0, 0), None], cut([]))) == 0
    assert len(pairs([None, shapely.Polygon()], cut([shapely.box(0, 0, 1, 1)])).part) == 0
