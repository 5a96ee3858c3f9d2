"""The only SQL of candidates, permits, imagery and of leads with their sightings, verdicts, evidence and events."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis.db import versions
from rivergis.db.connect import copy_frame, read_frame
from rivergis.errors import NotFound
from rivergis.lead import Lead, NotLead, verdict_id


def save(
    conn: Connection,
    layer_name: str,
    frame: pd.DataFrame,
    *,
    namespace: str,
    import_id: uuid.UUID | None,
    feed: str | None = None,
    delivered_on: date | None = None,
    complete: bool = True,
) -> versions.Saved:
    """Record permits, or candidates as a delivery of their feed; frame in EPSG:4490.

    ``complete``: what the delivery does not hold is not there any more; otherwise it adds to the delivery before.
    """
    if layer_name != "candidate":
        return versions.save_layer(conn, layer_name, frame, namespace=namespace, import_id=import_id)
    # the feed the user names; else the one each feature names; else the files themselves are the feed
    feeds = (
        pd.Series(feed, index=frame.index)
        if feed
        else frame["feed"].fillna("files")
        if "feed" in frame
        else pd.Series("files", index=frame.index)
    )
    frame = frame.assign(feed=feeds)
    if "evidence" in frame:
        frame["evidence"] = [e if isinstance(e, dict) else {} for e in frame["evidence"]]
    saved = versions.save_layer(conn, layer_name, frame, namespace=namespace, import_id=import_id)
    # a feed that looked and saw nothing delivers, too
    for name in sorted({*frame["feed"], *([feed] if feed else [])}):
        codes = frame.loc[frame["feed"] == name, "code"].astype(str).unique()
        held = [saved.versions[c] for c in codes if c in saved.versions]
        _deliver(conn, held, import_id, str(name), delivered_on, complete)
    return saved


def _deliver(
    conn: Connection,
    held: list[tuple[uuid.UUID, int]],
    import_id: uuid.UUID | None,
    feed: str,
    delivered_on: date | None,
    complete: bool,
) -> None:
    delivery = uuid.uuid5(versions.IDENTITY_NAMESPACE, f"delivery/{import_id}/{feed}")
    conn.execute(
        text("""INSERT INTO data.delivery (id, import_id, feed, delivered_on, complete)
        VALUES (:id, :i, :feed, coalesce(CAST(:on AS date), app.today()), :complete) ON CONFLICT (id) DO NOTHING"""),
        {"id": delivery, "i": import_id, "feed": feed, "on": delivered_on, "complete": complete},
    )
    columns = ("delivery_id", "candidate_id", "candidate_version")
    _add(conn, "delivery_item", columns, [(delivery, c, v) for c, v in held])


def save_imagery(
    conn: Connection,
    *,
    code: str,
    taken_on: date,
    gsd_m: float,
    bands: str,
    source_crs: str,
    file_sha256: str,
    file_path: str,
    unobserved: shapely.MultiPolygon | None,
    geom: shapely.MultiPolygon,
    namespace: str,
    import_id: uuid.UUID | None,
) -> versions.Saved:
    """Record a scene that lies in the store; footprint and unobserved part in EPSG:4490."""
    frame = gpd.GeoDataFrame(
        {
            "code": [code],
            "taken_on": [taken_on],
            "gsd_m": [gsd_m],
            "bands": [bands],
            "source_crs": [source_crs],
            "file_sha256": [file_sha256],
            "file_path": [file_path],
            "unobserved": [unobserved],
            "geom": [geom],
        },
        geometry="geom",
        crs="EPSG:4490",
    )
    return versions.save(conn, "imagery", frame, namespace=namespace, import_id=import_id)


def open_findings(conn: Connection, topic: str, before: date, closed_since: date) -> gpd.GeoDataFrame:
    """Leads of a topic as the nights before ``before`` left them, and those closed since a day, which may come back;
    and what an earlier run of the night ``before`` told first, so that the same night run again does not tell it twice.

    Columns id, first_night, last_status, last_night, last_seen, sources (of the last sight), area_m2, missed, carried
    (null = recorded before it was kept), inputs, basis and feed (of the last verdict); geom = last footprint, EPSG:4490.
    """
    return read_frame(
        conn,
        """
        SELECT f.id, f.first_night, z.status AS last_status, z.night AS last_night, s.night AS last_seen, s.sources, s.area_m2, z.carried, v.inputs, v.basis, v.feed,
               (SELECT count(*) FROM data.sighting m WHERE m.finding_id = f.id AND m.night > s.night AND m.night < :before AND m.status = 'missed') AS missed,
               s.geom
        FROM data.finding f
        CROSS JOIN LATERAL (SELECT CASE WHEN f.first_night = :before THEN f.first_night ELSE CAST(:before AS date) - 1 END AS last) w
        JOIN LATERAL (SELECT * FROM data.sighting s WHERE s.finding_id = f.id AND s.night <= w.last AND s.geom IS NOT NULL ORDER BY night DESC LIMIT 1) s ON true
        JOIN LATERAL (SELECT * FROM data.sighting z WHERE z.finding_id = f.id AND z.night <= w.last ORDER BY night DESC LIMIT 1) z ON true
        LEFT JOIN LATERAL (SELECT v.inputs, v.basis, v.figures ->> 'feed' AS feed FROM data.verdict v WHERE v.finding_id = f.id AND v.night <= w.last
                           ORDER BY v.night DESC, v.recorded_at DESC LIMIT 1) v ON true
        WHERE f.topic = :topic AND z.status <> 'merged' AND (z.status NOT IN ('gone', 'permitted') OR z.night >= :closed_since) ORDER BY f.id""",
        {"topic": topic, "before": before, "closed_since": closed_since},
    )


def night_before(conn: Connection, night: date) -> tuple[date, datetime] | None:
    """The last night before one that told anything, and when it was recorded."""
    sql = "SELECT night, max(recorded_at) FROM data.sighting WHERE night < :night GROUP BY night ORDER BY night DESC LIMIT 1"
    row = conn.execute(text(sql), {"night": night}).first()
    return None if row is None else (row[0], row[1])


@dataclass(frozen=True)
class Sighting:
    """What a night saw of a lead; geometry in EPSG:4490, missing where nothing was seen."""

    finding: uuid.UUID
    status: str
    sources: list[dict[str, Any]] = field(default_factory=list)
    area_m2: float | None = None
    observed_share: float | None = None
    geom: shapely.Geometry | None = None
    carried: dict[str, Any] | None = None


@dataclass(frozen=True)
class Given:
    """By what a night's verdicts are given: rule set, place whose rules hold, software, and what was known."""

    rule_set: str
    jurisdiction: str | None
    engine: dict[str, str]
    known_at: datetime


