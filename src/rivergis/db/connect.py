"""Connections: reading is read-only, writing is one transaction with an actor, bulk loads go through COPY."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg2
import psycopg2.extras
import shapely
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from rivergis.db import cluster
from rivergis.errors import AlreadyRunning, Conflict, EnvironmentFault, InputError, NotPermitted, TooLong

psycopg2.extras.register_uuid()

READER = "rivergis_reader"
"""Role that sees only rows of its area (app/85_walls.sql)."""
MIN_POSTGRES, MIN_POSTGIS = 15, (3, 3)
_NO_TEXT = (
    "A text holds what no database keeps (a NUL character, or half of a character): take it out and send it again."
)


@contextmanager
def translated() -> Iterator[None]:
    """Faults of the server and refusals of its triggers as errors of the house; anything else passes."""
    try:
        yield
    except ValueError as error:
        if isinstance(error, UnicodeEncodeError) or "NUL (0x00)" in str(error):
            raise InputError(_NO_TEXT) from error
        raise
    except (DBAPIError, psycopg2.Error, pd.errors.DatabaseError) as error:
        # pandas wraps what the driver says
        said = error.__cause__ or error if isinstance(error, pd.errors.DatabaseError) else error
        original = getattr(said, "orig", said)
        state = getattr(original, "pgcode", None) or ""
        first = (str(original).strip().splitlines() or ["no message"])[0]
        if state == "RG007" or state == "42501":
            raise NotPermitted(f"The database refused: {first}") from error
        if state == "RG003":
            raise InputError(f"The database refused: {first}") from error
        if state == "RG009":
            raise Conflict(f"The database refused: {first}") from error
        if state in ("22021", "22P05"):
            raise InputError(_NO_TEXT) from error
        if state.startswith("22"):
            raise InputError(f"A value lies outside of what can be kept or compared ({first}): correct it.") from error
        if state == "53100":
            raise EnvironmentFault(
                "The disk of the database is full: free some space and run again; nothing was kept of this step."
            ) from error
        if state == "57014":
            raise TooLong("The query took longer than a query may: ask for less at once.") from error
        if state.startswith(("08", "57P")) or (
            isinstance(original, (psycopg2.OperationalError, psycopg2.InterfaceError)) and not state
        ):
            raise EnvironmentFault(
                f"The database cannot be reached or went away ({first}): start it with 'rivergis db start' and run again; "
                "nothing was kept of this step."
            ) from error
        raise


@dataclass(frozen=True)
class Database:
    """An open database; hand it down, it knows neither settings nor domains."""

    engine: Engine
    private: bool
    name: str
    area: str = ""
    """Reading sees only what lies in this administrative unit (adcode prefix); empty = everywhere."""

    def within(self, area: str) -> Database:
        """The same database, read as an account of ``area`` may: the walls of app/85_walls.sql stand before every row."""
        return replace(self, area=area)

    @contextmanager
    def read(self, timeout_s: float | None = None) -> Iterator[Connection]:
        """A read-only transaction with one snapshot."""
        with translated(), self.engine.connect() as conn, conn.begin():
            conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            if self.area:
                _behind_walls(conn, self.area)
            if timeout_s:
                conn.execute(text(f"SET LOCAL statement_timeout = {int(timeout_s * 1000)}"))
            yield conn

    @contextmanager
    def write(self, actor: str) -> Iterator[Connection]:
        """One transaction in the name of ``actor``: committed whole at the end, rolled back on any error."""
        with translated(), self.engine.begin() as conn:
            conn.execute(text("SELECT set_config('rivergis.actor', :actor, true)"), {"actor": actor})
            yield conn

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold the advisory lock ``key`` for the block; ``AlreadyRunning`` if another session holds it."""
        with translated(), self.engine.connect() as conn:
            got = conn.execute(
                text("SELECT pg_try_advisory_lock(hashtext('rivergis'), hashtext(:k))"), {"k": key}
            ).scalar()
            conn.commit()
            if not got:
                raise AlreadyRunning(f"Another {key!r} is running on this database: wait until it has ended.")
            try:
                yield
            finally:
                conn.execute(text("SELECT pg_advisory_unlock(hashtext('rivergis'), hashtext(:k))"), {"k": key})
                conn.commit()

    def close(self) -> None:
        self.engine.dispose()


def _behind_walls(conn: Connection, area: str) -> None:
    """Read on as the role that sees only rows of ``area``; ``EnvironmentFault`` where the server has no such role."""
    conn.execute(text("SELECT set_config('rivergis.area', :area, true)"), {"area": area})
    try:
        conn.execute(text(f"SET LOCAL ROLE {READER}"))
    except DBAPIError as error:
        raise EnvironmentFault(
            f"The server has no role {READER}, behind which accounts of one area read: a superuser runs "
            f"'CREATE ROLE {READER} NOLOGIN; GRANT {READER} TO <owner of the database>', then 'rivergis db upgrade'."
        ) from error


def open_database(url: str | None, data_dir: Path, name: str = "rivergis") -> Database:
    """The database of an existing server (``url``), or ``name`` on the private cluster, started and created when needed.

    Raises ``EnvironmentFault`` with one sentence when there is no server, no PostGIS, or it is too old.
    """
    private = url is None
    target = make_url(cluster.ensure(data_dir, name) if url is None else url).set(drivername="postgresql+psycopg2")
    engine = create_engine(
        target,
        pool_size=4,
        max_overflow=8,
        pool_pre_ping=True,
        json_serializer=_json,
        # as-of queries look costly to the planner and are not: compiling them took seconds
        connect_args={"options": "-c jit=off"},
    )
    database = Database(engine, private, target.database or name)
    if not private:
        _check_server(database)
    return database


