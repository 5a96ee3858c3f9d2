"""Scenes over HTTP: the list, tiles in any look, ETag; ids only, files of the store only."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import text

from rivergis.db.connect import Database
from rivergis.encroachment import store as encroachment_store
from rivergis.intake import cog
from rivergis.jobs import receive, scenes
from rivergis.maps.imagery import scenes as imagery
from tests.intake.test_cog import written
from tests.web.conftest import MAKER, client_of, person

HIGH, WIDE = 300, 400


@pytest.fixture(scope="module")
def shown(
    module_db: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestClient, dict[str, str], Path]]:
    """A service with two scenes of one place, and a grid of heights; ids by code, with the viewer's key."""
    folder = tmp_path_factory.mktemp("scenes")
    store = folder / "store" / "web"
    for day, green in ((1, 60), (2, 200)):
        data = np.stack([np.full((HIGH, WIDE), v, "uint8") for v in (40, green, 90, 20)])
        data[:, 0, :50] = 240
        file = written(folder / f"s{day}.tif", data, names=("blue", "green", "red", "nir"))
        receive.import_imagery(module_db, file, date(2026, 5, day), actor=MAKER, store_dir=store)
    heights = np.add.outer(np.arange(HIGH), np.arange(WIDE))[None].astype("float32")
    file = written(folder / "dem.tif", heights, nodata=-9999)
    receive.import_imagery(module_db, file, date(2020, 1, 1), actor=MAKER, store_dir=store)
    with module_db.write(MAKER) as conn:
        key = person(conn, "viewer")
    with module_db.read() as conn:
        ids = {s.code: str(s.id) for s in imagery.scenes(conn)}
    with client_of(module_db, folder) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client, ids, store


def middle(client: TestClient, scene: str, zoom: int = 15) -> str:
    """Address of the tile in the middle of a scene, without its ending."""
    lon, lat, _ = client.get(f"/imagery/{scene}.json").json()["center"]
    n = 1 << zoom
    y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * n
    return f"/imagery/{scene}/{zoom}/{int((lon + 180) / 360 * n)}/{int(y)}"


