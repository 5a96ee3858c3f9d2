"""Which tiles of the web's grid hold anything (WebMercatorQuad): from boxes in EPSG:3857, zoom by zoom. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from pmtiles.tile import zxy_to_tileid

HALF_M = 20037508.342789244
"""Half the side of the grid in the units of EPSG:3857."""
Boxes = npt.NDArray[np.float64]
Tile = tuple[int, int, int]


def touched(boxes: Boxes, minzoom: int, maxzoom: int) -> Iterator[Tile]:
    """Tiles (z, x, y) that a box (west, south, east, north) touches, by zoom and then along the curve of PMTiles.

    Only tiles below one that is touched are looked at, so that a far zoom of a long district costs no more than what lies in it.
    """
    cells: dict[tuple[int, int], npt.NDArray[np.int64]] = {(0, 0): np.arange(len(boxes))} if len(boxes) else {}
    for z in range(maxzoom + 1):
        if z:
            cells = _below(boxes, cells, z)
        if z >= minzoom:
            yield from sorted(((z, x, y) for x, y in cells), key=lambda tile: int(zxy_to_tileid(*tile)))


def _below(
    boxes: Boxes, cells: dict[tuple[int, int], npt.NDArray[np.int64]], z: int
) -> dict[tuple[int, int], npt.NDArray[np.int64]]:
    """The four tiles below each, with the boxes that touch them."""
    found = {}
    for (x, y), some in cells.items():
        for cell in ((2 * x + i, 2 * y + j) for i in (0, 1) for j in (0, 1)):
            west, south, east, north = bounds(z, *cell)
            own = boxes[some]
            meets = (own[:, 0] <= east) & (own[:, 2] >= west) & (own[:, 1] <= north) & (own[:, 3] >= south)
            if meets.any():
                found[cell] = some[meets]
    return found


def bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile in EPSG:3857; y counts from the north."""
    side = 2 * HALF_M / 2**z
    return (-HALF_M + x * side, HALF_M - (y + 1) * side, -HALF_M + (x + 1) * side, HALF_M - y * side)


def degrees(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """A box in EPSG:3857 as degrees."""
    lon = np.degrees(np.array([box[0], box[2]]) / 6378137.0)
    lat = np.degrees(2 * np.arctan(np.exp(np.array([box[1], box[3]]) / 6378137.0)) - np.pi / 2)
    return (float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1]))
