r"""A made-up county: four winding rivers and an outline, so that a layer can be written in any system and judged.

    ~~~~~~\        /~~~~~        three tributaries and a main stem, each bending by 60 degrees
~~~~~~~~~~~\~~~~~~/~~~~~~~~~     every 2.5 km; the outline is a circle of 20 km
             \~~~/
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from rivergis.intake.crs_reference import Reference
from rivergis.intake.delivery import Declared, Delivered, Names

STEP_M = 25.0


@dataclass(frozen=True)
class Place:
    """Rivers and outline round (lon, lat); ``xy`` in metres of a local plane, ``degrees`` brings them to EPSG:4490."""

    lon: float
    lat: float

    @cached_property
    def _home(self) -> Transformer:
        return Transformer.from_crs(self._plane, 4490, always_xy=True)

    @property
    def _plane(self) -> CRS:
        return CRS.from_proj4(f"+proj=aeqd +lon_0={self.lon} +lat_0={self.lat} +ellps=GRS80")

    def degrees(self, xy: np.ndarray) -> np.ndarray:
        return np.column_stack(self._home.transform(xy[:, 0], xy[:, 1]))

    @cached_property
    def courses(self) -> list[np.ndarray]:
        main = _course(np.array([-8_000.0, 0.0]), 0.3, 16_000.0, 2_500.0)
        starts = [main[len(main) * k // 4] for k in (1, 2, 3)]
        turns = (1.4, -1.2, 1.7)
        return [main, *(_course(s, 0.3 + t, 8_000.0, 1_600.0 + 200 * t) for s, t in zip(starts, turns, strict=True))]

    @cached_property
    def reference(self) -> Reference:
        """Rivers drawn coarsely (a few metres off) and the outline."""
        rivers = [shapely.LineString(self.degrees(c[::4])) for c in self.courses]
        angle = np.linspace(0, 2 * np.pi, 80)[:-1]
        outline = shapely.Polygon(self.degrees(np.column_stack([np.cos(angle), np.sin(angle)]) * 20_000.0))
        return Reference(tuple(rivers), (outline,), "test county")

    def lines(self) -> list[shapely.LineString]:
        """Stretches of 1.5 km along the rivers, a metre or two beside them, in degrees."""
        out = []
        for course in self.courses:
            for start in range(0, len(course) - 60, 60):
                out.append(shapely.LineString(self.degrees(course[start : start + 60 : 2])))
        return out

    def areas(self) -> list[shapely.Polygon]:
        """The ground 35 m to both sides of each stretch."""
        return [shapely.buffer(line, 0.00035, cap_style="flat") for line in self.lines()]

    def stakes(self, away_m: float = 25.0) -> list[shapely.Point]:
        """Stakes every 400 m, left and right in turn."""
        out = []
        for course in self.courses:
            for n, i in enumerate(range(8, len(course) - 2, 16)):
                along = course[i + 1] - course[i - 1]
                across = np.array([-along[1], along[0]]) / np.hypot(*along)
                out.append(shapely.Point(self.degrees((course[i] + (-1) ** n * away_m * across)[None])[0]))
        return out

    def ponds(self) -> list[shapely.Point]:
        """Things of the county that lie on no river."""
        rng = np.random.default_rng(4490)
        return [shapely.Point(p) for p in self.degrees(rng.uniform(-9_000, 9_000, (40, 2)))]


def _course(start: np.ndarray, heading: float, length_m: float, bend_m: float) -> np.ndarray:
    s = np.arange(0.0, length_m, STEP_M)
    way = heading + np.radians(62) * np.sin(2 * np.pi * s / bend_m * (1 + 0.1 * np.sin(s / 3_000)))
    return start + np.cumsum(STEP_M * np.column_stack([np.cos(way), np.sin(way)]), axis=0)


def moved(shapes: list, by) -> list:
    """Shapes with every vertex moved by a function of (n, 2) arrays."""
    return [shapely.transform(s, by) for s in shapes]


def projected(shapes: list, epsg: int) -> list:
    """Shapes in degrees brought to a system, x = east; WGS 84 and CGCS2000 are taken as one."""
    go = _way(epsg)
    return moved(shapes, lambda c: np.column_stack(go.transform(c[:, 0], c[:, 1])))


@lru_cache(maxsize=64)
def _way(epsg: int) -> Transformer:
    return Transformer.from_crs(CRS.from_epsg(epsg).geodetic_crs.to_epsg(), epsg, always_xy=True)


def swapped(shapes: list) -> list:
    return moved(shapes, lambda c: c[:, ::-1])


def delivered(
    shapes: list, wkt: str | None = None, where: str | None = None, names: Names | None = None, text: str = ""
) -> Delivered:
    """A layer as a reader would deliver it."""
    frame = pd.DataFrame({"name": [f"n{i}" for i in range(len(shapes))]}, index=range(len(shapes)))
    declared = Declared(wkt, where or ("prj" if wkt else "none"), text=text)  # type: ignore[arg-type]
    return Delivered(
        "layer", "vector", len(shapes), frame, np.array(shapes, dtype=object), declared=declared, names=names
    )
