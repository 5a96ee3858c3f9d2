"""One night in a process of its own, measured: seconds, processor of the process and of the server, memory at most.

Run: .venv/bin/python benchmarks/night_measure.py DATA_DIR DATABASE DAY [NAME=VALUE ...]
No question of its own; what the libraries take to load is not counted, nor is the morning page, which is not written. Names and values go to ``nightly.run`` as they are.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measured:
    """What a night took: wall clock, processor of the process and of the database server (s), memory of the process (MiB)."""

    wall_s: float
    cpu_s: float
    server_s: float
    rss_mib: float
    counts: dict[str, Any]

    @property
    def both_s(self) -> float:
        return self.cpu_s + self.server_s

    def row(self, what: str) -> str:
        return f"{what:54} {self.wall_s:8.2f} {self.cpu_s:8.2f} {self.server_s:8.2f} {self.rss_mib:6.0f}"


HEAD = f"{'':54} {'wall s':>8} {'CPU s':>8} {'server':>8} {'MiB':>6}"


def measured(data_dir: Path, name: str, day: date, **more: Any) -> Measured:
    """Run a night of a database in a new process and say what it took."""
    words = [f"{k}={json.dumps(v)}" for k, v in more.items()]
    command = [sys.executable, __file__, str(data_dir), name, str(day), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def server_cpu_s(data_dir: Path) -> float:
    """Processor that the server of a data folder has used so far, with what its ended processes had used."""
    from rivergis.db.cluster import Cluster

    first = int((Cluster(data_dir).pgdata / "postmaster.pid").read_text().split()[0])
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            said = (folder / "stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(folder.name) == first:
            ticks += sum(int(x) for x in said[11:15])
        elif int(said[1]) == first:
            ticks += int(said[11]) + int(said[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    from rivergis import rules
    from rivergis.db.connect import open_database
    from rivergis.jobs import nightly
    from rivergis.settings import gis_dir

    data_dir, name, day = Path(sys.argv[1]), sys.argv[2], date.fromisoformat(sys.argv[3])
    more = {k: json.loads(v) for k, _, v in (word.partition("=") for word in sys.argv[4:])}
    db, book = open_database(None, data_dir, name), rules.load(gis_dir() / "rules")
    server, used, start = server_cpu_s(data_dir), time.process_time(), time.perf_counter()
    result = nightly.run(db, book, day, "world", store_dir=data_dir / "store" / name, report_dir=None, **more)
    wall_s, cpu_s = time.perf_counter() - start, time.process_time() - used
    db.close()
    said = {
        "wall_s": wall_s, "cpu_s": cpu_s, "server_s": server_cpu_s(data_dir) - server,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "counts": result.counts,
    }  # fmt: skip
    print(json.dumps(said, default=str))


if __name__ == "__main__":
    main()
