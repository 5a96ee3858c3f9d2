"""Many at once: clients that load tiles and pages of features and write reports, for a time, against one running service.

Run: .venv/bin/python benchmarks/serving_load.py --url http://127.0.0.1:8000 --pid PID --key KEY --hotspots h.csv [--writes]
  PID is the process of 'rivergis serve'; KEY that of an account that may view (and, with --writes, work on leads; the
  service must allow writes); h.csv has lon,lat of places with things (benchmarks/load_province writes one).

Prints requests, errors and waiting times for each kind, and memory, threads and database connections of the service before
and after: what grows from one run to the next is a leak. Loopback only; ends by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import statistics
import time
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

ZOOMS = (8, 10, 12, 13, 14, 15)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--url", required=True)
    add("--pid", type=int, required=True)
    add("--key", required=True)
    add("--hotspots", type=Path, required=True)
    add("--layers", default="reach,boundary_line,outfall,candidate")
    add("--clients", type=int, default=200)
    add("--seconds", type=float, default=60)
    add("--writes", action="store_true")
    asked = parser.parse_args()
    if urlsplit(asked.url).hostname not in ("127.0.0.1", "localhost", "::1"):
        parser.error("only a service of this machine is tried")
    if asked.clients > 1000 or asked.seconds > 600:
        parser.error("at most 1,000 clients and 600 seconds")
    return asked


class Client:
    """One keep-alive connection."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.key = parts.hostname, parts.port or 80, key
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> int:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nAuthorization: Bearer {self.key}\r\n"
        if body:
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        self.writer.write(head.encode() + b"\r\n" + body)
        assert self.reader is not None
        said = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, headers = int(said[9:12]), dict(self._headers(said))
        if "chunked" in headers.get("transfer-encoding", ""):
            while size := int((await self.reader.readline()).split(b";")[0], 16):
                await self.reader.readexactly(size + 2)
            await self.reader.readline()
        elif status not in (204, 304):
            await self.reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return status

    def _headers(self, said: str) -> list[tuple[str, str]]:
        lines = [line.partition(":") for line in said.split("\r\n")[1:] if line]
        return [(name.strip().lower(), value.strip()) for name, _, value in lines]

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


def requests(
    asked: argparse.Namespace, spots: list[tuple[float, float]], draw: random.Random
) -> tuple[str, str, str, bytes]:
    """One request: kind, method, path, body. Seven of ten are tiles, as a map asks for them."""
    layer, (lon, lat), what = draw.choice(asked.layers.split(",")), draw.choice(spots), draw.random()
    if asked.writes and what < 0.02:
        feature = {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": {"kind": "dump", "note": "负载试验 load test"},
        }
        return "write", "POST", "/ogc/collections/report/items", json.dumps(feature).encode()
    if what < 0.75:
        z = draw.choice(ZOOMS)
        n = 1 << z
        x = int((lon + 180) / 360 * n)
        y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)
        return "tile", "GET", f"/tiles/{layer}/{z}/{x}/{y}.mvt", b""
    box = f"{lon - 0.05:.4f},{lat - 0.05:.4f},{lon + 0.05:.4f},{lat + 0.05:.4f}"
    return "page", "GET", f"/ogc/collections/{layer}/items?limit={draw.choice((10, 100))}&bbox={box}", b""


async def visit(
    asked: argparse.Namespace, spots: list[tuple[float, float]], seed: int, until: float, seen: dict
) -> None:
    client, draw = Client(asked.url, asked.key), random.Random(seed)
    while time.monotonic() < until:
        kind, method, path, body = requests(asked, spots, draw)
        begun = time.monotonic()
        try:
            status = await asyncio.wait_for(client.ask(method, path, body, "application/geo+json"), 60)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
            client.close()
            status = type(error).__name__
        seen[kind].append((time.monotonic() - begun, status, path))
    client.close()


def stands(pid: int) -> dict[str, float]:
    """Memory, threads and open files of a process."""
    said = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {
        "rss_mib": round(int(said["VmRSS"].split()[0]) / 1024, 1),
        "threads": int(said["Threads"]),
        "files": len(list(Path(f"/proc/{pid}/fd").iterdir())),
    }


async def main() -> None:
    asked = arguments()
    spots = [tuple(map(float, line.split(","))) for line in asked.hotspots.read_text().split()]
    seen: dict[str, list] = defaultdict(list)
    before = stands(asked.pid)
    until = time.monotonic() + asked.seconds
    await asyncio.gather(*(visit(asked, spots, i, until, seen) for i in range(asked.clients)))
    for kind, rows in sorted(seen.items()):
        times = sorted(row[0] * 1000 for row in rows)
        p = {q: round(times[min(len(times) - 1, int(len(times) * q))], 1) for q in (0.5, 0.95, 0.99)}
        bad = [row[1:] for row in rows if not isinstance(row[1], int) or row[1] >= 400]
        print(f"{kind:6} {len(rows):7} requests  {len(rows) / asked.seconds:8.1f}/s  mean {statistics.mean(times):8.1f} ms  "
              f"p50 {p[0.5]}  p95 {p[0.95]}  p99 {p[0.99]}  errors {len(bad)} {bad[:3]}")  # fmt: skip
    await asyncio.sleep(2)
    print("before", before, " after", stands(asked.pid))


if __name__ == "__main__":
    asyncio.run(main())
