"""The only SQL of outfalls."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from rivergis.db import versions
from rivergis.db.connect import read_frame


def save(
    conn: Connection, layer_name: str, frame: pd.DataFrame, *, namespace: str, import_id: uuid.UUID | None
) -> versions.Saved:
    """Record outfalls; frame in EPSG:4490."""
    defaults = {"approval_kind": "unknown", "status": "open"}
    return versions.save_layer(conn, layer_name, frame, namespace=namespace, import_id=import_id, defaults=defaults)


def outfalls(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Outfalls in force that are not closed; geom Point, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT id, version, code, name, class_1, approval_kind, approval_no, status, river_id, geom
        FROM app.outfall_as_of(:on, :known) WHERE status <> 'closed' ORDER BY id""",
        {"on": on, "known": known_at},
    )
