"""From raw centre lines to a river network (河网): one pure function that runs every step and says what each one did.

Lines, water areas and outlets come in as frames in EPSG:4490, a DEM as a function that tells heights. Nothing is changed
in silence: every repair, guess and oddity is a row of ``defects`` with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs, geometry
from rivergis.errors import InputError
from rivergis.river import direction, frames, half_widths, measures, noding, water_bodies, waters
from rivergis.river.drawn import Drawn, Floats, Ints, NetworkDefect

DRAWN_COLUMNS = ("source_fid", "kind", "covered", "level", "name", "flow")
OUTLET_REACH = 5.0  # an outlet is looked for within this many gap tolerances


@dataclass(frozen=True)
class Method:
    """Tolerances of a build, as the rules of the place give them."""

    snap_m: float
    gap_m: float
    min_confidence: float
    max_half_width_m: float
    dem_drop_m: float


@dataclass(frozen=True)
class Terrain:
    """What a DEM tells of lines in EPSG:4490: heights at their two ends, and the area that drains to each (km2); NaN = nothing.

    ``error_m``: a fall between two ends that the DEM cannot tell from none.
    """

    error_m: float
    ends: Callable[[gpd.GeoSeries], tuple[Floats, Floats]]
    upstream_area_km2: Callable[[gpd.GeoSeries], Floats]


@dataclass(frozen=True)
class Built:
    """A network: ``reaches``, ``nodes``, ``defects`` in EPSG:4490 (columns in docs/river_network.md), and what was done in figures."""

    reaches: gpd.GeoDataFrame
    nodes: gpd.GeoDataFrame
    defects: gpd.GeoDataFrame
    figures: dict[str, Any] = field(default_factory=dict)


def build(
    lines: gpd.GeoDataFrame,
    method: Method,
    *,
    source_id: pd.Series | None = None,
    areas: gpd.GeoDataFrame | None = None,
    outlets: gpd.GeoDataFrame | None = None,
    terrain: Terrain | None = None,
    aside: Iterable[tuple[shapely.Geometry | None, NetworkDefect]] = (),
    progress: Callable[[str], None] = lambda step: None,
) -> Built:
    """Make a network of lines (LineString or MultiLineString, EPSG:4490).

    ``lines`` has ``DRAWN_COLUMNS`` (see ``attributes``), and the source's own attributes as ``src_*``. ``source_id``: the
    source's own code of each line. ``aside``: features that were not taken, with their shapes in degrees. ``areas``: water surfaces with ``area_fid``, ``kind``, ``name``. ``outlets``: points
    where water leaves. Raises ``InputError`` when no line can be used.
    """
    progress("nodes")
    metric = crs.to_metric(lines)
    drawn = noding.node(metric[[*DRAWN_COLUMNS, metric.geometry.name]], snap_m=method.snap_m, gap_m=method.gap_m)
    if drawn.pieces.empty:
        raise InputError("None of the lines can be used: look at the geometry of the layer.")
    basin = _areas(areas, metric)
    if basin is not None:
        progress("waters")
        basin, guessed = water_bodies.judged(basin, drawn.pieces, max_half_width_m=method.max_half_width_m)
        drawn = waters.cross(
            drawn.with_(defects=[*drawn.defects, *guessed]),
            basin,
            snap_m=method.snap_m,
            gap_m=method.gap_m,
            max_half_width_m=method.max_half_width_m,
        )
    back = _Back(metric, lines)
    degrees = back.lines(drawn)
    progress("direction")
    mouths, lost = _outlet_nodes(drawn, outlets, method)
    directed = direction.orient(
        drawn,
        fall_m=None if terrain is None else np.subtract(*terrain.ends(degrees)),
        fall_error_m=method.dem_drop_m if terrain is None else max(method.dem_drop_m, terrain.error_m),
        outlets=mouths,
        min_confidence=method.min_confidence,
    )
    degrees = degrees.where(~directed.turned, degrees.reverse())
    progress("measures")
    half_width = _half_width(drawn, basin, method)
    area = np.full(len(degrees), np.nan) if terrain is None else terrain.upstream_area_km2(degrees)
    length = crs.length_m(degrees.to_numpy())
    measured = measures.measure(_as_reaches(drawn, directed, length, half_width, area))
    progress("frames")
    labels = frames.Labels(drawn, lines, source_id, back.points(drawn.nodes))
    reaches = frames.reach_frame(lines, drawn, directed, measured, labels, degrees, length, half_width, area)
    shore = waters.shoreline(basin, drawn) if basin is not None else None
    whole = frames.with_shoreline(reaches, shore)
    nodes = frames.node_frame(drawn, directed, labels, degrees)
    noticed = [*_placed(aside, metric), *drawn.defects, *lost, *directed.defects, *labels.defects]
    defects = frames.defect_frame(noticed, drawn, labels, metric)
    return Built(whole, nodes, defects, frames.figures(whole, nodes, defects, directed, lines))


def _areas(areas: gpd.GeoDataFrame | None, metric: gpd.GeoDataFrame) -> gpd.GeoDataFrame | None:
    return None if areas is None or areas.empty else areas.to_crs(metric.crs)


def _placed(
    aside: Iterable[tuple[shapely.Geometry | None, NetworkDefect]], metric: gpd.GeoDataFrame
) -> list[NetworkDefect]:
    """Features set aside, each at a point of its shape where it has one."""
    pairs = list(aside)
    shapes = np.array([s for s, _ in pairs], dtype=object)
    fit = np.array([geometry.finite(s) for s in shapes], dtype=bool)
    points = np.full(len(pairs), shapely.Point(), dtype=object)
    if fit.any():
        there = gpd.GeoSeries(shapely.point_on_surface(shapes[fit]), crs=crs.STORAGE).to_crs(metric.crs)
        points[fit] = there.to_numpy()
    return [replace(d, at=p) for (_, d), p in zip(pairs, points, strict=True)]


class _Back:
    """The way from the metric zone back to degrees that returns the source's own vertices to the last digit."""

    def __init__(self, metric: gpd.GeoDataFrame, lines: gpd.GeoDataFrame) -> None:
        self.crs = metric.crs
        to, own = metric.geometry.to_numpy(), lines.geometry.to_numpy()
        usable = ~(shapely.is_missing(to) | shapely.is_empty(to))
        there, here = shapely.get_coordinates(to[usable]), shapely.get_coordinates(own[usable])
        table = pd.DataFrame({"x": there[:, 0], "y": there[:, 1], "lon": here[:, 0], "lat": here[:, 1]})
        self.known = table.drop_duplicates(["x", "y"])

    def points(self, xy: Floats) -> Floats:
        """(n, 2) metres to (n, 2) degrees."""
        found = pd.DataFrame(xy, columns=["x", "y"]).merge(self.known, on=["x", "y"], how="left")[["lon", "lat"]]
        out = found.to_numpy(copy=True)
        new = np.isnan(out[:, 0])
        if new.any():
            moved = crs.to_storage(gpd.GeoSeries(shapely.points(xy[new]), crs=self.crs))
            out[new] = shapely.get_coordinates(moved.to_numpy())
        return out

    def lines(self, drawn: Drawn) -> gpd.GeoSeries:
        """The pieces in EPSG:4490."""
        moved = shapely.transform(drawn.pieces.geometry.to_numpy(), self.points)
        return gpd.GeoSeries(moved, crs=crs.STORAGE)


