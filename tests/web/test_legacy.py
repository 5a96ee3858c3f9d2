"""WMS, WFS, WMTS and PNG tiles: read only, behind the sign-in, each account its layers, nothing of a request reaches a file."""

from __future__ import annotations

import base64
import io
import re
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from rasterio.warp import transform_bounds
from sqlalchemy import text

from rivergis import settings
from rivergis.outfall import store as outfall_store
from rivergis.web.app import create_app
from rivergis.web.legacy import mapserver
from rivergis.web.legacy import services as legacy
from tests.web.conftest import MAKER, Service, degrees
from tests.web.live import live

pytestmark = pytest.mark.skipif(mapserver.program() is None, reason="MapServer is not here (scripts/setup --dev)")
DRAIN = (106.005, 29.4003)
MERCATOR = ",".join(str(v) for v in transform_bounds("EPSG:4326", "EPSG:3857", 106.003, 29.3983, 106.007, 29.4023))
PLACE = "29.3983,106.003,29.4023,106.007"


@pytest.fixture(scope="module", autouse=True)
def ended(service: Service) -> Iterator[None]:
    yield
    service.client.app.state.maps.close()  # type: ignore[attr-defined]


def wms(service: Service, role: str = "viewer", **asked: str) -> Any:
    query = {"SERVICE": "WMS", "VERSION": "1.3.0", **asked}
    return service.client.get("/wms", params=query, headers={"Authorization": f"Bearer {service.keys[role]}"})


def get_map(service: Service, layers: str, role: str = "viewer", **more: str) -> Any:
    asked = {
        "REQUEST": "GetMap",
        "LAYERS": layers,
        "STYLES": "",
        "CRS": "EPSG:4490",
        "BBOX": PLACE,
        "WIDTH": "400",
        "HEIGHT": "400",
    }
    return wms(service, role, **{**asked, "FORMAT": "image/png", "TRANSPARENT": "TRUE", **more})


def seen(body: bytes) -> np.ndarray:
    """Where a picture shows something."""
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGBA"))[..., 3] > 0


def wfs(service: Service, role: str = "viewer", **asked: str) -> Any:
    query = {"SERVICE": "WFS", "VERSION": "2.0.0", **asked}
    return service.client.get("/wfs", params=query, headers={"Authorization": f"Bearer {service.keys[role]}"})


def test_capabilities_tell_what_the_account_may_see_under_our_address(service: Service) -> None:
    told = {role: wms(service, role, REQUEST="GetCapabilities").text for role in ("viewer", "reviewer")}
    for said in told.values():
        assert "<Title>入河排污口 outfall</Title>" in said and "<CRS>EPSG:4490</CRS>" in said
        assert "Post>" not in said and ".map" not in said and "dbname" not in said
        hosts = {urlsplit(a).netloc for a in re.findall(r'xlink:href="(http[^"]+)"', said)}
        assert hosts == {"testserver"}
    assert "patrol_track" in told["reviewer"] and "patrol_track" not in told["viewer"]
    assert "boundary_draft_line" not in told["viewer"] and "finding_point" not in told["viewer"]


@pytest.mark.parametrize(("system", "box"), [
    ("EPSG:4490", PLACE), ("EPSG:4326", PLACE), ("CRS:84", "106.003,29.3983,106.007,29.4023"),
    ("EPSG:3857", MERCATOR),
])  # fmt: skip
def test_things_are_drawn_where_they_are_in_every_system(service: Service, system: str, box: str) -> None:
    """In WMS 1.3 latitude comes first in EPSG:4490: an outfall half way east and up lies half way right and up."""
    picture = get_map(service, "outfall", CRS=system, BBOX=box)
    assert picture.headers["content-type"] == "image/png", picture.text
    shown = seen(picture.content)
    assert (
        shown[196:204, 196:204].mean() > 0.5
        and not shown[:150].any()
        and not shown[250:].any()
        and not shown[:, :180].any()
    )


def test_what_one_may_not_see_is_not_drawn(service: Service) -> None:
    assert get_map(service, "patrol_track", "reviewer").headers["content-type"] == "image/png"
    refused = get_map(service, "patrol_track", "viewer")
    assert "xml" in refused.headers["content-type"] and "LayerNotDefined" in refused.text
    asked = wfs(service, REQUEST="GetFeature", TYPENAMES="patrol_track")
    assert "xception" in asked.text and "geom" not in asked.text
    mixed = get_map(service, "reach,patrol_track", "viewer")
    assert "xception" in mixed.text
    tile = service.get("/tiles/reach,patrol_track/14/13016/6793.png")
    assert tile.status_code == 403


