"""Rivers as delivered: river axes, reaches between nodes, bank lines, water areas, levees."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon
from shapely.ops import substring

from . import plan
from .axes import System
from .frame import Axis, metric_xy, multi, stream
from .terrain import covered_range

COUNTY = "500199"
Row = dict[str, object]


@dataclass
class Waters:
    """Rows of the river layers; geometries in metres."""

    river: list[Row] = field(default_factory=list)
    reach: list[Row] = field(default_factory=list)
    water_area: list[Row] = field(default_factory=list)
    bank_line: list[Row] = field(default_factory=list)
    levee: list[Row] = field(default_factory=list)
    shores: dict[str, LineString] = field(default_factory=dict)
    """Left and right shore of the reservoir, from its tail to the dam."""
    all_water: MultiPolygon = field(default_factory=MultiPolygon)
    reversed_reaches: list[str] = field(default_factory=list)

    def names(self) -> dict[str, str]:
        return {str(r["code"]): str(r["name"]) for r in self.river}


class Nodes:
    """Codes for places where reaches meet; the same place gets the same code."""

    def __init__(self) -> None:
        self._codes: dict[tuple[int, int], str] = {}

    def code(self, xy: np.ndarray) -> str:
        key = (int(np.floor(xy[0] * 20 + 0.5)), int(np.floor(xy[1] * 20 + 0.5)))
        return self._codes.setdefault(key, f"N{len(self._codes) + 1:04d}")


def levee_crests(system: System) -> list[LineString]:
    return [_levee_line(system, bank, x1, x2, plan.LEVEE_CREST_N) for bank, x1, x2 in plan.LEVEES]


def build(seed: int, system: System, reservoir: Polygon) -> Waters:
    waters = Waters(river=_river_rows(system))
    tail, dam = system.axes["QTK"].xy[0], system.axes["QTK"].xy[-1]
    waters.shores = split_ring(reservoir, tail, dam)
    _reaches(system, waters)
    _levees(system, waters)
    _water_areas(seed, system, reservoir, waters)
    return waters


def _river_rows(system: System) -> list[Row]:
    rows: list[Row] = []
    for p in (plan.TRUNK, *plan.TRIBUTARIES, plan.UPPER_VALLEY, plan.SIDE_VALLEY):
        rows.append({"code": p.code, "name": p.name, "name_en": p.name_en, "kind": p.kind, "grade": p.grade})
    code, name, name_en = plan.RESERVOIR
    rows.append({"code": code, "name": name, "name_en": name_en, "kind": "reservoir", "grade": None})
    for code, (name, name_en) in plan.DITCHES.items():
        rows.append({"code": code, "name": name, "name_en": name_en, "kind": "ditch", "grade": None})
    return [{**row, "geometry": system.axes[str(row["code"])].line} for row in rows]


def _cuts(system: System, code: str) -> list[int]:
    """Vertices at which an axis is cut into reaches: where other axes end on it, and where its kind changes."""
    axis = system.axes[code]
    ends = np.array([xy for other, a in system.axes.items() if other != code for xy in (a.xy[0], a.xy[-1])])
    gaps = np.linalg.norm(axis.xy[:, None] - ends[None], axis=2).min(axis=1)
    cuts = {0, len(axis.xy) - 1, *np.flatnonzero(gaps < 0.02).tolist()}
    if code == plan.COVERED[0]:
        cuts |= {int(np.argmin(np.abs(axis.m - m))) for m in covered_range(axis)}
    if code == "TXG":
        cuts.add(_water_edge(system))
    return sorted(cuts)


def _water_edge(system: System) -> int:
    return int(np.argmax(system.level["TXG"](system.axes["TXG"].m) <= plan.NORMAL_LEVEL_M))


def _reaches(system: System, waters: Waters) -> None:
    nodes, names = Nodes(), waters.names()
    order = [str(r["code"]) for r in waters.river]
    seq = dict.fromkeys(order, 0)
    for code in [*order, *system.parts]:
        river = code.split("-")[0]
        axis, cuts = system.axes[code], _cuts(system, code)
        for a, b in pairwise(cuts):
            seq[river] += 1
            row = _reach_row(system, code, a, b)
            row |= {"code": _reach_code(order, river, seq[river]), "river_code": river, "seq": seq[river]}
            row["name"] = f"{names[river]}{_suffix(str(row['kind']))}{seq[river]}段"
            _add_reach(waters, nodes, row, axis.xy[a : b + 1])
            if axis.half_width_m and row["kind"] in ("river", "braid") and not row["covered"]:
                _add_banks(waters, str(row["code"]), axis, float(axis.m[a]), float(axis.m[b]))
    _shore_reaches(system, waters, nodes, order, seq)


def _reach_code(order: list[str], river: str, seq: int) -> str:
    return f"{COUNTY}{order.index(river) + 1:03d}{seq:03d}"


def _suffix(kind: str) -> str:
    return {"braid": "汊道", "flow_path": "库区", "shoreline": "库岸"}.get(kind, "")


def _reach_row(system: System, code: str, a: int, b: int) -> Row:
    axis = system.axes[code]
    from_m, to_m = float(axis.m[a]), float(axis.m[b])
    kind, covered = "river", False
    if code in plan.DITCHES:
        kind = "ditch"
    elif code == "QTK" or (code == "TXG" and a >= _water_edge(system)):
        kind = "flow_path"
    if code == plan.COVERED[0]:
        start, end = covered_range(axis)
        covered = from_m >= start - 1 and to_m <= end + 1
    half = float(np.mean(axis.half_width_m(np.linspace(from_m, to_m, 9)))) if axis.half_width_m else 60.0
    if code in system.parts:
        kind, (from_m, to_m) = "braid", system.parts[code]
    return {"kind": kind, "from_m": round(from_m, 2), "to_m": round(to_m, 2), "half_width_m": round(half, 1),
            "covered": covered}  # fmt: skip


def _add_reach(waters: Waters, nodes: Nodes, row: Row, xy: np.ndarray) -> None:
    """Two reaches are digitised upstream on purpose; their nodes follow the digitised direction."""
    if (row["river_code"], row["seq"]) in plan.REVERSED:
        xy = xy[::-1]
        waters.reversed_reaches.append(str(row["code"]))
    row |= {"from_node": nodes.code(xy[0]), "to_node": nodes.code(xy[-1]), "geometry": LineString(xy)}
    waters.reach.append(row)


def _add_banks(waters: Waters, reach_code: str, axis: Axis, from_m: float, to_m: float) -> None:
    for bank, side in (("left", 1), ("right", -1)):
        line = axis.beside(from_m, to_m, lambda s, side=side: side * axis.half_width_m(s))  # type: ignore[misc]
        waters.bank_line.append({"code": f"{reach_code}{bank[0].upper()}", "reach_code": reach_code, "bank": bank,
                                 "geometry": line})  # fmt: skip


def _shore_reaches(system: System, waters: Waters, nodes: Nodes, order: list[str], seq: dict[str, int]) -> None:
    length = round(system.axes["QTK"].length_m, 2)
    for bank, line in waters.shores.items():
        seq["QTK"] += 1
        row: Row = {"code": _reach_code(order, "QTK", seq["QTK"]), "river_code": "QTK", "seq": seq["QTK"],
                    "kind": "shoreline", "from_m": 0.0, "to_m": length, "half_width_m": 0.0, "covered": False,
                    "name": f"青棠水库{'左' if bank == 'left' else '右'}岸"}  # fmt: skip
        _add_reach(waters, nodes, row, np.array(line.coords))
        waters.bank_line.append({"code": f"{row['code']}{bank[0].upper()}", "reach_code": row["code"], "bank": bank,
                                 "geometry": line})  # fmt: skip


def split_ring(area: Polygon, up: np.ndarray, down: np.ndarray) -> dict[str, LineString]:
    """The outline as two lines from ``up`` to ``down``: the left one has the water on its right."""
    ring = shapely.geometry.polygon.orient(area).exterior
    a, b = ring.project(Point(up)), ring.project(Point(down))
    # an outline that runs counter-clockwise passes the right bank first on its way downstream
    ahead = substring(ring, a, b) if a < b else _joined(substring(ring, a, ring.length), substring(ring, 0, b))
    back = substring(ring, b, a) if b < a else _joined(substring(ring, b, ring.length), substring(ring, 0, a))
    return {"left": LineString(list(back.coords)[::-1]), "right": ahead}


def _joined(first: LineString, second: LineString) -> LineString:
    return LineString([*first.coords, *list(second.coords)[1:]])


def _levee_line(system: System, bank: str, x1: float, x2: float, n: float) -> LineString:
    trunk = system.axes["YXH"]
    side = n if bank == "left" else -n
    return trunk.beside(trunk.chainage_at_east(x1), trunk.chainage_at_east(x2), side)


def _levees(system: System, waters: Waters) -> None:
    for i, (bank, x1, x2) in enumerate(plan.LEVEES, start=1):
        line = _levee_line(system, bank, x1, x2, plan.LEVEE_TOE_N)
        waters.levee.append({"code": f"DF{COUNTY}{i:03d}", "river_code": "YXH", "bank": bank,
                             "grade": plan.LEVEE_GRADE, "design_return_period_a": 20, "geometry": line})  # fmt: skip


def channel(axis: Axis, from_m: float = 0.0, to_m: float | None = None) -> Polygon:
    half = axis.half_width_m
    assert half is not None
    to_m = axis.length_m if to_m is None else to_m
    return axis.strip(from_m, to_m, half, lambda s: -half(s))


def _water_areas(seed: int, system: System, reservoir: Polygon, waters: Waters) -> None:
    axes = system.axes
    trunk = shapely.union_all([channel(axes[c]) for c in ("YXH", *system.parts)])
    shapes = {"YXH": trunk}
    for p in (*plan.TRIBUTARIES, plan.UPPER_VALLEY, plan.SIDE_VALLEY):
        axis = axes[p.code]
        end = float(axis.m[_water_edge(system)]) if p.code == "TXG" else None
        open_water = channel(axis, 0.0, end)
        if p.code == plan.COVERED[0]:
            start, stop = covered_range(axis)
            open_water = shapely.union(channel(axis, 0.0, start), channel(axis, stop))
        taken = shapely.union_all([*shapes.values(), reservoir])
        shapes[p.code] = shapely.difference(open_water, taken)
    names = waters.names()
    for code, geom in shapes.items():
        waters.water_area.append({"code": f"SY{code}", "river_code": code, "kind": "river", "name": names[code],
                                  "geometry": multi(geom)})  # fmt: skip
    waters.water_area.append({"code": "SYQTK", "river_code": "QTK", "kind": "reservoir", "name": "青棠水库",
                              "geometry": MultiPolygon([reservoir])})  # fmt: skip
    for i, pond in enumerate(_ponds(seed), start=1):
        waters.water_area.append({"code": f"SYT{i:02d}", "river_code": None, "kind": "pond", "name": f"{i}号塘",
                                  "geometry": MultiPolygon([pond])})  # fmt: skip
    waters.all_water = multi(shapely.union_all([r["geometry"] for r in waters.water_area]))


def _ponds(seed: int) -> list[Polygon]:
    rng = stream(seed, "ponds")
    return [blob(metric_xy(np.array(p)), r, rng) for p, r in
            (((5250, 5350), 26.0), ((8350, 4420), 32.0), ((6150, 3650), 22.0), ((2950, 5500), 24.0))]  # fmt: skip


def blob(
    centre: np.ndarray, radius_m: float, rng: np.random.Generator, stretch: float = 1.0, turn: float = 0.0
) -> Polygon:
    """A rounded irregular outline."""
    angle = np.linspace(0, 2 * np.pi, 22, endpoint=False)
    waves = 1 + 0.16 * np.sin(2 * angle + rng.uniform(0, 6)) + 0.10 * np.sin(3 * angle + rng.uniform(0, 6))
    local = np.column_stack([np.cos(angle) * stretch, np.sin(angle) / stretch]) * (radius_m * waves)[:, None]
    c, s = np.cos(turn), np.sin(turn)
    return Polygon(local @ np.array([[c, s], [-s, c]]) + centre)
