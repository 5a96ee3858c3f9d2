"""What a remembered tile costs, beside one that is asked of the database and beside a file that nginx hands out.

Run: .venv/bin/python benchmarks/tile_memory.py --pid PID --url http://127.0.0.1:8000/tiles/reach/12/3300/1720.mvt --key KEY \
       --cold-pid PID2 --cold-url http://127.0.0.1:8001/tiles/reach/12/3300/1720.mvt --dsn DSN [--requests 3000]
  two running services over one database: the second with RIVERGIS_TILE_CACHE_MB=0. nginx is started here, on the same bytes.

CPU of the server (its threads, and the backends of the database) per request by the kernel's accounting, one client, kept alive.
"""

from __future__ import annotations

import argparse
import http.client
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--url", "--cold-url", "--key", "--dsn"):
        parser.add_argument(name, required=True)
    for name in ("--pid", "--cold-pid"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--requests", type=int, default=3000)
    return parser.parse_args()


def cpu_s(pids: list[int]) -> float:
    """CPU seconds of processes so far, all threads."""
    total = 0
    for pid in pids:
        try:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                total += int((thread / "schedstat").read_text().split()[0])
        except OSError:
            continue
    return total / 1e9


def backends(dsn: str) -> list[int]:
    with psycopg2.connect(dsn) as conn, conn.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [row[0] for row in cursor.fetchall()]


def measure(url: str, pids: list[int], headers: dict[str, str], n: int) -> tuple[float, float, int]:
    """CPU ms a request, requests a second of one client, and bytes of an answer."""
    parts, size = urlsplit(url), 0
    line = http.client.HTTPConnection(parts.hostname or "", parts.port)
    for count in (20, n):
        cpu, begun = cpu_s(pids), time.perf_counter()
        for _ in range(count):
            line.request("GET", parts.path, headers=headers)
            answer = line.getresponse()
            size = len(answer.read())
            assert answer.status in (200, 304), answer.status
    return (cpu_s(pids) - cpu) / n * 1000, n / (time.perf_counter() - begun), size


def main() -> None:
    asked = arguments()
    key, n = {"Authorization": f"Bearer {asked.key}"}, asked.requests
    rows = {
        "remembered": measure(asked.url, [asked.pid, *backends(asked.dsn)], key, n),
        "asked of the database": measure(
            asked.cold_url, [asked.cold_pid, *backends(asked.dsn)], key, max(200, n // 10)
        ),
    }
    parts = urlsplit(asked.url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port)
    line.request("GET", parts.path, headers=key)
    answer = line.getresponse()
    tile, tag = answer.read(), answer.headers["etag"]
    rows["remembered, 304"] = measure(asked.url, [asked.pid], {**key, "If-None-Match": tag}, n)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tile.mvt").write_bytes(tile)
        Path(folder).chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        Path(folder, "nginx.conf").write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;\nevents {{}}\n"
            f"http {{ access_log off; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
        )
        nginx = subprocess.Popen(["nginx", "-c", f"{folder}/nginx.conf"], stderr=subprocess.DEVNULL)
        try:
            time.sleep(1)
            rows["nginx, a file"] = measure(f"http://127.0.0.1:{port}/tile.mvt", [nginx.pid], {}, n)
        finally:
            nginx.terminate()
            nginx.wait()
    cold, file = rows["asked of the database"][0], rows["nginx, a file"][0]
    for name, (cpu_ms, rate, size) in rows.items():
        print(
            f"{name:24} {cpu_ms:8.3f} ms CPU  {rate:8.0f}/s  {size:7} bytes  {cpu_ms / cold:6.2f} of asking  {file / cpu_ms:5.2f} of nginx's rate by CPU"
        )


if __name__ == "__main__":
    main()
