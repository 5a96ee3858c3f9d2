"""The only SQL of what the scoring of an outing reads of tracks: its files, whom it is compared with, areas, and what is stale."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db.connect import read_frame, read_table

_OUTING = """SELECT h.id, h.file_name, h.chief_id, h.day, h.mode, coalesce(h.unit_code, c.unit_code) AS unit_code,
  min(p.started_at) AS started_at, max(p.ended_at) AS ended_at,
  ST_XMin(ST_Extent(p.box)) AS west, ST_YMin(ST_Extent(p.box)) AS south, ST_XMax(ST_Extent(p.box)) AS east, ST_YMax(ST_Extent(p.box)) AS north
FROM data.track h JOIN data.track p ON p.id = h.id OR p.part_of = h.id
LEFT JOIN LATERAL (SELECT unit_code FROM app.chief_as_of(h.day, :known) x WHERE x.id = h.chief_id) c ON true
WHERE h.part_of IS NULL AND {condition}
GROUP BY h.id, c.unit_code HAVING count(p.purged_at) = 0 ORDER BY min(p.started_at), h.id"""


def outings_of_day(conn: Connection, day: date, known_at: datetime) -> pd.DataFrame:
    """Outings of a civil day, each under its head, with all fixes still there: id, file_name, chief_id, day, mode, unit_code,
    started_at, ended_at, west, south, east, north (degrees)."""
    return read_table(conn, _OUTING.format(condition="h.day = :day"), {"day": day, "known": known_at})


def outing(conn: Connection, head: uuid.UUID, known_at: datetime, part_ids: Sequence[str]) -> pd.DataFrame:
    """One outing like ``outings_of_day``, of these files only, whatever came later; empty where fixes have been purged."""
    condition = "h.id = :t AND p.id = ANY(CAST(:parts AS uuid[]))"
    params = {"t": head, "known": known_at, "parts": list(part_ids)}
    return read_table(conn, _OUTING.format(condition=condition), params)


# what the fixes of another outing (o) are in: declared ones were moved when they were received
_DATUM = """CASE WHEN o.datum_declared IS NOT NULL THEN 'wgs84' ELSE (SELECT r.figures ->> 'datum' FROM data.patrol_result r
          WHERE r.track_id = o.id AND r.recorded_at <= :known ORDER BY r.recorded_at DESC LIMIT 1) END"""


def earlier_of_same_place(
    conn: Connection, head: uuid.UUID, known_at: datetime, *, days: float, together_min: float, limit: int
) -> pd.DataFrame:
    """Earlier outings whose box agrees best with that of this one: id, chief_id, day, file_name, datum.

    Begun at most ``days`` before it, and not later than ``together_min`` after; the ``limit`` that overlap most. ``datum``: what
    their fixes were found to be in where nobody declared it; None = not scored yet.
    """
    return read_table(
        conn,
        f"""WITH me AS (SELECT h.id, h.started_at, ST_Union(p.box) AS box FROM data.track h
            JOIN data.track p ON p.id = h.id OR p.part_of = h.id WHERE h.id = :t GROUP BY h.id)
        SELECT o.id, o.chief_id, o.day, o.file_name, {_DATUM} AS datum
        FROM me JOIN data.track o ON o.id <> me.id AND o.part_of IS NULL
          AND o.box && me.box AND o.purged_at IS NULL AND o.recorded_at <= :known
          AND o.started_at > me.started_at - make_interval(secs => :seconds)
          AND o.started_at < me.started_at + make_interval(secs => :together)
        ORDER BY ST_Area(ST_Intersection(o.box, me.box)) / nullif(ST_Area(ST_Union(o.box, me.box)), 0) DESC NULLS LAST, o.id
        LIMIT :n""",
        {"t": head, "known": known_at, "seconds": days * 86400, "together": together_min * 60, "n": limit},
    )


def at_the_same_time(conn: Connection, head: uuid.UUID, known_at: datetime) -> pd.DataFrame:
    """Outings of other chiefs under way near this one at the same time: id, chief_id, chief, unit_code, day, file_name, datum."""
    return read_table(
        conn,
        f"""WITH me AS (SELECT h.id, h.chief_id, h.day, min(p.started_at) AS a, max(p.ended_at) AS b, ST_Expand(ST_Union(p.box), 0.02) AS box
            FROM data.track h JOIN data.track p ON p.id = h.id OR p.part_of = h.id WHERE h.id = :t GROUP BY h.id)
        SELECT DISTINCT o.id, o.chief_id, c.name AS chief, coalesce(o.unit_code, c.unit_code) AS unit_code, o.day, o.file_name,
          {_DATUM} AS datum
        FROM me JOIN data.track q ON q.box && me.box AND q.started_at < me.b AND q.ended_at > me.a AND q.purged_at IS NULL
        JOIN data.track o ON o.id = coalesce(q.part_of, q.id) AND o.id <> me.id AND o.chief_id IS DISTINCT FROM me.chief_id
        LEFT JOIN app.chief_as_of((SELECT day FROM me), :known) c ON c.id = o.chief_id
        WHERE q.recorded_at <= :known ORDER BY o.id""",
        {"t": head, "known": known_at},
    )


def hours_since_last(conn: Connection, head: uuid.UUID, known_at: datetime) -> float | None:
    """Hours between the end of the chief's outing before this one and its start; None when there is none, or nobody is named."""
    hours = conn.execute(
        text("""SELECT extract(epoch FROM h.started_at - max(o.ended_at)) / 3600 FROM data.track h
        JOIN data.track o ON o.chief_id = h.chief_id AND coalesce(o.part_of, o.id) <> h.id
          AND o.started_at < h.started_at AND o.recorded_at <= :known WHERE h.id = :t GROUP BY h.started_at"""),
        {"t": head, "known": known_at},
    ).scalar()
    return None if hours is None else round(float(hours), 3)


