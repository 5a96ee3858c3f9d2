"""The maps of a meeting from the real service: what each of them must show of one small county, as of a day and in an area."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis import words
from rivergis.db import access, people
from rivergis.db.connect import Database
from rivergis.maps.sheet_layers import choose
from tests.web import conftest, meeting
from tests.web.conftest import MAKER, NIGHT, Service


@pytest.fixture(scope="module")
def service(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The small county with what a meeting looks at, and keys; ``planner`` is held to another county."""
    with module_db.write(MAKER) as conn:
        conftest.ground(conn)
        track = conftest.patrol(conn)
        conftest.night(conn)
        meeting.add(conn)
        finding = conftest.lead(conn, "building", "announced", "屋")
        keys = {role: conftest.person(conn, role) for role in ("viewer", "inspector", "auditor")}
        people.add_user(conn, "elsewhere", "外县", area="500198")
        people.grant(conn, "elsewhere", "inspector")
        keys["elsewhere"] = access.make_key(conn, "elsewhere", "test")
    folder = tmp_path_factory.mktemp("data")
    with conftest.client_of(module_db, folder) as client:
        yield Service(client, module_db, keys, str(finding), "", "", track, "", folder)


def seen(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def below(page: str) -> str:
    """What stands under the map."""
    return seen(page.partition('<article class="rg-below">')[2])


def layers(page: str) -> dict[str, dict]:  # type: ignore[type-arg]
    """The layers that stand in the page."""
    data = json.loads(re.search(r'id="rg-data">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    return {layer["id"]: layer for layer in data["layers"]}


def labels(layer: dict) -> list[str]:  # type: ignore[type-arg]
    return [f["label"] for f in layer["features"]]


# ---- 一河一档 --------------------------------------------------------------------------------------------------------


def test_one_call_tells_all_of_a_river(service: Service) -> None:
    told = service.get("/api/rivers/R1?on=2026-05-20", "inspector").json()
    wanted = {
        "geometry",
        "length_m",
        "chiefs",
        "outfalls",
        "zones",
        "lines",
        "sections",
        "problems",
        "patrols",
        "health",
        "responsibility",
    }
    assert wanted <= told.keys()
    assert told["as_of"] == "2026-05-20" and told["length_m"] == pytest.approx(970, abs=2)
    assert told["geometry"]["type"] == "MultiLineString" and told["geometry"]["coordinates"][0][0] == [106.0, 29.4]
    assert [c["chief"] for c in told["chiefs"]] == ["丙", "甲", f"乙{conftest.DIRTY}"]
    assert [(x["code"], x["zone_class"]) for x in told["outfalls"]] == [("P1", 1), ("P2", None)]
    assert {z["class"] for z in told["zones"]} == {"1", "2"}
    assert [p["id"] for p in told["problems"]] == [service.finding]
    assert [(p["bank"], p["patrols"]) for p in told["patrols"]] == [("left", 1), ("right", 0)]
    assert told["patrols"][0]["seen_m"] == pytest.approx(485) and told["patrols"][0]["last_seen"] == str(NIGHT)
    assert told["health"]["water_quality"] is None and told["health"]["outfalls_in_zones"] == 1


def test_every_metre_of_each_level_is_counted_once(service: Service) -> None:
    for level in service.get("/api/rivers/R1").json()["responsibility"]:
        assert level["one_m"] + level["nobody_m"] + level["several_m"] == pytest.approx(level["bank_m"])
    by_level = {x["level"]: x for x in service.get("/api/rivers/R1").json()["responsibility"]}
    assert by_level["village"]["several_m"] == pytest.approx(100) and by_level["village"]["nobody_m"] == pytest.approx(
        170 + 370
    )
    assert by_level["town"]["nobody_m"] == 0


def test_a_river_of_an_earlier_day_has_no_chiefs_yet(service: Service) -> None:
    told = service.get("/api/rivers/R1?on=2023-12-31").json()
    assert told["chiefs"] == [] and told["problems"] == [] and told["patrols"] is None


def test_who_may_not_see_tracks_is_told_nothing_of_patrols(service: Service) -> None:
    assert service.get("/api/rivers/R1", "viewer").json()["patrols"] is None
    assert words.both("sheet.note_tracks") in below(service.page("/maps/river/R1", "viewer"))
    assert words.both("sheet.patrols") in below(service.page("/maps/river/R1", "inspector"))


def test_two_rivers_of_one_name_are_two_files(service: Service) -> None:
    first, second = (service.get(f"/api/rivers/{code}").json() for code in ("R1", "R2"))
    assert first["name"] == second["name"] and first["length_m"] == pytest.approx(2 * second["length_m"], rel=0.01)
    assert [x["code"] for x in second["lines"]] == ["B1", "B2"] and second["problems"] == []


def test_the_page_of_a_river_says_what_the_call_says(service: Service) -> None:
    page = service.page("/maps/river/R1?on=2026-05-20", "inspector")
    told = below(page)
    for text in ("0+500 – 0+800", "试府发〔2024〕1号", "试验一级保护区", "一号排污口", "《防洪法》第二十二条", "0+388"):
        assert text in told
    assert "<img src=x" not in page and f'href="/findings/{service.finding}"' in page


def test_a_river_without_any_shape_has_a_page(service: Service) -> None:
    told = service.get("/api/rivers/R3").json()
    assert told["geometry"] is None and told["length_m"] is None and told["outfalls"] == []
    assert meeting.LONG in service.page("/maps/river/R3")


def test_a_draft_on_the_map_says_so_across_it(service: Service) -> None:
    assert "内部草稿·非测绘成果" in service.page("/maps/river/R2").partition("<main")[0]
    assert "内部草稿·非测绘成果" not in service.page("/maps/river/R1").partition("<main")[0]


# ---- 每米一长 --------------------------------------------------------------------------------------------------------


def test_gaps_and_doubles_are_shown_and_listed_with_their_chainage(service: Service) -> None:
    page = service.page("/maps/responsibility?on=2026-05-20")
    gaps = layers(page)["duty_gap"]
    assert {c["code"]: c["count"] for c in gaps["classes"] if c["code"]} == {
        "nobody": 6,
        "several": 1,
    }  # R2 has nobody of either level
    told = below(page)
    assert "0+500 – 0+600" in told and re.search(r"0\+600 – 0\+97\d", told) and re.search(r"0\+800 – 0\+97\d", told)
    assert layers(page)["duty_village"]["shown"] and not layers(page)["duty_town"]["shown"]


@pytest.mark.parametrize(
    ("query", "held"),
    [("level=town&river=R1", {"duty_town"}), ("level=village&river=R1", {"duty_village", "duty_gap"})],
)
def test_one_level_or_one_river_alone(service: Service, query: str, held: set[str]) -> None:
    assert {
        n for n in layers(service.page(f"/maps/responsibility?on=2026-05-20&{query}")) if n.startswith("duty")
    } == held


def test_before_anybody_was_named_there_is_no_such_map(service: Service) -> None:
    assert service.get("/maps/responsibility?on=2023-12-31").status_code == 404
    assert service.get("/maps/responsibility?river=none").status_code == 404


# ---- 界线版本 --------------------------------------------------------------------------------------------------------


def test_two_days_of_the_boundary_stand_on_two_sides(service: Service) -> None:
    page = service.page("/maps/versions?before=2025-06-30&after=2026-05-20")
    drawn = layers(page)
    assert len(drawn["boundary_line@before"]["features"]) == 3 and len(drawn["boundary_line@after"]["features"]) == 5
    assert (
        "B1" in below(page)
        and "试府发〔2025〕2号" in below(page)
        and "A1" not in below(page).partition(words.say("sheet.changed_ground"))[0]
    )


def test_equal_days_differ_in_nothing_and_turned_days_are_refused(service: Service) -> None:
    assert below(service.page("/maps/versions?before=2026-05-20&after=2026-05-20")).count(words.say("sheet.none")) == 2
    assert service.get("/maps/versions?before=2026-05-20&after=2025-05-20").status_code == 400


# ---- zones, wall, cards, choice --------------------------------------------------------------------------------------


def test_an_outfall_in_a_zone_is_told_with_its_class_and_clause(service: Service) -> None:
    page = service.page("/maps/zones?on=2026-05-20")
    assert labels(layers(page)["zone_outfall"]) == ["一号排污口 · 一级保护区"]
    assert "《水污染防治法》第六十四条" in below(page) and "试环〔2024〕1号" in below(page)
    assert f"{meeting.LONG} ·" not in page and "1 / 2" in below(page)


def test_the_wall_renews_itself_unless_told_not_to(service: Service) -> None:
    moving, still = service.get("/wall", "viewer", "text/html"), service.get("/wall?still=true", "viewer", "text/html")
    assert moving.headers["refresh"] == "300" and "refresh" not in still.headers
    told = seen(moving.text)
    assert (
        words.say("wall.changes") in told and words.say("wall.overdue") in told and words.say("wall.coverage") in told
    )


@pytest.mark.parametrize("path", ["/cards/river/R1", "/cards/lead/{finding}"])
def test_a_card_is_light_names_nobody_and_runs_nothing(service: Service, path: str) -> None:
    page = service.page(path.format(finding=service.finding))
    assert len(page.encode()) < 40_000 and "<script" not in page and "<svg" in page
    assert not re.search("王某|甲|丙", seen(page)) and not re.search(r"106\.0\d{3}", seen(page))


def test_the_list_of_maps_and_how_to_connect(service: Service) -> None:
    page = service.page("/maps")
    for action in (
        "/maps/county",
        "/maps/responsibility",
        "/maps/versions",
        "/maps/zones",
        "/maps/coverage",
        "/maps/river",
    ):
        assert f'action="{action}"' in page
    assert service.get("/maps/river?code=R1&on=2026-05-20").headers["location"] == "/maps/river/R1?on=2026-05-20"
    connect = service.page("/connect")
    assert "http://testserver/ogc" in connect and "/ogc/collections/reach/items?f=gpkg" in connect
    assert "/ogc/collections/patrol_fix/" not in connect and "/ogc/collections/patrol_fix/" in service.page(
        "/connect", "auditor"
    )


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 5000), max_size=8), st.integers(0, 4000))
def test_what_fits_is_written_and_all_else_is_tiled(counts: dict[str, int], room: int) -> None:
    drawn, tiled = choose(counts, room)
    assert sum(counts[n] for n in drawn) <= room and sorted((*drawn, *tiled)) == sorted(counts)
    assert not tiled or min(counts[n] for n in tiled) + sum(counts[n] for n in drawn) > room


AREA = ("/api/rivers/R1", "/maps/river/R1", "/maps/responsibility", "/cards/river/R1", "/cards/lead/{finding}")


@pytest.mark.parametrize("path", AREA)
def test_who_is_held_to_another_county_finds_nothing_here(service: Service, path: str) -> None:
    asked = path.format(finding=service.finding)
    assert service.get(asked, "inspector").status_code == 200
    assert service.get(asked, "elsewhere").status_code in (403, 404)


@pytest.mark.parametrize("path", ["/maps/county", "/maps/zones", "/maps/versions", "/maps", "/"])
def test_maps_of_all_show_only_the_own_area(service: Service, path: str) -> None:
    page = service.page(path, "elsewhere")
    assert "清溪" not in page and "排污口 ·" not in page and "试验县" not in page


def test_without_a_key_there_is_no_map(service: Service, tmp_path: Path) -> None:
    for path in (*AREA, "/maps", "/wall", "/maps/zones"):
        assert service.client.get(path.format(finding=service.finding)).status_code == 401
