"""A redraw of a county against the plain way of a GIS desk: geopandas.overlay on the same areas and objects, in the same run.

Rivers with meanders are cut into reaches with areas between their banks; the new areas have some banks moved, in or out, and may be
resurveyed everywhere (the same line measured again). Times are those of the processor, so that neighbours do not count. Objects stand near the banks. Both sides must come to the same m2; what the
plain way does not tell at all (noise, bank, chainage, flags, standing before and after) is not counted against it.

Run: .venv/bin/python benchmarks/boundary_diff.py [--reaches 500] [--objects 20000] [--seed 1] [--runs 3]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import rules
from rivergis.boundary.redraw import make as diff_make
from rivergis.boundary.redraw import told as diff_told
from rivergis.boundary.redraw.compare import Redraw
from rivergis.settings import gis_dir

PER_RIVER, VERTICES, STEP_M = 100, 60, 25.0
EDITED = 0.1  # share of reaches whose bank was moved
DEEP_M, NOISE_M = 12.0, 0.15


def county(reaches: int, seed: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame, Any]:
    """Reaches, old areas, new areas (banks moved), in EPSG:4490, and the plane they were made in."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[Any]] = {k: [] for k in ("code", "river_code", "from_m", "axis", "old", "new")}
    for river in range(-(-reaches // PER_RIVER)):
        here = min(PER_RIVER, reaches - river * PER_RIVER)
        s = np.arange(here * VERTICES + 1) * STEP_M
        y = 180 * np.sin(s / rng.uniform(400, 900)) + 60 * np.sin(s / 170) + river * 4000
        axis = np.column_stack([s, y])
        run = np.gradient(axis, axis=0)
        normal = np.column_stack([-run[:, 1], run[:, 0]]) / np.hypot(*run.T)[:, None]
        half = rng.uniform(15, 120) + 4 * np.sin(s / 90)
        banks = [axis + normal * half[:, None], axis - normal * half[:, None]]
        for k in range(here):
            part = slice(k * VERTICES, (k + 1) * VERTICES + 1)
            left, right = banks[0][part], banks[1][part]
            moved = left.copy()
            if rng.random() < EDITED:
                bump = np.hanning(21)[:, None] * DEEP_M * rng.choice([-1, 1])
                moved[20:41] += normal[part][20:41] * bump
            rows["code"].append(f"R{river:02d}-{k:03d}")
            rows["river_code"].append(f"R{river:02d}")
            rows["from_m"].append(k * VERTICES * STEP_M)
            rows["axis"].append(shapely.LineString(axis[part]))
            rows["old"].append(shapely.Polygon(np.vstack([left, right[::-1]])))
            rows["new"].append(shapely.Polygon(np.vstack([moved, right[::-1]])))
    said = {k: rows[k] for k in ("code", "river_code", "from_m")}
    system = "EPSG:4546"
    frames = [
        gpd.GeoDataFrame(
            said, geometry=shapely.transform(rows[k], lambda xy: xy + np.array([430_000, 3_320_000])), crs=system
        )
        for k in ("axis", "old", "new")
    ]
    stored = [f.to_crs(4490) for f in frames]
    return stored[0], *(f.rename(columns={"code": "reach_code"}) for f in stored[1:]), system


def resurveyed(areas: gpd.GeoDataFrame, system: Any, seed: int) -> gpd.GeoDataFrame:
    """The same ground measured again: every vertex off by decimetres, alike for reaches that share it."""

    def again(xy: np.ndarray) -> np.ndarray:
        return xy + NOISE_M * np.sin(xy[:, ::-1] * 0.21 + seed) + NOISE_M / 2 * np.cos(xy * 1.7)

    shapes = shapely.transform(areas.to_crs(system).geometry.to_numpy(), again)
    return areas.set_geometry(gpd.GeoSeries(shapes, crs=system).to_crs(4490))


def stands(areas: gpd.GeoDataFrame, system: Any, count: int, seed: int) -> gpd.GeoDataFrame:
    """Buildings within some 40 m of the banks."""
    rng = np.random.default_rng(seed + 1)
    xy = shapely.get_coordinates(areas.to_crs(system).geometry.to_numpy())
    at = xy[rng.integers(0, len(xy), count)] + rng.normal(0, 20, (count, 2))
    size = rng.uniform(3, 12, count)
    shapes = shapely.box(*(at - size[:, None]).T, *(at + size[:, None]).T)
    said = {"feature": [str(n) for n in range(count)], "households": np.where(rng.random(count) < 0.5, 1.0, np.nan)}
    return gpd.GeoDataFrame(said, geometry=shapes, crs=system).to_crs(4490)


def ours(old: Any, new: Any, reaches: Any, objects: Any, water: Any, limits: Any) -> Redraw:
    given = diff_make.Given(reaches, {"building": objects}, water, old_day=date(2020, 1, 1))
    redraw = diff_make.make(old, new, limits, given)
    diff_told.told(redraw, shapes=False)
    return redraw


def plain(old: Any, new: Any, objects: Any, system: Any) -> tuple[float, float, int]:
    """What a desk does: two overlays of the dissolved areas, one of what differs with the objects. m2 leaving, entering, objects."""
    a, b = (f.to_crs(system).dissolve("river_code").reset_index()[["river_code", "geometry"]] for f in (old, new))
    leaving = gpd.overlay(a, b, how="difference", keep_geom_type=True).explode(ignore_index=True)
    entering = gpd.overlay(b, a, how="difference", keep_geom_type=True).explode(ignore_index=True)
    things = objects.to_crs(system)
    met = [gpd.overlay(things, part, how="intersection", keep_geom_type=True) for part in (leaving, entering)]
    return float(leaving.area.sum()), float(entering.area.sum()), sum(len(m) for m in met)


def timed(call: Callable[[], Any], runs: int) -> tuple[float, Any]:
    seconds, out = [], None
    for _ in range(runs):
        began = time.process_time()
        out = call()
        seconds.append(time.process_time() - began)
    return statistics.median(seconds), out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reaches", type=int, default=500)
    parser.add_argument("--objects", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    reaches, old, edited, system = county(asked.reaches, asked.seed)
    objects = stands(old, system, asked.objects, asked.seed)
    water = old.set_geometry(old.to_crs(system).buffer(-10).to_crs(4490)).assign(
        feature=old["reach_code"], since="2024-06-01"
    )
    limits = diff_make.limits_of(rules.load(gis_dir() / "rules").at(rules.path_of("000000"), date.today()))
    vertices = int(shapely.get_num_coordinates(old.geometry.to_numpy()).sum())
    print(
        f"{asked.reaches} reaches, {vertices} vertices, {asked.objects} objects; seconds of processor time, medians of {asked.runs}"
    )
    print(f"{'':26}{'ours':>8}{'plain':>8}{'ratio':>7}  leaving m2 (ours, plain)   objects met (ours, plain)")
    for name, new in (
        ("banks moved", edited),
        ("moved and resurveyed", resurveyed(edited, system, asked.seed)),
        ("nothing changed", old),
    ):
        mine, redraw = timed(lambda new=new: ours(old, new, reaches, objects, water, limits), asked.runs)
        theirs, (leaving, _, met) = timed(lambda new=new: plain(old, new, objects, system), asked.runs)
        own = 0 if redraw.things is None else len(redraw.things)
        scale = redraw.total["old_m2"] / old.to_crs(system).area.sum()  # theirs are m2 of the map zone
        print(
            f"{name:26}{mine:8.2f}{theirs:8.2f}{theirs / mine:7.2f}  {redraw.total['leaving_m2']:12,.0f} {leaving * scale:12,.0f}   {own:8} {met:8}"
        )


if __name__ == "__main__":
    main()
