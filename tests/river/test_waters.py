"""Lakes on the way of a river: flow paths stay inside, the network hangs together, and no metre of line is lost."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from rivergis.errors import CrsRefused
from rivergis.river.drawn import Drawn
from rivergis.river.sheet import cut_line
from rivergis.river.water_bodies import bodies, judged
from rivergis.river.waters import cross, shoreline

ZONE = "EPSG:4547"
PLACE = np.array([500_000.0, 3_300_000.0])


def drawn(*lines: Any, names: list[str | None] | None = None) -> Drawn:
    """Lines as pieces whose equal ends are one node."""
    shapes = [shapely.LineString(np.asarray(xy) + PLACE) for xy in lines]
    ends = np.array([[s.coords[0], s.coords[-1]] for s in shapes]).reshape(-1, 2)
    nodes, number = np.unique(ends, axis=0, return_inverse=True)
    number = number.reshape(-1, 2)
    pieces = gpd.GeoDataFrame(
        {
            "source_fid": range(len(shapes)),
            "piece": 0,
            "kind": "stream",
            "covered": False,
            "name": pd.Series(names or [None] * len(shapes), dtype=object),
            "flow": 0,
            "repair": pd.Series([None] * len(shapes), dtype=object),
            "level": 0,
        },
        geometry=shapes,
        crs=ZONE,
    )
    return Drawn(pieces, number[:, 0], number[:, 1], nodes)


def water(*shapes: Any, kind: str = "lake", name: str | None = "镜湖") -> gpd.GeoDataFrame:
    moved = [shapely.transform(s, lambda xy: xy + PLACE) for s in shapes]
    rows = {"area_fid": range(len(moved)), "kind": kind, "name": pd.Series([name] * len(moved), dtype=object)}
    return gpd.GeoDataFrame(rows, geometry=moved, crs=ZONE)


def crossed(lines: Drawn, areas: gpd.GeoDataFrame, snap_m: float = 1.0, gap_m: float = 20.0) -> Drawn:
    got = cross(lines, areas, snap_m=snap_m, gap_m=gap_m, max_half_width_m=3000)
    xy = shapely.get_coordinates(shapely.get_point(got.pieces.geometry, [[0], [-1]]))
    assert (xy == np.vstack([got.nodes[got.start], got.nodes[got.end]])).all()
    assert got.pieces.geometry.is_valid.all() and (got.pieces.length > 0).all()
    drawn_m = got.pieces.length[got.pieces["source_fid"] >= 0].sum() - sum(
        d.measure or 0 for d in codes(got, "end_led")
    )
    assert drawn_m == pytest.approx(lines.pieces.length.sum(), abs=2e-3 * len(lines.pieces))
    inside = got.pieces[got.pieces["source_fid"] == -1].geometry
    assert shapely.length(shapely.difference(inside.to_numpy(), areas.union_all().buffer(2e-3))).sum() == 0
    return got


def codes(got: Drawn, code: str) -> list[Any]:
    return [d for d in got.defects if d.code.startswith(code)]


def made(got: Drawn) -> gpd.GeoDataFrame:
    return got.pieces[got.pieces["repair"] == "made"]


def networks(got: Drawn) -> int:
    n = len(got.nodes)
    graph = coo_matrix((np.ones(len(got.start)), (got.start, got.end)), shape=(n, n))
    return len(np.unique(connected_components(graph, directed=False)[1][np.append(got.start, got.end)]))


SQUARE = shapely.box(0, 0, 100, 100)

#        ┌────────┐
#   ─────┼────────┼─────   one line through the lake: land, water, land
#        └────────┘


def test_a_line_through_a_lake_is_cut_at_both_shores() -> None:
    got = crossed(drawn([(-50, 50), (50, 50), (150, 50)], names=["沙河"]), water(SQUARE))
    assert got.pieces["kind"].tolist() == ["stream", "flow_path", "stream"]
    assert got.pieces["piece"].tolist() == [1, 2, 3]
    assert got.pieces.length.round(6).tolist() == [50, 100, 50]
    assert got.pieces["name"].tolist() == ["沙河"] * 3 and (got.pieces["source_fid"] == 0).all()
    assert networks(got) == 1 and not got.defects


def test_a_river_area_cuts_nothing_and_no_area_changes_nothing() -> None:
    line = drawn([(-50, 50), (150, 50)])
    assert cross(line, water(SQUARE)[:0], snap_m=1, gap_m=20, max_half_width_m=3000) is line
    for kind in ("river", "canal"):
        assert crossed(line, water(SQUARE, kind=kind)).pieces is line.pieces


def test_a_corner_shorter_than_the_tolerance_is_not_cut_off() -> None:
    got = crossed(drawn([(-50, 0.3), (0.3, 0.3), (0.3, -50)]), water(SQUARE))
    assert len(got.pieces) == 1 and got.pieces["kind"].tolist() == ["stream"]


def test_pieces_of_a_cut_source_line_keep_their_order() -> None:
    lines = drawn([(-50, 50), (-20, 50)], [(-20, 50), (150, 50)])
    lines = lines.with_(pieces=lines.pieces.assign(source_fid=7, piece=[1, 2]))
    got = crossed(lines, water(SQUARE))
    assert got.pieces["piece"].tolist() == [1, 2, 3, 4]
    assert (got.pieces.geometry.iloc[1].coords[-1]) == got.pieces.geometry.iloc[2].coords[0]


#     in ────┐        ┌──── out        lines that end at the shore, 3 m before it, and 2 m inside of it
#            │  lake  │
#     in ────┘        └──── in


def test_lines_that_end_at_the_shore_are_joined_through_the_lake() -> None:
    lines = drawn([(-50, 80), (0, 80)], [(-50, 20), (-3, 20)], [(150, 80), (98, 80)], [(100, 20), (150, 20)])
    got = crossed(lines, water(SQUARE))
    assert networks(lines) == 4 and networks(got) == 1
    assert len(codes(got, "flow_path_made")) == len(made(got)) > 0
    assert [d.measure for d in codes(got, "end_led_to_shore")] == [3.0]
    assert got.pieces["repair"].iloc[1] == "extended"
    assert (made(got)["name"] == "镜湖").all() and (made(got)["kind"] == "flow_path").all()
    assert len(made(got)) == 5  # a stem and two tributaries, each of which cuts it


def test_an_end_beside_or_beyond_the_gap_is_left_alone() -> None:
    through = [(-50, 50), (150, 50)]
    for other in ([(-50, 90), (-30, 90)], [(-10, 80), (-10, 20)]):
        got = crossed(drawn(through, other), water(SQUARE))
        assert not len(made(got)) and networks(got) == 2
    assert networks(crossed(drawn(through, [(-50, 90), (-15, 90)]), water(SQUARE))) == 1


def test_a_tributary_is_led_to_the_line_through_the_lake() -> None:
    got = crossed(drawn([(-50, 50), (150, 50)], [(50, 150), (50, 100)]), water(SQUARE))
    assert networks(got) == 1
    assert len(made(got)) == 1 and 50 <= made(got).length.iloc[0] < 71
    assert (got.degree()[got.end[made(got).index]] == 3).all()


def test_one_line_into_a_lake_needs_no_path() -> None:
    got = crossed(drawn([(-50, 50), (0, 50)]), water(SQUARE))
    assert not len(made(got)) and not got.defects


def test_lines_through_one_lake_that_meet_below_stay_apart_inside() -> None:
    #  ──┼──────┼──┐
    #    │      │  ├──   both belong to one network already
    #  ──┼──────┼──┘
    got = crossed(drawn([(-50, 20), (120, 20), (150, 50)], [(-50, 80), (120, 80), (150, 50)]), water(SQUARE))
    assert not len(made(got))
    apart = crossed(drawn([(-50, 20), (150, 20)], [(-50, 80), (150, 80)]), water(SQUARE))
    assert networks(apart) == 1 and len(made(apart)) == 1


def test_paths_go_around_islands_and_through_touching_areas() -> None:
    ring = shapely.Point(0, 0).buffer(100).difference(shapely.Point(0, 0).buffer(60))
    got = crossed(drawn([(-150, 0), (-100, 0)], [(100, 0), (150, 0)]), water(ring))
    assert networks(got) == 1 and 200 < made(got).length.sum() < 340
    two = water(shapely.box(0, 0, 50, 100), shapely.box(50, 0, 100, 100))
    got = crossed(drawn([(-50, 50), (0, 50)], [(100, 50), (150, 50)]), two)
    assert networks(got) == 1


def test_a_triangle_of_a_lake() -> None:
    lake = shapely.Polygon([(0, 0), (100, 0), (50, 80)])
    got = crossed(drawn([(-50, 0), (0, 0)], [(100, 0), (150, 0)]), water(lake))
    assert networks(got) == 1


def test_a_lake_without_a_river_is_listed_once() -> None:
    areas = pd.concat(
        [water(SQUARE), water(shapely.box(500, 0, 600, 100)), water(shapely.box(700, 0, 710, 9), kind="pond")]
    )
    got = crossed(drawn([(-50, 50), (150, 50)]), areas)
    (one,) = codes(got, "lake_without_river")
    assert one.severity == "info" and "镜湖" in one.proposal and one.measure == 10_000


def test_degrees_are_refused() -> None:
    line = drawn([(-50, 50), (150, 50)])
    with pytest.raises(CrsRefused):
        cross(line, water(SQUARE).to_crs(4490), snap_m=1, gap_m=20, max_half_width_m=3000)


@st.composite
def lakes(draw: st.DrawFn) -> shapely.Polygon:
    """A lake of any bays with up to two islands."""
    n = draw(st.integers(5, 40))
    radius = np.array(draw(st.lists(st.floats(60, 300), min_size=n, max_size=n)))
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    lake = shapely.Polygon(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    for x in draw(st.lists(st.floats(-40, 40), max_size=2)):
        lake = lake.difference(shapely.Point(x, x / 2).buffer(10))
    return lake


@settings(max_examples=60, deadline=None)
@given(
    lakes(), st.lists(st.tuples(st.floats(0, 359), st.sampled_from(["at", "before", "inside"])), min_size=2, max_size=7)
)
def test_all_lines_of_a_lake_become_one_network(lake: shapely.Polygon, rays: list[tuple[float, str]]) -> None:
    lines = []
    for angle, how in rays:
        far = 1000 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        outside = shapely.difference(shapely.LineString([far, (0, 0)]), shapely.Polygon(lake.exterior))
        shore = np.array(shapely.get_parts(outside)[0].coords[-1])
        reach = {"at": 0.0, "before": 8.0, "inside": -5.0}[how]
        lines.append([far, shore + far / 1000 * reach])
    lines = [line for k, line in enumerate(lines) if all(abs(rays[k][0] - r[0]) > 3 for r in rays[:k])]
    got = crossed(drawn(*lines), water(lake))
    assert networks(got) == 1
    paths = made(got).geometry.to_numpy()
    a, _ = shapely.STRtree(paths).query(paths, predicate="crosses")
    assert not len(a), "paths meet in nodes only"


@settings(max_examples=40, deadline=None)
@given(lakes(), st.lists(st.tuples(st.floats(0, 359), st.floats(0, 359)), max_size=5))
def test_shores_sum_to_their_rings_and_keep_the_water_on_the_left(lake: shapely.Polygon, ways: Any) -> None:
    ends = [
        [(900 * np.cos(np.radians(a)), 900 * np.sin(np.radians(a))) for a in way]
        for way in ways
        if abs(way[0] - way[1]) > 1
    ]
    lines = drawn(*(ends or [[(900, 900), (950, 950)]]))
    areas = water(lake)
    for network in (lines, crossed(lines, areas)):
        shore = shoreline(areas, network)
        assert shore.length.sum() == pytest.approx(areas.length.sum(), rel=1e-9)
        assert shore["ring"].nunique() == 1 + len(lake.interiors)
        for line in shore.geometry:
            middle, on = (np.array(line.interpolate(0.37 * line.length + s).coords[0]) for s in (0, 1e-3))
            left = middle + 1e-2 * np.array([-(on - middle)[1], (on - middle)[0]]) / 1e-3
            assert areas.geometry.iloc[0].buffer(1e-4).contains(shapely.Point(left))


GRID = st.tuples(st.integers(-6, 16), st.integers(-6, 16)).map(lambda xy: (10.0 * xy[0], 10.0 * xy[1]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(GRID, min_size=2, max_size=5, unique=True), min_size=1, max_size=6),
    st.sampled_from(["lake", "unknown"]),
)
def test_lines_along_corners_shores_and_one_another_keep_the_promises(lines: Any, kind: str) -> None:
    bay = shapely.box(30, 60, 60, 100)
    areas = water(SQUARE.difference(bay), shapely.box(100, 20, 140, 60), kind=kind)
    got = crossed(drawn(*lines), areas)
    assert got.pieces["kind"].isin(["stream", "flow_path"]).all()
    assert shoreline(areas.assign(kind="lake"), got).length.sum() == pytest.approx(areas.length.sum())


@given(st.lists(st.floats(0, 1), max_size=8), st.lists(GRID, min_size=2, max_size=6, unique=True))
def test_parts_of_a_line_sum_and_share_their_ends(shares: list[float], xy: Any) -> None:
    line = shapely.LineString(xy)
    parts = cut_line(line, np.sort(np.array(shares)) * line.length)
    assert sum(p.length for p in parts) == pytest.approx(line.length)
    assert all(a.coords[-1] == b.coords[0] for a, b in itertools.pairwise(parts))
    assert (parts[0].coords[0], parts[-1].coords[-1]) == (line.coords[0], line.coords[-1])


def test_a_shore_is_cut_where_rivers_meet_it() -> None:
    areas = water(SQUARE)
    network = crossed(drawn([(-50, 50), (150, 50)], [(50, 150), (50, 100)]), areas)
    shore = shoreline(areas, network)
    assert shore["order"].tolist() == [1, 2, 3] and (shore["kind"] == "shoreline").all()
    assert sorted(shore.length.round(6)) == [100, 100, 200]
    small = areas.assign(geometry=areas.difference(shapely.box(*np.concatenate([PLACE + 20, PLACE + 30]))))
    assert shoreline(small, network)["ring"].max() == 1
    assert shoreline(small, network, min_island_m2=101)["ring"].max() == 0
    assert len(shoreline(water(SQUARE, kind="river"), network)) == 0


# kinds --------------------------------------------------------------------------------------------------------------


def test_unknown_water_is_judged_by_its_shape_and_the_guess_is_listed() -> None:
    x = np.linspace(0, 2000, 200)
    winding = np.column_stack([x, 150 * np.sin(x / 120)])
    channel = shapely.LineString(winding).buffer(15, cap_style="flat")
    halves = [channel & shapely.box(0, -500, 1000, 500), channel & shapely.box(1000, -500, 2000, 500)]
    lake, alone = shapely.Point(3000, 0).buffer(200), shapely.Point(9000, 0).buffer(50)
    areas = water(*halves, lake, alone, kind="unknown")
    lines = drawn(winding, [(2000, winding[-1, 1]), (2900, 0)])
    got, guesses = judged(areas, lines.pieces, max_half_width_m=3000)
    assert got["kind"].tolist() == ["river", "river", "lake", "lake"]
    assert len(guesses) == 3 and {g.code for g in guesses} == {"water_kind_guessed"}
    again, none = judged(got, lines.pieces, max_half_width_m=3000)
    assert again is got and not none
    dry, _ = judged(areas, drawn([(5000, 5000), (5100, 5000)]).pieces, max_half_width_m=3000)
    assert (dry["kind"] == "lake").all()


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 4)), min_size=1, max_size=12))
def test_bodies_cover_the_areas_and_do_not_touch(squares: list[tuple[int, int, int]]) -> None:
    shapes = np.array([shapely.MultiPolygon([shapely.box(x, y, x + s, y + s)]) for x, y, s in squares], dtype=object)
    whole, member = bodies(shapes)
    assert shapely.area(whole).sum() == pytest.approx(shapely.area(shapely.union_all(shapes)))
    assert shapely.covers(whole[member], shapes).all()


# real files ---------------------------------------------------------------------------------------------------------


def test_bayreuth_ponds_are_crossed(test_data: Path) -> None:
    file = test_data / "region_bayreuth" / "bayreuth_osm_2014.gpkg"
    lines = gpd.read_file(file, layer="waterways").to_crs(32632).explode(ignore_index=True)
    areas = gpd.read_file(file, layer="water").to_crs(32632)
    areas = areas.assign(kind="unknown", area_fid=range(len(areas)))
    network = drawn(*[shapely.get_coordinates(g) - PLACE for g in lines.geometry])
    got = crossed(network, areas.set_crs(ZONE, allow_override=True))
    assert networks(got) < networks(network) and len(made(got)) == len(codes(got, "flow_path_made")) > 5
    assert (got.pieces["kind"] == "flow_path").sum() >= len(made(got))
