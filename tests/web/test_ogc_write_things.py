"""Candidates and reports over the OGC API, collections that are not changed at all, and a service that takes no writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from rivergis.db.connect import Database
from rivergis.maps import collections
from rivergis.maps.ogc import written
from tests.web import write_ground
from tests.web.write_ground import BORDER, Api

DATA = "candidate"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def api(module_db: Database, folder: Path) -> Iterator[Api]:
    write_ground.ground(module_db)
    keys = write_ground.keys(module_db)
    with write_ground.service(module_db, folder) as client:
        yield Api(client, module_db, keys)


def patch(west: float = 106.003, south: float = 29.4005, size: float = 0.0002) -> dict[str, Any]:
    east, north = west + size, south + size
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


def feature(geometry: dict[str, Any] | None = None, **said: Any) -> dict[str, Any]:
    whole = {"kind": "building", "source_kind": "drone", **said}
    return {"type": "Feature", "properties": whole, "geometry": geometry or patch()}


def said(answer: Any, status: int, *words: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    told = dict(answer.json())
    assert all(w in told["message"] for w in words), told["message"]
    return told


def rows(api: Api, key: str) -> list[tuple[Any, ...]]:
    with api.db.read() as conn:
        found = conn.execute(
            text(
                "SELECT version, code_namespace, feed, name, kind, superseded_at IS NULL, actor FROM data.candidate WHERE id = CAST(:k AS uuid) ORDER BY version"
            ),
            {"k": key},
        )
        return [tuple(r) for r in found]


def test_a_candidate_lives_by_versions(api: Api) -> None:
    answer = api.make(DATA, feature(name="彩钢房", evidence={"after": "s1.tif"}), "inspector")
    key, path = answer.json()["id"], f"{DATA}/items/{answer.json()['id']}"
    assert answer.status_code == 201 and answer.headers["etag"] == '"1"' and answer.headers["location"].endswith(path)
    said(api.ask("PATCH", path, said={"properties": {"kind": "dump"}}), 428, "If-Match")
    done = api.ask("PATCH", path, said={"properties": {"kind": "dump"}}, If_Match='"1"')
    assert done.status_code == 200 and done.headers["etag"] == '"2"', done.text
    stale = said(api.ask("PUT", path, "inspector", feature(patch(106.004)), If_Match='"1"'), 412, "version 2")
    assert (
        stale["theirs"]["properties"]["kind"] == "dump" and stale["mine"]["geometry"]["coordinates"][0][0][0] == 106.004
    )
    whole = api.ask("PUT", path, "inspector", feature(patch(106.004)), If_Match='"2"')
    assert whole.status_code == 200 and whole.headers["etag"] == '"3"'
    gone = api.ask("DELETE", path, "inspector", If_Match='"3"')
    assert gone.status_code == 204
    said(api.ask("DELETE", path, "inspector", If_Match='"4"'), 404, key)
    assert rows(api, key) == [
        (1, "inspector", "api", "彩钢房", "building", False, "inspector"),
        (2, "inspector", "api", "彩钢房", "dump", False, "planner"),
        (3, "inspector", "api", None, "building", False, "inspector"),
        (4, "inspector", "api", None, "building", True, "inspector"),
    ]


def test_the_same_candidate_again_is_known(api: Api) -> None:
    one, two = (api.make(DATA, feature(patch(106.005), code="K1")) for _ in range(2))
    assert (one.status_code, two.status_code) == (201, 200)
    assert one.json()["id"] == two.json()["id"] and two.headers["etag"] == '"1"'
    said(api.make(DATA, feature(patch(106.006), code="K1")), 409, "K1")
    assert api.make(DATA, feature(patch(106.006), code="K1"), "inspector").status_code == 201


def test_what_gdal_read_comes_back(api: Api) -> None:
    """GDAL reads an object as text, and its writer sends the columns that may not be changed as well."""
    one = api.make(DATA, feature(evidence={"photo": "a.jpg"}, seen_at="2026-05-20T08:00:00+08:00"))
    path = f"{DATA}/items/{one.json()['id']}"
    back = feature(
        evidence='{"photo": "a.jpg"}',
        seen_at="2026-05-20T00:00:00Z",
        version=1,
        id=one.json()["id"],
        code=one.json()["code"],
    )
    same = api.ask("PUT", path, said=back)
    assert (same.status_code, same.headers["etag"]) == (200, '"1"'), same.text
    assert len(rows(api, one.json()["id"])) == 1


def test_strange_candidates_are_refused(api: Api) -> None:
    said(api.make(DATA, feature(kind="spaceship")), 422, "spaceship")
    said(api.make(DATA, {"type": "Feature", "properties": {"kind": "dump"}, "geometry": patch()}), 422, "source_kind")
    said(api.make(DATA, feature(feed="inspector")), 422, "report")
    said(
        api.make(DATA, feature({"type": "LineString", "coordinates": [[106, 29.4], [106.1, 29.4]]})), 422, "LineString"
    )
    said(api.make(DATA, {"type": "FeatureCollection", "features": []}), 422, "Feature")
    said(api.make(DATA, feature(accuracy_m="near")), 422, "accuracy_m")
    said(api.make(DATA, feature(name="x" * 5000)), 422, "name")
    form = api.client.post(
        f"/ogc/collections/{DATA}/items", data={"a": "b"}, headers={"Authorization": f"Bearer {api.keys['planner']}"}
    )
    said(form, 415, "geo+json")
    broken = api.client.post(
        f"/ogc/collections/{DATA}/items",
        content=b'{"type": NaN',
        headers={"Authorization": f"Bearer {api.keys['planner']}"},
    )
    said(broken, 422, "JSON")


def test_who_is_held_to_an_area_writes_there_only(api: Api) -> None:
    inside = api.make(DATA, feature(patch(106.007)), "west")
    assert inside.status_code == 201, inside.text
    path = f"{DATA}/items/{inside.json()['id']}"
    said(api.make(DATA, feature(patch(BORDER + 0.002)), "west"), 403, "500199")
    said(api.ask("PATCH", path, "west", {"geometry": patch(BORDER + 0.002)}, If_Match='"1"'), 403, "500199")
    for method, body in (
        ("PATCH", {"properties": {"kind": "dump"}}),
        ("PUT", feature(patch(BORDER + 0.002))),
        ("DELETE", None),
    ):
        assert api.ask(method, path, "east", body, If_Match='"1"').status_code in (403, 404)
    assert len(rows(api, inside.json()["id"])) == 1
    moved = api.ask("PATCH", path, "west", {"geometry": patch(106.0075)}, If_Match='"1"')
    assert moved.status_code == 200, moved.text


def test_a_report_is_made_and_stays(api: Api) -> None:
    place = {"type": "Point", "coordinates": [106.004, 29.4004]}
    heap = {"type": "Feature", "properties": {"kind": "乱堆", "accuracy_m": 6, "note": "新堆土"}, "geometry": place}
    answer = api.make("report", heap, "inspector")
    if answer.status_code == 422:  # the word is none of this place's taxonomy
        heap["properties"]["kind"] = "dump"
        answer = api.make("report", heap, "inspector")
    assert answer.status_code == 201, answer.text
    again = api.make("report", heap, "inspector")
    assert again.status_code == 200 and again.json()["id"] == answer.json()["id"]
    path = f"report/items/{answer.json()['id']}"
    for method in ("PUT", "PATCH", "DELETE"):
        refused = api.ask(method, path, "inspector", heap, If_Match='"1"')
        said(refused, 405, "nothing_found")
        assert refused.headers["allow"] == "GET, HEAD, OPTIONS"
    with api.db.read() as conn:
        row = conn.execute(text("SELECT kind, actor, note, candidate_id IS NOT NULL FROM data.report")).one()
    assert tuple(row) == ("dump", "inspector", "新堆土", True)
    nothing = {**heap, "properties": {"kind": "nothing_found", "at": "2026-05-20T08:00:00+08:00"}}
    looked = api.make("report", nothing, "inspector")
    assert looked.status_code == 201 and looked.json()["candidate"] is None
    for wrong in (
        {"kind": "生日"},
        {"kind": "dump", "at": "2999-01-01T00:00:00Z"},
        {"kind": "dump", "accuracy_m": -1},
        {"kind": "dump", "at": "?"},
    ):
        assert api.make("report", {**heap, "properties": wrong}, "inspector").status_code == 422
    assert api.make("report", {**heap, "geometry": patch()}, "inspector").status_code == 422
    assert api.make("report", heap, "planner").status_code == 403
    east = {**heap, "geometry": {"type": "Point", "coordinates": [BORDER + 0.002, 29.4004]}}
    said(api.make("report", east, "inspector-west"), 403, "500199")


def test_other_collections_are_not_changed(api: Api) -> None:
    body = feature()
    for name in collections.COLLECTIONS:
        if name in written.WRITTEN:
            continue
        for method, path in (
            ("POST", f"{name}/items"),
            ("PUT", f"{name}/items/1"),
            ("PATCH", f"{name}/items/1"),
            ("DELETE", f"{name}/items/1"),
        ):
            answer = api.ask(method, path, "inspector", body, If_Match='"1"')
            assert answer.status_code in (403, 405), f"{method} {path}: {answer.text}"
            if answer.status_code == 405:
                assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    said(api.make("nowhere", body), 404, "nowhere")


def test_the_browser_of_another_site_changes_nothing(api: Api) -> None:
    password = write_ground.person_with_password(api.db, "web-planner", "planner")
    signed = api.client.post(
        "/sign-in", data={"name": "web-planner", "password": password}, headers={"Accept": "application/json"}
    )
    assert signed.status_code == 303, signed.text
    try:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
            answer = api.client.post(
                f"/ogc/collections/{DATA}/items", json=feature(), headers={"Accept": "application/json", **headers}
            )
            assert answer.status_code == 403, answer.text
        own = api.client.post(
            f"/ogc/collections/{DATA}/items",
            json=feature(patch(106.0021)),
            headers={"Origin": "http://testserver", "Accept": "application/json"},
        )
        assert own.status_code == 201, own.text
    finally:
        api.client.cookies.clear()


def test_writes_are_off_unless_they_are_switched_on(api: Api, folder: Path) -> None:
    with write_ground.service(api.db, folder, RIVERGIS_WRITES="off") as client:
        shut = Api(client, api.db, api.keys)
        for method, path in (
            ("POST", "candidate/items"),
            ("DELETE", "candidate/items/1"),
            ("PATCH", "boundary_draft_line/items/1"),
        ):
            answer = shut.ask(method, path, said=feature(), If_Match='"1"')
            said(answer, 405, "RIVERGIS_WRITES=on")
            assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
        assert shut.ask("OPTIONS", "candidate/items").headers["allow"] == "GET, HEAD, OPTIONS"


def test_schema_tells_what_may_be_sent() -> None:
    for name in written.WRITTEN:
        told, required = written.properties(name)
        assert set(required) <= set(told) and all(v["title"] for v in told.values())
    kinds = written.properties("candidate")[0]
    assert kinds["seen_at"]["format"] == "date-time" and "dump" in kinds["kind"]["enum"]
