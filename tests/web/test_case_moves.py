"""Moves over HTTP: a case from found to closed, by form and by program; who may not, what is stale, what is forged."""

from __future__ import annotations

import io
import re
import threading
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.intake.test_photo import picture
from tests.web.conftest import Service
from tests.web.office import DUE, UNITS, Desk, Hand, browser_of, office
from tests.web.test_pages import seen


@pytest.fixture(scope="module")
def desk(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return office(service, tmp_path_factory.mktemp("p"))


@pytest.fixture
def hand(desk: Desk) -> Iterator[Hand]:
    with browser_of(desk, "wang") as hand:
        yield hand


def test_a_case_goes_from_found_to_closed_above(desk: Desk) -> None:
    """四定: judged grave, instructed, assigned to two units, done by both, proved, accepted and closed by others, closed above."""
    case = desk.new()
    start = desk.case(case)
    assert start["last_event"] == 0 and {m["move"] for m in start["allowed"]} >= {"judge_problem", "merge"}
    judged = desk.did(case, "judge_problem", reason="现场核实", severity="重大", class_code="building.dyke")
    assert judged["state"] == "problem" and re.fullmatch(r"\d{6}-\d{4}-\d{4}", judged["number"])
    [assign] = [m for m in desk.case(case)["allowed"] if m["move"] == "assign"]
    assert assign["waits_for"] == "instruction"
    early = desk.take(case, "assign", deadline=DUE, measure="拆除", detail={"units": UNITS})
    assert early.status_code == 422 and "instruct" in early.json()["message"]
    desk.did(case, "instruct", reason="限期整治", authority="县总河长")
    desk.did(case, "assign", deadline=DUE, measure="拆除恢复", detail={"units": UNITS})
    shown = desk.case(judged["number"])["case"]
    assert (
        shown["id"] == case and shown["deadline"] == DUE and [u["unit"] for u in shown["units"]] == ["试验镇", "水利局"]
    )
    assert shown["class_code"] == "building.dyke" and shown["severity"] == "重大"
    desk.did(case, "unit_done", unit="水利局", files=desk.shot())
    done = desk.did(case, "rectify", reason="已拆除", files=desk.shot())
    assert done["state"] == "rectified" and done["told"], "a picture of before the assignment is told"
    unseen = desk.take(case, "accept", "reviewer", reason="现场验收")
    assert unseen.status_code == 422 and "doubts" in unseen.json()["message"]
    desk.did(case, "accept", "reviewer", reason="现场验收", doubts_seen=True)
    desk.did(case, "close", "reviewer", reason="县内销号")
    assert desk.case(case)["case"]["awaits_above"] is True
    papers = {"attachment": ("批复.pdf", b"%PDF-1.7 paper", "application/pdf")}
    low = desk.take(case, "close_above", "reviewer", authority="市河长办", authority_level="city", files=papers)
    assert low.status_code == 422 and "province" in low.json()["message"]
    top = desk.did(case, "close_above", "reviewer", authority="省河长办", authority_level="province", files=papers)
    assert top["state"] == "closed_above"
    [paper] = [e["attachment_sha256"] for e in desk.case(case)["events"] if e["attachment_sha256"]]
    path = f"/findings/{case}/attachments/{paper}"
    assert path in desk.service.page(f"/findings/{case}", "reviewer")
    got = desk.service.get(path, "reviewer")
    assert got.content == b"%PDF-1.7 paper" and got.headers["content-disposition"].startswith("attachment")
    assert desk.service.get(path, "viewer").status_code == 403 and path not in desk.service.page(f"/findings/{case}")
    for strange in ("*", "0" * 64, "..%2f..%2fsecret"):
        assert desk.service.get(f"/findings/{case}/attachments/{strange}", "reviewer").status_code == 404
    assert desk.service.get(path.replace(case, desk.service.finding), "reviewer").status_code == 404
    told = desk.case(case)
    assert [e["move"] for e in told["events"]][:3] == ["judge_problem", "instruct", "assign"]
    assert [e["seq"] for e in told["events"]] == list(range(1, told["last_event"] + 1))
    [photo] = [e for e in told["evidence"] if e["kind"] == "photo"]
    assert (
        photo["position_grade"] == "measured" and photo["distance_m"] < 1 and photo["taken_at"].startswith("2026-05-30")
    )


def test_history_as_of_a_day_before_and_a_day_to_come(desk: Desk) -> None:
    case = desk.assigned()
    before = desk.service.get(f"/api/cases/{case}?known=2026-01-01")
    assert before.status_code == 404 and "2026-01-01" in before.json()["message"]
    to_come = desk.service.get("/api/cases?known=2099-01-01")
    assert to_come.status_code == 400 and "not come yet" in to_come.json()["message"]
    late = desk.case(case, query=f"?on={date.fromisoformat(DUE) + timedelta(days=9)}")["case"]
    assert late["overdue_days"] == 9 and late["escalation_due"] == "notice"
    assert desk.case(case)["case"]["overdue_days"] == 0


def test_who_may_not(desk: Desk) -> None:
    case = desk.assigned()
    assert desk.service.client.post(f"/api/cases/{case}/moves", json={"move": "rectify"}).status_code == 401
    for who in ("viewer", "planner", "auditor", "reviewer", "system_admin"):
        answer = desk.take(case, "take_back", who, reason="x")
        assert answer.status_code == 403 and answer.json()["error"] == "not_permitted", answer.text
        assert not [
            m for m in desk.service.get(f"/api/cases/{case}", who).json().get("allowed", []) if m["move"] == "take_back"
        ]
    desk.did(case, "rectify", "both", files=desk.shot())
    own = desk.take(case, "accept", "both", reason="好", doubts_seen=True)
    assert own.status_code == 403 and "another person" in own.json()["message"]
    assert "accept" not in {m["move"] for m in desk.case(case, "both")["allowed"]}, "it is not even offered"
    assert "accept" in {m["move"] for m in desk.case(case, "reviewer")["allowed"]}
    with desk.service.db.read() as conn:
        moves = conn.execute(
            text("SELECT move, actor FROM data.finding_event WHERE finding_id = CAST(:f AS uuid) ORDER BY seq"),
            {"f": case},
        ).all()
    assert moves[-1] == ("rectify", "the-both")


@pytest.mark.parametrize(
    ("said", "status", "needle"),
    [
        ({"move": "accept"}, 409, "不能"),
        ({"move": "fly"}, 422, "There is no move"),
        ({"move": "judge_problem"}, 422, "reason"),
        ({"move": "judge_problem", "reason": " "}, 422, "reason"),
        ({"move": "judge_problem", "reason": "x", "severity": "huge"}, 422, "severity"),
        ({"move": "judge_problem", "reason": "x", "detail": "[1]"}, 422, "detail"),
        ({"move": "judge_problem", "reason": ["x"]}, 422, "reason"),
        ({"move": "judge_problem", "reason": "x" * 5000}, 422, "at most"),
        ({"move": "judge_problem", "reason": "x", "last_event": "seven"}, 422, "last_event"),
        ({"move": "judge_problem", "reason": "x", "last_event": 7}, 409, "新的处置"),
        ({"move": "merge", "reason": "x", "into": "nowhere-1"}, 404, "nowhere-1"),
        ({"move": "judge_problem", "reason": "x", "lon": "106"}, 422, "经度"),
        ({"move": "judge_problem", "reason": "x", "lon": "a", "lat": "b"}, 422, "degrees"),
    ],
)
def test_what_cannot_be_is_one_sentence(desk: Desk, said: dict[str, Any], status: int, needle: str) -> None:
    answer = desk.take(desk.service.finding, said.pop("move"), "both", **said)
    assert answer.status_code == status and needle in answer.json()["message"], answer.text
    assert desk.case(desk.service.finding)["last_event"] == 0


def test_files_that_prove_nothing(desk: Desk, tmp_path: Path) -> None:
    case = desk.assigned()
    mute = picture(tmp_path / "mute.jpg", taken=None, offset=None)
    for files, status, needle in (
        ([("evidence", ("mute.jpg", mute.read_bytes(), "image/jpeg"))], 422, "mute.jpg tells no position"),
        ([("evidence", ("../../x/a.jpg", b"<html>", "image/jpeg"))], 422, "a.jpg cannot be read as a picture"),
        ([("evidence", ("empty.jpg", b"", "image/jpeg"))], 422, "empty.jpg"),
        ([("photo", ("a.jpg", b"x", "image/jpeg"))], 422, "'photo'"),
    ):
        answer = desk.take(case, "rectify", files=files)
        assert answer.status_code == status and needle in answer.json()["message"], answer.text
        assert "/tmp" not in answer.text and "rivergis-" not in answer.text
    kept = desk.take(
        case, "rectify", files=[("evidence", ("mute.jpg", mute.read_bytes(), "image/jpeg"))],
        lon="106.0041", lat="29.4003", at="2026-05-30T09:00",
    )  # fmt: skip
    assert kept.status_code == 201
    [shot] = [e for e in desk.case(case)["evidence"] if e["kind"] == "photo"]
    assert shot["position_grade"] == "hand_placed" and shot["taken_at"] == "2026-05-30T01:00:00Z", "Beijing time"


def test_two_people_at_once_and_only_one_is_first(desk: Desk) -> None:
    case = desk.new()
    desk.did(case, "judge_problem", reason="现场核实")
    answers: list[Any] = []
    gate = threading.Barrier(4)

    def assign(who: str) -> None:
        gate.wait()
        detail = {"units": [{"unit": who, "lead": True}]}
        answers.append(desk.take(case, "assign", who, deadline=DUE, measure="清理", last_event=1, detail=detail))

    hands = [threading.Thread(target=assign, args=(w,)) for w in ("inspector", "both", "inspector", "both")]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]
    late = next(a for a in answers if a.status_code == 409).json()
    assert late["error"] == "not_now" and late["seen"] == 1 and late["last_event"] == 2 and late["state"] == "assigned"
    assert len(desk.case(case)["events"]) == 2


