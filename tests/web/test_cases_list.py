"""The ledger list: a number leads to exactly that many cases, pages hold each case once, filters mean what they say."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from urllib.parse import parse_qs, urlencode

import pytest

from tests.web.conftest import DIRTY, Service
from tests.web.office import UNITS, Desk, office
from tests.web.test_pages import seen

TODAY = date.today()


@pytest.fixture(scope="module")
def desk(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """One case in each stage, two assigned: one due soon, one later."""
    desk = office(service, tmp_path_factory.mktemp("p"))
    for days, severity in ((3, "一般"), (30, "较严重")):
        case = desk.new()
        desk.did(case, "judge_problem", reason="核实", severity=severity)
        deadline = str(TODAY + timedelta(days=days))
        desk.did(case, "assign", deadline=deadline, measure="清理", detail={"units": UNITS})
    listed = desk.new()
    paper = {"attachment": ("依据.pdf", b"%PDF-1.7", "application/pdf")}
    desk.did(listed, "judge_historic_listed", reason="建于 1985 年", files=paper)
    desk.did(desk.new(), "judge_not_a_problem", reason="许可工程")
    done = desk.assigned()
    desk.did(done, "rectify", files=desk.shot())
    above = desk.assigned([{"unit": "100%_镇", "lead": True}])
    desk.did(above, "instruct", reason="督办", authority="县长", severity="较严重")
    desk.did(above, "rectify", files=desk.shot())
    desk.did(above, "accept", "reviewer", reason="好", doubts_seen=True)
    desk.did(above, "close", "reviewer", reason="销号")
    return desk


def listed(desk: Desk, query: str = "") -> dict:  # type: ignore[type-arg]
    answer = desk.service.get(f"/api/cases?{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def tiles(page: str) -> dict[str, int]:
    """Query of each number above the list -> the number."""
    found = re.findall(r'<a class="tile[^"]*" href="/cases\?([^"]*)"><b>([\d,]+)</b>', page)
    return {unescape(q): int(n.replace(",", "")) for q, n in found}


def test_each_number_leads_to_exactly_that_many_cases(desk: Desk) -> None:
    for on in ("", f"on={TODAY + timedelta(days=20)}"):
        page = desk.service.page(f"/cases?{on}")
        told = tiles(page)
        assert len(told) == 10 and sum(n > 0 for n in told.values()) >= (6 if not on else 7)
        for query, number in told.items():
            assert listed(desk, f"{query}&{on}")["total"] == number, query
    assert tiles(desk.service.page("/cases"))["clock=due"] == 1
    late = listed(desk, f"clock=overdue&on={TODAY + timedelta(days=20)}")
    assert {c["overdue_days"] for c in late["cases"]} >= {17}
    assert "超期 17 天" in seen(desk.service.page(f"/cases?clock=overdue&on={TODAY + timedelta(days=20)}"))


def test_pages_hold_each_case_once_and_the_links_go_on(desk: Desk) -> None:
    every = [c["id"] for c in listed(desk, "state=any&sort=number")["cases"]]
    page, found, query = desk.service.page("/cases?state=any&sort=number&limit=3"), [], ""
    while True:
        found += re.findall(r'<td><a href="/findings/([0-9a-f-]{36})', page)
        ahead = re.search(r'rel="next" href="/cases\?([^"]*)"', page)
        if ahead is None:
            break
        query = unescape(ahead[1])
        assert parse_qs(query)["state"] == ["any"] and parse_qs(query)["limit"] == ["3"]
        page = desk.service.page(f"/cases?{query}")
    assert found == every and len(set(found)) == len(found) >= 9
    assert 'rel="prev"' in page and listed(desk, "state=any&offset=5000")["total"] == len(every)


@pytest.mark.parametrize(
    ("query", "least", "meant"),
    [
        ("state=assigned", 2, lambda c: c["state"] == "assigned"),
        ("state=assigned&state=rectified", 3, lambda c: c["state"] in ("assigned", "rectified")),
        ("due_in_days=30", 2, lambda c: c["due_in_days"] <= 30),
        ("severity=较严重&state=any", 2, lambda c: c["severity"] == "较严重"),
        ("class=building&state=any", 6, lambda c: c["class_code"].startswith("building.")),
        ("class=build&state=any", 0, lambda c: False),
        ("status=new&night=2026-05-20&state=any", 8, lambda c: c["status"] == "new"),
        ("night=2026-05-21&state=any", 0, lambda c: False),
        ("stock=increment&state=any", 0, lambda c: False),
        ("q=水利局&state=any", 2, lambda c: "水利局" in str(c["units"])),
        ("q=100%_镇&state=any", 1, lambda c: "100%_镇" in str(c["units"])),
        ("q=100__镇&state=any", 0, lambda c: False),
        ("clock=awaits_above", 1, lambda c: c["awaits_above"] and c["state"] == "closed"),
        ("state=to_verify", 1, lambda c: c["state"] == "found" and c["basis"] == "announced"),
    ],
)
def test_filters_mean_what_they_say(desk: Desk, query: str, least: int, meant) -> None:  # type: ignore[no-untyped-def]
    told = listed(desk, query)
    assert told["total"] >= least and all(meant(c) for c in told["cases"]), told["cases"]
    assert least > 0 or told["total"] == 0


def test_what_lies_in_a_line_of_nobody_is_listed_only_when_asked_for(desk: Desk) -> None:
    hint = desk.service.hint
    assert hint not in [c["id"] for c in listed(desk)["cases"]]
    assert hint in [c["id"] for c in listed(desk, "state=found")["cases"]]


@pytest.mark.parametrize(
    "query",
    ["state=broken", "clock=noon", "limit=0", "limit=501", "offset=-1", "sort=random", "on=yesterday", "night=x"],
)
def test_a_question_that_is_none_is_refused_in_a_sentence(desk: Desk, query: str) -> None:
    answer = desk.service.get(f"/api/cases?{query}")
    assert answer.status_code == 400 and answer.json()["message"], answer.text


def test_dirty_names_are_text(desk: Desk) -> None:
    page = desk.service.page(f"/cases?{urlencode({'q': DIRTY, 'town': DIRTY})}")
    assert DIRTY not in page and "&lt;img" in page and "没有符合条件的事项" in page


def test_the_past_is_as_it_was_known(desk: Desk) -> None:
    assert listed(desk, "known=2026-01-01&state=any")["total"] == 0
    page = desk.service.page("/cases?known=2026-01-01")
    assert "截至" in page and "2026-01-01" in page
