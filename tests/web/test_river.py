"""The river as a network over HTTP, from the real service: one river flowing east with an outfall on its left bank."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.web.conftest import MAKER, Service

UPPER, LOWER = "106.002,29.4001", "106.008,29.3999"


def test_what_lies_downstream_with_the_things_on_the_way(service: Service) -> None:
    told = service.get(f"/api/river/trace?at={UPPER}&direction=down").json()
    assert told["start"]["reach_id"] == "R1-1" and told["start"]["bank"] == "left" and not told["start"]["bank_certain"]
    [part] = told["reaches"]
    assert part["from_m"] == pytest.approx(194, abs=1) and part["to_m"] == pytest.approx(970, abs=2)
    assert part["distance_m"] == 0 and part["on_main"] is True and told["length_m"] == pytest.approx(776, abs=2)
    names = {(t["layer"], t["name"]) for t in told["things"]}
    assert ("outfall", "一号排污口") in names and {layer for layer, _ in names} == {"outfall", "finding"}
    [mouth] = [t for t in told["things"] if t["layer"] == "outfall"]
    assert mouth["distance_m"] == pytest.approx(291, abs=1) and mouth["bank"] == "left"


def test_a_trace_stops_where_it_is_told_to(service: Service) -> None:
    asked = f"/api/river/trace?at={UPPER}&direction=down"
    assert service.get(f"{asked}&within_m=100").json()["length_m"] == 100
    assert service.get(f"{asked}&stop_at=outfall").json()["length_m"] == pytest.approx(291, abs=1)
    assert service.get("/api/river/trace?reach=R1-1&at_m=250&direction=up").json()["length_m"] == 250


def test_parts_come_with_their_shape(service: Service) -> None:
    told = service.get(f"/api/river/trace?at={UPPER}&direction=up&format=geojson").json()
    [feature] = told["features"]
    assert told["type"] == "FeatureCollection" and told["direction"] == "up"
    assert feature["geometry"]["coordinates"][0] == [106.0, 29.4]
    assert feature["geometry"]["coordinates"][-1] == pytest.approx([106.002, 29.4], abs=1e-6)
    assert feature["properties"]["reach_id"] == "R1-1"


def test_where_a_place_is_and_the_way_to_another(service: Service) -> None:
    assert service.get(f"/api/river/locate?at={LOWER}").json() == {
        "reach_id": "R1-1",
        "at_m": pytest.approx(777, abs=1),
        "offset_m": pytest.approx(-11, abs=0.5),
        "bank": "right",
        "bank_certain": False,
    }
    up = service.get(f"/api/river/route?from={LOWER}&to={UPPER}").json()
    assert (up["way"], up["node"]) == ("up", None) and up["length_m"] == pytest.approx(583, abs=1)
    assert [p["direction"] for p in up["parts"]] == ["up"]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (f"trace?at={UPPER}", 400, "direction"),
        (f"trace?at={UPPER}&direction=across", 400, "direction"),
        ("trace?direction=up", 400, "either at=LON,LAT"),
        ("trace?direction=up&reach=R1-1%00", 400, "reach"),
        (f"trace?at={UPPER}&reach=R1-1&direction=up", 400, "either at=LON,LAT"),
        ("trace?at=here&direction=up", 400, "at"),
        ("trace?at=29.4,106.0&direction=up", 400, "at"),
        (f"trace?at={UPPER}&direction=up&within_m=-1", 400, "within_m"),
        (f"trace?at={UPPER}&direction=up&within_m=nan", 400, "within_m"),
        (f"trace?at={UPPER}&direction=up&stop_at=user", 404, "'user'"),
        ("trace?at=120.0,30.0&direction=up", 404, "No reach lies within"),
        ("trace?reach=nowhere&direction=up", 404, "'nowhere'"),
        ("trace?reach=R1-1&at_m=5000&direction=up", 422, "970"),
        (f"route?from={UPPER}&to=120.0,30.0", 404, "No reach lies within"),
        ("locate?at=181.0,30.0", 400, "not on the earth"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(service: Service, path: str, status: int, said: str) -> None:
    answer = service.get(f"/api/river/{path}")
    assert answer.status_code == status and said in answer.json()["message"]


def test_only_who_may_see_layers_may_ask(service: Service) -> None:
    for path in (f"trace?at={UPPER}&direction=up", f"locate?at={UPPER}", f"route?from={UPPER}&to={LOWER}"):
        assert service.client.get(f"/api/river/{path}", headers={"Accept": "application/json"}).status_code == 401
        assert service.get(f"/api/river/{path}", "security_officer").status_code == 403


def test_numbers_out_of_date_are_renewed_before_the_answer(service: Service) -> None:
    with service.db.write(MAKER) as conn:
        conn.execute(text("UPDATE cache.network_state SET changes = changes + 1"))
    assert service.get("/api/river/trace?reach=R1-1&direction=up").status_code == 200
    with service.db.read() as conn:
        assert conn.execute(text("SELECT app.river_topology_current()")).scalar() is True


def test_the_api_describes_them(service: Service) -> None:
    paths = service.get("/openapi.json").json()["paths"]
    names = {p["name"] for p in paths["/api/river/trace"]["get"]["parameters"]}
    assert names == {"direction", "at", "reach", "at_m", "within_m", "stop_at", "format"}
    assert {"/api/river/locate", "/api/river/route"} <= set(paths)
    assert all(p["description"] for p in paths["/api/river/route"]["get"]["parameters"])
