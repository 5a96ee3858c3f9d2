"""Small rivers with a known truth, and the ways in which a delivery spoils them: reversed, broken, doubled, looped, piped."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from tests.tiny import EAST, NORTH, ZONE

Random = np.random.Generator


@dataclass
class River:
    """Lines drawn downstream, each with a code; what the file says of them is spoilt apart from the truth."""

    lines: dict[str, shapely.LineString]
    covered: set[str]
    kinds: dict[str, str]

    def frame(self, given: list[tuple[str, shapely.LineString]]) -> gpd.GeoDataFrame:
        """Lines as ``build`` takes them, in degrees."""
        codes = [c for c, _ in given]
        return gpd.GeoDataFrame(
            {
                "source_fid": np.arange(len(given)),
                "kind": [self.kinds.get(c, "stream") for c in codes],
                "covered": [c in self.covered for c in codes],
                "level": [-1 if c in self.covered else 0 for c in codes],
                "name": None,
                "flow": 0,
                "src_code": codes,
            },
            geometry=[g for _, g in given],
            crs=ZONE,
        ).to_crs("EPSG:4490")


def grown(rng: Random, tips: int) -> River:
    """A tree of brooks grown upstream from an outlet; tributaries join at acute angles, lines wander a little."""
    lines: dict[str, shapely.LineString] = {}
    spot, heading = np.array([EAST, NORTH]), rng.uniform(0, 2 * np.pi)
    heads = [(spot, heading)]
    taken: list[shapely.LineString] = []
    while heads and len(lines) < 2 * tips:
        here, way = heads.pop(int(rng.integers(len(heads))))
        steps = int(rng.integers(2, 6))
        points = [here]
        for _ in range(steps):
            way += rng.normal(0, 0.15)
            points.append(points[-1] + rng.uniform(120, 300) * np.array([np.cos(way), np.sin(way)]))
        line = shapely.LineString(points)
        away = shapely.LineString(points[1:])
        if any(away.distance(t) < 60 for t in taken):
            continue
        lines[f"b{len(lines)}"] = line.reverse()
        taken.append(line)
        if rng.random() < 0.75:
            spread = rng.uniform(0.4, 0.9)
            heads += [(points[-1], way + spread * rng.uniform(0.2, 1)), (points[-1], way - spread)]
        elif rng.random() < 0.6:
            heads.append((points[-1], way))
    return River(lines, set(), {})


def with_arms(river: River, rng: Random, count: int) -> None:
    """Side arms beside some lines: they leave at its upper end and return at its lower end."""
    for code in list(river.lines)[:count]:
        points = shapely.get_coordinates(river.lines[code])
        along = points[-1] - points[0]
        aside = np.array([-along[1], along[0]]) / np.hypot(*along) * rng.choice([-35.0, 35.0])
        middle = points[1:-1] + aside if len(points) > 2 else (points[:1] + points[-1:]) / 2 + aside
        river.lines[f"arm_{code}"] = shapely.LineString([points[0], *middle, points[-1]])


def spoilt(river: River, rng: Random, reversed_share: float) -> list[tuple[str, shapely.LineString]]:
    """What is delivered: some lines reversed, some ends pulled back or run past, some lines twice, some in a pipe."""
    out: list[tuple[str, shapely.LineString]] = []
    for code, line in river.lines.items():
        points = shapely.get_coordinates(line)
        if rng.random() < 0.08:
            step = points[-1] - points[-2]
            points = points.copy()
            points[-1] -= step / np.hypot(*step) * rng.uniform(-8, 8)
        if rng.random() < 0.05:
            river.covered.add(code)
        made = shapely.LineString(points)
        out.append((code, made.reverse() if rng.random() < reversed_share else made))
        if rng.random() < 0.04:
            out.append((code, made.reverse() if rng.random() < 0.5 else made))
    order = rng.permutation(len(out))
    return [out[i] for i in order]


def wrong_way(river: River, reaches: gpd.GeoDataFrame) -> pd.Series:
    """Whether each reach runs against the truth; False for what the build made itself."""
    metric = reaches.to_crs(ZONE)
    out = []
    for code, line in zip(reaches["src_code"], metric.geometry, strict=True):
        if pd.isna(code):
            out.append(False)
            continue
        true = river.lines[code]
        first, last = (true.project(shapely.Point(line.coords[i])) for i in (0, -1))
        out.append(first > last)
    return pd.Series(out, index=reaches.index)
