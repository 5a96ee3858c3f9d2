"""Size classes and grades: classes partition, grades follow 水管〔1994〕106号, and what is unknown leaves a range."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis import rules
from rivergis.errors import RuleError
from rivergis.river import grades
from rivergis.settings import gis_dir

TABLE: dict[str, Any] = (
    rules.load(gis_dir() / "rules").at(("000000",), date(2026, 5, 20)).value("code.grade_table").value
)
LIMITS = [10, 50, 200, 1000]


@pytest.mark.parametrize(
    ("area", "cls"),
    [(0, "0-10"), (9.99, "0-10"), (10, "10-50"), (49.9, "10-50"), (50, "50-200"), (1000, "1000+"), (None, None)],
)
def test_a_limit_belongs_to_the_class_above(area: float | None, cls: str | None) -> None:
    assert grades.size_class(area, LIMITS) == cls


@given(st.lists(st.floats(0, 1e5), min_size=2, max_size=2).map(sorted))
def test_a_larger_basin_is_never_of_a_lower_class(areas: list[float]) -> None:
    labels = grades.class_labels(LIMITS)
    a, b = (labels.index(str(grades.size_class(v, LIMITS))) for v in areas)
    assert a <= b


@pytest.mark.parametrize("limits", [[], [50, 10], [10, 10], [0, 10]])
def test_limits_that_do_not_rise_are_refused(limits: list[float]) -> None:
    with pytest.raises(RuleError, match="rise"):
        grades.class_labels(limits)


@pytest.mark.parametrize(
    ("facts", "grade"),
    [
        # (1) and (2), or (1) and (3)
        ({"basin_area_1e4_km2": 6, "farmland_1e4_mu": 600, "population_1e4": 10}, 1),
        ({"basin_area_1e4_km2": 6, "farmland_1e4_mu": 10, "population_1e4": 600}, 1),
        ({"basin_area_1e4_km2": 2, "farmland_1e4_mu": 600, "population_1e4": 600}, 2),
        ({"basin_area_1e4_km2": 0.5, "farmland_1e4_mu": 50, "population_1e4": 5}, 3),
        ({"basin_area_1e4_km2": 0.05, "farmland_1e4_mu": 5, "population_1e4": 5}, 4),
        ({"basin_area_1e4_km2": 0.002, "farmland_1e4_mu": 5, "population_1e4": 5}, 5),
        # large enough by area, too little of the others
        ({"basin_area_1e4_km2": 6, "farmland_1e4_mu": 50, "population_1e4": 50}, 3),
    ],
)
def test_grades_by_the_table(facts: dict[str, Any], grade: int) -> None:
    none_of_the_rest = {"city": "无", "traffic_and_industry": "无", "hydropower_1e4_kw": 0}
    assert grades.grade_of({**facts, **none_of_the_rest}, TABLE).grade == grade


def test_a_large_city_lifts_a_river_by_one_grade_and_no_more() -> None:
    small = {"basin_area_1e4_km2": 0.05, "farmland_1e4_mu": 5, "population_1e4": 5}
    rest = {"traffic_and_industry": "无", "hydropower_1e4_kw": 0}
    assert grades.grade_of({**small, "city": "特大", **rest}, TABLE).grade == 3
    assert grades.grade_of({**small, "city": "中等", **rest}, TABLE).grade == 3
    assert grades.grade_of({**small, "city": "小", **rest}, TABLE).grade == 4


def test_nothing_known_leaves_every_grade_open() -> None:
    found = grades.grade_of({}, TABLE)
    assert (found.grade, found.range, found.missing) == (None, "1-5", grades.CRITERIA)


def test_a_small_basin_alone_is_not_yet_grade_five() -> None:
    found = grades.grade_of({"basin_area_1e4_km2": 0.005}, TABLE)
    assert (found.grade, found.range) == (None, "4-5")
    assert "city" in found.missing and "basin_area_1e4_km2" not in found.missing


FACTS = st.fixed_dictionaries(
    {
        "basin_area_1e4_km2": st.floats(0, 20),
        "farmland_1e4_mu": st.floats(0, 1000),
        "population_1e4": st.floats(0, 1000),
        "city": st.sampled_from(["特大", "大", "中等", "小", "无"]),
        "traffic_and_industry": st.sampled_from(["特别重要", "重要", "中等", "一般", "无"]),
        "hydropower_1e4_kw": st.floats(0, 1000),
    }
)


@given(FACTS, st.sets(st.sampled_from(grades.CRITERIA)))
def test_what_is_hidden_only_widens_the_range(facts: dict[str, Any], hidden: set[str]) -> None:
    whole = grades.grade_of(facts, TABLE)
    part = grades.grade_of({k: v for k, v in facts.items() if k not in hidden}, TABLE)
    assert whole.grade is not None and not whole.missing
    assert part.best <= whole.grade <= part.worst
    assert set(part.missing) == hidden


def test_a_word_that_is_no_city_is_refused() -> None:
    with pytest.raises(RuleError, match="特大, 大, 中等, 小"):
        grades.grade_of({"city": "巨大"}, TABLE)
