"""The only SQL of candidates, permits, imagery and of leads with their sightings, verdicts, evidence and events."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis.db import versions
from rivergis.db.connect import read_frame
from rivergis.errors import NotFound
from rivergis.lead import Lead, NotLead


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
    for name, group in frame.groupby("feed"):
        held = [saved.versions[c] for c in group["code"].astype(str).unique() if c in saved.versions]
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
    rows = [{"d": delivery, "c": c, "v": v} for c, v in held]
    if rows:
        conn.execute(
            text("""INSERT INTO data.delivery_item (delivery_id, candidate_id, candidate_version) VALUES (:d, :c, :v)
            ON CONFLICT DO NOTHING"""),
            rows,
        )


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


def candidates_of_night(conn: Connection, night: date) -> gpd.GeoDataFrame:
    """What the feeds say stands on the ground: per feed the last complete delivery and the additions after it.

    Columns id, version, code, feed, kind, source_kind, name, accuracy_m, seen_at, evidence, first_delivered_on; geom EPSG:4490.
    """
    return read_frame(
        conn,
        """
        WITH whole AS (SELECT DISTINCT ON (feed) feed, id, delivered_on, recorded_at FROM data.delivery WHERE complete AND delivered_on <= :night
                       ORDER BY feed, delivered_on DESC, recorded_at DESC),
             used AS (SELECT d.id, d.delivered_on, d.recorded_at FROM data.delivery d LEFT JOIN whole w ON w.feed = d.feed
                      WHERE d.delivered_on <= :night
                        AND (d.id = w.id OR w.id IS NULL OR (NOT d.complete AND (d.delivered_on, d.recorded_at) > (w.delivered_on, w.recorded_at)))),
             item AS (SELECT DISTINCT ON (i.candidate_id) i.candidate_id, i.candidate_version FROM data.delivery_item i JOIN used u ON u.id = i.delivery_id
                      ORDER BY i.candidate_id, u.delivered_on DESC, u.recorded_at DESC)
        SELECT c.id, c.version, c.code, c.feed, c.kind, c.source_kind, c.name, c.accuracy_m, c.seen_at, c.evidence,
               (SELECT min(d.delivered_on) FROM data.delivery d JOIN data.delivery_item i ON i.delivery_id = d.id
                WHERE i.candidate_id = c.id) AS first_delivered_on, c.geom
        FROM data.candidate c JOIN item ON item.candidate_id = c.id AND item.candidate_version = c.version ORDER BY c.id""",
        {"night": night},
    )


def permits(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Permits valid on a day; geom MultiPolygon in EPSG:4490 or missing."""
    return read_frame(
        conn,
        """SELECT id, version, code, name, kind, allows, doc_no, position_kind, river_id, bank, from_m, to_m,
          upper(valid) - 1 AS last_day, geom FROM app.permit_as_of(:on, :known) ORDER BY id""",
        {"on": on, "known": known_at},
    )


