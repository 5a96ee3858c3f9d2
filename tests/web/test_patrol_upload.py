"""Patrols over HTTP: uploads as form and as body, by key; the own tracks of a chief; questions; who saw what."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image
from sqlalchemy import text

from rivergis.db import access, people
from rivergis.db.connect import Database
from rivergis.jobs import nightly
from rivergis.patrol import receive_workflow
from tests.patrol.ground import BOOK, NOON, river, walk
from tests.web.conftest import PASSWORD, client_of

USERS = {"clerk": "inspector", "zhang": "chief", "li": "chief", "duty": "duty_person", "viewer": "viewer"}


class Web:
    """The service over the small river, with a key for each user."""

    def __init__(self, client: TestClient, db: Database, keys: dict[str, str]) -> None:
        self.client, self.db, self.keys = client, db, keys

    def ask(self, method: str, path: str, who: str = "clerk", **options: Any) -> Response:
        headers = {"Authorization": f"Bearer {self.keys[who]}", **options.pop("headers", {})}
        return self.client.request(method, f"/api/patrol/{path}", headers=headers, **options)

    def send(self, path: Path, who: str = "clerk", **said: str) -> Response:
        return self.ask("POST", "tracks", who, files={"file": (path.name, path.read_bytes())}, data=said)


@pytest.fixture(scope="module")
def web(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    river(module_db)
    with module_db.write("t") as conn:
        for name, role in USERS.items():
            people.add_user(conn, name, name, password=PASSWORD)
            people.grant(conn, name, role)
        keys = {name: access.make_key(conn, name, "test") for name in USERS}
    for name, chief in (("zhang", "H1"), ("li", "H2")):
        receive_workflow.bind_account(module_db, name, chief, "local", actor="t")
    with client_of(module_db, tmp_path_factory.mktemp("data")) as client:
        yield Web(client, module_db, keys)


def test_a_form_and_a_body_give_the_same_track(web: Web, tmp_path: Path) -> None:
    path = walk(tmp_path / "a.csv", metres=20_000)  # larger than any form of our own pages
    first = web.send(path, chief="H1", device="d1", party=json.dumps([{"part": "assistant", "person": "王五"}]))
    assert first.status_code == 201, first.text
    body = web.ask(
        "POST", "tracks?chief=H1&filename=a.csv", content=path.read_bytes(), headers={"content-type": "text/csv"}
    )
    assert body.status_code == 200, body.text
    assert (body.json()["track_id"], body.json()["new"]) == (first.json()["track_id"], False)
    assert first.json()["day"] == "2026-05-20" and first.json()["fixes"] == body.json()["fixes"]


@pytest.mark.parametrize(
    ("content", "query", "status", "said"),
    [
        (b"", "", 422, "empty"),
        (b"\x00\x01\x02", "", 422, "what kind of file"),
        (b"<gpx>", "?filename=x.gpx", 422, "not a whole GPX"),
        (b"time,lon,lat\n", "?filename=../../etc/x.csv", 422, "x.csv"),
        (b"time,lon,lat\n", "?filename=x.csv&datum=mars", 400, "no datum"),
        (b"time,lon,lat\n", "?filename=x.csv&uploaded_at=2026-05-20T09:00:00", 400, "names no time zone"),
        (b"time,lon,lat\n", "?filename=x.csv&party=[1]", 400, "names no part"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(web: Web, content: bytes, query: str, status: int, said: str) -> None:
    answer = web.ask("POST", f"tracks{query}", content=content)
    assert answer.status_code == status and said in answer.json()["message"], answer.text


def test_a_chief_uploads_and_sees_only_the_own_tracks(web: Web, tmp_path: Path) -> None:
    path = walk(tmp_path / "own.csv", NOON + timedelta(days=2))
    assert web.client.post("/api/patrol/tracks", content=b"x").status_code == 401
    assert web.send(path, "viewer").status_code == 403
    assert web.send(path, "li", chief="H1").status_code == 403
    got = web.send(path, "zhang")
    assert got.status_code == 201, got.text
    track = got.json()["track_id"]
    nightly.score_patrols(web.db, BOOK, [(NOON + timedelta(days=2)).date()], "t")
    mine = web.ask("GET", f"tracks/{track}", "zhang").json()
    assert mine["result"]["figures"]["metres"] > 500 and mine["questions"] is not None
    assert web.ask("GET", f"tracks/{track}", "clerk").json()["questions"] is None, (
        "questions are not for who only sees tracks"
    )
    [listed] = [t for t in web.ask("GET", "tracks", "zhang").json() if t["track_id"] == track]
    assert (
        listed["day"] == "2026-05-22" and listed["files"] == 1 and listed["scored_at"] and listed["purged_at"] is None
    )
    assert web.ask("GET", "tracks", "li").json() == [] and web.ask("GET", "tracks", "clerk").status_code == 403
    for who in ("li", "viewer"):
        assert web.ask("GET", f"tracks/{track}", who).status_code == 404
        assert web.ask("GET", f"tracks/{track}/accesses", who).status_code == 404
    seen = web.ask("GET", f"tracks/{track}/accesses", "zhang").json()
    assert [s["actor"] for s in seen] == ["clerk", "zhang"]


def test_a_session_of_a_browser_uploads_from_our_own_pages_only(web: Web, tmp_path: Path) -> None:
    path = walk(tmp_path / "browser.csv", NOON + timedelta(days=3))
    with TestClient(web.client.app, follow_redirects=False) as browser:
        assert browser.post("/sign-in", data={"name": "zhang", "password": PASSWORD}).status_code == 303
        files = {"file": (path.name, path.read_bytes())}
        other = browser.post("/api/patrol/tracks", files=files, headers={"origin": "https://elsewhere.example"})
        assert other.status_code == 403
        ours = browser.post("/api/patrol/tracks", files=files, headers={"origin": "http://testserver"})
        assert ours.status_code == 201, ours.text


def test_a_zip_is_a_batch(web: Web, tmp_path: Path) -> None:
    packed = io.BytesIO()
    index = [
        {"file": "t/a.csv", "chief_id": "H1", "uploaded_at": "2026-07-01T00:00:00Z"},
        {"file": "t/b.gpx", "chief_id": "H2"},
    ]
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("tracks.json", json.dumps(index))
        z.writestr("t/a.csv", walk(tmp_path / "z.csv", NOON + timedelta(days=5)).read_text())
        z.writestr("t/b.gpx", "<gpx>")
    for new, known in ((1, 0), (0, 1)):
        answer = web.ask("POST", "tracks", content=packed.getvalue(), headers={"content-type": "application/zip"})
        assert answer.status_code == 207, answer.text
        told = answer.json()
        assert (told["new"], told["known"], [f["file"] for f in told["failed"]]) == (new, known, ["b.gpx"])
    assert web.ask("POST", "tracks", "zhang", content=packed.getvalue()).status_code == 403


def test_observations_come_once_and_lie_on_the_river(web: Web, tmp_path: Path) -> None:
    track = web.send(walk(tmp_path / "o.csv", NOON + timedelta(days=6)), chief="H1").json()["track_id"]
    rows = [{"at": "2026-05-26T01:05:00Z", "kind": "water", "text": "水体浑浊", "lon": 106.002, "lat": 29.3999}]
    for status, new in ((201, 1), (200, 0)):
        answer = web.ask("POST", f"tracks/{track}/observations", json=rows)
        assert (answer.status_code, answer.json()["new"]) == (status, new), answer.text
    as_csv = "at,kind,text,lon,lat\n,,漂浮物,106.004,29.4001\n".encode()
    answer = web.ask("POST", f"tracks/{track}/observations", content=as_csv, headers={"content-type": "text/csv"})
    assert answer.status_code == 201, answer.text
    with web.db.read() as conn:
        found = conn.execute(text("SELECT text, bank, round(at_m) FROM data.observation ORDER BY at_m")).fetchall()
    assert [(t, b) for t, b, _ in found] == [("水体浑浊", "right"), ("漂浮物", "left")]
    for wrong in ([{"lon": 1}], [], {"a": 1}, [{"lon": 500, "lat": 1}]):
        assert web.ask("POST", f"tracks/{track}/observations", json=wrong).status_code == 422
    assert web.ask("POST", f"tracks/{track}/observations", "li", json=rows).status_code == 404


def test_a_photo_of_an_observation_is_kept_and_shown_to_who_may_see_the_track(web: Web, tmp_path: Path) -> None:
    track = web.send(walk(tmp_path / "p.csv", NOON + timedelta(days=7)), "zhang").json()["track_id"]
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "brown").save(picture, "JPEG")
    said = {"lon": "106.001", "lat": "29.4001", "text": "排口"}
    for status in (201, 200):
        answer = web.ask(
            "POST", f"tracks/{track}/observations", "zhang", files={"photo": ("a.jpg", picture.getvalue())}, data=said
        )
        assert answer.status_code == status, answer.text
    sha256 = hashlib.sha256(picture.getvalue()).hexdigest()
    shown = web.ask("GET", f"tracks/{track}/photos/{sha256}", "zhang")
    assert shown.content == picture.getvalue() and shown.headers["content-type"] == "image/jpeg"
    assert web.ask("GET", f"tracks/{track}/photos/{sha256}", "li").status_code == 404
    assert web.ask("GET", f"tracks/{track}/photos/{'0' * 64}").status_code == 404
    text_file = {"photo": ("a.jpg", b"<script>")}
    assert web.ask("POST", f"tracks/{track}/observations", "zhang", files=text_file, data=said).status_code == 422


def test_questions_go_to_the_chief_and_the_duty_person_and_are_decided_by_another(web: Web, tmp_path: Path) -> None:
    day = NOON + timedelta(days=8)
    web.send(walk(tmp_path / "q.csv", day, metres=900, datum="gcj02"), chief="H1")
    nightly.score_patrols(web.db, BOOK, [day.date()], "t")
    assert web.ask("GET", "questions", "viewer").status_code == 403 and web.ask("GET", "questions", "li").json() == []
    number = next(q["number"] for q in web.ask("GET", "questions?state=raised", "zhang").json() if "坐标系" in q["zh"])
    assert number in {q["number"] for q in web.ask("GET", "questions", "duty").json()}
    assert web.ask("POST", f"questions/{number}/reply", "li", json={"text": "?"}).status_code == 403
    assert web.ask("POST", f"questions/{number}/reply", "zhang", json={"text": "手机地图坐标"}).status_code == 200
    said = {"move": "dismissed", "reason": "属实"}
    assert web.ask("POST", f"questions/{number}/decide", "zhang", json=said).status_code == 403
    assert web.ask("POST", f"questions/{number}/decide", "duty", json=said).status_code == 200
    [q] = [q for q in web.ask("GET", "questions?state=dismissed", "zhang").json() if q["number"] == number]
    assert (q["decided_by"], q["reason"], q["replies"][0]["text"]) == ("duty", "属实", "手机地图坐标")
    assert "code" not in q and "file_name" not in q


def test_a_refusal_names_no_folder_of_the_service(web: Web) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("tracks.json", json.dumps([{"file": "gone.gpx"}]))
    told = web.ask(
        "POST", "tracks?filename=b.zip", content=packed.getvalue(), headers={"content-type": "application/zip"}
    )
    one = web.ask("POST", "tracks?filename=x.gpx", content=b"<gpx>")
    assert (told.status_code, one.status_code) == (422, 422)
    assert "gone.gpx" in told.text and one.json()["file"] == "x.gpx" and "rivergis-" not in told.text + one.text
