"""What of one set of areas is not in another, group by group, so that nothing is counted twice and nothing is lost.

Groups are rivers: areas of different rivers may overlap (a confluence, two counties), and stay apart. All shapes in metres.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from rivergis import geometry

Shapes = npt.NDArray[np.object_]
Ints = npt.NDArray[np.int64]

_POLYGON = 3  # shapely's type number
_GRID_M = 1e-6
_DUST_M = 1e-6  # mean width of what only the arithmetic of the overlay leaves


def intersection(one: Any, other: Any) -> Any:
    """What two shapes, or each pair of two arrays, share; see ``_robust``."""
    return _robust(shapely.intersection, one, other)


def difference(one: Any, other: Any) -> Any:
    """What of a shape, or of each of an array, is not in another; see ``_robust``."""
    return _robust(shapely.difference, one, other)


def _robust(made: Callable[..., Any], one: Any, other: Any) -> Any:
    """An overlay in full precision; pairs that it cannot node (slivers, needles) again on a grid of a micrometre, made valid."""
    try:
        return made(one, other)
    except shapely.errors.GEOSException:
        pairs = np.broadcast_arrays(np.asarray(one, dtype=object), np.asarray(other, dtype=object))
        out = np.empty(pairs[0].shape, dtype=object)
        for at in np.ndindex(out.shape):
            out[at] = _on_grid(made, pairs[0][at], pairs[1][at])
        return out if out.shape else out[()]


def _on_grid(made: Callable[..., Any], one: Any, other: Any) -> Any:
    try:
        return made(one, other)
    except shapely.errors.GEOSException:
        return made(*(_valid(s) for s in (one, other)), grid_size=_GRID_M)


def _valid(shape: Any) -> Any:
    return geometry.polygons_of(shape) if shapely.get_dimensions(shape) == 2 else shapely.make_valid(shape)


def union(shapes: Any) -> shapely.MultiPolygon:
    """The ground of areas together."""
    try:
        return geometry.polygons_of(shapely.union_all(shapes))
    except shapely.errors.GEOSException:
        return geometry.polygons_of(shapely.union_all([_valid(s) for s in shapes], grid_size=_GRID_M))


def polygonal(shapes: Any) -> Shapes:
    """Areas of shapes, crossed rings repaired; an empty area for what has none."""
    shapes = shapely.force_2d(np.asarray(shapes, dtype=object).reshape(-1))
    flat = np.isin(shapely.get_type_id(shapes), (_POLYGON, 6)) & shapely.is_valid(shapes)
    shapes[~flat] = [geometry.polygons_of(s) for s in shapes[~flat]]
    return shapes


def common(old: Shapes, old_group: Ints, new: Shapes, new_group: Ints) -> tuple[Any, Any]:
    """Which areas stand in both sets, the same to the last byte and in the same group: flags for each set."""
    keys = [list(zip(g.tolist(), shapely.to_wkb(s), strict=True)) for s, g in ((old, old_group), (new, new_group))]
    both = set(keys[0]) & set(keys[1])
    one, other = (np.array([k in both for k in mine], dtype=bool) for mine in keys)
    return one, other


def disjoint(shapes: Shapes, group: Ints) -> Shapes:
    """Each area without what an earlier one of its group covers: the areas of a group then sum to its ground."""
    if not len(shapes):
        return shapes
    i, j = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    keep = (j < i) & (group[i] == group[j])
    i, j = i[keep], j[keep]
    twice = shapely.area(intersection(shapes[i], shapes[j])) > 0
    return _minus(shapes, i[twice], shapes[j[twice]])


def outside(shapes: Shapes, group: Ints, others: Shapes, other_group: Ints) -> tuple[Shapes, Ints]:
    """Polygons of what of each area lies in no other area of its group, and whose each is.

    The other that takes most goes first; what is left is mostly small, and few of it meets any other.
    """
    if not len(shapes) or not len(others):
        return polygons(shapes)
    i, j = shapely.STRtree(others).query(shapes, predicate="intersects")
    same = group[i] == other_group[j]
    i, j = i[same], j[same]
    order = np.lexsort((-_shared(shapes[i], others[j]), i))
    i, first = np.unique(i[order], return_index=True)
    most = np.full(len(shapes), -1)
    most[i] = j[order][first]
    left = shapes.copy()
    left[i] = difference(shapes[i], others[most[i]])
    parts, of = polygons(left)
    j, k = shapely.STRtree(parts).query(others, predicate="intersects")
    more = (group[of[k]] == other_group[j]) & (most[of[k]] != j)
    parts, again = polygons(_minus(parts, k[more], others[j[more]]))
    return parts, of[again]


def within(shapes: Shapes, group: Ints, others: Shapes, other_group: Ints) -> tuple[Shapes, Ints, Ints]:
    """Parts of areas that lie in areas of *other* groups: each part, whose it is, and the position of the other."""
    if not len(shapes) or not len(others):
        return shapes[:0], np.zeros(0, np.int64), np.zeros(0, np.int64)
    j, i = shapely.STRtree(shapes).query(others, predicate="intersects")
    keep = group[i] != other_group[j]
    i, j = i[keep], j[keep]
    parts = intersection(shapes[i], others[j])
    some = shapely.area(parts) > 0
    return parts[some], i[some], j[some]


def polygons(shapes: Shapes) -> tuple[Shapes, Ints]:
    """Polygons of which areas are made, and whose each is; dust of the arithmetic is left out."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    while (shapely.get_type_id(parts) > _POLYGON).any():
        parts, within_ = shapely.get_parts(parts, return_index=True)
        of = of[within_]
    real = (shapely.get_type_id(parts) == _POLYGON) & (shapely.area(parts) > _DUST_M * shapely.length(parts))
    return parts[real], of[real].astype(np.int64)


