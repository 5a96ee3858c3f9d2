"""The database traces as the pure functions do: same reaches, same parts, distances within a micrometre, on any network."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from rivergis.db.connect import Database
from rivergis.errors import InputError, NotFound
from rivergis.river import network_store
from rivergis.river.network import Network, Route, Spot
from tests.river import networks

ROW = ["reach_id", "from_m", "to_m", "distance_m", "far_m", "on_main", "visit"]
# no shrinking: every example is a round trip to the database
MANY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


def identified(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with uuids for reach ids, as the database has them."""
    ids = {r: str(uuid.uuid5(uuid.NAMESPACE_OID, r)) for r in frame["reach_id"]}
    return frame.assign(
        code=frame["reach_id"].map(ids),
        reach_id=frame["reach_id"].map(ids),
        next_reach_id=[ids.get(n) for n in frame["next_reach_id"]],
        kind="river",
        name=None,
        upstream_area_km2=float("nan"),
    )


@contextmanager
def stored(db: Database, frame: pd.DataFrame) -> Iterator[tuple[Connection, Network]]:
    """A connection that sees the network, whose tracing numbers are undone at the end."""
    with db.engine.connect() as conn:
        conn.execute(text("INSERT INTO cache.network_state DEFAULT VALUES ON CONFLICT DO NOTHING"))
        network = Network.of(frame)
        network_store.write_topology(conn, network, frame)
        conn.execute(
            text("UPDATE cache.network_state SET built_changes = changes, from_day = app.today(), until_day = NULL")
        )
        yield conn, network
        conn.rollback()


def traced(
    conn: Connection, net: Network, at: Spot, direction: str, within: float | None, stops: pd.DataFrame
) -> pd.DataFrame:
    rows = conn.execute(
        text(
            "SELECT * FROM app.river_trace(:r, :at, :d, :w, CAST(:stops AS uuid[]), CAST(:m AS float8[])) ORDER BY visit"
        ),
        {
            "r": net.reach_id[at.reach],
            "at": at.at_m,
            "d": direction,
            "w": within,
            "stops": list(stops["reach_id"]),
            "m": list(stops["at_m"]),
        },
    )
    frame = pd.DataFrame(rows.mappings().all())
    return frame.assign(reach_id=frame["reach_id"].astype(str))[ROW]


def same(got: pd.DataFrame, wanted: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(got, wanted, check_dtype=False, rtol=0, atol=1e-6)


@MANY
@given(st.data())
def test_traces_agree(module_db: Database, data: st.DataObject) -> None:
    with stored(module_db, identified(data.draw(networks.frames()))) as (conn, net):
        for _ in range(4):
            at, direction = data.draw(networks.spots(net)), data.draw(st.sampled_from(["up", "down"]))
            within = data.draw(st.one_of(st.none(), st.integers(0, 120).map(float)))
            stops = data.draw(networks.stops(net))
            same(traced(conn, net, at, direction, within, stops), net.trace(at, direction, within, stops)[ROW])


def way(conn: Connection, net: Network, a: Spot, b: Spot) -> pd.DataFrame:
    found = conn.execute(
        text("SELECT * FROM app.river_route(:a, :a_m, :b, :b_m) ORDER BY step"),
        {"a": net.reach_id[a.reach], "a_m": a.at_m, "b": net.reach_id[b.reach], "b_m": b.at_m},
    )
    frame = pd.DataFrame(found.mappings().all())
    return frame if frame.empty else frame.assign(reach_id=frame["reach_id"].astype(str))


@MANY
@given(st.data())
def test_routes_agree(module_db: Database, data: st.DataObject) -> None:
    with stored(module_db, identified(data.draw(networks.frames()))) as (conn, net):
        a, b = data.draw(networks.spots(net)), data.draw(networks.spots(net))
        got = way(conn, net, a, b)
        try:
            wanted: Route = net.route(a, b)
        except NotFound:
            assert got.empty
            return
        columns = ["reach_id", "direction", "from_m", "to_m", "distance_m"]
        same(got[columns], wanted.parts[columns])
        assert set(got["way"]) == {wanted.way} and list(got["node"].dropna().unique()) == (
            [wanted.node] if wanted.node else []
        )


def test_a_long_chain_of_braids_is_not_walked_way_by_way(module_db: Database) -> None:
    """300 islands in a row: 2 to the 300th ways to the sea, one row for each arm, each at the shorter distance."""
    rows = []
    for i in range(300):
        rows += [f"l{i}: n{i} -> n{i + 1} {10 + i % 3}", f"r{i}: n{i} -> n{i + 1} {11 - i % 3}"]
    frame = identified(networks.reaches("\n".join(rows)))
    none = pd.DataFrame({"reach_id": [], "at_m": []})
    with stored(module_db, frame) as (conn, net):
        for at, direction in ((Spot(0, 0.0), "down"), (Spot(599, 9.0), "up")):
            got = traced(conn, net, at, direction, None, none)
            assert len(got) == 599  # of the first island only the arm where it starts
            same(got, net.trace(at, direction)[ROW])


def test_numbers_out_of_date_are_refused_not_used(db: Database) -> None:
    with pytest.raises(InputError, match="river topology"), db.read() as conn:
        conn.execute(text("SELECT * FROM app.river_trace(gen_random_uuid(), 0, 'up')"))
    with db.write("local:test") as conn:
        assert network_store.rebuild_topology(conn) == 0 and network_store.topology_current(conn)
        conn.execute(text("UPDATE cache.network_state SET until_day = app.today()"))
        assert not network_store.topology_current(conn)


def test_water_in_a_circle_is_refused(db: Database) -> None:
    frame = identified(networks.reaches("x: p -> q 10\ny: q -> p 10"))
    with pytest.raises(InputError, match="circle"), db.write("local:test") as conn:
        network_store.write_topology(conn, Network.of(frame), frame)
