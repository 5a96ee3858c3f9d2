"""What does a night cost in which one object in a hundred has changed, and one in which nothing has?

Run: .venv/bin/python benchmarks/night_delta.py [--candidates 20000] [--counties 10] [--rivers 15] [--reaches 20] [--vertices 200]
     [--near 0.3] [--changed 0.01]
On the made-up district of ``nights_world.py`` (as it comes 3,000 reaches with a delimitation each), every night in a new process
and without its morning page: a night without objects, which only prepares the lines; one in which everything is told for the first
time; the same again; nights that learn how large things are; one in which the feeds deliver everything anew and one per cent has changed, as it comes and, on a copy of the
database, in full; one in which only the one per cent is delivered, both ways. Ratios are of wall clock and of processor (process
and server together). The ledger of both ways must be the same bytes. To reach: 1/8 for one per cent, 2 % for nothing.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import night_bed
import nights_world
from night_bed import Bed
from night_measure import HEAD, Measured, measured
from nights_world import Delivery, World

LEARNT = (
    4  # night from which a lead has had the sights from which its size is learnt (encroach.nights.reference_sights)
)


def deliver(bed: Bed, world: World, n: int, *, only_changed: bool) -> int:
    """Everything that stands for the n-th night, or only what is not as it was the night before, as an addition."""
    db = bed.database("delta")
    before = {d.feed: d.frame for d in world.deliveries(n - 1)} if only_changed else {}
    count = 0
    for d in world.deliveries(n):
        frame = d.frame
        if only_changed and d.feed in before:
            old = before[d.feed].set_index("code").geometry.to_wkb()
            frame = frame[frame["code"].map(old) != frame.geometry.to_wkb()]
        nights_world.deliver(db, world, n, Delivery(d.feed, d.complete and not only_changed, frame))
        count += len(frame)
    db.close()
    return count


def both_ways(bed: Bed, world: World, n: int, what: str) -> bool:
    """A night as it comes, and in full on a copy of the same database."""
    bed.copy("full", "delta")
    full = measured(bed.data_dir, "full", world.day(n), full=True)
    print(full.row(f"{what}, in full"))
    delta = measured(bed.data_dir, "delta", world.day(n))
    print(delta.row(f"{what}, as it comes"))
    same = bed.canonical("full").sha256 == bed.canonical("delta").sha256
    print(f"    ratio {_ratio(delta, full)}, {'the same bytes' if same else 'OTHER bytes'}", flush=True)
    return same


def _ratio(part: Measured, whole: Measured) -> str:
    return f"{part.wall_s / whole.wall_s:.3f} of the time, {part.both_s / whole.both_s:.3f} of the processor"


def bench(bed: Bed, world: World) -> bool:
    start = time.perf_counter()
    bed.made("delta", world)
    print(f"registers of {len(world.cuts):,} reaches in: {time.perf_counter() - start:.0f} s\n{HEAD}", flush=True)
    print(measured(bed.data_dir, "delta", world.day(0)).row("no objects: lines prepared"), flush=True)
    count = deliver(bed, world, 1, only_changed=False)
    first = measured(bed.data_dir, "delta", world.day(1))
    print(first.row(f"{count:,} objects, all new"))
    print(f"    {first.counts['topics']['encroachment']['statuses']}, not told {first.counts['not_told']}")
    again = measured(bed.data_dir, "delta", world.day(1))
    print(again.row("the same night again"))
    print(f"    ratio {_ratio(again, first)}", flush=True)
    for n in range(2, LEARNT):
        deliver(bed, world, n, only_changed=False)
        print(
            measured(bed.data_dir, "delta", world.day(n)).row(f"sight {n} of each: sizes are learnt still"), flush=True
        )
    count = deliver(bed, world, LEARNT, only_changed=False)
    good = both_ways(bed, world, LEARNT, f"{count:,} delivered anew, {world.changed:.0%} changed")
    count = deliver(bed, world, LEARNT + 1, only_changed=True)
    return both_ways(bed, world, LEARNT + 1, f"{count:,} added: only what has changed") and good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("candidates", 20_000), ("counties", 10), ("rivers", 15), ("reaches", 20), ("vertices", 200)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--near", type=float, default=0.3)
    parser.add_argument("--changed", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=1)
    world = replace(World(nights=30, cadence=False, missed=0.0), **vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="night-delta-") as folder, night_bed.bed(Path(folder)) as bed:
        raise SystemExit(not bench(bed, world))


if __name__ == "__main__":
    main()
