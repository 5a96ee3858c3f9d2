"""The files of ``rivergis boundary diff``: two delimitations, areas or lines, and whatever they are held against."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import yaml

from rivergis import crs
from rivergis.boundary import bank_areas, closing, diff_make, diff_things
from rivergis.boundary.closing import Said
from rivergis.boundary.diff import Redraw
from rivergis.boundary.diff_make import Given
from rivergis.errors import InputError, RivergisError, UsageError
from rivergis.intake import times, vector
from rivergis.intake.delivery import Asked
from rivergis.rules import RuleView

_AREAS = ("areas", "area", "boundary_area", "hlbhfwm", "管理范围", "管理范围面")
_LINES = ("lines", "line", "boundary_line", "jzx", "管理范围线", "界线")
_SKIPPED = ("bands", "notes")
"""Layers of a draft that are neither lines nor areas."""
_ENDINGS = (".gpkg", ".shp", ".geojson", ".zip", ".gdb")


@dataclass(frozen=True)
class Files:
    """What is compared and what it is held against. ``things``: layer of ``diff_things.LAYERS`` -> files."""

    old: Path | None
    new: Path | None
    old_layer: str | None = None
    new_layer: str | None = None
    reaches: Path | None = None
    things: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    observed: tuple[Path, ...] = ()
    units: Path | None = None
    crs: str | None = None
    encoding: str | None = None

    @property
    def asked(self) -> Asked:
        return Asked(None, self.crs, None, self.encoding)


def both(given_: Given, kept_: Given) -> Given:
    """What is given for this redraw, and of what is kept the rest."""
    observed = given_.observed if given_.observed is not None else kept_.observed
    return replace(given_, things={**kept_.things, **given_.things}, observed=observed)


@cache
def fields() -> Mapping[str, Any]:
    """Field names that are known (``gis/text/redraw_fields.yaml``)."""
    from rivergis.settings import gis_dir

    loaded: dict[str, Any] = yaml.safe_load((gis_dir() / "text" / "redraw_fields.yaml").read_text(encoding="utf-8"))
    return loaded


def redraw(
    files: Files,
    view: RuleView,
    *,
    noise_m: float | None = None,
    old_day: date | None = None,
    reason: str = "",
    more: Given | None = None,
) -> Redraw:
    """The redraw between two files; ``more``: what is held against it besides. Raises ``InputError``, ``CrsRefused``."""
    if files.old is None or files.new is None:
        raise UsageError("Two files are compared: name the old one and the new one.")
    limits = diff_make.limits_of(view, noise_m)
    said: list[Said] = []
    held = given(files, old_day=old_day, reason=reason, said=said)
    sides = [
        _Side.read(path, layer, files.asked, held.reaches, limits.snap_m, said)
        for path, layer in ((files.old, files.old_layer), (files.new, files.new_layer))
    ]
    sides = _closed_on_both(sides, said)
    days = [d for d in sides[0].areas["announced_on"] if d is not None]
    held = both(replace(held, old_day=old_day or max(days, default=None)), more or Given())
    made = diff_make.make(sides[0].areas, sides[1].areas, limits, held, said)
    names = {r: n for s in sides for r, n in zip(s.areas["river_code"], s.areas["river"], strict=True) if r and n}
    made.about.update(old=_about(files.old), new=_about(files.new), river_names=names)
    return made


def given(files: Files, *, old_day: date | None = None, reason: str = "", said: list[Said] | None = None) -> Given:
    """What a redraw is held against, from its files."""
    told: list[Said] = [] if said is None else said
    return Given(
        None if files.reaches is None else _reaches(files.reaches, files.asked),
        {name: _things(name, paths, files.asked, told) for name, paths in files.things.items() if paths},
        _things("observed", files.observed, files.asked, told) if files.observed else None,
        None if files.units is None else _named(_layer(files.units, files.asked, told), "units"),
        old_day,
        reason,
    )


def kept(folder: Path) -> Given:
    """Layers that an office keeps for every redraw, so that a preview need not be given them: a folder of files that are named by
    what they hold (``land_use.shp``, ``farmland.gpkg``, ``red_line``, ``parcel``, ``observed`` ...). No folder: nothing is kept.

    A file is read once until it changes. Raises ``InputError``, ``CrsRefused`` for one that cannot be used.
    """
    things: dict[str, gpd.GeoDataFrame] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        name, ending = path.stem.lower(), path.suffix.lower()
        if name in (*diff_things.LAYERS, "observed") and ending in _ENDINGS:
            there = path.stat()
            things[name] = _kept(path, name, there.st_mtime_ns, there.st_size)
    return Given(things={n: f for n, f in things.items() if n != "observed"}, observed=things.get("observed"))


@lru_cache(maxsize=32)
def _kept(path: Path, name: str, _changed_ns: int, _size: int) -> gpd.GeoDataFrame:
    return _things(name, (path,), Asked(None, None, None, None), [])


def areas(path: Path, asked: Asked) -> gpd.GeoDataFrame:
    """Management areas of a file of areas: river_code, name, EPSG:4490."""
    frame = _named(_pick(path, None, asked, []), "area")
    frame = frame[frame.geom_type.isin(["Polygon", "MultiPolygon"])]
    if frame.empty:
        raise InputError(f"{path.name} holds no areas: name the management areas.", file=str(path))
    return frame.assign(name=frame["river"].fillna(frame["river_code"]))


def centre_lines(path: Path, asked: Asked) -> gpd.GeoDataFrame:
    """Reaches of a file: code, river_code, from_m, LineString, EPSG:4490."""
    return _reaches(path, asked)


def features(role: str, path: Path, asked: Asked) -> gpd.GeoDataFrame:
    """Features of a file by the field names of a role of ``redraw_fields.yaml``; EPSG:4490."""
    return _things(role, (path,), asked, [])


def _about(path: Path) -> dict[str, str]:
    from rivergis.intake import sources

    return {"file": path.name, "sha256": sources.sha256(path)}


@dataclass
class _Side:
    """Areas of one file, and the stretches (reach, or river) of which a line does not close."""

    path: Path
    areas: gpd.GeoDataFrame
    open: dict[str, str]

    @classmethod
    def read(
        cls,
        path: Path,
        layer: str | None,
        asked: Asked,
        reaches: gpd.GeoDataFrame | None,
        snap_m: float,
        said: list[Said],
    ) -> _Side:
        frame = _of_rivers(_named(_pick(path, layer, asked, said), "area"), reaches)
        frame["announced_on"] = [times.day(v) for v in frame["announced_on"]]
        flat = frame.geom_type.isin(["Polygon", "MultiPolygon", "GeometryCollection"])
        if flat.any():
            if not flat.all():
                said.append(
                    _left(path, f"{int((~flat).sum())} features that are no areas were left out beside the areas")
                )
            return cls(path, frame[flat], {})
        lines = frame[frame.geom_type.str.contains("Line", na=False)]
        if lines.empty:
            raise InputError(f"{path.name} has neither areas nor lines: name its layer.", file=str(path))
        return cls(path, *_close(_management(lines, path, said), snap_m, path, said))


def _left(path: Path, what: str) -> Said:
    return Said("redraw_left_out", f"{path.name}: {what}.")


def _opened(path: Path, asked: Asked) -> list[vector.Opened]:
    found = vector.open_layers(path, asked)
    return [o for o in found if o.anywhere and o.name.lower() not in _SKIPPED] or found


def _pick(path: Path, layer: str | None, asked: Asked, said: list[Said]) -> gpd.GeoDataFrame:
    """The layer of areas, else that of lines; the one named where one is."""
    found = _opened(path, asked)
    if layer is not None or len(found) == 1:
        return _frame(path, vector.chosen(path, found, layer), said)
    for names in (_AREAS, _LINES):
        usual = [o for o in found if o.name.lower() in names]
        if len(usual) == 1:
            return _frame(path, usual[0], said)
    return _frame(path, vector.chosen(path, found, None), said)


def _layer(path: Path, asked: Asked, said: list[Said]) -> gpd.GeoDataFrame:
    found = _opened(path, asked)
    return _frame(path, vector.chosen(path, found, None), said)


def _frame(path: Path, opened: vector.Opened, said: list[Said]) -> gpd.GeoDataFrame:
    """A layer in EPSG:4490, without the shapes that cannot be used; each of those is said."""
    opened.check_place()
    pieces = list(opened.pieces())
    frame = pd.concat([p.frame for p in pieces]) if len(pieces) > 1 else pieces[0].frame
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(f"{path.name}, layer {opened.name} has no geometry: name a layer that has.", file=str(path))
    faults = {f: s for p in pieces for f, (_, s) in p.faults.items()}
    for feature, sentence in list(faults.items())[:20]:
        said.append(
            Said("redraw_fault", f"{path.name}, layer {opened.name}, feature {feature} was left out: {sentence}")
        )
    frame = frame[~frame.index.isin(list(faults)) & frame.geometry.notna() & ~frame.geometry.is_empty]
    return frame.rename_geometry("geom") if frame.geometry.name != "geom" else frame


def _plain(name: Any) -> str:
    return unicodedata.normalize("NFKC", str(name)).strip().lower()


def _named(frame: gpd.GeoDataFrame, role: str) -> gpd.GeoDataFrame:
    """The columns of a role under our names; None where a layer has none of the names or nothing stands."""
    known = {_plain(c): c for c in frame.columns}
    roles: dict[str, list[str]] = {
        **(fields()["any"] if role not in ("area", "reaches", "units") else {}),
        **fields().get(role, {}),
    }
    out: dict[str, Any] = {}
    for ours, names in roles.items():
        column = next((known[n] for n in map(_plain, names) if n in known), None)
        values = [None] * len(frame) if column is None else [_value(v) for v in frame[column]]
        out[ours] = pd.Series(values, index=frame.index, dtype=object)
    return gpd.GeoDataFrame(out, geometry=frame.geometry, crs=frame.crs).rename_geometry("geom")


def _value(value: Any) -> Any:
    """What stands in a cell; nothing for blanks; spreadsheets make 7.0 of the number 7."""
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)) or not str(value).strip():
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value.strip() if isinstance(value, str) else value


def _reaches(path: Path, asked: Asked) -> gpd.GeoDataFrame:
    found = _opened(path, asked)
    usual = [o for o in found if o.name.lower() in ("reaches", "reach")]
    frame = _frame(path, usual[0] if usual else vector.chosen(path, found, None), [])
    frame = _named(frame, "reaches")
    lines = frame[frame.geom_type.isin(["LineString"])]
    if lines.empty or lines["code"].isna().any():
        raise InputError(
            f"{path.name} is no layer of reaches: each is one LineString with its code (column code or reach_id).",
            file=str(path),
        )
    return lines.assign(code=lines["code"].astype(str))


def _of_rivers(frame: gpd.GeoDataFrame, reaches: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Areas with the river of their reach where they do not name one themselves."""
    frame = frame.assign(river_code=frame["river_code"].fillna(frame["river"]))
    if reaches is not None and frame["river_code"].isna().any():
        of_reach = dict(zip(reaches["code"], reaches["river_code"], strict=True))
        told = [of_reach.get(str(r)) for r in frame["reach_code"]]
        frame = frame.assign(river_code=frame["river_code"].fillna(pd.Series(told, index=frame.index, dtype=object)))
    return frame.assign(river_code=[None if pd.isna(v) else str(v) for v in frame["river_code"]])


