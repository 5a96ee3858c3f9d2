"""Which water level bounds the river where: levels of the flood of the right return period, joined smoothly where it changes.

无堤防的河道, 根据历史最高洪水位或者设计洪水位确定 (《河道管理条例》第二十条). Where two return periods or jurisdictions meet, the step lies in the
stretch of the lower level, so that nowhere is less bounded than its own flood asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rivergis.boundary.drafting.chains import Chain
from rivergis.boundary.drafting.curves import Floats, smooth_step
from rivergis.boundary.drafting.frames import Reach
from rivergis.river.levels import Profile, as_given

_STEP_M = 10.0

Lacking = tuple[int, str, str]
"""Number of a reach, code and sentence of a note."""


@dataclass(frozen=True)
class Stretch:
    """A reach of a chain with the flood that bounds it: from, to (along the chain), return period (NaN: as given)."""

    reach: int
    from_m: float
    to_m: float
    period_a: float


def along(levels: pd.DataFrame, chain: Chain, reaches: Sequence[Reach]) -> pd.DataFrame:
    """The levels of a chain with their place along it as ``run_m``. ``levels``: reach_code or river_code, at_m, level_m, return_period_a."""
    parts = []
    for i, start in zip(chain.reaches, chain.start_m, strict=True):
        reach = reaches[i]
        mine = levels[levels["reach_code"] == reach.code]
        parts.append(mine.assign(run_m=mine["at_m"] - reach.origin_m + start))
    first = reaches[chain.reaches[0]]
    if first.river is not None:
        river = levels[levels["reach_code"].isna() & (levels["river_code"] == first.river)]
        parts.append(river.assign(run_m=river["at_m"] - first.origin_m))
    if levels[["reach_code", "river_code"]].isna().all(axis=None):
        parts.append(levels.assign(run_m=levels["at_m"] - first.origin_m))
    found = pd.concat(parts, ignore_index=True)
    return found[(found["run_m"] >= -1000) & (found["run_m"] <= chain.length_m + 1000)].reset_index(drop=True)


def stretches(
    found: pd.DataFrame, chain: Chain, reaches: Sequence[Reach], wanted: Mapping[int, float]
) -> tuple[list[Stretch], list[Lacking]]:
    """Which flood bounds each reach of a chain. ``wanted``: return period asked of a reach, NaN where nothing asks one."""
    periods = sorted(found["return_period_a"].dropna().unique())
    out: list[Stretch] = []
    lacking: list[Lacking] = []
    ends = [*chain.start_m[1:], chain.length_m]
    for i, start, end in zip(chain.reaches, chain.start_m, ends, strict=True):
        period = wanted.get(i, float("nan"))
        if not periods:
            out.append(Stretch(i, start, end, period))
        elif np.isnan(period) and len(periods) > 1:
            told = ", ".join(f"{p:g}" for p in periods)
            lacking.append(
                (
                    i,
                    "return_period_unknown",
                    f"Levels of {told} years are given, and neither reach nor rules say which flood bounds it: give return_period_a or plan_area.",
                )
            )
        elif not np.isnan(period) and period not in periods:
            lacking.append(
                (
                    i,
                    "no_level_for_period",
                    f"The {period:g}-year flood bounds this reach, but the levels are of {', '.join(f'{p:g}' for p in periods)} years: give its levels.",
                )
            )
        else:
            out.append(Stretch(i, start, end, periods[0] if np.isnan(period) else period))
    return out, lacking


def profile(found: pd.DataFrame, bounds: Sequence[Stretch], join_m: float, constant_beyond: bool) -> Profile | None:
    """The level along a chain: of each stretch its own flood's, joined over ``join_m``; None where no level is given."""
    made = {p: _of(found, p, constant_beyond) for p in {s.period_a for s in bounds}}
    of = {p: one for p, one in made.items() if one is not None}
    at, level = [], []
    for k, stretch in enumerate(bounds):
        own = _get(of, stretch.period_a)
        if own is None:
            continue
        x = _knots(stretch, own, constant_beyond)
        y = own.levels(x)
        for near, end in ((k - 1, stretch.from_m), (k + 1, stretch.to_m)):
            if 0 <= near < len(bounds) and _meets(bounds[near], stretch):
                other = _get(of, bounds[near].period_a)
                if other is not None:
                    y = _raised(x, y, end, other, join_m)
        at.append(x)
        level.append(y)
    if not at:
        return None
    x, y = np.concatenate(at), np.concatenate(level)
    known = np.isfinite(y)
    if not known.any():
        return None
    knots, of_knot = np.unique(np.round(x[known], 3), return_inverse=True)
    highest = np.full(len(knots), -np.inf)
    np.maximum.at(highest, of_knot, y[known])
    return Profile(knots, highest, "as_given", constant_beyond)


def _get(of: Mapping[float, Profile], period: float) -> Profile | None:
    return next((p for key, p in of.items() if key == period or (np.isnan(key) and np.isnan(period))), None)


def _of(found: pd.DataFrame, period: float, constant_beyond: bool) -> Profile | None:
    mine = found["return_period_a"].isna() if np.isnan(period) else found["return_period_a"].isin([period])
    rows = found[mine]
    if rows.empty:
        rows = found[found["return_period_a"].isna()]
    return None if rows.empty else as_given(rows["run_m"], rows["level_m"], constant_beyond)


def _knots(stretch: Stretch, own: Profile, constant_beyond: bool) -> Floats:
    a, b = stretch.from_m, stretch.to_m
    if not constant_beyond:
        a, b = max(a, float(own.at_m[0])), min(b, float(own.at_m[-1]))
    if b <= a:
        return np.zeros(0)
    steps = np.linspace(a, b, max(int((b - a) / _STEP_M), 1) + 1)
    inner = own.at_m[(own.at_m > a) & (own.at_m < b)]
    return np.unique(np.concatenate([steps, inner]))


def _meets(one: Stretch, two: Stretch) -> bool:
    return abs(one.to_m - two.from_m) < 1.0 or abs(two.to_m - one.from_m) < 1.0


def _raised(x: Floats, y: Floats, end: float, other: Profile, join_m: float) -> Floats:
    """Levels led up to the higher ones of the neighbour within ``join_m`` of where the two meet."""
    higher = float(other.levels(end)) - y[np.argmin(np.abs(x - end))] if len(x) else np.nan
    if not np.isfinite(higher) or higher <= 0:
        return y
    return y + higher * (1 - smooth_step(np.abs(x - end) / join_m))
