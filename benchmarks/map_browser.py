"""Does a map with 50,000 polygons paint and answer, in a browser without a graphics card? A real service over a real database,
a real headless Chromium that draws with its processor.

Run: .venv/bin/python benchmarks/map_browser.py [--polygons 50000] [--pictures] [--screenshot FILE]
  --pictures switches WebGL off: the same map as PNG tiles, with a click through the service.

Makes a database of its own in a folder of its own and removes it. Prints seconds until the polygons are painted, the worst frame
while the map loads, moves and is zoomed, the seconds from a click to the answer, and how many polygons were drawn one by one;
the aim is a worst frame of 1.5 s. Other work on the machine shows in the figures: look at the load beside them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from playwright.sync_api import Page, TimeoutError, sync_playwright

from rivergis.db import people, upgrade, versions
from rivergis.db.cluster import Cluster
from rivergis.db.connect import open_database
from rivergis.maps import atlas
from rivergis.maps.atlas import LocalMap

WEST, SOUTH, EAST, NORTH = 106.0, 29.4, 106.17, 29.51
PASSWORD = "a long enough password"
MOST_S = 1.5
WATCH = """window.worst = 0; (function look(before) { requestAnimationFrame((now) => {
  window.worst = Math.max(window.worst, now - before); look(now); }); })(performance.now());"""


def plots(count: int) -> gpd.GeoDataFrame:
    """Plots side by side on a grid, a little turned and bent, 9 corners each."""
    rng = np.random.default_rng(7)
    wide = round((count * 1.5) ** 0.5)
    x, y = np.arange(count) % wide, np.arange(count) // wide
    step = np.array([(EAST - WEST) / wide, (NORTH - SOUTH) / (count / wide)])
    middle = np.stack([x, y], axis=1) * step + step / 2 + (WEST, SOUTH)
    angles = np.linspace(0, 2 * np.pi, 9, endpoint=False) + rng.uniform(0, 1, (count, 1))
    size = rng.uniform(0.3, 0.45, (count, 9))
    corners = middle[:, None, :] + np.stack([np.cos(angles), np.sin(angles)], axis=2) * size[..., None] * step
    kinds = np.array(["building", "quarry", "dump", "occupation", "net_pen"])[rng.integers(0, 5, count)]
    columns = {"code": [f"T{i}" for i in range(count)], "feed": "bench", "kind": kinds, "source_kind": "bench"}
    return gpd.GeoDataFrame(columns, geometry=list(map(shapely.Polygon, corners)), crs="EPSG:4490").rename_geometry(
        "geom"
    )


@contextmanager
def service(count: int) -> Iterator[str]:
    """Address of a service over a database with that many polygons."""
    folder = Path(tempfile.mkdtemp(prefix="rivergis-map-browser-", dir="/tmp"))
    folder.chmod(0o755)
    db = open_database(None, folder, "rivergis")
    try:
        upgrade.upgrade(db)
        with db.write("bench") as conn:
            versions.save_layer(conn, "candidate", plots(count), namespace="bench", import_id=None)
            people.add_user(conn, "viewer", "viewer", password=PASSWORD)
            people.grant(conn, "viewer", "viewer")
        env = {**os.environ, "RIVERGIS_DATA_DIR": str(folder), "RIVERGIS_DATABASE": "rivergis"}
        env.pop("RIVERGIS_DATABASE_URL", None)
        command = [Path(sys.executable).with_name("rivergis"), "serve", "--port", "0"]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout.readline().split("serving at ")[1].split()[0].rstrip("/")
            finally:
                process.terminate()
    finally:
        db.close()
        Cluster(folder).stop()
        shutil.rmtree(folder, ignore_errors=True)


def opened(page: Page, address: str) -> None:
    """The map, as a page of the service that one has signed in to."""
    map_ = LocalMap("地图试验", "trial of the map", assets="/assets").add_tiles(["candidate"])
    html = map_.look_at((WEST, SOUTH, EAST, NORTH)).html()
    head = {"content-security-policy": atlas.content_security_policy(html)}
    page.goto(f"{address}/sign-in")
    page.get_by_label("用户名").fill("viewer")
    page.get_by_label("密码").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    page.route(
        "**/maps/trial",
        lambda route: route.fulfill(status=200, content_type="text/html; charset=utf-8", body=html, headers=head),
    )
    page.add_init_script(WATCH)
    page.goto(f"{address}/maps/trial")


def painted(page: Page) -> float:
    """Waits until plots are seen all over the middle of the map; seconds since the page began."""
    for _ in range(240):
        page.wait_for_timeout(250)
        picture = page.locator("#rg-stage").screenshot()
        if colours(picture) > 400:
            return float(page.evaluate("performance.now()")) / 1000
    raise SystemExit("nothing was painted within a minute")


def colours(picture: bytes) -> int:
    """How many different colours the middle of a picture has: paper has one."""
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    wide, high = image.size
    middle = image.crop((wide // 3, high // 3, wide * 2 // 3, high * 2 // 3))
    return len(middle.getcolors(1 << 24) or [])


def worst(page: Page) -> float:
    told = float(page.evaluate("window.worst")) / 1000
    page.evaluate("window.worst = 0")
    return told


def walk(page: Page, screenshot: Path | None) -> dict[str, Any]:
    """Load, click, go nearer until plots are drawn one by one, click, move, zoom: what each took."""
    told: dict[str, Any] = {"painted_s": painted(page)}
    page.wait_for_timeout(3000)
    told["worst_loading_s"] = worst(page)
    told["answer_far_s"] = clicked(page, ".leaflet-popup h3")
    if screenshot:
        page.screenshot(path=screenshot)
    for _ in range(3):
        page.keyboard.press("Escape")
        page.get_by_role("button", name="放大 Zoom in").click()
        page.wait_for_timeout(2500)
    told["worst_nearer_s"] = worst(page)
    told["answer_near_s"] = clicked(page, ".leaflet-popup td")
    told["worst_click_s"] = worst(page)
    page.keyboard.press("Escape")
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 260, y - 120, steps=12)
    page.mouse.up()
    page.wait_for_timeout(2500)
    told["worst_moving_s"] = worst(page)
    for turn in (-300, -300, 300, 300):
        page.mouse.wheel(0, turn)
        page.wait_for_timeout(2000)
    told["worst_zooming_s"] = worst(page)
    return told


def middle(page: Page) -> tuple[float, float]:
    box = page.locator("#rg-stage").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def clicked(page: Page, wanted: str) -> float:
    """Seconds from a click near the middle, on whatever is there, to what the popup then shows."""
    x, y = middle(page)
    for step in range(24):  # between things is nothing
        begun = page.evaluate("performance.now()")
        page.mouse.click(x + 4 * step, y + 3 * step)
        page.wait_for_timeout(50)
        try:
            page.locator(wanted).first.wait_for(timeout=1500)
        except TimeoutError:
            continue
        return float(page.evaluate("performance.now()") - begun) / 1000
    page.screenshot(path="no_answer.png")
    raise SystemExit("nothing answered a click: see no_answer.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--polygons", type=int, default=50_000)
    parser.add_argument("--pictures", action="store_true")
    parser.add_argument("--screenshot", type=Path)
    asked = parser.parse_args()
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or sys.exit("no Chromium here")
    switches = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        *(["--disable-3d-apis"] if asked.pictures else []),
    ]
    with service(asked.polygons) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=switches)
        page = browser.new_page(viewport={"width": 1360, "height": 850}, locale="zh-CN")
        opened(page, address)
        told = walk(page, asked.screenshot)
        browser.close()
    frames = {k: v for k, v in told.items() if k.startswith("worst")}
    for name, seconds in told.items():
        print(f"{name:20} {seconds:6.2f} s")
    verdict = "within" if max(frames.values()) <= MOST_S else "ABOVE"
    print(
        f"worst frame {max(frames.values()):.2f} s: {verdict} {MOST_S} s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    )


if __name__ == "__main__":
    main()
