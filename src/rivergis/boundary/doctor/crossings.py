"""Lines of one reach across those of another: a corner at a mouth that was not trimmed, a line drawn into a neighbour's."""

from __future__ import annotations

import numpy as np
import shapely

from rivergis.boundary.doctor.axes import Ints
from rivergis.boundary.doctor.case import Defect
from rivergis.boundary.doctor.desk import Desk
from rivergis.boundary.doctor.lines import Laid


def crossings(desk: Desk, laid: Laid, kind: Ints) -> list[Defect]:
    """crosses_other_reach_line: one defect a pair of lines, with the longest way that either runs on behind the other."""
    limits = desk.case.limits
    rows = np.flatnonzero(laid.main)
    shapes = laid.shapes[rows]
    a, b = shapely.STRtree(shapes).query(shapes, predicate="crosses")
    a, b = rows[a[a < b]], rows[b[a < b]]
    apart = (laid.reach[a] != laid.reach[b]) & (kind[a] == kind[b])
    near = max(limits.snap_m, limits.seam_tolerance_m)
    found = []
    for i, j in zip(a[apart].tolist(), b[apart].tolist(), strict=True):
        place = _first_point(laid.shapes[i], laid.shapes[j])
        past = [_past(laid, r, place) for r in (i, j)]
        if min(past) > near:
            found.append(_crossing(desk, laid, i, j, place, past[0]))
    return found


def _first_point(one: shapely.LineString, other: shapely.LineString) -> shapely.Point:
    shared = shapely.get_coordinates(shapely.intersection(one, other))
    return shapely.Point(shared[0])


def _past(laid: Laid, row: int, place: shapely.Point) -> float:
    """How far a line runs on behind a place, to its nearer end."""
    at = float(shapely.line_locate_point(laid.shapes[row], place))
    return min(at, float(laid.length[row]) - at)


def _crossing(desk: Desk, laid: Laid, i: int, j: int, place: shapely.Point, past_m: float) -> Defect:
    s, _, beyond = laid.axes.feet(laid.reach[[i]], shapely.get_coordinates(place))
    at = float(s[0] + beyond[0])
    names = desk.names(i, j)
    other = str(laid.axes.ids[laid.reach[j]])
    return desk.defect(
        "crosses_other_reach_line",
        int(laid.reach[i]),
        int(laid.bank[i]),
        (at - past_m, at + past_m),
        place,
        names,
        past_m,
        bank=desk.bank(i),
        what=other,
        detail={"other_reach": other},
    )
