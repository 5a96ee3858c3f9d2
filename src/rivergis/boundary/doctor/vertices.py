"""Single vertices that cannot be right: far away, with exchanged axes, doubled, on needles, in loops.

What is found is taken out of a working copy of the line, so that every later question is asked of the line as it was meant and no
fault of one vertex is told a second time as a fault of the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from rivergis import crs
from rivergis.boundary.doctor.axes import Bools, Floats, Ints
from rivergis.boundary.doctor.case import Limits

_LOOPS = 50
"""Faults of one kind after which a line is no longer taken apart."""
SMALL_LOOP = "small_loop"
"""A loop below the limit: no defect, but said."""
_FAR = 4.0
"""How many times the way between its neighbours a vertex lies away that is no corner of the line."""
_END = 100.0
"""How many times the least distance of an outlier a line must step at its end to have one there."""


@dataclass(frozen=True)
class Found:
    """One fault of vertices: code, row of the line, where it should lie (first and last place, metres), and its measure."""

    code: str
    line: int
    first: Floats
    last: Floats
    measure: float
    unit: str
    vertex: int
    count: int


@dataclass
class _Work:
    """One line while it is cleaned: its vertices in metres and as the file has them, and their numbers in the file."""

    row: int
    xy: Floats
    raw: Floats
    number: Ints

    def without(self, drop: Bools) -> _Work:
        return _Work(self.row, self.xy[~drop], self.raw[~drop], self.number[~drop])


def clean(lines: gpd.GeoDataFrame, limits: Limits) -> tuple[Any, list[Found]]:
    """Working copies of the lines (LineStrings, None where nothing is left) and the faults of single vertices.

    ``lines``: as in ``Case``; the vertices of ``given`` are those of the shape, in ``given_crs``.
    """
    shapes = np.asarray(lines.geometry.values, object)
    xy, of = shapely.get_coordinates(shapes, return_index=True)
    first = np.searchsorted(of, np.arange(len(shapes) + 1))
    out, found = shapes.copy(), []
    for row in _suspects(xy, of, first, limits):
        part = slice(first[row], first[row + 1])
        raw = shapely.get_coordinates(lines["given"].iat[row])
        work = _Work(row, xy[part].copy(), raw, np.arange(len(raw)))
        system = (CRS.from_user_input(lines["given_crs"].iat[row]), CRS(lines.crs))
        for step in (_astray, _doubled, _needles):
            work, more = step(work, limits, system)
            found += more
        out[row] = shapely.linestrings(work.xy) if len(work.xy) > 1 else None
    simple = np.array([s is None for s in out]) | shapely.is_simple(out)
    for row in np.flatnonzero(~simple).tolist():
        out[row], more = _loops(row, out[row], limits.loop_min_m)
        found += more
    return out, found


def _suspects(xy: Floats, of: Ints, first: Ints, limits: Limits) -> list[int]:
    """Rows with a vertex worth a closer look: not finite, a long or a tiny step, a sharp turn."""
    with np.errstate(invalid="ignore", divide="ignore"):
        step = np.diff(xy, axis=0)
        size = np.hypot(*step.T)
        same = of[1:] == of[:-1]
        odd = same & (~np.isfinite(size) | (size > limits.outlier_min_m) | (size <= 5 * limits.duplicate_vertex_m))
        inner = same[1:] & same[:-1]
        cosine = -(step[1:] * step[:-1]).sum(axis=1) / (size[1:] * size[:-1])
        sharp = inner & (cosine > np.cos(np.radians(limits.spike_max_angle_deg)))
    rows = np.concatenate([of[:-1][odd], of[1:-1][sharp], of[~np.isfinite(xy).all(axis=1)]])
    return np.unique(rows).tolist()


def _astray(work: _Work, limits: Limits, system: tuple[CRS, CRS]) -> tuple[_Work, list[Found]]:
    """Runs of vertices that lie far from the rest of the line: exchanged axes are put back, others left out."""
    found: list[Found] = []
    while len(found) < _LOOPS:
        told = _next_astray(work, limits, system)
        if told is None:
            break
        work, more = told
        found.append(more)
    return work, found


def _next_astray(work: _Work, limits: Limits, system: tuple[CRS, CRS]) -> tuple[_Work, Found] | None:
    """The shortest run that cannot be right, with the line as it is without it: exchanged axes before anything else."""
    runs = [r for r in _runs(work.xy, limits.outlier_min_m) if (r[1] - r[0]) * 2 <= len(work.xy)]
    runs.sort(key=lambda r: (-len(_beside(work.xy, *r)), r[1] - r[0]))  # what has the line on both sides is surer
    for a, b in runs:
        near, turned = _beside(work.xy, a, b), _turned(work.raw[a:b], system)
        legs, _ = _legs(work.xy[a:b], near)
        if _fits(turned, near, legs, limits.outlier_min_m):
            xy = np.vstack([work.xy[:a], turned, work.xy[b:]])
            told = _told("axis_swapped_part", work, a, b, turned, legs)
            return _Work(work.row, xy, work.raw, work.number), told
    for a, b in runs:
        near = _beside(work.xy, a, b)
        legs, base = _legs(work.xy[a:b], near)
        # at the end of a line one long step alone is no fault, unless it leads out of the country
        if legs > (max(limits.outlier_min_m, _FAR * base) if len(near) == 2 else _END * limits.outlier_min_m):
            drop = np.zeros(len(work.xy), bool)
            drop[a:b] = True
            return work.without(drop), _told("outlier_vertex", work, a, b, np.array(near), legs)
    return None


def _beside(xy: Floats, a: int, b: int) -> list[Floats]:
    """The vertices before and after a run, where there are any with a place."""
    return [xy[i] for i in (a - 1, b) if 0 <= i < len(xy) and bool(np.isfinite(xy[i]).all())]


def _runs(xy: Floats, far_m: float) -> list[tuple[int, int]]:
    """Stretches of vertices between long steps, short ones first: the bulk of the line is what others are judged by."""
    with np.errstate(invalid="ignore"):
        size = np.hypot(*np.diff(xy, axis=0).T)
    lost = ~np.isfinite(xy[:, 0] + xy[:, 1])
    cut = np.flatnonzero(~(size <= far_m) & ~(lost[1:] & lost[:-1])) + 1
    ends = np.r_[0, cut, len(xy)]
    spans = list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
    return sorted(spans, key=lambda s: s[1] - s[0]) if len(spans) > 1 else []


def _legs(run: Floats, near: list[Floats]) -> tuple[float, float]:
    """The shorter way from a run to the vertices beside it (infinite for what has no place), and the way between those."""
    if not near or not np.isfinite(run).all():
        return (float("inf") if near else 0.0), 0.0
    ways = [min(float(np.hypot(*(e - p))) for e in (run[0], run[-1])) for p in near]
    return min(ways), float(np.hypot(*(near[0] - near[-1])))


def _turned(raw: Floats, system: tuple[CRS, CRS]) -> Floats:
    """The run with x and y exchanged as the file has them, in metres."""
    with np.errstate(invalid="ignore"):
        return np.asarray(crs.out_of_storage(system[1])(crs.into_storage(system[0])(raw[:, ::-1])), float)


def _fits(turned: Floats, near: list[Floats], legs: float, far_m: float) -> bool:
    """Whether exchanged vertices lie at the rest of the line, far nearer than as they are."""
    if not near or not np.isfinite(turned).all():
        return False
    now, base = _legs(turned, near)
    return now * 10 < legs and now <= max(far_m, base)


def _told(code: str, work: _Work, a: int, b: int, place: Floats, measure: float) -> Found:
    return Found(code, work.row, place[0], place[-1], measure, "m", int(work.number[a]), b - a)


def _doubled(work: _Work, limits: Limits, _: Any) -> tuple[_Work, list[Found]]:
    """Vertices one upon the other; a run of them is one fault."""
    size = np.hypot(*np.diff(work.xy, axis=0).T)
    tiny = size <= 5 * limits.duplicate_vertex_m
    found = []
    for a, b in stretches(tiny):
        if (size[a:b] <= limits.duplicate_vertex_m).any():
            at = work.xy[a]
            found.append(Found("duplicate_vertex_run", work.row, at, at, b - a + 1, "", int(work.number[a]), b - a + 1))
    return work.without(np.r_[False, tiny]), found


def _needles(work: _Work, limits: Limits, _: Any) -> tuple[_Work, list[Found]]:
    """Sharp tips that the line runs out to and back from."""
    step = np.diff(work.xy, axis=0)
    size = np.hypot(*step.T)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = -(step[1:] * step[:-1]).sum(axis=1) / (size[1:] * size[:-1])
    leg = np.minimum(size[1:], size[:-1])
    tip = np.r_[False, (cosine > np.cos(np.radians(limits.spike_max_angle_deg))) & (leg >= limits.spike_min_m), False]
    found = [
        Found("spike", work.row, work.xy[i - 1], work.xy[i - 1], float(leg[i - 1]), "m", int(work.number[i]), 1)
        for i in np.flatnonzero(tip).tolist()
    ]
    return work.without(tip), found


def _loops(row: int, line: Any, least_m: float) -> tuple[Any, list[Found]]:
    """A line that crosses itself, its loops taken out one by one; loops at one place are one fault."""
    found: list[Found] = []
    for _ in range(_LOOPS):
        cut = _first_loop(line)
        if cut is None:
            break
        i, j, at = cut
        xy = shapely.get_coordinates(line)
        size = shapely.length(shapely.linestrings(np.vstack([at, xy[i + 1 : j + 1], at])))
        new = not found or np.hypot(*(at - found[-1].last)) > max(20.0, 2 * size)
        code = "self_crossing" if size >= least_m else SMALL_LOOP
        if new:
            found.append(Found(code, row, at, at, float(size), "m", i, j - i))
        line = shapely.linestrings(np.vstack([xy[: i + 1], at, xy[j + 1 :]]))
    return line, found


def _first_loop(line: Any) -> tuple[int, int, Floats] | None:
    """The first segment that a later one crosses, that one, and the place; None for a simple line."""
    if shapely.is_simple(line):
        return None
    xy = shapely.get_coordinates(line)
    parts = shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1))
    a, b = shapely.STRtree(parts).query(parts, predicate="intersects")
    last = len(parts) - 1
    closed = np.array_equal(xy[0], xy[-1])
    apart = (b > a + 1) & ~(closed & (a == 0) & (b == last))
    if not apart.any():
        return None
    order = np.lexsort((b[apart], a[apart]))[0]
    i, j = int(a[apart][order]), int(b[apart][order])
    return i, j, shapely.get_coordinates(shapely.intersection(parts[i], parts[j]))[0]


def stretches(flag: Bools) -> list[tuple[int, int]]:
    """Runs of True as (first, one past the last)."""
    edge = np.flatnonzero(np.diff(np.r_[False, flag, False].astype(np.int8)))
    return list(zip(edge[::2].tolist(), edge[1::2].tolist(), strict=True))
