"""Geometries against what a layer holds: what cannot be used is set aside, what is repaired is said."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import shapely

from rivergis import crs, geometry, layers
from rivergis.intake.batch import Batch


def check(batch: Batch, layer: layers.Layer) -> None:
    """Set missing and wrong shapes aside, repair crossed rings, and make of several parts what the layer holds."""
    if layer.geometry_required:
        batch.aside(~_present(batch), "geometry_missing", "It has no shape or position.")
    kinds: dict[str, Callable[[Batch], None]] = {"MultiPolygon": _areas, "LineString": _lines, "Point": _points}
    kinds.get(layer.geometry or "", _any)(batch)


def _present(batch: Batch) -> np.ndarray:
    return np.array([s is not None and not s.is_empty for s in batch.frame.geometry.values], bool)


def _put(batch: Batch, shapes: list[shapely.Geometry | None]) -> None:
    batch.frame["geom"] = gpd.GeoSeries(shapes, index=batch.frame.index, crs=batch.frame.crs)


def _areas(batch: Batch) -> None:
    shapes = list(batch.frame.geometry.values)
    there = _present(batch)
    areas = [geometry.polygons_of(s) if ok else None for s, ok in zip(shapes, there, strict=True)]
    _say_repairs(batch, shapes, areas)
    _say_left_out(batch, "Polygon")
    _put(batch, areas)
    batch.aside([a is not None and a.is_empty for a in areas], "no_area", "It has no area: a polygon is needed here.")


def _say_repairs(batch: Batch, before: list[shapely.Geometry | None], after: list[shapely.Geometry | None]) -> None:
    """One diagnostic for all crossed rings, with the area each gained or lost (m2, ellipsoid)."""
    crossed = [
        i
        for i, (b, a) in enumerate(zip(before, after, strict=True))
        if b is not None and a is not None and not a.is_empty and not b.is_valid
    ]
    changes = [crs.area_m2(after[i]) - _area_as_drawn(before[i]) for i in crossed]
    batch.note(
        "repaired",
        list(batch.frame["source_feature"].iloc[crossed]),
        "Crossed or doubled rings were made valid; every lobe is kept.",
        area_change_m2=[round(c, 2) for c in changes[:20]],
    )


def _area_as_drawn(shape: shapely.Geometry | None) -> float:
    """Area by the order of the vertices, as a crossed ring without repair would be measured (lobes cancel out)."""
    return float(sum(abs(crs.GEOD.geometry_area_perimeter(p)[0]) for p in _parts(shape) if p.geom_type == "Polygon"))


def _say_left_out(batch: Batch, wanted: str) -> None:
    """Parts of another kind in a feature that has parts of the right kind."""
    mixed = []
    for feature, shape in zip(batch.frame["source_feature"], batch.frame.geometry.values, strict=True):
        kinds = {p.geom_type for p in _parts(shape)}
        if wanted in kinds and kinds != {wanted}:
            mixed.append(feature)
    batch.note(
        "parts_left_out", mixed, f"Parts that are not a {wanted} were left out; they stand in the file as delivered."
    )


def _lines(batch: Batch) -> None:
    """One line for each feature; parts are joined only where they meet end to end."""
    lines: list[shapely.Geometry | None] = []
    turned: list[int] = []
    for i, shape in enumerate(batch.frame.geometry.values):
        line, against = _one_line(shape)
        lines.append(line)
        if against:
            turned.append(i)
    batch.note(
        "parts_turned",
        list(batch.frame["source_feature"].iloc[turned]),
        "Its parts were drawn in different directions and were joined into one line: check that it runs downstream.",
    )
    _say_left_out(batch, "LineString")
    there = _present(batch)
    _put(batch, lines)
    several = np.array([g is not None and g.geom_type == "MultiLineString" for g in lines], bool)
    none = np.array([g is None for g in lines], bool) & there
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
    shapes = [
        s.geoms[0] if s is not None and s.geom_type == "MultiPoint" and len(s.geoms) == 1 else s
        for s in batch.frame.geometry.values
    ]
    _put(batch, shapes)
    wrong = [s is not None and not s.is_empty and s.geom_type != "Point" for s in shapes]
    batch.aside(wrong, "no_point", "It is not one point: a Point is needed here.")


def _any(batch: Batch) -> None:
    """Areas where there are any, else what was drawn."""
    shapes = list(batch.frame.geometry.values)
    areal = ("Polygon", "MultiPolygon", "GeometryCollection")
    made = [geometry.polygons_of(s) if s is not None and s.geom_type in areal else s for s in shapes]
    _say_repairs(batch, shapes, made)
    _put(batch, made)
    batch.aside(
        [s is not None and s.is_empty for s in made],
        "no_area",
        "It is drawn as an area but has none: correct or digitise it again.",
    )
