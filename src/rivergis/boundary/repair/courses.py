"""Where a boundary line should run between two of its vertices (边线应有走向): four sources, each with its own trust.

The edge of the area of the same reach (the line and the area were drawn as one), the rule (toe of the levee or bank plus the metres of
the limits), the former version, and a parallel to the reach. Everything in metres of the case; nothing is drawn where a source is silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis import geometry
from rivergis.boundary.doctor.case import Case
from rivergis.boundary.repair.case import frame_of

Array = npt.NDArray[np.float64]
LEFT = {"l", "left", "左", "左岸"}
RIGHT = {"r", "right", "右", "右岸"}


def side_of_word(bank: Any) -> str | None:
    """left or right for a word of a file; None for any other."""
    word = str(bank).strip().lower()
    return "left" if word in LEFT else "right" if word in RIGHT else None


@dataclass(frozen=True)
class Course:
    """A source of shape: its name as in ``Repair.basis`` and lines that run as the boundary should, in any direction."""

    basis: str
    line: Any

    def between(self, start: Array, end: Array, reach: Any, reach_m: float) -> Array | None:
        """Vertices strictly between two positions along the course; None where it does not come within ``reach_m`` of both.

        Of the two ways round a ring the one that does not cross the reach is taken, else the shorter.
        """
        a, b = shapely.Point(start), shapely.Point(end)
        best: Array | None = None
        for part in shapely.get_parts(self.line):
            if part.distance(a) > reach_m or part.distance(b) > reach_m:
                continue
            for way in _ways(part, a, b):
                if not crosses(way, reach) and (best is None or _length(way) < _length(best)):
                    best = way
        return None if best is None else best[1:-1]


def crosses(xy: Array, reach: Any) -> bool:
    """Whether a way crosses a reach or runs into it."""
    return len(xy) > 1 and bool(shapely.LineString(xy).distance(reach) < 0.01)


def _length(xy: Array) -> float:
    return float(np.hypot(*np.diff(xy, axis=0).T).sum())


def _ways(part: Any, a: Any, b: Any) -> Iterator[Array]:
    """The stretch of a line between two positions as vertices from a to b, both ways round where it is closed."""
    s, t = part.line_locate_point(a), part.line_locate_point(b)
    forth = s <= t
    lo, hi = (s, t) if forth else (t, s)
    inner = _stretch(part, lo, hi)
    yield inner if forth else inner[::-1]
    if part.is_closed:
        outer = np.vstack([_stretch(part, hi, part.length), _stretch(part, 0.0, lo)[1:]])
        yield outer[::-1] if forth else outer


def _stretch(part: Any, lo: float, hi: float) -> Array:
    cut = shapely.get_coordinates(shapely.ops.substring(part, lo, hi))
    return np.asarray(cut if len(cut) > 1 else np.vstack([cut, cut]), dtype=np.float64)


class Ground:
    """What a case knows about the course of lines, looked up by reach."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._by_reach: dict[int, Any] = {}  # the frames of a case live as long as this

    @cached_property
    def reaches(self) -> dict[str, Any]:
        """Reach id -> centre line, digitised downstream."""
        return dict(zip(self.case.reaches["reach_id"].astype(str), self.case.reaches.geometry, strict=True))

    @cached_property
    def widths(self) -> dict[str, float]:
        """Reach id -> width in metres where the file has it."""
        reaches = self.case.reaches
        if "width_m" not in reaches:
            return {}
        return {
            str(i): float(w)
            for i, w in zip(reaches["reach_id"], reaches["width_m"], strict=True)
            if w == w and w is not None
        }

    def named(self, layer: str, names: tuple[str, ...]) -> list[int]:
        """Positions of the features that a defect names, in the order of the layer."""
        at = self._names[layer]
        return sorted({row for n in names for row in at.get(str(n), ())})

    @cached_property
    def _names(self) -> dict[str, dict[str, list[int]]]:
        """Layer -> name -> positions; a name may be there twice."""
        found: dict[str, dict[str, list[int]]] = {}
        for layer, column in (("lines", "line_id"), ("areas", "area_id"), ("stakes", "stake_no")):
            frame, at = frame_of(self.case, layer), found.setdefault(layer, {})
            for row, name in enumerate(frame[column].astype(str) if frame is not None and column in frame else ()):
                at.setdefault(name, []).append(row)
        return found

    def shape(self, layer: str, row: int) -> Any:
        """The geometry at a position of a layer."""
        frame = frame_of(self.case, layer)
        return None if frame is None else frame.geometry.iloc[row]

    def value(self, layer: str, row: int, column: str) -> Any:
        """What a feature says in a column, None where it says nothing."""
        frame = frame_of(self.case, layer)
        value = None if frame is None or column not in frame else frame[column].iloc[row]
        return None if pd.isna(value) else value

    def side_of_row(self, row: int, reach: str) -> str | None:
        """left or right: what the line says, else where most of it lies."""
        return side_of_word(self.value("lines", row, "bank")) or self.side_lying(row, reach)

    def side_lying(self, row: int, reach: str) -> str | None:
        """left or right as most of a line lies along its reach."""
        shape, axis = self.shape("lines", row), self.reaches.get(reach)
        if axis is None or not geometry.finite(shape):
            return None
        votes = geometry.side_of(
            axis, shapely.line_interpolate_point(shape, np.linspace(0.1, 0.9, 9), normalized=True)
        ).sum()
        return "left" if votes > 0 else "right" if votes < 0 else None

    def rows_of(self, layer: str, reach: str) -> Any:
        """The features of a layer at a reach, None where there is no such layer."""
        return self._rows(frame_of(self.case, layer), reach)

    @cached_property
    def _stakes(self) -> Any:
        stakes = self.case.stakes
        return shapely.STRtree([] if stakes is None else stakes.geometry.to_numpy())

    def stakes_near(self, line: Any, distance_m: float) -> list[int]:
        """Positions of stakes within a distance of a line."""
        return np.sort(self._stakes.query(line, predicate="dwithin", distance=distance_m)).tolist()

    def _rows(self, frame: Any, reach: str) -> Any:
        if frame is None or "reach_id" not in frame:
            return None
        key = id(frame)
        if key not in self._by_reach:
            self._by_reach[key] = frame.groupby(frame["reach_id"].astype(str)).indices
        return frame.iloc[self._by_reach[key].get(reach, [])]

    def areas_of(self, reach: str) -> list[tuple[int, Any]]:
        """Positions and Polygons of the areas of a reach that are closed and sound."""
        mine = self._rows(self.case.areas, reach)
        if mine is None:
            return []
        sound = [
            (i, g) for i, g in zip(mine.index, mine.geometry, strict=True) if g is not None and g.geom_type == "Polygon"
        ]
        return [(int(i), g) for i, g in sound if g.is_valid and not g.is_empty]

    def courses(self, reach: str, side: str, basis: Any) -> Iterator[Course]:
        """Every source for a bank of a reach, the one most to be trusted first."""
        if reach not in self.reaches:
            return
        for _, area in self.areas_of(reach):
            yield Course("area_edge", area.exterior)
        rule = self.rule(reach, side, basis)
        if rule is not None:
            yield Course("rule", rule)
        former = self.former(reach, side)
        if former is not None:
            yield Course("former", former)

    def former(self, reach: str, side: str) -> Any:
        """Lines of the former version of a bank, or None."""
        mine = self._rows(self.case.former, reach)
        if mine is None or not len(mine):
            return None
        same = [
            g
            for g, b in zip(mine.geometry, mine["bank"], strict=True)
            if side_of_word(b) == side and geometry.finite(g)
        ]
        return shapely.MultiLineString([p for g in same for p in geometry.lines_of(g)]) if same else None

    def rule(self, reach: str, side: str, basis: Any) -> Any:
        """The line by its rule: toe of the levees of the bank plus berm, or bank plus offset; None where no rule is given."""
        limits = self.case.limits
        if str(basis) not in limits.rule_basis:
            return None
        if "levee" in str(basis):
            return self._beyond_toes(reach, side)
        width = self.widths.get(reach)
        if width is None or limits.bank_offset_m is None:
            return None
        # a range of metres is no course: only one value draws a line
        offset = next(
            (low if low == high else None for widest, low, high in limits.bank_offset_m if width <= widest), None
        )
        water = self._rows(self.case.water, reach)
        if offset is None or water is None or not len(water):
            return None
        shape = shapely.buffer(shapely.union_all(water.geometry.to_numpy()), offset, quad_segs=32)
        return shapely.MultiLineString([p.exterior for p in shapely.get_parts(shape)])

    def _beyond_toes(self, reach: str, side: str) -> Any:
        levees, berms = self._rows(self.case.levees, reach), self.case.limits.berm_m
        if levees is None or not len(levees) or berms is None:
            return None
        lines = []
        for toe, bank, grade in zip(levees.geometry, levees["bank"], levees["grade"], strict=True):
            berm = berms.get(str(grade).removesuffix(".0"))
            if berm is not None and side_of_word(bank) == side:
                lines.append(self._outward(toe, berm, self.reaches[reach]))
        return shapely.MultiLineString(lines) if lines else None

    def _outward(self, toe: Any, berm_m: float, reach: Any) -> Any:
        """A toe moved away from its river."""
        both = [shapely.offset_curve(toe, d, quad_segs=32) for d in (berm_m, -berm_m)]
        both = [max(shapely.get_parts(c), key=lambda p: p.length) for c in both if not c.is_empty]
        return max(both, key=lambda c: c.interpolate(0.5, normalized=True).distance(reach))


