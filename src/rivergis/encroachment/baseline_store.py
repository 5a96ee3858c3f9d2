"""The only SQL of baselines: what was made of which files, item by item, and who signed it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from rivergis.db import versions
from rivergis.encroachment.superior_store import wkb
from rivergis.errors import NotFound


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _rows(conn: Connection, sql: str, **params: Any) -> list[dict[str, Any]]:
    return [dict(r._mapping) for r in conn.execute(text(sql), params)]


def baselines(conn: Connection) -> list[dict[str, Any]]:
    """Every baseline, the latest first: id, number, night, sources, counts, content_hash, actor, recorded_at, signed_by, signed_at, signed_reason."""
    return _rows(
        conn,
        """SELECT b.*, s.actor AS signed_by, s.recorded_at AS signed_at, s.reason AS signed_reason
        FROM data.baseline b LEFT JOIN data.baseline_signature s ON s.baseline_id = b.id ORDER BY b.number DESC""",
    )


def baseline(conn: Connection, number: int | None = None) -> dict[str, Any]:
    """A baseline, the latest unless told otherwise; ``NotFound`` says which there are."""
    found = baselines(conn)
    for b in found:
        if number in (None, b["number"]):
            return b
    numbers = ", ".join(str(b["number"]) for b in found) or "none: make one with 'rivergis encroachment baseline make'"
    raise NotFound(f"There is no baseline{f' {number}' if number else ''}; there are {numbers}.")


def last_night(conn: Connection) -> date | None:
    """The last night that is recorded as run, or None."""
    sql = "SELECT max(run_date) FROM sys.job_run WHERE job = 'nightly' AND state <> 'failed'"
    found: date | None = conn.execute(text(sql)).scalar()
    return found


def lock(conn: Connection) -> None:
    """Let one baseline at a time be recorded."""
    conn.execute(text("LOCK TABLE data.baseline IN SHARE ROW EXCLUSIVE MODE"))


def add(
    conn: Connection,
    night: date,
    sources: list[dict[str, Any]],
    counts: Mapping[str, Any],
    content_hash: str,
    items: Iterable[Mapping[str, Any]],
) -> int:
    """Record a baseline with all its items after the last one; returns its number."""
    last = next(iter(baselines(conn)), None)
    number = last["number"] + 1 if last else 1
    identity = uuid.uuid5(versions.IDENTITY_NAMESPACE, f"baseline/{number}/{content_hash}")
    conn.execute(
        text("""INSERT INTO data.baseline (id, number, night, supersedes, sources, counts, content_hash)
        VALUES (:id, :number, :night, :last, CAST(:sources AS jsonb), CAST(:counts AS jsonb), :hash)"""),
        {
            "id": identity,
            "number": number,
            "night": night,
            "last": last["id"] if last else None,
            "sources": _json(sources),
            "counts": _json(counts),
            "hash": content_hash,
        },
    )
    body = [
        {
            **i,
            "b": identity,
            "seq": n,
            "figures": _json(i["figures"]),
            "said": _json(i["said"]),
            "place": wkb(i["place"]),
        }
        for n, i in enumerate(items)
    ]
    if body:
        conn.execute(
            text("""INSERT INTO data.baseline_item (baseline_id, seq, source, file_sha256, source_feature, number, how, start, finding_id, figures, said, geom)
            VALUES (:b, :seq, :source, :file_sha256, :source_feature, :number, :how, :start, :finding_id, CAST(:figures AS jsonb), CAST(:said AS jsonb),
              CAST(:place AS geometry))"""),
            body,
        )
    return number


def items(conn: Connection, identity: uuid.UUID) -> list[dict[str, Any]]:
    """Every item of a baseline in its order, with where it lies (degrees, EPSG:4490)."""
    return _rows(
        conn,
        """SELECT i.seq, i.source, i.file_sha256, i.source_feature, i.number, i.how, i.start, i.finding_id, i.figures, i.said,
          ST_X(ST_PointOnSurface(coalesce(i.geom, f.place))) AS lon, ST_Y(ST_PointOnSurface(coalesce(i.geom, f.place))) AS lat
        FROM data.baseline_item i LEFT JOIN data.finding f ON f.id = i.finding_id WHERE i.baseline_id = :b ORDER BY i.seq""",
        b=identity,
    )


def sign(conn: Connection, identity: uuid.UUID, reason: str) -> None:
    """Sign a baseline in the name of the acting person."""
    conn.execute(
        text("INSERT INTO data.baseline_signature (baseline_id, reason) VALUES (:b, :reason)"),
        {"b": identity, "reason": reason},
    )
