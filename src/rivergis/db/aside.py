"""Features that imports set aside, and what became of them: ``sys.quarantine`` and its events. Nothing is deleted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from rivergis.errors import NotFound

CLOSED = ("resolved", "dismissed")

_ROWS = """SELECT q.id, q.layer, i.file_name, q.source_feature, coalesce(last.code, q.code) AS code,
  coalesce(last.reason, q.sentence) AS sentence, q.place, q.attributes, q.geom_wkt, i.source_crs, q.recorded_at,
  coalesce(closed.action, 'open') AS state, closed.reason AS closed_reason, closed.actor AS closed_by,
  closed.recorded_at AS closed_at, closed.import_id AS resolved_by, q.import_id
FROM sys.quarantine q JOIN sys.import_record i ON i.id = q.import_id
LEFT JOIN LATERAL (SELECT * FROM sys.quarantine_event e WHERE e.quarantine_id = q.id AND e.action IN ('resolved', 'dismissed')
                   LIMIT 1) closed ON true
LEFT JOIN LATERAL (SELECT * FROM sys.quarantine_event e WHERE e.quarantine_id = q.id AND e.action = 'returned'
                   ORDER BY e.id DESC LIMIT 1) last ON true
WHERE (CAST(:layer AS text) IS NULL OR q.layer = :layer) AND (:whole OR closed.action IS NULL)
  AND (CAST(:ids AS bigint[]) IS NULL OR q.id = ANY(:ids)) ORDER BY q.id DESC"""


def rows(
    conn: Connection, layer: str | None = None, *, whole: bool = False, ids: Sequence[int] | None = None
) -> list[dict[str, Any]]:
    """Features set aside and still open, newest first, with the reason that was found last; ``whole``: the closed ones too.

    ``geom_wkt`` is the shape as delivered, in ``source_crs``; ``attributes`` are those of the file.
    """
    asked = {"layer": layer, "whole": whole or ids is not None, "ids": None if ids is None else list(ids)}
    return [dict(r._mapping) for r in conn.execute(text(_ROWS), asked)]


def row(conn: Connection, quarantine_id: int) -> dict[str, Any]:
    """One feature that was set aside, with its ``events``; ``NotFound`` if there is none of that number."""
    found = rows(conn, ids=[quarantine_id])
    if not found:
        raise NotFound(f"There is no feature {quarantine_id} in the quarantine: see 'rivergis quarantine list'.")
    events = conn.execute(
        text("""SELECT action, import_id, code, reason, actor, recorded_at FROM sys.quarantine_event
        WHERE quarantine_id = :id ORDER BY id"""),
        {"id": quarantine_id},
    )
    return found[0] | {"events": [dict(e._mapping) for e in events]}


def import_of(conn: Connection, import_id: uuid.UUID) -> dict[str, Any]:
    """The record of an import, as a dict of its columns."""
    record = conn.execute(text("SELECT * FROM sys.import_record WHERE id = :id"), {"id": import_id}).one()
    return dict(record._mapping)


def note(
    conn: Connection,
    quarantine_id: int,
    action: str,
    *,
    import_id: uuid.UUID | None = None,
    code: str | None = None,
    reason: str | None = None,
) -> None:
    """Append what was done about a feature: resolved, returned or dismissed."""
    conn.execute(
        text("""INSERT INTO sys.quarantine_event (quarantine_id, action, import_id, code, reason)
        VALUES (:q, :a, :i, :c, :r)"""),
        {"q": quarantine_id, "a": action, "i": import_id, "c": code, "r": reason},
    )
