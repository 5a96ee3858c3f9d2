"""A boundary line knows its river.

left line   ------------.      .---------------     crosses to the right bank for 200 m
axis  ->  ===============\\====/===============>
right line ------------------------------------
"""

from __future__ import annotations

import pytest

from rivergis.boundary import check
from rivergis.boundary.drafting import surrogate as draft
from tests import tiny

AXES = tiny.metric([tiny.line((0, 0), (2000, 0))], river_id=["r"])
GOOD_LEFT, GOOD_RIGHT = tiny.line((0, 60), (2000, 60)), tiny.line((0, -60), (2000, -60))
BAD_LEFT = tiny.line((0, 60), (900, 60), (900, -30), (1100, -30), (1100, 60), (2000, 60))


def defects(*lines: object, banks: list[str]) -> list[check.Defect]:
    return check.check_lines(tiny.metric(list(lines), river_id="r", bank=banks), AXES, 20.0)


def test_good_lines_raise_nothing() -> None:
    assert defects(GOOD_LEFT, GOOD_RIGHT, banks=["left", "right"]) == []
    assert defects(GOOD_LEFT.reverse(), banks=["left"]) == [], "the line's own direction does not matter"


def test_a_line_that_crosses_its_river_is_told_once_with_place_and_length() -> None:
    [d] = defects(BAD_LEFT, banks=["left"])
    assert (d.code, d.row) == ("crosses_axis", 0)
    assert d.length_m == pytest.approx(260.0, abs=0.1)
    assert d.place.x - tiny.EAST == pytest.approx(1000.0, abs=1)


def test_swapped_banks() -> None:
    found = defects(GOOD_RIGHT, GOOD_LEFT, banks=["left", "right"])
    assert [(d.code, d.row) for d in found] == [("wrong_bank", 0), ("wrong_bank", 1)]


def test_short_crossings_are_left_alone() -> None:
    nick = tiny.line((0, 60), (900, 60), (905, -3), (910, 60), (2000, 60))
    assert defects(nick, banks=["left"]) == []


def test_surrogate_is_line_plus_offset_and_water_plus_offset() -> None:
    reaches = tiny.metric([tiny.line((0, 0), (1000, 0))], river_id="r", kind="river", half_width_m=10.0)
    water = tiny.metric([tiny.box(400, -100, 200, 200)], river_id=None)
    dry = draft.surrogate_areas(reaches, water.iloc[:0], {"river": 15.0}, 10.0)
    assert dry.geometry.iloc[0].area == pytest.approx(1000 * 50)
    wet = draft.surrogate_areas(reaches, water, {"river": 15.0}, 10.0).geometry.iloc[0]
    assert wet.covers(water.geometry.iloc[0].buffer(9.9))
    assert wet.area > dry.geometry.iloc[0].area


def test_two_reaches_of_one_river_make_one_area() -> None:
    reaches = tiny.metric(
        [tiny.line((0, 0), (500, 0)), tiny.line((500, 0), (1000, 0))],
        river_id="r",
        kind="river",
        half_width_m=float("nan"),
    )
    areas = draft.surrogate_areas(reaches, reaches.iloc[:0], {"river": 15.0}, 10.0)
    assert len(areas) == 1
    assert areas.geometry.iloc[0].area == pytest.approx(1000 * 30)
