"""Management areas (河道管理范围) cut into small pieces, so that "what of this lies inside?" is asked of 64 vertices, not of 40,000.

A reach of a province has a thousand vertices and more; asked as a whole for every candidate it costs twenty times its
pieces. Pieces of one area are disjoint and sum to it, so that areas of parts may be added; different areas may overlap
(two reaches, two counties), and stay apart. All shapes in metres of one zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

MAX_VERTICES = 64
_SMALLEST_M = 1e-3  # a box that is not halved any more: what still has more vertices meets in one point
_CELLS = 4_000_000  # of the grid at most
_POLYGON = 3  # shapely's type number

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pieces:
    """Areas cut to pieces: what of a candidate lies in which area?

    ``shapes`` (p,): Polygon in metres, at most 64 vertices; ``area`` (p,): position of its area in what was cut.
    """

    shapes: npt.NDArray[np.object_]
    area: Ints

    @cached_property
    def bounds(self) -> Floats:
        """Box of each piece (p, 4): west, south, east, north in metres."""
        return shapely.bounds(self.shapes).reshape(-1, 4)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Tree over the pieces."""
        return shapely.STRtree(self.shapes)

    @cached_property
    def grid(self) -> Grid:
        """Which squares of the ground hold a piece."""
        return Grid.over(self.bounds)

    def near(self, bounds: Floats) -> npt.NDArray[np.bool_]:
        """Whether anything may lie in each box (n, 4) in metres: never false where there is something; a box of NaN holds nothing."""
        return self.grid.near(bounds)


@dataclass(frozen=True)
class Grid:
    """Squares over the ground and how many of them are taken, summed from the south-west corner.

    With sums, whether any square of a box is taken costs four look-ups, however large the box.
    """

    west: float
    south: float
    cell: float
    taken: npt.NDArray[np.int32]
    """(rows + 1, columns + 1): taken squares south and west of each corner."""

    @classmethod
    def over(cls, bounds: Floats, cells: int = _CELLS) -> Grid:
        """The grid of boxes (p, 4): as fine as half a usual box, coarser where that would be too many squares."""
        if not len(bounds):
            return cls(0.0, 0.0, 1.0, np.zeros((2, 2), np.int32))
        (west, south), (east, north) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
        usual = np.median(np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])) / 2
        cell = float(
            max(usual, np.sqrt((east - west) * (north - south) / cells), max(east - west, north - south) / cells)
        )
        cell = cell if cell > 0 else 1.0
        shape = (int((north - south) / cell) + 1, int((east - west) / cell) + 1)
        low_x, low_y = _cells_of(bounds[:, 0], west, cell), _cells_of(bounds[:, 1], south, cell)
        high_x, high_y = _cells_of(bounds[:, 2], west, cell), _cells_of(bounds[:, 3], south, cell)
        edges = np.zeros((shape[0] + 1, shape[1] + 1), np.int32)
        # each box adds one at its corner and takes it off beyond: summed twice, every square knows how many boxes it has
        for rows, columns, sign in (
            (low_y, low_x, 1),
            (high_y + 1, low_x, -1),
            (low_y, high_x + 1, -1),
            (high_y + 1, high_x + 1, 1),
        ):
            np.add.at(edges, (rows, columns), sign)
        boxes: npt.NDArray[np.int64] = edges.cumsum(axis=0).cumsum(axis=1)
        held = boxes[:-1, :-1] > 0
        taken = np.zeros_like(edges)
        taken[1:, 1:] = held.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
        return cls(float(west), float(south), cell, taken)

    def near(self, bounds: Floats) -> npt.NDArray[np.bool_]:
        """Whether any square that a box (n, 4) touches is taken."""
        bounds = np.asarray(bounds, np.float64).reshape(-1, 4)
        rows, columns = self.taken.shape[0] - 1, self.taken.shape[1] - 1
        known: npt.NDArray[np.bool_] = np.isfinite(bounds).all(axis=1)
        box = np.where(known[:, None], bounds, 0.0)
        low_x = _cells_of(box[:, 0], self.west, self.cell).clip(0, columns)
        low_y = _cells_of(box[:, 1], self.south, self.cell).clip(0, rows)
        high_x = (_cells_of(box[:, 2], self.west, self.cell) + 1).clip(0, columns)
        high_y = (_cells_of(box[:, 3], self.south, self.cell) + 1).clip(0, rows)
        sums = self.taken
        count = sums[high_y, high_x] - sums[low_y, high_x] - sums[high_y, low_x] + sums[low_y, low_x]
        return known & (count > 0)


def _cells_of(values: Floats, origin: float, cell: float) -> Ints:
    return np.floor((values - origin) / cell).clip(-(2**31), 2**31).astype(np.int64)


def cut(areas: npt.ArrayLike, max_vertices: int = MAX_VERTICES) -> Pieces:
    """Valid Polygons and MultiPolygons (n,) in metres cut to pieces of at most so many vertices.

    A box with too much in it is halved across its longer side, again and again; empty and missing areas have no pieces.
    """
    shapes, area = _polygons(np.asarray(areas, object).reshape(-1))
    done_shapes, done_area = [shapes[:0]], [area[:0]]
    while len(shapes):
        bounds = shapely.bounds(shapes)
        sides = bounds[:, 2:] - bounds[:, :2]
        large = (shapely.get_num_coordinates(shapes) > max_vertices) & (sides.max(axis=1) > _SMALLEST_M)
        done_shapes.append(shapes[~large])
        done_area.append(area[~large])
        shapes, area = _halved(shapes[large], area[large], bounds[large])
    order = np.argsort(area_of := np.concatenate(done_area), kind="stable")
    return Pieces(np.concatenate(done_shapes)[order], area_of[order])


def _halved(shapes: np.ndarray, area: Ints, bounds: Floats) -> tuple[np.ndarray, Ints]:
    west, south, east, north = bounds.T
    wide = east - west >= north - south
    middle_x, middle_y = np.where(wide, (west + east) / 2, east), np.where(wide, north, (south + north) / 2)
    first = shapely.box(west, south, middle_x, middle_y)
    second = shapely.box(np.where(wide, middle_x, west), np.where(wide, south, middle_y), east, north)
    halves = shapely.intersection(np.concatenate([shapes, shapes]), np.concatenate([first, second]))
    return _polygons(halves, np.concatenate([area, area]))


def _polygons(shapes: np.ndarray, area: Ints | None = None) -> tuple[np.ndarray, Ints]:
    """The Polygons in shapes and whose they are: lines and points, in which a cut may touch, are no pieces."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    flat = (shapely.get_type_id(parts) == _POLYGON) & ~shapely.is_empty(parts)
    return parts[flat], (of if area is None else area[of])[flat].astype(np.int64)
