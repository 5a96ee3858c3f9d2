"""Pieces of management areas in every zone in which something near them is measured: where is anything near, and what is it?

A province spans several 3-degree zones, and each candidate is measured in the zone of its own centre (``crs.metric_crs``). An
area is therefore cut in each zone that its box, with a margin, touches: in two where it lies at a border of zones. A candidate
that reaches further than the margin from its centre has no zone in which all that it may meet is prepared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from rivergis import crs, geometry
from rivergis.boundary.ground.pieces import Pieces, cut
from rivergis.boundary.ground.prepared import islands_of
from rivergis.boundary.ground.squares import Flags, Floats, Ints, Squares

MARGIN_DEG = 0.25
_TOGETHER = 500  # areas cut at a time, so that memory does not grow with their number
_EARTH_M, _DEGREE_M = 6.37e6, 110_500.0  # a degree at its shortest
_CHINA = (75.0, 135.0, 3.0, 54.0)  # middles of the first and last zone, southern and northern end, degrees
_HALF_ZONE_DEG, _HALF_ELSEWHERE_DEG = 1.5, 0.25

Key = tuple[float, float]
_ANY: Key = (105.0, 30.0)


@dataclass(frozen=True)
class Zoned:
    """Areas of any extent cut to pieces, in metres of each zone, and where on the ground (EPSG:4490) any of them is near.

    ``zones`` and ``pieces`` belong together; ``keys``: middle of each zone in degrees, None where one zone serves for all.
    """

    zones: Sequence[CRS]
    pieces: Sequence[Pieces]
    squares: Squares
    keys: Sequence[Key] | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    """What a stored one says it was prepared from."""

    def zone_of(self, centres: Floats) -> Ints:
        """Zone (position) in which something with its centre at (n, 2) degrees is measured; -1 = nothing is near.

        Where all areas lie in one zone, that is the zone for everything: what reaches into it from afar is measured where it is met.
        """
        if self.keys is None or len(self.keys) == 1:
            return np.zeros(len(centres), np.int64)
        keys, which = np.unique(_keys(centres), axis=0, return_inverse=True)
        known = {key: i for i, key in enumerate(self.keys)}
        return np.array([known.get((float(a), float(b)), -1) for a, b in keys], np.int64)[which.reshape(-1)]

    def near(self, boxes: Floats) -> Flags:
        """Whether an area may lie in each box (n, 4) in degrees of EPSG:4490; never false where one does."""
        return self.squares.near(curved(boxes))

    def squares_in(self, move: Callable[[Floats], Floats]) -> Squares:
        """The taken squares of the ground in another system, by the way there from EPSG:4490."""
        boxes = self.squares.boxes()
        wide = self.squares.side / 100  # more than an edge of a square can bend
        return Squares.over(moved(boxes + wide * np.array([-1, -1, 1, 1]), move))


def curved(boxes: Floats) -> Floats:
    """Boxes in degrees, wider by what an edge that is straight in metres may leave the box of its ends."""
    bulge = 0.01 * ((boxes[:, 2] - boxes[:, 0]) ** 2 + (boxes[:, 3] - boxes[:, 1]) ** 2) + 1e-9
    return boxes + bulge[:, None] * np.array([-1, -1, 1, 1])


def widened(boxes: Floats, around_m: float) -> Floats:
    """Boxes in degrees, wider by so many metres (or a little more)."""
    if not around_m:
        return boxes
    across = (
        around_m / _DEGREE_M / np.cos(np.radians(np.nanmax(np.abs(boxes[:, [1, 3]]), axis=1, initial=0).clip(0, 85)))
    )
    along = np.full(len(boxes), around_m / _DEGREE_M)
    return boxes + np.column_stack([-across, -along, across, along])


def bent(boxes: Floats, around_m: float = 0.0) -> Floats:
    """Boxes in metres of one system, wider by so many metres and by what their edges bend on the way to another."""
    long = np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    return boxes + (1.01 * around_m + 1.0 + long**2 / (4 * _EARTH_M))[:, None] * np.array([-1, -1, 1, 1])


def moved(boxes: Floats, move: Callable[[Floats], Floats]) -> Floats:
    """Boxes around the corners of boxes (n, 4), brought to another system."""
    corners = move(boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)).reshape(-1, 4, 2)
    return np.hstack([corners.min(axis=1), corners.max(axis=1)])


def one_zone(pieces: Pieces, zone: CRS, also: gpd.GeoSeries | None = None) -> Zoned:
    """Pieces that are all in metres of one zone; every candidate is measured in it.

    ``also``: other ground (Polygons, EPSG:4490) near which candidates must be looked at.
    """
    return Zoned([zone], [pieces], Squares.over(np.vstack([_in_degrees(pieces.bounds, zone), _ground_of(also)])))


def zoned(
    areas: gpd.GeoSeries | Iterable[gpd.GeoSeries], also: gpd.GeoSeries | Callable[[], gpd.GeoSeries] | None = None
) -> Zoned:
    """Areas (Polygons, EPSG:4490), at once or batch after batch, cut in each of their zones.

    Positions of areas count through all batches. The inner of their holes counts as near: what stands on an island is no
    plain outside. ``also``: see ``one_zone``, or what gives it when all areas are through; its zones are zones too, where no
    area lies in them.
    """
    found: dict[Key, list[Pieces]] = {}
    ground: list[Floats] = []
    first = 0
    for some in _batches(areas):
        for key, mine in _by_zone(some.bounds.to_numpy(np.float64)).items():
            found.setdefault(key, []).append(_cut(some.to_numpy()[mine], _zone(key), np.flatnonzero(mine) + first))
        ground.append(_ground_of(gpd.GeoSeries(islands_of(some.to_numpy()), crs=some.crs)))
        first += len(some)
    doubts = also() if callable(also) else also
    ground.append(_ground_of(doubts))
    beside = _by_zone(doubts.bounds.to_numpy(np.float64)) if doubts is not None and len(doubts) else {}
    keys = sorted(found.keys() | beside.keys()) or [_ANY]
    pieces = [_joined(found.get(key, [])) for key in keys]
    ground += [_in_degrees(p.bounds, _zone(key)) for key, p in zip(keys, pieces, strict=True)]
    return Zoned([_zone(key) for key in keys], pieces, Squares.over(np.vstack(ground)), keys)


def _batches(areas: gpd.GeoSeries | Iterable[gpd.GeoSeries]) -> Iterator[gpd.GeoSeries]:
    for some in [areas] if isinstance(areas, gpd.GeoSeries) else areas:
        for first in range(0, len(some), _TOGETHER):
            yield some.iloc[first : first + _TOGETHER]


def _cut(shapes: np.ndarray, zone: CRS, positions: Ints) -> Pieces:
    """Areas in degrees as pieces in metres of a zone, encoded: shapes of a whole province would take twice the memory."""
    metric = shapely.transform(shapes, crs.out_of_storage(zone))
    crossed = ~shapely.is_valid(metric)
    metric[crossed] = [geometry.polygons_of(s) for s in metric[crossed]]
    pieces = cut(metric)
    return Pieces(pieces.arrays, positions[pieces.area], pieces.bounds)


def _joined(parts: list[Pieces]) -> Pieces:
    encoded = [array for p in parts for array in p.arrays]
    area = np.concatenate([np.empty(0, np.int64), *(p.area for p in parts)])
    return Pieces(encoded, area, np.vstack([np.empty((0, 4)), *(p.bounds for p in parts)]))


def _zone(key: Key) -> CRS:
    return crs.metric_crs(*key)


def _keys(centres: Floats) -> Floats:
    """Middle of the zone of each place (n, 2): as ``crs.metric_crs`` chooses it."""
    lon, lat = centres[:, 0], centres[:, 1]
    first, last, south, north = _CHINA
    zone = 3 * np.round(lon / 3)
    inside = (zone >= first) & (zone <= last) & (lat >= south) & (lat <= north)
    elsewhere = np.round(centres * 2) / 2
    return np.where(inside[:, None], np.column_stack([zone, np.full(len(lon), 30.0)]), elsewhere)


def _by_zone(boxes: Floats) -> dict[Key, Flags]:
    """Zones that boxes (n, 4) in degrees touch with the margin, and which of them touch each."""
    wide = boxes + MARGIN_DEG * np.array([-1, -1, 1, 1])
    if not np.isfinite(wide).any():
        return {}
    (west, south), (east, north) = np.nanmin(wide[:, :2], axis=0), np.nanmax(wide[:, 2:], axis=0)
    # a lattice no wider than the narrowest zone meets every zone there is
    lon, lat = (np.linspace(a, b, int((b - a) / _HALF_ELSEWHERE_DEG) + 2) for a, b in ((west, east), (south, north)))
    keys = np.unique(_keys(np.array(np.meshgrid(lon, lat)).reshape(2, -1).T), axis=0)
    touching = {(float(a), float(b)): _touches(wide, float(a), float(b)) for a, b in keys}
    return {key: mine for key, mine in touching.items() if mine.any()}


def _touches(boxes: Floats, lon: float, lat: float) -> Flags:
    china = _zone((lon, lat)).to_epsg() is not None
    _, _, south, north = _CHINA
    half = _HALF_ZONE_DEG if china else _HALF_ELSEWHERE_DEG
    low, high = (south, north) if china else (lat - half, lat + half)
    return np.asarray(
        (boxes[:, 0] <= lon + half) & (boxes[:, 2] >= lon - half) & (boxes[:, 1] <= high) & (boxes[:, 3] >= low)
    )


def _in_degrees(boxes: Floats, zone: CRS) -> Floats:
    """Boxes in metres as boxes in degrees, wider by what their edges bend on the way."""
    return moved(bent(boxes), crs.into_storage(zone))


def _ground_of(areas: gpd.GeoSeries | None) -> Floats:
    """Boxes in degrees of pieces of other ground."""
    if areas is None or not len(areas):
        return np.empty((0, 4))
    return curved(cut([geometry.polygons_of(s) for s in areas.to_numpy()]).bounds)
