"""What a flood is made of, read from files: the axis of a river, levels along it or high-water marks, levees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from rivergis import crs
from rivergis.errors import CrsRefused, InputError
from rivergis.intake import vector
from rivergis.river import chainage, dem_files
from rivergis.river.files import read_reaches
from rivergis.river.terrain import Floats

LEVEL_FIELDS = (
    "level_m",
    "level",
    "water_level_m",
    "water_level",
    "wse_m",
    "wse",
    "水位",
    "水位_m",
    "洪痕高程",
    "高程",
)
CHAINAGE_FIELDS = ("at_m", "桩号", "chainage", "chainage_m")
CREST_FIELDS = ("crest_m", "堤顶高程")
DATUM_FIELDS = ("vertical_datum", "高程基准")
_JOINED_M = 1.0


@dataclass(frozen=True)
class Asked:
    """What a flood is made of. ``profile``: ``auto`` (marks are fitted, tables taken as given), ``fitted`` or ``as_given``."""

    dem: Path
    axis: Path
    levels: Path
    levees: Path | None = None
    axis_layer: str | None = None
    levels_layer: str | None = None
    levees_layer: str | None = None
    river_id: str | None = None
    crs: str | None = None
    vertical_datum: str | None = None
    dem_datum: str | None = None
    insist: bool = False
    profile: str = "auto"
    constant_beyond: bool = False
    upstream_last: bool = False
    every_m: float = 100.0


@dataclass(frozen=True)
class Marks:
    """Levels as read: chainage (NaN where they came as points) and position of each, with the vertical datum they name."""

    level_m: Floats
    at_m: Floats
    lonlat: Floats | None
    datums: set[str]


def _read(path: Path, layer: str | None, system: str | None) -> vector.Source:
    """A layer; the system that the user names holds where the file names none."""
    try:
        return vector.open_layer(path, source_layer=layer)
    except CrsRefused:
        if system is None:
            raise
    return vector.open_layer(path, source_layer=layer, crs=system)


def _field(frame: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    known = {str(c).strip().lower(): str(c) for c in frame.columns}
    return next((known[n] for n in names if n in known), None)


def read_axis(asked: Asked) -> tuple[shapely.LineString, float]:
    """One line downstream in degrees, and the chainage of its first vertex: of a network's reaches, or of a file with one line."""
    own = asked.axis_layer is None and _is_network(asked.axis)
    frame = read_reaches(asked.axis) if own else _read(asked.axis, asked.axis_layer, asked.crs).frame
    if not isinstance(frame, gpd.GeoDataFrame) or not frame.geom_type.isin(["LineString", "MultiLineString"]).any():
        raise InputError(f"{asked.axis.name} holds no lines: give the axis of the river with --axis.")
    frame = frame[frame.geom_type.isin(["LineString", "MultiLineString"])]
    if asked.river_id is not None:
        frame = _of_river(frame, asked)
    parts = frame.explode(index_parts=False)
    if "from_m" in parts and "river_id" in parts:
        return _from_reaches(parts, asked)
    line = shapely.line_merge(shapely.MultiLineString(list(parts.geometry)), directed=True)
    if line.geom_type != "LineString":
        raise InputError(
            f"{asked.axis.name} holds {len(parts)} lines that do not join head to tail into one axis: name the river with --river-id, "
            "or build a network with rivergis river build and give its river.",
            file=str(asked.axis),
        )
    return (line.reverse() if asked.upstream_last else line), 0.0


def _is_network(path: Path) -> bool:
    """Whether a file was made by rivergis river build: it is in EPSG:4490 wherever it lies, and needs no proof of that."""
    if path.suffix.lower() != ".gpkg" or not path.exists():
        return False
    try:
        return {"reaches", "build"} <= set(pyogrio.list_layers(path)[:, 0])
    except pyogrio.errors.DataSourceError:
        return False


def _of_river(frame: gpd.GeoDataFrame, asked: Asked) -> gpd.GeoDataFrame:
    if "river_id" not in frame:
        raise InputError(f"{asked.axis.name} has no field river_id: leave --river-id away, or give a network.")
    of = frame[frame["river_id"].astype(str) == asked.river_id]
    if of.empty:
        known = ", ".join(sorted(frame["river_id"].dropna().astype(str).unique())[:10])
        raise InputError(f"{asked.axis.name} has no river {asked.river_id!r}; it has {known} …")
    return of


