"""Directions of all lines of a network that together agree best with what is known of each: the arithmetic of ``direction``.

A network is a tree of *blocks* joined by *bridges* (lines whose removal cuts the network in two). On the tree the best
directions, and what it would cost to turn each single line, are found exactly by max-product message passing (Pearl
1988). Inside a block (a braid, a loop, a polder net) water runs as in a pipe network: from where it enters to where
it leaves, down a potential (Kirchhoff; HodgeRank, doi:10.1007/s10107-010-0392-x), so that a circle is impossible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
        self.rooms = [_Room(self, b) for b in np.unique(self.block[start[loops]])]

    def _chain_up(self) -> None:
        """Join bridges that meet at plain nodes into chains: one direction for all of a chain."""
        bridges = np.flatnonzero(self.is_bridge)
        size = np.bincount(self.block, minlength=self.blocks)
        at: dict[int, list[int]] = {}
        for i in bridges:
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
        self.ways, self.fits, self.exits, self.named, self.end = ways, fits, exits, named, end
        count = len(ways.first_end)
        tree = ways.chain >= 0
        chain, forward = ways.chain[tree], ways.along[tree]
        # own[c] = (worth of running against the chain, along the chain); a line is worth its odds when it runs as drawn
        self.own = np.zeros((count, 2))
        np.add.at(self.own, (chain, forward.astype(int)), odds[tree])
        self.up = np.zeros((count, 2))  # from the child's side
        self.down = np.zeros((count, 2))  # from the parent's side
        self._pass()

    def _pass(self) -> None:
        ways = self.ways
        self.score = 0.0
        for block, parent in reversed(ways.order):
            if parent >= 0:
                self.up[parent] = self._towards(block, parent)
            else:
                self.score += self._closed(block)
        for block, parent in ways.order:
            for c in ways.places[block].chains:
                if c != parent:
                    self.down[c] = self._towards(block, c)

    def along(self) -> Flags:
        total = self.own + self.up + self.down
        return total[:, 1] > total[:, 0]

    def confidence(self) -> Floats:
        total = self.own + self.up + self.down
        return 1 / (1 + np.exp(-np.abs(total[:, 1] - total[:, 0])))

    def _gains(self, block: int, but: int) -> tuple[float, list[float], list[float]]:
        """Worth of all chains but one running into the block, what each gains by running out, and how well it fits to."""
        place = self.ways.places[block]
        base, gains, fit = 0.0, [], []
        for c, first in zip(place.chains, place.at_first, strict=True):
            if c == but:
                continue
            # messages from the far side: the child's if this block is the parent, else the parent's
            far = self.up[c] if self._is_child(c, block) else self.down[c]
            out, into = (1, 0) if first else (0, 1)
            base += float(far[into] + self.own[c, into])
            gains.append(float(far[out] + self.own[c, out] - far[into] - self.own[c, into]))
            fit.append(self._fit(block, c, first))
        return base, gains, fit

    def _is_child(self, chain: int, block: int) -> bool:
        """Whether the far end of a chain lies below ``block`` in the tree."""
        return self._parents.get(block, -1) != chain

    @property
    def _parents(self) -> dict[int, int]:
        if not hasattr(self, "_parent_of"):
            self._parent_of = dict(self.ways.order)
        return self._parent_of

    def _fit(self, block: int, chain: int, first: bool) -> float:
        """Log probability that the chain is the one that leaves the block."""
        if block in self.exits:
            return self.exits[block].get(chain, 0.0)
        ways = self.ways
        bridge = ways.tip[chain][0 if first else 1]
        return float(self.fits[bridge, 0 if ways.block[ways.start[bridge]] == block else 1])

    def _towards(self, block: int, chain: int) -> Floats:
        """Message of a block along a chain: best worth of its side if the chain runs (against, along) itself."""
        place = self.ways.places[block]
        first = place.at_first[place.chains.index(chain)]
        base, gains, fit = self._gains(block, chain)
        own_fit = self._fit(block, chain, first)
        leaves = base + self._most(block, gains, fit, own_fit, True)
        arrives = base + self._most(block, gains, fit, own_fit, False)
        return np.array([arrives, leaves] if first else [leaves, arrives])

    def _closed(self, block: int) -> float:
        base, gains, fit = self._gains(block, -1)
        return base + self._most(block, gains, fit, None, False)

    def _most(self, block: int, gains: list[float], fit: list[float], own_fit: float | None, own_out: bool) -> float:
        """Best gain at a block over which of its chains leave it; ``own`` is the chain that asks."""
        chains = len(gains) + (own_fit is not None)
        named = block in self.named
        best = -np.inf
        if not own_out:
            best = 0.0 if named else -(self.end, PLAIN_SINK, INNER_SINK)[min(chains, 3) - 1]
            if gains:
                best = max(best, max(g + f for g, f in zip(gains, fit, strict=True)) - NOT_THE_OUTLET * named)
        else:
            best = (own_fit or 0.0) - NOT_THE_OUTLET * named
        return max(best, self._several(gains, own_fit is not None, own_out) - NOT_THE_OUTLET * named)

    def _several(self, gains: Sequence[float], asked: bool, own_out: bool) -> float:
        """Best gain if two or more chains leave; all of them leaving makes the block a source."""
        need = 1 if own_out else 2
        if len(gains) < need:
            return -np.inf
        best = sorted(gains, reverse=True)
        leave = max(need, sum(g > self.end for g in best))
        all_leave = leave == len(best) and (own_out or not asked)
        return sum(best[:leave]) - self.end * (leave + own_out - 1) - INNER_SOURCE * all_leave


class _Room:
    """A block with loops: its lines, nodes and the chains that enter or leave it."""

    def __init__(self, ways: Ways, block: int) -> None:
        self.ways, self.block = ways, int(block)
        self.members = np.flatnonzero(ways.block == block)
        own = np.full(ways.nodes, -1)
        own[self.members] = np.arange(len(self.members))
        self.lines = np.flatnonzero(~ways.is_bridge & (ways.block[ways.start] == block))
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
        if len(self.doors) < 2 or len(self.doors) * len(self.lines) > MOST_TRIALS:
            return None
        nodes = np.array([d[2] for d in self.doors])
        supply = np.repeat(self._seep()[:, None], len(nodes), axis=1)
        for j, node in enumerate(nodes):
            np.add.at(supply[:, j], np.delete(nodes, j), 1.0)
            supply[node, j] -= supply[:, j].sum()
        phi = self._potential(supply)
        return (phi[self.a] > phi[self.b]).T

    def exits(self, odds: Floats) -> dict[int, float]:
        """For each chain at the block, how well the lines inside agree with its being the only one that leaves."""
        if self._trials is None:
            return {}
        agreement = self._trials @ odds[self.lines] + ~self._trials @ -odds[self.lines]
        agreement -= agreement.max()
        return {door[0]: float(max(v, -8.0)) for door, v in zip(self.doors, agreement / 2, strict=True)}

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
        return bool((leaves > 0).all() and (enters > 0).all()) and not self._strong(start, end).any()

    def _strong(self, start: Ints, end: Ints) -> Flags:
        """Lines that lie on a directed circle."""
        n = len(self.members)
        graph = coo_array((np.ones(len(start)), (start, end)), shape=(n, n))
        _, part = connected_components(graph, directed=True, connection="strong")
        return np.asarray(part[start] == part[end])

    def _circles(self, own: Floats) -> Flags:
        drawn = own > 0
        return self._strong(np.where(drawn, self.a, self.b), np.where(drawn, self.b, self.a)) & (np.abs(own) > 1.0)
