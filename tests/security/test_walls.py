"""The second wall: the database itself shows an account of one area nothing foreign, whatever a query forgets, and fast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text

from rivergis.db.connect import READER, Database
from rivergis.errors import EnvironmentFault
from rivergis.maps.collections import COLLECTIONS
from tests.security.counties import SECRET, World

UNLIMITED = {
    "data.identity",
    "data.publication",
    "data.publication_part",
    "data.publication_event",
    "data.baseline",
    "data.baseline_signature",
}
"""Seen everywhere: names of things, what was published, that a baseline was signed."""


@contextmanager
def reading(db: Database, area: str | None) -> Iterator[Connection]:
    """A new connection as the services read: in the reader's role, with the setting or without it."""
    with create_engine(db.engine.url, poolclass=NullPool).begin() as conn:
        if area is not None:
            conn.execute(text("SELECT set_config('rivergis.area', :a, true)"), {"a": area})
        conn.execute(text(f"SET LOCAL ROLE {READER}"))
        yield conn


def tables(db: Database, schema: str) -> list[str]:
    with db.read() as conn:
        found = conn.execute(
            text("""SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = :s AND c.relkind = 'r' ORDER BY 1"""),
            {"s": schema},
        )
        return list(found.scalars())


def whole(conn: Connection, relation: str) -> str:
    return str(conn.execute(text(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {relation} t")).scalar())


def test_every_table_of_facts_and_every_shape_has_its_wall(two: World) -> None:
    with two.db.read() as conn:
        open_ = conn.execute(
            text("""SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND (n.nspname = 'data' OR n.nspname = 'cache' AND c.relname ~ '^(shape|cell|item)_')
              AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'in_area'))""")
        )
        assert list(open_.scalars()) == []
        views = text("""SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'app'
          AND c.relkind = 'v' AND NOT coalesce(c.reloptions::text, '') LIKE '%security_invoker=true%'""")
        assert list(conn.execute(views).scalars()) == [], "a view that asks as its owner stands above the walls"


def test_no_row_of_another_county_in_any_table(two: World) -> None:
    """SELECT * without any condition: what a query sees that forgets to ask for the area."""
    marks = [SECRET, *(i for i in two.b.ids.values() if len(i) > 8)]
    with reading(two.db, two.a.adcode) as conn:
        told = {t: leaks for t in tables(two.db, "data") if t not in UNLIMITED
                for leaks in [[m for m in marks if m in whole(conn, t)]] if leaks}  # fmt: skip
        assert told == {}
        for c in COLLECTIONS:
            assert SECRET not in whole(conn, f"(SELECT id, code, label, areas FROM cache.shape_{c})"), c
            foreign = text(f"SELECT count(*) FROM cache.shape_{c} WHERE NOT '500199' = ANY(areas)")
            assert conn.execute(foreign).scalar() == 0, c
    with reading(two.db, "") as conn:
        assert SECRET in whole(conn, "data.outfall") and SECRET in whole(conn, "data.boundary_draft")


def test_the_own_county_is_whole(two: World) -> None:
    """The walls hide nothing of the own area: as many rows as the owner of the database counts there."""
    own = {
        "data.outfall": "code = 'PA'", "data.reach": "code = 'RA-1'", "data.river": "code = 'RA'", "data.boundary_segment": "code LIKE 'RA-%'",
        "data.finding": "district = '500199'", "data.chief": "code = 'HA'", "data.duty": "code = 'DA'", "data.landmark": "code = 'RA-M'",
        "data.boundary_draft": "code = 'DA'", "data.axis": "code = 'RA-X'", "data.intake": "code = 'QA'",
        "data.track": f"id = '{two.a.ids['track']}'", "data.candidate": f"id = '{two.a.ids['candidate']}'",
    }  # fmt: skip
    hanging = (
        "fix",
        "leg",
        "patrol_result",
        "review_event",
        "evidence",
        "sighting",
        "verdict",
        "finding_event",
        "boundary_draft_segment",
    )
    with two.db.read() as all_, reading(two.db, two.a.adcode) as conn:
        for table, mine in own.items():
            counted = conn.execute(text(f"SELECT count(*) FROM {table}")).scalar()
            assert counted == all_.execute(text(f"SELECT count(*) FROM {table} WHERE {mine}")).scalar() and counted, (
                table
            )
        for table in hanging:
            counts = [c.execute(text(f"SELECT count(*) FROM data.{table}")).scalar() for c in (conn, all_)]
            assert counts[0] * 2 == counts[1] > 0, table


def test_a_smaller_and_a_larger_unit_and_no_setting(two: World) -> None:
    def outfalls(area: str | None) -> int:
        with reading(two.db, area) as conn:
            return int(conn.execute(text("SELECT count(*) FROM data.outfall")).scalar_one())

    assert [outfalls(a) for a in ("5001", "50", "", "500199", "500198", "51", "500199001", "5001990", None)] == [
        2,
        2,
        2,
        1,
        1,
        0,
        0,
        0,
        0,
    ]


def test_secrets_are_in_no_reach_of_the_reader(two: World) -> None:
    with two.db.read() as conn:
        able = text("""SELECT has_table_privilege(:r, 'sys.session', 'SELECT'), has_table_privilege(:r, 'sys.api_key', 'SELECT'),
          has_column_privilege(:r, 'sys."user"', 'password_hash', 'SELECT'), has_table_privilege(:r, 'sys.user_role', 'SELECT'),
          has_table_privilege(:r, 'data.finding', 'INSERT, UPDATE, DELETE')""")
        assert not any(conn.execute(able, {"r": READER}).one())


def test_the_index_is_asked_first_behind_the_wall(two: World) -> None:
    """`&&` is not leakproof as PostGIS comes: without the mark every row would be looked at before the index."""
    box = "ST_TileEnvelope(14, 13022, 6815)"
    with reading(two.db, two.a.adcode) as conn:
        conn.execute(text("SET LOCAL enable_seqscan = off"))
        for relation in ("cache.shape_reach", "cache.shape_outfall", "cache.shape_boundary_line"):
            plan = "\n".join(conn.execute(text(f"EXPLAIN SELECT * FROM {relation} WHERE geom && {box}")).scalars())
            assert "Index Cond: (geom && " in plan and "InitPlan" in plan, plan


def test_where_the_server_has_no_such_role_nothing_is_shown(two: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from rivergis.db import connect

    monkeypatch.setattr(connect, "READER", "no_such_role")
    with pytest.raises(EnvironmentFault, match="CREATE ROLE"), two.db.within("500199").read() as conn:
        conn.execute(text("SELECT 1"))


def test_writing_in_the_name_of_an_account_goes_past_the_walls_only_after_its_check(two: World) -> None:
    """The transaction of a write sees all: what a path names is looked up before, behind the walls (tests of areas)."""
    with two.db.within(two.a.adcode).write("local:test") as conn:
        assert conn.execute(text("SELECT count(*) FROM data.outfall")).scalar() == 2
