"""Water from the channel over the ground: which cells does it reach, and how high does it stand there?

The surface at a cell is the highest that reaches it: along a way of wet cells water never stands higher than where it came
from, nor higher than the river beside the cell. So it lies level where it backs up a tributary or through a gap in a levee,
falls with the river down the valley, and never jumps a levee or a ridge. Cells are neighbours by their sides only: water
that could slip between the corners of two cells would leak through every levee one cell wide that runs askew.
No library does this in one pass (scikit-image's reconstruction knows no ground that blocks), hence the small kernel.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from rivergis.river.terrain import Mask

Floats = npt.NDArray[np.float64]


def spread(ground_m: npt.NDArray[np.float32], river_m: Floats, channel: Mask, conducts: Mask) -> Floats:
    """Height of the water surface, float64 (rows, columns), metres; NaN where it stays dry.

    ``ground_m``: heights, NaN = void. ``river_m``: level of the river beside each cell, NaN = none is known there, which water
    does not enter. ``channel``: where the water comes from, whatever the ground says there (bridges). ``conducts``: voids
    that are water. Raising any level, or lowering any ground, never lowers the surface anywhere.
    """
    surface = np.full(ground_m.shape, np.nan)
    _spread(ground_m, river_m, channel, conducts, surface)
    return surface


@numba.njit(cache=True)
def _spread(ground: Any, river: Any, channel: Any, conducts: Any, surface: Any) -> None:
    rows, columns = ground.shape
    heap = [(0.0, 0, 0)]
    heap.pop()
    for row in range(rows):
        for column in range(columns):
            if channel[row, column] and not np.isnan(river[row, column]):
                surface[row, column] = river[row, column]
                heappush(heap, (-river[row, column], row, column))
    while len(heap) > 0:
        height, row, column = heappop(heap)
        for side in range(4):
            r = row + (side == 0) - (side == 1)
            c = column + (side == 2) - (side == 3)
            if r < 0 or c < 0 or r >= rows or c >= columns or not np.isnan(surface[r, c]) or np.isnan(river[r, c]):
                continue
            level = min(-height, river[r, c])
            if level > ground[r, c] or conducts[r, c]:
                surface[r, c] = level
                heappush(heap, (-level, r, c))
