"""Inside a block of a network (a braid, a loop, a polder net): which way its lines run, given where water enters and leaves.

Water runs down a potential as in a pipe network (Kirchhoff; HodgeRank, doi:10.1007/s10107-010-0392-x), so that a circle is
impossible; drawn directions are kept where they make sense of the block, and pull the potential where they do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.sparse.linalg import splu

from rivergis.river.drawn import Floats, Ints

Flags = npt.NDArray[np.bool_]

BIAS = 0.5  # pull of drawn directions inside a block against the flow through it
INSIDE = -1
MOST_EXITS = 64  # open ends of one block that are tried as outlets
MOST_TRIALS = 4_000_000  # lines times exits of a block, up to which every exit is tried
MENDS = 12  # rounds of mending before the whole block is directed anew
ALONE = 0.6  # a ring or net that nothing enters or leaves may run either way
HELD = 12.0  # pull of a line that was turned for water to get through
MENDED = 2.0  # log odds of a line that had to turn for water to get through

Door = tuple[int, bool, int]
"""A chain at a block, whether the block lies at its first end, and the node of the block it joins."""


@dataclass(frozen=True)
class Inside:
    """Directions of the lines of a block: against the drawn one, how surely (0.5 to 1), and lines of a drawn circle redirected."""

    turned: Flags
    confidence: Floats
    redirected: Flags


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
        self.laplacian = csc_array(diags_array(np.asarray(off.sum(axis=1)).ravel()) - off)
        self._factor = splu(csc_array(self.laplacian[1:, 1:])) if n > 1 else None

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

    def direct(self, own: Floats, along: Flags, outlets: Ints) -> Inside:
        """Direct the lines of the block for chains that run (``along``) as found; ``own``: log odds of its lines."""
        inflow, outflow = self._through(along, outlets, own)
        chosen, sure = own > 0, np.abs(own) + 1.0
        if self._strong(chosen).any() or any(map(len, self._astray(chosen, inflow, outflow))):
            chosen, sure = self._mended(own, inflow, outflow)
        confidence = 1 / (1 + np.exp(-np.maximum(sure, 0.0)))
        if not self.doors and not len(outlets):
            confidence = np.minimum(confidence, ALONE)
        return Inside(~chosen, confidence, self._circles(own) & ~chosen)

    def _through(self, along: Flags, outlets: Ints, own: Floats) -> tuple[Floats, Floats]:
        """Where water enters and leaves the block, each summing to one."""
        inflow, outflow = self._seep(), np.zeros(len(self.members))
        for chain, first, node in self.doors:
            (outflow if along[chain] == first else inflow)[node] += 1.0
        outflow[np.isin(self.members, outlets)] += 1.0
        if not outflow.any():
            outflow[self._lowest(own)] = 1.0
        return inflow / inflow.sum(), outflow / outflow.sum()

    def _lowest(self, own: Floats) -> int:
        """The node to which the drawn directions lead, for a block that nothing leaves."""
        pull = np.zeros(len(self.members))
        np.add.at(pull, self.a, np.tanh(own / 2))
        np.add.at(pull, self.b, -np.tanh(own / 2))
        return int(np.argmin(self._potential(pull - pull.mean())))

    def _mended(self, own: Floats, inflow: Floats, outflow: Floats) -> tuple[Flags, Floats]:
        """The drawn directions with as few lines turned as it takes for all water to arrive and to leave.

        From a place where water ends the way to an outlet is sought that turns the least evidence, and turned; a circle is
        opened down a potential that its lines pull their way. Where that does not settle, the whole block is directed by
        the potential alone.
        """
        flows = _Basin(self, inflow, outflow)
        doors = np.unique([d[2] for d in self.doors if outflow[d[2]] == 0]).astype(np.int64)
        chosen, held = own > 0, own.copy()
        for _ in range(MENDS):
            circled = self._strong(chosen)
            if circled.any():
                downhill = _down(flows.potential(BIAS * held), self.a, self.b)
                chosen = np.where(circled, downhill, chosen)
            ends, begins = self._astray(chosen, inflow, outflow)
            if not (len(ends) or len(begins) or self._strong(chosen).any()):
                return chosen, np.where(chosen == (own > 0), np.abs(own) + 1.0, MENDED)
            led = self._led(chosen, held, ends, np.flatnonzero(outflow > 0), True)
            led = self._led(led, held, begins, doors, False)
            # what was turned for water to get through is not turned back for a circle
            held = np.where(led != chosen, np.where(led, HELD, -HELD), held)
            chosen = led
        phi = flows.potential(0.0 * own)
        chosen = _down(phi, self.a, self.b)
        strength = np.minimum(np.abs(phi[self.a] - phi[self.b]) / self.length / 0.2, 1.0)
        return chosen, own * np.where(chosen, 1.0, -1.0) + 1.5 * strength

    def _astray(self, chosen: Flags, inflow: Floats, outflow: Floats) -> tuple[Ints, Ints]:
        """Nodes where water ends inside, and where it begins inside."""
        n = len(self.members)
        start, end = np.where(chosen, self.a, self.b), np.where(chosen, self.b, self.a)
        ends = np.bincount(start, minlength=n) + (outflow > 0) == 0
        begins = np.bincount(end, minlength=n) + (inflow > 0.02 / max(n, 1)) == 0
        return np.flatnonzero(ends), np.flatnonzero(begins)

    def _led(self, chosen: Flags, own: Floats, nodes: Ints, goals: Ints, down: bool) -> Flags:
        """Lines turned so that water gets from the nodes to a goal (``down``), or from a goal to the nodes."""
        if not (len(nodes) and len(goals)):
            return chosen
        n, m = len(self.members), len(own)
        turning = np.where(chosen == (own > 0), np.abs(own), 0.0) + 1e-6
        cost = np.where(chosen, 1e-6, turning), np.where(chosen, turning, 1e-6)
        first, last = np.r_[self.a, self.b], np.r_[self.b, self.a]
        here, there = (last, first) if down else (first, last)  # sought from the goals
        order = np.lexsort((np.concatenate(cost), here * n + there))
        arc, kept = np.unique((here * n + there)[order], return_index=True)
        best = order[kept]
        graph = csc_array((np.concatenate(cost)[best], (arc // n, arc % n)), shape=(n, n)).tocsr()
        _, before, _ = dijkstra(graph, indices=goals, min_only=True, return_predecessors=True)
        line_of = dict(zip(arc.tolist(), best.tolist(), strict=True))
        out = chosen.copy()
        for node in nodes.tolist():
            while before[node] >= 0:
                k = line_of[int(before[node]) * n + node]
                out[k % m] = k < m
                node = int(before[node])
        return out

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


class _Basin:
    """Potentials of a block whose outlets lie at level zero: water leaves by whichever it reaches most easily."""

    def __init__(self, room: Room, inflow: Floats, outflow: Floats) -> None:
        self.room, self.inflow = room, inflow
        self.free = np.flatnonzero(outflow == 0)
        self.factor = splu(csc_array(room.laplacian[self.free][:, self.free])) if len(self.free) else None

    def potential(self, pull: Floats) -> Floats:
        """Potential of every node; ``pull``: flow that each line draws from its first to its last node."""
        supply = self.inflow.copy()
        np.add.at(supply, self.room.a, pull)
        np.add.at(supply, self.room.b, -pull)
        phi = np.zeros(len(supply))
        if self.factor is not None:
            phi[self.free] = self.factor.solve(supply[self.free])
        return phi


def _down(phi: Floats, a: Ints, b: Ints) -> Flags:
    """Which lines fall from ``a`` to ``b``; of two nodes at one level the later numbered is the higher."""
    rank = np.argsort(np.argsort(phi, kind="stable"), kind="stable")
    return np.asarray(rank[a] > rank[b])
