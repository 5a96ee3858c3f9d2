"""Lean reading for what is asked thousands of times a minute (瓦片、要素分页): tiles and pages of features.

Connections of their own: read only, each statement a transaction of its own, statements prepared once a connection.
A statement that runs can be cancelled from another thread, when whoever asked has left.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import errors
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from rivergis.db.connect import Database, translated
from rivergis.errors import Cancelled

TIMEOUT_S = 60
_OPTIONS = (
    f"-c jit=off -c timezone=UTC -c default_transaction_read_only=on -c max_parallel_workers_per_gather=0 "
    f"-c statement_timeout={TIMEOUT_S * 1000}"
)
READER = "rivergis_reader"
# what an upgrade of the database under a running service does to a prepared statement
_STALE = (errors.FeatureNotSupported, errors.UndefinedTable, errors.UndefinedFunction, errors.UndefinedObject,
          errors.InvalidSqlStatementName)  # fmt: skip
_LEFT = "Whoever asked has left: the query was stopped."
_LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)


class QuickPool:
    """The lean connections of a database; opens none before it is asked."""

    def __init__(self, db: Database, size: int = 8) -> None:
        self.engine: Engine = create_engine(
            db.engine.url,
            poolclass=QueuePool,
            pool_size=size,
            max_overflow=size,  # downloads hold theirs for as long as a client takes
            pool_timeout=30,
            pool_reset_on_return=None,
            pool_use_lifo=True,
            connect_args={"options": _OPTIONS},
        )
        event.listen(self.engine, "connect", _prepare)

    @contextmanager
    def use(self, area: str = "") -> Iterator[Quick]:
        """A connection that sees what an account of ``area`` (adcode prefix, '' = everywhere) may see."""
        with translated():
            quick = Quick(self.engine, area)
            try:
                yield quick
            finally:
                quick.end()

    def close(self) -> None:
        self.engine.dispose()


def _prepare(connection: Any, record: Any) -> None:
    """A new connection: every statement its own transaction, in the reader's role where the database has it."""
    connection.autocommit = True
    record.info.update(known=set(), area=None)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s AND pg_has_role(current_user, oid, 'member')", (READER,)
        )
        if cursor.fetchone():
            cursor.execute(f"SET ROLE {READER}")


class Quick:
    """One lean connection in one hand."""

    def __init__(self, engine: Engine, area: str) -> None:
        self._engine, self._area = engine, area
        self._fairy: Any = engine.raw_connection()
        self._running, self._gone = False, False
        self._lock = threading.Lock()

    def rows(self, name: str, sql: str, types: str = "", values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of the statement ``name`` (``sql`` with $1, $2 … of ``types``), prepared at its first use here.

        Raises ``Cancelled`` when ``cancel`` was called, and the errors of the house for faults of the server.
        """
        try:
            return self._execute(name, sql, types, values)
        except (*_STALE, *_LOST) as error:
            if self._gone or isinstance(error, errors.QueryCanceled):
                raise
            self._fairy.invalidate()
            self._fairy = self._engine.raw_connection()
            return self._execute(name, sql, types, values)

    def _execute(self, name: str, sql: str, types: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        known: set[str] = self._fairy.info["known"]
        with self._fairy.cursor() as cursor, self._run():
            self._stand_for(cursor)
            if name not in known:
                cursor.execute(f"PREPARE {name}{f'({types})' if types else ''} AS {sql}")
                known.add(name)
            marks = f"({', '.join(['%s'] * len(values))})" if values else ""
            cursor.execute(f"EXECUTE {name}{marks}", tuple(values) or None)
            return list(cursor.fetchall())

    def once(self, sql: str, values: Any = None) -> list[tuple[Any, ...]]:
        """Rows of a query (``%s`` or ``%(name)s``) that is planned for its values: what a filter or a box asks."""
        with self._fairy.cursor() as cursor, self._run():
            self._stand_for(cursor)
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def stream(self, sql: str, values: Any = None, size: int = 2000) -> Iterator[list[tuple[Any, ...]]]:
        """Rows of a query (``%s`` or ``%(name)s``) in lots, through a cursor of the server: a large answer is never held whole."""
        with self._fairy.cursor() as cursor:
            with self._run():
                self._stand_for(cursor)
                cursor.execute("BEGIN READ ONLY")
                cursor.execute("DECLARE quick NO SCROLL CURSOR FOR " + sql, values)
            try:
                while lot := self._fetch(cursor, size):
                    yield lot
            finally:
                if not self._fairy.driver_connection.closed:
                    cursor.execute("ROLLBACK")

    def _fetch(self, cursor: Any, size: int) -> list[tuple[Any, ...]]:
        with self._run():
            cursor.execute(f"FETCH {size} FROM quick")
            return list(cursor.fetchall())

    def _stand_for(self, cursor: Any) -> None:
        """The connection sees what the area may see; said again only when it last stood for another."""
        info = self._fairy.info
        if info["area"] != self._area:
            cursor.execute("SELECT set_config('rivergis.area', %s, false)", (self._area,))
            info["area"] = self._area

    @contextmanager
    def _run(self) -> Iterator[None]:
        with self._lock:
            if self._gone:
                raise Cancelled(_LEFT)
            self._running = True
        try:
            yield
        except errors.QueryCanceled as error:
            if self._gone:
                raise Cancelled(_LEFT) from error
            raise
        finally:
            with self._lock:
                self._running = False

    def cancel(self) -> None:
        """Stop what runs here, from another thread; nothing more is begun."""
        with self._lock:  # held until the server has it: the connection is in nobody else's hand before
            self._gone = True
            if self._running:
                self._fairy.driver_connection.cancel()

    def end(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._gone = True
        self._fairy.close()
