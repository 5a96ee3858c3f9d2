"""Lists of higher levels as offices really send them: cells over several rows, texts that would be formulas."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from rivergis.cli import common
from rivergis.db.connect import Database
from rivergis.encroachment import life_workflow, superior_report_workflow, superior_workflow
from rivergis.encroachment.superior_workflow import ListOf, TakenIn
from rivergis.errors import CrsRefused
from tests.conftest import _drop, new_database
from tests.encroachment import baseline_ground as ground

HEAD = ["上级编号", "问题类型", "问题描述", "经度", "纬度", "整改时限", "责任单位", "整改状态", "佐证材料"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("superior")


@pytest.fixture(scope="module")
def base(data_dir: Path, folder: Path) -> Iterator[Database]:
    database = new_database(data_dir)
    ground.build(database, folder)
    yield database
    database.close()
    _drop(data_dir, database.name)


def take(db: Database, folder: Path, path: Path, name: str) -> TakenIn:
    about = ListOf(name, "problems", ground.LISTS, "省", date(2026, 5, 20))
    return superior_workflow.take_in(
        ground.desk(db, folder), superior_workflow.read(path, about, asked=ground.ASKED), about
    )


def step(db: Database, folder: Path, case: Any, move: str, **more: Any) -> None:
    said = {"reason": "现场核实", "attachment": None, "store_dir": folder / "store"} | more
    life_workflow.take_step(db, str(case), move, ground.MAKER, **said)


def export(db: Database, folder: Path, name: str, out: str) -> superior_report_workflow.Reported:
    with db.read() as conn:
        return superior_report_workflow.export(conn, name, folder / out, folder / "store", ground.LISTS)


def test_a_state_over_several_rows_goes_back_row_by_row(base: Database, folder: Path) -> None:
    rows = [
        [f"M-0{n}", "乱建", "房屋", *ground.middle(house), "2026年6月30日前", "河湾村", "未整改" if house == "a" else None, None]
        for n, house in enumerate("abc", 1)
    ]  # fmt: skip
    path = ground.sheet(folder / "merged.xlsx", HEAD, rows, "清单")
    book = openpyxl.load_workbook(path)
    for span in ("F3:F5", "G3:G5", "H3:H5", "I3:I5"):
        book.active.merge_cells(span)
    book.save(path)
    done = take(base, folder, path, "merged")
    assert [i.said["state"] for i in done.items] == ["未整改"] * 3, "a cell over three rows is said of each"
    for item in done.items[1:]:
        step(base, folder, item.finding_id, "take_back")
        step(base, folder, item.finding_id, "judge_not_a_problem")
    assert export(base, folder, "merged", "back.xlsx").filled["state"] == 2
    sheet = openpyxl.load_workbook(folder / "back.xlsx").active
    assert [sheet.cell(r, 8).value for r in (3, 4, 5)] == ["未整改", "不是问题", "不是问题"]
    assert {r.coord for r in sheet.merged_cells.ranges} == {"A1:I1", "F3:F5", "G3:G5", "I3:I5"}, "others as they were"
    step(base, folder, done.items[0].finding_id, "take_back")
    step(base, folder, done.items[0].finding_id, "judge_not_a_problem")
    export(base, folder, "merged", "alike.xlsx")
    sheet = openpyxl.load_workbook(folder / "alike.xlsx").active
    assert sheet["H3"].value == "不是问题" and "H3:H5" in {r.coord for r in sheet.merged_cells.ranges}


def test_the_name_of_a_picture_is_no_formula_in_a_list(base: Database, folder: Path) -> None:
    path = folder / "list.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        csv.writer(handle).writerows([HEAD, ["C-1", "乱建", "房屋", *ground.middle("d"), "", "", "未整改", ""]])
    done = take(base, folder, path, "list")
    live = folder / "=cmd|' c calc'!A1.pdf"
    live.write_bytes(b"%PDF-1.4 x")
    lon, lat = ground.middle("d")
    step(
        base, folder, done.items[0].finding_id, "judge_historic_listed", attachment=live,
        evidence=[life_workflow.Evidence(live, lon, lat, datetime(2026, 5, 20, 9))],
    )  # fmt: skip
    export(base, folder, "list", "back.csv")
    told = (folder / "back.csv").read_text(encoding="utf-8-sig")
    assert "=cmd" in told and ",=cmd" not in told and ',"=cmd' not in told


def test_a_frame_as_csv_holds_no_formula(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ["=1+1", "-5", None, "甲"], "m": [-1.5, 2.0, None, 3.0], "n": [1, 2, 3, 4]})
    common.write_frame(frame, tmp_path / "a.csv")
    told = (tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()
    assert told == ["name,m,n", "'=1+1,-1.5,1", "-5,2.0,2", ",,3", "甲,3.0,4"]
    common.write_frame(frame[:0], tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text(encoding="utf-8-sig") == "name,m,n\n"


def test_swapped_positions_are_named_where_the_system_is_said_already(folder: Path) -> None:
    rows = [[f"S-{n}", "乱建", "房屋", *ground.lonlat(100.0 * n, 40), None, None, None, None] for n in range(8)]
    for row in (rows[2], rows[5]):
        row[3], row[4] = row[4], row[3]
    path = ground.sheet(folder / "swapped.xlsx", HEAD, rows)
    about = ListOf("swapped", "problems", ground.LISTS, "省", date(2026, 5, 20))
    with pytest.raises(CrsRefused, match="feature 4, 7,") as told:
        superior_workflow.read(path, about, asked=ground.ASKED)
    assert "import it with --crs" not in told.value.sentence, "what was said is not asked for again"
