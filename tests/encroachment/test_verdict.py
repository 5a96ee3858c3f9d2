"""The verdict as labelled rows, and what must hold of any verdict."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis import rules, words
from rivergis.encroachment.permit_match import PermitMatch
from rivergis.encroachment.position import FunctionZoneHit, Stand, ZoneHit
from rivergis.encroachment.severity import LEVELS, PERIODS, Measured, built_period, grade
from rivergis.encroachment.verdict import Facts, verdict
from rivergis.encroachment.verdict_words import sentences
from rivergis.errors import RuleError
from rivergis.settings import gis_dir

BOOK = rules.load(gis_dir() / "rules")
ON = date(2026, 5, 20)
ROWS = list(csv.DictReader((Path(__file__).parent / "golden" / "verdicts.csv").open(encoding="utf-8")))
UNITS = {"m2": "area", "m3": "volume", "m": "length", "count": "count"}
# notes that a row need not name: they follow from what it leaves out
ASIDE = {"size_not_measured", "line_error_unknown", "ground_not_known", "permit_matches"}


def view(at: str = "340000", on: date = ON) -> rules.RuleView:
    return BOOK.at(rules.path_of(at), on)


def number(text: str) -> float | None:
    return float(text) if text else None


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def sizes(text: str) -> dict[str, Any]:
    if not text:
        return {}
    value, unit, *sigma = text.split()
    return {UNITS[unit]: Measured(float(value), unit, float(sigma[0]) if sigma else None)}


def stand(text: str) -> Stand:
    if not text:
        return Stand()
    given = text.split()
    shares = dict(zip(given[::2], map(float, given[1::2]), strict=True))
    levee, berm, channel, beach = (shares.get(g, 0.0) for g in ("levee", "berm", "channel", "beach"))
    return Stand(levee, berm, channel, beach, unknown=0.0)


def facts_of(row: dict[str, str]) -> Facts:
    zones = [z.split(":") for z in row["zones"].split()]
    answers = row["permit"].split("/") if row["permit"] else []
    permits = [PermitMatch("P1", None, answers[0], answers[1], answers[2], 12.0, ())] if answers else []
    return Facts(
        row["kind"],
        row["basis"],
        row["source"],
        word=row["word"] or None,
        **sizes(row["size"]),
        gsd_m=number(row["gsd"]),
        accuracy_m=number(row["accuracy"]),
        last_without=day(row["without"]),
        first_with=day(row["with"]),
        stand=stand(row["stand"]),
        zones=tuple(ZoneHit("Z", "zone", int(c), None, float(s), "announced") for c, s in zones),
        permits=tuple(permits),
        distance_m=number(row["distance"]),
        line_error_m=number(row["line_error"]),
        survey_scale=int(row["scale"]) if row["scale"] else None,
        water=row["water"] or None,
    )


@pytest.mark.parametrize("row", ROWS, ids=[r["label"] for r in ROWS])
def test_golden(row: dict[str, str]) -> None:
    told = verdict(facts_of(row), view(row["at"]))
    assert told.class_code == row["class"]
    assert (told.severity.said or "-") == (row["severity"] or "-")
    assert told.position == row["position"]
    assert told.wording == f"verdict_wording.{row['wording']}"
    if row["period"]:
        assert told.built_period.period == row["period"]
    if row["action"]:
        assert told.our_action == row["action"]
    if row["use"]:
        assert (told.allowed_use["state"] if told.allowed_use else "-") == row["use"]
    assert set(told.notes) - ASIDE == set(row["notes"].split()) - ASIDE
    assert set(row["notes"].split()) <= set(told.notes)
    law = told.clause + json.dumps(told.prohibitions, ensure_ascii=False)
    assert row["clause"] in law


def test_there_are_golden_rows_for_every_kind_position_and_wording() -> None:
    assert len(ROWS) >= 50 and len({r["label"] for r in ROWS}) == len(ROWS)
    for column, wanted in (
        ("position", {"inside", "edge", "outside", "undecided"}),
        ("wording", {"lead", "edge", "outside", "draft", "surrogate", "computed", "allowed"}),
        ("severity", {"-", "borderline", "cannot_tell", *LEVELS}),
        ("period", {"", "undecided", *PERIODS}),
    ):
        assert {r[column] for r in ROWS} == wanted


days = st.dates(date(1950, 1, 1), date(2026, 5, 20))
sizes_m2 = st.floats(0.01, 1e6)
sigmas = st.floats(0, 1e5)
grounds = st.sampled_from(["", "levee 1", "levee 0.3 beach 0.7", "berm 1", "channel 0.5 beach 0.5", "beach 1"])
words_of_all = [w for listed in BOOK.taxonomy["words"].values() for w in listed]


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    return Facts(
        draw(st.sampled_from(["building", "quarry", "dump", "occupation", "net_pen", "unknown", "飞机"])),
        draw(st.sampled_from(["announced", "draft", "surrogate", "computed"])),
        draw(st.sampled_from(["remote_sensing", "footprint", "inspector", "landuse", "三调"])),
        word=draw(st.none() | st.sampled_from(words_of_all) | st.text(max_size=4)),
        area=draw(st.none() | st.builds(Measured, sizes_m2, st.just("m2"), st.none() | sigmas)),
        volume=draw(st.none() | st.builds(Measured, sizes_m2, st.just("m3"), st.none() | sigmas)),
        gsd_m=draw(st.none() | st.floats(0.1, 30)),
        accuracy_m=draw(st.none() | st.floats(0, 50)),
        last_without=draw(st.none() | days),
        first_with=draw(st.none() | days),
        stand=stand(draw(grounds)),
        zones=draw(st.sampled_from([(), (ZoneHit("Z1", "一级", 1, "water", 0.3, "announced"),)])),
        distance_m=draw(st.none() | st.floats(-5000, 5000)),
        line_error_m=draw(st.none() | st.floats(0, 20)),
        survey_scale=draw(st.sampled_from([None, 500, 2000, 10000, 12345])),
        water=draw(st.sampled_from([None, "main", "tributary"])),
    )


@given(any_facts(), st.sampled_from(["000000", "500199", "340000", "350504"]))
def test_a_verdict_is_a_plain_record_that_comes_out_the_same_again(facts: Facts, at: str) -> None:
    one, other = (json.dumps(verdict(facts, view(at)).as_dict(), ensure_ascii=False) for _ in range(2))
    assert one == other
    assert json.loads(one) == verdict(facts, view(at)).as_dict()


@given(any_facts())
def test_everything_it_says_has_words(facts: Facts) -> None:
    told = verdict(facts, view("500199"))
    known = words.catalogue()
    assert told.wording in known and f"class.{told.class_code}" in known and f"position.{told.position}" in known
    assert {f"verdict_note.{n}" for n in told.notes} <= set(known)
    assert f"severity_why.{told.severity.why}" in known and f"built_period.{told.built_period.period}" in known
    assert {f"ground.{g}" for g in told.stands_on} <= set(known)
    assert {f"ground.{z}" for p in told.prohibitions for z in p["zone"]} <= set(known)


@given(any_facts())
def test_only_an_announced_line_points_at_anything(facts: Facts) -> None:
    told = verdict(facts, view("500199"))
    if facts.basis != "announced":
        assert told.wording not in ("verdict_wording.lead", "verdict_wording.edge") and told.our_action == "仅提示"
    if told.wording == "verdict_wording.lead":
        assert told.position == "inside" and facts.basis == "announced"


@given(any_facts())
def test_every_rule_row_is_named_and_the_asker_remembers_it(facts: Facts) -> None:
    asked = view("500199")
    told = verdict(facts, asked)
    named = {r["key"] for r in told.rules}
    assert {"encroach.position.sigmas", "encroach.period.cut_1", "encroach.min_overlap_area"} <= named
    assert {r.key for r in asked.used} == named
    assert set(told.unconfirmed) <= named
    again = verdict(replace(facts, kind="building", word=None), asked)  # what was asked before is not its business
    assert {r["key"] for r in again.rules} == {
        r["key"] for r in verdict(replace(facts, kind="building", word=None), view("500199")).rules
    }


RANK = {level: i for i, level in enumerate((None, *LEVELS))}
GRADED = ["occupation.tall_plants", "occupation.net_pen", "extraction.no_permit", "building.obstacle"]


def span(code: str, value: float, sigma: float | None, gsd: float | None = 0.5) -> tuple[int, int] | None:
    """Lowest and highest level a measured value may have; None where nothing can be told."""
    taxon = view().taxon(code)
    told = grade(taxon, {taxon.measure: Measured(value, taxon.measure, sigma)}, gsd, view())
    if told.state == "borderline":
        assert len(told.between) > 1
        return RANK[told.between[0]], RANK[told.between[-1]]
    return (RANK[told.level],) * 2 if told.state == "level" else None


@given(st.sampled_from(GRADED), sizes_m2, sizes_m2, sigmas)
def test_larger_is_never_less_grave(code: str, one: float, other: float, sigma: float) -> None:
    small, large = (span(code, v, sigma) for v in sorted((one, other)))
    if small and large:
        assert small[0] <= large[0] and small[1] <= large[1]
    if small:
        assert large is not None  # what is told of the smaller can be told of the larger


@given(st.sampled_from(GRADED), sizes_m2, sigmas, sigmas)
def test_a_wider_error_bar_never_tells_more(code: str, value: float, one: float, other: float) -> None:
    narrow, wide = (span(code, value, s) for s in sorted((one, other)))
    if wide:
        assert narrow is not None and wide[0] <= narrow[0] and narrow[1] <= wide[1]


@given(st.sampled_from(GRADED), sizes_m2, sigmas, st.floats(0.1, 30))
def test_a_coarse_image_tells_no_level(code: str, value: float, sigma: float, gsd: float) -> None:
    assert span(code, value, sigma, gsd) == (None if gsd > 2.5 else span(code, value, sigma, None))


@given(st.none() | days, st.none() | days, st.none() | days, st.none() | days)
def test_a_tighter_bracket_never_leaves_more_open(
    a: date | None, b: date | None, c: date | None, d: date | None
) -> None:
    last = max((x for x in (a, b) if x), default=None)
    first = min((x for x in (c, d) if x), default=None)
    tight, loose = built_period(last, first, view()), built_period(a, c, view())
    if tight.why != "contradiction" and loose.why != "contradiction":
        assert set(tight.possible) <= set(loose.possible)
    assert (tight.period == "undecided") == (len(tight.possible) > 1)


@given(days, days, days)
def test_what_was_seen_later_is_never_older(without: date, one: date, other: date) -> None:
    early, late = (built_period(None, d, view()).possible for d in sorted((one, other)))
    assert set(early) <= set(late)
    assert PERIODS.index(built_period(max(without, one), None, view()).possible[0]) >= PERIODS.index(
        built_period(min(without, one), None, view()).possible[0]
    )


@pytest.mark.parametrize(
    ("label", "change", "size", "state", "level", "why"),
    [
        ("no threshold", {}, Measured(60, "m3", 2), "no_rule", None, "no_value"),
        ("a place sets two", {"value": [50, 200], "status": "confirmed"}, Measured(60, "m3", 2), "level", "较严重", "measured"),
        ("a place infers two", {"value": [50, 200], "status": "inferred"}, Measured(10, "m3", 2), "level", "一般", "measured"),
        ("nobody confirmed them", {"value": [50, 200]}, Measured(60, "m3", 2), "no_rule", None, "unconfirmed"),
        ("one step begins the highest", {"value": [50], "status": "confirmed"}, Measured(60, "m3", 2), "level", "重大", "measured"),
        ("below the one step", {"value": [50], "status": "confirmed"}, Measured(10, "m3", 2), "level", None, "below_lowest"),
        ("across both steps", {"value": [50, 200], "status": "confirmed"}, Measured(100, "m3", 100), "borderline", None, "crosses"),
        ("an area is no volume", {"value": [50, 200], "status": "confirmed"}, Measured(60, "m2", 2), "cannot_tell", None, "not_measured"),
    ],
)  # fmt: skip
def test_thresholds_of_a_place(
    label: str, change: dict[str, Any], size: Measured, state: str, level: str | None, why: str
) -> None:
    row = {r.key: r for r in BOOK.rows()}["encroach.severity.dumping"]
    book = replace(BOOK, by_key={**BOOK.by_key, row.key: [replace(row, **change)]})
    here = book.at(rules.path_of("340000"), ON)
    told = grade(here.taxon("dumping.rubbish"), {size.unit: size}, None, here)
    assert (told.state, told.level, told.why, told.key) == (state, level, why, row.key)
    if state == "borderline":
        assert told.between == LEVELS  # 0 to 200 m3, and 200 reaches the last step


def test_steps_that_are_none_are_refused() -> None:
    row = {r.key: r for r in BOOK.rows()}["encroach.severity.tall_crops"]
    book = replace(BOOK, by_key={**BOOK.by_key, row.key: [replace(row, value=[5000, 1000])]})
    here = book.at(rules.path_of("340000"), ON)
    with pytest.raises(RuleError, match="two in rising order"):
        grade(here.taxon("occupation.tall_plants"), {"m2": Measured(1, "m2", 0)}, None, here)


def test_shoreline_function_zones_say_what_they_ask() -> None:
    hit = FunctionZoneHit("GN1", "protection", "left", 100.0, 900.0, "规划", "chainage")
    told = verdict(Facts("building", "announced", "footprint", function_zones=(hit,), distance_m=40), view())
    zone = told.function_zones[0]
    assert zone["needs"] == "禁止" and zone["clause"].startswith("《") and zone["status"] == "inferred"


@pytest.mark.parametrize(
    ("label", "at", "word", "distance", "water", "within"),
    [
        ("chemical works on the line", "500199", "化工项目", 0, None, "yes"),
        ("chemical works 800 m inland", "500199", "化工项目", -800, None, "yes"),
        ("chemical works 1000 m inland, within the error", "500199", "化工项目", -1000, None, "not_told"),
        ("chemical works 1100 m inland", "500199", "化工项目", -1100, None, "no"),
        ("tailings 2000 m off the main stem", "500199", "尾矿库", -2000, "main", "yes"),
        ("tailings 2000 m off a tributary", "500199", "尾矿库", -2000, "tributary", "no"),
        ("tailings 2000 m off, which water is not known", "500199", "尾矿库", -2000, None, "not_told"),
        ("tailings 900 m off, either way", "500199", "尾矿库", -900, None, "yes"),
        ("tailings 4000 m off, either way", "500199", "尾矿库", -4000, None, "no"),
        ("a house is kept off by no such law", "500199", "house", -800, None, None),
        ("the law of the Yangtze holds in its basin only", "540000", "化工项目", -800, None, None),
    ],
)
def test_yangtze_distances(
    label: str, at: str, word: str, distance: float, water: str | None, within: str | None
) -> None:
    facts = Facts("building", "announced", "footprint", word=word, distance_m=distance, line_error_m=1, water=water)
    told = verdict(facts, view(at)).buffers
    assert (told[0]["within"] if told else None) == within
    assert all(b["our_action"] == "移交" and b["competent_authority"] == "生态环境" for b in told)


@given(any_facts(), st.sampled_from(["zh", "en"]))
def test_a_stored_record_reads_in_words(facts: Facts, lang: str) -> None:
    hit = FunctionZoneHit("GN1", "reserve", "left", 100.0, 900.0, "规划", "chainage")
    match = PermitMatch("P1", "许1号", "yes", "no", "not_told", 12.0, ("by_kind", "beside", "no_size_in_permit"))
    facts = replace(facts, function_zones=(hit,), permits=(match,))
    record = json.loads(json.dumps(verdict(facts, view("500199")).as_dict()))
    told = sentences(record, lang)
    assert told[0][1] == words.say(record["wording"], lang)
    assert all(part and text and "None" not in text and "nan" not in text.split() for part, text in told)
    assert {words.say("verdict_part." + p, lang) for p in ("class", "severity", "built_period", "position")} <= {
        part for part, _ in told
    }


def test_a_class_says_its_unit_and_what_was_not_measured_in_it() -> None:
    pit = Facts("quarry", "announced", "footprint", area=Measured(300, "m2", 5), distance_m=40, line_error_m=1)
    told = verdict(pit, view())
    assert told.measure == "m3" and "size_not_measured" in told.notes
    measured = verdict(replace(pit, volume=Measured(300, "m3", 5)), view())
    assert "size_not_measured" not in measured.notes


def test_how_a_lead_reads() -> None:
    maize = next(r for r in ROWS if r["label"].startswith("1200 m2 of maize"))
    told = dict(sentences(verdict(facts_of(maize), view()).as_dict(), "zh"))
    assert told["结论用语"] == "疑似问题线索"
    assert told["类别"] == "种植阻碍行洪的林木及高秆作物、《防洪法》第二十二条"
    assert told["严重程度"] == "较严重 · 按测量值 · 高秆作物严重程度界值 · 1200 ± 60 m²"
    assert told["建成时期"] == "2019年以后 · 按影像首见区间 (2019-05-01 – 2021-03-01)"
    assert told["与界线的关系"] == "界内 · 40 ± 2.06 m · 误差带 4.12 m"
    assert told["所在地"] == "水域 60%、滩地 40%"
