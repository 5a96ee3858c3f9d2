"""Completeness and quality: metres of bank covered, states, small basins, and figures that are those of the tables."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.boundary.delivery import quality
from rivergis.boundary.delivery.quality import Quality
from rivergis.reports import boundary_quality, patrol_paper
from rivergis.reports.boundary_quality import Told
from tests.boundary.deliver_ground import areas, lines, stakes

STRETCHES = st.lists(st.tuples(st.integers(-50, 250), st.integers(-50, 250)), max_size=8)


@given(STRETCHES, st.integers(0, 100), st.integers(1, 150))
def test_covered_metres_are_those_that_any_stretch_covers(
    stretches: list[tuple[int, int]], begin: int, length: int
) -> None:
    metres = {m for a, b in stretches for m in range(min(a, b), max(a, b)) if begin <= m < begin + length}
    assert quality.covered(stretches, begin, begin + length) == len(metres)
    assert quality.covered(stretches * 2, begin, begin + length) == len(metres)


def rivers(**more: Any) -> pd.DataFrame:
    said = {
        "river_code": ["R1", "R2", "R3"], "river": ["甲河", "乙河", "丙河"], "kind": "river", "length_m": [2100.0, 900.0, 500.0],
        "basin_km2": [23.0, 10.0, 50.0], "basin_class": ["10-50", "10-50", "50-200"], "listed": [True, False, True], "from_m": 0.0,
        "to_m": [2100.0, 900.0, 500.0],
    }  # fmt: skip
    return pd.DataFrame(said | more)


def assessed(defects: pd.DataFrame | None = None, **more: Any) -> Quality:
    return quality.assess(
        rivers(), lines(**more), areas(), pd.DataFrame(stakes().drop(columns="geometry")), defects, enough=0.95
    )


def row(found: Quality, code: str) -> dict[str, Any]:
    return found.rivers.set_index("river_code").loc[code].to_dict()


def test_a_river_with_both_banks_announced_is_complete_and_others_are_missing() -> None:
    found = assessed()
    first = row(found, "R1")
    assert first["state"] == quality.COMPLETE and first["left_share"] == first["right_share"] == 1.0
    assert first["line_km"] == pytest.approx(4.2, rel=0.01) and first["stakes"] == 2 and first["blocks"] is None
    assert row(found, "R2")["state"] == quality.MISSING and row(found, "R2")["left_share"] == 0.0


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"basis": "draft"}, quality.DRAFT),
        ({"bank": ["left"] * 3}, quality.PARTLY),
        ({"to_m": [1000.0, 1500.0, 2100.0]}, quality.PARTLY),
        ({"to_m": [1000.0, 2050.0, 2100.0]}, quality.COMPLETE),
        ({"basis": ["announced", "draft", "announced"]}, quality.PARTLY),
    ],
)
def test_states(change: dict[str, Any], state: str) -> None:
    assert row(assessed(**change), "R1")["state"] == state


def test_what_is_not_known_stays_empty() -> None:
    bare = assessed(from_m=None, to_m=None, survey_scale=None, xy_error_m=None)
    first = row(bare, "R1")
    assert first["left_share"] is None and first["survey_scale"] is None and first["missing_attributes"] == 12
    said = bare.attributes.set_index("attribute")["missing"].to_dict()
    assert said["from_m"] == said["survey_scale"] == 3 and said["bank"] == said["announce_gov"] == 0


def test_announcements_are_asked_of_announced_lines_only() -> None:
    said = assessed(announce_gov=None, basis=["announced", "draft", "draft"]).attributes.set_index("attribute")
    assert (said.loc["announce_gov", "lines"], said.loc["announce_gov", "missing"]) == (1, 1)


def test_a_river_that_only_lines_name_is_there_and_not_listed() -> None:
    found = assessed(river_code=["R1", "R1", "R9"])
    assert row(found, "R9")["listed"] is False and row(found, "R9")["lines"] == 1
    assert row(found, "R1")["state"] == quality.PARTLY


def test_defects_go_to_the_river_of_their_line() -> None:
    told = pd.DataFrame([
        {"code": "dangle", "severity": "blocks", "reach_id": None, "bank": "left", "features": ["a"], "sentence": "x"},
        {"code": "seam_gap", "severity": "blocks", "reach_id": None, "bank": "left", "features": ["c"], "sentence": "y"},
        {"code": "stake_spacing", "severity": "advises", "reach_id": "?", "bank": None, "features": [], "sentence": "z"},
    ])  # fmt: skip
    found = assessed(told)
    first = row(found, "R1")
    assert (first["blocks"], first["advises"], first["seams"]) == (2, 0, 1)
    assert found.defects["count"].sum() == 3 and row(found, "R2")["blocks"] == 0


@given(st.lists(st.one_of(st.none(), st.floats(0, 300)), min_size=1, max_size=20))
def test_a_basin_is_in_one_class_and_unknown_ones_in_none(basins: list[float | None]) -> None:
    table = pd.DataFrame({"basin_km2": basins})
    parts = [quality.of_class(table, *c) for c in ((0, 10), (10, 50), (50, 301))]
    assert sum(map(len, parts)) == sum(b is not None for b in basins)
    assert all(10 <= b < 50 for b in parts[1]["basin_km2"])


def test_the_report_says_the_same_in_every_form(tmp_path: Path) -> None:
    paper = boundary_quality.paper(assessed(), Told("质量报告", datetime(2026, 6, 1, tzinfo=UTC)))
    f = paper.figures
    assert (f["rivers"], f["complete"], f["missing"]) == (3, 1, 2)
    assert f["small"] == {"class_km2": [10.0, 50.0], "rivers": 2, "complete": 1, "partly": 0, "draft_only": 0, "missing": 1, "listed": 1, "unlisted": 1}  # fmt: skip
    for ending in (".html", ".xlsx", ".pdf", ".json"):
        patrol_paper.write(paper, tmp_path / f"q{ending}")
    page = (tmp_path / "q.html").read_text(encoding="utf-8")
    for said in ("甲河", "两岸已公告", "无界线", "列入名录", "10–50 km2", "未提供界线检查结果"):
        assert said in page, said
    book = openpyxl.load_workbook(tmp_path / "q.xlsx")
    assert book["各河流情况"].max_row == 4 and book["名录与划界对照"].max_row == 3
    assert (tmp_path / "q.pdf").read_bytes().startswith(b"%PDF-")
