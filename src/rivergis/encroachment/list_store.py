"""The only SQL of lists and reports beside the ledger: cases with their place, what happened in a period, the four stages, who answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db.connect import read_table

DAYS = ("found_on", "closed_on", "assigned_on", "rectified_on", "accepted_on", "closed_above_on", "deadline")


def cases(conn: Connection, on: date, known_at: datetime) -> pd.DataFrame:
    """The ledger of a day as known at a moment: rows of app.case_as_of without geometry, with lon and lat (EPSG:4490), civil days
    of its moves, unit_code (adcode of the smallest unit known), county, town_code, river_code, at_m and the reach it stands on."""
    frame = read_table(
        conn,
        """WITH units AS MATERIALIZED (SELECT code, name, level FROM app.admin_unit_as_of(:on, :known)),
          reaches AS MATERIALIZED (SELECT r.code, v.code AS river_code, r.from_m, r.to_m FROM app.reach_as_of(:on, :known) r
            JOIN app.river_as_of(:on, :known) v ON v.id = r.river_id WHERE r.from_m IS NOT NULL)
        SELECT c.id, c.number, c.superior_numbers, c.topic, c.class_code, c.kind, c.severity, c.close_level, c.state, c.outcome, c.basis,
          c.position, c.stock, c.first_night, c.found_on, c.sources, c.district, c.village, c.river, c.bank, c.chainage, c.status,
          c.night, c.area_m2, c.deadline, c.measure, c.units, c.sent_back, c.looked_back_at, c.look_back, c.rebound, c.rebounds,
          c.overdue_days, c.escalation_due, c.escalation_issued, c.awaits_above, c.doubts, c.merged_into,
          (c.assigned_at AT TIME ZONE 'Asia/Shanghai')::date AS assigned_on,
          (c.rectified_at AT TIME ZONE 'Asia/Shanghai')::date AS rectified_on,
          (c.accepted_at AT TIME ZONE 'Asia/Shanghai')::date AS accepted_on,
          (c.closed_at AT TIME ZONE 'Asia/Shanghai')::date AS closed_on,
          (c.closed_above_at AT TIME ZONE 'Asia/Shanghai')::date AS closed_above_on, c.closed_above_by,
          f.district AS unit_code, k.name AS county, coalesce(t.name, c.town) AS town,
          c.figures ->> 'river_code' AS river_code, CAST(c.figures ->> 'at_m' AS double precision) AS at_m,
          c.figures ->> 'name' AS object_name, z.code AS reach,
          ST_X(ST_PointOnSurface(c.geom)) AS lon, ST_Y(ST_PointOnSurface(c.geom)) AS lat
        FROM app.case_as_of(:on, :known) c JOIN data.finding f ON f.id = c.id
        LEFT JOIN units k ON k.level = 'county' AND k.code = c.district
        LEFT JOIN units t ON t.level = 'town' AND length(f.district) >= 9 AND t.code = left(f.district, 9)
        LEFT JOIN LATERAL (SELECT r.code FROM reaches r WHERE r.river_code = c.figures ->> 'river_code'
            AND CAST(c.figures ->> 'at_m' AS double precision) BETWEEN r.from_m AND r.to_m ORDER BY r.from_m, r.code LIMIT 1) z ON true
        ORDER BY c.number NULLS LAST, c.found_on, c.id""",
        {"on": on, "known": known_at},
    )
    days: dict[str, Any] = dict.fromkeys(DAYS, object)
    frame = frame.astype(days | {"looked_back_at": object, "merged_into": object, "unit_code": object})
    for column in (*DAYS, "looked_back_at", "merged_into"):
        frame[column] = frame[column].where(frame[column].notna(), None)
    return frame


def flow(conn: Connection, first: date, last: date, known_at: datetime) -> pd.DataFrame:
    """What happened to cases in a period as known at a moment: finding_id, what, on; rows of app.case_flow."""
    sql = 'SELECT finding_id, what, on_date AS "on" FROM app.case_flow(:first, :last, :known) ORDER BY 1, 2, 3'
    return read_table(conn, sql, {"first": first, "last": last, "known": known_at})


def stages(conn: Connection, on: date, known_at: datetime) -> pd.DataFrame:
    """查、认、改、罚: the four stages of every case; rows of app.case_stage_as_of."""
    return read_table(
        conn,
        "SELECT * FROM app.case_stage_as_of(:on, :known) ORDER BY number NULLS LAST, found_on, id",
        {"on": on, "known": known_at},
    ).astype(object)


def answering(conn: Connection, on: date, known_at: datetime) -> pd.DataFrame:
    """Who answers for which stretch on a day (责任河段): level, title, chief (personal data), unit, river, bank, from_m, to_m."""
    return read_table(
        conn,
        """SELECT d.level, c.title, c.name AS chief, c.unit_code, u.name AS unit, r.name AS river, r.code AS river_code, d.bank, d.from_m, d.to_m,
          lower(d.valid) AS valid_from
        FROM app.duty_as_of(:on, :known) d
        JOIN app.chief_as_of(:on, :known) c ON c.id = d.chief_id
        JOIN app.river_as_of(:on, :known) r ON r.id = d.river_id
        LEFT JOIN app.admin_unit_as_of(:on, :known) u ON u.code = c.unit_code
        ORDER BY r.name, r.code, array_position(ARRAY['province', 'city', 'county', 'town', 'village'], d.level), d.bank, d.from_m, d.id""",
        {"on": on, "known": known_at},
    ).astype({"valid_from": object})


def reaches_of_counties(conn: Connection, on: date, known_at: datetime) -> dict[str, list[str]]:
    """reach -> names of the counties it runs in or along; one that has several is a border reach (跨界河段)."""
    rows = conn.execute(
        text("""SELECT r.code, array_agg(u.name ORDER BY u.code) FROM app.reach_as_of(:on, :known) r
        JOIN app.admin_unit_as_of(:on, :known) u ON u.level = 'county' AND ST_Intersects(u.geom, r.geom) GROUP BY r.code"""),
        {"on": on, "known": known_at},
    )
    return {str(code): [str(n) for n in names] for code, names in rows}


def unit_name(conn: Connection, code: str, on: date, known_at: datetime) -> str | None:
    """Name of a unit by its adcode; None where it is not known."""
    sql = "SELECT name FROM app.admin_unit_as_of(:on, :known) WHERE code = :code LIMIT 1"
    return conn.execute(text(sql), {"on": on, "known": known_at, "code": code}).scalar()


def feed_names(conn: Connection, on: date, known_at: datetime) -> dict[str, str]:
    """Names of the registered feeds by their codes, as known at a moment."""
    rows = conn.execute(text("SELECT code, name FROM app.feed_as_of(:on, :known)"), {"on": on, "known": known_at})
    return {str(code): str(name) for code, name in rows}


def signed_baseline(conn: Connection, known_at: datetime) -> date | None:
    """Night of the signed baseline as known at a moment; None = none is signed, and nobody says 新增."""
    return conn.execute(text("SELECT night FROM app.baseline_signed(:known)"), {"known": known_at}).scalar()
