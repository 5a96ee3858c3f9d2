"""A made DEM of any size: hills and valleys of several scales on a slope, in GeoTIFF, the same for the same seed.

Run: .venv/bin/python benchmarks/terrain_dem.py OUT.tif [SIDE [SEED]]     (20,000 cells a side and seed 1 where not said)
Written in stripes, so that its size is bounded by the disk and not by memory; heights are int16 in decimetres (scale 0.1).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.windows import Window

CELL_M, STRIPE = 10.0, 512
LENGTHS = (500, 120, 30, 6)
"""Wave lengths of the relief in cells: valleys, side valleys, gullies, roughness."""


def make(path: Path, side: int, seed: int = 1) -> Path:
    """Write the DEM (EPSG:4544, 10 m cells) and return its path."""
    rng = np.random.default_rng(seed)
    nets = [rng.standard_normal((side // length + 6, side // length + 6)) for length in LENGTHS]
    profile = {
        "driver": "GTiff", "width": side, "height": side, "count": 1, "dtype": "int16", "nodata": -32768, "crs": "EPSG:4544",
        "transform": Affine(CELL_M, 0, 450_000, 0, -CELL_M, 3_300_000), "tiled": True, "blockxsize": 512, "blockysize": 512,
        "compress": "deflate", "predictor": 2, "BIGTIFF": "IF_SAFER",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.scales = (0.1,)
        for top in range(0, side, STRIPE):
            rows = np.arange(top, min(top + STRIPE, side))
            z = _relief(rows, side, nets)
            out.write(np.round(z * 10).astype(np.int16), 1, window=Window(0, top, side, len(rows)))
    return path


def _relief(rows: np.ndarray, side: int, nets: list[np.ndarray]) -> np.ndarray:
    """Valleys where a smooth noise crosses zero, side valleys and gullies only on the slopes between, so that few are closed."""
    columns = np.arange(side)
    valley, side_valley, gully, rough = (
        _spline(net, rows / length, columns / length) for net, length in zip(nets, LENGTHS, strict=True)
    )
    slopes = 120 * np.abs(valley) * (0.3 + np.abs(side_valley)) + 25 * np.abs(valley * side_valley) * np.abs(gully)
    # the land falls to the south-east, 5 m a kilometre
    return 1300 - 0.03 * rows[:, None] - 0.02 * columns[None, :] + slopes + 0.2 * rough


def _spline(net: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Values of a cubic spline over the net at all rows and columns, one axis after the other."""
    return _weights(rows, net.shape[0]) @ net @ _weights(columns, net.shape[1]).T


def _weights(at: np.ndarray, n: int) -> np.ndarray:
    base = np.floor(at).astype(int)
    t = at - base
    cubic = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]) / 6
    out = np.zeros((len(at), n))
    for k in range(4):
        out[np.arange(len(at)), base + k] += cubic[k]
    return out


if __name__ == "__main__":
    asked = sys.argv[1:]
    print(make(Path(asked[0]), *(int(a) for a in asked[1:3] or ["20000"])))
