"""Large layers on a map in a real browser: vector tiles inside Leaflet, or pictures without WebGL, asked of our own service only."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserType, Page, expect
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from sqlalchemy import text

from rivergis.maps import marks
from rivergis.maps.basemaps import Base
from tests.chromium import DESK, Watch, started
from tests.web.conftest import DIRTY, PASSWORD, Service, service  # noqa: F401 (a fixture)
from tests.web.live import live

pytestmark = pytest.mark.browser

Shot = Callable[[Page, str], Path]
OUTFALL = (29.4003, 106.005)
WATER = (29.4, 106.008)
VIOLET = (155, 107, 184)
"""Colour of outfalls in the palette."""


@pytest.fixture(scope="module")
def served(service: Service) -> Iterator[str]:  # noqa: F811
    """The small county on a real socket; its maps carry nothing themselves, everything comes as tiles."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marks, "MAX_FEATURES", 0)
        with live(service.client.app) as address:
            yield address


@pytest.fixture(scope="module")
def plain_browser(chromium: BrowserType) -> Iterator[Browser]:
    """A Chromium without WebGL, as on an old machine."""
    found = started(chromium, "--disable-3d-apis")
    yield found
    found.close()


@pytest.fixture
def old_page(plain_browser: Browser, watch: Watch) -> Iterator[Page]:
    context = plain_browser.new_context(viewport=DESK, locale="zh-CN")
    watch.on(context)
    yield context.new_page()
    context.close()


def opened(page: Page, served: str, path: str = "/maps/county?on=2026-05-20") -> None:
    page.goto(f"{served}/sign-in?next={path.replace('?', '%3F')}")
    page.get_by_label("用户名").fill("lihua")
    page.get_by_label("密码").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{served}{path}")


def spot(page: Page, place: tuple[float, float]) -> tuple[float, float]:
    """Where a place (latitude, longitude) lies in the window."""
    found = page.evaluate(
        """(place) => { const map = Object.values(window).find((v) => v instanceof L.Map);
           const box = map.getContainer().getBoundingClientRect(), at = map.latLngToContainerPoint(place);
           return [box.x + at.x, box.y + at.y]; }""",
        place,
    )
    return found[0], found[1]


def look(page: Page, place: tuple[float, float], zoom: int) -> None:
    page.evaluate(
        "([place, zoom]) => Object.values(window).find((v) => v instanceof L.Map).setView(place, zoom, {animate: false})",
        [place, zoom],
    )


def near_colour(page: Page, wanted: tuple[int, int, int], place: tuple[float, float]) -> bool:
    x, y = spot(page, place)
    shot = page.screenshot(clip={"x": x - 14, "y": y - 14, "width": 28, "height": 28})
    found = Image.open(io.BytesIO(shot)).convert("RGB").getcolors(1 << 20) or []
    return any(max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) < 30 for _, colour in found)


def wait_for(page: Page, true: Callable[[], bool]) -> None:
    for _ in range(80):
        if true():
            return
        page.wait_for_timeout(250)
    raise AssertionError("it did not come about within 20 s")


def test_tiles_are_drawn_and_a_click_is_answered(page: Page, watch: Watch, served: str, screenshot: Shot) -> None:
    opened(page, served)
    expect(page.locator("canvas.maplibregl-canvas")).to_be_visible()
    look(page, OUTFALL, 16)
    wait_for(page, lambda: near_colour(page, VIOLET, OUTFALL))
    page.mouse.click(*spot(page, OUTFALL))
    popup = page.locator(".leaflet-popup")
    expect(popup.locator("h3")).to_have_text("一号排污口")
    expect(popup.get_by_role("row", name="编码 code P1", exact=True)).to_be_visible()
    screenshot(page, "tiles")
    assert [url for url in watch.requests if ".mvt" in url and "day=2026-05-20" in url]


def test_without_webgl_the_same_layers_come_as_pictures(
    old_page: Page, watch: Watch, served: str, screenshot: Shot
) -> None:
    opened(old_page, served)
    assert old_page.evaluate("document.createElement('canvas').getContext('webgl')") is None
    look(old_page, OUTFALL, 16)
    wait_for(old_page, lambda: near_colour(old_page, VIOLET, OUTFALL))
    old_page.mouse.click(*spot(old_page, OUTFALL))
    expect(old_page.locator(".leaflet-popup h3")).to_have_text("一号排污口")
    screenshot(old_page, "pictures")
    asked = [url for url in watch.requests if url.startswith(f"{served}/tiles/")]
    assert asked and all(".png" in url for url in asked)


def test_dirty_names_in_tiles_are_shown_and_never_run(page: Page, watch: Watch, served: str) -> None:
    opened(page, served)
    look(page, WATER, 16)
    page.wait_for_timeout(1500)
    page.mouse.click(*spot(page, WATER))
    expect(page.locator(".leaflet-popup")).to_contain_text(f"清溪{DIRTY}")
    page.fill("#rg-query", "清溪")
    expect(page.locator("#rg-results .rg-item").first).to_contain_text(DIRTY)
    assert page.locator("img[src=x]").count() == 0


