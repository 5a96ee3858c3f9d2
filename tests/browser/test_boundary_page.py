"""The drawing page of a draft, in a real Chromium on the real service: draw, catch, save, a second planner, defects, the preview."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from playwright.sync_api import Browser, Locator, Page, expect

from rivergis.boundary.law import draft_workflow
from rivergis.boundary.law.edit import Edit
from rivergis.db import access, people
from rivergis.db.connect import Database
from rivergis.river import store as river_store
from rivergis.web import auth
from tests.chromium import Watch
from tests.serving import serving
from tests.web.conftest import MAKER, PASSWORD, degrees, ground

pytestmark = pytest.mark.browser
Shot = Callable[[Page, str], Path]
LEFT, RIGHT = 29.401, 29.399  # where the announced lines run


@dataclass
class Room:
    """The service with two planners, a draft each test of its own, and the doors to both."""

    address: str
    db: Database
    drafts: int = 0
    tokens: dict[str, str] = field(default_factory=dict)

    def draft(self) -> str:
        self.drafts += 1
        code = f"D{self.drafts}"
        draft_workflow.open_draft(
            self.db, code=code, title="清溪划界调整", actor="zhang", namespace="local", on=date(2026, 5, 20), rivers=["R1"], adcode="500199"
        )  # fmt: skip
        return code

    def segments(self, code: str) -> Any:
        with self.db.read() as conn:
            return draft_workflow.segments(conn, draft_workflow.get(conn, code))

    def open(self, page: Page, code: str, name: str = "zhang", query: str = "") -> None:
        if name not in self.tokens:
            self.tokens[name] = access.sign_in(self.db, name, PASSWORD)
        page.context.add_cookies([{"name": auth.COOKIE, "value": self.tokens[name], "url": self.address}])
        page.goto(f"{self.address}boundary/drafts/{code}{query}")
        expect(page.locator("body.bd-ready")).to_be_attached()


@pytest.fixture(scope="module")
def room(module_db: Database, data_dir: Path) -> Iterator[Room]:
    expect.set_options(timeout=15_000)  # a save, a doctor and a preview on a machine that does other things, too
    with module_db.write(MAKER) as conn:
        ground(conn)
        axis = degrees(shapely.LineString([(106.0, 29.4), (106.01, 29.4)]), code="R1", river_code="R1")
        river_store.save(conn, "axis", axis, namespace="local", import_id=None)
        for name, role in (("zhang", "planner"), ("li", "planner"), ("wang", "reviewer")):
            people.add_user(conn, name, name, password=PASSWORD)
            people.grant(conn, name, role)
    env = {"RIVERGIS_DATA_DIR": str(data_dir), "RIVERGIS_DATABASE": module_db.name, "PATH": "/usr/bin:/bin"}
    with serving(env) as (address, _):
        yield Room(address, module_db)


@pytest.fixture
def second(browser: Browser, watch: Watch) -> Iterator[Page]:
    """Another person's browser."""
    context = browser.new_context(viewport={"width": 1200, "height": 800}, locale="zh-CN")
    watch.on(context)
    yield context.new_page()
    context.close()


def look_at(page: Page, lon: float, lat: float, zoom: int = 17) -> None:
    page.evaluate(f"rivergis.desk.map.setView([{lat}, {lon}], {zoom}, {{animate: false}})")


def spot(page: Page, lon: float, lat: float) -> tuple[float, float]:
    """Where a position lies in the window."""
    at = page.evaluate(f"(({{x, y}}) => [x, y])(rivergis.desk.map.latLngToContainerPoint([{lat}, {lon}]))")
    box = page.locator("#bd-map").bounding_box()
    assert box is not None
    return box["x"] + at[0], box["y"] + at[1]


def click_at(page: Page, lon: float, lat: float, dx: float = 0, dy: float = 0) -> None:
    x, y = spot(page, lon, lat)
    page.mouse.move(x + dx, y + dy)
    page.mouse.click(x + dx, y + dy)


def drag(page: Page, one: tuple[float, float], two: tuple[float, float]) -> None:
    page.mouse.move(*one)
    page.mouse.down()
    page.mouse.move(*[(a + b) / 2 for a, b in zip(one, two, strict=True)])
    page.mouse.move(*two, steps=4)
    page.mouse.up()


