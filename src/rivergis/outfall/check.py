"""Where does an outfall lie: inside a source protection zone, and how far from the water it drains to?

Source: 水污染防治法 art. 64 (no outfall inside any drinking-water source zone); Order 35 of the Ministry of Ecology
and Environment for the register.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs


def in_zones(outfalls: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> pd.DataFrame:
    """The highest-class zone each outfall lies in: rows (outfall, zone, zone_class, depth_m), positions in the frames.

    Both frames in metres; outfalls Points, zones areas with ``zone_class`` (1 highest). ``depth_m`` is the distance
    from the outfall to the nearest edge of that zone: how far inside. An outfall on the edge counts as inside.
    """
    crs.require_metric(outfalls)
    columns = ["outfall", "zone", "zone_class", "depth_m"]
    if zones.empty or outfalls.empty:
        return pd.DataFrame(columns=columns)
    areas = shapely.make_valid(zones.geometry.values)
    point, area = shapely.STRtree(areas).query(outfalls.geometry.values, predicate="intersects")
    depth = shapely.distance(outfalls.geometry.values[point], shapely.boundary(areas)[area])
    hits = pd.DataFrame(
        {"outfall": point, "zone": area, "zone_class": zones["zone_class"].to_numpy()[area], "depth_m": depth}
    )
    return (
        hits.sort_values(["outfall", "zone_class", "depth_m", "zone"], ascending=[True, True, False, True])
        .drop_duplicates("outfall")
        .reset_index(drop=True)
    )


def distance_to_water_m(outfalls: gpd.GeoDataFrame, reaches: gpd.GeoDataFrame, water: gpd.GeoDataFrame) -> np.ndarray:
    """Distance in metres from each outfall to the nearest water: a water area, or a reach line less its half width.

    All frames in metres; infinity where there is no water at all.
    """
    crs.require_metric(outfalls)
    best = np.full(len(outfalls), np.inf)
    if len(water) and len(outfalls):
        tree = shapely.STRtree(water.geometry.values)
        at, near = tree.nearest(outfalls.geometry.values), water.geometry.values
        best = np.minimum(best, shapely.distance(outfalls.geometry.values, near[at]))
    if len(reaches) and len(outfalls):
        lines, half = reaches.geometry.values, np.nan_to_num(reaches["half_width_m"].to_numpy(dtype=float))
        at = shapely.STRtree(lines).nearest(outfalls.geometry.values)
        best = np.minimum(best, np.maximum(shapely.distance(outfalls.geometry.values, lines[at]) - half[at], 0.0))
    return best
