"""Signing in and what comes of it: new tokens, ends of sessions, keys, guessing, forms of other sites, time that tells nothing."""

from __future__ import annotations

import base64
import select
import statistics
import time
import uuid
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from rivergis.db import access, people
from rivergis.errors import UsageError
from rivergis.web.auth import COOKIE
from rivergis.web.limits import Rate
from tests.security.conftest import Door, doors
from tests.security.counties import PASSWORD


def cookie(door: Door, token: str) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={token}"}


def age(door: Door, column: str, minutes: int) -> None:
    with door.db.write("local:test") as conn:
        conn.execute(text(f"UPDATE sys.session SET {column} = {column} - make_interval(mins => :m)"), {"m": minutes})


def test_every_sign_in_gives_a_new_token_and_ends_what_the_browser_came_with(door: Door) -> None:
    """Session fixation: a token that somebody else put into the browser is worth nothing after the sign-in."""
    origin = {"Origin": "http://testserver"}
    planted = access.sign_in(door.db, "the-viewer", PASSWORD)
    done = door.client.post(
        "/sign-in", data={"name": "lihua", "password": PASSWORD}, headers=cookie(door, planted) | origin
    )
    fresh = done.cookies[COOKIE]
    door.client.cookies.clear()
    assert done.status_code == 303 and fresh != planted
    assert door.ask("GET", "/account", headers=cookie(door, planted)).status_code == 401
    assert "李华" in door.ask("GET", "/account", headers=cookie(door, fresh)).text
    made_up = door.client.post(
        "/sign-in", data={"name": "lihua", "password": PASSWORD}, headers=cookie(door, "chosen-by-me") | origin
    )
    assert made_up.cookies[COOKIE] not in ("chosen-by-me", fresh)


@pytest.mark.parametrize(
    ("column", "minutes", "alive"), [("seen_at", 29, True), ("seen_at", 31, False), ("expires_at", 12 * 60 + 1, False)]
)
def test_sessions_end_when_nobody_uses_them_and_at_the_end_of_the_day(
    door: Door, column: str, minutes: int, alive: bool
) -> None:
    token = door.sign_in().cookies[COOKIE]
    door.client.cookies.clear()
    age(door, column, minutes)
    assert (door.ask("GET", "/account", headers=cookie(door, token)).status_code == 200) is alive


def test_use_keeps_a_session_alive(door: Door) -> None:
    token = door.sign_in().cookies[COOKIE]
    for _ in range(2):
        age(door, "seen_at", 20)
        assert door.ask("GET", "/account", headers=cookie(door, token)).status_code == 200
        door.logged()


def test_the_cookie_is_for_no_script_no_other_site_and_no_open_line(door: Door) -> None:
    said = door.sign_in().headers["set-cookie"].lower()
    assert (
        "httponly" in said
        and "samesite=lax" in said
        and "path=/" in said
        and "domain" not in said
        and "secure" not in said
    )
    with TestClient(door.client.app, base_url="https://testserver", follow_redirects=False) as https:
        done = https.post("/sign-in", data={"name": "lihua", "password": PASSWORD})
        assert "; secure" in done.headers["set-cookie"].lower()
        assert done.headers["strict-transport-security"].startswith("max-age=")


def test_a_new_password_by_the_own_page_ends_every_other_session(door: Door) -> None:
    other = access.sign_in(door.db, "lihua", PASSWORD)
    mine = access.sign_in(door.db, "lihua", PASSWORD)
    origin = {"Origin": "http://testserver"}
    wrong = door.ask(
        "POST",
        "/account/password",
        headers=cookie(door, mine) | origin,
        data={"old": "not it at all", "new": "another long one"},
    )
    assert wrong.status_code == 401
    done = door.ask(
        "POST",
        "/account/password",
        headers=cookie(door, mine) | origin,
        data={"old": PASSWORD, "new": "another long one"},
    )
    fresh = done.cookies[COOKIE]
    door.client.cookies.clear()
    answers = {t: door.ask("GET", "/account", headers=cookie(door, t)).status_code for t in (other, mine, fresh)}
    assert answers == {other: 401, mine: 401, fresh: 200}
    with door.db.write("local:test") as conn:
        people.set_password(conn, "lihua", PASSWORD)


def test_everybody_ends_the_own_sessions_and_nobody_elses(door: Door) -> None:
    mine, other = access.sign_in(door.db, "lihua", PASSWORD), access.sign_in(door.db, "the-viewer", PASSWORD)
    with door.db.read() as conn:
        ids = {n: str(access.sessions(conn, n)[0]["id"]) for n in ("lihua", "the-viewer")}
    origin = cookie(door, mine) | {"Origin": "http://testserver"}
    assert door.ask("POST", f"/account/sessions/{ids['the-viewer']}/end", headers=origin).status_code == 404
    assert door.ask("GET", "/account", headers=cookie(door, other)).status_code == 200
    assert door.ask("POST", f"/account/sessions/{ids['lihua']}/end", headers=origin).status_code == 303
    assert door.ask("GET", "/account", headers=cookie(door, mine)).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "https://evil.example/"},
        {},
    ],
)
def test_forms_of_other_sites_do_nothing(door: Door, headers: dict[str, str]) -> None:
    """CSRF: a browser that is signed in sends its cookie along with whatever another page makes it send."""
    token = access.sign_in(door.db, "lihua", PASSWORD)
    for path in ("/sign-out", "/account/keys/end", "/cases", "/boundary/drafts", "/api/audit/findings"):
        assert door.ask("POST", path, headers=cookie(door, token) | headers, data={"name": "x"}).status_code == 403, (
            path
        )
    assert door.ask("GET", "/account", headers=cookie(door, token)).status_code == 200


