"""Many track files at once: each is read, or refused, as it would be alone, in the order it was named."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis.errors import RivergisError
from rivergis.intake.track import TrackFile, read_track, read_tracks


def iso(i: int) -> str:
    return f"2026-05-20T01:{i // 60:02d}:{i % 60:02d}Z"


def csv(n: int) -> bytes:
    rows = [f"{iso(i)},{106 + i / 1000:.4f},29.4,{i % 7}.5" for i in range(n)]
    return "\n".join(["time,lon,lat,acc_m", *rows]).encode() + b"\n"


def table(n: int) -> bytes:
    """A table that says more than a plain log."""
    return csv(n).replace(b"time,lon", '"时间",lon'.encode("gbk"))


def gpx(n: int) -> bytes:
    points = "".join(f'<trkpt lat="29.4" lon="{106 + i / 1000:.4f}"><time>{iso(i)}</time></trkpt>' for i in range(n))
    return f'<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><wpt lat="29.4" lon="106"><name>桥</name></wpt><trk><trkseg>{points}</trkseg></trk></gpx>'.encode()


def geojson(n: int) -> bytes:
    line = {"type": "LineString", "coordinates": [[106 + i / 1000, 29.4] for i in range(n)]}
    return json.dumps(
        {"type": "Feature", "geometry": line, "properties": {"coordTimes": [iso(i) for i in range(n)]}}
    ).encode()


def entities(_: int) -> bytes:
    return b'<?xml version="1.0"?><!DOCTYPE g [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + gpx(3)


def deep(n: int) -> bytes:
    return b"[" * (300 + n) + b"]" * (300 + n)


def cut(n: int) -> bytes:
    return gpx(n)[: -60 if n > 2 else -10]


def damaged(n: int) -> bytes:
    return gpx(n).replace(b"<time>", b"<time", 1)


KINDS: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "log": ("csv", csv), "table": ("csv", table), "gpx": ("gpx", gpx), "geojson": ("geojson", geojson), "entities": ("gpx", entities),
    "deep": ("geojson", deep), "cut": ("gpx", cut), "damaged": ("gpx", damaged), "empty": ("csv", lambda _: b""), "no track": ("shp", csv),
}  # fmt: skip


def put(folder: Path, kinds: list[tuple[str, int]]) -> list[Path]:
    paths = []
    for i, (kind, n) in enumerate(kinds):
        ending, make = KINDS[kind]
        paths.append(folder / f"{i}.{ending}")
        paths[-1].write_bytes(make(n))
    return paths


def alone(path: Path, **how: int) -> TrackFile | RivergisError:
    try:
        return read_track(path, **how)
    except RivergisError as error:
        return error


def check_same(one: TrackFile | RivergisError, other: TrackFile | RivergisError) -> None:
    if isinstance(one, RivergisError) or isinstance(other, RivergisError):
        assert isinstance(one, RivergisError) and isinstance(other, RivergisError)
        assert one.as_dict() == other.as_dict() and type(one) is type(other)
        return
    assert (one.format, one.sha256, one.diagnostics) == (other.format, other.sha256, other.diagnostics)
    pd.testing.assert_frame_equal(one.fixes, other.fixes, check_exact=True)
    pd.testing.assert_frame_equal(one.places, other.places, check_exact=True)


def check_each(paths: list[Path], **how: int) -> list[TrackFile | RivergisError]:
    got = list(read_tracks(paths, **how))
    assert len(got) == len(paths)
    for path, one in zip(paths, got, strict=True):
        check_same(one, alone(path, **how))
    return got


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(1, 9)), max_size=5))
def test_each_is_read_as_it_is_alone(tmp_path: Path, kinds: list[tuple[str, int]]) -> None:
    check_each(put(tmp_path, kinds))


def test_more_files_than_a_batch_come_in_their_order(tmp_path: Path) -> None:
    paths = put(tmp_path, [("log", 2 + i % 5) for i in range(130)])
    got = list(read_tracks(iter(paths)))
    assert [len(t.fixes) for t in got if isinstance(t, TrackFile)] == [2 + i % 5 for i in range(130)]


def test_nothing_is_nothing() -> None:
    assert list(read_tracks([])) == []


def test_files_of_any_size_and_files_that_are_not_there(tmp_path: Path) -> None:
    paths = put(tmp_path, [("log", 3), ("log", 200), ("gpx", 3)])
    got = check_each([paths[0], tmp_path / "no.csv", tmp_path, *paths[1:]], max_bytes=2000)
    assert [type(g) is TrackFile for g in got] == [True, False, False, False, True]


def test_a_bomb_among_others_is_refused_alone(tmp_path: Path) -> None:
    paths = put(tmp_path, [("log", 3), ("gpx", 3)])
    bomb = tmp_path / "bomb.kmz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("doc.kml", b"<kml>" + b" " * (90 << 20))
    first, refused, last = check_each([paths[0], bomb, paths[1]])
    assert isinstance(refused, RivergisError) and isinstance(first, TrackFile) and isinstance(last, TrackFile)


@pytest.mark.parametrize("datum", ["gcj02", "no datum"])
def test_the_datum_holds_for_every_file(tmp_path: Path, datum: str) -> None:
    paths = put(tmp_path, [("log", 3), ("gpx", 3)])
    for path, one in zip(paths, read_tracks(paths, datum), strict=True):
        try:
            check_same(one, read_track(path, datum))
        except RivergisError as error:
            check_same(one, error)


@pytest.mark.realdata
def test_real_device_tracks_are_read_as_they_are_alone(test_data: Path) -> None:
    got = check_each(sorted((test_data / "gps_tracks").iterdir()))
    assert sum(isinstance(t, TrackFile) for t in got) > 5
