"""What a file is: content against ending, archives, whole Shapefiles, text with and without an encoding."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from rivergis.errors import CrsRefused, EnvironmentFault, InputError, UsageError
from rivergis.intake import datasets, sources, vector


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


def test_a_file_that_points_elsewhere_is_not_followed(tmp_path: Path) -> None:
    """A GDAL 'virtual' file reads whatever it names; only the format of the ending may answer."""
    put(tmp_path / "secret.geojson")
    (tmp_path / "a.kml").write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{tmp_path}/secret.geojson</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    )
    with pytest.raises(
        InputError, match=r"a\.kml cannot be opened as a KML: its content is of another kind \(OGR_VRT\)"
    ):
        datasets.layer_names(tmp_path / "a.kml")


# ---- archives -------------------------------------------------------------------------------------------------------


def test_a_zip_with_folders_and_several_data_sets(tmp_path: Path) -> None:
    files = [*parts(put(tmp_path / "河道.shp")), put(tmp_path / "b.gpkg")]
    path = zipped(tmp_path / "a.zip", *files, into="交付/数据/")
    assert sorted(datasets.layer_names(path)) == ["b", "河道"]
    frame, _, system = vector.read_frame(path, source_layer="河道")
    assert (list(frame["name"]), system) == (["甲"], "EPSG:4490")


def test_two_data_sets_of_one_name_stay_apart(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for folder, name in (("x", "甲"), ("y", "乙")):
            archive.write(put(tmp_path / "n.gpkg", name), f"{folder}/n.gpkg")
            (tmp_path / "n.gpkg").unlink()
    names = datasets.layer_names(tmp_path / "a.zip")
    assert names == ["n", "y/n"]
    assert [vector.read_frame(tmp_path / "a.zip", source_layer=n)[0]["name"][0:1].iloc[0] for n in names] == [
        "甲",
        "乙",
    ]


@pytest.mark.parametrize(
    ("label", "make", "sentence"),
    [
        ("nothing in it", lambda z, t: zipped(z), "holds no vector file that can be read \\(it holds nothing\\)"),
        ("other things", lambda z, t: zipped(z, _text(t / "公告.pdf")), "it holds 公告.pdf"),
        ("half a Shapefile", lambda z, t: zipped(z, *parts(_bare(t, ".dbf"))), r"its \.dbf part is missing"),
        ("broken", lambda z, t: z.write_bytes(b"PK\x03\x04" + b"\0" * 50), "damaged or not whole"),
    ],
)
def test_archives_that_cannot_be_used(tmp_path: Path, label: str, make: object, sentence: str) -> None:
    make(tmp_path / "a.zip", tmp_path)  # type: ignore[operator]
    with pytest.raises(InputError, match=sentence):
        datasets.layer_names(tmp_path / "a.zip")


def _text(path: Path) -> Path:
    path.write_text("x")
    return path


def _bare(folder: Path, without: str) -> Path:
    path = put(folder / "s.shp")
    path.with_suffix(without).unlink()
    return path


def test_a_zip_bomb_is_refused_by_what_it_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_UNPACKED_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.geojson", b"0" * (2 << 20))
    with pytest.raises(InputError, match="unpacks to more than"):
        datasets.layer_names(tmp_path / "a.zip")


# ---- Shapefiles -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [".shx", ".dbf"])
def test_a_shapefile_without_a_part(tmp_path: Path, part: str) -> None:
    with pytest.raises(InputError, match=rf"s\.shp is not whole: its \{part} part is missing"):
        datasets.layer_names(_bare(tmp_path, part))


def test_a_shapefile_that_was_cut_off(tmp_path: Path) -> None:
    path = put(tmp_path / "s.shp")
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(InputError, match=rf"was cut off: it should have {len(whole)} bytes and has {len(whole) - 20}"):
        datasets.layer_names(path)


def test_a_projection_file_no_one_can_read(tmp_path: Path) -> None:
    path = put(tmp_path / "s.shp")
    path.with_suffix(".prj").write_text("GEOGCS[garbage")
    with pytest.raises(CrsRefused, match=r"its coordinate system cannot be read .*: remove its \.prj"):
        vector.read_frame(path)


def test_text_without_an_encoding_is_never_turned_into_other_letters(tmp_path: Path) -> None:
    path = put(tmp_path / "s.shp", "永川河", encoding="GBK")
    path.with_suffix(".cpg").unlink()
    with pytest.raises(InputError, match=r"holds text beyond ASCII \(field name: .* names no encoding: say which"):
        vector.read_frame(path)
    assert list(vector.read_frame(path, encoding="GBK")[0]["name"]) == ["永川河"]
    path.with_suffix(".cpg").write_text("GBK")
    assert list(vector.read_frame(path)[0]["name"]) == ["永川河"]


def test_ascii_needs_no_encoding_and_a_wrong_name_of_one_is_said(tmp_path: Path) -> None:
    path = put(tmp_path / "s.shp", "plain")
    path.with_suffix(".cpg").unlink()
    assert list(vector.read_frame(path)[0]["name"]) == ["plain"]
    with pytest.raises(UsageError, match="There is no encoding 'KLINGON'"):
        vector.read_frame(path, encoding="KLINGON")


def test_a_table_in_gbk_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("code,名称,lon,lat\na,甲,106,29.4\n".encode("gbk"))
    with pytest.raises(InputError, match="--encoding"):
        vector.read_frame(tmp_path / "t.csv", crs="EPSG:4490")
    assert list(vector.read_frame(tmp_path / "t.csv", crs="EPSG:4490", encoding="GBK")[0]["名称"]) == ["甲"]


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
