"""Which metres of which bank were seen: walks drawn along one river, and laws of coverage.

north (left) bank   y=+20   . . . . . . . . . .
axis  0 ==========================================> 2000      half width 10 m, sight 100 m beyond the bank
south (right) bank  y=-20
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.patrol import authenticity, clean, coverage
from rivergis.patrol.coverage import GAP, NEVER, OTHER_BANK, SEEN, TOO_FAR, Limits, Stretch
from tests import tiny

RIVER = tiny.reaches(tiny.line((0, 0), (2000, 0)))
LIMITS = Limits(visible_beyond_bank_m=100, ditch_factor=0.6, max_gap_s=60, gap_intervals=4, min_leg_m=30)
DUTY = pd.DataFrame(
    [(0, b, 0.0, RIVER["length_m"].iloc[0]) for b in ("left", "right")], columns=["reach", "bank", "from_m", "to_m"]
)


def seen_of(fixes: object, bank: str) -> list[tuple[float, float]]:
    return [(s.from_m, s.to_m) for s in coverage.cover(fixes, RIVER, LIMITS) if s.why == SEEN and s.bank == bank]  # type: ignore[arg-type]


def rest_of(fixes: object) -> dict[str, float]:
    along = coverage.cover(fixes, RIVER, LIMITS)  # type: ignore[arg-type]
    out: dict[str, float] = {}
    for s in coverage.explain_rest(along, fixes, RIVER, DUTY, LIMITS):  # type: ignore[arg-type]
        out[s.why] = out.get(s.why, 0.0) + s.to_m - s.from_m
    return out


def test_a_walk_along_the_left_bank() -> None:
    [(a, b)] = seen_of(tiny.walk([(300, 20), (900, 20)]), "left")
    assert (a, b) == (pytest.approx(300, abs=1), pytest.approx(900, abs=14))
    assert seen_of(tiny.walk([(300, 20), (900, 20)]), "right") == []


def test_walking_upstream_sees_the_same_bank() -> None:
    [(a, b)] = seen_of(tiny.walk([(900, 20), (300, 20)]), "left")
    assert (a, b) == (pytest.approx(300, abs=14), pytest.approx(900, abs=1))


def test_both_banks_need_two_passages() -> None:
    fixes = tiny.walk([(300, 20), (900, 20), (900, -20), (300, -20)])
    assert len(seen_of(fixes, "left")) == len(seen_of(fixes, "right")) == 1


def test_too_far_is_not_seen_and_says_so() -> None:
    fixes = tiny.walk([(300, 150), (900, 150)])
    assert seen_of(fixes, "left") == []
    assert set(rest_of(fixes)) == {TOO_FAR, NEVER}


def test_a_silence_is_a_gap_and_never_bridged() -> None:
    fixes = tiny.walk([(0, 20), (1900, 20)])
    fixes = fixes[(fixes["seq"] < 30) | (fixes["seq"] >= 60)].reset_index(
        drop=True
    )  # five minutes and 390 m of silence
    banks = seen_of(fixes, "left")
    assert len(banks) == 2
    lost = rest_of(fixes)[GAP]
    assert lost == pytest.approx(2 * 31 * 13, rel=0.05), "a gap says nothing of either bank"


def test_reasons_of_the_other_bank() -> None:
    assert rest_of(tiny.walk([(0, 20), (2000, 20)]))[OTHER_BANK] > 1900


def test_a_ditch_is_seen_from_nearer_only() -> None:
    ditch = RIVER.assign(kind="ditch")
    assert coverage.visible_m(RIVER, LIMITS)[0] == 110
    assert coverage.visible_m(ditch, LIMITS)[0] == pytest.approx(66)


def test_fixes_without_times_show_nothing() -> None:
    assert [
        s for s in coverage.cover(tiny.walk([(0, 20), (900, 20)]).assign(at=pd.NaT), RIVER, LIMITS) if s.why == SEEN
    ] == []


walks = st.lists(st.tuples(st.floats(0, 2000), st.floats(-200, 200)), min_size=2, max_size=6)


@settings(max_examples=40, deadline=None)
@given(walks)
def test_seen_and_unseen_add_up_to_what_is_assigned(points: list[tuple[float, float]]) -> None:
    fixes = tiny.walk(points, speed_ms=5)
    along = coverage.cover(fixes, RIVER, LIMITS)
    rest = coverage.explain_rest(along, fixes, RIVER, DUTY, LIMITS)
    length = RIVER["length_m"].iloc[0]
    for bank in ("left", "right"):
        seen = [(s.from_m, s.to_m) for s in along if s.why == SEEN and s.bank == bank]
        unseen = [(s.from_m, s.to_m) for s in rest if s.bank == bank]
        covered = coverage.union_m([Stretch(0, bank, a, b, SEEN) for a, b in seen])
        missing = sum(b - a for a, b in unseen)
        assert covered + missing == pytest.approx(length, abs=1.5), "seen + unseen = assigned"
        assert coverage.union_m([Stretch(0, bank, a, b, GAP) for a, b in unseen]) == pytest.approx(missing, abs=1e-6), (
            "no metre is told twice"
        )


@settings(max_examples=40, deadline=None)
@given(walks, st.integers(1, 5))
def test_more_fixes_never_take_coverage_away(points: list[tuple[float, float]], lost: int) -> None:
    fixes = tiny.walk(points, speed_ms=5)
    shorter = fixes.iloc[: max(2, len(fixes) - lost)]
    total = [coverage.union_m([s for s in coverage.cover(f, RIVER, LIMITS) if s.why == SEEN]) for f in (fixes, shorter)]
    assert total[0] >= total[1] - 2 * LIMITS.min_leg_m


def test_marks_never_delete() -> None:
    fixes = tiny.walk([(0, 20), (600, 20)])
    fixes.loc[10, "geom"] = tiny.point(130, 5000)  # one fix five kilometres away
    fixes.loc[20, "acc_m"] = 300.0
    double = pd.concat([fixes, fixes.iloc[[30]]], ignore_index=True)
    marked = clean.mark(double.set_crs(tiny.ZONE), max_accuracy_m=50, max_speed_ms=60)
    assert len(marked) == len(double)
    assert marked["mark"].value_counts().to_dict() == {"jump": 1, "poor_accuracy": 1, "repeat": 1}


def test_out_of_order_batches_are_put_in_order() -> None:
    fixes = tiny.walk([(0, 20), (600, 20)])
    marked = clean.mark(fixes.sample(frac=1, random_state=1), max_accuracy_m=50, max_speed_ms=60)
    assert marked["at"].is_monotonic_increasing


def test_signals_are_questions_with_figures() -> None:
    limits = {"fast_kmh": 20.0, "fast_share": 0.2, "teleport_ms": 60.0}
    assert authenticity.signals(tiny.walk([(0, 20), (900, 20)]), same_as=None, **limits) == []
    [fast] = authenticity.signals(tiny.walk([(0, 20), (1900, 20)], speed_ms=15), same_as=None, **limits)
    assert (fast.code, fast.value) == ("fast", 1.0)
    [same] = authenticity.signals(tiny.walk([(0, 20), (900, 20)]), same_as="20260501.gpx", **limits)
    assert "请说明" in same.zh
    for word in ("作弊", "虚假", "造假", "cheat", "fake"):
        assert word not in fast.zh + fast.en + same.zh + same.en


def test_union_counts_each_metre_once() -> None:
    parts = [
        Stretch(0, "left", 0, 100, SEEN),
        Stretch(0, "right", 50, 150, SEEN),
        Stretch(0, "left", 300, 400, SEEN),
        Stretch(1, "left", 0, 10, SEEN),
    ]
    assert coverage.union_m(parts) == pytest.approx(260)
    assert np.isclose(coverage.union_m([]), 0)
