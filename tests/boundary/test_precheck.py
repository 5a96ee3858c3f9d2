"""A proposed project: the ground, bank and flood width it takes, the zones it hits, and the clauses that apply."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner

from rivergis.boundary.redraw import precheck, precheck_workflow
from rivergis.boundary.redraw.precheck import Ground, Precheck
from rivergis.cli.boundary import command
from rivergis.db.connect import Database
from rivergis.errors import UsageError
from tests.boundary.draft_ground import ground as announced
from tests.boundary.test_diff_files import VIEW, line, write
from tests.boundary.test_diff_laws import METRIC, box
from tests.encroachment.night_ground import BOOK
from tests.encroachment.night_ground import box as county_box
from tests.encroachment.night_ground import put as put_layer


def frame(shape: shapely.Geometry, **said: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({k: [v] for k, v in said.items()}, geometry=[shape], crs=METRIC)


AREAS = frame(box(0, -50, 1000, 50), river_code="A", name="清水河", basis="announced")
REACHES = frame(line((0, 0), (1000, 0)), code="R1", river_code="A", from_m=2000.0)


def examine(shape: shapely.Geometry, **more: gpd.GeoDataFrame) -> Precheck:
    return precheck.examine("码头", shape, "building.road_works", Ground(AREAS, REACHES, **more), VIEW, 5.0)


def test_a_dock_on_the_left_bank() -> None:
    found = examine(box(300, 20, 340, 70))
    assert (found.m2, found.inside_m2) == (2000, 1200)
    assert found.bank_m == pytest.approx({"left": 40, "right": 0})
    assert found.stretches[0]["stretch"] == "2+300–2+340"
    assert found.width is not None
    assert (found.width.whole_m, found.width.lost_m, found.width.share) == pytest.approx((100, 30, 0.3))
    assert 2300 <= found.width.at_m <= 2340
    assert any("《防洪法》第二十七条" in r["clause"] for r in found.rules)
    assert "water" in found.not_looked_at


def test_a_pier_in_the_channel_stands_on_both_banks() -> None:
    found = examine(box(600, -5, 610, 5), water=frame(box(0, -20, 1000, 20)))
    assert found.bank_m == pytest.approx({"left": 10, "right": 10})
    assert found.width is not None and found.width.lost_m == pytest.approx(10)


def test_what_lies_outside_takes_nothing() -> None:
    found = examine(box(300, 80, 340, 120))
    assert (found.inside_m2, found.stretches, found.zones, found.width, found.rules) == (0, [], [], None, [])


def test_where_no_area_is_known_nothing_is_known() -> None:
    found = precheck.examine("码头", box(0, 0, 9, 9), "building.road_works", Ground(AREAS.iloc[:0], REACHES), VIEW, 5.0)
    assert found.not_looked_at[0] == "areas" and found.inside_m2 == 0


def test_zones_are_told_with_m2_metres_and_what_they_ask() -> None:
    zone = frame(
        line((0, 50), (1000, 50)),
        name="规划",
        kind="protection",
        bank="left",
        river_code="A",
        from_m=2310.0,
        to_m=2900.0,
    )
    source = frame(box(320, -50, 500, 50), name="二水厂", kind=1)
    found = examine(box(300, 20, 340, 70), function_zones=zone, source_zones=source)
    told = {z.zone: z for z in found.zones}
    assert told["function_zone"].length_m == pytest.approx(30)
    assert told["source_zone"].m2 == pytest.approx(600)
    clauses = " ".join(r["clause"] for r in found.rules)
    assert "办河湖函〔2019〕394号" in clauses and "《水污染防治法》" in clauses


def test_a_function_zone_on_the_other_bank_is_not_hit() -> None:
    zone = frame(
        line((0, -50), (1000, -50)),
        name="规划",
        kind="reserve",
        bank="right",
        river_code="A",
        from_m=2000.0,
        to_m=3000.0,
    )
    assert [z.zone for z in examine(box(300, 20, 340, 70), function_zones=zone).zones] == ["management_area"]


def test_against_what_is_in_force(db: Database) -> None:
    announced(db)
    put_layer(
        db, "function_zone", [{"code": "F1", "river_code": "R1", "bank": "left", "zone_type": "reserve", "from_m": 0, "to_m": 1000, "plan_name": "岸线规划"}]
    )  # fmt: skip
    shape = gpd.GeoSeries([county_box(500, 60, 50, 60)], crs=4544).to_crs(4490)
    projects = gpd.GeoDataFrame({"name": ["码头"]}, geometry=shape, crs=4490)
    with db.read() as conn:
        (found,) = precheck_workflow.of_database(
            conn, projects, "building.road_works", BOOK.at(("000000",), date(2026, 6, 1)), date(2026, 6, 1)
        )
    assert found.inside_m2 == pytest.approx(2000, rel=1e-3)
    assert {z.zone: z.name for z in found.zones} == {"management_area": "试验河", "function_zone": "岸线规划"}
    assert found.bank_m["left"] == pytest.approx(50, abs=0.5)
    assert found.not_looked_at == ()


def test_the_command(tmp_path: Path) -> None:
    areas = write(tmp_path / "areas.gpkg", [box(0, -50, 1000, 50)], river_code=["A"])
    reaches = write(tmp_path / "reaches.gpkg", [line((0, 0), (1000, 0))], code=["R1"], river_code=["A"])
    works = write(
        tmp_path / "p.shp", [box(300, 20, 340, 70), box(600, 80, 610, 90)], "EPSG:4546", 项目名称=["码头", "仓库"]
    )
    args = ["project", str(works), "--areas", str(areas), "--reaches", str(reaches), "--class", "building.road_works"]
    out = tmp_path / "p.json"
    done = CliRunner().invoke(command, [*args, "--out", str(out)], catch_exceptions=False)
    assert "占用行洪宽度" in done.output and "《防洪法》第二十七条" in done.output
    told = json.loads(out.read_text(encoding="utf-8"))
    assert [(t["project"], round(t["inside_m2"], -1)) for t in told] == [("码头", 1200), ("仓库", 0)]
    wrong = CliRunner().invoke(command, [*args[:-1], "building.castle"])
    assert isinstance(wrong.exception, UsageError) and "building.road_works" in str(wrong.exception)
