"""Numbers that let a database trace a river network without walking it reach by reach.

Main successors make a tree (a forest with several outlets). Its reaches are numbered so that everything upstream of a
reach along main successors is the range ``number`` .. ``last``, and every stem (the path that goes on into the largest
tributary) is a run of consecutive numbers from its lowest reach ``stem`` up: what lies upstream is one range, a way down to
the outlet a few ranges (heavy paths: Sleator and Tarjan 1983, doi:10.1016/0022-0000(83)90006-5).

Distances along the tree are differences of ``to_outlet_m``. Side channels leave the tree only at the reaches that also
feed another channel (``forks``): the shortest distance differs from that of the tree by an amount that only changes at forks,
so that it is enough to go through the forks of a trace in the order of the water.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rivergis.errors import InputError
from rivergis.river.network import Ints, Network


@dataclass(frozen=True)
class Topology:
    """Labels of a network without directed cycles.

    ``reaches``, one row per reach in the order of the network: ``number`` (1, 2, ...), ``last`` (highest number upstream of
    it along main successors), ``next_number`` (main successor; <NA> at an outlet), ``stem`` (number of the lowest reach of its
    stem), ``fork`` (rank of the nearest fork at or below it along main successors, ``fork_number`` its number; <NA> = none),
    ``length_m``, ``to_outlet_m`` (from its downstream end along main successors). Ranks of forks count against the water.
    ``sides``, one row per side edge (fork -> channel that is not its main successor): ``fork``, ``from_number``, ``from_last``,
    ``to_number``, ``next_number`` and for the last two their ``to_fork``, ``to_fork_number``, ``next_fork``,
    ``next_fork_number``; ``over_m``: how much longer the way to the outlet gets by the side edge.
    """

    reaches: pd.DataFrame
    sides: pd.DataFrame


def topology(network: Network) -> Topology:
    """The labels of a network; ``InputError`` naming reaches when it has a directed cycle."""
    order = _downstream_first(network)
    following = network.next
    size, to_outlet = _sizes(network, order)
    number, stem = _numbered(following, order, size)
    side = _side_edges(network)
    fork = _forks(following, order, side["of"].to_numpy())
    rank = _ranks(order, side["of"].to_numpy())
    reaches = pd.DataFrame(
        {
            "number": number,
            "last": number + size - 1,
            "next_number": _at(number, following),
            "stem": stem,
            "fork": _at(rank, fork),
            "fork_number": _at(number, fork),
            "length_m": network.length_m,
            "to_outlet_m": to_outlet,
        }
    )
    return Topology(reaches, _sides(network, side, reaches))


def _downstream_first(network: Network) -> Ints:
    """Numbers of reaches so that each comes after all that its water reaches."""
    leaving = np.bincount(network.start, minlength=len(network.node_id))
    entering = np.argsort(network.end, kind="stable")
    begin = np.searchsorted(network.end[entering], np.arange(len(network.node_id) + 1))
    ready = deque(np.flatnonzero(leaving == 0).tolist())
    waiting, order = leaving.tolist(), []
    start = network.start.tolist()
    while ready:
        node = ready.popleft()
        for reach in entering[begin[node] : begin[node + 1]].tolist():
            order.append(reach)
            waiting[start[reach]] -= 1
            if waiting[start[reach]] == 0:
                ready.append(start[reach])
    if len(order) < len(network):
        circle = ", ".join(sorted(network.reach_id[network.cyclic])[:5])
        raise InputError(
            f"The network has reaches that flow in a circle ({circle}), which water does not: correct their direction, or build the "
            "network with 'rivergis river build'."
        )
    return np.array(order, dtype=np.int64)


def _sizes(network: Network, order: Ints) -> tuple[Ints, np.ndarray]:
    """How many reaches drain through each along main successors (itself too), and its distance to the outlet, m."""
    following, length = network.next.tolist(), network.length_m.tolist()
    size, to_outlet = [1] * len(network), [0.0] * len(network)
    for r in order.tolist():
        if following[r] >= 0:
            to_outlet[r] = to_outlet[following[r]] + length[following[r]]
    for r in order[::-1].tolist():
        if following[r] >= 0:
            size[following[r]] += size[r]
    return np.array(size, dtype=np.int64), np.array(to_outlet)


def _numbered(following: Ints, order: Ints, size: Ints) -> tuple[Ints, Ints]:
    """Preorder numbers from 1 with the largest tributary first, and the number of the lowest reach of each stem."""
    number, stem = np.zeros(len(order), dtype=np.int64), np.zeros(len(order), dtype=np.int64)
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    # tributaries of one reach side by side, the largest first; a reach comes after its successor
    by_parent = np.lexsort((np.arange(len(order)), -size, following, np.where(following < 0, -1, position[following])))
    previous, free = -2, 1
    for r, parent, of in zip(by_parent.tolist(), following[by_parent].tolist(), size[by_parent].tolist(), strict=True):
        heavy = parent >= 0 and parent != previous
        free = number[parent] + 1 if heavy else free
        number[r], stem[r] = free, stem[parent] if heavy else free
        previous, free = parent, free + of
    return number, stem


def _side_edges(network: Network) -> pd.DataFrame:
    """Pairs of reaches (``of`` -> ``to``) that water can take other than to the main successor."""
    n = np.arange(len(network))
    pairs = pd.DataFrame({"node": network.end, "of": n}).merge(
        pd.DataFrame({"node": network.start, "to": n}), on="node"
    )
    return pairs[network.next[pairs["of"]] != pairs["to"]].reset_index(drop=True)


def _forks(following: Ints, order: Ints, forks: np.ndarray) -> Ints:
    """The nearest fork at or below each reach along main successors; -1 = none."""
    fork = np.full(len(order), -1, dtype=np.int64)
    fork[forks] = forks
    nearest, down = fork.tolist(), following.tolist()
    for r in order.tolist():
        if nearest[r] < 0 and down[r] >= 0:
            nearest[r] = nearest[down[r]]
    return np.array(nearest, dtype=np.int64)


def _ranks(order: Ints, forks: np.ndarray) -> Ints:
    """Rank of each fork, 1 = farthest downstream; 0 for other reaches."""
    is_fork = np.zeros(len(order), dtype=bool)
    is_fork[forks] = True
    rank = np.zeros(len(order), dtype=np.int64)
    rank[order[is_fork[order]]] = np.arange(1, int(is_fork.sum()) + 1)
    return rank


def _at(values: Ints, index: Ints) -> pd.Series:
    """``values[index]`` as nullable integers, missing where the index is negative."""
    return pd.Series(values[index], dtype="Int64").mask(index < 0)


def _sides(network: Network, side: pd.DataFrame, reaches: pd.DataFrame) -> pd.DataFrame:
    of, to = reaches.iloc[side["of"]].reset_index(drop=True), reaches.iloc[side["to"]].reset_index(drop=True)
    onward = network.next[side["of"].to_numpy()]
    following = reaches.iloc[onward].reset_index(drop=True).mask(pd.Series(onward < 0))
    return pd.DataFrame(
        {
            "fork": of["fork"],
            "from_number": of["number"],
            "from_last": of["last"],
            "to_number": to["number"],
            "to_fork": to["fork"],
            "to_fork_number": to["fork_number"],
            "next_number": following["number"].astype("Int64"),
            "next_fork": following["fork"],
            "next_fork_number": following["fork_number"],
            "over_m": to["to_outlet_m"] + to["length_m"] - of["to_outlet_m"],
        }
    )
