"""A pocket map on a telephone: it opens from a file without network, answers what is here, and keeps what it was told to keep."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from shapely import Point, box

from rivergis.maps.pocket import pack as pocket_pack
from rivergis.maps.pocket import page as pocket_page
from tests.chromium import Watch
from tests.maps import sketch
from tests.maps.test_atlas import NASTY
from tests.maps.test_pocket_pack import PAPER

pytestmark = pytest.mark.browser

Shot = Callable[[Page, str], Path]
Opened = Callable[..., str]
PASSPHRASE = "水清岸绿 2026 long"
READY = "html[data-ready]"


def layers(name: str = "YXH-L-001") -> dict:
    ground = sketch.layers()
    ground["stake"] = sketch.frame(Point(106.0, 29.403), label=[f"界桩 {name}"], popup=[[("编码", "code", name)]])
    ground["source_zone"] = sketch.frame(box(106.012, 29.396, 106.02, 29.404), cls=["1"], label=["清溪水源地"])
    work = sketch.frame(
        Point(106.0, 29.4005), label=["云溪河 左岸 2+700 · 2 条线索待核"], popup=[[("村(社区)", "village", "鹭洲村")]]
    )
    ground["work_lead"] = work.assign(n=2)
    return ground


@pytest.fixture
def put(tmp_path: Path) -> Opened:
    """Writes a page and gives its address."""

    def written(
        paper: pocket_page.Paper = PAPER,
        passphrase: str | None = None,
        name: str = "YXH-L-001",
        change: tuple[str, str] = ("", ""),
    ) -> str:
        made = layers(name)
        contents = pocket_page.contents(made, sketch.BOUNDS, ("boundary_area",))
        html = pocket_page.page(pocket_pack.pack(made, contents, 5_000_000), paper, passphrase)
        file = tmp_path / "pocket.html"
        file.write_text(html.replace(*change, 1) if change[0] else html, encoding="utf-8")
        return file.as_uri()

    return written


LONG = replace(PAPER, expires_on=date(2999, 1, 1))


def spot(page: Page, lon: float, lat: float) -> tuple[float, float]:
    """Where a place lies in the window: the map shows the whole district, its middle in the middle."""
    view = page.locator("#map").bounding_box()
    assert view
    west, south, east, north = sketch.BOUNDS
    per_degree = view["width"] * 0.86 / (east - west)
    x = view["x"] + view["width"] / 2 + (lon - (west + east) / 2) * per_degree
    return x, view["y"] + view["height"] / 2 - (lat - (south + north) / 2) * per_degree / 0.8712


def test_it_opens_from_a_memory_card_without_network(phone: Page, watch: Watch, put: Opened, screenshot: Shot) -> None:
    phone.context.set_offline(True)
    address = put(LONG)
    phone.goto(address)
    expect(phone.locator(READY)).to_be_attached()
    assert [url for url in watch.requests if not url.startswith("data:")] == [address]
    expect(phone.locator("footer")).to_contain_text("王工 2026-05-21制 2999-01-01到期")
    expect(phone.locator("footer")).to_contain_text("未概化")
    ink = phone.evaluate("""() => { const c = document.getElementById("veil"); const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n / (d.length / 4); }""")
    assert ink > 0.005, "the watermark stands across the map"
    for button in phone.locator("#bar button, #zoom button, #search button").all():
        size = button.bounding_box()
        assert size and size["height"] >= 44 and size["width"] >= 44
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    screenshot(phone, "pocket")


def test_a_tap_says_what_is_here(phone: Page, put: Opened, screenshot: Shot) -> None:
    phone.goto(put(LONG))
    phone.wait_for_selector(READY, state="attached")
    phone.touchscreen.tap(*spot(phone, 106.003, 29.4022))
    said = phone.locator("#sheet-body")
    # 13/20 of the upper reach, which goes from 2+000 to 3+500; 0.0022 degrees of latitude
    expect(said).to_contain_text("云溪河 2+97")
    expect(said).to_contain_text("左岸")
    expect(said).to_contain_text("距中心线 24")
    expect(said).to_contain_text("界桩 YXH-L-001")
    expect(said).to_contain_text("距管理范围线(已公告界线)8")
    expect(said).to_contain_text("栖云镇")
    screenshot(phone, "pocket-here")
    phone.locator("#close").tap()
    phone.locator("#whole").tap()
    phone.touchscreen.tap(*spot(phone, 106.016, 29.3985))
    expect(said).to_contain_text("一级保护区 清溪水源地")


def test_search_by_name_number_and_chainage(phone: Page, put: Opened) -> None:
    phone.goto(put(LONG))
    phone.wait_for_selector(READY, state="attached")
    for asked, found in (
        ("东桥", "东桥排污口"),
        ("YXH-L", "界桩 YXH-L-001"),
        ("云溪河 4+250", "云溪河 4+250"),
        ("k2+750", "云溪河 2+750"),
    ):
        phone.locator("#query").fill(asked)
        phone.locator("#query").press("Enter")
        expect(phone.locator("#sheet-title")).to_contain_text(found.split(" ")[-1] if "+" not in found else "云溪河")
        phone.locator("#close").tap()
    phone.locator("#query").fill("没有的东西")
    expect(phone.locator("#sheet-body")).to_contain_text("没有找到")


def test_work_layers_and_about_are_told(phone: Page, put: Opened) -> None:
    phone.goto(put(replace(LONG, sensitive=("cases",))))
    phone.wait_for_selector(READY, state="attached")
    expect(phone.locator("#task-count")).to_have_text("2")
    phone.locator("#tasks").tap()
    phone.locator("#sheet-body .entry").first.tap()
    expect(phone.locator("#sheet-title")).to_contain_text("2 条线索待核")
    phone.locator("#layers").tap()
    box_ = phone.locator("#sheet-body input[type=checkbox]").first
    expect(box_).to_be_checked()
    expect(phone.locator("#sheet-body .note").first).to_contain_text("未概化")
    phone.locator("#about").tap()
    for said in ("王工", "2999-01-01", "线索与在办问题详情", "提醒,不是保护", "试验县 500199"):
        expect(phone.locator("#sheet-body")).to_contain_text(said)


def test_own_position_and_distances(phone: Page, put: Opened) -> None:
    phone.context.grant_permissions(["geolocation"])
    phone.context.set_geolocation({"longitude": 106.0, "latitude": 29.3985, "accuracy": 12})
    phone.goto(put(LONG))
    phone.wait_for_selector(READY, state="attached")
    phone.locator("#locate").tap()
    expect(phone.locator("#say")).to_contain_text("定位误差约 12 m · 云溪河 2+750 右岸")
    phone.locator("#locate").tap()
    phone.locator("#whole").tap()
    phone.locator("#measure").tap()
    phone.touchscreen.tap(*spot(phone, 106.0, 29.398))
    phone.touchscreen.tap(*spot(phone, 106.01, 29.398))
    expect(phone.locator("#say")).to_contain_text("全长 0.97")  # of a hundredth of a degree of longitude at 29.4 N


def test_a_position_that_is_refused_is_told(phone: Page, put: Opened) -> None:
    phone.context.clear_permissions()
    phone.goto(put(LONG))
    phone.wait_for_selector(READY, state="attached")
    phone.evaluate("() => { navigator.geolocation.watchPosition = (ok, no) => { no({ code: 1 }); return 1; }; }")
    phone.locator("#locate").tap()
    expect(phone.locator("#say")).to_contain_text("没有得到定位许可")


def test_nothing_in_a_name_runs(phone: Page, put: Opened) -> None:
    name = " ".join(NASTY)
    phone.goto(put(replace(LONG, holder=name, made_by=name, district_name=name), name=name))
    phone.wait_for_selector(READY, state="attached")
    phone.locator("#query").fill("界桩")
    phone.locator("#query").press("Enter")
    expect(phone.locator("#sheet-title")).to_have_text(f"界桩 {name}")
    expect(phone.locator("#sheet-body td").first).to_have_text(name)
    phone.locator("#about").tap()
    expect(phone.locator("h1")).to_contain_text(name)
    assert phone.evaluate("window.hacked") is None


def test_a_browser_without_the_stream_unpacks_it_all_the_same(phone: Page, put: Opened) -> None:
    phone.add_init_script("delete window.DecompressionStream")
    phone.goto(put(LONG))
    expect(phone.locator(READY)).to_be_attached()
    assert phone.evaluate("'DecompressionStream' in window") is False


def test_a_sealed_map_opens_with_its_passphrase_only(phone: Page, put: Opened) -> None:
    phone.goto(put(LONG, PASSPHRASE))
    expect(phone.locator("#gate")).to_contain_text("已加密")
    phone.locator("#passphrase").fill("wrong passphrase")
    phone.locator("#gate button").tap()
    expect(phone.locator(".told")).to_contain_text("口令不对")
    assert phone.locator(READY).count() == 0
    phone.locator("#passphrase").fill(PASSPHRASE)
    phone.locator("#gate button").tap()
    expect(phone.locator(READY)).to_be_attached()


def test_the_days_of_a_sealed_map_cannot_be_changed(phone: Page, put: Opened) -> None:
    phone.goto(put(LONG, PASSPHRASE, change=('"expires_on":"2999-01-01"', '"expires_on":"2999-12-31"')))
    phone.locator("#passphrase").fill(PASSPHRASE)
    phone.locator("#gate button").tap()
    expect(phone.locator(".told")).to_contain_text("已被改动")


@pytest.mark.parametrize(("days", "open_"), [(-1, False), (0, True)])
def test_after_its_last_day_it_hides_the_data_and_says_what_that_is_worth(
    phone: Page, put: Opened, days: int, open_: bool
) -> None:
    today = (datetime.now(UTC) + timedelta(hours=8)).date()
    phone.goto(put(replace(PAPER, expires_on=today + timedelta(days=days))))
    if open_:
        expect(phone.locator(READY)).to_be_attached()
        return
    expect(phone.locator("#gate")).to_contain_text("到期")
    expect(phone.locator("#gate")).to_contain_text("不是保护")
    assert phone.locator("#pocket-data").count() == 0 and phone.locator(READY).count() == 0


def test_keyboard_alone(page: Page, put: Opened) -> None:
    page.goto(put(LONG))
    page.wait_for_selector(READY, state="attached")
    page.locator("#map").focus()
    before = page.evaluate("document.getElementById('scale').textContent")
    for _ in range(4):
        page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#scale")).not_to_have_text(before)
    page.keyboard.press("Enter")
    expect(page.locator("#sheet")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#sheet")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "map"


def test_nothing_stands_in_the_way_of_who_sees_or_hears_less(phone: Page, put: Opened) -> None:
    from axe_playwright_python.sync_playwright import Axe

    phone.goto(put(LONG))
    phone.wait_for_selector(READY, state="attached")
    for panel in ("#tasks", "#layers", "#about"):
        phone.locator(panel).tap()
        # the page's own policy lets no other script in: axe comes by the debugger
        found = json.loads(json.dumps(Axe().run(phone).response["violations"]))
        assert [(v["id"], [n["html"] for n in v["nodes"]][:2]) for v in found] == []
