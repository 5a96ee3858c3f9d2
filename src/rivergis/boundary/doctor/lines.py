"""Boundary lines laid along their reaches: which reach, which bank by label and by ground, which way they run, and their profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis.boundary.doctor.axes import Axes, Bools, Floats, Ints, along

SIDES = {
    "l": 1, "left": 1, "左": 1, "左岸": 1, "zuo": 1,
    "r": -1, "right": -1, "右": -1, "右岸": -1, "you": -1,
}  # fmt: skip
DENSE_M = 25.0
"""Longest step between two points of a profile."""


def side_of(bank: str | None) -> int:
    """+1 for the words of a left bank, -1 for those of a right one, 0 for others."""
    return SIDES.get(str(bank).strip().lower(), 0)


@dataclass(frozen=True)
class Profile:
    """Points of lines in chainage and signed offset (left +); ``of``: row of the line; ``beyond``: metres past an end of the reach."""

    xy: Floats
    of: Ints
    along: Floats
    s: Floats
    o: Floats
    beyond: Floats


@dataclass
class Laid:
    """Lines as they are asked about: working shapes that run downstream, and what was found out about each row.

    ``reach``: position of its reach, by its id or, where that is unknown, by the ground; ``label`` and ``side``: +1 left,
    -1 right, as the file says and as it lies; ``main``: rows that are neither doubles nor loose pieces nor on the wrong bank.
    """

    axes: Axes
    shapes: Any
    reach: Ints
    known: Bools
    label: Ints
    side: Ints
    reversed: Bools
    main: Bools
    county: Any
    bank: Ints = field(init=False)
    """The bank a row stands for: where it lies, unless nothing is known of that or it lies on the wrong one."""

    def __post_init__(self) -> None:
        self.bank = np.where(self.side != 0, self.side, self.label)

    def set_aside(self, rows: Ints) -> None:
        """Rows on the wrong bank: they keep the bank they are written for, and say nothing about either."""
        self.bank[rows] = self.label[rows]
        self.main[rows] = False

    @cached_property
    def profile(self) -> Profile:
        return profile(self.axes, self.shapes, self.reach)

    @cached_property
    def ends(self) -> tuple[Floats, Floats]:
        """First and last points of the rows (n, 2)."""
        return (
            shapely.get_coordinates(shapely.get_point(self.shapes, 0)),
            shapely.get_coordinates(shapely.get_point(self.shapes, -1)),
        )

    @cached_property
    def span(self) -> tuple[Floats, Floats]:
        """Chainage of the first and last point of each row, beyond the ends of its reach too."""
        first, last = self.ends
        a, _, a_out = self.axes.feet(self.reach, first)
        b, _, b_out = self.axes.feet(self.reach, last)
        return a + a_out, b + b_out

    @cached_property
    def length(self) -> Floats:
        return np.asarray(shapely.length(self.shapes), float)


def profile(axes: Axes, shapes: Any, reach: Ints) -> Profile:
    """Points of lines at most ``DENSE_M`` apart, placed along their reaches."""
    dense = shapely.segmentize(shapes, DENSE_M)
    xy, of = shapely.get_coordinates(dense, return_index=True)
    s, o, beyond = axes.feet(reach[of], xy)
    return Profile(xy, of.astype(np.int64), along(xy, of), s, o, beyond)


def lay(
    lines: gpd.GeoDataFrame, shapes: Any, axes: Axes, counties: gpd.GeoDataFrame | None, banks: Sequence[str]
) -> Laid:
    """Lay working shapes of lines along their reaches. ``shapes``: LineStrings, one a row of ``lines``, all usable.

    ``banks``: the words that may stand for a bank; any other word says nothing, and the ground decides.
    """
    row = lines["reach_id"].map(axes.row)
    known = row.notna().to_numpy()
    reach = row.fillna(-1).to_numpy(np.int64)
    if (~known).any():
        reach[~known] = nearest_reach(axes, shapes[~known])
    rough = profile(axes, shapes, reach)
    label = (
        lines["bank"]
        .map({b: side_of(b) if b in banks else 0 for b in lines["bank"].unique()})
        .fillna(0)
        .to_numpy(np.int64)
    )
    back = _runs_upstream(rough, len(shapes), shapely.length(shapes))
    shapes = np.where(back, shapely.reverse(shapes), shapes)
    county = _counties(lines, shapes, counties)
    main = np.ones(len(shapes), bool)
    laid = Laid(axes, shapes, reach, known, label, _sides(rough, len(shapes)), back, main, county)
    if not back.any():
        laid.profile = rough
    return laid


def nearest_reach(axes: Axes, shapes: Any) -> Ints:
    """The reach that most of each line lies next to."""
    out = np.empty(len(shapes), np.int64)
    for i, line in enumerate(shapes):
        points = shapely.line_interpolate_point(line, np.linspace(0.1, 0.9, 9), normalized=True)
        out[i] = np.bincount(axes.tree.nearest(points)).argmax()
    return out


def _weights(p: Profile) -> Floats:
    """Metres of line that each point stands for."""
    step = np.diff(p.along, append=p.along[-1:])
    step = np.where(np.r_[p.of[1:] != p.of[:-1], True], 0.0, step)
    before = np.r_[0.0, step[:-1]]
    return np.asarray((step + before) / 2, float)


def _sides(p: Profile, n: int) -> Ints:
    """The bank most of each line lies on; what lies beyond an end of the reach does not vote."""
    vote = np.sign(p.o) * np.maximum(_weights(p), 1e-6) * np.where(p.beyond == 0.0, 1.0, 1e-6)
    return np.sign(np.bincount(p.of, vote, minlength=n)).astype(np.int64)


def _runs_upstream(p: Profile, n: int, length: Floats) -> Bools:
    """Lines whose vertices run up the reach, by the way from their first to their last point."""
    starts, stops = np.searchsorted(p.of, np.arange(n)), np.searchsorted(p.of, np.arange(n), side="right") - 1
    s = p.s + p.beyond
    return np.asarray(s[stops] - s[starts] < -0.3 * length, bool)


def _counties(lines: gpd.GeoDataFrame, shapes: Any, counties: gpd.GeoDataFrame | None) -> Any:
    """The county each line is drawn by: as it says, else where it lies, else None."""
    named = lines["county"].to_numpy(object).copy()
    empty = np.array([v is None for v in named])
    if counties is not None and empty.any():
        middle = shapely.line_interpolate_point(shapes[empty], 0.5, normalized=True)
        point, area = shapely.STRtree(counties.geometry.values).query(middle, predicate="within")
        where = np.flatnonzero(empty)
        named[where[point]] = counties["county"].to_numpy(object)[area]
    return named
