"""A DEM too large to be held: memory and time of the command, and how its method agrees with the exact one where both fit.

Run: .venv/bin/python benchmarks/terrain_large.py [SIDE]     (20,000 cells a side where not said; about 10 minutes, 1 GB of disk)
The DEM is made by ``terrain_dem.py``. The command runs in a process of its own; the comparison on 3,000 cells a side.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from scipy import ndimage
from terrain_dem import make

THRESHOLD_KM2 = 1.0
COMMAND = [sys.executable, "-c", "from rivergis.cli import main; main()", "terrain", "flow"]


def run(dem: Path, out: Path, *more: str) -> dict:
    done = subprocess.run(
        [*COMMAND, str(dem), "--out", str(out), "--threshold", str(THRESHOLD_KM2), "--json", *more],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def band(path: Path) -> np.ndarray:
    with rasterio.open(path) as image:
        return image.read(1)


def compare(folder: Path, side: int) -> None:
    dem = make(folder / "small.tif", side)
    run(dem, folder / "exact")
    above, streams = band(folder / "exact" / "height_above_drainage.tif"), band(folder / "exact" / "upstream_area.tif")
    streams[~(streams >= THRESHOLD_KM2)] = np.nan
    for factor in (2, 3, 5):
        method = run(dem, folder / "parts", "--max-cells", str((side // factor + 1) ** 2))["method"]
        area, other = band(folder / "parts" / "stream_area.tif"), band(folder / "parts" / "height_above_drainage.tif")
        both = ~np.isnan(above) & ~np.isnan(other)
        apart = np.abs(above - other)[both]
        met = ~np.isnan(area) & ~np.isnan(streams)
        ratio = np.abs(np.log10(area[met] / streams[met]))
        print(
            f"{side} x {side}, {method} against exact: streams F1 within one cell {overlap(~np.isnan(area), ~np.isnan(streams)):.4f}, "
            f"upstream area within 5 % on {(ratio < 0.0212).mean():.1%} of stream cells, height above the stream within 1 m on {(apart < 1).mean():.1%}"
        )


def overlap(found: np.ndarray, true: np.ndarray) -> float:
    near = np.ones((3, 3))
    right = (found & ndimage.binary_dilation(true, near)).sum() / found.sum()
    seen = (true & ndimage.binary_dilation(found, near)).sum() / true.sum()
    return float(2 * right * seen / (right + seen))


def main(side: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare(folder, 3000)
        dem = make(folder / "large.tif", side)
        begun = time.perf_counter()
        result = run(dem, folder / "large")
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        print(
            f"{side:,} x {side:,} cells, {dem.stat().st_size / 2**20:,.0f} MiB: {result['method']}, {time.perf_counter() - begun:,.0f} s, "
            f"largest resident memory {memory:.2f} GiB, {result['streams']:,} streams"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 20_000)
