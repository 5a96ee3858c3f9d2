"""Laws of the line doctor: place, direction, system and order of the features do not matter; the same twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from rivergis.boundary.doctor.axes import axes
from rivergis.boundary.doctor.examine import Case, examine
from tests.boundary import doctor_ground as ground
from tests.boundary.doctor_ground import HOME, line, moved, path, rows, turned, world


def faulty() -> Case:
    """The world with a defect of every family, far from each other."""
    named = rows()
    named["r1l"] |= {
        "geometry": path(
            (0, 35), (600, 35), (650, 41), (750, 41), (800, 35), (1200, 35), (1200, 60), (1202, 35), (1985, 35)
        )
    }
    named["r2lb"] |= {"geometry": path((3010, 35), (4000, 35)), "announce_date": "2031-01-01"}
    named["tr"] |= {"reach_id": "T9"}
    named["r2r"] |= {"geometry": named["r2r"]["geometry"].reverse()}
    named["stub"] = line("stub", "R2", "R", path((3500, -35), (3500, -45)), "B")
    return world(named)


def seen(case: Case) -> set[tuple[Any, ...]]:
    return {
        (d.code, d.reach, d.side, d.features, round(d.from_m, 1) + 0.0, round(d.to_m, 1) + 0.0, d.consequences)
        for d in examine(case)
    }


WANTED = seen(faulty())


def test_the_faulty_world_shows_what_was_put_into_it() -> None:
    assert sorted(c for c, *_ in WANTED) == [
        "bad_date", "dangle", "offset_from_rule", "order_reversed", "seam_gap", "spike", "unknown_reach",
    ]  # fmt: skip


@settings(max_examples=8, deadline=None)
@given(st.floats(-180, 180), st.tuples(st.floats(-5e3, 5e3), st.floats(-5e3, 5e3)))
def test_turning_and_moving_the_ground_changes_nothing(degrees: float, shift: tuple[float, float]) -> None:
    near = {(c, r, s, f) for c, r, s, f, *_ in WANTED}
    assert {(c, r, s, f) for c, r, s, f, *_ in seen(turned(faulty(), degrees, shift))} == near


def test_another_system_changes_nothing() -> None:
    other = CRS.from_epsg(32649)
    way = Transformer.from_crs(HOME, other, always_xy=True)
    case = faulty()
    there = moved(
        case, lambda g: shapely.transform(g, lambda xy: np.c_[way.transform(xy[:, 0], xy[:, 1])]), other, "EPSG:32649"
    )
    assert {(c, r, s, f) for c, r, s, f, *_ in seen(there)} == {(c, r, s, f) for c, r, s, f, *_ in WANTED}


@settings(max_examples=6, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_features_changes_nothing(random: Any) -> None:
    case = faulty()
    order = list(range(len(case.lines)))
    random.shuffle(order)
    other = replace(
        case, lines=case.lines.iloc[order].reset_index(drop=True), reaches=case.reaches.iloc[::-1].reset_index(drop=True),
        stakes=case.stakes.iloc[::-1].reset_index(drop=True),
    )  # fmt: skip
    assert seen(other) == WANTED


def test_the_same_twice_and_the_case_is_left_alone() -> None:
    case = faulty()
    before = case.lines.to_wkb().to_csv(), case.areas.to_wkb().to_csv()
    assert [d.sentence for d in examine(case)] == [d.sentence for d in examine(case)]
    assert (case.lines.to_wkb().to_csv(), case.areas.to_wkb().to_csv()) == before


def test_mirrored_ground_shows_mirrored_defects() -> None:
    def flip(shapes: Any) -> Any:
        return shapely.transform(shapes, lambda xy: ground.ORIGIN + (xy - ground.ORIGIN) * (1, -1))

    case = faulty()
    other = moved(case, flip, HOME, "EPSG:4547")
    turn = {"L": "R", "R": "L"}
    other = replace(
        other,
        **{
            k: getattr(other, k).assign(bank=getattr(other, k)["bank"].map(turn))
            for k in ("lines", "former", "stakes", "levees")
        },
    )
    sides = {"left": "right", "right": "left", None: None}
    assert {(c, r, s) for c, r, s, *_ in seen(other)} == {(c, r, sides[s]) for c, r, s, *_ in WANTED}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-900, 900), st.floats(-900, 900)), min_size=2, max_size=40, unique=True),
    st.integers(0, 999),
)
def test_the_foot_of_a_point_is_where_geos_finds_it(corners: list[tuple[float, float]], seed: int) -> None:
    shape = shapely.LineString(np.round(np.array(corners), 1) + ground.ORIGIN)
    shapes = [shape, path((0, 0), (50, 10), (900, 30))]
    if not shape.length:
        return
    axis = axes(ground.gpd.GeoDataFrame({"reach_id": ["A", "B"]}, geometry=shapes, crs=HOME), 0.05)
    xy = np.random.default_rng(seed).uniform(-1000, 1000, (30, 2)) + ground.ORIGIN
    reach = np.arange(30) % 2
    s, o, beyond = axis.feet(reach, xy)
    assert np.abs(o) == pytest.approx(shapely.distance(np.array(shapes)[reach], shapely.points(xy)), abs=1e-6)
    feet = shapely.line_interpolate_point(np.array(shapes)[reach], s)
    assert shapely.distance(feet, shapely.points(xy)) == pytest.approx(np.abs(o), abs=1e-6)
    assert (np.abs(beyond) <= np.abs(o) + 1e-6).all()
