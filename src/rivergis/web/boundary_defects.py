"""What the line doctor finds in a draft, as the drawing page takes it: places in degrees, and a proposed repair as edits to take."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from fastapi import Request

from rivergis import crs, words
from rivergis.boundary.doctor import examine as doctor
from rivergis.boundary.doctor import workflow as doctor_workflow
from rivergis.boundary.doctor.case import Case, Defect
from rivergis.boundary.law import draft_workflow
from rivergis.boundary.repair import propose as repair
from rivergis.boundary.repair.case import FIELDS as SAID
from rivergis.boundary.repair.case import REMOVE, SHAPE, SPLICE, Change, Repair, applied
from rivergis.errors import InputError
from rivergis.web import boundary_draft
from rivergis.web.auth import database

TAKEN = ("bank", "from_m", "to_m")
"""Fields that a proposal may set right in a draft."""
_SAME_M = 1e-6
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def defects(request: Request, code: str, *, repairs: bool) -> dict[str, Any]:
    """The defects of the lines saved last; with ``repairs`` each with its proposal, where one is safe."""
    with database(request).read(timeout_s=120) as conn:
        draft = draft_workflow.get(conn, code)
        segments = draft_workflow.segments(conn, draft)
        told = {"revision": draft["revision"], "state": draft["state"], "stamp": words.both("boundary_desk.stamp")}
        try:
            case = doctor_workflow.case_of_draft(conn, draft["code"], boundary_draft.rules_of(request, draft), None)
        except InputError as error:
            return _unasked(told, words.say("boundary_desk.not_examined"), error.sentence)
    if case is None:
        return _unasked(told, *words.pair("boundary_desk.no_lines"))
    found = doctor.examine(case)
    proposed = {r.defect: r for r in repair.propose(case, found, doctor.examine)} if repairs else {}
    names = _named(segments)
    spots = _spots(found, case)
    return {
        **told,
        "examined": True,
        "defects": [_told(d, spots[n], names, case, proposed.get(n)) for n, d in enumerate(found)],
        "not_checked": [{"zh": n.zh, "en": n.sentence} for n in case.not_checked],
    }


def _unasked(told: Mapping[str, Any], zh: str, en: str) -> dict[str, Any]:
    """The answer where nothing could be examined, and why: that is not the same as nothing found."""
    return {**told, "examined": False, "defects": [], "not_checked": [{"zh": zh, "en": en}]}


def _told(defect: Defect, spot: Any, names: Mapping[str, str], case: Case, proposal: Repair | None) -> dict[str, Any]:
    zh, en = words.pair(f"boundary_check.code.{defect.code}")
    out: dict[str, Any] = {
        "code": defect.code, "name": {"zh": zh, "en": en}, "severity": defect.severity, "reach": defect.reach, "bank": defect.bank,
        "from_m": _number(defect.from_m), "to_m": _number(defect.to_m), "place": spot, "features": list(defect.features),
        "segments": [names[f] for f in defect.features if f in names], "measure": _number(defect.measure), "unit": defect.unit,
        "sentence": _short(defect.sentence), "zh": _short(defect.zh), "repair": None,
    }  # fmt: skip
    if proposal is not None:
        edits = _edits(case, proposal, names)
        out["repair"] = {"zh": _short(proposal.zh), "en": _short(proposal.sentence), "edits": edits}
    return out


def _short(sentence: str) -> str:
    """A segment without a code is known by its id: the beginning of it will do."""
    return _ID.sub(lambda m: m[0][:8], sentence)


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), 2)


def _spots(found: Sequence[Defect], case: Case) -> list[list[float] | None]:
    """Places in degrees; none where a defect has no place."""
    if not found:
        return []
    stored = gpd.GeoSeries([d.place for d in found], crs=case.lines.crs).to_crs(crs.STORAGE)
    return [None if p is None or p.is_empty else [round(p.x, 7), round(p.y, 7)] for p in stored]


def _named(segments: gpd.GeoDataFrame) -> dict[str, str]:
    """Segments by the name the doctor knows them by, where only one has it."""
    names = segments["code"].where(
        segments["code"].notna() & (segments["code"] != ""), segments["segment_id"].astype(str)
    )
    once = ~names.duplicated(keep=False)
    return dict(zip(names[once].astype(str), segments.loc[once, "segment_id"].astype(str), strict=True))


def _edits(case: Case, proposal: Repair, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """A proposal as edits of the draft; none where it changes what is no segment of it."""
    rows = [_name(case, change) for change in proposal.changes]
    if not rows or any(row is None or row not in names for row in rows):
        return []
    after = applied(case, [proposal]).lines
    edits = [_edit(case, after, c, names[str(row)]) for c, row in zip(proposal.changes, rows, strict=True)]
    return [] if None in edits else [e for e in edits if e is not None]


def _name(case: Case, change: Change) -> str | None:
    return str(case.lines["line_id"].iloc[change.row]) if change.layer == "lines" and change.row is not None else None


def _edit(case: Case, after: gpd.GeoDataFrame, change: Change, segment_id: str) -> dict[str, Any] | None:
    if change.what == REMOVE:
        return {"segment_id": segment_id, "op": "remove"}
    if change.what == SAID and set(change.fields) <= set(TAKEN):
        return {"segment_id": segment_id, "op": "put", "fields": dict(change.fields)}
    if change.what in (SHAPE, SPLICE) and change.row is not None:
        line = _stored(case, change.row, after.geometry.iloc[change.row])
        return {"segment_id": segment_id, "op": "put", "fields": {}, "geometry": json.loads(shapely.to_geojson(line))}
    return None


def _stored(case: Case, row: int, line: shapely.LineString) -> shapely.LineString:
    """A line of the case in degrees; corners that stayed keep every digit, so that neighbours still meet in them."""
    old, kept = case.lines.geometry.iloc[row], case.lines["given"].iloc[row]
    new = shapely.get_coordinates(gpd.GeoSeries([line], crs=case.lines.crs).to_crs(crs.STORAGE).iloc[0])
    before, metres = shapely.get_coordinates(old), shapely.get_coordinates(line)
    for i, at in enumerate(metres):
        away = np.hypot(*(before - at).T)
        nearest = int(np.argmin(away))
        if away[nearest] <= _SAME_M:
            new[i] = shapely.get_coordinates(kept)[nearest]
    return shapely.LineString(new)
