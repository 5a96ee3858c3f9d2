"""The only SQL of reports from the place: who saw what where, observations of patrols, and looks that found nothing."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import geopandas as gpd
from sqlalchemy import Connection, text

from rivergis.db.connect import read_frame

# what people report over the years; it is added to, never replaced
FEED = "inspector"


def known(conn: Connection, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these reports are recorded already."""
    rows = conn.execute(
        text("SELECT id FROM data.report WHERE id = ANY(CAST(:ids AS uuid[]))"), {"ids": [str(i) for i in ids]}
    )
    return set(rows.scalars())


def add(conn: Connection, row: Mapping[str, Any]) -> None:
    """Record a report; ``geom`` in EPSG:4490 as WKB."""
    conn.execute(
        text("""INSERT INTO data.report (id, kind, word, candidate_id, observation_id, at, accuracy_m, note, photo_sha256, photo_path, said, doubts, geom)
        VALUES (:id, :kind, :word, :candidate_id, :observation_id, :at, :accuracy_m, :note, :photo_sha256, :photo_path,
          CAST(:said AS jsonb), CAST(:doubts AS jsonb), ST_GeomFromWKB(:geom, 4490))"""),
        {**row, **{k: json.dumps(row[k], ensure_ascii=False, default=str) for k in ("said", "doubts")}},
    )


def photos(conn: Connection, sha256: str) -> list[uuid.UUID]:
    """Reports that carry the same photo."""
    return list(conn.execute(text("SELECT id FROM data.report WHERE photo_sha256 = :h"), {"h": sha256}).scalars())


def looks(conn: Connection, night: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Reports of a civil day and before, as known at a moment, that nothing is there: at, day, recorded_at, accuracy_m; geom Point, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT r.id, r.at, (r.at AT TIME ZONE 'Asia/Shanghai')::date AS day, r.recorded_at, r.accuracy_m, r.geom FROM data.report r
        WHERE r.kind = 'nothing_found' AND (r.at AT TIME ZONE 'Asia/Shanghai')::date <= :night AND r.recorded_at <= :known ORDER BY r.at, r.id""",
        {"night": night, "known": known_at},
    )


def state(conn: Connection, night: date, known_at: datetime) -> str:
    """What the looks that a night rests on come to; another look is another state."""
    sql = """SELECT count(*) || '/' || coalesce(md5(string_agg(id::text, ',' ORDER BY id)), '') FROM data.report
        WHERE kind = 'nothing_found' AND (at AT TIME ZONE 'Asia/Shanghai')::date <= :night AND recorded_at <= :known"""
    return str(conn.execute(text(sql), {"night": night, "known": known_at}).scalar_one())


def observations(conn: Connection, until: date) -> gpd.GeoDataFrame:
    """Observations of patrols up to a civil day that are no report yet: id, at, kind, text, photo_sha256; geom Point, EPSG:4490.

    One without a time counts from when it was recorded. Observations without a place are left out.
    """
    return read_frame(
        conn,
        """SELECT o.id, coalesce(o.at, o.recorded_at) AS at, o.kind, o.text, o.photo_sha256, o.geom FROM data.observation o
        WHERE o.geom IS NOT NULL AND (coalesce(o.at, o.recorded_at) AT TIME ZONE 'Asia/Shanghai')::date <= :until
          AND NOT EXISTS (SELECT FROM data.report r WHERE r.observation_id = o.id) ORDER BY o.id""",
        {"until": until},
    )


def unattached(conn: Connection) -> list[dict[str, Any]]:
    """Photos of reports and pictures of alerts whose lead does not show them yet.

    Fields finding_id, photo_sha256, photo_path, at, doubts, and caption as a key of the words.
    """
    rows = conn.execute(
        text("""SELECT DISTINCT s.finding_id, r.photo_sha256, r.photo_path, r.at, r.doubts, 'report.photo' AS caption FROM data.report r
        JOIN data.sighting s ON s.sources @> jsonb_build_array(jsonb_build_object('candidate', r.candidate_id::text))
        WHERE r.photo_path IS NOT NULL AND r.candidate_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM data.evidence e WHERE e.finding_id = s.finding_id AND e.file_sha256 = r.photo_sha256)
        UNION
        SELECT s.finding_id, p.file_sha256, p.file_path, p.taken_at, '[]'::jsonb, 'feed_file.picture' FROM data.feed_picture p
        JOIN data.sighting s ON s.sources @> jsonb_build_array(jsonb_build_object('candidate', p.candidate_id::text))
        WHERE NOT EXISTS (SELECT FROM data.evidence e WHERE e.finding_id = s.finding_id AND e.file_sha256 = p.file_sha256)
        ORDER BY 1, 4, 2""")
    )
    return [dict(r._mapping) for r in rows]


def listed(conn: Connection, first: date, last: date) -> list[dict[str, Any]]:
    """Reports of some civil days in order, with the lead each became; who reported is among the columns (personal data)."""
    rows = conn.execute(
        text("""SELECT r.id, r.kind, r.word, r.at, r.accuracy_m, r.note, r.photo_sha256 IS NOT NULL AS photo, r.doubts, r.actor,
          r.observation_id IS NOT NULL AS patrol, ST_X(r.geom) AS lon, ST_Y(r.geom) AS lat, f.finding_id, n.reason
        FROM data.report r
        LEFT JOIN LATERAL (SELECT s.finding_id FROM data.sighting s
          WHERE s.sources @> jsonb_build_array(jsonb_build_object('candidate', r.candidate_id::text)) ORDER BY s.night DESC LIMIT 1) f ON true
        LEFT JOIN LATERAL (SELECT reason FROM data.not_finding n WHERE n.candidate_id = r.candidate_id ORDER BY night DESC LIMIT 1) n ON n.reason NOT IN ('told', 'left')
        WHERE (r.at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN :first AND :last ORDER BY r.at, r.id"""),
        {"first": first, "last": last},
    )
    return [dict(r._mapping) for r in rows]
