"""覆盖: which metres of which bank a track has seen, how it moved there, and why the rest was not seen.

A stretch is seen where the matched path runs along it within sight and no silence of the phone is too long; seen from afar,
crossed or bridged over a silence is not seen. Definitions: ``docs/glossary.md``. Measures are metres from the first vertex of
a reach; left and right follow its digitised direction, which in the database is downstream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from rivergis.patrol import coverage_kernels as kernels
from rivergis.patrol.fixes import Floats, Ints
from rivergis.patrol.match import Path
from rivergis.patrol.water import Water

SEEN, GAP, OTHER_BANK, TOO_FAR, NEVER = "seen", "gap", "other_bank", "too_far", "never_approached"
TOO_FAST, POOR_ACCURACY, OUTSIDE_TIME, NOT_ALONG, NO_TIME = (
    "too_fast", "poor_accuracy", "outside_time", "not_along", "no_time",
)  # fmt: skip
BANKS = ("left", "right", None)  # None: in the channel
MODES = ("walk", "ride", "drive", "boat")
LEG_COLUMNS = (
    "reach", "bank", "from_m", "to_m", "why", "started_s", "ended_s", "passage", "mode", "speed_ms", "confidence",
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """Thresholds of coverage, from ``patrol.coverage.*`` of the rules by ``limits_of``.

    ``bank``: offset that is one unit of evidence for a bank, at most ``bank_most`` a place, against ``bank_switch`` for a change;
    ``channel_half``: least half width at which being in the middle half of the water can be told; ``hole`` and ``hole_sight``:
    longest way, and farthest in sights, that is still noise between two stretches seen; ``turn``: way back that is a new passage.
    """

    visible_beyond_bank_m: float
    ditch_factor: float
    min_leg_m: float
    turn_m: float
    hole_m: float
    hole_sight: float
    bank_m: float
    bank_most: float
    bank_switch: float
    channel_half_m: float
    edge_doubt: float
    slow_speed_kmh: float
    walk_speed_kmh: float
    ride_speed_kmh: float
    mode_switch: float
    speed_window_s: float
    stop_s: float
    stop_counted_s: float
    stay_m: float
    too_far_sights: float


def limits_of(number: Callable[[str], float]) -> Limits:
    """The limits with the values a rule view gives for its keys."""
    return Limits(*(number("patrol.coverage." + _key(f.name)) for f in fields(Limits)))


def _key(name: str) -> str:
    for unit in ("_m", "_s", "_kmh"):
        name = name.removesuffix(unit)
    return name


def visible_m(reaches: gpd.GeoDataFrame, limits: Limits) -> Floats:
    """Greatest distance from each reach line at which walking along it counts (可视距离), shape (n,).

    Half width and sight beyond the bank, less for ditches; a reach with its own ``visible_m`` keeps it.
    """
    half = reaches["half_width_m"].to_numpy(dtype=float) if "half_width_m" in reaches else np.zeros(len(reaches))
    ditch = reaches["kind"].to_numpy() == "ditch" if "kind" in reaches else np.zeros(len(reaches), dtype=bool)
    sight = np.nan_to_num(half) + limits.visible_beyond_bank_m * np.where(ditch, limits.ditch_factor, 1.0)
    own = reaches["visible_m"].to_numpy(dtype=float) if "visible_m" in reaches else np.full(len(reaches), np.nan)
    return np.where(np.isfinite(own), own, sight)


@dataclass(frozen=True, eq=False)
class Legs:
    """Stretches along reaches, one row each, as arrays (n,): what ``LEG_COLUMNS`` says, with banks and modes as numbers.

    ``reach``: position; ``bank``: index into ``BANKS``; ``mode``: index into ``MODES``, -1 not told; times in seconds since 1970
    UTC, NaN without; ``fast_m``, ``way_m``: way gone (back and forth included), and that above the asked speed.
    """

    reach: Ints
    bank: Ints
    from_m: Floats
    to_m: Floats
    why: npt.NDArray[np.object_]
    started_s: Floats
    ended_s: Floats
    passage: Ints
    mode: Ints
    speed_ms: Floats
    confidence: Floats
    fast_m: Floats
    way_m: Floats

    def __len__(self) -> int:
        return len(self.reach)

    def take(self, which: npt.NDArray[Any]) -> Legs:
        """The legs at these positions or under this mask."""
        return Legs(*(getattr(self, f.name)[which] for f in fields(self)))

    def frame(self) -> pd.DataFrame:
        """The legs as a table with ``LEG_COLUMNS``."""
        words = {
            "bank": np.array(BANKS, dtype=object)[self.bank],
            "mode": np.array([*MODES, None], dtype=object)[self.mode],
        }
        return pd.DataFrame({name: words.get(name, getattr(self, name)) for name in LEG_COLUMNS})


def no_legs() -> Legs:
    """No legs at all."""
    n, x, words = np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=object)
    return Legs(n, n, x, x, words, x, x, n, n, x, x, x, x)


@dataclass(frozen=True, eq=False)
class Unobserved:
    """Stretches joined by the network but not by fixes, as arrays (n,): how long the silence was and the speed it implies."""

    reach: Ints
    from_m: Floats
    to_m: Floats
    started_s: Floats
    ended_s: Floats
    seconds: Floats
    speed_ms: Floats

    def take(self, which: npt.NDArray[Any]) -> Unobserved:
        """The stretches at these positions or under this mask."""
        return Unobserved(*(getattr(self, f.name)[which] for f in fields(self)))


def nothing_unobserved() -> Unobserved:
    """No silence at all."""
    x = np.zeros(0)
    return Unobserved(np.zeros(0, dtype=np.int64), x, x, x, x, x, x)


def along(
    path: Path, water: Water, limits: Limits, confidence: Floats, *, fast_ms: float = np.inf
) -> tuple[Legs, Unobserved]:
    """Stretches a path has seen, one leg for each reach, direction, bank and way of moving; ``reach``: position in the frame.

    ``confidence`` (places,): how sure the match is, 0 to 1; ``fast_ms``: speed above which way counts as fast.
    """
    p = path.pieces
    reach = p[:, 1].astype(np.int64)
    run, passage, way = kernels.runs(p, limits.turn_m)
    bank = kernels.steady(passage, _bank_evidence(p, reach, way, water, limits), limits.bank_switch)
    speed = _speed(path, limits.speed_window_s)
    mode = kernels.steady(passage, _mode_evidence(speed, _inside(p, reach, water, limits), limits), limits.mode_switch)
    key = (run * 3 + bank) * 4 + mode
    places = path.places
    rows = kernels.stretches(
        p, key, water.visible_m[reach], places.start_s, places.end_s, limits.hole_m, limits.hole_sight
    )
    first, last = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    side = np.where(bank == 2, 2, np.where((bank == 0) == (way >= 0), 0, 1))
    length = np.abs(p[:, 3] - p[:, 2])
    legs = Legs(
        reach[first],
        side[first],
        rows[:, 2],
        rows[:, 3],
        np.full(len(rows), SEEN, dtype=object),
        rows[:, 4],
        rows[:, 5],
        passage[first] + 1,
        mode[first],
        _mean(speed, length, first, last),
        _mean(confidence[p[:, 7].astype(np.int64)], length, first, last),
        _sum(length * (speed > fast_ms), first, last),
        _sum(length, first, last),
    )
    legs = _without_crumbs(legs, water, limits.min_leg_m)
    return replace(legs, reach=water.number[legs.reach]), _unobserved(path, water)


def _bank_evidence(p: Floats, reach: Ints, way: Floats, water: Water, limits: Limits) -> Floats:
    """Log likelihood of left, right (by the direction of travel) and channel for every piece, (k, 3)."""
    offset = (p[:, 4] + p[:, 5]) / 2 * way
    half = water.half_m[reach]
    middle = np.where(half >= limits.channel_half_m, (half / 2 - np.abs(offset)) / limits.bank_m, -limits.bank_most)
    side = offset / limits.bank_m
    return np.clip(np.column_stack([side, -side, middle]), -limits.bank_most, limits.bank_most)


def _speed(path: Path, window_s: float) -> Floats:
    """Speed (m/s) at every piece over a window of time, standing left out.

    The way is taken at three moments of the window only: between all places the error of the phone would be walked too.
    """
    places = path.places
    if len(places) < 2 or not len(path.pieces):
        return np.zeros(len(path.pieces))
    half = window_s / 2
    stood = np.maximum(places.end_s - places.start_s - half, 0.0)
    took = np.diff((places.start_s + places.end_s) / 2) - (stood[1:] + stood[:-1]) / 2
    time = np.concatenate([[0.0], np.cumsum(np.maximum(took, 1e-3))])
    after = path.pieces[:, 7].astype(np.int64)
    middle = (time[after] + time[after - 1]) / 2
    a, b = np.minimum(middle - half, time[after - 1]), np.maximum(middle + half, time[after])
    a, b = np.maximum(a, 0.0), np.minimum(b, time[-1])
    x, y = ([np.interp(t, time, places.xy[:, k]) for t in (a, middle, b)] for k in (0, 1))
    way = np.hypot(x[1] - x[0], y[1] - y[0]) + np.hypot(x[2] - x[1], y[2] - y[1])
    return np.asarray(way / np.maximum(b - a, 1e-3))


def _mode_evidence(speed: Floats, inside: Floats, limits: Limits) -> Floats:
    """Log likelihood of walking, riding, driving and going by boat for every piece, (k, 4).

    ``inside``: how far within the banks, in units of evidence; nobody walks a minute inside the water. The others go by the
    distance of the speed to their band, in relative terms.
    """
    walk, ride = limits.walk_speed_kmh / 3.6, limits.ride_speed_kmh / 3.6
    v = np.log(np.maximum(speed, 0.3))
    over_walk, over_ride = v - np.log(walk), v - np.log(ride)
    return np.clip(np.column_stack([-over_walk, np.minimum(over_walk, -over_ride), over_ride, 2 * inside]), -2.0, 2.0)


def _inside(p: Floats, reach: Ints, water: Water, limits: Limits) -> Floats:
    """How far within the banks each piece runs, in units of ``bank_m``; never on waters too narrow to tell."""
    half = water.half_m[reach]
    deep = (half - np.abs(p[:, 4] + p[:, 5]) / 2) / limits.bank_m
    return np.where(half >= limits.channel_half_m, deep, -np.inf)


def _sum(values: Floats, first: Ints, last: Ints) -> Floats:
    run = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(run[last + 1] - run[first])


def _mean(values: Floats, weight: Floats, first: Ints, last: Ints) -> Floats:
    weight = np.maximum(weight, 1e-6)
    return _sum(values * weight, first, last) / np.maximum(_sum(weight, first, last), 1e-9)


def _without_crumbs(legs: Legs, water: Water, min_leg_m: float) -> Legs:
    """Legs without those whose passage of the reach is shorter than ``min_leg_m`` and not the whole reach."""
    span: dict[tuple[int, int], tuple[float, float]] = {}
    keys = list(zip(legs.reach.tolist(), legs.passage.tolist(), strict=True))
    for key, a, b in zip(keys, legs.from_m.tolist(), legs.to_m.tolist(), strict=True):
        low, high = span.get(key, (a, b))
        span[key] = (min(low, a), max(high, b))
    long = np.array([span[k][1] - span[k][0] for k in keys])
    return legs.take((long >= np.minimum(min_leg_m, 0.9 * water.length_m[legs.reach])) & (legs.to_m > legs.from_m))


def _unobserved(path: Path, water: Water) -> Unobserved:
    p, places = path.pieces, path.places
    p = p[p[:, 6] == 0]
    a, b = p[:, 0].astype(np.int64), p[:, 7].astype(np.int64)
    length = np.abs(p[:, 3] - p[:, 2])
    way = np.bincount(b, weights=length, minlength=len(places))[b]
    start, end = places.end_s[a], places.start_s[b]
    low, high = np.minimum(p[:, 2], p[:, 3]), np.maximum(p[:, 2], p[:, 3])
    number = water.number[p[:, 1].astype(np.int64)]
    return Unobserved(number, low, high, start, end, end - start, way / np.maximum(end - start, 1e-3))
