"""The ledger with a life in a database (see case_ground for the office)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import text

from rivergis.db import people
from rivergis.db.connect import Database, now_of
from rivergis.encroachment import case_store, case_workflow, look_back_workflow
from rivergis.encroachment.case_store import Wanted
from rivergis.errors import InputError, NotFound, NotPermitted, UsageError
from tests.encroachment.case_ground import (
    BOOK,
    FOUND,
    HANDED,
    LAT,
    LON,
    ONE,
    VIEW,
    move,
    office,
    opened,
    proof,
    to_closed,
)


@pytest.fixture(scope="module")
def ledger(module_db: Database) -> Iterator[Database]:
    office(module_db)
    yield module_db


def today() -> date:
    return datetime.now(look_back_workflow.SHANGHAI).date()


def case(db: Database, case_id: str, on: date | None = None) -> dict[str, Any]:
    with db.read() as conn:
        return case_store.case(conn, case_store.find(conn, case_id), on or today(), now_of(conn))


def rows(db: Database, **wanted: Any) -> set[str]:
    with db.read() as conn:
        found = case_store.ledger(conn, date(2027, 1, 20), now_of(conn), Wanted(**wanted))
    return {str(i) for i in found["id"]}


def test_a_case_from_the_report_to_the_closing_above(ledger: Database, tmp_path: Path) -> None:
    one = opened(ledger, 1000, number="12314-77")
    start = case(ledger, one)
    assert (start["state"], start["topic"], start["district"], start["kind"]) == ("found", "reported", "500199", "dump")
    assert start["sources"] == ["巡河"] and start["superior_numbers"] == ["12314-77"] and start["river"] == "试验河"
    assert start["number"] == f"500199-{today().year}-{int(start['number'][-4:]):04d}"
    assert opened(ledger, 1000, number="12314-77") == one, "the same report again is the same case"
    move(ledger, tmp_path, one, "judge_problem", "li", detail={"severity": "较严重"})
    with pytest.raises(UsageError, match=r"--deadline.*--measure.*--unit"):
        move(ledger, tmp_path, one, "assign", "li")
    move(ledger, tmp_path, start["number"], "assign", "li", detail=HANDED)
    with pytest.raises(UsageError, match="evidence"):
        move(ledger, tmp_path, one, "rectify", "li")
    with pytest.raises(UsageError, match="not done yet: 城管局"):
        move(ledger, tmp_path, one, "rectify", "li", evidence=[proof(tmp_path)])
    with pytest.raises(UsageError, match="水利局, 城管局"):
        move(ledger, tmp_path, one, "unit_done", "zhou", detail={"unit": "住建局"}, evidence=[proof(tmp_path)])
    near = proof(tmp_path, "unit.jpg", lon=LON + 1000 / 97_000)
    move(ledger, tmp_path, one, "unit_done", "zhou", detail={"unit": "城管局"}, evidence=[near])
    units = {u["unit"]: u["done_on"] for u in case(ledger, one)["units"]}
    assert units["水利局"] is None and units["城管局"] == str(today())
    step = move(ledger, tmp_path, one, "rectify", "li", evidence=[proof(tmp_path, "far.jpg")])
    assert any("米" in t and "far.jpg" in t for t in step.told), step.told
    with pytest.raises(NotPermitted, match="capability"):
        move(ledger, tmp_path, one, "accept", "li")
    with pytest.raises(UsageError, match="doubts-seen"):
        move(ledger, tmp_path, one, "accept", "wang")
    move(ledger, tmp_path, one, "send_back", "wang", reason="照片不是本处")
    assert case(ledger, one)["sent_back"] == 1 and case(ledger, one)["state"] == "assigned"
    move(ledger, tmp_path, one, "rectify", "chen", detail={"why_not_all": "城管局已完成"}, evidence=[near])
    with pytest.raises(NotPermitted, match="another person"):
        move(ledger, tmp_path, one, "accept", "chen", detail={"doubts_seen": True})
    move(ledger, tmp_path, one, "accept", "wang", detail={"doubts_seen": True})
    move(ledger, tmp_path, one, "close", "wang")
    assert case(ledger, one)["awaits_above"] and one in rows(ledger, awaits_above=True)
    paper = tmp_path / "批复.pdf"
    paper.write_bytes(b"%PDF-1.4 batch")
    above = {"authority": "市河长办", "authority_level": "county"}
    with pytest.raises(UsageError, match="较严重 is closed by city"):
        move(ledger, tmp_path, one, "close_above", "wang", detail=above, attachment=paper)
    move(ledger, tmp_path, one, "close_above", "wang", detail=above | {"authority_level": "city"}, attachment=paper)
    done = case(ledger, one)
    assert (done["state"], done["closed_above_by"], done["outcome"]) == ("closed_above", "市河长办", "problem")
    assert (
        done["assigned_at"]
        <= done["rectified_at"]
        <= done["accepted_at"]
        <= done["closed_at"]
        <= done["closed_above_at"]
    )
    assert not done["awaits_above"] and done["overdue_days"] == 0


def test_a_severe_case_is_instructed_before_it_is_assigned(ledger: Database, tmp_path: Path) -> None:
    one = opened(ledger, 2000)
    move(ledger, tmp_path, one, "judge_problem", "li", detail={"severity": "重大"})
    with pytest.raises(UsageError, match="instruction"):
        move(ledger, tmp_path, one, "assign", "li", detail=ONE)
    move(ledger, tmp_path, one, "instruct", "li", reason="限期一个月", detail={"authority": "镇政府"})
    assert move(ledger, tmp_path, one, "assign", "li", detail=ONE).state == "assigned"


def test_clocks_stand_on_the_day_asked_for(ledger: Database, tmp_path: Path) -> None:
    one = opened(ledger, 3000)
    move(ledger, tmp_path, one, "judge_problem", "li")
    move(ledger, tmp_path, one, "assign", "li", detail=ONE)
    due = date(2026, 12, 31)
    told = {n: case(ledger, one, due + timedelta(days=n)) for n in (-3, 0, 1, 8, 16, 31, 90)}
    assert [told[n]["due_in_days"] for n in (-3, 0, 1)] == [3, 0, None]
    assert [told[n]["overdue_days"] for n in (-3, 0, 1, 31)] == [0, 0, 1, 31]
    stages = [told[n]["escalation_due"] for n in told]
    assert stages == [None, None, "card", "notice", "letter", "order", "order"]
    move(ledger, tmp_path, one, "escalate", "li", reason=None, detail={"stage": "notice", "document_no": "督1号"})
    assert case(ledger, one)["escalation_issued"] == "notice"
    assert one in rows(ledger, overdue=True) and one in rows(ledger, escalation=True)
    later = {**ONE, "deadline": "2027-06-30"}
    move(ledger, tmp_path, one, "reassign", "li", reason="汛期延期", detail=later)
    assert one not in rows(ledger, overdue=True) and case(ledger, one)["deadline"] == date(2027, 6, 30)


def test_duplicates_are_proposed_merged_and_taken_apart(ledger: Database, tmp_path: Path) -> None:
    a, b = opened(ledger, 4000), opened(ledger, 4010, source="12314")
    other = opened(ledger, 4020, class_code="building.obstacle", kind="building")
    with ledger.read() as conn:
        pairs = case_workflow.duplicates(conn, VIEW, today(), now_of(conn))
    near = [{str(p["a"]), str(p["b"])} for p in pairs]
    assert {a, b} in near and not any(other in p for p in near)
    assert 5 < next(p for p in pairs if {str(p["a"]), str(p["b"])} == {a, b})["distance_m"] < 15
    move(ledger, tmp_path, b, "judge_problem", "li")
    with pytest.raises(UsageError, match="into"):
        move(ledger, tmp_path, b, "merge", "li", detail={"into": b})
    move(ledger, tmp_path, b, "merge", "li", detail={"into": a})
    assert [str(i) for i in case(ledger, a)["merged_from"]] == [b] and str(case(ledger, b)["merged_into"]) == a
    with pytest.raises(UsageError, match="take them apart"):
        move(ledger, tmp_path, a, "merge", "li", detail={"into": other})
    with pytest.raises(UsageError, match="not merged itself"):
        move(ledger, tmp_path, other, "merge", "li", detail={"into": b})
    assert move(ledger, tmp_path, b, "take_apart", "zhou").state == "problem", "back where it was"
    assert case(ledger, a)["merged_from"] == [] and case(ledger, b)["merged_into"] is None
    with ledger.read() as conn:
        assert case_store.find(conn, case(ledger, b)["number"]) == case_store.find(conn, b)
        with pytest.raises(NotFound):
            case_store.find(conn, "500199-2020-0001")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "no_position"),
        ({"lon": LON + 0.5}, "far_from_case"),
        ({"taken_at": datetime(2026, 5, 1, 12)}, "before_assigned"),
    ],
)
def test_what_a_picture_says_differently_is_told(
    ledger: Database, tmp_path: Path, more: dict[str, Any], told: str
) -> None:
    one = opened(ledger, 0, number=told)
    move(ledger, tmp_path, one, "judge_problem", "li")
    move(ledger, tmp_path, one, "assign", "li", detail=ONE)
    with pytest.raises(UsageError, match="no position"):
        move(ledger, tmp_path, one, "rectify", "li", evidence=[proof(tmp_path, lon=None, lat=None)])
    with pytest.raises(UsageError, match="future"):
        ahead = proof(tmp_path, taken_at=datetime.now() + timedelta(days=3))
        move(ledger, tmp_path, one, "rectify", "li", evidence=[ahead])
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    with pytest.raises(InputError):
        move(ledger, tmp_path, one, "rectify", "li", evidence=[proof(tmp_path).__class__(bad, LON, LAT)])
    move(ledger, tmp_path, one, "rectify", "li", evidence=[proof(tmp_path, f"{told}.jpg", **more)])
    with ledger.read() as conn:
        kept = case_store.evidence(conn, case_store.find(conn, one))
    assert (
        told in {d["code"] for d in kept[0]["doubts"]}
        and kept[0]["taken_at"]
        and kept[0]["position_grade"] == "hand_placed"
    )
    assert case(ledger, one)["doubts"] >= 1 and (tmp_path / "store" / kept[0]["file_path"]).exists()


def test_looking_back_is_drawn_by_risk_and_has_three_outputs(ledger: Database, tmp_path: Path) -> None:
    for n in range(12):
        to_closed(ledger, tmp_path, opened(ledger, 6000, number=f"L{n}", class_code="dumping.silt"))

    def draw() -> look_back_workflow.LookBack:
        return look_back_workflow.draw(ledger, VIEW, today(), today(), "zhao", class_code="dumping.silt")

    first = draw()
    assert draw() == first and (first.population, first.drawn) == (12, 4), (
        "all were rectified too quickly to be ordinary"
    )
    assert all("quick" in m["risks"] and m["done_by"] == ["li", "wang"] for m in first.members)
    with pytest.raises(NotPermitted, match="another person"):
        look_back_workflow.result(ledger, first.id, 1, "holds", "看过", "wang", tmp_path / "store")
    states = [
        look_back_workflow.result(ledger, first.id[:8], n, output, "现场看过", "zhao", tmp_path / "store").state
        for n, output in enumerate(("holds", "not_done", "rebounded"), 1)
    ]
    assert states == ["closed", "assigned", "problem"]
    again = draw()
    assert again.id == first.id and again.outputs == {"holds": 1, "not_done": 1, "rebounded": 1}, (
        "the period is the population"
    )
    with pytest.raises(UsageError, match="the result stands"):
        look_back_workflow.result(ledger, first.id, 2, "holds", "再看", "zhao", tmp_path / "store")
    seen = {str(m["finding_id"]): case(ledger, str(m["finding_id"])) for m in first.members[:3]}
    assert sorted(c["look_back"] for c in seen.values()) == ["holds", "not_done", "rebounded"]
    assert sum(c["rebounds"] for c in seen.values()) == 1


def test_what_the_night_sees_after_closing_shows_as_rebound(ledger: Database, tmp_path: Path) -> None:
    one = opened(ledger, 7000)
    to_closed(ledger, tmp_path, one)
    assert not case(ledger, one)["rebound"]
    night = today() + timedelta(days=5)
    with ledger.write("night") as conn:
        conn.execute(
            text(
                "INSERT INTO data.sighting (finding_id, night, status, geom) SELECT id, :n, 'rebound', place FROM data.finding WHERE id = :f"
            ),
            {"n": night, "f": one},
        )
    later = case(ledger, one, night)
    assert (
        later["rebound"] and later["state"] == "closed" and later["rebounds"] == 1 and one in rows(ledger, rebound=True)
    )
    move(ledger, tmp_path, one, "reopen", "li")
    assert not case(ledger, one, night)["rebound"]


def test_numbers_run_without_gaps_under_many_hands(ledger: Database, tmp_path: Path) -> None:
    with ledger.write("night") as conn:
        for n in range(24):
            conn.execute(
                text("""INSERT INTO data.finding (id, topic, first_night, district, place)
                VALUES (gen_random_uuid(), 'encroachment', '2026-05-20', :d, 'SRID=4490;POINT(106 29)')"""),
                {"d": ("500777", "500778001")[n % 2]},
            )
        ids = list(
            conn.execute(text("SELECT id::text FROM data.finding WHERE district ~ '^50077[78]' ORDER BY id")).scalars()
        )
    faults: list[BaseException] = []

    def work(mine: list[str]) -> None:
        try:
            for i in mine:
                move(ledger, tmp_path, i, "judge_problem", "li")
        except BaseException as error:  # told in the test's own thread
            faults.append(error)

    hands = [threading.Thread(target=work, args=(ids[n::4] + ids[(n + 1) % 4 :: 4][:0],)) for n in range(4)]
    for h in hands:
        h.start()
    for h in hands:
        h.join()
    assert not faults
    with ledger.read() as conn:
        given = conn.execute(text("SELECT county, seq, number FROM data.case_number WHERE county ~ '^50077[78]'")).all()
    for county in ("500777", "500778"):
        assert sorted(s for c, s, _ in given if c == county) == list(range(1, 13))
    assert len({n for _, _, n in given}) == 24


def test_two_at_once_on_one_case_go_one_after_the_other(ledger: Database, tmp_path: Path) -> None:
    one = opened(ledger, 8000)
    out: list[str] = []

    def work(name: str) -> None:
        try:
            out.append(move(ledger, tmp_path, one, name, "li").state)
        except UsageError:
            out.append("refused")

    hands = [threading.Thread(target=work, args=(m,)) for m in ("judge_not_a_problem", "judge_not_a_problem")]
    for h in hands:
        h.start()
    for h in hands:
        h.join()
    assert sorted(out) == ["not_a_problem", "refused"]


def test_who_is_not_known_or_may_not_is_refused_by_every_door(ledger: Database, tmp_path: Path) -> None:
    one = opened(ledger, 9000)
    for who in ("nobody", "ma"):
        with pytest.raises(NotPermitted):
            move(ledger, tmp_path, one, "judge_problem", who)
    with ledger.write("test") as conn:
        people.add_user(conn, "gone", "gone")
        people.grant(conn, "gone", "inspector")
        people.disable(conn, "gone")
    sql = "INSERT INTO data.finding_event (finding_id, move, to_state, reason, actor) VALUES (:f, 'judge_problem', 'problem', '直接写库', :a)"
    for who, signed in (("nobody", "nobody"), ("ma", "ma"), ("gone", "gone"), ("ma", "li")):
        with pytest.raises(NotPermitted, match="refused"), ledger.write(who) as conn:
            conn.execute(text(sql), {"f": one, "a": signed})
    with pytest.raises(InputError, match="dated"), ledger.write("li") as conn:
        back = sql.replace("actor)", "actor, recorded_at)").replace(":a)", ":a, '2026-01-01T00:00:00Z')")
        conn.execute(text(back), {"f": one, "a": "li"})
    for change in (
        "UPDATE data.finding_event SET reason = 'x'",
        "DELETE FROM data.finding_event",
        "DELETE FROM data.case_number",
    ):
        with pytest.raises(NotPermitted, match="append only"), ledger.write("li") as conn:
            conn.execute(text(change))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"source": " "}, "where the case comes from"),
        ({"found_on": date.today() + timedelta(days=2)}, "to come"),
        ({"place": shapely.Point(29.4, 106.1)}, "longitude comes first"),
        ({"place": shapely.Point()}, "needs a place"),
    ],
)
def test_a_report_that_cannot_be_is_refused(ledger: Database, more: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        opened(ledger, 0, **more)


def test_the_rules_of_the_ledger_stand_in_the_database_as_in_the_files(ledger: Database) -> None:
    with ledger.read() as conn:
        held = {
            r.severity: (r.close_level, r.instructed) for r in conn.execute(text("SELECT * FROM list.ledger_severity"))
        }
    view = BOOK.at(("000000",), FOUND)
    for severity in ("一般", "较严重", "重大"):
        asked = [view.value(k, severity=severity).value for k in ("ledger.closing.level", "ledger.instruction.needed")]
        assert held[severity] == tuple(asked)


def test_numbers_and_results_are_not_chosen_by_hand(ledger: Database) -> None:
    with ledger.write("test") as conn:
        conn.execute(
            text("""INSERT INTO data.finding (id, topic, first_night, district, place)
            VALUES ('00000000-0000-4000-8000-000000000001', 'encroachment', '2026-05-20', '500666', 'SRID=4490;POINT(106 29)')""")
        )
    year = today().year
    for county, seq, number in (
        ("500666", 7, f"500666-{year}-0007"),
        ("500199", 1, f"500199-{year}-0001"),
        ("500666", 1, "甲-1"),
    ):
        with pytest.raises(InputError, match="not chosen"), ledger.write("li") as conn:
            conn.execute(
                text(
                    "INSERT INTO data.case_number (finding_id, county, year, seq, number) VALUES ('00000000-0000-4000-8000-000000000001', :c, :y, :s, :n)"
                ),
                {"c": county, "y": year, "s": seq, "n": number},
            )
    with ledger.write("li") as conn:
        assert case_store.give_number(conn, case_store.find(conn, "00000000-0000-4000")) == f"500666-{year}-0001"
