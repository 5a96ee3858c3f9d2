"""Real files of phones and loggers, each beside reaches made of its own course and a decoy parallel to it: no wrong word.

No truth is known; what is known is what cannot be: more metres than the reach has, faster than the track, seen without times,
seen in a silence, or along a river 2 km away.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from rivergis import crs, rules
from rivergis.errors import InputError
from rivergis.intake.track import read_track
from rivergis.patrol.coverage import NO_TIME, SEEN
from rivergis.patrol.score import Score, method_of, score, waters_of
from tests.conftest import ROOT

METHOD = method_of(rules.load(ROOT / "gis" / "rules").at(("000000",), date(2026, 5, 20)).number)
DECOY_M = 2000.0
NO_DUTY = pd.DataFrame(columns=["reach", "bank", "from_m", "to_m"])
NO_TIMES = ("mapbar_gpx.gpx", "tpo-sample1.gpx", "wbt-201.gpx")
NOT_TRACKS = ("SOURCES.md", "umsonstdraussen.gpx")
TRACKS = (
    "earth-expertgps-track.kml", "energympro.gpx", "fit-sample.fit", "fit-sample.gpx", "garmin-edge-800-output.gpx",
    "garmin-forerunner-10-output.gpx", "garmin_xt_strk.gpx", "google_ext.kml", "iblue747_csv.gpx", "igo8_padded_gpx.gpx",
    "mapbar_gpx.gpx", "mtk_logger_gp245.gpx", "mtk_logger_m241.csv", "mtk_logger_m241.gpx", "nmeadate.nmea",
    "skytraq-miniHomer2_8.gpx", "tpo-sample1.gpx", "wahoo-element-bolt.gpx", "wbt-201.gpx",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(test_data: Path) -> Path:
    return test_data / "gps_tracks"


def reaches(table: pd.DataFrame) -> gpd.GeoDataFrame:
    """The course of every segment simplified to about 10 m, and the same 2 km to the north."""
    own = []
    for _, part in table.groupby("segment"):
        spots = np.column_stack([part["lon"], part["lat"]])
        if len(part) > 1 and np.ptp(spots, axis=0).max() > 1e-4:
            own.append(shapely.LineString(spots).simplify(1e-4))
    if not own:  # a logger that lay on a desk
        own.append(shapely.LineString([spots[0] - 0.003, spots[0] + 0.003]))
    north = np.array([0.0, DECOY_M / 111_000])
    lines = [*own, *(shapely.transform(g, lambda xy: xy + north) for g in own)]
    return gpd.GeoDataFrame(
        {"own": [True] * len(own) + [False] * len(own), "kind": "river", "half_width_m": 5.0, "length_m": crs.length_m(lines)},
        geometry=lines, crs=crs.STORAGE,
    )  # fmt: skip


@cache
def followed(folder: Path, name: str) -> tuple[pd.DataFrame, gpd.GeoDataFrame, Score]:
    """The fixes of a file, the reaches made of them, and the score with its own courses as the duty."""
    table = read_track(folder / name).fixes
    water = reaches(table)
    own = water[water["own"]]
    rows = [(r, bank, 0.0, m) for r, m in own["length_m"].items() for bank in ("left", "right")]
    duty = pd.DataFrame(rows, columns=["reach", "bank", "from_m", "to_m"])
    return table, water, score(table, waters_of(water, METHOD), duty, METHOD, declared="wgs84")


@pytest.mark.parametrize("name", TRACKS)
def test_a_real_track_is_told_without_what_cannot_be(folder: Path, name: str) -> None:
    table, water, done = followed(folder, name)
    figures, legs = done.figures, done.legs
    own_m = water.loc[water["own"], "length_m"].sum()
    assert figures["metres"] <= own_m + 0.5
    assert figures["metres"] <= figures["passage_metres"] + 0.5
    assert figures["bank_metres"] + sum(figures["unseen"].values()) == pytest.approx(
        figures["assigned_bank_metres"], abs=1.0
    )
    assert (legs["from_m"] >= 0).all()
    assert (legs["to_m"] <= water["length_m"].to_numpy()[legs["reach"].astype(int)] + 0.01).all()
    seen = legs[legs["why"] == SEEN]
    assert water["own"].to_numpy()[seen["reach"].astype(int)].all()
    assert figures["minutes"] is None or figures["minutes"] <= most_minutes(table, own_m)


@pytest.mark.parametrize("name", sorted(set(TRACKS) - set(NO_TIMES) - {"nmeadate.nmea"}))
def test_a_track_with_times_has_seen_its_own_course(folder: Path, name: str) -> None:
    table, water, done = followed(folder, name)
    at_s = np.sort(seconds(table))
    silent_s = pd.Series(np.diff(at_s))
    # the usual interval is that of the thirty fixes to either side: a logger may change its pace within one file
    usual_s = silent_s.where(silent_s > 0).rolling(61, center=True, min_periods=1).median()
    too_long = (silent_s > 60) & (silent_s > 1.01 * METHOD.watch.max_gap_intervals * usual_s)
    seen = done.legs[done.legs["why"] == SEEN]
    for row in seen.itertuples():
        inside = (at_s[:-1] >= row.started_s - 1) & (at_s[1:] <= row.ended_s + 1)
        assert not (too_long & inside).any()
    assert done.figures["metres"] >= 0.75 * water.loc[water["own"], "length_m"].sum()
    assert (seen["speed_ms"] <= fastest_ms(table)).all()
    assert done.start_s == pytest.approx(seconds(table).min())


@pytest.mark.parametrize("name", NO_TIMES)
def test_a_track_without_times_says_so_and_claims_nothing(folder: Path, name: str) -> None:
    _, _, done = followed(folder, name)
    assert not done.figures["timed"]
    assert set(done.seen.why) == {NO_TIME}
    assert done.figures["metres"] == done.figures["bank_metres"] == 0.0
    assert done.figures["minutes"] is None
    assert done.figures["by_mode"] == {}
    assert done.figures["stops"] == []
    assert done.start_s is None


@pytest.mark.parametrize("name", TRACKS)
def test_an_undeclared_track_that_follows_its_river_stays_where_it_is(folder: Path, name: str) -> None:
    table, water, done = followed(folder, name)
    undeclared = score(table, waters_of(water, METHOD), NO_DUTY, METHOD, declared=None)
    assert undeclared.datum == "wgs84"
    assert undeclared.figures["metres"] == pytest.approx(done.figures["metres"], rel=0.02, abs=5)


def test_a_walk_in_guangzhou_in_the_datum_of_map_makers_is_named(folder: Path) -> None:
    table = read_track(folder / "mapbar_gpx.gpx").fixes
    lon, lat = crs.to_wgs84(table["lon"], table["lat"], "gcj02")
    water = reaches(table.assign(lon=lon, lat=lat))
    assert score(table, waters_of(water, METHOD), NO_DUTY, METHOD, declared=None).datum == "gcj02"


def test_ten_fixes_a_second_written_with_whole_seconds_are_one_each(folder: Path) -> None:
    table, _, done = followed(folder, "skytraq-miniHomer2_8.gpx")
    assert done.figures["fixes_used"] == table["at"].nunique()
    assert done.figures["marks"] == {"repeat": len(table) - table["at"].nunique()}


@pytest.mark.parametrize("name", NOT_TRACKS)
def test_what_is_no_track_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(InputError):
        read_track(folder / name)


def seconds(table: pd.DataFrame) -> pd.Series:
    return (table["at"] - pd.Timestamp("1970-01-01", tz="UTC")).dt.total_seconds()


def most_minutes(table: pd.DataFrame, way_m: float) -> float:
    """What a track may count at most: its times but the silences, and those as a slow walk with a stop of five minutes."""
    steps = table["at"].sort_values().diff().dt.total_seconds().dropna()
    silent = steps > max(60.0, 4 * steps[steps > 0].median())
    return float(steps[~silent].sum() + 300.0 * silent.sum() + way_m / 0.5) / 60


def fastest_ms(table: pd.DataFrame) -> float:
    """Fastest minute of the track, straight from fix to fix, and a tenth."""
    table = table.drop_duplicates("at").sort_values("at")
    spots = gpd.GeoSeries(gpd.points_from_xy(table["lon"], table["lat"]), crs=crs.STORAGE)
    step = crs.to_metric(spots)
    way = step.distance(step.shift()).fillna(0.0).set_axis(table["at"]).rolling("60s").sum()
    return 1.1 * float(way.max()) / 60 + 1.0