def parallel(start: Array, end: Array, reach: Any) -> Array | None:
    """Vertices between two positions that run along a reach, the distance to it changing evenly; None along less than a metre."""
    points = shapely.points(np.vstack([start, end]))
    at = shapely.line_locate_point(reach, points)
    side = geometry.side_of(reach, points)
    if abs(at[1] - at[0]) < 1.0 or side[0] != side[1] or 0 in side:
        return None
    away = shapely.distance(reach, points)
    step = max(abs(at[1] - at[0]) / max(round(abs(at[1] - at[0]) / 8.0), 2), 0.5)
    along = np.arange(min(at) + step, max(at) - step / 2, step)
    along = along if at[0] < at[1] else along[::-1]
    share = (along - at[0]) / (at[1] - at[0])
    return on_normals(reach, along, side[0] * (away[0] + share * (away[1] - away[0])))


def on_normals(reach: Any, along_m: Array, offset_m: Array) -> Array:
    """Positions beside a reach: ``along_m`` from its first vertex, ``offset_m`` to the left (negative: right)."""
    span = min(6.0, reach.length / 4)

    def at(ahead_m: float) -> Array:
        points = shapely.line_interpolate_point(reach, np.clip(along_m + ahead_m, 0, reach.length))
        return np.asarray(shapely.get_coordinates(points), dtype=np.float64)

    a, b, foot = at(-span), at(span), at(0.0)
    way = (b - a) / np.hypot(*(b - a).T)[:, None]
    return foot + offset_m[:, None] * np.column_stack([-way[:, 1], way[:, 0]])
