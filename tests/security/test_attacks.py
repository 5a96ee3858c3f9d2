"""What comes from outside and would run, reach or break something: names that are scripts, paths, headers, bodies, other sites."""

from __future__ import annotations

import html
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from rivergis import settings
from rivergis.db.connect import Database
from rivergis.errors import UsageError
from tests.security import counties
from tests.security.conftest import Door, doors
from tests.security.counties import World
from tests.security.test_areas import QUERIES, filled, gets, things

NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}}}{{\u2028</style></textarea>\'"`${alert(3)}'
# as it stands in a page where somebody forgot to make it harmless
ALIVE = ("<script>alert(1)", "<img src=x onerror=alert(2)", "\u2028</style>", "49}}{{")


@pytest.fixture(scope="module")
def nasty(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two counties in which every name, reason, caption and title of the second is a script."""
    kept, counties.SECRET = counties.SECRET, NASTY
    try:
        with counties.world(module_db, tmp_path_factory.mktemp("nasty")) as service:
            yield service
    finally:
        counties.SECRET = kept


@pytest.fixture
def two(nasty: World) -> World:
    """The same two counties for the rest of this module."""
    return nasty


def said_to_run(answer: Any) -> str:
    """What a page does wrong in saying what may run in it; empty = nothing."""
    policy = answer.headers["content-security-policy"]
    rules = {k: v for k, _, v in (r.strip().partition(" ") for r in policy.split(";"))}
    script = rules.get("script-src", "")
    if rules.get("default-src") != "'none'" or "frame-ancestors" not in rules:
        return policy
    if "'unsafe-inline'" in script or "'unsafe-eval'" in script or "http" in script:
        return script
    ours = answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "same-origin"
    return "" if ours else "headers"


def test_a_name_that_is_a_script_runs_on_no_page_and_no_map(nasty: World) -> None:
    """Every page there is: nothing of the name is alive, and the page lets no script run that is not named by hash or lies here."""
    told: list[Any] = []
    for path in (p for p in gets(nasty) if "." not in p):
        for role in ("inspector", "duty_person") if path in ("/patrols", "/") else ("inspector",):
            answer = nasty.ask(
                "GET", filled(path, things(nasty.b)) + QUERIES.get(path, ""), nasty.keys[role], "text/html"
            )
            if "html" not in answer.headers.get("content-type", ""):
                continue
            told += [
                (path, mark)
                for mark in (*ALIVE, said_to_run(answer))
                if mark and (mark not in ALIVE or mark in answer.text)
            ]
            # inside of a script it may stand as data, and only with what ends a script escaped
            for script in re.findall(r"<script[^>]*>(.*?)</script>", answer.text, re.S):
                if "alert(1)" in script and "\\u003cscript" not in script and "\\x3cscript" not in script.lower():
                    told.append((path, "script"))
    assert told == []


def test_what_programs_get_is_never_taken_for_a_page(nasty: World) -> None:
    for path in ("/api/cases", "/api/boundary/drafts", "/search.json?q=x", "/ogc/collections/outfall/items?f=json"):
        answer = nasty.ask("GET", path, nasty.keys["inspector"])
        assert "html" not in answer.headers["content-type"] and answer.headers["x-content-type-options"] == "nosniff", (
            path
        )


def test_formulas_in_names_stay_text_in_tables(nasty: World) -> None:
    body = nasty.ask("GET", "/api/ledger/csv", nasty.keys["inspector"]).text
    assert not re.search(r'(^|,)"?[=+@]', body, re.M)


def test_an_error_page_repeats_nothing_alive(nasty: World) -> None:
    for path in (
        f"/cases/{NASTY}",
        f"/maps/river/{NASTY}",
        f"/boundary/drafts/{NASTY}",
        f"/cases?state={NASTY}",
        f"/cases?q={NASTY}",
        f"/sign-in?next={NASTY}",
    ):
        answer = nasty.client.get(
            path, headers={"Authorization": f"Bearer {nasty.keys['inspector']}", "Accept": "text/html"}
        )
        assert answer.status_code < 500 and not [m for m in ALIVE if m in answer.text], path


# ---- paths ----------------------------------------------------------------------------------------------------------------------

ESCAPES = (
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "....//....//etc/passwd",
    "/etc/passwd",
    "..\\..\\etc\\passwd",
    "%00",
)


@pytest.mark.parametrize("escape", ESCAPES)
def test_no_path_leads_out_of_its_folder(two: World, escape: str) -> None:
    sha = "0" * 64
    for path in (
        f"/assets/{escape}", f"/evidence/{escape}", f"/findings/{two.a.ids['case']}/attachments/{escape}",
        f"/api/patrol/tracks/{two.a.ids['track']}/photos/{escape}", f"/imagery/{escape}", f"/imagery/{escape}/0/0/0.png",
        f"/basemap/{escape}/0/0/0", f"/tiles/{escape}/0/0/0.mvt", f"/ogc/collections/{escape}/items", f"/patrol/entry/{escape}/scan",
        f"/findings/{two.a.ids['case']}/attachments/{sha}{escape}", f"/wms?map={escape}", "/wms?MAP=/etc/passwd&service=WMS&request=GetCapabilities",
    ):  # fmt: skip
        answer = two.ask("GET", path, two.keys["inspector"])
        assert "root:" not in answer.text and answer.status_code != 500, (path, answer.status_code)


def test_evidence_that_points_out_of_the_store_is_not_sent(two: World) -> None:
    """What a row says of its file is no way out of the store either."""
    from rivergis.errors import NotFound
    from rivergis.web.evidence import _file

    outside = two.store.parent / "secret.txt"
    outside.write_text("secret")
    (two.store / "evidence" / "link.png").symlink_to(outside)
    for path in ("../secret.txt", str(outside), "evidence/link.png", "evidence/../../secret.txt"):
        with pytest.raises(NotFound):
            _file(two.store, path)


@pytest.mark.parametrize(
    "forged",
    [
        "0",
        "-1",
        "1e9",
        "' OR 1=1 --",
        "00000000-0000-0000-0000-000000000000",
        "%",
        "_",
        "null",
        "NaN",
        "\u0661",
        "a" * 3000,
    ],
)
def test_forged_ids_find_nothing_and_break_nothing(two: World, forged: str) -> None:
    for path in (
        "/api/cases/",
        "/findings/",
        "/evidence/",
        "/maps/patrol/",
        "/boundary/drafts/",
        "/look-backs/",
        "/maps/river/",
        "/imagery/",
        "/cards/lead/",
    ):
        answer = two.client.get(
            path + forged.replace("%", "%25"),
            headers={"Authorization": f"Bearer {two.keys['inspector']}", "Accept": "text/html"},
        )
        assert 400 <= answer.status_code < 500, (path, forged, answer.status_code)


# ---- headers and bodies -----------------------------------------------------------------------------------------------------------


def test_nothing_that_is_asked_for_gets_into_a_header(door: Door) -> None:
    for path in (
        "/cases/x%0d%0aSet-Cookie:%20a=b",
        "/maps/county?on=2026-01-01%0d%0aX-Evil:%201",
        "/sign-in?next=/%0d%0aX-Evil:1",
        "/tiles/reach%0d%0aX-Evil:1/0/0/0.mvt",
    ):
        answer = door.ask("GET", path, "inspector", headers={"Accept": "text/html"})
        assert "x-evil" not in answer.headers and "a=b" not in answer.headers.get("set-cookie", ""), path


def test_a_host_that_somebody_made_up_is_in_no_address_we_send(door: Door) -> None:
    answer = door.ask("GET", "/maps/county", headers={"Host": "evil.example", "Accept": "text/html"})
    assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize(
    "path", ["/sign-in", "/boundary/drafts", "/api/audit/findings", "/api/campaigns", "/account/password"]
)
def test_bodies_have_an_end(door: Door, path: str) -> None:
    """A form is 64 KB at most: more is refused before it is read whole."""
    sent = {"n": 0}

    def endless() -> Iterator[bytes]:
        while sent["n"] < 50 << 20:
            sent["n"] += 1 << 16
            yield b"a" * (1 << 16)

    answer = door.ask(
        "POST", path, "planner", content=endless(), headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code in (400, 403, 413, 422), answer.text[:100]
    told = door.ask("POST", path, "planner", content=b"a" * (1 << 20), headers={"Content-Type": "application/json"})
    assert told.status_code in (400, 403, 413, 422)


def test_what_is_too_deep_or_too_odd_is_told_in_a_sentence(door: Door) -> None:
    for body in (
        b"[" * 20_000,
        b'{"a":' * 5_000,
        b"\xff\xfe",
        b"",
        b"null",
        b'"\\ud800"',
        b"1e999",
        json.dumps({"code": "\x00"}).encode(),
    ):
        answer = door.ask(
            "POST", "/api/boundary/drafts", "planner", content=body, headers={"Content-Type": "application/json"}
        )
        assert 400 <= answer.status_code < 500 and "Traceback" not in answer.text, body[:20]


# ---- other sites -----------------------------------------------------------------------------------------------------------------


def test_no_other_site_reads_from_here_unless_it_is_named(door: Door, tmp_path: Path) -> None:
    asked = {"Origin": "https://gis.example"}
    assert not [
        h for h in door.ask("GET", "/api/cases", "inspector", headers=asked).headers if h.startswith("access-control")
    ]
    app = doors(door.db, tmp_path, RIVERGIS_CORS_ORIGINS="https://gis.example, http://10.0.0.5:8080")
    with TestClient(app, follow_redirects=False) as client:
        key = {"Authorization": f"Bearer {door.keys['inspector']}"}
        allowed = client.get("/api/cases", headers=asked | key).headers
        other = client.get("/api/cases", headers={"Origin": "https://evil.example"} | key).headers
        preflight = client.options(
            "/api/cases",
            headers=asked | {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"},
        )
    assert (
        allowed["access-control-allow-origin"] == "https://gis.example"
        and "access-control-allow-credentials" not in allowed
    )
    assert "access-control-allow-origin" not in other and preflight.status_code == 200


@pytest.mark.parametrize(
    "said", ["*", "null", "gis.example", "https://a.example/path", "https://a.example;https://b.example"]
)
def test_sites_are_named_whole(said: str) -> None:
    with pytest.raises(UsageError, match="CORS"):
        settings.load({"RIVERGIS_CORS_ORIGINS": said})


def test_a_fault_of_ours_tells_nothing_of_the_inside(two: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from rivergis.reports import case_desk

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("/srv/secret/path and password=geheim")

    monkeypatch.setattr(case_desk, "listing", broken)
    answer = two.ask("GET", "/api/cases", two.keys["inspector"])
    assert answer.status_code == 500 and "geheim" not in answer.text and "/srv" not in answer.text
    assert answer.headers["content-security-policy"] and re.search(r"[0-9a-f]{8}", answer.text)


def test_html_unescapes_to_what_was_said(nasty: World) -> None:
    """Made harmless, not thrown away: the page shows the name as it is."""
    body = nasty.ask("GET", f"/findings/{nasty.b.ids['case']}", nasty.keys["inspector"], "text/html").text
    assert f"{NASTY}棚房".replace("\u2028", "") in html.unescape(body).replace("\u2028", "").replace("\\u2028", "")
    assert uuid.UUID(nasty.b.ids["case"])


def test_where_files_lie_is_told_to_nobody(two: World) -> None:
    """An evidence pack whose picture is not the one that was filed says so, and not in which folder it looked."""
    file = two.store / "evidence" / f"{two.a.ids['sha256']}.png"
    kept = file.read_bytes()
    file.write_bytes(kept + b"x")
    try:
        answer = two.ask("GET", f"/api/cases/{two.a.ids['case']}/pack", two.keys["inspector"])
    finally:
        file.write_bytes(kept)
    assert (
        answer.status_code == 422
        and str(two.store.parents[1]) not in answer.text
        and two.a.ids["sha256"] in answer.text
    )
