"""What patrols owe and did as a morning tells it (巡河): due, done and overdue by level, and banks that nobody has seen for long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.maps import patrol_coverage, patrol_rows
from rivergis.maps.patrol_rows import Facts, Span
from rivergis.patrol import calendar, duty_workflow, period
from rivergis.reports.morning_facts import Measured
from rivergis.reports.morning_leads import At
from rivergis.river import sections
from rivergis.river.chainage import label
from rivergis.rules import RuleBook, RuleView

OWED = ("level", "unit", "waters", "period", "last_day", "asked", "did")
BANKS = ("river", "bank", "from", "to", "km")
STATES = {
    "patrol_due": (calendar.DUE,),
    "patrol_done": (calendar.DONE,),
    "patrol_overdue": (calendar.OVERDUE, calendar.PARTLY),
}


def owed(conn: Connection, book: RuleBook, at: At) -> dict[str, Measured]:
    """Periods of the last days in which somebody owed a patrol: running, done, and over without what was asked (达不到次数)."""
    first = at.night - timedelta(days=at.days["unseen_over"])
    read = duty_workflow.read(conn, book, first=first, last=at.night, as_of=at.night, known_at=at.known_at)
    units = dict(zip(read.duties["chief_id"], read.duties["unit_code"], strict=True))
    rows = [_owed_row(r, units.get(r["chief_id"]), at) for r in read.ledger.to_dict("records")]
    return {
        code: Measured.of_rows([r for r in rows if r["state"] in states], "level") for code, states in STATES.items()
    }


def _owed_row(r: dict[Any, Any], unit: Any, at: At) -> dict[str, Any]:
    """A period of one office, without the name of who holds it."""
    code = unit if isinstance(unit, str) else ""
    waters = r["waters"]
    return {
        "state": r["state"],
        "level": words.say(f"level.{r['level']}"),
        "unit": at.units.get(code, code),
        "waters": waters if isinstance(waters, str) else "、".join(str(w) for w in waters),
        "period": str(r["label"]),
        "last_day": str(r["last_day"]) if r["last_day"] is not None else str(r["end"]),
        "asked": _number(r["due"]),
        "did": _number(r["done"]),
        "town": at.town({}, code),
    }


def _number(value: Any) -> Any:
    return None if value is None or pd.isna(value) else value


def unseen(conn: Connection, view: RuleView, at: At) -> Measured:
    """Bank kilometres that somebody answers for and that no patrol has seen in the last days, stretch by stretch."""
    first = at.night - timedelta(days=at.days["unseen_over"] - 1)
    facts = patrol_rows.facts(conn, Span(first, at.night, at.known_at), view)
    lines, basis = patrol_coverage.counted(facts, None, ())
    if basis != patrol_coverage.DUTIES:
        return Measured(None)  # nobody is named for any bank: what is not owed is not missed
    holes = period.union(patrol_coverage.accumulate(facts, lines, basis, at.night).holes)
    names = facts.river_names
    rows = [
        {
            "river": names.get(h.river_id, "—"),
            "bank": words.both(f"bank.{h.bank}"),
            "from": label(h.from_m),
            "to": label(h.to_m),
            "km": round((h.to_m - h.from_m) / 1000, 6),
            "town": h.town,
        }
        for h in _in_towns(holes, facts, at).itertuples()
    ]
    return Measured.of_rows(sorted(rows, key=lambda r: -r["km"]), None, "km")


def _in_towns(holes: pd.DataFrame, facts: Facts, at: At) -> pd.DataFrame:
    """Holes cut at the borders of townships, each metre in one: on a border in the first by code, beyond all in none."""
    units = facts.units[facts.units["level"] == "town"]
    course = facts.reaches[facts.reaches["from_m"].notna() & (facts.reaches["kind"] != "shoreline")]
    parts = [] if units.empty or course.empty or holes.empty else [_sections(course, units)]
    left, out = holes, []
    for code, own in parts[0].groupby("unit_code", sort=True) if parts else ():
        banks = period.by_bank(own[["river_id", "from_m", "to_m"]].assign(bank="both"))
        out.append(period.common(left, banks).assign(town=at.towns.get(str(code), str(code))))
        left = period.difference(left, banks)
    return pd.concat([*out, left.assign(town="")], ignore_index=True)


def _sections(course: Any, units: Any) -> pd.DataFrame:
    return sections.of_courses(course, sections.Units(units))
