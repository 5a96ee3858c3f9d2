"""Laws of matching and coverage, on walks beside drawn rivers.

                          * head of the brook              the river sways as far as each law draws, up to necks,
                           `.  brook                       a kilometre a bend; half width 10 m, sight 100 m beyond it
          .====.         .====.         .====> 3000
        .´      `.     .+´     `.     .´
    0 =´          `===´  joint   `===´                     a walk keeps to one bank, 15 m to 60 m from the line

Tolerances: a place is the mean of the fixes of one step, so the end of a covered stretch may lie a step off when the
steps begin elsewhere; that is ``END_M``, granted for every end of either answer.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rivergis import crs, rules
from rivergis.patrol.coverage import SEEN
from rivergis.patrol.score import Score, method_of, score, waters_of
from tests import tiny
from tests.conftest import ROOT

LAG_S = 600.0  # how long what comes after may still change the reading of what went before
INTERVAL_S = 5.0
METHOD = method_of(rules.load(ROOT / "gis" / "rules").at(("000000",), date(2026, 5, 20)).number)
END_M = METHOD.matching.step_m

Seen = dict[tuple[str, str | None], list[tuple[float, float]]]


def course(sway_deg: float) -> np.ndarray:
    """A sine-generated river of 3 km with a vertex every 25 m."""
    along = np.arange(0.0, 3000.0, 25.0)
    heading = np.radians(sway_deg) * np.cos(2 * np.pi * along / 1000)
    steps = 25.0 * np.column_stack([np.cos(heading), np.sin(heading)])
    return np.vstack([np.zeros(2), np.cumsum(steps, axis=0)])


def river(sway_deg: float, *, brook: bool = True) -> gpd.GeoDataFrame:
    """The drawn reaches in degrees: main 1 to the joint, main 2 from it, and the brook."""
    xy = course(sway_deg)
    joint = 50
    lines = {"main1": xy[: joint + 1], "main2": xy[joint:]}
    if brook:
        lines["brook"] = np.vstack([np.linspace(xy[joint] + (-500, 1400), xy[joint], 20)])
    return reaches(lines)


def reaches(lines: dict[str, np.ndarray]) -> gpd.GeoDataFrame:
    frame = tiny.degrees(tiny.reaches(*(tiny.line(*map(tuple, xy)) for xy in lines.values())))
    return frame.assign(reach_id=list(lines))


@st.composite
def walks(
    draw: st.DrawFn, *, minutes: float = 25.0, noise_m: float = 6.0, every_s: float = INTERVAL_S
) -> tuple[float, pd.DataFrame]:
    """Sway of the river, and fixes of a walk beside the main river."""
    sway = draw(st.floats(0, 105))
    start = draw(st.floats(0, 600))
    away = draw(st.floats(15, 60)) * draw(st.sampled_from([-1, 1]))
    speed = draw(st.floats(1.0, 1.6))
    seed = draw(st.integers(0, 2**16))
    beside = shapely.LineString(course(sway)).offset_curve(away)
    along = np.arange(start, min(start + minutes * 60 * speed, beside.length), speed * every_s)
    xy = shapely.get_coordinates(shapely.line_interpolate_point(beside, along))
    return sway, fixes(xy + drift(len(xy), noise_m, seed), every_s)


def drift(n: int, size_m: float, seed: int) -> np.ndarray:
    """GPS error: slow drift, and a little white."""
    rng, out = np.random.default_rng(seed), np.zeros((n, 2))
    for i in range(1, n):
        out[i] = 0.92 * out[i - 1] + rng.normal(0, 0.39 * size_m, 2)
    return out + rng.normal(0, 1.0, (n, 2))


def fixes(xy: np.ndarray, every_s: float = INTERVAL_S) -> pd.DataFrame:
    """A track as read: at, lon, lat, acc_m."""
    spots = tiny.degrees(tiny.metric([tiny.point(x, y) for x, y in xy]))
    at = pd.Timestamp("2026-05-20T01:00:00Z") + pd.to_timedelta(np.arange(len(xy)) * every_s, unit="s")
    return pd.DataFrame({"at": at, "lon": spots.geometry.x, "lat": spots.geometry.y, "acc_m": 6.0})


def first_m(track: pd.DataFrame, frame: gpd.GeoDataFrame) -> float:
    """Metres along the first reach at which a track begins."""
    spot = gpd.GeoSeries(gpd.points_from_xy(track["lon"][:1], track["lat"][:1]), crs=crs.STORAGE).to_crs(tiny.ZONE)
    return float(frame.to_crs(tiny.ZONE).geometry.iloc[0].project(spot.iloc[0]))


def elsewhere(points: np.ndarray, east_m: float, north_m: float) -> np.ndarray:
    """Degrees (n, 2) moved in the zone."""
    spots = gpd.GeoSeries(gpd.points_from_xy(*points.T), crs=crs.STORAGE).to_crs(tiny.ZONE)
    away = spots.translate(east_m, north_m).set_crs(tiny.ZONE, allow_override=True).to_crs(crs.STORAGE)
    return np.column_stack([away.x, away.y])


def continued(known: pd.DataFrame, track: pd.DataFrame, then: str) -> pd.DataFrame:
    """What a track does next, for ten minutes at the same interval."""
    at = known["at"].iloc[-1] + pd.to_timedelta(INTERVAL_S * np.arange(1, 121), unit="s")
    lon, lat = (known[name].to_numpy() for name in ("lon", "lat"))
    if then == "back":
        lon, lat = (np.resize(v[::-1][1:], 120) for v in (lon, lat))
    elif then == "stop":
        lon, lat = (np.full(120, v[-1]) for v in (lon, lat))
    elif then == "away":
        lon, lat = np.full(120, lon[-1]), lat[-1] + np.arange(1, 121) * 6e-5
    else:
        rest = np.minimum(len(known) + 4 * np.arange(120), len(track) - 1)
        lon, lat = (track[name].to_numpy()[rest] for name in ("lon", "lat"))
    return pd.DataFrame({"at": at, "lon": lon, "lat": lat, "acc_m": 6.0})


def missing_m(a: Seen, b: Seen) -> float:
    """Metres of ``a`` that are not in ``b``, less a step for every end of either."""
    lost, ends = 0.0, 0
    for key, cuts in a.items():
        lost += length(cuts) - length(overlap(cuts, b.get(key, [])))
        ends += 2 * len(cuts) + 2 * len(b.get(key, []))
    return max(lost - END_M * ends, 0.0)


def same(a: Seen, b: Seen) -> bool:
    return missing_m(a, b) == 0 and missing_m(b, a) == 0


def length(cuts: Iterable[tuple[float, float]]) -> float:
    return sum(b - a for a, b in cuts)


def overlap(a: list[tuple[float, float]], b: list[tuple[float, float]]) -> list[tuple[float, float]]:
    both = [(max(p, r), min(q, s)) for p, q in a for r, s in b]
    return [(p, q) for p, q in both if q > p]


def duty_of(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Both banks of every reach, whole."""
    rows = [(r, bank, 0.0, m) for r, m in enumerate(frame["length_m"]) for bank in ("left", "right")]
    return pd.DataFrame(rows, columns=["reach", "bank", "from_m", "to_m"])


