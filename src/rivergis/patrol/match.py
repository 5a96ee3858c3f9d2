"""轨迹匹配: which reach, which metre and which side of the water every moment of a track belongs to.

A hidden Markov matcher made for rivers. Where a road matcher asks for the nearest line, this one knows that a walker keeps
to one bank: the signed offset from the line tells the limb of a meander, the arm of a braid and the bank apart. States are
all feet of a place on the reaches in sight (a meander gives one per limb) and being at no river; the best path is Viterbi's.
After Newson & Krumm 2009, doi:10.1145/1653771.1653818, with the changes told at ``Method``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

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
    silence ``silence_cost`` flat.
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
    detour_m: float
    detour_share: float
    search_m: float


def method_of(number: Callable[[str], float]) -> Method:
    """The method with the values a rule view gives for its keys."""
    return Method(*(number(f"patrol.match.{f.name.rsplit('_m', 1)[0] if f.name.endswith('_m') else f.name}") for f in fields(Method)))  # fmt: skip


MOST_FEET = 12  # of one place: more limbs than this in sight do not occur outside of drawn tangles


@dataclass(frozen=True, eq=False)
class Places:
    """A track thinned for matching: means of the fixes within one step, so that drifting on the spot adds no way.

    ``xy`` (n, 2) local metres; ``start_s``, ``end_s`` (n,) times of the first and last fix; ``gap`` (n,) a silence before;
    ``bin`` (fixes,) the place of every fix.
    """

    xy: Floats
    start_s: Floats
    end_s: Floats
    gap: npt.NDArray[np.bool_]
    bin: Ints

    def __len__(self) -> int:
        return len(self.xy)


@dataclass(frozen=True, eq=False)
class Path:
    """Best path: per place the reach of the neighbourhood (-1 none), measure and signed offset; and the pieces between.

    ``pieces`` (k, 7): place before, reach, from_m, to_m, offset before, offset after, seen (see ``match_kernels.pieces``).
    ``cost``: of the whole path.
    """

    places: Places
    reach: Ints
    at_m: Floats
    offset_m: Floats
    pieces: Floats
    cost: float


def thin(xy: Floats, t_s: Floats, step_m: float, silence_s: float) -> Places:
    """Places of fixes (n, 2) in local metres with times; a silence longer than ``silence_s`` always parts two places."""
    number = kernels.bins(xy[:, 0], xy[:, 1], t_s, step_m, silence_s)
    first = np.flatnonzero(np.diff(number, prepend=-1))
    last = np.append(first[1:], len(number)) - 1
    mean = np.add.reduceat(xy, first) / (last - first + 1)[:, None]
    start, end = t_s[first], t_s[last]
    gap = np.zeros(len(first), dtype=bool)
    gap[1:] = start[1:] - end[:-1] > silence_s
    return Places(mean, start, end, gap, number)


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
    away = np.full(len(x), p.away_cost)
    state, total = kernels.viterbi(x, y, places.gap, count, reach, at, off, cost, away, *network, weights)
    parts = kernels.pieces(x, y, places.gap, state, reach, at, off, *network, water.way_via, p.detour_m, p.detour_share)
    on, rows, chosen = state >= 0, np.arange(len(state)), np.maximum(state, 0)
    return Path(
        places,
        np.where(on, reach[rows, chosen], -1),
        np.where(on, at[rows, chosen], np.nan),
        np.where(on, off[rows, chosen], np.nan),
        parts,
        float(total),
    )


def _emission(
    reach: Ints, off: Floats, beyond: Floats, water: Water, assigned: npt.NDArray[np.bool_], p: Method
) -> Floats:
    half, sight = water.half_m[reach], water.visible_m[reach]
    away = np.maximum(np.abs(off) - half, 0.0) / np.maximum(sight - half, 1.0)
    bonus = np.where(assigned[reach] & (np.abs(off) <= sight), p.assigned_bonus, 0.0)
    return np.asarray(p.edge_cost * away - bonus + beyond / p.beyond_m)
