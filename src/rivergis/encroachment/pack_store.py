"""The only SQL of evidence packs: what is filed of one case, and whether a pack is one that was made here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import geopandas as gpd
from sqlalchemy import Connection, text

from rivergis.db.connect import read_frame


def sightings(conn: Connection, finding_id: Any, on: date, known_at: datetime) -> list[dict[str, Any]]:
    """What each night saw of a case, without geometry."""
    return _rows(
        conn,
        """SELECT night, status, area_m2, observed_share, sources FROM data.sighting
        WHERE finding_id = :f AND night <= :on AND recorded_at <= :known ORDER BY night""",
        {"f": finding_id, "on": on, "known": known_at},
    )


def footprints(conn: Connection, finding_id: Any, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Footprints of a case, one for each night on which it looked different, beyond the noise of computing; EPSG:4490."""
    return read_frame(
        conn,
        """SELECT night, status, area_m2, geom FROM (
          SELECT s.*, lag(s.geom) OVER (ORDER BY s.night) AS before FROM data.sighting s
          WHERE s.finding_id = :f AND s.night <= :on AND s.recorded_at <= :known AND s.geom IS NOT NULL) t
        WHERE before IS NULL OR CASE WHEN ST_Dimension(geom) = 2 AND ST_Dimension(before) = 2
          THEN ST_Area(ST_SymDifference(before, geom)) > 0.001 * ST_Area(geom) ELSE NOT ST_Equals(before, geom) END
        ORDER BY night""",
        {"f": finding_id, "on": on, "known": known_at},
    )


def made(conn: Connection, seal: str) -> dict[str, Any] | None:
    """When and by whom a pack with this seal was made here; None = none was."""
    row = conn.execute(
        text("SELECT at, actor, detail FROM sys.audit WHERE action = 'export' AND target = :t ORDER BY id LIMIT 1"),
        {"t": f"pack:{seal}"},
    ).first()
    return None if row is None else dict(row._mapping)


def _rows(conn: Connection, sql: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(r._mapping) for r in conn.execute(text(sql), params)]
