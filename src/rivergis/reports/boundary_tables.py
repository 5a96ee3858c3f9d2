"""Coordinate tables (界址点坐标表) of a delimitation as a workbook: turning points, starts and ends, stakes, attributes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import shapely

from rivergis import crs, words
from rivergis.boundary.delivery.tables import Delivery, Zone, dms
from rivergis.reports import workbook
from rivergis.river import chainage

_MOST_ROWS = 1_000_000  # a sheet holds 1,048,576
_POINTS = (
    "point_no", "element", "river", "river_code", "bank", "code", "role", "chainage", "x", "y", "lon", "lat", "lon_dms", "lat_dms", "zone",
    "meridian",
)  # fmt: skip
_SEGMENTS = (
    "code", "element", "river", "river_code", "bank", "basis", "from", "to", "start_x", "start_y", "start_dms", "end_x", "end_y", "end_dms",
    "length_m", "zone", "meridian",
)  # fmt: skip
_STAKES = (
    "code",
    "river",
    "bank",
    "kind",
    "status",
    "chainage",
    "x",
    "y",
    "lon",
    "lat",
    "lon_dms",
    "lat_dms",
    "height_m",
    "vertical_datum",
    "zone",
    "meridian",
)


def write(
    told: Delivery,
    zones: Sequence[Zone],
    columns: frozenset[str] | None,
    made_at: datetime | None,
    path: Path,
    about: Sequence[tuple[str, str]],
) -> None:
    """The workbook; ``columns``: with which a public one is narrowed; equal content and ``made_at`` give equal bytes."""
    book = openpyxl.Workbook(write_only=True)
    points = [
        r
        for z in zones
        for n in z.layers
        if "point_no" in z.layers[n] and "text" not in z.layers[n]
        for r in _points(z, z.layers[n])
    ]
    for i in range(0, max(len(points), 1), _MOST_ROWS):
        title = words.say("deliver.sheet_points") + (f" {i // _MOST_ROWS + 1}" if i else "")
        workbook.add_table(book, title, _heads(_POINTS), points[i : i + _MOST_ROWS])
    lines = [
        r
        for z in zones
        for f in z.layers.values()
        if "from_m" in f or f.geom_type.iloc[0] == "LineString"
        for r in _segments(z, f)
    ]
    workbook.add_table(book, words.say("deliver.sheet_segments"), _heads(_SEGMENTS), lines)
    stakes = [r for z in zones for f in z.layers.values() if "status" in f for r in _stakes(z, f, columns)]
    if stakes:
        workbook.add_table(book, words.say("deliver.sheet_stakes"), _heads(_STAKES), stakes)
    workbook.add_table(book, words.say("deliver.sheet_about"), _heads(("item", "value")), about)
    workbook.write_fixed(book, path, made_at or datetime.now(UTC))


def _heads(keys: Sequence[str]) -> list[str]:
    return [words.both(f"deliver.head.{k}") for k in keys]


def _label(at_m: Any) -> str | None:
    return None if at_m is None or pd.isna(at_m) else chainage.label(float(at_m))


def _column(frame: pd.DataFrame, name: str) -> list[Any]:
    return list(frame[name]) if name in frame else [None] * len(frame)


def _worded(prefix: str, codes: Sequence[Any]) -> list[Any]:
    return [None if c is None else words.say(f"{prefix}.{c}") for c in codes]


def _points(zone: Zone, frame: gpd.GeoDataFrame) -> list[tuple[Any, ...]]:
    places = [
        (x, y, round(lon, 9), round(lat, 9), dms(lon), dms(lat), zone.number, zone.meridian)
        for x, y, lon, lat in zip(frame["x_north_m"], frame["y_east_m"], frame["lon"], frame["lat"], strict=True)
    ]
    heads = zip(
        frame["point_no"], frame["element"], _column(frame, "river"), _column(frame, "river_code"), _worded("bank", _column(frame, "bank")),
        _column(frame, "code"), _worded("deliver.role", frame["role"]), map(_label, _column(frame, "at_m")), strict=True,
    )  # fmt: skip
    return [(*head, *place) for head, place in zip(heads, places, strict=True)]


def _segments(zone: Zone, frame: gpd.GeoDataFrame) -> list[tuple[Any, ...]]:
    """Start and end of every line, in metres of its zone and in degrees."""
    if "length_m" not in frame or "text" in frame or frame.geom_type.iloc[0] != "LineString":
        return []
    degrees = crs.to_storage(frame).geometry.values
    ends = []
    for line, there in zip(frame.geometry.values, degrees, strict=True):
        for i in (0, -1):
            (x, y), (lon, lat) = shapely.get_coordinates(line)[i], shapely.get_coordinates(there)[i]
            ends.append((round(float(y), 4), round(float(x), 4), f"{dms(lon)}, {dms(lat)}"))
    heads = zip(
        _column(frame, "code"), frame["element"], _column(frame, "river"), _column(frame, "river_code"),
        _worded("bank", _column(frame, "bank")), _worded("basis", _column(frame, "basis")),
        map(_label, _column(frame, "from_m")), map(_label, _column(frame, "to_m")), strict=True,
    )  # fmt: skip
    tails = [(round(float(m), 3), zone.number, zone.meridian) for m in frame["length_m"]]
    return [(*h, *ends[2 * i], *ends[2 * i + 1], *tails[i]) for i, h in enumerate(heads)]


def _stakes(zone: Zone, frame: gpd.GeoDataFrame, columns: frozenset[str] | None) -> list[tuple[Any, ...]]:
    heights = [None if v is None or np.isnan(v) else float(v) for v in _column(frame, "height_m")]
    if columns is not None and "height_m" not in columns:
        heights = [None] * len(frame)
    datum = _column(frame, "vertical_datum") if columns is None else [None] * len(frame)
    rows = zip(
        _column(frame, "code"), _column(frame, "river"), _worded("bank", _column(frame, "bank")),
        _worded("choice.kind", _column(frame, "kind")), _worded("choice.status", _column(frame, "status")),
        map(_label, _column(frame, "at_m")), frame["x_north_m"], frame["y_east_m"], frame["lon"], frame["lat"],
        map(dms, frame["lon"]), map(dms, frame["lat"]), heights, datum, strict=True,
    )  # fmt: skip
    return [(*r, zone.number, zone.meridian) for r in rows]
