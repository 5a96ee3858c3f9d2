"""Every view and export leaves a trace that is kept; auditors read all and write what they find; nobody accepts the own work."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from rivergis import lifecycle, rules, settings
from rivergis.db import access, access_log
from rivergis.db.connect import Database
from rivergis.errors import NotPermitted, RuleError
from rivergis.web import policy
from rivergis.web.limits import Limits, Rate
from rivergis.web.seen import Seen
from tests.security.conftest import Door
from tests.security.counties import PASSWORD


def test_views_and_refusals_are_written_down(door: Door) -> None:
    for path, role in (
        ("/cases", "inspector"),
        ("/cases", "inspector"),
        ("/api/cases", "system_admin"),
        ("/api/cases", None),
    ):
        door.ask("GET", path, role, headers={"Accept": "application/json" if "api" in path else "text/html"})
    door.ask("GET", "/health")
    told = [(r["actor"], r["action"], r["what"], r["requests"]) for r in door.logged()]
    assert ("the-inspector", "view", "/cases", 2) in told
    assert ("the-system_admin", "refused", "/api/cases", 1) in told and (
        access.STRANGER,
        "refused",
        "/api/cases",
        1,
    ) in told
    assert not [t for t in told if t[2] == "/health"]


def test_things_are_counted_by_minute_and_not_by_tile(db: Database) -> None:
    seen = Seen(db)
    actor = access.Actor("li", "李", frozenset(), "500113")
    for _ in range(500):
        seen.note(actor, "reach", 10, address="10.0.0.1")
    seen.note(actor, "reach", 7, action="export", address="10.0.0.1")
    seen.stop()
    with db.read() as conn:
        rows = access_log.asked(
            conn, datetime.now(UTC) - timedelta(minutes=3), datetime.now(UTC) + timedelta(minutes=1)
        )
    assert len(rows) <= 4, "a row a minute, not one a tile"
    assert sum(r["requests"] for r in rows) == 501 and sum(r["things"] for r in rows) == 5007
    assert {(r["actor"], r["area"], r["address"]) for r in rows} == {("li", "500113", "10.0.0.1")}


def test_what_cannot_be_written_now_is_written_later(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, add = Seen(db), access_log.add

    def gone(*_: object) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(access_log, "add", gone)
    seen.note(access.Actor("li", "李", frozenset()), "reach", 3)
    seen.flush()
    monkeypatch.setattr(access_log, "add", add)
    seen.stop()
    with db.read() as conn:
        assert conn.execute(text("SELECT sum(things) FROM sys.access_log")).scalar() == 3


def old(db: Database, days: int) -> None:
    at = datetime.now(UTC) - timedelta(days=days)
    with db.write("local:test") as conn:
        conn.execute(
            text("""INSERT INTO sys.access_log (at, actor, action, what, requests, recorded_at)
            VALUES (:at, 'li', 'view', :w, 1, :at)"""),
            {"at": at, "w": f"{days} days old"},
        )


def test_the_log_is_kept_for_half_a_year_whoever_asks(db: Database) -> None:
    """网络安全法: not less than six months; neither the verb nor SQL removes a younger row, or changes any."""
    for days in (1, 183, 200, 400):
        old(db, days)
    assert access_log.purge(db, "local:test", 365) == 1
    with pytest.raises(NotPermitted, match="six months"):
        access_log.purge(db, "local:test", 100)
    for sql in ("DELETE FROM sys.access_log", "UPDATE sys.access_log SET actor = 'x'", "TRUNCATE sys.access_log"):
        with pytest.raises(NotPermitted), db.write("local:test") as conn:
            conn.execute(text(sql))
    with db.read() as conn:
        left = conn.execute(text("SELECT what FROM sys.access_log ORDER BY at")).scalars().all()
        assert left == ["200 days old", "183 days old", "1 days old"]
        assert conn.execute(text("SELECT count(*) FROM sys.audit WHERE action = 'purge'")).scalar() == 1


def test_no_rule_makes_the_log_shorter_than_the_law(tmp_path: object) -> None:
    book = rules.load(settings.gis_dir() / "rules")
    row = book.by_key["service.log.retention"][0]
    assert row.value >= 184 and "网络安全法" in row.basis and book.registry["service.log.retention"]["min"] == 184


def test_auditors_read_all_and_write_what_they_find_and_nothing_else(door: Door) -> None:
    for path in (
        "/api/cases",
        "/api/boundary/drafts",
        "/api/audit/accesses",
        "/api/audit/findings",
        "/patrols",
        "/api/feeds",
    ):
        assert door.ask("GET", path, "auditor").status_code == 200, path
    made = door.ask(
        "POST", "/api/audit/findings", "auditor", json={"about": "case", "ref": "Z1", "said": "整改期限未登记"}
    )
    assert made.status_code == 201
    remark = made.json()["id"]
    others = {
        r: door.ask("POST", "/api/audit/findings", r, json={"about": "case", "said": "x"}).status_code
        for r in door.keys
    }
    assert {r for r, code in others.items() if code == 201} == {"auditor"}
    assert (
        door.ask("POST", f"/api/audit/findings/{remark}/replies", "inspector", json={"said": "已补登"}).status_code
        == 201
    )
    assert door.ask("POST", f"/api/audit/findings/{remark}/close", "inspector", json={"said": "x"}).status_code == 403
    closed = [
        door.ask("POST", f"/api/audit/findings/{remark}/close", "auditor", json={"said": "核实"}).status_code
        for _ in range(2)
    ]
    assert closed == [201, 409]
    for path, body in (
        ("/api/cases", {"source": "巡河"}),
        ("/api/boundary/drafts", {"code": "D", "title": "x", "rivers": []}),
        ("/api/campaigns", {}),
        ("/api/baseline/sign", {"number": 1, "reason": "x"}),
        (f"/api/cases/{uuid.UUID(int=1)}/moves", {"move": "judge_problem", "reason": "x"}),
    ):
        assert door.ask("POST", path, "auditor", json=body).status_code == 403, path


def test_what_auditors_find_is_neither_changed_nor_removed(door: Door) -> None:
    door.ask("POST", "/api/audit/findings", "auditor", json={"about": "log", "said": "异常访问"})
    for sql in ("UPDATE data.audit_finding SET said = 'x'", "DELETE FROM data.audit_finding"):
        with pytest.raises(NotPermitted, match="append only"), door.db.write("local:test") as conn:
            conn.execute(text(sql))


def test_who_saw_what_is_for_auditors(door: Door) -> None:
    codes = {role: door.ask("GET", "/api/audit/accesses", role).status_code for role in door.keys}
    assert {r for r, code in codes.items() if code == 200} == {"auditor"}


@pytest.mark.parametrize(
    ("noun", "decides"), [("finding", {"close", "accept"}), ("boundary_draft", {"review", "announce"})]
)
def test_nobody_decides_on_the_own_work(noun: str, decides: set[str]) -> None:
    """The moves that end somebody's work are for another person than who did it."""
    moves = {m.name: m for m in lifecycle.load()[noun].moves.values()}
    judged = [m for name, m in moves.items() if name in decides]
    assert judged and all(m.other_than for m in judged)


