"""Geometry words that every domain uses; shapes in, shapes out, no units assumed unless named."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry


def polygons_of(geometry: BaseGeometry | None) -> shapely.MultiPolygon:
    """The area parts of a geometry as one valid MultiPolygon (empty if there are none).

    ``make_valid`` keeps both lobes of a crossed ring but may also return lines; only the areas are kept.
    """
    if geometry is None or geometry.is_empty:
        return shapely.MultiPolygon()
    parts = _simple_parts(np.array([geometry]))
    if not geometry.is_valid:
        # part by part: parts that overlap are ground once, not ground and hole
        parts = _simple_parts(shapely.make_valid(parts))
    parts = [p for p in parts if p.geom_type == "Polygon"]
    union = shapely.union_all(parts) if len(parts) > 1 else (parts[0] if parts else shapely.MultiPolygon())
    return shapely.MultiPolygon([p for p in shapely.get_parts(union) if not p.is_empty])


def _simple_parts(shapes: np.ndarray) -> Any:
    """Points, lines and polygons of shapes, however deep collections hold them."""
    while (shapely.get_type_id(shapes) > 3).any():
        shapes = shapely.get_parts(shapes)
    return shapes


def lines_of(geometry: BaseGeometry | None) -> list[shapely.LineString]:
    """The line parts of a geometry, merged where they join end to end."""
    if geometry is None or geometry.is_empty:
        return []
    merged = shapely.line_merge(geometry) if geometry.geom_type == "MultiLineString" else geometry
    return [g for g in shapely.get_parts(merged) if g.geom_type in ("LineString", "LinearRing") and g.length > 0]


def finite(geometry: BaseGeometry | None) -> bool:
    """Whether a geometry exists, is not empty and has only finite coordinates."""
    if geometry is None or geometry.is_empty:
        return False
    return bool(np.isfinite(shapely.get_coordinates(geometry)).all())


def narrower_than(geometry: BaseGeometry, width_m: float) -> bool:
    """Whether an area vanishes under an inward buffer of half a width (geometry and width in metres).

    A tolerance by width, not by area: a 100 m long sliver has area but no width.
    """
    return bool(vanish(np.array([geometry]), width_m)[0])


def vanish(shapes: np.ndarray, width_m: float) -> np.ndarray:
    """Which areas (n,) vanish under an inward buffer of half a width; see ``narrower_than``."""
    with np.errstate(invalid="ignore"):  # mitres of parallel edges
        return np.asarray(shapely.is_empty(shapely.buffer(shapes, -width_m / 2, join_style="mitre")))


def side_of(line: shapely.LineString, points: Any) -> np.ndarray:
    """+1 where a point lies left of a line in its digitised direction, -1 right, 0 on it.

    ``points``: array of shapely points in the line's coordinates. Asked of the segment nearest to each point;
    at a vertex the sum of both neighbours decides, so that the outside of a bend is told rightly.
    """
    points = np.atleast_1d(np.asarray(points, dtype=object))
    at = shapely.line_locate_point(line, points)
    step = max(line.length * 1e-6, 1e-9)
    before = shapely.get_coordinates(shapely.line_interpolate_point(line, np.maximum(at - step, 0)))
    after = shapely.get_coordinates(shapely.line_interpolate_point(line, np.minimum(at + step, line.length)))
    foot = shapely.get_coordinates(shapely.line_interpolate_point(line, at))
    towards = shapely.get_coordinates(points) - foot
    along = after - before
    return np.sign(along[:, 0] * towards[:, 1] - along[:, 1] * towards[:, 0])
