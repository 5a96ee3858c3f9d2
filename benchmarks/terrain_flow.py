"""Flow on a DEM against TauDEM's results for the same DEM: directions, accumulation, streams, heights above them.

Run: .venv/bin/python benchmarks/terrain_flow.py [FOLDER]
The folder holds the DEM and what TauDEM 5 made of it (by default ``dem_flow_eno`` of the test data; other DEMs under the same
names). Where the two differ, both are right: on ground without a lower neighbour there are several ways out.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import rasterio
from scipy import ndimage

from rivergis.river import dem_files, terrain_flow

DATA = Path(os.environ.get("RIVERGIS_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def main(folder: Path) -> None:
    def taudem(name: str) -> np.ma.MaskedArray:
        with rasterio.open(folder / name) as image:
            return image.read(1, masked=True)

    dem = dem_files.read(next(folder.glob("*_dem.tif")))
    terrain_flow.flow(dem.with_(z_m=dem.z_m[:50, :50]))  # compiled before it is timed
    begun = time.perf_counter()
    flow = terrain_flow.flow(dem)
    print(f"{dem.name}: {dem.z_m.size:,} cells in {time.perf_counter() - begun:.2f} s; flat {flow.flat.mean():.2%}")
    filled = taudem("ref_fel_pit_filled.tif")
    print(f"filled ground: largest difference {np.abs(flow.filled_m - filled).max():.4f} m")
    same = terrain_flow.coded(flow.d8, "taudem") == taudem("ref_d8_dir_taudem.tif")
    print(f"same direction: {same.mean():.2%} of all cells, {same[~flow.flat].mean():.3%} of those not flat")
    area = taudem("ref_d8_accumulation.tif")
    known, cells = ~np.ma.getmaskarray(area), flow.upstream_cells()
    print(f"edge contamination told alike: {(flow.edge == ~known).mean():.2%} of cells")
    for least in (1, 200, 1000, 5000):
        here = known & (area.data >= least)
        apart = np.abs(np.log10(cells[here] / area.data[here]))
        print(
            f"accumulation of {least:>5} cells and more: median log10 ratio {np.median(apart):.4f}, within 5 % {(apart < 0.0212).mean():.2%}"
        )
    for name, found in (
        ("ref_streams_acc200.tif", (cells >= 200) & known),
        ("accumulation >= 1000", (cells >= 1000) & known),
    ):
        true = taudem(name).filled(0) == 1 if name.endswith("tif") else (area.data >= 1000) & known
        print(f"streams, {name}: F1 within one cell {overlap(found, true):.4f}")
    heights(flow, taudem)


def heights(flow: terrain_flow.Flow, taudem: object) -> None:
    streams = taudem("ref_streams_src.tif").filled(0) == 1  # type: ignore[operator]
    drop = taudem("ref_dinf_vertical_drop_to_stream_ave.tif")  # type: ignore[operator]
    above = terrain_flow.hand(flow, streams)
    known = ~np.ma.getmaskarray(drop) & ~np.isnan(above)
    apart = np.abs(above - drop.data)[known]
    print(
        f"height above the stream (D8 here, D-infinity there): median difference {np.median(apart):.4f} m, within 1 m {(apart < 1).mean():.2%}"
    )


def overlap(found: np.ndarray, true: np.ndarray) -> float:
    near = np.ones((3, 3))
    right = (found & ndimage.binary_dilation(true, near)).sum() / found.sum()
    seen = (true & ndimage.binary_dilation(found, near)).sum() / true.sum()
    return float(2 * right * seen / (right + seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else DATA / "dem_flow_eno")
