"""Directions of all lines of a network that together agree best with what is known of each: the arithmetic of ``direction``.

A network is a tree of *blocks* joined by *bridges* (lines whose removal cuts the network in two). On the tree the best
directions, and what it would cost to turn each single line, are found exactly by max-product message passing (Pearl
1988). Inside a block (a braid, a loop, a polder net) water runs as in a pipe network: from where it enters to where
it leaves, down a potential (Kirchhoff; HodgeRank, doi:10.1007/s10107-010-0392-x), so that a circle is impossible.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# costs in natural logarithms of odds: how much evidence it takes to believe in such a place
PLAIN_SINK = 10.0  # two lines meet and neither goes on, as where a map is cut off at a confluence
INNER_SINK = 11.0  # water arrives from two sides and does not leave
INNER_SOURCE = 10.0  # water comes from nowhere and leaves to two sides
END = 4.0  # one more end where water leaves; and as much for the bifurcation that leads to it
NOT_THE_OUTLET = 9.0  # water leaves elsewhere than at the outlet that was named
BIAS = 0.5  # pull of drawn directions inside a block against the flow through it
INSIDE = -1
MOST_TRIALS = 4_000_000  # lines times exits of a block, up to which every exit is tried


@dataclass(frozen=True)
class Solved:
    """``turned``: against the drawn direction; ``confidence`` 0.5 to 1; ``score``: agreement; ``contradicted``: lines of drawn circles."""

    turned: Flags
    confidence: Floats
    score: float
    contradicted: Ints


@dataclass
class _Place:
    """A block in the tree: its chains of bridges, and for each whether the block lies at the chain's first end."""

    chains: list[int] = field(default_factory=list)
    at_first: list[bool] = field(default_factory=list)


