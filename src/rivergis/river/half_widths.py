"""Half width of the water of each piece, measured on cross sections in the water areas.

A section leaves the line at a right angle and ends at the first shore on either side, so that an island ends it too: in
a braid the water counts for the channel whose line is in it.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from rivergis import crs
from rivergis.river.drawn import Floats, Ints
from rivergis.river.water_bodies import bodies, polygons

FEWEST, MOST = 5, 40
"""Sections of a short and of a long piece."""
TURNS_DEG = (-20.0, 0.0, 20.0)
"""A section is tried a little turned to both sides and the narrowest counts: a line drawn by hand wavers in its course."""
FIRST_REACH_M, FARTHER = 40.0, 4.0
"""Shores are looked for near the line first, then farther: few sections are wide."""
AT_ONCE = 200_000


def half_width(
    pieces: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, max_half_width_m: float, every_m: float = 50.0
) -> Floats:
    """Half the width of the water at each river piece, in metres (半水面宽): how far from its centre line is the shore?

    ``pieces``: LineString, ``areas``: Polygon or MultiPolygon of water of any kind (touching ones are one water), both in
    one metric CRS. Sections stand about every ``every_m`` metres, between ``FEWEST`` and ``MOST`` of a piece. The median
    over its sections of half the distance from shore to shore; NaN where fewer than half of the sections have water with a
    shore on both sides within ``2 * max_half_width_m`` across. One value per piece, in their order.
    Raises ``CrsRefused`` where a frame is not in metres.
    """
    out = np.full(len(pieces), np.nan)
    if not len(pieces) or not len(areas):
        return out
    crs.require_metric(pieces)
    crs.require_metric(areas)
    lines = pieces.geometry.to_numpy()
    water = bodies(polygons(areas))[0]
    touched, wetted = (np.unique(k) for k in shapely.STRtree(lines).query(water, predicate="intersects"))
    piece, here, course = _stations(lines[wetted], every_m)
    wet = np.unique(shapely.STRtree(shapely.points(here)).query(water[touched], predicate="intersects")[1])
    across = np.full(len(piece), np.nan)
    across[wet] = _across(here[wet], course[wet], shapely.boundary(water[touched]), 2 * max_half_width_m)
    across[across > 2 * max_half_width_m] = np.nan
    out[wetted] = _medians(piece, across, len(wetted)) / 2
    return out


def _stations(lines: npt.NDArray[np.object_], every_m: float) -> tuple[Ints, Floats, Floats]:
    """Piece, place and course (unit vector) of each section, in the middle of equal stretches of its piece."""
    length = shapely.length(lines)
    count = np.clip(np.ceil(length / every_m), FEWEST, MOST).astype(np.int64)
    piece = np.repeat(np.arange(len(lines)), count)
    rank = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    at_m = (rank + 0.5) / count[piece] * length[piece]
    step = np.minimum(every_m / 10, length[piece] / count[piece] / 2)
    behind, here, before = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines[piece], at_m + s)) for s in (-step, 0.0, step)
    )
    along = before - behind
    size = np.hypot(*along.T)
    return piece, here, along / np.where(size > 0, size, 1.0)[:, None]


def _across(here: Floats, course: Floats, shores: npt.NDArray[np.object_], limit_m: float) -> Floats:
    """Narrowest distance in metres from shore to shore over the tried turns; NaN where a side has no shore."""
    edges = _edges(shores)
    tree = shapely.STRtree(shapely.linestrings(edges))
    out = np.full(len(here), np.inf)
    for turn in np.radians(TURNS_DEG):
        c, s = np.cos(turn), np.sin(turn)
        turned = course @ np.array([[c, s], [-s, c]])
        aside = np.column_stack([-turned[:, 1], turned[:, 0]])
        out = np.minimum(out, sum(_to_shore(here, side, edges, tree, limit_m) for side in (aside, -aside)))
    return np.where(np.isfinite(out), out, np.nan)


def _edges(shores: npt.NDArray[np.object_]) -> Floats:
    """Straight edges of all shores, shape (n, 2, 2)."""
    xy, ring = shapely.get_coordinates(shapely.get_parts(shores), return_index=True)
    both = np.stack([xy[:-1], xy[1:]], axis=1)
    return np.asarray(both[ring[:-1] == ring[1:]])


def _to_shore(here: Floats, aside: Floats, edges: Floats, tree: shapely.STRtree, limit_m: float) -> Floats:
    """Distance in metres from each place in its direction to the first edge; infinite beyond the limit."""
    out = np.full(len(here), np.inf)
    reach = min(FIRST_REACH_M, limit_m)
    left = np.arange(len(here))
    while len(left):
        for some in np.array_split(left, len(left) // AT_ONCE + 1):
            out[some] = _first_edge(here[some], aside[some] * reach, edges, tree) * reach
        left = left[~np.isfinite(out[left])]
        if reach >= limit_m:
            break
        reach = min(reach * FARTHER, limit_m)
    return out


def _first_edge(here: Floats, ray: Floats, edges: Floats, tree: shapely.STRtree) -> Floats:
    """Share of each ray up to the first edge that it meets; infinite where it meets none."""
    beam = shapely.linestrings(np.stack([here, here + ray], axis=1))
    i, k = tree.query(beam)
    start, edge = edges[k, 0] - here[i], edges[k, 1] - edges[k, 0]
    turn = _cross(ray[i], edge)
    with np.errstate(divide="ignore", invalid="ignore"):  # parallel edges are met at their ends by their neighbours
        t, u = _cross(start, edge) / turn, _cross(start, ray[i]) / turn
    met = (t >= 0) & (t <= 1) & (u >= -1e-9) & (u <= 1 + 1e-9)
    out = np.full(len(here), np.inf)
    np.minimum.at(out, i[met], t[met])
    return out


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _medians(piece: Ints, values: Floats, n: int) -> Floats:
    """Median of the known values of each piece; NaN where fewer than half are known."""
    known = np.isfinite(values)
    order = np.lexsort([values[known], piece[known]])
    owner, ranked = piece[known][order], values[known][order]
    count = np.bincount(owner, minlength=n)
    first = np.cumsum(count) - count
    out = np.full(n, np.nan)
    enough = (count > 0) & (2 * count >= np.bincount(piece, minlength=n))
    low, high = (first + (count - 1) // 2)[enough], (first + count // 2)[enough]
    out[enough] = (ranked[low] + ranked[high]) / 2
    return out
