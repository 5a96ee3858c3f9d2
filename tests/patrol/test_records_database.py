"""Platform records in the database: known when they come again, never guessed, apart from tracks, and given back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from rivergis.db import aside
from rivergis.db.connect import Database
from rivergis.patrol import (
    entry_store,
    entry_workflow,
    merge_workflow,
    record_files,
    record_out_workflow,
    record_workflow,
)
from rivergis.patrol.record_match import Register, Unmatched
from rivergis.patrol.record_workflow import RecordsImported
from rivergis.patrol.records import Profile, Record
from rivergis.patrol.typed import Typed
from rivergis.reports import record_book
from rivergis.river import store as river_store
from rivergis.settings import gis_dir
from tests.conftest import _drop, new_database
from tests.patrol import entry_county as county
from tests.patrol.entry_county import DAY, VIEW

TODAY = date(2026, 6, 1)
HEAD = ["巡河编号", "河长姓名", "职务", "行政区", "河流", "开始时间", "结束时间", "时长", "里程"]
WALK = [
    "A1",
    "王强",
    "村支书",
    "江口镇石桥村",
    "清溪",
    "2026-05-20 09:00",
    "2026-05-20 09:40:12",
    "35分12秒",
    "1.2公里",
]


@pytest.fixture
def there(db: Database) -> Iterator[Database]:
    with db.write("local:test") as conn:
        county.build(conn)
    yield db


def profile(name: str = "national", **names: dict[str, str]) -> Profile:
    return replace(record_files.load_profile(name, gis_dir() / "rules"), names=names)


def book(path: Path, *rows: list[Any]) -> Path:
    made = openpyxl.Workbook()
    assert made.active is not None
    for row in (HEAD, *rows):
        made.active.append(row)
    made.save(path)
    return path


def take(db: Database, path: Path, p: Profile | None = None, **more: Any) -> RecordsImported:
    return record_workflow.import_records(db, path, p or profile(), actor="local:test", view=VIEW, today=TODAY, **more)


def entries(db: Database) -> pd.DataFrame:
    with db.read() as conn:
        return entry_store.entries(conn, date(2026, 1, 1), TODAY)


def row(**change: Any) -> list[Any]:
    fields = dict(zip(("id", "chief", "title", "unit", "river", "start", "end", "duration", "way"), WALK, strict=True))
    return list({**fields, **change}.values())


def test_a_file_is_taken_once_and_every_row_is_accounted_for(there: Database, tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx",
        WALK,
        row(id="A2", chief="赵六"),
        row(id="A3", river="乙河"),
        ["合计", *[None] * 7, "3.6公里"],
    )
    first = take(there, path)
    assert (first.count_in, first.imported, first.known, len(first.aside), len(first.skipped)) == (4, 1, 0, 2, 1)
    assert [(a.row, a.code) for a in first.aside] == [
        (3, "chief_unknown"),
        (4, "river_unknown"),
    ] and "赵六" in first.aside[0].sentence
    again = take(there, path)
    assert (again.imported, again.known, len(again.aside)) == (0, 1, 2)
    [one] = entries(there).to_dict("records")
    assert (one["kind"], one["chief_code"], one["minutes"], one["metres_said"], one["external_id"]) == (
        "platform_record",
        "C1",
        35.2,
        1200.0,
        "A1",
    )
    with there.read() as conn:
        waiting = aside.rows(conn, record_workflow.LAYER)
        [stretch] = entry_store.stretches(conn, [one["id"]]).to_dict("records")
    assert {q["code"] for q in waiting} == {"chief_unknown", "river_unknown"} and len(waiting) == 2
    assert stretch["river"] == "清溪" and stretch["from_m"] is None


def test_a_dry_run_keeps_nothing(there: Database, tmp_path: Path) -> None:
    assert take(there, book(tmp_path / "a.xlsx", WALK), dry_run=True).imported == 1 and entries(there).empty


def test_what_waited_is_taken_when_the_chief_has_come(there: Database, tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", row(chief="赵六", unit=None))
    take(there, path)
    with there.write("local:test") as conn:
        new = {"code": ["C9"], "name": ["赵六"], "level": ["village"], "title": [None], "unit_code": [None]}
        river_store.save(conn, "chief", pd.DataFrame(new), namespace="local", import_id=None)
    assert take(there, path).imported == 1
    with there.read() as conn:
        assert aside.rows(conn, record_workflow.LAYER) == []


def test_a_record_that_comes_again_with_other_figures_waits_until_the_old_one_is_withdrawn(
    there: Database, tmp_path: Path
) -> None:
    take(there, book(tmp_path / "a.xlsx", WALK))
    changed = book(tmp_path / "b.xlsx", row(way="1.5公里"))
    told = take(there, changed)
    assert told.imported == 0 and [a.code for a in told.aside] == ["differs"] and "里程" in told.aside[0].sentence
    merge_workflow.withdraw(there, str(entries(there)["id"].iloc[0]), "平台更正", actor="local:test")
    assert take(there, changed).imported == 1 and take(there, changed).known == 1
    assert Counter(entries(there)["state"]) == {"withdrawn": 1, "counted": 1}


def test_a_late_track_takes_the_platforms_record_and_the_sheet(there: Database, tmp_path: Path) -> None:
    take(there, book(tmp_path / "a.xlsx", WALK))
    sheet = Typed("paper", "C1", str(DAY), begin="石桥", end="清溪大桥")
    entry_workflow.enter(there, [replace(sheet, started="9:00")], actor="local:test", view=VIEW, today=TODAY)
    with there.read() as conn:
        [twin] = merge_workflow.twins(conn, DAY, DAY, VIEW)
    assert sorted(twin["kinds"]) == ["paper", "platform_record"] and twin["chief"] == "王 强"
    with there.write("local:test") as conn:
        track = county.track(conn, "C1", ("09:02", "09:41"), ("H1", 100.0, 900.0))
        done = merge_workflow.merge_late(conn, track, VIEW)
    assert len(done.merged) == 2 and set(entries(there)["state"]) == {"merged"}


def test_our_export_comes_back_to_us_as_known_and_to_others_as_records(
    there: Database, data_dir: Path, tmp_path: Path
) -> None:
    with there.write("local:test") as conn:
        county.track(conn, "C1", ("09:02", "09:41"), ("H1", 100.0, 900.0))
        county.track(conn, "C2", ("14:00", "15:00"), ("H1", 0.0, 500.0), ("H2", 0.0, 1000.0))
    rows = [
        Typed("paper", "C3", str(DAY), begin="石桥", end="0+800", started="8:00", minutes="20"),
        Typed("drone", "C4", str(DAY), metres="900"),
    ]
    assert not any(e.problems for e in entry_workflow.enter(there, rows, actor="local:test", view=VIEW, today=TODAY))
    out = exported(there)
    assert [(r.chief_code, r.river, r.seconds, r.metres) for r in out] == [
        ("C4", "甲河", None, 900.0), ("C3", "清溪", 1200.0, None), ("C1", "清溪", 2340.0, 800.0), ("C2", "清溪、甲河", 3600.0, 1500.0),
    ]  # fmt: skip
    record_book.write(out, profile(), tmp_path / "out.xlsx")
    told = take(there, tmp_path / "out.xlsx")
    assert (told.known, told.imported, told.aside) == (4, 0, [])
    # a layout without numbers tells nobody whose they are: chief, start and duration do, where there are any
    record_book.write(out, profile("county_app"), tmp_path / "app.xlsx")
    told = take(there, tmp_path / "app.xlsx", profile("county_app"))
    assert (told.known, told.imported, [a.code for a in told.aside]) == (3, 0, ["perhaps_known"]) and len(
        entries(there)
    ) == 2
    other = new_database(data_dir)
    with other.write("local:test") as conn:
        county.build(conn)
    told = take(other, tmp_path / "out.xlsx")
    assert (told.imported, told.aside) == (4, [])
    back = [replace(r, external_id="") for r in exported(other, "county_app")]
    assert back == [replace(r, external_id="") for r in out]
    assert exported(other) == [], "a platform's own records are not sent back to it"
    other.close()
    _drop(data_dir, other.name)


def exported(db: Database, name: str = "national") -> list[Record]:
    with db.read() as conn:
        return record_out_workflow.exported(conn, profile(name), DAY, DAY)


# ---- names to codes -------------------------------------------------------------------------------------------------------

REGISTER = Register(
    pd.DataFrame(county.CHIEFS, columns=["code", "name", "level", "title", "unit_code"]).assign(id=lambda f: f["code"]),
    pd.DataFrame(county.UNITS, columns=["code", "name", "level", "parent_code"]),
    pd.DataFrame(
        {"id": ["r1", "r2", "r3", "r4"], "code": ["R1", "R2", "R3", "R4"], "name": ["清溪", "甲河", "小河", "小河"]}
    ),
    pd.DataFrame({"name": ["清溪江口段"], "river_id": ["r1"], "river": ["清溪"], "from_m": [0.0], "to_m": [900.0]}),
)


def said(**what: str) -> Record:
    return Record(day=DAY, **what)  # type: ignore[arg-type]


def chief(**what: str) -> str:
    try:
        return str(REGISTER.chief(said(**what)))
    except Unmatched as error:
        return error.code


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({"chief": "王强"}, "C1"),
        ({"chief": "王　强"}, "C1"),
        ({"chief": "王强", "unit": "江口镇"}, "C1"),
        ({"chief": "王强", "unit": "别处县别处村"}, "C1"),
        ({"chief": "王强", "unit": "江口镇堰塘村"}, "chief_unit"),
        ({"chief": "张三"}, "chief_several"),
        ({"chief": "张三", "unit": "江口镇"}, "chief_several"),
        ({"chief": "张三", "unit": "试验县江口镇石桥村"}, "C3"),
        ({"chief": "张三", "unit_code": "500199001202"}, "C4"),
        ({"chief_code": "C3", "chief": "别人"}, "C3"),
        ({"chief": "李敏", "unit": "石桥村"}, "C2"),
        ({"chief": "王强强"}, "chief_unknown"),
        ({}, "chief_missing"),
    ],
)
def test_a_chief_is_named_only_where_one_alone_is_meant(what: dict[str, str], expected: str) -> None:
    assert chief(**what) == expected


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({"river": "清溪"}, [("r1", None)]),
        ({"river": "清溪、甲河"}, [("r1", None), ("r2", None)]),
        ({"river": "清溪江口镇段"}, [("r1", None)]),
        ({"river": "清溪（石桥村）"}, [("r1", None)]),
        ({"river": "清溪江口段"}, [("r1", 900.0)]),
        ({"river": "清溪", "reach": "清溪江口段"}, [("r1", 900.0)]),
        ({"river": "清溪", "reach": "不知哪段"}, [("r1", None)]),
        ({"river": "清溪河"}, "river_unknown"),
        ({"river": "小河"}, "river_several"),
        ({"river_code": "R3", "river": "小河"}, [("r3", None)]),
        ({}, []),
    ],
)
def test_a_river_is_named_only_where_one_alone_is_meant(what: dict[str, str], expected: Any) -> None:
    try:
        found: Any = [(s.river_id, s.to_m) for s in REGISTER.stretches(said(**what))]
    except Unmatched as error:
        found = error.code
    assert found == expected


def test_what_a_person_decided_in_the_profile_holds() -> None:
    decided = replace(REGISTER, names={"chief": {"张 三": "C4"}, "river": {"小河": "R4"}})
    assert decided.chief(said(chief="张三")) == "C4" and decided.stretches(said(river="小河"))[0].river_id == "r4"