def test_the_keyboard_asks_what_is_in_the_middle_and_switches_layers(page: Page, watch: Watch, served: str) -> None:
    opened(page, served)
    look(page, OUTFALL, 17)
    wait_for(page, lambda: near_colour(page, VIOLET, OUTFALL))
    page.locator(".folium-map").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".leaflet-popup h3")).to_have_text("一号排污口")
    expect(page.locator("#rg-said")).to_contain_text("一号排污口")
    page.keyboard.press("Escape")
    expect(page.locator(".leaflet-popup")).to_have_count(0)
    page.get_by_role("checkbox", name=re.compile("入河排污口")).focus()
    page.keyboard.press("Space")
    wait_for(page, lambda: not near_colour(page, VIOLET, OUTFALL))


def test_the_legend_shows_what_is_in_view(page: Page, watch: Watch, served: str) -> None:
    opened(page, served)
    look(page, OUTFALL, 16)
    row = page.locator('[data-layer="boundary_line"]')
    expect(row.get_by_text("已公告界线")).to_be_visible()
    expect(row.get_by_text("内部草稿")).to_be_hidden(timeout=20_000)
    look(page, (31.0, 110.0), 15)
    expect(row.get_by_text("视野内无")).to_be_visible(timeout=20_000)


def test_a_link_to_a_lead_opens_it(page: Page, watch: Watch, served: str, service: Service) -> None:  # noqa: F811
    opened(page, served)
    page.goto(f"{served}/maps/county?on=2026-05-20#id={service.finding}")
    expect(page.locator(".leaflet-popup h3")).to_contain_text("0+388")


def test_a_place_by_chainage_is_found_in_all_of_the_service(page: Page, watch: Watch, served: str) -> None:
    opened(page, served)
    page.fill("#rg-query", "一号排污")
    result = page.locator("#rg-results button").first
    expect(result).to_contain_text("一号排污口")
    result.click()
    expect(page.locator(".leaflet-popup h3")).to_have_text("一号排污口")
    wait_for(page, lambda: near_colour(page, VIOLET, OUTFALL))


def test_tiles_go_onto_paper_as_a_picture(page: Page, watch: Watch, served: str) -> None:
    opened(page, served)
    look(page, OUTFALL, 16)
    wait_for(page, lambda: near_colour(page, VIOLET, OUTFALL))
    page.evaluate(
        "() => { window.print = () => { window.printed = document.querySelector('.rg-frozen').src.length; }; }"
    )
    page.get_by_text("打印").click()
    page.get_by_role("button", name="A4 横向").click()
    wait_for(page, lambda: page.evaluate("window.printed > 5000"))
    expect(page.locator("#rg-printed")).to_contain_text("2026-05-20 · 约 1:")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".rg-frozen")).to_have_count(0)


def ground(folder: Path, kind: TileType, tile: bytes, **said: object) -> dict[str, Base]:
    """An own file of one tile, the whole world, as base map, shown from the start."""
    with (folder / "ground.pmtiles").open("wb") as file:
        writer = Writer(file)
        writer.write_tile(zxy_to_tileid(0, 0, 0), tile)
        header = dict.fromkeys(
            ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7", "center_lon_e7", "center_lat_e7"), 0
        )
        kinds = {"tile_type": kind, "tile_compression": Compression.NONE}
        writer.finalize({**header, **kinds, "min_zoom": 0, "max_zoom": 0, "center_zoom": 0}, said)
    file_ = folder / "ground.pmtiles"
    name = kind.name.lower()
    base = Base(name, "自有底图", "own", "pmtiles", "渝S(2026)001号", "cgcs2000", file=file_, zooms=(0, 1), shown=True)
    return {name: base}


def test_an_own_vector_file_is_drawn_under_all(
    page: Page,
    watch: Watch,
    served: str,
    service: Service,  # noqa: F811
    tmp_path: Path,
) -> None:
    with service.db.read() as conn:
        square = "SELECT ST_AsMVT(t, 'water') FROM (SELECT ST_MakeEnvelope(0, 0, 4096, 4096) AS geom) t"
        tile = bytes(conn.execute(text(square)).scalar_one())
    with pytest.MonkeyPatch.context() as patch:
        bases = ground(tmp_path, TileType.MVT, tile, vector_layers=[{"id": "water", "fields": {}}])
        patch.setattr(service.client.app.state.basemaps, "bases", bases)
        opened(page, served)
        look(page, (30.5, 107.5), 14)  # out of the county: nothing of ours
        wait_for(page, lambda: near_colour(page, (207, 227, 238), (30.5, 107.5)))
        expect(page.locator("#rg-bases")).to_contain_text("审图号")


def test_a_base_map_shows_its_number_as_long_as_it_is_seen(
    page: Page,
    watch: Watch,
    served: str,
    service: Service,  # noqa: F811
    tmp_path: Path,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        tile = io.BytesIO()
        Image.new("RGB", (256, 256), "#dfe8d0").save(tile, "PNG")
        patch.setattr(service.client.app.state.basemaps, "bases", ground(tmp_path, TileType.PNG, tile.getvalue()))
        opened(page, served)
        expect(page.locator("#rg-bases")).to_have_text("自有底图 审图号:渝S(2026)001号")
        page.get_by_role("checkbox", name=re.compile("自有底图")).uncheck()
        expect(page.locator("#rg-bases")).to_be_hidden()