def running_database(url: str | None, data_dir: Path, name: str = "rivergis") -> Database | None:
    """The database if it is there and answers; nothing is started or created for it."""
    if url is not None:
        return open_database(url, data_dir, name)
    private = cluster.Cluster(data_dir)
    if not private.status().running:
        return None
    engine = create_engine(make_url(private.url("postgres")))
    try:
        with translated(), engine.connect() as conn:
            there = conn.execute(
                text("SELECT EXISTS (SELECT FROM pg_database WHERE datname = :n)"), {"n": name}
            ).scalar()
    finally:
        engine.dispose()
    return open_database(None, data_dir, name) if there else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _check_server(db: Database) -> None:
    with translated(), db.engine.connect() as conn:
        major = int(conn.execute(text("SHOW server_version_num")).scalar() or 0) // 10000
        postgis = conn.execute(
            text("SELECT default_version FROM pg_available_extensions WHERE name = 'postgis'")
        ).scalar()
    if postgis is None:
        raise EnvironmentFault(
            "The PostgreSQL server has no PostGIS: install it there (Debian: postgresql-15-postgis-3)."
        )
    if major < MIN_POSTGRES or tuple(int(p) for p in postgis.split(".")[:2]) < MIN_POSTGIS:
        raise EnvironmentFault(
            f"The server has PostgreSQL {major} and PostGIS {postgis}; PostgreSQL 15 and PostGIS 3.3 or newer are needed."
        )


def now_of(conn: Connection) -> datetime:
    """Time of the transaction, UTC: what is 'known' to everything read in it."""
    return conn.execute(text("SELECT now()")).scalar_one()


def postgis_version(conn: Connection) -> str:
    return str(conn.execute(text("SELECT postgis_lib_version()")).scalar_one())


def read_frame(
    conn: Connection, sql: str, params: dict[str, Any] | None = None, geom: str = "geom"
) -> gpd.GeoDataFrame:
    """Rows of a query as GeoDataFrame in EPSG:4490; ``geom`` names its geometry column. NULL text is None."""
    frame = gpd.read_postgis(text(sql), conn, geom_col=geom, params=params)
    return _none(frame).set_crs("EPSG:4490", allow_override=True)


def read_table(conn: Connection, sql: str, params: dict[str, Any] | None = None) -> pd.DataFrame:
    """Rows of a query without geometry as DataFrame. NULL text is None."""
    return _none(pd.read_sql(text(sql), conn, params=params))


def stream_rows(conn: Connection, sql: str, params: dict[str, Any], size: int) -> Iterator[Sequence[Sequence[Any]]]:
    """Rows of a query in lots of ``size`` through a server-side cursor, so that a large answer is never held whole."""
    streamed = {"stream_results": True, "max_row_buffer": size}
    with translated(), conn.execute(text(sql), params, execution_options=streamed) as result:
        yield from result.partitions(size)


def _none(frame: Any) -> Any:
    """NULL in text columns as None: pandas would make it a float that is not a number, which no JSON can hold."""
    for column in frame.columns:
        if isinstance(frame[column].dtype, pd.StringDtype) or frame[column].dtype == object:
            values = frame[column].astype(object)
            frame[column] = values.where(values.notna(), None)
    return frame


def copy_frame(conn: Connection, table: str, frame: pd.DataFrame) -> int:
    """COPY a frame into ``table``, column by column name; geometries go as EWKB with SRID 4490. Returns the row count."""
    columns = list(frame.columns)
    cells = [_cells(frame[c]) for c in columns]
    return copy_rows(conn, table, columns, zip(*cells, strict=True))


def _cells(column: pd.Series) -> list[str | None]:
    if column.dtype.name == "geometry":
        return list(shapely.to_wkb(shapely.set_srid(column.to_numpy(dtype=object), 4490), hex=True, include_srid=True))
    return [_cell(v) for v in column.astype(object).to_numpy()]


def _cell(value: Any) -> str | None:
    """One value as COPY text; None is NULL."""
    if value is None or value is pd.NaT:
        return None
    if isinstance(value, shapely.Geometry):
        return shapely.to_wkb(shapely.set_srid(value, 4490), hex=True, include_srid=True)
    if isinstance(value, (dict, list, tuple)):
        return _json(value)
    if isinstance(value, (float, np.floating)):
        return None if np.isnan(value) else repr(float(value))
    if isinstance(value, (bool, np.bool_)):
        return "t" if value else "f"
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if value is pd.NA:
        return None
    return str(value).replace("\x00", "")


def copy_rows(conn: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> int:
    """COPY rows of text cells (None = NULL) into ``table``, streaming; returns the row count."""
    names = ", ".join(f'"{c}"' for c in columns)
    cursor = conn.connection.cursor()
    try:
        cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", _Stream(rows))
        return int(cursor.rowcount)
    finally:
        cursor.close()


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_SPECIAL = re.compile(r"[\\\t\n\r]")


def _escaped(value: str | None) -> str:
    if value is None:
        return "\\N"
    return value.translate(_ESCAPES) if _SPECIAL.search(value) else value


class _Stream(io.TextIOBase):
    """Rows as COPY text, made as it is read, so that a large frame is never held twice."""

    def __init__(self, rows: Iterable[Sequence[str | None]]) -> None:
        self._lines = ("\t".join(map(_escaped, row)) + "\n" for row in rows)
        self._left = ""

    def read(self, size: int | None = -1) -> str:
        limit = size if size and size > 0 else None
        parts, length = [self._left], len(self._left)
        while limit is None or length < limit:
            line = next(self._lines, None)
            if line is None:
                break
            parts.append(line)
            length += len(line)
        text_ = "".join(parts)
        out, self._left = (text_, "") if limit is None else (text_[:limit], text_[limit:])
        return out
