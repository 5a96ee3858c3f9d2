"""Intakes, source zones of three classes round them, and the outfalls (some inside the zones, some far from water)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Point, Polygon

from .axes import System
from .frame import Axis, as_read, multi, stream
from .rivers import Row, Waters, channel

RIVER_INTAKE_X = 4150.0
CLASS_NAMES = {1: "一级", 2: "二级", 3: "准"}


@dataclass
class Zones:
    intake: list[Row] = field(default_factory=list)
    source_zone: list[Row] = field(default_factory=list)
    outfall: list[Row] = field(default_factory=list)
    in_zone: list[Row] = field(default_factory=list)
    far: list[Row] = field(default_factory=list)

    def containing(self, point: Point) -> list[Row]:
        return [z for z in self.source_zone if z["geometry"].covers(point)]  # type: ignore[attr-defined]


def build(seed: int, system: System, waters: Waters) -> Zones:
    zones = Zones()
    _river_intake(zones, system, waters)
    _reservoir_intake(zones, system, waters)
    for zone in zones.source_zone:
        zone["geometry"] = as_read(zone["geometry"])  # type: ignore[arg-type]
    _outfalls(seed, zones, system, waters)
    return zones


def _add_zone(zones: Zones, intake: str, name: str, zone_class: int, part: str, shape: shapely.Geometry) -> None:
    river = intake.endswith("01")
    zones.source_zone.append({
        "code": f"{intake}-{zone_class}{'S' if part == 'water' else 'L'}", "intake_code": intake,
        "zone_class": zone_class, "part": part, "doc_no": f"渝云环准〔2024〕{7 if river else 8}号",
        "approved_by": "市人民政府（虚构）",
        "valid_from": "2024-06-01", "valid_to": None,
        "name": f"{name}{CLASS_NAMES[zone_class]}保护区（{'水域' if part == 'water' else '陆域'}）",
        "geometry": multi(shape),
    })  # fmt: skip


def _stretch(axis: Axis, from_m: float, to_m: float, water: MultiPolygon, depth_m: float) -> tuple[Polygon, Polygon]:
    """Water between two chainages, and the land beside it to a depth from the water's edge."""
    across = axis.strip(from_m, to_m, 230.0, -230.0)
    wet = water.intersection(across)
    land = wet.buffer(depth_m).intersection(across).difference(water)
    return wet, land


def _river_intake(zones: Zones, system: System, waters: Waters) -> None:
    """River type: class 1 from 1000 m up to 100 m down, class 2 to 3000 m up and 300 m down, class 3 to the border."""
    trunk, code, name = system.axes["YXH"], "QS50019901", "云溪河鹭洲水源地"
    at = trunk.chainage_at_east(RIVER_INTAKE_X)
    bank_n = float(trunk.half_width_m(np.array(at))) - 4  # type: ignore[misc]
    zones.intake.append({"code": code, "name": "鹭洲水厂取水口", "river_code": "YXH", "kind": "river",
                         "geometry": Point(trunk.at(at, bank_n))})  # fmt: skip
    own = next(r["geometry"] for r in waters.water_area if r["river_code"] == "YXH")
    brook = system.axes["LTG"]
    spans = {1: [(at - 1000, at + 100)], 2: [(at - 3000, at - 1000), (at + 100, at + 300)], 3: [(0.0, at - 3000)]}
    for zone_class, depth in ((1, 50.0), (2, 150.0), (3, 100.0)):
        parts = [_stretch(trunk, a, b, own, depth) for a, b in spans[zone_class]]  # type: ignore[arg-type]
        wet = shapely.union_all([w for w, _ in parts])
        if zone_class == 2:
            wet = shapely.union(wet, channel(brook, brook.length_m - 600).difference(own))
        land = shapely.union_all([d for _, d in parts]).difference(wet)
        _add_zone(zones, code, name, zone_class, "water", wet)
        _add_zone(zones, code, name, zone_class, "land", land)


def _reservoir_intake(zones: Zones, system: System, waters: Waters) -> None:
    """Small reservoir: all its water and the intake side are class 1; class 2 and 3 lie round it, above the dam."""
    lake, code, name = system.axes["QTK"], "QS50019902", "青棠水库水源地"
    water = next(r["geometry"] for r in waters.water_area if r["river_code"] == "QTK")
    intake = Point(lake.at(lake.length_m - 160, 40.0))
    zones.intake.append({"code": code, "name": "青棠水厂取水口", "river_code": "QTK", "kind": "reservoir",
                         "geometry": intake})  # fmt: skip
    inflow, side = system.axes["STX"], system.axes["TXG"]
    below = _below_dam(lake)
    c1 = water.buffer(200).intersection(intake.buffer(380)).difference(below)
    wet2 = shapely.union(channel(inflow, inflow.length_m - 800), channel(side, 700, 1393)).difference(water)
    c2 = shapely.union(water, wet2).buffer(350).difference(below)
    wet3 = shapely.union(channel(inflow, 0, inflow.length_m - 800), channel(side, 0, 700)).difference(wet2)
    c3 = shapely.union(water.buffer(750), wet3.buffer(120)).difference(below)
    wet = shapely.union_all([water, wet2, wet3])
    _add_zone(zones, code, name, 1, "water", water)
    _add_zone(zones, code, name, 1, "land", c1.difference(wet))
    _add_zone(zones, code, name, 2, "water", wet2)
    _add_zone(zones, code, name, 2, "land", c2.difference(c1).difference(wet))
    _add_zone(zones, code, name, 3, "water", wet3)
    _add_zone(zones, code, name, 3, "land", c3.difference(c2).difference(c1).difference(wet))


