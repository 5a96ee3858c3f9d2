"""Where it stands: grounds from drawn levees and channels, distance to the line, edge by error, zones, function zones, permits."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import affinity, box

from rivergis import rules, words
from rivergis.encroachment.area_error import area_error_m2
from rivergis.encroachment.permit_match import Permitted, Standing, match, offset_m
from rivergis.encroachment.position import (
    Uncertainty,
    distance_to_line,
    function_zones_at,
    side,
    uncertainty,
    zones_hit,
)
from rivergis.encroachment.severity import Measured
from rivergis.encroachment.standing import channel_of, levee_stretches, stand_on
from rivergis.settings import gis_dir

ZONE = "EPSG:4547"
E0, N0 = 500_000.0, 3_380_000.0
BOOK = rules.load(gis_dir() / "rules")


def view(at: str = "000000", on: date = date(2026, 5, 20)) -> rules.RuleView:
    return BOOK.at(rules.path_of(at), on)


def at(shape: shapely.Geometry, turn: float = 0.0, mirror: bool = False) -> shapely.Geometry:
    """A drawing on the ground: turned about its origin, mirrored in the axis where wanted, moved to the zone."""
    if mirror:
        shape = affinity.scale(shape, 1, -1, origin=(0, 0))
    return affinity.translate(affinity.rotate(shape, turn, origin=(0, 0)), E0, N0)


# Left bank of a river that flows east (x), metres across (y):
#
#   y = 80  ------------------------------- line (berm 20 m of a grade 1 levee)
#   y = 60  =============================== landward toe  0 <= x <= 500
#           levee
#   y = 40  =============================== waterside toe
#           beach
#   y = 20  ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ water's edge
#           water                       axis y = 0
def river(
    turn: float = 0.0,
    mirror: bool = False,
    reverse: bool = False,
    roles: tuple[str, ...] = ("landward_toe", "waterside_toe"),
) -> tuple[gpd.GeoDataFrame, shapely.Geometry, shapely.Geometry]:
    y = {"landward_toe": 60.0, "waterside_toe": 40.0, "crest": 50.0}
    lines = [shapely.LineString([(0, y[r]), (250, y[r]), (500, y[r])]) for r in roles]
    lines = [shapely.reverse(line) if reverse else line for line in lines]
    levees = gpd.GeoDataFrame(
        {"river_id": "R", "bank": "right" if mirror else "left", "grade": 1, "line_role": list(roles)},
        geometry=[at(line, turn, mirror) for line in lines],
        crs=ZONE,
    )
    axis = at(shapely.LineString([(-50, 0), (550, 0)]), turn, mirror)
    return levees, axis, at(box(-50, -20, 550, 20), turn, mirror)


def shares(shape: shapely.Geometry, turn: float = 0.0, mirror: bool = False, **how: Any) -> tuple[Any, ...]:
    levees, axis, water = river(turn, mirror, **how)
    stretches = levee_stretches(levees, axis, view())
    told = stand_on(at(shape, turn, mirror), water, stretches, river_id="R", bank="right" if mirror else "left")
    return told.levee, told.berm, told.channel, told.beach, told.unknown


@pytest.mark.parametrize(
    ("label", "shape", "wanted"),
    [
        ("on the beach", box(100, 22, 110, 38), (0, 0, 0, 1, 0)),
        ("in the water", box(100, 0, 110, 18), (0, 0, 1, 0, 0)),
        ("on the levee", box(100, 45, 110, 55), (1, 0, 0, 0, 0)),
        ("on berm land", box(100, 62, 110, 78), (0, 1, 0, 0, 0)),
        ("a quarter on each", box(100, 0, 110, 80), (0.25, 0.25, 0.25, 0.25, 0)),
        ("half on the levee, half on the beach", box(100, 30, 110, 50), (0.5, 0, 0, 0.5, 0)),
        ("behind the berm land: no ground of the law", box(100, 85, 110, 95), (0, 0, 0, 0, 1)),
        ("a barrier from the water over beach and levee", shapely.LineString([(100, 0), (100, 80)]), (0.25, 0.25, 0.25, 0.25, 0)),
        ("a report on the levee", shapely.Point(100, 50), (1, 0, 0, 0, 0)),
        ("a report on the beach", shapely.Point(100, 30), (0, 0, 0, 1, 0)),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("turn", "mirror", "reverse"), [(0, False, False), (37, False, True), (120, True, False)])
def test_grounds(
    label: str, shape: shapely.Geometry, wanted: tuple[float, ...], turn: float, mirror: bool, reverse: bool
) -> None:
    assert shares(shape, turn, mirror, reverse=reverse) == pytest.approx(wanted, abs=1e-6)


def test_what_the_data_do_not_tell_is_never_beach() -> None:
    beach = at(box(100, 22, 110, 38))
    levees, axis, water = river()
    here = {"river_id": "R", "bank": "left"}
    unknown = stand_on(beach, water, None, **here)
    assert (unknown.levee, unknown.berm, unknown.channel, unknown.beach, unknown.unknown) == (None, None, 0, None, 1)
    assert unknown.why == ("levee",)
    no_water = stand_on(beach, None, levee_stretches(levees, axis, view()), **here)
    assert (no_water.channel, no_water.beach, no_water.unknown, no_water.why) == (None, None, 1, ("channel",))
    known_none = stand_on(beach, water, [], **here)
    assert (known_none.levee, known_none.berm, known_none.channel, known_none.beach, known_none.unknown) == (
        0,
        0,
        0,
        1,
        0,
    )


# Only one line of the levee is known: it may be up to 80 m wide, so ground within 80 m on its other side may be levee.
@pytest.mark.parametrize(
    ("label", "role", "shape", "wanted"),
    [
        ("within a levee's width of the toe", "landward_toe", box(100, 22, 110, 38), (None, 0, 0, 0, 1)),
        ("water is no levee", "landward_toe", box(100, -10, 110, 10), (0, 0, 1, 0, 0)),
        ("farther than any levee is wide", "landward_toe", box(100, -40, 110, -22), (0, 0, 0, 1, 0)),
        ("half and half", "landward_toe", box(100, -30, 110, -10), (0, 0, 0.5, 0.5, 0)),
        ("berm land of the toe", "landward_toe", box(100, 62, 110, 78), (0, 1, 0, 0, 0)),
        ("on the river's side of the waterside toe", "waterside_toe", box(100, 22, 110, 38), (0, 0, 0, 1, 0)),
        ("behind the waterside toe: levee or berm land", "waterside_toe", box(100, 42, 110, 58), (None, None, 0, 0, 1)),
        ("near the crest", "crest", box(100, 22, 110, 38), (None, None, 0, 0, 1)),
        ("far before the crest", "crest", box(100, -48, 110, -32), (0, 0, 0, 1, 0)),
        ("far behind the crest", "crest", box(100, 140, 110, 150), (0, None, 0, 0, 1)),
    ],
)
def test_one_line_of_a_levee_tells_what_it_can(
    label: str, role: str, shape: shapely.Geometry, wanted: tuple[float | None, ...]
) -> None:
    assert shares(shape, roles=(role,)) == tuple(w if w is None else pytest.approx(w, abs=1e-6) for w in wanted)


@pytest.mark.parametrize("where", [{"river_id": "R", "bank": "right"}, {"river_id": "Q", "bank": "left"}, {"river_id": None, "bank": None}])  # fmt: skip
def test_another_bank_or_river_has_no_known_levee(where: dict[str, Any]) -> None:
    levees, axis, water = river()
    told = stand_on(at(box(100, 22, 110, 38)), water, levee_stretches(levees, axis, view()), **where)
    assert (told.levee, told.beach, told.unknown) == (None, None, 1)


def test_beyond_the_end_of_the_levee_nothing_is_known() -> None:
    assert shares(box(520, 22, 530, 38)) == (None, None, 0, None, 1)


@pytest.mark.parametrize(
    ("label", "place", "levee", "berm_m"),
    [
        ("national, grade 1", "000000", {"grade": 1}, 20),
        ("national, grade 3", "000000", {"grade": 3}, 10),
        ("national, grade 5", "000000", {"grade": 5}, 5),
        ("Tibet, 50-year flood", "540000", {"grade": 1, "design_return_period_a": 50.0}, 30),
        ("Anhui, main stem", "340000", {"grade": 1, "levee_place": "main_stem"}, 20),
        ("Anhui, large Yangtze levee", "340000", {"grade": 1, "levee_place": "yangtze_large"}, 30),
        ("grade not known", "000000", {"grade": None}, None),
    ],
)
def test_berm_land_is_as_wide_as_the_place_says(
    label: str, place: str, levee: dict[str, Any], berm_m: float | None
) -> None:
    levees, axis, _ = river(roles=("landward_toe",))
    levees = levees.assign(**{k: [v] for k, v in levee.items()})
    berm = levee_stretches(levees, axis, view(place))[0].berm
    assert (None if berm is None else berm.area / 500) == (None if berm_m is None else pytest.approx(berm_m))


@given(st.floats(-40, 100), st.floats(1, 60), st.floats(1, 100), st.floats(0, 360), st.booleans())
def test_shares_of_all_grounds_make_one(y: float, high: float, wide: float, turn: float, mirror: bool) -> None:
    told = shares(box(150, y, 150 + wide, y + high), turn, mirror)
    assert sum(s for s in told if s is not None) == pytest.approx(1, abs=1e-6)
    assert all(s is None or -1e-9 <= s <= 1 + 1e-9 for s in told)


# bank lines of one reach, each digitised its own way: the channel is what lies between
@pytest.mark.parametrize("flip", [(False, False), (True, False), (False, True), (True, True)])
def test_the_channel_lies_between_its_lines(flip: tuple[bool, bool]) -> None:
    lines = [shapely.LineString([(x, y + 3 * math.sin(x / 40)) for x in range(0, 301, 10)]) for y in (20, -20)]
    lines = [at(shapely.reverse(x) if f else x) for x, f in zip(lines, flip, strict=True)]
    frame = gpd.GeoDataFrame({"reach_id": "A", "bank": ["left", "right"]}, geometry=lines, crs=ZONE)
    channel = channel_of(None, frame)
    assert channel is not None and channel.area == pytest.approx(300 * 40, rel=1e-9)
    assert channel_of(None, frame.iloc[:1]) is None and channel_of(None, None) is None
    water = gpd.GeoDataFrame({"river_id": ["R"]}, geometry=[at(box(0, -50, 100, 50))], crs=ZONE)
    both = channel_of(water, frame)
    assert both is not None and both.area == pytest.approx(100 * 100 + 200 * 40, rel=0.01)


AREA = at(box(0, -50, 400, 50))


@pytest.mark.parametrize(
    ("label", "shape", "wanted"),
    [
        ("5 m in", box(100, 40, 110, 45), 10),
        ("over the line", box(100, 40, 110, 90), 10),
        ("the whole width", box(100, -60, 160, 60), 50),
        ("the area itself", box(0, -50, 400, 50), 50),
        ("7 m outside", box(100, 57, 110, 60), -7),
        ("touching", box(100, 50, 110, 60), 0),
        ("a point", shapely.Point(200, 12), 38),
        ("a net across", shapely.LineString([(200, -80), (200, 80)]), 50),
    ],
)
def test_distance_to_the_line_is_signed(label: str, shape: shapely.Geometry, wanted: float) -> None:
    assert distance_to_line(at(shape), AREA) == pytest.approx(wanted, abs=1.0)
    assert distance_to_line(at(shape), AREA) <= wanted + 1e-6


def test_a_closing_chord_is_no_line() -> None:
    banks = at(shapely.MultiLineString([[(0, -50), (400, -50)], [(0, 50), (400, 50)]]))
    hut = at(box(1, -5, 3, 5))  # at the end of the area, in the middle of the river
    assert distance_to_line(hut, AREA) == pytest.approx(3, abs=0.5)
    assert distance_to_line(hut, AREA, banks) == pytest.approx(50, abs=0.5)


@given(st.floats(-300, 300), st.floats(0, 20), st.floats(0, 30))
def test_more_error_never_tells_more(distance: float, line: float, source: float) -> None:
    told = [
        side(distance, uncertainty(view(), source_kind="x", accuracy_m=source * f, line_error_m=line * f))
        for f in (1, 2)
    ]
    assert told[1] in (told[0], "edge")
    unknown = side(distance, uncertainty(view(), source_kind="x", accuracy_m=source))
    assert unknown == "undecided" or (unknown == "inside") == (distance > 0)
    assert side(-distance, uncertainty(view(), source_kind="x", accuracy_m=source)) == {
        "inside": "outside", "outside": "inside", "undecided": "undecided"
    }[unknown]  # fmt: skip


def test_errors_are_put_together_and_said() -> None:
    off = uncertainty(view(), source_kind="footprint", line_error_m=1.5)
    assert (off.line_m, off.source_m, off.sigma_m, off.band_m, off.told_by) == (1.5, 2, 2.5, 5.0, "delivered")
    image = uncertainty(view(), source_kind="remote_sensing", gsd_m=0.8, survey_scale=2000)
    assert (image.line_m, image.source_m, image.told_by) == (1.0, 1.6, "survey_scale")
    assert uncertainty(view(), source_kind="x", survey_scale=2500).told_by == "nothing"
    assert side(None, off) == "undecided"
    assert side(1000, Uncertainty(None, 2, None, 2, None, "nothing")) == "undecided"


def test_zones_are_hit_strictest_first() -> None:
    zones = gpd.GeoDataFrame(
        {"code": ["Z2", "Z1", "Z9"], "name": "源", "zone_class": [2, 1, 1], "doc_no": ["渝1号", None, np.nan]},
        geometry=[at(box(0, 0, 100, 100)), at(box(0, 0, 50, 100)), at(box(500, 0, 600, 100))],
        crs=ZONE,
    )
    both, none, touching = zones_hit(
        [at(box(40, 0, 60, 10)), at(box(200, 0, 210, 10)), at(box(100, 0, 110, 10))], zones
    )
    assert [(z.code, z.zone_class, round(z.share, 6), z.doc_no) for z in both] == [
        ("Z1", 1, 0.5, None),
        ("Z2", 2, 1, "渝1号"),
    ]
    assert none == touching == ()
    assert zones_hit([at(box(0, 0, 1, 1))], zones.iloc[:0]) == [()]


def test_function_zones_by_chainage_and_by_the_foot_on_their_line() -> None:
    zones = gpd.GeoDataFrame(
        {
            "code": ["G1", "G2", "G3"],
            "zone_type": ["protection", "reserve", "development"],
            "river_id": "R",
            "bank": ["left", "left", "left"],
            "from_m": [0.0, 200.0, np.nan],
            "to_m": [200.0, 400.0, np.nan],
        },
        geometry=[None, None, at(shapely.LineString([(150, 50), (300, 50)]))],
        crs=ZONE,
    )
    hut = at(box(210, 40, 220, 45))
    found = function_zones_at(zones, hut, river_id="R", bank="left", from_m=210, to_m=220)
    assert [(f.code, f.told_by) for f in found] == [("G3", "geometry"), ("G2", "chainage")]
    assert function_zones_at(zones, hut, river_id="R", bank="right", from_m=210, to_m=220) == ()
    far = at(box(350, 40, 360, 45))
    assert [f.code for f in function_zones_at(zones, far, river_id="R", bank="left", from_m=350, to_m=360)] == ["G2"]


BRIDGE = box(100, -60, 112, 60)


def permit(**given: Any) -> Permitted:
    plain = {
        "code": "XK1",
        "doc_no": "许1号",
        "allows": "building",
        "kind": "permanent_work",
        "position_kind": "polygon",
    }
    return Permitted(**{**plain, "geometry": at(BRIDGE), "word": "桥梁", **given})


@pytest.mark.parametrize(
    ("label", "stands", "given", "wanted"),
    [
        ("as permitted", {}, {}, ("yes", "yes", "not_told")),
        ("12 m beside (case 11)", {"shape": box(112, -60, 124, 60)}, {}, ("yes", "no", "not_told")),
        ("4.9 m beside is within the tolerance", {"shape": box(104.9, -60, 116.9, 60)}, {}, ("yes", "yes", "not_told")),
        ("5.1 m beside is not", {"shape": box(105.1, -60, 117.1, 60)}, {}, ("yes", "no", "not_told")),
        ("another kind", {"kind": "quarry"}, {}, ("no", "yes", "not_told")),
        ("another work", {"word": "房屋"}, {}, ("no", "yes", "not_told")),
        ("the permit says no more than the kind", {}, {"word": None}, ("yes", "yes", "not_told")),
        ("the same, and not on it", {"shape": box(130, -60, 142, 60)}, {"word": None}, ("not_told", "no", "not_told")),
        ("a word nobody knows", {"word": "飞碟"}, {}, ("not_told", "yes", "not_told")),
        ("kind not known", {"kind": "unknown"}, {}, ("not_told", "yes", "not_told")),
        ("by name only", {}, {"geometry": None, "position_kind": "name"}, ("yes", "not_told", "not_told")),
        ("a point 3 m off", {}, {"geometry": at(shapely.Point(115, 0)), "position_kind": "point"}, ("yes", "yes", "not_told")),
        ("a point 30 m off", {}, {"geometry": at(shapely.Point(142, 0)), "position_kind": "point"}, ("yes", "no", "not_told")),
        ("on its stretch", {}, {"geometry": None, "position_kind": "stretch", "bank": "left", "from_m": 0.0, "to_m": 500.0}, ("yes", "yes", "not_told")),
        ("off its stretch", {}, {"geometry": None, "position_kind": "stretch", "bank": "left", "from_m": 300.0, "to_m": 500.0}, ("yes", "no", "not_told")),
        ("on the other bank", {}, {"geometry": None, "position_kind": "stretch", "bank": "right", "from_m": 0.0, "to_m": 500.0}, ("yes", "no", "not_told")),
        ("within its size", {}, {"limits": {"m2": 1500.0}}, ("yes", "yes", "yes")),
        ("larger than permitted", {}, {"limits": {"m2": 1300.0}}, ("yes", "yes", "no")),
        ("larger within the error", {}, {"limits": {"m2": 1430.0}}, ("yes", "yes", "not_told")),
        ("a size that was not measured", {}, {"limits": {"m3": 10.0}}, ("yes", "yes", "not_told")),
        ("not begun", {}, {"valid_from": date(2026, 5, 21)}, ("yes", "yes", "no")),
        ("last day", {}, {"valid_to": date(2026, 5, 20), "limits": {"m2": 1500.0}}, ("yes", "yes", "yes")),
        ("ended, accepted", {}, {"valid_to": date(2025, 1, 1), "accepted_on": date(2024, 12, 1), "limits": {"m2": 1500.0}}, ("yes", "yes", "yes")),
        ("ended, acceptance not seen", {}, {"valid_to": date(2025, 1, 1), "limits": {"m2": 1500.0}}, ("yes", "yes", "not_told")),
        ("a use for a time that ended", {}, {"kind": "temporary_use", "valid_to": date(2025, 1, 1), "limits": {"m2": 1500.0}}, ("yes", "yes", "no")),
    ],
)  # fmt: skip
def test_permit_match(label: str, stands: dict[str, Any], given: dict[str, Any], wanted: tuple[str, str, str]) -> None:
    shape = at(stands.pop("shape", BRIDGE))
    plain = {"kind": "building", "word": "桥梁", "bank": "left", "from_m": 100.0, "to_m": 112.0}
    what = Standing(**{**plain, **stands}, shape=shape, measured={"m2": Measured(1440, "m2", 20)})
    told = match(what, permit(**given), view())
    assert (told.content, told.position, told.limits) == wanted
    open_ = told.content == "not_told" or ("no" not in wanted and "not_told" in wanted)
    assert told.outcome == ("open" if open_ else "differs" if "no" in wanted else "matches")
    assert {f"permit_match.{w}" for w in told.why} <= set(words.catalogue())


@given(st.floats(0, 40), st.floats(0, 40), st.floats(0, 6.28))
def test_farther_beside_never_fits_better(one: float, other: float, way: float) -> None:
    near, far = sorted((one, other))
    off = [offset_m(affinity.translate(BRIDGE, d * math.cos(way), d * math.sin(way)), BRIDGE) for d in (near, far)]
    assert off[0] <= off[1] + 1e-9 and off[1] <= far + 1e-9
    assert offset_m(BRIDGE, BRIDGE) == 0


# a 10 m by 20 m hut in an area 400 m by 100 m, its long side along the line
@pytest.mark.parametrize(
    ("label", "y", "line_m", "source_m", "wanted"),
    [
        ("wholly inside: the line does not matter", 0, 3.0, 2.0, 2 / 2 * math.sqrt(4 * (10**2 + 20**2))),
        ("wholly inside, the line's error not known", 0, math.nan, 2.0, 2 / 2 * math.sqrt(4 * (10**2 + 20**2))),
        ("cut by the line over 20 m", 45, 3.0, 0.0, 3.0 * 20),
        ("cut by a line of unknown error", 45, math.nan, 2.0, None),
        ("the source's error not known", 0, 3.0, math.nan, None),
    ],
)
def test_error_of_an_area(label: str, y: float, line_m: float, source_m: float, wanted: float | None) -> None:
    net = at(box(100, y, 120, y + 10)).intersection(AREA)
    told = area_error_m2(net, AREA.boundary, line_m, source_m)
    assert told == (None if wanted is None else pytest.approx(wanted, rel=2e-3))
