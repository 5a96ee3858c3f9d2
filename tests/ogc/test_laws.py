"""Laws of features: what is kept is what would be made, pages add up, systems and languages of filters say the same."""

from __future__ import annotations

import json
import re
import urllib.parse
from array import array
from datetime import date
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rivergis.maps.collections import COLLECTIONS
from rivergis.maps.ogc import ask as ogc_ask
from rivergis.maps.ogc import marks as ogc_marks
from rivergis.maps.ogc import page as ogc_page
from rivergis.maps.ogc import places as ogc_places
from rivergis.maps.ogc.marks import STEP, Marks
from rivergis.maps.ogc.source import source
from tests.db.served_ground import save
from tests.ogc.conftest import MANY, Ogc

FINISHED = [c for c in COLLECTIONS if source(c).finished]
quick = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
EPSG = "http://www.opengis.net/def/crs/EPSG/0"


def kept_and_made(ogc: Ogc, name: str) -> tuple[list[str], list[str]]:
    """Features as they are kept, and as they would be made for a request that wants something else."""
    rows_of = source(name)
    wanted = ogc_ask.items([], "", rows_of, None, date(2026, 5, 20))
    made = ogc_page.feature(rows_of, wanted.fields, wanted.place).replace("CAST(:last AS date)", "date '2026-05-20'")
    from_rows = rows_of.rows.replace("CAST(:last AS date)", "date '2026-05-20'")
    with ogc.db.read() as conn:
        conn.execute(text("SET LOCAL timezone = 'UTC'"))
        day = "s.valid @> date '2026-05-20'"
        kept = conn.exec_driver_sql(f"SELECT s.feature FROM {rows_of.finished} s WHERE {day} ORDER BY s.fid").scalars()
        return list(kept), list(
            conn.exec_driver_sql(f"SELECT {made} FROM {from_rows} WHERE {day} ORDER BY s.fid").scalars()
        )


@pytest.mark.parametrize("name", FINISHED)
def test_what_is_kept_is_what_would_be_made(ogc: Ogc, name: str) -> None:
    kept, made = kept_and_made(ogc, name)
    assert kept == made
    assert all(list(json.loads(f)["properties"]) == [c.name for c in COLLECTIONS[name].columns] for f in kept)


def test_a_feature_goes_with_its_shape_and_comes_with_it(ogc: Ogc) -> None:
    for name in ("旧名", "新名"):
        save(ogc.db, "outfall", [{"code": "E1", "name": name, "status": "open"}], [shapely.Point(1, 21)])
    kept, made = kept_and_made(ogc, "outfall")
    assert kept == made
    assert [json.loads(f)["properties"]["name"] for f in kept if '"E1"' in f] == ["新名"]


@quick
@given(limit=st.integers(1, 90))
def test_pages_by_next_links_are_the_whole_once(ogc: Ogc, limit: int) -> None:
    whole = ogc.ids("candidate", limit=10_000)
    assert len(whole) >= MANY
    got: list[str] = []
    query: dict[str, str] = {"limit": str(limit)}
    while True:
        page = ogc.items("candidate", **query)
        got += [f["id"] for f in page["features"]]
        assert page["numberReturned"] == len(page["features"]) <= limit
        onward = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not onward:
            break
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(onward[0]).query))
    assert got == whole


@quick
@given(offset=st.integers(0, 400), limit=st.integers(1, 50), far=st.sampled_from([1, 512]))
def test_an_offset_is_that_many_rows_on(ogc: Ogc, offset: int, limit: int, far: int) -> None:
    whole = ogc.ids("candidate", limit=10_000)
    was = ogc_marks.FAR
    ogc_marks.FAR = far  # near offsets by marks, too
    try:
        assert ogc.ids("candidate", limit=limit, offset=offset) == whole[offset : offset + limit]
        narrowed = ogc.ids("candidate", limit=limit, offset=offset, filter="kind = 'building'")
    finally:
        ogc_marks.FAR = was
    assert narrowed == ogc.ids("candidate", limit=10_000, filter="kind = 'building'")[offset : offset + limit]


