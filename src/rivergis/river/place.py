"""Things on reaches: which reach a point lies on and how far along, and the shape of a part of a reach.

Everything is measured on the ellipsoid; metres along a reach count from its upstream end.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.errors import NotFound
from rivergis.river.chainage import Axis
from rivergis.river.feet import Chains, lonlat_of

_SAME_DISTANCE_M = 1e-4  # at a confluence several reaches are nearest: the one that begins there is taken
_WHOLE_M = 1e-6


def place(reaches: gpd.GeoDataFrame, points: gpd.GeoSeries, *, within_m: float, min_confidence: float) -> pd.DataFrame:
    """The reach nearest to each point (上图到河段), where along it, how far off and on which bank.

    ``reaches``: frame of a network (LineString, EPSG:4490); shorelines carry nothing. ``points``: Point in degrees. One row per
    point, with its index: ``reach_id`` (None when every reach is farther than ``within_m``), ``at_m``, ``offset_m`` (left
    positive), ``bank`` (None on the line itself), ``bank_certain`` (False where the point has no side, or the direction of the
    reach is less sure than ``min_confidence``).
    """
    carrying = reaches[reaches["kind"] != "shoreline"] if "kind" in reaches else reaches
    feet = Chains(carrying.geometry.values).rivals(lonlat_of(points), 1.0, _SAME_DISTANCE_M)
    near = np.abs(feet.offset_m)
    tied = near <= near[np.searchsorted(feet.point, feet.point)] + _SAME_DISTANCE_M
    order = np.lexsort((feet.line, feet.along_m, ~tied, feet.point))
    own = feet[order[np.searchsorted(feet.point[order], np.arange(len(points)))]]
    ids = carrying["reach_id"].to_numpy(dtype=object)[own.line]
    known = carrying["direction_confidence"] if "direction_confidence" in carrying else pd.Series(1.0, carrying.index)
    sure = known.fillna(0.0).to_numpy(dtype=np.float64)[own.line] >= min_confidence
    side = np.where(own.offset_m >= 0, "left", "right").astype(object)
    side[~own.sided] = None
    ids[np.abs(own.offset_m) > within_m] = None
    return pd.DataFrame(
        {
            "reach_id": pd.Series(ids, points.index, dtype=object),
            "at_m": own.along_m,
            "offset_m": own.offset_m,
            "bank": pd.Series(side, points.index, dtype=object),
            "bank_certain": own.sided & sure,
        },
        index=points.index,
    )


def place_one(
    reaches: gpd.GeoDataFrame, lon: float, lat: float, *, within_m: float, min_confidence: float
) -> dict[str, object]:
    """``place`` of one position in degrees; ``NotFound`` when no reach is within ``within_m`` of it."""
    points = gpd.GeoSeries([shapely.Point(lon, lat)], crs=crs.STORAGE)
    [row] = place(reaches, points, within_m=within_m, min_confidence=min_confidence).to_dict("records")
    if row["reach_id"] is None:
        raise NotFound(
            f"The nearest reach is {abs(row['offset_m']):.0f} m from {lon:.6f}, {lat:.6f}, more than {within_m:g} m: give a "
            "position nearer to a channel."
        )
    return {str(k): v for k, v in row.items()}


def cut(parts: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Parts of reaches with their own shape: ``from_m``, ``to_m`` and the whole reach as geometry (LineString, EPSG:4490) in.

    A part without length has no shape.
    """
    lines = parts.geometry.to_numpy(dtype=object).copy()
    length = crs.length_m(lines)
    from_m, to_m = parts["from_m"].to_numpy(np.float64), parts["to_m"].to_numpy(np.float64)
    for i in np.flatnonzero((from_m > _WHOLE_M) | (to_m < length - _WHOLE_M)):
        lines[i] = _part(lines[i], from_m[i], min(to_m[i], length[i]), length[i])
    return parts.set_geometry(gpd.GeoSeries(lines, index=parts.index, crs=parts.crs))


def _part(line: shapely.LineString, from_m: float, to_m: float, length_m: float) -> shapely.LineString | None:
    """Part of a line; an end that is not cut stays the vertex it was, so that parts meet at nodes."""
    if to_m - from_m <= _WHOLE_M:
        return None
    xy = shapely.get_coordinates(Axis(line).stretch(from_m, to_m))
    whole = shapely.get_coordinates(line)
    if from_m <= _WHOLE_M:
        xy[0] = whole[0]
    if to_m >= length_m - _WHOLE_M:
        xy[-1] = whole[-1]
    return shapely.LineString(xy)
