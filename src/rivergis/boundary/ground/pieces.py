"""Management areas (河道管理范围) cut into small pieces, so that "what of this lies inside?" is asked of 64 vertices, not of 40,000.

A reach of a province has a thousand vertices and more; asked as a whole for every candidate it costs twenty times its
pieces. Pieces of one area are disjoint and sum to it, so that areas of parts may be added; different areas may overlap
(two reaches, two counties), and stay apart. All shapes in metres of one zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]
import shapely

from rivergis.boundary.ground.squares import Flags, Floats, Index, Ints

MAX_VERTICES = 64
_SMALLEST_M = 1e-3  # a box that is not halved any more: what still has more vertices meets in one point
_POLYGON = 3  # shapely's type number
_PARTS = 32  # that an area is cut into at once
_TOGETHER = 500  # areas cut at a time, so that memory does not grow with their number


@dataclass(frozen=True)
class Pieces:
    """Areas cut to pieces: what of a candidate lies in which area?

    ``encoded``: Polygons (p,) in metres, at most 64 vertices each, as shapes or as Arrow arrays of WKB one after the other,
    of which only what is asked for is decoded; ``area`` (p,): position of its area in what was cut.
    """

    encoded: npt.NDArray[np.object_] | Sequence[Any]
    area: Ints
    boxes: Floats | None = None
    """Box of each piece, where it is known already; and so with ``squares``."""
    squares: Index | None = None

    def __len__(self) -> int:
        return len(self.area)

    @cached_property
    def shapes(self) -> npt.NDArray[np.object_]:
        """All pieces (p,) as Polygons."""
        return self.take(np.arange(len(self)))

    @cached_property
    def arrays(self) -> Sequence[Any]:
        """All pieces as Arrow arrays of WKB, one after the other."""
        if isinstance(self.encoded, np.ndarray):
            wkb = shapely.to_wkb(self.encoded)
            # put together by hand: Arrow's own builder keeps twice the room
            ends = pa.py_buffer(np.cumsum([0, *map(len, wkb)], dtype=np.int64))
            return [pa.Array.from_buffers(pa.large_binary(), len(wkb), [None, ends, pa.py_buffer(b"".join(wkb))])]
        return self.encoded

    @cached_property
    def bounds(self) -> Floats:
        """Box of each piece (p, 4): west, south, east, north in metres."""
        if self.boxes is not None:
            return self.boxes
        return np.asarray(shapely.bounds(self.shapes), np.float64).reshape(-1, 4)

    @cached_property
    def index(self) -> Index:
        """Which pieces lie in which square of the ground."""
        return self.squares if self.squares is not None else Index.over(self.bounds)

    def take(self, positions: Ints) -> npt.NDArray[np.object_]:
        """The pieces at these positions, as Polygons."""
        if isinstance(self.encoded, np.ndarray):
            return self.encoded[positions]
        positions, back = np.unique(positions, return_inverse=True)
        ends = np.cumsum([len(part) for part in self.encoded])
        part_of = np.searchsorted(ends, positions, side="right")
        shapes = np.empty(len(positions), object)
        for k in np.unique(part_of):
            mine = part_of == k
            wkb = self.encoded[k].take(positions[mine] - ends[k] + len(self.encoded[k]))
            shapes[mine] = shapely.from_wkb(wkb.to_numpy(zero_copy_only=False))
        return shapes[back]

    def near(self, bounds: Floats) -> Flags:
        """Whether anything may lie in each box (n, 4) in metres: never false where there is something; a box of NaN holds nothing."""
        return self.index.squares.near(bounds)

    def meeting(self, bounds: Floats) -> tuple[Ints, Ints]:
        """Boxes (n, 4) in metres and the pieces whose own boxes they meet: positions of both, sorted."""
        return self.index.meeting(bounds, self.bounds)

    def within(self, shapes: npt.ArrayLike, distance_m: float) -> Flags:
        """Which shapes (n,) in metres lie in an area or so near to one."""
        shapes = np.asarray(shapes, object).reshape(-1)
        bounds = shapely.bounds(shapes).reshape(-1, 4) + distance_m * np.array([-1, -1, 1, 1])
        one, piece = self.meeting(bounds)
        close = shapely.dwithin(shapes[one], self.take(piece), distance_m)
        return np.isin(np.arange(len(shapes)), one[close])


def cut(areas: npt.ArrayLike, max_vertices: int = MAX_VERTICES) -> Pieces:
    """Valid Polygons and MultiPolygons (n,) in metres cut to pieces of at most so many vertices.

    A box with too much in it is cut across its longer side into as many parts as should do, again and again; empty and missing
    areas have no pieces.
    """
    areas = np.asarray(areas, object).reshape(-1)
    shapes, area = [areas[:0]], [np.zeros(0, np.int64)]
    for first in range(0, len(areas), _TOGETHER):
        some, of = _cut(areas[first : first + _TOGETHER], max_vertices)
        shapes.append(some)
        area.append(of + first)
    return Pieces(np.concatenate(shapes), np.concatenate(area))


def _cut(areas: npt.NDArray[np.object_], max_vertices: int) -> tuple[npt.NDArray[np.object_], Ints]:
    """Level by level: what is small enough is done, the rest is cut."""
    shapes, area = _polygons(areas, np.arange(len(areas)))
    done_shapes, done_area = [shapes[:0]], [area[:0]]
    while len(shapes):
        bounds = shapely.bounds(shapes)
        count = shapely.get_num_coordinates(shapes)
        large = (count > max_vertices) & ((bounds[:, 2:] - bounds[:, :2]).max(axis=1) > _SMALLEST_M)
        done_shapes.append(shapes[~large])
        done_area.append(area[~large])
        # a part has its share of the vertices, and some where it was cut
        parts = np.ceil(count[large] / (0.875 * max_vertices)).clip(2, _PARTS).astype(np.int64)
        of, boxes = _strips(bounds[large], parts)
        shapes, area = _polygons(shapely.intersection(shapes[large][of], shapely.box(*boxes.T)), area[large][of])
    order = np.argsort(area := np.concatenate(done_area), kind="stable")
    return np.concatenate(done_shapes)[order], area[order]


def _strips(bounds: Floats, parts: Ints) -> tuple[Ints, Floats]:
    """Boxes (n, 4) cut across their longer sides into so many parts of the same width: position of its box, and each part."""
    of = np.repeat(np.arange(len(bounds)), parts)
    strip, row = np.arange(len(of)) - np.repeat(np.cumsum(parts) - parts, parts), np.arange(len(of))
    boxes, count = bounds[of], parts[of]
    along = (boxes[:, 2] - boxes[:, 0] < boxes[:, 3] - boxes[:, 1]).astype(int)
    low, high = boxes[row, along], boxes[row, along + 2]
    boxes[row, along] = low + (high - low) * strip / count
    boxes[row, along + 2] = np.where(strip + 1 == count, high, low + (high - low) * (strip + 1) / count)
    return of, boxes


def _polygons(shapes: npt.NDArray[np.object_], area: Ints) -> tuple[npt.NDArray[np.object_], Ints]:
    """The Polygons in shapes and whose they are: lines and points, in which a cut may touch, are no pieces."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    flat = (shapely.get_type_id(parts) == _POLYGON) & ~shapely.is_empty(parts)
    return parts[flat], area[of[flat]].astype(np.int64)
