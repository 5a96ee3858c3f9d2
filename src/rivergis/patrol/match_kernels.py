"""Loops of the matcher that numpy has no words for: feet on reaches, the best path through them, the way between two feet."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

FAR = 1e18
AWAY = -1  # the state of being at no river


@njit(cache=True)
def bins(x: Any, y: Any, t: Any, step_m: Any, longest_s: Any) -> Any:
    """Bin number of every fix: a new one begins ``step_m`` from the first fix of the last, or after a silence of ``longest_s`` (n,)."""
    out = np.zeros(len(x), dtype=np.int64)
    start = 0
    for i in range(1, len(x)):
        far = (x[i] - x[start]) ** 2 + (y[i] - y[start]) ** 2 >= step_m * step_m
        out[i] = out[i - 1]
        if far or t[i] - t[i - 1] > longest_s[i]:
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

    Ends are 0 (first vertex) or 1; -1 where the way stays on one reach. Between two places of one reach it does, however short
    the way round an island may be, unless the reach is a ring.
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
def transitions(
    x: Any, y: Any, gap: Any, count: Any, reach: Any, m: Any, d: Any,
    length: Any, node: Any, row: Any, to: Any, metres: Any, p: Any,
) -> Any:  # fmt: skip
    """Cost of going from every state of a place to every state of the next, (n, k + 1, k + 1); the last state is ``AWAY``.

    ``gap`` (n,): silence before this place. ``p``: enter, slack_m, slack_share, offset_m, switch, silence (``match.Method``).
    """
    n, k = len(x), int(count.max()) if len(count) else 0
    enter, slack_m, slack_share, offset_m, switch, silence = p[0], p[1], p[2], p[3], p[4], p[5]
    out = np.full((n, k + 1, k + 1), FAR)
    for i in range(1, n):
        straight = np.hypot(x[i] - x[i - 1], y[i] - y[i - 1])
        scale = slack_m + slack_share * straight
        out[i, k, k] = 0.0
        for a in range(count[i - 1]):
            out[i, a, k] = silence if gap[i] else enter
        for b in range(count[i]):
            out[i, k, b] = silence if gap[i] else enter
            for a in range(count[i - 1]):
                if gap[i]:
                    out[i, a, b] = silence
                    continue
                net, e, f = between(reach[i - 1, a], m[i - 1, a], reach[i, b], m[i, b], length, node, row, to, metres)
                turned = -1.0 if e == f and e >= 0 else 1.0
                cost = abs(net - straight) / scale + abs(turned * d[i - 1, a] - d[i, b]) / offset_m
                out[i, a, b] = min(cost, switch)
    return out


@njit(cache=True)
def viterbi(count: Any, cost: Any, away: Any, change: Any) -> Any:
    """Cheapest path of states: which foot (or ``AWAY``) each place belongs to, and its total cost.

    ``cost`` (n, most): emission of every foot; ``away``: emission of being at no river; ``change``: see ``transitions``.
    """
    n, k = len(count), change.shape[1] - 1
    best, back = np.full((n, k + 1), FAR), np.full((n, k + 1), k, dtype=np.int64)
    for i in range(n):
        for b in range(k + 1):
            if b < k and b >= count[i]:
                continue
            emission = away if b == k else cost[i, b]
            if i == 0:
                best[i, b] = emission
                continue
            for a in range(k + 1):
                total = best[i - 1, a] + change[i, a, b] + emission
                if total < best[i, b]:
                    best[i, b], back[i, b] = total, a
    state = np.full(n, AWAY, dtype=np.int64)
    s = int(np.argmin(best[n - 1]))
    total = best[n - 1, s]
    for i in range(n - 1, -1, -1):
        state[i] = AWAY if s == k else s
        s = back[i, s]
    return state, total


@njit(cache=True)
def certainty(
    count: Any, cost: Any, away: Any, change: Any, state: Any, reach: Any, m: Any, near_m: Any, sharp: Any
) -> Any:
    """Posterior, with all costs times ``sharp``, that each place lies where the path has it (within ``near_m`` on its reach), forward-backward, (n,)."""
    n, k = len(count), change.shape[1] - 1
    back, ahead = np.ones((n, k + 1)), np.ones((n, k + 1))
    weight = np.zeros((n, k + 1))
    for i in range(n):
        for b in range(k + 1):
            if b == k or b < count[i]:
                weight[i, b] = np.exp(-sharp * (away if b == k else cost[i, b]))
    back[0] = weight[0] / weight[0].sum()
    for i in range(1, n):
        for b in range(k + 1):
            total = 0.0
            if weight[i, b] > 0:
                for a in range(k + 1):
                    total += back[i - 1, a] * np.exp(-sharp * change[i, a, b])
            back[i, b] = total * weight[i, b]
        back[i] /= max(back[i].sum(), 1e-300)
    for i in range(n - 2, -1, -1):
        for a in range(k + 1):
            total = 0.0
            for b in range(k + 1):
                total += np.exp(-sharp * change[i + 1, a, b]) * weight[i + 1, b] * ahead[i + 1, b]
            ahead[i, a] = total
        ahead[i] /= max(ahead[i].sum(), 1e-300)
    out = np.zeros(n)
    for i in range(n):
        both, mine = 0.0, 0.0
        for b in range(k + 1):
            joint = back[i, b] * ahead[i, b]
            both += joint
            s = state[i]
            if b == k:
                mine += joint if s < 0 else 0.0
            elif s >= 0 and b < count[i] and reach[i, b] == reach[i, s] and abs(m[i, b] - m[i, s]) <= near_m:
                mine += joint
        out[i] = mine / max(both, 1e-300)
    return out


@njit(cache=True)
def _out_of_sight(
    piece: Any, ax: Any, ay: Any, bx: Any, by: Any, vertex: Any, at_m: Any, first: Any, sight: Any
) -> Any:
    """Whether a vertex of a piece lies farther than sight from the straight way between two places."""
    r = int(piece[1])
    lo, hi = min(piece[2], piece[3]), max(piece[2], piece[3])
    dx, dy = bx - ax, by - ay
    nn = max(dx * dx + dy * dy, 1e-9)
    for v in range(first[r], first[r + 1]):
        if lo < at_m[v] < hi:
            t = min(max(((vertex[v, 0] - ax) * dx + (vertex[v, 1] - ay) * dy) / nn, 0.0), 1.0)
            if np.hypot(vertex[v, 0] - ax - t * dx, vertex[v, 1] - ay - t * dy) > sight[r]:
                return True
    return False


@njit(cache=True)
def _add(
    table: Any, count: Any, last: Any, r: Any, start: Any, stop: Any, before: Any, after: Any, seen: Any, i: Any
) -> Any:
    """One more piece in a table that grows."""
    if count == len(table):
        table = np.concatenate((table, np.zeros_like(table)))
    table[count] = np.array([last, r, start, stop, before, after, seen, i], dtype=np.float64)
    return table


@njit(cache=True)
def pieces(
    x: Any, y: Any, start_s: Any, end_s: Any, gap: Any, silence_s: Any, leap_ms: Any, state: Any, reach: Any, m: Any, d: Any,
    length: Any, node: Any, row: Any, to: Any, metres: Any, via: Any, vertex: Any, at_m: Any, first_vertex: Any, sight: Any, bend: Any,
) -> Any:  # fmt: skip
    """The way along the water between successive places on rivers: rows (place before, reach, from, to, offset before, offset
    after, seen, place after).

    Offsets are signed by the digitised direction of the row's reach. ``seen`` is 0 across a silence, and -1 where the way
    along the water leaves the sight of the straight way between the places: a bend cut off at its neck. Places at no
    river between two that are within ``silence_s`` (n,) of each other are noise and are passed over. ``bend``: detour_share,
    leap_share, detour_m, detour_sights (``match.Method``).
    """
    table, n, last = np.zeros((2 * len(state) + 8, 8)), 0, -1
    for i in range(len(state)):
        if state[i] < 0:
            continue
        was, last = last, i
        if was < 0:
            continue
        silent = gap[was + 1 : i + 1].any()
        if i - was > 1 and (silent or start_s[i] - end_s[was] > silence_s[i]):
            continue
        ra, ma, da = reach[was, state[was]], m[was, state[was]], d[was, state[was]]
        rb, mb, db = reach[i, state[i]], m[i, state[i]], d[i, state[i]]
        net, e, f = between(ra, ma, rb, mb, length, node, row, to, metres)
        if net >= FAR:
            continue
        seen, begun = 0.0 if silent else 1.0, n
        if e < 0:
            table, n = _add(table, n, was, ra, ma, mb, da, db, seen, i), n + 1
        else:
            turned = -1.0 if e == f else 1.0
            table, n = _add(table, n, was, ra, ma, length[ra] if e == 1 else 0.0, da, turned * db, seen, i), n + 1
            here, goal, inner = node[rb, f], node[ra, e], n
            while here != goal:  # back along the ways from the exit of the first reach
                _, at = _way(row, to, metres, goal, here)
                r = via[at]
                forward = node[r, 1] == here
                s = 1.0 if forward == (e == 1) else -1.0
                a, b = (0.0, length[r]) if forward else (length[r], 0.0)
                table, n = _add(table, n, was, r, a, b, s * da, s * da, seen, i), n + 1
                here = node[r, 0] if forward else node[r, 1]
            table[inner:n] = table[inner:n][::-1].copy()
            table, n = _add(table, n, was, rb, length[rb] if f == 1 else 0.0, mb, turned * da, db, seen, i), n + 1
        straight = np.hypot(x[i] - x[was], y[i] - y[was])
        leapt = net > leap_ms[i] * (start_s[i] - end_s[was])
        if not silent and net > (bend[1] if leapt else bend[0]) * straight + bend[2]:
            for k in range(begun, n):
                if _out_of_sight(table[k], x[was], y[was], x[i], y[i], vertex, at_m, first_vertex, bend[3] * sight):
                    table[begun:n, 6] = -1.0
                    break
    return table[:n]
