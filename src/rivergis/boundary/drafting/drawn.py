"""From the lines of both banks to what is written: cut at county borders, the area between, one row a piece.

Areas of neighbouring reaches meet in the node and in the corners of their lines, so that they neither overlap nor leave a gap;
at a county border (县界) lines and areas are cut in the same places, and both parts end there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import geometry
from rivergis.boundary.drafting import standing as draft_standing
from rivergis.boundary.drafting.course import Piece
from rivergis.boundary.drafting.curves import Curve, Floats
from rivergis.boundary.drafting.frames import (
    AREA_COLUMNS,
    BAND_COLUMNS,
    INDICATIVE,
    LINE_COLUMNS,
    Basis,
    Draft,
    Note,
    Reach,
    notes_frame,
)
from rivergis.boundary.drafting.islands import Inner
from rivergis.boundary.drafting.nodes import Courses, Nodes

if TYPE_CHECKING:
    from rivergis.boundary.drafting.make import Sources


def drawn(
    sources: Sources,
    courses: Courses,
    nodes: Nodes,
    inner: Inner,
    axes: Sequence[Curve],
    notes: list[Note],
    system: Any,
) -> Draft:
    """Lines, areas, bands and notes of finished courses."""
    counties = sources.counties
    lines: list[dict[str, Any]] = []
    shapes: dict[int, Any] = {}
    standing = shapely.union_all([w.area for w in sources.waters]) if sources.waters else shapely.Polygon()
    for i, reach in enumerate(sources.reaches):
        mine = {bank: courses.get((i, bank), []) for bank in ("left", "right")}
        for bank, pieces in mine.items():
            lines += _rows(reach, bank, pieces, counties, sources)
        shape = _area(i, mine, nodes, inner, axes[i])
        if shape is None:
            continue
        flooded = any(p.basis.drawn_by == "flood_level" for pieces in mine.values() for p in pieces)
        if not shape.is_valid and not flooded:
            notes.append(_crossed(reach, shape))
        shapes[i] = geometry.polygons_of(shapely.difference(shapely.make_valid(shape), standing))
    wet = [i for i in shapes if _is_wet(i, courses, sources)]
    shapes = tiled(shapes, wet, sources.extents, sources.reaches)
    areas: list[dict[str, Any]] = []
    for i, shape in shapes.items():
        basis = [p.basis for bank in ("left", "right") for p in courses.get((i, bank), [])]
        areas += _area_rows(sources.reaches[i], shape, counties, sources.line_type, basis)
    lines += draft_standing.rows(
        sources.waters, lines, shapes, partial(_row, line_type=sources.line_type), counties, _by_county
    )
    areas += draft_standing.area_rows(sources.waters, _area_rows, counties, sources.line_type)
    bands = [dict(b) for b in sources.bands]
    return Draft(
        _frame(lines, [*LINE_COLUMNS, "kept"], system),
        _frame(areas, AREA_COLUMNS, system),
        _frame(bands, BAND_COLUMNS, system),
        notes_frame(notes, system),
    )


def _frame(rows: list[dict[str, Any]], columns: Sequence[str], system: Any) -> gpd.GeoDataFrame:
    shapes = [r.pop("geometry") for r in rows]
    return gpd.GeoDataFrame(
        pd.DataFrame(rows, columns=list(columns)), geometry=gpd.GeoSeries(shapes, crs=system), crs=system
    )


# ---- lines -----------------------------------------------------------------------------------------------------------


def _rows(
    reach: Reach, bank: str, pieces: Sequence[Piece], counties: gpd.GeoDataFrame | None, sources: Sources
) -> list[dict[str, Any]]:
    """Rows of one bank, numbered downstream; kept segments as they were."""
    kept = sources.kept_rows
    taken = sources.kept_codes
    letter = "L" if bank == "left" else "R"
    free = (code for n in range(1, 100_000) if (code := f"{reach.code}-{letter}-{n:02d}") not in taken)
    out: list[dict[str, Any]] = []
    for piece in _one_reason(pieces):
        if piece.row is not None:
            row = _kept_row(kept, piece, reach)
            again = piece.cut and any(r.get("code") == row["code"] for r in out)
            out.append(row | {"code": next(free)} if again else row)
            continue
        for county, curve in _by_county(piece.curve, counties):
            out.append(_row(next(free), reach, bank, county, piece.basis, curve, sources.line_type))
    return out


def _kept_row(kept: gpd.GeoDataFrame, piece: Piece, reach: Reach) -> dict[str, Any]:
    """A segment that stays, or what is left of it; its number among the kept ones as ``kept``."""
    row = {c: kept[c].iloc[piece.row] for c in kept.columns if c != kept.geometry.name}
    if not piece.cut:
        return row | {"geometry": kept.geometry.iloc[piece.row], "kept": piece.row}
    ends = {"from_m": round(reach.origin_m + piece.from_m, 2), "to_m": round(reach.origin_m + piece.to_m, 2)}
    return row | ends | {"geometry": piece.curve.line}


def _one_reason(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces that follow each other for one and the same reason, as one: no node without a reason (伪节点)."""
    out: list[Piece] = []
    for piece in pieces:
        last = out[-1] if out else None
        if last and last.row is None and piece.row is None and last.basis == piece.basis and _touch(last, piece):
            xy = np.vstack([last.curve.xy, piece.curve.xy[1:]])
            out[-1] = Piece(Curve(xy, np.concatenate([last.curve.at_m, piece.curve.at_m[1:]])), piece.basis)
        else:
            out.append(piece)
    return out