def test_no_secret_is_written_into_any_log(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    key = door.keys["inspector"]
    with caplog.at_level(logging.DEBUG):
        door.sign_in("lihua", PASSWORD)
        door.sign_in("lihua", "wrong secret word")
        door.ask("GET", f"/cases?q={'x' * 20}", "inspector")
        door.ask("GET", "/api/cases", headers={"Authorization": f"Bearer {key}x"})
        token = door.client.cookies.get("rivergis_session") or "none"
        door.logged()
    with door.db.read() as conn:
        kept = " ".join(
            str(r)
            for t in ("sys.access_log", "sys.audit", "sys.session")
            for r in conn.execute(text(f"SELECT * FROM {t}"))
        )
    said = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "sqlalchemy"))) + kept
    assert not [s for s in (PASSWORD, "wrong secret word", key, token) if s in said]


# ---- limits -------------------------------------------------------------------------------------------------------------------


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    now = [0.0]
    limits = Limits({"tile": Rate(per_minute=60, burst=5)}, clock=lambda: now[0])

    def passes(who: str = "li") -> bool:
        try:
            limits.check(who, "tile")
        except Exception as error:
            assert error.details["retry_after_s"] >= 1  # type: ignore[attr-defined]
            return False
        return True

    assert [passes() for _ in range(7)] == [True] * 5 + [False] * 2
    assert passes("wang"), "each has a bucket"
    now[0] += 1.0
    assert [passes(), passes()] == [True, False]
    now[0] += 3600
    assert [passes() for _ in range(6)] == [True] * 5 + [False]
    limits.check("li", "a kind without a rate")


def test_too_many_requests_are_told_when_to_come_again(door: Door) -> None:
    limits = door.client.app.state.limits  # type: ignore[attr-defined]
    kept = limits.rates["request"]
    limits.rates["request"] = Rate(per_minute=1, burst=2)
    try:
        answers = [door.ask("GET", "/api/cases", "planner") for _ in range(4)]
    finally:
        limits.rates["request"] = kept
    assert [a.status_code for a in answers][-1] == 429 and int(answers[-1].headers["retry-after"]) > 0
    assert answers[-1].json()["error"] == "too_many"


@pytest.mark.parametrize("bad", [0, -1, "many", True, None])
def test_a_rate_that_is_none_is_refused(bad: object) -> None:
    with pytest.raises(RuleError, match="above 0"):
        policy._above_zero("tile", {"tile": bad})  # type: ignore[dict-item]
