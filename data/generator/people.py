"""County, towns and villages (tiling exactly) and the chiefs with their duties; every name is invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPoint, MultiPolygon, Point, Polygon

from .axes import System
from .frame import Axis, as_read, metric_xy, stream
from .rivers import COUNTY, Row

VILLAGES = (
    ("500199001201", "鹭洲村", (1500, 4000)),
    ("500199001202", "柏坳村", (2500, 7800)),
    ("500199001203", "栖云村", (5500, 5300)),
    ("500199001204", "梨雪村", (3800, 2000)),
    ("500199002201", "汀湾村", (8700, 5200)),
    ("500199002202", "青棠村", (9800, 8200)),
    ("500199002203", "砚石村", (7900, 1900)),
    ("500199002204", "晚渡村", (11200, 4300)),
)
TOWNS = {"500199001": "栖云镇", "500199002": "望汀镇"}
COUNTY_NAME, COUNTY_PARENT = "云溪县", "500100"

# unit, serial, name, title, rivers (None: all that no colleague of the same unit names)
CHIEFS = (
    (COUNTY, 1, "顾云岫", "县级总河长", ("YXH", "BAX", "TZG", "NYG", "WLG")),
    (COUNTY, 2, "沈砚秋", "县级河长", None),
    (COUNTY, 3, "陆青禾", "县级河长", ("STX", "TXG", "QTK", "QTH")),
    ("500199001", 1, "江栖梧", "镇级总河长", ("YXH",)),
    ("500199001", 2, "白岑溪", "镇级河长", None),
    ("500199002", 1, "温知汀", "镇级总河长", ("YXH",)),
    ("500199002", 2, "骆远渡", "镇级河长", None),
    ("500199001201", 1, "洪鹭生", "村级河长", None),
    ("500199001202", 1, "柏守田", "村级河长", None),
    ("500199001203", 1, "岑望舒", "村级河长", ("YXH",)),
    ("500199001203", 2, "邬长安", "村级河长", None),
    ("500199001204", 1, "黎雪松", "村级河长", None),
    ("500199002201", 1, "汪汀兰", "村级河长", None),
    ("500199002201", 2, "汤右岸", "村级河长", ()),
    ("500199002202", 1, "宋青棠", "村级河长", None),
    ("500199002203", 1, "石砚农", "村级河长", None),
    ("500199002203", 2, "费南坡", "村级河长", ()),
    ("500199002204", 1, "万渡舟", "村级河长", None),
    ("500199002204", 2, "易新川", "村级河长", ()),
)

ORPHAN = ("BAX", 1500.0, 1850.0)
DOUBLE = ("YSH", 600.0, 1000.0, "HZ50019900220302")
SPLIT_BANKS = ("500199002201", "YXH", "HZ50019900220101", "HZ50019900220102")
HANDOVER = ("HZ50019900220401", "HZ50019900220402", "2026-05-15", "2026-05-16")
STORY_CHIEF = "HZ50019900120301"


@dataclass
class People:
    admin_unit: list[Row] = field(default_factory=list)
    chief: list[Row] = field(default_factory=list)
    duty: list[Row] = field(default_factory=list)
    villages: dict[str, Polygon] = field(default_factory=dict)
    county: Polygon = field(default_factory=Polygon)

    def village_at(self, xy: np.ndarray) -> str | None:
        return next((code for code, area in self.villages.items() if area.covers(Point(xy))), None)

    def chiefs_at(self, river: str, at_m: float, bank: str, day: str) -> dict[str, list[str]]:
        """Codes of the chiefs by level who answer for one metre of one bank on a day."""
        found: dict[str, list[str]] = {"county": [], "town": [], "village": []}
        for d in self.duty:
            inside = d["from_m"] <= at_m < d["to_m"] and d["bank"] in ("both", bank)  # type: ignore[operator]
            valid = str(d["valid_from"]) <= day <= str(d["valid_to"] or "9999")
            if d["river_code"] == river and inside and valid:
                found[str(d["level"])].append(str(d["chief_code"]))
        return found


def build(seed: int, system: System) -> People:
    people = People()
    _units(seed, people)
    people.chief = [{"code": _chief_code(unit, i), "name": name, "level": _level(unit), "title": title,
                     "unit_code": unit} for unit, i, name, title, _ in CHIEFS]  # fmt: skip
    rows: list[Row] = []
    for river in system.main():
        rows += _duties_of(system.axes[river], people)
    rows = _plant(rows)
    for i, row in enumerate(sorted(rows, key=_order), start=1):
        people.duty.append({"code": f"ZR{i:04d}", **row})
    return people


def _chief_code(unit: str, serial: int) -> str:
    return f"HZ{unit}{serial:02d}"


def _level(unit: str) -> str:
    return {6: "county", 9: "town", 12: "village"}[len(unit)]


def _order(row: Row) -> tuple[object, ...]:
    return (row["river_code"], row["level"], row["from_m"], row["bank"], row["valid_from"])


def _units(seed: int, people: People) -> None:
    rng = stream(seed, "admin")
    county = _county_outline(rng)
    seeds = MultiPoint([metric_xy(np.array(p)) for _, _, p in VILLAGES])
    edges = shapely.voronoi_polygons(seeds, extend_to=county.buffer(2000), only_edges=True)
    rough = [_rough(line, rng) for line in _single_edges(edges)]
    lines = shapely.union_all([*rough, county.exterior])
    faces = list(shapely.get_parts(shapely.polygonize([*shapely.get_parts(lines)])))
    for code, name, place in VILLAGES:
        face = next(f for f in faces if f.covers(Point(metric_xy(np.array(place)))))
        people.villages[code] = as_read(face)
        people.admin_unit.append(_unit_row(code, name, "village", code[:9], people.villages[code]))
    for code, name in TOWNS.items():
        town = shapely.union_all([v for k, v in people.villages.items() if k.startswith(code)])
        people.admin_unit.append(_unit_row(code, name, "town", COUNTY, town))
    people.county = shapely.union_all(list(people.villages.values()))
    people.admin_unit.append(_unit_row(COUNTY, COUNTY_NAME, "county", COUNTY_PARENT, people.county))
    people.admin_unit.reverse()


def _unit_row(code: str, name: str, level: str, parent: str, area: Polygon) -> Row:
    return {"code": code, "name": name, "level": level, "parent_code": parent, "geometry": MultiPolygon([area])}


def _county_outline(rng: np.random.Generator) -> Polygon:
    """A rectangle of 12 x 10 km that bulges outwards, straight where the trunk comes in and leaves."""

    def side(start: tuple, end: tuple, out: tuple[int, int], keep: float | None) -> np.ndarray:
        t = np.linspace(0, 1, 60, endpoint=False)
        points = np.array(start) + t[:, None] * (np.array(end) - np.array(start))
        bulge = np.clip(np.cumsum(rng.normal(0, 26, 60)) + 80, 0, 240) * np.sin(np.pi * t)
        if keep is not None:
            bulge *= np.clip((np.abs(points[:, 1] - keep) - 350) / 600, 0, 1)
        return points + bulge[:, None] * np.array(out)

    sw, se, ne, nw = (0, 0), (12000, 0), (12000, 10000), (0, 10000)
    ring = np.vstack([side(sw, se, (0, -1), None), side(se, ne, (1, 0), 5600.0),
                      side(ne, nw, (0, 1), None), side(nw, sw, (-1, 0), 4300.0)])  # fmt: skip
    return Polygon(metric_xy(ring))


def _single_edges(edges: shapely.Geometry) -> list[LineString]:
    found = set()
    for part in shapely.get_parts(edges):
        xy = np.round(shapely.get_coordinates(part), 3)
        found |= {tuple(sorted([tuple(a), tuple(b)])) for a, b in pairwise(xy)}
    return [LineString(pair) for pair in sorted(found)]


def _rough(line: LineString, rng: np.random.Generator) -> LineString:
    """A border as it runs on the ground: wandering up to some 70 m, its ends kept."""
    a, b = np.array(line.coords[0]), np.array(line.coords[-1])
    n = max(int(line.length / 70), 2)
    t = np.linspace(0, 1, n + 1)
    walk = np.cumsum(rng.normal(0, 18, n + 1))
    walk = (walk - walk[0] - t * (walk[-1] - walk[0])).clip(-90, 90)
    side = np.array([-(b - a)[1], (b - a)[0]]) / line.length
    return LineString(a + t[:, None] * (b - a) + walk[:, None] * side)


def _duties_of(axis: Axis, people: People) -> list[Row]:
    """Who answers for which stretch: by the village the axis runs through, short corners left to the neighbour."""
    stretches = village_stretches(axis, people)
    rows = [_duty(COUNTY, axis.code, 0.0, axis.length_m)]
    for cut, merged in ((9, _merge(stretches, 9)), (12, stretches)):
        rows += [_duty(unit[:cut], axis.code, a, b) for unit, a, b in merged]
    return rows


def village_stretches(axis: Axis, people: People) -> list[tuple[str, float, float]]:
    s = np.arange(2.0, axis.length_m, 5.0)
    codes = list(people.villages)
    owner = np.full(len(s), -1)
    points = shapely.points(axis.at(s))
    for i, area in enumerate(people.villages.values()):
        shapely.prepare(area)
        owner[shapely.covers(area, points)] = i
    runs: list[list] = []
    for value, at in zip(owner, s, strict=True):
        if not runs or runs[-1][0] != value:
            runs.append([value, at - 2.5, at])
        runs[-1][2] = at + 2.5
    runs = [r for r in runs if r[2] - r[1] > 150 and r[0] >= 0] or runs[:1]
    changes = [round(float(a[2] + b[1]) / 2, 1) for a, b in pairwise(runs)]
    edges = [0.0, *changes, round(axis.length_m, 2)]
    return _merge([(codes[r[0]], a, b) for r, a, b in zip(runs, edges[:-1], edges[1:], strict=True)], 12)


def _merge(stretches: list[tuple[str, float, float]], digits: int) -> list[tuple[str, float, float]]:
    merged: list[tuple[str, float, float]] = []
    for unit, a, b in stretches:
        if merged and merged[-1][0][:digits] == unit[:digits]:
            merged[-1] = (merged[-1][0], merged[-1][1], b)
        else:
            merged.append((unit, a, b))
    return merged


def _duty(unit: str, river: str, from_m: float, to_m: float, bank: str = "both") -> Row:
    mine = [(i, rivers) for u, i, _, _, rivers in CHIEFS if u == unit]
    named = [i for i, rivers in mine if rivers and river in rivers]
    rest = [i for i, rivers in mine if rivers is None]
    chief = _chief_code(unit, (named or rest)[0])
    return {"chief_code": chief, "river_code": river, "from_m": round(from_m, 2), "to_m": round(to_m, 2), "bank": bank,
            "level": _level(unit), "valid_from": "2025-01-01", "valid_to": None}  # fmt: skip


def _plant(rows: list[Row]) -> list[Row]:
    """The orphan stretch, the doubly assigned one, the two-bank village and the handover in mid-May."""
    out: list[Row] = []
    for row in rows:
        village = row["level"] == "village"
        covers = float(str(row["from_m"])) < ORPHAN[1] and float(str(row["to_m"])) > ORPHAN[2]
        if village and row["river_code"] == ORPHAN[0] and covers:
            out += [{**row, "to_m": ORPHAN[1]}, {**row, "from_m": ORPHAN[2]}]
        elif village and row["river_code"] == SPLIT_BANKS[1] and row["chief_code"] == SPLIT_BANKS[2]:
            out += [{**row, "bank": "left"}, {**row, "bank": "right", "chief_code": SPLIT_BANKS[3]}]
        elif row["chief_code"] == HANDOVER[0]:
            out += [{**row, "valid_to": HANDOVER[2]}, {**row, "chief_code": HANDOVER[1], "valid_from": HANDOVER[3]}]
        else:
            out.append(row)
    template = _duty("500199002203", DOUBLE[0], DOUBLE[1], DOUBLE[2])
    return [*out, {**template, "chief_code": DOUBLE[3]}]


