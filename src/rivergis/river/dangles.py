"""Open ends of river lines: too short (undershoot), not met (gap), or past the line they were drawn to (overshoot)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from scipy.spatial import cKDTree

from rivergis.river.course import EXTENDED, TOUCH_M, TRIMMED, Bools, Course, cleaned, feet, ray_meets, with_vertices
from rivergis.river.drawn import Floats, Ints, NetworkDefect
from rivergis.river.ends import Sources

_CONE = 0.5
"""Cosine of 60 degrees: how far a target may lie from where an open end points."""

_DETOUR = 4.0
"""A target is a line's own neighbour where the way to it along the lines is shorter than this many gaps."""

_BODY = 2.0
"""A line is trimmed where the rest of it is longer than this many times what would be taken off."""

_EQUAL = 1.25
"""A second target is about equally near up to this ratio."""


class _Targets(NamedTuple):
    """Places that open ends may be drawn to: end ``who`` (into the open ends), line, position, metres, chainage there."""

    who: Ints
    line: Ints
    at: Floats
    m: Floats
    along: Floats

    def where(self, keep: Bools | Ints) -> _Targets:
        return _Targets(self.who[keep], self.line[keep], self.at[keep], self.m[keep], self.along[keep])


def open_ends(course: Course) -> Ints:
    """Which of ``course.ends`` meet no other end."""
    _, node = course.nodes
    return np.flatnonzero(np.bincount(node)[node] == 1)


def trim(course: Course, sources: Sources, gap_m: float) -> tuple[Course, list[NetworkDefect]]:
    """Open ends shortened to the line that they pass by less than a gap."""
    course, past_nodes = _without_stubs(course, sources, gap_m)
    end, corner, at, tail = _tails(course, sources, gap_m)
    number, stop = len(course.row), end >= len(course.row)
    line = end % number
    xy, low, high = course.xy.copy(), course.first.copy(), course.last.copy()
    xy[corner] = at
    low[line[~stop]], high[line[stop]] = corner[~stop], corner[stop]
    vertex = np.arange(len(xy))
    keep = (vertex >= low[course.line]) & (vertex <= high[course.line])
    told = [_trimmed(at[i], float(tail[i]), int(sources.fid[course.row[line[i]]])) for i in range(len(end))]
    shorter = course.made(keep, course.line[keep], xy[keep]).marked(line, TRIMMED)
    return cleaned(shorter)[0], past_nodes + told


def _trimmed(at: Floats, tail_m: float, fid: int) -> NetworkDefect:
    return NetworkDefect(
        "overshoot_trimmed",
        "warning",
        shapely.Point(at),
        f"The line ran {tail_m:.2f} m past the line that it meets and ended there: the rest was taken off.",
        tail_m,
        "m",
        fid,
        True,
    )


def _without_stubs(course: Course, sources: Sources, gap_m: float) -> tuple[Course, list[NetworkDefect]]:
    """Overshoots that were cut off at a node: the short open rest of a line beyond where two other ends meet."""
    number, ends = len(course.row), course.ends
    where, node = course.nodes
    end = open_ends(course)
    line, hinge = end % number, (end + number) % (2 * number)
    short = (course.length[line] < gap_m) & (course.length[line] > sources.snap_m)
    line, at = line[short], node[hinge[short]]
    row = course.row[np.arange(len(ends)) % number]
    found = []
    by_node = np.argsort(node, kind="stable")
    low, high = np.searchsorted(node[by_node], at, side="left"), np.searchsorted(node[by_node], at, side="right")
    for i, begin, stop in zip(line.tolist(), low.tolist(), high.tolist(), strict=True):
        met = by_node[begin:stop]
        own = met[(row[met] == course.row[i]) & (met % number != i)] % number
        body = own[course.length[own] > _BODY * course.length[i]]
        if len(body) and (row[met] != course.row[i]).sum() >= 2:
            found.append((i, int(body[0]), by_node[begin]))
    told = [_trimmed(where[node[k]], float(course.length[i]), int(sources.fid[course.row[i]])) for i, _, k in found]
    keep = np.ones(number, dtype=np.bool_)
    keep[[i for i, _, _ in found]] = False
    return course.marked(np.array([body for _, body, _ in found], dtype=np.int64), TRIMMED).only(keep), told


