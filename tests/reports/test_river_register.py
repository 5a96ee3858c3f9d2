"""The register as files: the same facts in each form, unknown things empty, hostile names inert, nothing asked of anybody."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from rivergis.errors import EnvironmentFault, UsageError
from rivergis.reports import river_register
from rivergis.reports.register_tables import RiverRegister
from rivergis.river import duties, official
from tests.river.small_county import listed

HOSTILE = ["<script>alert(1)</script>", "=cmd|'/c calc'!A1", "{{ 7*7 }}", '"><img src=x onerror=alert(1)>']


def register(name: str = "王河长", river: str = "甲河") -> RiverRegister:
    inventory = listed(
        known=pd.DataFrame({"river_id": ["A"], "code": ["JH"], "name": [river], "kind": ["river"], "grade": ["4"]})
    )
    length = float(inventory.rivers.set_index("river_id").loc["A", "length_m"])
    rivers = pd.DataFrame({"river_id": ["A"], "river": [river], "from_m": [0.0], "to_m": [length]})
    rows = [
        ("1", name, "town", "A", "both", 0.0, 1000.0),
        ("2", "李", "town", "A", "left", 600.0, 1000.0),
        ("3", "赵", "town", "Q", "both", 0.0, 9.0),
    ]
    held = pd.DataFrame(rows, columns=["chief_id", "chief", "level", "river_id", "bank", "from_m", "to_m"])
    listed_there = official.read(pd.DataFrame({"名称": [river, "东沟"], "长度(km)": [3.9, 2.0]}), "list")
    return RiverRegister(
        inventory,
        duties.assign(held, rivers),
        official.compare(inventory.rivers, listed_there, 5.0),
        codes={"A": "JH", "1": "HZ1"},
        min_stretch_m=1.0,
        about={"source": "network.gpkg"},
        rules=[{"key": "river.register.min_length", "value": 5, "unit": "km", "status": "unconfirmed", "basis": "own choice"}],
        demo=True,
    )  # fmt: skip


def sheets(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {s.title: list(s.iter_rows(values_only=True)) for s in openpyxl.load_workbook(path)}


def test_the_workbook_has_a_sheet_for_each_question(tmp_path: Path) -> None:
    river_register.write(register(), tmp_path / "r.xlsx")
    got = sheets(tmp_path / "r.xlsx")
    assert list(got) == [
        "名录",
        "分段",
        "责任汇总",
        "责任",
        "无人负责",
        "重复负责",
        "人员任务量",
        "河外责任段",
        "对照",
        "说明",
    ]
    head, first = got["名录"][:2]
    row = dict(zip(head, first, strict=True))
    assert (row["编码 code"], row["等级 grade"], row["等级依据 grade from"]) == ("JH", "4", "登记 register")
    assert row["长度(km) length, km"] == pytest.approx(3.207, abs=0.001)
    assert row["流域面积(km²) basin, km²"] is None, "what is not known is empty"
    assert [r[3:6] for r in got["无人负责"][1:]] == [("两岸 both banks", "1+000", "3+207")]
    assert [r[3:8] for r in got["重复负责"][1:]] == [("左岸 left bank", "0+600", "1+000", 400, "王河长、李")]
    assert [r[0] for r in got["对照"][1:]][:2] == ["长度不一致 length differs", "官方有而本名录缺 missing here"]
    assert ("注意 note", "虚构演示数据 Fictional demo data") in [r[:2] for r in got["说明"]]
    assert "unconfirmed" in got["说明"][-1]


def test_sections_of_the_workbook_add_up_to_the_list(tmp_path: Path) -> None:
    river_register.write(register(), tmp_path / "r.xlsx")
    got = sheets(tmp_path / "r.xlsx")
    towns = [r[8] for r in got["分段"][1:] if r[0] == "JH" and r[2] == "乡镇级 township"]
    assert sum(towns) == pytest.approx(got["名录"][1][4], abs=0.002)


def test_page_table_and_json_tell_the_same_rivers(tmp_path: Path) -> None:
    for ending in ("html", "csv", "json"):
        river_register.write(register(), tmp_path / f"r.{ending}")
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    data = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    with (tmp_path / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert [r["code"] for r in data["rivers"]] == [r["编码 code"] for r in table]
    assert all(str(r["name"] or r["code"]) in html for r in data["rivers"])
    assert data["orphans"][0]["length_m"] == pytest.approx(2207, abs=1)
    assert data["rivers"][0]["upstream_area_km2"] is None


def test_the_page_asks_nothing_of_anybody_and_blames_nobody(tmp_path: Path) -> None:
    river_register.write(register(), tmp_path / "r.html")
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", html)
    assert "<script" not in html
    assert not re.search("违法|违规|失职|追责", html)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(tmp_path: Path, name: str) -> None:
    for ending in ("html", "xlsx", "csv"):
        river_register.write(register(name, name), tmp_path / f"r.{ending}")
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in html and "<img" not in html
    assert ("{{ 7*7 }}" in html) == (name == "{{ 7*7 }}")
    cells = [c for s in openpyxl.load_workbook(tmp_path / "r.xlsx") for row in s.iter_rows() for c in row]
    assert not any(c.data_type == "f" for c in cells)
    assert not re.search(r"(^|,)\"?[=+@]", (tmp_path / "r.csv").read_text(encoding="utf-8-sig"), re.M)


def test_only_what_a_register_can_be_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.xlsx, \.html, \.csv, \.json"):
        river_register.check(tmp_path / "r.doc")
    with pytest.raises(EnvironmentFault, match="no folder"):
        river_register.check(tmp_path / "nowhere" / "r.xlsx")
    assert not list(tmp_path.iterdir())
