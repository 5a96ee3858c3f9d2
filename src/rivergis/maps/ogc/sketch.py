"""A sketch of the shapes on a page of features: SVG without a script, for browsers that only want to see where things lie."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, MOST_POINTS = 640.0, 8_000
_MARGIN = 12.0
Pairs = list[list[float]]


@dataclass(frozen=True)
class Drawn:
    """One feature: its id, paths of its areas and of its lines (or none), the places of its points in the sketch."""

    ident: str
    areas: str
    lines: str
    dots: list[tuple[float, float]]


@dataclass(frozen=True)
class Sketch:
    """Size in pixels and what is drawn."""

    width: float
    height: float
    drawn: list[Drawn]


def sketch(features: Sequence[dict[str, Any]], north_first: bool, degrees: bool) -> Sketch | None:
    """The shapes of GeoJSON features, north up; None where there is nothing to draw."""
    shapes = [(str(f.get("id", "")), list(_parts(f.get("geometry")))) for f in features]
    places = [p for _, parts in shapes for _, pairs in parts for p in pairs]
    if not places:
        return None
    first, second = [p[0] for p in places], [p[1] for p in places]
    (x, y) = (second, first) if north_first else (first, second)
    west, east, south, north = min(x), max(x), min(y), max(y)
    # a degree of longitude is shorter than one of latitude
    squeeze = math.cos(math.radians((south + north) / 2)) if degrees else 1.0
    wide, high = max((east - west) * squeeze, 1e-9), max(north - south, 1e-9)
    scale = (WIDTH - 2 * _MARGIN) / max(wide, high * 4 / 3)
    step = max(1, len(places) // MOST_POINTS)

    def at(pair: list[float]) -> tuple[float, float]:
        east_of, north_of = (pair[1], pair[0]) if north_first else (pair[0], pair[1])
        return round(_MARGIN + (east_of - west) * squeeze * scale, 1), round(_MARGIN + (north - north_of) * scale, 1)

    drawn = [_draw(ident, parts, at, step) for ident, parts in shapes if parts]
    return Sketch(WIDTH, round(high * scale + 2 * _MARGIN, 1), drawn)


def _draw(ident: str, parts: list[tuple[str, Pairs]], at: Any, step: int) -> Drawn:
    areas, lines, dots = [], [], []
    for kind, pairs in parts:
        if kind == "point":
            dots.append(at(pairs[0]))
            continue
        kept = [*pairs[:-1:step], pairs[-1]]
        path = "M" + "L".join(f"{x} {y}" for x, y in map(at, kept))
        if kind == "area":
            areas.append(path + "Z")
        else:
            lines.append(path)
    return Drawn(ident, "".join(areas), "".join(lines), dots)


def _parts(geometry: Any) -> Iterator[tuple[str, Pairs]]:
    """Points, lines and rings of a GeoJSON geometry."""
    if not geometry:
        return
    kind, places = geometry["type"], geometry.get("coordinates", [])
    if kind == "Point":
        yield "point", [places]
    elif kind == "MultiPoint":
        yield from (("point", [p]) for p in places)
    elif kind == "LineString":
        yield "line", places
    elif kind in ("MultiLineString", "Polygon"):
        yield from (("area" if kind == "Polygon" else "line", p) for p in places if p)
    elif kind == "MultiPolygon":
        yield from (("area", ring) for polygon in places for ring in polygon if ring)
    elif kind == "GeometryCollection":
        for one in geometry["geometries"]:
            yield from _parts(one)
