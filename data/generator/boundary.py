"""Boundary lines as announced (one of them wrong), areas, shoreline function zones and stakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from . import plan
from .axes import System
from .frame import Axis, as_read, multi, stream, wave
from .rivers import Row, split_ring

GOV = "云溪县人民政府"
SCALE = 2000
Offset = Callable[[np.ndarray], np.ndarray]

WRONG = ("YSH", "left", 1500.0, 1650.0)
"""The line planted wrong: on this stretch the announced left line runs along the right bank."""
DRAFT_RIVER = "GTG"

ANNOUNCED = {
    "YXH": ("HF-YXH-2023", "announced", "云溪府发〔2023〕41号", "2023-08-15"),
    "BAX": ("HF-BAX-2024", "announced", "云溪府发〔2024〕17号", "2024-04-02"),
    "YSH": ("HF-YSH-2024", "announced", "云溪府发〔2024〕18号", "2024-04-02"),
    "GTG": ("HF-GTG-2026", "draft", None, None),
    "QTK": ("HF-QTK-2023", "announced", "云溪府发〔2023〕56号", "2023-11-20"),
}


@dataclass
class Boundary:
    """Rows of the boundary layers (metric) and the shapes other parts place things by."""

    line: list[Row] = field(default_factory=list)
    area: list[Row] = field(default_factory=list)
    function_zone: list[Row] = field(default_factory=list)
    stake: list[Row] = field(default_factory=list)
    offset: dict[tuple[str, str], Offset] = field(default_factory=dict)
    """Distance of the line from the axis by river and bank (always positive)."""
    areas: dict[str, MultiPolygon] = field(default_factory=dict)
    draft_areas: dict[str, Polygon] = field(default_factory=dict)
    wrong: Row = field(default_factory=dict)

    def line_at(self, axis: Axis, bank: str, s: float) -> float:
        """Signed offset of the line at a chainage."""
        return float(self.offset[axis.code, bank](np.array(s))) * (1 if bank == "left" else -1)


def build(seed: int, system: System, reservoir: Polygon) -> Boundary:
    out = Boundary()
    axes = system.axes
    for bank in ("left", "right"):
        out.offset["YXH", bank] = _trunk_offset(seed, system, bank)
        for code, margin in (("BAX", 15.0), ("YSH", 17.0), ("GTG", 12.0)):
            out.offset[code, bank] = _tributary_offset(seed, axes[code], bank, margin)
    _announce(out, axes["YXH"], None)
    _announce(out, axes["BAX"], out.areas["YXH"])
    _announce(out, axes["YSH"], out.areas["YXH"])
    _announce(out, axes["GTG"], out.areas["YSH"])
    _announce_reservoir(out, axes["QTK"], reservoir)
    _protection_lines(out, axes["YXH"])
    _function_zones(out, axes["YXH"])
    _stakes(seed, out, system)
    return out


def _step(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _window(s: np.ndarray, from_m: float, to_m: float, ramp_m: float) -> np.ndarray:
    """1 between the chainages, 0 outside, smooth over ``ramp_m``."""
    return _step((s - from_m + ramp_m) / ramp_m) * _step((to_m + ramp_m - s) / ramp_m)


def _trunk_offset(seed: int, system: System, bank: str) -> Offset:
    """Design flood line beyond the bank; wider round the bars; landward toe plus berm along levees."""
    trunk = system.axes["YXH"]
    half = trunk.half_width_m
    assert half is not None
    uneven = wave(stream(seed, f"line-{bank}"), 700.0)
    side = 1 if bank == "left" else -1
    braids = [(trunk.chainage_at_east(a), trunk.chainage_at_east(b), abs(off) + w + 24)
              for _, a, b, off, w in plan.BRAIDS if off * side > 0]  # fmt: skip
    toes = [(x1, x2) for b, x1, x2 in plan.LEVEES if b == bank]
    leveed = (trunk.chainage_at_east(min(a for a, _ in toes)), trunk.chainage_at_east(max(b for _, b in toes)))

    def offset(s: np.ndarray) -> np.ndarray:
        s = np.asarray(s, dtype=float)
        n = half(s) + 30 + 8 * uneven(s)
        for a, b, wide in braids:
            n = n + (wide - n) * _window(s, a + 150, b - 150, 220.0)
        return n + (plan.LEVEE_TOE_N + plan.BERM_M - n) * _window(s, *leveed, 140.0)

    return offset


def _tributary_offset(seed: int, axis: Axis, bank: str, margin: float) -> Offset:
    half = axis.half_width_m
    assert half is not None
    uneven = wave(stream(seed, f"line-{axis.code}-{bank}"), 400.0)

    def offset(s: np.ndarray) -> np.ndarray:
        s = np.asarray(s, dtype=float)
        n = half(s) + margin + 3 * uneven(s)
        if (axis.code, bank) == WRONG[:2]:
            n = n - (n + half(s) + 6) * _window(s, WRONG[2], WRONG[3], 25.0)
        return n

    return offset


def _announce(out: Boundary, axis: Axis, stop_at: MultiPolygon | None) -> None:
    """Lines from the source down to the river it joins, and the area between them."""
    lines, spans = {}, {}
    for bank, side in (("left", 1), ("right", -1)):
        offset = out.offset[axis.code, bank]
        line = axis.beside(0.0, axis.length_m, lambda s, o=offset, side=side: side * o(s))  # type: ignore[misc]
        line = line.simplify(0.05)
        if stop_at is not None:
            line = max(shapely.get_parts(line.difference(stop_at)), key=lambda g: g.length)
        lines[bank] = line
        spans[bank] = (0.0, axis.locate(np.array(line.coords[-1]))[0])
    area = Polygon([*lines["left"].coords, *reversed(lines["right"].coords)])
    assert area.is_valid, f"boundary of {axis.code} crosses itself"
    shape = multi(area if stop_at is None else area.difference(stop_at))
    _add_version(out, axis.code, lines, spans, shape)
    if axis.code == WRONG[0]:
        _note_wrong_line(out, axis, lines["left"])


def _add_version(out: Boundary, river: str, lines: dict, spans: dict, shape: MultiPolygon) -> None:
    version, basis = ANNOUNCED[river][:2]
    for bank, line in lines.items():
        code = f"{version}-{bank[0].upper()}"
        out.line.append(_line_row(code, river, bank, "management", version, line, spans[bank]))
    if basis == "announced":
        out.areas[river] = as_read(shape)
        out.area.append({"version_code": version, "code": f"MJ-{river}", "river_code": river, "geometry": shape})
    else:
        out.draft_areas[river] = as_read(shape)


def _line_row(code: str, river: str, bank: str, line_type: str, version: str, line: LineString,
              span: tuple[float, float]) -> Row:  # fmt: skip
    _, basis, doc_no, announced_on = ANNOUNCED[river]
    announced = basis == "announced"
    return {
        "code": code, "river_code": river, "bank": bank, "line_type": line_type, "basis": basis,
        "announce_gov": GOV if announced else None, "announce_doc_no": doc_no, "announced_on": announced_on,
        "valid_from": announced_on or "2026-03-01", "valid_to": None, "survey_scale": SCALE,
        "xy_error_m": 0.5 if announced else 2.0, "from_m": round(span[0], 2), "to_m": round(span[1], 2),
        "version_code": version, "geometry": line,
    }  # fmt: skip


def _note_wrong_line(out: Boundary, axis: Axis, line: LineString) -> None:
    """Where exactly the announced line lies on the wrong side of the axis."""
    crossings = sorted(axis.locate(np.array(p.coords[0]))[0] for p in shapely.get_parts(line.intersection(axis.line)))
    out.wrong = {"line_code": f"{ANNOUNCED[axis.code][0]}-L", "version_code": ANNOUNCED[axis.code][0],
                 "river_code": axis.code, "bank": "left", "from_m": round(crossings[0], 1),
                 "to_m": round(crossings[-1], 1), "lies_on": "right",
                 "what": "the announced left line crosses the axis and runs beyond the right bank"}  # fmt: skip


def _announce_reservoir(out: Boundary, axis: Axis, reservoir: Polygon) -> None:
    """Normal level plus a band for the check flood, closed round the dam."""
    area = Polygon(reservoir.buffer(22).simplify(0.5).exterior)
    lines = split_ring(area, axis.xy[0], axis.xy[-1])
    _add_version(out, "QTK", lines, dict.fromkeys(lines, (0.0, axis.length_m)), MultiPolygon([area]))


def _protection_lines(out: Boundary, trunk: Axis) -> None:
    """Outer edge of the levee's safety zone: the same announcement, another kind of line, no area of its own."""
    for bank, x1, x2 in (("left", 5000.0, 9050.0), ("right", 5420.0, 9050.0)):
        span = trunk.chainage_at_east(x1), trunk.chainage_at_east(x2)
        n = plan.LEVEE_TOE_N + plan.BERM_M + 50.0
        line = trunk.beside(*span, n if bank == "left" else -n).simplify(0.05)
        code = f"HF-YXH-2023-P{bank[0].upper()}"
        out.line.append(_line_row(code, "YXH", bank, "protection", "HF-YXH-2023-P", line, span))


