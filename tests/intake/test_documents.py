"""Announcements: coordinate tables in Word documents and HTML pages, with the words around them."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest
import shapely

from rivergis.errors import InputError
from rivergis.intake.delivery import Asked, Delivered
from rivergis.intake.limits import Limits
from rivergis.intake.tables import read_table

SYSTEM = "坐标系采用2000国家大地坐标系，3度带，中央子午线105°，1985国家高程基准。"
ROWS = [["界桩号", "坐标", "坐标", "备注"], ["界桩号", "X", "Y", "备注"], ["1", "3243900.12", "589300.55", "左岸"], ["2", "3243910.12", "589310.55", ""]]  # fmt: skip


def layers(path: Path) -> dict[str, Delivered]:
    return {d.name: d for d in read_table(path, Asked(), Limits()).layers}


def firsts(layer: Delivered) -> list[list[float]]:
    assert layer.shapes is not None
    return [shapely.get_coordinates(s)[0].tolist() for s in layer.shapes]


@pytest.fixture
def announcement(tmp_path: Path) -> Path:
    document = docx.Document()
    document.add_paragraph("关于划定临江河管理范围的公告")
    document.add_paragraph(SYSTEM)
    table = document.add_table(rows=4, cols=4)
    for i, row in enumerate(ROWS):
        for j, said in enumerate(row):
            table.cell(i, j).text = said
    for one, other in (((0, 0), (1, 0)), ((0, 1), (0, 2)), ((0, 3), (1, 3))):
        said = table.cell(*one).text
        table.cell(*one).merge(table.cell(*other)).text = said
    document.add_paragraph(
        "起点坐标：X=461581，Y=3906699，终点坐标：X=4556665，Y=3905959。排污口位于东经106°30′，北纬29°15′。"
    )
    contact = document.add_table(rows=2, cols=2)
    for i, said in enumerate(("联系人", "电话", "张三", "023")):
        contact.cell(i // 2, i % 2).text = said
    document.save(str(tmp_path / "a.docx"))
    return tmp_path / "a.docx"


def test_tables_of_a_word_document(announcement: Path) -> None:
    found = layers(announcement)
    stakes = found["table 1"]
    assert (stakes.kind, stakes.count) == ("vector", 2) and list(stakes.frame.index) == [3, 4]  # type: ignore[union-attr]
    assert firsts(stakes) == [[3243900.12, 589300.55], [3243910.12, 589310.55]]
    assert stakes.declared.text == SYSTEM and stakes.facts["vertical_datum"] == "1985"
    assert not [d for d in stakes.defects if d.severity != "info"]
    assert (found["table 2"].kind, found["table 2"].count) == ("table", 1)


def test_positions_in_sentences_are_layers_of_their_own(announcement: Path) -> None:
    found = layers(announcement)
    assert firsts(found["text"]) == [[461581, 3906699], [4556665, 3905959]]
    assert firsts(found["text, degrees"]) == [[106.5, 29.25]]


PAGE = """<html><head><meta charset="gb2312"><title>公告</title></head><body><table><tr><td><p>采用西安80坐标系</p>
<table><caption>表1 界址点</caption><tr><th rowspan=2>点号</th><th colspan=2>坐标</th><th rowspan=2>河段</th></tr><tr><th>X(m)</th><th>Y(m)</th></tr>
<tr><td>J1</td><td>3243900.12</td><td>589300.55</td><td rowspan=2>上段</td></tr><tr><td>J2</td><td>3243910.12</td><td>589310.55</td></tr></table>
<p>高程为吴淞高程</p></td></tr></table><script>var a = "东经1°，北纬2°"</script></body></html>"""


@pytest.mark.parametrize("name", ["a.html", "export.xls"])
def test_tables_of_a_page_also_where_it_is_called_a_workbook(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(PAGE.encode("gb18030"))
    (layer,) = layers(tmp_path / name).values()
    assert firsts(layer) == [[3243900.12, 589300.55], [3243910.12, 589310.55]]
    assert list(layer.frame["河段"]) == ["上段", "上段"] and layer.declared.degrees is False  # type: ignore[index]
    assert "采用西安80坐标系" in layer.declared.text and layer.facts["vertical_datum"] == "吴淞"
    assert layer.encoding == "gb18030" and layer.encoding_basis.startswith("declared")


def test_a_page_that_lies_about_its_encoding_is_read_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(PAGE.encode())
    (layer,) = layers(tmp_path / "a.html").values()
    assert layer.encoding == "utf-8" and "encoding_mismatch" in {d.code for d in layer.defects}


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.docx", b"PK\x03\x04nothing"),
        ("b.html", b"<html><body>no table</body></html>"),
        ("c.html", b"<table>" * 5000),
    ],
)
def test_documents_without_tables_are_refused(tmp_path: Path, name: str, raw: bytes) -> None:
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(InputError, match=name):
        read_table(tmp_path / name, Asked(), Limits())


def test_spans_that_claim_millions_of_cells_are_bounded(tmp_path: Path) -> None:
    page = "<table>" + "<tr><td colspan=999999999 rowspan=99999999>x</td></tr>" * 50 + "</table>"
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    (layer,) = layers(tmp_path / "a.html").values()
    assert layer.count <= 50 and layer.frame is not None and layer.frame.shape[1] <= 2000
