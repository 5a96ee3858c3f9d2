"""一河一档: all that is known of one river as of a day, as one record for programs and one page for people, to be printed.

Register id B1. Facts that nobody recorded are missing, not guessed: there is no health score, only the facts one would rest on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import words
from rivergis.maps import features, river_facts, sheets
from rivergis.maps.features import River, When
from rivergis.maps.sheets import Sheet
from rivergis.reports.sheet_below import Below, Link, Table, km, metres, shown, stretch
from rivergis.river import duties, sections
from rivergis.river.chainage import label as chainage

Record = dict[str, Any]
_DEGREES = 7
"""Decimals of a position: a centimetre."""


def record(
    conn: Connection, code: str, on: date | None = None, namespace: str | None = None, *, tracks: bool = True
) -> Record:
    """Everything of one river: facts, geometry (GeoJSON in EPSG:4490), and a list under each heading.

    ``tracks``: with what patrols saw (never with names). ``NotFound`` when no river has the code.
    """
    at = features.when(conn, on)
    return _record(conn, features.river(conn, code, at, namespace), at, tracks)


def _record(conn: Connection, river: River, at: When, tracks: bool) -> Record:
    course = river_facts.course(conn, river, at)
    chiefs = river_facts.chiefs(conn, river, at)
    told: Record = {"as_of": at.on, "known_at": at.known_at, **river_facts.head(conn, river, at)}
    told |= {"geometry": _geometry(course), "box": _box(river)}
    told |= {"chiefs": chiefs, "responsibility": responsibility(chiefs, course)}
    told["sections"] = _sections(course, river_facts.units(conn, river, at))
    readers = ("lines", "zones", "outfalls", "works", "problems", "warnings")
    told |= {name: getattr(river_facts, name)(conn, river, at) for name in readers}
    told["patrols"] = river_facts.patrols(conn, river, at) if tracks else None
    return told | {"health": health(told)}


def _geometry(course: Any) -> dict[str, Any] | None:
    parts = [np.round(shapely.get_coordinates(g), _DEGREES).tolist() for g in course.geometry]
    return {"type": "MultiLineString", "coordinates": parts} if parts else None


def _box(river: River) -> list[float] | None:
    return None if river.scope.box is None else [round(float(v), _DEGREES) for v in river.scope.box]


def _sections(course: Any, units: Any) -> list[Record]:
    """Which stretch of the main course lies in which township and village (分段), downstream."""
    aside = course["kind"].isin(("shoreline", "braid")) | (course["channel"] == "side")
    main = course[course["from_m"].notna() & ~aside]
    if main.empty or units.empty:
        return []
    found = sections.of_courses(main, sections.Units(units)).astype(object)
    kept = found[found["unit_code"].notna()].sort_values(["level", "from_m"])
    columns = ["level", "unit_code", "unit", "with_unit", "from_m", "to_m", "length_m"]
    rows: list[Record] = kept[columns].where(kept[columns].notna(), None).to_dict("records")
    return rows


def responsibility(chiefs: Sequence[Record], course: Any) -> list[Record]:
    """Of each level: bank metres with one person, with nobody, and with several (每米一长)."""
    on_axis = course[course["from_m"].notna() & course["to_m"].notna()]
    if not len(on_axis) or not chiefs:
        return []
    ends = pd.DataFrame([("river", "", on_axis["from_m"].min(), on_axis["to_m"].max())], columns=["river_id", "river", "from_m", "to_m"])  # fmt: skip
    rows = pd.DataFrame(chiefs).assign(river_id="river")
    summary = duties.assign(rows.assign(chief_id=rows["chief"] + rows["unit_code"].fillna("")), ends).summary
    return [{str(k): v for k, v in row.items()} for row in summary.to_dict("records")]


def health(told: Record) -> Record:
    """Facts an assessment of the river's state (健康评价) may rest on, as far as they are recorded; none of them is a judgement."""
    in_force = [x for x in told["lines"] if x["standing"] == "in_force" and x["basis"] == "announced"]
    return {
        "announced_lines": len(in_force),
        "open_problems": len(told["problems"]),
        "problems_per_km": _per_km(len(told["problems"]), told["length_m"]),
        "outfalls": len(told["outfalls"]),
        "outfalls_in_zones": sum(x["zone_class"] is not None for x in told["outfalls"]),
        "outfalls_without_approval": sum(x["approval_kind"] in ("none", "unknown", None) for x in told["outfalls"]),
        "warnings": len(told["warnings"]),
        "last_seen": max((p["last_seen"] for p in told["patrols"] or [] if p["last_seen"]), default=None),
        "bank_m_without_chief": sum(x["nobody_m"] for x in told["responsibility"]),
        "water_quality": None,
    }