def _tails(course: Course, sources: Sources, gap_m: float) -> tuple[Ints, Ints, Floats, Floats]:
    """What to trim: which of ``course.ends``, the vertex that becomes the end, its position, the length taken off."""
    found = course.crossings
    rows = course.row[course.line[found.ka]], course.row[course.line[found.kb]]
    found = found.where(sources.alike(*rows) & (course.line[found.ka] != course.line[found.kb]))
    k, f = np.concatenate([found.ka, found.kb]), np.concatenate([found.fa, found.fb])
    at, line, along = np.concatenate([found.at, found.at]), course.line[k], course.along(k, f)
    rest = course.length[line] - along
    stop, tail = rest < along, np.minimum(along, rest)
    end = np.where(stop, line + len(course.row), line)
    body = np.maximum(along, rest)
    fits = np.isin(end, open_ends(course)) & (tail < gap_m) & (tail > sources.snap_m) & (body > _BODY * tail)
    order = np.flatnonzero(fits)[np.lexsort([tail[fits], end[fits]])]
    once = order[np.concatenate([[True], np.diff(end[order]) != 0])[: len(order)]]
    corner = np.where(stop & (f > 0), k + 1, k)
    return end[once], corner[once], at[once], tail[once]


def extend(course: Course, sources: Sources, gap_m: float) -> tuple[Course, list[NetworkDefect]]:
    """Open ends drawn on to the line or open end that they point to within a gap."""
    ends = open_ends(course)
    points = course.xy[course.ends[ends]]
    heading = _headings(course, ends, gap_m)
    fit = _fitting(course, sources, ends, points, heading, gap_m)
    order = np.lexsort([fit.at[:, 1], fit.at[:, 0], np.round(fit.m, 6), fit.who])
    fit = fit.where(order)
    first = np.flatnonzero(np.concatenate([[True], np.diff(fit.who) != 0])[: len(fit.who)])
    best = fit.where(first)
    other = _open_target(best, ends, points)
    facing = (heading[other] * (points[best.who] - points[other])).sum(axis=1) >= 0
    chosen = (other < 0) | facing
    chosen &= ~_twice(best, other, points) & ~_blocked(course, points, best)
    rivals = _rivals(fit, best)
    told = [
        _closed(
            points,
            best,
            i,
            bool(other[i] >= 0),
            rivals[i],
            int(sources.fid[course.row[ends[best.who[i]] % len(course.row)]]),
        )
        for i in np.flatnonzero(chosen).tolist()
    ]
    return _drawn_on(course, ends[best.who[chosen]], best.at[chosen]), told


def _headings(course: Course, ends: Ints, gap_m: float) -> Floats:
    """Unit vectors in which open ends point, over their last half gap."""
    if not len(ends):
        return np.empty((0, 2))
    line, stop = ends % len(course.row), ends >= len(course.row)
    back = np.minimum(gap_m / 2, course.length[line] / 2)
    shapes = course.some_lines(line)
    inner = shapely.line_interpolate_point(shapes, np.where(stop, course.length[line] - back, back))
    way = course.xy[course.ends[ends]] - shapely.get_coordinates(inner)
    return way / np.maximum(np.hypot(*way.T), 1e-12)[:, None]


def _fitting(course: Course, sources: Sources, ends: Ints, points: Floats, heading: Floats, gap_m: float) -> _Targets:
    """Places within a gap of open ends, ahead of them, on lines that they may meet."""
    near = feet(course, points, gap_m)
    targets = _Targets(near.who, course.line[near.k], near.at, near.m, course.along(near.k, near.f))
    hits = _ahead(course, points, heading, gap_m)
    targets = _Targets(*(np.concatenate(pair) for pair in zip(targets, hits, strict=True)))
    targets = targets.where(targets.m > TOUCH_M)
    towards = (targets.at - points[targets.who]) / targets.m[:, None]
    ahead = (towards * heading[targets.who]).sum(axis=1) >= _CONE
    targets = targets.where(ahead)
    targets = _at_ends(course, points, targets, sources.snap_m)
    targets = targets.where((targets.m > TOUCH_M) & (targets.m <= gap_m))
    return targets.where(_meetable(course, sources, ends, targets) & ~_own(course, ends, targets, gap_m))


def _ahead(course: Course, points: Floats, heading: Floats, gap_m: float) -> _Targets:
    """Where the straight continuation of open ends meets lines."""
    who, k = course.index.near(shapely.linestrings(np.stack([points, points + gap_m * heading], axis=1)))
    t, f = ray_meets(points[who], gap_m * heading[who], course.xy[k], course.xy[k + 1])
    hit = (t >= 0) & (t <= 1) & (f >= 0) & (f <= 1)
    who, k, t, f = who[hit], k[hit], t[hit], f[hit]
    return _Targets(
        who, course.line[k], points[who] + (t * gap_m)[:, None] * heading[who], t * gap_m, course.along(k, f)
    )


