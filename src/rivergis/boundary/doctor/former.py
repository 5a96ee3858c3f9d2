"""Has the line been drawn in against the former version (较前缩小)? Any reduction is told, no enlargement is."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from rivergis.boundary.doctor.axes import Axes, Ints
from rivergis.boundary.doctor.case import Case, Defect
from rivergis.boundary.doctor.desk import Desk
from rivergis.boundary.doctor.lines import nearest_reach
from rivergis.boundary.doctor.profile import Edge, Points, bundles, edge_of, stretches_of


def former_edge(case: Case, axes: Axes) -> tuple[Any, Ints, Edge]:
    """The former lines, the reach of each, and the edge they make in chainage and outward offset, by the bank they lie on."""
    assert case.former is not None
    shapes = np.asarray(case.former.geometry.values)
    row = case.former["reach_id"].map(axes.row)
    reach = row.fillna(-1).to_numpy(np.int64)
    lost = reach < 0
    if lost.any():
        reach[lost] = nearest_reach(axes, shapes[lost])
    return shapes, reach, edge_of(axes, shapes, reach)


def shrunk(desk: Desk, at: Points) -> list[Defect]:
    """shrunk_against_former: stretches where the line lies nearer to the river than the former one."""
    if desk.case.former is None or not len(at.s):
        return []
    tolerance = desk.case.limits.shrink_tolerance_m
    former, reach, edge = former_edge(desk.case, desk.axes)
    lost = np.nan_to_num(edge.at(at.key, at.s) - at.out)
    far = np.flatnonzero(lost > 0.5 * tolerance)
    # the chainage says on which side of the former line a point lies, the straight way how far
    lost[far] = shapely.distance(bundles(former, reach, at.reach[far]), shapely.points(at.p.xy[at.keep[far]]))
    flag = lost > tolerance
    return stretches_of(desk, at, "shrunk_against_former", flag, lost, desk.case.limits.min_stretch_m)
