"""Geometries against what a layer holds: what cannot be used is set aside, what is repaired is said."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs, geometry, layers
from rivergis.intake.batch import Batch

# a ring of an area may be drawn with its ends this far apart (metres): further, somebody has to look
_GAP_M = 0.5
_POLYGON, _LINE = 3, 1


def check(batch: Batch, layer: layers.Layer) -> None:
    """Set missing and wrong shapes aside, repair crossed rings, and make of several parts what the layer holds.

    What was done to a shape is said, and where the stored shape is not exactly the delivered one, the delivered one
    stays with its row as hex WKB in source coordinates (``source.geom``).
    """
    if layer.geometry_required:
        batch.aside(~_present(batch), "geometry_missing", "It has no shape or position.")
    _say_heights(batch, layer)
    _drop_repeated(batch)
    kinds: dict[str, Callable[[Batch], None]] = {"MultiPolygon": _areas, "LineString": _lines, "Point": _points}
    kinds.get(layer.geometry or "", _any)(batch)
    if {"from_m", "to_m"} <= set(batch.frame.columns) and layer.geometry == "LineString":
        _check_stretches(batch)
    _keep_delivered(batch)


def _present(batch: Batch) -> np.ndarray:
    shapes = batch.frame.geometry.values
    return np.asarray(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))


def _put(batch: Batch, shapes: np.ndarray | list[shapely.Geometry | None]) -> None:
    batch.frame["geom"] = gpd.GeoSeries(np.asarray(shapes, object), index=batch.frame.index, crs=batch.frame.crs)


def _delivered(batch: Batch) -> np.ndarray:
    return np.asarray(batch.frame["delivered"], object)


def _say_heights(batch: Batch, layer: layers.Layer) -> None:
    """Layers are two-dimensional: heights and measures stay in the delivered shape; a stake without a height takes its own."""
    given = _delivered(batch)
    raised = shapely.has_z(given) | shapely.has_m(given)
    features = list(batch.frame["source_feature"][raised])
    said = "Heights (Z) or measures (M) stay with the shape as delivered; the layer itself is two-dimensional."
    batch.note("heights_kept_as_delivered", features, said)
    if any(c.name == "height_m" for c in layer.columns):
        _fill_heights(batch, given)


def _fill_heights(batch: Batch, given: np.ndarray) -> None:
    z = np.where(shapely.get_type_id(given) == 0, shapely.get_z(given), np.nan)
    there = batch.frame["height_m"] if "height_m" in batch.frame else np.full(len(z), np.nan)
    fill = np.isfinite(z) & (z != 0) & np.asarray(pd.isna(there), bool)
    if fill.any():
        batch.frame["height_m"] = np.where(fill, z, np.asarray(there, float))
        said = "height_m was empty and was filled from the height of the point (Z); its vertical datum is not known."
        batch.note("height_from_z", list(batch.frame["source_feature"][fill]), said)


def _drop_repeated(batch: Batch) -> None:
    """Vertices that stand twice at one place one after the other; they measure nothing and break the counting of sides."""
    before = np.asarray(batch.frame.geometry.values, object)
    after = shapely.remove_repeated_points(before)
    fewer = shapely.get_num_coordinates(after) < shapely.get_num_coordinates(before)
    # what would vanish (a line between two equal points) stays, to be set aside for what it is
    fewer &= ~shapely.is_empty(after)
    if fewer.any():
        _put(batch, np.where(fewer, after, before))
        said = "Vertices that were repeated at the same place were taken once."
        batch.note("repeated_vertices", list(batch.frame["source_feature"][fewer]), said)


def _check_stretches(batch: Batch) -> None:
    """Chainages that are a thousandth of the line's length are kilometres in columns of metres."""
    span = (pd.to_numeric(batch.frame["to_m"]) - pd.to_numeric(batch.frame["from_m"])).to_numpy(float)
    length = crs.length_m(batch.frame.geometry.values)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = length / np.abs(span)
    bad = np.isfinite(ratio) & (ratio > 500) & (ratio < 2000)
    batch.aside(
        bad,
        "units_suspect",
        [
            f"from_m and to_m are {s:.10g} apart but the line is {m:,.0f} m long: they look like kilometres; give metres, or "
            "name the fields with km."
            for s, m in zip(np.abs(span[bad]), length[bad], strict=True)
        ],
    )


