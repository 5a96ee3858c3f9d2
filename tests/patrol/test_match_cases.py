"""Where nearest lines go wrong: necks, islands, parallel ditches, confluences, the far bank, a lift taken."""

from __future__ import annotations

import numpy as np
import pytest

from rivergis.patrol import score as scoring
from tests.patrol.walks import METHOD, duty_of, river, scored, seen, walk

# a meander whose limbs come within 160 m of each other; the walker crosses the neck
#
#      .──────────.
#     │            │            500 m
#  in ─┘ · · x · · └─ out   (160 m)
NECK = {"loop": [(-800, 0), (0, 0), (0, 500), (300, 800), (460, 500), (460, 0), (1260, 0)]}


def test_the_bend_cut_off_at_the_neck_is_not_seen() -> None:
    frame = river(NECK)
    done = scored(walk([(-800, -40), (500, -40), (1260, -40)]), frame, "loop")
    legs = done.legs[done.legs["why"] == "seen"]
    length = float(frame["length_m"].iloc[0])
    assert legs["to_m"].min() < 1300 and legs["from_m"].max() > length - 1300
    middle = legs[(legs["from_m"] < length / 2) & (legs["to_m"] > length / 2)]
    assert middle.empty, "the apex is 800 m away"


# an island: the walker keeps to the north of it, and the southern arm is nearer for a while
ISLAND = {
    "up": [(0, 0), (500, 0)],
    "north": [(500, 0), (700, 70), (1300, 70), (1500, 0)],
    "south": [(500, 0), (700, -70), (1300, -70), (1500, 0)],
    "down": [(1500, 0), (2000, 0)],
}


@pytest.mark.parametrize(("off", "arm", "other"), [(110, "north", "south"), (-110, "south", "north")])
def test_only_the_arm_walked_along_is_seen(off: int, arm: str, other: str) -> None:
    frame = river(ISLAND)
    got = seen(
        scored(walk([(0, off / 2), (500, off / 2), (700, off), (1300, off), (1500, off / 2), (2000, off / 2)]), frame),
        frame,
    )
    assert got[arm] == pytest.approx(1020, abs=60)
    assert got.get(other, 0.0) <= 150, "its ends are in sight of the nodes"


def test_direction_of_digitising_only_names_the_bank() -> None:
    frame = river(ISLAND)
    track = walk([(0, 30), (500, 30), (700, 100), (1300, 100), (1500, 30), (2000, 30)])
    turned = river({n: line[::-1] if n in ("north", "down") else line for n, line in ISLAND.items()})
    banks, other = (
        {n: set(legs["bank"]) for n, legs in d.legs.groupby(d.legs["reach"].map(dict(enumerate(frame["reach_id"]))))}
        for d in (scored(track, frame), scored(track, turned))
    )
    assert {b for s in banks.values() for b in s} == {"left"}
    assert other["north"] == other["down"] == {"right"} and other["up"] == {"left"}


# the walker turns from the trunk into a brook at an acute confluence
CONFLUENCE = {
    "above": [(0, 0), (1000, 0)],
    "below": [(1000, 0), (2000, 0)],
    "brook": [(300, 330), (700, 130), (1000, 0)],
}


def test_turning_into_the_brook() -> None:
    frame = river(CONFLUENCE, half_width_m=4.0)
    got = seen(scored(walk([(1900, 25), (1000, 25), (720, 150), (320, 350)]), frame), frame)
    assert got["below"] == pytest.approx(900, abs=60)
    assert got["brook"] == pytest.approx(750, abs=120)
    assert got.get("above", 0.0) <= 120


def test_out_on_one_bank_and_back_on_the_other_sees_both() -> None:
    frame = river({"main": [(0, 0), (2000, 0)]})
    done = scored(walk([(200, 40), (1500, 40)], [(1500, -40), (200, -40)]), frame, "main")
    assert done.figures["by_bank"]["left"]["seen_m"] == pytest.approx(1300, abs=60)
    assert done.figures["by_bank"]["right"]["seen_m"] == pytest.approx(1300, abs=60)
    assert done.figures["metres"] == pytest.approx(1300, abs=60), "metres of the reach count once"
    assert done.figures["passage_metres"] == pytest.approx(2600, abs=120)


