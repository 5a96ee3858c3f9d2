"""Reading results of delimitations as offices keep them: any vector file, any system the intake accepts, any usual field names.

A column is found under our name, under the names of the deliverable (``boundary.deliver.fields``) and under those of every import
profile. Nothing is guessed: what has no such name is told, what has an unknown word for a bank stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs as crs_
from rivergis import layers
from rivergis.boundary.delivery.layers import COLUMNS
from rivergis.boundary.delivery.tables import Delivery
from rivergis.errors import InputError
from rivergis.intake import cells, fields, values, vector
from rivergis.intake.crs_reference import Reference
from rivergis.intake.delivery import Asked
from rivergis.intake.profile import Profile

_ALIASES = {
    "code": ("line_id",), "reach_code": ("reach_id",), "announced_on": ("announce_date",), "return_period_a": ("return_period",),
    "river": ("river_name",), "rule": ("rule_used",), "reason": ("reason_for_change",),
}  # fmt: skip
_LINE_LAYERS = ("lines", "boundary_line", "jzx", "boundary_draft_line")
_AREA_LAYERS = ("areas", "boundary_area", "glfwm", "hlbhfwm")
_KINDS = {"lines": {1, 5, 2}, "areas": {3, 6}, "points": {0}}
Names = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Read:
    """One layer of a file in EPSG:4490 with our columns. ``faults``: features that could not be used, with the sentence."""

    path: Path
    layer: str
    frame: gpd.GeoDataFrame
    system: str | None
    encoding: str | None
    faults: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, ...] = ()
    """Fields that no column of ours takes."""


def names_of(short: Mapping[str, Sequence[str]], profiles: Iterable[Profile]) -> dict[str, list[str]]:
    """Under which field names each column of a deliverable may stand; ours first, then the deliverable's, then the profiles'.

    ``short``: the rule ``boundary.deliver.fields``.
    """
    columns = sorted({c for group in COLUMNS.values() for c in group})
    out = {c: [c, *_ALIASES.get(c, ()), *short.get(c, ())[:2]] for c in columns}
    own = {n.lower(): c for c, named in out.items() for n in named}
    for profile in profiles:
        for m in profile.mappings:
            if m.target == "boundary_line":
                for column, named in {**m.fields, "code": m.code[-1:] or m.fields.get("code", "")}.items():
                    listed = named if isinstance(named, (list, tuple)) else [named]
                    out.setdefault(column, [column]).extend(
                        n for text in listed for n in str(text).split("|") if n and own.get(n.lower(), column) == column
                    )
    return {c: list(dict.fromkeys(n)) for c, n in out.items()}


def read(path: Path, what: str, names: Names, *, layer: str | None = None, asked: Asked | None = None) -> Read | None:
    """The ``lines``, ``areas`` or ``points`` of a file; None where it has no layer of that kind.

    Raises ``InputError`` (no file, several layers that might be meant), ``CrsRefused`` (it is not certain where it lies).
    """
    opened = [o for o in vector.open_layers(path, asked or Asked()) if o.placed]
    chosen = _chosen(path, opened, what, layer)
    return None if chosen is None else _taken(chosen, what, names)


def read_all(path: Path, names: Names, asked: Asked | None = None, reference: Reference | None = None) -> list[Read]:
    """Every layer of lines and of areas of a file, for putting several deliveries on one map.

    ``reference``: what is known of the place, by which a file that names no zone is recognised.
    """
    out = []
    for opened in vector.open_layers(path, asked or Asked(), reference):
        for what in ("lines", "areas"):
            if opened.placed and opened.anywhere and _kinds(opened) & _KINDS[what]:
                out.append(_taken(opened, what, names))
    return out


def _chosen(path: Path, opened: list[vector.Opened], what: str, layer: str | None) -> vector.Opened | None:
    if layer is not None:
        return vector.chosen(path, opened, layer)
    fitting = [o for o in opened if _kinds(o) & _KINDS[what]]
    known = {"lines": _LINE_LAYERS, "areas": _AREA_LAYERS}.get(what, ())
    named = [o for o in fitting if o.name.lower() in known]
    if named or not fitting:
        return named[0] if named else None
    if len(fitting) > 1:
        raise InputError(
            f"{path.name} has several layers of {what} ({', '.join(o.name for o in fitting)}): name one with --layer.",
            file=str(path),
        )
    return fitting[0]


def _kinds(opened: vector.Opened) -> set[int]:
    shapes = opened.delivered.shapes
    return set() if shapes is None else {int(k) for k in shapely.get_type_id(np.asarray(shapes, object))}


def _taken(opened: vector.Opened, what: str, names: Names) -> Read:
    opened.check_readable()
    opened.check_place()
    pieces = list(opened.pieces())
    frame = pd.concat([p.frame for p in pieces], ignore_index=True) if len(pieces) > 1 else pieces[0].frame
    faults = {i: sentence for p in pieces for i, (_, sentence) in p.faults.items()}
    frame = frame.assign(feature=[str(i) for i in frame.index])
    kinds = shapely.get_type_id(frame.geometry.values)
    use = np.isin(kinds, sorted(_KINDS[what])) & ~np.isin(frame.index, list(faults))
    frame = frame[use].reset_index(drop=True)
    made, unused = _columns(frame, names)
    return Read(
        opened.path, opened.name, made, opened.source_crs, opened.delivered.encoding,
        tuple((str(i), s) for i, s in faults.items()), unused,
    )  # fmt: skip


def _columns(frame: gpd.GeoDataFrame, names: Names) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Our columns from whatever they are called; words for banks, types and bases as our codes."""
    attributes = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    there = {str(c).lower() for c in attributes.columns}
    made: dict[str, Any] = {"feature": frame["feature"]}
    for column, named in names.items():
        if any(n.lower() in there for n in named):
            made[column] = _coded(column, fields.first_of(attributes, list(named)))
    known = {n.lower() for named in names.values() for n in named} | {"feature", "fid", "geom", "geometry"}
    unused = tuple(str(c) for c in attributes.columns if str(c).lower() not in known)
    shapes = gpd.GeoSeries(frame.geometry.values, crs=crs_.STORAGE)
    return gpd.GeoDataFrame(pd.DataFrame(made, index=frame.index), geometry=shapes, crs=crs_.STORAGE), unused


