r"""Traces and routes on a network file, in the database and on the command line give one answer.

a ---\                        m
      j ---- b ---- k ==========#== n --- d --->        w is the longer arm of an island
t ---/                \___ w ___/
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from sqlalchemy import text

from rivergis import crs
from rivergis.db.connect import Database, now_of
from rivergis.errors import InputError, NotFound
from rivergis.outfall import store as outfall_store
from rivergis.river import network_store, store, tracing
from rivergis.river.frames import REACH_COLUMNS
from rivergis.river.tracing import Limits, Start
from tests import tiny

LIMITS = Limits(max_offset_m=100, min_confidence=0.8)
ACTOR = "local:test"
SHAPES = {
    "a": ("s1", "j", "b", [(0, 300), (500, 0)]),
    "t": ("s2", "j", "b", [(0, -300), (500, 0)]),
    "b": ("j", "k", "m", [(500, 0), (1500, 0)]),
    "m": ("k", "n", "d", [(1500, 0), (2000, 20), (2500, 0)]),
    "w": ("k", "n", "d", [(1500, 0), (2000, -300), (2500, 0)]),
    "d": ("n", "sea", None, [(2500, 0), (4000, 0)]),
}


def built() -> gpd.GeoDataFrame:
    """The frame of a build, with attributes of its source and a shoreline."""
    lines = tiny.degrees(tiny.metric([tiny.line(*xy) for *_, xy in SHAPES.values()])).geometry
    frame = gpd.GeoDataFrame(
        {c: [None] * len(lines) for c in REACH_COLUMNS}, geometry=lines.to_numpy(), crs=crs.STORAGE
    )
    frame["reach_id"] = list(SHAPES)
    for i, column in enumerate(("from_node", "to_node", "next_reach_id")):
        frame[column] = [v[i] for v in SHAPES.values()]
    frame["river_id"] = ["R1", "R2", "R1", "R1", "R1", "R1"]
    frame["river_name"] = ["清溪", None, "清溪", "清溪", "清溪", "清溪"]
    frame["kind"], frame["covered"], frame["direction_basis"] = "river", False, "digitised"
    frame["channel"] = ["main", "main", "main", "main", "side", "main"]
    frame["length_m"] = crs.length_m(lines.to_numpy())
    main = frame["reach_id"].isin(["a", "b", "m", "d"])
    frame["to_m"] = frame["length_m"].where(main, 0).cumsum().where(main | (frame["reach_id"] == "t"), None)
    frame.loc[1, "to_m"] = frame.loc[1, "length_m"]
    frame["from_m"] = frame["to_m"] - frame["length_m"]
    frame["strahler"], frame["stem_order"] = [1, 1, 2, 2, 2, 2], [1, 2, 1, 1, 2, 1]
    up = frame.set_index("reach_id")["length_m"]
    both = up["a"] + up["t"] + up["b"]
    frame["upstream_length_m"] = [up["a"], up["t"], both, both + up["m"], both + up["w"], up.sum()]
    frame["to_outlet_m"] = [up["b"] + up["m"] + up["d"]] * 2 + [up["m"] + up["d"], up["d"], up["d"], 0.0]
    frame["half_width_m"], frame["direction_confidence"] = [5.0, None, 6.0, 7.5, None, 8.0], 0.93
    frame["source_fid"] = pd.array(range(6), dtype="Int64")
    frame["source_id"] = [f"S{i}" for i in range(6)]
    frame["src_grade"], frame["src_note"] = [1, 2, 3, 4, 5, 6], [None, "旧", None, None, None, None]
    return frame


def defects() -> gpd.GeoDataFrame:
    points = tiny.degrees(tiny.metric([tiny.point(500, 0), tiny.point(0, 0)])).geometry.to_numpy()
    points[1] = shapely.Point()
    rows = {
        "code": ["gap", "no_geometry"],
        "severity": ["warning", "error"],
        "reach_id": ["b", None],
        "measure": [3.5, None],
        "unit": ["m", None],
        "proposal": ["joined", "left out"],
        "done": [True, True],
    }
    return gpd.GeoDataFrame(rows, geometry=points, crs=crs.STORAGE)


BUILD: dict[str, Any] = {"file_name": "r.gpkg", "file_sha256": "0" * 64, "options": {}, "rule_set": "v", "counts": {}}


def save(db: Database, frame: gpd.GeoDataFrame, **changes: Any) -> network_store.NetworkSaved:
    with db.write(ACTOR) as conn:
        return network_store.save_network(conn, frame, defects(), namespace="local", build=BUILD | changes)


def read(db: Database) -> gpd.GeoDataFrame:
    with db.read() as conn:
        return network_store.network_frame(conn, date.today() + timedelta(days=1), now_of(conn), "local")


def counts(db: Database) -> dict[str, int]:
    tables = ("river", "axis", "reach", "network_build", "network_build_reach", "network_defect")
    with db.read() as conn:
        return {t: int(conn.execute(text(f"SELECT count(*) FROM data.{t}")).scalar_one()) for t in tables}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    built().to_file(tmp_path / "network.gpkg", layer="reaches")
    return tmp_path / "network.gpkg"


def plain(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Without shapes, and what is missing as None."""
    rows = pd.DataFrame(frame.drop(columns="geometry")).astype(object)
    return rows.where(rows.notna(), None)