@given(rows=st.sets(st.integers(1, 10**9), max_size=700).map(sorted), offset=st.integers(0, 900))
def test_marks_point_at_the_row(rows: list[int], offset: int) -> None:
    marks = Marks(array("q", rows[STEP - 1 :: STEP]), len(rows), (1,))
    behind, skip = marks.start(offset)
    rest = [r for r in rows if behind is None or r > behind][skip:]
    assert rest == rows[offset:] and skip < STEP


def test_marks_are_of_one_state() -> None:
    memory = ogc_marks.Memory()
    memory.keep("k", [5, 9], 140, (1, 1))
    assert memory.get("k", (1, 1)) is not None
    assert memory.get("k", (1, 2)) is None


@given(st.integers(0, 2**63 - 1))
def test_the_place_of_a_next_link_comes_back(fid: int) -> None:
    rows_of = source("reach")
    said = ogc_ask.items([("after", ogc_ask.mark(fid))], "", rows_of, None, date(2026, 5, 20))
    assert said.after == fid


# ---- systems --------------------------------------------------------------------------------------------------------


def coordinates(ogc: Ogc, collection: str, **query: Any) -> np.ndarray:
    features = ogc.items(collection, limit=10_000, **query)["features"]
    return shapely.get_coordinates([shapely.from_geojson(json.dumps(f["geometry"])) for f in features])


@pytest.mark.parametrize("collection", ["reach", "candidate", "outfall", "river", "admin_unit"])
@pytest.mark.parametrize("code", [4490, 4326, 3857, 4544])
def test_a_system_says_the_same_place_in_its_own_order(ogc: Ogc, collection: str, code: int) -> None:
    plain = coordinates(ogc, collection)
    there = coordinates(ogc, collection, crs=f"{EPSG}/{code}")
    # EPSG's own order of axes
    move = pyproj.Transformer.from_crs(4490, code, always_xy=False)
    expected = np.column_stack(move.transform(plain[:, 1], plain[:, 0]))
    tolerance = 2e-9 if code in (4490, 4326) else 0.001
    assert np.abs(there - expected).max() < tolerance


@quick
@given(x=st.floats(106.0, 106.02), wide=st.floats(0.00001, 0.02), code=st.sampled_from([4490, 4326, 3857, 4544]))
def test_a_box_is_the_same_ground_in_every_system(ogc: Ogc, x: float, wide: float, code: int) -> None:
    west, south, east, north = x, 29.409, x + wide, 29.411
    place = ogc_places.of_epsg(code)
    plain = ogc.ids("candidate", bbox=f"{west},{south},{east},{north}", limit=10_000)
    # the smallest box there that holds the corners may hold a little more
    move = pyproj.Transformer.from_crs(4490, code, always_xy=False)
    pairs = np.array([move.transform(lat, lon) for lon in (west, east) for lat in (south, north)])
    low, high = pairs.min(axis=0), pairs.max(axis=0)
    box = ",".join(repr(float(v)) for v in (*low, *high))
    there = ogc.ids("candidate", bbox=box, bbox_crs=place.uri, limit=10_000)
    assert set(plain) <= set(there)
    assert len(there) <= len(plain) + 2
    written = f"S_INTERSECTS(geom, BBOX({box}))"
    assert ogc.ids("candidate", filter=written, filter_crs=place.uri, limit=10_000) == there


# ---- filters and days -----------------------------------------------------------------------------------------------

PAIRS = [
    ("kind = 'dump'", {"op": "=", "args": [{"property": "kind"}, "dump"]}),
    ("accuracy_m BETWEEN 3 AND 9", {"op": "between", "args": [{"property": "accuracy_m"}, 3, 9]}),
    ("code IN ('Q001', 'Q100')", {"op": "in", "args": [{"property": "code"}, ["Q001", "Q100"]]}),
    ("NOT (name LIKE '%1%')", {"op": "not", "args": [{"op": "like", "args": [{"property": "name"}, "%1%"]}]}),
    ("accuracy_m ^ 2 > 400 AND kind <> 'dump'", {"op": "and", "args": [
        {"op": ">", "args": [{"op": "^", "args": [{"property": "accuracy_m"}, 2]}, 400]},
        {"op": "<>", "args": [{"property": "kind"}, "dump"]}]}),
    ("S_INTERSECTS(geom, BBOX(106.001,29.4,106.002,29.42))",
     {"op": "s_intersects", "args": [{"property": "geom"}, {"bbox": [106.001, 29.4, 106.002, 29.42]}]}),
    ("NOT S_INTERSECTS(geometry, BBOX(106.001,29.4,106.002,29.42))", {"op": "not", "args": [
        {"op": "s_intersects", "args": [{"property": "geom"}, {"bbox": [106.001, 29.4, 106.002, 29.42]}]}]}),
]  # fmt: skip