def _at_ends(course: Course, points: Floats, targets: _Targets, snap_m: float) -> _Targets:
    """Targets within the tolerance of the end of their line, or about as near as that end, told as that end."""
    rest = course.length[targets.line] - targets.along
    vertex = np.where(targets.along <= rest, course.first[targets.line], course.last[targets.line])
    m = np.hypot(*(points[targets.who] - course.xy[vertex]).T)
    to_end = (np.minimum(targets.along, rest) <= snap_m) | (m <= _EQUAL * targets.m)
    at = np.where(to_end[:, None], course.xy[vertex], targets.at)
    along = np.where(to_end, course.chainage[vertex], targets.along)
    return _Targets(targets.who, targets.line, at, np.where(to_end, m, targets.m), along)


def _meetable(course: Course, sources: Sources, ends: Ints, targets: _Targets) -> Bools:
    """Whether the level allows it: the inside of a covered line or of one on another level is not drawn to."""
    mine = course.row[ends[targets.who] % len(course.row)]
    theirs = course.row[targets.line]
    inside = (targets.along > 0) & (targets.along < course.length[targets.line])
    return ~inside | (sources.level[mine] == sources.level[theirs]) & (sources.covered[mine] | ~sources.covered[theirs])


def _own(course: Course, ends: Ints, targets: _Targets, gap_m: float) -> Bools:
    """Whether a target is the open end's own line, or joined to its other end by a short way: no repair, only a bend."""
    number = len(course.row)
    _, node = course.nodes
    end = ends[targets.who]
    mine, back = end % number, (end + number) % (2 * number)
    reach = _DETOUR * gap_m
    start = np.where(end < number, targets.along, course.length[mine] - targets.along)
    own = (mine == targets.line) & (start < reach)
    way = course.length[mine] + np.minimum(
        np.where(node[back] == node[targets.line], targets.along, np.inf),
        np.where(node[back] == node[targets.line + number], course.length[targets.line] - targets.along, np.inf),
    )
    return np.asarray(own | ((mine != targets.line) & (way < reach)), dtype=np.bool_)


def _open_target(best: _Targets, ends: Ints, points: Floats) -> Ints:
    """The open end that a target is, or -1."""
    if not len(ends):
        return np.empty(0, dtype=np.int64)
    m, i = cKDTree(points).query(best.at) if len(best.who) else (np.empty(0), np.empty(0, dtype=np.int64))
    return np.where(m == 0, i, -1).astype(np.int64)


def _twice(best: _Targets, other: Ints, points: Floats) -> Bools:
    """Of two open ends that chose each other only the western (then southern) one is drawn on."""
    choice = np.full(len(points), -1)
    choice[best.who] = other
    mutual = (other >= 0) & (choice[other] == best.who)
    a, b = points[best.who], points[other]
    return mutual & ((a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1])))


def _blocked(course: Course, points: Floats, best: _Targets) -> Bools:
    """Whether the closing stretch would cross another line on its way."""
    a, d = points[best.who], best.at - points[best.who]
    i, k = course.index.near(shapely.linestrings(np.stack([a, a + d], axis=1)))
    t, f = ray_meets(a[i], d[i], course.xy[k], course.xy[k + 1])
    margin = TOUCH_M / best.m[i]
    inside = (t > margin) & (t < 1 - margin) & (f >= 0) & (f <= 1)
    return np.bincount(i[inside], minlength=len(a)) > 0


def _rivals(fit: _Targets, best: _Targets) -> Ints:
    """How many other places, apart by a quarter of the distance, are about equally near."""
    row = np.searchsorted(best.who, fit.who)
    apart = np.hypot(*(fit.at - best.at[row]).T) > best.m[row] / 4
    close = fit.m <= _EQUAL * best.m[row]
    return np.bincount(row[apart & close], minlength=len(best.who)).astype(np.int64)


def _closed(points: Floats, best: _Targets, i: int, gap: bool, rivals: int, fid: int) -> NetworkDefect:
    what = "an open end that faces it" if gap else "the line that it points to"
    doubt = f" {rivals} other place(s) are about equally near: check which one is meant." if rivals else ""
    return NetworkDefect(
        "gap_closed" if gap else "undershoot_closed",
        "warning",
        shapely.Point(points[best.who[i]]),
        f"The open end was drawn on by {best.m[i]:.2f} m to {what}.{doubt}",
        float(best.m[i]),
        "m",
        fid,
        True,
    )


def _drawn_on(course: Course, end: Ints, to: Floats) -> Course:
    """Lines with a vertex more at some ends."""
    number = len(course.row)
    longer = with_vertices(course, course.ends[end], np.where(end >= number, 1.0, -1.0), to)
    return longer.marked(end % number, EXTENDED)
