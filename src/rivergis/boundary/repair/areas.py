"""Repairs of management areas (管理范围面修复): rings closed, slivers and copies taken away, outlines brought back to their lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from rivergis import geometry
from rivergis.boundary.doctor.case import Defect
from rivergis.boundary.repair.case import REMOVE, SHAPE, Change, Repair
from rivergis.boundary.repair.courses import Course, Ground

Array = npt.NDArray[np.float64]
_NEAR_M = 6.0  # ends of a ring this near are one corner drawn twice, unless its vertices stand closer than that
_SAME_M = 0.05


def _area_rows(ground: Ground, d: Defect) -> list[int]:
    """Areas that a defect names, else those of its reach."""
    named = ground.named("areas", d.features)
    areas = ground.case.areas
    if named or areas is None or "reach_id" not in areas:
        return named
    return np.flatnonzero(areas["reach_id"].astype(str) == str(d.reach)).tolist()


def _name(ground: Ground, row: int) -> str:
    return str(ground.value("areas", row, "area_id") or row + 1)


def removed(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A sliver or the second of two alike: it goes."""
    rows = ground.named("areas", d.features)
    if rows:
        yield Repair(
            n, _name(ground, rows[-1]), "remove", "vertices", (Change("areas", REMOVE, rows[-1]),),
            f"Remove the area {_name(ground, rows[-1])}.", f"删除面要素{_name(ground, rows[-1])}。",
        )  # fmt: skip


def closed(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A ring that does not close: along the line between its ends, with the corner that was drawn twice once, or straight."""
    for row in _area_rows(ground, d):
        shape = ground.shape("areas", row)
        if not geometry.finite(shape) or shape.geom_type != "LineString" or len(shape.coords) < 4:
            continue
        for basis, ring in _closings(ground, str(d.reach), shapely.get_coordinates(shape)):
            area = shapely.Polygon(ring)
            if area.is_valid and area.area > 0:
                yield Repair(
                    n, _name(ground, row), "geometry", basis, (Change("areas", SHAPE, row, shape=area),),
                    "Close the ring" + (" along its line." if basis == "area_edge" else "."), "面边界闭合" + ("，缺口沿边线补齐。" if basis == "area_edge" else "。"),
                )  # fmt: skip


def _closings(ground: Ground, reach: str, xy: Array) -> Iterator[tuple[str, Array]]:
    gap = float(np.hypot(*(xy[-1] - xy[0])))
    ends = shapely.LineString(xy[[-1, 0]])
    for shape in _edges(ground, reach):
        if shape.distance(shapely.Point(xy[-1])) < _SAME_M and shape.distance(shapely.Point(xy[0])) < _SAME_M:
            between = Course("area_edge", shape).between(xy[-1], xy[0], shapely.Point(), _SAME_M)
            if (
                between is not None
                and 0 < len(between) < 9
                and shapely.LineString(np.vstack([xy[-1], between, xy[0]])).length < 3 * gap
            ):
                yield "area_edge", np.vstack([xy, between])
    corner = _lost_corner(ground, reach, ends)
    if corner is not None:
        yield "area_edge", np.vstack([xy, corner])
    step = np.hypot(*np.diff(xy, axis=0).T)
    if gap < min(_NEAR_M, float(np.median(step))):
        yield "vertices", xy[:-1]
    yield "vertices", xy


def _edges(ground: Ground, reach: str) -> list[Any]:
    """Lines and the centre line of a reach: what the outline of its area runs along."""
    lines = ground.case.lines
    mine = lines.geometry[lines["reach_id"].astype(str) == reach]
    return [g for g in mine if geometry.finite(g)]


def _lost_corner(ground: Ground, reach: str, ends: Any) -> Array | None:
    """An end of a line or of the reach that lies between two open ends and is in no other place of the ring."""
    axis = ground.reaches.get(reach)
    candidates = [
        shapely.get_coordinates(g)[[0, -1]] for g in [*_edges(ground, reach), *([] if axis is None else [axis])]
    ]
    if not candidates:
        return None
    corners = np.vstack(candidates)
    sum_m = np.hypot(*(corners - ends.coords[0]).T) + np.hypot(*(corners - ends.coords[1]).T)
    k = int(np.argmin(sum_m))
    away = min(np.hypot(*(corners[k] - p)) for p in np.asarray(ends.coords))
    return corners[k] if away > _SAME_M and sum_m[k] < 2.5 * ends.length else None


def outline(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """An area that leaves out the centre line or the water although the lines do not: its outline along the lines again."""
    for row in _area_rows(ground, d):
        area = ground.shape("areas", row)
        if not geometry.finite(area) or area.geom_type != "Polygon":
            continue
        edges = _edges(ground, str(d.reach))
        moved = _along_lines(
            shapely.get_coordinates(area.exterior)[:-1], edges, ground.reaches.get(str(d.reach)), d.place
        )
        changed = None if moved is None else shapely.Polygon(moved, area.interiors)
        if changed is not None and changed.is_valid and not changed.equals(area):
            yield Repair(
                n, _name(ground, row), "geometry", "area_edge", (Change("areas", SHAPE, row, shape=changed),),
                f"Bring the outline back to the line ({changed.area - area.area:+.0f} m2).", f"面边界改回沿边线（{changed.area - area.area:+.0f}平方米）。",
            )  # fmt: skip


def _along_lines(ring: Array, edges: list[Any], axis: Any, place: Any) -> Array | None:
    """The ring with the stretch off all lines that lies nearest to a place drawn along the line between its ends."""
    if not edges:
        return None
    on = shapely.distance(shapely.MultiLineString(edges), shapely.points(ring)) < _SAME_M
    if axis is not None:  # corners at the nodes lie on no line and stay
        on |= shapely.distance(shapely.points(axis.coords[0]), shapely.points(ring)) < _SAME_M
        on |= shapely.distance(shapely.points(axis.coords[-1]), shapely.points(ring)) < _SAME_M
    if on.all() or on.sum() < 2:
        return None
    turned = np.roll(ring, -int(np.argmax(on)), axis=0)
    off = np.flatnonzero(~np.roll(on, -int(np.argmax(on))))
    blocks = np.split(off, np.flatnonzero(np.diff(off) > 1) + 1)
    near = [float(shapely.distance(shapely.multipoints(turned[b]), place)) for b in blocks]
    block = blocks[int(np.argmin(near))]
    start, end = turned[block[0] - 1], turned[(block[-1] + 1) % len(turned)]
    for line in edges:
        new = Course("area_edge", line).between(start, end, shapely.Point(), _SAME_M)
        if new is not None:
            return np.vstack([turned[: block[0]], new, turned[block[-1] + 1 :]])
    return None
