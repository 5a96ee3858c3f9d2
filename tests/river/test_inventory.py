"""The list of rivers and lakes on a county drawn small (``small_county``), and its laws."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.errors import InputError
from rivergis.river import inventory, sections
from tests import tiny
from tests.river.small_county import LAKE, REACHES, UNITS, listed, network


def test_a_river_is_listed_with_its_course_side_arms_and_mouth() -> None:
    rows = listed().rivers.set_index("river_id")
    a = rows.loc["A"]
    assert (a["name"], a["kind"]) == ("甲河", "river")
    assert a["length_m"] == pytest.approx(REACHES["length_m"][:3].sum())
    assert a["side_length_m"] == pytest.approx(REACHES["length_m"][3])
    assert (a["source_unit"], a["mouth_unit"]) == ("云溪县西镇", "云溪县东镇")
    assert (a["flows_into"], a["flows_into_water"]) == (None, "东湖")
    assert (rows.loc["B", "flows_into"], rows.loc["B", "kind"]) == ("甲河", "ditch")


def test_a_lake_is_listed_with_its_area_and_no_length() -> None:
    lake = listed().rivers.set_index("river_id").loc["L7"]
    assert lake["water_area_km2"] == pytest.approx(0.08, rel=1e-3)
    assert (lake["lake_class"], lake["lies_in"]) == ("0-1", "云溪县东镇")
    assert np.isnan(lake["length_m"]) and lake["over_min_length"] is None


def test_surfaces_of_one_lake_are_one_row() -> None:
    boxes = [tiny.box(3000, 400, 400, 200), tiny.box(3300, 400, 300, 200)]
    two = tiny.degrees(tiny.metric(boxes, kind="lake", name="东湖", river_id="L7"))
    lake = listed(areas=two).rivers.query("kind == 'lake'")
    assert lake["water_area_km2"].tolist() == [pytest.approx(0.12, rel=1e-3)], "600 m x 200 m, the overlap counted once"


def test_sections_add_up_and_change_at_the_border() -> None:
    got = listed().sections
    course = got[(got["river_id"] == "A") & (got["level"] == "town")]
    assert course["unit"].tolist() == ["西镇", "东镇"]
    cut = course["to_m"].iloc[0]
    assert cut == pytest.approx(course["from_m"].iloc[1])
    assert cut == pytest.approx(REACHES["length_m"][0] + REACHES["length_m"][1] / 2, abs=0.01)
    whole = REACHES[REACHES["channel"] == "main"].groupby("river_id")["length_m"].sum()
    for (river, _level), part in got[got["length_m"].notna()].groupby(["river_id", "level"]):
        assert part["length_m"].sum() == pytest.approx(whole[river])


#       north
#   ----+======+----   the river is the border for a while
#       south
def test_a_river_on_a_border_is_told_once_with_both_units() -> None:
    river = tiny.line((0, 300), (500, 500), (1500, 500), (2000, 800))
    shared = [(-500, 500), (500, 500), (1500, 500), (3000, 500)]
    north, south = (shapely.Polygon(tiny.shift([*shared, (3000, y), (-500, y)])) for y in (900, 0))
    units = tiny.degrees(
        tiny.metric([north, south], code=["500199001", "500199002"], name=["北镇", "南镇"], level="town")
    )
    parts = listed(reaches=network(("x", "A", "main", None, "river", river)), areas=None, units=units).sections
    assert parts[["unit", "with_unit"]].fillna("").to_numpy().tolist() == [["南镇", ""], ["北镇", "南镇"], ["北镇", ""]]
    assert parts["length_m"].iloc[1] == pytest.approx(1000, rel=1e-3)


def test_what_lies_outside_of_all_units_is_said() -> None:
    parts = listed(units=UNITS.iloc[[1]]).sections.query("river_id == 'A'")
    assert [u if isinstance(u, str) else None for u in parts["unit"]] == ["西镇", None]


WEST = st.lists(st.integers(-200, 3300), min_size=2, max_size=6)


@settings(deadline=None, max_examples=40)
@given(WEST, st.lists(st.integers(1, 1500), min_size=1, max_size=6, unique=True), st.booleans())
def test_sections_partition_any_course(xs: list[int], borders: list[int], gap: bool) -> None:
    line = shapely.LineString(tiny.shift([(x, 100.0 * i) for i, x in enumerate(xs)]))
    stops = sorted({0, *borders, 1600})
    boxes = [tiny.box(a, -100, b - a, 1000) for a, b in itertools.pairwise(stops)]
    boxes = boxes[1:] if gap and len(boxes) > 1 else boxes
    units = tiny.degrees(
        tiny.metric(boxes, code=[f"500199{i:03d}" for i in range(len(boxes))], name="镇", level="town")
    )
    reaches = network(("x", "A", "main", None, "river", line))
    parts = listed(reaches=reaches, areas=None, units=units).sections
    assert parts["length_m"].sum() == pytest.approx(reaches["length_m"].sum())
    assert parts["from_m"].iloc[0] == 0 and np.allclose(parts["from_m"][1:], parts["to_m"][:-1])
    assert (parts["length_m"] > 0).all()
    reverse = listed(reaches=reaches.set_geometry(reaches.reverse()), areas=None, units=units).sections
    for unit, length in parts.groupby(parts["unit_code"].fillna("outside"))["length_m"].sum().items():
        back = reverse.groupby(reverse["unit_code"].fillna("outside"))["length_m"].sum()
        assert back[unit] == pytest.approx(length, abs=0.01)


def test_basin_classes_and_scope_come_from_the_dem_else_from_what_is_stated() -> None:
    facts = pd.DataFrame({"river_id": ["A", "B"], "basin_area_1e4_km2": [0.0030, 0.0005]})
    stated = listed(facts=facts).rivers.set_index("river_id")
    assert stated.loc["A", ["upstream_area_km2", "area_basis", "basin_class", "small_basin"]].tolist() == [
        30,
        "stated",
        "10-50",
        True,
    ]
    assert stated.loc["B", "small_basin"] is False
    dem = listed(reaches=REACHES.assign(upstream_area_km2=120.0), facts=facts).rivers.set_index("river_id")
    assert dem.loc["A", ["area_basis", "basin_class", "grade_range"]].tolist() == ["dem", "50-200", "3-4"]
    unknown = listed().rivers.set_index("river_id")
    assert unknown.loc["A", ["basin_class", "small_basin", "grade"]].tolist() == [None, None, None]
    assert unknown.loc["A", "over_min_length"] is True and unknown.loc["B", "over_min_length"] is False


def test_a_registered_grade_and_line_are_told_as_they_are() -> None:
    known = pd.DataFrame(
        {
            "river_id": ["A", "Z"],
            "code": ["JH", "ZT"],
            "name": ["甲江", "丁塘"],
            "kind": ["river", "pond"],
            "grade": ["4", None],
        }
    )
    lines = pd.DataFrame(
        {"river_id": ["A", "A", "A"], "bank": ["right", "left", "left"], "basis": ["announced", "announced", "draft"]}
    )
    rows = listed(known=known, lines=lines).rivers.set_index("river_id")
    assert rows.loc["A", ["code", "name", "grade", "grade_basis", "line_basis", "line_banks"]].tolist() == [
        "JH", "甲江", "4", "register", "announced", "left,right"
    ]  # fmt: skip
    assert rows.loc["B", "line_basis"] == "none"
    assert rows.loc["Z", "kind"] == "pond", "a registered water without geometry is listed too"


def test_filters_keep_what_passes_with_its_sections() -> None:
    whole = listed(facts=pd.DataFrame({"river_id": ["A"], "basin_area_1e4_km2": [0.003]}))
    assert inventory.narrowed(whole, min_length_m=1000).rivers["river_id"].tolist() == ["A"]
    assert inventory.narrowed(whole, basin_class="10-50").rivers["river_id"].tolist() == ["A"]
    east = inventory.narrowed(whole, unit="500199002")
    assert set(east.rivers["river_id"]) == {"A", "B", "L7"} and set(east.sections["river_id"]) == {"A", "B", "L7"}
    assert inventory.narrowed(whole, unit="500199001").rivers["river_id"].tolist() == ["A"]
    assert inventory.narrowed(whole).figures == whole.figures


def test_a_network_without_units_or_areas_is_listed() -> None:
    got = listed(areas=None, units=None)
    assert len(got.rivers) == 2 and got.sections.empty
    assert got.rivers["source_unit"].isna().all()


@pytest.mark.parametrize(
    ("code", "level"),
    [("500000", "province"), ("500100", "city"), ("500199", "county"), ("500199001", "town"), ("500199001000", "town"), ("500199001201", "village")],
)  # fmt: skip
def test_levels_are_told_by_codes(code: str, level: str) -> None:
    units = UNITS.iloc[:1].assign(code=code).drop(columns="level").rename(columns={"code": "ADCODE"})
    assert sections.units_of(units, "units.gpkg")["level"].tolist() == [level]


def test_units_without_code_or_level_are_refused() -> None:
    with pytest.raises(InputError, match="code and name"):
        sections.units_of(UNITS.drop(columns="code"), "units.gpkg")
    with pytest.raises(InputError, match="level"):
        sections.units_of(UNITS.drop(columns="level").assign(code="甲"), "units.gpkg")


def with_shore(name: str | None = "东湖") -> gpd.GeoDataFrame:
    """The network with the shore of the lake, drawn in two pieces, as a build makes it."""
    box = shapely.get_coordinates(tiny.box(3000, 400, 400, 200))
    pieces = [shapely.LineString(box[:3]), shapely.LineString(box[2:])]
    shore = tiny.degrees(tiny.metric(pieces, kind="shoreline")).rename_geometry("geometry")
    shore = shore.assign(
        river_id="L7", river_name=name, reach_id=["shore7.1", "shore7.2"], covered=False, channel="main", length_m=500.0
    )
    return gpd.GeoDataFrame(pd.concat([REACHES, shore], ignore_index=True), crs=REACHES.crs)


def test_a_lake_that_only_has_a_shore_is_listed_with_its_area() -> None:
    lake = listed(reaches=with_shore(), areas=None).rivers.query("kind == 'lake'")
    assert lake[["river_id", "name", "lies_in"]].to_numpy().tolist() == [["L7", "东湖", "云溪县东镇"]]
    assert lake["water_area_km2"].item() == pytest.approx(0.08, rel=1e-3)


def test_shore_and_area_of_one_lake_are_one_row() -> None:
    plain = listed(reaches=with_shore()).rivers
    other = listed(reaches=with_shore(None), areas=LAKE.assign(river_id="area-9")).rivers
    for rows in (plain, other):
        assert rows.query("kind == 'lake'")[["river_id", "name"]].to_numpy().tolist() == [["L7", "东湖"]]
    pd.testing.assert_frame_equal(plain, other)
