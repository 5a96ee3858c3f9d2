"""Batches of patches in a database: in, filled in, checked, and out in the form they came in (see patch_ground for the river)."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
import shapely

from rivergis.db.connect import Database
from rivergis.encroachment import patch_workflow
from rivergis.errors import InputError, UsageError
from tests.encroachment.patch_ground import (
    SHAPES,
    at,
    bank_lines,
    counts,
    delivery,
    export,
    listed,
    measure,
    put,
    river,
    rows,
    take,
    values,
)

ENDINGS = (".shp", ".gpkg", ".geojson", ".xlsx", ".csv")


@pytest.fixture(scope="module")
def ground(module_db: Database) -> Database:
    """The river; every test brings a batch of its own."""
    river(module_db)
    return module_db


@pytest.fixture
def batch(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_batch_goes_back_in_its_form_and_coming_again_changes_nothing(
    ground: Database, tmp_path: Path, batch: str, ending: str
) -> None:
    path, store = delivery(tmp_path / "in", ending), tmp_path / "store"
    got = take(ground, path, store, batch=batch)
    assert (got.version, got.known, got.new) == (1, False, ["A", "B", "C", "D"])
    assert take(ground, path, store, batch=batch).known
    assert measure(ground) >= 4 and measure(ground) == 0
    out = tmp_path / f"out{ending}"
    done = export(ground, out, store, batch=batch)
    assert done.patches == 4 and not done.cut
    before, after = values(path), values(out)
    assert [list(r)[: len(before[0])] for r in after] == [list(r) for r in before], "names and order as delivered"
    for old, new in zip(before, after, strict=True):
        assert {k: new[k] for k in old if old[k] is not None} == {k: v for k, v in old.items() if v is not None}
    area = next(k for k in before[0] if k == "面积")
    assert [r[area] for r in after] == [400, 555, 25, 400], "what was delivered stays, what was empty is filled in"
    inside = "area_in_mg" if ending == ".shp" else "管理范围内面积"
    assert [r[inside] for r in after] == [400, 150, 25, 0]
    if ending in (".shp", ".gpkg", ".geojson"):
        same = gpd.read_file(path).geometry.geom_equals_exact(gpd.read_file(out).geometry, 0)
        assert same.all(), "geometry to the last bit"
    if ending == ".shp":
        for part in (".shp", ".shx", ".prj"):
            assert path.with_suffix(part).read_bytes() == out.with_suffix(part).read_bytes()
    there = counts(ground)
    assert take(ground, out, store, batch=batch).known, "our own export is no correction"
    assert counts(ground) == there


def test_a_workbook_keeps_its_title_and_colours(ground: Database, tmp_path: Path, batch: str) -> None:
    path = delivery(tmp_path / "in", ".xlsx")
    take(ground, path, tmp_path / "store", batch=batch)
    measure(ground)
    export(ground, tmp_path / "out.xlsx", tmp_path / "store", batch=batch)
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["图斑清单"]
    assert sheet["A1"].value == "试验县2026年第一批图斑核查表" and [str(r) for r in sheet.merged_cells.ranges] == [
        "A1:J1"
    ]
    assert sheet["A2"].fill.fgColor.rgb == "00FFFF00"


def test_differences_are_listed_and_limits_said(ground: Database, tmp_path: Path, batch: str) -> None:
    take(ground, delivery(tmp_path / "in", ".gpkg"), tmp_path / "store", batch=batch)
    measure(ground)
    found = listed(ground, batch)
    assert found["B"].differences == [("area_m2", "555", "300.0")]
    assert "下发 555" in found["B"].note and "area_m2" not in found["B"].filled
    assert "小于上图面积" in found["C"].note and "影像分辨率" in found["C"].note
    assert found["A"].filled["bank"] == "左岸" and found["A"].filled["reach_code"] == "R1-1"
    assert (found["D"].state, found["A"].filled["adcode"]) == ("outside", "500199")


def test_a_patch_set_aside_goes_back_all_the_same(ground: Database, tmp_path: Path, batch: str) -> None:
    said = [*rows(), {**rows()[0], "图斑编号": "E", "备注": "空图形"}, {**rows()[0], "图斑编号": "A", "备注": "重号"}]
    path = tmp_path / "图斑.gpkg"
    shapes = [*(SHAPES[r["图斑编号"]] for r in said[:4]), shapely.Polygon(), at(1200, 10, 20, 20)]
    gpd.GeoDataFrame(said, geometry=shapes, crs=4544).to_file(path, layer="图斑", engine="pyogrio")
    got = take(ground, path, tmp_path / "store", batch=batch)
    assert got.imported is not None and (got.imported.imported, got.imported.quarantined) == (4, 2)
    export(ground, tmp_path / "out.gpkg", tmp_path / "store", batch=batch)
    back = values(tmp_path / "out.gpkg")
    assert [r["备注"] for r in back] == ["一", None, None, None, "空图形", "重号"]
    assert back[4]["状态"] == back[5]["状态"] == "未入库"
    assert "未入库" in back[4]["机核说明"] and "未入库" in back[5]["机核说明"]
    with ground.read() as conn:
        p = patch_workflow.progress(conn, batch)
    assert (p.patches, p.states["aside"]) == (6, 2) and sum(p.states.values()) == 6
    assert take(ground, path, tmp_path / "store", batch=batch).known


def test_a_corrected_batch_is_a_new_version(ground: Database, tmp_path: Path, batch: str) -> None:
    take(ground, delivery(tmp_path / "in", ".gpkg"), tmp_path / "store", batch=batch)
    measure(ground)
    said = [r for r in rows(B={"地物类别": "堆放"}) if r["图斑编号"] != "D"] + [{**rows()[0], "图斑编号": "F"}]
    shapes = SHAPES | {"A": at(101, 50, 20, 20), "F": at(1300, 10, 20, 20)}
    corrected = delivery(tmp_path / "in2", ".gpkg", said, shapes)
    got = take(ground, corrected, tmp_path / "store", on=date(2026, 5, 21), batch=batch)
    assert (got.version, sorted(got.changed), got.new, got.gone) == (2, ["A", "B"], ["F"], ["D"])
    assert list(listed(ground, batch)) == ["A", "B", "C", "F"]
    with ground.read() as conn:
        assert len(patch_workflow.listed(conn, batch, 1)) == 4, "the delivery before stays"


def test_what_cannot_be_given_back_is_not_taken(ground: Database, tmp_path: Path, batch: str) -> None:
    kml = tmp_path / "图斑.kml"
    gpd.GeoDataFrame(rows(), geometry=list(SHAPES.values()), crs=4544).to_crs(4326).to_file(
        kml, driver="KML", engine="pyogrio"
    )
    with pytest.raises(InputError, match="given back"):
        take(ground, kml, tmp_path / "store", batch=batch)
    bare = tmp_path / "bare.gpkg"
    gpd.GeoDataFrame({"x": [1]}, geometry=[SHAPES["A"]], crs=4544).to_file(bare, engine="pyogrio")
    with pytest.raises(InputError, match="number of a patch"):
        take(ground, bare, tmp_path / "store", batch=batch)
    take(ground, delivery(tmp_path / "in", ".csv"), tmp_path / "store", batch=batch)
    with pytest.raises(UsageError, match=r"\.csv"):
        export(ground, tmp_path / "out.xlsx", tmp_path / "store", batch=batch)


def test_a_geojson_keeps_what_else_it_says(ground: Database, tmp_path: Path, batch: str) -> None:
    path = delivery(tmp_path / "in", ".geojson")
    body = json.loads(path.read_text(encoding="utf-8")) | {"来源": "松辽委"}
    path.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
    take(ground, path, tmp_path / "store", batch=batch)
    export(ground, tmp_path / "out.geojson", tmp_path / "store", batch=batch)
    assert json.loads((tmp_path / "out.geojson").read_text(encoding="utf-8"))["来源"] == "松辽委"


def test_a_form_of_an_earlier_night_is_no_correction(ground: Database, tmp_path: Path, batch: str) -> None:
    """The line moves after the form went out: what stood in it then is still ours."""
    take(ground, delivery(tmp_path / "in", ".csv"), tmp_path / "store", batch=batch)
    measure(ground)
    export(ground, tmp_path / "out.csv", tmp_path / "store", batch=batch)
    with ground.write("test") as conn:
        bank_lines(conn, number=2)
        area = [{"code": "V1A", "version_code": "V1", "river_code": "R1"}]
        put(conn, "boundary_area", area, [shapely.MultiPolygon([at(0, -200, 2000, 260)])])
    measure(ground)
    assert listed(ground, batch)["A"].filled["area_in_mgmt_m2"] == 200.0
    assert take(ground, tmp_path / "out.csv", tmp_path / "store", batch=batch).known
