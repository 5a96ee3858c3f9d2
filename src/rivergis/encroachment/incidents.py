"""One thing told by several sources is one incident: candidates of one picture that are the same thing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def incidents(shapes: npt.ArrayLike, kinds: npt.ArrayLike, *, min_iou: float) -> list[list[int]]:
    """Positions of candidates that are one incident (同一事项), each list and the list of lists in order.

    ``shapes`` (n,): valid geometries in metres; ``kinds`` (n,). Two areas of one kind whose intersection is at least ``min_iou`` of
    their union are one, whoever delivered them; two points or lines are one where they are equal. Different kinds stay apart, and
    so do neighbours that do not overlap.
    """
    shapes, kinds = np.asarray(shapes, dtype=object), np.asarray(kinds, dtype=object)
    n = len(shapes)
    if not n:
        return []
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    a, b = a[pair := (a < b) & (kinds[a] == kinds[b])], b[pair]
    same = iou(shapes[a], shapes[b]) >= min_iou
    _, incident = connected_components(coo_array((same[same], (a[same], b[same])), shape=(n, n)), directed=False)
    order = np.argsort(incident, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(incident[order])) + 1)
    return sorted(g.tolist() for g in groups)


def iou(a: Any, b: Any) -> npt.NDArray[np.float64]:
    """Share of the common ground of two areas in the ground of both; of points and lines 1 where they are equal, else 0."""
    both = shapely.area(shapely.intersection(a, b))
    either = shapely.area(a) + shapely.area(b) - both
    areal = either > 0
    return np.where(areal, both / np.where(areal, either, 1.0), shapely.equals(a, b).astype(float))
