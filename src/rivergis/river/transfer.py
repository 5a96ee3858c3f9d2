"""Chainages of an old axis on a re-digitised one (桩号换算): what was recorded at 12+345 lies where on the new axis?

Both axes are matched where they run beside each other, in order downstream, so that a hairpin's other limb is never taken
for the place itself. Cut-offs (裁弯取直), new loops, a longer head or a shorter mouth are stretches without counterpart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.errors import InputError
from rivergis.river.calibration import Calibration, Stake
from rivergis.river.chainage import Axis, label
from rivergis.river.feet import Array, Ints

SAME, MOVED, NONE = "same", "moved", "none"
_LIMBS = 4  # limbs of the new axis considered for one place of the old
_MOST = 60_000  # places of an axis that are matched


@dataclass(frozen=True)
class Transferred:
    """Where a chainage went: ``kind`` 'same' (within the tolerance), 'moved' (the channel shifted), 'none' (no counterpart).

    ``distance_m`` is between the two positions; for 'none' ``at_m`` is the nearest place that keeps the order of chainages.
    """

    at_m: float
    kind: str
    distance_m: float


class Transfer:
    """Chainages of ``old`` on ``new``: monotone, continuous, linear between matched places; ``inverse()`` is the way back.

    ``tolerance_m``: how far two digitisings of the same channel may differ; ``reach_m``: how far a channel may have shifted
    and still be told the same place. Within the matched part the way back is exact; beyond its ends chainages run on metre
    for metre to the end of the other axis and stay there. ``InputError`` where the axes share no place or run against
    each other.
    """

    def __init__(self, old: Axis, new: Axis, *, tolerance_m: float, reach_m: float) -> None:
        if not 0 < tolerance_m <= reach_m:
            raise InputError(f"A transfer needs 0 < tolerance <= reach, not {tolerance_m} m and {reach_m} m.")
        self.old, self.new, self.tolerance_m, self.reach_m = old, new, tolerance_m, reach_m
        step = max(tolerance_m, old.length_m / _MOST * 2)
        self.places_m = _places(old, step)
        self.old_m, self.new_m = _run_out(old, new, *_matched(old, new, self.places_m, reach_m))

    def inverse(self) -> Transfer:
        """The same match read from the new axis to the old one."""
        back = object.__new__(Transfer)
        back.old, back.new, back.tolerance_m, back.reach_m = self.new, self.old, self.tolerance_m, self.reach_m
        back.old_m, back.new_m = self.new_m, self.old_m
        back.places_m = _places(self.new, max(self.tolerance_m, self.new.length_m / _MOST * 2))
        return back

    def frame(self, old_m: Array) -> pd.DataFrame:
        """Many chainages at once: ``old_m``, ``at_m``, ``kind``, ``distance_m``."""
        old_m = np.clip(np.asarray(old_m, dtype=np.float64), self.old.origin_m, self.old.end_m)
        at = np.interp(old_m, self.old_m, self.new_m)
        a, b = shapely.get_coordinates(self.old.points_at(old_m)), shapely.get_coordinates(self.new.points_at(at))
        away = crs.GEOD.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2]
        # where the other axis has ended, being near its end is no counterpart
        out = np.maximum(self.old_m[0] - old_m, old_m - self.old_m[-1]) > self.tolerance_m
        kind = np.where((away > self.reach_m) | out, NONE, np.where(away > self.tolerance_m, MOVED, SAME))
        return pd.DataFrame({"old_m": old_m, "at_m": at, "kind": kind, "distance_m": away})

    def at(self, old_m: float) -> Transferred:
        """Where a chainage of the old axis lies on the new one; beyond the old axis that of its end."""
        row = self.frame(np.array([old_m])).iloc[0]
        return Transferred(float(row["at_m"]), str(row["kind"]), float(row["distance_m"]))

    def stretch(self, from_m: float, to_m: float) -> pd.DataFrame:
        """A stretch of the old axis in parts of one kind: ``from_m, to_m, new_from_m, new_to_m, kind, mean_m, largest_m``."""
        if not from_m < to_m:
            raise InputError(f"A stretch runs downstream: {label(from_m)} is not upstream of {label(to_m)}.")
        places = np.concatenate([self.places_m, self.old_m])
        inside = places[(places > from_m) & (places < to_m)]
        f = self.frame(np.unique(np.r_[from_m, inside, to_m]))
        run = (f["kind"] != f["kind"].shift()).cumsum()
        parts = f.groupby(run).agg(
            kind=("kind", "first"),
            mean_m=("distance_m", "mean"),
            largest_m=("distance_m", "max"),
            last=("old_m", "last"),
        )
        first = f.groupby(run)["old_m"].first().to_numpy()
        # parts meet halfway between the last place of one kind and the first of the next
        edges = np.r_[f["old_m"].iloc[0], (parts["last"].to_numpy()[:-1] + first[1:]) / 2, f["old_m"].iloc[-1]]
        there = np.asarray(np.interp(edges, self.old_m, self.new_m))
        out = pd.DataFrame(
            {"from_m": edges[:-1], "to_m": edges[1:], "new_from_m": there[:-1], "new_to_m": there[1:]},
            index=parts.index,
        ).join(parts.drop(columns="last"))
        return out.reset_index(drop=True)

    def table(self) -> pd.DataFrame:
        """The whole old axis in parts, as ``stretch``; ``inverse().table()`` names what is new."""
        return self.stretch(self.old.origin_m, self.old.end_m)

    def calibration(self, old: Calibration) -> tuple[Calibration, list[Stake]]:
        """The stakes of the old axis on the new one, and those that have no counterpart and must be set anew."""
        went = [self.at(s.at_m) for s in old.stakes]
        kept = tuple(replace(s, at_m=w.at_m) for s, w in zip(old.stakes, went, strict=True) if w.kind != NONE)
        lost = [s for s, w in zip(old.stakes, went, strict=True) if w.kind == NONE]
        return replace(old, stakes=kept), lost


def _places(axis: Axis, step_m: float) -> Array:
    """Where an axis is compared: its vertices, and between them at least every ``step_m``."""
    even = np.linspace(axis.origin_m, axis.end_m, int(np.ceil(axis.length_m / step_m)) + 1)
    vertices = axis.vertices_m
    if len(vertices) > _MOST:
        vertices = vertices[:: len(vertices) // _MOST + 1]
    places = np.unique(np.r_[even, np.clip(vertices, axis.origin_m, axis.end_m)])
    return places[np.r_[True, np.diff(places) > 1e-3]]


def _matched(old: Axis, new: Axis, places_m: Array, reach_m: float) -> tuple[Array, Array]:
    """Pairs of chainages where the axes run beside each other, both strictly growing."""
    lonlat = shapely.get_coordinates(old.points_at(places_m))
    feet = new.chains.minima(lonlat, reach_m, _LIMBS)
    feet = feet[feet.beyond == 0]  # past the end of the new axis nothing lies beside it
    if not len(feet.point):
        raise InputError(
            f"The two axes come nowhere within {reach_m:g} m of each other: they are no versions of one river, or reach_m is small."
        )
    share = np.asarray(np.gradient(places_m))
    weight = share[feet.point] * (1.01 - (feet.offset_m / reach_m) ** 2)
    chain = _heaviest_chain(feet.point, feet.along_m, weight)
    if np.unique(feet.point).size > 2 * len(chain):
        against = _heaviest_chain(feet.point, -feet.along_m, weight)
        if weight[against].sum() > 2 * weight[chain].sum():
            raise InputError(
                "The two axes run against each other: digitise both downstream before chainages are transferred."
            )
    return places_m[feet.point[chain]], new.origin_m + feet.along_m[chain]


def _heaviest_chain(first: Ints, second: Array, weight: Array) -> Ints:
    """Positions of the heaviest chain of pairs that grows strictly in both numbers (a Fenwick tree over the second)."""
    rank = np.unique(np.round(second, 6), return_inverse=True)[1] + 1
    order = np.lexsort((-rank, first))  # of one place only one candidate: the later ones come first
    size = int(rank.max()) + 1
    best, holder = [0.0] * size, [-1] * size
    before = [-1] * len(first)
    top, last = -1.0, -1
    for i in order.tolist():
        r = int(rank[i])
        total, holds, k = 0.0, -1, r - 1
        while k > 0:
            if best[k] > total:
                total, holds = best[k], holder[k]
            k -= k & -k
        total, before[i] = total + float(weight[i]), holds
        if total > top:
            top, last = total, i
        while r < size:
            if total > best[r]:
                best[r], holder[r] = total, i
            r += r & -r
    chain = []
    while last >= 0:
        chain.append(last)
        last = before[last]
    return np.array(chain[::-1])


def _run_out(old: Axis, new: Axis, old_m: Array, new_m: Array) -> tuple[Array, Array]:
    """The matched part with metre for metre beyond its ends, as far as both axes reach."""
    head = min(old_m[0] - old.origin_m, new_m[0] - new.origin_m)
    tail = min(old.end_m - old_m[-1], new.end_m - new_m[-1])
    if head > 1e-6:
        old_m, new_m = np.r_[old_m[0] - head, old_m], np.r_[new_m[0] - head, new_m]
    if tail > 1e-6:
        old_m, new_m = np.r_[old_m, old_m[-1] + tail], np.r_[new_m, new_m[-1] + tail]
    return old_m, new_m
