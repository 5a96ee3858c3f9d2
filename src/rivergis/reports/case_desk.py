"""The ledger (台账) as people look through it: filters, pages, the numbers above the list; every case by app.case_as_of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis.db.connect import read_table
from rivergis.errors import UsageError
from rivergis.maps import leads
from rivergis.maps.features import When

MOST = 500
# what waits for people: a lead that stands, and everything that is not settled
OPEN = ("problem", "assigned", "rectified", "accepted", "historic_listed")
# a line nobody announced points at nobody; what people judged is theirs whatever line told it
_TO_VERIFY = "(c.state = 'found' AND c.status <> ALL(:ended) AND coalesce(c.basis <> ALL(:hints), true))"
_STANDS = f"(c.state = ANY(:open) OR c.awaits_above OR c.rebound OR {_TO_VERIFY})"
WIDE = {"open": _STANDS, "to_verify": _TO_VERIFY, "any": "true"}
"""Names that stand for more than one state, or for a part of one."""
_ESCALATE = "c.escalation_due IS NOT NULL AND c.escalation_due IS DISTINCT FROM c.escalation_issued"
SORTS = {
    "urgency": "c.overdue_days DESC NULLS LAST, c.deadline NULLS LAST, c.first_night DESC, c.id",
    "number": "c.number NULLS LAST, c.id",
    "newest": "c.first_night DESC, c.id",
    "place": "c.river NULLS LAST, c.chainage NULLS LAST, c.id",
}


@dataclass(frozen=True)
class Filters:
    """What is asked of the ledger; empty = all of it.

    ``state``: state codes, or ``open`` (waits for people), ``to_verify``, ``any``. ``due_in_days``: deadline today up to so many days ahead.
    ``night`` with ``status``: what that night saw of the case.
    """

    state: tuple[str, ...] = ("open",)
    overdue: bool = False
    due_in_days: int | None = None
    district: str | None = None
    town: str | None = None
    class_code: str | None = None
    severity: str | None = None
    stock: bool | None = None
    rebound: bool = False
    awaits_above: bool = False
    escalate: bool = False
    topic: str | None = None
    status: tuple[str, ...] = ()
    night: date | None = None
    text: str | None = None
    sort: str = "urgency"
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True)
class CasePage:
    """One page of the ledger and how many cases there are in all."""

    rows: list[dict[str, Any]]
    total: int
    filters: Filters = field(default_factory=Filters)


def listing(conn: Connection, filters: Filters, at: When) -> CasePage:
    """Which cases are these, as of a day? Rows of app.case_as_of without geometry, with lon and lat in degrees (EPSG:4490)."""
    if filters.sort not in SORTS:
        raise UsageError(f"{filters.sort[:40]!r} is no order of the ledger: it is one of {', '.join(SORTS)}.")
    where, params = _where(filters, at)
    order = SORTS[filters.sort]
    # which ones first, narrow; then all that is said of these few
    ids = _rows(
        conn,
        f"""SELECT c.id, count(*) OVER () AS total FROM app.case_as_of(:on, :known) c WHERE {where} ORDER BY {order} LIMIT :limit OFFSET :offset""",
        params | {"limit": min(max(filters.limit, 1), MOST), "offset": max(filters.offset, 0)},
    )
    if not ids:
        return CasePage([], _count(conn, where, params) if filters.offset else 0, filters)
    rows = _rows(
        conn,
        f"""SELECT c.*, ST_X(ST_PointOnSurface(c.geom)) AS lon, ST_Y(ST_PointOnSurface(c.geom)) AS lat
        FROM app.case_as_of(:on, :known) c WHERE c.id = ANY(CAST(:ids AS uuid[])) ORDER BY {order}""",
        {**at.params, "ids": [str(r["id"]) for r in ids]},
    )
    return CasePage([_plain(r) for r in rows], int(ids[0]["total"]), filters)


def _count(conn: Connection, where: str, params: dict[str, Any]) -> int:
    return int(_rows(conn, f"SELECT count(*) AS n FROM app.case_as_of(:on, :known) c WHERE {where}", params)[0]["n"])


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k != "geom"}


def _where(f: Filters, at: When) -> tuple[str, dict[str, Any]]:
    """The condition of the filters and its parameters."""
    parts = [_state(f.state)]
    params: dict[str, Any] = {**at.params, **_LISTS, "states": list(f.state)}
    if f.overdue:
        parts.append("c.overdue_days > 0")
    if f.due_in_days is not None:
        parts.append("c.due_in_days <= :ahead")
        params["ahead"] = min(f.due_in_days, 3650)
    parts += [
        c
        for asked, c in ((f.rebound, "c.rebound"), (f.awaits_above, "c.awaits_above"), (f.escalate, _ESCALATE))
        if asked
    ]
    for column in ("district", "town", "severity", "topic"):
        if getattr(f, column):
            parts.append(f"c.{column} = :{column}")
            params[column] = getattr(f, column)
    if f.class_code:
        # a class is asked for with all below it
        parts.append("(c.class_code = :class OR starts_with(c.class_code, :class || '.'))")
        params["class"] = f.class_code
    if f.stock is not None:
        parts.append("c.stock = :stock")
        params["stock"] = f.stock
    if f.status:
        parts.append("c.status = ANY(:status)")
        params["status"] = list(f.status)
    if f.night:
        parts.append("c.night = :night")
        params["night"] = f.night
    if f.text and f.text.strip():
        parts.append(_TEXT)
        params["text"] = f.text.strip()[:100].lower()
    return " AND ".join(parts), params


_LISTS: dict[str, Any] = {
    "open": list(OPEN),
    "ended": list(leads.ENDED),
    "hints": list(leads.HINTS),
}
_TEXT = """strpos(lower(concat_ws(' ', c.number, left(c.id::text, 8), c.river, c.village, c.town, c.figures ->> 'name',
  array_to_string(c.superior_numbers, ' '),
  (SELECT string_agg(u ->> 'unit', ' ') FROM jsonb_array_elements(c.units) u))), :text) > 0"""


def _state(states: tuple[str, ...]) -> str:
    return "(" + " OR ".join(["c.state = ANY(:states)", *(WIDE[s] for s in states if s in WIDE)]) + ")"


def overview(conn: Connection, at: When, district: str | None = None) -> tuple[dict[str, int], dict[str, list[Any]]]:
    """How much work is there, as of a day (to verify, in hand, due, overdue, awaiting acceptance or the superior, stock and increment of
    what is open), and what may be asked for: districts with their names, classes and severities that cases have."""
    found = _rows(conn, _OVERVIEW, {**at.params, **_LISTS, "district": district})[0]
    names = _rows(conn, "SELECT code, name FROM app.admin_unit_as_of(:on, :known) WHERE level = 'county'", at.params)
    named = {r["code"]: r["name"] for r in names}
    offered = {k: sorted(found.pop(k) or []) for k in ("classes", "severities", "districts")}
    counts = {k: int(v) for k, v in found.items()}
    return counts, offered | {"districts": [(d, named.get(d, d)) for d in offered["districts"]]}


# one look at the ledger for all of it: the ledger is folded anew each time it is asked
_OVERVIEW = f"""
  SELECT count(*) FILTER (WHERE open AND to_verify) AS found, count(*) FILTER (WHERE open AND state = 'problem') AS problem,
    count(*) FILTER (WHERE open AND state = 'assigned') AS assigned, count(*) FILTER (WHERE open AND state = 'rectified') AS rectified,
    count(*) FILTER (WHERE open AND state = 'accepted') AS accepted, count(*) FILTER (WHERE open AND state = 'historic_listed') AS historic_listed,
    count(*) FILTER (WHERE open AND overdue_days > 0) AS overdue, count(*) FILTER (WHERE open AND due_in_days <= 7) AS due,
    count(*) FILTER (WHERE open AND awaits_above) AS awaits_above, count(*) FILTER (WHERE open AND rebound) AS rebound,
    count(*) FILTER (WHERE open AND escalate) AS escalate, count(*) FILTER (WHERE open AND stock) AS stock,
    count(*) FILTER (WHERE open AND NOT stock) AS increment,
    array_agg(DISTINCT class_code) FILTER (WHERE class_code IS NOT NULL) AS classes,
    array_agg(DISTINCT severity) FILTER (WHERE severity IS NOT NULL) AS severities,
    array_agg(DISTINCT of_district) FILTER (WHERE of_district IS NOT NULL) AS districts
  FROM (SELECT {_STANDS} AND (CAST(:district AS text) IS NULL OR c.district = :district) AS open, {_TO_VERIFY} AS to_verify, c.state,
          c.overdue_days, c.due_in_days, c.awaits_above, c.rebound, ({_ESCALATE}) AS escalate, c.stock, c.class_code, c.severity,
          nullif(c.district, '') AS of_district
        FROM app.case_as_of(:on, :known) c) n"""


def signed(conn: Connection, at: When) -> dict[str, Any] | None:
    """The baseline in force as known then; None = no page may speak of increment yet."""
    found = _rows(conn, "SELECT * FROM app.baseline_signed(:known)", at.params)
    return found[0] if found else None


def _rows(conn: Connection, sql: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows as dicts, with what is missing as None."""
    frame = read_table(conn, sql, params).astype(object)
    out: list[dict[str, Any]] = frame.where(pd.notna(frame), None).to_dict("records") if len(frame) else []
    return out