def expired_permits(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Permits for a time (not permanent works) that had ended before a day; geom MultiPolygon, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT code, name, allows, doc_no, upper(valid) - 1 AS last_day, geom FROM data.permit
        WHERE upper(valid) <= :on AND kind <> 'permanent_work' AND geom IS NOT NULL AND recorded_at <= :known
          AND (superseded_at IS NULL OR superseded_at > :known) ORDER BY last_day DESC, code""",
        {"on": on, "known": known_at},
    )


def imagery(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Scenes taken up to a day, newest first; footprint in EPSG:4490, ``unobserved`` as geometry or None."""
    frame = read_frame(
        conn,
        """SELECT id, version, code, taken_on, gsd_m, file_path, ST_AsBinary(unobserved) AS unobserved, geom
        FROM app.imagery_as_of(:on, :known) WHERE taken_on <= :on ORDER BY taken_on DESC, id""",
        {"on": on, "known": known_at},
    )
    frame["unobserved"] = [None if u is None else shapely.from_wkb(bytes(u)) for u in frame["unobserved"]]
    return frame


def open_findings(conn: Connection, topic: str, before: date) -> gpd.GeoDataFrame:
    """Leads of a topic as the nights before ``before`` left them: id, key, kind, status, area_m2, missed; geom = last footprint."""
    return read_frame(
        conn,
        """
        SELECT f.id, f.first_night, s.sources->0->>'key' AS key, s.sources->0->>'kind' AS kind, s.night AS last_seen, s.area_m2, s.geom, z.status AS last_status,
               (SELECT count(*) FROM data.sighting m WHERE m.finding_id = f.id AND m.night > s.night AND m.night < :before AND m.status = 'missed') AS missed
        FROM data.finding f
        JOIN LATERAL (SELECT * FROM data.sighting s WHERE s.finding_id = f.id AND s.night < :before AND s.geom IS NOT NULL ORDER BY night DESC LIMIT 1) s ON true
        JOIN LATERAL (SELECT status FROM data.sighting z WHERE z.finding_id = f.id AND z.night < :before ORDER BY night DESC LIMIT 1) z ON true
        WHERE f.topic = :topic AND f.merged_into IS NULL ORDER BY f.id""",
        {"topic": topic, "before": before},
    )


def last_night(conn: Connection) -> date | None:
    """The latest night that told anything."""
    return conn.execute(text("SELECT max(night) FROM data.sighting")).scalar()


def add_finding(conn: Connection, finding_id: uuid.UUID, lead: Lead, night: date) -> None:
    """Open a lead; known ids are left as they are."""
    conn.execute(
        text("""INSERT INTO data.finding (id, topic, first_night, district, place)
        VALUES (:id, :topic, :night, :district, ST_GeomFromWKB(:place, 4490)) ON CONFLICT DO NOTHING"""),
        {"id": finding_id, "topic": lead.topic, "night": night, "district": lead.district, "place": lead.place.wkb},
    )


def add_sighting(
    conn: Connection, finding_id: uuid.UUID, night: date, status: str, lead: Lead | None, observed_share: float | None
) -> int:
    """Record what a night saw of a lead; what the night already said is kept. Returns 1 if recorded."""
    sources = [{"key": lead.key, "kind": lead.kind}, *lead.sources] if lead else []
    return conn.execute(
        text("""INSERT INTO data.sighting (finding_id, night, status, sources, area_m2, observed_share, geom)
        VALUES (:id, :night, :status, CAST(:sources AS jsonb), :area, :observed, ST_GeomFromWKB(:geom, 4490)) ON CONFLICT DO NOTHING"""),
        {
            "id": finding_id,
            "night": night,
            "status": status,
            "sources": json.dumps(sources, ensure_ascii=False, default=str),
            "area": lead.area_m2 if lead else None,
            "observed": observed_share,
            "geom": lead.geom.wkb if lead else None,
        },
    ).rowcount


def add_verdict(
    conn: Connection, finding_id: uuid.UUID, night: date, lead: Lead, rule_set: str, engine: dict[str, str]
) -> int:
    """Record why a lead is raised, unless the same verdict stands already. Returns 1 if recorded."""
    content = lead.content_hash()
    return conn.execute(
        text("""INSERT INTO data.verdict (id, finding_id, night, class_code, position, boundary_id, boundary_version, basis, clause,
          competent_authority, our_action, figures, rules, inputs, rule_set, engine, content_hash)
        VALUES (:id, :finding, :night, :class_code, :position, :boundary_id, :boundary_version, :basis, :clause, :authority, :action,
          CAST(:figures AS jsonb), CAST(:rules AS jsonb), CAST(:inputs AS jsonb), :rule_set, CAST(:engine AS jsonb), :hash)
        ON CONFLICT DO NOTHING"""),
        {
            "id": uuid.uuid5(finding_id, content),
            "finding": finding_id,
            "night": night,
            "class_code": lead.class_code,
            "position": lead.position,
            "boundary_id": lead.boundary_id,
            "boundary_version": lead.boundary_version,
            "basis": lead.basis,
            "clause": lead.clause,
            "authority": lead.competent_authority,
            "action": lead.our_action,
            "rule_set": rule_set,
            "hash": content,
            **{
                k: json.dumps(v, ensure_ascii=False, default=str)
                for k, v in (
                    ("figures", lead.figures),
                    ("rules", lead.rules),
                    ("inputs", lead.inputs),
                    ("engine", engine),
                )
            },
        },
    ).rowcount


def add_not_findings(conn: Connection, night: date, rows: Iterable[NotLead]) -> None:
    """Record which candidates near a line were not told, and why."""
    body = [
        {
            "n": night,
            "c": r.candidate_id,
            "v": r.candidate_version,
            "r": r.reason,
            "d": json.dumps(r.detail, ensure_ascii=False, default=str),
        }
        for r in rows
    ]
    if body:
        conn.execute(
            text("""INSERT INTO data.not_finding (night, candidate_id, candidate_version, reason, detail)
            VALUES (:n, :c, :v, :r, CAST(:d AS jsonb)) ON CONFLICT DO NOTHING"""),
            body,
        )


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