def test_merges_the_other_way_round_do_not_wait_for_each_other(desk: Desk) -> None:
    a, b = desk.new(), desk.new()
    answers: list[int] = []
    gate = threading.Barrier(2)

    def merge(one: str, other: str) -> None:
        gate.wait()
        answers.append(desk.take(one, "merge", reason="同一处", into=other).status_code)

    hands = [threading.Thread(target=merge, args=pair) for pair in ((a, b), (b, a))]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert sorted(answers) == [201, 422], "a case that others went into goes into none"
    gone = next(c for c in (a, b) if desk.case(c)["case"]["state"] == "merged")
    desk.did(gone, "take_apart", reason="不是同一处")
    assert desk.case(gone)["case"]["state"] == "found"
    assert desk.did(b if gone == a else a, "judge_problem", reason="各自办理")["state"] == "problem"


# ---- by form ----------------------------------------------------------------------------------------------------------


def forms(page: str) -> dict[str, str]:
    """Forms of moves on a page: move -> its HTML."""
    found = re.findall(r'<form method="post" enctype.*?</form>', page, re.DOTALL)
    return {re.search(r'name="move" value="(\w+)"', f)[1]: f for f in found}  # type: ignore[index]


def test_the_page_offers_exactly_what_may_be_done_now(desk: Desk, hand: Hand) -> None:
    case = desk.new()
    page = hand.get(f"/findings/{case}")
    assert set(forms(page)) == {m["move"] for m in desk.case(case)["allowed"]}
    assert "accept" not in forms(page) and 'name="last_event" value="0"' in forms(page)["judge_problem"]
    assert forms(desk.service.page(f"/findings/{case}", "viewer")) == {}
    assert "<script" not in page and f'action="/findings/{case}/moves#move-judge_problem"' in page
    assert forms(hand.get(f"/findings/{case}?on=2026-06-01")) == {}, "the past cannot be moved"


