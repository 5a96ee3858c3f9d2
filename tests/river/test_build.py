"""From raw lines to a network: everything a planner's file can hold comes out directed, numbered and accounted for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from rivergis import crs
from rivergis.river.build import Built, Method, Terrain, build
from tests.tiny import degrees, line, metric, point

METHOD = Method(snap_m=1.0, gap_m=20.0, min_confidence=0.8, max_half_width_m=3000.0, dem_drop_m=2.0)


def drawn(
    lines: Sequence[shapely.LineString], names: Sequence[str | None] | None = None, **columns: object
) -> gpd.GeoDataFrame:
    """Lines in local metres as ``build`` takes them."""
    defaults: dict[str, object] = {"kind": "river", "covered": False, "level": 0, "flow": 0}
    frame = metric(lines, **{**defaults, **columns}).assign(name=names)
    frame["source_fid"] = np.arange(1, len(lines) + 1)
    return degrees(frame).assign(src_code=[f"c{i}" for i in range(1, len(lines) + 1)])


def by_code(built: Built) -> pd.DataFrame:
    return built.reaches.set_index("reach_id")


#  a (0,1000)                      three brooks and a river of 清溪 that runs east;
#    \                             c ends 10 m short of it, d is drawn upstream
#     b (1000,0) ---- e (3000,0) ---- (5000,0)
#    /                /
#  (0,-1000)      d (2500,-1500)
BROOKS = [
    line((0, 1000), (1000, 0)),
    line((0, -1000), (1000, 0)),
    line((1000, 0), (3000, 0), (5000, 0)),
    line((2990, -8), (2500, -1500)),
]


def test_a_small_river_with_a_missed_confluence_and_a_line_drawn_upstream() -> None:
    built = build(drawn(BROOKS, [None, None, "清溪", None]), METHOD)
    reaches = by_code(built)
    assert set(reaches.index) == {"f1", "f2", "f3.1", "f3.2", "f4"}
    following = reaches["next_reach_id"].dropna().to_dict()
    assert following == {"f1": "f3.1", "f2": "f3.1", "f3.1": "f3.2", "f4": "f3.2"}
    assert reaches.loc["f3.2", "strahler"] == 2
    assert reaches.loc["f4", "repair"] == "extended"
    told = set(built.defects["code"])
    assert {"direction_turned", "undershoot_closed"} <= told
    # the source's own attributes stay with every piece of a cut line
    assert reaches.loc[["f3.1", "f3.2"], "src_code"].tolist() == ["c3", "c3"]
    assert reaches.loc["f3.2", "upstream_length_m"] == pytest.approx(reaches["length_m"].sum(), abs=1e-6)
    assert reaches.loc["f3.1", "river_name"] == "清溪"


def test_vertices_that_were_not_mended_come_back_to_the_last_digit() -> None:
    lines = drawn(BROOKS)
    built = build(lines, METHOD)
    before = {tuple(c) for c in shapely.get_coordinates(lines.geometry.to_numpy())}
    after = {tuple(c) for c in shapely.get_coordinates(built.reaches.geometry.to_numpy())}
    moved = before - after
    assert moved == set() or len(moved) == 1  # at most the end that was led on to the river


def test_twice_the_same_and_in_any_order() -> None:
    first = build(drawn(BROOKS), METHOD)
    lines = drawn(BROOKS)
    shuffled = lines.iloc[[2, 0, 3, 1]].reset_index(drop=True)
    again = build(shuffled, METHOD)
    columns = ["next_reach_id", "river_id", "from_m", "to_m", "strahler", "upstream_length_m", "direction_confidence"]
    a, b = by_code(first)[columns].sort_index(), by_code(again)[columns].sort_index()
    pd.testing.assert_frame_equal(a, b, check_exact=False, rtol=1e-9)


def test_ends_of_neighbours_are_the_same_point() -> None:
    built = build(drawn(BROOKS), METHOD)
    nodes = built.nodes.set_index("node_id").geometry
    lines = built.reaches.geometry.to_numpy()
    for column, at in (("from_node", 0), ("to_node", -1)):
        ends = shapely.get_point(lines, at)
        assert (ends == nodes.loc[built.reaches[column]].to_numpy()).all()


def test_an_outlet_that_is_named_turns_a_net_without_other_evidence() -> None:
    square = [
        line((0, 0), (1000, 0)),
        line((1000, 0), (1000, 1000)),
        line((1000, 1000), (0, 1000)),
        line((0, 1000), (0, 0)),
    ]
    tails = [line((0, 0), (-900, -900)), line((1000, 1000), (1900, 1900))]
    for mouth in (point(-900, -900), point(1900, 1900)):
        outlets = degrees(metric([mouth]))
        built = build(drawn([*square, *tails]), METHOD, outlets=outlets)
        [end] = built.nodes[built.nodes["kind"] == "outlet"].geometry
        assert end.distance(outlets.geometry.iloc[0]) < 1e-6
        assert (built.defects["code"] != "outlet_off_network").all()


#  t1 (1000,900)   t3 (3000,900)  t5 (5000,900)      one long river drawn upstream, from east to west,
#      \               \              \             among brooks that are drawn downstream
#  (0,0) ---(1500,0)---(2500,0)--(3500,0)-(4500,0)--(5500,0)---(7000,0)
#                 /              /
#       t2 (2000,-900)  t4 (4000,-900)
def test_one_long_river_drawn_upstream_among_many_lines_is_turned_as_a_whole() -> None:
    river = line((7000, 0), (5500, 0), (4500, 0), (3500, 0), (2500, 0), (1500, 0), (0, 0))
    brooks = [
        line((x, 900 if i % 2 == 0 else -900), (x + 500, 0)) for i, x in enumerate((1000, 2000, 3000, 4000, 5000))
    ]
    built = build(drawn([river, *brooks]), METHOD)
    pieces = built.reaches[built.reaches["source_fid"] == 1]
    turned = set(built.defects.loc[built.defects["code"] == "direction_turned", "reach_id"])
    assert len(pieces) == 6 and turned == set(pieces["reach_id"])
    [mouth] = built.reaches[built.reaches["next_reach_id"].isna()].itertuples()
    assert mouth.upstream_length_m == pytest.approx(built.reaches["length_m"].sum())
    assert mouth.strahler == 2


def test_a_ring_alone_is_a_guess() -> None:
    built = build(drawn([line((0, 0), (900, 0), (900, 900), (0, 900), (0, 0))]), METHOD)
    assert (built.reaches["direction_confidence"] < METHOD.min_confidence).all()
    assert (built.defects["code"] == "direction_guessed").sum() == len(built.reaches)


def test_an_outlet_beside_the_network_is_said() -> None:
    built = build(drawn(BROOKS), METHOD, outlets=degrees(metric([point(9000, 9000)])))
    assert "outlet_off_network" in set(built.defects["code"])


def test_a_fall_of_the_ground_turns_a_line_that_nothing_else_tells() -> None:
    lines = drawn([line((0, 0), (1000, 0))])
    up = Terrain(1.0, lambda s: (np.array([100.0]), np.array([140.0])), lambda s: np.array([np.nan]))
    built = build(lines, METHOD, terrain=up)
    [reach] = built.reaches.itertuples()
    assert reach.direction_basis in ("dem", "digitised")
    assert reach.direction_confidence < 1
    flat = Terrain(1.0, lambda s: (np.array([np.nan]), np.array([np.nan])), lambda s: np.array([np.nan]))
    assert build(lines, METHOD, terrain=flat).reaches["direction_basis"].tolist() == ["digitised"]


def test_a_code_on_two_lines_is_told_and_both_are_kept() -> None:
    lines = drawn(BROOKS)
    built = build(lines, METHOD, source_id=pd.Series(["x", "x", "y", "z"]))
    assert {"x.1", "x.2", "y.1", "y.2", "z"} == set(built.reaches["reach_id"])
    assert (built.defects["code"] == "source_id_repeated").sum() == 2


def test_a_code_that_ends_like_the_piece_of_another_line_stays_its_own() -> None:
    built = build(drawn(BROOKS), METHOD, source_id=pd.Series(["y.1", "x", "y", "y.3"]))
    assert {"y.1", "x", "y.2", "y.4", "y.3"} == set(built.reaches["reach_id"])


def test_a_line_far_away_changes_no_reach() -> None:
    # confidence is learnt from the whole file: its last digits are no news
    before = build(drawn(BROOKS), METHOD).reaches
    after = build(drawn([*BROOKS, line((9000, 0), (9900, 0))]), METHOD).reaches
    pd.testing.assert_frame_equal(before, after[after["reach_id"] != "f5"])


@pytest.mark.realdata
@pytest.mark.parametrize("reversed_share", [0.0, 1 / 3])
def test_the_methow_as_bare_lines(test_data: Path, reversed_share: float) -> None:
    source = pyogrio.read_dataframe(test_data / "river_network_methow" / "Methow_Network.shp").set_crs("ESRI:102008")
    lines = crs.to_storage(source)
    length = dict(zip(source["GridID"].astype(int), crs.length_m(lines.geometry.to_numpy()), strict=True))
    turned = np.random.default_rng(11).random(len(source)) < reversed_share
    shapes = np.where(turned, shapely.reverse(lines.geometry.to_numpy()), lines.geometry.to_numpy())
    frame = gpd.GeoDataFrame(
        {"kind": "river", "covered": False, "level": 0, "flow": 0, "name": None, "source_fid": np.arange(len(source))},
        geometry=shapes,
        crs=lines.crs,
    )
    reaches = build(frame, METHOD, source_id=source["GridID"].astype(int)).reaches
    code = dict(zip(reaches["reach_id"], reaches["source_id"].astype(int), strict=True))
    found = {code[r]: code.get(n) for r, n in zip(reaches["reach_id"], reaches["next_reach_id"], strict=True)}
    truth = {int(a): int(b) for a, b in zip(source["GridID"], source["ToLink"], strict=True) if b in length}
    assert np.mean([found[a] == b for a, b in truth.items()]) >= 0.99
    upstream = reaches.set_index(reaches["source_id"].astype(int))["upstream_length_m"]
    total = dict(length)
    for a in _downstream(truth, set(length)):
        if a in truth:
            total[truth[a]] += total[a]
    assert np.mean([abs(upstream[a] / total[a] - 1) < 1e-3 for a in total]) >= 0.98


@pytest.mark.realdata
def test_a_coarse_map_with_many_gaps_is_not_turned_round_surely(test_data: Path) -> None:
    """1:4M arcs in a hundred loose parts: the Yangtze runs east, or its direction is told as a guess."""
    source = test_data / "china_rivers" / "rivers_upper_lower_yangtze_1to4m.gpkg"
    lines = crs.to_storage(pyogrio.read_dataframe(source, layer="rivers_level1_2"))
    frame = lines[["geometry"]].assign(
        source_fid=np.arange(len(lines)), kind="river", covered=False, level=0, flow=0, name=lines["NAME"]
    )
    reaches = build(frame, METHOD).reaches
    trunk = reaches[reaches["name"].fillna("").str.startswith("长江") & (reaches["length_m"] > 20_000)]
    west = np.array([g.coords[-1][0] < g.coords[0][0] for g in trunk.geometry])
    assert len(trunk) > 50
    assert west.mean() < 0.15  # bends run west, too
    assert (west & (trunk["direction_confidence"] >= METHOD.min_confidence)).mean() < 0.1


def _downstream(following: dict[int, int], links: set[int]) -> list[int]:
    """Links so that each comes after all that drain into it."""
    waiting = dict.fromkeys(links, 0)
    for b in following.values():
        waiting[b] += 1
    ready = [a for a in links if waiting[a] == 0]
    for a in ready:
        if a in following:
            waiting[following[a]] -= 1
            if waiting[following[a]] == 0:
                ready.append(following[a])
    return ready
