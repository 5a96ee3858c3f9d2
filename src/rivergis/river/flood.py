"""Which land lies under water at these levels, how deep, and what lies low but dry behind a levee? (淹没范围, 水深)

Levels at chainages are hung on the valley (``valley``), water is spread from the channel over the ground (``spread``). What
the DEM and the levels cannot tell is listed: where the extent ends only because the data end, what was taken for water, where
the surface is too steep to be one. A calculation over a DEM: no current, no duration, no breach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from rasterio import features
from scipy import ndimage

from rivergis import crs
from rivergis.river.chainage import label
from rivergis.river.levels import Profile
from rivergis.river.spread import rise_to_reach, spread
from rivergis.river.terrain import Dem, Floats, Heights, Mask
from rivergis.river.valley import Channel, bed_m, chainages, channel_on

_BANK_M = 0.5
"""Ground lower than this above the bed is no barrier: a deep beside the axis belongs to the channel."""

METHOD = (
    "levels interpolated linearly along the axis; each cell takes the highest surface that reaches it from the channel over "
    "wet cells joined by their sides, never higher than the river at the chainage it belongs to; ground and levees hold it back"
)


@dataclass(frozen=True)
class FloodRules:
    """Thresholds of ``gis/rules`` (river.flood.*) as a flood asks them."""

    barrier_way_m: float
    """Metres of way that a metre of ground to be climbed counts as, when a cell is given to a chainage."""
    steep_m: float
    """Step of the surface between neighbouring cells from which it is told."""
    widest_void_m: float
    """A void along the axis that is not wider on the average is taken for water."""
    told_barrier_m: float
    """Land below the river is told where a rise of this much would reach it; behind higher ground it is another valley."""
    below_bed_m: float
    """Behind a barrier, ground this far below the bed is another valley: water that gets there runs off and is not followed."""
    least_low_m2: float
    """Smaller hollows below the surface are counted, not listed."""


@dataclass(frozen=True)
class Flood:
    """A water surface over a DEM and what it leaves open.

    Arrays (rows, columns): ``surface_m`` (NaN = dry), ``depth_m`` float32 (NaN = dry, or under water that is void in the DEM),
    ``low`` (bool: below the river beside it, but dry behind ground or levee), ``chainage_m``. ``parts`` and ``low_parts``:
    polygons; ``widths``: mean wet width per stretch; ``marks``: Point frame of what to look at (``code``, ``from_m``, ``to_m``,
    ``measure``, ``unit``), all in EPSG:4490. ``said``: sentences that belong to the result.
    """

    dem: Dem
    surface_m: Heights
    depth_m: Heights
    low: Mask
    chainage_m: npt.NDArray[np.float32]
    parts: gpd.GeoDataFrame
    low_parts: gpd.GeoDataFrame
    widths: pd.DataFrame
    marks: gpd.GeoDataFrame
    said: tuple[str, ...]

    @property
    def wet(self) -> Mask:
        return ~np.isnan(self.surface_m)

    @property
    def area_m2(self) -> float:
        return float(self.parts["area_m2"].sum())


def flood(
    dem: Dem,
    axis: shapely.LineString,
    profile: Profile,
    rules: FloodRules,
    *,
    walls: Heights | None = None,
    origin_m: float = 0.0,
    every_m: float = 100.0,
    past_ends_m: float = 0.0,
) -> Flood:
    """The land under water at the levels of ``profile`` along ``axis`` (LineString in degrees, EPSG:4490, first vertex upstream).

    ``past_ends_m``: how far beyond the ends of the axis levels are known (high-water marks there); the extent ends square to it.
    ``walls``: height of levees on the grid (``levee_walls``), NaN where there is none. Heights of DEM, levels and walls count
    from one vertical datum (``terrain.require_same_datum``). Raises ``InputError`` where the axis misses the DEM.
    """
    channel = channel_on(dem, axis, origin_m)
    water_voids = _water_voids(dem, channel, rules.widest_void_m)
    ground = dem.z_m if walls is None else np.fmax(dem.z_m, walls)
    asked = np.where(channel.cells | water_voids, -np.inf, dem.z_m).astype(np.float32)
    highest = float(profile.level_m.max()) + rules.told_barrier_m
    at = chainages(asked, dem, channel, rules.barrier_way_m, highest)
    river = _river_beside(at, channel, profile, past_ends_m)
    away = _another_valley(dem, channel, at, channel.cells | water_voids, rules)
    river[away] = np.nan
    surface = spread(ground, river, channel.cells, water_voids)
    depth = surface - _bed(dem, channel, profile)
    rise = rise_to_reach(
        np.where(np.isinf(ground), np.float32(0), ground - river), ~np.isnan(surface), rules.told_barrier_m
    )
    low = (river > dem.z_m) & np.isnan(surface) & (ground == dem.z_m) & ~np.isnan(rise)
    parts = _polygons(dem, ~np.isnan(surface), at, depth)
    low_parts, small = _low_parts(dem, low, at, river, rise, rules.least_low_m2)
    marks = [
        *_blocked(dem, channel, profile),
        *_open(dem, surface, at, water_voids, away),
        *_steep(dem, surface, at, rules),
    ]
    said = [*dem.said, *_sentences(dem, channel, profile, marks, water_voids & ~np.isnan(surface), small)]
    return Flood(
        dem,
        surface,
        depth,
        low,
        at,
        parts,
        low_parts,
        _widths(dem, surface, at, every_m),
        _frame(dem, marks),
        tuple(said),
    )


def levee_walls(dem: Dem, lines: gpd.GeoDataFrame) -> tuple[Heights, int]:
    """Crest heights of levee lines (堤防) on the grid, NaN where there is none, and how many lines have no height.

    ``lines``: LineStrings in EPSG:4490 with ``crest_m`` (metres; NaN = take the third ordinate of the line); a line with
    neither is a wall without end, which water never crosses. The cells of a line hang together at least by their corners,
    which holds water that spreads by sides.
    """
    walls = np.full(dem.shape, np.nan, dtype=np.float32)
    without = 0
    for line, crest in zip(lines.geometry, lines["crest_m"], strict=True):
        xyz = shapely.get_coordinates(line, include_z=True)
        height = np.full(len(xyz), crest) if np.isfinite(crest) else xyz[:, 2]
        if not np.isfinite(height).all():
            without += 1
            height = np.full(len(xyz), np.inf)
        _raise(dem, walls, xyz[:, :2], height)
    return walls, without


def _raise(dem: Dem, walls: Heights, lonlat: Floats, height: Floats) -> None:
    xy = crs.out_of_storage(dem.crs)(lonlat)
    grid = np.column_stack((~dem.affine) @ (xy[:, 0], xy[:, 1]))
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(grid, axis=0).T))])
    fine = np.unique(np.concatenate([run, np.linspace(0, run[-1], int(run[-1] * 4) + 2)]))
    column, row = (np.floor(np.interp(fine, run, grid[:, i])).astype(np.int64) for i in (0, 1))
    crest = np.full(len(fine), np.inf) if np.isinf(height).any() else np.interp(fine, run, height)
    inside = (row >= 0) & (row < dem.shape[0]) & (column >= 0) & (column < dem.shape[1])
    np.fmax.at(walls, (row[inside], column[inside]), crest[inside].astype(np.float32))


# ---- the surface -----------------------------------------------------------------------------------------------------


def _water_voids(dem: Dem, channel: Channel, widest_m: float) -> Mask:
    """Voids along the axis no wider than a river: lidar gets nothing back from water."""
    labels, n = ndimage.label(dem.void)
    if not n:
        return dem.void
    width, height = dem.cell_size_m
    row_area = np.repeat(width * height, dem.shape[1]).reshape(dem.shape)
    area = np.bincount(labels.ravel(), row_area.ravel(), minlength=n + 1)
    length = np.bincount(labels[channel.cell_of(dem.shape)], minlength=n + 1) * channel.step_m
    water = (length > 0) & (area <= widest_m * length)
    water[0] = False
    return np.asarray(water[labels], dtype=bool)


def _river_beside(at: npt.NDArray[np.float32], channel: Channel, profile: Profile, past_ends_m: float) -> Heights:
    """Level of the river at the chainage of each cell; NaN beyond the axis (by more than half a cell) and beyond the levels."""
    slack = max(channel.cell_m) / 2
    start, end = channel.at_m[[0, -1]]
    on = (at >= start - past_ends_m - slack) & (at <= end + past_ends_m + slack)
    # single precision and the half cells at both ends must not cut off the ends of the levels
    first, last = profile.at_m[[0, -1]]
    near = (at >= first - slack) & (at <= last + slack)
    level = np.full(at.shape, np.nan, dtype=np.float32)
    for row in range(len(at)):  # one row at a time: chainages in double precision would double the memory
        level[row] = profile.levels(np.where(near[row], np.clip(at[row], first, last), at[row]))
    level[~on] = np.nan
    return level


def _another_valley(dem: Dem, channel: Channel, at: npt.NDArray[np.float32], sources: Mask, rules: FloodRules) -> Mask:
    """Ground far below the bed of the river it lies beside, behind a barrier: levels of this river tell nothing of it."""
    bed = bed_m(dem, channel)
    above = np.empty(at.shape, dtype=np.float32)
    for row in range(len(at)):
        above[row] = dem.z_m[row] - np.interp(at[row], channel.over_at_m, bed)
    deep = above < -rules.below_bed_m
    if deep.any():
        deep &= ~(rise_to_reach(above, sources, rules.below_bed_m) <= _BANK_M)
    return deep


def _bed(dem: Dem, channel: Channel, profile: Profile) -> Heights:
    """The ground, with bridge decks over the channel replaced by the bed before and behind them."""
    ground = dem.z_m.copy()
    row, column = channel.cell_of(dem.shape)
    z, level = ground[row, column], profile.levels(channel.over_at_m)
    with np.errstate(invalid="ignore"):
        under, deck = z < level, z >= level
    if under.any() and deck.any():
        ground[row[deck], column[deck]] = np.interp(channel.over_at_m[deck], channel.over_at_m[under], z[under])
    return ground


# ---- what to look at -------------------------------------------------------------------------------------------------

Found = tuple[str, float, float, float, str, int, int]
"""code, from_m, to_m, measure, unit, row, column."""


def _runs(at: Floats, gap_m: float) -> Iterator[npt.NDArray[np.int64]]:
    """Numbers of values in groups without a gap, in rising order."""
    order = np.argsort(at, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(at[order]) > gap_m) + 1) if len(order) else ()


def _blocked(dem: Dem, channel: Channel, profile: Profile) -> Iterator[Found]:
    """Stretches of the axis over ground that is higher than the level: bridges, or an axis that leaves its channel."""
    row, column = channel.cell_of(dem.shape)
    at = channel.over_at_m
    with np.errstate(invalid="ignore"):
        above = dem.z_m[row, column] - profile.levels(at)
        over = np.flatnonzero(above >= 0)
    for run in _runs(at[over], 3 * max(channel.cell_m)):
        i = over[run]
        top = i[np.argmax(above[i])]
        yield (
            "axis_above_water",
            float(at[i[0]]),
            float(at[i[-1]]),
            float(above[top]),
            "m",
            int(row[top]),
            int(column[top]),
        )


def _open(dem: Dem, surface: Heights, at: npt.NDArray[np.float32], water_voids: Mask, away: Mask) -> Iterator[Found]:
    """Stretches where the extent is open: water stands at the rim of the DEM, beside a void or above another valley."""
    wet = ~np.isnan(surface)
    rim = np.zeros_like(wet)
    rim[[0, -1]], rim[:, [0, -1]] = True, True
    beside = ndimage.binary_dilation(dem.void & ~water_voids)
    for code, where in (
        ("open_at_rim", rim),
        ("open_at_void", beside & ~rim),
        ("runs_off", ndimage.binary_dilation(away)),
    ):
        row, column = np.nonzero(wet & where)
        for run in _runs(at[row, column].astype(np.float64), 10 * dem.cell_m):
            middle = run[len(run) // 2]
            reach = at[row[run], column[run]]
            length = len(run) * dem.cell_m
            yield code, float(reach.min()), float(reach.max()), length, "m", int(row[middle]), int(column[middle])


def _steep(dem: Dem, surface: Heights, at: npt.NDArray[np.float32], rules: FloodRules) -> Iterator[Found]:
    """Places where the surface of neighbouring wet cells differs more than water can: necks of bends, overtopped levees."""
    step = np.zeros(surface.shape, dtype=np.float32)
    with np.errstate(invalid="ignore"):
        for axis, here, there in ((0, np.s_[:-1], np.s_[1:]), (1, np.s_[:, :-1], np.s_[:, 1:])):
            difference = np.nan_to_num(np.abs(np.diff(surface, axis=axis)))
            step[here] = np.maximum(step[here], difference)
            step[there] = np.maximum(step[there], difference)
    labels, _ = ndimage.label(step > rules.steep_m, np.ones((3, 3)))
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        here = labels[box] == number
        row, column = np.unravel_index(int(np.argmax(np.where(here, step[box], 0))), here.shape)
        row, column = row + box[0].start, column + box[1].start
        reach = at[box][here]
        yield (
            "steep_surface",
            float(reach.min()),
            float(reach.max()),
            float(step[row, column]),
            "m",
            int(row),
            int(column),
        )


def _frame(dem: Dem, found: list[Found]) -> gpd.GeoDataFrame:
    columns = ["code", "from_m", "to_m", "measure", "unit", "row", "column"]
    table = pd.DataFrame(found, columns=columns)
    xy = dem.xy_of(table.pop("row").to_numpy(np.int64), table.pop("column").to_numpy(np.int64))
    lonlat = crs.into_storage(dem.crs)(xy) if len(xy) else xy
    return gpd.GeoDataFrame(table.round(3), geometry=shapely.points(lonlat), crs=crs.STORAGE)


def _sentences(
    dem: Dem, channel: Channel, profile: Profile, marks: list[Found], water_voids: Mask, small: int
) -> Iterator[str]:
    start, end = channel.over_at_m[[0, -1]]
    first, last = profile.at_m[[0, -1]]
    if not profile.constant_beyond and (first > start + channel.step_m or last < end - channel.step_m):
        yield (
            f"Levels are given from {label(first)} to {label(last)} only, the axis on the DEM runs from {label(start)} to {label(end)}: "
            "the extent ends there for want of levels, not of water."
        )
    if profile.constant_beyond and (first > start or last < end):
        yield f"Before {label(first)} and behind {label(last)} the level is taken as constant, because it was asked for."
    if rises := profile.rises:
        a, b, rise = max(rises, key=lambda r: r[2])
        yield (
            f"The level rises downstream in {len(rises)} places, most by {rise:.2f} m from {label(a)} to {label(b)}: check the levels, "
            "and that the axis runs downstream."
        )
    if water_voids.any():
        yield f"{int(water_voids.sum()):,} void cells of {dem.name} along the axis are taken for water of unknown depth."
    words = {
        "axis_above_water": "stretches of the axis lie over ground above the level (bridges, or an axis off its channel); water is led through",
        "open_at_rim": "stretches of the extent reach the rim of the DEM and are open there",
        "open_at_void": "stretches of the extent reach a void and are open there",
        "runs_off": "stretches of the extent lie above another valley, far below the bed, into which the water would run off; it is not followed there",
        "steep_surface": "places have a step in the surface that standing water would not keep",
    }
    for code, sentence in words.items():
        if count := sum(m[0] == code for m in marks):
            yield f"{count} {sentence}; they are listed as {code}."
    if small:
        yield f"{small} hollows below the surface are too small to be listed."


# ---- shapes and measures ---------------------------------------------------------------------------------------------


def _shapes(dem: Dem, labels: npt.NDArray[np.int32]) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Outlines of labelled parts in EPSG:4490 with their labels; holes are kept."""
    found = list(features.shapes(labels, mask=labels > 0, connectivity=4, transform=dem.affine))
    polygons = np.array([shapely.geometry.shape(s) for s, _ in found], dtype=object)
    move = crs.into_storage(dem.crs)
    return shapely.transform(polygons, move), np.array([int(v) for _, v in found], dtype=np.int64)


