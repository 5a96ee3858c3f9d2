"""巡河日历: for every chief, water and period, what was asked for, what was done and how it is proven, and what is open.

Pure: duties, patrols and rules in, one frame out. Every period is owed by whoever holds the duty on its deciding day, so that a
new chief does not inherit old misses. Patrols proven by a track and those that entries only say are told apart.
Register ids A1, A3, A4, A15.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pandas as pd

from rivergis.layers import LEVELS
from rivergis.patrol import frequency as frequencies
from rivergis.patrol import targets as owing
from rivergis.patrol import visits as seen
from rivergis.patrol.frequency import Period
from rivergis.patrol.targets import Held, Ruling, Target, Terms

DONE, DUE, OVERDUE, PARTLY, UPCOMING, NOT_OWED = "done", "due", "overdue", "partly", "upcoming", "not_owed"
UNRECORDED = "unrecorded"
STATES = (DONE, DUE, OVERDUE, PARTLY, UPCOMING, NOT_OWED, UNRECORDED)
OPEN = (DUE, OVERDUE, PARTLY)
VISITS, SWEEP = "visits", "sweep"
CALENDAR = (
    "chief_id", "chief", "level", "place", "per", "river_ids", "waters", "duty_ids", "assigned_m", "what", "period", "label",
    "begin", "end", "decided_on", "count", "warning", "factor", "due", "done", "gps", "entry", "share", "gps_share", "asked_share",
    "state", "last_day", "notes", "announced", "basis", "document", "status", "ruleset", "version",
)  # fmt: skip


@dataclass(frozen=True)
class _Book:
    """What one calendar is made of: rules, patrols of each chief, and the day it stands for."""

    ruling: Ruling
    patrols: Mapping[Any, Sequence[seen.Patrol]]
    as_of: date
    recorded_since: date | None

    @property
    def terms(self) -> Terms:
        return self.ruling.terms


@dataclass(frozen=True)
class _Owed:
    """One target in one period; ``sole``: the chief has no other target then."""

    target: Target
    period: Period
    day: date
    sole: bool


def ledger(
    duties: pd.DataFrame,
    patrols: pd.DataFrame,
    warnings: pd.DataFrame,
    terms: Terms,
    *,
    first: date,
    last: date,
    as_of: date,
    recorded_since: date | None = None,
) -> pd.DataFrame:
    """What was owed in every period that has a day from ``first`` to ``last``, as it stands on ``as_of``?

    ``duties``: columns ``targets.DUTY``, one row a duty and its dates, of all days of ``reach``; ``place``: adcode whose rules hold. ``patrols``: columns
    ``visits.COLUMNS``; those after ``as_of`` are left out. ``warnings``: columns ``targets.WARNING``. ``recorded_since``: first
    day of which patrols are recorded at all (None: of all days). Returns columns ``CALENDAR``. States: done, due (period not over), overdue (over, nothing done), partly (over, fewer than asked), upcoming,
    not_owed (duty taken over too late in the period, or given up before its deciding day), unrecorded (not done as far as is
    known, and decided before patrols were recorded: nobody's miss).
    """
    known = seen.until(patrols, as_of)
    book = _Book(Ruling(terms, list(warnings.itertuples(index=False))), seen.patrols(known), as_of, recorded_since)
    held = owing.held(duties)
    rows = [row for day, period in _decided(held, book, first, last) for row in _rows(held, book, day, period)]
    frame = pd.DataFrame(rows, columns=list(CALENDAR))
    order = ["level", "chief", "chief_id", "what", "waters", "begin"]
    return frame.sort_values(order, key=_reading_order, kind="stable").reset_index(drop=True)


def _reading_order(column: pd.Series) -> pd.Series:
    """Chiefs from the province down, the rest by its text."""
    ranks = {level: f"{i}" for i, level in enumerate(LEVELS)}
    return column.map(ranks).fillna("9") if column.name == "level" else column.astype(str)


def reach(first: date, last: date) -> tuple[date, date]:
    """The days that decide periods with a day from ``first`` to ``last``: duties and warnings of all of them are needed."""
    return date(first.year, 1, 1) - timedelta(days=6), date(last.year, 12, 31) + timedelta(days=6)


def _decided(held: Sequence[Held], book: _Book, first: date, last: date) -> Iterator[tuple[date, Period]]:
    """Deciding days with the period they decide, of every kind of period that any rule of these duties asks for."""
    day, end = reach(first, last)
    alike = owing.one_of_each(held)
    while day <= end:
        for kind in sorted(owing.kinds(alike, book.ruling, day)):
            period = frequencies.span(day, kind, book.terms.days)
            inside = period is not None and period.end >= first and period.begin <= last
            if period is not None and inside and frequencies.deciding_day(period, book.terms.remaining) == day:
                yield day, period
        day += timedelta(days=1)


def _rows(held: Sequence[Held], book: _Book, day: date, period: Period) -> Iterator[tuple[Any, ...]]:
    owed = _concerned(owing.targets([h for h in held if h.on(day)], book.ruling, day), day, period)
    keys = {t.key for t in owed}
    passing = [h for h in held if not h.on(day) and h.since <= period.end and h.until >= period.begin]
    passed = _concerned(owing.targets(passing, book.ruling, day), day, period)
    passed = [replace(t, owed=False) for t in passed if t.key not in keys]
    each = Counter(t.chief_id for t in owed)
    for t in (*owed, *passed):
        one = _Owed(t, period, day, each[t.chief_id] <= 1)
        if t.frequency.period == period.kind:
            yield _visits_row(one, book)
        if t.frequency.sweep is not None and t.frequency.sweep.within == period.kind:
            yield _sweep_row(one, book, t.frequency.sweep.share)


def _concerned(found: Iterable[Target], day: date, period: Period) -> list[Target]:
    """Targets that are asked for this kind of period in this season."""
    out = []
    for t in found:
        asked = t.frequency
        kinds = {asked.period, asked.sweep.within if asked.sweep else asked.period}
        if period.kind in kinds and day.month in asked.months:
            out.append(t)
    return out


def _found(o: _Owed, book: _Book) -> list[seen.Visit]:
    done = [p for p in book.patrols.get(o.target.chief_id, ()) if o.period.begin <= p.day <= o.period.end]
    head = o.target.head
    modes = book.ruling.rule("patrol.accepted_modes", o.day, head.place, chief_level=head.level)
    return seen.visits(
        done,
        o.target.stretches,
        o.target.frequency,
        min_visit_m=book.terms.min_visit_m,
        accepted=None if modes is None else modes.value,
        sole=o.sole,
    )


def _visits_row(o: _Owed, book: _Book) -> tuple[Any, ...]:
    found = _found(o, book)
    counted = [v.patrol for v in found if v.why_not is None]
    proven: dict[Any, bool] = {}
    for p in counted:
        unit = p.day if book.terms.by_day else p.id
        proven[unit] = proven.get(unit, False) or p.proven
    factor = book.ruling.factor(o.day, o.target)
    asked = o.target.frequency.count
    due = frequencies.owed_count(asked, factor or 1.0) if o.target.owed else 0
    done, gps = len(proven), sum(proven.values())
    notes = [("warning_unset", o.target.warning)] if factor is None else []
    figures = (asked, o.target.warning, factor or 1.0, due, done, gps, done - gps, None, None, None)
    state = _state(due, done, o, book)
    return _row(o, VISITS, figures, state, counted, (*notes, *_notes(o, found, book)))


def _sweep_row(o: _Owed, book: _Book, asked: float) -> tuple[Any, ...]:
    """All waters once within the period: the share of their length that was visited, by tracks and by all patrols."""
    counted = [v.patrol for v in _found(o, book) if v.why_not not in ("mode", "review")]
    proven = [p for p in counted if p.proven]
    share, gps = (seen.visited_m(p, o.target.stretches, o.sole) / o.target.assigned_m for p in (counted, proven))
    due, done, by_gps = int(o.target.owed), int(share >= asked - 1e-6), int(gps >= asked - 1e-6)
    figures = (1, o.target.warning, 1.0, due, done, by_gps, done - by_gps, share, gps, asked)
    return _row(o, SWEEP, figures, _state(due, done, o, book, begun=share > 0), counted, ())


def _state(due: int, done: int, o: _Owed, book: _Book, begun: bool = False) -> str:
    if due == 0:
        return NOT_OWED
    if done >= due:
        return DONE
    if o.period.begin > book.as_of:
        return UPCOMING
    if o.period.end >= book.as_of:
        return DUE
    if book.recorded_since is not None and o.day < book.recorded_since:
        return UNRECORDED
    return PARTLY if done or begun else OVERDUE


def _notes(o: _Owed, found: Sequence[seen.Visit], book: _Book) -> Iterator[tuple[str, Any]]:
    """What a reader must know beside the figures: codes of the catalogue, each with one value."""
    t, period = o.target, o.period
    since = min(h.since for h in t.duties)
    if since > period.begin:
        yield ("late_owed" if t.owed else "late"), (since, ((period.end - since).days + 1) / period.days)
    elif not t.owed:
        yield "left", max(h.until for h in t.duties)
    for why in seen.WHY_NOT:
        if n := sum(v.why_not == why for v in found):
            yield f"not_counted_{why}", n
    within = [p for p in book.patrols.get(t.chief_id, ()) if period.begin <= p.day <= period.end]
    if n := 0 if o.sole else sum(all(x.river_id is None for x in p.pieces) for p in within):
        yield "unplaced", n


def _row(
    o: _Owed,
    what: str,
    figures: tuple[Any, ...],
    state: str,
    counted: Iterable[seen.Patrol],
    notes: Iterable[tuple[str, Any]],
) -> tuple[Any, ...]:
    t, period, r = o.target, o.period, o.target.rule
    rows = [h.row for h in t.duties]
    rivers, waters = (dict.fromkeys(getattr(row, name) for row in rows) for name in ("river_id", "river"))
    who = (
        t.chief_id,
        t.head.chief,
        t.head.level,
        t.head.place,
        t.frequency.per,
        tuple(rivers),
        "、".join(map(str, waters)),
    )
    when = (what, period.kind, period.label, period.begin, period.end, o.day)
    said = (r.status == "confirmed", r.basis, r.source, r.status, r.ruleset, r.ruleset_version)
    last = max((p.day for p in counted), default=None)
    ids = tuple(row.duty_id for row in rows)
    return (*who, ids, t.assigned_m, *when, *figures, state, last, tuple(notes), *said)
