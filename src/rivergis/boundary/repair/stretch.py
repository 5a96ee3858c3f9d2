"""Repairs of stretches that leave their course (河段修复): out of the rule, in the water, over the river, a jump, the wrong bank.

The stretch is what lies off the source round the place of the defect, found vertex by vertex; the vertices before and after it stay.
Where the area of the reach has the same vertices it follows its line, or the water would still lie outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from rivergis import geometry
from rivergis.boundary.doctor.case import Defect
from rivergis.boundary.repair.case import SHAPE, SPLICE, Change, Repair, spliced
from rivergis.boundary.repair.courses import Course, Ground, parallel
from rivergis.boundary.repair.vertices import nearest_row, splice, way

Array = npt.NDArray[np.float64]
_SHARE = 0.25  # of the tolerance: what lies nearer to its course stays as it is drawn
_BREACH = 3  # vertices on their course within a stretch that do not end it
_PADS_M = (2.0, 45.0, 90.0)  # beside the named stretch, where only the reach is there to follow
_SAME_M = 0.05


def back_on_course(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A stretch of a line off its course: by rule, by the former version, else parallel to the reach."""
    reach, row = str(d.reach), nearest_row(ground, d)
    if row is None or reach not in ground.reaches or not geometry.finite(ground.shape("lines", row)):
        return
    side = ground.side_of_row(row, reach)
    xy = shapely.get_coordinates(ground.shape("lines", row))
    for course in ground.courses(reach, side, ground.value("lines", row, "basis")) if side else ():
        window = _off(xy, course, d, ground)
        new = None if window is None else _between(ground, reach, xy, window, course)
        if window is not None and new is not None:
            yield _proposal(ground, n, row, xy, window, new, course.basis)
    for pad in _PADS_M:
        window = _named(xy, d, ground.reaches[reach], pad)
        new = None if window is None else parallel(xy[window[0] - 1], xy[window[1]], ground.reaches[reach])
        if window is not None and new is not None:
            yield _proposal(ground, n, row, xy, window, new, "parallel")


def _between(ground: Ground, reach: str, xy: Array, window: tuple[int, int], course: Course) -> Array | None:
    reach_m = 2 * ground.case.limits.rule_tolerance_m
    return course.between(xy[window[0] - 1], xy[window[1]], ground.reaches[reach], reach_m)


def _off(xy: Array, course: Course, d: Defect, ground: Ground) -> tuple[int, int] | None:
    """The vertices round the place of a defect that lie off a course: first, and one behind the last."""
    away = shapely.distance(course.line, shapely.points(xy))
    off = np.flatnonzero(away > _SHARE * ground.case.limits.rule_tolerance_m)
    if not len(off):
        return None
    blocks = np.split(off, np.flatnonzero(np.diff(off) > _BREACH) + 1)
    near = [float(np.hypot(*(xy[b] - d.place.coords[0]).T).min()) for b in blocks]
    block = blocks[int(np.argmin(near))]
    inside = block[0] >= 1 and block[-1] + 1 < len(xy)
    return (int(block[0]), int(block[-1]) + 1) if inside and min(near) < 100.0 else None


def _named(xy: Array, d: Defect, reach: Any, pad_m: float) -> tuple[int, int] | None:
    """The vertices whose chainage lies in the stretch that the defect names."""
    at = shapely.line_locate_point(reach, shapely.points(xy))
    inside = np.flatnonzero((at >= d.from_m - pad_m) & (at <= d.to_m + pad_m))
    if not len(inside) or inside[0] < 1 or inside[-1] + 1 >= len(xy):
        return None
    return int(inside[0]), int(inside[-1]) + 1


def _proposal(ground: Ground, n: int, row: int, xy: Array, window: tuple[int, int], new: Array, basis: str) -> Repair:
    start, end = window
    old, whole = xy[start - 1 : end + 1], np.vstack([xy[start - 1], new, xy[end]])
    length = float(np.hypot(*np.diff(whole, axis=0).T).sum())
    moved = float(shapely.hausdorff_distance(shapely.LineString(old), shapely.LineString(whole)))
    en, zh = way(basis)
    return Repair(
        n, str(ground.value("lines", row, "line_id")), "geometry", basis,
        (splice(row, start, end, new), *followed(ground, str(ground.value("lines", row, "reach_id")), old, whole)),
        f"Draw {length:.0f} m {en}, up to {moved:.1f} m from where it is drawn now.",
        f"{length:.0f}米改为{zh}，与现边线最大相差{moved:.1f}米。",
    )  # fmt: skip


