"""A proposed project in the river (涉河建设项目预检): which zones it hits, how much of them, what bank and flood width it takes.

A project is held against the management areas like a reduction that nobody proposes: the ground it would occupy, by river, bank and
chainage. What the law asks of such ground comes from the rules with its clause; whether a project is allowed, people decide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import crs, geometry
from rivergis.boundary.redraw import compare as diff
from rivergis.boundary.redraw import overlay as diff_overlay
from rivergis.boundary.redraw import place as diff_place
from rivergis.rules import RuleView

_LOOK_M = 5_000.0  # half length of a cross-section before the area cuts it
_MOST_SECTIONS = 400


@dataclass(frozen=True)
class Width:
    """The cross-section of a management area that a project narrows most (占用行洪宽度): chainage, whole and lost width in metres."""

    reach_code: str
    at_m: float
    whole_m: float
    lost_m: float

    @property
    def share(self) -> float:
        return self.lost_m / self.whole_m if self.whole_m else 0.0


@dataclass(frozen=True)
class Hit:
    """A zone that a project touches: kind (management_area, function_zone, source_zone ...), name, class, m2 or metres of bank."""

    zone: str
    name: str | None
    kind: str | None
    m2: float | None
    length_m: float | None
    about: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Precheck:
    """One project: its m2, what of it lies in management areas (stretches by bank), zones, flood width, and the rules that apply.

    ``not_looked_at``: what was not given, also ``areas`` where no management area is known for kilometres around: then nothing is
    known, which is not nothing found.
    """

    project: str
    m2: float
    inside_m2: float
    stretches: list[dict[str, Any]]
    zones: list[Hit]
    width: Width | None
    rules: list[dict[str, Any]]
    not_looked_at: tuple[str, ...] = ()

    @property
    def bank_m(self) -> dict[str, float]:
        """Metres of bank taken (占用岸线长度), by bank: stretches that overlap count once."""
        return {b: _union_m([s for s in self.stretches if s["bank"] == b]) for b in ("left", "right")}


@dataclass(frozen=True)
class Ground:
    """What projects are held against, in metres of one CRS; None = not given, and nothing is said of it.

    ``areas``: management areas with river_code, name, basis, announce_doc_no; ``reaches``: as ``diff_place`` takes them;
    ``function_zones``: lines with name, kind, bank, river_code, from_m, to_m; ``source_zones``: areas with name, kind (1, 2, 3);
    ``water``: water surfaces; ``levees``: lines; ``permits``: areas with name and kind.
    """

    areas: gpd.GeoDataFrame
    reaches: gpd.GeoDataFrame | None = None
    function_zones: gpd.GeoDataFrame | None = None
    source_zones: gpd.GeoDataFrame | None = None
    water: gpd.GeoDataFrame | None = None
    levees: gpd.GeoDataFrame | None = None
    permits: gpd.GeoDataFrame | None = None


def examine(name: str, shape: Any, class_code: str, ground: Ground, view: RuleView, step_m: float) -> Precheck:
    """What one proposed project (Polygon in the metres of ``ground``) would take, and what is asked of it there.

    ``class_code``: class of the taxonomy (building.road_works ...); ``step_m``: distance of the cross-sections.
    """
    crs.require_metric(ground.areas)
    shape = geometry.polygons_of(shape)
    stretches, inside = _occupied(shape, ground)
    zones = [*_areas(shape, ground), *_others(shape, ground, stretches)]
    names = ("reaches", "function_zones", "source_zones", "water", "levees", "permits")
    return Precheck(
        name,
        float(shape.area),
        float(inside.area),
        stretches,
        zones,
        None if ground.reaches is None else _narrowest(inside, ground, step_m),
        _rules(zones, inside, ground, class_code, view),
        (*(["areas"] if ground.areas.empty else []), *(n for n in names if getattr(ground, n) is None)),
    )


def _occupied(shape: Any, ground: Ground) -> tuple[list[dict[str, Any]], Any]:
    """What of a project lies in management areas, by river, bank and chainage."""
    near = ground.areas[shapely.intersects(ground.areas.geometry.to_numpy(), shape)]
    whole = diff_overlay.polygonal(near.geometry.to_numpy())
    parts = diff_overlay.intersection(whole, shape)
    held = near.set_geometry(gpd.GeoSeries(parts, index=near.index, crs=near.crs))[shapely.area(parts) > 0]
    taken = diff.compare(held, held.iloc[:0], 0.0)
    if ground.reaches is not None:
        taken = diff_place.place(taken, ground.reaches)
    columns = ("river_code", "reach_code", "bank", "stretch", "from_m", "to_m", "m2")
    rows = [{c: _plain(row[c]) for c in columns} for row in taken.pieces.to_dict("records")]
    return rows, geometry.polygons_of(shapely.union_all(taken.pieces.geometry.to_numpy()))


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _areas(shape: Any, ground: Ground) -> list[Hit]:
    about = ("river_code", "basis", "announce_gov", "announce_doc_no")
    return [
        Hit(
            "management_area",
            row.get("name") or row.get("river_code"),
            row.get("basis"),
            m2,
            None,
            {k: row[k] for k in about if k in row},
        )
        for row, m2 in _overlaps(shape, ground.areas)
    ]


def _overlaps(shape: Any, frame: gpd.GeoDataFrame | None) -> list[tuple[dict[str, Any], float]]:
    """Areas that share ground with a project, and how much."""
    if frame is None or frame.empty:
        return []
    whole = diff_overlay.polygonal(frame.geometry.to_numpy())
    met = np.flatnonzero(shapely.intersects(whole, shape))
    m2 = shapely.area(diff_overlay.intersection(whole[met], shape))
    rows = frame.drop(columns=frame.geometry.name).iloc[met].to_dict("records")
    return [(row, float(size)) for row, size in zip(rows, m2, strict=True) if size > 0]


def _others(shape: Any, ground: Ground, stretches: list[dict[str, Any]]) -> list[Hit]:
    out = [
        Hit("source_zone", row.get("name"), str(row.get("kind")), m2, None)
        for row, m2 in _overlaps(shape, ground.source_zones)
    ]
    out += [Hit("permit", row.get("name"), row.get("kind"), m2, None) for row, m2 in _overlaps(shape, ground.permits)]
    if ground.function_zones is not None:
        out += [h for h in (_along(row, shape, stretches) for row in _rows(ground.function_zones)) if h is not None]
    return out


def _rows(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    return [
        {**row, "geom": g}
        for row, g in zip(frame.drop(columns=frame.geometry.name).to_dict("records"), frame.geometry, strict=True)
    ]


def _along(zone: dict[str, Any], shape: Any, stretches: list[dict[str, Any]]) -> Hit | None:
    """Metres of a function zone beside which a project lies: by chainage on its bank, else of its line on the project."""
    known = [zone.get("from_m"), zone.get("to_m")]
    if all(v is not None and np.isfinite(v) for v in known):
        mine = [
            {"from_m": max(s["from_m"], zone["from_m"]), "to_m": min(s["to_m"], zone["to_m"])}
            for s in stretches
            if s["from_m"] is not None
            and s["river_code"] == zone.get("river_code")
            and s["bank"] in (zone.get("bank"), "both")
        ]
        length = _union_m([m for m in mine if m["to_m"] > m["from_m"]])
    else:
        length = 0.0 if zone["geom"] is None else float(shapely.intersection(zone["geom"], shape).length)
    if length <= 0:
        return None
    return Hit("function_zone", zone.get("name"), zone.get("kind"), None, length, {"bank": zone.get("bank")})


def _union_m(stretches: list[dict[str, Any]]) -> float:
    """Length of stretches together, each metre once."""
    total, end = 0.0, -np.inf
    for low, high in sorted((s["from_m"], s["to_m"]) for s in stretches if s["from_m"] is not None):
        total += max(0.0, high - max(low, end))
        end = max(end, high)
    return float(total)


def _narrowest(inside: Any, ground: Ground, step_m: float) -> Width | None:
    """Of cross-sections through the project the one that it narrows most."""
    if inside.is_empty or ground.reaches is None:
        return None
    near = shapely.dwithin(ground.reaches.geometry.to_numpy(), inside, _LOOK_M)
    areas = shapely.union_all(
        diff_overlay.polygonal(
            ground.areas.geometry.to_numpy()[shapely.dwithin(ground.areas.geometry.to_numpy(), inside, _LOOK_M)]
        )
    )
    worst: Width | None = None
    for code, start_m, axis in zip(
        *(_of(ground.reaches[near], c) for c in ("code", "from_m")), ground.reaches.geometry[near], strict=True
    ):
        for at, section in _sections(axis, inside, step_m):
            width = _width(section, axis.interpolate(at), areas, inside)
            if width is not None and (worst is None or width[1] / width[0] > worst.share):
                worst = Width(
                    str(code), float(at) + (start_m if start_m is not None and np.isfinite(start_m) else 0.0), *width
                )
    return worst


def _of(frame: gpd.GeoDataFrame, column: str) -> list[Any]:
    return list(frame[column]) if column in frame else [None] * len(frame)


def _sections(axis: Any, inside: Any, step_m: float) -> list[tuple[float, Any]]:
    """Lines square to the axis beside the project, with the metres along the axis where each stands."""
    at = shapely.line_locate_point(axis, shapely.points(shapely.get_coordinates(shapely.segmentize(inside, step_m))))
    count = int(min(max((at.max() - at.min()) / step_m, 1), _MOST_SECTIONS))
    places = np.unique(np.append(np.linspace(at.min(), at.max(), count + 1), at.mean()))
    half = min(step_m, axis.length / 2)
    a, b = (
        shapely.get_coordinates(shapely.line_interpolate_point(axis, np.clip(places + d, 0, axis.length)))
        for d in (-half, half)
    )
    run = b - a
    normal = np.column_stack([-run[:, 1], run[:, 0]]) / np.maximum(np.hypot(*run.T), 1e-9)[:, None]
    foot = shapely.get_coordinates(shapely.line_interpolate_point(axis, places))
    lines = shapely.linestrings(np.stack([foot - _LOOK_M * normal, foot + _LOOK_M * normal], axis=1))
    return list(zip(places.tolist(), lines, strict=True))


def _width(section: Any, foot: Any, areas: Any, inside: Any) -> tuple[float, float] | None:
    """Whole width of the area at a cross-section, where it holds the axis, and what of it the project takes."""
    parts = shapely.get_parts(shapely.intersection(section, areas))
    held = parts[shapely.dwithin(parts, foot, 0.01)]
    if not len(held):
        return None
    whole = shapely.union_all(held)
    lost = float(diff_overlay.intersection(whole, inside).length)
    return (float(whole.length), lost) if lost > 0 else None


def _rules(zones: list[Hit], inside: Any, ground: Ground, class_code: str, view: RuleView) -> list[dict[str, Any]]:
    """What is forbidden or needs approval on this ground for this class of works, with clause; and what function zones ask."""
    names = {"management_area"} if not inside.is_empty else set()
    names |= {f"source_zone.{z.kind}" for z in zones if z.zone == "source_zone"}
    names |= {"source_zone"} if any(z.zone == "source_zone" for z in zones) else set()
    if not inside.is_empty and ground.water is not None:
        wet = shapely.union_all(
            diff_overlay.polygonal(
                ground.water.geometry.to_numpy()[shapely.intersects(ground.water.geometry.to_numpy(), inside)]
            )
        )
        names |= {"channel"} if shapely.intersection(wet, inside).area > 0 else set()
        names |= {"beach"} if shapely.difference(inside, wet).area > 0 else set()
    if ground.levees is not None and shapely.intersects(ground.levees.geometry.to_numpy(), inside).any():
        names.add("levee")
    out = [{"kind": "law", **row} for row in view.prohibitions(names, class_code)]
    for kind in dict.fromkeys(z.kind for z in zones if z.zone == "function_zone" and z.kind):
        asked = view.function_zone(kind)
        out.append(
            {
                "kind": "function_zone",
                "subject": f"{asked['zh']}: {asked['asks']}",
                "needs": asked["needs"],
                "clause": asked["clause"],
                "zone": [kind],
            }
        )
    return out
