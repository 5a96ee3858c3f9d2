"""What of each candidate lies in which management area, exactly: pairs of candidate and area with their common ground.

Asked of pieces (``boundary.pieces``), a candidate that lies wholly in one piece needs no cutting at all. All in metres of
one zone; a candidate in two overlapping areas is a pair with each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from rivergis.boundary.pieces import Ints, Pieces


@dataclass(frozen=True)
class Pairs:
    """Candidates and the areas they meet, one row each, sorted by candidate, then area.

    ``candidate``, ``area`` (k,): positions; ``area_m2`` (k,): common ground in m2, 0 where they only touch or the candidate
    is a point or line; ``part`` (k,): the candidate's geometry in that area.
    """

    candidate: Ints
    area: Ints
    area_m2: npt.NDArray[np.float64]
    part: npt.NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.candidate)


def pairs(shapes: npt.ArrayLike, pieces: Pieces) -> Pairs:
    """Common ground of valid geometries (n,) in metres with the areas behind ``pieces``; missing and empty ones have none."""
    shapes = np.asarray(shapes, object).reshape(-1)
    candidate, piece = pieces.tree.query(shapes, predicate="intersects")
    area = pieces.area[piece]
    order = np.lexsort((piece, area, candidate))
    candidate, piece, area = candidate[order], piece[order], area[order]
    part = _common(shapes[candidate], pieces.shapes[piece])
    return _by_area(candidate, area, part)


def _common(shapes: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """What of each shape lies in the piece beside it: the shape itself where it lies wholly inside."""
    inside = shapely.covers(pieces, shapes)
    part = shapes.copy()
    part[~inside] = shapely.intersection(shapes[~inside], pieces[~inside])
    return part


def _by_area(candidate: Ints, area: Ints, part: np.ndarray) -> Pairs:
    """Parts in pieces of one area put together again; rows come sorted."""
    new = np.ones(len(candidate), bool)
    new[1:] = (candidate[1:] != candidate[:-1]) | (area[1:] != area[:-1])
    group = np.cumsum(new) - 1
    size = shapely.area(part)
    area_m2 = np.bincount(group, size, minlength=int(new.sum())).astype(np.float64)
    # beside ground, the line along which a part touches the next piece says nothing
    kept = ~((area_m2[group] > 0) & (size == 0))
    return Pairs(candidate[new], area[new], area_m2, _joined(part[kept], group[kept], int(new.sum())))


def _joined(part: np.ndarray, group: Ints, groups: int) -> np.ndarray:
    """One geometry for each group: its single part, or the union of its parts."""
    out = np.empty(groups, object)
    count = np.bincount(group, minlength=groups)
    single = count[group] == 1
    out[group[single]] = part[single]
    if not single.all():
        several, row = np.unique(group[~single], return_inverse=True)
        together = shapely.geometrycollections(part[~single], indices=row)
        out[several] = shapely.union_all(together[:, None], axis=1)
    mixed = shapely.get_type_id(out) == shapely.GeometryType.GEOMETRYCOLLECTION
    out[mixed] = [_ground(g) for g in out[mixed]]
    return out


def _ground(geometry: shapely.Geometry) -> shapely.Geometry:
    """Of a mixed geometry the parts of the highest dimension."""
    parts = shapely.get_parts(geometry)
    dimension = shapely.get_dimensions(parts)
    return shapely.union_all(parts[dimension == dimension.max()])