def save(page: Page, reason: str) -> None:
    page.get_by_placeholder("修改原因").fill(reason)
    page.locator("#bd-save").click()


def unsaved(page: Page) -> Locator:
    return page.locator("#bd-unsaved")


def refusals(watch: Watch) -> list[str]:
    """What the console says of answers that refuse: a browser writes each down; taken off the record, for they are meant."""
    found = [c for c in watch.complaints if "Failed to load resource" in c]
    watch.complaints[:] = [c for c in watch.complaints if c not in found]
    return found


def test_a_line_is_drawn_caught_placed_and_saved(page: Page, watch: Watch, room: Room, screenshot: Shot) -> None:
    code = room.draft()
    room.open(page, code)
    expect(page.get_by_text("内部草稿·非测绘成果").first).to_be_visible()
    expect(page.locator("#bd-list button")).to_have_count(2)
    look_at(page, 106.01, 29.401)
    page.locator("#bd-draw").click()
    click_at(page, 106.01, LEFT, dx=6, dy=5)  # near the end of the announced line: caught by it
    click_at(page, 106.0108, 29.4013)
    click_at(page, 106.0112, 29.4005)
    screenshot(page, "boundary-drawing")
    page.keyboard.press("Enter")
    expect(unsaved(page)).to_have_text("1")
    expect(page.locator("#bd-form-title")).to_contain_text("左岸")
    expect(page.locator("#bd-from")).to_have_text("0+971")  # beside the end of the reach
    page.locator("[name=drawn_by]").select_option("road")
    page.locator("[name=note]").fill("沿机耕路")
    save(page, "补画下游一段")
    expect(page.locator("#bd-notice")).to_contain_text("已保存")
    expect(unsaved(page)).to_have_text("0")
    rows = room.segments(code)
    new = rows[rows["drawn_by"] == "road"].iloc[0]
    assert new.geom.coords[0] == (106.01, LEFT)  # to the last digit
    assert (new["bank"], new["reach_code"], new["river_code"]) == ("left", "R1-1", "R1")
    assert new["attributes"]["note"] == "沿机耕路"
    screenshot(page, "boundary-saved")


def test_corners_are_dragged_a_line_is_split_taken_out_and_brought_back(page: Page, watch: Watch, room: Room) -> None:
    code = room.draft()
    room.open(page, code)
    look_at(page, 106.005, LEFT, 16)
    click_at(page, 106.004, LEFT)  # on the line: it is chosen
    expect(page.locator("#bd-form")).to_be_visible()
    x, y = spot(page, 106.005, LEFT)  # the small dot half way
    drag(page, (x, y), (x, y - 60))
    expect(unsaved(page)).to_have_text("1")
    page.locator("#bd-split").click()
    click_at(page, 106.0025, LEFT, dy=2 - 30)
    expect(page.locator("#bd-list button")).to_have_count(3)
    page.keyboard.press("Delete")
    expect(page.locator("#bd-list button")).to_have_count(2)
    page.locator("#bd-undo").click()
    expect(page.locator("#bd-list button")).to_have_count(3)
    page.locator("#bd-list button", has_text="左岸").first.click()
    look_at(page, 106.0025, 29.4012, 17)
    expect(page.locator(".bd-corner-last")).to_be_visible()
    end = page.locator(".bd-corner-last").bounding_box()
    assert end is not None
    drag(page, (end["x"] + 6, end["y"] + 6), (end["x"] + 6, end["y"] - 60))  # where both parts meet: both go with it
    save(page, "左岸外移并分段")
    expect(page.locator("#bd-notice")).to_contain_text("已保存")
    left = room.segments(code).query("bank == 'left'").sort_values("from_m")
    first, second = left.geometry
    assert first.coords[-1] == second.coords[0] and first.coords[-1][1] > 29.4014
    assert list(left["basis"]) == ["draft", "draft"] and left["from_m"].iloc[1] == pytest.approx(
        left["to_m"].iloc[0], abs=0.1
    )
    assert sorted(left["base_segment_id"].notna()) == [False, True]


