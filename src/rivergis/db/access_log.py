"""The log of views in the database (访问日志): written in lots, asked by managers and auditors, kept at least six months."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from rivergis.db import system
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


def asked(
    conn: Connection,
    since: datetime,
    until: datetime,
    *,
    actor: str | None = None,
    what: str | None = None,
    action: str | None = None,
    limit: int = 1000,
) -> list[dict[str, Any]]:
    """谁看了什么: rows of the log in a time, the latest first: at, actor, area, address, action, what, requests, things.

    ``what``: part of the path or collection.
    """
    rows = conn.execute(
        text("""SELECT at, actor, area, address, action, what, sum(requests)::bigint AS requests, sum(things)::bigint AS things
        FROM sys.access_log WHERE at >= :since AND at < :until AND (CAST(:actor AS text) IS NULL OR actor = :actor)
          AND (CAST(:what AS text) IS NULL OR strpos(what, :what) > 0) AND (CAST(:action AS text) IS NULL OR action = :action)
        GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY at DESC, actor, what LIMIT :most"""),
        {"since": since, "until": until, "actor": actor, "what": what, "action": action, "most": limit},
    )
    return [dict(r._mapping) for r in rows]


def purge(db: Database, actor: str, keep_days: int) -> int:
    """Remove rows older than the retention period (rule ``service.log.retention``); how many. In the audit.

    The database itself keeps every row for six months (网络安全法), whatever is asked for here.
    """
    with db.write(actor) as conn:
        conn.execute(text("SET LOCAL rivergis.purpose = 'retention'"))
        gone = conn.execute(
            text("""DELETE FROM sys.access_log WHERE recorded_at < now() - make_interval(days => :d)"""),
            {"d": keep_days},
        ).rowcount
        system.audit(conn, actor, "purge", "sys.access_log", {"rows": gone, "kept_days": keep_days})
    return int(gone)
