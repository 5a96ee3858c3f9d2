"""Lines that belong to a river and not to a reach: the reaches of a river as one course, so that such lines are judged along it."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import crs

JOIN_M = 1.0
"""How far the chainage of one reach may begin from where the one before ends."""


def courses(reaches: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """One row a river: its reaches joined end to end, first vertex upstream; a river in several pieces keeps them, numbered on.

    ``reaches``: LineStrings in metres with ``river`` and, where known, ``from_m``, ``to_m`` along it: then arms beside the stem
    are left out. Columns as in ``Case``; the width is that of all reaches of a river where they agree. Raises ``CrsRefused``.
    """
    crs.require_metric(reaches)
    rows: list[dict[str, Any]] = []
    for river, part in reaches.groupby("river", sort=True, dropna=True):
        width = part["width_m"].unique()
        for k, piece in enumerate(_pieces(part)):
            rows.append(
                {
                    "reach_id": str(river) if not k else f"{river}.{k}",
                    "river": river,
                    "width_m": float(width[0]) if len(width) == 1 else float("nan"),
                    "map_border": bool(part["map_border"].any()),
                    "main": k == 0,
                    "geometry": piece,
                }
            )
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=reaches.crs)
    return frame.assign(down_reach=None, kind=None, levee_grade=None, length_m=np.nan)


def _pieces(part: gpd.GeoDataFrame) -> Any:
    """The stem of a river by its chainage; else what can be joined end to end, the longest first."""
    shapes = part.geometry.values
    low, high = part["from_m"].to_numpy(float), part["to_m"].to_numpy(float)
    if np.isfinite(low).all() and np.isfinite(high).all() and low.min() <= JOIN_M:
        stem, at = [], float(low.min())
        while True:
            follows = np.flatnonzero((np.abs(low - at) <= JOIN_M) & (high > at + JOIN_M))
            if not len(follows):
                break
            best = int(follows[np.argmax(high[follows])])
            stem.append(shapely.get_coordinates(shapes[best]))
            at = float(high[best])
        if stem and at >= high.max() - JOIN_M:
            return [shapely.linestrings(np.vstack(stem))]
    pieces = shapely.get_parts(shapely.line_merge(shapely.union_all(shapes), directed=True))
    return pieces[np.argsort(-shapely.length(pieces), kind="stable")]


def on_courses(frame: gpd.GeoDataFrame, found: gpd.GeoDataFrame) -> Any:
    """The course of each row by its ``river``: the nearest piece of it; None for a river without one."""
    pieces: dict[Any, list[int]] = {}
    for i, river in enumerate(found["river"]):
        pieces.setdefault(river, []).append(i)
    names, shapes = found["reach_id"].to_numpy(object), found.geometry.values
    out = np.full(len(frame), None, object)
    middle = shapely.centroid(frame.geometry.values)
    for k, river in enumerate(frame["river"]):
        own = pieces.get(river, [])
        if own:
            nearest = np.nanargmin([*shapely.distance(shapes[own], middle[k]), np.inf]) if len(own) > 1 else 0
            out[k] = names[own[min(int(nearest), len(own) - 1)]]
    return out
