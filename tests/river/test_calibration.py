"""Official chainage: laws of a figure that goes there and back, and of chain breaks.

measured   0 ----- 5000 ----- 9000 --->        official from the mouth:   9+100 <----- 4+100 <-- 0+000
official  12+000  17+000=17+400  21+400        (short chain: 17+000 to 17+400 do not exist)
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.errors import InputError, UsageError
from rivergis.river.calibration import Calibration, Stake

SHORT = Calibration((Stake(0, 12_000), Stake(5000, 17_000, 17_400), Stake(9000, 21_400)), pattern="K0+000")
LONG = Calibration((Stake(0, 12_000), Stake(5000, 17_000, 16_600), Stake(9000, 20_600)), pattern="K0+000")
MOUTH = Calibration((Stake(0, 9_100), Stake(5000, 4_050), Stake(9000, 0)), "up")


@st.composite
def calibrations(draw: st.DrawFn) -> Calibration:
    """Stakes with any stretching, either direction, and short or long chains between them."""
    direction = draw(st.sampled_from(["down", "up"]))
    sign = 1 if direction == "down" else -1
    at, official = draw(st.floats(-5000, 5000)), draw(st.floats(-50_000, 50_000))
    stakes = []
    for step, stretch, jump in draw(
        st.lists(
            st.tuples(st.floats(100, 9000), st.floats(0.5, 2), st.sampled_from([0, 0, 50, -30])), min_size=1, max_size=6
        )
    ):
        stakes.append(Stake(at, official, official + sign * jump if jump else None))
        at, official = at + step, official + sign * (jump + step * stretch)
    return Calibration(tuple(stakes), direction)


@given(calibrations(), st.floats(-20_000, 80_000))
def test_there_and_back(calibration: Calibration, at: float) -> None:
    official = calibration.official(at)
    places = calibration._all_measured(official)
    assert min(abs(p - at) for p in places) < 1e-6
    if len(places) == 1:
        assert calibration.measured(official) == pytest.approx(at, abs=1e-6)


@given(calibrations(), st.floats(-20_000, 80_000))
def test_labels_read_back_to_the_same_place(calibration: Calibration, at: float) -> None:
    fine = Calibration(calibration.stakes, calibration.direction, "K0+000.000")
    text = fine.label(at)
    near_break = min(abs(s.at_m - at) for s in fine.stakes) < 0.01
    if not near_break and not any(abs(fine._all_measured(fine.official(at))[0] - s.at_m) < 0.01 for s in fine.stakes):
        assert fine.parse(text) == pytest.approx(at, abs=0.0025)


@given(calibrations(), st.floats(-20_000, 80_000), st.floats(0.01, 5000))
def test_figures_run_one_way_but_for_breaks(calibration: Calibration, at: float, step: float) -> None:
    if not any(at < s.at_m <= at + step for s in calibration.stakes if s.is_break):
        grown = calibration.official(at + step) - calibration.official(at)
        assert grown * (1 if calibration.direction == "down" else -1) > 0


@given(calibrations(), st.floats(1, 9000))
def test_beyond_the_outer_stakes_a_metre_is_a_metre(calibration: Calibration, away: float) -> None:
    first, last = calibration.stakes[0], calibration.stakes[-1]
    sign = 1 if calibration.direction == "down" else -1
    assert calibration.official(first.at_m - away) == pytest.approx(first.official_m - sign * away)
    assert calibration.official(last.at_m + away) == pytest.approx(last.onward_m + sign * away)


@given(calibrations())
def test_stakes_say_exactly_what_they_say_and_are_stored(calibration: Calibration) -> None:
    for stake in calibration.stakes:
        assert calibration.official(stake.at_m) == stake.onward_m
    assert Calibration.from_json(json.loads(json.dumps(calibration.as_json()))) == calibration


def test_none_is_the_measured_figure() -> None:
    assert Calibration.from_json([]).official(1234.5) == 1234.5
    assert Calibration.from_json([]).measured(-7.0) == -7.0
    assert Calibration.from_json([]).label(12_345) == "12+345"


def test_a_river_counted_from_the_mouth() -> None:
    assert MOUTH.official(9000) == 0
    assert MOUTH.official(2500) == pytest.approx(6575)
    assert MOUTH.measured(10_000) == pytest.approx(-900)
    assert MOUTH.label(5000) == "4+050"


def test_a_short_chain_leaves_figures_out() -> None:
    assert SHORT.official(4999) == pytest.approx(16_999)
    assert SHORT.official(5000) == 17_400
    assert SHORT.breaks() == ["K17+000.00=K17+400.00(短链400.00 m)"]
    with pytest.raises(UsageError, match=r"no K17\+200 on this river: the chain break K17\+000\.00=K17\+400\.00"):
        SHORT.parse("K17+200")


def test_a_long_chain_has_figures_twice() -> None:
    assert LONG.breaks() == ["K17+000.00=K16+600.00(长链400.00 m)"]
    assert LONG.label(4800) == "K16+800(断前)"
    assert LONG.label(5200) == "K16+800(断后)"
    assert LONG.label(4000) == "K16+000"
    assert (LONG.parse("K16+800(断前)"), LONG.parse("16+800 断后"), LONG.parse("K16＋800（断后）")) == pytest.approx(
        (4800, 5200, 5200)
    )
    with pytest.raises(UsageError, match=r"K16\+800 stands 2 times on this river, at measured 4\+800, 5\+200"):
        LONG.parse("16+800")


def test_a_break_of_a_river_counted_upwards() -> None:
    up = Calibration((Stake(0, 9000), Stake(1000, 8000, 7900)), "up")
    assert up.breaks() == ["8+000.00=7+900.00(短链100.00 m)"]
    with pytest.raises(UsageError, match="no 7\\+950"):
        up.measured(7950)


@pytest.mark.parametrize(
    ("stakes", "direction"),
    [
        ((Stake(0, 100), Stake(500, 50)), "down"),
        ((Stake(0, 100), Stake(500, 100)), "down"),
        ((Stake(0, 100), Stake(500, 600)), "up"),
        ((Stake(0, 100), Stake(0, 600)), "down"),
    ],
)
def test_stakes_that_contradict_are_named_both(stakes: tuple[Stake, ...], direction: str) -> None:
    with pytest.raises(InputError) as error:
        Calibration(stakes, direction)
    assert "at measured 0+000" in error.value.sentence
    assert f"at measured {'0+500' if stakes[1].at_m else '0+000'} contradicts" in error.value.sentence


@pytest.mark.parametrize(
    "stored",
    [[1], {"direction": "sideways"}, {"direction": "up"}, {"points": [{"at_m": "x"}]}, {"points": [{"at": 1}]}],
)
def test_other_forms_are_refused(stored: object) -> None:
    with pytest.raises(InputError):
        Calibration.from_json(stored)  # type: ignore[arg-type]


def test_a_figure_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="no number"):
        Calibration((Stake(0, float("nan")),))
