"""Layers of a check as they come in files: read, brought to EPSG:4490, with every guess and repair said.

What cannot be placed on earth is refused whole, with the reading that fits best and the option to type; a feature that says
its own datum (火星坐标 in a column) is converted and said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.boundary.ground.closing import Said
from rivergis.errors import InputError, RivergisError
from rivergis.intake import times, vector
from rivergis.intake.delivery import Asked

IDS = ("id", "code", "编号", "图斑编号", "patch_no")
_ENDLESS = ("长期", "长期有效", "永久", "永久有效", "无固定期限", "无期限", "至今")
# words for the datum of single features, in a column of that name; anything else is not guessed
DATUM_COLUMNS = ("datum", "坐标系", "坐标系统", "基准")
_DATUMS = {
    **dict.fromkeys(
        ("", "wgs84", "wgs-84", "wgs 84", "cgcs2000", "2000国家大地坐标系", "epsg:4490", "epsg:4326"), "wgs84"
    ),
    **dict.fromkeys(("gcj02", "gcj-02", "gcj 02", "gcj", "火星坐标", "火星坐标系", "mars"), "gcj02"),
    **dict.fromkeys(("bd09", "bd-09", "bd 09", "百度坐标", "百度坐标系"), "bd09"),
}


@dataclass(frozen=True)
class Layer:
    """A layer of a file. ``frame``: attributes and geometry in EPSG:4490 (may be missing), index = feature number of the file.

    ``faults``: feature -> sentence, of shapes that cannot be used; those have no geometry any more.
    """

    frame: gpd.GeoDataFrame
    about: dict[str, Any]
    said: list[Said] = field(default_factory=list)
    faults: dict[Any, str] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, str]:
        """Columns by their name in small letters."""
        return {str(c).strip().lower(): c for c in self.frame.columns}

    def column(self, *names: str) -> str | None:
        """The first of these columns that is there."""
        return next((self.columns[n] for n in names if n in self.columns), None)

    def values(self, *names: str) -> pd.Series:
        """The first of these columns; all missing where none is there."""
        found = self.column(*names)
        return self.frame[found] if found else pd.Series(None, index=self.frame.index, dtype=object)

    def days(self, *names: str) -> tuple[pd.Series, pd.Series]:
        """The first of these columns as civil days (NaT where empty or without end), and where something stands that is no day."""
        said = self.values(*names)
        said = said.mask(said.astype(str).str.strip().isin(_ENDLESS))
        read = said.map(times.day)
        return pd.to_datetime(read, errors="coerce"), read.isna() & ~said.map(
            lambda v: pd.isna(v) or not str(v).strip()
        )

    def names(self) -> list[str]:
        """What each feature is called: its id or code, else its number in the file."""
        return [_name(n) or str(i) for i, n in self.values(*IDS).items()]

    def sizes(self, *names: str) -> pd.Series:
        """The first of these columns as numbers above zero; NaN where it holds none: an error of 0 or -5 m is not known."""
        found = self.numbers(*names)
        return found.where(found > 0)

    def numbers(self, *names: str) -> pd.Series:
        """The first of these columns as numbers; NaN where there is none or it is no finite number."""
        found = pd.to_numeric(self.values(*names), errors="coerce").astype(float)
        return found.where(np.isfinite(found))


def _name(value: Any) -> str:
    """What stands in a column of names; spreadsheets make 7.0 of the number 7."""
    if pd.isna(value):
        return ""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return str(int(value)) if whole else str(value).strip()


Opened = Mapping[Path, list[vector.Opened] | RivergisError]
"""Files opened before, many at once (``vector.open_each``): what opening them gave, or would have raised."""


def read(path: Path, asked: Asked, what: str, opened_before: Opened | None = None) -> Layer:
    """A layer for a check; ``what``: boundary, candidate, permit or zone, for the sentences.

    Raises ``InputError``, and ``CrsRefused`` where it is not certain where the layer lies.
    """
    opened = chosen(path, asked, opened_before or {})
    pieces = list(opened.pieces())
    frame = pd.concat([p.frame for p in pieces]) if len(pieces) > 1 else pieces[0].frame
    if not isinstance(frame, gpd.GeoDataFrame):
        if what != "permit":
            raise InputError(
                f"{path.name}, layer {opened.name} has no geometry, but the {what} layer needs one: name another layer or file.",
                file=str(path), layer=opened.name,
            )  # fmt: skip
        frame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries([None] * len(frame), index=frame.index, crs=crs.STORAGE))
    frame = with_geom(frame)
    faults = {f: sentence for p in pieces for f, (_, sentence) in p.faults.items()}
    frame.loc[frame.index.isin(list(faults)), "geom"] = None
    stated = _member(path)
    if stated and not set(map(str, frame.columns)) & set(DATUM_COLUMNS):
        frame["datum"] = stated
    layer = Layer(frame, {"file": path.name, **opened.provenance()}, _said(opened, what), faults)
    return _own_datums(layer, opened, what)


def chosen(path: Path, asked: Asked, before: Opened) -> vector.Opened:
    """The layer asked for, certainly placed; raises what opening its file raised, before or now."""
    opened = _named(path, asked, before)
    opened.check_place()
    return opened


def _named(path: Path, asked: Asked, before: Opened) -> vector.Opened:
    found = before[path] if path in before else vector.open_layers(path, asked)
    if isinstance(found, RivergisError):
        raise found
    return vector.chosen(path, found, asked.layer)


def with_geom(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A copy whose geometry stands in the column ``geom``."""
    return frame.copy() if frame.geometry.name == "geom" else frame.rename_geometry("geom")


