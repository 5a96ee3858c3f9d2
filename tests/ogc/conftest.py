"""The service over two counties and some hundreds of objects, built once for all tests of the OGC API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import shapely
from fastapi.testclient import TestClient

from rivergis.db import versions
from rivergis.db.connect import Database
from tests.conftest import new_database
from tests.security.counties import World, degrees, person, world

MANY = 230
NASTY = '<script>alert("1")</script>&\'"'


@dataclass(frozen=True)
class Ogc:
    """The service, with keys of people by role."""

    world: World

    @property
    def client(self) -> TestClient:
        return self.world.client

    @property
    def db(self) -> Database:
        return self.world.db

    def get(self, path: str, who: str = "inspector", accept: str = "application/json", **query: Any) -> Any:
        key = self.world.keys.get(who) or self.world.a.keys[who.removeprefix("A-")]
        params = {
            k.replace("_", "-") if k in ("bbox_crs", "filter_lang", "filter_crs") else k: v for k, v in query.items()
        }
        return self.world.ask("GET", f"/ogc{path}", key, accept, params=params)

    def items(self, collection: str, who: str = "inspector", **query: Any) -> dict[str, Any]:
        answer = self.get(f"/collections/{collection}/items", who, **query)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = json.loads(answer.text)
        return told

    def ids(self, collection: str, who: str = "inspector", **query: Any) -> list[str]:
        return [f["id"] for f in self.items(collection, who, **query)["features"]]


def objects(db: Database) -> None:
    """Many squares in a row in county A, each a day shorter in force than the one before, one with a nasty name."""
    squares = [shapely.box(106.0 + 0.0001 * i, 29.41, 106.00005 + 0.0001 * i, 29.41005) for i in range(MANY)]
    names = [NASTY if i == 7 else f"图斑 {i}" for i in range(MANY)]
    frame = degrees(
        *squares,
        code=[f"Q{i:03d}" for i in range(MANY)],
        name=names,
        kind=["dump" if i % 5 == 0 else "building" for i in range(MANY)],
    )
    frame = frame.assign(source_kind="landuse", accuracy_m=[float(i) for i in range(MANY)], feed="prov", evidence=[{"n": i} for i in range(MANY)],
                         source_feature=frame["code"])  # fmt: skip
    with db.write("local:test") as conn:
        versions.save(conn, "candidate", frame, namespace="local", import_id=None)


@pytest.fixture(scope="package")
def ogc(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ogc]:
    database = new_database(data_dir)
    with world(database, tmp_path_factory.mktemp("ogc")) as service:
        objects(database)
        with database.write("local:test") as conn:
            service.keys["viewer"] = person(conn, "all-viewer", "viewer", "")
        service.client.app.state.limits.rates.clear()  # type: ignore[attr-defined]
        yield Ogc(service)
    database.close()
