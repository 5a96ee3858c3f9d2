"""Copies are told from companions and from the weekly walk on the same dike; the source of a copy is never asked.

phone A   . . ' ' . . ' .      companions: each phone wanders by itself
phone B   ' . . . ' ' . '
copy      . . ' ' . . ' .      a copy sits on every fix of A, or scatters about it without wandering
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.intake.track import read_track
from rivergis.patrol.authenticity import Archive, Course, against
from rivergis.patrol.authenticity_copy import geocentric, likeness
from tests.patrol.outings import (
    DAY_S,
    LIMITS,
    Track,
    backwards,
    laid_over,
    path,
    phone,
    played,
    stretched,
    thinned,
    walked,
)

SEEDS = st.integers(0, 2**20)
Made = Callable[[np.random.Generator, Track], Track]
COPIES: dict[str, Made] = {
    "exact": lambda rng, track: track,
    "noise laid over": lambda rng, track: laid_over(rng, track, rng.uniform(1, 4)),
    "thinned, stretched, noisy": lambda rng, track: laid_over(
        rng, stretched(thinned(rng, track), rng.uniform(0.9, 1.1)), rng.uniform(1, 4)
    ),
    "backwards": lambda rng, track: laid_over(rng, backwards(track), 2.0),
    "first half": lambda rng, track: laid_over(rng, Track(track.t_s[:150], track.xy_m[:150]), 1.0),
}


def asked(later: Course, *others: Course) -> list[str]:
    return [signal.family for signal in against(later, others, LIMITS)]


@pytest.mark.parametrize("made", COPIES, ids=list(COPIES))
@settings(max_examples=8)
@given(seed=SEEDS, interval_s=st.sampled_from([2.0, 5.0, 10.0]))
def test_a_copy_on_another_day_is_asked_about_and_its_source_is_not(made: str, seed: int, interval_s: float) -> None:
    rng = np.random.default_rng(seed)
    first = phone(rng, walked(rng, path(rng, 3600)), interval_s=interval_s)
    source = first.course("first")
    copy = COPIES[made](rng, first).course("copy", later_s=9 * DAY_S)
    found = against(copy, [source], LIMITS)
    assert [signal.family for signal in found] == ["replay"]
    assert found[0].evidence["other"] == "first"
    assert asked(source, copy) == []


@settings(max_examples=8)
@given(seed=SEEDS, late_s=st.floats(-15, 90), even=st.booleans())
def test_one_track_under_two_names_is_told_from_its_noise_even_where_the_copy_begins_first(
    seed: int, late_s: float, even: bool
) -> None:
    rng = np.random.default_rng(seed)
    first = phone(rng, walked(rng, path(rng)), interval_s=3, white_m=3.0, even=even)
    source = first.course("first")
    copy = laid_over(rng, first, 1.5).course("copy", chief="c2", later_s=late_s)
    assert asked(copy, source) == ["shared"]
    assert asked(source, copy) == []


@settings(max_examples=15)
@given(
    seed=SEEDS,
    interval_s=st.sampled_from([1.0, 3.0, 10.0, 30.0]),
    white_m=st.floats(0.3, 6),
    drift_m=st.floats(2, 12),
    tau_s=st.floats(20, 200),
    even=st.booleans(),
)
def test_two_phones_on_one_walk_are_never_asked(
    seed: int, interval_s: float, white_m: float, drift_m: float, tau_s: float, even: bool
) -> None:
    rng = np.random.default_rng(seed)
    outing = walked(rng, path(rng))
    one, two = (
        phone(rng, outing, interval_s=interval_s, white_m=white_m, drift_m=drift_m, tau_s=tau_s, even=even)
        for _ in range(2)
    )
    first, second = one.course("one"), two.course("two", chief="c2", later_s=5)
    assert asked(second, first) == asked(first, second) == []


@settings(max_examples=15)
@given(seed=SEEDS, interval_s=st.sampled_from([1.0, 5.0, 30.0]), back=st.booleans(), drift_m=st.floats(2, 8))
def test_the_same_person_on_the_same_dike_every_week_is_never_asked(
    seed: int, interval_s: float, back: bool, drift_m: float
) -> None:
    rng = np.random.default_rng(seed)
    way = path(rng)
    weeks = [
        phone(rng, walked(rng, way[::-1] if back and week else way), interval_s=interval_s, drift_m=drift_m, even=True)
        .course(f"week {week}", later_s=7 * DAY_S * week)
        for week in range(3)
    ]  # fmt: skip
    assert [asked(course, *weeks) for course in weeks] == [[], [], []]


def test_standing_at_the_office_every_day_is_no_copy() -> None:
    rng = np.random.default_rng(3)
    desk = (np.array([0.0, 1800.0]), np.zeros((2, 2)))
    days = [phone(rng, desk, interval_s=10).course(f"day {d}", later_s=d * DAY_S) for d in range(3)]
    frozen = [
        Track(np.arange(0.0, 900, 5), np.zeros((180, 2))).course(f"cell {d}", later_s=d * DAY_S) for d in range(2)
    ]
    assert all(asked(course, *days, *frozen) == [] for course in [*days, *frozen])


def test_a_recorded_line_played_at_an_even_pace_is_told_from_where_its_places_lie() -> None:
    rng = np.random.default_rng(5)
    first = phone(rng, walked(rng, path(rng)), interval_s=5)
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(first.xy_m, axis=0).T))]
    gone = np.arange(0, along[-1], 4.0)
    copy = Track(gone / 1.6, np.column_stack([np.interp(gone, along, first.xy_m[:, k]) for k in (0, 1)]))
    (found,) = against(copy.course("copy", later_s=DAY_S), [first.course("first")], LIMITS)
    assert (found.family, found.evidence["by"]) == ("replay", "line")


def test_two_cars_drawn_onto_one_road_by_navigation_are_not_copies() -> None:
    rng = np.random.default_rng(6)
    road = path(rng, 8000)
    days = [
        phone(rng, walked(rng, road, speed_ms=12), interval_s=2, white_m=0, drift_m=0).course(f"{d}", later_s=d * DAY_S)
        for d in range(2)
    ]
    assert asked(days[1], days[0]) == []


def test_one_track_sent_twice_by_its_owner_is_no_question_of_two_names() -> None:
    track = phone(np.random.default_rng(1), walked(np.random.default_rng(2), path(np.random.default_rng(3))))
    assert asked(track.course("b"), track.course("a")) == ["twice"]
    assert asked(track.course("a"), track.course("b")) == []


def test_tracks_of_unknown_age_and_of_few_fixes_are_not_held_against_each_other() -> None:
    rng = np.random.default_rng(8)
    few = phone(rng, walked(rng, path(rng)), interval_s=300)
    assert len(few.t_s) < 8
    assert asked(few.course("b", later_s=DAY_S), few.course("a")) == []
    track = phone(rng, walked(rng, path(rng)))
    lon, lat = track.lonlat().T
    unknown = Course("u", "c1", track.t_s, lon, lat, np.nan)
    assert asked(unknown, track.course("a")) == asked(track.course("a"), unknown) == []


@settings(max_examples=10)
@given(seed=SEEDS)
def test_the_archive_gives_the_same_answers_as_looking_at_every_track(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tracks = [phone(rng, walked(rng, path(rng) + 3000 * k)).course(f"t{k}", later_s=k * DAY_S) for k in range(4)]
    copy = laid_over(rng, phone(rng, walked(rng, path(rng) + 9000)), 1.0)
    tracks.append(copy.course("t4", later_s=4 * DAY_S))
    tracks.append(laid_over(rng, copy, 2.0).course("t5", later_s=5 * DAY_S))
    archive = Archive(tracks)
    for course in tracks:
        assert against(course, archive, LIMITS) == against(course, tracks, LIMITS)
    assert [other.track_id for other in archive.near(tracks[5])].count("t4") == 1
    assert Archive([]).near(tracks[0]) == []


def test_geocentric_distances_are_those_of_the_ellipsoid() -> None:
    import pyproj

    lon, lat = np.array([113.6, 113.601]), np.array([29.4, 29.4007])
    apart = float(np.linalg.norm(np.diff(geocentric(lon, lat), axis=0)))
    assert apart == pytest.approx(pyproj.Geod(ellps="GRS80").inv(lon[0], lat[0], lon[1], lat[1])[2], rel=1e-6)


@settings(max_examples=10)
@given(seed=SEEDS, factor=st.floats(0.75, 1.35))
def test_the_time_map_finds_back_how_a_copy_was_stretched_and_where_it_begins(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    first = phone(rng, walked(rng, path(rng)))
    copy = stretched(laid_over(rng, first, 1.0), factor)
    found = likeness(copy.course("copy", later_s=DAY_S), first.course("first"), 15.0)
    assert found is not None
    assert found.times.scale == pytest.approx(1 / factor, rel=1e-4)
    assert found.share > 0.99
    assert found.rhythm > 0.99


@pytest.mark.parametrize("name", ["energympro.gpx", "mtk_logger_m241.gpx", "wahoo-element-bolt.gpx", "fit-sample.gpx"])
def test_copies_of_real_tracks_are_found_and_real_tracks_are_not_copies_of_each_other(
    test_data: Path, name: str
) -> None:
    rng = np.random.default_rng(11)
    table = read_track(test_data / "gps_tracks" / name).fixes.drop_duplicates("at").sort_values("at")
    seconds = (table["at"] - table["at"].iloc[0]).dt.total_seconds().to_numpy()
    lon, lat = table["lon"].to_numpy(), table["lat"].to_numpy()
    real = Course("real", "c1", seconds, lon, lat, 0.0)
    metre = np.array([1 / (111_320 * np.cos(np.radians(lat.mean()))), 1 / 110_900])
    noisy = np.column_stack([lon, lat]) + rng.normal(0, 2.0, (len(lon), 2)) * metre
    copy = Course("copy", "c1", seconds * 1.05 + DAY_S, noisy[:, 0], noisy[:, 1], DAY_S)
    half = Course("half", "c1", seconds[::2] + 2 * DAY_S, lon[::2], lat[::2], 2 * DAY_S)
    assert asked(copy, real) == asked(half, real) == ["replay"]
    assert asked(real, copy, half) == []


def test_two_players_of_one_route_at_one_speed_are_alike_and_told_by_the_missing_wander() -> None:
    rng = np.random.default_rng(13)
    route = played(rng, path(rng), white_m=0.0)
    first, second = laid_over(rng, route, 1.0), laid_over(rng, route, 1.0)
    found = likeness(second.course("b", later_s=DAY_S), first.course("a"), 15.0)
    assert found is not None
    assert found.slow == pytest.approx(1, abs=0.25)
    assert found.inherited == pytest.approx(0.5, abs=0.2)