class Ways:
    """A drawn network taken apart into blocks and chains of bridges, ready to be asked with changing evidence."""

    def __init__(self, start: Ints, end: Ints, nodes: int, length_m: Floats) -> None:
        self.start, self.end, self.nodes, self.length_m = start, end, nodes, np.maximum(length_m, 1e-3)
        self.is_bridge = bridges(start, end)
        loops = ~self.is_bridge
        graph = coo_array((np.ones(loops.sum()), (start[loops], end[loops])), shape=(nodes, nodes))
        count, self.block = connected_components(graph, directed=False)
        self.blocks = int(count)
        self._chain_up()
        self._number_rooms()
        self.rooms = self._rooms(np.flatnonzero(loops))

    def _chain_up(self) -> None:
        """Join bridges that meet at plain nodes into chains: one direction for all of a chain."""
        bridges = np.flatnonzero(self.is_bridge)
        size = np.bincount(self.block, minlength=self.blocks)
        at: dict[int, list[int]] = {}
        for i in bridges.tolist():
            at.setdefault(int(self.block[self.start[i]]), []).append(int(i))
            at.setdefault(int(self.block[self.end[i]]), []).append(int(i))
        entering = np.bincount(self.block[self.end[bridges]], minlength=self.blocks)
        # drawn through: where both lines are drawn towards a node it may be an end, such as a mouth cut off by the map
        plain = {b for b, ends in at.items() if len(ends) == 2 and size[b] == 1 and entering[b] == 1}
        self.chain = np.full(len(self.start), -1)
        self.along = np.ones(len(self.start), dtype=bool)  # the bridge is drawn along its chain
        self.first_end: list[tuple[int, int]] = []  # blocks at the two ends of a chain
        self.tip: list[tuple[int, int]] = []  # bridges at the two ends of a chain
        for block, ends in at.items():
            if block not in plain:
                for i in ends:
                    if self.chain[i] < 0:
                        self._follow(i, int(block), at, plain)

    def _follow(self, bridge: int, block: int, at: dict[int, list[int]], plain: set[int]) -> None:
        number, here, i = len(self.first_end), block, bridge
        while True:
            self.chain[i] = number
            forward = self.block[self.start[i]] == here
            self.along[i] = forward
            here = int(self.block[self.end[i]] if forward else self.block[self.start[i]])
            if here not in plain:
                break
            i = next(j for j in at[here] if j != i)
        self.first_end.append((block, here))
        self.tip.append((bridge, i))

    def _number_rooms(self) -> None:
        """Blocks with their chains, and the order in which messages pass: from the leaves to a root and back."""
        self.places: dict[int, _Place] = {}
        for number, (a, b) in enumerate(self.first_end):
            for block, first in ((a, True), (b, False)):
                place = self.places.setdefault(block, _Place())
                place.chains.append(number)
                place.at_first.append(first)
        self.order: list[tuple[int, int]] = []  # (block, chain to its parent or -1), parents before children
        seen: set[int] = set()
        for root in self.places:
            stack = [] if root in seen else [(root, -1)]
            while stack:
                block, parent = stack.pop()
                seen.add(block)
                self.order.append((block, parent))
                for c in self.places[block].chains:
                    if c != parent:
                        a, b = self.first_end[c]
                        stack.append((b if a == block else a, c))

    def _rooms(self, loops: Ints) -> list[_Room]:
        """The blocks that have lines of their own, each with its nodes and lines."""
        block = self.block[self.start[loops]]
        blocks, first = np.unique(block[np.argsort(block)], return_index=True)
        lines = np.split(loops[np.argsort(block, kind="stable")], first[1:])
        nodes = np.flatnonzero(np.isin(self.block, blocks))
        nodes = nodes[np.argsort(self.block[nodes], kind="stable")]
        first = np.searchsorted(self.block[nodes], blocks)
        number = np.zeros(self.nodes, dtype=np.int64)  # of each node within its block
        number[nodes] = np.arange(len(nodes)) - first[np.searchsorted(blocks, self.block[nodes])]
        members = np.split(nodes, first[1:])
        return [_Room(self, int(b), members[k], lines[k], number) for k, b in enumerate(blocks)]

    def solve(self, odds: Floats, fits: Floats, outlets: Ints, end: float = END) -> Solved:
        """Best directions for the log odds of each line to run as drawn (see ``direction`` for ``fits``)."""
        turned = np.zeros(len(self.start), dtype=bool)
        confidence = np.full(len(self.start), 0.5)
        # unequal grains of sand: two equally good solutions never tie
        grained = odds + 1e-7 * np.sin(np.arange(len(odds)) * 12.9898 + 1.0)
        exits = {room.block: room.exits(grained) for room in self.rooms}
        named = set(self.block[outlets].tolist())
        messages = _Messages(self, grained, fits, exits, named, end)
        along = messages.along()
        tree = self.chain >= 0
        turned[tree] = along[self.chain[tree]] != self.along[tree]
        confidence[tree] = messages.confidence()[self.chain[tree]]
        contradicted = [room.direct(grained, along, outlets, turned, confidence) for room in self.rooms]
        score = float(messages.score + grained[~turned & ~tree].sum())
        return Solved(
            turned, confidence, score, np.concatenate(contradicted) if contradicted else np.empty(0, np.int64)
        )


def bridges(start: Ints, end: Ints) -> Flags:
    """Lines whose removal cuts the network in two."""
    pairs = np.sort(np.column_stack([start, end]), axis=1)
    unique, number, count = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    graph = nx.Graph(map(tuple, unique.tolist()))
    cuts = {tuple(sorted(p)) for p in nx.bridges(graph)}
    single = np.array([tuple(p) in cuts for p in unique.tolist()], dtype=bool) & (count == 1)
    return single[number.ravel()]


