"""Flow over DEMs too large to be held: coarse directions for the whole, windows in full resolution along the rivers.

A coarse cell is the lowest ground of ``factor`` x ``factor`` cells, so that channels stay and only divides blur. It tells where
water goes and how much land lies above; the windows tell where exactly the stream runs and how high the land lies above it:
each window takes its inflow, and the levels at which water may leave it, from the coarse flow. Named ``coarse:FACTOR+windows``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import CRS
from rasterio.windows import Window

from rivergis.errors import InputError
from rivergis.river import terrain_flow, terrain_kernels
from rivergis.river.terrain import Dem, Floats, Heights, Mask, in_dem, undeclared_note
from rivergis.river.terrain_flow import Flow, Progress

TILE, MARGIN = 3072, 192
"""Cells of a window and of the ground read round it, so that what happens at its rim does not reach its middle."""
STEPS_IN = 4
"""Coarse cells that what enters a window is led inside."""
HAIR_M = 0.01
"""Below what any height means."""


class Source(Protocol):
    """A DEM of which windows can be read, such as ``dem_files.DemFile``."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def affine(self) -> Affine: ...
    @property
    def crs(self) -> CRS: ...
    @property
    def vertical_datum(self) -> str: ...
    @property
    def said(self) -> tuple[str, ...]: ...
    def read(self, window: Window | None = None) -> Dem: ...


@dataclass(frozen=True)
class Coarse:
    """Flow on coarse cells, and which of its ``factor`` x ``factor`` cells is the lowest (row-major number within the block)."""

    flow: Flow
    factor: int
    lowest: npt.NDArray[np.uint16]
    fine_shape: tuple[int, int]


@dataclass(frozen=True)
class Part:
    """One window of the result: where it lies in the full grid, heights above the stream, and whether it was refined.

    ``stream_km2``: upstream area of stream cells, NaN elsewhere.
    """

    window: Window
    hand_m: Heights
    stream_km2: Heights
    refined: bool


def factor_for(shape: tuple[int, int], max_cells: int) -> int:
    """How many cells side by side make one coarse cell, so that no more than ``max_cells`` are left; 1 if all fit."""
    return int(np.ceil(np.sqrt(shape[0] * shape[1] / max_cells)))


