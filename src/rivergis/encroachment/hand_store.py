"""The only SQL of candidates that are entered one by one: as they stand, and the end of their validity."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from rivergis.db import system, versions
from rivergis.db.connect import read_frame
from rivergis.errors import AlreadyRunning

_WAIT_S = 10


def one_at_a_time(conn: Connection) -> None:
    """Hold the lock of imports for this transaction; ``AlreadyRunning`` where a long one holds it."""
    conn.execute(text(f"SET LOCAL lock_timeout = '{_WAIT_S}s'"))
    try:
        system.one_import_at_a_time(conn)
    except OperationalError as error:
        raise AlreadyRunning("An import is being written: send it again when it has ended.") from error
    conn.execute(text("SET LOCAL lock_timeout = 0"))


def candidate(conn: Connection, candidate_id: uuid.UUID) -> dict[str, Any] | None:
    """A candidate in force today, with ``editors``: who recorded each of its versions; geom in EPSG:4490."""
    found = read_frame(
        conn,
        """SELECT c.id, c.version, c.code, c.code_namespace, c.feed, c.kind, c.source_kind, c.name, c.accuracy_m, c.seen_at, c.evidence,
          lower(c.valid) AS valid_from, upper(c.valid) - 1 AS valid_to,
          (SELECT array_agg(v.actor ORDER BY v.version) FROM data.candidate v WHERE v.id = c.id) AS editors, c.geom
        FROM app.candidate c WHERE c.id = :id ORDER BY c.version DESC LIMIT 1""",
        {"id": candidate_id},
    )
    if found.empty:
        return None
    row = found.astype(object).where(found.notna(), None).to_dict("records")[0]
    return {str(k): v for k, v in row.items()}


def end_validity(conn: Connection, candidate_id: uuid.UUID, on: date) -> int:
    """A candidate is in force until the day before ``on``, as a version of its own; returns that version."""
    columns = conn.execute(text("SELECT * FROM data.candidate LIMIT 0")).keys()
    own = ("version", "valid", "recorded_at", "superseded_at", "actor", "content_hash")
    kept = ", ".join(f'"{c}"' for c in columns if c not in own)
    return int(
        conn.execute(
            text(f"""WITH gone AS (
              UPDATE data.candidate SET superseded_at = now()
              WHERE id = :id AND superseded_at IS NULL AND valid && daterange(:on, NULL) RETURNING *)
            INSERT INTO data.candidate ({kept}, version, valid, content_hash)
            SELECT {kept}, (SELECT max(m.version) FROM data.candidate m WHERE m.id = k.id) + 1, valid * daterange(NULL, :on), :hash
            FROM gone k WHERE NOT isempty(valid * daterange(NULL, :on)) ORDER BY version DESC LIMIT 1 RETURNING version"""),
            {"id": candidate_id, "on": on, "hash": versions.content_hash({"ended": candidate_id, "on": on})},
        ).scalar_one()
    )


def ended(conn: Connection, ids: list[uuid.UUID], night: date, known_at: Any) -> set[uuid.UUID]:
    """Which of these candidates somebody ended: their last version known at a moment is over on the civil day."""
    rows = conn.execute(
        text("""SELECT id FROM (SELECT DISTINCT ON (id) id, valid FROM data.candidate
          WHERE id = ANY(:ids) AND recorded_at <= :known ORDER BY id, version DESC) c WHERE upper(valid) <= :night"""),
        {"ids": ids, "night": night, "known": known_at},
    )
    return set(rows.scalars())