def test_a_road_beyond_sight_sees_nothing() -> None:
    frame = river({"main": [(0, 0), (3000, 0)]})
    done = scored(walk([(0, 260), (3000, 260)]), frame, "main")
    assert seen(done, frame) == {}
    assert set(done.figures["unseen"]) == {"too_far"}


def test_a_lift_between_two_walks_is_a_gap_however_short() -> None:
    """450 m in 40 s with no fix: shorter than a silence, but nobody walks so fast."""
    frame = river({"main": [(0, 0), (3000, 0)]})
    track = walk([(0, 40), (1000, 40)], [(1450, 40), (2500, 40)], rest_s=40.0)
    done = scored(track, frame, "main")
    assert [round(u["to_m"] - u["from_m"], -2) for u in done.figures["unobserved"]] == [500]
    assert done.figures["unobserved"][0]["speed_ms"] > 8
    assert seen(done, frame)["main"] == pytest.approx(2050, abs=80)


@pytest.mark.parametrize(
    ("speed_ms", "off", "mode"),
    [(1.3, 40, "walk"), (4.5, 40, "ride"), (12.0, 60, "drive"), (2.5, 5, "boat")],
)
def test_way_of_moving_is_told_from_the_track(speed_ms: float, off: int, mode: str) -> None:
    frame = river({"main": [(0, 0), (4000, 0)]}, half_width_m=45.0)
    done = scored(
        walk(
            [(0, off + (25 if mode != "boat" else 0)), (4000, off + (25 if mode != "boat" else 0))], speed_ms=speed_ms
        ),
        frame,
        "main",
    )
    assert set(done.figures["by_mode"]) == {mode}
    assert done.figures["fast_share"] == (1.0 if mode == "drive" else 0.0)


def test_bounds_of_an_order_mark_legs_that_do_not_count() -> None:
    frame = river({"main": [(0, 0), (3000, 0)]})
    track = walk([(0, 40), (2500, 40)], speed_ms=12.0)
    bounds = scoring.Bounds(max_speed_ms=8.0)
    args = (track, scoring.waters_of(frame, METHOD), duty_of(frame, "main"), METHOD)
    fast = scoring.score(*args, declared="wgs84", bounds=bounds)
    assert fast.figures["metres"] == 0.0 and "too_fast" in fast.figures["unseen"]
    late = scoring.score(*args, declared="wgs84", bounds=scoring.Bounds(end_s=0.0))
    assert "outside_time" in late.figures["unseen"]


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_an_undeclared_datum_is_told_by_its_fit(datum: str) -> None:
    from rivergis import crs

    frame = river(NECK | {"side": [(1260, 0), (1800, -700), (2900, -800)]})
    track = walk(
        [
            (-800, -40),
            (-30, -40),
            (-30, 500),
            (280, 840),
            (500, 500),
            (500, -30),
            (1240, -40),
            (1780, -740),
            (2900, -840),
        ]
    )
    lon, lat = crs.wgs84_to_gcj02(track["lon"], track["lat"])
    if datum == "bd09":
        lon, lat = crs.gcj02_to_bd09(lon, lat)
    moved = track.assign(lon=lon, lat=lat)
    plain, told = scored(track, frame, "loop", declared=None), scored(moved, frame, "loop", declared=None)
    assert (plain.datum, told.datum) == ("wgs84", datum)
    assert told.figures["metres"] == pytest.approx(plain.figures["metres"], abs=5)
    wrong = scored(moved, frame, "loop", declared="wgs84")
    assert wrong.datum == "wgs84" and wrong.datum_better == datum, "a declared datum is asked about, never changed"


def test_confidence_is_low_where_two_waters_run_side_by_side() -> None:
    lines = {"one": [(0, 0), (2000, 0)], "two": [(0, 120), (2000, 120)]}
    frame = river(lines, half_width_m=4.0)
    alone, between = scored(walk([(0, -30), (2000, -30)]), frame), scored(walk([(0, 60), (2000, 60)]), frame)
    assert np.average(alone.legs["confidence"]) > 0.9
    assert between.figures["confidence"] < 0.8
