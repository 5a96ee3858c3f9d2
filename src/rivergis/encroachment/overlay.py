"""What lies inside the line: every candidate judged against the management areas, less what a permit allows that day.

Areas are taken together, so an object over two reaches or two counties counts once and names both. The tolerance is by
width: a part that vanishes under an inward buffer of half the tolerance is no finding, however long it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis import crs, geometry
from rivergis.boundary.ground.prepared import Prepared
from rivergis.encroachment.pairs import Pairs, pairs
from rivergis.encroachment.permits import Links, Permits, links

REASONS = (
    "no_geometry", "degenerate", "outside", "in_hole", "touches_only", "undecided", "permitted", "within_tolerance", "below_min_area",
)  # fmt: skip
BASIS_RANK = {"announced": 0, "draft": 1, "computed": 2, "surrogate": 3}

Objects = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Limits:
    """``width_tolerance_m``: thinner parts are no finding; ``min_overlap_area_m2``: smaller ground is none; ``touch_m``: nearer things
    touch, and a thinner overlap is but a common edge."""

    width_tolerance_m: float
    min_overlap_area_m2: float
    touch_m: float


def limits_of(number: Callable[[str], float]) -> Limits:
    """The limits with the values a rule view gives for ``encroach.*``."""
    return Limits(*(number("encroach." + f.name.removesuffix("_m2").removesuffix("_m")) for f in fields(Limits)))


@dataclass(frozen=True)
class Overlaid:
    """Every candidate judged; arrays (n,) in the order of the candidates, geometries and figures in metres.

    ``reason``: None for what is to be told, else one of ``REASONS``; ``shape``: as judged, repaired; ``repaired``: whether it had to
    be; ``net``: what lies inside less permits, thin parts left out (a point for a point); ``gross_m2``, ``net_m2``: ground inside
    before and after permits, NaN for points and lines; ``main``: area it is judged by, announced first, then the larger part, -1 =
    none; ``within``: candidates and the areas their net ground lies in; ``permits``: candidates and permits taken off.
    """

    reason: Objects
    shape: Objects
    repaired: Flags
    net: Objects
    gross_m2: Floats
    net_m2: Floats
    main: Ints
    within: Links
    permits: Links

    def __len__(self) -> int:
        return len(self.reason)

    @property
    def told(self) -> Ints:
        """Positions of the candidates to be told."""
        return np.flatnonzero(self.reason == None)  # noqa: E711


def overlay(candidates: gpd.GeoDataFrame, ground: Prepared, permits: Permits, limits: Limits) -> Overlaid:
    """Judge every candidate (疑似对象) against prepared management areas on the day of ``permits``.

    ``candidates``: ``kind``; geometry of any type, may be missing; metres of the zone of ``ground``. A crossed candidate is
    repaired, its areas are kept. Raises ``CrsRefused`` for degrees.
    """
    crs.require_metric(candidates)
    shape, repaired, flat = _usable(candidates.geometry.to_numpy(), limits.touch_m)
    reason = np.full(len(shape), None, dtype=object)
    reason[shapely.is_missing(shape)] = "no_geometry"
    reason[flat] = "degenerate"
    asked = _only(shape, ~flat)
    found = pairs(asked, ground.pieces)
    hit = np.isin(np.arange(len(shape)), found.candidate)
    areal = hit & (shapely.get_dimensions(asked) == 2)
    gross, gross_m2 = _together(found, len(shape))
    taken = links(gross, candidates["kind"].to_numpy(object), permits, permits.covers & permits.placed)
    less = _less(gross, taken, permits)
    wide_m2 = _without_thin(gross, areal, limits.width_tolerance_m)[1]
    net, net_m2 = _without_thin(less, areal, limits.width_tolerance_m)
    permitted = np.isin(np.arange(len(shape)), taken.candidate)
    reason[areal] = _of_ground(areal, gross, wide_m2, net_m2, permitted, limits)[areal]
    for c in np.flatnonzero(hit & ~areal):
        reason[c] = _of_point_or_line(gross[c], net[c], ground, limits.touch_m)
    _missed(reason, hit, asked, ground, limits.touch_m)
    told = np.array([r is None for r in reason], bool)
    return Overlaid(
        reason, shape, repaired, net, np.where(areal, gross_m2, np.nan), np.where(areal, net_m2, np.nan),
        _main(found, ground, len(shape)), _within(found, net, told, ground, limits), taken,
    )  # fmt: skip


def _usable(given: Objects, touch_m: float) -> tuple[Objects, Flags, Flags]:
    """Shapes (2-D, valid; None where there is none), which had to be repaired, and which enclose nothing."""
    given = np.asarray(given, dtype=object)
    shape = _only(shapely.force_2d(given), ~(shapely.is_empty(given) | shapely.is_missing(given)))
    polygonal = np.isin(shapely.get_type_id(shape), (3, 6, 7))
    bad = polygonal & ~shapely.is_valid(shape)
    mixed = shapely.get_type_id(shape) == 7
    for i in np.flatnonzero(bad | mixed):
        area = geometry.polygons_of(shape[i])
        shape[i] = area if not area.is_empty else shape[i]
    flat = polygonal & (shapely.area(shape) <= shapely.length(shape) * touch_m / 2)
    flat[flat] = geometry.vanish(shape[flat], touch_m)
    return shape, bad & ~flat, flat


def union_m2(shapes: list[Any]) -> float:
    """Ground (m2) of shapes taken together: what is stacked counts once."""
    ground = np.array([s for s in shapes if shapely.get_dimensions(s) == 2], dtype=object)
    if not len(ground):
        return 0.0
    a, b = shapely.STRtree(ground).query(ground, predicate="intersects")
    touching = np.unique(a[a != b])
    alone = np.setdiff1d(np.arange(len(ground)), touching)
    together = shapely.union_all(ground[touching]).area if len(touching) else 0.0
    return float(shapely.area(ground[alone]).sum() + together)


def _only(shapes: Objects, kept: Flags) -> Objects:
    """The shapes kept, None in place of the others."""
    out = shapes.copy()
    out[~kept] = None
    return out


def _together(found: Pairs, n: int) -> tuple[Objects, Floats]:
    """The part of each candidate inside any area, overlaps of areas counted once, and its ground in m2."""
    gross = np.full(n, None, dtype=object)
    gross_m2 = np.zeros(n)
    count = np.bincount(found.candidate, minlength=n)
    single = count[found.candidate] == 1
    gross[found.candidate[single]] = found.part[single]
    gross_m2[found.candidate[single]] = found.area_m2[single]
    for c in np.flatnonzero(count > 1):
        gross[c] = shapely.union_all(found.part[slice(*np.searchsorted(found.candidate, [c, c + 1]))])
        gross_m2[c] = gross[c].area
    return gross, gross_m2


def _less(gross: Objects, taken: Links, permits: Permits) -> Objects:
    """What is left without the permits of each candidate, taken together."""
    net = gross.copy()
    ground = permits.frame.geometry.to_numpy()
    for c in np.unique(taken.candidate):
        net[c] = gross[c].difference(shapely.union_all(ground[list(taken.of(c))]))
    return net


def _without_thin(net: Objects, areal: Flags, width_m: float) -> tuple[Objects, Floats]:
    """Net ground without the parts thinner than the tolerance, and its area (m2)."""
    net = net.copy()
    parts, of = shapely.get_parts(_only(net, areal), return_index=True)
    ground = shapely.get_dimensions(parts) == 2
    parts, of = parts[ground], of[ground]
    kept = ~thin(parts, width_m)
    several = np.bincount(of, minlength=len(net)) != 1
    for c in np.flatnonzero(areal & several):
        net[c] = shapely.MultiPolygon([p for p, k in zip(parts[of == c], kept[of == c], strict=True) if k])
    gone = areal & ~several
    gone[of[kept]] = False
    net[gone] = shapely.MultiPolygon()
    return net, shapely.area(net)


def thin(polygons: Objects, width_m: float) -> Flags:
    """Which Polygons vanish under an inward buffer of half a width.

    A simply connected shape holds a circle of radius area / perimeter, so most need no buffer at all (Hartman 1964: inner parallel
    curves of such a shape are never longer than its outline).
    """
    out = np.zeros(len(polygons), bool)
    unsure = (shapely.get_num_interior_rings(polygons) > 0) | (
        shapely.area(polygons) <= shapely.length(polygons) * width_m / 2
    )
    out[unsure] = geometry.vanish(polygons[unsure], width_m)
    return out


def _of_ground(
    areal: Flags, gross: Objects, wide_m2: Floats, net_m2: Floats, permitted: Flags, limits: Limits
) -> Objects:
    """Why ground inside is not told: a common edge, too thin, too small, or permitted; None = it is told."""
    reason = np.full(len(gross), None, dtype=object)
    small = areal & (net_m2 < limits.min_overlap_area_m2)
    reason[small & (net_m2 == 0)] = "within_tolerance"
    reason[small & (net_m2 > 0)] = "below_min_area"
    reason[small & permitted & (wide_m2 >= limits.min_overlap_area_m2)] = "permitted"
    for c in np.flatnonzero(areal & (wide_m2 == 0)):
        if geometry.narrower_than(geometry.polygons_of(gross[c]), limits.touch_m):
            reason[c] = "touches_only"
    return reason


def _of_point_or_line(gross: Any, net: Any, ground: Prepared, touch_m: float) -> str | None:
    """Why a point or line that meets the areas is not told; None = it is. Inside is where there is ground on every side."""
    if net.is_empty:
        return "permitted"
    beside = shapely.buffer(gross, touch_m)
    return None if beside.difference(ground.around(gross, touch_m)).area < 0.01 * beside.area else "touches_only"


def _missed(reason: Objects, hit: Flags, asked: Objects, ground: Prepared, touch_m: float) -> None:
    """Say of those outside where they are: at the very edge, on an island, plainly outside; and what an open line leaves in doubt."""
    missed = _only(asked, ~hit)
    reason[~shapely.is_missing(missed)] = "outside"
    if len(ground.pieces):
        reason[ground.pieces.within(missed, touch_m)] = "touches_only"
        islands = shapely.buffer(ground.islands, touch_m)
        if len(islands):
            off = _only(asked, np.isin(reason.astype(str), ("outside", "touches_only")))
            reason[shapely.STRtree(islands).query(off, predicate="covered_by")[0]] = "in_hole"
    if len(ground.doubts):
        weak = np.isin(reason.astype(str), ("outside", "in_hole", "touches_only", "within_tolerance", "below_min_area"))
        tree = shapely.STRtree(ground.doubts.geometry.to_numpy())
        reason[tree.query(_only(asked, weak), predicate="intersects")[0]] = "undecided"


def _main(found: Pairs, ground: Prepared, n: int) -> Ints:
    """The area each candidate is judged by: announced before draft before the rest, then the larger part, then the first."""
    main = np.full(n, -1, np.int64)
    rank = ground.areas.get("basis", pd.Series("", index=ground.areas.index)).map(BASIS_RANK).fillna(9).to_numpy()
    order = np.lexsort((found.area, -found.area_m2, rank[found.area], found.candidate))
    first, where = np.unique(found.candidate[order], return_index=True)
    main[first] = found.area[order][where]
    return main


def _within(found: Pairs, net: Objects, told: Flags, ground: Prepared, limits: Limits) -> Links:
    """Areas that the net ground of what is told lies in; an overlap thinner than the tolerance is a line drawn twice, not an area.

    A point or line on the common edge of areas lies in all of them, whichever side its last digit puts it on.
    """
    width_m = limits.width_tolerance_m
    of_told = told[found.candidate]
    candidate, area = found.candidate[of_told], found.area[of_told]
    part, size = found.part[of_told], found.area_m2[of_told]
    several = np.bincount(candidate, minlength=len(net))[candidate] > 1
    kept = np.ones(len(candidate), bool)
    for k in np.flatnonzero(several):
        own, whole = shapely.intersection(part[k], net[candidate[k]]), net[candidate[k]]
        areal = shapely.get_dimensions(whole) == 2
        kept[k] = areal and not geometry.narrower_than(own, width_m)
    beside = _thin_things_at(_only(net, told & (shapely.get_dimensions(net) < 2)), ground, limits)
    for c in np.setdiff1d(candidate, [*candidate[kept], *beside[:, 0]]):
        mine = np.flatnonzero(candidate == c)
        kept[mine[np.argmax(size[mine])]] = True
    both = np.unique(np.vstack([np.column_stack([candidate[kept], area[kept]]), beside]), axis=0)
    return Links(both[:, 0], both[:, 1])


def _thin_things_at(shapes: Objects, ground: Prepared, limits: Limits) -> Ints:
    """Points and the areas they lie in or touch, lines and those they run in or along for more than the tolerance (k, 2)."""
    one, piece = ground.pieces.meeting(shapely.bounds(shapes) + limits.touch_m * np.array([-1, -1, 1, 1]))
    around, points = shapely.buffer(ground.pieces.take(piece), limits.touch_m), shapely.get_dimensions(shapes[one]) == 0
    met = shapely.intersection(shapes[one], around)
    size = np.where(points, np.inf, shapely.length(met))
    keys, of = np.unique(np.column_stack([one, ground.pieces.area[piece]]), axis=0, return_inverse=True)
    run = np.bincount(of.reshape(-1)[~shapely.is_empty(met)], size[~shapely.is_empty(met)], minlength=len(keys))
    return keys[run >= limits.width_tolerance_m].astype(np.int64).reshape(-1, 2)
