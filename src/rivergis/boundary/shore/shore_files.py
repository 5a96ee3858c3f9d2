"""Layers that stakes and shoreline zones are made of, as files: read in EPSG:4490, their fields found by the words of the trade.

What is read and how is told; a feature whose shape cannot be used is named and left out, a value that means nothing stays unknown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
import yaml
from pyproj import CRS

from rivergis import crs, layers
from rivergis.boundary.ground.bank_chains import Reach, reaches_of
from rivergis.boundary.stake.place import Existing
from rivergis.boundary.stake.spots import County, Mark
from rivergis.errors import InputError, RivergisError, UsageError
from rivergis.intake import times, values, vector
from rivergis.intake.delivery import Asked
from rivergis.river import chainage

_TITLE_ROWS = 12
_SYMBOL_M = 20.0  # drawings have circles for stakes; no shoreline closes on so short a way
_YES = {"1", "1.0", "true", "t", "yes", "y", "是", "有"}


@cache
def words() -> dict[str, Any]:
    """Names of layers and fields that are known (``gis/text/shore_fields.yaml``)."""
    from rivergis.settings import gis_dir

    loaded: dict[str, Any] = yaml.safe_load((gis_dir() / "text" / "shore_fields.yaml").read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True)
class Layer:
    """One layer as read; ``frame`` in EPSG:4490, or a plain table. ``said``: what was left out and assumed."""

    frame: gpd.GeoDataFrame | pd.DataFrame
    file: str
    name: str
    said: list[str] = field(default_factory=list)

    @property
    def placed(self) -> bool:
        return isinstance(self.frame, gpd.GeoDataFrame)

    def field(self, role: str) -> str | None:
        """The field that plays a role, or None."""
        known = {_plain(c): c for c in self.frame.columns}
        return next((known[n] for n in map(_plain, words()["fields"][role]) if n in known), None)

    def values(self, role: str) -> pd.Series:
        """Texts of a role as people write them, None where there is none."""
        found = self.field(role)
        if found is None:
            return pd.Series([None] * len(self.frame), index=self.frame.index, dtype=object)
        return pd.Series([_text(v) for v in self.frame[found]], index=self.frame.index, dtype=object)

    def needed(self, role: str) -> pd.Series:
        """Texts of a role that the layer must have; ``InputError`` names the fields that would do."""
        if self.field(role) is None:
            wanted = ", ".join(words()["fields"][role][:6])
            raise InputError(
                f"{self.file}, layer {self.name} has no field for {role}: name one of its fields {wanted}.",
                file=self.file,
                layer=self.name,
            )
        return self.values(role)

    def choices(self, role: str, layer: str, column: str) -> pd.Series:
        """Codes of a column of choices; what is understood as none stays None and is told."""
        known = layers.layer(layer).column(column)
        given = self.values(role)
        read = [None if v is None else values.choice(layer, known, v) for v in given]
        strange = sorted({v for v, r in zip(given, read, strict=True) if v is not None and r is None})
        if strange:
            self.said.append(f"{self.file}: {role} {', '.join(strange[:5])} is not understood and counts as not said.")
        return pd.Series(read, index=given.index, dtype=object)

    def metres(self, role: str) -> pd.Series:
        """Numbers of a role in metres, or labels such as 12+345; NaN where there is none."""
        found = self.field(role)
        return self.values(role).map(lambda v: metres(v, found or "")).astype(float)

    def days(self, role: str) -> pd.Series:
        given = self.values(role)
        return pd.Series([None if v is None else times.day(v) for v in given], index=given.index, dtype=object)


def _plain(name: Any) -> str:
    said = unicodedata.normalize("NFKC", str(name)).strip().lower()
    return re.sub(r"\s*[(\[](?:m|米|km|公里)[)\]]$", "", said)


def _text(value: Any) -> str | None:
    """What stands in a cell; spreadsheets make 7.0 of the number 7."""
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)) or not str(value).strip():
        return None
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return str(int(value)) if whole else str(value).strip()


def metres(value: str | None, column: str = "") -> float | None:
    """A chainage as people write it: 12+345, K12+345.6, 12345, 12.3km; None where it says none."""
    if value is None:
        return None
    try:
        return chainage.parse(value)
    except UsageError:
        return values.number(value, column, 1000.0 if re.search(r"km|公里", column) else 1.0)


def read_all(paths: Mapping[str, Path | None], chosen: Mapping[str, str | None], asked: Asked) -> dict[str, Layer]:
    """All files of a job, read together: role -> layer. The first that cannot be used is refused with its sentence."""
    given = {role: path for role, path in paths.items() if path is not None}
    for path in given.values():
        if not path.exists():
            raise InputError(f"{path} does not exist: check its name.", file=str(path))
    opened = vector.open_each(list(given.values()), asked)
    out = {}
    for (role, path), found in zip(given.items(), opened, strict=True):
        if isinstance(found, RivergisError):
            raise found
        out[role] = _layer(role, path, found, chosen.get(role))
    return out


def _layer(role: str, path: Path, found: list[vector.Opened], name: str | None) -> Layer:
    if name is None and len(found) > 1:
        usual = [n for n in words()["layers"].get(role, ()) if n in {o.name.lower() for o in found}]
        name = next((o.name for o in found if usual and o.name.lower() == usual[0]), None)
    chosen = vector.chosen(path, found, name)
    chosen.check_place()
    pieces = list(chosen.pieces())
    frame = pd.concat([p.frame for p in pieces]) if len(pieces) > 1 else pieces[0].frame
    faults = {f: s for p in pieces for f, (_, s) in p.faults.items()}
    said = [f"{path.name}, layer {chosen.name}, feature {f} was left out: {s}" for f, s in faults.items()]
    sound = frame[~frame.index.isin(list(faults))] if isinstance(frame, gpd.GeoDataFrame) else _headed(frame)
    return Layer(sound, path.name, chosen.name, said)


def _headed(frame: pd.DataFrame) -> pd.DataFrame:
    """A table below its heading: titles and empty rows may stand above, and a heading of two rows is told by its lower one."""
    known = {_plain(n) for names in words()["fields"].values() for n in names}

    def fits(cells: Any) -> int:
        return len({_plain(c) for c in cells if _text(c) is not None} & known)

    rows = [fits(frame.iloc[n]) for n in range(min(len(frame), _TITLE_ROWS))]
    best = max(rows, default=0)
    if best < 2 or best <= fits(frame.columns):
        return frame
    at = max(n for n, fit in enumerate(rows) if fit == best)
    heads = [_text(c) or f"column {n + 1}" for n, c in enumerate(frame.iloc[at])]
    double = pd.Series(heads).duplicated()
    below = frame.iloc[at + 1 :].set_axis([f"{h} {n}" if d else h for n, (h, d) in enumerate(zip(heads, double, strict=True))], axis=1)  # fmt: skip
    return below[below.map(lambda v: _text(v) is not None).any(axis=1)]


def _placed(layer: Layer, what: str, kinds: tuple[str, ...]) -> gpd.GeoSeries:
    """Shapes of a layer of some kinds; what is of another kind is told and left out."""
    if not isinstance(layer.frame, gpd.GeoDataFrame):
        raise InputError(f"{layer.file}, layer {layer.name} has no positions: give a layer of {what}.", file=layer.file)
    shapes = layer.frame.geometry
    fit = shapes.notna() & ~shapes.is_empty & shapes.geom_type.isin(kinds)
    if not fit.any():
        raise InputError(f"{layer.file}, layer {layer.name} holds no {what}: name another layer.", file=layer.file)
    if (left := int((~fit).sum())) > 0:
        layer.said.append(f"{layer.file}, layer {layer.name}: {left} features are no {what} and were left out.")
    return shapes[fit]


_LINES, _AREAS, _POINTS = ("LineString", "MultiLineString"), ("Polygon", "MultiPolygon"), ("Point", "MultiPoint")
LINE_COLUMNS = ("river_code", "reach_code", "bank", "line_type", "basis", "county", "announce_gov", "announce_doc_no", "announced_on", "island")  # fmt: skip


def lines_of(layer: Layer, zone: CRS, line_type: str | None = None) -> gpd.GeoDataFrame:
    """Boundary or shoreline lines in metres with ``LINE_COLUMNS``; ``line_type`` chooses one, where the layer says it.

    A line that says no basis we know, but government, number and date of its announcement, is announced.
    """
    shapes = _placed(layer, "lines", _LINES)
    frame = gpd.GeoDataFrame(
        {
            "river_code": layer.values("river_code"),
            "reach_code": layer.values("reach_code"),
            "bank": layer.choices("bank", "boundary_line", "bank"),
            "line_type": layer.choices("line_type", "boundary_line", "line_type"),
            "basis": layer.choices("basis", "boundary_line", "basis"),
            **{c: layer.values(c) for c in ("county", "announce_gov", "announce_doc_no")},
            "announced_on": layer.days("announced_on"),
            "island": [v is not None and v.lower() in _YES for v in layer.values("island")],
        },
        geometry=layer.frame.geometry,
    ).loc[shapes.index]
    proved = frame[["announce_gov", "announce_doc_no", "announced_on"]].notna().all(axis=1)
    frame["basis"] = frame["basis"].where(frame["basis"].notna() | ~proved, "announced")
    if line_type is not None and frame["line_type"].notna().any():
        frame = frame[frame["line_type"].isna() | (frame["line_type"] == line_type)]
    frame = frame.to_crs(zone)
    symbols = frame.geometry.is_closed & (frame.length < _SYMBOL_M)
    if symbols.any():
        layer.said.append(f"{layer.file}: {int(symbols.sum())} closed figures shorter than {_SYMBOL_M:g} m are symbols of a drawing and were left out.")  # fmt: skip
    return frame[~symbols]


def zone_of(*some: Layer) -> CRS:
    """The metric system of the first layer that has positions."""
    placed = next((x.frame for x in some if isinstance(x.frame, gpd.GeoDataFrame) and len(x.frame)), None)
    if placed is None:
        raise InputError("No layer with positions is given.")
    return crs.metric_crs(*crs.centre(placed))


def reaches_in(layer: Layer, zone: CRS) -> list[Reach]:
    """Reaches of a layer or network in metres; parts of one reach that do not join are told."""
    shapes = _placed(layer, "centre lines of reaches", _LINES)
    code = layer.values("reach_code") if layer.field("reach_code") else layer.values("code")
    frame = gpd.GeoDataFrame(
        {
            "reach_code": [c or str(i) for i, c in code.items()],
            "river_code": layer.values("river_code"),
            "river": layer.values("river"),
            "from_m": layer.metres("from_m"),
        },
        geometry=layer.frame.geometry,
    ).loc[shapes.index]
    frame = frame.set_geometry(frame.geometry.map(_one_line)).to_crs(zone)
    broken = frame.geometry.isna()
    layer.said.extend(
        f"{layer.file}: reach {c} is no single line and was left out." for c in frame["reach_code"][broken]
    )
    return reaches_of(frame[~broken])


def _one_line(shape: Any) -> Any:
    merged = shapely.line_merge(shapely.force_2d(shape), directed=True) if shape.geom_type != "LineString" else shape
    return shapely.force_2d(merged) if merged.geom_type == "LineString" and merged.length > 0 else None


def rivers_named(reaches: list[Reach]) -> dict[str, str]:
    """Code, name and reach codes of each river -> its code: how tables may name it."""
    out: dict[str, str] = {}
    for r in reaches:
        out |= {r.code: r.river, r.name: r.river}
    return out | {r.river: r.river for r in reaches}


def counties_in(layer: Layer | None, zone: CRS) -> list[County]:
    """Counties with their areas in metres."""
    if layer is None:
        return []
    shapes = _placed(layer, "areas of counties", _AREAS).to_crs(zone)
    names, codes = layer.values("name"), layer.values("adcode")
    level = layer.choices("level", "admin_unit", "level")
    return [
        County(_adcode(codes[i]), names[i] or codes[i] or str(i), shapely.make_valid(shapely.force_2d(shapes[i])))
        for i in shapes.index
        if level[i] in (None, "county")
    ]


def _adcode(code: str | None) -> str:
    return code[:6] if code and re.fullmatch(r"\d{6}(\d{3}|\d{6})?", code) else ""


def marks_in(layer: Layer | None, zone: CRS) -> list[Mark]:
    """Bridges, villages and accesses, by the word of their kind, else by the end of their name; others are left out."""
    if layer is None:
        return []
    shapes = _placed(layer, "landmarks", (*_POINTS, *_LINES, *_AREAS)).to_crs(zone)
    kinds, names = layer.values("kind"), layer.values("name")
    out = []
    for i, shape in shapes.items():
        kind = _mark_kind(kinds[i], names[i])
        if kind is not None:
            shape = shapely.get_geometry(shape, 0) if shape.geom_type == "MultiPoint" else shapely.force_2d(shape)
            out.append(Mark(kind, names[i] or "", shape))
    if len(out) < len(shapes):
        layer.said.append(
            f"{layer.file}: {len(shapes) - len(out)} of {len(shapes)} landmarks are no bridge, village or access and were left out."
        )
    return out


def _mark_kind(kind: str | None, name: str | None) -> str | None:
    known: dict[str, list[str]] = words()["marks"]
    said = _plain(kind or "")
    for code, some in known.items():
        if said in some:
            return code
    for text in (said, _plain(name or "")):
        for code, some in known.items():
            if any(text.endswith(w) for w in some if not w.isascii()):
                return code
    return None


def existing_in(layer: Layer | None, zone: CRS, rivers: Mapping[str, str]) -> list[Existing]:
    """Stakes that are there, with what their table says of them; ``InputError`` where one has no number."""
    if layer is None:
        return []
    shapes = _placed(layer, "points of stakes", _POINTS).to_crs(zone)
    numbers = layer.needed("number")
    missing = [i for i in shapes.index if numbers[i] is None]
    if missing:
        raise InputError(
            f"{layer.file}, feature {missing[0]} has no stake number: give every stake its number.", file=layer.file
        )
    kinds = layer.choices("stake_kind", "stake", "kind").fillna("base")
    status = layer.choices("status", "stake", "status").fillna("good")
    bank = layer.choices("bank", "stake", "bank")
    river = layer.values("river_code").fillna(layer.values("river"))
    reach, heights = layer.values("reach_code"), layer.metres("height_m")
    datum, reason = layer.values("vertical_datum"), layer.values("reason")
    return [
        Existing(
            str(numbers[i]),
            shapely.force_2d(shapely.get_geometry(p, 0)),
            kinds[i],
            status[i],
            rivers.get(str(river[i])) if river[i] else None,
            reach[i],
            bank[i],
            {
                "reason": reason[i],
                "height_m": None if pd.isna(heights[i]) else float(heights[i]),
                "vertical_datum": datum[i],
            },
        )
        for i, p in shapes.items()
    ]


def water_in(layer: Layer | None, zone: CRS) -> shapely.Geometry | None:
    """Water surfaces as one area in metres."""
    if layer is None:
        return None
    shapes = _placed(layer, "areas of water", _AREAS).to_crs(zone)
    return shapely.union_all(shapely.make_valid(shapely.force_2d(shapes.to_numpy())))