ZONES = (("protection", 0.24), ("reserve", 0.10), ("controlled_use", 0.11), ("development", 0.08),
         ("controlled_use", 0.12), ("reserve", 0.15), ("protection", 0.20))  # fmt: skip


def _function_zones(out: Boundary, trunk: Axis) -> None:
    for bank, side in (("left", 1), ("right", -1)):
        zones = ZONES if bank == "left" else ZONES[::-1]
        edges = np.concatenate([[0], np.cumsum([share for _, share in zones])]) * trunk.length_m
        offset = out.offset["YXH", bank]
        for i, (kind, _) in enumerate(zones):
            a, b = float(edges[i]), min(float(edges[i + 1]), trunk.length_m)
            line = trunk.beside(a, b, lambda s, o=offset, side=side: side * o(s))  # type: ignore[misc]
            out.function_zone.append({"code": f"GN-YXH-{bank[0].upper()}{i + 1:02d}", "river_code": "YXH", "bank": bank,
                                      "zone_type": kind, "from_m": round(a, 2), "to_m": round(b, 2),
                                      "geometry": line.simplify(0.05)})  # fmt: skip


def _stakes(seed: int, out: Boundary, system: System) -> None:
    """Base stakes every 200 m, dense ones every 50 m in one sharp bend; some damaged or lost."""
    rng = stream(seed, "stakes")
    for row in [r for r in out.line if r["basis"] == "announced" and r["line_type"] == "management"]:
        river, bank, line = str(row["river_code"]), str(row["bank"]), row["geometry"]
        axis = system.axes[river]
        along = [(d, "base") for d in np.arange(20.0, line.length - 10, 200.0 if river != "QTK" else 150.0)]
        if river == "YXH":
            bend = line.project(Point(axis.at(axis.chainage_at_east(9700.0))))
            along = sorted([*along, *((bend + d, "dense") for d in range(-275, 300, 50))])
        for i, (d, kind) in enumerate(along, start=1):
            point = line.interpolate(d)
            status = str(rng.choice(["good", "damaged", "lost"], p=[0.92, 0.05, 0.03]))
            at_m = round(axis.locate(np.array(point.coords[0]))[0], 1)
            out.stake.append({"code": f"{river}-{bank[0].upper()}-{i:03d}", "river_code": river, "bank": bank,
                              "kind": kind, "at_m": at_m, "status": status, "geometry": point})  # fmt: skip
