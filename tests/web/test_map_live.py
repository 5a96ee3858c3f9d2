"""What a map asks while somebody looks at it: things, places, names and chainages, each only for who may see it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from rivergis.db import access, people
from rivergis.maps import collections, features, palette, search, things, webstyle
from tests.web.conftest import DIRTY, MAKER, Service

ELSEWHERE = "110101"


@pytest.fixture(scope="module")
def far(service: Service) -> str:
    """The key of an inspector of another county."""
    with service.db.write(MAKER) as conn:
        people.add_user(conn, "far", "远处", area=ELSEWHERE)
        people.grant(conn, "far", "inspector")
        return access.make_key(conn, "far", "test")


def ask(service: Service, path: str, role: str = "viewer") -> dict[str, Any]:
    answer = service.get(path, role)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def shape(service: Service, collection: str) -> Any:
    with service.db.read() as conn:
        return conn.execute(text(f"SELECT * FROM cache.shape_{collection} ORDER BY fid LIMIT 1")).one()


def found(service: Service, question: str) -> list[dict[str, Any]]:
    return list(ask(service, f"/search.json?q={question}")["found"])


@pytest.mark.parametrize("collection", ["reach", "boundary_line", "outfall", "admin_unit", "river"])
def test_a_thing_is_told_by_its_number_and_by_its_id_alike(service: Service, collection: str) -> None:
    row = shape(service, collection)
    by_number, by_id = (ask(service, f"/maps/thing/{collection}/{ident}.json") for ident in (row.fid, row.id))
    assert by_number == by_id
    assert by_number["id"] == str(row.id) and by_number["fid"] == row.fid
    west, south, east, north = by_number["bounds"]
    assert 105.8 < west <= by_number["at"][0] <= east < 106.2 and 29.2 < south <= by_number["at"][1] <= north < 29.6
    assert by_number["style"] == palette.load().of(collection, row.cls).as_dict()
    assert all(len(line) == 3 and line[2] for line in by_number["popup"])


def test_values_are_words_and_dirty_ones_stay_what_they_are(service: Service) -> None:
    told = ask(service, f"/maps/thing/boundary_line/{shape(service, 'boundary_line').fid}.json")
    said = {zh: value for zh, _, value in told["popup"]}
    assert "管理范围线" in "".join(said.values()) and "试府发〔2024〕1号" in said.values()
    assert f"清溪{DIRTY}" in said.values()


def test_a_lead_comes_with_its_pictures_and_its_page(service: Service) -> None:
    told = ask(service, f"/maps/thing/finding/{service.finding}.json")
    assert told["href"] == f"/findings/{service.finding}"
    assert [chip[2] for chip in told["chips"]] == [f"/evidence/{service.evidence}"]
    assert "《防洪法》第二十二条" in [row[2] for row in told["popup"]]


@pytest.mark.parametrize("ident", ["0", "00000000-0000-0000-0000-000000000000", "ffff", "123456789012345678"])
def test_what_is_not_there_is_not_found(service: Service, ident: str) -> None:
    assert service.get(f"/maps/thing/reach/{ident}.json").status_code == 404


def test_a_thing_is_there_on_its_days_only(service: Service) -> None:
    path = f"/maps/thing/finding/{service.finding}.json?day="
    assert [service.get(path + day).status_code for day in ("2026-05-19", "2026-05-20")] == [404, 200]


@pytest.mark.parametrize(("collection", "role"), [("patrol_track", "viewer"), ("reach", "system_admin")])
def test_who_may_not_see_a_collection_is_refused(service: Service, collection: str, role: str) -> None:
    for path in (
        f"/maps/thing/{collection}/1.json",
        f"/maps/at.json?layers={collection}&lon=106&lat=29.4",
        f"/maps/style/{collection}.json",
    ):
        assert service.get(path, role).status_code == 403, path


def test_nobody_is_told_anything_without_signing_in(service: Service) -> None:
    for path in (
        "/maps/thing/reach/1.json",
        "/maps/at.json?layers=reach&lon=106&lat=29",
        "/search.json?q=x",
        "/basemap.json",
    ):
        assert service.client.get(path).status_code == 401, path


def test_a_look_at_a_patrol_stands_in_the_audit(service: Service) -> None:
    count = "SELECT count(*) FROM sys.audit WHERE action = 'view' AND target LIKE 'patrols:patrol_track%'"
    with service.db.read() as conn:
        before = conn.execute(text(count)).scalar_one()
    ask(service, f"/maps/thing/patrol_track/{shape(service, 'patrol_track').fid}.json", "inspector")
    with service.db.read() as conn:
        assert conn.execute(text(count)).scalar() == before + 1


def test_what_lies_at_a_place_is_told_topmost_first(service: Service) -> None:
    hits = ask(service, "/maps/at.json?layers=admin_unit,reach,outfall&lon=106.005&lat=29.4003&z=14")["found"]
    assert [hit["collection"] for hit in hits] == ["outfall", "reach", "admin_unit"]
    near = ask(service, "/maps/at.json?layers=reach,outfall&lon=106.005&lat=29.4003&z=18")["found"]
    assert [hit["collection"] for hit in near] == ["outfall"]


def test_a_crowd_at_a_place_is_told_as_a_number(service: Service) -> None:
    fixes = ask(service, "/maps/at.json?layers=patrol_fix&lon=106.0025&lat=29.4002&z=10", "inspector")["found"]
    assert len(fixes) == 11
    crowd = ask(service, "/maps/at.json?layers=patrol_fix,stake&lon=106.0025&lat=29.4002&z=10", "inspector")["found"]
    assert all("n" not in hit for hit in crowd)


def test_rivers_and_things_are_found_by_name_and_code(service: Service) -> None:
    assert found(service, "清溪")[0]["collection"] == "river"
    assert found(service, "R1")[0]["label"] == f"清溪{DIRTY}"
    assert [hit["collection"] for hit in found(service, "一号排污")] == ["outfall"]
    assert found(service, "P1")[0]["collection"] == "outfall"


@pytest.mark.parametrize("question", ["", "   ", "%", "_", "!", "'; --", "清溪%", "\\", "x" * 200, "云溪河 99999999+1"])
def test_a_question_of_signs_finds_nothing_and_harms_nothing(service: Service, question: str) -> None:
    answer = service.client.get(
        "/search.json", params={"q": question}, headers={"Authorization": f"Bearer {service.keys['viewer']}"}
    )
    assert answer.status_code == 200 and answer.json()["found"] == []


def test_people_are_not_found_by_search(service: Service) -> None:
    hits = found(service, "巡河")
    assert not [hit for hit in hits if hit.get("collection") in ("patrol_track", "patrol_fix", "patrol_leg", "report")]


@pytest.mark.parametrize(
    "path",
    ["/maps/thing/outfall/{fid}.json", "/search.json?q=一号", "/search.json?q=清溪", "/maps/at.json?layers=reach,outfall&lon=106.005&lat=29.4003"],
)  # fmt: skip
def test_another_county_sees_nothing_of_this_one(service: Service, far: str, path: str) -> None:
    asked = path.format(fid=shape(service, "outfall").fid)
    answer = service.client.get(asked, headers={"Authorization": f"Bearer {far}"})
    assert answer.status_code == 404 or answer.json() | {"q": ""} == {"q": "", "found": []}, answer.text


def test_the_area_stands_in_where_besides_the_walls(service: Service) -> None:
    """Also without row-level security, read as the owner of the database, an area sees what is its own."""
    with service.db.read() as conn:
        at = features.when(conn)
        everything = search.find(conn, "清溪", ["river", "reach"], at)
        assert everything and search.find(conn, "清溪", ["river", "reach"], at, things.Sight("500199"))
        assert search.find(conn, "清溪", ["river", "reach"], at, things.Sight(ELSEWHERE)) == []
        assert things.at_place(conn, ["reach"], 106.005, 29.4, 14, at.on, things.Sight(ELSEWHERE)) == []


def test_strangers_are_told_what_is_public_and_nothing_else(service: Service) -> None:
    everybody, lines = things.Sight(public=True), ["boundary_line"]
    with service.db.read() as conn:
        at = features.when(conn)
        line = things.thing(conn, "boundary_line", str(shape(service, "boundary_line").fid), at, everybody)
    shown = collections.collection("boundary_line")
    assert {row[0] for row in line["popup"]} <= {shown.column(name).zh for name in shown.public} | {"河流"}
    with service.db.engine.begin() as conn:  # what is drawn of it becomes a draft, as long as this goes on
        conn.execute(text("UPDATE cache.shape_boundary_line SET cls = 'draft'"))
        assert things.at_place(conn, lines, 106.005, 29.401, 14, at.on)
        assert things.at_place(conn, lines, 106.005, 29.401, 14, at.on, everybody) == []
        assert search.find(conn, "清溪", lines, at) and search.find(conn, "清溪", lines, at, everybody) == []
        conn.rollback()


def test_the_style_of_other_maps_has_whole_addresses(service: Service) -> None:
    style = ask(service, "/maps/style/reach,outfall.json?day=2026-05-20")
    assert style["sources"]["reach"]["tiles"] == ["http://testserver/tiles/reach/{z}/{x}/{y}.mvt?day=2026-05-20"]
    assert [layer["id"] for layer in style["layers"]] == [
        layer["id"] for layer in webstyle.style(["reach", "outfall"])["layers"]
    ]


def test_there_are_no_base_maps_unless_somebody_configures_them(service: Service) -> None:
    assert ask(service, "/basemap.json") == {"bases": []}
    assert service.get("/basemap/none/1/0/0").status_code == 404
