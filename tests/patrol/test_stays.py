r"""Minutes where a phone lies by the water: it wanders through many places while nobody patrols.

walk ----> (~~~~ hours ~~~~) ----> walk on           20 m beside a straight reach of 2 km
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.patrol.coverage_kernels import stays
from tests.patrol.walks import METHOD, Points, at_places, river, scored

LINE: dict[str, Points] = {"main": [(0, 0), (2000, 0)]}
SPEED_MS, COUNTED_MIN = 1.3, METHOD.cover.stop_counted_s / 60


def walk_and_lie(hours: float, noise_m: float, every_s: float, seed: int) -> pd.DataFrame:
    """A walk of 800 m with hours of lying half way; the error of the phone drifts."""
    t = np.arange(0.0, 800 / SPEED_MS + hours * 3600, every_s)
    way = np.minimum(t * SPEED_MS, 400.0) + np.maximum(t * SPEED_MS - 400 - hours * 3600 * SPEED_MS, 0.0)
    return at_places(np.column_stack([t, 500 + way, np.full(len(t), 20.0)]), noise_m=noise_m, seed=seed)


@pytest.mark.parametrize("noise_m", [0.0, 3.0, 8.0])
@pytest.mark.parametrize("every_s", [2.0, 10.0])
def test_a_phone_that_lies_for_hours_patrols_a_stop(noise_m: float, every_s: float) -> None:
    told = scored(walk_and_lie(2.0, noise_m, every_s, seed=4), river(LINE), "main").figures["minutes"]
    walked = 800 / SPEED_MS / 60
    assert walked - 2 <= told <= walked + COUNTED_MIN + 1


@settings(max_examples=20)
@given(speed_ms=st.floats(0.5, 6.0), every_s=st.sampled_from([1.0, 5.0, 20.0]), seed=st.integers(0, 9))
def test_whoever_goes_on_loses_no_minute(speed_ms: float, every_s: float, seed: int) -> None:
    t = np.arange(0.0, 1500 / speed_ms, every_s)
    track = at_places(np.column_stack([t, 100 + t * speed_ms, np.full(len(t), 20.0)]), noise_m=4.0, seed=seed)
    told = scored(track, river(LINE), "main").figures["minutes"]
    assert told == pytest.approx(t[-1] / 60, rel=0.05, abs=1.0)


@given(
    xy=st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=1, max_size=30),
    radius_m=st.floats(0, 100), outside_s=st.floats(0, 100),
)  # fmt: skip
def test_parts_are_the_whole_track_in_order(xy: list[tuple[float, float]], radius_m: float, outside_s: float) -> None:
    x, y = (np.array(c) for c in zip(*xy, strict=True))
    t = np.arange(len(xy)) * 10.0
    rows = stays(x, y, t, t + 5, radius_m, outside_s)
    assert rows[0, 0] == 0 and rows[-1, 1] == len(xy) - 1
    assert (rows[1:, 0] == rows[:-1, 1] + 1).all() and (rows[:, 0] <= rows[:, 1]).all()
