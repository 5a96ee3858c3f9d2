"""Every format of track: what a device wrote is read, what is damaged is said, what is hostile is refused."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis.errors import InputError
from rivergis.intake.delivery import Asked, Delivered
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.intake.track import read_track
from rivergis.intake.track_formats import from_table, is_track, read_tracks

START = pd.Timestamp("2026-05-20T01:00:00Z")
LON, LAT = 106.0, 29.4
N = 6


def at(i: int) -> pd.Timestamp:
    return START + pd.Timedelta(seconds=10 * i)


def iso(i: int) -> str:
    return at(i).strftime("%Y-%m-%dT%H:%M:%SZ")


def place(i: int) -> tuple[float, float]:
    return round(LON + 0.0005 * i, 6), round(LAT + 0.0003 * i, 6)


# ---- one walk in every format ---------------------------------------------------------------------------------------


def gpx(n: int = N) -> bytes:
    points = "".join(
        f'<trkpt lat="{place(i)[1]}" lon="{place(i)[0]}"><ele>{200 + i}</ele><time>{iso(i)}</time></trkpt>'
        for i in range(n)
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>'.encode()


def kml(n: int = N) -> bytes:
    whens = "".join(f"<when>{iso(i)}</when>" for i in range(n))
    coords = "".join(f"<gx:coord>{place(i)[0]} {place(i)[1]} {200 + i}</gx:coord>" for i in range(n))
    return f'<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Placemark><gx:Track>{whens}{coords}</gx:Track></Placemark></kml>'.encode()


def kml_points(n: int = N) -> bytes:
    marks = "".join(
        f"<Placemark><TimeStamp><when>{iso(i)}</when></TimeStamp><Point><coordinates>{place(i)[0]},{place(i)[1]},0</coordinates></Point></Placemark>"
        for i in range(n)
    )
    return f'<kml xmlns="http://www.opengis.net/kml/2.2"><Folder>{marks}</Folder></kml>'.encode()


def tcx(n: int = N) -> bytes:
    points = "".join(
        f"<Trackpoint><Time>{iso(i)}</Time><Position><LatitudeDegrees>{place(i)[1]}</LatitudeDegrees><LongitudeDegrees>{place(i)[0]}</LongitudeDegrees></Position></Trackpoint>"
        for i in range(n)
    )
    return f'<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Activities><Activity><Lap><Track>{points}</Track></Lap></Activity></Activities></TrainingCenterDatabase>'.encode()


def nmea_line(body: str) -> str:
    total = 0
    for c in body:
        total ^= ord(c)
    return f"${body}*{total:02X}\r\n"


def degrees_minutes(value: float, width: int) -> str:
    whole = int(value)
    return f"{whole:0{width}d}{(value - whole) * 60:08.5f}"


def rmc(i: int, t: pd.Timestamp | None = None) -> str:
    t = at(i) if t is None else t
    lon, lat = place(i)
    return nmea_line(
        f"GPRMC,{t:%H%M%S}.00,A,{degrees_minutes(lat, 2)},N,{degrees_minutes(lon, 3)},E,1.0,0.0,{t:%d%m%y},,"
    )


def gga(i: int, t: pd.Timestamp | None = None) -> str:
    t = at(i) if t is None else t
    lon, lat = place(i)
    return nmea_line(
        f"GPGGA,{t:%H%M%S}.00,{degrees_minutes(lat, 2)},N,{degrees_minutes(lon, 3)},E,1,08,1.0,{200 + i}.0,M,0.0,M,,"
    )


def nmea(n: int = N) -> bytes:
    return "".join(rmc(i) + gga(i) for i in range(n)).encode()


def b_record(i: int, t: pd.Timestamp) -> str:
    lon, lat = place(i)
    minutes = [int(v) for v in (lat, lon)], [round((v - int(v)) * 60_000) for v in (lat, lon)]
    (lat_d, lon_d), (lat_m, lon_m) = minutes
    return f"B{t:%H%M%S}{lat_d:02d}{lat_m:05d}N{lon_d:03d}{lon_m:05d}EA0020000{200 + i:03d}\r\n"


def igc(n: int = N) -> bytes:
    return f"AXXXABC\r\nHFDTE{START:%d%m%y}\r\n{''.join(b_record(i, at(i)) for i in range(n))}".encode()


def fit_crc(data: bytes) -> int:
    table = (
        0x0,
        0xCC01,
        0xD801,
        0x1400,
        0xF001,
        0x3C00,
        0x2800,
        0xE401,
        0xA001,
        0x6C00,
        0x7800,
        0xB401,
        0x5000,
        0x9C01,
        0x8801,
        0x4400,
    )
    crc = 0
    for byte in data:
        for nibble in (byte & 0xF, byte >> 4):
            crc = ((crc >> 4) & 0x0FFF) ^ table[crc & 0xF] ^ table[nibble]
    return crc


def fit(n: int = N) -> bytes:
    """Local message 0 is a record: time (s since 1989-12-31), latitude and longitude in semicircles, altitude, speed."""
    fields = ((253, 4, 0x86), (0, 4, 0x85), (1, 4, 0x85), (2, 2, 0x84), (6, 2, 0x84))
    body = bytes((0x40, 0, 0, 20, 0, len(fields))) + b"".join(bytes(f) for f in fields)
    epoch = pd.Timestamp("1989-12-31T00:00:00Z")
    for i in range(n):
        lon, lat = (round(v * 2**31 / 180) for v in place(i))
        body += b"\0" + struct.pack("<IiiHH", int((at(i) - epoch).total_seconds()), lat, lon, (700 + i) * 5, 1500)
    header = struct.pack("<BBHI4s", 14, 0x10, 2132, len(body), b".FIT")
    header += struct.pack("<H", fit_crc(header))
    return header + body + struct.pack("<H", fit_crc(header + body))


def geojson(n: int = N) -> bytes:
    body = {
        "type": "Feature",
        "properties": {"coordTimes": [iso(i) for i in range(n)]},
        "geometry": {"type": "LineString", "coordinates": [place(i) for i in range(n)]},
    }
    return json.dumps(body).encode()


def geojson_points(n: int = N) -> bytes:
    features = [
        {"type": "Feature", "properties": {"time": iso(i)}, "geometry": {"type": "Point", "coordinates": place(i)}}
        for i in range(n)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def app_json(n: int = N) -> bytes:
    return json.dumps(
        {
            "code": 0,
            "points": [
                {"lng": place(i)[0], "lat": place(i)[1], "locatetime": int(at(i).timestamp() * 1000)} for i in range(n)
            ],
        }
    ).encode()


def csv(n: int = N) -> bytes:
    rows = [f"{i},{at(i).tz_convert('Asia/Shanghai'):%Y-%m-%d %H:%M:%S},{place(i)[0]},{place(i)[1]}" for i in range(n)]
    return "\n".join(["序号,定位时间,经度,纬度", *rows, ""]).encode("gbk")


WRITERS: dict[str, Callable[[int], bytes]] = {
    "a.gpx": gpx, "a.kml": kml, "points.kml": kml_points, "a.tcx": tcx, "a.nmea": nmea, "a.igc": igc, "a.fit": fit, "a.geojson": geojson,
    "points.geojson": geojson_points, "a.json": app_json, "a.csv": csv, "a.txt": csv,
}  # fmt: skip


def put(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, limits: Limits = DEFAULT) -> list[Delivered]:
    return read_tracks(path, Asked(), limits).layers


def one(path: Path) -> Delivered:
    [layer] = read(path)
    return layer


def codes(layer: Delivered, severity: str | None = None) -> list[str]:
    return [d.code for d in layer.defects if severity in (None, d.severity)]


@pytest.mark.parametrize("name", WRITERS)
def test_one_walk_in_every_format_is_the_same_walk(tmp_path: Path, name: str) -> None:
    layer = one(put(tmp_path / name, WRITERS[name](N)))
    assert (layer.kind, layer.count, layer.facts["fixes"], layer.facts["segments"]) == ("track", N, N, 1)
    assert (layer.facts["first_at"], layer.facts["last_at"]) == (iso(0), iso(N - 1))
    assert layer.facts["time_verdict"] in ("ok", "zone_assumed") and not codes(layer, "warning")
    assert layer.facts["median_interval_s"] == 10 and layer.facts["duration_s"] == 10 * (N - 1)
    assert layer.shapes is not None and layer.frame is not None and len(layer.frame) == len(layer.shapes) == N
    written = np.array([place(i) for i in range(N)])
    assert np.abs(shapely.get_coordinates(layer.shapes) - written).max() < 1e-5
    assert layer.facts["length_m"] == pytest.approx(np.hypot(0.0005 * 97_100, 0.0003 * 110_850) * (N - 1), rel=0.01)


@pytest.mark.parametrize("name", [n for n in WRITERS if not n.startswith("points")])
def test_a_patrol_may_come_in_every_format(tmp_path: Path, name: str) -> None:
    got = read_track(put(tmp_path / name, WRITERS[name](N)))
    assert list(got.fixes["at"]) == [at(i) for i in range(N)]
    assert np.abs(got.fixes[["lon", "lat"]].to_numpy() - [place(i) for i in range(N)]).max() < 1e-5


def test_positions_stay_as_written_and_the_standard_is_named(tmp_path: Path) -> None:
    for name in ("a.gpx", "a.kml", "a.tcx", "a.nmea", "a.igc", "a.fit"):
        declared = one(put(tmp_path / name, WRITERS[name](N))).declared
        assert (declared.wkt, declared.where) == ("EPSG:4326", "format")
    assert one(put(tmp_path / "a.csv", csv())).declared.where == "names"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(WRITERS)), st.floats(0, 1), st.binary(max_size=20), st.booleans())
def test_damage_never_ends_in_anything_but_a_sentence(
    tmp_path: Path, name: str, where: float, noise: bytes, cut: bool
) -> None:
    sound = WRITERS[name](N)
    i = int(where * len(sound))
    path = put(tmp_path / name, sound[:i] + noise + (b"" if cut else sound[i + len(noise) :]))
    try:
        layers = read(path)
    except InputError as error:
        assert error.sentence and "\n" not in error.sentence
    else:
        for layer in layers:
            assert layer.shapes is None or layer.frame is None or len(layer.frame) == len(layer.shapes) == layer.count
    assert is_track(path) in (True, False)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["a.gpx", "a.kml", "a.tcx", "a.nmea", "a.fit"]), st.floats(0.55, 0.97))
def test_of_a_file_cut_off_the_fixes_before_are_read_and_the_loss_is_said(
    tmp_path: Path, name: str, where: float
) -> None:
    sound = WRITERS[name](40)
    layer = one(put(tmp_path / name, sound[: int(where * len(sound))]))
    assert 2 <= layer.count <= 40 and layer.frame is not None
    if (
        layer.count < 40 and name != "a.nmea"
    ):  # sentences know no end of the file: a cut between two of them cannot be seen
        assert "file_cut_off" in codes(layer, "warning")
    whole = layer.frame[layer.frame["at"].notna() & layer.frame["lon"].notna()]
    for number, fix in whole.iterrows():
        i = int(number) - 1
        assert fix["at"] == at(i) and abs(fix["lon"] - place(i)[0]) < 1e-5 and abs(fix["lat"] - place(i)[1]) < 1e-5


# ---- XML ------------------------------------------------------------------------------------------------------------


def test_gpx_of_any_version_and_namespace(tmp_path: Path) -> None:
    for said in ("http://www.topografix.com/GPX/1/0", "http://example.com/other", ""):
        text = gpx().replace(b"http://www.topografix.com/GPX/1/1", said.encode())
        assert one(put(tmp_path / "a.gpx", text)).count == N
    undeclared = gpx().replace(
        b"</ele>", b"</ele><extensions><gpxtpx:Ext><gpxtpx:speed>2.5</gpxtpx:speed></gpxtpx:Ext></extensions>"
    )
    layer = one(put(tmp_path / "b.gpx", undeclared))
    assert layer.frame is not None and list(layer.frame["speed_ms"]) == [2.5] * N


def test_comments_and_instructions_before_the_root_and_between_fixes(tmp_path: Path) -> None:
    text = gpx().replace(b"<gpx", b"<?style x?><!-- made by hand --><gpx").replace(b"<trkpt", b"<!-- fix --><trkpt")
    layer = one(put(tmp_path / "a.gpx", text))
    assert (layer.count, layer.facts["first_at"], layer.defects) == (N, iso(0), [])


@pytest.mark.parametrize(
    "damage", [b"<<<<&&& x", b"</trkp", b"\1<a b=c", b"</trkseg></gpx>", b"&x; <![CDATA[", b"<!-- "]
)
def test_damage_in_the_middle_costs_what_it_hit(tmp_path: Path, damage: bytes) -> None:
    sound = gpx(200)
    i = sound.index(b"</trkpt>", len(sound) // 2)
    layer = one(put(tmp_path / "a.gpx", sound[:i] + damage + sound[i + 60 :]))
    assert 197 <= layer.count <= 200 and "file_damaged" in codes(layer, "warning")


def test_padding_behind_the_end_is_no_alarm(tmp_path: Path) -> None:
    for rest in (b"\0" * 4096, b"\r\n\r\n   ", b"\xff" * 100, b"garbage"):
        layer = one(put(tmp_path / "a.gpx", gpx() + rest))
        assert layer.count == N and not codes(layer, "warning")


def test_gbk_under_a_utf8_heading_is_read_and_said(tmp_path: Path) -> None:
    named = gpx().replace(b"<trk>", "<trk><name>永川区小安溪河段巡查轨迹</name>".encode("gbk"))
    layer = one(put(tmp_path / "a.gpx", named))
    assert (layer.name, layer.encoding, layer.count) == ("永川区小安溪河段巡查轨迹", "gb18030", N)
    assert codes(layer) == ["encoding_mismatch"]


def test_waypoints_and_routes_are_layers_of_their_own(tmp_path: Path) -> None:
    more = b'<wpt lat="29.5" lon="106.1"><name>stake 7</name></wpt><wpt lat="x" lon="106.1"/>'
    more += b'<rte><name>plan</name><rtept lat="29.4" lon="106"/><rtept lat="29.5" lon="106.1"/></rte>'
    track, waypoints, routes = read(put(tmp_path / "a.gpx", gpx().replace(b"<trk>", more + b"<trk>")))
    assert (track.kind, waypoints.kind, routes.kind) == ("track", "vector", "vector")
    assert waypoints.shapes is not None and routes.shapes is not None and waypoints.frame is not None
    assert (waypoints.count, waypoints.shapes[1], waypoints.frame["name"].iloc[0]) == (2, None, "stake 7")
    assert routes.shapes[0].geom_type == "LineString" and track.name == "a"


def test_tracks_of_a_gpx_are_one_layer_with_their_names(tmp_path: Path) -> None:
    second = b'</trk><trk><name>back</name><trkseg><trkpt lat="29.41" lon="106.01"><time>2026-05-20T02:00:00Z</time></trkpt></trkseg></trk></gpx>'
    layer = one(put(tmp_path / "a.gpx", gpx().replace(b"</trk></gpx>", second)))
    assert layer.frame is not None
    assert (layer.count, layer.facts["segments"], list(layer.frame["track"].unique())) == (
        N + 1,
        2,
        ["track 1", "back"],
    )


def test_a_track_saved_twice_is_seen_and_two_devices_are_not_blamed(tmp_path: Path) -> None:
    inner = gpx().split(b"<trk>")[1].split(b"</trk>")[0]
    twice = one(put(tmp_path / "a.gpx", gpx().replace(b"</gpx>", b"<trk>" + inner + b"</trk></gpx>")))
    assert twice.facts["time_verdict"] == "mixed" and twice.facts["time_findings"] == ["time_repeated", "time_backward"]
    assert next(d for d in twice.defects if d.code == "time_repeated").count == N
    apart = inner.replace(b'lat="29.', b'lat="30.')
    two = one(put(tmp_path / "b.gpx", gpx().replace(b"</gpx>", b"<trk>" + apart + b"</trk></gpx>")))
    assert (two.count, two.facts["time_verdict"]) == (2 * N, "ok")


def test_a_kml_without_times_is_no_track(tmp_path: Path) -> None:
    still = kml_points().replace(b"TimeStamp", b"Other")
    assert not is_track(put(tmp_path / "a.kml", still))
    assert not is_track(put(tmp_path / "b.kml", kml_points(3))), "three photographed places are no walk"
    assert is_track(put(tmp_path / "c.kml", kml_points()))
    days = kml_points()
    for i in range(N):
        days = days.replace(iso(i).encode(), f"2026-05-2{i}".encode())
    assert not is_track(put(tmp_path / "d.kml", days)), "days of survey are no recording"


def test_a_kmz_is_its_kml(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.kmz", "w") as archive:
        archive.writestr("files/icon.kml", b"<kml/>")
        archive.writestr("doc.kml", kml())
    assert is_track(tmp_path / "a.kmz") and one(tmp_path / "a.kmz").count == N


def test_laps_and_tracks_of_a_tcx_are_segments(tmp_path: Path) -> None:
    two = tcx().replace(b"</Trackpoint><Trackpoint>", b"</Trackpoint></Track><Track><Trackpoint>", 1)
    layer = one(
        put(
            tmp_path / "a.tcx",
            two.replace(b"<Lap>", b"<Lap><Track><Trackpoint><Time>2026-05-20T00:59:00Z</Time></Trackpoint></Track>"),
        )
    )
    assert (layer.facts["segments"], layer.facts["records_without_position"]) == (2, 1)


@pytest.mark.parametrize("name", ["a.gpx", "a.kml", "a.tcx"])
def test_entities_are_refused(tmp_path: Path, name: str) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    text = WRITERS[name](N)
    body = text[text.index(b"?>") + 2 :] if b"?>" in text else text
    with pytest.raises(InputError, match="declares XML entities"):
        read(put(tmp_path / name, b"<!-- x -->" + bomb + body))


def test_depth_and_words_about_entities_do_no_harm(tmp_path: Path) -> None:
    talk = gpx().replace(b"<trk>", b"<trk><desc><![CDATA[<!DOCTYPE html><!ENTITY a 'b'>]]></desc>")
    assert one(put(tmp_path / "a.gpx", talk)).count == N
    deep = gpx().replace(b"<trk>", b"<x>" * 5000 + b"<trk>")
    try:
        assert read(put(tmp_path / "b.gpx", deep))
    except InputError as error:
        assert "GPX" in error.sentence


# ---- NMEA, IGC, FIT -------------------------------------------------------------------------------------------------


def test_wrong_check_sums_are_counted_and_left_out(tmp_path: Path) -> None:
    lines = nmea().decode().replace(",E,1.0,0.0", ",E,9.0,0.0", 2)
    layer = one(put(tmp_path / "a.nmea", lines))
    [wrong] = [d for d in layer.defects if d.code == "checksum_errors"]
    assert (wrong.count, wrong.features, layer.count) == (2, ("1", "3"), N)


def test_the_date_goes_on_at_midnight_without_being_told(tmp_path: Path) -> None:
    night = [pd.Timestamp("2026-05-20T23:59:50Z") + pd.Timedelta(seconds=10 * i) for i in range(4)]
    for name, text in (
        ("a.nmea", rmc(0, night[0]) + "".join(gga(i, night[i]) for i in range(1, 4))),
        ("a.igc", "AXXXABC\r\nHFDTEDATE:200526,01\r\n" + "".join(b_record(i, night[i]) for i in range(4))),
    ):
        layer = one(put(tmp_path / name, text))
        assert layer.frame is not None and list(layer.frame["at"]) == night and layer.facts["time_verdict"] == "ok"


def test_a_small_step_back_is_not_taken_for_midnight(tmp_path: Path) -> None:
    lines = [b_record(0, at(0)), b_record(1, at(2)), b_record(2, at(1)), b_record(3, at(3))]
    layer = one(put(tmp_path / "a.igc", f"AXXXABC\r\nHFDTE{START:%d%m%y}\r\n{''.join(lines)}"))
    assert layer.facts["time_verdict"] == "backward" and layer.facts["duration_s"] == 30


def test_times_without_a_date_are_missing_and_not_invented(tmp_path: Path) -> None:
    layer = one(put(tmp_path / "a.nmea", "".join(gga(i) for i in range(N))))
    assert (layer.count, layer.facts["time_verdict"], layer.facts["first_at"]) == (N, "missing", None)
    layer = one(put(tmp_path / "a.igc", igc().replace(b"HFDTE200526\r\n", b"HFDTE\r\n")))
    assert layer.facts["time_verdict"] == "missing"


def test_moments_without_a_fix_are_no_fixes(tmp_path: Path) -> None:
    void = nmea_line("GPRMC,005950.00,V,,,,,,,200526,,")
    layer = one(put(tmp_path / "a.nmea", "logger 1.0\r\n" + void + nmea().decode()))
    assert (layer.count, layer.facts["moments_without_fix"]) == (N, 1)


def test_a_receiver_whose_week_counter_rolled_over(tmp_path: Path) -> None:
    early = [at(i) - pd.Timedelta(weeks=1024) for i in range(N)]
    layer = one(put(tmp_path / "a.nmea", "".join(rmc(i, early[i]) for i in range(N))))
    [wrong] = layer.defects
    assert (layer.facts["time_verdict"], wrong.code) == ("wrong_year", "time_wrong_year")
    assert layer.facts["first_at"].startswith("2006-10-04"), "nothing is repaired"


def test_records_of_an_igc_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    damaged = igc().replace(b"EA00200", b"EA0x200", 1)
    layer = one(put(tmp_path / "a.igc", damaged))
    assert (layer.count, codes(layer, "warning")) == (N - 1, ["lines_left_out"])


def test_a_fit_file_with_a_wrong_check_sum_is_read_and_said(tmp_path: Path) -> None:
    layer = one(put(tmp_path / "a.fit", fit()[:-2] + b"\1\2"))
    assert (layer.count, codes(layer)) == (N, ["checksum_errors"])
    assert layer.frame is not None and list(layer.frame["speed_ms"]) == [1.5] * N


# ---- places ---------------------------------------------------------------------------------------------------------


def test_zero_zero_is_counted_and_has_no_place(tmp_path: Path) -> None:
    first = f'lat="{place(0)[1]}" lon="{place(0)[0]}"'.encode()
    layer = one(put(tmp_path / "a.gpx", gpx().replace(first, b'lat="0" lon="0.0"')))
    assert layer.shapes is not None and (layer.count, layer.shapes[0]) == (N, None)
    assert codes(layer, "warning") == ["fix_null_island"] and layer.facts["length_m"] < 300


@pytest.mark.parametrize("value", ["NaN", "inf", "-Infinity", "abc", "", "1e999"])
def test_positions_that_are_no_numbers_have_no_place(tmp_path: Path, value: str) -> None:
    layer = one(put(tmp_path / "a.gpx", gpx().replace(f'lon="{place(2)[0]}"'.encode(), f'lon="{value}"'.encode())))
    assert layer.shapes is not None and [s is None for s in layer.shapes] == [i == 2 for i in range(N)]
    [bad] = layer.defects
    assert (bad.code, bad.features) == ("fix_position", ("3",))


# ---- tables ---------------------------------------------------------------------------------------------------------


def table(tmp_path: Path, header: str, rows: list[str]) -> Delivered:
    return one(put(tmp_path / "t.csv", "\n".join([header, *rows, ""])))


def local(i: int) -> str:
    return f"{at(i).tz_convert('Asia/Shanghai'):%Y-%m-%d %H:%M:%S}"


def test_survey_tables_are_no_tracks(tmp_path: Path) -> None:
    spread = [(106 + (i * 37 % 11) / 20, 29 + (i * 17 % 13) / 20) for i in range(20)]
    days = table(
        tmp_path, "名称,测量日期,经度,纬度", [f"桩{i},2026-05-{i + 1:02d},{x},{y}" for i, (x, y) in enumerate(spread)]
    )
    stamped = table(
        tmp_path, "排污口编号,采集时间,经度,纬度", [f"P{i},{local(i)},{x},{y}" for i, (x, y) in enumerate(spread)]
    )
    places = table(tmp_path, "采集时间,经度,纬度", [f"{local(i)},{x},{y}" for i, (x, y) in enumerate(spread)])
    rtk = table(tmp_path, "点号,时间,X,Y", [f"{i},{local(i)},{3250000 + i},{590000 + i}" for i in range(20)])
    few = table(tmp_path, "时间,经度,纬度", [f"{local(i)},{place(i)[0]},{place(i)[1]}" for i in range(4)])
    assert [d.kind for d in (days, stamped, places, rtk, few)] == ["vector"] * 5


def test_a_survey_of_named_places_in_order_is_no_track(tmp_path: Path) -> None:
    rows = [f"界桩{i},{local(6 * i)},{place(i)[0]},{place(i)[1]}" for i in range(30)]
    assert table(tmp_path, "桩名称,采集时间,经度,纬度", rows).kind == "vector"


def test_a_table_of_several_people_is_a_segment_for_each(tmp_path: Path) -> None:
    rows = [
        f"{who},{local(i)},{place(i)[0] + shift},{place(i)[1]}"
        for i in range(10)
        for who, shift in (("王", 0), ("李", 0.01))
    ]
    layer = table(tmp_path, "姓名,定位时间,经度,纬度", rows)
    assert (layer.kind, layer.facts["segments"], layer.facts["time_verdict"]) == ("track", 2, "zone_assumed")
    assert not codes(layer, "warning") and layer.count == 20


def test_day_and_time_in_two_columns_and_letters_for_the_hemisphere(tmp_path: Path) -> None:
    rows = [f"{at(i):%Y/%m/%d},{at(i):%H:%M:%S},{place(i)[1]},S,{place(i)[0]},W,36 km/h" for i in range(N)]
    layer = table(tmp_path, "DATE,TIME,LATITUDE,N/S,LONGITUDE,E/W,SPEED", rows)
    assert layer.kind == "track" and layer.frame is not None and layer.shapes is not None
    assert (layer.shapes[0].x, layer.shapes[0].y) == (-LON, -LAT)
    assert list(layer.frame["speed_ms"]) == [10.0] * N and layer.frame["at"].iloc[0] == START - pd.Timedelta("8h")


def test_an_excel_log_of_a_phone_app(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["序号", "定位时间", "经度", "纬度", "速度(km/h)", "地址"])
    for i in range(N):
        clock = at(i).tz_convert("Asia/Shanghai").tz_localize(None).to_pydatetime()
        sheet.append([i + 1, clock, *place(i), 3.6, f"永川区{i}号"])
    book.save(tmp_path / "a.xlsx")
    layer = one(tmp_path / "a.xlsx")
    assert (layer.kind, layer.facts["first_at"], layer.facts["fixes"]) == ("track", iso(0), N)
    assert layer.frame is not None and layer.frame["speed_ms"].tolist() == pytest.approx([1.0] * N)
    assert len(read_track(tmp_path / "a.xlsx").fixes) == N


def test_what_has_no_points_is_no_track() -> None:
    frame = pd.DataFrame({"时间": [local(i) for i in range(9)]})
    assert from_table(Delivered("t", "table", 9, frame)) is None
    lines = np.array([shapely.LineString([(0, 0), (1, 1)])] * 9, dtype=object)
    assert from_table(Delivered("t", "vector", 9, frame, lines)) is None


# ---- hostile and too large ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.gpx", "a.kml", "a.tcx", "a.fit", "a.igc", "a.nmea", "a.geojson", "a.json"])
@pytest.mark.parametrize(
    "content",
    [b"\0" * 50, b"\x89PNG\r\n", bytes(range(256)) * 8, b"<", b"{" * 300, b"[" * 100_000, b"$GPRMC", "纯文本".encode()],
)
def test_garbage_is_refused_in_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read(put(tmp_path / name, content))
    assert caught.value.sentence and "\n" not in caught.value.sentence


def test_a_file_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="larger"):
        read(put(tmp_path / "a.gpx", gpx()), Limits(text_bytes=100))


# ---- real devices ---------------------------------------------------------------------------------------------------

REAL = {
    # file: fixes, segments, verdict, findings, length by hand (m)
    "energympro.gpx": (1112, 1, "ok", [], 6220),
    "fit-sample.gpx": (533, 1, "repeated", ["time_repeated"], 9962),
    "fit-sample.fit": (533, 1, "repeated", ["time_repeated"], 9962),
    "garmin-edge-800-output.gpx": (1286, 8, "ok", [], 25164),
    "garmin-forerunner-10-output.gpx": (514, 7, "ok", [], 10189),
    "garmin_xt_strk.gpx": (958, 2, "mixed", ["time_repeated", "time_backward"], 15192),
    "iblue747_csv.gpx": (747, 1, "ok", [], 68165),
    "igo8_padded_gpx.gpx": (364, 1, "ok", [], 6509),
    "mtk_logger_gp245.gpx": (395, 4, "ok", [], 2269),
    "mtk_logger_m241.gpx": (1199, 1, "repeated", ["time_repeated"], 10474),
    "mtk_logger_m241.csv": (1199, 1, "repeated", ["time_repeated", "time_zone_assumed"], 10474),
    "skytraq-miniHomer2_8.gpx": (8713, 1, "repeated", ["time_resolution"], 15191),
    "tpo-sample1.gpx": (1558, 31, "missing", ["time_missing"], 48681),
    "wahoo-element-bolt.gpx": (1101, 4, "ok", [], 4747),
    "wbt-201.gpx": (4023, 5, "missing", ["time_missing"], 25212),
    "mapbar_gpx.gpx": (66, 1, "missing", ["time_missing"], 953),
    "nmeadate.nmea": (6, 1, "wrong_year", ["time_wrong_year", "time_jump"], 1),
    "google_ext.kml": (451, 1, "ok", [], 7776),
    "earth-expertgps-track.kml": (64, 1, "ok", [], 7652),
}


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_tracks_of_real_devices(test_data: Path, name: str) -> None:
    fixes, segments, verdict, findings, length_m = REAL[name]
    path = test_data / "gps_tracks" / name
    if not path.exists():
        pytest.skip(f"{name} is not there")
    layer = read(path)[0]
    facts = layer.facts
    assert (layer.count, facts["fixes"], facts["segments"]) == (fixes, fixes, segments)
    assert (facts["time_verdict"], facts["time_findings"]) == (verdict, findings)
    assert facts["length_m"] == pytest.approx(length_m, abs=1)
    assert bool(codes(layer, "warning")) == (verdict in ("missing", "mixed", "wrong_year") or "m241" in name)


@pytest.mark.realdata
def test_a_device_written_twice_says_the_same(test_data: Path) -> None:
    """The same ride as FIT and as GPX: places to a centimetre, times to the second."""
    fit_file, gpx_file = (test_data / "gps_tracks" / f"fit-sample.{e}" for e in ("fit", "gpx"))
    if not (fit_file.exists() and gpx_file.exists()):
        pytest.skip("the ride is not there")
    a, b = read(fit_file)[0].frame, read(gpx_file)[0].frame
    assert a is not None and b is not None and list(a["at"]) == list(b["at"])
    assert np.abs(a[["lon", "lat"]].to_numpy() - b[["lon", "lat"]].to_numpy()).max() < 1e-7


@pytest.mark.realdata
def test_waypoints_with_umlauts(test_data: Path) -> None:
    path = test_data / "gps_tracks" / "umsonstdraussen.gpx"
    if not path.exists():
        pytest.skip("the waypoints are not there")
    [layer] = read(path)
    assert (layer.kind, layer.count) == ("vector", 78) and not layer.defects
    assert layer.frame is not None and "Herzstück" in layer.frame["cmt"].iloc[0]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12)), min_size=5, max_size=8))
def test_any_cells_make_a_table_or_a_sentence(tmp_path: Path, cells: list[tuple[str, str, str]]) -> None:
    """What stands in the columns of a log may be anything; the question whether it is one has an answer."""
    rows = ["时间,经度,纬度", *(",".join(c.replace(",", " ").replace("\n", " ") for c in row) for row in cells)]
    path = put(tmp_path / "a.csv", "\n".join(rows).encode("utf-8", "ignore"))
    for look in (read, read_track):
        try:
            look(path)
        except InputError as error:
            assert error.sentence
