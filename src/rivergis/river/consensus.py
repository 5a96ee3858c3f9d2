"""Directions of all lines of a network that together agree best with what is known of each: the arithmetic of ``direction``.

A network is a tree of *blocks* joined by *bridges* (lines whose removal cuts the network in two). On the tree the best
directions, and what it would cost to turn each single line, are found exactly by max-product message passing (Pearl
1988). Inside a block (a braid, a loop, a polder net) water runs as in a pipe network: from where it enters to where
it leaves, down a potential (Kirchhoff; HodgeRank, doi:10.1007/s10107-010-0392-x), so that a circle is impossible.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rivergis.river.rooms import INSIDE, MOST_EXITS, Door, Inside, Room

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# costs in natural logarithms of odds: how much evidence it takes to believe in such a place
PLAIN_SINK = 10.0  # two lines meet and neither goes on, as where a map is cut off at a confluence
INNER_SINK = 11.0  # water arrives from two sides and does not leave
INNER_SOURCE = 10.0  # water comes from nowhere and leaves to two sides
END = 4.0  # one more end where water leaves; and as much for the bifurcation that leads to it
NOT_THE_OUTLET = 9.0  # water leaves elsewhere than at the outlet that was named


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

    def __init__(self, start: Ints, end: Ints, nodes: int, length_m: Floats, outlets: Ints | None = None) -> None:
        """``outlets``: nodes where water is known to leave."""
        self.start, self.end, self.nodes, self.length_m = start, end, nodes, np.maximum(length_m, 1e-3)
        self.outlets = np.empty(0, dtype=np.int64) if outlets is None else outlets
        self.is_bridge = bridges(start, end)
        loops = ~self.is_bridge
        graph = coo_array((np.ones(loops.sum()), (start[loops], end[loops])), shape=(nodes, nodes))
        count, self.block = connected_components(graph, directed=False)
        self.blocks = int(count)
        self.named = set(self.block[self.outlets].tolist())
        self._chain_up()
        self._number_rooms()
        self.rooms = self._rooms(np.flatnonzero(loops))
        by_chain = np.argsort(self.chain, kind="stable")
        cuts = np.searchsorted(self.chain[by_chain], np.arange(len(self.first_end) + 1))
        self.lines_of = [by_chain[a:b] for a, b in pairwise(cuts)]

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
        plain = {b for b, ends in at.items() if len(ends) == 2 and size[b] == 1 and entering[b] == 1} - self.named
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

    def _rooms(self, loops: Ints) -> list[Room]:
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
        return [self._room(int(b), members[k], lines[k], number) for k, b in enumerate(blocks)]

    def _room(self, block: int, members: Ints, lines: Ints, own: Ints) -> Room:
        """``own``: number of each node of the network within its block."""
        place = self.places.get(block, _Place())
        doors = []
        for c, first in zip(place.chains, place.at_first, strict=True):
            bridge = self.tip[c][0 if first else 1]
            joined = self.start[bridge] if self.block[self.start[bridge]] == block else self.end[bridge]
            doors.append((c, first, int(own[joined])))
        return Room(block, members, lines, own[self.start[lines]], own[self.end[lines]], self.length_m[lines], doors)

    def solve(self, odds: Floats, fits: Floats, end: float = END, inside: Floats | None = None) -> Solved:
        """Best directions for the log odds of each line to run as drawn (see ``direction`` for ``fits``).

        ``inside``: the odds where lines lie in a loop, if they are others.
        """
        # unequal grains of sand: two equally good solutions never tie
        grain = 1e-7 * np.sin(np.arange(len(odds)) * 12.9898 + 1.0)
        grained, within = odds + grain, (odds if inside is None else inside) + grain
        exits = {room.block: room.exits(grained) for room in self.rooms}
        messages = _Messages(self, grained, fits, exits, end)
        turned = np.zeros(len(self.start), dtype=bool)
        confidence = np.full(len(self.start), 0.5)
        along = messages.along()
        circles = [self._directed(room, grained, within[room.lines], along, end) for room in self.rooms]
        tree = self.chain >= 0
        turned[tree] = along[self.chain[tree]] != self.along[tree]
        confidence[tree] = messages.confidence()[self.chain[tree]]
        for room, found in zip(self.rooms, circles, strict=True):
            turned[room.lines], confidence[room.lines] = found.turned, found.confidence
        contradicted = [room.lines[found.redirected] for room, found in zip(self.rooms, circles, strict=True)]
        score = float(messages.score + grained[~turned & ~tree].sum())
        return Solved(
            turned, confidence, score, np.concatenate(contradicted) if contradicted else np.empty(0, np.int64)
        )

    def _directed(self, room: Room, odds: Floats, own: Floats, along: Flags, end: float) -> Inside:
        """Directions inside a block; open ends of the network that leave it by one short chain are tried as outlets.

        The messages weigh a chain by its own lines; that its water would also have to climb a whole trunk on the way to another
        outlet shows only inside. All such ends are opened, then each is shut again that is not worth its cost; ``along`` is
        changed where that follows more evidence.
        """
        doors = self._shut(room, odds, along)

        def worth(open_: set[int]) -> tuple[float, Inside]:
            for chain, first, _ in doors:
                along[chain] = first if chain in open_ else not first
            inside = room.direct(own, along, self.outlets)
            opened = sum(abs(self._drift(c, odds)) - 2 * end for c in open_)
            return float(own[~inside.turned].sum()) + opened, inside

        best, chosen = worth(set()), set[int]()
        open_ = {chain for chain, _, _ in doors}
        tried = worth(open_) if doors else best
        for chain, _, _ in reversed(doors):
            fewer = worth(open_ - {chain})
            if fewer[0] >= tried[0]:
                open_, tried = open_ - {chain}, fewer
        if tried[0] > best[0]:
            best, chosen = tried, open_
        if doors:
            best = worth(chosen)
        return best[1]

    def _shut(self, room: Room, odds: Floats, along: Flags) -> list[Door]:
        """Doors to an open end that were drawn to leave and were found to enter, those with most evidence first."""
        shut = [
            (self._drift(c, odds) * (1 if first else -1), (c, first, node))
            for c, first, node in room.doors
            if along[c] != first and len(self.places[self.first_end[c][1 if first else 0]].chains) == 1
        ]
        return [door for worth, door in sorted(shut, reverse=True)[:MOST_EXITS] if worth > 0]

    def _drift(self, chain: int, odds: Floats) -> float:
        """Log odds of a chain's own lines for its running along itself."""
        lines = self.lines_of[chain]
        return float(np.where(self.along[lines], odds[lines], -odds[lines]).sum())


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
        end: float,
    ) -> None:
        self.ways, self.end = ways, end
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
        return _Meeting(block in self.ways.named, self.end, mouth, into, gains, fit)

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
