"""A year of nights on the demo county: do ids stay, does anything drift, and how large does the database become?

Run: .venv/bin/python benchmarks/night_year.py [--nights 365] [--seed 1] [--jitter-m 0.5] [--missed 0.03] [--late-nights 0.05]
Loads ``data/demo_county`` without its own nights, then runs one night after the other in one process. Every feed delivers by a
cadence of its own and skips some; each delivery draws a tenth of its objects a little otherwise, misses some, and a few are
cleaned away for good or begin; some nights are not run at all, and the next one follows. Says, against what was planted: how many
ids an object had (one is right), sizes told as changed that did not change, open leads at the beginning and at the end, seconds
per night by quarter of the year, and bytes of every table.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import night_bed
import numpy as np
from sqlalchemy import text

from rivergis import rules
from rivergis.db import system, upgrade
from rivergis.db.connect import Database, read_frame
from rivergis.encroachment import store
from rivergis.intake import profile as profiles
from rivergis.jobs import nightly, receive
from rivergis.river import workflow as river_workflow
from rivergis.settings import gis_dir

COUNTY = Path(__file__).resolve().parents[1] / "data" / "demo_county"
START = date(2025, 11, 20)
CADENCE = (2, 3, 5, 7, 14)  # nights, by feed in the order of their names
NAMESPACE, ACTOR, ZONE = "demo", "world", 4544
REDRAWN, NEVER = 0.1, 100_000


@dataclass(frozen=True)
class Year:
    """What stands in the county, and from which night to which."""

    objects: gpd.GeoDataFrame
    seed: int
    nights: int
    jitter_m: float
    missed: float

    def delivery(self, feed: str, n: int) -> gpd.GeoDataFrame | None:
        """What a feed shows of the n-th night; None where it does not deliver."""
        feeds = sorted(set(self.objects["feed"]))
        number = feeds.index(feed)
        cadence = CADENCE[number % len(CADENCE)]
        rng = np.random.default_rng([self.seed, number, n])
        if n and ((n + number) % cadence or rng.random() < 0.1):
            return None
        mine = self.objects[self.objects["feed"] == feed]
        here = (mine["born"] <= n) & (n < mine["gone"])
        shown = here & ((rng.random(len(mine)) >= self.missed) | (n == 0))
        return self._drawn(mine, number, n, cadence)[shown]

    def _drawn(self, mine: gpd.GeoDataFrame, number: int, n: int, cadence: int) -> gpd.GeoDataFrame:
        """Each object as it was last drawn: a picture in ten draws it otherwise."""
        dx, dy = np.zeros(len(mine)), np.zeros(len(mine))
        for past in range(n + 1):
            if past and (past + number) % cadence:
                continue
            rng = np.random.default_rng([self.seed, 7, number, past])
            drawn = rng.random(len(mine)) < REDRAWN
            dx[drawn], dy[drawn] = (rng.normal(0, self.jitter_m, drawn.sum()) for _ in "xy")
        metric = mine.geometry.to_crs(ZONE)
        moved = [g if not (x or y) else _moved(g, x, y) for g, x, y in zip(metric, dx, dy, strict=True)]
        return mine.assign(geom=gpd.GeoSeries(moved, index=mine.index, crs=ZONE).to_crs(4490))


def _moved(shape: Any, dx: float, dy: float) -> Any:
    from shapely import affinity

    return affinity.translate(shape, dx, dy)


def load(db: Database, folder: Path, day: date) -> None:
    """The county as it comes, its objects among them."""
    upgrade.upgrade(db)
    profile = profiles.load("demo_county", gis_dir() / "rules")
    options = receive.Options(namespace=NAMESPACE, delivered_on=day)
    receive.import_all(
        db, folder / "county.gpkg", actor=ACTOR, profile=profile, options=options, progress=lambda _: None
    )
    river_workflow.orient(db, ACTOR)


def planted(db: Database, asked: argparse.Namespace) -> Year:
    """The objects of the county; one in twelve begins or ends within the year."""
    with db.read() as conn:
        frame = read_frame(
            conn,
            """SELECT code, feed, kind, source_kind, name, accuracy_m, seen_at, evidence, geom FROM app.candidate_as_of(:on)
            ORDER BY code""",
            {"on": START},
        )
    rng = np.random.default_rng([asked.seed, 99])
    fate = rng.random(len(frame))
    born = np.where(fate < 0.04, rng.integers(1, max(2, asked.nights), len(frame)), 0)
    gone = np.where((fate >= 0.04) & (fate < 0.08), rng.integers(1, max(2, asked.nights), len(frame)), NEVER)
    return Year(frame.assign(born=born, gone=gone), asked.seed, asked.nights, asked.jitter_m, asked.missed)


def bring(db: Database, year: Year, n: int) -> int:
    count = 0
    for feed in sorted(set(year.objects["feed"])):
        frame = year.delivery(feed, n)
        if frame is None:
            continue
        import_id = uuid.uuid5(uuid.NAMESPACE_OID, f"{year.seed}/{feed}/{n}")
        frame = frame.drop(columns=["born", "gone"]).assign(source_feature="1")
        with db.write(ACTOR) as conn:
            store.save(
                conn,
                "candidate",
                frame,
                namespace=NAMESPACE,
                import_id=import_id,
                feed=feed,
                delivered_on=START + timedelta(days=n),
            )
            system.record_import(
                conn, import_id=import_id, layer="candidate", file_name=f"{feed}-{n}.gpkg", file_sha256=import_id.hex,
                source_layer="x", profile="", options={}, source_crs=None, count_in=0, count_imported=0, count_unchanged=0,
                count_quarantined=0, count_skipped=0, report={},
            )  # fmt: skip
        count += len(frame)
    return count


def run(db: Database, year: Year, folder: Path, skipped: float) -> list[float]:
    """The nights in order; returns seconds of each that was run."""
    book = rules.load(gis_dir() / "rules")
    rng = np.random.default_rng([year.seed, 5])
    took = []
    for n in range(year.nights):
        bring(db, year, n)
        if n and rng.random() < skipped and n + 1 < year.nights:
            continue
        start = time.perf_counter()
        day = START + timedelta(days=n)
        nightly.run(db, book, day, ACTOR, store_dir=folder / "store", report_dir=None)
        took.append(time.perf_counter() - start)
        if len(took) % 30 == 0:
            print(f"  {len(took)} nights, the last {np.median(took[-30:]):.2f} s each", flush=True)
    return took


def told(db: Database, year: Year) -> bool:
    """Ids per object, changes of size that nobody planted, leads that are open; False where an object had two ids."""
    ids: dict[str, set[str]] = {}
    with db.read() as conn:
        rows = conn.execute(
            text("""SELECT s.finding_id, x ->> 'code' FROM data.sighting s JOIN data.finding f ON f.id = s.finding_id,
              jsonb_array_elements(s.sources) x WHERE f.topic = 'encroachment' AND x ? 'code'""")
        )
        for finding, code in rows:
            ids.setdefault(str(code), set()).add(str(finding))
        statuses: dict[str, int] = dict(
            conn.execute(
                text("""SELECT s.status, count(*) FROM data.sighting s JOIN data.finding f ON f.id = s.finding_id
                WHERE f.topic = 'encroachment' GROUP BY s.status ORDER BY s.status""")
            ).all()
        )
        findings = conn.execute(text("SELECT count(*) FROM data.finding WHERE topic = 'encroachment'")).scalar()
    several = {code: len(found) for code, found in ids.items() if len(found) > 1}
    fates = year.objects.set_index("code")
    born = sum(int(fates["born"].get(c, 0)) > 0 for c in ids)
    gone = sum(int(fates["gone"].get(c, NEVER)) < NEVER for c in ids)
    print(f"{len(ids)} objects were told by {findings} leads; more than one id: {several or 'none'}")
    print(f"sightings by status: {statuses}; planted among those told: {born} begun, {gone} cleaned away")
    return not several


def sizes(db: Database, shown: int = 14) -> None:
    """Bytes of the database and of its largest tables, and rows of each."""
    with db.read() as conn:
        total = int(conn.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
        rows = conn.execute(
            text("""SELECT n.nspname || '.' || c.relname, pg_total_relation_size(c.oid), c.reltuples::bigint
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND n.nspname IN ('data', 'sys', 'cache', 'list') ORDER BY 2 DESC LIMIT :n"""),
            {"n": shown},
        ).all()
    print(f"database {total / 2**20:.0f} MiB")
    for name, size, count in rows:
        print(f"  {name:32} {size / 2**20:9.1f} MiB {count:>10,} rows")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jitter-m", type=float, default=0.5)
    parser.add_argument("--missed", type=float, default=0.03)
    parser.add_argument("--late-nights", type=float, default=0.05, help="share of the nights that are not run")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="night-year-") as folder, night_bed.bed(Path(folder), durable=False) as bed:
        db = bed.database("year")
        load(db, COUNTY, START)
        year = planted(db, asked)
        sizes(db, 0)
        took = run(db, year, Path(folder), asked.late_nights)
        good = told(db, year)
        quarters = np.array_split(np.array(took), 4)
        print(f"{len(took)} nights run; seconds each by quarter: {[round(float(np.median(q)), 2) for q in quarters]}")
        with db.write(ACTOR) as conn:
            conn.execute(text("ANALYZE"))
        sizes(db)
        db.close()
    raise SystemExit(not good)


if __name__ == "__main__":
    main()
