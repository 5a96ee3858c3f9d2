"""How fast a pocket map opens on a slow telephone: a large county, packed as the command packs it, in a real Chromium with its
processor slowed down four times (CDP Emulation.setCPUThrottlingRate). Prints the size and the seconds until the map is painted and
answers, beside the aims (10 MB, 2 s).

    .venv/bin/python benchmarks/pocket_open.py [--reaches 3000] [--vertices 150] [--slower 4]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import shapely
from playwright.sync_api import sync_playwright

from rivergis.maps.pocket import pack as pocket_pack
from rivergis.maps.pocket import page as pocket_page

MOST_BYTES, MOST_S = 10_000_000, 2.0


def county(reaches: int, vertices: int, zones: int, outfalls: int, seed: int = 7) -> dict[str, gpd.GeoDataFrame]:
    """Wandering rivers with a line on either side, zones round places on them, outfalls beside them, in one degree square."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(0.02, 0.98, (reaches, 1, 2)) + np.array([106.0, 29.0])
    turn = rng.normal(0, 0.25, (reaches, vertices)).cumsum(axis=1) + rng.uniform(0, 6.3, (reaches, 1))
    steps = 1.6e-4 * np.stack([np.cos(turn), np.sin(turn)], axis=2) + rng.normal(0, 1.5e-5, (reaches, vertices, 2))
    paths = start + steps.cumsum(axis=1)
    lines = [shapely.LineString(p) for p in paths]
    names = [f"{'清云白石龙'[i % 5]}{'溪河沟江'[i % 4]}{i:04d}" for i in range(reaches)]
    rows = [
        [
            ("编码", "code", f"R{i:05d}"),
            ("河流", "river", n),
            ("类型", "kind", "河流 river"),
            ("半宽 m", "half width, m", 12.5 + i % 9),
        ]
        for i, n in enumerate(names)
    ]
    reach = _frame(
        lines,
        label=names,
        popup=rows,
        cls=["river"] * reaches,
        river=names,
        from_m=[0.0] * reaches,
        to_m=[vertices * 17.0] * reaches,
    )
    bank = [shapely.LineString(p + np.array([2e-4, 1.5e-4])) for p in paths]
    line = _frame(bank, label=[f"{n} 管理范围线" for n in names], popup=rows, cls=["announced"] * reaches)
    return {"reach": reach, "boundary_line": line, **_places(rng, paths, zones, outfalls)}


def _places(rng: np.random.Generator, paths: np.ndarray, zones: int, outfalls: int) -> dict[str, gpd.GeoDataFrame]:
    angle = np.linspace(0, 2 * np.pi, 200)
    middle = paths[rng.integers(0, len(paths), zones), 75]
    radius = 3e-3 * (1 + 0.08 * rng.normal(0, 1, (zones, 200)))
    rings = middle[:, None] + radius[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)[None]
    zone = _frame(
        [shapely.Polygon(r) for r in rings],
        label=[f"水源保护区 {i}" for i in range(zones)],
        cls=[str(1 + i % 3) for i in range(zones)],
        popup=[[("名称", "name", f"水源保护区 {i}")] for i in range(zones)],
    )
    spots = paths[rng.integers(0, len(paths), outfalls), rng.integers(0, paths.shape[1], outfalls)] + rng.normal(
        0, 2e-4, (outfalls, 2)
    )
    outfall = _frame(
        shapely.points(spots),
        label=[f"排污口 {i}" for i in range(outfalls)],
        popup=[[("编码", "code", f"P{i:05d}"), ("名称", "name", f"排污口 {i}")] for i in range(outfalls)],
    )
    return {"source_zone": zone, "outfall": outfall}


