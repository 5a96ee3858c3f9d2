"""What lies inside the line: candidates cut with management areas, less what a permit allows.

Areas are the union of all management areas, so an object over two reaches or two counties counts once. The
tolerance is by width: a part that vanishes under an inward buffer of half the tolerance is no finding.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from rivergis import crs, geometry

_BASIS_RANK = {"announced": 0, "draft": 1, "computed": 2, "surrogate": 3}


@dataclass(frozen=True)
class Inside:
    """One candidate against the lines. Positions refer to the frames; geometries and figures in metres.

    ``reason`` is None for what is to be told, else why it is not: outside, touches_only, permitted,
    within_tolerance, below_min_area, degenerate. ``area`` is the management area it is judged by: the announced one
    first, then the one it lies in most.
    """

    candidate: int
    reason: str | None
    area: int | None = None
    net: shapely.Geometry | None = None
    gross_m2: float = 0.0
    net_m2: float | None = None
    error_m2: float | None = None
    sigma_m: float | None = None
    position: str = "outside"
    permits: tuple[int, ...] = ()


def overlay(
    candidates: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    permits: gpd.GeoDataFrame,
    *,
    width_tolerance_m: float,
    min_area_m2: float,
) -> list[Inside]:
    """Judge every candidate against the areas in force; one ``Inside`` each, in the candidates' order.

    Frames in metres of one zone. ``candidates``: areas or points with kind, accuracy_m (nullable); ``areas``: basis,
    xy_error_m (nullable); ``permits``: areas valid that day with ``allows`` (a candidate kind). Invalid rings are
    repaired on the way (areas only). Raises ``CrsRefused`` for degrees.
    """
    for frame in (candidates, areas, permits):
        crs.require_metric(frame)
    lines = np.array([geometry.polygons_of(g) for g in areas.geometry], dtype=object)
    shapely.prepare(lines)
    allowed = np.array([geometry.polygons_of(g) for g in permits.geometry], dtype=object)
    shapes = candidates.geometry.values
    hit_candidate, hit_area = (
        shapely.STRtree(lines).query(shapes, predicate="intersects") if len(lines) else (np.array([], int),) * 2
    )
    hits: dict[int, list[int]] = {}
    for c, a in zip(hit_candidate.tolist(), hit_area.tolist(), strict=True):
        hits.setdefault(c, []).append(a)
    permit_tree = shapely.STRtree(allowed) if len(allowed) else None
    judge = _Judge(candidates, areas, permits, lines, allowed, permit_tree, width_tolerance_m, min_area_m2)
    return [judge(c, sorted(hits.get(c, []))) for c in range(len(candidates))]


@dataclass(frozen=True)
class _Judge:
    candidates: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    permits: gpd.GeoDataFrame
    lines: np.ndarray
    allowed: np.ndarray
    permit_tree: shapely.STRtree | None
    width_tolerance_m: float
    min_area_m2: float

    def __call__(self, c: int, hits: list[int]) -> Inside:
        if not hits:
            return Inside(c, "outside")
        shape = self.candidates.geometry.iloc[c]
        if shape.geom_type in ("Point", "MultiPoint"):
            return self._point(c, shape, hits)
        ground = geometry.polygons_of(shape)
        if ground.is_empty:
            return Inside(c, "degenerate", area=hits[0])
        parts = {a: geometry.polygons_of(shapely.intersection(ground, self.lines[a])) for a in hits}
        main = min(hits, key=lambda a: (_BASIS_RANK.get(self.areas["basis"].iloc[a], 9), -parts[a].area, a))
        gross = geometry.polygons_of(shapely.union_all(list(parts.values())))
        if gross.area == 0:
            return Inside(c, "touches_only", area=main)
        permits = self._permits_of(c, gross)
        net = (
            geometry.polygons_of(gross.difference(shapely.union_all(self.allowed[list(permits)]))) if permits else gross
        )
        return self._area(c, main, gross, net, permits)

    def _permits_of(self, c: int, gross: shapely.Geometry) -> tuple[int, ...]:
        if self.permit_tree is None:
            return ()
        near = self.permit_tree.query(gross, predicate="intersects")
        kind = self.candidates["kind"].iloc[c]
        return tuple(sorted(int(p) for p in near if self.permits["allows"].iloc[p] == kind))

    def _area(
        self, c: int, main: int, gross: shapely.Geometry, net: shapely.Geometry, permits: tuple[int, ...]
    ) -> Inside:
        reason = self._reason(gross, net, permits)
        sigma = self._sigma(c, main)
        error = self._area_error_m2(c, main, net)
        return Inside(
            c,
            reason,
            main,
            net,
            float(gross.area),
            float(net.area),
            error,
            sigma,
            self._position(net, main, sigma),
            permits,
        )

    def _area_error_m2(self, c: int, main: int, net: shapely.Geometry) -> float | None:
        """One-sigma error of the net area from line and source; None when either is unknown.

        The source's vertices err independently (variance sigma^2/4 times the sum of squared distances between each
        vertex's neighbours); the line shifts as one along the part of it that cuts the object.
        """
        line, own = self.areas["xy_error_m"].iloc[main], self.candidates["accuracy_m"].iloc[c]
        if np.isnan(line) or np.isnan(own):
            return None
        cut = shapely.intersection(self.lines[main].boundary, net.buffer(0.01)).length
        spread = sum(_neighbour_spread_m2(ring) for ring in shapely.get_rings(shapely.get_parts(net)))
        return float(np.hypot(line * cut, own / 2 * np.sqrt(spread)))

    def _reason(self, gross: shapely.Geometry, net: shapely.Geometry, permits: tuple[int, ...]) -> str | None:
        small = (
            "within_tolerance"
            if geometry.narrower_than(net, self.width_tolerance_m)
            else "below_min_area"
            if net.area < self.min_area_m2
            else None
        )
        if (
            small
            and permits
            and not geometry.narrower_than(gross, self.width_tolerance_m)
            and gross.area >= self.min_area_m2
        ):
            return "permitted"
        return small

    def _sigma(self, c: int, main: int) -> float | None:
        """Position error of line and source by root sum of squares; None when the line's error is unknown."""
        line, own = self.areas["xy_error_m"].iloc[main], self.candidates["accuracy_m"].iloc[c]
        if line is None or np.isnan(line):
            return None
        return float(np.hypot(line, 0.0 if own is None or np.isnan(own) else own))

    def _position(self, net: shapely.Geometry, main: int, sigma: float | None) -> str:
        """inside: some of it lies deeper than the error; edge: all of it within; undecided: the error is unknown."""
        if sigma is None:
            return "undecided"
        return "inside" if shapely.intersects(net, self.lines[main].buffer(-sigma)) else "edge"

    def _point(self, c: int, point: shapely.Geometry, hits: list[int]) -> Inside:
        main = min(hits, key=lambda a: (_BASIS_RANK.get(self.areas["basis"].iloc[a], 9), a))
        sigma = self._sigma(c, main)
        return Inside(c, None, main, point, 0.0, None, None, sigma, self._position(point, main, sigma))


def _neighbour_spread_m2(ring: shapely.LinearRing) -> float:
    """Sum over the vertices of a ring of the squared distance between the vertex before and the vertex after."""
    xy = shapely.get_coordinates(ring)[:-1]
    return float(((np.roll(xy, -1, axis=0) - np.roll(xy, 1, axis=0)) ** 2).sum())