@pytest.mark.parametrize(
    "name", ["SLD", "sld_body", "map", "MAPFILE", "remote_ows_url", "map.layer[0].data", "map_layer", "mode", "file"]
)
def test_styles_and_files_of_the_asker_are_refused(service: Service, name: str) -> None:
    answer = get_map(service, "reach", **{name: "http://127.0.0.1:9/evil"})
    assert answer.status_code == 400 and name.lower()[:10] in answer.json()["message"]


def test_substitutions_of_the_asker_are_checked(service: Service) -> None:
    """Day, band and counts are parameters of the map file: nobody but us sets them, and a day is a day."""
    plain = get_map(service, "reach").content
    for name in ("band", "counted", "apart"):
        assert get_map(service, "reach", **{name: "geom) FROM pg_authid--"}).content == plain
    assert get_map(service, "reach", TIME="2026-01-01' OR '1'='1").status_code == 400
    assert get_map(service, "reach", DAY="2026-05-20").content == plain


def test_information_of_a_place_is_chinese_and_without_markup(service: Service) -> None:
    asked = {
        "REQUEST": "GetFeatureInfo",
        "LAYERS": "outfall",
        "QUERY_LAYERS": "outfall",
        "CRS": "EPSG:4490",
        "BBOX": PLACE,
        "WIDTH": "400",
    }
    place = {"HEIGHT": "400", "I": "200", "J": "200", "STYLES": ""}
    told = wms(service, **asked, **place, INFO_FORMAT="text/html")
    assert "一号排污口" in told.text and "<th>名称 <small>name</small></th>" in told.text
    assert "default-src 'none'" in told.headers["content-security-policy"]
    plain = wms(service, **asked, **place, INFO_FORMAT="text/plain").text
    assert "name = '一号排污口'" in plain
    finding = {**asked, "LAYERS": "finding", "QUERY_LAYERS": "finding"}
    html = wms(service, **finding, HEIGHT="400", I="110", J="200", STYLES="", INFO_FORMAT="text/html").text
    assert "<script" not in html


def test_legends_have_labels(service: Service) -> None:
    legend = wms(service, REQUEST="GetLegendGraphic", LAYER="boundary_line", FORMAT="image/png", SLD_VERSION="1.1.0")
    picture = Image.open(io.BytesIO(legend.content))
    assert picture.width > 200 and picture.height > 60


def test_wfs_gives_things_with_their_columns(service: Service) -> None:
    told = wfs(service, REQUEST="GetFeature", TYPENAMES="outfall", OUTPUTFORMAT="geojson").json()
    (thing,) = told["features"]
    assert thing["properties"]["code"] == "P1" and thing["properties"]["name"] == "一号排污口"
    assert thing["geometry"]["coordinates"] == pytest.approx(DRAIN, abs=1e-7)
    gml = wfs(service, REQUEST="GetFeature", TYPENAMES="rivergis:outfall").text
    assert "<gml:pos>29.400300 106.005000</gml:pos>" in gml and "P1" in gml
    by_code = (
        "<Filter><PropertyIsEqualTo><PropertyName>code</PropertyName><Literal>{}</Literal></PropertyIsEqualTo></Filter>"
    )
    for code, count in (("P1", 1), ("P2", 0), ("P1' OR '1'='1", 0)):
        answer = wfs(
            service, REQUEST="GetFeature", TYPENAMES="outfall", FILTER=by_code.format(code.replace("'", "&apos;"))
        )
        assert answer.text.count("<wfs:member>") == count, code


def test_wfs_hands_out_pages_that_hold_everything_once(service: Service) -> None:
    codes = []
    for start in range(3):
        page = wfs(
            service,
            REQUEST="GetFeature",
            TYPENAMES="boundary_line",
            COUNT="1",
            STARTINDEX=str(start),
            OUTPUTFORMAT="geojson",
        ).json()
        codes += [f["properties"]["code"] for f in page["features"]]
    assert sorted(codes) == ["L", "R"]


