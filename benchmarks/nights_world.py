"""A made-up district of several counties, night by night: what laws, chaos and benchmarks of the night are run on.

No question of its own. Rivers flow east across all counties, whose borders cut them at right angles; one more river runs along
the first border, one bank in each county. Every reach has a delimitation of its own, so that lines meet at the borders; some are
lines without an area, some are drafts, and one in four is redrawn narrower on a night. Feeds deliver by their cadence and skip
some: patches and land use as complete pictures, buildings once a month, a hotline one point at a time. Objects are born, grow,
are cleaned away and come back; some lie across a border, of these some are delivered in two pieces cut along it. Permits begin
and end. The same seed and size make the same world whatever night is asked first.

          county 0        |      county 1        |      county 2
  ~~~~~~~~~[]~~~~~~~~~~~~[+]~~~~~~~~~~~~~~~~~~~~[+]~~~~~~~[]~~~~~   river 1
                          |  border river        |
  ~~~~~~~~~~~~~~~[]~~~~~~[+]~~~~~~~[]~~~~~~~~~~~~|~~~~~~~~~~~~~~~   river 0
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis import layers
from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.encroachment import store
from rivergis.jobs.layer_import import DOORS

Floats = npt.NDArray[np.float64]
ZONE, EAST, NORTH = 4544, 500_000.0, 3_250_000.0
REACH_M, BAND_M, HALF_M = 2_000.0, 2_000.0, 100.0
NAMESPACE, ACTOR = "world", "world"
SPACE = uuid.UUID("0d9f4a52-6f0e-5d0a-9a56-5d1b5f6a4490")
# feed -> share of the objects, cadence in nights, kind of source, kinds it tells
FEEDS: dict[str, tuple[float, int, str, tuple[str, ...]]] = {
    "patches": (0.45, 3, "remote_sensing", ("dump", "quarry", "occupation")),
    "landuse": (0.25, 7, "landuse", ("occupation", "building")),
    "footprints": (0.2, 30, "footprint", ("building",)),
    "hotline": (0.1, 1, "inspector", ("dump",)),
}
SKIPPED = 0.1  # deliveries that a feed skips
NEVER = 100_000


@dataclass(frozen=True)
class Delivery:
    """What a feed delivers for a night; frame in EPSG:4490."""

    feed: str
    complete: bool
    frame: gpd.GeoDataFrame


@dataclass(frozen=True)
class World:
    """How large the district is and how restless; ``reaches`` are those of one river in one county."""

    seed: int = 1
    counties: int = 3
    rivers: int = 2
    reaches: int = 2
    candidates: int = 120
    nights: int = 12
    vertices: int = 40
    changed: float = 0.05
    """Share of its objects that a feed draws otherwise than in its delivery before."""
    missed: float = 0.03
    """Share of the objects that a picture does not show though they stand."""
    near: float = 0.7
    """Share of the objects that stand within 130 m of a river."""
    start: date = date(2026, 3, 1)
    cadence: bool = True
    """False: every feed delivers every night."""

    def day(self, n: int) -> date:
        return self.start + timedelta(days=n)

    def rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *stream])

    @property
    def county_m(self) -> float:
        return self.reaches * REACH_M

    @property
    def length_m(self) -> float:
        return self.counties * self.county_m

    @property
    def height_m(self) -> float:
        return self.rivers * BAND_M

    @property
    def districts(self) -> list[str]:
        return [str(500_101 + c) for c in range(self.counties)]

    @property
    def cuts(self) -> list[tuple[str, float, float]]:
        """River, and from where to where along it, of every delimitation; the border river comes last."""
        along = [(f"R{r}", k * REACH_M) for r in range(self.rivers) for k in range(self.counties * self.reaches)]
        border = [("RB", k * REACH_M) for k in range(max(1, int(self.height_m // REACH_M)))] * (self.counties > 1)
        return [(river, a, a + REACH_M) for river, a in along + border]

    def at(self, river: str, along: npt.ArrayLike, off: npt.ArrayLike) -> Floats:
        """Places so far along a river and so far to its left, metres."""
        along, off = np.broadcast_arrays(np.asarray(along, float), np.asarray(off, float))
        if river == "RB":  # flows south on the first border
            return np.column_stack([EAST + self.county_m + off, NORTH + self.height_m - along])
        r = int(river[1:])
        wave, phase = 2 * np.pi / (3_000 + 700 * (r % 5)), r * 1.7 + self.seed
        rise, slope = 120 * np.sin(wave * along + phase), 120 * wave * np.cos(wave * along + phase)
        lean, y = np.hypot(1.0, slope), NORTH + (r + 0.5) * BAND_M
        return np.column_stack([EAST + along - off * slope / lean, y + rise + off / lean])

    def bank(self, river: str, a: float, b: float, side: float, half_m: float) -> shapely.LineString:
        steps = max(2, self.vertices // 2)
        along = np.linspace(a, b, steps)
        rough = 6 * np.sin(along / 37.0) * np.sin(along / 211.0 + side)
        rough[[0, -1]] = 0.0
        return shapely.LineString(self.at(river, along, side * (half_m + rough)))

    @cached_property
    def objects(self) -> pd.DataFrame:
        """Everything that ever stands there: where, how large, told by whom, and from which night to which."""
        rng, n = self.rng(1), self.candidates
        names = [*(f"R{r}" for r in range(self.rivers)), *(["RB"] * (self.counties > 1))]
        weight = np.array([self.height_m if x == "RB" else self.length_m for x in names])
        river = rng.choice(np.array(names), n, p=weight / weight.sum())
        long = np.where(river == "RB", self.height_m, self.length_m)
        along = rng.uniform(0.01, 0.99, n) * long
        off = np.where(rng.random(n) < self.near, rng.uniform(-130, 130, n), rng.uniform(200, 800, n))
        feed = rng.choice(list(FEEDS), n, p=[f[0] for f in FEEDS.values()])
        width, height = rng.uniform(8, 45, n), rng.uniform(6, 25, n)
        straddles = (rng.random(n) < 0.1) & (self.counties > 1) & (feed != "hotline")
        border = rng.integers(1, max(2, self.counties), n) * self.county_m + rng.uniform(-4, 4, n)
        along = np.where(straddles & (river != "RB"), border, along)
        off = np.where(straddles, np.where(river == "RB", rng.uniform(-4, 4, n), rng.uniform(-80, 80, n)), off)
        born = np.where(rng.random(n) < 0.8, 0, rng.integers(0, max(2, self.nights), n))
        stays = rng.random(n) < 0.75
        gone = np.where(stays, NEVER, born + rng.integers(1, max(3, self.nights), n))
        again = np.where(rng.random(n) < 0.3, gone + rng.integers(10, 25, n), NEVER)
        return pd.DataFrame({
            "code": [f"C{i:06d}" for i in range(n)], "river": river, "along": along, "off": off, "width": width, "height": height,
            "turn": rng.uniform(0, np.pi, n), "feed": feed, "kind": [FEEDS[f][3][int(k * len(FEEDS[f][3]))] for f, k in zip(feed, rng.random(n), strict=True)],
            "born": born, "gone": gone, "again": again, "cut": straddles & (feed == "landuse"), "grows": rng.random(n) < 0.05,
        })  # fmt: skip

    # ---- the registers ---------------------------------------------------------------------------------------

    def registers(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Layers in the order in which they can be brought in."""
        yield "admin_unit", self._units()
        rivers = dict.fromkeys(river for river, _, _ in self.cuts)
        yield "river", pd.DataFrame([{"code": r, "name": f"{r}河", "kind": "river"} for r in rivers])
        axes = [self._axis(r) for r in rivers]
        yield "axis", _metric([{"code": r, "river_code": r} for r in rivers], axes)
        reaches = [
            {"code": f"{r}-{int(a)}", "river_code": r, "kind": "river", "from_m": a, "to_m": b} for r, a, b in self.cuts
        ]
        yield "reach", _metric(reaches, [self._piece(r, a, b) for r, a, b in self.cuts])
        chiefs = [{"code": r, "name": f"{r}河长", "level": "county", "title": "县级河长"} for r in rivers]
        yield "chief", pd.DataFrame(chiefs)
        duties = [
            {"code": r, "chief_code": r, "river_code": r, "level": "county", "from_m": 0.0, "to_m": self._long(r)}
            for r in rivers
        ]
        yield "duty", pd.DataFrame(duties)
        yield from self.delimitation(range(len(self.cuts)))
        yield "source_zone", self._zone()
        yield "outfall", self._outfalls()
        yield "permit", self._permits()

    def _units(self) -> gpd.GeoDataFrame:
        said, shapes = [], []
        rows = max(1, round(self.height_m / 8_000))
        high = (self.height_m + 2_000) / rows
        for c, code in enumerate(self.districts):
            x, y = EAST + c * self.county_m, NORTH - 1_000
            said.append({"code": code, "name": f"第{c}县", "level": "county"})
            shapes.append(shapely.box(x, y, x + self.county_m, y + rows * high))
            for r in range(rows):
                town = f"{code}{100 + r}"
                said.append({"code": town, "name": f"第{c}县{r}镇", "level": "town"})
                shapes.append(shapely.box(x, y + r * high, x + self.county_m, y + (r + 1) * high))
                for half in range(2):
                    said.append({"code": f"{town}{200 + half}", "name": f"第{c}县{r}镇{half}村", "level": "village"})
                    x1 = x + half * self.county_m / 2
                    shapes.append(shapely.box(x1, y + r * high, x1 + self.county_m / 2, y + (r + 1) * high))
        return _metric(said, [shapely.MultiPolygon([s]) for s in shapes])

    def _long(self, river: str) -> float:
        return max(b for r, _, b in self.cuts if r == river)

    def _axis(self, river: str) -> shapely.LineString:
        return self._piece(river, 0.0, self._long(river))

    def _piece(self, river: str, a: float, b: float) -> shapely.LineString:
        return shapely.LineString(self.at(river, np.arange(a, b + 1, 50.0), 0.0))

    def delimitation(
        self, which: Any, half_m: float = HALF_M, valid_from: date | None = None
    ) -> Iterator[tuple[str, pd.DataFrame]]:
        """Lines of the two banks, and areas of all but every sixth, of some reaches."""
        lines, areas, banks, grounds = [], [], [], []
        for k in which:
            river, a, b = self.cuts[k]
            act = {
                "version_code": f"V{k}", "river_code": river, "basis": "draft" if k % 7 == 3 else "announced",
                "announce_gov": "第一县人民政府", "announce_doc_no": f"府发{k}-{half_m:g}-{valid_from}号", "announced_on": date(2020, 6, 1),
                "xy_error_m": 0.5, "survey_scale": 2000, "valid_from": valid_from,
            }  # fmt: skip
            left, right = (self.bank(river, a, b, side, half_m) for side in (1.0, -1.0))
            lines += [act | {"code": f"V{k}-{bank}", "bank": bank} for bank in ("left", "right")]
            banks += [left, right]
            if k % 6 != 5:
                areas.append({"code": f"V{k}A", "version_code": f"V{k}", "valid_from": valid_from})
                ring = np.vstack([shapely.get_coordinates(left), shapely.get_coordinates(right)[::-1]])
                grounds.append(shapely.MultiPolygon([shapely.Polygon(ring)]))
        yield "boundary_line", _metric(lines, banks)
        yield "boundary_area", _metric(areas, grounds)

    @property
    def redrawn(self) -> dict[int, list[int]]:
        """Night -> delimitations that are drawn narrower from that day on."""
        out: dict[int, list[int]] = {}
        for k in range(0, len(self.cuts), 4):
            out.setdefault(max(1, self.nights // 3 + k % max(1, self.nights // 3)), []).append(k)
        return out

    def _zone(self) -> gpd.GeoDataFrame:
        river, a, b = self.cuts[0]
        ring = np.vstack([self.at(river, [a + 100, b - 100], 150.0), self.at(river, [b - 100, a + 100], -150.0)])
        said = [{"code": "Z1", "name": "水源地一级保护区", "zone_class": 1, "part": "whole", "basis": "announced"}]
        return _metric(said, [shapely.MultiPolygon([shapely.Polygon(ring)])])

    def _outfalls(self) -> gpd.GeoDataFrame:
        """Outfalls at the bank, every third far off the river it names; the first stands in the zone, the last on a border."""
        rng = self.rng(2)
        said, shapes = [], []
        for n, (river, a, b) in enumerate(self.cuts[:: max(1, len(self.cuts) // 8)]):
            off = 900.0 if n % 3 == 2 else 20.0
            said.append({"code": f"O{n}", "name": f"排口{n}", "river_code": river})
            shapes.append(shapely.Point(self.at(river, a + rng.uniform(0.2, 0.8) * (b - a), off)[0]))
        said.append({"code": "OB", "name": "界上排口", "river_code": "R0"})
        shapes.append(shapely.Point(self.at("R0", self.county_m, 20.0)[0]))
        return _metric(said, shapes)

    def _permits(self) -> gpd.GeoDataFrame:
        """Permits for a time over every eighth object, as polygons; a stretch without a place beside."""
        o = self.objects.iloc[::8]
        rng = self.rng(3)
        said, shapes = [], []
        for i, row in enumerate(o.itertuples()):
            begins = int(rng.integers(-30, max(2, self.nights)))
            ends = begins + int(rng.integers(2, max(4, self.nights)))
            said.append({
                "code": f"P{i}", "name": f"许可{i}", "kind": "temporary_use", "allows": row.kind, "position_kind": "polygon",
                "valid_from": self.day(begins), "valid_to": self.day(ends), "river_code": row.river,
            })  # fmt: skip
            place = shapely.Point(self.at(row.river, row.along, row.off)[0])
            shapes.append(shapely.MultiPolygon([shapely.box(*place.buffer(40).bounds)]))
        river, a, b = self.cuts[-1]
        said.append({
            "code": "PS", "name": "许可段", "kind": "permanent_work", "allows": "dump", "position_kind": "stretch",
            "river_code": river, "bank": "left", "from_m": a, "to_m": b,
        })  # fmt: skip
        return _metric(said, [*shapes, None])

    # ---- the nights ------------------------------------------------------------------------------------------

    def delivers(self, feed: str, n: int) -> bool:
        """Whether a feed delivers for the n-th night; all do for the first."""
        number, cadence = list(FEEDS).index(feed), FEEDS[feed][1]
        if n == 0 or not self.cadence:
            return True
        return (n + number) % cadence == 0 and self.rng(4, number, n).random() >= SKIPPED

    def deliveries(self, n: int) -> list[Delivery]:
        """What the feeds deliver for the n-th night."""
        out = []
        for feed in FEEDS:
            if not self.delivers(feed, n):
                continue
            here = self._standing(feed, n)
            if feed == "hotline":
                here = here[(here["born"] == n) | (here["again"] == n)]
                if here.empty:
                    continue
            out.append(Delivery(feed, feed != "hotline", self._drawn(feed, here)))
        return out

    def _standing(self, feed: str, n: int) -> pd.DataFrame:
        """Objects of a feed that a picture of the n-th night shows, as it draws them."""
        o, number = self.objects, list(FEEDS).index(feed)
        dx, dy, grown = np.zeros(len(o)), np.zeros(len(o)), np.zeros(len(o))
        for past in (m for m in range(n + 1) if self.delivers(feed, m)):
            rng = self.rng(5, number, past)
            drawn = rng.random(len(o)) < (1.0 if past == 0 else self.changed)
            dx[drawn], dy[drawn] = rng.normal(0, 0.6, drawn.sum()), rng.normal(0, 0.6, drawn.sum())
            grown += o["grows"] & (o["born"] <= past) & drawn
        there = (o["feed"] == feed) & (o["born"] <= n) & ((n < o["gone"]) | (n >= o["again"]))
        shown = self.rng(6, number, n).random(len(o)) >= (self.missed if n else 0.0)
        return o.assign(dx=dx, dy=dy, scale=1 + 0.06 * grown)[there & shown]

    def _drawn(self, feed: str, o: pd.DataFrame) -> gpd.GeoDataFrame:
        _, _, source, _ = FEEDS[feed]
        middle = np.zeros((len(o), 2))
        for river in sorted(set(o["river"])):
            mine = (o["river"] == river).to_numpy()
            middle[mine] = self.at(river, o["along"][mine].to_numpy(), o["off"][mine].to_numpy())
        middle += o[["dx", "dy"]].to_numpy()
        if feed == "hotline":
            return _candidates(o["code"], o["kind"], shapely.points(middle), source, 10.0)
        shapes = _boxes(middle, *(o[c].to_numpy() for c in ("width", "height", "turn", "scale")))
        codes, kinds, pieces = [], [], []
        for code, kind, cut, shape in zip(o["code"], o["kind"], o["cut"], shapes, strict=True):
            parts = self._in_counties(shape) if cut else [shape]
            codes += [code] if len(parts) == 1 else [f"{code}/{i}" for i in range(len(parts))]
            kinds += [kind] * len(parts)
            pieces += parts
        return _candidates(codes, kinds, np.array(pieces, object), source, None)

    def _in_counties(self, shape: shapely.Polygon) -> list[shapely.Polygon]:
        """A shape cut along the borders, as two offices deliver it."""
        xs = [EAST + c * self.county_m for c in range(self.counties + 1)]
        low, high = NORTH - 1e5, NORTH + 1e6
        parts = [shape.intersection(shapely.box(a, low, b, high)) for a, b in pairwise(xs)]
        return [p for p in parts if p.area > 0] or [shape]


def _boxes(middle: Floats, width: Floats, height: Floats, turn: Floats, scale: Floats) -> Any:
    corner = np.array([[-1, -1], [1, -1], [1, 1], [0.2, 1], [0.2, 0.4], [-1, 0.4]]) / 2
    xy = corner[None] * np.column_stack([width * scale, height * scale])[:, None, :]
    c, s = np.cos(turn)[:, None], np.sin(turn)[:, None]
    xy = np.stack([xy[..., 0] * c - xy[..., 1] * s, xy[..., 0] * s + xy[..., 1] * c], axis=-1)
    return shapely.polygons(xy + middle[:, None, :])


def _candidates(codes: Any, kinds: Any, shapes: Any, source: str, accuracy_m: float | None) -> gpd.GeoDataFrame:
    said = {"code": list(codes), "kind": list(kinds), "source_kind": source, "accuracy_m": accuracy_m}
    frame = _metric(pd.DataFrame(said, index=range(len(shapes))), list(shapes))
    return frame.assign(evidence=[{} for _ in range(len(frame))])


def _metric(said: Any, shapes: list[Any]) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(pd.DataFrame(said), geometry=shapes, crs=ZONE).rename_geometry("geom")
    return frame.to_crs(4490)


# ---- into a database -------------------------------------------------------------------------------------------


def put(db: Database, layer: str, frame: pd.DataFrame) -> None:
    """Rows of a layer by the door of its domain, as an import leaves them."""
    if frame.empty:
        return
    frame = frame.assign(source_feature=[str(i) for i in range(len(frame))])
    with db.write(ACTOR) as conn:
        saved = DOORS[layers.layer(layer).group](conn, layer, frame, namespace=NAMESPACE, import_id=None)
    assert not saved.set_aside, saved.set_aside[:2]


def deliver(db: Database, world: World, n: int, delivery: Delivery) -> None:
    """A delivery of a feed for the n-th night; the same one again changes nothing."""
    import_id = uuid.uuid5(SPACE, f"{world.seed}/{delivery.feed}/{n}")
    frame = delivery.frame.assign(source_feature="1")
    with db.write(ACTOR) as conn:
        store.save(
            conn, "candidate", frame, namespace=NAMESPACE, import_id=import_id, feed=delivery.feed, delivered_on=world.day(n),
            complete=delivery.complete,
        )  # fmt: skip
        system.record_import(
            conn, import_id=import_id, layer="candidate", file_name=f"{delivery.feed}-{n}.gpkg", file_sha256=import_id.hex,
            source_layer="x", profile="", options={}, source_crs="EPSG:4490", count_in=0, count_imported=0, count_unchanged=0,
            count_quarantined=0, count_skipped=0, report={},
        )  # fmt: skip


def load(db: Database, world: World) -> None:
    """Counties, rivers, lines, permits: everything that does not change from night to night."""
    for layer, frame in world.registers():
        put(db, layer, frame)


def bring(db: Database, world: World, n: int) -> int:
    """What comes in for the n-th night: deliveries and redrawn lines. Returns how many objects were delivered."""
    for layer, frame in world.delimitation(world.redrawn.get(n, []), HALF_M * 0.6, world.day(n)):
        put(db, layer, frame)
    count = 0
    for delivery in world.deliveries(n):
        deliver(db, world, n, delivery)
        count += len(delivery.frame)
    return count
