"""Surrogate boundaries where no line was announced: water's edge or centre line plus an offset from the rules.

A surrogate (``basis = surrogate``) serves orientation only; what lies inside it is never worded as a lead against
somebody. Source: 《遥感技术支撑河湖监管典型案例分析》2020 allows surrogates for remote-sensing work where no line exists.
"""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import shapely

from rivergis import crs, geometry


def surrogate_areas(
    reaches: gpd.GeoDataFrame, water: gpd.GeoDataFrame, line_offset_m: Mapping[str, float], water_offset_m: float
) -> gpd.GeoDataFrame:
    """Surrogate management area (MultiPolygon) of each river: one row a ``river_id``, with ``half_width_basis``.

    ``reaches``: LineStrings in metres with river_id, kind, half_width_m; ``water``: areas in metres (river_id may be
    null: a water area then belongs to the reaches that cross it). Offsets in metres: from the line by reach kind (plus
    its half width where known), from the water's edge. Raises ``CrsRefused`` for frames in degrees, ``KeyError`` for a kind without an offset.
    """
    crs.require_metric(reaches)
    half = np.nan_to_num(reaches["half_width_m"].to_numpy(dtype=float))
    offset = half + np.array([line_offset_m[k] for k in reaches["kind"]])
    corridor = shapely.buffer(reaches.geometry.values, offset, cap_style="flat")
    rows = {"river_id": list(reaches["river_id"]), "geom": list(corridor)}
    if len(water):
        crs.require_metric(water)
        areas = np.array([geometry.polygons_of(g) for g in water.geometry], dtype=object)
        line, area = shapely.STRtree(areas).query(reaches.geometry.values, predicate="intersects")
        rows["river_id"] += [reaches["river_id"].iloc[i] for i in line]
        rows["geom"] += list(shapely.buffer(areas[area], water_offset_m))
    parts = gpd.GeoDataFrame(rows, geometry="geom", crs=reaches.crs)
    merged = parts.dissolve(by="river_id", sort=True).reset_index()
    merged["geom"] = [geometry.polygons_of(g) for g in merged.geometry]
    return merged.set_geometry("geom")
