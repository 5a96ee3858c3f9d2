"""Small rivers that read like a sketch: builders for tests, in metres round a point near 106 E 29.4 N."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs

EAST, NORTH = 597_000.0, 3_253_000.0  # EPSG:4544, near 106.0 E 29.4 N
ZONE = "EPSG:4544"


def shift(points: Sequence[tuple[float, float]]) -> np.ndarray:
    """Local metres to EPSG:4544."""
    return np.asarray(points, dtype=float) + np.array([EAST, NORTH])


def line(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(shift(points))


def box(x: float, y: float, width: float, height: float) -> shapely.Polygon:
    return shapely.box(EAST + x, NORTH + y, EAST + x + width, NORTH + y + height)


def point(x: float, y: float) -> shapely.Point:
    return shapely.Point(EAST + x, NORTH + y)


def metric(shapes: Sequence[shapely.Geometry], **columns: object) -> gpd.GeoDataFrame:
    """A frame in metres; columns may be one value for all rows."""
    return gpd.GeoDataFrame(
        pd.DataFrame(columns, index=range(len(shapes))), geometry=list(shapes), crs=ZONE
    ).rename_geometry("geom")


def degrees(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.to_crs(crs.STORAGE)


def reaches(*lines: shapely.LineString, kind: str = "river", half_width_m: float = 10.0) -> gpd.GeoDataFrame:
    """Reaches in metres with ellipsoidal length, as patrol methods want them."""
    frame = metric(lines, kind=kind, half_width_m=half_width_m)
    return frame.assign(length_m=crs.length_m(degrees(frame).geometry.values))


def walk(
    points: Sequence[tuple[float, float]],
    *,
    speed_ms: float = 1.3,
    every_s: float = 10.0,
    start: str = "2026-05-20T01:00:00Z",
) -> gpd.GeoDataFrame:
    """Fixes of a walk along points in local metres, at even steps."""
    path = line(*points)
    steps = np.arange(0.0, path.length, speed_ms * every_s)
    where = shapely.line_interpolate_point(path, steps)
    at = pd.Timestamp(start) + pd.to_timedelta(np.arange(len(steps)) * every_s, unit="s")
    return metric(list(where), seq=np.arange(len(steps)), at=at, acc_m=5.0)
