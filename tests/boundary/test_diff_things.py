"""Where changed ground lies, what stands on it, and what it was: bank, chainage, households, water of earlier days."""

from __future__ import annotations

from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis.boundary.redraw import compare as diff
from rivergis.boundary.redraw import ground as diff_ground
from rivergis.boundary.redraw import place as diff_place
from rivergis.boundary.redraw import things as diff_things
from rivergis.boundary.redraw import told as diff_told
from tests.boundary.test_diff_laws import METRIC, box, few, frame

RIVER = box(0, -50, 1000, 50)
"""Flows east along y = 0."""


def reaches(from_m: float | None = None) -> gpd.GeoDataFrame:
    lines = [((0, 0), (400, 0)), ((400, 0), (1000, 0))]
    shapes = [shapely.LineString([(500_000 + x, 3_300_000 + y) for x, y in line]) for line in lines]
    said = {
        "code": ["R1", "R2"],
        "river_code": ["A", "A"],
        "from_m": [from_m, None if from_m is None else from_m + 400],
    }
    return gpd.GeoDataFrame(said, geometry=shapes, crs=METRIC)


def redrawn(*let_go: shapely.Geometry, taken: shapely.Geometry | None = None) -> diff.Redraw:
    new = shapely.difference(RIVER, shapely.union_all(let_go))
    new = new if taken is None else shapely.union(new, taken)
    return diff.compare(frame([("A", RIVER)]), frame([("A", new)]), 0.5)


def layer(name: str, rows: list[tuple[shapely.Geometry, dict[str, Any]]]) -> diff_things.Layer:
    said = [
        {"feature": str(n), "name": None, "kind": None, "since": None, "households": np.nan} | d
        for n, (_, d) in enumerate(rows)
    ]
    return diff_things.Layer(name, gpd.GeoDataFrame(pd.DataFrame(said), geometry=[g for g, _ in rows], crs=METRIC))


# ---- place ---------------------------------------------------------------------------------------------------------------


def test_a_piece_says_bank_and_chainage_along_the_river_or_the_reach() -> None:
    redraw = redrawn(box(300, 40, 380, 50), box(500, -50, 560, -45))
    of_reach = diff.reductions(diff_place.place(redraw, reaches()))
    assert [(r.bank, r.stretch, r.from_m, r.to_m) for r in of_reach] == [
        ("left", "R1 0+300–0+380", 300, 380),
        ("right", "R2 0+100–0+160", 100, 160),
    ]
    of_river = diff.reductions(diff_place.place(redraw, reaches(12_000)))
    assert [(r.stretch, r.from_m, r.to_m) for r in of_river] == [
        ("12+300–12+380", 12_300, 12_380),
        ("12+500–12+560", 12_500, 12_560),
    ]


def test_a_piece_over_two_reaches_names_both() -> None:
    (one,) = diff.reductions(diff_place.place(redrawn(box(350, 40, 500, 50)), reaches()))
    assert one.stretch == "R1 0+350–0+400; R2 0+000–0+100"
    assert one.bank == "left"


def test_ground_across_the_river_is_parted_at_its_line_and_keeps_its_m2() -> None:
    redraw = diff_place.place(redrawn(box(600, -50, 700, 50)), reaches())
    assert sorted((r.bank, round(r.m2)) for r in diff.reductions(redraw)) == [("left", 5000), ("right", 5000)]
    assert redraw.reduced["m2"].sum() == pytest.approx(10_000)


@few
@given(
    st.lists(st.tuples(st.integers(0, 990), st.integers(-60, 55), st.integers(1, 110)), max_size=8),
    st.integers(-30, 30),
)
def test_placing_parts_pieces_and_loses_no_ground(boxes: list[tuple[int, int, int]], shift: int) -> None:
    redraw = redrawn(*(box(x, y, x + w, y + w) for x, y, w in boxes))
    lines = reaches()
    placed = diff_place.place(redraw, lines.set_geometry(lines.translate(0, shift)))
    assert placed.pieces["m2"].sum() == pytest.approx(redraw.pieces["m2"].sum(), abs=1e-6)
    assert placed.pieces["m2"].to_numpy() == pytest.approx(shapely.area(placed.pieces.geometry.to_numpy()))
    told = placed.changed
    assert set(told["bank"]) <= {"left", "right", "both"}
    assert told["from_m"].between(0, 600).all() and (told["to_m"] >= told["from_m"]).all()


