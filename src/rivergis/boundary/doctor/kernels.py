"""The nearest segment of its own reach for every point of every line: a loop that numpy has no words for.

GEOS asks every segment anew for every point; here the points of a line come one after the other, so the segment before is a good
first guess, and boxes of sixteen segments are passed over that cannot be nearer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

CHUNK = 16


@njit(cache=True)
def boxes(xy: Any, first: Any) -> Any:
    """Boxes (west, south, east, north) of every ``CHUNK`` segments, and where those of each reach begin, in one array each."""
    n = len(first) - 1
    start = np.zeros(n + 1, dtype=np.int64)
    for r in range(n):
        segments = first[r + 1] - first[r] - 1
        start[r + 1] = start[r] + (segments + CHUNK - 1) // CHUNK
    out = np.empty((start[n], 4))
    for r in range(n):
        for c in range(start[r], start[r + 1]):
            a = first[r] + (c - start[r]) * CHUNK
            b = min(a + CHUNK, first[r + 1] - 1)
            out[c, 0], out[c, 1], out[c, 2], out[c, 3] = xy[a, 0], xy[a, 1], xy[a, 0], xy[a, 1]
            for i in range(a + 1, b + 1):
                out[c, 0] = min(out[c, 0], xy[i, 0])
                out[c, 1] = min(out[c, 1], xy[i, 1])
                out[c, 2] = max(out[c, 2], xy[i, 0])
                out[c, 3] = max(out[c, 3], xy[i, 1])
    return out, start


@njit(cache=True)
def _apart2(x: float, y: float, xy: Any, i: int) -> Any:
    """Squared distance of a point to segment i, and where on it (0 to 1) the foot lies."""
    ax, ay = xy[i, 0], xy[i, 1]
    dx, dy = xy[i + 1, 0] - ax, xy[i + 1, 1] - ay
    size = dx * dx + dy * dy
    t = 0.0
    if size > 0.0:
        t = min(max(((x - ax) * dx + (y - ay) * dy) / size, 0.0), 1.0)
    ex, ey = ax + t * dx - x, ay + t * dy - y
    return ex * ex + ey * ey, t


@njit(cache=True)
def nearest(points: Any, reach: Any, xy: Any, first: Any, box: Any, start: Any) -> Any:
    """Segment (its first vertex) of its reach that each point (n, 2) lies nearest to, and where on it the foot lies."""
    n = len(points)
    segment = np.empty(n, dtype=np.int64)
    part = np.empty(n)
    last = -1
    for k in range(n):
        r = reach[k]
        x, y = points[k, 0], points[k, 1]
        if last < first[r] or last > first[r + 1] - 2:
            last = first[r]
        best, t = _apart2(x, y, xy, last)
        for c in range(start[r], start[r + 1]):
            ox = max(box[c, 0] - x, 0.0, x - box[c, 2])
            oy = max(box[c, 1] - y, 0.0, y - box[c, 3])
            if ox * ox + oy * oy >= best:
                continue
            a = first[r] + (c - start[r]) * CHUNK
            for i in range(a, min(a + CHUNK, first[r + 1] - 1)):
                d, u = _apart2(x, y, xy, i)
                if d < best:
                    best, t, last = d, u, i
        segment[k], part[k] = last, t
    return segment, part
