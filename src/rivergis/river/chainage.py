"""Chainage (桩号): where along a river something lies, how far off the axis, on which bank.

Measures are metres on the ellipsoid from the upstream end of a digitised-downstream axis; left and right bank
look downstream. Only this module knows origin and direction of an axis; ``calibration`` turns its metres into a river's
official 桩号.

>>> import shapely
>>> axis = Axis(shapely.LineString([(106.0, 29.40), (106.01, 29.40)]))
>>> [place] = axis.locate([shapely.Point(106.006, 29.401)])
>>> place.label, place.bank, round(place.offset_m)
('0+582', 'left', 111)
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs, geometry
from rivergis.errors import InputError, UsageError
from rivergis.river.feet import Array, Chains, Feet, lonlat_of

PATTERN = "0+000"
_LABEL = re.compile(r"^(?:桩号)?[\s:]*[A-Za-z]{0,3}(-?)(\d+)\+(\d{1,3}(?:\.\d+)?)$")
_PATTERN = re.compile(r"^(?P<prefix>(?:桩号)?[\s::]*[A-Za-z]{0,3})0(?P<plus>[+＋])000(?:\.(?P<decimals>0{1,3}))?$")
_MINUS = str.maketrans("−–—", "---")
_BEYOND = np.array(["upstream", None, "downstream"], dtype=object)


def label(at_m: float, pattern: str = PATTERN) -> str:
    """Chainage as people write it: kilometres, plus sign, three digits of metres (12345.4 -> '12+345').

    ``pattern`` shows how zero is written: '0+000', 'K0+000.0', '桩号0+000', '0＋000'; up to three decimals.
    """
    form = _PATTERN.match(pattern)
    if not form:
        raise UsageError(f"{pattern!r} is no pattern of chainages: show how zero is written, as in 0+000 or K0+000.0.")
    if not math.isfinite(at_m):
        raise UsageError("A chainage that is not a number has no label; leave the place out or correct it.")
    decimals = len(form["decimals"] or "")
    units = round(at_m * 10**decimals)
    km, rest = divmod(abs(units), 1000 * 10**decimals)
    metres = f"{rest / 10**decimals:0{3 + (decimals + 1 if decimals else 0)}.{decimals}f}"
    return f"{form['prefix']}{'-' if units < 0 else ''}{km}{form['plus']}{metres}"


def parse(text: str) -> float:
    """Metres of a label such as '12+345', 'K12+345.6' or '桩号12＋345'; ``UsageError`` if it is none.

    Full-width signs and digits are read like plain ones; letters and 桩号 before the figure are not kept.
    """
    found = _LABEL.match(unicodedata.normalize("NFKC", text).translate(_MINUS).strip())
    if not found:
        raise UsageError(f"{text!r} is not a chainage: write kilometres, a plus sign and metres, as in 12+345.")
    sign, km, metres = found.groups()
    return (-1 if sign else 1) * (int(km) * 1000 + float(metres))


@dataclass(frozen=True)
class Place:
    """A position told by a river: chainage, distance off the axis (left positive), bank, both in metres.

    Beside a straight stretch chainage and offset tell the point. Round the outside of a bend and ``beyond`` an end
    ('upstream', 'downstream', else None; the chainage is then that of the end, the offset the distance to it, the side that
    of the end segment) they tell an arc, and ``bearing_deg`` (from the axis to the point, clockwise from north) the point
    on it. ``sided`` is False where no side exists: on the axis, or straight ahead of an end; the bank then reads left.
    """

    at_m: float
    offset_m: float
    bearing_deg: float | None = None
    beyond: str | None = None
    sided: bool = True

    @property
    def bank(self) -> str:
        return "left" if self.offset_m >= 0 else "right"

    @property
    def label(self) -> str:
        return label(self.at_m)


class Axis:
    """A river axis to measure on: LineString in degrees (EPSG:4490), first vertex upstream.

    ``origin_m`` is the chainage of the first vertex. Everything is measured on the ellipsoid, with geodesics between
    the vertices, so that a label means the same in every map zone and on an axis that crosses several.
    """

    def __init__(self, line: shapely.LineString, origin_m: float = 0.0) -> None:
        if line.geom_type != "LineString" or not geometry.finite(line):
            raise InputError("An axis must be one LineString with finite coordinates in degrees.")
        self.line = line
        self.origin_m = origin_m

    @cached_property
    def chains(self) -> Chains:
        return Chains([self.line])

    @property
    def length_m(self) -> float:
        return float(self.chains.length_m[0])

    @property
    def end_m(self) -> float:
        return self.origin_m + self.length_m

    def locate_arrays(self, points: Iterable[shapely.Point]) -> tuple[Array, Array]:
        """Chainage and signed offset (left positive) in metres of points in degrees, as two arrays."""
        feet = self.chains.nearest(lonlat_of(points))
        return self.origin_m + feet.along_m, feet.offset_m

    def locate(self, points: Iterable[shapely.Point]) -> list[Place]:
        """Place of each point (degrees): nearest position on the axis, offset and bank."""
        f = self.chains.nearest(lonlat_of(points))
        rows = zip(f.along_m, f.offset_m, f.bearing_deg, _BEYOND[f.beyond + 1], f.sided, strict=True)
        return [Place(self.origin_m + float(a), float(o), float(g), b, bool(s)) for a, o, g, b, s in rows]

    def point_at(self, at_m: float, offset_m: float = 0.0, bearing_deg: float | None = None) -> shapely.Point:
        """Point in degrees at a chainage, ``offset_m`` to the left of the axis; ``UsageError`` off the axis.

        The offset stands square on the axis, at a vertex halfway round the bend; ``bearing_deg`` turns it as ``Place`` says.
        """
        self._check(at_m)
        bearing = None if bearing_deg is None else np.array([bearing_deg])
        return self.points_at(np.array([at_m]), np.array([offset_m]), bearing)[0]

    def point_of(self, place: Place) -> shapely.Point:
        """The point in degrees that a place was told of: the way back from ``locate``."""
        return self.point_at(place.at_m, place.offset_m, place.bearing_deg)

    def points_at(self, at_m: Array, offset_m: Array | float = 0.0, bearing_deg: Array | None = None) -> Any:
        """Points in degrees at many chainages (clamped to the axis), as ``point_at`` gives them; array of Point."""
        along = np.clip(np.asarray(at_m, dtype=np.float64) - self.origin_m, 0.0, self.length_m)
        lonlat, azimuth = self.chains.positions(0, along)
        offset = np.broadcast_to(np.asarray(offset_m, dtype=np.float64), along.shape)
        towards = azimuth - 90.0 * np.where(offset < 0, -1.0, 1.0) if bearing_deg is None else bearing_deg
        lon, lat, _ = crs.GEOD.fwd(lonlat[:, 0], lonlat[:, 1], towards, np.abs(offset))
        return shapely.points(lon, lat)

    def stretch(self, from_m: float, to_m: float) -> shapely.LineString:
        """The part of the axis between two chainages, digitised downstream, in degrees."""
        if not from_m < to_m:
            raise UsageError(f"A stretch runs downstream: {label(from_m)} is not upstream of {label(to_m)}.")
        self._check(from_m)
        self._check(to_m)
        ends = shapely.get_coordinates(self.points_at(np.array([from_m, to_m])))
        inside = (self.vertices_m > from_m + 1e-6) & (self.vertices_m < to_m - 1e-6)
        return shapely.LineString(np.vstack([ends[:1], shapely.get_coordinates(self.line)[inside], ends[1:]]))

    @cached_property
    def vertices_m(self) -> Array:
        """Chainage of each vertex of the line."""
        lonlat = shapely.get_coordinates(self.line)
        steps = crs.GEOD.inv(*lonlat[:-1].T, *lonlat[1:].T)[2]
        return self.origin_m + np.concatenate([[0.0], np.cumsum(steps)])

    def _check(self, at_m: float) -> None:
        if not self.origin_m - 0.005 <= at_m <= self.end_m + 0.005:
            raise UsageError(
                f"{label(at_m)} lies off the axis, which runs from {label(self.origin_m)} to {label(self.end_m)}."
            )


def locate_on(
    axes: gpd.GeoDataFrame,
    points: gpd.GeoSeries,
    *,
    factor: float,
    margin_m: float,
    min_confidence: float,
) -> pd.DataFrame:
    """Which river each point belongs to, at what chainage and on which bank (点位桩号): the nearest axis decides.

    ``axes``: LineStrings in degrees, digitised downstream; optional columns ``origin_m`` (0), ``river_id`` (each row its own
    river) and ``direction_confidence`` (1). ``points``: Point in degrees. One row per point, with its index: ``axis`` (index
    label), ``river_id``, ``at_m``, ``offset_m`` (left positive), ``bank``, ``bearing_deg``, ``beyond`` as in ``Place``;
    ``bank_certain`` False where the point has no side or the direction of the axis is a guess (below ``min_confidence``);
    ``other_axis``, ``other_m``: the nearest axis of another river, ``braid_axis``, ``braid_m``: the nearest further axis of
    the same river, each where at most ``factor`` times as far plus ``margin_m``, else null. Of two equally near axes the
    first in the frame is taken, and the other named. ``InputError`` without axes.
    """
    if axes.empty:
        raise InputError("No river axis is given to place points on; build or register the axes first.")
    feet = Chains(axes.geometry.values).rivals(lonlat_of(points), factor, margin_m)
    river = (axes["river_id"] if "river_id" in axes else pd.Series(axes.index)).to_numpy()
    origin = axes["origin_m"].to_numpy(np.float64) if "origin_m" in axes else np.zeros(len(axes))
    first = _first_of(feet.point, np.ones(len(feet.point), dtype=bool), len(points))
    own = feet[first]
    return pd.DataFrame(
        {
            "axis": axes.index.to_numpy()[own.line],
            "river_id": river[own.line],
            "at_m": origin[own.line] + own.along_m,
            "offset_m": own.offset_m,
            "bank": np.where(own.offset_m >= 0, "left", "right"),
            "bearing_deg": own.bearing_deg,
            "beyond": _BEYOND[own.beyond + 1],
            "bank_certain": own.sided & _sure(axes, min_confidence)[own.line],
            **_rivals(axes, river, feet, first, factor, margin_m),
        },
        index=points.index,
    )


def _sure(axes: gpd.GeoDataFrame, min_confidence: float) -> Any:
    if "direction_confidence" not in axes:
        return np.ones(len(axes), dtype=bool)
    return axes["direction_confidence"].fillna(0.0).to_numpy(np.float64) >= min_confidence


def _first_of(point: Any, chosen: Any, count: int) -> Any:
    """Position of the first chosen row of each point, -1 where it has none."""
    found = np.full(count, -1)
    at = np.flatnonzero(chosen)[::-1]
    found[point[at]] = at
    return found


def _rivals(
    axes: gpd.GeoDataFrame, river: Any, feet: Feet, first: Any, factor: float, margin_m: float
) -> dict[str, Any]:
    """The next axes that the point might belong to as well: of another river, and of the same one."""
    away = np.abs(feet.offset_m)
    near = away <= away[first][feet.point] * factor + margin_m
    near[first] = False
    same = river[feet.line] == river[feet.line[first]][feet.point]
    out: dict[str, Any] = {}
    for name, chosen in (("other", near & ~same), ("braid", near & same)):
        at = _first_of(feet.point, chosen, len(first))
        names = np.where(at >= 0, axes.index.to_numpy().astype(object)[feet.line[at]], None)
        out[f"{name}_axis"] = names
        out[f"{name}_m"] = np.where(at >= 0, away[at], np.nan)
    return out
