"""Lines against their river along the chainage: the channel, the water, the levee toe, the rule, abrupt steps.

Every question is asked of all points of all lines at once; what fails in a row along one bank is one stretch. Offsets are measured
both along the river's normal and as the crow flies, and a line is only told when both say so: banks that widen are no fault.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from rivergis.boundary.doctor.axes import Axes, Bools, Floats, Ints
from rivergis.boundary.doctor.case import Case, Defect
from rivergis.boundary.doctor.desk import Desk
from rivergis.boundary.doctor.lines import Laid, Profile, nearest_reach

JOIN_M = 30.0
"""Stretches of one fault on one bank that are nearer than this are one."""
EDGE_M = 15.0
"""Longest step between two points of an edge."""
_ROUNDING_M = 0.05
"""Widths of reaches are written to a decimetre: next to the limit of a class both classes hold."""
_STEEP = 4.0
"""Sideways over onward from which a step is abrupt."""


@dataclass(frozen=True)
class Edge:
    """An edge beside the reaches (water's edge, levee toe) in chainage and outward offset, per reach and bank.

    ``key`` = 2 * reach + (bank is left), sorted, then by chainage.
    """

    key: Ints
    s: Floats
    o: Floats

    def at(self, key: Ints, s: Floats) -> Floats:
        """Outward offset of the edge at a chainage of a reach and bank; NaN where it has no edge."""
        if not len(self.s):
            return np.full(len(s), np.nan)
        far = float(max(self.s.max(), np.nanmax(s) if len(s) else 0.0)) + 10.0
        whole = self.key * far + self.s
        found = np.interp(key * far + s, whole, self.o)
        low, high = np.searchsorted(self.key, key), np.searchsorted(self.key, key, side="right")
        inner = (high > low) & (s >= self.s[np.minimum(low, len(self.s) - 1)]) & (s <= self.s[high - 1])
        return np.where(inner, found, np.nan)


def key_of(reach: Ints, bank: Ints) -> Ints:
    return np.asarray(2 * reach + (bank > 0), np.int64)


def edge_of(axes: Axes, shapes: Any, reach: Ints, bank: Ints | None = None) -> Edge:
    """The edge that lines (or the outlines of areas) make along their reaches; ``bank`` of each shape, else by the ground."""
    # between two vertices of a bend the offset of a chord is not straight
    xy, of = shapely.get_coordinates(shapely.segmentize(shapes, EDGE_M), return_index=True)
    s, o, beyond = axes.feet(reach[of], xy)
    side = np.where(o >= 0, 1, -1) if bank is None else bank[of]
    key, outward = key_of(reach[of], side), o * side
    keep = beyond == 0.0
    key, s, outward = key[keep], s[keep], outward[keep]
    # the vertices of a line come in order already: a stable sort by one number is quick
    order = np.argsort(key * (float(s.max(initial=0.0)) + 10.0) + s, kind="stable")
    return Edge(key[order], s[order], outward[order])


@dataclass(frozen=True)
class Levees:
    """Outer toes by reach and bank with their grade and where they begin and end."""

    edge: Edge
    key: Ints
    low: Floats
    high: Floats
    grade: Any
    shapes: Any

    def holding(self, key: Ints, s: Floats) -> Ints:
        """The levee beside each point (by reach, bank and chainage), -1 for none; the last that fits."""
        out = np.full(len(s), -1, np.int64)
        order = np.argsort(self.key, kind="stable")
        for k in range(int(np.bincount(self.key).max()) if len(self.key) else 0):
            i = np.searchsorted(self.key[order], key) + k
            fits = i < len(order)
            row = order[np.minimum(i, len(order) - 1)]
            fits &= (self.key[row] == key) & (s >= self.low[row]) & (s <= self.high[row])
            out = np.where(fits, row, out)
        return out

    def near_end(self, key: Ints, s: Floats, within_m: float) -> Bools:
        """Points next to where a levee of their bank begins or ends."""
        ends = np.r_[self.low, self.high]
        keys = np.r_[self.key, self.key]
        far = float(max(ends.max(initial=0.0), s.max(initial=0.0))) + 10 * within_m + 10.0
        flat = np.sort(keys * far + ends)
        at = key * far + s
        i = np.searchsorted(flat, at)
        left = np.abs(at - flat[np.maximum(i - 1, 0)]) if len(flat) else np.full(len(at), np.inf)
        right = np.abs(at - flat[np.minimum(i, len(flat) - 1)]) if len(flat) else left
        return np.asarray(np.minimum(left, right) <= within_m, bool)


@dataclass(frozen=True)
class Ground:
    """What lies beside the reaches: water by reach and levee toes."""

    case: Case
    axes: Axes

    @cached_property
    def water(self) -> tuple[Ints, Any]:
        """(reach, area) of every water area at every reach it belongs to."""
        frame = self.case.water
        if frame is None:
            return np.zeros(0, np.int64), np.zeros(0, object)
        reach = frame["reach_id"].map(self.axes.row)
        shapes = frame.geometry.values
        known = reach.notna().to_numpy()
        rows, of = np.flatnonzero(known), reach[known].to_numpy(np.int64)
        loose = np.flatnonzero(~known)
        a, r = self.axes.tree.query(shapes[loose], predicate="intersects")
        return np.r_[of, r].astype(np.int64), np.asarray(shapes)[np.r_[rows, loose[a]]]

    @cached_property
    def water_of(self) -> dict[int, Any]:
        """The water of each reach as one area."""
        reach, shapes = self.water
        once = np.bincount(reach, minlength=1)
        out = {int(r): g for r, g in zip(reach, shapes, strict=True)}
        for r in np.flatnonzero(once > 1).tolist():
            out[r] = shapely.union_all(shapes[reach == r])
        return out

    @cached_property
    def water_tree(self) -> shapely.STRtree | None:
        return None if self.case.water is None else shapely.STRtree(self.case.water.geometry.values)

    @cached_property
    def toe_tree(self) -> shapely.STRtree | None:
        return None if self.levees is None else shapely.STRtree(self.levees.shapes)

    @cached_property
    def water_edge(self) -> Edge:
        reach, shapes = self.water
        parts, of = shapely.get_parts(shapes, return_index=True)
        return edge_of(self.axes, shapely.get_exterior_ring(parts), reach[of])

    @cached_property
    def levees(self) -> Levees | None:
        frame = self.case.levees
        if frame is None or not len(frame):
            return None
        shapes = np.asarray(frame.geometry.values)
        row = frame["reach_id"].map(self.axes.row)
        reach = row.fillna(-1).to_numpy(np.int64)
        lost = reach < 0
        if lost.any():
            reach[lost] = nearest_reach(self.axes, shapes[lost])
        middle = shapely.get_coordinates(shapely.line_interpolate_point(shapes, 0.5, normalized=True))
        _, o, _ = self.axes.feet(reach, middle)
        bank = np.where(o >= 0, 1, -1)
        first, last = (self.axes.feet(reach, shapely.get_coordinates(shapely.get_point(shapes, i)))[0] for i in (0, -1))
        low, high = np.minimum(first, last), np.maximum(first, last)
        grade = np.array([_grade(g) for g in frame["grade"]], object)
        return Levees(edge_of(self.axes, shapes, reach, bank), key_of(reach, bank), low, high, grade, shapes)


def bundles(shapes: Any, reach: Ints, asked: Ints) -> Any:
    """For each reach asked, its lines as one (None where it has none)."""
    out: dict[int, Any] = {}
    for r in np.unique(asked).tolist():
        own = shapes[reach == r]
        out[r] = shapely.multilinestrings(list(own)) if len(own) else None
    return np.array([out[r] for r in asked.tolist()], object)


def _grade(value: Any) -> str | None:
    text = "" if value is None else str(value).strip().removesuffix("级").removesuffix(".0")
    return text or None


@dataclass(frozen=True)
class Points:
    """Points of the lines that are judged, with their reach, bank, key and outward offset."""

    p: Profile
    keep: Ints
    row: Ints
    reach: Ints
    bank: Ints
    key: Ints
    s: Floats
    out: Floats


def points(laid: Laid, kind: Ints) -> Points:
    """Profile points of main lines of the first kind that lie beside their reach, in order along each bank."""
    p = laid.profile
    judged = (laid.main & (kind == 0))[p.of] & (p.beyond == 0.0)
    keep = np.flatnonzero(judged)
    row = p.of[keep]
    key = key_of(laid.reach[row], laid.bank[row])
    order = np.lexsort((p.along[keep], np.minimum(*laid.span)[row], key))
    keep, row, key = keep[order], row[order], key[order]
    bank = laid.bank[row]
    return Points(p, keep, row, laid.reach[row], bank, key, p.s[keep], p.o[keep] * bank)


def river_sense(desk: Desk, laid: Laid, ground: Ground, at: Points) -> list[Defect]:
    """crosses_centreline, water_not_inside, inside_levee_toe, offset_from_rule, width_jump."""
    if not len(at.s):
        return []
    limits = desk.case.limits
    found = stretches_of(
        desk, at, "crosses_centreline", at.out < -limits.water_tolerance_m, -at.out, limits.min_stretch_m
    )
    if desk.case.water is not None:
        depth = _depth_in_water(at, ground)
        found += stretches_of(
            desk, at, "water_not_inside", depth > limits.water_tolerance_m, depth, limits.min_stretch_m
        )
    if ground.levees is not None:
        short = _short_of_toe(at, ground.levees, limits.rule_tolerance_m)
        inside = short > limits.rule_tolerance_m
        found += stretches_of(desk, at, "inside_levee_toe", inside, short, limits.min_stretch_m)
    deviation = rule_deviation(desk, at, laid, ground)
    off = np.abs(deviation) > limits.rule_tolerance_m
    found += stretches_of(desk, at, "offset_from_rule", off, deviation, limits.min_stretch_m)
    return found + _steps(desk, at, ground)


def stretches_of(desk: Desk, at: Points, code: str, flag: Bools, measure: Floats, least_m: float) -> list[Defect]:
    """One defect for every stretch of a bank where points fail, if it is long enough."""
    hit = np.flatnonzero(flag)
    if not len(hit):
        return []
    parted = (np.diff(hit) > 1) & (np.abs(np.diff(at.s[hit])) > JOIN_M)
    cut = (at.key[hit][1:] != at.key[hit][:-1]) | parted
    ends = np.r_[0, np.flatnonzero(cut) + 1, len(hit)]
    spans = [hit[a:b] for a, b in itertools.pairwise(ends)]
    return [_stretch(desk, at, code, run, measure) for run in spans if _long(at, run) >= least_m]


def _long(at: Points, run: Ints) -> float:
    return float(max(np.ptp(at.s[run]), np.hypot(*(at.p.xy[at.keep[run[-1]]] - at.p.xy[at.keep[run[0]]]))))


def _stretch(desk: Desk, at: Points, code: str, run: Ints, measure: Floats) -> Defect:
    low, high = float(at.s[run].min()), float(at.s[run].max())
    middle = run[np.argmin(np.abs(at.s[run] - (low + high) / 2))]
    worst = run[np.nanargmax(np.abs(measure[run]))]
    rows = list(dict.fromkeys(at.row[run].tolist()))
    return desk.defect(
        code,
        int(at.reach[run[0]]),
        int(at.bank[run[0]]),
        (low, high),
        at.p.xy[at.keep[middle]],
        desk.names(*rows),
        float(measure[worst]),
        bank=desk.bank(rows[0]),
    )


def _depth_in_water(at: Points, ground: Ground) -> Floats:
    """How far each point lies inside the water of its own reach; 0 outside."""
    reach, _shapes = ground.water
    depth = np.zeros(len(at.s))
    if not len(reach):
        return depth
    edge = ground.water_edge
    widest = np.zeros(int(max(edge.key.max(initial=0), at.key.max())) + 1)
    np.maximum.at(widest, edge.key, edge.o)
    near = np.flatnonzero(at.out < widest[at.key])
    whole = ground.water_of
    near = near[np.isin(at.reach[near], list(whole))]
    areas = np.array([whole[r] for r in at.reach[near].tolist()], object)
    dots = shapely.points(at.p.xy[at.keep[near]])
    inner = shapely.contains(areas, dots)
    near, areas, dots = near[inner], areas[inner], dots[inner]
    depth[near] = shapely.distance(shapely.boundary(areas), dots)
    return depth


def _short_of_toe(at: Points, levees: Levees, tolerance_m: float) -> Floats:
    """How far each point lies on the river's side of the toe beside it; 0 for others."""
    short = np.nan_to_num(levees.edge.at(at.key, at.s) - at.out)
    far = np.flatnonzero(short > tolerance_m)
    levee = levees.holding(at.key[far], at.s[far])
    straight = shapely.distance(levees.shapes[levee], shapely.points(at.p.xy[at.keep[far]]))
    short[far] = np.where(levee >= 0, np.minimum(short[far], straight), 0.0)
    return short


def rule_deviation(desk: Desk, at: Points, laid: Laid, ground: Ground) -> Floats:
    """Metres that each point lies outside (+) or inside (-) of what the rule of its basis gives; 0 where none is judged."""
    limits, lines = desk.case.limits, desk.case.lines
    out = np.zeros(len(at.s))
    if "basis" not in desk.case.present:
        return out
    length = laid.axes.length[at.reach]
    judged = (at.s >= limits.reach_end_m) & (at.s <= length - limits.reach_end_m)
    if ground.levees is not None:
        judged &= ~ground.levees.near_end(at.key, at.s, limits.levee_end_m)
    said = lines["drawn_by"].where(lines["drawn_by"].notna(), lines["basis"])
    basis = np.where(said.isin(limits.rule_basis), said, None)[at.row]
    own = lines["rule_m"].to_numpy(float)[at.row]
    toe = np.flatnonzero(judged & (basis == "levee_toe"))
    if ground.levees is not None and limits.berm_m is not None:
        out[toe] = _from_toe(at, toe, ground.levees, limits.berm_m, own[toe])
    bank = np.flatnonzero(judged & (basis == "bank_offset"))
    if desk.case.water is not None and limits.bank_offset_m is not None:
        widths = desk.case.reaches["width_m"].to_numpy(float)
        low, high = _allowed(widths, limits.bank_offset_m)
        low, high = (np.where(np.isfinite(own[bank]), own[bank], v[at.reach[bank]]) for v in (low, high))
        out[bank] = _from_bank(at, bank, ground, low, high, limits.rule_tolerance_m)
    return out


def _from_toe(at: Points, i: Ints, levees: Levees, berm_m: Any, own: Floats) -> Floats:
    levee = levees.holding(at.key[i], at.s[i])
    berm = np.array([berm_m.get(g, np.nan) if g is not None else np.nan for g in levees.grade], float)
    width = np.where(levee >= 0, np.where(np.isfinite(own), own, berm[levee]), np.nan)
    sideways = at.out[i] - levees.edge.at(at.key[i], at.s[i])
    straight = np.sign(sideways) * shapely.distance(levees.shapes[levee], shapely.points(at.p.xy[at.keep[i]]))
    return _less(sideways - width, straight - width)


def _from_bank(at: Points, i: Ints, ground: Ground, low: Floats, high: Floats, tolerance_m: float) -> Floats:
    sideways = _outside(at.out[i] - ground.water_edge.at(at.key[i], at.s[i]), low, high)
    far = np.flatnonzero(np.abs(sideways) > tolerance_m)
    out = np.nan_to_num(sideways)
    whole = ground.water_of
    far = far[np.isin(at.reach[i][far], list(whole))]
    areas = np.array([whole[r] for r in at.reach[i][far].tolist()], object)
    straight = shapely.distance(areas, shapely.points(at.p.xy[at.keep[i[far]]]))
    out[far] = _less(sideways[far], _outside(straight, low[far], high[far]))
    return out


def _less(a: Floats, b: Floats) -> Floats:
    """The smaller of two deviations; 0 where either is not known."""
    return np.nan_to_num(np.where(np.abs(a) <= np.abs(b), a, b) + 0.0 * (a + b))


def _outside(distance: Floats, low: Floats, high: Floats) -> Floats:
    """How far a distance lies above (+) or below (-) what is allowed."""
    return np.where(distance > high, distance - high, np.where(distance < low, distance - low, 0.0 * distance))


def _allowed(widths: Floats, table: Any) -> tuple[Floats, Floats]:
    """Least and most offset of each reach by its width; next to the limit of a class those of both classes."""
    low, high = np.full(len(widths), np.nan), np.full(len(widths), np.nan)
    limit = np.array([r[0] for r in table])
    for shift in (-_ROUNDING_M, _ROUNDING_M):
        known = np.isfinite(widths) | np.isinf(limit).all()
        i = np.searchsorted(limit, np.nan_to_num(widths) + shift)
        fits = known & (i < len(limit))
        row = np.minimum(i, len(limit) - 1)
        low = np.where(fits, np.fmin(low, np.array([r[1] for r in table])[row]), low)
        high = np.where(fits, np.fmax(high, np.array([r[2] for r in table])[row]), high)
    return low, high


def _steps_too(at: Points, ground: Ground, a: int, b: int, size: float) -> bool:
    """Whether what the line follows steps as it does: behind the step it lies as far from the water, or from the toe, as before it."""
    ends = shapely.points(at.p.xy[at.keep[[a, b]]])
    lines, row = ground.case.lines, at.row[a]
    by_toe = "levee_toe" in (lines["drawn_by"].iat[row], lines["basis"].iat[row])
    tree = ground.toe_tree if by_toe else ground.water_tree
    if tree is None:
        return False
    _, away = tree.query_nearest(ends, return_distance=True, all_matches=False)
    return bool(abs(away[0] - away[1]) <= 0.25 * abs(size))


def _one_way(flag: Bools, sign: Floats) -> list[tuple[int, int]]:
    """Runs of flagged steps that all go to one side, as (first, one past the last)."""
    code = np.where(flag, sign, 0.0)
    cut = np.flatnonzero(np.diff(code) != 0) + 1
    ends = np.r_[0, cut, len(code)]
    return [(a, b) for a, b in itertools.pairwise(ends.tolist()) if b > a and code[a] != 0]


def _steps(desk: Desk, at: Points, ground: Ground) -> list[Defect]:
    """width_jump: the line steps abruptly aside where neither water nor toe does; a step out and the step back are one defect."""
    same = (at.key[1:] == at.key[:-1]) & (at.row[1:] == at.row[:-1])
    aside, onward = np.diff(at.out), np.abs(np.diff(at.s))
    steep = same & (np.abs(aside) >= _STEEP * onward) & (np.abs(aside) > 0.1)
    runs = _one_way(steep, np.sign(aside))
    jumps = [(a, b, float(aside[a:b].sum())) for a, b in runs]
    jumps = [j for j in jumps if abs(j[2]) >= desk.case.limits.step_min_m and not _steps_too(at, ground, *j)]
    found, k = [], 0
    while k < len(jumps):
        a, b, size = jumps[k]
        other = jumps[k + 1] if k + 1 < len(jumps) and at.key[jumps[k + 1][0]] == at.key[a] else None
        back = other is not None and size * other[2] < 0
        run = np.arange(b, other[0] + 1) if back and other is not None else np.arange(a, b + 1)
        found.append(_stretch(desk, at, "width_jump", run, np.full(len(at.s), abs(size))))
        k += 2 if back else 1
    return found
