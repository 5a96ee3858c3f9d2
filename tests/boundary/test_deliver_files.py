"""Deliveries as files: written, read back with GDAL and with our own doors, the same to a millimetre and to the letter."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import ezdxf
import geopandas as gpd
import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely

from rivergis.boundary.delivery import files as delivery_files
from rivergis.boundary.delivery import layers as delivery_layers
from rivergis.errors import InputError, UsageError
from rivergis.intake import profile
from rivergis.intake.delivery import Asked as Read
from rivergis.reports import boundary_delivery, bundle
from rivergis.reports.boundary_delivery import Written
from rivergis.settings import gis_dir
from tests.boundary.deliver_ground import NAME, TERMS, VIEW, asked, delivery, folder, lines, over_two_zones

NAMES = delivery_files.names_of(VIEW.value("boundary.deliver.fields").value, profile.load_all(gis_dir() / "rules"))


def written(path: Path, told: Any = None, **how: Any) -> tuple[Path, Written]:
    told = delivery() if told is None else told
    return folder(path), boundary_delivery.write(told, delivery_layers.zones(told, TERMS), asked(**how), path)


def moved_m(one: Any, other: Any) -> float:
    """How far any shape moved: as Shapefiles turn rings round, shapes are compared as what they cover."""
    a, b = (np.asarray(g.geometry.values) for g in (one, other))
    return float(shapely.hausdorff_distance(a, b).max())


@pytest.mark.parametrize(("encoding", "cpg"), [("GBK", "GBK"), ("UTF-8", "UTF-8")])
def test_shapefiles_come_back_the_same(tmp_path: Path, encoding: str, cpg: str) -> None:
    out, done = written(tmp_path / "d", encoding=encoding, formats=("shp",))
    ours = delivery_layers.zones(delivery(), TERMS)[0].layers
    assert done.whole and not done.notes
    for name, frame in ours.items():
        assert (out / f"shp/{name}.cpg").read_text() == cpg
        back = gpd.read_file(out / f"shp/{name}.shp", encoding=encoding)
        assert back.crs.to_epsg() == 4544 and len(back) == len(frame)
        assert moved_m(back, frame) < 0.001
        assert max(len(c.encode(encoding)) for c in back.columns if c != "geometry") <= 10
    back = gpd.read_file(out / "shp/JZX.shp", encoding=encoding)
    assert list(back["HLMC"]) == [NAME] * 3 and list(back["AB"]) == ["左岸", "左岸", "右岸"]
    assert list(back["GGWH"]) == ["试府发〔2026〕1号"] * 3 and list(back["YSDM"]) == ["300000"] * 3
    assert np.allclose(back["QDZH"], [0, 1000, 0]) and [str(v)[:10] for v in back["GGRQ"]] == ["2026-05-20"] * 3
    names = (out / "shp/JZX.fields.csv").read_text(encoding="utf-8-sig")
    assert '"HLBM","river_code","河流编码"' in names


def test_our_own_door_reads_a_delivery_as_what_it_was(tmp_path: Path) -> None:
    out, _ = written(tmp_path / "d", formats=("shp", "gpkg"))
    for path in (out / "shp/JZX.shp", out / "result.gpkg"):
        back = delivery_files.delivery(delivery_files.Files(path, lines_layer="JZX"), "x", NAMES)
        given = lines()
        assert back.standing == "announced"
        for column in ("code", "river_code", "river", "bank", "line_type", "basis", "announce_doc_no"):
            assert list(back.lines[column]) == list(given[column]), column
        assert np.allclose(back.lines["to_m"].astype(float), given["to_m"])
        assert moved_m(back.lines.to_crs(4544), given.to_crs(4544)) < 0.001


def test_the_geopackage_has_every_layer_in_degrees_with_our_codes(tmp_path: Path) -> None:
    out, done = written(tmp_path / "d", formats=("gpkg",))
    layers = dict(pyogrio.list_layers(out / "result.gpkg"))
    assert set(layers) == set(done.counts)
    back = gpd.read_file(out / "result.gpkg", layer="JZX")
    assert back.crs.to_epsg() == 4490 and list(back["bank"]) == ["left", "left", "right"]
    assert {n: len(gpd.read_file(out / "result.gpkg", layer=n)) for n in layers} == done.counts


def test_the_drawing_has_layers_by_code_with_chinese_names(tmp_path: Path) -> None:
    out, _ = written(tmp_path / "d", formats=("dxf",))
    drawing = ezdxf.readfile(out / "result.dxf")
    assert drawing.encoding == "gbk"
    names = {e.dxf.layer for e in drawing.modelspace()}
    assert {"JZX_300000_管理范围界址线", "JZD_301000_管理范围界址点", "ZH_301001_桩号"} <= names
    drawn = [e for e in drawing.modelspace() if e.dxf.layer == "JZX_300000_管理范围界址线"]
    assert len(drawn) == 3
    assert {c for e in drawn for _, c in e.get_xdata("RIVERGIS")} >= {f"river={NAME}", "bank=左岸"}
    assert "LJ0001" in {e.dxf.text for e in drawing.modelspace().query("TEXT")}


def test_the_tables_say_north_and_east_and_degrees(tmp_path: Path) -> None:
    out, done = written(tmp_path / "d", formats=("xlsx",))
    book = openpyxl.load_workbook(out / "coordinates.xlsx")
    assert book.sheetnames == ["界址点坐标", "界线起止点", "界桩坐标", "说明"]
    head = [c.value for c in book["界址点坐标"][1]]
    first = dict(zip(head, [c.value for c in book["界址点坐标"][2]], strict=True))
    assert first["界址点号 point"] == "LJ0001" and first["X坐标(北) m X north, m"] > 3_000_000
    assert first["Y坐标(东) m Y east, m"] == pytest.approx(597_000, abs=0.001)
    assert first["经度(度分秒) longitude"].startswith("105°59′57.") and first["中央子午线 central meridian"] == 105
    assert book["界址点坐标"].max_row - 1 == done.counts["JZD"]
    assert book["界线起止点"].max_row - 1 == 3
    told = {r[0].value: r[1].value for r in book["说明"].iter_rows(min_row=2)}
    assert any("X为纵坐标(北)" in str(v) for v in told.values())


def test_a_draft_says_so_on_everything(tmp_path: Path) -> None:
    out, _ = written(tmp_path / "d", delivery("draft"))
    mark = "内部草稿·非测绘成果"
    assert mark in (out / "metadata.txt").read_text(encoding="utf-8-sig")
    assert any(mark in e.dxf.text for e in ezdxf.readfile(out / "result.dxf").modelspace().query("TEXT"))
    assert set(gpd.read_file(out / "shp/JZX.shp")["XLZT"]) == {mark}
    book = openpyxl.load_workbook(out / "coordinates.xlsx")
    assert any(mark in str(c.value) for row in book["说明"].iter_rows() for c in row)
    assert mark not in (written(tmp_path / "e")[0] / "metadata.txt").read_text(encoding="utf-8-sig")


def test_a_surrogate_is_a_sketch(tmp_path: Path) -> None:
    out, _ = written(tmp_path / "d", replace(delivery("draft"), lines=lines("surrogate")), formats=("txt",))
    assert "示意·非测绘成果" in (out / "metadata.txt").read_text(encoding="utf-8-sig")


def test_what_a_draft_says_of_its_rules_goes_out_in_words(tmp_path: Path) -> None:
    rule = '{"key": "boundary.leveed.berm_width", "value": 10, "unit": "m", "status": "confirmed", "ruleset": "anhui"}'
    told = replace(
        delivery("draft"), lines=lines("draft", rule=rule, source='{"layer": "toe", "feature": "7"}', hand_edited=[True, False, None], indicative=["示意", None, None])
    )  # fmt: skip
    assert told.sketch and not replace(told, lines=lines("draft", indicative=[None, False, "否"])).sketch
    out, done = written(tmp_path / "d", told, formats=("shp", "gpkg"))
    back = gpd.read_file(out / "shp/JZX.shp")
    assert back["HDGZ"].iloc[0].startswith("护堤地宽度 10 m(anhui") and back["LYTC"].iloc[0] == "toe · 7"
    assert list(back["SGXG"].fillna("")) == ["是", "否", ""] and list(back["SYBZ"].fillna("")) == ["示意", "", ""]
    assert gpd.read_file(out / "result.gpkg", layer="JZX")["rule"].iloc[0] == rule and done.whole


def test_two_zones_are_two_sets_of_files_and_said(tmp_path: Path) -> None:
    out, done = written(tmp_path / "d", over_two_zones())
    assert (out / "shp_zone35/JZX.shp").exists() and (out / "shp_zone36/JZX.shp").exists()
    assert (out / "result_zone35.dxf").exists() and "2 zones (35, 36)" in done.notes[0] and "1 lines" in done.notes[0]
    counts = [len(gpd.read_file(out / f"shp_zone{z}/JZX.shp")) for z in (35, 36)]
    assert sum(counts) == 4 and len(gpd.read_file(out / "result.gpkg", layer="JZX")) == 4
    assert gpd.read_file(out / "shp_zone36/JZX.shp").crs.to_epsg() == 4545


def test_text_that_gbk_lacks_is_said(tmp_path: Path) -> None:
    told = replace(delivery(), lines=lines(river="龘河😀"))
    _, done = written(tmp_path / "d", told, formats=("shp", "dxf"))
    assert not done.whole and any("GBK does not have" in n for n in done.notes)
    assert written(tmp_path / "e", told, formats=("shp",), encoding="UTF-8")[1].whole


def test_a_sealed_folder_checks_itself_and_replaces_only_its_like(tmp_path: Path) -> None:
    place = tmp_path / "out"
    for overwrite in (False, True):
        with bundle.whole(place, overwrite) as part:
            (part / "a.txt").write_text("甲")
            bundle.seal(part)
    said = (place / bundle.SUMS).read_text().split()
    assert said == [hashlib.sha256("甲".encode()).hexdigest(), "a.txt"]
    with pytest.raises(UsageError, match="not empty"), bundle.whole(place):
        raise AssertionError
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.doc").write_text("x")
    with pytest.raises(UsageError, match="not empty"), bundle.whole(tmp_path / "mine", overwrite=True):
        raise AssertionError
    with pytest.raises(RuntimeError), bundle.whole(tmp_path / "half"):
        raise RuntimeError
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "out"]


def test_files_of_offices_are_read_by_the_names_they_use(tmp_path: Path) -> None:
    frame = lines().rename(
        columns={"river_code": "河流编码", "bank": "岸别", "code": "界线编号", "from_m": "起点桩号", "to_m": "止点桩号"}
    )
    frame["岸别"] = ["左", "左岸", "R"]
    frame[["河流编码", "岸别", "界线编号", "起点桩号", "止点桩号", "geometry"]].to_crs(4523).to_file(
        tmp_path / "划界.shp", encoding="GBK"
    )
    back = delivery_files.delivery(delivery_files.Files(tmp_path / "划界.shp"), "x", NAMES)
    assert list(back.lines["bank"]) == ["left", "left", "right"] and list(back.lines["code"]) == ["a", "b", "c"]
    assert back.standing == "draft" and set(back.lines["basis"]) == {"draft"}
    assert moved_m(back.lines.to_crs(4544), lines().to_crs(4544)) < 0.001


def test_a_file_without_lines_or_with_several_layers_is_told(tmp_path: Path) -> None:
    lines().to_file(tmp_path / "two.gpkg", layer="alpha")
    lines().to_file(tmp_path / "two.gpkg", layer="beta")
    with pytest.raises(InputError, match="several layers of lines \\(alpha, beta\\)"):
        delivery_files.delivery(delivery_files.Files(tmp_path / "two.gpkg"), "x", NAMES)
    assert delivery_files.read(tmp_path / "two.gpkg", "lines", NAMES, layer="beta", asked=Read()) is not None
    gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(106, 29)], crs=4490).to_file(tmp_path / "points.gpkg")
    with pytest.raises(InputError, match="neither a line nor an area"):
        delivery_files.delivery(delivery_files.Files(tmp_path / "points.gpkg"), "x", NAMES)
