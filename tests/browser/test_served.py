"""The demo county as it is served: real process, real database, real browser; nothing is asked of any other machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rivergis import rules, settings
from rivergis.db.connect import Database
from rivergis.jobs import demo
from tests.chromium import Watch
from tests.serving import serving

pytestmark = pytest.mark.browser

Shot = Callable[[Page, str], Path]
NIGHT = demo.NIGHTS[-1]


@pytest.fixture(scope="module")
def served(module_db: Database, data_dir: Path, demo_folder: Path) -> Iterator[str]:
    """The demo county loaded, its nights run, and the service over it: its address."""
    env = {"RIVERGIS_DATA_DIR": str(data_dir), "RIVERGIS_DATABASE": module_db.name, "PATH": "/usr/bin:/bin"}
    s = settings.load(env)
    demo.load(
        module_db, rules.load(s.rules_dir), demo_folder, "local:test",
        rules_dir=s.rules_dir, store_dir=s.store_dir, report_dir=s.report_dir,
    )  # fmt: skip
    with serving(env) as (address, _):
        yield address


def sign_in(page: Page, served: str, name: str = "demo-inspector", path: str = "") -> None:
    page.goto(served + path)
    page.get_by_label("用户名").fill(name)
    page.get_by_label("密码").fill(demo.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(re.escape(served + path) + "$"))


def test_from_the_door_to_the_evidence(page: Page, watch: Watch, served: str, screenshot: Shot) -> None:
    """Five minutes with a bureau chief: sign in, the morning, one lead with pictures and reasons, its place on the map."""
    page.goto(served)
    expect(page).to_have_url(re.compile("/sign-in"))
    screenshot(page, "sign-in")
    sign_in(page, served)
    expect(page.get_by_text("虚构演示数据").first).to_be_visible()
    screenshot(page, "portal")

    lead = page.locator("table a[href^='/findings/']").first
    what = lead.inner_text()
    lead.click()
    expect(page.get_by_role("heading", level=2).first).to_contain_text(what.split(" ")[0])
    pictures = page.locator(".pics img")
    expect(pictures).to_have_count(2)
    for n in range(2):
        expect(pictures.nth(n)).to_have_js_property("complete", True)
    assert pictures.evaluate_all("all => all.every(i => i.naturalWidth > 100)")
    for words in ("涉及条款", "主管部门", "责任河长", "误差", "界线依据", "云溪府发", "未确认", "由人核实后决定"):
        expect(page.get_by_text(words).first).to_be_visible()
    screenshot(page, "lead")

    page.get_by_role("link", name="看地图").click()
    popup = page.locator(".leaflet-popup")
    expect(popup).to_be_visible()
    expect(popup.locator("img")).to_have_count(2)
    screenshot(page, "lead-on-the-map")
    popup.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile("/findings/"))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("maps/county", "云溪县"),
        ("maps/river/YXH", "云溪河"),
        (f"maps/night/{NIGHT}", "疑似问题线索"),
        (f"reports/night/{NIGHT}", "未提示的对象及原因"),
    ],
)
def test_every_page_draws_without_the_outside(
    page: Page, watch: Watch, served: str, screenshot: Shot, path: str, wanted: str
) -> None:
    sign_in(page, served, path=path)
    expect(page.get_by_text(wanted).first).to_be_visible()
    expect(page.get_by_text("仅供核查,不作为行政处罚依据").first).to_be_visible()
    if path.startswith("maps"):
        assert page.locator("path.leaflet-interactive, .rg-pin").count() > 20
    screenshot(page, path.replace("/", "-"))


def test_what_was_not_told_is_told_with_its_reason(page: Page, watch: Watch, served: str) -> None:
    sign_in(page, served, path=f"reports/night/{NIGHT}")
    for reason in ("有许可", "看不清,未判"):
        expect(page.get_by_text(reason).first).to_be_visible()


def test_a_patrol_shows_the_bank_seen_and_the_bank_not_seen(
    page: Page, watch: Watch, served: str, screenshot: Shot
) -> None:
    sign_in(page, served)
    page.locator("tr", has_text="汪汀兰").filter(has_text=str(NIGHT)).get_by_role("link").click()
    for words in ("未巡到的岸段", "左岸已巡", "距离过远看不清", "未到过", "村级河长 汪汀兰"):
        expect(page.get_by_text(words).first).to_be_visible()
    screenshot(page, "patrol")


def test_the_api_documentation_is_drawn_from_own_files(page: Page, watch: Watch, served: str, screenshot: Shot) -> None:
    sign_in(page, served, path="docs")
    expect(page.locator(".opblock")).not_to_have_count(0)
    page.locator(".opblock-summary-control", has_text="/health").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response").first).to_contain_text("200")
    screenshot(page, "docs")


def test_the_portal_goes_by_keyboard_alone(page: Page, watch: Watch, served: str) -> None:
    sign_in(page, served)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('href')"))
    assert {"/maps/county", f"/reports/night/{NIGHT}", f"/maps/night/{NIGHT}"} <= reached


def test_the_portal_fits_a_phone(phone: Page, watch: Watch, served: str, screenshot: Shot) -> None:
    sign_in(phone, served)
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    expect(phone.get_by_role("link", name="全县一张图")).to_be_visible()
    screenshot(phone, "phone")


def test_signing_out_closes_the_door(page: Page, watch: Watch, served: str) -> None:
    sign_in(page, served)
    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(re.compile("/sign-in"))
    page.goto(served + "maps/county")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_an_administrator_sees_no_business(page: Page, watch: Watch, served: str, screenshot: Shot) -> None:
    sign_in(page, served, "demo-admin")
    expect(page.get_by_text("没有业务数据的查看权限")).to_be_visible()
    expect(page.locator("a[href^='/findings/'], a[href^='/maps/']")).to_have_count(0)
    screenshot(page, "administrator")