class _Messages:
    """Max-product messages over the tree of blocks: for every chain and both directions, the best of each side."""

    def __init__(
        self,
        ways: Ways,
        odds: Floats,
        fits: Floats,
        exits: dict[int, dict[int, float]],
        named: set[int],
        end: float,
    ) -> None:
        self.ways, self.named, self.end = ways, named, end
        count = len(ways.first_end)
        tree = ways.chain >= 0
        # own[c] = (worth of running against the chain, along the chain); a line is worth its odds when it runs as drawn
        own = np.zeros((count, 2))
        np.add.at(own, (ways.chain[tree], ways.along[tree].astype(int)), odds[tree])
        self.own: list[list[float]] = own.tolist()
        self.fit = self._fits(fits, exits)
        self.mouths = {block: worth[INSIDE] for block, worth in exits.items() if INSIDE in worth}
        self.up = [(0.0, 0.0)] * count  # from the child's side
        self.down = [(0.0, 0.0)] * count  # from the parent's side
        self.score = self._rise()
        self._descend()
        self.total = own + np.reshape(self.up, (count, 2)) + np.reshape(self.down, (count, 2))

    def _fits(self, fits: Floats, exits: dict[int, dict[int, float]]) -> list[list[float]]:
        """Log probability of each chain to be the one that leaves the block at its second, at its first end."""
        ways = self.ways
        tip = np.reshape(ways.tip, (-1, 2)).astype(np.int64)
        ends = np.reshape(ways.first_end, (-1, 2)).astype(np.int64)
        fit: list[list[float]] = fits[tip, (ways.block[ways.start[tip]] != ends).astype(int)][:, ::-1].tolist()
        for block in exits.keys() & ways.places.keys():
            place = ways.places[block]
            for c, first in zip(place.chains, place.at_first, strict=True):
                fit[c][first] = exits[block].get(c, 0.0)
        return fit

    def _rise(self) -> float:
        """Messages from the leaves to the roots; the worth of the best solution."""
        score = 0.0
        for block, parent in reversed(self.ways.order):
            meeting = self._meeting(block, parent, self.up, but=parent)
            if parent < 0:
                score += meeting.closed()
                continue
            place = self.ways.places[block]
            first = place.at_first[place.chains.index(parent)]
            self.up[parent] = _sorted(meeting.message(None, self.fit[parent][first]), first)
        return score

    def _descend(self) -> None:
        """Messages from the roots to the leaves."""
        for block, parent in self.ways.order:
            place = self.ways.places[block]
            if len(place.chains) == 1 and parent >= 0:
                continue
            meeting = self._meeting(block, parent, self.up, but=-1)
            for k, (c, first) in enumerate(zip(place.chains, place.at_first, strict=True)):
                if c != parent:
                    self.down[c] = _sorted(meeting.message(k, self.fit[c][first]), first)

    def _meeting(self, block: int, parent: int, up: list[tuple[float, float]], but: int) -> _Meeting:
        """The chains at a block, all or all but one, with what is known from their far sides."""
        place = self.ways.places[block]
        into, gains, fit = [], [], []
        for c, first in zip(place.chains, place.at_first, strict=True):
            if c != but:
                far, own = self.down[c] if c == parent else up[c], self.own[c]
                enters = far[not first] + own[not first]
                into.append(enters)
                gains.append(far[first] + own[first] - enters)
                fit.append(self.fit[c][first])
        mouth = self.mouths.get(block)
        return _Meeting(block in self.named, self.end, mouth, into, gains, fit)

    def along(self) -> Flags:
        return np.asarray(self.total[:, 1] > self.total[:, 0])

    def confidence(self) -> Floats:
        return np.asarray(1 / (1 + np.exp(-np.abs(self.total[:, 1] - self.total[:, 0]))))


def _sorted(worth: tuple[float, float], first: bool) -> tuple[float, float]:
    """(leaving, arriving) at a block as (against, along) a chain that has the block at its first end, or at its last."""
    return worth[::-1] if first else worth


class _Meeting:
    """The chains at a block: what each gains by running out of it, to be asked with any one left out.

    Sorted once, so that a block with a thousand chains costs no thousand times a thousand steps.
    """

    def __init__(
        self, named: bool, end: float, mouth: float | None, into: list[float], gains: list[float], fit: list[float]
    ) -> None:
        self.into, self.gains = into, gains
        self.base = sum(into)
        self.toll = NOT_THE_OUTLET * named
        self.named, self.end, self.mouth = named, end, mouth
        self.onward = [g + f for g, f in zip(gains, fit, strict=True)]
        self.best = sorted(self.onward, reverse=True)[:2]
        self.ranked = sorted(gains, reverse=True)
        self.sums = [0.0, *accumulate(self.ranked)]
        self.willing = sum(g > end for g in gains)

    def message(self, asks: int | None, own_fit: float) -> tuple[float, float]:
        """Best worth if the chain that asks leaves, and if it arrives; ``asks`` is its number, None for one not listed."""
        base = self.base - (0.0 if asks is None else self.into[asks])
        leaves = max(own_fit, self._several(asks, True, True)) - self.toll
        arrives = max(self._one(asks, True), self._several(asks, True, False) - self.toll)
        return base + leaves, base + arrives

    def closed(self) -> float:
        """Best worth of a block that no other chain asks."""
        return self.base + max(self._one(None, False), self._several(None, False, False) - self.toll)

    def _one(self, asks: int | None, asked: bool) -> float:
        """Best gain if one of the listed chains leaves, or none."""
        chains = len(self.gains) + (asked and asks is None)
        dry = -(self.end, PLAIN_SINK, INNER_SINK)[min(chains, 3) - 1] if self.mouth is None else self.mouth - self.end
        none = 0.0 if self.named else dry
        among = self.best[1:] if asks is not None and self.onward[asks] == self.best[0] else self.best
        return max(none, among[0] - self.toll) if among else none

    def _several(self, asks: int | None, asked: bool, own_out: bool) -> float:
        """Best gain if two or more chains leave; all of them leaving makes the block a source."""
        own = None if asks is None else self.gains[asks]
        others = len(self.gains) - (own is not None)
        need = 1 if own_out else 2
        if others < need:
            return -np.inf
        leave = max(need, self.willing - (own is not None and own > self.end))
        among = own is not None and own >= self.ranked[leave - 1]
        gain = self.sums[leave + 1] - own if among and own is not None else self.sums[leave]
        all_leave = leave == others and (own_out or not asked)
        return gain - self.end * (leave + own_out - 1) - INNER_SOURCE * all_leave


