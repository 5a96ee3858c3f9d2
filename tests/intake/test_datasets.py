"""Vector files as they are: every format, every layer, damaged and odd ones, whole and in pieces."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
import threading
import warnings
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis.errors import InputError, RivergisError, UsageError
from rivergis.intake import datasets
from rivergis.intake.delivery import Asked, Delivered, Reading
from rivergis.intake.limits import DEFAULT, Limits

RIVERS = ["永川河", "临江河", "小安溪", "九龙河", "圣水河"]
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpkg": (".gpkg", {}),
    "geojson": (".geojson", {}),
    "sequence": (".geojsonl", {"driver": "GeoJSONSeq"}),
    "fgb": (".fgb", {"SPATIAL_INDEX": "NO"}),
    "kml": (".kml", {"driver": "LIBKML"}),
    "gml": (".gml", {}),
    "shp": (".shp", {"encoding": "UTF-8"}),
    "shp gbk": (".shp", {"encoding": "GBK"}),
    "tab": (".tab", {"driver": "MapInfo File", "ENCODING": "UTF-8"}),
    "mif": (".mif", {"driver": "MapInfo File", "ENCODING": "UTF-8"}),
    "sqlite": (".sqlite", {"driver": "SQLite"}),
    "gdb": (".gdb", {"driver": "OpenFileGDB"}),
    "parquet": (".parquet", {}),
}


def frame(count: int = 5, crs: str | None = "EPSG:4490") -> gpd.GeoDataFrame:
    lines = [shapely.LineString([(106 + i, 29), (106.1 + i, 29.2)]) for i in range(count)]
    return gpd.GeoDataFrame(
        {"名称": [RIVERS[i % 5] for i in range(count)], "len": [i * 1.5 for i in range(count)]}, geometry=lines, crs=crs
    )


def put(path: Path, data: gpd.GeoDataFrame | None = None, **how: Any) -> Path:
    data = frame() if data is None else data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if path.suffix == ".parquet":
            data.to_parquet(path, **how)
        else:
            data.to_file(path, **how)
    return path


def read(path: Path, **asked: Any) -> Reading:
    return datasets.read_vector(path, Asked(**asked), DEFAULT)


def only(path: Path, **asked: Any) -> Delivered:
    (layer,) = read(path, **asked).layers
    return layer


def codes(layer: Delivered, *, alarms: bool = True) -> list[str]:
    return [d.code for d in layer.defects if (d.severity != "info") == alarms]


def texts(layer: Delivered) -> list[Any]:
    assert layer.frame is not None
    return [v for c in layer.frame.columns for v in layer.frame[c] if isinstance(v, str)]


# ---- every format ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_written_is_what_is_read(tmp_path: Path, name: str) -> None:
    ending, how = FORMATS[name]
    path = put(tmp_path / f"河道{ending}", **how)
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    layer = only(path)
    assert (layer.name, layer.kind, layer.count, layer.readable) == ("河道", "vector", 5, True)
    assert set(RIVERS) <= set(texts(layer)) and not codes(layer)
    assert (
        layer.shapes is not None
        and shapely.equals_exact(
            layer.shapes, [_multi(layer.shapes[i], s) for i, s in enumerate(frame().geometry)], 1e-6
        ).all()
    )
    assert layer.declared.where == {"kml": "format", "sequence": "format", "geojson": "crs_member"}.get(
        name, "prj" if "shp" in name else "file"
    )
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before, (
        "nothing is written beside the user's file"
    )


def _multi(like: Any, shape: Any) -> Any:
    """The shape as the format keeps it (FileGDB knows only multi-lines)."""
    return shapely.MultiLineString([shape]) if like.geom_type == "MultiLineString" else shape


@pytest.mark.parametrize("name", FORMATS)
@settings(deadline=None, max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.integers(1, 7))
def test_pieces_make_up_the_whole(tmp_path: Path, name: str, rows: int) -> None:
    ending, how = FORMATS[name]
    path = tmp_path / f"a{ending}"
    if not path.exists():
        put(path, **how)
    whole = only(path)
    assert whole.frame is not None
    pieces = list(datasets.stream(path, whole.name, Asked(), whole.encoding, rows))
    assert sum(p.count for p in pieces) == whole.count and all(p.count <= rows for p in pieces)
    ids = [i for p in pieces if p.frame is not None for i in p.frame.index]
    assert ids == list(whole.frame.index)
    shapes = np.concatenate([p.shapes for p in pieces if p.shapes is not None])
    assert shapely.equals_identical(shapes, whole.shapes).all()
    assert [t for p in pieces for t in texts(p) if t in RIVERS] == [t for t in texts(whole) if t in RIVERS]


def test_layers_too_large_to_hold_are_sampled_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "_HELD_FEATURES", 100)
    layer = only(put(tmp_path / "a.gpkg", frame(1000)))
    assert layer.sampled and layer.frame is not None and layer.bounds is not None and layer.shapes is not None
    assert layer.count == 1000 and layer.bounds.shape == (1000, 4)
    steps = np.diff(layer.frame.index)
    assert 50 <= len(layer.frame) <= 100 and len(set(steps)) == 1
    assert np.allclose(layer.bounds[layer.frame.index - 1], shapely.bounds(layer.shapes))


def test_one_layer_of_several(tmp_path: Path) -> None:
    for name in ("岸线", "界桩"):
        put(tmp_path / "a.gpkg", layer=name)
    assert [d.name for d in read(tmp_path / "a.gpkg").layers] == ["岸线", "界桩"]
    assert only(tmp_path / "a.gpkg", layer="界桩").count == 5
    with pytest.raises(InputError, match="has no layer '河道'; it has 岸线, 界桩"):
        read(tmp_path / "a.gpkg", layer="河道")


# ---- what a file declares -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("member", "where", "wkt"),
    [
        (..., "format", "EPSG:4326"),
        (None, "none", None),
        ("urn:ogc:def:crs:EPSG::4490", "crs_member", "EPSG:4490"),
        ("EPSG:4545", "crs_member", "EPSG:4545"),
        ("CGCS2000_3_Degree_GK_CM_108E", "crs_member", "CGCS2000_3_Degree_GK_CM_108E"),
    ],
)
def test_the_crs_member_of_a_geojson(tmp_path: Path, member: Any, where: str, wkt: str | None) -> None:
    point = {"type": "Feature", "properties": {"n": "甲"}, "geometry": {"type": "Point", "coordinates": [106, 29]}}
    said = {} if member is ... else {"crs": member and {"type": "name", "properties": {"name": member}}}
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", **said, "features": [point]}))
    declared = only(tmp_path / "a.geojson").declared
    assert (declared.where, declared.wkt) == (where, wkt)


@pytest.mark.parametrize("srs_id", [0, -1])
def test_an_undefined_system_of_a_geopackage_is_none(tmp_path: Path, srs_id: int) -> None:
    path = put(tmp_path / "a.gpkg", frame(crs=None))
    with sqlite3.connect(path) as base:
        base.execute("UPDATE gpkg_contents SET srs_id = ?", (srs_id,))
        base.execute("UPDATE gpkg_geometry_columns SET srs_id = ?", (srs_id,))
    base.close()
    assert only(path).declared.where == "none"


@pytest.mark.parametrize("raw", [b"GEOGCS[garbage", 'PROJCS["地方独立坐标系",'.encode("gbk"), b"\xff\xfe\x00"])
def test_a_prj_nobody_can_parse_is_handed_on_as_it_is(tmp_path: Path, raw: bytes) -> None:
    path = put(tmp_path / "a.shp")
    path.with_suffix(".prj").write_bytes(raw)
    layer = only(path)
    assert layer.count == 5 and layer.declared.where in ("prj", "none")
    if raw != b"\xff\xfe\x00":
        assert layer.declared.wkt == raw.decode("gbk")


# ---- encodings ------------------------------------------------------------------------------------------------------


def dbf_says(path: Path, language: int) -> None:
    raw = bytearray(path.with_suffix(".dbf").read_bytes())
    raw[29] = language
    path.with_suffix(".dbf").write_bytes(raw)


@pytest.mark.parametrize(
    ("written", "cpg", "language", "info", "alarm"),
    [
        ("GBK", "GBK", 0, [], []),
        ("GBK", None, 0x4D, [], []),
        ("GBK", None, 0, ["encoding_guessed"], []),
        ("GBK", None, 0x57, ["encoding_guessed"], []),
        ("UTF-8", None, 0, ["encoding_guessed"], []),
        ("GBK", "UTF-8", 0, [], ["encoding_mismatch"]),
        ("UTF-8", "GBK", 0, [], ["encoding_mismatch"]),
        ("UTF-8", None, 0x4D, [], ["encoding_mismatch"]),
    ],
)
def test_the_bytes_of_a_dbf_decide(
    tmp_path: Path, written: str, cpg: str | None, language: int, info: list[str], alarm: list[str]
) -> None:
    path = put(tmp_path / "a.shp", encoding=written)
    path.with_suffix(".cpg").unlink()
    if cpg:
        path.with_suffix(".cpg").write_text(cpg)
    dbf_says(path, language)
    layer = only(path)
    assert texts(layer) == RIVERS and next(iter(layer.frame.columns)) == "名称"  # type: ignore[union-attr]
    assert layer.encoding == {"GBK": "gb18030", "UTF-8": "utf-8"}[written]
    assert ([c for c in codes(layer, alarms=False) if c.startswith("enc")], codes(layer)) == (info, alarm)


def test_the_user_overrules(tmp_path: Path) -> None:
    path = put(tmp_path / "a.shp", encoding="GBK")
    assert texts(only(path, encoding="latin-1"))[0] == RIVERS[0].encode("gbk").decode("latin-1")
    assert only(path, encoding="CP936").encoding_basis == "given (--encoding)"
    with pytest.raises(UsageError):
        read(path, encoding="KLINGON")


KML = '<?xml version="1.0"{}?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>成果</name>{}</Document></kml>'
PLACES = (
    '<Folder><name>左岸</name><Placemark><name>永川河</name><ExtendedData><Data name="编号"><value>甲一</value></Data>'
    '<Data name="河长"><value>李</value></Data></ExtendedData><Point><coordinates>106,29,3</coordinates></Point></Placemark></Folder>'
    "<Folder><name>右岸</name><Placemark><name>临江河</name><Point><coordinates>106,29</coordinates></Point></Placemark></Folder>"
)


@pytest.mark.parametrize(
    ("said", "encoding", "code"),
    [
        (' encoding="GBK"', "gbk", None),
        (' encoding="GB2312"', "gbk", None),
        (' encoding="UTF-16"', "utf-16", None),
        ("", "utf-8", None),
        ("", "gbk", "encoding_guessed"),
        (' encoding="UTF-8"', "gbk", "encoding_mismatch"),
    ],
)
def test_kml_in_any_encoding_with_its_folders_and_fields(
    tmp_path: Path, said: str, encoding: str, code: str | None
) -> None:
    (tmp_path / "a.kml").write_bytes(KML.format(said, PLACES).encode(encoding))
    left, right = read(tmp_path / "a.kml").layers
    assert (left.name, right.name) == ("左岸", "右岸")
    assert left.frame is not None and left.frame.iloc[0][["Name", "编号", "河长"]].tolist() == ["永川河", "甲一", "李"]
    assert [d.code for d in left.defects] == ([code] if code else [])
    assert left.facts["dimensions"] == "XYZ"


def test_a_kml_that_only_links(tmp_path: Path) -> None:
    link = "<NetworkLink><Link><href>http://example.org/y.kml</href></Link></NetworkLink>"
    (tmp_path / "a.kml").write_text(KML.format("", link))
    with pytest.raises(InputError, match=r"links to data kept elsewhere \(http://example.org/y.kml\)"):
        read(tmp_path / "a.kml")
    (tmp_path / "b.kml").write_text(KML.format("", link + PLACES))
    assert [d.code for d in read(tmp_path / "b.kml").defects] == ["network_link"]


def test_drawings_in_the_code_page_of_windows(tmp_path: Path) -> None:
    drawing = (
        "0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1015\n{}9\n$INSUNITS\n70\n6\n0\nENDSEC\n0\nSECTION\n2\nENTITIES\n"
        "0\nLINE\n8\n河道中心线\n10\n0\n20\n0\n11\n1\n21\n1\n0\nENDSEC\n0\nEOF\n"
    )
    for said, info in (("9\n$DWGCODEPAGE\n3\nANSI_936\n", []), ("", ["encoding_guessed"])):
        (tmp_path / "a.dxf").write_bytes(drawing.format(said).encode("gbk"))
        layer = only(tmp_path / "a.dxf")
        assert layer.frame is not None and layer.frame["Layer"].tolist() == ["河道中心线"]
        assert (layer.facts["drawing_units"], layer.declared.where) == ("metres", "none")
        assert (codes(layer), codes(layer, alarms=False)) == ([], info)


@pytest.mark.parametrize(
    ("charset", "code"),
    [("WindowsSimpChinese", None), ("Neutral", "encoding_guessed"), ("WindowsLatin1", "encoding_mismatch")],
)
def test_mapinfo_in_gbk(tmp_path: Path, charset: str, code: str | None) -> None:
    put(tmp_path / "u.mif", driver="MapInfo File", ENCODING="UTF-8")
    head = (tmp_path / "u.mif").read_text("utf-8").replace("Version 1520", "Version 300").replace("UTF-8", charset)
    (tmp_path / "a.mif").write_bytes(head.encode("gbk"))
    (tmp_path / "a.mid").write_bytes((tmp_path / "u.mid").read_text("utf-8").encode("gbk"))
    layer = only(tmp_path / "a.mif")
    assert texts(layer) == RIVERS and [d.code for d in layer.defects] == ([code] if code else [])


def _mapinfo_with(folder: Path, system: str) -> Delivered:
    put(folder / "u.mif", frame(crs=None), driver="MapInfo File", ENCODING="UTF-8")
    said = (folder / "u.mif").read_text("utf-8").replace("Columns", f"{system}\nColumns", 1)
    (folder / "u.mif").write_text(said, "utf-8")
    return only(folder / "u.mif")


def test_a_projected_system_of_mapinfo_keeps_its_datum_though_it_has_no_name(tmp_path: Path) -> None:
    old = _mapinfo_with(tmp_path, 'CoordSys Earth Projection 8, 1001, "m", 105, 0, 1, 500000, 0')
    assert old.declared.where == "file" and "Krassovsky" in (old.declared.wkt or "")
    plane = _mapinfo_with(tmp_path, 'CoordSys NonEarth Units "m" Bounds (0, 0) (1000000, 5000000)')
    assert plane.declared.wkt is None


def _all_called(raw: bytes, name: bytes) -> bytes:
    """A .dbf whose fields all have one name."""
    fields = (int.from_bytes(raw[8:10], "little") - 33) // 32
    starts = [32 + 32 * i for i in range(fields)]
    for start in starts:
        raw = raw[:start] + name[:10].ljust(11, b"\0") + raw[start + 11 :]
    return raw


@pytest.mark.parametrize(("code", "shown"), [("gbk", "河道管理范"), ("utf-8", "河道管")])
def test_long_names_that_ten_bytes_make_the_same_keep_their_values(tmp_path: Path, code: str, shown: str) -> None:
    path = put(tmp_path / "a.shp", encoding=code)
    table = path.with_suffix(".dbf")
    table.write_bytes(_all_called(table.read_bytes(), "河道管理范围编号".encode(code)))
    layer = only(path)
    assert layer.frame is not None and layer.frame.columns.tolist() == [shown, f"{shown}_2"]
    assert layer.frame[shown].tolist() == RIVERS and layer.frame[f"{shown}_2"].tolist() == [0, 1.5, 3, 4.5, 6]
    assert "names_repeated" in codes(layer, alarms=False) and not codes(layer)
    pieces = list(datasets.stream(path, "a", Asked(), layer.encoding, rows=2))
    assert [p.frame.columns.tolist() for p in pieces if p.frame is not None] == [[shown, f"{shown}_2"]] * 3


def test_values_cut_at_the_width_of_their_field(tmp_path: Path) -> None:
    data = frame()
    data["备注"] = [f"{r}左岸管理范围线待核实" for r in RIVERS]
    path = put(tmp_path / "a.shp", data, encoding="GBK")
    raw = path.with_suffix(".dbf").read_bytes()
    path.with_suffix(".dbf").write_bytes(_narrowed(raw, "备注".encode("gbk"), 11))
    layer = only(path)
    assert codes(layer) == ["text_truncated"] and layer.defects[0].count == 5
    assert layer.frame is not None and layer.frame["备注"].tolist() == [f"{r}左岸" for r in RIVERS]


def _narrowed(raw: bytes, name: bytes, width: int) -> bytes:
    """A .dbf with one field cut to a width, as old software writes it."""
    head, size = int.from_bytes(raw[8:10], "little"), int.from_bytes(raw[10:12], "little")
    starts, at = {}, 1
    for i in range(32, head - 1, 32):
        starts[raw[i : i + 11].split(b"\0")[0]] = (i, at, raw[i + 16])
        at += raw[i + 16]
    field, start, old = starts[name]
    header = bytearray(raw[:head])
    header[field + 16], header[10:12] = width, (size - old + width).to_bytes(2, "little")
    rows = [raw[i : i + size] for i in range(head, len(raw) - 1, size)]
    return bytes(header) + b"".join(r[: start + width] + r[start + old :] for r in rows) + b"\x1a"


# ---- damage ---------------------------------------------------------------------------------------------------------


def test_a_damaged_record_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = put(tmp_path / "a.shp", frame(38))
    raw = bytearray(path.read_bytes())
    size = (len(raw) - 100) // 38
    at = 100 + 20 * size + 8 + 40
    raw[at : at + 4] = b"\xff\xff\xff\x7f"  # it claims two thousand million points
    path.write_bytes(raw)
    layer = only(path)
    assert layer.shapes is not None and layer.count == 38 and (~shapely.is_missing(layer.shapes)).sum() == 37
    (found,) = [d for d in layer.defects if d.code == "record_damaged"]
    assert (found.severity, found.features, found.count) == ("error", ("20",), 1)
    assert texts(layer) == [RIVERS[i % 5] for i in range(38)]


def _write(raw: bytearray, at: int, kind: str, value: int) -> None:
    struct.pack_into(kind, raw, at, value)


DAMAGE: dict[str, Any] = {
    "length": lambda raw, at, size: _write(raw, at + 4, ">i", 10**8),
    "length a little": lambda raw, at, size: _write(raw, at + 4, ">i", size // 2),
    "negative length": lambda raw, at, size: _write(raw, at + 4, ">i", -5),
    "kind": lambda raw, at, size: _write(raw, at + 8, "<i", 99),
    "number of points": lambda raw, at, size: _write(raw, at + 48, "<i", 2 * 10**9),
    "no points": lambda raw, at, size: _write(raw, at + 48, "<i", 0),
    "number of parts": lambda raw, at, size: _write(raw, at + 44, "<i", -1),
    "beginning of parts": lambda raw, at, size: _write(raw, at + 52, "<i", 10**6),
    "bytes lost": lambda raw, at, size: raw.__delitem__(slice(at + 30, at + 40)),
}


@pytest.mark.parametrize("index", ["with its index", "without"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_all_but_the_damaged_feature_are_read(tmp_path: Path, damage: str, index: str) -> None:
    path = put(tmp_path / "a.shp", frame(38))
    raw = bytearray(path.read_bytes())
    size = (len(raw) - 100) // 38
    DAMAGE[damage](raw, 100 + 20 * size, size)
    path.write_bytes(raw)
    if index == "without":
        path.with_suffix(".shx").unlink()
    layer = only(path)
    assert layer.shapes is not None and layer.count == 38
    missing = np.flatnonzero(shapely.is_missing(layer.shapes)).tolist()
    assert missing in ([], [20])  # a wrong length harms nobody where the index knows the right one
    assert [d.features for d in layer.defects if d.severity == "error"] == ([("20",)] if missing else [])
    sound = [i for i in range(38) if i != 20]
    assert shapely.equals_identical(layer.shapes[sound], frame(38).geometry.to_numpy()[sound]).all()


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(1, 600))
def test_a_shapefile_that_was_cut_off_gives_what_is_whole(tmp_path: Path, cut: int) -> None:
    path = put(tmp_path / "a.shp")
    raw = path.read_bytes()
    path.write_bytes(raw[: max(0, len(raw) - cut)])
    size = (len(raw) - 100) // 5
    whole = max(0, len(raw) - 100 - cut) // size
    if whole == 0:
        with pytest.raises(InputError):
            read(path)
        return
    layer = only(path)
    assert layer.shapes is not None and (layer.count, int((~shapely.is_missing(layer.shapes)).sum())) == (5, whole)
    assert "record_damaged" in codes(layer)


@pytest.mark.parametrize(("part", "severity"), [(".shx", "info"), (".dbf", "warning"), (".prj", None), (".cpg", None)])
def test_a_missing_part_is_said_and_made_up_for(tmp_path: Path, part: str, severity: str | None) -> None:
    path = put(tmp_path / "a.shp")
    path.with_suffix(part).unlink()
    layer = only(path)
    assert layer.count == 5 and layer.shapes is not None and not shapely.is_missing(layer.shapes).any()
    assert [d.severity for d in layer.defects if d.code == "part_missing"] == ([severity] if severity else [])
    assert not path.with_suffix(part).exists()


def test_a_lone_dbf_is_a_table(tmp_path: Path) -> None:
    path = put(tmp_path / "a.shp", encoding="GBK")
    for part in (".shp", ".shx", ".cpg"):
        path.with_suffix(part).unlink()
    layer = only(path.with_suffix(".dbf"))
    assert (layer.kind, layer.count, layer.shapes) == ("table", 5, None) and texts(layer) == RIVERS


def test_claims_of_a_dbf_are_not_believed(tmp_path: Path) -> None:
    path = put(tmp_path / "a.shp")
    raw = bytearray(path.with_suffix(".dbf").read_bytes())
    raw[4:8] = b"\xff\xff\xff\x7f"
    path.with_suffix(".dbf").write_bytes(raw)
    layer = only(path)
    assert layer.count == 5 and texts(layer) == RIVERS and "length_wrong" in codes(layer)


def test_names_in_capitals_and_odd_endings(tmp_path: Path) -> None:
    path = put(tmp_path / "up.shp")
    for part in list(tmp_path.iterdir()):
        part.rename(tmp_path / f"UP{part.suffix.upper()}")
    assert texts(only(tmp_path / "UP.SHP")) == RIVERS
    shutil.copyfile(put(tmp_path / "g.gpkg"), tmp_path / "g.bin")
    assert only(tmp_path / "g.bin").count == 5 and not path.exists()


# ---- archives -------------------------------------------------------------------------------------------------------


def test_chinese_names_in_a_zip_made_on_windows(tmp_path: Path) -> None:
    put(tmp_path / "a.shp", encoding="GBK")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for stem in ("AAAAAAAA", "BBBBBB"):
            for part in (".shp", ".shx", ".dbf", ".prj"):
                archive.writestr(f"CCCC\\{stem}{part}", (tmp_path / f"a{part}").read_bytes())
    raw = (tmp_path / "z.zip").read_bytes()
    for plain, name in (("AAAAAAAA", "河道中线"), ("BBBBBB", "管理线"), ("CCCC", "成果")):
        raw = raw.replace(plain.encode(), name.encode("gbk"))
    (tmp_path / "z.zip").write_bytes(raw)
    layers = read(tmp_path / "z.zip").layers
    assert sorted(d.name for d in layers) == ["河道中线", "管理线"]
    assert all(texts(d) == RIVERS and d.declared.where == "prj" for d in layers)


@pytest.mark.parametrize("prefix", ["", "成果/河道.gdb/"])
def test_a_file_geodatabase_in_a_zip(tmp_path: Path, prefix: str) -> None:
    folder = put(tmp_path / "河道.gdb", driver="OpenFileGDB")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, prefix + file.name)
    assert texts(only(tmp_path / "z.zip")) == RIVERS


# ---- shapes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("curve.gpkg", "CompoundCurve"),
        ("curvepolygon.gpkg", "CurvePolygon"),
        ("multisurface.gpkg", "MultiSurface"),
        ("multicurve.gml", "MultiCurve"),
    ],
)
def test_curves_become_lines_and_it_is_said(test_data: Path, name: str, kind: str) -> None:
    layer = only(test_data / "messy_vector" / name)
    assert layer.geometry_types == (kind,) and codes(layer, alarms=False) == ["curve_linearised"]
    assert layer.shapes is not None and shapely.get_num_coordinates(layer.shapes[0]) >= 2


def test_a_tin_is_told_and_not_lost_in_silence(test_data: Path) -> None:
    layer = only(test_data / "messy_vector" / "test_tin.shp")
    assert (layer.geometry_types, layer.readable, codes(layer), layer.count) == (
        ("TIN Z",),
        False,
        ["geometry_unreadable"],
        1,
    )


def test_measures_and_heights_are_kept(test_data: Path) -> None:
    storms, zm = only(test_data / "messy_vector" / "storms_xyzm.shp"), only(test_data / "messy_vector" / "line_zm.gpkg")
    assert (storms.facts["dimensions"], zm.facts["dimensions"]) == ("XYM", "XYZM")
    assert storms.shapes is not None and shapely.has_m(storms.shapes).all()


def test_lists_are_one_value_in_one_cell(test_data: Path) -> None:
    layer = only(test_data / "messy_vector" / "issue627.geojson")
    assert layer.frame is not None and layer.frame["skip_me"].iloc[0] == json.dumps(
        json.loads(layer.frame["skip_me"].iloc[0])
    )


REAL = {
    "messy_vector/REL.zip": (1, "utf-8"), "messy_vector/blockgroups.zip": (663, None), "messy_vector/coutwildrnp.zip": (67, None),
    "messy_vector/corrupt_too_long.shp": (10, None), "messy_vector/latin1.shp": (1, "iso-8859-1"), "messy_vector/olinda1.shp": (470, "iso-8859-1"),
    "messy_vector/fmi_test.gml": (22, "utf-8"), "messy_vector/meuse.sqlite": (155, "utf-8"), "messy_vector/nospatial.gpkg": (1, "utf-8"),
    "messy_vector/grenada.geojson": (1, "utf-8"), "messy_vector/issue627.geojson": (3, "utf-8"), "messy_vector/test_gpkg_nulls.gpkg": (4, "utf-8"),
    "china_rivers/raw_gbk_no_prj/hyd2_4p.shp": (826, "gb18030"), "china_rivers/raw_gbk_no_prj/重庆.shp": (1, "gb18030"),
    "china_rivers/raw_gbk_no_prj/changjiangziliuyu.shp": (24, "gb18030"), "china_admin/districts_chongqing_nanjing.gpkg": (49, "utf-8"),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_read_whole_and_raise_no_alarm(test_data: Path, name: str) -> None:
    layer = only(test_data / name)
    assert (layer.count, layer.encoding, codes(layer)) == (*REAL[name], [])


def test_a_geodatabase_of_37_layers(test_data: Path) -> None:
    layers = read(test_data / "messy_vector" / "testopenfilegdb.gdb.zip").layers
    assert len(layers) == 37 and len({d.name for d in layers}) == 37


# ---- hostile --------------------------------------------------------------------------------------------------------


def test_a_file_that_points_elsewhere_is_not_followed(tmp_path: Path) -> None:
    """A GDAL 'virtual' file reads whatever it names; what is recognised by content alone may answer."""
    put(tmp_path / "secret.geojson")
    virtual = f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{tmp_path}/secret.geojson</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    for name in ("a.kml", "a.gml", "a.gpkg", "a.geojson", "a.vrt", "a.shp", "a.dxf", "a.mif"):
        (tmp_path / name).write_text(virtual)
        with pytest.raises(InputError):
            read(tmp_path / name)


def test_a_file_that_changes_while_it_is_read_is_not_taken(tmp_path: Path) -> None:
    path = put(tmp_path / "a.geojson", frame(2000))
    growing = threading.Event()

    def write_on() -> None:
        while not growing.wait(0.002):
            with path.open("ab") as handle:
                handle.write(b" ")

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        with pytest.raises(InputError, match="changed while it was read"):
            read(path)
    finally:
        growing.set()
        writer.join()


def test_a_part_that_is_a_pipe_does_not_stop_the_reader(tmp_path: Path) -> None:
    path = put(tmp_path / "a.shp")
    path.with_suffix(".dbf").unlink()
    os.mkfifo(path.with_suffix(".dbf"))
    assert only(path).count == 5


def test_deep_json_and_many_fields_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text('{"type":"FeatureCollection","features":' + "[" * 5000 + "]" * 5000 + "}")
    with pytest.raises(InputError, match="nests its values more than 200 deep"):
        read(tmp_path / "a.geojson")
    with pytest.raises(InputError, match="has 2 fields, more than 1"):
        datasets.read_vector(put(tmp_path / "a.gpkg"), Asked(), Limits(fields=1))


@pytest.mark.parametrize("name", ["shp", "gpkg", "fgb", "geojson", "kml", "parquet", "mif", "tab"])
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_anywhere_is_read_or_refused_in_one_sentence(tmp_path: Path, name: str, data: st.DataObject) -> None:
    ending, how = FORMATS[name]
    sound = tmp_path / "sound" / f"a{ending}"
    if not sound.parent.exists():
        sound.parent.mkdir()
        put(sound, **how)
    path = tmp_path / sound.name
    for part in sound.parent.iterdir():
        shutil.copyfile(part, tmp_path / part.name)
    part = data.draw(st.sampled_from(sorted(p.name for p in sound.parent.iterdir())))
    raw = bytearray((sound.parent / part).read_bytes())
    for share, value in data.draw(st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=20)):
        raw[int(share * len(raw))] = value
    (tmp_path / part).write_bytes(raw[: int(len(raw) * data.draw(st.floats(0, 1) | st.just(1.0)))])
    try:
        for layer in read(path).layers:
            assert layer.frame is not None and len(layer.frame) == layer.count
            assert layer.shapes is None or len(layer.shapes) == layer.count
    except RivergisError as error:
        assert "\n" not in error.sentence
