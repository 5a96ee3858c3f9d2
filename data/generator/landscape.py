"""The ground below the planted objects, the same at every date: relief, parcels, woods, roads, houses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree
from shapely.geometry import LineString, Point, Polygon

from .axes import System
from .boundary import Boundary
from .canvas import Canvas
from .frame import ORIGIN, metric_xy, stream
from .object_plan import HAMLETS
from .objects import Objects, rectangle
from .rivers import Waters
from .terrain import Terrain

WEST, SOUTH, WIDTH_M, HEIGHT_M = 4900.0, 3700.0, 3200.0, 2400.0
FINE_M = 2.0
ROOFS = ("roof_grey", "roof_red", "roof_dark", "roof_blue", "roof_white")
ROAD_N = (252.0, -238.0)
"""The two roads along the valley: metres left of the trunk's axis."""


@dataclass
class Ground:
    """The parts of the county that the painter needs."""

    seed: int
    system: System
    waters: Waters
    lines: Boundary
    objects: Objects
    terrain: Terrain


@dataclass
class Landscape:
    relief: np.ndarray
    trunk_n: np.ndarray
    """Signed distance from the trunk's axis (left positive)."""
    parcel: np.ndarray
    rim: np.ndarray
    wild: np.ndarray
    """How wooded: above 0.9 forest, above 0.55 groves."""
    roads: list[LineString]
    lanes: list[LineString]
    houses: list[Polygon]
    roofs: list[str]
    crowns: list[Polygon]


def new_canvas() -> Canvas:
    return Canvas(WEST, SOUTH, WIDTH_M, HEIGHT_M, FINE_M)


def window() -> Polygon:
    corner = metric_xy(np.array([WEST, SOUTH]))
    return shapely.box(*corner, corner[0] + WIDTH_M, corner[1] + HEIGHT_M)


def build(ground: Ground) -> Landscape:
    canvas = new_canvas()
    rng = stream(ground.seed, "landscape")
    relief = _relief(ground, canvas)
    parcel, rim = _parcels(rng, canvas)
    hills = np.clip((relief - 272) / 11, -1.6, 1.3)
    wild = hills + canvas.noise(rng, 75.0) * 0.75 + canvas.noise(rng, 30.0) * 0.35 + canvas.noise(rng, 9.0) * 0.14
    roads, lanes = _roads(ground)
    houses, roofs = _houses(ground, rng)
    return Landscape(relief, _trunk_offset(ground, canvas), parcel, rim, wild, roads, lanes, houses, roofs,
                     _crowns(rng, houses))  # fmt: skip


def hillshade(relief: np.ndarray) -> np.ndarray:
    """Brightness of slopes, the sun in the south-east."""
    down, east = np.gradient(relief, FINE_M)
    return np.clip(1 + 1.1 * (0.42 * -east + 0.58 * -down) * -1, 0.6, 1.3)


def _relief(ground: Ground, canvas: Canvas) -> np.ndarray:
    col, row = ~ground.terrain.transform * (canvas.xy[..., 0], canvas.xy[..., 1])
    return gaussian_filter(map_coordinates(ground.terrain.z, [row - 0.5, col - 0.5], order=1, mode="nearest"), 4)


def _trunk_offset(ground: Ground, canvas: Canvas) -> np.ndarray:
    trunk = ground.system.axes["YXH"]
    s = np.arange(0, trunk.length_m, 3.0)
    at = trunk.at(s)
    left = trunk.at(s, 1.0) - at
    flat = canvas.xy.reshape(-1, 2)
    d, i = cKDTree(at).query(flat, distance_upper_bound=160.0)
    known = np.isfinite(d)
    out = np.full(len(flat), 999.0)
    side = np.sign(((flat[known] - at[i[known]]) * left[i[known]]).sum(axis=1))
    out[known] = d[known] * side
    return out.reshape(canvas.shape)


