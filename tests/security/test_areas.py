"""An account of one county sees and acts on things of that county only, through every route there is (越权访问, IDOR)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from rivergis import settings
from rivergis.maps.collections import COLLECTIONS
from rivergis.web import scope
from rivergis.web.app import create_app
from tests.security.counties import SECRET, County, World
from tests.web.test_guard import doors

UNKNOWN = str(uuid.UUID(int=7))
# what stands for a thing in a path; every other name says which part or form of it is wanted
IDS = {
    "/api/boundary/drafts/{code}": "draft",
    "/boundary/drafts/{code}": "draft",
    "/maps/river/{code}": "river",
    "/api/rivers/{code}": "river",
    "/cards/river/{code}": "river",
    "{case_id}": "case",
    "{finding_id}": "case",
    "/cases/{name}": "case",
    "{track_id}": "track",
    "{evidence_id}": "evidence",
    "{number}": "question",
    "{ident}": "case",
}
# there is none in these counties: shared sources, higher lists, samples, campaigns, scenes, scans, base maps
NONE_HERE = (
    "/feeds/{code}",
    "/campaigns/{code}",
    "/superior-lists/{name}",
    "/look-backs/{sample}",
    "{entry_id}",
    "{scene}",
    "{base}",
    "/photos/",
)
QUERIES = {
    "/maps/coverage": "?from=2026-05-01&to=2026-05-31",
    "/maps/sweep": "?from=2026-05-01&to=2026-05-31",
    "/api/river/locate": "?at=106.205,29.4001",
    "/api/river/trace": "?direction=down&reach=RB-1&at_m=1",
    "/api/river/route": "?from=106.201,29.4&to=106.207,29.4",
    "/patrols": "?month=2026-05",
    "/maps/at.json": "?lon=106.205&lat=29.4002",
    "/search.json": "?q=河",
    "/maps/versions": "?before=2024-06-01&after=2026-06-01",
}


def kind_of(path: str) -> str | None:
    """Which thing of a county a path is about."""
    return next((kind for part, kind in IDS.items() if part in path), None)


def filled(path: str, ids: dict[str, str]) -> str:
    values = {
        "night": "2026-05-20", "month": "2026-05", "ending": "csv", "layers": "reach", "layer": "reach", "sha256": ids.get("sha256", "0" * 64), "collection": "finding",
        "seq": "1", "z": "0", "x": "0", "y": "0", "kind": "png",
    }  # fmt: skip
    kind = kind_of(path)
    return re.sub(r"\{(\w+)\}", lambda m: values.get(m[1]) or ids.get(kind or "", "x"), path)


def things(county: County) -> dict[str, str]:
    return county.ids | {"river": f"R{county.letter}"}


def gets(two: World) -> list[str]:
    found = {p for m, p in doors(two.client.app) if m == "GET"}  # type: ignore[arg-type]
    return sorted(
        p
        for p in found
        if not any(n in p for n in NONE_HERE) and not p.startswith(("/assets", "/sign-in", "/favicon", "/ogc"))
    )


def test_every_route_with_an_id_is_known_here(two: World) -> None:
    """A new route that names a thing has to be put beside the others before it can be used."""
    strange = [
        p
        for p in gets(two)
        if "{" in p and kind_of(p) is None and not re.search(r"\{(night|month|ending|layers?)\}", p)
    ]
    assert strange == []


def test_what_is_of_another_county_is_not_there(two: World) -> None:
    """404 as for what nobody knows, and the same sentence; whose it is sees it."""
    wrong: list[Any] = []
    nobody = dict.fromkeys(things(two.b), UNKNOWN) | {"river": "R-UNKNOWN", "draft": "D-UNKNOWN", "sha256": "0" * 64}
    for path in (p for p in gets(two) if kind_of(p)):
        role = "reviewer" if "pack" in path else "inspector"
        own, foreign, unknown = (
            two.ask("GET", filled(path, ids), two.a.keys[role]) for ids in (things(two.a), things(two.b), nobody)
        )
        said = [re.sub(r"[0-9a-f-]{36}|[RD][AB]\b|[RD]-UNKNOWN|[0-9a-f]{64}", "#", r.text) for r in (foreign, unknown)]
        if (
            own.status_code not in (200, 303)
            or foreign.status_code != 404
            or unknown.status_code != 404
            or said[0] != said[1]
        ):
            wrong.append(
                (path, own.status_code, foreign.status_code, unknown.status_code, said[0][:120], said[1][:120])
            )
    assert wrong == []


def test_no_list_and_no_page_names_what_is_of_another_county(two: World) -> None:
    told = []
    marks = [SECRET, *(i for i in two.b.ids.values() if len(i) > 8)]
    for path in gets(two):
        role = "reviewer" if "questions" in path else "inspector"
        query = QUERIES.get(path, "")
        answer = two.ask(
            "GET",
            filled(path, things(two.a)) + query,
            two.a.keys[role],
            "*/*" if "api" in path or "." in path else "text/html",
        )
        assert answer.status_code < 500, (path, answer.text[-300:])
        leaks = [m for m in marks if m in answer.text]
        if leaks:
            told.append((path, leaks))
    assert told == []


def test_whoever_is_held_to_no_area_sees_both(two: World) -> None:
    for path in ("/cases", "/boundary", "/patrols", "/api/cases", "/maps/night/2026-05-20"):
        answer = two.ask(
            "GET", path + QUERIES.get(path, ""), two.keys["inspector"], "text/html" if "api" not in path else "*/*"
        )
        assert SECRET in answer.text and "甲" in answer.text, path


def bodies(two: World, ids: dict[str, str]) -> dict[str, Any]:
    line = {"type": "LineString", "coordinates": [[106.2, 29.4011], [106.21, 29.4011]]}
    return {
        "/moves": {"move": "withdraw", "reason": "x", "last_event": 1},
        "/changes": {"base_revision": 1, "reason": "x", "edits": []},
        "/places": {"geometry": line},
        "/preview": {"edits": []},
        "/observations": [{"at": "2026-05-20T01:00:00Z", "kind": "x", "text": "x", "lon": 106.2, "lat": 29.4}],
        "/reply": {"text": "x"},
        "/decide": {"move": "confirmed", "reason": "x"},
    }


def test_nothing_is_done_to_what_is_of_another_county(two: World) -> None:
    """Every route that changes something and names a thing in its path."""
    wrong = []
    for method, path in sorted(doors(two.client.app)):  # type: ignore[arg-type]
        if method != "POST" or kind_of(path) is None or any(n in path for n in NONE_HERE):
            continue
        body = next((b for part, b in bodies(two, two.b.ids).items() if path.endswith(part)), None)
        for role in ("inspector", "planner", "reviewer", "duty_person"):
            answer = two.ask(method, filled(path, things(two.b)), two.a.keys[role], json=body)
            if answer.status_code not in (403, 404) or (answer.status_code == 403 and "没有权限" not in answer.text):
                wrong.append((path, role, answer.status_code, answer.text[:200]))
    assert wrong == []
    with two.db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM data.finding_event")).scalar() == 2
        assert conn.execute(text("SELECT count(*) FROM data.observation")).scalar() == 0
        assert conn.execute(text("SELECT count(*) FROM data.review_event WHERE move <> 'raised'")).scalar() == 0


def test_every_route_that_changes_something_says_how_it_is_kept_in_its_area(two: World) -> None:
    unsafe = {(m, p) for m, p in doors(two.client.app) if m not in ("GET", "HEAD", "OPTIONS")}  # type: ignore[arg-type]
    assert unsafe - set(scope.WRITES) == set()


def test_a_case_is_neither_opened_nor_merged_across_the_border(two: World) -> None:
    key = two.a.keys["inspector"]
    there = {
        "source": "巡河",
        "class_code": "building.obstacle",
        "lon": "106.205",
        "lat": "29.4002",
        "found_on": "2026-05-20",
    }
    assert two.ask("POST", "/api/cases", key, json=there).status_code == 403
    merge = {"move": "merge", "reason": "x", "detail": {}, "into": two.b.ids["case"], "last_event": 1}
    assert two.ask("POST", f"/api/cases/{two.a.ids['case']}/moves", key, json=merge).status_code == 404
    here = two.ask("POST", "/api/cases", key, json=there | {"lon": "106.005"})
    assert here.status_code == 201, here.text


def test_drafts_are_drawn_inside_and_opened_on_own_rivers(two: World) -> None:
    key = two.a.keys["planner"]
    foreign = {"code": "DA2", "title": "x", "rivers": ["RB"]}
    assert two.ask("POST", "/api/boundary/drafts", key, json=foreign).status_code == 404
    made = two.ask("POST", "/api/boundary/drafts", key, json=foreign | {"rivers": ["RA"]})
    assert made.status_code == 201, made.text
    with two.db.read() as conn:
        assert conn.execute(text("SELECT adcode FROM data.boundary_draft WHERE code = 'DA2'")).scalar() == "500199"
    line = {"type": "LineString", "coordinates": [[106.2, 29.4011], [106.21, 29.4011]]}
    fields = {"river_code": "RA", "bank": "left", "basis": "draft", "drawn_by": "hand"}
    edit = {"base_revision": 1, "reason": "x", "edits": [{"op": "put", "fields": fields, "geometry": line}]}
    assert two.ask("POST", "/api/boundary/drafts/DA2/changes", key, json=edit).status_code == 403


def test_a_track_is_taken_only_for_a_chief_of_the_area(two: World) -> None:
    gpx = b'<gpx version="1.1"><trk><trkseg><trkpt lat="29.4" lon="106.0"><time>2026-05-21T01:00:00Z</time></trkpt></trkseg></trk></gpx>'
    for chief, status in (("HB", 404), ("", 404)):
        query = f"?filename=x.gpx&datum=wgs84{f'&chief={chief}' if chief else ''}"
        answer = two.ask("POST", f"/api/patrol/tracks{query}", two.a.keys["duty_person"], content=gpx,
                         headers={"Content-Type": "application/gpx+xml"})  # fmt: skip
        assert answer.status_code == status, answer.text


def test_what_concerns_every_unit_is_for_accounts_of_every_unit(two: World) -> None:
    key = two.a.keys["reviewer"]
    assert two.ask("POST", "/api/baseline/sign", key, json={"reason": "x", "number": 1}).status_code == 403
    assert two.ask("POST", "/api/superior-lists/x/close", key).status_code == 403
    draw = {"from": "2026-01-01", "to": "2026-12-31"}
    assert two.ask("POST", "/api/look-backs", key, json=draw | {"district": "500198"}).status_code == 404


@pytest.mark.parametrize("collection", sorted(COLLECTIONS))
def test_tiles_and_items_hold_nothing_of_another_county(two: World, collection: str) -> None:
    key = two.a.keys["inspector" if collection != "boundary_draft_line" else "planner"]
    whole = two.keys["inspector" if collection != "boundary_draft_line" else "planner"]
    for path in (
        f"/ogc/collections/{collection}/items?limit=1000",
        f"/tiles/{collection}/0/0/0.mvt",
        f"/tiles/{collection}/14/13022/6815.mvt",
    ):
        mine, all_ = two.ask("GET", path, key), two.ask("GET", path, whole)
        if all_.status_code in (404, 405) and "ogc" in path:
            continue
        assert mine.status_code in (200, 204), (path, mine.text[:200])
        assert SECRET.encode() not in mine.content and not any(
            v.encode() in mine.content for v in two.b.ids.values() if len(v) > 8
        ), path


# ---- strangers ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def public(two: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    env = {"RIVERGIS_DATA_DIR": str(tmp_path_factory.mktemp("public")), "RIVERGIS_PUBLIC": "渝S(2026)001号"}
    with TestClient(create_app(two.db, settings.load(env)), follow_redirects=False) as client:
        yield client


HIDDEN = ("intake", "outfall", "candidate", "permit", "finding", "report", "imagery", "patrol_area", "patrol_track", "patrol_fix", "patrol_leg",
          "coverage", "boundary_draft_line", "levee", "bank_line")  # fmt: skip
SHOWN_TO_ALL = (
    "/health",
    "/connect",
    "/ogc",
    "/tiles",
    "/maps/style",
    "/maps/public",
    "/basemap",
    "/search.json",
    "/maps/at.json",
    "/maps/thing",
)


def test_strangers_see_nothing_but_what_is_public(two: World, public: TestClient) -> None:
    told = []
    for path in (p for p in gets(two) if kind_of(p) or p not in SHOWN_TO_ALL):
        answer = public.get(filled(path, things(two.a)) + QUERIES.get(path, ""), headers={"Accept": "application/json"})
        private = [
            w
            for w in ("河长", "棚房", "取水口", "疑似物", "草案", "排污口", *two.a.ids.values())
            if len(w) > 1 and f"甲{w}" in answer.text
        ]
        if private or (answer.status_code == 200 and not path.startswith(SHOWN_TO_ALL) and path != "/"):
            told.append((path, answer.status_code, private))
    assert told == []


@pytest.mark.parametrize("collection", HIDDEN)
def test_what_is_not_public_is_in_no_tile_and_no_page_of_features(
    two: World, public: TestClient, collection: str
) -> None:
    assert COLLECTIONS[collection].public == ()
    for path in (
        f"/ogc/collections/{collection}/items",
        f"/ogc/collections/{collection}",
        f"/tiles/{collection}/14/13016/6815.mvt",
        f"/tiles/{collection}.json",
    ):
        answer = public.get(path)
        assert answer.status_code in (401, 403, 404) and "甲" not in answer.text, (path, answer.status_code)


def test_public_features_have_the_columns_of_the_list_and_no_others(two: World, public: TestClient) -> None:
    for name in ("river", "reach", "boundary_line", "admin_unit"):
        answer = public.get(f"/ogc/collections/{name}/items?limit=10")
        assert answer.status_code == 200 and answer.json()["features"], (name, answer.text[:200])
        for feature in answer.json()["features"]:
            assert set(feature["properties"]) <= set(COLLECTIONS[name].public), name


def test_without_the_number_strangers_see_nothing_at_all(two: World) -> None:
    for path in ("/ogc/collections/river/items", "/tiles/reach/0/0/0.mvt", "/maps/county", "/ogc"):
        assert two.ask("GET", path, None).status_code == 401, path


def test_strangers_write_nothing(two: World, public: TestClient) -> None:
    for method, path in sorted(doors(two.client.app)):  # type: ignore[arg-type]
        if method in ("POST", "PUT", "PATCH", "DELETE") and path != "/sign-in":
            assert public.request(method, filled(path, things(two.a))).status_code in (401, 403, 405), (method, path)