def _below_dam(lake: Axis) -> Polygon:
    """Everything downstream of the dam's axis: not part of the catchment."""
    end = lake.at(lake.length_m)
    down = lake.at(lake.length_m) - lake.at(lake.length_m - 60)
    down /= np.linalg.norm(down)
    left = np.array([-down[1], down[0]])
    one, other = end + left * 3000, end - left * 3000
    return Polygon([one, other, other + down * 3000, one + down * 3000])


KINDS = (("工业排污口", "GY", "approval"), ("城镇污水处理厂排污口", "SH", "approval"),
         ("农业排口", "NY", "registration"), ("其他排口", "QT", "registration"))  # fmt: skip
# river, chainage or (for the trunk) local easting, bank, class index: the five that lie inside zones
INSIDE = (("YXH", 3750.0, "right", 3), ("YXH", 2500.0, "left", 2), ("YXH", 4420.0, "right", 3),
          ("YXH", 700.0, "left", 2), ("QTK", 500.0, "left", 3))  # fmt: skip
ELSEWHERE = (
    *(("YXH", x, b, k) for x, b, k in
      ((4780, "left", 1), (5050, "right", 3), (5330, "left", 3), (5720, "left", 0), (6120, "right", 2),
       (6560, "left", 3), (7180, "right", 0), (8120, "left", 3), (8650, "right", 2), (9400, "left", 3),
       (10150, "right", 2), (11300, "left", 1))),
    *(("BAX", s, b, k) for s, b, k in
      ((900, "left", 2), (2100, "right", 3), (3150, "left", 2), (4300, "right", 3), (5200, "left", 3))),
    *(("YSH", s, b, k) for s, b, k in
      ((700, "right", 2), (1900, "left", 3), (2900, "right", 0), (3800, "left", 2), (4600, "right", 3))),
    ("WLG", 1200, "left", 3), ("WLG", 2100, "right", 3), ("WLG", 2900, "left", 0), ("LXG", 1500, "right", 2),
    ("LXG", 3000, "left", 3), ("CSG", 1300, "left", 2), ("CSG", 2700, "right", 3), ("QTH", 600, "right", 3),
    ("QTH", 1400, "left", 2), ("GTG", 1700, "left", 2),
)  # fmt: skip
FAR = (("YXH", 5400.0, 265.0, 0), ("BAX", 2400.0, 210.0, 2), ("CSG", 1900.0, -170.0, 3))
CLOSED = (6, 19, 33)
UNAPPROVED = (2, 5, 11, 23, 31)


def _outfalls(seed: int, zones: Zones, system: System, waters: Waters) -> None:
    rng = stream(seed, "outfalls")
    for river, place, bank, kind in (*INSIDE, *ELSEWHERE):
        axis = system.axes[river]
        s = axis.chainage_at_east(place) if river == "YXH" else float(place)
        point = Point(_at_bank(axis, s, bank, float(rng.uniform(0.5, 5.0)), waters))
        _add_outfall(zones, rng, waters, river, kind, point)
        expected = (river, place, bank, kind) in INSIDE
        hits = zones.containing(as_read(point))
        assert bool(hits) == expected, f"outfall at {river} {place} lies in {[z['code'] for z in hits]}"
        if hits:
            zones.in_zone.append({"code": zones.outfall[-1]["code"], "zone_code": hits[0]["code"],
                                  **{k: hits[0][k] for k in ("zone_class", "intake_code")}})  # fmt: skip
    for river, place, n, kind in FAR:
        axis = system.axes[river]
        s = axis.chainage_at_east(place) if river == "YXH" else place
        _add_outfall(zones, rng, waters, river, kind, Point(axis.at(s, n)))
        _note_far(zones, system, waters)


def _at_bank(axis: Axis, s: float, bank: str, beyond_m: float, waters: Waters) -> np.ndarray:
    side = 1 if bank == "left" else -1
    if axis.half_width_m is None:
        shore = waters.shores[bank]
        point = shore.interpolate(shapely.line_locate_point(shore, Point(axis.at(s, side * 200))))
        away = np.array(point.coords[0]) - axis.at(s)
        return np.array(point.coords[0]) + away / np.linalg.norm(away) * beyond_m
    return axis.at(s, side * (float(axis.half_width_m(np.array(s))) + beyond_m))


def _add_outfall(zones: Zones, rng: np.random.Generator, waters: Waters, river: str, kind: int, point: Point) -> None:
    i = len(zones.outfall) + 1
    class_1, letters, approval = KINDS[kind]
    approval = "none" if i in UNAPPROVED else approval
    year = int(rng.integers(2021, 2026))
    word = {"approval": "环排审", "registration": "环排登"}.get(approval)
    zones.outfall.append({
        "code": f"CJ500199{i:04d}{letters}00", "name": f"{waters.names()[river]}{i}号{class_1}", "class_1": class_1,
        "approval_kind": approval, "approval_no": f"云溪{word}〔{year}〕{i}号" if word else None,
        "approved_on": f"{year}-{int(rng.integers(1, 13)):02d}-{int(rng.integers(1, 28)):02d}" if word else None,
        "river_code": river, "status": "closed" if i in CLOSED else "open", "geometry": point,
    })  # fmt: skip


def _note_far(zones: Zones, system: System, waters: Waters) -> None:
    row = zones.outfall[-1]
    point = as_read(row["geometry"])  # type: ignore[arg-type]
    lines = [system.axes[c].line for c in system.axes]
    distance = min(point.distance(waters.all_water), *(point.distance(line) for line in lines))
    assert distance > 100 and not zones.containing(point)
    zones.far.append({"code": row["code"], "distance_to_water_m": round(distance, 1)})
