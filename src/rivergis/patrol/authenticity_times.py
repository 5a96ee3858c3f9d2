"""Which straight line of time lays one track over another: found by votes, then by positions, then by the fixes themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rivergis.patrol.fixes import Floats

STRETCH = 1.6  # a copy may run up to so many times faster or slower
STRETCH_STEP = 0.01
ADDED_NOISE_M = 2.5  # what is typically laid over a copy; only weights the fixes in question
SEARCHED = 4  # fixes to both sides of the nearest in time
SAME_FIX_M = 1.0
LOOKED_AT = 400  # fixes of the track, evenly


@dataclass(frozen=True)
class TimeMap:
    """Time of the other track for a time of this one: ``scale * (t - about) + shift``; a scale below 0 is a reversed course."""

    scale: float
    shift_s: float
    about_s: float

    def __call__(self, t_s: Floats) -> Floats:
        return self.scale * (t_s - self.about_s) + self.shift_s


def find(t: Floats, xy: Floats, u: Floats, uv: Floats, pairs: tuple[Floats, Floats, Floats]) -> TimeMap | None:
    """The line from the times ``t`` of a track (metres ``xy``) to the times ``u`` of another (``uv``).

    ``pairs``: times of both and distance of fixes that lie near each other. None where the best line runs outside the range
    of ``STRETCH``.
    """
    interval_s = _interval(t)
    few = np.unique(np.linspace(0, len(t) - 1, LOOKED_AT).astype(int))
    t, xy = t[few], xy[few]
    seeds = [_by_votes(pairs[0], pairs[1], 1.5 * max(interval_s, _interval(u)))]
    close = pairs[2] < SAME_FIX_M
    if close.sum() >= 6:
        seeds.append(_by_same_fixes(pairs[0][close], pairs[1][close]))
    lines = [_by_fixes(t, xy, u, uv, line) for seed in seeds for line in (seed, _by_positions(t, xy, u, uv, seed))]
    best = min(lines, key=lambda line: _miss(t, xy, u, uv, line))
    return best if 1 / STRETCH < abs(best.scale) < STRETCH else None


def at(u: Floats, uv: Floats, when: Floats) -> Floats:
    """Positions of a track at other times, between its fixes."""
    return np.column_stack([np.interp(when, u, uv[:, 0]), np.interp(when, u, uv[:, 1])])


def nearest_of(u: Floats, when: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Position of the nearest of the rising times ``u``, and the interval in which the time lies."""
    right = np.clip(np.searchsorted(u, when), 1, len(u) - 1)
    nearest = np.where(when - u[right - 1] < u[right] - when, right - 1, right)
    return np.asarray(nearest), np.asarray(u[right] - u[right - 1])


def _interval(t: Floats) -> float:
    return float(np.median(np.diff(t)))


def _by_votes(t: Floats, u: Floats, width_s: float) -> TimeMap:
    """The line through most pairs of times: votes over shift for every scale in both directions."""
    about, span = float((t[0] + t[-1]) / 2), max(float(np.ptp(t)), 1.0)
    width = max(width_s, 0.004 * span)
    logs = np.arange(-np.log(STRETCH), np.log(STRETCH), STRETCH_STEP)
    most, best = 0, TimeMap(1.0, float(np.median(u)), about)
    for scale in np.r_[np.exp(logs), -np.exp(logs)]:
        shift = u - scale * (t - about)
        low = float(shift.min())
        votes = np.bincount(((shift - low) / width).astype(np.int64), minlength=2)
        both = votes[:-1] + votes[1:]
        top = int(both.argmax())
        if both[top] > most:
            most, best = int(both[top]), TimeMap(float(scale), low + (top + 1) * width, about)
    return best


def _by_same_fixes(t: Floats, u: Floats) -> TimeMap:
    """The line of median slope through pairs of one place, for tracks of few fixes that are the same."""
    about = float(np.median(t))
    i, j = np.triu_indices(min(len(t), 60), k=1)
    i, j = (np.linspace(0, len(t) - 1, min(len(t), 60)).astype(int)[k] for k in (i, j))
    apart = t[j] != t[i]
    if not apart.any():
        return TimeMap(1.0, float(np.median(u)), about)
    scale = float(np.median((u[j] - u[i])[apart] / (t[j] - t[i])[apart]))
    return TimeMap(scale, float(np.median(u - scale * (t - about))), about)


def _by_positions(t: Floats, xy: Floats, u: Floats, uv: Floats, line: TimeMap) -> TimeMap:
    """The line moved by least squares of the positions along the way, ever nearer fixes only."""
    half = max(10.0, 1.5 * _interval(u))
    for reach_m in (60.0, 40.0, 25.0, 15.0, 12.0, 12.0):
        when = line(t)
        miss = xy - at(u, uv, when)
        speed = (at(u, uv, when + half) - at(u, uv, when - half)) / (2 * half)
        near = (when >= u[0]) & (when <= u[-1]) & (np.hypot(*miss.T) < reach_m)
        if near.sum() < 5:
            break
        gain = (speed[near] ** 2).sum(axis=1) + 1e-4
        line = _moved(line, t[near], (speed[near] * miss[near]).sum(axis=1) / gain, gain)
    return line


def _by_fixes(t: Floats, xy: Floats, u: Floats, uv: Floats, line: TimeMap) -> TimeMap:
    """The line through the times of the fixes of which each fix is most likely a copy, by place and by time.

    Expectation and maximisation with a width in time that shrinks: coherent point drift (Myronenko and Song 2010,
    doi:10.1109/TPAMI.2010.46) for two numbers.
    """
    interval = _interval(u)
    beside = np.arange(-SEARCHED, SEARCHED + 1)
    for width in interval * np.array([2.0, 1.5, 1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05]):
        when = line(t)
        near = nearest_of(u, when)[0][:, None] + beside
        there = (near >= 0) & (near < len(u))
        near = np.clip(near, 0, len(u) - 1)
        late = u[near] - when[:, None]
        apart = ((xy[:, None, :] - uv[near]) ** 2).sum(axis=2)
        chance = _chances(apart / ADDED_NOISE_M**2 + (late / width) ** 2, there)
        mean = (chance * late).sum(axis=1)
        likely = (apart.min(axis=1) < (5 * ADDED_NOISE_M) ** 2) & (np.abs(mean) < 2 * width)
        if likely.sum() < 6:
            break
        line = _moved(line, t[likely], mean[likely], np.ones(int(likely.sum())))
    return line


def _chances(squares: Floats, there: Any) -> Floats:
    """Weights that add up to 1 in every row, from squared misfits; nothing where there is no fix."""
    log = np.where(there, -0.5 * squares, -np.inf)
    weight = np.exp(log - log.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _moved(line: TimeMap, t: Floats, late_s: Floats, weight: Floats) -> TimeMap:
    """The line moved by the weighted regression of how late it is on time."""
    since = t - line.about_s
    mean_t, mean_late = np.average(since, weights=weight), np.average(late_s, weights=weight)
    centred = since - mean_t
    scale = float((weight * centred * late_s).sum() / max(float((weight * centred**2).sum()), 1e-9))
    return TimeMap(line.scale + scale, float(line.shift_s + mean_late - scale * mean_t), line.about_s)


def _miss(t: Floats, xy: Floats, u: Floats, uv: Floats, line: TimeMap) -> float:
    """Mean distance under a line, capped at 50 m; fixes outside the other track count in full."""
    when = line(t)
    apart = np.hypot(*(xy - at(u, uv, when)).T)
    return float(np.mean(np.where((when < u[0] - 1) | (when > u[-1] + 1), 50.0, np.minimum(apart, 50.0))))
