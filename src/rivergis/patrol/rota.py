"""轮值巡查: which agency is on duty on which water on a day, where the rota has gaps, and whom a patrol is credited to.

A rota is a table of shifts: water, agency, first and last day; a shift may come back every so many days until a last day.
Register id A12.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from rivergis.errors import InputError
from rivergis.patrol.targets import known

_HEADINGS = {
    "water": ("water", "river", "水体", "河流", "河湖", "河湖名称"),
    "agency": ("agency", "unit", "单位", "部门", "轮值单位", "值班单位"),
    "first": ("from", "first", "起", "开始", "开始日期", "起始日期"),
    "last": ("to", "last", "止", "结束", "结束日期", "截止日期"),
    "every_days": ("every_days", "循环天数", "周期(天)"),
    "until": ("until", "循环至"),
}
ON_DUTY, GAP, SEVERAL = "on_duty", "gap", "several"
SPANS = ("water", "state", "agencies", "from", "to", "days")
CREDIT = ("water", "agency", "days", "gps", "entry")
NOBODY = ""
"""Agency of patrols on days for which the rota names none."""


@dataclass(frozen=True)
class Shift:
    """One agency on one water from the first to the last day, again every ``every_days`` until ``until``."""

    water: str
    agency: str
    first: date
    last: date
    every_days: int | None = None
    until: date | None = None

    def on(self, day: date) -> bool:
        """Whether the agency is on duty on a civil day."""
        if day < self.first or (self.until is not None and day > self.until):
            return False
        since = (day - self.first).days
        return (since if self.every_days is None else since % self.every_days) <= (self.last - self.first).days


def read(table: pd.DataFrame, what: str) -> list[Shift]:
    """The shifts of a rota by its headings (水体, 单位, 起, 止, 循环天数, 循环至; or water, agency, from, to, every_days, until).

    ``what`` names the file in errors. ``InputError`` for a missing column, and for a row that is no shift.
    """
    columns = {str(c).strip().lower(): c for c in table.columns}
    fields = {role: next((columns[h] for h in names if h in columns), None) for role, names in _HEADINGS.items()}
    missing = [_HEADINGS[r][2] for r in ("water", "agency", "first", "last") if fields[r] is None]
    if missing:
        raise InputError(f"{what} has no column {', '.join(missing)}: it has {', '.join(map(str, table.columns))}.")
    taken = table.rename(columns={c: role for role, c in fields.items() if c is not None})
    return [_shift(row, f"{what}, row {i}") for i, row in enumerate(taken.to_dict("records"), 1)]


def _shift(row: dict[Any, Any], where: str) -> Shift:
    words_ = [str(known(row[r]) or "").strip() for r in ("water", "agency")]
    first, last, until = (_day(row.get(r), where) for r in ("first", "last", "until"))
    every = known(row.get("every_days"))
    if not all(words_) or first is None or last is None:
        raise InputError(f"{where}: water, agency, first and last day are all needed.")
    if last < first:
        raise InputError(f"{where}: the shift ends on {last}, before it begins on {first}.")
    length = (last - first).days + 1
    if every not in (None, "") and (not str(every).removesuffix(".0").isdigit() or int(float(every)) < length):
        raise InputError(
            f"{where}: it comes back every {every!r} days, which must be a number of at least its {length} days."
        )
    return Shift(words_[0], words_[1], first, last, int(float(every)) if every not in (None, "") else None, until)


def _day(value: Any, where: str) -> date | None:
    value = known(value)
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip()[:10].replace("/", "-"))
    except ValueError as error:
        raise InputError(f"{where}: {str(value)[:30]!r} is no day: write YYYY-MM-DD.") from error


def on_duty(shifts: list[Shift], water: str, day: date) -> tuple[str, ...]:
    """Agencies on duty on a water on a day; none is a gap, several are told."""
    return tuple(sorted({s.agency for s in shifts if s.water == water and s.on(day)}))


def spans(shifts: list[Shift], first: date, last: date) -> pd.DataFrame:
    """Every water of the rota from ``first`` to ``last``, cut where the agency changes: columns ``SPANS``, no day left out."""
    rows = [row for water in dict.fromkeys(s.water for s in shifts) for row in _spans(shifts, water, first, last)]
    return pd.DataFrame(rows, columns=list(SPANS))


def _spans(shifts: list[Shift], water: str, first: date, last: date) -> Iterator[tuple[Any, ...]]:
    begin, who = first, on_duty(shifts, water, first)
    for n in range(1, (last - first).days + 2):
        day = first + timedelta(days=n)
        now = on_duty(shifts, water, day) if day <= last else None
        if now != who:
            state = GAP if not who else ON_DUTY if len(who) == 1 else SEVERAL
            yield water, state, "、".join(who), begin, day - timedelta(days=1), (day - begin).days
            begin, who = day, now or ()


def credit(shifts: list[Shift], patrols: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Patrols credited to the agency on duty on their day: columns ``CREDIT``.

    ``patrols``: columns water, day, patrol_id, proven (with a track); of other waters and days none count. Days on duty of each
    agency beside them; patrols on a day without an agency stand under ``NOBODY``, and of several agencies under each.
    """
    days: dict[tuple[str, str], int] = {}
    for row in spans(shifts, first, last).itertuples(index=False):
        for agency in row.agencies.split("、"):
            days[row.water, agency] = days.get((row.water, agency), 0) + row.days
    counts: dict[tuple[str, str], list[int]] = {key: [0, 0] for key in days}
    seen = patrols[["water", "day", "patrol_id", "proven"]].drop_duplicates()
    for p in seen.itertuples(index=False):
        if first <= p.day <= last:
            for agency in on_duty(shifts, p.water, p.day) or (NOBODY,):
                if (p.water, agency) in counts:
                    counts[p.water, agency][0 if p.proven else 1] += 1
    rows = [(*key, days[key], gps, entry) for key, (gps, entry) in counts.items()]
    return pd.DataFrame(rows, columns=list(CREDIT)).sort_values(["water", "agency"], ignore_index=True)
