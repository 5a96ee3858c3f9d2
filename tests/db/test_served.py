"""What is served is what the facts say: after any edits, on any day, in any area, from any zoom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from rivergis.db import served as cache
from rivergis.db.connect import Database
from rivergis.maps import tiles
from rivergis.maps.collections import COLLECTIONS
from tests.db import served_ground as ground
from tests.db.served_ground import BOW, DAY, save, tile, tile_at

DAYS = [DAY + timedelta(n) for n in range(-2, 3)]
spot = st.tuples(st.floats(-0.2, 2.2), st.floats(-0.2, 2.2)).map(lambda p: (round(p[0], 4), round(p[1], 4)))
size = st.sampled_from([0.0005, 0.02, 0.4])


@pytest.fixture(scope="module")
def county(module_db: Database) -> Database:
    ground.units(module_db)
    ground.river(module_db, "R1")
    ground.river(module_db, "R2")
    return module_db


def shape_of(kind: str, at: tuple[float, float], wide: float) -> Any:
    x, y = at
    if kind == "point":
        return shapely.Point(x, y)
    if kind == "bow":
        return shapely.transform(BOW, lambda p: p * wide + (x, y))
    return shapely.box(x, y, x + wide, y + wide)


def days(said: tuple[int, int] | None) -> dict[str, Any]:
    return {} if said is None else {"valid_from": DAYS[min(said)], "valid_to": DAYS[max(said)]}


spans = st.one_of(st.none(), st.tuples(st.integers(0, 4), st.integers(0, 4)))
code = st.integers(0, 3)
edit = st.one_of(
    st.tuples(st.just("outfall"), code, spot, spans),
    st.tuples(st.just("candidate"), code, st.sampled_from(["point", "box", "bow"]), spot, size, spans),
    st.tuples(st.just("source_zone"), code, st.sampled_from(["box", "bow"]), spot, size, st.integers(1, 3)),
    st.tuples(st.just("reach"), code, spot, spot, st.sampled_from(["R1", "R2"]), spans),
    st.tuples(st.just("act"), st.sampled_from(["announced", "revoked"]), spans),
    st.tuples(st.just("line"), code, spot, spot, spans),
    st.tuples(st.just("rename"), st.sampled_from(["R1", "R2"]), st.sampled_from(["清溪河", "双石河"])),
    st.tuples(st.just("unit"), st.sampled_from(list(ground.UNITS)), st.floats(0.6, 1.4)),
)


def apply(db: Database, op: tuple[Any, ...]) -> None:
    kind, *said = op
    if kind == "outfall":
        number, at, span = said
        save(db, "outfall", [{"code": f"P{number}", "name": f"排污口{number}", **days(span)}], [shapely.Point(at)])
    elif kind == "candidate":
        number, form, at, wide, span = said
        row = {"code": f"C{number}", "feed": "f", "kind": "dump", "source_kind": "x", "evidence": {}, **days(span)}
        save(db, "candidate", [row], [shape_of(form, at, wide)])
    elif kind == "source_zone":
        number, form, at, wide, klass = said
        row = {"code": f"Z{number}", "name": f"水源{number}", "zone_class": klass}
        save(db, "source_zone", [row], [shapely.MultiPolygon([shape_of(form, at, wide)])])
    elif kind == "reach":
        number, a, b, river, span = said
        row = {
            "code": f"H{number}",
            "river_id": ground.versions.identity("river", "n", river),
            "kind": "river",
            "length_m": 1.0,
            **days(span),
        }
        save(db, "reach", [row], [shapely.LineString([a, (b[0] + 0.001, b[1])])])
    elif kind == "act":
        state, span = said
        act = {
            "code": "V1",
            "river_id": ground.versions.identity("river", "n", "R1"),
            "basis": "draft",
            "state": state,
            **days(span),
        }
        save(db, "boundary_version", [act])
    elif kind == "line":
        number, a, b, span = said
        row = {
            "code": f"L{number}",
            "boundary_id": ground.versions.identity("boundary_version", "n", "V1"),
            "bank": "left",
            "basis": "draft",
            **days(span),
        }
        save(db, "boundary_segment", [row], [shapely.LineString([a, (b[0] + 0.001, b[1])])])
    elif kind == "rename":
        save(db, "river", [{"code": said[0], "name": said[1], "kind": "river"}])
    else:
        unit, wide = said
        x, y = ground.UNITS[unit]
        save(
            db,
            "admin_unit",
            [{"code": unit, "name": unit, "level": "town"}],
            [shapely.MultiPolygon([shapely.box(x, y, x + wide, y + 1)])],
        )


@settings(max_examples=5)
@given(st.lists(edit, min_size=3, max_size=10))
def test_after_any_edits_it_is_what_a_rebuild_from_nothing_makes(
    county: Database, edits: list[tuple[Any, ...]]
) -> None:
    apply(county, ("act", "announced", None))
    for op in edits:
        apply(county, op)
    kept = ground.served(county)
    assert any(kept.values())
    cache.rebuild(county, "test")
    assert ground.served(county) == kept


@pytest.fixture(scope="module")
def things(county: Database) -> Iterator[Database]:
    """Outfalls and objects of all sizes, some invalid, some for two days only, on both sides of the counties' border."""
    places = [(0.1 + 0.13 * n % 2, 0.05 + 0.31 * n % 2) for n in range(40)]
    for prefix, span in (("A", None), ("B", (1, 2))):
        rows = [{"code": f"{prefix}{n}", "name": f"南岸{n}号排口", **days(span)} for n in range(40)]
        save(county, "outfall", rows, [shapely.Point(p) for p in places])
        kinds = ["point", "box", "bow"]
        rows = [
            {
                "code": f"{prefix}{n}",
                "feed": "f",
                "kind": "dump",
                "source_kind": "x",
                "name": "弃土堆",
                "evidence": {},
                **days(span),
            }
            for n in range(40)
        ]
        save(
            county,
            "candidate",
            rows,
            [shape_of(kinds[n % 3], p, (0.0005, 0.02, 0.1)[n // 3 % 3]) for n, p in enumerate(places)],
        )
    yield county


def expected(db: Database, collection: str, day: date, area: str) -> int:
    with db.read() as conn:
        return conn.execute(
            text(f"""SELECT count(*) FROM app.{collection}_as_of(:d) t WHERE :a = '' OR EXISTS (
              SELECT FROM app.admin_unit_as_of(:d) u WHERE starts_with(u.code, :a) AND ST_Intersects(ST_MakeValid(u.geom), ST_MakeValid(t.geom)))"""),
            {"d": day, "a": area},
        ).scalar_one()


@pytest.mark.parametrize("collection", ["outfall", "candidate"])
@pytest.mark.parametrize("area", ["", "500101", "500102002"])
@pytest.mark.parametrize("day", [DAY, DAYS[1], DAYS[4]])
def test_counts_of_far_tiles_add_up_to_the_things_in_force(
    things: Database, collection: str, area: str, day: date
) -> None:
    wanted = expected(things, collection, day, area)
    assert wanted
    for z in (0, 3, 4, 5, 7, 9):
        size = (-180, 180, 2**z)
        found = tile(things, collection, *tile_at(z), day=day, area=area)
        # what lies in the neighbouring tiles of a place near a corner
        _, x, y = tile_at(z)
        around = [
            (i, j)
            for i in range(x - 1, x + 2)
            for j in range(y - 1, y + 2)
            if (i, j) != (x, y) and min(i, j) >= 0 and max(i, j) < size[2]
        ]
        found += [
            f for i, j in around for f in tile(things, collection, z, i, j, day=day, area=area) if f.kind == "Point"
        ]
        assert sum(f.n for f in found) == wanted, z


def test_a_close_tile_holds_the_things_of_the_area_and_nothing_else(things: Database) -> None:
    z, x, y = tile_at(12)
    everything = {f.attributes["code"]: f for f in tile(things, "outfall", z, x, y)}
    own = {f.attributes["code"] for f in tile(things, "outfall", z, x, y, area="500101")}
    with things.read() as conn:
        rows = conn.execute(
            text("SELECT code, areas, fid FROM cache.shape_outfall WHERE valid @> CAST(:d AS date)"), {"d": DAY}
        ).all()
    areas = {code: set(areas) for code, areas, _ in rows}
    assert own == {code for code in everything if "500101" in areas[code]} and own < set(everything)
    assert all(
        f.attributes["label"].endswith("号排口") or f.attributes["label"].startswith("排污口")
        for f in everything.values()
    )
    assert {f.id for f in everything.values()} <= {fid for _, _, fid in rows}


def test_nothing_invalid_is_lost_and_nothing_breaks(things: Database) -> None:
    with things.read() as conn:
        rows = conn.execute(text("SELECT fid FROM cache.shape_candidate WHERE valid @> CAST(:d AS date)"), {"d": DAY})
        wanted = set(rows.scalars())
    z, x, y = tile_at(14)
    around = [(i, j) for i in range(x - 3, x + 4) for j in range(y - 3, y + 4)]
    assert wanted <= {f.id for i, j in around for f in tile(things, "candidate", z, i, j)}


def test_a_tile_that_would_be_too_large_takes_coarser_things_and_says_so(
    things: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    z, x, y = tile_at(12)
    with monkeypatch.context() as small:
        small.setattr(tiles, "MOST_BYTES", 100)
        tiles.statement.cache_clear()
        for collection in ("outfall", "candidate"):
            coarse = tile(things, collection, z, x, y)
            assert any("n" in f.attributes for f in coarse) and not any("code" in f.attributes for f in coarse)
    tiles.statement.cache_clear()


def test_every_collection_has_tiles_at_every_zoom_for_everybody(things: Database) -> None:
    for name in COLLECTIONS:
        for z in range(tiles.MINZOOM, tiles.MAXZOOM + 1):
            for area, public in (("", False), ("500101", z % 2 == 1)):
                tile(things, name, *tile_at(z), area=area, public=public)
        assert set(tiles.fields(name)) >= {"n"}


def test_the_public_sees_what_was_announced_and_listed_attributes_only(things: Database) -> None:
    for name, layer in COLLECTIONS.items():
        if not layer.public:
            assert set(tiles.fields(name, public=True)) <= {"id", "n"}
    apply(things, ("act", "announced", None))
    apply(things, ("line", 0, (0.5, 0.5), (0.9, 0.9), None))
    assert tile(things, "boundary_line", *tile_at(10)) and not tile(things, "boundary_line", *tile_at(10), public=True)


def fill(conn: Connection, collection: str) -> None:
    """Rows enough for an index to be worth it, spread over the country."""
    shape = {"point": "p", "line": "ST_MakeLine(p, ST_Translate(p, 3000, 0))", "area": "ST_Buffer(p, 3000, 1)"}[
        conn.execute(text("SELECT app.served_kind(:c)"), {"c": collection}).scalar_one()
    ]
    bands = "" if shape == "p" else ", g12, g10, g8, g6, g0"
    conn.execute(
        text(f"""INSERT INTO cache.shape_{collection} (fid, id, version, valid, areas, geom {bands})
        SELECT n, gen_random_uuid(), 1, '(,)', ARRAY['50', '5001'], g {", g" * bands.count(",")} FROM generate_series(1, 8000) n,
          LATERAL (SELECT ST_SetSRID(ST_MakePoint(1.1e7 + n % 90 * 3e4, 3e6 + n / 90 * 3e4), 3857) AS p) p, LATERAL (SELECT {shape} AS g) s""")
    )
    conn.execute(text(f"ANALYZE cache.shape_{collection}"))
    if conn.execute(text("SELECT to_regclass(:t)"), {"t": f"cache.cell_{collection}"}).scalar() is not None:
        conn.execute(
            text(f"""INSERT INTO cache.cell_{collection} SELECT z, n, n, n % 1024, '', '', '(,)', ARRAY['50'], 1, 1, 1, 1
            FROM generate_series(1, 8000) n, unnest('{{8,10}}'::int[]) z""")
        )
        conn.execute(text(f"ANALYZE cache.cell_{collection}"))


@pytest.mark.parametrize(("collection", "z", "index"), [
    ("outfall", 14, "shape_outfall_geom"), ("outfall", 8, "cell_outfall_tile"), ("candidate", 14, "shape_candidate_geom"),
    ("candidate", 10, "shape_candidate_g10"), ("reach", 8, "shape_reach_g8"),
])  # fmt: skip
def test_a_scoped_tile_goes_by_the_index_of_places(things: Database, collection: str, z: int, index: str) -> None:
    said = tiles.statement(collection, z, True)
    with things.engine.connect() as conn, conn.begin():
        fill(conn, collection)
        conn.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        conn.exec_driver_sql(f"PREPARE told ({', '.join(said.types)}) AS {said.sql}")
        z_, x, y = tile_at(z)
        plan = "\n".join(conn.exec_driver_sql(f"EXPLAIN EXECUTE told ({z_}, {x}, {y}, '{DAY}', '500101')").scalars())
        conn.exec_driver_sql("DEALLOCATE told")
        conn.rollback()
    fine = plan.split("->  Aggregate")[1]
    assert index in fine and "Seq Scan" not in plan
