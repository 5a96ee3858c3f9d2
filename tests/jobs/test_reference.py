"""The database as witness of where files lie: only if it is there, answers, and is of this version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rivergis import settings
from rivergis.db.connect import Database
from rivergis.jobs import reference


def of(data_dir: Path, name: str) -> settings.Settings:
    return replace(settings.load({}), data_dir=data_dir, database=name)


def test_nothing_is_started_or_made_for_looking(tmp_path: Path, data_dir: Path) -> None:
    assert reference.of_running(of(tmp_path / "nobody", "rivergis")) is None
    assert not (tmp_path / "nobody").exists()
    assert reference.of_running(of(data_dir, "there_is_none")) is None
    assert reference.of_running(replace(of(data_dir, "x"), database_url="postgresql://nobody@127.0.0.1:1/none")) is None


def test_a_database_of_another_version_is_not_asked(data_dir: Path, empty_database: Database) -> None:
    assert reference.of_running(of(data_dir, empty_database.name)) is None


def test_an_empty_database_knows_no_place(data_dir: Path, db: Database) -> None:
    assert reference.of_running(of(data_dir, db.name)) is None
