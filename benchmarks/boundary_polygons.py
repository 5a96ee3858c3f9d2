"""81,000 management areas: how long rivergis and a plain topology check in PostGIS take, and which planted faults each finds.

Run: .venv/bin/python benchmarks/boundary_polygons.py [--areas 81000] [--seed 1] [--without-postgis]
A province of rivers is drawn in metres, written as GeoPackage in EPSG:4490 and read again by both in one run. Neighbours share the edge at
their node, but each has vertices of its own that are some centimetres off, as two hands draw them; tributaries end on the trunk. Faults with
truth: unclosed rings, crossing rings, slivers, overlaps, slits, areas twice, scratches (holes without width); islands are no fault. The plain
check is what a desk does: ``ST_IsValid``, then a self join by ``ST_Overlaps``/``ST_Contains`` with ``ST_Area(ST_Intersection)``, with and without
a limit in m2, and ``ST_Equals``. Found = a report of the same kind that names one of the areas of the fault.
"""

from __future__ import annotations

import argparse
import io
import itertools
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from rivergis import crs
from rivergis.boundary.doctor.areas_check import check_areas

ZONE = "EPSG:4547"
EACH = 60  # faults of each kind
KINDS = (
    "area_not_closed",
    "area_self_crossing",
    "sliver_area",
    "area_overlap",
    "area_gap",
    "area_duplicate",
    "area_hole_sliver",
)
Truth = list[tuple[str, set[int]]]


# ---- a province with its faults -------------------------------------------------------------------------------------


