"""Names of columns: which two are a position, which of them is x, and what they say of axes and units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.intake import columns

# names of a table -> (x, y, north_first, angular)
NAMES = [
    (["点号", "X", "Y", "H"], ("X", "Y", None, None)),
    (["Y", "X"], ("X", "Y", None, None)),
    (["X(m)", "Y(m)"], ("X(m)", "Y(m)", None, False)),
    (["X坐标（米）", "Y坐标（米）"], ("X坐标（米）", "Y坐标（米）", None, False)),
    (["X/m", "Y/m"], ("X/m", "Y/m", None, False)),
    (["纵坐标X", "横坐标Y"], ("纵坐标X", "横坐标Y", True, None)),
    (["横坐标Y(m)", "纵坐标X(m)"], ("纵坐标X(m)", "横坐标Y(m)", True, False)),
    (["横坐标X", "纵坐标Y"], ("横坐标X", "纵坐标Y", False, None)),
    (["X（北）", "Y（东）"], ("X（北）", "Y（东）", True, None)),
    (["N(X)", "E(Y)"], ("N(X)", "E(Y)", True, None)),
    (["北坐标", "东坐标"], ("东坐标", "北坐标", False, None)),
    (["N", "E", "Z"], ("E", "N", False, None)),
    (["Easting", "Northing"], ("Easting", "Northing", False, None)),
    (["经度", "纬度"], ("经度", "纬度", False, True)),
    (["纬度", "经度"], ("经度", "纬度", False, True)),
    (["经度(°)", "纬度(°)"], ("经度(°)", "纬度(°)", False, True)),
    (["经度（度）", "纬度（度）"], ("经度（度）", "纬度（度）", False, True)),
    (["东经", "北纬"], ("东经", "北纬", False, True)),
    (["经  度", "纬 度"], ("经  度", "纬 度", False, True)),
    (["X\n坐标(m)", "Y\n坐标(m)"], ("X\n坐标(m)", "Y\n坐标(m)", None, False)),
    (["经度", "维度"], ("经度", "维度", False, True)),
    (["B", "L", "H"], ("L", "B", False, True)),
    (["大地坐标B", "大地坐标L"], ("大地坐标L", "大地坐标B", False, True)),
    (["STCD", "LGTD", "LTTD"], ("LGTD", "LTTD", False, True)),
    (["lng", "lat"], ("lng", "lat", False, True)),
    (["wgs84Lat", "wgs84Lng"], ("wgs84Lng", "wgs84Lat", False, True)),
    (["WGS84经度", "WGS84纬度"], ("WGS84经度", "WGS84纬度", False, True)),
    (["POINT_X", "POINT_Y"], ("POINT_X", "POINT_Y", None, None)),
    (["X_CONF", "Y_CONF", "NGR_CONF"], ("X_CONF", "Y_CONF", None, None)),
    (["排污口经度", "排污口纬度"], ("排污口经度", "排污口纬度", False, True)),
    (["经度X", "纬度Y"], ("经度X", "纬度Y", False, True)),
    (["X坐标(CGCS2000)", "Y坐标"], ("X坐标(CGCS2000)", "Y坐标", None, None)),
]


@pytest.mark.parametrize(("names", "expected"), NAMES)
def test_names_tell_the_position(names: list[str], expected: tuple[str, str, bool | None, bool | None]) -> None:
    (pair,) = columns.pairs(names)
    assert (names[pair.x], names[pair.y], pair.north_first, pair.angular) == expected


@pytest.mark.parametrize(
    "names",
    [
        ["东至", "北至"], ["X误差", "Y误差"], ["dx", "dy"], ["经度", "备注"], ["中央经度", "纬度带号"], ["Ex", "Fy"], ["flat", "long_name"],
        ["水位", "流量"], ["name", "exit", "year"], ["经度偏差", "纬度偏差"], ["项目", "数量"],
    ],
)  # fmt: skip
def test_names_that_are_no_position(names: list[str]) -> None:
    assert columns.pairs(names) == []


@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_the_order_of_columns_does_not_matter(case: tuple[list[str], tuple[str, ...]], random) -> None:  # type: ignore[no-untyped-def]
    names = [*case[0], "备注", "编号"]
    random.shuffle(names)
    (pair,) = columns.pairs(names)
    assert (names[pair.x], names[pair.y]) == case[1][:2]


def test_start_and_end_are_two_ends() -> None:
    for names in (
        ["起点经度", "起点纬度", "终点经度", "终点纬度"],
        ["x1", "y1", "x2", "y2"],
        ["startLng", "startLat", "endLng", "endLat"],
        ["起点X坐标", "起点Y坐标", "止点X坐标", "止点Y坐标"],
    ):
        ends = columns.ends(columns.pairs(names))
        assert ends is not None and [ends[0].x, ends[0].y, ends[1].x, ends[1].y] == [0, 1, 2, 3]
    assert columns.ends(columns.pairs(["WGS84经度", "WGS84纬度", "GCJ经度", "GCJ纬度"])) is None


def test_one_place_in_two_systems_is_not_two_places() -> None:
    both = columns.pairs(["GCJ经度", "GCJ纬度", "WGS84经度", "WGS84纬度"])
    assert not columns.are_two_places(*both)
    assert min(both, key=columns.preference).rest == "wgs84"
    assert columns.are_two_places(*columns.pairs(["左岸X", "左岸Y", "右岸X", "右岸Y"]))


@pytest.mark.parametrize(
    ("text", "datum"),
    [
        ("高程采用1985国家高程基准", "1985"), ("H(85高程)", "1985"), ("1956年黄海高程系", "1956"), ("吴淞高程", "吴淞"), ("大地高", "ellipsoidal"),
        ("高程", None), ("1985国家高程基准与吴淞高程换算", None),
    ],
)  # fmt: skip
def test_height_systems_are_named(text: str, datum: str | None) -> None:
    assert columns.vertical_datum(text) == datum


def test_only_one_code_is_a_code() -> None:
    assert columns.epsg_code("坐标系 EPSG:4544") == "EPSG:4544"
    assert columns.epsg_code("EPSG:4544 → EPSG：4490") is None
    assert columns.epsg_code("2000国家大地坐标系") is None


def test_words_about_the_system_are_kept_as_they_stand() -> None:
    said = columns.system_words(["某县公告", "坐标系：2000国家大地坐标系，3度带", "联系人：张三", "中央子午线105°"])
    assert said == "坐标系：2000国家大地坐标系，3度带 · 中央子午线105°"


@given(st.lists(st.text(max_size=20), max_size=12))
def test_any_names_give_pairs_of_different_columns(names: list[str]) -> None:
    used = [c for p in columns.pairs(names) for c in (p.x, p.y)]
    assert len(used) == len(set(used)) and all(0 <= c < len(names) for c in used)
