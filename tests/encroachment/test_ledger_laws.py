"""Laws of identity over nights: whatever comes, in whatever order and under whatever names."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.encroachment.ledger import Carried, Known, NightLimits, Seen, Step, reconcile
from tests import tiny

LIMITS = NightLimits(0.3, 0.3, 0.5, 0.5, 2, 4, 1.1, 20.0, 2, 3, 0.9, 100.0)
START = date(2026, 5, 1)
CLOSING = {"gone", "permitted", "merged"}

kinds = st.sampled_from(["dump", "building"])
boxes = st.builds(
    tiny.box, st.integers(0, 12).map(lambda i: i * 7), st.integers(0, 3).map(lambda i: i * 9),
    st.sampled_from([10, 20, 40]), st.sampled_from([10, 16]),
)  # fmt: skip
points = st.builds(tiny.point, st.integers(0, 90), st.integers(0, 40))
detections = st.builds(
    lambda kind, shape, source, untold: Seen("", kind, shape, source, None, 6.0, untold),
    kinds,
    st.one_of(boxes, boxes, boxes, points),
    st.sampled_from(["a", "b"]),
    st.sampled_from([None] * 8 + ["permitted", "outside", "undecided"]),
)
# what is seen, and which share of every known place was looked at
one_night = st.tuples(st.lists(detections, max_size=6), st.sampled_from([1.0, 1.0, 1.0, 0.5]), st.booleans())
several_nights = st.lists(one_night, min_size=1, max_size=7)
Nights = Sequence[tuple[list[Seen], float, bool]]
Line = tuple[int, str, str, frozenset[str]]


def named(nights: Nights) -> Nights:
    """Every detection gets a key of its own."""
    return [
        ([replace(s, key=f"{n}-{i}") for i, s in enumerate(seen)], share, moved)
        for n, (seen, share, moved) in enumerate(nights)
    ]


def run(nights: Nights, check: Callable[[list[Known], list[Seen], list[Step]], None] | None = None) -> list[Line]:
    """The table of these nights; leads are numbered as they come."""
    known: list[Known] = []
    table: list[Line] = []
    for n, (seen, share, moved) in enumerate(nights):
        night = START + timedelta(days=n)
        steps = reconcile(known, seen, [share] * len(known), LIMITS, night=night, line_moved=[moved] * len(known))
        if check is not None:
            check(known, seen, steps)
        after = list(known)
        for step in steps:
            keys = frozenset(seen[i].key for i in step.seen)
            name = f"F{len(after):03d}" if step.known is None else known[step.known].finding_id
            lead = Known(name, step.footprint, step.carried)
            if step.known is None:
                after.append(lead)
            else:
                after[step.known] = lead
            table.append((n, name, step.status, keys))
        known = after
    return sorted(table, key=lambda line: (line[0], line[1]))


def by_first_sight(table: list[Line]) -> set[tuple[int, frozenset[str], str, frozenset[str]]]:
    """The table with leads called by all they were first seen as, whatever the order."""
    first: dict[str, frozenset[str]] = {}
    for _, name, _, keys in table:
        first.setdefault(name, keys)
    return {(n, first[name], status, keys) for n, name, status, keys in table}


@settings(max_examples=80, deadline=None)
@given(several_nights)
def test_every_detection_told_and_every_open_lead_stands_once(nights: Nights) -> None:
    def check(known: list[Known], seen: list[Seen], steps: list[Step]) -> None:
        told = [i for i, s in enumerate(seen) if s.untold is None]
        assert sorted(i for step in steps for i in step.seen) == told
        open_ = {k for k, lead in enumerate(known) if lead.carried.closed is None}
        of = [step.known for step in steps if step.known is not None]
        assert len(of) == len(set(of))
        assert open_ <= set(of)
        assert {k for k in of if k not in open_} == {s.known for s in steps if s.status == "rebound"}

    run(named(nights), check)


@settings(max_examples=80, deadline=None)
@given(several_nights)
def test_a_life_begins_once_and_nothing_follows_its_end_but_a_rebound(nights: Nights) -> None:
    lives: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for _, name, status, keys in run(named(nights)):
        lives.setdefault(name, []).append((status, keys))
    for life in lives.values():
        assert [status for status, _ in life].count("new") == 1
        assert life[0][0] == "new"
        for (before, _), (after, _) in itertools.pairwise(life):
            assert (before in CLOSING) == (after == "rebound")
        for status, keys in life:
            assert bool(keys) == (status in {"new", "persisting", "grown", "shrunk", "split", "rebound"})


@settings(max_examples=80, deadline=None)
@given(several_nights)
def test_what_nobody_looked_at_is_never_gone_missed_or_merged(nights: Nights) -> None:
    blind = [(seen, 0.2, moved) for seen, _, moved in nights]
    assert not {status for _, _, status, _ in run(named(blind))} & {"gone", "missed", "merged"}


@settings(max_examples=80, deadline=None)
@given(several_nights, st.randoms(use_true_random=False))
def test_order_changes_nothing(nights: Nights, chance: random.Random) -> None:
    plain = named(nights)
    mixed = [(chance.sample(seen, len(seen)), share, moved) for seen, share, moved in plain]
    assert by_first_sight(run(mixed)) == by_first_sight(run(plain))


@settings(max_examples=80, deadline=None)
@given(several_nights)
def test_names_change_nothing(nights: Nights) -> None:
    def renamed(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()[:8]

    plain = named(nights)
    other = [([replace(s, key=renamed(s.key)) for s in seen], share, moved) for seen, share, moved in plain]
    told = {
        (n, frozenset(map(renamed, first)), status, frozenset(map(renamed, keys)))
        for n, first, status, keys in by_first_sight(run(plain))
    }
    assert by_first_sight(run(other)) == told


@settings(max_examples=80, deadline=None)
@given(several_nights, st.floats(-500, 500), st.floats(-500, 500))
def test_a_shift_of_everything_changes_nothing(nights: Nights, dx: float, dy: float) -> None:
    by = np.array([dx, dy])

    def shifted(s: Seen) -> Seen:
        return replace(s, footprint=shapely.transform(s.footprint, lambda xy: xy + by))

    plain = named(nights)
    moved_by = [([shifted(s) for s in seen], share, moved) for seen, share, moved in plain]
    assert by_first_sight(run(moved_by)) == by_first_sight(run(plain))


@settings(max_examples=120, deadline=None)
@given(st.lists(detections.map(lambda s: replace(s, untold=None)), max_size=8))
def test_the_same_sight_again_changes_nothing(seen: list[Seen]) -> None:
    first = named([(seen, 1.0, False)])[0]
    table = run([first, first, first])
    began = {name: keys for n, name, _, keys in table if n == 0}
    for n, name, status, keys in table:
        assert status == ("new" if n == 0 else "persisting")
        assert keys == began[name]


@settings(max_examples=50, deadline=None)
@given(several_nights)
def test_a_memory_written_down_is_the_same_memory(nights: Nights) -> None:
    def check(known: list[Known], seen: list[Seen], steps: list[Step]) -> None:
        for step in steps:
            assert Carried.of(json.loads(json.dumps(step.carried.record()))) == step.carried

    run(named(nights), check)
