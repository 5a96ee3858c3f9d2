"""Why the rest was not seen: seen and unseen are the duty, to the metre, bank by bank."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.patrol.figures import union_m
from rivergis.patrol.score import score, waters_of
from rivergis.patrol.spans import minus
from tests.patrol.walks import METHOD, at_places, river, scored, seen, walk

SPANS = st.lists(
    st.tuples(st.integers(0, 100), st.integers(1, 40)).map(lambda s: (float(s[0]), float(s[0] + s[1]))), max_size=8
)


@given(cuts=SPANS)
def test_what_is_cut_out_and_what_is_left_are_the_whole(cuts: list[tuple[float, float]]) -> None:
    whole = (10.0, 90.0)
    inside = [(0, max(a, 10.0), min(b, 90.0)) for a, b in cuts if min(b, 90.0) > max(a, 10.0)]
    left = minus(whole, cuts)
    assert sum(b - a for a, b in left) + union_m(inside) == pytest.approx(80.0)
    assert all(b <= c for (_, b), (c, _) in itertools.pairwise(left))


# ====================main====================>
#   · · ·walk· · ·            · ·walk· ·
#                  (silence)
MAIN = {"main": [(0, 0), (3000, 0)], "far": [(0, 2000), (3000, 2000)], "side": [(1500, 250), (3000, 250)]}


def test_every_reason_has_its_place() -> None:
    """North bank walked, with a silence; the side river, 200 m off the way, was too far; another never approached."""
    track = walk([(0, 40), (1000, 40)], [(1800, 40), (2500, 40)], rest_s=600)
    frame = river(MAIN)
    done = scored(track, frame, "main", "side", "far")
    why = done.figures["unseen"]
    assert set(why) == {"other_bank", "gap", "too_far", "never_approached", "not_along"}, (
        "the end of the walk is in sight, not gone along"
    )
    assert why["gap"] == pytest.approx(2 * 800, abs=100), "both banks of what was bridged"
    assert why["other_bank"] == pytest.approx(1700, abs=80)
    assert done.figures["unobserved"][0]["speed_ms"] == pytest.approx(800 / 600, abs=0.2)
    _sums(done.legs, frame)


def test_unusable_fixes_are_told_where_they_lie() -> None:
    track = walk([(0, 40), (2000, 40)])
    track.loc[100:200, "acc_m"] = 300.0
    done = scored(track, river(MAIN), "main")
    assert done.figures["unseen"]["gap"] > 1000, "their time is a silence of usable fixes"
    assert done.figures["marks"] == {"poor_accuracy": 101}


@given(start=st.integers(0, 1500), length=st.integers(200, 1500), off=st.integers(-90, 90), seed=st.integers(0, 99))
def test_seen_and_unseen_are_what_was_assigned(start: int, length: int, off: int, seed: int) -> None:
    frame = river(MAIN)
    done = scored(walk([(start, off), (start + length, off)], seed=seed, every_s=10.0), frame, "main", "side")
    _sums(done.legs, frame)


def _sums(legs, frame) -> None:  # type: ignore[no-untyped-def]
    rest = legs[legs["why"] != "seen"]
    for reach in set(rest["reach"]):
        length = float(frame["length_m"].iloc[reach])
        for bank in ("left", "right"):
            mine = legs[(legs["reach"] == reach) & ((legs["bank"] == bank) | legs["bank"].isna())]
            total = union_m(zip(mine["reach"], mine["from_m"], mine["to_m"], strict=True))
            unseen = mine[mine["why"] != "seen"]
            assert total == pytest.approx(length, abs=0.01)
            assert (unseen["to_m"] - unseen["from_m"]).sum() <= length + 0.01


def test_without_times_nothing_is_shown_as_seen() -> None:
    track = walk([(0, 40), (2000, 40)]).assign(at=np.datetime64("NaT"))
    done = scored(track, river(MAIN), "main")
    assert seen(done, river(MAIN)) == {}
    assert done.figures["minutes"] is None
    assert set(done.legs["why"]) >= {"no_time"}


def test_standing_still_is_no_way() -> None:
    """Half an hour in one place: a stop of thirty minutes, not a kilometre of drift."""
    t = np.arange(0, 1800, 5.0)
    done = scored(
        at_places(np.column_stack([t, np.full(len(t), 500.0), np.full(len(t), 40.0)]), noise_m=8.0), river(MAIN), "main"
    )
    assert done.figures["passage_metres"] <= 120
    assert sum(s["minutes"] for s in done.figures["stops"]) == pytest.approx(30, abs=6)


def test_minutes_are_those_of_the_assigned_part() -> None:
    """A duty of 300 m inside a walk of two kilometres gets its own four minutes, not the half hour of the whole."""
    frame = river(MAIN)
    track = walk([(0, 40), (2000, 40)])
    part = pd.DataFrame({"reach": [0], "bank": ["left"], "from_m": [500.0], "to_m": [800.0]})
    done = score(track, waters_of(frame, METHOD), part, METHOD, declared="wgs84")
    assert done.figures["minutes"] == pytest.approx(300 / 1.3 / 60, abs=0.6)
    assert done.figures["metres"] == pytest.approx(300, abs=1)