def _touch(one: Piece, two: Piece) -> bool:
    return bool(np.hypot(*(one.curve.xy[-1] - two.curve.xy[0])) < 1e-6)


def _row(
    code: str, reach: Reach, bank: str | None, county: str | None, basis: Basis, curve: Curve, line_type: str
) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(LINE_COLUMNS)
    return row | {
        "code": code,
        "river_code": reach.river,
        "reach_code": reach.code,
        "bank": bank,
        "line_type": line_type,
        "basis": basis.basis,
        "from_m": round(reach.origin_m + curve.from_m, 2),
        "to_m": round(reach.origin_m + curve.to_m, 2),
        "drawn_by": basis.drawn_by,
        "rule": basis.rule_text,
        "source": basis.source_text,
        "flood_level_m": basis.flood_level_m,
        "return_period_a": basis.return_period_a,
        "vertical_datum": basis.vertical_datum,
        "tolerance_m": basis.tolerance_m,
        "band_in_m": basis.band_in_m,
        "band_out_m": basis.band_out_m,
        "hand_edited": False,
        "county": county,
        "indicative": INDICATIVE if basis.indicative else None,
        "geometry": curve.line,
    }


def _by_county(curve: Curve, counties: gpd.GeoDataFrame | None) -> list[tuple[str | None, Curve]]:
    """A curve cut where it crosses county borders, with the county of each part; one part where none is known."""
    if counties is None or counties.empty:
        return [(None, curve)]
    run = _crossings(curve.line, counties)
    stops = np.concatenate([[0.0], run, [curve.line.length]])
    parts = [_slice(curve, a, b) for a, b in itertools.pairwise(stops) if b - a > 0.01]
    out: list[tuple[str | None, Curve]] = []
    for part in parts:
        county = county_at(part.line.interpolate(0.5, normalized=True), counties)
        if out and out[-1][0] == county:  # only touched the border
            last = out[-1][1]
            out[-1] = (county, Curve(np.vstack([last.xy, part.xy[1:]]), np.concatenate([last.at_m, part.at_m[1:]])))
        else:
            out.append((county, part))
    return out


def _crossings(line: shapely.LineString, counties: gpd.GeoDataFrame) -> Floats:
    """Where along a line it meets county borders."""
    borders = shapely.boundary(counties.geometry.to_numpy())
    met = shapely.get_parts(shapely.intersection(borders[shapely.intersects(borders, line)], line))
    points = shapely.points(np.vstack([shapely.get_coordinates(g)[[0, -1]] for g in met])) if len(met) else np.array([])
    run = np.unique(np.round(shapely.line_locate_point(line, points), 6)) if len(points) else np.zeros(0)
    return run[(run > 0.01) & (run < line.length - 0.01)]


def _slice(curve: Curve, a: float, b: float) -> Curve:
    """The part of a curve between two lengths along it."""
    inside = (curve.run_m > a + 1e-6) & (curve.run_m < b - 1e-6)
    run = np.concatenate([[a], curve.run_m[inside], [b]])
    xy = np.column_stack([np.interp(run, curve.run_m, curve.xy[:, k]) for k in (0, 1)])
    return Curve(xy, np.interp(run, curve.run_m, curve.at_m))


def county_at(point: shapely.Point, counties: gpd.GeoDataFrame) -> str | None:
    """Name of the county a point lies in; None outside of all."""
    inside = np.flatnonzero(shapely.intersects(counties.geometry.to_numpy(), point))
    return str(counties["county"].iloc[inside[0]]) if len(inside) else None


# ---- areas -----------------------------------------------------------------------------------------------------------


