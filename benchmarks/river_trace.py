"""Upstream and downstream from random places of a province: the database, the pure functions, networkx and pgRouting.

Run: .venv/bin/python benchmarks/river_trace.py [REACHES [PLACES]]
All four answer the same question in the same run: which reaches, and how far along the channel. A time is one question asked
by a client until it holds all rows; the database and its caches are warm. networkx and pgRouting give the distance of nodes; cutting
the first and last reach, main channels and order are left to the caller, so that they are asked for less.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import province
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from rivergis.db import upgrade
from rivergis.db.cluster import Cluster
from rivergis.db.connect import copy_frame, open_database
from rivergis.river import network_store
from rivergis.river.network import Network, Spot

SEED = 7
TRACE = text("SELECT * FROM app.river_trace(:reach, :at, :direction)")
ROUTING = text("SELECT * FROM pgr_drivingDistance(:edges, :node, 1e9, true)")


def network(reaches: int) -> gpd.GeoDataFrame:
    """Reaches of the province with the main successors it was drawn by; ids are uuids."""
    lines, truth = province.rivers(SEED, reaches)
    known = truth.set_index("CODE").loc[lines["CODE"]]
    ids = {code: str(uuid.uuid5(uuid.NAMESPACE_OID, code)) for code in lines["CODE"]}
    return gpd.GeoDataFrame(
        {
            "reach_id": lines["CODE"].map(ids),
            "code": lines["CODE"],
            "next_reach_id": known["NEXT_CODE"].map(ids).to_numpy(),
            "from_node": None,
            "to_node": None,
            "channel": known["CHANNEL"].to_numpy(),
            "kind": "river",
            "name": lines["NAME"].astype(object).where(lines["NAME"].notna(), None),
            "upstream_area_km2": np.nan,
        },
        geometry=lines.geometry.to_numpy(),
        crs=lines.crs,
    )


def timed(job: Callable[[Spot, str], Any], places: list[Spot], direction: str) -> tuple[np.ndarray, list[Any]]:
    """Milliseconds and answer of a job at each place."""
    took, answers = [], []
    for place in places:
        begun = time.perf_counter()
        answers.append(job(place, direction))
        took.append((time.perf_counter() - begun) * 1000)
    return np.array(took), answers


def with_networkx(net: Network) -> Callable[[Spot, str], dict[int, float]]:
    graphs = {"down": nx.MultiDiGraph(), "up": nx.MultiDiGraph()}
    for a, b, length in zip(net.start.tolist(), net.end.tolist(), net.length_m.tolist(), strict=True):
        graphs["down"].add_edge(a, b, length_m=length)
        graphs["up"].add_edge(b, a, length_m=length)

    def job(place: Spot, direction: str) -> dict[int, float]:
        first = int((net.end if direction == "down" else net.start)[place.reach])
        return dict(nx.single_source_dijkstra_path_length(graphs[direction], first, weight="length_m"))

    return job


def with_pgrouting(conn: Connection, net: Network) -> Callable[[Spot, str], list[Any]] | None:
    try:
        with conn.begin_nested():
            conn.execute(text("CREATE EXTENSION pgrouting"))
    except DBAPIError:
        return None
    conn.execute(text("CREATE TABLE edge (id int PRIMARY KEY, source int, target int, cost double precision)"))
    table = {"id": np.arange(len(net)), "source": net.start, "target": net.end, "cost": net.length_m}
    copy_frame(conn, "edge", pd.DataFrame(table))
    conn.execute(text("ANALYZE edge"))
    sides = {"down": "source, target", "up": "target AS source, source AS target"}

    def job(place: Spot, direction: str) -> list[Any]:
        first = int((net.end if direction == "down" else net.start)[place.reach])
        edges = f"SELECT id, {sides[direction]}, cost FROM edge"
        return list(conn.execute(ROUTING, {"edges": edges, "node": first}))

    return job


def show(name: str, direction: str, took: np.ndarray, answers: list[Any], in_sql: np.ndarray) -> None:
    p50, p95, worst = np.percentile(took, [50, 95, 100])
    rows = np.array([len(a) for a in answers])
    reached = f"{np.median(rows):6.0f} {np.percentile(rows, 95):7.0f} {rows.max():7.0f}"
    ratio = p95 / np.percentile(in_sql, 95)
    print(
        f"{name:16} {direction:5} {p50:9.2f} {p95:9.2f} {worst:9.2f}   x{ratio:7.2f}   {reached}   ({len(rows)} places)"
    )


def main() -> None:
    reaches, count = (
        (int(a) for a in [*sys.argv[1:], "60000", "1000"][:2]) if len(sys.argv) != 2 else (int(sys.argv[1]), 1000)
    )
    home = Path(tempfile.mkdtemp(prefix="rg-bench-", dir="/tmp"))
    home.chmod(0o755)
    cluster = Cluster(home / "data")
    try:
        db = open_database(None, home / "data", "trace")
        upgrade.upgrade(db)
        frame = network(reaches)
        net = Network.of(frame)
        with db.write("bench") as conn:
            begun = time.perf_counter()
            conn.execute(text("INSERT INTO cache.network_state DEFAULT VALUES ON CONFLICT DO NOTHING"))
            network_store.write_topology(conn, net, frame)
            conn.execute(text("UPDATE cache.network_state SET built_changes = changes, from_day = app.today()"))
            print(f"{len(net)} reaches; tracing numbers made in {time.perf_counter() - begun:.1f} s")
            compare(conn, net, count)
    finally:
        cluster.stop()
        shutil.rmtree(home, ignore_errors=True)


def compare(conn: Connection, net: Network, count: int) -> None:
    rng = np.random.default_rng(SEED + 1)
    chosen = rng.integers(len(net), size=count)
    places = [Spot(int(r), float(net.length_m[r] * s)) for r, s in zip(chosen, rng.random(count), strict=True)]

    def in_sql(place: Spot, direction: str) -> list[Any]:
        asked = {"reach": net.reach_id[place.reach], "at": place.at_m, "direction": direction}
        return list(conn.execute(TRACE, asked))

    routing = with_pgrouting(conn, net)
    few = max(count // 20, 1)  # pgRouting reads all edges for every question: it answers a part of them
    print(
        f"ms, {count} random places: p50, p95, worst; p95 over that of SQL at the same places; reaches or nodes: p50, p95, most"
    )
    for direction in ("up", "down"):
        timed(in_sql, places[:50], direction)
        took, answers = timed(in_sql, places, direction)
        show("app.river_trace", direction, took, answers, took)
        pure, told = timed(net.trace, places, direction)
        show("Network.trace", direction, pure, told, took)
        check(answers, told)
        for name, job, asked in (("networkx", with_networkx(net), count), ("pgRouting", routing, few)):
            if job is None:
                print(f"{name:22} not installed")
                continue
            peer, found = timed(job, places[:asked], direction)
            show(name, direction, peer, found, took[:asked])
    [mouth] = net.numbers([outlet(net)])
    took, answers = timed(in_sql, [Spot(int(mouth), 1.0)] * 5, "up")
    print(f"up from the outlet of the largest basin: {np.median(took):.0f} ms for {len(answers[0])} reaches")


def outlet(net: Network) -> str:
    """The outlet that most reaches drain to."""
    ends = np.flatnonzero(net.next < 0)
    sizes = [len(net.trace(Spot(int(r), 0.0), "up")) for r in ends]
    return str(net.reach_id[ends[int(np.argmax(sizes))]])


def check(answers: list[list[Any]], told: list[pd.DataFrame]) -> None:
    """The database and the pure functions gave the same reaches at the same distances, or this stops."""
    for rows, frame in zip(answers, told, strict=True):
        far = {str(r.reach_id): r.distance_m for r in rows}
        assert far.keys() == set(frame["reach_id"])
        assert np.allclose([far[r] for r in frame["reach_id"]], frame["distance_m"], rtol=0, atol=1e-6)


if __name__ == "__main__":
    main()