def test_a_network_comes_back_as_it_was_saved(db: Database) -> None:
    wanted = built().sort_values("reach_id", ignore_index=True)
    assert save(db, built()).imported == 6
    got = read(db)[wanted.columns]
    pd.testing.assert_frame_equal(plain(got), plain(wanted), check_dtype=False, rtol=0, atol=1e-6)
    assert list(got.geometry) == list(wanted.geometry)


def test_the_same_network_again_changes_nothing(db: Database) -> None:
    first = save(db, built())
    before = counts(db)
    with db.read() as conn:
        made = conn.execute(text("SELECT changes, built_at FROM cache.network_state")).one()
    again = save(db, built())
    with db.read() as conn:
        assert conn.execute(text("SELECT changes, built_at FROM cache.network_state")).one() == made
    assert (again.imported, again.unchanged, again.ended, again.build_id) == (0, 6, 0, first.build_id)
    assert counts(db) == before
    assert before == {
        "river": 2,
        "axis": 2,
        "reach": 6,
        "network_build": 1,
        "network_build_reach": 6,
        "network_defect": 2,
    }


def test_what_a_file_no_longer_gives_ends_and_can_come_back(db: Database) -> None:
    save(db, built())
    less = built()[lambda f: f["reach_id"] != "t"]
    assert save(db, less, file_sha256="1" * 64).ended == 1
    assert list(read(db)["reach_id"]) == ["a", "b", "d", "m", "w"]
    with db.read() as conn:
        assert list(conn.execute(text("SELECT code FROM app.river ORDER BY 1")).scalars()) == ["R1"]
    assert save(db, built(), file_sha256="2" * 64).imported == 1
    assert list(read(db)["reach_id"]) == ["a", "b", "d", "m", "t", "w"]


def test_another_file_of_the_namespace_ends_nothing(db: Database) -> None:
    save(db, built())
    other = built()[lambda f: f["reach_id"] == "t"].assign(reach_id="z", next_reach_id=None)
    assert save(db, other, file_name="other.gpkg").ended == 0
    assert len(read(db)) == 7


def test_an_imported_river_keeps_what_it_has(db: Database) -> None:
    river = pd.DataFrame({"code": ["R1"], "name": ["清溪河"], "kind": ["river"], "grade": ["四级"], "name_en": [None]})
    with db.write(ACTOR) as conn:
        store.save(conn, "river", river, namespace="local", import_id=None)
    save(db, built())
    with db.read() as conn:
        rows = list(conn.execute(text("SELECT code, name, grade FROM app.river ORDER BY code")))
    assert [tuple(r) for r in rows] == [("R1", "清溪河", "四级"), ("R2", "R2", None)]


