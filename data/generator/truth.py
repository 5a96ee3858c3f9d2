"""What is planted, measured: every object against the announced areas and the permits, night by night."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry import Polygon

from .axes import System
from .boundary import Boundary
from .frame import as_read
from .object_plan import DELIVERIES, IMAGES
from .objects import Objects
from .people import ORPHAN, People
from .rivers import Row, Waters
from .zones import Zones

MIN_AREA_M2 = 10.0
MIN_WIDTH_M = 1.0
POINT_PERMIT_RADIUS_M = 30.0


def candidates(judge: Judge) -> list[Row]:
    """One row per candidate code: where it lies and what a night should make of it."""
    objects = judge.objects
    key_of = {code: key for key, code in objects.code_of.items()}
    rows: dict[str, Row] = {}
    for delivery in DELIVERIES:
        for candidate in objects.candidate[delivery]:
            code = str(candidate["code"])
            start: Row = {"code": code, "key": key_of[code], "kind": candidate["kind"], "deliveries": {}}
            row = rows.setdefault(code, start)
            row |= judge.place(candidate["geometry"])  # type: ignore[arg-type]
            measured = judge.measure(candidate, delivery)
            row["deliveries"][delivery] = measured  # type: ignore[index]
            row["class"] = measured["class"]
    return list(rows.values())


class Judge:
    """Measures one candidate against lines, permits and what the second image hides."""

    def __init__(self, system: System, waters: Waters, boundary: Boundary, people: People, objects: Objects,
                 hidden: Polygon) -> None:  # fmt: skip
        self.system, self.boundary, self.people, self.objects = system, boundary, people, objects
        self.announced = shapely.union_all(list(boundary.areas.values()))
        self.draft = shapely.union_all(list(boundary.draft_areas.values()))
        self.edge = shapely.union_all([a.boundary for a in boundary.areas.values()])
        self.lines = {str(r["code"]): r["geometry"] for r in waters.river}
        self.hidden = hidden

    def place(self, shape: Polygon) -> Row:
        """River, bank, chainage, village and chiefs of an object (chainage of its centroid on the axis)."""
        shape = as_read(shape)
        centre = np.array(shape.centroid.coords[0])
        within = [c for c, a in self.boundary.areas.items() if a.intersects(shape)]
        rivers = within or [c for c, line in self.lines.items() if line.distance(shape) < 400] or list(self.lines)
        river = min(rivers, key=lambda c: self.lines[c].distance(shape.centroid))
        at_m, offset = self.system.axes[river].locate(centre)
        bank = "left" if offset > 0 else "right"
        village = self.people.village_at(centre)
        hidden = round(shape.intersection(self.hidden).area / shape.area, 3)
        return {
            **({"unobserved_share": hidden} if hidden else {}), "river_code": river, "bank": bank,
            "at_m": round(at_m, 1), "offset_m": round(offset, 1), "village": village,
            "chiefs": self.people.chiefs_at(river, at_m, bank, "2026-05-20"),
        }  # fmt: skip

    def measure(self, candidate: Row, day: str) -> Row:
        shape = as_read(candidate["geometry"])  # type: ignore[arg-type]
        inside = shape.intersection(self.announced)
        free, permits, by_name = self._net(candidate, inside, day)
        row: Row = {
            "area_m2": round(shape.area, 3), "area_inside_m2": round(inside.area, 3),
            "net_area_m2": round(free.area, 3), "distance_to_line_m": round(shape.distance(self.edge), 2),
            "permits": permits,
        }  # fmt: skip
        row["class"] = self._class(candidate, shape, inside, free)
        row["expected"] = self._expected(candidate, str(row["class"]), by_name)
        if inside.is_empty and shape.intersects(self.draft):
            row["inside_draft_line"] = True
        return row

    def _net(self, candidate: Row, inside: Polygon, day: str) -> tuple[Polygon, list[str], bool]:
        """The inside part without what permits of its kind allow on that day (both dates inclusive)."""
        used, by_name, free = [], False, inside
        for permit in self.objects.permit:
            in_force = str(permit["valid_from"]) <= day <= str(permit["valid_to"] or "9999")
            if permit["allows"] != candidate["kind"] or not in_force:
                continue
            if permit["position_kind"] == "name":
                by_name |= permit["name"] == candidate["name_hint"]
            elif self._permit_area(permit).intersects(free):
                free, used = free.difference(self._permit_area(permit)), [*used, str(permit["code"])]
        return free, used, by_name

    def _permit_area(self, permit: Row) -> Polygon:
        if permit["geometry"] is not None:
            return permit["geometry"]  # type: ignore[return-value]
        trunk, bank = self.system.axes["YXH"], str(permit["bank"])
        side = 1 if bank == "left" else -1
        from_m, to_m = float(str(permit["from_m"])), float(str(permit["to_m"]))
        if permit["position_kind"] == "point":
            from_m, to_m = from_m - POINT_PERMIT_RADIUS_M, to_m + POINT_PERMIT_RADIUS_M
        offset = self.boundary.offset["YXH", bank]
        return trunk.strip(from_m, to_m, lambda s: side * offset(s), 0.0)

    def _class(self, candidate: Row, shape: Polygon, inside: Polygon, free: Polygon) -> str:
        if candidate["image_after"] and shape.intersection(self.hidden).area > 0.1 * shape.area:
            return "clouded"
        if inside.area < 1e-3:
            return "outside"
        if free.area < 1e-3:
            return "permitted"
        if free.buffer(-MIN_WIDTH_M / 2).is_empty:
            return "sliver"
        if free.area < MIN_AREA_M2:
            return "too_small"
        return "inside" if shape.within(self.announced) else "edge"

    @staticmethod
    def _expected(candidate: Row, found: str, by_name: bool) -> str:
        """finding, none, or not_judged; farmland on beaches and places known only by name are left to people."""
        if found == "clouded":
            return "not_judged"
        if found not in ("inside", "edge") or candidate["subtype_hint"] == "arable":
            return "none"
        return "permit_place_open" if by_name else "finding"


def story(objects: Objects, boundary: Boundary, patrol: Row) -> Row:
    code = objects.code_of
    return {
        "night": DELIVERIES[1], "before": f"imagery/{IMAGES[0]}.tif", "after": f"imagery/{IMAGES[1]}.tif",
        "new_finding": code["new"], "permitted": code["permitted_dump"],
        "permit": next(p for p, key in objects.permit_for.items() if key == "permitted_dump"),
        "not_judged": code["clouded"], "patrol": patrol["track_id"], "wrong_line": boundary.wrong["line_code"],
        "permit_expired": code["temporary_yard"], "gone": code["dump_gone"],
    }  # fmt: skip


def planted(waters: Waters, boundary: Boundary, people: People, zones: Zones, objects: Objects) -> Row:
    double = [d for d in people.duty if d["chief_code"] == "HZ50019900220302"]
    only = objects.shapes["image_only"].centroid
    with_line = {str(r["river_code"]) for r in boundary.line}
    return {
        "wrong_line": boundary.wrong,
        "orphan_duty": {"river_code": ORPHAN[0], "from_m": ORPHAN[1], "to_m": ORPHAN[2], "level": "village"},
        "double_duty": {k: double[0][k] for k in ("river_code", "from_m", "to_m", "level")},
        "reversed_reaches": waters.reversed_reaches,
        "undirected_ditches": [r["code"] for r in waters.reach if r["kind"] == "ditch"],
        "covered_reaches": [r["code"] for r in waters.reach if r["covered"]],
        "outfalls_in_zones": zones.in_zone,
        "outfalls_far_from_water": zones.far,
        "draft_line_rivers": [str(r["river_code"]) for r in boundary.line if r["basis"] == "draft"][:1],
        "rivers_without_line": sorted({str(r["code"]) for r in waters.river} - with_line),
        "image_only_change": {"east_4544": round(only.x, 1), "north_4544": round(only.y, 1),
                              "what": "appears in the second image and is delivered by no feed"},
        "duplicates": [[objects.code_of["greenhouse_1"], objects.code_of["duplicate_1"]],
                       [objects.code_of["house_1"], objects.code_of["duplicate_2"]]],
    }  # fmt: skip
