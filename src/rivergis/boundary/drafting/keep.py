"""A draft partly redone (局部重划): what people drew by hand stays to the last bit, what is redrawn is led to it.

Segments with ``hand_edited`` or drawn by hand are always kept; with a stretch named, everything outside of it is kept too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from rivergis import crs
from rivergis.boundary.drafting.course import Piece, without
from rivergis.boundary.drafting.curves import Curve, Floats, axis_curve, laid_along
from rivergis.boundary.drafting.frames import Basis, Reach

_NEAR_DEG = 1e-7
"""A centimetre: an end led to a kept end takes its very numbers."""


STORED_DIGITS = 9
"""Digits of degrees that are kept: a tenth of a millimetre."""
SHORTEST_M = 5.0
"""A stretch to be redrawn is at least this long: less has no room for a join."""


@dataclass(frozen=True)
class Only:
    """The stretch that is to be redrawn: a reach, and chainages of it (as in the files) or all."""

    reach: str
    from_m: float = -np.inf
    to_m: float = np.inf

    def covers(self, reach: str, from_m: float, to_m: float) -> bool:
        return reach == self.reach and from_m < self.to_m and to_m > self.from_m


def by_hand(lines: gpd.GeoDataFrame) -> pd.Series:
    """Which segments people drew or changed."""
    edited = lines["hand_edited"].map(lambda v: str(v).strip().lower() in ("1", "1.0", "true", "t", "是"))
    return edited | (lines["drawn_by"] == "hand")


def kept_pieces(
    lines: gpd.GeoDataFrame, reaches: Sequence[Reach], only: Sequence[Only]
) -> tuple[Mapping[tuple[int, str], list[Piece]], list[int]]:
    """Segments of an earlier draft (in metres) that stay, as pieces by reach and bank, and the rows that stay beside them.

    Rows of no reach, or of no bank (lakes), stay as rows only where they were made by hand or lie outside of ``only``.
    """
    number = {r.code: i for i, r in enumerate(reaches)}
    hand = by_hand(lines).to_numpy()
    out: dict[tuple[int, str], list[Piece]] = {}
    apart: list[int] = []
    for row, (code, bank, shape) in enumerate(zip(lines["reach_code"], lines["bank"], lines.geometry, strict=True)):
        i = number.get(code)
        if i is None or bank not in ("left", "right") or shape is None or shape.geom_type != "LineString":
            if hand[row] or only:
                apart.append(row)
            continue
        curve = _curve(lines.iloc[row], reaches[i], shape)
        for piece in _kept(row, curve, reaches[i], bool(hand[row]), only, lines.crs):
            out.setdefault((i, str(bank)), []).append(piece)
    return {k: sorted(v, key=lambda p: p.from_m) for k, v in out.items()}, apart


def redrawn(only: Sequence[Only], reaches: Sequence[Reach]) -> dict[int, list[tuple[float, float]]] | None:
    """The stretches to be drawn by number of the reach, metres from its first vertex; None: all of every reach."""
    if not only:
        return None
    number = {r.code: i for i, r in enumerate(reaches)}
    out: dict[int, list[tuple[float, float]]] = {}
    for o in only:
        i = number[o.reach]
        start, length = reaches[i].origin_m, reaches[i].length_m
        out.setdefault(i, []).append((max(o.from_m - start, 0.0), min(o.to_m - start, length)))
    return out


def codes(
    lines: gpd.GeoDataFrame, pieces: Mapping[tuple[int, str], Sequence[Piece]], apart: Sequence[int]
) -> frozenset[str]:
    """Codes of the segments that stay: nothing new may take one of them."""
    rows = {*apart, *(p.row for mine in pieces.values() for p in mine if p.row is not None)}
    return frozenset(lines["code"].iloc[sorted(rows)].astype(str))


def _curve(row: pd.Series, reach: Reach, shape: shapely.LineString) -> Curve:
    """A kept line with the chainages it says it has, else those of the places it lies beside."""
    curve = laid_along(shapely.force_2d(shape), axis_curve(reach.axis))
    a, b = (pd.to_numeric(row[c], errors="coerce") - reach.origin_m for c in ("from_m", "to_m"))
    if not (-1.0 <= a < b <= reach.length_m * 1.01 + 1.0) or curve.to_m <= curve.from_m:
        return curve
    share = (curve.at_m - curve.from_m) / (curve.to_m - curve.from_m)
    return Curve(curve.xy, max(a, 0.0) + share * (min(b, reach.length_m) - max(a, 0.0)))


def _kept(row: int, curve: Curve, reach: Reach, hand: bool, only: Sequence[Only], system: CRS) -> list[Piece]:
    whole = Piece(curve, Basis("hand"), True, row)
    a, b = curve.from_m + reach.origin_m, curve.to_m + reach.origin_m
    redrawn = [o for o in only if o.covers(reach.code, a, b)]
    if hand or (only and not redrawn):
        return [whole]
    if not only:
        return []
    rest = without((curve.from_m, curve.to_m), [(o.from_m - reach.origin_m, o.to_m - reach.origin_m) for o in redrawn])
    return [Piece(_as_stored(curve.part(x, y), system), Basis("hand"), True, row, cut=True) for x, y in rest]


def _as_stored(curve: Curve, system: CRS) -> Curve:
    """A curve with the vertices it will have when it is read again, so that redoing twice changes nothing."""
    lonlat = np.round(crs.into_storage(system)(curve.xy), STORED_DIGITS)
    return Curve(crs.out_of_storage(system)(lonlat), curve.at_m)


def with_kept_ends(lines: npt.NDArray[Any], kept: gpd.GeoSeries) -> npt.NDArray[Any]:
    """Lines whose ends lie on ends of kept lines (both in degrees) with the very numbers of those."""
    if not len(kept) or not len(lines):
        return lines
    ends = np.vstack([shapely.get_coordinates(g)[[0, -1]] for g in kept])
    tree = shapely.STRtree(shapely.points(ends))
    return np.array([_ended(line, tree, ends) for line in lines], dtype=object)


def _ended(line: shapely.LineString, tree: shapely.STRtree, ends: Floats) -> shapely.LineString:
    xy = shapely.get_coordinates(line)
    for k in (0, -1):
        near = tree.query(shapely.Point(xy[k]).buffer(_NEAR_DEG))
        if len(near):
            away = np.abs(ends[near] - xy[k]).max(axis=1)
            if away.min() <= _NEAR_DEG:
                xy[k] = ends[near[int(np.argmin(away))]]
    return shapely.LineString(xy)
