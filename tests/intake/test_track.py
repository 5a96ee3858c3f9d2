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


def test_a_week_counter_that_rolled_over_is_said_and_not_repaired(tmp_path: Path) -> None:
    got = read_track(put(tmp_path / "a.gpx", GPX.replace("2026-05-20", "1999-05-20")))
    assert got.fixes["at"].iloc[0] == pd.Timestamp("1999-05-20T01:00:00Z")
    [wrong, _] = got.diagnostics
    assert wrong["code"] == "time_wrong_year" and "2019-01-03 01:00:00" in wrong["sentence"]


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
        ("a.gpx", GPX.replace("trkpt", "x"), "holds no track, route or place"),
        ("a.csv", "a,b\n1,2\n", "has no columns of longitude and latitude; it has a, b"),
        ("a.csv", "lon,lat\n999,999\n106,29\n", "holds 1 usable fixes"),
        ("a.geojson", "{", "is not a whole GeoJSON file"),
        (
            "a.geojson",
            '{"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": {}}',
            "holds no line",
        ),
        ("a.shp", "x", "is not a track file that can be read"),
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


def csv(folder: Path, *lines: str) -> pd.DataFrame:
    return read_track(put(folder / "a.csv", "\n".join(lines) + "\n")).fixes


def codes(path: Path) -> list[str]:
    return [d["code"] for d in read_track(path).diagnostics]


def test_a_time_of_day_alone_is_never_completed_to_a_day(tmp_path: Path) -> None:
    fixes = csv(tmp_path, "time,lon,lat", "12:52:47,106,29.4", "12:52:57,106,29.5")
    assert fixes["at"].isna().all()
    assert codes(tmp_path / "a.csv") == ["fix_time"]


def test_a_logger_with_date_time_hemispheres_and_units(tmp_path: Path) -> None:
    fixes = csv(
        tmp_path,
        "INDEX,DATE,TIME,LATITUDE,N/S,LONGITUDE,E/W,SPEED,",
        "1,2008/05/04,12:52:47.000,41.8,S,12.6,W,36 km/h,",
        "2,2008/05/04,12:52:52.000,41.8,N,12.6,E,36 km/h,",
    )
    assert [tuple(p) for p in fixes[["lon", "lat"]].to_numpy()] == [(-12.6, -41.8), (12.6, 41.8)]
    assert list(fixes["speed_ms"]) == [10.0, 10.0]
    assert fixes["at"].iloc[0] == pd.Timestamp("2008-05-04T04:52:47Z"), "no zone: civil time in China"
    assert codes(tmp_path / "a.csv") == ["time_zone_assumed"]


@pytest.mark.parametrize(
    ("header", "cell", "ms"),
    [("speed", "10", 10.0), ("speed_kmh", "36", 10.0), ("速度(km/h)", "36", 10.0), ("speed", "x", None)],
)
def test_speeds_by_their_unit(tmp_path: Path, header: str, cell: str, ms: float | None) -> None:
    got = csv(tmp_path, f"lon,lat,{header}", f"106,29.4,{cell}", f"106,29.5,{cell}")["speed_ms"].iloc[0]
    assert (None if np.isnan(got) else got) == ms


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_any_of_the_usual_separators(tmp_path: Path, mark: str) -> None:
    lines = [
        mark.join(row)
        for row in (("timestamp", "lng", "lat"), ("1779238800", "106", "29.4"), ("1779238810000", "106", "29.5"))
    ]
    assert list(csv(tmp_path, *lines)["at"]) == [
        pd.Timestamp("2026-05-20T01:00:00Z"),
        pd.Timestamp("2026-05-20T01:00:10Z"),
    ]


def test_rows_of_another_length_are_said(tmp_path: Path) -> None:
    csv(tmp_path, "lon,lat", "106,29.4", "106,29.5,7,8", "106,29.6")
    [lines, times] = read_track(tmp_path / "a.csv").diagnostics
    assert (lines["code"], lines["count"], times["code"]) == ("row_length", 1, "fix_time")


def test_parts_of_a_multiline_keep_their_times_and_segments(tmp_path: Path) -> None:
    times = ["2026-05-20T01:00:00Z", "2026-05-20T01:00:10Z", "2026-05-20T01:00:20Z", "2026-05-20T01:00:30Z"]
    lines = [[[106, 29], [106, 29.1]], [[106, 29.2], [106, 29.3]]]
    for said in (times, [times[:2], times[2:]]):
        body = {
            "type": "Feature",
            "geometry": {"type": "MultiLineString", "coordinates": lines},
            "properties": {"coordTimes": said},
        }
        fixes = read_track(put(tmp_path / "a.geojson", json.dumps(body))).fixes
        assert list(fixes["at"]) == [pd.Timestamp(t) for t in times] and list(fixes["segment"]) == [0, 0, 1, 1]


def test_a_gpx_that_calls_itself_gbk_and_one_without_zone(tmp_path: Path) -> None:
    text = GPX.replace('version="1.0"?', 'version="1.0" encoding="GBK"?').replace("<trk>", "<trk><name>永川河</name>")
    (tmp_path / "a.gpx").write_bytes(text.encode("gbk"))
    assert len(read_track(tmp_path / "a.gpx").fixes) == 3
    naive = read_track(put(tmp_path / "b.gpx", GPX.replace("00Z", "00").replace("10Z", "10")))
    assert naive.fixes["at"].iloc[0] == pd.Timestamp("2026-05-20T01:00:00Z"), "GPX times are UTC"
    assert "time_zone_assumed" in [d["code"] for d in naive.diagnostics]


def test_entities_cannot_hide_behind_a_long_comment(tmp_path: Path) -> None:
    text = f'<?xml version="1.0"?><!-- {"x" * 2_000_000} --><!DOCTYPE x [<!ENTITY a "b">]>' + GPX.split("?>")[1]
    with pytest.raises(InputError, match="does not begin as a GPX"):
        read_track(put(tmp_path / "a.gpx", text))


def test_a_file_too_large_for_a_patrol(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="larger than"):
        read_track(put(tmp_path / "a.gpx", GPX), max_bytes=100)


@pytest.mark.realdata
def test_one_real_walk_written_twice_is_the_same_walk(test_data: Path) -> None:
    """A logger's own table and the GPX made of it: the same places; the table names no zone, the GPX is UTC."""
    table, gpx = (test_data / "gps_tracks" / f"mtk_logger_m241.{e}" for e in ("csv", "gpx"))
    if not (table.exists() and gpx.exists()):
        pytest.skip("the logger's files are not there")
    a, b = read_track(table).fixes, read_track(gpx).fixes
    assert len(a) == len(b) and np.abs(a[["lon", "lat"]].to_numpy() - b[["lon", "lat"]].to_numpy()).max() < 1e-6
    assert set(b["at"] - a["at"]) == {pd.Timedelta("8h")}
