"""The patrol tracks of the demo county can be read and are what the truth says they are."""

from __future__ import annotations

import csv
import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer

COUNTY = Path(__file__).resolve().parents[2] / "data" / "demo_county"
TO_METRIC = Transformer.from_crs(4490, 4544, always_xy=True)
POINT = re.compile(r'lat="([\d.]+)" lon="([\d.]+)"><time>([^<]+)<')


@cache
def index() -> list[dict]:
    return json.loads((COUNTY / "tracks" / "index.json").read_text(encoding="utf-8"))


@cache
def truth() -> dict[str, dict]:
    rows = json.loads((COUNTY / "truth.json").read_text(encoding="utf-8"))["tracks"]
    return {r["track_id"]: r for r in rows}


@cache
def axis(code: str) -> shapely.LineString:
    rivers = pyogrio.read_dataframe(COUNTY / "county.gpkg", layer="river").to_crs(4544)
    return rivers.set_index("code").geometry[code]


def read(track_id: str) -> tuple[np.ndarray, np.ndarray]:
    """Metric positions (as if WGS 84) and seconds."""
    row = next(r for r in index() if r["track_id"] == track_id)
    path = COUNTY / "tracks" / row["file"]
    text = path.read_text(encoding="utf-8")
    if row["format"] == "gpx":
        fixes = [(float(lon), float(lat), t) for lat, lon, t in POINT.findall(text)]
    elif row["format"] == "csv":
        fixes = [(float(r["lon"]), float(r["lat"]), r["time"]) for r in csv.DictReader(text.splitlines())]
    else:
        feature = json.loads(text)["features"][0]
        places, times = feature["geometry"]["coordinates"], feature["properties"]["coordTimes"]
        fixes = [(x, y, t) for (x, y), t in zip(places, times, strict=True)]
    east, north = TO_METRIC.transform([f[0] for f in fixes], [f[1] for f in fixes])
    seconds = np.array([datetime.fromisoformat(f[2]).timestamp() for f in fixes])
    return np.column_stack([east, north]), seconds


def side(line: shapely.LineString, xy: np.ndarray) -> float:
    """Signed distance, left positive."""
    d = line.project(shapely.Point(xy))
    a, b = (np.array(line.interpolate(d + k).coords[0]) for k in (-3, 3))
    away = xy - (a + b) / 2
    return float(np.sign((b - a)[0] * away[1] - (b - a)[1] * away[0]) * line.distance(shapely.Point(xy)))


def test_the_month_has_its_variety() -> None:
    assert 38 <= len(index()) <= 45 and {r["format"] for r in index()} == {"gpx", "csv", "geojson"}
    assert {r["track_id"] for r in index()} == set(truth())
    kinds = {r["kind"] for r in truth().values()}
    assert kinds == {"honest", "afar", "replay", "drive", "teleport", "synthetic"}
    declared = {(truth()[r["track_id"]]["datum"], r["datum_declared"]) for r in index()}
    assert {("gcj02", "gcj02"), ("gcj02", None), ("wgs84", "wgs84")} <= declared
    assert sum(r["day"] == "2026-05-20" for r in truth().values()) >= 3
    assert any(r["gaps"] for r in truth().values()) and any(r["clock_ahead_s"] for r in truth().values())


@pytest.mark.parametrize("track_id", [t for t, r in truth().items() if r["kind"] == "honest" and r["datum"] == "wgs84"])
def test_honest_tracks_walk_their_stretches_on_their_bank(track_id: str) -> None:
    xy, seconds = read(track_id)
    assert (np.diff(seconds) >= 0).all()
    for walked in truth()[track_id]["walked"]:
        line = axis(walked["river_code"])
        at = np.array([line.project(shapely.Point(p)) for p in xy])
        here = (at > walked["from_m"] + 15) & (at < walked["to_m"] - 15)
        offsets = np.array([side(line, p) for p in xy[here]])
        sign = 1 if walked["bank"] == "left" else -1
        share = np.mean(sign * offsets > 0)
        both = len({w["bank"] for w in truth()[track_id]["walked"]}) == 2
        assert share > (0.3 if both else 0.95), walked


def test_gcj_tracks_lie_half_a_kilometre_off_and_the_others_do_not() -> None:
    for track_id, row in truth().items():
        if row["kind"] != "honest":
            continue
        xy, _ = read(track_id)
        rivers = shapely.union_all([axis(w["river_code"]) for w in row["walked"]])
        median = np.median(shapely.distance(shapely.points(xy), rivers))
        assert (median > 150) == (row["datum"] == "gcj02"), track_id


def test_faked_tracks_are_faked_and_gaps_are_gaps() -> None:
    for track_id, row in truth().items():
        xy, seconds = read(track_id)
        step = np.linalg.norm(np.diff(xy, axis=0), axis=1)
        speed = step / np.maximum(np.diff(seconds), 1)
        if row["kind"] == "drive":
            assert np.median(speed) * 3.6 > 45
        if row["kind"] == "teleport":
            assert (step > 300).sum() >= 4
        if row["kind"] == "synthetic":
            assert np.ptp(np.diff(seconds)) == 0 and np.std(speed[:-1]) < 0.25
        if row["kind"] == "replay":
            assert np.median(np.linalg.norm(xy - read(row["copy_of"])[0], axis=1)) < 6
        for low, high in row["gaps"]:
            line = axis(row["walked"][0]["river_code"])
            at = np.array([line.project(shapely.Point(p)) for p in xy])
            assert not ((at > low + 30) & (at < high - 30) & (shapely.distance(shapely.points(xy), line) < 130)).any()


def test_the_story_patrol_sees_one_bank_in_parts() -> None:
    story = json.loads((COUNTY / "truth.json").read_text(encoding="utf-8"))["story_patrol"]
    xy, _ = read(story["track_id"])
    line = axis("YXH")
    at = np.array([line.project(shapely.Point(p)) for p in xy])
    offset = np.array([side(line, p) for p in xy])
    assert (offset > 0).mean() > 0.98
    for part in story["seen"]:
        inside = (at > part["from_m"] + 45) & (at < part["to_m"] - 45)
        assert inside.sum() > 15 and (offset[inside] < 125).all()
    reasons = {p["why"]: p for p in story["not_seen"]}
    far = (at > reasons["too_far"]["from_m"] + 60) & (at < reasons["too_far"]["to_m"] - 60)
    assert far.sum() > 10 and (offset[far] > 150).all()
    gap = (at > reasons["gap"]["from_m"] + 20) & (at < reasons["gap"]["to_m"] - 20)
    assert not gap.any()
    assert reasons["other_bank_not_walked"]["bank"] == "right"