def split_noise(parts: Shapes, tolerance_m: float) -> tuple[Shapes, Ints, Any]:
    """Polygons parted into what is wider than a tolerance, with what lies within a tolerance of it, and strips that are not.

    Returns polygons, whose part each is, and whether it is such a strip (a resurvey of the same line leaves them).
    """
    if not len(parts) or tolerance_m <= 0:
        return parts, np.arange(len(parts)), np.zeros(len(parts), dtype=bool)
    wide = shapely.area(parts) > np.pi * tolerance_m**2 / 4  # what is smaller holds no circle of that width
    core = np.full(len(parts), shapely.Polygon(), dtype=object)
    with np.errstate(invalid="ignore"):  # mitres of parallel edges
        core[wide] = shapely.buffer(parts[wide], -tolerance_m / 2, join_style="mitre")
        grown = shapely.buffer(core, 1.5 * tolerance_m, join_style="mitre")
    strip = shapely.is_empty(core)
    mixed = ~strip & ~shapely.covers(grown, parts)
    whole = [parts[strip], parts[~strip & ~mixed]]
    owner = [np.flatnonzero(strip), np.flatnonzero(~strip & ~mixed)]
    noise = [np.ones(len(whole[0]), bool), np.zeros(len(whole[1]), bool)]
    for made, is_noise in ((intersection, False), (difference, True)):
        pieces, of = polygons(made(parts[mixed], grown[mixed]))
        whole.append(pieces)
        owner.append(np.flatnonzero(mixed)[of])
        noise.append(np.full(len(pieces), is_noise))
    order = np.argsort(np.concatenate(owner), kind="stable")
    return np.concatenate(whole)[order], np.concatenate(owner)[order], np.concatenate(noise)[order]


def _minus(shapes: Shapes, which: Ints, cover: Shapes) -> Shapes:
    """Shapes without each of their covers in turn, those that take most first: what is left is soon small."""
    out = shapes.copy()
    if not len(which):
        return out
    order = np.lexsort((-_shared(shapes[which], cover), which))
    which, cover = which[order], cover[order]
    turn = np.arange(len(which)) - np.searchsorted(which, which)
    for k in range(int(turn.max()) + 1):
        mine = turn == k
        out[which[mine]] = difference(out[which[mine]], cover[mine])
    return out


def _shared(one: Shapes, other: Shapes) -> npt.NDArray[np.float64]:
    """How much the boxes of two areas share: which of several others takes most, without asking the shapes."""
    a, b = shapely.bounds(one), shapely.bounds(other)
    shared = (np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])).clip(0).prod(axis=1)
    return np.asarray(shared, dtype=np.float64)
