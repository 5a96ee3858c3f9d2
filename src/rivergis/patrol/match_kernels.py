"""Loops of the matcher that numpy has no words for: feet on reaches, the best path through them, the way between two feet."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

FAR = 1e18
AWAY = -1  # the state of being at no river


@njit(cache=True)
def bins(x: Any, y: Any, t: Any, step_m: Any, longest_s: Any) -> Any:
    """Bin number of every fix: a new one begins ``step_m`` from the first fix of the last, or after a silence (NaN: none)."""
    out = np.zeros(len(x), dtype=np.int64)
    start = 0
    for i in range(1, len(x)):
        far = (x[i] - x[start]) ** 2 + (y[i] - y[start]) ** 2 >= step_m * step_m
        out[i] = out[i - 1]
        if far or t[i] - t[i - 1] > longest_s:
            out[i] += 1
            start = i
    return out


@njit(cache=True)
def _side(vertex: Any, a: Any, b: Any, k: Any, t: Any, px: Any, py: Any, fx: Any, fy: Any) -> Any:
    """(+1 left or -1 right, metres beyond the end) of a place whose foot is at ``t`` of segment ``k`` of a reach [a, b)."""
    dx, dy = vertex[k + 1, 0] - vertex[k, 0], vertex[k + 1, 1] - vertex[k, 1]
    n = max(np.hypot(dx, dy), 1e-9)
    dx, dy, beyond = dx / n, dy / n, 0.0
    if t <= 0.0 and k == a:
        beyond = max(-((px - fx) * dx + (py - fy) * dy), 0.0)
    elif t >= 1.0 and k + 2 == b:
        beyond = max((px - fx) * dx + (py - fy) * dy, 0.0)
    elif t <= 0.0 or t >= 1.0:  # at a vertex the sum of both neighbours decides: the outside of a bend is told rightly
        o = k - 1 if t <= 0.0 else k + 1
        ex, ey = vertex[o + 1, 0] - vertex[o, 0], vertex[o + 1, 1] - vertex[o, 1]
        m = max(np.hypot(ex, ey), 1e-9)
        dx, dy = dx + ex / m, dy + ey / m
    return (1.0 if dx * (py - fy) - dy * (px - fx) >= 0 else -1.0), beyond


@njit(cache=True)
def _keep(
    count: Any, reach: Any, m: Any, d: Any, beyond: Any, r: Any, at: Any, off: Any, over: Any, apart_m: Any
) -> Any:
    """Note a foot among those of one fix: of two near each other on one reach the nearer stays, of too many the nearest."""
    most = len(reach)
    for c in range(count):
        if reach[c] == r and abs(m[c] - at) < apart_m:
            if abs(off) < abs(d[c]):
                m[c], d[c], beyond[c] = at, off, over
            return count
    c = count
    if count == most:
        c = 0
        for o in range(1, most):
            if abs(d[o]) > abs(d[c]):
                c = o
        if abs(off) >= abs(d[c]):
            return count
    reach[c], m[c], d[c], beyond[c] = r, at, off, over
    return min(count + 1, most)


@njit(cache=True)
def feet(
    x: Any, y: Any, vertex: Any, at_m: Any, first: Any, box: Any, first_box: Any, within_m: Any, block: Any, apart_m: Any, most: Any
) -> Any:  # fmt: skip
    """Every local minimum of distance from each place along each reach within ``within_m`` (r,) of it.

    Returns (count (n,), reach, measure, signed offset (left positive), metres beyond the end; each (n, most)).
    """
    n = len(x)
    count = np.zeros(n, dtype=np.int64)
    reach, m = np.full((n, most), -1, dtype=np.int64), np.zeros((n, most))
    d, beyond = np.zeros((n, most)), np.zeros((n, most))
    for i in range(n):
        for r in range(len(first) - 1):
            limit, last, falling = within_m[r] ** 2, FAR, False
            bk, bt, bx, by = 0, 0.0, 0.0, 0.0
            for q in range(first_box[r], first_box[r + 1]):
                gx = max(max(box[q, 0] - x[i], x[i] - box[q, 2]), 0.0)
                gy = max(max(box[q, 1] - y[i], y[i] - box[q, 3]), 0.0)
                near = gx * gx + gy * gy <= limit
                a = first[r] + (q - first_box[r]) * block
                b = min(a + block, first[r + 1] - 1)
                for k in range(a, b if near else a):
                    dx, dy = vertex[k + 1, 0] - vertex[k, 0], vertex[k + 1, 1] - vertex[k, 1]
                    nn = dx * dx + dy * dy
                    t = 0.0 if nn == 0 else ((x[i] - vertex[k, 0]) * dx + (y[i] - vertex[k, 1]) * dy) / nn
                    t = min(max(t, 0.0), 1.0)
                    fx, fy = vertex[k, 0] + t * dx, vertex[k, 1] + t * dy
                    away = (x[i] - fx) ** 2 + (y[i] - fy) ** 2
                    if away > last and falling and last <= limit:
                        s, over = _side(vertex, first[r], first[r + 1], bk, bt, x[i], y[i], bx, by)
                        at = at_m[bk] + bt * (at_m[bk + 1] - at_m[bk])
                        count[i] = _keep(
                            count[i], reach[i], m[i], d[i], beyond[i], r, at, s * np.sqrt(last), over, apart_m
                        )
                    if away < last:
                        falling, bk, bt, bx, by = True, k, t, fx, fy
                    elif away > last:
                        falling = False
                    last = away
                if (not near or q + 1 == first_box[r + 1]) and falling:
                    if last <= limit:
                        s, over = _side(vertex, first[r], first[r + 1], bk, bt, x[i], y[i], bx, by)
                        at = at_m[bk] + bt * (at_m[bk + 1] - at_m[bk])
                        count[i] = _keep(
                            count[i], reach[i], m[i], d[i], beyond[i], r, at, s * np.sqrt(last), over, apart_m
                        )
                    falling = False
                if not near:
                    last = FAR
    return count, reach, m, d, beyond


@njit(cache=True)
def _way(row: Any, to: Any, metres: Any, a: Any, b: Any) -> Any:
    """Metres along the water between two nodes, and where in the table that stands (-1: beyond the search)."""
    lo, hi = row[a], row[a + 1]
    while lo < hi:
        mid = (lo + hi) // 2
        if to[mid] < b:
            lo = mid + 1
        else:
            hi = mid
    if lo < row[a + 1] and to[lo] == b:
        return metres[lo], lo
    return FAR, -1


@njit(cache=True)
def between(ra: Any, ma: Any, rb: Any, mb: Any, length: Any, node: Any, row: Any, to: Any, metres: Any) -> Any:
    """(metres along the water between two places, end by which the first reach is left, end by which the second is entered).

    Ends are 0 (first vertex) or 1; -1 where the way stays on one reach.
    """
    best, out, into = FAR, -1, -1
    if ra == rb:
        best = abs(ma - mb)
        if node[ra, 0] != node[ra, 1]:
            return best, out, into
    for e in range(2):
        for f in range(2):
            w, _ = _way(row, to, metres, node[ra, e], node[rb, f])
            total = w + (length[ra] - ma if e == 1 else ma) + (length[rb] - mb if f == 1 else mb)
            if total < best:
                best, out, into = total, e, f
    return best, out, into


@njit(cache=True)
def viterbi(
    x: Any, y: Any, gap: Any, count: Any, reach: Any, m: Any, d: Any, cost: Any, away: Any,
    length: Any, node: Any, row: Any, to: Any, metres: Any, p: Any,
) -> Any:  # fmt: skip
    """Cheapest path of states: which foot (or ``AWAY``) each place belongs to, its total cost, and cost-to-come of all feet.

    ``cost`` (n, most): emission of every foot; ``away`` (n,): emission of being at no river; ``gap`` (n,): silence before this
    place. ``p``: enter, slack_m, slack_share, offset_m, most, gap (see ``match.Method``).
    """
    n, most = reach.shape
    enter, slack_m, slack_share, offset_m, cap, flat = p[0], p[1], p[2], p[3], p[4], p[5]
    best, back = np.full((n, most + 1), FAR), np.full((n, most + 1), -1, dtype=np.int64)
    for j in range(count[0]):
        best[0, j] = cost[0, j] + enter
    best[0, most] = away[0]
    for i in range(1, n):
        straight = np.hypot(x[i] - x[i - 1], y[i] - y[i - 1])
        scale = slack_m + slack_share * straight
        top = best[i - 1, most]
        for k in range(count[i - 1]):
            top = min(top, best[i - 1, k] + (flat if gap[i] else enter))
        for j in range(count[i]):
            b, w = best[i - 1, most] + (flat if gap[i] else enter), most
            for k in range(count[i - 1]):
                if best[i - 1, k] >= b:
                    continue
                if gap[i]:
                    c = flat
                else:
                    net, out, into = between(
                        reach[i - 1, k], m[i - 1, k], reach[i, j], m[i, j], length, node, row, to, metres
                    )
                    turned = -1.0 if out == into and out >= 0 else 1.0
                    c = min(abs(net - straight) / scale + abs(turned * d[i - 1, k] - d[i, j]) / offset_m, cap)
                if best[i - 1, k] + c < b:
                    b, w = best[i - 1, k] + c, k
            best[i, j], back[i, j] = b + cost[i, j], w
        b, w = best[i - 1, most], most
        for k in range(count[i - 1]):
            c = flat if gap[i] else enter
            if best[i - 1, k] + c < b:
                b, w = best[i - 1, k] + c, k
        best[i, most], back[i, most] = b + away[i], w
    state = np.full(n, AWAY, dtype=np.int64)
    j = int(np.argmin(best[n - 1]))
    total = best[n - 1, j]
    for i in range(n - 1, -1, -1):
        state[i] = AWAY if j == most else j
        j = back[i, j]
    return state, total


@njit(cache=True)
def pieces(
    x: Any, y: Any, gap: Any, state: Any, reach: Any, m: Any, d: Any,
    length: Any, node: Any, row: Any, to: Any, metres: Any, via: Any, most_m: Any, most_share: Any,
) -> Any:  # fmt: skip
    """The way along the water between successive states: rows (place before, reach, from, to, offset before, after, seen).

    Offsets are signed by the digitised direction of the row's reach. ``seen`` is 0 across a silence, and -1 where the network
    way is so much longer than the straight one (more than ``most_m`` + ``most_share`` times) that nobody went it.
    """
    out = []
    for i in range(1, len(state)):
        if state[i] < 0 or state[i - 1] < 0:
            continue
        ra, ma, da = reach[i - 1, state[i - 1]], m[i - 1, state[i - 1]], d[i - 1, state[i - 1]]
        rb, mb, db = reach[i, state[i]], m[i, state[i]], d[i, state[i]]
        net, e, f = between(ra, ma, rb, mb, length, node, row, to, metres)
        straight = np.hypot(x[i] - x[i - 1], y[i] - y[i - 1])
        if net >= FAR:
            continue
        seen = 0.0 if gap[i] else (1.0 if net <= most_m + most_share * straight else -1.0)
        if e < 0:
            out.append((i - 1.0, float(ra), ma, mb, da, db, seen))
            continue
        end_a = length[ra] if e == 1 else 0.0
        end_b = length[rb] if f == 1 else 0.0
        turned = -1.0 if e == f else 1.0
        out.append((i - 1.0, float(ra), ma, end_a, da, turned * db, seen))
        here, goal = node[rb, f], node[ra, e]
        first = len(out)
        while here != goal:  # back along the ways from the exit of the first reach
            _, at = _way(row, to, metres, goal, here)
            r = via[at]
            forward = node[r, 1] == here
            s = 1.0 if forward == (e == 1) else -1.0
            out.append(
                (i - 1.0, float(r), 0.0 if forward else length[r], length[r] if forward else 0.0, s * da, s * da, seen)
            )
            here = node[r, 0] if forward else node[r, 1]
        for k in range((len(out) - first) // 2):
            out[first + k], out[len(out) - 1 - k] = out[len(out) - 1 - k], out[first + k]
        out.append((i - 1.0, float(rb), end_b, mb, turned * da, db, seen))
    table = np.zeros((len(out), 7))
    for k in range(len(out)):
        for c in range(7):
            table[k, c] = out[k][c]
    return table
