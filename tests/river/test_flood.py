"""Land under water: constructed valleys with known answers, laws of any ground, and a real river."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pyproj import CRS
from scipy import ndimage

from rivergis import crs
from rivergis.errors import InputError
from rivergis.river import dem_files, levels
from rivergis.river.flood import Flood, FloodRules, flood, levee_walls
from rivergis.river.spread import rise_to_reach, spread
from rivergis.river.terrain import Dem
from rivergis.river.valley import channel_on

ZONE = CRS.from_epsg(4545)  # central meridian 108: 1 m on the map is 1 m on the ground
EAST, NORTH = 500_000.0, 3_300_000.0
RULES = FloodRules(barrier_way_m=200, steep_m=0.2, widest_void_m=3000, told_barrier_m=5, below_bed_m=3, least_low_m2=0)
CELL = 5.0


def ground(z: np.ndarray, cell: float = CELL) -> Dem:
    return Dem(z.astype(np.float32), Affine(cell, 0, EAST, 0, -cell, NORTH), ZONE, "1985国家高程基准", "valley")


def line(*xy_m: tuple[float, float]) -> shapely.LineString:
    """A line through metres right and down from the corner of the grid, in degrees."""
    xy = np.array([(EAST + x, NORTH - y) for x, y in xy_m])
    return shapely.LineString(crs.into_storage(ZONE)(xy))


def middles(rows: int, columns: int, cell: float = CELL) -> tuple[np.ndarray, np.ndarray]:
    """x (right) and y (down) of the middles of cells, in metres."""
    return np.meshgrid((np.arange(columns) + 0.5) * cell, (np.arange(rows) + 0.5) * cell)


def straight(axis: shapely.LineString, start_m: float, slope: float) -> levels.Profile:
    length = crs.length_m(axis)
    return levels.as_given([0, length], [start_m, start_m - slope * length])


def run(z: np.ndarray, axis: shapely.LineString, profile: levels.Profile, **more: object) -> Flood:
    return flood(ground(z), axis, profile, RULES, **more)  # type: ignore[arg-type]


# ---- constructed valleys ---------------------------------------------------------------------------------------------


def test_v_valley_has_the_width_of_its_level() -> None:
    r"""
    \        /     flanks 2 in 100, bed 100 m falling 1 in 1000, water 2 m above the bed:
     \ ~~~~ /      100 m wide on both sides, everywhere
      \ __ /
    """
    x, y = middles(160, 300)
    z = 100 - x * 1e-3 + np.abs(y - 400) * 0.02
    axis = line((0, 400), (1500, 400))
    done = run(z, axis, straight(axis, 102, 1e-3))
    depth = 2 - np.abs(y - 400) * 0.02
    assert (done.wet == (depth > 0)).all()
    assert np.nanmax(np.abs(done.depth_m - depth)) < 1e-4
    assert done.area_m2 == pytest.approx(200 * 1500, rel=1e-4)
    assert done.widths["width_m"].to_numpy() == pytest.approx(200, abs=0.1)
    assert list(done.marks["code"]) == ["open_at_rim", "open_at_rim"]
    assert not len(done.low_parts)


@pytest.mark.parametrize("angle", [10, 27, 45, 80])
def test_v_valley_askew_to_the_grid(angle: float) -> None:
    x, y = middles(200, 200)
    a = np.radians(angle)
    along, off = (x - 500) * np.cos(a) + (y - 500) * np.sin(a), -(x - 500) * np.sin(a) + (y - 500) * np.cos(a)
    z = 100 - along * 2e-3 + np.abs(off) * 0.02
    axis = line((500 - 400 * np.cos(a), 500 - 400 * np.sin(a)), (500 + 400 * np.cos(a), 500 + 400 * np.sin(a)))
    done = run(z, axis, straight(axis, 102.8, 2e-3))
    depth = 2 - np.abs(off) * 0.02
    inside = np.abs(along) < 395  # the level ends square to the river at both ends of the axis
    bridge = done.depth_m[inside & done.wet]
    assert (done.wet == (depth > 0))[inside & (np.abs(depth) > 0.01)].all()
    assert not done.wet[np.abs(along) > 405].any()
    assert (
        np.abs(bridge - depth[inside & done.wet]).max() < 0.011
    )  # level read at the middle of each cell; the axis at its bed


def test_a_dem_in_degrees_is_measured_in_metres() -> None:
    """At 45 degrees north a cell of one arc second is 22 m wide and 31 m high; flanks 2 in 100 on the ellipsoid."""
    cell, rows, columns = 1 / 3600, 60, 80
    axis = shapely.LineString([(10, 45 - 30 * cell), (10 + columns * cell, 45 - 30 * cell)])
    lon, lat = np.meshgrid(10 + (np.arange(columns) + 0.5) * cell, 45 - (np.arange(rows) + 0.5) * cell)
    off = crs.GEOD.inv(lon.ravel(), lat.ravel(), lon.ravel(), np.full(lon.size, 45 - 30 * cell))[2].reshape(lon.shape)
    z = (100 - (lon - 10) / (columns * cell) * 2 + off * 0.02).astype(np.float32)
    dem = Dem(z, Affine(cell, 0, 10, 0, -cell, 45), CRS.from_epsg(4490), "1985国家高程基准", "degrees")
    done = flood(dem, axis, levels.as_given([0, crs.length_m(axis)], [110, 108]), RULES)
    assert (done.wet == (off < 500)).all()
    assert np.nanmax(np.abs(done.depth_m - (10 - off * 0.02))) < 0.01
    across = 2 * 16 * crs.GEOD.inv(10, 45, 10, 45 - cell)[2]
    assert done.area_m2 == pytest.approx(across * crs.length_m(axis), rel=1e-3)
    assert done.widths["width_m"].to_numpy()[1:-1] == pytest.approx(across, rel=0.06)


def leveed(crest_left: float, crest_right: float) -> tuple[np.ndarray, np.ndarray]:
    """
    ______|\\__      __/|______     floor at 1 m above the bed, levees at 100 m from the river, one cell wide
             \\____/
    """
    x, y = middles(121, 200)
    off = y - 302.5
    z = 100 - x * 1e-3 + np.where(np.abs(off) < 20, 0.0, 1.0)
    z[np.abs(off - -100) < 2.6] = (100 - x * 1e-3 + crest_left)[np.abs(off - -100) < 2.6]
    z[np.abs(off - 100) < 2.6] = (100 - x * 1e-3 + crest_right)[np.abs(off - 100) < 2.6]
    return z, off


def test_levees_hold_until_their_crest() -> None:
    z, off = leveed(4.0, 4.0)
    axis = line((0, 302.5), (1000, 302.5))
    done = run(z, axis, straight(axis, 103, 1e-3))
    assert (done.wet == (np.abs(off) < 97)).all()
    assert done.low[np.abs(off) > 103].all()
    assert list(done.low_parts["rise_m"]) == [1.0, 1.0]
    assert list(done.low_parts["max_below_m"]) == [2.0, 2.0]


def test_overtopping_on_one_side_only() -> None:
    z, off = leveed(4.0, 2.5)
    axis = line((0, 302.5), (1000, 302.5))
    done = run(z, axis, straight(axis, 103, 1e-3))
    assert (done.wet == (off > -97)).all()
    behind = done.depth_m[off > 103]
    assert np.abs(behind - 2.0).max() < 0.01
    assert done.low_parts["area_m2"].sum() == pytest.approx((off < -103).sum() * CELL**2, rel=1e-4)


def test_a_levee_askew_and_one_cell_wide_does_not_leak() -> None:
    """The levee runs from corner to corner of cells; its cells meet at corners only."""
    z = np.zeros((60, 60))
    z[np.arange(60), np.arange(60)] = 5.0
    axis = line((2.5, 290), (2.5, 30))
    done = run(z, axis, levels.as_given([0, 260], [2, 2]))
    row, column = np.indices(z.shape)
    assert not done.wet[column > row].any() and done.wet[(column < row) & (row > 8) & (row < 56)].all()


def test_behind_a_levee_with_a_gap_the_water_stands_at_the_level_of_the_gap() -> None:
    """
    ~~~~~~~~~~~~~~~~~~~~~~~~  river, falling 2 in 1000
    ==================  ====  levee with a gap far down
    ........................  floor
    """
    x, y = middles(60, 400)
    z = 100 - x * 2e-3 + np.where(y < 50, 0.0, 1.0)
    levee = (np.abs(y - 102.5) < 3) & ~((x > 1500) & (x < 1520))
    z[levee] += 3
    axis = line((0, 22.5), (2000, 22.5))
    done = run(z, axis, straight(axis, 102, 2e-3))
    behind = (y > 110) & (x < 1490)
    assert np.nanmax(done.surface_m[behind]) <= 102 - 2e-3 * 1500 + 0.02
    back = behind & (z < 102 - 2e-3 * 1500 - 0.02)
    assert done.wet[back].all() and not done.wet[behind & (x < 900)].any()
    assert done.low[behind & (x < 780)].all()  # nearer to the gap the ground belongs to it
    down = done.surface_m[(y > 110) & (x > 1550)]
    assert (down > (102 - 2e-3 * x - 0.02)[(y > 110) & (x > 1550)]).all() and down.max() < 102 - 2e-3 * 1500 + 0.02


def test_a_second_channel_behind_a_ridge_stays_dry() -> None:
    _, y = middles(100, 100)
    z = 100 + np.abs(np.abs(y - 250) - 125) * 0.04  # two channels at 125 and 375, a ridge of 5 m between
    axis = line((0, 125), (500, 125))
    done = run(z, axis, levels.as_given([0, 500], [103, 103]))
    assert (done.wet == (np.abs(y - 125) < 75)).all()
    assert done.low[np.abs(y - 375) < 74].all() and list(done.low_parts["rise_m"]) == [1.9]
    over = run(z, axis, levels.as_given([0, 500], [105.5, 105.5]))
    assert over.wet[np.abs(y - 375) < 74].all()


def test_neck_of_a_bend_keeps_both_levels_and_says_the_step() -> None:
    """
        ____________
    >__|            |      the river comes in above, goes round the hill and leaves below; its two limbs
    <__             |      lie 60 m apart at the neck, and its level falls 3 m on the way round
       |____________|
    """
    z = np.full((120, 200), 120.0)
    axis = line((0, 270), (600, 270), (600, 60), (900, 60), (900, 540), (600, 540), (600, 330), (0, 330))
    wide = axis.buffer(0.0002)
    x, y = middles(120, 200)
    lonlat = crs.into_storage(ZONE)(np.column_stack([EAST + x.ravel(), NORTH - y.ravel()]))
    valley = shapely.contains_xy(wide, lonlat[:, 0], lonlat[:, 1]).reshape(z.shape)
    z[valley] = 100.0
    z[(np.abs(y - 300) < 12) & (x < 590)] = 120.0  # the hill between the limbs
    length = crs.length_m(axis)
    done = run(z, axis, levels.as_given([0, length], [106, 103]))
    upper, lower = (np.abs(y - 270) < 10) & (x < 550), (np.abs(y - 330) < 10) & (x < 550)
    assert np.nanmin(done.surface_m[upper]) > 105.2 and np.nanmax(done.surface_m[lower]) < 103.8
    assert "steep_surface" not in set(done.marks["code"])
    z[(np.abs(y - 300) < 12) & (np.abs(x - 300) < 50)] = 102.0  # the neck is cut
    cut = run(z, axis, levels.as_given([0, length], [106, 103]))
    [steep] = [m for m in cut.marks.itertuples() if m.code == "steep_surface"]
    assert steep.measure == pytest.approx(3 * (length - 600) / length, abs=0.2)


def test_water_backs_up_a_tributary_to_the_level_of_its_mouth() -> None:
    """The tributary runs beside the river, behind a ridge, before it joins: what counts is its mouth, not the river beside."""
    x, y = middles(120, 400)
    z = 100 - x * 2e-3 + np.full(x.shape, 15.0)
    z[np.abs(y - 100) < 20] -= 15.0
    tributary = ((np.abs(y - 400) < 20) & (x > 300) & (x < 1620)) | ((np.abs(x - 1600) < 20) & (y > 80) & (y < 420))
    z[tributary] = (100 - 2e-3 * 1600 + (1600 - x) * 1.5e-3)[tributary]
    axis = line((0, 100), (2000, 100))
    done = run(z, axis, straight(axis, 101.5, 2e-3))
    mouth = 101.5 - 2e-3 * 1600
    far = tributary & (y > 150) & (x < 1550)
    assert np.nanmax(done.surface_m[far]) == pytest.approx(mouth, abs=0.05)
    assert (done.wet == (z < mouth))[far & (np.abs(z - mouth) > 0.05)].all()


def test_a_low_polder_behind_a_whole_levee_stays_dry_and_is_told() -> None:
    x, y = middles(100, 100)
    z = np.full(x.shape, 10.0)
    z[y < 100] = 8.0
    polder = (np.abs(x - 250) < 100) & (np.abs(y - 300) < 100)
    z[polder] = 5.0
    axis = line((0, 50), (500, 50))
    done = run(z, axis, levels.as_given([0, 500], [9.5, 9.5]))
    assert not done.wet[polder].any() and done.low[polder].all()
    [part] = done.low_parts.itertuples()
    assert part.area_m2 == pytest.approx(polder.sum() * CELL**2, rel=1e-4)
    assert (part.rise_m, part.max_below_m) == (0.5, 4.5)


def test_a_bridge_does_not_stop_the_river_and_is_told() -> None:
    x, y = middles(60, 200)
    z = 100 - x * 1e-3 + np.abs(y - 150) * 0.05
    z[np.abs(x - 500) < 10] = 110.0  # an embankment across the valley with no opening in the DEM
    axis = line((0, 150), (1000, 150))
    done = run(z, axis, straight(axis, 102, 1e-3))
    assert done.wet[(np.abs(y - 150) < 37) & (np.abs(x - 500) > 10)].all()
    assert len(done.parts) == 1
    [deck] = [m for m in done.marks.itertuples() if m.code == "axis_above_water"]
    assert (deck.from_m, deck.to_m) == (pytest.approx(490, abs=3), pytest.approx(510, abs=3))
    under = (np.abs(y - 150) < 3) & (np.abs(x - 500) < 10) & done.wet
    assert under.any() and (done.depth_m[under] > 1.8).all()


def test_voids_stop_the_water_but_the_river_itself_may_be_one() -> None:
    x, y = middles(60, 200)
    z = 100 - x * 1e-3 + np.abs(y - 150) * 0.02
    z[np.abs(y - 150) < 8] = np.nan  # lidar sees nothing of the water
    z[(np.abs(x - 700) < 50) & (y > 200)] = np.nan
    axis = line((0, 150), (1000, 150))
    done = run(z, axis, straight(axis, 102, 1e-3))
    assert done.wet[np.abs(y - 150) < 95][~np.isnan(z[np.abs(y - 150) < 95])].all()
    assert done.wet[np.abs(y - 150) < 8].all() and np.isnan(done.depth_m[np.abs(y - 150) < 8]).all()
    assert not done.wet[(np.abs(x - 700) < 50) & (y > 200)].any()
    [void] = [m for m in done.marks.itertuples() if m.code == "open_at_void"]
    assert void.from_m == pytest.approx(647.5, abs=6) and void.to_m == pytest.approx(752.5, abs=6)
    assert any("taken for water" in s for s in done.said)


def test_where_no_level_is_given_the_extent_ends_and_says_so() -> None:
    x, y = middles(60, 200)
    z = 100 + np.abs(y - 150) * 0.02
    axis = line((0, 150), (1000, 150))
    done = run(z, axis, levels.as_given([201, 601], [102, 102]))
    assert (done.wet == ((np.abs(y - 150) < 100) & (x > 198) & (x < 603))).all()
    assert any("0+201 to 0+601 only" in s for s in done.said)
    beyond = run(z, axis, levels.as_given([201, 601], [102, 102], constant_beyond=True))
    assert (beyond.wet == (np.abs(y - 150) < 100)).all()


def test_levee_lines_are_walls_and_without_height_walls_without_end() -> None:
    x, y = middles(60, 100)
    z = np.full(x.shape, 100.0)
    axis = line((0, 50), (500, 50))
    dem = ground(z)
    wall = gpd.GeoDataFrame({"crest_m": [103.0]}, geometry=[line((0, 130), (500, 170))], crs=crs.STORAGE)
    walls, without = levee_walls(dem, wall)
    behind = y > 150 + (x - 250) * 0.08 + 8
    level = {h: levels.as_given([0, 500], [h, h]) for h in (102.0, 104.0)}
    assert without == 0
    assert not flood(dem, axis, level[102.0], RULES, walls=walls).wet[behind].any()
    assert flood(dem, axis, level[104.0], RULES, walls=walls).wet[behind].all()
    endless, without = levee_walls(dem, wall.assign(crest_m=np.nan))
    held = flood(dem, axis, level[104.0], RULES, walls=endless)
    assert without == 1 and not held.wet[behind].any()
    assert held.low[behind].all() and held.low_parts["rise_m"].isna().all()


def test_the_axis_must_touch_the_dem() -> None:
    with pytest.raises(InputError, match="does not touch"):
        channel_on(ground(np.zeros((10, 10))), line((900, 900), (950, 950)))


# ---- laws ------------------------------------------------------------------------------------------------------------

grounds = hnp.arrays(np.float32, (9, 11), elements=st.floats(0, 4, width=16))


@settings(max_examples=200, deadline=None)
@given(grounds, hnp.arrays(np.float32, 11, elements=st.floats(0, 4, width=16)), st.floats(0, 2, width=16))
def test_a_higher_river_never_dries_a_place(z: np.ndarray, river: np.ndarray, rise: float) -> None:
    channel = np.zeros(z.shape, dtype=bool)
    channel[4] = True
    low = np.broadcast_to(river, z.shape).copy()
    none = np.zeros(z.shape, dtype=bool)
    before, after = spread(z, low, channel, none), spread(z, (low + rise).astype(np.float32), channel, none)
    assert (~np.isnan(after))[~np.isnan(before)].all()
    assert (after[~np.isnan(before)] >= before[~np.isnan(before)]).all()


@settings(max_examples=200, deadline=None)
@given(grounds, hnp.arrays(np.float32, (9, 11), elements=st.floats(0, 4, width=16)))
def test_water_is_above_ground_below_the_river_and_joined_to_it(z: np.ndarray, river: np.ndarray) -> None:
    channel = np.zeros(z.shape, dtype=bool)
    channel[4] = True
    surface = spread(z, river, channel, np.zeros(z.shape, dtype=bool))
    wet = ~np.isnan(surface)
    assert (surface > z)[wet & ~channel].all() and (surface <= river)[wet].all()
    labels, _ = ndimage.label(wet)
    assert set(np.unique(labels[wet])) == {1}
    # no dry cell beside water that stands above it, unless the river at its chainage does not
    for a, b in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        for wet_side, dry_side in ((a, b), (b, a)):
            dry = wet[wet_side] & ~wet[dry_side]
            assert (np.minimum(surface[wet_side], river[dry_side])[dry] <= z[dry_side][dry]).all()


@settings(max_examples=100, deadline=None)
@given(grounds, hnp.arrays(np.float32, (9, 11), elements=st.floats(0, 4, width=16)))
def test_mirrored_ground_gives_the_mirrored_surface(z: np.ndarray, river: np.ndarray) -> None:
    channel = np.zeros(z.shape, dtype=bool)
    channel[4] = True
    none = np.zeros(z.shape, dtype=bool)
    plain = spread(z, river, channel, none)
    for turn in (np.flipud, np.fliplr, np.rot90):
        turned = spread(
            turn(z).copy(), turn(river).copy(), turn(channel).copy(), none if turn is not np.rot90 else none.T
        )
        assert np.array_equal(turned, turn(plain), equal_nan=True)


@settings(max_examples=100, deadline=None)
@given(grounds, st.floats(0.5, 3.5, width=16))
def test_the_rise_that_is_told_is_the_one_that_reaches(z: np.ndarray, level: float) -> None:
    channel = np.zeros(z.shape, dtype=bool)
    channel[4] = True
    river, none = np.full(z.shape, level, dtype=np.float32), np.zeros(z.shape, dtype=bool)
    wet = ~np.isnan(spread(z, river, channel, none))
    rise = rise_to_reach(z - river, wet, 9.0)
    for row, column in [(0, 0), (8, 10), (2, 5)]:
        if wet[row, column]:
            continue
        by = float(rise[row, column])
        just = spread(z, (river + by + 1e-3).astype(np.float32), channel, none)
        short = spread(z, (river + by - 0.011).astype(np.float32), channel, none)
        assert not np.isnan(just[row, column]) and np.isnan(short[row, column])


def rough(seed: int) -> tuple[np.ndarray, shapely.LineString, levels.Profile]:
    """A winding river on a rough sloping floor."""
    x, y = middles(120, 160)
    bed = 300 + 120 * np.sin(x / 110)
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(0, 6, x.shape), 4)
    z = 100 - x * 2e-3 + np.minimum(np.abs(y - bed) * 0.02, 4) + noise
    at = np.linspace(0, 800, 60)
    axis = line(*zip(at, 300 + 120 * np.sin(at / 110), strict=True))
    return z, axis, straight(axis, 102.5, 1.6 / crs.length_m(axis))


@pytest.mark.parametrize("seed", range(4))
def test_higher_levels_wet_more_and_deeper_on_rough_ground(seed: int) -> None:
    z, axis, profile = rough(seed)
    before = run(z, axis, profile)
    for rise in (0.05, 0.6, 2.0):
        after = run(z, axis, levels.as_given(profile.at_m, profile.level_m + rise))
        assert (after.wet | ~before.wet).all()
        assert (after.surface_m - before.surface_m)[before.wet].min() >= 0
        before = after


@pytest.mark.parametrize("seed", range(60))
def test_any_ground_with_any_axis_and_levels_keeps_the_laws(seed: int) -> None:
    """Grids of one row, voids everywhere, axes that cross themselves and leave the DEM, levels beyond their ends."""
    random = np.random.default_rng(seed)
    rows, columns = random.integers(1, 40, 2)
    z = 100 + random.normal(0, 0.3, (rows, columns)).cumsum(axis=0)
    z[random.random(z.shape) < random.choice([0, 0.05, 0.5, 1.0])] = np.nan
    vertices = random.uniform(-0.2, 1.2, (random.integers(2, 8), 2)) * [columns * CELL, rows * CELL]
    axis = line((columns * CELL / 2, rows * CELL / 2), *vertices)
    at = np.sort(random.uniform(-0.1, 1.1, random.integers(1, 5))) * crs.length_m(axis)
    make = random.choice([levels.fitted, levels.as_given])
    profile = make(at, random.normal(101, 1, len(at)), bool(random.integers(2)))
    done = run(z, axis, profile)
    assert done.area_m2 == pytest.approx(done.wet.sum() * CELL**2, rel=1e-3)
    assert done.parts.geometry.is_valid.all() and not (done.low & done.wet).any()
    higher = levels.Profile(profile.at_m, profile.level_m + 0.7, profile.method, profile.constant_beyond)
    assert (run(z, axis, higher).wet | ~done.wet).all()


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, lambda z: np.rot90(z, 2), np.transpose])
def test_a_mirrored_valley_has_the_mirrored_extent(turn: object) -> None:
    z, axis, profile = rough(1)
    plain = run(z, axis, profile)
    rows, columns = z.shape
    h, w = rows * CELL, columns * CELL
    at = np.linspace(0, 800, 60)
    xy = np.column_stack([at, 300 + 120 * np.sin(at / 110)])
    name = getattr(turn, "__name__", "")
    moved = {
        "flipud": xy * [1, -1] + [0, h],
        "fliplr": xy * [-1, 1] + [w, 0],
        "transpose": xy[:, ::-1],
    }.get(name, [w, h] - xy)
    mirrored = run(turn(z), line(*moved), profile)  # type: ignore[operator]
    differ = mirrored.wet ^ turn(plain.wet)  # type: ignore[operator]
    assert differ.sum() <= 0.001 * plain.wet.sum()  # cells whose ground is the level to a tenth of a millimetre


def test_how_densely_the_axis_is_digitised_changes_nothing() -> None:
    z, axis, profile = rough(2)
    dense = shapely.LineString(
        shapely.get_coordinates(shapely.line_interpolate_point(axis, np.linspace(0, 1, 59 * 40 + 1), normalized=True))
    )
    vertices = shapely.get_coordinates(axis)
    pieces = [np.linspace(a, b, 9, endpoint=False) for a, b in pairwise(vertices)]
    same = shapely.LineString(np.vstack([*pieces, vertices[-1:]]))
    plain = run(z, axis, profile)
    assert (run(z, same, profile).wet == plain.wet).all()
    assert (run(z, dense, profile).wet ^ plain.wet).mean() < 0.001


def test_the_field_of_levels_is_even_down_a_valley_of_bends() -> None:
    """On a flat floor far from a winding river neighbouring cells differ by centimetres, not by the fall of a whole bend."""
    x, y = middles(200, 300)
    z = 100 - x * 1e-3
    at = np.linspace(0, 1500, 400)
    axis = line(*zip(at, 500 + 100 * np.sin(at / 40), strict=True))
    length = crs.length_m(axis)
    done = run(z, axis, levels.as_given([0, length], [104, 102.5]))
    far = (np.abs(y - 500) > 150) & (np.abs(x - 750) < 500)
    steps = np.abs(np.diff(np.where(far, done.surface_m, np.nan), axis=1))
    assert np.nanmax(steps) < 0.03
    assert np.nanmax(np.abs(done.surface_m - (104 - 1.5 * x / 1500))[far]) < 0.15


# ---- a real river ----------------------------------------------------------------------------------------------------


@pytest.mark.realdata
def test_eno_river_two_metres_above_its_bed(test_data: Path) -> None:
    """Against heights above the stream of another program (TauDEM), where the ground drains to the main stream itself."""
    folder = test_data / "dem_flow_eno"
    dem = dem_files.read(folder / "eno_dem.tif")
    streams = crs.to_storage(gpd.read_file(folder / "eno_reference_streams.gpkg", layer="stream_net")).set_index(
        "LINKNO"
    )
    links = [streams[streams["DSLINKNO"] < 0]["DSContArea"].idxmax()]
    while len(up := streams[streams["DSLINKNO"] == links[-1]]):
        links.append(up["DSContArea"].idxmax())
    axis = shapely.line_merge(shapely.MultiLineString(list(streams.geometry.loc[links])))
    if shapely.distance(shapely.get_point(axis, -1), streams.geometry[links[0]]) > 0:
        axis = axis.reverse()
    channel = channel_on(dem, axis)
    bed = np.minimum.accumulate(dem.z_m[channel.cell_of(dem.shape)])
    done = flood(dem, axis, levels.as_given(channel.at_m, bed + 2), RULES)
    height = dem_files.read(folder / "ref_dinf_vertical_drop_to_stream_ave.tif").z_m
    basins = dem_files.read(folder / "ref_subwatersheds.tif").z_m
    own = np.isin(basins, streams.loc[links, "WSNO"]) & ~np.isnan(height)
    own &= (done.chainage_m >= 0) & (done.chainage_m <= channel.at_m[-1])
    low = height <= 2
    assert (done.wet & low & own).sum() / ((done.wet | low) & own).sum() > 0.8
    assert len(done.parts) == 1
