"""The whole way of docs/intake.md with the real command line: dry run, import, quarantine out and back, export, secrecy."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import geopandas as gpd
import openpyxl
import shapely
from sqlalchemy import text

from rivergis.db.connect import Database
from tests.cli.test_cli import run
from tests.cli.test_inspect import RIVER, along

SVY = ("--profile", "gbk_survey", "--namespace", "svy")


def rivers(path: Path) -> Path:
    frame = gpd.GeoDataFrame({"河流名称": ["云溪河"]}, geometry=[shapely.LineString(RIVER)], crs=4490)
    frame.to_file(path, engine="pyogrio", encoding="GBK")
    return path


def stakes(path: Path) -> Path:
    """Stakes with X = north in the zone of the place; the tenth has a digit too many, the twelfth a river nobody knows."""
    sheet = (book := openpyxl.Workbook()).active
    assert sheet is not None
    sheet.append(["界桩编号", "河流名称", "岸别", "X", "Y", "高程(m)", "备注"])
    for i, p in enumerate(along().to_crs(4544)):
        name = "无名沟" if i == 11 else "云溪河"
        x = round(p.y, 3) * (10 if i == 9 else 1)
        sheet.append([f"J{i + 1:03d}", name, "左岸", x, round(p.x, 3), 210 + i / 10, f"第{i + 1}桩"])
    book.save(path)
    return path


def test_from_a_survey_disk_to_a_clean_layer_and_out_again(
    cli_env: dict[str, str], db: Database, tmp_path: Path
) -> None:
    run(cli_env, "import", "river", str(rivers(tmp_path / "河流.shp")), *SVY)
    table = str(stakes(tmp_path / "界桩.xlsx"))
    tried = run(cli_env, "import", "stake", table, *SVY, "--crs", "EPSG:4544", "--dry-run", code=4).stdout
    assert "--report FILE.html" in tried and "quarantine list" not in tried, "a dry run has set nothing aside"
    with db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM data.stake")).scalar() == 0

    done = run(cli_env, "import", "stake", table, *SVY, "--crs", "EPSG:4544", code=4).stdout
    assert "坐标点离群 outlier_vertex" in done and "所属河流等尚未入库 missing_reference" in done
    assert "先导入它所属的河流" in done and "rivergis quarantine list --layer stake" in done
    run(cli_env, "quarantine", "export", str(tmp_path / "aside.csv"))
    with (tmp_path / "aside.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {r["quarantine_code"] for r in rows} == {"outlier_vertex", "missing_reference"}

    wrong = next(r for r in rows if r["quarantine_code"] == "outlier_vertex")
    wrong["X"] = str(float(wrong["X"]) / 10)  # the column it was read from, not the shape
    write(tmp_path / "column.csv", [wrong])
    said = run(cli_env, "quarantine", "return", str(tmp_path / "column.csv"), code=4).stdout
    assert "geom_wkt" in said, "it is said where the shape stands"
    for row in rows:
        row["河流名称"] = "云溪河"
        place = shapely.from_wkt(row["geom_wkt"])
        row["geom_wkt"] = f"POINT ({place.x} {place.y if place.y < 1e7 else place.y / 10})"
    write(tmp_path / "corrected.csv", rows)
    run(cli_env, "quarantine", "return", str(tmp_path / "corrected.csv"))
    assert json.loads(run(cli_env, "quarantine", "list", "--json").stdout) == []
    assert "改正后已入库 came in corrected" in run(cli_env, "quarantine", "list", "--all").stdout

    run(cli_env, "export", "stake", str(tmp_path / "out.shp"), "--crs", "local", "--encoding", "GBK")
    back = gpd.read_file(tmp_path / "out.shp").sort_values("界桩编号")
    assert back.crs.to_epsg() == 4544 and (tmp_path / "out.cpg").read_text() == "GBK"
    given = along().to_crs(4544)
    assert len(back) == len(given) and back.geometry.distance(given, align=False).max() < 0.001
    assert list(back["备注"]) == [f"第{i + 1}桩" for i in range(len(given))]


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """As a spreadsheet on a Chinese machine saves it."""
    with path.open("w", encoding="gbk", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys())
        out.writeheader()
        out.writerows(rows)


def test_control_points_wait_for_somebody_who_answers_for_them(
    cli_env: dict[str, str], db: Database, tmp_path: Path
) -> None:
    frame = gpd.GeoDataFrame(
        {"code": ["a", "b"], "name": ["甲", "乙"]},
        geometry=[shapely.Point(106, 29.4), shapely.Point(106.01, 29.41)],
        crs=4490,
    )
    frame.to_file(file := tmp_path / "控制点成果.gpkg")
    said = run(cli_env, "import", "outfall", str(file), code=3).stderr
    assert "测量控制点成果" in said and "--secrecy-confirmed" in said and "先经主管部门审查" in said
    with db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM sys.import_record")).scalar() == 0
    run(cli_env, "import", "outfall", str(file), "--secrecy-confirmed", " ", code=3)
    run(cli_env, "import", "outfall", str(file), "--secrecy-confirmed", "云溪县规划局,密审〔2026〕3号")
    with db.read() as conn:
        assert "密审〔2026〕3号" in str(conn.execute(text("SELECT options FROM sys.import_record")).scalar())


def test_a_report_that_cannot_be_written_stops_before_the_import(
    cli_env: dict[str, str], db: Database, tmp_path: Path
) -> None:
    file = str(rivers(tmp_path / "河流.shp"))
    run(cli_env, "import", "river", file, *SVY, "--report", str(tmp_path / "x.pdf"), code=2)
    run(cli_env, "import", "river", file, *SVY, "--report", str(tmp_path / "nowhere" / "x.html"), code=6)
    with db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM data.river")).scalar() == 0
