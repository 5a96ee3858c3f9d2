"""Is it the same thing as last night? Nights as rows, and laws of identity."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.encroachment.ledger import Known, Seen, Step, reconcile
from tests import tiny

RULES = {"min_overlap": 0.5, "gone_after": 3, "grown_ratio": 1.1, "grown_min_m2": 20.0, "min_observed": 0.9}
HERE, NEAR, AWAY = tiny.box(0, 0, 20, 20), tiny.box(4, 0, 20, 20), tiny.box(100, 0, 20, 20)


def known(
    key: str = "a",
    shape: shapely.Geometry = HERE,
    kind: str = "dump",
    missed: int = 0,
    gone: bool = False,
    area: float = 400.0,
) -> Known:
    return Known("f-" + key, key, kind, shape, area, missed, gone)


def seen(key: str = "a", shape: shapely.Geometry = HERE, kind: str = "dump", area: float = 400.0) -> Seen:
    return Seen(key, kind, shape, area)


@pytest.mark.parametrize(
    ("label", "old", "new", "observed", "status"),
    [
        ("first sight", [], [seen()], [], ["new"]),
        ("same object", [known()], [seen()], [1.0], ["persisting"]),
        ("same object re-digitised under another id", [known("a")], [seen("b", NEAR)], [1.0], ["persisting"]),
        (
            "another kind at the same place is another thing",
            [known("a")],
            [seen("b", NEAR, "building")],
            [1.0],
            ["new", "missed"],
        ),
        ("same id, class corrected", [known("a")], [seen("a", HERE, "building")], [1.0], ["persisting"]),
        ("elsewhere", [known("a")], [seen("b", AWAY)], [1.0], ["new", "missed"]),
        ("grown by 30 %", [known()], [seen(area=520.0)], [1.0], ["grown"]),
        ("grown by 5 % is jitter", [known()], [seen(area=420.0)], [1.0], ["persisting"]),
        ("grown by half but 15 m2 only", [known(area=30.0)], [seen(area=45.0)], [1.0], ["persisting"]),
        ("shrunk", [known()], [seen(area=200.0)], [1.0], ["shrunk"]),
        ("not looked at is never gone", [known(missed=9)], [], [0.3], ["unobserved"]),
        ("looked at and not there, once", [known()], [], [1.0], ["missed"]),
        ("third observed night without it", [known(missed=2)], [], [1.0], ["gone"]),
        ("back again", [known(gone=True)], [seen()], [1.0], ["rebound"]),
        ("what is gone is not told again", [known(gone=True)], [], [1.0], []),
    ],
)
def test_one_night(label: str, old: list[Known], new: list[Seen], observed: list[float], status: list[str]) -> None:
    assert [s.status for s in reconcile(old, new, observed, **RULES)] == status, label


things = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=0, max_size=8, unique=True)


@settings(max_examples=60)
@given(things, st.randoms())
def test_the_same_night_again_changes_nothing_and_order_does_not_matter(
    places: list[tuple[int, int]], random: object
) -> None:
    shapes = [tiny.box(x * 30, y * 30, 20, 20) for x, y in places]
    old = [known(f"k{i}", s) for i, s in enumerate(shapes)]
    new = [seen(f"k{i}", s) for i, s in enumerate(shapes)]
    assert {s.status for s in reconcile(old, new, [1.0] * len(old), **RULES)} <= {"persisting"}
    mixed = list(new)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    for step in reconcile(old, mixed, [1.0] * len(old), **RULES):
        assert step.seen is not None and step.known is not None
        assert mixed[step.seen].key == old[step.known].key


@settings(max_examples=60)
@given(things, things)
def test_everything_is_accounted_for_once(before: list[tuple[int, int]], now: list[tuple[int, int]]) -> None:
    old = [known(f"o{i}", tiny.box(x * 12, y * 12, 20, 20)) for i, (x, y) in enumerate(before)]
    new = [seen(f"n{i}", tiny.box(x * 12, y * 12, 20, 20)) for i, (x, y) in enumerate(now)]
    steps: list[Step] = reconcile(old, new, [1.0] * len(old), **RULES)
    assert sorted(s.seen for s in steps if s.seen is not None) == list(range(len(new)))
    assert sorted(s.known for s in steps if s.known is not None) == list(range(len(old)))
