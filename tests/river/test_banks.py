"""Bank lines: which reach, which side, whatever way they were drawn.

        ----------north line----------            | t |
a  >------------->b>------------->          ------     ------   a mouth is no end of a bank
        ----------south line----------      main >----------->
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis import crs
from rivergis.errors import InputError
from rivergis.river import banks
from rivergis.river.chainage import Axis
from tests import tiny

KNOBS = {"max_offset_m": 150.0, "step_m": 5.0, "min_confidence": 0.8}
NORTH, SOUTH = tiny.line((0, 40), (1000, 40)), tiny.line((0, -30), (1000, -30))


def frame(*shapes: shapely.Geometry, **columns: object) -> gpd.GeoDataFrame:
    return tiny.degrees(tiny.metric(shapes, **columns))


def main_and_tributary(confidence: float = 1.0) -> gpd.GeoDataFrame:
    return frame(
        tiny.line((0, 0), (500, 0)),
        tiny.line((500, 0), (1000, 0)),
        tiny.line((500, 300), (500, 0)),
        reach_id=["a", "b", "t"],
        river_id=["m", "m", "t"],
        from_m=[1000.0, 1500.0, 0.0],
        to_m=[1500.0, 2000.0, 300.0],
        direction_confidence=[1.0, confidence, 1.0],
    )


def main_alone(confidence: float = 1.0) -> gpd.GeoDataFrame:
    return main_and_tributary(confidence).iloc[:2]


def seen(pieces: gpd.GeoDataFrame) -> list[tuple]:
    return sorted((r.reach_id, r.bank, round(r.from_m), round(r.to_m)) for r in pieces.itertuples())


def mirrored(shapes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The world seen in a mirror east-west; rings and lines keep the order of their vertices."""
    return shapes.set_geometry(shapely.transform(shapes.geometry.values, lambda xy: xy * [-1.0, 1.0]), crs=crs.STORAGE)


def test_each_piece_knows_reach_bank_and_chainage() -> None:
    pieces, defects = banks.attach(frame(NORTH, SOUTH), main_alone(0.4), **KNOBS)
    assert seen(pieces) == [
        ("a", "left", 1000, 1500),
        ("a", "right", 1000, 1500),
        ("b", "left", 1500, 2000),
        ("b", "right", 1500, 2000),
    ]
    assert pieces.groupby("bank")["mean_offset_m"].mean().to_dict() == pytest.approx({"left": 40, "right": 30}, abs=0.1)
    assert list(pieces.groupby("reach_id")["bank_certain"].all()) == [True, False]
    assert defects.empty


def test_without_chainage_a_reach_is_counted_from_its_own_head() -> None:
    pieces, _ = banks.attach(frame(NORTH), main_alone()[["reach_id", "geom"]], **KNOBS)
    assert seen(pieces) == [("a", "left", 0, 500), ("b", "left", 0, 500)]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, list[str]]:
    """A wandering river of three reaches with a bank line on either side, cut into pieces anywhere; and the banks they are."""
    wave = draw(st.lists(st.floats(-60, 60), min_size=31, max_size=31))
    x = np.arange(31) * 100.0
    y = np.convolve(wave, np.ones(3) / 3, mode="same")
    reaches = [tiny.line(*zip(x[i : i + 11], y[i : i + 11], strict=True)) for i in (0, 10, 20)]
    lines, truth = [], []
    for side, width in (("left", draw(st.floats(5, 90))), ("right", draw(st.floats(5, 90)))):
        cut = sorted(draw(st.sets(st.integers(2, 28), max_size=3)))
        for a, b in zip([0, *cut], [*cut, 30], strict=True):
            shift = width if side == "left" else -width
            lines.append(tiny.line(*zip(x[a : b + 1], y[a : b + 1] + shift, strict=True)))
            truth.append(side)
    return frame(*reaches, reach_id=["r0", "r1", "r2"], river_id="r"), frame(*lines), truth


@settings(max_examples=14, deadline=None)
@given(worlds(), st.integers(0, 2**32))
def test_never_a_wrong_bank_whatever_way_lines_were_drawn(world: tuple, seed: int) -> None:
    reaches, lines, truth = world
    turned = np.random.default_rng(seed).random(len(lines)) < 0.5
    mixed = lines.set_geometry(lines.geometry.where(~turned, lines.geometry.reverse()))
    pieces, defects = banks.attach(mixed, reaches, **KNOBS)
    assert [truth[i] for i in pieces["line"]] == list(pieces["bank"])
    assert "bank_crosses_axis" not in set(defects["code"])
    assert seen(pieces) == seen(banks.attach(lines, reaches, **KNOBS)[0])
    # nothing lost, and all runs downstream
    assert pieces["length_m"].sum() == pytest.approx(crs.length_m(lines.geometry.values).sum(), abs=0.05)
    order = {name: Axis(line) for name, line in zip(reaches["reach_id"], reaches.geometry, strict=True)}
    for row in pieces.itertuples():
        at = order[row.reach_id].locate_arrays([shapely.Point(row.geometry.coords[i]) for i in (0, -1)])[0]
        assert at[0] <= at[1]


