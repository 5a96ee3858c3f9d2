"""Drafts of boundary lines over HTTP: opened, drawn on by two, previewed, moved to the law; every refusal one sentence."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
import shapely
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis import lifecycle
from rivergis.boundary.law import draft_workflow
from rivergis.boundary.law.edit import Edit
from rivergis.db import people
from tests.web.conftest import DIRTY, MAKER, PASSWORD, Service

NAMES = (f"草案{n}" for n in count(1))
NORTH, LEFT, RIGHT = 29.4012, 29.401, 29.399
TODAY = date.today()


def along(lat: float, *more: tuple[float, float]) -> dict[str, Any]:
    """A line along the river, through more places."""
    return {"type": "LineString", "coordinates": [[106.0, lat], *([*p] for p in more), [106.01, lat]]}


@dataclass
class Desk:
    """Programs with a key at the API of one draft."""

    service: Service
    code: str

    def ask(self, path: str, role: str = "planner") -> Any:
        return self.service.get(f"/api/boundary/drafts/{self.code}{path}", role)

    def post(self, path: str, said: Any, role: str = "planner", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.service.keys[role]}"}
        headers |= {"Content-Type": "application/json"} if "content" in more else {}
        body = more or {"json": said}
        return self.service.client.post(f"/api/boundary/drafts/{self.code}{path}", headers=headers, **body)

    def segments(self, query: str = "") -> dict[str, Any]:
        answer = self.ask(f"/segments{query}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/geo+json"
        return dict(answer.json())

    def of(self, bank: str) -> dict[str, Any]:
        return next(f for f in self.segments()["features"] if f["properties"]["bank"] == bank)

    def save(self, base: int, *edits: dict[str, Any], role: str = "planner") -> Any:
        return self.post("/changes", {"base_revision": base, "edits": list(edits), "reason": "现场复核"}, role)

    def move(self, move: str, role: str, **said: Any) -> Any:
        return self.post("/moves", {"move": move, "reason": "按程序", **said}, role)


def put(feature: dict[str, Any], geometry: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"segment_id": feature["id"], "op": "put", "fields": fields, "geometry": geometry}


@pytest.fixture
def desk(service: Service) -> Desk:
    """A draft of its own on the lines in force."""
    service.client.cookies.clear()
    code = next(NAMES)
    headers = {"Authorization": f"Bearer {service.keys['planner']}"}
    said = {"code": code, "title": "清溪划界调整", "rivers": ["R1"]}
    answer = service.client.post("/api/boundary/drafts", headers=headers, json=said)
    assert answer.status_code == 201, answer.text
    assert answer.json()["segments"] == 2
    again = service.client.post("/api/boundary/drafts", headers=headers, json=said)
    assert again.status_code == 409 and "already" in again.json()["message"]
    return Desk(service, code)


def test_a_draft_opens_on_the_lines_in_force(desk: Desk) -> None:
    told = desk.segments()
    assert (told["revision"], told["state"]) == (1, "draft")
    assert "内部草稿·非测绘成果" in told["stamp"]
    assert {f["properties"]["basis"] for f in told["features"]} == {"announced"}
    listed = next(d for d in desk.service.get("/api/boundary/drafts").json() if d["code"] == desk.code)
    assert (listed["opened_by"], listed["segments"]) == ("the-planner", 2)
    known = desk.service.get(f"/api/boundary/drafts?known={TODAY - timedelta(days=2)}").json()
    assert desk.code not in {d["code"] for d in known}
    assert [m["move"] for m in desk.ask("", "viewer").json()["allowed"]] == []
    assert [m["move"] for m in desk.ask("").json()["allowed"]] == ["submit", "withdraw"]


def test_what_goes_out_comes_in_unchanged(desk: Desk) -> None:
    told = desk.segments()["features"]
    same = [put(f, f["geometry"], **{k: v for k, v in f["properties"].items() if k != "revision"}) for f in told]
    answer = desk.save(1, *same)
    assert answer.status_code == 201 and answer.json()["revision"] == 1  # nothing to write
    assert desk.segments()["features"] == told


def test_a_save_whose_answer_was_lost_is_sent_again(desk: Desk) -> None:
    new = {
        "segment_id": str(uuid.uuid4()),
        "op": "put",
        "fields": {"river_code": "R1", "bank": "left"},
        "geometry": along(29.4013),
    }
    assert desk.save(1, new).json()["revision"] == 2
    assert desk.save(1, new).json()["revision"] == 2
    assert len(desk.segments()["features"]) == 3
    assert desk.save(2, {"segment_id": new["segment_id"], "op": "remove"}).json()["removed"] == 1
    assert len(desk.segments()["features"]) == 2 and len(desk.segments("?revision=2")["features"]) == 3
    assert desk.ask("/segments?revision=99").status_code == 404


def test_two_planners_merge_or_see_both_shapes(desk: Desk) -> None:
    left, right = desk.of("left"), desk.of("right")
    assert desk.save(1, put(left, along(NORTH))).json()["revision"] == 2
    merged = desk.save(1, put(right, attributes={"note": "对岸"}))
    assert merged.json() | {"merged": True, "revision": 3} == merged.json()
    refused = desk.save(1, put(left, along(29.4015)))
    told = refused.json()
    assert refused.status_code == 409 and told["error"] == "conflict" and told["revision"] == 3
    (clash,) = told["segments"]
    assert clash["because"] == "both_changed"
    assert clash["mine"]["geometry"] == along(29.4015) and clash["theirs"]["geometry"] == along(NORTH)
    assert desk.of("left")["geometry"] == along(NORTH)
    assert [c["revision"] for c in desk.ask("").json()["changes"]] == [3, 2, 1]


def test_a_line_is_placed_on_its_river(desk: Desk) -> None:
    drawn = {"type": "LineString", "coordinates": [[106.008, LEFT], [106.002, 29.4011]]}
    told = desk.post("/places", {"geometry": drawn}).json()
    assert (told["river_code"], told["reach_code"], told["bank"], told["upstream"]) == ("R1", "R1-1", "left", True)
    assert told["from_m"] == pytest.approx(194, abs=1) and told["to_m"] == pytest.approx(776, abs=1)
    nowhere = desk.post("/places", {"geometry": drawn, "river_code": "R9"})
    assert nowhere.status_code == 422 and "R9" in nowhere.json()["message"]


def test_the_ground_is_exact_where_lines_catch(desk: Desk) -> None:
    layers = {layer["id"]: layer for layer in desk.ask("/ground").json()["layers"]}
    assert {f["g"]["coordinates"][0][1] for f in layers["boundary_line"]["features"]} == {LEFT, RIGHT}
    assert layers["reach"]["features"][0]["g"]["coordinates"] == [[106.0, 29.4], [106.01, 29.4]]
    assert "popup" not in layers["admin_unit"]["features"][0] and not layers["boundary_line"]["unplaced"]


def test_defects_have_places_or_it_is_said_that_none_were_looked_for(desk: Desk) -> None:
    told = desk.ask("/defects").json()
    assert told["examined"] or told["not_checked"]
    assert all(d["severity"] in ("blocks", "advises") and d["name"]["zh"] for d in told["defects"])


def test_the_preview_is_of_what_nobody_saved(desk: Desk) -> None:
    inwards = along(LEFT, (106.004, 29.4006), (106.006, 29.4006))
    answer = desk.post("/preview", {"edits": [put(desk.of("left"), inwards)]})
    told = answer.json()
    assert answer.status_code == 200, answer.text
    (river,) = told["rivers"]
    assert river["new_m2"] == pytest.approx(river["old_m2"] + river["entering_m2"] - river["leaving_m2"], abs=1)
    (reduction,) = told["reductions"]
    assert reduction["m2"] == pytest.approx(river["leaving_m2"], abs=1) and reduction["bank"] == "left"
    assert desk.segments()["revision"] == 1
    unchanged = desk.post("/preview", {"edits": []}).json()
    assert unchanged["reductions"] == [] and unchanged["total"]["leaving_m2"] == 0


def test_from_a_draft_to_the_law(desk: Desk) -> None:
    """Submitted with the reason of the reduction, countersigned, announced with its file; and every day as it was."""
    assert desk.save(1, put(desk.of("left"), along(LEFT, (106.004, 29.4006), (106.006, 29.4006)))).status_code == 201
    bare = desk.move("submit", "planner")
    assert bare.status_code == 422 and "reason" in bare.json()["message"]
    (reduction,) = desk.ask("/reductions").json()
    stale = desk.move("submit", "planner", revision=1, reasons={"1": "堤防改线"})
    assert stale.status_code == 409
    submitted = desk.move("submit", "planner", revision=2, reasons={"1": "堤防改线"}).json()
    assert submitted["state"] == "submitted" and submitted["reductions"][0]["reason"] == "堤防改线"
    assert reduction["area_m2"] == submitted["reductions"][0]["area_m2"]
    assert desk.save(2, put(desk.of("left"), along(NORTH))).status_code == 409  # not edited any more
    assert desk.move("review", "planner").status_code == 403
    assert desk.move("review", "reviewer").status_code == 422  # the table is not countersigned
    assert desk.move("review", "reviewer", countersign=submitted["table_sha256"][:10]).json()["state"] == "reviewed"
    no_file = desk.move("announce", "reviewer", government="试验县人民政府")
    assert no_file.status_code == 422 and "公告文件" in no_file.json()["message"]
    said = {
        "move": "announce", "reason": "政府公告", "government": "试验县人民政府", "document_no": f"试府告〔2026〕{desk.code}", "publisher": "县水利局",
        "announced_on": str(TODAY), "in_force_from": str(TODAY + timedelta(days=30)),
    }  # fmt: skip
    paper = {"attachment": ("公告.pdf", b"%PDF-1.4 the announcement", "application/pdf")}
    announced = desk.post("/moves", None, "reviewer", data=said, files=paper)
    assert announced.status_code == 201, announced.text
    made = announced.json()
    assert made["versions"] == [desk.code] and made["replaces"]
    for days, standing in ((0, "announced"), (30, "in_force")):
        on = TODAY + timedelta(days=days)
        found = desk.service.get(f"/api/boundary/versions?on={on}").json()["versions"]
        assert {v["code"]: v["standing"] for v in found}[desk.code] == standing
    before = desk.service.get(f"/api/boundary/versions?known_at={TODAY - timedelta(days=1)}").json()["versions"]
    assert desk.code not in {v["code"] for v in before}
    assert [e["move"] for e in desk.ask("").json()["events"]] == ["submit", "review", "announce"]
    page = desk.service.page("/boundary")
    assert "堤防改线" in page and desk.code in page


TWICE = {"op": "remove", "segment_id": str(uuid.uuid4())}
WRONG = [
    ("/changes", {"edits": [], "reason": "x"}, "base_revision"),
    ("/changes", {"base_revision": 1, "edits": [], "reason": " "}, "reason"),
    ("/changes", {"base_revision": True, "edits": [], "reason": "x"}, "base_revision"),
    ("/changes", {"base_revision": 1, "edits": {}, "reason": "x"}, "edits"),
    ("/changes", {"base_revision": 1, "edits": [{"op": "paint"}], "reason": "x"}, "edits[0]"),
    (
        "/changes",
        {"base_revision": 1, "edits": [{"op": "put", "fields": {"state": "announced"}}], "reason": "x"},
        "state",
    ),
    ("/changes", {"base_revision": 1, "edits": [{"op": "put", "fields": {"from_m": "x"}}], "reason": "x"}, "from_m"),
    ("/changes", {"base_revision": 1, "edits": [{"op": "put", "segment_id": "x"}], "reason": "x"}, "segment_id"),
    ("/changes", {"base_revision": 1, "edits": [{"op": "put", "geometry": along(99.0)}], "reason": "x"}, "degrees"),
    ("/changes", {"base_revision": 7, "edits": [], "reason": "x"}, "revision 7"),
    (
        "/changes",
        {"base_revision": 1, "edits": [{"op": "put", "fields": {"from_m": 9, "to_m": 1}}], "reason": "x"},
        "upstream",
    ),
    (
        "/changes",
        {"base_revision": 1, "edits": [{"op": "put", "fields": {"hand_edited": "perhaps"}}], "reason": "x"},
        "hand_edited",
    ),
    (
        "/changes",
        {"base_revision": 1, "edits": [{"op": "put", "fields": {"attributes": {"note": [1e999]}}}], "reason": "x"},
        "attributes",
    ),
    ("/changes", {"base_revision": 1, "edits": [TWICE, TWICE], "reason": "x"}, "twice"),
    ("/places", {"geometry": along(29.4), "river_code": ["R1"]}, "river_code"),
    ("/places", {"geometry": {"type": "Point", "coordinates": [1, 2]}}, "LineString"),
    ("/preview", [1], "object"),
    ("/moves", {"move": "crown", "reason": "x"}, "crown"),
    ("/moves", {"move": "submit"}, "原因"),
]


@pytest.mark.parametrize(("path", "said", "named"), WRONG)
def test_what_cannot_be_is_one_sentence(desk: Desk, path: str, said: Any, named: str) -> None:
    answer = desk.post(path, None, content=json.dumps(said).encode())
    assert answer.status_code == 422, answer.text
    assert named in answer.json()["message"] and "Traceback" not in answer.text


_json = st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(), lambda t: st.lists(t, max_size=3) | st.dictionaries(st.sampled_from(["op", "segment_id", "fields", "geometry", "type", "coordinates", "from_m", "attributes"]), t, max_size=4), max_leaves=12)  # fmt: skip


@given(_json)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_edit_however_strange_is_a_fault_of_ours(service: Service, said: Any) -> None:
    draft = Desk(service, service.get("/api/boundary/drafts").json()[0]["code"])
    body = json.dumps({"base_revision": 1, "edits": [said], "reason": "x"})
    answer = draft.post("/changes", None, content=body.encode("utf-8", "surrogatepass"))
    assert answer.status_code in (409, 422), answer.text


@pytest.mark.parametrize("role", ["viewer", "inspector", "reviewer", "system_admin"])
def test_who_may_not_draft_does_not(desk: Desk, role: str) -> None:
    refused = desk.save(1, put(desk.of("left"), along(NORTH)), role=role)
    assert refused.status_code == 403
    assert desk.ask("/segments", role).status_code == (403 if role == "system_admin" else 200)
    assert desk.service.client.get(f"/api/boundary/drafts/{desk.code}").status_code == 401


def test_another_site_saves_nothing(desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {desk.service.keys['planner']}", "Origin": "https://elsewhere.example"}
    body = {"base_revision": 1, "edits": [{"segment_id": desk.of("left")["id"], "op": "remove"}], "reason": "x"}
    answer = desk.service.client.post(f"/api/boundary/drafts/{desk.code}/changes", headers=headers, json=body)
    assert answer.status_code == 403 and len(desk.segments()["features"]) == 2


def test_the_api_is_described(service: Service) -> None:
    paths = service.get("/openapi.json").json()["paths"]
    mine = {p: m for p, m in paths.items() if p.startswith("/api/boundary/")}
    assert len(mine) == 11
    for path, methods in mine.items():
        for method, said in methods.items():
            assert said["description"] or said["summary"], path
            if method == "post":
                assert said["requestBody"]["content"]["application/json"]["schema"], path


def test_a_draft_outside_the_office_is_not_found(service: Service) -> None:
    answer = service.get("/api/boundary/drafts/nothing")
    assert answer.status_code == 404 and "nothing" in answer.json()["message"]
    assert lifecycle.DRAFT_MARK in service.page("/boundary")


# ---- pages without scripts ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def office(service: Service) -> Any:
    """A planner and a reviewer with browsers that run no scripts."""
    with service.db.write(MAKER) as conn:
        for name, role in (("zhou", "planner"), ("qian", "reviewer")):
            people.add_user(conn, name, name, password=PASSWORD)
            people.grant(conn, name, role)

    def browser(name: str) -> TestClient:
        client = TestClient(service.client.app, follow_redirects=False)
        assert client.post("/sign-in", data={"name": name, "password": PASSWORD}).status_code == 303
        client.headers.update({"accept": "text/html", "origin": "http://testserver"})
        return client

    return browser


def test_a_draft_goes_its_way_by_forms_alone(service: Service, office: Any) -> None:
    zhou, qian = office("zhou"), office("qian")
    code = next(NAMES)
    opened = zhou.post(
        "/boundary/drafts", data={"code": code, "title": "表单起草", "line_type": "management", "river": ["R1"]}
    )
    assert opened.status_code == 303
    where = opened.headers["location"]
    page = zhou.get(where)
    assert page.status_code == 200 and "内部草稿·非测绘成果" in page.text and "送审" in page.text
    policy = page.headers["content-security-policy"]
    assert "connect-src 'self'" in policy and "form-action 'self'" in policy and "unsafe" not in policy
    taken = zhou.post("/boundary/drafts", data={"code": code, "title": "又一份", "river": ["R1"]})
    assert taken.status_code == 409 and "又一份" in taken.text
    with service.db.read() as conn:
        row = draft_workflow.segments(conn, draft_workflow.get(conn, code)).query("bank == 'left'").iloc[0]
    inwards = shapely.LineString(along(LEFT, (106.004, 29.4006), (106.006, 29.4006))["coordinates"])
    draft_workflow.save(service.db, code, 1, [Edit("put", row["segment_id"], {}, inwards)], "zhou", reason="改线")

    def sends(who: TestClient, **said: str) -> Any:
        return who.post(
            f"{where}/moves", data={"revision": "2", "reason": "按程序", **said}, files={"attachment": ("", b"")}
        )

    asked = sends(zhou, move="submit")
    assert asked.status_code == 422 and 'name="reason-1"' in asked.text  # each reduction asks its reason
    assert sends(zhou, move="submit", **{"reason-1": "堤防改线"}).status_code == 303
    shown = qian.get(where).text
    assert "堤防改线" in shown and "countersign" in shown
    sha = shown.split('name="countersign" value="')[1].split('"')[0]
    assert sends(qian, move="review", countersign=sha).status_code == 303
    late = qian.post(
        f"{where}/moves", data={"move": "send_back", "reason": "x", "revision": "1"}, files={"attachment": ("", b"")}
    )
    assert late.status_code == 409  # made for another revision
    half = sends(qian, move="announce", government="试验县人民政府")
    assert half.status_code == 422 and "试验县人民政府" in half.text  # what was typed stands in the form again
    assert sends(qian, move="send_back").status_code == 303
    past = zhou.get(f"{where}?revision=1")
    assert "正在查看第 1 版" in past.text and zhou.get(f"{where}?revision=9").status_code == 404


def test_versions_of_another_day(service: Service, office: Any) -> None:
    zhou = office("zhou")
    assert "试府发〔2024〕1号" in zhou.get("/boundary?on=2026-05-01").text
    assert "试府发〔2024〕1号" not in zhou.get("/boundary?known=2020-01-01").text
    assert zhou.get("/boundary?on=May").status_code == 422
    assert zhou.get("/boundary?on=9999-12-31&known=9999-12-31").status_code == 200
    blank = zhou.post("/boundary/drafts", data={"code": next(NAMES), "title": "  ", "river": ["R1"]})
    assert blank.status_code == 422
    assert DIRTY not in zhou.get("/boundary").text
