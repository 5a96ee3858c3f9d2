"""Every page of the service in a real browser: nothing serious for an accessibility check, fits a phone, works without a mouse.

One small county, one service and one sign-in for all of them. Left out is /docs: Swagger UI as it comes; the same API can be read
at /ogc and in /openapi.json.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from rivergis import settings
from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.maps import marks
from rivergis.web.app import create_app
from tests.chromium import DESK, Watch
from tests.web import conftest, meeting
from tests.web.conftest import MAKER, PASSWORD
from tests.web.live import live

pytestmark = pytest.mark.browser
Shot = Callable[[Page, str], Path]
PHONE = {"width": 390, "height": 844}
AXE = Axe()
DAY = "2026-05-20"
MAPS = (
    "/maps/county", "/maps/river/R1", "/maps/river/R3", f"/maps/night/{DAY}", f"/maps/responsibility?on={DAY}", "/maps/zones",
    "/maps/versions?before=2025-06-30", f"/maps/coverage?from=2026-05-01&to={DAY}", f"/maps/sweep?from=2026-05-01&to={DAY}&unit=500199", "/maps/patrol/{track}",
)  # fmt: skip
PAGES = (
    "/", "/maps", "/wall", "/connect", "/cards/river/R1", "/cards/lead/{finding}", "/imagery", "/account", "/ogc", "/ogc/collections", "/ogc/collections/outfall",
    "/ogc/collections/outfall/items", "/ogc/conformance", "/cases", "/cases/new", "/findings/{finding}", "/boundary", "/patrols", "/patrol/entry", "/feeds", "/look-backs", "/baseline",
    f"/reports/night/{DAY}", "/reports/patrols/2026-05", "/nowhere",
)  # fmt: skip


@pytest.fixture(scope="module")
def county(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Ids of the small county in its database."""
    with module_db.write(MAKER) as conn:
        conftest.ground(conn)
        track = conftest.patrol(conn)
        conftest.night(conn)
        meeting.add(conn)
        finding = conftest.lead(conn, "building", "announced", conftest.DIRTY)
        people.add_user(conn, "lihua", "李华", password=PASSWORD)
        for role in ("inspector", "planner", "reviewer", "duty_person"):
            people.grant(conn, "lihua", role)
    return {"track": track, "finding": str(finding)}


