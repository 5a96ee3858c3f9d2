"""Systems of coordinates that the OGC API speaks, by the addresses the standard gives them, each in its own order of axes.

EPSG:4490 and 4326 say latitude first, CRS84 longitude; a Gauss-Krüger zone says north first, as EPSG has it. Inside,
x is east and y north always; WGS 84 and CGCS2000 differ by less than a metre and have the same numbers here (``crs``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyproj
import shapely

from rivergis import crs as crs_
from rivergis.errors import UsageError
from rivergis.maps.export_filter import moved

_BASE = "http://www.opengis.net/def/crs"
_URI = re.compile(
    r"(?:https?://www\.opengis\.net/def/crs/EPSG/[^/]{1,12}/|urn:ogc:def:crs:EPSG:[^:]{0,12}:|EPSG:)(\d{4,5})"
)
_CRS84 = ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "https://www.opengis.net/def/crs/OGC/1.3/CRS84",
          "http://www.opengis.net/def/crs/OGC/0/CRS84", "urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84", "CRS84")  # fmt: skip
DEGREE_DIGITS, METRE_DIGITS = 9, 4
"""Decimals that go out: about 0.1 mm."""
Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class Place:
    """A system of coordinates. ``north_first``: its first axis points north, so that pairs are turned."""

    uri: str
    epsg: int
    north_first: bool
    degrees: bool

    def geojson(self, shape: str) -> str:
        """SQL of a shape in EPSG:4490 as GeoJSON in this system."""
        own = shape if self.degrees else f"ST_Transform({shape}, {self.epsg})"
        digits = DEGREE_DIGITS if self.degrees else METRE_DIGITS
        return f"ST_AsGeoJSON({f'ST_FlipCoordinates({own})' if self.north_first else own}, {digits}, 0)"

    def to_storage(self, xy: np.ndarray) -> np.ndarray:
        """Positions in this system, as its axes stand, as degrees of EPSG:4490 with longitude first."""
        ordered = xy[:, ::-1] if self.north_first else xy
        return ordered if self.degrees else _inwards(self.epsg)(ordered)


@lru_cache(maxsize=64)
def _inwards(epsg: int) -> Callable[[np.ndarray], np.ndarray]:
    return crs_.into_storage(pyproj.CRS.from_epsg(epsg))


@lru_cache(maxsize=64)
def of_epsg(code: int) -> Place:
    """The system of an EPSG code, with the order of axes that EPSG gives it."""
    known = pyproj.CRS.from_epsg(code)
    north = known.axis_info[0].direction.lower() == "north"
    return Place(f"{_BASE}/EPSG/0/{code}", code, north, bool(known.is_geographic))


CRS84 = Place(_CRS84[0], 4490, False, True)
STORAGE = of_epsg(4490)
MERCATOR = of_epsg(3857)
COMMON = (CRS84, STORAGE, of_epsg(4326), MERCATOR)


def offered(extent: Extent | None) -> tuple[Place, ...]:
    """The systems a collection is given out in: the four common ones, and the 3-degree zones of CGCS2000 it lies in."""
    if extent is None:
        return COMMON
    west, south, east, north = extent
    middle = (south + north) / 2
    zones = range(round(west / 3), round(east / 3) + 1)
    codes = {crs_.metric_crs(max(-180.0, min(180.0, 3.0 * z)), max(-89.0, min(89.0, middle))).to_epsg() for z in zones}
    return (*COMMON, *(of_epsg(code) for code in sorted(c for c in codes if c)))


def named(text: str, extent: Extent | None, parameter: str) -> Place:
    """The system with that address; ``UsageError`` lists those the collection is given out in."""
    known = offered(extent)
    if text in _CRS84:
        return CRS84
    found = _URI.fullmatch(text)
    for place in known[1:]:
        if found and int(found[1]) == place.epsg:
            return place
    raise UsageError(f"{parameter}={text[:100]} is none of the systems here: {', '.join(p.uri for p in known)}.")


def area(text: str, place: Place) -> shapely.Geometry:
    """The ground of a bounding box (4 numbers, or 6 with heights, which do not count) in degrees of EPSG:4490.

    In longitude and latitude a box whose west is greater than its east crosses the meridian of 180 degrees.
    """
    numbers = _numbers(text)
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    if place.north_first:
        numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
    west, south, east, north = numbers
    if south > north or (west > east and not place.degrees):
        raise UsageError(f"bbox={text[:80]} has its upper corner below its lower one.")
    if place.degrees:
        return _degrees(text, west, south, east, north)
    shape = moved(shapely.box(west, south, east, north), _inwards(place.epsg))
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        raise UsageError(f"bbox={text[:80]} is no place in {place.uri}.")
    # a box seen through a projection may fold where that was never meant to be used
    return shape if shape.is_valid else shapely.box(*shapely.bounds(shape))


def _degrees(text: str, west: float, south: float, east: float, north: float) -> shapely.Geometry:
    if not (-180 <= west <= 180 and -180 <= east <= 180 and south >= -90 and north <= 90):
        raise UsageError(
            f"bbox={text[:80]} lies outside the degrees of longitude and latitude: say its system with bbox-crs."
        )
    if west <= east:
        return shapely.box(west, south, east, north)
    return shapely.multipolygons([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])


def _numbers(text: str) -> list[float]:
    try:
        numbers = [float(n) for n in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (4, 6) or not np.isfinite(numbers).all():
        raise UsageError(f"bbox={text[:80]!r} is not four (or six) numbers with commas: west,south,east,north.")
    return numbers


def ewkb(shape: shapely.Geometry) -> bytes:
    """A shape in degrees of EPSG:4490 as a parameter of a query."""
    data: Any = shapely.to_wkb(shapely.set_srid(shape, 4490), include_srid=True)
    return bytes(data)