@pytest.mark.parametrize(
    "page", [{}, {"COUNT": "1"}, {"COUNT": "5", "STARTINDEX": "0"}, {"RESULTTYPE": "hits"}, {"SORTBY": "code"}]
)
def test_wfs_asks_within_a_box_in_every_system_and_by_pages(service: Service, page: dict[str, str]) -> None:
    boxes = (f"{PLACE},urn:ogc:def:crs:EPSG::4490", f"{MERCATOR},EPSG:3857", f"{PLACE},urn:ogc:def:crs:EPSG::4326")
    for box in boxes:
        for version, names in (("2.0.0", "TYPENAMES"), ("1.1.0", "TYPENAME")):
            asked = {"REQUEST": "GetFeature", names: "rivergis:outfall", "VERSION": version, "BBOX": box, **page}
            answer = wfs(service, **asked)
            found = answer.text.count("<gml:featureMember>") or answer.text.count("<wfs:member>")
            hits = re.search(r'number(?:Matched|OfFeatures)="1"', answer.text)
            assert answer.status_code == 200 and (hits if "RESULTTYPE" in page else found == 1), (
                asked,
                answer.text[:600],
            )
    away = wfs(
        service, REQUEST="GetFeature", TYPENAMES="outfall", BBOX="30,107,31,108,urn:ogc:def:crs:EPSG::4490", **page
    )
    assert 'numberReturned="0"' in away.text and "<wfs:member>" not in away.text


def test_nothing_can_be_sent(service: Service) -> None:
    for path in ("/wms", "/wfs"):
        answer = service.client.post(
            path, content="<x/>", headers={"Authorization": f"Bearer {service.keys['viewer']}"}
        )
        assert answer.status_code == 400 and "read only" in answer.json()["message"]
    for verb in ("Transaction", "LockFeature", "GetFeatureWithLock"):
        assert "xception" in wfs(service, REQUEST=verb, TYPENAMES="outfall").text


def test_ways_in(service: Service) -> None:
    """A key as Bearer, as the password of its user, or in the address; nothing else, and no redirect to a form."""
    key, query = service.keys["viewer"], "?SERVICE=WMS&REQUEST=GetCapabilities"

    def status(path: str = "/wms", **headers: str) -> int:
        return int(service.client.get(path + query, headers=headers).status_code)

    def basic(name: str, word: str) -> str:
        return "Basic " + base64.b64encode(f"{name}:{word}".encode()).decode()

    assert status() == 401 and status(Authorization=f"Bearer {key}x") == 401
    assert service.client.get("/wms" + query).headers["www-authenticate"]
    assert (
        status(Authorization=basic("the-viewer", key)) == 200
        and status(Authorization=basic("the-inspector", key)) == 401
    )
    assert status(f"/k/{key}/wms") == 200 and status(f"/k/{key[:-1]}x/wms") == 401
    # what else one sends does not count beside a key in the address
    assert status(f"/k/{key[:-1]}x/wms", Authorization=f"Bearer {key}") == 401
    assert status(f"/k/{key}/imagery") == 200 and status(f"/k/{key}/") == 404 and status(f"/k/{key}/findings") == 404


def test_addresses_carry_the_key_where_the_client_has_it_there(service: Service) -> None:
    key = service.keys["viewer"]
    for service_path in ("wms?SERVICE=WMS", "wmts?SERVICE=WMTS", "wfs?SERVICE=WFS"):
        said = service.client.get(f"/k/{key}/{service_path}&REQUEST=GetCapabilities").text
        assert f"/k/{key}/{service_path.split('?')[0]}" in said
    plain = service.get("/wmts?SERVICE=WMTS&REQUEST=GetCapabilities").text
    assert key not in plain and "http://testserver/wmts/1.0.0/reach/default/" in plain


def test_wmts_has_the_same_tile_by_parameters_and_by_address(service: Service) -> None:
    for tile_set, level, row, column in (("GoogleMapsCompatible", 16, 27173, 52066), ("c", 16, 11032, 52065)):
        address = f"/wmts/1.0.0/outfall/default/{tile_set}/{level}/{row}/{column}.png"
        query = f"TILEMATRIXSET={tile_set}&TILEMATRIX={level}&TILEROW={row}&TILECOL={column}"
        a, b = (
            service.get(address),
            service.get(f"/wmts?SERVICE=WMTS&REQUEST=GetTile&LAYER=outfall&STYLE=default&{query}&FORMAT=image/png"),
        )
        assert a.status_code == 200 and a.content == b.content and a.headers["etag"]
    for wrong in ("x/3/0/0", "c/0/0/0", "c/3/4/0", "GoogleMapsCompatible/3/8/0", "GoogleMapsCompatible/30/0/0"):
        assert service.get(f"/wmts/1.0.0/outfall/default/{wrong}.png").status_code == 404, wrong


