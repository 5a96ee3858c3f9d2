"""Rules as data: precedence as laws, values as labelled rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
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
        (
            "Anhui, large Yangtze levees, waterside",
            "boundary.leveed.berm_width",
            "340000",
            {"levee_place": "yangtze_large", "levee_side": "waterside"},
            50,
        ),
        ("Anhui, Huai main stem", "boundary.leveed.berm_width", "340000", {"levee_place": "main_stem"}, 20),
        ("Anhui, safety zone on sand", "boundary.leveed.safety_zone", "340000", {"soil": "sand"}, 200),
        ("Tibet, 10-year flood", "boundary.leveed.berm_width", "540000", {"design_return_period_a": 10}, 10),
        ("Tibet, 30-year flood", "boundary.leveed.berm_width", "540000", {"design_return_period_a": 30}, 20),
        ("Tibet, 50-year flood", "boundary.leveed.berm_width", "540000", {"design_return_period_a": 50}, 30),
        ("Tibet, 100-year flood", "boundary.leveed.berm_width", "540000", {"design_return_period_a": 100}, 50),
        ("Jiangsu, 洪泽湖", "boundary.leveed.berm_width", "320000", {"levee_name": "洪泽湖"}, 50),
        ("Jiangsu, 中运河", "boundary.leveed.berm_width", "320000", {"levee_name": "中运河"}, 20),
        ("Jiangsu, a levee not on the list", "boundary.leveed.berm_width", "320000", {"levee_grade": 4}, 5),
        ("national lower bound, grade 1", "boundary.leveed.berm_width", "500199", {"levee_grade": 1}, 20),
        ("Chongqing, county seat", "boundary.unleveed.return_period", "500199", {"plan_area": "county_seat"}, 20),
        ("Chongqing, open country", "boundary.unleveed.return_period", "500199", {"plan_area": "other"}, 10),
        ("Guangzhou patrol minutes", "patrol.effective.min_duration", "440100", {}, 10),
        ("Guangzhou patrol metres, in a county below", "patrol.effective.min_distance", "440106", {}, 1000),
        ("Sixian", "patrol.effective.min_duration", "341324", {}, 5),
        ("Aheqi, village", "patrol.effective.min_distance", "652923", {"chief_level": "village"}, 2000),
        ("Aheqi, hours between patrols", "patrol.effective.min_interval", "652923", {}, 96),
        ("a source nobody registered", "encroach.source_accuracy", "500199", {"source_kind": "三调"}, 10),
        ("the fictional demo county", "patrol.effective.min_duration", "500199001", {}, 20),
        (
            "Yangtze tailings ponds",
            "encroach.yangtze.tailings_buffer",
            "500199",
            {"basin": "yangtze", "water": "main"},
            3000,
        ),
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
        assert row.competent_authority and row.our_action in rules.ACTIONS, row.key
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
            {"levee_grade": 1} if fact else {},
            "水行政",
            "仅提示",
        )
        for i, (where, start, fact) in enumerate(rows)
    ]
    book = rules.RuleBook("v", {}, BOOK.registry, BOOK.facts, {"encroach.snap": made}, {}, {})
    possible = [r for r in made if r.valid_from and r.valid_from <= on and not r.applies_to]
    won = book.find("encroach.snap", PATH, on)
    if not possible:
        assert won is None
    else:
        assert won is not None
        assert PATH.index(won.jurisdiction) == max(PATH.index(r.jurisdiction) for r in possible)
    assert sum(c.won for c in book.explain("encroach.snap", PATH, on)) <= 1


def test_a_river_below_the_adcodes_may_have_rules_of_its_own() -> None:
    row = BOOK.at(path_of("500199"), date(2026, 5, 20)).value("encroach.snap")
    own = replace(row, value=2, jurisdiction="demo:YX-01")
    book = replace(BOOK, by_key={"encroach.snap": [row, own]})
    assert book.at((*path_of("500199"), "demo:YX-01"), date(2026, 5, 20)).number("encroach.snap") == 2
    assert book.at(path_of("500199"), date(2026, 5, 20)).number("encroach.snap") == 5


def test_a_book_kept_as_text_is_the_same_book() -> None:
    """What the database keeps of a book is enough to judge by it again."""
    again = rules.book_of(BOOK.content)
    assert again.version == BOOK.version and again.rows() == BOOK.rows()


def test_the_law_of_a_basin_is_cited_in_its_basin_only() -> None:
    day = date(2026, 5, 20)
    inside, outside = (BOOK.at(path_of(a), day).class_of("dump").taxon for a in ("500199", "652923"))
    assert inside.clause == "《长江保护法》第四十九条;《水污染防治法》第三十八条"
    assert outside.clause == "《水污染防治法》第三十八条"
    assert "长江" not in BOOK.at(path_of("500199"), date(2021, 2, 28)).class_of("dump").taxon.clause, (
        "before it was law"
    )


def test_facts_are_those_of_the_layers() -> None:
    """A kind that a layer may hold and a rule may not name would have no rule at all."""
    from rivergis import layers as layers_

    assert BOOK.facts["reach_kind"]["values"] == list(layers_.layer("reach").column("kind").choices)
    assert BOOK.facts["chief_level"]["values"] == list(layers_.layer("chief").column("level").choices)
    for kind in BOOK.facts["reach_kind"]["values"]:
        assert BOOK.find("boundary.surrogate.line_offset", ("000000",), date(2026, 5, 20), reach_kind=kind)


def test_a_fact_nobody_registered_is_refused_not_ignored() -> None:
    with pytest.raises(RuleError, match="There is no fact 'chief'"):
        BOOK.at(path_of("652923"), date(2026, 5, 20)).find("patrol.effective.min_duration", chief="village")


@pytest.mark.parametrize("key", ["encroach.severity.dumping", "publish.mode"])
def test_what_is_no_number_is_not_made_one(key: str) -> None:
    with pytest.raises(RuleError, match=f"{key} is .*, but a number is needed"):
        BOOK.at(("000000",), date(2026, 5, 20)).number(key)


def test_every_kind_of_candidate_has_a_class_with_clause_authority_and_colour() -> None:
    from rivergis import layers as layers_

    view = BOOK.at(("000000",), date(2026, 5, 20))
    for kind in layers_.layer("candidate").column("kind").choices:
        taxon = view.class_of(kind).taxon
        assert taxon.clause.startswith("《") and taxon.competent_authority and taxon.our_action in rules.ACTIONS
    for code, entry in BOOK.taxonomy["classes"].items():
        for word in ("违法", "非法"):
            assert word not in entry["zh"], f"{code}: the machine does not judge"
