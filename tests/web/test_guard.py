"""The door: every route asks who it is, each role sees its own and nothing else, other sites cannot push."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import text

from rivergis.db import access
from rivergis.web.auth import COOKIE, require
from tests.web.conftest import PASSWORD, ROLES, Service

OPEN = {
    ("GET", "/health"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/assets/style.css"),
    ("GET", "/favicon.ico"),
}


@pytest.fixture(autouse=True)
def stranger(service: Service) -> None:
    """Every test begins as a stranger."""
    service.client.cookies.clear()


def doors(app: FastAPI) -> set[tuple[str, str]]:
    """Every route of the service as (method, path)."""
    found = set()

    def walk(routes: list[object]) -> Iterator[APIRoute]:
        for route in routes:
            if isinstance(route, APIRoute):
                yield route
            inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
            if inner:
                yield from walk(inner)

    for route in walk(list(app.routes)):
        found |= {(method, route.path) for method in route.methods}
    return found


def filled(service: Service, path: str) -> str:
    values = {"code": "R1", "night": "2026-05-20", "track_id": service.track, "finding_id": service.finding}
    values |= {
        "evidence_id": service.evidence,
        "entry_id": service.evidence,
        "number": "1",
        "case_id": service.finding,
        "name": "R1",
        "sample": "0" * 8,
        "seq": "1",
        "month": "2026-05",
        "sha256": "0" * 64,
        "ending": "csv",
    }
    return re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], "1"), path)


def unguarded(app: FastAPI, service: Service) -> set[tuple[str, str]]:
    """Routes that answer a stranger with something else than 401."""
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False) as client:
        return {
            (method, path)
            for method, path in doors(app)
            if client.request(method, filled(service, path)).status_code != 401
        }


def test_every_route_asks_who_it_is(service: Service) -> None:
    app = service.client.app
    assert len(doors(app)) >= 14  # type: ignore[arg-type]
    assert unguarded(app, service) == OPEN  # type: ignore[arg-type]


def test_a_route_without_its_guard_would_be_seen(service: Service) -> None:
    app = FastAPI()
    app.state.db = service.db

    @app.get("/naked")
    def naked() -> str:
        return "all the leads"

    assert ("GET", "/naked") in unguarded(app, service)


def test_a_browser_is_shown_the_door_and_a_program_a_sentence(service: Service) -> None:
    page = service.client.get("/maps/county?on=2026-05-20", headers={"Accept": "text/html"})
    assert page.status_code == 303 and page.headers["location"] == "/sign-in?next=%2Fmaps%2Fcounty%3Fon%3D2026-05-20"
    program = service.client.get("/maps/county")
    assert program.status_code == 401 and program.json()["error"] == "not_signed_in"
    assert program.headers["www-authenticate"].endswith("Bearer")


BUSINESS = {"viewer", "inspector", "planner", "reviewer", "auditor"}
TRACKS = {"inspector", "reviewer", "auditor"}
MATRIX = [
    ("/", set(ROLES)),
    ("/docs", set(ROLES)),
    ("/openapi.json", set(ROLES)),
    ("/maps/county", BUSINESS),
    ("/maps/river/R1", BUSINESS),
    ("/maps/night/2026-05-20", BUSINESS),
    ("/reports/night/2026-05-20", BUSINESS),
    ("/findings/{finding_id}", BUSINESS),
    ("/findings/{finding_id}.json", BUSINESS),
    ("/evidence/{evidence_id}", BUSINESS),
    ("/maps/patrol/{track_id}", TRACKS),
    ("/patrols", TRACKS),
    ("/reports/patrols/2026-05", TRACKS),
    ("/maps/coverage?from=2026-05-01&to=2026-05-31", BUSINESS),
    ("/maps/sweep?from=2026-05-01&to=2026-05-31", BUSINESS),
]


@pytest.mark.parametrize(("path", "allowed"), MATRIX, ids=[m[0] for m in MATRIX])
def test_each_role_sees_its_own(service: Service, path: str, allowed: set[str]) -> None:
    answers = {role: service.get(filled(service, path), role) for role in ROLES}
    assert {role for role, a in answers.items() if a.status_code == 200} == allowed
    refused = [a for role, a in answers.items() if role not in allowed]
    assert all(a.status_code == 403 and a.json()["error"] == "not_permitted" for a in refused)


def test_the_portal_shows_administrators_no_business(service: Service) -> None:
    for role in ("system_admin", "security_officer"):
        page = service.page("/", role)
        assert "夜间核查" in page and "没有" in page
        assert not [w for w in ("清溪", "河道管理范围内", "王某", service.finding, service.track) if w in page]


def test_patrols_of_named_people_are_only_for_who_may_see_tracks(service: Service) -> None:
    assert "/maps/patrol/" in service.page("/", "inspector")
    for path in ("/", "/reports/night/2026-05-20"):
        assert service.track not in service.page(path, "viewer") and "村主任" not in service.page(path, "viewer")
    assert "村主任" in service.page("/reports/night/2026-05-20", "inspector")


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Bearer", "Basic bGlodWE6eA==", "rg_x"])
def test_a_bad_key_is_refused_even_with_a_good_cookie(service: Service, authorization: str) -> None:
    token = access.sign_in(service.db, "lihua", PASSWORD)
    headers = {"Authorization": authorization, "Cookie": f"{COOKIE}={token}"}
    assert service.client.get("/maps/county", headers=headers).status_code == 401
    assert service.client.get("/maps/county", headers={"Cookie": headers["Cookie"]}).status_code == 200


def sign_in(service: Service, password: str = PASSWORD, **form: str):  # type: ignore[no-untyped-def]
    return service.client.post(
        "/sign-in", data={"name": "lihua", "password": password, **form}, headers={"Accept": "text/html"}
    )


def test_signing_in_by_the_form(service: Service) -> None:
    done = sign_in(service, next="/maps/county?on=2026-05-20")
    assert done.status_code == 303 and done.headers["location"] == "/maps/county?on=2026-05-20"
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie
    service.client.cookies.clear()
    wrong = sign_in(service, "not the password")
    assert wrong.status_code == 401 and "用户名或密码不正确" in wrong.text and "not the password" not in wrong.text


def test_over_https_the_cookie_never_travels_in_the_open(service: Service) -> None:
    with TestClient(service.client.app, base_url="https://river.example", follow_redirects=False) as client:
        done = client.post("/sign-in", data={"name": "lihua", "password": PASSWORD})
    assert "Secure" in done.headers["set-cookie"]


def test_a_session_of_before_signing_in_is_worth_nothing(service: Service) -> None:
    planted = "planted-by-someone-else"
    done = service.client.post(
        "/sign-in",
        data={"name": "lihua", "password": PASSWORD},
        headers={"Cookie": f"{COOKIE}={planted}", "Origin": "http://testserver"},
    )
    assert done.status_code == 303 and planted not in done.headers["set-cookie"]
    service.client.cookies.clear()
    assert service.client.get("/", headers={"Cookie": f"{COOKIE}={planted}"}).status_code == 401


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y", ""]
)
def test_signing_in_never_leads_to_another_site(service: Service, target: str) -> None:
    assert sign_in(service, next=target).headers["location"] == "/"
    page = service.client.get("/sign-in", params={"next": target})
    assert 'name="next" value="/"' in page.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({}, 403),
        ({"Origin": "http://testserver"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
    ],
)
def test_another_site_cannot_act_for_a_signed_in_browser(
    service: Service, headers: dict[str, str], status: int
) -> None:
    token = access.sign_in(service.db, "lihua", PASSWORD)
    done = service.client.post("/sign-out", headers={**headers, "Cookie": f"{COOKIE}={token}"})
    assert done.status_code == status
    with service.db.read() as conn:
        assert (access.of_session(conn, token) is None) == (status == 303)


def test_another_site_cannot_sign_a_browser_in(service: Service) -> None:
    done = service.client.post(
        "/sign-in", data={"name": "lihua", "password": PASSWORD}, headers={"Origin": "https://evil.example"}
    )
    assert done.status_code == 403 and "set-cookie" not in done.headers


def test_rights_taken_away_end_at_the_next_request(service: Service) -> None:
    from rivergis.db import people

    token = access.sign_in(service.db, "lihua", PASSWORD)
    headers = {"Cookie": f"{COOKIE}={token}"}
    assert service.client.get("/maps/county", headers=headers).status_code == 200
    with service.db.write("local:test") as conn:
        people.revoke(conn, "lihua", "viewer")
    assert service.client.get("/maps/county", headers=headers).status_code == 403
    with service.db.write("local:test") as conn:
        people.grant(conn, "lihua", "viewer")


def test_every_view_of_a_track_is_in_the_audit(service: Service) -> None:
    query = text("SELECT count(*) FROM sys.audit WHERE action = 'view' AND actor = 'the-auditor' AND target = :t")

    def views() -> int:
        with service.db.read() as conn:
            return int(conn.execute(query, {"t": f"track:{service.track}"}).scalar_one())

    before = views()
    assert service.get(f"/maps/patrol/{service.track}", "auditor").status_code == 200
    assert service.get(f"/maps/patrol/{service.track}", "viewer").status_code == 403
    assert views() == before + 1


def test_guards_of_one_capability_are_one_dependency() -> None:
    assert require("view") is require("view") and require("view") is not require("view_tracks")
