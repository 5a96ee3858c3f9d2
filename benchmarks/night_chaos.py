"""Is the ledger the same bytes when nights are killed at random points and taken up again; and what is said when they cannot go on?

Run: .venv/bin/python benchmarks/night_chaos.py [--points 100] [--seed 1] [--nights 20] [--candidates 120] [--ways kill term ...]
     .venv/bin/python benchmarks/night_chaos.py --faults
Runs ``rivergis nightly run`` in processes on the made-up district of ``nights_world.py``: first undisturbed, then on a copy of the
same database with each night stopped at random points (kill -9, SIGTERM, SIGINT, the server's process killed or told to end, the
whole server stopped) until so many have met a running night, and resumed. After every night the canonical export must be the
bytes of the undisturbed one. ``--faults``: two runs at once, the server stopped, a full disk under the reports, under the
database and a limit on the size of files; what each says, and whether anything half written is left. A full disk is made of a
tmpfs, which needs the right to mount; without it that part is said to be left out.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import night_bed
from night_bed import STOPS, Bed, Ended
from nights_world import World

EXPECTED = {"kill": {-9}, "term": {-15, 130, 143}, "int": {130}, "backend": {6}, "terminated": {6}, "server": {6}}
FULL_MB = 4


def chaos(bed: Bed, world: World, nights: int, points: int, seed: int, ways: list[str]) -> bool:
    """Nights stopped at ``points`` random points in all; False where a byte differs or something is said wrongly."""
    bed.made("base", world)
    bed.copy("calm", "base")
    bed.copy("wild", "base")
    began = time.monotonic()
    calm = night_bed.nights(bed, "calm", world, nights)
    print(f"{nights} undisturbed nights: {time.monotonic() - began:.0f} s, {bed.canonical('calm').records}", flush=True)
    rng, done, faults = random.Random(seed), Counter[str](), 0
    left = points
    for n, (want, worked_s) in enumerate(calm):
        bed.bring("wild", world, n)
        bed.copy("before", "wild")
        here = -(-left // (nights - n))
        for _ in range(here * 3):
            if here <= 0:
                break
            way = rng.choice(ways)
            ended = bed.stopped("wild", world.day(n), way, night_bed.moment(rng, worked_s))
            if not ended.hit:  # it was done before: the night is taken back and stopped at another point
                done["came too late"] += 1
                bed.copy("wild", "before")
                continue
            done["met a running night"] += 1
            done[way] += 1
            left, here = left - 1, here - 1
            faults += _told_wrongly(n, way, ended)
        if rng.random() < 0.5:
            bed.run("wild", None)  # --resume; where the night had not begun yet it says that there is none
        ended = bed.run("wild", world.day(n))
        faults += _compared(bed, "wild", n, want, ended)
    print(f"{dict(done)}, {faults} faults, {time.monotonic() - began:.0f} s in all")
    return not faults and _nothing_twice(bed, "wild")


def _told_wrongly(n: int, way: str, ended: Ended) -> int:
    """Whether a stopped night said more or less than one sentence, or left with another code than it should."""
    bad = ended.code not in EXPECTED[way] | {0} or len(ended.sentences) > 1 or "Traceback" in "".join(ended.said)
    bad |= way in ("int", "backend", "terminated", "server") and ended.code != 0 and len(ended.sentences) != 1
    if bad:
        print(f"  night {n}, {way}: exit {ended.code}, said {ended.sentences}", flush=True)
    return int(bad)


def _compared(bed: Bed, name: str, n: int, want: str, ended: Ended) -> int:
    got = bed.canonical(name)
    if ended.code == 0 and got.sha256 == want:
        return 0
    print(
        f"  night {n}: exit {ended.code}, {ended.sentences}, {'same' if got.sha256 == want else 'OTHER'} bytes",
        flush=True,
    )
    return 1


def _nothing_twice(bed: Bed, name: str) -> bool:
    query = """SELECT job, run_date, district, count(*) FROM sys.job_run WHERE state = 'done'
      GROUP BY 1, 2, 3 HAVING count(*) > 1 ORDER BY 1, 2, 3"""
    twice = bed.asked(name, query)
    for row in twice[:10]:
        print(f"  recorded more than once: {row}")
    return not twice


# ---- what is said when a night cannot go on ------------------------------------------------------------------------


def faults(bed: Bed, world: World) -> bool:
    """Every fault on a copy of one database with two nights behind it."""
    bed.made("base", world)
    night_bed.nights(bed, "base", world, 2)
    bed.bring("base", world, 3)  # the second night is missed
    day = world.day(3)
    bed.copy("calm", "base")
    worked_s = bed.run("calm", day).worked_s
    want = bed.canonical("calm").sha256
    good = True
    for what, run in (("two at once", _two), ("server stopped", _gone), ("limit on file size", _limited)):
        good &= _shown(bed, what, day, want, run(bed, day, worked_s))
    if not _may_mount():
        print("a full disk: left out, this machine does not let a tmpfs be mounted")
        return good
    good &= _shown(bed, "reports on a full disk", day, want, _reports_full(bed, day, worked_s))
    return good & _shown(bed, "database on a full disk", day, want, _database_full(bed, day, worked_s))


def _shown(bed: Bed, what: str, day: date, want: str, ended: Ended) -> bool:
    """What a fault said; the same night afterwards must give what an undisturbed one gives."""
    after = bed.run("wild", day)
    same = bed.canonical("wild").sha256 == want and after.code == 0
    one = len(ended.sentences) == 1 and ended.code in (4, 5, 6)
    print(f"{what}: exit {ended.code}, {ended.sentences}")
    print(
        f"    {'one sentence' if one else 'NOT one sentence'}; afterwards {'the same bytes' if same else 'OTHER bytes'}",
        flush=True,
    )
    return same and one


def _two(bed: Bed, day: date, worked_s: float) -> Ended:
    bed.copy("wild", "base")
    first = bed.begin("wild", day)
    with first.held():
        second = bed.begin("wild", day).ended()
    assert first.ended().code == 0
    return second


def _gone(bed: Bed, day: date, worked_s: float) -> Ended:
    bed.copy("wild", "base")
    night = bed.begin("wild", day)
    with night.held(worked_s / 4):
        bed.cluster.stop()
    return night.ended()


def _limited(bed: Bed, day: date, worked_s: float) -> Ended:
    """Files of at most 16 kB: the server runs elsewhere and is not concerned, the report is."""
    bed.copy("wild", "base")
    return bed.run("wild", day, prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, 16_384)))


def _reports_full(bed: Bed, day: date, worked_s: float) -> Ended:
    bed.copy("wild", "base")
    folder = bed.data_dir / "reports" / "wild"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with small_disk(folder, 1):
        (folder / "ballast").write_bytes(b"0" * 1_020_000)
        return bed.run("wild", day)


def _database_full(bed: Bed, day: date, worked_s: float) -> Ended:
    """The database in a tablespace that has room for a little more than it already holds; moved back afterwards."""
    size = int(str(bed.asked("base", "SELECT pg_database_size('base')")[0][0]))
    folder = Path(tempfile.mkdtemp(prefix="tight-", dir=bed.data_dir.parent))
    with small_disk(folder, -(-size // 2**20) + FULL_MB):
        if bed.cluster.user is not None:
            os.chown(folder, bed.cluster.user.pw_uid, bed.cluster.user.pw_gid)
        bed.admin(f"CREATE TABLESPACE tight LOCATION '{folder}'")
        bed.copy("wild", "base", "tight")
        (folder / "ballast").write_bytes(b"0" * max(0, shutil.disk_usage(folder).free - 200_000))
        ended = bed.run("wild", day)
        (folder / "ballast").unlink()
        bed.admin('ALTER DATABASE "wild" SET TABLESPACE pg_default', "DROP TABLESPACE tight")
    return ended


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[None]:
    """A disk of so many MB at a folder."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=755", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _may_mount() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
        try:
            done = subprocess.run(command, capture_output=True).returncode == 0
        except OSError:
            return False
        if done:
            subprocess.run(["umount", folder], check=True)
        return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--candidates", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ways", nargs="+", choices=list(STOPS), default=list(STOPS))
    parser.add_argument("--faults", action="store_true")
    asked = parser.parse_args()
    world = World(seed=asked.seed, candidates=asked.candidates, nights=asked.nights)
    with tempfile.TemporaryDirectory(prefix="night-chaos-") as folder, night_bed.bed(Path(folder)) as bed:
        good = (
            faults(bed, world)
            if asked.faults
            else chaos(bed, world, asked.nights, asked.points, asked.seed, asked.ways)
        )
    print("as it should be" if good else "NOT as it should be")
    raise SystemExit(not good)


if __name__ == "__main__":
    main()
