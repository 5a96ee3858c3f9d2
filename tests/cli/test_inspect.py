"""``rivergis inspect`` as people and scripts use it: exit codes, the JSON contract, a folder, reports, evidence, no database."""

from __future__ import annotations

import json
import os
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
import shapely

from rivergis.crs import wgs84_to_gcj02
from tests.cli.test_cli import run

RIVER = [(106.0, 29.40), (106.02, 29.41), (106.03, 29.39), (106.06, 29.40), (106.05, 29.43), (106.08, 29.42)]
LAYER = {"name", "kind", "count", "readable", "encoding", "geometry_types", "crs", "extent_4490", "defects", "fields"}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An empty data folder: no database is there, and none may be started."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("RIVERGIS_")}
    return clean | {"RIVERGIS_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """The known rivers and outline of the place."""
    path = tmp_path / "reference.gpkg"
    gpd.GeoDataFrame({"name": ["云溪河"]}, geometry=[shapely.LineString(RIVER)], crs=4490).to_file(path, layer="rivers")
    outline = gpd.GeoDataFrame({"name": ["云溪县"]}, geometry=[shapely.box(105.9, 29.3, 106.2, 29.5)], crs=4490)
    outline.to_file(path, layer="county")
    return path


def along(step: float = 0.02) -> gpd.GeoSeries:
    """Points every ``step`` of the river's length."""
    line = shapely.LineString(RIVER)
    n = int(1 / step)
    return gpd.GeoSeries([line.interpolate(i / n, normalized=True) for i in range(n)], crs=4490)


def survey_table(path: Path, epsg: int) -> Path:
    """界桩成果表: a title, a merged header of two rows, X = north."""
    sheet = (book := openpyxl.Workbook()).active
    assert sheet is not None
    sheet.append(["云溪河管理范围界桩成果表"])
    sheet.append(["界桩编号", "坐标(2000国家大地坐标系)", None, "备注"])
    sheet.append([None, "X", "Y", None])
    for name in ("A1:D1", "A2:A3", "B2:C2", "D2:D3"):
        sheet.merge_cells(name)
    for i, p in enumerate(along().to_crs(epsg)):
        sheet.append([f"J{i + 1:03d}", round(p.y, 3), round(p.x, 3), None])
    book.save(path)
    return path


def lines(path: Path, prj: bool = True) -> Path:
    """A GBK Shapefile in the 3-degree zone of the place, without .cpg, perhaps without .prj."""
    frame = gpd.GeoDataFrame({"河流名称": ["云溪河"]}, geometry=[shapely.LineString(RIVER)], crs=4490)
    frame.to_crs(4544).to_file(path, engine="pyogrio", encoding="GBK")
    path.with_suffix(".cpg").unlink()
    if not prj:
        path.with_suffix(".prj").unlink()
    return path


def shifted_kml(path: Path) -> Path:
    """What a map app writes: WGS 84 by its format, GCJ-02 in truth."""
    there = wgs84_to_gcj02(*shapely.get_coordinates(along().values).T)
    text = " ".join(f"{x:.7f},{y:.7f}" for x, y in zip(*there, strict=True))
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>'
        f"<name>巡查</name><LineString><coordinates>{text}</coordinates></LineString></Placemark></Document></kml>",
        encoding="utf-8",
    )
    return path


def looked(env: dict[str, str], *args: object, code: int = 0) -> list[dict[str, object]]:
    out: list[dict[str, object]] = json.loads(run(env, "inspect", *map(str, args), "--json", code=code).stdout)
    return out


def codes(layer: dict[str, object]) -> set[str]:
    return {d["code"] for d in layer["defects"]}  # type: ignore[attr-defined]


def test_the_json_keeps_its_contract(env: dict[str, str], reference: Path, tmp_path: Path) -> None:
    table = survey_table(tmp_path / "界桩成果表.xlsx", 4544)
    [file] = looked(env, table, "--reference", reference)
    assert {"file", "format", "error", "layers"} <= set(file) and file["error"] is None
    [layer] = file["layers"]  # type: ignore[misc]
    assert set(layer) >= LAYER and (layer["count"], layer["readable"], layer["geometry_types"]) == (50, True, ["Point"])
    assert set(layer["crs"]) >= {"verdict", "epsg", "datum", "axis", "reasons", "candidates"}
    assert layer["crs"]["verdict"] in ("recognised", "suspected")
    best = layer["crs"] if layer["crs"]["verdict"] == "recognised" else layer["crs"]["candidates"][0]
    assert (best["epsg"], best["axis"]) == (4544, "swapped")
    for d in layer["defects"]:
        assert {"code", "severity", "message", "action", "features", "count", "place"} <= set(d)
        assert d["severity"] in ("info", "warning", "error")
    assert not list(tmp_path.glob("data/*")), "looking starts no database"


def test_without_a_reference_the_meridian_is_asked_for_and_can_be_given(env: dict[str, str], tmp_path: Path) -> None:
    file = lines(tmp_path / "管理范围线.shp", prj=False)
    [open_] = looked(env, file)
    [layer] = open_["layers"]  # type: ignore[misc]
    assert layer["crs"]["verdict"] in ("suspected", "refused") and {"crs_missing", "zone_ambiguous"} <= codes(layer)
    assert layer["encoding"] == "gb18030" and "云溪河" in json.dumps(layer["fields"], ensure_ascii=False)
    said = run(env, "inspect", str(file)).stdout
    assert "more readings" in said, "what is not listed is counted"
    [told] = looked(env, file, "--crs", "EPSG:4544")
    [layer] = told["layers"]  # type: ignore[misc]
    assert layer["crs"]["epsg"] == 4544 and layer["crs"]["verdict"] in ("declared", "recognised")
    west, south, east, north = layer["extent_4490"]
    assert (west, south, east, north) == pytest.approx((106.0, 29.39, 106.08, 29.43), abs=1e-4)


