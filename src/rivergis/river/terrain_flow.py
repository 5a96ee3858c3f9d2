"""Where water runs on a DEM: filled ground, flow direction (流向), upstream area (集水面积), streams, height above the river (HAND).

The whole DEM is held in memory here (method ``exact``); ``terrain_large`` does it in parts above a stated number of cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyflwdir import basins as pyflwdir_basins
from pyflwdir import core, streams
from rasterio.features import rasterize
from scipy import ndimage

from rivergis import crs
from rivergis.errors import InputError
from rivergis.river import terrain_kernels as kernels
from rivergis.river.terrain import Dem, Floats, Ground, Heights, Mask, in_dem, look

Progress = Callable[[str, float], None]
"""Told the step and the share of it that is done, 0..1."""

CODINGS = {
    # E NE N NW W SW S SE
    "esri": (1, 128, 64, 32, 16, 8, 4, 2),
    "taudem": (1, 2, 3, 4, 5, 6, 7, 8),
    "grass": (8, 1, 2, 3, 4, 5, 6, 7),
}


@dataclass(frozen=True)
class Pits:
    """Depressions that were filled: how many, how much ground and volume, the deepest and its place (lon, lat)."""

    count: int
    cells: int
    volume_m3: float
    deepest_m: float
    deepest_at: tuple[float, float] | None
    left_open: int
    """Depressions deeper than the largest allowed depth: they keep an outlet in their bottom."""


@dataclass(frozen=True)
class Flow:
    """Flow over a DEM, all rasters of its shape.

    ``filled_m``: float32, NaN in voids. ``d8``: uint8, 1 E, 2 SE, 4 S ... 128 NE, 0 outlet, 247 void. ``upstream_km2``: float32,
    the cell itself and all that drains to it, measured on the ellipsoid; NaN in voids. ``edge``: part of the upstream area may
    lie beyond the rim of the DEM or in a void (edge contamination), so that ``upstream_km2`` is a lower bound. ``flat``: no
    lower neighbour. ``idxs_ds``, ``seq``: see ``terrain_kernels``. ``method``: ``exact``, or ``coarse:FACTOR+windows``.
    """

    dem: Dem
    filled_m: Heights
    d8: npt.NDArray[np.uint8]
    upstream_km2: Heights
    edge: Mask
    flat: Mask
    idxs_ds: npt.NDArray[np.int32]
    seq: npt.NDArray[np.int32]
    ground: Ground
    pits: Pits
    said: tuple[str, ...]
    method: str = "exact"

    def upstream_cells(self) -> npt.NDArray[np.int32]:
        """Cells that drain to each cell, itself counted; 0 in voids."""
        one = (self.idxs_ds >= 0).astype(np.int32)
        return np.asarray(streams.accuflux(self.idxs_ds, self.seq, one, -1), dtype=np.int32).reshape(self.dem.shape)

    def stream_cells(self, threshold_km2: float) -> Mask:
        """Cells with at least so much upstream area."""
        with np.errstate(invalid="ignore"):
            return self.upstream_km2 >= threshold_km2


def flow(
    dem: Dem,
    *,
    max_depth_m: float | None = None,
    burn: gpd.GeoSeries | None = None,
    burn_depth_m: float = 10.0,
    cell_km2: Heights | None = None,
    progress: Progress = lambda step, share: None,
) -> Flow:
    """Where does the water of each cell run, and how much land lies above it?

    ``max_depth_m``: deeper depressions (mines, karst) are not filled and swallow their water; None fills all. ``burn``: river
    lines (any accepted CRS) along which the ground is lowered by ``burn_depth_m`` before filling, which is said; heights in the
    result are then those of the lowered ground. ``cell_km2``: area of each cell where that is not the whole cell. ``InputError`` for a DEM without any ground.
    """
    if dem.void.all():
        raise InputError(f"{dem.name} holds no height at all: every cell is void.", file=dem.name)
    z, said = (dem.z_m, dem.said) if burn is None else _burned(dem, burn, burn_depth_m)
    z = np.ascontiguousarray(z)
    progress("fill", 0.0)
    filled, d8, left_open = _fill(z, max_depth_m)
    progress("direction", 0.0)
    flat = kernels.descend(filled, d8, *dem.cell_size_m)
    idxs_ds = kernels.downstream(d8)
    seq = kernels.upwards(idxs_ds)
    progress("area", 0.0)
    area = upstream_area(dem, idxs_ds, seq, cell_km2)
    edge = kernels.handed_down(idxs_ds, seq, _beside_the_unknown(z).ravel()).reshape(dem.shape)
    ground = look(dem, flat & (filled == z))
    progress("report", 0.0)
    pits = replace(_pits(dem, z, filled), left_open=left_open)
    return Flow(dem, filled, d8, area, edge, flat, idxs_ds, seq, ground, pits, (*said, *ground.sentences))


def _burned(dem: Dem, lines: gpd.GeoSeries, depth_m: float) -> tuple[Heights, tuple[str, ...]]:
    """The ground lowered along lines, and what to say of it."""
    z, cells = lowered(dem, in_dem(dem, lines), depth_m)
    if not cells:
        raise InputError(not_burned(dem.name), file=dem.name)
    return z, (*dem.said, burn_note(dem.name, depth_m, len(lines), cells))


def not_burned(name: str) -> str:
    """The sentence for lines that miss the DEM."""
    return f"None of the lines to burn in lies on {name}: check their coordinate system."


def burn_note(name: str, depth_m: float, lines: int, cells: int) -> str:
    """The sentence for ground that was lowered."""
    return (
        f"{name}: the ground was lowered by {depth_m:g} m along {lines} given lines ({cells:,} cells) before filling."
    )


def lowered(dem: Dem, lines: npt.NDArray[Any], depth_m: float) -> tuple[Heights, int]:
    """The ground lowered along lines in the CRS of the DEM, and how many cells that were."""
    lines = lines[shapely.intersects(lines, shapely.box(*_bounds(dem)))]
    if not len(lines):
        return dem.z_m, 0
    hit = rasterize([(g, 1) for g in lines], out_shape=dem.shape, transform=dem.affine, dtype="uint8") == 1
    hit &= ~dem.void
    return np.where(hit, dem.z_m - np.float32(depth_m), dem.z_m).astype(np.float32), int(hit.sum())


def _bounds(dem: Dem) -> tuple[float, float, float, float]:
    rows, columns = dem.shape
    (west, north), (east, south) = dem.affine @ (0, 0), dem.affine @ (columns, rows)
    return west, south, east, north


def _fill(z: Heights, max_depth_m: float | None) -> tuple[Heights, npt.NDArray[np.uint8], int]:
    """Filled ground, directions of the flood, and how many depressions were left open because they are too deep."""
    outlets = np.flatnonzero(kernels.rim(z))
    begun = len(outlets)
    while True:
        filled, way = kernels.flood(z, outlets, z.ravel()[outlets])
        if max_depth_m is None:
            return filled, way, 0
        deep = _bottoms(z, filled, max_depth_m)
        if not len(deep):
            return filled, way, len(outlets) - begun
        outlets = np.concatenate([outlets, deep])


def _bottoms(z: Heights, filled: Heights, max_depth_m: float) -> npt.NDArray[np.int64]:
    """The lowest cell of each depression deeper than allowed."""
    labels, n = ndimage.label(filled > z, np.ones((3, 3)))
    if not n:
        return np.empty(0, dtype=np.int64)
    numbers = np.arange(1, n + 1)
    deep = numbers[ndimage.maximum(filled - z, labels, numbers) > max_depth_m]
    lowest = ndimage.minimum_position(z, labels, deep) if len(deep) else []
    return np.array([r * z.shape[1] + c for r, c in lowest], dtype=np.int64)


def _pits(dem: Dem, z: Heights, filled: Heights) -> Pits:
    raised = filled > z
    _, count = ndimage.label(raised, np.ones((3, 3)))
    if not count:
        return Pits(0, 0, 0.0, 0.0, None, 0)
    depth = np.where(raised, filled - z, np.float32(0))
    width, height = dem.cell_size_m
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return Pits(
        count,
        int(raised.sum()),
        round(float((depth.sum(axis=1, dtype=np.float64) * width * height).sum()), 1),
        round(float(depth[row, column]), 3),
        dem.degrees_of(float(row), float(column)),
        0,
    )


def _beside_the_unknown(z: Heights) -> Mask:
    """The rim and the cells next to it: water from beyond may reach them."""
    return np.asarray(ndimage.binary_dilation(kernels.rim(z), np.ones((3, 3))) & ~np.isnan(z))


def upstream_area(
    dem: Dem, idxs_ds: npt.NDArray[np.int32], seq: npt.NDArray[np.int32], cell_km2: Floats | Heights | None = None
) -> Heights:
    """Area that drains to each cell in km2, float32; counted in float64, because small cells vanish beside a large basin.

    ``cell_km2``: area of each cell, where that is not the cell itself.
    """
    width, height = dem.cell_size_m
    area = np.repeat(width * height / 1e6, dem.shape[1]) if cell_km2 is None else cell_km2.ravel().astype(np.float64)
    area[idxs_ds < 0] = np.nan
    return np.asarray(streams.accuflux(idxs_ds, seq, area, np.nan), dtype=np.float32).reshape(dem.shape)


def coded(d8: npt.NDArray[np.uint8], coding: str) -> npt.NDArray[np.uint8]:
    """Flow directions in the coding of ``esri``, ``taudem`` or ``grass`` (``CODINGS``); outlets stay 0 and voids 247."""
    table = np.zeros(256, dtype=np.uint8)
    table[kernels.VOID] = kernels.VOID
    table[kernels.CODE] = CODINGS[coding]
    return table[d8]


# ---- streams and what drains to them ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Streams:
    """Streams of a flow: ``cells`` (bool raster), ``links`` (LineString frame, EPSG:4490, first vertex upstream), ``catchment``.

    Columns of ``links``: ``link_id``, ``next_link_id`` (None at an outlet), ``strahler``, ``upstream_area_km2`` (at its lower end),
    ``edge`` (that area may lie partly beyond the DEM), ``length_m`` (ellipsoid), ``drop_m``. ``catchment``: int32 raster, the
    ``link_id`` that each cell drains to, 0 where none.
    """

    cells: Mask
    links: gpd.GeoDataFrame
    catchment: npt.NDArray[np.int32]


def streams_of(
    of: Flow, threshold_km2: float, places: Callable[[npt.NDArray[np.int64]], Floats] | None = None
) -> Streams:
    """Which streams have at least so much upstream area, in which order do they join, and what drains to each?

    ``places``: position in the CRS of the DEM, (n, 2), of cells given by linear index, where that is not their middle.
    """
    cells = of.stream_cells(threshold_km2)
    mask = cells.ravel()
    paths = [p for p in streams.streams(of.idxs_ds, of.seq, mask) if p[0] != p[-1]] if mask.any() else []
    order = streams.strahler_order(of.idxs_ds, of.seq, mask)
    numbers = {int(p[0]): i for i, p in enumerate(paths, start=1)}
    own_end = np.array([p[-2] if int(p[-1]) in numbers else p[-1] for p in paths], dtype=np.int64)
    catchment = np.zeros(mask.size, dtype=np.int32)
    for number, path in enumerate(paths, start=1):
        catchment[path[:-1] if int(path[-1]) in numbers else path] = number
    lines = _lines(of.dem, paths, places)
    z = of.filled_m.ravel()
    links = gpd.GeoDataFrame(
        {
            "link_id": np.arange(1, len(paths) + 1),
            "next_link_id": pd.array([numbers.get(int(p[-1])) for p in paths], dtype="Int64"),
            "strahler": [int(order[p[0]]) for p in paths],
            "upstream_area_km2": of.upstream_km2.ravel()[own_end].astype(np.float64),
            "edge": of.edge.ravel()[own_end],
            "length_m": crs.length_m(lines),
            "drop_m": np.array([z[p[0]] - z[p[-1]] for p in paths], dtype=np.float64),
        },
        geometry=lines,
        crs=crs.STORAGE,
    )
    catchment = core.fillnodata_upstream(of.idxs_ds, of.seq, catchment, 0).reshape(of.dem.shape)
    return Streams(cells, links, np.asarray(catchment, dtype=np.int32))


def _lines(dem: Dem, paths: list[Any], places: Callable[[npt.NDArray[np.int64]], Floats] | None) -> npt.NDArray[Any]:
    """Paths of cells as lines in degrees."""
    if not paths:
        return np.empty(0, dtype=object)
    cell = np.concatenate(paths).astype(np.int64)
    where = dem.xy_of(cell // dem.shape[1], cell % dem.shape[1]) if places is None else places(cell)
    degrees = crs.into_storage(dem.crs)(where)
    return np.asarray(shapely.linestrings(degrees, indices=np.repeat(np.arange(len(paths)), [len(p) for p in paths])))


def basins(of: Flow) -> npt.NDArray[np.int32]:
    """Which land leaves by the same outlet? int32 raster, 1 the largest basin, 2 the next ...; 0 in voids."""
    outlets = np.flatnonzero(of.d8 == kernels.OUTLET).astype(np.int32)
    outlets = outlets[np.argsort(-of.upstream_km2.ravel()[outlets], kind="stable")]
    numbers = np.arange(1, len(outlets) + 1, dtype=np.uint32)
    found = pyflwdir_basins.basins(of.idxs_ds, outlets, of.seq, numbers)
    return np.asarray(found, dtype=np.int32).reshape(of.dem.shape)


def hand(of: Flow, drains: Mask) -> Heights:
    """How high does each cell lie above the stream it drains to (height above nearest drainage, HAND)? Metres, float32.

    Along the flow path, on the filled ground, so never negative; NaN in voids and where the water leaves the DEM before it
    meets a stream. ``drains``: bool raster, such as ``stream_cells``. Nobre et al. 2011, doi:10.1016/j.jhydrol.2011.03.051.
    """
    return of.filled_m - drain_level(of, drains)


def drain_level(of: Flow, drains: Mask) -> Heights:
    """Height of the stream cell that each cell drains to, metres, float32; NaN where there is none."""
    level = np.where(drains, of.filled_m, np.float32(np.nan)).ravel()
    return np.asarray(kernels.handed_up(of.idxs_ds, of.seq, level), dtype=np.float32).reshape(of.dem.shape)


# ---- upstream area of points and lines -------------------------------------------------------------------------------


def upstream_area_at(of: Flow, points: gpd.GeoSeries, snap_cells: int = 2) -> tuple[Floats, Mask]:
    """How much land drains to each place? (km2, edge): the largest upstream area within some cells of it.

    NaN outside the DEM and in voids, and where part of the land may lie beyond the DEM: there ``edge`` is True.
    """
    return _area_near(of, shapely.get_coordinates(in_dem(of.dem, points)), snap_cells)


def upstream_area_km2(of: Flow, pieces: gpd.GeoSeries, snap_cells: int = 2) -> tuple[Floats, Mask]:
    """How much land drains to the lower end of each river piece? (km2, edge), as ``upstream_area_at``.

    ``pieces``: LineStrings in any accepted CRS, first vertex upstream. The area is read at three places a little above the end,
    where the water of the river it joins is not within reach, and the middle value is taken.
    """
    local = in_dem(of.dem, pieces)
    length_m = np.asarray(crs.length_m(crs.to_storage(pieces).values), dtype=np.float64)
    found, edges = [], []
    for back in (snap_cells + 2, snap_cells + 4, snap_cells + 6):
        share = np.clip(1 - back * of.dem.cell_m / np.maximum(length_m, 1e-9), 0.5, 1)
        places = shapely.get_coordinates(shapely.line_interpolate_point(local, share, normalized=True))
        km2, edge = _area_near(of, places, snap_cells)
        found.append(km2)
        edges.append(edge)
    cut = np.sum(edges, axis=0) >= 2
    known = np.sort(np.stack(found), axis=0)  # NaN stand last
    middle = np.where(np.isnan(known[1]), known[0], known[1])
    return np.where(cut, np.nan, middle), cut


def _area_near(of: Flow, xy: Floats, snap_cells: int) -> tuple[Floats, Mask]:
    """The largest upstream area in a square of cells round each position.

    Where the largest is cut off by the rim, but a cell of the same stream just above is not and carries nearly all of it (a
    river that leaves the DEM here), that one is taken.
    """
    row, column = of.dem.cells_of(xy)
    rows, columns = of.dem.shape
    steps = np.arange(-snap_cells, snap_cells + 1)
    down, right = (g.ravel() for g in np.meshgrid(steps, steps, indexing="ij"))
    r, c = row[:, None] + down, column[:, None] + right
    inside = (r >= 0) & (r < rows) & (c >= 0) & (c < columns) & (row >= 0)[:, None]
    r, c = r.clip(0, rows - 1), c.clip(0, columns - 1)
    area = np.where(inside, np.nan_to_num(of.upstream_km2[r, c], nan=-1.0), -1.0).astype(np.float64)
    whole = np.where(of.edge[r, c], -1.0, area).max(axis=1, initial=-1.0)
    largest = area.max(axis=1, initial=-1.0)
    cut = (largest > 0) & (whole < 0.9 * largest)
    return np.where(cut | (largest <= 0), np.nan, whole), cut
