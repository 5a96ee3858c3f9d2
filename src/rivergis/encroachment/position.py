"""Where something stands: on the levee, its berm land (护堤地), in the channel or on the beach, and how far inside the line.

Everything here measures in metres of one zone. What the data do not tell is ``None`` (not known), never the milder
ground: without levees in the register nothing is called beach. Source: 《河道管理条例》 articles 20, 24 to 26.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import geometry
from rivergis.rules import RuleView

GROUNDS = ("levee", "berm", "channel", "beach")


@dataclass(frozen=True)
class Stand:
    """Shares (0 to 1) of what lies inside the line by ground; None = not known.

    ``unknown`` is the share of which no data tell the ground; ``why`` names what is missing (catalogue group
    ``ground_missing``: levee, levee_body, berm_width, channel).
    """

    levee: float | None = None
    berm: float | None = None
    channel: float | None = None
    beach: float | None = None
    unknown: float = 1.0
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class ZoneHit:
    """A drinking-water source zone (饮用水水源保护区) that it lies in: share of the object within, 0 to 1."""

    code: str
    name: str
    zone_class: int  # 1, 2, 3 = quasi (准)
    part: str | None  # water, land, whole
    share: float
    basis: str | None  # announced, draft, computed
    doc_no: str | None = None
    id: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class FunctionZoneHit:
    """A shoreline function zone (岸线功能区) on whose stretch of bank it stands; ``told_by``: chainage or geometry."""

    code: str
    zone_type: str  # protection, reserve, controlled_use, development
    bank: str
    from_m: float | None
    to_m: float | None
    plan_name: str | None
    told_by: str
    id: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class Uncertainty:
    """How far off a position may be. ``told_by``: delivered, survey_scale or nothing (the line's error is not known).

    ``band_m`` = sigmas times the root sum of squares of both errors; where the line's error is not known, the farthest
    that a line may plausibly lie off is added to the source's share instead (None: the rules name none).
    """

    line_m: float | None
    source_m: float
    sigma_m: float | None
    sigmas: float
    band_m: float | None
    told_by: str


def uncertainty(
    view: RuleView,
    *,
    source_kind: str,
    accuracy_m: float | None = None,
    gsd_m: float | None = None,
    line_error_m: float | None = None,
    survey_scale: int | None = None,
) -> Uncertainty:
    """Errors of source and line put together: what was delivered, else by image, kind of source and survey scale."""
    source = _source_error(view, source_kind, accuracy_m, gsd_m)
    sigmas = view.number("encroach.position.sigmas")
    line, told_by = line_error_m, "delivered"
    if line is None:
        row = view.find("encroach.line_error", survey_scale=survey_scale) if survey_scale else None
        line, told_by = (float(row.value), "survey_scale") if row else (None, "nothing")
    if line is not None:
        sigma = math.hypot(line, source)
        return Uncertainty(line, source, sigma, sigmas, sigmas * sigma, told_by)
    worst = view.find("encroach.line_error.worst")
    band = None if worst is None or worst.value is None else float(worst.value) + sigmas * source
    return Uncertainty(None, source, None, sigmas, band, told_by)


def _source_error(view: RuleView, source_kind: str, accuracy_m: float | None, gsd_m: float | None) -> float:
    if accuracy_m is not None:
        return accuracy_m
    if gsd_m is not None:
        return gsd_m * view.number("encroach.digitising_tolerance")
    return view.number("encroach.source_accuracy", source_kind=source_kind)


def side(distance_m: float | None, off: Uncertainty) -> str:
    """inside, edge, outside or undecided, by the signed distance to the line (positive inside).

    Where the line's error is not known only what lies beyond any plausible error is told apart: the rest is 压线待核.
    """
    if distance_m is None or off.band_m is None:
        return "undecided"
    if abs(distance_m) <= off.band_m:
        return "edge" if off.line_m is not None else "undecided"
    return "inside" if distance_m > 0 else "outside"


def distance_to_line(shape: shapely.Geometry, ground: shapely.Geometry, line: shapely.Geometry | None = None) -> float:
    """Signed distance in metres from an object to the management line: how deep its deepest part lies inside, or how far outside.

    ``ground``: union of the management areas around it; ``line``: the line itself, where the ground also ends at a border or
    a closing chord. The depth is that of the deepest of many places in the object, so it is never told too deep.
    """
    line = ground.boundary if line is None else line
    within = shapely.intersection(shape, ground)
    if within.is_empty:
        return -float(shape.distance(ground))
    corners = shapely.points(shapely.get_coordinates(within))
    deepest = float(shapely.distance(corners, line).max())
    x0, y0, x1, y1 = within.bounds
    reach = deepest + math.hypot(x1 - x0, y1 - y0)
    near = shapely.clip_by_rect(line, x0 - reach, y0 - reach, x1 + reach, y1 + reach)
    return max(deepest, _deepest(within, line if near.is_empty else near))


def _deepest(shape: shapely.Geometry, line: shapely.Geometry) -> float:
    """Greatest distance to a line from places in a shape: a grid over it, then finer ones about the best place."""
    x0, y0, x1, y1 = shape.bounds
    (x, y), half, best = ((x0 + x1) / 2, (y0 + y1) / 2), np.array([x1 - x0, y1 - y0]) / 2, 0.0
    for _ in range(5):
        grid = np.stack(np.meshgrid(*np.linspace([x - half[0], y - half[1]], [x + half[0], y + half[1]], 9).T), -1)
        places = shapely.points(grid.reshape(-1, 2))
        if shape.area == 0:
            places = shapely.get_point(shapely.shortest_line(shape, places), 0)
        else:
            places = places[shapely.covers(shape, places)]
        depths = shapely.distance(places, line)
        if len(depths) and depths.max() > best:
            best = float(depths.max())
            (x, y) = shapely.get_coordinates(places[int(depths.argmax())])[0]
        half = half / 3
    return best


def zones_hit(shapes: Sequence[shapely.Geometry], zones: gpd.GeoDataFrame) -> list[tuple[ZoneHit, ...]]:
    """The source zones each object lies in, the strictest class first; metres of one zone.

    ``zones``: areas with code, name, zone_class and, where known, part, basis, doc_no, id, version.
    """
    hits: list[list[ZoneHit]] = [[] for _ in shapes]
    if len(zones) == 0 or not len(shapes):
        return [tuple(h) for h in hits]
    grounds = np.array([geometry.polygons_of(g) for g in zones.geometry], dtype=object)
    objects, found = shapely.STRtree(grounds).query(np.asarray(shapes, dtype=object), predicate="intersects")
    rows = zones.to_dict("records")
    for o, z in zip(objects.tolist(), found.tolist(), strict=True):
        part = share(shapes[o], grounds[z])
        if part > 0:
            hits[o].append(_zone_hit(rows[z], part))
    return [tuple(sorted(h, key=lambda z: (z.zone_class, -z.share, z.code))) for h in hits]


def _zone_hit(row: dict[str, Any], part: float) -> ZoneHit:
    given = {k: told(row.get(k)) for k in ("part", "basis", "doc_no", "id", "version")}
    given["id"] = None if given["id"] is None else str(given["id"])
    return ZoneHit(str(row["code"]), str(row["name"]), int(row["zone_class"]), share=part, **given)


def told(value: Any) -> Any:
    """A cell of a frame, None where it is missing."""
    return None if value is None or value != value else value  # NaN and NaT differ from themselves


def share(shape: shapely.Geometry, ground: shapely.Geometry) -> float:
    """Share of an object on a ground by area, else by length, else of its points, 0 to 1."""
    for size in (shapely.area, shapely.length):
        if size(shape) > 0:
            return min(1.0, float(size(shapely.intersection(shape, ground)) / size(shape)))
    points = shapely.get_parts(shape)
    return float(shapely.intersects(points, ground).mean()) if len(points) else 0.0


def function_zones_at(
    zones: gpd.GeoDataFrame,
    shape: shapely.Geometry,
    *,
    river_id: str | None,
    bank: str | None,
    from_m: float | None,
    to_m: float | None,
) -> tuple[FunctionZoneHit, ...]:
    """The shoreline function zones on whose stretch of bank an object stands; metres.

    ``zones``: lines along a bank (or areas) with code, zone_type, river_id, bank, from_m, to_m, plan_name. Told by chainage
    where zone and object have one, else by the object's foot on the zone's line, which must not fall on its end.
    """
    hits = []
    for row in zones.to_dict("records"):
        by = _on_stretch(row, zones.geometry.name, shape, river_id, bank, from_m, to_m)
        if by:
            hits.append(
                FunctionZoneHit(
                    str(row["code"]),
                    str(row["zone_type"]),
                    str(row["bank"]),
                    told(row.get("from_m")),
                    told(row.get("to_m")),
                    told(row.get("plan_name")),
                    by,
                    None if told(row.get("id")) is None else str(row["id"]),
                    told(row.get("version")),
                )
            )
    return tuple(sorted(hits, key=lambda h: (h.from_m or 0.0, h.code)))


def _on_stretch(
    row: dict[str, Any],
    column: str,
    shape: shapely.Geometry,
    river_id: str | None,
    bank: str | None,
    from_m: float | None,
    to_m: float | None,
) -> str | None:
    ground = row[column]
    if ground is not None and ground.area > 0:
        return "geometry" if share(shape, ground) > 0 else None
    if river_id is None or str(row["river_id"]) != str(river_id) or row["bank"] != bank:
        return None
    first, last = told(row.get("from_m")), told(row.get("to_m"))
    if None not in (first, last, from_m, to_m):
        return "chainage" if max(first, from_m) <= min(last, to_m) else None
    return "geometry" if ground is not None and beside(ground, shape) else None


def beside(line: shapely.Geometry, shape: shapely.Geometry) -> bool:
    """Whether the middle of an object has its foot on a line and not on the line's end."""
    parts = [p for p in geometry.lines_of(line) if p.length > 0]
    if not parts:
        return False
    middle = shape.centroid
    nearest = min(parts, key=lambda p: p.distance(middle))
    at = nearest.project(middle)
    return bool(0 < at < nearest.length) or (nearest.is_ring and nearest.length > 0)