def _frame(shapes: object, **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:4490")  # type: ignore[call-overload]


def page(layers: dict[str, gpd.GeoDataFrame]) -> tuple[str, pocket_pack.Packed]:
    """The page, as ``rivergis map pocket`` writes it."""
    packed = pocket_pack.pack(
        layers, pocket_page.contents(layers, (106.0, 29.0, 107.0, 30.0), ()), pocket_page.room(MOST_BYTES)
    )
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    paper = pocket_page.Paper("500199", "大县", now.date(), now, "benchmark", "李明", date(2999, 1, 1))
    return pocket_page.page(packed, paper), packed


DRAG = """() => new Promise((done) => {
  const map = document.getElementById("map");
  const say = (kind, x) => map.dispatchEvent(new PointerEvent(kind, { pointerId: 1, clientX: x, clientY: 420, bubbles: true }));
  map.setPointerCapture = () => {};
  say("pointerdown", 200);
  const frames = [];
  let last = performance.now();
  const step = (n) => requestAnimationFrame(() => {
    const now = performance.now();
    frames.push(now - last);
    last = now;
    say("pointermove", 200 + 6 * n);
    if (n < 20) step(n + 1);
    else { say("pointerup", 320); done(frames.slice(2)); }
  });
  step(1);
})"""


def opened(file: Path, slower: float, times: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds until the map stands, until a tap is answered after that, and of each frame while all of it is dragged; in fresh tabs."""
    stands, answers, frames = [], [], []
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(times):
            context = browser.new_context(
                viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, device_scale_factor=2
            )
            tab = context.new_page()
            context.new_cdp_session(tab).send("Emulation.setCPUThrottlingRate", {"rate": slower})
            tab.goto(file.as_uri(), wait_until="commit")
            tab.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
            stands.append(float(tab.evaluate("document.documentElement.dataset.ready")) / 1000)
            begun = time.perf_counter()
            tab.touchscreen.tap(195, 422)
            tab.wait_for_selector("#sheet:not([hidden])")
            answers.append(time.perf_counter() - begun)
            tab.evaluate("document.getElementById('whole').click()")
            frames += [ms / 1000 for ms in tab.evaluate(DRAG)]
            context.close()
        browser.close()
    return stands, answers, frames


def cpu_s(file: Path, times: int) -> list[float]:
    """Seconds of the processor that the page's own thread takes until the map stands: neighbours on the machine do not count."""
    used = []
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(times):
            tab = browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2)
            meter = tab.context.new_cdp_session(tab)
            meter.send("Performance.enable", {"timeDomain": "threadTicks"})
            tab.goto(file.as_uri(), wait_until="commit")
            tab.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
            told = {m["name"]: m["value"] for m in meter.send("Performance.getMetrics")["metrics"]}
            used.append(float(told["TaskDuration"]))
            tab.close()
        browser.close()
    return used


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    for name, default in (
        ("reaches", 3000),
        ("vertices", 150),
        ("zones", 500),
        ("outfalls", 3000),
        ("slower", 4),
        ("times", 5),
    ):
        asked.add_argument(f"--{name}", type=int, default=default)
    a = asked.parse_args()
    begun = time.perf_counter()
    html, packed = page(county(a.reaches, a.vertices, a.zones, a.outfalls))
    print(
        f"{sum(packed.counts.values()):,} features, {packed.points:,} points (before: {packed.points_before:,}), made in {time.perf_counter() - begun:.1f} s"
    )
    print(f"{pocket_page.generalised(packed)}")
    print(f"size {len(html.encode()) / 1e6:.2f} MB = {len(html.encode()) / MOST_BYTES:.2f} of the aim")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pocket.html"
        file.write_text(html, encoding="utf-8")
        stands, answers, frames = opened(file, a.slower, a.times)
        used = statistics.median(cpu_s(file, a.times))
    print(
        f"stands after {statistics.median(stands):.2f} s (worst {max(stands):.2f}) at 1/{a.slower} of the processor = {statistics.median(stands) / MOST_S:.2f} of the aim"
    )
    print(
        f"processor of the page {used:.2f} s, times {a.slower} = {used * a.slower:.2f} s = {used * a.slower / MOST_S:.2f} of the aim"
    )
    print(f"a frame while all of it is dragged takes {statistics.median(frames):.2f} s (worst {max(frames):.2f})")
    print(f"a tap is answered after {statistics.median(answers):.2f} s (worst {max(answers):.2f})")


if __name__ == "__main__":
    main()
