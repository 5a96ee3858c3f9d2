"""One night: which detections are one thing. Areas and points in metres; order and names play no part.

Two detections are one thing where they cover the same ground whatever they are called, or where one is a part of the
other and of its kind. A small thing of another kind inside a large one (a heap on a yard) stays its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

from rivergis import geometry
from rivergis.encroachment.memory import NightLimits

_DIGITS = 6  # ratios are compared to a millionth, so that a shift of all coordinates cannot turn a tie


@dataclass(frozen=True)
class Overlaps:
    """Pairs of two sets of areas that share ground: positions, and shared over joint, first and second area (k,)."""

    first: np.ndarray
    second: np.ndarray
    iou: np.ndarray
    of_first: np.ndarray
    of_second: np.ndarray

    @property
    def of_smaller(self) -> np.ndarray:
        return np.maximum(self.of_first, self.of_second)

    def where(self, keep: np.ndarray) -> Overlaps:
        return Overlaps(*(v[keep] for v in (self.first, self.second, self.iou, self.of_first, self.of_second)))

    def rows(self) -> Iterator[tuple[int, int, float, float, float]]:
        """(first, second, iou, of_first, of_second) of each pair."""
        columns = (self.first, self.second, self.iou, self.of_first, self.of_second)
        return zip(*(c.tolist() for c in columns), strict=True)


def overlaps(first: np.ndarray, second: np.ndarray) -> Overlaps:
    """All pairs of areas (n,), (m,) in metres that share ground; what only touches is left out.

    Of a set with itself each pair once, and none of a shape with itself.
    """
    i, j = shapely.STRtree(second).query(first, predicate="intersects") if len(second) and len(first) else _NONE
    if first is second:
        i, j = i[i < j], j[i < j]
    shared = shapely.area(shapely.intersection(first[i], second[j]))
    i, j, shared = i[shared > 0], j[shared > 0], shared[shared > 0]
    a, b = shapely.area(first[i]), shapely.area(second[j])
    return Overlaps(i, j, *(np.round(v, _DIGITS) for v in (shared / (a + b - shared), shared / a, shared / b)))


_NONE = (np.array([], int), np.array([], int))


def sound(shapes: Sequence[shapely.Geometry]) -> np.ndarray:
    """Shapes that can be cut with one another; bringing areas into metres may have crossed a ring by a hair."""
    out = np.array(shapes, object)
    for i in np.flatnonzero(~shapely.is_valid(out)):
        out[i] = geometry.polygons_of(out[i])
    return out


@dataclass
class Union:
    """Which of n things belong together, built up link by link; ``claims`` of a thing go with it."""

    claims: list[set[int]]
    parent: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.parent = list(range(len(self.claims)))

    def of(self, i: int) -> int:
        while self.parent[i] != i:
            self.parent[i] = i = self.parent[self.parent[i]]
        return i

    def join(self, i: int, j: int, *, respect_claims: bool = False) -> None:
        """Make two things one; with ``respect_claims`` not where both are claimed, by different ones."""
        i, j = sorted((self.of(i), self.of(j)))
        a, b = self.claims[i], self.claims[j]
        if i == j or (respect_claims and a and b and not a & b):
            return
        self.parent[j] = i
        self.claims[i] = a | b

    def members(self) -> list[list[int]]:
        """The sets, each in order, by their first members."""
        out: dict[int, list[int]] = {}
        for i in range(len(self.parent)):
            out.setdefault(self.of(i), []).append(i)
        return list(out.values())


def area_groups(
    shapes: np.ndarray, kinds: Sequence[str], claims: Sequence[set[int]], limits: NightLimits
) -> list[list[int]]:
    """Detections (n,) with an area that are one thing tonight, as lists of positions.

    ``claims``: the known leads that each detection is by itself the same ground as. A part is not drawn into a larger
    one of its kind when both are known as two: a heap stays a heap the night it is called what the yard is called.
    """
    union = Union([set(c) for c in claims])
    found = overlaps(shapes, shapes)
    alike = np.array([kinds[i] == kinds[j] for i, j in zip(found.first, found.second, strict=True)], bool)
    same = found.iou >= limits.same_thing_iou
    part = alike & (found.of_smaller >= limits.part_share) & ~same
    for links, is_part in ((found.where(same), False), (found.where(part), True)):
        for i, j, *_ in sorted(links.rows(), key=lambda r: (-r[2], r[0], r[1])):
            union.join(i, j, respect_claims=is_part)
    return union.members()


def point_groups(points: np.ndarray, kinds: Sequence[str], accuracy_m: np.ndarray) -> list[list[int]]:
    """Reports (n,) without an area that are one thing tonight: of one kind, and within the coarser one's accuracy."""
    union = Union([set() for _ in kinds])
    for i, j in zip(*near(points, points, accuracy_m), strict=True):
        if i < j and kinds[i] == kinds[j]:
            union.join(int(i), int(j))
        elif j < i and kinds[i] == kinds[j]:
            union.join(int(j), int(i))
    return union.members()


def near(first: np.ndarray, second: np.ndarray, reach_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (first, second) no further apart than the reach of the first, m."""
    if not len(first) or not len(second):
        return _NONE
    i, j = shapely.STRtree(second).query(first, predicate="dwithin", distance=reach_m)
    return i, j
