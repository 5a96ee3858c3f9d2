"""Loops over cells that numpy has no words for: the flood from the rim, steepest descent, the order from source to outlet.

pyflwdir 0.5 fills depressions too, but breaks ties by row number, rounds while it fills (a cell may end a hair below the one
it drains to), and needs 32 bytes a cell to order them; here a depression keeps the channel in its bottom, levels are exact,
and the order needs 5. Directions are coded as pyflwdir and ESRI do: 1 E, 2 SE, 4 S ... 128 NE, 0 outlet, 247 void.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numba import njit

OUTLET, VOID = np.uint8(0), np.uint8(247)
# E NE N NW W SW S SE: the order in which TauDEM looks, so that equal slopes are told alike
DOWN = np.array([0, -1, -1, -1, 0, 1, 1, 1])
RIGHT = np.array([1, 1, 0, -1, -1, -1, 0, 1])
CODE = np.array([1, 128, 64, 32, 16, 8, 4, 2], dtype=np.uint8)
BACK = np.array([16, 8, 4, 2, 1, 128, 64, 32], dtype=np.uint8)


@njit(cache=True)
def rim(z: Any) -> Any:
    """Cells with ground that touch a void or the rim of the grid, bool (rows, columns)."""
    rows, columns = z.shape
    out = np.zeros((rows, columns), dtype=np.bool_)
    for r in range(rows):
        for c in range(columns):
            if np.isnan(z[r, c]):
                continue
            if r == 0 or c == 0 or r == rows - 1 or c == columns - 1:
                out[r, c] = True
                continue
            for k in range(8):
                if np.isnan(z[r + DOWN[k], c + RIGHT[k]]):
                    out[r, c] = True
                    break
    return out


@njit(cache=True)
def flood(z: Any, seeds: Any, level: Any) -> tuple[Any, Any]:
    """Fill every depression to its lowest way out (priority flood): (filled heights, direction to the cell it was reached from).

    ``seeds``: linear indices where water may leave, at ``level`` (at least their own height). The queue is ordered by
    filled level, then by the ground itself, then first come: inside a depression the way follows its lowest ground, on true
    flats it is the shortest. Barnes et al. 2014, doi:10.1016/j.cageo.2013.04.024; Metz et al. 2011, doi:10.5194/hess-15-667-2011.
    """
    rows, columns = z.shape
    filled = np.full((rows, columns), np.nan, dtype=np.float32)
    way = np.full((rows, columns), VOID, dtype=np.uint8)
    heap = [(np.float32(0), np.float32(0), np.int64(0), np.int64(0)) for _ in range(0)]
    came = np.int64(0)
    for i in range(len(seeds)):
        r, c = seeds[i] // columns, seeds[i] % columns
        filled[r, c] = max(z[r, c], np.float32(level[i]))
        way[r, c] = OUTLET
        heapq.heappush(heap, (filled[r, c], z[r, c], came, np.int64(seeds[i])))
        came += 1
    while len(heap) > 0:
        here, _, _, cell = heapq.heappop(heap)
        r0, c0 = cell // columns, cell % columns
        for k in range(8):
            r, c = r0 + DOWN[k], c0 + RIGHT[k]
            if r < 0 or c < 0 or r >= rows or c >= columns or way[r, c] != VOID or np.isnan(z[r, c]):
                continue
            filled[r, c] = max(z[r, c], here)
            way[r, c] = BACK[k]
            heapq.heappush(heap, (filled[r, c], z[r, c], came, np.int64(r * columns + c)))
            came += 1
    return filled, way


@njit(cache=True)
def descend(filled: Any, way: Any, width: Any, height: Any) -> Any:
    """Turn ``way``, in place, to the steepest descent on the filled ground wherever one exists (D8).

    Elsewhere (flats, outlets) it stays. Every step then goes down, or keeps the level and goes back along the flood, which
    began at an outlet: there is no circle. O'Callaghan and Mark 1984, doi:10.1016/S0734-189X(84)80011-0.
    Returns the cells that are flat: no lower neighbour, and not at the rim.
    """
    rows, columns = filled.shape
    flat = np.zeros((rows, columns), dtype=np.bool_)
    for r in range(rows):
        w, h = width[r], height[r]
        d = np.sqrt(w * w + h * h)
        for c in range(columns):
            if way[r, c] == VOID:
                continue
            best, found = 0.0, -1
            for k in range(8):
                rr, cc = r + DOWN[k], c + RIGHT[k]
                if rr < 0 or cc < 0 or rr >= rows or cc >= columns or way[rr, cc] == VOID:
                    continue
                far = w if DOWN[k] == 0 else (h if RIGHT[k] == 0 else d)
                slope = (np.float64(filled[r, c]) - np.float64(filled[rr, cc])) / far
                if slope > best:
                    best, found = slope, k
            if found >= 0:
                way[r, c] = CODE[found]
            elif way[r, c] != OUTLET:
                flat[r, c] = True
    return flat


@njit(cache=True)
def downstream(way: Any) -> Any:
    """Linear index of the cell each cell drains to (itself at an outlet, -1 in a void), int32 (cells,)."""
    rows, columns = way.shape
    out = np.full(rows * columns, -1, dtype=np.int32)
    for r in range(rows):
        for c in range(columns):
            if way[r, c] == VOID:
                continue
            cell = r * columns + c
            out[cell] = cell
            for k in range(8):
                if CODE[k] == way[r, c]:
                    out[cell] = cell + DOWN[k] * columns + RIGHT[k]
                    break
    return out


@njit(cache=True)
def upwards(idxs_ds: Any) -> Any:
    """Cells in an order from outlets to sources, int32: each stands behind the one it drains to."""
    waiting = np.zeros(idxs_ds.size, dtype=np.uint8)
    ground = 0
    for i in range(idxs_ds.size):
        if idxs_ds[i] >= 0:
            ground += 1
            if idxs_ds[i] != i:
                waiting[idxs_ds[i]] += 1
    order = np.empty(ground, dtype=np.int32)
    last = ground
    for i in range(idxs_ds.size):
        if idxs_ds[i] < 0 or waiting[i] > 0:
            continue
        cell = i
        while True:  # from a source down, as far as nothing else is still to come
            last -= 1
            order[last] = cell
            below = idxs_ds[cell]
            if below == cell:
                break
            waiting[below] -= 1
            if waiting[below] > 0 or below > i:  # what lies ahead is met by the outer loop
                break
            cell = below
    return order[last:]


@njit(cache=True)
def handed_down(idxs_ds: Any, seq: Any, mark: Any) -> Any:
    """``mark`` (bool) with everything downstream of a marked cell marked too."""
    out = mark.copy()
    for i in seq[::-1]:
        if out[i]:
            out[idxs_ds[i]] = True
    return out


@njit(cache=True)
def handed_up(idxs_ds: Any, seq: Any, value: Any) -> Any:
    """Each cell's ``value`` (NaN where none) or that of the first cell downstream which has one; float32."""
    out = value.copy()
    for i in seq:
        if np.isnan(out[i]):
            out[i] = out[idxs_ds[i]]
    return out
