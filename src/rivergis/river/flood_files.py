"""A flood from files to files: datums compared, the corridor of the DEM found, levels put on the axis, extent and depth written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from rasterio.errors import RasterioError
from rasterio.windows import Window
from shapely.ops import substring

from rivergis import crs
from rivergis.errors import EnvironmentFault, InputError, UsageError
from rivergis.river import dem_files, files, levels
from rivergis.river.flood import METHOD, Flood, FloodRules, flood, levee_walls
from rivergis.river.flood_inputs import Asked, Marks, read_axis, read_levees, read_levels
from rivergis.river.terrain import UNKNOWN, Dem, Floats, require_same_datum
from rivergis.river.valley import chainages_at, channel_on
from rivergis.rules import RuleView

_MARGIN_M = 1500.0
_FAR = 0.5
"""Levels and axis farther off the DEM than this share of its size do not widen the corridor."""
_NODATA = -9999.0


@dataclass(frozen=True)
class FloodResult:
    """What came out, ready for JSON; ``observed`` holds one row per level that came as a point."""

    dem: str
    river_id: str | None
    vertical_datum: str
    area_m2: float
    parts: int
    max_depth_m: float | None
    low_but_not_connected: list[dict[str, Any]]
    low_area_m2: float
    levels: dict[str, Any]
    observed: list[dict[str, Any]]
    open_ends: list[dict[str, Any]]
    look_at: list[dict[str, Any]]
    widths: list[dict[str, Any]]
    method: str
    rules: list[dict[str, Any]]
    said: list[str]
    observed_frame: gpd.GeoDataFrame = field(repr=False, compare=False)
    flood: Flood = field(repr=False, compare=False)

    @property
    def summary(self) -> dict[str, Any]:
        """All but frames and arrays."""
        return {k: v for k, v in vars(self).items() if k not in ("flood", "observed_frame")}


def rules_of(view: RuleView) -> FloodRules:
    """The thresholds of the place."""

    def number(key: str) -> float:
        return view.number(f"terrain.flood.{key}")

    return FloodRules(
        number("barrier_way"),
        number("steep"),
        number("widest_void"),
        number("told_barrier"),
        number("below_bed"),
        number("least_low_area"),
    )


def flood_files(asked: Asked, view: RuleView, progress: Callable[[str], None] = lambda step: None) -> FloodResult:
    """The land under water at given levels (淹没分析), from files. Raises ``InputError``, ``CrsRefused``, ``UsageError``."""
    progress("read")
    axis, origin_m = read_axis(asked)
    marks = read_levels(asked)
    rules = rules_of(view)
    levees = read_levees(asked)
    with dem_files.opened(asked.dem, vertical_datum=asked.dem_datum) as file:
        said, datum = _datums(asked, file, marks)
        window = _corridor(file, asked, axis, origin_m, marks)
        while True:
            progress("water")
            _check_size(file, window, view)
            dem = file.read(window).with_(vertical_datum=datum)
            at_m = _places(dem, axis, origin_m, marks, rules)
            profile = _profile(asked, at_m, marks)
            walls, without = levee_walls(dem, levees) if levees is not None else (None, 0)
            past = 0.0 if marks.lonlat is None else _past_ends(axis, origin_m, at_m)
            done = flood(
                dem,
                axis,
                profile,
                rules,
                walls=walls,
                origin_m=origin_m,
                every_m=asked.every_m,
                past_ends_m=past,
            )
            wider = _wider(file, window, done)
            if wider == window:
                break
            window = wider
    if without:
        said.append(
            f"{without} levee lines of {asked.levees.name if asked.levees else ''} have no crest height: they hold any water, whatever it is."
        )
    return _result(asked, done, profile, marks, at_m, said, [r.as_dict() for r in view.used])


# ---- one datum, one window -------------------------------------------------------------------------------------------


def _datums(asked: Asked, file: dem_files.DemFile, marks: Marks) -> tuple[list[str], str]:
    """What is to be said of the vertical datums, and the one of the result; refuses what cannot be compared."""
    declared = dem_files.datum_named(asked.vertical_datum)
    said = []
    own = file.vertical_datum
    if own == UNKNOWN and declared != UNKNOWN:
        own = declared
        said.append(f"{file.name} names no vertical datum; {declared} is declared by the user.")
    of_levels = marks.datums or {declared}
    if marks.datums and declared not in (UNKNOWN, *marks.datums):
        said.append(f"{asked.levels.name} names {', '.join(sorted(marks.datums))}, which is used, not {declared}.")
    probe = Dem(np.zeros((1, 1), np.float32), file.affine, file.crs, own, file.name)
    said += require_same_datum(probe, of_levels, asked.insist)
    return said, own


def _corridor(file: dem_files.DemFile, asked: Asked, axis: shapely.LineString, origin_m: float, marks: Marks) -> Window:
    """The part of the DEM round the axis, as far as levels hold, and round the marks."""
    line = axis if asked.constant_beyond else _levelled(axis, origin_m, marks)
    points = shapely.get_coordinates(line)
    if marks.lonlat is not None:
        points = np.vstack([points, marks.lonlat])
    xy = crs.out_of_storage(file.crs)(points)
    column, row = (~file.affine) @ (xy[:, 0], xy[:, 1])
    on = (row > -_FAR * file.shape[0]) & (row < (1 + _FAR) * file.shape[0])
    on &= (column > -_FAR * file.shape[1]) & (column < (1 + _FAR) * file.shape[1])
    if not on.any():
        raise InputError(f"Neither axis nor levels lie on {file.name}: give the DEM of this river.", file=file.name)
    row, column = row[on], column[on]
    return _clipped(file, row.min(), row.max(), column.min(), column.max(), _margin(file))


def _levelled(axis: shapely.LineString, origin_m: float, marks: Marks) -> shapely.LineString:
    """The stretch of the axis from the first to the last level, roughly."""
    if marks.lonlat is not None:
        share = shapely.line_locate_point(axis, shapely.points(marks.lonlat), normalized=True)
    else:
        share = np.clip((marks.at_m - origin_m) / crs.length_m(axis), 0.0, 1.0)
    return substring(axis, float(share.min()), float(share.max()), normalized=True)


def _margin(file: dem_files.DemFile) -> int:
    probe = Dem(np.zeros((*file.shape[:1], 1), np.float32), file.affine, file.crs)
    return max(64, int(np.ceil(_MARGIN_M / probe.cell_m)))


def _clipped(file: dem_files.DemFile, top: float, bottom: float, left: float, right: float, margin: int) -> Window:
    rows, columns = file.shape
    top, left = max(int(top) - margin, 0), max(int(left) - margin, 0)
    bottom, right = min(int(bottom) + margin + 1, rows), min(int(right) + margin + 1, columns)
    if bottom <= top or right <= left:
        raise InputError(f"The river axis does not touch {file.name}: give the axis of the river this DEM covers.")
    return Window(left, top, right - left, bottom - top)


def _wider(file: dem_files.DemFile, window: Window, done: Flood) -> Window:
    """The same window if the water stays inside it, else one that leaves more room on the sides that it reaches."""
    wet = done.wet
    rows, columns = file.shape
    grow = max(window.width, window.height) // 2
    top = window.row_off - grow * bool(wet[0].any())
    left = window.col_off - grow * bool(wet[:, 0].any())
    bottom = window.row_off + window.height + grow * bool(wet[-1].any())
    right = window.col_off + window.width + grow * bool(wet[:, -1].any())
    top, left, bottom, right = max(top, 0), max(left, 0), min(bottom, rows), min(right, columns)
    return Window(left, top, right - left, bottom - top)


def _check_size(file: dem_files.DemFile, window: Window, view: RuleView) -> None:
    most = view.number("terrain.exact_max_cells")
    if window.width * window.height > most:
        raise InputError(
            f"The water of these levels needs {window.width} x {window.height} cells of {file.name}, more than {most:,.0f} "
            "(terrain.exact_max_cells): give levels of a shorter stretch, or a coarser DEM.",
            file=file.name,
        )


# ---- levels on the axis ----------------------------------------------------------------------------------------------


def _places(dem: Dem, axis: shapely.LineString, origin_m: float, marks: Marks, rules: FloodRules) -> Floats:
    """Chainage of each level: as given, or of the field in which its cell lies, so that the water there stands at its level."""
    if marks.lonlat is None:
        return marks.at_m
    return chainages_at(dem, channel_on(dem, axis, origin_m), rules.barrier_way_m, marks.lonlat)


def _past_ends(axis: shapely.LineString, origin_m: float, at_m: Floats) -> float:
    """How far marks lie beyond the ends of the axis, metres."""
    end_m = origin_m + crs.length_m(axis)
    return float(max(origin_m - np.nanmin(at_m, initial=np.inf), np.nanmax(at_m, initial=-np.inf) - end_m, 0.0))


def _profile(asked: Asked, at_m: Floats, marks: Marks) -> levels.Profile:
    on = np.isfinite(at_m)
    if not on.any():
        raise InputError(
            f"No level of {asked.levels.name} lies on the DEM and beside the axis.", file=str(asked.levels)
        )
    kind = asked.profile if asked.profile != "auto" else ("fitted" if marks.lonlat is not None else "as_given")
    if kind == "fitted" and on.sum() > 2 and np.corrcoef(at_m[on], marks.level_m[on])[0, 1] > 0.5:
        raise UsageError(
            f"The levels of {asked.levels.name} rise along the axis as it is digitised: give an axis that runs downstream, "
            "turn it with --reverse-axis, or take the levels with --profile as_given."
        )
    make = {"fitted": levels.fitted, "as_given": levels.as_given}[kind]
    return make(at_m[on], marks.level_m[on], asked.constant_beyond)


# ---- what is written -------------------------------------------------------------------------------------------------


def _result(
    asked: Asked,
    done: Flood,
    profile: levels.Profile,
    marks: Marks,
    at_m: Floats,
    said: list[str],
    used: list[dict[str, Any]],
) -> FloodResult:
    off = int((~np.isfinite(at_m)).sum())
    if off:
        said.append(f"{off} levels of {asked.levels.name} lie off the DEM; they are left out.")
    low = done.low_parts.drop(columns="geometry").sort_values("area_m2", ascending=False)
    open_ends = done.marks["code"].isin(["open_at_rim", "open_at_void", "runs_off"])
    observed = _observed(done, profile, marks, at_m)
    deepest = done.parts["max_depth_m"].max() if len(done.parts) else 0.0
    return FloodResult(
        dem=done.dem.name,
        river_id=asked.river_id,
        vertical_datum=done.dem.vertical_datum,
        area_m2=round(done.area_m2, 1),
        parts=len(done.parts),
        max_depth_m=float(deepest) if np.isfinite(deepest) else None,
        low_but_not_connected=_rows(low),
        low_area_m2=round(float(low["area_m2"].sum()), 1),
        levels=_told(profile, marks),
        observed=[] if marks.lonlat is None else _rows(observed.drop(columns="geometry", errors="ignore")),
        open_ends=_rows(_placed(done.marks[open_ends])),
        look_at=_rows(_placed(done.marks[~open_ends])),
        widths=_rows(done.widths),
        method=METHOD,
        rules=used,
        said=[*said, *done.said],
        observed_frame=observed,
        flood=done,
    )


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows ready for JSON: what is not known is null."""
    return [
        {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()}
        for row in frame.to_dict("records")
    ]


