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

from rivergis.boundary.draft_curves import Curve, heading, tidy

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

    def between(self, seg_a: int, seg_b: int, a: Floats, b: Floats) -> Floats:
        """Vertices of a line strictly between two places on it, if it leads from one to the other without detour; else none."""
        none = np.empty((0, 2))
        if seg_a < 0 or seg_b < 0 or self.line[seg_a] != self.line[seg_b]:
            return none
        i, j = self.start[seg_a], self.start[seg_b]
        first, last = self.first[self.line[seg_a]], self.last[self.line[seg_a]]
        if i == j:
            return none
        ways = [self.xy[i + 1 : j + 1] if i < j else self.xy[j + 1 : i + 1][::-1]]
        if self.closed[self.line[seg_a]]:
            body = (
                np.vstack([self.xy[i + 1 : last], self.xy[first : j + 1]])
                if i >= j
                else (np.vstack([self.xy[first : i + 1][::-1], self.xy[j + 1 : last][::-1]]))
            )
            ways.append(body)
        lengths = [_length(np.vstack([a, w, b])) for w in ways]
        best = int(np.argmin(lengths))
        return ways[best] if lengths[best] <= 1.5 * float(np.hypot(*(b - a))) + 2.0 else none


def _length(xy: Floats) -> float:
    return float(np.hypot(*np.diff(xy, axis=0).T).sum())


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
    xy = [found.origin[i] + found.square[i] * away[i] for i in group]
    points, at = [xy[0]], [found.at_m[group[0]]]
    for k in range(1, len(group)):
        i, j = group[k - 1], group[k]
        if j == i + 1:
            inner = work.between(int(found.segment[i]), int(found.segment[j]), xy[k - 1], xy[k])
            points += list(inner)
            at += list(_spread(xy[k - 1], inner, xy[k], found.at_m[i], found.at_m[j]))
        else:
            points += list(_bridge(axis, found, away, i, j))
            at += list(found.at_m[i + 1 : j])
        points.append(xy[k])
        at.append(found.at_m[j])
    curve = tidy(np.array(points), np.array(at))
    return _to_ends(axis, curve, found, group, away, longest_m)


def _spread(a: Floats, inner: Floats, b: Floats, from_m: float, to_m: float) -> Floats:
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(np.vstack([a, inner, b]), axis=0).T))])
    return from_m + (to_m - from_m) * run[1:-1] / max(run[-1], 1e-9)


def _bridge(axis: Curve, found: Looks, away: Floats, i: int, j: int) -> Floats:
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
