"""Paper, scale and sheets of a printed map: what fits at which scale, which sheets a long river needs, where the grid lies.

All in millimetres of paper and metres of one plane system; north is up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

SCALES = (
    500, 1000, 2000, 2500, 5000, 10_000, 15_000, 20_000, 25_000, 40_000, 50_000, 75_000, 100_000, 150_000, 200_000, 250_000, 400_000,
    500_000, 750_000, 1_000_000, 1_500_000, 2_000_000, 3_000_000, 5_000_000,
)  # fmt: skip
"""Denominators that a map is printed at."""
_GRID = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000)
_GRID_MM = 45.0  # grid lines are no nearer than this
_FREE = 0.06  # share of a sheet that stays free at each side, so that neighbouring sheets overlap


@dataclass(frozen=True)
class Paper:
    """A page and the map field on it, mm: width and height of the page, left, top, width and height of the field."""

    name: str
    width: float
    height: float
    left: float
    top: float
    field_width: float
    field_height: float


PAPERS = {
    "A3": Paper("A3", 420.0, 297.0, 18.0, 26.0, 318.0, 254.0),
    "A4": Paper("A4", 297.0, 210.0, 15.0, 22.0, 218.0, 175.0),
}


@dataclass(frozen=True)
class View:
    """A map field: its paper, the denominator of its scale, and the place in metres that lies in its middle."""

    paper: Paper
    scale: float
    x: float
    y: float

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """What the field shows: west, south, east, north in metres."""
        half = np.array([self.paper.field_width, self.paper.field_height]) * self.scale / 2000
        return (self.x - half[0], self.y - half[1], self.x + half[0], self.y + half[1])

    def place(self, xy: np.ndarray) -> np.ndarray:
        """Positions (n, 2) in metres as millimetres of the page, from its upper left corner."""
        west, _, _, north = self.bounds
        k = 1000 / self.scale
        return np.column_stack([self.paper.left + (xy[:, 0] - west) * k, self.paper.top + (north - xy[:, 1]) * k])

    def grid(self) -> tuple[float, list[float], list[float]]:
        """Step, eastings and northings of the grid lines in the field, metres."""
        step = next((g for g in _GRID if g * 1000 / self.scale >= _GRID_MM), _GRID[-1])
        west, south, east, north = self.bounds
        return step, _multiples(west, east, step), _multiples(south, north, step)

    def bar(self, longest_mm: float) -> tuple[float, float]:
        """Metres and millimetres of a scale bar of a round length."""
        metres = max(
            (m * 10.0**e for e in range(7) for m in (1, 2, 5) if m * 10.0**e * 1000 / self.scale <= longest_mm),
            default=1.0,
        )
        return metres, metres * 1000 / self.scale


def _multiples(low: float, high: float, step: float) -> list[float]:
    return [float(v) for v in np.arange(np.ceil(low / step) * step, high, step)]


def whole(paper: Paper, bounds: Sequence[float]) -> View:
    """The largest usual scale at which all of the bounds (metres) fits, with some room around."""
    west, south, east, north = bounds
    need = max((east - west) / paper.field_width, (north - south) / paper.field_height) * 1000 / (1 - 2 * _FREE)
    scale = next((s for s in SCALES if s >= need), float(np.ceil(need / 1e6) * 1e6))
    return View(paper, scale, (west + east) / 2, (south + north) / 2)


def sheets(paper: Paper, scale: float, xy: np.ndarray) -> list[View]:
    """Sheets at a scale that show every one of the positions (n, 2; metres), in their order (downstream).

    A sheet goes as far along as fits it; where that would make more sheets than a plain grid (water wider than a sheet), the grid
    is taken. No sheet without any position.
    """
    size = np.array([paper.field_width, paper.field_height]) * scale / 1000 * (1 - 2 * _FREE)
    along, plain = _along(xy, size), _plain(xy, size)
    middles = along if len(along) <= len(plain) else plain
    return [View(paper, scale, float(x), float(y)) for x, y in middles]


def _along(xy: np.ndarray, size: np.ndarray) -> list[np.ndarray]:
    out: list[np.ndarray] = []
    low = high = xy[0]
    for place in xy[1:]:
        new_low, new_high = np.minimum(low, place), np.maximum(high, place)
        if (new_high - new_low > size).any():
            out.append((low + high) / 2)
            low = high = place
        else:
            low, high = new_low, new_high
    return [*out, (low + high) / 2]


def _plain(xy: np.ndarray, size: np.ndarray) -> list[np.ndarray]:
    low, span = xy.min(axis=0), np.ptp(xy, axis=0)
    count = np.maximum(np.ceil(span / size), 1)
    corner = low - (count * size - span) / 2
    cells, first = np.unique(np.minimum((xy - corner) // size, count - 1), axis=0, return_index=True)
    return [corner + (cell + 0.5) * size for cell in cells[np.argsort(first)]]


def along_the_river(
    lines: Sequence[shapely.LineString], keys: Sequence[tuple[str, float, float]], step_m: float
) -> np.ndarray:
    """Positions along lines (metres), ``step_m`` apart at most, in downstream order, both banks together.

    ``keys``: of each line the river and the chainages of its ends (NaN: unknown, then its own length counts).
    """
    river, at, places = [], [], []
    for line, (name, start, end) in zip(lines, keys, strict=True):
        run = np.linspace(0.0, line.length, max(2, int(np.ceil(line.length / step_m)) + 1))
        known = np.isfinite(start) and np.isfinite(end) and line.length > 0
        river += [name] * len(run)
        at.append(start + run / line.length * (end - start) if known else run)
        places.append(shapely.get_coordinates(shapely.line_interpolate_point(line, run)))
    order = np.lexsort([np.concatenate(at), np.array(river)])
    return np.asarray(np.concatenate(places)[order])
