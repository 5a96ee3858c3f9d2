"""The only SQL of questions about tracks (轨迹待核实): their moves, append only."""

from __future__ import annotations

import uuid
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db.connect import read_table


def moves(conn: Connection, head: uuid.UUID) -> list[dict[str, Any]]:
    """Moves of all questions about an outing in their order, also those raised when another file was its head."""
    frame = read_table(
        conn,
        """SELECT e.id, e.result_id, e.track_id, e.code, e.move, e.text, e.actor, e.recorded_at FROM data.review_event e
        JOIN data.track t ON t.id = e.track_id WHERE t.id = :t OR t.part_of = :t ORDER BY e.id""",
        {"t": head},
    )
    return list(frame.to_dict("records"))


def add(
    conn: Connection, result_id: uuid.UUID, track_id: uuid.UUID, code: str, move: str, said: str | None = None
) -> int:
    """Record a move (raised, replied, confirmed, dismissed); returns its number."""
    row = conn.execute(
        text("""INSERT INTO data.review_event (result_id, track_id, code, move, text)
        VALUES (:r, :t, :c, :m, :s) RETURNING id"""),
        {"r": result_id, "t": track_id, "c": code, "m": move, "s": said},
    )
    return int(row.scalar_one())


def outing_of(conn: Connection, number: int) -> tuple[uuid.UUID, str] | None:
    """Outing (head) and code of the question that has this number (that of the move that raised it); None = there is none."""
    row = conn.execute(
        text("""SELECT coalesce(t.part_of, t.id) AS head, e.code FROM data.review_event e JOIN data.track t ON t.id = e.track_id
        WHERE e.id = :n AND e.move = 'raised'"""),
        {"n": number},
    ).first()
    return (row.head, row.code) if row else None


def asked_outings(conn: Connection, chief_id: uuid.UUID | None) -> pd.DataFrame:
    """Outings about which anything was ever asked: head, day, file_name, chief, chief_id, review (current signals), newest first."""
    return read_table(
        conn,
        """SELECT h.id AS head, h.day, h.file_name, h.chief_id, c.name AS chief, c.unit_code, r.id AS result_id,
          coalesce(r.review, '[]') AS review
        FROM data.track h LEFT JOIN data.patrol_result r ON r.track_id = h.id AND r.superseded_at IS NULL
        LEFT JOIN LATERAL (SELECT name, unit_code FROM app.chief_as_of(h.day) x WHERE x.id = h.chief_id) c ON true
        WHERE h.part_of IS NULL AND (CAST(:chief AS uuid) IS NULL OR h.chief_id = :chief)
          AND EXISTS (SELECT FROM data.review_event e JOIN data.track t ON t.id = e.track_id WHERE t.id = h.id OR t.part_of = h.id)
        ORDER BY h.day DESC NULLS LAST, h.id""",
        {"chief": chief_id},
    )


def sentences(conn: Connection, head: uuid.UUID) -> dict[str, dict[str, Any]]:
    """code -> the signal as it was last told (zh, en, value), also of scorings superseded since."""
    rows = conn.execute(
        text("""SELECT r.review FROM data.patrol_result r JOIN data.track t ON t.id = r.track_id
        WHERE t.id = :t OR t.part_of = :t ORDER BY r.recorded_at"""),
        {"t": head},
    ).scalars()
    return {s["code"]: s for review in rows for s in review}


def decided(conn: Connection) -> set[tuple[Any, str]]:
    """Questions that a person has decided, as (outing, code): they wait for nobody any more."""
    rows = conn.execute(
        text("SELECT track_id, code FROM app.review_state_as_of() WHERE move IN ('confirmed', 'dismissed')")
    )
    return {(r.track_id, r.code) for r in rows}


def waiting(conn: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Patrols (track_id, review) with only those signals that no person has decided yet."""
    done = decided(conn)
    return [r | {"review": [s for s in r["review"] or [] if (r["track_id"], s["code"]) not in done]} for r in rows]
