"""Does a boundary line make sense for its river? The first few questions a planner asks.

Each defect names its line, a stable code, a place and the measured value. Thin on purpose: two questions that
no topology check can ask, because only a boundary line knows its river.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from rivergis import crs, geometry


@dataclass(frozen=True)
class Defect:
    """One defect: code, position of the line in the frame, where (points and length in metres), and its measure."""

    code: str  # crosses_axis, wrong_bank
    row: int
    place: shapely.Point
    length_m: float
    part: shapely.LineString


def check_lines(lines: gpd.GeoDataFrame, axes: gpd.GeoDataFrame, min_length_m: float) -> list[Defect]:
    """Stretches of boundary lines that lie on the wrong side of their own river.

    ``lines``: LineStrings in metres with river_id and bank (looking downstream); ``axes``: LineStrings in metres
    with river_id, digitised downstream. A stretch on the other bank of at least ``min_length_m`` is a defect:
    ``wrong_bank`` when it is the whole line, else ``crosses_axis``.
    """
    crs.require_metric(lines)
    crs.require_metric(axes)
    axis_of = dict(zip(axes["river_id"], axes.geometry, strict=True))
    found: list[Defect] = []
    for row, (river_id, bank, line) in enumerate(zip(lines["river_id"], lines["bank"], lines.geometry, strict=True)):
        if river_id in axis_of:
            found += _wrong_side(row, line, axis_of[river_id], bank, min_length_m)
    return found


def _wrong_side(
    row: int, line: shapely.LineString, axis: shapely.LineString, bank: str, min_length_m: float
) -> list[Defect]:
    """Parts of one line between its crossings with the axis that lie on the other bank."""
    pieces = geometry.lines_of(shapely.difference(line, axis.buffer(0.01, cap_style="flat")))
    wanted = 1.0 if bank == "left" else -1.0
    wrong = [p for p in pieces if p.length >= min_length_m and _side(p, axis) == -wanted]
    code = (
        "wrong_bank" if wrong and len(wrong) == len([p for p in pieces if p.length >= min_length_m]) else "crosses_axis"
    )
    return [Defect(code, row, p.interpolate(0.5, normalized=True), float(p.length), p) for p in wrong]


def _side(piece: shapely.LineString, axis: shapely.LineString) -> float:
    """Side of the axis that most of a piece lies on; points beyond the ends of the axis do not vote."""
    points = shapely.line_interpolate_point(piece, np.linspace(0.05, 0.95, 9), normalized=True)
    at = shapely.line_locate_point(axis, points)
    inner = (at > 1.0) & (at < axis.length - 1.0)
    return float(np.sign(geometry.side_of(axis, points)[inner].sum())) if inner.any() else 0.0
