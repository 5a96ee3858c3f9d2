"""Loops of coverage over the pieces of a path: runs in one direction, what a bearer keeps to, and the stretches in sight."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def runs(pieces: Any, turn_m: Any) -> Any:
    """(run, passage, direction) of every piece, in order: a run is one reach in one direction, a passage one way without a break.

    A run turns where the way goes back by more than ``turn_m``; the pieces since the farthest point then belong to the next.
    ``pieces``: see ``match_kernels.pieces``; rows that were not seen break a passage.
    """
    n = len(pieces)
    run, passage = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    way = np.zeros(n)
    r, p, first, extreme, at = -1, -1, 0, 0, 0.0
    for i in range(n):
        row = pieces[i]
        unbroken = i > 0 and row[6] == 1 and pieces[i - 1, 6] == 1
        unbroken = unbroken and (row[0] == pieces[i - 1, 7] or row[0] == pieces[i - 1, 0])
        if not unbroken:
            p += 1
        if not unbroken or row[1] != pieces[i - 1, 1]:
            r, first, extreme, at = r + 1, i, i, row[2]
            way[i] = np.sign(row[3] - row[2])
        else:
            way[i] = way[first]
        if way[first] == 0:
            way[first : i + 1] = np.sign(row[3] - row[2])
        if (row[3] - at) * way[first] >= 0:
            extreme, at = i, row[3]
        elif (at - row[3]) * way[first] > turn_m:
            r, p, first = r + 1, p + 1, extreme + 1
            for k in range(first, i):
                run[k], passage[k], way[k] = r, p, -way[k]
            way[i], extreme, at = -way[i], i, row[3]
        run[i], passage[i] = r, p
    return run, passage, way


@njit(cache=True)
def steady(group: Any, score: Any, switch: Any) -> Any:
    """State (0 .. k - 1) of every row: the best sum of ``score`` (n, k) along each group where a change costs ``switch``.

    A walker does not change banks with every doubtful fix, nor does a walk become a ride for ten seconds.
    """
    n, k = score.shape
    out, came = np.zeros(n, dtype=np.int64), np.zeros((n, k), dtype=np.int64)
    best = np.zeros(k)
    start = 0
    for i in range(n):
        if i == 0 or group[i] != group[i - 1]:
            best[:] = 0.0
            start = i
        top = int(np.argmax(best))
        ceiling = best[top] - switch
        for s in range(k):
            came[i, s] = s if best[s] >= ceiling or i == start else top
            best[s] = max(best[s], ceiling) + score[i, s] if i > start else score[i, s]
        if i + 1 == n or group[i + 1] != group[i]:
            s = int(np.argmax(best))
            for q in range(i, start - 1, -1):
                out[q] = s
                s = came[q, s]
    return out


@njit(cache=True)
def stretches(pieces: Any, key: Any, sight: Any, start_s: Any, end_s: Any, hole_m: Any, soft: Any) -> Any:
    """Stretches in sight, rows (first piece, last piece, from, to, starts, ends); pieces of one ``key`` follow one another.

    The part of a piece with its offset within ``sight`` (k,) counts, the offset running straight between its ends. A hole of
    at most ``hole_m`` where the offset stays within ``soft`` times sight is noise and is closed.
    """
    out = np.zeros((len(pieces), 6))
    n, open_key, pending, hard = 0, -1, 0.0, False
    for i in range(len(pieces)):
        row, v = pieces[i], sight[i]
        if key[i] != open_key:
            open_key, pending, hard = key[i], 0.0, True
        if row[6] != 1:
            hard = True
            continue
        a, b = abs(row[4]), abs(row[5])
        u, w = 0.0, 1.0
        if a > v and b > v:
            u = 1.0
        elif a > v:
            u = (a - v) / (a - b)
        elif b > v:
            w = (v - a) / (b - a)
        lo, hi = row[2] + u * (row[3] - row[2]), row[2] + w * (row[3] - row[2])
        if u > 0:
            pending += abs(row[3] - row[2]) * u
            hard = hard or a > soft * v or (u == 1.0 and b > soft * v)
        if u == 1.0 and a > v:
            continue
        if n > 0 and key[int(out[n - 1, 1])] == key[i] and not (hard or pending > hole_m):
            out[n - 1, 1], out[n - 1, 5] = i, start_s[int(row[7])]
            out[n - 1, 2] = min(out[n - 1, 2], min(lo, hi))
            out[n - 1, 3] = max(out[n - 1, 3], max(lo, hi))
        else:
            out[n] = np.array([i, i, min(lo, hi), max(lo, hi), end_s[int(row[0])], start_s[int(row[7])]])
            n += 1
        pending, hard = 0.0, False
        if w < 1.0:
            pending, hard = abs(row[3] - row[2]) * (1 - w), b > soft * v
    return out[:n]


@njit(cache=True)
def stays(x: Any, y: Any, start_s: Any, end_s: Any, radius_m: Any, outside_s: Any) -> Any:
    """The track in parts (first place, last place), each within a circle round its own middle; shorter ways out of it than ``outside_s``
    belong to it."""
    n, k, i = len(x), 0, 0
    out = np.zeros((n, 2), dtype=np.int64)
    while i < n:
        cx, cy, weight, last = x[i], y[i], max(end_s[i] - start_s[i], 1.0), i
        for j in range(i + 1, n):
            if np.hypot(x[j] - cx, y[j] - cy) <= radius_m:
                more = max(end_s[j] - start_s[j], 1.0)
                weight, last = weight + more, j
                cx, cy = cx + (x[j] - cx) * more / weight, cy + (y[j] - cy) * more / weight
            elif end_s[j] - end_s[last] > outside_s:
                break
        out[k, 0], out[k, 1] = i, last
        k, i = k + 1, last + 1
    return out[:k]