class _Room:
    """A block with loops: its lines, nodes and the chains that enter or leave it."""

    def __init__(self, ways: Ways, block: int, members: Ints, lines: Ints, own: Ints) -> None:
        """``own``: number of each node of the network within its block."""
        self.ways, self.block, self.members, self.lines = ways, block, members, lines
        self.a, self.b = own[ways.start[self.lines]], own[ways.end[self.lines]]
        self.length = ways.length_m[self.lines]
        place = ways.places.get(self.block, _Place())
        self.doors = []  # (chain, block lies at its first end, node it joins)
        for c, first in zip(place.chains, place.at_first, strict=True):
            bridge = ways.tip[c][0 if first else 1]
            outer = ways.start[bridge] if ways.block[ways.start[bridge]] == block else ways.end[bridge]
            self.doors.append((c, first, int(own[outer])))
        self._laplacian()
        self._trials = self._try_exits()
        self._circled: dict[bytes, Flags] = {}

    def _laplacian(self) -> None:
        n, weight = len(self.members), 1 / self.length
        off = coo_array((np.r_[weight, weight], (np.r_[self.a, self.b], np.r_[self.b, self.a])), shape=(n, n)).tocsc()
        full = csc_array(diags_array(np.asarray(off.sum(axis=1)).ravel()) - off)
        self._factor = splu(csc_array(full[1:, 1:])) if n > 1 else None

    def _potential(self, supply: Floats) -> Floats:
        """Potential of every node, node 0 at zero, for water that enters (positive) and leaves."""
        rest = self._factor.solve(np.ascontiguousarray(supply[1:])) if self._factor is not None else supply[1:]
        return np.concatenate([np.zeros((1, *supply.shape[1:])), rest])

    def _seep(self) -> Floats:
        """A little water joins everywhere, so that no line is left without flow."""
        share = np.bincount(np.r_[self.a, self.b], weights=np.r_[self.length, self.length], minlength=len(self.members))
        return 0.01 * share / share.sum()

    def _try_exits(self) -> Flags | None:
        """(doors, lines): which lines would run as drawn if all water left by that door alone."""
        if not self.doors or len(self.doors) * len(self.lines) > MOST_TRIALS:
            return None
        nodes = np.array([d[2] for d in self.doors])
        supply = np.repeat(self._seep()[:, None], len(nodes), axis=1)
        for j, node in enumerate(nodes):
            np.add.at(supply[:, j], np.delete(nodes, j), 1.0)
            supply[node, j] -= supply[:, j].sum()
        phi = self._potential(supply)
        return (phi[self.a] > phi[self.b]).T

    def exits(self, odds: Floats) -> dict[int, float]:
        """How well the lines inside agree with each chain's being the only one that leaves, and (``INSIDE``) with a mouth inside."""
        if self._trials is None:
            return {}
        own = odds[self.lines]
        trials = np.vstack([self._trials, self._ending(own)])
        agreement = trials @ own + ~trials @ -own
        agreement -= agreement.max()
        keys = [*(door[0] for door in self.doors), INSIDE]
        return {key: float(max(v, -8.0)) for key, v in zip(keys, agreement / 2, strict=True)}

    def _ending(self, own: Floats) -> Flags:
        """Which lines would run as drawn if all water ended inside, where the drawn lines lead."""
        supply = self._seep()
        np.add.at(supply, [d[2] for d in self.doors], 1.0)
        supply[self._lowest(own)] -= supply.sum()
        phi = self._potential(supply)
        return np.asarray(phi[self.a] > phi[self.b])

    def direct(
        self, odds: Floats, along: Flags, outlets: Ints, turned: Flags, confidence: Floats
    ) -> npt.NDArray[np.int64]:
        """Direct the lines of the block for chains that run (``along``) as found; returns the lines of drawn circles."""
        inflow, outflow = self._through(along, outlets, odds)
        own = odds[self.lines]
        circles = self._circles(own)
        drawn = own > 0
        if self._runs(drawn, inflow, outflow):
            chosen, sure = drawn, np.abs(own) + 1.0
        else:
            chosen, sure = self._downhill(own, inflow, outflow)
        turned[self.lines] = ~chosen
        confidence[self.lines] = 1 / (1 + np.exp(-np.maximum(sure, 0.0)))
        return self.lines[circles & ~chosen]

    def _through(self, along: Flags, outlets: Ints, odds: Floats) -> tuple[Floats, Floats]:
        """Where water enters and leaves the block, each summing to one."""
        inflow, outflow = self._seep(), np.zeros(len(self.members))
        for chain, first, node in self.doors:
            (outflow if along[chain] == first else inflow)[node] += 1.0
        outflow[np.isin(self.members, outlets)] += 1.0
        if not outflow.any():
            outflow[self._lowest(odds[self.lines])] = 1.0
        return inflow / inflow.sum(), outflow / outflow.sum()

    def _lowest(self, own: Floats) -> int:
        """The node to which the drawn directions lead, for a block that nothing leaves."""
        pull = np.zeros(len(self.members))
        np.add.at(pull, self.a, np.tanh(own / 2))
        np.add.at(pull, self.b, -np.tanh(own / 2))
        return int(np.argmin(self._potential(pull - pull.mean())))

    def _downhill(self, own: Floats, inflow: Floats, outflow: Floats) -> tuple[Flags, Floats]:
        """Directions down a potential, pulled towards the drawn ones as far as water then still gets through."""
        flow = np.zeros(0)
        for bias in (BIAS, BIAS / 5, 0.0):
            pull = np.zeros(len(self.members))
            np.add.at(pull, self.a, bias * own)
            np.add.at(pull, self.b, -bias * own)
            phi = self._potential(inflow - outflow + pull - pull.mean())
            rank = np.argsort(np.argsort(phi, kind="stable"), kind="stable")
            chosen = rank[self.a] > rank[self.b]
            flow = (phi[self.a] - phi[self.b]) / self.length
            if self._runs(chosen, inflow, outflow):
                break
        strength = np.minimum(np.abs(flow) / 0.2, 1.0)
        return chosen, own * np.where(chosen, 1.0, -1.0) + 1.5 * strength

    def _runs(self, chosen: Flags, inflow: Floats, outflow: Floats) -> bool:
        """Whether no water runs in a circle, ends inside or begins inside."""
        n = len(self.members)
        start, end = np.where(chosen, self.a, self.b), np.where(chosen, self.b, self.a)
        leaves = np.bincount(start, minlength=n) + (outflow > 0)
        enters = np.bincount(end, minlength=n) + (inflow > 0.02 / max(len(inflow), 1))
        return bool((leaves > 0).all() and (enters > 0).all()) and not self._strong(chosen).any()

    def _strong(self, chosen: Flags) -> Flags:
        """Lines that lie on a directed circle; remembered, because most blocks are asked the same again and again."""
        key = chosen.tobytes()
        if key not in self._circled:
            n = len(self.members)
            start, end = np.where(chosen, self.a, self.b), np.where(chosen, self.b, self.a)
            graph = coo_array((np.ones(len(start)), (start, end)), shape=(n, n))
            _, part = connected_components(graph, directed=True, connection="strong")
            self._circled[key] = np.asarray(part[start] == part[end])
        return self._circled[key]

    def _circles(self, own: Floats) -> Flags:
        return self._strong(own > 0) & (np.abs(own) > 1.0)
