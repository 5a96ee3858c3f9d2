"""Lines of drafts over the OGC API: drawn, redrawn, changed, taken out; two at once; every refusal one sentence."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from itertools import count
from typing import Any

import pyproj
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rivergis.boundary.law import draft_workflow, move_workflow
from rivergis.boundary.law.reduction_workflow import Limits
from rivergis.db.connect import Database
from rivergis.rules import path_of
from tests.web import write_ground
from tests.web.write_ground import BOOK, BORDER, WEST, Api

LINES = "boundary_draft_line"
NAMES = (f"草案{n}" for n in count(1))
NORTH = 29.4012


@pytest.fixture(scope="module")
def api(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    write_ground.ground(module_db)
    keys = write_ground.keys(module_db)
    with write_ground.service(module_db, tmp_path_factory.mktemp("data")) as client:
        yield Api(client, module_db, keys)


@pytest.fixture
def code(api: Api) -> str:
    """A draft of its own."""
    name = next(NAMES)
    write_ground.draft(api.db, name)
    return name


def line(lat: float = NORTH, west: float = 106.002, east: float = 106.004) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [[west, lat], [east, lat]]}


def feature(draft: str, geometry: dict[str, Any] | None = None, **said: Any) -> dict[str, Any]:
    whole = {"draft_code": draft, "river_code": "R1", **said}
    return {"type": "Feature", "properties": whole, "geometry": geometry or line()}


def stands(api: Api, code: str) -> dict[str, dict[str, Any]]:
    """What the draft holds now, by segment."""
    with api.db.read() as conn:
        frame = draft_workflow.segments(conn, draft_workflow.get(conn, code))
    return {str(r["segment_id"]): r for r in frame.to_dict("records")}


def made(api: Api, code: str, geometry: dict[str, Any] | None = None, **said: Any) -> Any:
    answer = api.make(LINES, feature(code, geometry, **said))
    assert answer.status_code == 201, answer.text
    return answer


def one(api: Api, answer: Any) -> str:
    return f"{LINES}/items/{answer.json()['id']}"


def said(answer: Any, status: int, *words: str) -> dict[str, Any]:
    """A refusal is one sentence with these words."""
    assert answer.status_code == status, answer.text
    told = dict(answer.json())
    assert all(w in told["message"] for w in words), told["message"]
    return told


def test_a_line_is_drawn_and_placed(api: Api, code: str) -> None:
    answer = made(api, code, note="现场放样", drawn_by="hand", change_reason="按堤脚线")
    key = answer.json()["id"]
    assert answer.headers["location"].endswith(f"/ogc/collections/{LINES}/items/{key}")
    assert answer.headers["etag"] == '"1.2"' and answer.json()["draft_revision"] == 2
    row = stands(api, code)[key]
    # left of the river looking downstream, on its first reach; metres along the river
    assert (row["bank"], row["reach_code"], row["basis"], bool(row["hand_edited"])) == ("left", "R1-1", "draft", True)
    assert (round(row["from_m"], 0), round(row["to_m"], 0)) == (194, 388)
    assert row["attributes"] == {"note": "现场放样"}
    with api.db.read() as conn:
        change = conn.execute(
            text(
                "SELECT actor, reason, tool FROM data.boundary_draft_change WHERE revision = 2 AND draft_id = (SELECT id FROM data.boundary_draft WHERE code = :c)"
            ),
            {"c": code},
        ).one()
    assert tuple(change) == ("planner", "按堤脚线", "api")


def test_a_line_without_draft_or_river_is_refused(api: Api, code: str) -> None:
    bare = feature(code)
    for name in ("draft_code", "river_code"):
        lacking = {**bare, "properties": {k: v for k, v in bare["properties"].items() if k != name}}
        said(api.make(LINES, lacking), 422, name)
    said(api.make(LINES, feature("没有")), 404, "没有")
    said(api.make(LINES, feature(code, river_code="R9")), 404, "R9")
    said(api.make(LINES, feature(code, bank="both")), 422, "bank")
    said(api.make(LINES, feature(code, colour="red")), 422, "colour")
    said(api.make(LINES, {"type": "Point", "coordinates": [106, 29]}), 422, "Feature")
    said(api.make(LINES, feature(code, {"type": "Point", "coordinates": [106, 29.4]})), 422, "LineString")
    said(api.make(LINES, feature(code, {"type": "LineString", "coordinates": [[29.4, 106.0], [29.4, 106.01]]})), 422)


def test_an_edit_says_what_it_was_made_on(api: Api, code: str) -> None:
    answer = made(api, code)
    path, whole = one(api, answer), feature(code, line(29.4013))
    for method, body in (("PUT", whole), ("PATCH", {"properties": {"note": "x"}}), ("DELETE", None)):
        said(api.ask(method, path, said=body), 428, "If-Match")
        said(api.ask(method, path, said=body, If_Match="*"), 428, "edition")
    done = api.ask("PUT", path, said=whole, If_Match=answer.headers["etag"])
    assert done.status_code == 200 and done.headers["etag"] == '"2.3"', done.text
    # what a proxy made weak and several tags are read as well
    for tags in ('W/"2.3"', '"9", "2.3;4490"'):
        again = api.ask("PATCH", path, said={"properties": {"note": tags}}, If_Match=tags)
        assert again.status_code in (200, 412)
    assert stands(api, code)[answer.json()["id"]]["attributes"]["note"] == 'W/"2.3"'


def test_an_old_edition_is_refused_with_both_shapes(api: Api, code: str) -> None:
    answer = made(api, code)
    path, old = one(api, answer), answer.headers["etag"]
    first = api.ask("PATCH", path, "colleague", {"geometry": line(29.4014)}, If_Match=old)
    assert first.status_code == 200, first.text
    before = stands(api, code)
    for method, body in (("PUT", feature(code, line(29.4015))), ("PATCH", {"properties": {"note": "晚了"}})):
        told = said(api.ask(method, path, said=body, If_Match=old), 412, code)
        (clash,) = told["segments"]
        assert clash["theirs"]["geometry"]["coordinates"][0][1] == pytest.approx(29.4014)
        assert clash["mine"]["geometry"]["coordinates"][0][1] == pytest.approx(29.4015 if method == "PUT" else NORTH)
    assert said(api.ask("DELETE", path, If_Match=old), 412)["segments"][0]["because"] == "removed_here"
    assert {k: v["geom"].wkt for k, v in stands(api, code).items()} == {k: v["geom"].wkt for k, v in before.items()}
    fresh = api.ask("PUT", path, said=feature(code, line(29.4015)), If_Match=first.headers["etag"])
    assert fresh.status_code == 200


def test_edits_of_different_lines_go_together(api: Api, code: str) -> None:
    """Both read the draft at one revision; what does not touch is merged, what touches is not."""
    one_, two = made(api, code), made(api, code, line(29.4012, 106.006, 106.008))
    seen = '"1.3"'
    first = api.ask("PATCH", one(api, one_), "colleague", {"geometry": line(29.4013)}, If_Match=seen)
    second = api.ask("PATCH", one(api, two), said={"geometry": line(29.4013, 106.006, 106.008)}, If_Match=seen)
    assert (first.status_code, second.status_code) == (200, 200), second.text
    assert second.json()["merged"] is True
    crossing = {"type": "LineString", "coordinates": [[106.003, 29.4010], [106.003, 29.4016]]}
    third = made(api, code, line(29.4019, 106.003, 106.0035))
    moved = api.ask("PATCH", one(api, one_), "colleague", {"geometry": line(29.40135)}, If_Match=first.headers["etag"])
    assert moved.status_code == 200, moved.text
    told = said(api.ask("PATCH", one(api, third), said={"geometry": crossing}, If_Match=third.headers["etag"]), 412)
    assert told["segments"][0]["because"] == "crosses"


def test_what_goes_out_comes_back_unchanged(api: Api, code: str) -> None:
    """Nine decimals of a degree are not another shape."""
    answer = made(api, code, {"type": "LineString", "coordinates": [[106.00200000049, NORTH], [106.004, NORTH]]})
    row = stands(api, code)[answer.json()["id"]]
    back = {k: row[k] for k in ("river_code", "reach_code", "bank", "from_m", "to_m", "drawn_by", "code")}
    same = api.ask("PUT", one(api, answer), said=feature(code, line(), **back), If_Match=answer.headers["etag"])
    assert same.status_code == 200 and same.headers["etag"] == answer.headers["etag"]
    assert len(stands(api, code)) == 3


def test_moved_ends_are_measured_anew_and_typed_ones_count(api: Api, code: str) -> None:
    answer = made(api, code)
    longer = api.ask(
        "PATCH", one(api, answer), said={"geometry": line(NORTH, 106.002, 106.005)}, If_Match=answer.headers["etag"]
    )
    row = stands(api, code)[answer.json()["id"]]
    assert (round(row["from_m"]), round(row["to_m"])) == (194, 485)
    typed = {"geometry": line(NORTH, 106.002, 106.006), "properties": {"to_m": 600.5}}
    done = api.ask("PATCH", one(api, answer), said=typed, If_Match=longer.headers["etag"])
    assert done.status_code == 200 and stands(api, code)[answer.json()["id"]]["to_m"] == 600.5


def test_an_announced_line_redrawn_is_announced_no_more(api: Api, code: str) -> None:
    key, row = next((k, r) for k, r in stands(api, code).items() if r["bank"] == "left")
    assert (row["basis"], row["drawn_by"]) == ("announced", "announced")
    done = api.ask(
        "PATCH", f"{LINES}/items/{key}", said={"geometry": line(29.4011, WEST, BORDER - 0.001)}, If_Match='"1.1"'
    )
    assert done.status_code == 200, done.text
    row = stands(api, code)[key]
    assert (row["basis"], row["drawn_by"], bool(row["hand_edited"])) == ("draft", "hand", True)


def test_a_patch_takes_away_and_keeps(api: Api, code: str) -> None:
    answer = made(api, code, note="甲", tolerance_m=0.5)
    patched = api.ask("PATCH", one(api, answer), said={"properties": {"note": None}}, If_Match=answer.headers["etag"])
    assert stands(api, code)[answer.json()["id"]]["attributes"] == {"tolerance_m": 0.5}
    # a whole feature that does not say it has it not
    done = api.ask("PUT", one(api, answer), said=feature(code), If_Match=patched.headers["etag"])
    assert done.status_code == 200 and stands(api, code)[answer.json()["id"]]["attributes"] == {}
    said(
        api.ask("PATCH", one(api, answer), said={"properties": {"bank": None}}, If_Match=done.headers["etag"]),
        422,
        "bank",
    )
    said(api.ask("PATCH", one(api, answer), said={"geometry": None}, If_Match=done.headers["etag"]), 422, "geometry")
    said(
        api.ask("PATCH", one(api, answer), said={"properties": {"draft_code": "别的"}}, If_Match=done.headers["etag"]),
        422,
        "draft",
    )


def test_a_line_is_taken_out_and_stays_in_the_history(api: Api, code: str) -> None:
    answer = made(api, code)
    gone = api.ask("DELETE", one(api, answer), If_Match=answer.headers["etag"])
    assert gone.status_code == 204 and gone.content == b""
    assert answer.json()["id"] not in stands(api, code)
    with api.db.read() as conn:
        earlier = draft_workflow.segments(conn, draft_workflow.get(conn, code), 2)
    assert answer.json()["id"] in set(map(str, earlier["segment_id"]))
    told = said(
        api.ask("PATCH", one(api, answer), said={"properties": {"note": "x"}}, If_Match=answer.headers["etag"]), 412
    )
    assert told["segments"][0]["because"] == "removed_there"
    for strange in (uuid.uuid4(), "1", "1' OR '1'='1"):
        said(api.ask("DELETE", f"{LINES}/items/{strange}", If_Match='"1.1"'), 404, str(strange)[:20])


CRS = "http://www.opengis.net/def/crs"


@pytest.mark.parametrize(("uri", "epsg", "north_first"), [
    (f"{CRS}/OGC/1.3/CRS84", 4326, False), (f"<{CRS}/EPSG/0/4490>", 4490, True), (f"{CRS}/EPSG/0/4326", 4326, True),
    (f"{CRS}/EPSG/0/3857", 3857, False), (f"{CRS}/EPSG/0/4544", 4544, True),
])  # fmt: skip
def test_the_system_that_is_named_counts_with_its_axes(
    api: Api, code: str, uri: str, epsg: int, north_first: bool
) -> None:
    move = pyproj.Transformer.from_crs(4490 if epsg != 3857 else 4326, epsg, always_xy=True)
    corners = [move.transform(x, NORTH) for x in (106.002, 106.004)]
    sent = {"type": "LineString", "coordinates": [[y, x] if north_first else [x, y] for x, y in corners]}
    answer = api.make(LINES, feature(code, sent), Content_Crs=uri)
    assert answer.status_code == 201, answer.text
    held = stands(api, code)[answer.json()["id"]]["geom"]
    assert shapely.get_coordinates(held).ravel() == pytest.approx([106.002, NORTH, 106.004, NORTH], abs=1e-8)


def test_a_system_that_is_not_known_is_refused(api: Api, code: str) -> None:
    for uri in (f"{CRS}/EPSG/0/2154", "EPSG:4214", "nonsense"):
        said(api.make(LINES, feature(code), Content_Crs=uri), 422, "Content-Crs")
    said(api.make(LINES, feature(code), Content_Crs=f"{CRS}/EPSG/0/3857"), 422)


def test_who_is_held_to_an_area_writes_there_only(api: Api, code: str) -> None:
    """Both what is replaced and what takes its place: a planner of the east does not see the draft of the west."""
    answer = made(api, code)
    inside = api.ask("PATCH", one(api, answer), "west", {"geometry": line(29.4013)}, If_Match=answer.headers["etag"])
    assert inside.status_code == 200, inside.text
    over = line(29.4013, 106.002, BORDER + 0.002)
    said(api.ask("PATCH", one(api, answer), "west", {"geometry": over}, If_Match=inside.headers["etag"]), 403, "500199")
    said(api.make(LINES, feature(code, line(NORTH, 106.012, 106.014)), "west"), 403, "500199")
    # on the border, drawn twice: within five metres
    near = api.make(LINES, feature(code, line(NORTH, 106.008, BORDER + 0.00002)), "west")
    assert near.status_code == 201, near.text
    for method, body in (("PATCH", {"properties": {"note": "x"}}), ("PUT", feature(code)), ("DELETE", None)):
        refused = api.ask(method, one(api, answer), "east", body, If_Match=inside.headers["etag"])
        assert refused.status_code in (403, 404), refused.text
    refused = api.make(LINES, feature(code, line(NORTH, 106.012, 106.014)), "east")
    assert refused.status_code in (403, 404), "a draft of the west is not drawn on from the east"


def test_the_state_of_a_draft_is_obeyed(api: Api, code: str) -> None:
    answer = made(api, code)
    limits = Limits.of(BOOK.at(path_of("500199"), date.today()))
    move_workflow.move(api.db, code, "withdraw", "planner", reason="不办了", limits=limits)
    for done in (
        api.make(LINES, feature(code, line(29.4017))),
        api.ask("PATCH", one(api, answer), said={"properties": {"note": "x"}}, If_Match=answer.headers["etag"]),
        api.ask("DELETE", one(api, answer), If_Match=answer.headers["etag"]),
    ):
        said(done, 409, "withdrawn")


def test_who_may_not_draft_does_not(api: Api, code: str) -> None:
    answer = made(api, code)
    for who in ("viewer", "reviewer", "inspector"):
        assert api.make(LINES, feature(code), who).status_code == 403
        assert api.ask("DELETE", one(api, answer), who, If_Match=answer.headers["etag"]).status_code == 403
    bare = api.client.post(f"/ogc/collections/{LINES}/items", json=feature(code))
    assert bare.status_code == 401


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
                         lambda s: st.lists(s, max_size=3) | st.dictionaries(st.sampled_from(["type", "properties", "geometry", "coordinates", "note", "bank"]), s, max_size=4)))  # fmt: skip
def test_whatever_is_sent_is_answered_with_a_sentence(api: Api, body: Any) -> None:
    for method, path in (("POST", f"{LINES}/items"), ("PATCH", f"{LINES}/items/{uuid.uuid4()}")):
        answer = api.ask(method, path, said=body, If_Match='"1.1"')
        assert 400 <= answer.status_code < 500 and answer.json()["message"], answer.text


FIELDS = st.fixed_dictionaries({}, optional={
    "note": st.none() | st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20),
    "tolerance_m": st.none() | st.floats(0, 9, allow_nan=False).map(lambda v: round(v, 3)),
    "drawn_by": st.sampled_from(["hand", "levee_toe", "bank_offset"]),
    "code": st.text("ABC123", max_size=8), "bank": st.sampled_from(["left", "right"]), "to_m": st.floats(400, 900).map(lambda v: round(v, 2)),
})  # fmt: skip


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change=FIELDS)
def test_a_patch_is_what_is_read_and_what_is_read_puts_nothing(api: Api, change: dict[str, Any]) -> None:
    """PATCH changes what it names and nothing else; PUT of what GET gave out writes nothing."""
    code = next(NAMES)
    write_ground.draft(api.db, code)
    path = one(api, made(api, code, note="甲"))
    before = api.ask("GET", path)
    done = api.ask("PATCH", path, said={"properties": change}, If_Match=before.headers["etag"])
    assert done.status_code == 200, done.text
    after = api.ask("GET", path)
    kept = (
        "draft_code",
        "river_code",
        "reach_code",
        "bank",
        "from_m",
        "to_m",
        "drawn_by",
        "code",
        "note",
        "tolerance_m",
        "basis",
    )
    assert {k: after.json()["properties"][k] for k in kept} == {
        k: (before.json()["properties"] | change)[k] for k in kept
    }
    assert after.json()["geometry"] == before.json()["geometry"]
    again = api.ask("PUT", path, said=after.json(), If_Match=after.headers["etag"])
    assert again.status_code == 200 and again.headers["etag"] == done.headers["etag"] == after.headers["etag"], (
        again.text
    )


def as_qgis(api: Api, method: str, path: str, body: Any = None, who: str = "planner") -> Any:
    return api.ask(method, path, who, body, User_Agent="Mozilla/5.0 QGIS/34000/Linux", Content_Crs=f"{CRS}/EPSG/0/4490")


def test_qgis_edits_with_the_feature_it_read(api: Api, code: str) -> None:
    """QGIS sends no If-Match: two PUTs for one edit, each with the edition as it was read; it is offered no PATCH and no DELETE."""
    turned = {"type": "LineString", "coordinates": [[NORTH, 106.002], [NORTH, 106.004]]}
    answer = as_qgis(api, "POST", f"{LINES}/items", feature(code, turned, edition=None, length_m=None))
    assert answer.status_code == 201, answer.text
    path = one(api, answer)
    assert as_qgis(api, "OPTIONS", path).headers["allow"] == "GET, HEAD, OPTIONS, PUT"
    read = {"edition": 1, "draft_revision": 2, "id": answer.json()["id"], "length_m": 194.1, "state": "draft"}
    first = as_qgis(api, "PUT", path, feature(code, turned, note="改", **read))
    moved = {"type": "LineString", "coordinates": [[29.4013, 106.002], [29.4013, 106.004]]}
    second = as_qgis(api, "PUT", path, feature(code, moved, note="改", **read))
    assert (first.status_code, second.status_code) == (200, 200), second.text
    row = stands(api, code)[answer.json()["id"]]
    assert row["attributes"] == {"note": "改"} and row["geom"].coords[0] == pytest.approx((106.002, 29.4013))
    other = api.ask("PATCH", path, "colleague", {"properties": {"note": "同事"}}, If_Match=second.headers["etag"])
    assert other.status_code == 200
    said(as_qgis(api, "PUT", path, feature(code, turned, **read)), 412, code)
    said(as_qgis(api, "PUT", path, feature(code, turned)), 428, "edition")


def test_options_tell_what_may_be_done(api: Api, code: str) -> None:
    path = one(api, made(api, code))
    told = api.ask("OPTIONS", path)
    assert told.status_code == 204 and told.headers["allow"] == "GET, HEAD, OPTIONS, PUT, PATCH, DELETE"
    assert told.headers["accept-patch"] == "application/merge-patch+json"
    assert api.ask("OPTIONS", f"{LINES}/items").headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert api.ask("OPTIONS", path, "reviewer").headers["allow"] == "GET, HEAD, OPTIONS"
    assert api.ask("OPTIONS", f"{LINES}/items", "viewer").status_code == 403
    assert api.ask("OPTIONS", "reach/items", "viewer").headers["allow"] == "GET, HEAD, OPTIONS"