def _coded(column: str, given: pd.Series) -> pd.Series:
    described = {c.name: c for c in layers.layer("boundary_line").columns}.get(column)
    empty = cells.empty(given)
    if described is None or not described.choices:
        return given.where(~empty, None)
    coded = [
        None if e else values.choice("boundary_line", described, v) or str(v) for v, e in zip(given, empty, strict=True)
    ]
    return pd.Series(coded, index=given.index, dtype=object)


@dataclass(frozen=True)
class Files:
    """What a delivery is made of: a file of lines (and areas), with the layers of it, and what is shown or delivered beside them."""

    lines: Path
    lines_layer: str | None = None
    areas: Path | None = None
    areas_layer: str | None = None
    levees: Path | None = None
    stakes: Path | None = None
    axes: Path | None = None
    water: Path | None = None
    counties: Path | None = None


def delivery(files: Files, title: str, names: Names, asked: Asked | None = None) -> Delivery:
    """A delivery made of files. Lines that name government, number and day of their announcement are announced, all others drafts.

    Raises ``InputError`` where there is neither a line nor an area, or one that cannot be used.
    """
    lines = read(files.lines, "lines", names, layer=files.lines_layer, asked=asked)
    areas = read(files.areas or files.lines, "areas", names, layer=files.areas_layer, asked=asked)
    if lines is None and areas is None:
        raise InputError(
            f"{files.lines.name} has neither a line nor an area: name another file.", file=str(files.lines)
        )
    for got in filter(None, (lines, areas)):
        for feature, sentence in got.faults:
            raise InputError(f"{got.path.name}, layer {got.layer}, feature {feature}: {sentence}", file=str(got.path))
    line, area = (_complete(r.frame if r else _EMPTY) for r in (lines, areas))
    notes = [
        f"{r.path.name}, layer {r.layer}: fields that the deliverable does not have: {', '.join(r.unused)}."
        for r in (lines, areas) if r is not None and r.unused
    ]  # fmt: skip
    return Delivery(
        title, _standing(line if len(line) else area), line, area,
        **{k: _beside(path, names, k) for k in ("levees", "stakes", "axes", "water", "counties") if (path := getattr(files, k))},
        sources=tuple(f"{r.path.name} ({r.layer}, {r.system})" for r in (lines, areas) if r is not None), notes=tuple(notes),
    )  # fmt: skip


_EMPTY = gpd.GeoDataFrame({"code": [], "basis": []}, geometry=[], crs=crs_.STORAGE)
_ACT = ("announce_gov", "announce_doc_no", "announced_on")


def _complete(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Every line with a code and a basis: one that says nothing of how it came about is a draft."""
    out = frame.drop(columns=["feature"], errors="ignore")
    if "feature" in frame:
        codes = out["code"] if "code" in out else pd.Series(None, index=out.index, dtype=object)
        out["code"] = codes.where(codes.notna(), frame["feature"])
    basis = out["basis"] if "basis" in out else pd.Series(None, index=out.index, dtype=object)
    out["basis"] = basis.where(basis.notna(), "draft")
    if "line_type" not in out:
        out["line_type"] = "management"
    if "bank" not in out:
        out["bank"] = None
    return out


def _standing(frame: gpd.GeoDataFrame) -> str:
    proved = all(c in frame and frame[c].notna().all() for c in _ACT)
    return "announced" if len(frame) and proved and (frame["basis"] == "announced").all() else "draft"


def _beside(path: Path, names: Names, what: str) -> gpd.GeoDataFrame | None:
    """A layer that is shown or delivered beside the lines: the only one of its kind in its file."""
    kind = {"levees": "lines", "axes": "lines", "stakes": "points"}.get(what, "areas")
    own = (
        {**names, "river": [*names.get("river", ()), "name", "名称"]}
        if what == "axes"
        else {**names, **_STAKE}
        if what == "stakes"
        else names
    )
    found = read(path, kind, own)
    if found is None:
        raise InputError(f"{path.name} has no layer of {kind}: name another file for --{what}.", file=str(path))
    return found.frame.drop(columns=["feature"])


_STAKE = {
    "code": ["code", "stake_no", "JZDH", "JZH", "JZBH", "界桩编号", "桩号编号", "编号", "编码"], "kind": ["kind", "stake_type", "JZLX", "界桩类型"],
    "at_m": ["at_m", "ZH", "桩号"], "status": ["status", "ZT", "状态"],
}  # fmt: skip
