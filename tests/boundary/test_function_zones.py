"""Laws of shoreline zones: lengths add up, nothing counts twice, chainage and shape say the same, and words of every year are known."""

from __future__ import annotations

import math
from datetime import date

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis import rules
from rivergis.boundary.ground import bank_chains
from rivergis.boundary.shore import function_zones, shoreline, zone_files
from rivergis.boundary.shore import use as shoreline_use
from rivergis.boundary.shore.function_zones import Counting, Laid, Limits, Shore, Zone
from rivergis.boundary.shore.use import UseLimits
from rivergis.settings import gis_dir
from tests import tiny
from tests.boundary import stake_ground as sg

LIMITS = Limits(shortest_m=1.0, off_m=50.0)
ALL = Counting("outer", islands=True, gaps=True)
FEW = settings(max_examples=40)
VIEW = rules.load(gis_dir() / "rules").at(("000000", "500000"), date(2026, 5, 20))


def shores(axis: shapely.LineString, off_m: float = 150.0) -> list[Shore]:
    return function_zones.shores_of(bank_chains.chains_of(sg.lines(axis, off_m), sg.reaches(axis), 0.2))


def zone(kind: str | None, a: float, b: float, bank: str | None = "left", name: str = "z", **more: object) -> Zone:
    return Zone(name, kind, kind or "?", "R1", bank, a, b, **more)  # type: ignore[arg-type]


STRAIGHT = sg.winding([0.0] * 21)  # 1200 m

kinds = st.sampled_from([*function_zones.TYPES, None])
stretches = st.tuples(st.floats(-100, 1300), st.floats(-100, 1300)).filter(lambda s: abs(s[0] - s[1]) > 1)
some_zones = st.lists(st.tuples(kinds, stretches, st.sampled_from(["left", "right"])), max_size=10)


@FEW
@given(some_zones, sg.waves)
def test_lengths_of_zones_and_gaps_less_overlaps_are_the_shoreline(rows: list[tuple], waves: list[float]) -> None:
    on = shores(sg.winding(waves))
    laid, _ = function_zones.lay([zone(k, a, b, bank) for k, (a, b), bank in rows], on, LIMITS)
    whole = function_zones.shares(laid, on, ALL)[-1]
    assert sum(x.length_m for x in laid) + whole.uncovered_m - whole.overlap_m == pytest.approx(whole.line_m)
    assert whole.line_m == pytest.approx(sum(s.length_m for s in on))
    for n, shore in enumerate(on):
        covered = function_zones.long([x.stretch for x in laid if x.shore == n])
        gaps = function_zones.minus([(0.0, shore.length_m)], [x.stretch for x in laid if x.shore == n])
        assert covered + function_zones.long(gaps) == pytest.approx(shore.length_m)


@FEW
@given(some_zones)
def test_the_share_lies_between_least_and_most_and_no_metre_counts_twice(rows: list[tuple]) -> None:
    on = shores(STRAIGHT)
    laid, _ = function_zones.lay([zone(k, a, b, bank) for k, (a, b), bank in rows], on, LIMITS)
    whole = function_zones.shares([*laid, *laid], on, ALL)[-1]
    assert 0 <= whole.kept_least_m <= whole.kept_most_m + 1e-9 <= whole.line_m + 1e-6
    assert whole.kept_most_m <= whole.zoned_m + 1e-9
    once = function_zones.shares(laid, on, ALL)[-1]
    assert (once.kept_least_m, once.kept_most_m, once.zoned_m) == (whole.kept_least_m, whole.kept_most_m, whole.zoned_m)


@FEW
@given(sg.waves, st.floats(0.05, 0.45), st.floats(0.55, 0.95))
def test_a_zone_told_by_chainage_is_the_zone_told_by_its_line(waves: list[float], a: float, b: float) -> None:
    on = shores(sg.winding(waves))
    first, last = (on[0].from_m + s * (on[0].to_m - on[0].from_m) for s in (a, b))
    laid, _ = function_zones.lay([zone("reserve", first, last)], on, LIMITS)
    if not laid or laid[0].length_m < 1:
        return  # round the outside of a short bend one chainage stands for all of the line
    [told] = laid
    shape = shapely.line_merge(on[0].lines(told.stretch))
    [drawn], defects = function_zones.lay([zone("reserve", math.nan, math.nan, None, shape=shape)], on, LIMITS)
    assert defects == []
    assert drawn.shore == told.shore
    assert drawn.stretch == pytest.approx(told.stretch, abs=0.01)


def test_a_mirrored_plan_has_the_same_shares_on_the_other_bank() -> None:
    rows = [("protection", 0, 300), ("development", 250, 700), ("reserve", 800, 1200)]
    on = shores(STRAIGHT)
    one, other = (
        function_zones.shares(function_zones.lay([zone(k, a, b, bank) for k, a, b in rows], on, LIMITS)[0], on, ALL)[-1]
        for bank in ("left", "right")
    )
    assert one == other
    # of 2400 m: 300 + 400 kept, 50 of them claimed as development too
    assert (one.kept_least_m, one.kept_most_m, one.uncovered_m, one.overlap_m) == pytest.approx((650, 700, 1300, 50))