def _keep_delivered(batch: Batch) -> None:
    """Put the delivered shape into the provenance of rows whose stored shape is another."""
    given, stored = _delivered(batch), np.asarray(batch.frame.geometry.values, object)
    there = ~shapely.is_missing(given)
    other = there.copy()
    other[there] = shapely.to_wkb(_single(given[there]), include_srid=False) != shapely.to_wkb(
        _single(stored[there]), include_srid=False
    )
    for source, wkb in zip(batch.frame["source"][other], shapely.to_wkb(given[other], hex=True), strict=True):
        source["geom"] = wkb
    batch.frame = batch.frame.drop(columns="delivered")


def _single(shapes: np.ndarray) -> np.ndarray:
    """A collection of one part is that part: storing a polygon as a multipolygon of one changes nothing."""
    one = (shapely.get_type_id(shapes) > _POLYGON) & (shapely.get_num_geometries(shapes) == 1)
    return np.where(one, shapely.get_geometry(shapes, 0), shapes)


def _areas(batch: Batch) -> None:
    _close_lines(batch)
    shapes = np.asarray(batch.frame.geometry.values, object)
    there = _present(batch)
    simple = there & (shapely.get_type_id(shapes) == _POLYGON) & shapely.is_valid(shapes)
    areas = np.full(len(shapes), None, object)
    if simple.any():
        areas[simple] = shapely.multipolygons(shapes[simple], indices=np.arange(simple.sum()))
    for i in np.flatnonzero(there & ~simple):
        areas[i] = geometry.polygons_of(shapes[i])
    _say_repairs(batch, shapes, areas)
    _say_left_out(batch, "Polygon")
    _put(batch, areas)
    batch.aside(shapely.is_empty(areas), "no_area", "It has no area: a polygon is needed here.")


def _close_lines(batch: Batch) -> None:
    """Areas that were drawn as closed lines become areas; an open line is set aside with its gap."""
    shapes = np.asarray(batch.frame.geometry.values, object)
    drawn = np.isin(shapely.get_type_id(shapes), (_LINE, 5))
    if not drawn.any():
        return
    gaps = np.array([max(_gap_m(p) for p in _parts(s)) if d else 0.0 for s, d in zip(shapes, drawn, strict=True)])
    closed = drawn & (gaps <= _GAP_M)
    made = [
        shapely.MultiPolygon([shapely.Polygon(p.coords) for p in _parts(s)]) if c else s
        for s, c in zip(shapes, closed, strict=True)
    ]
    _put(batch, made)
    said = f"It was drawn as closed lines and became an area; gaps of up to {gaps[closed].max(initial=0):.2f} m were closed."
    batch.note("lines_closed", list(batch.frame["source_feature"][closed]), said, about="lines_closed")
    opened = drawn & ~closed
    batch.aside(
        opened,
        "not_closed",
        [f"It is a line whose ends are {g:,.1f} m apart, but an area is needed here: close it." for g in gaps[opened]],
    )


def _gap_m(line: shapely.Geometry) -> float:
    """Distance of a line's ends on the ellipsoid, m; infinite for a line that cannot be a ring."""
    coords = shapely.get_coordinates(line)
    if len(coords) < 4:
        return float("inf")
    return float(crs.GEOD.inv(*coords[0], *coords[-1])[2])


def _say_repairs(batch: Batch, before: np.ndarray, after: np.ndarray) -> None:
    """One diagnostic for all crossed rings, with the area each gained or lost (m2, ellipsoid)."""
    made = ~shapely.is_missing(before) & ~shapely.is_missing(after) & ~shapely.is_empty(after)
    crossed = np.flatnonzero(made & ~shapely.is_valid(before))
    changes = [crs.area_m2(after[i]) - _area_as_drawn(before[i]) for i in crossed]
    batch.note(
        "repaired",
        list(batch.frame["source_feature"].iloc[crossed]),
        "Crossed or doubled rings were made valid; every lobe is kept.",
        area_change_m2=[round(c, 2) for c in changes[:20]],
        severity="warning",
    )


