"""The schema ``sys`` of jobs: imports, quarantine, job runs, the rule books used, and the audit."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import psycopg2
from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError, IntegrityError

from rivergis.db.connect import copy_rows
from rivergis.errors import InputError


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


class RowRefused(InputError):
    """The database's own rules refuse a row; ``constraint`` names the rule."""

    def __init__(self, sentence: str, constraint: str) -> None:
        super().__init__(sentence, constraint=constraint or None)
        self.constraint = constraint


@contextmanager
def trial(conn: Connection, keep: bool = True) -> Iterator[None]:
    """A savepoint round a write: refusals of the database's rules become ``RowRefused`` and leave nothing behind.

    ``keep=False`` undoes the write also when it went well.
    """
    savepoint = conn.begin_nested()
    try:
        yield
    except (IntegrityError, DataError, psycopg2.IntegrityError, psycopg2.DataError) as error:
        savepoint.rollback()
        original = getattr(error, "orig", error)
        first = (str(original).strip().splitlines() or ["no message"])[0]
        said = getattr(original, "diag", None)
        raise RowRefused(f"{first}.", getattr(said, "constraint_name", None) or "") from error
    except BaseException:
        savepoint.rollback()
        raise
    if keep:
        savepoint.commit()
    else:
        savepoint.rollback()


def one_import_at_a_time(conn: Connection) -> None:
    """Wait until no other import is writing: two files that hold the same thing would both make its next version."""
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('rivergis'), hashtext('import'))"))


def knows(conn: Connection, noun: str, namespace: str, code: str) -> bool:
    """Whether the database holds a thing of that code."""
    return bool(
        conn.execute(
            text("SELECT EXISTS (SELECT FROM data.identity WHERE noun = :n AND code_namespace = :ns AND code = :c)"),
            {"n": noun, "ns": namespace, "c": code},
        ).scalar()
    )


