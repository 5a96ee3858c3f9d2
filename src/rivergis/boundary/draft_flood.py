"""The line of a flood level beside a river without levees, from a DEM and levels along the chainage (``river.flood``).

The extent of the water is smoothed within a stated tolerance and cut into left and right where the levels begin and end. The
error of the DEM is drawn as the band between the lines of the level less and plus that error. A line from a coarse or surface
DEM is 示意 only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from scipy import ndimage

from rivergis import crs, geometry
from rivergis.boundary import draft_levels
from rivergis.boundary.draft_chains import Chain
from rivergis.boundary.draft_course import Piece
from rivergis.boundary.draft_curves import Curve, Floats, rising, tidy
from rivergis.boundary.draft_frames import Basis, Note, Reach
from rivergis.river.flood import Flood, FloodRules, flood
from rivergis.river.levels import Profile
from rivergis.river.terrain import Dem
from rivergis.rules import RuleValue

_MARGIN_M = 1500.0
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


@dataclass(frozen=True)
class Wet:
    """Lines of one flood: pieces by reach and bank, bands, notes, and the extent they were drawn from."""

    pieces: dict[tuple[int, str], list[Piece]]
    bands: list[dict[str, Any]]
    notes: list[Note]
    extent: shapely.MultiPolygon
    said: tuple[str, ...] = ()


Banks = dict[str, list[Curve]]
"""Left and right lines of an extent, with chainages along the chain."""


def lines_of_flood(
    chain: Chain,
    reaches: Sequence[Reach],
    levels: pd.DataFrame,
    heights: Heights,
    rules: FloodRules,
    wanted: Mapping[int, tuple[float, RuleValue | None]],
    system: CRS,
    join_m: float,
    constant_beyond: bool = False,
) -> Wet | None:
    """The lines of the flood that bounds each reach of a chain; None where no level is given for it.

    ``wanted``: return period and the rule that asks it, by reach. ``levels``: see ``draft_levels.along``.
    """
    found = draft_levels.along(levels, chain, reaches)
    if found.empty:
        return None
    bounds, lacking = draft_levels.stretches(found, chain, reaches, {i: w[0] for i, w in wanted.items()})
    notes = [_note(reaches[i], code, said) for i, code, said in lacking]
    given = draft_levels.profile(found, bounds, join_m, constant_beyond)
    if given is None:
        return Wet({}, [], notes, shapely.MultiPolygon())
    done, banks, extent = _drawn(chain, given, heights, rules, system, 0.0)
    pieces = {
        key: [_piece(c, given, b, chain, reaches, heights, wanted, done) for c, b in mine]
        for key, mine in _by_reach(banks, bounds, chain).items()
    }
    bands: list[dict[str, Any]] = []
    if np.isfinite(heights.error_m) and heights.error_m > 0:
        low, high = (
            _drawn(chain, given, heights, rules, system, shift)[1] for shift in (-heights.error_m, heights.error_m)
        )
        lows, highs = (_by_reach(b, bounds, chain) for b in (low, high))
        for key, mine in pieces.items():
            pieces[key] = [_banded(p, lows.get(key, []), highs.get(key, []), chain, key[0]) for p in mine]
            bands += _bands(reaches[key[0]].code, key[1], lows.get(key, []), highs.get(key, []), heights)
    elif heights.indicative:
        notes.append(
            _note(
                reaches[chain.reaches[0]],
                "dem_error_unknown",
                f"The error of {heights.name} is not known: no band is drawn; give it with --dem-error.",
            )
        )
    return Wet(pieces, bands, notes, extent, tuple(done.said))


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
        shapes.append(smooth)
        for bank, curve in _split(smooth, chain, done, given, stretch, system).items():
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
    chain = rising(np.clip(at[first:last], start, end))
    chain[0], chain[-1] = start, end
    return tidy(xy[first:last], chain)


# ---- pieces ----------------------------------------------------------------------------------------------------------


def _by_reach(
    banks: Banks, bounds: Sequence[draft_levels.Stretch], chain: Chain
) -> dict[tuple[int, str], list[tuple[Curve, draft_levels.Stretch]]]:
    """Lines cut where reaches end, by reach and bank; chainages still along the chain."""
    out: dict[tuple[int, str], list[tuple[Curve, draft_levels.Stretch]]] = {}
    for bank, curves in banks.items():
        for curve in curves:
            for bound in bounds:
                a, b = max(curve.from_m, bound.from_m), min(curve.to_m, bound.to_m)
                if b - a > 1.0:
                    out.setdefault((bound.reach, bank), []).append((curve.part(a, b), bound))
    return out


def _piece(
    curve: Curve,
    given: Profile,
    bound: draft_levels.Stretch,
    chain: Chain,
    reaches: Sequence[Reach],
    heights: Heights,
    wanted: Mapping[int, tuple[float, RuleValue | None]],
    done: Flood,
) -> Piece:
    start = chain.start_m[chain.reaches.index(bound.reach)]
    length = reaches[bound.reach].length_m
    at = np.clip(curve.at_m - start, 0.0, length)
    level = given.levels(np.array([curve.from_m, (curve.from_m + curve.to_m) / 2, curve.to_m]))
    source = dict(heights.source or {}) | {
        "dem": heights.name,
        "level_from_m": round(float(level[0]), 3),
        "level_to_m": round(float(level[2]), 3),
    }
    basis = Basis(
        "flood_level", wanted.get(bound.reach, (0.0, None))[1], source,
        "surrogate" if heights.indicative else "draft",
        round(float(level[1]), 3), bound.period_a, None if heights.relative else heights.vertical_datum,
        round(done.dem.cell_m, 2), indicative=heights.indicative,
    )  # fmt: skip
    return Piece(Curve(curve.xy, at), basis)


Lines = Sequence[tuple[Curve, draft_levels.Stretch]]


def _banded(piece: Piece, lows: Lines, highs: Lines, chain: Chain, reach: int) -> Piece:
    """A piece with its mean distance to the line of the lower level (inside) and of the higher one (outside)."""
    points = shapely.line_interpolate_point(piece.curve.line, np.linspace(0, 1, 41), normalized=True)

    def mean(lines: Lines) -> float:
        if not lines:
            return float("nan")
        shape = shapely.union_all([c.line for c, _ in lines])
        return round(float(shapely.distance(points, shape).mean()), 2)

    return replace(piece, basis=replace(piece.basis, band_in_m=mean(lows), band_out_m=mean(highs)))


def _bands(code: str, bank: str, lows: Lines, highs: Lines, heights: Heights) -> list[dict[str, Any]]:
    """The band between the lines of the level less and plus the error of the DEM."""
    if not lows or not highs:
        return []
    low, high = (np.vstack([c.xy for c, _ in lines]) for lines in (lows, highs))
    shape = geometry.polygons_of(shapely.make_valid(shapely.Polygon(np.vstack([high, low[::-1]]))))
    sentence = f"Error of {heights.name} of {heights.error_m:g} m up and down, drawn as a horizontal band."
    return (
        []
        if shape.is_empty
        else [{"reach_code": code, "bank": bank, "error_m": heights.error_m, "sentence": sentence, "geometry": shape}]
    )
