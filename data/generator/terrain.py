"""The 10 m terrain: valleys fall along the river profiles, hills rise between them, levees and the dam stand out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from rasterio.features import rasterize, shapes
from scipy.ndimage import gaussian_filter, label, zoom
from scipy.spatial import cKDTree
from shapely.geometry import LineString, Polygon, shape

from . import plan
from .axes import Profile, System
from .frame import ORIGIN, Axis, stream

CELL_M = 10.0
WEST, SOUTH, EAST, NORTH = -300.0, -300.0, 12300.0, 10300.0


@dataclass
class Terrain:
    z: np.ndarray
    transform: Affine
    reservoir: Polygon

    def sample(self, xy: np.ndarray) -> np.ndarray:
        """Height of the cell at each metric position."""
        col, row = ~self.transform * (xy[..., 0], xy[..., 1])
        rows = np.clip(row.astype(int), 0, self.z.shape[0] - 1)
        return self.z[rows, np.clip(col.astype(int), 0, self.z.shape[1] - 1)]


def grid(cell_m: float) -> tuple[Affine, np.ndarray]:
    """Transform and centre positions (rows, columns, 2) of the county's grid."""
    transform = Affine(cell_m, 0, ORIGIN[0] + WEST, 0, -cell_m, ORIGIN[1] + NORTH)
    east = ORIGIN[0] + np.arange(WEST + cell_m / 2, EAST, cell_m)
    north = ORIGIN[1] + np.arange(NORTH - cell_m / 2, SOUTH, -cell_m)
    return transform, np.stack(np.meshgrid(east, north), axis=-1)


def build(seed: int, system: System, levees: list[LineString]) -> Terrain:
    z = _hills(seed, system)
    transform, centres = grid(CELL_M)
    _carve(z, centres, system)
    _raise_levees(z, centres, levees)
    dam = dam_line(system)
    _raise_wall(z, centres, dam, plan.DAM_CREST_M, 14.0)
    lake, water = _flooded(z, transform, system)
    z[lake | rasterize([(water, 1)], z.shape, transform=transform).astype(bool)] = plan.NORMAL_LEVEL_M
    return Terrain((np.round(z * 8) / 8).astype("float32"), transform, water)


def dam_line(system: System) -> LineString:
    axis = system.axes["QTK"]
    return LineString(axis.at(np.full(2, axis.length_m - 8), np.array([-170.0, 170.0])))


def _hills(seed: int, system: System) -> np.ndarray:
    """Lowest of all valley sides, so that ridges arise where two valleys meet; with noise away from the floors."""
    _, centres = grid(2 * CELL_M)
    flat = centres.reshape(-1, 2)
    low = np.full(len(flat), np.inf)
    floor_distance = np.full(len(flat), np.inf)
    for code, level in system.level.items():
        axis = system.axes[code]
        s = np.arange(0, axis.length_m, 12.0)
        d, i = cKDTree(axis.at(s)).query(flat)
        beyond = np.maximum(d - system.flat_m[code], 0)
        side = 1.6 + 0.004 * np.minimum(d, system.flat_m[code]) + 95 * (1 - np.exp(-beyond / 420.0))
        low = np.minimum(low, level(s)[i] + side)
        floor_distance = np.minimum(floor_distance, beyond)
    shape2 = centres.shape[:2]
    plain_level, plain_distance = _plain(system, flat, _noise(seed, "plain", shape2).ravel())
    low = np.minimum(low, plain_level + 95 * (1 - np.exp(-plain_distance / 420.0)))
    floor_distance = np.minimum(floor_distance, plain_distance)
    rough = _noise(seed, "relief", shape2) * 11.0 * np.clip(floor_distance.reshape(shape2) / 350, 0, 1)
    coarse = gaussian_filter(low.reshape(shape2), 1.6) + rough
    fine = zoom(coarse, 2, order=1)
    return fine


