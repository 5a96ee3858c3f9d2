"""Formats of other programs: each is recognised with its version, refused with the export to ask for, or converted."""

from __future__ import annotations

import re
import shutil
import sqlite3
import struct
import zipfile
from pathlib import Path

import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from rivergis.errors import InputError
from rivergis.intake import foreign
from rivergis.intake.limits import Limits

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def ole(stream: str) -> bytes:
    """The header of a compound file with sectors of 512 bytes and a directory in the first that names one stream."""
    header = bytearray(512)
    header[:8], header[30:32], header[48:52] = OLE, (9).to_bytes(2, "little"), (0).to_bytes(4, "little")
    return bytes(header) + stream.encode("utf-16-le").ljust(512, b"\0")


def access(version: int, name: bytes = b"Standard Jet DB") -> bytes:
    return b"\0\1\0\0" + name + b"\0" + bytes([version]) + bytes(200)


def tar() -> bytes:
    return bytes(257) + b"ustar\x0000" + bytes(247)


CASES = [
    ("a.dwg", b"AC1032" + bytes(100), "AutoCAD 2018 or later, AC1032", "DXF"),
    ("a.dwg", b"AC1015" + bytes(100), "AutoCAD 2000-2002", "DXF"),
    ("a.dwg", b"AC1012" + bytes(100), "AutoCAD R13", "DXF"),
    ("a.dwg", b"AC1099" + bytes(100), "unknown release, AC1099", "DXF"),
    ("renamed.dxf", b"AC1027" + bytes(100), "AutoCAD 2013-2017", "DXF"),
    ("a.dgn", ole("Dgn~H"), "MicroStation V8", "V7 DGN"),
    ("a.mdb", access(0), "Access 97", ".gdb"),
    ("a.mdb", access(1), "Access 2000-2003 (Jet 4)", ".gdb"),
    ("a.accdb", access(3, b"Standard ACE DB"), "Access 2010", ".gdb"),
    ("a.udb", b"whatever", "SuperMap UDB", "Shapefile"),
    ("a.smwu", b"<?xml version='1.0'?><SuperMapWorkspace Version='1'/>", "SuperMap workspace", "data it points at"),
    ("a.WL", b"WMAP`D21" + bytes(300), "MapGIS 6.x file (lines, WL)", "Shapefiles"),
    ("a.wt", b"WMAP`D22" + bytes(300), "points", "Shapefiles"),
    ("a.wp", b"WMAP`D23" + bytes(300), "areas", "Shapefiles"),
    ("a.mpj", b"WMAP`D2:" + bytes(300), "MapGIS project", "files it points at"),
    ("a.hdf", b"anything", "MapGIS 10", "GeoPackage"),
    ("a.mxd", ole("Maps"), "ArcGIS map document", "data it points at"),
    ("a.aprx", b"PK\x03\x04" + bytes(50), "ArcGIS map document", "data it points at"),
    ("a.json", b'{"type" : "CIMMapDocument", "version": "3.0"}', "ArcGIS Pro", "data it points at"),
    ("a.e00", b"EXP  1 C:\\A.E00\r\n", "compressed ArcInfo", "uncompressed"),
    ("a.cas", b"CASS90\r\n", "CASS90", "DXF"),
    ("a.vct", b"HeadBegin\r\nDatamark:LANDUSE-VCT\r\nVersion:2.0\r\n", "VCT exchange file of land administration (2.0)", ".gdb"),
    ("a.ovobj", b"OviO" + bytes(900), "Ovital", "GCJ-02"),
    ("a.ovjsn", b"{}", "Ovital", "GCJ-02"),
    ("a.rar", b"Rar!\x1a\x07\x00", "RAR 4", "unpacked"),
    ("data.zip", b"Rar!\x1a\x07\x01\x00", "RAR 5", "unpacked"),
    ("a.7z", b"7z\xbc\xaf\x27\x1c", "7-Zip", "unpacked"),
    ("a.tar", tar(), "tar", "unpacked"),
    ("a.geojson.gz", b"\x1f\x8b\x08\0", "gzip", "unpacked"),
    ("a.pdf", b"%PDF-1.7\n", "a PDF", "vector"),
    ("a.caj", b"CAJ\0" + bytes(20), "CAJ", "XLSX"),
    ("a.doc", ole("WordDocument"), "Word 97-2003", ".docx"),
    ("a.doc", b"{\\rtf1", "old Word", ".docx"),
    ("a.wps", ole("WordDocument"), "WPS text", ".docx"),
    ("a.et", b"neither", "WPS table", ".xlsx"),
    ("a.las", b"LASF" + bytes(200), "point cloud", "GeoTIFF"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "version", "ask"), CASES, ids=[f"{n}-{v[:12]}" for n, _, v, _ in CASES])
