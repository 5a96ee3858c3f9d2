"""When something is wrong: one sentence, the right status, a page for people, data for programs; it mends itself."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from sqlalchemy import text

from rivergis.db import upgrade
from rivergis.db.cluster import Cluster
from rivergis.db.connect import open_database, read_table
from rivergis.errors import EnvironmentFault
from tests.web.conftest import MAKER, Service, client_of, person

NOBODY = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nowhere", 404, "not_found"),
        ("/maps/river/NO-SUCH", 404, "not_found"),
        (f"/findings/{NOBODY}", 404, "not_found"),
        (f"/findings/{NOBODY}.json", 404, "not_found"),
        (f"/evidence/{NOBODY}", 404, "not_found"),
        (f"/maps/patrol/{NOBODY}", 404, "not_found"),
        ("/reports/night/2020-01-01", 404, "not_found"),
        ("/findings/%25", 400, "usage"),
        ("/maps/night/yesterday", 400, "usage"),
        ("/maps/county?on=31.12.2026", 400, "usage"),
        ("/maps/county?on=2026-02-30", 400, "usage"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_sentence(service: Service, path: str, status: int, code: str) -> None:
    answer = service.get(path, "auditor")
    assert answer.status_code == status and answer.json()["error"] == code
    assert len(answer.json()["message"]) < 300
    page = service.get(path, "auditor", "text/html")
    assert page.status_code == status and "<main" in page.text and "Traceback" not in page.text


def test_a_wrong_method_is_a_sentence_too(service: Service) -> None:
    answer = service.client.delete("/maps/county")
    assert answer.status_code == 405 and answer.json()["error"] == "usage"


def test_an_own_fault_is_logged_and_tells_nothing_of_the_inside(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with client_of(service.db, tmp_path, raise_server_exceptions=False) as client:
        client.app.state.settings = None  # a fault as any: something is not what it should be
        answer = client.get(
            f"/evidence/{service.evidence}", headers={"Authorization": f"Bearer {service.keys['viewer']}"}
        )
    assert answer.status_code == 500 and answer.json()["error"] == "internal"
    assert "AttributeError" not in answer.text and "AttributeError" in caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    [reference] = [r.args[0] for r in caplog.records if r.name == "rivergis.web"]  # type: ignore[index]
    assert reference in answer.json()["message"]


def test_a_connection_cut_while_reading_is_a_fault_of_the_environment(service: Service) -> None:
    for read in (read_table, lambda conn, sql: conn.execute(text(sql))):
        with pytest.raises(EnvironmentFault), service.db.read() as conn:
            pid = conn.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with service.db.write(MAKER) as other:
                other.execute(text("SELECT pg_terminate_backend(:p, 5000)"), {"p": pid})
            read(conn, "SELECT 1")
    with service.db.read() as conn:
        assert read_table(conn, "SELECT 1 AS one")["one"].tolist() == [1]


def test_more_than_a_form_is_not_read(service: Service) -> None:
    answer = service.client.post("/sign-in", data={"name": "x" * 200_000, "password": "y"})
    assert answer.status_code == 413


def test_a_database_that_goes_away_is_said_and_comes_back_by_itself(run_dir: Path) -> None:
    folder = run_dir / f"away-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    cluster = Cluster(folder, durable=False)
    cluster.start()
    try:
        db = open_database(None, folder, "away")
        upgrade.upgrade(db)
        with db.write(MAKER) as conn:
            key = {"Authorization": f"Bearer {person(conn, 'viewer')}"}
        with client_of(db, folder, raise_server_exceptions=False) as client:
            healthy = client.get("/health")
            assert healthy.status_code == 200 and healthy.json()["status"] == "ok"
            cluster.stop()
            for path in ("/health", "/", "/maps/county"):
                gone = client.get(path, headers=key)
                assert gone.status_code == 503 and gone.json()["error"] == "environment", path
                assert str(folder) not in gone.text and "socket" not in gone.text
            assert "数据库暂不可用" in client.get("/", headers={**key, "Accept": "text/html"}).text
            cluster.start()
            assert client.get("/health").status_code == 200
            assert client.get("/maps/county", headers=key).status_code == 200
        db.close()
    finally:
        cluster.stop()
