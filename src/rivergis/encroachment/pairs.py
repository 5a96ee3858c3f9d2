"""What of each candidate lies in which management area, exactly: pairs of candidate and area with their common ground.

Asked of pieces (``boundary.pieces``), a candidate that lies wholly in one piece needs no cutting, nor does a piece that
lies wholly in a candidate. All in metres of one zone; a candidate in two overlapping areas is a pair with each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

from rivergis.boundary.ground.pieces import Pieces
from rivergis.boundary.ground.squares import Floats, Ints

Objects = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Pairs:
    """Candidates and the areas they meet, one row each, sorted by candidate, then area.

    ``candidate``, ``area`` (k,): positions; ``area_m2`` (k,): common ground in m2, 0 where they only touch or the candidate
    is a point or line; ``parts`` (m,): the common ground piece by piece, and ``pair`` (m,): whose it is.
    """

    candidate: Ints
    area: Ints
    area_m2: Floats
    parts: Objects
    pair: Ints

    def __len__(self) -> int:
        return len(self.candidate)

    @cached_property
    def part(self) -> Objects:
        """The geometry of each candidate within each of its areas (k,), in one."""
        out = np.empty(len(self), object)
        count = np.bincount(self.pair, minlength=len(self))
        single = count[self.pair] == 1
        out[self.pair[single]] = self.parts[single]
        if not single.all():
            several, row = np.unique(self.pair[~single], return_inverse=True)
            together = shapely.geometrycollections(self.parts[~single], indices=row)
            out[several] = shapely.union_all(together[:, None], axis=1)
        mixed = shapely.get_type_id(out) == shapely.GeometryType.GEOMETRYCOLLECTION
        out[mixed] = [_ground(g) for g in out[mixed]]
        return out


def pairs(shapes: npt.ArrayLike, pieces: Pieces) -> Pairs:
    """Common ground of valid geometries (n,) in metres with the areas behind ``pieces``; missing and empty ones have none."""
    shapes = np.asarray(shapes, object).reshape(-1)
    candidate, piece = pieces.meeting(shapely.bounds(shapes).reshape(-1, 4))
    wanted, row = np.unique(piece, return_inverse=True)
    common = _common(shapes, candidate, pieces.take(wanted), row)
    meet = ~shapely.is_empty(common)
    candidate, area, common = candidate[meet], pieces.area[piece[meet]], common[meet]
    order = np.lexsort((area, candidate))
    return _by_area(candidate[order], area[order], common[order])


def _common(shapes: Objects, candidate: Ints, pieces: Objects, piece: Ints) -> Objects:
    """What of a candidate lies in a piece, for each pair: the one itself where it lies wholly in the other."""
    shapely.prepare(shapes)
    shapely.prepare(pieces)
    ours, theirs = shapes[candidate], pieces[piece]
    common = np.full(len(ours), shapely.Point(), dtype=object)
    inside = shapely.covers(theirs, ours)
    around = ~inside & (shapely.get_dimensions(ours) == 2)
    around[around] = shapely.covers(ours[around], theirs[around])
    common[inside], common[around] = ours[inside], theirs[around]
    rest = ~inside & ~around
    rest[rest] = shapely.intersects(ours[rest], theirs[rest])
    common[rest] = shapely.intersection(ours[rest], theirs[rest])
    return common


def _by_area(candidate: Ints, area: Ints, common: Objects) -> Pairs:
    """Common ground in pieces of one area put together; rows come sorted."""
    new = np.ones(len(candidate), bool)
    new[1:] = (candidate[1:] != candidate[:-1]) | (area[1:] != area[:-1])
    pair, size = np.cumsum(new) - 1, shapely.area(common)
    area_m2 = np.bincount(pair, size, minlength=int(new.sum())).astype(np.float64)
    # beside ground, the line along which a part touches the next piece says nothing
    kept = (area_m2[pair] == 0) | (size > 0)
    return Pairs(candidate[new], area[new], area_m2, common[kept], pair[kept])


def _ground(geometry: shapely.Geometry) -> shapely.Geometry:
    """Of a mixed geometry the parts of the highest dimension."""
    parts = shapely.get_parts(geometry)
    dimension = shapely.get_dimensions(parts)
    return shapely.union_all(parts[dimension == dimension.max()])
