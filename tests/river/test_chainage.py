"""Chainage: laws of a measure that two people must read alike.

(0,0) ->->->- (1000,0)          left bank: north
                  |
                  v
              (1000,-1000)      left bank: east
"""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rivergis import crs
from rivergis.errors import InputError, UsageError
from rivergis.river.chainage import Axis, label, locate_on, parse
from tests import tiny

BEND = tiny.degrees(tiny.metric([tiny.line((0, 0), (1000, 0), (1000, -1000))])).geometry.iloc[0]
SIDES = [
    ((500, 30), "left", 500, 30),
    ((500, -40), "right", 500, -40),
    ((1050, -500), "left", 1500, 50),
    ((960, -500), "right", 1500, -40),
]


def place(x: float, y: float) -> shapely.Point:
    return tiny.degrees(tiny.metric([tiny.point(x, y)])).geometry.iloc[0]


@pytest.mark.parametrize(("where", "bank", "at", "offset"), SIDES)
def test_banks_look_downstream(where: tuple[float, float], bank: str, at: float, offset: float) -> None:
    spot = Axis(BEND).locate([place(*where)])[0]
    assert spot.bank == bank
    assert spot.at_m == pytest.approx(at, abs=0.3)  # Gauss-Krueger metres are 0.01 % longer here
    assert spot.offset_m == pytest.approx(offset, abs=0.05)


@given(at=st.floats(0.01, 1990.0), origin=st.sampled_from([0.0, 1234.5, -500.0]))
def test_there_and_back_within_a_centimetre(at: float, origin: float) -> None:
    axis = Axis(BEND, origin)
    spot = axis.locate([axis.point_at(origin + at)])[0]
    assert spot.at_m == pytest.approx(origin + at, abs=0.01)
    assert abs(spot.offset_m) < 0.01


@given(at=st.floats(50, 900), off=st.floats(-45, 45).filter(lambda o: abs(o) > 0.1))
def test_offset_there_and_back(at: float, off: float) -> None:
    axis = Axis(BEND)
    spot = axis.locate([axis.point_at(at, off)])[0]
    assert spot.at_m == pytest.approx(at, abs=0.01)
    assert spot.offset_m == pytest.approx(off, abs=0.01)


@given(st.floats(0, 1980), st.floats(1, 15))
def test_a_stretch_is_as_long_as_its_chainages_say(start: float, length: float) -> None:
    piece = Axis(BEND).stretch(start, start + length)
    assert crs.length_m(piece) == pytest.approx(length, abs=0.01)


def test_length_is_the_sum_of_stretches_and_ellipsoidal() -> None:
    axis = Axis(BEND)
    cuts = np.linspace(0, axis.length_m, 7)
    assert sum(crs.length_m(axis.stretch(a, b)) for a, b in pairwise(cuts)) == pytest.approx(axis.length_m, abs=0.01)
    assert axis.length_m == pytest.approx(crs.length_m(BEND), abs=1e-6)


def test_turning_the_axis_round_swaps_the_banks_and_counts_from_the_other_end() -> None:
    axis, back = Axis(BEND), Axis(BEND.reverse())
    for where, bank, _, _ in SIDES:
        here, there = axis.locate([place(*where)])[0], back.locate([place(*where)])[0]
        assert there.bank != bank
        assert here.at_m + there.at_m == pytest.approx(axis.length_m, abs=0.01)


@given(
    st.floats(-99999, 9999999),
    st.sampled_from(["", "K", "DK", "桩号", "桩号K", "桩号 "]),
    st.sampled_from("+＋"),
    st.integers(0, 3),
)
@example(999.9996, "K", "+", 3)
@example(-0.4, "", "+", 0)
@example(0.95, "", "+", 1)
def test_labels_read_back(at: float, prefix: str, plus: str, decimals: int) -> None:
    written = label(at, f"{prefix}0{plus}000{'.' if decimals else ''}{'0' * decimals}")
    assert written.startswith(prefix)
    assert plus in written
    assert parse(written) == pytest.approx(at, abs=0.5 * 10**-decimals + 1e-6), "to the digit that the pattern shows"


@pytest.mark.parametrize(
    ("at", "pattern", "text"),
    [
        (12345.4, "0+000", "12+345"),
        (12345.64, "K0+000.0", "K12+345.6"),
        (12345, "桩号0+000", "桩号12+345"),
        (12345, "0＋000", "12＋345"),
        (-1200, "K0+000", "K-1+200"),
        (7.5, "0+000.00", "0+007.50"),
    ],
)
def test_labels_follow_the_pattern(at: float, pattern: str, text: str) -> None:
    assert label(at, pattern) == text


