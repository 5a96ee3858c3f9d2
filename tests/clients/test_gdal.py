"""GDAL as people have it: Debian's programs (3.6) and the one inside pyogrio, reading features and tiles with a key."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyogrio
import pytest

from tests.clients.conftest import MANY, Served

NEEDS = pytest.mark.skipif(
    shutil.which("ogrinfo") is None, reason="Debian's gdal-bin is not here (scripts/setup --dev)"
)
BOX = (106.0019, 29.3899, 106.0101, 29.3921)  # 21 columns of 6 rows


@pytest.fixture(autouse=True)
def with_key(served: Served) -> Iterator[None]:
    """pyogrio's GDAL sends the key with every request."""
    pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": served.keys["planner"]})
    yield
    pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": None, "GDAL_HTTP_BEARER": None})


def gdal(served: Served, *args: str, who: str | None = "planner") -> subprocess.CompletedProcess[str]:
    """A program of Debian's GDAL, with a key in GDAL_HTTP_HEADERS."""
    env = {**os.environ, "CPL_CURL_VERBOSE": "NO"}
    if who is not None:
        env["GDAL_HTTP_HEADERS"] = served.header(who)
    # its pages hold ten features unless one says otherwise
    more = ["-oo", "PAGE_SIZE=1000"] if any(a.startswith("OAPIF:") for a in args) else []
    return subprocess.run([*args, *more], env=env, capture_output=True, text=True, timeout=120)


def counted(said: subprocess.CompletedProcess[str]) -> int:
    assert said.returncode == 0, said.stderr
    return int(said.stdout.split("Feature Count: ")[1].split()[0])


@NEEDS
def test_ogrinfo_lists_what_the_key_may_see(served: Served) -> None:
    seen = {
        who: gdal(served, "ogrinfo", "-ro", "-q", f"OAPIF:{served.ogc}", who=who).stdout
        for who in ("planner", "viewer")
    }
    assert all(f": {c}" in seen["planner"] for c in ("reach", "candidate", "boundary_line", "boundary_draft_line"))
    assert "boundary_draft_line" not in seen["viewer"] and "patrol_track" not in seen["viewer"]
    nobody = gdal(served, "ogrinfo", "-ro", f"OAPIF:{served.ogc}", who=None)
    assert nobody.returncode != 0 and "401" in nobody.stderr


