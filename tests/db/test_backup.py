"""Backup and restore: a round trip, and damaged or misplaced backups refused whole."""

from __future__ import annotations

import uuid
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import text

from rivergis.db import backup, guards, people, versions
from rivergis.db.connect import Database
from rivergis.errors import InputError, UsageError

TABLES = """SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname IN ('data', 'list', 'sys') AND relkind = 'r' ORDER BY 1"""


def contents(db: Database) -> dict[str, tuple[int, str]]:
    with db.read() as conn:
        return {
            t: tuple(
                conn.execute(
                    text(f"SELECT count(*), md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), '')) FROM {t} r")
                ).one()
            )  # type: ignore[misc]
            for t in conn.execute(text(TABLES)).scalars()
        }


@pytest.fixture
def filled(db: Database, tmp_path: Path) -> tuple[Database, Path]:
    frame = pd.DataFrame({"code": ["a", "b"], "name": ["甲", "乙"], "kind": "river", "source_feature": ""})
    with db.write("somebody") as conn:
        people.add_user(conn, "somebody", "某人")
        people.grant(conn, "somebody", "inspector")
        versions.save(conn, "river", frame, namespace="n", import_id=None)
        conn.execute(
            text(
                "INSERT INTO data.finding (id, topic, first_night, place) VALUES (:i, 'encroachment', '2026-05-20', 'SRID=4490;POINT(106 29)')"
            ),
            {"i": uuid.uuid4()},
        )
        conn.execute(
            text(
                "INSERT INTO data.finding_event (finding_id, move, to_state, reason) SELECT id, 'judge_problem', 'problem', '现场核实' FROM data.finding"
            )
        )
    store = tmp_path / "store"
    (store / "tracks").mkdir(parents=True)
    (store / "tracks" / "a.gpx").write_text("raw track")
    return db, store


def test_a_backup_comes_back_where_its_logins_are_not(db: Database, empty_database: Database, tmp_path: Path) -> None:
    login = f"planner-{uuid.uuid4().hex[:8]}"
    with db.engine.begin() as conn:
        conn.execute(text(f'CREATE ROLE "{login}" LOGIN'))
        conn.execute(text("SELECT app.let_planners_in(:p)"), {"p": login})
    try:
        backup.backup(db, tmp_path / "b.tar", tmp_path / "store")
    finally:
        with db.engine.begin() as conn:
            conn.execute(text(f'DROP OWNED BY "{login}"; DROP ROLE "{login}"'))
    assert backup.restore(empty_database, tmp_path / "b.tar", tmp_path / "elsewhere").applied == []


def test_round_trip(filled: tuple[Database, Path], empty_database: Database, tmp_path: Path) -> None:
    db, store = filled
    made = backup.backup(db, tmp_path / "b.tar", store)
    assert made.files == 1
    restored = backup.restore(empty_database, tmp_path / "b.tar", tmp_path / "elsewhere")
    assert restored.applied == []
    assert contents(empty_database) == contents(db)
    assert (tmp_path / "elsewhere" / "tracks" / "a.gpx").read_text() == "raw track"
    with empty_database.read() as conn:
        assert guards.aside(conn) == [] and guards.marks(conn) == [], "guards and their rules came over whole"
    with empty_database.write("somebody") as conn:  # sequences go on, triggers guard
        conn.execute(
            text(
                "INSERT INTO data.finding_event (finding_id, move, to_state, reason) SELECT id, 'judge_not_a_problem', 'not_a_problem', '许可工程' FROM data.finding"
            )
        )


def test_a_database_with_something_in_it_is_not_overwritten(filled: tuple[Database, Path], tmp_path: Path) -> None:
    db, store = filled
    backup.backup(db, tmp_path / "b.tar", store)
    with pytest.raises(UsageError, match="is not empty"):
        backup.restore(db, tmp_path / "b.tar", store)


@pytest.mark.parametrize("damage", ["cut", "flip", "text"])
def test_a_damaged_backup_writes_nothing(
    filled: tuple[Database, Path], empty_database: Database, tmp_path: Path, damage: str
) -> None:
    db, store = filled
    file = tmp_path / "b.tar"
    backup.backup(db, file, store)
    raw = bytearray(file.read_bytes())
    if damage == "flip":
        raw[len(raw) // 2] ^= 0xFF
    file.write_bytes({"cut": bytes(raw[: len(raw) // 2]), "flip": bytes(raw), "text": b"not a backup"}[damage])
    with pytest.raises(InputError, match="nothing was written"):
        backup.restore(empty_database, file, tmp_path / "elsewhere")
    with empty_database.read() as conn:
        assert conn.execute(text("SELECT to_regclass('data.river')")).scalar() is None
    assert not (tmp_path / "elsewhere").exists()
