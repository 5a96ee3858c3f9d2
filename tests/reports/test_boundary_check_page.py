"""The page of the line doctor: in a browser without network, with texts that try to be more than text, and with thousands of defects."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import shapely
from playwright.sync_api import Page, expect

from rivergis import rules
from rivergis.boundary.doctor import examine as doctor
from rivergis.boundary.doctor import limits as doctor_limits
from rivergis.boundary.doctor import report as doctor_report
from rivergis.boundary.doctor.case import Case
from rivergis.boundary.repair import propose as repair
from rivergis.reports import boundary_check_page
from rivergis.settings import gis_dir
from tests.boundary import repair_ground
from tests.boundary.test_repair_proposals import BREAKS, WHOLE
from tests.chromium import Watch

EVIL = "</script><script>document.title='taken'</script>{{ 7*7 }}@data@@policy@"


def told(case: Case, times: int = 1) -> tuple[str, dict[str, Any]]:
    """Page and report of a case, its defects so many times over."""
    examined = doctor.check(case)
    view = rules.load(gis_dir() / "rules").at((rules.NATIONAL,), repair_ground.date(2026, 1, 1))
    view.value("boundary.doctor.rule_tolerance")
    proposals = repair.propose(case, examined.defects, doctor.examine)
    said = {
        r.defect: {"sentence": r.sentence, "zh": r.zh, "kind": r.kind, "feature": r.feature, "basis": r.basis}
        for r in proposals
    }
    report = doctor_report.report(case, examined, view.used, said, ["界线.gpkg"])
    report["defects"] = report["defects"] * times
    return boundary_check_page.page(report, case, list(examined.defects) * times, proposals), report


@pytest.fixture(scope="module")
def broken() -> Case:
    """A jump on one line, and a name that a careless page would run."""
    case = BREAKS["width_jump"](WHOLE)
    lines = case.lines.assign(line_id=[EVIL, *case.lines["line_id"].iloc[1:]])
    return dataclasses.replace(case, lines=lines, not_checked=(doctor_limits.untold("levees"),))


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="check-data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    out: dict[str, Any] = json.loads(found[1])
    return out


def test_the_page_says_draft_what_blocks_and_what_was_not_asked(broken: Case) -> None:
    html, report = told(broken)
    assert html.count("内部草稿·非测绘成果") >= 2
    assert "违法" not in html
    assert all(note["zh"] in html for note in report["not_checked"])
    assert report["not_checked"] and "未给堤防图层" in html
    assert "boundary.doctor.rule_tolerance" in html
    assert [d["severity"] for d in data_of(html)["defects"]] == sorted(
        (d["severity"] for d in report["defects"]), reverse=True, key="advises blocks".find
    )


def test_a_proposal_is_drawn_where_it_changes_the_line_only(broken: Case) -> None:
    (repaired,) = [d["repair"] for d in data_of(told(broken)[0])["defects"] if d["code"] == "width_jump"]
    whole = broken.lines.geometry.iloc[0].length
    drawn = shapely.MultiLineString(repaired["after"])
    assert 0 < drawn.length * 111_000 < whole / 2


def test_a_case_without_defects_has_a_page() -> None:
    html, _ = told(WHOLE)
    assert "没有发现问题" in html
    assert data_of(html)["defects"] == []


def test_names_out_of_files_stay_text_and_nothing_is_asked_of_the_network(
    broken: Case, page: Page, watch: Watch, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(told(broken)[0], encoding="utf-8")
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready='1']", state="attached")
    assert "taken" not in page.title()
    assert EVIL in page.inner_text(".defects")
    page.locator("tr[data-n]").first.click()
    assert "建议" in page.inner_text(".leaflet-popup-content")
    assert watch.outside == [] and watch.complaints == []


def test_thousands_of_defects_are_listed_sifted_and_printed(broken: Case, page: Page, tmp_path: Path) -> None:
    html, report = told(broken, times=4_000)
    path = tmp_path / "report.html"
    path.write_text(html, encoding="utf-8")
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready='1']", state="attached")
    assert page.locator("tr[data-n]").count() == len(report["defects"]) >= 4_000
    count = page.locator("#by-count")
    page.fill("#by-words", "nothing is called so")
    expect(count).to_have_text(f"0 / {len(report['defects'])}")
    page.fill("#by-words", "R0")
    expect(count).to_have_text(f"{len(report['defects'])} / {len(report['defects'])}")
