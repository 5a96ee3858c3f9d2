"""OWSLib and geopandas as a program of the county uses them: reading, paging, filters, and writing with the edition it read."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import requests
from owslib.ogcapi.features import Features
from sqlalchemy import text

from rivergis.db.connect import Database
from tests.clients.conftest import MANY, Served, service_of


@pytest.fixture(scope="module")
def served(module_db: Database, data_dir: Path) -> Iterator[Served]:
    """Its own: it writes."""
    with service_of(module_db, data_dir) as service:
        yield service


@pytest.fixture
def api(served: Served) -> Features:
    return connected(served, "planner")


def connected(served: Served, who: str) -> Features:
    scheme, _, token = served.header(who).partition(": ")
    client = Features(served.ogc, headers={scheme: token})
    client.headers = dict(client.headers)  # OWSLib shares one dictionary between all clients
    return client


def test_it_finds_its_way(api: Features) -> None:
    assert {"reach", "candidate", "boundary_draft_line", "river"} <= set(api.feature_collections())
    classes = api.conformance()["conformsTo"]
    for part in (
        "ogcapi-features-1/1.0/conf/core",
        "ogcapi-features-2/1.0/conf/crs",
        "ogcapi-features-4/1.0/conf/create-replace-delete",
    ):
        assert any(c.endswith(part) for c in classes), part
    assert api.api()["openapi"].startswith("3.")
    assert "kind" in api.collection_queryables("candidate")["properties"]
    schema = api.collection_schema("boundary_draft_line")
    assert schema["properties"]["length_m"]["readOnly"] is True and "readOnly" not in schema["properties"]["note"]
    assert {"draft_code", "river_code"} <= set(schema["required"])


def test_it_reads_page_after_page(api: Features) -> None:
    page = api.collection_items("candidate", limit=700)
    seen = {f["id"] for f in page["features"]}
    while following := next((k["href"] for k in page["links"] if k["rel"] == "next"), None):
        page = requests.get(following, headers=api.headers, timeout=30).json()
        assert not seen & {f["id"] for f in page["features"]}
        seen |= {f["id"] for f in page["features"]}
    assert len(seen) == MANY
    offset = api.collection_items("candidate", limit=10, offset=MANY - 5)
    assert len(offset["features"]) == 5


def test_it_filters(api: Features) -> None:
    box = api.collection_items("candidate", bbox=[106.0019, 29.3899, 106.0101, 29.3921], limit=1000)
    assert len(box["features"]) == 126
    words = "kind = 'dump' AND S_INTERSECTS(geometry, BBOX(106.0019, 29.3899, 106.0101, 29.3921))"
    asked = api.collection_items("candidate", filter=words, limit=1000)
    assert len(asked["features"]) == 30 and {f["properties"]["kind"] for f in asked["features"]} == {"dump"}
    cql = {"op": "=", "args": [{"property": "kind"}, "dump"]}
    posted = api.collection_items("candidate", cql=json.dumps(cql), limit=1000)
    assert len(posted["features"]) == MANY // 5
    one = api.collection_item("candidate", asked["features"][0]["id"])
    assert one["properties"] == asked["features"][0]["properties"]


def test_it_draws_changes_and_takes_out_a_line(served: Served, api: Features) -> None:
    """What people copy from docs/clients.md."""
    line = {"type": "LineString", "coordinates": [[106.002, 29.4012], [106.004, 29.4012]]}
    said: dict[str, Any] = {"draft_code": "D1", "river_code": "R1", "note": "OWSLib"}
    assert api.collection_item_create(
        "boundary_draft_line", json.dumps({"type": "Feature", "properties": said, "geometry": line})
    )
    key = api.response_headers["Location"].rpartition("/")[2]
    one = api.collection_item("boundary_draft_line", key)
    assert one["properties"]["bank"] == "left" and one["properties"]["edition"] == 1
    seen = api.response_headers["ETag"]
    one["properties"]["note"] = "改过"
    api.headers["If-Match"] = seen
    assert api.collection_item_update("boundary_draft_line", key, json.dumps(one))
    with pytest.raises(RuntimeError, match="outdated"):
        api.collection_item_update(
            "boundary_draft_line", key, json.dumps({**one, "properties": {**said, "note": "晚了"}})
        )
    del api.headers["If-Match"]
    with pytest.raises(RuntimeError, match="edition_missing"):
        api.collection_item_delete("boundary_draft_line", key)
    api.collection_item("boundary_draft_line", key)
    api.headers["If-Match"] = api.response_headers["ETag"]
    assert api.collection_item_delete("boundary_draft_line", key)
    with pytest.raises(RuntimeError, match="not_found"):
        api.collection_item("boundary_draft_line", key)
    with served.db.read() as conn:
        left = conn.execute(
            text(
                "SELECT attributes ->> 'note', removed FROM data.boundary_draft_segment WHERE segment_id = CAST(:k AS uuid) ORDER BY revision"
            ),
            {"k": key},
        )
        assert [tuple(r) for r in left] == [("OWSLib", False), ("改过", False), ("改过", True)]


def test_it_enters_a_candidate_and_is_refused_elsewhere(served: Served) -> None:
    west = connected(served, "west")
    spot = {
        "type": "Feature",
        "properties": {"kind": "dump", "source_kind": "drone"},
        "geometry": {"type": "Point", "coordinates": [106.003, 29.42]},
    }
    assert west.collection_item_create("candidate", json.dumps(spot))
    key = west.response_headers["Location"].rpartition("/")[2]
    seen = west.collection_item("candidate", key)
    assert (seen["properties"]["feed"], seen["properties"]["version"]) == ("api", 1)
    away = {**spot, "geometry": {"type": "Point", "coordinates": [106.015, 29.42]}}
    with pytest.raises(RuntimeError, match="not_permitted"):
        west.collection_item_create("candidate", json.dumps(away))
    with pytest.raises(RuntimeError, match="not_found"):
        connected(served, "east").collection_item("candidate", key)


def test_geopandas_reads_an_answer_and_sends_a_feature(served: Served) -> None:
    headers = dict([served.header().split(": ", 1)])
    got = requests.get(
        f"{served.ogc}/collections/candidate/items", params={"limit": 50, "f": "json"}, headers=headers, timeout=30
    )
    frame = gpd.read_file(io.BytesIO(got.content))
    assert len(frame) == 50 and frame.crs.is_geographic and set(frame.geom_type) == {"Polygon"}
    own = frame.iloc[[0]].to_crs(4544).buffer(5).to_crs(4490)
    key = got.json()["features"][0]["id"]
    patch = {"geometry": json.loads(own.to_json())["features"][0]["geometry"]}
    url = f"{served.ogc}/collections/candidate/items/{key}"
    read = requests.get(url, headers=headers, timeout=30)
    done = requests.patch(url, json=patch, headers=headers | {"If-Match": read.headers["ETag"]}, timeout=30)
    assert done.status_code == 200, done.text
    after = requests.get(url, headers=headers, timeout=30)
    assert after.json()["properties"]["version"] == read.json()["properties"]["version"] + 1
    assert after.headers["ETag"] != read.headers["ETag"]
    assert requests.get(url, headers=headers | {"If-None-Match": after.headers["ETag"]}, timeout=30).status_code == 304
