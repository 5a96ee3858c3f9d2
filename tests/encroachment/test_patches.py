"""Patches as pure figures and as bytes: laws of measuring, of the four outcomes, of a table filled in."""

from __future__ import annotations

import struct
from typing import Any

import geopandas as gpd
import hypothesis.strategies as st
import pytest
import shapely
from hypothesis import given

from rivergis.encroachment import patch_dbf, patches

ZONE = "EPSG:4544"
GROUND = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)], crs=ZONE)
METRES = st.floats(-50, 250).map(lambda v: round(v, 2))
SIZES = st.floats(1, 120).map(lambda v: round(v, 2))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("1", 1), (2, 2), (3.0, 3), ("4.0", 4), ("①", 1), ("② 不是问题·历史不碍洪", 2), ("不是问题", 1), ("非问题", 1),
        ("历史不碍洪", 2), ("问题·历史碍洪（挂账监管）", 3), ("③问题·历史碍洪", 3), ("历史碍洪挂账", 3), ("挂账监管", 3), ("④问题", 4),
        ("问题", 4), (None, None), ("", None), (float("nan"), None),
    ],
)  # fmt: skip
def test_an_outcome_is_understood_as_offices_write_it(said: Any, meant: int | None) -> None:
    assert patches.outcome(said) == meant


@pytest.mark.parametrize("said", ["5", "0", "12", "是", "待定", "①问题", "问题·历史不碍洪", "不是问题·历史碍洪", "1?"])
def test_an_outcome_that_contradicts_itself_is_none(said: str) -> None:
    with pytest.raises(ValueError):
        patches.outcome(said)


def test_every_outcome_and_its_words_are_the_same() -> None:
    assert {patches.outcome(words): n for n, words in patches.OUTCOMES.items()} == {n: n for n in patches.OUTCOMES}


@given(METRES, METRES, SIZES, SIZES)
def test_what_is_inside_is_no_more_than_what_there_is(x: float, y: float, w: float, h: float) -> None:
    [m] = patches.measure([shapely.box(x, y, x + w, y + h)], GROUND)
    assert m["area_m2"] == pytest.approx(w * h, abs=0.051)
    assert 0 <= m["area_in_mgmt_m2"] <= m["area_m2"]
    inside = max(0, min(x + w, 200) - max(x, 0)) * max(0, min(y + h, 100) - max(y, 0))
    assert m["area_in_mgmt_m2"] == pytest.approx(inside, abs=0.051), (
        "ground of two areas is counted once, their edge is none"
    )
    assert m["share_in_mgmt"] == pytest.approx(inside / (w * h), abs=6e-4)


def test_ground_that_two_areas_share_is_counted_once() -> None:
    twice = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 100, 100), shapely.box(50, 0, 150, 100)], crs=ZONE)
    [m] = patches.measure([shapely.box(40, 40, 60, 60)], twice)
    assert (m["area_in_mgmt_m2"], m["share_in_mgmt"], m["dist_to_line_m"]) == (400.0, 1.0, 40.0)


def test_without_any_line_nothing_is_inside() -> None:
    [m] = patches.measure([shapely.box(0, 0, 10, 10)], GROUND.iloc[:0])
    assert (m["area_m2"], m["area_in_mgmt_m2"], m["dist_to_line_m"], m["at"]) == (100.0, 0.0, None, None)


@pytest.mark.parametrize(
    ("side", "gsd", "said"),
    [
        (9.9, "0.8", ["below_map_limit"]),
        (10, "2.5", []),
        (10, "2.51", ["image_too_coarse"]),
        (10, None, []),
        (10, "亚米", ["image_res_unreadable"]),
    ],
)
def test_limits_of_the_specification(side: float, gsd: str | None, said: list[str]) -> None:
    [m] = patches.measure([shapely.box(0, 0, side, side)], GROUND)
    assert patches.limits_of(m, {"image_res_m": gsd}, 100, 2.5) == said


def test_columns_are_found_as_a_shapefile_cuts_them() -> None:
    names = {"patch_no": "patch_no|TBBH", "area_in_mgmt_m2": "area_in_mgmt_m2|area_in_mg", "bank": "bank|岸别"}
    assert patches.columns_of(["TBBH", "AREA_IN_MG", "岸别", "备注"], names) == {
        "patch_no": "TBBH",
        "area_in_mgmt_m2": "AREA_IN_MG",
        "bank": "岸别",
    }


TEXTS = st.text("甲乙ab12 -", max_size=6).map(str.strip)
FIGURES = st.one_of(st.none(), st.floats(0, 1e6).map(lambda v: f"{v:.1f}"))
DELIVERED = st.fixed_dictionaries(
    {},
    optional={"patch_no": TEXTS, "class_code": TEXTS, "area_m2": FIGURES, "bank": st.sampled_from(["左岸", "right"])},
)
FILLED = st.fixed_dictionaries(
    {}, optional={"area_m2": FIGURES, "bank": st.sampled_from(["左岸", "右岸"]), "zones_hit": TEXTS}
)