def test_counting_rules_change_what_the_share_is_of() -> None:
    on = shores(STRAIGHT)
    laid, _ = function_zones.lay([zone("protection", 0, 600), zone("development", 600, 900)], on, LIMITS)
    with_gaps = function_zones.shares(laid, on, ALL)[-1]
    zoned = function_zones.shares(laid, on, Counting("outer", islands=True, gaps=False))[-1]
    assert with_gaps.least == pytest.approx(600 / 2400)
    assert zoned.least == pytest.approx(600 / 900)
    assert (with_gaps.reaches(0.5), zoned.reaches(0.5), zoned.reaches(None)) == ("not_reached", "reached", "no_rule")
    island = function_zones.shores_of(
        bank_chains.chains_of(sg.lines(STRAIGHT, 20.0), sg.reaches(STRAIGHT), 0.2), {0: True, 1: True}
    )
    both = function_zones.shares(laid, [*on, *island], ALL)[-1]
    mainland = function_zones.shares(laid, [*on, *island], Counting("outer", islands=False, gaps=True))[-1]
    assert (both.line_m, mainland.line_m) == pytest.approx((4800, 2400))


def test_every_misfit_is_told_with_its_place() -> None:
    on = shores(STRAIGHT)
    rows = [
        zone("protection", 0, 400, name="a"),
        zone("development", 300, 500, name="b"),
        zone("reserve", 900, 600, name="c"),
        zone(None, 950, 1000, name="d"),
        zone("reserve", 1100, 1500, name="e"),
        Zone("f", "reserve", "", None, "left", 0, 10),
        Zone("g", "reserve", "", "R1", None, 0, 10),
        zone("reserve", math.nan, 10, name="h"),
    ]
    laid, told = function_zones.lay(rows, on, LIMITS)
    assert {(d.code, d.zones[0]) for d in told} == {
        ("order_reversed", "c"), ("unknown_type", "d"), ("beyond_line", "e"), ("unknown_river", "f"), ("unknown_bank", "g"), ("no_stretch", "h"),
    }  # fmt: skip
    fit = function_zones.fit(laid, on, LIMITS)
    places = [(d.code, d.bank, round(d.from_m), round(d.to_m)) for d in fit]
    assert places == [
        ("overlap", "left", 300, 400),
        ("uncovered", "left", 500, 600),
        ("uncovered", "left", 900, 950),
        ("uncovered", "left", 1000, 1100),
        ("without_zones", "right", 0, 1200),
    ]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("岸线保护区", "protection"), ("保护区", "protection"), ("限制开发区", "controlled_use"), ("控制利用区 ", "controlled_use"),
        ("清溪左岸保留区(3)", "reserve"), ("岸线开发利用区", "development"), ("development", "development"), ("旅游区", None), ("", None),
        ("生态岸线", "protection"),
    ],
)  # fmt: skip
def test_names_of_older_plans_and_of_places_are_understood(word: str, kind: str | None) -> None:
    known = zone_files.zone_words(VIEW, {"生态岸线": "protection"})
    assert zone_files.kind_of(word, known) == kind


def chains(off_m: float) -> list[bank_chains.Chain]:
    return bank_chains.chains_of(sg.lines(STRAIGHT, off_m), sg.reaches(STRAIGHT), 0.2)


def test_the_outer_line_may_not_lie_inside_nor_the_waterside_line_outside() -> None:
    dented = tiny.line((0, 150), (400, 150), (500, 130), (700, 130), (800, 150), (1200, 150))
    frame = tiny.metric([dented], reach_code="H0", bank="left")
    outer = bank_chains.chains_of(frame, sg.reaches(STRAIGHT), 0.2)
    [defect] = shoreline.check_lines(outer, chains(50), chains(150), 0.5)
    assert (defect.code, defect.bank, round(defect.depth_m)) == ("outer_inside_management", "left", 20)
    assert (defect.from_m, defect.to_m) == pytest.approx((400, 800), abs=15)
    swapped = shoreline.check_lines(chains(50), chains(150), [], 0.5)
    assert {(d.code, d.bank) for d in swapped} == {("waterside_outside_outer", b) for b in ("left", "right")}
    assert shoreline.check_lines(chains(150), chains(50), chains(150), 0.5) == []
    assert shoreline.missing([], chains(150)) == [("R1", "left"), ("R1", "right")]


def lay_uses(on: list[Shore], *rows: tuple[str, float, float]) -> list[Laid]:
    return function_zones.lay([zone("use", a, b, name=n) for n, a, b in rows], on, LIMITS)[0]


def test_permits_are_held_against_what_is_used_and_observed() -> None:
    on = shores(STRAIGHT)
    permits = lay_uses(on, ("full", 0, 200), ("little", 200, 400), ("empty", 400, 600), ("unseen", 600, 800))
    used = lay_uses(on, ("u1", 0, 250), ("u2", 900, 1000))
    observed = lay_uses(on, ("sweep", 0, 610))
    limits = UseLimits(idle=0.05, little=0.5, observed=0.9, shortest_m=1)
    found = {p.permit: p for p in shoreline_use.of_permits(permits, used, observed, on, limits)}
    assert {n: p.judged for n, p in found.items()} == {
        "full": "in_use", "little": "little_used", "empty": "unused", "unseen": "cannot_tell",
    }  # fmt: skip
    assert found["little"].used_m == pytest.approx(50, abs=0.01)
    assert sum(p.used_m for p in found.values()) <= sum(u.length_m for u in used)
    [outside] = shoreline_use.outside(permits, used, on, limits)
    assert (round(outside.from_m), round(outside.to_m), outside.uses) == (900, 1000, ("u2",))
