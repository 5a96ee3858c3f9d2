"""What a row of a list says: headings and states as they are spelled, units, classes, doubts."""

from __future__ import annotations

from datetime import date

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis import rules, words
from rivergis.encroachment import baseline_files, superior
from rivergis.errors import InputError, RuleError
from rivergis.settings import gis_dir

RULES = gis_dir() / "rules"
LISTS = baseline_files.load_profile("national", RULES)
VIEW = rules.load(RULES).at(rules.path_of("500199"), date(2026, 5, 1))
STATES = st.sampled_from([*superior.LADDER, "not_a_problem", "historic_harmless", "historic_listed"])


def meant(**said: str) -> superior.Meant:
    return superior.meaning(said, LISTS, VIEW, date(2026, 5, 1))


@given(st.lists(st.sampled_from(sorted(LISTS.columns["problems"])), unique=True, min_size=1), st.randoms())
def test_a_heading_holds_one_field_whatever_its_order(fields: list[str], chance: object) -> None:
    headings = list({LISTS.columns["problems"][f][0] for f in fields})
    first = superior.columns_of(headings, LISTS.columns["problems"])
    chance.shuffle(headings)  # type: ignore[attr-defined]
    assert superior.columns_of(headings, LISTS.columns["problems"]) == first
    assert len(set(first.values())) == len(first)


def test_headings_are_known_with_blanks_breaks_and_brackets() -> None:
    told = superior.columns_of(
        ["上级\n编号", "问题 类型", "整改时限(年月日)", "定位误差（米）", "其它"], LISTS.columns["problems"]
    )
    assert told == {
        "number": "上级\n编号",
        "class_word": "问题 类型",
        "deadline": "整改时限(年月日)",
        "accuracy_m": "定位误差（米）",
    }


def test_headings_cut_by_a_shapefile_count_where_they_can_only_be_one_field() -> None:
    names = LISTS.columns["problems"]
    assert superior.columns_of(["问题编", "整改状", "整改完", "整改完成日"], names, cut=True) == {
        "number": "问题编",
        "state": "整改状",
        "rectified_on": "整改完成日",
    }
    assert superior.columns_of(["问题编", "整改状"], names) == {}


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"state": "已销号"}, "closed"),
        ({"state": " 已 销 号。"}, "closed"),
        ({"state": "省级已销号"}, "closed_above"),
        ({"state": "整改中"}, "assigned"),
        ({"state": "未整改"}, "problem"),
        ({"state": "未整改", "deadline": "2026年6月底", "responsible": "某镇"}, "assigned"),
        ({"deadline": "长期坚持", "lead": "县水利局"}, "assigned"),
        ({"state": "历史碍洪挂账"}, "historic_listed"),
        ({"state": "不属实"}, "not_a_problem"),
        ({}, "problem"),
        ({"closed_yes": "是", "rectified_yes": "是"}, "closed"),
        ({"closed_yes": "否", "rectified_yes": "是"}, "rectified"),
        ({"rectified_yes": "否"}, "problem"),
        ({"state": "看情况"}, None),
        ({"state": "看情况", "deadline": "2026年6月底", "responsible": "某镇"}, None),
    ],
)
def test_states_as_lists_say_them(said: dict[str, str], state: str | None) -> None:
    told = meant(**said)
    assert told.state == state
    assert (state is None) == any(d.field == "state" for d in told.doubts)


@given(STATES, STATES)
def test_a_table_never_takes_a_case_back(current: str, said: str) -> None:
    done = superior.step(current, said)
    assert (done == "same") == (current == said)
    if done == "take":
        assert current == "found" or superior.LADDER.index(said) > superior.LADDER.index(current)


def test_units_with_their_part_and_a_class_by_its_finer_word() -> None:
    told = meant(
        lead="县水利局",
        responsible="甲镇、乙镇",
        supporting="县城管局;县公安局",
        class_word="乱占",
        class_detail="网箱养殖",
    )
    assert [(u["unit"], u["role"]) for u in told.units] == [
        ("县水利局", "lead"), ("甲镇", "responsible"), ("乙镇", "responsible"), ("县城管局", "supporting"), ("县公安局", "supporting"),
    ]  # fmt: skip
    assert (told.class_code, told.group) == ("occupation.net_pen", "乱占")
    assert meant(class_word="乱堆").group == "乱堆"
    assert [d.code for d in meant(class_word="别的什么").doubts] == ["class_unknown"]


@given(st.integers(-89, 89), st.integers(0, 59), st.integers(0, 59))
def test_a_position_is_as_exact_as_it_is_written(degree: int, minute: int, second: int) -> None:
    value = degree + minute / 60 + second / 3600
    whole_seconds = baseline_files.written_to_m(shapely.Point(100 + 7 / 3600, value))
    assert whole_seconds == pytest.approx(111_320 / 3600 / 2, rel=1e-6)
    assert baseline_files.written_to_m(shapely.Point(106.1, 29.4)) == pytest.approx(5566, rel=1e-3)
    assert baseline_files.written_to_m(shapely.Point(106.1234567, 29.4)) == 0.0
    assert baseline_files.written_to_m(shapely.Point(597_000, 3_253_000)) == 0.0


def test_what_is_reported_back_is_read_as_what_it_was() -> None:
    for state in (
        "problem",
        "assigned",
        "rectified",
        "accepted",
        "closed",
        "closed_above",
        *superior.OUTCOME_STATES.values(),
    ):
        assert meant(state=words.say(f"state.finding.{state}")).state == state


def test_a_profile_that_is_none_is_said() -> None:
    with pytest.raises(RuleError):
        superior.profile_of("own", {"about": "x"})
    with pytest.raises(InputError):
        baseline_files.load_profile("nowhere", RULES)