def test_a_line_is_traced_along_another(page: Page, watch: Watch, room: Room) -> None:
    code = room.draft()
    moved(room, code, "left", 29.4012, middle=(106.005, 29.4016))
    room.open(page, code)
    look_at(page, 106.005, 29.401, 16)
    page.locator("#bd-draw").click()
    page.locator("#bd-follow").check()
    click_at(page, 106.0025, 29.4014, dy=3)
    click_at(page, 106.0075, 29.4014, dy=-3)
    page.locator("#bd-finish").click()
    expect(page.locator("#bd-length")).to_contain_text("· 3")
    page.locator("[name=drawn_by]").select_option("levee_toe")
    save(page, "沿线描绘")
    expect(page.locator("#bd-notice")).to_contain_text("已保存")
    rows = room.segments(code)
    assert rows[rows["drawn_by"] == "levee_toe"].iloc[0].geom.coords[1] == (106.005, 29.4016)


def test_unsaved_work_outlives_the_window(page: Page, watch: Watch, room: Room) -> None:
    code = room.draft()
    room.open(page, code)
    page.locator("#bd-list button").first.click()
    page.locator("[name=note]").fill("还没保存")
    page.locator("[name=note]").blur()
    expect(unsaved(page)).to_have_text("1")
    page.reload()
    expect(page.locator("#bd-notice")).to_contain_text("已恢复")
    expect(unsaved(page)).to_have_text("1")
    page.locator("#bd-list button", has_text="左岸").click()
    expect(page.locator("[name=note]")).to_have_value("还没保存")
    page.locator("#bd-revert").click()
    expect(unsaved(page)).to_have_text("0")
    assert page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('rivergis.draft')).length") == 0


def moved(
    room: Room, code: str, bank: str, lat: float, who: str = "li", middle: tuple[float, float] | None = None
) -> None:
    """The other planner saves another line on a bank."""
    rows = room.segments(code)
    row = rows[rows["bank"] == bank].iloc[0]
    line = shapely.LineString([(106.0, lat), *([middle] if middle else []), (106.01, lat)])
    edit = Edit("put", row["segment_id"], {}, line)
    draft_workflow.save(room.db, code, int(rows["revision"].max()), [edit], who, reason="对方的修改")


def note(page: Page, bank: str, text: str) -> None:
    page.locator("#bd-list button", has_text=bank).click()
    page.locator("[name=note]").fill(text)
    page.locator("[name=note]").blur()


def test_two_planners_where_nothing_touches_are_merged(page: Page, watch: Watch, room: Room) -> None:
    code = room.draft()
    room.open(page, code)
    note(page, "左岸", "我的")
    moved(room, code, "right", 29.3988)
    save(page, "左岸说明")
    expect(page.locator("#bd-notice")).to_contain_text("合并")
    rows = room.segments(code).set_index("bank")
    assert rows.loc["left", "attributes"]["note"] == "我的"
    assert rows.loc["right", "geom"].coords[0][1] == 29.3988


@pytest.mark.parametrize(("way", "lat"), [("keep_mine", LEFT), ("take_theirs", 29.4012)])
def test_a_conflict_is_shown_and_decided(
    page: Page, watch: Watch, room: Room, screenshot: Shot, way: str, lat: float
) -> None:
    code = room.draft()
    room.open(page, code)
    look_at(page, 106.005, LEFT, 16)
    page.locator("#bd-list button", has_text="左岸").click()
    look_at(page, 106.005, LEFT, 17)
    x, y = spot(page, 106.005, LEFT)
    drag(page, (x, y), (x, y - 80))
    moved(room, code, "left", 29.4012)
    save(page, "左岸外移")
    expect(page.locator("#bd-conflicts")).to_be_visible()
    expect(page.locator("#bd-conflict-list")).to_contain_text("双方都改了这一段")
    expect(page.locator("#bd-save")).to_be_disabled()
    page.locator("[data-way=show_both]").click()
    screenshot(page, f"boundary-conflict-{way}")
    assert all("409" in told for told in refusals(watch))
    page.reload()  # nothing is lost, and it still waits for a choice
    expect(page.locator("#bd-conflict-list")).to_contain_text("双方都改了这一段")
    page.locator(f"[data-way={way}]").click()
    expect(page.locator("#bd-conflicts")).to_be_hidden()
    if way == "keep_mine":
        save(page, "与对方商定用我的")
        expect(page.locator("#bd-notice")).to_contain_text("已保存")
    expect(unsaved(page)).to_have_text("0")
    left = room.segments(code).query("bank == 'left'").iloc[0].geom
    assert left.coords[0][1] == lat and (len(left.coords) == 3) == (way == "keep_mine")


