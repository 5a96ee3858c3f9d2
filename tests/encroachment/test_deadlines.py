"""Deadlines of papers: laws over how a day can be written, and the words of real tables."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.encroachment import deadlines
from rivergis.encroachment.deadlines import Deadline, parse

DAYS = st.dates(date(2000, 1, 1), date(2049, 12, 31))
FULL = ("{y}年{m}月{d}日", "{y}-{m:02}-{d:02}", "{y}/{m}/{d}", "{y}.{m}.{d}", "{y}{m:02}{d:02}", "{y} 年 {m} 月 {d} 日")
AROUND = ("{}", "{}前", "{}前完成", "于{}前完成整改", "{}之前销号", "截止{}", "{}完成整改并销号", " {} ")
STANDING = ("长期坚持", "并长期坚持", ",并长期坚持", ",持续推进", ",长期", ",常态化推进")


@given(DAYS, st.sampled_from(FULL), st.sampled_from(AROUND))
def test_a_full_day_is_read_in_every_spelling(day: date, form: str, around: str) -> None:
    said = around.format(form.format(y=day.year, m=day.month, d=day.day))
    assert parse(said) == Deadline(day)


@given(DAYS, st.sampled_from(FULL), st.sampled_from(STANDING))
def test_a_standing_duty_is_beside_the_day_and_takes_nothing_of_it(day: date, form: str, standing: str) -> None:
    said = form.format(y=day.year, m=day.month, d=day.day) + "前完成" + standing
    assert parse(said) == Deadline(day, standing=True)


@given(st.integers(2000, 2049), st.integers(1, 12), st.sampled_from(("底", "底前", "末", "", "底完成")))
def test_a_month_ends_with_its_last_day(year: int, month: int, end: str) -> None:
    last = date(year, month, calendar.monthrange(year, month)[1])
    assert parse(f"{year}年{month}月{end}").due_on == last
    assert parse(f"{year}年{month}月前").due_on == date(year, month, 1) - timedelta(days=1)


@given(DAYS, st.integers(1, 12))
def test_without_a_year_nothing_is_told_before_the_paper_and_nothing_without_it(issued: date, month: int) -> None:
    said = f"{month}月底前"
    assert parse(said).doubt == "issue_day_needed"
    told = parse(said, issued)
    last = date(issued.year, month, calendar.monthrange(issued.year, month)[1])
    assert told == (Deadline(last) if last >= issued else Deadline(doubt="before_issue"))


@given(DAYS, st.integers(1, 90))
def test_a_span_counts_from_the_paper(issued: date, days: int) -> None:
    assert parse(f"{days}日内", issued).due_on == issued + timedelta(days=days)
    assert parse(f"{days}个工作日内", issued).doubt == "working_days"


@given(DAYS, DAYS)
def test_two_days_are_never_one(one: date, other: date) -> None:
    told = parse(f"{one:%Y-%m-%d},{other:%Y-%m-%d}")
    assert told == (Deadline(one) if one == other else Deadline(doubt="several_days"))


@given(DAYS, st.text(alphabet="汛春节讨论视情况按照进度安排另行通知", min_size=1, max_size=6))
def test_what_is_not_understood_leaves_no_day(day: date, words: str) -> None:
    told = parse(f"{day.year}年{day.month}月{day.day}日{words}")
    assert told.due_on is None and told.doubt == "words_unknown"


@given(st.text(max_size=30), st.none() | DAYS)
def test_anything_may_be_said_and_a_doubt_never_has_a_day(said: str, issued: date | None) -> None:
    told = parse(said, issued)
    assert told.doubt is None or told.due_on is None


@pytest.mark.parametrize(
    ("said", "due", "standing", "at_once"),
    [
        ("2020年9月底完成,并长期坚持", date(2020, 9, 30), True, False),
        ("2021年6月前", date(2021, 5, 31), False, False),
        ("立行立改", date(2020, 9, 23), False, True),
        ("立行立改,长期坚持", date(2020, 9, 23), True, True),
        ("长期坚持", None, True, False),
        ("年底前", date(2020, 12, 31), False, False),
        ("2021年第一季度", date(2021, 3, 31), False, False),
        ("2020年12月中旬", date(2020, 12, 20), False, False),
        ("明年6月底", date(2021, 6, 30), False, False),
        ("两个月内", date(2020, 11, 23), False, False),
        ("十五日内", date(2020, 10, 8), False, False),
        ("12月31日前", date(2020, 12, 31), False, False),
    ],
)
def test_words_of_papers(said: str, due: date | None, standing: bool, at_once: bool) -> None:
    assert parse(said, date(2020, 9, 23)) == Deadline(due, standing, at_once)


@pytest.mark.parametrize(
    "said",
    ["尽快", "已完成", "2024年汛前", "2021年2月30日", "2020年9月底完成方案,2021年6月底完成整改", "按期", "2020923"],
)
def test_what_cannot_be_read_is_said(said: str) -> None:
    told = parse(said, date(2020, 9, 23))
    assert told.due_on is None and told.doubt


@pytest.mark.parametrize("said", [None, "", "/", "无", "-"])
def test_an_empty_cell_is_no_doubt(said: str | None) -> None:
    assert parse(said) == Deadline()


def test_a_real_table_of_63_tasks_is_read_whole() -> None:
    """A published 整改任务分解表: every deadline of it has a day or is a standing duty."""
    seeds = Path(__file__).resolve().parents[3] / "shared" / "seeds"
    found = sorted(seeds.glob("003_*")) if seeds.is_dir() else []
    if not found:
        pytest.skip(f"the published table is not at {seeds}")
    text = found[0].read_text(encoding="utf-8")
    table = text[text.index("附件\n\n整改任务分解表") :]
    said = re.findall(r"^(?:\d{4}年\d{1,2}月底\S*|长期坚持\S*|立行立改\S*|\d{4}年\S{1,12}前\S*)$", table, re.MULTILINE)
    told = [parse(s) for s in said]
    assert len(said) == 63
    assert [t.doubt for t in told] == [None] * 63
    assert all(t.due_on or t.standing for t in told)
    assert sum(t.standing for t in told) == sum("长期" in s for s in said)


@given(DAYS)
def test_a_day_said_in_full_is_exact_and_a_month_is_none(day: date) -> None:
    assert deadlines.exact(f"{day.year}年{day.month}月{day.day}日") == day == deadlines.exact(day.isoformat())
    assert deadlines.exact(f"{day.year}年{day.month}月") is None
