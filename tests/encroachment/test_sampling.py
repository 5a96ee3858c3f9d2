"""Samples of what was judged no problem: the same for everyone, of every stratum, and honest about what they tell."""

from __future__ import annotations

import math
import random

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rivergis.encroachment import sampling
from rivergis.encroachment.sampling import Member

MEMBERS = st.lists(
    st.builds(
        Member,
        st.integers(0, 10_000).map(lambda n: f"finding/{n}"),
        st.sampled_from(["500199", "500118", ""]),
        st.sampled_from(["building.obstacle", "dumping.solid_waste"]),
        st.sampled_from(["not_a_problem", "historic_harmless", "permitted"]),
    ),
    min_size=1,
    max_size=80,
    unique_by=lambda m: m.key,
)
SCOPE = {"batch": "2026-1"}


@given(MEMBERS, st.floats(0.01, 1), st.randoms(use_true_random=False))
def test_every_stratum_is_drawn_from_and_order_changes_nothing(
    members: list[Member], share: float, mixed: random.Random
) -> None:
    drawn = sampling.draw(SCOPE, members, share)
    shuffled = list(members)
    mixed.shuffle(shuffled)
    assert sampling.draw(SCOPE, shuffled, share) == drawn
    assert {m.key for m in drawn.members} <= {m.key for m in members} and len({m.key for m in drawn.members}) == len(
        drawn.members
    )
    for name, (population, count) in drawn.strata.items():
        own = [m for m in members if m.stratum == name]
        assert len(own) == population and count == sum(m.stratum == name for m in drawn.members)
        assert max(1, math.floor(share * population)) <= count <= math.ceil(share * population)
    assert sum(p for p, _ in drawn.strata.values()) == len(members)


@given(MEMBERS)
def test_another_judgement_is_another_sample(members: list[Member]) -> None:
    first = members[0]
    other = [Member(first.key, first.county, first.class_code, "another", first.judged_by), *members[1:]]
    assert sampling.seed_of(SCOPE, other) != sampling.seed_of(SCOPE, members)
    assert sampling.seed_of({"batch": "2026-2"}, members) != sampling.seed_of(SCOPE, members)


def test_six_of_a_hundred_are_drawn_and_one_of_one() -> None:
    many = [Member(f"finding/{n}", "500199", "b", "not_a_problem") for n in range(100)]
    drawn = sampling.draw(SCOPE, [*many, Member("finding/x", "500118", "b", "not_a_problem")], 0.06)
    assert sorted(drawn.strata.values()) == [(1, 1), (100, 6)]


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_share_and_narrows(n: int, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, n))
    low, high = sampling.wilson(wrong, n)
    assert 0 <= low <= wrong / n <= high <= 1
    more_low, more_high = sampling.wilson(wrong * 4, n * 4)
    assert more_high - more_low < high - low


def test_wilson_as_in_the_books() -> None:
    assert sampling.wilson(10, 100) == pytest.approx((0.0552, 0.1744), abs=1e-4)
    assert sampling.wilson(0, 0) == (0.0, 1.0)


def test_a_small_stratum_weighs_what_it_stands_for() -> None:
    strata = {"big": (100, 6), "small": (1, 1)}
    told = sampling.result(strata, [("big", False)] * 6 + [("small", True)])
    assert told.share == pytest.approx(1 / 101, abs=1e-4), "one of 101 was wrong, not one of seven"
    assert told.interval[0] <= told.share <= told.interval[1]
    assert (told.population, told.drawn, told.examined, told.disagreed) == (101, 7, 7, 1)


def test_nothing_examined_tells_nothing() -> None:
    told = sampling.result({"a": (10, 1)}, [])
    assert (told.share, told.interval) == (None, (0.0, 1.0))
