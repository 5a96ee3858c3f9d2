"""The night of a county in the database: what do 3,000 reaches and 20,000 candidates cost, and what does nothing new cost?

Run: .venv/bin/python benchmarks/encroachment_night.py [--reaches N] [--candidates N] [--vertices N] [--near SHARE] [--profile]
Loads a county like the province of ``encroachment_province.py`` through the doors of its layers, runs a first night (the cache
of prepared ground is built), the same night again, a night on which nothing was delivered, and one on which everything was
delivered anew and one per cent changed. Says where the time of the first goes. ``--near``: share of the candidates that stand
within 300 m of a river.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from encroachment_province import CANDIDATES, DRAWN_IN, REACH_M, REACHES_PER_RIVER, RIVER_M, SORTS, Course, Plan

from rivergis import layers, rules
from rivergis.db import system, upgrade
from rivergis.db.cluster import Cluster
from rivergis.db.connect import Database, open_database
from rivergis.encroachment import store
from rivergis.jobs import nightly
from rivergis.jobs.layer_import import DOORS
from rivergis.settings import gis_dir

DAY = date(2026, 5, 20)
WORKS = {"footprints": "footprint", "landuse": "landuse", "remote_sensing": "remote_sensing", "inspector": "inspector"}


def put(db: Database, layer: str, frame: pd.DataFrame, shapes: Any = None) -> None:
    frame = frame.assign(source_feature=[str(i) for i in range(len(frame))])
    if shapes is not None:
        frame = gpd.GeoDataFrame(frame, geometry=list(shapes), crs=DRAWN_IN).rename_geometry("geom").to_crs(4490)
    with db.write("bench") as conn:
        saved = DOORS[layers.layer(layer).group](conn, layer, frame, namespace="bench", import_id=None)
    assert not saved.set_aside, saved.set_aside[:2]


def registers(db: Database, plan: Plan, courses: list[Course]) -> None:
    """Rivers with axes and villages every 10 km, chiefs on every bank, and an announced area for every reach."""
    codes = [f"R{r}" for r in range(len(courses))]
    marks = np.arange(0.0, RIVER_M + 1, 50.0)
    axes = [shapely.LineString(c.at(marks, np.zeros(len(marks)))) for c in courses]
    put(db, "river", pd.DataFrame({"code": codes, "name": [f"第{r}号河" for r in codes], "kind": "river"}))
    put(db, "axis", pd.DataFrame({"code": codes, "river_code": codes}), axes)
    put(
        db,
        "reach",
        pd.DataFrame({"code": codes, "river_code": codes, "kind": "river", "from_m": 0.0, "to_m": RIVER_M}),
        axes,
    )
    x0, y0, x1, y1 = shapely.total_bounds(np.array(axes))
    cells = [(x, y) for x in np.arange(x0 - 3000, x1 + 3000, 10_000) for y in np.arange(y0 - 3000, y1 + 3000, 10_000)]
    villages = pd.DataFrame(
        {
            "code": [f"500199001{n:03d}" for n in range(len(cells))],
            "name": [f"第{n}村" for n in range(len(cells))],
            "level": "village",
        }
    )
    put(
        db,
        "admin_unit",
        villages,
        [shapely.MultiPolygon([shapely.box(x, y, x + 10_000, y + 10_000)]) for x, y in cells],
    )
    put(
        db,
        "chief",
        pd.DataFrame({"code": codes, "name": [f"河长{r}" for r in codes], "level": "county", "title": "县级河长"}),
    )
    duties = pd.DataFrame(
        {"code": codes, "chief_code": codes, "river_code": codes, "level": "county", "from_m": 0.0, "to_m": RIVER_M}
    )
    put(db, "duty", duties)
    names = [f"A{n}" for n in range(plan.reaches)]
    areas = [a for c in courses for a in c.areas(REACHES_PER_RIVER, plan.vertices)][: plan.reaches]
    acts = pd.DataFrame({
        "code": names, "version_code": names, "river_code": np.repeat(codes, REACHES_PER_RIVER)[: plan.reaches], "bank": "left",
        "basis": "announced", "announce_gov": "县人民政府", "announce_doc_no": "1号", "announced_on": date(2020, 1, 1),
        "xy_error_m": 0.5, "survey_scale": 2000,
    })  # fmt: skip
    put(db, "boundary_line", acts, [shapely.LineString(shapely.get_coordinates(a)[:2]) for a in areas])
    put(db, "boundary_area", acts[["code", "version_code"]], [shapely.MultiPolygon([a]) for a in areas])


def candidates(plan: Plan, courses: list[Course], near: float, seed: int = 0) -> gpd.GeoDataFrame:
    """Objects along the rivers and elsewhere, as the province draws them (without its very large ones)."""
    rng = plan.rng(CANDIDATES, seed)
    share = np.array([s[0] if s[3] < 10 or s[2] == "inspector" else 0.0 for s in SORTS])
    sort = rng.choice(len(SORTS), plan.candidates, p=share / share.sum())
    river = rng.integers(0, len(courses), plan.candidates)
    off = np.where(
        rng.random(plan.candidates) < near,
        rng.uniform(-300, 300, plan.candidates),
        rng.uniform(400, 1800, plan.candidates),
    )
    along = rng.uniform(0, min(RIVER_M, plan.reaches * REACH_M), plan.candidates)
    at = np.vstack([courses[r].at(np.array([a]), np.array([o])) for r, a, o in zip(river, along, off, strict=True)])
    shapes = np.empty(plan.candidates, object)
    for i, (_, _, _, _, draw) in enumerate(SORTS):
        if (sort == i).any():
            shapes[sort == i] = draw(rng, at[sort == i])
    frame = gpd.GeoDataFrame(geometry=list(shapes), crs=DRAWN_IN).rename_geometry("geom").to_crs(4490)
    kinds, sources = ([SORTS[i][k] for i in sort] for k in (1, 2))
    return frame.assign(
        code=[f"C{n}" for n in range(plan.candidates)], kind=kinds, source_kind=[WORKS[s] for s in sources], feed=sources,
        accuracy_m=[SORTS[i][3] for i in sort], evidence=[{}] * plan.candidates, source_feature="1",
    )  # fmt: skip


def deliver(db: Database, frame: gpd.GeoDataFrame, day: date) -> None:
    import_id = uuid.uuid4()
    with db.write("bench") as conn:
        store.save(conn, "candidate", frame, namespace="bench", import_id=import_id, delivered_on=day)
        system.record_import(
            conn, import_id=import_id, layer="candidate", file_name="c", file_sha256=import_id.hex, source_layer="c", profile="",
            options={}, source_crs=None, count_in=0, count_imported=0, count_unchanged=0, count_quarantined=0, count_skipped=0, report={},
        )  # fmt: skip


def timed(what: str, job: Callable[[], Any]) -> Any:
    start, used = time.perf_counter(), time.process_time()
    out = job()
    print(
        f"{what:60} {time.perf_counter() - start:7.1f} s   of it here {time.process_time() - used:7.1f} s", flush=True
    )
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reaches", type=int, default=3_000)
    parser.add_argument("--candidates", type=int, default=20_000)
    parser.add_argument("--vertices", type=int, default=1_000)
    parser.add_argument("--near", type=float, default=0.5)
    parser.add_argument("--profile", action="store_true", help="say where the time of the first night goes")
    asked = parser.parse_args()
    plan = Plan(asked.reaches, asked.vertices, asked.candidates, 0, 7, False)
    book = rules.load(gis_dir() / "rules")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        cluster = Cluster(home / "data", durable=False)
        cluster.start()
        try:
            db = open_database(None, home / "data", "bench")
            upgrade.upgrade(db)
            courses = [Course(plan, r) for r in range(plan.rivers)]
            frame = candidates(plan, courses, asked.near)
            timed("registers and areas in", lambda: registers(db, plan, courses))
            timed(f"{len(frame):,} candidates in", lambda: deliver(db, frame, DAY))

            def night(n: int) -> nightly.NightResult:
                where = {"adcode": "500199", "store_dir": home / "store", "report_dir": home / "reports"}
                return nightly.run(db, book, DAY + timedelta(days=n), "bench", **where)

            profile = cProfile.Profile()
            first = timed("first night", lambda: profile.runcall(night, 0) if asked.profile else night(0))
            print(first.counts["topics"]["encroachment"], first.counts["not_told"])
            timed("the same night again", lambda: night(0))
            timed("a night on which nothing was delivered", lambda: night(1))
            again = frame.copy()
            moved = again.index % 100 == 0
            again.loc[moved, "geom"] = again.loc[moved, "geom"].translate(0.00003, 0.00003)
            timed(
                "everything delivered anew, one per cent changed", lambda: deliver(db, again, DAY + timedelta(days=2))
            )
            print(timed("the night after that", lambda: night(2)).counts["topics"]["encroachment"])
            if asked.profile:
                pstats.Stats(profile).sort_stats("cumtime").print_stats("rivergis", 40)
            db.close()
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
