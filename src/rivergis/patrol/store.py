"""The only SQL of patrol tracks, scorings and legs."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db import versions
from rivergis.db.connect import copy_frame, read_frame, read_table

METRES_A_DEGREE = 111_320.0  # of latitude; along a parallel less, which only makes the test stricter


def save(
    conn: Connection, layer_name: str, frame: pd.DataFrame, *, namespace: str, import_id: uuid.UUID | None
) -> versions.Saved:
    """Record rows of a patrol layer (see ``layers.LAYERS``): areas, who answers for them, warnings."""
    return versions.save_layer(conn, layer_name, frame, namespace=namespace, import_id=import_id)


def track_of_file(conn: Connection, raw_sha256: str) -> uuid.UUID | None:
    """Id of the track that came from a file with this hash, if it is known."""
    return conn.execute(text("SELECT id FROM data.track WHERE raw_sha256 = :h"), {"h": raw_sha256}).scalar()


def add_track(conn: Connection, row: dict[str, Any], fixes: gpd.GeoDataFrame) -> None:
    """Record a track and its fixes (Points in EPSG:4490 with seq, at, acc_m, speed_ms, received_at)."""
    names = list(row)
    conn.execute(text(f"INSERT INTO data.track ({', '.join(names)}) VALUES ({', '.join(':' + n for n in names)})"), row)
    copy_frame(conn, "data.fix", fixes.assign(track_id=row["id"]))


def tracks_of_day(conn: Connection, day: date) -> pd.DataFrame:
    """Tracks of a civil day: id, chief_id, raw_sha256, datum_declared, datum_used, started_at, file_name."""
    return read_table(
        conn,
        """SELECT id, chief_id, raw_sha256, datum_declared, datum_used, started_at, file_name
        FROM data.track WHERE day = :day AND purged_at IS NULL ORDER BY started_at, id""",
        {"day": day},
    )


def fixes(conn: Connection, track_id: uuid.UUID) -> gpd.GeoDataFrame:
    """Fixes of a track in the order of its file; Points, EPSG:4490."""
    frame = read_frame(
        conn, "SELECT seq, at, acc_m, speed_ms, geom FROM data.fix WHERE track_id = :t ORDER BY seq", {"t": track_id}
    )
    return frame.assign(at=pd.to_datetime(frame["at"], utc=True), acc_m=frame["acc_m"].astype(float))


def same_course(conn: Connection, track_id: uuid.UUID, within_m: float, share: float) -> str | None:
    """File name of the earliest earlier track that this one follows fix by fix, whatever the times.

    Same number of fixes (more than 20), at least ``share`` of them within ``within_m`` of their counterparts. Two honest
    walks on one path do not do that: their fixes fall at different places.
    """
    return conn.execute(
        text("""
        SELECT o.file_name FROM data.track me JOIN data.track o ON o.id <> me.id AND o.fix_count = me.fix_count
            AND o.started_at < me.started_at AND o.purged_at IS NULL
        WHERE me.id = :t AND me.fix_count > 20
          AND (SELECT avg(CAST(ST_DWithin(a.geom, b.geom, :degrees) AS int)) FROM data.fix a
               JOIN data.fix b ON b.track_id = o.id AND b.seq = a.seq WHERE a.track_id = me.id) >= :share
        ORDER BY o.started_at LIMIT 1"""),
        {"t": track_id, "degrees": within_m / METRES_A_DEGREE, "share": share},
    ).scalar()


@dataclass(frozen=True)
class Scored:
    """A scoring ready to be recorded."""

    track_id: uuid.UUID
    engine: str
    input_hash: str
    rule_set: str
    figures: dict[str, Any]
    standard: list[dict[str, Any]]
    review: list[dict[str, Any]]
    legs: pd.DataFrame


def known_scoring(conn: Connection, track_id: uuid.UUID, input_hash: str) -> bool:
    """Whether the current scoring of a track already rests on these inputs."""
    return bool(
        conn.execute(
            text(
                "SELECT EXISTS (SELECT FROM data.patrol_result WHERE track_id = :t AND input_hash = :h AND superseded_at IS NULL)"
            ),
            {"t": track_id, "h": input_hash},
        ).scalar()
    )


def add_scoring(conn: Connection, s: Scored) -> uuid.UUID:
    """Record a scoring with its legs; the one before it is superseded."""
    result_id = uuid.uuid5(s.track_id, s.input_hash)
    conn.execute(
        text("UPDATE data.patrol_result SET superseded_at = now() WHERE track_id = :t AND superseded_at IS NULL"),
        {"t": s.track_id},
    )
    conn.execute(
        text("""INSERT INTO data.patrol_result (id, track_id, engine, input_hash, rule_set, figures, standard, review)
        VALUES (:id, :t, :engine, :h, :rs, CAST(:figures AS jsonb), CAST(:standard AS jsonb), CAST(:review AS jsonb))"""),
        {
            "id": result_id,
            "t": s.track_id,
            "engine": s.engine,
            "h": s.input_hash,
            "rs": s.rule_set,
            **{
                k: json.dumps(getattr(s, k), ensure_ascii=False, default=str) for k in ("figures", "standard", "review")
            },
        },
    )
    if len(s.legs):
        copy_frame(conn, "data.leg", s.legs.assign(result_id=result_id, seq=range(len(s.legs))))
    return result_id


def results_of_day(conn: Connection, day: date, known_at: datetime) -> pd.DataFrame:
    """Scorings of a civil day as known at a moment: track_id, file_name, chief, figures, standard, review."""
    return read_table(
        conn,
        """SELECT r.id AS result_id, r.track_id, t.file_name, t.started_at, t.ended_at, c.name AS chief, c.level, c.title,
          r.figures, r.standard, r.review, r.rule_set
        FROM data.patrol_result r JOIN data.track t ON t.id = r.track_id
        LEFT JOIN app.chief_as_of(:day, :known) c ON c.id = t.chief_id
        WHERE t.day = :day AND r.recorded_at <= :known AND (r.superseded_at IS NULL OR r.superseded_at > :known)
        ORDER BY t.started_at, t.id""",
        {"day": day, "known": known_at},
    )


def purge(conn: Connection, before: date) -> list[tuple[uuid.UUID, str]]:
    """Remove the fixes of tracks older than a day, keeping legs and hash; returns (id, raw_path) of those purged."""
    conn.execute(text("SET LOCAL rivergis.purpose = 'retention'"))
    rows = [
        tuple(r)
        for r in conn.execute(
            text("SELECT id, raw_path FROM data.track WHERE day < :d AND purged_at IS NULL"), {"d": before}
        )
    ]
    conn.execute(
        text("DELETE FROM data.fix f USING data.track t WHERE t.id = f.track_id AND t.day < :d"), {"d": before}
    )
    conn.execute(text("UPDATE data.track SET purged_at = now() WHERE day < :d AND purged_at IS NULL"), {"d": before})
    return rows


def legs_on_rivers(conn: Connection, result_id: uuid.UUID) -> pd.DataFrame:
    """Legs of a scoring along the chainage of their rivers: river, bank, at_from_m, at_to_m, seen, reason."""
    return read_table(
        conn,
        """SELECT r.name AS river, l.bank, h.from_m + l.from_m AS at_from_m, h.from_m + l.to_m AS at_to_m, l.seen, l.reason
        FROM data.leg l JOIN data.reach h ON h.id = l.reach_id AND h.version = l.reach_version
        JOIN data.patrol_result p ON p.id = l.result_id
        JOIN app.river_as_of((SELECT day FROM data.track WHERE id = p.track_id)) r ON r.id = h.river_id
        WHERE l.result_id = :r AND l.bank IS NOT NULL AND h.from_m IS NOT NULL
        ORDER BY r.name, l.bank, at_from_m""",
        {"r": result_id},
    )
