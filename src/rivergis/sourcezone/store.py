"""The only SQL of intakes and source protection zones."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from rivergis.db import versions
from rivergis.db.connect import read_frame

_DEFAULTS = {"source_zone": {"part": "whole", "basis": "announced"}, "intake": {"kind": "river"}}


def save(
    conn: Connection, layer_name: str, frame: pd.DataFrame, *, namespace: str, import_id: uuid.UUID | None
) -> versions.Saved:
    """Record intakes or source zones; frame in EPSG:4490."""
    return versions.save_layer(
        conn, layer_name, frame, namespace=namespace, import_id=import_id, defaults=_DEFAULTS[layer_name]
    )


def zones(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Source zones in force, highest class first; geom MultiPolygon, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT id, version, code, name, zone_class, part, basis, doc_no, approved_by, geom
        FROM app.source_zone_as_of(:on, :known) ORDER BY zone_class, id""",
        {"on": on, "known": known_at},
    )