def _placed(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(frame.drop(columns="geometry")).assign(
        lon=frame.geometry.x.round(6), lat=frame.geometry.y.round(6)
    )


def _told(profile: levels.Profile, marks: Marks) -> dict[str, Any]:
    """The profile in figures; root mean squares of the residuals and of what the other levels would have told."""

    def rms(values: Floats | None) -> float | None:
        known = values[np.isfinite(values)] if values is not None else np.zeros(0)
        return round(float(np.sqrt((known**2).mean())), 3) if len(known) else None

    return {
        "count": len(marks.level_m),
        "profile": profile.method,
        "from_m": round(float(profile.at_m[0]), 1),
        "to_m": round(float(profile.at_m[-1]), 1),
        "highest_m": round(float(profile.level_m.max()), 3),
        "lowest_m": round(float(profile.level_m.min()), 3),
        "constant_beyond": profile.constant_beyond,
        "residual_rms_m": rms(profile.residual_m),
        "left_out_rms_m": rms(profile.left_out_m),
    }


def _observed(done: Flood, profile: levels.Profile, marks: Marks, at_m: Floats) -> gpd.GeoDataFrame:
    """Each level with its chainage, how far the profile is off, and whether its place is wet and how deep."""
    on = np.isfinite(at_m)
    table = pd.DataFrame({"at_m": at_m[on].round(1), "level_m": marks.level_m[on]})
    table["profile_m"] = np.interp(at_m[on], profile.at_m, profile.level_m).round(3)
    table["residual_m"] = np.round(profile.residual_m, 3) if profile.residual_m is not None else np.nan
    table["left_out_m"] = np.round(profile.left_out_m, 3) if profile.left_out_m is not None else np.nan
    if marks.lonlat is None:
        return gpd.GeoDataFrame(table, geometry=[None] * len(table), crs=crs.STORAGE)
    lonlat = marks.lonlat[on]
    row, column = done.dem.cells_of(crs.out_of_storage(done.dem.crs)(lonlat))
    table["ground_m"] = done.dem.z_m[row, column].astype(np.float64).round(3)
    table["wet"] = done.wet[row, column]
    table["depth_m"] = done.depth_m[row, column].astype(np.float64).round(3)
    return gpd.GeoDataFrame(table, geometry=shapely.points(lonlat), crs=crs.STORAGE)


def check_out(out: Path, depth: Path | None, overwrite: bool) -> None:
    """Whether the results can be written there; ``UsageError`` before any work is done."""
    if out.suffix.lower() != ".gpkg":
        raise UsageError(f"{out.name}: an extent is written as GeoPackage; give --out a name that ends in .gpkg.")
    if depth is not None and depth.suffix.lower() not in (".tif", ".tiff"):
        raise UsageError(f"{depth.name}: depths are written as GeoTIFF; give --depth a name that ends in .tif.")
    for path in (out, depth):
        if path is None:
            continue
        if path.exists() and not overwrite:
            raise UsageError(f"{path} is there already: give another name, or --overwrite.")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"The folder {path.absolute().parent} does not exist: make it, or give another name.")