@pytest.mark.parametrize("pattern", ["", "{km}+{m}", "0+00", "1+000", "桩0+000", "0+000."])
def test_other_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="no pattern of chainages"):
        label(0, pattern)


def test_what_is_no_number_has_no_label() -> None:
    with pytest.raises(UsageError, match="not a number"):
        label(float("nan"))


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("12+345", 12345.0),
        ("K0+007.5", 7.5),
        ("-1+200", -1200.0),
        (" 3+4 ", 3004.0),
        ("桩号12+345", 12345.0),
        ("桩号:K12＋345.6", 12345.6),
        ("12＋345", 12345.0),
        ("－1＋200", -1200.0),
    ],
)
def test_labels_as_people_write_them(text: str, metres: float) -> None:
    assert parse(text) == metres


@pytest.mark.parametrize("text", ["12345", "1+2345", "a+b", "", "1+2+3"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a chainage"):
        parse(text)


def test_off_the_axis_is_said() -> None:
    with pytest.raises(UsageError, match=r"9\+000 lies off the axis, which runs from 0\+000 to 2\+000"):
        Axis(BEND).point_at(9000)
    with pytest.raises(UsageError, match="runs downstream"):
        Axis(BEND).stretch(200, 100)
    with pytest.raises(InputError):
        Axis(shapely.Point(106, 29.4))  # type: ignore[arg-type]


# -- any axis, any point ------------------------------------------------------------------------------------------------
#
#  hairpin  ----------.    meander  _/\_/\_/\_    trunk  three degrees of longitude and more, over several zones
#           ----------'

LAT = st.floats(18, 52)
COUNT = st.integers(2, 60)


@st.composite
def axes(draw: st.DrawFn, kinds: tuple[str, ...] = ("walk", "meander", "hairpin", "spike")) -> Axis:
    """Random walks, meanders, hairpins and trunks, with double vertices and spikes among them."""
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, step_m = draw(COUNT), draw(st.sampled_from([0.001, 1.0, 50.0, 3000.0, 60_000.0]))
    turn = {
        "walk": seed.normal(0, 0.5, count),
        "meander": 1.5 * np.cos(np.arange(count)),
        "hairpin": np.where(np.arange(count) % 7 == 3, np.pi - 0.001, 0.0),
        "spike": np.where(np.arange(count) % 5 == 2, np.pi, 0.1),
    }[draw(st.sampled_from(kinds))]
    lonlat = [(draw(st.floats(95, 115)), draw(LAT))]
    for azimuth in np.degrees(np.pi / 2 + np.cumsum(turn)):
        lon, lat, _ = crs.GEOD.fwd(*lonlat[-1], azimuth, step_m)
        if abs(lat) > 65 or abs(lon) > 170:
            break
        lonlat.append((lon, lat))
    twice = np.repeat(lonlat, 1 + seed.integers(0, 2, len(lonlat)), axis=0)
    return Axis(
        shapely.LineString(twice if len(lonlat) > 1 else [*lonlat, (100, 30)]), draw(st.sampled_from([0.0, -777.7]))
    )


@st.composite
def axes_and_points(draw: st.DrawFn, **kinds: tuple[str, ...]) -> tuple[Axis, np.ndarray]:
    axis = draw(axes(**kinds))
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    at = seed.choice(shapely.get_coordinates(axis.line), 40)
    far = draw(st.sampled_from([1e-4, 1.0, 100.0, 5_000.0, 80_000.0]))
    lon, lat, _ = crs.GEOD.fwd(*at.T, seed.uniform(0, 360, 40), seed.uniform(0, far, 40))
    return axis, np.column_stack([lon, lat])


@settings(max_examples=150, deadline=None)
@given(axes_and_points())
def test_every_point_comes_back_within_a_centimetre(case: tuple[Axis, np.ndarray]) -> None:
    axis, lonlat = case
    back = shapely.get_coordinates([axis.point_of(p) for p in axis.locate(shapely.points(lonlat))])
    assert crs.GEOD.inv(*lonlat.T, *back.T)[2].max() < 0.001


@settings(max_examples=60, deadline=None)
@given(axes_and_points())
def test_nothing_on_the_axis_is_nearer(case: tuple[Axis, np.ndarray]) -> None:
    axis, lonlat = case
    samples = axis.points_at(axis.origin_m + np.linspace(0, axis.length_m, 3000))
    xy = np.vstack([shapely.get_coordinates(samples), shapely.get_coordinates(axis.line)])
    for place, (lon, lat) in zip(axis.locate(shapely.points(lonlat)), lonlat, strict=True):
        away = crs.GEOD.inv(np.full(len(xy), lon), np.full(len(xy), lat), *xy.T)[2]
        assert abs(place.offset_m) <= away.min() + 1e-5
        assert axis.origin_m <= place.at_m <= axis.end_m + 1e-6


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.floats(-0.05, 0.05), min_size=3, max_size=40),
    st.lists(st.tuples(st.floats(0, 1), st.floats(-0.2, 0.2)), min_size=20, max_size=20),
    st.sampled_from([1e-5, 1e-3, 0.1]),
)
def test_never_a_wrong_side(lat: list[float], where: list[tuple[float, float]], step: float) -> None:
    """An axis that only ever runs east has the left bank wherever the point is north of it, however jagged it is."""
    line = np.column_stack([100 + np.arange(len(lat)) * step, 30 + np.array(lat) * step * 100])
    spots = np.array([(line[0, 0] + x * (line[-1, 0] - line[0, 0]), 30 + y * step * 100) for x, y in where])
    north = spots[:, 1] - np.interp(spots[:, 0], *line.T)
    for place, above in zip(Axis(shapely.LineString(line)).locate(shapely.points(spots)), north, strict=True):
        # the geodesic between two vertices bows north of the straight line of this test by up to 5e-7 of a step
        if place.beyond is None and abs(above) > 1e-3 * step:
            assert place.bank == ("left" if above > 0 else "right")


