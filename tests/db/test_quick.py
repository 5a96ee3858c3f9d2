"""Lean connections: prepared once, read only, cancelled from outside, well again after the server came back."""

from __future__ import annotations

import threading
import time

import pytest

from rivergis.db.quick import QuickPool
from rivergis.errors import Cancelled


@pytest.fixture
def pool(db):
    made = QuickPool(db, size=2)
    yield made
    made.close()


def test_a_statement_is_prepared_once_and_takes_its_values(pool):
    with pool.use() as quick:
        assert [quick.rows("twice", "SELECT $1 * 2", "int", (n,)) for n in (1, 21)] == [[(2,)], [(42,)]]
    with pool.use() as quick:
        assert quick.rows("known", "SELECT count(*) FROM pg_prepared_statements WHERE name = 'twice'") == [(1,)]


def test_nothing_can_be_written(pool):
    with pool.use() as quick, pytest.raises(Exception, match="read-only"):
        quick.rows("write", "INSERT INTO sys.audit (actor, action, target) VALUES ('a', 'b', 'c') RETURNING id")


def test_each_hand_stands_for_its_own_area(pool):
    asked = ("area", "SELECT current_setting('rivergis.area', true)")
    for area in ("4301", "", "43"):
        with pool.use(area) as quick:
            assert quick.rows(*asked) == [(area,)]


def test_a_long_query_stops_when_whoever_asked_has_left(pool):
    with pool.use() as quick:
        threading.Timer(0.3, quick.cancel).start()
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            quick.rows("sleep", "SELECT pg_sleep(20)")
        assert time.monotonic() - begun < 10
        with pytest.raises(Cancelled):
            quick.rows("more", "SELECT 1")
    with pool.use() as quick:  # the next hand has the connection whole
        assert quick.rows("more", "SELECT 1") == [(1,)]


def test_a_connection_that_was_lost_is_replaced(pool, db):
    with pool.use() as quick:
        pid = quick.rows("pid", "SELECT pg_backend_pid()")[0][0]
        with db.write("t") as conn:
            conn.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")
        assert quick.rows("pid", "SELECT pg_backend_pid()")[0][0] != pid


def test_a_statement_over_what_an_upgrade_rebuilt_is_prepared_anew(pool, db):
    asked = ("later", "SELECT count(*) > 0 FROM app.night_run")
    with pool.use() as quick:
        quick.rows(*asked)
        with db.write("upgrade") as conn:
            conn.exec_driver_sql("ALTER VIEW app.night_run RENAME TO night_run_old")
            conn.exec_driver_sql("CREATE VIEW app.night_run AS SELECT * FROM app.night_run_old")
            conn.exec_driver_sql("COMMENT ON VIEW app.night_run IS 'again'; SELECT app.let_readers_in()")
        assert quick.rows(*asked) == [(False,)]


def test_a_large_answer_comes_in_lots_and_can_be_left_half_way(pool):
    with pool.use() as quick:
        lots = quick.stream("SELECT generate_series(1, %(n)s)", {"n": 50}, size=20)
        assert [len(lot) for lot in lots] == [20, 20, 10]
        half = quick.stream("SELECT generate_series(1, 50)", size=20)
        assert next(half)[0] == (1,)
        half.close()
        assert quick.rows("well", "SELECT 1") == [(1,)]
