"""Lists of higher levels on real PostGIS: numbers kept, nothing guessed, their own form back with every other cell as it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pytest
from openpyxl.styles import PatternFill
from sqlalchemy import text

from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.encroachment import baseline_workflow, superior_report_workflow, superior_store, superior_workflow
from rivergis.encroachment.superior_workflow import ListOf, TakenIn
from rivergis.errors import NotPermitted, UsageError
from tests.conftest import _drop, new_database
from tests.encroachment import baseline_ground as ground
from tests.encroachment import night_ground

NAME = "2026年省级暗访"
HEAD = [
    "序号",
    "上级编号",
    "问题类型",
    "问题描述",
    "经度",
    "纬度",
    "整改时限",
    "责任单位",
    "整改状态",
    "销号日期",
    "省厅批注",
]
TASKS = ["序号", "重点任务", "具体举措", "完成时限", "牵头单位", "责任单位", "配合单位", "完成情况"]


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


def problems(path: Path, **cells: Any) -> Path:
    """A list with a title, colours and a column of the province; rows at house a, between the heaps, far off, and nowhere."""
    rows: list[list[Any]] = [
        [1, "P-01", "乱建", "房屋", *ground.middle("a"), "2026年6月30日前", "河湾村", cells.get("state"), None, "重点"],
        [2, "P-02", "乱堆", "堆渣", *ground.lonlat(1411, 44), "长期坚持", "河湾村", None, None, None],
        [3, "P-03", "乱占", "网箱", *ground.lonlat(900, -60), "2026年6月底", "河湾村", "未整改", None, None],
        [4, "P-04", "乱占", "不详", None, None, "尽快", None, None, None, "请核"],
    ]
    ground.sheet(path, HEAD, rows, "省级暗访发现问题清单")
    book = openpyxl.load_workbook(path)
    book.active["K3"].fill = PatternFill("solid", fgColor="FFFF00")
    book.active.column_dimensions["D"].width = 40
    book.save(path)
    return path


def take_in(base: Database, folder: Path, path: Path, name: str = NAME, kind: str = "problems", **more: Any) -> TakenIn:
    about = ListOf(name, kind, ground.LISTS, "省水利厅", more.get("issued_on", date(2026, 4, 20)))
    table = superior_workflow.read(path, about, asked=ground.ASKED)
    return superior_workflow.take_in(ground.desk(base, folder), table, about)


@pytest.fixture(scope="module")
def taken(base: Database, folder: Path) -> TakenIn:
    return take_in(base, folder, problems(folder / "暗访.xlsx"))


def test_every_row_once_and_what_is_unclear_is_listed(taken: TakenIn) -> None:
    assert {i.number: (i.how, i.start) for i in taken.items} == {
        "P-01": ("near", "in_hand"),
        "P-02": ("ambiguous", "listed"),
        "P-03": ("reported", "in_hand"),
        "P-04": ("no_place", "listed"),
    }
    assert len(taken.items[1].figures["may_be"]) == 2
    assert [(d["number"], d["field"], d["code"]) for d in taken.doubts] == [("P-04", "deadline", "words_unknown")]


def test_the_same_list_again_changes_nothing(base: Database, folder: Path, taken: TakenIn) -> None:
    count = "SELECT (SELECT count(*) FROM data.finding_event), (SELECT count(*) FROM data.finding), (SELECT count(*) FROM data.superior_item)"
    with base.read() as conn:
        before = conn.execute(text(count)).one()
    again = take_in(base, folder, folder / "暗访.xlsx")
    assert (again.version, again.known) == (1, True)
    assert [(i.how, i.finding_id) for i in again.items] == [(i.how, i.finding_id) for i in taken.items]
    with base.read() as conn:
        assert conn.execute(text(count)).one() == before


def test_a_case_may_have_several_numbers(base: Database, folder: Path, taken: TakenIn) -> None:
    head = ["交办编号", "问题类型", "经度", "纬度"]
    other = ground.sheet(folder / "市级.xlsx", head, [["市-9", "乱建", *ground.middle("a")]])
    done = take_in(base, folder, other, "市级交办")
    with base.read() as conn:
        sql = "SELECT superior_numbers FROM app.case WHERE id = :f"
        numbers = conn.execute(text(sql), {"f": done.items[0].finding_id}).scalar()
    assert done.items[0].finding_id == taken.items[0].finding_id and {"P-01", "市-9"} <= set(numbers)


def test_a_person_says_what_the_machine_could_not(base: Database, folder: Path, taken: TakenIn) -> None:
    desk = ground.desk(base, folder)
    first = taken.items[1].figures["may_be"][0]["finding"]
    found = superior_workflow.link(desk, NAME, "P-02", first, ground.LISTS, new=False, reason="现场核对")
    assert str(found) == first
    with base.read() as conn:
        assert superior_store.states(conn, [first])[first] == "assigned"
        assert superior_store.links(conn, NAME)["P-02"]["how"] == "person"
    superior_workflow.link(desk, NAME, "P-02", None, ground.LISTS, new=False, reason="看错了")
    again = take_in(base, folder, folder / "暗访.xlsx")
    assert again.items[1].finding_id is None and again.items[1].how == "person"
    superior_workflow.link(desk, NAME, "P-02", first, ground.LISTS, new=False, reason="复核后确认")


def test_the_form_goes_back_with_every_other_cell_as_it_was(base: Database, folder: Path, taken: TakenIn) -> None:
    out = folder / "回报.xlsx"
    with base.read() as conn:
        done = superior_report_workflow.export(conn, NAME, out, folder / "store", ground.LISTS)
    given, back = (openpyxl.load_workbook(p).active for p in (folder / "暗访.xlsx", out))
    assert (given.dimensions, back["K3"].fill.fgColor.rgb, back.column_dimensions["D"].width) == (
        back.dimensions,
        "00FFFF00",
        40,
    )
    changed = {
        (a.row, HEAD[a.column - 1]): b.value
        for row, other in zip(given.iter_rows(), back.iter_rows(), strict=True)
        for a, b in zip(row, other, strict=True)
        if a.value != b.value
    }
    assert changed == {(3, "整改状态"): "已交办", (4, "整改状态"): "已交办"}
    assert done.without_case == ["P-04"] and done.filled == {"state": 2}


def test_what_the_higher_level_says_closed_is_closed_by_another_person(
    base: Database, folder: Path, taken: TakenIn
) -> None:
    done = take_in(base, folder, problems(folder / "暗访2.xlsx", state="省级已销号"))
    assert (done.version, done.known, done.awaiting) == (2, False, 1)
    closed = superior_workflow.close_taken_over(ground.desk(base, folder), [NAME])
    assert closed.closed == 0 and len(closed.refused) == 1  # who took it over
    closed = superior_workflow.close_taken_over(ground.desk(base, folder, ground.SIGNER), [NAME])
    assert closed.closed == 1
    assert ground.states(base)["a"] == "closed_above"


def test_a_list_in_text_goes_back_in_its_encoding(base: Database, folder: Path, taken: TakenIn) -> None:
    path = folder / "县.csv"
    path.write_bytes(
        "问题编号,问题类型,经度,纬度,是否整改,是否销号\r\nX1,乱建,{},{},,\r\n".format(*ground.middle("f")).encode("gbk")
    )
    take_in(base, folder, path, "县清单")
    with base.read() as conn:
        superior_report_workflow.export(conn, "县清单", folder / "县回.csv", folder / "store", ground.LISTS)
    assert (folder / "县回.csv").read_bytes() == path.read_bytes().replace(b",,\r\n", ",否,否\r\n".encode("gbk"))


@pytest.mark.parametrize("ending", ["shp", "gpkg"])
def test_a_list_on_the_map_goes_back_on_the_map(base: Database, folder: Path, taken: TakenIn, ending: str) -> None:
    shapes = [night_ground.box(*ground.HOUSES["e"]), night_ground.box(1700, -60, 20, 20)]
    said = {"问题编号": [f"{ending}-1", f"{ending}-2"], "类型": ["乱建", "乱堆"], "整改状态": ["整改中", None]}
    code = {"encoding": "GBK"} if ending == "shp" else {}
    path, out = folder / f"图.{ending}", folder / f"图回.{ending}"
    gpd.GeoDataFrame(said, geometry=shapes, crs=night_ground.ZONE).to_crs(4490).to_file(path, **code)
    done = take_in(base, folder, path, f"图-{ending}")
    assert done.items[0].how == "overlap" and done.items[1].how in ("reported", "overlap")
    with base.read() as conn:
        superior_report_workflow.export(conn, f"图-{ending}", out, folder / "store", ground.LISTS)
    before, after = gpd.read_file(path, **code), gpd.read_file(out, **code)
    assert list(after.columns) == list(before.columns)
    assert after.geometry.geom_equals(before.geometry).all()
    assert list(after["整改状态"]) == ["整改中", "问题"]


def tasks(path: Path) -> Path:
    rows = [
        [1, "一、综合治理", "自查拦河养鱼,拆除设施", "2020年9月底完成,并长期坚持", "区水利局", "各镇街", None, None],
        [2, None, "清理漂浮物", "立行立改", None, "各镇街", "区河长办、区城管局", None],
        [3, "二、健全机制", "编制规划", "2021年6月前", "区水利局", None, None, None],
        [4, "二、健全机制", "完善制度", "按省级部署推进", "区水利局", None, None, None],
    ]
    ground.sheet(path, TASKS, rows, "整改任务分解表")
    book = openpyxl.load_workbook(path)
    book.active.merge_cells("B3:B4")
    book.save(path)
    return path


def test_tasks_have_days_and_standing_duties(base: Database, folder: Path) -> None:
    done = take_in(base, folder, tasks(folder / "分解表.xlsx"), "水污染整改", "tasks", issued_on=date(2020, 9, 23))
    assert [(d["number"], d["code"]) for d in done.doubts] == [("4", "words_unknown")]
    with base.read() as conn:
        found = superior_store.items(conn, superior_store.named(conn, "水污染整改")["id"])
    assert [(i["due_on"], i["standing"]) for i in found] == [
        (date(2020, 9, 30), True),
        (date(2020, 9, 23), False),
        (date(2021, 5, 31), False),
        (None, False),
    ]
    assert [i["said"]["key_task"] for i in found[:2]] == ["一、综合治理"] * 2
    with pytest.raises(UsageError):
        take_in(base, folder, folder / "分解表.xlsx", NAME, "tasks")


def test_a_task_is_accepted_by_another_person_and_reported_back(base: Database, folder: Path) -> None:
    maker, other = ground.desk(base, folder), ground.desk(base, folder, ground.SIGNER)
    with pytest.raises(NotPermitted):
        superior_workflow.step(other, "水污染整改", "1", "accepted", "没有做", None)
    superior_workflow.step(maker, "水污染整改", "1", "done", "设施已拆除", None)
    with pytest.raises(NotPermitted):
        superior_workflow.step(maker, "水污染整改", "1", "accepted", "自己验收", None)
    superior_workflow.step(other, "水污染整改", "1", "accepted", "现场复核", None)
    superior_workflow.step(maker, "水污染整改", "3", "done", "已印发", None)
    with base.read() as conn:
        superior_report_workflow.export(conn, "水污染整改", folder / "分解表回.xlsx", folder / "store", ground.LISTS)
    table = openpyxl.load_workbook(folder / "分解表回.xlsx").active
    assert [table.cell(r, 8).value for r in (3, 4, 5, 6)] == ["已销号", None, "已完成", None]
    assert table.max_column == len(TASKS) and table["B3"].value == "一、综合治理"


def test_what_fails_in_the_middle_leaves_nothing(base: Database, folder: Path) -> None:
    count = "SELECT (SELECT count(*) FROM data.finding_event), (SELECT count(*) FROM data.superior_list), (SELECT count(*) FROM data.baseline)"
    with base.read() as conn:
        before = conn.execute(text(count)).one()
    head = ["问题编号", "问题类型", "经度", "纬度"]
    path = ground.sheet(folder / "新.xlsx", head, [["N-1", "乱建", *ground.middle("e")]])
    fresh, clash = (
        ListOf(n, "problems", ground.LISTS) for n in ("新清单", "水污染整改")
    )  # the other is a list of tasks
    ledgers = [(superior_workflow.read(path, a, asked=ground.ASKED), a) for a in (fresh, clash)]
    with pytest.raises(UsageError):
        baseline_workflow.make(ground.desk(base, folder), baseline_workflow.Sources(ledgers=ledgers))
    with base.read() as conn:
        assert conn.execute(text(count)).one() == before


def test_a_list_before_any_night_opens_its_cases(db: Database, tmp_path: Path) -> None:
    with db.write("test") as conn:
        people.add_user(conn, ground.MAKER, ground.MAKER)
        people.grant(conn, ground.MAKER, "inspector")
    done = take_in(db, tmp_path, problems(tmp_path / "暗访.xlsx"))
    assert done.counts == {"no_place": 1, "reported": 3}
    assert ground.states(db) == {"P-01": "assigned", "P-02": "assigned", "P-03": "assigned"}
    again = take_in(db, tmp_path, tmp_path / "暗访.xlsx")
    assert again.known and again.counts == done.counts
