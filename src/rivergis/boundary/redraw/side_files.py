"""One side of a redraw from a file: areas as they stand there, or made of the lines of two banks; field names of the trade."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
import yaml

from rivergis import crs
from rivergis.boundary.ground import bank_areas, closing
from rivergis.boundary.ground.closing import Said
from rivergis.errors import InputError
from rivergis.intake import times, vector
from rivergis.intake.delivery import Asked

_AREAS = ("areas", "area", "boundary_area", "hlbhfwm", "管理范围", "管理范围面")
_LINES = ("lines", "line", "boundary_line", "jzx", "管理范围线", "界线")
_SKIPPED = ("bands", "notes")
"""Layers of a draft that are neither lines nor areas."""


@cache
def fields() -> Mapping[str, Any]:
    """Field names that are known (``gis/text/redraw_fields.yaml``)."""
    from rivergis.settings import gis_dir

    loaded: dict[str, Any] = yaml.safe_load((gis_dir() / "text" / "redraw_fields.yaml").read_text(encoding="utf-8"))
    return loaded


def read_both(
    paths: Sequence[Path],
    layers: Sequence[str | None],
    asked: Asked,
    reaches: gpd.GeoDataFrame | None,
    snap_m: float,
    said: list[Said],
) -> list[Side]:
    """The old and the new side, of one kind where both files have it: areas if they can, else lines.

    Areas made of lines end in straight caps, drawn areas meet in nodes: held against each other they differ at every mouth.
    """
    found = [_wanted(p, opened(p, asked), layer) for p, layer in zip(paths, layers, strict=True)]
    kinds = [{k for o in f if (k := _kind(o)) is not None} for f in found]
    shared = kinds[0] & kinds[1]
    wanted = ["areas" if "areas" in k else "lines" for k in ([shared] * 2 if shared else kinds)]
    if not shared and all(kinds):
        said.append(_mixed(paths, wanted))
    return [
        Side.read(path, _pick(path, f, kind), reaches, snap_m, said)
        for path, f, kind in zip(paths, found, wanted, strict=True)
    ]


def _mixed(paths: Sequence[Path], kinds: Sequence[str]) -> Said:
    told = ", ".join(f"{p.name} has {k}" for p, k in zip(paths, kinds, strict=True))
    return Said("areas_against_lines", f"{told}: areas made of lines end in straight caps, so that small differences at the ends of reaches are of the making, not of the redraw.")  # fmt: skip


def _wanted(path: Path, found: list[vector.Opened], layer: str | None) -> list[vector.Opened]:
    return found if layer is None else [vector.chosen(path, found, layer)]


def _kind(opened: vector.Opened) -> str | None:
    """Whether a layer holds areas or lines: what most of its shapes are."""
    shapes = opened.delivered.shapes
    if shapes is None:
        return None
    flat = shapely.get_dimensions(shapes)
    lines, areas = int((flat == 1).sum()), int((flat == 2).sum())
    return None if not lines + areas else "areas" if areas >= lines else "lines"


def _pick(path: Path, found: list[vector.Opened], kind: str) -> vector.Opened:
    """The layer of a kind: the only one, or the one with the usual name."""
    mine = [o for o in found if _kind(o) == kind] or found
    usual = [o for o in mine if o.name.lower() in (_AREAS if kind == "areas" else _LINES)]
    return usual[0] if len(usual) == 1 else vector.chosen(path, mine, None)


def areas_of(path: Path, asked: Asked, said: list[Said]) -> gpd.GeoDataFrame:
    """Areas of a file under our names."""
    return named(frame_of(path, _pick(path, opened(path, asked), "areas"), said), "area")


@dataclass
class Side:
    """Areas of one file, and the stretches (reach, or river) of which a line does not close."""

    path: Path
    areas: gpd.GeoDataFrame
    open: dict[str, str]

    @classmethod
    def read(
        cls,
        path: Path,
        chosen: vector.Opened,
        reaches: gpd.GeoDataFrame | None,
        snap_m: float,
        said: list[Said],
    ) -> Side:
        frame = _of_rivers(named(frame_of(path, chosen, said), "area"), reaches)
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


def opened(path: Path, asked: Asked) -> list[vector.Opened]:
    found = vector.open_layers(path, asked)
    return [o for o in found if o.anywhere and o.name.lower() not in _SKIPPED] or found


def frame_of(path: Path, opened: vector.Opened, said: list[Said]) -> gpd.GeoDataFrame:
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


def plain(name: Any) -> str:
    return unicodedata.normalize("NFKC", str(name)).strip().lower()


def named(frame: gpd.GeoDataFrame, role: str) -> gpd.GeoDataFrame:
    """The columns of a role under our names; None where a layer has none of the names or nothing stands."""
    known = {plain(c): c for c in frame.columns}
    roles: dict[str, list[str]] = {
        **(fields()["any"] if role not in ("area", "reaches", "units") else {}),
        **fields().get(role, {}),
    }
    out: dict[str, Any] = {}
    for ours, names in roles.items():
        column = next((known[n] for n in map(plain, names) if n in known), None)
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


def closed_on_both(sides: list[Side], said: list[Said]) -> list[Side]:
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
        kept.append(Side(side.path, side.areas[~own.isin(list(open_))], {}))
    if any(s.areas.empty for s in kept):
        path, why = next(iter(open_.values()))
        raise InputError(f"{path.name}: its ground is not known. {why}", file=str(path))
    return kept