def test_tracing_numbers_go_out_of_date_with_any_change_of_reaches(db: Database) -> None:
    save(db, built())
    with db.read() as conn:
        assert network_store.topology_current(conn)
        reach = network_store.reach_named(conn, "d")
    with db.write(ACTOR) as conn:
        store.turn_reaches(conn, gpd.GeoDataFrame({"id": [reach], "from_node": ["n"]}))
    with pytest.raises(InputError, match="river topology"), db.read() as conn:
        network_store.trace(conn, reach, 0.0, "up")
    tracing.ready(db, ACTOR)
    with db.read() as conn:
        assert len(network_store.trace(conn, reach, 0.0, "up")) == 6


def test_a_turned_reach_loses_its_successor_not_the_network(db: Database) -> None:
    save(db, built())
    with db.write(ACTOR) as conn:
        turned = {"id": [network_store.reach_named(conn, "w")], "from_node": ["n"], "to_node": ["k"]}
        store.turn_reaches(conn, gpd.GeoDataFrame(turned))
    with pytest.raises(InputError, match="circle"):  # w now brings the water of m back
        tracing.ready(db, ACTOR)
    with db.write(ACTOR) as conn:
        turned = {"id": [network_store.reach_named(conn, "t")], "from_node": ["j"], "to_node": ["s2"]}
        store.turn_reaches(conn, gpd.GeoDataFrame(turned))
        back = {"id": [network_store.reach_named(conn, "w")], "from_node": ["k"], "to_node": ["n"]}
        store.turn_reaches(conn, gpd.GeoDataFrame(back))
    tracing.ready(db, ACTOR)
    with db.read() as conn:
        down = tracing.trace_database(conn, Start(reach="a"), "down", None, LIMITS).parts
    assert set(down["reach_id"]) == {"a", "t", "b", "m", "w", "d"} and list(
        down.loc[down["on_main"], "reach_id"]
    ) == list("abmd")


def test_reaches_without_nodes_are_traced_where_their_ends_meet(db: Database) -> None:
    frame = built().rename(columns={"reach_id": "code", "river_id": "river_code"}).rename_geometry("geom")
    rivers = pd.DataFrame({"code": ["R1", "R2"], "name": ["清溪", "支流"], "kind": "river"})
    with db.write(ACTOR) as conn:
        store.save(conn, "river", rivers, namespace="local", import_id=None)
        store.save(conn, "reach", frame[["code", "river_code", "kind", "geom"]], namespace="local", import_id=None)
    tracing.ready(db, ACTOR)
    with db.read() as conn:
        assert len(tracing.trace_database(conn, Start(reach="d"), "up", None, LIMITS).parts) == 6


def lonlat(x: float, y: float) -> tuple[float, float]:
    [point] = tiny.degrees(tiny.metric([tiny.point(x, y)])).geometry
    return point.x, point.y


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("within", [None, 1200.0])
def test_file_and_database_tell_the_same(db: Database, file: Path, direction: str, within: float | None) -> None:
    save(db, built())
    start = Start(lonlat=lonlat(1800, 10))
    of_file = tracing.trace_file(file, start, direction, within, LIMITS)
    with db.read() as conn:
        of_db = tracing.trace_database(conn, start, direction, within, LIMITS)
    assert of_db.start["at_m"] == pytest.approx(of_file.start["at_m"], abs=0.01)
    assert of_db.start["bank"] == of_file.start["bank"] and of_db.start["reach_id"] == of_file.start["reach_id"] == "m"
    assert list(of_db.parts["reach_id"]) == list(of_file.parts["reach_id"])
    assert of_db.parts["distance_m"].to_numpy() == pytest.approx(of_file.parts["distance_m"].to_numpy(), abs=0.01)
    for told in (of_file, of_db):
        assert crs.length_m(told.parts.geometry.values).sum() == pytest.approx(told.length_m, abs=0.01)


