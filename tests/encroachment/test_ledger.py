"""Is it the same thing as last night? Nights as rows, and laws of identity."""

from __future__ import annotations

from datetime import date

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.encroachment.ledger import Carried, Known, NightLimits, Seen, reconcile
from tests import tiny

LIMITS = NightLimits(0.3, 0.3, 0.5, 0.5, 3, 20, 1.1, 20.0, 2, 3, 0.9, 100.0)
NIGHT = date(2026, 5, 2)
HERE, NEAR, AWAY = tiny.box(0, 0, 20, 20), tiny.box(4, 0, 20, 20), tiny.box(100, 0, 20, 20)


def known(
    name: str = "a", shape: shapely.Geometry = HERE, kind: str = "dump", missed: int = 0, closed: str | None = None
) -> Known:
    carried = Carried.bare(
        kind,
        shape.area,
        source="feed",
        born="2026-05-01",
        last_seen="2026-05-01",
        missed=missed,
        closed=closed,
    )
    return Known(name, shape, carried)


def seen(key: str = "a", shape: shapely.Geometry = HERE, kind: str = "dump") -> Seen:
    return Seen(key, kind, shape, "feed")


@pytest.mark.parametrize(
    ("label", "old", "new", "observed", "status"),
    [
        ("first sight", [], [seen()], [], ["new"]),
        ("same object", [known()], [seen()], [1.0], ["persisting"]),
        ("same object re-digitised under another id", [known("a")], [seen("b", NEAR)], [1.0], ["persisting"]),
        ("elsewhere", [known("a")], [seen("b", AWAY)], [1.0], ["missed", "new"]),
        ("not looked at is never gone", [known(missed=9)], [], [0.3], ["unobserved"]),
        ("looked at and not there, once", [known()], [], [1.0], ["missed"]),
        ("third observed night without it", [known(missed=2)], [], [1.0], ["gone"]),
        ("back again", [known(closed="gone")], [seen()], [1.0], ["rebound"]),
        ("what is gone is not told again", [known(closed="gone")], [], [1.0], []),
    ],
)
def test_one_night(label: str, old: list[Known], new: list[Seen], observed: list[float], status: list[str]) -> None:
    steps = reconcile(old, new, observed, LIMITS, night=NIGHT)
    assert sorted(s.status for s in steps) == status, label


def test_a_memory_survives_being_written() -> None:
    carried = known().carried
    assert Carried.of(carried.record()) == carried


things = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=0, max_size=8, unique=True)


@settings(max_examples=60)
@given(things, st.randoms())
def test_the_same_night_again_changes_nothing_and_order_does_not_matter(
    places: list[tuple[int, int]], random: object
) -> None:
    shapes = [tiny.box(x * 30, y * 30, 20, 20) for x, y in places]
    old = [known(f"k{i}", s) for i, s in enumerate(shapes)]
    mixed = [seen(f"k{i}", s) for i, s in enumerate(shapes)]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    for step in reconcile(old, mixed, [1.0] * len(old), LIMITS, night=NIGHT):
        assert step.status == "persisting"
        assert step.known is not None
        assert mixed[step.seen[0]].key == old[step.known].finding_id


@settings(max_examples=60)
@given(things, things)
def test_everything_is_accounted_for_once(before: list[tuple[int, int]], now: list[tuple[int, int]]) -> None:
    old = [known(f"o{i}", tiny.box(x * 30, y * 30, 20, 20)) for i, (x, y) in enumerate(before)]
    new = [seen(f"n{i}", tiny.box(x * 30 + 9, y * 30, 20, 20)) for i, (x, y) in enumerate(now)]
    steps = reconcile(old, new, [1.0] * len(old), LIMITS, night=NIGHT)
    assert sorted(i for s in steps for i in s.seen) == list(range(len(new)))
    assert sorted(s.known for s in steps if s.known is not None) == list(range(len(old)))
