"""An office at work on the ledger: people with keys and a browser, leads of their own, a photo from the place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from rivergis.db import access, people
from tests.intake.test_photo import gps, picture
from tests.web.conftest import MAKER, PASSWORD, Service, lead

KINDS = (f"thing-{n}" for n in itertools.count())
DUE = str(date.today() + timedelta(days=20))
UNITS = [{"unit": "试验镇", "lead": True, "person": "张三"}, {"unit": "水利局"}]


@dataclass
class Desk:
    """The service with the people of an office, each with a key; ``both`` may work on cases and accept the work of others."""

    service: Service
    photo: Path

    def new(self) -> str:
        """A lead of its own."""
        with self.service.db.write(MAKER) as conn:
            return str(lead(conn, next(KINDS), "announced", "线索"))

    def take(self, case: str, move: str, who: str = "inspector", *, files: Any = None, **said: Any):  # type: ignore[no-untyped-def]
        """A move by program; with files as a form."""
        headers = {"Authorization": f"Bearer {self.service.keys[who]}"}
        body = {"json": {"move": move, **said}} if files is None else {"data": {"move": move, **said}, "files": files}
        return self.service.client.post(f"/api/cases/{case}/moves", headers=headers, **body)

    def did(self, case: str, move: str, who: str = "inspector", **said: Any) -> dict[str, Any]:
        answer = self.take(case, move, who, **said)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def case(self, case: str, who: str = "inspector", query: str = "") -> dict[str, Any]:
        answer = self.service.get(f"/api/cases/{case}{query}", who)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def assigned(self, units: list[dict[str, Any]] | None = None) -> str:
        case = self.new()
        self.did(case, "judge_problem", reason="现场核实")
        self.did(case, "assign", deadline=DUE, measure="拆除恢复", detail={"units": units or UNITS[:1]})
        return case

    def shot(self) -> list[tuple[str, tuple[str, bytes, str]]]:
        return [("evidence", (self.photo.name, self.photo.read_bytes(), "image/jpeg"))]


@dataclass
class Hand:
    """A person with a browser and no scripts."""

    client: TestClient

    def get(self, path: str) -> str:
        answer = self.client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def send(self, case: str, files: Any = None, **said: Any):  # type: ignore[no-untyped-def]
        headers = {"accept": "text/html", "origin": "http://testserver"}
        # as a browser does: a form with fields of files is sent in parts
        return self.client.post(
            f"/findings/{case}/moves", data=said, files=files or {"attachment": ("", b"")}, headers=headers
        )


def office(service: Service, folder: Path) -> Desk:
    """Who works here: the people of the roles, ``both`` (may work on cases and accept the work of others), and Wang with a browser."""
    service.client.cookies.clear()
    with service.db.write(MAKER) as conn:
        people.add_user(conn, "the-both", "验收兼办", password=PASSWORD)
        for role in ("inspector", "reviewer"):
            people.grant(conn, "the-both", role)
        service.keys["both"] = access.make_key(conn, "the-both", "test")
        for name, role in (("wang", "inspector"), ("zhao", "reviewer")):
            people.add_user(conn, name, name, password=PASSWORD)
            people.grant(conn, name, role)
    return Desk(service, picture(folder / "after.jpg", gps(106.0041, 29.4003), taken="2026:05:30 09:00:00"))


@contextmanager
def browser_of(desk: Desk, name: str) -> Iterator[Hand]:
    """A person who has signed in."""
    with TestClient(desk.service.client.app, follow_redirects=False) as client:
        assert client.post("/sign-in", data={"name": name, "password": PASSWORD}).status_code == 303
        yield Hand(client)
