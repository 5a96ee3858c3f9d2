"""The ledger (台账) beside its moves: cases opened by hand, reports of the same thing, duplicates proposed, history told."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import lifecycle
from rivergis.db.connect import now_of
from rivergis.encroachment import case_needs, case_store, reports
from rivergis.encroachment.case_store import Report
from rivergis.encroachment.look_back import SHANGHAI
from rivergis.errors import UsageError
from rivergis.river import store as river_store
from rivergis.river.register import Register
from rivergis.rules import RuleView

OPEN = ("found", "problem", "historic_listed", "assigned", "rectified")
"""States in which two cases may still be one and the same."""


def class_of_word(view: RuleView, word: str) -> tuple[str, str]:
    """Class of the taxonomy and kind of object that a code or a word of the office (乱堆, 网箱 ...) means at a place.

    Raises ``UsageError`` where it means none of the 四乱; a word that only tells the group is the open class of that group.
    """
    classes = view.book.taxonomy["classes"]
    found = view.book.local_class(view.path, word)
    code = word if word in classes else found.code
    groups = (view.taxon(code).group_zh,) if code else found.groups
    if code is None and len(groups) == 1:
        code = next((c for c in classes if c.endswith(".other") and view.taxon(c).group_zh == groups[0]), None)
    kind = reports.kind_of_class(groups, code) if groups else None
    if code is None and not groups:
        raise UsageError(
            f"{word!r} names no class: give a code of the taxonomy ('rivergis rules classify WORD' tells what a word means), such as {', '.join(list(classes)[:4])}."
        )
    return code or "other.unknown", kind or "unknown"


def register(conn: Connection, on: date) -> Register:
    """Axes and units of a day, ready to tell where places are; make it once for many cases."""
    known = now_of(conn)
    return Register(river_store.axes(conn, on, known), river_store.units(conn, on, known), pd.DataFrame())


def open_reported(
    conn: Connection,
    *,
    class_code: str | None,
    kind: str | None,
    place: shapely.Geometry,
    found_on: date,
    source: str,
    said: Mapping[str, Any] | None = None,
    number: str | None = None,
    places: Register | None = None,
) -> uuid.UUID:
    """Open a case that no night told: a row of a superior's list, a call, what a patrol saw far from a line. Returns its id.

    ``place``: point or polygon in EPSG:4490; ``source`` in the words of the office (巡河, 暗访, 12314 ...); ``number``: its number
    there; ``places``: see ``register``. The same report again is the same case. The case gets its running number at once, and no
    night touches it. Raises ``UsageError`` for no place, no source or a day to come.
    """
    today = now_of(conn).astimezone(SHANGHAI).date()
    report = _report(class_code, kind, place, found_on, source, said, number, today)
    if not case_store.is_there(conn, report.case_id):
        spot = (places or register(conn, today)).spots([place.representative_point()])[0]
        figures = {k: v for k, v in spot.as_dict().items() if k != "chiefs" and v is not None}
        case_store.open_case(conn, replace(report, figures=figures), spot.village_code or spot.county_code or "")
        case_store.give_number(conn, report.case_id)
    return report.case_id


def report_again(
    conn: Connection,
    case_id: uuid.UUID,
    *,
    found_on: date,
    source: str,
    said: Mapping[str, Any] | None = None,
    number: str | None = None,
    place: shapely.Geometry | None = None,
) -> None:
    """Add one more report of a case that is there already: who else told it, and under which number."""
    at = place if place is not None else case_store.place(conn, case_id)[0]
    today = now_of(conn).astimezone(SHANGHAI).date()
    case_store.add_report(conn, case_id, _report(None, None, at, found_on, source, said, number, today))


def _report(
    class_code: str | None,
    kind: str | None,
    place: shapely.Geometry,
    found_on: date,
    source: str,
    said: Mapping[str, Any] | None,
    number: str | None,
    today: date,
) -> Report:
    if place is None or place.is_empty or not place.is_valid:
        raise UsageError("A case needs a place: a point, or a polygon that does not cross itself.")
    west, south, east, north = place.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise UsageError(f"{west}, {south} is no longitude and latitude in degrees: longitude comes first.")
    if not source.strip():
        raise UsageError("Say where the case comes from: 巡河, 暗访, 遥感, 12314, 举报 or another source.")
    if found_on > today:
        raise UsageError(f"A case cannot have been found on a day to come ({found_on}): give the day it was found.")
    return Report(source.strip(), found_on, place, class_code, kind, number, said)


def duplicates(
    conn: Connection,
    view: RuleView,
    on: date,
    known_at: datetime,
    *,
    case_id: uuid.UUID | None = None,
    every: bool = False,
) -> list[dict[str, Any]]:
    """Open cases that may be one and the same, nearest first; the machine proposes, a person merges (move ``merge``).

    Two cases of one class (or of a class not known) within ledger.duplicates.distance of each other, of which people reported at
    least one; ``every``: also two that only nights told. The elder is ``a``.
    """
    within = view.number("ledger.duplicates.distance")
    return case_store.near_pairs(conn, on, known_at, within, OPEN, case_id, every)


def history(conn: Connection, case_id: uuid.UUID, on: date, known_at: datetime) -> dict[str, Any]:
    """All that is kept of a case: how it stands, its events with the state before each, reports, evidence, and the moves open now."""
    events = case_store.events(conn, case_id, known_at)
    before = ["found", *(e["to_state"] for e in events)]
    return {
        "case": case_store.case(conn, case_id, on, known_at),
        "events": [{**e, "from_state": b} for e, b in zip(events, before, strict=False)],
        "reports": case_store.reports(conn, case_id),
        "evidence": case_store.evidence(conn, case_id),
        "moves": moves_now(events),
    }


def moves_now(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Moves that may be taken from where a case stands; tables of before only while nobody has begun to work on it."""
    allowed = lifecycle.load()["finding"].allowed(case_needs.state(events))
    fresh = all(e["move"].startswith("take_over_") for e in events)
    return [m for m in allowed if fresh or not m.startswith("take_over_")]
