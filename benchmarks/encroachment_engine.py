"""Candidates against the management areas of a province: rivergis, geopandas and PostGIS in one run, beside a plain read of the file.

Run: .venv/bin/python benchmarks/encroachment_engine.py FOLDER [--pieces FILE] [--peers N] [--without geopandas|postgis]
FOLDER holds areas.parquet and candidates.parquet as ``encroachment_province.py`` writes them (EPSG:4490). Every engine is a process
of its own and answers the same question: which candidate meets which area, and how many m2 of it lie in it, in metres of the zone
of the candidate's centre. The two peers get every k-th candidate, N at most, prepared areas or pieces, and the same pairs are
compared. Counted is processor time, with that of children and of the database's backend, and the most memory held.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from rivergis import crs
from rivergis.boundary.ground import stored
from rivergis.boundary.ground.zoned import Zoned, zoned
from rivergis.encroachment import candidate_files
from rivergis.encroachment.pairs import Pairs, pairs
from rivergis.intake import vector

BATCH = 2_000  # areas read at a time
CHANGED = 100  # every so many-th candidate is new in the incremental night
Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]


def cpu_s() -> float:
    """Seconds of processor of this process and its children so far."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def timed(job: Callable[[], Any]) -> tuple[Any, float]:
    start = cpu_s()
    return job(), cpu_s() - start


# ---- a plain read ---------------------------------------------------------------------------------------------------


def read_whole(path: Path) -> float:
    return timed(lambda: pq.read_table(path, use_threads=False))[1]


def read_by_groups(path: Path) -> float:
    def read() -> None:
        with pq.ParquetFile(path) as file:
            for g in range(file.num_row_groups):
                file.read_row_group(g, use_threads=False)

    return timed(read)[1]


# ---- rivergis -------------------------------------------------------------------------------------------------------


def area_batches(path: Path) -> Iterator[gpd.GeoSeries]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH, columns=["geometry"], use_threads=False):
            wkb = batch["geometry"].to_numpy(zero_copy_only=False)
            yield gpd.GeoSeries(shapely.from_wkb(wkb), crs=crs.STORAGE)


def prepare(areas: Path, pieces: Path) -> None:
    stored.save(pieces, zoned(area_batches(areas)), {"areas": areas.name})


def full_night(candidates: Path, pieces: Path, geometries: bool = False) -> Found:
    """From the two files to all pairs; ``geometries``: also the common ground of each pair as one shape."""
    ground = stored.load(pieces)
    return together(
        (chunk.frame.index.to_numpy(), of_chunk(chunk, ground, geometries))
        for chunk in candidate_files.open_candidates(candidates).near(ground)
    )


def of_chunk(chunk: candidate_files.Chunk, ground: Zoned, geometries: bool) -> Pairs:
    found = pairs(chunk.frame.geometry.to_numpy(), ground.pieces[chunk.zone])
    if geometries:
        assert len(found.part) == len(found)
    return found


def changed_night(changed: gpd.GeoDataFrame, pieces: Path) -> Found:
    """The same for changed candidates that are at hand."""
    ground = stored.load(pieces)
    bounds = changed.geometry.bounds.to_numpy()
    near = changed[ground.near(bounds)]
    source = vector.Source(near, "changed", "EPSG:4490", near.geometry.to_numpy())
    parts = candidate_files.chunks(source, ground)
    return together((chunk.frame.index.to_numpy(), of_chunk(chunk, ground, False)) for chunk in parts)


def together(found: Iterator[tuple[npt.NDArray[Any], Pairs]]) -> Found:
    rows = [(index[p.candidate], p.area, p.area_m2) for index, p in found]
    return tuple(np.concatenate(column) for column in zip(*rows, strict=True))  # type: ignore[return-value]


# ---- the peers ------------------------------------------------------------------------------------------------------


def by_zone(frame: gpd.GeoDataFrame, ground: Zoned) -> Iterator[tuple[int, gpd.GeoDataFrame]]:
    bounds = frame.geometry.bounds.to_numpy()
    zone = ground.zone_of((bounds[:, :2] + bounds[:, 2:]) / 2)
    for z in np.unique(zone[zone >= 0]).tolist():
        yield z, frame[zone == z].to_crs(ground.zones[z])