def _most(values: Heights, labels: npt.NDArray[np.int32], number: npt.NDArray[np.int64]) -> Floats:
    """Largest value in each labelled part (scipy's would sort the whole grid); NaN counts nowhere, and stands where nothing is known."""
    inside = labels > 0
    most = np.full(int(number.max(initial=0)) + 1, -np.inf)
    np.fmax.at(most, labels[inside], values[inside].astype(np.float64))
    return np.where(np.isfinite(most), most, np.nan)[number]


def _stretch_of(
    labels: npt.NDArray[np.int32], number: npt.NDArray[np.int64], at: npt.NDArray[np.float32]
) -> dict[str, Any]:
    return {"from_m": (-_most(-at, labels, number)).round(1), "to_m": _most(at, labels, number).round(1)}


def _polygons(dem: Dem, wet: Mask, at: npt.NDArray[np.float32], depth: Heights) -> gpd.GeoDataFrame:
    """The extent as polygons, one per connected part, with area and depths."""
    labels, _ = ndimage.label(wet, output=np.int32)
    shapes, number = _shapes(dem, labels)
    known = ~np.isnan(depth)
    parts = int(number.max(initial=0)) + 1
    count = np.bincount(labels[known], minlength=parts)
    total = np.bincount(labels[known], depth[known], minlength=parts)
    columns = {
        "part": number,
        "area_m2": crs.area_m2(shapes),
        **_stretch_of(labels, number, at),
        "max_depth_m": _most(depth, labels, number).round(2),
        "mean_depth_m": np.where(count > 0, total / np.maximum(count, 1), np.nan)[number].round(2),
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs.STORAGE)


