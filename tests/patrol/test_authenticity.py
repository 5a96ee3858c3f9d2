"""What a track shows by itself: players and map lines are asked about, people on foot, in boats and cars are not.

waypoints  o------------o-----------o     played: straight stretches, one speed, noise without wander
carried    ~~.~~-~~.~'~~.~-~~'~~.~~-.     carried: never a set speed for long, noise that wanders
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.intake.track import read_track
from rivergis.patrol.authenticity import Archive, Signal, against, alone, course_of
from rivergis.patrol.authenticity_kernels import cut
from rivergis.patrol.authenticity_motion import jumps_between_rests, minutes_of_way
from rivergis.patrol.authenticity_player import noise_of, pieces
from rivergis.patrol.fixes import JUMP, NO_TIME, REPEAT, USED, Clock, Fixes
from tests.patrol.outings import LIMITS, Track, laid_over, path, phone, played, walked
from tests.patrol.test_real_tracks import TRACKS

SEEDS = st.integers(0, 2**20)
NEVER_SHOWN = ("作弊", "造假", "违法", "虚假", "spoof", "replay", "cheat", "fake")


def questions(track: Track, lines: tuple[np.ndarray, ...] = (), acc_m: np.ndarray | None = None) -> list[Signal]:
    return alone(track.fixes(acc_m=acc_m), track.xy_m, lines, LIMITS)


def spoofed(track: Track, lines: tuple[np.ndarray, ...] = ()) -> list[str]:
    return [signal.code for signal in questions(track, lines) if signal.family == "spoof"]


def test_positions_played_at_a_set_speed_are_asked_about() -> None:
    """A figure of power, not a law: now and then a played track looks like a carried phone."""
    caught = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        interval_s, white_m = float(rng.choice([1.0, 2.0, 4.0])), float(rng.uniform(1, 3))
        caught.append(spoofed(played(rng, path(rng), interval_s=interval_s, white_m=white_m)) == ["even_motion"])
    assert np.mean(caught) >= 0.9


def test_most_players_that_change_their_speed_are_asked_about() -> None:
    rngs = [np.random.default_rng(seed) for seed in range(25)]
    caught = [bool(spoofed(played(rng, path(rng, 3600), varied=True))) for rng in rngs]
    assert np.mean(caught) >= 0.8


def test_phones_that_were_carried_are_not_asked_about() -> None:
    asked = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        track = phone(
            rng,
            walked(rng, path(rng), speed_ms=float(rng.choice([1.3, 4.0, 12.0]))),
            interval_s=float(rng.choice([1, 3, 5, 10, 30])),
            white_m=float(rng.uniform(0.3, 4)),
            drift_m=float(rng.uniform(2, 12)),
            tau_s=float(rng.uniform(20, 150)),
            even=bool(rng.random() < 0.5),
        )
        asked += spoofed(track)
    assert len(asked) <= 1


@settings(max_examples=10)
@given(seed=SEEDS, speed_ms=st.floats(2, 15))
def test_a_boat_on_cruise_control_is_not_asked_about(seed: int, speed_ms: float) -> None:
    rng = np.random.default_rng(seed)
    way = path(rng, 6000)
    even = (np.arange(len(way)) * 2 / speed_ms, way)
    assert spoofed(phone(rng, even, interval_s=2, white_m=1, drift_m=4)) == []


@pytest.mark.parametrize("interval_s", [15.0, 30.0, 60.0])
def test_sparse_and_short_tracks_cannot_tell_and_nothing_is_said(interval_s: float) -> None:
    rng = np.random.default_rng(2)
    assert spoofed(played(rng, path(rng, 9000), interval_s=interval_s)) == []
    dense = played(rng, path(rng))
    assert spoofed(Track(dense.t_s[:30], dense.xy_m[:30])) == []


@settings(max_examples=10)
@given(seed=SEEDS)
def test_on_the_map_line_to_the_metre_is_asked_about_a_boat_in_midstream_is_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    line = path(rng)[::10]
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(line, axis=0).T))]
    gone = np.arange(0, along[-1], 6.0)
    on_it = Track(gone / 2.0, np.column_stack([np.interp(gone, along, line[:, k]) for k in (0, 1)]))
    assert "map_line" in spoofed(on_it, (line,))
    assert "map_line" not in spoofed(on_it, (line + np.array([0.0, 40.0]),))
    boat = phone(rng, walked(rng, path(np.random.default_rng(seed)), speed_ms=3), interval_s=3)
    assert spoofed(boat, (line,)) == []


def test_a_track_without_times_is_held_against_the_map_line_only() -> None:
    line = path(np.random.default_rng(4))[::10]
    n = len(line)
    blank = np.full(n, np.nan)
    fixes = Fixes(np.arange(n), blank, blank, blank, blank, blank, np.full(n, 0, np.int8))
    assert [signal.code for signal in alone(fixes, line, [line], LIMITS)] == ["map_line"]


def places(stops: list[tuple[float, float]], *, each_s: float, interval_s: float, noise_m: float) -> Track:
    rng = np.random.default_rng(7)
    n = int(each_s / interval_s)
    xy = np.repeat(np.array(stops, float), n, axis=0)
    return Track(np.arange(len(xy), dtype=np.float64) * interval_s, xy + rng.normal(0, noise_m, xy.shape))


def test_standing_here_and_a_moment_later_there_is_asked_about() -> None:
    far = [(0.0, 0.0), (300.0, 0.0), (600.0, 100.0), (900.0, 0.0), (1200.0, 0.0)]
    assert "rest_jumps" in spoofed(places(far, each_s=120, interval_s=5, noise_m=1))
    flips = [(0.0, 0.0), (150.0, 0.0)] * 4  # a phone indoors between two places of its network
    assert spoofed(places(flips, each_s=120, interval_s=5, noise_m=1)) == []
    by_car = places(far, each_s=300, interval_s=60, noise_m=1)
    assert spoofed(by_car) == []


@settings(max_examples=20)
@given(seed=SEEDS, interval_s=st.sampled_from([1.0, 2.0, 5.0]), speed_ms=st.floats(0.5, 20))
def test_whoever_moves_never_jumps_from_rest_to_rest(seed: int, interval_s: float, speed_ms: float) -> None:
    rng = np.random.default_rng(seed)
    track = phone(rng, walked(rng, path(rng, 4000), speed_ms), interval_s=interval_s, white_m=3)
    assert jumps_between_rests(track.t_s, track.xy_m, LIMITS.rest_jump_m, LIMITS.rest_jump_ms2) == []


def test_left_running_driven_fast_and_a_wrong_clock_are_questions_of_their_own() -> None:
    rng = np.random.default_rng(9)
    desk = phone(rng, (np.array([0.0, 5400.0]), np.zeros((2, 2))), interval_s=10)
    assert [signal.family for signal in questions(desk)] == ["idle"]
    drive = phone(rng, walked(rng, path(rng, 8000), speed_ms=14), interval_s=2)
    assert [signal.family for signal in questions(drive)] == ["drive", "fast"]
    walk = phone(rng, walked(rng, path(rng)), interval_s=5)
    assert questions(walk) == []
    late = walk.fixes()
    late = Fixes(**{**late.__dict__, "clock": Clock(900.0, "received")})
    (clock,) = alone(late, walk.xy_m, [], LIMITS)
    assert (clock.family, clock.value) == ("clock", 900)


@settings(max_examples=15)
@given(seed=SEEDS, turn=st.floats(0, 6.28), east_m=st.floats(-1e4, 1e4), later_s=st.floats(0, 1e6))
def test_turning_moving_and_postponing_a_track_changes_no_figure(
    seed: int, turn: float, east_m: float, later_s: float
) -> None:
    rng = np.random.default_rng(seed)
    track = phone(rng, walked(rng, path(rng, 1200)))
    back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    one = pieces(track.t_s, track.xy_m)
    two = pieces(track.t_s + later_s, track.xy_m @ back + [east_m, 0.0])
    assert one is not None and two is not None
    assert two.noise_m == pytest.approx(one.noise_m, rel=1e-6)
    assert two.wander == pytest.approx(one.wander, rel=0.05)
    way, moved = (minutes_of_way(track.t_s, xy) for xy in (track.xy_m, track.xy_m @ back))
    assert moved.metres == pytest.approx(way.metres)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("white_m", [0.5, 2.0, 6.0])
def test_the_noise_and_its_whiteness_are_found_back(seed: int, white_m: float) -> None:
    rng = np.random.default_rng(seed)
    way = np.column_stack([np.arange(0, 1500.0), np.zeros(1500)])
    still = laid_over(rng, Track(np.arange(1500.0), way), white_m)
    found = pieces(still.t_s, still.xy_m)
    assert found is not None
    assert noise_of(still.t_s, still.xy_m) == pytest.approx(white_m, rel=0.1)
    assert found.wander == pytest.approx(1, abs=0.6)
    wandering = phone(rng, (np.arange(1500.0), way), interval_s=1, white_m=white_m, drift_m=4 * white_m, tau_s=30)
    other = pieces(wandering.t_s, wandering.xy_m)
    assert other is not None and other.wander > 1.4


@settings(max_examples=15)
@given(corners=st.lists(st.integers(12, 60), min_size=1, max_size=6), seed=SEEDS)
def test_the_cut_finds_the_corners_of_a_line_without_noise(corners: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    speeds = [np.array([1.0, 0.0]) if k % 2 else np.array([0.0, 1.0 + rng.random()]) for k in range(len(corners))]
    xy = np.cumsum(np.vstack([np.tile(v, (n, 1)) for n, v in zip(corners, speeds, strict=True)]), axis=0)
    t = np.arange(len(xy), dtype=np.float64)
    starts = cut(t, xy[:, 0].copy(), xy[:, 1].copy(), 0.01, 20.0, 300)
    expected = np.r_[0, np.cumsum(corners)[:-1]]
    assert len(starts) == len(expected)
    assert np.abs(starts - expected).max() <= 1


def test_words_are_questions_with_their_figures_and_name_nobody() -> None:
    rng = np.random.default_rng(1)
    track = played(rng, path(rng))
    signals = questions(track, acc_m=np.full(len(track.t_s), 5.0)) + questions(
        places([(300.0 * k, 0.0) for k in range(6)], each_s=120, interval_s=5, noise_m=1)
    )
    assert len(signals) >= 2
    for signal in signals:
        assert not [word for word in NEVER_SHOWN if word in signal.zh + signal.en]
        assert signal.zh.endswith(("请说明情况", "请说明", "是否忘记结束"))
        assert signal.evidence
    even = next(signal for signal in signals if signal.code == "even_motion")
    assert sum(even.evidence["log_odds"].values()) == pytest.approx(even.value, abs=0.05)
    assert "定位精度值始终不变" in even.zh


@settings(max_examples=40)
@given(
    seed=SEEDS,
    n=st.integers(0, 90),
    metres=st.sampled_from([0.0, 3.0, 900.0]),
    share_timed=st.sampled_from([0.0, 0.7, 1.0]),
)
def test_heaps_of_fixes_without_order_or_time_break_nothing(
    seed: int, n: int, metres: float, share_timed: float
) -> None:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, n + 1, n)).astype(np.float64)
    t[int(share_timed * n) :] = np.nan
    xy = rng.normal(0, metres, (n, 2)) * (rng.random((n, 1)) < 0.5)
    mark = np.where(np.isnan(t) & (share_timed > 0), NO_TIME, rng.choice([USED, USED, REPEAT, JUMP], n)).astype(np.int8)
    lon, lat = Track(t, xy).lonlat().T
    blank = np.full(n, np.nan)
    fixes = Fixes(np.arange(n), t, lon, lat, blank, blank, mark)
    found = alone(fixes, xy, [np.array([[0.0, 0.0], [500.0, 0.0]])], LIMITS)
    one, two = (course_of(fixes, name, "c1", received_s=5.0) for name in "ab")
    assert all(np.isfinite(signal.value) for signal in found + against(two, Archive([one, two]), LIMITS))
    assert against(one, [two], LIMITS) == []


@pytest.mark.parametrize("name", TRACKS)
def test_real_tracks_raise_no_question_of_how_they_were_made(test_data: Path, name: str) -> None:
    table = read_track(test_data / "gps_tracks" / name).fixes
    for _, part in table.groupby("segment"):
        when = part["at"].astype("int64").to_numpy() / 1e9 if part["at"].notna().all() else np.full(len(part), np.nan)
        order = np.argsort(when, kind="stable")
        t = when[order]
        lon, lat = part["lon"].to_numpy()[order], part["lat"].to_numpy()[order]
        xy = np.column_stack([(lon - lon[0]) * 111_320 * np.cos(np.radians(lat[0])), (lat - lat[0]) * 110_900])
        blank = np.full(len(t), np.nan)
        repeat = np.r_[0, np.diff(t) <= 0].astype(np.int8)
        fixes = Fixes(np.arange(len(t)), t, lon, lat, blank, blank, repeat)
        assert [s.code for s in alone(fixes, xy, [], LIMITS) if s.family == "spoof"] == []
