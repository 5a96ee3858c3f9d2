"""Reports of what was found in files: the same facts in each form, hostile text inert, counts that add up, a map that tells."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis.errors import EnvironmentFault, UsageError
from rivergis.reports import intake_map, intake_report
from rivergis.reports.intake_map import Drawing, Mark

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=cmd|'/c calc'!A1",
    "{{ 7*7 }}",
    "</svg>",
    "云\x00\x0b",
]


def defect(number: int = 0, severity: str = "warning", **more: Any) -> dict[str, Any]:
    place = f"feature {number}: ({106 + number % 20 / 100:.4f}, {29.3 + number // 20 / 100:.4f})"
    made = {
        "code": "outlier_vertex",
        "severity": severity,
        "message": "A vertex lies far off.",
        "action": "It is set aside.",
    }
    return {**made, "feature": str(number), "features": [str(number)], "count": 1, "place": place, **more}


def layer(*defects: dict[str, Any], **more: Any) -> dict[str, Any]:
    crs = {
        "verdict": "declared",
        "epsg": 4490,
        "datum": "wgs84",
        "axis": "normal",
        "reasons": ["the .prj says it"],
        "candidates": [],
    }
    return {
        "name": "界桩", "kind": "vector", "count": 62, "readable": True, "encoding": "GBK", "encoding_basis": "declared (.cpg)",
        "geometry_types": ["Point"], "fields": [{"name": "桩号", "type": "text", "samples": ["K0+310"]}], "crs": crs,
        "extent": [106.0, 29.3, 106.2, 29.4], "extent_4490": [106.0, 29.3, 106.2, 29.4], "defects": list(defects), **more,
    }  # fmt: skip


def file(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "file": "永川/界桩.shp",
        "format": "ESRI Shapefile",
        "error": None,
        "layers": list(layers),
        "defects": [],
        **more,
    }


def result(**more: Any) -> dict[str, Any]:
    found = [defect(i, "error", lon=106 + i / 100, lat=29.3, place=None) for i in range(3)]
    return {
        "layer": "stake", "file": "界桩.xlsx", "source_layer": "Sheet1", "known": False, "count_in": 1120, "imported": 1000,
        "unchanged": 105, "quarantined": 12, "skipped": 3, "source_crs": "EPSG:4544", "found": found, **more,
    }  # fmt: skip


def page(tmp_path: Path, *files: dict[str, Any]) -> str:
    intake_report.write_inspection(list(files), tmp_path / "r.html")
    return (tmp_path / "r.html").read_text(encoding="utf-8")


def test_the_page_says_everything_chinese_first(tmp_path: Path) -> None:
    html = page(tmp_path, file(layer(defect(3, "error"))), file(error="It is a DWG of AutoCAD 2018: ask for DXF."))
    for said in ("永川/界桩.shp", "界桩", "EPSG:4490", "the .prj says it", "GBK", "K0+310", "outlier_vertex", "A vertex lies far off.",
                 "It is set aside.", "It is a DWG of AutoCAD 2018: ask for DXF.", "数据检查报告", "缺陷 defects", "坐标系 coordinate system"):  # fmt: skip
        assert said in html
    assert html.index("数据检查报告") < html.index("Inspection of delivered files")


def test_the_page_asks_nothing_of_anybody(tmp_path: Path) -> None:
    html = page(tmp_path, file(layer(defect(3))))
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", html)
    assert "<script" not in html


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(tmp_path: Path, text: str) -> None:
    bad = layer(defect(1, message=text, action=text, place=text, code=text, feature=text, features=[text]), name=text, encoding_basis=text,
                fields=[{"name": text, "type": "text", "samples": [text]}])  # fmt: skip
    bad["crs"] = {
        **bad["crs"],
        "verdict": "suspected",
        "reasons": [text],
        "candidates": [{"epsg": 4544, "datum": text, "axis": text, "reason": text}],
    }
    facts = [file(bad, file=text, format=text, error=text, defects=[defect(2, message=text)])]
    html = page(tmp_path, *facts)
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("</svg>") == html.count("<svg")
    assert ("{{ 7*7 }}" in html) == (text == "{{ 7*7 }}")
    intake_report.write_inspection(facts, tmp_path / "r.xlsx")
    cells = [
        c for s in openpyxl.load_workbook(tmp_path / "r.xlsx") for row in s.rows for c in row if c.value is not None
    ]
    assert not [c for c in cells if c.data_type == "f" or str(c.value).startswith("=")]


def test_the_workbook_has_the_four_sheets_and_every_defect(tmp_path: Path) -> None:
    facts = [file(layer(*(defect(i) for i in range(300))), defects=[defect(1000, "info")])]
    intake_report.write_inspection(facts, tmp_path / "r.xlsx")
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert book.sheetnames == ["概要", "图层", "字段", "缺陷"]
    assert book["缺陷"].max_row == 1 + 301
    assert book["缺陷"]["A1"].value == "文件 file"
    assert book["图层"]["D2"].value == 62
    assert book["缺陷"].column_dimensions["I"].width > 20


def test_json_is_what_was_given(tmp_path: Path) -> None:
    facts = [file(layer(defect(1)))]
    intake_report.write_inspection(facts, tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == facts


def test_imports_show_the_counts_and_check_them(tmp_path: Path) -> None:
    intake_report.write_import([result()], tmp_path / "r.html")
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert re.search(
        r"读入 in <b>1,120</b> = 新入库 imported <b>1,000</b> \+ 未变 unchanged <b>105</b> \+ 隔离 quarantined <b>12</b>",
        html,
    )
    assert "数目相符" in html
    assert "数目不符" not in html
    intake_report.write_import([result(imported=999)], tmp_path / "r.html")
    assert "数目不符" in (tmp_path / "r.html").read_text(encoding="utf-8")
    intake_report.write_import([result(), result(imported=999)], tmp_path / "r.xlsx")
    assert "数目不符" in " ".join(
        str(c) for row in openpyxl.load_workbook(tmp_path / "r.xlsx")["概要"].values for c in row
    )


def test_a_map_with_nothing_wrong_and_one_without_place(tmp_path: Path) -> None:
    assert "未发现缺陷" in page(tmp_path, file(layer()))
    nowhere = layer(defect(1, place="row 3"), extent=None, extent_4490=None)
    html = page(tmp_path, file(nowhere))
    assert "<svg class" not in html
    assert "row 3" in html


def test_an_open_system_is_drawn_in_the_coordinates_of_the_file(tmp_path: Path) -> None:
    open_ = layer(
        defect(1, place="feature 1: (597100.5, 3253000.2)"), extent=[597000, 3252000, 598000, 3254000], extent_4490=None
    )
    open_["crs"] = {**open_["crs"], "verdict": "suspected", "epsg": None}
    html = page(tmp_path, file(open_))
    assert "按文件自身坐标绘制" in html
    assert "597500" in html
    assert 'class="bar"' not in html  # nobody knows how long a metre is


def test_defects_stand_where_they_are_also_through_a_projection_with_north_first(tmp_path: Path) -> None:
    swapped = layer(defect(1, place="(3253000.0, 597000.0)"))
    swapped["crs"] = {**swapped["crs"], "epsg": 4544, "axis": "swapped"}
    [mark] = marks_of(page(tmp_path, file(swapped)))
    plain = layer(defect(1, place="(105.9992513, 29.3908)"))
    [same] = marks_of(page(tmp_path, file(plain)))
    assert mark == pytest.approx(same, abs=3)


def marks_of(html: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r'<text x="([\d.]+)" y="([\d.]+)">\d', html)]


def test_a_page_with_too_many_defects_says_how_many_are_left_out(tmp_path: Path) -> None:
    html = page(tmp_path, file(layer(*(defect(i) for i in range(intake_report.SHOWN_DEFECTS + 7)))))
    assert "另有 7 条未列出" in html
    assert html.count('<td class="short"><span class="sign') == intake_report.SHOWN_DEFECTS


@pytest.mark.parametrize("name", ["r.pdf", "r", "r.html.txt"])
def test_other_endings_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.html, \.json, \.xlsx"):
        intake_report.write_inspection([], tmp_path / name)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        intake_report.write_inspection([file(layer())], tmp_path / "no" / "r.html")
    assert list(tmp_path.iterdir()) == []


finite = st.floats(-179, 179, allow_nan=False)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.tuples(finite, st.floats(-89, 89), finite, st.floats(-89, 89)).map(lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))),
    st.lists(st.tuples(st.sampled_from(intake_report.SEVERITIES), st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), max_size=60),
    st.booleans(),
)  # fmt: skip
def test_every_map_is_well_formed_and_every_defect_is_on_it(box: Any, placed: Any, certain: bool) -> None:
    marks = [Mark(n + 1, *m) for n, m in enumerate(placed)]
    root = ElementTree.fromstring(str(intake_map.svg(Drawing(box, marks, certain=certain))))
    groups = [g for g in root.iter("g") if g.get("class", "").startswith("mark")]
    told = sorted(int(n) for g in groups for n in (g.findtext("title") or "").split(", "))
    assert told == [m.number for m in marks]
    for text in root.iter("text"):
        assert 0 <= float(text.get("x", "0")) <= intake_map.WIDTH
