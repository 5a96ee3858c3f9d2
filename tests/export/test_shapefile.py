"""Shapefiles for survey offices: encodings, short names, widths, and the files that belong together."""

from __future__ import annotations

import csv
import subprocess
import zipfile
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis.db.connect import Database
from rivergis.errors import inert
from rivergis.maps.export_text import cut_to, short_names
from tests.export.conftest import LONG, points, send, take
from tests.export.reading import plain


def test_gbk_shapefile_says_its_encoding_three_ways(filled: Database, tmp_path: Path) -> None:
    out = tmp_path / "排污口.shp"
    done = send(filled, "outfall", out, encoding="GBK", crs="local")
    assert out.with_suffix(".cpg").read_text() == "GBK"
    body = out.with_suffix(".dbf").read_bytes()
    assert body[29] == 0x4D
    assert "云溪河0号口".encode("gbk") in body
    assert (
        out.with_suffix(".prj")
        .read_text()
        .startswith('PROJCS["CGCS2000_3_Degree_GK_CM_105E",GEOGCS["GCS_China_Geodetic')
    )
    out.with_suffix(".cpg").unlink()  # the header alone must do
    assert pyogrio.read_dataframe(out)["name"].iloc[0] == "云溪河0号口"
    assert done.whole is False
    assert any("GBK does not have" in n and "备注 (𠮷野家…)" in n for n in done.notes)
    assert any("254 bytes" in n and "长文本" in n for n in done.notes)


@pytest.mark.parametrize("encoding", ["GBK", "UTF-8"])
def test_wide_text_is_cut_between_characters_and_said(filled: Database, tmp_path: Path, encoding: str) -> None:
    out = tmp_path / "x.shp"
    done = send(filled, "outfall", out, encoding=encoding)
    [text] = set(pyogrio.read_dataframe(out)["长文本"])
    assert LONG.startswith(text)
    assert 250 <= len(text.encode(encoding)) <= 254
    assert not done.whole


def test_the_side_table_gives_every_short_name_its_meaning(filled: Database, tmp_path: Path) -> None:
    out = tmp_path / "x.shp"
    send(filled, "outfall", out)
    rows = list(csv.DictReader((tmp_path / "x.fields.csv").open(encoding="utf-8-sig", newline="")))
    assert [r["field"] for r in rows] == list(pyogrio.read_info(out)["fields"])
    meaning = {r["column"]: (r["field"], r["中文"]) for r in rows}
    assert meaning["approval_kind"] == ("approval_k", "审批方式")
    assert meaning["设计流量立方米每秒"][0] == "设计流"


def test_zip_holds_the_whole_shapefile_and_nothing_else(filled: Database, tmp_path: Path) -> None:
    out = tmp_path / "x.zip"
    send(filled, "outfall", out)
    assert sorted(zipfile.ZipFile(out).namelist()) == ["x.cpg", "x.dbf", "x.fields.csv", "x.prj", "x.shp", "x.shx"]
    assert [p.name for p in tmp_path.iterdir()] == ["x.zip"]


def test_points_and_areas_of_one_layer_have_a_file_each(db: Database, tmp_path: Path) -> None:
    shapes = [shapely.Point(106, 29), shapely.box(106, 29, 106.1, 29.1), shapely.Point(106.2, 29)]
    frame = gpd.GeoDataFrame({"code": list("abc"), "kind": "dump", "source_kind": "report"}, geometry=shapes, crs=4490)
    take(db, "candidate", frame, tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    done = send(db, "candidate", out / "c.shp")
    assert [(Path(f["file"]).name, f["count"], f["geometry"]) for f in done.files] == [
        ("c_point.shp", 2, "Point"),
        ("c_area.shp", 1, "MultiPolygon"),
    ]
    send(db, "candidate", out / "c.gpkg")
    assert list(pyogrio.read_dataframe(out / "c.gpkg").geom_type) == ["Point", "MultiPolygon", "Point"]


def test_a_layer_over_two_zones_has_a_file_for_each(db: Database, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"code": ["w", "e"], "name": ["w", "e"]}, geometry=gpd.points_from_xy([106.4, 106.6], [29, 29]), crs=4490
    )
    take(db, "outfall", frame, tmp_path)
    done = send(db, "outfall", tmp_path / "o.csv", crs="local")
    assert [(Path(f["file"]).name, f["crs"]) for f in done.files] == [
        ("o_zone35.csv", "EPSG:4544"),
        ("o_zone36.csv", "EPSG:4545"),
    ]
    assert any("several 3-degree zones" in n for n in done.notes)
    assert send(db, "outfall", tmp_path / "one.csv", crs="EPSG:4544").files[0]["count"] == 2


def test_numbers_too_wide_for_a_dbf_column_keep_their_digits(db: Database, tmp_path: Path) -> None:
    values = [1.5e-12, 123456789012.12345, -9.87654321e15, 0.1, 1e22, 3.0]
    frame = points(6).assign(wide=values)
    take(db, "outfall", frame, tmp_path)
    send(db, "outfall", tmp_path / "o.shp")
    assert pyogrio.read_dataframe(tmp_path / "o.shp")["wide"].tolist() == pytest.approx(values, rel=1e-12)


def test_gdal_3_6_reads_the_geopackage(filled: Database, tmp_path: Path) -> None:
    out = tmp_path / "x.gpkg"
    send(filled, "water_area", out, layer_name="水域")
    try:
        done = subprocess.run(["ogrinfo", "-al", "-so", str(out)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("ogrinfo (Debian: gdal-bin) is not installed")
    assert done.stderr == ""
    assert "Layer name: 水域" in done.stdout
    assert "Feature Count: 2" in done.stdout
    assert int.from_bytes(out.read_bytes()[60:64], "big") == 10300  # user_version: 1.3


@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=14), max_size=40, unique=True
    ),
    st.sampled_from(["GBK", "UTF-8"]),
)
def test_short_names_fit_and_differ(names: list[str], encoding: str) -> None:
    short = short_names(names, encoding)
    assert all(0 < len(s.encode(encoding)) <= 10 for s in short)
    assert len({s.casefold() for s in short}) == len(names)


@given(st.text(st.characters(exclude_categories=("Cs",))), st.integers(0, 300), st.sampled_from(["GBK", "UTF-8"]))
def test_cutting_never_leaves_half_a_character(text: str, size: int, encoding: str) -> None:
    short = cut_to(text, size, encoding)
    assert len(short.encode(encoding)) <= size
    assert encoding == "GBK" or text.startswith(short)


@given(st.text())
def test_inert_text_is_no_formula_and_gives_the_text_back(text: str) -> None:
    made = inert(text)
    assert plain(made) == text or made == text
    assert not made.startswith(tuple("=@\t\r\n"))
