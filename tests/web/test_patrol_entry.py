"""The batch entry of paper logs: over HTTP as a program sends it, and by keyboard in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from sqlalchemy import text

from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.patrol import entry_store, paper
from tests.chromium import Watch
from tests.patrol import entry_county as county
from tests.serving import serving
from tests.web.conftest import PASSWORD, client_of, person

PDF = b"%PDF-1.4 a scan"
Shot = Callable[[Page, str], Path]


@dataclass
class Desk:
    """A service over the county of entries, with a clerk who may enter and a viewer who may not."""

    client: TestClient
    db: Database
    keys: dict[str, str]
    store: Path
    sheet: str
    other: str

    def post(
        self,
        data: dict[str, str],
        files: dict[str, tuple[str, bytes]] | None = None,
        role: str = "inspector",
        **headers: str,
    ):  # type: ignore[no-untyped-def]
        asked = {"Authorization": f"Bearer {self.keys[role]}", "Accept": "text/html", **headers}
        return self.client.post("/patrol/entry", data=data, files=files or {"scan-59": ("", b"")}, headers=asked)

    @property
    def entries(self) -> pd.DataFrame:
        with self.db.read() as conn:
            return entry_store.entries(conn, county.DAY, county.DAY)


@pytest.fixture
def desk(db: Database, tmp_path: Path) -> Iterator[Desk]:
    with db.write("local:test") as conn:
        county.build(conn)
        keys = {role: person(conn, role) for role in ("inspector", "viewer")}
        people.add_user(conn, "clerk", "录入员", password=PASSWORD)
        people.grant(conn, "clerk", "inspector")
        numbers = [paper.number_of(county.chief(conn, c)) for c in ("C1", "C3")]
    with client_of(db, tmp_path) as client:
        yield Desk(client, db, keys, tmp_path / "store" / "web", *numbers)


def row(i: int, **values: str) -> dict[str, str]:
    return {f"{name}-{i}": value for name, value in values.items()}


def test_only_who_may_import_enters(desk: Desk) -> None:
    assert desk.post(row(0, sheet="C1"), role="viewer").status_code == 403
    assert desk.client.get("/patrol/entry", headers={"Accept": "text/html"}).status_code == 303
    answer = desk.client.get("/patrol/entry", headers={"Authorization": f"Bearer {desk.keys['inspector']}"})
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200 and "form-action 'self'" in policy and "'unsafe-inline'" not in policy
    assert desk.sheet in answer.text and "清溪大桥" in answer.text


def test_another_site_cannot_enter(desk: Desk) -> None:
    answer = desk.post(row(0, sheet="C1", day=str(county.DAY)), Origin="https://elsewhere.example")
    assert answer.status_code == 403 and desk.entries.empty


def test_good_rows_are_saved_and_wrong_ones_come_back_as_typed(desk: Desk) -> None:
    pile = (
        row(
            0,
            sheet=desk.sheet.lower(),
            day=str(county.DAY),
            begin="石桥",
            end="清溪大桥",
            minutes="40",
            note="<b>垃圾</b>",
        )
        | row(1, begin="0+100", end="公示牌")
        | row(2, sheet="张三", begin="石桥", end="0+800", started="9:00")
        | row(4, sheet=desk.other, begin="石桥", end="0+800", started="9:00", ended="9:30", kind="proxy", person="赵六")
        | row(7, kind="", bank="both")
    )
    answer = desk.post(pile, {"scan-1": ("表.pdf", PDF)})
    assert answer.status_code == 422
    page = answer.text
    assert "已保存 2 条" in page and "2 条有误" in page and "<b>垃圾" not in page
    assert "M3 (0+500)、M4 (1+455)" in page and "请填编码:C3、C4" in page
    # the wrong rows stand first, with what was typed, what they took from above, and their scan
    assert f'name="sheet-0" value="{desk.sheet.lower()}"' in page and 'name="end-0" value="公示牌"' in page
    assert f'value="{county.DAY}"' in page and "扫描件已存" in page
    told = desk.entries
    assert sorted(told["kind"]) == ["paper", "proxy"] and set(told["actor"]) == {"the-inspector"}
    [kept] = re.findall(r'name="kept-0" value="([0-9a-f]{64})"', page)
    again = desk.post(row(0, sheet=desk.sheet, day=str(county.DAY), begin="0+100", end="M4", kept=kept))
    assert again.status_code == 200 and "已保存 1 条" in again.text
    [scanned] = desk.entries[desk.entries["scan_sha256"] == kept].to_dict("records")
    assert (desk.store / scanned["scan_path"]).read_bytes() == PDF
    url = f"/patrol/entry/{scanned['id']}/scan"
    shown = desk.client.get(url, headers={"Authorization": f"Bearer {desk.keys['inspector']}"})
    assert shown.content == PDF and shown.headers["content-disposition"].startswith("attachment")
    assert desk.client.get(url, headers={"Authorization": f"Bearer {desk.keys['viewer']}"}).status_code == 403
    other = sorted(set(desk.entries["id"]) - {scanned["id"]})[0]
    gone = desk.client.get(f"/patrol/entry/{other}/scan", headers={"Authorization": f"Bearer {desk.keys['inspector']}"})
    assert gone.status_code == 404
    with desk.db.read() as conn:
        assert (
            conn.execute(
                text("SELECT count(*) FROM sys.audit WHERE target = :t"), {"t": f"patrol_entry:{scanned['id']}"}
            ).scalar()
            == 1
        )


def test_the_same_pile_twice_is_known(desk: Desk) -> None:
    pile = row(0, sheet="C1", day=str(county.DAY), begin="石桥", end="清溪大桥")
    assert "已保存 1 条" in desk.post(pile).text
    answer = desk.post(pile)
    assert "已保存 0 条" in answer.text and "1 条此前已录入" in answer.text and len(desk.entries) == 1


@pytest.mark.parametrize(
    ("content", "words"), [(b"<script>", "不是扫描件"), (b"%PDF-" + b"x" * (9 << 20), "超过 8 MB")]
)
def test_what_is_no_scan_holds_its_row_back(desk: Desk, content: bytes, words: str) -> None:
    answer = desk.post(row(0, sheet="C1", day=str(county.DAY)), {"scan-0": ("a.pdf", content)})
    assert answer.status_code == 422 and words in answer.text and desk.entries.empty


def test_a_text_without_end_is_not_cut_in_silence(desk: Desk) -> None:
    answer = desk.post(row(0, sheet="C1", day=str(county.DAY), note="长" * 1001) | row(1, sheet="C3", note="a\0b"))
    assert answer.status_code == 422 and "超过 1000 字" in answer.text and "长" * 1001 in answer.text
    assert list(desk.entries["note"]) == ["ab"]


def test_a_hash_that_is_none_of_ours_is_no_scan(desk: Desk) -> None:
    desk.post(row(0, sheet="C1", day=str(county.DAY), kept="../../../etc/passwd") | row(1, sheet="C3", kept="f" * 64))
    assert desk.entries["scan_sha256"].isna().all() and len(desk.entries) == 2


@pytest.mark.browser
def test_a_pile_by_keyboard(desk: Desk, data_dir: Path, page: Page, watch: Watch, screenshot: Shot) -> None:
    """Two sheets without touching the mouse: sheet, day, from, to, minutes; Enter goes on, Ctrl+Enter saves."""
    env = {"RIVERGIS_DATA_DIR": str(data_dir), "RIVERGIS_DATABASE": desk.db.name, "PATH": "/usr/bin:/bin"}
    with serving(env) as (address, _):
        page.goto(f"{address.rstrip('/')}/patrol/entry")
        page.get_by_label("用户名").fill("clerk")
        page.get_by_label("密码").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_label("表号或河长 1", exact=True)).to_be_focused()
        type_row(page, desk.sheet, "2026-05-20", "石桥", "清溪大桥")
        offered = page.locator("#places option").evaluate_all("all => all.map(o => o.value)")
        assert "石桥" in offered and "甲河堰" not in offered, "only the landmarks of the sheet's rivers are offered"
        for _ in range(5):
            page.keyboard.press("Enter")
        expect(page.get_by_label("表号或河长 2", exact=True)).to_be_focused()
        type_row(page, "", "2026-05-21", "石桥", "公示牌")
        screenshot(page, "patrol-entry-typed")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("status")).to_contain_text("已保存 1 条")
        expect(page.get_by_role("alert")).to_contain_text("公示牌")
        expect(page.get_by_label("止点 1", exact=True)).to_have_value("公示牌")
        expect(page.get_by_text("王 强").last).to_be_visible()
        screenshot(page, "patrol-entry-told")
    watch.complaints = [c for c in watch.complaints if "422" not in c]  # the page that tells what is wrong
    with desk.db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM data.patrol_entry")).scalar() == 1


def type_row(page: Page, *values: str) -> None:
    """Type a row from its first field on, Enter after each; a day goes in as its field takes it."""
    for value in values:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            page.locator(":focus").fill(value)
        else:
            page.keyboard.type(value)
        page.keyboard.press("Enter")
