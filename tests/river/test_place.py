r"""Which reach a point lies on, and parts of reaches cut.

     b .                    a: 0..1000 east, c goes on from its end; b joins there from the north
        \
  a ------o------ c
"""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis import crs
from rivergis.errors import NotFound
from rivergis.river.place import cut, place, place_one
from tests import tiny

LINES = [
    tiny.line((0, 0), (400, 30), (1000, 0)),
    tiny.line((500, 800), (1000, 0)),
    tiny.line((1000, 0), (2000, -100)),
    tiny.line((0, 500), (100, 500)),
]
KINDS = ["river", "stream", "river", "shoreline"]
SURE = [1.0, 0.6, 0.9, 1.0]
NET = tiny.degrees(tiny.metric(LINES, reach_id=["a", "b", "c", "shore"], kind=KINDS, direction_confidence=SURE))


def at(*points: tuple[float, float]) -> gpd.GeoSeries:
    return tiny.degrees(tiny.metric([tiny.point(*p) for p in points])).geometry


def test_a_point_lies_on_the_nearest_reach_with_its_bank() -> None:
    rows = place(NET, at((400, 60), (1500, -90), (700, 500), (1000, 0)), within_m=100, min_confidence=0.8)
    assert list(rows["reach_id"]) == ["a", "c", "b", "c"]  # at the confluence: the reach that begins there
    assert list(rows["bank"][:3]) == ["left", "right", "left"] and rows["at_m"][3] == 0
    assert list(rows["bank_certain"]) == [True, True, False, False]
    assert rows["bank"][3] is None


def test_what_is_far_from_every_channel_lies_on_none() -> None:
    assert place(NET, at((50, 520)), within_m=100, min_confidence=0.8)["reach_id"].tolist() == [None]
    [point] = at((50, 520))
    with pytest.raises(NotFound, match="more than 100 m"):
        place_one(NET, point.x, point.y, within_m=100, min_confidence=0.8)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2), st.floats(0, 1), st.floats(0, 1))
def test_parts_make_the_whole(row: int, one: float, other: float) -> None:
    length = float(crs.length_m(NET.geometry.iloc[row]))
    ends = np.array([0, *sorted([one * length, other * length]), length])
    parts = NET.iloc[[row] * 3].assign(from_m=ends[:-1], to_m=ends[1:])
    shapes = cut(parts).geometry
    there = shapes[shapes.notna()]
    assert crs.length_m(there.values).sum() == pytest.approx(length, abs=1e-3)
    assert all(g.geom_type == "LineString" for g in there)
    for a, b in itertools.pairwise(there):
        assert shapely.Point(a.coords[-1]).distance(shapely.Point(b.coords[0])) < 1e-8


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2), st.floats(0.01, 0.99))
def test_a_cut_end_is_placed_where_it_was_cut(row: int, share: float) -> None:
    length = float(crs.length_m(NET.geometry.iloc[row]))
    [shape] = cut(NET.iloc[[row]].assign(from_m=share * length, to_m=length)).geometry
    begin = gpd.GeoSeries([shapely.Point(shape.coords[0])], crs=crs.STORAGE)
    [found] = place(NET.iloc[[row]], begin, within_m=1, min_confidence=0.8).to_dict("records")
    assert found["at_m"] == pytest.approx(share * length, abs=1e-3)
