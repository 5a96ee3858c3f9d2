"""Geometries written into a cell: WKT and EWKT, GeoJSON, WKB and EWKB in hexadecimal digits; curves become lines."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely

_CURVED = re.compile(r"CURVE|CIRCULARSTRING|SURFACE|\bTIN\b", re.IGNORECASE)
_SRID = re.compile(r"^\s*SRID=(\d+);\s*", re.IGNORECASE)
_NAMES = {
    n.upper(): n
    for n in [
        "Point",
        "LineString",
        "Polygon",
        "MultiPoint",
        "MultiLineString",
        "MultiPolygon",
        "GeometryCollection",
        "CircularString",
        "CompoundCurve",
        "CurvePolygon",
        "MultiCurve",
        "MultiSurface",
        "PolyhedralSurface",
        "TIN",
        "Triangle",
    ]
}


@dataclass
class Geometries:
    """Shapes cell by cell (None where there is none), the types as written, and the SRIDs that cells carry."""

    shapes: np.ndarray
    types: Counter[str] = field(default_factory=Counter)
    srids: set[int] = field(default_factory=set)


def read(cells: Sequence[Any]) -> Geometries:
    """The geometries of a column of texts, in their own coordinates; curved ones as lines of short segments."""
    out = Geometries(np.full(len(cells), None, dtype=object))
    curved: list[tuple[int, str]] = []
    for i, cell in enumerate(cells):
        text = cell.strip() if isinstance(cell, str) else ""
        if not text:
            continue
        if match := _SRID.match(text):
            out.srids.add(int(match[1]))
            text = text[match.end() :]
        if text[0] in "{0":
            out.shapes[i] = _from_json(text) if text[0] == "{" else _from_hex(text, out.srids)
            out.types.update(type_names(out.shapes[i : i + 1]))
            continue
        out.types[_type_of(text)] += 1
        if _CURVED.search(text):
            curved.append((i, text))
        else:
            out.shapes[i] = shapely.from_wkt(text, on_invalid="ignore")
    if curved:
        out.shapes[[i for i, _ in curved]] = _straightened([t for _, t in curved])
    return out


def type_names(shapes: np.ndarray) -> Counter[str]:
    """Geometry types of shapes, with Z where they have heights."""
    return Counter(f"{s.geom_type}{' Z' if s.has_z else ''}" for s in shapes if s is not None)


def _type_of(text: str) -> str:
    match = re.match(r"([A-Za-z]+)\s*(ZM|Z|M)?\b", text)
    if match is None:
        return "Unknown"
    return " ".join(filter(None, (_NAMES.get(match[1].upper(), match[1].title()), (match[2] or "").upper())))


def _from_json(text: str) -> Any:
    try:
        found = json.loads(text)
        found = found.get("geometry") or found
        return shapely.from_geojson(json.dumps(found), on_invalid="ignore")
    except (ValueError, AttributeError, RecursionError):
        return None


def _from_hex(text: str, srids: set[int]) -> Any:
    shape = shapely.from_wkb(text, on_invalid="ignore") if len(text) % 2 == 0 else None
    if shape is not None and shapely.get_srid(shape):
        srids.add(int(shapely.get_srid(shape)))
    return shape


def _straightened(texts: Sequence[str]) -> list[Any]:
    """Curves by way of GDAL, which knows them; None for those that it cannot read."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "curves.csv"
        with table.open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows([["id", "WKT"], *([i, t] for i, t in enumerate(texts))])
        try:
            _, _, found, _ = pyogrio.raw.read(str(table))
        except (RuntimeError, ValueError):
            return [None] * len(texts)
    return list(shapely.from_wkb(found, on_invalid="ignore"))
