"""Candidates in two deliveries, point reports, permits and landmarks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry import MultiPolygon, Point, Polygon, box

from .axes import System
from .boundary import Boundary
from .frame import Axis, as_read, metric_xy, stream
from .object_plan import DELIVERIES, HAMLETS, IMAGE_ONLY, IMAGES, POINTS, RIGHT_BANK_LINES, SPECS, Spec
from .rivers import Row, blob

SEEN_TIME = {"footprint": "01:10:00", "landuse": "02:30:00", "inspector": "06:45:00", "remote_sensing": "03:12:00"}


@dataclass
class Objects:
    candidate: dict[str, list[Row]] = field(default_factory=lambda: {d: [] for d in DELIVERIES})
    point: list[Row] = field(default_factory=list)
    permit: list[Row] = field(default_factory=list)
    landmark: list[Row] = field(default_factory=list)
    shapes: dict[str, Polygon] = field(default_factory=dict)
    """Ground shape of every planted object by its key, also of those no feed delivers."""
    code_of: dict[str, str] = field(default_factory=dict)
    permit_for: dict[str, str] = field(default_factory=dict)
    """Planted object by permit code."""


def build(seed: int, system: System, boundary: Boundary) -> Objects:
    out = Objects()
    rng = stream(seed, "objects")
    for spec in (*SPECS, IMAGE_ONLY):
        out.shapes[spec.key] = as_read(_shape(spec, system, boundary, rng))
    houses = _hamlet_houses(rng, boundary, out)
    first = [s for s in SPECS if DELIVERIES[0] in s.deliveries]
    later = [s for s in SPECS if DELIVERIES[0] not in s.deliveries]
    for spec in [*first, *houses, *later]:
        out.code_of[spec.key] = f"WT{len(out.code_of) + 1:04d}"
    for spec in [*first, *houses, *later]:
        _deliver(out, spec, rng)
    _points(out, system)
    _permits(out, system)
    _landmarks(out, system)
    return out


def place_of(axis: Axis, place: float) -> float:
    """Chainage of a planned place."""
    return axis.chainage_at_east(place) if axis.code == "YXH" else place


def _shape(spec: Spec, system: System, boundary: Boundary, rng: np.random.Generator) -> Polygon:
    axis = system.axes[spec.river]
    s = place_of(axis, spec.place)
    if spec.river == "QTK" and isinstance(spec.offset, str):
        return _by_reservoir_line(spec, boundary, s, axis)
    if isinstance(spec.offset, float):
        n = spec.offset
    else:
        bank = "right" if spec.key in RIGHT_BANK_LINES else "left"
        line, outward = boundary.line_at(axis, bank, s), 1 if bank == "left" else -1
        if spec.shape == "strip":
            return _strip(spec, axis, boundary, s, bank, float(spec.offset[4:]))
        n = line + outward * float(spec.offset[4:])
        if spec.shape == "corner":
            n += outward * (spec.size[0] / np.sqrt(2) - 2 * float(spec.offset[4:]))
    angle = axis.bearing(s)
    if spec.shape == "blob":
        return blob(axis.at(s, n), spec.size[0], rng, spec.size[1], angle)
    turn = angle + (np.pi / 4 if spec.shape == "corner" else 0.0)
    return rectangle(axis.at(s, n), *spec.size, turn)


def rectangle(centre: np.ndarray, along: float, across: float, turn: float) -> Polygon:
    flat = box(-along / 2, -across / 2, along / 2, across / 2)
    return affinity.translate(affinity.rotate(flat, turn, (0, 0), use_radians=True), *centre)


def _strip(spec: Spec, axis: Axis, boundary: Boundary, s: float, bank: str, overlap: float) -> Polygon:
    """A long building along the line that reaches over it by less than a metre everywhere."""
    side, offset, half = (1 if bank == "left" else -1), boundary.offset[axis.code, bank], spec.size[0] / 2
    inner = axis.beside(s - half, s + half, lambda t: side * (offset(t) - overlap))
    outer = axis.beside(s - half, s + half, lambda t: side * (offset(t) + spec.size[1]))
    return Polygon([*inner.coords, *reversed(outer.coords)])


def _by_reservoir_line(spec: Spec, boundary: Boundary, s: float, axis: Axis) -> Polygon:
    line = next(r["geometry"] for r in boundary.line if r["code"] == "HF-QTK-2023-L")
    d = line.project(Point(axis.at(s, 150.0)))  # type: ignore[attr-defined]
    a, b = (np.array(line.interpolate(d + k).coords[0]) for k in (-4, 4))  # type: ignore[attr-defined]
    direction = (b - a) / np.linalg.norm(b - a)
    outward = np.array([-direction[1], direction[0]])
    centre = (a + b) / 2 + outward * float(str(spec.offset)[4:])
    return rectangle(centre, *spec.size, float(np.arctan2(direction[1], direction[0])))


def _hamlet_houses(rng: np.random.Generator, boundary: Boundary, out: Objects) -> list[Spec]:
    """Houses clear of the announced and draft lines and of each other."""
    taken = shapely.union_all([*boundary.areas.values(), *boundary.draft_areas.values()]).buffer(6)
    specs = []
    for (x, y), count in HAMLETS:
        turn = rng.uniform(0, np.pi)
        for _ in range(count):
            house = Polygon()
            while house.is_empty or house.intersects(taken):
                centre = metric_xy(np.array([x, y])) + rng.normal(0, 42, 2)
                house = rectangle(centre, rng.uniform(9, 19), rng.uniform(7, 12), turn + rng.normal(0, 0.08))
            taken = shapely.union(taken, house.buffer(5))
            key = f"hamlet_{len(specs) + 1:02d}"
            last = len(specs) + 1 == sum(n for _, n in HAMLETS)
            out.shapes[key] = as_read(house)
            specs.append(Spec(key, "building", "house", "", 0.0, 0.0, (0, 0), source="footprint",
                              deliveries=DELIVERIES[1:] if last else DELIVERIES))  # fmt: skip
    return specs


def _deliver(out: Objects, spec: Spec, rng: np.random.Generator) -> None:
    """Rows of both deliveries; outlines drawn anew from imagery move by a few decimetres, footprints do not."""
    steady = spec.source in ("footprint", "inspector") or spec.key.startswith(("sliver", "edge"))
    for delivery in spec.deliveries:
        shape = out.shapes[spec.key]
        if delivery != spec.deliveries[0] and not steady and rng.random() < 0.5:
            shape = affinity.translate(shape, *rng.normal(0, 0.12, 2))
        again = IMAGES[1] if spec.source == "landuse" else delivery
        seen_on = spec.seen if delivery == spec.deliveries[0] else again
        from_image = spec.source == "remote_sensing"
        out.candidate[delivery].append({
            "code": out.code_of[spec.key], "kind": spec.kind, "subtype_hint": spec.subtype, "name_hint": spec.name,
            "source": spec.source, "seen_at": f"{seen_on}T{SEEN_TIME[spec.source]}Z",
            "feed": f"demo-{spec.source.replace('_', '-')}",
            "image_before": f"imagery/{IMAGES[0]}.tif" if from_image else None,
            "image_after": f"imagery/{IMAGES[1]}.tif" if from_image and seen_on >= IMAGES[1] else None,
            "geometry": shape,
        })  # fmt: skip


def _points(out: Objects, system: System) -> None:
    for i, (kind, river, place, n, accuracy, remark) in enumerate(POINTS, start=1):
        axis = system.axes[river]
        out.point.append({
            "code": f"XC{i:04d}", "kind": kind, "subtype_hint": None, "name_hint": remark, "source": "inspector",
            "seen_at": f"2026-05-18T0{i}:40:00Z", "feed": "demo-inspector", "accuracy_m": accuracy,
            "geometry": Point(axis.at(place_of(axis, place), n)),
        })  # fmt: skip


def _permits(out: Objects, system: System) -> None:
    trunk = system.axes["YXH"]
    part = out.shapes["part_permitted_dump"]
    cut = Point(part.centroid.x + 4, part.centroid.y)
    add = _PermitBook(out, trunk)
    add("bridge", "栖云大桥", "permanent_work", "building", "2019-03-01", None, area=out.shapes["bridge"].buffer(6))
    add("pump_house", "汀湾提灌站", "permanent_work", "building", "2021-05-10", None,
        area=out.shapes["pump_house"].buffer(5))
    add("permitted_dump", "云溪河栖云段清淤疏浚", "dredging", "dump", "2026-03-01", "2026-08-31",
        area=out.shapes["permitted_dump"].buffer(12))
    add("temporary_yard", "堤顶道路施工临时料场", "temporary_use", "occupation", "2025-11-20", "2026-05-19",
        area=out.shapes["temporary_yard"].buffer(5))
    add("stretch_yard", "汀湾防汛砂石料场", "temporary_use", "occupation", "2026-01-01", "2026-12-31",
        stretch=(8300.0, 60.0), bank="right")
    add("station", "汀湾水文站房", "permanent_work", "building", "2020-01-01", None, stretch=(8620.0, 0.0), bank="left")
    add("name_only_dump", "晚渡码头堆土", "dredging", "dump", "2026-02-01", "2026-07-31")
    add("wrong_kind_quarry", "晚渡管理用房", "permanent_work", "building", "2022-06-01", None,
        area=out.shapes["wrong_kind_quarry"].buffer(8))
    add("part_permitted_dump", "云溪河汀湾段清淤疏浚", "dredging", "dump", "2026-03-01", "2026-08-31",
        area=cut.buffer(90).intersection(box(cut.x, cut.y - 90, cut.x + 90, cut.y + 90)))  # fmt: skip


class _PermitBook:
    """Writes permits one by one with running numbers."""

    def __init__(self, out: Objects, trunk: Axis) -> None:
        self.out, self.trunk = out, trunk

    def __call__(self, key: str, name: str, kind: str, allows: str, valid_from: str, valid_to: str | None, *,
                 area: Polygon | None = None, stretch: tuple[float, float] | None = None,
                 bank: str | None = None) -> None:  # fmt: skip
        i = len(self.out.permit) + 1
        position = "polygon" if area is not None else "name"
        from_m = to_m = None
        if stretch is not None:
            at = self.trunk.chainage_at_east(stretch[0])
            position = "stretch" if stretch[1] else "point"
            from_m, to_m = round(at - stretch[1], 1), round(at + stretch[1], 1)
        code = f"XK{i:03d}"
        self.out.permit_for[code] = key
        self.out.permit.append({
            "code": code, "name": name, "kind": kind, "allows": allows,
            "doc_no": f"云溪水许〔{valid_from[:4]}〕{i + 10}号", "issued_by": "云溪县水利局", "valid_from": valid_from,
            "valid_to": valid_to, "position_kind": position, "from_m": from_m, "to_m": to_m, "bank": bank,
            "river_code": "YXH", "geometry": None if area is None else as_read(MultiPolygon([area.simplify(0.2)])),
        })  # fmt: skip


LANDMARKS = (
    ("鹭洲桥", "YXH", 1300.0, "bridge"), ("鹭洲河长公示牌", "YXH", 2200.0, "sign"), ("栖云堰", "YXH", 4900.0, "weir"),
    ("栖云大桥", "YXH", 6480.0, "bridge"), ("栖云村五组", "YXH", 5950.0, "group"), ("汀湾桥", "YXH", 8900.0, "bridge"),
    ("晚渡桥", "YXH", 11000.0, "bridge"), ("柏坳桥", "BAX", 2700.0, "bridge"), ("柏坳溪公示牌", "BAX", 4400.0, "sign"),
    ("砚石桥", "YSH", 2300.0, "bridge"), ("砚石堰", "YSH", 3500.0, "weir"), ("青棠村三组", "QTH", 500.0, "group"),
    ("梨雪村二组", "LXG", 1800.0, "group"),
)  # fmt: skip


def _landmarks(out: Objects, system: System) -> None:
    for i, (name, river, place, kind) in enumerate(LANDMARKS, start=1):
        axis = system.axes[river]
        s = place_of(axis, place)
        beside = 0.0 if kind in ("bridge", "weir") else float(axis.half_width_m(np.array(s))) + 20  # type: ignore[misc]
        out.landmark.append({"code": f"DB{i:03d}", "name": name, "river_code": river, "at_m": round(s, 1), "kind": kind,
                             "geometry": Point(axis.at(s, beside))})  # fmt: skip
