"""Chainage: laws of a measure that two people must read alike.

(0,0) ->->->- (1000,0)          left bank: north
                  |
                  v
              (1000,-1000)      left bank: east
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis import crs
from rivergis.errors import InputError, UsageError
from rivergis.river.chainage import Axis, label, parse
from tests import tiny

BEND = tiny.degrees(tiny.metric([tiny.line((0, 0), (1000, 0), (1000, -1000))])).geometry.iloc[0]
SIDES = [
    ((500, 30), "left", 500, 30),
    ((500, -40), "right", 500, -40),
    ((1050, -500), "left", 1500, 50),
    ((960, -500), "right", 1500, -40),
]


def place(x: float, y: float) -> shapely.Point:
    return tiny.degrees(tiny.metric([tiny.point(x, y)])).geometry.iloc[0]


@pytest.mark.parametrize(("where", "bank", "at", "offset"), SIDES)
def test_banks_look_downstream(where: tuple[float, float], bank: str, at: float, offset: float) -> None:
    spot = Axis(BEND).locate([place(*where)])[0]
    assert spot.bank == bank
    assert spot.at_m == pytest.approx(at, abs=0.3)  # Gauss-Krueger metres are 0.01 % longer here
    assert spot.offset_m == pytest.approx(offset, abs=0.05)


@given(at=st.floats(0.01, 1990.0), origin=st.sampled_from([0.0, 1234.5, -500.0]))
def test_there_and_back_within_a_centimetre(at: float, origin: float) -> None:
    axis = Axis(BEND, origin)
    spot = axis.locate([axis.point_at(origin + at)])[0]
    assert spot.at_m == pytest.approx(origin + at, abs=0.01)
    assert abs(spot.offset_m) < 0.01


@given(at=st.floats(50, 900), off=st.floats(-45, 45).filter(lambda o: abs(o) > 0.1))
def test_offset_there_and_back(at: float, off: float) -> None:
    axis = Axis(BEND)
    spot = axis.locate([axis.point_at(at, off)])[0]
    assert spot.at_m == pytest.approx(at, abs=0.01)
    assert spot.offset_m == pytest.approx(off, abs=0.01)


@given(st.floats(0, 1980), st.floats(1, 15))
def test_a_stretch_is_as_long_as_its_chainages_say(start: float, length: float) -> None:
    piece = Axis(BEND).stretch(start, start + length)
    assert crs.length_m(piece) == pytest.approx(length, abs=0.01)


def test_length_is_the_sum_of_stretches_and_ellipsoidal() -> None:
    axis = Axis(BEND)
    cuts = np.linspace(0, axis.length_m, 7)
    assert sum(crs.length_m(axis.stretch(a, b)) for a, b in pairwise(cuts)) == pytest.approx(axis.length_m, abs=0.01)
    assert axis.length_m == pytest.approx(crs.length_m(BEND), abs=1e-6)


def test_turning_the_axis_round_swaps_the_banks_and_counts_from_the_other_end() -> None:
    axis, back = Axis(BEND), Axis(BEND.reverse())
    for where, bank, _, _ in SIDES:
        here, there = axis.locate([place(*where)])[0], back.locate([place(*where)])[0]
        assert there.bank != bank
        assert here.at_m + there.at_m == pytest.approx(axis.length_m, abs=0.01)


@given(st.floats(-99999, 9999999))
def test_labels_read_back(at: float) -> None:
    assert parse(label(at)) == pytest.approx(round(at), abs=0)


@pytest.mark.parametrize(
    ("text", "metres"), [("12+345", 12345.0), ("K0+007.5", 7.5), ("-1+200", -1200.0), (" 3+4 ", 3004.0)]
)
def test_labels_as_people_write_them(text: str, metres: float) -> None:
    assert parse(text) == metres


@pytest.mark.parametrize("text", ["12345", "1+2345", "a+b", "", "1+2+3"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a chainage"):
        parse(text)


def test_off_the_axis_is_said() -> None:
    with pytest.raises(UsageError, match=r"9\+000 lies off the axis, which runs from 0\+000 to 2\+000"):
        Axis(BEND).point_at(9000)
    with pytest.raises(UsageError, match="runs downstream"):
        Axis(BEND).stretch(200, 100)
    with pytest.raises(InputError):
        Axis(shapely.Point(106, 29.4))  # type: ignore[arg-type]
