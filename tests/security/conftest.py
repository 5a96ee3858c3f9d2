"""The service over two counties, built once for each module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from rivergis import settings
from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.web.app import create_app
from tests.security.counties import PASSWORD, World, person, world


@pytest.fixture(scope="module")
def two(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(module_db, tmp_path_factory.mktemp("two")) as service:
        yield service


@pytest.fixture(autouse=True)
def stranger(request: pytest.FixtureRequest) -> None:
    """Every test begins without a cookie."""
    for name in {"two", "door"} & set(request.fixturenames):
        request.getfixturevalue(name).client.cookies.clear()


@dataclass(frozen=True)
class Door:
    """The service over an empty database, with people to sign in."""

    client: TestClient
    db: Database
    keys: dict[str, str]

    def ask(self, method: str, path: str, role: str | None = None, **more: Any) -> Any:
        headers = {**({"Authorization": f"Bearer {self.keys[role]}"} if role else {}), **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)

    def sign_in(self, name: str = "lihua", password: str = PASSWORD, **headers: str) -> Any:
        return self.client.post("/sign-in", data={"name": name, "password": password}, headers=headers)

    def logged(self) -> list[dict[str, Any]]:
        """The log of views, written down so far."""
        self.client.app.state.seen.flush()  # type: ignore[attr-defined]
        with self.db.read() as conn:
            rows = conn.execute(
                text("SELECT actor, address, action, what, requests, things FROM sys.access_log ORDER BY id")
            )
            return [dict(r._mapping) for r in rows]


def doors(db: Database, folder: Path, **env: str) -> FastAPI:
    return create_app(db, settings.load({"RIVERGIS_DATA_DIR": str(folder), "RIVERGIS_DATABASE": "web", **env}))


@pytest.fixture(scope="module")
def door(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with module_db.write("local:test") as conn:
        people.add_user(conn, "lihua", "李华", password=PASSWORD)
        people.grant(conn, "lihua", "viewer")
        roles = ("viewer", "inspector", "planner", "reviewer", "auditor", "security_officer", "system_admin")
        keys = {role: person(conn, f"the-{role}", role, "") for role in roles}
    app = doors(module_db, tmp_path_factory.mktemp("door"))
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False) as client:
        yield Door(client, module_db, keys)
