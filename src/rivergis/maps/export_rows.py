"""The rows of an export as they stream: values in their kinds, shapes in the system they go out in.

A layer over several Gauss-Krüger zones, or with points and areas where a format holds one kind, goes out in parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyproj
import shapely
from sqlalchemy import Connection

from rivergis import crs as crs_
from rivergis.db.connect import read_table, stream_rows
from rivergis.errors import CrsRefused, InputError
from rivergis.maps.export_columns import Field, Query

CHUNK = 5_000
# degrees by which a projected system may be used beyond the area it was made for
BEYOND_AREA = 3.0
_KINDS = {0: "point", 1: "line", 2: "area"}
_NAMES = {n.upper(): n for n in ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")}
_ZONE = "round((ST_XMin(t.geom) + ST_XMax(t.geom)) / 6)"


@dataclass(frozen=True)
class Part:
    """What goes into one file: a condition on the rows, their system, and what shapes they have."""

    suffix: str
    condition: str
    crs: pyproj.CRS | None
    shape: str | None
    """GDAL's name of the geometry type; ``Unknown`` for several, None for a plain table."""
    count: int
    extent: tuple[float, float, float, float] | None = None
    params: dict[str, Any] = field(default_factory=dict)
    empties: bool = False
    """Some rows have no shape."""
    heights: str = ""
    """``all``: every shape was delivered with heights, and they go out; ``some``: they stay with the shapes as delivered."""

    @property
    def raised(self) -> bool:
        return self.heights == "all"

    @property
    def kind(self) -> str | None:
        """GDAL's name of the geometry type with heights."""
        return f"{self.shape} Z" if self.shape and self.raised else self.shape


@dataclass(frozen=True)
class Chunk:
    """A lot of rows: one list a column, shapes in the part's system and in degrees (EPSG:4490)."""

    columns: list[Sequence[Any]]
    shapes: np.ndarray | None
    degrees: np.ndarray | None

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0


def parts(
    conn: Connection, query: Query, condition: str, params: dict[str, Any], system: str, one_kind: bool
) -> list[Part]:
    """The files a layer goes out as; one of the right kind also when there are no rows.

    ``system``: ``local`` (the CGCS2000 3-degree zone of each feature's place) or a code. Raises ``CrsRefused``.
    """
    if not query.geometry:
        count = read_table(conn, f"SELECT count(*) AS n FROM {_from(query, condition)}", params)["n"].iloc[0]
        return [Part("", condition, None, None, int(count), params=params)]
    groups = _census(conn, query, condition, params, system == "local", one_kind)
    if not groups:
        empty = crs_.STORAGE if system == "local" else system
        return [Part("", condition, accepted(empty), _declared(query), 0, params=params)]
    zones = {g["zone"] for g in groups if g["zone"] is not None}
    several = len({g["dim"] for g in groups if g["dim"] is not None}) > 1
    return [_part(query, condition, params, g, system, len(zones) > 1, several) for g in groups]


def _from(query: Query, condition: str) -> str:
    return f"{query.source} WHERE {query.where} AND {condition}"


def _census(
    conn: Connection, query: Query, condition: str, params: dict[str, Any], by_zone: bool, by_kind: bool
) -> list[dict[str, Any]]:
    """Count, extent and geometry types of what goes out, by zone and kind where these make files of their own."""
    zone = _ZONE if by_zone else "CAST(NULL AS double precision)"
    dim = "ST_Dimension(t.geom)" if by_kind else "CAST(NULL AS int)"
    # the delivered shape as hex WKB: the last byte of its type says whether it has heights
    raised = "coalesce(substr(t.source ->> 'geom', 9, 2) IN ('80', 'C0'), false)"
    # some formats write 0 where there is no height at all
    given = "ST_GeomFromEWKB(decode(t.source ->> 'geom', 'hex'))"
    height = f"(ST_ZMin({given}) <> 0 OR ST_ZMax({given}) <> 0)"
    table = read_table(
        conn,
        f"""SELECT {zone} AS zone, {dim} AS dim, count(*) AS n, bool_or(t.geom IS NULL) AS empties, bool_and({raised}) AS all_raised,
          coalesce(bool_or(CASE WHEN {raised} THEN {height} END), false) AS some_raised, array_agg(DISTINCT GeometryType(t.geom)) AS types,
          min(ST_XMin(t.geom)) AS west, min(ST_YMin(t.geom)) AS south, max(ST_XMax(t.geom)) AS east, max(ST_YMax(t.geom)) AS north
        FROM {_from(query, condition)} GROUP BY 1, 2 ORDER BY 1, 2""",
        params,
    ).astype(object)
    rows = table.where(table.notna(), None).to_dict("records")
    return _without_lone_empties(rows)