@settings(max_examples=80, deadline=None)
@given(axes_and_points(kinds=("walk", "meander")))  # the limbs of a spike lie on each other: no side is defined
def test_turned_round_or_mirrored_the_banks_swap(case: tuple[Axis, np.ndarray]) -> None:
    axis, lonlat = case
    mirror = np.array([-1.0, 1.0])
    here = axis.locate(shapely.points(lonlat))
    back = Axis(axis.line.reverse()).locate(shapely.points(lonlat))
    seen = Axis(shapely.LineString(shapely.get_coordinates(axis.line) * mirror), axis.origin_m).locate(
        shapely.points(lonlat * mirror)
    )
    for a, b, c in zip(here, back, seen, strict=True):
        assert abs(abs(a.offset_m) - abs(b.offset_m)) < 1e-5
        assert abs(abs(a.offset_m) - abs(c.offset_m)) < 1e-5
        # one foot, not two equally near ones
        if a.sided and abs(a.at_m - axis.origin_m + b.at_m - axis.length_m) < 1e-5:
            assert a.bank != b.bank
        if a.sided and abs(a.at_m - c.at_m) < 1e-5:
            assert a.bank != c.bank


def test_beyond_the_ends_is_said() -> None:
    axis = Axis(BEND)
    before, after, beside, ahead = axis.locate([place(-30, 40), place(1030, -1040), place(0, 5), axis.point_at(0, 0)])
    assert (before.at_m, before.beyond, before.bank) == (0.0, "upstream", "left")
    assert before.offset_m == pytest.approx(50, abs=0.05)
    assert (after.beyond, after.bank) == ("downstream", "left")
    assert after.at_m == axis.end_m
    assert beside.beyond is None
    assert (ahead.sided, ahead.bank) == (False, "left")


def test_a_trunk_of_many_zones_is_measured_like_a_ditch() -> None:
    """Ten degrees of longitude in one go: an offset of 10 km is 10 km, far from any meridian of a zone."""
    axis = Axis(shapely.LineString([(98, 30), (103, 31), (108, 29.5)]))
    for at in (10_000.0, 400_000.0, axis.length_m - 10_000.0):
        for offset in (-10_000.0, 3.0):
            [spot] = axis.locate([axis.point_at(at, offset)])
            assert spot.at_m == pytest.approx(at, abs=0.001)
            assert spot.offset_m == pytest.approx(offset, abs=0.001)
    assert axis.length_m == pytest.approx(crs.length_m(axis.line), abs=1e-6)