def _per_km(n: int, length_m: float | None) -> float | None:
    return round(n / (length_m / 1000), 3) if length_m else None


def page(
    conn: Connection,
    sheet: Sheet,
    code: str,
    on: date | None = None,
    namespace: str | None = None,
    *,
    tracks: bool = True,
) -> str:
    """HTML of the river's file: its map, and under it every heading; one page to print."""
    at = features.when(conn, on)
    river = features.river(conn, code, at, namespace)
    told = _record(conn, river, at, tracks)
    return sheets.river(conn, sheet, river, at, below(told, served=sheet.served).html())


def below(told: Record, *, served: bool) -> Below:
    """The record in words: facts in lines, lists in tables."""
    notes = [words.both("sheet.note_health"), words.both("sheet.note_sections")]
    notes += [] if told["patrols"] is not None else [words.both("sheet.note_tracks")]
    return Below(_facts(told), _tables(told, served), notes, _links(told) if served else ())


def _links(told: Record) -> list[Link]:
    query = urlencode({"on": told["as_of"], "namespace": told["namespace"]})
    code = told["code"]
    return [
        Link(words.both("sheet.as_json"), f"/api/rivers/{code}?{query}"),
        Link(words.both("map.responsibility"), f"/maps/responsibility?{urlencode({'river': code, 'on': told['as_of']})}"),
        Link(words.both("map.versions"), f"/maps/versions?{urlencode({'river': code, 'after': told['as_of']})}"),
        Link(words.both("sheet.card"), f"/cards/river/{code}?{urlencode({'namespace': told['namespace']})}"),
    ]  # fmt: skip


def _facts(told: Record) -> list[tuple[str, Any]]:
    works, health_ = told["works"], told["health"]
    facts = {
        "name": " ".join(str(p) for p in (told["name"], told["name_en"]) if p),
        "code": f"{told['code']} ({told['namespace']})",
        "kind": words.choice("river", "kind", told["kind"]),
        "grade": told["grade"],
        "as_of": told["as_of"],
        "length_km": km(told["length_m"]),
        "upstream_area_km2": shown(told["upstream_area_km2"], lambda v: round(float(v), 2)),
        "water_km2": shown(told["water_m2"], lambda v: round(float(v) / 1e6, 4)),
        "levee_km": km(works["levee_m"]),
        "counts": words.both("sheet.counts_of", **works),
        "announced_lines": health_["announced_lines"],
        "open_problems": health_["open_problems"],
        "problems_per_km": shown(health_["problems_per_km"], float),
        "outfalls_in_zones": f"{health_['outfalls_in_zones']} / {health_['outfalls']}",
        "outfalls_without_approval": health_["outfalls_without_approval"],
        "last_seen": shown(health_["last_seen"]),
        "bank_without_chief_km": km(health_["bank_m_without_chief"]),
        "water_quality": words.both("sheet.not_recorded"),
    }
    return [(k, v) for k, v in facts.items() if v not in (None, "")]