def test_routes_of_file_and_database_tell_the_same(db: Database, file: Path) -> None:
    save(db, built())
    ends = Start(lonlat=lonlat(250, 150)), Start(lonlat=lonlat(250, -150))
    of_file = tracing.route_file(file, *ends, LIMITS)
    with db.read() as conn:
        of_db = tracing.route_database(conn, *ends, LIMITS)
        with pytest.raises(NotFound):
            tracing.route_database(conn, ends[0], Start(lonlat=lonlat(250, 9000)), LIMITS)
    assert (of_file.way, of_file.node, of_db.way, of_db.node) == ("confluence", "j", "confluence", "local/j")
    assert list(of_db.parts["reach_id"]) == list(of_file.parts["reach_id"]) == ["a", "t"]
    assert of_db.length_m == pytest.approx(of_file.length_m, abs=0.02)


def outfalls(*at: tuple[float, float]) -> gpd.GeoDataFrame:
    points = tiny.degrees(tiny.metric([tiny.point(*p) for p in at])).geometry.to_numpy()
    rows = {"code": [f"P{i}" for i in range(len(at))], "name": [f"排口{i}" for i in range(len(at))]}
    return gpd.GeoDataFrame(rows | {"approval_kind": "unknown", "status": "open"}, geometry=points, crs=crs.STORAGE)


def test_a_trace_tells_what_lies_on_the_way_and_stops_there(db: Database, file: Path, tmp_path: Path) -> None:
    save(db, built())
    mouths = outfalls((1000, 20), (700, -10), (3000, 50), (1000, 5000))
    with db.write(ACTOR) as conn:
        outfall_store.save(conn, "outfall", mouths.rename_geometry("geom"), namespace="local", import_id=None)
    mouths.to_file(tmp_path / "mouths.geojson")
    start = Start(reach="d", at_m=1000.0)
    of_file = tracing.trace_file(file, start, "up", None, LIMITS, stop_at=tmp_path / "mouths.geojson")
    with db.read() as conn:
        of_db = tracing.trace_database(conn, start, "up", None, LIMITS, stop_at=["outfall"])
        free = tracing.trace_database(conn, start, "up", None, LIMITS)
    assert list(of_file.things["name"]) == list(of_db.things["name"]) == ["排口2"] and of_file.aside == 1
    assert list(of_db.parts["reach_id"]) == list(of_file.parts["reach_id"]) == ["d"]
    assert list(free.things["name"]) == ["排口2", "排口0", "排口1"] and list(free.things["bank"]) == [
        "left",
        "left",
        "right",
    ]
    assert free.things["distance_m"].iloc[0] == pytest.approx(500, abs=1)


def run(env: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("rivergis")), "river", *args]
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


def test_the_command_line_traces_files_and_the_database(
    db: Database, cli_env: dict[str, str], file: Path, tmp_path: Path
) -> None:
    save(db, built())
    asked = ("trace", "--reach", "b", "--at", "100", "--direction", "down", "--within", "1500", "--json")
    out = tmp_path / "down.gpkg"
    of_file, of_db = (
        json.loads(run(cli_env, *asked, *more).stdout) for more in (("--network", str(file), "--out", str(out)), ())
    )
    assert [r["reach_id"] for r in of_file["reaches"]] == ["b", "m", "w"]
    for one, other in zip(of_file["reaches"], of_db["reaches"], strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    assert crs.length_m(gpd.read_file(out).geometry.values).sum() == pytest.approx(of_file["length_m"], abs=0.01)
    lost = run(cli_env, "trace", "--network", str(file), "--at", "100,30", "--direction", "up")
    assert lost.returncode == 3 and "position nearer to a channel" in lost.stderr