def test_a_stretch_of_a_long_straight_axis_lies_on_it() -> None:
    axis = Axis(shapely.LineString([(98, 30), (108, 30)]), 500.0)
    piece = axis.stretch(100_000, 300_000)
    assert crs.length_m(piece) == pytest.approx(200_000, abs=0.001)
    assert np.abs(axis.locate_arrays(shapely.points(shapely.get_coordinates(piece)))[1]).max() < 0.001


# -- which river --------------------------------------------------------------------------------------------------------
#
#   north  >------------------>
#            * 40 m                  braid: two axes of one river
#   south  >--------.--------->
#                    '--braid-->

TWO = tiny.degrees(
    tiny.metric(
        [
            tiny.line((0, 100), (1000, 100)),
            tiny.line((0, 0), (1000, 0)),
            tiny.line((500, 0), (600, -30), (900, -30), (1000, 0)),
        ],
        river_id=["north", "south", "south"],
        origin_m=[0.0, 5000.0, 0.0],
        direction_confidence=[1.0, 0.3, 1.0],
    )
)
KNOBS = {"factor": 1.5, "margin_m": 5.0, "min_confidence": 0.8}


def spots(*where: tuple[float, float]) -> gpd.GeoSeries:
    return gpd.GeoSeries([place(*w) for w in where], crs=crs.STORAGE)


def test_the_nearest_river_is_taken_and_a_rival_named() -> None:
    found = locate_on(TWO, spots((200, 40), (200, 90), (700, -16), (-20, 1), (200, 0)), **KNOBS)
    assert list(found["river_id"]) == ["south", "north", "south", "south", "south"]
    assert list(found["bank"])[:3] == ["left", "right", "left"]
    assert found["at_m"].iloc[0] == pytest.approx(5200, abs=0.5)
    assert list(found["other_axis"]) == [0, None, None, None, None]
    assert found["other_m"].iloc[0] == pytest.approx(60, abs=0.1)
    assert list(found["braid_axis"]) == [None, None, 1, None, None]
    assert list(found["beyond"].fillna("beside")) == ["beside", "beside", "beside", "upstream", "beside"]


def test_where_the_direction_is_a_guess_the_bank_is_no_certainty() -> None:
    found = locate_on(TWO, spots((200, 40), (200, 90), (200, 100)), **KNOBS)
    assert list(found["bank_certain"]) == [False, True, False]  # a guessed direction; a known one; no side on the axis


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_many_axes_give_what_each_of_them_gives(seed: int) -> None:
    random = np.random.default_rng(seed)
    lines = [
        shapely.LineString(random.uniform([100, 30], [100.2, 30.2], (int(random.integers(2, 50)), 2)))
        for _ in range(12)
    ]
    points = gpd.GeoSeries(shapely.points(random.uniform([99.9, 29.9], [100.3, 30.3], (30, 2))), crs=crs.STORAGE)
    found = locate_on(gpd.GeoDataFrame(geometry=lines, crs=crs.STORAGE), points, **KNOBS)
    away = np.abs([Axis(line).locate_arrays(points)[1] for line in lines])
    assert np.abs(found["offset_m"]).to_numpy() == pytest.approx(away.min(axis=0), abs=1e-6)
    second = np.sort(away, axis=0)[1]
    rival = second <= away.min(axis=0) * 1.5 + 5.0
    assert list(found["other_axis"].notna()) == list(rival)
    assert found["other_m"].to_numpy()[rival] == pytest.approx(second[rival], abs=1e-6)


def test_rows_keep_their_names_and_order() -> None:
    points = spots((200, 90), (200, 10)).set_axis(["a", "b"])
    found = locate_on(TWO.set_index(pd.Index(["x", "y", "z"])), points, **KNOBS)
    assert list(found.index) == ["a", "b"]
    assert list(found["axis"]) == ["x", "y"]
    assert locate_on(TWO, points.iloc[:0], **KNOBS).empty


def test_nothing_to_place_on_and_no_points_are_said() -> None:
    with pytest.raises(InputError, match="No river axis"):
        locate_on(TWO.iloc[:0], spots((0, 0)), **KNOBS)
    with pytest.raises(InputError, match="Point 1 is empty"):
        Axis(BEND).locate([place(0, 0), shapely.Point()])
    with pytest.raises(InputError, match="Only points"):
        Axis(BEND).locate([BEND])  # type: ignore[list-item]
    with pytest.raises(InputError, match="no length"):
        Axis(shapely.LineString([(100, 30), (100, 30)])).locate([place(0, 0)])
