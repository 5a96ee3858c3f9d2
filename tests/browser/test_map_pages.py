"""Maps in a real browser: nothing asked of anyone, Chinese readable, everything reachable by hand, eye and keyboard."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import folium
import pytest
from branca.element import JavascriptLink
from PIL import Image
from playwright.sync_api import Page, expect

from rivergis.maps import assets, atlas, marks
from tests.chromium import Watch
from tests.maps import sketch
from tests.maps.test_atlas import NASTY

pytestmark = pytest.mark.browser

Shot = Callable[[Page, str], Path]


def put(folder: Path, html: str) -> str:
    """The page as a file, and its address."""
    file = folder / "map.html"
    file.write_text(html, encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def night(tmp_path: Path) -> str:
    return put(tmp_path, sketch.night(sketch.findings(), stamp=sketch.STAMP, **sketch.TITLE))


def test_a_written_page_opens_without_network(page: Page, watch: Watch, night: str, screenshot: Shot) -> None:
    page.context.set_offline(True)
    page.goto(night)
    expect(page.locator(".rg-pin")).to_have_count(2)
    assert [url for url in watch.requests if not url.startswith("data:")] == [night]
    screenshot(page, "night")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """A plain file server: the page at /map.html, the front-end files where a linked page looks for them."""
    (tmp_path / "map.html").write_text(
        atlas.county_map(sketch.layers(), assets="/assets/vendor", stamp=sketch.STAMP, **sketch.TITLE), encoding="utf-8"
    )
    (tmp_path / "basemap.json").write_text('{"bases": []}')

    class Files(SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            bare = path.partition("?")[0]
            for prefix, folder in assets.mounts("/assets/vendor"):
                if bare.startswith(prefix + "/"):
                    return str(folder / bare.removeprefix(prefix + "/"))
            return super().translate_path(path)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_linked_page_takes_all_it_needs_from_its_own_service(page: Page, watch: Watch, service: str) -> None:
    page.goto(f"{service}/map.html")
    expect(page.locator(".rg-triangle")).to_have_count(2)
    own = [url for url in watch.requests if not url.startswith("data:")]
    assert len(own) == 2 + len(assets.MAP_JS) + len(assets.MAP_CSS)  # it also asks which base maps there are


def test_chinese_is_drawn_with_real_glyphs(page: Page, night: str) -> None:
    page.goto(night)
    ink = page.evaluate("""() => {
        const draw = (letter) => {
            const canvas = document.createElement("canvas");
            canvas.width = canvas.height = 48;
            const pen = canvas.getContext("2d", { willReadFrequently: true });
            pen.font = `36px ${getComputedStyle(document.querySelector(".rg-top h1")).fontFamily}`;
            pen.fillText(letter, 4, 38);
            return pen.getImageData(0, 0, 48, 48).data.join();
        };
        return ["河", "湖", "岸", "\\u{10FFFD}"].map(draw);
    }""")
    assert len(set(ink)) == 4, "different characters must look different, and none like the box for a missing one"


def test_a_click_on_a_lead_tells_about_it_in_both_languages(page: Page, night: str, screenshot: Shot) -> None:
    page.goto(night)
    page.locator(".rg-pin").first.click()
    popup = page.locator(".leaflet-popup")
    expect(popup.locator("h3")).to_have_text("新增 堆放物")
    expect(popup).to_contain_text("线内面积 m² area inside the line, m²")
    expect(popup).to_contain_text("《防洪法》第二十二条")
    screenshot(page, "night_popup")


@pytest.mark.parametrize("name", NASTY)
def test_dirty_names_are_shown_and_never_run(page: Page, tmp_path: Path, name: str) -> None:
    layers = sketch.layers()
    layers["reach"] = layers["reach"].assign(text=name, label=name, river=name)
    page.goto(put(tmp_path, sketch.night(sketch.findings(name), layers, title_zh=name, title_en=name, stamp=name)))
    page.locator("#rg-list button").first.click()
    expect(page.locator(".leaflet-popup h3")).to_have_text(name)
    page.fill("#rg-query", name[:6])
    expect(page.locator("#rg-results .rg-item").first).to_contain_text(name)
    expect(page.locator(".rg-top h1")).to_have_text(name)
    page.locator(".rg-pin").last.hover()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0


def test_layers_are_switched_on_and_off(page: Page, night: str) -> None:
    page.goto(night)
    switch = page.locator('[data-layer="outfall"] input')
    switch.uncheck()
    expect(page.locator(".rg-triangle")).to_have_count(0)
    switch.check()
    expect(page.locator(".rg-triangle")).to_have_count(2)


def test_a_hidden_layer_starts_off_and_a_search_result_turns_it_on(page: Page, tmp_path: Path) -> None:
    page.goto(put(tmp_path, atlas.county_map(sketch.layers(), hidden=("outfall",), **sketch.TITLE)))
    expect(page.locator(".rg-triangle")).to_have_count(0)
    page.fill("#rg-query", "东桥")
    page.locator("#rg-results button").click()
    expect(page.locator(".rg-triangle")).to_have_count(2)
    expect(page.locator(".leaflet-popup h3")).to_have_text("东桥排污口")


def test_the_legend_names_only_what_is_there(page: Page, night: str) -> None:
    page.goto(night)
    legend = page.locator("#rg-layers")
    expect(legend.locator('[data-layer="boundary_line"] li')).to_have_count(2)
    expect(legend).to_contain_text("已公告界线")
    expect(legend).not_to_contain_text("替代边界")


def test_the_keyboard_reaches_and_works_the_layers(page: Page, night: str) -> None:
    page.goto(night)
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type === 'checkbox'"):
            break
    assert page.evaluate("document.activeElement.closest('[data-layer]').dataset.layer") == "finding"
    page.keyboard.press("Space")
    expect(page.locator(".rg-pin")).to_have_count(0)


@pytest.mark.parametrize(
    ("query", "label", "lon"),
    [
        ("2+750", "云溪河 2+750", 106.0),
        ("云溪河 K4+250", "云溪河 4+250", 106.02),
        ("云溪河4+250", "云溪河 4+250", 106.02),
    ],
)
def test_a_chainage_is_found_on_its_river(page: Page, night: str, query: str, label: str, lon: float) -> None:
    """
    2+000 ---- 2+750 ---- 3+500 ---- 4+250 ---- 5+000
    105.99     106.00     106.01     106.02     106.03
    """
    page.goto(night)
    page.fill("#rg-query", query)
    page.keyboard.press("Enter")
    expect(page.locator(".leaflet-popup h3")).to_have_text(label)
    spot = page.locator(".leaflet-rg-signs-pane path.leaflet-interactive").bounding_box()
    pin = page.locator(".leaflet-popup-tip-container").bounding_box()
    assert abs((spot["x"] + spot["width"] / 2) - (pin["x"] + pin["width"] / 2)) < 3
    page.mouse.move(spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2)
    shown = float(page.locator("#rg-where").inner_text().partition("°")[0])
    assert shown == pytest.approx(lon, abs=2e-4)


def test_a_search_for_nothing_says_so(page: Page, night: str) -> None:
    page.goto(night)
    page.fill("#rg-query", "9+999")
    expect(page.locator("#rg-results")).to_contain_text("没有找到")


def test_a_link_opens_its_lead(page: Page, night: str) -> None:
    page.goto(f"{night}#id=lead-b")
    expect(page.locator(".leaflet-popup h3")).to_have_text("持续 建筑物")


def test_the_stamp_lies_over_the_map(page: Page, night: str) -> None:
    page.goto(night)
    stamp, stage = page.locator(".rg-stamp").bounding_box(), page.locator("#rg-stage").bounding_box()
    assert stamp == stage
    expect(page.locator(".rg-badge")).to_have_text(sketch.STAMP)
    on_top = page.evaluate("""() => {
        const stage = document.getElementById("rg-stage").getBoundingClientRect();
        const hit = document.elementsFromPoint(stage.left + 200, stage.top + 200);
        return hit.some((e) => e.closest(".rg-stamp"));
    }""")
    assert not on_top, "the stamp must not catch the pointer"


def test_no_flag_and_no_advertisement(page: Page, night: str) -> None:
    page.goto(night)
    expect(page.locator(".leaflet-control-attribution")).to_have_count(0)
    expect(page.locator("body")).not_to_contain_text("Leaflet")


def test_on_a_telephone_the_panel_opens_and_a_lead_can_be_read(phone: Page, night: str, screenshot: Shot) -> None:
    phone.goto(night)
    expect(phone.locator("#rg-panel")).to_be_hidden()
    screenshot(phone, "night_phone")
    phone.tap("#rg-toggle")
    phone.locator("#rg-list button").nth(1).tap()
    expect(phone.locator("#rg-panel")).to_be_hidden()
    box = phone.locator(".leaflet-popup").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    screenshot(phone, "night_phone_popup")


def test_two_images_are_compared_with_a_slider(page: Page, tmp_path: Path, screenshot: Shot) -> None:
    two = [
        marks.Picture("前 2026-03-01", "before", sketch.picture(60), *sketch.BOUNDS, role="before"),
        marks.Picture("后 2026-05-18", "after", sketch.picture(200), *sketch.BOUNDS, role="after"),
    ]
    page.goto(put(tmp_path, sketch.night(sketch.findings(), pictures=two, **sketch.TITLE)))
    stage = page.locator("#rg-stage").bounding_box()
    middle = stage["y"] + stage["height"] * 0.36

    def colour(share: float) -> int:
        shot = page.screenshot(clip={"x": stage["x"] + stage["width"] * share, "y": middle, "width": 1, "height": 1})
        return _red(shot)

    left, right = colour(0.25), colour(0.75)
    assert left < right - 40
    slider = page.get_by_label("前后影像对比")
    slider.focus()
    slider.press("End")
    line = page.locator(".rg-swipe-line").bounding_box()
    assert line["x"] > stage["x"] + stage["width"] - 40
    assert colour(0.75) == left
    screenshot(page, "swipe")


def _red(png: bytes) -> int:
    return Image.open(io.BytesIO(png)).convert("RGB").getpixel((0, 0))[0]


def test_a_folium_marker_of_a_notebook_shows_its_picture(page: Page, tmp_path: Path) -> None:
    local = atlas.LocalMap(**sketch.TITLE).add_layers(sketch.layers()).look_at(sketch.BOUNDS)
    folium.Marker([29.4, 106.01]).add_to(local)
    page.goto(put(tmp_path, local.html()))
    icon = page.locator("img.leaflet-marker-icon")
    expect(icon).to_have_count(1)
    assert icon.evaluate("node => node.naturalWidth") in (25, 50)


def test_a_script_from_elsewhere_is_refused_by_the_page_itself(page: Page, watch: Watch, tmp_path: Path) -> None:
    local = atlas.LocalMap(**sketch.TITLE).look_at(sketch.BOUNDS)
    local.page.header.add_child(JavascriptLink("https://cdn.example/plugin.js"))
    stopped: list[str | None] = []
    page.on("requestfailed", lambda request: stopped.append(request.failure))
    page.goto(put(tmp_path, local.html()))
    assert stopped == ["csp"], "the policy stops it before it reaches the network"
    assert all("Content Security Policy" in said for said in watch.complaints)
    watch.requests.clear()
    watch.complaints.clear()


def test_printed_on_one_sheet_with_its_stamp_and_its_caveat(page: Page, night: str, tmp_path: Path) -> None:
    page.goto(night)
    page.pdf(path=tmp_path / "map.pdf", prefer_css_page_size=True)
    assert (tmp_path / "map.pdf").read_bytes().count(b"/Type /Page\n") == 1
