"""Lakes and reservoirs (湖泊、水库) in a draft: their line runs round them, and the lines of rivers end at it.

Lake: the area below the design flood level with islands and beaches, or the locally legislated distance outside the shore;
reservoir: dam, its range, and the area below the check flood level or inside the land-acquisition line, as the rules say.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import geometry
from rivergis.boundary.drafting.course import Piece
from rivergis.boundary.drafting.curves import Curve, Floats, tidy
from rivergis.boundary.drafting.frames import Basis, Reach

_ON_M = 1e-4


@dataclass(frozen=True)
class Standing:
    """A lake or reservoir: ``area`` inside its line (MultiPolygon, metres), with the basis of that line."""

    code: str
    area: shapely.MultiPolygon
    basis: Basis


def cut_off(pieces: Sequence[Piece], area: Any) -> list[Piece]:
    """Pieces of a river's line without what lies inside standing waters; kept pieces stay."""
    out: list[Piece] = []
    for piece in pieces:
        if piece.row is not None or not shapely.intersects(area, piece.curve.line):
            out.append(piece)
            continue
        for part in geometry.lines_of(shapely.difference(piece.curve.line, area)):
            if part.length > 1.0:
                out.append(replace(piece, curve=_on(piece.curve, part)))
    return sorted(out, key=lambda p: p.from_m)


def _on(curve: Curve, part: shapely.LineString) -> Curve:
    """A part of a curve's line as a curve."""
    xy = shapely.get_coordinates(part)
    run = shapely.line_locate_point(curve.line, shapely.points(xy))
    if run[-1] < run[0]:
        xy, run = xy[::-1], run[::-1]
    return Curve(xy, np.interp(run, curve.run_m, curve.at_m))


Row = Callable[[str, Reach, None, str | None, Basis, Curve], dict[str, Any]]


def rows(
    waters: Sequence[Standing],
    lines: Sequence[Mapping[str, Any]],
    shapes: Mapping[int, Any],
    row: Row,
    counties: gpd.GeoDataFrame | None,
    by_county: Callable[[Curve, gpd.GeoDataFrame | None], list[tuple[str | None, Curve]]],
) -> list[dict[str, Any]]:
    """Rows of the lines round standing waters, open where rivers come in and go out. ``lines``: rows of the rivers."""
    if not waters:
        return []
    ends = np.vstack([shapely.get_coordinates(r["geometry"])[[0, -1]] for r in lines] or [np.empty((0, 2))])
    rivers = shapely.union_all(list(shapes.values())) if shapes else shapely.Polygon()
    out = []
    for water in waters:
        number = itertools.count(1)
        for polygon in shapely.get_parts(water.area):
            for curve in _open(polygon, ends, rivers):
                for county, part in by_county(curve, counties):
                    reach = Reach(water.code, part.line)
                    out.append(row(f"{water.code}-{next(number):02d}", reach, None, county, water.basis, part))
    return out


def _open(polygon: shapely.Polygon, ends: Floats, rivers: Any) -> list[Curve]:
    """The outline of a water, land on the right, without the mouths of rivers."""
    ring = shapely.get_coordinates(shapely.orient_polygons(polygon).exterior)
    curve = Curve(ring, np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(ring, axis=0).T))]))
    on = ends[shapely.distance(shapely.points(ends), curve.line) < _ON_M] if len(ends) else ends
    if not len(on):
        return [curve]
    run = shapely.line_locate_point(curve.line, shapely.points(on))
    order = np.argsort(run)
    run, on = run[order], on[order]
    kept = np.concatenate([[True], np.diff(run) > 0.01])
    run, on = run[kept], on[kept]
    arcs = []
    for k in range(len(run)):
        arc = _arc(curve, run[k], run[(k + 1) % len(run)], on[k], on[(k + 1) % len(run)])
        middle = arc.line.interpolate(0.5, normalized=True)
        if shapely.distance(middle, rivers) > 0.01:
            arcs.append(arc)
    return arcs


def _arc(curve: Curve, a: float, b: float, first: Floats, last: Floats) -> Curve:
    """The outline from one place on to another, with the very ends of the rivers' lines."""
    if a < b:
        inside = (curve.run_m > a + 0.01) & (curve.run_m < b - 0.01)
        xy, at = curve.xy[inside], curve.at_m[inside]
    else:
        tail, head = curve.run_m > a + 0.01, curve.run_m < b - 0.01
        xy = np.vstack([curve.xy[tail][:-1], curve.xy[head]])
        at = np.concatenate([curve.at_m[tail][:-1], curve.at_m[head] + curve.run_m[-1]])
    end = b if a < b else b + curve.run_m[-1]
    return tidy(np.vstack([first, xy, last]), np.concatenate([[a], at, [end]]))


def area_rows(
    waters: Sequence[Standing],
    make: Callable[..., list[dict[str, Any]]],
    counties: gpd.GeoDataFrame | None,
    line_type: str,
) -> list[dict[str, Any]]:
    """Rows of the areas of standing waters."""
    return [
        row
        for water in waters
        for row in make(Reach(water.code, shapely.LineString()), water.area, counties, line_type, [water.basis])
    ]
