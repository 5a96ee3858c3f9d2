"""Lines that know their chainage: parts, parallels, joins. The geometry a boundary line is drawn with.

A curve is a polyline with the chainage of its reach at every vertex, rising downstream; parallels (offset lines) inherit it
from the line they run beside. All in metres of one local system.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

from rivergis.errors import InputError

Floats = npt.NDArray[np.float64]

_SAG_M = 0.01
"""Farthest a chord may lie inside the arc it stands for; parallels lie farther out by twice that, never nearer than asked."""
_RISE = 1e-9


@dataclass(frozen=True)
class Curve:
    """A polyline: ``xy`` (n, 2) in metres, ``at_m`` (n,) chainage of each vertex, rising downstream."""

    xy: Floats
    at_m: Floats

    @cached_property
    def line(self) -> shapely.LineString:
        return shapely.LineString(self.xy)

    @cached_property
    def run_m(self) -> Floats:
        """Length along the curve at each vertex."""
        return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self.xy, axis=0).T))])

    @property
    def from_m(self) -> float:
        return float(self.at_m[0])

    @property
    def to_m(self) -> float:
        return float(self.at_m[-1])

    def points(self, at_m: npt.ArrayLike) -> Floats:
        """Positions (n, 2) at chainages."""
        at = np.asarray(at_m, dtype=np.float64)
        rising = self.at_m + _RISE * np.arange(len(self.at_m))
        return np.column_stack([np.interp(at, rising, self.xy[:, 0]), np.interp(at, rising, self.xy[:, 1])])

    def part(self, from_m: float, to_m: float) -> Curve:
        """The stretch between two chainages, with vertices at both."""
        inside = (self.at_m > from_m + _RISE) & (self.at_m < to_m - _RISE)
        ends = self.points([from_m, to_m])
        xy = np.vstack([ends[:1], self.xy[inside], ends[1:]])
        return tidy(xy, np.concatenate([[from_m], self.at_m[inside], [to_m]]))

    def dense(self, step_m: float) -> Curve:
        """The same curve with a vertex at least every ``step_m`` metres."""
        more = np.linspace(0, self.run_m[-1], int(np.ceil(self.run_m[-1] / step_m)) + 1)
        run = np.unique(np.concatenate([self.run_m, more]))
        run = run[np.concatenate([[True], np.diff(run) > 1e-6])]
        parts = [np.interp(run, self.run_m, v) for v in (self.xy[:, 0], self.xy[:, 1], self.at_m)]
        return Curve(np.column_stack(parts[:2]), parts[2])

    def chainage(self, xy: Floats) -> Floats:
        """Chainage of the foot of each position on the curve, not made to rise."""
        run = shapely.line_locate_point(self.line, shapely.points(xy))
        return np.interp(run, self.run_m, self.at_m)


def tidy(xy: Floats, at_m: Floats) -> Curve:
    """A curve without repeated vertices; its ends stay."""
    keep = np.concatenate([[True], np.hypot(*np.diff(xy, axis=0).T) > 2e-3])
    if not keep[-1] and keep.sum() > 1:
        keep[np.flatnonzero(keep)[-1]] = False
        keep[-1] = True
    keep[0] = keep[-1] = True
    return Curve(xy[keep], at_m[keep])


def rising(at_m: Floats) -> Floats:
    """Chainages that never fall, as near to those given as the middle of both ways of raising them."""
    up = np.maximum.accumulate(at_m)
    down = np.minimum.accumulate(at_m[::-1])[::-1]
    return (up + down) / 2


def axis_curve(axis: shapely.LineString) -> Curve:
    """A reach as the curve of its own chainage from 0."""
    xy = shapely.get_coordinates(axis)
    return Curve(xy, np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))]))


def laid_along(line: shapely.LineString, axis: Curve) -> Curve:
    """A line beside a reach as a curve downstream, with the chainage of the nearest place of the axis."""
    xy = shapely.get_coordinates(line)
    at = axis.chainage(xy)
    if at[-1] < at[0]:
        xy, at = xy[::-1], at[::-1]
    return tidy(xy, rising(at))


def parallel(base: Curve, side: int, distance_m: float, bend_m: float = 0.0) -> Curve:
    """The line ``distance_m`` beside a curve on its left (+1) or right (-1), never nearer than that to any point of it.

    ``bend_m``: radius with which hollow corners are rounded out (急弯平顺); they are filled, never cut. Raises ``InputError`` where
    nothing is left of the line (a distance beyond the radius of a whole closed bend).
    """
    beyond = distance_m + 2 * _SAG_M if distance_m > 0 else 0.0
    if beyond + bend_m <= 0:
        return base
    line = _beside(base.line, side, beyond + bend_m)
    if bend_m > 0:
        line = _beside(line, -side, bend_m)
    line = shapely.simplify(line, _SAG_M / 2)
    xy = shapely.get_coordinates(line)
    at = rising(base.chainage(xy))
    at[0], at[-1] = (
        base.from_m,
        base.to_m,
    )  # a bend at an end may have swallowed it; the parallel still stands for all of the line
    return tidy(xy, at)


def _beside(line: shapely.LineString, side: int, distance_m: float) -> shapely.LineString:
    steps = int(np.ceil(np.pi / 4 / np.arccos(max(1 - _SAG_M / distance_m, 0.0))))
    made = shapely.offset_curve(line, side * distance_m, quad_segs=max(steps, 4), join_style="round")
    parts = [p for p in shapely.get_parts(made) if p.length > 0]
    if not parts:
        raise InputError(f"Nothing is left of a line at {distance_m:.1f} m beside it: check the line and the rule.")
    xy = shapely.get_coordinates(line)
    way = xy[1] - xy[0]
    first = xy[0] + side * distance_m * np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), 1e-9)
    if len(parts) == 1 and np.hypot(*(shapely.get_coordinates(parts[0])[0] - first)) < distance_m:
        return parts[0]
    return _rim(line, side, distance_m, max(steps, 4), first)


def _rim(line: shapely.LineString, side: int, distance_m: float, steps: int, first: Floats) -> shapely.LineString:
    """The parallel as one side of the rim of a strip, for lines whose bends touch each other at that distance."""
    xy = shapely.get_coordinates(line)
    way = xy[-1] - xy[-2]
    last = xy[-1] + side * distance_m * np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), 1e-9)
    strip = line.buffer(distance_m, cap_style="flat", quad_segs=steps)
    whole = max(shapely.get_parts(strip), key=lambda p: p.area)
    ring = shapely.get_coordinates(shapely.orient_polygons(whole).exterior)
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(ring, axis=0).T))])
    rim = shapely.LineString(ring)
    a, b = (float(rim.project(shapely.Point(p))) for p in ((first, last) if side < 0 else (last, first)))
    inner = ring[(run > a) & (run < b)] if a < b else np.vstack([ring[run > a][:-1], ring[run < b]])
    ends = [np.array(rim.interpolate(x).coords[0])[None] for x in (a, b)]
    made = np.vstack([ends[0], inner, ends[1]])
    return shapely.LineString(made if side < 0 else made[::-1])


def smooth_step(share: npt.ArrayLike) -> Floats:
    """0 to 1 with level ends (3 s² - 2 s³)."""
    s = np.clip(np.asarray(share, dtype=np.float64), 0.0, 1.0)
    return s * s * (3 - 2 * s)


def drawn_to(curve: Curve, axis: Curve, start: Floats | None, end: Floats | None, join_m: float) -> Curve:
    """A curve led to given end points within ``join_m`` of chainage, level with itself beyond (平顺连接).

    The distance to be bridged turns with the river, so that the join runs along a bend. Shorter curves use half their length
    for each end; where both ends are given and the curve is shorter than both joins, they melt into one.
    """
    start, end, curve = _touched(curve, start, 0), _touched(curve, end, -1), _ended(curve, start, end)
    if start is None and end is None:
        return curve
    length = curve.to_m - curve.from_m
    reach = min(join_m, length if start is None or end is None else length / 2) or 1e-6
    if start is not None and end is not None and length <= 2 * join_m:
        reach = length or 1e-6
    fine = curve.dense(5.0)
    moved = fine.xy.copy()
    for point, at, gone in (
        (start, fine.from_m, (fine.at_m - fine.from_m) / reach),
        (end, fine.to_m, (fine.to_m - fine.at_m) / reach),
    ):
        if point is not None:
            here = fine.xy[0] if at == fine.from_m else fine.xy[-1]
            weight = 1 - smooth_step(gone)
            moved += weight[:, None] * _turned(axis, at, fine.at_m, np.asarray(point) - here)
    if start is not None:
        moved[0] = start
    if end is not None:
        moved[-1] = end
    return _lean(moved, fine.at_m, curve)


def _touched(curve: Curve, point: Floats | None, end: int) -> Floats | None:
    """An end point to be led to; None where the curve is there already, to a millimetre."""
    return None if point is None or np.hypot(*(curve.xy[end] - point)) < 1e-3 else point


def _ended(curve: Curve, start: Floats | None, end: Floats | None) -> Curve:
    """The curve with the very numbers of end points that it touches."""
    xy = curve.xy.copy()
    for k, point in ((0, start), (-1, end)):
        if point is not None and _touched(curve, point, k) is None:
            xy[k] = point
    return Curve(xy, curve.at_m)


def _lean(xy: Floats, at_m: Floats, given: Curve) -> Curve:
    """Without the vertices that were added and say nothing."""
    line = shapely.simplify(shapely.LineString(xy), _SAG_M / 2)
    kept = shapely.get_coordinates(line)
    order = {tuple(p): i for i, p in enumerate(xy)}
    return tidy(kept, at_m[[order[tuple(p)] for p in kept]])


def _turned(axis: Curve, from_m: float, at_m: Floats, shift: Floats) -> Floats:
    """A shift at one chainage turned with the river to others: (n, 2)."""
    turn = heading(axis, at_m) - heading(axis, np.array([from_m]))
    c, s = np.cos(turn), np.sin(turn)
    return np.column_stack([c * shift[0] - s * shift[1], s * shift[0] + c * shift[1]])


def heading(axis: Curve, at_m: Floats, over_m: float = 10.0) -> Floats:
    """Direction downstream at chainages, radians, unwrapped, over ``over_m`` metres to both sides."""
    ahead, behind = axis.points(at_m + over_m), axis.points(at_m - over_m)
    return np.unwrap(np.arctan2(ahead[:, 1] - behind[:, 1], ahead[:, 0] - behind[:, 0]))