def rivers(count: int, rng: np.random.Generator) -> list[Any]:
    """Chains of 100 areas, one above the other, each with 60 to 140 vertices."""
    made: list[Any] = []
    for k in range(-(-count // 100)):
        y, bend, wide = 100_000 + 600 * k, rng.uniform(250, 600), rng.uniform(20, 120)
        nodes = np.r_[0, np.cumsum(rng.uniform(500, 900, 100))]
        for a, b in itertools.pairwise(nodes):
            banks = []
            for side in (1, -1):
                x = np.r_[a, np.sort(rng.uniform(a + 1, b - 1, int(rng.integers(30, 70)))), b]
                banks.append(np.column_stack([450_000 + x, y + 80 * np.sin(x / bend) + side * wide]))
            ring = np.vstack([banks[0], banks[1][::-1]])
            shaken = shapely.Polygon(ring + rng.uniform(-0.01, 0.01, ring.shape))
            made.append(shaken if shaken.is_valid else shapely.Polygon(ring))
    return made[:count]


def spoil(areas: list[Any], rng: np.random.Generator) -> tuple[list[Any], Truth]:
    """Plant every kind of fault at areas that are not neighbours of each other; some areas get a lawful island."""
    places = rng.permutation(np.arange(2, len(areas) - 2, 5))[: EACH * (len(KINDS) + 1)]
    truth: Truth = []
    for n, k in enumerate(places.tolist()):
        kind = KINDS[n // EACH] if n // EACH < len(KINDS) else "island"
        inner = areas[k].representative_point()
        xy = shapely.get_coordinates(areas[k])
        if kind == "area_not_closed":
            areas[k] = shapely.LineString(np.vstack([xy[:-1], xy[0] + rng.uniform(0.5, 4, 2)]))
        elif kind == "area_self_crossing":
            crossed = shapely.Polygon(np.vstack([xy[:5], xy[4] + (9, -9), xy[4] + (9, 9), xy[4] + (-4, 6), xy[5:]]))
            if crossed.is_valid:
                continue
            areas[k] = crossed
        elif kind == "sliver_area":
            bank = shapely.LineString(xy[3:20])
            areas.append(bank.buffer(rng.uniform(0.05, 0.4), single_sided=True))
            truth.append((kind, {len(areas) - 1}))
            continue
        elif kind in ("area_overlap", "area_gap"):
            # pulled out over the next area, or drawn back from it, at the downstream end
            by = rng.uniform(0.5, 1.6) * (1 if kind == "area_overlap" else -1)
            end = xy[:, 0] > xy[:, 0].max() - 2.0
            xy = xy.copy()
            xy[end, 0] += by
            if k % 100 == 99 or not shapely.Polygon(xy).is_valid:
                continue
            areas[k] = shapely.Polygon(xy)
        elif kind == "area_duplicate":
            areas.append(areas[k])
            truth.append((kind, {k, len(areas) - 1}))
            continue
        elif kind == "area_hole_sliver":
            areas[k] = areas[k].difference(shapely.box(inner.x - 6, inner.y, inner.x + 6, inner.y + 0.3))
        else:
            areas[k] = areas[k].difference(inner.buffer(8))
            continue
        truth.append((kind, {k}))
    return areas, truth


def write(path: Path, count: int, seed: int) -> Truth:
    rng = np.random.default_rng(seed)
    areas, truth = spoil(rivers(count, rng), rng)
    gpd.GeoDataFrame(geometry=areas, crs=ZONE).to_crs(crs.STORAGE).to_file(path, layer="areas", engine="pyogrio")
    return truth


# ---- the two checks -------------------------------------------------------------------------------------------------


def ours(path: Path) -> list[tuple[str, tuple[int, ...]]]:
    frame = pyogrio.read_dataframe(path).to_crs(ZONE)
    return [(d.code, d.rows) for d in check_areas(frame)]


PLAIN = {
    "area_self_crossing": "SELECT id, id FROM area WHERE NOT ST_IsValid(geom)",
    "area_not_closed": "SELECT id, id FROM area WHERE GeometryType(geom) NOT IN ('POLYGON', 'MULTIPOLYGON')",
    "area_duplicate": "SELECT a.id, b.id FROM area a JOIN area b ON a.geom && b.geom AND a.id < b.id AND ST_Equals(a.geom, b.geom) "
    "WHERE ST_IsValid(a.geom) AND ST_IsValid(b.geom)",
    "area_overlap": "SELECT a.id, b.id FROM area a JOIN area b ON a.geom && b.geom AND a.id < b.id "
    "AND (ST_Overlaps(a.geom, b.geom) OR ST_Contains(a.geom, b.geom) OR ST_Contains(b.geom, a.geom)) "
    "WHERE ST_IsValid(a.geom) AND ST_IsValid(b.geom) AND ST_Area(ST_Intersection(a.geom, b.geom)) >= {limit}",
}


def plain(path: Path, limit_m2: float, cursor: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Load, index, ask; slits, slivers and scratches are no questions of a plain check."""
    frame = pyogrio.read_dataframe(path).to_crs(ZONE)
    cursor.execute("DROP TABLE IF EXISTS area; CREATE UNLOGGED TABLE area (id int, geom geometry)")
    lines = "".join(f"{i}\t{w}\n" for i, w in enumerate(shapely.to_wkb(frame.geometry.to_numpy(), hex=True).tolist()))
    cursor.copy_expert("COPY area FROM STDIN", io.StringIO(lines))
    cursor.execute("CREATE INDEX ON area USING gist (geom); ANALYZE area")
    found: list[tuple[str, tuple[int, ...]]] = []
    for code, question in PLAIN.items():
        cursor.execute(question.format(limit=limit_m2))
        found += [(code, tuple(sorted({int(a), int(b)}))) for a, b in cursor.fetchall()]
    return found


# ---- one run --------------------------------------------------------------------------------------------------------


def score(found: list[tuple[str, tuple[int, ...]]], truth: Truth) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """(found, false, repeated) by code; a report at a planted place under another name is false too."""
    hit, false, again = Counter[str](), Counter[str](), Counter[str]()
    open_ = dict(enumerate(truth))
    for code, rows in found:
        fits = [i for i, (kind, named) in enumerate(truth) if kind == code and named & set(rows)]
        fresh = next((i for i in fits if i in open_), None)
        if fresh is not None:
            del open_[fresh]
            hit[code] += 1
        else:
            (again if fits else false)[code] += 1
    return hit, false, again


def tell(name: str, seconds: float, found: list[tuple[str, tuple[int, ...]]], truth: Truth) -> None:
    hit, false, again = score(found, truth)
    planted = Counter(kind for kind, _ in truth)
    print(
        f"\n{name}: {seconds:.1f} s, found {hit.total()} of {len(truth)}, false {false.total()}, repeated {again.total()}"
    )
    for code in sorted(planted | false):
        print(f"  {code:22}{hit[code]:5} of{planted[code]:4}   false {false[code]:6}   repeated {again[code]}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--areas", type=int, default=81_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--without-postgis", action="store_true")
    args = asked.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "areas.gpkg"
        truth = write(path, args.areas, args.seed)
        print(
            f"{args.areas:,} areas, {path.stat().st_size / 1e6:.0f} MB, {len(truth)} faults planted, seed {args.seed}; from the file to the answer"
        )
        start = time.perf_counter()
        tell("rivergis", *_timed(lambda: ours(path), start), truth)
        if not args.without_postgis:
            _beside(path, Path(folder), truth)


def _timed(ask: Any, start: float) -> tuple[float, Any]:
    found = ask()
    return time.perf_counter() - start, found


def _beside(path: Path, folder: Path, truth: Truth) -> None:
    """The same file in a fresh PostGIS of its own; starting the server is not counted."""
    from rivergis.db.cluster import Cluster
    from rivergis.db.connect import open_database

    cluster = Cluster(folder / "data", durable=False)
    cluster.start()
    try:
        connection = open_database(None, folder / "data", "postgres").engine.raw_connection()
        cursor = connection.cursor()
        cursor.execute(
            "CREATE EXTENSION IF NOT EXISTS postgis; SET max_parallel_workers_per_gather = 0; SET work_mem = '256MB'"
        )
        for limit in (0.0, 5.0):
            start = time.perf_counter()
            tell(
                f"PostGIS, overlaps from {limit:g} m2",
                *_timed(lambda limit=limit: plain(path, limit, cursor), start),
                truth,
            )
        connection.close()
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
