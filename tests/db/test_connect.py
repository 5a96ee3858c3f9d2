"""Reading reads only, writing has an actor and is whole or not at all, COPY brings back what it was given."""

from __future__ import annotations

import datetime as dt
import uuid

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rivergis.db import connect
from rivergis.db.connect import Database
from rivergis.errors import EnvironmentFault, NotPermitted


def test_reading_cannot_write(db: Database) -> None:
    with pytest.raises(Exception, match="read-only"), db.read() as conn:
        conn.execute(text("INSERT INTO sys.audit (actor, action, target) VALUES ('a', 'b', 'c')"))


def test_an_error_rolls_everything_back(db: Database) -> None:
    with pytest.raises(RuntimeError), db.write("somebody") as conn:
        conn.execute(text("INSERT INTO data.identity VALUES (:i, 'river', 'n', 'c')"), {"i": uuid.uuid4()})
        raise RuntimeError
    with db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM data.identity")).scalar() == 0


def test_every_writing_statement_leaves_its_actor_in_the_audit(db: Database) -> None:
    with db.write("li.ming") as conn:
        conn.execute(text("INSERT INTO data.identity VALUES (:i, 'river', 'n', 'c')"), {"i": uuid.uuid4()})
    with db.read() as conn:
        assert list(
            conn.execute(text("SELECT actor, action, target, row_count FROM sys.audit WHERE target = 'data.identity'"))
        ) == [("li.ming", "INSERT", "data.identity", 1)]


def test_writing_without_an_actor_is_refused(db: Database) -> None:
    with pytest.raises(NotPermitted, match="no actor is set"), connect.translated(), db.engine.begin() as conn:
        conn.execute(text("INSERT INTO data.identity VALUES (gen_random_uuid(), 'river', 'n', 'c')"))


@pytest.mark.parametrize(
    "statement", ["DELETE FROM sys.audit", "UPDATE sys.audit SET actor = 'x'", "TRUNCATE data.identity CASCADE"]
)
def test_history_cannot_be_changed(db: Database, statement: str) -> None:
    with db.write("li.ming") as conn:
        conn.execute(text("INSERT INTO data.identity VALUES (gen_random_uuid(), 'river', 'n', 'c')"))
    with pytest.raises(NotPermitted, match="append only"), db.write("li.ming") as conn:
        conn.execute(text(statement))


def test_a_gone_database_is_one_sentence(db: Database) -> None:
    with pytest.raises(EnvironmentFault, match=r"went away|cannot be reached"), db.write("a") as conn:
        conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


cells = st.one_of(st.none(), st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(cells, st.one_of(st.none(), st.floats(allow_nan=False)), st.floats(-180, 180), st.floats(-90, 90)),
        max_size=20,
    )
)
def test_copy_brings_back_what_it_was_given(
    module_db: Database, values: list[tuple[str | None, float | None, float, float]]
) -> None:
    frame = gpd.GeoDataFrame(
        {
            "a": [v[0] for v in values],
            "b": pd.Series([v[1] for v in values], dtype=float),
            "j": [{"text": v[0]} for v in values],
            "d": dt.date(2026, 5, 20),
            "geom": [shapely.Point(v[2], v[3]) for v in values],
        },
        geometry="geom",
        crs="EPSG:4490",
    )
    with module_db.write("copy") as conn:
        conn.execute(
            text(
                "CREATE TEMP TABLE t (a text, b double precision, j jsonb, d date, geom geometry(Point, 4490)) ON COMMIT DROP"
            )
        )
        assert connect.copy_frame(conn, "t", frame) == len(values)
        back = connect.read_frame(conn, "SELECT * FROM t")
    assert list(back["a"]) == [v[0] for v in values]
    assert [None if pd.isna(b) else b for b in back["b"]] == [v[1] for v in values]
    assert [j["text"] for j in back["j"]] == [v[0] for v in values]
    assert list(back.geometry) == list(frame.geometry)
