"""Raw lines to pieces between nodes: the laws that hold for any lines, and rivers drawn in ASCII for each defect."""

from __future__ import annotations

from collections import Counter, defaultdict

import geopandas as gpd
import numpy as np
import pytest
import shapely
import shapely.ops
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rivergis.errors import CrsRefused
from rivergis.river.drawn import Drawn
from rivergis.river.noding import node

SNAP_M, GAP_M = 1.0, 20.0
MANY = 25
METRES = "EPSG:4545"


def frame(*shapes, **columns) -> gpd.GeoDataFrame:
    """Lines given as coordinates or geometries, in a local zone far from its origin, with plain attributes."""
    made = [s if s is None or isinstance(s, shapely.Geometry) else shapely.LineString(s) for s in shapes]
    plain = {"source_fid": range(len(made)), "kind": "river", "covered": False, "level": 0, "name": None, "flow": 0}
    return gpd.GeoDataFrame({**plain, **columns}, geometry=made, crs=METRES)


def noded(lines: gpd.GeoDataFrame, snap_m: float = SNAP_M, gap_m: float = GAP_M) -> Drawn:
    return node(lines, snap_m=snap_m, gap_m=gap_m)


def codes(drawn: Drawn) -> dict[str, int]:
    return dict(Counter(d.code for d in drawn.defects))


def courses(drawn: Drawn) -> list[tuple]:
    """Pieces as their corners, whichever way they run, in an order of their own."""
    out = []
    for shape in shapely.simplify(drawn.pieces.geometry.to_numpy(), 1e-6):
        xy = [tuple(p) for p in np.round(shapely.get_coordinates(shape), 6).tolist()]
        out.append(tuple(min(xy, xy[::-1])))
    return sorted(out)


def the(drawn: Drawn, code: str):
    (found,) = [d for d in drawn.defects if d.code == code]
    return found


# laws ---------------------------------------------------------------------------------------------------------------

SPOT = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda p: (p[0] * 15.0 + 510_000, p[1] * 15.0 + 3_300_000))
NUDGE = st.sampled_from([0.0, 0.0, 0.0, 0.3, -0.4, 0.0005, 7.0, -6.0])


@st.composite
def line(draw) -> list[tuple[float, float]]:
    """A few steps on a coarse grid, so that lines meet, overlap, cross and miss each other often; some ends nudged."""
    xy = draw(st.lists(SPOT, min_size=2, max_size=6))
    dx, dy = draw(st.tuples(NUDGE, NUDGE))
    return [*xy[:-1], (xy[-1][0] + dx, xy[-1][1] + dy)]


RIVERS = st.lists(line(), min_size=1, max_size=7)
LEVELS = st.lists(st.sampled_from([0, 0, 0, 0, -1]), min_size=7, max_size=7)


def network(rivers: list, levels: list) -> gpd.GeoDataFrame:
    return frame(*rivers, level=levels[: len(rivers)], covered=[level < 0 for level in levels[: len(rivers)]])


def nudged(rivers: list) -> bool:
    return any(x % 15 or y % 15 for river in rivers for x, y in river)


@settings(deadline=None, max_examples=MANY)
@given(RIVERS, LEVELS)
def test_pieces_hang_on_their_nodes(rivers: list, levels: list) -> None:
    drawn = noded(network(rivers, levels))
    for shape, a, b in zip(drawn.pieces.geometry, drawn.start, drawn.end, strict=True):
        assert shape.coords[0] == tuple(drawn.nodes[a]) and shape.coords[-1] == tuple(drawn.nodes[b])
        assert a != b and shape.length > 0
    assert len(np.unique(drawn.nodes, axis=0)) == len(drawn.nodes)
    assert set(range(len(rivers))) <= set(drawn.pieces.source_fid) | {d.source_fid for d in drawn.defects}


