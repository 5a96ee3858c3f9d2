"""The loop of the authenticity checks that numpy has no words for: a track cut into straight pieces of even speed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def cut(t: Any, x: Any, y: Any, variance: Any, price: Any, longest: Any) -> Any:
    """First fix of every piece of the best cut: sum of squared misfits over ``variance`` plus ``price`` a piece is least.

    In each piece the position is linear in time. Dynamic programming over all cuts with at most ``longest`` fixes a piece
    (Jackson et al. 2005, doi:10.1109/LSP.2001.838216); sums from the start make the misfit of any piece a few products.
    """
    n = len(t)
    sums = np.zeros((n + 1, 8))
    for i in range(n):
        a, b, c = t[i] - t[n // 2], x[i] - x[n // 2], y[i] - y[n // 2]
        for k, term in enumerate((a, a * a, b, c, a * b, a * c, b * b, c * c)):
            sums[i + 1, k] = sums[i, k] + term
    best, back = np.full(n + 1, 1e300), np.zeros(n + 1, np.int64)
    best[0] = 0.0
    for j in range(1, n + 1):
        for i in range(max(0, j - longest), j):
            misfit, m = 0.0, j - i
            if m > 2:
                st, sx, sy = sums[j, 0] - sums[i, 0], sums[j, 2] - sums[i, 2], sums[j, 3] - sums[i, 3]
                tt = sums[j, 1] - sums[i, 1] - st * st / m
                tx, ty = sums[j, 4] - sums[i, 4] - st * sx / m, sums[j, 5] - sums[i, 5] - st * sy / m
                misfit = sums[j, 6] - sums[i, 6] - sx * sx / m + sums[j, 7] - sums[i, 7] - sy * sy / m
                if tt > 0:
                    misfit -= (tx * tx + ty * ty) / tt
            cost = best[i] + max(misfit, 0.0) / variance + price
            if cost < best[j]:
                best[j], back[j] = cost, i
    starts, j = [0], n
    while j > 0:
        j = back[j]
        if j > 0:
            starts.append(j)
    return np.array(starts[:1] + starts[:0:-1])
