"""``rivergis patrol records``, ``entry``, ``paper-log`` and ``river landmarks`` as people type them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import text

from rivergis.cli import _run
from rivergis.db import people
from rivergis.db.connect import Database
from tests.patrol import entry_county as county

Run = Callable[..., str]
MAY = ("--from", "2026-05-01", "--to", "2026-05-31")


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, db: Database, data_dir: Path
) -> Run:
    """``rivergis ARGS`` in this process on the county of entries, in an empty folder; its output, after checking the exit code."""
    with db.write("local:test") as conn:
        county.build(conn)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIVERGIS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("RIVERGIS_DATABASE", db.name)
    monkeypatch.delenv("RIVERGIS_DATABASE_URL", raising=False)

    def call(*args: str, code: int = 0) -> str:
        got = _run(list(args))
        said = capsys.readouterr()
        assert got == code, said.err
        return said.out if code in (0, 4) else said.err

    return call


def patrol(run: Run, *args: str, code: int = 0) -> str:
    return run("patrol", *args, code=code)


def book(path: Path) -> None:
    made = openpyxl.Workbook()
    assert made.active is not None
    made.active.append(["江口镇5月巡河统计"])
    made.active.append(["河长姓名", "行政区", "河流", "开始时间", "结束时间", "时长", "里程", "天气"])
    made.active.append(["王强", "石桥村", "清溪", "2026-05-20 09:00", "2026-05-20 09:40", "35分12秒", "1.2公里", "晴"])
    made.active.append(["张三", None, "清溪", "2026-05-20 09:00", "2026-05-20 09:40", "35分12秒", "1.2公里", "晴"])
    made.save(path)


def test_lists_and_files_that_name_people_are_for_who_may_see_tracks(run: Run, tmp_path: Path, db: Database) -> None:
    with db.write("local:test") as conn:
        for name, role in (("hua", "planner"), ("lin", "inspector")):  # both may import and export
            people.add_user(conn, name, name)
            people.grant(conn, name, role)
    out = ("records", "export", "--profile", "county_app", *MAY, "--out", "out.xlsx")
    for command in (out, ("entry", "list", *MAY)):
        assert "hua" in patrol(run, *command, "--as", "hua", code=7)
        patrol(run, *command, "--as", "lin")
    assert [p.name for p in tmp_path.glob("*.xlsx")] == ["out.xlsx"]


def test_a_month_of_records_in_and_out(run: Run, tmp_path: Path, db: Database) -> None:
    book(tmp_path / "5月.xlsx")
    said = patrol(run, "records", "import", "5月.xlsx", "--profile", "national", "--dry-run", code=4)
    assert "dry run" in said and "新增 new 1" in said and "天气" in said and "C3、C4" in said
    patrol(run, "records", "import", "5月.xlsx", "--profile", "national", code=4)
    told = json.loads(patrol(run, "records", "import", "5月.xlsx", "--profile", "national", "--json", code=4))
    assert (told["imported"], told["known"], [a["code"] for a in told["aside"]]) == (0, 1, ["chief_several"])
    assert "chief_several" in run("quarantine", "list", "--layer", "patrol_entry")
    assert "1 条记录" in patrol(run, "records", "export", "--profile", "county_app", *MAY, "--out", "out.xlsx")
    with db.read() as conn:
        audited = conn.execute(
            text("SELECT count(*) FROM sys.audit WHERE action = 'export' AND target = 'patrol_records'")
        )
        assert audited.scalar() == 1
    assert "已有 known 1" in patrol(run, "records", "import", "out.xlsx", "--profile", "county_app")


def test_refusals_of_records_say_what_to_do(run: Run, tmp_path: Path) -> None:
    book(tmp_path / "a.xlsx")
    assert "try --profile national" in patrol(
        run, "records", "import", "a.xlsx", "--profile", "province_platform", code=3
    )
    assert "county_app, national, province_platform" in patrol(
        run, "records", "import", "a.xlsx", "--profile", "x", code=3
    )
    assert ".xlsx or .csv" in patrol(run, "records", "export", "--profile", "national", *MAY, "--out", "a.docx", code=2)
    swapped = ("--from", "2026-05-31", "--to", "2026-05-01")
    assert "exchange them" in patrol(
        run, "records", "export", "--profile", "national", *swapped, "--out", "b.xlsx", code=2
    )
    assert "a county app" in patrol(run, "records", "profiles")


def test_the_life_of_an_entry(run: Run, tmp_path: Path, db: Database) -> None:
    (tmp_path / "scan.pdf").write_bytes(b"%PDF-1.4")
    row = (
        "--chief",
        "C1",
        "--day",
        "2026-05-20",
        "--from",
        "石桥",
        "--to",
        "清溪大桥",
        "--minutes",
        "40",
        "--scan",
        "scan.pdf",
    )
    said = json.loads(patrol(run, "entry", "add", *row, "--json"))
    assert said["where"] == "清溪 0+200 – 0+971" and "此前已录入" in patrol(run, "entry", "add", *row)
    listed = patrol(run, "entry", "list", *MAY)
    assert "石桥–清溪大桥" in listed and "计入频次" in listed
    number = said["entry_id"][:8]
    assert "已撤回" in patrol(run, "entry", "withdraw", number, "--reason", "填错")
    assert "计入频次" in patrol(run, "entry", "restore", number, "--reason", "没有填错")
    with db.write("local:test") as conn:
        track = county.track(conn, "C1", ("09:00", "10:00"), ("H1", 0.0, 900.0))
    assert [p["doubt"] for p in json.loads(patrol(run, "entry", "list", *MAY, "--proposed", "--json"))["pairs"]] == [
        None
    ]
    assert "已并入轨迹" in patrol(run, "entry", "merge", number, "--track", str(track), "--reason", "问过本人")
    assert json.loads(patrol(run, "entry", "list", *MAY, "--json"))[0]["state"] == "merged"
    assert "是否为:清溪大桥" in patrol(
        run, "entry", "add", "--chief", "C1", "--day", "2026-05-20", "--from", "石桥", "--to", "清溪桥", code=3
    )


def test_sheets_are_printed_for_a_unit(run: Run, tmp_path: Path) -> None:
    made = json.loads(
        patrol(run, "paper-log", "--unit", "500199001", "--on", "2026-05-20", "--out", "log.html", "--json")
    )
    assert [s["chief_code"] for s in made] == ["C2", "C1", "C3", "C4"] and {s["pages"] for s in made} == {1}
    assert made[0]["number"] in (tmp_path / "log.html").read_text(encoding="utf-8")
    assert "--unit ADCODE or --chief CODE" in patrol(run, "paper-log", "--out", "log.html", code=2)
    assert "the unit 77" in patrol(run, "paper-log", "--unit", "77", "--out", "log.html", code=3)


def test_the_gazetteer_answers(run: Run) -> None:
    assert "0+200 – 0+971" in run("river", "landmarks", "--river", "清溪", "--between", "清溪大桥", "石桥")
    assert [
        m["name"] for m in json.loads(run("river", "landmarks", "--near", "106.01,29.4", "--count", "1", "--json"))
    ] == ["清溪大桥"]
    assert "甲河堰" in run("river", "landmarks") and "甲河堰" not in run("river", "landmarks", "--river", "R1")
    assert "write 清溪大桥" in run("river", "landmarks", "--river", "清溪", "--between", "石桥", "清溪桥", code=3)
