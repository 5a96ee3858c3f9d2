"""The ledger against a clerk with plain SQL, and against moves that say more than their fields (see case_ground for the office)."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from rivergis.db import guards, people
from rivergis.db.connect import Database, now_of
from rivergis.encroachment import case_store, look_back_workflow
from rivergis.errors import InputError, NotPermitted, UsageError
from tests.encroachment.case_ground import ONE, move, office, opened, proof, to_closed


@pytest.fixture(scope="module")
def ledger(module_db: Database) -> Iterator[Database]:
    office(module_db)
    yield module_db


def sql(db: Database, who: str, said: str, **params: Any) -> None:
    with db.write(who) as conn:
        conn.execute(text(said), params)


def case(db: Database, case_id: str, on: date | None = None) -> dict[str, Any]:
    with db.read() as conn:
        day = on or datetime.now(look_back_workflow.SHANGHAI).date()
        return case_store.case(conn, case_store.find(conn, case_id), day, now_of(conn))


def audited(db: Database, target: str) -> int:
    with db.read() as conn:
        return int(conn.execute(text("SELECT count(*) FROM sys.audit WHERE target = :t"), {"t": target}).scalar_one())


@pytest.mark.parametrize("end", ["closed", "not_a_problem", "accepted", "historic_harmless"])
def test_a_case_in_hand_does_not_vanish_into_one_that_is_done(ledger: Database, tmp_path: Path, end: str) -> None:
    done, hand = opened(ledger, 100, number=f"done-{end}"), opened(ledger, 110, number=f"hand-{end}")
    if end in ("closed", "accepted"):
        to_closed(ledger, tmp_path, done)
        if end == "accepted":
            done = opened(ledger, 120, number="accepted")
            for name, who, more in (
                ("judge_problem", "li", {}),
                ("assign", "li", {"detail": ONE}),
                ("rectify", "li", {"evidence": [proof(tmp_path, "acc.jpg")]}),
                ("accept", "wang", {"detail": {"doubts_seen": True}}),
            ):
                move(ledger, tmp_path, done, name, who, **more)
    else:
        paper = tmp_path / "paper.pdf"
        paper.write_bytes(b"%PDF-1.4 x")
        move(ledger, tmp_path, done, f"judge_{end}", "li", attachment=paper)
    move(ledger, tmp_path, hand, "judge_problem", "li")
    move(ledger, tmp_path, hand, "assign", "li", detail=ONE)
    with pytest.raises(UsageError, match="into"):
        move(ledger, tmp_path, hand, "merge", "li", detail={"into": done})
    with pytest.raises(InputError, match="needs into"):
        sql(
            ledger, "li",
            "INSERT INTO data.finding_event (finding_id, move, to_state, reason, detail) VALUES (:f, 'merge', 'merged', '重复', CAST(:d AS jsonb))",
            f=hand, d=json.dumps({"into": done}),
        )  # fmt: skip
    assert case(ledger, hand)["state"] == "assigned"


def test_a_severity_said_while_assigning_counts(ledger: Database, tmp_path: Path) -> None:
    one = opened(ledger, 200)
    move(ledger, tmp_path, one, "judge_problem", "li")
    with pytest.raises(UsageError, match="instruction"):
        move(ledger, tmp_path, one, "assign", "li", detail={**ONE, "severity": "重大"})
    move(
        ledger,
        tmp_path,
        one,
        "judge_historic_listed",
        "li",
        attachment=proof(tmp_path, "a.jpg").path,
        detail={"severity": "重大"},
    )
    with pytest.raises(UsageError, match="instruction"):
        move(ledger, tmp_path, one, "assign", "li", detail={**ONE, "severity": "一般"})
    assert case(ledger, one)["state"] == "historic_listed"


def test_only_a_table_of_before_says_another_day(ledger: Database, tmp_path: Path) -> None:
    one = opened(ledger, 300)
    before = datetime.now(look_back_workflow.SHANGHAI)
    move(ledger, tmp_path, one, "judge_problem", "li")
    move(ledger, tmp_path, one, "assign", "li", detail=ONE)
    said = {"rectified_on": "2026-01-01", "closed_on": "2026-01-01"}
    move(ledger, tmp_path, one, "rectify", "li", evidence=[proof(tmp_path, "b.jpg")], detail=said)
    move(ledger, tmp_path, one, "accept", "wang", detail={"doubts_seen": True})
    move(ledger, tmp_path, one, "close", "wang", detail=said)
    told = case(ledger, one)
    assert told["rectified_at"] >= before and told["closed_at"] >= before


@pytest.mark.parametrize(
    "said",
    [
        "INSERT INTO data.evidence (finding_id, kind, file_sha256, file_path, actor) VALUES (:f, 'photo', repeat('c', 64), 'x', 'li')",
        "INSERT INTO data.case_report (finding_id, source, found_on, actor) VALUES (:f, '举报', '2026-05-20', 'li')",
        "INSERT INTO data.superior_link (list_name, number, finding_id, how, actor) VALUES ('L', '1', :f, 'person', 'li')",
        "INSERT INTO data.superior_step (list_name, number, state, reason, actor) VALUES ('L', '1', 'done', 'x', 'li')",
        """INSERT INTO data.baseline (id, number, night, sources, counts, content_hash, actor)
        VALUES (:f, 99, '2026-05-20', '[]', '{}', 'x', 'li')""",
        """INSERT INTO data.authority_decision (finding_id, authority, outcome, decided_on, document_no, document_sha256, document_path, actor)
        VALUES (:f, '水利局', 'filed', '2026-05-20', '1', 'x', 'x', 'li')""",
        """INSERT INTO data.issued_report (id, kind, from_on, to_on, known_at, figures, figures_sha256, actor)
        VALUES (:f, 'period', '2026-05-01', '2026-05-20', '2026-05-20', '{}', 'x', 'li')""",
    ],
)
def test_nobody_writes_in_the_name_of_another(ledger: Database, said: str) -> None:
    one = opened(ledger, 400)
    with pytest.raises(NotPermitted, match="own name"):
        sql(ledger, "ma", said, f=one)
    dated = said.replace(", actor)", ", actor, recorded_at)").replace("'li')", "'li', '2026-01-01T00:00:00Z')")
    with pytest.raises((NotPermitted, InputError), match="dated"):
        sql(ledger, "li", dated, f=one)


@pytest.mark.parametrize(
    "table", ["sys.audit", "sys.night", "sys.import_record", "list.rule", "list.rule_set", "data.finding_event"]
)
def test_what_only_grows_is_not_emptied(ledger: Database, table: str) -> None:
    with pytest.raises(NotPermitted, match="append only"):
        sql(ledger, "li", f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize(
    "said",
    [
        "UPDATE list.lifecycle_move SET other_than = '{}', capability = 'view' WHERE move = 'accept'",
        "DELETE FROM list.ledger_severity WHERE severity = '重大'",
        "INSERT INTO list.role_capability (role, capability) VALUES ('viewer', 'review_findings')",
    ],
)
def test_the_rules_of_the_life_are_changed_by_the_upgrade_only(ledger: Database, said: str) -> None:
    with pytest.raises(NotPermitted, match="upgrade"):
        sql(ledger, "li", said)
    with ledger.engine.connect() as conn, conn.begin() as whole:
        conn.execute(text("SELECT set_config('rivergis.actor', 'upgrade', true)"))
        before = conn.execute(text("SELECT count(*) FROM sys.audit")).scalar_one()
        conn.execute(text(said))
        assert conn.execute(text("SELECT count(*) FROM sys.audit")).scalar_one() == before + 1, "it leaves a line"
        whole.rollback()


def test_many_hands_merging_at_once_make_no_ring(ledger: Database, tmp_path: Path) -> None:
    ids = [opened(ledger, 500 + n, number=f"ring-{n}") for n in range(4)]
    faults: list[BaseException] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(6):
            a, b = chance.sample(ids, 2)
            try:
                if chance.random() < 0.6:
                    move(ledger, tmp_path, a, "merge", "li", detail={"into": b})
                else:
                    move(ledger, tmp_path, a, "take_apart", "zhou")
            except UsageError:
                continue
            except BaseException as error:  # told in the test's own thread
                faults.append(error)

    hands = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for h in hands:
        h.start()
    for h in hands:
        h.join()
    assert not faults
    for c in (case(ledger, i) for i in ids):
        if c["state"] == "merged":
            assert case(ledger, str(c["merged_into"]))["state"] != "merged"
        assert all(case(ledger, str(i))["state"] == "merged" for i in c["merged_from"])


def test_who_loses_a_capability_in_between_goes_no_further(ledger: Database, tmp_path: Path) -> None:
    one = opened(ledger, 600)
    with ledger.write("test") as conn:
        for name in ("sun", "qian"):
            people.add_user(conn, name, name)
            people.grant(conn, name, "inspector")
    move(ledger, tmp_path, one, "judge_problem", "sun")
    with ledger.write("test") as conn:
        people.revoke(conn, "sun", "inspector")
        people.disable(conn, "qian")
    for who in ("sun", "qian"):
        with pytest.raises(NotPermitted):
            move(ledger, tmp_path, one, "assign", who, detail=ONE)
    with pytest.raises(NotPermitted, match="may not take"):
        sql(
            ledger, "sun",
            "INSERT INTO data.finding_event (finding_id, move, to_state, reason) VALUES (:f, 'judge_not_a_problem', 'not_a_problem', 'x')",
            f=one,
        )  # fmt: skip


def test_a_deadline_is_over_when_its_day_is_over_in_beijing(ledger: Database, tmp_path: Path) -> None:
    one = opened(ledger, 700)
    move(ledger, tmp_path, one, "judge_problem", "li")
    told = move(ledger, tmp_path, one, "assign", "li", detail={**ONE, "deadline": "2026-10-01"}).told
    assert any("2026-10-01" in t for t in told), "a day that is past is told"
    days = {d: case(ledger, one, date(2026, 10, d)) for d in (1, 2, 8)}
    assert [days[d]["overdue_days"] for d in days] == [0, 1, 7], "also over holidays: days are days of the calendar"
    with ledger.read() as conn:
        zone = "SELECT (timestamptz '2026-10-01T15:59:59Z' AT TIME ZONE 'Asia/Shanghai')::date"
        assert conn.execute(text(zone)).scalar_one() == date(2026, 10, 1)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE data.finding_event DISABLE TRIGGER guard_life",
        "ALTER TABLE data.finding_event DISABLE TRIGGER USER",
        "ALTER TABLE data.finding_event ENABLE REPLICA TRIGGER guard_append_only",
        "DROP TRIGGER guard_life ON data.finding_event",
        "CREATE OR REPLACE FUNCTION app.may(who text, what text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT true'",
        "ALTER TABLE list.lifecycle_move DISABLE TRIGGER USER; UPDATE list.lifecycle_move SET other_than = '{}'; ALTER TABLE list.lifecycle_move ENABLE TRIGGER USER",
    ],
)
def test_a_guard_that_somebody_put_aside_is_told(ledger: Database, change: str) -> None:
    with ledger.engine.connect() as conn, conn.begin() as whole:
        assert guards.aside(conn) == []
        conn.execute(text("SELECT set_config('rivergis.actor', 'li', true)"))
        for part in change.split("; "):
            conn.execute(text(part))
        assert guards.aside(conn)
        whole.rollback()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM data.finding_event WHERE finding_id = :f AND seq = 1", "missing"),
        ("UPDATE data.finding_event SET recorded_at = recorded_at - interval '3 days' WHERE finding_id = :f AND seq = 2", "dated before"),
        (
            "INSERT INTO data.finding_event (finding_id, seq, move, to_state, actor) VALUES (:f, 3, 'close', 'closed', 'zhao')",
            "the audit knows nothing",
        ),
    ],
)  # fmt: skip
def test_what_passed_no_guard_leaves_a_mark(ledger: Database, tmp_path: Path, change: str, told: str) -> None:
    one = opened(ledger, 800)
    if case(ledger, one)["state"] == "found":
        move(ledger, tmp_path, one, "judge_problem", "li")
        move(ledger, tmp_path, one, "assign", "li", detail=ONE)
    with ledger.engine.connect() as conn, conn.begin() as whole:
        assert guards.marks(conn) == []
        conn.execute(text("SET LOCAL session_replication_role = replica"))
        conn.execute(text(change), {"f": one})
        assert any(told in m and one[:8] in m for m in guards.marks(conn)), guards.marks(conn)
        whole.rollback()


def test_a_task_is_accepted_by_who_may(ledger: Database) -> None:
    step = "INSERT INTO data.superior_step (list_name, number, state, reason) VALUES ('分解表', '7', :s, 'x')"
    with pytest.raises(NotPermitted, match="capability"):
        sql(ledger, "ma", step, s="done")
    sql(ledger, "li", step, s="done")
    with pytest.raises(NotPermitted, match="capability"):
        sql(ledger, "zhou", step, s="accepted")
    sql(ledger, "wang", step, s="accepted")


def test_two_who_sign_at_once_sign_once(ledger: Database) -> None:
    made = "00000000-0000-4000-8000-0000000000b1"
    sql(
        ledger, "li",
        """INSERT INTO data.baseline (id, number, night, sources, counts, content_hash)
        VALUES (:b, (SELECT coalesce(max(number), 0) + 1 FROM data.baseline), '2026-05-20', '[]', '{}', 'x')""",
        b=made,
    )  # fmt: skip
    out: list[str] = []

    def sign(who: str) -> None:
        try:
            sql(ledger, who, "INSERT INTO data.baseline_signature (baseline_id, reason) VALUES (:b, '核对')", b=made)
            out.append("signed")
        except Exception as error:  # what the loser is told is looked at below
            out.append(type(error).__name__)

    hands = [threading.Thread(target=sign, args=(w,)) for w in ("wang", "zhao")]
    for h in hands:
        h.start()
    for h in hands:
        h.join()
    assert sorted(out) == ["NotPermitted", "signed"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"taken_at": datetime(1, 1, 1)}, "taken in 1:"),
        ({"taken_at": datetime(1899, 1, 1)}, "taken in 1899"),
        ({"lon": float("nan")}, "no longitude"),
        ({"lat": float("inf")}, "no longitude"),
        ({"path": b""}, "is empty"),
    ],
)
def test_evidence_that_cannot_be_is_refused_in_a_sentence(
    ledger: Database, tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    one = opened(ledger, 900)
    if case(ledger, one)["state"] == "found":
        move(ledger, tmp_path, one, "judge_problem", "li")
        move(ledger, tmp_path, one, "assign", "li", detail=ONE)
    shown = proof(tmp_path, **{k: v for k, v in more.items() if k != "path"})
    if "path" in more:
        paper = tmp_path / "paper.pdf"
        paper.write_bytes(more["path"])
        shown = replace(shown, path=paper)
    with pytest.raises((UsageError, InputError), match=said):
        move(ledger, tmp_path, one, "rectify", "li", evidence=[shown])
    assert case(ledger, one)["state"] == "assigned"
