"""Management areas beside each other: what is said of slits, overlaps, slivers, and what is not."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from rivergis.boundary.doctor.areas_check import AreaDefect, Limits, check_areas
from rivergis.errors import CrsRefused

EAST, NORTH, ZONE = 500_000.0, 3_300_000.0, "EPSG:4547"
LIMITS = Limits()


def frame(*shapes: shapely.Geometry | None, **columns: list[str]) -> gpd.GeoDataFrame:
    moved = [s if s is None else shapely.transform(s, lambda xy: xy + np.array([EAST, NORTH])) for s in shapes]
    return gpd.GeoDataFrame(columns, geometry=moved, crs=ZONE)


def said(*shapes: shapely.Geometry | None, **columns: list[str]) -> list[tuple[str, tuple[int, ...]]]:
    return [(d.code, d.rows) for d in check_areas(frame(*shapes, **columns), LIMITS)]


def river(reaches: int, seed: int, wide_m: float = 60.0) -> list[shapely.Polygon]:
    """Areas of the reaches of a bending river: neighbours share the edge at their node, each drawn with vertices of its own.

    |~~~~~|~~~~~|~~~~~|
    """
    rng = np.random.default_rng(seed)
    nodes = np.arange(reaches + 1) * 400.0
    bend, phase = rng.uniform(250, 600), rng.uniform(0, 6)

    def bank(x: np.ndarray, side: float) -> np.ndarray:
        return np.column_stack([x, 80 * np.sin(x / bend + phase) + side * wide_m])

    made = []
    for a, b in itertools.pairwise(nodes):
        along = [np.r_[a, np.sort(rng.uniform(a + 1, b - 1, 40)), b] for _ in "lr"]
        made.append(shapely.Polygon(np.vstack([bank(along[0], 1), bank(along[1], -1)[::-1]])))
    return made


@given(st.integers(1, 12), st.integers(0, 2**31))
def test_neighbours_that_share_their_edge_are_faultless(reaches: int, seed: int) -> None:
    assert said(*river(reaches, seed)) == []


@given(st.integers(3, 9), st.integers(0, 2**31), st.floats(-8, 8), st.data())
def test_a_moved_area_overlaps_one_neighbour_and_leaves_a_slit_to_the_other(
    reaches: int, seed: int, by_m: float, data: st.DataObject
) -> None:
    assume(abs(by_m) > 0.25)
    areas = river(reaches, seed)
    k = data.draw(st.integers(1, reaches - 2))
    areas[k] = shapely.affinity.translate(areas[k], by_m)
    before, after = ((k - 1, k), (k, k + 1)) if by_m > 0 else ((k, k + 1), (k - 1, k))
    found = said(*areas)
    assert ("area_overlap", after) in found
    assert len(found) == len(set(found)) and set(found) <= {("area_overlap", after), ("area_gap", before)}
    if abs(by_m) < 1.9:  # farther apart than a slit may be they are apart
        assert ("area_gap", before) in found


@given(st.integers(1, 6), st.integers(0, 2**31), st.floats(0.0, 0.15))
def test_what_two_hands_draw_alike_to_centimetres_is_no_overlap(reaches: int, seed: int, noise_m: float) -> None:
    rng = np.random.default_rng(seed)
    rings = [shapely.get_coordinates(p)[:-1] for p in river(reaches, seed)]
    shaken = [shapely.Polygon(xy + rng.uniform(-noise_m / 2, noise_m / 2, xy.shape)) for xy in rings]
    assume(all(p.is_valid for p in shaken))
    assert said(*shaken) == []


@given(st.integers(0, 2**31), st.floats(0, 6.28), st.integers(1, 5))
def test_the_answer_does_not_hang_on_the_way_the_ground_lies_nor_on_the_order(seed: int, turn: float, k: int) -> None:
    areas = river(6, seed)
    areas[k] = shapely.affinity.translate(areas[k], 0.8)
    turned = [shapely.affinity.rotate(a, turn, origin=(0, 0), use_radians=True) for a in areas]
    order = np.random.default_rng(seed).permutation(6)
    shuffled = said(*(turned[i] for i in order))
    assert sorted((c, tuple(sorted(int(order[r]) for r in rows))) for c, rows in shuffled) == said(*areas)


def test_an_area_twice_is_told_once_and_not_as_overlap() -> None:
    a, b, c = river(3, 1)
    assert said(a, b, c, b) == [("area_duplicate", (1, 3))]


def test_the_gap_between_ends_of_an_unclosed_ring_is_its_measure() -> None:
    open_ring = shapely.LineString([(0, 0), (100, 0), (100, 50), (0, 50), (0, 3)])
    (defect,) = check_areas(frame(open_ring), LIMITS)
    assert (defect.code, defect.measure, defect.unit) == ("area_not_closed", pytest.approx(3.0), "m")
    assert defect.place.distance(shapely.Point(EAST, NORTH + 3)) < 1e-6


def test_a_bow_tie_is_told_with_its_place_and_its_neighbours_are_still_compared() -> None:
    tie = shapely.Polygon([(0, 0), (100, 0), (100, 50), (-10, 50), (10, 40), (0, 48)])
    beside = shapely.box(95, 0, 200, 50)
    found = check_areas(frame(tie, beside), LIMITS)
    assert [(d.code, d.rows) for d in found] == [("area_self_crossing", (0,)), ("area_overlap", (0, 1))]
    assert found[0].place.distance(shapely.Point(EAST, NORTH + 45)) < 0.01
    assert found[1].measure == pytest.approx(5 * 50)


def test_thin_things() -> None:
    field = shapely.box(0, 0, 300, 100)
    scratched = field.difference(shapely.box(50, 40, 250, 40.4))
    island = field.difference(shapely.box(50, 40, 90, 60))
    strip = shapely.box(0, 100, 300, 100.4)
    assert said(island) == []  # an island is no fault
    assert said(scratched) == [("area_hole_sliver", (0,))]
    assert said(field, strip) == [("sliver_area", (1,))]
    (thin,) = check_areas(frame(strip), LIMITS)
    assert thin.measure == pytest.approx(0.4, abs=0.01)


def test_a_third_area_that_fills_the_slit_takes_it_away() -> None:
    left, right = shapely.box(0, 0, 100, 100), shapely.box(101.5, 0, 200, 100)
    between = shapely.box(100, 0, 101.5, 100)
    assert said(left, right) == [("area_gap", (0, 1))]
    assert said(left, right, between) == []


def test_a_lawful_wedge_at_a_mouth_is_no_slit() -> None:
    trunk = shapely.box(0, -50, 400, 0)
    branch = shapely.Polygon([(100, 0), (140, 0), (640, 240), (600, 240)])  # leaves at 26 degrees
    assert said(trunk, branch) == []


def test_only_areas_of_one_kind_are_compared() -> None:
    management, protection = shapely.box(0, 0, 100, 60), shapely.box(0, 0, 100, 90)
    assert said(management, protection) == [("area_overlap", (0, 1))]
    assert said(management, protection, line_type=["management", "protection"]) == []


def test_nothing_and_no_coordinates() -> None:
    assert said() == []
    assert said(None, shapely.Polygon()) == [("area_empty", (0,)), ("area_empty", (1,))]


def test_degrees_are_refused() -> None:
    with pytest.raises(CrsRefused):
        check_areas(gpd.GeoDataFrame(geometry=[shapely.box(110, 30, 111, 31)], crs="EPSG:4490"))


def test_the_shape_of_a_fault_lies_where_it_is_said() -> None:
    a, b, c = river(3, 5)
    found: list[AreaDefect] = check_areas(frame(a, shapely.affinity.translate(b, 1.0), c), LIMITS)
    assert {d.code for d in found} == {"area_overlap", "area_gap"}
    for d in found:
        assert d.part.area == pytest.approx(d.measure)
        assert d.part.covers(d.place)