def test_a_form_saves_and_the_next_page_shows_it(desk: Desk, hand: Hand) -> None:
    case = desk.new()
    first = hand.send(case, move="judge_problem", last_event="0", reason="<b>现场核实</b>")
    assert first.status_code == 303 and first.headers["location"] == f"/findings/{case}#events"
    sent = {"unit-0": "试验镇", "unit-1": "水利局", "person-1": "李四", "lead": "1", "deadline-0": "", "unit-2": " "}
    second = hand.send(case, move="assign", last_event="1", deadline=DUE, measure="拆除", **sent)
    assert second.status_code == 303
    units = desk.case(case)["case"]["units"]
    assert [(u["unit"], u["lead"]) for u in units] == [("试验镇", False), ("水利局", True)] and units[1][
        "person"
    ] == "李四"
    page = hand.get(f"/findings/{case}")
    assert "&lt;b&gt;现场核实&lt;/b&gt;" in page and "李四" in page and DUE in page
    plain = desk.service.page(f"/findings/{case}", "viewer")
    assert "水利局" in plain and "李四" not in plain, "who answers in person is for who works on cases"
    assert "李四" not in desk.service.get(f"/api/cases/{case}", "viewer").text
    assert "李四" not in desk.service.get("/api/cases?state=any", "viewer").text + desk.service.page("/cases?state=any")


