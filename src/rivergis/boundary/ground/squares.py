"""Squares of the ground: is there anything near this box, and what? Answered for millions of boxes without a tree.

Boxes are (n, 4): west, south, east, north, in any one system of coordinates, metres or degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_MOST = 16_000_000  # squares of a grid
_EACH = 64  # and for each box in it


@dataclass(frozen=True)
class Squares:
    """A grid over the ground and how many of its squares are taken, summed from the south-west corner.

    With sums, whether any square of a box is taken costs four look-ups, however large the box.
    """

    west: float
    south: float
    side: float
    """Of a square, in the unit of the coordinates."""
    taken: npt.NDArray[np.int32]
    """(rows + 1, columns + 1): taken squares south and west of each corner."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.taken.shape[0] - 1, self.taken.shape[1] - 1

    @classmethod
    def over(cls, boxes: Floats) -> Squares:
        """The grid in which a usual box takes four squares or so; coarser where that would be too many squares."""
        west, south, side, shape = _frame(boxes)
        edges = np.zeros((shape[0] + 1, shape[1] + 1), np.int32)
        empty = cls(west, south, side, edges)
        (low_y, low_x), (high_y, high_x) = empty.reach(boxes)
        # each box adds one at its corner and takes it off beyond: summed twice, every square knows how many boxes it has
        for rows, columns, sign in ((low_y, low_x, 1), (high_y, low_x, -1), (low_y, high_x, -1), (high_y, high_x, 1)):
            np.add.at(edges, (rows, columns), sign)
        held = np.cumsum(np.cumsum(edges, axis=0, out=edges), axis=1, out=edges)[:-1, :-1] > 0
        taken = np.zeros_like(edges)
        np.cumsum(np.cumsum(held, axis=0, dtype=np.int32), axis=1, out=taken[1:, 1:])
        return cls(west, south, side, taken)

    def reach(self, boxes: Floats) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
        """First row and column of each box, and those behind its last; of a box outside or of NaN both are the same."""
        low, high = [], []
        for axis, (origin, count) in enumerate(((self.south, self.shape[0]), (self.west, self.shape[1]))):
            with np.errstate(invalid="ignore"):
                first = np.floor((boxes[:, 1 - axis] - origin) / self.side).clip(0, count)
                last = (np.floor((boxes[:, 3 - axis] - origin) / self.side) + 1).clip(0, count)
            known = np.isfinite(first) & np.isfinite(last)
            low.append(np.where(known, first, 0).astype(np.int64))
            high.append(np.where(known, last, 0).astype(np.int64))
        return (low[0], low[1]), (high[0], high[1])

    def near(self, boxes: Floats) -> Flags:
        """Whether any square that a box touches is taken."""
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        (low_y, low_x), (high_y, high_x) = self.reach(boxes)
        sums = self.taken
        found = sums[high_y, high_x] - sums[low_y, high_x] - sums[high_y, low_x] + sums[low_y, low_x] > 0
        return np.asarray(found)

    def boxes(self) -> Floats:
        """The taken squares as boxes (k, 4)."""
        own = np.diff(np.diff(self.taken, axis=0), axis=1)
        row, column = np.nonzero(own)
        corner = np.column_stack([self.west + column * self.side, self.south + row * self.side])
        return np.hstack([corner, corner + self.side])


def _frame(boxes: Floats) -> tuple[float, float, float, tuple[int, int]]:
    """South-west corner, side of a square, rows and columns of a grid over boxes."""
    if not len(boxes):
        return 0.0, 0.0, 1.0, (1, 1)
    corner, end = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    wide, high = end - corner
    most = min(_MOST, _EACH * len(boxes))
    usual = float(np.median((boxes[:, 2:] - boxes[:, :2]).max(axis=1)))
    side = max(usual, float(np.sqrt(wide * high / most)), float(max(wide, high)) / most) or 1.0
    return float(corner[0]), float(corner[1]), side, (int(high / side) + 1, int(wide / side) + 1)


@dataclass(frozen=True)
class Index:
    """Which boxes lie in which square: those of square s are ``held[start[s] : start[s + 1]]``, squares counted row by row."""

    squares: Squares
    start: npt.NDArray[np.int32]
    held: npt.NDArray[np.int32]

    @classmethod
    def over(cls, boxes: Floats) -> Index:
        """The index of boxes."""
        squares = Squares.over(boxes)
        box, square, _ = _spread(squares, boxes)
        order = np.argsort(square, kind="stable")
        start = np.zeros(squares.shape[0] * squares.shape[1] + 1, np.int32)
        np.cumsum(np.bincount(square, minlength=len(start) - 1), out=start[1:])
        return cls(squares, start, box[order].astype(np.int32))

    def meeting(self, asked: Floats, boxes: Floats) -> tuple[Ints, Ints]:
        """Pairs of a box asked for and a box of the index that meet, as positions, sorted; each pair once."""
        asked = np.asarray(asked, np.float64).reshape(-1, 4)
        one, square, corner = _spread(self.squares, asked)
        count = self.start[square + 1].astype(np.int64) - self.start[square]
        other = self.held[_ranges(self.start[square].astype(np.int64), count)].astype(np.int64)
        one, square, corner = np.repeat(one, count), np.repeat(square, count), np.repeat(corner, count)
        a, b = asked[one], boxes[other]
        meet = (a[:, :2] <= b[:, 2:]).all(axis=1) & (b[:, :2] <= a[:, 2:]).all(axis=1)
        one, square, corner, other = one[meet], square[meet], corner[meet], other[meet]
        # two boxes may share many squares: the pair is taken in the first that both reach
        (row, column), _ = self.squares.reach(boxes[other])
        columns = self.squares.shape[1]
        first = np.maximum(corner // columns, row) * columns + np.maximum(corner % columns, column)
        one, other = one[square == first], other[square == first]
        order = np.lexsort((other, one))
        return one[order], other[order]


def _spread(squares: Squares, boxes: Floats) -> tuple[Ints, Ints, Ints]:
    """Every square that each box reaches: position of the box, the square, and the box's first square."""
    (low_y, low_x), (high_y, high_x) = squares.reach(boxes)
    high, wide = (high_y - low_y).clip(0), (high_x - low_x).clip(0)
    box = np.repeat(np.arange(len(boxes)), high * wide)
    step = _ranges(np.zeros(len(boxes), np.int64), high * wide)
    columns = squares.shape[1]
    first = low_y * columns + low_x
    wide_of = np.repeat(wide, high * wide)
    return box, first[box] + step // wide_of * columns + step % wide_of, first[box]


def _ranges(first: Ints, count: Ints) -> Ints:
    """first, first + 1, ... (count of them), one range after the other."""
    ends = np.cumsum(count)
    return np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(first - ends + count, count)
