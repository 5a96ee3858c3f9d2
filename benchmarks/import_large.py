"""Large layers through the door: memory of the importing process, and time against a plain copy of the same file.

Run: .venv/bin/python benchmarks/import_large.py [POINTS [POLYGONS]]   (1,000,000 and 300,000 where not said)
The peer is the least that can be done: pyogrio reads the layer whole, brings it to EPSG:4490 and copies it into a bare table
with a spatial index, without versions, checks, provenance or quarantine. Both run in processes of their own.
"""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from sqlalchemy import text

from rivergis.db import upgrade
from rivergis.db.cluster import Cluster
from rivergis.db.connect import copy_frame, open_database
from rivergis.intake import profile
from rivergis.jobs import receive

WEST, SOUTH = 105.5, 28.8


def points(path: Path, n: int) -> None:
    """Outfalls in EPSG:4523, as a survey office delivers them."""
    rng = np.random.default_rng(1)
    shapes = shapely.points(WEST + 1.5 * rng.random(n), SOUTH + rng.random(n))
    columns = {
        "code": [f"P{i:07d}" for i in range(n)],
        "name": [f"排口{i}" for i in range(n)],
        "status": "在用",
        "n": range(n),
    }
    _write(gpd.GeoDataFrame(columns, geometry=shapes, crs=4490), path, "outfall")


def polygons(path: Path, n: int) -> None:
    """Patches of twelve corners in EPSG:4523."""
    rng = np.random.default_rng(2)
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    x, y = WEST + 1.5 * rng.random(n), SOUTH + rng.random(n)
    rings = np.stack([x[:, None] + 0.0002 * np.cos(angle), y[:, None] + 0.0002 * np.sin(angle)], axis=-1)
    columns = {"code": [f"W{i:06d}" for i in range(n)], "kind": "building", "source_kind": "footprint"}
    _write(gpd.GeoDataFrame(columns, geometry=shapely.polygons(rings), crs=4490), path, "candidate")


def _write(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    more = {"SPATIAL_INDEX": "NO"} if path.suffix == ".fgb" else {}
    frame.to_crs(4523).to_file(path, layer=layer, engine="pyogrio", **more)


def door(home: Path, name: str, layer: str, path: Path) -> int:
    db = open_database(None, home, name)
    options = receive.Options(namespace="bench")
    [done] = receive.import_file(db, layer, path, actor="bench", profile=profile.plain(), options=options)
    assert done.count_in == done.imported, done
    return done.imported


def again(home: Path, name: str, layer: str, path: Path) -> int:
    db = open_database(None, home, name)
    options = receive.Options(namespace="bench")
    [done] = receive.import_file(db, layer, path, actor="bench", profile=profile.plain(), options=options)
    assert done.known
    return done.unchanged


def plain_copy(home: Path, name: str, layer: str, path: Path) -> int:
    frame = pyogrio.read_dataframe(path).to_crs(4490).rename_geometry("geom")
    columns = ", ".join(f'"{c}" text' for c in frame.columns if c != "geom")
    with open_database(None, home, name).write("bench") as conn:
        conn.execute(text(f"CREATE TABLE public.bare_{layer} ({columns}, geom geometry(Geometry, 4490))"))
        n = copy_frame(conn, f"public.bare_{layer}", frame)
        conn.execute(text(f"CREATE INDEX ON public.bare_{layer} USING gist (geom)"))
        conn.execute(text(f"DROP TABLE public.bare_{layer}"))
    return n


def _measured(queue: Any, job: Callable[..., int], args: tuple[Any, ...]) -> None:
    start = time.perf_counter()
    n = job(*args)
    queue.put((n, time.perf_counter() - start, _most_mb()))


def _most_mb() -> float:
    """The most memory this process held, MiB (what getrusage tells of a child begins with its parent's)."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def measured(what: str, job: Callable[..., int], *args: Any) -> float:
    """Seconds of a job in a process of its own; prints rows, seconds and the most memory it held."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_measured, args=(queue, job, args))
    process.start()
    n, seconds, mb = queue.get()
    process.join()
    print(f"{what:44} {n:>9,} rows {seconds:8.1f} s {n / seconds:>8,.0f} rows/s {mb:7.0f} MiB", flush=True)
    return float(seconds)


def main() -> None:
    n, m = (int(a) for a in (sys.argv[1:] + ["1000000", "300000"][len(sys.argv) - 1 :])[:2])
    folder = Path(tempfile.mkdtemp(prefix="rg-bench-", dir="/tmp"))
    folder.chmod(0o755)
    cluster, home = Cluster(folder / "data"), folder / "data"
    try:
        for make, count, layer in ((points, n, "outfall"), (polygons, m, "candidate")):
            for ending in (".gpkg", ".fgb"):
                path, name = folder / f"{layer}{ending}", f"b{uuid.uuid4().hex[:8]}"
                make(path, count)
                upgrade.upgrade(open_database(None, home, name))
                what = f"{make.__name__} {ending}"
                peer = measured(f"{what}: plain copy", plain_copy, home, name, layer, path)
                ours = measured(f"{what}: import", door, home, name, layer, path)
                known = measured(f"{what}: the same again", again, home, name, layer, path)
                print(f"{'':44} import / copy {ours / peer:5.1f}   again / import {known / ours:6.3f}", flush=True)
                path.unlink()
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
