"""Many lines as one table of vertices: where they cross, what lies near a point, and cutting them there.

Everything is in metres of a local zone. A place on a line is a vertex ``k`` and a fraction ``f`` of the segment that
begins there; ``f`` 0 is the vertex itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from rivergis.river.drawn import Floats, Ints
from rivergis.river.segments import Known, Segments, Sorted

Bools = npt.NDArray[np.bool_]

SNAPPED, EXTENDED, TRIMMED = 1, 2, 4
REPAIRS = {SNAPPED: "snapped", EXTENDED: "extended", TRIMMED: "trimmed"}
TOUCH_M = 1e-6
"""Two lines closer than this touch: the rounding of coordinates in metres of a zone."""

SAME_M = 1e-3
"""Vertices closer than this are one and the same: a millimetre, less than any survey tells."""


class Feet(NamedTuple):
    """Places on segments that belong to points: point ``who``, place ``k``, ``f``, position ``at``, distance ``m``."""

    who: Ints
    k: Ints
    f: Floats
    at: Floats
    m: Floats

    def where(self, keep: Bools | Ints) -> Feet:
        """Some of them."""
        return Feet(self.who[keep], self.k[keep], self.f[keep], self.at[keep], self.m[keep])


class Crossings(NamedTuple):
    """Pairs of segments that meet: places ``ka``, ``fa`` on the one and ``kb``, ``fb`` on the other, position ``at``."""

    ka: Ints
    fa: Floats
    kb: Ints
    fb: Floats
    at: Floats

    def where(self, keep: Bools | Ints) -> Crossings:
        """Some of them."""
        return Crossings(self.ka[keep], self.fa[keep], self.kb[keep], self.fb[keep], self.at[keep])


@dataclass(frozen=True)
class Course:
    """Lines as vertices ``xy`` (m, 2) with the number of their ``line``, which rises from 0 without holes.

    Per line: ``row`` of the source frame, ``repair`` bits. Pieces of one row stand in the order in which they were drawn.
    ``known``: segments that were sorted for an earlier course, most of which are still there.
    """

    xy: Floats
    line: Ints
    row: Ints
    repair: Ints
    known: Known | None = None

    @cached_property
    def first(self) -> Ints:
        """Vertex with which each line begins."""
        return np.searchsorted(self.line, np.arange(len(self.row)), side="left").astype(np.int64)

    @cached_property
    def last(self) -> Ints:
        """Vertex with which each line ends."""
        return np.searchsorted(self.line, np.arange(len(self.row)), side="right").astype(np.int64) - 1

    @cached_property
    def ends(self) -> Ints:
        """Vertices of all beginnings, then of all ends."""
        return np.concatenate([self.first, self.last])

    @cached_property
    def segments(self) -> Ints:
        """Vertices with which a segment begins."""
        return np.flatnonzero(self.line[1:] == self.line[:-1])

    @cached_property
    def chainage(self) -> Floats:
        """Metres from the beginning of its line to each vertex."""
        step = np.hypot(*np.diff(self.xy, axis=0).T)
        run = np.concatenate([[0.0], np.cumsum(np.where(self.line[1:] == self.line[:-1], step, 0.0))])
        return run - run[self.first][self.line] if len(self.line) else run[:0]

    @cached_property
    def length(self) -> Floats:
        """Metres of each line."""
        return self.chainage[self.last]

    @cached_property
    def index(self) -> Segments:
        """The segments, to be found by place."""
        return Segments.of(self.xy, self.segments, self.known)

    @cached_property
    def nodes(self) -> tuple[Floats, Ints]:
        """Distinct positions of ends in the order of x, then y, and the one of each of ``ends``."""
        return distinct(self.xy[self.ends])

    @cached_property
    def cells(self) -> Ints:
        """Vertices in whole millimetres: where two agree, they are one."""
        return np.round(self.xy / SAME_M).astype(np.int64)

    @cached_property
    def crossings(self) -> Crossings:
        """Where segments meet, except neighbours on one line; every pair of lines once per place."""
        return _distinct(self, meeting(self, *self.index.pairs))

    def at(self, k: Ints, f: Floats) -> Floats:
        """Positions of places."""
        following = np.minimum(k + 1, len(self.xy) - 1)
        return np.where(f[:, None] > 0, self.xy[k] + f[:, None] * (self.xy[following] - self.xy[k]), self.xy[k])

    def along(self, k: Ints, f: Floats) -> Floats:
        """Metres from the beginning of the line to places."""
        following = np.minimum(k + 1, len(self.xy) - 1)
        return self.chainage[k] + np.where(f > 0, f * (self.chainage[following] - self.chainage[k]), 0.0)

    def lines(self) -> npt.NDArray[np.object_]:
        """The lines as geometries."""
        return np.asarray(shapely.linestrings(self.xy, indices=self.line), dtype=object).reshape(-1)

    def some_lines(self, which: Ints) -> npt.NDArray[np.object_]:
        """Some of the lines as geometries."""
        asked = np.zeros(len(self.row), dtype=np.bool_)
        asked[which] = True
        return self.only(asked).lines()[np.cumsum(asked)[which] - 1]

    def made(self, vertex: Ints | Bools, line: Ints, xy: Floats | None = None, **lines: Ints) -> Course:
        """A course made of some of these vertices, in their order; where they moved, their new positions are ``xy``."""
        known = None if self.known is None else self.known._replace(origin=self.known.origin[vertex])
        return replace(self, xy=self.xy[vertex] if xy is None else xy, line=line, known=known, **lines)

    def remembered(self) -> Course:
        """The same, with its segments sorted for all courses that are made of it."""
        if self.known is not None and not self.index.worn:
            return self
        return replace(self, known=Known(Sorted(self.xy, self.segments), np.arange(len(self.xy))))

    def only(self, keep: Bools) -> Course:
        """Without some lines."""
        if keep.all():
            return self
        stays = keep[self.line]
        number = np.cumsum(keep) - 1
        return self.made(stays, number[self.line[stays]], row=self.row[keep], repair=self.repair[keep])

    def marked(self, lines: Ints | Bools, bit: int) -> Course:
        """With a repair noted on some lines."""
        repair = self.repair.copy()
        repair[lines] |= bit
        return replace(self, repair=repair)


def distinct(xy: Floats) -> tuple[Floats, Ints]:
    """Positions in the order of x, then y, each once, and which of them each given one is."""
    where, number = np.unique(np.ascontiguousarray(xy).view(np.complex128).reshape(-1), return_inverse=True)
    return where.view(np.float64).reshape(-1, 2), number.reshape(-1).astype(np.int64)


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], dtype=np.float64)


def ray_meets(a: Floats, da: Floats, b: Floats, b_end: Floats) -> tuple[Floats, Floats]:
    """Fractions along ``a + t da`` and along segments from ``b`` at which they meet; infinite where parallel."""
    db = b_end - b
    turn = _cross(da, db)
    skew = np.abs(turn) > 1e-9 * np.hypot(*da.T) * np.hypot(*db.T)
    safe = np.where(skew, turn, 1.0)
    return np.where(skew, _cross(b - a, db) / safe, np.inf), np.where(skew, _cross(b - a, da) / safe, np.inf)


def meeting(course: Course, ka: Ints, kb: Ints) -> Crossings:
    """Where pairs of segments meet that are not parallel; ends count, within ``TOUCH_M``."""
    a, da = course.xy[ka], course.xy[ka + 1] - course.xy[ka]
    b, db = course.xy[kb], course.xy[kb + 1] - course.xy[kb]
    la, lb = np.hypot(*da.T), np.hypot(*db.T)
    fa, fb = ray_meets(a, da, b, course.xy[kb + 1])
    meets = _within(fa, la) & _within(fb, lb)
    ka, fa = _place(course, ka[meets], fa[meets], la[meets])
    kb, fb = _place(course, kb[meets], fb[meets], lb[meets])
    return Crossings(ka, fa, kb, fb, np.where((fa > 0)[:, None], course.at(kb, fb), course.at(ka, fa)))


def _within(f: Floats, length: Floats) -> Bools:
    return np.asarray((f * length >= -TOUCH_M) & ((f - 1) * length <= TOUCH_M), dtype=np.bool_)


def _place(course: Course, k: Ints, f: Floats, length: Floats) -> tuple[Ints, Floats]:
    """Places on segments, told as the vertex where they are one."""
    at_end = (1 - f) * length <= TOUCH_M
    return np.where(at_end, k + 1, k), np.where(at_end | (f * length <= TOUCH_M), 0.0, f)


def _distinct(course: Course, found: Crossings) -> Crossings:
    """Each crossing of two lines once, where it was found at the vertex of two segments."""
    same_vertex = found.ka == found.kb
    pair = np.sort(np.stack([course.line[found.ka], course.line[found.kb]], axis=1), axis=1)
    key = np.column_stack([pair, np.round(found.at / SAME_M).astype(np.int64)])
    _, once = np.unique(key, axis=0, return_index=True)
    keep = np.zeros(len(key), dtype=np.bool_)
    keep[once] = True
    return found.where(keep & ~same_vertex)


def feet(course: Course, points: Floats, within_m: float) -> Feet:
    """The nearest place of every segment within a distance of each point."""
    who, k = course.index.near(shapely.points(points), predicate="dwithin", distance=within_m)
    a, d = course.xy[k], course.xy[k + 1] - course.xy[k]
    f = np.clip(((points[who] - a) * d).sum(axis=1) / (d * d).sum(axis=1), 0.0, 1.0)
    k, f = _place(course, k, f, np.hypot(*d.T))
    at = course.at(k, f)
    return Feet(who, k, f, at, np.hypot(*(points[who] - at).T))


def along_others(course: Course, ka: Ints, kb: Ints, at_least_m: float) -> Feet:
    """Vertices that lie inside a segment of another line which runs along theirs for some way: where to put one there."""
    one, other = np.concatenate([ka, kb]), np.concatenate([kb, ka])
    a, d = course.xy[one], course.xy[one + 1] - course.xy[one]
    m = np.hypot(*d.T)
    off = [np.abs(_cross(course.xy[other + step] - a, d)) / m for step in (0, 1)]
    f = [((course.xy[other + step] - a) * d).sum(axis=1) / m**2 for step in (0, 1)]
    common = (np.clip(np.maximum(*f), 0, 1) - np.clip(np.minimum(*f), 0, 1)) * m
    runs = (np.maximum(*off) <= SAME_M) & (common > at_least_m)
    found = []
    for step in (0, 1):
        inside = runs & (f[step] * m > SAME_M) & ((1 - f[step]) * m > SAME_M)
        vertex = other[inside] + step
        found.append((vertex, one[inside], f[step][inside], course.xy[vertex], off[step][inside]))
    return Feet(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def with_vertices(course: Course, vertex: Ints, side: Floats, xy: Floats) -> Course:
    """With vertices more: each after (``side`` above 0, in that order) or before (below 0) a vertex of its line."""
    place = np.concatenate([np.arange(len(course.xy)), vertex])
    order = np.lexsort([np.concatenate([np.zeros(len(course.xy)), side]), place])
    return course.made(place[order], course.line[place[order]], np.concatenate([course.xy, xy])[order])


def cleaned(course: Course) -> tuple[Course, Bools]:
    """Without repeated vertices and without the lines that have no length left; which lines stayed."""
    again = np.zeros(len(course.line), dtype=np.bool_)
    again[1:] = (course.line[1:] == course.line[:-1]) & (course.xy[1:] == course.xy[:-1]).all(axis=1)
    if not again.any():
        return course, np.ones(len(course.row), dtype=np.bool_)
    slim = course.made(~again, course.line[~again])
    alive = slim.last > slim.first
    return slim.only(alive), alive


def cut(course: Course, k: Ints, f: Floats, to: Floats, moved: Bools) -> Course:
    """Lines cut at places, which go ``to`` new positions; pieces that begin or end at a ``moved`` vertex are marked."""
    xy, inside = course.xy.copy(), f > 0
    xy[k[~inside]] = to[~inside]
    away = np.hypot(*(course.at(k, f) - to).T) > SAME_M
    moved = moved.copy()
    moved[k[~inside]] |= away[~inside]
    cuts = np.zeros(len(xy), dtype=np.bool_)
    cuts[k[~inside]] = True
    vertex = np.concatenate([np.arange(len(xy)), k[inside]])
    order = np.lexsort([np.concatenate([np.zeros(len(xy)), f[inside]]), vertex])
    twice = np.concatenate([cuts, np.ones(inside.sum(), dtype=np.bool_)])[order]
    moved = np.concatenate([moved, away[inside]])[order]
    line, xy = course.line[vertex[order]], np.concatenate([xy, to[inside]])[order]
    copies = np.repeat(np.arange(len(xy)), 1 + twice)
    second = np.concatenate([[False], copies[1:] == copies[:-1]])
    old = line[copies]
    begins = second | np.concatenate([[True], old[1:] != old[:-1]])
    stops = np.concatenate([begins[1:], [True]])
    touched = moved[copies[begins]] | moved[copies[stops]]
    parents = old[begins]
    return course.made(
        vertex[order][copies],
        (np.cumsum(begins) - 1).astype(np.int64),
        xy[copies],
        row=course.row[parents],
        repair=course.repair[parents] | np.where(touched, SNAPPED, 0),
    )
