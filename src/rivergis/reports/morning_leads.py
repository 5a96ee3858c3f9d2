"""What a night told and what waits for people (线索、办理、水源区与许可): the measures of one night, with the rows behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.db.connect import read_table
from rivergis.maps import leads as lead_words
from rivergis.maps.features import place
from rivergis.reports.morning_facts import Measured, Row

TOLD = ("number", "status", "class", "place", "village", "area", "basis")
PERMITS_OPEN = ("object", "why", "place", "village", "permits")
CASES = ("number", "superior", "state", "class", "place", "village", "since", "deadline", "days")
PERMITS = ("code", "name", "document", "ends_on", "days")
# what is looked at first: ground where an obstacle raises the flood, and the innermost zone of a water source
FIRST_GROUNDS = {"channel", "levee", "berm"}
FIRST_CLASS = 1
NO_DISTRICT = "none"
CHANGES = ("grown", "rebound", "gone")
OPEN_STATES = ("found", "problem", "assigned", "rectified", "accepted", "historic_listed")
CLOSED_STATES = ("closed", "closed_above")
_TOWNS = "town AS MATERIALIZED (SELECT code, geom FROM app.admin_unit_as_of(:on, :known) WHERE level = 'town')"


@dataclass(frozen=True)
class At:
    """A night, the moment up to which knowledge counts (UTC), days of the rules by name, and the names of units by their code."""

    night: date
    known_at: datetime
    days: Mapping[str, int]
    towns: Mapping[str, str]
    units: Mapping[str, str]
    signed: bool
    """Whether a baseline is signed: what is told first before that is stock to be verified (存量待核)."""

    @property
    def params(self) -> dict[str, Any]:
        return {"on": self.night, "known": self.known_at}

    def unit(self, code: str) -> str:
        """Name of a district; what lies in none has a name of its own."""
        return words.say("morning.no_district") if code == NO_DISTRICT else self.units.get(code, code)

    def town(self, figures: Mapping[str, Any], district: str | None) -> str:
        """Township of a thing: by the code of the unit that it lies in, else as its figures say; empty where neither knows."""
        return self.towns.get((district or "")[:9]) or str(figures.get("town") or "")


def told(conn: Connection, at: At) -> dict[str, Measured]:
    """New inside announced lines or zones and elsewhere apart, grown, rebound, gone to be checked, permits to be placed, and handed over."""
    found = read_table(
        conn,
        """SELECT t.id, t.topic, t.district, t.status, t.class_code, t.basis, t.our_action, t.figures
        FROM app.finding_as_of(:on, :known) t WHERE t.night = :on AND t.status = ANY(:statuses)""",
        {**at.params, "statuses": ["new", *CHANGES]},
    )
    rows = sorted((_told_row(r, at) for r in _records(found)), key=order)
    new = [r for r in rows if r["status_code"] == "new" and r["topic"] != "boundary_line"]
    out = {
        "new_announced": Measured.of_rows([r for r in new if not r["hint"]], "class"),
        "new_elsewhere": Measured.of_rows([r for r in new if r["hint"]], "class"),
        "handover": Measured.of_rows([r for r in rows if _to_hand_over(r)], "class"),
        "permit_open": Measured.of_rows(_permits_open(conn, at)),
    }
    return out | {s: Measured.of_rows([r for r in rows if r["status_code"] == s]) for s in CHANGES}


def order(row: Row) -> tuple[Any, ...]:
    """Channel, levee, berm and first-class zones first, then announced lines, then by place."""
    return (not row["first"], row["hint"], row["status_code"] != "new", row["place"], row["id"])


def _to_hand_over(row: Row) -> bool:
    """A new conflict that is another authority's to decide, or that the boundary or zone itself has to be checked for."""
    zones = row["topic"] in ("outfall_in_zone", "outfall_position", "boundary_line")
    return row["status_code"] in ("new", "rebound") and (zones or row["our_action"] == "移交")


