"""What a line runs beside: the reach and the side of every metre of bank lines, shorelines and the like.

A line is looked at every few metres, and where reach or side change the place is narrowed down to centimetres. A line that
crosses a reach is cut exactly there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from shapely.ops import substring

from rivergis import crs
from rivergis.errors import InputError
from rivergis.river.chainage import Axis
from rivergis.river.feet import Array, Chains, Ints

_HALVINGS = 12
_LEAST_M = 0.01  # nothing shorter is a piece


@dataclass(frozen=True)
class Run:
    """A piece of a line beside one reach on one side: ``side`` +1 left, -1 right, 0 on the axis; ``reach`` -1 where none is near."""

    reach: int
    side: int
    line: shapely.LineString


class Beside:
    """Directed reaches (LineString, degrees, first vertex upstream) to lay lines along.

    Columns used: ``river_id`` and ``half_width_m`` where present. The river is the one whose water edge (half width) is
    nearest to the line, so that a ditch behind the bank of a wide river does not take its bank line; the reach is the
    nearest of that river. A place farther than ``max_offset_m`` beyond the edge belongs to none.
    """

    def __init__(self, reaches: gpd.GeoDataFrame, *, max_offset_m: float, step_m: float) -> None:
        if reaches.empty:
            raise InputError("No reach is given to attach bank lines to; build the network first.")
        self.reaches, self.max_offset_m, self.step_m = reaches, max_offset_m, step_m
        self.lines: npt.NDArray[Any] = reaches.geometry.to_numpy()
        river = reaches["river_id"] if "river_id" in reaches else reaches.index.to_series()
        # reaches of no river stand for themselves
        own = np.array([f"\0{i}" for i in range(len(reaches))], dtype=object)
        names = np.where(river.notna().to_numpy(), river.astype(object).to_numpy(), own)
        self.river: Ints = np.unique(names.astype(str), return_inverse=True)[1].astype(np.int64)
        width = reaches.get("half_width_m")
        self.half_width_m: Array = np.zeros(len(reaches)) if width is None else width.fillna(0.0).to_numpy(np.float64)
        self._axis = lru_cache(maxsize=4096)(lambda i: Axis(self.lines[i]))
        self._only = lru_cache(maxsize=256)(self._chains_of)

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.lines)

    def axis(self, reach: int) -> Axis:
        """The reach as an axis that starts at 0."""
        return self._axis(reach)

    def _chains_of(self, river: int) -> tuple[Chains, Ints]:
        """The reaches of one river (-1: of all), and their positions."""
        rows = np.arange(len(self.lines)) if river < 0 else np.flatnonzero(self.river == river)
        return Chains(self.lines[rows]), rows

    def assign(self, lonlat: Array, river: int = -1) -> tuple[Ints, Ints]:
        """Reach and side of positions (n, 2) in degrees; ``river`` (a number of ``self.river``) if it is known."""
        chains, rows = self._only(river)
        feet = chains.rivals(lonlat, 1.0, float(self.half_width_m[rows].max()))
        reach, away = rows[feet.line], np.abs(feet.offset_m)
        edge = np.abs(away - self.half_width_m[reach])
        # nearest reach of each river first (they come in that order); then the river whose edge is nearest
        pair = np.column_stack([feet.point, self.river[reach]])
        first, group = np.unique(pair, axis=0, return_index=True, return_inverse=True)[1:]
        order = np.lexsort((first, np.round(edge[first], 6), feet.point[first]))
        best = order[np.unique(feet.point[first][order], return_index=True)[1]]
        # outside a bend between two reaches both are as near, and both decide the side
        joint = np.abs(away - away[first][group.ravel()]) < 1e-5
        lean = np.bincount(group.ravel(), np.where(joint, feet.lean, 0.0))
        sided = np.bincount(group.ravel(), joint & feet.sided) > 0
        side = np.where(sided, np.sign(lean), 0.0)[best].astype(np.int64)
        best = first[best]
        far = away[best] > self.max_offset_m + self.half_width_m[reach[best]]
        return np.where(far, -1, reach[best]), np.where(far, 0, side)

    def crossings(self, line: shapely.LineString) -> list[tuple[shapely.Point, int]]:
        """Where a line meets reaches, in order along it: point in degrees and position of the reach."""
        found = []
        for reach in self._tree.query(line, predicate="intersects"):
            for part in shapely.get_parts(shapely.intersection(line, self.lines[reach])):
                found.append((shapely.Point(part.coords[0]), int(reach)))
        return sorted(found, key=lambda f: line.project(f[0]))

    def runs(self, line: shapely.LineString) -> list[Run]:
        """The pieces of a line (degrees) in order along it; of a ring in order round it, wherever it was begun."""
        found = self._cut_runs(line)
        if not line.is_closed or len(found) < 2:
            return _together(self._over_mouths(found))
        # a ring is read from its longest run on, and comes back to it
        longest = max(range(len(found)), key=lambda i: found[i].line.length)
        found = _round(found[longest:] + found[:longest])
        return _round(self._over_mouths([*found, found[0]])[:-1]) if len(found) > 1 else found

    def _cut_runs(self, line: shapely.LineString) -> list[Run]:
        at = [line.project(point) for point, _ in self.crossings(line)]
        stops = [0.0, *at, line.length]
        parts = [substring(line, a, b) for a, b in pairwise(stops) if b > a]
        parts = [p for p in parts if p.geom_type == "LineString" and crs.length_m(p) > _LEAST_M]
        return [run for part in parts for run in self._runs(part, -1)]

    def _runs(self, line: shapely.LineString, river: int) -> Iterator[Run]:
        """Pieces of a line that crosses no reach, except at its ends."""
        axis = Axis(line)
        even = np.linspace(0, axis.length_m, int(np.ceil(axis.length_m / self.step_m)) + 1)
        at = np.unique(np.r_[even, axis.vertices_m])
        # the ends may lie on a reach and have no side there
        at = np.unique(np.clip(at, *np.array([0.25, 0.75]) * axis.length_m)) if len(at) < 3 else at[1:-1]
        lonlat = shapely.get_coordinates(axis.points_at(at))
        reach, side = self.assign(lonlat, river)
        change = np.flatnonzero((np.diff(reach) != 0) | (np.diff(side) != 0))
        share = self._narrowed(lonlat[change], lonlat[change + 1], reach[change], side[change], river)
        stops = np.r_[0.0, at[change] + share * (at[change + 1] - at[change]), axis.length_m]
        for first, start, end in zip(np.r_[0, change + 1], stops[:-1], stops[1:], strict=True):
            if end - start > _LEAST_M:
                yield Run(int(reach[first]), int(side[first]), axis.stretch(float(start), float(end)))

    def _narrowed(self, a: Array, b: Array, reach: Ints, side: Ints, river: int) -> Array:
        """How far from a to b (0..1) what is beside stays that of a."""
        low, high = np.zeros(len(a)), np.ones(len(a))
        for _ in range(_HALVINGS if len(a) else 0):
            middle = (low + high) / 2
            r, s = self.assign(a + (b - a) * middle[:, None], river)
            still = (r == reach) & (s == side)
            low, high = np.where(still, middle, low), np.where(still, high, middle)
        return (low + high) / 2

    def _over_mouths(self, runs: list[Run]) -> list[Run]:
        """A bank line drawn on across the mouth of a tributary stays with the river it follows.

        main ---L---.tributary.---L---    the two short runs beside the tributary lie between runs of one bank of one river
        """
        out: list[Run] = []
        i = 0
        while i < len(runs):
            river = self._crossed(out[-1] if out else None, *runs[i : i + 3])
            if river < 0:
                out.append(runs[i])
                i += 1
                continue
            for run in runs[i : i + 2]:
                out += self._runs(run.line, river)
            i += 2
        return out

    def _crossed(self, before: Run | None, *ahead: Run) -> int:
        """The river that goes on over a mouth crossed by the next two runs; -1 if they cross none."""
        if before is None or len(ahead) < 3 or min(before.reach, *(r.reach for r in ahead)) < 0:
            return -1
        one, two, after = ahead
        river = self.river[before.reach]
        on = self.river[after.reach] == river and before.side == after.side != 0
        over = self.river[one.reach] == self.river[two.reach] != river and one.side == -two.side != 0
        return int(river) if on and over else -1


def _together(runs: list[Run]) -> list[Run]:
    """Runs that follow each other beside the same reach on the same side, joined."""
    out: list[Run] = []
    for run in runs:
        if out and (out[-1].reach, out[-1].side) == (run.reach, run.side) and _meet(out[-1].line, run.line):
            xy = [shapely.get_coordinates(out[-1].line), shapely.get_coordinates(run.line)[1:]]
            out[-1] = replace(run, line=shapely.LineString(np.vstack(xy)))
        else:
            out.append(run)
    return out


def _round(runs: list[Run]) -> list[Run]:
    """The same of the runs of a ring, where the last may go on in the first."""
    runs = _together(runs)
    if len(runs) > 1 and len(joined := _together([runs[-1], runs[0]])) == 1:
        return joined + runs[1:-1]
    return runs


def _meet(one: shapely.LineString, two: shapely.LineString) -> bool:
    return bool(np.abs(np.subtract(one.coords[-1], two.coords[0])).max() < 1e-7)
