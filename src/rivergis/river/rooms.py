"""Inside a block of a network (a braid, a loop, a polder net): which way its lines run, given where water enters and leaves.

Water runs down a potential as in a pipe network (Kirchhoff; HodgeRank, doi:10.1007/s10107-010-0392-x), so that a circle is
impossible; drawn directions are kept where they make sense of the block, and pull the potential where they do not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.sparse.linalg import splu

from rivergis.river.drawn import Floats, Ints

Flags = npt.NDArray[np.bool_]

BIAS = 0.5  # pull of drawn directions inside a block against the flow through it
INSIDE = -1
MOST_PULL = 30.0  # a way through a block that is drawn the other way does not outvote a whole network
MOST_EXITS = 64  # ways out of one block for which other ways are looked for
MOST_TRIALS = 4_000_000  # lines times exits of a block, up to which every exit is tried
MENDS = 12  # how far a mend may spread from a place that makes no sense before the whole block is directed anew

Door = tuple[int, bool, int]
"""A chain at a block, whether the block lies at its first end, and the node of the block it joins."""


class Room:
    """A block with loops: its lines, nodes and the chains that enter or leave it."""

    def __init__(
        self, block: int, members: Ints, lines: Ints, a: Ints, b: Ints, length_m: Floats, doors: list[Door]
    ) -> None:
        """``members``: nodes of the network; ``a``, ``b``: first and last node of each line, numbered within the block."""
        self.block, self.members, self.lines = block, members, lines
        self.a, self.b, self.length, self.doors = a, b, length_m, doors
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

    def pulls(self, odds: Floats, leaning: Flags) -> dict[int, float]:
        """For each chain, how many lines inside (as log odds) would have to turn if its water came in and left elsewhere."""
        if len(self.doors) < 3:
            return {}
        leaving = {chain: node for chain, first, node in self.doors if leaning[chain, int(first)]}
        if not 0 < len(leaving) <= MOST_EXITS:
            return {}
        own, n = odds[self.lines], len(self.members)
        ends = np.r_[self.a, self.b] * n + np.r_[self.b, self.a]
        cost = np.maximum(np.r_[-own, own], 0.0) + 1e-6
        order = np.lexsort((cost, ends))
        arc, first_of = np.unique(ends[order], return_index=True)
        graph = csc_array((cost[order][first_of], (arc % n, arc // n)), shape=(n, n))  # backwards, from the exits
        out: dict[int, float] = {}
        far = self._far(graph, set(leaving.values()))
        for chain, _, node in self.doors:
            others = {n for c, n in leaving.items() if c != chain}
            way = far if chain not in leaving else self._far(graph, others)
            if np.isfinite(way[node]):
                out[chain] = float(min(way[node], MOST_PULL))
        return out

    @staticmethod
    def _far(graph: csc_array, exits: set[int]) -> Floats:
        """Least log odds to turn on the way from each node to an exit."""
        if not exits:
            return np.full(graph.shape[0], np.inf)
        return np.asarray(dijkstra(graph, indices=sorted(exits), min_only=True))

    def direct(
        self, odds: Floats, along: Flags, outlets: Ints, turned: Flags, confidence: Floats
    ) -> npt.NDArray[np.int64]:
        """Direct the lines of the block for chains that run (``along``) as found; returns the lines of drawn circles."""
        inflow, outflow = self._through(along, outlets, odds)
        own = odds[self.lines]
        circles = self._circles(own)
        chosen, sure = own > 0, np.abs(own) + 1.0
        if self._stuck(chosen, inflow, outflow).any():
            chosen, sure = self._mended(own, inflow, outflow)
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
            if not self._stuck(chosen, inflow, outflow).any():
                break
        strength = np.minimum(np.abs(flow) / 0.2, 1.0)
        return chosen, own * np.where(chosen, 1.0, -1.0) + 1.5 * strength

    def _mended(self, own: Floats, inflow: Floats, outflow: Floats) -> tuple[Flags, Floats]:
        """The drawn directions, but downhill round the places that make no sense, as far as it takes."""
        downhill, sure = self._downhill(own, inflow, outflow)
        chosen, anew = own > 0, np.zeros(len(own), dtype=bool)
        for _ in range(MENDS):
            stuck = self._stuck(chosen, inflow, outflow)
            if not stuck.any():
                return chosen, np.where(anew, sure, np.abs(own) + 1.0)
            anew |= stuck
            chosen = np.where(anew, downhill, own > 0)
        return downhill, sure

    def _stuck(self, chosen: Flags, inflow: Floats, outflow: Floats) -> Flags:
        """Lines that run in a circle, or lie at a place where water ends or begins inside."""
        n = len(self.members)
        start, end = np.where(chosen, self.a, self.b), np.where(chosen, self.b, self.a)
        ends = np.bincount(start, minlength=n) + (outflow > 0) == 0
        begins = np.bincount(end, minlength=n) + (inflow > 0.02 / max(n, 1)) == 0
        astray = ends | begins
        return np.asarray(astray[self.a] | astray[self.b] | self._strong(chosen))

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
