"""Flood walls, lakes, reservoirs, spoil and surrogates in a draft."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS

from rivergis.boundary.drafting import works_files as draft_works_files
from rivergis.boundary.drafting.make import Sources, make
from rivergis.boundary.drafting.read_files import Layer, Reading
from tests import tiny
from tests.boundary import drawing_ground as g

AXIS = [(0.0, 0.0), (1000.0, 0.0)]
SYSTEM = CRS.from_user_input(tiny.ZONE)


def layer(*shapes: shapely.Geometry, **columns: object) -> Layer:
    return Layer(tiny.metric(shapes, **columns).rename_geometry("geometry"), {"layer": "works.gpkg"})


def test_behind_a_flood_wall_stands_a_virtual_levee() -> None:
    """Level 12.0 + 0.5 m freeboard over ground at 10.0: 3 m crest + 3 x 2.5 m slope = 10.5 m, and the berm of 20 m beyond."""
    reaches = [g.reach("R1", *AXIS)]
    wall = layer(tiny.line((0, 30), (1000, 30)), design_level_m=12.0, ground_m=10.0, name="望虞河")
    rule_set = g.view("jiangsu")
    works = draft_works_files.walls_of(wall, reaches, Reading(), rule_set, SYSTEM, None)
    draft = g.drawn(rule_set, *reaches, works=works)
    assert np.allclose(g.ends(g.line_of(draft, "R1", "left"))[:, 1], 30 + 10.5 + 20, atol=0.05)
    row = draft.lines.iloc[0]
    assert row["drawn_by"] == "flood_wall" and json.loads(row["source"])["freeboard_m"] == 0.5


def test_a_flood_wall_without_its_level_is_told_and_not_drawn() -> None:
    reading = Reading()
    wall = layer(tiny.line((0, 30), (1000, 30)), name="望虞河")
    assert not draft_works_files.walls_of(wall, [g.reach("R1", *AXIS)], reading, g.view("jiangsu"), SYSTEM, None)
    assert [n.code for n in reading.notes] == ["no_virtual_section"]


def test_a_line_runs_round_a_lake_and_the_river_ends_at_it() -> None:
    """
    R1 ------( L )------ R2      lake of 100 m radius, 5 m outside the shore
    """
    lake = layer(shapely.Point(*tiny.shift([(500, 0)])[0]).buffer(100, quad_segs=64), code="L1")
    rule_set = g.view("jiangsu")
    waters = draft_works_files.lakes_of(lake, rule_set, Reading())
    reaches = [g.reach("R1", (0, 0), (500, 0), width=20), g.reach("R2", (500, 0), (1000, 0), width=20)]
    draft = g.drawn(rule_set, *reaches, waters=waters)
    ring = draft.lines[draft.lines["reach_code"] == "L1"]
    assert len(ring) == 2 and set(ring["drawn_by"]) == {"lake"} and ring["bank"].isna().all()
    at_lake = {tuple(np.round(c, 3)) for shape in ring.geometry for c in (shape.coords[0], shape.coords[-1])}
    rivers = draft.lines[draft.lines["reach_code"] != "L1"]
    touching = {tuple(np.round(c, 3)) for s in rivers.geometry for c in (s.coords[0], s.coords[-1])}
    assert at_lake <= touching
    whole = shapely.union_all(draft.areas.geometry)
    assert whole.geom_type == "Polygon" and not whole.interiors
    assert draft.areas.area.sum() == pytest.approx(whole.area, rel=1e-6)
    assert set(draft.notes["code"]) <= {"island_inside"}


@pytest.mark.parametrize(
    ("rule_set", "kind", "drawn_by"), [("anhui", "征地线", "land_acquisition"), ("jiangsu", "校核洪水位", "reservoir")]
)
def test_the_rules_say_which_line_bounds_a_reservoir(rule_set: str, kind: str, drawn_by: str) -> None:
    shapes = layer(
        tiny.box(0, 0, 400, 400), tiny.box(50, 50, 300, 300), code=["V1", "V1"], line_kind=["征地线", "校核洪水位"]
    )
    reading = Reading()
    found = draft_works_files.reservoirs_of(shapes, g.view(rule_set), reading, SYSTEM, None)
    assert [f.basis.drawn_by for f in found] == [drawn_by] and found[0].basis.rule is not None
    assert found[0].area.area == (160_000 if kind == "征地线" else 90_000)
    assert [n.code for n in reading.notes] == ["reservoir_line_missing"]


def test_a_dam_has_its_range() -> None:
    dam = tiny.line((0, 0), (0, 100))
    shapes = layer(
        tiny.box(0, 0, 400, 100), dam, code=["V1", "V1"], line_kind=["校核洪水位", "大坝"], size=["小型", "小型"]
    )
    own = g.view("tibet")
    reading = Reading()
    assert not draft_works_files.reservoirs_of(
        shapes, own, reading, SYSTEM, None
    )  # Tibet's rows name no line for reservoirs
    assert {n.code for n in reading.notes} == {"no_reservoir_rule", "no_dam_range"}


def test_spoil_against_the_levee_moves_the_line_out() -> None:
    """Toe at 40 m, berm 20 m: the line at 60 m is led round spoil from 30 to 90 m at 20 m beside it."""
    spoil = draft_works_files.spoil_of(layer(tiny.box(400, 30, 200, 60), code="S1"))
    works = [g.levee(0, "left", (0, 40), (1000, 40), design_return_period_a=20)]
    draft = g.drawn(g.view("tibet"), g.reach("R1", *AXIS), works=works, spoil=spoil)
    left = draft.lines.sort_values("from_m")
    assert list(left["drawn_by"]) == ["levee_toe", "spoil", "levee_toe"]
    xy = shapely.get_coordinates(g.line_of(draft, "R1", "left")) - [tiny.EAST, tiny.NORTH]
    assert xy[:, 1].max() == pytest.approx(110, abs=0.1) and xy[:, 1].min() == pytest.approx(60, abs=0.1)
    assert g.line_of(draft, "R1", "left").is_simple


def test_surrogates_are_taken_in_the_order_of_the_rules_and_marked() -> None:
    """A scarp all along at 90 m, a road to 500 m at 60 m: the road comes first in the rules."""
    lines = layer(tiny.line((0, 90), (1000, 90)), tiny.line((0, 60), (500, 60)), kind=["陡坎", "公路"])
    rule_set = g.view()
    grounds = draft_works_files.surrogates_of(lines, rule_set, Reading())
    assert [x.kind for x in grounds] == ["road", "scarp"]
    draft = make(Sources([g.reach("R1", *AXIS)], grounds=grounds), lambda _: rule_set, tiny.ZONE)
    left = draft.lines[draft.lines["bank"] == "left"].sort_values("from_m")
    assert [json.loads(s)["kind"] for s in left["source"]] == ["road", "scarp"]
    assert set(left["basis"]) == {"surrogate"} and set(left["indicative"]) == {"示意"}
    assert left["to_m"].iloc[0] == pytest.approx(500, abs=25)
    assert set(draft.notes["bank"]) == {"right"} and isinstance(draft.lines, gpd.GeoDataFrame)
