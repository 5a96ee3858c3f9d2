"""Publications in the database: announced lines only, a number for every map, append only, void once and for good."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from rivergis.boundary.delivery import publication_store, publication_workflow
from rivergis.boundary.delivery.publication_workflow import Held
from rivergis.db.connect import Database, now_of
from rivergis.errors import InputError, NotFound, NotPermitted
from tests.boundary.draft_ground import DAY, announce, ground, opened, step
from tests.encroachment.night_ground import area, bank_lines

SHA = "a" * 64


def held(db: Database, on: date = DAY, **more: Any) -> Held:
    with db.read() as conn:
        return publication_workflow.held(conn, "试验河管理范围", on, **more)


def row(of: Held, code: str = "P1", **more: Any) -> dict[str, Any]:
    return {
        "code": code, "title": "试验河管理范围", "kind": "map", "review_no": "渝S(2026)001号", "published_on": DAY, "as_of": of.on,
        "known_at": of.known_at, "scale": 2000, "km2": 0.4, "secrecy": None, "content_sha256": f"{code:0>64}".lower().replace("p", "b"),
        "files": [], "west": 105.0, "south": 29.0, "east": 105.1, "north": 29.1,
    } | more  # fmt: skip


def issue(db: Database, of: Held, code: str = "P1", actor: str = "wang", **more: Any) -> None:
    with db.write(actor) as conn:
        parts = of.acts[["boundary_id", "boundary_version", "lines_sha256"]].to_dict("records")
        publication_store.add(conn, row(of, code, **more), parts)


def faults(db: Database, on: date = DAY, code: str = "P1") -> list[tuple[str, str]]:
    with db.read() as conn:
        return [(f.code, f.path) for f in publication_workflow.judge(conn, on, code=code)[0].faults]


def test_one_is_issued_by_who_may_and_stands(db: Database) -> None:
    ground(db)
    issue(db, held(db))
    with db.read() as conn:
        listed = publication_store.listed(conn, now_of(conn))
        events = conn.execute(text("SELECT move, to_state, actor FROM data.publication_event")).all()
    assert list(listed["state"]) == ["issued"] and list(listed["changed"]) == [[]]
    assert [tuple(e) for e in events] == [("issue", "issued", "wang")]
    assert faults(db) == []
    for actor in ("zhang", "test"):
        with pytest.raises(NotPermitted):
            issue(db, held(db), "P2", actor)


def test_a_map_needs_a_number_and_tables_do_not(db: Database) -> None:
    ground(db)
    of = held(db)
    for bad in (None, "  "):
        with pytest.raises(InputError, match="only tables"):
            issue(db, of, review_no=bad)
    issue(db, of, kind="tables", review_no=None)
    assert faults(db) == []
    with pytest.raises(InputError, match="P1 already"):
        issue(db, of, kind="tables")


def test_only_announced_lines_are_published(db: Database) -> None:
    ground(db)
    bank_lines(db, "W1", {"left": [(0, 300), (900, 300)]}, basis="draft")
    with pytest.raises(InputError, match="only announced lines"):
        issue(db, held(db, codes=["W1"]))
    assert list(held(db).acts["code"]) == ["V1"]
    with pytest.raises(NotFound, match="NONE"):
        held(db, codes=["NONE"])
    with pytest.raises(NotFound, match="R9"):
        held(db, rivers=["R9"])


def test_what_is_published_is_whole_and_stays(db: Database) -> None:
    ground(db)
    of = held(db)
    issue(db, of)
    with pytest.raises(InputError, match="issued whole"), db.write("wang") as conn:
        conn.execute(
            text("""INSERT INTO data.publication_part SELECT p.id, v.id, v.version, :s FROM data.publication p, data.boundary_version v LIMIT 1"""),
            {"s": SHA},
        )  # fmt: skip
    for sql in (
        "UPDATE data.publication SET title = 'x'",
        "DELETE FROM data.publication_part",
        "UPDATE data.publication_event SET to_state = 'issued'",
        "TRUNCATE data.publication_event",
    ):
        with pytest.raises(NotPermitted), db.write("wang") as conn:
            conn.execute(text(sql))


def test_it_is_voided_once_with_a_reason(db: Database) -> None:
    ground(db)
    issue(db, held(db))
    with pytest.raises(InputError, match="needs reason"):
        publication_workflow.void(db, "P1", " ", "wang")
    with pytest.raises(NotPermitted):
        publication_workflow.void(db, "P1", "图件有误", "zhang")
    publication_workflow.void(db, "P1", "图件有误", "wang")
    assert faults(db) == [("voided", "")]
    with pytest.raises(InputError, match="cannot be moved"):
        publication_workflow.void(db, "P1", "又一次", "wang")
    with pytest.raises(NotFound, match="P9"):
        publication_workflow.void(db, "P9", "无", "wang")


def test_a_change_of_the_lines_makes_it_void(db: Database) -> None:
    ground(db)
    issue(db, held(db))
    area(db, "V1", (0.0, -120.0, 2000.0, 240.0))  # a new announcement under the same code
    assert faults(db) == [("changed", "V1")]
    with db.read() as conn:
        assert list(publication_store.listed(conn, now_of(conn))["changed"]) == [["V1"]]


def test_a_newer_announcement_makes_it_void_from_its_day_on(db: Database, tmp_path: Path) -> None:
    ground(db)
    issue(db, held(db))
    opened(db)
    moved = step(db, "submit", "zhang", reasons={"*": "测量更正"})
    step(db, "review", "wang", countersign=moved.table_sha256[:8] if moved.table_sha256 else None)
    announce(db, tmp_path)
    assert faults(db, date(2026, 6, 30)) == []
    assert faults(db, date(2026, 7, 1)) == [("superseded", "V1")]
    issue(db, held(db, date(2026, 7, 1)), "P2")
    assert faults(db, date(2026, 7, 1), "P2") == []


def test_the_hash_of_lines_is_that_of_their_content(db: Database) -> None:
    ground(db)
    one, again = held(db), held(db)
    assert list(one.acts["lines_sha256"]) == list(again.acts["lines_sha256"])
    assert one.delivery.standing == "in_force" and not one.delivery.draft
    assert (
        list(one.delivery.lines["announce_gov"]) == ["V1县人民政府"] * 2
        and list(one.delivery.lines["version_code"]) == ["V1"] * 2
    )
