"""What is served (瓦片与服务), made anew from the facts: shapes, counts and units in the schema ``cache``.

Triggers keep them in the transaction of every edit; nothing here is needed but after a restore (backups leave ``cache`` out), after
an upgrade that draws something in another way, and for whoever wants to see that both ways lead to the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from rivergis.db.connect import Database
from rivergis.errors import NotFound


def collections(conn: Connection) -> list[str]:
    """Collections that are served, as the database has them."""
    return list(conn.execute(text("SELECT app.served_collections()")).scalars())


def fill(conn: Connection, chosen: Sequence[str] | None = None) -> dict[str, int]:
    """Make all that is served anew, or some collections; collection -> shapes. Readers see the old until the transaction ends.

    Raises ``NotFound`` for a collection that is not served.
    """
    known = collections(conn)
    if unknown := sorted(set(chosen or ()) - set(known)):
        raise NotFound(f"There is no collection {unknown[0]!r}; those that are served are {', '.join(known)}.")
    rows = conn.execute(
        text("SELECT collection, shapes FROM app.served_rebuild(CAST(:chosen AS text[]))"),
        {"chosen": list(chosen) if chosen else None},
    )
    return {str(name): int(shapes) for name, shapes in rows}


def rebuild(db: Database, actor: str, chosen: Sequence[str] | None = None) -> dict[str, int]:
    """``fill`` in one transaction, and the space of the old rows given back; collection -> shapes."""
    with db.write(actor) as conn:
        done = fill(conn, chosen)
    tidy(db, list(done))
    return done


def tidy(db: Database, names: Sequence[str]) -> None:
    """Give back the space of replaced rows and count anew for the planner of queries."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        tables = conn.execute(
            text("""SELECT format('cache.%I', relname) FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace
            WHERE nspname = 'cache' AND relkind = 'r' AND (relname = 'area_piece' OR substr(relname, strpos(relname, '_') + 1) = ANY(:names))
              AND relname ~ '^(shape_|cell_|area_piece$)'"""),
            {"names": list(names)},
        ).scalars()
        for table in tables.all():
            conn.execute(text(f"VACUUM ANALYZE {table}"))