def add_findings(conn: Connection, night: date, leads: Sequence[tuple[uuid.UUID, Lead]]) -> None:
    """Open leads; known ids are left as they are."""
    rows = [(i, x.topic, night, x.district, x.place) for i, x in leads]
    _add(conn, "finding", ("id", "topic", "first_night", "district", "place"), rows)


def add_sightings(conn: Connection, night: date, sightings: Sequence[Sighting]) -> int:
    """Record what a night saw of leads; what the night already said is kept. Returns how many were recorded."""
    rows = [(s.finding, night, s.status, s.sources, s.area_m2, s.observed_share, s.geom, s.carried) for s in sightings]
    columns = ("finding_id", "night", "status", "sources", "area_m2", "observed_share", "geom", "carried")
    return _add(conn, "sighting", columns, rows)


def add_verdicts(conn: Connection, night: date, leads: Sequence[tuple[uuid.UUID, Lead]], given: Given) -> int:
    """Record why leads are raised, unless the same verdict stands already. Returns how many were recorded."""
    columns = (
        "id", "finding_id", "night", "class_code", "position", "boundary_id", "boundary_version", "basis", "clause",
        "competent_authority", "our_action", "figures", "rules", "inputs", "severity", "built_period",
        "rule_set", "jurisdiction", "engine", "known_at", "content_hash", "seal",
    )  # fmt: skip
    rows = []
    for finding, x in leads:
        content = x.content_hash()
        rows.append((
            verdict_id(finding, content), finding, night, x.class_code, x.position, x.boundary_id, x.boundary_version, x.basis, x.clause,
            x.competent_authority, x.our_action, x.figures, x.rules, x.inputs, x.severity, x.built_period,
            given.rule_set, given.jurisdiction, given.engine, given.known_at, content, seal(content, night, given),
        ))  # fmt: skip
    return _add(conn, "verdict", columns, rows)


