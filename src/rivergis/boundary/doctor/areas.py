"""Management areas: closed, no slivers, and the river lies in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from rivergis.boundary.doctor import areas_check
from rivergis.boundary.doctor.axes import Axes, Ints
from rivergis.boundary.doctor.case import Defect
from rivergis.boundary.doctor.desk import Desk

NOISY = ("area_self_crossing", "area_hole_sliver")
"""Faults that small loops of the lines also leave in the areas made from them: told from the noise of areas upwards."""
_TOUCH_M = 0.05


def areas(desk: Desk) -> list[Defect]:
    """area_not_closed, sliver_area, centreline_not_inside, and what areas beside each other show."""
    frame = desk.case.areas
    if frame is None or not len(frame):
        return []
    shapes = np.asarray(frame.geometry.values, object)
    reach = _reach(desk.axes, frame, shapes)
    limits = areas_check.Limits(sliver_max_width_m=desk.case.limits.sliver_max_width_m)
    found, slivers = [], set()
    for d in areas_check.check_areas(frame, limits):
        if d.code in NOISY and d.unit == "m2" and (d.measure or 0.0) < limits.noise_m2:
            continue
        row = d.rows[0]
        slivers |= set(d.rows) if d.code == "sliver_area" else set()
        found.append(_fault(desk, frame, reach, d, shapes[row]))
    ground = np.array([r not in slivers for r in range(len(shapes))])
    return found + _river_inside(desk, frame, _closed(shapes), reach, ground)


def _reach(axes: Axes, frame: Any, shapes: Any) -> Ints:
    row = frame["reach_id"].map(axes.row)
    reach = row.fillna(-1).to_numpy(np.int64)
    lost = (reach < 0) & ~shapely.is_empty(shapes) & ~shapely.is_missing(shapes)
    if lost.any():
        reach[lost] = axes.tree.nearest(shapely.point_on_surface(shapes[lost]))
    return reach


def _fault(desk: Desk, frame: Any, reach: Ints, d: areas_check.AreaDefect, shape: Any) -> Defect:
    place = d.place if not d.place.is_empty else shapely.Point(0, 0) if shape is None else shapely.centroid(shape)
    at = int(reach[d.rows[0]])
    s = side = 0.0
    if at >= 0:
        s_, o_, _ = desk.axes.feet(np.array([at]), shapely.get_coordinates(place))
        s, side = float(s_[0]), float(np.sign(o_[0]))
    whole = d.code == "area_not_closed"
    span = (0.0, float(desk.axes.length[at])) if whole else (s, s)
    names = [str(frame["area_id"].iat[r]) for r in d.rows]
    bank = "" if whole else None
    return desk.defect(
        d.code, at, 0 if whole else int(side), span, place, names, d.measure, d.unit, bank=bank, layer="areas"
    )


def _closed(shapes: Any) -> Any:
    """Areas with those that are still lines closed, so that the river is looked for in them too."""
    out = np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes))
    for i in np.flatnonzero(np.isin(shapely.get_type_id(shapes), (1, 2))).tolist():
        out[i] = shapely.make_valid(shapely.polygons(np.vstack([c := shapely.get_coordinates(shapes[i]), c[:1]])))
    return out


def _river_inside(desk: Desk, frame: Any, shapes: Any, reach: Ints, ground: Any) -> list[Defect]:
    """Stretches of centre lines outside the areas of their own and the neighbouring reaches."""
    axes, least = desk.axes, desk.case.limits.min_stretch_m
    own: dict[int, list[int]] = {}
    for row in np.flatnonzero(ground & (reach >= 0)).tolist():
        own.setdefault(int(reach[row]), []).append(row)
    which = np.array(sorted(own), np.int64)
    whole = np.array([_union(shapes[own[r]]) for r in which.tolist()], object)
    rest = shapely.difference(axes.shapes[which], whole)
    found = []
    tree = shapely.STRtree(shapes[ground])
    for k in np.flatnonzero(shapely.length(rest) > least).tolist():
        near = tree.query(rest[k], predicate="intersects")
        left = (
            shapely.difference(rest[k], shapely.buffer(_union(shapes[ground][near]), _TOUCH_M))
            if len(near)
            else rest[k]
        )
        for part in shapely.get_parts(shapely.line_merge(left)):
            if part.length > least:
                found.append(_outside(desk, frame, int(which[k]), part, whole[k], own[int(which[k])]))
    return found


def _union(shapes: Any) -> Any:
    return shapes[0] if len(shapes) == 1 else shapely.union_all(shapes)


def _outside(desk: Desk, frame: Any, reach: int, part: Any, area: Any, rows: list[int]) -> Defect:
    """The river leaves the area: told at the edge of the area, on the bank whose edge lies across the river."""
    middle = shapely.line_interpolate_point(part, 0.5, normalized=True)
    edge = shapely.get_point(shapely.shortest_line(middle, area), -1)
    ends = shapely.get_coordinates([shapely.get_point(part, 0), shapely.get_point(part, -1)])
    at = np.array([reach, reach, reach])
    s, o, _ = desk.axes.feet(at, np.vstack([ends, shapely.get_coordinates(edge)]))
    side = -int(np.sign(o[2]))
    names = [str(frame["area_id"].iat[r]) for r in rows]
    span = (float(s[:2].min()), float(s[:2].max()))
    return desk.defect("centreline_not_inside", reach, side, span, edge, names, float(part.length), layer="areas")
