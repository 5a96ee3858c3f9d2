"""Where does the water, a road, a village or a flood end beside a river? Edges seen from the axis, on one side of it.

From every few metres of the axis one looks square to the river; what is met first is the edge, and between two looks the edge
itself is followed where it leads from one to the other. Mouths of tributaries and harbours, where the edge runs off, are
bridged at the width before and behind them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from rivergis.boundary.drafting.curves import Curve, heading, tidy

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_STEEP = 2.0
"""An edge that goes off from the river faster than this (metres per metre) has left it."""


class Linework:
    """Many lines cut into their segments, to be looked at from the river. ``owner``: code of the only reach that may see a line."""

    def __init__(self, lines: gpd.GeoSeries, owner: npt.NDArray[np.object_] | None = None) -> None:
        xy, of = shapely.get_coordinates(lines.to_numpy(), return_index=True)
        inner = of[1:] == of[:-1]
        self.xy = xy
        self.start: Ints = np.flatnonzero(inner)
        self.line: Ints = of[self.start]
        self.closed: Mask = shapely.is_ring(lines.to_numpy())
        self.owner = None if owner is None else owner[self.line]
        self.first: Ints = np.searchsorted(of, np.arange(len(lines)))
        self.last: Ints = np.searchsorted(of, np.arange(len(lines)), side="right") - 1
        pairs = np.stack([xy[self.start], xy[self.start + 1]], axis=1) if len(self.start) else np.empty((0, 2, 2))
        self.tree = shapely.STRtree(shapely.linestrings(pairs))
        step = np.where(inner, np.hypot(*np.diff(xy, axis=0).T), 0.0)
        run = np.concatenate([[0.0], np.cumsum(step)])
        self.run: Floats = run - run[self.first[of]]
        """Length of its line at each vertex."""

    def hits(self, origin: Floats, ahead: Floats, owner: npt.NDArray[np.object_] | None) -> tuple[Floats, Ints, Floats]:
        """What rays from ``origin`` (n, 2) over ``ahead`` (n, 2) meet first: distance (inf: nothing), segment, share of it."""
        n = len(origin)
        away, segment, share = np.full(n, np.inf), np.full(n, -1, dtype=np.int64), np.zeros(n)
        ray, seg = self.tree.query(shapely.linestrings(np.stack([origin, origin + ahead], axis=1)))
        if self.owner is not None and owner is not None:
            mine = self.owner[seg] == owner[ray]
            ray, seg = ray[mine], seg[mine]
        a = self.xy[self.start[seg]]
        along = self.xy[self.start[seg] + 1] - a
        d, gap = ahead[ray], a - origin[ray]
        cross = d[:, 0] * along[:, 1] - d[:, 1] * along[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (gap[:, 0] * along[:, 1] - gap[:, 1] * along[:, 0]) / cross
            u = (gap[:, 0] * d[:, 1] - gap[:, 1] * d[:, 0]) / cross
        ok = (t >= 0) & (t <= 1) & (u >= 0) & (u <= 1)
        ray, seg, t, u = ray[ok], seg[ok], t[ok], u[ok]
        order = np.lexsort((t, ray))
        which, first = np.unique(ray[order], return_index=True)
        pick = order[first]
        away[which] = t[pick] * np.hypot(*ahead[which].T)
        segment[which], share[which] = seg[pick], u[pick]
        return away, segment, share

    def place(self, segment: Ints, share: Floats) -> Floats:
        """Length along its line of places on segments; -1 where there is none."""
        at = self.start[segment]
        made: Floats = np.where(segment < 0, -1.0, self.run[at] + share * (self.run[at + 1] - self.run[at]))
        return made

    def arc(self, line: int, a: float, b: float) -> tuple[Floats, Floats]:
        """Vertices of a line strictly between two lengths along it, in the order from a to b, and their lengths."""
        first, last = self.first[line], self.last[line]
        run = self.run[first : last + 1]
        low, high = np.searchsorted(run, [min(a, b) + 1e-9, max(a, b) - 1e-9], side="left")
        turn = 1 if a <= b else -1
        return self.xy[first + low : first + high][::turn], run[low:high][::turn]

    def round_the_start(self, line: int, a: float, b: float) -> tuple[Floats, Floats]:
        """The same the other way round a ring; lengths go on from a."""
        whole = self.run[self.last[line]]
        if a > b:  # on over the end of the ring
            one, two = self.arc(line, a, whole), self.arc(line, -1e-6, b)
            return np.vstack([one[0], two[0]]), np.concatenate([one[1], two[1] + whole])
        one, two = self.arc(line, a, -1e-6), self.arc(line, whole, b)
        return np.vstack([one[0], two[0]]), np.concatenate([one[1], two[1] - whole])


@dataclass(frozen=True)
class Looks:
    """Looks from one reach to one side: chainage, place and direction of each, what it met."""

    at_m: Floats
    origin: Floats
    square: Floats
    away_m: Floats
    segment: Ints
    share: Floats


def looks(axis: Curve, side: int, step_m: float) -> tuple[Floats, Floats, Floats]:
    """Chainages, places and unit directions square to the river to one side, a little off both ends."""
    length = axis.to_m
    slack = min(1.0, length / 8)
    at = np.linspace(slack, length - slack, max(int(np.ceil(length / step_m)), 2) + 1)
    way = heading(axis, at, min(step_m, length / 4))
    return at, axis.points(at), side * np.column_stack([-np.sin(way), np.cos(way)])


def seen(axis: Curve, side: int, work: Linework, step_m: float, farthest_m: float, owner: str | None = None) -> Looks:
    """What is met first on one side of a reach within ``farthest_m``."""
    at, origin, square = looks(axis, side, step_m)
    whose = None if owner is None else np.full(len(at), owner, dtype=object)
    return Looks(at, origin, square, *work.hits(origin, square * farthest_m, whose))


def edge(axis: Curve, found: Looks, work: Linework, longest_bay_m: float) -> list[Curve]:
    """The edge as curves downstream, one for each stretch of the reach along which it is seen; bays are bridged.

    A bay: a stretch of at most ``longest_bay_m`` (or twice as wide as it is long) beyond a place where the edge leaves the
    river steeply. At the ends of the reach the edge goes on at the width it has.
    """
    away = _without_bays(found, longest_bay_m)
    known = np.flatnonzero(np.isfinite(away))
    if not len(known):
        return []
    bridged = longest_bay_m / max(float(np.median(np.diff(found.at_m))), 1e-9)
    groups = np.split(known, np.flatnonzero(np.diff(known) > bridged + 1) + 1)
    return [_curve(axis, found, away, group, work, longest_bay_m) for group in groups if len(group) > 1]


def _without_bays(found: Looks, longest_m: float) -> Floats:
    """Distances of the edge, NaN where it is a bay or nothing was met."""
    away = np.where(np.isfinite(found.away_m), found.away_m, np.nan)
    step = np.diff(found.at_m)
    known = np.where(np.isnan(away), np.inf, away)
    with np.errstate(invalid="ignore"):
        jump = np.diff(known)
    steep = np.nan_to_num(np.abs(jump), nan=0.0, posinf=np.inf) > _STEEP * step + 1.0
    stops = np.concatenate([[0], np.flatnonzero(steep) + 1, [len(away)]])
    for a, b in itertools.pairwise(stops):
        before = known[a - 1] if a else -np.inf
        after = known[b] if b < len(away) else -np.inf
        wide = np.median(known[a:b])
        length = found.at_m[b - 1] - found.at_m[a] + step[min(a, len(step) - 1)]
        outside = wide > max(before, after) and (a > 0 or b < len(away))
        if outside and length <= max(longest_m, 2 * min(wide, 1e6)):
            away[a:b] = np.nan
    return away


def _curve(axis: Curve, found: Looks, away: Floats, group: Ints, work: Linework, longest_m: float) -> Curve:
    """The edge through the looks of one group, followed between looks that are neighbours."""
    xy = found.origin[group] + found.square[group] * away[group, None]
    place = work.place(found.segment[group], found.share[group])
    line = np.where(found.segment[group] < 0, -1, work.line[found.segment[group]])
    kinds = _ways(xy, place, line, group, work)
    points, at = [xy[:1]], [found.at_m[group[:1]]]
    stops = np.concatenate([[0], np.flatnonzero(np.diff(kinds)) + 1, [len(kinds)]])
    for a, b in itertools.pairwise(stops):
        inner = _followed(found, group, away, xy, place, line, kinds, work, int(a), int(b))
        points += [inner[0], xy[b : b + 1]]
        at += [inner[1], found.at_m[group[b : b + 1]]]
    return _to_ends(axis, tidy(np.vstack(points), np.concatenate(at)), found, group, away, longest_m)


_ROUND, _STRAIGHT, _BRIDGED = 10_000_000, 20_000_000, 30_000_000


def _ways(xy: Floats, place: Floats, line: Ints, group: Ints, work: Linework) -> Ints:
    """How one comes from each look to the next: along a line (sign and number tell which way and how often round its start),
    straight, or over a bay. Neighbouring looks of one way are followed together; straight ones each alone."""
    chord = np.hypot(*np.diff(xy, axis=0).T) * 1.5 + 2.0
    same = (line[1:] == line[:-1]) & (line[1:] >= 0)
    step = np.diff(place)
    whole = np.where(line[1:] >= 0, work.run[work.last[line[1:]]], np.inf)
    round_ = same & work.closed[line[1:]] & (whole - np.abs(step) <= chord)
    ways = np.where(
        np.abs(step) <= chord, np.where(step >= 0, 1, -1), np.where(round_, _ROUND + np.arange(len(step)), 0)
    )
    ways = np.where(same & (ways != 0), ways, _STRAIGHT + np.arange(len(step)))
    made: Ints = np.where(np.diff(group) == 1, ways, _BRIDGED + np.arange(len(step)))
    return made


def _followed(
    found: Looks,
    group: Ints,
    away: Floats,
    xy: Floats,
    place: Floats,
    line: Ints,
    kinds: Ints,
    work: Linework,
    a: int,
    b: int,
) -> tuple[Floats, Floats]:
    """Vertices and chainages strictly between looks a and b of a group, which are reached in one way."""
    kind, which = int(kinds[a]), int(line[a])
    if kind >= _BRIDGED:
        i, j = int(group[a]), int(group[b])
        return _bridge(found, away, i, j), found.at_m[i + 1 : j]
    if kind in (1, -1):
        inner, run = work.arc(which, place[a], place[b])
        known, at = place[a : b + 1], found.at_m[group[a : b + 1]]
        return inner, np.interp(run * kind, known * kind, at)
    if kind >= _STRAIGHT:
        return np.empty((0, 2)), np.empty(0)
    inner, run = work.round_the_start(which, place[a], place[b])
    whole = work.run[work.last[which]]
    end = place[b] + (whole if place[a] > place[b] else -whole)
    turn = 1 if end > place[a] else -1
    return inner, np.interp(run * turn, np.array([place[a], end]) * turn, found.at_m[group[[a, b]]])


def _bridge(found: Looks, away: Floats, i: int, j: int) -> Floats:
    """Across a bay: at the distance that lies between those before and behind it."""
    width = np.interp(found.at_m[i + 1 : j], found.at_m[[i, j]], away[[i, j]])
    return found.origin[i + 1 : j] + found.square[i + 1 : j] * width[:, None]


def _to_ends(axis: Curve, curve: Curve, found: Looks, group: Ints, away: Floats, longest_m: float) -> Curve:
    """On to the ends of the reach at the width of the last look, where no more than a bay is missing there."""
    first, last = group[0], group[-1]
    xy, at = [curve.xy], [curve.at_m]
    if found.at_m[first] <= max(longest_m, 2 * away[first]):
        missing = np.arange(first)
        xy[:0] = [axis.xy[:1] + found.square[:1] * away[first], _level(found, missing, away[first])]
        at[:0] = [np.zeros(1), found.at_m[missing]]
    if axis.to_m - found.at_m[last] <= max(longest_m, 2 * away[last]):
        missing = np.arange(last + 1, len(away))
        xy += [_level(found, missing, away[last]), axis.xy[-1:] + found.square[-1:] * away[last]]
        at += [found.at_m[missing], np.array([axis.to_m])]
    return tidy(np.vstack(xy), np.concatenate(at))


def _level(found: Looks, which: Ints, width_m: float) -> Floats:
    """Places at one distance from the axis."""
    made: Floats = found.origin[which] + found.square[which] * width_m
    return made