def test_each_is_named_with_its_version_and_what_to_ask_for(
    tmp_path: Path, name: str, content: bytes, version: str, ask: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        foreign.refuse_foreign(path, content[: foreign.HEAD_BYTES])
    sentence = caught.value.sentence
    assert sentence.startswith(f"{name} is a") and version in sentence and ask in sentence.partition("ask for ")[2]
    assert re.search(r"请.*[\u4e00-\u9fff]", sentence) and "\n" not in sentence


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.shp", b"\0\0\x27\x0a" + bytes(96)),
        ("a.geojson", b'{"type": "FeatureCollection", "features": []}'),
        ("a.dxf", b"  0\nSECTION\n  2\nHEADER\n  9\n$ACADVER\n  1\nAC1015\n"),
        ("a.dgn", b"\x08\x09\xfe\x02" + bytes(100)),
        ("a.e00", b"EXP  0 C:\\A.E00\r\n"),
        ("a.xls", ole("Workbook")),
        ("a.et", ole("Workbook")),
        ("a.xlsx", b"PK\x03\x04" + b"xl/workbook.xml"),
        ("a.docx", b"PK\x03\x04" + b"word/document.xml"),
        ("a.hdf", b"\x89HDF\r\n\x1a\n"),
        ("a.csv", "点号,X,Y\n1,2,3\n".encode()),
        ("a.dat", b"1,,587399.8,3248399.3,210.1\n"),
        ("points.job", b"1,K1,3248399.3,587399.8,210\n"),
        ("a.gpkg", b"SQLite format 3\0"),
        ("a.gdb", b""),
        ("empty.shp", b""),
    ],
)
def test_what_others_read_passes(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    foreign.refuse_foreign(path, content)
    assert foreign.refuse_or_convert(path, Limits()) is None


def test_real_files_pass(test_data: Path) -> None:
    for path in sorted(p for p in test_data.rglob("*") if p.is_file()):
        if path.suffix.lower() in {
            ".shp",
            ".gpkg",
            ".geojson",
            ".tif",
            ".gpx",
            ".csv",
            ".dbf",
            ".kml",
            ".xlsx",
            ".zip",
        }:
            assert foreign.refuse_or_convert(path, Limits()) is None, path


def test_an_ofd_is_known_by_what_lies_in_it(tmp_path: Path) -> None:
    path = tmp_path / "announcement.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("OFD.xml", "<ofd/>")
    with pytest.raises(InputError, match="OFD document"):
        foreign.refuse_foreign(path, path.read_bytes())


@given(st.binary(max_size=300), st.sampled_from(["a.shp", "a.dgn", "a.doc", "a.sqlite", "a.xyz", "a"]), st.sampled_from([b"", OLE, b"AC10", b"WMAP", b"SQLite format 3\0", b"PK\x03\x04", b"Rar!"]))  # fmt: skip
def test_any_beginning_is_refused_in_one_sentence_or_passes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str, begin: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(begin + content)
    try:
        foreign.refuse_foreign(path, begin + content)
    except InputError as error:
        assert "\n" not in error.sentence and name in error.sentence


def test_every_row_of_the_table_is_whole_and_no_ending_stands_twice() -> None:
    seen: dict[str, str] = {}
    for key, row in foreign.formats().items():
        assert set(row) == {"name", "endings", "ask"} and len(row["name"]) == len(row["ask"]) == 2, key
        assert row["name"][1].startswith(("a ", "an ")) and re.search(r"[\u4e00-\u9fff]", row["ask"][0]), key
        for ending in row["endings"]:
            assert ending not in seen, f"{ending}: {key} and {seen.get(ending)}"
            seen[ending] = key


# --- conversion


def gaia(point: tuple[float, float], srid: int = 4490) -> bytes:
    """A point as SpatiaLite stores it."""
    x, y = point
    return struct.pack("<BBi4dBidd", 0, 1, srid, x, y, x, y, 0x7C, 1, x, y) + b"\xfe"


def udbx(path: Path, blobs: list[bytes]) -> Path:
    """A SuperMap UDBX in the small: its register, SpatiaLite's tables, and one data set."""
    db = sqlite3.connect(path)
    db.executescript("""
        CREATE TABLE SmRegister (SmDatasetID INTEGER, SmDatasetName TEXT, SmDatasetType INTEGER);
        CREATE TABLE spatial_ref_sys (srid INTEGER PRIMARY KEY, auth_name TEXT, auth_srid INTEGER, ref_sys_name TEXT, proj4text TEXT, srtext TEXT);
        CREATE TABLE geometry_columns (f_table_name TEXT, f_geometry_column TEXT, geometry_type INTEGER, coord_dimension INTEGER,
                                       srid INTEGER, spatial_index_enabled INTEGER);
        INSERT INTO spatial_ref_sys VALUES (4490, 'epsg', 4490, 'CGCS2000', '+proj=longlat +ellps=GRS80 +no_defs', NULL);
        INSERT INTO SmRegister VALUES (1, 'outfalls', 1);
        INSERT INTO geometry_columns VALUES ('outfalls', 'SmGeometry', 1, 2, 4490, 0);
        CREATE TABLE outfalls (SmID INTEGER PRIMARY KEY, 名称 TEXT, SmGeometry BLOB);
    """)
    db.execute("UPDATE spatial_ref_sys SET srtext = ?", [CRS.from_epsg(4490).to_wkt("WKT1_GDAL")])
    db.executemany(
        "INSERT INTO outfalls (名称, SmGeometry) VALUES (?, ?)", [(f"排口{i}", b) for i, b in enumerate(blobs)]
    )
    db.commit()
    db.close()
    return path


def test_a_udbx_with_open_geometry_is_converted_whole(tmp_path: Path) -> None:
    points = [(105.9, 29.35), (105.91, 29.36)]
    made = foreign.refuse_or_convert(udbx(tmp_path / "河道.udbx", [gaia(p) for p in points]), Limits())
    assert made is not None and made.suffix == ".gpkg"
    frame = pyogrio.read_dataframe(made, layer="outfalls")
    assert list(frame["名称"]) == ["排口0", "排口1"] and frame.crs.to_epsg() == 4490
    assert shapely.get_coordinates(frame.geometry).tolist() == [list(p) for p in points]
    assert "河道.udbx" in foreign.conversion(tmp_path / "河道.udbx", made).message


def test_a_udbx_with_closed_geometry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"UDBX.*iDesktop"):
        foreign.refuse_or_convert(udbx(tmp_path / "a.udbx", [b"\x01\x02\x03" * 30]), Limits())


