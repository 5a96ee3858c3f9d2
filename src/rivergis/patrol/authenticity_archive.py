"""Which earlier tracks went the same way? A first sieve over thousands of tracks before two are compared fix by fix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from rivergis.patrol.authenticity_copy import Course

CELL_M = 200.0
AROUND_M = 15.0  # as far as two fixes may lie apart to be partners
SHARE_OF_WAY = 0.75

Cells = npt.NDArray[np.int64]


class Archive:
    """Courses by the cells of 200 m (of geocentric space) in which they have fixes.

    Building costs one sort over all fixes; a question costs the cells of the course and the tracks in them, not the archive.
    """

    def __init__(self, courses: Iterable[Course]) -> None:
        self.courses: Sequence[Course] = tuple(courses)
        cells = [_cells_around(c) for c in self.courses]
        owner = np.repeat(np.arange(len(cells)), [len(c) for c in cells])
        flat = np.concatenate(cells) if cells else np.zeros(0, np.int64)
        order = np.argsort(flat, kind="stable")
        self._cell, self._owner = flat[order], owner[order]

    def near(self, course: Course) -> list[Course]:
        """Courses (not this track itself) with fixes in the cells of three quarters of the fixes of ``course``."""
        if not len(course) or not len(self._cell):
            return []
        cell, fixes = np.unique(_cell(course.xyz_m), return_counts=True)
        first, last = np.searchsorted(self._cell, cell), np.searchsorted(self._cell, cell, side="right")
        rows = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])
        met = np.bincount(self._owner[rows], weights=np.repeat(fixes, last - first), minlength=len(self.courses))
        same_way = np.flatnonzero(met >= SHARE_OF_WAY * len(course)).tolist()
        return [self.courses[k] for k in same_way if self.courses[k].track_id != course.track_id]


def _cell(xyz_m: npt.NDArray[np.float64]) -> Cells:
    """One number for the cell of 200 m of each place; the earth has 2^16 cells a side."""
    x, y, z = (np.floor(xyz_m / CELL_M).astype(np.int64) + 2**16).T
    return np.asarray((x << 40) | (y << 20) | z)


def _cells_around(course: Course) -> Cells:
    """The cells within ``AROUND_M`` of any fix, once each."""
    corners = np.array(np.meshgrid(*[[-AROUND_M, AROUND_M]] * 3)).reshape(3, -1).T
    return np.unique(np.concatenate([_cell(course.xyz_m + corner) for corner in corners]))
