"""Lists and reports against the ledger they are told from: nothing that people have in hand is missing in either."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from rivergis import rules
from rivergis.db.connect import Database, now_of
from rivergis.encroachment import case_store, superior_store
from rivergis.reports import case_lists, case_scope
from rivergis.settings import gis_dir
from tests.encroachment import list_ground as ground

BOOK = rules.load(gis_dir() / "rules")


@pytest.fixture(scope="module")
def cases(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    built = ground.build(module_db)
    ground.live(module_db, built, tmp_path_factory.mktemp("store"))
    yield built


def listed(db: Database, on: date) -> set[str]:
    with db.read() as conn:
        asked = case_scope.scope(conn, on, now_of(conn))
        return {str(i) for i in case_lists.listed(case_scope.cases(conn, asked, BOOK))["id"]}


def in_hand(db: Database, on: date) -> set[str]:
    """What the ledger itself counts as problems and listed cases, whatever became of them."""
    with db.read() as conn:
        frame = case_store.ledger(conn, on, now_of(conn))
        return {
            str(i)
            for i, s, o in zip(frame["id"], frame["state"], frame["outcome"], strict=True)
            if s != "merged" and o in ("problem", "historic_listed")
        }


def merged(db: Database, lead: str, heir: str, night: date) -> None:
    """As a night does it."""
    with db.write("night") as conn:
        conn.execute(text("UPDATE data.finding SET merged_into = :h WHERE id = :f"), {"f": lead, "h": heir})
        conn.execute(
            text("INSERT INTO data.sighting (finding_id, night, status, carried) VALUES (:f, :n, 'merged', '{}')"),
            {"f": lead, "n": night},
        )


def test_what_a_night_merges_while_people_work_on_it_stays_on_their_lists(
    module_db: Database, cases: dict[str, str], tmp_path: Path
) -> None:
    on = ground.today(module_db)
    assert listed(module_db, on) == in_hand(module_db, on) >= {cases["b"], cases["c"], cases["d"]}
    for lead in ("b", "e"):
        merged(module_db, cases[lead], cases["f"], on)
    assert listed(module_db, on) == in_hand(module_db, on) >= {cases["b"]}, (
        "assigned and late: it has a deadline to keep"
    )


def test_a_number_follows_a_lead_that_a_night_merged_untouched(module_db: Database, cases: dict[str, str]) -> None:
    lost = ground.report(module_db, "lost", 1500)
    merged(module_db, lost, cases["c"], ground.today(module_db))
    with module_db.read() as conn:
        told = superior_store.cases(conn, [lost, cases["b"]])
    assert told[lost]["state"] == "rectified", "how the one that goes on for it stands"
    assert told[cases["b"]]["state"] == "assigned", "what people have in hand stands for itself"


def test_what_was_known_before_a_night_merged_does_not_change(module_db: Database, cases: dict[str, str]) -> None:
    later = ground.report(module_db, "later", 1550)
    on = ground.today(module_db)

    def told(known: datetime) -> set[str]:
        with module_db.read() as conn:
            return {str(i) for i in case_scope.cases(conn, case_scope.scope(conn, on, known), BOOK)["id"]}

    with module_db.read() as conn:
        before = now_of(conn)
    then = told(before)
    merged(module_db, later, cases["c"], on)
    with module_db.read() as conn:
        after = now_of(conn)
    assert told(before) == then and later in then, "a report that was sent is told again as it was"
    assert told(after) == then - {later}
