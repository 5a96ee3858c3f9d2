"""What offices make of the ledger, over HTTP: campaigns, lists, the ledger as a file, lists of higher levels, evidence packs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text

from rivergis import settings
from rivergis.encroachment import baseline_files, superior_workflow
from rivergis.encroachment.superior_workflow import ListOf
from rivergis.encroachment.taking_workflow import Desk as Taker
from rivergis.intake.delivery import Asked
from rivergis.reports import case_pack
from tests.encroachment.baseline_ground import sheet
from tests.web.conftest import BOOK, NIGHT, Service
from tests.web.office import DUE, Desk, office

LISTS = baseline_files.load_profile("national", settings.gis_dir() / "rules")
LIVE = '=HYPERLINK("http://x","y")'


@pytest.fixture(scope="module")
def desk(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    yield office(service, tmp_path_factory.mktemp("photos"))


def post(desk: Desk, path: str, who: str, **body: Any):  # type: ignore[no-untyped-def]
    headers = {"Authorization": f"Bearer {desk.service.keys[who]}"}
    return desk.service.client.post(path, headers=headers, json=body)


def test_the_ledger_is_saved_as_a_file_whose_texts_are_inert(desk: Desk) -> None:
    case = desk.new()
    desk.did(case, "judge_problem", reason="看过")
    desk.did(
        case, "assign", deadline=DUE, measure=LIVE, detail={"units": [{"unit": LIVE, "lead": True, "person": "张三"}]}
    )
    assert desk.service.get("/api/ledger/xlsx", "viewer").status_code == 403
    got = desk.service.get("/api/ledger/xlsx?state=assigned", "inspector")
    assert got.status_code == 200 and got.headers["content-disposition"].startswith("attachment")
    book = openpyxl.load_workbook(io.BytesIO(got.content))
    cells = [c for row in book.worksheets[0].iter_rows() for c in row if c.value is not None]
    assert any(LIVE in str(c.value) for c in cells) and all(c.data_type != "f" for c in cells)
    lines = desk.service.get("/api/ledger/csv", "inspector").content.decode("utf-8-sig")
    assert f'"\'{LIVE.replace(chr(34), chr(34) * 2)}"' in lines
    for ending in ("json", "geojson", "csv"):
        told = desk.service.get(f"/api/ledger/{ending}", "inspector")
        assert told.status_code == 200 and case in told.text and "张三" not in told.text
    assert desk.service.get("/api/ledger/exe", "inspector").status_code in (400, 404, 422)
    with desk.service.db.read() as conn:
        seen = conn.execute(text("SELECT count(*) FROM sys.audit WHERE action = 'export' AND actor = 'the-inspector'"))
        assert seen.scalar_one() >= 5


def test_lists_and_campaigns_are_told(desk: Desk) -> None:
    three = desk.service.get("/api/lists").json()
    assert len(three["tables"]) == 3 and "张三" not in str(three)
    assert desk.service.get("/api/campaigns").json() == []
    assert desk.service.get("/api/campaigns/nowhere").status_code == 404
    assert desk.service.get("/api/lists?unit=999999").status_code == 404
    said = {
        "code": "ZHZ-3",
        "name": "<b>排查</b>",
        "kind": "special_action",
        "begins_on": "2026-05-01",
        "deadline": "2026-12-31",
    }
    assert post(desk, "/api/campaigns", "viewer", **said).status_code == 403
    for ill in (
        {"deadline": "2026-04-01"},
        {"kind": "war"},
        {"classes": ["乱飞"]},
        {"districts": ["999999"]},
        {"deadline": "x"},
    ):
        assert post(desk, "/api/campaigns", "inspector", **{**said, **ill}).status_code in (400, 422), ill
    first = post(desk, "/api/campaigns", "inspector", **said)
    assert first.status_code == 201 and first.json()["version"] == 1, first.text
    later = post(desk, "/api/campaigns", "inspector", **{**said, "deadline": "2027-01-31"})
    assert later.json()["version"] == 2
    [held] = desk.service.get("/api/campaigns").json()
    assert held["deadline"] == "2027-01-31" and held["name"] == "<b>排查</b>"
    assert desk.service.get("/api/campaigns/ZHZ-3?by=district").json()["tables"]


def test_a_pack_is_for_who_may_and_is_whole(desk: Desk, tmp_path: Path) -> None:
    case = desk.assigned()
    desk.did(case, "rectify", reason="<script>alert(1)</script>", files=desk.shot())
    for who in ("viewer", "planner"):
        assert desk.service.get(f"/api/cases/{case}/pack", who).status_code == 403
    got = desk.service.get(f"/api/cases/{case}/pack", "inspector")
    assert got.status_code == 200, got.text
    path = tmp_path / "pack.zip"
    path.write_bytes(got.content)
    assert case_pack.verify(path).whole
    with zipfile.ZipFile(path) as held:
        page = held.read("case.html").decode()
        assert "<script>alert" not in page and "&lt;script&gt;alert" in page
        assert not any(n.startswith("/") or ".." in n for n in held.namelist())


def test_a_list_of_a_higher_level_is_answered_over_http(desk: Desk, tmp_path: Path) -> None:
    head = ["上级编号", "问题类型", "问题描述", "经度", "纬度", "整改状态"]
    path = sheet(
        tmp_path / "清单.xlsx",
        head,
        [["H-1", "乱堆", "堆渣", 106.0031, 29.4001, "未整改"], ["H-2", "乱堆", "不详", None, None, None]],
    )
    about = ListOf("暗访", "problems", LISTS, "省", date(2026, 5, 20))
    store = desk.service.client.app.state.settings.store_dir  # type: ignore[attr-defined]
    taker = Taker(desk.service.db, "the-inspector", store, BOOK.at(("000000",), NIGHT), NIGHT)
    superior_workflow.take_in(taker, superior_workflow.read(path, about, asked=Asked(crs="EPSG:4490")), about)
    case = desk.new()
    assert (
        post(desk, "/api/superior-lists/暗访/links", "viewer", number="H-2", case=case, reason="x").status_code == 403
    )
    for ill in (
        {"number": "H-2", "reason": "x"},
        {"number": "H-2", "reason": " ", "case": case},
        {"number": "H-2", "reason": "x", "case": case, "none": True},
    ):
        assert post(desk, "/api/superior-lists/暗访/links", "inspector", **ill).status_code == 422
    assert (
        post(desk, "/api/superior-lists/暗访/links", "inspector", number="H-9", case=case, reason="x").status_code
        == 404
    )
    told = post(desk, "/api/superior-lists/暗访/links", "inspector", number="H-2", case=case, reason="现场核对")
    assert told.status_code == 201 and told.json()["case"] == case, told.text
    assert post(desk, "/api/superior-lists/暗访/close", "inspector").status_code == 403
    assert post(desk, "/api/superior-lists/暗访/close", "reviewer").json() == {"closed": 0, "refused": []}
    assert (
        post(desk, "/api/superior-lists/暗访/tasks", "inspector", number="1", state="done", reason="x").status_code
        == 404
    )
    back = desk.service.get("/api/superior-lists/暗访/form", "inspector")
    assert back.status_code == 200, back.text
    rows = list(openpyxl.load_workbook(io.BytesIO(back.content)).active.iter_rows(values_only=True))
    assert rows[0] == tuple(head) and [r[0] for r in rows[1:]] == ["H-1", "H-2"]
    shown = desk.service.get("/api/superior-lists/暗访", "viewer").json()["items"]
    assert len(shown) == 2 and not any("said" in i for i in shown)
