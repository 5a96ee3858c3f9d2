"""Accounts of one county load nothing of another through the old services, PNG tiles and scenes, whatever they ask."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

from rivergis.maps.legacy import mapfile
from rivergis.maps.legacy.mapfile import Ground, Sight
from rivergis.web.legacy import mapserver
from tests.security.counties import SECRET, World

pytestmark = pytest.mark.skipif(mapserver.program() is None, reason="MapServer is not here (scripts/setup --dev)")
LAYERS = (
    "admin_unit", "boundary_area", "boundary_line", "source_zone", "reach", "outfall", "finding", "finding_point", "patrol_track", "patrol_leg",
    "coverage",
)  # fmt: skip


def features(two: World, key: str, layer: str, **more: str) -> list[str]:
    query = {
        "SERVICE": "WFS",
        "VERSION": "2.0.0",
        "REQUEST": "GetFeature",
        "TYPENAMES": layer,
        "OUTPUTFORMAT": "geojson",
        **more,
    }
    answer = two.client.get("/wfs", params=query, headers={"Authorization": f"Bearer {key}"})
    return [str(f) for f in answer.json()["features"]]


def pixels(two: World, key: str, west: float, layers: str, **more: str) -> int:
    box = f"29.39,{west},29.41,{west + 0.02}"
    query = {
        "SERVICE": "WMS",
        "VERSION": "1.3.0",
        "REQUEST": "GetMap",
        "LAYERS": layers,
        "STYLES": "",
        "CRS": "EPSG:4490",
        "BBOX": box,
    }
    query |= {"WIDTH": "300", "HEIGHT": "300", "FORMAT": "image/png", "TRANSPARENT": "TRUE", **more}
    answer = two.client.get("/wms", params=query, headers={"Authorization": f"Bearer {key}"})
    assert answer.headers["content-type"] == "image/png", answer.text
    return int((np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"))[..., 3] > 0).sum())


def test_wfs_hands_out_the_own_county_only(two: World) -> None:
    held = two.a.keys["inspector"]
    for layer in LAYERS:
        assert not [f for f in features(two, held, layer) if SECRET in f or two.b.adcode in f], layer
    assert any(SECRET in f for f in features(two, two.b.keys["inspector"], "outfall"))
    assert len(features(two, held, "outfall")) == len(features(two, two.b.keys["inspector"], "outfall")) >= 1


@pytest.mark.parametrize("trick", [
    {"AREA": ""}, {"rivergis.area": ""}, {"PGOPTIONS": "-c rivergis.area="}, {"connection": "options='-c rivergis.area='"}, {"role": "x"},
    {"FILTER": "<Filter><Or><PropertyIsEqualTo><PropertyName>code</PropertyName><Literal>x' OR '1'='1</Literal></PropertyIsEqualTo></Or></Filter>"},
    {"day": "2026-05-20", "DAY": "2026-05-20') OR true --"}, {"BBOX": "29.0,105.0,30.0,107.0"},
])  # fmt: skip
def test_nothing_in_a_request_widens_the_area(two: World, trick: dict[str, str]) -> None:
    query = {"SERVICE": "WFS", "VERSION": "2.0.0", "REQUEST": "GetFeature", "TYPENAMES": "outfall", **trick}
    answer = two.client.get("/wfs", params=query, headers={"Authorization": f"Bearer {two.a.keys['inspector']}"})
    assert SECRET not in answer.text and answer.status_code in (200, 400)


def test_pictures_show_the_own_county_only(two: World) -> None:
    held, free = two.a.keys["inspector"], two.keys["inspector"]
    for layers in ("reach", "outfall", "boundary_line", "finding", "reach,outfall,boundary_line,finding,patrol_track"):
        assert pixels(two, free, two.b.west, layers) > 0, layers
        assert pixels(two, held, two.b.west, layers) == 0 < pixels(two, held, two.a.west, layers), layers


def test_tiles_and_what_is_remembered_of_them_are_of_the_own_county(two: World) -> None:
    """Also right after somebody who may see it looked at the same tile."""
    lon, n = two.b.west + 0.005, 1 << 14
    y = (1 - np.arcsinh(np.tan(np.radians(29.4))) / np.pi) / 2 * n
    at = f"14/{int((lon + 180) / 360 * n)}/{int(y)}"
    for path in (f"/tiles/reach,outfall/{at}.png",):
        shown = {
            k: two.ask("GET", path, key).content
            for k, key in (("free", two.keys["inspector"]), ("held", two.a.keys["inspector"]))
        }
        seen = {k: (np.asarray(Image.open(io.BytesIO(v)).convert("RGBA"))[..., 3] > 0).any() for k, v in shown.items()}
        assert seen == {"free": True, "held": False}


def test_capabilities_tell_no_box_of_another_county(two: World) -> None:
    held = two.a.keys["inspector"]
    for path in (
        "/wms?SERVICE=WMS&REQUEST=GetCapabilities",
        "/wmts?SERVICE=WMTS&REQUEST=GetCapabilities",
        "/wfs?SERVICE=WFS&REQUEST=GetCapabilities",
    ):
        said = two.ask("GET", path, held).text
        assert SECRET not in said and two.b.adcode not in said
    wmts = two.ask("GET", "/wmts?SERVICE=WMTS&REQUEST=GetCapabilities", held).text
    upper = [float(v) for v in re.findall(r"<ows:Identifier>outfall<|UpperCorner>([\d.]+) ", wmts) if v]
    reach = re.search(
        r"UpperCorner>([\d.]+) [\d.]+</ows:UpperCorner></ows:WGS84BoundingBox><ows:Identifier>reach<", wmts
    )
    assert upper and reach and float(reach[1]) < two.b.west


def test_a_map_file_holds_the_area_in_every_layer() -> None:
    """The first wall; the database's is the second."""
    from rivergis.maps.collections import COLLECTIONS

    ground, names = Ground("dbname='x'", None, {}), tuple(COLLECTIONS)
    for text in (
        mapfile.drawn(Sight(names, "500199"), ground, "2026-05-20"),
        mapfile.told(Sight(names, "500199"), ground, "2026-05-20"),
    ):
        rows = [line for line in text.splitlines() if line.strip().startswith("DATA ")]
        assert len(rows) >= len(names) and all("areas @> ARRAY['500199']" in r for r in rows)
    with pytest.raises(AssertionError):
        Sight(names, "500199'] OR true --")
