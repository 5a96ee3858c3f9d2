"""The ground a river runs over: a DEM with its voids, its cell sizes on the ellipsoid and the level its heights count from.

A DEM says little of itself and that little is often wrong: voids written as heights, feet, whole metres, a vertical datum
nobody named. What is not ground is void here (NaN), and everything noticed is said. Sources: ``dem_files``; flow: ``terrain_flow``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from affine import Affine
from pyproj import CRS
from scipy import ndimage

from rivergis import crs
from rivergis.errors import InputError

Floats = npt.NDArray[np.float64]
Heights = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

UNKNOWN, LOCAL = "unknown", "local"
NATIONAL_1985 = "1985国家高程基准"

HIGHEST_M, LOWEST_M = 9000.0, -500.0
"""No dry ground lies outside (Everest 8849 m, the shore of the Dead Sea -430 m): such a value is a void nobody declared."""


@dataclass(frozen=True)
class Dem:
    """Heights of the ground (DEM, 数字高程模型) on a north-up grid.

    ``z_m``: float32 (rows, columns), metres above ``vertical_datum``, NaN where the DEM is void. ``affine``: (column, row) to
    coordinates of ``crs``, of the corner of a cell. ``vertical_datum``: its name, ``local`` (a height system of its own) or
    ``unknown``. ``said``: what was noticed and assumed when it was read, in sentences; ``undeclared``: cells taken as voids
    though nothing declares them.
    """

    z_m: Heights
    affine: Affine
    crs: CRS
    vertical_datum: str = UNKNOWN
    name: str = "the DEM"
    said: tuple[str, ...] = ()
    undeclared: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = self.z_m.shape
        return rows, columns

    @cached_property
    def void(self) -> Mask:
        """Cells without a height, bool (rows, columns)."""
        return np.isnan(self.z_m)

    @cached_property
    def cell_size_m(self) -> tuple[Floats, Floats]:
        """Width and height of a cell in metres on the ellipsoid, one of each per row (see ``cell_size_m``)."""
        return cell_size_m(self.affine, self.crs, self.shape)

    @cached_property
    def cell_m(self) -> float:
        """Side of a square as large as a cell in the middle row, metres."""
        width, height = self.cell_size_m
        middle = len(width) // 2
        return float(np.sqrt(width[middle] * height[middle]))

    def with_(self, **changes: Any) -> Dem:
        """The same with some parts replaced."""
        return replace(self, **changes)

    def cells_of(self, xy: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """(row, column) of positions (n, 2) in ``crs``; -1, -1 outside the grid (and for positions that are not finite)."""
        column, row = _apply(~self.affine, xy[:, 0], xy[:, 1])
        rows, columns = self.shape
        with np.errstate(invalid="ignore"):
            inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        return np.where(inside, row, -1).astype(np.int64), np.where(inside, column, -1).astype(np.int64)

    def xy_of(self, row: npt.NDArray[Any], column: npt.NDArray[Any]) -> Floats:
        """Middles of cells in ``crs``, (n, 2)."""
        x, y = _apply(self.affine, np.asarray(column) + 0.5, np.asarray(row) + 0.5)
        return np.column_stack([x, y]).astype(np.float64)

    def degrees_of(self, row: float, column: float) -> tuple[float, float]:
        """Longitude and latitude of the middle of a cell, for sentences."""
        lon, lat = crs.into_storage(self.crs)(self.xy_of(np.array([row]), np.array([column])))[0]
        return round(float(lon), 5), round(float(lat), 5)


def _apply(affine: Affine, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    return affine.a * x + affine.b * y + affine.c, affine.d * x + affine.e * y + affine.f


def cell_size_m(affine: Affine, system: CRS, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Width and height in metres of the cells of each row, float64 (rows,) each, measured on the ellipsoid at the middle column.

    Degrees, feet and stretched projections (Web Mercator) so come out as they are on the ground; their product is the
    area of a cell to within the change of scale along a row (below 0.1 % in a zone of 3 degrees).
    """
    rows, columns = shape
    row, column = np.arange(rows) + 0.5, columns / 2

    def lonlat(c: Any, r: Any) -> Floats:
        x, y = _apply(affine, np.broadcast_to(c, rows), np.asarray(r))
        return crs.into_storage(system)(np.column_stack([x, y]))

    def apart(a: Floats, b: Floats) -> Floats:
        return np.asarray(crs.GEOD.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2], dtype=np.float64)

    width = apart(lonlat(column - 0.5, row), lonlat(column + 0.5, row))
    height = apart(lonlat(column, row - 0.5), lonlat(column, row + 0.5))
    return width, height


def undeclared_note(name: str, cells: int) -> str:
    """The sentence for voids that nothing declares."""
    return (
        f"{name}: {cells:,} cells hold heights that no ground has (below {LOWEST_M:g} m or above {HIGHEST_M:g} m) "
        "without being declared as nodata; they are taken as voids."
    )


# ---- from where do heights count? ------------------------------------------------------------------------------------


