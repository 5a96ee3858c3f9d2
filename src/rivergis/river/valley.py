"""To which chainage does each place of the valley belong? The field of chainages that a water surface is hung on.

Not simply the nearest point of the axis: a hill between a place and the nearest bend sends it to the bend whose valley it lies
in, and far from the river its small bends no longer count, so that the field rises evenly down a valley of meanders.
The field depends on ground and axis alone, never on a water level: that is why a higher level can only make more land wet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import shapely
from rasterio import features
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from rivergis import crs
from rivergis.errors import InputError
from rivergis.river.terrain import Dem, Mask

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_POINTS = 200_000
MOST_COARSE = 600_000
_BRIDGE_M = 300.0
"""Longest bridge or dam that is looked through for the height of the bed."""


@dataclass(frozen=True)
class Channel:
    """A river axis on the grid of a DEM, as evenly spaced points, from before it enters the grid to after it leaves it.

    ``xy_m``: (n, 2) metres right and down from the corner of the grid; ``at_m``: chainage of each point, rising; ``over``:
    bool (n,), whether it lies over the grid; ``cells``: bool (rows, columns), every cell the axis touches, so that they hang
    together by their sides.
    """

    xy_m: Floats
    at_m: Floats
    over: Mask
    cells: Mask
    cell_m: tuple[float, float]
    """Width and height of a cell in the middle row."""

    @property
    def step_m(self) -> float:
        return float((self.at_m[-1] - self.at_m[0]) / (len(self.at_m) - 1))

    @property
    def over_at_m(self) -> Floats:
        """Chainages of the points over the grid."""
        return self.at_m[self.over]

    def cell_of(self, shape: tuple[int, int], coarser: int = 1) -> tuple[Ints, Ints]:
        """(row, column) of each point over the grid, which may be coarser by a whole factor."""
        width, height = self.cell_m
        row = np.floor(self.xy_m[self.over, 1] / height / coarser).astype(np.int64)
        column = np.floor(self.xy_m[self.over, 0] / width / coarser).astype(np.int64)
        return row.clip(0, shape[0] - 1), column.clip(0, shape[1] - 1)


def channel_on(dem: Dem, axis: shapely.LineString, origin_m: float = 0.0) -> Channel:
    """An axis (LineString in degrees of EPSG:4490, first vertex upstream) on the grid of a DEM.

    What lies farther off than the grid is large is left away.
    Chainages are metres on the ellipsoid from ``origin_m`` at the first vertex. How densely the axis was digitised changes
    nothing. ``InputError`` where it does not touch the DEM.
    """
    lonlat = shapely.get_coordinates(axis)
    steps = crs.GEOD.inv(lonlat[:-1, 0], lonlat[:-1, 1], lonlat[1:, 0], lonlat[1:, 1])[2]
    at = origin_m + np.concatenate([[0.0], np.cumsum(steps)])
    xy = crs.out_of_storage(dem.crs)(lonlat)
    grid = np.column_stack((~dem.affine) @ (xy[:, 0], xy[:, 1]))  # columns and rows, fractions of cells
    widths, heights = dem.cell_size_m
    middle = dem.shape[0] // 2
    cell = (float(widths[middle]), float(heights[middle]))
    step = max(min(cell) / 2, (at[-1] - at[0]) / MOST_POINTS)
    even = np.linspace(at[0], at[-1], max(int(np.ceil((at[-1] - at[0]) / step)), 2) + 1)
    points = np.column_stack([np.interp(even, at, grid[:, 0]), np.interp(even, at, grid[:, 1])])
    size = np.array(dem.shape[::-1])
    over = _within(points, size, 1e-6)
    if over.sum() < 2:
        raise InputError(f"The river axis does not touch {dem.name}: give the axis of the river this DEM covers.")
    first, last = _round(over, _within(points, size, float(size.max())))
    line = shapely.LineString(grid)
    touched = features.rasterize([line], out_shape=dem.shape, all_touched=True, dtype=np.uint8).astype(bool)
    part = slice(first, last + 1)
    return Channel(points[part] * np.array(cell), even[part], over[part], _by_sides(touched, dem.z_m), cell)


def _within(points: Floats, size: Ints, margin: float) -> Mask:
    return np.asarray(((points > -margin) & (points < size + margin)).all(axis=1), dtype=bool)


def _round(over: Mask, near: Mask) -> tuple[int, int]:
    """First and last point of the unbroken stretch of near points round those over the grid."""
    first, last = np.flatnonzero(over)[[0, -1]]
    far_before, far_after = np.flatnonzero(~near[:first]), np.flatnonzero(~near[last:])
    return (far_before[-1] + 1 if len(far_before) else 0), (
        last + far_after[0] - 1 if len(far_after) else len(near) - 1
    )


def _by_sides(touched: Mask, z: npt.NDArray[np.float32]) -> Mask:
    """Cells of a line that hang together by their sides: where they only met at a corner, the lower of the two beside it joins."""
    ground = np.where(np.isnan(z), -np.inf, z)
    out = touched.copy()
    top, bottom, left, right = np.s_[:-1], np.s_[1:], np.s_[:-1], np.s_[1:]
    for a, b, c, d in (
        ((top, left), (bottom, right), (top, right), (bottom, left)),
        ((top, right), (bottom, left), (top, left), (bottom, right)),
    ):
        corner = touched[a] & touched[b] & ~touched[c] & ~touched[d]
        out[c] |= corner & (ground[c] <= ground[d])
        out[d] |= corner & (ground[d] <= ground[c])
    return out


def chainages(
    asked: npt.NDArray[np.float32], dem: Dem, channel: Channel, barrier: float, below_m: float = np.inf
) -> npt.NDArray[np.float32]:
    """Chainage each cell belongs to, float32 (rows, columns), metres; NaN where ``asked`` is not below ``below_m``.

    Chainages beyond the ends of the axis say how far beyond. A metre of ground to be climbed between river and cell counts
    as ``barrier`` metres of way: a cell in a side valley belongs to its mouth, not to the bend beyond the hill, but one behind
    a levee to the river beside it.
    """
    nearest = _nearest_by_way(dem, channel, barrier)
    out = np.full(dem.shape, np.nan, dtype=np.float32)
    _feet(asked, nearest, _coarser(dem), *_packed(channel), np.array(channel.cell_m), channel.step_m, below_m, out)
    return out


def chainages_at(dem: Dem, channel: Channel, barrier: float, lonlat: Floats) -> Floats:
    """Chainage that positions (n, 2) in degrees of EPSG:4490 belong to: that of their cell; NaN off the DEM."""
    row, column = dem.cells_of(crs.out_of_storage(dem.crs)(lonlat))
    on = row >= 0
    asked = np.full(dem.shape, np.nan, dtype=np.float32)
    asked[row[on], column[on]] = 0
    found = chainages(asked, dem, channel, barrier)
    return np.where(on, found[row, column], np.nan).astype(np.float64)


def _packed(channel: Channel) -> tuple[Floats, Floats, Ints, Ints]:
    """The axis and ever smoother copies of it, one behind the other: positions, chainages, where each begins, stride.

    Copy k is smoothed over 4, 8, 16 ... points and keeps every 1st, 2nd, 4th ... of them. Ends and straight lines stay where
    they are: beyond an end the axis goes on turned round it.
    """
    n, points = len(channel.xy_m), 4
    curves, at, strides = [channel.xy_m], [channel.at_m], [1]
    while points < n / 4:
        pad = min(3 * points, n - 1)
        curve = np.pad(channel.xy_m, ((pad, pad), (0, 0)), mode="reflect", reflect_type="odd")
        for _ in range(3):  # three boxes of this size have the spread of a bell of so many points
            curve = ndimage.uniform_filter1d(curve, 2 * points + 1, axis=0, mode="nearest")
        kept = np.append(np.arange(0, n - 1, points // 4), n - 1)
        curves.append(curve[pad : pad + n][kept])
        at.append(channel.at_m[kept])
        strides.append(points // 4)
        points *= 2
    begins = np.cumsum([0] + [len(c) for c in curves])
    return np.concatenate(curves), np.concatenate(at), begins, np.array(strides)


def _coarser(dem: Dem) -> int:
    """Cells per side that are taken together for the search of ways; the chainages themselves are found cell by cell."""
    return max(1, int(np.ceil(np.sqrt(dem.z_m.size / MOST_COARSE))))


def _nearest_by_way(dem: Dem, channel: Channel, barrier: float) -> npt.NDArray[np.int32]:
    """Number of the axis point each (coarse) cell is reached from by the cheapest way, int32."""
    factor = _coarser(dem)
    ground = _coarse(dem.z_m, factor)
    rows, columns = ground.shape
    width, height = channel.cell_m
    x = (np.arange(columns) + 0.5) * factor * width
    y = (np.arange(rows) + 0.5) * factor * height
    centres = np.column_stack([np.tile(x, rows), np.repeat(y, columns)])
    graph = _ways(ground, factor * width, factor * height, barrier)
    seeds, point = _seeds(channel, centres, ground.shape, factor)
    _, _, source = csgraph.dijkstra(graph, indices=seeds, min_only=True, return_predecessors=True)
    of_cell = np.full(ground.size, -1, dtype=np.int32)
    of_cell[seeds] = point
    return of_cell[source].reshape(ground.shape)


def _seeds(channel: Channel, centres: Floats, shape: tuple[int, int], factor: int) -> tuple[Ints, Ints]:
    """Coarse cells under the axis, each with the axis point nearest to its middle."""
    row, column = channel.cell_of(shape, factor)
    cell = row * shape[1] + column
    away = np.hypot(*(channel.xy_m[channel.over] - centres[cell]).T)
    order = np.lexsort((away, cell))
    cells, first = np.unique(cell[order], return_index=True)
    return cells, np.flatnonzero(channel.over)[order[first]]


def bed_m(dem: Dem, channel: Channel) -> Floats:
    """Height of the bed at each axis point over the grid, metres: the lowest ground along a stretch longer than any bridge."""
    z = dem.z_m[channel.cell_of(dem.shape)].astype(np.float64)
    known = ~np.isnan(z)
    if not known.any():
        return np.full(len(z), -np.inf)
    z = np.interp(np.arange(len(z)), np.flatnonzero(known), z[known])
    return np.asarray(ndimage.minimum_filter1d(z, max(3, int(_BRIDGE_M / channel.step_m) | 1)))


def _coarse(z: npt.NDArray[np.float32], factor: int) -> Floats:
    """Means of blocks of cells, of the ground in them; NaN where there is none."""
    if factor == 1:
        return z.astype(np.float64)
    rows, columns = (-(-n // factor) for n in z.shape)
    total, count = np.zeros((rows, columns)), np.zeros((rows, columns))
    at_row, at_column = np.arange(0, z.shape[0], factor), np.arange(0, z.shape[1], factor)
    for i, start in enumerate(at_row):
        block = z[start : start + factor]
        ground = ~np.isnan(block)
        total[i] = np.add.reduceat(np.where(ground, block, 0).sum(axis=0, dtype=np.float64), at_column)
        count[i] = np.add.reduceat(ground.sum(axis=0), at_column)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _ways(ground: Floats, width: float, height: float, barrier: float) -> Any:
    """Graph of the ways from the river outwards between neighbouring cells, by side and by corner.

    Outwards the ground rises; where it falls, something was climbed before: each metre of it counts as ``barrier`` metres of
    way. Over voids a way counts its length.
    """
    number = np.arange(ground.size).reshape(ground.shape)
    corner = float(np.hypot(width, height))
    ends = [
        (np.s_[:, :-1], np.s_[:, 1:], width),
        (np.s_[:-1, :], np.s_[1:, :], height),
        (np.s_[:-1, :-1], np.s_[1:, 1:], corner),
        (np.s_[:-1, 1:], np.s_[1:, :-1], corner),
    ]
    a, b, cost = [], [], []
    for p, q, length in ends:
        for here, there in ((p, q), (q, p)):
            drop = np.nan_to_num(ground[here] - ground[there])
            a.append(number[here].ravel())
            b.append(number[there].ravel())
            cost.append((length + barrier * np.maximum(drop, 0.0)).ravel())
    edges = (np.concatenate(cost), (np.concatenate(a), np.concatenate(b)))
    return sparse.csr_array(edges, shape=(ground.size, ground.size))


@numba.njit(cache=True)
def _away2(curve: Any, i: int, x: float, y: float) -> float:
    return (curve[i, 0] - x) ** 2 + (curve[i, 1] - y) ** 2


@numba.njit(cache=True)
def _downhill(curve: Any, x: float, y: float, start: int, reach: int, finest: int) -> int:
    """The curve point nearest to (x, y), to ``finest`` points, that is found from ``start`` without leaving its neighbourhood."""
    n = curve.shape[0]
    low, high = max(start - reach, 0), min(start + reach, n - 1)
    i, best = start, _away2(curve, start, x, y)
    step = max(reach // 8, finest)
    while True:
        moved = True
        while moved:
            moved = False
            if i + step <= high and _away2(curve, i + step, x, y) < best:
                i += step
                moved = True
            elif i - step >= low and _away2(curve, i - step, x, y) < best:
                i -= step
                moved = True
            if moved:
                best = _away2(curve, i, x, y)
        if step == finest:
            return i
        step = max(step // 2, finest)


@numba.njit(cache=True)
def _foot(curve: Any, at: Any, x: float, y: float, i: int) -> float:
    """Chainage of the foot of (x, y) on the segments round point i; at the ends of the curve it may lie beyond."""
    n = curve.shape[0]
    best, found = np.inf, at[i]
    for a in (i - 1, i):
        if a < 0 or a >= n - 1:
            continue
        dx, dy = curve[a + 1, 0] - curve[a, 0], curve[a + 1, 1] - curve[a, 1]
        square = dx * dx + dy * dy
        if square == 0:
            continue
        share = ((x - curve[a, 0]) * dx + (y - curve[a, 1]) * dy) / square
        if not (a == 0 and share < 0) and not (a == n - 2 and share > 1):
            share = min(max(share, 0.0), 1.0)
        away = (curve[a, 0] + share * dx - x) ** 2 + (curve[a, 1] + share * dy - y) ** 2
        if away < best:
            best, found = away, at[a] + share * (at[a + 1] - at[a])
    return found


@numba.njit(cache=True)
def _feet(
    z: Any,
    nearest: Any,
    factor: int,
    curves: Any,
    at: Any,
    begins: Any,
    strides: Any,
    cell: Any,
    step: float,
    below: float,
    out: Any,
) -> None:
    """Fill ``out`` with the chainage of every cell whose ground is lower than ``below``.

    A cell d metres from the axis is measured on the axis smoothed over 2 d: a bend of radius d then no longer counts.
    """
    last = len(strides) - 1
    slack = 4 * factor * max(cell[0], cell[1])
    for row in range(z.shape[0]):
        y = (row + 0.5) * cell[1]
        for column in range(z.shape[1]):
            if not z[row, column] < below:
                continue
            x = (column + 0.5) * cell[0]
            seed = nearest[row // factor, column // factor]
            guess = np.sqrt(_away2(curves, seed, x, y))
            finest = max(int(guess / step) // 16, 1)  # of a far cell only the distance is wanted here
            i = _downhill(curves[: begins[1]], x, y, seed, int(2 * guess / step) + 4, finest)
            away = np.sqrt(_away2(curves, i, x, y))
            if abs(i - seed) * step > min(1.5 * away, 1.9 * guess) + slack:
                out[row, column] = at[seed]  # the river beside it is not the one it is reached from
                continue
            scale = min(_scale(away, step), last + 0.0)
            k = min(int(scale), max(last - 1, 0))
            fine = _measured(curves, at, begins, strides, k, x, y, i, away, step)
            if scale > k:
                fine += (scale - k) * (_measured(curves, at, begins, strides, k + 1, x, y, i, away, step) - fine)
            out[row, column] = fine


@numba.njit(cache=True)
def _scale(away: float, step: float) -> float:
    """Which copy of the axis is smoothed over twice the distance: 0 is the axis itself, 1 smoothed over 4 steps, 2 over 8 ..."""
    wanted = away / (2 * step)
    return wanted if wanted < 1 else np.log2(wanted) + 1


@numba.njit(cache=True)
def _on(point: int, stride: int, curve: Any) -> int:
    return min((point + stride // 2) // stride, curve.shape[0] - 1)


@numba.njit(cache=True)
def _measured(
    curves: Any, at: Any, begins: Any, strides: Any, k: int, x: float, y: float, i: int, away: float, step: float
) -> float:
    """Chainage of (x, y) on copy k of the axis, found near point i of the axis."""
    curve, here = curves[begins[k] : begins[k + 1]], at[begins[k] : begins[k + 1]]
    reach = int(3 * away / step) // strides[k] + 8
    return _foot(curve, here, x, y, _downhill(curve, x, y, _on(i, strides[k], curve), reach, 1))
