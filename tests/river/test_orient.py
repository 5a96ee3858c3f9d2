"""Reaches that were digitised upstream are turned as new versions; the delivered ones stay.

axis   0 ------------------------------> 2000
reach  a -------------->  b <-------------      b runs against its chainage
"""

from __future__ import annotations

import geopandas as gpd
from sqlalchemy import text

from rivergis.db.connect import Database
from rivergis.river import store, workflow
from tests import tiny


def load(db: Database) -> None:
    axis = tiny.degrees(tiny.metric([tiny.line((0, 0), (2000, 0))], code="r", river_code="r"))
    reaches = tiny.degrees(
        tiny.metric(
            [tiny.line((0, 0), (1000, 0)), tiny.line((2000, 0), (1000, 0))],
            code=["a", "b"],
            river_code="r",
            kind="river",
            from_m=[0.0, 1000.0],
            to_m=[1000.0, 2000.0],
            from_node=["1", "3"],
            to_node=["2", "2"],
        )
    )
    with db.write("planner") as conn:
        store.save(
            conn,
            "river",
            gpd.pd.DataFrame({"code": ["r"], "name": ["河"], "kind": ["river"]}),
            namespace="n",
            import_id=None,
        )
        store.save(conn, "axis", axis, namespace="n", import_id=None)
        store.save(conn, "reach", reaches, namespace="n", import_id=None)


def test_turned_once_and_kept_as_delivered(db: Database) -> None:
    load(db)
    assert workflow.orient(db, "planner").turned == ["b"]
    assert workflow.orient(db, "planner").turned == []
    with db.read() as conn:
        rows = conn.execute(
            text(
                "SELECT version, ST_X(ST_StartPoint(geom)) < ST_X(ST_EndPoint(geom)) AS downstream, from_node, direction_basis, superseded_at IS NULL AS current "
                "FROM data.reach WHERE code = 'b' ORDER BY version"
            )
        ).all()
    assert [tuple(r) for r in rows] == [(1, False, "3", "digitised", False), (2, True, "2", "attribute", True)]


def test_the_same_delivery_again_does_not_turn_it_back(db: Database) -> None:
    load(db)
    workflow.orient(db, "planner")
    load(db)
    with db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM data.reach")).scalar() == 3


def test_rivers_without_axis_get_their_longest_chain_and_chainage(db: Database) -> None:
    reaches = tiny.degrees(
        tiny.metric(
            [tiny.line((0, 0), (1000, 0)), tiny.line((1000, 0), (2000, 0)), tiny.line((1000, 300), (1000, 0))],
            code=["a", "b", "c"],
            river_code="r",
            kind="stream",
        )
    )
    with db.write("planner") as conn:
        store.save(
            conn,
            "river",
            gpd.pd.DataFrame({"code": ["r"], "name": ["河"], "kind": ["river"]}),
            namespace="n",
            import_id=None,
        )
        store.save(conn, "reach", reaches, namespace="n", import_id=None)
    built = workflow.build_axes(db, "planner")
    assert (built.rivers, built.reaches, built.reaches_off_axis) == (1, 2, 1)
    with db.read() as conn:
        rows = conn.execute(text("SELECT code, round(from_m), round(to_m) FROM app.reach ORDER BY code")).all()
    assert [tuple(r) for r in rows] == [("a", 0, 1000), ("b", 1000, 2000), ("c", None, None)]
    assert workflow.build_axes(db, "planner").rivers == 0