@pytest.fixture(scope="module")
def address(module_db: Database, county: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("data")
    known = settings.load({"RIVERGIS_DATA_DIR": str(folder), "RIVERGIS_DATABASE": module_db.name})
    with live(create_app(module_db, known)) as base:
        yield base


@pytest.fixture(scope="module")
def session(browser: Browser, address: str) -> dict[str, object]:
    """Signed in once by hand: what the browser keeps."""
    context = browser.new_context(viewport=DESK, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.get_by_label("用户名").fill("lihua")
    page.get_by_label("密码").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    kept = context.storage_state()
    context.close()
    return kept  # type: ignore[return-value]


def faults(page: Page) -> list[tuple[str, str]]:
    """What an accessibility check finds serious or critical."""
    found = AXE.run(page, options={"resultTypes": ["violations"], "iframes": False}).response["violations"]
    bad = [v for v in found if v["impact"] in ("serious", "critical")]
    return [(v["id"], str(v["nodes"][0]["target"])) for v in bad]


@pytest.fixture(scope="module")
def phone(browser: Browser, session: dict[str, object]) -> Iterator[Page]:
    watch = Watch()
    context = browser.new_context(viewport=PHONE, locale="zh-CN", is_mobile=True, has_touch=True, storage_state=session)  # type: ignore[arg-type]
    watch.on(context)
    yield context.new_page()
    context.close()
    assert watch.outside == [], "a page asked another machine"


@pytest.mark.parametrize("path", [*PAGES, *MAPS])
def test_a_page_is_accessible_and_fits_a_phone(
    phone: Page, address: str, county: dict[str, str], path: str, screenshot: Shot
) -> None:
    said: list[str] = []
    phone.once("pageerror", lambda error: said.append(str(error)))
    answer = phone.goto(address + path.format(**county))
    assert answer is not None and answer.status == (404 if path == "/nowhere" else 200)
    if path in MAPS:
        phone.wait_for_load_state("networkidle")
    screenshot(phone, f"phone{path.partition('?')[0].replace('/', '-')}")
    assert faults(phone) == [] and said == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "wider than the phone"
    assert phone.evaluate("window.hacked") is None


def test_the_door_is_accessible(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(address)
    assert faults(page) == []
    page.close()


@pytest.fixture
def desk(browser: Browser, session: dict[str, object], watch: Watch) -> Iterator[Page]:
    context = browser.new_context(viewport=DESK, locale="zh-CN", storage_state=session)  # type: ignore[arg-type]
    watch.on(context)
    yield context.new_page()
    context.close()


def tab_to(page: Page, wanted: str, most: int = 60) -> None:
    """Press Tab until what has the focus matches a selector."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", wanted):
            return
    raise AssertionError(f"the keyboard does not reach {wanted}")


def test_from_the_portal_to_a_map_and_a_gap_without_a_mouse(desk: Page, address: str, screenshot: Shot) -> None:
    desk.goto(address)
    tab_to(desk, "a[href='/maps/responsibility']")
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/maps/responsibility")
    tab_to(desk, "#rg-list button")
    desk.keyboard.press("Enter")
    expect(desk.locator(".leaflet-popup")).to_contain_text("无人负责")
    screenshot(desk, "responsibility")


def test_a_form_of_the_list_of_maps_without_a_mouse(desk: Page, address: str) -> None:
    desk.goto(f"{address}/maps")
    tab_to(desk, "form[action='/maps/zones'] button", 80)
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/maps/zones?on=*")
    expect(desk.locator("h1")).to_contain_text("水源保护区与排污口图")


def test_the_slider_between_two_days_moves_with_the_keys(desk: Page, address: str, screenshot: Shot) -> None:
    desk.goto(f"{address}/maps/versions?before=2025-06-30&after={DAY}")
    tab_to(desk, ".rg-swipe", 80)
    before = desk.locator(".rg-swipe-line").bounding_box()
    desk.keyboard.press("End")
    after = desk.locator(".rg-swipe-line").bounding_box()
    assert before and after and after["x"] > before["x"] + 200
    screenshot(desk, "versions")


def test_two_rivers_of_one_name_are_both_found(desk: Page, address: str) -> None:
    desk.goto(f"{address}/maps/county")
    desk.fill("#rg-query", "清溪")
    expect(desk.locator("#rg-results button").nth(1)).to_be_visible()
    assert desk.evaluate("window.hacked") is None


def test_what_does_not_fit_a_page_comes_as_tiles(
    browser: Browser, session: dict[str, object], address: str, monkeypatch: pytest.MonkeyPatch, screenshot: Shot
) -> None:
    monkeypatch.setattr(marks, "MAX_FEATURES", 5)
    context = browser.new_context(viewport=DESK, locale="zh-CN", storage_state=session)  # type: ignore[arg-type]
    watch = Watch()
    watch.on(context)
    page = context.new_page()
    page.goto(f"{address}/maps/county")
    page.wait_for_load_state("networkidle")
    tiles = {url.partition("/tiles/")[2].partition("/")[0] for url in watch.requests if "/tiles/" in url}
    drawn = page.locator("#rg-layers [data-layer]").evaluate_all("rows => rows.map((r) => r.dataset.layer)")
    assert "boundary_line" in ",".join(tiles) and {"boundary_line", "finding"} <= set(drawn)
    assert faults(page) == [] and watch.outside == []
    screenshot(page, "county-tiles")
    context.close()


def test_what_strangers_see_is_accessible_and_has_its_number(
    browser: Browser, module_db: Database, county: dict[str, str], tmp_path: Path
) -> None:
    known = settings.load({"RIVERGIS_DATA_DIR": str(tmp_path), "RIVERGIS_DATABASE": module_db.name})
    with live(create_app(module_db, replace(known, public="渝S(2026)001号"))) as base:
        context = browser.new_context(viewport=PHONE, locale="zh-CN")
        watch = Watch()
        watch.on(context)
        page = context.new_page()
        for path in ("/", "/maps/public"):
            page.goto(base + path)
            page.wait_for_load_state("networkidle")
            expect(page.locator("body")).to_contain_text("渝S(2026)001号")
            assert faults(page) == []
        assert page.goto(base + "/maps/county").url.startswith(f"{base}/sign-in")  # type: ignore[union-attr]
        context.close()
    assert watch.outside == [], "a page asked another machine"
