"""The strip beside a river up to the first ridge (一重山): where mining is banned along main rivers and source waters.

From every few metres of the axis one looks square to the river over the ground; the first ridge is the highest ground from which
it falls again by a given drop. Register B24: 主要流域干流、饮用水源沿岸一重山范围内禁止矿产开采. What is called a ridge is a rule, and a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import CRS
from scipy import ndimage

from rivergis import crs, geometry
from rivergis.boundary.drafting.curves import Floats, axis_curve
from rivergis.boundary.drafting.edges import looks
from rivergis.boundary.drafting.flood import Heights
from rivergis.river.terrain import Dem

_NEIGHBOURS = 5
"""Looks whose median is taken: a single gap in a ridge, or a single knoll before it, does not count."""


@dataclass(frozen=True)
class Strip:
    """The strip of one reach: ``shape`` (MultiPolygon, metres), the ridge lines, and stretches (side, from, to) without a ridge."""

    shape: shapely.MultiPolygon
    ridges: tuple[tuple[str, shapely.LineString], ...]
    open_m: tuple[tuple[str, float, float], ...]


def strip(
    heights: Heights, axis: shapely.LineString, system: CRS, *, step_m: float, farthest_m: float, drop_m: float
) -> Strip:
    """The land from a reach (LineString, metres, downstream) to the first ridge on both sides.

    A ridge: ground from which it falls by at least ``drop_m`` within ``farthest_m`` of the axis. Where there is none, the strip
    has a gap there and that is told.
    """
    curve = axis_curve(axis)
    lonlat = crs.into_storage(system)(shapely.get_coordinates(axis))
    dem, _ = heights.read(lonlat, farthest_m)
    parts, ridges, open_ = [], [], []
    for bank, side in (("left", 1), ("right", -1)):
        at, origin, square = looks(curve, side, step_m)
        away = _steady(_first_ridge(dem, origin, square, system, farthest_m, drop_m))
        open_ += [(bank, float(at[r[0]]), float(at[r[-1]])) for r in _runs(np.isnan(away))]
        for run in _runs(np.isfinite(away)):
            if len(run) < 2:
                continue
            top = origin[run] + square[run] * away[run, None]
            ridges.append((bank, shapely.LineString(top)))
            steps = zip(run[:-1], run[1:], top[:-1], top[1:], strict=True)
            parts += [shapely.convex_hull(shapely.multipoints([origin[i], origin[j], a, b])) for i, j, a, b in steps]
    return Strip(geometry.polygons_of(shapely.union_all(parts)), tuple(ridges), tuple(open_))


def _first_ridge(dem: Dem, origin: Floats, square: Floats, system: CRS, farthest_m: float, drop_m: float) -> Floats:
    """Distance of the first ridge of each look; NaN where the ground does not fall again, or the DEM ends before."""
    far = np.arange(dem.cell_m, farthest_m, dem.cell_m)
    places = (origin[:, None, :] + square[:, None, :] * far[None, :, None]).reshape(-1, 2)
    row, column = dem.cells_of(crs.out_of_storage(dem.crs)(crs.into_storage(system)(places)))
    z = np.where(row >= 0, dem.z_m[row, column], np.nan).reshape(len(origin), len(far))
    z = np.where(np.cumsum(np.isnan(z), axis=1) > 0, np.nan, z)
    highest = np.fmax.accumulate(z, axis=1)
    with np.errstate(invalid="ignore"):
        fallen = highest - z >= drop_m
    first = np.argmax(fallen, axis=1)
    found = np.full(len(origin), np.nan)
    for k in np.flatnonzero(fallen.any(axis=1)):
        found[k] = far[int(np.argmax(z[k, : first[k]]))] if first[k] else np.nan
    return found


def _steady(away: Floats) -> Floats:
    """Distances without single outliers: the median of neighbouring looks; unknown stays unknown where most are."""
    known = np.where(np.isnan(away), np.inf, away)
    middle: Floats = ndimage.median_filter(known, _NEIGHBOURS, mode="nearest")
    return np.where(np.isinf(middle), np.nan, middle)


def _runs(mask: np.ndarray) -> Sequence[np.ndarray]:
    where = np.flatnonzero(mask)
    return np.split(where, np.flatnonzero(np.diff(where) > 1) + 1) if len(where) else []