@st.composite
def duties(draw: st.DrawFn, frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """One stretch, drawn, of some banks of some reaches."""
    rows = []
    for r, m in enumerate(frame["length_m"]):
        for bank in draw(st.sets(st.sampled_from(["left", "right"]))):
            a, b = sorted((draw(st.floats(0, m)), draw(st.floats(0, m))))
            rows += [(r, bank, a, b)] if b - a > 1 else []
    return pd.DataFrame(rows, columns=["reach", "bank", "from_m", "to_m"])


def legs(frame: gpd.GeoDataFrame, track: pd.DataFrame, duty: pd.DataFrame) -> Score:
    return score(track, waters_of(frame, METHOD), duty, METHOD, declared="wgs84")


def told(frame: gpd.GeoDataFrame, track: pd.DataFrame) -> Seen:
    """What is seen, by reach and bank, every metre once; nothing is assigned."""
    out: Seen = {}
    done = legs(frame, track, duty_of(frame)[:0]).legs
    for row in done[done["why"] == SEEN].sort_values("from_m").itertuples():
        cuts = out.setdefault((frame["reach_id"].iloc[row.reach], row.bank), [])
        if cuts and row.from_m <= cuts[-1][1]:
            cuts[-1] = (cuts[-1][0], max(cuts[-1][1], row.to_m))
        else:
            cuts.append((row.from_m, row.to_m))
    return out


@settings(max_examples=10)
@given(walks())
def test_the_same_fixes_twice_or_in_another_order_are_the_same_track(walk: tuple[float, pd.DataFrame]) -> None:
    sway, track = walk
    water = river(sway)
    again = pd.concat([track, track.sample(frac=0.3, random_state=1)])
    assert told(water, again.sample(frac=1.0, random_state=2)) == told(water, track)


@settings(max_examples=10)
@given(walks())
def test_walked_backwards_the_same_metres_of_the_same_bank_are_seen(walk: tuple[float, pd.DataFrame]) -> None:
    sway, track = walk
    back = track[::-1].assign(at=track["at"].to_numpy())
    assert same(told(river(sway), track), told(river(sway), back))


@settings(max_examples=10)
@given(walks(), st.integers(2, 4))
def test_fixes_put_between_on_the_straight_change_nothing(walk: tuple[float, pd.DataFrame], times: int) -> None:
    sway, track = walk
    seconds = np.arange(len(track)) * INTERVAL_S
    finer = np.arange(0, seconds[-1] + 1e-9, INTERVAL_S / times)
    denser = pd.DataFrame({name: np.interp(finer, seconds, track[name]) for name in ("lon", "lat", "acc_m")})
    denser["at"] = track["at"].iloc[0] + pd.to_timedelta(finer, unit="s")
    assert same(told(river(sway), track), told(river(sway), denser))


@settings(max_examples=10)
@given(walks())
def test_the_direction_of_digitising_names_the_bank_and_no_more(walk: tuple[float, pd.DataFrame]) -> None:
    sway, track = walk
    water = river(sway)
    turned = water.set_geometry(shapely.reverse(water.geometry.values))
    whole = water.set_index("reach_id")["length_m"]
    other = {"left": "right", "right": "left", None: None}
    back = {
        (reach, other[bank]): sorted((whole[reach] - b, whole[reach] - a) for a, b in cuts)
        for (reach, bank), cuts in told(turned, track).items()
    }
    assert same(told(water, track), back)


@settings(max_examples=10)
@given(walks(), st.floats(50, 2500))
def test_a_reach_that_begins_elsewhere_has_other_measures_and_no_other_metres(
    walk: tuple[float, pd.DataFrame], by_m: float
) -> None:
    sway, track = walk
    xy = course(sway)
    step = xy[1] - xy[0]
    longer = np.vstack([xy[0] - step / np.hypot(*step) * by_m, xy])
    short, prolonged = reaches({"main": xy}), reaches({"main": longer})
    grown = prolonged["length_m"].iloc[0] - short["length_m"].iloc[0]
    assume(first_m(track, short) > 60.0)
    moved = {key: [(a - grown, b - grown) for a, b in cuts] for key, cuts in told(prolonged, track).items()}
    assert same(told(short, track), moved)


@settings(max_examples=10)
@given(walks(), st.integers(5, 115))
def test_a_reach_cut_in_two_is_seen_as_far_as_it_was(walk: tuple[float, pd.DataFrame], at: int) -> None:
    sway, track = walk
    xy = course(sway)
    whole, parts = reaches({"main": xy}), reaches({"upper": xy[: at + 1], "lower": xy[at:]})
    shift = {"upper": 0.0, "lower": parts["length_m"].iloc[0]}
    joined: Seen = {}
    for (reach, bank), cuts in told(parts, track).items():
        joined.setdefault(("main", bank), []).extend((a + shift[reach], b + shift[reach]) for a, b in cuts)
    assert same(told(whole, track), joined)


@settings(max_examples=10)
@given(walks(), st.floats(-30_000, 60_000), st.floats(-400_000, 400_000))
def test_elsewhere_in_the_zone_the_answer_is_the_same(
    walk: tuple[float, pd.DataFrame], east_m: float, north_m: float
) -> None:
    sway, track = walk
    water = river(sway)
    there = water.set_geometry(shapely.transform(water.geometry.values, lambda xy: elsewhere(xy, east_m, north_m)))
    there["length_m"] = crs.length_m(there.geometry.values)
    lon, lat = elsewhere(track[["lon", "lat"]].to_numpy(), east_m, north_m).T
    assert same(told(water, track), told(there, track.assign(lon=lon, lat=lat)))


@settings(max_examples=10)
@given(walks(minutes=30), st.floats(0.5, 0.9), st.sampled_from(["back", "away", "stop", "faster"]))
def test_what_comes_after_takes_nothing_from_what_was_seen_before(
    walk: tuple[float, pd.DataFrame], share: float, then: str
) -> None:
    sway, track = walk
    known = track[: int(share * len(track))]
    before = told(river(sway), known[: len(known) - int(LAG_S / INTERVAL_S)])
    after = told(river(sway), pd.concat([known, continued(known, track, then)], ignore_index=True))
    assert missing_m(before, after) == 0


@settings(max_examples=10)
@given(st.data(), st.sampled_from([20.0, 40.0]), st.sampled_from(["stands", "drives"]))
def test_a_phone_that_later_records_more_often_takes_nothing_from_before(
    data: st.DataObject, every_s: float, then: str
) -> None:
    """The screen is on at the end: a fix a second where there was one in twenty or forty, and holes of two before."""
    sway, track = data.draw(walks(minutes=40, every_s=every_s))
    known = track[np.arange(len(track)) % 5 != 3].reset_index(drop=True)
    last, n = known.iloc[-1], 1800
    lat = last["lat"] + (np.arange(1, n + 1) * 5e-5 if then == "drives" else np.zeros(n))
    at = last["at"] + pd.to_timedelta(np.arange(1, n + 1), unit="s")
    more = pd.DataFrame({"at": at, "lon": last["lon"], "lat": lat, "acc_m": 6.0})
    before = told(river(sway), known[known["at"] <= last["at"] - pd.Timedelta(seconds=LAG_S)])
    assert missing_m(before, told(river(sway), pd.concat([known, more], ignore_index=True))) == 0


@settings(max_examples=20)
@given(st.data(), st.sampled_from([2.0, 5.0, 20.0, 40.0]), st.floats(0.2, 0.6), st.floats(1.02, 6))
def test_nothing_is_seen_in_a_silence(data: st.DataObject, every_s: float, share: float, times: float) -> None:
    sway, track = data.draw(walks(minutes=40, every_s=every_s))
    silence_s = times * max(60.0, 4 * every_s)
    a = int(share * len(track))
    b = a + int(np.ceil(silence_s / every_s))
    assume(b < len(track) - 5)
    water = river(sway, brook=False)
    heard = told(water, pd.concat([track[: a + 1], track[b:]]))
    dark = told(water, track[a : b + 1])
    both = sum(length(overlap(cuts, heard.get(key, []))) for key, cuts in dark.items())
    assert both <= 2 * END_M + 1.6 * every_s


@settings(max_examples=10)
@given(walks(), st.data())
def test_seen_and_unseen_are_the_assigned(walk: tuple[float, pd.DataFrame], data: st.DataObject) -> None:
    sway, track = walk
    water = river(sway)
    duty = data.draw(duties(water))
    done = legs(water, track, duty)
    parts = done.legs
    for row in duty.itertuples():
        mine = parts[(parts["reach"] == row.reach) & ((parts["bank"] == row.bank) | parts["bank"].isna())]
        cuts = [(max(p.from_m, row.from_m), min(p.to_m, row.to_m)) for p in mine.itertuples()]
        cuts = sorted((a, b) for a, b in cuts if b > a)
        assert abs(length(cuts) - (row.to_m - row.from_m)) < 0.5
        assert all(b <= c + 0.1 for (_, b), (c, _) in itertools.pairwise(cuts))
