"""The only SQL of what becomes of stakes, and of notice boards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis import crs
from rivergis.db import versions
from rivergis.db.connect import read_frame, read_table

CONTENT = (
    "code", "river_id", "boundary_id", "bank", "kind", "at_m", "status", "height_m", "vertical_datum", "number_series", "reason",
    "measured_by", "measured_on", "xy_error_m", "photo_sha256", "moved_m", "moved_bearing_deg",
)  # fmt: skip


def stakes(conn: Connection, *, code: str | None = None, namespace: str | None = None) -> gpd.GeoDataFrame:
    """Stakes in force today with their river: all, or those of a number; geom Point, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT s.*, r.code AS river_code, r.name AS river, lower(s.valid) AS since FROM app.stake s
        LEFT JOIN app.river r ON r.id = s.river_id
        WHERE (CAST(:code AS text) IS NULL OR s.code = :code)
          AND (CAST(:namespace AS text) IS NULL OR s.code_namespace = :namespace)
        ORDER BY r.code, s.bank, s.at_m, s.code""",
        {"code": code, "namespace": namespace},
    )


def kind_before(conn: Connection, stake_id: Any) -> str | None:
    """What a moved stake was before it was moved."""
    found = conn.execute(
        text("SELECT kind FROM data.stake WHERE id = :id AND kind <> 'moved' ORDER BY version DESC LIMIT 1"),
        {"id": stake_id},
    )
    return found.scalar()


def put(conn: Connection, row: Mapping[str, Any], point: shapely.Point, on: date, namespace: str) -> int:
    """Record a stake as it is from a day on; returns its version."""
    frame = pd.DataFrame([{k: row[k] for k in CONTENT} | {"valid_from": on}], dtype=object)
    saved = versions.save(
        conn, "stake", gpd.GeoDataFrame(frame, geometry=[point], crs=crs.STORAGE).rename_geometry("geom"), namespace=namespace, import_id=None
    )  # fmt: skip
    return saved.versions[str(row["code"])][1]


def add_event(conn: Connection, event: Mapping[str, Any]) -> None:
    """Write down what became of a stake."""
    conn.execute(
        text("""INSERT INTO data.stake_event (stake_id, stake_version, event, happened_on, reason, reported_by, photo_sha256)
        VALUES (:stake_id, :stake_version, :event, :happened_on, :reason, :reported_by, :photo_sha256)"""),
        dict(event),
    )


def events(conn: Connection, stake_id: Any) -> pd.DataFrame:
    """What became of a stake, in order: event, happened_on, reason, reported_by, photo_sha256, stake_version, actor, recorded_at."""
    return read_table(
        conn,
        """SELECT event, happened_on, reason, reported_by, photo_sha256, stake_version, actor, recorded_at
        FROM data.stake_event WHERE stake_id = :id ORDER BY id""",
        {"id": stake_id},
    )


def known(conn: Connection, codes: Sequence[str], namespace: str) -> set[str]:
    """Those numbers that stakes of the namespace have or ever had."""
    found = conn.execute(
        text("SELECT DISTINCT code FROM data.stake WHERE code_namespace = :namespace AND code = ANY(:codes)"),
        {"namespace": namespace, "codes": list(codes)},
    )
    return {str(c) for c in found.scalars()}


def save_boards(conn: Connection, frame: gpd.GeoDataFrame, namespace: str) -> versions.Saved:
    """Record boards: code, river_code, bank, place, place_name, at_m, title, content (dict), geom in EPSG:4490."""
    return versions.save(conn, "board", frame, namespace=namespace, import_id=None, refs={"river_code": "river"})


def boards(conn: Connection) -> gpd.GeoDataFrame:
    """Boards in force today; geom Point, EPSG:4490."""
    return read_frame(conn, "SELECT * FROM app.board ORDER BY code", {})
