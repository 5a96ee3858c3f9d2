"""Tables in text and workbooks: every row is accounted for, whatever stands around it, and positions come from the right columns."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.errors import InputError, UsageError
from rivergis.intake.delivery import Asked, Delivered
from rivergis.intake.limits import Limits
from rivergis.intake.tables import read_table, stream_table


def read(path: Path, encoding: str | None = None) -> Delivered:
    (layer,) = read_table(path, Asked(encoding=encoding), Limits()).layers
    return layer


def text(folder: Path, content: str, name: str = "t.csv", encoding: str = "utf-8") -> Delivered:
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return read(path)


def book(folder: Path, rows: list[list[Any]], merges: tuple[str, ...] = ()) -> Path:
    work = openpyxl.Workbook()
    sheet = work.active
    for row in rows:
        sheet.append(row)
    for area in merges:
        sheet.merge_cells(area)
    work.save(folder / "t.xlsx")
    return folder / "t.xlsx"


def xy(layer: Delivered) -> list[tuple[float, ...] | None]:
    assert layer.shapes is not None
    return [None if s is None else shapely.get_coordinates(s)[0].tolist() for s in layer.shapes]  # type: ignore[misc]


def codes(layer: Delivered, *severities: str) -> set[str]:
    return {d.code for d in layer.defects if not severities or d.severity in severities}


# ---- laws -----------------------------------------------------------------------------------------------------------

POSITIONS = st.lists(
    st.tuples(st.integers(300_000, 700_000), st.integers(2_000_000, 5_000_000)), min_size=2, max_size=12
)
DELIMITERS = [",", ";", "\t", "|", "，"]
ENCODINGS = ["utf-8", "utf-8-sig", "gb18030", "utf-16"]


@settings(max_examples=60, deadline=None)
@given(
    POSITIONS,
    st.sampled_from(DELIMITERS),
    st.sampled_from(ENCODINGS),
    st.lists(st.sampled_from(["某县河道管理范围界桩成果表", "坐标系：2000国家大地坐标系"]), max_size=2),
    st.lists(st.sampled_from(["注：以上坐标为实测", "合计{d}12{d}", "制表：张三{d}审核：李四", ""]), max_size=3),
    st.booleans(),
)
def test_rows_are_counted_whatever_stands_around_them(
    tmp_path_factory: pytest.TempPathFactory,
    positions: list[tuple[int, int]],
    sign: str,
    encoding: str,
    above: list[str],
    below: list[str],
    header_again: bool,
) -> None:
    header = sign.join(["桩号", "东坐标", "北坐标", "备注"])
    rows = [sign.join([f"J{i}", f"{e}.125", f"{n}.25", "左岸"]) for i, (e, n) in enumerate(positions)]
    middle = [header] if header_again else []
    lines = [*above, header, rows[0], *middle, *rows[1:], *(b.format(d=sign) for b in below)]
    layer = text(tmp_path_factory.mktemp("t"), "\r\n".join(lines) + "\r\n", encoding=encoding)
    assert layer.count == len(rows)
    assert xy(layer) == [[e + 0.125, n + 0.25] for e, n in positions]
    assert layer.frame is not None
    assert [lines[n - 1] for n in layer.frame.index] == rows
    assert not codes(layer, "warning", "error")


@settings(max_examples=25, deadline=None)
@given(POSITIONS, st.integers(1, 5))
def test_a_streamed_table_is_the_table(
    tmp_path_factory: pytest.TempPathFactory, positions: list[tuple[int, int]], size: int
) -> None:
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_text(
        "标题\n点号,X,Y\n" + "".join(f"{i},{n},{e}\n" for i, (e, n) in enumerate(positions)), encoding="utf-8"
    )
    whole, parts = read(path), list(stream_table(path, "t", Asked(), None, rows=size))
    assert whole.frame is not None
    assert [n for p in parts for n in p.frame.index] == list(whole.frame.index)  # type: ignore[union-attr]
    assert [c for p in parts for c in xy(p)] == xy(whole)
    assert {tuple(p.frame.columns) for p in parts} == {tuple(whole.frame.columns)}  # type: ignore[union-attr]
    assert {p.names for p in parts} == {whole.names}


def _mutated(good: bytes, cuts: list[tuple[int, int]], end: int) -> bytes:
    raw = bytearray(good[: max(1, len(good) - end)])
    for at, value in cuts:
        raw[at % len(raw)] = value
    return bytes(raw)


CUTS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12)


@settings(max_examples=150, deadline=None)
@given(CUTS, st.integers(0, 200), st.sampled_from(["t.csv", "t.xlsx", "t.xls", "t.html", "t.docx"]))
def test_damaged_files_are_read_or_refused_with_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, int]], end: int, name: str
) -> None:
    folder = tmp_path_factory.mktemp("t")
    table = "点号,X,Y\nJ1,3243900.1,589300.5\nJ2,3243910.1,589310.5\n"
    html = (
        "<meta charset=utf-8><table>"
        + re.sub(r"(.*)\n", r"<tr><td>\1</td></tr>", table).replace(",", "<td>")
        + "</table>"
    )
    good = {"t.csv": table.encode(), "t.html": html.encode()}
    raw = good.get(name) or book(folder, [line.split(",") for line in table.split()]).read_bytes()
    path = folder / f"damaged-{name}"
    path.write_bytes(_mutated(raw, cuts, end))
    try:
        layers = read_table(path, Asked(), Limits()).layers
    except InputError as error:
        assert path.name in error.sentence and "Traceback" not in error.sentence
    else:
        for layer in layers:
            assert layer.frame is not None and len(layer.frame) == layer.count
            assert layer.shapes is None or len(layer.shapes) == layer.count


# ---- headers and columns --------------------------------------------------------------------------------------------


def test_a_header_of_two_merged_rows(tmp_path: Path) -> None:
    rows = [
        ["临江河界址点成果表"],
        ["点号", "坐标（2000国家大地坐标系）", None, "备注"],
        [None, "X", "Y", None],
        ["J1", 3243900.1, 589300.5, "左岸"],
        ["J2", 3243910.1, 589310.5, None],
    ]
    layer = read(book(tmp_path, rows, ("A1:D1", "A2:A3", "B2:C2", "D2:D3")))
    assert layer.count == 2 and list(layer.frame.columns) == ["点号", "X", "Y", "备注"]  # type: ignore[union-attr]
    assert list(layer.frame.index) == [4, 5]  # type: ignore[union-attr]
    assert xy(layer)[0] == [3243900.1, 589300.5]
    assert layer.names is not None and layer.names.north_first is None
    assert layer.declared.text == "坐标（2000国家大地坐标系）" and layer.declared.wkt is None
    assert not codes(layer, "warning", "error")


def test_a_header_of_three_rows_names_the_axes(tmp_path: Path) -> None:
    rows = [
        ["序号", "点号", "平面坐标(m)", None, "高程（1985国家高程基准）"],
        [None, None, "纵坐标", "横坐标", None],
        [None, None, "X", "Y", None],
        [1, "J1", 3243900.1, 35589300.5, 210.1],
    ]
    layer = read(book(tmp_path, rows, ("A1:A3", "B1:B3", "C1:D1", "E1:E3")))
    assert layer.names is not None and (layer.names.x, layer.names.north_first) == ("纵坐标X", True)
    assert xy(layer) == [[3243900.1, 35589300.5]]
    assert layer.declared.degrees is False and layer.facts["vertical_datum"] == "1985"


def test_start_and_end_make_lines(tmp_path: Path) -> None:
    layer = text(tmp_path, "河流,起点,,终点,\n,经度,纬度,经度,纬度\n甲,105.91,29.31,105.95,29.35\n乙,105.92,29.32,,\n")
    assert layer.shapes is not None
    assert [s.wkt for s in layer.shapes] == ["LINESTRING (105.91 29.31, 105.95 29.35)", "POINT (105.92 29.32)"]
    assert "coordinate_missing" in codes(layer, "warning")


def test_start_and_end_in_a_cell_each_make_lines(tmp_path: Path) -> None:
    layer = text(tmp_path, "河流,起点,终点\n共产主义渠,X=461581 Y=3906699,X=456665 Y=3905959\n")
    assert layer.shapes is not None and shapely.get_coordinates(layer.shapes).tolist() == [
        [461581, 3906699],
        [456665, 3905959],
    ]
    assert layer.geometry_types == ("LineString",)


def test_a_table_printed_in_two_columns_keeps_all_its_points(tmp_path: Path) -> None:
    layer = text(tmp_path, "点号,X,Y,点号,X,Y\n1,3243901,589301,3,3243903,589303\n2,3243902,589302,,,\n")
    assert layer.count == 3 and list(layer.frame.index) == ["2", "2b", "3"]  # type: ignore[union-attr]
    assert [c[0] for c in xy(layer) if c] == [3243901, 3243903, 3243902]


def test_several_places_of_a_row_stay_together(tmp_path: Path) -> None:
    layer = text(tmp_path, "桩号,左岸X,左岸Y,右岸X,右岸Y\n0+000,3243901,589301,3243903,589303\n")
    assert layer.shapes is not None and layer.shapes[0].wkt == "MULTIPOINT ((3243901 589301), (3243903 589303))"


def test_degrees_minutes_and_seconds_in_columns_of_their_own(tmp_path: Path) -> None:
    for head in (
        "点号,经度,,,纬度,,\n,度,分,秒,度,分,秒\n",
        "点号,经度(度),经度(分),经度(秒),纬度(度),纬度(分),纬度(秒)\n",
    ):
        layer = text(tmp_path, head + "A,106,30,36,29,15,18\n")
        assert xy(layer) == [[pytest.approx(106.51), pytest.approx(29.255)]]
        assert layer.names is not None and layer.names.form == "dms"


@pytest.mark.parametrize(
    ("cells", "x", "y", "north_first"),
    [
        ("105.912,29.312", 105.912, 29.312, None), ("东经106°30′，北纬29°15′", 106.5, 29.25, False), ("N29°15′,E106°30′", 106.5, 29.25, False),
        ("X=461581 Y=3906699", 461581, 3906699, None), ("Y：589300.5，X：3243900.5", 3243900.5, 589300.5, None),
    ],
)  # fmt: skip
def test_both_coordinates_in_one_cell(tmp_path: Path, cells: str, x: float, y: float, north_first: bool | None) -> None:
    layer = text(tmp_path, f'名称,坐标\nA,"{cells}"\nB,"{cells}"\n')
    assert xy(layer) == [[pytest.approx(x), pytest.approx(y)]] * 2
    assert layer.names is not None and layer.names.north_first is north_first


@pytest.mark.parametrize(
    ("line", "x"),
    [
        ("{i},K{i},40391212.{i}65,3538628.939,210.0", 3), ("{i},,3538628.939,391212.{i}65,210.0", 3), ("391212.{i}65,3538628.939,210.0", 1),
        ("P{i}  391212.{i}65   3538628.939  210.0", 2), ("P{i}\t63000.{i}51\t41900.123\t210.0", 2), ("{i},106.5{i}2345,29.512345", 2),
        ("{i},N29°15′,E106°3{i}′", 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", ["", "3\n"])
def test_logs_without_header(tmp_path: Path, line: str, x: int, first: str) -> None:
    layer = text(tmp_path, first + "".join(line.format(i=i) + "\r\n" for i in (1, 2, 3)), "t.dat")
    assert layer.names is not None and (layer.names.x, layer.names.y) == (f"column {x}", f"column {x + 1}")
    assert layer.count == 3 and all(c is not None for c in xy(layer))
    assert not codes(layer, "warning", "error")


def test_numbers_that_are_no_positions_stay_numbers(tmp_path: Path) -> None:
    layer = text(tmp_path, "站名,水位,流量\n甲,105.33,30.12\n乙,105.43,30.22\n")
    assert layer.kind == "table" and layer.shapes is None and layer.count == 2


def test_degrees_are_used_before_metres_unless_they_are_coarse(tmp_path: Path) -> None:
    fine = text(tmp_path, "点号,X,Y,经度,纬度\nA,3243900.1,589300.5,105.912345,29.312345\n")
    coarse = text(tmp_path, "点号,X,Y,经度,纬度\nA,3243900.1,589300.5,105.91,29.31\n")
    assert fine.names and coarse.names and (fine.names.x, coarse.names.x) == ("经度", "X")
    assert "other_positions" in codes(fine) & codes(coarse)


# ---- values ---------------------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_kept_and_named(tmp_path: Path) -> None:
    layer = text(tmp_path, "点号,经度,纬度\nA,105.91,29.31\nB,待测,\nC,K12+345,29.3\nD,106°75′00″,29°10′00″\n")
    assert layer.count == 4 and xy(layer) == [[105.91, 29.31], None, None, None]
    found = {d.code: d.features for d in layer.defects if d.severity == "warning"}
    assert found == {"coordinate_missing": ("3",), "coordinate_unreadable": ("4",), "angle_wrong": ("5",)}


def test_numbers_that_a_spreadsheet_shortened_are_said(tmp_path: Path) -> None:
    layer = text(tmp_path, "点号,X,Y\nJ1,3.248E+06,589300.55\nJ2,3.248012E+06,589310.55\nJ3,3248020.5,5.8932E+05\n")
    assert codes(layer, "warning") == {"coordinate_rounded"} and layer.count == 3
    (found,) = (d for d in layer.defects if d.code == "coordinate_rounded")
    assert (found.count, found.features) == (2, ("2", "4"))


def test_a_field_too_many_or_too_few_does_not_move_a_point(tmp_path: Path) -> None:
    content = "点号,备注,经度,纬度,高程\nA,左岸,105.91,29.31,210.1\nB,左,1,105.92,29.32,210.2\nC,105.93,29.33,210.3\nD,右岸,105.94,29.34\n"
    layer = text(tmp_path, content)
    assert xy(layer) == [[105.91, 29.31], None, None, [105.94, 29.34]]
    assert {d.features for d in layer.defects if d.code == "row_length"} == {("3", "4")}


def test_cells_of_a_workbook_keep_their_kind(tmp_path: Path) -> None:
    rows = [
        ["点号", "日期", "X", "Y"],
        ["0012", date(2024, 5, 1), "3,243,900.5", "'589300.5"],
        ["2", None, date(2024, 1, 1), 3.0],
        ["3", None, True, 3.0],
    ]
    layer = read(book(tmp_path, rows))
    assert xy(layer) == [[3243900.5, 589300.5], None, None]
    assert layer.frame is not None and layer.frame.loc[2, "点号"] == "0012" and layer.frame.loc[2, "日期"].year == 2024
    assert {d.features for d in layer.defects if d.code == "coordinate_unreadable"} == {("3", "4")}


def test_an_angle_that_excel_took_for_a_time_is_not_believed(tmp_path: Path) -> None:
    layer = read(book(tmp_path, [["点", "经度", "纬度"], ["a", timedelta(hours=106, minutes=30), 29.5]]))
    assert xy(layer) == [None] and "coordinate_unreadable" in codes(layer, "warning")


def test_packed_degrees_are_left_as_written(tmp_path: Path) -> None:
    rows = "".join(
        f"{i},105.{i:02d}{i * 7 % 60:02d}{12 + i},29.{i * 3 % 60:02d}{i * 11 % 60:02d}{34 + i}\n" for i in range(1, 12)
    )
    layer = text(tmp_path, "点号,经度,纬度\n" + rows)
    assert layer.names is not None and layer.names.form == "packed" and xy(layer)[0] == [105.010713, 29.031135]
    plain = text(tmp_path, "点号,经度,纬度\n" + rows + "99,105.987654,29.1\n")
    assert plain.names is not None and plain.names.form == "number"


def test_geometry_in_a_column(tmp_path: Path) -> None:
    point = shapely.set_srid(shapely.Point(105.5, 29.5), 4490)
    geojson = '"{""type"":""Point"",""coordinates"":[105.5,29.5]}"'
    for cell in ('"SRID=4490;POINT(105.5 29.5)"', geojson, shapely.to_wkb(point, hex=True, include_srid=True)):
        layer = text(tmp_path, f"id,the_geom\n1,{cell}\n2,x\n")
        assert xy(layer) == [[105.5, 29.5], None] and "geometry_unreadable" in codes(layer, "warning")
        assert layer.geometry_types[0] == "Point" and layer.declared.wkt in (None, "EPSG:4490")


def test_turning_points_stay_points_and_say_what_they_form(tmp_path: Path) -> None:
    rows = [f"J{i},{3243900 + i},{589300 + i * i},{p}" for p in "AB" for i in (1, 2, 3)]
    layer = text(tmp_path, "\n".join(["界址点号,X,Y,宗地号", *rows[:3], rows[0], *rows[3:]]))
    assert layer.count == 7 and layer.geometry_types == ("Point",)
    assert [(r["group"], r["points"], r["closed"]) for r in layer.facts["rings"]] == [("A", 4, True), ("B", 3, False)]
    assert "turning_points" in codes(layer, "info")


def test_names_that_come_twice_are_told_apart(tmp_path: Path) -> None:
    layer = text(tmp_path, "点号,X,Y,备注,备注\nA,3243900.1,589300.5,a,b\n")
    assert (
        layer.frame is not None and layer.frame.iloc[0].to_dict()["备注_2"] == "b" and "names_repeated" in codes(layer)
    )


def test_east_and_west_in_a_column_of_their_own(tmp_path: Path) -> None:
    assert xy(text(tmp_path, "N,LATITUDE,N/S,LONGITUDE,E/W\n1,41.8,N,12.6,W\n"))[0] == [-12.6, 41.8]


# ---- workbooks, sizes, hostile files --------------------------------------------------------------------------------


def test_sheets_are_layers_and_hidden_ones_are_said(tmp_path: Path) -> None:
    work = openpyxl.Workbook()
    work.active.title = "界桩"
    for row in (["点号", "X", "Y"], ["J1", 3243900.1, 589300.5], ["J2", "=1+1", 589310.5]):
        work.active.append(row)
    hidden = work.create_sheet("说明")
    hidden.append(["项目", "内容"])
    hidden.append(["坐标系", "CGCS2000"])
    hidden.sheet_state = "hidden"
    work.create_sheet("空")
    work.save(tmp_path / "t.xlsx")
    stakes, notes = read_table(tmp_path / "t.xlsx", Asked(), Limits()).layers
    assert (stakes.name, stakes.kind, stakes.count) == ("界桩", "vector", 2)
    assert codes(stakes, "warning") == {"formula_uncomputed", "coordinate_missing"}
    assert (notes.kind, notes.count) == ("table", 1) and "sheet_hidden" in codes(notes, "info")
    assert [d.name for d in read_table(tmp_path / "t.xlsx", Asked(layer="说明"), Limits()).layers] == ["说明"]
    with pytest.raises(InputError, match="no table '不在'"):
        read_table(tmp_path / "t.xlsx", Asked(layer="不在"), Limits())


def biff2(rows: list[list[Any]]) -> bytes:
    """The oldest and simplest form of an .xls file."""
    out = io.BytesIO()

    def record(kind: int, body: bytes) -> None:
        out.write(kind.to_bytes(2, "little") + len(body).to_bytes(2, "little") + body)

    record(0x0009, b"\x02\x00\x10\x00")
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            place = r.to_bytes(2, "little") + c.to_bytes(2, "little") + b"\0\0\0"
            if isinstance(value, str):
                record(0x0004, place + bytes([len(value)]) + value.encode("ascii"))
            else:
                record(0x0003, place + np.float64(value).tobytes())
    record(0x000A, b"")
    return out.getvalue()


def test_an_old_workbook(tmp_path: Path) -> None:
    (tmp_path / "t.xls").write_bytes(
        biff2([["no", "E", "N"], ["J1", 589300.5, 3243900.25], ["J2", 589310.5, 3243910.25]])
    )
    layer = read(tmp_path / "t.xls")
    assert xy(layer) == [[589300.5, 3243900.25], [589310.5, 3243910.25]] and list(layer.frame.index) == [2, 3]  # type: ignore[union-attr]


def test_a_large_table_keeps_every_bounds_and_a_sample(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        out = csv.writer(handle)
        out.writerow(["点号", "经度", "纬度"])
        out.writerows([i, 100 + i / 100_000, 30.25] for i in range(150_000))
    layer = read(path)
    assert layer.count == 150_000 and layer.bounds is not None and layer.bounds.shape == (150_000, 4)
    assert layer.bounds[-1, 0] == pytest.approx(101.49999) and layer.frame is not None and len(layer.frame) <= 100_000
    assert xy(layer)[-1] == [100 + (layer.frame.index[-1] - 2) / 100_000, 30.25]


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("a.csv", bytes(range(256)) * 50, "no text"), ("b.csv", "点号,X,Y\nA,1\0,2\n".encode(), "no text|NUL"), ("c.csv", b"", "empty"),
        ("d.csv", b"\n\n\n", "no table"), ("e.csv", b"a," * 100_000 + b"\n", "fields"), ("f.csv", b"a" * 5_000_000, "line"),
        ("g.csv", b'X,Y\n1,"2\n3,4\n', "row 2: a quotation mark"), ("h.xlsx", b"PK\x03\x04nothing", "damaged"),
        ("i.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 2000, "damaged"), ("j.csv", b"X,Y\n1," + b"9" * 3_000_000, "longer|quotation|characters"),
        ("k.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600 + "WordDocument".encode("utf-16-le"), "Word 97"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_a_sentence(tmp_path: Path, name: str, raw: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(InputError, match=said):
        read_table(tmp_path / name, Asked(), Limits())


def test_a_quotation_that_swallows_rows_is_found(tmp_path: Path) -> None:
    row = "{},3243900.12,589300.55,{}\n"
    with pytest.raises(InputError, match="row 3: a quotation mark"):
        text(
            tmp_path,
            "点号,X,Y,备注\n"
            + row.format("A", "a")
            + row.format("B", '"b')
            + row.format("C", "c")
            + row.format("D", 'd"'),
        )
    layer = text(tmp_path, "点号,X,Y,备注\n" + row.format("A", '"one,\ntwo, three\n"') + row.format("B", '"b\n"'))
    assert layer.count == 2 and layer.frame is not None and layer.frame.iloc[0]["备注"] == "one,\ntwo, three\n"


def test_letters_that_are_no_coordinates(tmp_path: Path) -> None:
    assert text(tmp_path, "构件,L,B,H\n甲,3.5,2.25,1.2\n乙,4.5,3.25,1.2\n").kind == "table"
    assert text(tmp_path, "点名,N,E,Z\nA,3243900.12,589300.55,210\n").kind == "vector"
    assert text(tmp_path, "点名,B,L\nA,29.31,105.91\n").kind == "vector"


def test_half_a_position_and_a_turned_table_are_said(tmp_path: Path) -> None:
    assert "position_incomplete" in codes(text(tmp_path, "点号,经度,备注\nA,105.9,x\n"), "warning")
    assert "positions_in_rows" in codes(
        text(tmp_path, "点号,J1,J2\nX,3243900.1,3243910.2\nY,589300.1,589310.2\n"), "warning"
    )


def _repacked(source: Path, target: Path, change: Any) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name.endswith("sheet1.xml") else old.read(name))
    return target


def test_bombs_are_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 50_000_000)
    with pytest.raises(InputError, match="bombs"):
        read_table(tmp_path / "bomb.xlsx", Asked(), Limits())
    entity = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    good = book(tmp_path, [["X", "Y"], [3243900.1, 589300.5]])
    with pytest.raises(InputError, match="damaged"):
        read_table(
            _repacked(good, tmp_path / "e.xlsx", lambda raw: entity + raw.replace(b"589300.5", b"&b;")),
            Asked(),
            Limits(),
        )


def test_claimed_dimensions_are_not_believed(tmp_path: Path) -> None:
    good = book(tmp_path, [["X", "Y"], [3243900.1, 589300.5]])
    claim = _repacked(good, tmp_path / "d.xlsx", lambda raw: re.sub(rb'ref="A1:B2"', b'ref="A1:XFD1048576"', raw))
    assert read(claim).count == 1


def test_encodings(tmp_path: Path) -> None:
    content = "桩号,经度,纬度,备注\nK0+100,105.91,29.31,左岸双竹堤脚段\n" * 3
    guessed = text(tmp_path, content, encoding="gbk")
    assert guessed.encoding == "gb18030" and "encoding_guessed" in codes(guessed, "info")
    assert guessed.frame is not None and guessed.frame.iloc[0]["备注"] == "左岸双竹堤脚段"
    (tmp_path / "u.csv").write_bytes(content.encode("gbk"))
    assert read(tmp_path / "u.csv", encoding="gbk").encoding_basis.startswith("given")
    with pytest.raises(UsageError):
        read(tmp_path / "u.csv", encoding="no-such")


# ---- real files -----------------------------------------------------------------------------------------------------


def test_real_tables(test_data: Path) -> None:
    stations = test_data / "outfalls_stations"
    for name in ("wuhan_dongxihu_stations.csv", "wuhan_dongxihu_stations_gbk.csv"):
        layer = read(stations / name)
        assert layer.count == 244 and layer.names is not None and layer.names.x == "LGTD"
        assert layer.frame is not None and layer.frame.iloc[0]["STLC"] == "白马泾引水港环湖中路桥"
        assert not codes(layer, "warning", "error")
    incidents = read(stations / "ea_pollution_incidents_midlands_northwest.csv")
    assert incidents.count == 3079 and incidents.declared.degrees is None and xy(incidents)[0] == [336340.0, 563250.0]
    pollutants = read(stations / "ea_pollutants_midlands_northwest.csv")
    assert (pollutants.kind, pollutants.count) == ("table", 3550)


def test_curves_in_a_table(test_data: Path) -> None:
    layer = read(test_data / "messy_vector" / "curves_line.csv")
    assert layer.count == 9 and layer.shapes is not None and all(s is not None for s in layer.shapes)
    assert "MultiCurve" in layer.geometry_types and not codes(layer, "warning", "error")


def test_longitudes_in_words_are_no_heading(tmp_path: Path) -> None:
    path = tmp_path / "stakes.csv"
    rows = "\n".join(f'K0+{i:03d},东经118度40分{i:05.2f}秒,"N 24°59\'{i:05.2f}"""' for i in range(1, 9))
    path.write_text(f"桩号,经度,纬度\n{rows}\n", encoding="utf-8")
    layer = read_table(path, Asked(), Limits()).layers[0]
    assert layer.count == 8 and not any(d.code == "header_repeated" for d in layer.defects)
    assert layer.shapes is not None and layer.shapes[0].x == pytest.approx(118 + 40 / 60 + 1 / 3600)
