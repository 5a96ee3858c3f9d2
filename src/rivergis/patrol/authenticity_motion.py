"""Figures of one track by itself: how near the map line it runs, jumps from rest to rest, what speaks for a player, its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from rivergis.patrol.authenticity_player import Pieces
from rivergis.patrol.fixes import Floats

FEWEST_ON_LINE, SHORTEST_ON_LINE_M, MOST_ON_LINE = 30, 200.0, 500
AT_REST = 5  # fixes before and after a jump
WINDOW_S, REST_MS = 60.0, 0.3


def share_on_lines(xy: Floats, lines: Sequence[Any], within_m: float) -> tuple[float, int]:
    """Share of fixes within ``within_m`` of a line, and fixes looked at; (0, n) where too few fixes or too short a way.

    A phone in the middle of the stream lies within a metre of its line now and then, never for most of the way.
    """
    n = len(xy)
    if n < FEWEST_ON_LINE or not len(lines) or np.hypot(*np.ptp(xy, axis=0)) < SHORTEST_ON_LINE_M:
        return 0.0, n
    few = xy[np.unique(np.linspace(0, n - 1, MOST_ON_LINE).astype(int))]
    shapes = [line if hasattr(line, "geom_type") else shapely.LineString(line) for line in lines]
    tree = shapely.STRtree(shapes)
    hit = tree.query(shapely.points(few), predicate="dwithin", distance=within_m)[0]
    return len(np.unique(hit)) / len(few), len(few)


@dataclass(frozen=True)
class Jump:
    """From rest to rest: metres, and the least acceleration (m/s2) that would bring a vehicle there in the time."""

    metres: float
    ms2: float


def jumps_between_rests(t: Floats, xy: Floats, least_m: float, least_ms2: float) -> list[Jump]:
    """Jumps from standing in one place to standing in a place not stood in before.

    Five fixes before and five after stand within an eighth of the jump; d metres from rest to rest in s seconds need 4d/s2.
    A phone indoors that flips between two places of its network jumps to one new place only.
    """
    out: list[Jump] = []
    if len(t) < 2 * AT_REST:
        return out
    windows = np.lib.stride_tricks.sliding_window_view(xy, AT_REST, axis=0)
    middle = np.median(windows, axis=2)
    spread = np.max(np.hypot(*np.moveaxis(windows - middle[:, :, None], 1, 0)), axis=1)
    before, after = np.arange(len(t) - 2 * AT_REST + 1), np.arange(AT_REST, len(t) - AT_REST + 1)
    metres = np.hypot(*(middle[after] - middle[before]).T)
    seconds = t[after] - t[before + AT_REST - 1]
    at_rest = np.maximum(spread[before], spread[after]) < metres / 8
    ms2 = 4 * metres / np.maximum(seconds, 0.01) ** 2
    stood: list[Floats] = []
    for k in np.flatnonzero((metres > least_m) & at_rest & (ms2 > least_ms2)):
        stood = stood or [middle[before[k]]]
        if min(np.hypot(*(place - middle[after[k]])) for place in stood) > least_m:
            stood.append(middle[after[k]])
            out.append(Jump(float(metres[k]), float(ms2[k])))
    return out


@dataclass(frozen=True)
class Weights:
    """Weights of the figures in the log odds of a player against a carried phone (``patrol.cheat.player.*``).

    ``most_wander``: not a weight, but the wander beyond which nothing is played.
    """

    base: float
    wander: float
    most_wander: float
    noise: float
    same_speed: float
    straight: float
    even_times: float
    uneven_times: float
    one_accuracy: float
    many_accuracies: float


def player_parts(cut: Pieces, acc: Floats, weights: Weights) -> dict[str, float] | None:
    """What each figure adds to the log odds of a player; None where the track cannot tell, or its noise wanders.

    It can tell where there are 40 fixes, at most 12 s apart (beyond, the wander of a receiver is as white as added noise),
    most of them moving, in pieces of eight fixes or more (in shorter ones a wander has no room to show). Noise that wanders
    as that of a receiver ends the matter: boats and cars on cruise control keep a speed too.
    """
    too_few = cut.fixes < 40 or cut.interval_s > 12 or cut.fixes_each < 8 or cut.moving < 0.3
    if too_few or np.isnan(cut.wander) or cut.wander > weights.most_wander:
        return None
    straight = np.log(np.clip(cut.length_m, 20, 1000) / 100) + np.log(np.clip(cut.fixes_each, 3, 200) / 20)
    parts = {
        "base": weights.base,
        "wander": weights.wander * float(np.clip(np.log(cut.wander), -0.3, 2.5)),
        "noise": weights.noise * float(np.log(cut.noise_m / 2.5)),
        "same_speed": weights.same_speed * float(np.clip(cut.same_speed, -4, 2.5)),
        "straight": weights.straight * float(straight),
        "times": weights.even_times if cut.even < 0.005 else weights.uneven_times,
    }
    if np.isfinite(acc).all():
        parts["accuracy"] = weights.one_accuracy if np.ptp(acc) == 0 else weights.many_accuracies
    return parts


@dataclass(frozen=True, eq=False)
class Way:
    """Metres and minutes over windows of a minute; silences longer than two windows are left out."""

    window_m: Floats
    window_s: Floats

    @property
    def metres(self) -> float:
        return float(self.window_m.sum())

    @property
    def minutes(self) -> float:
        return float(self.window_s.sum()) / 60

    @property
    def rest_min(self) -> float:
        """Minutes of the windows in which it hardly moved."""
        return float(self.window_s[self.window_m < REST_MS * self.window_s].sum()) / 60

    def share_above(self, kmh: float) -> float:
        """Share of the metres that were faster."""
        fast = self.window_m * 3.6 > kmh * self.window_s
        return float(self.window_m[fast].sum() / max(self.metres, 1.0))


def minutes_of_way(t: Floats, xy: Floats) -> Way:
    """The way from minute to minute: noise of single fixes adds nothing to it."""
    if len(t) < 2:
        return Way(np.zeros(0), np.zeros(0))
    window = np.floor((t - t[0]) / WINDOW_S).astype(int)
    first = np.unique(np.r_[np.unique(window, return_index=True)[1], len(t) - 1])
    metres, seconds = np.hypot(*np.diff(xy[first], axis=0).T), np.diff(t[first])
    heard = seconds <= 2 * WINDOW_S
    return Way(metres[heard], seconds[heard])
