"""A draft into which nothing was drawn yet lets nothing go, and is no fault."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from rivergis.boundary.law import area

EMPTY = gpd.GeoDataFrame({"geometry": []}, crs="EPSG:4490")


def test_nothing_drawn_has_a_plane_all_the_same() -> None:
    assert area.plane_of(EMPTY, EMPTY) is not None


@pytest.mark.parametrize("frames", [(1, 0), (0, 1), (1, 1)])
def test_the_plane_stands_where_the_ground_is(frames: tuple[int, int]) -> None:
    ground = gpd.GeoDataFrame({"geometry": [shapely.box(105.9, 29.3, 106.1, 29.5)]}, crs="EPSG:4490")
    plane = area.plane_of(*(ground if full else EMPTY for full in frames))
    west, south, east, north = ground.to_crs(plane).total_bounds
    assert 19_000 < east - west < 20_000 and 22_000 < north - south < 22_500
    assert abs((east + west) / 2 - 500_000) < 1  # the meridian runs through the middle
