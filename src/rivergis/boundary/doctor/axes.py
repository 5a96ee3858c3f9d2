"""The centre lines that boundary lines are judged along: chainage, signed offset and neighbours of reaches, all at once.

One array of all vertices of all reaches, so that a hundred thousand points are placed by a handful of numpy calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from rivergis import crs
from rivergis.boundary.doctor import kernels as doctor_kernels

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def _unit(step: Floats) -> Floats:
    return np.asarray(step / np.maximum(np.hypot(*step.T), 1e-12)[:, None], float)


def along(xy: Floats, of: Ints) -> Floats:
    """Metres along each line from its first vertex; ``of`` (n,) says to which line a vertex belongs, rows in order."""
    step = np.r_[0.0, np.hypot(*np.diff(xy, axis=0).T)] if len(xy) else np.zeros(0)
    first = np.r_[True, of[1:] != of[:-1]] if len(xy) else np.zeros(0, bool)
    step[first] = 0.0
    total = np.cumsum(step)
    return total - total[np.flatnonzero(first)][np.cumsum(first) - 1] if len(xy) else total


@dataclass(frozen=True)
class Axes:
    """Centre lines of reaches with what is asked of them again and again.

    ``shapes``: LineStrings digitised downstream, in metres; positions in the arrays are positions of the frame.
    """

    ids: Any
    shapes: Any
    start_node: Ints
    end_node: Ints
    lawful_start: Bools
    lawful_end: Bools

    @cached_property
    def length(self) -> Floats:
        return np.asarray(shapely.length(self.shapes), float)

    @cached_property
    def row(self) -> dict[str, int]:
        return {str(k): i for i, k in enumerate(self.ids)}

    @cached_property
    def tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.shapes)

    @cached_property
    def _vertices(self) -> tuple[Floats, Ints, Floats, Ints]:
        xy, of = shapely.get_coordinates(self.shapes, return_index=True)
        first = np.searchsorted(of, np.arange(len(self.shapes) + 1))
        return xy, of, along(xy, of), first

    @cached_property
    def _boxes(self) -> tuple[Any, Any]:
        xy, _, _, first = self._vertices
        found: tuple[Any, Any] = doctor_kernels.boxes(xy, first)
        return found

    @cached_property
    def _one_axis(self) -> tuple[Floats, Floats]:
        """Where each reach, and each vertex, lies on one long axis with all reaches one behind the other."""
        _, of, along_, _ = self._vertices
        base = np.r_[0.0, np.cumsum(self.length + 10.0)]
        return base, along_ + base[of]

    def feet(self, reach: Ints, xy: Floats) -> tuple[Floats, Floats, Floats]:
        """Chainage, signed offset (left +) and metres beyond the end of the reach (- before its start) of points (n, 2)."""
        vertices, _, along_, first = self._vertices
        i, part = doctor_kernels.nearest(
            np.ascontiguousarray(xy, float), np.ascontiguousarray(reach, np.int64), vertices, first, *self._boxes
        )
        step = vertices[i + 1] - vertices[i]
        s = along_[i] + part * np.hypot(*step.T)
        away = xy - (vertices[i] + part[:, None] * step)
        tangent = self._tangent(i, part, reach)
        side = tangent[:, 0] * away[:, 1] - tangent[:, 1] * away[:, 0]
        onward = (tangent * away).sum(axis=1)
        begins, ends = (i == first[reach]) & (part == 0.0), (i == first[reach + 1] - 2) & (part == 1.0)
        outside = begins & (onward < -1e-6) | ends & (onward > 1e-6)
        return s, np.where(side < 0, -1.0, 1.0) * np.hypot(*away.T), np.where(outside, onward, 0.0)

    def _tangent(self, i: Ints, part: Floats, reach: Ints) -> Floats:
        """Direction of the reach at a foot; at a vertex both neighbours decide, so that the outside of a bend is told rightly."""
        vertices, _, _, first = self._vertices
        here = _unit(vertices[i + 1] - vertices[i])
        low = (part == 0.0) & (i > first[reach])
        high = (part == 1.0) & (i < first[reach + 1] - 2)
        corner = np.flatnonzero(low | high)
        j = np.where(low[corner], i[corner] - 1, i[corner] + 1)
        here[corner] += _unit(vertices[j + 1] - vertices[j])
        return here

    def at(self, reach: Ints, s: Floats) -> Floats:
        """Points (n, 2) on the centre lines at a chainage."""
        return self._foot(reach, np.clip(s, 0.0, self.length[reach]))[0]

    def beside(self, reach: Ints, s: Floats, offset: Floats) -> Floats:
        """Points (n, 2) at a chainage and signed offset (left +)."""
        at, tangent = self._foot(reach, np.clip(s, 0.0, self.length[reach]))
        return at + np.c_[-tangent[:, 1], tangent[:, 0]] * offset[:, None]

    def _foot(self, reach: Ints, s: Floats) -> tuple[Floats, Floats]:
        """Points and unit directions (n, 2) on the centre lines at a chainage."""
        xy, _, along_, first = self._vertices
        base, key = self._one_axis
        i = np.searchsorted(key, s + base[reach], side="right") - 1
        i = np.clip(i, first[reach], first[reach + 1] - 2)
        tangent = _unit(xy[i + 1] - xy[i])
        return xy[i] + (s - along_[i])[:, None] * tangent, tangent

    def neighbours(self, reach: int) -> Ints:
        """Reaches that share a node with one."""
        ends = (self.start_node[reach], self.end_node[reach])
        found = np.flatnonzero(np.isin(self.start_node, ends) | np.isin(self.end_node, ends))
        return found[found != reach]


def axes(reaches: gpd.GeoDataFrame, snap_m: float) -> Axes:
    """Axes of a frame of reaches; ends within ``snap_m`` are one node.

    A line may end where a river begins or leaves the map: at ``map_border`` where the frame says so, and at every start
    without a reach above it and every end without one below.
    """
    crs.require_metric(reaches)
    shapes = np.asarray(reaches.geometry.values)
    ends = np.concatenate([shapely.get_point(shapes, 0), shapely.get_point(shapes, -1)])
    node = _nodes(ends, max(snap_m, 0.01))
    n = len(shapes)
    head = ~np.isin(node[:n], node[n:])
    mouth = ~np.isin(node[n:], node[:n])
    return Axes(reaches["reach_id"].to_numpy(object), shapes, node[:n], node[n:], head, mouth)


def _nodes(points: Any, snap_m: float) -> Ints:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    a, b = shapely.STRtree(points).query(points, predicate="dwithin", distance=snap_m)
    n = len(points)
    _, label = connected_components(coo_matrix((np.ones(len(a)), (a, b)), shape=(n, n)), directed=False)
    return np.asarray(label, np.int64)
