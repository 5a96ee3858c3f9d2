"""Nearest positions on river lines, on the ellipsoid: no map zone, so that a trunk of ten degrees is measured like a ditch.

A line is taken as a chain of geodesics between its vertices. Candidates are found in one conformal map of the world
(Mercator, with a bound of its distortion that loses none); foot, distance and bearing are then solved with geodesics
(Karney 2013, doi:10.1007/s00190-012-0578-z), to about a micrometre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Proj

from rivergis import crs, geometry
from rivergis.errors import InputError

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_PIECE_M = 1000.0  # a geodesic this short is straight in the map of the search within centimetres
_BUNCH = 16  # pieces searched together
_BLOCK = 20_000  # points at a time: bounds the memory of the pairs
_SAME_VERTEX_M = 1e-5  # nearer vertices have no direction between them
_END_M = 1e-4  # a foot this close to the end of a line is not beyond it
_NOISE_M = 2e-8  # of a geodesic in double precision: what a direction over a short piece is uncertain by
_RADIUS_M = 6_356_000.0
_SEARCH = Proj(proj="merc", ellps="GRS80")


@dataclass(frozen=True)
class Feet:
    """Nearest position for pairs of a point and a line, as arrays of one length.

    ``along_m`` from the first vertex; ``offset_m`` to the point, positive on the left; ``bearing_deg`` from the foot to the
    point, clockwise from north; ``beyond`` -1 before the first vertex, +1 after the last, 0 beside the line; ``sided``
    whether the point has a side at all (it has none on the line, straight ahead of an end, or at the tip of a spike);
    ``lean`` how squarely it lies there, -2 (right) to 2 (left): where two lines join in a bend, the sum of both decides.
    """

    point: Ints
    line: Ints
    along_m: Array
    offset_m: Array
    bearing_deg: Array
    beyond: Ints
    sided: npt.NDArray[np.bool_]
    lean: Array

    def __getitem__(self, chosen: Any) -> Feet:
        return Feet(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


def _joined(parts: Sequence[Feet]) -> Feet:
    return Feet(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Feet)})


def lonlat_of(points: Any) -> Array:
    """Coordinates (n, 2) of shapely points in degrees; ``InputError`` for an empty or infinite one."""
    points = np.asarray(list(points), dtype=object)
    if len(points) and not (shapely.get_type_id(points) == 0).all():
        raise InputError("Only points can be placed on a river: give Point geometries in degrees.")
    xy = np.full((len(points), 2), np.nan)
    xy[~shapely.is_empty(points)] = shapely.get_coordinates(points)
    bad = ~np.isfinite(xy).all(axis=1) | (np.abs(xy[:, 1]) >= 90)
    if bad.any():
        raise InputError(f"Point {int(np.argmax(bad))} is empty or no position in degrees; leave it out or correct it.")
    return xy


class Chains:
    """Lines (degrees, EPSG:4490) cut into geodesic pieces of at most a kilometre, ready to be searched.

    Arrays over the pieces, in order along each line: ``start`` (n, 2) in degrees, ``azimuth`` and ``azimuth_end`` in
    degrees, ``piece_m``, ``before_m`` (length of the line up to the piece), ``line``. ``length_m`` is per line.
    """

    def __init__(self, lines: Sequence[shapely.LineString] | npt.NDArray[Any]) -> None:
        lines = np.asarray(lines, dtype=object)
        _require_lines(lines)
        xy, line = shapely.get_coordinates(lines, return_index=True)
        step = np.flatnonzero(line[1:] == line[:-1])
        azimuth, _, step_m = crs.GEOD.inv(*xy[step].T, *xy[step + 1].T)
        self.length_m: Array = np.bincount(line[step], step_m, len(lines)).astype(np.float64)
        before = np.cumsum(step_m) - step_m
        before -= before[np.searchsorted(line[step], line[step])]
        real = step_m > _SAME_VERTEX_M
        if len(no := np.setdiff1d(np.arange(len(lines)), line[step][real])):
            raise InputError(f"Line {int(no[0])} has no length: an axis needs two different vertices.")
        self._cut(xy[step][real], xy[step + 1][real], azimuth[real], step_m[real], before[real], line[step][real])
        self._bunch()

    def _cut(self, a: Array, b: Array, azimuth: Array, step_m: Array, before: Array, line: Ints) -> None:
        """Pieces of the steps from a to b, long ones divided evenly along their geodesic."""
        count = np.ceil(step_m / _PIECE_M).astype(np.int64)
        of = np.repeat(np.arange(len(count)), count)
        number = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
        run = number * (step_m / count)[of]
        lon, lat, _ = crs.GEOD.fwd(a[of, 0], a[of, 1], azimuth[of], run)
        self.start = np.where((number == 0)[:, None], a[of], np.column_stack([lon, lat]))
        last = number == count[of] - 1
        self.end = np.where(last[:, None], b[of], np.roll(self.start, -1, axis=0))
        self.azimuth, back, self.piece_m = crs.GEOD.inv(*self.start.T, *self.end.T)
        self.azimuth_end = back + 180.0
        self.before_m, self.line = before[of] + run, line[of]
        self.first = np.r_[True, self.line[1:] != self.line[:-1]]
        self.last = np.r_[self.first[1:], True]
        around = np.r_[self.piece_m[:1], self.piece_m, self.piece_m[-1:]]
        self._shortest = np.minimum.reduce([around[:-2], around[1:-1], around[2:]])

    def _bunch(self) -> None:
        """A search tree over runs of pieces; the plane is only for finding, never for measuring."""
        self._a, self._b = np.column_stack(_SEARCH(*self.start.T)), np.column_stack(_SEARCH(*self.end.T))
        nth = np.arange(len(self.line)) - np.maximum.accumulate(np.where(self.first, np.arange(len(self.line)), 0))
        self._head = np.flatnonzero(nth % _BUNCH == 0)
        self._size = np.diff(np.r_[self._head, len(self.line)])
        of = np.repeat(np.arange(len(self._head)), self._size)
        xy = np.insert(self._a, self._head + self._size, self._b[self._head + self._size - 1], axis=0)
        self._tree = shapely.STRtree(shapely.linestrings(xy, indices=np.sort(np.r_[of, np.arange(len(self._head))])))

    def nearest(self, lonlat: Array) -> Feet:
        """The one nearest position of each point (n, 2), in order of the points."""
        feet = self.rivals(lonlat, 1.0, 0.0)
        _, first = np.unique(feet.point, return_index=True)
        return feet[first]

    def rivals(self, lonlat: Array, factor: float, margin_m: float) -> Feet:
        """For each point its nearest position on every line that is about as near as the nearest one, nearest first.

        About as near: at most ``factor`` times as far, plus ``margin_m``. Lines farther off may be in it too.
        """
        blocks = [
            self._rivals(lonlat[i : i + _BLOCK], i, factor, margin_m) for i in range(0, max(len(lonlat), 1), _BLOCK)
        ]
        return _joined(blocks)

    def _rivals(self, lonlat: Array, number: int, factor: float, margin_m: float) -> Feet:
        point, piece, near, share = self._candidates(lonlat, factor, margin_m)
        # of every line only the pieces that may hold its nearest position
        key = point * (int(self.line[-1]) + 1) + self.line[piece]
        _, group = np.unique(key, return_inverse=True)
        best = np.full(int(group.max(initial=-1)) + 1, np.inf)
        np.minimum.at(best, group, near)
        keep = near <= self._reach(lonlat[point], best[group])
        feet = self._feet(lonlat, point[keep], piece[keep], share[keep])
        order = np.lexsort((feet.along_m, np.round(np.abs(feet.offset_m), 7), feet.line, feet.point))
        pair = np.column_stack([feet.point, feet.line])[order]
        first = np.r_[True, (pair[1:] != pair[:-1]).any(axis=1)][: len(order)]
        feet = feet[order[first]]
        # of lines that join in a vertex the first is taken, not the one that rounding favours
        feet = feet[np.lexsort((feet.line, np.round(np.abs(feet.offset_m), 6), feet.point))]
        feet.point[:] += number
        return feet

    def _candidates(self, lonlat: Array, factor: float, margin_m: float) -> tuple[Ints, Ints, Array, Array]:
        """Pairs of point and piece worth solving, with their distance and place on the piece (0..1) in the plane."""
        spots = shapely.points(np.column_stack(_SEARCH(*lonlat.T)))
        (who, _), nearest = self._tree.query_nearest(spots, return_distance=True, all_matches=False)
        near = np.zeros(len(spots))
        near[who] = nearest
        scale = 1.01 / np.cos(np.radians(lonlat[:, 1]))  # the ellipsoid differs from the sphere by less than 1 %
        return self._pairs(spots, self._reach(lonlat, near * factor + margin_m * scale))

    def _pairs(self, spots: npt.NDArray[Any], reach: Array) -> tuple[Ints, Ints, Array, Array]:
        """Pairs of point and piece at most ``reach`` apart in the plane, in order of both."""
        point, bunch = self._tree.query(spots, predicate="dwithin", distance=reach)
        order = np.lexsort((bunch, point))
        point, bunch = point[order], bunch[order]
        size = self._size[bunch]
        piece = np.repeat(self._head[bunch] - np.cumsum(size) + size, size) + np.arange(int(size.sum()))
        point = np.repeat(point, size)
        xy = shapely.get_coordinates(spots)
        away, share = _to_segment(xy[point], self._a[piece], self._b[piece])
        keep = away <= reach[point]
        return point[keep], piece[keep], away[keep], share[keep]

    def minima(self, lonlat: Array, reach_m: float, most: int) -> Feet:
        """Every place where a line comes near each point and draws off again, within ``reach_m``: at most ``most`` per point.

        Several limbs of a meander give several; in order of the points.
        """
        blocks = [self._minima(lonlat[i : i + _BLOCK], i, reach_m, most) for i in range(0, max(len(lonlat), 1), _BLOCK)]
        return _joined(blocks)

    def _minima(self, lonlat: Array, number: int, reach_m: float, most: int) -> Feet:
        spots = shapely.points(np.column_stack(_SEARCH(*lonlat.T)))
        reach = self._reach(lonlat, reach_m * 1.01 / np.cos(np.radians(lonlat[:, 1])))
        point, piece, near, share = self._pairs(spots, reach)
        beside = (np.diff(point) == 0) & (np.diff(piece) == 1) & (np.diff(self.line[piece]) == 0)
        before, after = np.r_[False, beside], np.r_[beside, False]
        low = ~(before & (np.roll(near, 1) < near)) & ~(after & (np.roll(near, -1) <= near))
        point, piece, near, share = point[low], piece[low], near[low], share[low]
        order = np.lexsort((near, point))
        point = point[order]
        rank = np.arange(len(point)) - np.searchsorted(point, point)
        chosen = order[rank < most]
        feet = self._feet(lonlat, point[rank < most], piece[chosen], share[chosen])
        feet.point[:] += number
        return feet[np.abs(feet.offset_m) <= reach_m]

    def _reach(self, lonlat: Array, near: Array) -> Array:
        """Distance in the plane within which whatever may truly be as near as ``near`` lies.

        Mercator's scale 1/cos(lat) changes by d tan(lat) / R over a distance d; the rest is the bow of a kilometre of geodesic.
        """
        lat = np.radians(np.abs(lonlat[:, 1]))
        scale = 1 / np.cos(lat)
        outer = np.minimum(lat + near / scale / _RADIUS_M, 1.5)
        return near * (1 + 2.2 * (np.tan(outer) + 0.01) * near / scale / _RADIUS_M + 1e-6) + 0.1 * scale**2

    def _feet(self, lonlat: Array, point: Ints, piece: Ints, share: Array) -> Feet:
        """Foot of each point on a piece: Newton steps along the geodesic until the way to the point stands square on it."""
        a, azimuth, whole, p = self.start[piece], self.azimuth[piece], self.piece_m[piece], lonlat[point]
        run = share * whole
        for _ in range(8):
            lon, lat, back = crs.GEOD.fwd(a[:, 0], a[:, 1], azimuth, run)
            bearing, _, away = crs.GEOD.inv(lon, lat, *p.T)
            ahead = away * np.cos(np.radians(bearing - back - 180.0))
            moved = np.clip(run + ahead, 0.0, whole)
            if np.abs(moved - run).max(initial=0.0) < 1e-8:
                break
            run = moved
        low, high = run <= 0.0, run >= whole
        beyond = (high & self.last[piece] & (ahead > _END_M)).astype(np.int64)
        beyond -= low & self.first[piece] & (ahead < -_END_M)
        side = self._side(piece, low, high, back + 180.0, bearing)
        signed = np.where(side < 0, -away, away)
        short = np.minimum(self._shortest[piece], away)
        sided = (away > _NOISE_M) & (np.abs(side) * np.maximum(short, _NOISE_M) > _NOISE_M)
        return Feet(point, self.line[piece], self.before_m[piece] + run, signed, bearing % 360.0, beyond, sided, side)

    def _side(self, piece: Ints, low: Any, high: Any, tangent: Array, bearing: Array) -> Array:
        """Positive left, negative right; at a vertex both neighbours decide, so that the outside of a bend is told rightly."""
        turn_in = np.where(low & ~self.first[piece], self.azimuth_end[piece - 1], tangent)
        after = np.minimum(piece + 1, len(self.line) - 1)
        turn_out = np.where(high & ~self.last[piece], self.azimuth[after], tangent)
        return -np.sin(np.radians(bearing - turn_in)) - np.sin(np.radians(bearing - turn_out))

    def positions(self, line: int, along_m: Array) -> tuple[Array, Array]:
        """Positions (n, 2) in degrees at distances along one line, and the azimuth of the line there.

        At a vertex the azimuth halves the bend, so that an offset to its outside has its foot there.
        """
        low, high = np.searchsorted(self.line, [line, line + 1])
        i = np.clip(low + np.searchsorted(self.before_m[low:high], along_m, side="right") - 1, low, high - 1)
        run = along_m - self.before_m[i]
        lon, lat, back = crs.GEOD.fwd(self.start[i, 0], self.start[i, 1], self.azimuth[i], run)
        at_vertex = (run <= 1e-6) & ~self.first[i]
        bend = (self.azimuth[i] - self.azimuth_end[i - 1] + 180.0) % 360.0 - 180.0
        azimuth = np.where(at_vertex, self.azimuth[i] - bend / 2, back + 180.0)
        return np.column_stack([lon, lat]), azimuth


def _require_lines(lines: npt.NDArray[Any]) -> None:
    for i, line in enumerate(lines):
        if not isinstance(line, shapely.LineString) or not geometry.finite(line):
            raise InputError(f"An axis must be one LineString with finite coordinates in degrees; line {i} is none.")


def _to_segment(p: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """Distance of points to segments in the plane, and the share of the segment (0..1) where the foot lies."""
    d = b - a
    square = np.maximum((d * d).sum(axis=1), 1e-12)
    share = np.clip(((p - a) * d).sum(axis=1) / square, 0.0, 1.0)
    return np.hypot(*(p - a - d * share[:, None]).T), share
