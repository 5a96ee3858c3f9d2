"""The working frame: local metres in EPSG:4544 (CGCS2000, 3-degree Gauss-Krueger, CM 105E), written as EPSG:4490.

All shapes are drawn in metres. Positions are rounded to 1e-8 degrees (about 1 mm) when they are written, and
the axes are rounded before anything is measured on them, so that every number in ``truth.json`` can be
recomputed from the written files.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import shapely
from pyproj import CRS, Transformer
from shapely.geometry import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

METRIC = "EPSG:4544"
STORAGE = "EPSG:4490"
ORIGIN = np.array([591_000.0, 3_248_900.0])
"""South-west corner of the county in EPSG:4544 (east, north): local (0, 0)."""

_GEOD = CRS(STORAGE).get_geod()
_TO_STORAGE = Transformer.from_crs(METRIC, STORAGE, always_xy=True)
_TO_METRIC = Transformer.from_crs(STORAGE, METRIC, always_xy=True)
DECIMALS = 8


def stream(seed: int, name: str) -> np.random.Generator:
    """An independent random stream for one part of the county, so that parts do not disturb each other."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def metric_xy(local: np.ndarray) -> np.ndarray:
    return np.asarray(local, dtype=float) + ORIGIN


def lonlat(xy: np.ndarray) -> np.ndarray:
    """Metric coordinates as rounded longitude and latitude (CGCS2000)."""
    lon, lat = _TO_STORAGE.transform(xy[..., 0], xy[..., 1])
    return np.round(np.stack([lon, lat], axis=-1), DECIMALS)


def from_lonlat(ll: np.ndarray) -> np.ndarray:
    east, north = _TO_METRIC.transform(ll[..., 0], ll[..., 1])
    return np.stack([east, north], axis=-1)


def snapped(xy: np.ndarray) -> np.ndarray:
    """The metric position that a written (rounded) coordinate will have when it is read again."""
    return from_lonlat(lonlat(xy))


def to_storage(geom: BaseGeometry | None) -> BaseGeometry | None:
    return None if geom is None else shapely.transform(geom, lonlat)


def as_read(geom: BaseGeometry) -> BaseGeometry:
    """A metric geometry as a reader of the written file will get it back in EPSG:4544."""
    return shapely.transform(geom, snapped)


def multi(geom: BaseGeometry) -> MultiPolygon:
    parts = [g for g in shapely.get_parts(geom) if isinstance(g, Polygon) and g.area > 1.0]
    return MultiPolygon([p for g in parts for p in (g.geoms if isinstance(g, MultiPolygon) else [g])])


def wave(rng: np.random.Generator, wavelength: float) -> Callable[[np.ndarray], np.ndarray]:
    """A smooth random function of chainage with values about -1 to 1."""
    waves = np.array([1.0, 1.7, 0.55]) * 2 * np.pi / wavelength
    phases = rng.uniform(0, 2 * np.pi, 3)
    weights = np.array([0.5, 0.25, 0.35])

    def value(s: np.ndarray) -> np.ndarray:
        return (weights * np.sin(np.multiply.outer(s, waves) + phases)).sum(axis=-1)

    return value


@dataclass
class Axis:
    """A river axis: vertices downstream, chainage on the ellipsoid, and positions beside it.

    ``n`` is metres to the left of the axis looking downstream (negative: to the right).
    """

    code: str
    xy: np.ndarray
    half_width_m: Callable[[np.ndarray], np.ndarray] | None = None
    m: np.ndarray = field(init=False)
    normal: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        ll = lonlat(self.xy)
        steps = _GEOD.inv(ll[:-1, 0], ll[:-1, 1], ll[1:, 0], ll[1:, 1])[2]
        self.m = np.concatenate([[0.0], np.cumsum(steps)])
        tangent = np.gradient(self.xy, axis=0)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        self.normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])

    @property
    def length_m(self) -> float:
        return float(self.m[-1])

    @property
    def line(self) -> LineString:
        return LineString(self.xy)

    def at(self, s: np.ndarray | float, n: np.ndarray | float = 0.0) -> np.ndarray:
        """Metric position at chainage ``s``, ``n`` metres to the left."""
        s = np.asarray(s, dtype=float)
        base = np.stack([np.interp(s, self.m, self.xy[:, i]) for i in (0, 1)], axis=-1)
        side = np.stack([np.interp(s, self.m, self.normal[:, i]) for i in (0, 1)], axis=-1)
        side /= np.linalg.norm(side, axis=-1, keepdims=True)
        return base + side * np.asarray(n, dtype=float)[..., None]

    def bearing(self, s: float) -> float:
        """Direction of the axis in radians, counter-clockwise from east."""
        a, b = self.at(max(s - 15, 0)), self.at(min(s + 15, self.length_m))
        return float(np.arctan2(b[1] - a[1], b[0] - a[0]))

    def stations(self, from_m: float, to_m: float) -> np.ndarray:
        inner = self.m[(self.m > from_m + 0.5) & (self.m < to_m - 0.5)]
        return np.concatenate([[from_m], inner, [to_m]])

    def beside(self, from_m: float, to_m: float, n: Callable[[np.ndarray], np.ndarray] | float) -> LineString:
        """The line running beside the axis at distance ``n`` (a number or a function of chainage)."""
        s = self.stations(from_m, to_m)
        return LineString(self.at(s, n(s) if callable(n) else np.full(len(s), n)))

    def strip(self, from_m: float, to_m: float, left: object, right: object) -> Polygon:
        """The ground between two offsets, both given as ``n`` (left above right)."""
        upper = self.beside(from_m, to_m, left)  # type: ignore[arg-type]
        lower = self.beside(from_m, to_m, right)  # type: ignore[arg-type]
        ring = Polygon([*upper.coords, *reversed(lower.coords)])
        return ring if ring.is_valid else shapely.make_valid(ring)

    def locate(self, xy: np.ndarray) -> tuple[float, float]:
        """Chainage and signed offset (left positive) of the nearest place on the axis."""
        line, point = self.line, Point(xy)
        along = line.project(point)
        cumulative = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.xy, axis=0), axis=1))])
        i = int(np.clip(np.searchsorted(cumulative, along) - 1, 0, len(self.xy) - 2))
        step = self.xy[i + 1] - self.xy[i]
        away = np.asarray(xy) - self.xy[i]
        side = np.sign(step[0] * away[1] - step[1] * away[0]) or 1.0
        return float(np.interp(along, cumulative, self.m)), float(side * line.distance(point))

    def nearest_vertex(self, local: tuple[float, float]) -> int:
        return int(np.argmin(np.linalg.norm(self.xy - metric_xy(np.array(local)), axis=1)))

    def chainage_at_east(self, local_x: float) -> float:
        """Chainage where the axis is nearest to a local easting (handy for the west-east trunk)."""
        return float(self.m[np.argmin(np.abs(self.xy[:, 0] - ORIGIN[0] - local_x))])
