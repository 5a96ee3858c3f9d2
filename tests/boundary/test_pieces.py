"""Areas cut to pieces, found by squares of the ground, in each zone of a province, and stored."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis import crs
from rivergis.boundary.ground import stored
from rivergis.boundary.ground.pieces import Pieces, cut
from rivergis.boundary.ground.squares import Index, Squares
from rivergis.boundary.ground.zoned import Zoned, one_zone, zoned
from rivergis.errors import InputError

EAST, NORTH = 500_000.0, 3_300_000.0


def strip(rng: np.random.Generator, vertices: int, length_m: float = 3_000.0, wide_m: float = 60.0) -> shapely.Polygon:
    """A rough strip along a bending river.

    ~~~~\\___/~~~~~\\___   bank: a vertex every few metres
    ====\\___/=====\\___   the other bank
    """
    along = np.linspace(0, length_m, vertices // 2)
    axis = 200 * np.sin(along / rng.uniform(300, 900)) + NORTH
    banks = [axis + side * wide_m * (1 + 0.3 * rng.random(len(along))) for side in (1, -1)]
    shell = np.vstack([np.column_stack([along + EAST, banks[0]]), np.column_stack([along + EAST, banks[1]])[::-1]])
    return shapely.Polygon(shell)


def with_islands(shape: shapely.Polygon) -> shapely.Polygon:
    """The strip with round holes on its axis, some of them cut by a bank."""
    at = shapely.points(shapely.get_coordinates(shape)[: len(shape.exterior.coords) // 2 : 40] - [0, 60])
    return shape.difference(shapely.union_all(shapely.buffer(at, 20)))


@st.composite
def areas(draw: st.DrawFn) -> list[shapely.Geometry | None]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    made: list[shapely.Geometry | None] = []
    for kind in draw(st.lists(st.sampled_from(["strip", "islands", "multi", "box", "none", "empty"]), max_size=4)):
        shape = strip(rng, int(rng.integers(8, 900)))
        turned = shapely.affinity.rotate(shape, rng.uniform(0, 360), origin=(EAST, NORTH))
        made.append({
            "strip": turned, "islands": with_islands(shape), "box": shapely.box(EAST, NORTH, EAST + 10, NORTH + 1e5),
            "multi": shapely.MultiPolygon([turned, shapely.box(EAST - 900, NORTH, EAST - 800, NORTH + 9)]) if turned.bounds[0] > EAST - 700
            else turned, "none": None, "empty": shapely.Polygon(),
        }[kind])  # fmt: skip
    return made


@given(areas())
def test_pieces_are_small_and_disjoint_and_sum_to_their_area(given_areas: list[shapely.Geometry | None]) -> None:
    pieces = cut(np.array(given_areas, object))
    assert (shapely.get_num_coordinates(pieces.shapes) <= 64).all()
    assert shapely.is_valid(pieces.shapes).all()
    sums = np.bincount(pieces.area, shapely.area(pieces.shapes), minlength=len(given_areas))
    whole = [0.0 if a is None else a.area for a in given_areas]
    assert np.abs(sums - whole).max(initial=0) < 1e-6
    for k, area in enumerate(given_areas):
        if area is not None and not area.is_empty:
            mine = shapely.union_all(pieces.shapes[pieces.area == k])
            assert mine.symmetric_difference(area).area < 1e-5


@given(st.integers(0, 2**32), st.integers(1, 60), st.sampled_from([0.0, 1.0, 300.0]))
def test_squares_find_every_pair_of_boxes_that_meet_and_each_once(seed: int, count: int, large: float) -> None:
    rng = np.random.default_rng(seed)

    def boxes(n: int) -> np.ndarray:
        corner = rng.integers(-20, 20, (n, 2)).astype(float)  # whole numbers: many boxes touch along an edge
        return np.hstack([corner, corner + rng.integers(0, 5, (n, 2)) + large * rng.integers(0, 2, (n, 1))])

    held, asked = boxes(count), np.vstack([boxes(40), [[np.nan] * 4, [-1e9, -1e9, 1e9, 1e9], [1e9, 1e9, 1e9, 1e9]]])
    one, other = Index.over(held).meeting(asked, held)
    meet = (asked[:, None, :2] <= held[None, :, 2:]).all(2) & (held[None, :, :2] <= asked[:, None, 2:]).all(2)
    assert (np.column_stack([one, other]) == np.argwhere(meet)).all()
    assert Squares.over(held).near(asked)[meet.any(axis=1)].all()
    assert not Squares.over(held).near(asked)[[40, 42]].any()


def test_nothing_is_near_no_pieces() -> None:
    assert not cut([]).near(np.array([[0.0, 0, 1, 1]])).any()
    assert not cut([None]).within([shapely.Point(0, 0)], 5.0).any()
    assert len(cut([shapely.MultiPolygon()]).meeting(np.array([[0.0, 0, 1, 1]]))[0]) == 0


@given(st.integers(0, 2**32))
def test_within_is_the_distance_to_the_area(seed: int) -> None:
    rng = np.random.default_rng(seed)
    area = strip(rng, 300)
    points = shapely.points(rng.uniform([EAST - 50, NORTH - 300], [EAST + 3_050, NORTH + 300], (50, 2)))
    assert (cut([area]).within(points, 20.0) == (shapely.distance(area, points) <= 20.0)).all()


def test_a_fan_of_holes_that_meet_in_one_point_ends() -> None:
    """A hundred holes whose tips touch in the middle: no box around it has few vertices, however small."""
    spikes = []
    for a in np.linspace(0, 2 * np.pi, 100, endpoint=False):
        tip = [(0, 0), (9 * np.cos(a), 9 * np.sin(a)), (9 * np.cos(a + 0.02), 9 * np.sin(a + 0.02))]
        spikes.append(shapely.Polygon(tip))
    area = shapely.box(-10, -10, 10, 10).difference(shapely.union_all(spikes))
    assert abs(shapely.area(cut([area]).shapes).sum() - area.area) < 1e-6


# ---- zones ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def border() -> gpd.GeoSeries:
    """Three reaches: west of 106.5 degrees E (border of the zones of 105 and 108), across it, and far east of it.

    105          106.5          108
     |   [0]      [1]            |  [2]
    """
    rng = np.random.default_rng(5)
    made = []
    for lon in (105.2, 106.5, 108.1):
        zone = crs.metric_crs(lon, 30.0)
        at = crs.out_of_storage(zone)(np.array([[lon, 30.0]]))[0]
        shape = shapely.affinity.translate(with_islands(strip(rng, 700)), at[0] - EAST - 1_500, at[1] - NORTH)
        made.append(shapely.transform(shape, crs.into_storage(zone)))
    return gpd.GeoSeries(made, crs=crs.STORAGE)


@pytest.fixture(scope="module")
def ground(border: gpd.GeoSeries) -> Zoned:
    return zoned([border.iloc[:2], border.iloc[2:]])


def test_a_reach_at_the_border_is_cut_in_both_zones(ground: Zoned, border: gpd.GeoSeries) -> None:
    assert [z.to_epsg() for z in ground.zones] == [4544, 4545]
    assert [sorted(set(p.area)) for p in ground.pieces] == [[0, 1], [1, 2]]
    for zone, pieces in zip(ground.zones, ground.pieces, strict=True):
        whole = border.to_crs(zone).area.to_numpy()
        for k in set(pieces.area):
            assert abs(shapely.area(pieces.shapes[pieces.area == k]).sum() - whole[k]) < 1e-6


def test_a_place_is_measured_in_the_zone_of_its_metric_crs(ground: Zoned) -> None:
    lon = np.linspace(104.0, 109.0, 101)
    told = ground.zone_of(np.column_stack([lon, np.full(101, 30.0)]))
    assert [ground.zones[z].to_epsg() for z in told] == [crs.metric_crs(x, 30.0).to_epsg() for x in lon]
    assert (ground.zone_of(np.array([[120.0, 30.0], [11.5, 50.0]])) == -1).all()


def test_whatever_is_near_an_area_is_near_by_the_squares_in_any_system(ground: Zoned, border: gpd.GeoSeries) -> None:
    rng = np.random.default_rng(3)
    vertices = shapely.get_coordinates(border.to_numpy())
    xy = vertices[rng.integers(0, len(vertices), 3_000)] + rng.normal(0, 1e-3, (3_000, 2))
    boxes = np.hstack([xy, xy + rng.uniform(0, 1e-3, (3_000, 2))])
    meets = shapely.intersects(shapely.box(*boxes.T)[:, None], border.to_numpy()[None]).any(axis=1)
    assert ground.near(boxes)[meets].all()
    assert not ground.near(boxes + 0.5).any()
    way = crs.out_of_storage(ground.zones[0])
    metric = shapely.bounds(shapely.transform(shapely.box(*boxes.T), way))
    assert ground.squares_in(way).near(metric)[meets].all()


def test_the_inner_of_an_island_is_near() -> None:
    ring = shapely.box(105.0, 30.0, 105.1, 30.1).difference(shapely.box(105.01, 30.01, 105.09, 30.09))
    ground = zoned(gpd.GeoSeries([ring], crs=crs.STORAGE))
    assert ground.near(np.array([[105.05, 30.05, 105.0501, 30.0501]])).all()


def test_other_ground_has_its_zone_without_pieces(tmp_path: Path) -> None:
    """Only a line with a gap: nothing is known to be inside, and what stands there must be looked at."""
    doubt = gpd.GeoSeries([shapely.box(110.0, 30.0, 110.1, 30.1)], crs=crs.STORAGE)
    stored.save(tmp_path / "p", zoned(gpd.GeoSeries([], crs=crs.STORAGE), also=doubt), {})
    ground = stored.load(tmp_path / "p")
    assert ground.near(np.array([[110.05, 30.05, 110.051, 30.051]])).all()
    zone = int(ground.zone_of(np.array([[110.05, 30.05]]))[0])
    assert ground.zones[zone].to_epsg() == 4546
    assert not ground.pieces[zone].within([shapely.Point(0, 0)], 1e9).any()
    assert len(zoned(gpd.GeoSeries([], crs=crs.STORAGE)).zones) == 1


def test_outside_china_zones_are_local(border: gpd.GeoSeries) -> None:
    home = gpd.GeoSeries([shapely.box(11.2, 49.9, 11.26, 49.95)], crs=crs.STORAGE)
    ground = zoned(home)
    zone = int(ground.zone_of(np.array([[11.24, 49.92]]))[0])
    assert ground.zones[zone] == crs.metric_crs(11.24, 49.92)
    assert abs(ground.pieces[zone].shapes[0].area - home.to_crs(ground.zones[zone]).area[0]) < 1e-6


# ---- stored ---------------------------------------------------------------------------------------------------------


def test_what_is_stored_is_what_was_prepared(ground: Zoned, tmp_path: Path) -> None:
    stored.save(tmp_path / "pieces.arrow", ground, {"boundary": "ab12", "snap_m": 5.0})
    again = stored.load(tmp_path / "pieces.arrow")
    assert again.meta == {"boundary": "ab12", "snap_m": 5.0}
    assert again.keys == ground.keys
    assert list(again.zones) == list(ground.zones)
    assert (again.squares.taken == ground.squares.taken).all()
    for a, b in zip(again.pieces, ground.pieces, strict=True):
        assert (a.shapes == b.shapes).all()
        assert (a.area == b.area).all()
        assert (a.take(np.array([3, 0, 3])) == b.shapes[[3, 0, 3]]).all()
        box = b.bounds[[2]]
        assert [x.tolist() for x in a.meeting(box)] == [x.tolist() for x in b.meeting(box)]
    assert [p.name for p in tmp_path.iterdir()] == ["pieces.arrow"]


def test_one_zone_is_stored_too(tmp_path: Path) -> None:
    zone = crs.metric_crs(105.0, 30.0)
    pieces = cut([strip(np.random.default_rng(1), 300)])
    stored.save(tmp_path / "p", one_zone(pieces, zone), {})
    again = stored.load(tmp_path / "p")
    assert again.keys is None
    assert (again.zone_of(np.array([[120.0, 30.0]])) == 0).all()
    assert (again.pieces[0].shapes == pieces.shapes).all()


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
def test_a_file_cut_short_is_refused(ground: Zoned, tmp_path: Path, kept: float) -> None:
    path = tmp_path / "pieces.arrow"
    stored.save(path, ground, {})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(InputError, match="is no whole file of prepared boundaries"):
        stored.load(path)


def test_a_file_of_another_version_or_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pieces.arrow"
    with pytest.raises(InputError, match="prepare the boundary first"):
        stored.load(path)
    with pa.ipc.new_file(path, pa.schema({"zone": pa.int64()}, {"rivergis": '{"form": "0/64"}'})) as file:
        file.write_batch(pa.record_batch({"zone": [1]}))
    with pytest.raises(InputError, match="another version of rivergis"):
        stored.load(path)


def test_positions_are_kept_where_areas_have_no_ground() -> None:
    shape = strip(np.random.default_rng(2), 200)
    some = gpd.GeoSeries([None, shapely.Polygon(), shape], crs=crs.metric_crs(105, 30)).to_crs(crs.STORAGE)
    assert set(zoned(some).pieces[0].area) == {2}
    assert isinstance(zoned(some.iloc[:2]).squares, Squares)
    assert set(Pieces(cut([shape]).shapes, cut([shape]).area).area) == {0}
