"""The verdict on times: honest recordings never alarm, planted trouble is found and named, nothing is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.intake.delivery import Defect
from rivergis.intake.track_times import pace, time_verdict

NOW = datetime(2026, 11, 26, tzinfo=UTC)
START = pd.Timestamp("2026-05-20T01:00:00Z")
WEEKS_1024 = pd.Timedelta(weeks=1024)


def walk(*steps_s: float, start: pd.Timestamp = START) -> pd.Series:
    return pd.Series([start + pd.Timedelta(seconds=s) for s in np.cumsum([0.0, *steps_s])])


def codes(defects: list[Defect]) -> list[tuple[str, str]]:
    return [(d.code, d.severity) for d in defects]


honest_steps = st.lists(st.one_of(st.just(1.0), st.floats(0.1, 120), st.floats(120, 90_000)), min_size=1, max_size=60)


@given(honest_steps, st.sampled_from(["2008-05-04T12:00:00Z", "2016-01-01T00:00:00Z", "2026-05-20T01:00:00Z"]))
def test_any_recording_that_goes_forward_is_ok(steps_s: list[float], start: str) -> None:
    """Gaps, pauses and nights are no trouble, within a segment or between two."""
    assert time_verdict(walk(*steps_s, start=pd.Timestamp(start)), now=NOW) == ("ok", [])


@given(honest_steps, st.data())
def test_cutting_a_recording_into_segments_changes_nothing(steps_s: list[float], data: st.DataObject) -> None:
    at = walk(*steps_s)
    segment = np.cumsum(data.draw(st.lists(st.integers(0, 1), min_size=len(at), max_size=len(at))))
    assert time_verdict(at, now=NOW, segment=segment) == ("ok", [])


@given(honest_steps, st.data())
def test_a_single_repeat_step_back_or_hole_is_found_where_it_is(steps_s: list[float], data: st.DataObject) -> None:
    at = walk(*steps_s)
    i = data.draw(st.integers(1, len(at) - 1))
    step = at.iloc[i] - at.iloc[i - 1]
    for shift, code in ((step, "time_repeated"), (step + pd.Timedelta(seconds=1), "time_backward")):
        late = at.where(at.index < i, at - shift)
        verdict, defects = time_verdict(late, now=NOW, moved=np.zeros(len(at), bool))
        assert (verdict, codes(defects)) == (code.removeprefix("time_"), [(code, "warning")])
        assert defects[0].features == (str(i + 1),) and f"fix {i + 1}," in str(defects[0].place)
    verdict, defects = time_verdict(at.mask(at.index == i), now=NOW)
    assert (verdict, defects[0].features, defects[0].count) == ("partly_missing", (str(i + 1),), 1)


@given(st.lists(st.one_of(st.none(), st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))), max_size=30), st.data())
def test_any_times_get_a_verdict_with_a_reason(values: list[datetime | None], data: st.DataObject) -> None:
    at = pd.to_datetime(pd.Series(values, dtype="object"), utc=True)
    segment = data.draw(st.lists(st.integers(0, 3), min_size=len(at), max_size=len(at)))
    before = at.copy()
    verdict, defects = time_verdict(at, now=NOW, segment=segment)
    pd.testing.assert_series_equal(at, before)
    assert (verdict in ("ok", "zone_assumed")) == (not any(d.severity == "warning" for d in defects))
    assert all(d.message and d.action and "\n" not in d.message for d in defects)


def test_no_times_at_all() -> None:
    verdict, [missing] = time_verdict(pd.Series([pd.NaT] * 7), now=NOW)
    assert (verdict, missing.code, missing.count) == ("missing", "time_missing", 7)


@pytest.mark.parametrize(("at", "verdict"), [([], "missing"), ([START], "ok")])
def test_next_to_nothing(at: list[pd.Timestamp], verdict: str) -> None:
    assert time_verdict(pd.Series(at, dtype="datetime64[us, UTC]"), now=NOW)[0] == verdict


def test_ten_fixes_a_second_written_in_seconds_are_told_from_repeats() -> None:
    at = walk(*[0.1] * 99).dt.floor("s")
    verdict, [found] = time_verdict(at, now=NOW)
    assert (verdict, found.code, found.severity, found.count) == ("repeated", "time_resolution", "info", 90)
    still = time_verdict(at, now=NOW, moved=np.zeros(100, bool))[1]
    assert codes(still) == [("time_repeated", "warning")], "the same fix written again and again is another thing"


def test_a_table_that_lost_its_seconds() -> None:
    _, [found] = time_verdict(walk(*[10.0] * 60).dt.floor("min"), now=NOW)
    assert (found.code, found.severity) == ("time_resolution", "info") and "minutes" in found.message


def test_a_lap_button_now_and_then_is_no_alarm() -> None:
    steps = [6.0] * 200
    steps[50] = steps[120] = 0.0
    assert codes(time_verdict(walk(*steps), now=NOW)[1]) == [("time_repeated", "info")]


@pytest.mark.parametrize("start", ["2026-05-20T01:00:00Z", "2025-12-20T01:00:00Z", "2018-04-06T08:00:00Z"])
def test_a_week_counter_that_rolled_over_proposes_the_day(start: str) -> None:
    true = pd.Timestamp(start)
    verdict, [found] = time_verdict(walk(1, 1, 1, start=true - WEEKS_1024), now=NOW)
    assert (verdict, found.code, found.severity, found.count) == ("wrong_year", "time_wrong_year", "warning", 4)
    assert true.strftime("%Y-%m-%d %H:%M:%S") in found.action


@pytest.mark.parametrize(
    "start", ["1970-01-01T00:00:12Z", "1980-01-06T00:00:00Z", "2026-11-28T00:00:00Z", "2099-01-01T00:00:00Z"]
)
def test_clocks_never_set_and_days_to_come(start: str) -> None:
    verdict, [found] = time_verdict(walk(1, 1, start=pd.Timestamp(start)), now=NOW)
    assert (verdict, found.code) == ("wrong_year", "time_wrong_year")
    assert "1024" not in found.action


def test_old_archives_are_believed() -> None:
    for year in (2000, 2002, 2005, 2008, 2012):
        assert time_verdict(walk(1, 5, 9, start=pd.Timestamp(f"{year}-05-01T10:00:00Z")), now=NOW) == ("ok", [])


def test_a_wrong_date_is_not_also_a_step_back() -> None:
    at = walk(*[5.0] * 20)
    at.iloc[:3] = pd.Timestamp("1980-01-06T00:00:05Z") + pd.to_timedelta([0, 1, 2], unit="s")
    verdict, [found] = time_verdict(at, now=NOW)
    assert (verdict, found.count, found.features) == ("wrong_year", 3, ("1", "2", "3"))


def test_a_year_that_changes_within_a_walk() -> None:
    at = walk(1, 1, 365 * 86_400, 1, 1, start=pd.Timestamp("2024-05-20T01:00:00Z"))
    verdict, [found] = time_verdict(at, now=NOW)
    assert (verdict, found.code, found.severity, found.features) == ("wrong_year", "time_jump", "warning", ("4",))
    assert codes(time_verdict(walk(1, 20 * 86_400, 1), now=NOW)[1]) == [("time_jump", "info")]


def test_midnight_without_a_new_date_and_a_clock_put_back() -> None:
    assert "midnight" in time_verdict(walk(10, 10 - 86_400, 10), now=NOW)[1][0].message
    assert "whole hour" in time_verdict(walk(10, -3_600, 10), now=NOW)[1][0].message


def test_newest_first() -> None:
    verdict, [found] = time_verdict(walk(*[-10.0] * 20), now=NOW)
    assert verdict == "backward" and "from the last to the first" in found.message


def test_segments_in_another_order_are_no_alarm_but_two_at_once_are() -> None:
    first, second = walk(10, 10), walk(10, 10, start=START + timedelta(hours=2))
    swapped = pd.concat([second, first], ignore_index=True)
    segment = [0, 0, 0, 1, 1, 1]
    verdict, [found] = time_verdict(swapped, now=NOW, segment=segment)
    assert (verdict, found.code, found.severity) == ("ok", "segments_out_of_order", "info")
    both = pd.concat([first, first + pd.Timedelta(seconds=5)], ignore_index=True)
    assert time_verdict(both, now=NOW, segment=segment)[0] == "backward"
    assert time_verdict(both, now=NOW, segment=segment, recording=segment) == ("ok", [])


def test_several_findings_are_mixed_and_a_zone_that_was_assumed_is_not_one() -> None:
    at = walk(10, 0, 10, 10, 10)
    assert time_verdict(at, now=NOW, assumed=6)[0] == "repeated"
    assert time_verdict(walk(10, 10), now=NOW, assumed=3)[0] == "zone_assumed"
    at.iloc[-1] = pd.NaT
    verdict, defects = time_verdict(at, now=NOW, assumed=5)
    assert (verdict, len(defects)) == ("mixed", 3)


def test_pace_and_pauses() -> None:
    at = walk(*[5.0] * 10, 600, *[5.0] * 10)
    assert pace(at, np.zeros(len(at))) == {"median_interval_s": 5.0, "pauses": 1, "paused_s": 600.0}
    apart = np.r_[np.zeros(11), np.ones(len(at) - 11)]
    assert pace(at, apart)["pauses"] == 0, "what lies between two segments was not recorded at all"
    assert pace(at.iloc[:1], np.zeros(1))["median_interval_s"] is None
