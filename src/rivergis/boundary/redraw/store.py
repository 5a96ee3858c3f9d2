"""The only SQL of what a redraw is held against in the database: permits, objects of the feeds, every water area there ever was."""

from __future__ import annotations

from datetime import date, datetime

import geopandas as gpd
import numpy as np
from sqlalchemy import Connection

from rivergis.db.connect import read_frame

_BOXES = (
    """unnest(CAST(:w AS float8[]), CAST(:s AS float8[]), CAST(:e AS float8[]), CAST(:n AS float8[])) b(w, s, e, n)"""
)
_MEETS = "t.geom && ST_MakeEnvelope(b.w, b.s, b.e, b.n, 4490)"


def _boxes(boxes: np.ndarray) -> dict[str, list[float]]:
    return dict(zip("wsen", boxes.T.tolist(), strict=True))


def permits(conn: Connection, boxes: np.ndarray, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Permits in force in boxes (n, 4) of degrees: feature, name, kind, since, geom (MultiPolygon, EPSG:4490)."""
    return read_frame(
        conn,
        f"""SELECT coalesce(t.doc_no, t.code) AS feature, t.name, t.kind, lower(t.valid) AS since, t.geom
        FROM app.permit_as_of(:on, :known) t WHERE EXISTS (SELECT FROM {_BOXES} WHERE {_MEETS}) ORDER BY t.id""",
        {"on": on, "known": known_at, **_boxes(boxes)},
    )


def objects(conn: Connection, boxes: np.ndarray, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Objects that the feeds show in boxes of degrees: feature, name, kind, since (first seen), geom (EPSG:4490)."""
    return read_frame(
        conn,
        f"""SELECT t.code AS feature, t.name, t.kind, f.since, t.geom FROM app.candidate_as_of(:on, :known) t
        LEFT JOIN LATERAL (SELECT (min(coalesce(c.seen_at, c.recorded_at)) AT TIME ZONE 'Asia/Shanghai')::date AS since
                           FROM data.candidate c WHERE c.id = t.id AND c.recorded_at <= :known) f ON true
        WHERE EXISTS (SELECT FROM {_BOXES} WHERE {_MEETS}) ORDER BY t.id""",
        {"on": on, "known": known_at, **_boxes(boxes)},
    )


def waters(conn: Connection, boxes: np.ndarray, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Water areas in boxes of degrees, those of today and every former one: feature, since (null = today's), geom (EPSG:4490)."""
    return read_frame(
        conn,
        f"""SELECT coalesce(t.name, t.code) AS feature,
          CASE WHEN t.valid @> CAST(:on AS date) AND t.superseded_at IS NULL THEN NULL
               ELSE coalesce(lower(t.valid), (t.recorded_at AT TIME ZONE 'Asia/Shanghai')::date) END AS since, t.geom
        FROM data.water_area t WHERE t.recorded_at <= :known AND (lower(t.valid) IS NULL OR lower(t.valid) <= :on)
          AND EXISTS (SELECT FROM {_BOXES} WHERE {_MEETS}) ORDER BY t.id, t.version""",
        {"on": on, "known": known_at, **_boxes(boxes)},
    )
