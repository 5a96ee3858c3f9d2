"""Nights as they began and ended: what was known, which parts are done, and how far the night has come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

JOB = "nightly"
"""Job of a night; its run with an empty district is the whole night, written last."""


@dataclass(frozen=True)
class Begun:
    """A night that began: what the database knew at ``known_at`` decides it."""

    night: date
    attempt: int
    known_at: datetime
    input_hash: str
    inputs: dict[str, str]
    engine: dict[str, str]
    rule_set: str
    files: list[dict[str, Any]]
    began_at: datetime
    state: str | None = None
    """State of its run over all districts; None = it has not come to its end."""


_ENDED = """(SELECT r.state FROM sys.job_run r WHERE r.job = 'nightly' AND r.district = '' AND r.run_date = n.night
  AND r.input_hash = n.input_hash AND r.finished_at >= n.began_at ORDER BY r.finished_at DESC LIMIT 1) AS state"""
_COLUMNS = (
    f"n.night, n.attempt, n.known_at, n.input_hash, n.inputs, n.engine, n.rule_set, n.files, n.began_at, {_ENDED}"
)


def moment(conn: Connection) -> datetime:
    """Up to when what the database knows counts for a night that begins now.

    Imports wait for each other; one that has begun and waits for its turn will write rows that bear the time of its beginning:
    they belong to the next night.
    """
    return conn.execute(
        text("""SELECT least(clock_timestamp(), min(a.xact_start) - interval '1 microsecond') FROM pg_locks l
        JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND NOT l.granted AND a.datname = current_database()
          AND l.classid = CAST(CAST(hashtext('rivergis') AS bigint) & 4294967295 AS oid)
          AND l.objid = CAST(CAST(hashtext('import') AS bigint) & 4294967295 AS oid)""")
    ).scalar_one()


def begin(
    conn: Connection,
    night: date,
    known_at: datetime,
    inputs: Mapping[str, str],
    input_hash: str,
    engine: Mapping[str, str],
    rule_set: str,
    files: Sequence[Mapping[str, Any]],
) -> Begun:
    """Record that a night begins (again, with other inputs)."""
    attempt = conn.execute(
        text("SELECT coalesce(max(attempt), 0) + 1 FROM sys.night WHERE night = :night"), {"night": night}
    ).scalar_one()
    conn.execute(
        text("""INSERT INTO sys.night (night, attempt, known_at, input_hash, inputs, engine, rule_set, files)
        VALUES (:night, :attempt, :known, :hash, CAST(:inputs AS jsonb), CAST(:engine AS jsonb), :rules, CAST(:files AS jsonb))"""),
        {
            "night": night,
            "attempt": attempt,
            "known": known_at,
            "hash": input_hash,
            "inputs": json.dumps(dict(inputs)),
            "engine": json.dumps(dict(engine)),
            "rules": rule_set,
            "files": json.dumps(list(files), ensure_ascii=False, default=str),
        },
    )
    begun = latest(conn, night)
    assert begun is not None
    return begun


def latest(conn: Connection, night: date | None = None) -> Begun | None:
    """The last night that began, or the last beginning of one night."""
    return _one(
        conn,
        f"""SELECT {_COLUMNS} FROM sys.night n WHERE CAST(:night AS date) IS NULL OR n.night = :night
        ORDER BY n.night DESC, n.attempt DESC LIMIT 1""",
        {"night": night},
    )


# nights of versions that did not keep how a night began: what they told says what they knew
_OF_OLD = """SELECT DISTINCT ON (r.run_date) r.run_date AS night, 0 AS attempt,
  coalesce((SELECT max(s.recorded_at) FROM data.sighting s WHERE s.night = r.run_date), r.started_at) AS known_at, r.input_hash,
  '{}'::jsonb AS inputs, r.engine, coalesce(r.rule_set, '') AS rule_set, '[]'::jsonb AS files, r.started_at AS began_at, r.state
  FROM sys.job_run r WHERE r.job = 'nightly' AND r.district = '' AND r.run_date < :night
    AND NOT EXISTS (SELECT FROM sys.night n WHERE n.night = r.run_date) ORDER BY r.run_date, r.finished_at DESC"""


def before(conn: Connection, begun: Begun, part: str | None = None) -> Begun | None:
    """What a night goes on from: the latest night before it that came to its end, as it was first run.

    ``part``: the latest in which this part (``job/district``) was done. As it was first: what a later run of that night could not
    write any more is looked at once more.
    """
    return _one(
        conn,
        f"""SELECT * FROM (SELECT {_COLUMNS} FROM sys.night n WHERE n.night < :night UNION ALL ({_OF_OLD})) n
        WHERE n.state IS NOT NULL AND (CAST(:part AS text) IS NULL OR n.state = 'done' OR EXISTS (SELECT FROM sys.job_run r
          WHERE r.job || '/' || r.district = :part AND r.run_date = n.night AND r.input_hash = n.input_hash AND r.state = 'done'))
        ORDER BY n.night DESC, n.attempt LIMIT 1""",
        {"night": begun.night, "part": part},
    )


def _one(conn: Connection, sql: str, params: dict[str, Any]) -> Begun | None:
    row = conn.execute(text(sql), params).first()
    return None if row is None else Begun(**row._mapping)


def last_begun(conn: Connection) -> date | None:
    """The latest civil day whose night was begun, whether or not it came to its end."""
    return conn.execute(
        text("""SELECT greatest((SELECT max(night) FROM sys.night),
        (SELECT max(run_date) FROM sys.job_run WHERE job = 'nightly' AND district = ''))""")
    ).scalar()


def last_told_of(conn: Connection) -> date | None:
    """The latest civil day that deliveries or patrols tell of."""
    return conn.execute(
        text("""SELECT greatest((SELECT max(delivered_on) FROM data.delivery),
        (SELECT max(day) FROM data.track))""")
    ).scalar()


def was_run(conn: Connection, night: date) -> bool:
    """Whether the night of a civil day came to its end."""
    sql = "SELECT EXISTS (SELECT FROM sys.job_run WHERE job = 'nightly' AND district = '' AND run_date = :night)"
    return bool(conn.execute(text(sql), {"night": night}).scalar())


def chain(conn: Connection, night: date) -> str:
    """What the nights before one come to: the last of them that ended, with all it read."""
    row = conn.execute(
        text("""SELECT run_date, input_hash FROM sys.job_run WHERE job = 'nightly' AND district = '' AND run_date < :night
        ORDER BY run_date DESC, finished_at DESC LIMIT 1"""),
        {"night": night},
    ).first()
    return "" if row is None else f"{row.run_date} {row.input_hash}"


def parts_done(conn: Connection, begun: Begun) -> dict[str, dict[str, Any]]:
    """Last run of each part of a beginning, by job and district: state, counts, message."""
    rows = conn.execute(
        text("""SELECT DISTINCT ON (job, district) job || '/' || district AS part, state, counts, message FROM sys.job_run
        WHERE job LIKE 'nightly%' AND NOT (job = 'nightly' AND district = '') AND run_date = :night AND input_hash = :hash
          AND finished_at >= :began ORDER BY job, district, finished_at DESC"""),
        {"night": begun.night, "hash": begun.input_hash, "began": begun.began_at},
    )
    return {str(r.part): {"state": r.state, "counts": r.counts, "message": r.message} for r in rows}


def parts_not_done(conn: Connection, night: date) -> list[str]:
    """Parts (``job/district``) whose last run of a night failed."""
    rows = conn.execute(
        text("""SELECT part FROM (SELECT DISTINCT ON (job, district) job || '/' || district AS part, state FROM sys.job_run
        WHERE job LIKE 'nightly%' AND NOT (job = 'nightly' AND district = '') AND run_date = :night
        ORDER BY job, district, finished_at DESC) r WHERE state = 'failed' ORDER BY part"""),
        {"night": night},
    )
    return [str(p) for p in rows.scalars()]
