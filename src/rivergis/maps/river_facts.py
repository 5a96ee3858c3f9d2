"""What is known of one river as of a day (一河一档): one query a heading, rows as plain values, nothing judged and no score made up.

Every function reads the views of ``app`` for a river by its id, on a civil day and as known at a moment. Lengths in metres on
the ellipsoid, chainages in metres, areas in m2. Register id B1.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from rivergis.db.connect import read_frame, read_table
from rivergis.maps import leads
from rivergis.maps.features import River, When

Rows = list[dict[str, Any]]
PATROL_DAYS = 31
"""Patrols are told of so many days up to the one asked for: a month, as frequencies count them."""


def _rows(conn: Connection, query: str, river: River, at: When, **more: Any) -> Rows:
    frame = read_table(conn, query, {**at.params, "river": river.id, **more}).astype(object)
    rows: Rows = frame.where(pd.notna(frame), None).to_dict("records")
    return rows


def head(conn: Connection, river: River, at: When) -> dict[str, Any]:
    """Its names, kind and grade, the length of its axis or else of its reaches, and the surface of its waters."""
    return _rows(
        conn,
        """SELECT r.code, r.code_namespace AS namespace, r.name, r.name_en, r.kind, r.grade, lower(r.valid) AS valid_from,
          coalesce((SELECT a.length_m FROM app.axis_as_of(:on, :known) a WHERE a.river_id = r.id LIMIT 1), h.length_m) AS length_m,
          coalesce(h.n, 0) AS reaches, h.upstream_area_km2, w.area_m2 AS water_m2
        FROM app.river_as_of(:on, :known) r
        LEFT JOIN (SELECT river_id, count(*) AS n, sum(length_m) AS length_m, max(upstream_area_km2) AS upstream_area_km2
                   FROM app.reach_as_of(:on, :known) WHERE kind <> 'shoreline' GROUP BY 1) h ON h.river_id = r.id
        LEFT JOIN (SELECT river_id, sum(ST_Area(geom::geography)) AS area_m2 FROM app.water_area_as_of(:on, :known) GROUP BY 1) w
          ON w.river_id = r.id
        WHERE r.id = :river""",
        river,
        at,
    )[0]  # fmt: skip


def course(conn: Connection, river: River, at: When) -> gpd.GeoDataFrame:
    """Its reaches (LineString, EPSG:4490), from the source down: river_id, code, kind, channel, from_m, to_m, length_m."""
    return read_frame(
        conn,
        """SELECT h.river_id, h.code, h.kind, h.channel, h.from_m, h.to_m, h.length_m, h.geom FROM app.reach_as_of(:on, :known) h WHERE h.river_id = :river
        ORDER BY h.from_m NULLS LAST, h.code""",
        {**at.params, "river": river.id},
    )


def chiefs(conn: Connection, river: River, at: When) -> Rows:
    """Who answers for which stretch (河长), the highest level first."""
    return _rows(
        conn,
        """SELECT d.level, c.name AS chief, c.title, c.unit_code, u.name AS unit, d.bank, d.from_m, d.to_m
        FROM app.duty_as_of(:on, :known) d JOIN app.chief_as_of(:on, :known) c ON c.id = d.chief_id
        LEFT JOIN app.admin_unit_as_of(:on, :known) u ON u.code = c.unit_code
        WHERE d.river_id = :river
        ORDER BY array_position(ARRAY['province','city','county','town','village'], d.level), d.from_m, d.bank, c.name""",
        river,
        at,
    )  # fmt: skip


def units(conn: Connection, river: River, at: When) -> gpd.GeoDataFrame:
    """The townships and villages that its reaches touch: code, name, level (MultiPolygon, EPSG:4490)."""
    return read_frame(
        conn,
        """SELECT u.code, u.name, u.level, u.geom FROM app.admin_unit_as_of(:on, :known) u
        WHERE u.level IN ('town', 'village') AND EXISTS (
          SELECT FROM app.reach_as_of(:on, :known) h WHERE h.river_id = :river AND ST_Intersects(h.geom, u.geom))
        ORDER BY u.code""",
        {**at.params, "river": river.id},
    )


def lines(conn: Connection, river: River, at: When) -> Rows:
    """Its delimitations (划界成果) with their standing on the day, and the metres of line on each bank."""
    return _rows(
        conn,
        """SELECT v.code, v.line_type, v.basis, v.standing, v.announce_gov, v.announce_doc_no, v.announced_on, v.in_force_from,
          v.in_force_until, s.left_m, s.right_m
        FROM app.boundary_standing_as_of(:on, :known) v
        LEFT JOIN LATERAL (SELECT sum(ST_Length(geom::geography)) FILTER (WHERE bank = 'left') AS left_m,
                     sum(ST_Length(geom::geography)) FILTER (WHERE bank = 'right') AS right_m
                   FROM app.boundary_segment_as_of(:on, :known) g WHERE g.boundary_id = v.boundary_id) s ON true
        WHERE v.river_id = :river ORDER BY v.standing <> 'in_force', v.line_type, v.code""",
        river,
        at,
    )  # fmt: skip


def zones(conn: Connection, river: River, at: When) -> Rows:
    """Source protection zones that its water touches or its intakes have, and its shoreline function zones."""
    return _rows(
        conn,
        """SELECT 'source_zone' AS kind, z.code, z.name, z.zone_class::text AS class, z.part AS bank, NULL::float8 AS from_m, NULL::float8 AS to_m,
          ST_Area(z.geom::geography) AS area_m2, z.basis, z.doc_no
        FROM app.source_zone_as_of(:on, :known) z LEFT JOIN app.intake_as_of(:on, :known) i ON i.id = z.intake_id
        WHERE i.river_id = :river OR EXISTS (SELECT FROM app.reach_as_of(:on, :known) h WHERE h.river_id = :river AND ST_Intersects(h.geom, z.geom))
        UNION ALL
        SELECT 'function_zone', f.code, coalesce(f.plan_name, f.code), f.zone_type, f.bank, f.from_m, f.to_m, NULL, NULL, f.approval_no
        FROM app.function_zone_as_of(:on, :known) f WHERE f.river_id = :river
        ORDER BY 1 DESC, 4, 6, 2""",
        river,
        at,
    )


def outfalls(conn: Connection, river: River, at: When) -> Rows:
    """Its outfalls (入河排污口) with their approval, and the highest class of source zone that each lies in."""
    return _rows(
        conn,
        """SELECT o.code, o.name, o.class_1, o.approval_kind, o.approval_no, o.status, ST_X(o.geom) AS lon, ST_Y(o.geom) AS lat,
          (SELECT min(z.zone_class) FROM app.source_zone_as_of(:on, :known) z WHERE ST_Intersects(z.geom, o.geom)) AS zone_class
        FROM app.outfall_as_of(:on, :known) o WHERE o.river_id = :river ORDER BY zone_class NULLS LAST, o.code""",
        river,
        at,
    )


def works(conn: Connection, river: River, at: When) -> dict[str, Any]:
    """How many stakes, landmarks, intakes and permits it has, and metres of levee."""
    return _rows(
        conn,
        """SELECT (SELECT count(*) FROM app.stake_as_of(:on, :known) WHERE river_id = :river) AS stakes,
          (SELECT count(*) FROM app.stake_as_of(:on, :known) WHERE river_id = :river AND status IN ('damaged', 'lost')) AS stakes_damaged,
          (SELECT count(*) FROM app.intake_as_of(:on, :known) WHERE river_id = :river) AS intakes,
          (SELECT count(*) FROM app.permit_as_of(:on, :known) WHERE river_id = :river) AS permits,
          (SELECT count(*) FROM app.landmark_as_of(:on, :known) WHERE river_id = :river) AS landmarks,
          (SELECT coalesce(sum(ST_Length(geom::geography)), 0) FROM app.levee_as_of(:on, :known) WHERE river_id = :river) AS levee_m""",
        river,
        at,
    )[0]  # fmt: skip


def problems(conn: Connection, river: River, at: When) -> Rows:
    """Leads that stand on it, and cases people have open (问题), the nearest to the source first."""
    return _rows(
        conn,
        f"""SELECT t.id, t.topic, t.status, t.state, t.class_code, t."position", t.basis, t.clause, t.area_m2, t.first_night, t.night,
          t.figures->>'bank' AS bank, CAST(t.figures->>'at_m' AS float8) AS at_m, t.figures->>'village' AS village
        FROM app.finding_as_of(:on, :known) t
        WHERE t.figures->>'river_code' = :code AND {leads.STANDS} ORDER BY at_m NULLS LAST, t.id""",
        river,
        at,
        code=head(conn, river, at)["code"],
        **leads.STANDS_WITH,
    )


def patrols(conn: Connection, river: River, at: When) -> Rows:
    """Each bank: tracks of the last ``PATROL_DAYS`` days that saw any of it, metres seen by them, and the last day. No names."""
    return _rows(
        conn,
        """WITH own AS (
          SELECT l.track_id, l.day, l.bank, l.reach_id, l.reach_version, numrange(CAST(l.from_m AS numeric), CAST(l.to_m AS numeric)) AS span
          FROM app.leg_in(CAST(:first AS date), :on, :known) l WHERE l.river_id = :river AND l.seen AND l.bank IN ('left', 'right') AND l.from_m < l.to_m)
        SELECT b.bank, (SELECT count(DISTINCT track_id) FROM own o WHERE o.bank = b.bank) AS patrols,
          (SELECT max(day) FROM own o WHERE o.bank = b.bank) AS last_seen,
          (SELECT sum(upper(s) - lower(s)) FROM (SELECT unnest(range_agg(o.span)) AS s FROM own o WHERE o.bank = b.bank GROUP BY o.reach_id) x)::float8 AS seen_m
        FROM (VALUES ('left'), ('right')) b(bank)""",
        river,
        at,
        first=at.on - timedelta(days=PATROL_DAYS - 1),
    )  # fmt: skip


def warnings(conn: Connection, river: River, at: When) -> Rows:
    """Warnings on its water (河湖预警) that hold on the day."""
    return _rows(
        conn,
        """SELECT w.level, w.kind, w.document, w.from_m, w.to_m, lower(w.valid) AS since
        FROM app.water_warning_as_of(:on, :known) w WHERE w.river_id = :river ORDER BY w.level, w.code""",
        river,
        at,
    )