def require_same_datum(dem: Dem, levels: str | Iterable[str], insist: bool = False) -> list[str]:
    """May these levels be compared with the ground of this DEM (高程基准)? Sentences to declare in the result; mostly none.

    ``levels``: name of the vertical datum of the levels, or the names of all of them. Raises ``InputError`` where a datum
    is unknown, local, mixed or not the same, unless the user insists: then the doubt is returned, to stand in the result
    and its files. 1985国家高程基准, 吴淞 and ellipsoidal heights lie metres apart along one river.
    """
    names = sorted({levels} if isinstance(levels, str) else set(levels)) or [UNKNOWN]
    doubt = _doubt(dem, names)
    if doubt is None:
        return []
    if not insist:
        raise InputError(
            f"{doubt}: they may lie metres apart; name the datum with --vertical-datum as its producer documents it, "
            "or insist with --accept-unknown-datum, which is then written into the result.",
            file=dem.name,
            dem_datum=dem.vertical_datum,
            level_datum=", ".join(names),
        )
    return [f"{doubt}; compared as they are, because the user insisted."]


def _doubt(dem: Dem, names: list[str]) -> str | None:
    if len(names) > 1:
        return f"The levels count from several vertical datums ({', '.join(names)})"
    if UNKNOWN in (dem.vertical_datum, names[0]):
        which = [w for w, d in ((dem.name, dem.vertical_datum), ("the levels", names[0])) if d == UNKNOWN]
        return f"Nothing tells from which vertical datum the heights of {' and '.join(which)} count"
    if dem.vertical_datum != names[0]:
        return f"The heights of {dem.name} count from {dem.vertical_datum}, the levels from {names[0]}"
    if names[0] == LOCAL:
        return f"{dem.name} and the levels count from local height systems, which need not be the same"
    return None


# ---- what is wrong with the ground -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ground:
    """What a DEM cannot tell: voids and flat areas, with share and place of the largest (lon, lat in degrees)."""

    cells: int
    void_cells: int
    void_share: float
    inner_voids: int
    """Voids with ground all round them: water that runs into them is lost to the count of upstream area."""
    largest_void_at: tuple[float, float] | None
    flat_cells: int
    flat_share: float
    """Share of the ground whose cells have an equal and no lower neighbour: water, or heights in whole metres."""
    largest_flat_at: tuple[float, float] | None
    largest_flat_cells: int
    whole_metres: bool
    sentences: tuple[str, ...]


def look(dem: Dem, flat: Mask) -> Ground:
    """How much of this DEM says nothing about where water runs? ``flat``: cells without a way down (``terrain_flow.flat``)."""
    ground = int((~dem.void).sum())
    labels, n = ndimage.label(dem.void, np.ones((3, 3)))
    inner, void_at, _ = _parts(dem, labels, n, inner_only=True)
    _, any_void_at, _ = (inner, void_at, 0) if void_at else _parts(dem, labels, n)
    flat_labels, flats = ndimage.label(flat, np.ones((3, 3)))
    _, flat_at, flat_size = _parts(dem, flat_labels, flats)
    found = Ground(
        cells=dem.z_m.size,
        void_cells=dem.z_m.size - ground,
        void_share=round(1 - ground / dem.z_m.size, 6),
        inner_voids=inner,
        largest_void_at=any_void_at,
        flat_cells=int(flat.sum()),
        flat_share=round(float(flat.sum()) / max(ground, 1), 6),
        largest_flat_at=flat_at,
        largest_flat_cells=flat_size,
        whole_metres=_whole_metres(dem),
        sentences=(),
    )
    return replace(found, sentences=tuple(_sentences(dem, found)))