@settings(deadline=None, max_examples=MANY)
@given(RIVERS, LEVELS)
def test_noding_again_changes_nothing(rivers: list, levels: list) -> None:
    once = noded(network(rivers, levels))
    again = noded(once.pieces)
    assert again.pieces.geometry.to_wkb().tolist() == once.pieces.geometry.to_wkb().tolist()
    assert np.array_equal(again.nodes, once.nodes)
    assert again.pieces[["source_fid", "piece", "repair"]].equals(once.pieces[["source_fid", "piece", "repair"]])
    assert not [d for d in again.defects if d.done]


@settings(deadline=None, max_examples=MANY)
@given(RIVERS, LEVELS)
def test_no_metre_is_lost_without_a_word(rivers: list, levels: list) -> None:
    drawn = noded(network(rivers, levels))
    said: dict[str, float] = defaultdict(float)
    for d in drawn.defects:
        said[d.code] += d.measure or 0
    less = said["duplicate_line"] + said["overlapping_lines"] + said["overshoot_trimmed"]
    more = said["undershoot_closed"] + said["gap_closed"]
    # an end that moves changes the length of its line by no more than it moves; below a millimetre nothing is told
    slack = said["ends_snapped"] * 2 * len(drawn.pieces) + (2e-3 * len(drawn.pieces) if nudged(rivers) else 0.0)
    before = sum(shapely.LineString(r).length for r in rivers)
    assert abs(before + more - less - drawn.pieces.length.sum()) <= slack + 1e-6


@settings(deadline=None, max_examples=MANY)
@given(RIVERS, LEVELS, st.randoms())
def test_order_and_direction_of_the_file_do_not_matter(rivers: list, levels: list, random) -> None:
    lines = network(rivers, levels)
    order = list(range(len(rivers)))
    random.shuffle(order)
    other = lines.iloc[order].reset_index(drop=True)
    other.geometry = [g.reverse() if random.random() < 0.5 else g for g in other.geometry]
    a, b = noded(lines), noded(other)
    # of two courses that differ by less than the tolerance the first in the file stays
    assume(not nudged(rivers) or not {"duplicate_line", "overlapping_lines"} & set(codes(a)))
    assert courses(a) == courses(b)
    assert np.array_equal(np.round(a.nodes, 6), np.round(b.nodes, 6))


@pytest.mark.parametrize(("rounds", "restless"), [(1, 1), (2, 0)])
def test_what_does_not_come_to_rest_is_told(rounds: int, restless: int) -> None:
    #  the stream 1 is drawn on, then cuts the river 0, then nothing changes; the river 2 is far away
    lines = frame([(0, 0), (200, 0)], [(80, 90), (80, 12)], [(0, 900), (200, 900)])
    told = the(node(lines, snap_m=SNAP_M, gap_m=GAP_M, rounds=rounds), "noding_unsettled")
    assert told.source_fid == restless and told.severity == "error" and not told.done
    settled = node(lines, snap_m=SNAP_M, gap_m=GAP_M, rounds=3)
    assert codes(settled) == {"undershoot_closed": 1} and courses(settled) == courses(noded(lines))


# usable and unusable lines ------------------------------------------------------------------------------------------


def test_what_is_no_line_is_set_aside_and_the_others_go_on() -> None:
    nan = shapely.LineString([(0, 0), (np.nan, 5)])
    lines = frame(None, shapely.LineString(), nan, [(5, 5), (5, 5)], shapely.Point(1, 1), [(0, 0), (9, 0)])
    drawn = noded(lines)
    assert drawn.pieces.source_fid.tolist() == [5]
    told = [d for d in drawn.defects if d.code == "unusable_geometry"]
    assert sorted(d.source_fid or 0 for d in told) == [0, 1, 2, 3, 4] and {d.severity for d in told} == {"error"}


def test_nothing_usable_is_an_empty_network() -> None:
    drawn = noded(frame(None))
    assert len(drawn.pieces) == len(drawn.nodes) == len(drawn.start) == 0 and drawn.pieces.crs == METRES
    assert "piece" in drawn.pieces and "repair" in drawn.pieces
    assert len(noded(frame()).pieces) == 0


