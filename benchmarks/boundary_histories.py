"""Random histories of drafts of boundary lines: no lost edit, no vanished case, bit-exact replay of any revision, moment and day.

    .venv/bin/python -m benchmarks.boundary_histories --histories 1000

Planners save on old pictures, people move drafts on in whatever order, some drafts are announced and replace the line before; a
night looks at the same houses after every lot. Every fault is printed; exit 1 with any.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import text
from tests.boundary.draft_ground import ground
from tests.boundary.histories import law, play
from tests.encroachment.night_ground import FIRST, deliver, leads, night, statuses

from rivergis.db import upgrade
from rivergis.db.cluster import Cluster
from rivergis.db.connect import Database, now_of, open_database

HOUSES = {f"h{n}": ("building", (120 + 150 * n, (-90, 75, 40, -30)[n % 4], 20, 12)) for n in range(12)}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--histories", type=int, default=1000)
    asked.add_argument("--lot", type=int, default=50, help="histories in one database")
    asked.add_argument("--seed", type=int, default=1)
    args = asked.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="rivergis-histories-", dir="/tmp"))
    folder.chmod(0o755)
    total: Counter[str] = Counter()
    faults: list[str] = []
    began = time.perf_counter()
    try:
        for lot in range(0, args.histories, args.lot):
            db = open_database(None, folder / "data", f"histories{lot}")
            upgrade.upgrade(db)
            told, found = one_lot(
                db, random.Random(args.seed * 100_003 + lot), min(args.lot, args.histories - lot), folder
            )
            total += told
            faults += [f"lot {lot}: {f}" for f in found]
            db.close()
            print(
                f"{lot + args.lot:>6} histories  {dict(total)}  faults {len(faults)}  {time.perf_counter() - began:.0f} s",
                flush=True,
            )
    finally:
        Cluster(folder / "data").stop()
    print("\n".join(faults[:40]) or "no fault")
    sys.exit(1 if faults else 0)


def one_lot(db: Database, rng: random.Random, count: int, folder: Path) -> tuple[Counter[str], list[str]]:
    ground(db)
    deliver(db, FIRST, "a", HOUSES)
    night(db, folder, 0)
    cases = {str(r["id"]) for r in leads(db, 0).values()}
    total: Counter[str] = Counter()
    faults: list[str] = []
    days = {}
    for n in range(count):
        day = date(2026, 6, 2) + timedelta(days=n)
        told = play(db, rng, f"H{n}", day, folder, steps=10)
        faults += told.faults
        total.update(
            histories=1, revisions=len(told.pictures) - 1, saved=told.saved, merged=told.merged, conflicts=told.conflicts,
            refused=told.refused, announced=told.announced is not None,
        )  # fmt: skip
        with db.read() as conn:
            days[day] = (law(db, day), now_of(conn))
        if n % 10 == 9:
            faults += vanished(db, day, folder, cases)
    faults += [f"the law of {d} is not what it was" for d, (seen, known) in days.items() if law(db, d, known) != seen]
    return total, faults


def vanished(db: Database, day: date, folder: Path, cases: set[str]) -> list[str]:
    """Cases that a night after a redraw no longer tells, or tells under another identity."""
    deliver(db, day, "a", HOUSES)
    number = (day - FIRST).days
    night(db, folder, number)
    with db.read() as conn:
        held = {str(i) for i in conn.execute(text("SELECT id FROM app.case_as_of(:d)"), {"d": day}).scalars()}
    said = statuses(db, number)
    return [f"{day}: case {c} vanished" for c in cases - held] + [
        f"{day}: {h} is not told" for h in set(HOUSES) - set(said)
    ]


if __name__ == "__main__":
    main()
