"""Function zones from a table with a title, lines in GBK Shapefiles, permits and uses; and from the database."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
from click.testing import CliRunner

from rivergis import rules
from rivergis.boundary.shore import zone_workflow
from rivergis.cli import boundary_zones
from rivergis.db.connect import Database, now_of
from rivergis.errors import InputError, NotFound
from rivergis.settings import gis_dir
from tests import tiny
from tests.boundary import stake_ground as sg
from tests.encroachment import night_ground

AXIS = sg.winding([0.0] * 21)  # 1200 m, flows east


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office's files: a table of zones under a title, outer lines with Chinese fields, permits by chainage, uses as areas."""
    folder = tmp_path_factory.mktemp("zones")
    tiny.metric([AXIS], 河段编码="H1", 河流编码="QX01", 河流名称="清溪").to_file(folder / "reaches.shp", encoding="GBK")
    outer = (
        sg.lines(AXIS, 60.0, "H1")
        .drop(columns=["bank", "reach_code"])
        .assign(岸别=["左岸", "右岸"], 界线类型="外缘边界线")
    )
    outer.to_file(folder / "outer.shp", encoding="GBK")
    table(
        folder / "功能区.xlsx",
        [
            ["清溪岸线功能区划分成果表", None, None, None, None, None],
            ["序号", "河流名称", "岸别", "功能区类型", "起点桩号", "终点桩号"],
            [1, "清溪", "左岸", "岸线保护区", "0+000", "K0+500"],
            [2, "清溪", "左岸", "限制开发区", "0+450", "0+900"],
            [3, "清溪", "右岸", "保留区", 0, 1200],
            [4, "清溪", "右岸", "旅游区", "0+100", "0+200"],
            ["合计", None, None, None, None, None],
        ],
    )
    table(
        folder / "permits.xlsx",
        [
            ["许可文号", "河流", "岸别", "起止桩号"],
            ["许1", "清溪", "左岸", "0+100~0+300"],
            ["许2", "清溪", "右岸", "0+600至0+800"],
        ],
    )
    uses = [tiny.box(110, 50, 20, 20), tiny.box(700, -70, 5, 140), tiny.point(1000, 61)]
    tiny.metric(uses).assign(name=["仓库", "栈桥", "泵站"], kind=["仓储", "交通", "取水"]).to_crs(4490).to_file(
        folder / "uses.geojson"
    )
    return folder


