"""The line of a flood level beside a river without levees, from a DEM and levels along the chainage (``river.flood``).

The extent of the water is smoothed within a stated tolerance and cut into left and right where the levels begin and end. The
error of the DEM is drawn as the band between the lines of the level less and plus that error. A line from a coarse or surface
DEM is 示意 only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from rasterio import features
from scipy import ndimage

from rivergis import crs, geometry
from rivergis.boundary.drafting import levels as draft_levels
from rivergis.boundary.drafting.chains import Chain
from rivergis.boundary.drafting.course import Piece, without
from rivergis.boundary.drafting.curves import Curve, Floats, rising, tidy
from rivergis.boundary.drafting.frames import Basis, Note, Reach
from rivergis.river.flood import Flood, FloodRules, flood
from rivergis.river.levels import Profile
from rivergis.river.terrain import Dem
from rivergis.rules import RuleValue

_MARGIN_M = 1500.0
_LEAST_M = 0.5
_SLOWEST = 0.02
"""Metres of chainage per metre of line at least: a line that goes up a side valley and back stays in order."""
_SMOOTH_CELLS = 0.75
"""Steps of cells are drawn smooth with this tolerance (in cells); with the rounding of corners no line lies farther off than one."""


@dataclass(frozen=True)
class Heights:
    """The ground that levels are compared with. ``read(lonlat, margin_m)``: the DEM round places, and whether that is all of it.

    ``error_m``: vertical error (one sigma) drawn as a band, NaN where it is not known. ``indicative``: coarse or surface model.
    """

    name: str
    cell_m: float
    vertical_datum: str
    read: Callable[[Floats, float], tuple[Dem, bool]]
    error_m: float = float("nan")
    indicative: bool = False
    relative: bool = False
    """Heights above the nearest drainage (HAND); levels are then depths of water above the bed."""
    source: Mapping[str, Any] | None = None


Banks = dict[str, list[Curve]]
"""Left and right lines of an extent, with chainages along the chain."""


@dataclass(frozen=True)
class Wet:
    """The flood of one chain: its lines, those of the level less and plus the error of the DEM, and the extents."""

    chain: Chain
    bounds: tuple[draft_levels.Stretch, ...]
    given: Profile
    banks: Banks
    low: shapely.MultiPolygon
    extent: shapely.MultiPolygon
    high: shapely.MultiPolygon
    cell_m: float


@dataclass
class Floods:
    """Pieces of line by reach and bank, stretches hidden under the water of other rivers, bands, notes, extents."""

    pieces: dict[tuple[int, str], list[Piece]] = field(default_factory=dict)
    hidden: dict[tuple[int, str], list[tuple[float, float]]] = field(default_factory=dict)
    bands: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    extents: list[shapely.MultiPolygon] = field(default_factory=list)


Wanted = Mapping[int, tuple[float, RuleValue | None]]
"""Return period and the rule that asks it, by reach."""


def flooded(
    chain: Chain,
    reaches: Sequence[Reach],
    levels: pd.DataFrame,
    heights: Heights,
    rules: FloodRules,
    wanted: Wanted,
    system: CRS,
    join_m: float,
    constant_beyond: bool = False,
) -> tuple[Wet | None, list[Note]]:
    """The flood that bounds the reaches of a chain, and what was not decided; None where no level is given for it.

    ``levels``: see ``draft_levels.along``.
    """
    found = draft_levels.along(levels, chain, reaches)
    if found.empty:
        return None, []
    bounds, lacking = draft_levels.stretches(found, chain, reaches, {i: w[0] for i, w in wanted.items()})
    notes = [_note(reaches[i], code, said) for i, code, said in lacking]
    given = draft_levels.profile(found, bounds, join_m, constant_beyond)
    if given is None:
        return None, notes
    done, banks, extent = _drawn(chain, given, heights, rules, system, 0.0)
    notes += _looked_at(done, chain, reaches, system)
    low = high = shapely.MultiPolygon()
    if np.isfinite(heights.error_m) and heights.error_m > 0:
        low, high = (
            _drawn(chain, given, heights, rules, system, shift)[2] for shift in (-heights.error_m, heights.error_m)
        )
    elif heights.indicative:
        notes.append(
            _note(
                reaches[chain.reaches[0]],
                "dem_error_unknown",
                f"The error of {heights.name} is not known: no band is drawn; give it with --dem-error.",
            )
        )
    return Wet(chain, tuple(bounds), given, banks, low, extent, high, done.dem.cell_m), notes


def together(
    floods: Sequence[Wet], reaches: Sequence[Reach], heights: Heights, wanted: Wanted, notes: Sequence[Note]
) -> Floods:
    """The lines of all floods: what lies under the water of another river is no line."""
    out = Floods(notes=list(notes), extents=[w.extent for w in floods])
    tree = shapely.STRtree([w.extent for w in floods])
    lows = shapely.union_all([w.low for w in floods])
    for k, wet in enumerate(floods):
        near = [j for j in tree.query(wet.extent, predicate="intersects") if j != k]
        others = shapely.union_all([floods[j].extent for j in near]) if near else shapely.Polygon()
        for bank, curves in wet.banks.items():
            for curve in curves:
                _lay(out, wet, bank, curve, others, reaches, heights, wanted)
        out.bands += _bands(wet, lows, reaches, heights)
    return out


def _lay(
    out: Floods,
    wet: Wet,
    bank: str,
    curve: Curve,
    others: Any,
    reaches: Sequence[Reach],
    heights: Heights,
    wanted: Wanted,
) -> None:
    """One line of a chain, cut by the water of others and at the ends of its reaches."""
    shown = _outside(curve, others, 3 * wet.cell_m)
    for bound in wet.bounds:
        a, b = max(curve.from_m, bound.from_m), min(curve.to_m, bound.to_m)
        if b - a <= _LEAST_M:
            continue
        start = wet.chain.start_m[wet.chain.reaches.index(bound.reach)]
        key = (bound.reach, bank)
        mine = [(max(c.from_m, a), min(c.to_m, b), c) for c in shown]
        mine = [(x, y, c) for x, y, c in mine if y - x > _LEAST_M]
        for x, y, c in mine:
            out.pieces.setdefault(key, []).append(_piece(c.part(x, y), wet, bound, start, reaches, heights, wanted))
        hidden = without((a, b), [(x, y) for x, y, _ in mine])
        out.hidden.setdefault(key, []).extend((x - start, y - start) for x, y in hidden)


def _outside(curve: Curve, others: Any, least_m: float) -> list[Curve]:
    """The parts of a line that lie outside of the water of others; nothing shorter than ``least_m``."""
    if others.is_empty or not shapely.intersects(others, curve.line):
        return [curve]
    parts = [p for p in geometry.lines_of(shapely.difference(curve.line, others)) if p.length > least_m]
    made = []
    for part in parts:
        xy = shapely.get_coordinates(part)
        run = shapely.line_locate_point(curve.line, shapely.points(xy))
        if run[-1] < run[0]:
            xy, run = xy[::-1], run[::-1]
        made.append(Curve(xy, np.interp(run, curve.run_m, curve.at_m)))
    return sorted(made, key=lambda c: c.from_m)


def _note(reach: Reach, code: str, sentence: str) -> Note:
    return Note(
        reach.code, None, reach.origin_m, reach.origin_m + reach.length_m, code, sentence,
        reach.axis.interpolate(0.5, normalized=True),
    )  # fmt: skip


# ---- water -----------------------------------------------------------------------------------------------------------


def _drawn(
    chain: Chain, given: Profile, heights: Heights, rules: FloodRules, system: CRS, shift_m: float
) -> tuple[Flood, Banks, shapely.MultiPolygon]:
    """The flood of a profile raised by ``shift_m``, its lines, its extent in metres."""
    axis = shapely.transform(chain.axis, crs.into_storage(system))
    stretch = crs.length_m(axis) / chain.length_m  # chainages of the flood are on the ellipsoid
    profile = replace(given, at_m=given.at_m * stretch, level_m=given.level_m + shift_m)
    margin = _MARGIN_M
    while True:
        dem, whole = heights.read(shapely.get_coordinates(axis), margin)
        done = flood(dem, axis, profile, rules)
        rim = np.concatenate([done.wet[0], done.wet[-1], done.wet[:, 0], done.wet[:, -1]])
        if whole or not rim.any() or margin > 64 * _MARGIN_M:
            break
        margin *= 2
    parts = done.parts.to_crs(system) if len(done.parts) else done.parts
    banks: Banks = {"left": [], "right": []}
    shapes = []
    for shape in parts.geometry if len(parts) else ():
        smooth = _smooth(shapely.Polygon(shape.exterior), dem.cell_m)
        made = _split(smooth, chain, done, given, stretch, system)
        if len(made) == 2:
            shapes.append(smooth)
            for bank, curve in made.items():
                banks[bank].append(curve)
    return done, banks, geometry.polygons_of(shapely.union_all(shapes)) if shapes else shapely.MultiPolygon()


def _smooth(shape: shapely.Polygon, cell_m: float) -> shapely.Polygon:
    """An outline of cells without its steps, no farther off than one cell."""
    closed = shape.buffer(cell_m / 4, join_style="mitre").buffer(-cell_m / 4, join_style="mitre")
    lean = shapely.simplify(closed, _SMOOTH_CELLS * cell_m, preserve_topology=True)
    whole = max(shapely.get_parts(geometry.polygons_of(lean)), key=lambda p: p.area)
    return shapely.Polygon(whole.exterior)


def _split(
    shape: shapely.Polygon, chain: Chain, done: Flood, given: Profile, stretch: float, system: CRS
) -> dict[str, Curve]:
    """Left and right line of an extent, from where the river enters it to where it leaves it; none where it does not."""
    inside = geometry.lines_of(shapely.intersection(chain.axis, shape))
    if not inside:
        return {}
    ends = sorted(chain.axis.project(shapely.Point(p)) for line in inside for p in (line.coords[0], line.coords[-1]))
    start, end = max(ends[0], float(given.at_m[0])), min(ends[-1], float(given.at_m[-1]))
    if end - start < 4 * done.dem.cell_m:
        return {}
    ring = shapely.LineString(shapely.orient_polygons(shape).exterior.coords)
    cuts = [ring.project(chain.axis.interpolate(at)) for at in (start, end)]
    made = {}
    for bank, (a, b) in (("right", cuts), ("left", cuts[::-1])):
        xy = _arc(ring, a, b)
        xy = xy[::-1] if bank == "left" else xy
        at = _chainage(xy, done, stretch, system)
        curve = _trimmed(xy, at, start, end, done.dem.cell_m)
        if curve is not None:
            made[bank] = curve
    return made


def _arc(ring: shapely.LineString, a: float, b: float) -> Floats:
    """A ring from one place to another, the way it runs."""
    xy = shapely.get_coordinates(ring)
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    ends = [np.array(ring.interpolate(x).coords[0])[None] for x in (a, b)]
    inner = xy[(run > a) & (run < b)] if a < b else np.vstack([xy[run > a][:-1], xy[run < b]])
    return np.vstack([ends[0], inner, ends[1]])


def _chainage(xy: Floats, done: Flood, stretch: float, system: CRS) -> Floats:
    """Chainage of places on the edge of the water: that of the wet cell nearest to each."""
    dem = done.dem
    nearest = _nearest_wet(done)
    column, row = (~dem.affine) @ tuple(crs.out_of_storage(dem.crs)(crs.into_storage(system)(xy)).T)
    row = np.clip(np.floor(row).astype(np.int64), 0, dem.shape[0] - 1)
    column = np.clip(np.floor(column).astype(np.int64), 0, dem.shape[1] - 1)
    at = done.chainage_m[nearest[0][row, column], nearest[1][row, column]].astype(np.float64)
    return at / stretch


def _nearest_wet(done: Flood) -> Any:
    """Row and column of the wet cell nearest to each cell."""
    return ndimage.distance_transform_edt(~done.wet, return_distances=False, return_indices=True)


def _trimmed(xy: Floats, at: Floats, start: float, end: float, cell_m: float) -> Curve | None:
    """A bank from the corner where the extent was cut off square to the river to the other one."""
    first = int(np.argmax(at > start + cell_m)) if (at > start + cell_m).any() else len(at)
    rest = at[::-1] < end - cell_m
    last = len(at) - int(np.argmax(rest)) if rest.any() else 0
    first, last = max(first - 1, 0), min(last + 1, len(at))
    if last - first < 2:
        return None
    mine = xy[first:last]
    run = _SLOWEST * np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(mine, axis=0).T))])
    chain = np.clip(rising(np.clip(at[first:last], start, end) - run) + run, start, end)
    chain[0], chain[-1] = start, end
    return tidy(mine, chain)


# ---- pieces ----------------------------------------------------------------------------------------------------------


def _piece(
    curve: Curve,
    wet: Wet,
    bound: draft_levels.Stretch,
    start_m: float,
    reaches: Sequence[Reach],
    heights: Heights,
    wanted: Wanted,
) -> Piece:
    at = np.clip(curve.at_m - start_m, 0.0, reaches[bound.reach].length_m)
    first, middle, last = wet.given.levels(np.array([curve.from_m, (curve.from_m + curve.to_m) / 2, curve.to_m]))
    levels = {"level_from_m": round(float(first), 3), "level_to_m": round(float(last), 3)}
    basis = Basis(
        "flood_level",
        wanted.get(bound.reach, (0.0, None))[1],
        dict(heights.source or {}) | {"dem": heights.name} | levels,
        "surrogate" if heights.indicative else "draft",
        round(float(middle), 3),
        bound.period_a,
        None if heights.relative else heights.vertical_datum,
        round(wet.cell_m, 2),
        _away(curve, wet.low),
        _away(curve, wet.high),
        heights.indicative,
    )
    return Piece(Curve(curve.xy, at), basis)


def _away(curve: Curve, extent: shapely.MultiPolygon) -> float:
    """Mean distance of a line to the rim of an extent; NaN without one."""
    if extent.is_empty:
        return float("nan")
    points = shapely.line_interpolate_point(curve.line, np.linspace(0, 1, 41), normalized=True)
    return round(float(shapely.distance(points, extent.boundary).mean()), 2)


def _bands(wet: Wet, lows: Any, reaches: Sequence[Reach], heights: Heights) -> list[dict[str, Any]]:
    """The band between the lines of the level less and plus the error of the DEM."""
    shape = geometry.polygons_of(shapely.difference(wet.high, lows)) if not wet.high.is_empty else wet.high
    if shape.is_empty:
        return []
    codes = ",".join(reaches[i].code for i in wet.chain.reaches)
    sentence = f"Error of {heights.name} of {heights.error_m:g} m up and down, drawn as a horizontal band."
    return [{"reach_code": codes, "bank": None, "error_m": heights.error_m, "sentence": sentence, "geometry": shape}]


_SENTENCES = {
    "open_at_rim": "The water of this level reaches the rim of the DEM: the line ends there for want of data.",
    "open_at_void": "The water of this level reaches a void of the DEM: the line ends there for want of data.",
    "runs_off": "The water of this level runs over a divide into another valley, where it was not followed.",
    "axis_above_water": "The axis lies over ground above the level (a bridge, or an axis off its channel): water was led through.",
}


def _looked_at(done: Flood, chain: Chain, reaches: Sequence[Reach], system: CRS) -> list[Note]:
    """What the DEM and the levels could not tell, with its places."""
    marks = done.marks[done.marks["code"].isin(list(_SENTENCES))].to_crs(system)
    ends = np.array([*chain.start_m[1:], np.inf])
    out = []
    for code, a, b, place in zip(marks["code"], marks["from_m"], marks["to_m"], marks.geometry, strict=True):
        k = int(np.searchsorted(ends, (a + b) / 2))
        reach, shift = reaches[chain.reaches[k]], reaches[chain.reaches[k]].origin_m - chain.start_m[k]
        out.append(Note(reach.code, None, round(a + shift, 1), round(b + shift, 1), code, _SENTENCES[code], place))
    return out


def level_area(heights: Heights, water: shapely.MultiPolygon, level_m: float, system: CRS) -> shapely.MultiPolygon:
    """Land below a level that hangs together with a water (库区淹没范围): for reservoirs and lakes, whose surface is level."""
    lonlat = shapely.get_coordinates(shapely.transform(water, crs.into_storage(system)))
    margin = _MARGIN_M
    while True:
        dem, whole = heights.read(lonlat, margin)
        seed = features.rasterize([shapely.transform(water, _to(dem, system))], dem.shape, transform=dem.affine).astype(
            bool
        )
        labels, _ = ndimage.label((dem.z_m <= level_m) | seed)
        wet = np.isin(labels, np.unique(labels[seed]))
        rim = np.concatenate([wet[0], wet[-1], wet[:, 0], wet[:, -1]])
        if whole or not rim.any() or margin > 64 * _MARGIN_M:
            break
        margin *= 2
    back = crs.out_of_storage(system)
    found = [shapely.geometry.shape(s) for s, v in features.shapes(wet.astype(np.uint8), wet, 4, dem.affine) if v]
    move = crs.into_storage(dem.crs)
    metric = [shapely.transform(g, lambda xy: back(move(xy))) for g in found]
    return geometry.polygons_of(shapely.union_all([_smooth(shapely.Polygon(g.exterior), dem.cell_m) for g in metric]))


def _to(dem: Dem, system: CRS) -> Callable[[Floats], Floats]:
    into, out = crs.into_storage(system), crs.out_of_storage(dem.crs)
    return lambda xy: out(into(xy))
