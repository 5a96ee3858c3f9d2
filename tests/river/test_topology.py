"""The numbers that the database traces by: ranges, stems and forks are what they are said to be."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings

from rivergis.errors import InputError
from rivergis.river.network import Network, Spot
from rivergis.river.topology import topology
from tests.river import networks


@settings(max_examples=60, deadline=None)
@given(networks.frames())
def test_what_lies_upstream_on_main_successors_is_one_range(frame) -> None:  # type: ignore[no-untyped-def]
    net = Network.of(frame)
    rows = topology(net).reaches
    assert sorted(rows["number"]) == list(range(1, len(net) + 1))
    for i in range(len(net)):
        up = net.trace(Spot(i, float(net.length_m[i])), "up")
        main = set(net.numbers(up.loc[up["on_main"], "reach_id"]).tolist())
        # what a trace meets on the main tree, it meets as one range
        inside = rows["number"].between(rows["number"][i], rows["last"][i])
        assert main == set(rows.index[inside])


@settings(max_examples=60, deadline=None)
@given(networks.frames())
def test_a_stem_is_a_run_of_numbers_down_to_its_lowest_reach(frame) -> None:  # type: ignore[no-untyped-def]
    net = Network.of(frame)
    rows = topology(net).reaches.set_index("number")
    for number, row in rows.iterrows():
        if row["stem"] != number:
            assert row["next_number"] == number - 1 and rows.loc[number - 1, "stem"] == row["stem"]
        elif row["next_number"] in rows.index:
            below = rows.loc[row["next_number"]]
            heavy = rows.loc[row["next_number"] + 1]  # the largest tributary goes on the stem
            assert heavy["last"] - heavy.name >= row["last"] - number and heavy["stem"] == below["stem"]


@settings(max_examples=60, deadline=None)
@given(networks.frames())
def test_forks_are_ranked_against_the_water(frame) -> None:  # type: ignore[no-untyped-def]
    net = Network.of(frame)
    told = topology(net)
    for side in told.sides.itertuples():
        assert all(below is pd.NA or below < side.fork for below in (side.to_fork, side.next_fork))
    feeds = {int(n): r for n, r in zip(told.reaches["number"], net.reach_id, strict=True)}
    pairs = {(feeds[int(s.from_number)], feeds[int(s.to_number)]) for s in told.sides.itertuples()}
    wanted = {
        (net.reach_id[i], net.reach_id[j])
        for i in range(len(net))
        for j in range(len(net))
        if net.end[i] == net.start[j] and net.next[i] != j
    }
    assert pairs == wanted


def test_water_in_a_circle_has_no_numbers() -> None:
    with pytest.raises(InputError, match=r"circle \(x, y\)"):
        topology(Network.of(networks.reaches("x: p -> q 10\ny: q -> p 10\nin: s -> p 5")))