def with_geopandas(candidates: Path, areas: Path, pieces: Path) -> Found:
    """sjoin, then intersection of the pairs; areas that touch a zone are brought to it."""
    ground, whole = stored.load(pieces), gpd.read_parquet(areas, columns=["geometry"])
    found = []
    for z, frame in by_zone(gpd.read_parquet(candidates, columns=["geometry"]), ground):
        mine = whole.iloc[np.unique(ground.pieces[z].area)].to_crs(ground.zones[z])
        pair = frame.sjoin(mine, predicate="intersects")
        common = pair.geometry.intersection(mine.geometry.loc[pair["index_right"]], align=False)
        found.append((pair.index.to_numpy(), pair["index_right"].to_numpy(), common.area.to_numpy()))
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))  # type: ignore[return-value]


JOIN = """SELECT c.id, p.area, sum(ST_Area(ST_Intersection(c.geom, p.geom))) FROM candidate c
          JOIN piece p ON p.zone = c.zone AND ST_Intersects(c.geom, p.geom) GROUP BY 1, 2"""


def with_postgis(candidates: Path, pieces: Path, home: Path) -> tuple[Found, float]:
    """COPY of the candidates, then a join on pieces that are there with their index; seconds of client and backend."""
    from rivergis.db.cluster import Cluster
    from rivergis.db.connect import open_database

    ground = stored.load(pieces)
    cluster = Cluster(home, durable=False)
    try:
        connection = open_database(None, home, "engine").engine.raw_connection()
        cursor = connection.cursor()
        cursor.execute(
            "CREATE EXTENSION IF NOT EXISTS postgis; SET max_parallel_workers_per_gather = 0; SET work_mem = '256MB'"
        )
        cursor.execute(
            "CREATE UNLOGGED TABLE piece (area int, zone int, geom geometry); CREATE UNLOGGED TABLE candidate (id int, zone int, geom geometry)"
        )
        for z, some in enumerate(ground.pieces):
            copy(cursor, "piece", some.area, z, some.shapes)
        cursor.execute("CREATE INDEX ON piece USING gist (geom); ANALYZE piece; SELECT pg_backend_pid()")
        backend = int(cursor.fetchone()[0])
        start = cpu_s() + backend_s(backend)
        for z, frame in by_zone(gpd.read_parquet(candidates, columns=["geometry"]), ground):
            copy(cursor, "candidate", frame.index.to_numpy(), z, frame.geometry.to_numpy())
        cursor.execute("ANALYZE candidate")
        cursor.execute(JOIN)
        rows = np.array(cursor.fetchall(), dtype=np.float64)
        used = cpu_s() + backend_s(backend) - start
        connection.close()
    finally:
        cluster.stop()
    return (rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 2]), used


def copy(cursor: Any, table: str, ids: npt.NDArray[np.int64], zone: int, shapes: npt.NDArray[np.object_]) -> None:
    for first in range(0, len(ids), 100_000):
        part = slice(first, first + 100_000)
        wkb = shapely.to_wkb(shapes[part], hex=True)
        lines = "".join(f"{i}\t{zone}\t{w}\n" for i, w in zip(ids[part].tolist(), wkb, strict=True))
        cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO(lines))


def backend_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---- one run --------------------------------------------------------------------------------------------------------


def some_of(candidates: Path, target: Path, every: int) -> None:
    """Every so many-th candidate as a file, the row number in the whole as its index."""
    with pq.ParquetFile(candidates) as file:
        parts, first = [], 0
        for batch in file.iter_batches(100_000, columns=["geometry"], use_threads=False):
            rows = np.flatnonzero((first + np.arange(len(batch))) % every == 0)
            wkb = batch["geometry"].take(pa.array(rows)).to_numpy(zero_copy_only=False)
            parts.append(gpd.GeoDataFrame(geometry=shapely.from_wkb(wkb), index=first + rows, crs=crs.STORAGE))
            first += len(batch)
    gpd.GeoDataFrame(gpd.pd.concat(parts)).to_parquet(target)


