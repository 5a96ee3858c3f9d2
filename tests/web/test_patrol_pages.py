"""Pages of patrols: a month, its bulletin, coverage and sweep; who may see names, tracks and what is to be verified."""

from __future__ import annotations

import json
import re
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import text

from rivergis import words
from rivergis.db import access, people
from tests.web.conftest import DIRTY, MAKER, Service

MONTH = "from=2026-05-01&to=2026-05-31"
QUESTION = "是否乘车请说明"


def layers(page: str) -> dict[str, dict[str, object]]:
    [block] = re.findall(r'id="rg-data">(.*?)</script>', page, re.DOTALL)
    return {layer["id"]: layer for layer in json.loads(block)["layers"]}


def test_a_month_lists_its_patrols_and_leads_to_everything_else(service: Service) -> None:
    page = service.page("/patrols?month=2026-05", "inspector")
    assert "王某" in page and f'href="/maps/patrol/{service.track}"' in page
    for link in (
        "/reports/patrols/2026-05",
        f"/maps/coverage?{MONTH}",
        f"/maps/sweep?{MONTH}",
        "/patrols?month=2026-04",
    ):
        assert link.replace("&", "&amp;") in page or link in page
    assert words.both("patrol_report.not_ruled") in page  # nothing was tested: no word of meeting or missing a standard
    assert "王某" not in service.page("/patrols?month=2026-04", "inspector")
    assert "王某" in service.page("/patrols", "inspector")  # the month of the last patrol
    assert "王某" not in service.page("/patrols?month=2026-05&unit=500199", "inspector")  # the chief has no unit


def test_every_look_at_people_with_their_patrols_is_in_the_audit(service: Service) -> None:
    looks = (
        "/",
        "/patrols?month=2026-05",
        "/reports/patrols/2026-05",
        f"/maps/coverage?{MONTH}",
        "/reports/night/2026-05-20",
    )

    def recorded(role: str) -> int:
        query = "SELECT count(*) FROM sys.audit WHERE target LIKE 'patrols:%' AND actor = :n"
        with service.db.read() as conn:
            return int(conn.execute(text(query), {"n": f"the-{role}"}).scalar_one())

    before = recorded("auditor"), recorded("viewer")
    for path in looks:
        service.get(path, "auditor", "text/html")
        service.get(path, "viewer", "text/html")
    assert (recorded("auditor"), recorded("viewer")) == (before[0] + len(looks), before[1])


@pytest.mark.parametrize("path", ["/patrols?month=2026-13", "/patrols?month=x", "/reports/patrols/2026-00"])
def test_what_is_no_month_is_refused_with_a_sentence(service: Service, path: str) -> None:
    answer = service.get(path, "inspector")
    assert 400 <= answer.status_code < 500 and ("2026-05" in answer.text or "month" in answer.text)


def test_questions_are_for_the_duty_person_and_the_chief_concerned(service: Service) -> None:
    where = (f"/maps/patrol/{service.track}", "/patrols?month=2026-05")
    for path in where:
        assert QUESTION not in service.page(path, "inspector") and QUESTION not in service.page(path, "auditor")
        assert QUESTION in service.page(path, "reviewer")
    for path in ("/reports/patrols/2026-05", f"/maps/coverage?{MONTH}", f"/maps/sweep?{MONTH}"):
        assert QUESTION not in service.page(path, "reviewer"), "only what a person has confirmed goes into a report"


def test_a_chief_sees_the_own_patrol_with_its_questions_and_no_other(service: Service) -> None:
    with service.db.write(MAKER) as conn:
        people.add_user(conn, "wang", "王某")
        people.grant(conn, "wang", "chief")
        key = {"Authorization": f"Bearer {access.make_key(conn, 'wang', 'phone')}", "Accept": "text/html"}
    path = f"/maps/patrol/{service.track}"
    assert service.client.get(path, headers=key).status_code == 403
    with service.db.write(MAKER) as conn:
        owner = text('UPDATE sys."user" SET chief_id = (SELECT chief_id FROM data.track WHERE id = :t) WHERE name = :n')
        conn.execute(owner, {"t": service.track, "n": "wang"})
    page = service.client.get(path, headers=key)
    assert page.status_code == 200 and QUESTION in page.text
    with service.db.read() as conn:
        seen = conn.execute(text("SELECT actor, purpose FROM sys.track_access ORDER BY id DESC LIMIT 1")).one()
    assert tuple(seen) == ("wang", "patrol page")
    assert service.client.get("/patrols", headers=key).status_code == 403


