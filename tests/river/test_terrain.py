"""Terrain: laws of water on a grid, valleys with known answers, and a real DEM against another program's results.

A digit is a height in metres, a dot a void:

    9 9 9 9 9
    9 5 9 4 9        two springs, one confluence, one way out in the south
    9 4 9 3 9
    9 9 2 9 9
    9 9 1 9 9
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyflwdir.dem
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pyproj import CRS
from scipy import ndimage

from rivergis import crs
from rivergis.errors import CrsRefused, InputError
from rivergis.river import dem_files, terrain, terrain_flow, terrain_large
from rivergis.river.terrain import Dem, require_same_datum
from rivergis.river.terrain_flow import flow

CHINA = CRS.from_epsg(4544)
GRID = Affine(10, 0, 500_000, 0, -10, 3_300_000)
FORK = """
99999
95949
94939
99299
99199"""


def drawn(picture: str, scale: float = 1.0) -> np.ndarray:
    rows = [[np.nan if c == "." else float(c) * scale for c in line] for line in picture.split()]
    return np.array(rows, dtype=np.float32)


def dem(z: np.ndarray, **more: object) -> Dem:
    return Dem(np.asarray(z, dtype=np.float32), GRID, CHINA, name="tiny").with_(**more)


def degrees_dem(z: np.ndarray, north: float) -> Dem:
    return Dem(
        np.asarray(z, dtype=np.float32), Affine(0.001, 0, 105, 0, -0.001, north), CRS.from_epsg(4490), name="tiny"
    )


grounds = arrays.arrays(
    np.float32,
    st.tuples(st.integers(2, 12), st.integers(2, 12)),
    elements=st.one_of(st.integers(0, 9).map(float), st.floats(0, 9, width=32), st.just(float("nan"))),
).filter(lambda z: not np.isnan(z).all())


def line(*cells: tuple[float, float]) -> gpd.GeoSeries:
    """A line through the middles of cells (row, column)."""
    return gpd.GeoSeries([shapely.LineString([GRID @ (c + 0.5, r + 0.5) for r, c in cells])], crs=CHINA)


# ---- laws ------------------------------------------------------------------------------------------------------------


@given(grounds)
@settings(deadline=None, max_examples=40)
def test_water_always_finds_a_way_out_and_never_runs_up(z: np.ndarray) -> None:
    got = flow(dem(z))
    ground = np.flatnonzero(~np.isnan(z))
    assert sorted(got.seq) == sorted(ground)
    place = np.full(z.size, -1)
    place[got.seq] = np.arange(len(got.seq))
    moves = ground[got.idxs_ds[ground] != ground]
    assert (place[got.idxs_ds[moves]] < place[moves]).all()
    filled = got.filled_m.ravel()
    assert (filled[got.idxs_ds[ground]] <= filled[ground]).all()
    assert (filled[ground] >= z.ravel()[ground]).all()


@given(grounds)
@settings(deadline=None, max_examples=40)
def test_filling_agrees_with_pyflwdir_and_changes_nothing_twice(z: np.ndarray) -> None:
    filled = flow(dem(z)).filled_m
    other, _ = pyflwdir.dem.fill_depressions(z, nodata=np.nan)
    np.testing.assert_allclose(filled, other, atol=1e-5)
    np.testing.assert_array_equal(flow(dem(filled)).filled_m, filled)
    np.testing.assert_array_equal(flow(dem(z.T.copy())).filled_m, filled.T)


@given(grounds)
@settings(deadline=None, max_examples=40)
def test_all_land_is_counted_once(z: np.ndarray) -> None:
    got = flow(degrees_dem(z, 31.0))
    width, height = got.dem.cell_size_m
    land = ((width * height)[:, None] * ~np.isnan(z)).sum() / 1e6
    outlets = got.d8 == 0
    assert np.nansum(got.upstream_km2[outlets], dtype=np.float64) == pytest.approx(land, rel=1e-5)
    assert got.upstream_cells()[outlets].sum() == (~np.isnan(z)).sum()
    np.testing.assert_array_equal(np.isnan(got.upstream_km2), np.isnan(z))
    sizes = np.bincount(terrain_flow.basins(got).ravel())
    assert sizes[0] == np.isnan(z).sum()
    assert sorted(sizes[1:]) == sorted(got.upstream_cells()[outlets])


@given(grounds)
@settings(deadline=None, max_examples=40)
def test_height_above_the_stream_is_zero_on_it_and_never_negative(z: np.ndarray) -> None:
    got = flow(dem(z))
    streams = got.stream_cells(0.0003)
    above = terrain_flow.hand(got, streams)
    assert (above[streams] == 0).all()
    assert (above[~np.isnan(above)] >= 0).all()


@given(grounds, st.sampled_from([0.5, 2.0, 5.0]))
@settings(deadline=None, max_examples=40)
def test_no_depression_deeper_than_allowed_is_filled(z: np.ndarray, deepest: float) -> None:
    got = flow(dem(z), max_depth_m=deepest)
    assert np.nanmax(got.filled_m - z) <= deepest
    assert len(got.seq) == (~np.isnan(z)).sum()


# ---- cells on the ground -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("north", [0.0, 31.0, -45.0, 68.0])
def test_cells_of_degrees_are_as_large_as_on_the_ellipsoid(north: float) -> None:
    tile = degrees_dem(np.zeros((200, 3)), north)
    width, height = tile.cell_size_m
    box = shapely.segmentize(shapely.box(105, north - 0.2, 105.003, north), 0.0005)
    assert 3 * (width * height).sum() == pytest.approx(crs.area_m2(box), rel=1e-5)


@pytest.mark.parametrize("code", [3857, 32648, 4544])
def test_cells_are_measured_on_the_ground_in_every_projection(code: int) -> None:
    x, y = crs.out_of_storage(CRS.from_epsg(code))(np.array([[105.0, 31.0]]))[0]
    tile = Dem(np.zeros((4, 4), dtype=np.float32), Affine(10, 0, x, 0, -10, y), CRS.from_epsg(code))
    stretch = 1 / np.cos(np.radians(31)) if code == 3857 else 1
    assert tile.cell_m == pytest.approx(10 / stretch, rel=0.006)


# ---- valleys with known answers ----------------------------------------------------------------------------------------


def test_two_springs_make_one_stream_of_second_order() -> None:
    got = flow(dem(drawn(FORK)))
    cells = got.upstream_cells()
    assert cells[4, 2] == 25 - (got.d8 == 0).sum() + 1
    streams = terrain_flow.streams_of(got, threshold_km2=0.0004)
    links = streams.links
    assert sorted(links["strahler"]) == [1, 1, 2]
    last = links[links["next_link_id"].isna()]
    assert len(last) == 1
    assert (links["next_link_id"].dropna() == last["link_id"].iloc[0]).all()
    # first vertex upstream
    assert (links["drop_m"] > 0).all()
    assert links.crs.to_epsg() == 4490


def test_directions_are_told_in_the_words_of_other_programs() -> None:
    south = flow(dem(drawn(FORK))).d8
    assert {c: int(terrain_flow.coded(south, c)[3, 2]) for c in terrain_flow.CODINGS} == {
        "esri": 4,
        "taudem": 7,
        "grass": 6,
    }


def test_a_valley_behind_a_bank_is_filled_and_a_burned_line_leads_through_it() -> None:
    """The valley falls to the east; column 5 is a railway bank (8), and the ridge in the north has a gap (7).

    9 9 9 9 6 9 9 9
    9 9 9 9 7 9 9 9
    7 6 5 4 3 8 1 0
    9 9 9 9 9 9 9 9
    """
    z = drawn("99996999 99997999 76543810 99999999")
    shut, opened = flow(dem(z)), flow(dem(z), burn=line((2, 0), (2, 7)), burn_depth_m=7)
    assert shut.pits.count == 1
    assert shut.pits.deepest_m == pytest.approx(4)
    assert shut.upstream_cells()[0, 4] >= 5  # all of it leaves by the gap
    assert opened.upstream_cells()[2, 7] > 5
    assert opened.upstream_cells()[0, 4] < shut.upstream_cells()[0, 4]
    assert any("lowered by 7 m" in s for s in opened.said)
    with pytest.raises(InputError, match="None of the lines"):
        flow(dem(z), burn=line((100, 100), (101, 101)))


def test_on_a_flat_the_water_takes_the_shortest_way() -> None:
    z = np.full((5, 9), 5.0)
    z[0], z[-1], z[:, 0] = 9, 9, 9
    z[2, 8] = 1
    got = flow(dem(z))
    steps, cell = 0, 2 * 9 + 1
    while got.idxs_ds[cell] != cell:
        cell, steps = got.idxs_ds[cell], steps + 1
    assert (cell, steps) == (2 * 9 + 8, 7)
    assert got.ground.flat_cells > 0


def test_inside_a_filled_hollow_the_water_follows_its_lowest_ground() -> None:
    """All of the middle is below the sill (8) in the east, and the channel (1) makes a bend."""
    z = drawn("""
        999999999
        911114449
        944414449
        944411119
        944444448
        999999999""")
    got = flow(dem(z))
    cell, way = 1 * 9 + 1, []
    while got.idxs_ds[cell] != cell:
        way.append(z.ravel()[cell])
        cell = got.idxs_ds[cell]
    assert way.count(1.0) >= 7


def test_land_that_may_lie_beyond_the_rim_is_told() -> None:
    """A river that enters in the west and leaves in the east; a hollow hill stream that begins inside."""
    z = np.fromfunction(lambda r, c: 100 + 3 * np.abs(r - 10) - 0.5 * c, (21, 40))
    got = flow(dem(z))
    assert got.edge[10, 20]
    assert np.isnan(terrain_flow.upstream_area_at(got, line((10, 20), (10, 21)).centroid)[0][0])
    bowl = np.fromfunction(lambda r, c: 50 - np.hypot(r - 20, c - 20), (41, 41))  # a cone: all water runs outward
    bowl += np.where((np.arange(41) == 20)[:, None] & (np.arange(41) > 20)[None, :], -6, 0)
    inner = flow(dem(bowl))
    km2, edge = terrain_flow.upstream_area_at(inner, line((20, 35), (20, 36)).centroid)
    assert km2[0] > 0
    assert not edge[0]


def test_the_area_of_a_tributary_is_not_that_of_the_river_it_joins() -> None:
    rows, columns = np.indices((120, 200)).astype(float)
    main = 0.5 * np.abs(rows - 90) - 0.2 * columns
    z = 200 + np.where(rows > 90, 0.5 * (rows - 90) - 0.2 * columns, main)
    notch = np.abs(columns - 150)
    side = (rows < 90) & (notch < 20)
    z[side] -= (20 - notch[side]) * 0.4
    got = flow(dem(z))
    whole = terrain_flow.Flow(**{**vars(got), "edge": np.zeros_like(got.edge)})  # as if nothing lay beyond
    pieces = gpd.GeoSeries(
        [*line((20, 150), (90, 152)), *line((90, 30), (90, 145)), *line((90, 155), (90, 190))], crs=CHINA
    )
    km2, edge = terrain_flow.upstream_area_km2(whole, pieces)
    assert not edge.any()
    assert km2[0] < 0.5 * km2[1] < km2[1] < km2[2]
    # the river enters and leaves over the rim: its area is not known
    km2, edge = terrain_flow.upstream_area_km2(got, pieces)
    assert edge[1:].all()
    assert np.isnan(km2[1:]).all()


# ---- voids, flats, heights along lines ---------------------------------------------------------------------------------


def test_voids_stay_voids_unless_asked_and_then_it_is_said() -> None:
    z = drawn("99999 98.79 98779 9...9 99999")
    got = flow(dem(z))
    assert got.ground.void_cells == 4
    assert got.ground.inner_voids == 2
    assert got.ground.largest_void_at is not None
    assert any("void" in s for s in got.said)
    mended = terrain.fill_small_voids(dem(z), 1)
    assert mended.void.sum() == 3
    assert 7 <= mended.z_m[1, 2] <= 9
    assert any("interpolated" in s for s in mended.said)
    assert terrain.fill_small_voids(dem(z), 3).void.sum() == 0


def test_a_dem_without_ground_is_refused() -> None:
    with pytest.raises(InputError, match="no height at all"):
        flow(dem(np.full((3, 3), np.nan)))


def test_ends_of_a_line_on_the_bank_read_the_channel() -> None:
    z = np.full((30, 60), 50.0) - 0.1 * np.arange(60)
    z[14:17] -= 10
    start, end = terrain.sample_ends(dem(z), line((12, 5), (12, 55)), reach_m=30)
    assert start[0] == pytest.approx(39.5, abs=1)
    assert end[0] < start[0]
    outside, inside = terrain.sample_ends(dem(z), line((12, -50), (12, 5)))
    assert np.isnan(outside[0])
    assert not np.isnan(inside[0])
    in_degrees = crs.to_storage(line((12, 5), (12, 55)))
    np.testing.assert_allclose(terrain.sample_ends(dem(z), in_degrees, reach_m=30), (start, end), atol=0.2)


def test_the_channel_falls_along_the_line() -> None:
    z = np.full((30, 60), 50.0) - 0.1 * np.arange(60)
    z[14:17] -= 10
    river = line((15, 5), (15, 55))
    along = terrain.elevation_along(dem(z), river.iloc[0], np.array([0.0, 250.0, 500.0]), CHINA)
    np.testing.assert_allclose(along, [39.4, 36.9, 34.4], atol=0.2)


# ---- vertical datum ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ground", "levels", "fine"),
    [
        (terrain.NATIONAL_1985, terrain.NATIONAL_1985, True),
        (terrain.NATIONAL_1985, "吴淞高程", False),
        ("unknown", terrain.NATIONAL_1985, False),
        (terrain.NATIONAL_1985, "unknown", False),
        ("local", "local", False),
        ("ellipsoidal", "ellipsoidal", True),
        (terrain.NATIONAL_1985, [terrain.NATIONAL_1985, "吴淞高程"], False),
        (terrain.NATIONAL_1985, [terrain.NATIONAL_1985] * 2, True),
        (terrain.NATIONAL_1985, [], False),
    ],
)
def test_heights_of_other_datums_are_refused_or_declared(ground: str, levels: object, fine: bool) -> None:
    here = dem(drawn(FORK), vertical_datum=ground)
    if fine:
        assert require_same_datum(here, levels) == []  # type: ignore[arg-type]
        return
    with pytest.raises(InputError, match="--accept-unknown-datum"):
        require_same_datum(here, levels)  # type: ignore[arg-type]
    assert "insisted" in require_same_datum(here, levels, insist=True)[0]  # type: ignore[arg-type]


def test_datums_are_known_by_their_many_names() -> None:
    for name in ("1985", "1985国家高程基准", "Yellow Sea 1985 height", "85高程"):
        assert dem_files.datum_named(name) == terrain.NATIONAL_1985
    assert dem_files.datum_named("") == "unknown"
    assert dem_files.datum_named("NAVD88") == dem_files.datum_named("NAVD88 height (ftUS)") == "NAVD88"
    assert dem_files.datum_named("大地高") == "ellipsoidal"


# ---- files -------------------------------------------------------------------------------------------------------------


def written(path: Path, z: np.ndarray, *, scale: float = 1.0, units: str | None = None, **more: object) -> Path:
    profile = {
        "driver": "GTiff",
        "height": z.shape[0],
        "width": z.shape[1],
        "count": 1,
        "dtype": z.dtype,
        "crs": CHINA,
        "transform": GRID,
    }
    with rasterio.open(path, "w", **(profile | more)) as out:
        out.write(z, 1)
        out.scales = (scale,)
        if units:
            out.units = (units,)
    return path


def test_every_kind_of_void_is_found(tmp_path: Path) -> None:
    z = np.array([[5, 6], [7, -32768]], dtype=np.int16)
    declared = dem_files.read(written(tmp_path / "a.tif", z, nodata=-32768))
    silent = dem_files.read(written(tmp_path / "b.tif", z))
    nan = dem_files.read(written(tmp_path / "c.tif", np.where(z < 0, np.nan, z).astype(np.float32)))
    for got in (declared, silent, nan):
        np.testing.assert_array_equal(got.void, [[False, False], [False, True]])
    assert declared.said == nan.said == ()
    assert "1 cells hold heights that no ground has" in silent.said[0]


def test_feet_and_scales_become_metres(tmp_path: Path) -> None:
    feet = dem_files.read(written(tmp_path / "a.tif", np.full((2, 2), 1000.0, dtype=np.float32), units="ft"))
    assert feet.z_m[0, 0] == pytest.approx(304.8)
    assert "from ft to metres" in feet.said[0]
    tenths = dem_files.read(written(tmp_path / "b.tif", np.full((2, 2), 1234, dtype=np.int16), scale=0.1))
    assert tenths.z_m[0, 0] == pytest.approx(123.4)
    with pytest.raises(InputError, match="furlong"):
        dem_files.read(written(tmp_path / "c.tif", np.zeros((2, 2), dtype=np.float32), units="furlong"))


def test_grids_upside_down_are_turned_and_rotated_ones_refused(tmp_path: Path) -> None:
    z = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32)
    plain = dem_files.read(written(tmp_path / "a.tif", z))
    turned = Affine(-10, 0, 500_020, 0, 10, 3_300_000 - 30)
    other = dem_files.read(written(tmp_path / "b.tif", z[::-1, ::-1].copy(), transform=turned))
    np.testing.assert_array_equal(plain.z_m, other.z_m)
    assert other.affine.almost_equals(plain.affine)
    with pytest.raises(InputError, match="rotated"):
        dem_files.read(written(tmp_path / "c.tif", z, transform=GRID @ Affine.rotation(10)))


def test_a_dem_without_a_place_is_refused(tmp_path: Path) -> None:
    z = np.zeros((2, 2), dtype=np.float32)
    with pytest.raises(CrsRefused):
        dem_files.read(written(tmp_path / "a.tif", z, crs=None))
    assert dem_files.read(tmp_path / "a.tif", system="EPSG:4544").crs == CHINA


def test_the_vertical_datum_of_the_file_is_read_and_a_declared_one_told(tmp_path: Path) -> None:
    z = np.zeros((2, 2), dtype=np.float32)
    path = written(tmp_path / "a.tif", z, crs=CRS.from_user_input("EPSG:4544+5737").to_wkt())
    assert dem_files.read(path).vertical_datum == terrain.NATIONAL_1985
    assert dem_files.read(path).crs.to_epsg() == 4544
    other = dem_files.read(path, vertical_datum="吴淞")
    assert other.vertical_datum == "吴淞高程"
    assert "the user declares" in other.said[0]


# ---- in parts ----------------------------------------------------------------------------------------------------------


def hills(side: int) -> np.ndarray:
    """A smooth landscape of hills on a slope, with noise."""
    rng = np.random.default_rng(4)
    z = sum(
        height * ndimage.zoom(rng.standard_normal((side // length + 3,) * 2), length, order=3)[:side, :side]
        for length, height in ((60, 20.0), (20, 5.0), (5, 0.4))
    )
    return np.asarray(z + 300 - 0.3 * np.arange(side)[:, None], dtype=np.float32)


@pytest.mark.parametrize("factor", [2, 3])
def test_in_parts_is_nearly_as_good_as_whole(tmp_path: Path, factor: int) -> None:
    z = hills(400)
    z[200:210, 100:104] = np.nan
    exact = flow(dem(z))
    with dem_files.opened(written(tmp_path / "a.tif", z)) as source:
        coarse = terrain_large.coarse_flow(source, factor)
        parts = list(terrain_large.windows(source, coarse, 0.05, tile=128))
    assert coarse.flow.method == f"coarse:{factor}+windows"
    above, area = (np.full(z.shape, np.inf, dtype=np.float32) for _ in range(2))
    for part in parts:
        here = part.window.toslices()
        assert np.isinf(above[here]).all(), "windows overlap"
        above[here], area[here] = part.hand_m, part.stream_km2
    assert not np.isinf(above).any()
    # all land is counted
    assert np.nansum(coarse.flow.upstream_km2[coarse.flow.d8 == 0]) == pytest.approx(
        np.nansum(exact.upstream_km2[exact.d8 == 0]), rel=1e-5
    )
    streams = exact.stream_cells(0.05)
    assert overlap(~np.isnan(area), streams) > 0.95
    both = ~np.isnan(above) & ~np.isnan(terrain_flow.hand(exact, streams))
    assert both.mean() > 0.85
    assert (np.abs(above - terrain_flow.hand(exact, streams))[both] < 1).mean() > 0.95


def overlap(found: np.ndarray, true: np.ndarray) -> float:
    """F1 of stream cells, one cell of displacement allowed."""
    near = np.ones((3, 3))
    right = (found & ndimage.binary_dilation(true, near)).sum() / found.sum()
    seen = (true & ndimage.binary_dilation(found, near)).sum() / true.sum()
    return float(2 * right * seen / (right + seen))


def test_the_factor_is_the_smallest_that_fits() -> None:
    assert terrain_large.factor_for((1000, 1000), 1_000_000) == 1
    assert terrain_large.factor_for((1000, 1001), 1_000_000) == 2
    assert terrain_large.factor_for((20_000, 20_000), 60_000_000) == 3


# ---- against another program -------------------------------------------------------------------------------------------


def reference(folder: Path, name: str) -> np.ma.MaskedArray:
    with rasterio.open(folder / "dem_flow_eno" / name) as image:
        return image.read(1, masked=True)


@pytest.mark.realdata
def test_flow_on_a_real_dem_agrees_with_taudem(test_data: Path) -> None:
    got = flow(dem_files.read(test_data / "dem_flow_eno" / "eno_dem.tif"))
    filled = reference(test_data, "ref_fel_pit_filled.tif")
    assert np.abs(got.filled_m - filled).max() < 0.001
    directions = reference(test_data, "ref_d8_dir_taudem.tif")
    same = terrain_flow.coded(got.d8, "taudem") == directions
    assert same[~got.flat].mean() > 0.999
    # on flats several ways are right
    assert same.mean() > 0.98
    area, cells = reference(test_data, "ref_d8_accumulation.tif"), got.upstream_cells()
    known = ~np.ma.getmaskarray(area)
    assert (got.edge == ~known).mean() > 0.995
    ratio = np.abs(np.log10(cells[known] / area.data[known]))
    assert np.median(ratio) == 0
    assert (ratio < 0.02).mean() > 0.98
    streams = reference(test_data, "ref_streams_acc200.tif").filled(0) == 1
    assert overlap((cells >= 200) & known, streams) > 0.97


@pytest.mark.realdata
def test_heights_above_the_stream_agree_with_taudem(test_data: Path) -> None:
    got = flow(dem_files.read(test_data / "dem_flow_eno" / "eno_dem.tif"))
    streams = reference(test_data, "ref_streams_src.tif").filled(0) == 1
    drop = reference(test_data, "ref_dinf_vertical_drop_to_stream_ave.tif")
    above = terrain_flow.hand(got, streams)
    known = ~np.ma.getmaskarray(drop) & ~np.isnan(above)
    assert known.sum() > 0.999 * drop.count()
    apart = np.abs(above - drop.data)[known]
    assert np.median(apart) < 0.01
    assert (apart < 1).mean() > 0.98


@pytest.mark.realdata
def test_whole_metres_and_undeclared_sea_are_told(test_data: Path) -> None:
    srtm = flow(dem_files.read(test_data / "region_bayreuth" / "bayreuth_srtm3_dem.tif"))
    assert srtm.ground.whole_metres
    assert srtm.ground.flat_share > 0.01
    assert any("whole metres" in s for s in srtm.said)
    coast = dem_files.read(test_data / "china_dem_1km" / "nanjing_taizhou_dem_30s.tif")
    assert coast.void.any()
    assert any("105 cells" in s for s in coast.said)
