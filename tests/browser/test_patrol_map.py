"""The page of a patrol in a real browser: banks beside the river, reasons and gaps on a click, tables under the map."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from playwright.sync_api import Page, expect

from rivergis import rules
from rivergis.reports import patrol_page
from rivergis.reports.patrol_page import Told
from rivergis.settings import gis_dir

START = pd.Timestamp("2026-05-20T01:00:00Z")
VIEW = rules.load(gis_dir() / "rules").at(("000000",), START.date())


def told(stretches: int = 0) -> Told:
    r"""A walk eastwards on the left bank that falls silent for five minutes.

     track  o--o--o--o . . . . . . o--o--o
     left   ====seen====|== gap ==|=seen==
    ---->------------------------------------>  river
     right  - - - - other bank only - - - -
    """
    line = shapely.LineString([(106.0, 29.4), (106.02, 29.4)])
    reaches = gpd.GeoDataFrame(
        {"river": ["清溪<b>"], "at_m": [3000.0], "half_width_m": [12.0], "kind": ["river"]}, geometry=[line], crs=4490
    )
    rows = [
        (0, "left", 0.0, 700.0, "seen", "walk", 1.2),
        (0, "left", 700.0, 1250.0, "gap", None, np.nan),
        (0, "left", 1250.0, 1940.0, "seen", "drive", 8.0),
        (0, "right", 0.0, 1940.0, "other_bank", None, np.nan),
    ]
    rows += [(0, "right", i / 2, i / 2 + 0.4, "too_far", None, np.nan) for i in range(stretches)]
    legs = pd.DataFrame(rows, columns=["reach", "bank", "from_m", "to_m", "why", "mode", "speed_ms"])
    legs["started_at"], legs["ended_at"] = START, START + pd.Timedelta(minutes=9)
    legs["passage"], legs["confidence"] = 1, 0.93
    lon = [106.0, 106.0024, 106.0048, 106.0072, 106.013, 106.0165, 106.02]
    at = START + pd.to_timedelta([0, 30, 60, 90, 390, 420, 450], unit="s")
    fixes = gpd.GeoDataFrame({"at": at}, geometry=gpd.points_from_xy(lon, [29.4006] * 7), crs=4490)
    figures = {
        "minutes": 7.5, "metres": 1390.0, "share": 0.71, "near": ["share"], "by_mode": {"walk": 700.0, "drive": 690.0},
        "stops": [{"at": START.isoformat(), "minutes": 4.0, "lon": 106.0048, "lat": 29.4006, "reach_id": None, "at_m": 466.0}],
        "unobserved": [{"reach_id": "r", "from_m": 700.0, "to_m": 1250.0, "seconds": 300, "speed_ms": 1.83}],
    }  # fmt: skip
    standard = [
        {"key": "patrol.effective.min_duration", "measured": 7.5, "threshold": 8.0, "unit": "min", "met": False, "near": True,
         "document": "虚构文件"},
    ]  # fmt: skip
    review = [
        {
            "zh": "请说明",
            "en": "please say",
            "state": "待说明",
            "replies": [("wang", "<i>下雨</i>", "2026-05-21 09:00")],
        }
    ]
    return Told("巡河图 <b>", "map", [(("河长", "chief"), "王某")], figures, standard, legs, reaches, fixes, 60.0, review=review,
                thresholds=patrol_page.thresholds(VIEW))  # fmt: skip


def put(folder: Path, html: str) -> str:
    file = folder / "patrol.html"
    file.write_text(html, encoding="utf-8")
    return file.as_uri()


def test_banks_lie_beside_the_river_and_say_why_on_a_click(
    page: Page, tmp_path: Path, screenshot: Callable[[Page, str], Path]
) -> None:
    page.goto(put(tmp_path, patrol_page.render(told(), stamp="演示")))
    seen = page.locator(".leaflet-rg-leg-pane path").first.bounding_box()
    lines = page.locator(".leaflet-rg-uncovered-pane path:not(.rg-halo)")
    lowest = max(lines.nth(i).bounding_box()["y"] for i in range(lines.count()))
    assert seen["y"] < lowest, "the left bank lies north of a river that flows east"
    page.locator("#rg-list button").filter(has_text="定位中断").click()
    expect(page.locator(".leaflet-popup")).to_contain_text("清溪<b> · 左岸 left bank".partition(" ·")[0])
    expect(page.locator(".leaflet-popup")).to_contain_text("3+700 – 4+250")
    screenshot(page, "patrol_page")


def test_a_silence_is_a_dashed_line_with_its_seconds_and_implied_speed(page: Page, tmp_path: Path) -> None:
    html = patrol_page.render(told())
    page.goto(put(tmp_path, html))
    assert page.locator(".leaflet-rg-track-pane path[stroke-dasharray]").count() == 1
    assert "300 s" in html and "km/h" in html
    expect(page.locator(".rg-below")).to_contain_text("1.8 m/s (6.6 km/h)")


def test_tables_stand_under_the_map_as_plain_text(page: Page, tmp_path: Path) -> None:
    page.goto(put(tmp_path, patrol_page.render(told())))
    below = page.locator(".rg-below")
    expect(below).to_contain_text("<i>下雨</i>")
    expect(below.locator("tbody tr").filter(has_text="清溪<b>")).to_have_count(4)
    assert below.locator("h2").count() == 2
    expect(below.locator(".rg-near")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_phone_scrolls_to_the_tables(phone: Page, tmp_path: Path, screenshot: Callable[[Page, str], Path]) -> None:
    phone.goto(put(tmp_path, patrol_page.render(told())))
    phone.locator(".rg-below h2").first.scroll_into_view_if_needed()
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    screenshot(phone, "patrol_phone")


def test_more_stretches_than_a_page_carries_are_thinned_and_it_says_so(tmp_path: Path) -> None:
    html = patrol_page.render(told(stretches=2500))
    assert "图面仅绘" in html and len(html) < 3_000_000
