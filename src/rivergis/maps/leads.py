"""Suspected leads (疑似问题线索) and what was not told, as maps draw them: label, popup, pictures and class."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
from sqlalchemy import Connection

from rivergis import words
from rivergis.db.connect import read_frame, read_table
from rivergis.maps.features import Row, Scope, When, place, rows_of

# sightings after which a lead is no longer drawn among what stands
# lines nobody announced: what lies inside is shown for orientation and points at nobody
HINTS = ("surrogate", "draft", "computed")
ENDED = ("gone", "merged", "permitted")
# a case that people opened is theirs to close, also when another lead goes on for the object
OPEN_CASES = ("historic_listed", "problem", "assigned", "rectified")
STANDS = "(t.status <> ALL(:ended) OR (t.status = 'merged' AND t.state = ANY(:open_cases)))"
STANDS_WITH: dict[str, Any] = {"ended": list(ENDED), "open_cases": list(OPEN_CASES)}


@dataclass(frozen=True)
class Pictures:
    """Where a map takes the pictures of leads from: addresses of the service, or the store, written into the page."""

    store_dir: Path | None = None

    def address(self, evidence_id: str, file_path: str) -> str | None:
        if self.store_dir is None:
            return f"/evidence/{evidence_id}"
        file = self.store_dir / file_path
        return f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}" if file.is_file() else None


def standing(
    conn: Connection, at: When, *, scope: Scope | None = None, pictures: Pictures | None = None
) -> gpd.GeoDataFrame:
    """Leads that stand on a day: told by then and not gone, found to be permitted, or merged (unless people have it as a case)."""
    condition, params = STANDS, dict(STANDS_WITH)
    if scope is not None and scope.box is not None:
        condition += " AND t.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)"
        params |= scope.corners
    return _leads(conn, at, condition, params, pictures)


def of_night(conn: Connection, at: When, *, pictures: Pictures | None = None) -> gpd.GeoDataFrame:
    """Leads that the night of that day told or looked for, whatever became of them, those first; then those that stand."""
    return _leads(conn, at, f"(t.night = :on OR {STANDS})", STANDS_WITH, pictures)


def one(conn: Connection, finding_id: str, at: When) -> gpd.GeoDataFrame:
    """One lead as a map of the service tells it; no row where it was not known then."""
    return _leads(conn, at, "t.id = CAST(:id AS uuid)", {"id": finding_id}, None)


def is_baseline_signed(conn: Connection, at: When) -> bool:
    """Whether a person has signed a baseline of an earlier night: before that nothing is new, it is stock to be verified (存量待核)."""
    found = read_table(conn, "SELECT night FROM app.baseline_signed(:known)", {"known": at.known_at})
    return bool(len(found)) and bool(found["night"].iloc[0] < at.on)


# the delimitations that the last verdict of the day rested on, each in its version
_LINE = """(SELECT string_agg(DISTINCT b.code || ' v' || b.version, '、') FROM (
    SELECT v.inputs->'ground' AS ground FROM data.verdict v WHERE v.finding_id = t.id AND v.night <= :on AND v.recorded_at <= :known
    ORDER BY v.night DESC, v.recorded_at DESC LIMIT 1) w
  CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(w.ground) WHEN 'array' THEN w.ground ELSE '[]' END) g
  JOIN data.boundary_version b ON b.id = CAST(g->'boundary'->>0 AS uuid) AND b.version = CAST(g->'boundary'->>1 AS int))"""
_MEASURED = ("distance_to_line", "line_error", "source_error")


def _leads(
    conn: Connection, at: When, condition: str, params: dict[str, Any], pictures: Pictures | None
) -> gpd.GeoDataFrame:
    """Frames for the map; pictures None: links into the service, for pictures and for the page of each lead."""
    frame = read_frame(
        conn,
        f"""SELECT t.*, (SELECT jsonb_agg(jsonb_build_array(e.kind, e.taken_on, e.id, e.file_path) ORDER BY e.taken_on)
            FROM app.evidence e WHERE e.finding_id = t.id AND e.kind IN ('chip_before', 'chip_after')) AS pictures, {_LINE} AS line_version
        FROM app.finding_as_of(:on, :known) t WHERE {condition}
        ORDER BY array_position(ARRAY['new', 'rebound', 'grown'], t.status), t.night <> :on, t.topic, t.id""",
        {**at.params, **params},
    )
    signed = is_baseline_signed(conn, at)
    records = [
        _unsigned(r) if r["status"] == "new" and not signed else r
        for r in frame.drop(columns="geom").to_dict("records")
    ]
    out = frame[["id", "geom"]].copy()
    out["id"] = out["id"].astype(str)
    out["cls"] = [r["class_code"] or "other.unknown" for r in records]
    out["label"] = [_lead_label(r) for r in records]
    out["popup"] = [lead_rows(r) for r in records]
    out["chips"] = [_chips(r["pictures"] or [], pictures or Pictures()) for r in records]
    if pictures is None:
        out["href"] = [f"/findings/{r['id']}" for r in records]
    return out


def _unsigned(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "status": "stock_to_verify"}


def _lead_label(row: dict[str, Any]) -> str:
    status, what = words.say(f"status.{row['status']}"), words.say(f"class.{row['class_code']}")
    hint = f"{words.say('hint.' + row['basis'])} · " if row["basis"] in HINTS else ""
    return f"{hint}{status} · {what} · {place(row['figures'] or {})}"


def lead_rows(row: dict[str, Any]) -> list[Row]:
    """What is said of a lead on a map: class, status, place, measure with its error, clause, who answers."""
    f = row["figures"] or {}
    chiefs = [f"{words.say('level.' + c['level'])} {c['chief']}" for c in f.get("chiefs") or []]
    document = f.get("announce_doc_no") or f.get("zone_doc_no")
    rows = {
        "class": words.both(f"class.{row['class_code']}"),
        "status": words.both(f"status.{row['status']}"),
        "state": None if row["basis"] in HINTS else words.both(f"state.finding.{row['state']}"),
        "place": place(f),
        "village": "、".join(str(f[k]) for k in ("village", "town") if f.get(k)),
        "area": area(f) or None,
        "position": words.both(f"position.{row['position']}"),
        "line_basis": " ".join(str(p) for p in (words.both(f"basis.{row['basis']}"), document) if p),
        "line_version": row.get("line_version"),
        **_measured(f),
        "clause": row["clause"],
        "authority": words.both(f"authority.{row['competent_authority']}"),
        "our_action": words.both(f"action.{row['our_action']}"),
        "chiefs": chiefs,
        "first_seen": f.get("imagery_first_seen"),
        "first_night": row["first_night"],
    }
    return rows_of(rows)


def _measured(figures: dict[str, Any]) -> dict[str, str]:
    """What the verdict measured, with its error: distance to the line, errors of line and source, m."""
    told = {v["name"]: v for v in (figures.get("verdict") or {}).get("values") or [] if v.get("value") is not None}
    return {name: _with_error(told[name]) for name in _MEASURED if name in told}


def _with_error(measured: dict[str, Any]) -> str:
    error = "" if measured.get("sigma") is None else f" ± {measured['sigma']:,.1f}"
    return f"{measured['value']:,.1f}{error} {measured.get('unit') or ''}".strip()


def area(figures: dict[str, Any]) -> str:
    """Area inside the line with its error band, m2; empty for a point."""
    if figures.get("area_m2") is None:
        return ""
    error = figures.get("area_error_m2")
    band = " (误差不明 error unknown)" if error is None else f" ± {error:,.0f} m²"
    return f"{figures['area_m2']:,.0f} m²{band}"


def _chips(found: list[list[Any]], pictures: Pictures) -> list[tuple[str, str, str]]:
    out = []
    for kind, taken_on, evidence_id, file_path in found:
        address = pictures.address(evidence_id, file_path)
        if address:
            zh, en = words.pair(f"evidence.{kind}")
            out.append((f"{zh} {taken_on or ''}".strip(), f"{en} {taken_on or ''}".strip(), address))
    return out


def not_told(conn: Connection, at: When) -> gpd.GeoDataFrame:
    """Objects in or at a line that the nights up to a day did not tell, each with its reason."""
    frame = read_frame(
        conn,
        """SELECT candidate_id AS id, reason, detail, code, kind, name, geom FROM app.not_finding_as_of(:on, :known)
        ORDER BY reason, code""",
        at.params,
    )
    out = frame[["id", "geom"]].copy()
    out["id"] = out["id"].astype(str)
    out["cls"] = frame["reason"]
    records = frame.drop(columns="geom").to_dict("records")
    out["label"] = [
        f"{words.say('reason.' + r['reason'])} · {r['name'] or words.say('kind.' + r['kind'])}" for r in records
    ]
    out["popup"] = [_not_told_rows(r) for r in records]
    return out


def _not_told_rows(r: dict[str, Any]) -> list[Row]:
    d = r["detail"] or {}
    rows = {
        "reason": words.both(f"reason.{r['reason']}"),
        "object": " ".join(p for p in (words.both(f"kind.{r['kind']}"), r["name"], r["code"]) if p),
        "place": place(d),
        "permits": d.get("permits"),
        "scene": d.get("scene"),
    }
    return rows_of(rows)


def footprint(conn: Connection, finding_id: str, at: When) -> gpd.GeoSeries | None:
    """The footprint of one lead or case as of a day (EPSG:4490); None where it was not known then."""
    frame = read_frame(
        conn,
        "SELECT t.id, t.geom FROM app.finding_as_of(:on, :known) t WHERE t.id = CAST(:id AS uuid)",
        {**at.params, "id": finding_id},
    )
    return None if frame.empty else frame.geometry
