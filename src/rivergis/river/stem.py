"""The main stem through a river's own lines: the chain of reaches that chainage is counted on.

For rivers that came as loose reaches: direction is taken as digitised and ends meet within a stated snap distance. Frames
are in metres of a local zone (see ``crs.to_metric``) with LineString geometry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rivergis import crs


def nodes(lines: gpd.GeoSeries, snap_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Node numbers of the upstream and downstream end of each line; ends within ``snap_m`` are one node.

    Lines in metres, digitised downstream. Raises ``CrsRefused`` for degrees.
    """
    crs.require_metric(lines)
    ends = np.concatenate([shapely.get_point(lines.values, 0), shapely.get_point(lines.values, -1)])
    near = shapely.STRtree(ends).query(ends, predicate="dwithin", distance=snap_m)
    graph = coo_array((np.ones(near.shape[1]), (near[0], near[1])), shape=(len(ends), len(ends)))
    _, number = connected_components(graph, directed=False)
    return number[: len(lines)], number[len(lines) :]


def main_stem(lines: gpd.GeoSeries, snap_m: float) -> list[int]:
    """Positions of the lines on the longest directed path downstream through a river's own lines, in order.

    A river may be braided, broken or looped: the longest chain is the main stem, a loop is entered once. Lines in
    metres, digitised downstream.
    """
    if lines.empty:
        return []
    start, end = nodes(lines, snap_m)
    length = lines.length.to_numpy()
    leaving: dict[int, list[int]] = defaultdict(list)
    for i, node in enumerate(start):
        leaving[int(node)].append(i)
    best: dict[int, tuple[float, int]] = {}  # line -> (length of the longest path from it on, next line or -1)
    for i in range(len(lines)):
        _longest_from(i, leaving, end, length, best)
    path = [max(best, key=lambda i: (best[i][0], -i))]
    while best[path[-1]][1] >= 0:
        path.append(best[path[-1]][1])
    return path


def _longest_from(
    first: int, leaving: dict[int, list[int]], end: np.ndarray, length: np.ndarray, best: dict[int, tuple[float, int]]
) -> None:
    """Depth-first longest path without recursion (a river may have tens of thousands of lines)."""
    stack, open_ = [first], set()
    while stack:
        i = stack[-1]
        if i in best:
            stack.pop()
            continue
        onward = [j for j in leaving[int(end[i])] if j not in open_ and j != i]
        todo = [j for j in onward if j not in best]
        if i not in open_ and todo:
            open_.add(i)
            stack.extend(todo)
            continue
        follow = max((j for j in onward if j in best), key=lambda j: (best[j][0], -j), default=-1)
        best[i] = (float(length[i]) + (best[follow][0] if follow >= 0 else 0.0), follow)
        open_.discard(i)
        stack.pop()


def joined(lines: gpd.GeoSeries, order: Iterable[int]) -> shapely.LineString:
    """One LineString through the lines in that order (metres or degrees, as given); small gaps are bridged straight."""
    pieces = [shapely.get_coordinates(lines.iloc[i]) for i in order]
    points = np.vstack(pieces)
    keep = np.concatenate([[True], np.any(np.diff(points, axis=0) != 0, axis=1)])
    return shapely.LineString(points[keep])