def write(result: FloodResult, out: Path) -> None:
    """GeoPackage with layers extent, low_but_not_connected, levels, look_at and tables widths and result; all or nothing."""
    done = result.flood
    told = {k: v for k, v in result.summary.items() if k != "widths"}
    files.write_package(
        out,
        [
            ("extent", done.parts, "Polygon"),
            ("low_but_not_connected", done.low_parts, "Polygon"),
            ("levels", result.observed_frame, "Point"),
            ("look_at", done.marks, "Point"),
        ],
        [("widths", done.widths), ("result", files.told_table(told))],
    )


def write_depth(result: FloodResult, path: Path) -> None:
    """Depths in metres as GeoTIFF in the grid of the DEM (float32, nodata -9999 = dry), with datum and method in its tags."""
    dem, depth = result.flood.dem, result.flood.depth_m
    part = path.with_name(f".{path.stem}.part.tif")
    rows, columns = dem.shape
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "height": rows, "width": columns, "nodata": _NODATA}
    tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "predictor": 3}
    try:
        with rasterio.open(part, "w", crs=dem.crs.to_wkt(), transform=dem.affine, **profile, **tiles) as image:
            image.write(np.where(np.isnan(depth), np.float32(_NODATA), depth), 1)
            image.set_band_description(1, "depth_m")
            image.set_band_unit(1, "m")
            image.update_tags(VERTICAL_DATUM=result.vertical_datum, METHOD=result.method, NOTES=" ".join(result.said))
        part.replace(path)
    except RasterioError as error:
        raise EnvironmentFault(f"{path} cannot be written: {' '.join(str(error).split())[:200]}.") from error
    finally:
        part.unlink(missing_ok=True)
