"""The only SQL of candidates that are entered one by one: as they stand, and the end of their validity."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import shapely
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from rivergis.db import system, versions
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
    row = conn.execute(
        text("""SELECT c.id, c.version, c.code, c.code_namespace, c.feed, c.kind, c.source_kind, c.name, c.accuracy_m, c.seen_at, c.evidence,
          lower(c.valid) AS valid_from, upper(c.valid) - 1 AS valid_to,
          (SELECT array_agg(v.actor ORDER BY v.version) FROM data.candidate v WHERE v.id = c.id) AS editors, ST_AsBinary(c.geom) AS geom
        FROM app.candidate c WHERE c.id = :id ORDER BY c.version DESC LIMIT 1"""),
        {"id": candidate_id},
    ).mappings().first()  # fmt: skip
    return None if row is None else dict(row) | {"geom": shapely.from_wkb(bytes(row["geom"]))}


def end_validity(conn: Connection, candidate_id: uuid.UUID, on: date, until: date) -> int:
    """A candidate is ended on a day and in force until the day before ``until``, as a version of its own; returns that version."""
    columns = conn.execute(text("SELECT * FROM data.candidate LIMIT 0")).keys()
    own = ("version", "valid", "recorded_at", "superseded_at", "actor", "content_hash", "source")
    kept = ", ".join(f'"{c}"' for c in columns if c not in own)
    return int(
        conn.execute(
            text(f"""WITH gone AS (
              UPDATE data.candidate SET superseded_at = now()
              WHERE id = :id AND superseded_at IS NULL AND valid && daterange(:until, NULL) RETURNING *)
            INSERT INTO data.candidate ({kept}, version, valid, content_hash, source)
            SELECT {kept}, (SELECT max(m.version) FROM data.candidate m WHERE m.id = k.id) + 1, valid * daterange(NULL, :until), :hash,
              source || jsonb_build_object('ended_on', CAST(:on AS date))
            FROM gone k WHERE NOT isempty(valid * daterange(NULL, :until)) ORDER BY version DESC LIMIT 1 RETURNING version"""),
            {
                "id": candidate_id,
                "on": on,
                "until": until,
                "hash": versions.content_hash({"ended": candidate_id, "on": on}),
            },
        ).scalar_one()
    )


def ended(conn: Connection, ids: Collection[str], night: date, known_at: datetime) -> dict[str, datetime]:
    """Which of these candidates somebody ended up to a civil day, as known at a moment, and when that was recorded."""
    rows = conn.execute(
        text("""SELECT id::text, recorded_at FROM (SELECT DISTINCT ON (id) id, source, recorded_at FROM data.candidate
          WHERE id = ANY(CAST(:ids AS uuid[])) AND recorded_at <= :known ORDER BY id, version DESC) c
        WHERE (source ->> 'ended_on')::date <= :night"""),
        {"ids": sorted(ids), "night": night, "known": known_at},
    )
    return {str(i): at for i, at in rows}