def _parcels(rng: np.random.Generator, canvas: Canvas) -> tuple[np.ndarray, np.ndarray]:
    """Parcels of 20 by 50 m and more, lying differently from district to district, with ridges between them."""
    flat = canvas.xy.reshape(-1, 2) - ORIGIN
    seeds = np.column_stack([rng.uniform(WEST - 300, WEST + WIDTH_M + 300, 46),
                             rng.uniform(SOUTH - 300, SOUTH + HEIGHT_M + 300, 46)])  # fmt: skip
    turns, long = rng.uniform(0, np.pi, 46), rng.uniform(48, 80, 46)
    warp = np.column_stack([canvas.noise(rng, 60.0).ravel(), canvas.noise(rng, 60.0).ravel()]) * 9
    gap, district = cKDTree(seeds).query(flat + warp, k=2)
    district, edge = district[:, 0], (gap[:, 1] - gap[:, 0]) < 7
    c, s = np.cos(turns[district]), np.sin(turns[district])
    u = (flat[:, 0] * c + flat[:, 1] * s + warp[:, 0]) / long[district]
    v = (-flat[:, 0] * s + flat[:, 1] * c + warp[:, 1] * 0.6) / (0.42 * long[district])
    u = u + 0.5 * (np.floor(v) % 2) + 0.12 * np.sin(np.floor(v) * 2.4)
    key = (district * 4001 + np.floor(u).astype(int) % 97 * 41 + np.floor(v).astype(int) % 41) % 100_003
    _, parcel = np.unique(key, return_inverse=True)
    ends = np.abs(u - np.round(u)) * long[district] < 1.3
    sides = np.abs(v - np.round(v)) * 0.42 * long[district] < 1.1
    return parcel.reshape(canvas.shape), (ends | sides | edge).reshape(canvas.shape)


def _roads(ground: Ground) -> tuple[list[LineString], list[LineString]]:
    trunk = ground.system.axes["YXH"]
    s = np.arange(trunk.chainage_at_east(WEST - 100), trunk.chainage_at_east(WEST + WIDTH_M + 100), 25.0)
    along = [LineString(trunk.at(s, n)) for n in ROAD_N]
    at_bridge = trunk.chainage_at_east(6480.0)
    across = LineString(trunk.at(np.full(2, at_bridge), np.array(ROAD_N)))
    lanes = []
    for (x, y), _ in HAMLETS:
        home = Point(metric_xy(np.array([x, y])))
        road = min(along, key=home.distance)
        if home.distance(window()) < 200:
            lanes.append(LineString([home, road.interpolate(road.project(home))]))
    return [*along, across], lanes


def _houses(ground: Ground, rng: np.random.Generator) -> tuple[list[Polygon], list[str]]:
    """The houses of the feeds and many more behind the levees."""
    houses = [s for k, s in ground.objects.shapes.items() if k.startswith("hamlet") and s.intersects(window())]
    lines = shapely.union_all(list(ground.lines.areas.values())).buffer(8)
    taken = shapely.union_all([lines, *(h.buffer(3) for h in houses)])
    for (x, y), count in HAMLETS:
        turn, spread = rng.uniform(0, np.pi), 95.0 if count > 10 else 46.0
        for _ in range(count * (9 if count > 10 else 4)):
            centre = metric_xy(np.array([x, y])) + rng.normal(0, spread, 2)
            quarter = turn + (np.pi / 2) * int(rng.integers(0, 2))
            house = rectangle(centre, rng.uniform(9, 24), rng.uniform(8, 13), quarter)
            if not house.intersects(taken) and house.within(window()):
                houses.append(house)
                taken = shapely.union(taken, house.buffer(2.5))
    return houses, [str(r) for r in rng.choice(ROOFS, size=len(houses), p=[0.42, 0.2, 0.18, 0.1, 0.1])]


def _crowns(rng: np.random.Generator, houses: list[Polygon]) -> list[Polygon]:
    """Trees round the houses."""
    crowns = []
    for house in houses:
        for _ in range(int(rng.integers(0, 4))):
            angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(10, 22)
            centre = Point(house.centroid.x + far * np.cos(angle), house.centroid.y + far * np.sin(angle))
            crowns.append(centre.buffer(rng.uniform(2, 5)))
    return crowns
