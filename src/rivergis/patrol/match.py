"""轨迹匹配: which reach, which metre and which side of the water every moment of a track belongs to.

A hidden Markov matcher made for rivers. Where a road matcher asks for the nearest line, this one knows that a walker keeps
to one bank: the signed offset from the line tells the limb of a meander, the arm of a braid and the bank apart. States are
all feet of a place on the reaches in sight (a meander gives one per limb) and being at no river; the best path is Viterbi's.
After Newson & Krumm 2009, doi:10.1145/1653771.1653818, with the changes told at ``Method``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter

from rivergis.patrol import match_kernels as kernels
from rivergis.patrol.fixes import Floats, Ints
from rivergis.patrol.water import BLOCK, Water


@dataclass(frozen=True)
class Method:
    """Parameters of the matcher, from ``patrol.match.*`` of the rules by ``method_of``; costs are negative log likelihoods.

    Emission: nothing on the bank, ``edge_cost`` where sight ends, linear between and beyond to ``extra_m`` outside (flat, because a
    walker may keep any distance), less ``assigned_bonus`` on an assigned reach in sight, plus one per ``beyond_m`` past the end of
    a reach; at no river ``away_cost``. Transition: ``enter_cost`` between river and none; else |way along the water - straight
    way| / (``slack_m`` + ``slack_share`` x straight) + |change of signed offset| / ``offset_m``, at most ``switch_cost``; across a
    silence ``silence_cost`` flat. Between two places the way along the water is gone when it is at most ``detour_share`` (in a leap
    ``leap_share``) times the straight one and ``detour_m``, or wholly within ``detour_sights`` of sight from it. ``sharpness``:
    all costs are multiplied by it for the confidence.
    """

    step_m: float
    extra_m: float
    apart_m: float
    edge_cost: float
    assigned_bonus: float
    beyond_m: float
    away_cost: float
    enter_cost: float
    slack_m: float
    slack_share: float
    offset_m: float
    switch_cost: float
    silence_cost: float
    search_m: float
    detour_share: float
    leap_share: float
    detour_m: float
    detour_sights: float
    sharpness: float


def method_of(number: Callable[[str], float]) -> Method:
    """The method with the values a rule view gives for its keys."""
    return Method(*(number("patrol.match." + f.name.removesuffix("_m")) for f in fields(Method)))


@dataclass(frozen=True)
class Watch:
    """How long a phone may be silent while its bearer still counts as watching, from ``patrol.track.*`` by ``watch_of``.

    A silence is longer than ``max_gap_time_s`` and than ``max_gap_intervals`` usual intervals, or than ``max_gap_ever_s``. A leap is
    shorter, but a hole (more than ``leap_intervals`` intervals) passed ``leap_speeds`` times faster than the rest of the track and
    than the slower of the steps beside it: a lift taken, not a way watched.
    """

    max_gap_time_s: float
    max_gap_intervals: float
    max_gap_ever_s: float
    leap_intervals: float
    leap_speeds: float

    def silence_s(self, interval_s: Any) -> Any:
        """Longest silences (n,) that count as watching at these usual intervals (n,)."""
        return np.minimum(np.fmax(self.max_gap_time_s, self.max_gap_intervals * interval_s), self.max_gap_ever_s)


def watch_of(number: Callable[[str], float]) -> Watch:
    """The limits with the values a rule view gives for its keys."""
    return Watch(*(number("patrol.track." + f.name.removesuffix("_s")) for f in fields(Watch)))


SAME_STRETCH_M = 100.0  # two feet on one reach this near tell the same story
ROUND = 61  # fixes over which the usual interval and speed are taken: thirty to either side
MOST_FEET = 12  # of one place: more limbs than this in sight do not occur outside of drawn tangles


@dataclass(frozen=True, eq=False)
class Places:
    """A track thinned for matching: means of the fixes within one step, so that drifting on the spot adds no way.

    ``xy`` (n, 2) local metres; ``start_s``, ``end_s`` (n,) times of the first and last fix; ``gap`` (n,) a silence before, that is
    more than ``silence_s`` (n,), or a leap; ``bin`` (fixes,) the place of every fix; ``leap_ms`` (n,) speed from which the step to a
    place is a leap, infinite where there is no hole.
    """

    xy: Floats
    start_s: Floats
    end_s: Floats
    gap: npt.NDArray[np.bool_]
    bin: Ints
    silence_s: Floats
    leap_ms: Floats

    def __len__(self) -> int:
        return len(self.xy)


@dataclass(frozen=True, eq=False)
class Path:
    """Best path: per place the reach of the neighbourhood (-1 none), measure and signed offset; and the pieces between.

    ``pieces`` (k, 8): place before, reach, from_m, to_m, offset before, offset after, seen, place after (``match_kernels.pieces``).
    ``certainty`` (n,): posterior of every place, 0 to 1; ``cost``: of the whole path.
    """

    places: Places
    reach: Ints
    at_m: Floats
    offset_m: Floats
    pieces: Floats
    certainty: Floats
    cost: float


def thin(xy: Floats, t_s: Floats, step_m: float, watch: Watch) -> Places:
    """Places of fixes (n, 2) in local metres with times; a silence always parts two places. See ``Watch``."""
    interval = usual_intervals_s(t_s)
    silence = watch.silence_s(interval)
    number = kernels.bins(xy[:, 0], xy[:, 1], t_s, step_m, silence)
    first = np.flatnonzero(np.diff(number, prepend=-1))
    last = np.append(first[1:], len(number)) - 1
    mean = np.add.reduceat(xy, first) / (last - first + 1)[:, None]
    start, end = t_s[first], t_s[last]
    pause = np.concatenate([[0.0], start[1:] - end[:-1]])
    speed = np.hypot(*(xy[first] - xy[np.maximum(first - 1, 0)]).T) / np.maximum(pause, 1e-3)
    fast = np.where(pause > watch.leap_intervals * interval[first], watch.leap_speeds * _usual_speed(speed), np.inf)
    gap = (pause > silence[first]) | (speed > fast)
    return Places(mean, start, end, gap, number, silence[first], fast)


def _usual_speed(speed: Floats) -> Floats:
    """Speed (n,) against which a step is a leap: the running median, or the slower of the steps beside it."""
    before, after = np.concatenate([[0.0], speed[:-1]]), np.concatenate([speed[1:], [0.0]])
    usual = median_filter(speed[1:], ROUND, mode="reflect") if len(speed) > 1 else speed[1:]
    return np.maximum(np.concatenate([[0.0], usual]), np.minimum(before, after))


def usual_intervals_s(t_s: Floats) -> Floats:
    """The usual interval (n,) of the fixes round each: a running median, so that what comes later changes nothing before."""
    steps = np.diff(t_s)
    if not len(steps):
        return np.full(len(t_s), np.nan)
    usual = median_filter(steps, ROUND, mode="reflect")
    return np.concatenate([usual[:1], usual])


def match(places: Places, water: Water, assigned: npt.NDArray[np.bool_], method: Method) -> Path:
    """The best path of a track along the reaches of a neighbourhood; ``assigned`` (r,): reaches on duty, preferred in doubt."""
    p = method
    x, y = np.ascontiguousarray(places.xy[:, 0]), np.ascontiguousarray(places.xy[:, 1])
    count, reach, at, off, beyond = kernels.feet(
        x, y, water.vertex, water.at_m, water.first, water.box, water.first_box,
        water.visible_m + p.extra_m, BLOCK, p.apart_m, MOST_FEET,
    )  # fmt: skip
    cost = _emission(reach, off, beyond, water, assigned, p)
    network = (water.length_m, water.node, water.way_row, water.way_to, water.way_m)
    weights = np.array([p.enter_cost, p.slack_m, p.slack_share, p.offset_m, p.switch_cost, p.silence_cost])
    change = kernels.transitions(x, y, places.gap, count, reach, at, off, *network, weights)
    state, total = kernels.viterbi(count, cost, p.away_cost, change)
    sure = kernels.certainty(count, cost, p.away_cost, change, state, reach, at, SAME_STRETCH_M, p.sharpness)
    parts = kernels.pieces(
        x, y, places.start_s, places.end_s, places.gap, places.silence_s, places.leap_ms, state, reach, at, off,
        *network, water.way_via, water.vertex, water.at_m, water.first, water.visible_m,
        np.array([p.detour_share, p.leap_share, p.detour_m, p.detour_sights]),
    )  # fmt: skip
    on, rows, chosen = state >= 0, np.arange(len(state)), np.maximum(state, 0)
    return Path(
        places,
        np.where(on, reach[rows, chosen], -1),
        np.where(on, at[rows, chosen], np.nan),
        np.where(on, off[rows, chosen], np.nan),
        parts,
        sure,
        float(total),
    )


def _emission(
    reach: Ints, off: Floats, beyond: Floats, water: Water, assigned: npt.NDArray[np.bool_], p: Method
) -> Floats:
    half, sight = water.half_m[reach], water.visible_m[reach]
    away = np.maximum(np.abs(off) - half, 0.0) / np.maximum(sight - half, 1.0)
    bonus = np.where(assigned[reach] & (np.abs(off) <= sight), p.assigned_bonus, 0.0)
    return np.asarray(p.edge_cost * away - bonus + beyond / p.beyond_m)
