"""Track files: devices write odd things; nothing of it may become a wrong word."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis.errors import InputError
from rivergis.intake.track import read_track

GPX = """<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="29.40" lon="106.00"><time>2026-05-20T01:00:00Z</time></trkpt><trkpt lat="29.41" lon="106.01"><time>2026-05-20T01:00:10Z</time></trkpt>
</trkseg><trkseg><trkpt lat="29.42" lon="106.02"/></trkseg></trk></gpx>"""


def put(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_gpx_with_segments_and_missing_times(tmp_path: Path) -> None:
    got = read_track(put(tmp_path / "a.gpx", GPX))
    assert (got.format, len(got.fixes), list(got.fixes["segment"])) == ("gpx", 3, [0, 0, 1])
    assert str(got.fixes["at"].dt.tz) == "UTC"
    assert [d["code"] for d in got.diagnostics] == ["fix_time"]


def test_csv_with_chinese_columns_in_gbk(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(
        "时间,经度,纬度,精度\n2026-05-20T09:00:00+08:00,106.0,29.4,5\n2026-05-20T09:00:10+08:00,106.1,29.5,6\n".encode(
            "gbk"
        )
    )
    got = read_track(tmp_path / "a.csv")
    assert got.fixes["at"].iloc[0] == pd.Timestamp("2026-05-20T01:00:00Z")
    assert list(got.fixes["acc_m"]) == [5.0, 6.0]


def test_geojson_with_coord_times(tmp_path: Path) -> None:
    body = {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[106, 29.4], [106.1, 29.5]]},
        "properties": {"coordTimes": ["2026-05-20T01:00:00Z", "2026-05-20T01:00:10Z"], "acc_m": [4, 5]},
    }
    got = read_track(put(tmp_path / "a.geojson", json.dumps(body)))
    assert got.fixes["at"].notna().all() and list(got.fixes["acc_m"]) == [4, 5]


def test_a_declared_datum_is_brought_to_wgs84(tmp_path: Path) -> None:
    path = put(tmp_path / "a.gpx", GPX)
    plain, gcj = read_track(path).fixes, read_track(path, "gcj02").fixes
    metres = np.hypot((plain["lon"] - gcj["lon"]) * 97000, (plain["lat"] - gcj["lat"]) * 110900)
    assert metres.between(400, 600).all()


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.gpx", "<gpx><trk>", "is not a whole GPX file"),
        ("a.gpx", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><gpx/>', "declares XML entities"),
        ("a.gpx", GPX.replace("trkpt", "x"), "holds 0 usable fixes"),
        ("a.csv", "a,b\n1,2\n", "has no columns of longitude and latitude; it has a, b"),
        ("a.csv", "lon,lat\n999,999\n106,29\n", "holds 1 usable fixes"),
        ("a.geojson", "{", "is not a whole GeoJSON file"),
        (
            "a.geojson",
            '{"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": {}}',
            "holds no line",
        ),
        ("a.txt", "x", "is not a track file that can be read"),
        ("a.gpx", "", "is empty"),
    ],
)
def test_refusals_are_one_sentence(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        read_track(put(tmp_path / name, text))
    assert "\n" not in caught.value.sentence


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["gpx", "csv", "geojson"]), st.integers(0, len(GPX)), st.binary(max_size=12))
def test_damage_is_refused_or_read_never_a_traceback(tmp_path: Path, kind: str, at: int, noise: bytes) -> None:
    sound = {
        "gpx": GPX,
        "csv": "lon,lat,time\n106,29,2026-01-01\n106,29.1,x\n",
        "geojson": '{"type":"Feature","geometry":{"type":"LineString","coordinates":[[106,29],[107,30]]},"properties":{}}',
    }[kind]
    path = tmp_path / f"x.{kind}"
    raw = sound.encode()
    path.write_bytes(raw[:at] + noise + raw[at + len(noise) :])
    try:
        read = read_track(path)
    except InputError as error:
        assert error.sentence
    else:
        assert len(read.fixes) >= 2 and np.isfinite(read.fixes[["lon", "lat"]].to_numpy()).all()


@pytest.mark.realdata
def test_real_device_tracks(test_data: Path) -> None:
    tried = 0
    for path in sorted((test_data / "gps_tracks").iterdir()):
        if path.suffix.lower() not in {".gpx", ".csv"}:
            continue
        tried += 1
        try:
            assert len(read_track(path).fixes) >= 2
        except InputError as error:
            assert "\n" not in error.sentence
    assert tried > 5
