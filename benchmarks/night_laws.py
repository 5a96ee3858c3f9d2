"""Does it matter how a night is worked out? Whole or by what changed, in large parts or small, county by county, in any order.

Run: .venv/bin/python benchmarks/night_laws.py [--seeds 1 2 3] [--nights 15] [--candidates 150] [--counties 3] [--rivers 2]
     [--ways full small ...]
Runs the nights of the made-up district of ``nights_world.py`` on copies of one database, each in a way of its own, and compares the
canonical export after every night. The first night and lines that differ are shown.
"""

from __future__ import annotations

import argparse
import difflib
import functools
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import night_bed
import nights_world
from night_bed import Bed
from nights_world import World

from rivergis import rules
from rivergis.db.connect import Database
from rivergis.encroachment import canonical_files, plan_workflow
from rivergis.jobs import nightly
from rivergis.settings import gis_dir

STATUSES = (
    "new",
    "persisting",
    "grown",
    "shrunk",
    "gone",
    "rebound",
    "split",
    "merged",
    "unobserved",
    "permitted",
    "missed",
    "left_by_redraw",
)


@dataclass(frozen=True)
class Place:
    """A database and the folder its nights write to."""

    db: Database
    world: World
    folder: Path
    book: rules.RuleBook

    def night(self, n: int, **more: Any) -> nightly.NightResult:
        where: dict[str, Any] = {"store_dir": self.folder / "store", "report_dir": None}
        return nightly.run(self.db, self.book, self.world.day(n), nights_world.ACTOR, **where, **more)

    def canonical(self) -> list[str]:
        with self.db.read() as conn:
            return [line.decode() for _, line in canonical_files.lines(conn)]


@contextmanager
def parts_of(size: int) -> Iterator[None]:
    """Nights worked out in parts of so many things."""
    plan = plan_workflow.plan
    plan_workflow.plan = functools.partial(plan, chunk=size)
    try:
        yield
    finally:
        plan_workflow.plan = plan


def by_change(at: Place, n: int) -> None:
    at.night(n)


def full(at: Place, n: int) -> None:
    at.night(n, full=True)


def now_and_then_full(at: Place, n: int) -> None:
    at.night(n, full=n % 3 == 1)


def small(at: Place, n: int) -> None:
    with parts_of(3):
        at.night(n)


def districts(at: Place, n: int) -> None:
    """One county after the other, from the last to the first, in small parts; then what is left."""
    with parts_of(3):
        for district in reversed(at.world.districts):
            at.night(n, district=district)
        at.night(n)


def twice(at: Place, n: int) -> None:
    at.night(n)
    before = at.canonical()
    assert not at.night(n).changed
    assert at.canonical() == before


WAYS: dict[str, Callable[[Place, int], None]] = {
    f.__name__: f for f in (by_change, full, now_and_then_full, small, districts, twice)
}


def differs(want: list[str], got: list[str], shown: int = 6) -> list[str]:
    """The first lines that two ledgers do not share."""
    lines = difflib.unified_diff(want, got, n=0, lineterm="")
    return [line.rstrip("\n")[:1200] for line in lines if line[:3] not in ("---", "+++") and line[:2] != "@@"][:shown]


def law(bed: Bed, world: World, folder: Path, ways: list[str]) -> bool:
    """Every way on a copy of the district, night by night beside the plain one."""
    base = f"base{world.seed}"
    bed.made(base, world)
    book = rules.load(gis_dir() / "rules")
    places = {}
    for way in ["by_change", *ways]:
        name = f"{base}_{way}"
        bed.copy(name, base)
        places[way] = Place(bed.database(name), world, folder / name, book)
    good, left = True, list(ways)
    start = time.perf_counter()
    for n in range(world.nights):
        for place in places.values():
            nights_world.bring(place.db, world, n)
        by_change(places["by_change"], n)
        want = places["by_change"].canonical()
        for way in list(left):
            WAYS[way](places[way], n)
            lines = differs(want, places[way].canonical())
            if lines:
                print(f"seed {world.seed}, night {n}: {way} differs from by_change")
                print(*(f"    {line}" for line in lines), sep="\n", flush=True)
                left.remove(way)
                good = False
    seconds = time.perf_counter() - start
    print(
        f"seed {world.seed}: {len(want)} lines, the same by {', '.join(left) or 'no way'}; {seconds:.0f} s", flush=True
    )
    for place in places.values():
        place.db.close()
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    for name, default in (("nights", 15), ("candidates", 150), ("counties", 3), ("rivers", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    others = [w for w in WAYS if w != "by_change"]
    parser.add_argument("--ways", nargs="+", choices=others, default=others)
    asked = parser.parse_args()
    world = World(
        counties=asked.counties, rivers=asked.rivers, candidates=asked.candidates, nights=asked.nights, changed=0.2
    )
    with (
        tempfile.TemporaryDirectory(prefix="night-laws-") as folder,
        night_bed.bed(Path(folder), durable=False) as bed,
    ):
        good = [law(bed, replace(world, seed=seed), Path(folder), asked.ways) for seed in asked.seeds]
    raise SystemExit(not all(good))


if __name__ == "__main__":
    main()
