"""The files of ``rivergis boundary diff``: two delimitations, areas or lines, and whatever they are held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import pandas as pd

from rivergis import crs
from rivergis.boundary.ground.closing import Said
from rivergis.boundary.redraw import make as diff_make
from rivergis.boundary.redraw import side_files
from rivergis.boundary.redraw import things as diff_things
from rivergis.boundary.redraw.compare import Redraw
from rivergis.boundary.redraw.make import Given
from rivergis.errors import InputError, RivergisError, UsageError
from rivergis.intake import times, vector
from rivergis.intake.delivery import Asked
from rivergis.rules import RuleView

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
    sides = side_files.read_both(
        (files.old, files.new), (files.old_layer, files.new_layer), files.asked, held.reaches, limits.snap_m, said
    )
    sides = side_files.closed_on_both(sides, said)
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
        None if files.units is None else side_files.named(_layer(files.units, files.asked, told), "units"),
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
    frame = side_files.areas_of(path, asked, [])
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


def _layer(path: Path, asked: Asked, said: list[Said]) -> gpd.GeoDataFrame:
    found = side_files.opened(path, asked)
    return side_files.frame_of(path, vector.chosen(path, found, None), said)


def _reaches(path: Path, asked: Asked) -> gpd.GeoDataFrame:
    found = side_files.opened(path, asked)
    usual = [o for o in found if o.name.lower() in ("reaches", "reach")]
    frame = side_files.frame_of(path, usual[0] if usual else vector.chosen(path, found, None), [])
    frame = side_files.named(frame, "reaches")
    lines = frame[frame.geom_type.isin(["LineString"])]
    if lines.empty or lines["code"].isna().any():
        raise InputError(
            f"{path.name} is no layer of reaches: each is one LineString with its code (column code or reach_id).",
            file=str(path),
        )
    return lines.assign(code=lines["code"].astype(str))


def _things(name: str, paths: tuple[Path, ...], asked: Asked, said: list[Said]) -> gpd.GeoDataFrame:
    """Features of one kind from its files."""
    parts = []
    for path in paths:
        try:
            frame = side_files.named(_layer(path, asked, said), name)
        except RivergisError as error:
            error.details.setdefault("file", str(path))
            raise
        number = [f"{path.name}#{i}" for i in frame.index]
        frame["feature"] = [n if f is None else str(f) for n, f in zip(number, frame["feature"], strict=True)]
        frame["since"] = [times.day(v) for v in frame["since"]]
        frame["households"] = pd.to_numeric(frame["households"], errors="coerce")
        if name == "case":
            ended = {side_files.plain(w) for w in side_files.fields()["ended"]}
            frame = frame[[side_files.plain(v) not in ended for v in frame["state"]]]
        parts.append(frame)
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geom", crs=crs.STORAGE)