def parties(conn: Connection, head: uuid.UUID) -> pd.DataFrame:
    """Who was declared to take part in an outing: chief_id, person, unit_code, part."""
    return read_table(
        conn,
        """SELECT DISTINCT p.chief_id, p.person, p.unit_code, p.part FROM data.patrol_party p JOIN data.track t ON t.id = p.track_id
        WHERE t.id = :t OR t.part_of = :t ORDER BY p.part, p.chief_id, p.person, p.unit_code""",
        {"t": head},
    )


def areas(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Patrol areas in force: id, version, code, name, chiefs (ids of who answers); MultiPolygon, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT a.id, a.version, a.code, a.name, array(SELECT CAST(d.chief_id AS text) FROM app.area_duty_as_of(:on, :known) d
          WHERE d.area_id = a.id ORDER BY 1) AS chiefs, a.geom
        FROM app.patrol_area_as_of(:on, :known) a ORDER BY a.id""",
        {"on": on, "known": known_at},
    )


_STALE = """WITH changed AS (
  SELECT valid, max(greatest(recorded_at, superseded_at)) AS at FROM (
    SELECT valid, recorded_at, superseded_at FROM data.reach UNION ALL SELECT valid, recorded_at, superseded_at FROM data.duty
    UNION ALL SELECT valid, recorded_at, superseded_at FROM data.chief UNION ALL SELECT valid, recorded_at, superseded_at FROM data.river
    UNION ALL SELECT valid, recorded_at, superseded_at FROM data.patrol_area
    UNION ALL SELECT valid, recorded_at, superseded_at FROM data.area_duty) v
  WHERE recorded_at > :since OR superseded_at > :since GROUP BY valid),
head AS (
  SELECT h.id, h.day, h.chief_id, count(DISTINCT p.id) AS parts, bool_or(p.purged_at IS NOT NULL) AS purged,
    bool_or(p.id <> h.id AND x.id IS NOT NULL) AS part_scored
  FROM data.track h JOIN data.track p ON p.id = h.id OR p.part_of = h.id
  LEFT JOIN data.patrol_result x ON x.track_id = p.id AND x.superseded_at IS NULL
  WHERE h.part_of IS NULL AND h.day <= :until GROUP BY h.id),
current AS (
  SELECT h.*, r.recorded_at AS scored_at, r.figures -> 'read' AS read FROM head h
  LEFT JOIN data.patrol_result r ON r.track_id = h.id AND r.superseded_at IS NULL WHERE NOT h.purged)
SELECT DISTINCT day FROM current c WHERE scored_at IS NULL OR part_scored
  OR jsonb_array_length(read -> 'parts') <> parts OR read ->> 'chief_id' IS DISTINCT FROM CAST(chief_id AS text)
  OR EXISTS (SELECT FROM changed v WHERE v.valid @> c.day AND v.at > c.scored_at)
  OR EXISTS (SELECT FROM data.patrol_party p JOIN data.track t ON t.id = p.track_id
             WHERE coalesce(t.part_of, t.id) = c.id AND p.recorded_at > c.scored_at)
  OR EXISTS (SELECT FROM data.track o JOIN data.track t ON (t.id = c.id OR t.part_of = c.id) AND (o.box && t.box OR o.chief_id = t.chief_id)
             WHERE o.recorded_at > greatest(c.scored_at, :since) AND coalesce(o.part_of, o.id) <> c.id
               AND o.started_at < t.ended_at AND o.started_at > t.started_at - make_interval(days => :days))
ORDER BY day"""


def days_to_score(conn: Connection, until: date, since: datetime | None, replay_days: int) -> list[date]:
    """Days up to ``until`` with an outing that was never scored, got another part or party, or whose duties, chiefs, rivers,
    reaches, areas or neighbouring tracks changed after it was; ``since``: changes before it were looked at already."""
    found = conn.execute(text(_STALE), {"until": until, "since": since or "-infinity", "days": replay_days})
    return list(found.scalars())
