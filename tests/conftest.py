"""Fixtures: a private PostGIS cluster for the run, a fresh upgraded database for each test, and real data where it is."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import text

from rivergis.db import upgrade
from rivergis.db.cluster import Cluster
from rivergis.db.connect import Database, open_database

pytest_plugins = ["tests.chromium"]  # one browser for the whole run of a process

# How long a law takes on a busy machine says nothing about it; and whether a change may land must not hang on a draw of lots:
# the examples are the same in every run, until somebody goes looking for new ones.
settings.register_profile("house", deadline=None, derandomize="RIVERGIS_TEST_EXPLORE" not in os.environ)
settings.load_profile("house")

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "template_upgraded"


RUN_DIR = "RIVERGIS_TEST_RUN_DIR"


def pytest_configure(config: pytest.Config) -> None:
    """One folder for all processes of a run, that a server of another user can pass through (pytest's own are closed)."""
    if not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="rivergis-test-", dir="/tmp"))
        folder.chmod(0o755)
        os.environ[RUN_DIR] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and RUN_DIR in os.environ:
        shutil.rmtree(os.environ.pop(RUN_DIR), ignore_errors=True)


@pytest.fixture(scope="session")
def run_dir() -> Path:
    return Path(os.environ[RUN_DIR])


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
