"""Who may do what: roles apart, sign-in that cannot be guessed, keys that never have more than their user."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from sqlalchemy import text

from rivergis.db import access, people
from rivergis.db.connect import Database
from rivergis.errors import NotFound, NotPermitted, NotSignedIn, UsageError
from rivergis.settings import gis_dir

MAKER = "local:test"
PASSWORD = "a long enough password"
ROLES = yaml.safe_load((gis_dir() / "db" / "roles.yaml").read_text(encoding="utf-8"))["roles"]
BUSINESS = {
    "view",
    "view_tracks",
    "import",
    "export",
    "inspect",
    "review_findings",
    "draft_boundary",
    "review_boundary",
    "run_jobs",
}
GRANTED = sorted(set(ROLES) - set(people.ROLE_OF_KIND.values()))


@pytest.fixture
def wang(db: Database) -> Iterator[str]:
    with db.write(MAKER) as conn:
        people.add_user(conn, "wang", "王", password=PASSWORD)
        people.grant(conn, "wang", "inspector")
    yield "wang"


def audit(db: Database) -> list[tuple[str, str, str]]:
    with db.read() as conn:
        return [tuple(r) for r in conn.execute(text("SELECT actor, action, target FROM sys.audit ORDER BY id"))]


def test_no_role_contains_another_except_by_the_sight_of_maps() -> None:
    held = {code: set(ROLES[code]["capabilities"]) for code in GRANTED}
    ladders = {(a, b) for a, b in itertools.permutations(held, 2) if held[a] <= held[b]}
    assert {a for a, _ in ladders} == {"viewer"}


def test_administration_and_business_are_apart() -> None:
    assert not BUSINESS & set(ROLES["system_admin"]["capabilities"])
    assert not BUSINESS & set(ROLES["security_officer"]["capabilities"])
    assert {"view", "view_tracks", "read_audit"} <= set(ROLES["auditor"]["capabilities"])


def test_the_local_operator_prepares_and_never_decides() -> None:
    assert not {"review_findings", "review_boundary", "inspect"} & set(ROLES["local_operator"]["capabilities"])


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(sorted(people.APART), 2)))
def test_nobody_holds_two_of_the_three_offices(db: Database, wang: str, first: str, second: str) -> None:
    with db.write(MAKER) as conn:
        people.grant(conn, wang, first)
        with pytest.raises(NotPermitted, match="三员分立"):
            people.grant(conn, wang, second)
        people.revoke(conn, wang, first)
        people.grant(conn, wang, second)
        assert people.roles_of(conn, wang) == sorted(["inspector", second])


def test_two_grants_at_once_do_not_pass_each_other(db: Database, wang: str) -> None:
    def second() -> str:
        try:
            with db.write(MAKER) as conn:
                people.grant(conn, wang, "system_admin")
        except NotPermitted:
            return "refused"
        return "granted"

    with ThreadPoolExecutor(1) as pool:
        with db.write(MAKER) as conn:
            people.grant(conn, wang, "auditor")
            later = pool.submit(second)
            assert not wait([later], timeout=1).done, "it must wait for the first to be decided"
        assert later.result(20) == "refused"


def test_nobody_grants_to_themselves(db: Database, wang: str) -> None:
    with db.write(wang) as conn, pytest.raises(NotPermitted, match="themselves"):
        people.grant(conn, wang, "reviewer", by=wang)


@pytest.mark.parametrize("role", ["night_service", "local_operator", "king"])
def test_roles_that_are_not_for_people_are_refused(db: Database, wang: str, role: str) -> None:
    with db.write(MAKER) as conn, pytest.raises(UsageError, match="inspector"):
        people.grant(conn, wang, role)


def test_capabilities_are_the_union_of_the_roles_held_now(db: Database, wang: str) -> None:
    with db.write(MAKER) as conn:
        for role in ("planner", "reviewer"):
            people.grant(conn, wang, role)
        held = {c for r in ("inspector", "planner", "reviewer") for c in ROLES[r]["capabilities"]}
        assert people.capabilities(conn, wang) == held
        people.revoke(conn, wang, "planner")
        assert "draft_boundary" not in people.capabilities(conn, wang)
        with pytest.raises(NotPermitted, match=r"draft boundary lines \(draft_boundary\)"):
            people.require(conn, wang, "draft_boundary")


def test_a_service_has_its_fixed_rights_and_takes_no_role(db: Database) -> None:
    with db.write(MAKER) as conn:
        people.add_user(conn, "nightly", "夜间服务", kind="service")
        assert people.capabilities(conn, "nightly") == set(ROLES["night_service"]["capabilities"])
        with pytest.raises(UsageError, match="for people"):
            people.grant(conn, "nightly", "viewer")


@pytest.mark.parametrize("name", ["", "x", "a b", "a" * 65, "wang;--", "王\n"])
def test_odd_user_names_are_refused(db: Database, name: str) -> None:
    with db.write(MAKER) as conn, pytest.raises(UsageError):
        people.add_user(conn, name, "x")


def test_a_taken_name_is_refused_in_one_sentence(db: Database, wang: str) -> None:
    with db.write(MAKER) as conn, pytest.raises(UsageError, match="already"):
        people.add_user(conn, wang, "x")


@pytest.mark.parametrize("password", ["", "short", "wangwangwang"])
def test_weak_passwords_are_refused(db: Database, password: str) -> None:
    with db.write(MAKER) as conn, pytest.raises(UsageError, match="10 characters"):
        people.add_user(conn, "wangwangwang", "x", password=password)


def test_sign_in_gives_a_session_that_a_new_password_ends(db: Database, wang: str) -> None:
    token = access.sign_in(db, wang, PASSWORD)
    with db.read() as conn:
        actor = access.of_session(conn, token)
        assert (
            actor is not None and actor.name == wang and actor.capabilities == set(ROLES["inspector"]["capabilities"])
        )
        assert access.of_session(conn, token + "x") is None
    with db.write(MAKER) as conn:
        people.set_password(conn, wang, "another long password")
    with db.read() as conn:
        assert access.of_session(conn, token) is None
    with pytest.raises(NotSignedIn):
        access.sign_in(db, wang, PASSWORD)


def test_sign_out_and_disabling_end_what_is_open(db: Database, wang: str) -> None:
    first, second = access.sign_in(db, wang, PASSWORD), access.sign_in(db, wang, PASSWORD)
    access.sign_out(db, first)
    with db.write(MAKER) as conn:
        key = access.make_key(conn, wang, "qgis")
        assert access.of_session(conn, first) is None and access.of_session(conn, second) is not None
        people.disable(conn, wang)
        assert access.of_session(conn, second) is None and access.of_key(conn, key) is None
        assert people.capabilities(conn, wang) == frozenset()
    with pytest.raises(NotSignedIn):
        access.sign_in(db, wang, PASSWORD)


def test_the_audit_tells_sign_ins_and_no_secret_is_kept_anywhere(db: Database, wang: str) -> None:
    token = access.sign_in(db, wang, PASSWORD)
    with pytest.raises(NotSignedIn):
        access.sign_in(db, wang, "wrong but secret too")
    with db.write(MAKER) as conn:
        key = access.make_key(conn, wang, "qgis")
    told = audit(db)
    assert (wang, "sign_in", wang) in told and (access.STRANGER, "sign_in_failed", wang) in told
    with db.read() as conn:
        tables = ('sys."user"', "sys.session", "sys.api_key", "sys.audit")
        kept = " ".join(str(r) for t in tables for r in conn.execute(text(f"SELECT * FROM {t}")))
    assert not [s for s in (PASSWORD, "wrong but secret too", token, key) if s in kept]


def fail(db: Database, name: str) -> str:
    try:
        access.sign_in(db, name, "wrong")
    except NotSignedIn as error:
        return "wait" if "15" in error.sentence else "wrong"
    return "in"


@pytest.mark.parametrize("name", ["wang", "nobody"])
def test_after_five_failures_a_name_must_wait_known_or_not(db: Database, wang: str, name: str) -> None:
    assert [fail(db, name) for _ in range(7)] == ["wrong"] * 5 + ["wait"] * 2
    assert audit(db)[-1] == (access.STRANGER, "sign_in_locked", name)
    with pytest.raises(NotSignedIn, match="15"):
        access.sign_in(db, name, PASSWORD)


def test_guessing_many_at_once_gains_nothing(db: Database, wang: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: fail(db, wang), range(8)))
    assert sorted(told) == ["wait"] * 3 + ["wrong"] * 5


@pytest.mark.parametrize(("age_min", "opens"), [(14, False), (16, True)])
def test_waiting_ends_after_a_quarter_of_an_hour(db: Database, wang: str, age_min: int, opens: bool) -> None:
    with db.write(MAKER) as conn:
        for _ in range(5):
            conn.execute(
                text("""INSERT INTO sys.audit (at, actor, action, target)
                VALUES (now() - make_interval(mins => :m), 'x', 'sign_in_failed', 'wang')"""),
                {"m": age_min},
            )
    try:
        access.sign_in(db, wang, PASSWORD)
        assert opens
    except NotSignedIn:
        assert not opens


def test_a_good_sign_in_forgives_earlier_failures(db: Database, wang: str) -> None:
    for _ in range(4):
        fail(db, wang)
    access.sign_in(db, wang, PASSWORD)
    assert [fail(db, wang) for _ in range(6)] == ["wrong"] * 5 + ["wait"]


def test_a_key_never_has_more_than_its_user(db: Database, wang: str) -> None:
    with db.write(MAKER) as conn:
        people.grant(conn, wang, "viewer")
        narrow, wide = access.make_key(conn, wang, "narrow", "viewer"), access.make_key(conn, wang, "wide")
        with pytest.raises(UsageError, match="never has more"):
            access.make_key(conn, wang, "x", "reviewer")
        assert access.of_key(conn, narrow).capabilities == {"view"}  # type: ignore[union-attr]
        people.revoke(conn, wang, "viewer")
        assert access.of_key(conn, narrow).capabilities == frozenset()  # type: ignore[union-attr]
        assert access.of_key(conn, wide).capabilities == set(ROLES["inspector"]["capabilities"])  # type: ignore[union-attr]


def test_keys_end_by_date_and_by_hand(db: Database, wang: str) -> None:
    with db.write(MAKER) as conn:
        past = access.make_key(conn, wang, "past", expires_at=datetime.now(UTC) - timedelta(seconds=1))
        open_ = access.make_key(conn, wang, "open")
        assert access.of_key(conn, past) is None and access.of_key(conn, open_) is not None
        assert access.revoke_key(conn, wang, "open") == 1
        assert access.of_key(conn, open_) is None
        with pytest.raises(NotFound):
            access.revoke_key(conn, wang, "open")


def test_without_a_name_the_private_database_is_worked_by_its_operator(db: Database) -> None:
    name = people.acting(db, None, "import", private=True)
    assert name.startswith("local:") and people.acting(db, None, "run_jobs", private=True) == name
    with db.read() as conn:
        assert [u["kind"] for u in people.list_users(conn)] == ["operator"]
    with pytest.raises(NotPermitted, match="review_findings"):
        people.acting(db, None, "review_findings", private=True)


def test_a_shared_database_wants_a_name_except_for_its_first_manager(db: Database) -> None:
    with pytest.raises(NotPermitted, match="--as"):
        people.acting(db, None, "import", private=False)
    first = people.acting(db, None, "manage_users", private=False)
    with db.write(first) as conn:
        people.add_user(conn, "chen", "陈", password=PASSWORD)
        people.grant(conn, "chen", "security_officer", by=first)
    with pytest.raises(NotPermitted, match="--as"):
        people.acting(db, None, "manage_users", private=False)
    assert people.acting(db, "chen", "manage_users", private=False) == "chen"
    with pytest.raises(NotPermitted, match="not a user here"):
        people.acting(db, "nobody", "import", private=False)
