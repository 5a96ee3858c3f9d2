"""达标: what an announced document asks for, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis import rules
from rivergis.errors import InputError
from rivergis.patrol import compliance
from rivergis.rules import RuleValue, path_of
from rivergis.settings import gis_dir

BOOK = rules.load(gis_dir() / "rules")
DURATION, DISTANCE = "patrol.effective.min_duration", "patrol.effective.min_distance"
FILE_RULE = {"min_minutes": 10, "min_km": 1.0, "min_coverage": 0.5, "max_speed_kmh": 30}
GOOD = {"minutes": 30.0, "metres": 3000.0, "share": 0.9, "fast_share": 0.0}
amounts = st.floats(0, 1e5, allow_nan=False)


def at(adcode: str, on: date = date(2026, 5, 20), **facts: Any) -> compliance.Find:
    view = BOOK.at(path_of(adcode), on)
    return lambda key: view.find(key, **facts)


def row(key: str, value: Any, status: str = "confirmed") -> RuleValue:
    return RuleValue(
        key, value, "min", "basis", "source", status, "440100", "x/patrol", "3", None, None, {}, "水行政", "仅提示"
    )


def test_golden_places() -> None:
    """9 min 59 s and 1.2 km: not enough in Guangzhou, enough in Sixian, not in Aheqi."""
    figures = {"minutes": 9 + 59 / 60, "metres": 1200.0}
    outcome = {
        a: compliance.met(compliance.test(figures, at(a, chief_level="village")))
        for a in ("440100", "341324", "652923")
    }
    assert outcome == {"440100": False, "341324": True, "652923": False}


@pytest.mark.parametrize(("hours", "ok"), [(95.0, False), (96.0, False), (96.01, True), (None, True)])
def test_aheqi_next_patrol_only_after_more_than_96_hours(hours: float | None, ok: bool) -> None:
    tested = compliance.test({"hours_since_last": hours}, at("652923"))
    assert [(t.key, t.met, t.compared) for t in tested] == [("patrol.effective.min_interval", ok, "above")]


@pytest.mark.parametrize(
    ("mode", "ok"), [("app", True), ("drone", True), ("proxy", True), ("helicopter", False), (None, None)]
)
def test_modes_are_lawful_where_a_document_says_so(mode: str | None, ok: bool | None) -> None:
    tested = compliance.test({"mode": mode}, at("440100"))
    assert [t.met for t in tested] == [ok] and compliance.met(tested) is ok


def test_a_share_each_visit_only_for_the_waters_the_document_is_about() -> None:
    on, key = date(2019, 6, 1), "patrol.effective.min_share"
    bad = at("440100", on, chief_level="town", water_class="black_odour")
    assert [(t.key, t.met) for t in compliance.test({"share": 0.29}, bad)] == [(key, False)]
    assert compliance.test({"share": 0.29}, at("440100", on, chief_level="town")) == []


def test_every_row_says_where_it_stands() -> None:
    (tested, *_) = compliance.test({"minutes": 12.0}, at("440100"))
    assert (tested.threshold, tested.unit, tested.status, tested.ruleset) == (
        10,
        "min",
        "confirmed",
        "guangzhou/patrol",
    )
    assert "指导意见" in tested.basis and "广州日报" in tested.document and tested.version


@pytest.mark.parametrize("status", ["inferred", "unconfirmed"])
def test_what_is_not_announced_is_told_and_not_tested(status: str) -> None:
    def find(key: str) -> RuleValue | None:
        return row(key, 10, status) if key == DURATION else None

    assert compliance.test({"minutes": 1.0}, find) == []
    assert compliance.Unset(DURATION, status) in compliance.unset(find)
    assert compliance.Unset(DISTANCE, None) in compliance.unset(find)
    assert compliance.met([]) is None


@given(amounts, st.floats(0.1, 1e4))
def test_unset_and_tested_keys_are_all_keys(minutes: float, threshold: float) -> None:
    def find(key: str) -> RuleValue | None:
        return row(key, threshold) if key == DURATION else None

    figures = {name: None for name, _ in compliance.TESTS.values()} | {"minutes": minutes}
    keys = {t.key for t in compliance.test(figures, find)} | {u.key for u in compliance.unset(find)}
    assert keys == set(compliance.TESTS)


@given(st.floats(1, 1e4), st.floats(0, 3), st.floats(0, 0.5))
def test_near_is_a_band_about_the_threshold(threshold: float, ratio: float, near: float) -> None:
    def find(key: str) -> RuleValue | None:
        return {DURATION: row(key, threshold), compliance.NEAR_KEY: row(key, near)}.get(key)

    (tested,) = compliance.test({"minutes": threshold * ratio}, find)
    assert tested.met is (threshold * ratio >= threshold)
    if abs(abs(ratio - 1) - near) > 1e-6:
        assert tested.near is (abs(ratio - 1) < near)


@given(amounts, amounts, amounts)
def test_more_is_never_worse(threshold: float, a: float, b: float) -> None:
    def find(key: str) -> RuleValue | None:
        return row(key, threshold) if key in (DURATION, DISTANCE) else None

    low, high = sorted((a, b))
    less, more = (compliance.met(compliance.test({"minutes": m, "metres": m}, find)) for m in (low, high))
    assert more or not less


def test_a_figure_that_cannot_be_measured_fails_nobody() -> None:
    tested = compliance.test({"minutes": None, "metres": 1200.0}, at("440100"))
    assert [t.met for t in tested] == [None, True] and compliance.met(tested) is None
    assert compliance.met(compliance.test({"minutes": None, "metres": 10.0}, at("440100"))) is False


def effective(figures: dict[str, Any], rule: dict[str, Any]) -> list[compliance.Tested]:
    return compliance.effective(figures, rule, fast_share=0.2, near=0.15)


def test_the_rule_of_a_file() -> None:
    assert compliance.met(effective(GOOD, FILE_RULE)) is True
    for figure, value in (("minutes", 9.9), ("metres", 999.0), ("share", 0.49), ("fast_share", 0.21)):
        tested = effective(GOOD | {figure: value}, FILE_RULE)
        assert [t.near for t in tested if not t.met] == [True], figure
    assert compliance.met(effective(GOOD, {})) is None
    assert len(effective(GOOD, FILE_RULE | {"min_km": None})) == 3


@pytest.mark.parametrize(
    "rule", [{"min_minuts": 5}, {"min_km": "1 km"}, {"min_km": True}, {"min_km": -1}, {"min_km": float("nan")}]
)
def test_a_rule_of_a_file_that_is_none_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="rule of the file"):
        effective(GOOD, rule)
