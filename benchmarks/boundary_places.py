"""Counties the line doctor was not made on: boundary lines with planted defects, and lawful situations that look like defects.

Run: .venv/bin/python benchmarks/boundary_places.py OUT --place PLACE [--seed N] [--clean]
Places: acute (tributaries that join at 15 to 45 degrees), lake (a lake that a river runs through), braid (two arms round an island that
belongs to the area), divided (the county border along the river), three (three counties across the rivers, an oblique border), types
(protection lines beside the management lines in one file), methow (real reaches of the Methow network, where its data is).
Every county has another centre, turn, system, set of offsets, tolerances and date formats. The lines are the outline of the water widened by
the rule, cut where the nearest reach, the bank or the county changes; the same files, params.json and truth.json as boundary benchmarks have,
so that whatever reads those reads these. ``--clean`` plants nothing and gives the same county.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyproj import Transformer
from shapely.ops import substring

DATA = Path(os.environ.get("RIVERGIS_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
PLACES: dict[str, dict[str, Any]] = {
    "acute": {"centre": (108.9, 34.3), "turn": 35, "crs": ("EPSG:4490", "EPSG:4490"), "dates": ["%Y-%m-%d"], "tolerance": 1.0},
    "lake": {"centre": (116.3, 29.2), "turn": -70, "crs": ("EPSG:4547", "EPSG:4547"), "dates": ["%Y/%m/%d"], "tolerance": 0.5},
    "braid": {"centre": (101.2, 25.4), "turn": 120, "crs": ("EPSG:4490", "EPSG:4490"), "dates": ["%Y%m%d"], "tolerance": 1.5},
    "divided": {"centre": (121.4, 42.0), "turn": 10, "crs": ("EPSG:4529", "EPSG:4528"), "dates": ["%Y年%m月%d日"], "tolerance": 1.0},
    "three": {"centre": (112.1, 27.1), "turn": -15, "crs": ("EPSG:4490", "EPSG:4546"), "dates": ["%Y-%m-%d", "%Y/%m/%d"], "tolerance": 1.0},
    "types": {"centre": (117.2, 39.1), "turn": 60, "crs": ("EPSG:4490", "EPSG:4490"), "dates": ["%Y.%m.%d"], "tolerance": 0.8},
    "methow": {"centre": (-120.2, 48.5), "turn": 0, "crs": ("EPSG:4326", "EPSG:4326"), "dates": ["%Y-%m-%d"], "tolerance": 1.0},
}  # fmt: skip
KINDS = (
    "dangle", "pseudo_node", "self_crossing", "duplicate_line", "duplicate_vertex_run", "spike", "outlier_vertex", "axis_swapped_part",
    "offset_from_rule", "width_jump", "crosses_centreline", "gap_in_line", "missing_bank", "bank_swapped", "order_reversed",
    "missing_announcement", "bad_date", "bad_chainage", "bad_code", "stake_off_line", "shrunk_against_former",
)  # fmt: skip
WHOLE = {
    "missing_bank",
    "bank_swapped",
    "order_reversed",
    "missing_announcement",
    "bad_date",
    "bad_chainage",
    "bad_code",
    "duplicate_line",
}
MANAGEMENT, PROTECTION = "管理范围线", "保护范围线"
Array = Any


@dataclass
class River:
    """A reach: its line downstream, half a width of water, and what comes after it."""

    id: str
    line: Any
    half_m: float
    down: str | None = None
    head: bool = False
    outlet: bool = False


@dataclass
class Feature:
    """A line as it will be written."""

    reach: str
    bank: str
    county: str
    kind: str
    xy: Array
    fields: dict[str, Any] = field(default_factory=dict)
    swap: tuple[int, int] | None = None


# ---- networks -------------------------------------------------------------------------------------------------------


def winding(start: Array, end: Array, amplitude: float, wave: float, rng: np.random.Generator) -> Array:
    """A meandering line between two places, straight at both ends."""
    way = end - start
    length = float(np.hypot(*way))
    t = np.linspace(0, length, max(int(length / 12), 20))
    calm = np.clip(np.minimum(t, length - t) / max(length / 4, 150), 0, 1)
    off = amplitude * np.sin(2 * np.pi * t / wave + rng.uniform(0, 6)) * calm * calm * (3 - 2 * calm)
    u = way / length
    return start + t[:, None] * u + off[:, None] * np.array([-u[1], u[0]])


def tree(rng: np.random.Generator, angles: tuple[float, float], trunks: int = 2) -> list[River]:
    """Trunks of eight reaches with a tributary of two reaches at every node, from both sides."""
    out: list[River] = []
    for k in range(trunks):
        half = rng.uniform(20, 90)
        nodes = np.array([[2400.0 * i, 9000.0 * k + rng.uniform(-200, 200)] for i in range(9)])
        for i in range(8):
            line = winding(nodes[i], nodes[i + 1], rng.uniform(40, 140), rng.uniform(900, 1500), rng)
            out.append(
                River(
                    f"{'ABCD'[k]}{i + 1:02d}",
                    shapely.LineString(line),
                    half,
                    f"{'ABCD'[k]}{i + 2:02d}" if i < 7 else None,
                    i == 0,
                    i == 7,
                )
            )
        for i in range(1, 8):
            side = 1 if i % 2 else -1
            angle, width = np.radians(rng.uniform(*angles)), rng.uniform(4, 18)
            ends = [nodes[i]]
            for length in (1300.0, 1100.0):
                a = angle + rng.uniform(-0.08, 0.08)
                ends.append(ends[-1] + length * np.array([-np.cos(a), side * np.sin(a)]))
            names = [f"{'ABCD'[k]}{i:02d}t{j}" for j in (1, 2)]
            for j, (a_, b_) in enumerate(((ends[2], ends[1]), (ends[1], ends[0]))):
                out.append(
                    River(
                        names[j],
                        shapely.LineString(winding(a_, b_, rng.uniform(5, 25), 500, rng)),
                        width,
                        names[1] if j == 0 else f"{'ABCD'[k]}{i + 1:02d}",
                        j == 0,
                    )
                )
    return out


def braided(rng: np.random.Generator) -> list[River]:
    """A tree in which the fourth reach of a trunk is two arms round an island."""
    rivers = tree(rng, (60, 90))
    for name in ("A04", "B05"):
        r = next(x for x in rivers if x.id == name)
        xy = shapely.get_coordinates(r.line)
        arc = (1.9 * r.half_m + 14) * np.sin(np.linspace(0, np.pi, len(xy)))[:, None] * np.array([0, 1.0])
        rivers[rivers.index(r)] = River(name, shapely.LineString(xy + arc), r.half_m, r.down)
        rivers.append(River(name + "x", shapely.LineString(xy - arc), r.half_m * 0.8, r.down))
    return rivers


def real(rng: np.random.Generator) -> list[River]:
    """Larger links of the Methow, smoothed out of the cells they were traced on."""
    links = pyogrio.read_dataframe(DATA / "river_network_methow" / "Methow_Network.shp")
    links = links[links["usarea_km2"] > 60].set_index("GridID")
    out = []
    for name, row in links.iterrows():
        xy = shapely.get_coordinates(row.geometry.simplify(60))
        for _ in range(3):
            a, b = 0.75 * xy[:-1] + 0.25 * xy[1:], 0.25 * xy[:-1] + 0.75 * xy[1:]
            xy = np.vstack([xy[:1], np.stack([a, b], 1).reshape(-1, 2), xy[-1:]])
        line = shapely.LineString(xy)
        if line.length > 500:
            out.append([str(name), line, float(np.clip(2.2 * np.sqrt(row["usarea_km2"]), 5, 45)), row["ToLink"]])
    kept = {r[0] for r in out}
    ends = {r[0]: r[1] for r in out}
    rivers = []
    for name, line, half, to in out:
        down = str(int(to)) if to == to and str(int(to)) in kept else None
        start_of = ends.get(down) if down else None
        if (
            start_of is not None
            and shapely.get_coordinates(line)[-1].tolist() != shapely.get_coordinates(start_of)[0].tolist()
        ):
            line = shapely.LineString(np.vstack([shapely.get_coordinates(line), shapely.get_coordinates(start_of)[:1]]))
        rivers.append(River(name, line, half, down))
    for r in rivers:
        r.head, r.outlet = not any(x.down == r.id for x in rivers), r.down is None
    return rivers


def network(place: str, rng: np.random.Generator) -> list[River]:
    if place == "methow":
        return real(rng)
    if place == "braid":
        return braided(rng)
    return tree(rng, (15, 45) if place == "acute" else (55, 90))


# ---- lines out of the water -----------------------------------------------------------------------------------------


def waters(rivers: list[River], place: str, rng: np.random.Generator) -> dict[str, Any]:
    """Water of every reach; in ``lake`` some reaches widen to a lake."""
    out = {}
    for r in rivers:
        shape = r.line.buffer(r.half_m, cap_style="flat", quad_segs=16)
        ends = [
            shapely.Point(p).buffer(r.half_m, quad_segs=16)
            for p, free in ((r.line.coords[0], r.head), (r.line.coords[-1], r.outlet))
            if not free
        ]
        shape = shapely.union_all([shape, *ends])
        if place == "lake" and r.id in ("A03", "A06", "B04"):
            middle = r.line.interpolate(0.5, normalized=True)
            lake = shapely.affinity.rotate(
                shapely.affinity.scale(middle.buffer(1, quad_segs=24), rng.uniform(380, 520), rng.uniform(180, 300)),
                rng.uniform(-20, 20),
            )
            shape = shape.union(lake)
        out[r.id] = shape
    return out


def outlines(rivers: list[River], water: dict[str, Any], offset: dict[str, float]) -> list[tuple[str, str, Array]]:
    """(reach, bank, vertices downstream) of the outline of all water widened by the offset of its reach."""
    wide = {r.id: water[r.id].buffer(offset[r.id], quad_segs=16, cap_style="flat") for r in rivers}
    ends = [
        _beyond(r, p, q, 3 * (r.half_m + offset[r.id]))
        for r in rivers
        for p, q, free in ((0, 1, r.head), (-1, -2, r.outlet))
        if free
    ]
    region = shapely.union_all(list(wide.values())).difference(shapely.union_all(ends))
    ids, shapes = [r.id for r in rivers], np.array([water[r.id] for r in rivers], dtype=object)
    lines = {r.id: r.line for r in rivers}
    off = np.array([offset[i] for i in ids])
    out = []
    for polygon in shapely.get_parts(region):
        for ring in (polygon.exterior, *polygon.interiors):
            xy = shapely.get_coordinates(ring)
            middles = shapely.points((xy[1:] + xy[:-1]) / 2)
            out += _runs(xy, middles, ids, shapes, lines, off)
    return out


def _beyond(r: River, p: int, q: int, size: float) -> Any:
    """The ground beyond a free end of a reach."""
    xy = shapely.get_coordinates(r.line)
    u = (xy[p] - xy[q]) / np.hypot(*(xy[p] - xy[q]))
    return shapely.LineString([xy[p], xy[p] + size * u]).buffer(size, cap_style="flat")


def _runs(
    xy: Array, middles: Array, ids: list[str], shapes: Array, lines: dict[str, Any], off: Array
) -> Iterator[tuple[str, str, Array]]:
    away = shapely.distance(shapes[:, None], middles[None, :]) - off[:, None]
    near = away.argmin(axis=0)
    cap = away.min(axis=0) < -0.3
    side = np.array([_side(lines[ids[k]], m) for k, m in zip(near, middles, strict=True)])
    step = np.hypot(*np.diff(xy, axis=0).T)
    key = _calm(np.where(cap, -1, 2 * near + side), step)
    for run in _cut(key):
        if key[run[0]] < 0:
            continue
        piece = np.vstack([xy[run], xy[run[-1] + 1]])
        piece = piece[np.r_[True, np.hypot(*np.diff(piece, axis=0).T) > 0.05]]
        reach = ids[key[run[0]] // 2]
        s = shapely.line_locate_point(lines[reach], shapely.points(piece[[0, -1]]))
        yield reach, "R" if key[run[0]] % 2 else "L", piece if s[0] <= s[1] else piece[::-1]


def _cut(key: Array) -> list[Array]:
    """Runs of equal keys of a closed ring."""
    starts = np.flatnonzero(key != np.roll(key, 1))
    turned = np.roll(np.arange(len(key)), -(starts[0] if len(starts) else 0))
    return list(np.split(turned, np.flatnonzero(np.diff(key[turned]) != 0) + 1))


def _calm(key: Array, step: Array) -> Array:
    """Stretches of a few metres round a corner go to their longer neighbour."""
    key = key.copy()
    while len(runs := _cut(key)) > 2:
        lengths = np.array([step[r].sum() if key[r[0]] >= 0 else np.inf for r in runs])
        k = int(lengths.argmin())
        if lengths[k] > 45:
            break
        before, after = (k - 1) % len(runs), (k + 1) % len(runs)
        sizes = [step[runs[i]].sum() if key[runs[i][0]] >= 0 else 0 for i in (before, after)]
        key[runs[k]] = key[runs[before if sizes[0] >= sizes[1] else after][0]]
    return key


def _side(line: Any, point: Any) -> int:
    at = line.line_locate_point(point)
    a, b = (np.array(line.interpolate(max(min(at + d, line.length), 0)).coords[0]) for d in (-2, 2))
    t = np.array(point.coords[0]) - a
    return int((b - a)[0] * t[1] - (b - a)[1] * t[0] < 0)


def counties(place: str, rivers: list[River], rng: np.random.Generator) -> dict[str, Any]:
    west, south, east, north = shapely.total_bounds([r.line for r in rivers]) + np.array([-4000, -4000, 4000, 4000])
    frame = shapely.box(west, south, east, north)
    if place == "divided":
        trunk = np.vstack([shapely.get_coordinates(r.line) for r in rivers if r.id.startswith("A") and len(r.id) == 3])
        line = np.vstack([[west - 9, trunk[0, 1]], trunk, [east + 9, trunk[-1, 1]]])
        a, b = sorted(shapely.get_parts(shapely.ops.split(frame, shapely.LineString(line))), key=lambda p: p.centroid.y)
        return {"A": a, "B": b}
    cuts = [rng.uniform(0.3, 0.4), rng.uniform(0.6, 0.7)] if place == "three" else [rng.uniform(0.4, 0.6)]
    lean = rng.uniform(-0.05, 0.05) * (east - west)
    out, left = {}, frame
    for name, c in zip("AB", cuts, strict=False):
        x = west + c * (east - west)
        part = shapely.Polygon(
            [(west - 9, south - 9), (x - lean, south - 9), (x + lean, north + 9), (west - 9, north + 9)]
        )
        out[name], left = left.intersection(part), left.difference(part)
    out["BC"[len(cuts) - 1]] = left
    return out


# ---- a county -------------------------------------------------------------------------------------------------------


class Made:
    """A county of lines as it should be, and what has been planted in it."""

    def __init__(self, place: str, seed: int) -> None:
        self.place, self.cfg = place, PLACES[place]
        self.rng = rng = np.random.default_rng(seed)
        self.rivers = network(place, rng)
        self.by = {r.id: r for r in self.rivers}
        self.table = [
            [12, round(rng.uniform(4, 9))],
            [60, round(rng.uniform(10, 18))],
            [9999, round(rng.uniform(20, 40))],
        ]
        # rivers of one network have one offset where they meet: the outline has no step at a node
        self.offset = {r.id: next(o for w, o in self.table if round(2 * r.half_m, 1) <= w) for r in self.rivers}
        self.water = waters(self.rivers, place, rng)
        self.counties = counties(place, self.rivers, rng)
        self.lines = list(self._features(outlines(self.rivers, self.water, self.offset), MANAGEMENT, "bank_offset"))
        self.former = [(f.reach, f.bank, f.xy.copy()) for f in self.lines]
        self.areas = self._areas()
        self.stakes = self._stakes()
        if place == "types":
            wider = {k: v + 25 for k, v in self.offset.items()}
            self.lines += self._features(outlines(self.rivers, self.water, wider), PROTECTION, "protection")
        self.truth: list[dict[str, Any]] = []

    def _features(self, runs: list[tuple[str, str, Array]], kind: str, basis: str) -> Iterator[Feature]:
        for reach, bank, xy in runs:
            for county, piece in self._cut(xy):
                f = Feature(reach, bank, county, kind, piece)
                lo, hi = self._span(reach, piece)
                day = dt.date(2018, 1, 1) + dt.timedelta(int(self.rng.integers(0, 2000)))
                f.fields = {
                    "line_type": kind, "basis": basis, "announce_gov": f"{county}县人民政府", "announce_doc_no": f"{county}政〔2021〕{self.rng.integers(1, 90)}号",
                    "announce_date": day.strftime(str(self.rng.choice(self.cfg["dates"]))), "from_m": lo, "to_m": hi,
                }  # fmt: skip
                yield f

    def _span(self, reach: str, xy: Array) -> tuple[float, float]:
        s = shapely.line_locate_point(self.by[reach].line, shapely.points(xy[[0, -1]]))
        return round(float(s.min()), 2), round(float(s.max()), 2)

    def _cut(self, xy: Array) -> Iterator[tuple[str, Array]]:
        """Pieces of a line by county, in order."""
        line = shapely.LineString(xy)
        cuts = sorted(
            {
                0.0,
                line.length,
                *(
                    float(line.line_locate_point(p))
                    for c in self.counties.values()
                    for p in shapely.get_parts(line.intersection(c.boundary))
                    if p.geom_type == "Point"
                ),
            }
        )
        for a, b in itertools.pairwise(cuts):
            if b - a > 0.01:
                piece = substring(line, a, b)
                name = min(
                    self.counties, key=lambda c: self.counties[c].distance(piece.interpolate(0.5, normalized=True))
                )
                yield name, shapely.get_coordinates(piece)

    def _areas(self) -> list[tuple[str, str, Any]]:
        out = []
        for r in self.rivers:
            banks = {b: [f for f in self.lines if f.reach == r.id and f.bank == b] for b in "LR"}
            if not all(banks.values()):
                continue
            runs = [sorted(banks[b], key=lambda f: f.fields["from_m"]) for b in "LR"]
            if any(np.hypot(*(p.xy[-1] - q.xy[0])) > 0.1 for fs in runs for p, q in itertools.pairwise(fs)):
                continue  # a bank that a mouth interrupts
            left, right = (np.vstack([f.xy for f in fs]) for fs in runs)
            ring = shapely.Polygon(np.vstack([left, r.line.coords[-1], right[::-1], r.line.coords[0]]))
            if ring.is_valid and ring.covers(r.line):
                out += [
                    (r.id, c, p)
                    for c, g in self.counties.items()
                    if (p := ring.intersection(g)).area > 1 and p.geom_type == "Polygon"
                ]
        return out

    def _stakes(self) -> list[list[Any]]:
        out: list[list[Any]] = []
        for reach, bank in sorted({(f.reach, f.bank) for f in self.lines}):
            mine = sorted(
                (f for f in self.lines if (f.reach, f.bank) == (reach, bank)), key=lambda f: f.fields["from_m"]
            )
            lines = [shapely.LineString(f.xy) for f in mine]
            places = [line.interpolate(s) for line in lines for s in np.arange(8, line.length - 5, 95)]
            out += [[f"{reach}-{bank}-{n:03d}", reach, bank, p] for n, p in enumerate(places, 1)]
        return out

    # ---- defects ----------------------------------------------------------------------------------------------------

    def plant(self, each: int) -> None:
        """So many of each kind, at most one on a bank of a reach."""
        rng, used = self.rng, set()
        counted: dict[str, int] = {}
        for f in [self.lines[i] for i in rng.permutation(len(self.lines))]:
            r = self.by[f.reach]
            alone = [x for x in self.lines if (x.reach, x.bank) == (f.reach, f.bank) and x.kind == f.kind]
            length = shapely.LineString(f.xy).length
            if (f.reach, f.bank) in used or f.kind != MANAGEMENT or length < 420 or r.line.length < 700:
                continue
            code = next(
                (
                    c
                    for c in sorted(KINDS, key=lambda c: counted.get(c, 0))
                    if counted.get(c, 0) < each and self._fits(c, f, alone, used)
                ),
                None,
            )
            if code is None:
                continue
            used |= {(f.reach, b) for b in ("LR" if code == "bank_swapped" else f.bank)}
            if getattr(self, f"_{code}", self._word)(f, code) is not False:
                counted[code] = counted.get(code, 0) + 1

    def _fits(self, code: str, f: Feature, alone: list[Feature], used: set[tuple[str, str]]) -> bool:
        other = (f.reach, "LR"[f.bank == "L"])
        if code in ("missing_bank", "bank_swapped"):
            both = any((x.reach, x.bank) == other for x in self.lines)
            return len(alone) == 1 and other not in used and both and self.place != "types"
        return code not in ("offset_from_rule", "width_jump", "crosses_centreline") or self._clear(f)

    def _clear(self, f: Feature) -> bool:
        """Whether the rule of the middle of a line is that of its own reach alone."""
        middle = shapely.LineString(f.xy).interpolate(0.5, normalized=True)
        others = [i for i in self.by if i != f.reach]
        return bool(min(self.water[i].distance(middle) for i in others) > 3 * self.offset[f.reach] + 120)

    def note(self, f: Feature, code: str, at: Array, tolerance: float, features: list[Feature] | None = None) -> None:
        s = float(self.by[f.reach].line.line_locate_point(shapely.Point(at)))
        self.truth.append({"code": code, "reach_id": f.reach, "bank": f.bank, "from_m": round(s, 2), "to_m": round(s, 2), "xy": [float(v) for v in at],
                           "tolerance_m": tolerance, "whole": code in WHOLE, "named": features if features is not None else [f]})  # fmt: skip

    def _at(self, f: Feature, lo: float = 0.4, hi: float = 0.6) -> tuple[int, Array, Array, Array]:
        """A vertex in the middle of a line: position, place, way along, way outward."""
        line = shapely.LineString(f.xy)
        s = line.length * self.rng.uniform(lo, hi)
        k = int(np.clip(np.searchsorted(np.r_[0, np.cumsum(np.hypot(*np.diff(f.xy, axis=0).T))], s), 3, len(f.xy) - 5))
        t = (f.xy[k + 1] - f.xy[k]) / np.hypot(*(f.xy[k + 1] - f.xy[k]))
        n = np.array([-t[1], t[0]]) * (1 if f.bank == "L" else -1)
        return k, f.xy[k].copy(), t, n

    def _insert(self, f: Feature, k: int, points: list[Array]) -> None:
        f.xy = np.vstack([f.xy[: k + 1], points, f.xy[k + 1 :]])

    def _dangle(self, f: Feature, code: str) -> None:
        _, p, _, n = self._at(f)
        self.lines.append(
            stub := Feature(
                f.reach, f.bank, f.county, f.kind, np.vstack([p, p + self.rng.uniform(5, 22) * n]), dict(f.fields)
            )
        )
        self.note(f, code, p, 30, [f, stub])

    def _pseudo_node(self, f: Feature, code: str) -> None:
        k, p, _, _ = self._at(f)
        self._split(f, k, k)
        self.note(f, code, p, 30, [f, self.lines[-1]])

    def _gap_in_line(self, f: Feature, code: str) -> None:
        line = shapely.LineString(f.xy)
        a = line.length * 0.45
        b = a + self.rng.uniform(25, 90)
        parts = [shapely.get_coordinates(substring(line, *ab)) for ab in ((0, a), (b, line.length))]
        self.lines.append(rest := Feature(f.reach, f.bank, f.county, f.kind, parts[1], dict(f.fields)))
        f.xy = parts[0]
        f.fields["to_m"], rest.fields["from_m"] = self._span(f.reach, f.xy)[1], self._span(f.reach, rest.xy)[0]
        self.stakes = [
            s
            for s in self.stakes
            if shapely.LineString([parts[0][-1], parts[1][0]]).distance(s[3]) > 25 or s[1:3] != [f.reach, f.bank]
        ]
        self.note(f, code, line.interpolate((a + b) / 2).coords[0], (b - a) / 2 + 30, [f, rest])

    def _split(self, f: Feature, k: int, m: int) -> None:
        self.lines.append(rest := Feature(f.reach, f.bank, f.county, f.kind, f.xy[m:], dict(f.fields)))
        f.xy = f.xy[: k + 1]
        f.fields["to_m"], rest.fields["from_m"] = self._span(f.reach, f.xy)[1], self._span(f.reach, rest.xy)[0]

    def _self_crossing(self, f: Feature, code: str) -> None:
        k, p, t, n = self._at(f)
        z = self.rng.uniform(2, 6)
        self._insert(f, k, [p + z * (0.9 * t + 0.8 * n), p + z * (0.2 * t + n), p + z * (0.6 * t - 0.5 * n)])
        self.note(f, code, p, 30)

    def _spike(self, f: Feature, code: str) -> None:
        k, p, t, n = self._at(f)
        self._insert(f, k, [p + self.rng.uniform(7, 35) * n * self.rng.choice([-1, 1]) + 0.05 * t, p + 0.1 * t])
        self.note(f, code, p, 30)

    def _duplicate_vertex_run(self, f: Feature, code: str) -> None:
        k, p, _, _ = self._at(f)
        self._insert(f, k, [p + self.rng.uniform(-3e-4, 3e-4, 2) for _ in range(3)])
        self.note(f, code, p, 30)

    def _outlier_vertex(self, f: Feature, code: str) -> None:
        k, p, _, _ = self._at(f)
        a = self.rng.uniform(0, 6.28)
        f.xy[k] += self.rng.uniform(600, 3000) * np.array([np.cos(a), np.sin(a)])
        self.note(f, code, p, 5000)

    def _axis_swapped_part(self, f: Feature, code: str) -> None:
        k, p, _, _ = self._at(f)
        f.swap = (k, k + int(self.rng.integers(1, 4)))
        self.note(f, code, p, 5000)

    def _duplicate_line(self, f: Feature, code: str) -> None:
        line = shapely.LineString(f.xy)
        a, b = (0, 1) if self.rng.random() < 0.5 else (0.35, 0.6)
        xy = shapely.get_coordinates(substring(line, a, b, normalized=True))
        self.lines.append(
            copy := Feature(
                f.reach, f.bank, f.county, f.kind, xy + self.rng.uniform(-0.004, 0.004, xy.shape), dict(f.fields)
            )
        )
        copy.fields["from_m"], copy.fields["to_m"] = self._span(f.reach, xy)
        self.note(f, code, line.interpolate((a + b) / 2, normalized=True).coords[0], line.length, [f, copy])

    def _lateral(self, f: Feature, code: str, metres: float, abrupt: bool) -> None:
        """The line pushed outward (or in, negative) over 120 to 200 m; stakes go with it."""
        line = shapely.LineString(shapely.segmentize(shapely.LineString(f.xy), 10).coords)
        s = shapely.line_locate_point(line, shapely.points(line.coords))
        a = line.length / 2 - self.rng.uniform(60, 100)
        b = line.length - a
        x = np.clip(np.minimum((s - a) / 40 + 1, (b - s) / 40 + 1), 0, 1)
        w = ((s > a) & (s < b)).astype(float) if abrupt else x * x * (3 - 2 * x)
        xy = shapely.get_coordinates(line)
        ahead = np.gradient(xy, axis=0)
        ahead /= np.hypot(*ahead.T)[:, None]
        out = np.column_stack([-ahead[:, 1], ahead[:, 0]]) * (1 if f.bank == "L" else -1)
        f.xy = xy + w[:, None] * metres * out
        moved = shapely.LineString(f.xy)
        for stake in self.stakes:
            if stake[1:3] == [f.reach, f.bank] and line.distance(stake[3]) < 0.01:
                stake[3] = moved.interpolate(moved.line_locate_point(stake[3]))
        self.note(f, code, f.xy[int(np.argmin(abs(s - line.length / 2)))], (b - a) / 2 + 60)

    def _offset_from_rule(self, f: Feature, code: str) -> None:
        self._lateral(f, code, self.rng.uniform(3, 9) * self.cfg["tolerance"], False)

    def _width_jump(self, f: Feature, code: str) -> None:
        self._lateral(f, code, float(np.clip(0.7 * (self.by[f.reach].half_m + self.offset[f.reach]), 14, 60)), True)

    def _crosses_centreline(self, f: Feature, code: str) -> None:
        self._lateral(f, code, -1.35 * (self.by[f.reach].half_m + self.offset[f.reach]), False)

    def _missing_bank(self, f: Feature, code: str) -> None:
        self.lines.remove(f)
        self.stakes = [s for s in self.stakes if s[1:3] != [f.reach, f.bank]]
        self.note(f, code, shapely.LineString(f.xy).interpolate(0.5, normalized=True).coords[0], 5000, [])

    def _bank_swapped(self, f: Feature, code: str) -> None:
        mine = [x for x in self.lines if x.reach == f.reach]
        for x in mine:
            x.bank = "LR"[x.bank == "L"]
        self.note(f, code, self.by[f.reach].line.interpolate(0.5, normalized=True).coords[0], 5000, mine)

    def _order_reversed(self, f: Feature, code: str) -> None:
        f.xy = f.xy[::-1]
        self._word(f, code)

    def _word(self, f: Feature, code: str) -> None:
        rng = self.rng
        wrong = {
            "missing_announcement": {str(rng.choice(["announce_gov", "announce_doc_no", "announce_date"])): None},
            "bad_date": {"announce_date": str(rng.choice(["2031-04-01", "2023-02-30", "1900-01-01", "待定", "20221308"]))},
            "bad_chainage": {"from_m": f.fields["to_m"], "to_m": f.fields["from_m"]} if rng.random() < 0.5 else {"to_m": round(f.fields["to_m"] * 10, 2)},
            "bad_code": [{"line_type": "管理界"}, {"basis": "岸线"}][int(rng.integers(2))],
        }  # fmt: skip
        f.fields.update(wrong.get(code, {}))
        self.note(f, code, shapely.LineString(f.xy).interpolate(0.5, normalized=True).coords[0], 5000)

    def _stake_off_line(self, f: Feature, code: str) -> bool:
        mine = [
            s for s in self.stakes if s[1:3] == [f.reach, f.bank] and shapely.LineString(f.xy).distance(s[3]) < 0.01
        ]
        if len(mine) < 3:
            return False
        s = mine[len(mine) // 2]
        self.note(f, code, s[3].coords[0], 40, [])
        s[3] = shapely.affinity.translate(s[3], *(self.rng.choice([-1, 1], 2) * self.rng.uniform(1.5, 4)))
        return True

    def _shrunk_against_former(self, f: Feature, code: str) -> None:
        """The former line lay farther out than the new one."""
        whole = next(
            k
            for k, x in enumerate(self.former)
            if x[:2] == (f.reach, f.bank) and shapely.LineString(x[2]).distance(shapely.LineString(f.xy)) < 0.01
        )
        twin = Feature(f.reach, f.bank, f.county, f.kind, self.former[whole][2])
        stakes, self.stakes = self.stakes, []
        self._lateral(twin, code, self.rng.uniform(4, 9), False)
        self.truth[-1]["named"], self.stakes = [f], stakes
        self.former[whole] = (f.reach, f.bank, twin.xy)

    # ---- files ------------------------------------------------------------------------------------------------------

    def write(self, out: Path, seed: int) -> None:
        out.mkdir(parents=True, exist_ok=True)
        for old in out.glob("*.gpkg"):
            old.unlink()
        for k, f in enumerate(self.lines):
            f.fields["line_id"] = f"{f.county}{k:05d}"
        degrees = self._degrees()
        first, second = self.cfg["crs"]
        homes = dict.fromkeys(self.counties, first) | {"B": second}
        to_degrees, plain = degrees
        for k, system in enumerate(dict.fromkeys(homes.values())):
            mine = [c for c, s in homes.items() if s == system]
            name = "boundaries.gpkg" if k == 0 else "boundaries_B.gpkg"
            lines = [
                (
                    {"reach_id": f.reach, "bank": f.bank, "county": f.county, **f.fields, "swap": f.swap},
                    shapely.LineString(f.xy),
                )
                for f in self.lines
                if f.county in mine
            ]
            self._layer(out / name, "lines", lines, to_degrees, plain, system)
            self._layer(
                out / name,
                "areas",
                [
                    ({"area_id": f"P{i:04d}", "reach_id": r, "county": c}, g)
                    for i, (r, c, g) in enumerate(self.areas)
                    if c in mine
                ],
                to_degrees,
                plain,
                system,
            )
        reaches = [
            (
                {
                    "reach_id": r.id,
                    "down_reach": r.down,
                    "kind": "reach",
                    "width_m": round(2 * r.half_m, 1),
                    "length_m": round(r.line.length, 2),
                    "map_border": r.head or r.outlet,
                },
                r.line,
            )
            for r in self.rivers
        ]
        self._layer(out / "reaches.gpkg", "reaches", reaches, to_degrees, plain, plain)
        self._layer(
            out / "water.gpkg", "water", [({"reach_id": k}, g) for k, g in self.water.items()], to_degrees, plain, plain
        )
        self._layer(
            out / "former.gpkg",
            "lines",
            [
                ({"line_id": f"F{i}", "reach_id": r, "bank": b}, shapely.LineString(xy))
                for i, (r, b, xy) in enumerate(self.former)
            ],
            to_degrees,
            plain,
            plain,
        )
        self._layer(
            out / "stakes.gpkg",
            "stakes",
            [({"stake_no": s[0], "reach_id": s[1], "bank": s[2]}, s[3]) for s in self.stakes],
            to_degrees,
            plain,
            plain,
        )
        self._layer(
            out / "counties.gpkg",
            "counties",
            [({"county": c, "name": c + "县"}, g) for c, g in self.counties.items()],
            to_degrees,
            plain,
            plain,
        )
        self._params(out)
        self._truth(out, to_degrees, seed)

    def _degrees(self) -> tuple[Any, str]:
        """The way from the drawing board to degrees, and the system of those."""
        lon, lat = self.cfg["centre"]
        plain = "EPSG:4326" if self.place == "methow" else "EPSG:4490"
        local = f"+proj=tmerc +lat_0={lat} +lon_0={lon} +k=1 +ellps=GRS80 +units=m"
        turn = np.radians(self.cfg["turn"])
        spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        middle = np.array(shapely.union_all([r.line for r in self.rivers]).centroid.coords[0])
        move = Transformer.from_crs(local, plain, always_xy=True)
        return lambda xy: np.column_stack(move.transform(*((xy - middle) @ spin).T)), plain

    def _layer(
        self, path: Path, layer: str, rows: list[tuple[dict[str, Any], Any]], to_degrees: Any, plain: str, system: str
    ) -> None:
        frame = gpd.GeoDataFrame(
            [r[0] for r in rows], geometry=[shapely.transform(r[1], to_degrees) for r in rows], crs=plain
        ).to_crs(system)
        if "swap" in frame:
            shapes = frame.geometry.to_numpy().copy()
            for k, swap in enumerate([r[0]["swap"] for r in rows]):
                if swap is not None:
                    xy = shapely.get_coordinates(shapes[k])
                    xy[swap[0] : swap[1]] = xy[swap[0] : swap[1], ::-1]
                    shapes[k] = shapely.LineString(xy)
            frame = frame.drop(columns="swap").set_geometry(gpd.GeoSeries(shapes, crs=system))
        frame.to_file(path, layer=layer, driver="GPKG", engine="pyogrio")

    def _params(self, out: Path) -> None:
        t = self.cfg["tolerance"]
        params = {
            "bank_offset_m": self.table, "rule_tolerance_m": t, "shrink_tolerance_m": t, "stake_tolerance_m": 0.5, "seam_tolerance_m": 0.5, "snap_m": 0.05,
            "date_formats": self.cfg["dates"], "today": "2026-01-01", "stake_max_spacing_m": 150, "no_rule_check_within_m": {"reach_end": 180, "levee_end": 90},
            "basis": ["bank_offset", "protection"], "rule_basis": ["bank_offset"], "line_type": [MANAGEMENT, PROTECTION], "bank": ["L", "R"],
        }  # fmt: skip
        (out / "params.json").write_text(json.dumps(params, ensure_ascii=False, indent=1), encoding="utf-8")

    def _truth(self, out: Path, to_degrees: Any, seed: int) -> None:
        for k, d in enumerate(self.truth):
            lon, lat = to_degrees(np.array([d.pop("xy")]))[0]
            d.update(
                defect_id=f"T{k:04d}",
                lon=float(lon),
                lat=float(lat),
                features=[f.fields["line_id"] for f in d.pop("named")],
            )
        banks = len({(f.reach, f.bank) for f in self.lines})
        told = {
            "flavour": self.place,
            "seed": seed,
            "reach_banks": banks,
            "clean_reach_banks": banks - len(self.truth),
            "defects": self.truth,
            "lookalikes": [],
        }
        (out / "truth.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("out", type=Path)
    asked.add_argument("--flavour", "--place", choices=sorted(PLACES), default="acute")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--clean", action="store_true")
    asked.add_argument("--each", type=int, default=3, help="defects of each kind")
    args = asked.parse_args()
    made = Made(args.flavour, args.seed)
    if not args.clean:
        made.plant(args.each)
    made.write(args.out, args.seed)
    print(len(made.rivers), "reaches", len(made.lines), "lines", len(made.truth), "defects")


if __name__ == "__main__":
    main()