def _low_parts(
    dem: Dem, low: Mask, at: npt.NDArray[np.float32], river: Heights, rise: Heights, least_m2: float
) -> tuple[gpd.GeoDataFrame, int]:
    """Land below the river beside it that water does not reach, and how many parts are too small to list.

    ``rise_m``: how much higher the river would have to stand to reach it; NaN behind a levee line of unknown height.
    """
    labels, _ = ndimage.label(low, output=np.int32)
    width, height = dem.cell_size_m
    cells = np.bincount(labels.ravel())
    cells[0] = 0
    listed = (cells > 0) & (cells * float(np.median(width * height)) >= least_m2)
    small = int((cells > 0).sum() - listed.sum())
    labels[~listed[labels]] = 0
    shapes, number = _shapes(dem, labels)
    least_rise = -_most(-rise, labels, number)
    columns = {
        "part": number,
        "area_m2": crs.area_m2(shapes),
        **_stretch_of(labels, number, at),
        "rise_m": np.where(least_rise > 0, least_rise, np.nan).round(2),
        "max_below_m": _most(river - dem.z_m, labels, number).round(2),
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs.STORAGE), small


def _widths(dem: Dem, surface: Heights, at: npt.NDArray[np.float32], every_m: float) -> pd.DataFrame:
    """Mean wet width per stretch of the river: wet area that belongs to it over its length."""
    row, column = np.nonzero(~np.isnan(surface))
    width, height = dem.cell_size_m
    here = at[row, column].astype(np.float64)
    if not len(here):
        return pd.DataFrame(columns=["from_m", "to_m", "area_m2", "width_m"])
    half = dem.cell_m / 2  # a cell reaches as far on both sides of its middle, and may lie in two stretches
    number = np.floor((here - half) / every_m).astype(np.int64)
    share = np.clip(((number + 1) * every_m - here + half) / dem.cell_m, 0, 1)
    first = int(number.min())
    cell = (width * height)[row]
    area = np.bincount(number - first, cell * share, minlength=int(number.max()) - first + 2)
    area += np.bincount(number - first + 1, cell * (1 - share), minlength=len(area))
    start = (np.arange(len(area)) + first) * every_m
    from_m, to_m = np.maximum(start, here.min() - half), np.minimum(start + every_m, here.max() + half)
    table = pd.DataFrame({"from_m": from_m, "to_m": to_m, "area_m2": area})
    table = table[(table["area_m2"] > 0) & (table["to_m"] > table["from_m"])]
    return table.assign(width_m=table["area_m2"] / (table["to_m"] - table["from_m"])).round(2).reset_index(drop=True)
