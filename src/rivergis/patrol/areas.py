"""巡查片区 patrol areas that are polygons: how long a track was inside, how far it went there, how much of it was in sight."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.patrol.fixes import Floats


@dataclass(frozen=True)
class Limits:
    """How far a person sees (``sight_m``), and the longest silence between fixes that is still watching (``hole_s``)."""

    sight_m: float
    hole_s: float


def visits(t_s: Floats, x: Floats, y: Floats, areas: gpd.GeoDataFrame, limits: Limits) -> pd.DataFrame:
    """What a track did in each area it entered: area (position in ``areas``), minutes, metres, share (0 to 1).

    ``t_s``: seconds, rising; ``x``, ``y``: metres of the zone of ``areas`` (MultiPolygon, metric). Steps across a silence longer
    than the limit, or of unknown time, count for nothing. ``share``: part of the area within sight of the steps inside it.
    Raises ``CrsRefused`` for degrees.
    """
    crs.require_metric(areas)
    steps, seconds = _steps(t_s, x, y, limits.hole_s)
    starts = shapely.get_point(steps, 0)
    rows = []
    for i in np.unique(areas.sindex.query(steps, predicate="intersects")[1]) if len(steps) else []:
        area = areas.geometry.iloc[int(i)]
        whole, stands = shapely.length(steps), shapely.intersects(starts, area)
        inside = np.where(whole > 0, shapely.intersection(steps, area), np.where(stands, starts, None))
        metres = np.nan_to_num(shapely.length(inside))
        # a person who stands still is inside or not; who moves is inside for the part of the step that is
        part = np.where(whole > 0, metres / np.where(whole > 0, whole, 1.0), stands)
        sight = shapely.buffer(shapely.union_all(inside), limits.sight_m)
        seen = shapely.intersection(sight, area)
        rows.append((int(i), float((part * seconds).sum()) / 60, float(metres.sum()), min(seen.area / area.area, 1.0)))
    return pd.DataFrame(rows, columns=["area", "minutes", "metres", "share"])


def _steps(t_s: Floats, x: Floats, y: Floats, hole_s: float) -> tuple[np.ndarray, Floats]:
    """Steps between neighbouring fixes as lines, and their seconds; those across a silence are left out."""
    if len(t_s) < 2:
        return np.empty(0, dtype=object), np.empty(0)
    seconds = np.diff(t_s)
    watched = np.isfinite(seconds) & (seconds <= hole_s)
    points = np.column_stack([x, y])
    return shapely.linestrings(np.stack([points[:-1], points[1:]], axis=1)[watched]), seconds[watched]
