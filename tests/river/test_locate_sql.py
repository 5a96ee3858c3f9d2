"""Where a point lies: the database and the pure function say the same reach, metres and bank."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from sqlalchemy import text

from rivergis import crs
from rivergis.db.connect import Database
from rivergis.river import network_store
from rivergis.river.place import place
from tests import tiny
from tests.river.test_tracing import ACTOR, BUILD, built, defects


def test_points_all_over_lie_where_both_say(db: Database) -> None:
    frame = built()
    with db.write(ACTOR) as conn:
        network_store.save_network(conn, frame, defects(), namespace="local", build=BUILD)
    rng = np.random.default_rng(5)
    spots = [tiny.point(x, y) for x, y in zip(rng.uniform(-200, 4200, 150), rng.uniform(-500, 500, 150), strict=True)]
    points = tiny.degrees(tiny.metric(spots)).geometry
    wanted = place(frame, points, within_m=250, min_confidence=0.8)
    with db.read() as conn:
        for point, row in zip(points, wanted.itertuples(), strict=True):
            asked = {"lon": point.x, "lat": point.y}
            found = conn.execute(text("SELECT * FROM app.river_locate(:lon, :lat, 250)"), asked).one_or_none()
            assert (found is None) == (row.reach_id is None)
            if found is not None:
                assert (found.code, found.bank) == (row.reach_id, row.bank)
                assert found.at_m == pytest.approx(row.at_m, abs=0.05)
                assert found.offset_m == pytest.approx(row.offset_m, abs=0.05)


def test_at_a_confluence_the_reach_that_begins_there_is_taken(db: Database) -> None:
    frame = built()
    with db.write(ACTOR) as conn:
        network_store.save_network(conn, frame, defects(), namespace="local", build=BUILD)
    node = frame.geometry.iloc[2].coords[0]
    [row] = place(
        frame, gpd.GeoSeries(gpd.points_from_xy(*np.array([node]).T), crs=crs.STORAGE), within_m=5, min_confidence=0.8
    )["reach_id"]
    with db.read() as conn:
        found = network_store.locate(conn, *node, 5)
    assert (row, found["code"], found["at_m"]) == ("b", "b", 0)
