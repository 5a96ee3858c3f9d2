"""Fixtures: a private PostGIS cluster for the run, a fresh upgraded database for each test, and real data where it is."""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from rivergis.db import upgrade
from rivergis.db.cluster import Cluster
from rivergis.db.connect import Database, open_database

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "template_upgraded"


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of this run, that a server of another user can pass through."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    for folder in (shared, *shared.parents):
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid() and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o011)
    return shared


@pytest.fixture(scope="session")
def data_dir(run_dir: Path) -> Iterator[Path]:
    """Data folder with the run's cluster; the last process to leave stops it."""
    folder = run_dir / "rivergis-data"
    folder.mkdir(exist_ok=True)
    users = run_dir / "users"
    with (run_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        Cluster(folder, durable=False).start()
        if not (run_dir / "template-ready").exists():  # once: nobody may be connected to it while others copy it
            db = open_database(None, folder, TEMPLATE)
            upgrade.upgrade(db)
            db.close()
            (run_dir / "template-ready").touch()
        users.write_text(str(int(users.read_text() or 0) + 1) if users.exists() else "1")
    yield folder
    with (run_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        left = int(users.read_text()) - 1
        users.write_text(str(left))
        if left == 0:
            Cluster(folder, durable=False).stop()


def _drop(data_dir: Path, name: str) -> None:
    admin = open_database(None, data_dir, "postgres")
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    admin.close()


@pytest.fixture
def empty_database(data_dir: Path) -> Iterator[Database]:
    """A database with nothing in it."""
    name = "t" + uuid.uuid4().hex[:12]
    db = open_database(None, data_dir, name)
    yield db
    db.close()
    _drop(data_dir, name)


def new_database(data_dir: Path) -> Database:
    """A fresh upgraded database, copied from the run's template."""
    name = "t" + uuid.uuid4().hex[:12]
    admin = open_database(None, data_dir, "postgres")
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("SELECT pg_advisory_lock(4490)"))  # two copies of one template at once are refused
        try:
            conn.execute(text(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}'))
        finally:
            conn.execute(text("SELECT pg_advisory_unlock(4490)"))
    admin.close()
    return open_database(None, data_dir, name)


@pytest.fixture
def db(data_dir: Path) -> Iterator[Database]:
    """A fresh upgraded database."""
    database = new_database(data_dir)
    yield database
    database.close()
    _drop(data_dir, database.name)


@pytest.fixture(scope="module")
def module_db(data_dir: Path) -> Iterator[Database]:
    """A fresh upgraded database for a whole module of tests that only read what its fixtures loaded."""
    database = new_database(data_dir)
    yield database
    database.close()
    _drop(data_dir, database.name)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Real files that are not part of the project; skipped, saying so, where they are absent."""
    folder = Path(os.environ.get("RIVERGIS_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"the real test data is not at {folder} (set RIVERGIS_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def demo_folder() -> Path:
    return ROOT / "data" / "demo_county"


@pytest.fixture
def cli_env(data_dir: Path, db: Database) -> dict[str, str]:
    """Environment in which the command line works on this test's database."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("RIVERGIS_")}
    return env | {"RIVERGIS_DATA_DIR": str(data_dir), "RIVERGIS_DATABASE": db.name}