def table(path: Path, rows: list[list[object]]) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def run(disk: Path, verb: str, name: str, *more: str, lines: str = "outer.shp") -> dict:
    args = [
        verb,
        str(disk / name),
        "--lines",
        str(disk / lines),
        "--reaches",
        str(disk / "reaches.shp"),
        "--json",
        *more,
    ]
    done = CliRunner().invoke(boundary_zones.zones, args, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_a_table_under_a_title_is_checked(disk: Path, tmp_path: Path) -> None:
    outs = [x for end in ("xlsx", "gpkg", "html") for x in ("--out", str(tmp_path / f"z.{end}"))]
    args = ["check", str(disk / "功能区.xlsx"), "--lines", str(disk / "outer.shp"), "--reaches", str(disk / "reaches.shp"), *outs]  # fmt: skip
    done = CliRunner().invoke(boundary_zones.zones, args, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert all(word in done.output for word in ("功能区类型不明", "不同类型重叠", "0+450", "未划功能区", "0+900"))
    drawn = gpd.read_file(tmp_path / "z.gpkg").to_crs(tiny.ZONE)
    assert drawn["zone_type"].fillna("?").tolist() == ["protection", "controlled_use", "reserve", "?"]
    assert drawn.length.round(2).tolist() == [500, 450, 1200, 100]
    book = openpyxl.load_workbook(tmp_path / "z.xlsx")
    assert book.sheetnames == ["说明 about", "占比 share", "分类长度 by type", "功能区 zones", "待看 to look at"]
    assert "统计口径" in book["说明 about"]["A2"].value
    assert "保护区" in (tmp_path / "z.html").read_text(encoding="utf-8")


def test_the_share_is_told_with_its_counting_rule(disk: Path) -> None:
    told = run(disk, "share", "功能区.xlsx", "--at", "500101")
    assert told["counting"] == {"line": "outer", "islands": True, "gaps": True}
    whole = told["shares"][-1]
    # left 500, of which 50 are claimed as controlled use too; right 1200, of which 100 are of a type nobody understands
    assert (whole["kept_least_m"], whole["kept_most_m"], whole["line_m"]) == pytest.approx(
        (450 + 1100, 500 + 1200, 2400), abs=0.1
    )
    assert (told["wanted_share"], whole["reached"]) == (0.5, "reached")
    fewer = run(disk, "share", "功能区.xlsx", "--alias", "旅游区=development", "--no-gaps", "--at", "500101")["shares"][
        -1
    ]
    assert fewer["counted_m"] == pytest.approx(2400 - 300, abs=0.1)
    text = CliRunner().invoke(
        boundary_zones.zones,
        ["share", str(disk / "功能区.xlsx"), "--lines", str(disk / "outer.shp"), "--reaches", str(disk / "reaches.shp"), "--rank", "other"],
    ).output  # fmt: skip
    assert "统计口径 counted" in text
    assert "无比例要求" in text


def test_permits_against_uses(disk: Path) -> None:
    told = run(disk, "use", "uses.geojson", "--permits", str(disk / "permits.xlsx"))
    permits = {p["permit"]: (round(p["used_m"]), p["judged"], p["uses"]) for p in told["permits"]}
    assert permits == {"许1": (20, "little_used", ["仓库"]), "许2": (5, "little_used", ["栈桥"])}
    assert {(o["bank"], round(o["from_m"])) for o in told["outside"]} == {("left", 700)}, (
        "the landing stage touches both banks"
    )
    assert [u["allowed"] for u in told["uses"]] == ["no_list"] * 4
    blue = sg.lines(AXIS, 60.0, "H1", line_type="blue_line")
    blue.to_file(disk / "blue.gpkg")
    told = run(disk, "use", "uses.geojson", "--line-type", "blue_line", lines="blue.gpkg")
    assert [(u["use"], u["allowed"]) for u in told["uses"]] == [
        ("仓库", "not_listed"),
        ("栈桥", "yes"),
        ("栈桥", "yes"),
        ("泵站", "yes"),
    ]


def test_the_two_lines_are_checked_and_proposed(disk: Path, tmp_path: Path) -> None:
    sg.lines(AXIS, 80.0, "H1", line_type="management").to_file(tmp_path / "m.gpkg")
    args = [
        "lines",
        str(tmp_path / "m.gpkg"),
        "--outer",
        str(disk / "outer.shp"),
        "--reaches",
        str(disk / "reaches.shp"),
    ]
    done = CliRunner().invoke(boundary_zones.zones, [*args, "--json"], catch_exceptions=False)
    told = json.loads(done.output)
    assert {(d["code"], d["bank"], round(d["depth_m"])) for d in told["defects"]} == {
        ("outer_inside_management", "left", 20), ("outer_inside_management", "right", 20),
    }  # fmt: skip
    assert told["missing"] == {"outer": [], "waterside": [["QX01", "left"], ["QX01", "right"]], "management": []}
    sg.lines(AXIS, 20.0, "H1").to_file(tmp_path / "banks.gpkg")
    del args[2:4]
    out = tmp_path / "two.gpkg"
    done = CliRunner().invoke(boundary_zones.zones, [*args, "--banks", str(tmp_path / "banks.gpkg"), "--propose", str(out)], catch_exceptions=False)  # fmt: skip
    assert done.exit_code == 0, done.output
    made = gpd.read_file(out).to_crs(tiny.ZONE)
    assert sorted(made["line_type"] + made["bank"]) == ["outerleft", "outerright", "watersideleft", "watersideright"]
    assert set(made["basis"]) == {"draft"}


def test_a_table_without_types_or_a_river_without_lines_is_said(disk: Path, tmp_path: Path) -> None:
    table(tmp_path / "bare.xlsx", [["河流名称", "岸别", "起点桩号"], ["清溪", "左岸", "0+000"]])
    with pytest.raises(InputError, match="no field for zone_type"):
        run(disk, "check", str(tmp_path / "bare.xlsx"))
    with pytest.raises(InputError, match="no line of type waterside"):
        run(disk, "check", "功能区.xlsx", "--line-type", "waterside")


def test_zones_of_the_database(db: Database) -> None:
    view = rules.load(gis_dir() / "rules").at(("000000", "500000"), date(2026, 5, 20))
    night_ground.river(db)
    axis = AXIS
    night_ground.put(
        db, "reach", [{"code": "H1", "river_code": "R1", "kind": "river", "from_m": 0, "to_m": 1200}], [shifted(axis)]
    )
    with db.read() as conn, pytest.raises(NotFound, match="no line of type outer"):
        zone_workflow.zones(conn, view, now_of(conn))
    said = {"version_code": "V1", "river_code": "R1", "line_type": "management", "basis": "draft"}
    lines = sg.lines(axis, 60.0)
    rows = [{**said, "code": f"L{b}", "bank": b} for b in ("left", "right")]
    night_ground.put(db, "boundary_line", rows, [shifted(x) for x in lines.geometry])
    zones = [{"code": "Z1", "river_code": "R1", "bank": "left", "zone_type": "protection", "from_m": 0, "to_m": 800},
             {"code": "Z2", "river_code": "R1", "bank": "right", "zone_type": "development", "from_m": 100, "to_m": 1200}]  # fmt: skip
    night_ground.put(db, "function_zone", zones, [None, None])
    with db.read() as conn:
        found = zone_workflow.zones(conn, view, now_of(conn), river="试验河")
    assert len(found.ground.told) == 1, "the management line stands for the outer line, and that is said"
    whole = found.shares[-1]
    assert (whole.line_m, whole.kept_least_m, whole.uncovered_m) == pytest.approx((2400, 800, 500), rel=2e-4)
    assert whole.reaches(found.wanted["value"]) == "not_reached"
    assert {(d.code, d.bank, round(d.from_m)) for d in found.defects} == {
        ("uncovered", "left", 800),
        ("uncovered", "right", 0),
    }


def shifted(line: object) -> object:
    """A line of ``tiny`` (EPSG:4544) in the place and zone of the ground of nights."""
    from shapely import affinity

    return affinity.translate(line, night_ground.X - tiny.EAST, night_ground.Y - tiny.NORTH)