def _told_row(r: Mapping[str, Any], at: At) -> dict[str, Any]:
    f = r["figures"] or {}
    return {
        "id": str(r["id"]),
        "number": str(r["id"])[:8],
        "topic": r["topic"],
        "status_code": r["status"],
        "status": words.both(f"status.{r['status'] if at.signed or r['status'] != 'new' else 'stock_to_verify'}"),
        "class": words.say(f"class.{r['class_code']}") if r["class_code"] else "",
        "place": place(f),
        "village": f.get("village") or "",
        "town": at.town(f, r["district"]),
        "area": lead_words.area(f),
        "basis": words.both(f"basis.{r['basis']}") if r["basis"] else "",
        "hint": r["basis"] not in ("announced", "gazette"),
        "our_action": r["our_action"],
        "first": comes_first(f),
    }


def comes_first(figures: Mapping[str, Any]) -> bool:
    """Whether it stands in the channel, on a levee or its berm land, or in a first-class zone, as far as the verdict knows."""
    verdict = figures.get("verdict") or {}
    grounds = set(verdict.get("stands_on") or figures.get("stands_on") or ())
    classes = {z.get("zone_class") for z in verdict.get("zones") or () if isinstance(z, Mapping)}
    return bool(grounds & FIRST_GROUNDS) or FIRST_CLASS in {*classes, figures.get("zone_class")}


def _permits_open(conn: Connection, at: At) -> list[dict[str, Any]]:
    """有许可待核: objects beside a permit that a person must place or whose papers nobody has seen."""
    found = read_table(
        conn,
        f"""WITH {_TOWNS} SELECT coalesce(q.finding_id, q.candidate_id)::text AS id, q.finding_id IS NOT NULL AS told, q.queue, q.code, q.kind, q.name,
          q.permits, q.river, q.bank, q.chainage, q.village, u.code AS unit
        FROM app.permit_queue_as_of(:on, :known) q LEFT JOIN LATERAL (SELECT a.code FROM town a
          WHERE ST_Intersects(a.geom, ST_PointOnSurface(q.geom)) ORDER BY a.code LIMIT 1) u ON true ORDER BY q.code""",
        at.params,
    )
    return [
        {
            "id": r["id"],
            "finding": r["told"],
            "object": " ".join(str(p) for p in (words.both(f"kind.{r['kind']}"), r["name"], r["code"]) if p),
            "why": words.both(f"reason.{r['queue']}"),
            "place": place(dict(r)),
            "village": r["village"] or "",
            "town": at.town({}, r["unit"]),
            "permits": "、".join(str(p) for p in r["permits"] or ()),
        }
        for r in _records(found)
    ]


def work(conn: Connection, at: At) -> dict[str, Measured]:
    """What waits in the ledger (台账): to verify over some days, due soon, overdue, to accept, with the superior, stock and increment."""
    cases = _cases(conn, at)
    open_ = [c for c in cases if c["open"]]
    soon = at.days["due_within"]
    picked = {
        "to_verify": [c for c in open_ if c["state_code"] == "found" and c["waiting"] > at.days["verify_over"]],
        "due_soon": [c for c in open_ if c["due_in_days"] is not None and c["due_in_days"] <= soon],
        "work_overdue": [c for c in open_ if c["state_code"] == "assigned" and (c["overdue_days"] or 0) > 0],
        "to_accept": [c for c in cases if c["state_code"] == "rectified"],
        "at_superior": [c for c in cases if c["state_code"] == "closed" and (c["awaits_above"] or c["superior"])],
        "closed_seen": [c for c in cases if c["rebound"]],
        "stock": [c for c in open_ if c["stock"]],
        "increment": [c for c in open_ if not c["stock"]],
    }
    return {code: Measured.of_rows(_dated(rows, code), "class") for code, rows in picked.items()}