def test_a_river_without_reaches_leaves_its_pieces_unplaced() -> None:
    (one,) = diff.reductions(diff_place.place(redrawn(box(600, 40, 700, 50)), reaches().assign(river_code="B")))
    assert (one.bank, one.stretch, one.from_m) == (None, "", None)


def test_villages_gain_and_lose() -> None:
    units = gpd.GeoDataFrame(
        {"code": ["1", "2"], "name": ["上村", "下村"], "level": ["village"] * 2},
        geometry=[box(0, -500, 500, 500), box(500, -500, 1000, 500)],
        crs=METRIC,
    )
    redraw = diff_place.by_unit(redrawn(box(450, 40, 600, 50), taken=box(100, 50, 200, 60)), units)
    assert redraw.places is not None
    rows = redraw.places.set_index("name")
    assert rows.loc["下村", "leaving_m2"] == pytest.approx(1000)
    assert tuple(rows.loc["上村", ["entering_m2", "leaving_m2"]]) == pytest.approx((1000, 500))


# ---- things --------------------------------------------------------------------------------------------------------------


def test_a_thing_says_what_of_it_leaves_and_where_it_stands_before_and_after() -> None:
    buildings = layer(
        "building", [(box(300, 30, 320, 50), {"name": "厂房", "households": 2}), (box(390, 30, 420, 38), {})]
    )
    redraw = diff_things.held_against(redrawn(box(200, 40, 400, 50)), [buildings])
    (row,) = diff_things.each(redraw).to_dict("records")
    assert (row["name"], row["m2"], row["thing_m2"], row["was"], row["becomes"]) == ("厂房", 200, 400, "inside", "part")
    assert diff_things.sums(redraw)[["things", "households", "unsaid"]].iloc[0].tolist() == [1, 2, 0]


def test_households_are_summed_where_they_are_given_and_counted_as_unsaid_where_not() -> None:
    on = [(box(210 + 20 * n, 42, 220 + 20 * n, 46), {"households": h}) for n, h in enumerate((3, np.nan, 0))]
    redraw = diff_things.held_against(redrawn(box(200, 40, 400, 50)), [layer("building", on)])
    (row,) = diff_things.sums(redraw).to_dict("records")
    assert (row["things"], row["households"], row["unsaid"]) == (3, 3, 1)


def test_a_thing_on_several_pieces_is_one_thing() -> None:
    field = layer("farmland", [(box(200, 30, 600, 60), {"name": "一号田"})])
    redraw = diff_things.held_against(redrawn(box(250, 40, 300, 50), box(400, 40, 500, 50)), [field])
    (row,) = diff_things.each(redraw).to_dict("records")
    assert row["m2"] == pytest.approx(1500)


@few
@given(
    st.lists(st.tuples(st.integers(0, 990), st.integers(-60, 55), st.integers(1, 60)), max_size=12), st.integers(1, 40)
)
def test_classes_that_cover_the_ground_sum_to_what_leaves(boxes: list[tuple[int, int, int]], cell: int) -> None:
    redraw = redrawn(*(box(x, y, x + w, y + w) for x, y, w in boxes))
    width = 40 * cell
    cover = [(box(x, -60, x + width, 60), {"kind": str(x % 3)}) for x in range(0, 1000, width)]
    redraw = diff_things.held_against(redraw, [layer("land_use", cover)])
    told = diff_things.sums(redraw)
    assert told["m2"].sum() == pytest.approx(
        redraw.reduced["m2"].sum(), abs=0.02 * len(redraw.pieces) * len(cover) + 1e-6
    )


