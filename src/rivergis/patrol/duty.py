"""下一步巡查: which stretches wait for a patrol, in the order in which they should be visited, and who is to be reminded.

Order: days overdue, extra visits that open problems advise, days since a bank was last seen. Register ids A5, A11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from rivergis.patrol import calendar, risk
from rivergis.patrol import visits as seen
from rivergis.patrol.targets import Held

NEXT = (
    "chief_id", "chief", "level", "waters", "river_id", "river", "duty_id", "bank", "from_m", "to_m", "state", "period", "label",
    "deadline", "days_left", "due", "done", "missing", "overdue_days", "missed_periods", "extra", "reasons", "last_left",
    "last_right", "last_entry", "days_unseen", "announced", "basis",
)  # fmt: skip


@dataclass(frozen=True)
class Outlook:
    """Rules of the list: the extra table, its limit, distance of problems, and least metres of a visit."""

    extra: Sequence[risk.Raise]
    max_extra: int
    adopted: bool
    """A local document has adopted the table: extra visits are owed, not only advised."""
    distance_m: float
    min_visit_m: float


def next_patrols(
    ledger: pd.DataFrame,
    held: Iterable[Held],
    patrols: pd.DataFrame,
    problems: pd.DataFrame,
    outlook: Outlook,
    *,
    as_of: date,
    days: int | None = None,
) -> pd.DataFrame:
    """Which stretches wait for a patrol on a day, the most urgent first?

    ``ledger``: a calendar that reaches back to the misses that shall count (``calendar.ledger``); ``held``: duties, of which
    those in force on ``as_of`` are listed; ``patrols``: columns ``visits.COLUMNS``; ``problems``: columns ``risk.PROBLEM``.
    ``days``: only what ends within so many days, or is overdue. Returns columns ``NEXT``, a row a stretch and target.
    """
    by_river = _by_river(seen.until(patrols, as_of))
    duties = {h.row.duty_id: h for h in held if h.on(as_of)}
    on_river = risk.by_river(problems)
    history = _history(ledger)
    rows: list[tuple[Any, ...]] = []
    for row in ledger[(ledger["begin"] <= as_of) & (ledger["end"] >= as_of)].itertuples(index=False):
        missed = _missed(history[_key(row)], row)
        for h in (duties[d] for d in row.duty_ids if d in duties):
            river = h.stretch.river_id
            near = [x for x in on_river.get(river, ()) if risk.lies(x, h.stretch, outlook.distance_m)]
            rows += _waiting(row, h, missed, by_river.get(river, ()), near, outlook, as_of)
    frame = pd.DataFrame(rows, columns=list(NEXT))
    if days is not None:
        frame = frame[(frame["days_left"] <= days) | (frame["overdue_days"] > 0)]
    return _ordered(frame)


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    rank = pd.DataFrame(
        {
            "overdue": -frame["overdue_days"],
            "extra": -frame["extra"],
            # never seen comes first
            "unseen": -frame["days_unseen"].astype(float).fillna(float("inf")),
            "left": frame["days_left"],
            "name": frame["chief"].astype(str) + frame["waters"].astype(str),
            "from_m": frame["from_m"],
        }
    )
    return frame.loc[rank.sort_values(list(rank.columns), kind="stable").index].reset_index(drop=True)


def _by_river(patrols: pd.DataFrame) -> dict[Any, list[seen.Patrol]]:
    """Patrols of anybody on each river: a bank that a colleague has seen has been seen."""
    out: dict[Any, list[seen.Patrol]] = {}
    for patrol in (p for done in seen.patrols(patrols).values() for p in done):
        for river in {x.river_id for x in patrol.pieces}:
            out.setdefault(river, []).append(patrol)
    return out


def _waiting(
    row: Any,
    h: Held,
    missed: Sequence[Any],
    done: Sequence[seen.Patrol],
    near: Sequence[Any],
    outlook: Outlook,
    as_of: date,
) -> Iterator[tuple[Any, ...]]:
    """The line of one stretch, if a visit is asked for or advised."""
    advice = _advice(row, near, outlook, as_of)
    asked = row.due + (advice.extra if outlook.adopted else 0)
    missing = max(asked - row.done, 0) if row.state != calendar.NOT_OWED else 0
    if not missing and row.done >= row.due + advice.extra:
        return
    last = seen.last_seen(done, h.stretch, outlook.min_visit_m)
    overdue = (as_of - missed[-1].end).days if missed and missing else 0
    where = (h.row.river_id, h.row.river, h.row.duty_id, h.stretch.bank, h.stretch.from_m, h.stretch.to_m)
    when = (row.state, row.period, row.label, row.end, (row.end - as_of).days)
    open_ = (asked, row.done, missing, overdue, len(missed) if missing else 0, advice.extra, advice.reasons)
    banks = (last["left"], last["right"], last["entry"], _unseen(h, last, as_of))
    yield row.chief_id, row.chief, row.level, row.waters, *where, *when, *open_, *banks, row.announced, row.basis


def _advice(row: Any, near: Sequence[Any], outlook: Outlook, as_of: date) -> risk.Advice:
    kinds = risk.counted(near, as_of)
    if any(code == "warning_unset" for code, _ in row.notes):
        kinds[risk.WARNING] = 1
    return risk.advise(kinds, outlook.extra, outlook.max_extra)


def _key(row: Any) -> tuple[Any, ...]:
    """What makes two rows of a calendar the same target in different periods."""
    part = {"chief": None, "river": row.river_ids, "reach": row.duty_ids}[row.per]
    return row.chief_id, row.what, row.per, row.period, part


def _history(ledger: pd.DataFrame) -> dict[tuple[Any, ...], list[Any]]:
    """Rows of each target, newest period first."""
    out: dict[tuple[Any, ...], list[Any]] = {}
    for row in ledger.sort_values("end", ascending=False, kind="stable").itertuples(index=False):
        out.setdefault(_key(row), []).append(row)
    return out


def _missed(same: Iterable[Any], row: Any) -> list[Any]:
    """Periods that ended without what was asked, back from this one until one in which it was done; newest first."""
    out = []
    for before in same:
        if before.end >= row.begin:
            continue
        if before.state not in (calendar.OVERDUE, calendar.PARTLY):
            break
        out.append(before)
    return out


def _unseen(h: Held, last: Mapping[str, date | None], as_of: date) -> int | None:
    """Days since the longer unseen of the assigned banks was proven seen; None where one never was."""
    banks = ("left", "right") if h.stretch.bank == "both" else (h.stretch.bank,)
    days = [last[b] for b in banks]
    known = [d for d in days if d is not None]
    return (as_of - min(known)).days if len(known) == len(days) else None


def summary(ledger: pd.DataFrame) -> pd.DataFrame:
    """Periods of each chief by state; visits asked for in those that count, done, and how the done ones are proven."""
    who = ["chief_id", "chief", "level"]
    counts = ledger.groupby([*who, "state"], sort=False).size().unstack("state", fill_value=0)
    counts = counts.reindex(ledger[who].drop_duplicates(), columns=list(calendar.STATES), fill_value=0)
    owed = ledger[(ledger["what"] == calendar.VISITS) & ledger["state"].isin((calendar.DONE, *calendar.OPEN))]
    sums = owed.groupby(who)[["due", "done", "gps", "entry"]].sum().add_suffix("_visits")
    return counts.join(sums).fillna(0).reset_index()


def load(held: Iterable[Held], problems: pd.DataFrame, margin_m: float, as_of: date) -> pd.DataFrame:
    """What each chief has to look after on a day (register id A10): chief_id, stretches, river_m (overlaps once), problems near."""
    by_chief: dict[Any, list[seen.Stretch]] = {}
    for h in held:
        if h.on(as_of):
            by_chief.setdefault(h.chief_id, []).append(h.stretch)
    rows = [(chief, len(s), seen.length_m(s), len(risk.on_way(problems, s, margin_m))) for chief, s in by_chief.items()]
    return pd.DataFrame(rows, columns=["chief_id", "stretches", "river_m", "problems"])
