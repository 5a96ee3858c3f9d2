"""Half width of the water at a line: known channels, bends, islands, and nothing where there is no water."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.errors import CrsRefused
from rivergis.river.half_widths import half_width

ZONE = "EPSG:4547"
PLACE = np.array([500_000.0, 3_300_000.0])


def frame(*shapes: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[shapely.transform(s, lambda xy: xy + PLACE) for s in shapes], crs=ZONE)


def line(*xy: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(xy)


def measured(lines: list[Any], areas: list[Any], max_half_width_m: float = 3000, **how: Any) -> np.ndarray:
    return half_width(frame(*lines), frame(*areas), max_half_width_m=max_half_width_m, **how)


@settings(max_examples=40, deadline=None)
@given(st.floats(1, 500), st.floats(0, 6.28), st.floats(60, 3000), st.floats(-0.8, 0.8))
def test_a_straight_channel_of_any_width_and_course(half: float, course: float, length: float, off: float) -> None:
    on = np.array([np.cos(course), np.sin(course)])
    length = max(length, 3 * half)
    side = np.array([-on[1], on[0]]) * half
    banks = shapely.Polygon([-on * length - side, on * length - side, on * length + side, -on * length + side])
    middle = [-on * length / 2 + side * off, on * length / 2 + side * off]
    assert measured([line(*middle)], [banks])[0] == pytest.approx(half, rel=0.02)


@settings(max_examples=30, deadline=None)
@given(st.floats(5, 40), st.floats(200, 600), st.floats(1, 6), st.integers(0, 10_000))
def test_a_meandering_channel(half: float, wave: float, bend: float, seed: int) -> None:
    """``bend``: radius of the bends in widths of the river; rivers hardly bend closer than one or two."""
    x = np.arange(0, 3000, 10.0)
    swing = (wave / 2 / np.pi) ** 2 / (2 * half * bend)
    centre = np.column_stack([x, swing * np.sin(2 * np.pi * x / wave)])
    water = shapely.LineString(centre).buffer(half)
    noise = np.random.default_rng(seed).normal(0, half * 0.02, centre.shape)
    assert measured([shapely.LineString(centre + noise)], [water])[0] == pytest.approx(half, rel=0.05)


#   ═══════╗ ░░ ╔═══════     an island: each arm has the water up to it
#   ───────╨────╨───────


def test_an_island_ends_the_section() -> None:
    water = shapely.box(0, -60, 1000, 60).difference(shapely.box(200, -20, 800, 20))
    arms = [line((300, 40), (700, 40)), line((300, -40), (700, -40)), line((20, 0), (150, 0))]
    assert measured(arms, [water]).tolist() == pytest.approx([20, 20, 60])


def test_touching_areas_are_one_water() -> None:
    chunks = [shapely.box(x, -15, x + 100, 15) for x in range(0, 1000, 100)]
    assert measured([line((10, 3), (990, 3))], [*chunks, shapely.box(0, 15, 1000, 40)])[0] == pytest.approx(27.5)


def test_nothing_is_said_where_half_the_line_is_dry_or_the_water_too_wide() -> None:
    water = shapely.box(0, -15, 1000, 15)
    lines = [line((600, 0), (2000, 0)), line((400, 0), (1500, 0)), line((0, 500), (1000, 500))]
    got = measured([line((100, 0), (900, 0)), *lines], [water])
    assert got[0] == pytest.approx(15) and np.isnan(got[[1, 3]]).all() and got[2] == pytest.approx(15)
    assert np.isnan(measured([line((100, 0), (900, 0))], [water], max_half_width_m=10)).all()
    assert np.isnan(half_width(frame(water.exterior), frame(water)[:0], max_half_width_m=9)).all()
    assert len(half_width(frame(line((0, 0), (1, 1)))[:0], frame(water), max_half_width_m=9)) == 0


def test_turning_the_map_and_the_line_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    x = np.arange(0, 900, 15.0)
    centre = shapely.LineString(np.column_stack([x, 40 * np.sin(x / 70)]))
    water = centre.buffer(12).union(shapely.Point(300, 0).buffer(60))
    one = measured([centre], [water])
    assert measured([centre.reverse()], [water]) == pytest.approx(one, rel=1e-6)
    turn = np.linalg.qr(rng.normal(size=(2, 2)))[0]
    turned = [shapely.transform(s, lambda xy: xy @ turn) for s in (centre, water)]
    assert measured(turned[:1], turned[1:]) == pytest.approx(one, rel=1e-6)


def test_degrees_are_refused() -> None:
    with pytest.raises(CrsRefused):
        half_width(frame(line((0, 0), (9, 9))).to_crs(4490), frame(shapely.box(0, 0, 9, 9)), max_half_width_m=9)


def test_the_yangtze_is_about_as_wide_as_its_area_says(test_data: Path) -> None:
    folder = test_data / "china_rivers"
    lines = gpd.read_file(folder / "rivers_upper_lower_yangtze_1to4m.gpkg", layer="rivers_level1_2").to_crs(4547)
    water = gpd.read_file(folder / "raw_gbk_no_prj" / "hyd2_4p.shp", encoding="gbk").set_crs(4490).to_crs(4547)
    river = lines[lines["NAME"] == "长江"].explode(ignore_index=True)
    around = water[(water["GBCODE"] == 21012) & water.intersects(river.union_all())]
    got = half_width(river, around, max_half_width_m=3000)
    mean = around.area.sum() / around.length.sum()
    assert np.isfinite(got).sum() > 80
    assert 0.5 * mean < np.nanmedian(got) < 2 * mean