def test_keys_stand_in_the_place_of_a_password_and_passwords_never_in_that_of_a_key(door: Door) -> None:
    def basic(name: str, said: str) -> int:
        word = base64.b64encode(f"{name}:{said}".encode()).decode()
        return int(door.ask("GET", "/openapi.json", headers={"Authorization": f"Basic {word}"}).status_code)

    key = door.keys["viewer"]
    assert basic("the-viewer", key) == 200
    assert [basic("lihua", key), basic("the-viewer", PASSWORD), basic("lihua", PASSWORD), basic("", key)] == [401] * 4
    for odd in (
        "Basic",
        "Basic %%%",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Digest x",
        f"Token {key}",
        f"bearer  {key}x",
    ):
        assert door.ask("GET", "/openapi.json", headers={"Authorization": odd}).status_code == 401, odd


def test_a_bad_key_is_not_made_good_by_a_cookie(door: Door) -> None:
    token = access.sign_in(door.db, "lihua", PASSWORD)
    assert (
        door.ask("GET", "/account", headers=cookie(door, token) | {"Authorization": "Bearer rg_wrong"}).status_code
        == 401
    )


def test_a_browser_is_shown_no_window_for_passwords(door: Door) -> None:
    assert door.ask("GET", "/openapi.json").headers["www-authenticate"].startswith("Basic ")
    assert door.ask("GET", "/openapi.json", headers={"Sec-Fetch-Mode": "cors"}).headers["www-authenticate"] == "Bearer"


def test_a_key_reaches_no_farther_than_its_user(door: Door) -> None:
    with door.db.write("local:test") as conn:
        people.add_user(conn, "county", "县", area="500113")
        people.grant(conn, "county", "viewer")
        narrow = access.make_key(conn, "county", "town", area="500113001")
        wide = access.make_key(conn, "county", "all")
        for outside in ("500114", "5001", "50"):
            with pytest.raises(UsageError, match="farther"):
                access.make_key(conn, "county", "x", area=outside)
        assert [access.of_key(conn, k).area for k in (narrow, wide)] == ["500113001", "500113"]  # type: ignore[union-attr]
        people.set_area(conn, "county", "500114")
        assert access.of_key(conn, narrow) is None, "it was made for another area than its user has now"
        assert access.of_key(conn, wide).area == "500114"  # type: ignore[union-attr]


def test_guessing_is_slowed_for_a_name_and_for_an_address(door: Door, tmp_path: Path) -> None:
    told = [door.sign_in("somebody", f"guess {n}").status_code for n in range(6)]
    assert told == [401] * 6
    assert "15" in door.sign_in("somebody", "guess 7").text, "the name waits"
    app = doors(door.db, tmp_path)
    with TestClient(app, follow_redirects=False) as client:
        app.state.limits.rates["sign_in"] = Rate(per_minute=1, burst=3)
        codes = [client.post("/sign-in", data={"name": f"n{i}", "password": "x"}).status_code for i in range(5)]
    assert codes == [401] * 3 + [429] * 2, "many names from one address wait, too"


def test_a_right_password_while_the_name_waits_opens_nothing(door: Door) -> None:
    with door.db.write("local:test") as conn:
        people.add_user(conn, "waits", "等", password=PASSWORD)
    for n in range(5):
        door.sign_in("waits", f"guess {n}")
    assert COOKIE not in door.sign_in("waits").cookies


def test_an_unknown_name_takes_as_long_as_a_wrong_password(door: Door) -> None:
    """Both compute one hash: the share of the shorter is far from what looking up a name alone would take."""

    def took(name: str) -> float:
        begin = time.process_time()
        door.sign_in(name, "wrong")
        return time.process_time() - begin

    took("nobody-0")
    known = statistics.median(took(n) for n in ("lihua", "the-viewer", "the-auditor"))
    unknown = statistics.median(took(f"nobody-{uuid.uuid4().hex[:6]}") for _ in range(3))
    assert min(known, unknown) > 0.4 * max(known, unknown)


@pytest.mark.parametrize(
    "next_",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/x\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "\\evil",
    ],
)
def test_signing_in_leads_to_no_other_site_and_into_no_header(door: Door, next_: str) -> None:
    # the tries of the tests before count for this address, too; how many are let through is tried above
    door.client.app.state.limits.rates.pop("sign_in", None)  # type: ignore[attr-defined]
    done = door.client.post("/sign-in", data={"name": "lihua", "password": PASSWORD, "next": next_})
    assert done.headers["location"] == "/" and len(done.headers.get_list("set-cookie")) == 1


def test_rights_of_disabled_accounts_end_at_once_and_services_are_told(door: Door) -> None:
    with door.db.write("local:test") as conn:
        people.add_user(conn, "goes", "去", password=PASSWORD)
        people.grant(conn, "goes", "viewer")
        key = access.make_key(conn, "goes", "x")
    token = access.sign_in(door.db, "goes", PASSWORD)
    listener = door.db.engine.raw_connection()
    try:
        listener.set_isolation_level(0)  # type: ignore[attr-defined]
        listener.cursor().execute("LISTEN rivergis_access")
        with door.db.write("local:test") as conn:
            people.disable(conn, "goes")
        # the server sends it after the commit, not with it
        assert select.select([listener.driver_connection], [], [], 10)[0]
        listener.poll()  # type: ignore[attr-defined]
        assert {n.channel for n in listener.notifies} == {"rivergis_access"}  # type: ignore[attr-defined]
    finally:
        listener.invalidate()
    assert door.ask("GET", "/account", headers=cookie(door, token)).status_code == 401
    assert door.ask("GET", "/openapi.json", headers={"Authorization": f"Bearer {key}"}).status_code == 401