def known_import(
    conn: Connection, layer: str, file_sha256: str, source_layer: str, profile: str, options: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The record of an import of the same file with the same options that left nothing waiting for another thing.

    An import whose rows were set aside because they name what was not there yet may be tried again.
    """
    row = conn.execute(
        text("""SELECT * FROM sys.import_record i WHERE layer = :layer AND file_sha256 = :h AND source_layer = :sl AND profile = :p
        AND options - 'attempt' = CAST(:o AS jsonb)
        AND NOT EXISTS (SELECT FROM sys.quarantine q WHERE q.import_id = i.id AND q.code = 'missing_reference'
          AND NOT EXISTS (SELECT FROM sys.quarantine_event e WHERE e.quarantine_id = q.id AND e.action IN ('resolved', 'dismissed')))"""),
        {"layer": layer, "h": file_sha256, "sl": source_layer, "p": profile, "o": _json(options)},
    ).first()
    return dict(row._mapping) if row else None


def last_attempt(
    conn: Connection, layer: str, file_sha256: str, source_layer: str, profile: str, options: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The latest import of the same file with the same options, whatever was left waiting, with ``attempts`` so far."""
    row = conn.execute(
        text("""SELECT *, count(*) OVER () AS attempts FROM sys.import_record
        WHERE layer = :layer AND file_sha256 = :h AND source_layer = :sl AND profile = :p
        AND options - 'attempt' = CAST(:o AS jsonb) ORDER BY recorded_at DESC LIMIT 1"""),
        {"layer": layer, "h": file_sha256, "sl": source_layer, "p": profile, "o": _json(options)},
    ).first()
    return dict(row._mapping) if row else None


def record_import(
    conn: Connection,
    *,
    import_id: uuid.UUID,
    layer: str,
    file_name: str,
    file_sha256: str,
    source_layer: str,
    profile: str,
    options: Mapping[str, Any],
    source_crs: str | None,
    count_in: int,
    count_imported: int,
    count_unchanged: int,
    count_quarantined: int,
    count_skipped: int,
    report: Mapping[str, Any],
) -> None:
    """Record an import; the database itself checks that the counts add up."""
    conn.execute(
        text("""INSERT INTO sys.import_record (id, layer, file_name, file_sha256, source_layer, profile, options, source_crs, count_in,
          count_imported, count_unchanged, count_quarantined, count_skipped, report)
        VALUES (:id, :layer, :file, :h, :sl, :p, CAST(:o AS jsonb), :crs, :cin, :imp, :unc, :qua, :ski, CAST(:report AS jsonb))"""),
        {
            "id": import_id,
            "layer": layer,
            "file": file_name,
            "h": file_sha256,
            "sl": source_layer,
            "p": profile,
            "o": _json(options),
            "crs": source_crs,
            "cin": count_in,
            "imp": count_imported,
            "unc": count_unchanged,
            "qua": count_quarantined,
            "ski": count_skipped,
            "report": _json(report),
        },
    )


def quarantine(conn: Connection, import_id: uuid.UUID, layer: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep features that were set aside: source_feature, code, sentence, place, attributes, geom_wkt."""
    columns = ("source_feature", "code", "sentence", "place", "attributes", "geom_wkt")
    cells = (
        [str(import_id), layer, *(_json(r.get(c) or {}) if c == "attributes" else r.get(c) for c in columns)]
        for r in rows
    )
    copy_rows(conn, "sys.quarantine", ("import_id", "layer", *columns), cells)


def latest_job_run(
    conn: Connection, job: str, run_date: date | None = None, district: str = ""
) -> dict[str, Any] | None:
    """The last finished run of a job, of one civil day if it is named."""
    row = conn.execute(
        text("""SELECT * FROM sys.job_run WHERE job = :j AND district = :d AND (CAST(:on AS date) IS NULL OR run_date = :on)
        ORDER BY finished_at DESC LIMIT 1"""),
        {"j": job, "d": district, "on": run_date},
    ).first()
    return dict(row._mapping) if row else None


def last_begun(conn: Connection, job: str) -> datetime | None:
    """When the latest recorded run of a job began: what changed before that has been looked at."""
    return conn.execute(text("SELECT max(started_at) FROM sys.job_run WHERE job = :j"), {"j": job}).scalar()


def record_job_run(
    conn: Connection,
    *,
    job: str,
    run_date: date,
    district: str,
    state: str,
    started_at: datetime,
    finished_at: datetime,
    input_hash: str,
    rule_set: str | None,
    counts: Mapping[str, Any],
    message: str | None,
    engine: Mapping[str, str],
) -> None:
    """Record a finished run in the transaction of its results."""
    conn.execute(
        text("""INSERT INTO sys.job_run (job, run_date, district, state, started_at, finished_at, input_hash, rule_set, counts, message, engine)
        VALUES (:j, :on, :d, :state, :a, :b, :h, :rs, CAST(:counts AS jsonb), :m, CAST(:engine AS jsonb))"""),
        {
            "j": job,
            "on": run_date,
            "d": district,
            "state": state,
            "a": started_at,
            "b": finished_at,
            "h": input_hash,
            "rs": rule_set,
            "counts": _json(counts),
            "m": message,
            "engine": _json(engine),
        },
    )


def keep_rules(conn: Connection, version: str, content: Mapping[str, str], rows: Iterable[Any]) -> str:
    """Keep a rule book whole, once per version, so that old verdicts can be recomputed; returns its version."""
    new = conn.execute(
        text("INSERT INTO list.rule_set (version, content) VALUES (:v, CAST(:c AS jsonb)) ON CONFLICT DO NOTHING"),
        {"v": version, "c": _json(content)},
    ).rowcount
    if new:
        body = [
            {
                "v": version,
                "n": n,
                "k": r.key,
                "j": r.jurisdiction,
                "value": _json(r.value),
                "unit": r.unit,
                "a": _json(dict(r.applies_to)),
                "basis": r.basis,
                "source": r.source,
                "status": r.status,
                "auth": r.competent_authority,
                "act": r.our_action,
                "f": r.valid_from,
                "t": r.valid_to,
            }
            for n, r in enumerate(rows)
        ]
        conn.execute(
            text("""INSERT INTO list.rule (rule_set, seq, key, jurisdiction, value, unit, applies_to, basis, source, status, competent_authority, our_action, valid)
            VALUES (:v, :n, :k, :j, CAST(:value AS jsonb), :unit, CAST(:a AS jsonb), :basis, :source, :status, :auth, :act, daterange(:f, :t, '[]'))"""),
            body,
        )
    return version


def audit(conn: Connection, actor: str, action: str, target: str, detail: Mapping[str, Any] | None = None) -> None:
    """Write a line into the audit: a sign-in, a view of personal data, an export."""
    conn.execute(
        text("INSERT INTO sys.audit (actor, action, target, detail) VALUES (:a, :act, :t, CAST(:d AS jsonb))"),
        {"a": actor, "act": action, "t": target, "d": _json(detail or {})},
    )