def _area_as_drawn(shape: shapely.Geometry | None) -> float:
    """Area by the order of the vertices, as a crossed ring without repair would be measured (lobes cancel out)."""
    return float(sum(abs(crs.GEOD.geometry_area_perimeter(p)[0]) for p in _parts(shape) if p.geom_type == "Polygon"))


def _say_left_out(batch: Batch, wanted: str) -> None:
    """Parts of another kind in a feature that has parts of the right kind."""
    shapes = np.asarray(batch.frame.geometry.values, object)
    mixed = []
    for i in np.flatnonzero(shapely.get_type_id(shapes) > _POLYGON):
        kinds = {p.geom_type for p in _parts(shapes[i])}
        if wanted in kinds and kinds != {wanted}:
            mixed.append(batch.frame["source_feature"].iloc[i])
    batch.note(
        "parts_left_out",
        mixed,
        f"Parts that are not a {wanted} were left out; they stay with the shape as delivered.",
        severity="warning",
    )


def _lines(batch: Batch) -> None:
    """One line for each feature; parts are joined only where they meet end to end."""
    shapes = np.asarray(batch.frame.geometry.values, object)
    there = _present(batch)
    lines = shapes.copy()
    lines[(shapely.get_type_id(shapes) != _LINE) | (shapely.length(shapes) == 0)] = None
    joined: list[int] = []
    turned: list[int] = []
    for i in np.flatnonzero(there & shapely.is_missing(lines)).tolist():
        lines[i], against = _one_line(shapes[i])
        if against:
            turned.append(i)
        elif lines[i] is not None and len(_parts(shapes[i])) > 1 and lines[i].geom_type == "LineString":
            joined.append(i)
    features = batch.frame["source_feature"]
    batch.note(
        "parts_turned",
        list(features.iloc[turned]),
        "Its parts were drawn in different directions and were joined into one line: check that it runs downstream.",
        severity="warning",
    )
    batch.note("parts_joined", list(features.iloc[joined]), "Its parts meet end to end and became one line.")
    _say_left_out(batch, "LineString")
    _put(batch, lines)
    several = shapely.get_type_id(lines) == 5
    none = shapely.is_missing(lines) & there
    batch.aside(none, "no_line", "It has no line: a LineString is needed here.")
    batch.aside(
        several[~none],
        "several_lines",
        "Its parts do not join into one line: close the gaps or give each part a code of its own.",
    )


def _one_line(shape: shapely.Geometry | None) -> tuple[shapely.Geometry | None, bool]:
    """The line of a shape and whether parts had to be turned; a MultiLineString where the parts do not join."""
    parts = [p for p in _parts(shape) if p.geom_type == "LineString" and p.length > 0]
    if len(parts) <= 1:
        return (parts[0] if parts else None), False
    kept = _merge(parts, True)
    free = kept if kept.geom_type == "LineString" else _merge(parts, False)
    return (free, free is not kept) if free.geom_type == "LineString" else (kept, False)


def _parts(shape: shapely.Geometry | None) -> list[shapely.Geometry]:
    return [] if shape is None else list(shapely.get_parts(shape))


def _merge(parts: list[shapely.Geometry], directed: bool) -> shapely.Geometry:
    return shapely.line_merge(shapely.MultiLineString(parts), directed=directed)


def _points(batch: Batch) -> None:
    shapes = _single(np.asarray(batch.frame.geometry.values, object))
    _put(batch, shapes)
    wrong = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes) & (shapely.get_type_id(shapes) != 0)
    batch.aside(wrong, "no_point", "It is not one point: a Point is needed here.")


def _any(batch: Batch) -> None:
    """Areas where there are any, else what was drawn."""
    shapes = np.asarray(batch.frame.geometry.values, object)
    made = shapes.copy()
    areal = np.isin(shapely.get_type_id(shapes), (_POLYGON, 6, 7))
    simple = (shapely.get_type_id(shapes) == _POLYGON) & shapely.is_valid(shapes) & ~shapely.is_empty(shapes)
    if simple.any():
        made[simple] = shapely.multipolygons(shapes[simple], indices=np.arange(simple.sum()))
    for i in np.flatnonzero(areal & ~simple):
        made[i] = geometry.polygons_of(shapes[i])
    _say_repairs(batch, shapes, made)
    _put(batch, made)
    batch.aside(shapely.is_empty(made), "no_area", "It is drawn as an area but has none: correct or digitise it again.")
