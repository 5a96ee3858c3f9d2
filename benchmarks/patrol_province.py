"""Patrols in a province of 60,000 reaches: memory of a fresh process, and how long one track takes.

Run: .venv/bin/python benchmarks/patrol_province.py [--reaches N] [--fixes N] [--tracks N]
Every track walks downstream beside rivers of the fictional province (``province.py``): white and slowly drifting noise, a fix
each 5 seconds. Memory is the most that a process of its own held, ``rivergis patrol score`` from its start to the written
answer, beside the same command on the 1,000 reaches around the track. Warm: the reaches are prepared, then every track is
asked three times in one process; the first (cold) of each is the ground never seen, the others are the same track again.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import province
import pyogrio
import shapely
from river_network import measured

from rivergis import crs, rules
from rivergis.intake.track import TrackFile, read_tracks
from rivergis.patrol import files, reach_files
from rivergis.patrol.score import score

RULES = Path(__file__).resolve().parents[1] / "gis" / "rules"
Floats = npt.NDArray[np.float64]
SEED, INTERVAL_S, SPEED_MS, BESIDE_M = 7, 5.0, 1.4, 30.0


def chain(lines: gpd.GeoDataFrame, following: pd.Series, code: str, length_m: float) -> Floats:
    """Course downstream from a reach, in degrees, at least so long where the river is."""
    shapes, pieces, run = lines.set_index("CODE").geometry, [], 0.0
    while code and run < length_m:
        pieces.append(shapely.get_coordinates(shapes[code]))
        run += float(crs.length_m(shapes[code]))
        code = following.get(code)
    return np.vstack(pieces)


def walked(course: gpd.GeoSeries, fixes: int, rng: np.random.Generator) -> pd.DataFrame:
    """Fixes of a walk beside a course: as many as asked, or as the course is long for."""
    metric = crs.to_metric(course)
    line = metric.iloc[0].simplify(5.0)
    along = np.arange(fixes) * INTERVAL_S * SPEED_MS
    along = along[along < line.length]
    xy = shapely.get_coordinates(shapely.line_interpolate_point(line.offset_curve(BESIDE_M), along))
    drift = np.zeros_like(xy)
    for i in range(1, len(xy)):
        drift[i] = 0.92 * drift[i - 1] + rng.normal(0, 2.0, 2)
    spots = gpd.GeoSeries(gpd.points_from_xy(*(xy + drift + rng.normal(0, 2.0, xy.shape)).T), crs=metric.crs)
    degrees = spots.to_crs(crs.STORAGE)
    at = pd.Timestamp("2026-05-20T01:00:00Z") + pd.to_timedelta(np.arange(len(xy)) * INTERVAL_S, unit="s")
    return pd.DataFrame(
        {"time": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "lon": degrees.x.round(6), "lat": degrees.y.round(6), "acc_m": 6.0}
    )


def prepare(folder: Path, reaches: int, tracks: int, fixes: int) -> tuple[Path, Path, list[Path]]:
    """Files: all reaches, the 1,000 around the first track, and the tracks."""
    lines, truth = province.rivers(SEED, reaches)
    following = truth.set_index("CODE")["NEXT_CODE"].dropna()
    rng, paths = np.random.default_rng([SEED, 9]), []
    while len(paths) < tracks:
        course = chain(lines, following, str(rng.choice(lines["CODE"])), 1.1 * fixes * INTERVAL_S * SPEED_MS)
        track = walked(gpd.GeoSeries([shapely.LineString(course)], crs=lines.crs), fixes, rng)
        if len(track) == fixes:
            paths.append(folder / f"walk{len(paths):03d}.csv")
            track.to_csv(paths[-1], index=False)
    frame = gpd.GeoDataFrame(
        {"reach_id": lines["CODE"], "kind": "river", "half_width_m": 10.0},
        geometry=lines.geometry.to_numpy(),
        crs=lines.crs,
    )
    first = pd.read_csv(paths[0])[["lon", "lat"]].mean()
    near = np.argsort(shapely.distance(frame.geometry.to_numpy(), shapely.Point(first["lon"], first["lat"])))[:1000]
    whole, part = folder / "province.gpkg", folder / "around.gpkg"
    pyogrio.write_dataframe(frame, whole, layer="reach", driver="GPKG")
    pyogrio.write_dataframe(frame.iloc[near], part, layer="reach", driver="GPKG")
    return whole, part, paths


def memory(folder: Path, whole: Path, part: Path, track: Path) -> None:
    """The most memory of the command in a process of its own, with all reaches and with a thousand."""
    command = [str(Path(sys.executable).with_name("rivergis")), "patrol", "score", str(track), "--reaches"]
    for name, file in (("a thousand", part), ("all", whole)):
        out = folder / "answer.json"
        out.unlink(missing_ok=True)
        seconds, cpu, mib = measured([*command, str(file), "--out", str(out)])
        print(f"command, {name:10} reaches: {mib:6.0f} MiB, {seconds:5.1f} s, {cpu:5.1f} s of processor", flush=True)


def warm(whole: Path, tracks: list[Path], times: int = 3) -> None:
    """Milliseconds of one answer in a process that holds the reaches: on new ground, and where it has been before."""
    view = rules.load(RULES).at(("000000",), date.today())
    river = reach_files.read_river(whole, view)
    tables = [read.fixes for read in read_tracks(tracks) if isinstance(read, TrackFile)]
    score(tables[-1], river.waters, files.NO_DUTY, river.method, declared="wgs84")  # loops compiled
    took = np.zeros((times, len(tables) - 1))
    for i, table in enumerate(tables[:-1]):
        for k in range(times):
            start = time.perf_counter()
            score(table, river.waters, files.NO_DUTY, river.method, declared="wgs84")
            took[k, i] = (time.perf_counter() - start) * 1000
    for name, part in (("new ground", took[0]), ("known ground", took[1:].ravel())):
        print(f"{len(tables[0])} fixes, {name:12}: median {np.median(part):6.1f} ms, slowest {part.max():6.1f} ms")
    print(f"this process held at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reaches", type=int, default=60_000)
    parser.add_argument("--fixes", type=int, default=1_000)
    parser.add_argument("--tracks", type=int, default=21)
    parser.add_argument("--warm", type=Path, nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.warm:
        return warm(asked.warm[0], asked.warm[1:])
    with tempfile.TemporaryDirectory(prefix="rg-bench-") as home:
        whole, part, tracks = prepare(Path(home), asked.reaches, asked.tracks, asked.fixes)
        memory(Path(home), whole, part, tracks[0])
        # in a process of its own: what made the province is not what is measured
        subprocess.run([sys.executable, __file__, "--warm", str(whole), *map(str, tracks)], check=True)


if __name__ == "__main__":
    main()