def _member(path: Path) -> str | None:
    """The datum that a GeoJSON file states of itself, beside its features."""
    if path.suffix.lower() not in (".json", ".geojson"):
        return None
    with path.open("rb") as file:
        head = file.read(1 << 16).partition(b'"features"')[0]
    found = re.search(rb'"datum"\s*:\s*"([^"]{1,40})"', head)
    return found.group(1).decode("utf-8", "replace") if found else None


def names(path: Path, asked: Asked, opened_before: Opened | None = None) -> list[str]:
    """What a layer calls its features (id, code, else their number), also where it cannot be placed on earth."""
    opened = _named(path, asked, opened_before or {})
    frame = pd.concat([p.frame for p in opened.pieces(placed=False)])
    return Layer(frame, {}).names()


def _said(opened: vector.Opened, what: str) -> list[Said]:
    said = []
    if opened.placed and opened.verdict.axis == "swapped":
        said.append(
            Said(
                "axis_order",
                f"{opened.path.name} holds north before east: the axes were exchanged ({opened.source_crs}).",
                layer=what,
            )
        )
    if opened.placed and opened.verdict.datum in ("gcj02", "bd09"):
        said.append(_converted(opened, opened.verdict.datum, (), what))
    return said


def _converted(opened: vector.Opened, datum: str, features: tuple[str, ...], what: str) -> Said:
    name = opened.path.name
    of = (
        f"{len(features)} features of {name}, which name that datum"
        if features
        else f"{name}, {'as asked' if opened.asked.datum else 'which names that datum'}"
    )
    return Said(f"datum_{datum}_converted", f"The shift of {datum.upper()} was taken off {of}.", features, what)


def _own_datums(layer: Layer, opened: vector.Opened, what: str) -> Layer:
    """Features that name their own datum, converted; those that name one nobody can convert have no geometry any more."""
    if opened.asked.datum or layer.column(*DATUM_COLUMNS) is None or not opened.placed:
        return layer
    words = layer.values(*DATUM_COLUMNS).map(lambda w: "" if pd.isna(w) else str(w).strip().lower())
    datums = words.map(_DATUMS)
    frame, said, faults = layer.frame.copy(), list(layer.said), dict(layer.faults)
    for datum in ("gcj02", "bd09"):
        mine = (datums == datum).to_numpy()
        if mine.any() and opened.verdict.datum != datum:
            frame.loc[mine, "geom"] = gpd.GeoSeries(
                _back(frame.geometry[mine], datum), index=frame.index[mine], crs=frame.crs
            )
            said.append(_converted(opened, datum, tuple(map(str, frame.index[mine])), what))
    for feature in frame.index[datums.isna()]:
        faults[feature] = (
            f"It names the datum {words[feature]!r}, for which there is no documented way to CGCS2000: ask the survey office."
        )
    frame.loc[frame.index.isin(list(faults)), "geom"] = None
    return Layer(frame, layer.about, said, faults)


def _back(shapes: gpd.GeoSeries, datum: str) -> np.ndarray:
    def way(xy: np.ndarray) -> np.ndarray:
        return np.column_stack(crs.to_wgs84(xy[:, 0], xy[:, 1], datum))

    return shapely.transform(shapely.force_2d(shapes.to_numpy()), way)
