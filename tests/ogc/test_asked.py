"""How the OGC API is asked: documents, formats, marks of state, rights, wrong requests, downloads."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rivergis import settings as settings_
from rivergis.boundary import store as boundary_store
from rivergis.maps.collections import COLLECTIONS
from rivergis.maps.ogc import documents as ogc_documents
from rivergis.maps.ogc import sketch as ogc_sketch
from rivergis.web.app import create_app
from tests.db.served_ground import tile_at
from tests.ogc.conftest import MANY, NASTY, Ogc
from tests.security.counties import degrees

EPSG = "http://www.opengis.net/def/crs/EPSG/0"


# ---- documents ------------------------------------------------------------------------------------------------------


def test_every_link_of_every_document_answers(ogc: Ogc) -> None:
    seen: set[str] = set()
    todo = ["/ogc", "/ogc/collections/reach", "/ogc/collections/reach/tiles", "/ogc/collections/reach/tiles/WebMercatorQuad",
            "/ogc/collections/candidate/items?limit=3", "/ogc/styles", "/ogc/tileMatrixSets"]  # fmt: skip
    key = ogc.world.keys["inspector"]
    while todo:
        path = todo.pop()
        if path in seen or len(seen) > 150:
            continue
        seen.add(path)
        answer = ogc.world.ask("GET", path, key)
        assert answer.status_code == 200, path
        if "json" in answer.headers["content-type"] and "f=" not in path:
            for href, templated in re.findall(
                r'"href": ?"http://[^/"]+(/[^"]*)"(?:, ?"templated": ?(true))?', answer.text
            ):
                if not templated and "{" not in href:
                    todo.append(href)
    assert len(seen) > 60


def test_conformance_says_writing_only_where_it_is_on(ogc: Ogc) -> None:
    told = ogc.get("/conformance").json()["conformsTo"]
    assert f"{ogc_documents._SPEC}/ogcapi-features-1/1.0/conf/core" in told
    assert not [c for c in told if "features-4" in c]


def test_a_collection_says_where_it_lies_and_its_systems(ogc: Ogc) -> None:
    told = ogc.get("/collections/reach").json()
    west, south, east, north = told["extent"]["spatial"]["bbox"][0]
    assert 105.9 < west < 106.1 and 29.3 < south < north < 29.5 and 106.1 < east < 106.3
    assert told["storageCrs"] == f"{EPSG}/4490"
    assert {f"{EPSG}/4490", f"{EPSG}/4326", f"{EPSG}/3857", f"{EPSG}/4544"} < set(told["crs"])


def test_the_definition_names_every_path_and_parameter(ogc: Ogc) -> None:
    told = ogc.get("/api").json()
    assert told["openapi"].startswith("3.0")
    assert "/collections/reach/items" in told["paths"]
    assert "/collections/boundary_draft_line/items" not in told["paths"]  # an inspector draws no lines
    items = told["paths"]["/collections/candidate/items"]["get"]
    names = [
        p.get("name") or told["components"]["parameters"][p["$ref"].rpartition("/")[2]]["name"]
        for p in items["parameters"]
    ]
    assert {
        "limit",
        "offset",
        "bbox",
        "bbox-crs",
        "crs",
        "datetime",
        "filter",
        "filter-lang",
        "filter-crs",
        "kind",
    } <= set(names)
    ids = [o["operationId"] for p in told["paths"].values() for o in p.values()]
    assert len(ids) == len(set(ids))


def test_queryables_are_what_a_filter_may_name(ogc: Ogc) -> None:
    for name in ("reach", "boundary_line", "finding", "patrol_leg", "coverage", "river"):
        for column in ogc.get(f"/collections/{name}/queryables").json()["properties"]:
            written = f'"{column}" IS NULL' if column != "geom" else "S_INTERSECTS(geom, POINT(106 29))"
            assert ogc.get(f"/collections/{name}/items", filter=written).status_code == 200, (name, column)


@pytest.mark.parametrize("collection", [c for c in COLLECTIONS if c != "boundary_draft_line"])
def test_every_collection_answers_in_every_form(ogc: Ogc, collection: str) -> None:
    found = ogc.items(collection, limit=2)
    for feature in found["features"]:
        one = ogc.get(f"/collections/{collection}/items/{feature['id']}")
        assert one.status_code == 200
        assert one.json()["properties"] == feature["properties"]
        assert one.json()["geometry"] == feature["geometry"]
    for path in ("", "/items", "/queryables", "/schema", "/tiles"):
        page = ogc.get(f"/collections/{collection}{path}", accept="text/html")
        assert page.status_code == 200 and page.text.startswith("<!doctype html>"), path


def test_format_is_said_by_f_before_the_header(ogc: Ogc) -> None:
    path = "/collections/reach/items"
    for accept, f, expected in (
        ("text/html", None, "text/html"), ("text/html", "json", "application/geo+json"), ("*/*", None, "application/geo+json"),
        ("application/xml", None, "application/geo+json"), ("application/json", "html", "text/html"),
        ("text/html;q=0.3, application/geo+json", None, "application/geo+json"),
    ):  # fmt: skip
        answer = ogc.get(path, accept=accept, **({"f": f} if f else {}))
        assert answer.headers["content-type"].startswith(expected), (accept, f)
    assert ogc.get(path, f="xml").status_code == 400


def test_the_tile_by_the_standard_is_the_tile(ogc: Ogc) -> None:
    key = ogc.world.keys["inspector"]
    template = next(
        link for link in ogc.get("/collections/reach/tiles/WebMercatorQuad").json()["links"] if link["rel"] == "item"
    )
    z, x, y = tile_at(10, 106.005, 29.4)
    path = template["href"].replace("{tileMatrix}", str(z)).replace("{tileRow}", str(y)).replace("{tileCol}", str(x))
    ours = ogc.world.ask("GET", f"/tiles/reach/{z}/{x}/{y}.mvt", key)
    assert ogc.world.ask("GET", path[path.index("/ogc") :], key).content == ours.content != b""


# ---- marks of state -------------------------------------------------------------------------------------------------


def test_a_page_that_is_as_it_was_is_not_sent_again(ogc: Ogc) -> None:
    first = ogc.get("/collections/reach/items")
    key, path = ogc.world.keys["inspector"], "/ogc/collections/reach/items"
    again = ogc.world.ask("GET", path, key, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code in (200, 304)  # 304 as soon as the service hears of changes
    one = f"{path}/{first.json()['features'][0]['id']}"
    tag = ogc.world.ask("GET", one, key).headers["etag"]
    assert ogc.world.ask("GET", one, key, headers={"If-None-Match": tag}).status_code == 304


def test_the_mark_of_an_item_tells_its_forms_apart(ogc: Ogc) -> None:
    ident = ogc.ids("candidate", limit=1)[0]
    plain = ogc.get(f"/collections/candidate/items/{ident}").headers["etag"]
    other = ogc.get(f"/collections/candidate/items/{ident}", crs=f"{EPSG}/3857").headers["etag"]
    assert re.fullmatch(r'"\d+"', plain)
    assert other != plain and other.startswith(plain[:-1])


# ---- rights ---------------------------------------------------------------------------------------------------------


def test_patrols_are_for_who_may_see_them_and_every_look_is_kept(ogc: Ogc) -> None:
    assert ogc.get("/collections/patrol_track/items", "viewer").status_code == 403
    listed = [c["id"] for c in ogc.get("/collections", "viewer").json()["collections"]]
    assert "reach" in listed and "patrol_fix" not in listed
    with ogc.db.read() as conn:
        before = conn.execute(text("SELECT count(*) FROM sys.track_access")).scalar_one()
    assert ogc.ids("patrol_fix", limit=3)
    with ogc.db.read() as conn:
        rows = conn.execute(
            text("SELECT actor, purpose FROM sys.track_access ORDER BY id OFFSET :n"), {"n": before}
        ).all()
        seen = conn.execute(
            text("SELECT actor FROM sys.audit WHERE target = 'patrols:ogc patrol_fix' ORDER BY id DESC")
        ).scalar()
    assert [tuple(r) for r in rows] == [("all-inspector", "map service: patrol_fix")]
    assert seen == "all-inspector"


def test_an_account_of_one_area_sees_that_area(ogc: Ogc) -> None:
    for name in ("outfall", "reach", "boundary_line", "finding", "patrol_track", "candidate", "intake"):
        everywhere, own = ogc.items(name, limit=10_000), ogc.items(name, "A-inspector", limit=10_000)
        assert 0 < len(own["features"]) < len(everywhere["features"]), name
        assert "乙秘" not in json.dumps(own, ensure_ascii=False)
        foreign = {f["id"] for f in everywhere["features"]} - {f["id"] for f in own["features"]}
        for ident in list(foreign)[:3]:
            assert ogc.get(f"/collections/{name}/items/{ident}", "A-inspector").status_code == 404
        # neither by a filter, a file nor a far page
        assert set(ogc.ids(name, "A-inspector", filter="NOT (1 = 2)", limit=10_000)) == {
            f["id"] for f in own["features"]
        }
        assert ogc.ids(name, "A-inspector", offset=600) == []
    west = ogc.get("/collections/outfall", "A-inspector").json()["extent"]["spatial"]["bbox"][0]
    assert west[2] < 106.1


def test_without_a_key_nothing_is_said(ogc: Ogc) -> None:
    for path in ("", "/collections", "/collections/reach/items", "/api", "/collections/reach/items/x"):
        assert ogc.world.ask("GET", f"/ogc{path}", None).status_code == 401


def test_names_on_pages_are_text(ogc: Ogc) -> None:
    page = ogc.get("/collections/candidate/items", accept="text/html", limit=1000).text
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    ident = ogc.ids("candidate", filter="code = 'Q007'")[0]
    assert "<script>alert" not in ogc.get(f"/collections/candidate/items/{ident}", accept="text/html").text
    query = ogc.get("/collections/candidate/items", accept="text/html", filter=f"name = '{NASTY.replace(chr(39), '')}'")
    assert "<script>alert" not in query.text


# ---- wrong requests -------------------------------------------------------------------------------------------------

WRONG = [
    ("limit", "0"), ("limit", "-1"), ("limit", "ten"), ("limit", "1e2"), ("offset", "-1"), ("offset", "x"), ("after", "!"), ("after", "z" * 13),
    ("bbox", "1,2,3"), ("bbox", "a,b,c,d"), ("bbox", "nan,1,2,3"), ("bbox", "1,5,2,3"), ("bbox", "500,1,501,2"), ("bbox-crs", "EPSG:2000"),
    ("crs", "http://www.opengis.net/def/crs/EPSG/0/2000"), ("crs", ""), ("datetime", "yesterday"), ("datetime", "2026-13-01"),
    ("datetime", "2026-05-20/2026-05-19"), ("datetime", "a/b/c"), ("datetime", "2026-05-20T08:00:00"), ("filter", ""), ("filter", "name ="),
    ("filter", "nothing = 1"), ("filter", "accuracy_m = 'x'"), ("filter", "name LIKE '%\\'"), ("filter", "accuracy_m * 1e308 * 1e308 > 1"),
    ("filter", "S_TOUCHES(geom, GEOMETRYCOLLECTION(POINT(1 2)))x"), ("filter", "S_INTERSECTS(geom, BBOX(1,2,3))"), ("filter", "(" * 60),
    ("filter-lang", "sql"), ("filter-crs", "x"), ("properties", "nothing"), ("f", "exe"), ("nonsense", "1"), ("Limit", "1"),
    ("accuracy_m", "x"), ("name", "\0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_request_is_told_in_one_sentence(ogc: Ogc, name: str, value: str) -> None:
    answer = ogc.world.ask("GET", "/ogc/collections/candidate/items", ogc.world.keys["inspector"], params={name: value})
    assert answer.status_code == 400, answer.text
    assert re.fullmatch(r"\S.{5,}[.\u3002]", answer.json()["message"], re.S), answer.text


def test_a_parameter_said_twice_is_refused(ogc: Ogc) -> None:
    path = "/ogc/collections/candidate/items?limit=1&limit=2"
    assert ogc.world.ask("GET", path, ogc.world.keys["inspector"]).status_code == 400


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    collection=st.sampled_from(["candidate", "reach", "finding", "patrol_fix", "coverage"]),
    query=st.dictionaries(
        st.sampled_from([*(n for n, _ in WRONG), "kind", "seen_at", "covered"]),
        st.one_of(st.text(max_size=30), st.sampled_from([v for _, v in WRONG]), st.integers().map(str), st.floats().map(str)),
        max_size=3,
    ),
    lang=st.sampled_from([None, "cql2-json"]),
)  # fmt: skip
def test_nothing_that_is_asked_is_a_fault(ogc: Ogc, collection: str, query: dict[str, str], lang: str | None) -> None:
    more = {"filter-lang": lang} if lang else {}
    answer = ogc.world.ask(
        "GET", f"/ogc/collections/{collection}/items", ogc.world.keys["inspector"], params={**query, **more}
    )
    assert answer.status_code in (200, 400, 403), answer.text


node: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(), st.sampled_from(["dump", "2026-05-20", ".."]),
              st.sampled_from([{"property": p} for p in ("kind", "accuracy_m", "seen_at", "geom", "evidence", "valid_from", "no")]),
              st.just({"bbox": [106, 29, 107, 30]}), st.just({"type": "Point", "coordinates": [106.0, 29.4]}),
              st.just({"date": "2026-05-20"}), st.just({"interval": ["2026-05-20", ".."]})),
    lambda inner: st.builds(
        lambda op, args: {"op": op, "args": args},
        st.sampled_from(["=", "<", "and", "or", "not", "like", "in", "between", "isNull", "casei", "+", "/", "^", "%", "s_within", "s_touches",
                         "t_during", "t_after", "nonsense"]),
        st.lists(st.one_of(inner, st.lists(inner, max_size=3)), max_size=3)),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=node)
def test_no_filter_is_a_fault(ogc: Ogc, tree: Any) -> None:
    answer = ogc.get("/collections/candidate/items", filter=json.dumps(tree), filter_lang="cql2-json", limit=1)
    assert answer.status_code in (200, 400), answer.text


# ---- downloads ------------------------------------------------------------------------------------------------------


def read(form: str, body: bytes, folder: Path) -> pd.DataFrame:
    path = folder / f"download.{form}"
    path.write_bytes(body)
    if form == "csv":
        return pd.read_csv(io.BytesIO(body))
    return gpd.read_parquet(path) if form == "parquet" else pyogrio.read_dataframe(path)


@pytest.mark.parametrize("form", ["fgb", "gpkg", "csv", "parquet"])
def test_a_download_is_the_query_whole(ogc: Ogc, form: str, tmp_path: Path) -> None:
    query = {"filter": "kind = 'dump'", "crs": f"{EPSG}/4544"}
    answer = ogc.get("/collections/candidate/items", f=form, **query)
    assert answer.status_code == 200 and answer.headers["content-disposition"].endswith(f'.{form}"')
    got = read(form, answer.content, tmp_path)
    page = ogc.items("candidate", limit=10_000, **query)["features"]
    assert sorted(got["id"]) == sorted(f["id"] for f in page)
    assert sorted(got["code"]) == sorted(f["properties"]["code"] for f in page)
    # north first in the API, east first in files
    shapes = {
        f["id"]: shapely.transform(shapely.from_geojson(json.dumps(f["geometry"])), lambda p: p[:, ::-1]) for f in page
    }
    there = got["wkt"].map(shapely.from_wkt) if form == "csv" else got.geometry
    assert all(s.hausdorff_distance(shapes[i]) < 0.001 for s, i in zip(there, got["id"], strict=True))
    if form != "csv":
        assert got.crs.to_epsg() == 4544
    with ogc.db.read() as conn:
        kept = conn.execute(
            text("SELECT detail FROM sys.audit WHERE action = 'export' ORDER BY id DESC LIMIT 1")
        ).scalar_one()
    assert kept["count"] == len(page) and kept["format"] == form


def test_a_download_may_be_cut_and_begins_where_it_is_told(ogc: Ogc) -> None:
    whole = ogc.ids("candidate", limit=10_000)
    got = pd.read_csv(io.BytesIO(ogc.get("/collections/candidate/items", f="csv", limit=20, offset=30).content))
    assert list(got["id"]) == whole[30:50]
    assert len(whole) >= MANY


def test_downloads_are_for_who_may_export(ogc: Ogc) -> None:
    assert ogc.get("/collections/candidate/items", "viewer", f="gpkg").status_code == 403
    wrong = ogc.get("/collections/candidate/items", f="csv", filter="accuracy_m * 1e308 * 1e308 > 1")
    assert wrong.status_code == 400


def test_a_sketch_is_north_up_whatever_the_order_of_axes() -> None:
    line = {"id": "a", "geometry": {"type": "LineString", "coordinates": [[106.0, 29.0], [106.0, 30.0]]}}
    turned = {"id": "a", "geometry": {"type": "LineString", "coordinates": [[29.0, 106.0], [30.0, 106.0]]}}
    plain, other = ogc_sketch.sketch([line], False, True), ogc_sketch.sketch([turned], True, True)
    assert plain == other and plain is not None
    start, end = re.findall(r"([\d.]+) ([\d.]+)", plain.drawn[0].lines)
    assert float(start[1]) > float(end[1])
    assert ogc_sketch.sketch([{"id": "b", "geometry": None}], False, True) is None


# ---- the public part ------------------------------------------------------------------------------------------------


def test_strangers_see_what_is_public_and_nothing_else(ogc: Ogc, tmp_path: Path) -> None:
    line = shapely.LineString([(106.0, 29.402), (106.01, 29.402)])
    draft = {"version_code": "AD", "line_type": "management", "basis": "draft", "announce_gov": None, "announce_doc_no": None,
             "announced_on": None, "river_code": "RA"}  # fmt: skip
    with ogc.db.write("test") as conn:
        lines = degrees(
            line,
            code="RA-D",
            bank="left",
            source_feature="9",
            survey_scale=2000,
            xy_error_m=1.0,
            from_m=0.0,
            to_m=970.0,
            **draft,
        )
        boundary_store.save(conn, "boundary_line", lines, namespace="local", import_id=None)
    env = {"RIVERGIS_DATA_DIR": str(tmp_path), "RIVERGIS_DATABASE": "web", "RIVERGIS_PUBLIC": "渝S(2026)001号"}
    with TestClient(create_app(ogc.db, settings_.load(env)), raise_server_exceptions=False) as client:
        listed = [c["id"] for c in client.get("/ogc/collections").json()["collections"]]
        assert listed == [c.id for c in COLLECTIONS.values() if c.public]
        for name in listed:
            found = client.get(f"/ogc/collections/{name}/items?limit=1000").json()["features"]
            assert all(set(f["properties"]) == set(COLLECTIONS[name].public) for f in found)
        codes = {f["properties"]["code"] for f in client.get("/ogc/collections/boundary_line/items").json()["features"]}
        assert "RA-L" in codes and "RA-D" not in codes
        assert "RA-D" in {f["properties"]["code"] for f in ogc.items("boundary_line")["features"]}
        for path in ("intake/items", "candidate/items", "patrol_track/items", "reach/items?f=gpkg"):
            assert client.get(f"/ogc/collections/{path}").status_code in (401, 403)
        assert client.get("/ogc/collections/reach/items?filter=half_width_m=10").status_code == 400