def tile_at(lon: float, lat: float, z: int) -> str:
    y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * (1 << z)
    return f"{z}/{int((lon + 180) / 360 * (1 << z))}/{int(y)}"


@pytest.mark.parametrize("zoom", [4, 8, 11, 13, 14, 16, 19])
def test_a_tile_shows_its_things_at_every_zoom(service: Service, zoom: int) -> None:
    """From afar an outfall is counted, near by it is drawn: it is never lost on the way."""
    tile = service.get(f"/tiles/outfall/{tile_at(*DRAIN, zoom)}.png")
    assert tile.headers["content-type"] == "image/png" and seen(tile.content).any()


def test_a_picture_one_has_is_not_sent_again_until_it_changes(service: Service) -> None:
    path = f"/tiles/outfall/{tile_at(106.0081, 29.3995, 16)}.png"
    first = service.get(path)
    head = {"Authorization": f"Bearer {service.keys['viewer']}", "If-None-Match": first.headers["etag"]}
    assert "private" in first.headers["cache-control"] and not seen(first.content).any()
    assert service.client.get(path, headers=head).status_code == 304
    import shapely

    one = degrees(
        shapely.Point(106.0081, 29.3995),
        code="P9",
        name="新口",
        river_code="R1",
        approval_kind="unknown",
        status="open",
    )
    with service.db.write(MAKER) as conn:
        outfall_store.save(conn, "outfall", one, namespace="local", import_id=None)
    until = time.monotonic() + 5
    while (again := service.client.get(path, headers=head)).status_code == 304 and time.monotonic() < until:
        time.sleep(0.05)
    assert again.status_code == 200 and seen(again.content).any()


def test_a_day_before_a_thing_was_there_does_not_show_it(service: Service) -> None:
    path = f"/tiles/finding/{tile_at(106.0041, 29.4003, 17)}.png"
    assert seen(service.get(f"{path}?day=2026-05-20").content).any()
    assert not seen(service.get(f"{path}?day=2026-05-19").content).any()
    assert service.get(f"{path}?day=yesterday").status_code in (400, 422)


def test_a_lost_connection_to_the_database_is_made_again(service: Service) -> None:
    get_map(service, "reach")
    with service.db.write(MAKER) as conn:
        ended = conn.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rivergis-mapserver'")
        )
        assert ended.rowcount
    time.sleep(0.3)
    assert get_map(service, "reach").headers["content-type"] == "image/png"


def stopped(service: Service) -> mapserver._Child:
    """A child that will not answer any more, the next one to be asked."""
    assert get_map(service, "reach").status_code == 200
    child = service.client.app.state.maps.engine._idle[-1]  # type: ignore[attr-defined]
    child.process.send_signal(signal.SIGSTOP)
    return child  # type: ignore[no-any-return]


