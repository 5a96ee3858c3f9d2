"""Fixes put in order: what is marked and why, and whose clock is believed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.patrol import clean
from rivergis.patrol.fixes import JUMP, NO_TIME, POOR_ACCURACY, REPEAT
from tests.patrol.walks import METHOD, START, walk

LIMITS = METHOD.cleaning
HOUR = 3600.0


def track(n: int = 60) -> pd.DataFrame:
    return walk([(0, 0), (6.5 * n, 0)], noise_m=2.0).head(n).reset_index(drop=True)


def received(table: pd.DataFrame, fault_s: float, delay_s: np.ndarray | float = 4.0) -> pd.DataFrame:
    """The same fixes told by a phone whose clock is ``fault_s`` ahead, with the true times of reception."""
    arrived = table["at"] + pd.to_timedelta(delay_s, unit="s")
    return table.assign(at=table["at"] + pd.Timedelta(fault_s, "s"), received_at=arrived)


@given(seed=st.integers(0, 2**16), copies=st.integers(0, 20))
def test_order_and_repeats_of_arrival_change_nothing(seed: int, copies: int) -> None:
    rng, table = np.random.default_rng(seed), track()
    rows = rng.permutation(np.concatenate([np.arange(len(table)), rng.integers(0, len(table), copies)]))
    plain, mixed = clean.order(table, LIMITS), clean.order(table.iloc[rows].reset_index(drop=True), LIMITS)
    for name in ("t_s", "lon", "lat"):
        assert np.array_equal(getattr(plain.take(plain.used), name), getattr(mixed.take(mixed.used), name))
    assert (mixed.mark == REPEAT).sum() == copies, "nothing is left out, only marked"


@pytest.mark.parametrize(
    ("fault_s", "basis"),
    [
        pytest.param(0.0, "phone", id="right"),
        pytest.param(120.0, "phone", id="two minutes are nothing"),
        pytest.param(-900.0, "received", id="a quarter of an hour slow"),
        pytest.param(86400 * 400.0, "received", id="the wrong year"),
        pytest.param(8 * HOUR, "local_as_utc", id="local time written as UTC"),
    ],
)
def test_clock_of_a_phone_that_sends_while_walking(fault_s: float, basis: str) -> None:
    fixes = clean.order(received(track(), fault_s), LIMITS)
    assert fixes.clock.basis == basis
    left = 0.0 if basis != "phone" else fault_s
    assert abs(fixes.t_s[0] - START.timestamp() - left) <= 10.0


def test_an_offline_batch_is_no_slow_clock() -> None:
    """Everything arrives at once, hours later: the delay shrinks along the track, and the phone was right."""
    table = track()
    arrived = table["at"].iloc[-1] + pd.Timedelta(3, "h")
    fixes = clean.order(table.assign(received_at=arrived), LIMITS)
    assert fixes.clock.basis == "phone"
    assert fixes.t_s[0] == START.timestamp()


def test_a_track_cannot_end_after_it_was_uploaded() -> None:
    table, uploaded = track(), (START + pd.Timedelta(30, "min")).timestamp()
    ahead = table.assign(at=table["at"] + pd.Timedelta(8, "h"))
    assert clean.order(ahead, LIMITS, uploaded_s=uploaded).clock.basis == "local_as_utc"
    week = clean.order(table.assign(at=table["at"] + pd.Timedelta(7, "D")), LIMITS, uploaded_s=uploaded)
    assert week.clock.basis == "received"
    assert week.t_s[-1] == pytest.approx(uploaded)


def test_marks_name_what_is_wrong_with_a_fix() -> None:
    table = track()
    table.loc[20, "lat"] += 0.003  # 330 m away for one fix
    table.loc[30, "acc_m"] = 200.0
    table.loc[40, "at"] = pd.NaT
    fixes = clean.order(table, LIMITS)
    mark = dict(zip(fixes.seq.tolist(), fixes.mark.tolist(), strict=True))
    assert (mark[20], mark[30], mark[40]) == (JUMP, POOR_ACCURACY, NO_TIME)
    assert sum(m != 0 for m in mark.values()) == 3


def test_a_car_moves_far_between_two_fixes_and_may() -> None:
    """200 m a step, a right angle: no jump."""
    fast = walk([(0, 0), (3000, 0), (3000, 3000)], speed_ms=20.0, every_s=10.0, noise_m=4.0)
    assert clean.order(fast, LIMITS).used.all()


def test_without_any_time_the_file_keeps_its_order() -> None:
    table = track().assign(at=pd.NaT)
    fixes = clean.order(table.iloc[::-1].reset_index(drop=True), LIMITS)
    assert not fixes.timed
    assert np.array_equal(fixes.lon, table["lon"].to_numpy()[::-1])