@given(DELIVERED, FILLED)
def test_what_was_filled_in_is_no_correction(delivered: dict[str, Any], filled: dict[str, Any]) -> None:
    before = {k: v for k, v in delivered.items() if v}
    fill = {k: v for k, v in filled.items() if v and before.get(k) is None}
    back = before | fill
    assert patches.returned(before, back, ("h", "h"), [fill])
    assert patches.as_delivered(before, back, [fill]) == before
    assert not patches.returned(before, back, ("h", "other"), [fill]), "a moved shape is a correction"
    assert not patches.returned(before, back | {"class_code": "更正了"}, ("h", "h"), [fill])


def test_a_corrected_figure_is_a_correction() -> None:
    assert not patches.returned({}, {"area_m2": "500"}, ("h", "h"), [{"area_m2": 400.0}])
    assert patches.returned({}, {"area_m2": "400"}, ("h", "h"), [{"area_m2": 390.0}, {"area_m2": 400.0}]), (
        "of an earlier night"
    )


def test_differences_name_field_delivered_and_computed() -> None:
    figures = {"area_m2": 300.0, "bank": "左岸", "river_code": "R1", "state": "found"}
    delivered = {"area_m2": "555", "bank": "left", "river_code": "R1", "state": "x"}
    assert patches.differences(delivered, figures) == [("area_m2", "555", "300.0")]


def test_what_the_verdict_says_goes_into_the_form() -> None:
    match = {"permit": "P1", "doc_no": "渝水许可〔2020〕3号", "content": "yes", "position": "no", "limits": "not_told"}
    verdict = {"stands_on": ["berm"], "permit_match": [match], "function_zones": [{"code": "FZ1"}]}
    patch = {
        "figures": {"bank": "left", "zones_hit": "SZ1"},
        "verdict": {"verdict": verdict},
        "severity": "一般",
        "built_period": None,
    }
    assert patches.machine_fields(patch) == {
        "bank": "左岸",
        "zones_hit": "SZ1;FZ1",
        "in_levee_or_berm": "是",
        "permit_id": "渝水许可〔2020〕3号",
        "permit_match": "content yes,position no,limits not_told",
        "severity": "一般",
    }


# ---- a dBase table filled in -------------------------------------------------------------------------------------------


def dbf(columns: list[tuple[str, str, int, int]], records: list[list[str]]) -> bytes:
    """A table of a few columns in GBK: name, kind, width, decimals."""
    body = b"".join(
        b" "
        + b"".join(
            v.encode("gbk").ljust(c[2]) if c[1] == "C" else v.encode().rjust(c[2])
            for v, c in zip(r, columns, strict=True)
        )
        for r in records
    )
    fields = b"".join(
        name.encode("gbk").ljust(11, b"\0") + kind.encode() + b"\0" * 4 + bytes([width, decimals]) + b"\0" * 14
        for name, kind, width, decimals in columns
    )
    length = 1 + sum(c[2] for c in columns)
    head = (
        b"\x03\x1a\x05\x14" + struct.pack("<IHH", len(records), 32 + len(fields) + 1, length) + b"\0" * 17 + b"\x4d\0\0"
    )
    return head + fields + b"\r" + body + b"\x1a"


NAMES = st.lists(st.text("甲乙丙丁", min_size=1, max_size=4), min_size=1, max_size=4, unique=True)


@given(NAMES, st.data())
def test_what_is_not_filled_stays_byte_by_byte(names: list[str], data: st.DataObject) -> None:
    columns = [(n, "C", 10, 0) for n in names]
    records = [[data.draw(st.text("河岸ab", max_size=4)) for _ in names] for _ in range(3)]
    raw = dbf(columns, records)
    same, cut = patch_dbf.fill(raw, "gbk", [{}, {}, {}], [])
    assert (same, cut) == (raw, [])
    more, cut = patch_dbf.fill(raw, "gbk", [{"新": "左岸"}, {}, {"n": 3}], [("新", "text"), ("n", "number")])
    head = patch_dbf.table(more, "gbk")
    assert [c.name for c in head.columns] == [*names, "新", "n"] and head.records == 3 and not cut
    old = patch_dbf.table(raw, "gbk")
    for n in range(3):
        start = head.header + n * head.length
        assert more[start : start + old.length] == raw[old.header + n * old.length : old.header + (n + 1) * old.length]


def test_what_does_not_fit_is_said_and_cut_between_characters() -> None:
    raw = dbf([("结论", "C", 5, 0), ("面积", "N", 4, 1)], [["", ""]])
    body, cut = patch_dbf.fill(raw, "gbk", [{"结论": "不是问题", "面积": 12345.6}], [])
    assert cut == [(0, "结论"), (0, "面积")]
    head = patch_dbf.table(body, "gbk")
    assert (
        body[head.header + 1 : head.header + 6].decode("gbk") == "不是 "
        and body[head.header + 6 : head.header + 10] == b"    "
    )