def _outlet_nodes(
    drawn: Drawn, outlets: gpd.GeoDataFrame | None, method: Method
) -> tuple[Ints | None, list[NetworkDefect]]:
    """Nodes of the network at the named outlets: the nearest open end, else the nearest node."""
    if outlets is None or outlets.empty:
        return None, []
    points = shapely.centroid(outlets.to_crs(drawn.pieces.crs).geometry.to_numpy())
    nodes = shapely.points(drawn.nodes)
    degree = drawn.degree()
    reach = OUTLET_REACH * max(method.gap_m, method.snap_m)
    pair = shapely.STRtree(nodes).query(points, predicate="dwithin", distance=reach)
    found, lost = [], []
    for i, point in enumerate(points):
        near = pair[1][pair[0] == i]
        if len(near):
            away = shapely.distance(nodes[near], point) + reach * (degree[near] > 1)
            found.append(int(near[np.argmin(away)]))
        else:
            said = f"No end of a river line lies within {reach:g} m of this outlet: move it onto the network."
            lost.append(NetworkDefect("outlet_off_network", "error", point, said, reach, "m"))
    return np.array(found, dtype=np.int64), lost


def _half_width(drawn: Drawn, areas: gpd.GeoDataFrame | None, method: Method) -> Floats:
    if areas is None:
        return np.full(len(drawn.pieces), np.nan)
    return np.asarray(
        half_widths.half_width(drawn.pieces, areas, max_half_width_m=method.max_half_width_m), dtype=float
    )


def _as_reaches(
    drawn: Drawn, directed: direction.Directed, length: Floats, half_width: Floats, area: Floats
) -> measures.Reaches:
    return measures.Reaches(
        directed.start,
        directed.end,
        length,
        drawn.pieces["kind"].to_numpy(dtype=object),
        frames.texts(drawn.pieces["name"]),
        directed.fit,
        half_width,
        area,
    )