@pytest.mark.parametrize(("written", "tree"), PAIRS)
def test_text_and_json_say_the_same(ogc: Ogc, written: str, tree: dict[str, Any]) -> None:
    as_text = ogc.ids("candidate", filter=written, limit=10_000)
    assert as_text == ogc.ids("candidate", filter=json.dumps(tree), filter_lang="cql2-json", limit=10_000)
    assert 0 < len(as_text) < MANY + 2


def test_a_condition_and_its_opposite_are_the_whole(ogc: Ogc) -> None:
    known = " AND accuracy_m IS NOT NULL AND name IS NOT NULL"  # of what is not known neither holds
    for written, _ in PAIRS:
        sides = (f"({written}){known}", f"NOT ({written}){known}")
        both = [i for side in sides for i in ogc.ids("candidate", filter=side, limit=10_000)]
        assert sorted(both) == sorted(ogc.ids("candidate", filter=f"true{known}", limit=10_000))


def test_a_column_as_a_parameter_is_an_equal(ogc: Ogc) -> None:
    assert ogc.ids("candidate", kind="dump", limit=10_000) == ogc.ids("candidate", filter="kind = 'dump'", limit=10_000)
    assert ogc.ids("candidate", accuracy_m="7") == ogc.ids("candidate", filter="accuracy_m = 7")


def test_in_force_on_a_day_and_once_in_an_interval(ogc: Ogc) -> None:
    for said, start, end in (("首版", date(2020, 1, 1), date(2020, 12, 31)), ("次版", date(2021, 1, 1), None)):
        save(ogc.db, "outfall", [{"code": "V1", "name": said, "status": "open"}], [shapely.Point(0, 20)],
             valid_from=start, valid_to=end)  # fmt: skip
    named = lambda **q: [f["properties"]["name"] for f in ogc.items("outfall", code="V1", **q)["features"]]  # noqa: E731
    assert named() == ["次版"]
    assert named(datetime="2020-06-01") == ["首版"]
    assert named(datetime="2020-12-31T15:59:59Z") == ["首版"]
    assert named(datetime="2020-12-31T16:00:00Z") == ["次版"]  # midnight in Beijing
    assert named(datetime="2019-01-01") == []
    assert named(datetime="2020-01-01/2020-06-30") == ["首版"]
    assert named(datetime="2020-06-01/2021-06-01") == ["次版"]
    assert named(datetime="../..") == ["次版"]
    assert named(datetime="../2019-12-31") == []


def test_patrols_are_of_their_day(ogc: Ogc) -> None:
    assert len(ogc.ids("patrol_track")) == 2
    assert len(ogc.ids("patrol_track", datetime="2026-05-20")) == 2
    assert ogc.ids("patrol_track", datetime="2026-05-21") == []


@pytest.mark.parametrize(
    "query",
    [("bbox", "106.001,29.409,106.002,29.411"), ("filter", "S_INTERSECTS(geom, BBOX(106.001,29.409,106.002,29.411))")],
)
def test_ground_is_found_by_its_index_behind_the_walls(ogc: Ogc, query: tuple[str, str]) -> None:
    rows_of = source("candidate")
    wanted = ogc_ask.items([query], "", rows_of, None, date(2026, 5, 20))
    sql = ogc_page.page(ogc_page.rows(rows_of, wanted, "500199"), wanted, None, 0)
    with ogc.db.within("500199").read() as conn:
        conn.execute(text("SET LOCAL enable_seqscan = off"))  # so few rows need no index: it must be possible
        plan = "\n".join(conn.exec_driver_sql("EXPLAIN " + sql.percent(), dict(sql.params)).scalars())
        found = conn.exec_driver_sql(sql.percent(), dict(sql.params)).one()
    assert re.search(r"shape_candidate_geom.*?\n\s+Index Cond: \(geom &&", plan), plan
    assert found[0] == 11