def test_defects_are_signs_and_a_list_and_a_repair_is_taken(
    page: Page, watch: Watch, room: Room, screenshot: Shot
) -> None:
    code = room.draft()
    moved(room, code, "left", LEFT, middle=(106.005, 29.3999))  # across the river
    room.open(page, code)
    page.get_by_role("tab", name="缺陷").click()
    page.locator("#bd-ask-defects").click()
    found = page.locator("#bd-defect-list li.bd-blocks")
    expect(found.filter(has_text="越过河中线").first).to_be_visible()
    expect(page.locator("#bd-defect-kinds")).to_contain_text("越过河中线")
    found.filter(has_text="越过河中线").first.locator("button").first.click()
    expect(page.locator(".leaflet-popup")).to_contain_text("越过")
    expect(page.locator(".bd-defect.bd-blocks").first).to_be_visible()
    screenshot(page, "boundary-defects")
    page.locator("[data-way=take_repair]").first.click()
    expect(unsaved(page)).to_have_text("1")
    save(page, "按建议修复")
    expect(page.locator("#bd-notice")).to_contain_text("已保存")
    assert min(lat for _, lat in room.segments(code).query("bank == 'left'").iloc[0].geom.coords) > 29.4


def test_the_preview_shows_every_reduction_and_asks_why(page: Page, watch: Watch, room: Room, screenshot: Shot) -> None:
    code = room.draft()
    room.open(page, code)
    page.locator("#bd-list button", has_text="左岸").click()
    look_at(page, 106.005, LEFT, 17)
    x, y = spot(page, 106.005, LEFT)
    drag(page, (x, y), (x, y + 60))  # inwards
    page.locator("#bd-look").click()
    expect(page.locator(".bd-out b")).not_to_have_text("0 m²")
    expect(page.locator(".bd-reductions li")).to_have_count(1)
    page.get_by_label("缩小原因").first.fill("堤防改线")
    screenshot(page, "boundary-preview")
    assert len(room.segments(code)) == 2 and room.segments(code)["revision"].max() == 1  # nothing was saved for it
    save(page, "左岸内移")
    expect(unsaved(page)).to_have_text("0")
    page.get_by_role("tab", name="办理").click()
    page.locator("#bd-moves summary", has_text="送审").click()
    page.locator("#bd-moves [name=reason]").first.fill("请审查")
    page.locator("#bd-moves button", has_text="送审").click()
    reason = page.locator("#bd-moves textarea[data-reduction]")
    expect(reason).to_have_value("堤防改线")  # what was typed at the preview
    refusals(watch)
    page.locator("#bd-moves details[open] button", has_text="送审").click()
    expect(page.locator(".bd-code")).to_contain_text("已送审")
    expect(page.locator("#bd-tools, .bd-tools")).to_be_hidden()


def test_an_earlier_revision_is_looked_at_and_not_drawn_on(page: Page, watch: Watch, room: Room) -> None:
    code = room.draft()
    moved(room, code, "left", 29.4013)
    room.open(page, code, query="?revision=1")
    expect(page.get_by_text("正在查看第 1 版")).to_be_visible()
    expect(page.locator(".bd-tools")).to_be_hidden()
    assert page.evaluate("rivergis.desk.work.all().find((s) => s.fields.bank === 'left').coords[0][1]") == LEFT


def test_a_phone_draws(phone: Page, watch: Watch, room: Room, screenshot: Shot) -> None:
    code = room.draft()
    room.open(phone, code)
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    look_at(phone, 106.005, 29.4013, 16)
    phone.locator("#bd-draw").tap()
    for lon, lat in ((106.003, 29.4014), (106.006, 29.4015)):
        phone.touchscreen.tap(*spot(phone, lon, lat))
    phone.locator("#bd-finish").tap()
    expect(unsaved(phone)).to_have_text("1")
    screenshot(phone, "boundary-phone")
    phone.locator("#rg-toggle").tap()
    expect(phone.locator("#bd-form")).to_be_visible()
