"""Can one stake be seen from the next (通视)? The straight line over the ground of a DEM.

Between stakes a few hundred metres apart the curvature of the earth (3 mm over 200 m) and refraction are of no account and left
out. A DEM knows no trees, houses or walls, unless it is a surface model, and then it holds them as ground: the answer is a help
for the design, the field decides.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyproj import CRS

from rivergis import crs
from rivergis.river.terrain import Dem

Floats = npt.NDArray[np.float64]
CELLS_BETWEEN = 3  # a DEM with fewer cells between two stakes says nothing of the ground between them
_MOST_SAMPLES = 1000


@dataclass(frozen=True)
class Sight:
    """Who sees what: the ``dem``, the metric ``system`` of the places, height of the eye and of the top of a stake, m."""

    dem: Dem
    system: CRS
    eye_m: float
    top_m: float

    def heights(self, xy: Floats) -> Floats:
        """Height of the ground at places (n, 2), between the four cells around; NaN where one of them is void."""
        local = xy
        if self.system != self.dem.crs:
            local = crs.out_of_storage(self.dem.crs)(crs.into_storage(self.system)(xy))
        column, row = ~self.dem.affine @ (local[:, 0], local[:, 1])
        return _bilinear(self.dem.z_m, np.asarray(row) - 0.5, np.asarray(column) - 0.5)

    def slope_deg(self, xy: Floats) -> Floats:
        """Steepness of the ground over one cell to each side, degrees."""
        d = self.dem.cell_m
        rise = [self.heights(xy + np.array(s) * d) - self.heights(xy - np.array(s) * d) for s in ((1, 0), (0, 1))]
        return np.asarray(np.degrees(np.arctan(np.hypot(*rise) / (2 * d))))

    def clearance_m(self, a: Floats, b: Floats) -> Floats:
        """How far the ground between each two places (n, 2) stays below both lines of sight, m.

        Negative: hidden by so much. NaN: the DEM cannot tell (void, or too coarse for so short a way).
        """
        way = np.hypot(*(b - a).T)
        count = int(np.clip(np.ceil(way.max(initial=0.0) / (self.dem.cell_m / 4)), 4, _MOST_SAMPLES))
        share = np.linspace(0.0, 1.0, count + 1)
        xy = a[:, None, :] + share[None, :, None] * (b - a)[:, None, :]
        ground = self.heights(xy.reshape(-1, 2)).reshape(len(a), -1)
        start, end = ground[:, :1], ground[:, -1:]
        there = start + self.eye_m + share * (end + self.top_m - start - self.eye_m)
        back = start + self.top_m + share * (end + self.eye_m - start - self.top_m)
        clear = (np.minimum(there, back) - ground)[:, 1:-1].min(axis=1)  # NaN spreads
        return np.where(way < CELLS_BETWEEN * self.dem.cell_m, np.nan, clear)

    def split(self, xy: Floats, along: Floats, least_m: float) -> list[int] | None:
        """The fewest places of a row, the first and last given, by which each sees the next; ``None`` where none do.

        ``xy`` (n, 2), ``along``: metres along the line of each; neighbours stay ``least_m`` apart. What the DEM cannot tell
        counts as seen, so that nothing is set for want of knowledge. Of equally few the one found first, from upstream.
        """
        i, j = np.triu_indices(len(xy), 1)
        wide = along[j] - along[i] >= least_m - 1e-6
        i, j = i[wide], j[wide]
        clear = self.clearance_m(xy[i], xy[j])
        seen = np.isnan(clear) | (clear >= 0)
        onward: dict[int, list[int]] = {}
        for a, b in zip(i[seen].tolist(), j[seen].tolist(), strict=True):
            onward.setdefault(a, []).append(b)
        return _shortest(onward, len(xy) - 1)


def _shortest(onward: dict[int, list[int]], last: int) -> list[int] | None:
    came: dict[int, int] = {0: 0}
    waiting = deque([0])
    while waiting and last not in came:
        here = waiting.popleft()
        for there in onward.get(here, ()):
            if there not in came:
                came[there] = here
                waiting.append(there)
    if last not in came:
        return None
    way = [last]
    while way[-1] != 0:
        way.append(came[way[-1]])
    return way[-2:0:-1]


def _bilinear(z: npt.NDArray[np.float32], row: Floats, column: Floats) -> Floats:
    """Heights between the middles of cells; NaN beyond the outermost cells, and next to a void."""
    rows, columns = z.shape
    inside = (row >= -0.5) & (row <= rows - 0.5) & (column >= -0.5) & (column <= columns - 0.5)
    row, column = np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)
    r, c = np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
    r1, c1 = np.minimum(r + 1, rows - 1), np.minimum(c + 1, columns - 1)
    u, v = row - r, column - c
    upper = z[r, c] * (1 - v) + z[r, c1] * v
    lower = z[r1, c] * (1 - v) + z[r1, c1] * v
    return np.where(inside, upper * (1 - u) + lower * u, np.nan)
