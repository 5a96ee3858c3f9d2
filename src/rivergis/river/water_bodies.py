"""Water areas as connected bodies, and what kind of water those are that do not say it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from rivergis import crs, geometry
from rivergis.river.drawn import Floats, Ints, NetworkDefect

Shapes = npt.NDArray[np.object_]

ELONGATED = 10.0
"""perimeter^2 / (4 area) of a channel about eight times as long as wide; a circle has 3.1, a square 4."""
ALONG = 0.5
"""Share of half its perimeter for which an area must be followed by lines to be their channel."""


def bodies(shapes: Shapes) -> tuple[Shapes, Ints]:
    """Areas that touch or overlap as one Polygon each, and for every area the body it lies in (-1 where it is empty).

    An area of several parts counts with its largest.
    """
    parts, owner = shapely.get_parts(shapes, return_index=True)
    a, b = shapely.STRtree(parts).query(parts, predicate="intersects")
    graph = coo_matrix((np.ones(len(a)), (a, b)), shape=(len(parts), len(parts)))
    n, group = connected_components(graph, directed=False)
    merged = parts[np.unique(group, return_index=True)[1]]
    for g in np.flatnonzero(np.bincount(group, minlength=n) > 1):
        merged[g] = shapely.union_all(parts[group == g])
    whole = shapely.get_parts(merged)
    member = np.full(len(shapes), -1, dtype=np.int64)
    within, spot = shapely.STRtree(shapely.point_on_surface(parts)).query(whole, predicate="intersects")
    by_size = np.argsort(shapely.area(parts)[spot], kind="stable")  # the last written is the largest
    member[owner[spot[by_size]]] = within[by_size]
    return whole, member


def polygons(areas: gpd.GeoDataFrame) -> Shapes:
    """The areas as valid MultiPolygons (a crossed ring gives both its lobes)."""
    out = np.empty(len(areas), dtype=object)
    out[:] = [geometry.polygons_of(g) for g in areas.geometry]
    return out


def judged(
    areas: gpd.GeoDataFrame, pieces: gpd.GeoDataFrame, *, max_half_width_m: float
) -> tuple[gpd.GeoDataFrame, list[NetworkDefect]]:
    """The water areas with every ``unknown`` kind decided: is this water a channel or a lake? (水面类别推测)

    ``areas`` (Polygon or MultiPolygon, column ``kind``) and ``pieces`` (LineString) in one metric CRS.
    The rule: touching unknown areas are judged together. They are a river where they are elongated (perimeter^2 over four
    times the area, without islands, at least ``ELONGATED``), followed by river lines (length inside at least ``ALONG`` of
    half the perimeter), and on average no wider than twice ``max_half_width_m``; else a lake. A guess about water that a
    line touches has consequences and is listed as ``water_kind_guessed`` (info; measure: the elongation).
    Raises ``CrsRefused`` for frames in degrees.
    """
    crs.require_metric(areas)
    rows = np.flatnonzero((areas["kind"] == "unknown").to_numpy())
    if not len(rows):
        return areas, []
    shapes = polygons(areas.iloc[rows])
    whole, member = bodies(shapes)
    elongation, river, touched = _by_shape(whole, pieces, max_half_width_m)
    kinds = areas["kind"].to_numpy(dtype=object).copy()
    kinds[rows] = np.where((member >= 0) & river[member], "river", "lake")
    guesses = [
        _guess(shapes[k], kinds[row], elongation[member[k]])
        for k, row in enumerate(rows)
        if member[k] >= 0 and touched[member[k]]
    ]
    return areas.assign(kind=kinds), guesses


def _by_shape(
    whole: Shapes, pieces: gpd.GeoDataFrame, max_half_width_m: float
) -> tuple[Floats, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Elongation of each body, whether it is a river, and whether a line touches it; one more, empty, at the end."""
    outer = shapely.polygons(shapely.get_exterior_ring(whole)) if len(whole) else whole
    half = np.append(shapely.length(outer) / 2, 0.0)
    area = np.append(shapely.area(outer), 1.0)
    elongation = half**2 / area
    inside, touched = _lines_inside(whole, pieces)
    slim = area <= 2 * max_half_width_m * half
    return elongation, (elongation >= ELONGATED) & (inside >= ALONG * half) & slim, touched


def _lines_inside(whole: Shapes, pieces: gpd.GeoDataFrame) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Length of line in metres inside each body, and whether any touches it; one more, empty, at the end."""
    lines = pieces.geometry.to_numpy()
    body, line = shapely.STRtree(lines).query(whole, predicate="intersects")
    length = shapely.length(shapely.intersection(lines[line], whole[body]))
    n = len(whole) + 1
    return np.bincount(body, weights=length, minlength=n).astype(np.float64), np.bincount(body, minlength=n) > 0


def _guess(shape: shapely.Geometry, kind: str, elongation: float) -> NetworkDefect:
    at = shapely.point_on_surface(shape)
    says = f"this water area does not say what it is; by its shape it is taken as a {kind}"
    return NetworkDefect("water_kind_guessed", "info", at, says, round(float(elongation), 2), "ratio", done=True)
