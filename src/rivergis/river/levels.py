"""How high does the water stand along the river? A profile of levels (水位) over chainage, from a table or from high-water marks.

Marks (洪痕) scatter: debris lies above or below the crest, banks differ, one is misread. The fitted profile falls downstream,
listens less to marks far off, and says of each how far off it is and how well the others would have told it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from rivergis.errors import InputError

Floats = npt.NDArray[np.float64]

_ROUNDS = 30
_HUBER = 1.345
"""Residuals beyond this many standard deviations count less (Huber 1964, doi:10.1214/aoms/1177703732): 95 % efficient."""
_LEAST_SPREAD_M = 0.01


@dataclass(frozen=True)
class Profile:
    """Levels over chainage: linear between knots, the end levels beyond them if ``constant_beyond``, else nothing.

    ``at_m`` rises. ``residual_m`` (observed minus profile) and ``left_out_m`` (observed minus the profile of all others)
    belong to the marks in the order they were given; NaN where leaving a mark out leaves nothing to tell it by.
    """

    at_m: Floats
    level_m: Floats
    method: str
    constant_beyond: bool = False
    residual_m: Floats | None = None
    left_out_m: Floats | None = None

    def levels(self, at_m: npt.ArrayLike) -> Floats:
        """Level at chainages, metres; NaN beyond the knots unless it is taken as constant there."""
        at = np.asarray(at_m, dtype=np.float64)
        level = np.interp(at, self.at_m, self.level_m)
        told = self.constant_beyond | ((at >= self.at_m[0]) & (at <= self.at_m[-1]))
        return np.where(told & ~np.isnan(at), level, np.nan)

    @property
    def rises(self) -> list[tuple[float, float, float]]:
        """Stretches where the level rises downstream: (from_m, to_m, rise in metres)."""
        up = np.flatnonzero(np.diff(self.level_m) > 0)
        return [
            (float(self.at_m[i]), float(self.at_m[i + 1]), float(self.level_m[i + 1] - self.level_m[i])) for i in up
        ]


def as_given(at_m: npt.ArrayLike, level_m: npt.ArrayLike, constant_beyond: bool = False) -> Profile:
    """A profile through every given level; several at one chainage count as their mean. ``InputError`` for fewer than one."""
    at, level = _checked(at_m, level_m)
    knots, mean = _means(at, level, np.ones(len(at)))
    profile = Profile(knots, mean, "as_given", constant_beyond)
    return _with_errors(profile, at, level, lambda a, h: Profile(*_means(a, h, np.ones(len(a))), "as_given"))


def fitted(at_m: npt.ArrayLike, level_m: npt.ArrayLike, constant_beyond: bool = False) -> Profile:
    """The profile that never rises downstream and lies nearest to scattered marks, robust against single wrong ones."""
    at, level = _checked(at_m, level_m)
    profile = Profile(*_falling(at, level), "fitted_falling", constant_beyond)
    return _with_errors(profile, at, level, lambda a, h: Profile(*_falling(a, h), "fitted_falling"))


def _checked(at_m: npt.ArrayLike, level_m: npt.ArrayLike) -> tuple[Floats, Floats]:
    at, level = np.asarray(at_m, dtype=np.float64), np.asarray(level_m, dtype=np.float64)
    if not len(at):
        raise InputError("There are no levels: give at least one chainage with the height of the water surface.")
    bad = np.flatnonzero(~(np.isfinite(at) & np.isfinite(level)))
    if len(bad):
        raise InputError(f"Level {int(bad[0]) + 1} has no chainage or no height: complete or remove it.")
    return at, level


def _means(at: Floats, level: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Distinct chainages, rising, with the weighted mean level at each."""
    knots, of = np.unique(at, return_inverse=True)
    return knots, np.bincount(of, weight * level) / np.bincount(of, weight)


def _falling(at: Floats, level: Floats) -> tuple[Floats, Floats]:
    """Knots of a falling profile: falling steps by weighted least squares, drawn through the middles of the steps.

    The weights are found again from the residuals until they stay (iterated Huber weights).
    """
    weight = np.ones(len(at))
    for _ in range(_ROUNDS):
        knots, profile = _through_steps(at, level, weight)
        off = level - np.interp(at, knots, profile)
        spread = max(1.4826 * float(np.median(np.abs(off - np.median(off)))), _LEAST_SPREAD_M)
        # the square of Huber's weight: marks metres off lose their pull altogether
        new = np.minimum(1.0, _HUBER * spread / np.maximum(np.abs(off), 1e-12)) ** 2
        if np.abs(new - weight).max() < 1e-6:
            break
        weight = new
    return knots, profile


def _through_steps(at: Floats, level: Floats, weight: Floats) -> tuple[Floats, Floats]:
    knots, mean = _means(at, level, weight)
    total = np.bincount(np.unique(at, return_inverse=True)[1], weight)
    fit = isotonic_regression(mean, weights=total, increasing=False)
    starts = fit.blocks[:-1]
    middle = np.add.reduceat(knots * total, starts) / np.add.reduceat(total, starts)
    height = fit.x[starts]
    if len(middle) == 1:
        return np.unique(knots[[0, -1]]), np.full(len(np.unique(knots[[0, -1]])), height[0])
    slope = np.diff(height) / np.diff(middle)
    ends = height[[0, -1]] + slope[[0, -1]] * (knots[[0, -1]] - middle[[0, -1]])
    x = np.concatenate([knots[:1], middle, knots[-1:]])
    y = np.concatenate([ends[:1], height, ends[1:]])
    keep = np.concatenate([[True], np.diff(x) > 0])
    return x[keep], y[keep]


def _with_errors(profile: Profile, at: Floats, level: Floats, again: Callable[[Floats, Floats], Profile]) -> Profile:
    """The profile with residuals and leave-one-out errors of its marks."""
    left_out = np.full(len(at), np.nan)
    for i in range(len(at)):
        others = np.arange(len(at)) != i
        if others.any():
            left_out[i] = level[i] - again(at[others], level[others]).levels(at[i])
    residual = level - np.interp(at, profile.at_m, profile.level_m)
    return Profile(profile.at_m, profile.level_m, profile.method, profile.constant_beyond, residual, left_out)
