"""The papers of a redraw: the table to be countersigned stands out in red; page, PDF, workbook, package and JSON say the same."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pyogrio
import pytest
from click.testing import CliRunner

from rivergis.boundary.redraw import files as diff_files
from rivergis.boundary.redraw import told as diff_told
from rivergis.boundary.redraw.compare import Redraw
from rivergis.boundary.redraw.files import Files
from rivergis.cli.boundary import command
from rivergis.errors import EnvironmentFault, UsageError
from rivergis.reports import boundary_diff as report
from tests.boundary.test_diff_files import VIEW, line, write
from tests.boundary.test_diff_laws import box

MADE_AT = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A river of 1 km: 2,000 m2 with a case and a fill let go without a reason, 1,000 m2 with one, and some taken in."""
    folder = tmp_path_factory.mktemp("redraw")
    whole = box(0, -50, 1000, 50)
    new = whole.difference(box(200, 40, 400, 50)).difference(box(600, -50, 700, -40)).union(box(800, 50, 900, 60))
    write(folder / "old.gpkg", [whole], river_code=["A"], 河流名称=["清水河<b>"], 公告日期=["2020-06-01"])
    write(folder / "new.gpkg", [new], river_code=["A"])
    write(folder / "reaches.gpkg", [line((0, 0), (1000, 0))], code=["R1"], river_code=["A"])
    write(folder / "cases.gpkg", [box(250, 42, 260, 46)], 问题编号=["=500199-2026-7"])
    write(
        folder / "water.gpkg", [box(300, -50, 400, 50), box(300, -50, 400, 40)], 观测日期=["2015-06-01", "2024-06-01"]
    )
    return folder


@pytest.fixture(scope="module")
def redraw(world: Path) -> Redraw:
    files = Files(
        world / "old.gpkg",
        world / "new.gpkg",
        reaches=world / "reaches.gpkg",
        things={"case": (world / "cases.gpkg",)},
        observed=(world / "water.gpkg",),
    )
    return diff_files.redraw(files, VIEW)


def test_the_page_shows_every_reduction_and_what_was_not_given(redraw: Redraw, tmp_path: Path) -> None:
    report.write(redraw, tmp_path / "r.html", MADE_AT)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "内部草稿·非测绘成果" in page and "违法" not in page
    assert "有未结案问题 (=500199-2026-7)" in page and "疑似填占线索) (1,000 m²" in page
    assert page.count('<tr class="red"><td class="n">') == 2
    assert "未说明理由" in page and "永久基本农田" in page.split('class="alarm"')[1].split("</p>")[0]
    assert "<script" not in page and "清水河<b>" not in page and "清水河&lt;b&gt;" in page
    assert not re.search(r'(src|href)="http', page)


def test_equal_facts_give_equal_bytes(redraw: Redraw, tmp_path: Path) -> None:
    for ending in (".html", ".xlsx", ".json"):
        report.write(redraw, tmp_path / f"a{ending}", MADE_AT)
        report.write(redraw, tmp_path / f"b{ending}", MADE_AT)
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_the_workbook_begins_with_the_table_to_sign(redraw: Redraw, tmp_path: Path) -> None:
    report.write(redraw, tmp_path / "r.xlsx", MADE_AT)
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    sheet = book.worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][0].startswith("缩小管理范围会签表")
    assert [c.split()[0] for c in rows[2]][-3:] == ["会签人", "签名", "日期"]
    first = rows[3]
    assert (first[0], first[2], round(first[4], -1), first[6]) == (1, "左岸", 2000, "未说明理由")
    assert first[7] == "'=500199-2026-7"  # inert
    assert sheet.cell(4, 7).font.color.rgb.endswith("B3261E")
    assert [r[0].split()[0] for r in rows[-5:]] == [
        "编制",
        "审查",
        "水行政主管部门",
        "自然资源主管部门",
        "县级人民政府",
    ]
    assert set(book.sheetnames) > {"各河流", "涉及对象清单", "依法范围与实际水域对照"}


def test_the_pdf_has_text_and_maps(redraw: Redraw, tmp_path: Path) -> None:
    report.write(redraw, tmp_path / "r.pdf", MADE_AT)
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "r.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    assert "会签" in text and "=500199-2026-7" in text and "总图" in text


def test_the_package_holds_the_layers_and_everything_said(redraw: Redraw, tmp_path: Path) -> None:
    report.write(redraw, tmp_path / "r.gpkg", MADE_AT)
    names = {name for name, _ in pyogrio.list_layers(tmp_path / "r.gpkg")}
    assert names == {"pieces", "flags", "things", "old", "new", "redraw"}
    pieces = pyogrio.read_dataframe(tmp_path / "r.gpkg", layer="pieces")
    assert pieces.crs.to_epsg() == 4490
    assert sorted(pieces.loc[~pieces["noise"].astype(bool), "change"]) == ["entering", "leaving", "leaving"]


def test_json_holds_the_shapes_and_is_what_the_preview_gives(redraw: Redraw, tmp_path: Path) -> None:
    report.write(redraw, tmp_path / "r.json", MADE_AT)
    told = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert told == json.loads(json.dumps(diff_told.told(redraw), ensure_ascii=False))
    assert [f["id"] for f in told["geometry"]["leaving"]["features"]] == sorted(r["piece"] for r in told["reductions"])


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ends in"):
        report.check(tmp_path / "r.docx")
    with pytest.raises(EnvironmentFault, match="no folder"):
        report.check(tmp_path / "none" / "r.pdf")


# ---- command -------------------------------------------------------------------------------------------------------------


def run(*args: object) -> tuple[int, str]:
    done = CliRunner().invoke(command, ["diff", *map(str, args)])
    return done.exit_code, done.output


def test_the_command_lists_the_reductions_and_fails_on_them_when_asked(world: Path, tmp_path: Path) -> None:
    files = (
        world / "old.gpkg",
        world / "new.gpkg",
        "--reaches",
        world / "reaches.gpkg",
        "--cases",
        world / "cases.gpkg",
    )
    code, said = run(*files, "--out", tmp_path / "a.html", "--out", tmp_path / "a.xlsx", "--fail-on", "reduction")
    assert code == 1
    assert "缩小管理范围会签表" in said and "0+200–0+400" in said and "永久基本农田" in said
    assert (tmp_path / "a.html").exists() and (tmp_path / "a.xlsx").exists()
    assert run(world / "old.gpkg", world / "old.gpkg", "--fail-on", "reduction")[0] == 0


def test_the_command_gives_json_with_a_reason_for_what_names_none(world: Path) -> None:
    code, said = run(world / "old.gpkg", world / "new.gpkg", "--reason", "测量更正", "--noise", "0", "--json")
    told = json.loads(said)
    assert code == 0 and {r["reason"] for r in told["reductions"]} == {"测量更正"}
    assert told["tolerance_m"] == 0 and told["about"]["old_day"] == date(2020, 6, 1).isoformat()


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("old.gpkg",),
        ("old.gpkg", "new.gpkg", "--draft", "D1"),
        ("--on", "2026-01-01"),
        ("old.gpkg", "new.gpkg", "--cases", "nowhere.gpkg"),
    ],
)
def test_what_is_put_wrongly_is_said(world: Path, args: tuple[str, ...]) -> None:
    done = CliRunner().invoke(
        command, ["diff", *(str(world / a) if a in ("old.gpkg", "new.gpkg") else a for a in args)]
    )
    assert isinstance(done.exception, UsageError)