def test_a_request_that_takes_too_long_is_ended(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    child = stopped(service)
    monkeypatch.setattr(mapserver, "LONGEST_S", 0.4)
    answer = get_map(service, "reach")
    assert answer.status_code == 503 and "stopped" in answer.json()["message"] and child.process.poll() is not None
    monkeypatch.undo()
    assert get_map(service, "reach").status_code == 200


def test_a_child_ends_when_its_client_leaves(service: Service) -> None:
    app = service.client.app
    child = stopped(service)
    with live(app) as base:
        with socket.create_connection(("127.0.0.1", urlsplit(base).port or 0)) as line:
            query = f"SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS=reach&STYLES=&CRS=EPSG:4490&BBOX={PLACE}&WIDTH=9&HEIGHT=9&FORMAT=image/png"
            line.sendall(
                f"GET /wms?{query} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {service.keys['viewer']}\r\n\r\n".encode()
            )
            time.sleep(0.6)
        until = time.monotonic() + 5
        while child.process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
    assert child.process.poll() is not None


def test_without_mapserver_one_sentence_says_so(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapserver, "program", lambda: None)
    service.client.app.state.maps.close()  # type: ignore[attr-defined]
    for path in ("/wms?SERVICE=WMS&REQUEST=GetCapabilities", f"/tiles/reach/{tile_at(*DRAIN, 12)}.png?day=2026-01-01"):
        answer = service.get(path)
        assert answer.status_code == 503 and "cgi-mapserver" in answer.json()["message"]
    assert service.get("/imagery").status_code == 200


def test_a_password_of_the_database_is_in_no_map_file(service: Service, tmp_path: Any) -> None:
    url = service.db.engine.url.set(password="s:e\\cret word")
    db = type(service.db)(type("Engine", (), {"url": url})(), False, "web")  # type: ignore[arg-type]
    from rivergis.web.legacy.maps import Maps

    maps = Maps(db, tmp_path)
    maps._reader = True
    said = maps._connection("500199")
    passfile = maps.engine.folder / "pgpass"
    assert (
        "cret" not in said
        and passfile.read_text() == "*:*:*:*:s\\:e\\\\cret word\n"
        and passfile.stat().st_mode & 0o077 == 0
    )
    assert (
        "-c rivergis.area=500199" in said
        and "-c role=rivergis_reader" in said
        and "default_transaction_read_only=on" in said
    )
    maps.close()


def test_children_end_with_the_service(service: Service) -> None:
    env = {"RIVERGIS_DATA_DIR": str(service.store.parents[1]), "RIVERGIS_DATABASE": "web"}
    app = create_app(service.db, settings.load(env))
    engine = app.state.maps.engine
    exchange = engine.ask({"REQUEST_METHOD": "GET", "QUERY_STRING": ""}, "")
    exchange.start()
    exchange.whole()
    (child,) = engine._idle
    app.state.maps.close()
    assert child.process.poll() is not None


def test_the_public_sees_pictures_of_what_is_announced_only(service: Service, tmp_path: Any) -> None:
    """While the public part is shown; no other old service is open to it."""
    line, drain = f"/tiles/boundary_line/{tile_at(*DRAIN, 15)}.png", f"/tiles/outfall/{tile_at(*DRAIN, 15)}.png"
    assert service.client.get(line).status_code == 401
    env = {"RIVERGIS_DATA_DIR": str(tmp_path), "RIVERGIS_DATABASE": "web", "RIVERGIS_PUBLIC": "渝S(2026)001号"}
    with TestClient(create_app(service.db, settings.load(env))) as anybody:
        assert seen(anybody.get(line).content).any() and anybody.get(drain).status_code == 403
        assert anybody.get("/wms?SERVICE=WMS&REQUEST=GetCapabilities").status_code == 401
        assert anybody.get("/wmts?SERVICE=WMTS&REQUEST=GetCapabilities").status_code == 401
        assert anybody.get("/imagery").status_code == 401
        with service.db.write(MAKER) as conn:
            conn.execute(text("UPDATE cache.shape_boundary_line SET cls = 'draft'"))
        try:
            later = f"{line}?day=2026-01-02"
            assert not seen(anybody.get(later).content).any() and seen(service.get(later).content).any()
        finally:
            with service.db.write(MAKER) as conn:
                conn.execute(text("UPDATE cache.shape_boundary_line SET cls = 'announced'"))


def test_what_the_database_says_is_for_the_log_and_keys_are_not(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with service.db.write(MAKER) as conn:
        conn.execute(text("ALTER TABLE cache.shape_levee RENAME COLUMN label TO elsewhere"))
    try:
        key = service.keys["viewer"]
        asked = f"SERVICE=WFS&VERSION=2.0.0&REQUEST=GetFeature&TYPENAMES=levee&BBOX={PLACE}"
        answer = service.client.get(f"/k/{key}/wfs?{asked}")
    finally:
        with service.db.write(MAKER) as conn:
            conn.execute(text("ALTER TABLE cache.shape_levee RENAME COLUMN elsewhere TO label"))
    assert answer.status_code == 503 and "SELECT" not in answer.text and "msPostGIS" not in answer.text
    assert "msPostGIS" in caplog.text and key not in caplog.text


@pytest.mark.parametrize("inside", [b"pqe", b"msPostGIS", b"SELECT x", b"connect string"])
def test_an_answer_that_is_no_report_goes_out_whatever_it_holds(inside: bytes) -> None:
    """A key or a name may hold the words by which reports of trouble are known."""
    whole = b"<?xml version='1.0'?><WMS_Capabilities><Exception/>" + inside + b"</WMS_Capabilities>"
    assert legacy.trouble_of(whole) is None
    report = b'<ows:ExceptionReport a="' + inside + b'"><ows:ExceptionText>msWFS: ' + inside + b"</ows:ExceptionText>"
    assert (legacy.trouble_of(report) is None) == (inside == b"pqe")
