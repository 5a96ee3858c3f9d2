"""The canonical record: the same ledger, the same bytes; any word that is different, other bytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rivergis.db.connect import Database
from rivergis.encroachment import canonical_files, canonical_store
from rivergis.errors import EnvironmentFault
from tests.conftest import new_database
from tests.night_world import canonical, night, world

SMALL = world.World(seed=2, counties=2, rivers=1, reaches=1, candidates=40, nights=4, vertices=12)


@pytest.fixture(scope="module")
def ledger(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    world.load(module_db, SMALL)
    for n in range(2):
        world.bring(module_db, SMALL, n)
        night(module_db, SMALL, n, tmp_path_factory.mktemp("night"))
    return module_db


def test_the_same_things_given_to_another_database_are_the_same_bytes(
    ledger: Database, data_dir: Path, tmp_path: Path
) -> None:
    other = new_database(data_dir)
    world.load(other, SMALL)
    for n in range(2):
        world.bring(other, SMALL, n)
        night(other, SMALL, n, tmp_path)
    assert canonical(other) == canonical(ledger)
    other.close()


def test_lines_are_sorted_json_and_their_hash_is_that_of_the_file(ledger: Database, tmp_path: Path) -> None:
    out = tmp_path / "ledger.jsonl"
    with ledger.read() as conn:
        done, bare = canonical_files.write(conn, out), canonical_files.write(conn, None)
    assert done.sha256 == bare.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert all(list(row) == sorted(row) for row in rows)
    assert sum(done.records.values()) == len(rows)
    assert done.records["finding"] > 10 and done.records["verdict"] >= done.records["finding"]
    order = list(canonical_store.RECORDS)
    assert [r["record"] for r in rows] == sorted((r["record"] for r in rows), key=order.index)
    ids = [r["id"] for r in rows if r["record"] == "finding"]
    assert ids == sorted(ids) and len(set(ids)) == len(ids)


def test_no_row_tells_the_clock(ledger: Database) -> None:
    told = {key for line in canonical(ledger) for key in json.loads(line)}
    assert told and not told & {"recorded_at", "known_at", "rule_set", "engine", "seal"}


def test_a_file_is_written_whole_or_not_at_all(ledger: Database, tmp_path: Path) -> None:
    with ledger.read() as conn, pytest.raises(EnvironmentFault, match="cannot be written"):
        canonical_files.write(conn, tmp_path / "nowhere" / "ledger.jsonl")
    assert not list(tmp_path.iterdir())


def test_the_command_prints_the_hash(
    ledger: Database, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rivergis.cli import rivergis

    monkeypatch.setenv("RIVERGIS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("RIVERGIS_DATABASE", ledger.name)
    out = tmp_path / "ledger.jsonl"
    said = CliRunner().invoke(rivergis, ["encroachment", "canonical", "--out", str(out)])
    assert said.stdout.split() == [hashlib.sha256(out.read_bytes()).hexdigest()], said
