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

from rivergis.river.terrain import Heights, Mask


def spread(ground_m: Heights, river_m: Heights, channel: Mask, conducts: Mask) -> Heights:
    """Height of the water surface, float32 (rows, columns), metres; NaN where it stays dry.

    ``ground_m``: heights, NaN = void. ``river_m``: level of the river beside each cell, NaN = none is known there, which water
    does not enter. ``channel``: where the water comes from, whatever the ground says there (bridges). ``conducts``: voids
    that are water. Raising any level, or lowering any ground, never lowers the surface anywhere.
    """
    surface = np.full(ground_m.shape, np.nan, dtype=np.float32)
    _spread(ground_m, river_m, channel, conducts, surface)
    return surface


@numba.njit(cache=True)
def _spread(ground: Any, river: Any, channel: Any, conducts: Any, surface: Any) -> None:
    rows, columns = ground.shape
    heap = [(np.float32(0), 0, 0)]
    heap.pop()
    here = [(0, 0)]  # cells at the height of the water that is led on now: they need no ordering
    here.pop()
    for row in range(rows):
        for column in range(columns):
            if channel[row, column] and not np.isnan(river[row, column]):
                surface[row, column] = river[row, column]
                heappush(heap, (-river[row, column], row, column))
    while len(heap) > 0:
        height, row, column = heappop(heap)
        here.append((row, column))
        while len(here) > 0:
            row, column = here.pop()
            for side in range(4):
                r = row + (side == 0) - (side == 1)
                c = column + (side == 2) - (side == 3)
                if r < 0 or c < 0 or r >= rows or c >= columns or not np.isnan(surface[r, c]) or np.isnan(river[r, c]):
                    continue
                level = min(-height, river[r, c])
                if level > ground[r, c] or conducts[r, c]:
                    surface[r, c] = level
                    if level == -height:
                        here.append((r, c))
                    else:
                        heappush(heap, (-level, r, c))


def rise_to_reach(need_m: Heights, wet: Mask, most_m: float) -> Heights:
    """By how much would the river have to rise to reach each dry cell? Metres, up to the next centimetre, NaN where more than ``most_m``.

    ``need_m``: by how much each cell stands above the river beside it (negative = below; NaN = not known). The answer is the
    lowest height over all ways from the wet cells of the highest cell on the way.
    """
    rise = np.full(need_m.shape, np.nan, dtype=np.float32)
    _rise(need_m, wet, int(most_m * 100), rise)
    return rise


@numba.njit(cache=True)
def _rise(need: Any, wet: Any, most_cm: int, rise: Any) -> None:
    """Cells wait in one chain per centimetre: ``first`` of each chain, and ``after`` each cell."""
    rows, columns = need.shape
    first = np.full(most_cm + 1, -1, dtype=np.int32)
    after = np.full(rows * columns, -1, dtype=np.int32)
    here = [0]
    here.pop()
    for cell in range(rows * columns):
        if wet.flat[cell]:
            here.append(cell)
    for now in range(most_cm + 1):
        cell = first[now]
        while cell >= 0:
            here.append(cell)
            cell = after[cell]
        while len(here) > 0:
            row, column = divmod(here.pop(), columns)
            for side in range(4):
                r = row + (side == 0) - (side == 1)
                c = column + (side == 2) - (side == 3)
                if r < 0 or c < 0 or r >= rows or c >= columns or wet[r, c] or not np.isnan(rise[r, c]):
                    continue
                if not need[r, c] * 100 <= most_cm:
                    continue
                at = max(int(np.ceil(need[r, c] * 100 - 0.01)), now)
                rise[r, c] = at / 100
                cell = r * columns + c
                if at == now:
                    here.append(cell)
                else:
                    after[cell] = first[at]
                    first[at] = cell
