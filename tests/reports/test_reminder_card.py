"""Reminder cards: one polite page each, from the command line to the paper."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import weasyprint
from sqlalchemy import text

from rivergis.db.connect import Database, now_of
from rivergis.patrol import duty_workflow
from rivergis.reports import duty_papers, patrol_paper, reminder_card
from rivergis.reports.reminder_card import Card
from tests.patrol import entry_county as county
from tests.patrol.entry_county import BOOK

DAY = date(2026, 5, 21)
REPROACH = ("违法", "处分", "作弊", "造假", "问责你", "通报批评", "约谈")


@pytest.fixture(scope="module")
def there(module_db: Database) -> Iterator[Database]:
    """The county with one patrol in the first half of May and nine leads beside the first river."""
    with module_db.write("local:test") as conn:
        county.build(conn)
        county.track(conn, "C1", ("09:00", "10:00"), ("H1", 0.0, 1800.0), on=date(2026, 5, 6))
        for i in range(9):
            given = {"id": uuid.uuid4(), "g": f"SRID=4490;POINT({106.001 + i / 500} 29.4003)"}
            add = "INSERT INTO data.finding (id, topic, first_night, place) VALUES (:id, 'encroachment', '2026-05-10', CAST(:g AS geometry))"
            conn.execute(text(add), given)
            conn.execute(
                text("INSERT INTO data.sighting (finding_id, night, status) VALUES (:id, '2026-05-10', 'new')"), given
            )
    yield module_db


@pytest.fixture(scope="module")
def duties(there: Database) -> duty_workflow.Duties:
    with there.read() as conn:
        known = now_of(conn)
        return duty_workflow.read(conn, BOOK, first=date(2025, 5, 20), last=DAY, as_of=DAY, known_at=known)


@pytest.fixture(scope="module")
def cards(there: Database, duties: duty_workflow.Duties) -> dict[str, Card]:
    with there.read() as conn:
        return {c.code: c for c in reminder_card.cards(conn, duties)}


def test_every_chief_with_something_open_gets_a_card(cards: dict[str, Card]) -> None:
    assert set(cards) == {"C1", "C2", "C3", "C4"}
    assert [(c.open, c.overdue, c.advised) for c in (cards["C1"], cards["C2"])] == [(1, 0, 1), (2, 2, 1)]


def test_a_card_says_what_waits_since_when_and_why(cards: dict[str, Card]) -> None:
    (line,) = cards["C1"].lines
    assert (line.where, line.asked, line.done, line.deadline) == ("0+000—1+900 两岸", "每半月 1 次", "0 / 1", "05-31")
    assert (line.last_left, line.last_right, line.before) == (date(2026, 5, 6), None, None)
    assert line.advice == "建议本期加密 1 次:待核查线索 9 处"
    assert cards["C2"].lines[0].before == "此前 1 期未见巡查记录"


def test_the_page_asks_nothing_of_other_machines_and_reproaches_nobody(cards: dict[str, Card]) -> None:
    for card in cards.values():
        page = reminder_card.render(card)
        assert not re.search(r"(?:src|href)=|url\(|@import", page)
        assert not [w for w in REPROACH if w in page]
        assert card.chief in page and "本卡仅为工作提示" in page
        assert page.count("<svg") == 1 and page.count("<circle") == len(card.lines)


def test_markup_in_a_name_stays_words(cards: dict[str, Card]) -> None:
    from dataclasses import replace

    line = replace(cards["C1"].lines[0], river="<b>河</b>")
    page = reminder_card.render(replace(cards["C1"], chief="<script>x</script>", lines=[line]))
    assert "<script>" not in page and "<b>河" not in page


def pages(card: Card) -> int:
    return len(weasyprint.HTML(string=reminder_card.render(card)).render().pages)


def test_the_fullest_card_is_one_page(cards: dict[str, Card]) -> None:
    assert pages(cards["C2"]) == 1


def test_problems_beyond_the_page_are_counted_and_stand_in_the_list(
    cards: dict[str, Card], duties: duty_workflow.Duties, tmp_path: Path
) -> None:
    card = cards["C1"]
    assert (len(card.problems), len(card.shown_problems)) == (9, 8)
    assert [p.where.split()[1] for p in card.problems] == sorted(p.where.split()[1] for p in card.problems)
    assert "另有 1 处" in reminder_card.render(card)
    paper = duty_papers.remind_paper(duties, list(cards.values()), duties.next_patrols(), [f"{c}.html" for c in cards])
    patrol_paper.write(paper, tmp_path / "list.xlsx")
    book = openpyxl.load_workbook(tmp_path / "list.xlsx", read_only=True)
    listed = [r for r in book["沿线问题与线索"].iter_rows(min_row=2, values_only=True) if r[1] == "C1"]
    assert len(listed) == 9


def test_the_list_of_next_patrols_in_words(duties: duty_workflow.Duties) -> None:
    told = [duty_papers.next_row(r) for r in duties.next_patrols().itertuples()]
    assert len({len(r) for r in told}) == 1 and len(told) == 5
    assert {r[-1] for r in told} == {"已公告文件 announced document"}


def test_the_strips_have_a_box_for_every_period(duties: duty_workflow.Duties) -> None:
    svg = duty_papers.strips(duties)
    assert svg.count("<title>") == len(duties.ledger)


@pytest.fixture
def run(there: Database, data_dir: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    env = {k: v for k, v in os.environ.items() if not k.startswith("RIVERGIS_")}
    env |= {"RIVERGIS_DATA_DIR": str(data_dir), "RIVERGIS_DATABASE": there.name}

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-c", "from rivergis.cli import main; main()", "patrol", *words]
        return subprocess.run(program, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)

    return command


def test_remind_writes_a_card_for_one_chief_and_the_list(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = run("remind", "--on", str(DAY), "--chief", "C1", "--out", "cards", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == [f"card-C1-{DAY}.html"]
    made = sorted(p.name for p in (tmp_path / "cards").iterdir())
    assert made == [f"card-C1-{DAY}.html", f"card-C1-{DAY}.pdf", f"reminders-{DAY}.xlsx"]
    assert (tmp_path / "cards" / made[1]).read_bytes().startswith(b"%PDF")


def test_calendar_and_next_say_what_is_wrong_with_a_command(run) -> None:  # type: ignore[no-untyped-def]
    for words, said in (
        (("calendar", "--out", "x.doc"), "x.doc"),
        (("calendar", "--from", "2026-06-01", "--to", "2026-05-01"), "in order"),
        (("next", "--chief", "赵六", "--on", str(DAY)), "赵六"),
    ):
        done = run(*words)
        assert done.returncode != 0 and said in done.stderr and "Traceback" not in done.stderr


def test_calendar_as_json_has_every_period(run) -> None:  # type: ignore[no-untyped-def]
    done = run("calendar", "--on", str(DAY), "--from", "2026-05-01", "--to", "2026-05-31", "--json")
    told = json.loads(done.stdout)
    assert len(told) == 10 and {r["state"] for r in told} == {"done", "overdue", "due"}
