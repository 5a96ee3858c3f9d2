"""Where changed ground lies: bank, reach and chainage (桩号) of each piece of a redraw, and the villages that gain or lose it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.boundary.redraw import overlay
from rivergis.boundary.redraw.compare import Redraw
from rivergis.river import chainage

_STEPS = 60  # places at least along the edge of a piece that are asked for their chainage
_MOST = 200  # and at most
_LEAST_M = 1.0  # a shorter stretch of a second reach is its corner
_FAR_M = 20_000.0  # no river is as wide: what lies farther off has no chainage on it


@dataclass(frozen=True)
class _Course:
    """Reaches of one river cut into segments: what place on which reach is nearest?"""

    codes: Any
    start_m: Any  # chainage of the first vertex of each reach; NaN = counted from 0
    tree: shapely.STRtree
    ends: Any  # (n, 2, 2)
    before_m: Any
    reach: Any
    length_m: Any

    @classmethod
    def of(cls, reaches: gpd.GeoDataFrame) -> _Course:
        xy, of = shapely.get_coordinates(reaches.geometry.to_numpy(), return_index=True)
        step = np.flatnonzero((of[1:] == of[:-1]) & (xy[1:] != xy[:-1]).any(axis=1))
        ends = np.stack([xy[step], xy[step + 1]], axis=1)
        length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
        before = np.cumsum(length) - length
        before -= before[np.searchsorted(of[step], of[step])]
        start = (
            pd.to_numeric(reaches["from_m"], errors="coerce")
            if "from_m" in reaches
            else pd.Series(np.nan, reaches.index)
        )
        tree = shapely.STRtree(shapely.linestrings(ends))
        return cls(
            reaches["code"].astype(str).to_numpy(), start.to_numpy(float), tree, ends, before, of[step].astype(np.int64),
            shapely.length(reaches.geometry.to_numpy()),
        )  # fmt: skip

    def feet(self, points: Any) -> tuple[Any, Any, Any]:
        """Reach (position, -1 = too far off), metres along it, and side (1 left, -1 right) of points (n, 2)."""
        segment = self.tree.nearest(shapely.points(points))
        a, run = self.ends[segment, 0], self.ends[segment, 1] - self.ends[segment, 0]
        towards = points - a
        length = np.hypot(*run.T)
        share = ((towards * run).sum(axis=1) / length**2).clip(0, 1)
        away = np.hypot(*(towards - run * share[:, None]).T)
        reach = np.where(away <= _FAR_M, self.reach[segment], -1)
        along = self.before_m[segment] + share * length
        side = np.sign(run[:, 0] * towards[:, 1] - run[:, 1] * towards[:, 0])
        return reach, along, side


def place(redraw: Redraw, reaches: gpd.GeoDataFrame) -> Redraw:
    """The redraw with bank, reach and chainage of every piece that is no noise; pieces across a river are parted at its line.

    ``reaches``: LineStrings in the metres of the redraw, first vertex upstream, with code, river_code and optionally from_m
    (chainage of the first vertex along the river). A river that has no reach there leaves its pieces unplaced.
    """
    crs.require_metric(reaches)
    pieces = redraw.pieces
    moved, rest = pieces[~pieces["noise"]], pieces[pieces["noise"]]
    parts = [rest]
    own = reaches["river_code"].fillna("").astype(str)
    for river, mine in moved.groupby("river_code", sort=False):
        course = reaches[own == river] if river else reaches
        parts.append(_placed(mine, course) if len(course) else mine)
    joined = pd.concat([p for p in parts if len(p)] or [pieces]).sort_index(kind="stable").reset_index(drop=True)
    return replace(redraw, pieces=gpd.GeoDataFrame(joined, geometry="geom", crs=pieces.crs), reaches=reaches)


def _placed(pieces: gpd.GeoDataFrame, reaches: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Pieces of one river, each on one bank where its line parts it."""
    course = _Course.of(reaches)
    lines = shapely.union_all(reaches.geometry.to_numpy())
    pieces = _parted(pieces, lines)
    shapes = pieces.geometry.to_numpy()
    xy, of = _vertices(shapes)
    reach, along, side = course.feet(xy)
    known = reach >= 0
    xy, of, reach, along, side = xy[known], of[known], reach[known], along[known], side[known]
    # a piece parted at the line has it for an edge: what runs through is asked of the inside
    across = shapely.length(overlay.intersection(shapely.buffer(shapes, -0.01), lines)) > 0.01 * np.sqrt(
        shapely.area(shapes)
    )
    lean = np.bincount(of, side, len(shapes))
    bank = np.where(across, "both", np.where(lean > 0, "left", "right")).astype(object)
    bank[(lean == 0) & ~across] = None
    step = shapely.length(shapes) / _STEPS
    told = [
        _stretch(course, reach[of == k], along[of == k], float(step[k]), own)
        for k, own in enumerate(pieces["reach_code"])
    ]
    return pieces.assign(
        bank=bank,
        stretch=[t[0] for t in told],
        from_m=[t[1] for t in told],
        to_m=[t[2] for t in told],
        reach_code=[t[3] or r for t, r in zip(told, pieces["reach_code"], strict=True)],
    )


