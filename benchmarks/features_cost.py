"""What a page of features costs, beside tipg over the same rows: CPU of server and database, signed in, held to an area.

Run: .venv/bin/python benchmarks/features_cost.py DSN --tipg-python PYTHON [--meter FILE] [--limits 10,100,1000,10000] [--deep 400000]
DSN names a database that benchmarks/load_province filled (libpq); PYTHON is an interpreter that has tipg and psycopg 3; the meter is
cpu_per_request.py (by default ../shared/bench/serving beside this checkout). Both servers are started here on free ports, and
parallel workers are off for both. A user `features_cost` with one key and the area of the province is made once.

Prints what the meter says (ratio: tipg / ours), and what a page `--deep` rows deep costs beside the first one. Exits with 1 where a
page is less than 4 times cheaper in the geometric mean, or the deep page costs more than 1.5 times the first one.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg2

from rivergis.db import access, people
from rivergis.db.connect import open_database

ROOT = Path(__file__).resolve().parents[1]
METER = ROOT.parent / "shared" / "bench" / "serving" / "cpu_per_request.py"
# our collection, and the table of the generator with the same rows
PAIRS = (
    ("reach", "river_reach"),
    ("boundary_line", "boundary_line"),
    ("outfall", "outfall"),
    ("candidate", "footprint"),
)
AREA, WHO = "43", "features_cost"
GATE, DEEP = 4.0, 1.5


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dsn")
    parser.add_argument("--tipg-python", required=True)
    parser.add_argument("--meter", type=Path, default=METER)
    parser.add_argument("--limits", default="10,100,1000,10000")
    parser.add_argument("--deep", type=int, default=400_000)
    parser.add_argument("--repeat", type=int, default=5)
    return parser.parse_args()


def url_of(dsn: str, in_place: bool = False) -> str:
    """A libpq string as an address; ``in_place``: a socket's folder stands where a host would, as asyncpg and pydantic want it."""
    said = psycopg2.extensions.parse_dsn(dsn)
    host, user = said.get("host", "localhost"), said.get("user", "")
    if not host.startswith("/"):
        return f"postgresql://{user}@{host}:{said.get('port', 5432)}/{said['dbname']}"
    folder = quote(host, safe="")
    place, way = (folder, "") if in_place else ("", f"?host={folder}")
    return f"postgresql://{user}@{place}/{said['dbname']}{way}"


def key_for(dsn: str) -> str:
    """A key of a viewer who is held to the province."""
    db = open_database(url_of(dsn), Path(tempfile.gettempdir()))
    with db.write("features_cost") as conn:
        conn.exec_driver_sql(f'ALTER DATABASE "{db.name}" SET max_parallel_workers_per_gather = 0')
        if WHO not in {u["name"] for u in people.list_users(conn)}:
            people.add_user(conn, WHO, WHO, area=AREA)
            people.grant(conn, WHO, "viewer")
        key = access.make_key(conn, WHO, "benchmark")
    db.close()
    return key


@contextmanager
def server(command: list[str], env: dict[str, str], path: str, headers: dict[str, str]) -> Iterator[tuple[int, str]]:
    """A server on a free port: its process and address, once ``path`` answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*command, "--port", str(port)], env=os.environ | env, cwd=tempfile.gettempdir())
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(urllib.request.Request(base + path, headers=headers), timeout=30).read()
                break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None:
                    raise SystemExit(f"{command[0]} ended: {process.returncode}") from None
                time.sleep(0.5)
        yield process.pid, base
    finally:
        process.terminate()
        process.wait(timeout=20)


def measured(
    asked: argparse.Namespace, servers: list[str], limits: str, offset: int, key: str
) -> dict[str, dict[str, float]]:
    """What the meter says of some servers, by group and server."""
    with tempfile.TemporaryDirectory() as folder:
        out, spots = Path(folder) / "out.json", Path(folder) / "spots.csv"
        spots.write_text("111.5,27.3\n")  # tiles only; the meter wants the file
        command = [asked.tipg_python, str(asked.meter), "--dsn", asked.dsn, "--hotspots", str(spots), "--layers", "page",
                   "--limits", limits, "--offset", str(offset), "--repeat", str(asked.repeat), "--out", str(out),
                   "--header", f"Authorization: Bearer {key}"]  # fmt: skip
        for one in servers:
            command += ["--server", one]
        done = subprocess.run(command, check=False)
        if done.returncode not in (0, 1) or not out.exists():
            raise SystemExit("the meter failed")
        return json.loads(out.read_text())  # type: ignore[no-any-return]


def main() -> int:
    asked = arguments()
    key = key_for(asked.dsn)
    head = {"Authorization": f"Bearer {key}"}
    tipg_env = {
        "DATABASE_URL": url_of(asked.dsn, in_place=True),
        "TIPG_DB_SCHEMAS": '["public"]',
        "TIPG_CATALOG_TTL": "0",
    }
    ours_env = {"RIVERGIS_DATABASE_URL": url_of(asked.dsn)}
    tipg = [asked.tipg_python, "-m", "uvicorn", "tipg.main:app", "--host", "127.0.0.1", "--log-level", "warning"]
    with (
        server(tipg, tipg_env, "/collections/public.outfall/items?limit=1", {}) as (their_pid, theirs),
        server(
            [str(ROOT / ".venv/bin/rivergis"), "serve"], ours_env, "/ogc/collections/outfall/items?limit=1", head
        ) as (pid, ours),
    ):
        ratios = []
        for collection, table in PAIRS:
            print(f"== {collection}", flush=True)
            page = "?limit={limit}&offset={offset}"
            said = measured(asked, [
                f"tipg={their_pid}={theirs}/collections/public.{table}/items{page}",
                f"ours={pid}={ours}/ogc/collections/{collection}/items{page}"], asked.limits, 0, key)  # fmt: skip
            ratios += [v["ratio"] for k, v in said.items() if k.endswith("|ours")]
        print(f"== {asked.deep:,} rows deep, beside the first page", flush=True)
        one = [f"ours={pid}={ours}/ogc/collections/candidate/items?limit={{limit}}&offset={{offset}}"]
        first, deep = (measured(asked, one, "10,100,1000", n, key) for n in (0, asked.deep))
        slower = max(deep[k]["total_ms"] / first[k]["total_ms"] for k in first)
    mean = 1.0
    for ratio in ratios:
        mean *= ratio ** (1 / len(ratios))
    print(
        f"\n{mean:.1f} times less CPU than tipg in the geometric mean (least {min(ratios):.1f}); deep page {slower:.2f} times the first"
    )
    return int(mean < GATE or slower > DEEP)


if __name__ == "__main__":
    sys.exit(main())
