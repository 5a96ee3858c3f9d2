"""A case from found to closed in a real browser whose scripts are switched off: an inspector's telephone, a reviewer's desk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from rivergis.db import people
from rivergis.db.connect import Database
from tests.chromium import PHONE, Watch
from tests.intake.test_photo import gps, picture, scenery
from tests.serving import serving
from tests.web.conftest import MAKER, PASSWORD, ground, lead, night

pytestmark = pytest.mark.browser

Shot = Callable[[Page, str], Path]
WIDE = {"width": 1280, "height": 900}
DUE = str(date.today() + timedelta(days=5))


@dataclass(frozen=True)
class Walk:
    """The service, its lead, and a photo from the place."""

    address: str
    lead: str
    photo: Path


@pytest.fixture(scope="module")
def walk(module_db: Database, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with module_db.write(MAKER) as conn:
        ground(conn)
        night(conn)
        case = lead(conn, "building", "announced", "岸边彩钢棚")
        for name, role in (("zhangsan", "inspector"), ("lisi", "reviewer")):
            people.add_user(conn, name, {"zhangsan": "张三", "lisi": "李四"}[name], password=PASSWORD)
            people.grant(conn, name, role)
    photo = picture(
        tmp_path_factory.mktemp("p") / "整改后.jpg",
        gps(106.0043, 29.4004),
        taken="2026:05:30 09:00:00",
        image=scenery(),
    )
    env = {"RIVERGIS_DATA_DIR": str(data_dir), "RIVERGIS_DATABASE": module_db.name, "PATH": "/usr/bin:/bin"}
    with serving(env) as (address, _):
        yield Walk(address.rstrip("/"), str(case), photo)


@pytest.fixture
def hands(browser: Browser, watch: Watch) -> Iterator[Callable[[dict[str, int], str, str], Page]]:
    """Opens a browser without scripts for somebody who signs in."""
    contexts = []

    def sign_in(size: dict[str, int], address: str, name: str) -> Page:
        context = browser.new_context(viewport=size, locale="zh-CN", java_script_enabled=False)  # type: ignore[arg-type]
        contexts.append(context)
        watch.on(context)
        page = context.new_page()
        page.goto(f"{address}/cases")
        page.get_by_label("用户名").fill(name)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        expect(page).to_have_url(re.compile("/cases$"))
        return page

    yield sign_in
    for context in contexts:
        context.close()


def opened(page: Page, move: str):  # type: ignore[no-untyped-def]
    """The form of a move, opened."""
    box = page.locator(f"#move-{move}")
    if box.get_attribute("open") is None:
        box.locator("> summary").click()
    return box


def wide_enough(page: Page, size: dict[str, int]) -> None:
    """Nothing sticks out to the right of the screen."""
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_found_to_closed_without_scripts(
    walk: Walk, hands: Callable[[dict[str, int], str, str], Page], screenshot: Shot
) -> None:
    phone = hands(PHONE, walk.address, "zhangsan")
    screenshot(phone, "cases-phone")
    wide_enough(phone, PHONE)
    phone.get_by_role("link", name=walk.lead[:8]).click()
    screenshot(phone, "case-found-phone")
    wide_enough(phone, PHONE)

    form = opened(phone, "judge_problem")
    form.get_by_label("原因").fill("现场核实,确为彩钢棚")
    screenshot(phone, "judge-phone")
    form.get_by_role("button", name="认定问题").click()
    expect(phone.locator(".way [aria-current]")).to_have_text("问题")

    form = opened(phone, "assign")
    form.get_by_label("整改期限").first.fill(DUE)
    form.get_by_label("整改措施").fill("拆除彩钢棚,恢复岸坡")
    form.locator("[name=unit-0]").fill("试验镇人民政府")
    form.locator("[name=person-0]").fill("王五")
    form.get_by_text("更多单位").click()
    form.locator("[name=unit-1]").fill("县水利局")
    screenshot(phone, "assign-phone")
    form.get_by_role("button", name="交办").click()
    expect(phone.get_by_text("试验镇人民政府").first).to_be_visible()

    form = opened(phone, "unit_done")
    form.locator("select[name=unit]").select_option("县水利局")
    form.locator("[name=evidence]").set_input_files(walk.photo)
    form.get_by_role("button", name="单位完成整改").click()
    form = opened(phone, "rectify")
    form.locator("[name=evidence]").set_input_files(walk.photo)
    form.get_by_role("button", name="整改完成").click()
    expect(phone.locator(".way [aria-current]")).to_have_text("已整改待验收")
    expect(phone.locator("#move-accept")).to_have_count(0)
    screenshot(phone, "case-rectified-phone")
    wide_enough(phone, PHONE)

    desk = hands(WIDE, walk.address, "lisi")
    screenshot(desk, "cases-desk")
    desk.get_by_role("link", name=re.compile("待验收")).first.click()
    desk.get_by_role("link", name=re.compile(r"500199|000000")).click()
    screenshot(desk, "case-to-accept-desk")
    shown = desk.locator(".pics img")
    expect(shown).to_have_count(1)
    expect(desk.get_by_text("早于交办").or_(desk.get_by_text("处疑点")).first).to_be_visible()
    form = opened(desk, "accept")
    form.get_by_label("原因").fill("现场验收合格")
    form.get_by_role("checkbox").check()
    form.get_by_role("button", name="验收通过").click()
    form = opened(desk, "close")
    form.get_by_label("原因").fill("县内销号")
    form.get_by_role("button", name="县内销号").click()
    expect(desk.locator(".way [aria-current]")).to_have_text("县内销号")
    expect(desk.locator(".events li")).to_have_count(6)
    screenshot(desk, "case-closed-desk")

    phone.goto(f"{walk.address}/cases")
    expect(phone.get_by_text("没有符合条件的事项")).to_be_visible()


def test_a_form_left_open_is_told_what_happened(
    walk: Walk,
    module_db: Database,
    watch: Watch,
    hands: Callable[[dict[str, int], str, str], Page],
    screenshot: Shot,
) -> None:
    with module_db.write(MAKER) as conn:
        other = lead(conn, "dump", "announced", "弃土")
    one, two = (hands(WIDE, walk.address, "zhangsan") for _ in range(2))
    for page in (one, two):
        page.goto(f"{walk.address}/findings/{other}")
    form = opened(one, "judge_not_a_problem")
    form.get_by_label("原因").fill("已清运")
    form.get_by_role("button", name="认定不是问题").click()
    form = opened(two, "judge_problem")
    form.get_by_label("原因").fill("仍在")
    form.get_by_role("button", name="认定问题").click()
    expect(two.locator("#since").get_by_text("本次未保存")).to_be_visible()
    expect(two.get_by_text("已清运").first).to_be_visible()
    screenshot(two, "stale-desk")
    assert all("409" in c for c in watch.complaints), "the refusal itself is all that the browser complains of"
    watch.complaints.clear()


@pytest.mark.parametrize("path", ["cases/new", "baseline", "feeds", "look-backs"])
def test_the_other_pages_fit_a_telephone(
    walk: Walk, hands: Callable[[dict[str, int], str, str], Page], screenshot: Shot, path: str
) -> None:
    page = hands(PHONE, walk.address, "zhangsan")
    page.goto(f"{walk.address}/{path}")
    expect(page.locator("main")).to_be_visible()
    wide_enough(page, PHONE)
    screenshot(page, path.replace("/", "-") + "-phone")
