"""Reaches one behind the other as one river: the axis that water levels are laid along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from rivergis.boundary.drafting.curves import Floats
from rivergis.boundary.drafting.frames import Reach
from rivergis.boundary.drafting.nodes import Nodes


@dataclass(frozen=True)
class Chain:
    """Reaches in order downstream: their numbers, where each begins along the chain (metres), and the axis of all."""

    reaches: tuple[int, ...]
    start_m: tuple[float, ...]
    axis: shapely.LineString

    @property
    def length_m(self) -> float:
        return float(self.axis.length)


def chains_of(reaches: Sequence[Reach], nodes: Nodes) -> list[Chain]:
    """Each reach in one chain; at a node the river goes on under its own code, else as straight as it can."""
    after = followers(reaches, nodes)
    heads = [i for i in range(len(reaches)) if i not in set(after.values())]
    done: set[int] = set()
    out = []
    for head in [*heads, *range(len(reaches))]:  # rings have no head
        way, i = [], head
        while i is not None and i not in done:
            done.add(i)
            way.append(i)
            i = after.get(i)
        if way:
            out.append(_chain(reaches, way))
    return out


def followers(reaches: Sequence[Reach], nodes: Nodes) -> dict[int, int]:
    """Which reach each goes on in."""
    best: list[tuple[float, int, int]] = []
    for arms in nodes.arms:
        for come in (a for a in arms if a.end == 1):
            for go in (a for a in arms if a.end == 0):
                turn = abs((go.angle - come.angle) % (2 * np.pi) - np.pi)
                same = reaches[come.reach].river is not None and reaches[come.reach].river == reaches[go.reach].river
                other = not same and None not in (reaches[come.reach].river, reaches[go.reach].river)
                if not other:
                    best.append((turn - (10.0 if same else 0.0), come.reach, go.reach))
    after: dict[int, int] = {}
    taken: set[int] = set()
    for _, before, behind in sorted(best):
        if before not in after and behind not in taken and before != behind:
            after[before] = behind
            taken.add(behind)
    return after


def _chain(reaches: Sequence[Reach], way: Sequence[int]) -> Chain:
    xy: list[Floats] = []
    starts, run = [], 0.0
    for i in way:
        mine = shapely.get_coordinates(reaches[i].axis)
        if xy:
            mine = np.vstack([xy[-1][-1:], mine[1:]])  # the node is one place
        starts.append(run)
        run += float(np.hypot(*np.diff(mine, axis=0).T).sum())
        xy.append(mine if not xy else mine[1:])
    return Chain(tuple(way), tuple(starts), shapely.LineString(np.vstack(xy)))