def test_parts_become_pieces_without_z_or_repeated_vertices_and_keep_every_column() -> None:
    parts = shapely.from_wkt("MULTILINESTRING Z ((0 0 1, 0 0 1, 50 0 2), (90 0 2, 200 0 NaN))")
    drawn = noded(frame(parts, source_fid=[7], name=["甲河"], flow=[1], extra=["kept"]))
    assert drawn.pieces.piece.tolist() == [1, 2] and drawn.pieces.source_fid.tolist() == [7, 7]
    assert drawn.pieces.extra.tolist() == ["kept"] * 2 and drawn.pieces.name.tolist() == ["甲河"] * 2
    assert [list(g.coords) for g in drawn.pieces.geometry] == [[(0, 0), (50, 0)], [(90, 0), (200, 0)]]


def test_without_tolerances_only_what_meets_exactly_is_joined() -> None:
    drawn = noded(frame([(0, 0), (100, 0)], [(100, 0), (200, 0)], [(150, 90), (150, 0.01)]), snap_m=0.0, gap_m=0.0)
    assert len(drawn.pieces) == 3 and len(drawn.nodes) == 5 and drawn.defects == []


def test_degrees_are_refused() -> None:
    with pytest.raises(CrsRefused):
        noded(frame([(0, 0), (1, 1)]).set_crs("EPSG:4490", allow_override=True))


# ends ---------------------------------------------------------------------------------------------------------------
#     \   /
#      \ /      three ends within a metre are one node
#       o
#       |


def test_ends_within_the_tolerance_become_one_node() -> None:
    drawn = noded(frame([(-100, 200), (0, 100)], [(100, 200), (0.6, 100)], [(0, 100), (0, 0)]))
    assert len(drawn.nodes) == 4 and drawn.degree().tolist().count(3) == 1
    moved = the(drawn, "ends_snapped")
    assert moved.measure == pytest.approx(0.6) and moved.unit == "m" and moved.severity == "info" and moved.done
    assert moved.at == shapely.Point(0, 100)  # where most of them were
    assert drawn.pieces.repair.tolist() == [None, "snapped", None]


def test_a_short_line_between_two_rivers_is_kept_and_told() -> None:
    #  ---------o                    a link of 0.7 m is a line, not two ends to be made one
    #           o---------
    drawn = noded(frame([(-100, 0), (0, 0)], [(0, 0), (0.7, 0)], [(0.7, 0), (100, 0)]))
    assert drawn.pieces.length.round(6).tolist() == [100, 0.7, 99.3]
    assert the(drawn, "short_line").measure == pytest.approx(0.7)


def test_a_chain_of_short_lines_is_not_drawn_together() -> None:
    steps = [[(0.8 * i, 0), (0.8 * (i + 1), 0)] for i in range(10)]
    drawn = noded(frame(*steps))
    assert len(drawn.pieces) == 10 and drawn.pieces.length.sum() == pytest.approx(8.0)


#         |
#   ------+------      an end on a passing line cuts it


@pytest.mark.parametrize("off_m", [0.0, 0.7, -0.7])
def test_an_end_on_a_line_cuts_it_there(off_m: float) -> None:
    drawn = noded(frame([(0, 0), (200, 0)], [(80, 90), (80, off_m)], name=["主河", "支流"]))
    main = drawn.pieces[drawn.pieces.name == "主河"]
    assert main.piece.tolist() == [1, 2] and main.length.tolist() == pytest.approx([80, 120])
    assert drawn.pieces[drawn.pieces.name == "支流"].piece.tolist() == [0]
    assert drawn.degree().max() == 3 and codes(drawn) == ({"ends_snapped": 1} if off_m else {})


#         |
#         :  12 m
#   -------------      an undershoot is drawn on; what points away, runs alongside or is the line's own bend is not


def test_an_undershoot_is_drawn_on_to_the_line_it_points_to() -> None:
    drawn = noded(frame([(0, 0), (200, 0)], [(80, 90), (80, 12)]))
    told = the(drawn, "undershoot_closed")
    assert told.measure == pytest.approx(12) and told.done and told.severity == "warning" and told.source_fid == 1
    assert drawn.pieces.repair.tolist() == [None, None, "extended"] and drawn.degree().max() == 3


