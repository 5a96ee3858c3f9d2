"""Rules about the database, as tests (design: practices)."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from rivergis.db import upgrade
from rivergis.db.connect import Database

OWN = "('data', 'list', 'sys', 'cache')"


def rows(db: Database, sql: str) -> list[tuple[object, ...]]:
    with db.read() as conn:
        return [tuple(r) for r in conn.execute(text(sql))]


@pytest.mark.parametrize(
    ("rule", "sql"),
    [
        (
            "no table in app",
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'app' AND relkind IN ('r', 'm', 'p')",
        ),
        (
            "no view elsewhere",
            f"SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname IN {OWN} AND relkind = 'v'",
        ),
        (
            "no function elsewhere",
            f"SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname IN {OWN}",
        ),
        (
            "every geometry column has a type and EPSG:4490, what tiles are cut from EPSG:3857",
            f"""SELECT f_table_name, f_geometry_column, srid, type FROM geometry_columns
        WHERE f_table_schema IN {OWN} AND (type = '' OR srid <> CASE WHEN f_table_schema = 'cache' AND starts_with(f_table_name, 'shape_') THEN 3857 ELSE 4490 END)""",
        ),
        (
            "every geometry column has a GiST index",
            f"""SELECT g.f_table_name, g.f_geometry_column FROM geometry_columns g
        WHERE g.f_table_schema IN {OWN} AND NOT EXISTS (
          SELECT FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam
          JOIN pg_attribute k ON k.attrelid = t.oid AND k.attnum = i.indkey[0]
          WHERE t.relname = g.f_table_name AND a.amname = 'gist' AND k.attname = g.f_geometry_column)""",
        ),
        (
            "every table has a comment",
            f"""SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname IN {OWN} AND relkind = 'r' AND obj_description(c.oid) IS NULL""",
        ),
        (
            "every column has a comment",
            f"""SELECT relname, attname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE nspname IN {OWN} AND relkind = 'r' AND attnum > 0 AND NOT attisdropped AND col_description(c.oid, attnum) IS NULL""",
        ),
        (
            "every view and function in app has a comment",
            """SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname = 'app' AND relkind = 'v' AND obj_description(c.oid) IS NULL
        UNION ALL SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'app' AND obj_description(p.oid) IS NULL""",
        ),
        (
            "what has valid time has recorded time",
            """SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname = 'data' AND relkind = 'r' AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'valid')
          AND (SELECT count(*) FROM pg_attribute WHERE attrelid = c.oid AND attname IN ('recorded_at', 'superseded_at', 'version', 'actor')) < 4""",
        ),
        (
            "no immutable function in app reads a table",
            """SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
        WHERE nspname = 'app' AND provolatile = 'i' AND prosrc ~* '\\m(from|join)\\M'""",
        ),
        (
            "every data table is audited",
            """SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'data' AND relkind = 'r'
        AND (SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid AND tgname LIKE 'audit%') < 3""",
        ),
    ],
)
def test_rule(module_db: Database, rule: str, sql: str) -> None:
    assert rows(module_db, sql) == [], rule


FINGERPRINT = """SELECT nspname, relname, relkind::text, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = attnum WHERE nspname IN ('app', 'data', 'list', 'sys', 'cache') ORDER BY 1, 2, attnum"""
TRIGGERS = "SELECT tgrelid::regclass::text, tgname, tgtype FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"


def test_a_fresh_install_equals_an_upgraded_one(module_db: Database, empty_database: Database) -> None:
    first = upgrade.upgrade(empty_database)
    assert first[0] == "0001_schemas.sql" and "app" in first
    for sql in (FINGERPRINT, TRIGGERS):
        assert rows(empty_database, sql) == rows(module_db, sql)


def test_upgrading_twice_changes_nothing(db: Database) -> None:
    before = rows(db, "SELECT name, sha256, applied_at FROM sys.migration ORDER BY 1")
    assert upgrade.upgrade(db) == []
    assert rows(db, "SELECT name, sha256, applied_at FROM sys.migration ORDER BY 1") == before


def test_app_is_rebuilt_whole_when_it_is_lost(db: Database) -> None:
    with db.engine.begin() as conn:
        views = conn.execute(text("SELECT count(*) FROM pg_views WHERE schemaname = 'app'")).scalar()
        conn.execute(text("DROP SCHEMA app CASCADE"))
        conn.execute(text("DELETE FROM sys.migration WHERE name = 'app'"))
    assert upgrade.upgrade(db) == ["app"]
    assert rows(db, "SELECT count(*) FROM pg_views WHERE schemaname = 'app'") == [(views,)]