def _management(lines: gpd.GeoDataFrame, path: Path, said: list[Said]) -> gpd.GeoDataFrame:
    """Lines of the management area, where a file holds several kinds of line."""
    kinds = lines["line_type"].astype(str)
    mine = kinds.str.contains("管理|management", case=False, regex=True)
    if not mine.any() or mine.all():
        return lines
    said.append(_left(path, f"{int((~mine).sum())} lines of other types than 管理范围线 were left out"))
    return lines[mine]


def _close(
    lines: gpd.GeoDataFrame, snap_m: float, path: Path, said: list[Said]
) -> tuple[gpd.GeoDataFrame, dict[str, str]]:
    """Areas between the lines of each reach, or of each river, and what does not close: stretch -> sentence."""
    key = lines["reach_code"].where(lines["reach_code"].notna(), lines["river_code"]).fillna("").astype(str)
    metric = crs.to_metric(lines.assign(stretch=key))
    banked = metric["bank"].map(lambda b: closing.bank_of(b) is not None)
    two = bank_areas.between(metric[banked], "stretch", snap_m)
    rings = closing.close(metric[~banked], group="stretch", bank=None, snap_m=snap_m, doubt_m=snap_m)
    said += [s for s in rings.said if s.code != "boundary_not_closed"]
    of = {str(i): k for i, k in key.items()}
    open_ = two.open | {
        of[names[0]]: why for names, why in zip(rings.doubts["features"], rings.doubts["because"], strict=True)
    }
    rows = metric[banked].iloc[two.areas["row"].to_numpy(dtype=int)]
    areas = gpd.GeoDataFrame(
        pd.concat(
            [rows.set_geometry(two.areas.geometry.to_numpy(), crs=metric.crs), rings.areas[rows.columns]],
            ignore_index=True,
        ),
        geometry="geom",
        crs=metric.crs,
    )
    if areas.empty:
        why = next(iter(open_.values()), "they are empty")
        raise InputError(f"{path.name}: none of its lines enclose an area. {why}", file=str(path))
    return crs.to_storage(areas), open_


