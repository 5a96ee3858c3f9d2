"""River axes and their water-level profiles: smooth lines through the plan's control points, tied at confluences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from . import plan
from .frame import Axis, metric_xy, snapped, stream, wave

Profile = Callable[[np.ndarray], np.ndarray]


@dataclass
class System:
    """All axes by river code (braid channels as ``YXH-B1``) with the water level along each."""

    axes: dict[str, Axis]
    level: dict[str, Profile]
    flat_m: dict[str, float]
    parts: dict[str, tuple[float, float]]
    """For a braid channel: the trunk chainages where it leaves and comes back."""

    def main(self) -> list[str]:
        return [code for code in self.axes if "-" not in code]


def build(seed: int) -> System:
    axes: dict[str, Axis] = {}
    level: dict[str, Profile] = {}
    flat: dict[str, float] = {}
    _trunk(seed, axes, level)
    flat["YXH"] = plan.TRUNK.flat_m
    for river in plan.TRIBUTARIES:
        _tributary(seed, river, axes, level)
        flat[river.code] = river.flat_m
    _valley_above_dam(seed, axes, level)
    flat |= {"STX": plan.UPPER_VALLEY.flat_m, "QTK": plan.UPPER_VALLEY.flat_m}
    _tributary(seed, plan.SIDE_VALLEY, axes, level)
    flat["TXG"] = plan.SIDE_VALLEY.flat_m
    parts = _braids(axes)
    _ditches(axes)
    return System(axes, level, flat, parts)


def _smooth(points: np.ndarray, step_m: float, meander_m: float, rng: np.random.Generator) -> np.ndarray:
    """A spline through the points with gentle bends of its own, sampled about every ``step_m``."""
    chord = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    spline = CubicSpline(chord, points)
    t = np.linspace(0, chord[-1], int(chord[-1] / 2))
    xy, tangent = spline(t), spline(t, 1)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    bend = wave(rng, max(24 * meander_m, 220.0))(t) * meander_m
    bend *= np.clip(np.minimum(t, chord[-1] - t) / 150, 0, 1)
    xy = xy + np.column_stack([-tangent[:, 1], tangent[:, 0]]) * bend[:, None]
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))])
    even = np.linspace(0, along[-1], int(along[-1] / step_m) + 1)
    return np.column_stack([np.interp(even, along, xy[:, i]) for i in (0, 1)])


def _width(river: plan.RiverPlan, length: float, rng: np.random.Generator) -> Profile:
    """Half width along the river: a little wider downstream, a little uneven."""
    uneven = wave(rng, 420.0)
    return lambda s: river.half_width_m * (0.8 + 0.3 * np.asarray(s) / length) * (1 + 0.07 * uneven(np.asarray(s)))


def _falling(top: float, foot: float, length: float, power: float = 1.5) -> Profile:
    """A concave profile: steep above, gentle below."""
    return lambda s: foot + (top - foot) * np.clip(1 - np.asarray(s) / length, 0, 1) ** power


def _trunk(seed: int, axes: dict[str, Axis], level: dict[str, Profile]) -> None:
    rng = stream(seed, "YXH")
    xy = _smooth(metric_xy(np.array(plan.TRUNK.points)), 20.0, plan.TRUNK.meander_m, rng)
    axis = Axis("YXH", snapped(xy))
    axis.half_width_m = _width(plan.TRUNK, axis.length_m, rng)
    axes["YXH"] = axis
    level["YXH"] = _falling(plan.TRUNK.top_m, plan.TRUNK_END_LEVEL_M, axis.length_m, 1.0)


def _tributary(seed: int, river: plan.RiverPlan, axes: dict[str, Axis], level: dict[str, Profile]) -> None:
    """An axis whose last vertex is a vertex of the river it joins."""
    rng = stream(seed, river.code)
    target = axes[river.joins or "YXH"]
    tie = target.nearest_vertex(river.points[-1])
    points = np.vstack([metric_xy(np.array(river.points[:-1])), target.xy[tie]])
    if river.code == "QTH":
        points[0] = metric_xy(np.array(plan.UPPER_VALLEY.points[-1]))
    xy = snapped(_smooth(points, 14.0, river.meander_m, rng))
    xy[-1] = target.xy[tie]
    axis = Axis(river.code, xy)
    axis.half_width_m = _width(river, axis.length_m, rng)
    axes[river.code] = axis
    foot = float(level[target.code](target.m[tie]))
    level[river.code] = _falling(river.top_m, foot, axis.length_m)


def _valley_above_dam(seed: int, axes: dict[str, Axis], level: dict[str, Profile]) -> None:
    """One valley down to the dam, cut where its bed sinks below the normal level of the reservoir."""
    rng = stream(seed, "STX")
    river = plan.UPPER_VALLEY
    xy = snapped(_smooth(metric_xy(np.array(river.points)), 14.0, river.meander_m, rng))
    xy[-1] = axes["QTH"].xy[0]
    whole = Axis("STX", xy)
    bed = _falling(river.top_m, plan.VALLEY_FOOT_M, whole.length_m)
    tail = int(np.argmax(bed(whole.m) <= plan.NORMAL_LEVEL_M))
    for code, part, start in (("STX", xy[: tail + 1], 0.0), ("QTK", xy[tail:], float(whole.m[tail]))):
        axes[code] = Axis(code, part)
        level[code] = lambda s, start=start: bed(np.asarray(s) + start)
    axes["STX"].half_width_m = _width(river, axes["STX"].length_m, rng)


def _braids(axes: dict[str, Axis]) -> dict[str, tuple[float, float]]:
    """Side channels round the bars; they leave and rejoin the trunk at vertices of its axis."""
    trunk, parts = axes["YXH"], {}
    for name, from_x, to_x, off, half in plan.BRAIDS:
        s1, s2 = trunk.chainage_at_east(from_x), trunk.chainage_at_east(to_x)
        s = np.linspace(s1, s2, int((s2 - s1) / 18))
        t = (s - s1) / (s2 - s1)
        n = off * np.sin(np.pi * t) ** 0.7 * (1 + 0.12 * np.sin(5 * np.pi * t))
        xy = snapped(trunk.at(s, n))
        xy[0], xy[-1] = trunk.at(s1), trunk.at(s2)
        code = f"YXH-{name}"
        axes[code] = Axis(code, xy)
        axes[code].half_width_m = lambda s, half=half: np.full(np.shape(s), half)
        parts[code] = (s1, s2)
    return parts


def _ditches(axes: dict[str, Axis]) -> None:
    """A looped net on the plain west of the lower 砚石河: a canal, a drain and four cross ditches."""
    river = axes["YSH"]
    head, foot = river.xy[river.nearest_vertex((7930, 3330))], river.xy[river.nearest_vertex((7990, 4180))]
    canal = {x: metric_xy(np.array([x, 3240.0 + 0.02 * (x - 5900)])) for x in plan.DITCH_X}
    drain = {x: metric_xy(np.array([x, 4130.0 + 0.05 * (x - 5900)])) for x in plan.DITCH_X}
    order = sorted(plan.DITCH_X)
    lines = {"WBG": [head, *(canal[x] for x in reversed(order))], "WBP": [*(drain[x] for x in order), foot]}
    lines |= {f"WB{i}": [canal[x], drain[x]] for i, x in enumerate(order, start=1)}
    for code, points in lines.items():
        axes[code] = Axis(code, snapped(np.array(points)))
        axes[code].half_width_m = lambda s: np.full(np.shape(s), 1.2)