@NEEDS
def test_a_key_comes_by_header_by_file_or_as_a_password(served: Served, tmp_path: Path) -> None:
    """Debian's GDAL knows no bearer keys; a file keeps the key out of the list of processes."""
    key = served.keys["viewer"]
    kept = tmp_path / "key.txt"
    kept.write_text(f"Authorization: Bearer {key}\n", encoding="utf-8")
    for name, value in (("GDAL_HTTP_HEADER_FILE", str(kept)), ("GDAL_HTTP_USERPWD", f"viewer:{key}")):
        for source in (f"OAPIF:{served.ogc}", f"MVT:{served.url}/tiles/candidate/14/13016/6791.mvt"):
            done = subprocess.run(
                ["ogrinfo", "-ro", "-q", source],
                env={**os.environ, name: value},
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0 and "candidate" in done.stdout, f"{name}: {done.stderr}"
    wrong = subprocess.run(
        ["ogrinfo", "-ro", "-q", f"OAPIF:{served.ogc}"],
        env={**os.environ, "GDAL_HTTP_USERPWD": f"planner:{key}"},
        capture_output=True,
        text=True,
    )
    assert wrong.returncode != 0, "the key of somebody else"


@NEEDS
def test_ogrinfo_reads_page_after_page(served: Served) -> None:
    layer = f"OAPIF:{served.ogc}/collections/candidate"
    assert counted(gdal(served, "ogrinfo", "-ro", "-al", "-so", layer)) == MANY
    assert counted(gdal(served, "ogrinfo", "-ro", "-al", "-so", "-spat", *map(str, BOX), layer)) == 126
    assert counted(gdal(served, "ogrinfo", "-ro", "-al", "-so", "-where", "kind = 'dump'", layer)) == MANY // 5
    both = gdal(
        served,
        "ogrinfo",
        "-ro",
        "-al",
        "-so",
        "-spat",
        *map(str, BOX),
        "-where",
        "kind = 'dump' AND name LIKE '图斑%'",
        layer,
    )
    assert counted(both) == 30


@NEEDS
def test_ogr2ogr_takes_a_layer_home(served: Served, tmp_path: Path) -> None:
    out = tmp_path / "home.gpkg"
    done = gdal(served, "ogr2ogr", str(out), f"OAPIF:{served.ogc}/collections/candidate")
    assert done.returncode == 0, done.stderr
    frame = pyogrio.read_dataframe(out)
    assert len(frame) == MANY and frame["code"].is_unique and frame["name"].iloc[0].startswith("图斑")
    assert np.allclose(frame.total_bounds, [106.0, 29.39, 106.0198, 29.3998], atol=1e-9)


@NEEDS
def test_tiles_are_read_as_layers(served: Served) -> None:
    """One tile by its address, and a level of the pyramid by the address of the layer."""
    z, x, y = tile(106.005, 29.4, 14)  # an empty tile is 204, of which GDAL makes nothing
    one = gdal(served, "ogrinfo", "-ro", "-al", "-so", f"MVT:{served.url}/tiles/candidate/{z}/{x}/{y}.mvt")
    assert counted(one) > 0 and "cls: String" in one.stdout


def tile(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    """Column and row of the tile at a place."""
    n = 2**z
    y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2
    return z, int((lon + 180) / 360 * n), int(y * n)


def test_pyogrio_reads_filters_and_pages(served: Served) -> None:
    source = f"OAPIF:{served.ogc}/collections/candidate"
    whole = pyogrio.read_dataframe(source, PAGE_SIZE="900")
    assert len(whole) == MANY and whole["code"].is_unique
    there = pyogrio.read_dataframe(source, bbox=BOX)
    assert len(there) == 126
    heaps = pyogrio.read_dataframe(source, where="kind = 'dump'", columns=["code", "kind"])
    assert set(heaps["kind"]) == {"dump"} and set(heaps["code"]) == set(whole.loc[whole["kind"] == "dump", "code"])
    first = pyogrio.read_dataframe(source, max_features=7)
    assert len(first) == 7
    info = pyogrio.read_info(source)
    assert "version" in list(info["fields"]) and info["geometry_type"] in ("Unknown", "Polygon")


@pytest.mark.parametrize("code", ["EPSG:4490", "EPSG:4326", "EPSG:3857", "EPSG:4544"])
def test_pyogrio_asks_for_a_system(served: Served, code: str) -> None:
    """East is x whatever order of axes the system has on paper."""
    source = f"OAPIF:{served.ogc}/collections/candidate"
    plain, moved = (pyogrio.read_dataframe(source, max_features=20, **o) for o in ({}, {"CRS": code}))
    assert moved.crs.equals(code, ignore_axis_order=True)
    back = moved.to_crs(plain.crs).total_bounds
    assert np.allclose(back, plain.total_bounds, atol=1e-6)


@NEEDS
def test_columns_that_are_empty_so_far_have_their_kind(served: Served) -> None:
    """No square says when it was seen or until when it stands: GDAL takes the kinds from the schema of a feature."""
    info = pyogrio.read_info(f"OAPIF:{served.ogc}/collections/candidate")
    kinds = dict(zip(info["fields"], info["dtypes"], strict=True))
    assert (
        kinds["seen_at"].startswith("datetime64")
        and kinds["valid_from"].startswith("datetime64")
        and kinds["accuracy_m"] == "float64"
    )
    told = gdal(served, "ogrinfo", "-ro", "-al", "-so", f"OAPIF:{served.ogc}/collections/candidate").stdout
    assert (
        "seen_at: DateTime" in told
        and "valid_from: Date" in told
        and "accuracy_m: Real" in told
        and "version: Integer" in told
    )


def test_what_gdal_reads_is_what_the_api_says(served: Served) -> None:
    text = subprocess.run(
        ["curl", "-sf", "-H", served.header(), f"{served.ogc}/collections/candidate/items?limit=3"],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(text.stdout)["features"]
    frame = pyogrio.read_dataframe(f"OAPIF:{served.ogc}/collections/candidate", max_features=3)
    assert list(frame["code"]) == [f["properties"]["code"] for f in said]
