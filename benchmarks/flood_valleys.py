"""Floods: constructed valleys against their answers, the Eno river against heights above the stream of another program, and size.

Run: .venv/bin/python benchmarks/flood_valleys.py [CELLS_PER_SIDE ...]     (default 1000 2500 5000)
Valleys: a winding river on a rough floor with sixty scattered high-water marks; told are the surface against the true one, the
marks that came out wet and within 0.3 m, and the extent (intersection over union). Size: a square of so many cells.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from pyproj import CRS
from scipy import ndimage

from rivergis import crs
from rivergis.river import dem_files, levels
from rivergis.river.flood import FloodRules, flood
from rivergis.river.terrain import Dem
from rivergis.river.valley import chainages_at, channel_on

DATA = Path(os.environ.get("RIVERGIS_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
ZONE, EAST, NORTH = CRS.from_epsg(4545), 500_000.0, 3_300_000.0
RULES = FloodRules(
    barrier_way_m=200, steep_m=0.2, widest_void_m=3000, told_barrier_m=5, below_bed_m=3, least_low_m2=400
)


def degrees(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return crs.into_storage(ZONE)(np.column_stack([EAST + x, NORTH - y]))


def winding(rows: int, columns: int, cell: float, seed: int) -> tuple[Dem, shapely.LineString, np.ndarray]:
    """A river in bends on a rough floor that falls 1.5 in 1000 between valley sides; the true surface stands 1.2 m over the floor."""
    random = np.random.default_rng(seed)
    x, y = np.meshgrid((np.arange(columns) + 0.5) * cell, (np.arange(rows) + 0.5) * cell)

    def middle(t: np.ndarray) -> np.ndarray:
        return rows * cell / 2 + 120 * np.sin(t / 140) + 60 * np.sin(t / 61 + seed)

    away = np.abs(y - middle(x)) / np.sqrt(1 + np.gradient(middle(x[0]), cell) ** 2)
    z = 50 - x * 1.5e-3 + np.clip((away - 12) * 0.5, 0, 3)
    z += np.maximum(np.abs(y - rows * cell / 2 - 200 * np.sin(x / 900)) - 350, 0) * 0.05
    z += ndimage.gaussian_filter(random.normal(0, 3, z.shape), 6) + random.normal(0, 0.05, z.shape)
    t = np.linspace(0, columns * cell, max(columns // 2, 2))
    dem = Dem(z.astype(np.float32), Affine(cell, 0, EAST, 0, -cell, NORTH), ZONE, "local", f"valley {seed}")
    return dem, shapely.LineString(degrees(t, middle(t))), 54.2 - x * 1.5e-3


def valleys() -> None:
    for seed in range(4):
        dem, axis, true = winding(900, 1600, 2.0, seed)
        random = np.random.default_rng(seed)
        labels, _ = ndimage.label(true > dem.z_m)
        channel = channel_on(dem, axis)
        reached = np.isin(labels, np.unique(labels[channel.cells & (labels > 0)]))
        rim = reached & ~ndimage.binary_erosion(reached)
        where = np.argwhere(rim | (reached & (random.random(rim.shape) < 5e-4)))
        row, column = where[random.choice(len(where), 60, replace=False)].T
        at = chainages_at(dem, channel, RULES.barrier_way_m, degrees((column + 0.5) * 2, (row + 0.5) * 2))
        profile = levels.fitted(at, true[row, column] + random.normal(0, 0.08, 60), constant_beyond=True)
        past = max(0.0, -np.nanmin(at), np.nanmax(at) - crs.length_m(axis))
        done = flood(dem, axis, profile, RULES, past_ends_m=past)
        off = done.surface_m - true
        depth_off = np.nan_to_num(done.depth_m[row, column]) - (true - dem.z_m)[row, column]
        print(
            f"{dem.name}: surface off by {np.sqrt(np.nanmean(off**2)):.3f} m (largest {np.nanmax(np.abs(off)):.2f}); marks wet "
            f"{done.wet[row, column].mean():.0%}, within 0.3 m {(np.abs(depth_off) < 0.3).mean():.0%}; extent "
            f"{(done.wet & reached).sum() / (done.wet | reached).sum():.3f}; leave-one-out {np.sqrt(np.nanmean(profile.left_out_m**2)):.3f} m"
        )


def eno(folder: Path) -> None:
    dem = dem_files.read(folder / "eno_dem.tif")
    streams = crs.to_storage(gpd.read_file(folder / "eno_reference_streams.gpkg", layer="stream_net")).set_index(
        "LINKNO"
    )
    links = [streams[streams["DSLINKNO"] < 0]["DSContArea"].idxmax()]
    while len(up := streams[streams["DSLINKNO"] == links[-1]]):
        links.append(up["DSContArea"].idxmax())
    axis = shapely.line_merge(shapely.MultiLineString(list(streams.geometry.loc[links])))
    if shapely.distance(shapely.get_point(axis, -1), streams.geometry[links[0]]) > 0:
        axis = axis.reverse()
    channel = channel_on(dem, axis)
    bed = np.minimum.accumulate(dem.z_m[channel.cell_of(dem.shape)])
    height = dem_files.read(folder / "ref_dinf_vertical_drop_to_stream_ave.tif").z_m
    basins = dem_files.read(folder / "ref_subwatersheds.tif").z_m
    own = np.isin(basins, streams.loc[links, "WSNO"]) & ~np.isnan(height)
    for above in (1.0, 2.0, 3.0):
        done = flood(dem, axis, levels.as_given(channel.over_at_m, bed + above), RULES)
        on = own & (done.chainage_m >= 0) & (done.chainage_m <= channel.at_m[-1])
        both, either = (done.wet & (height <= above) & on).sum(), ((done.wet | (height <= above)) & on).sum()
        print(
            f"Eno river, bed + {above:g} m: {done.area_m2:,.0f} m2; with height above stream <= {above:g} m where the ground drains "
            f"to the main stream itself: intersection over union {both / either:.3f}; {len(done.marks)} places to look at"
        )


def sizes(sides: list[int]) -> None:
    for side in sides:
        dem, axis, true = winding(side, side, 2.0, 1)
        profile = levels.as_given([0, crs.length_m(axis)], [float(true[0, 0]), float(true[0, -1])])
        del true
        begun = time.perf_counter()
        done = flood(dem, axis, profile, RULES)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(
            f"{side:,} x {side:,} cells: {time.perf_counter() - begun:.1f} s, {done.wet.mean():.0%} wet, peak {peak:.2f} GB with the DEM made here"
        )


if __name__ == "__main__":
    valleys()
    if (DATA / "dem_flow_eno").is_dir():
        eno(DATA / "dem_flow_eno")
    sizes([int(a) for a in sys.argv[1:]] or [1000, 2500, 5000])
