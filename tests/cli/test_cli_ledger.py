"""The ledger from the command line, as an office uses it from a report to looking back."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pyogrio
import pytest

from rivergis.cli import main
from rivergis.db.connect import Database
from tests.encroachment.case_ground import LAT, LON, office, photo
from tests.intake.test_photo import gps, picture

AT = f"{LON},{LAT}"
SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = datetime.now(SHANGHAI).date()
Run = Callable[..., Any]


@pytest.fixture
def run(cli_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process: the same door, without a new interpreter for every step."""
    for name in [n for n in os.environ if n.startswith("RIVERGIS_") and "TEST" not in n]:
        monkeypatch.delenv(name)
    for name, value in cli_env.items():
        monkeypatch.setenv(name, value)

    def call(*args: str, code: int = 0) -> SimpleNamespace:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([*args])
        ended = end.value.code
        told = capsys.readouterr()
        assert ended == code, (args, ended, told.out[-500:], told.err[-1500:])
        return SimpleNamespace(stdout=told.out, stderr=told.err)

    return call


def test_an_office_works_with_its_ledger(run: Run, db: Database, tmp_path: Path) -> None:
    office(db)
    base = ("encroachment",)

    def move(case: str, name: str, who: str, *more: str, code: int = 0) -> str:
        done = run(*base, "move", case, name, "--as", who, *more, code=code)
        return done.stdout if code == 0 else done.stderr

    opened = json.loads(
        run(*base, "open", "--at", AT, "--class", "乱堆", "--source", "12314", "--number", "77", "--note", "河边渣土", "--as", "li", "--json").stdout
    )  # fmt: skip
    number = opened["number"]
    assert (number, opened["kind"]) == (f"500199-{TODAY.year}-0001", "dump")
    again = run(
        *base, "open", "--at", f"{LON + 0.0002},{LAT}", "--class", "乱堆", "--source", "巡河", "--as", "li"
    ).stdout
    assert "疑似重复" in again and number in again
    second = again.split()[0]
    assert second in run(*base, "duplicates").stdout
    assert "已并案" in move(second, "merge", "li", "--into", number, "--reason", "同一处")

    assert "问题" in move("77", "judge_problem", "li", "--reason", "现场核实", "--severity", "一般")
    assert "--deadline" in move(number, "assign", "li", code=2)
    soon = str(TODAY + timedelta(days=5))
    move(
        number,
        "assign",
        "li",
        "--deadline",
        soon,
        "--measure",
        "清运复绿",
        "--unit",
        f"城管局=清运@{soon}",
        "--unit",
        "镇政府",
    )
    listed = run(*base, "ledger", "list", "--due-in", "7").stdout
    assert number in listed and "城管局" in listed and "存量待核" in listed and second not in listed
    assert "city or province" not in move(number, "unit_done", "li", "--unit", "镇政府", code=2)
    near = picture(tmp_path / "near.jpg", gps(LON, LAT), taken=f"{datetime.now(SHANGHAI):%Y:%m:%d %H:%M:%S}")
    said = move(number, "unit_done", "li", "--unit", "镇政府", "--evidence", str(near))
    assert "照片无" not in said and "相距" not in said, "the picture tells its place and time itself"
    far = photo(tmp_path, "far.jpg")
    now = f"{datetime.now(SHANGHAI):%Y-%m-%dT%H:%M}"
    told = move(number, "rectify", "li", "--evidence", str(far), "--at", f"{LON + 0.01},{LAT}", "--taken-at", now)
    assert "⚠ far.jpg" in told and "距问题位置" in told
    assert "doubts-seen" in move(number, "accept", "wang", "--reason", "看过", code=2)
    move(number, "accept", "wang", "--reason", "现场复核", "--doubts-seen")
    move(number, "close", "wang", "--reason", "恢复原状")

    history = run(*base, "ledger", "history", number).stdout
    assert all(w in history for w in ("交办", "整改完成", "验收通过", "县内销号", "12314", "far.jpg", "距问题位置"))
    assert "closed" in run(*base, "ledger", "show", number).stdout
    early = run(*base, "ledger", "list", "--as-of", str(TODAY - timedelta(days=1)), "--json").stdout
    assert json.loads(early) == [], "nobody knew of it yesterday"

    for name in ("台账.xlsx", "台账.csv", "台账.geojson", "台账.json"):
        run(*base, "ledger", "export", str(tmp_path / name), "--as", "li")
    book = openpyxl.load_workbook(tmp_path / "台账.xlsx")
    cells = [[c.value for c in row] for row in book["问题台账"].iter_rows()]
    assert [r[0] for r in cells[1:]] == [number, second] and "县内销号" in cells[1]
    with (tmp_path / "台账.csv").open(encoding="utf-8-sig") as handle:
        assert [r[0] for r in csv.reader(handle)][1:] == [number, second]
    frame = pyogrio.read_dataframe(tmp_path / "台账.geojson")
    assert set(frame["state"]) == {"closed", "merged"} and "moved_by" not in frame and frame.geometry.notna().all()
    assert len(json.loads((tmp_path / "台账.json").read_text())["cases"]) == 2
    run(*base, "ledger", "export", str(tmp_path / "x.doc"), "--as", "li", code=2)
    run(*base, "ledger", "export", str(tmp_path / "x.csv"), "--as", "wrong", code=7)

    day = str(TODAY)
    drawn = json.loads(run(*base, "look-back", "draw", "--from", day, "--to", day, "--as", "zhao", "--json").stdout)
    assert (drawn["population"], drawn["drawn"], drawn["members"][0]["number"]) == (1, 1, number)
    found = (*base, "look-back", "result", drawn["id"][:8], "1", "rebounded", "--reason", "又堆渣土")
    run(*found, "--as", "li", code=7)
    run(*found, "--as", "zhao")
    assert "反弹" in run(*base, "look-back", "show", drawn["id"][:8]).stdout
    assert drawn["id"][:8] in run(*base, "look-back", "list").stdout
    assert json.loads(run(*base, "ledger", "show", number, "--json").stdout)["case"]["state"] == "problem"


def test_what_is_put_wrongly_is_told_in_one_sentence(run: Run, db: Database) -> None:
    office(db)
    for args, told in (
        (("move", "x", "fly"), "the moves are"),
        (("move", "abcd1234", "assign", "--unit", "甲", "--lead", "乙"), "none of the units"),
        (("move", "abcd1234", "rectify", "--at", AT), "--evidence FILE"),
        (("move", "abcd1234", "judge_problem", "--reason", "x"), "No case has the number"),
        (("ledger", "list", "--state", "flying"), "the states are"),
        (("open", "--at", AT, "--class", "星星", "--source", "巡河"), "names no class"),
        (("look-back", "draw", "--from", "2026-05-02", "--to", "2026-05-01"), "the first not after the last"),
        (("look-back", "draw", "--from", "2026-05-01", "--to", "2026-05-02"), "nothing to look back at"),
    ):
        who = "zhao" if args[0] == "look-back" else "li"
        done = run("encroachment", *args, "--as", who, code=3 if "No case" in told else 2)
        assert told in done.stderr and "Traceback" not in done.stderr