@settings(max_examples=6, deadline=None)
@given(worlds())
def test_a_mirror_and_a_turned_reach_swap_the_banks(world: tuple) -> None:
    reaches, lines, _ = world
    swap = {"left": "right", "right": "left"}
    here, _ = banks.attach(lines, reaches, **KNOBS)
    there, _ = banks.attach(mirrored(lines), mirrored(reaches), **KNOBS)
    assert [swap[b] for b in here["bank"]] == list(there["bank"])
    assert there["from_m"].to_numpy() == pytest.approx(here["from_m"].to_numpy(), abs=0.01)
    turned, _ = banks.attach(lines, reaches.set_geometry(reaches.geometry.reverse()), **KNOBS)
    assert [swap[b] for b in here["bank"]] == list(turned["bank"])


def test_a_wrong_attribute_is_listed_and_not_followed() -> None:
    lines = frame(NORTH, SOUTH, SOUTH, told=["右岸", "R", "east"])
    pieces, defects = banks.attach(lines, main_alone(0.4), bank_column="told", **KNOBS)
    assert list(pieces["bank"]) == ["left"] * 2 + ["right"] * 4
    assert list(pieces["declared"].fillna("")) == ["right"] * 4 + ["", ""]
    assert list(defects["code"]) == ["bank_disagrees"] * 2 + ["bank_unread"] * 2
    assert defects["measure"].iloc[0] == pytest.approx(500, abs=1)
    # where the direction was guessed, the attribute may be the better witness
    assert "direction is a guess" in defects["proposal"].iloc[1]
    assert "direction is a guess" not in defects["proposal"].iloc[0]


def test_a_line_with_both_banks_is_cut_where_it_crosses() -> None:
    line = frame(tiny.line((0, -30), (600, -30), (700, 30), (1000, 30)))
    pieces, defects = banks.attach(line, main_alone(), **KNOBS)
    assert seen(pieces) == [("a", "right", 1000, 1500), ("b", "left", 1650, 2000), ("b", "right", 1500, 1650)]
    [crossing] = defects.itertuples()
    assert (crossing.code, crossing.reach_id) == ("bank_crosses_axis", "b")
    assert Axis(main_alone().geometry.iloc[1]).locate([crossing.geometry])[0].at_m == pytest.approx(150, abs=0.1)


def test_a_line_across_a_mouth_stays_with_its_river() -> None:
    pieces, defects = banks.attach(frame(NORTH), main_and_tributary(), **KNOBS)
    assert seen(pieces) == [("a", "left", 1000, 1500), ("b", "left", 1500, 2000)]
    assert list(defects["code"]) == ["bank_crosses_tributary"]
    assert defects["reach_id"].iloc[0] == "t"


def test_a_ditch_behind_the_bank_does_not_take_it() -> None:
    ditch = frame(
        tiny.line((0, 0), (1000, 0)),
        tiny.line((0, 60), (1000, 60)),
        reach_id=["wide", "ditch"],
        river_id=["wide", "ditch"],
        half_width_m=[38.0, 1.0],
    )
    pieces, _ = banks.attach(frame(NORTH), ditch, **KNOBS)
    assert list(pieces["reach_id"]) == ["wide"]
    assert list(pieces["bank"]) == ["left"]


def test_far_lines_and_lines_on_the_axis_are_kept_and_named() -> None:
    lines = frame(tiny.line((0, 900), (300, 900)), main_alone().to_crs(tiny.ZONE).geometry.iloc[0])
    pieces, defects = banks.attach(lines, main_alone(), **KNOBS)
    assert pieces["reach_id"].isna().tolist() == [True, False]
    assert pieces["bank"].isna().all()
    assert list(defects["code"]) == ["bank_far", "bank_on_axis"]


