"""What a file is: content against ending, archives, whole Shapefiles, text with and without an encoding."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis.errors import EnvironmentFault, InputError
from rivergis.intake import datasets, sources
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import Limits


def put(path: Path, name: str = "甲", crs: str | None = "EPSG:4490", **how: str) -> Path:
    frame = gpd.GeoDataFrame({"code": ["a"], "name": [name]}, geometry=[shapely.Point(106, 29.4)], crs=crs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame.to_file(path, engine="pyogrio", **how)
    return path


def zipped(path: Path, *files: Path, into: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.write(file, into + file.name)
    return path


def parts(shp: Path) -> list[Path]:
    return [p for p in shp.parent.iterdir() if p.stem == shp.stem]


def check(path: Path) -> Path:
    return sources.check(path, sources.VECTOR, "vector file")


def test_a_file_that_is_something_else_is_named_for_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.shp").write_bytes(put(tmp_path / "g.gpkg").read_bytes())
    with pytest.raises(InputError, match=r"a\.shp cannot be opened as a Shapefile: .*it begins like a GeoPackage"):
        check(tmp_path / "a.shp")


def test_pipes_are_refused_instead_of_waiting_for_ever(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.gpkg")
    with pytest.raises(InputError, match="is a pipe or device"):
        check(tmp_path / "a.gpkg")


def test_a_loop_of_links_and_an_overlong_name_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.gpkg").symlink_to("a.gpkg")
    for path in (tmp_path / "a.gpkg", tmp_path / ("x" * 300 + ".gpkg"), tmp_path / "a\0b.gpkg"):
        with pytest.raises(InputError) as caught:
            check(path)
        assert "\n" not in caught.value.sentence


def test_a_file_one_may_not_read(tmp_path: Path) -> None:
    path = put(tmp_path / "a.gpkg")
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything: ask as nobody
        for folder in (tmp_path, *tmp_path.parents):
            if not folder.stat().st_mode & 0o001 and folder.stat().st_uid == os.getuid():
                folder.chmod(folder.stat().st_mode | 0o001)
    code = (
        "import os, sys; from pathlib import Path; from rivergis.intake import sources; from rivergis.errors import InputError\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try: sources.check(Path(sys.argv[1]), sources.VECTOR, 'vector file')\n"
        "except InputError as error: print(error.sentence)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert "may not be read by this user: change its permissions" in done.stdout, done.stderr


def test_xml_entities_are_refused(tmp_path: Path) -> None:
    for name in ("a.kml", "a.gml"):
        (tmp_path / name).write_text('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><kml/>')
        with pytest.raises(InputError, match="declares XML entities"):
            check(tmp_path / name)


# ---- recognising ----------------------------------------------------------------------------------------------------

XML = '<?xml version="1.0"?>\n<{0} xmlns="http://www.opengis.net/gml">x</{0}>'


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.txt", b"\0\0\x27\x0a" + b"\0" * 200, "Shapefile"),
        ("a.xml", XML.format("gpx"), "GPX"),
        ("a.xml", XML.format("kml"), "KML"),
        ("a.xml", "<!-- " + "x" * 5000 + " -->" + XML.format("kml").split("\n")[1], "KML"),
        ("a.ovkml", XML.format("kml").encode("utf-16"), "KML"),
        ("a.xml", XML.format("wfs:FeatureCollection"), "GML"),
        ("a.xml", XML.format("TrainingCenterDatabase"), "TCX"),
        ("公告.xls", "<html><table><tr><td>1</td></tr></table></html>", "HTML page"),
        ("公告.doc", "<!DOCTYPE html><html></html>", "HTML page"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "Excel 97 table"),
        ("a.dwg", b"AC1027\0\0", "DWG drawing"),
        ("a.dxf", b"AC1027\0\0", "DWG drawing"),
        ("a.txt", "  0\nSECTION\n  2\nHEADER\n", "DXF"),
        ("a.txt", "999\nmade by hand\n0\nSECTION\n2\nHEADER\n", "DXF"),
        ("a.json", '{"type":"Topology","objects":{}}', "TopoJSON"),
        ("a.json", '{"type":"Feature","geometry":null}\n{"type":"Feature","geometry":null}\n', "GeoJSON text sequence"),
        ("a.txt", '{"type": "FeatureCollection", "features": []}', "GeoJSON"),
        ("a.dat", "1,ZJ,3248399.3,587399.8,210.1\n", "table"),
        ("a.txt", "$GPGGA,1,2\n", "NMEA"),
        ("a.bin", b"\x0e\x10\0\0\0\0\0\0.FIT\0\0", "FIT"),
        ("a.tif", b"\xff\xd8\xff\xe1" + b"\0" * 9, "JPEG photo"),
        ("a.mdb", b"\0\1\0\0Standard Jet DB\0", "Access database"),
        ("a.rar", b"Rar!\x1a\7", "RAR archive"),
        ("a.wl", b"WMAP`D21", "MapGIS"),
        ("a.mif", 'Version   300\nCharset "WindowsSimpChinese"\n', "MapInfo exchange"),
    ],
)
def test_content_tells_what_a_file_is(tmp_path: Path, name: str, content: bytes | str, form: str) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert sources.recognise(tmp_path / name).name == form


@pytest.mark.parametrize(
    ("name", "members", "form"),
    [
        ("a.xls", ["[Content_Types].xml", "xl/workbook.xml"], "Excel table"),
        ("a.zip", ["[Content_Types].xml", "word/document.xml"], "Word document"),
        ("a.zip", ["doc.kml", "files/a.png"], "KMZ"),
        ("a.kmz", ["x/河道.kml"], "KMZ"),
        ("a.kmz", ["a.shp", "a.shx", "a.dbf"], "ZIP archive"),
        ("a.ods", ["content.xml", "META-INF/manifest.xml"], "OpenDocument table"),
    ],
)
def test_archives_are_known_by_what_they_hold(tmp_path: Path, name: str, members: list[str], form: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for member in members:
            archive.writestr(member, "x")
    assert sources.recognise(tmp_path / name).name == form


def test_databases_are_known_by_their_tables(tmp_path: Path) -> None:
    path = put(tmp_path / "a.gpkg").rename(tmp_path / "a.db")
    assert sources.recognise(path).name == "GeoPackage"
    with sqlite3.connect(tmp_path / "b.gpkg") as base:
        base.execute("CREATE TABLE SmRegister (a)")
    assert sources.recognise(tmp_path / "b.gpkg").name == "SuperMap UDBX"


def test_pipes_loops_folders_and_nothing_are_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gpkg")
    (tmp_path / "loop.gpkg").symlink_to("loop.gpkg")
    (tmp_path / "empty.gpkg").touch()
    for name in ("pipe.gpkg", "loop.gpkg", "empty.gpkg", "none.gpkg", "a\0b.gpkg", "x" * 300, "loop.gpkg/x", ""):
        with pytest.raises(InputError) as caught:
            sources.recognise(tmp_path / name)
        assert "\n" not in caught.value.sentence
    with pytest.raises(InputError, match="pipe or device"):
        sources.recognise(Path("/dev/zero"))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=400)
    | st.sampled_from([f.begins[0] for f in sources.FORMATS if f.begins]).flatmap(
        lambda b: st.binary(max_size=300).map(lambda r: b + r)
    ),
    st.sampled_from(sorted({e for f in sources.FORMATS for e in f.endings})),
)
def test_any_bytes_are_recognised_or_refused(tmp_path: Path, raw: bytes, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(raw)
    try:
        assert sources.recognise(path) in sources.FORMATS
    except InputError as error:
        assert "\n" not in error.sentence
    finally:
        path.unlink()


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("root", ["kml", "gpx", "gml"])
@pytest.mark.parametrize("before", ["", "<!-- a -->\n", "<?a b?>  "])
def test_entities_are_refused_in_any_encoding(tmp_path: Path, encoding: str, root: str, before: str) -> None:
    path = tmp_path / f"a.{root}"
    path.write_bytes(f'<?xml version="1.0"?>{before}{BOMB}<{root}>&b;</{root}>'.encode(encoding))
    with pytest.raises(InputError):
        sources.recognise(path)


def test_entities_behind_a_megabyte_of_nothing_are_refused_too(tmp_path: Path) -> None:
    (tmp_path / "a.kml").write_text(f"<!-- {'x' * (2 << 20)} -->{BOMB}<kml/>")
    with pytest.raises(InputError):
        sources.recognise(tmp_path / "a.kml")


def test_what_must_be_held_in_memory_is_bounded(tmp_path: Path) -> None:
    for name in ("a.kml", "a.csv", "a.geojson"):
        with (tmp_path / name).open("wb") as handle:  # sparse: it only claims to be large
            handle.write(b"<kml/>" if name == "a.kml" else b'{"type": "FeatureCollection"}')
            handle.truncate(1 << 30)
        with pytest.raises(InputError, match=r"is larger \(1024 MB\) than is read of a"):
            sources.recognise(tmp_path / name)


def test_html_in_a_description_is_no_declaration(tmp_path: Path) -> None:
    (tmp_path / "a.kml").write_text(
        "<kml><Placemark><description><![CDATA[<!DOCTYPE html><p>x]]></description></Placemark></kml>"
    )
    assert sources.recognise(tmp_path / "a.kml").name == "KML"


def test_brackets_in_texts_are_no_depth(tmp_path: Path) -> None:
    sources.check_depth(tmp_path, b'{"a": "' + b"[" * 1000 + b'"}')
    with pytest.raises(InputError, match="more than 200 deep"):
        sources.check_depth(tmp_path, b'{"a": ' * 201 + b"1" + b"}" * 201)


# ---- archives -------------------------------------------------------------------------------------------------------


def layers_of(path: Path) -> dict[str, list[str]]:
    return {d.name: list(d.frame["name"]) for d in datasets.read_vector(path, Asked()).layers if d.frame is not None}


def test_a_zip_with_folders_and_several_data_sets(tmp_path: Path) -> None:
    files = [*parts(put(tmp_path / "河道.shp")), put(tmp_path / "b.gpkg")]
    assert layers_of(zipped(tmp_path / "a.zip", *files, into="交付/数据/")) == {"b": ["甲"], "河道": ["甲"]}


def test_two_data_sets_of_one_name_stay_apart(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for folder, name in (("x", "甲"), ("y", "乙")):
            archive.write(put(tmp_path / "n.gpkg", name), f"{folder}/n.gpkg")
            (tmp_path / "n.gpkg").unlink()
    assert sorted(layers_of(tmp_path / "a.zip").values()) == [["乙"], ["甲"]]


@pytest.mark.parametrize(
    ("label", "make", "sentence"),
    [
        ("nothing in it", lambda z, t: zipped(z), "holds no vector file that can be read \\(it holds nothing\\)"),
        ("other things", lambda z, t: zipped(z, _text(t / "公告.pdf")), "it holds 公告.pdf"),
        ("broken", lambda z, t: z.write_bytes(b"PK\x03\x04" + b"\0" * 50), "damaged or not whole"),
        ("out of it", lambda z, t: _holding(z, "../../etc/x.shp"), "leads out of the archive"),
        ("absolute", lambda z, t: _holding(z, "/etc/x.shp"), "leads out of the archive"),
        ("a drive", lambda z, t: _holding(z, "C:\\x.shp"), "leads out of the archive"),
        ("a link", lambda z, t: _holding(z, "x.shp", 0o120777 << 16), "holds a link"),
    ],
)
def test_archives_that_cannot_be_used(tmp_path: Path, label: str, make: object, sentence: str) -> None:
    make(tmp_path / "a.zip", tmp_path)  # type: ignore[operator]
    with pytest.raises(InputError, match=sentence):
        datasets.read_vector(tmp_path / "a.zip", Asked())


def _holding(path: Path, name: str, attributes: int = 0) -> None:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = attributes
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, "/etc/passwd")


def _text(path: Path) -> Path:
    path.write_text("x")
    return path


def test_bombs_are_refused_by_what_they_claim_and_by_what_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.geojson", b"0" * (12 << 20))
    with pytest.raises(InputError, match="more than 200 times its packed size"):
        sources.recognise(path)
    with pytest.raises(InputError, match="unpacks to more than 1 MB"):
        sources.recognise(path, Limits(unpacked_bytes=1 << 20))
    raw = path.read_bytes()
    path.write_bytes(raw.replace((12 << 20).to_bytes(4, "little"), (1 << 20).to_bytes(4, "little")))
    with pytest.raises(InputError):
        datasets.read_vector(path, Asked())
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(50):
            archive.writestr(f"{i}", b"")
    with pytest.raises(InputError, match="or 20 files"):
        sources.recognise(path, Limits(members=20))


# ---- folders --------------------------------------------------------------------------------------------------------


def test_a_folder_is_walked_and_parts_count_once(tmp_path: Path) -> None:
    disk = tmp_path / "测量盘"
    (disk / "b").mkdir(parents=True)
    put(disk / "b" / "河道.shp")
    put(disk / "管理线.gpkg")
    put(disk / "库.gdb", driver="OpenFileGDB")
    put(disk / "lone.shp")
    for part in (".shp", ".prj", ".shx", ".cpg"):
        (disk / "lone").with_suffix(part).unlink()
    for name in (
        "orphan.shx",
        "orphan2.prj",
        "a.tif",
        "a.tfw",
        "a.tif.aux.xml",
        "a.tif.ovr",
        ".DS_Store",
        "~$x.xlsx",
        "河道.gfs",
    ):
        (disk / name).write_text("x")
    (disk / "loop").symlink_to(disk, target_is_directory=True)
    found = [str(p.relative_to(disk)) for p in sources.expand([disk])]
    assert sorted(found) == sorted(
        ["a.tif", "b/河道.shp", "lone.dbf", "orphan.shx", "orphan2.prj", "库.gdb", "管理线.gpkg"]
    )
    assert sources.expand([disk, disk / "管理线.gpkg"]) == sources.expand([disk])
    for name in ("orphan.shx", "orphan2.prj"):
        with pytest.raises(
            InputError, match=r"only a part of a data set and holds no features: the \.shp it belongs to is missing"
        ):
            sources.recognise(disk / name)


# ---- keeping --------------------------------------------------------------------------------------------------------


def test_the_hash_is_that_of_all_parts(tmp_path: Path) -> None:
    path = put(tmp_path / "[甲].shp")
    before = sources.sha256(path)
    path.with_suffix(".prj").write_text(path.with_suffix(".prj").read_text() + " ")
    assert sources.sha256(path) != before, "another .prj is another delivery"
    (tmp_path / "[甲].txt").write_text("a note beside it is not part of it")
    assert sources.sha256(path) == sources.sha256(path)


def test_a_copy_that_is_not_the_file_is_not_kept(tmp_path: Path) -> None:
    path = _text(tmp_path / "a.tif")
    with pytest.raises(InputError, match="changed while it was read"):
        sources.keep(path, tmp_path / "store" / "k.tif", sha256="0" * 64)
    assert not list((tmp_path / "store").iterdir())
    sources.keep(path, tmp_path / "store" / "k.tif", sha256=sources.sha256(path))
    assert [p.name for p in (tmp_path / "store").iterdir()] == ["k.tif"]
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault):
        sources.keep(path, tmp_path / "file" / "k.tif")
