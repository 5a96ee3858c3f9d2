"""Reaches as arrays: measures, nodes, and the ways along the water, against networkx."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.patrol.match_kernels import between
from rivergis.patrol.score import waters_of
from rivergis.patrol.water import Water
from tests import tiny
from tests.patrol.walks import METHOD, river

# a river with an island, a brook, and a pond's shore that closes on itself
#
#            .──north──.
#   west ───a           b─── east          .-shore-.
#            `──south──´ \                 `.______´
#                         `brook
LINES = {
    "west": [(0, 0), (400, 30), (1000, 0)],
    "north": [(1000, 0), (1200, 180), (1600, 0)],
    "south": [(1600, 0), (1300, -90), (1000, 0)],  # drawn against the others
    "east": [(1600, 0), (2600, 50)],
    "brook": [(1900, -900), (1600, 0)],
    "shore": [(3000, 0), (3300, 0), (3300, 300), (3000, 300), (3000, 0)],
}


@pytest.fixture(scope="module")
def water() -> Water:
    frame = river(LINES)
    at = frame.geometry.get_coordinates()
    found = waters_of(frame, METHOD).near(at["x"].to_numpy(), at["y"].to_numpy(), 1.0, 0.0)
    assert found is not None
    return found


def test_measures_end_in_the_ellipsoidal_length(water: Water) -> None:
    ends = water.at_m[water.first[1:] - 1]
    assert np.allclose(ends, river(LINES)["length_m"], atol=1e-6)
    assert (np.diff(water.at_m)[np.diff(water.at_m) < 0] < 0).sum() == len(LINES) - 1, "measures rise along each reach"


def test_reaches_meet_at_nodes(water: Water) -> None:
    name = dict(zip(LINES, water.node.tolist(), strict=True))
    assert name["west"][1] == name["north"][0] == name["south"][1]
    assert name["north"][1] == name["south"][0] == name["east"][0] == name["brook"][1]
    assert name["shore"][0] == name["shore"][1]


PLACES = st.tuples(st.integers(0, len(LINES) - 1), st.floats(0, 1))


@given(a=PLACES, b=PLACES)
def test_ways_along_the_water_are_the_shortest(water: Water, a: tuple[int, float], b: tuple[int, float]) -> None:
    (ra, ma), (rb, mb) = ((r, f * float(water.length_m[r])) for r, f in (a, b))
    network = (water.length_m, water.node, water.way_row, water.way_to, water.way_m)
    told, _, _ = between(ra, ma, rb, mb, *network)
    back, _, _ = between(rb, mb, ra, ma, *network)
    assert told == pytest.approx(back)
    if ra == rb and list(LINES)[ra] != "shore":
        assert told == pytest.approx(abs(ma - mb)), "on one reach the way stays on it"
        return
    graph = nx.Graph()
    for r, (u, v) in enumerate(water.node.tolist()):
        cuts = sorted([(0.0, u), (float(water.length_m[r]), v), *([(ma, "a")] if r == ra else []), *([(mb, "b")] if r == rb else [])], key=lambda c: c[0])  # fmt: skip
        for (x, p), (y, q) in itertools.pairwise(cuts):
            known = graph.get_edge_data(p, q, {"weight": np.inf})["weight"]
            graph.add_edge(p, q, weight=min(known, y - x))
    try:
        expected = nx.shortest_path_length(graph, "a", "b", weight="weight")
    except nx.NetworkXNoPath:
        assert told > METHOD.matching.search_m
        return
    assert told == pytest.approx(expected, abs=1e-3)


def test_a_neighbourhood_holds_what_is_near_and_is_made_once() -> None:
    waters = waters_of(river(LINES), METHOD)
    west = tiny.degrees(tiny.metric([tiny.point(100, 0)])).geometry
    lon, lat = west.x.to_numpy(), west.y.to_numpy()
    near = waters.near(lon, lat, 0.5, 0.0)
    assert near is not None
    names = [list(LINES)[i] for i in near.number]
    assert "west" in names and "shore" not in names
    assert waters.near(lon, lat, 0.5, 0.0) is near
    assert waters.near(lon + 1.0, lat, 0.5, 0.0) is None
