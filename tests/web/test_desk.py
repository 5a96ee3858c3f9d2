"""The desk beside the list: cases opened by hand, looking back, the baseline, feeds; by form and by program."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from rivergis.encroachment import baseline_store, feed_store
from rivergis.encroachment.feeds import Feed
from tests.intake.test_photo import picture
from tests.web.conftest import NIGHT, Service
from tests.web.office import Desk, Hand, browser_of, office
from tests.web.test_pages import seen


@pytest.fixture(scope="module")
def desk(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return office(service, tmp_path_factory.mktemp("p"))


@pytest.fixture
def hand(desk: Desk) -> Iterator[Hand]:
    with browser_of(desk, "wang") as hand:
        yield hand


def post(desk: Desk, path: str, who: str, **how: Any):  # type: ignore[no-untyped-def]
    return desk.service.client.post(path, headers={"Authorization": f"Bearer {desk.service.keys[who]}"}, **how)


def form(hand: Hand, path: str, files: Any = None, **said: Any):  # type: ignore[no-untyped-def]
    headers = {"accept": "text/html", "origin": "http://testserver"}
    return hand.client.post(path, data=said, files=files, headers=headers)


# ---- reports ----------------------------------------------------------------------------------------------------------


def test_a_photo_alone_says_where_and_when_and_opens_a_case(desk: Desk, hand: Hand) -> None:
    said = {
        "source": "12314",
        "found_on": "2026-06-01",
        "number": "热线-7",
        "class_code": "dumping.rubbish",
        "note": "<i>垃圾</i>",
    }
    answer = form(hand, "/cases", files=desk.shot(), **said)
    assert answer.status_code == 303, answer.text
    page = hand.get(answer.headers["location"])
    for words in (
        "500199-",
        "12314",
        "热线-7",
        "&lt;i&gt;垃圾&lt;/i&gt;",
        "2026-06-01",
        "定位取自照片",
        "2026-05-30 09:00",
    ):
        assert words in page, words
    case = desk.case("热线-7")["case"]
    assert case["topic"] == "reported" and case["state"] == "found" and case["district"] == "500199"
    assert case["lon"] == pytest.approx(106.0041, abs=1e-5)
    again = form(hand, "/cases", files=desk.shot(), **said)
    assert again.headers["location"] == answer.headers["location"], "the same report is the same case"


def test_a_report_by_program_in_a_chinese_datum(desk: Desk) -> None:
    said = {"source": "举报", "lon": 106.0086, "lat": 29.3977, "datum": "gcj02", "found_on": "2026-06-02"}
    opened = post(desk, "/api/cases", "inspector", json=said)
    assert opened.status_code == 201, opened.text
    case = desk.case(opened.json()["case"])["case"]
    assert 300 < 111_000 * abs(case["lat"] - 29.3977) + 97_000 * abs(case["lon"] - 106.0086) < 1500
    listed = desk.service.get("/api/cases?topic=reported").json()
    assert case["id"] in [c["id"] for c in listed["cases"]]


@pytest.mark.parametrize(
    ("said", "needle"),
    [
        ({}, "来源"),
        ({"source": "巡河"}, "经纬度"),
        ({"source": "巡河", "lon": "106"}, "同时"),
        ({"source": "巡河", "lon": "29.4", "lat": "106.0"}, "longitude comes first"),
        ({"source": "巡河", "lon": "106", "lat": "29.4", "found_on": "2099-01-01"}, "day to come"),
        ({"source": "巡河", "lon": "106", "lat": "29.4", "found_on": "yesterday"}, "is no day"),
        ({"source": "巡河", "lon": "106", "lat": "29.4", "class_code": "nonsense"}, "no class"),
        ({"source": "巡河", "lon": "106", "lat": "29.4", "datum": "mars"}, "no datum"),
    ],
)
def test_a_report_that_is_not_enough(desk: Desk, hand: Hand, said: dict[str, str], needle: str) -> None:
    answer = post(desk, "/api/cases", "inspector", json=said)
    assert answer.status_code == 422 and needle in answer.json()["message"], answer.text
    page = form(hand, "/cases", files={"evidence": ("", b"")}, note="写了半天", **said)
    assert page.status_code == 422 and needle in page.text and "写了半天" in page.text


def test_a_mute_photo_takes_the_typed_place_and_asks_for_the_time(desk: Desk, hand: Hand, tmp_path: Any) -> None:
    mute = picture(tmp_path / "mute.jpg", taken=None, offset=None)
    files = [("evidence", ("mute.jpg", mute.read_bytes(), "image/jpeg"))]
    said = {"source": "暗访", "lon": "106.003", "lat": "29.4006", "found_on": "2026-06-03"}
    refused = form(hand, "/cases", files=files, **said)
    assert refused.status_code == 422 and "mute.jpg 没有拍摄时间" in refused.text
    opened = form(hand, "/cases", files=files, at="2026-06-03T08:00", **said)
    assert opened.status_code == 303
    case = opened.headers["location"].rsplit("/", 1)[1]
    [photo], [plain] = desk.case(case)["evidence"], desk.case(case, "viewer")["evidence"]
    assert photo["said"]["position"] and "said" not in plain and "file_path" not in photo
    assert photo["position_grade"] == "hand_placed" and photo["taken_at"] == "2026-06-03T00:00:00Z"


def test_reports_are_for_inspectors_and_duplicates_are_offered(desk: Desk, hand: Hand) -> None:
    said = {"source": "巡河", "lon": 106.00412, "lat": 29.40031, "class_code": "building.obstacle"}
    for who in ("viewer", "reviewer", "auditor"):
        assert post(desk, "/api/cases", who, json=said).status_code == 403
    opened = post(desk, "/api/cases", "inspector", json=said).json()["case"]
    pairs = desk.service.get(f"/api/duplicates?case={opened}").json()
    assert pairs and all(opened in (p["a"], p["b"]) and p["distance_m"] < 100 for p in pairs)
    other = next(p["a"] if p["b"] == opened else p["b"] for p in pairs)
    page = hand.get(f"/findings/{opened}")
    assert f'name="into_near" value="{other}"' in page
    merged = hand.send(opened, move="merge", last_event="0", reason="同一处", into_near=other, into="")
    assert merged.status_code == 303
    assert desk.case(opened)["case"]["merged_into"] == other
    assert f'href="/findings/{opened}"' in hand.get(f"/findings/{other}")
    assert opened not in [c["id"] for c in desk.service.get("/api/cases").json()["cases"]]


# ---- looking back -----------------------------------------------------------------------------------------------------


def closed(desk: Desk, done_by: str = "inspector") -> str:
    case = desk.assigned()
    desk.did(case, "rectify", done_by, files=desk.shot())
    desk.did(case, "accept", "reviewer", reason="验收", doubts_seen=True)
    desk.did(case, "close", "reviewer", reason="销号")
    return case


def test_looking_back_is_drawn_once_and_by_another_than_the_doer(desk: Desk, hand: Hand) -> None:
    cases = {closed(desk), closed(desk, "both")}
    days = {"from": "2026-01-01", "to": str(date.today())}
    assert post(desk, "/api/look-backs", "inspector", json=days).status_code == 403
    assert post(desk, "/api/look-backs", "reviewer", json={"from": "2001-01-01", "to": "2001-02-01"}).status_code == 422
    drawn = post(desk, "/api/look-backs", "reviewer", json=days)
    assert drawn.status_code == 201, drawn.text
    sample = drawn.json()
    assert sample["population"] >= 2 and {m["finding_id"] for m in sample["members"]} <= cases
    assert post(desk, "/api/look-backs", "reviewer", json=days).json()["id"] == sample["id"]
    member = (
        next(m for m in sample["members"] if "the-both" not in m["done_by"])
        if len(cases) == sample["drawn"]
        else sample["members"][0]
    )
    path = f"/api/look-backs/{sample['id'][:8]}/{member['seq']}"
    assert post(desk, path, "reviewer", json={"output": "holds"}).status_code == 422
    assert post(desk, path, "reviewer", json={"output": "fine", "reason": "x"}).status_code == 422
    own = next((m for m in sample["members"] if "the-both" in m["done_by"]), None)
    if own:
        mine = post(
            desk, f"/api/look-backs/{sample['id']}/{own['seq']}", "both", json={"output": "holds", "reason": "x"}
        )
        assert mine.status_code == 403 and "another person" in mine.json()["message"]
    with browser_of(desk, "zhao") as reviewer:
        page = reviewer.get(f"/look-backs/{sample['id']}")
        assert f'action="/look-backs/{sample["id"]}/{member["seq"]}"' in page
        said = {"output": "rebounded", "reason": "又堆上了"}
        sent = form(reviewer, f"/look-backs/{sample['id']}/{member['seq']}", files={"evidence": ("", b"")}, **said)
        assert sent.status_code == 303, sent.text
        assert "又堆上了" in reviewer.get(f"/look-backs/{sample['id']}")
        twice = form(reviewer, f"/look-backs/{sample['id']}/{member['seq']}", files={"evidence": ("", b"")}, **said)
        assert twice.status_code == 409
    assert desk.case(member["finding_id"])["case"]["state"] == "problem"
    assert 'name="output"' not in hand.get(f"/look-backs/{sample['id']}"), "an inspector looks on"


# ---- baseline ---------------------------------------------------------------------------------------------------------


def test_until_a_baseline_is_signed_nothing_is_called_new_and_its_maker_does_not_sign(desk: Desk) -> None:
    service = desk.service
    assert service.get("/api/baseline").status_code == 404
    assert "baseline make" in seen(service.page("/baseline"))
    assert "存量待核" in seen(service.page("/cases")) and service.get("/api/cases").json()["baseline_signed"] is False
    with service.db.write("the-both") as conn:
        source = [{"role": "decisions", "file": "核查表.xlsx", "sha256": "0" * 64, "rows": 1}]
        item = {
            "source": "decisions", "file_sha256": "0" * 64, "source_feature": "3", "number": "7", "how": "no_place", "start": "listed",
            "finding_id": None, "figures": {"why": "<b>没有坐标</b>"}, "said": {}, "place": None,
        }  # fmt: skip
        baseline_store.add(
            conn, NIGHT, source, {"rows": {"decisions": {"no_place": 1}}, "leads": {"to_verify": 3}}, "h", [item]
        )
    with browser_of(desk, "zhao") as reviewer:
        page = reviewer.get("/baseline")
        assert "核查表.xlsx" in page and "&lt;b&gt;没有坐标" in page and 'action="/baseline/sign"' in page
        assert 'action="/baseline/sign"' not in service.page("/baseline", "inspector")
        assert 'action="/baseline/sign"' not in service.page("/baseline", "both"), "its maker is not asked"
        assert post(desk, "/api/baseline/sign", "inspector", json={"reason": "x", "number": 1}).status_code == 403
        own = post(desk, "/api/baseline/sign", "both", json={"reason": "x", "number": 1})
        assert own.status_code == 403 and "another person" in own.json()["message"]
        assert post(desk, "/api/baseline/sign", "reviewer", json={"reason": " ", "number": 1}).status_code == 422
        assert post(desk, "/api/baseline/sign", "reviewer", json={"reason": "x", "number": 9}).status_code == 404
        assert form(reviewer, "/baseline/sign", number="1", reason="已逐条核对").status_code == 303
        assert form(reviewer, "/baseline/sign", number="1", reason="再签").status_code == 409
        assert "已逐条核对" in reviewer.get("/baseline")
    told = service.get("/api/cases?state=any&stock=increment").json()
    assert told["baseline_signed"] is True and {c["topic"] for c in told["cases"]} <= {"reported"}
    assert "存量 stock" in seen(service.page("/cases?state=any"))


# ---- feeds ------------------------------------------------------------------------------------------------------------


def test_feeds_say_who_is_late_and_never_a_folder_of_ours(desk: Desk) -> None:
    with desk.service.db.write("the-both") as conn:
        feed = Feed("hotline", "12314 热线", "hotline", "hotline", False, folder="/srv/in/hotline", cadence_days=1, late_after_days=2, dead_after_days=5)  # fmt: skip
        feed_store.save(conn, feed)
    [told] = [f for f in desk.service.get("/api/feeds").json() if f["code"] == "hotline"]
    assert told["state"] == "never" and told["has_folder"] is True and "folder" not in told
    page = desk.service.page("/feeds")
    assert "12314 热线" in page and "从未到达" in page and "/srv/in" not in page
    assert desk.service.get("/api/feeds/hotline/files").json() == []
    assert desk.service.get("/api/feeds/nobody/files").status_code == 404
    assert (
        desk.service.get("/api/superior-lists").json() == []
        and desk.service.get("/api/superior-lists/x").status_code == 404
    )


def test_every_page_of_the_desk_is_private(desk: Desk) -> None:
    pages = ("/cases", "/cases/new", "/look-backs", "/baseline", "/feeds", f"/findings/{uuid.uuid4()}")
    for path in pages:
        assert desk.service.client.get(path, headers={"accept": "text/html"}).headers["location"].startswith("/sign-in")
        assert desk.service.get(path, "system_admin", "text/html").status_code == 403
