"""The ground that the lines of a draft enclose: lines are drawn, areas are derived from them, and what does not close is said."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import pandas as pd

from rivergis import crs
from rivergis.boundary.ground import bank_areas
from rivergis.boundary.ground.closing import Said
from rivergis.boundary.redraw import compare as diff


def plane_of(*frames: gpd.GeoDataFrame) -> object:
    """The plane in metres, with the areas of the ellipsoid, in which frames in degrees are compared."""
    boxes = [f.geometry.bounds for f in frames if len(f)]
    if not boxes:
        return diff.plane(105.0, 30.0)
    some = pd.concat(boxes)
    west, south, east, north = some.minx.min(), some.miny.min(), some.maxx.max(), some.maxy.max()
    return diff.plane((west + east) / 2, (south + north) / 2)


def areas(lines: gpd.GeoDataFrame, *, snap_m: float) -> tuple[gpd.GeoDataFrame, list[Said]]:
    """Management areas (管理范围) between the lines of each reach, or of each river where no reach is named.

    ``lines``: LineString in metres with river_id, reach_code (or None), bank. Returns MultiPolygons with river_id, reach_code, and what
    could not be closed (code ``boundary_open``, features = index of its lines). Raises ``CrsRefused`` for degrees.
    """
    crs.require_metric(lines)
    reach = lines["reach_code"].astype(object) if "reach_code" in lines else pd.Series(None, lines.index, dtype=object)
    # a river of which only some stretches name their reach is closed as a whole
    whole = lines["river_id"].map(reach.isna().groupby(lines["river_id"]).any())
    reach = reach.where(~whole, None)
    keyed = lines.assign(stretch=lines["river_id"].astype(str) + "/" + reach.fillna("").astype(str))
    between = bank_areas.between(keyed, "stretch", snap_m)
    row = between.areas["row"].to_numpy(dtype=int)
    out = gpd.GeoDataFrame(
        {"river_id": lines["river_id"].to_numpy()[row], "reach_code": reach.to_numpy()[row]},
        geometry=between.areas.geometry.values,
        crs=lines.crs,
    ).rename_geometry("geom")
    rows = keyed.groupby("stretch").groups
    open_ = [
        Said(
            "boundary_open",
            f"{stretch.partition('/')[2] or 'The river'} encloses nothing: {why}",
            tuple(str(i) for i in rows[stretch]),
        )
        for stretch, why in between.open.items()
    ]
    return out, open_


def open_stretches(said: Iterable[Said]) -> list[Said]:
    """What keeps the ground from being known."""
    return [s for s in said if s.code == "boundary_open"]
