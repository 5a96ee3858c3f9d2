"""Stretches of rivers by chainage as lines on the map (桩号上图): pieces of the axis, with the half width of the reach there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.river.chainage import Axis


def on_lines(
    stretches: pd.DataFrame, axes: gpd.GeoDataFrame, reaches: gpd.GeoDataFrame, names: Mapping[Any, str]
) -> gpd.GeoDataFrame:
    """Stretches (river_id, from_m, to_m) with their piece of the axis (LineString, EPSG:4490; None off its ends).

    ``axes``: river_id, origin_m, geom; ``reaches``: river_id, from_m, half_width_m, geom, taken where a river has no axis;
    ``names``: of rivers by id. Adds ``half_width_m`` of the reach in the middle and ``river``.
    """
    shapes = np.full(len(stretches), None, dtype=object)
    rows = stretches.reset_index(drop=True).groupby("river_id", sort=False).indices
    for river, axis in _axes(axes, reaches, rows).items():
        own = stretches.iloc[rows[river]]
        shapes[rows[river]] = pieces(axis, own["from_m"].to_numpy(float), own["to_m"].to_numpy(float))
    out = gpd.GeoDataFrame(stretches.reset_index(drop=True), geometry=list(shapes), crs=crs.STORAGE)
    named = stretches["river_id"].map(dict(names)).to_numpy(object)
    return out.assign(half_width_m=_half_widths(stretches, reaches), river=named)


def _axes(axes: gpd.GeoDataFrame, reaches: gpd.GeoDataFrame, rivers: Collection[Any]) -> dict[Any, Axis]:
    """The line that each river is measured on: its axis, or where it has none its reaches if they make one line."""
    out = {a.river_id: Axis(a.geom, a.origin_m) for a in axes.itertuples() if a.river_id in rivers}
    rest = reaches[reaches["from_m"].notna() & ~reaches["river_id"].isin(out)]
    for river, own in rest[rest["river_id"].isin(list(rivers))].groupby("river_id"):
        chain = own.sort_values("from_m")
        line = shapely.line_merge(shapely.multilinestrings(chain.geometry.to_numpy()), directed=True)
        if line.geom_type == "LineString":
            out[river] = Axis(line, float(chain["from_m"].iloc[0]))
    return out


def pieces(axis: Axis, from_m: np.ndarray, to_m: np.ndarray) -> np.ndarray:
    """Parts of one axis, all at once; None where a part lies off its ends."""
    lo, hi = np.maximum(from_m, axis.origin_m), np.minimum(to_m, axis.end_m)
    heads, tails = (shapely.get_coordinates(axis.points_at(m)) for m in (lo, hi))
    vertices, at = shapely.get_coordinates(axis.line), axis.vertices_m
    first, last = np.searchsorted(at, lo + 1e-6, side="right"), np.searchsorted(at, hi - 1e-6)
    out = np.full(len(lo), None, dtype=object)
    for k in np.flatnonzero(hi - lo > 1e-3):
        out[k] = shapely.LineString(np.vstack([heads[k : k + 1], vertices[first[k] : last[k]], tails[k : k + 1]]))
    return out


def _half_widths(stretches: pd.DataFrame, reaches: gpd.GeoDataFrame) -> np.ndarray:
    """Half width of the reach in the middle of each stretch, NaN where no reach is known there."""
    on = reaches[reaches["from_m"].notna()].sort_values("from_m")
    groups = {r: (g["from_m"].to_numpy(float), g["half_width_m"].to_numpy(float)) for r, g in on.groupby("river_id")}
    out = np.full(len(stretches), np.nan)
    for i, (river, a, b) in enumerate(zip(stretches["river_id"], stretches["from_m"], stretches["to_m"], strict=True)):
        if river in groups:
            starts, widths = groups[river]
            out[i] = widths[max(int(np.searchsorted(starts, (a + b) / 2, side="right")) - 1, 0)]
    return out
