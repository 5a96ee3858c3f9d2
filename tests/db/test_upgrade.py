"""Upgrade refuses what would make two databases of one version differ."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from rivergis.db import upgrade
from rivergis.db.connect import Database
from rivergis.errors import AlreadyRunning, EnvironmentFault, UsageError
from rivergis.settings import gis_dir


@pytest.fixture
def source(tmp_path: Path) -> Path:
    shutil.copytree(gis_dir() / "db", tmp_path / "db")
    return tmp_path / "db"


def test_an_edited_migration_is_refused(db: Database, source: Path) -> None:
    file = source / "migrations" / "0003_river.sql"
    file.write_text(file.read_text() + "\n-- edited")
    with pytest.raises(UsageError, match=r"0003_river\.sql was changed after it was applied"):
        upgrade.upgrade(db, source)


def test_a_database_newer_than_the_code_is_refused(db: Database, source: Path) -> None:
    (source / "migrations" / "0007_encroachment.sql").unlink()
    with pytest.raises(EnvironmentFault, match=r"newer rivergis \(it has 0007_encroachment\.sql\)"):
        upgrade.upgrade(db, source)


def test_a_new_migration_is_applied_once_and_app_rebuilt(db: Database, source: Path) -> None:
    (source / "migrations" / "0099_more.sql").write_text(
        "CREATE TABLE cache.more (a int); SELECT pg_temp.note('cache.more', 'more', 'a: a');"
    )
    assert upgrade.upgrade(db, source) == ["0099_more.sql", "app"]
    assert upgrade.upgrade(db, source) == []


def test_a_broken_migration_leaves_nothing_behind(db: Database, source: Path) -> None:
    (source / "migrations" / "0099_broken.sql").write_text(
        "CREATE TABLE cache.half (a int); SELECT no_such_function();"
    )
    with pytest.raises(Exception, match="no_such_function"):
        upgrade.upgrade(db, source)
    with db.read() as conn:
        assert conn.execute(text("SELECT to_regclass('cache.half')")).scalar() is None


def test_two_upgrades_at_once(db: Database) -> None:
    with db.lock("upgrade"), pytest.raises(AlreadyRunning, match="Another 'upgrade' is running"):
        upgrade.upgrade(db)
