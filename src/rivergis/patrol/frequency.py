"""巡河频次 as data: how many patrols in which period, and which civil days such a period has.

Periods are week (Monday to Sunday), 旬, half month, month, quarter, half year, year, day and working day. The one who holds
a duty on the deciding day (计责日) of a period owes it: the last day on which the share of the period that the rules ask
for still remains. So handovers, seasons and new rules cut time without a period being owed twice or by nobody.
Source: docs/rules.md; register id A1.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from rivergis.errors import RuleError

PERIODS = ("day", "working_day", "week", "xun", "half_month", "month", "quarter", "half_year", "year")
_MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
FIELDS = ("count", "period", "months", "per_river", "per_reach", "min_share", "sweep", "effective")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Sweep:
    """All assigned waters once within a period: ``share`` of their length that must have been visited by its end."""

    within: str
    share: float


@dataclass(frozen=True)
class Frequency:
    """What a row of ``patrol.frequency`` asks for.

    ``count`` patrols in each ``period`` whose deciding day lies in one of ``months``; ``per``: on any of the chief's waters
    (``chief``), on each ``river``, or on each assigned stretch (``reach``). ``min_share``: least share of the assigned length
    that a patrol must have visited to count; ``effective``: patrols that do not meet the announced standard do not count.
    """

    count: int
    period: str
    months: tuple[int, ...] = tuple(range(1, 13))
    per: str = "chief"
    min_share: float = 0.0
    sweep: Sweep | None = None
    effective: bool = False


@dataclass(frozen=True, order=True)
class Period:
    """One period: civil days from ``begin`` to ``end``, both inclusive, and how it is written."""

    begin: date
    end: date
    kind: str
    label: str

    @property
    def days(self) -> int:
        return (self.end - self.begin).days + 1


@dataclass(frozen=True)
class Calendar:
    """Days of 旬 and half months (rule ``patrol.calendar``), holidays and days worked instead, as far as the rules list them."""

    xun: tuple[tuple[int, int], ...]
    half_month: tuple[tuple[int, int], ...]
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Calendar:
        """The calendar of a rule value; ``RuleError`` where its parts leave out days of a month or have them twice."""
        xun, half_month = (_cuts(name, value[name]) for name in ("xun", "half_month"))
        holidays, workdays = (frozenset(_day(d) for d in value.get(n, ())) for n in ("holidays", "workdays"))
        return cls(xun, half_month, holidays, workdays)

    def works(self, day: date) -> bool:
        """Whether a civil day is a working day: Monday to Friday but for listed holidays, and listed days worked instead."""
        return day in self.workdays or (day.weekday() < 5 and day not in self.holidays)


def _cuts(name: str, value: Any) -> tuple[tuple[int, int], ...]:
    cuts = tuple((int(a), int(b)) for a, b in value)
    if [d for a, b in cuts for d in range(a, b + 1)] != list(range(1, 32)):
        raise RuleError(f"patrol.calendar: the parts of {name} do not make up the days 1 to 31: correct them.")
    return cuts


def _day(value: Any) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as error:
        raise RuleError(f"patrol.calendar has the impossible day {value!r}: write YYYY-MM-DD.") from error


def of(value: Mapping[str, Any], ruleset: str = "patrol.frequency") -> Frequency:
    """The frequency of a rule value; ``RuleError`` for what is not understood, with the rule set it stands in."""
    strange = set(value) - set(FIELDS)
    count, period = value.get("count"), value.get("period")
    months = tuple(value.get("months") or range(1, 13))
    fault = (
        f"has the unknown field {min(strange)!r}"
        if strange
        else f"has the count {count!r}, which is no whole number above 0"
        if not isinstance(count, int) or isinstance(count, bool) or count < 1
        else f"has the unknown period {period!r}"
        if period not in PERIODS
        else f"has the months {list(months)}"
        if not all(isinstance(m, int) and 1 <= m <= 12 for m in months)
        else "asks for each river and each reach at once"
        if value.get("per_river") and value.get("per_reach")
        else None
    )
    if fault:
        raise RuleError(f"{ruleset}: patrol.frequency {fault}: the fields are {', '.join(FIELDS)}.")
    per = "river" if value.get("per_river") else "reach" if value.get("per_reach") else "chief"
    share, whole = float(value.get("min_share") or 0), value.get("sweep")
    sweep = None if whole is None else _sweep(whole, ruleset)
    return Frequency(int(str(count)), str(period), months, per, share, sweep, bool(value.get("effective")))


def _sweep(value: Mapping[str, Any], ruleset: str) -> Sweep:
    if value.get("within") not in PERIODS or not 0 < float(value.get("share", 1.0)) <= 1:
        raise RuleError(
            f"{ruleset}: patrol.frequency has the sweep {dict(value)}: write within a period and a share to 1."
        )
    return Sweep(str(value["within"]), float(value.get("share", 1.0)))


def span(day: date, kind: str, days: Calendar) -> Period | None:
    """The period of a kind that holds a civil day; None for a day that is no working day, if that is asked."""
    if kind in ("day", "working_day"):
        return Period(day, day, kind, str(day)) if kind == "day" or days.works(day) else None
    if kind == "week":
        year, week, weekday = day.isocalendar()
        begin = day - timedelta(days=weekday - 1)
        return Period(begin, begin + 6 * DAY, kind, f"{year}-W{week:02d}")
    if kind in ("xun", "half_month"):
        return _part(day, kind, days.xun if kind == "xun" else days.half_month)
    length = _MONTHS[kind]
    first = (day.month - 1) // length * length + 1
    end = date(day.year, first + length - 1, calendar.monthrange(day.year, first + length - 1)[1])
    n = (first - 1) // length + 1
    label = {"month": f"{day.year}-{first:02d}", "quarter": f"{day.year}-Q{n}", "half_year": f"{day.year}-H{n}"}
    return Period(date(day.year, first, 1), end, kind, label.get(kind, str(day.year)))


def _part(day: date, kind: str, cuts: tuple[tuple[int, int], ...]) -> Period:
    last = calendar.monthrange(day.year, day.month)[1]
    n, (a, b) = next((i, cut) for i, cut in enumerate(cuts) if cut[0] <= day.day <= cut[1])
    names = {("xun", 3): ("上旬", "中旬", "下旬"), ("half_month", 2): ("上半月", "下半月")}.get((kind, len(cuts)))
    name = names[n] if names else f"{n + 1}/{len(cuts)}"
    month = date(day.year, day.month, 1)
    return Period(month + (a - 1) * DAY, month + (min(b, last) - 1) * DAY, kind, f"{month:%Y-%m} {name}")


def deciding_day(period: Period, remaining: float) -> date:
    """计责日: the last day on which at least this share of the period still remains; who holds the duty then owes the period.

    >>> from datetime import date
    >>> deciding_day(Period(date(2026, 5, 1), date(2026, 5, 31), "month", "2026-05"), 0.5)
    datetime.date(2026, 5, 16)
    """
    ahead = math.floor(period.days * (1 - remaining) + 1e-9)
    return period.begin + min(ahead, period.days - 1) * DAY


def periods(first: date, last: date, kind: str, days: Calendar) -> Iterator[Period]:
    """The periods of a kind that have a day from ``first`` to ``last``, in order, whole."""
    day = first
    while day <= last:
        period = span(day, kind, days)
        if period is not None:
            yield period
        day = day + DAY if period is None else period.end + DAY


def owed_count(count: int, factor: float) -> int:
    """Patrols asked for under a warning that multiplies the frequency; parts count as one."""
    return math.ceil(count * factor - 1e-9)