def coarse_flow(
    source: Source,
    factor: int,
    *,
    max_depth_m: float | None = None,
    burn: gpd.GeoSeries | None = None,
    burn_depth_m: float = 10.0,
    progress: Progress = lambda step, share: None,
) -> Coarse:
    """Where does water run and how much land lies above, on coarse cells? The area of each counts its ground only.

    Arguments as of ``terrain_flow.flow``. Reads the DEM once, in stripes.
    """
    rows, columns = (-(-n // factor) for n in source.shape)
    z = np.empty((rows, columns), dtype=np.float32)
    lowest = np.empty((rows, columns), dtype=np.uint16)
    ground = np.empty((rows, columns), dtype=np.float32)
    step = max(1, (1 << 24) // (columns * factor * factor))
    burned = void = undeclared = 0
    for top in range(0, rows, step):
        progress("read", top / rows)
        part, hit = _lowered(source, _stripe(source, top, step, factor), burn, burn_depth_m)
        burned, void, undeclared = burned + hit, void + int(part.void.sum()), undeclared + part.undeclared
        here = slice(top, top + step)
        z[here], lowest[here], ground[here] = _blocks(part, factor)
    said = [*source.said, *([undeclared_note(source.name, undeclared)] if undeclared else [])]
    if burn is not None:
        if not burned:
            raise InputError(terrain_flow.not_burned(source.name), file=source.name)
        said.append(terrain_flow.burn_note(source.name, burn_depth_m, len(burn), burned))
    said.append(
        f"{source.name}: {source.shape[0]:,} x {source.shape[1]:,} cells are more than are held at once: flow directions are coarse, of the lowest "
        f"ground of {factor} x {factor} cells each, and so are the figures of flat ground and pits; {void:,} cells are void."
    )
    dem = Dem(z, source.affine @ Affine.scale(factor), source.crs, source.vertical_datum, source.name, tuple(said))
    found = terrain_flow.flow(dem, max_depth_m=max_depth_m, cell_km2=ground, progress=progress)
    return Coarse(replace(found, method=f"coarse:{factor}+windows"), factor, lowest, source.shape)


def _stripe(source: Source, top: int, step: int, factor: int) -> Dem:
    rows, columns = source.shape
    first = top * factor
    return source.read(Window(0, first, columns, min(step * factor, rows - first)))


def _lowered(source: Source, part: Dem, burn: gpd.GeoSeries | None, depth_m: float) -> tuple[Dem, int]:
    """A part with the ground lowered along lines, and how many cells that were."""
    if burn is None:
        return part, 0
    z, cells = terrain_flow.lowered(part, in_dem(part, burn), depth_m)
    return part.with_(z_m=z), cells


def _blocks(part: Dem, factor: int) -> tuple[Heights, npt.NDArray[np.uint16], Heights]:
    """Lowest height, number of the lowest cell, and area of the ground (km2) of each block; blocks at the rim may be cut."""
    rows, columns = part.shape
    more = ((0, -rows % factor), (0, -columns % factor))
    z = np.pad(part.z_m, more, constant_values=np.inf)
    z[np.isnan(z)] = np.inf
    down, right = z.shape[0] // factor, z.shape[1] // factor
    blocks = z.reshape(down, factor, right, factor).transpose(0, 2, 1, 3).reshape(down, right, factor * factor)
    lowest = blocks.argmin(axis=2)
    low = np.take_along_axis(blocks, lowest[:, :, None], axis=2)[:, :, 0]
    width, height = part.cell_size_m
    area = np.pad(width * height / 1e6, more[0]).reshape(-1, factor)
    known = np.isfinite(blocks).reshape(*low.shape, factor, factor).sum(axis=3)
    ground = (known * area[:, None, :]).sum(axis=2).astype(np.float32)
    return np.where(np.isinf(low), np.float32(np.nan), low), lowest.astype(np.uint16), ground


def positions(of: Coarse, source: Source, coarse: npt.NDArray[np.int64]) -> Floats:
    """Where the water of coarse cells (linear indices) runs: the middle of their lowest cell, (n, 2) in the CRS of the DEM."""
    row, column = np.divmod(coarse, of.lowest.shape[1])
    down, right = np.divmod(of.lowest.ravel()[coarse].astype(np.int64), of.factor)
    a = source.affine
    x, y = column * of.factor + right + 0.5, row * of.factor + down + 0.5
    return np.column_stack([a.a * x + a.c, a.e * y + a.f])


def windows(
    source: Source,
    of: Coarse,
    threshold_km2: float,
    *,
    burn: gpd.GeoSeries | None = None,
    burn_depth_m: float = 10.0,
    tile: int = TILE,
    progress: Progress = lambda step, share: None,
) -> Iterator[Part]:
    """Heights above the stream, and the streams, in full resolution, window by window over the whole DEM.

    Windows with a coarse stream in or near them are refined: flow in full resolution with inflow and outside levels from the
    coarse flow. In the others the level of the coarse stream holds. A height below its stream's level (the blur of coarse
    cells) is 0. Streams are cells with at least ``threshold_km2`` above them.
    """
    coarse_streams = of.flow.stream_cells(threshold_km2)
    level = terrain_flow.drain_level(of.flow, coarse_streams)
    size = _side(of.factor, tile)
    rows, columns = source.shape
    tops = [(r, c) for r in range(0, rows, size) for c in range(0, columns, size)]
    for n, (top, left) in enumerate(tops):
        progress("windows", n / len(tops))
        core = Window(left, top, min(size, columns - left), min(size, rows - top))
        wide = _widened(core, of)
        near = coarse_streams[_coarse(wide, of.factor)]
        if near.any():
            yield _refined(source, of, level, core, wide, threshold_km2, burn, burn_depth_m)
        else:
            part, _ = _lowered(source, source.read(core), burn, burn_depth_m)
            above = np.maximum(part.z_m - _fine(level, core, of.factor), 0)
            yield Part(core, above, np.full(part.shape, np.nan, dtype=np.float32), False)


def _side(factor: int, tile: int) -> int:
    """Side of a window: on the lines of the coarse grid, and of blocks of 256 cells in a file where that is not much larger."""
    both = factor * 256
    return both * max(1, tile // both) if both <= tile * 1.5 else max(factor, tile // factor * factor)


def _widened(core: Window, of: Coarse) -> Window:
    """A window with ground round it, on the lines of the coarse grid."""
    margin = -(-MARGIN // of.factor) * of.factor
    top, left = max(core.row_off - margin, 0), max(core.col_off - margin, 0)
    bottom = min(core.row_off + core.height + margin, of.fine_shape[0])
    right = min(core.col_off + core.width + margin, of.fine_shape[1])
    return Window(left, top, right - left, bottom - top)


def _coarse(window: Window, factor: int) -> tuple[slice, slice]:
    """The coarse cells under a window."""
    return (
        slice(window.row_off // factor, -(-(window.row_off + window.height) // factor)),
        slice(window.col_off // factor, -(-(window.col_off + window.width) // factor)),
    )


def _fine(coarse: Heights, window: Window, factor: int) -> Heights:
    """A coarse raster repeated over the cells of a window."""
    return _repeat(coarse[_coarse(window, factor)], factor)[: window.height, : window.width]


def _repeat(coarse: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    return np.repeat(np.repeat(coarse, factor, axis=0), factor, axis=1)


def _refined(
    source: Source,
    of: Coarse,
    level: Heights,
    core: Window,
    wide: Window,
    threshold_km2: float,
    burn: gpd.GeoSeries | None,
    burn_depth_m: float,
) -> Part:
    part, _ = _lowered(source, source.read(wide), burn, burn_depth_m)
    z = np.ascontiguousarray(part.z_m)
    leaving = _leaving(of, wide)
    seeds = np.flatnonzero(_ways_out(z, leaving, wide, of))
    filled, d8 = terrain_kernels.flood(z, seeds, _outside_level(of, wide, z, leaving).ravel()[seeds])
    terrain_kernels.descend(filled, d8, *part.cell_size_m)
    d8[leaving & (d8 != terrain_kernels.VOID)] = terrain_kernels.OUTLET
    idxs_ds = terrain_kernels.downstream(d8)
    seq = terrain_kernels.upwards(idxs_ds)
    width, height = part.cell_size_m
    area = np.repeat(width * height / 1e6, z.shape[1]) + _inflow(of, wide, z.size)
    km2 = terrain_flow.upstream_area(part, idxs_ds, seq, area)
    with np.errstate(invalid="ignore"):
        stream = km2 >= threshold_km2
    km2[~stream] = np.nan
    low = terrain_kernels.handed_up(idxs_ds, seq, np.where(stream, filled, np.float32(np.nan)).ravel()).reshape(z.shape)
    low = np.where(np.isnan(low), _fine(level, wide, of.factor), low)
    filled = np.where(np.isnan(filled), z, filled)  # ground that is cut off from every way out of the window
    top, left = core.row_off - wide.row_off, core.col_off - wide.col_off
    here = (slice(top, top + core.height), slice(left, left + core.width))
    return Part(core, np.maximum(filled - low, 0)[here], km2[here], True)


def _outside_level(of: Coarse, wide: Window, z: Heights, leaving: Mask) -> Heights:
    """Level at which water can leave a window: the filled coarse ground, or the ground itself.

    Where a filled hollow is cut by the side, all of its leaving cells stand at one level; hairs put the largest stream first.
    """
    km2 = np.where(leaving, _fine(of.flow.upstream_km2, wide, of.factor), np.float32(0))
    largest = max(float(np.nanmax(km2, initial=0.0)), 1e-9)
    hair = np.where(leaving, HAIR_M * (1 - km2 / largest), 0)
    return np.asarray(np.fmax(_fine(of.flow.filled_m, wide, of.factor), z) + hair, dtype=np.float32)


def _ways_out(z: Heights, leaving: Mask, wide: Window, of: Coarse) -> Mask:
    """Cells where water may leave a window: where the coarse flow leaves it, the rim of the DEM and of voids, deep pits.

    Other sides are shut: through them a river that enters on level ground would run back.
    """
    out = np.array(terrain_kernels.rim(z))
    rows, columns = of.fine_shape
    shut = ~leaving & ~np.isnan(z)
    cut = (wide.row_off > 0, wide.row_off + wide.height < rows, wide.col_off > 0, wide.col_off + wide.width < columns)
    sides = ((out[0], shut[0]), (out[-1], shut[-1]), (out[:, 0], shut[:, 0]), (out[:, -1], shut[:, -1]))
    for is_cut, (ways, closed) in zip(cut, sides, strict=True):
        if is_cut:
            ways &= ~closed
    inside = np.zeros(of.lowest.shape, dtype=np.bool_)
    here = _coarse(wide, of.factor)
    inside[here] = of.flow.d8[here] == terrain_kernels.OUTLET
    out.ravel()[_lowest(of, wide, np.flatnonzero(inside))] = True
    return out & ~np.isnan(z)


def _leaving(of: Coarse, wide: Window) -> Mask:
    """Cells at the sides of a window that the coarse flow leads out of it: what leaves there may come back as inflow."""
    here = _coarse(wide, of.factor)
    columns = of.lowest.shape[1]
    to = of.flow.idxs_ds.reshape(of.lowest.shape)[here]
    row, column = np.divmod(to, columns)
    out = (row < here[0].start) | (row >= here[0].stop) | (column < here[1].start) | (column >= here[1].stop)
    fine = _repeat(out & (to >= 0), of.factor)[: wide.height, : wide.width]
    fine[1:-1, 1:-1] = False
    return fine


def _inflow(of: Coarse, wide: Window, cells: int) -> Floats:
    """Upstream area that enters a window, km2, on the lowest cell of the coarse cell it runs to; flat, of the window.

    Put down some coarse cells inside, because at the very side what enters could leave beside it.
    """
    r, c = _coarse(wide, of.factor)
    rows, columns = of.lowest.shape
    ring = np.zeros((rows, columns), dtype=np.bool_)
    ring[max(r.start - 1, 0) : r.stop + 1, max(c.start - 1, 0) : c.stop + 1] = True
    ring[r, c] = False

    def within(cell: npt.NDArray[np.int64]) -> Mask:
        row, column = np.divmod(cell, columns)
        return (cell >= 0) & (row >= r.start) & (row < r.stop) & (column >= c.start) & (column < c.stop)

    outside = np.flatnonzero(ring)
    to = of.flow.idxs_ds[outside].astype(np.int64)
    outside, to = outside[within(to)], to[within(to)]
    for _ in range(STEPS_IN):
        further = of.flow.idxs_ds[to].astype(np.int64)
        to = np.where(within(further), further, to)
    out = np.zeros(cells, dtype=np.float64)
    np.add.at(out, _lowest(of, wide, to), of.flow.upstream_km2.ravel()[outside])
    return out


def _lowest(of: Coarse, wide: Window, coarse: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Linear index in a window of the lowest cell of coarse cells inside it."""
    row, column = np.divmod(coarse, of.lowest.shape[1])
    down, right = np.divmod(of.lowest.ravel()[coarse].astype(np.int64), of.factor)
    return np.asarray((row * of.factor + down - wide.row_off) * wide.width + column * of.factor + right - wide.col_off)
