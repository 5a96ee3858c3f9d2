"""What a directed network says of each reach: main successor, order, what drains into it, the way to the outlet, its river.

Main stem and tributary in the sense of Horton (1945) and Hack (1957), stream order of Strahler (1957,
doi:10.1029/TR038i006p00913); side arms as in NHDPlus (a minor divergence has the order of its main path and adds none where
it returns). Nodes and reaches are numbers, lengths metres; the directed graph has no cycle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rivergis.errors import InputError
from rivergis.river.consensus import bridges
from rivergis.river.drawn import Floats, Ints

Texts = npt.NDArray[np.object_]
KIND_RANK = {"river": 4, "stream": 3, "flow_path": 3, "braid": 2, "canal": 1, "ditch": 0}


@dataclass(frozen=True)
class Reaches:
    """A directed network as arrays of one length, and what is known of each reach.

    ``start``, ``end``: upstream and downstream node; ``length_m``; ``kind``; ``name`` (text or None); ``fit``: how well the
    reach continues straight out of its upstream node; ``half_width_m``, ``upstream_area_km2``: NaN where unknown.
    """

    start: Ints
    end: Ints
    length_m: Floats
    kind: Texts
    name: Texts
    fit: Floats
    half_width_m: Floats
    upstream_area_km2: Floats

    @property
    def nodes(self) -> int:
        return int(max(self.start.max(initial=-1), self.end.max(initial=-1))) + 1


@dataclass(frozen=True)
class Measures:
    """See the columns of layer ``reaches``; ``next`` is -1 at an outlet, ``river`` numbers the rivers from 0."""

    order: Ints
    next: Ints
    side: npt.NDArray[np.bool_]
    strahler: Ints
    upstream_length_m: Floats
    to_outlet_m: Floats
    stem_order: Ints
    river: Ints
    from_m: Floats
    to_m: Floats


def measure(reaches: Reaches, following: Ints | None = None) -> Measures:
    """All measures of a directed network, with main successors as chosen here or as given (-1 at an outlet).

    ``InputError`` if water would run in a circle.
    """
    order = downstream_order(reaches.start, reaches.end, reaches.nodes)
    upstream = upstream_length(reaches, order)
    if following is None:
        following, divides = _successors(reaches, order)
    else:
        divides = np.isin(reaches.start, reaches.end) & ~np.isin(np.arange(len(order)), following)
    best, side = _main_upstream(reaches, order, following, divides, upstream)
    to_outlet = _to_outlet(reaches, order, following)
    river, stem_order = _stems(reaches, order, following, best)
    from_m, to_m = _chainages(reaches, order, following, river)
    river, from_m, to_m = _sides_on_their_river(reaches, order, following, side, river, from_m, to_m)
    strahler = _strahler(reaches, order, following, divides)
    return Measures(order, following, side, strahler, upstream, to_outlet, stem_order, river, from_m, to_m)


def downstream_order(start: Ints, end: Ints, nodes: int) -> Ints:
    """Reach numbers so that every reach comes after all that drain into it (Kahn 1962); ``InputError`` for a circle."""
    waiting = np.bincount(end, minlength=nodes)
    by_start = np.argsort(start, kind="stable")
    first = np.searchsorted(start[by_start], np.arange(nodes + 1))
    ready = np.flatnonzero(waiting == 0).tolist()
    out: list[int] = []
    while ready:
        node = ready.pop()
        for i in by_start[first[node] : first[node + 1]].tolist():
            out.append(i)
            waiting[end[i]] -= 1
            if waiting[end[i]] == 0:
                ready.append(int(end[i]))
    if len(out) < len(start):
        stuck = np.setdiff1d(np.arange(len(start)), out)
        raise InputError(
            f"{len(stuck)} reaches form a circle or lie below one (the first is number {int(stuck[0]) + 1}): "
            "water cannot run round; turn one of them.",
            reaches=stuck[:20].tolist(),
        )
    return np.array(out, dtype=np.int64)


def upstream_length(reaches: Reaches, order: Ints) -> Floats:
    """Length of each reach and of all that drains into it, m; every reach counts once, also where arms part and meet."""
    nodes = reaches.nodes
    room = _rooms(reaches.start, reaches.end, nodes)
    bit, left = np.zeros(nodes, dtype=np.int64), np.zeros(nodes, dtype=np.int64)
    inner = room[reaches.start] == room[reaches.end]
    np.add.at(left, reaches.start[inner], 1)
    size = np.zeros(room.max(initial=0) + 1, dtype=np.int64)
    for node in np.unique(np.concatenate([reaches.start[inner], reaches.end[inner]])):
        bit[node] = size[room[node]]
        size[room[node]] += 1
    weights = {int(r): np.zeros(size[r]) for r in np.flatnonzero(size)}
    above: dict[int, int] = {}  # node of a room -> the nodes of the room that drain to it, as bits
    plain = np.zeros(nodes)
    total = np.zeros(len(order))
    known: dict[int, float] = {}
    for i in order.tolist():
        u, v, r = int(reaches.start[i]), int(reaches.end[i]), int(room[reaches.start[i]])
        if r in weights:
            if u not in known:
                known[u] = _sum_of(above.setdefault(u, 1 << int(bit[u])), weights[r])
            into = known[u]
        else:
            into = plain[u]
        total[i] = reaches.length_m[i] + into
        if inner[i]:
            weights[r][bit[v]] += reaches.length_m[i]
            above[v] = above.get(v, 1 << int(bit[v])) | above[u]
            left[u] -= 1
            if left[u] == 0:
                del above[u]
        elif int(room[v]) in weights:
            weights[int(room[v])][bit[v]] += total[i]
        else:
            plain[v] += total[i]
    return total


def _sum_of(bits: int, weights: Floats) -> float:
    """Sum of the weights whose bit is set."""
    raw = np.frombuffer(bits.to_bytes((len(weights) + 7) // 8, "little"), dtype=np.uint8)
    return float(weights @ np.unpackbits(raw, count=len(weights), bitorder="little"))


def _rooms(start: Ints, end: Ints, nodes: int) -> Ints:
    """Number of the part each node is in when all bridges are taken away: nodes of one loop share it."""
    loops = ~bridges(start, end)
    graph = coo_array((np.ones(loops.sum()), (start[loops], end[loops])), shape=(nodes, nodes))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _groups(keys: Ints, among: Iterable[int]) -> dict[int, list[int]]:
    out: dict[int, list[int]] = {}
    for i in among:
        out.setdefault(int(keys[i]), []).append(int(i))
    return out


def _successors(reaches: Reaches, order: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Main successor of each reach, and whether a reach leaves a bifurcation as the lesser arm.

    Where water parts, the main arm is the one with the name of what arrives, else the larger kind, the one that leads
    farther (not to a dead end nearby), the wider one, the straighter one.
    """
    leaving = _groups(reaches.start, range(len(order)))
    arriving = _groups(reaches.end, range(len(order)))
    onward = _longest_onward(reaches, order)
    following = np.full(len(order), -1, dtype=np.int64)
    lesser = np.zeros(len(order), dtype=bool)
    for node, out in leaving.items():
        into = arriving.get(node, [])
        names = {reaches.name[i] for i in into if reaches.name[i] is not None}
        main = out[0] if len(out) == 1 else max(out, key=lambda i: _arm_rank(reaches, i, names, onward))
        following[into] = main
        if into:
            lesser[[i for i in out if i != main]] = True
    return following, lesser


