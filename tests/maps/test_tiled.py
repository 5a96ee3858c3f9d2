"""Pages with tiles: what they link, what they may ask, and what is refused; layers on two sides of a line."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from rivergis.errors import NotFound, UsageError
from rivergis.maps import assets, atlas, webstyle
from rivergis.maps.atlas import LocalMap
from tests.maps import sketch
from tests.maps.test_atlas import data_of

DAY = date(2026, 5, 20)


def tiled() -> LocalMap:
    return LocalMap("图", "map", assets="/assets", day=DAY).add_tiles(["outfall", "reach"], day=DAY, hidden=("reach",))


def policy_of(html: str) -> str:
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert found
    return found[1]


def test_a_page_with_tiles_carries_its_style_and_its_legend() -> None:
    told = data_of(tiled().html())["tiles"]
    assert [layer["id"] for layer in told["layers"]] == ["reach", "outfall"]
    assert [layer["shown"] for layer in told["layers"]] == [False, True]
    assert told["style"] == json.loads(
        json.dumps(webstyle.style(["reach", "outfall"], query="day=2026-05-20", hidden=("reach",), signs=True))
    )
    for layer in told["layers"]:
        assert [c["code"] for c in layer["classes"]] == [s.code for s in webstyle.classes(layer["id"])]


def test_maplibre_is_linked_only_where_there_are_tiles_and_its_worker_is_a_file() -> None:
    with_tiles, without = tiled().html(), LocalMap("图", "map", assets="/assets").html()
    for name in (*assets.TILES_JS, *assets.TILES_CSS):
        assert assets.url(name, "/assets") in with_tiles and assets.url(name, "/assets") not in without
    assert data_of(with_tiles)["tiles"]["worker"] == assets.url(assets.TILES_WORKER, "/assets")


def test_a_served_page_may_ask_its_own_service_and_a_written_one_nobody() -> None:
    served, written = policy_of(tiled().html()), policy_of(LocalMap("图", "map").html())
    assert "connect-src 'self'; worker-src 'self'" in served
    assert "connect-src" not in written and "worker-src" not in written
    for policy in (served, written):
        assert "unsafe" not in policy and "blob:" not in policy and "http" not in policy
    assert atlas.content_security_policy(tiled().html()) == served


def test_data_cannot_give_a_page_the_right_to_ask() -> None:
    dirty = '<meta name="rivergis-live" content="self">'
    html = sketch.night(sketch.findings(dirty), title_zh=dirty, title_en=dirty, stamp=dirty)
    assert "connect-src" not in policy_of(html)


def test_tiles_need_a_service() -> None:
    with pytest.raises(UsageError, match="service"):
        LocalMap("图", "map").add_tiles(["reach"])


@pytest.mark.parametrize("base", ["https://tiles.example/x", "//tiles.example", "tiles", "/a b"])
def test_tiles_come_from_this_service_only(base: str) -> None:
    with pytest.raises(UsageError, match="path of this service"):
        LocalMap("图", "map", assets="/assets").add_tiles(["reach"], base=base)


def test_only_what_is_served_has_tiles() -> None:
    with pytest.raises(NotFound, match="levee_gap"):
        LocalMap("图", "map", assets="/assets").add_tiles(["levee_gap"])


def test_layers_stand_before_and_after_a_line() -> None:
    line = {"boundary_line": sketch.layers()["boundary_line"]}
    map_ = LocalMap("图", "map").add_layers(line, side="before").add_layers(line, side="after")
    assert [(one["id"], one["side"]) for one in data_of(map_.html())["layers"]] == [
        ("boundary_line@before", "before"), ("boundary_line@after", "after"),
    ]  # fmt: skip
    with pytest.raises(UsageError, match="side"):
        map_.add_layers(line, side="left")


def test_paper_says_internal_unless_it_is_published() -> None:
    assert "内部资料" in LocalMap("图", "map").html()
    assert "内部资料" not in LocalMap("图", "map", confidential=False).html()
