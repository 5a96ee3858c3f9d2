"""Segments of many lines found by place, fast at province size: of a changed course only what is new is sorted in again.

The joining of a network looks at all lines again after each repair, and a repair touches a few of them. A ``Sorted`` set of
segments therefore serves all later courses; what tells old from new is the vertex of the sorted set that each vertex
comes from, and its coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import shapely

from rivergis.river.drawn import Floats, Ints

_WORN = 0.2
"""Share of new segments from which sorting everything anew costs less than looking in two places."""


@dataclass(frozen=True)
class Sorted:
    """Segments ``k`` of vertices ``xy`` (m), each from vertex ``k`` to the next, in a tree."""

    xy: Floats
    k: Ints

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The segments, in the order of ``k``."""
        return shapely.STRtree(shapely.linestrings(np.stack([self.xy[self.k], self.xy[self.k + 1]], axis=1)))

    @cached_property
    def number(self) -> Ints:
        """Which of the segments begins at each vertex, -1 where none does."""
        out = np.full(len(self.xy), -1, dtype=np.int64)
        out[self.k] = np.arange(len(self.k))
        return out

    @cached_property
    def pairs(self) -> tuple[Ints, Ints]:
        """Segments whose boxes meet, each pair once, by their places in ``k``."""
        i, j = self.tree.query(self.tree.geometries)
        return i[i < j], j[i < j]


class Known(NamedTuple):
    """A set of segments that was sorted before, and the vertex of it that each vertex of a course comes from."""

    before: Sorted
    origin: Ints


@dataclass(frozen=True)
class Segments:
    """The segments of a course: those ``before`` that are still there (``now``: their vertex, -1 where gone), and the ``new``."""

    before: Sorted
    now: Ints
    new: Sorted

    @classmethod
    def of(cls, xy: Floats, k: Ints, known: Known | None) -> Segments:
        """Those that begin at vertices ``k`` of ``xy``; the new ones apart from those that are known."""
        if known is None:
            return cls(Sorted(xy, k), k, Sorted(xy, k[:0]))
        before, origin = known
        old = before.number[origin[k]]
        same = (old >= 0) & (origin[k + 1] == origin[k] + 1)
        for step in (0, 1):
            same[same] = (before.xy[origin[k[same]] + step] == xy[k[same] + step]).all(axis=1)
        now = np.full(len(before.k), -1, dtype=np.int64)
        now[old[same]] = k[same]
        return cls(before, now, Sorted(xy, k[~same]))

    @property
    def worn(self) -> bool:
        """Whether so much is new that all should be sorted again."""
        return len(self.new.k) > _WORN * len(self.before.k)

    def near(self, shapes: Any, **predicate: Any) -> tuple[Ints, Ints]:
        """Which shapes are near which segments (``shapely.STRtree.query``): shape, and vertex of the segment, in order."""
        who, i = self.before.tree.query(shapes, **predicate)
        k = self.now[i]
        found = [(who[k >= 0], k[k >= 0])]
        if len(self.new.k):
            who, i = self.new.tree.query(shapes, **predicate)
            found.append((who, self.new.k[i]))
        who, k = (np.concatenate(part).astype(np.int64) for part in zip(*found, strict=True))
        order = np.lexsort([k, who])
        return who[order], k[order]

    @cached_property
    def pairs(self) -> tuple[Ints, Ints]:
        """Pairs of segments whose boxes meet, except neighbours on one line, by their vertices, in order."""
        old = [self.now[side] for side in self.before.pairs]
        still = (old[0] >= 0) & (old[1] >= 0)
        found = [(old[0][still], old[1][still])]
        if len(self.new.k):
            who, k = self.near(self.new.tree.geometries)
            one = self.new.k[who]
            once = (one < k) | ~np.isin(k, self.new.k)
            found.append((np.minimum(one, k)[once], np.maximum(one, k)[once]))
        ka, kb = (np.concatenate(part) for part in zip(*found, strict=True))
        apart = kb != ka + 1
        ka, kb = ka[apart], kb[apart]
        order = np.lexsort([kb, ka])
        return ka[order], kb[order]
