"""How a tricky case is told: shapes in metres from a corner of the reach, and how its files write them down.

The reach lies along x from 0 to 1,000 and along y from 0 to 120, unless a case says otherwise; a building of 20 x 15 m at
(100, 40) is plainly inside. The corner is a round place in a Gauss-Kruger zone, but for one near its meridian, so that areas are exact by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pyproj

from rivergis import crs

Geometry = dict[str, Any] | None
Spot = tuple[float, ...]
Shape = dict[str, Any]
Row = tuple[dict[str, Any], Geometry]
STORED = "EPSG:4490"


@dataclass(frozen=True)
class Place:
    """Where a case lies: the zone its metres are counted in, and about where the corner is."""

    zone: str
    lon: float
    lat: float

    def corner(self) -> tuple[float, float]:
        east, north = way(STORED, self.zone)(self.lon, self.lat)
        return round(east, -1), round(north, -1)


PLACES = {
    "wuhan": Place("EPSG:4547", 114.30, 30.50),
    "chengdu": Place("EPSG:4544", 104.40, 30.60),
    "urumqi": Place("EPSG:4538", 87.20, 43.80),
    "shanghai": Place("EPSG:4549", 120.40, 31.20),
    "harbin": Place("EPSG:4551", 126.30, 45.80),
    "kunming": Place("EPSG:4543", 102.20, 25.00),
    "lhasa": Place("EPSG:4539", 90.60, 29.65),
    "guangzhou": Place("EPSG:4547", 113.70, 23.10),
    "seam": Place("EPSG:4547", 115.4999, 30.50),
    "mohe": Place("EPSG:4550", 123.10, 53.40),
    "hainan": Place("EPSG:4546", 110.60, 19.10),
    "kashgar": Place("EPSG:4534", 75.60, 39.40),
}


@dataclass(frozen=True)
class As:
    """How a file writes its places: in which CRS, what it says of it, and what is wrong with it.

    ``said``: the name in the ``crs`` member; ``""`` leaves the member out, ``None`` says the truth. ``datum``: a member of the
    file, and its rows are shifted so. ``prefix``: the number of a zone before the eastings. ``swap``: latitude first.
    """

    crs: str = STORED
    said: str | None = None
    datum: str | None = None
    prefix: int = 0
    swap: bool = False


@dataclass(frozen=True)
class Found:
    candidates: str
    area_m2: float | None
    reaches: str = "R1"
    tol_m2: float | None = None

    def expected(self) -> dict[str, Any]:
        about = self.tol_m2 if self.tol_m2 is not None else max(1.0, 0.005 * (self.area_m2 or 0.0))
        return {
            "candidates": sorted(self.candidates.split()),
            "reaches": sorted(self.reaches.split()),
            "area_m2": self.area_m2,
            "tol_m2": about,
        }


@dataclass(frozen=True)
class Case:
    """A case: what lies there, and what must come out. ``why``: reasons by candidate, several parted by ``|``
    (an empty one: none need be given); ``told``: codes of diagnostics, any of those parted by ``|``; ``or_told``: an empty answer
    is right too where one of these is said."""

    about: str
    candidates: Sequence[Row]
    found: Sequence[Found] = ()
    why: dict[str, str] = field(default_factory=dict)
    told: Sequence[str] = ()
    boundary: Sequence[Row] = ()
    permits: Sequence[Row] = ()
    total_m2: float | None = None
    or_told: str = ""
    place: str = "wuhan"
    boundary_as: As = As()
    candidates_as: As = As()
    permits_as: As = As()

    def files(self) -> dict[str, dict[str, Any]]:
        """The three layers as GeoJSON."""
        where = PLACES[self.place]
        return {
            "boundary": layer(self.boundary, self.boundary_as, where),
            "candidates": layer(self.candidates, self.candidates_as, where),
            "permits": layer(self.permits, self.permits_as, where),
        }

    def expected(self, name: str, as_of: str) -> dict[str, Any]:
        reasons = {one: [word or None for word in words.split("|")] for one, words in self.why.items()}
        out: dict[str, Any] = {
            "case": name,
            "about": self.about,
            "as_of": as_of,
            "findings": [one.expected() for one in self.found],
            "not_findings": [{"candidate": one, "reason": words} for one, words in reasons.items()],
            "diagnostics": [{"any_of": codes.split("|")} for codes in self.told],
        }
        if self.total_m2 is not None:
            out["total_area_m2"] = self.total_m2
        if self.or_told:
            out["alternative"] = {"diagnostics_any_of": self.or_told.split("|")}
        return out


@cache
def way(source: str, target: str) -> Callable[[float, float], tuple[float, float]]:
    turn: Callable[[float, float], tuple[float, float]]
    turn = pyproj.Transformer.from_crs(source, target, always_xy=True).transform
    return turn


def urn(code: str) -> str:
    return "urn:ogc:def:crs:" + code.replace(":", "::")


def layer(rows: Sequence[Row], how: As, place: Place) -> dict[str, Any]:
    """A FeatureCollection as the file of a case has it."""
    features = []
    for properties, shape in rows:
        datum = how.datum or properties.get("datum")
        written = None if shape is None else _written(shape, _pen(how, place, datum))
        features.append({"type": "Feature", "properties": properties, "geometry": written})
    out: dict[str, Any] = {"type": "FeatureCollection"}
    said = urn(how.crs) if how.said is None else how.said
    if said:
        out["crs"] = {"type": "name", "properties": {"name": said}}
    return {**out, **({"datum": how.datum} if how.datum else {}), "features": features}


def _pen(how: As, place: Place, datum: str | None) -> Callable[[Spot], list[float]]:
    east, north = place.corner()
    datum = (datum or "").lower().replace("-", "")

    def write(spot: Spot) -> list[float]:
        x, y = way(place.zone, STORED)(east + spot[0], north + spot[1])
        if datum in ("gcj02", "bd09"):
            x, y = (float(v) for v in crs.wgs84_to_gcj02(x, y))
        if datum == "bd09":
            x, y = (float(v) for v in crs.gcj02_to_bd09(np.array(x), np.array(y)))
        if how.crs != STORED:
            x, y = way(STORED, how.crs)(x, y)
        digits = 9 if pyproj.CRS(how.crs).is_geographic else 4
        x, y = round(x + how.prefix * 1e6, digits), round(y, digits)
        return [y, x, *spot[2:]] if how.swap else [x, y, *spot[2:]]

    return write


def _written(shape: dict[str, Any], pen: Callable[[Spot], list[float]]) -> dict[str, Any]:
    if shape["type"] == "GeometryCollection":
        return {**shape, "geometries": [_written(one, pen) for one in shape["geometries"]]}

    def turned(part: Any) -> Any:
        return pen(part) if isinstance(part, tuple) else [turned(one) for one in part]

    return {**shape, "coordinates": turned(shape["coordinates"])}


def ring(x: float, y: float, width: float, height: float) -> list[Spot]:
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]


def polygon(*rings: Sequence[Spot]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [list(one) for one in rings]}


def rect(x: float, y: float, width: float, height: float) -> dict[str, Any]:
    return polygon(ring(x, y, width, height))


def parts(*polygons: dict[str, Any]) -> dict[str, Any]:
    return {"type": "MultiPolygon", "coordinates": [one["coordinates"] for one in polygons]}


def line(*spots: Spot) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": list(spots)}


def lines(*runs: Sequence[Spot]) -> dict[str, Any]:
    return {"type": "MultiLineString", "coordinates": [list(run) for run in runs]}


def point(x: float, y: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": (x, y)}


def together(*shapes: dict[str, Any]) -> dict[str, Any]:
    return {"type": "GeometryCollection", "geometries": list(shapes)}


REACH_RING = ring(0, 0, 1000, 120)
REACH = polygon(REACH_RING)


def area(shape: Geometry = REACH, reach: str = "R1", county: str = "county-A", **more: Any) -> Row:
    return {"reach": reach, "county": county, **more}, shape


def seen(name: str, shape: Geometry, kind: str = "building", source: str = "footprints", **more: Any) -> Row:
    return {"id": name, "kind": kind, "source": source, **more}, shape


def permit(
    shape: Geometry,
    allows: str = "building",
    start: str | None = "2024-01-01",
    end: str | None = "2030-12-31",
    **more: Any,
) -> Row:
    return {"id": "p1", "allows": allows, "valid_from": start, "valid_to": end, **more}, shape


WHOLE = (area(),)
HOUSE = rect(100, 40, 20, 15)  # 300 m2, plainly inside
ASIDE = rect(100, 160, 20, 15)  # 40 m beyond the line
ONE = (seen("c1", HOUSE),)