def _arm_rank(reaches: Reaches, i: int, names: set[str], onward: Floats) -> tuple[float, ...]:
    width = reaches.half_width_m[i]
    return (
        float(reaches.name[i] in names),
        KIND_RANK.get(str(reaches.kind[i]), 0),
        round(float(np.log2(max(onward[i], 1.0)))),
        0.0 if np.isnan(width) else float(width),
        float(reaches.fit[i]),
        -reaches.length_m[i],
        -i,
    )


def _longest_onward(reaches: Reaches, order: Ints) -> Floats:
    """Longest way from the upstream end of each reach to an end of the network, m."""
    best = np.zeros(reaches.nodes)
    onward = np.zeros(len(order))
    for i in order[::-1].tolist():
        onward[i] = reaches.length_m[i] + best[reaches.end[i]]
        best[reaches.start[i]] = max(best[reaches.start[i]], onward[i])
    return onward


def _main_upstream(
    reaches: Reaches, order: Ints, following: Ints, lesser: npt.NDArray[np.bool_], upstream: Floats
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The reach that each one is the continuation of (-1 at a source), and whether it belongs to a side arm.

    Same name first, else the larger catchment, else the longer net. A side arm counts as large as the river was where
    it left: where it returns the main arm goes on, while a brook that joins the arm does not take it over.
    """
    into = _groups(following, np.flatnonzero(following >= 0))
    arriving = _groups(reaches.end, range(len(order)))
    area = reaches.upstream_area_km2
    best = np.full(len(order), -1, dtype=np.int64)
    side = lesser.copy()
    size = np.column_stack([area, upstream])
    for i in order.tolist():
        if lesser[i]:
            size[i] = size[arriving[int(reaches.start[i])]].max(axis=0)
        elif i in into:
            best[i] = _continued(reaches, i, into[i], size, side)
            side[i] = side[best[i]]
            if side[i]:
                size[i] = size[best[i]]
    return best, side


def _continued(reaches: Reaches, main: int, into: list[int], size: Floats, side: npt.NDArray[np.bool_]) -> int:
    name = reaches.name[main]
    by = 1 if np.isnan(size[into, 0]).any() else 0  # areas are compared only where all are known
    return max(into, key=lambda i: (name is not None and reaches.name[i] == name, size[i, by], not side[i], -i))


def _to_outlet(reaches: Reaches, order: Ints, following: Ints) -> Floats:
    """From the downstream end of each reach along its main successors to the outlet, m."""
    out = np.zeros(len(order))
    for i in order[::-1].tolist():
        j = following[i]
        if j >= 0:
            out[i] = reaches.length_m[j] + out[j]
    return out


def _stems(reaches: Reaches, order: Ints, following: Ints, best: Ints) -> tuple[Ints, Ints]:
    """River of each reach, and how many times its water changes the stem on the way to the outlet, plus one.

    A river is a main stem from its source to where it joins a larger one; where the name changes on the way, the upper
    part is a river of its own (it has its own line in the 名录).
    """
    river = np.full(len(order), -1, dtype=np.int64)
    stem_order = np.ones(len(order), dtype=np.int64)
    lower_name: dict[int, str] = {}
    rivers = 0
    for i in order[::-1].tolist():
        j = following[i]
        goes_on = j >= 0 and best[j] == i
        if j >= 0:
            stem_order[i] = stem_order[j] + (not goes_on)
        name = reaches.name[i]
        if not goes_on or (name is not None and lower_name.get(int(river[j]), name) != name):
            river[i] = rivers
            rivers += 1
        else:
            river[i] = river[j]
        if name is not None:
            lower_name[int(river[i])] = str(name)
    return river, stem_order


def _chainages(reaches: Reaches, order: Ints, following: Ints, river: Ints) -> tuple[Floats, Floats]:
    """Chainage of both ends of each reach along its river, from the river's upstream end, m."""
    to_m = np.zeros(len(order))
    for i in order.tolist():
        to_m[i] += reaches.length_m[i]
        j = following[i]
        if j >= 0 and river[j] == river[i]:
            to_m[j] = to_m[i]
    return to_m - reaches.length_m, to_m


def _sides_on_their_river(
    reaches: Reaches,
    order: Ints,
    following: Ints,
    side: npt.NDArray[np.bool_],
    river: Ints,
    from_m: Floats,
    to_m: Floats,
) -> tuple[Ints, Floats, Floats]:
    """Give arms that leave a river and return to it that river's number and chainage, spread along the arm."""
    river, from_m, to_m = river.copy(), from_m.copy(), to_m.copy()
    upper = _chainage_at_node(reaches.end, order[~side[order]], river, to_m)
    lower = _chainage_at_node(reaches.start, order[~side[order]], river, from_m)
    for arm in _groups(river, [i for i in order.tolist() if side[i]]).values():
        above, below = upper.get(int(reaches.start[arm[0]]), {}), lower.get(int(reaches.end[arm[-1]]), {})
        shared = [r for r in above if r in below and below[r] > above[r]]
        if shared:
            begin, end = above[shared[0]], below[shared[0]]
            share = np.concatenate([[0.0], np.cumsum(reaches.length_m[arm])]) / reaches.length_m[arm].sum()
            river[arm] = shared[0]
            from_m[arm], to_m[arm] = begin + (end - begin) * share[:-1], begin + (end - begin) * share[1:]
    return np.unique(river, return_inverse=True)[1].astype(np.int64), from_m, to_m


def _chainage_at_node(node: Ints, among: Ints, river: Ints, at_m: Floats) -> dict[int, dict[int, float]]:
    """Node -> river -> chainage there."""
    out: dict[int, dict[int, float]] = {}
    for i in among.tolist():
        out.setdefault(int(node[i]), {})[int(river[i])] = float(at_m[i])
    return out


def _strahler(reaches: Reaches, order: Ints, following: Ints, lesser: npt.NDArray[np.bool_]) -> Ints:
    """Strahler order; water of a lesser arm raises no order where it returns (stream calculator of NHDPlus)."""
    arriving = _groups(following, np.flatnonzero(following >= 0))
    at_node = _groups(reaches.end, range(len(order)))
    strahler = np.ones(len(order), dtype=np.int64)
    counts = np.ones(len(order), dtype=np.int64)  # what it brings to a confluence; 0 for pure side water
    for i in order.tolist():
        into = [counts[j] for j in arriving.get(i, [])]
        if lesser[i]:
            above = [strahler[j] for j in at_node[int(reaches.start[i])]]
            strahler[i], counts[i] = max(above), 0
        elif into:
            top = max(into)
            counts[i] = top + (top > 0 and into.count(top) > 1)
            strahler[i] = max(counts[i], max(strahler[j] for j in arriving[i]))
    return strahler