def _plain(system: System, flat: np.ndarray, uneven: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The plain of the ditch net: falls from the canal to the drain; level and distance from it at each position."""
    river, ditches = system.axes["YSH"], (system.axes["WBG"], system.axes["WBP"])
    ends = (ditches[0].xy[0], ditches[1].xy[-1])
    high, low = (float(system.level["YSH"](river.locate(xy)[0])) + 0.6 for xy in ends)
    north = (ditches[0].xy[-1][1], ditches[1].xy[0][1])
    corners = shapely.union_all([d.line for d in ditches]).bounds
    outside = np.maximum(np.array(corners[:2]) - flat, flat - np.array(corners[2:])).clip(0)
    distance = np.hypot(outside[:, 0], outside[:, 1]) - 210 - 70 * uneven.clip(-2, 2)
    return np.interp(flat[:, 1], north, (high, low)), distance.clip(0)


def _noise(seed: int, name: str, shape2: tuple[int, int]) -> np.ndarray:
    rng = stream(seed, name)
    total = np.zeros(shape2)
    for sigma, weight in ((24, 1.0), (10, 0.55), (4, 0.2)):
        field = gaussian_filter(rng.standard_normal(shape2), sigma)
        total += weight * field / field.std()
    return total


def _carve(z: np.ndarray, centres: np.ndarray, system: System) -> None:
    """Cut the channels into the terrain: water level in the bed, banks that rise gently from it."""
    flat, out = centres.reshape(-1, 2), z.reshape(-1)
    for code, level in _channels(system):
        axis = system.axes[code]
        s = np.arange(0, axis.length_m, 5.0)
        d, i = cKDTree(axis.at(s)).query(flat, distance_upper_bound=140.0)
        near = np.flatnonzero(np.isfinite(d))
        half = np.maximum(axis.half_width_m(s)[i[near]], 8.0) if axis.half_width_m else 10.0
        beyond, bed = np.maximum(d[near] - half, 0), level(s)[i[near]]
        if code == plan.COVERED[0]:
            keep = ~_is_covered(axis, s[i[near]])
            near, beyond, bed = near[keep], beyond[keep], bed[keep]
        out[near] = np.where(beyond <= 0, np.minimum(out[near], bed), np.minimum(out[near], bed + 1.5 + 0.25 * beyond))


def _channels(system: System) -> Iterator[tuple[str, Profile]]:
    """Every channel with its water level; a braid channel falls as the trunk does beside it."""
    yield from system.level.items()
    trunk = system.level["YXH"]
    for code, (s1, s2) in system.parts.items():
        length = system.axes[code].length_m
        yield code, lambda s, s1=s1, s2=s2, length=length: trunk(s1 + (s2 - s1) * np.asarray(s) / length)


def covered_range(axis: Axis) -> tuple[float, float]:
    north, south = plan.COVERED[1:]
    local_north = axis.xy[:, 1] - ORIGIN[1]
    return tuple(float(axis.m[np.argmin(np.abs(local_north - y))]) for y in (north, south))  # type: ignore[return-value]


def _is_covered(axis: Axis, s: np.ndarray) -> np.ndarray:
    from_m, to_m = covered_range(axis)
    return (s > from_m) & (s < to_m)


def _raise_levees(z: np.ndarray, centres: np.ndarray, levees: list[LineString]) -> None:
    """Crest 3.5 m above the plain behind, slopes about 1:3."""
    for crest in levees:
        _raise_wall(z, centres, crest, None, 18.0)


def _raise_wall(z: np.ndarray, centres: np.ndarray, line: LineString, top_m: float | None, reach_m: float) -> None:
    along = np.arange(0, line.length, 5.0)
    stations = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    d, i = cKDTree(stations).query(centres.reshape(-1, 2), distance_upper_bound=reach_m)
    near = np.flatnonzero(np.isfinite(d))
    out = z.reshape(-1)
    if top_m is None:
        _, ground = cKDTree(centres.reshape(-1, 2)).query(stations)
        top = gaussian_filter(out[ground], 8, mode="nearest")[i[near]] + 3.5
    else:
        top = np.full(len(near), top_m)
    out[near] = np.maximum(out[near], top - np.maximum(d[near] - 4, 0) / 3.0)


def _flooded(z: np.ndarray, transform: Affine, system: System) -> tuple[np.ndarray, Polygon]:
    """The water at normal level: everything lower behind the dam, with smoothed shores."""
    axis = system.axes["QTK"]
    below = z < plan.NORMAL_LEVEL_M
    downstream = axis.strip(axis.length_m - 20, axis.length_m, 260.0, -260.0).buffer(2)
    below &= ~rasterize([(downstream, 1)], z.shape, transform=transform).astype(bool)
    parts, _ = label(below)
    col, row = ~transform * tuple(axis.at(axis.length_m - 60))
    lake = parts == parts[int(row), int(col)]
    outlines = [shape(g) for g, v in shapes(lake.astype("uint8"), lake, transform=transform) if v]
    outline = max(outlines, key=lambda p: p.area)
    smooth = outline.buffer(-7).buffer(16).buffer(-9).simplify(1.2)
    biggest = max(shapely.get_parts(smooth), key=lambda p: p.area)
    return lake, Polygon(biggest.exterior)