def every_of(count: int, asked: argparse.Namespace) -> int:
    return max(1, -(-count // asked.peers))


def alone(job: str, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """One job in a process of its own: seconds of processor, MiB, and what it found."""
    out = folder / f"{job}.npz"
    command = [
        sys.executable,
        __file__,
        str(asked.folder),
        "--pieces",
        str(asked.pieces),
        "--peers",
        str(asked.peers),
        "--job",
        job,
        "--work",
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{job}\n{done.stderr}")
    return dict(np.load(out))


def work(job: str, folder: Path, asked: argparse.Namespace) -> None:
    """What ``alone`` runs."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    candidates, areas, some = (
        asked.folder / "candidates.parquet",
        asked.folder / "areas.parquet",
        folder / "some.parquet",
    )
    found: Found | None = None
    wall = time.perf_counter()
    if job == "samples":
        some_of(candidates, some, every_of(pq.read_metadata(candidates).num_rows, asked))
        some_of(candidates, folder / "changed.parquet", CHANGED)
        used = 0.0
    elif job == "prepare":
        _, used = timed(lambda: prepare(areas, asked.pieces))
    elif job in ("read_whole", "read_by_groups"):
        used = {"read_whole": read_whole, "read_by_groups": read_by_groups}[job](candidates)
    elif job in ("rivergis", "rivergis_shapes"):
        found, used = timed(lambda: full_night(candidates, asked.pieces, job == "rivergis_shapes"))
    elif job == "changed":
        changed = gpd.read_parquet(folder / "changed.parquet")
        found, used = timed(lambda: changed_night(changed, asked.pieces))
    elif job == "geopandas":
        found, used = timed(lambda: with_geopandas(some, areas, asked.pieces))
    else:
        found, used = with_postgis(some, asked.pieces, folder)
    columns = dict(zip(("candidate", "area", "m2"), found, strict=True)) if found else {}
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    np.savez(folder / f"{job}.npz", cpu=used, mib=held, wall=time.perf_counter() - wall, **columns)


def difference(ours: dict[str, Any], theirs: dict[str, Any], every: int) -> str:
    """Pairs in one and not in the other, and the largest difference of areas of the same pair."""
    mine = ours["candidate"] % every == 0
    sides = []
    for side, kept in ((ours, mine), (theirs, slice(None))):
        key = side["candidate"][kept] * 10_000_000 + side["area"][kept]
        order = np.argsort(key)
        sides.append((key[order], side["m2"][kept][order]))
    (a, a_m2), (b, b_m2) = sides
    same, here, there = np.intersect1d(a, b, return_indices=True)
    most = np.abs(a_m2[here] - b_m2[there]).max() if len(same) else np.nan
    return f"{len(a):,} pairs, {len(a) - len(same)} only here, {len(b) - len(same)} only there, largest difference {most:.1e} m2"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pieces", type=Path, default=None, help="prepared before, or to be written here")
    parser.add_argument("--peers", type=int, default=500_000, help="candidates for the peers at most")
    parser.add_argument("--without", action="append", default=[], choices=("geopandas", "postgis"))
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        work(asked.job, asked.work, asked)
        return
    with tempfile.TemporaryDirectory(prefix="engine") as name:
        Path(name).chmod(0o755)
        compare(Path(name), asked)


def compare(folder: Path, asked: argparse.Namespace) -> None:
    asked.pieces = asked.pieces or folder / "pieces.arrow"
    candidates = asked.folder / "candidates.parquet"
    count = pq.read_metadata(candidates).num_rows
    every = every_of(count, asked)
    # in a process too: a child is said to have held at least what its parent holds
    alone("samples", folder, asked)
    told = {}
    jobs = ["read_whole", "read_by_groups", "rivergis", "rivergis_shapes", "changed"]
    jobs = [
        *([] if asked.pieces.exists() else ["prepare"]),
        *jobs,
        *(p for p in ("geopandas", "postgis") if p not in asked.without),
    ]
    whole = f"{count:,}"
    few = f"{-(-count // every):,}"
    sizes = {"changed": f"{-(-count // CHANGED):,}", "geopandas": few, "postgis": few, "prepare": "-"}
    print(
        f"{'':16} {'candidates':>11} {'CPU s':>8} {'to whole read':>14} {'to read by groups':>18} {'MiB':>6} {'wall s':>7}"
    )
    for job in jobs:
        told[job] = alone(job, folder, asked)
        own = [
            float(told[job]["cpu"]) / float(told[r]["cpu"]) if r in told else np.nan
            for r in ("read_whole", "read_by_groups")
        ]
        print(
            f"{job:16} {sizes.get(job, whole):>11} {float(told[job]['cpu']):8.1f} {own[0]:14.2f} {own[1]:18.2f} "
            f"{float(told[job]['mib']):6.0f} {float(told[job]['wall']):7.0f}",
            flush=True,
        )
    print(f"changed / full: 1/{float(told['rivergis']['cpu']) / float(told['changed']['cpu']):.1f}")
    print(f"rivergis and the changed night: {difference(told['rivergis'], told['changed'], CHANGED)}")
    for peer in ("geopandas", "postgis"):
        if peer in told:
            print(f"rivergis and {peer}: {difference(told['rivergis'], told[peer], every)}")


if __name__ == "__main__":
    main()