def _without_lone_empties(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without a shape have no zone or kind of their own: they go with the first part."""
    empty = [r for r in rows if r["west"] is None]
    placed = [r for r in rows if r["west"] is not None]
    if not empty or not placed:
        return rows
    first = {**placed[0], "n": placed[0]["n"] + sum(r["n"] for r in empty), "empties": True}
    return [first, *placed[1:]]


def _part(
    query: Query, condition: str, params: dict[str, Any], group: dict[str, Any], system: str, zones: bool, kinds: bool
) -> Part:
    west, south, east, north = (group[k] for k in ("west", "south", "east", "north"))
    extent = None if west is None else (float(west), float(south), float(east), float(north))
    tests, names = [], []
    if zones:
        tests.append(f"{_ZONE} = {int(group['zone'])}")
        names.append(f"_zone{int(group['zone'])}")
    if kinds:
        tests.append(f"ST_Dimension(t.geom) = {int(group['dim'])}")
        names.append(f"_{_KINDS[int(group['dim'])]}")
    own = " AND ".join(tests) or "true"
    if tests and group.get("empties"):
        own = f"({own} OR t.geom IS NULL)"
    used = _system(system, extent, query.layer.name)
    shape = _shape(query, [t for t in group["types"] if t])
    empties = bool(group.get("empties")) or extent is None
    whole = group["all_raised"] and shape != "Unknown" and not empties
    heights = "" if not group["some_raised"] else "all" if whole else "some"
    return Part(
        "".join(names), f"{condition} AND {own}", used, shape, int(group["n"]), extent, params, empties, heights
    )


def accepted(system: str) -> pyproj.CRS:
    """A system that maps are drawn in; refused datums and systems without two map axes raise ``CrsRefused``."""
    used = crs_.accepted(system, "--crs")
    if not (used.is_geographic or used.is_projected) or len(used.axis_info) != 2:
        raise CrsRefused(
            f"--crs {system} is {used.name!r}, which has no two map axes: name a projected or geographic code."
        )
    return used


def _system(system: str, extent: Any, layer: str) -> pyproj.CRS:
    if system != "local":
        used = accepted(system)
        _check_area(used, system, extent, layer)
        return used
    if extent is None:
        return accepted(crs_.STORAGE)
    zone = zone_of(extent)
    if zone is None:
        raise CrsRefused(
            f"{layer} lies outside China, where there is no CGCS2000 3-degree zone: name a code with --crs."
        )
    return zone


def zone_of(extent: tuple[float, float, float, float]) -> pyproj.CRS | None:
    """The CGCS2000 3-degree zone in the middle of an extent in degrees, if it lies in China."""
    used = crs_.metric_crs((extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2)
    return used if used.to_epsg() else None


def _check_area(used: pyproj.CRS, system: str, extent: Any, layer: str) -> None:
    """A projection far from its own area distorts without bound, and no door would take the file back."""
    area = used.area_of_use
    if extent is None or used.is_geographic or area is None or area.west > area.east:
        return
    west, south, east, north = extent
    if (
        west < area.west - BEYOND_AREA
        or east > area.east + BEYOND_AREA
        or south < area.south - BEYOND_AREA
        or north > area.north + BEYOND_AREA
    ):
        local = zone_of(extent)
        advice = f"--crs local is {local.to_string()} here" if local else "choose a system made for the place"
        raise CrsRefused(
            f"{system} ({used.name}) is meant for {area.west:.1f} to {area.east:.1f} E, {area.south:.1f} to {area.north:.1f} N, "
            f"but {layer} lies in {west:.2f} to {east:.2f} E, {south:.2f} to {north:.2f} N: {advice}."
        )


def _declared(query: Query) -> str:
    geometry = query.layer.geometry or "Unknown"
    return "Unknown" if geometry == "Geometry" else geometry


def _shape(query: Query, types: list[str]) -> str:
    """One name for what the part holds; single and multiple shapes of one kind become multiple ones."""
    if _declared(query) != "Unknown":
        return _declared(query)
    found = {_NAMES.get(t, "Unknown") for t in types}
    single = {name.removeprefix("Multi") for name in found}
    return found.pop() if len(found) == 1 else f"Multi{single.pop()}" if len(single) == 1 else "Unknown"


def chunks(conn: Connection, query: Query, fields: Sequence[Field], part: Part) -> Iterator[Chunk]:
    """The rows of a part in lots, by code; a shape that its system cannot express is an ``InputError``."""
    values = [f"CAST({f.sql} AS text)" if f.kind == "json" else f.sql for f in fields]
    shape = "ST_AsBinary(t.geom)" if query.geometry else "CAST(NULL AS bytea)"
    given = ["t.source ->> 'geom'", "t.source ->> 'crs'"] if part.raised else ["NULL", "NULL"]
    sql = (
        f"SELECT {', '.join([*values, 't.code', *given, shape])} FROM {_from(query, part.condition)} "
        "ORDER BY t.code_namespace, t.code, t.version"
    )
    for rows in stream_rows(conn, sql, part.params, CHUNK):
        *columns, codes, delivered, systems, wkb = zip(*rows, strict=True)
        shapes = degrees = None
        if query.geometry:
            degrees = shapely.from_wkb(np.array([None if w is None else bytes(w) for w in wkb], dtype=object))
            shapes = _brought(degrees, part, codes)
            if part.raised:
                shapes = with_heights(shapes, degrees, delivered, systems)
        yield Chunk(list(columns), shapes, degrees)


def _brought(degrees: np.ndarray, part: Part, codes: Sequence[str]) -> np.ndarray:
    assert part.crs is not None
    shapes = degrees
    if part.crs.to_epsg() != 4490:
        shapes = shapely.transform(degrees, crs_.out_of_storage(part.crs))
        xy, owner = shapely.get_coordinates(shapes, return_index=True)
        lost = owner[~np.isfinite(xy).all(axis=1)]
        if len(lost):
            raise InputError(f"The feature {codes[lost[0]]!r} has no place in {part.crs.name}: choose another --crs.")
    return _multiple(shapes) if (part.shape or "").startswith("Multi") else shapes


def _multiple(shapes: np.ndarray) -> np.ndarray:
    """Single shapes as multiple ones of one part."""
    make = {0: shapely.multipoints, 1: shapely.multilinestrings, 3: shapely.multipolygons}
    out = shapes.copy()
    for kind, multiple in make.items():
        for i in np.flatnonzero(shapely.get_type_id(shapes) == kind):
            out[i] = multiple([shapes[i]])
    return out


class HeightsLost(Exception):
    """A shape is not vertex by vertex the one that was delivered, so that its heights cannot be given back."""


def with_heights(
    shapes: np.ndarray, degrees: np.ndarray, delivered: Sequence[str | None], systems: Sequence[str | None]
) -> np.ndarray:
    """Shapes with the heights (m, in the delivery's own vertical datum) of the vertices they were delivered with.

    ``shapes``: in the part's system; ``degrees``: the same in EPSG:4490. Raises ``HeightsLost`` where a stored shape is
    another than the delivered one (repaired, joined, turned, shifted from a map service's datum).
    """
    given = shapely.from_wkb(np.array(delivered, dtype=object))
    if not np.array_equal(shapely.get_num_coordinates(given), shapely.get_num_coordinates(degrees)):
        raise HeightsLost
    for system in set(systems):
        rows = np.array([s == system for s in systems])
        _check_same(given[rows], degrees[rows], system)
    heights = shapely.get_coordinates(given, include_z=True)[:, 2]
    if not np.isfinite(heights).all():
        raise HeightsLost
    xyz = np.column_stack([shapely.get_coordinates(shapes), heights])
    return np.asarray(shapely.set_coordinates(shapely.force_3d(shapes), xyz))


def _check_same(given: np.ndarray, degrees: np.ndarray, system: str | None) -> None:
    """The same vertices in the same order, to 1 mm, whichever axis the file had first."""
    try:
        source = pyproj.CRS.from_user_input(system)
    except pyproj.exceptions.CRSError as error:
        raise HeightsLost from error
    there = crs_.out_of_storage(source)(shapely.get_coordinates(degrees))
    near = 1e-8 if source.is_geographic else 0.001
    xy = shapely.get_coordinates(given)
    if not (np.abs(xy - there).max(initial=0) < near or np.abs(xy[:, ::-1] - there).max(initial=0) < near):
        raise HeightsLost
