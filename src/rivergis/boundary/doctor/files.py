"""The files of ``rivergis boundary check`` as one case in metres: whatever is missing is said, nothing is guessed in silence."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import yaml
from pyproj import CRS

from rivergis import crs
from rivergis.boundary.doctor import case as doctor_case
from rivergis.boundary.doctor import courses as doctor_courses
from rivergis.boundary.doctor import limits as doctor_limits
from rivergis.boundary.doctor.case import Case, Limits, NotChecked
from rivergis.errors import CrsRefused, InputError
from rivergis.intake import vector
from rivergis.intake.delivery import Asked
from rivergis.rules import RuleView

NUMBERS = ("from_m", "to_m", "width_m", "length_m", "rule_m")
NEAR_M = 5_000.0
"""How far around the reaches the lines of a file may lie whose declared system is not the usual one of the place."""
NAMES = {
    "lines": ("lines", "boundary_line"),
    "areas": ("areas", "boundary_area"),
    "reaches": ("reaches", "reach"),
    "levees": ("levees", "levee", "levee_toe"),
    "water": ("water", "water_area"),
    "former": ("lines", "boundary_line"),
    "stakes": ("stakes", "stake"),
    "counties": ("counties", "county", "admin_unit"),
}
"""Names of layers that are taken where a file has several: those of the benchmark's and of this house's files."""
SKIPPED = ("bands", "notes")
"""Layers of a draft that are no lines and no areas of the law."""


@dataclass(frozen=True)
class Files:
    """What a check is asked of: files of lines and areas, the centre lines, and what else is there."""

    lines: Sequence[Path]
    reaches: Path
    levees: Path | None = None
    water: Path | None = None
    former: Path | None = None
    stakes: Path | None = None
    counties: Path | None = None
    params: Path | None = None
    crs: str | None = None
    encoding: str | None = None
    layers: Mapping[str, str] = field(default_factory=dict)
    """Name of the layer for an input (lines, areas, reaches, levees ...), where a file has several."""


@dataclass
class _Layer:
    """One layer as read: attributes, shapes as the file has them, the same in degrees of storage, and their system."""

    file: str
    name: str
    frame: pd.DataFrame
    given: Any
    stored: Any
    system: CRS
    said: list[NotChecked] = field(default_factory=list)


def read(files: Files, view: RuleView) -> Case:
    """Read every file and bring it to one metric system near the reaches.

    Raises ``InputError`` for files without lines or reaches, ``CrsRefused`` where it is not certain where one lies.
    """
    reach_layer = _chosen(_layers(files.reaches, files), "reaches", files, files.reaches)
    home = crs.local_crs(*crs.centre(gpd.GeoSeries(reach_layer.stored, crs=crs.STORAGE)))
    box = shapely.box(*shapely.total_bounds(reach_layer.stored))
    limits, said = doctor_limits.limits(view, params(files.params))
    told: list[NotChecked] = list(said)
    lines, areas, present = _lines_and_areas(files, home, box, told)
    others = {
        role: _other(getattr(files, role), role, files, home, box, told)
        for role in ("levees", "water", "former", "stakes", "counties")
    }
    reaches = _reaches(reach_layer, home, files.reaches)
    frames = {"lines": lines, "areas": areas, **others}
    if lines["reach_id"].isna().all() and set(lines["river"].dropna()) & set(reaches["river"].dropna()):
        reaches, frames, limits = _by_river(reaches, frames, limits)
        told.append(doctor_limits.untold("river"))
    frames = {k: None if f is None else f.drop(columns="river", errors="ignore") for k, f in frames.items()}
    return Case(reaches=reaches, limits=limits, present=present, not_checked=tuple(told), **frames)


def _by_river(
    reaches: gpd.GeoDataFrame, frames: dict[str, gpd.GeoDataFrame], limits: Limits
) -> tuple[gpd.GeoDataFrame, dict[str, gpd.GeoDataFrame], Limits]:
    """Reaches joined to rivers, and every layer put on them; that a river has no line is an advice where whole registers are given."""
    found = doctor_courses.courses(reaches)
    placed = {
        k: f.assign(reach_id=doctor_courses.on_courses(f, found)) if f is not None and "river" in f.columns else f
        for k, f in frames.items()
    }
    used = set(placed["lines"]["reach_id"])
    found = found[found["main"] | found["reach_id"].isin(used)].reset_index(drop=True)
    severity = {**limits.severity, "reach_without_line": doctor_case.ADVISES}
    return found, placed, replace(limits, severity=severity)


def params(path: Path | None) -> Mapping[str, Any]:
    """What a params.json says of one delivery; nothing without one. ``InputError`` where it is no JSON mapping."""
    if path is None:
        return {}
    try:
        read_ = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path.name} cannot be read as JSON ({' '.join(str(error).split())[:120]}): correct it.", file=str(path)
        ) from error
    if not isinstance(read_, dict):
        raise InputError(f"{path.name} holds no mapping of names and values: correct it.", file=str(path))
    return read_


def _layers(path: Path, files: Files, near: Any = None) -> list[_Layer]:
    """All layers of a file that have positions, each in its own system and in degrees."""
    if not path.exists():
        raise InputError(f"{path} does not exist: check the name.", file=str(path))
    opened = vector.open_layers(path, Asked(None, files.crs, None, files.encoding))
    return [_layer(o, near) for o in opened if o.placed and o.name not in SKIPPED and o.count]


def _layer(opened: vector.Opened, near: Any) -> _Layer:
    opened.check_readable()
    pieces = list(opened.pieces(placed=False))
    frame = pd.concat([p.frame for p in pieces]) if len(pieces) > 1 else pieces[0].frame
    given = np.concatenate([np.asarray(p.given, object) for p in pieces])
    given = shapely.force_2d(given)
    if opened.verdict.certain:
        system = _used(opened)
        stored = vector.place(opened.verdict, given)
        lost = shapely.is_missing(stored) & ~shapely.is_missing(given)
        stored[lost] = _moved(given[lost], system)
        return _Layer(opened.path.name, opened.name, frame, given, stored, system)
    system, stored = _declared(opened, given, near)
    return _Layer(opened.path.name, opened.name, frame, given, stored, system)


def _used(opened: vector.Opened) -> CRS:
    v = opened.verdict
    if v.epsg is not None:
        return CRS.from_epsg(v.epsg)
    own = v.hypothesis.crs if v.hypothesis is not None else None
    return own if own is not None else CRS.from_user_input(crs.STORAGE)


def _declared(opened: vector.Opened, given: Any, near: Any) -> tuple[CRS, Any]:
    """The system a file declares although it is not the zone of the place, if its lines then lie at the reaches; else ``CrsRefused``."""
    wkt = opened.asked.crs or opened.delivered.declared.wkt
    if wkt and near is not None:
        try:
            system = crs.accepted(wkt, opened.path.name)
        except CrsRefused:
            opened.check_place()
            raise
        stored = _moved(given, system)
        lying = shapely.STRtree(stored).query(near, "dwithin", NEAR_M / 111_000.0)
        if len(lying) * 2 >= len(stored):
            return system, stored
    opened.check_place()
    raise CrsRefused(f"{opened.path.name}, layer {opened.name}: it is not certain where it lies: say so with --crs.")


def _moved(shapes: Any, system: CRS) -> Any:
    with np.errstate(invalid="ignore"):
        return shapely.transform(shapes, crs.into_storage(system))


def _metric(layer: _Layer, home: CRS) -> Any:
    with np.errstate(invalid="ignore"):
        return shapely.transform(layer.stored, crs.out_of_storage(home))


def _chosen(layers: list[_Layer], role: str, files: Files, path: Path) -> _Layer:
    """The layer for an input: the one that was named, the only one, or one with a usual name; ``InputError`` says which there are."""
    asked = files.layers.get(role)
    wanted = (asked,) if asked else NAMES[role]
    named = [la for name in wanted for la in layers if la.name == name]
    if named or (len(layers) == 1 and not asked):
        return (named or layers)[0]
    there = ", ".join(la.name for la in layers) or "none with positions"
    raise InputError(
        f"{path.name} has the layers {there}: say which holds the {role} with --layer {role}=NAME.", file=str(path)
    )


@cache
def words() -> Mapping[str, Mapping[str, list[str]]]:
    """Field names that are known (``gis/text/boundary_words.yaml``): layer -> column -> names."""
    from rivergis.settings import gis_dir

    loaded: dict[str, Any] = yaml.safe_load((gis_dir() / "text" / "boundary_words.yaml").read_text(encoding="utf-8"))
    return loaded


def _plain_name(name: Any) -> str:
    return unicodedata.normalize("NFKC", str(name)).strip().lower()


def _columns(frame: pd.DataFrame, role: str, columns: Iterable[str]) -> tuple[pd.DataFrame, set[str]]:
    """The columns of a role under their own names, and which of them the layer has."""
    there = {_plain_name(c): c for c in reversed(frame.columns)}
    out, present = {}, set()
    for column in columns:
        source = next((there[n] for n in map(_plain_name, words()[role].get(column, [column])) if n in there), None)
        if source is None:
            out[column] = np.full(len(frame), np.nan) if column in NUMBERS else np.full(len(frame), None, object)
            continue
        present.add(column)
        out[column] = _numbers(frame[source]) if column in NUMBERS else _texts(frame[source])
    return pd.DataFrame(out, index=range(len(frame))), present


def _numbers(column: pd.Series) -> Any:
    return pd.to_numeric(column, errors="coerce").to_numpy(float)


def _texts(column: pd.Series) -> Any:
    """Text as it stands, None where there is none; a whole number without a decimal point, a day as YYYY-MM-DD."""

    def text(v: Any) -> str | None:
        if v is None or v is pd.NaT or (isinstance(v, float) and np.isnan(v)):
            return None
        if isinstance(v, float) and v.is_integer():
            return str(int(v))
        if hasattr(v, "strftime"):
            return str(v.strftime("%Y-%m-%d"))
        return str(v).strip() or None

    return np.array([text(v) for v in column], dtype=object)


def _is_areas(layer: _Layer) -> bool:
    kinds = shapely.get_type_id(layer.given)
    return bool(np.isin(kinds, (3, 6)).sum() * 2 > np.isin(kinds, (1, 3, 5, 6)).sum()) or layer.name == "areas"


def _lines_and_areas(
    files: Files, home: CRS, box: Any, told: list[NotChecked]
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None, frozenset[str]]:
    lines, areas, present = [], [], set()
    for path in files.lines:
        for layer in _wanted(_layers(path, files, box), files):
            if _is_areas(layer):
                areas.append(_area_rows(layer, home))
            elif np.isin(shapely.get_type_id(layer.given), (1, 5)).any():
                rows, there = _line_rows(layer, home)
                lines.append(rows)
                present |= there
    if not lines:
        names = ", ".join(p.name for p in files.lines)
        raise InputError(f"{names}: no layer of lines: give the boundary lines.", file=str(files.lines[0]))
    whole = pd.concat(lines, ignore_index=True)
    if whole["line_id"].isna().all():
        whole["line_id"] = [f"{f}#{r}" for f, r in zip(whole["file"], whole["row"], strict=True)]
    frame = gpd.GeoDataFrame(whole, geometry="geometry", crs=home)
    if not areas:
        told.append(doctor_limits.untold("areas"))
        return frame, None, frozenset(present)
    return (
        frame,
        gpd.GeoDataFrame(pd.concat(areas, ignore_index=True), geometry="geometry", crs=home),
        frozenset(present),
    )


def _wanted(layers: list[_Layer], files: Files) -> list[_Layer]:
    """The layers of lines and areas of a file: those named, those with a usual name, or all of them."""
    names = [files.layers[r] for r in ("lines", "areas") if r in files.layers]
    usual = [*NAMES["lines"], *NAMES["areas"]]
    return [la for la in layers if la.name in (names or usual)] or ([] if names else layers)


def _line_rows(layer: _Layer, home: CRS) -> tuple[pd.DataFrame, set[str]]:
    """Rows of boundary lines; a line of several parts is one row a part under the same id."""
    rows, present = _columns(
        layer.frame, "lines", [*(c for c in doctor_case.LINE_COLUMNS if c not in ("file", "row")), "river"]
    )
    rows["rule_m"] = _rule_metres(layer.frame)
    rows["file"], rows["row"] = f"{layer.file}", np.asarray(layer.frame.index)
    rows["given"], rows["given_crs"], rows["geometry"] = layer.given, layer.system.to_string(), _metric(layer, home)
    rows = rows[np.isin(shapely.get_type_id(layer.given), (1, 5))]
    many = shapely.get_type_id(rows["given"].to_numpy()) == 5
    if many.any():
        parts, of = shapely.get_parts(rows["given"].to_numpy(), return_index=True)
        metric = shapely.get_parts(rows["geometry"].to_numpy())
        rows = rows.iloc[of].assign(given=parts, geometry=metric)
    return rows[shapely.get_num_points(rows["given"].to_numpy()) >= 2], present


def _rule_metres(frame: pd.DataFrame) -> Any:
    """The metres of the rule that each line of a draft carries as JSON; NaN where it carries none."""
    if "rule" not in frame.columns:
        return np.full(len(frame), np.nan)

    def metres(text: Any) -> float:
        try:
            rule = json.loads(text)
            value = float(rule["value"]) if rule["unit"] == "m" else float("nan")
        except (TypeError, ValueError, KeyError):
            return float("nan")
        return value

    return np.array([metres(v) for v in frame["rule"]], float)


def _area_rows(layer: _Layer, home: CRS) -> pd.DataFrame:
    rows, _ = _columns(layer.frame, "areas", ("area_id", "reach_id", "county", "river"))
    rows["file"], rows["row"], rows["geometry"] = layer.file, np.asarray(layer.frame.index), _metric(layer, home)
    return rows


def _reaches(layer: _Layer, home: CRS, path: Path) -> gpd.GeoDataFrame:
    rows, present = _columns(layer.frame, "reaches", (*doctor_case.REACH_COLUMNS, "river", "from_m", "to_m"))
    if "reach_id" not in present:
        raise InputError(
            f"{path.name}, layer {layer.name} has no field reach_id: name the reaches, lines refer to them.",
            file=str(path),
            layer=layer.name,
        )
    shapes = _metric(layer, home)
    kinds = shapely.get_type_id(shapes)
    shapes = np.where(kinds == 5, shapely.line_merge(shapes), shapes)
    usable = (shapely.get_type_id(shapes) == 1) & (shapely.length(shapes) > 0)
    if "map_border" in present:
        rows["map_border"] = [str(v).lower() in ("true", "1", "t", "yes", "是") for v in rows["map_border"]]
    frame = gpd.GeoDataFrame(rows, geometry=shapes, crs=home)[usable]
    double = frame["reach_id"].duplicated()
    if double.any() or frame["reach_id"].isna().any():
        code = frame["reach_id"][double].iloc[0] if double.any() else "(empty)"
        raise InputError(
            f"{path.name}: the reach_id {code} stands on several reaches or is empty: number the reaches one by one.",
            file=str(path),
        )
    return frame.reset_index(drop=True)


COUNTY = ("county", "县", "县级")
_COLUMNS = {
    "levees": (*doctor_case.LEVEE_COLUMNS, "river"),
    "water": ("reach_id", "river"),
    "former": ("line_id", "reach_id", "bank", "river"),
    "stakes": (*doctor_case.STAKE_COLUMNS, "river"),
    "counties": ("county", "name", "level"),
}
_KINDS = {"levees": (1, 5), "water": (3, 6), "former": (1, 5), "stakes": (0, 4), "counties": (3, 6)}


def _other(
    path: Path | None, role: str, files: Files, home: CRS, box: Any, told: list[NotChecked]
) -> gpd.GeoDataFrame | None:
    """A layer beside the lines, its multi-shapes taken apart; None, and said, where there is no file."""
    if path is None:
        told.append(doctor_limits.untold(role))
        return None
    layers = _layers(path, files, box)
    layer = _chosen(layers, role, files, path)
    rows, present = _columns(layer.frame, role, _COLUMNS[role])
    frame = gpd.GeoDataFrame(rows, geometry=_metric(layer, home), crs=home)
    frame = frame[np.isin(shapely.get_type_id(frame.geometry.values), _KINDS[role])]
    if not len(frame):
        raise InputError(
            f"{path.name}, layer {layer.name} does not hold what --{role} needs: give another file.", file=str(path)
        )
    if "level" in present:
        frame = frame[frame["level"].isin(COUNTY)].drop(columns="level")
    return frame.explode(ignore_index=True) if role in ("levees", "former", "stakes") else frame.reset_index(drop=True)
