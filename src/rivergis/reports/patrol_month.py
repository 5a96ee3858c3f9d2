"""The patrols of a month as a list with filters by unit: the way in to pages, bulletin, coverage and sweep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis.db.connect import now_of, read_table
from rivergis.patrol import period_tally, review_store
from rivergis.reports.patrol_bulletin import month_of

SHOWN = 400


@dataclass(frozen=True)
class MonthTold:
    """A month: its patrols (rows of ``app.patrol_in``, newest first, at most ``SHOWN``), how many there are, units to choose from."""

    month: str
    first: date
    last: date
    unit: str | None
    unit_name: str | None
    patrols: list[dict[str, Any]]
    total: int
    entries: int
    units: list[dict[str, Any]]

    @property
    def before(self) -> str:
        return f"{self.first - timedelta(days=1):%Y-%m}"

    @property
    def after(self) -> str:
        return f"{self.last + timedelta(days=1):%Y-%m}"


def read(conn: Connection, month: str | None, unit: str | None) -> MonthTold:
    """The month, by default that of the last patrol; ``UsageError`` for no month."""
    month = month or _last_month(conn)
    first, last = month_of(month)
    params = {"first": first, "last": last, "known": now_of(conn)}
    patrols = read_table(
        conn, "SELECT * FROM app.patrol_in(:first, :last, :known) ORDER BY day DESC, started_at DESC, track_id", params
    )
    entries = read_table(
        conn, "SELECT * FROM app.patrol_entry_as_of(:known) e WHERE e.day BETWEEN :first AND :last", params
    )
    units = _units(conn, params)
    own = patrols if unit is None else patrols[_in_unit(patrols["unit_code"], unit, units)]
    names = {u["code"]: u["name"] for u in units}
    rows = own.astype(object).where(own.notna(), None).head(SHOWN).to_dict("records")
    rows = review_store.waiting(conn, [{str(k): v for k, v in row.items()} for row in rows])
    for row in rows:
        row["outcome"] = period_tally.outcome(row["standard"]) if row["standard"] else None
        row["unit"] = names.get(row["unit_code"], row["unit_code"])
    stands = len(period_tally.standing(entries)) if unit is None else 0
    return MonthTold(month, first, last, unit, names.get(unit), rows, len(own), stands, units)


def _last_month(conn: Connection) -> str:
    day = read_table(
        conn, "SELECT coalesce(max(day) FILTER (WHERE day <= app.today()), app.today()) AS d FROM data.track"
    )["d"].iloc[0]
    return f"{day:%Y-%m}"


def _units(conn: Connection, params: dict[str, Any]) -> list[dict[str, Any]]:
    """Counties, towns and villages in force at the end of the month, by code."""
    frame = read_table(
        conn,
        """SELECT DISTINCT ON (code) code, name, level, parent_code FROM app.admin_unit_as_of(:last, :known)
        WHERE level IN ('county', 'town', 'village') ORDER BY code""",
        params,
    )
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _in_unit(codes: pd.Series, unit: str, units: list[dict[str, Any]]) -> pd.Series:
    """Which codes are the unit or lie below it, by the units above them or by the code itself."""
    parents = {u["code"]: u["parent_code"] for u in units}
    below = {unit}
    while more := {c for c, p in parents.items() if p in below and c not in below}:
        below |= more
    return codes.map(lambda c: c is not None and (c in below or c.startswith(unit)))
