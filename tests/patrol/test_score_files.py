"""Folders and single files scored: formats in and out, what is set aside, and sentences for mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner

from rivergis import crs
from rivergis.cli import rivergis
from rivergis.errors import InputError
from rivergis.patrol import files, reach_files
from tests.patrol.walks import VIEW, river, walk

RULE = {"min_minutes": 10, "min_km": 1.0, "min_coverage": 0.5, "max_speed_kmh": 30}
# ==========main=========>  and a pond nobody visits
LINES = {"main": [(0, 0), (2000, 0)], "pond": [(0, 3000), (500, 3000)]}


def csv(path: Path, track: pd.DataFrame) -> None:
    at = track["at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    out = pd.DataFrame(
        {"time": at, "lon": track["lon"].round(7), "lat": track["lat"].round(7), "acc_m": track["acc_m"]}
    )
    out.to_csv(path, index=False)


Make = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Make:
    """A folder with two walks and a list; ``entries`` are added to it."""

    def make(*entries: dict[str, Any], **changes: Any) -> Path:
        frame = river(LINES).to_crs("EPSG:4326")
        frame.drop(columns=["length_m"]).to_file(tmp_path / "reaches.geojson", driver="GeoJSON")
        (tmp_path / "tracks").mkdir(exist_ok=True)
        csv(tmp_path / "tracks/long.csv", walk([(0, 40), (1900, 40)]))
        csv(tmp_path / "tracks/short.csv", walk([(300, 40), (800, 40)], seed=3))
        told = [
            {"track_id": n, "file": f"tracks/{n}.csv", "chief_id": "c1", "uploaded_at": "2026-05-20T03:00:00Z",
             "assigned": ["main"], "rule": RULE, "datum_declared": "wgs84"} | changes
            for n in ("long", "short")
        ]  # fmt: skip
        (tmp_path / "tracks.json").write_text(json.dumps([*told, *entries]), encoding="utf-8")
        return tmp_path

    return make


def test_a_folder_gives_one_object_a_track(folder: Make) -> None:
    done = files.score_dir(folder(), VIEW)
    long, short = done.tracks
    assert (long.track_id, long.effective, short.effective) == ("long", True, False)
    assert {c["bank"] for c in long.covered} == {"left"}
    assert sum(c["to_m"] - c["from_m"] for c in long.covered) == pytest.approx(1900, abs=60)
    assert long.datum == "wgs84" and long.start_utc == "2026-05-20T01:00:00.000Z"
    assert {u["reason"] for u in short.uncovered} == {"not_along", "other_bank", "too_far", "never_approached"}
    assert {t["key"] for t in long.tests} >= {"patrol.effective.min_duration", "patrol.effective.min_distance"}
    assert long.flags == [] and long.review == []


def test_figures_near_a_threshold_are_named(folder: Make) -> None:
    near = {"min_minutes": 22, "min_km": 1.0, "min_coverage": 0.5, "max_speed_kmh": 30}
    long, _ = files.score_dir(folder(rule=near), VIEW).tracks
    assert long.near == ["patrol.effective.min_duration"]


def test_without_a_rule_nothing_is_effective(folder: Make) -> None:
    assert [t.effective for t in files.score_dir(folder(rule=None), VIEW).tracks] == [None, None]


def test_a_track_that_cannot_be_read_is_set_aside(folder: Make) -> None:
    path = folder({"track_id": "bad", "file": "tracks/bad.csv"}, {"track_id": "gone", "file": "tracks/gone.csv"})
    (path / "tracks/bad.csv").write_text("time,lon,lat\nnever,here,there\n", encoding="utf-8")
    result = CliRunner().invoke(
        rivergis, ["patrol", "score", str(path), "--out", str(path / "r.json")], standalone_mode=False
    )
    assert result.return_value == 4
    assert [t["track_id"] for t in json.loads((path / "r.json").read_text(encoding="utf-8"))] == ["long", "short"]
    assert "bad.csv" in result.stderr and "gone.csv" in result.stderr


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"assigned": ["nowhere"]}, "nowhere"),
        ({"datum_declared": "beijing54"}, "beijing54"),
        ({"uploaded_at": "yesterday"}, "yesterday"),
        ({"assigned": "R1"}, "R1"),
        ({"rule": 5}, "5"),
        ({"rule": {"max_speed_kmh": "slow"}}, "slow"),
        ({"rule": {"min_minute": 30}}, "min_minute"),
    ],
)
def test_senseless_entries_are_told_by_name(folder: Make, changes: dict[str, Any], word: str) -> None:
    done = files.score_dir(folder(**changes), VIEW)
    assert not done.tracks and all(word in a["reason"] for a in done.aside)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "JSON"),
        ('{"a": 1}', "list"),
        ('[{"track_id": "x"}]', "file"),
        ('[{"track_id": "x", "file": "../x.csv"}]', "outside"),
        ('[{"track_id": "x", "file": "a.csv"}, {"track_id": "x", "file": "b.csv"}]', "twice"),
    ],
)
def test_a_senseless_list_stops_with_one_sentence(folder: Make, text: str, word: str) -> None:
    path = folder()
    (path / "tracks.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=word):
        files.score_dir(path, VIEW)


def test_reaches_must_be_lines_of_their_own_names(tmp_path: Path) -> None:
    points = gpd.GeoDataFrame({"reach_id": ["a"]}, geometry=gpd.points_from_xy([106.5], [29.5]), crs=crs.STORAGE)
    points.to_file(tmp_path / "points.gpkg")
    with pytest.raises(InputError, match="does not hold lines"):
        reach_files.read_river(tmp_path / "points.gpkg", VIEW)
    river(LINES).iloc[:0].to_file(tmp_path / "none.gpkg")
    with pytest.raises(InputError, match="holds no reach"):
        reach_files.read_river(tmp_path / "none.gpkg", VIEW)
    river(LINES).assign(reach_id="same").to_file(tmp_path / "double.gpkg")
    with pytest.raises(InputError, match="stands twice"):
        reach_files.read_river(tmp_path / "double.gpkg", VIEW)


@pytest.mark.parametrize("ending", [".json", ".geojson", ".gpkg", ".csv"])
def test_one_track_without_rule_or_assignment(folder: Make, tmp_path: Path, ending: str) -> None:
    path = folder()
    out = tmp_path / f"leg{ending}"
    args = [
        "patrol",
        "score",
        str(path / "tracks/long.csv"),
        "--reaches",
        str(path / "reaches.geojson"),
        "--out",
        str(out),
        "--json",
    ]
    result = CliRunner().invoke(rivergis, args, standalone_mode=False)
    told = json.loads(result.stdout)
    assert result.exception is None and told["effective"] is None
    assert sum(c["to_m"] - c["from_m"] for c in told["covered"]) == pytest.approx(1900, abs=60)
    if ending in (".geojson", ".gpkg"):
        lines = gpd.read_file(out)
        assert lines.to_crs(crs.STORAGE).geometry.pipe(crs.length_m).sum() == pytest.approx(1900, abs=60)
        assert set(lines["bank"]) == {"left"}


def test_scoring_twice_gives_the_same_bytes(folder: Make) -> None:
    path = folder()
    for name in ("a.json", "b.json"):
        CliRunner().invoke(rivergis, ["patrol", "score", str(path), "--out", str(path / name)], standalone_mode=False)
    assert (path / "a.json").read_bytes() == (path / "b.json").read_bytes()