@pytest.mark.parametrize(
    "other",
    [
        [(80, 12), (80, 90), (120, 300)],  # its other end points away
        [(20, 12), (180, 12)],  # runs alongside
        [(80, 90), (80, 25)],  # too far
    ],
)
def test_other_open_ends_stay_open(other: list) -> None:
    far_end_away = frame([(-100, 0), (300, 0)], other[::-1] if other[0] == (80, 12) else other)
    drawn = noded(far_end_away)
    assert ("undershoot_closed" in codes(drawn)) == (other[0] == (80, 12))


def test_a_hook_does_not_close_on_the_line_it_comes_from() -> None:
    drawn = noded(frame([(0, 0), (200, 0)], [(80, 0), (80, 15), (90, 15), (90, 8)]))
    assert codes(drawn) == {} and drawn.degree().tolist().count(1) == 3


def test_a_ditch_is_not_drawn_to_the_culvert_beside_it() -> None:
    drawn = noded(frame([(0, 0), (200, 0)], [(80, 90), (80, 12)], covered=[True, False], level=[-1, 0]))
    assert codes(drawn) == {} and len(drawn.pieces) == 2


def test_a_repair_does_not_cross_another_line() -> None:
    #        |  the culvert lies between the end and the river: nothing is guessed
    drawn = noded(frame([(0, 0), (200, 0)], [(0, 6), (200, 6)], [(80, 90), (80, 12)], level=[0, -1, 0]))
    assert "undershoot_closed" not in codes(drawn)


def test_an_undershoot_beside_a_confluence_goes_to_the_confluence() -> None:
    drawn = noded(frame([(0, 0), (80, 0)], [(80, 0), (200, 0)], [(85, 90), (85, 12)]))
    assert the(drawn, "undershoot_closed").measure == pytest.approx(13) and len(drawn.nodes) == 4


def test_a_gap_between_two_open_ends_is_closed_once() -> None:
    #   -----   8 m   -----
    drawn = noded(frame([(0, 0), (100, 0)], [(108, 0), (200, 0)]))
    assert the(drawn, "gap_closed").measure == pytest.approx(8)
    assert drawn.pieces.length.sum() == pytest.approx(200) and len(drawn.nodes) == 3


def test_two_targets_about_equally_near_are_told() -> None:
    drawn = noded(frame([(0, 10), (200, 30)], [(0, -10), (200, -30)], [(-90, 0), (-12, 0)]))
    closed = [d for d in drawn.defects if d.code == "gap_closed"]
    assert any("equally near" in d.proposal for d in closed) and drawn.degree().max() == 3


#         |
#   ------+------
#         '  4 m past: trimmed


def test_an_overshoot_is_trimmed_and_the_rest_is_told() -> None:
    drawn = noded(frame([(0, 0), (200, 0)], [(80, 90), (80, -4)]))
    told = the(drawn, "overshoot_trimmed")
    assert told.measure == pytest.approx(4) and told.at == shapely.Point(80, 0) and told.source_fid == 1
    assert drawn.pieces.repair.tolist() == [None, None, "trimmed"] and drawn.pieces.length.sum() == pytest.approx(290)


def test_an_overshoot_past_the_node_of_two_others_is_trimmed_too() -> None:
    #         |
    #   ------o------     the main river is already cut there
    #         '
    drawn = noded(frame([(0, 0), (80, 0)], [(80, 0), (200, 0)], [(80, 90), (80, -4)]))
    assert the(drawn, "overshoot_trimmed").measure == pytest.approx(4)
    assert drawn.pieces.repair.tolist() == [None, None, "trimmed"] and len(drawn.nodes) == 4


def test_a_short_headwater_above_the_first_confluence_is_no_overshoot() -> None:
    drawn = noded(frame([(0, 0), (0, 200)], [(80, 190), (0, 190)]))
    assert codes(drawn) == {} and len(drawn.pieces) == 3


