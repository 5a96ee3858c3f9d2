"""The directions found are the best there are: checked against trying every combination."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.river import consensus
from rivergis.river.consensus import Ways, bridges


@st.composite
def trees(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A small tree: start, end, odds for "as drawn", and how well each end fits as the one that leaves."""
    count = draw(st.integers(1, 7))
    parent = [draw(st.integers(0, i)) for i in range(count)]
    swap = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    a = np.array([i + 1 if s else p for i, (p, s) in enumerate(zip(parent, swap, strict=True))])
    b = np.array([p if s else i + 1 for i, (p, s) in enumerate(zip(parent, swap, strict=True))])
    odds = np.array(draw(st.lists(st.floats(-4, 4), min_size=count, max_size=count)))
    fits = np.array(draw(st.lists(st.floats(-3, 0), min_size=2 * count, max_size=2 * count))).reshape(count, 2)
    return a, b, odds, fits


def worth(a: np.ndarray, b: np.ndarray, odds: np.ndarray, fits: np.ndarray, turned: tuple[bool, ...]) -> float:
    """What the module says a combination is worth, written down a second time, node by node."""
    total = float(odds[~np.array(turned)].sum())
    for node in range(max(a.max(), b.max()) + 1):
        out, into, fit = 0, 0, []
        for i in range(len(a)):
            if node in (a[i], b[i]):
                leaves = (a[i] == node) != turned[i]
                out, into = out + leaves, into + (not leaves)
                if leaves:
                    fit.append(fits[i, 0 if a[i] == node else 1])
        degree = out + into
        drawn_in = int((b == node).sum())
        if degree == 2 and drawn_in == 1 and out != 1:
            return -np.inf  # a plain node drawn through is no end
        if out == 0:
            total -= (consensus.END, consensus.PLAIN_SINK, consensus.INNER_SINK)[min(degree, 3) - 1]
        elif out == 1:
            total += 0.0 if degree == 1 else fit[0] if not (degree == 2 and drawn_in == 1) else 0.0
            total += fit[0] if degree == 1 else 0.0
        else:
            total -= consensus.END * (out - 1) + consensus.INNER_SOURCE * (into == 0)
    return total


@given(trees())
@settings(deadline=None)
def test_no_combination_of_directions_of_a_tree_is_better(tree: tuple[np.ndarray, ...]) -> None:
    a, b, odds, fits = tree
    solved = Ways(a, b, int(max(a.max(), b.max())) + 1, np.ones(len(a))).solve(odds, fits)
    best = max(worth(a, b, odds, fits, t) for t in itertools.product([False, True], repeat=len(a)))
    assert abs(solved.score - best) < 1e-4
    assert abs(worth(a, b, odds, fits, tuple(solved.turned)) - best) < 1e-4


@given(trees())
@settings(deadline=None)
def test_drawing_a_line_the_other_way_changes_no_direction(tree: tuple[np.ndarray, ...]) -> None:
    a, b, odds, fits = tree
    nodes = int(max(a.max(), b.max())) + 1
    degree = np.bincount(np.concatenate([a, b]), minlength=nodes)
    first = Ways(a, b, nodes, np.ones(len(a))).solve(odds, fits)
    if (degree == 2).any():
        return  # what is drawn through a plain node is evidence, see the module
    second = Ways(b, a, nodes, np.ones(len(a))).solve(-odds, fits[:, ::-1])
    same = first.turned != second.turned
    assert (same | (np.minimum(first.confidence, second.confidence) < 0.51)).all()


def directions(pairs: list[tuple[int, int]], odds: list[float], outlets: tuple[int, ...] = ()) -> list[bool]:
    a, b = (np.array(side) for side in zip(*pairs, strict=True))
    ways = Ways(a, b, int(max(a.max(), b.max())) + 1, np.ones(len(a)), np.array(outlets, dtype=np.int64))
    return ways.solve(np.array(odds), np.zeros((len(odds), 2))).turned.tolist()


def test_a_named_outlet_decides_where_nothing_else_does() -> None:
    # 0 --- 1 --- 2
    #       |
    #       3
    star = [(0, 1), (1, 2), (1, 3)]
    for outlet, expected in ((2, [False, False, True]), (3, [False, True, False]), (0, [True, True, True])):
        assert directions(star, [0.0, 0.0, 0.0], (outlet,)) == expected


def test_two_rivers_that_meet_at_a_named_outlet_both_end_there() -> None:
    # 0 --- 1 --- 2     drawn through 1, where a map is cut off at the confluence
    for odds in ([0.5, 0.5], [-0.5, -0.5], [0.0, 0.0]):
        assert directions([(0, 1), (1, 2)], odds, (1,)) == [False, True]


def test_an_arm_of_a_braid_with_a_tributary_still_runs_down() -> None:
    #        /--- 2 ---\
    # 0 --- 1           3 --- 4      5 joins the arm at 2
    #        \---------/
    braid = [(0, 1), (1, 2), (2, 3), (1, 3), (3, 4), (5, 2)]
    assert directions(braid, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], (4,)) == [False] * 6


@given(st.integers(0, 10_000), st.integers(3, 12))
@settings(deadline=None, max_examples=60)
def test_water_never_runs_in_a_circle(seed: int, nodes: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(nodes - 1, 3 * nodes))
    a = rng.integers(0, nodes, count)
    b = (a + rng.integers(1, nodes, count)) % nodes
    solved = Ways(a, b, nodes, rng.uniform(1, 9, count)).solve(rng.normal(0, 2, count), rng.uniform(-2, 0, (count, 2)))
    start, end = np.where(solved.turned, b, a), np.where(solved.turned, a, b)
    waiting = np.bincount(end, minlength=nodes)
    ready, done = [n for n in range(nodes) if waiting[n] == 0], 0
    while ready:
        node = ready.pop()
        for i in np.flatnonzero(start == node):
            done += 1
            waiting[end[i]] -= 1
            if waiting[end[i]] == 0:
                ready.append(int(end[i]))
    assert done == count
    assert ((solved.confidence >= 0.5) & (solved.confidence <= 1)).all()


@given(st.integers(0, 10_000), st.integers(2, 12))
@settings(deadline=None, max_examples=60)
def test_a_bridge_is_a_line_that_holds_the_network_together(seed: int, nodes: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 2 * nodes))
    a = rng.integers(0, nodes, count)
    b = (a + rng.integers(1, nodes, count)) % nodes

    def joined(without: int) -> bool:
        seen, stack = {int(a[without])}, [int(a[without])]
        while stack:
            here = stack.pop()
            for i in range(count):
                if i != without and here in (a[i], b[i]):
                    there = int(b[i] if a[i] == here else a[i])
                    if there not in seen:
                        seen.add(there)
                        stack.append(there)
        return int(b[without]) in seen

    assert bridges(a, b).tolist() == [not joined(i) for i in range(count)]
