"""From nothing to findings: the demo county, its nights, and a real region where an extract is given.

Run: .venv/bin/python benchmarks/first_night.py [EXTRACT.gpkg]
The second run of each night is the peer: it recognises its inputs and must cost next to nothing.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rivergis import rules
from rivergis.boundary import workflow as boundary_workflow
from rivergis.db import upgrade
from rivergis.db.cluster import Cluster
from rivergis.db.connect import Database, open_database
from rivergis.intake import profile
from rivergis.jobs import demo, nightly, receive
from rivergis.river import workflow as river_workflow
from rivergis.settings import gis_dir

RULES = gis_dir() / "rules"
NIGHT = date(2026, 5, 20)


def timed(what: str, job: Callable[[], Any]) -> float:
    start = time.perf_counter()
    job()
    seconds = time.perf_counter() - start
    print(f"{what:52} {seconds:6.2f} s")
    return seconds


def county(db: Database, home: Path) -> None:
    book = rules.load(RULES)
    folder = gis_dir().parent / "data" / "demo_county"
    where = {"rules_dir": RULES, "store_dir": home / "store", "report_dir": home / "reports"}
    timed("demo county: files, tracks, images, three nights", lambda: demo.load(db, book, folder, "bench", **where))
    timed("demo county again (nothing to do)", lambda: demo.load(db, book, folder, "bench", **where))
    night(db, home, "demo county", NIGHT + timedelta(days=1))


def night(db: Database, home: Path, label: str, day: date) -> None:
    book = rules.load(RULES)

    def run() -> None:
        nightly.run(db, book, day, "bench", adcode=None, store_dir=home / "store", report_dir=home / "reports")

    first, again = timed(f"night, {label}", run), timed(f"night again, {label}", run)
    print(f"{'':52} ratio {again / first:.3f}")


def region(db: Database, home: Path, extract: Path) -> None:
    book, osm = rules.load(RULES), profile.load("osm", RULES)
    options = receive.Options(namespace="osm", delivered_on=NIGHT)
    timed("region: import", lambda: receive.import_all(db, extract, actor="bench", profile=osm, options=options))
    timed("region: axes", lambda: river_workflow.build_axes(db, "bench"))
    timed("region: surrogate areas", lambda: boundary_workflow.make_surrogates(db, book, NIGHT, "bench"))
    night(db, home, "region", NIGHT)


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="rg-bench-", dir="/tmp"))
    home.chmod(0o755)
    cluster = Cluster(home / "data")
    try:
        timed("nothing to an upgraded database", lambda: upgrade.upgrade(open_database(None, home / "data", "county")))
        county(open_database(None, home / "data", "county"), home / "county")
        if len(sys.argv) > 1:
            db = open_database(None, home / "data", "region")
            upgrade.upgrade(db)
            region(db, home / "region", Path(sys.argv[1]))
    finally:
        cluster.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