def _from_reaches(parts: gpd.GeoDataFrame, asked: Asked) -> tuple[shapely.LineString, float]:
    """The main reaches of one river, in order of their chainage."""
    rivers = parts["river_id"].dropna().astype(str).unique()
    if len(rivers) > 1:
        raise InputError(
            f"{asked.axis.name} has {len(rivers)} rivers ({', '.join(sorted(rivers)[:10])} …): name one with --river-id.",
            file=str(asked.axis),
        )
    if "channel" in parts:
        parts = parts[parts["channel"] != "side"]
    parts = parts[parts["from_m"].notna()].sort_values("from_m")
    if parts.empty:
        raise InputError(f"{asked.axis.name}: no reach of the river has a chainage from_m.", file=str(asked.axis))
    lines = [shapely.get_coordinates(g) for g in parts.geometry]
    for before, after, at in zip(lines[:-1], lines[1:], parts["from_m"].iloc[1:], strict=True):
        if crs.GEOD.inv(*before[-1], *after[0])[2] > _JOINED_M:
            raise InputError(
                f"{asked.axis.name}: the reaches of the river do not join at {chainage.label(float(at))}: mend the network first.",
                file=str(asked.axis),
            )
    xy = np.concatenate(lines)
    kept = np.concatenate([[True], (np.diff(xy, axis=0) != 0).any(axis=1)])
    return shapely.LineString(xy[kept]), float(parts["from_m"].iloc[0])


def read_levels(asked: Asked) -> Marks:
    """Levels of a table with chainages (``at_m``, metres or 12+345) or of points, in metres (``level_m``, 水位)."""
    frame = _read(asked.levels, asked.levels_layer, asked.crs).frame
    if asked.river_id is not None and "river_id" in frame:
        frame = frame[frame["river_id"].astype(str) == asked.river_id]
    level = _field(frame, LEVEL_FIELDS)
    if level is None:
        raise InputError(
            f"{asked.levels.name} has no field of levels: name it level_m (metres above the datum); it has {', '.join(map(str, frame.columns))}.",
            file=str(asked.levels),
        )
    height = _numbers(frame[level], asked.levels, level)
    datum = _field(frame, DATUM_FIELDS)
    datums = {dem_files.datum_named(str(d)) for d in frame[datum].dropna().unique()} if datum else set()
    at = _field(frame, CHAINAGE_FIELDS)
    if at is not None:
        return Marks(height, _chainages(frame[at], asked.levels), None, datums)
    if not isinstance(frame, gpd.GeoDataFrame) or not (frame.geom_type == "Point").all():
        raise InputError(
            f"{asked.levels.name} says of its levels neither chainage nor place: give a field at_m, or points.",
            file=str(asked.levels),
        )
    lonlat = shapely.get_coordinates(frame.geometry.to_numpy())
    return Marks(height, np.full(len(frame), np.nan), lonlat, datums)


def _numbers(values: pd.Series, path: Path, name: str) -> Floats:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        raise InputError(
            f"{path.name}, feature {values.index[bad[0]]}: {name} = {values.iloc[bad[0]]!r} is no height in metres: correct or remove it.",
            file=str(path),
            feature=str(values.index[bad[0]]),
        )
    return numbers


def _chainages(values: pd.Series, path: Path) -> Floats:
    text = values.astype(str).str.strip()
    return np.array(
        [chainage.parse(t) if "+" in t else _numbers(values[[i]], path, "at_m")[0] for i, t in text.items()]
    )


def read_levees(asked: Asked) -> gpd.GeoDataFrame | None:
    """Levee lines with ``crest_m`` (NaN where neither field nor third ordinate tells it); None without a file."""
    if asked.levees is None:
        return None
    source = _read(asked.levees, asked.levees_layer, asked.crs)
    frame = source.frame
    if not isinstance(frame, gpd.GeoDataFrame) or not frame.geom_type.isin(["LineString", "MultiLineString"]).all():
        raise InputError(f"{asked.levees.name} must hold lines: the crests of levees.", file=str(asked.levees))
    crest = _field(frame, CREST_FIELDS)
    heights = (
        pd.to_numeric(frame[crest], errors="coerce").to_numpy(np.float64) if crest else np.full(len(frame), np.nan)
    )
    lines = [_raised(line, given) for line, given in zip(frame.geometry, _given(source), strict=True)]
    return gpd.GeoDataFrame({"crest_m": heights}, geometry=lines, crs=crs.STORAGE).explode(ignore_index=True)


def _given(source: vector.Source) -> Any:
    return source.given if source.given is not None else [None] * len(source.frame)


def _raised(line: Any, given: Any) -> Any:
    """A line with the heights it was given with (reading leaves them off)."""
    if given is None or not shapely.has_z(given):
        return line
    z = shapely.get_coordinates(given, include_z=True)[:, 2]
    xy = shapely.get_coordinates(line)
    if len(z) != len(xy) or not np.abs(z).max() > 0:  # a third ordinate that is nought all along is none
        return line
    return shapely.set_coordinates(shapely.force_3d(line), np.column_stack([xy, z]))