def followed(ground: Ground, reach: str, old: Array, new: Array) -> Iterator[Change]:
    """Areas of a reach whose outline runs along a stretch of a line, with the new stretch in its place."""
    for row, area in ground.areas_of(reach):
        ring = shapely.get_coordinates(area.exterior)[:-1]
        found = _along(ring, old, new)
        if found is None:
            continue
        first, last, stretch = found
        change = Change("areas", SPLICE, row, first + 1, last, stretch[1:-1])
        if first >= last:  # over the first vertex of the ring
            shape = shapely.Polygon(
                np.vstack([stretch, np.roll(ring, -last, axis=0)[1 : (first - last) % len(ring)]]), area.interiors
            )
            change = Change("areas", SHAPE, row, shape=shape)
        if (spliced(area, [change]) if change.what == SPLICE else change.shape).is_valid:
            yield change


def _along(ring: Array, old: Array, new: Array) -> tuple[int, int, Array] | None:
    """Where a ring runs along a stretch: its first and last vertex there, in the order of the ring, and what comes in its place."""
    ends = [np.hypot(*(ring - p).T) for p in (old[0], old[-1])]
    if max(e.min() for e in ends) > _SAME_M:
        return None
    a, b = (int(e.argmin()) for e in ends)
    for first, last, stretch in ((a, b, new), (b, a, new[::-1])):
        count = (last - first) % len(ring)
        mine = np.roll(ring, -first, axis=0)[: count + 1]
        if count and shapely.hausdorff_distance(shapely.LineString(mine), shapely.LineString(old)) < _SAME_M * 4:
            return first, last, stretch
    return None


# ---- the whole bank -------------------------------------------------------------------------------------------------


def bank_runs(ground: Ground, reach: str, side: str) -> Iterator[tuple[str, Array]]:
    """Whole lines of a bank from other sources, downstream: the edge of the area, then the former version."""
    axis = ground.reaches[reach]
    for _, area in ground.areas_of(reach):
        for run in _runs(shapely.get_coordinates(area.exterior), axis):
            if len(run) > 1 and _mostly(run, axis) == side:
                yield "area_edge", _downstream(run, axis)
    former = ground.former(reach, side)
    parts = geometry.lines_of(former)
    if len(parts) == 1:
        yield "former", _downstream(shapely.get_coordinates(parts[0]), axis)


def _runs(ring: Array, axis: Any) -> list[Array]:
    """Stretches of a ring between its edges that touch or cross the reach."""
    edges = shapely.linestrings(np.stack([ring[:-1], ring[1:]], axis=1))
    across = np.flatnonzero(shapely.dwithin(edges, axis, 0.01))
    if not len(across):
        return []
    turned = np.vstack([ring[across[0] + 1 : -1], ring[: across[0] + 1]])
    again = (across - across[0] - 1) % len(edges)
    cuts = np.sort(again)[:-1] + 1  # the last edge closes the turned ring
    return [run for run in np.split(turned, cuts) if len(run) > 1]


def _mostly(xy: Array, axis: Any) -> str:
    points = shapely.line_interpolate_point(shapely.LineString(xy), np.linspace(0.1, 0.9, 9), normalized=True)
    return "left" if geometry.side_of(axis, points).sum() > 0 else "right"


def _downstream(xy: Array, axis: Any) -> Array:
    at = shapely.line_locate_point(axis, shapely.points(xy[[0, -1]]))
    return xy if at[0] <= at[1] else xy[::-1]


def cut_at(run: Array, axis: Any, chainages: list[float]) -> list[Array]:
    """A line of a bank cut where its chainage first reaches each value."""
    at = np.maximum.accumulate(shapely.line_locate_point(axis, shapely.points(run)))
    pieces, left, left_at = [], run, at
    for value in chainages:
        k = int(np.searchsorted(left_at, value))
        if k <= 0 or k >= len(left):
            continue
        share = (value - left_at[k - 1]) / max(left_at[k] - left_at[k - 1], 1e-9)
        point = left[k - 1] + share * (left[k] - left[k - 1])
        pieces.append(np.vstack([left[:k], point]))
        left, left_at = np.vstack([point, left[k:]]), np.r_[value, left_at[k:]]
    return [*pieces, left]


def chainages(xy: Array, axis: Any) -> tuple[float, float]:
    """First and last chainage of a line on a reach, rounded as files have it."""
    at = shapely.line_locate_point(axis, shapely.points(xy[[0, -1]]))
    return round(float(at.min()), 2), round(float(at.max()), 2)