def pixel(body: bytes) -> tuple[int, ...]:
    picture = Image.open(io.BytesIO(body)).convert("RGBA")
    seen = np.argwhere(np.asarray(picture)[..., 3] == 255)
    y, x = seen[len(seen) // 2]
    return tuple(int(v) for v in picture.getpixel((int(x), int(y))))  # type: ignore[union-attr]


def test_the_list_tells_days_bands_and_addresses(shown: tuple[TestClient, dict[str, str], Path]) -> None:
    client, ids, _ = shown
    listed = client.get("/imagery").json()["scenes"]
    assert [s["code"] for s in listed] == ["s2", "s1", "dem"]
    assert listed[0]["bands"] == ["blue", "green", "red", "nir"] and listed[0]["taken_on"] == "2026-05-02"
    west, south, east, north = listed[0]["box"]
    assert 105 < west < east < 107 and 29 < south < north < 30
    page = client.get("/imagery", headers={"Accept": "text/html"})
    assert page.status_code == 200 and ids["s1"] in page.text and "影像目录" in page.text


def test_tilejson_hands_the_look_on(shown: tuple[TestClient, dict[str, str], Path]) -> None:
    client, ids, _ = shown
    told = client.get(f"/imagery/{ids['s1']}.json", params={"expression": "(green - nir) / (green + nir)"}).json()
    assert told["tilejson"] == "3.0.0" and told["tiles"][0].endswith(
        "expression=%28green+-+nir%29+%2F+%28green+%2B+nir%29"
    )
    assert told["footprint"]["type"] == "MultiPolygon" and told["maxzoom"] > 14
    facts = client.get(f"/imagery/{ids['s1']}").json()
    assert [b["names"][-1] for b in facts["bands_of_file"]] == ["blue", "green", "red", "nir"]


def test_tiles_show_what_is_asked_for(shown: tuple[TestClient, dict[str, str], Path]) -> None:
    client, ids, _ = shown
    at = middle(client, ids["s1"])
    natural = client.get(f"{at}.png?stretch=none")
    assert natural.headers["content-type"] == "image/png" and pixel(natural.content) == (90, 60, 40, 255)
    assert pixel(client.get(f"{at}.png?bands=nir,red,green&stretch=none").content) == (20, 90, 60, 255)
    assert client.get(f"{at}.webp").headers["content-type"] == "image/webp"
    before, after = (pixel(client.get(f"{middle(client, ids[s])}.png?stretch=none").content) for s in ("s1", "s2"))
    assert (before[1], after[1]) == (60, 200)
    assert client.get(f"{middle(client, ids['dem'])}.png?look=hillshade").status_code == 200


@pytest.mark.parametrize(
    "query", ["bands=9", "expression=__import__('os')", "url=http://127.0.0.1/", "look=relief", "bands=4,3"]
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    shown: tuple[TestClient, dict[str, str], Path], query: str
) -> None:
    client, ids, _ = shown
    answer = client.get(f"{middle(client, ids['s1'])}.png?{query}")
    assert answer.status_code == 400 and answer.json()["message"].endswith((".", "。"))


def test_a_tile_that_one_has_is_not_sent_again_and_is_kept_privately(
    shown: tuple[TestClient, dict[str, str], Path],
) -> None:
    client, ids, _ = shown
    at = middle(client, ids["s1"])
    first = client.get(f"{at}.png")
    assert first.headers["cache-control"].startswith("private")
    again = client.get(f"{at}.png", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content
    others = {
        client.get(u).headers["etag"] for u in (f"{at}.png?gamma=2", f"{at}.webp", f"{middle(client, ids['s2'])}.png")
    }
    assert first.headers["etag"] not in others and len(others) == 3


def test_where_the_scene_is_not_there_is_nothing(shown: tuple[TestClient, dict[str, str], Path]) -> None:
    client, ids, _ = shown
    assert client.get(f"/imagery/{ids['s1']}/10/1/1.png").status_code == 204
    for wrong in ("23/0/0", "3/8/0", "3/0/8", "3/-1/0"):
        assert client.get(f"/imagery/{ids['s1']}/{wrong}.png").status_code == 404, wrong
    for path in ("{0}/3/0/0.png", "{0}.json", "{0}"):
        assert client.get("/imagery/" + path.format(uuid.uuid4())).status_code == 404
    for path in ("..%2F..%2Fetc%2Fpasswd/3/0/0.png", "file:%2F%2F%2Fetc/3/0/0.png", "1/3/0/0.png"):
        assert client.get(f"/imagery/{path}").status_code in (400, 404, 422)


def test_nobody_sees_anything_without_a_key(shown: tuple[TestClient, dict[str, str], Path]) -> None:
    client, ids, _ = shown
    for path in ("/imagery", f"/imagery/{ids['s1']}", f"/imagery/{ids['s1']}.json", f"{middle(client, ids['s1'])}.png"):
        assert client.get(path, headers={"Authorization": ""}).status_code == 401, path


def test_two_scenes_beside_each_other(shown: tuple[TestClient, dict[str, str], Path]) -> None:
    client, ids, _ = shown
    pair = {"before": ids["s1"], "after": ids["s2"]}
    told = client.get("/imagery/compare.json", params={**pair, "expression": "ndvi"}).json()
    assert ids["s1"] in told["before"]["tiles"][0] and ids["s2"] in told["after"]["tiles"][0]
    assert told["before"]["tiles"][0].endswith("expression=ndvi") and told["both"]
    page = client.get("/imagery/compare", params=pair)
    assert page.status_code == 200 and "connect-src 'self'" in page.headers["content-security-policy"]
    assert "http://" not in page.text.split("</head>")[0] and 'id="swipe"' in page.text


def test_the_import_makes_ready_and_what_was_lost_is_made_again(
    module_db: Database, shown: tuple[TestClient, dict[str, str], Path]
) -> None:
    client, ids, store = shown
    with module_db.read() as conn:
        scene = imagery.scene(conn, uuid.UUID(ids["s1"]))
    copy = cog.beside(store / scene.file_path)
    assert copy.is_file() and copy != store / scene.file_path
    copy.unlink()
    assert client.get(f"{middle(client, ids['s1'])}.png").status_code == 200 and copy.is_file()
    copy.unlink()
    assert {m.code: m.state for m in scenes.prepare(module_db, store)} == {"s1": "made", "s2": "ready", "dem": "ready"}
    assert {m.state for m in scenes.prepare(module_db, store)} == {"ready"}


def test_a_large_scene_is_not_made_ready_while_somebody_waits(
    module_db: Database, shown: tuple[TestClient, dict[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, ids, store = shown
    with module_db.read() as conn:
        scene = imagery.scene(conn, uuid.UUID(ids["s1"]))
    cog.beside(store / scene.file_path).unlink(missing_ok=True)
    monkeypatch.setattr(scenes, "AT_ONCE_PIXELS", 10)
    answer = client.get(f"{middle(client, ids['s1'])}.png")
    assert answer.status_code == 503 and "rivergis imagery prepare" in answer.json()["message"]
    monkeypatch.undo()
    assert client.get(f"{middle(client, ids['s1'])}.png").status_code == 200


def test_looks_are_in_the_log_of_views(module_db: Database, shown: tuple[TestClient, dict[str, str], Path]) -> None:
    client, ids, _ = shown
    client.get(f"{middle(client, ids['s2'])}.png")
    client.app.state.seen.flush()  # type: ignore[attr-defined]
    with module_db.read() as conn:
        rows = conn.execute(
            text("SELECT actor FROM sys.access_log WHERE what = :w"), {"w": f"imagery:{ids['s2']}"}
        ).scalars()
        assert "the-viewer" in set(rows)


def test_a_file_outside_of_the_store_is_never_opened(
    module_db: Database, shown: tuple[TestClient, dict[str, str], Path]
) -> None:
    """Whatever a row of the database says of its file (the last test here: it leaves such rows behind)."""
    client, ids, store = shown
    secret = written(store.parent / "secret.tif", np.full((1, 64, 64), 7, "uint8"))
    paths = {"up": "imagery/../../secret.tif", "abs": str(secret), "vsi": "/vsicurl/http://127.0.0.1:9/a.tif"}
    with module_db.read() as conn:
        s1 = imagery.scene(conn, uuid.UUID(ids["s1"]))
    with module_db.write(MAKER) as conn:
        for code, path in paths.items():
            encroachment_store.save_imagery(
                conn, code=code, taken_on=s1.taken_on, gsd_m=4, bands="a", source_crs=s1.source_crs, file_sha256=code, file_path=path,
                unobserved=None, geom=shapely.MultiPolygon([shapely.box(*s1.box)]), namespace="local", import_id=None,
            )  # fmt: skip
    with module_db.read() as conn:
        foreign = [s for s in imagery.scenes(conn) if s.code in paths]
    assert len(foreign) == 3
    for scene in foreign:
        assert client.get(f"/imagery/{scene.id}/0/0/0.png").status_code == 404
    assert [m.state for m in scenes.prepare(module_db, store) if m.code in paths] == ["failed"] * 3