def _parts(
    dem: Dem, labels: npt.NDArray[Any], n: int, inner_only: bool = False
) -> tuple[int, tuple[float, float] | None, int]:
    """How many connected parts (those not at the rim of the grid, if asked), and where the largest lies, with its cells."""
    sizes = np.bincount(labels.ravel(), minlength=n + 1)
    sizes[0] = 0
    if inner_only:
        sizes[np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))] = 0
    if not sizes.any():
        return 0, None, 0
    largest = int(sizes.argmax())
    row, column = np.argwhere(labels == largest)[sizes[largest] // 2]  # a cell of it; its centroid may lie outside
    return int((sizes > 0).sum()), dem.degrees_of(row, column), int(sizes[largest])


def _whole_metres(dem: Dem) -> bool:
    some = dem.z_m[:: max(1, dem.shape[0] // 500), :: max(1, dem.shape[1] // 500)]
    some = some[~np.isnan(some)]
    return bool(len(some) and (some == np.round(some)).all())


def _sentences(dem: Dem, ground: Ground) -> Iterable[str]:
    if ground.void_cells:
        yield (
            f"{dem.name}: {ground.void_cells:,} of {ground.cells:,} cells ({ground.void_share:.2%}) are void, the largest "
            f"{'inner ' if ground.inner_voids else ''}void at {ground.largest_void_at}; water that reaches a void leaves the count there."
        )
    if ground.flat_share > 0.001:
        why = "; its heights are whole metres" if ground.whole_metres else ""
        yield (
            f"{dem.name}: {ground.flat_share:.1%} of the ground is flat, with no lower neighbour (the largest part, {ground.largest_flat_cells:,} cells, "
            f"at {ground.largest_flat_at}){why}: the way of the water across it is a guess."
        )


def fill_small_voids(dem: Dem, max_cells: int) -> Dem:
    """The DEM with inner voids of at most ``max_cells`` cells interpolated from the ground round them, and that said.

    Each void cell gets the mean of the nearest ground cells by inverse square distance; larger voids and those at the rim stay.
    """
    labels, n = ndimage.label(dem.void, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=n + 1)
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    small = (sizes <= max_cells) & (np.arange(n + 1) > 0) & ~np.isin(np.arange(n + 1), rim)
    if not small.any():
        return dem
    z = dem.z_m.copy()
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if small[label]:
            _interpolate(z, labels, label, box)
    cells = int(sizes[small].sum())
    note = f"{dem.name}: {int(small.sum())} voids of at most {max_cells} cells ({cells} cells) were interpolated from the ground round them."
    return dem.with_(z_m=z, said=(*dem.said, note))


def _interpolate(z: Heights, labels: npt.NDArray[Any], label: int, box: tuple[slice, ...]) -> None:
    wide = tuple(slice(max(s.start - 1, 0), s.stop + 1) for s in box)
    here, part = labels[wide] == label, z[wide]
    ring = ndimage.binary_dilation(here, np.ones((3, 3))) & ~here & ~np.isnan(part)
    known, wanted = np.argwhere(ring), np.argwhere(here)
    weight = 1 / ((wanted[:, None, :] - known[None, :, :]) ** 2).sum(axis=2)
    part[here] = (weight @ part[ring]) / weight.sum(axis=1)


# ---- heights along lines ---------------------------------------------------------------------------------------------


def sample_ends(dem: Dem, lines: gpd.GeoSeries, reach_m: float = 20.0, quantile: float = 0.2) -> tuple[Floats, Floats]:
    """How high does the ground lie at both ends of each river line? (z_start, z_end) in metres, NaN outside the DEM or in a void.

    ``lines``: LineStrings in any accepted CRS. A low quantile of the cells within ``reach_m`` (at least one cell) of an end,
    so that a line drawn on the bank reads the channel and not the hilltop; both ends are read alike.
    """
    local = in_dem(dem, lines)
    return (
        low_ground(dem, shapely.get_coordinates(shapely.get_point(local, 0)), reach_m, quantile),
        low_ground(dem, shapely.get_coordinates(shapely.get_point(local, -1)), reach_m, quantile),
    )


def elevation_along(
    dem: Dem, line: shapely.LineString, at_m: Floats, system: CRS, reach_m: float = 20.0, quantile: float = 0.2
) -> Floats:
    """Height of the channel at distances along a line in a metric ``system``: a low quantile near each, metres, NaN where unknown."""
    points = gpd.GeoSeries(shapely.line_interpolate_point(line, at_m), crs=system)
    return low_ground(dem, shapely.get_coordinates(in_dem(dem, points)), reach_m, quantile)


def in_dem(dem: Dem, shapes: gpd.GeoSeries) -> npt.NDArray[Any]:
    """Shapes in the coordinates of the DEM."""
    if CRS(shapes.crs) == dem.crs:
        return np.asarray(shapes.values, dtype=object)
    stored = crs.to_storage(shapes)
    return np.asarray(shapely.transform(np.asarray(stored.values, dtype=object), crs.out_of_storage(dem.crs)))


def low_ground(dem: Dem, xy: Floats, reach_m: float, quantile: float) -> Floats:
    """A low quantile of the heights round positions (n, 2) in the CRS of the DEM, float64 (n,); NaN where the cell itself is void."""
    cells = int(np.clip(np.ceil(reach_m / dem.cell_m), 1, 40))
    steps = np.unique(np.linspace(-cells, cells, min(2 * cells + 1, 9)).round().astype(np.int64))
    down, right = (g.ravel() for g in np.meshgrid(steps, steps, indexing="ij"))
    near = down**2 + right**2 <= (cells + 0.5) ** 2
    out = np.full(len(xy), np.nan)
    for start in range(0, len(xy), 20_000):  # 60,000 lines at once would ask for much memory
        part = slice(start, start + 20_000)
        row, column = dem.cells_of(xy[part])
        out[part] = _low(dem, row, column, down[near], right[near], quantile)
    return out


def _low(dem: Dem, row: Any, column: Any, down: Any, right: Any, quantile: float) -> Floats:
    rows, columns = dem.shape
    r, c = row[:, None] + down, column[:, None] + right
    inside = (r >= 0) & (r < rows) & (c >= 0) & (c < columns)
    z = np.where(inside, dem.z_m[r.clip(0, rows - 1), c.clip(0, columns - 1)], np.nan).astype(np.float64)
    known = (row >= 0) & ~np.isnan(dem.z_m[row, column])
    out = np.full(len(row), np.nan)
    if known.any():
        out[known] = np.nanquantile(z[known], quantile, axis=1)
    return out
