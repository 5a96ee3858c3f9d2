"""Drafts where reaches meet: corners at mouths, smooth goings-on, areas that tile, county borders, islands."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from rivergis.boundary.drafting.frames import Draft
from tests import tiny
from tests.boundary import drawing_ground as g

#              T (0, 600)
#              |
#   U ---------+--------- D        all 20 m wide, 5 m outside the bank (Jiangsu)
U = [(-800.0, 0.0), (0.0, 0.0)]
D = [(0.0, 0.0), (800.0, 0.0)]
T = [(0.0, 600.0), (0.0, 0.0)]


def tee(up: float = 20, down: float = 20, tributary: float = 20, slant: float = 0.0) -> Draft:
    side = [(slant, 600.0), (0.0, 0.0)]
    reaches = [g.reach("U", *U, width=up), g.reach("D", *D, width=down), g.reach("T", *side, width=tributary)]
    return g.drawn(g.view("jiangsu"), *reaches)


def test_trunk_and_tributary_meet_in_corners_and_end_there() -> None:
    draft = tee()
    corner_up = g.ends(g.line_of(draft, "U", "left"))[1]
    assert np.allclose(corner_up, [-15, 15], atol=0.1)
    assert np.array_equal(corner_up, g.ends(g.line_of(draft, "T", "right"))[1])
    assert np.array_equal(g.ends(g.line_of(draft, "D", "left"))[0], g.ends(g.line_of(draft, "T", "left"))[1])
    assert np.array_equal(g.ends(g.line_of(draft, "U", "right"))[1], g.ends(g.line_of(draft, "D", "right"))[0])


@pytest.mark.parametrize("slant", [-900.0, -300.0, 0.0, 250.0, 900.0])
@pytest.mark.parametrize("widths", [(20, 20, 20), (60, 90, 8), (30, 30, 80)])
def test_no_line_crosses_another_and_areas_tile(slant: float, widths: tuple[float, float, float]) -> None:
    draft = tee(*widths, slant=slant)
    lines = draft.lines.geometry.to_numpy()
    for i in range(len(lines)):
        for j in range(i):
            met = shapely.intersection(lines[i], lines[j])
            ends = shapely.multipoints(np.vstack([shapely.get_coordinates(x)[[0, -1]] for x in (lines[i], lines[j])]))
            assert met.is_empty or (shapely.distance(ends, met) < 1e-6 and met.length < 1e-6)
    areas = draft.areas.geometry
    assert shapely.area(shapely.union_all(areas)) == pytest.approx(areas.area.sum(), rel=1e-6)
    outline = shapely.union_all(areas)
    assert outline.geom_type == "Polygon" and not outline.interiors


def test_where_the_offset_grows_the_line_swings_out_before_the_node_and_never_in() -> None:
    """Half widths 10 and 30 m, one river: both lines meet at the wider distance, no nearer to the bank than the rule."""
    draft = g.drawn(g.view("jiangsu"), g.reach("U", *U, width=20), g.reach("D", *D, width=60))
    line = g.line_of(draft, "U", "left")
    assert np.allclose(g.ends(line)[1], [0, 35], atol=0.1)
    xy = shapely.get_coordinates(line) - [tiny.EAST, tiny.NORTH]
    assert xy[:, 1].min() >= 15 - 1e-6 and (np.diff(xy[:, 1]) >= -1e-6).all()
    assert np.allclose(xy[xy[:, 0] < -81, 1], 15, atol=0.05)


def test_county_borders_split_lines_and_areas_exactly() -> None:
    """An oblique border between A and B: both parts of a line end in one vertex, the areas share the border."""
    a = shapely.Polygon(tiny.shift([(-900, -500), (-200, -500), (100, 500), (-900, 500)]))
    b = shapely.Polygon(tiny.shift([(-200, -500), (900, -500), (900, 500), (100, 500)]))
    counties = gpd.GeoDataFrame({"county": ["A", "B"]}, geometry=[a, b], crs=tiny.ZONE)
    whole = g.drawn(g.view("jiangsu"), g.reach("R1", (-800, 0), (800, 0), width=20))
    draft = g.drawn(g.view("jiangsu"), g.reach("R1", (-800, 0), (800, 0), width=20), counties=counties)
    for bank in ("left", "right"):
        one, two = draft.lines[draft.lines["bank"] == bank].sort_values("from_m").itertuples()
        assert (one.county, two.county, one.to_m) == ("A", "B", two.from_m)
        assert one.geometry.coords[-1] == two.geometry.coords[0]
        assert shapely.distance(shapely.Point(one.geometry.coords[-1]), a.boundary) < 1e-6
    assert sorted(draft.areas["county"]) == ["A", "B"]
    assert draft.areas.area.sum() == pytest.approx(whole.areas.area.sum(), rel=1e-9)


def test_the_area_lies_between_the_lines() -> None:
    points = g.winding()
    draft = g.drawn(g.view("jiangsu"), g.reach("R1", *points, width=30))
    left, right = (g.line_of(draft, "R1", bank) for bank in ("left", "right"))
    between = shapely.Polygon(np.vstack([shapely.get_coordinates(left), shapely.get_coordinates(right)[::-1]]))
    assert shapely.symmetric_difference(between, draft.areas.geometry.iloc[0]).area < 1e-6
    assert draft.areas["area_m2"].iloc[0] == pytest.approx(between.area, abs=0.1)


def test_an_island_between_two_arms_lies_inside_and_its_banks_have_no_line() -> None:
    """
            N
          /   \\
    A ---      --- B
          \\   /
            S
    """
    north = [(0.0, 0.0), (200.0, 120.0), (400.0, 0.0)]
    south = [(0.0, 0.0), (200.0, -120.0), (400.0, 0.0)]
    reaches = [
        g.reach("A", (-500, 0), (0, 0), width=20),
        g.reach("N", *north, width=20),
        g.reach("S", *south, width=20),
        g.reach("B", (400, 0), (900, 0), width=20),
    ]
    draft = g.drawn(g.view("jiangsu"), *reaches)
    assert set(draft.lines[draft.lines["reach_code"] == "N"]["bank"]) == {"left"}
    assert set(draft.lines[draft.lines["reach_code"] == "S"]["bank"]) == {"right"}
    assert list(draft.notes["code"]) == ["island_inside"]
    outline = shapely.union_all(draft.areas.geometry)
    assert outline.geom_type == "Polygon" and not outline.interiors
    assert shapely.contains(outline, tiny.point(200, 0))


def test_water_areas_give_the_bank_and_a_mouth_is_bridged() -> None:
    """A union of trunk and tributary water: the trunk's line runs on straight over the mouth of a brook nobody mapped."""
    trunk, brook = tiny.box(-800, -15, 1600, 30), tiny.box(-20, 0, 40, 400)
    draft = g.drawn(g.view("jiangsu"), g.reach("R1", (-800, 0), (800, 0)), water=g.water(trunk, brook))
    xy = shapely.get_coordinates(g.line_of(draft, "R1", "left")) - [tiny.EAST, tiny.NORTH]
    assert np.allclose(xy[:, 1], 20, atol=0.06)
    assert np.allclose(g.ends(g.line_of(draft, "R1", "right")), [[-800, -20], [800, -20]], atol=0.06)