def test_banks_of_a_water_area() -> None:
    """The rim is cut off across the river at both ends, an island is none, and a tributary's mouth does not break a bank."""
    water = tiny.box(100, -50, 800, 110).difference(tiny.box(700, 10, 50, 10))
    pieces, defects = banks.from_water(frame(water), main_and_tributary(), **KNOBS)
    rim = pieces[pieces["part"] == "bank"]
    assert seen(rim) == [
        ("a", "left", 1100, 1500),
        ("a", "right", 1100, 1500),
        ("b", "left", 1500, 1900),
        ("b", "right", 1500, 1900),
    ]
    assert rim.groupby("bank")["mean_offset_m"].mean().to_dict() == pytest.approx({"left": 60, "right": 50}, abs=0.1)
    assert pieces.groupby("part")["length_m"].sum().to_dict() == pytest.approx(
        {"bank": 1600, "end": 220, "island": 120}, rel=1e-3
    )
    assert pieces.loc[pieces["part"] != "bank", "bank"].isna().all()
    assert defects.empty


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 9), st.booleans(), st.floats(20, 60))
def test_where_a_rim_begins_and_which_way_round_does_not_matter(start: int, back: bool, width: float) -> None:
    x = np.arange(0, 1001, 100.0)
    bow = 40 * np.sin(x / 160)
    rim = [*zip(x, bow + width, strict=True), *zip(x[::-1], bow[::-1] - width, strict=True)]
    line = frame(tiny.line(*zip(np.r_[-50, x, 1050], np.r_[bow[0], bow, bow[-1]], strict=True)), reach_id=["r"])
    ring = rim[start:] + rim[:start]
    one, other = (shapely.Polygon(tiny.shift(r)) for r in (rim, ring[::-1] if back else ring))
    first, second = (banks.from_water(frame(w), line, **KNOBS)[0] for w in (one, other))
    assert seen(first[first["part"] == "bank"]) == seen(second[second["part"] == "bank"])
    assert set(first.loc[first["part"] == "bank", "bank"]) == {"left", "right"}


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-5, 105), st.integers(-12, 5)), min_size=3, max_size=8, unique=True), st.booleans()
)
def test_of_whatever_is_drawn_nothing_is_lost(corners: list[tuple[int, int]], closed: bool) -> None:
    """Lines through nodes, along the axis, over and over it, closed or not: every metre is in one piece, on its own side."""
    drawn = [(x * 10.0, y * 10.0) for x, y in [*corners, *corners[: int(closed)]]]
    lines, reaches = frame(tiny.line(*drawn)), main_and_tributary()
    pieces, _ = banks.attach(lines, reaches, **KNOBS)
    assert pieces["length_m"].sum() == pytest.approx(crs.length_m(lines.geometry.values).sum(), abs=0.3)
    for row in pieces[pieces["bank"].notna() & (pieces["length_m"] > 1)].itertuples():
        line = reaches.set_index("reach_id").geometry[row.reach_id]
        [place] = Axis(line).locate([row.geometry.interpolate(0.5, normalized=True)])
        assert place.bank == row.bank or abs(place.offset_m) < 0.1


def test_two_sheets_of_one_water_are_one_and_a_pond_has_no_sides() -> None:
    waters = frame(tiny.box(100, -50, 100, 100), tiny.box(200, -50, 100, 100), tiny.box(300, 500, 50, 50))
    pieces, defects = banks.from_water(waters, main_alone(), **KNOBS)
    assert len(pieces[pieces["part"] == "bank"]) == 2
    assert list(defects["code"]) == ["water_without_axis"]
    assert defects["measure"].iloc[0] == pytest.approx(2500, rel=0.01)


def test_nothing_to_attach_to_is_said_and_no_lines_give_no_pieces() -> None:
    with pytest.raises(InputError, match="No reach"):
        banks.attach(frame(NORTH), main_alone().iloc[:0], **KNOBS)
    with pytest.raises(InputError, match="reach_id"):
        banks.attach(frame(NORTH), main_alone()[["geom"]], **KNOBS)
    pieces, defects = banks.attach(frame(NORTH).iloc[:0], main_alone(), **KNOBS)
    assert pieces.empty
    assert defects.empty
    assert list(pieces.columns) == [*banks.COLUMNS, "geometry"]


def test_outside_a_sharp_bend_between_two_reaches_the_side_is_that_of_both() -> None:
    """a runs east, b turns back north-west: ahead of the node lies the right bank, whichever reach is asked."""
    reaches = frame(tiny.line((0, 0), (500, 0)), tiny.line((500, 0), (200, 120)), reach_id=["a", "b"], river_id="r")
    around = tiny.line(*[(500 + 40 * np.cos(t), 40 * np.sin(t)) for t in np.linspace(-1.5, 1.1, 30)])
    for given_reaches in (reaches, reaches.iloc[::-1]):
        pieces, _ = banks.attach(frame(around), given_reaches, **KNOBS)
        assert set(pieces["bank"]) == {"right"}


@pytest.mark.realdata
def test_banks_of_the_water_at_krems(test_data: Path) -> None:
    file = test_data / "region_krems" / "krems_osm_2013.gpkg"
    water, ways = (gpd.read_file(file, layer=layer).to_crs(crs.STORAGE) for layer in ("water", "waterways"))
    rivers = ways[ways["waterway"].isin(["river", "stream"])].assign(reach_id=lambda f: f.index.astype(str))
    pieces, defects = banks.from_water(water, rivers, **KNOBS)
    rim = pieces[(pieces["part"] == "bank") & pieces["bank"].notna()]
    assert set(rim["bank"]) == {"left", "right"}
    assert "water_without_axis" in set(defects["code"])  # ponds
    # the side told is the side of the middle of each piece, asked of its own reach
    lines = rivers.set_index("reach_id").geometry
    for row in rim.itertuples():
        [place] = Axis(lines[row.reach_id]).locate([row.geometry.interpolate(0.5, normalized=True)])
        assert place.bank == row.bank
