"""A verdict made again years later says the same, whatever was imported, redrawn or ruled since."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from rivergis import rules
from rivergis.boundary.ground import store as ground_store
from rivergis.db.connect import Database
from rivergis.errors import NotFound
from rivergis.jobs import replay
from rivergis.settings import gis_dir
from tests.encroachment.night_ground import area, day, deliver, leads, night, permit, river


@pytest.fixture
def told(db: Database, tmp_path: Path) -> Database:
    """One night with a house half over the line."""
    river(db)
    area(db, "V1", (0, -100, 2000, 200))
    deliver(db, day(0), "a", {"house": ("building", (100, 95, 20, 10))})
    night(db, tmp_path, 0)
    return db


def outcomes(db: Database) -> list[tuple[str, str]]:
    return [(r.outcome, r.because) for r in replay.replay(db, night=day(0))]


def test_later_imports_lines_permits_and_rules_change_no_replay(told: Database, tmp_path: Path) -> None:
    [before] = leads(told, 0).values()
    area(told, "V1", (0, -40, 2000, 80))
    permit(told, "late", "permanent_work", "building", (90, 80, 50, 50), valid_from="2020-01-01")
    deliver(told, day(0), "a", {"house": ("building", (100, 0, 500, 40))})
    with told.write("test") as conn:
        ground_store.forget(conn)
    folder = tmp_path / "rules"
    content = {**rules.load(gis_dir() / "rules").content}
    name = "national/encroachment.yaml"
    content[name] = content[name].replace(
        "key: encroach.width_tolerance\n    value: 1.0", "key: encroach.width_tolerance\n    value: 30.0"
    )
    assert content[name] != rules.load(gis_dir() / "rules").content[name] and not folder.exists()
    night(told, tmp_path, 1, rules.book_of(content))
    assert outcomes(told) == [("equal", "")]
    [row] = replay.replay(told, str(before["id"])[:8], day(0))
    assert row.differences == [] and row.engine_then == row.engine_now


def _tamper(db: Database, sql: str) -> None:
    """Change what no door lets anybody change."""
    with db.engine.begin() as conn:
        conn.execute(text("SET LOCAL session_replication_role = replica"))
        assert conn.execute(text(sql)).rowcount == 1


def test_what_differs_is_said_with_both_values(told: Database) -> None:
    _tamper(told, "UPDATE data.candidate SET geom = ST_Translate(geom, 0, -0.00002)")
    [row] = replay.replay(told, night=day(0))
    assert row.outcome == "differs"
    changed = {d.what: (d.then, d.now) for d in row.differences}
    then, now = changed["figures.area_m2"]
    assert then == pytest.approx(100, abs=0.2) and now > then + 30


@pytest.mark.parametrize(
    ("change", "said"), [("class_code = 'x'", "content does not fit"), ("night = night - 1", "do not fit its seal")]
)
def test_a_record_that_was_changed_is_found_out(told: Database, change: str, said: str) -> None:
    _tamper(told, f"UPDATE data.verdict SET {change}")
    [row] = replay.replay(told)
    assert row.outcome == "differs" and said in row.because


def test_a_verdict_from_before_says_that_it_cannot_be_made_again(told: Database) -> None:
    _tamper(told, "UPDATE data.verdict SET known_at = NULL, jurisdiction = NULL")
    [row] = replay.replay(told)
    assert row.outcome == "not_kept"


def test_command(told: Database, cli_env: dict[str, str]) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("rivergis")), "encroachment", "replay", *args]
        return subprocess.run(command, env=cli_env, capture_output=True, text=True, check=False)

    same = run("--night", str(day(0)), "--json", "--fail-on", "differs")
    assert same.returncode == 0 and json.loads(same.stdout)[0]["outcome"] == "equal"
    assert run().returncode == 2
    _tamper(told, "UPDATE data.candidate SET geom = ST_Translate(geom, 0, -0.00002)")
    assert run("--all").returncode == 0
    assert run("--all", "--fail-on", "differs").returncode == 1


def test_what_is_not_there_is_said(told: Database) -> None:
    with pytest.raises(NotFound, match="There is no verdict of night 2026-05-09 to replay"):
        replay.replay(told, night=day(8))