def test_no_internal_code_reaches_a_page(service: Service) -> None:
    page = service.page(f"/maps/patrol/{service.track}", "reviewer")
    below = page[page.index("rg-below") :].partition("<footer")[0]
    assert not re.search(r"\b(fast|spoof|replay|shared)\b", below.replace("faster", "").replace(">fast<", ""))
    assert "{{7*7}}" in below and "49" not in re.sub(r"\d{3,}|0\+\d+", "", below)  # data is text, never a template


def test_standard_and_coverage_stand_apart(service: Service) -> None:
    page = service.page(f"/maps/patrol/{service.track}", "inspector")
    standard, coverage = page.index(words.both("patrol_report.block_standard")), page.index('class="rg-reference"')
    between = page[standard:coverage]
    assert words.both("patrol_report.not_ruled") in between and "%" not in between
    bulletin = service.page("/reports/patrols/2026-05", "inspector")
    assert bulletin.index('id="standard"') < bulletin.index('class="block reference"') < bulletin.index('id="coverage"')
    assert words.both("patrol_report.note_not_ruled") in bulletin


def test_the_coverage_map_names_nobody_and_its_table_only_for_who_may_see_tracks(service: Service) -> None:
    for path in (f"/maps/coverage?{MONTH}", f"/maps/sweep?{MONTH}"):
        assert "王某" not in service.page(path, "viewer") and "王某" in service.page(path, "inspector")
    told = layers(service.page(f"/maps/coverage?{MONTH}", "inspector"))
    assert "王某" not in json.dumps(told, ensure_ascii=False)
    # nobody is assigned here: all of both banks are counted, half of the left one was seen on the 20th
    classes = {c["code"]: c["count"] for c in told["last_seen"]["classes"]}  # type: ignore[index]
    assert classes == {"never": 2, "8-15": 1}


def test_a_sweep_of_a_river_by_name(service: Service) -> None:
    from urllib.parse import quote

    page = service.page(f"/maps/sweep?{MONTH}&rivers={quote('清溪' + DIRTY)}", "viewer")
    assert {c["code"] for c in layers(page)["sweep"]["classes"]} == {"seen", "hole"}  # type: ignore[index]
    assert service.get(f"/maps/sweep?{MONTH}&rivers=nowhere", "viewer").status_code == 404
    assert service.get(f"/maps/coverage?{MONTH}&unit=999999", "viewer").status_code == 404


def test_the_bulletin_as_workbook_has_numbers_as_numbers(service: Service, tmp_path: Path) -> None:
    answer = service.get("/reports/patrols/2026-05?format=xlsx", "inspector")
    assert answer.status_code == 200 and 'filename="bulletin-2026-05.xlsx"' in answer.headers["content-disposition"]
    file = tmp_path / "b.xlsx"
    file.write_bytes(answer.content)
    book = openpyxl.load_workbook(file)
    sheet = book[words.say("patrol_report.table_chiefs")]
    assert sheet.freeze_panes == "C2" and len(book.sheetnames) >= 8
    head = [c.value for c in sheet[1]]
    row = dict(zip(head, [c.value for c in sheet[2]], strict=True))
    assert row[words.both("patrol_report.patrols_gps")] == 1 and row[words.both("patrol_report.minutes")] == 5


def test_what_a_person_has_decided_waits_for_nobody(service: Service) -> None:
    where = ("/patrols?month=2026-05", "/", "/reports/night/2026-05-20")
    told = (QUESTION, QUESTION, "轨迹待核实")
    before = [word in service.page(path, "reviewer") for path, word in zip(where, told, strict=True)]
    with service.db.write(MAKER) as conn:
        conn.execute(
            text("""INSERT INTO data.review_event (result_id, track_id, code, move, text)
            SELECT id, track_id, 'fast', 'dismissed', '属实' FROM data.patrol_result WHERE track_id = :t AND superseded_at IS NULL"""),
            {"t": service.track},
        )
    assert all(before) and not any(w in service.page(p, "reviewer") for p, w in zip(where, told, strict=True))
    assert QUESTION in service.page(f"/maps/patrol/{service.track}", "reviewer"), "its own page keeps the whole story"
