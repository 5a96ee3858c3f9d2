"""What pictures cost: WMS, WFS, PNG tiles and imagery tiles, in CPU of service, MapServer and database, request by request.

Run: .venv/bin/python benchmarks/pictures_cost.py --pid PID --postmaster PID2 --url http://127.0.0.1:8000 --key KEY \\
       --centre 106.003,29.398 [--layers reach,boundary_line,outfall] [--requests 20]
  a running service and the postmaster of its database. Every uncached tile is of another day, so that none is remembered.

CPU by the kernel's accounting (100 ticks a second): means over the requests, wall times say little on a shared machine.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import urllib.request
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

LAYERS = "admin_unit,water_area,boundary_area,boundary_line,source_zone,reach,levee,outfall"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--url", "--key", "--centre"):
        parser.add_argument(name, required=True)
    for name in ("--pid", "--postmaster"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--layers", default=LAYERS)
    parser.add_argument("--requests", type=int, default=20)
    return parser.parse_args()


def family(pid: int) -> set[int]:
    """A process with all that it started."""
    found = {pid}
    for said in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in said.read_text().split():
            found |= family(int(child))
    return found


def cpu_ms(pids: Iterable[int]) -> float:
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total * 10.0


class Meter:
    """CPU of the three parts of the service."""

    def __init__(self, a: argparse.Namespace) -> None:
        self.a = a

    def read(self) -> tuple[float, float, float]:
        children = family(self.a.pid) - {self.a.pid}
        return cpu_ms([self.a.pid]), cpu_ms(children), cpu_ms(family(self.a.postmaster))

    def get(self, path: str) -> bytes:
        request = urllib.request.Request(self.a.url + path, headers={"Authorization": f"Bearer {self.a.key}"})
        with urllib.request.urlopen(request) as answer:
            body: bytes = answer.read()
            return body

    def run(self, name: str, paths: list[str]) -> None:
        self.get(paths[-1])  # children and connections are there
        before, start, size = self.read(), time.perf_counter(), 0
        for path in paths[:-1]:
            size += len(self.get(path))
        n, wall = len(paths) - 1, time.perf_counter() - start
        service, mapserver, database = ((b - a) / n for a, b in zip(before, self.read(), strict=True))
        print(
            f"{name:44} {service:7.1f} {mapserver:9.1f} {database:8.1f} {wall / n * 1000:8.1f} {size / n / 1024:8.0f}"
        )


def tile(lon: float, lat: float, z: int) -> tuple[int, int]:
    n = 1 << z
    return int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)


def main() -> None:
    a = arguments()
    meter, n = Meter(a), a.requests + 1
    lon, lat = (float(v) for v in a.centre.split(","))
    print(f"{'CPU, ms a request':44} service mapserver database  wall ms       KB")

    def wms(layers: str, width: int, height: int) -> list[str]:
        def box(i: int) -> str:
            west = lon - 0.018 + i / 1e5
            return f"{lat - 0.0125},{west},{lat + 0.0125},{west + 0.025 * width / height}"

        head = "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&STYLES=&CRS=EPSG:4490&FORMAT=image/png"
        return [f"{head}&LAYERS={layers}&BBOX={box(i)}&WIDTH={width}&HEIGHT={height}" for i in range(n)]

    first = a.layers.split(",")[-3]
    meter.run(f"GetMap 256 px, {first}", wms(first, 256, 256))
    meter.run(f"GetMap 1100 x 743 px, {a.layers.count(',') + 1} layers", wms(a.layers, 1100, 743))
    meter.run(
        "WFS GetFeature, 100 things",
        [f"/wfs?SERVICE=WFS&VERSION=2.0.0&REQUEST=GetFeature&TYPENAMES={first}&COUNT=100"] * n,
    )
    days = [date(2030, 1, 1) + timedelta(days=i) for i in range(n)]
    for z in (8, 10, 12, 14, 16):
        x, y = tile(lon, lat, z)
        meter.run(
            f"PNG tile z{z}, {a.layers.count(',') + 1} layers, drawn",
            [f"/tiles/{a.layers}/{z}/{x}/{y}.png?day={d}" for d in days],
        )
    meter.run("PNG tile z16, remembered", [f"/tiles/{a.layers}/16/{x}/{y}.png?day={days[0]}"] * n)
    for scene in json.loads(meter.get("/imagery"))["scenes"]:
        west, south, east, north = scene["box"]
        z = max(0, round(math.log2(156543 / scene["gsd_m"])))
        x, y = tile((west + east) / 2, (south + north) / 2, z)
        looks = (
            [("png", ""), ("webp", "")]
            if len(scene["bands"]) > 2
            else [("png", "?look=hillshade"), ("png", "?look=relief")]
        )
        for kind, look in looks:
            meter.run(
                f"{scene['code'][:20]} z{z} {kind}{look}", [f"/imagery/{scene['id']}/{z}/{x}/{y}.{kind}{look}"] * n
            )


if __name__ == "__main__":
    main()