def _vertices(shapes: Any) -> tuple[Any, Any]:
    """Places along the edges of areas and whose each is: as many, evenly, as tell where it lies."""
    step = np.maximum(shapely.length(shapes) / _STEPS, 1.0)
    xy, of = shapely.get_coordinates(shapely.segmentize(shapes, step), return_index=True)
    count = np.bincount(of, minlength=len(shapes))
    nth = np.arange(len(of)) - (np.cumsum(count) - count)[of]
    every = np.maximum(count // _MOST, 1)[of]
    keep = nth % every == 0
    return xy[keep], of[keep]


def _parted(pieces: gpd.GeoDataFrame, lines: shapely.Geometry) -> gpd.GeoDataFrame:
    """Pieces that the line of the river runs through, cut along it."""
    crossing = np.flatnonzero(shapely.crosses(pieces.geometry.to_numpy(), lines))
    if not len(crossing):
        return pieces
    rows, shapes = [np.setdiff1d(np.arange(len(pieces)), crossing)], [np.delete(pieces.geometry.to_numpy(), crossing)]
    for k in crossing:
        parts = _cut(pieces.geometry.iloc[k], lines)
        rows.append(np.full(len(parts), k))
        shapes.append(parts)
    out = pieces.iloc[np.concatenate(rows)]
    out = out.set_geometry(gpd.GeoSeries(np.concatenate(shapes), index=out.index, crs=pieces.crs))
    area = shapely.area(out.geometry.to_numpy())
    return out.assign(m2=area, width_m=2 * area / shapely.length(out.geometry.to_numpy())).sort_index(kind="stable")


def _cut(shape: shapely.Polygon, lines: shapely.Geometry) -> Any:
    """Faces of a polygon between lines; the polygon itself where they do not part it."""
    west, south, east, north = shape.bounds
    # not the part inside: its ends would miss the edge by a rounding
    near = shapely.clip_by_rect(lines, west - 10, south - 10, east + 10, north + 10)
    noded = shapely.union_all([shape.boundary, near])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    faces = faces[shapely.contains(shape, shapely.point_on_surface(faces))] if len(faces) else faces
    balanced = len(faces) > 1 and abs(shapely.area(faces).sum() - shape.area) <= 1e-6 * shape.area
    return faces if balanced else np.array([shape], dtype=object)


def _stretch(
    course: _Course, reach: Any, along: Any, step_m: float, own: str | None
) -> tuple[str | None, float, float, str | None]:
    """Chainages in words, first and last as numbers (along the river, else of the reach with most of it), and that reach.

    ``step_m``: how closely the edge was asked; of a piece over several reaches what ends so near to a node ends in it. ``own``: the
    reach whose area it comes from: where that is among them, the mouths of others beside it are not told.
    """
    near = np.unique(reach)
    mine = near[course.codes[near] == own] if own is not None and len(near) else near[:0]
    near = mine if len(mine) else near
    if not len(near):
        return None, np.nan, np.nan, None
    parts = []
    for k in near:
        low, high, length = float(along[reach == k].min()), float(along[reach == k].max()), float(course.length_m[k])
        if len(near) > 1:
            low, high = (0.0 if low <= step_m else low), (length if high >= length - step_m else high)
        parts.append((low, high, k))
    parts = [p for p in parts if p[1] - p[0] >= _LEAST_M] or parts
    main = max(parts, key=lambda p: p[1] - p[0])
    if np.isfinite(course.start_m[[p[2] for p in parts]]).all():
        low = min(course.start_m[k] + a for a, _, k in parts)
        high = max(course.start_m[k] + b for _, b, k in parts)
        return _label(low, high), low, high, str(course.codes[main[2]])
    words = "; ".join(f"{course.codes[k]} {_label(a, b)}" for a, b, k in parts)
    return words, main[0], main[1], str(course.codes[main[2]])


def _label(from_m: float, to_m: float) -> str:
    return f"{chainage.label(from_m)}–{chainage.label(to_m)}"


def by_unit(redraw: Redraw, units: gpd.GeoDataFrame) -> Redraw:
    """The redraw with the m2 that each village or town gains and loses (哪些村镇划入划出); noise is left out.

    ``units``: areas in the metres of the redraw, with name and optionally code and level.
    """
    crs.require_metric(units)
    moved = redraw.changed
    shapes = overlay.polygonal(units.geometry.to_numpy())
    parts, of, unit = overlay.within(
        moved.geometry.to_numpy(), np.zeros(len(moved), np.int64), shapes, np.ones(len(shapes), np.int64)
    )
    rows = pd.DataFrame({"unit": unit, "change": moved["change"].to_numpy()[of], "m2": shapely.area(parts)})
    summed = rows.pivot_table(index="unit", columns="change", values="m2", aggfunc="sum", fill_value=0.0)
    told = units.iloc[summed.index]
    places = pd.DataFrame(
        {
            "code": told["code"].to_numpy() if "code" in told else None,
            "name": told["name"].to_numpy(),
            "level": told["level"].to_numpy() if "level" in told else None,
            **{
                f"{c}_m2": summed[c].to_numpy() if c in summed else np.zeros(len(told)) for c in ("entering", "leaving")
            },
        }
    )
    return replace(redraw, places=places.sort_values(["leaving_m2", "entering_m2"], ascending=False, ignore_index=True))
