"""Tracks for the authenticity tests: one path of a person, phones that wander, and what can be made of a recorded track."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt

from rivergis import rules
from rivergis.patrol.authenticity import Course, Limits, limits_of
from rivergis.patrol.fixes import Fixes
from rivergis.settings import gis_dir

Floats = npt.NDArray[np.float64]
LIMITS: Limits = limits_of(rules.load(gis_dir() / "rules").at((rules.NATIONAL,), date(2026, 5, 20)).number)
LON, LAT, START_S, DAY_S = 113.6, 29.4, 1_779_000_000.0, 86_400.0
M_PER_LAT, M_PER_LON = 110_860.0, 97_000.0


@dataclass(frozen=True)
class Track:
    """Seconds from the start and metres, as a phone wrote them."""

    t_s: Floats
    xy_m: Floats

    def lonlat(self, decimals: int = 6) -> Floats:
        return np.round(np.array([LON, LAT]) + self.xy_m / [M_PER_LON, M_PER_LAT], decimals)

    def course(self, name: str, *, chief: str = "c1", later_s: float = 0.0, decimals: int = 6) -> Course:
        places = self.lonlat(decimals)
        return Course(name, chief, START_S + later_s + self.t_s, places[:, 0], places[:, 1], START_S + later_s)

    def fixes(self, *, acc_m: Floats | None = None) -> Fixes:
        n, places = len(self.t_s), self.lonlat()
        blank = np.full(n, np.nan)
        acc = blank if acc_m is None else acc_m
        return Fixes(np.arange(n), START_S + self.t_s, places[:, 0], places[:, 1], acc, blank, np.zeros(n, np.int8))


def smooth(values: Floats, width: int) -> Floats:
    kernel = np.hanning(width + 2)[1:-1]
    return np.convolve(np.pad(values, width, mode="edge"), kernel / kernel.sum(), mode="same")[width:-width]


def path(rng: np.random.Generator, length_m: float = 2400.0) -> Floats:
    """A dike path that winds gently, a place every 2 m."""
    turn = smooth(rng.normal(0, 1, int(length_m / 2)), 80)
    heading = np.cumsum(turn / turn.std() * 0.012)
    return np.cumsum(2 * np.column_stack([np.cos(heading), np.sin(heading)]), axis=0)


def walked(rng: np.random.Generator, way: Floats, speed_ms: float = 1.3) -> tuple[Floats, Floats]:
    """Seconds and places of a person: the pace varies by a tenth from minute to minute, with one stop."""
    pace = smooth(rng.normal(0, 1, len(way)), 40)
    step_s = 2 / (speed_ms * np.exp(0.1 * pace / pace.std()))
    step_s[len(way) // 3] += rng.uniform(40, 120)
    return np.cumsum(step_s), way


def phone(
    rng: np.random.Generator,
    outing: tuple[Floats, Floats],
    *,
    interval_s: float = 5.0,
    white_m: float = 2.0,
    drift_m: float = 4.0,
    tau_s: float = 60.0,
    even: bool = False,
) -> Track:
    """What a phone carried on an outing writes: white noise and a slow wander; times a little uneven unless ``even``."""
    t_true, way = outing
    t = np.arange(0.0, t_true[-1], interval_s)
    t = t if even else np.sort(np.round(t + rng.normal(0, 0.05 * interval_s, len(t)), 3))
    here = np.column_stack([np.interp(t, t_true, way[:, k]) for k in (0, 1)])
    wander, keep = np.zeros_like(here), np.exp(-interval_s / tau_s)
    wander[0] = rng.normal(0, drift_m, 2)
    for k in range(1, len(t)):
        wander[k] = keep * wander[k - 1] + drift_m * np.sqrt(1 - keep**2) * rng.normal(0, 1, 2)
    return Track(t - t[0], here + wander + rng.normal(0, white_m, here.shape))


def played(
    rng: np.random.Generator, way: Floats, *, interval_s: float = 2.0, white_m: float = 2.5, varied: bool = False
) -> Track:
    """A position moved from waypoint to waypoint at a set speed, with white noise; ``varied``: a new speed every 2 min."""
    corners = way[:: int(rng.integers(50, 100))]
    corners = corners + rng.normal(0, 12, corners.shape)
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(corners, axis=0).T))]
    n, speed_ms = int(along[-1] / 0.5 / interval_s), rng.uniform(1.2, 3.0)
    block = int(120 / interval_s)
    factor = np.repeat(rng.uniform(0.5, 1.6, n // block + 1), block)[:n] if varied else np.ones(n)
    gone = np.cumsum(factor) * speed_ms * interval_s
    gone = gone[gone < along[-1]]
    here = np.column_stack([np.interp(gone, along, corners[:, k]) for k in (0, 1)])
    return Track(np.arange(len(gone), dtype=np.float64) * interval_s, here + rng.normal(0, white_m, here.shape))


def laid_over(rng: np.random.Generator, track: Track, white_m: float) -> Track:
    """A copy with white noise laid over it."""
    return replace(track, xy_m=track.xy_m + rng.normal(0, white_m, track.xy_m.shape))


def thinned(rng: np.random.Generator, track: Track, share: float = 0.9) -> Track:
    """A copy with some of its fixes left out."""
    keep = np.sort(rng.choice(len(track.t_s), int(share * len(track.t_s)), replace=False))
    return Track(track.t_s[keep], track.xy_m[keep])


def stretched(track: Track, factor: float) -> Track:
    """A copy that runs slower or faster."""
    return replace(track, t_s=track.t_s * factor)


def backwards(track: Track) -> Track:
    """A copy in the other direction."""
    return Track(track.t_s[-1] - track.t_s[::-1], track.xy_m[::-1])