def test_a_map_app_is_suspected_and_taken_off_only_when_said(
    env: dict[str, str], reference: Path, tmp_path: Path
) -> None:
    file = shifted_kml(tmp_path / "奥维导出.kml")
    [asked] = looked(env, file, "--reference", reference)
    [layer] = asked["layers"]  # type: ignore[misc]
    assert layer["crs"]["verdict"] == "suspected" and "datum_shift_suspected" in codes(layer)
    assert layer["crs"]["candidates"][0]["datum"] == "gcj02" and layer["extent_4490"] is None
    [said] = looked(env, file, "--reference", reference, "--datum", "gcj02")
    [layer] = said["layers"]  # type: ignore[misc]
    assert layer["crs"]["datum"] == "gcj02" and layer["crs"]["verdict"] != "suspected"
    assert layer["extent_4490"][0] == pytest.approx(106.0, abs=1e-5)


def test_an_encoding_that_is_given_overrules(env: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "outfalls.csv"
    file.write_bytes("名称,经度,纬度\n云溪河一号排口,106.01,29.40\n".encode("gb18030"))
    [found] = looked(env, file)
    assert "encoding_guessed" in codes(found["layers"][0])  # type: ignore[index]
    [given] = looked(env, file, "--encoding", "GBK")
    assert "encoding_guessed" not in codes(given["layers"][0])  # type: ignore[index]
    assert "云溪河一号排口" in json.dumps(given, ensure_ascii=False)


def test_a_folder_ends_with_3_when_nothing_can_be_read_and_with_4_when_a_part_can(
    env: dict[str, str], tmp_path: Path
) -> None:
    disk = tmp_path / "disk" / "成果"
    disk.mkdir(parents=True)
    (disk / "地形图.dwg").write_bytes(b"AC1032" + bytes(2000))
    (disk / "坏.gpkg").write_bytes(b"SQLite format 3\0" + bytes(100))
    files = looked(env, disk.parent, code=3)
    assert len(files) == 2 and all(f["error"] and not f["layers"] for f in files)
    assert "DXF" in next(str(f["error"]) for f in files if "dwg" in str(f["file"]))
    lines(disk / "管理范围线.shp")
    assert len(looked(env, disk.parent, code=4)) == 3, "the parts of a Shapefile are one file"
    said = run(env, "inspect", str(disk.parent), code=4).stdout
    assert "3 个文件 files · 2 个不能读取 unreadable · 1 个图层 layers" in said
    assert "文件已声明 declared 1" in said


@pytest.mark.parametrize("ending", [".html", ".xlsx", ".json"])
def test_reports_hold_what_was_found(env: dict[str, str], reference: Path, tmp_path: Path, ending: str) -> None:
    report = tmp_path / f"report{ending}"
    file = shifted_kml(tmp_path / "奥维导出.kml")
    run(env, "inspect", str(file), "--reference", str(reference), "--report", str(report))
    if ending == ".xlsx":
        book = openpyxl.load_workbook(report)
        text = " ".join(str(c) for sheet in book for row in sheet.iter_rows(values_only=True) for c in row)
    else:
        text = report.read_text(encoding="utf-8")
    assert "datum_shift_suspected" in text and "奥维导出.kml" in text and "gcj02" in text.lower()
    assert ending != ".html" or ("疑似整体偏移" in text and "确认前不作任何平移" in text and "http" not in text)


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (("/no/such.shp",), 3, "There is no file"),
        ((), 2, "Missing argument"),
        (("x.csv", "--datum", "mars"), 2, "Invalid value"),
        (("x.csv", "--report", "/tmp/x.pdf"), 2, "a report ends in"),
        (("x.csv", "--crs", "EPSG:1"), 2, "names no coordinate system"),
        (("x.csv", "--crs", "2000国家大地坐标系"), 2, "names no coordinate system"),
        (("x.csv", "--encoding", "klingon"), 3, "no encoding"),
        (("x.csv", "--report", "/no/such/x.html"), 6, "no folder"),
        (("x.csv", "--reference", "/no/such.gpkg"), 3, "such.gpkg"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    env: dict[str, str], tmp_path: Path, args: tuple[str, ...], code: int, sentence: str
) -> None:
    (tmp_path / "x.csv").write_text("名称,经度,纬度\n甲,106.01,29.40\n", encoding="utf-8")
    done = run(env, "inspect", *(str(tmp_path / a) if a == "x.csv" else a for a in args), code=code)
    assert sentence in done.stdout + done.stderr


def test_advice_speaks_the_language_of_the_settings(env: dict[str, str], tmp_path: Path) -> None:
    file = str(lines(tmp_path / "lines.shp", prj=False))
    assert "向测绘单位索要" in run(env, "inspect", file).stdout
    assert "Ask the survey office for the .prj" in run(env | {"RIVERGIS_LANG": "en"}, "inspect", file).stdout