def seal(content_hash: str, night: date, given: Given) -> str:
    """Hash of a verdict as it was given: its content, and by what and when."""
    known = given.known_at.astimezone(UTC).isoformat()
    body = [content_hash, str(night), given.rule_set, given.jurisdiction, given.engine, known]
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def statuses_of_night(conn: Connection, topic: str, night: date) -> dict[str, int]:
    """How many leads of a topic a night saw in each status, as it is recorded."""
    rows = conn.execute(
        text("""SELECT s.status, count(*) FROM data.sighting s JOIN data.finding f ON f.id = s.finding_id
        WHERE f.topic = :topic AND s.night = :night GROUP BY s.status ORDER BY s.status"""),
        {"topic": topic, "night": night},
    )
    return {status: int(n) for status, n in rows}


def merge(conn: Connection, into: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """Say of leads which other lead goes on for them; said once, never changed."""
    if not into:
        return
    conn.execute(
        text("""UPDATE data.finding f SET merged_into = w.heir FROM unnest(CAST(:ids AS uuid[]), CAST(:into AS uuid[])) w(id, heir)
        WHERE f.id = w.id AND f.merged_into IS NULL"""),
        {"ids": [str(i) for i, _ in into], "into": [str(j) for _, j in into]},
    )


def add_not_findings(conn: Connection, night: date, rows: Sequence[NotLead]) -> None:
    """Record which candidates near a line were not told, and why."""
    body = [(night, r.candidate_id, r.candidate_version, r.reason, r.detail) for r in rows]
    _add(conn, "not_finding", ("night", "candidate_id", "candidate_version", "reason", "detail"), body)


def _add(conn: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Add rows that are not there yet, in one statement: one line of the audit, however many they are."""
    if not rows:
        return 0
    names = ", ".join(columns)
    conn.execute(text(f"CREATE TEMP TABLE added ON COMMIT DROP AS SELECT {names} FROM data.{table} WITH NO DATA"))
    copy_frame(conn, "added", pd.DataFrame(rows, columns=list(columns), dtype=object))
    done = conn.execute(
        text(f"INSERT INTO data.{table} ({names}) SELECT {names} FROM added ON CONFLICT DO NOTHING")
    ).rowcount
    conn.execute(text("DROP TABLE added"))
    return done


def add_evidence(
    conn: Connection,
    finding_id: uuid.UUID,
    kind: str,
    *,
    file_sha256: str,
    file_path: str,
    taken_on: date | None,
    caption: str,
    position_grade: str,
) -> None:
    """Attach a picture or document that lies in the store; the same file again changes nothing."""
    conn.execute(
        text("""INSERT INTO data.evidence (finding_id, kind, file_sha256, file_path, taken_on, caption, position_grade)
        VALUES (:f, :kind, :h, :path, :on, :caption, :grade) ON CONFLICT DO NOTHING"""),
        {
            "f": finding_id,
            "kind": kind,
            "h": file_sha256,
            "path": file_path,
            "on": taken_on,
            "caption": caption,
            "grade": position_grade,
        },
    )


def events(conn: Connection, finding_id: uuid.UUID) -> list[dict[str, Any]]:
    """Events of a lead in order: move, to_state, reason, actor, recorded_at."""
    rows = conn.execute(
        text(
            """SELECT move, to_state, reason, actor, recorded_at FROM data.finding_event WHERE finding_id = :f ORDER BY id"""
        ),
        {"f": finding_id},
    )
    return [dict(r._mapping) for r in rows]


def add_event(
    conn: Connection, finding_id: uuid.UUID, move: str, to_state: str, reason: str | None, attachment_sha256: str | None
) -> None:
    """Append an event to the life of a lead."""
    conn.execute(
        text(
            """INSERT INTO data.finding_event (finding_id, move, to_state, reason, attachment_sha256) VALUES (:f, :m, :s, :r, :a)"""
        ),
        {"f": finding_id, "m": move, "s": to_state, "r": reason, "a": attachment_sha256},
    )


def findings_of_night(conn: Connection, night: date) -> gpd.GeoDataFrame:
    """Leads seen or changed in a night with the verdict in force then; geom = footprint of the night, EPSG:4490."""
    return read_frame(
        conn,
        """
        SELECT f.id, f.topic, f.first_night, f.district, s.status, s.area_m2, s.sources, v.class_code, v.position, v.basis, v.clause, v.competent_authority,
               v.our_action, v.figures, v.rules, v.inputs, v.rule_set, coalesce(s.geom, f.place) AS geom
        FROM data.sighting s JOIN data.finding f ON f.id = s.finding_id
        LEFT JOIN LATERAL (SELECT * FROM data.verdict v WHERE v.finding_id = f.id AND v.night <= :night ORDER BY v.night DESC, v.recorded_at DESC LIMIT 1) v ON true
        WHERE s.night = :night ORDER BY f.topic, f.id""",
        {"night": night},
    )


def not_findings_of_night(conn: Connection, night: date) -> gpd.GeoDataFrame:
    """Candidates that a night did not tell, with reason and detail; geom as delivered, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT n.candidate_id, n.reason, n.detail, c.code, c.kind, c.name, c.geom
        FROM data.not_finding n JOIN data.candidate c ON c.id = n.candidate_id AND c.version = n.candidate_version
        WHERE n.night = :night ORDER BY n.reason, c.code""",
        {"night": night},
    )


def permit_queue(conn: Connection, night: date | None = None) -> list[dict[str, Any]]:
    """Objects that wait for a person beside a permit, as the last night up to a day left them: night, queue (why), code, permits ..."""
    rows = conn.execute(
        text("""SELECT night, queue, candidate_id, finding_id, code, kind, name, permits, river, bank, chainage, village,
          ST_X(ST_PointOnSurface(geom)) AS lon, ST_Y(ST_PointOnSurface(geom)) AS lat
        FROM app.permit_queue_as_of(coalesce(CAST(:night AS date), app.today()))"""),
        {"night": night},
    )
    return [dict(r._mapping) for r in rows]


def record_of(conn: Connection, finding: str) -> dict[str, Any]:
    """The whole record of a lead by its id or the start of it: finding, sightings, verdicts, evidence, events.

    Raises ``NotFound`` when no lead or more than one begins so.
    """
    ids = list(
        conn.execute(
            text("SELECT id FROM data.finding WHERE id::text LIKE :p ORDER BY id LIMIT 2"), {"p": finding.lower() + "%"}
        ).scalars()
    )
    if len(ids) != 1:
        raise NotFound(f"{'No' if not ids else 'More than one'} lead has an id that begins with {finding!r}.")
    out: dict[str, Any] = {}
    for name, query in (
        (
            "finding",
            "SELECT id, topic, first_night, district, merged_into, ST_X(place) AS lon, ST_Y(place) AS lat FROM data.finding WHERE id = :f",
        ),
        (
            "sightings",
            "SELECT night, status, area_m2, observed_share, sources FROM data.sighting WHERE finding_id = :f ORDER BY night",
        ),
        ("verdicts", "SELECT * FROM data.verdict WHERE finding_id = :f ORDER BY night, recorded_at"),
        (
            "evidence",
            "SELECT id, kind, file_sha256, file_path, taken_on, caption, position_grade FROM data.evidence WHERE finding_id = :f ORDER BY kind, taken_on",
        ),
    ):
        out[name] = [dict(r._mapping) for r in conn.execute(text(query), {"f": ids[0]})]
    out["finding"] = out["finding"][0]
    out["events"] = events(conn, ids[0])
    return out


def pictures_of(conn: Connection, finding_id: uuid.UUID) -> list[dict[str, Any]]:
    """Pictures of a lead, oldest first: id, kind, file_path, taken_on, caption."""
    rows = conn.execute(
        text("""SELECT id, kind, file_path, taken_on, caption FROM data.evidence
        WHERE finding_id = :f AND kind LIKE 'chip%' ORDER BY taken_on, kind"""),
        {"f": finding_id},
    )
    return [dict(r._mapping) for r in rows]


def lock_finding(conn: Connection, finding_id: uuid.UUID) -> None:
    """Let one step at a time be taken on a lead."""
    conn.execute(text("SELECT id FROM data.finding WHERE id = :f FOR UPDATE"), {"f": finding_id})
