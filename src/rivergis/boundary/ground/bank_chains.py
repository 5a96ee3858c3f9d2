"""Lines of one bank joined end to end (单岸界线): what stakes stand on, and along which shoreline is counted.

A boundary line comes in pieces, cut where county, reach or basis changes. Here the pieces of one river, bank and line type are
turned downstream, ordered and joined; every metre of the chain knows its piece, and its chainage on the axis.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis import crs, geometry
from rivergis.errors import InputError

Floats = npt.NDArray[np.float64]
_STEP_M = 10.0  # how closely a chain is measured on its axis


@dataclass(frozen=True)
class Reach:
    """A reach with its place on its river: ``from_m`` is the chainage of its first vertex, ``line`` is in metres, downstream."""

    code: str
    river: str
    name: str
    from_m: float
    line: shapely.LineString

    def at_m(self, points: Any) -> Floats:
        """Chainage of points, by the nearest place on the reach."""
        return np.asarray(self.from_m + shapely.line_locate_point(self.line, points), np.float64)

    def way(self, points: Any) -> Floats:
        """Direction of the river at the feet of points, unit vectors (n, 2)."""
        at = shapely.line_locate_point(self.line, points)
        towards = shapely.line_interpolate_point(self.line, np.minimum(at + 1.0, self.line.length))
        behind = shapely.line_interpolate_point(self.line, np.maximum(at - 1.0, 0.0))
        step = shapely.get_coordinates(towards) - shapely.get_coordinates(behind)
        return np.asarray(step / np.maximum(np.hypot(*step.T), 1e-9)[:, None])

    def side(self, points: Any) -> Floats:
        """+1 where points lie left of the reach, -1 right."""
        return np.asarray(geometry.side_of(self.line, points), np.float64)


@dataclass(frozen=True)
class Course:
    """The reaches that a line may run along: the one it names, or all of its river; each place belongs to the nearest."""

    reaches: tuple[Reach, ...]

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree([r.line for r in self.reaches])

    def nearest(self, points: Any) -> npt.NDArray[np.int64]:
        """Position of the nearest reach of each point; of equally near ones the first."""
        if len(self.reaches) == 1:
            return np.zeros(len(points), np.int64)
        point, reach = self._tree.query_nearest(points, all_matches=True)
        out = np.full(len(points), len(self.reaches), np.int64)
        np.minimum.at(out, point, reach)
        return out

    def at_m(self, points: Any) -> Floats:
        """Chainage of points on the river."""
        which = self.nearest(points)
        out = np.empty(len(points))
        for n in np.unique(which):
            out[which == n] = self.reaches[n].at_m(points[which == n])
        return out

    def downstream_m(self, points: Any) -> float:
        """How far a way of points runs downstream, less what it runs upstream: step by step, so that places beyond an end count."""
        which = self.nearest(points)
        way = np.empty((len(points), 2))
        for n in np.unique(which):
            way[which == n] = self.reaches[n].way(points[which == n])
        return float((np.diff(shapely.get_coordinates(points), axis=0) * (way[:-1] + way[1:]) / 2).sum())

    def reach_of(self, point: shapely.Point) -> Reach:
        return self.reaches[int(self.nearest(np.array([point], dtype=object))[0])]


@dataclass(frozen=True)
class Part:
    """A piece of a chain: the metres along the chain that it covers, its row in the frame of lines, and the reaches it runs along."""

    from_s: float
    to_s: float
    row: Hashable
    course: Course
    turned: bool


@dataclass(frozen=True)
class Chain:
    """Lines of one bank joined end to end, first vertex upstream; coordinates in metres."""

    river: str
    river_name: str
    bank: str
    line_type: str
    line: shapely.LineString
    parts: tuple[Part, ...]

    @property
    def length_m(self) -> float:
        return float(self.line.length)

    @cached_property
    def _measured(self) -> tuple[Floats, Floats]:
        """Metres along the chain, and chainage there, which never falls: a chain that loops stands still on its axis."""
        along = np.linspace(0.0, self.length_m, max(int(np.ceil(self.length_m / _STEP_M)), 1) + 1)
        points = shapely.line_interpolate_point(self.line, along)
        which = np.searchsorted([p.to_s for p in self.parts[:-1]], along)
        at = np.empty(len(along))
        for n, part in enumerate(self.parts):
            at[which == n] = part.course.at_m(points[which == n])
        return along, np.maximum.accumulate(at)

    def measured(self) -> tuple[Floats, Floats]:
        """Metres along the chain at close steps, and the chainage there."""
        return self._measured

    @property
    def from_m(self) -> float:
        return float(self._measured[1][0])

    @property
    def to_m(self) -> float:
        return float(self._measured[1][-1])

    def at_m(self, along: Any) -> Floats:
        """Chainage on the axis of places given in metres along the chain."""
        return np.asarray(np.interp(along, *self._measured), np.float64)

    def along(self, at_m: Any) -> Floats:
        """Metres along the chain of a chainage; the end of the chain for what lies beyond it."""
        s, at = self._measured
        return np.asarray(np.interp(at_m, at + np.arange(len(at)) * 1e-9, s), np.float64)

    def point(self, along: float) -> shapely.Point:
        return shapely.line_interpolate_point(self.line, along)

    def part_at(self, along: float) -> Part:
        """The piece at a place; at a joint the one upstream of it."""
        return next((p for p in self.parts if along <= p.to_s + 1e-6), self.parts[-1])

    def vertices(self) -> tuple[Floats, Floats]:
        """Coordinates (n, 2) of the chain and metres along it of each."""
        xy = shapely.get_coordinates(self.line)
        return xy, np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])

    def stretches_in(self, area: shapely.Geometry) -> list[tuple[float, float]]:
        """Stretches (from, to in metres along) that lie in an area or on a line."""
        met = shapely.intersection(self.line, area)
        ends = [shapely.line_locate_point(self.line, _ends_of(p)) for p in geometry.lines_of(met)]
        return merged([(float(min(e)), float(max(e))) for e in ends])


def _ends_of(line: shapely.LineString) -> list[shapely.Point]:
    return [shapely.get_point(line, 0), shapely.get_point(line, -1)]


def merged(stretches: Sequence[tuple[float, float]], tolerance: float = 1e-6) -> list[tuple[float, float]]:
    """Stretches without overlaps, in order; those that touch become one.

    >>> merged([(5, 9), (0, 3), (2, 4)])
    [(0, 4), (5, 9)]
    """
    out: list[tuple[float, float]] = []
    for a, b in sorted(stretches):
        if out and a <= out[-1][1] + tolerance:
            out[-1] = (out[-1][0], max(b, out[-1][1]))
        else:
            out.append((a, b))
    return out


def reaches_of(frame: gpd.GeoDataFrame) -> list[Reach]:
    """Reaches (LineStrings in metres, digitised downstream) with their chainage along their river.

    Columns: reach_code; optional river_code (each reach its own river where it is missing), river (name), from_m. Without
    ``from_m`` the reaches of a river are strung together where the end of one is the start of the next, else in the order
    of the frame. Raises ``InputError`` for a code that stands twice, ``CrsRefused`` for degrees.
    """
    crs.require_metric(frame)
    double = frame["reach_code"][frame["reach_code"].duplicated()]
    if len(double):
        raise InputError(f"The reach code {double.iloc[0]!r} stands on more than one reach: make the codes single.")
    rivers = _column(frame, "river_code").fillna(frame["reach_code"])
    names = _column(frame, "river").fillna(rivers)
    from_m = pd.to_numeric(_column(frame, "from_m"), errors="coerce")
    out = {}
    for _, rows in frame.groupby(rivers.to_numpy(), sort=False):
        known = from_m.loc[rows.index]
        strung = _strung(rows) if known.isna().any() else dict(known.items())
        for i in strung:
            row = rows.loc[i]
            out[i] = Reach(str(row["reach_code"]), str(rivers[i]), str(names[i]), float(strung[i]), rows.geometry[i])
    return [out[i] for i in frame.index]


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name] if name in frame else pd.Series(None, index=frame.index, dtype=object)


def _strung(rows: gpd.GeoDataFrame) -> dict[Any, float]:
    """Chainage of the first vertex of each reach of a river, by what flows into what."""
    starts = {i: shapely.get_point(g, 0) for i, g in rows.geometry.items()}
    ends = {i: shapely.get_point(g, -1) for i, g in rows.geometry.items()}
    after = {i: next((j for j in starts if j != i and starts[j].distance(ends[i]) <= 1.0), None) for i in starts}
    fed = set(after.values())
    out: dict[Any, float] = {}
    at = 0.0
    for head in [i for i in starts if i not in fed] + list(starts):
        i: Any = head
        while i is not None and i not in out:
            out[i] = at
            at += float(rows.geometry[i].length)
            i = after[i]
    return out


def chains_of(lines: gpd.GeoDataFrame, reaches: Sequence[Reach], snap_m: float) -> list[Chain]:
    """The lines of each river, bank and line type as chains: upstream first, left before right.

    ``lines``: LineStrings in metres with optional reach_code, river_code (or name), bank (left, right) and line_type. A line that
    names no reach runs along all reaches of its river; a river that is not given is that of the nearest reach, a bank that is not
    given the side on which the line lies. Ends within ``snap_m`` are joined.
    """
    crs.require_metric(lines)
    if not reaches:
        raise InputError("No reach is given for the lines to belong to: give the reaches with --reaches.")
    pieces = _pieces(lines, reaches)
    order = {r.river: n for n, r in reversed(list(enumerate(reaches)))}
    keys = sorted({p.key for p in pieces}, key=lambda k: (order[k[0]], k[1] != "left", k[2]))
    return [c for key in keys for c in _joined([p for p in pieces if p.key == key], snap_m)]


@dataclass(frozen=True)
class _Piece:
    key: tuple[str, str, str]
    row: Hashable
    name: str
    course: Course
    line: shapely.LineString
    turned: bool = False

    @property
    def downstream_m(self) -> float:
        """How far the line runs downstream along its reaches, less what it runs upstream."""
        steps = max(17, int(self.line.length / 50.0) + 1)
        return self.course.downstream_m(
            shapely.line_interpolate_point(self.line, np.linspace(0, 1, steps), normalized=True)
        )

    def reversed(self) -> _Piece:
        return replace(self, line=self.line.reverse(), turned=not self.turned)


def _pieces(lines: gpd.GeoDataFrame, reaches: Sequence[Reach]) -> list[_Piece]:
    by_reach = {r.code: Course((r,)) for r in reaches}
    by_river = {river: Course(tuple(r for r in reaches if r.river == river)) for river in {r.river for r in reaches}}
    rivers = {name: r.river for r in reaches for name in (r.name, r.river)}
    every = Course(tuple(reaches))
    codes, of, banks = (_column(lines, c) for c in ("reach_code", "river_code", "bank"))
    types = _column(lines, "line_type").fillna("management")
    out = []
    for row, shape in lines.geometry.items():
        for line in geometry.lines_of(shapely.force_2d(shape)):
            some = shapely.line_interpolate_point(line, np.linspace(0.1, 0.9, 9), normalized=True)
            nearest = reaches[int(np.bincount(every.nearest(some)).argmax())]
            course = by_reach.get(str(codes[row])) or by_river[rivers.get(str(of[row]), nearest.river)]
            own = course.reaches[0] if len(course.reaches) == 1 else course.reach_of(some[4])
            bank = banks[row] if banks[row] in ("left", "right") else "left" if own.side(some).sum() >= 0 else "right"
            out.append(_Piece((own.river, str(bank), str(types[row])), row, own.name, course, line))
    return out


_End = tuple[int, int]  # piece, and 0 for its start or 1 for its end


def _joined(pieces: list[_Piece], snap_m: float) -> list[Chain]:
    """Chains of pieces of one key, upstream first: ends that lie together are joined, then each run is turned downstream."""
    chains = []
    for run in _runs(_pairs(pieces, snap_m), len(pieces)):
        some = [pieces[i] if end == 0 else pieces[i].reversed() for i, end in run]
        if sum(p.downstream_m for p in some) < 0:
            some = [p.reversed() for p in reversed(some)]
        chains.append(_chain(some))
    return sorted(chains, key=lambda c: (c.from_m, c.to_m))


def _pairs(pieces: list[_Piece], snap_m: float) -> dict[_End, _End]:
    """Which end goes on in which other: the nearest first, each once."""
    ends = [(i, e) for i in range(len(pieces)) for e in (0, 1)]
    points = shapely.points([pieces[i].line.coords[-e] for i, e in ends])
    a, b = shapely.STRtree(points).query(points, "dwithin", snap_m)
    found = sorted((round(float(shapely.distance(points[m], points[n])), 9), m, n) for m, n in zip(a.tolist(), b.tolist(), strict=True) if m < n)  # fmt: skip
    out: dict[_End, _End] = {}
    for _, m, n in found:
        if ends[m] not in out and ends[n] not in out:
            out[ends[m]], out[ends[n]] = ends[n], ends[m]
    return out


def _runs(pairs: Mapping[_End, _End], count: int) -> list[list[_End]]:
    """Runs of pieces with the end by which each is entered; what goes round in a ring begins at its first piece."""
    seen: set[int] = set()
    runs = []
    every = [(i, e) for i in range(count) for e in (0, 1)]
    for start in [e for e in every if e not in pairs] + every:
        run = []
        here: _End | None = start
        while here is not None and here[0] not in seen:
            seen.add(here[0])
            run.append(here)
            here = pairs.get((here[0], 1 - here[1]))
        if run:
            runs.append(run)
    return runs


def _chain(run: list[_Piece]) -> Chain:
    xy: list[Floats] = []
    parts = []
    s = 0.0
    for piece in run:
        coords = np.array(piece.line.coords)
        if xy:
            s += float(np.hypot(*(coords[0] - xy[-1][-1])))
        parts.append(Part(s, s + float(piece.line.length), piece.row, piece.course, piece.turned))
        s += float(piece.line.length)
        xy.append(coords)
    river, bank, kind = run[0].key
    whole = shapely.remove_repeated_points(shapely.LineString(np.vstack(xy)))
    return Chain(river, run[0].name, bank, kind, whole, tuple(parts))