def test_corners_drawn_past_each_other_meet() -> None:
    drawn = noded(frame([(0, 0), (104, 0)], [(100, 90), (100, -3)]))
    assert codes(drawn) == {"overshoot_trimmed": 2} and len(drawn.nodes) == 3


# crossings ----------------------------------------------------------------------------------------------------------
#         |
#   ------|------     no node unless both lines were drawn through one vertex on one level
#         |

ACROSS, DOWN = [(0, 0), (200, 0)], [(80, 90), (80, -90)]
ACROSS_BY_VERTEX, DOWN_BY_VERTEX = [(0, 0), (80, 0), (200, 0)], [(80, 90), (80.2, 0), (80, -90)]


@pytest.mark.parametrize(
    ("columns", "code", "severity"),
    [
        ({}, "crossing_without_node", "warning"),
        ({"level": [0, -1]}, "crossing_grade_separated", "info"),
        ({"level": [1, 0]}, "crossing_grade_separated", "info"),
        ({"covered": [False, True]}, "crossing_grade_separated", "info"),
        ({"kind": ["river", "canal"]}, "crossing_grade_separated", "info"),
    ],
)
def test_crossings_are_kept_apart_and_listed(columns: dict, code: str, severity: str) -> None:
    drawn = noded(frame(ACROSS, DOWN, **columns))
    told = the(drawn, code)
    assert told.severity == severity and told.at == shapely.Point(80, 0) and not told.done
    assert len(drawn.pieces) == 2 and len(drawn.nodes) == 4 and len(drawn.defects) == 1


def test_a_vertex_in_both_is_a_confluence() -> None:
    drawn = noded(frame(ACROSS_BY_VERTEX, DOWN_BY_VERTEX))
    assert len(drawn.pieces) == 4 and drawn.degree().max() == 4
    assert the(drawn, "node_at_shared_vertex").severity == "info"


@pytest.mark.parametrize("columns", [{"level": [0, 1]}, {"covered": [False, True]}])
def test_a_vertex_in_both_on_two_levels_is_none(columns: dict) -> None:
    assert codes(noded(frame(ACROSS_BY_VERTEX, [(80, 90), (80, 0), (80, -90)], **columns))) == {
        "crossing_grade_separated": 1
    }


# lines drawn twice --------------------------------------------------------------------------------------------------

BEND = [(0, 0), (50, 20), (100, 0), (200, 10)]


@pytest.mark.parametrize("again", [BEND, BEND[::-1], [(x, y + 0.4) for x, y in BEND]])
def test_a_line_drawn_twice_is_kept_once(again: list) -> None:
    drawn = noded(frame(BEND, again, [(100, 90), (100, 0)]))
    told = the(drawn, "duplicate_line")
    assert told.source_fid == 1 and told.done and told.measure == pytest.approx(shapely.LineString(BEND).length)
    assert sorted(drawn.pieces.source_fid) == [0, 0, 2]


@pytest.mark.parametrize(
    "other",
    [
        [(60, 0), (80, 0), (300, 0)],  # goes on where the first ends
        [(60, 80), (70, 0), (100, 0), (110, 80)],  # joins and leaves, with vertices of its own
        [(60, 0), (160, 0)],  # a part of the first
    ],
)
def test_a_stretch_that_two_lines_follow_is_kept_once(other: list) -> None:
    drawn = noded(frame([(0, 0), (200, 0)], other))
    union = shapely.union_all([shapely.LineString([(0, 0), (200, 0)]), shapely.LineString(other)])
    assert drawn.pieces.length.sum() == pytest.approx(union.length)
    assert sum(d.measure or 0 for d in drawn.defects if d.code in ("overlapping_lines", "duplicate_line")) > 20
    assert set(codes(drawn)) <= {"overlapping_lines", "duplicate_line", "node_at_shared_vertex"}


def test_two_arms_of_a_braid_are_not_duplicates() -> None:
    drawn = noded(frame([(0, 0), (50, 15), (100, 0)], [(0, 0), (50, -15), (100, 0)]))
    assert len(drawn.pieces) == 2 and drawn.defects == []