def _area(
    i: int, banks: Mapping[str, Sequence[Piece]], nodes: Nodes, inner: Inner, axis: Curve
) -> shapely.Polygon | None:
    """The area of one reach: left line, node, right line back, node; None where a bank has no line."""
    left, right = (_side(bank, banks[bank], (i, bank) in inner.sides, axis) for bank in ("left", "right"))
    own = [isl.shape for isl in inner.islands if isl.inside and isl.sides[0][0] == i]
    if left is None or right is None:
        return None
    end, start = (nodes.xy[nodes.of[i, e]][None] if nodes.degree(i, e) > 1 else np.empty((0, 2)) for e in (1, 0))
    ring = np.vstack([left, end, right[::-1], start])
    if len(ring) < 3 or (not banks["left"] and not banks["right"]):
        return shapely.union_all(own) if own else None
    shape = shapely.Polygon(ring)
    return shapely.union_all([shapely.make_valid(shape), *own]) if own else shape


def _side(bank: str, pieces: Sequence[Piece], is_inner: bool, axis: Curve) -> Floats | None:
    if is_inner:
        return axis.xy
    return np.vstack([p.curve.xy for p in pieces]) if pieces else None


def tiled(
    shapes: Mapping[int, Any], wet: Sequence[int], extents: Sequence[Any], reaches: Sequence[Reach]
) -> dict[int, Any]:
    """Areas of reaches under water of a flood level: each metre of water in one of them, none twice.

    Where lines end under the water of another river there is nothing between two lines; the water there belongs to the reach
    it borders on most.
    """
    out = dict(shapes)
    if not extents:
        return out
    water = shapely.union_all(list(extents))
    done = shapely.union_all([s for i, s in out.items() if i not in wet])
    for i in wet:
        out[i] = geometry.polygons_of(shapely.difference(shapely.intersection(out[i], water), done))
        done = shapely.union(done, out[i])
    rest = [p for p in shapely.get_parts(geometry.polygons_of(shapely.difference(water, done))) if p.area > 1e-3]
    axes = shapely.STRtree([reaches[i].axis for i in wet])
    for part in rest if wet else ():
        touching = [i for i in wet if shapely.intersects(out[i], part)]
        shared = [shapely.intersection(out[i].boundary, part.boundary).length for i in touching]
        i = touching[int(np.argmax(shared))] if touching and max(shared) > 0 else wet[int(axes.nearest(part))]
        out[i] = geometry.polygons_of(shapely.union(out[i], part))
    return out


def _is_wet(i: int, courses: Courses, sources: Sources) -> bool:
    """Whether both banks of a reach follow a flood and nothing else, as far as they are drawn."""
    sides = [(i, bank) for bank in ("left", "right")]
    told = any(side in sources.pieces or side in sources.hidden for side in sides)
    return told and all(p.basis.drawn_by == "flood_level" for side in sides for p in courses.get(side, []))


def _crossed(reach: Reach, shape: shapely.Polygon) -> Note:
    why = shapely.is_valid_reason(shape)
    return Note(
        reach.code, None, reach.origin_m, reach.origin_m + reach.length_m, "lines_cross",
        f"The lines of this reach cross themselves or each other ({why[:60]}): the area was made without the loop; mend the lines by hand.",
        reach.axis.interpolate(0.5, normalized=True),
    )  # fmt: skip


def _area_rows(
    reach: Reach,
    shape: shapely.MultiPolygon,
    counties: gpd.GeoDataFrame | None,
    line_type: str,
    bases: Iterable[Basis],
) -> list[dict[str, Any]]:
    """One row a reach and county."""
    bases = list(bases)
    shown = INDICATIVE if any(b.indicative for b in bases) else None
    basis = "surrogate" if any(b.basis == "surrogate" for b in bases) else "draft"
    parts: list[tuple[str | None, Any]] = [(None, shape)]
    if counties is not None and len(counties):
        shapes = counties.geometry.to_numpy()
        near = np.flatnonzero(shapely.intersects(shapes, shape))
        inside = [k for k in near if shapely.contains(shapes[k], shape)]
        parts = [
            (str(counties["county"].iloc[k]), shape if inside else shapely.intersection(shape, shapes[k]))
            for k in (inside[:1] or near)
        ]
        if not inside:
            rest = shapely.difference(shape, shapely.union_all(shapes[near])) if len(near) else shape
            parts.append((None, rest))
    out = []
    for county, part in parts:
        for k, polygon in enumerate(_polygons(part)):
            code = f"{reach.code}-A" + (f"-{county}" if county and len(parts) > 1 else "") + (f"-{k + 1}" if k else "")
            out.append(
                {
                    "code": code, "river_code": reach.river, "reach_code": reach.code, "county": county,
                    "line_type": line_type, "basis": basis, "area_m2": round(polygon.area, 1), "indicative": shown,
                    "geometry": polygon,
                }
            )  # fmt: skip
    return out


def _polygons(shape: Any) -> list[shapely.Polygon]:
    """Polygons of a shape, largest first; nothing thinner than a hand."""
    parts = [p for p in shapely.get_parts(geometry.polygons_of(shape)) if p.area > 1.0]
    return sorted(parts, key=lambda p: -p.area)
