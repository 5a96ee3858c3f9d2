r"""What lies upstream and downstream, and the way between two places.

The river of the examples, lengths in metres:

    s1 ──a 100──╮            ╭──m 50──╮
                j ──b 100──> k        n ──d 100──> sea1
    s2 ──t 80───╯            ╰──w 70──╯╰──e 40──> sea2       main: a b m d; w and e are side channels
"""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.errors import InputError, NotFound, UsageError
from rivergis.river.network import Network, Spot, things
from tests import tiny
from tests.river import networks

RIVER = networks.reaches("""
a: s1 -> j 100
t: s2 -> j 80
b: j -> k 100
m: k -> n 50
w: k -> n 70
d: n -> sea1 100
e: n -> sea2 40
""")
NET = Network.of(RIVER)


def told(rows: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    return {r.reach_id: (r.from_m, r.to_m, r.distance_m) for r in rows.itertuples()}


def test_everything_that_drains_to_a_place() -> None:
    rows = NET.trace(NET.spot("d", 30), "up")
    assert told(rows) == {
        "d": (0, 30, 0),
        "m": (0, 50, 30),
        "w": (0, 70, 30),
        "b": (0, 100, 80),
        "a": (0, 100, 180),
        "t": (0, 80, 180),
    }
    assert list(rows["reach_id"]) == ["d", "m", "w", "b", "a", "t"] and list(rows["visit"]) == [1, 2, 3, 4, 5, 6]
    assert list(rows["far_m"]) == [30, 80, 100, 180, 280, 260]


def test_every_channel_that_water_takes_to_every_outlet() -> None:
    rows = NET.trace(NET.spot("t", 50), "down")
    assert told(rows) == {
        "t": (50, 80, 0),
        "b": (0, 100, 30),
        "m": (0, 50, 130),
        "w": (0, 70, 130),
        "d": (0, 100, 180),
        "e": (0, 40, 180),
    }
    assert set(rows.loc[rows["on_main"], "reach_id"]) == {"t", "b", "m", "d"}


def test_within_a_distance_the_last_parts_are_cut() -> None:
    assert told(NET.trace(NET.spot("d", 30), "up", within_m=60)) == {
        "d": (0, 30, 0),
        "m": (20, 50, 30),
        "w": (40, 70, 30),
    }
    assert told(NET.trace(NET.spot("t", 50), "down", within_m=10)) == {"t": (50, 60, 0)}
    assert told(NET.trace(NET.spot("t", 50), "down", within_m=30)) == {"t": (50, 80, 0)}


def test_a_trace_does_not_go_past_what_stops_it() -> None:
    weirs = pd.DataFrame({"reach_id": ["m", "b", "b"], "at_m": [20.0, 10.0, 60.0], "name": ["weir", "upper", "lower"]})
    rows = NET.trace(NET.spot("d", 0), "up", stop_at=weirs)
    assert told(rows) == {"d": (0, 0, 0), "m": (20, 50, 0), "w": (0, 70, 0), "b": (60, 100, 70)}
    found = things(rows, weirs, "up")
    assert list(zip(found["name"], found["distance_m"], strict=True)) == [("weir", 30), ("lower", 110)]


def test_the_thing_where_a_trace_starts_does_not_stop_it() -> None:
    here = pd.DataFrame({"reach_id": ["b"], "at_m": [60.0]})
    assert len(NET.trace(NET.spot("b", 60), "up", stop_at=here)) == 3
    assert len(NET.trace(NET.spot("b", 60), "down", stop_at=here)) == 5
    assert len(NET.trace(NET.spot("b", 61), "up", stop_at=here)) == 1


@pytest.mark.parametrize(
    ("start", "end", "way", "node", "parts", "length_m"),
    [
        (("t", 50), ("d", 30), "down", None, ["t", "b", "m", "d"], 210),
        (("d", 30), ("t", 50), "up", None, ["d", "m", "b", "t"], 210),
        (("a", 40), ("t", 20), "confluence", "j", ["a", "t"], 120),
        (("m", 25), ("w", 0), "confluence", "n", ["m", "w"], 95),
        (("b", 20), ("b", 60), "down", None, ["b"], 40),
        (("b", 60), ("b", 20), "up", None, ["b"], 40),
    ],
)
def test_the_way_between_two_places(  # type: ignore[no-untyped-def]
    start, end, way: str, node: str | None, parts: list[str], length_m: float
) -> None:
    route = NET.route(NET.spot(*start), NET.spot(*end))
    assert (route.way, route.node, list(route.parts["reach_id"]), route.length_m) == (way, node, parts, length_m)


def test_places_without_common_water_are_not_joined() -> None:
    with pytest.raises(NotFound, match="meet at no confluence"):
        NET.route(NET.spot("d", 1), NET.spot("e", 1))


def test_water_in_a_circle_ends_and_is_said() -> None:
    ring = Network.of(networks.reaches("x: p -> q 10\ny: q -> r 10\nz: r -> p 10\nin: s -> p 5\nself: r -> r 3"))
    rows = ring.trace(ring.spot("x", 4), "down")
    assert told(rows) == {"x": (4, 10, 0), "y": (0, 10, 6), "self": (0, 3, 16), "z": (0, 10, 16)}
    assert rows.attrs["cycle"] == ["self", "x", "y", "z"]
    assert ring.trace(ring.spot("in", 5), "up").attrs["cycle"] == []


def test_reaches_without_nodes_meet_where_their_ends_coincide() -> None:
    lines = [tiny.line((0, 0), (100, 0)), tiny.line((100, 0), (200, 0)), tiny.line((200, 5), (300, 0))]
    frame = tiny.degrees(tiny.metric(lines, reach_id=["a", "b", "c"], from_node=[None, "n", None], to_node=None))
    net = Network.of(frame)
    assert list(net.next) == [1, -1, -1] and net.length_m == pytest.approx([100, 100, 100.12], abs=0.1)


@pytest.mark.parametrize(
    ("column", "value", "said"), [("reach_id", "b", "more than one reach"), ("next_reach_id", "nowhere", "'nowhere'")]
)
def test_what_is_no_network_is_refused(column: str, value: str, said: str) -> None:
    frame = RIVER.copy()
    frame.loc[0, column] = value
    with pytest.raises(InputError, match=said):
        Network.of(frame)


def test_places_off_the_network_are_refused() -> None:
    for reach, at, error in (("b", 101, UsageError), ("b", -1, UsageError), ("none", 0, NotFound)):
        with pytest.raises(error):
            NET.spot(reach, at)
    with pytest.raises(UsageError, match="direction"):
        NET.trace(Spot(0, 0), "sideways")


def walked(net: Network, at: Spot, direction: str) -> dict[int, float]:
    """Shortest distances the slow way: relaxed until nothing changes. Reach -> distance of its near end."""
    near, far = (net.start, net.end) if direction == "down" else (net.end, net.start)
    best = {int(far[at.reach]): float(net.length_m[at.reach] - at.at_m) if direction == "down" else at.at_m}
    for _ in range(len(net)):
        for r in range(len(net)):
            if int(near[r]) in best:
                d = best[int(near[r])] + float(net.length_m[r])
                best[int(far[r])] = min(d, best.get(int(far[r]), math.inf))
    return {r: best[int(near[r])] for r in range(len(net)) if int(near[r]) in best and r != at.reach} | {at.reach: 0.0}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_trace_ends_with_every_reach_once_at_its_shortest_distance(data: st.DataObject) -> None:
    net = Network.of(data.draw(networks.frames(cycles=True)))
    at, direction = data.draw(networks.spots(net)), data.draw(st.sampled_from(["up", "down"]))
    rows = net.trace(at, direction)
    assert dict(zip(net.numbers(rows["reach_id"]).tolist(), rows["distance_m"], strict=True)) == walked(
        net, at, direction
    )


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_what_drains_to_a_place_is_what_reaches_it(data: st.DataObject) -> None:
    """Up and down are each other's mirror: r lies upstream of s as far as s lies downstream of r."""
    frame = data.draw(networks.frames())
    net, back = Network.of(frame), Network.of(networks.mirrored(frame))
    at = data.draw(networks.spots(net))
    there = net.trace(at, "up").set_index("reach_id")["distance_m"]
    mirror = Spot(at.reach, float(net.length_m[at.reach]) - at.at_m)
    assert there.to_dict() == back.trace(mirror, "down").set_index("reach_id")["distance_m"].to_dict()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_less_distance_is_a_part_of_more(data: st.DataObject) -> None:
    net = Network.of(data.draw(networks.frames()))
    at, direction = data.draw(networks.spots(net)), data.draw(st.sampled_from(["up", "down"]))
    within = data.draw(st.floats(0.1, 200))
    whole = net.trace(at, direction).set_index("reach_id")
    cut = net.trace(at, direction, within).set_index("reach_id")
    assert set(cut.index) <= set(whole.index) and (cut["far_m"] <= within + 1e-6).all()
    near = whole[whole["far_m"] <= within]
    assert near.equals(cut.loc[near.index].assign(visit=near["visit"]))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_way_is_whole_and_as_long_as_the_traces_say(data: st.DataObject) -> None:
    net = Network.of(data.draw(networks.frames()))
    a, b = data.draw(networks.spots(net)), data.draw(networks.spots(net))
    try:
        route = net.route(a, b)
    except NotFound:
        return
    back = net.route(b, a)
    assert back.length_m == pytest.approx(route.length_m) and back.node == route.node
    parts = route.parts
    assert (parts["to_m"] - parts["from_m"]).sum() == pytest.approx(route.length_m)
    assert parts["reach_id"].iloc[0] == net.reach_id[a.reach] and parts["reach_id"].iloc[-1] == net.reach_id[b.reach]
    if route.way == "down" and a.reach != b.reach:
        trace = net.trace(a, "down").set_index("reach_id")
        assert trace.loc[net.reach_id[b.reach], "distance_m"] + b.at_m == pytest.approx(route.length_m)