# loops and spikes ---------------------------------------------------------------------------------------------------
#    ___
#   /   \
#   \   /
#    \ /
#     o         a loop is cut at its vertex, and split so that no piece begins where it ends
#     |

LOOP = [(0, 0), (0, 100), (-40, 150), (0, 200), (40, 150), (0, 100)]


def test_a_loop_is_cut_at_its_vertex_and_split() -> None:
    drawn = noded(frame(LOOP))
    assert drawn.pieces.piece.tolist() == [1, 2, 3] and (drawn.start != drawn.end).all()
    assert drawn.pieces.length.sum() == pytest.approx(shapely.LineString(LOOP).length)


def test_a_closed_ring_is_two_pieces() -> None:
    ring = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]
    drawn = noded(frame(ring))
    assert drawn.pieces.piece.tolist() == [1, 2] and drawn.nodes.tolist() == [[0, 0], [100, 100]]
    assert drawn.defects == []


def test_a_line_that_crosses_itself_without_a_vertex_is_told() -> None:
    drawn = noded(frame([(0, 0), (0, 200), (100, 200), (100, 100), (-100, 100)]))
    assert len(drawn.pieces) == 1 and the(drawn, "self_crossing").at == shapely.Point(0, 100)


def test_a_spike_is_told_and_left() -> None:
    drawn = noded(frame([(0, 0), (100, 0), (100, 30), (100, 0), (200, 0)]))
    assert len(drawn.pieces) == 1 and the(drawn, "spike").measure == pytest.approx(30) and len(drawn.defects) == 1


# real files ---------------------------------------------------------------------------------------------------------


def test_a_network_that_is_in_order_stays_as_it_is(test_data) -> None:
    links = gpd.read_file(test_data / "river_network_methow" / "Methow_Network.shp").geometry.set_crs("ESRI:102008")
    drawn = noded(frame(*links).set_crs(links.crs, allow_override=True))
    assert drawn.defects == [] and len(drawn.pieces) == 720
    assert drawn.pieces.geometry.to_wkb().tolist() == links.force_2d().to_wkb().tolist()
    assert np.bincount(drawn.degree()).sum() == 721


def drawn_badly(links: gpd.GeoSeries, fault: str) -> gpd.GeoSeries:
    """Links of a network that end beside their confluence, before it, or past it; or are there twice, or reversed."""
    out = []
    met = Counter(p for link in links for p in (link.coords[0], link.coords[-1]))
    for i, link in enumerate(links):
        xy = shapely.get_coordinates(link)
        way = (xy[-1] - xy[-2]) / np.hypot(*(xy[-1] - xy[-2]))
        if i % 2 or link.length < 120 or met[link.coords[-1]] < 3:
            out.append(link)
        elif fault == "beside":
            out.append(shapely.LineString([*xy[:-1], xy[-1] + 0.4 * way[::-1] * (1, -1)]))
        elif fault == "before":
            out.append(shapely.ops.substring(link, 0, link.length - 8))
        elif fault == "past":
            out.append(shapely.LineString([*xy, xy[-1] + 6 * way]))
        else:
            out += [link.reverse()] if fault == "reversed" else [link, link.reverse()]
    return gpd.GeoSeries(out, crs=links.crs)


@pytest.mark.parametrize("fault", ["beside", "before", "past", "twice", "reversed"])
def test_a_network_drawn_badly_has_its_confluences_again(test_data, fault: str) -> None:
    links = gpd.read_file(test_data / "river_network_methow" / "Methow_Network.shp").geometry.set_crs("ESRI:102008")
    bad = drawn_badly(links, fault)
    drawn = noded(frame(*bad).set_crs(links.crs, allow_override=True))
    sources_outlet, confluences = (int((drawn.degree() == n).sum()) for n in (1, 3))
    assert (sources_outlet, confluences) == (126, 124) and drawn.degree().max() == 3
    assert fault == "reversed" or len(drawn.defects) > 50
