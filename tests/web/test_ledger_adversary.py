"""The ledger over HTTP against forged bodies, formulas, scripts, guessed numbers, and eyes that may not see people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rivergis.encroachment import life_workflow
from tests.web.conftest import DIRTY, Service
from tests.web.office import DUE, UNITS, Desk, office


@pytest.fixture(scope="module")
def desk(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    yield office(service, tmp_path_factory.mktemp("photos"))


def test_a_program_says_only_what_a_form_says(desk: Desk) -> None:
    case = desk.assigned()
    seen = desk.case(case)
    assert not seen["evidence"]
    proved = desk.take(case, "rectify", files=desk.shot(), reason="清理完毕")
    assert proved.status_code == 201, proved.text
    desk.did(case, "send_back", "reviewer", reason="不是本处")
    old = desk.case(case)["evidence"][0]
    again = [{"sha256": old["file_sha256"], "lon": 106.0, "lat": 29.4, "at": datetime.now(UTC).isoformat()}]
    for forged in (
        {"evidence": again},
        {"evidence": again, "doubts": []},
        {"rectified_on": "2026-01-01"},
        {"closed_on": "2026-01-01"},
        {"then": "closed_above"},
        {"source": {"file": "x"}},
        {"x" * 5000: 1},
    ):
        answer = desk.take(case, "rectify", detail=forged, reason="清理完毕")
        assert answer.status_code == 422, (forged, answer.status_code, answer.text)
    assert desk.case(case)["case"]["state"] == "assigned"


NUL = "a\x00b"


@pytest.mark.parametrize("said", [NUL, "\\u0000"])
@pytest.mark.parametrize("field", ["reason", "measure", "unit", "into", "document_no"])
def test_characters_that_no_database_keeps_are_refused_with_a_sentence(desk: Desk, said: str, field: str) -> None:
    case = desk.new()
    answer = desk.take(case, "judge_problem", **({"reason": "看过"} | {field: said}))
    assert answer.status_code in (201, 404, 422), (answer.status_code, answer.text)
    if said == NUL:
        assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    "body",
    [
        b'{"move": "judge_problem", "reason": "\\ud800"}',
        b'{"move": "judge_problem", "reason": "a\\u0000"}',
        b'{"move": "judge_problem", "reason": "x", "detail": {"class_code": "\\ud800"}}',
        b'{"move": "judge_problem", "reason": "x", "detail": {"measure": "\\u0000"}}',
        b'{"move": "judge_problem", "reason": "x", "last_event": NaN}',
        b'{"move": "judge_problem", "reason": "x", "lon": NaN, "lat": Infinity}',
        b'{"move": ["judge_problem"], "reason": "x"}',
        b"[" * 60000,
        b'{"detail": ' + b'{"a":' * 60000,
        b"\xff\xfe",
        b'{"move": "judge_problem", "reason": "' + b"x" * (2 << 20) + b'"}',
    ],
)
def test_bodies_of_nonsense_end_in_a_sentence(desk: Desk, body: bytes) -> None:
    case = desk.new()
    headers = {"Authorization": f"Bearer {desk.service.keys['inspector']}", "content-type": "application/json"}
    answer = desk.service.client.post(f"/api/cases/{case}/moves", headers=headers, content=body)
    assert answer.status_code in (413, 422), (answer.status_code, answer.text[:300])
    assert desk.case(case)["last_event"] == 0


@pytest.mark.parametrize(
    "path",
    [
        "/api/cases/%00", "/api/cases/a%00b", "/api/cases/%ED%A0%80", "/api/cases/'", "/api/cases/%25", "/api/cases/____",
        "/api/cases/" + "9" * 5000, "/api/cases?q=%00", "/api/cases?q=%25&district=%27", "/api/cases?offset=-1", "/api/cases?limit=99999",
        "/api/cases?offset=10000000", "/api/cases?sort=;drop", "/api/cases?state=;", "/api/cases?on=0001-01-01", "/api/cases?on=9999-12-31",
        "/api/cases?known=9999-12-31", "/api/cases?known=0001-01-01", "/api/cases?town=%00", "/api/cases?class=%00", "/api/cases?status=%00",
        "/api/duplicates?case=%00", "/api/look-backs/%00", "/api/look-backs/%25", "/api/superior-lists/%00", "/api/baseline?number=99999999999",
        "/api/baseline?number=-1", "/api/feeds?on=0001-01-01", "/api/feeds?on=9999-12-31", "/api/feeds/%00/files",
        "/api/cases?on=2026-13-40", "/cases?on=9999-12-31", "/cases?known=0001-01-01", "/cases?q=%00",
    ],
)  # fmt: skip
def test_addresses_of_nonsense_end_in_a_sentence(desk: Desk, path: str) -> None:
    answer = desk.service.get(path, "inspector", "text/html" if path.startswith("/cases") else "application/json")
    assert answer.status_code in (200, 400, 404, 422), (answer.status_code, answer.text[:400])
    assert "Traceback" not in answer.text


def test_who_only_looks_learns_no_person(desk: Desk, tmp_path: Path) -> None:
    case, old = desk.assigned(UNITS), desk.new()
    table = tmp_path / "台账.csv"
    table.write_text("编号,备注", encoding="utf-8")
    row = {"note": "联系人张三 13812345678"}
    life_workflow.take_step(
        desk.service.db, old, "take_over_problem", "the-inspector", reason="台账.csv 第2行", attachment=table,
        store_dir=desk.service.store, detail={"said": row, "source": {"row": "2"}},
    )  # fmt: skip
    desk.did(case, "rectify", reason="清理完毕", why_not_all="另案", files=desk.shot())
    form = {"source": "12314", "note": "来电人 王小二 13812345678", "lon": "106.0041", "lat": "29.4003"}
    key = {"Authorization": f"Bearer {desk.service.keys['inspector']}"}
    made = desk.service.client.post("/api/cases", headers=key, json=form).json()["case"]
    secret = ("张三", "13812345678", "王小二")
    for path in (
        f"/api/cases/{case}", f"/api/cases/{old}", f"/findings/{old}", f"/api/findings/{old}", f"/api/cases/{made}", "/api/cases?limit=500&state=any", f"/findings/{case}", f"/findings/{made}", "/cases?state=any",
        f"/api/findings/{case}", f"/api/findings/{made}", "/api/duplicates?every=true",
    ):  # fmt: skip
        for accept in ("application/json", "text/html"):
            told = desk.service.get(path, "viewer", accept)
            assert not any(s in told.text for s in secret), (path, accept)
    assert "13812345678" in desk.service.get(f"/api/cases/{old}", "inspector").text, "who works on cases reads the row"
    [proved] = [e for e in desk.service.get(f"/api/cases/{case}").json()["events"] if e["move"] == "rectify"]
    assert not {"lon", "lat"} & {k for e in proved["detail"].get("evidence", []) for k in e}, (
        "where the maker of a photo stood"
    )
    for asked in ("张三", "王小二", "13812345678"):
        found = desk.service.get(f"/api/cases?state=any&q={asked}", "viewer").json()
        assert found["total"] == 0, f"a search for {asked} tells whose cases these are"
    named = desk.service.get("/api/cases?state=any&q=试验镇", "viewer").json()
    assert named["total"] >= 1, "units are found as before"


LIVE = '=HYPERLINK("http://x","y")'


def test_formulas_and_scripts_stay_text(desk: Desk) -> None:
    case = desk.new()
    desk.did(case, "judge_problem", reason=DIRTY)
    units = [{"unit": LIVE, "lead": True}, {"unit": DIRTY}]
    desk.did(case, "assign", deadline=DUE, measure="@SUM(1+1)" + DIRTY, detail={"units": units})
    page = desk.service.page(f"/findings/{case}", "inspector")
    assert "<img src=x" not in page and "{{7*7}}" in page and "&lt;img" in page
    assert "<img src=x" not in desk.service.page("/cases?state=any", "inspector")
