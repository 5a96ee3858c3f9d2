"""What in noded lines a person should look at: crossings without a node, spikes, and pieces shorter than the tolerance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from rivergis.river.course import Course
from rivergis.river.drawn import Ints, NetworkDefect
from rivergis.river.ends import Sources

_MADE = ("canal", "ditch")
_SPIKE = 0.9994
"""Cosine of 2 degrees between the way out and the way back."""


def suspects(course: Course, sources: Sources, kinds: npt.NDArray[np.object_]) -> list[NetworkDefect]:
    """Crossings that were kept apart, spikes and short pieces of a settled course; nothing is changed."""
    if not len(course.row):
        return []
    return _crossings(course, sources, kinds) + _spikes(course, sources) + _short(course, sources)


def _crossings(course: Course, sources: Sources, kinds: npt.NDArray[np.object_]) -> list[NetworkDefect]:
    found = course.crossings
    away = [_from_end(course, k, f) > sources.snap_m for k, f in ((found.ka, found.fa), (found.kb, found.fb))]
    on_spike = (course.line[found.ka] == course.line[found.kb]) & (found.fa == 0) & (found.fb == 0)
    found = found.where((away[0] | away[1]) & ~on_spike)
    a, b = course.row[course.line[found.ka]], course.row[course.line[found.kb]]
    made = np.isin(kinds, _MADE)
    apart = ~sources.alike(a, b) | (made[a] != made[b])
    return [
        _crossing(shapely.Point(at), int(sources.fid[i]), int(sources.fid[j]), bool(graded))
        for at, i, j, graded in zip(found.at, a.tolist(), b.tolist(), apart.tolist(), strict=True)
    ]


def _from_end(course: Course, k: Ints, f: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    along = course.along(k, f)
    return np.minimum(along, course.length[course.line[k]] - along)


def _crossing(at: shapely.Point, i: int, j: int, graded: bool) -> NetworkDefect:
    if i == j:
        text = f"Line {i} crosses itself without a common vertex: check whether it is a loop, or was drawn wrongly."
        return NetworkDefect("self_crossing", "warning", at, text, source_fid=i)
    if graded:
        text = f"Lines {i} and {j} cross on different levels (culvert, aqueduct, canal over river): kept apart."
        return NetworkDefect("crossing_grade_separated", "info", at, text, source_fid=i)
    text = (
        f"Lines {i} and {j} cross without a common vertex: kept apart; if the waters meet here, draw a vertex in both."
    )
    return NetworkDefect("crossing_without_node", "warning", at, text, source_fid=i)


def _spikes(course: Course, sources: Sources) -> list[NetworkDefect]:
    """Vertices at which a line turns back on itself."""
    inner = np.ones(len(course.xy), dtype=np.bool_)
    inner[course.ends] = False
    k = np.flatnonzero(inner)
    back, on = course.xy[k - 1] - course.xy[k], course.xy[k + 1] - course.xy[k]
    m = np.hypot(*back.T), np.hypot(*on.T)
    sharp = (back * on).sum(axis=1) > _SPIKE * m[0] * m[1]
    return [
        NetworkDefect(
            "spike",
            "warning",
            shapely.Point(course.xy[i]),
            f"The line goes out {out:.2f} m and comes back the same way: check whether this is a spike of the drawing.",
            float(out),
            "m",
            int(sources.fid[course.row[course.line[i]]]),
        )
        for i, out in zip(k[sharp].tolist(), np.minimum(*m)[sharp].tolist(), strict=True)
    ]


def _short(course: Course, sources: Sources) -> list[NetworkDefect]:
    return [
        NetworkDefect(
            "short_line",
            "warning",
            shapely.Point(course.xy[course.first[i]]),
            f"A piece of {course.length[i]:.3f} m is shorter than the tolerance of {sources.snap_m:g} m: kept; check whether it is meant.",
            float(course.length[i]),
            "m",
            int(sources.fid[course.row[i]]),
        )
        for i in np.flatnonzero(course.length < sources.snap_m).tolist()
    ]
