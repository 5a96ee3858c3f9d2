"""Lakes and reservoirs on the way of a river: flow paths through them, and their shores as reaches of their own.

A river area (drawn with two banks) only widens its line. A lake is another thing: the line through it is a flow path
(湖库流线), lines that end at its shore are joined through it, and the shore is shown but takes no part in the flow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from rivergis import crs, geometry
from rivergis.river.drawn import Drawn, Floats, Ints, NetworkDefect
from rivergis.river.lake_paths import Party, join_inside
from rivergis.river.sheet import Sheet, cut_line
from rivergis.river.water_bodies import Shapes, bodies, judged, polygons

LAKES = ("lake", "reservoir", "pond")
SHORES = ("lake", "reservoir")
AHEAD_DEG = 75.0
"""An open end is led on to a shore that lies before it, not behind."""
_SAME_M = 1e-3


@dataclass(frozen=True)
class _Lakes:
    """Standing waters: ``shape`` Polygons, ``name`` and ``kind`` of the largest area in each."""

    shape: Shapes
    name: list[str | None]
    kind: list[str]


def cross(drawn: Drawn, areas: gpd.GeoDataFrame, *, snap_m: float, gap_m: float, max_half_width_m: float) -> Drawn:
    """The river lines led through lakes, reservoirs and ponds (过湖水流线): is the network whole where it meets a lake?

    ``areas``: Polygon or MultiPolygon in the metric CRS of ``drawn`` with ``kind`` (river, canal, lake, reservoir, pond,
    unknown; others are no water) and ``name``. Pieces are cut at the shore; the parts inside become ``flow_path``
    (attributes and source kept, numbers along the source line given anew). A part shorter than ``snap_m`` is not cut off.
    Lines with an open end in a lake, or up to ``gap_m`` before its shore and heading for it (these are ``extended``), are
    joined inside to the lines through the lake, or to one another, by made flow paths (``source_fid`` -1, repair
    ``made``, name of the lake), each listed as ``flow_path_made``. Lines through one lake that belong to separate networks
    are joined too. Unknown areas are judged (``water_bodies.judged``); a lake or reservoir that no line reaches is listed
    as ``lake_without_river``.
    Raises ``CrsRefused`` where ``areas`` are not in metres.
    """
    if not len(areas) or not len(drawn.pieces):
        return drawn
    crs.require_metric(areas)
    known, defects = judged(areas, drawn.pieces, max_half_width_m=max_half_width_m)
    lakes = _lakes(known[known["kind"].isin(LAKES)])
    sheet = Sheet(drawn)
    lake_of = _cut_at_shores(sheet, lakes.shape, snap_m)
    ends = _open_ends(sheet, lakes.shape, gap_m)
    defects += _join(sheet, lakes, lake_of, ends)
    defects += _without_river(lakes, set(lake_of.values()) | {lake for lake, _, _ in ends.values()})
    return sheet.done(defects)


def _lakes(areas: gpd.GeoDataFrame) -> _Lakes:
    shapes = polygons(areas)
    whole, member = bodies(shapes)
    name: list[str | None] = [None] * len(whole)
    kind = ["lake"] * len(whole)
    for k in np.argsort(shapely.area(shapes), kind="stable"):
        if member[k] >= 0:
            said = areas["name"].iloc[k]
            kind[member[k]] = areas["kind"].iloc[k]
            name[member[k]] = said if isinstance(said, str) and said else name[member[k]]
    return _Lakes(whole, name, kind)


def _cut_at_shores(sheet: Sheet, lakes: Shapes, snap_m: float) -> dict[int, int]:
    """Cut every piece where it enters or leaves a lake; the pieces inside, and in which lake each lies."""
    lines = np.array(sheet.lines, dtype=object)
    flows = np.array([k != "shoreline" for k in sheet.kind], dtype=bool)
    lake, piece = shapely.STRtree(lines).query(lakes, predicate="intersects")
    lake, piece = lake[flows[piece]], piece[flows[piece]]
    met = shapely.intersection(lines[piece], shapely.boundary(lakes[lake]))
    shapely.prepare(lakes)
    inside: dict[int, int] = {}
    for i, mine in _rows_of(piece):
        stops, within = _stretches(lines[i], met[mine], lake[mine], lakes, snap_m)
        for part, k in zip(sheet.cut(i, stops), within, strict=True):
            if k >= 0:
                sheet.kind[part] = "flow_path"
                inside[part] = int(k)
    sheet.changed |= bool(inside)
    return inside


def _rows_of(numbers: Ints) -> Iterator[tuple[int, Ints]]:
    """Each number that occurs, and where."""
    order = np.argsort(numbers, kind="stable")
    found, first = np.unique(numbers[order], return_index=True)
    yield from zip(found.tolist(), np.split(order, first[1:]), strict=len(found) > 0)


def _stretches(
    line: shapely.LineString, met: Shapes, lake: Ints, lakes: Shapes, snap_m: float
) -> tuple[Floats, list[int]]:
    """Positions in metres at which a line changes between land (-1) and lakes, and the lake of each stretch."""
    at = shapely.line_locate_point(line, shapely.points(shapely.get_coordinates(met)))
    stops = np.unique(np.concatenate([[0.0], at[(at > _SAME_M) & (at < line.length - _SAME_M)], [line.length]]))
    middle = shapely.line_interpolate_point(line, (stops[:-1] + stops[1:]) / 2)
    within = np.full(len(middle), -1, dtype=np.int64)
    for k in lake:
        within[shapely.intersects(lakes[k], middle)] = k
    return _without_short(stops, within.tolist(), snap_m)


def _without_short(stops: Floats, within: list[int], snap_m: float) -> tuple[Floats, list[int]]:
    """Stretches of one water joined, and those shorter than the tolerance given to their longer neighbour."""
    cuts = stops.tolist()
    while len(within) > 1:
        for k in range(len(within) - 1, 0, -1):
            if within[k] == within[k - 1]:
                del within[k], cuts[k]
        long = np.diff(cuts)
        k = int(np.argmin(long))
        if len(within) == 1 or long[k] >= snap_m:
            break
        beside = [j for j in (k - 1, k + 1) if 0 <= j < len(within)]
        within[k] = within[max(beside, key=lambda j: long[j])]
    return np.array(cuts[1:-1], dtype=np.float64), within


Ends = dict[int, tuple[int, int, shapely.Point]]
"""Open end: its node -> lake, piece, and the place in the lake or on its shore where it is or would be led."""


def _open_ends(sheet: Sheet, lakes: Shapes, gap_m: float) -> Ends:
    """Open ends inside of a lake, or before its shore and heading for it."""
    owner = np.tile(np.arange(len(sheet.lines)), 2)
    ends = np.array(sheet.start + sheet.end, dtype=np.int64)
    flows = np.array([k != "shoreline" for k in sheet.kind], dtype=bool)[owner]
    alone = flows & (np.bincount(ends, minlength=len(sheet.nodes))[ends] == 1)
    nodes, piece = ends[alone], owner[alone]
    at = shapely.points(np.array([sheet.nodes[n] for n in nodes], dtype=np.float64).reshape(-1, 2))
    lake, which = shapely.STRtree(at).query(lakes, predicate="dwithin", distance=max(gap_m, _SAME_M))
    out: Ends = {}
    for w, mine in _rows_of(which):
        near = [int(k) for k in lake[mine]]
        places = _reached(at[w], _ahead(sheet, int(piece[w]), int(nodes[w])), [lakes[k] for k in near], gap_m)
        if places:
            _, place, k = min(places, key=lambda p: p[0])
            out[int(nodes[w])] = (near[k], int(piece[w]), place)
    return out


def _ahead(sheet: Sheet, piece: int, node: int) -> Floats:
    """Unit vector in which a piece ends at a node."""
    xy = shapely.get_coordinates(sheet.lines[piece])
    last, before = (xy[0], xy[1]) if sheet.start[piece] == node else (xy[-1], xy[-2])
    return np.asarray((last - before) / np.hypot(*(last - before)), dtype=np.float64)


def _reached(
    at: shapely.Point, ahead: Floats, lakes: list[shapely.Polygon], gap_m: float
) -> list[tuple[float, shapely.Point, int]]:
    """Where an open end is in each lake, or meets its shore straight ahead, or has it nearest before it: (metres, place, lake)."""
    here = np.array([at.x, at.y])
    ray = shapely.LineString([here, here + gap_m * ahead])
    out = []
    for k, lake in enumerate(lakes):
        hit = shapely.intersection(ray, lake)
        place = shapely.get_point(shapely.shortest_line(at, lake if hit.is_empty else hit), -1)
        there = np.array([place.x, place.y]) - here
        far_m = float(np.hypot(*there))
        if far_m <= _SAME_M or there @ ahead >= far_m * np.cos(np.radians(AHEAD_DEG)):
            out.append((far_m, place, k))
    return out


def _join(sheet: Sheet, lakes: _Lakes, lake_of: dict[int, int], ends: Ends) -> list[NetworkDefect]:
    """Join, lake by lake, what is not yet one network."""
    inside, waiting = _by_lake(lake_of), _by_lake({node: lake for node, (lake, _, _) in ends.items()})
    network = _networks(sheet)
    defects: list[NetworkDefect] = []
    for lake in sorted({*inside, *waiting}):
        parties = _worth_joining(
            sheet, _parties(sheet, lakes.shape[lake], inside.get(lake, []), waiting.get(lake, [])), set(ends), network
        )
        if len(parties) > 1:
            for node in (n for p in parties for n in p.ends if n in ends):
                defects += _lead_on(sheet, node, ends[node])
            defects += join_inside(sheet, lakes.shape[lake], lakes.name[lake], parties)
    return defects


def _by_lake(lake_of: dict[int, int]) -> dict[int, list[int]]:
    out: dict[int, list[int]] = {}
    for number, lake in lake_of.items():
        out.setdefault(lake, []).append(number)
    return out


def _networks(sheet: Sheet) -> Ints:
    """Number of the connected network of each node."""
    n = len(sheet.nodes)
    graph = coo_matrix((np.ones(len(sheet.start)), (sheet.start, sheet.end)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _parties(sheet: Sheet, lake: shapely.Polygon, pieces: list[int], ends: list[int]) -> list[Party]:
    """What hangs together within one lake; a way may start from its open ends, or else from its nodes in the water."""
    nodes = sorted({*ends, *(sheet.start[p] for p in pieces), *(sheet.end[p] for p in pieces)})
    number = {node: k for k, node in enumerate(nodes)}
    a, b = [number[sheet.start[p]] for p in pieces], [number[sheet.end[p]] for p in pieces]
    graph = coo_matrix((np.ones(len(a)), (a, b)), shape=(len(nodes), len(nodes)))
    n, part = connected_components(graph, directed=False)
    out = [Party([], []) for _ in range(n)]
    for p, k in zip(pieces, a, strict=True):
        out[part[k]].pieces.append(p)
    for g, party in enumerate(out):
        mine = [node for node, k in number.items() if part[k] == g]
        wet = [node for node in mine if lake.distance(shapely.Point(sheet.nodes[node])) <= _SAME_M]
        party.ends = [node for node in mine if node in ends] or wet or mine
    return out


def _worth_joining(sheet: Sheet, parties: list[Party], ends: set[int], network: Ints) -> list[Party]:
    """Those with open ends, and of the lines through the lake the longest of each network (they may meet elsewhere)."""
    waiting = [p for p in parties if ends.intersection(p.ends)]
    through: dict[int, Party] = {}
    for party in sorted(parties, key=lambda p: sum(sheet.lines[i].length for i in p.pieces)):
        if party not in waiting:
            through[int(network[party.ends[0]])] = party
    return [*waiting, *through.values()]


def _lead_on(sheet: Sheet, node: int, end: tuple[int, int, shapely.Point]) -> list[NetworkDefect]:
    """Lead an open end on to the shore, if it is not there; said with the length that was added."""
    _, piece, place = end
    far = shapely.distance(shapely.Point(sheet.nodes[node]), place)
    if far <= _SAME_M:
        return []
    sheet.extend(piece, node, (place.x, place.y))
    fid = int(sheet.drawn.pieces["source_fid"].iloc[sheet.row[piece]])
    says = "the line ends before the shore of a lake that it runs towards; it is led on to the shore"
    return [NetworkDefect("end_led_to_shore", "info", place, says, round(float(far), 3), "m", fid, done=True)]


def _without_river(lakes: _Lakes, reached: set[int]) -> list[NetworkDefect]:
    """Lakes and reservoirs that no river line reaches."""
    return [
        NetworkDefect(
            "lake_without_river",
            "info",
            shapely.point_on_surface(shape),
            f"no river line reaches this {kind}{f' ({name})' if name else ''}: ask whether one is missing",
            round(float(shape.area), 1),
            "m2",
        )
        for k, (shape, name, kind) in enumerate(zip(lakes.shape, lakes.name, lakes.kind, strict=True))
        if kind in SHORES and k not in reached
    ]


def shoreline(areas: gpd.GeoDataFrame, drawn: Drawn, *, min_island_m2: float = 0.0) -> gpd.GeoDataFrame:
    """The shores of lakes and reservoirs as reaches (岸线段): which stretch of shore lies between which rivers?

    ``areas``: metric, with ``area_fid``, ``kind``, ``name``; unknown kinds decided first (``water_bodies.judged``).
    Each outer ring, and each ring of an island of at least ``min_island_m2``, is cut where the pieces of ``drawn`` meet it.
    Returns LineStrings with ``area_fid``, ``name``, ``kind`` (shoreline), ``ring`` (0 outer, 1.. islands), ``order`` (1, 2,
    ... along the ring); the water lies on the left hand of each. An uncut ring is one closed line. They stand outside of
    the topology.
    Raises ``CrsRefused`` where ``areas`` are not in metres.
    """
    crs.require_metric(areas)
    rows = [
        {"area_fid": area.area_fid, "name": area.name, "ring": number, "line": ring}
        for area in areas.loc[areas["kind"].isin(SHORES), ["area_fid", "name", "geometry"]].itertuples(index=False)
        for number, ring in enumerate(_rings(area.geometry, min_island_m2))
    ]
    rings = np.array([r["line"] for r in rows], dtype=object)
    cuts = _where_met(rings, drawn)
    out = [
        {**row, "line": part, "order": k}
        for row, at_m in zip(rows, cuts, strict=True)
        for k, part in enumerate(_round(row["line"], at_m), start=1)
    ]
    frame = pd.DataFrame(out, columns=["area_fid", "name", "ring", "order", "line"])
    lines = frame.pop("line").to_numpy(dtype=object)
    return gpd.GeoDataFrame(frame.assign(kind="shoreline"), geometry=lines, crs=areas.crs)


def _rings(area: shapely.Geometry, min_island_m2: float) -> list[shapely.LineString]:
    """Outer rings and islands, with the water on the left: outer rings counter-clockwise, islands clockwise."""
    parts = shapely.get_parts(shapely.orient_polygons(geometry.polygons_of(area)))
    outer = [p.exterior for p in parts]
    islands = [r for p in parts for r in p.interiors if shapely.Polygon(r).area >= min_island_m2]
    return [shapely.LineString(r.coords) for r in [*outer, *islands]]


def _where_met(rings: Shapes, drawn: Drawn) -> list[Floats]:
    """Positions in metres along each ring where pieces cross it or have a node on it."""
    lines = drawn.pieces.geometry.to_numpy()
    nodes = shapely.points(drawn.nodes)
    out: list[list[float]] = [[] for _ in rings]
    ring, line = shapely.STRtree(lines).query(rings, predicate="intersects")
    met = shapely.get_coordinates(shapely.intersection(rings[ring], lines[line]), return_index=True)
    on, node = shapely.STRtree(nodes).query(rings, predicate="dwithin", distance=_SAME_M)
    for r, place in [*zip(ring[met[1]], shapely.points(met[0]), strict=True), *zip(on, nodes[node], strict=True)]:
        out[r].append(float(rings[r].project(place)))
    return [_apart(np.sort(at_m)) for at_m in out]


def _apart(at_m: Floats) -> Floats:
    """Positions without those that repeat the one before."""
    return at_m[np.diff(at_m, prepend=-np.inf) > 2 * _SAME_M]


def _round(ring: shapely.LineString, at_m: Floats) -> list[shapely.LineString]:
    """A closed ring in stretches between positions; the stretch over the ring's own first vertex is one."""
    parts = cut_line(ring, at_m)
    at_seam = len(at_m) and (at_m[0] <= _SAME_M or at_m[-1] >= ring.length - _SAME_M)
    if len(parts) < 2 or at_seam:
        return parts
    seam = np.vstack([shapely.get_coordinates(parts[-1]), shapely.get_coordinates(parts[0])[1:]])
    return [*parts[1:-1], shapely.LineString(seam)]
