"""Heights: every shape delivered with them goes out with them; where one cannot, none does, and it is said."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from rivergis.db.connect import Database
from rivergis.maps import export
from tests.export.conftest import EAST, NORTH, ZONE, rivers, send, take
from tests.export.reading import read


def reaches(count: int = 3, dim: int = 3) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(3)
    steps = [
        np.column_stack(
            [np.cumsum(rng.uniform(5, 30, (12, 2)), 0) + np.array([EAST, NORTH]), rng.uniform(200, 300, 12)]
        )
        for _ in range(count)
    ]
    frame = {"code": [f"r{i}" for i in range(count)], "river_code": "YXH", "kind": "river"}
    return gpd.GeoDataFrame(frame, geometry=[shapely.LineString(s[:, :dim]) for s in steps], crs=ZONE)


@pytest.mark.parametrize("ending", export.FORMATS)
def test_lines_with_heights_come_out_with_them(db: Database, tmp_path: Path, ending: str) -> None:
    rivers(db, tmp_path, "YXH")
    given = reaches()
    take(db, "reach", given, tmp_path)
    out = tmp_path / f"out{ending}"
    done = send(db, "reach", out, crs=None if export.FORMATS[ending].fixed else f"EPSG:{ZONE}")
    assert done.files[0]["geometry"] == "LineString Z"
    if ending in (".xlsx", ".dxf"):
        return
    back = read(out, "reach", f"EPSG:{ZONE}")
    z = shapely.get_coordinates(back.geometry.values, include_z=True)[:, 2]
    assert z == pytest.approx(shapely.get_coordinates(given.geometry.values, include_z=True)[:, 2], abs=0.001)


def test_the_coordinate_table_has_a_column_of_heights(db: Database, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"code": ["a"], "name": ["a"]}, geometry=[shapely.Point(EAST, NORTH, 251.125)], crs=ZONE)
    take(db, "outfall", frame, tmp_path)
    send(db, "outfall", tmp_path / "o.xlsx")
    assert pd.read_excel(tmp_path / "o.xlsx")["高程(m)"].tolist() == [251.125]
    send(db, "outfall", tmp_path / "o.csv")
    assert pd.read_csv(tmp_path / "o.csv")["height"].tolist() == [251.125]


def test_heights_of_some_or_of_repaired_shapes_stay_as_delivered_and_that_is_said(db: Database, tmp_path: Path) -> None:
    bow = shapely.Polygon(
        [(EAST, NORTH, 1), (EAST + 100, NORTH + 100, 2), (EAST + 100, NORTH, 3), (EAST, NORTH + 100, 4)]
    )
    take(db, "water_area", gpd.GeoDataFrame({"code": ["x"], "kind": "pond"}, geometry=[bow], crs=ZONE), tmp_path)
    for ending in (".gpkg", ".zip", ".xlsx", ".dxf", ".csv"):
        done = send(db, "water_area", tmp_path / f"w{ending}")
        assert (done.count, done.files[0]["geometry"]) == (1, "MultiPolygon")
        assert any("two-dimensional" in n for n in done.notes)
    rivers(db, tmp_path, "YXH")
    take(db, "reach", pd.concat([reaches(2), reaches(4, dim=2).iloc[2:]]), tmp_path)
    done = send(db, "reach", tmp_path / "r.shp")
    assert (done.count, done.files[0]["geometry"]) == (4, "LineString")
    assert not shapely.has_z(pyogrio.read_dataframe(tmp_path / "r.shp").geometry.values).any()


def test_heights_that_are_all_zero_are_none(db: Database, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"code": ["a"], "name": ["a"]}, geometry=[shapely.Point(EAST, NORTH, 0)], crs=ZONE)
    take(db, "outfall", frame, tmp_path)
    done = send(db, "outfall", tmp_path / "o.gpkg")
    assert (done.files[0]["geometry"], done.notes) == ("Point", [])
