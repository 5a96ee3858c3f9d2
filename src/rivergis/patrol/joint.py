"""联合巡河 joint patrols across borders: where and how long tracks of two units went together.

Two people of neighbouring towns walk their shared river with a phone each: both are credited, and the report says with whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import shapely

from rivergis.patrol.fixes import Floats

STEP_S = 15.0  # positions are compared this often
HOLE_S = 120.0  # between fixes farther apart in time the place of a person is not known


@dataclass(frozen=True, eq=False)
class Course:
    """A track for comparing: ``t_s`` (seconds since 1970, rising), ``x`` and ``y`` (metres of one zone), shape (n,) each."""

    key: str
    unit: str
    t_s: Floats
    x: Floats
    y: Floats


@dataclass(frozen=True)
class Limits:
    """Nearer than ``distance_m`` for at least ``overlap_s``, and within ``border_m`` of the shared border."""

    distance_m: float
    overlap_s: float
    border_m: float


@dataclass(frozen=True)
class Meeting:
    """Two tracks that went together: keys, seconds together, from and to (seconds since 1970), middle of the way (metres)."""

    a: str
    b: str
    seconds: float
    from_s: float
    to_s: float
    x: float
    y: float


def meetings(courses: Sequence[Course], limits: Limits, border: shapely.Geometry | None = None) -> list[Meeting]:
    """Every pair of tracks of different units that went together; symmetric in the order of the tracks.

    ``border``: lines of the reaches shared by the units, in the same metres; None: the place does not matter. An empty
    geometry: they share none, so nothing is a joint patrol across it.
    """
    ordered = sorted(courses, key=lambda c: c.key)
    found = (together(a, b, limits) for a, b in combinations(ordered, 2) if a.unit != b.unit)
    return [m for m in found if m is not None and _at_border(m, limits, border)]


def together(a: Course, b: Course, limits: Limits) -> Meeting | None:
    """How long two tracks were near each other at the same time; None when shorter than the limit."""
    if not (len(a.t_s) and len(b.t_s)):
        return None
    start, end = max(a.t_s[0], b.t_s[0]), min(a.t_s[-1], b.t_s[-1])
    if end - start < limits.overlap_s:
        return None
    t = np.arange(np.ceil(start / STEP_S) * STEP_S, end, STEP_S)
    (ax, ay), (bx, by) = _at(a, t), _at(b, t)
    near = np.flatnonzero(np.hypot(ax - bx, ay - by) <= limits.distance_m)
    if len(near) * STEP_S < limits.overlap_s:
        return None
    x, y = (ax + bx)[near] / 2, (ay + by)[near] / 2
    middle = len(near) // 2
    seconds = float(len(near) * STEP_S)
    return Meeting(a.key, b.key, seconds, float(t[near[0]]), float(t[near[-1]]), float(x[middle]), float(y[middle]))


def _at(course: Course, t: Floats) -> tuple[Floats, Floats]:
    """Positions at times between fixes, NaN inside holes of the recording."""
    after = np.clip(np.searchsorted(course.t_s, t), 1, max(len(course.t_s) - 1, 1))
    hole = np.diff(course.t_s, prepend=course.t_s[0])[np.minimum(after, len(course.t_s) - 1)] > HOLE_S
    x, y = np.interp(t, course.t_s, course.x), np.interp(t, course.t_s, course.y)
    return np.where(hole, np.nan, x), np.where(hole, np.nan, y)


def _at_border(meeting: Meeting, limits: Limits, border: shapely.Geometry | None) -> bool:
    if border is None:
        return True
    return bool(shapely.dwithin(border, shapely.Point(meeting.x, meeting.y), limits.border_m))