def _closed_on_both(sides: list[_Side], said: list[Said]) -> list[_Side]:
    """Both sides without the stretches that one of them leaves open: those are not compared, and that is said."""
    open_ = {k: (s.path, why) for s in sides for k, why in s.open.items()}
    if not open_:
        return sides
    for stretch, (path, why) in open_.items():
        said.append(Said("redraw_not_compared", f"{path.name}, {stretch or 'all'}: not compared. {why}", (stretch,)))
    kept = []
    for side in sides:
        own = (
            side.areas["reach_code"]
            .where(side.areas["reach_code"].notna(), side.areas["river_code"])
            .fillna("")
            .astype(str)
        )
        kept.append(_Side(side.path, side.areas[~own.isin(list(open_))], {}))
    if any(s.areas.empty for s in kept):
        path, why = next(iter(open_.values()))
        raise InputError(f"{path.name}: its ground is not known. {why}", file=str(path))
    return kept


def _things(name: str, paths: tuple[Path, ...], asked: Asked, said: list[Said]) -> gpd.GeoDataFrame:
    """Features of one kind from its files."""
    parts = []
    for path in paths:
        try:
            frame = _named(_layer(path, asked, said), name)
        except RivergisError as error:
            error.details.setdefault("file", str(path))
            raise
        number = [f"{path.name}#{i}" for i in frame.index]
        frame["feature"] = [n if f is None else str(f) for n, f in zip(number, frame["feature"], strict=True)]
        frame["since"] = [times.day(v) for v in frame["since"]]
        frame["households"] = pd.to_numeric(frame["households"], errors="coerce")
        if name == "case":
            ended = {_plain(w) for w in fields()["ended"]}
            frame = frame[[_plain(v) not in ended for v in frame["state"]]]
        parts.append(frame)
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geom", crs=crs.STORAGE)
