"""Do management areas lie side by side as ground does (管理范围面拓扑检查): closed, once, without slivers, overlaps and slits?

For a whole province at once: 81,000 areas take seconds, because every question is asked of all of them together. Widths decide,
not only square metres: two neighbours drawn by different hands agree to centimetres over kilometres, and that is no overlap.
Limits: domain.md 10.2 ``topology.min_gap`` 0.2 m and ``topology.sliver_area`` 5 m2 (own choice, unconfirmed).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from rivergis import crs, geometry

Shapes = npt.NDArray[np.object_]
Rows = npt.NDArray[np.int64]
_PLACE = re.compile(r"\[(-?[\d.eE+-]+) (-?[\d.eE+-]+)")
_SAME_SHARE = 0.995  # what two areas share of the larger when they are one area twice


@dataclass(frozen=True)
class Limits:
    """From when on a fault of areas is told: widths in metres, areas in m2.

    ``noise_width_m`` and ``noise_m2``: overlaps, slits and holes below either are drawing noise; ``sliver_max_width_m``: an
    area nowhere wider is none; ``slit_max_width_m``: neighbours farther apart are meant to be apart.
    """

    noise_width_m: float = 0.2
    noise_m2: float = 5.0
    sliver_max_width_m: float = 1.0
    slit_max_width_m: float = 2.0


@dataclass(frozen=True)
class AreaDefect:
    """One fault: code, positions of the areas in the frame, a point in it, its measure with unit, and its shape.

    Codes: area_empty, area_not_closed (m between the ends), area_self_crossing (m2 of the smaller lobes), sliver_area (m wide),
    area_duplicate (m2), area_overlap (m2), area_gap (m2), area_hole_sliver (m2). ``part`` is None where there is no shape.
    """

    code: str
    rows: tuple[int, ...]
    place: shapely.Point
    measure: float | None
    unit: str
    part: Any = None


def check_areas(areas: gpd.GeoDataFrame, limits: Limits | None = None) -> list[AreaDefect]:
    """All faults of a layer of management areas, by row.

    ``areas``: Polygons and MultiPolygons in metres of one zone (``CrsRefused`` otherwise), lines where somebody forgot to close
    them; ``line_type`` where there are several: a protection area lies over the management area by law, and only areas of one
    kind are compared.
    """
    crs.require_metric(areas)
    limits = limits or Limits()
    shapes = np.asarray(areas.geometry.to_numpy(), dtype=object)
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    rows = np.flatnonzero(polygonal)
    found = _no_areas(shapes, np.flatnonzero(~polygonal))
    crossed, sound = _crossed(shapes, rows)
    thin = _slivers(sound, rows, limits)
    found += crossed + thin + _holes(sound, rows, limits)
    broad = np.setdiff1d(rows, [d.rows[0] for d in thin])
    kinds = areas["line_type"].astype(str).to_numpy() if "line_type" in areas else np.full(len(areas), "")
    for kind in np.unique(kinds[broad]):
        found += _beside(sound, broad[kinds[broad] == kind], limits)
    return sorted(found, key=lambda d: (d.rows, d.code))


def _no_areas(shapes: Shapes, rows: Rows) -> list[AreaDefect]:
    """Features of an area layer that enclose nothing."""
    found = []
    for row in rows.tolist():
        shape = shapes[row]
        if not geometry.finite(shape):
            found.append(AreaDefect("area_empty", (row,), shapely.Point(), None, "m"))
            continue
        xy = shapely.get_coordinates(shape)
        apart = float(np.hypot(*(xy[-1] - xy[0])))
        found.append(AreaDefect("area_not_closed", (row,), shapely.Point(xy[-1]), apart, "m", shape))
    return found


def _crossed(shapes: Shapes, rows: Rows) -> tuple[list[AreaDefect], Shapes]:
    """Rings that cross themselves, and all shapes with these made sound so that the other questions can be asked."""
    found, sound = [], shapes.copy()
    broken = rows[~shapely.is_valid(shapes[rows])]
    reasons = np.atleast_1d(shapely.is_valid_reason(shapes[broken]))
    for row, reason in zip(broken.tolist(), reasons.tolist(), strict=True):
        sound[row] = geometry.polygons_of(shapes[row])
        lobes = shapely.area(shapely.get_parts(sound[row]))
        lost = float(lobes.sum() - lobes.max()) if len(lobes) else 0.0
        at = _PLACE.search(reason)
        place = (
            shapely.Point(float(at[1]), float(at[2])) if at else shapely.Point(shapely.get_coordinates(shapes[row])[0])
        )
        found.append(AreaDefect("area_self_crossing", (row,), place, lost, "m2", shapes[row]))
    return found, sound


def _slivers(shapes: Shapes, rows: Rows, limits: Limits) -> list[AreaDefect]:
    """Areas nowhere wider than a sliver; their area over half their outline is below the width, which most pass at once."""
    outline = shapely.length(shapes[rows])
    width = np.divide(2 * shapely.area(shapes[rows]), outline, out=np.zeros(len(rows)), where=outline > 0)
    suspect = rows[width <= limits.sliver_max_width_m]
    thin = suspect[geometry.vanish(shapes[suspect], limits.sliver_max_width_m)] if len(suspect) else suspect
    widths = dict(zip(rows.tolist(), width.tolist(), strict=True))
    return [
        AreaDefect("sliver_area", (r,), _middle(shapes[r]), widths[r], "m", shapes[r])
        for r in thin.tolist()
        if not shapes[r].is_empty
    ]


def _middle(shape: Any) -> shapely.Point:
    """A point on a shape however thin it is."""
    inside = shapely.point_on_surface(shape)
    return inside if not inside.is_empty else shapely.Point(shapely.get_coordinates(shape)[0])


def _holes(shapes: Shapes, rows: Rows, limits: Limits) -> list[AreaDefect]:
    """Holes that no island fills: thinner than a sliver or smaller than noise."""
    parts, owner = shapely.get_parts(shapes[rows], return_index=True)
    holed = shapely.get_num_interior_rings(parts) > 0
    rings, at = shapely.get_rings(parts[holed], return_index=True)
    inner = np.r_[False, at[1:] == at[:-1]] if len(at) else np.zeros(0, dtype=bool)
    holes, of = shapely.polygons(rings[inner]), rows[owner[holed][at[inner]]]
    size = shapely.area(holes)
    none = (size < limits.noise_m2) | geometry.vanish(holes, limits.sliver_max_width_m)
    return [
        AreaDefect("area_hole_sliver", (int(row),), _middle(hole), float(m2), "m2", hole)
        for row, hole, m2 in zip(of[none], holes[none], size[none], strict=True)
    ]


def _beside(shapes: Shapes, rows: Rows, limits: Limits) -> list[AreaDefect]:
    """Areas that are there twice, lie over each other or leave a slit."""
    a, b = _pairs(shapes[rows], limits.slit_max_width_m)
    left, right = rows[a], rows[b]
    shared = shapely.intersection(shapes[left], shapes[right])
    size = shapely.area(shared)
    twice = size >= _SAME_SHARE * np.maximum(shapely.area(shapes[left]), shapely.area(shapes[right]))
    found = [
        AreaDefect("area_duplicate", (i, j), _middle(shapes[j]), m2, "m2", shapes[j])
        for i, j, m2 in zip(left[twice].tolist(), right[twice].tolist(), size[twice].tolist(), strict=True)
    ]
    again = np.isin(left, right[twice]) | np.isin(right, right[twice])  # what a copy does, its first has been told of
    over = ~again & (size >= limits.noise_m2)
    overlaps = _told("area_overlap", left[over], right[over], shared[over], limits)
    told = {d.rows for d in overlaps}  # a common edge drawn twice crosses itself: its slits are the same fault
    pairs = zip(left.tolist(), right.tolist(), strict=True)
    near = np.flatnonzero(~again & np.array([p not in told for p in pairs], dtype=bool))
    slits = _slits(shapes, left[near], right[near], limits)
    return found + overlaps + _told("area_gap", left[near], right[near], slits, limits)


def _pairs(shapes: Shapes, distance_m: float) -> tuple[Rows, Rows]:
    """Every two shapes within a distance, once."""
    tree = shapely.STRtree(shapes)
    a, b = tree.query(shapes, predicate="dwithin", distance=distance_m)
    once = a < b
    return a[once], b[once]


def _told(code: str, left: Rows, right: Rows, grounds: Shapes, limits: Limits) -> list[AreaDefect]:
    """One defect for each pair whose common ground has a part that is more than noise."""
    half = limits.noise_width_m / 2
    large = np.flatnonzero(shapely.area(grounds) >= limits.noise_m2)
    # what is no wider than noise goes, also where it hangs on something broader
    core = shapely.buffer(grounds[large], -half, join_style="mitre")
    broad = shapely.intersection(shapely.buffer(core, half, join_style="mitre"), grounds[large])
    parts, at = shapely.get_parts(_polygonal(broad), return_index=True)
    of = large[at]
    real = np.flatnonzero(shapely.area(parts) >= limits.noise_m2)
    found = []
    for k in np.unique(of[real]).tolist():
        mine = parts[real[of[real] == k]]
        largest = mine[int(np.argmax(shapely.area(mine)))]
        ground = shapely.union_all(mine)
        pair = (int(left[k]), int(right[k]))
        found.append(AreaDefect(code, pair, _middle(largest), float(ground.area), "m2", ground))
    return found


def _polygonal(shapes: Shapes) -> Shapes:
    """Shapes without the lines and points that an intersection leaves along common edges."""
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == 7)
    out = shapes.copy()
    for k in mixed.tolist():
        out[k] = geometry.polygons_of(shapes[k])
    flat = ~np.isin(shapely.get_type_id(out), (3, 6))
    out[flat] = shapely.Polygon()
    return out


def _slits(shapes: Shapes, left: Rows, right: Rows, limits: Limits) -> Shapes:
    """The ground between neighbours that belongs to neither nor to anybody else: within half a slit of both.

    Buffers with flat corners are made once for each area that has a neighbour.
    """
    used, at = np.unique(np.r_[left, right], return_inverse=True)
    if not len(used):
        return np.empty(0, dtype=object)
    wide = shapely.buffer(shapes[used], limits.slit_max_width_m / 2, quad_segs=2)
    between = shapely.intersection(wide[at[: len(left)]], wide[at[len(left) :]])
    # what lies over both or along a common edge is most of it: only what is left is worth a third area
    open_ground = shapely.difference(shapely.difference(between, shapes[left]), shapes[right])
    large = np.flatnonzero(shapely.area(open_ground) >= limits.noise_m2)
    tree = shapely.STRtree(shapes[used])
    for k in large.tolist():
        others = tree.query(open_ground[k], predicate="intersects")
        open_ground[k] = shapely.difference(open_ground[k], shapely.union_all(shapes[used[others]]))
    return open_ground
