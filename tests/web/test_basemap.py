"""Base maps over HTTP: an own file and a machine elsewhere, seen through the service."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from rivergis import settings
from rivergis.db import access, people
from rivergis.db.connect import Database
from rivergis.errors import InputError
from rivergis.web import basemap
from rivergis.web.app import create_app
from tests.web.conftest import MAKER
from tests.web.test_basemap_source import KEY, Elsewhere, machine, picture  # noqa: F401 (a fixture)

TILE = b"\x1a\x05water"


def archive(path: Path) -> Path:
    with path.open("wb") as file:
        writer = Writer(file)
        writer.write_tile(zxy_to_tileid(3, 6, 3), gzip.compress(TILE))
        header = {
            "tile_type": TileType.MVT, "tile_compression": Compression.GZIP, "min_zoom": 3, "max_zoom": 3,
            "min_lon_e7": 0, "min_lat_e7": 0, "max_lon_e7": 0, "max_lat_e7": 0, "center_zoom": 3, "center_lon_e7": 0, "center_lat_e7": 0,
        }  # fmt: skip
        writer.finalize(header, {"vector_layers": [{"id": "water", "fields": {}}, {"id": "place", "fields": {}}]})
    return path


@pytest.fixture
def client(module_db: Database, tmp_path: Path, machine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:  # noqa: F811
    archive(tmp_path / "ground.pmtiles")
    said = {"datum": "cgcs2000", "zh": "底图", "en": "ground"}
    elsewhere: dict[str, Any] = {**said, "kind": "tiles", "review": "GS(2024)1号", "network": "intranet"}
    listed = [
        {**elsewhere, "id": "vec", "address": f"{machine}/good/{{z}}/{{x}}/{{y}}?tk={{key}}"},
        {**elsewhere, "id": "bad", "address": f"{machine}/refused/{{z}}/{{x}}/{{y}}?tk={{key}}", "public": True},
        {**said, "id": "own", "kind": "pmtiles", "file": "ground.pmtiles"},
        {**said, "id": "scene", "kind": "imagery", "scene": "abc"},
    ]
    (tmp_path / "bases.yaml").write_text(yaml.safe_dump(listed, allow_unicode=True), encoding="utf-8")
    for name in ("VEC", "BAD"):
        monkeypatch.setenv(f"RIVERGIS_BASEMAP_KEY_{name}", KEY)
    env = {"RIVERGIS_DATA_DIR": str(tmp_path), "RIVERGIS_BASEMAPS": str(tmp_path / "bases.yaml")}
    with module_db.write(MAKER) as conn:
        people.add_user(conn, "looker", "looker")
        people.grant(conn, "looker", "viewer")
        key = access.make_key(conn, "looker", "test")
    with TestClient(create_app(module_db, settings.load(env)), headers={"Authorization": f"Bearer {key}"}) as found:
        yield found


def test_base_maps_through_the_service(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    bases = {base["id"]: base for base in client.get("/basemap.json").json()["bases"]}
    assert [base["kind"] for base in bases.values()] == ["raster", "raster", "vector", "raster"]
    assert bases["vec"]["review"] == "GS(2024)1号" and bases["scene"]["url"] == "/imagery/abc/{z}/{x}/{y}.png"
    assert [layer["type"] for layer in bases["own"]["layers"]] == ["fill", "line", "symbol"]

    tile = client.get("/basemap/vec/3/4/5")
    assert (tile.content, tile.headers["content-type"]) == (picture(), "image/png")
    assert tile.headers["cache-control"].startswith("private")
    own = client.get("/basemap/own/3/6/3")
    assert own.content == TILE and own.headers["content-encoding"] == "gzip"
    assert client.get("/basemap/own/3/0/0").status_code == 204

    for path in (
        "/basemap/vec/30/0/0",
        "/basemap/vec/2/9/0",
        "/basemap/scene/3/0/0",
        "/basemap/none/1/0/0",
    ):
        assert client.get(path).status_code in (400, 404), path

    refused = client.get("/basemap/bad/3/4/5")
    assert refused.status_code == 502
    everything = refused.text + str(refused.headers) + client.get("/basemap.json").text + caplog.text
    assert KEY not in everything and "127.0.0.1" not in everything
    assert all(asked.startswith(("/good/3/4/5", "/refused/3/4/5")) for asked in Elsewhere.asked)


@pytest.mark.parametrize("body", [b"", b"PMTiles", b"not tiles at all" * 100])
def test_a_file_that_holds_no_tiles_is_refused(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "x.pmtiles").write_bytes(body)
    with pytest.raises(InputError, match=r"x\.pmtiles"):
        basemap.Archive(tmp_path / "x.pmtiles")
