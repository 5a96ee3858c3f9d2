"""Pages: what data says stays data, the page may do only what stands in it, equal data give equal pages."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from rivergis import lead
from rivergis.errors import NotFound, UsageError
from rivergis.maps import atlas
from tests.maps import sketch

# what dirty names try: markup, attributes, the end of a data block, templates of two kinds
NASTY = [
    "<script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "</script><script>window.hacked=1</script>",
    "{{ 7*7 }}{% for x in y %}",
    "${7*7}`'\"&lt;",
    "<!--<script>",
    "@policy@",
]


def data_of(html: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="rg-data">(.*?)</script>', html, re.DOTALL)[1])


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("assets", ["inline", "/assets/vendor"])
def test_dirty_names_stay_text(name: str, assets: str) -> None:
    said = {"title_zh": name, "title_en": "x", "stamp": name, "assets": assets}
    html = sketch.night(sketch.findings(name), **said)
    finding = data_of(html)["layers"][-1]["features"][0]
    assert finding["label"] == name
    assert finding["popup"][2][2] == name
    plain = sketch.night(sketch.findings(), title_zh="a", title_en="x", stamp="b", assets=assets)
    for tag in ("<script", "<img", "<!--"):
        assert html.count(tag) == plain.count(tag)


def test_the_page_may_run_only_what_stands_in_it() -> None:
    html = atlas.county_map(sketch.layers(), **sketch.TITLE)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert scripts
    for script in scripts:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy
    assert "unsafe" not in policy and "http" not in policy
    assert "default-src 'none'" in policy


def test_linked_pages_link_only_under_their_prefix() -> None:
    html = atlas.county_map(sketch.layers(), assets="/assets/vendor", **sketch.TITLE)
    assert len(html) < 60_000
    addresses = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]+)"', html)
    assert len(addresses) >= 5
    assert all(a.startswith(("/assets/vendor/", "data:")) for a in addresses)


@pytest.mark.parametrize("assets", ["https://cdn.example/x", "//cdn.example", "vendor", '/a"onload="x'])
def test_front_end_files_come_from_this_service_only(assets: str) -> None:
    with pytest.raises(UsageError, match="assets"):
        atlas.county_map({}, assets=assets, **sketch.TITLE)


def test_equal_data_give_equal_pages() -> None:
    first, second = (sketch.night(sketch.findings(), **sketch.TITLE) for _ in range(2))
    assert first == second


def test_every_page_says_what_it_is_not_for() -> None:
    html = atlas.county_map({}, stamp=sketch.STAMP, **sketch.TITLE)
    assert lead.DISCLAIMER_ZH in html and lead.DISCLAIMER_EN in html
    assert html.count(sketch.STAMP) >= 3


def test_layers_are_drawn_in_the_order_of_the_palette_and_empty_ones_left_out() -> None:
    layers = sketch.layers() | {"levee": sketch.frame()}
    data = data_of(atlas.county_map(layers, hidden=("outfall",), **sketch.TITLE))
    assert [one["id"] for one in data["layers"]] == ["admin_unit", "water_area", "reach", "boundary_line", "outfall"]
    assert [one["id"] for one in data["layers"] if not one["shown"]] == ["outfall"]


def test_a_layer_nobody_knows_is_refused_also_when_empty() -> None:
    with pytest.raises(NotFound, match="volcano"):
        atlas.county_map({"volcano": sketch.frame()}, **sketch.TITLE)


def test_a_night_without_leads_says_so() -> None:
    data = data_of(sketch.night(sketch.findings().head(0), **sketch.TITLE))
    assert (data["list"], data["list_title"]["zh"]) == ("finding", "疑似问题线索")


def test_an_empty_map_looks_at_the_country() -> None:
    assert data_of(atlas.county_map({}, **sketch.TITLE))["bounds"] == [[18.0, 73.5], [53.6, 135.1]]
