"""What a map of one river or one ground holds."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from rivergis.db.connect import Database
from rivergis.maps import features
from rivergis.maps.features import Scope
from rivergis.river import store
from tests import tiny

HERE = (105.98, 29.38, 106.03, 29.42)


@pytest.fixture
def waters(db: Database) -> Database:
    """Two rivers with a water area each, and a pond of nobody, side by side; a third water far off."""
    corners = ((0, 0, 500, 20), (0, 300, 500, 20), (0, 600, 50, 50), (90_000, 0, 50, 50))
    shapes = [shapely.MultiPolygon([tiny.box(*c)]) for c in corners]
    frame = tiny.degrees(
        tiny.metric(shapes, code=["a", "b", "pond", "far"], river_code=["r1", "r2", None, "r2"], kind="river")
    )
    with db.write("t") as conn:
        rivers = gpd.pd.DataFrame({"code": ["r1", "r2"], "name": ["甲河", "乙河"], "kind": "river"})
        store.save(conn, "river", rivers, namespace="n", import_id=None)
        store.save(conn, "water_area", frame, namespace="n", import_id=None)
    return db


def test_a_ground_holds_every_water_on_it_and_a_river_only_its_own_and_nobodys(waters: Database) -> None:
    with waters.read() as conn:
        at = features.when(conn)
        ids = {
            r: i
            for i, r in store.read_frame(
                conn, "SELECT r.id, r.code, a.geom FROM app.river r JOIN app.water_area a ON a.river_id = r.id"
            )[["id", "code"]].itertuples(index=False)
        }
        ground = features.layer(conn, "water_area", at, Scope(None, HERE))
        river = features.layer(conn, "water_area", at, Scope(ids["r1"], HERE))
        everything = features.layer(conn, "water_area", at)
    assert len(everything) == 4
    assert sorted(ground["river"].fillna("")) == ["", "乙河", "甲河"]
    assert sorted(river["river"].fillna("")) == ["", "甲河"]
