"""Everything the page of a case shows (案件页): how it stands, why it was raised, its events, pictures and what lies near it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import shapely
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.db.connect import now_of
from rivergis.encroachment import case_needs, case_store, case_workflow
from rivergis.encroachment.case_needs import Around, Said
from rivergis.errors import UsageError
from rivergis.maps import case_map, features, leads, lists
from rivergis.maps.features import Row, When
from rivergis.reports import case_desk

SHANGHAI = ZoneInfo("Asia/Shanghai")
_NEAR_MOST = 6
# what of the detail of an event is shown, in this order; units and evidence have rows of their own
DETAIL = ("deadline", "measure", "authority", "authority_level", "document_no", "unit", "stage", "severity", "class_code", "why_not_all", "into")  # fmt: skip


@dataclass(frozen=True)
class CaseFacts:
    """A case as of a day and as known at a moment."""

    case: dict[str, Any]
    now: dict[str, Any]
    """Last sighting and verdict of the nights."""
    record: dict[str, Any]
    why: tuple[str, str]
    rows: list[Row]
    events: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    reports: list[dict[str, Any]]
    severe: bool
    """Its level takes an instruction (批示) before it is assigned."""
    given: set[str]
    """Needs of moves that are there already, whatever is said."""
    near: list[dict[str, Any]] = field(default_factory=list)
    map: str = ""

    @property
    def hint(self) -> bool:
        return self.now["basis"] in leads.HINTS


def as_known(conn: Connection, known: date | None, on: date | None = None) -> When:
    """The ledger as it was known at the end of a civil day (Asia/Shanghai); by default as of today and known now.

    ``on``: day on which the clocks stand, and up to which nights count; default the day known. ``UsageError`` for days to come.
    """
    now = features.when(conn, on)
    if known is None:
        return now
    if known > max(now.on, now_of(conn).astimezone(SHANGHAI).date()):
        raise UsageError(f"{known} has not come yet: the ledger is known up to today.")
    end = datetime.combine(known + timedelta(days=1), time(), SHANGHAI).astimezone(UTC)
    return When(on or known, min(end, now.known_at))


def facts(conn: Connection, finding_id: str, at: When, *, near_m: float | None = None) -> CaseFacts:
    """What is known of a case? ``NotFound`` where it was not known then. ``near_m``: with its map and cases so near that may be the same."""
    record = lists.lead(conn, finding_id, at)
    case = case_store.case(conn, record["finding"]["id"], at.on, at.known_at)
    now = record["now"]
    told = [{**e, "rows": event_rows(e["detail"])} for e in case_store.events(conn, case["id"], at.known_at)]
    evidence = _evidence(conn, case, at)
    around = Around(**asdict(case_store.facts(conn, case["id"], None)))
    return CaseFacts(
        case,
        now,
        record,
        _why(case, record["why"]),
        leads.lead_rows(_before_baseline(conn, now, at)) if now["class_code"] else [],
        told,
        evidence,
        [r for r in case_store.reports(conn, case["id"]) if r["recorded_at"] <= at.known_at],
        around.instructed,
        case_needs.given(Said(), told, around),
        _near(conn, case["id"], at, near_m) if near_m is not None else [],
        case_map.draw(conn, str(case["id"]), at) if near_m is not None else "",
    )


def _before_baseline(conn: Connection, now: dict[str, Any], at: When) -> dict[str, Any]:
    """A lead as it is told: until a person signs a baseline nothing is new, it is stock to be verified (存量待核)."""
    first = now["status"] == "new" and case_desk.signed(conn, at) is None
    return {**now, "status": "stock_to_verify"} if first else now


def _why(case: Mapping[str, Any], told: tuple[str, str]) -> tuple[str, str]:
    """Why a case is here, Chinese and English: as the night says it, or who reported it."""
    if case["topic"] != "reported":
        return told
    out = []
    for lang in words.LANGS:
        where = (
            features.place(case["figures"] or {}) or case["village"] or case["town"] or words.say("desk.no_place", lang)
        )
        what = words.say(f"class.{case['class_code'] or 'other.unknown'}", lang)
        source = "、".join(case["sources"])
        out.append(words.say("desk.reported_why", lang, source=source, day=case["found_on"], what=what, where=where))
    return out[0], out[1]


def event_rows(detail: Mapping[str, Any]) -> list[Row]:
    """What a move said, in words, empty ones left out."""
    rows = [(*words.pair(f"desk.{key}"), _said(key, detail[key])) for key in DETAIL if detail.get(key)]
    if detail.get("units"):
        told = "、".join(_unit(u) for u in detail["units"])
        rows.append((*words.pair("desk.units"), told))
    if detail.get("evidence"):
        rows.append((*words.pair("desk.evidence"), len(detail["evidence"])))
    for doubt in detail.get("doubts") or []:
        rows.append((*words.pair("desk.doubt"), doubt.get("said") or doubt.get("sentence") or doubt.get("code")))
    return rows


def _said(key: str, value: Any) -> Any:
    group = {"stage": "stage", "authority_level": "level", "class_code": "class", "severity": "severity"}.get(key)
    return words.both(f"{group}.{value}") if group else value


def _unit(unit: Mapping[str, Any]) -> str:
    """A unit as it is named to everyone; the person who answers is shown to who works on cases only."""
    lead = f"({words.say('desk.lead_unit')})" if unit.get("lead") else ""
    return f"{unit['unit']}{lead}{' ' + unit['deadline'] if unit.get('deadline') else ''}"


def _evidence(conn: Connection, case: Mapping[str, Any], at: When) -> list[dict[str, Any]]:
    """Pictures and documents, oldest first: number of those that have a place, distance to the case in metres."""
    found = [e for e in case_store.evidence(conn, case["id"]) if e["recorded_at"] <= at.known_at]
    placed = [e for e in found if e["lon"] is not None]
    away = _distances(conn, case, [(e["lon"], e["lat"]) for e in placed]) if placed else []
    own = {e["id"]: (n, m) for n, (e, m) in enumerate(zip(placed, away, strict=True), 1)}
    return [
        {**e, "number": own.get(e["id"], (None, None))[0], "distance_m": own.get(e["id"], (None, None))[1]}
        for e in found
    ]


def _distances(conn: Connection, case: Mapping[str, Any], spots: Sequence[tuple[float, float]]) -> list[float]:
    """Metres from where pictures were taken to the thing; 0 = on it."""
    shape, _ = case_store.place(conn, case["id"])
    frame = gpd.GeoSeries([shape, *shapely.points(spots)], crs=crs.STORAGE)
    thing, *points = crs.to_metric(frame)
    return [float(shapely.distance(thing, p)) for p in points]


def _near(conn: Connection, finding_id: uuid.UUID, at: When, within_m: float) -> list[dict[str, Any]]:
    """Open cases that may be the same one, nearest first: id, number, class_code, sources, distance_m."""
    pairs = case_store.near_pairs(conn, at.on, at.known_at, within_m, case_workflow.OPEN, finding_id, True)
    out = []
    for p in pairs[:_NEAR_MOST]:
        other = "b" if p["a"] == finding_id else "a"
        out.append(
            {
                "id": p[other],
                "number": p[f"{other}_number"],
                "class_code": p[f"{other}_class"],
                "sources": p[f"{other}_sources"],
                "distance_m": p["distance_m"],
            }
        )
    return out
