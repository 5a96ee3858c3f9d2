"""Samples in a database, and the whole way of a batch from the command line (see patch_ground for the river)."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text

from rivergis.cli import main
from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.encroachment import life_workflow, sample_workflow
from rivergis.errors import NotPermitted, UsageError
from tests.encroachment.patch_ground import BOOK, DAY, at, delivery, listed, night, office, river, rows, take

VIEW = BOOK.at(("000000",), DAY)


@pytest.fixture
def judged(db: Database, tmp_path: Path) -> Database:
    """A batch of twenty buildings inside the line, told by a night; zhang judged eighteen of them no problem."""
    river(db)
    office(db)
    said = [{**rows()[0], "图斑编号": f"T{n}"} for n in range(20)]
    shapes = {f"T{n}": at(20 + 90 * n, 50, 20, 20) for n in range(20)}
    take(db, delivery(tmp_path / "in", ".gpkg", said, shapes), tmp_path / "store")
    night(db, tmp_path)
    for n in range(18):
        judge(db, f"T{n}", "zhang", tmp_path)
    return db


def judge(db: Database, patch: str, who: str, folder: Path, move: str = "judge_not_a_problem") -> None:
    finding = listed(db)[patch].finding
    assert finding is not None
    life_workflow.take_step(db, finding, move, who, reason="有许可", attachment=None, store_dir=folder / "store")


def draw(db: Database, who: str = "li") -> sample_workflow.Sample:
    return sample_workflow.draw(db, VIEW, batch="2026-1", days=None, actor=who)


def test_a_sample_is_drawn_once_examined_by_another_and_told(judged: Database, tmp_path: Path) -> None:
    first = draw(judged)
    assert draw(judged, "wang") == first, "nobody draws until it suits"
    assert (first.result.population, first.result.drawn, first.drawn_by) == (18, 2, "li")
    assert {m["judged_by"][0] for m in first.members} == {"zhang"}
    with pytest.raises(NotPermitted, match="another person"):
        sample_workflow.examine(judged, first.id, 1, "agree", "看过", "zhang", tmp_path / "store")
    with pytest.raises(UsageError, match="reason"):
        sample_workflow.examine(judged, first.id, 1, "agree", " ", "li", tmp_path / "store")
    sample_workflow.examine(judged, first.id, 1, "agree", "许可相符", "li", tmp_path / "store")
    done = sample_workflow.examine(judged, first.id[:8], 2, "disagree", "建筑在许可之外", "li", tmp_path / "store")
    assert done["state"] == "found"
    back = [p for p in listed(judged).values() if p.finding == done["finding"]]
    assert [p.state for p in back] == ["found"], "the lead waits to be judged again"
    with pytest.raises(UsageError, match="result stands"):
        sample_workflow.examine(judged, first.id, 2, "agree", "改主意", "wang", tmp_path / "store")
    with judged.read() as conn:
        told = sample_workflow.report(conn, first.id)
    assert (told.result.examined, told.result.disagreed, told.result.share) == (2, 1, 0.5)
    assert 0 < told.result.interval[0] < 0.5 < told.result.interval[1] < 1


def test_another_population_is_another_draw_and_the_first_stays(judged: Database, tmp_path: Path) -> None:
    first = draw(judged)
    judge(judged, "T18", "wang", tmp_path)
    second = draw(judged)
    assert second.id != first.id and second.earlier == [first.id]
    days = sample_workflow.draw(judged, VIEW, batch=None, days=(date(2020, 1, 1), date(2100, 1, 1)), actor="li")
    assert days.result.population == second.result.population, "the days hold what the batch holds"
    with pytest.raises(UsageError, match="nothing to draw"):
        sample_workflow.draw(judged, VIEW, batch=None, days=(date(2020, 1, 1), date(2020, 1, 2)), actor="li")


def test_a_draw_cannot_be_changed(judged: Database) -> None:
    draw(judged)
    for sql in ("UPDATE data.sample SET share = 1", "DELETE FROM data.sample_member"):
        with pytest.raises(Exception, match="append only"), judged.write("li") as conn:
            conn.execute(text(sql))


# ---- from the command line ----------------------------------------------------------------------------------------------


class Terminal:
    """The command line in this process: what a command prints with --json, and its exit code."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def run(self, *words: object, code: int = 0) -> Any:
        with pytest.raises(SystemExit) as done:
            main([*map(str, words), "--json"])
        out, err = self._capsys.readouterr()
        assert done.value.code == code, (done.value.code, out[-2000:], err[-2000:])
        return json.loads(out) if out else None


@pytest.fixture
def terminal(cli_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    for name in [n for n in os.environ if n.startswith("RIVERGIS_") and n not in cli_env]:
        monkeypatch.delenv(name)
    for name, value in cli_env.items():
        monkeypatch.setenv(name, value)
    return Terminal(capsys)


def test_the_way_of_a_batch_from_the_command_line(db: Database, terminal: Terminal, tmp_path: Path) -> None:
    river(db)
    with db.write("test") as conn:
        for name, role in (("zhang", "inspector"), ("li", "reviewer")):
            people.add_user(conn, name, name)
            people.grant(conn, name, role)
    run = terminal.run
    path = delivery(tmp_path / "in", ".xlsx")
    patches = ("encroachment", "patches")
    got = run(*patches, "import", path, "--batch", "2026-1", "--crs", "EPSG:4490", "--delivered-on", DAY)
    assert (got["version"], got["patches"]) == (1, 4)
    run("nightly", "run", "--date", DAY)
    assert run(*patches, "verify", "--batch", "2026-1", "--as-of", DAY)["differences"][0]["patch_no"] == "B"
    run(*patches, "export", "--batch", "2026-1", "--out", tmp_path / "form.xlsx")
    book = openpyxl.load_workbook(tmp_path / "form.xlsx")
    sheet = book.worksheets[0]
    heads = {c.value: c.column for c in sheet[2]}
    for row in (3, 6):
        sheet.cell(row, heads["核查结论"], 1)
        sheet.cell(row, heads["核查说明"], "有许可")
    book.save(tmp_path / "filled.xlsx")
    form = (tmp_path / "filled.xlsx", "--batch", "2026-1", "--crs", "EPSG:4490")
    refused = run(*patches, "return", *form, "--as", "li", code=4)
    assert refused["checked"] == 0 and len(refused["refused"]) == 2
    assert run(*patches, "return", *form, "--as", "zhang")["moved"] == 1
    [progress] = run(*patches, "list")
    assert (progress["checked"], sum(progress["states"].values())) == (2, 4)
    sample = run("encroachment", "sample", "draw", "--batch", "2026-1", "--as", "li")
    assert sample["result"]["population"] >= 2
    [first, *_] = sample["members"]
    run("encroachment", "sample", "examine", sample["id"], first["seq"], "agree", "--reason", "看过", "--as", "li")
    assert run("encroachment", "sample", "show", sample["id"])["result"]["examined"] == 1
    report = ("encroachment", "report", "--kind", "乱堆", "--lon", 105.003, "--lat", 29.3685, "--at", f"{DAY}T12:00")
    assert run(*report, "--as", "zhang")["reports"][0]["kind"] == "dump"
    assert [r["kind"] for r in run("encroachment", "reports", "--from", DAY, "--to", DAY)] == ["dump"]
