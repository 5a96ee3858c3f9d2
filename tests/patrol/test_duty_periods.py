"""Periods: they partition the days, and one day of each decides who owes it."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis import rules
from rivergis.errors import RuleError
from rivergis.patrol import frequency
from rivergis.patrol.frequency import PERIODS, Calendar
from rivergis.settings import gis_dir

BOOK = rules.load(gis_dir() / "rules")
DAYS = Calendar.of(BOOK.at(("000000",), date(2026, 5, 20)).value("patrol.calendar").value)
WHOLE = [p for p in PERIODS if p != "working_day"]
dates = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@given(dates, st.integers(0, 800), st.sampled_from(WHOLE))
def test_periods_partition_the_days(first: date, more: int, kind: str) -> None:
    last = first + timedelta(days=more)
    made = list(frequency.periods(first, last, kind, DAYS))
    assert made[0].begin <= first <= made[0].end and made[-1].begin <= last <= made[-1].end
    assert all(a.end + timedelta(days=1) == b.begin for a, b in itertools.pairwise(made))
    assert len({p.label for p in made}) == len(made)


@given(dates, st.sampled_from(WHOLE))
def test_every_day_of_a_period_names_the_same_period(day: date, kind: str) -> None:
    period = frequency.span(day, kind, DAYS)
    assert period is not None
    assert {frequency.span(d, kind, DAYS) for d in (period.begin, day, period.end)} == {period}


@given(dates, st.sampled_from(WHOLE), st.floats(0, 1))
def test_the_deciding_day_is_the_last_on_which_enough_remains(day: date, kind: str, remaining: float) -> None:
    period = frequency.span(day, kind, DAYS)
    assert period is not None
    decided = frequency.deciding_day(period, remaining)
    assert period.begin <= decided <= period.end
    left = ((period.end - decided).days + 1) / period.days
    assert left >= min(remaining, 1 / period.days) - 1e-6 or decided == period.end
    assert decided == period.end or ((period.end - decided).days) / period.days < remaining + 1e-6


def test_a_week_belongs_to_the_month_of_its_thursday_as_in_iso_8601() -> None:
    week = frequency.span(date(2026, 3, 1), "week", DAYS)
    assert week is not None and (week.label, week.begin) == ("2026-W09", date(2026, 2, 23))
    assert frequency.deciding_day(week, 0.5) == date(2026, 2, 26)


@pytest.mark.parametrize(
    ("kind", "label", "begin", "end"),
    [
        ("week", "2028-W09", (2028, 2, 28), (2028, 3, 5)),
        ("xun", "2028-02 下旬", (2028, 2, 21), (2028, 2, 29)),
        ("half_month", "2028-02 下半月", (2028, 2, 16), (2028, 2, 29)),
        ("month", "2028-02", (2028, 2, 1), (2028, 2, 29)),
        ("quarter", "2028-Q1", (2028, 1, 1), (2028, 3, 31)),
        ("half_year", "2028-H1", (2028, 1, 1), (2028, 6, 30)),
        ("year", "2028", (2028, 1, 1), (2028, 12, 31)),
    ],
)
def test_the_leap_day_in_every_period(kind: str, label: str, begin: Any, end: Any) -> None:
    period = frequency.span(date(2028, 2, 29), kind, DAYS)
    assert period is not None
    assert (period.label, period.begin, period.end) == (label, date(*begin), date(*end))


def test_working_days_follow_the_lists_of_the_rules() -> None:
    listed = Calendar.of(
        {
            "xun": [[1, 10], [11, 20], [21, 31]],
            "half_month": [[1, 15], [16, 31]],
            "holidays": ["2026-10-01"],
            "workdays": [date(2026, 10, 10)],
        }
    )
    days = [p.begin.day for p in frequency.periods(date(2026, 10, 1), date(2026, 10, 12), "working_day", listed)]
    assert days == [2, 5, 6, 7, 8, 9, 10, 12]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"count": 0, "period": "week"}, "count 0"),
        ({"count": True, "period": "week"}, "count True"),
        ({"count": 1, "period": "fortnight"}, "period 'fortnight'"),
        ({"count": 1, "period": "week", "months": [13]}, "months [13]"),
        ({"count": 1, "period": "week", "per_rivers": True}, "field 'per_rivers'"),
        ({"count": 1, "period": "week", "per_river": True, "per_reach": True}, "at once"),
        ({"count": 1, "period": "week", "sweep": {"within": "month", "share": 2}}, "sweep"),
    ],
)
def test_a_frequency_that_is_none_is_refused_with_its_rule_set(value: dict[str, Any], said: str) -> None:
    with pytest.raises(RuleError, match="guangzhou/patrol") as told:
        frequency.of(value, "guangzhou/patrol")
    assert said in told.value.sentence


def test_parts_of_a_month_that_leave_a_day_out_are_refused() -> None:
    with pytest.raises(RuleError, match="xun"):
        Calendar.of({"xun": [[1, 10], [12, 31]], "half_month": [[1, 15], [16, 31]]})


def test_every_frequency_of_the_rule_files_is_understood() -> None:
    rows = BOOK.by_key["patrol.frequency"]
    assert {frequency.of(r.value, r.ruleset).period for r in rows} >= {"week", "xun", "half_month", "month", "quarter"}


@given(st.integers(1, 30), st.floats(0.1, 10))
def test_a_warning_never_asks_for_less_than_its_factor(count: int, factor: float) -> None:
    assert count * factor - 1e-6 <= frequency.owed_count(count, factor) < count * factor + 1
