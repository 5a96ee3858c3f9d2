"""The drawdown belt of a reservoir (消落带): land that lies dry at the low and under water at the high level, and what lies in it.

Both surfaces are level and hang together with the water of the reservoir. Register B27: 全面禁止在三峡库区消落带从事水产养殖 (the levels,
175 m and 145 m there, come from the user).
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from rivergis import crs, geometry
from rivergis.boundary.drafting.flood import Heights, level_area
from rivergis.errors import UsageError


@dataclass(frozen=True)
class Belt:
    """The belt (MultiPolygon, metres), what is always under water, and the objects in the belt with ``inside_m2``, ``inside_share``."""

    shape: shapely.MultiPolygon
    below: shapely.MultiPolygon
    objects: gpd.GeoDataFrame
    indicative: bool

    @property
    def area_m2(self) -> float:
        return float(self.shape.area)


def belt(
    heights: Heights,
    water: shapely.MultiPolygon,
    low_m: float,
    high_m: float,
    system: CRS,
    objects: gpd.GeoDataFrame | None = None,
) -> Belt:
    """The land between two levels of a reservoir. ``water``: its surface at any level (metres); ``objects``: areas in metres.

    Raises ``UsageError`` where the levels are exchanged. A belt from a coarse or surface DEM is ``indicative``.
    """
    if not low_m < high_m:
        raise UsageError(f"The low level {low_m:g} m must lie below the high level {high_m:g} m: exchange them.")
    high, low = (level_area(heights, water, level, system) for level in (high_m, low_m))
    shape = geometry.polygons_of(shapely.difference(high, low))
    return Belt(shape, low, _inside(objects, shape), heights.indicative)


def _inside(objects: gpd.GeoDataFrame | None, shape: shapely.MultiPolygon) -> gpd.GeoDataFrame:
    """Objects that lie in the belt with the part of them that does."""
    if objects is None:
        return gpd.GeoDataFrame({"inside_m2": [], "inside_share": []}, geometry=[])
    crs.require_metric(objects)
    shapely.prepare(shape)
    near = objects[shapely.intersects(shape, objects.geometry.to_numpy())].copy()
    metres = shapely.area(shapely.intersection(shape, near.geometry.to_numpy()))
    near["inside_m2"] = np.round(metres, 1)
    near["inside_share"] = np.round(metres / np.maximum(shapely.area(near.geometry.to_numpy()), 1e-9), 4)
    return near