def test_a_damaged_udbx_is_refused(tmp_path: Path) -> None:
    path = udbx(tmp_path / "a.udbx", [gaia((105.9, 29.35))])
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="UDBX"):
        foreign.refuse_or_convert(path, Limits())


def test_a_converter_that_fails_leads_to_the_refusal(tmp_path: Path) -> None:
    path = tmp_path / "a.dwg"
    path.write_bytes(b"AC1032" + b"\xff" * 5000)
    with pytest.raises(InputError, match="AutoCAD 2018"):
        foreign.refuse_or_convert(path, Limits(seconds=20))


@pytest.mark.skipif(not shutil.which("dxf2dwg") or not shutil.which("dwg2dxf"), reason="LibreDWG is not installed")
def test_a_dwg_is_converted_where_libredwg_is_installed(tmp_path: Path) -> None:
    import subprocess

    import ezdxf

    drawing = ezdxf.new("R2000")
    drawing.modelspace().add_line((587399.8, 3248399.3), (587499.8, 3248399.3))
    drawing.saveas(tmp_path / "a.dxf")
    subprocess.run(["dxf2dwg", "-y", "-o", str(tmp_path / "a.dwg"), str(tmp_path / "a.dxf")], check=True)
    made = foreign.refuse_or_convert(tmp_path / "a.dwg", Limits(seconds=60))
    assert made is not None
    assert pyogrio.read_dataframe(made).geometry.iloc[0].length == pytest.approx(100)
