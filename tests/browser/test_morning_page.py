"""The morning as paper and on a telephone: one A4 however much there is, nothing sideways, and a file that says when it is old."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import pytest
from playwright.sync_api import Page, expect

from rivergis.maps.night_picture import Dot, Pen, Picture
from rivergis.reports import book, morning
from rivergis.reports.morning_facts import Figure, Morning, Run, Trouble
from rivergis.reports.morning_reading import DAYS, FIGURES, Read
from tests.chromium import PHONE, Watch

ENDED = datetime.now(UTC).replace(microsecond=0)
NIGHT = ENDED.date()
TOWNS = tuple(f"第{n}河口镇" for n in range(24))
CLASSES = {f"河道管理范围内的建筑物、构筑物第{n}类": 3.0 for n in range(14)}


def crowded() -> Morning:
    """Far more than usual: many townships, classes, leads and troubles with long sentences."""
    lead = {"id": "1", "status": "反弹 rebound", "status_code": "rebound", "class": next(iter(CLASSES)), "place": "清溪河 左岸 12+345",
            "village": "河湾村", "town": TOWNS[0], "area": "1,234 m² ± 56 m²", "basis": "", "first": True, "hint": False}  # fmt: skip
    rows = tuple({**lead, "id": str(n), "number": f"{n:08d}"} for n in range(80))
    figures = tuple(
        Figure(
            g,
            code,
            unit,
            1234.5,
            1230.0,
            1228.4,
            7,
            ("place",),
            rows if code == "rebound" else (),
            dict.fromkeys(TOWNS, 51.0),
            CLASSES,
        )
        for g, code, unit, _ in FIGURES
    )
    sentence = "The inbox of this feed cannot be read (permission denied): give the service the right to read it, and run again."
    troubles = tuple(Trouble(f"来源 {n}", sentence, n == 0) for n in range(12))
    run = Run(ENDED, "partly", "0123456789abcdef", TOWNS[:6], 120_000, 6, troubles, 2345.6, 24)
    return Morning(NIGHT, ENDED, True, False, run, figures, (*TOWNS, ""), rows, dict.fromkeys(DAYS, 30), ())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    told = book.Night(NIGHT, {"counts": {"not_told": {}}}, True, [], [], [], [])
    drawn = Picture(
        [([gpd.points_from_xy([106.0], [29.4])[0].buffer(0.1)], Pen("#8d8777", 1.0, "#fbfaf6"))],
        [],
        [Dot(106.0, 29.4, "#b3261e", 6, "lead-00000001", "<b>")],
    )
    nothing = gpd.GeoDataFrame(geometry=[], crs=4490)
    path = tmp_path_factory.mktemp("morning") / "morning.html"
    path.write_text(morning.render(told, Read(crowded(), nothing), drawn.svg()), encoding="utf-8")
    return path


def test_the_summary_is_one_sheet_of_a4(page: Page, watch: Watch, file: Path, tmp_path: Path) -> None:
    page.goto(file.as_uri())
    # what follows starts on the second sheet: without it there is one
    page.evaluate("document.querySelector('.more').remove(); document.querySelector('.a4').style.breakAfter = 'auto'")
    page.pdf(path=tmp_path / "a4.pdf", prefer_css_page_size=True)
    told = subprocess.run(
        [str(shutil.which("pdfinfo")), str(tmp_path / "a4.pdf")], capture_output=True, text=True, check=True
    ).stdout
    assert re.search(r"Pages:\s+1\n", told) and "A4" in told
    assert watch.outside == []


def test_a_saved_page_says_when_it_has_become_too_old(page: Page, watch: Watch, file: Path) -> None:
    page.clock.install(time=ENDED + timedelta(hours=23))
    page.goto(file.as_uri())
    expect(page.locator("#late")).to_be_hidden()
    page.clock.fast_forward(2 * 3600 * 1000)
    expect(page.locator("#late")).to_be_visible()
    expect(page.locator("#late")).to_contain_text("昨夜未运行")
    assert watch.complaints == [], json.dumps(watch.complaints)


def test_a_number_leads_to_its_rows_and_nothing_runs_sideways(page: Page, file: Path) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator("a.fig[href='#f-rebound']").click()
    expect(page.locator("#f-rebound")).to_be_in_viewport()
    page.locator("svg a").click()
    expect(page.locator("tr:target")).to_have_count(1)
