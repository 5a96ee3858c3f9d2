"""The real service on a free port, with more candidates than a page holds, for the clients that people load it with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import shapely

from rivergis.db import versions
from rivergis.db.connect import Database
from tests.conftest import new_database
from tests.serving import serving
from tests.web import write_ground
from tests.web.conftest import degrees

MANY = 1_250
ACROSS = 50
STEP = 0.0004


@dataclass(frozen=True)
class Served:
    """Address of the service, and keys by person (``write_ground.PEOPLE``)."""

    url: str
    keys: dict[str, str]
    db: Database

    @property
    def ogc(self) -> str:
        return f"{self.url}/ogc"

    def header(self, who: str = "planner") -> str:
        return f"Authorization: Bearer {self.keys[who]}"


def load(db: Database) -> dict[str, str]:
    """The two counties with their river and draft, and squares row by row along it, every fifth a heap; returns a key by person."""
    write_ground.ground(db)
    keys = write_ground.keys(db)
    write_ground.draft(db, "D1")
    n = np.arange(MANY)
    west, south = write_ground.WEST + STEP * (n % ACROSS), 29.39 + STEP * (n // ACROSS)
    shapes = shapely.box(west, south, west + STEP / 2, south + STEP / 2)
    said = {
        "code": [f"Q{i:04d}" for i in n],
        "name": [f"图斑 {i}" for i in n],
        "kind": np.where(n % 5 == 0, "dump", "building"),
    }
    frame = degrees(*shapes, **said).assign(
        source_kind="landuse", accuracy_m=1.5, feed="prov", evidence=[{}] * MANY, source_feature=said["code"]
    )
    with db.write("local:test") as conn:
        versions.save(conn, "candidate", frame, namespace="local", import_id=None)
    return keys


@contextmanager
def service_of(db: Database, data_dir: Path) -> Iterator[Served]:
    """The service over a database of its own, filled first."""
    keys = load(db)
    env = {k: v for k, v in os.environ.items() if not k.startswith("RIVERGIS_")}
    env |= {"RIVERGIS_DATA_DIR": str(data_dir), "RIVERGIS_DATABASE": db.name, "RIVERGIS_WRITES": "on"}
    with serving(env) as (url, _):
        yield Served(url.rstrip("/"), keys, db)


@pytest.fixture(scope="session")
def served(data_dir: Path) -> Iterator[Served]:
    """One for all clients that only read."""
    db = new_database(data_dir)
    with service_of(db, data_dir) as service:
        yield service
    db.close()
