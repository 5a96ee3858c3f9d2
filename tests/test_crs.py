"""One CRS policy: golden values with their source, and laws of the shifts."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from rivergis import crs
from rivergis.errors import CrsRefused, UsageError


@pytest.mark.parametrize(
    ("label", "lon", "lat", "epsg", "east", "north"),
    [
        ("Yongchuan, 3-degree zone 35", 105.9, 29.35, 4544, 587_399.8, 3_248_399.3),
        ("Yunyang, 3-degree zone 36", 108.70, 30.93, 4545, 566_902.6, 3_423_423.6),
    ],
)
def test_local_zone(label: str, lon: float, lat: float, epsg: int, east: float, north: float) -> None:
    zone = crs.metric_crs(lon, lat)
    point = gpd.GeoSeries([shapely.Point(lon, lat)], crs=crs.STORAGE).to_crs(zone).iloc[0]
    assert zone.to_epsg() == epsg, label
    assert (point.x, point.y) == (pytest.approx(east, abs=0.1), pytest.approx(north, abs=0.1))


@pytest.mark.parametrize(
    ("place", "lon", "lat", "gcj_m", "gcj_az", "bd_m", "bd_az"),
    [
        ("Yongchuan", 105.9, 29.35, 474, 135, 1020, 73),
        ("Beijing", 116.39, 39.91, 556, 74, 1380, 52),
        ("Guangzhou", 113.26, 23.13, 621, 118, 1267, 72),
    ],
)
def test_map_service_shifts(
    place: str, lon: float, lat: float, gcj_m: float, gcj_az: float, bd_m: float, bd_az: float
) -> None:
    gcj = crs.wgs84_to_gcj02(lon, lat)
    bd = crs.gcj02_to_bd09(*gcj)
    for (x, y), metres, azimuth in ((gcj, gcj_m, gcj_az), (bd, bd_m, bd_az)):
        az, _, d = crs.GEOD.inv(lon, lat, float(x), float(y))
        assert d == pytest.approx(metres, abs=15), place
        assert az % 360 == pytest.approx(azimuth, abs=2), place


@given(st.floats(73, 137), st.floats(1, 55), st.sampled_from(["gcj02", "bd09"]))
def test_shifts_come_back_exactly(lon: float, lat: float, datum: str) -> None:
    x, y = crs.wgs84_to_gcj02(lon, lat)
    if datum == "bd09":
        x, y = crs.gcj02_to_bd09(x, y)
    back = crs.to_wgs84(x, y, datum)
    assert abs(float(back[0]) - lon) < 1e-8
    assert abs(float(back[1]) - lat) < 1e-8


def test_no_shift_outside_the_box() -> None:
    assert [float(v) for v in crs.wgs84_to_gcj02(11.5, 50.0)] == [11.5, 50.0]


@pytest.mark.parametrize("code", [4610, 2381, 4214, 2437, 4555, 21413])
def test_datums_that_proj_would_pass_unchanged_are_refused(code: int) -> None:
    with pytest.raises(CrsRefused, match="no transformation to CGCS2000 is published"):
        crs.accepted(f"EPSG:{code}", "line.shp")


def test_missing_and_nonsense_crs_are_refused_with_what_to_do() -> None:
    with pytest.raises(CrsRefused, match=r"line\.shp names no coordinate system: say which with --crs"):
        crs.accepted(None, "line.shp")
    with pytest.raises(CrsRefused, match="is not known"):
        crs.accepted("my own grid", "line.shp")
    with pytest.raises(CrsRefused, match="local or undocumented"):
        crs.accepted('LOCAL_CS["city grid",UNIT["metre",1]]', "line.shp")


def test_area_of_a_square_is_not_that_of_web_mercator() -> None:
    # 10 000 m2 at 29.5 N would read 13 200 m2 in EPSG:3857
    square = gpd.GeoSeries([shapely.box(500_000, 3_264_500, 500_100, 3_264_600)], crs=4544).to_crs(crs.STORAGE)
    assert crs.area_m2(square.iloc[0]) == pytest.approx(10_000, abs=1)
    assert square.to_crs(3857).area.iloc[0] == pytest.approx(13_200, rel=0.01)


def test_metres_are_never_taken_from_degrees_or_web_mercator() -> None:
    frame = gpd.GeoSeries([shapely.Point(106, 29.4)], crs=crs.STORAGE)
    for wrong in (frame, frame.to_crs(3857)):
        with pytest.raises(CrsRefused):
            crs.require_metric(wrong)
    crs.require_metric(crs.to_metric(frame))
    with pytest.raises(UsageError):
        crs.metric_crs(597_000, 3_253_000)


@given(st.floats(-179, 179), st.floats(-80, 80))
def test_metric_and_back(lon: float, lat: float) -> None:
    frame = gpd.GeoSeries([shapely.Point(lon, lat)], crs=crs.STORAGE)
    back = crs.to_storage(crs.to_metric(frame)).iloc[0]
    assert np.hypot(back.x - lon, back.y - lat) < 1e-9


def test_a_frame_brought_home_keeps_the_name_of_its_shapes_and_its_datum_shift() -> None:
    """Where PROJ knows no way to CGCS2000 (OSGB36), the way leads through WGS 84 and back again."""
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(529_090, 179_645)], crs=27700).rename_geometry("geom")
    home = crs.to_storage(frame)
    assert home.geometry.name == "geom" and list(home.columns) == ["a", "geom"] and home.crs.to_epsg() == 4490
    back = shapely.transform(home.geometry.iloc[0], crs.out_of_storage(CRS.from_epsg(27700)))
    assert back.distance(frame.geometry.iloc[0]) < 0.002
    assert crs.GEOD.inv(*home.geometry.iloc[0].coords[0], *frame.to_crs(4490).geometry.iloc[0].coords[0])[2] > 50
