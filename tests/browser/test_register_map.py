"""The distribution map in a real browser: legend in words, rivers and lakes answer, nothing asked of another machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from rivergis.maps import register_map
from tests.river.small_county import UNITS, listed

pytestmark = pytest.mark.browser

Shot = Callable[[Page, str], Path]


def put(folder: Path, html: str) -> str:
    file = folder / "map.html"
    file.write_text(html, encoding="utf-8")
    return file.as_uri()


def test_rivers_are_coloured_by_basin_class_and_named_in_the_legend(
    page: Page, tmp_path: Path, screenshot: Shot
) -> None:
    facts = pd.DataFrame({"river_id": ["A"], "basin_area_1e4_km2": [0.012]})
    page.goto(put(tmp_path, register_map.draw(listed(facts=facts), UNITS, name="云溪县")))
    expect(page.locator(".rg-top h1")).to_have_text("江河湖库分布示意图 · 云溪县 · 按流域面积级别着色")
    legend = page.locator("#rg-layers")
    for said in ("名录河流", "流域面积 50–200 km²", "沟渠", "水域", "行政区"):
        expect(legend).to_contain_text(said)
    screenshot(page, "register_map")


def test_a_search_finds_a_river_and_tells_about_it(page: Page, tmp_path: Path) -> None:
    page.goto(put(tmp_path, register_map.draw(listed(), UNITS)))
    page.fill("#rg-query", "甲河")
    page.locator("#rg-results .rg-item").first.click()
    popup = page.locator(".leaflet-popup")
    expect(popup.locator("h3")).to_have_text("甲河")
    expect(popup).to_contain_text("云溪县西镇")
    expect(popup).to_contain_text("东湖")
