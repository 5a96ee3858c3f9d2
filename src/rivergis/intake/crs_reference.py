"""What is known of a place: its rivers and its outline, and how well a layer lies on them.

The reference is evidence, not truth: real ones are 5 to 50 m off. Distances are measured in metres of the local zone.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyogrio
import pyproj
import shapely
from pyproj import Transformer

from rivergis import crs as crs_
from rivergis.errors import InputError

Array = npt.NDArray[np.float64]

# how far beyond the outline, or from the rivers, a layer of the place may reach
AROUND_M = 3_000.0


@dataclass(frozen=True)
class Reference:
    """Rivers (lines) and county outlines (polygons) of the place, both EPSG:4490, x = longitude."""

    rivers: tuple[shapely.Geometry, ...] = ()
    counties: tuple[shapely.Geometry, ...] = ()
    name: str = "the reference"

    @property
    def empty(self) -> bool:
        return not self.rivers and not self.counties


def read_reference(path: Path) -> Reference:
    """The layers ``rivers`` and ``county`` of a GeoPackage (or any vector file that has one of them); ``InputError`` otherwise."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names = {str(n).lower(): str(n) for n in pyogrio.list_layers(path)[:, 0]}
            frames = {k: gpd.read_file(path, layer=names[k]) for k in ("rivers", "county") if k in names}
    except (RuntimeError, ValueError, OSError, shapely.errors.ShapelyError) as error:
        raise InputError(
            f"The reference {path.name} cannot be opened ({' '.join(str(error).split())[:120]}): give a GeoPackage with layers rivers and county.",
            file=str(path),
        ) from error
    if not frames:
        raise InputError(
            f"The reference {path.name} has neither a layer rivers nor a layer county; it has {', '.join(names) or 'none'}.",
            file=str(path),
        )
    home = {k: _home(f, path, k) for k, f in frames.items()}
    return Reference(tuple(home.get("rivers", ())), tuple(home.get("county", ())), path.name)


def _home(frame: gpd.GeoDataFrame, path: Path, layer: str) -> list[shapely.Geometry]:
    crs_.accepted(frame.crs, f"The reference {path.name}, layer {layer}")
    shapes = crs_.to_storage(frame).geometry
    return [s for s in shapes if s is not None and not s.is_empty]


@dataclass(frozen=True)
class Fit:
    """How a layer lies on a reference: shares of its vertices, distances in metres (inf where there is no river)."""

    inside: float
    """Share of the vertices inside the outline or near the rivers."""
    median_m: float
    near: float
    """Share within 100 m of a river."""


class Ground:
    """The reference near one place, in metres of that place's zone, ready to be asked."""

    def __init__(self, reference: Reference, lon: float, lat: float) -> None:
        zone = crs_.metric_crs(lon, lat)
        self._to_m = Transformer.from_crs(crs_.STORAGE, zone, always_xy=True)
        window = shapely.box(lon - 3.0, lat - 3.0, lon + 3.0, lat + 3.0)
        near = [g for g in reference.rivers if shapely.intersects(window, shapely.box(*g.bounds))]
        lines = [part for g in near for part in shapely.get_parts(self._metres(g))]
        self.segments, self.river = _segments(lines)
        """Straight pieces of the rivers in metres, and which line each belongs to."""
        self._tree = shapely.STRtree(self.segments)
        counties = [self._metres(g) for g in reference.counties if g.intersects(window)]
        self._area = shapely.union_all([shapely.make_valid(c) for c in counties]).buffer(AROUND_M) if counties else None
        if self._area is not None:
            shapely.prepare(self._area)

    def _metres(self, shape: shapely.Geometry) -> shapely.Geometry:
        return shapely.transform(shape, lambda c: np.column_stack(self._to_m.transform(c[:, 0], c[:, 1])))

    def metres(self, lonlat: Array) -> Array:
        """Degrees (n, 2) to metres of the zone."""
        return np.column_stack(self._to_m.transform(lonlat[:, 0], lonlat[:, 1]))

    def distances_m(self, lonlat: Array) -> Array:
        """Distance of each position to the nearest river in metres; infinite where none is known or it is beyond 50 km."""
        return self.nearest(self.metres(lonlat))[1]

    def nearest(self, xy: Array) -> tuple[npt.NDArray[np.intp], Array]:
        """Index of the nearest river segment of each position in metres (-1: none), and the distance."""
        index, away = np.full(len(xy), -1, np.intp), np.full(len(xy), np.inf)
        finite = np.flatnonzero(np.isfinite(xy).all(axis=1))
        if len(self.segments) and len(finite):
            pairs, found = self._tree.query_nearest(
                shapely.points(xy[finite]), max_distance=50_000.0, return_distance=True, all_matches=False
            )
            index[finite[pairs[0]]], away[finite[pairs[0]]] = pairs[1], found
        return index, away

    def inside(self, lonlat: Array, away_m: Array | None = None) -> npt.NDArray[np.bool_]:
        """Which positions lie in the area of the reference: inside the outline, or near a river where no outline is known."""
        xy = self.metres(lonlat)
        near = (self.nearest(xy)[1] if away_m is None else away_m) <= AROUND_M
        if self._area is None:
            return near
        finite = np.isfinite(xy).all(axis=1)
        within = np.zeros(len(xy), bool)
        within[finite] = shapely.contains_xy(self._area, xy[finite])
        return within | near

    def fit(self, lonlat: Array) -> Fit:
        away = self.distances_m(lonlat)
        inside = self.inside(lonlat, away)
        return Fit(float(inside.mean()), float(np.median(away)), float((away <= 100.0).mean()))


def _segments(lines: list[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
    """Lines (or outlines of areas) cut into their straight pieces, as two-point LineStrings, with the number of the line."""
    pieces, of = [], []
    for number, line in enumerate(lines):
        rings = [line.exterior, *line.interiors] if line.geom_type == "Polygon" else [line]
        for ring in rings:
            c = shapely.get_coordinates(ring)
            if len(c) > 1:
                pieces.append(np.stack([c[:-1], c[1:]], axis=1))
                of.append(np.full(len(c) - 1, number))
    if not pieces:
        return np.array([], dtype=object), np.array([], dtype=np.intp)
    return shapely.linestrings(np.concatenate(pieces)), np.concatenate(of)


def to_degrees(xy: Array, source: pyproj.CRS | int) -> Array:
    """Positions in a system (x = east) to CGCS2000 degrees; not finite where the system has no such place."""
    if isinstance(source, int) and source in (4490, 4326):
        return xy
    with np.errstate(all="ignore"):
        return crs_.into_storage(_system(source) if isinstance(source, int) else source)(xy)


@lru_cache(maxsize=128)
def _system(code: int) -> pyproj.CRS:
    return pyproj.CRS.from_epsg(code)