def _tables(told: Record, served: bool) -> list[Table]:
    tables = [
        Table("chiefs", ("level", "chief", "title", "unit", "bank", "stretch"), [
            (_word("level", x["level"]), x["chief"], shown(x["title"]), shown(x["unit"]), _word("bank", x["bank"]), stretch(x["from_m"], x["to_m"]))
            for x in told["chiefs"]
        ]),
        Table("responsibility", ("level", "bank_km", "one_km", "nobody_km", "several_km"), [
            (_word("level", x["level"]), km(x["bank_m"]), km(x["one_m"]), km(x["nobody_m"]), km(x["several_m"])) for x in told["responsibility"]
        ]),
        Table("sections", ("level", "unit", "unit_code", "length_km", "stretch"), [
            (_word("level", x["level"]), " / ".join(str(n) for n in (x["unit"], x["with_unit"]) if n), x["unit_code"], km(x["length_m"]), stretch(x["from_m"], x["to_m"]))
            for x in told["sections"]
        ]),
        Table("lines", ("code", "line_type", "basis", "standing", "act", "in_force_from", "left_km", "right_km"), [
            (x["code"], words.choice("boundary_line", "line_type", x["line_type"]), _word("basis", x["basis"]), _word("deliver.standing", x["standing"]), _act(x),
             shown(x["in_force_from"]), km(x["left_m"]), km(x["right_m"])) for x in told["lines"]
        ]),
        Table("zones", ("layer", "name", "class", "part", "stretch", "area_m2", "act"), [
            (_word("layer", x["kind"]), x["name"], words.choice(x["kind"], "zone_class" if x["kind"] == "source_zone" else "zone_type", _number(x["class"])), shown(x["bank"], _side),
             stretch(x["from_m"], x["to_m"]) if x["from_m"] is not None else "—", metres(x["area_m2"]), shown(x["doc_no"])) for x in told["zones"]
        ]),
        Table("outfalls", ("code", "name", "class", "approval", "approval_no", "status", "in_zone"), [
            (x["code"], x["name"], shown(x["class_1"]), shown(words.choice("outfall", "approval_kind", x["approval_kind"])), shown(x["approval_no"]),
             shown(words.choice("outfall", "status", x["status"])), shown(x["zone_class"], lambda v: words.both(f"zone_class.{int(v)}"))) for x in told["outfalls"]
        ]),
        Table("problems", ("lead", "place", "village", "area_m2", "basis", "clause", "state", "first_night"), [
            (_lead(x, served), f"{_side(x['bank'])} {shown(x['at_m'], chainage)}", shown(x["village"]), metres(x["area_m2"]), _word("basis", x["basis"]), shown(x["clause"]),
             _word("state.finding", x["state"]), x["first_night"]) for x in told["problems"]
        ]),
        Table("warnings", ("level", "class", "document", "stretch", "since"), [
            (_word("level", x["level"]), shown(x["kind"]), shown(x["document"]), stretch(x["from_m"], x["to_m"]), x["since"]) for x in told["warnings"]
        ]),
    ]  # fmt: skip
    if told["patrols"] is not None:
        rows = [(_word("bank", x["bank"]), x["patrols"], km(x["seen_m"]), shown(x["last_seen"])) for x in told["patrols"]]  # fmt: skip
        note = words.both("sheet.note_patrols", days=river_facts.PATROL_DAYS)
        tables.append(Table("patrols", ("bank", "patrols", "seen_km", "last_seen"), rows, note))
    return tables


def _word(group: str, code: Any) -> str:
    return str(shown(code, lambda c: words.both(f"{group}.{c}")))


def _side(code: Any) -> str:
    """A bank, or the part of a zone, in words."""
    return str(words.choice("source_zone", "part", code)) if code in ("water", "land", "whole") else _word("bank", code)


def _number(code: Any) -> Any:
    return int(code) if str(code).isdigit() else code


def _act(x: Record) -> str:
    return " ".join(str(x[k]) for k in ("announce_gov", "announce_doc_no", "announced_on") if x[k]) or "—"


def _lead(x: Record, served: bool) -> Any:
    said = f"{words.say('status.' + x['status'])} {words.both('class.' + x['class_code'])}"
    return Link(said, f"/findings/{x['id']}") if served else said
