"""Order, upstream length, main stem and chainage of directed networks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.errors import InputError
from rivergis.river.measures import Measures, Reaches, measure


def directed(
    *pairs: tuple[int, int], length: list[float] | None = None, name: dict[int, str] | None = None, **kinds: object
) -> Reaches:
    """Reaches from node to node, 1 km long unless said otherwise."""
    start, end = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    n = len(pairs)
    names = np.array([(name or {}).get(i) for i in range(n)], dtype=object)
    kind = np.array(kinds.get("kind", ["river"] * n), dtype=object)
    nothing = np.full(n, np.nan)
    return Reaches(start, end, np.array(length or [1000.0] * n), kind, names, np.zeros(n), nothing, nothing)


# 0 --a--\
#         2 --c--\
# 1 --b--/        4 --e--> 5
# 3 ------d------/
CONFLUENCES = directed((0, 2), (1, 2), (2, 4), (3, 4), (4, 5), length=[900.0, 400.0, 500.0, 2500.0, 100.0])


def test_two_confluences() -> None:
    m = measure(CONFLUENCES)
    assert m.next.tolist() == [2, 2, 4, 4, -1]
    assert m.strahler.tolist() == [1, 1, 2, 1, 2]
    assert m.upstream_length_m.tolist() == [900, 400, 1800, 2500, 4400]
    assert m.to_outlet_m.tolist() == [600, 600, 100, 100, 0]
    # the tributary with the larger net upstream is the main stem: d, though c has the higher order
    assert m.stem_order.tolist() == [2, 3, 2, 1, 1]
    assert m.river[3] == m.river[4] != m.river[2] == m.river[0] != m.river[1]
    assert (m.from_m[4], m.to_m[4]) == (2500, 2600)
    assert (m.from_m[2], m.to_m[2]) == (900, 1400)


def test_a_name_carries_the_main_stem_up_the_shorter_branch() -> None:
    m = measure(directed((0, 2), (1, 2), (2, 3), length=[900.0, 400.0, 100.0], name={1: "清溪", 2: "清溪"}))
    assert m.river[1] == m.river[2] != m.river[0]
    assert m.stem_order.tolist() == [2, 1, 1]


def test_where_the_name_changes_a_river_ends() -> None:
    # 金沙江 --> 长江, one stem and two rivers of the register
    m = measure(directed((0, 1), (1, 2), (2, 3), (3, 4), name={0: "金沙江", 2: "长江"}))
    assert m.stem_order.tolist() == [1, 1, 1, 1]
    assert m.river[0] != m.river[2] == m.river[3]
    assert m.from_m[2] in (0.0, 1000.0)  # the unnamed reach between belongs to one of the two
    assert np.isclose(m.to_m - m.from_m, 1000).all()


#        /--b--\
# 0 -a- 1       2 -d- 3      b is longer than c: c is the main arm
#        \--c--/
BRAID = directed((0, 1), (1, 2), (1, 2), (2, 3), length=[1000.0, 700.0, 500.0, 300.0])


def test_a_braid_counts_once_and_raises_no_order() -> None:
    m = measure(BRAID)
    assert m.upstream_length_m.tolist() == [1000, 1700, 1500, 2500]
    assert m.strahler.tolist() == [1, 1, 1, 1]
    assert m.side.tolist() == [False, True, False, False] or m.side.tolist() == [False, False, True, False]
    assert len(set(m.river.tolist())) == 1


def test_a_side_arm_bears_the_chainage_of_its_river() -> None:
    m = measure(BRAID)
    [arm] = np.flatnonzero(m.side)
    [main] = [i for i in (1, 2) if i != arm]
    assert (m.from_m[arm], m.to_m[arm]) == (m.from_m[main], m.to_m[main])


def test_a_tributary_into_a_side_arm_raises_the_order_where_the_arm_returns() -> None:
    # 0 -> 1 -> 2 -> 3 main, arm 1 -> 4 -> 2, tributary 5 -> 4
    m = measure(directed((0, 1), (1, 2), (2, 3), (1, 4), (4, 2), (5, 4), length=[1e3, 2e2, 1e3, 6e2, 6e2, 9e2]))
    assert m.strahler[2] == 2
    assert m.upstream_length_m[2] == 1e3 + 2e2 + 1e3 + 6e2 + 6e2 + 9e2


def test_a_canal_that_leaves_is_a_river_of_its_own() -> None:
    m = measure(directed((0, 1), (1, 2), (1, 3), kind=["river", "river", "canal"], length=[1e3, 5e2, 9e3]))
    assert m.next[0] == 1 and m.side.tolist() == [False, False, True]
    assert m.river[2] != m.river[1] and m.from_m[2] == 0


def test_a_circle_is_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="circle"):
        measure(directed((0, 1), (1, 2), (2, 1)))


@st.composite
def acyclic(draw: st.DrawFn) -> Reaches:
    nodes = draw(st.integers(2, 12))
    edges = draw(
        st.lists(st.tuples(st.integers(0, nodes - 2), st.integers(1, 5)), min_size=1, max_size=25).map(
            lambda pairs: [(a, min(a + d, nodes - 1)) for a, d in pairs]
        )
    )
    lengths = draw(st.lists(st.integers(1, 5000), min_size=len(edges), max_size=len(edges)))
    names = draw(st.dictionaries(st.integers(0, len(edges) - 1), st.sampled_from(["甲", "乙"])))
    return directed(*edges, length=[float(v) for v in lengths], name=names)


@given(acyclic())
@settings(deadline=None)
def test_upstream_length_is_the_sum_over_everything_that_drains_there(reaches: Reaches) -> None:
    m = measure(reaches)
    for i in range(len(reaches.start)):
        seen, stack = {i}, [i]
        while stack:
            j = stack.pop()
            above = set(np.flatnonzero(reaches.end == reaches.start[j]).tolist()) - seen
            seen |= above
            stack.extend(above)
        assert np.isclose(m.upstream_length_m[i], reaches.length_m[sorted(seen)].sum())


@given(acyclic())
@settings(deadline=None)
def test_laws_of_every_network(reaches: Reaches) -> None:
    m: Measures = measure(reaches)
    n = len(reaches.start)
    for i in range(n):
        j = m.next[i]
        leaves = (reaches.start == reaches.end[i]).any()
        assert (j >= 0) == leaves
        if j >= 0:
            assert reaches.start[j] == reaches.end[i]
            assert np.isclose(m.to_outlet_m[i], reaches.length_m[j] + m.to_outlet_m[j])
            assert m.strahler[j] >= 1 and m.stem_order[i] >= m.stem_order[j]
            assert m.upstream_length_m[j] >= m.upstream_length_m[i] + reaches.length_m[j] - 1e-6
    assert (m.strahler >= 1).all()
    assert (m.from_m < m.to_m).all()
    main = ~m.side
    assert np.allclose((m.to_m - m.from_m)[main], reaches.length_m[main])
    # every metre of a river's main course has one chainage
    for river in np.unique(m.river[main]):
        own = np.flatnonzero((m.river == river) & main)
        order = own[np.argsort(m.from_m[own])]
        assert np.allclose(m.from_m[order[1:]], m.to_m[order[:-1]])
