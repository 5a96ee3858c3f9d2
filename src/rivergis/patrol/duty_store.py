"""The only SQL of patrol duties: who answered for what and when, what was done about it, and what is open nearby."""

from __future__ import annotations

from datetime import date, datetime

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db.connect import read_frame, read_table


def duties(conn: Connection, first: date, last: date, known_at: datetime) -> pd.DataFrame:
    """Duties in force on any day from ``first`` to ``last``: duty_id, chief, office and stretch, valid_from, valid_to (last day)."""
    frame = read_table(
        conn,
        """SELECT d.id AS duty_id, d.chief_id, c.name AS chief, c.code AS chief_code, c.title, c.unit_code, d.level, d.river_id,
          r.name AS river, r.kind AS river_kind, d.bank, d.from_m, d.to_m, lower(d.valid) AS valid_from,
          upper(d.valid) - 1 AS valid_to
        FROM data.duty d
        JOIN app.chief_in(:first, :last, :known) c ON c.chief_id = d.chief_id
        JOIN LATERAL (SELECT r.* FROM data.river r WHERE r.id = d.river_id AND r.recorded_at <= :known
            AND (r.superseded_at IS NULL OR r.superseded_at > :known)
          ORDER BY r.valid && d.valid DESC, lower(r.valid) DESC NULLS LAST LIMIT 1) r ON true
        WHERE d.valid && daterange(:first, :last, '[]') AND d.recorded_at <= :known
          AND (d.superseded_at IS NULL OR d.superseded_at > :known)
        ORDER BY c.code, r.name, d.from_m, d.id""",
        {"first": first, "last": last, "known": known_at},
    )
    return frame.astype({"valid_from": object, "valid_to": object})


def proven(conn: Connection, first: date, last: date, known_at: datetime) -> pd.DataFrame:
    """Seen stretches of scored tracks along their rivers, a row a leg and credited chief; ``standard`` as it was tested."""
    return read_table(
        conn,
        """SELECT p.track_id AS patrol_id, w.chief_id, p.day, p.started_at AS at, 'gps' AS kind, p.mode, p.standard,
          p.track_id IN (SELECT v.track_id FROM app.patrol_rejected_as_of(:known) v) AS rejected,
          h.river_id, l.bank, h.from_m + l.from_m * (h.to_m - h.from_m) / h.length_m AS from_m,
          h.from_m + l.to_m * (h.to_m - h.from_m) / h.length_m AS to_m
        FROM app.patrol_in(:first, :last, :known) p
        JOIN app.patrol_credit_as_of(:known) w ON w.track_id = p.track_id
        JOIN data.leg l ON l.result_id = p.result_id AND l.seen
        JOIN data.reach h ON h.id = l.reach_id AND h.version = l.reach_version AND h.from_m IS NOT NULL
        ORDER BY p.day, p.track_id, w.chief_id, l.seq""",
        {"first": first, "last": last, "known": known_at},
    )


def said(conn: Connection, first: date, last: date, known_at: datetime) -> pd.DataFrame:
    """Stretches that entries say were patrolled; entries merged into a track or withdrawn are left out."""
    return read_table(
        conn,
        """SELECT e.entry_id AS patrol_id, w.chief_id, e.day, NULL::timestamptz AS at, e.kind, e.kind AS mode, false AS rejected,
          s.river_id, s.bank, s.from_m, s.to_m
        FROM app.patrol_entry_as_of(:known) e
        JOIN app.patrol_credit_as_of(:known) w ON w.entry_id = e.entry_id
        LEFT JOIN data.patrol_entry_stretch s ON s.entry_id = e.entry_id
        WHERE e.day BETWEEN :first AND :last AND coalesce(e.move, 'restored') = 'restored'
        ORDER BY e.day, e.entry_id, w.chief_id, s.seq""",
        {"first": first, "last": last, "known": known_at},
    )


def warnings(conn: Connection, first: date, last: date, known_at: datetime) -> pd.DataFrame:
    """Warnings in force on any day from ``first`` to ``last``: river_id, from_m, to_m, level, kind, valid_from, valid_to."""
    frame = read_table(
        conn,
        """SELECT w.river_id, w.from_m, w.to_m, w.level, w.kind, w.document, lower(w.valid) AS valid_from,
          upper(w.valid) - 1 AS valid_to
        FROM data.water_warning w WHERE w.valid && daterange(:first, :last, '[]') AND w.recorded_at <= :known
          AND (w.superseded_at IS NULL OR w.superseded_at > :known)
        ORDER BY w.river_id, w.level, lower(w.valid)""",
        {"first": first, "last": last, "known": known_at},
    )
    return frame.astype({"valid_from": object, "valid_to": object})


def findings(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Suspected leads and judged problems as of a day: id, topic, state, status, class_code, first_night; Points, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT f.id, f.topic, f.state, f.status, f.class_code, f.first_night, ST_PointOnSurface(f.geom) AS geom
        FROM app.finding_as_of(:on, :known) f WHERE f.topic <> 'boundary_line' ORDER BY f.id""",
        {"on": on, "known": known_at},
    )


def landmarks(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Landmarks that have a place on the ground: river_id, name, kind, at_m; Points, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT river_id, name, kind, at_m, geom FROM app.landmark_as_of(:on, :known)
        WHERE geom IS NOT NULL ORDER BY river_id, at_m""",
        {"on": on, "known": known_at},
    )


def recorded_since(conn: Connection, known_at: datetime) -> date | None:
    """The first civil day of which any patrol, with a track or as an entry, is recorded; None where none is."""
    found: date | None = conn.execute(
        text("""SELECT least((SELECT min(day) FROM data.track WHERE recorded_at <= :known),
          (SELECT min(day) FROM data.patrol_entry WHERE recorded_at <= :known))"""),
        {"known": known_at},
    ).scalar()
    return found