def test_a_point_on_a_strip_of_noise_is_told_as_noise_and_an_area_is_not() -> None:
    redraw = redrawn(box(0, 49.8, 1000, 50))
    points = layer("outfall", [(shapely.Point(500_100, 3_300_049.9), {})])
    areas = layer("parcel", [(box(0, 40, 1000, 60), {})])
    (row,) = diff_things.each(diff_things.held_against(redraw, [points, areas])).to_dict("records")
    assert (row["layer"], row["noise"], row["was"], row["becomes"]) == ("outfall", True, "inside", "outside")


def test_what_was_not_given_is_named_and_not_taken_for_nothing() -> None:
    told = diff_told.told(diff_things.held_against(redrawn(box(0, 40, 100, 50)), [layer("case", [])]))
    assert told["looked_at"] == ["case"] and "farmland" in told["not_looked_at"]


# ---- what it was ---------------------------------------------------------------------------------------------------------


def observed(*seen: tuple[shapely.Geometry, str | None]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"feature": [d for _, d in seen], "since": [d for _, d in seen]}, geometry=[g for g, _ in seen], crs=METRIC
    )


def flags(redraw: diff.Redraw, water: gpd.GeoDataFrame | None, **more: Any) -> dict[str, float]:
    flagged = diff_ground.flagged(redraw, water, least_m2=10, **more)
    assert flagged.flags is not None
    return dict(zip(flagged.flags["code"], flagged.flags["m2"], strict=True))


LET_GO = box(200, 30, 300, 50)  # 2,000 m2


def test_released_ground_that_was_water_and_is_dry_is_a_fill() -> None:
    water = observed((box(200, -50, 300, 50), "2015-06-01"), (box(200, -50, 300, 35), "2024-06-01"))
    assert flags(redrawn(LET_GO), water) == pytest.approx({"water": 500, "former_water": 2000, "filled": 1500})


def test_the_map_without_a_day_is_that_of_today() -> None:
    water = observed((box(200, -50, 300, 50), "2015-06-01"), (box(200, -50, 300, 35), None))
    assert flags(redrawn(LET_GO), water)["filled"] == pytest.approx(1500)


def test_ground_dry_in_the_newest_picture_of_the_place_is_filled_though_no_water_of_that_day_touches_it() -> None:
    water = observed((box(200, -50, 300, 50), "2015-06-01"), (box(200, -50, 300, 20), "2024-06-01"))
    assert flags(redrawn(LET_GO), water) == pytest.approx({"former_water": 2000, "filled": 2000})


def test_the_edge_of_a_picture_is_no_water() -> None:
    assert flags(redrawn(LET_GO), observed((box(200, 0, 300, 30.05), "2024-06-01"))) == {}


def test_something_newer_than_the_old_line_stands_out_and_something_older_is_said() -> None:
    stands = [
        (box(210, 35, 220, 45), {"since": date(2025, 3, 1)}),
        (box(240, 35, 250, 45), {"since": date(2010, 1, 1)}),
    ]
    redraw = diff_things.held_against(redrawn(LET_GO), [layer("building", stands)])
    assert set(flags(redraw, None, old_day=date(2020, 1, 1))) == {"new_object", "object_stands"}
    assert set(flags(redraw, None)) == {"object_stands"}


def test_a_reduction_carries_its_cases_and_flags() -> None:
    case = layer("case", [(shapely.Point(500_250, 3_300_040), {"name": "500199-2026-0001"})])
    redraw = diff_ground.flagged(diff_things.held_against(redrawn(LET_GO), [case]), None, least_m2=10)
    (one,) = diff.reductions(redraw)
    assert (one.cases, one.flags) == (("500199-2026-0001",), ("open_case",))


def test_ground_that_enters_is_never_flagged() -> None:
    redraw = redrawn(taken=box(200, 50, 300, 90))
    assert flags(redraw, observed((box(200, 40, 300, 90), "2015-06-01"))) == {}
