"""The fast lane on a real socket: who asks, what is sent, and that a query ends when nobody waits for it any more."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import text

from rivergis import settings
from rivergis.db import access, people
from rivergis.errors import NotFound
from rivergis.web.app import HEADERS, _said, create_app
from rivergis.web.lane import Answer, Ask, Lane, Way
from tests.web.live import live


def _echo(ask: Ask, quick) -> Answer:
    name, area = ask.actor.name, quick.rows("area", "SELECT current_setting('rivergis.area', true)")[0][0]
    return Answer(f"{name} {area} {ask.args['what']} {dict(ask.query)}".encode(), "text/plain", saw={"echo": 1})


def _slow(ask: Ask, quick) -> Answer:
    return Answer(str(quick.rows("slow", "SELECT pg_sleep(60)")).encode())


def _long(ask: Ask, quick) -> Answer:
    def lots() -> Iterator[bytes]:
        for lot in quick.stream("SELECT n, pg_sleep(0.01) FROM generate_series(1, 1000000) n", size=10):
            yield b"".join(b"%d\n" % row[0] for row in lot)

    return Answer(lots(), "text/plain")


def _short(ask: Ask, quick) -> Answer:
    return Answer(
        (b"%d " % r[0] for lot in quick.stream("SELECT generate_series(1, 5)", size=2) for r in lot), "text/plain"
    )


def _refused(ask: Ask, quick) -> Answer:
    raise NotFound("There is no such thing here.")


def _broken(ask: Ask, quick) -> Answer:
    return Answer(ask.args["no such part"].encode())


HANDLERS = {"echo": _echo, "slow": _slow, "long": _long, "short": _short, "refused": _refused, "broken": _broken}
WAYS = [Way(re.compile(rf"/try/{k}(?P<what>/.*)?"), h, "page") for k, h in HANDLERS.items()]


@pytest.fixture
def site(db, cli_env):
    with db.write("setup") as conn:
        people.add_user(conn, "wang", "王", password="a long enough password", area="4301")
        people.grant(conn, "wang", "viewer")
        key = access.make_key(conn, "wang", "test")
    app = create_app(db, settings.load(cli_env))
    lane = Lane(app, pool=app.state.pool, watch=app.state.watch, ways=WAYS, headers=HEADERS, refuse=_said)

    async def outer(scope, receive, send):  # type: ignore[no-untyped-def]
        await lane({**scope, "app": app}, receive, send)

    with live(outer) as base, httpx.Client(base_url=base, headers={"Authorization": f"Bearer {key}"}) as client:
        yield client, db, key


def _running(db, what: str) -> int:
    with db.read() as conn:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE :w AND pid <> pg_backend_pid()"
        )
        return int(conn.execute(text(query), {"w": f"%{what}%"}).scalar())


def test_it_knows_who_asks_and_where(site):
    client, _, _ = site
    answer = client.get("/try/echo/here?a=1&b=%E6%B2%B3")
    assert answer.text == "wang 4301 /here {'a': '1', 'b': '河'}"
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"
    head = client.head("/try/echo")
    assert head.content == b"" and int(head.headers["content-length"]) > 0
    assert client.get("/health").json()["status"] == "ok"  # what it does not know goes on to the service


def test_nobody_gets_nothing_and_a_bad_key_is_not_replaced_by_a_cookie(site):
    client, _, _ = site
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer rg_no"}, {"Authorization": "Basic d2FuZw=="}):
        answer = client.get("/try/echo", headers=headers)
        assert answer.status_code == 401 and answer.json()["error"] == "not_signed_in", headers


def test_a_revoked_key_ends_within_a_second(site):
    client, db, _ = site
    assert client.get("/try/echo").status_code == 200
    assert client.get("/try/echo").status_code == 200
    with db.write("security") as conn:
        access.revoke_key(conn, "wang", "test")
    time.sleep(1)
    assert client.get("/try/echo").status_code == 401


def test_errors_are_sentences_as_everywhere(site):
    client, _, _ = site
    answer = client.get("/try/refused")
    assert (answer.status_code, answer.json()["message"]) == (404, "There is no such thing here.")
    broken = client.get("/try/broken")
    assert broken.status_code == 500 and "no such part" not in broken.text
    assert client.get("/try/echo").status_code == 200


@pytest.mark.parametrize(("way", "what"), [("slow", "slow"), ("long", "FETCH")])
def test_a_query_ends_within_a_second_after_the_client_has_left(site, way, what):
    client, db, key = site
    where = urlsplit(str(client.base_url))
    with socket.create_connection((where.hostname, where.port)) as line:
        line.sendall(f"GET /try/{way} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
        deadline = time.monotonic() + 20
        while not _running(db, what):
            assert time.monotonic() < deadline, "it never began"
            time.sleep(0.05)
    time.sleep(1)
    assert _running(db, what) == 0
    assert client.get("/try/echo").status_code == 200


def test_a_long_answer_comes_in_parts(site):
    client, _, _ = site
    answer = client.get("/try/short")
    assert answer.text == "1 2 3 4 5 " and answer.headers["transfer-encoding"] == "chunked"
    assert client.head("/try/short").content == b""
