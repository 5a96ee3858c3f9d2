"""The log of views in the database (访问日志): written in lots, asked by managers and auditors, kept at least six months."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text

from rivergis.db.connect import Database, copy_rows

ACTOR = "service"
_COLUMNS = ("at", "actor", "area", "address", "action", "what", "requests", "things")
_ALIVE = {
    "session": "UPDATE sys.session SET seen_at = now() WHERE id = ANY(CAST(:ids AS uuid[]))",
    "key": """INSERT INTO sys.api_key_use (key_id) SELECT unnest(CAST(:ids AS uuid[]))
        ON CONFLICT (key_id) DO UPDATE SET seen_at = now()""",
}


class Row(NamedTuple):
    """Requests of one actor for one thing in one minute: ``at`` the minute (UTC), how many requests and things."""

    at: datetime
    actor: str
    area: str
    address: str
    action: str
    what: str
    requests: int
    things: int


def add(db: Database, rows: Sequence[Row], alive: Iterable[tuple[str, str]] = ()) -> None:
    """Write rows, and that the sessions and keys ``alive`` ("session" or "key", id) are in use."""
    with db.write(ACTOR) as conn:
        copy_rows(conn, "sys.access_log", _COLUMNS, ([r.at.isoformat(), *map(str, r[1:])] for r in rows))
        for kind, sql in _ALIVE.items():
            ids = [i for k, i in alive if k == kind]
            if ids:
                conn.execute(text(sql), {"ids": ids})
