"""Laws of the life of a case: the database and Python allow exactly the same, and a state is the fold of what was known."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from rivergis import crs, lifecycle
from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.encroachment import case_needs, case_store
from rivergis.encroachment.case_needs import Around, Said
from rivergis.errors import RivergisError
from rivergis.settings import gis_dir
from tests.encroachment.case_ground import HANDED, ONE, office

LIFE = lifecycle.load()["finding"]
SHA = "a" * 64
KEPT = {"sha256": SHA, "lon": 105.0, "lat": 29.4, "at": "2026-05-20T08:00:00+08:00"}
PEOPLE = ("li", "chen", "wang", "zhao", "ma", "nobody")
FREE = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

# what moves say: right, almost right, and nonsense
VALUES: dict[str, list[Any]] = {
    "deadline": ["2026-12-31", "2026-02-30", "2026-12-31\n", 20261231, None],
    "measure": ["拆除", " ", "\u3000", 5],
    "units": [HANDED["units"], [*HANDED["units"], {"unit": "公安局", "role": "police"}], [{"unit": "甲", "lead": True, "role": "boss"}], ONE["units"], [], [{"unit": "甲"}], [{"unit": "甲", "lead": True}] * 2, "甲", [{"unit": "甲", "lead": "true"}]],
    "unit": ["城管局", "水利局", "住建局", "", ["城管局"]],
    "evidence": [[KEPT], [], [KEPT | {"at": "2999-01-01T00:00:00Z"}], [KEPT | {"lon": "105"}], [KEPT | {"sha256": "b" * 64}], [KEPT | {"at": "2026-05-20"}]],
    "authority": ["市河长办", " ", 1],
    "authority_level": ["county", "city", "province", "nation", "town", ["city"]],
    "stage": ["card", "order", "卡", ["card"]],
    "severity": ["一般", "较严重", "重大", "很严重", None],
    "class_code": ["dumping.solid_waste", "", 3],
    "doubts": [[], [{"code": "no_time"}], "none"],
    "doubts_seen": [True, "true", False],
    "why_not_all": ["城管局另案", " "],
    "into": ["heir", "self", "00000000-0000-4000-8000-000000000000", "x", 7],
}  # fmt: skip
details = st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in VALUES.items()})
good = st.fixed_dictionaries(
    {
        "deadline": st.just("2026-12-31"), "measure": st.just("拆除"), "units": st.sampled_from([HANDED["units"], ONE["units"]]),
        "unit": st.just("城管局"), "evidence": st.just([KEPT]), "authority": st.just("市河长办"), "stage": st.just("card"),
        "authority_level": st.sampled_from(["city", "province"]), "doubts_seen": st.booleans(), "into": st.just("heir"),
    },
    optional={"severity": st.sampled_from(["一般", "重大"]), "doubts": st.just([{"code": "no_time"}]), "why_not_all": st.just("另案")},
)  # fmt: skip
wild = st.tuples(
    st.sampled_from([*LIFE.moves, "fly"]) | st.integers(0, 30),  # a number: one of the moves that the state allows
    st.sampled_from(PEOPLE),
    st.sampled_from(["看过", None, " ", "\u3000"]),
    st.sampled_from([SHA, None, "x"]),
    good | details,
)
sound = st.tuples(
    st.integers(0, 30), st.sampled_from(["chen", "li", "wang", "zhao"]), st.just("看过"), st.just(SHA), good
)
attempt = st.one_of(sound, sound, wild)


@pytest.fixture(scope="module")
def ledger(module_db: Database) -> Iterator[Database]:
    office(module_db)
    yield module_db


def finding(conn: Connection) -> str:
    """A new case, seen once, with one picture kept; on this connection only."""
    made = conn.execute(
        text("""INSERT INTO data.finding (id, topic, first_night, district, place)
        VALUES (gen_random_uuid(), 'reported', '2026-05-20', '500199', 'SRID=4490;POINT(106 29)') RETURNING id::text""")
    ).scalar_one()
    conn.execute(
        text("INSERT INTO data.sighting (finding_id, night, status) VALUES (:f, '2026-05-20', 'new')"), {"f": made}
    )
    conn.execute(
        text("INSERT INTO data.evidence (finding_id, kind, file_sha256, file_path) VALUES (:f, 'photo', :h, 'x')"),
        {"f": made, "h": SHA},
    )
    return str(made)


def python_says(conn: Connection, case: Any, move: str, who: str, said: Said) -> str | None:
    """State that the move leads to, or None where it is refused."""
    past = case_store.events(conn, case)
    try:
        people.require(conn, who, LIFE.moves[move].capability if move in LIFE.moves else "inspect")
        into = said.detail.get("into")
        around = Around(**asdict(case_store.facts(conn, case, into if isinstance(into, str) else None)))
        if case_needs.ill_said(said.detail):
            return None
        done_by = [(e["move"], e["actor"]) for e in past]
        state, before = case_needs.state(past), case_needs.before(past)
        return LIFE.check(
            state,
            move,
            who,
            case_needs.given(said, past, around),
            done_by,
            before=before,
            severe=case_needs.severe(said, around),
        )
    except RivergisError:
        return None


def database_takes(conn: Connection, case: Any, move: str, to_state: str, who: str, said: Said) -> bool:
    conn.execute(text("SELECT set_config('rivergis.actor', :a, true)"), {"a": who})
    point = conn.begin_nested()
    try:
        conn.execute(
            text("""INSERT INTO data.finding_event (finding_id, move, to_state, reason, attachment_sha256, detail)
            VALUES (:f, :m, :s, :r, :h, CAST(:d AS jsonb))"""),
            {
                "f": case,
                "m": move,
                "s": to_state,
                "r": said.reason,
                "h": said.attachment_sha256,
                "d": json.dumps(dict(said.detail)),
            },
        )
    except DBAPIError as error:
        point.rollback()
        assert getattr(error.orig, "pgcode", None) in ("RG003", "RG007"), error
        return False
    return True


def way_to(state: str) -> list[str]:
    """Moves of the shortest way to a state that begins with a judgement."""
    ways = {"found": []}
    for here in (queue := ["found"]):
        for name in LIFE.allowed(here):
            there = LIFE.step(here, name)
            if there not in ways and not name.startswith("take_over_"):
                ways[there] = [*ways[here], name]
                queue.append(there)
    return ways[state]


FULL = {
    "deadline": "2026-12-31", "measure": "拆除", "units": HANDED["units"], "unit": "城管局", "evidence": [KEPT], "authority": "市河长办",
    "authority_level": "province", "stage": "card", "why_not_all": "另案", "doubts_seen": True,
}  # fmt: skip


def walk(conn: Connection, case: Any, heir: str, state: str) -> None:
    """Bring a case to a state: li works, wang decides."""
    for name in way_to(state):
        who = "li" if LIFE.moves[name].capability == "inspect" else "wang"
        said = Said("看过", SHA, FULL | {"into": heir})
        to_state = python_says(conn, case, name, who, said)
        assert to_state and database_takes(conn, case, name, to_state, who, said)


@given(
    start=st.sampled_from(sorted(LIFE.states)),
    tries=st.lists(attempt, min_size=3, max_size=6),
    other=st.sampled_from(sorted(LIFE.states)),
)
@FREE
def test_database_and_python_allow_exactly_the_same(ledger: Database, start: str, tries: list[Any], other: str) -> None:
    with ledger.engine.connect() as conn, conn.begin() as whole:
        conn.execute(text("SELECT set_config('rivergis.actor', 'test', true)"))
        case, heir = finding(conn), finding(conn)
        walk(conn, case, heir, start)
        for name, who, reason, sha256, detail in tries:
            past = case_store.events(conn, case)  # type: ignore[arg-type]
            state = case_needs.state(past)
            allowed = LIFE.allowed(state) or ["reopen"]
            move = allowed[name % len(allowed)] if isinstance(name, int) else name
            into = {"heir": heir, "self": case}
            said = Said(
                reason,
                sha256,
                detail | ({"into": into.get(detail["into"], detail["into"])} if "into" in detail else {}),
            )
            to_state = python_says(conn, case, move, who, said)
            if other != to_state:
                assert not database_takes(conn, case, move, other, who, said), "a state that the move does not lead to"
            right = to_state or (LIFE.moves[move].to_state if move in LIFE.moves else other)
            right = {lifecycle.STAY: state, lifecycle.BACK: case_needs.before(past)}.get(right, right)
            assert database_takes(conn, case, move, right, who, said) == (to_state is not None), (move, who, said)
        events = case_store.events(conn, case)  # type: ignore[arg-type]
        assert LIFE.fold(e["move"] for e in events) == case_needs.state(events)
        assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
        told = conn.execute(
            text("SELECT state, number FROM app.case_as_of('2026-06-01') WHERE id = :f"), {"f": case}
        ).one()
        assert told.state == case_needs.state(events) and (told.number is not None) == bool(events)
        whole.rollback()


@given(data=st.data(), count=st.integers(0, 12))
@FREE
def test_the_state_at_any_moment_is_the_fold_of_what_was_known_then(
    ledger: Database, data: st.DataObject, count: int
) -> None:
    start = datetime(2026, 5, 20, tzinfo=UTC)
    with ledger.engine.connect() as conn, conn.begin() as whole:
        conn.execute(text("SELECT set_config('rivergis.actor', 'test', true)"))
        case = finding(conn)
        # no door dates an event: the guard is off for this story of the past
        conn.execute(text("SET LOCAL session_replication_role = replica"))
        moves: list[tuple[str, datetime]] = []
        at, states = start, ["found"]
        for n in range(count):
            name = data.draw(st.sampled_from(LIFE.allowed(states[-1])))
            at += timedelta(hours=data.draw(st.integers(0, 40)))
            states.append(LIFE.step(states[-1], name, states[-2] if n else None))
            moves.append((name, at))
            conn.execute(
                text("""INSERT INTO data.finding_event (finding_id, seq, move, to_state, actor, recorded_at, detail)
                VALUES (:f, :n, :m, :s, 'li', :at, CAST(:d AS jsonb))"""),
                {
                    "f": case,
                    "n": n + 1,
                    "m": name,
                    "s": states[-1],
                    "at": at,
                    "d": json.dumps({"into": case} if name == "merge" else {}),
                },
            )
        conn.execute(text("UPDATE data.finding SET recorded_at = :at WHERE id = :f"), {"f": case, "at": start})
        conn.execute(text("UPDATE data.sighting SET recorded_at = :at WHERE finding_id = :f"), {"f": case, "at": start})
        for moment in {start, *(m for _, m in moves), *(m - timedelta(seconds=1) for _, m in moves)} - {
            start - timedelta(seconds=1)
        }:
            known = [name for name, when in moves if when <= moment]
            told = conn.execute(
                text("SELECT state, sent_back, rebounds FROM app.case_as_of(:on, :at) WHERE id = :f"),
                {"on": date(2026, 5, 20), "at": moment, "f": case},
            ).one_or_none()
            if moment < start:
                assert told is None
                continue
            assert told is not None and told.state == LIFE.fold(known) == states[len(known)]
            assert told.sent_back == known.count("send_back")
        whole.rollback()


@given(moves=st.lists(st.sampled_from(sorted(LIFE.moves)), max_size=20))
def test_a_fold_is_its_steps(moves: list[str]) -> None:
    taken: list[str] = []
    for name in moves:
        if name in LIFE.allowed(LIFE.fold(taken)):
            taken.append(name)
    assert LIFE.fold(taken) in LIFE.states
    assert LIFE.fold(taken[:-1]) in LIFE.moves[taken[-1]].from_states if taken else True


def test_every_state_can_be_reached_and_left() -> None:
    ways = {
        (s, LIFE.step(s, m.name)) for m in LIFE.moves.values() for s in m.from_states if m.to_state != lifecycle.BACK
    }
    assert {b for _, b in ways} >= set(LIFE.states) - {"found"}
    assert all(LIFE.allowed(s) for s in LIFE.states), "nothing is a dead end: people may always think again"


def test_the_page_names_every_state_and_move() -> None:
    page = (gis_dir().parent / "docs" / "lifecycles.md").read_text(encoding="utf-8")
    told = {name for name in (*LIFE.states, *LIFE.moves) if name in page or name.startswith("take_over_")}
    assert told == {*LIFE.states, *LIFE.moves}


@given(
    spots=st.lists(
        st.tuples(
            st.integers(0, 60),
            st.integers(0, 60),
            st.sampled_from(["dumping.silt", "dumping.rubbish", "building.dyke"]),
        ),
        min_size=2,
        max_size=12,
        unique=True,
    ),
    within=st.sampled_from([5.0, 50.0, 700.0]),
)
@FREE
def test_pairs_that_may_be_one_are_all_that_lie_so_near(
    ledger: Database, spots: list[tuple[int, int, str]], within: float
) -> None:
    with ledger.engine.connect() as conn, conn.begin() as whole:
        conn.execute(text("SELECT set_config('rivergis.actor', 'li', true)"))
        found = date(2026, 5, 20)
        held = {}
        for x, y, code in spots:
            point = shapely.Point(110 + x / 5000, 35 + y / 5000)
            report = case_store.Report("巡河", found, point, code)
            case_store.open_case(conn, report, "500199")
            held[str(report.case_id)] = (point, code.split(".")[0])
        now = conn.execute(text("SELECT now()")).scalar_one()
        pairs = case_store.near_pairs(conn, found, now, within, ("found",), None, False)
        told = {frozenset((str(p["a"]), str(p["b"]))) for p in pairs}
        near = {
            frozenset((a, b))
            for a, b in itertools.combinations(held, 2)
            if held[a][1] == held[b][1]
            and crs.GEOD.inv(held[a][0].x, held[a][0].y, held[b][0].x, held[b][0].y)[2] <= within
        }
        assert {p for p in told if p <= held.keys()} == near and len(told) == len(pairs)
        whole.rollback()