def _cases(conn: Connection, at: At) -> list[dict[str, Any]]:
    found = read_table(
        conn,
        """SELECT c.id, c.number, c.superior_numbers, c.topic, c.class_code, c.state, c.basis, c.stock, c.first_night, c.found_on,
          f.district, c.village, c.town, c.river, c.bank, c.chainage, c.status, c.deadline, c.overdue_days, c.due_in_days,
          c.awaits_above, c.rebound
        FROM app.case_as_of(:on, :known) c JOIN data.finding f ON f.id = c.id
        WHERE c.state = ANY(:states) AND c.topic <> 'boundary_line' ORDER BY c.number NULLS LAST, c.id""",
        {**at.params, "states": [*OPEN_STATES, *CLOSED_STATES]},
    )
    return [_case_row(r, at) for r in _records(found)]


def _case_row(r: Mapping[str, Any], at: At) -> dict[str, Any]:
    """One case in words. Open: people have it in hand, or a night tells it inside a line that may point at somebody."""
    since = r["found_on"] or r["first_night"]
    hint = r["basis"] in lead_words.HINTS
    ended = r["state"] == "found" and (hint or r["status"] in ("merged", "permitted"))
    return {
        "id": str(r["id"]),
        "number": r["number"] or str(r["id"])[:8],
        "superior": "、".join(r["superior_numbers"] or ()),
        "topic": r["topic"],
        "state_code": r["state"],
        "state": words.both(f"state.finding.{r['state']}"),
        "class": words.say(f"class.{r['class_code']}") if r["class_code"] else "",
        "place": place(dict(r)),
        "village": r["village"] or "",
        "town": at.town(r, r["district"]),
        "since": str(since),
        "waiting": (at.night - since).days,
        "deadline": str(r["deadline"] or ""),
        "overdue_days": r["overdue_days"],
        "due_in_days": r["due_in_days"],
        "awaits_above": bool(r["awaits_above"]),
        "rebound": bool(r["rebound"]),
        "stock": bool(r["stock"]),
        "open": r["state"] in OPEN_STATES and not ended,
        "first": False,
        "hint": hint,
    }


def _dated(rows: Iterable[dict[str, Any]], code: str) -> list[dict[str, Any]]:
    """Rows with the days that matter for a figure: overdue, or waiting since they were found; the longest first."""
    of = {"work_overdue": "overdue_days", "due_soon": "due_in_days"}.get(code, "waiting")
    first = 1 if code == "due_soon" else -1
    return sorted(({**r, "days": r[of]} for r in rows), key=lambda r: (first * (r["days"] or 0), r["number"]))


def permits_ending(conn: Connection, at: At) -> Measured:
    """Temporary permits (临时占用许可) whose last day comes within some days."""
    found = read_table(
        conn,
        f"""WITH {_TOWNS} SELECT p.id::text AS id, p.code, p.name, p.doc_no, upper(p.valid) - 1 AS ends_on, u.code AS unit
        FROM app.permit_as_of(:on, :known) p LEFT JOIN LATERAL (SELECT a.code FROM town a
          WHERE p.geom IS NOT NULL AND ST_Intersects(a.geom, ST_PointOnSurface(p.geom)) ORDER BY a.code LIMIT 1) u ON true
        WHERE p.kind = 'temporary_use' AND upper(p.valid) - 1 BETWEEN :on AND :on + CAST(:days AS int) ORDER BY 5, 2""",
        {**at.params, "days": at.days["permit_ends_within"]},
    )
    return Measured.of_rows(
        [
            {
                "id": r["id"],
                "code": r["code"],
                "name": r["name"],
                "document": r["doc_no"] or "",
                "ends_on": str(r["ends_on"]),
                "days": (r["ends_on"] - at.night).days,
                "town": at.town({}, r["unit"]),
            }
            for r in _records(found)
        ]
    )


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts, with what is missing as None."""
    plain = frame.astype(object)
    rows: list[dict[str, Any]] = plain.where(
        plain.map(lambda v: not pd.api.types.is_scalar(v) or pd.notna(v)), None
    ).to_dict("records")
    return rows
