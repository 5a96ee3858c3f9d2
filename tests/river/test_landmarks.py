r"""The gazetteer: what people mean by names on a river. Laws, then the county of the entries.

清溪   石桥 0+200   公示牌 0+500   清溪大桥 (a point at 0+971)   公示牌 1+455
"""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis.errors import InputError, UsageError
from rivergis.river.chainage import Axis
from rivergis.river.landmarks import Gazetteer

LINE = shapely.LineString([(106.0, 29.4), (106.02, 29.4)])
AXES = gpd.GeoDataFrame(
    {"river_id": ["r"], "river_code": ["R1"], "river": ["清溪"], "origin_m": [0.0], "calibration": [[]]},
    geometry=[LINE], crs="EPSG:4490",
).rename_geometry("geom")  # fmt: skip


def gazetteer(*marks: tuple[str, float | None, shapely.Point | None], axes: gpd.GeoDataFrame = AXES) -> Gazetteer:
    names, at, points = zip(*marks, strict=True)
    frame = gpd.GeoDataFrame(
        {"id": [f"i{n}" for n in range(len(names))], "code": [f"M{n}" for n in range(len(names))], "river_id": "r", "river_code": "R1",
         "river": "清溪", "name": names, "kind": "bridge", "at_m": at},
        geometry=list(points), crs="EPSG:4490",
    )  # fmt: skip
    return Gazetteer(frame.rename_geometry("geom"), axes, within_m=500)


COUNTY = gazetteer(
    ("石桥", 200.0, None), ("公示牌", 500.0, None), ("公示牌", 1455.0, None), ("清溪大桥", None, shapely.Point(106.01, 29.4001)),
    ("没有位置", None, None),
)  # fmt: skip


@given(st.lists(st.floats(1, 1900), min_size=2, max_size=8, unique_by=lambda m: round(m)))
def test_a_point_is_measured_where_a_chainage_would_put_it(places: list[float]) -> None:
    axis = Axis(LINE)
    points = gazetteer(*((f"n{i}", None, axis.point_at(m)) for i, m in enumerate(places))).marks
    given_ = gazetteer(*((f"n{i}", m, None) for i, m in enumerate(places))).marks
    assert list(points["name"]) == list(given_["name"]), "downstream order"
    assert points["at_m"].to_list() == pytest.approx(given_["at_m"].to_list(), abs=0.01)
    assert set(points["basis"]) == {"measured"} and set(given_["basis"]) == {"given"}


@given(
    st.sampled_from(["石桥", "清溪大桥", "M1", "M2", "0+300", "桩号１＋２００"]),
    st.sampled_from(["石桥", "清溪大桥", "M1", "0+300", "1+940"]),
)
def test_between_two_names_is_the_same_from_either(one: str, other: str) -> None:
    try:
        there = COUNTY.between("r", one, other)
    except InputError as error:
        assert error.details["problem"] == "one_place" and one == other
        return
    assert there == COUNTY.between("r", other, one) and there.from_m < there.to_m


def test_names_are_found_by_themselves_or_proposed() -> None:
    assert COUNTY.spot("r", " 石桥 ").landmark_id == "i0" and COUNTY.spot("r", "清溪大桥").label == "0+971"
    for said, proposed in {
        "石 桥": ["石桥 (0+200)"],
        "清溪桥": ["清溪大桥 (0+971)"],
        "清溪": ["清溪大桥 (0+971)"],
        "无名": [],
    }.items():
        with pytest.raises(InputError) as told:
            COUNTY.spot("r", said)
        assert told.value.details["problem"] == "unknown" and told.value.details["proposals"] == proposed


def test_a_name_that_stands_twice_is_asked() -> None:
    with pytest.raises(InputError, match=r"M1 \(0\+500\), M2 \(1\+455\)") as told:
        COUNTY.between("r", "石桥", "公示牌")
    assert told.value.details["problem"] == "several"
    assert COUNTY.between("r", "石桥", "M2").end.name == "公示牌"


def test_what_has_no_place_or_lies_off_the_river_is_no_end() -> None:
    with pytest.raises(InputError, match="no landmark"):
        COUNTY.spot("r", "没有位置")
    with pytest.raises(InputError, match=r"off the river, which runs 0\+000 – 1\+941"):
        COUNTY.spot("r", "2+500")
    with pytest.raises(InputError, match="no axis"):
        gazetteer(("石桥", 200.0, None), axes=AXES.iloc[:0]).spot("r", "0+100")


def test_a_point_far_from_its_river_has_no_chainage() -> None:
    far = gazetteer(
        ("远处桥", None, shapely.Point(106.01, 29.45)), ("牌", 300.0, shapely.Point(106.01, 29.45))
    ).marks.set_index("name")
    assert far["at_m"].isna().to_dict() == {"远处桥": True, "牌": False} and far.loc["远处桥", "offset_m"] > 5000


def test_official_chainage_is_read_and_shown_where_a_river_has_one() -> None:
    # counted from the mouth: 1+940.9 at the source
    stakes = {
        "direction": "up",
        "pattern": "K0+000",
        "points": [{"at_m": 0.0, "official_m": 1940.0}, {"at_m": 1940.0, "official_m": 0.0}],
    }
    official = gazetteer(("石桥", 200.0, None), axes=AXES.assign(calibration=[stakes]))
    assert official.spot("r", "石桥").label == "K1+740" and official.spot("r", "K1+740").at_m == pytest.approx(
        200, abs=1
    )


def test_the_nearest_landmarks_whether_they_have_a_point_or_a_chainage() -> None:
    near = COUNTY.nearest(106.01, 29.4, 2)
    assert list(near["name"]) == ["清溪大桥", "公示牌"] and near["distance_m"].iloc[0] == pytest.approx(11, abs=1)
    assert near["distance_m"].iloc[1] == pytest.approx(470, abs=3)
    with pytest.raises(UsageError, match="not on the earth"):
        COUNTY.nearest(29.4, 106.0, 1)
