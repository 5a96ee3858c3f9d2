"""The only SQL of what is delivered and published of delimitations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db.connect import read_frame, read_table


def acts(conn: Connection, on: date, known_at: datetime) -> pd.DataFrame:
    """Every delimitation with its standing on a civil day as known at a moment: boundary_id, code, standing, announcement …"""
    return read_table(
        conn,
        "SELECT * FROM app.boundary_standing_as_of(:on, :known) ORDER BY river_code, line_type, code",
        {"on": on, "known": known_at},
    )


def lines(conn: Connection, ids: Sequence[uuid.UUID], on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Lines of delimitations that hold on a day, with what their source says of them; LineString, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT s.boundary_id, s.code, s.bank, s.from_m, s.to_m, s.source, s.geom FROM app.boundary_segment_as_of(:on, :known) s
        WHERE s.boundary_id = ANY(:ids) ORDER BY s.boundary_id, s.bank, s.from_m NULLS FIRST, s.code""",
        {"on": on, "known": known_at, "ids": list(ids)},
    )


def areas(conn: Connection, ids: Sequence[uuid.UUID], on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Areas of delimitations that hold on a day; MultiPolygon, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT a.boundary_id, a.code, a.geom FROM app.boundary_area_as_of(:on, :known) a
        WHERE a.boundary_id = ANY(:ids) ORDER BY a.boundary_id, a.code""",
        {"on": on, "known": known_at, "ids": list(ids)},
    )


def stakes(conn: Connection, rivers: Sequence[uuid.UUID], on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Stakes of rivers in force with their river; Point, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT k.code, k.bank, k.kind, k.at_m, k.status, k.height_m, k.vertical_datum, k.boundary_id, k.river_id, r.code AS river_code, r.name AS river, k.geom
        FROM app.stake_as_of(:on, :known) k JOIN app.river_as_of(:on, :known) r ON r.id = k.river_id
        WHERE k.river_id = ANY(:rivers) ORDER BY r.code, k.bank, k.at_m NULLS LAST, k.code""",
        {"on": on, "known": known_at, "rivers": list(rivers)},
    )


def add(conn: Connection, said: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> uuid.UUID:
    """Record a publication whole, with the delimitations in it; the database checks who, and that they are announced."""
    made = uuid.uuid4()
    conn.execute(
        text("""INSERT INTO data.publication (id, code, title, kind, review_no, published_on, as_of, known_at, scale_denominator, contiguous_km2,
          secrecy_confirmed, content_sha256, files, extent)
        VALUES (:id, :code, :title, :kind, :review_no, :published_on, :as_of, :known_at, :scale, :km2, :secrecy, :content_sha256, CAST(:files AS jsonb),
          ST_MakeEnvelope(:west, :south, :east, :north, 4490))"""),
        {**said, "id": made, "files": json.dumps(said["files"], ensure_ascii=False)},
    )
    for part in parts:
        conn.execute(
            text("""INSERT INTO data.publication_part (publication_id, boundary_id, boundary_version, lines_sha256)
            VALUES (:p, :b, :v, :sha)"""),
            {"p": made, "b": part["boundary_id"], "v": part["boundary_version"], "sha": part["lines_sha256"]},
        )
    return made


def listed(conn: Connection, known_at: datetime) -> pd.DataFrame:
    """Publications with their state and the delimitations in them of which anything was recorded since, the last first."""
    return read_table(
        conn, "SELECT * FROM app.publication_as_of(:known) ORDER BY recorded_at DESC, code", {"known": known_at}
    )


def parts(conn: Connection, publication_id: uuid.UUID) -> pd.DataFrame:
    """Delimitations of a publication: boundary_id, boundary_version, code, lines_sha256, and the day and moment they were read of."""
    return read_table(
        conn,
        """SELECT t.boundary_id, t.boundary_version, v.code, t.lines_sha256, p.as_of FROM data.publication_part t
        JOIN data.publication p ON p.id = t.publication_id
        JOIN data.boundary_version v ON v.id = t.boundary_id AND v.version = t.boundary_version WHERE t.publication_id = :p ORDER BY v.code""",
        {"p": publication_id},
    )


def void(conn: Connection, publication_id: uuid.UUID, reason: str) -> None:
    """A publication becomes void, for good; the database refuses a second time."""
    conn.execute(
        text("""INSERT INTO data.publication_event (publication_id, seq, move, to_state, reason)
        SELECT :p, coalesce(max(seq), 0) + 1, 'void', 'voided', :r FROM data.publication_event WHERE publication_id = :p"""),
        {"p": publication_id, "r": reason},
    )
