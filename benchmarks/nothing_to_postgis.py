"""From an empty folder to PostGIS answering, against the server's own initdb and pg_ctl in the same run.

Run: .venv/bin/python benchmarks/nothing_to_postgis.py [RUNS]
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg2

from rivergis.db.cluster import Cluster, find_binaries


def ours(folder: Path) -> float:
    start = time.perf_counter()
    cluster = Cluster(folder)
    cluster.start()
    cluster.ensure_database("bench")
    connection = psycopg2.connect(cluster.dsn.replace("/postgres?", "/bench?"))
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION postgis; SELECT postgis_version()")
    seconds = time.perf_counter() - start
    connection.close()
    cluster.stop()
    return seconds


def plain(folder: Path, cluster: Cluster) -> float:
    """The least that any way must do: initdb and pg_ctl start, by the same user, without PostGIS."""
    programs, user = find_binaries(), cluster.user
    who = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    shutil.chown(folder, *((user.pw_uid, user.pw_gid) if user else (None, folder.group())))
    start = time.perf_counter()
    data = folder / "pg"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", **who}
    subprocess.run([programs.path("initdb"), "-D", str(data), "-A", "trust", "--no-sync"], check=True, **quiet)
    subprocess.run(
        [programs.path("pg_ctl"), "start", "-D", str(data), "-w", "-o", f"-k {folder} -c listen_addresses=''"],
        check=True,
        **quiet,
    )
    seconds = time.perf_counter() - start
    subprocess.run([programs.path("pg_ctl"), "stop", "-D", str(data), "-m", "immediate"], check=True, **quiet)
    return seconds


def main(runs: int) -> None:
    times: dict[str, list[float]] = {"rivergis, to PostGIS": [], "initdb + pg_ctl alone": []}
    for _ in range(runs):
        for name in times:
            folder = Path(tempfile.mkdtemp(prefix="rg-bench-", dir="/tmp"))
            folder.chmod(0o755)
            try:
                times[name].append(
                    ours(folder / "data") if name.startswith("rivergis") else plain(folder, Cluster(folder / "x"))
                )
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    for name, seconds in times.items():
        print(
            f"{name:24} {min(seconds):5.2f} / {statistics.median(seconds):5.2f} / {max(seconds):5.2f} s  (min/median/max of {runs})"
        )
    ratios = [a / b for a, b in zip(*times.values(), strict=True)]
    print(f"{'ratio':24} {statistics.median(ratios):5.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
