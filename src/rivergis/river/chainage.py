"""Chainage (桩号): where along a river something lies, how far off the axis, on which bank.

Measures are metres on the ellipsoid from the upstream end of a digitised-downstream axis; left and right bank
look downstream. Only this module knows origin and direction of an axis.

>>> import shapely
>>> axis = Axis(shapely.LineString([(106.0, 29.40), (106.01, 29.40)]))
>>> [place] = axis.locate([shapely.Point(106.005, 29.401)])
>>> place.label, place.bank, round(place.offset_m)
('0+486', 'left', 111)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

from rivergis import crs, geometry
from rivergis.errors import InputError, UsageError

Array = npt.NDArray[np.float64]
_LABEL = re.compile(r"^\s*(?:[A-Za-z]{0,3})?(-?)(\d+)\+(\d{1,3}(?:\.\d+)?)\s*$")


def label(at_m: float) -> str:
    """Chainage as people write it: kilometres, plus sign, three digits of metres (12345.4 -> '12+345')."""
    sign, whole = ("-" if round(at_m) < 0 else ""), abs(round(at_m))
    return f"{sign}{whole // 1000}+{whole % 1000:03d}"


def parse(text: str) -> float:
    """Metres of a label such as '12+345' or 'K12+345.6'; ``UsageError`` if it is none."""
    found = _LABEL.match(text)
    if not found:
        raise UsageError(f"{text!r} is not a chainage: write kilometres, a plus sign and metres, as in 12+345.")
    sign, km, metres = found.groups()
    return (-1 if sign else 1) * (int(km) * 1000 + float(metres))


@dataclass(frozen=True)
class Place:
    """A position told by a river: chainage, distance off the axis (left positive), bank, both in metres."""

    at_m: float
    offset_m: float

    @property
    def bank(self) -> str:
        return "left" if self.offset_m >= 0 else "right"

    @property
    def label(self) -> str:
        return label(self.at_m)


class Axis:
    """A river axis to measure on: LineString in degrees (EPSG:4490), first vertex upstream.

    ``origin_m`` is the chainage of the first vertex. Nearest points are found in the local metric zone,
    distances along the axis are ellipsoidal, so that a label means the same in every zone.
    """

    def __init__(self, line: shapely.LineString, origin_m: float = 0.0) -> None:
        if line.geom_type != "LineString" or not geometry.finite(line):
            raise InputError("An axis must be one LineString with finite coordinates in degrees.")
        self.line = line
        self.origin_m = origin_m
        west, south, east, north = line.bounds
        self.metric = crs.metric_crs((west + east) / 2, (south + north) / 2)

    @cached_property
    def _to_metric(self) -> Transformer:
        return Transformer.from_crs(crs.STORAGE, self.metric, always_xy=True)

    @cached_property
    def _plane(self) -> shapely.LineString:
        return shapely.transform(self.line, self._forward)

    @cached_property
    def _measures(self) -> tuple[Array, Array]:
        """Cumulated length at the vertices: in the plane, and on the ellipsoid."""
        xy = shapely.get_coordinates(self._plane)
        lonlat = shapely.get_coordinates(self.line)
        plane = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
        steps = crs.GEOD.inv(lonlat[:-1, 0], lonlat[:-1, 1], lonlat[1:, 0], lonlat[1:, 1])[2]
        return plane, np.concatenate([[0.0], np.cumsum(steps)])

    def _forward(self, lonlat: Array) -> Array:
        return np.column_stack(self._to_metric.transform(lonlat[:, 0], lonlat[:, 1]))

    def _backward(self, xy: Array) -> Array:
        return np.column_stack(self._to_metric.transform(xy[:, 0], xy[:, 1], direction="INVERSE"))

    @property
    def length_m(self) -> float:
        return float(self._measures[1][-1])

    @property
    def end_m(self) -> float:
        return self.origin_m + self.length_m

    def locate_arrays(self, points: Iterable[shapely.Point]) -> tuple[Array, Array]:
        """Chainage and signed offset (left positive) in metres of points in degrees, as two arrays."""
        plane_points = shapely.transform(np.asarray(list(points), dtype=object), self._forward)
        along = shapely.line_locate_point(self._plane, plane_points)
        side = geometry.side_of(self._plane, plane_points)
        offset = shapely.distance(self._plane, plane_points) * np.where(side < 0, -1.0, 1.0)
        return self.origin_m + np.interp(along, *self._measures), offset

    def locate(self, points: Iterable[shapely.Point]) -> list[Place]:
        """Place of each point (degrees): nearest position on the axis, offset and bank."""
        at, offset = self.locate_arrays(points)
        return [Place(float(a), float(o)) for a, o in zip(at, offset, strict=True)]

    def point_at(self, at_m: float, offset_m: float = 0.0) -> shapely.Point:
        """Point in degrees at a chainage, ``offset_m`` to the left of the axis; ``UsageError`` off the axis."""
        self._check(at_m)
        plane, ellipsoid = self._measures
        along = float(np.interp(at_m - self.origin_m, ellipsoid, plane))
        x, y = shapely.get_coordinates(self._plane.interpolate(along))[0]
        if offset_m:
            # the direction of the segment itself: a tangent over more than it would bend near a vertex
            i = min(int(np.searchsorted(plane, along, side="right")) - 1, len(plane) - 2)
            (x0, y0), (x1, y1) = shapely.get_coordinates(self._plane)[i : i + 2]
            length = np.hypot(x1 - x0, y1 - y0)
            x, y = x - (y1 - y0) / length * offset_m, y + (x1 - x0) / length * offset_m
        return shapely.Point(self._backward(np.array([[x, y]]))[0])

    def stretch(self, from_m: float, to_m: float) -> shapely.LineString:
        """The part of the axis between two chainages, digitised downstream, in degrees."""
        if not from_m < to_m:
            raise UsageError(f"A stretch runs downstream: {label(from_m)} is not upstream of {label(to_m)}.")
        self._check(from_m)
        self._check(to_m)
        plane, ellipsoid = self._measures
        start, end = np.interp([from_m - self.origin_m, to_m - self.origin_m], ellipsoid, plane)
        inside = (plane > start + 1e-9) & (plane < end - 1e-9)
        ends = shapely.get_coordinates(shapely.line_interpolate_point(self._plane, [start, end]))
        ends = self._backward(ends)
        return shapely.LineString(np.vstack([ends[:1], shapely.get_coordinates(self.line)[inside], ends[1:]]))

    def _check(self, at_m: float) -> None:
        if not self.origin_m - 0.005 <= at_m <= self.end_m + 0.005:
            raise UsageError(
                f"{label(at_m)} lies off the axis, which runs from {label(self.origin_m)} to {label(self.end_m)}."
            )
