"""网格 grid cells clipped to the river corridor, and whether each was searched: all of its bank metres, some, or none. Register id A14."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.errors import UsageError

SEARCHED, PARTLY, OPEN = "searched", "partly", "open"
MOST_CELLS = 200_000
CRUMB_M = 1.0  # less bank than this in a corner of a cell neither opens nor fills it


def cells(lines: gpd.GeoDataFrame, *, cell_m: float, beyond_bank_m: float) -> gpd.GeoDataFrame:
    """Square cells of ``cell_m`` that hold some bank, clipped to what can be seen from it, each with its searched share.

    ``lines``: stretches (LineString, EPSG:4490) with ``seen`` (bool), ``length_m``, ``half_width_m``; both banks of a river lie on one
    line. The grid is that of the local map zone, its corners at whole multiples of the cell. Columns: cell (name), bank_m, seen_m,
    share, cls; where ``lines`` say when and by which track they were seen (first_seen, last_seen, track_id) also first_seen,
    last_seen and tracks of the cell; MultiPolygon, EPSG:4490. ``UsageError`` for cells that would be too many or have no size.
    """
    if not cell_m >= 50:
        raise UsageError(f"A grid cell of {cell_m:g} m is too small: give at least 50 m.")
    own = lines[lines.geometry.notna() & ~lines.geometry.is_empty]
    if own.empty:
        return gpd.GeoDataFrame(_COLUMNS, geometry=[], crs=crs.STORAGE)
    metric = crs.to_metric(own)
    parts = _cut(metric, cell_m)
    table = parts.groupby(["column", "row"], sort=True)[["bank_m", "seen_m"]].sum().reset_index()
    table = table[table["bank_m"] >= CRUMB_M].reset_index(drop=True)
    share = table["seen_m"] / table["bank_m"]
    whole = table["bank_m"] - table["seen_m"] < CRUMB_M
    cls = np.where(whole, SEARCHED, np.where(table["seen_m"] < CRUMB_M, OPEN, PARTLY))
    names = [f"{int(c)}-{int(r)}" for c, r in zip(table["column"], table["row"], strict=True)]
    out = table[["bank_m", "seen_m"]].assign(cell=names, share=np.where(whole, 1.0, share), cls=cls)
    if {"first_seen", "last_seen", "track_id"} <= set(metric.columns):
        out = out.join(_searches(parts, metric, table))
    shapes = _clipped(table, metric, cell_m, beyond_bank_m)
    return crs.to_storage(gpd.GeoDataFrame(out, geometry=shapes, crs=metric.crs))


def _searches(parts: pd.DataFrame, metric: gpd.GeoDataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """When and by which tracks the bank of each cell was seen, in the order of ``table``: first_seen, last_seen, tracks."""
    seen = parts[parts["seen_m"] >= CRUMB_M]
    told = metric[["first_seen", "last_seen", "track_id"]].iloc[seen["line"].to_numpy()].reset_index(drop=True)
    own = pd.concat([seen[["column", "row"]].reset_index(drop=True), told], axis=1).groupby(["column", "row"])
    at = pd.MultiIndex.from_frame(table[["column", "row"]])
    tracks = own["track_id"].agg(lambda t: tuple(sorted({str(k) for k in t if k is not None})))
    days = [own[c].agg(f).reindex(at).reset_index(drop=True) for c, f in (("first_seen", "min"), ("last_seen", "max"))]
    out = pd.DataFrame({"first_seen": days[0], "last_seen": days[1]}).astype(object)
    out = out.where(out.notna(), None)
    return out.assign(tracks=[t if isinstance(t, tuple) else () for t in tracks.reindex(at)])


_COLUMNS: dict[str, list[Any]] = {"bank_m": [], "seen_m": [], "cell": [], "share": [], "cls": []}


def _cut(metric: gpd.GeoDataFrame, cell_m: float) -> pd.DataFrame:
    """Metres of bank of every stretch in every cell it runs through: column, row, bank_m, seen_m."""
    boxes = _squares(metric, cell_m)
    line, square = shapely.STRtree(boxes["shape"].to_numpy()).query(metric.geometry.values, predicate="intersects")
    inside = shapely.length(shapely.intersection(metric.geometry.values[line], boxes["shape"].to_numpy()[square]))
    whole = shapely.length(metric.geometry.values)[line]
    # on the ellipsoid, and a line along the border of two cells counts half in each
    total = pd.Series(inside).groupby(line).transform("sum").to_numpy()
    metres = metric["length_m"].to_numpy(float)[line] * inside / np.where(total > 0, total, np.maximum(whole, 1e-9))
    seen = np.where(metric["seen"].to_numpy(bool)[line], metres, 0.0)
    at = boxes.iloc[square]
    return pd.DataFrame(
        {"column": at["column"].to_numpy(), "row": at["row"].to_numpy(), "bank_m": metres, "seen_m": seen, "line": line}
    )


def _squares(metric: gpd.GeoDataFrame, cell_m: float) -> pd.DataFrame:
    """The cells that the boxes of short pieces of the lines touch: column, row and shape."""
    pieces = shapely.segmentize(metric.geometry.values, cell_m / 2)
    xy = shapely.get_coordinates(pieces)
    near = np.floor(xy / cell_m).astype(np.int64)
    around = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    index = np.unique((near[:, None, :] + around[None, :, :]).reshape(-1, 2), axis=0)
    if len(index) > MOST_CELLS:
        raise UsageError(
            f"A grid of {cell_m:g} m would have more than {MOST_CELLS:,} cells here: give larger ones with --cell."
        )
    low = index * cell_m
    shapes = shapely.box(low[:, 0], low[:, 1], low[:, 0] + cell_m, low[:, 1] + cell_m)
    return pd.DataFrame({"column": index[:, 0], "row": index[:, 1], "shape": shapes})


def _clipped(table: pd.DataFrame, metric: gpd.GeoDataFrame, cell_m: float, beyond_bank_m: float) -> Any:
    """Cells cut to the corridor: half the width of the river and what is seen beyond its bank."""
    wide = metric["half_width_m"].fillna(0.0).to_numpy(float) + beyond_bank_m
    corridor = shapely.buffer(shapely.simplify(metric.geometry.values, 1.0), wide, quad_segs=4)
    low = table[["column", "row"]].to_numpy(float) * cell_m
    squares = shapely.box(low[:, 0], low[:, 1], low[:, 0] + cell_m, low[:, 1] + cell_m)
    cell, line = shapely.STRtree(corridor).query(squares, predicate="intersects")
    out = []
    for i, square in enumerate(squares):
        shape = shapely.intersection(shapely.union_all(corridor[line[cell == i]]), square)
        flat = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
        out.append(shapely.multipolygons(flat) if flat else shapely.multipolygons([square]))
    return out