def test_a_stale_form_saves_nothing_and_is_told_what_happened(desk: Desk, hand: Hand) -> None:
    case = desk.new()
    desk.did(case, "judge_problem", "both", reason="他人先核实了")
    answer = hand.send(case, move="judge_not_a_problem", last_event="0", reason="我看不是")
    told = seen(answer.text)
    assert answer.status_code == 409 and "本次未保存" in told and "他人先核实了" in told and "the-both" in told
    assert answer.text.count("本次未保存") == 2, "above, and in the form that the browser goes to"
    form = forms(answer.text)["judge_not_a_problem"]
    assert "我看不是" in form and 'name="last_event" value="1"' in form, (
        "typed words are kept, and may be sent knowingly"
    )
    assert len(desk.case(case)["events"]) == 1


def test_a_refused_form_keeps_what_was_typed_beside_the_sentence(desk: Desk, hand: Hand) -> None:
    case = desk.new()
    hand.send(case, move="judge_problem", last_event="0", reason="核实")
    answer = hand.send(case, move="assign", last_event="1", deadline="2026-02-30", measure="清运", **{"unit-0": "甲镇"})
    form = forms(answer.text)["assign"]
    assert answer.status_code == 422 and "清运" in form and 'value="甲镇"' in form
    assert 'role="alert"' in answer.text and "deadline" in seen(answer.text)


@pytest.mark.parametrize("said", [{}, {"last_event": ""}, {"last_event": "-1"}, {"last_event": "0", "move": "accept"}])
def test_a_forged_form_moves_nothing(desk: Desk, hand: Hand, said: dict[str, str]) -> None:
    case = desk.assigned()
    answer = hand.send(case, **{"move": "take_back", "reason": "x", **said})
    assert answer.status_code in (403, 422) and len(desk.case(case)["events"]) == 2
    assert 'role="alert"' in answer.text


def test_another_site_cannot_move_a_case(desk: Desk, hand: Hand) -> None:
    case = desk.assigned()
    for headers in ({"origin": "https://elsewhere.example"}, {}, {"sec-fetch-site": "cross-site"}):
        for path in (f"/findings/{case}/moves", f"/api/cases/{case}/moves"):
            answer = hand.client.post(
                path, data={"move": "take_back", "reason": "x", "last_event": "2"}, headers=headers
            )
            assert answer.status_code == 403, (path, headers)
    assert len(desk.case(case)["events"]) == 2


def test_a_body_without_end_is_refused(desk: Desk, hand: Hand) -> None:
    case = desk.assigned()
    big = [("evidence", ("big.jpg", io.BytesIO(b"\xff\xd8" + bytes(26 << 20)), "image/jpeg"))]
    answer = hand.send(case, files=big, move="rectify", last_event="2")
    assert answer.status_code == 422 and "25 MB" in answer.text
    many = [("evidence", (f"{n}.jpg", b"x", "image/jpeg")) for n in range(20)]
    assert hand.send(case, files=many, move="rectify", last_event="2").status_code in (400, 422)
    assert len(desk.case(case)["events"]) == 2


def test_nothing_is_there_for_who_may_see_nothing(desk: Desk) -> None:
    unknown = uuid.uuid4()
    assert desk.take(str(unknown), "judge_problem", reason="x").status_code == 404
    assert desk.service.get(f"/findings/{unknown}", accept="text/html").status_code == 404
    for role in ("system_admin", "security_officer"):
        for path in ("/cases", "/api/cases", f"/api/cases/{desk.service.finding}"):
            assert desk.service.get(path, role).status_code == 403


def test_a_number_leads_to_its_case(desk: Desk) -> None:
    case = desk.new()
    number = desk.did(case, "judge_problem", reason="核实")["number"]
    answer = desk.service.get(f"/cases/{number}", accept="text/html")
    assert answer.status_code == 303 and answer.headers["location"] == f"/findings/{case}"
    assert desk.service.get("/cases/500199-1999-9999", accept="text/html").status_code == 404
