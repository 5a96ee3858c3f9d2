"""Rules as data: precedence as laws, values as labelled rows, and every malformed file refused with one sentence."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rivergis import rules
from rivergis.errors import RuleError
from rivergis.rules import RuleValue, path_of
from rivergis.settings import gis_dir

RULES = gis_dir() / "rules"
BOOK = rules.load(RULES)


@pytest.mark.parametrize(
    ("label", "key", "at", "facts", "value"),
    [
        ("Anhui, other levees", "boundary.leveed.berm_width", "340000", {"levee_place": "other"}, 10),
        (
            "Anhui, large Yangtze levees, landside",
            "boundary.leveed.berm_width",
            "340000",
            {"levee_place": "yangtze_large"},
            30,
        ),
        ("Tibet, 50-year flood", "boundary.leveed.berm_width", "540000", {"design_return_period_a": 50}, 30),
        ("Tibet, 100-year flood", "boundary.leveed.berm_width", "540000", {"design_return_period_a": 100}, 50),
        ("Jiangsu, 洪泽湖", "boundary.leveed.berm_width", "320000", {"levee_name": "洪泽湖"}, 50),
        ("national lower bound, grade 1", "boundary.leveed.berm_width", "500199", {"levee_grade": 1}, 20),
        ("Chongqing, county seat", "boundary.unleveed.return_period", "500199", {"plan_area": "county_seat"}, 20),
        ("Chongqing, open country", "boundary.unleveed.return_period", "500199", {"plan_area": "other"}, 10),
        ("Guangzhou patrol minutes", "patrol.effective.min_duration", "440100", {}, 10),
        ("Guangzhou patrol metres, in a county below", "patrol.effective.min_distance", "440106", {}, 1000),
        ("Sixian", "patrol.effective.min_duration", "341324", {}, 5),
        ("Aheqi, village", "patrol.effective.min_distance", "652923", {"chief_level": "village"}, 2000),
        ("Aheqi, hours between patrols", "patrol.effective.min_interval", "652923", {}, 96),
        ("remote-sensing patches", "encroach.min_patch_area", "000000", {"source_kind": "remote_sensing"}, 100),
    ],
)
def test_golden(label: str, key: str, at: str, facts: dict[str, Any], value: float) -> None:
    assert BOOK.at(path_of(at), date(2026, 5, 20)).value(key, **facts).value == value, label


@pytest.mark.parametrize(
    ("label", "minutes", "metres", "outcome"),
    [("Guangzhou", 9.98, 1200, False), ("Sixian", 9.98, 1200, True), ("Aheqi", 9.98, 1200, False)],
)
def test_one_patrol_three_places(label: str, minutes: float, metres: float, outcome: bool) -> None:
    """9 min 59 s and 1.2 km: not enough in Guangzhou, enough in Sixian, not in Aheqi."""
    from rivergis.patrol import compliance

    adcode = {"Guangzhou": "440100", "Sixian": "341324", "Aheqi": "652923"}[label]
    view = BOOK.at(path_of(adcode), date(2026, 5, 20))
    tested = compliance.test({"minutes": minutes, "metres": metres}, lambda key: view.find(key, chief_level="village"))
    assert all(t.met for t in tested) is outcome
    assert next(t for t in tested if t.unit == "min").near is (label == "Guangzhou")


def test_what_no_document_sets_is_not_tested() -> None:
    from rivergis.patrol import compliance

    view = BOOK.at(path_of("110101"), date(2026, 5, 20))
    assert compliance.test({"minutes": 1, "metres": 1}, lambda key: view.find(key)) == []


def test_the_date_picks_the_version() -> None:
    key = "patrol.effective.min_duration"
    assert BOOK.find(key, path_of("440100"), date(2021, 6, 30)) is None
    assert BOOK.find(key, path_of("440100"), date(2021, 7, 1)) is not None


def test_a_view_remembers_what_was_used() -> None:
    view = BOOK.at(path_of("500199"), date(2026, 5, 20))
    view.number("encroach.width_tolerance")
    view.find("patrol.effective.min_duration")
    assert [(v.key, v.status) for v in view.used] == [
        ("encroach.width_tolerance", "unconfirmed"),
        ("patrol.effective.min_duration", "confirmed"),
    ]


def test_a_missing_value_is_a_refusal_never_a_default() -> None:
    with pytest.raises(RuleError, match=r"No rule gives 'code\.reach_pattern'"):
        BOOK.at(path_of("500199"), date(2026, 5, 20)).value("code.reach_pattern")
    with pytest.raises(RuleError, match="There is no rule key"):
        BOOK.at(path_of("500199"), date(2026, 5, 20)).find("patrol.effective.minimum")


def test_every_row_is_whole_and_every_unconfirmed_one_says_so() -> None:
    for row in BOOK.rows():
        assert row.basis and row.source and row.status in rules.STATUSES
        assert "memory" not in row.source or row.status == "unconfirmed", row.key


@pytest.mark.parametrize(
    ("adcode", "path"),
    [
        ("000000", ("000000",)),
        ("500000", ("000000", "500000")),
        ("500100", ("000000", "500000", "500100")),
        ("500199", ("000000", "500000", "500100", "500199")),
        ("500199001201", ("000000", "500000", "500100", "500199", "500199001", "500199001201")),
    ],
)
def test_chains(adcode: str, path: tuple[str, ...]) -> None:
    assert path_of(adcode) == path


@pytest.mark.parametrize("adcode", ["", "5001", "50019900", "abcdef"])
def test_other_codes_are_refused(adcode: str) -> None:
    with pytest.raises(RuleError, match="is not an adcode"):
        path_of(adcode)


PATH = path_of("500199001")
layers = st.lists(
    st.tuples(st.sampled_from(PATH), st.dates(date(2020, 1, 1), date(2022, 1, 1)), st.booleans()), max_size=8
)


@given(layers, st.dates(date(2019, 6, 1), date(2023, 1, 1)))
def test_the_most_specific_row_in_force_wins(rows: list[tuple[str, date, bool]], on: date) -> None:
    made = [
        RuleValue(
            "encroach.snap",
            i,
            "m",
            "b",
            "s",
            "confirmed",
            where,
            "x",
            "1",
            start,
            None,
            {"a": 1} if fact else {},
            None,
            None,
        )
        for i, (where, start, fact) in enumerate(rows)
    ]
    book = rules.RuleBook("v", {}, BOOK.registry, {"encroach.snap": made}, {}, {})
    possible = [r for r in made if r.valid_from and r.valid_from <= on and not r.applies_to]
    won = book.find("encroach.snap", PATH, on)
    if not possible:
        assert won is None
    else:
        assert won is not None
        assert PATH.index(won.jurisdiction) == max(PATH.index(r.jurisdiction) for r in possible)
    assert sum(c.won for c in book.explain("encroach.snap", PATH, on)) <= 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(RULES, tmp_path / "rules")
    return tmp_path / "rules"


def edit(folder: Path, change: dict[str, Any], file: str = "chongqing/boundary.yaml", drop: str | None = None) -> None:
    path = folder / file
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    row = {**body["rules"][0], **change}
    if drop:
        row.pop(drop)
    body["rules"].append(row)
    path.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")


@pytest.mark.parametrize(
    ("label", "change", "drop", "sentence"),
    [
        (
            "unknown key",
            {"key": "boundary.berm"},
            None,
            r"chongqing/boundary\.yaml: the key 'boundary\.berm' is not known",
        ),
        ("wrong unit", {"unit": "day"}, None, "has the unit 'day', but 'year' is registered"),
        ("out of range", {"value": 5000}, None, "lies outside 1 to 1000 year"),
        ("text for a number", {"value": "twenty"}, None, "must be a number"),
        (
            "min above max",
            {"key": "boundary.stake.spacing.base", "unit": "m", "value": {"min": 200, "max": 100}},
            None,
            "has min 200 above max 100",
        ),
        ("no basis", {}, "basis", "'basis' is a required property"),
        ("no status", {}, "status", "'status' is a required property"),
        ("unknown status", {"status": "sure"}, None, "'sure' is not one of"),
        ("stray field", {"threshold": 1}, None, "Additional properties are not allowed"),
        (
            "dates the wrong way round",
            {"valid_from": date(2026, 1, 1), "valid_to": date(2025, 1, 1)},
            None,
            "correct the dates",
        ),
        ("two rows for one case", {}, None, "has two rows in force at the same time for 500000"),
        (
            "not for a lower layer to say",
            {"key": "publish.require_review_number", "unit": None, "value": False},
            None,
            "may not be overridden below the national layer",
        ),
        ("a broken pattern", {"key": "code.reach_pattern", "unit": None, "value": "("}, None, "is not a valid pattern"),
    ],
)
def test_malformed_files(folder: Path, label: str, change: dict[str, Any], drop: str | None, sentence: str) -> None:
    if change.get("unit", "") is None:
        change, drop = {k: v for k, v in change.items() if k != "unit"}, "unit"
    edit(folder, change, drop=drop)
    with pytest.raises(RuleError, match=sentence):
        rules.load(folder)


def test_not_yaml(folder: Path) -> None:
    (folder / "tibet" / "boundary.yaml").write_text("rules: [", encoding="utf-8")
    with pytest.raises(RuleError, match=r"boundary\.yaml: not valid YAML at line"):
        rules.load(folder)


def test_any_edit_changes_the_version(folder: Path) -> None:
    path = folder / "tibet" / "boundary.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("value: 50", "value: 51", 1), encoding="utf-8")
    assert rules.load(folder).version != BOOK.version


def test_every_kind_of_candidate_has_a_class_with_clause_authority_and_colour() -> None:
    from rivergis import layers as layers_

    view = BOOK.at(("000000",), date(2026, 5, 20))
    for kind in layers_.layer("candidate").column("kind").choices:
        taxon = view.classify(kind)
        assert taxon.clause.startswith("《") and taxon.competent_authority and taxon.our_action in rules.ACTIONS
    for code, entry in BOOK.taxonomy["classes"].items():
        for word in ("违法", "非法"):
            assert word not in entry["zh"], f"{code}: the machine does not judge"
