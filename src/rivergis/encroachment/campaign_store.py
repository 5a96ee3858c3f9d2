"""The only SQL of campaigns, of what competent authorities decided, and of reports that went out."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db import versions
from rivergis.db.connect import read_table

NAMESPACE = "campaign"
OUTCOMES = ("received", "filed", "not_filed", "decided", "carried_out", "passed_on")


def save(conn: Connection, row: Mapping[str, Any]) -> tuple[int, bool]:
    """Record a campaign, or what changed in it as a new version; returns its version and whether anything changed."""
    lists = ("classes", "kinds", "districts", "rivers")
    frame = pd.DataFrame([{**row, **{k: list(row[k]) for k in lists}}], dtype=object)
    saved = versions.save(conn, "campaign", frame, namespace=NAMESPACE, import_id=None)
    return saved.versions[str(row["code"])][1], saved.imported > 0


def campaigns(conn: Connection, on: date, known_at: datetime, code: str | None = None) -> list[dict[str, Any]]:
    """Campaigns as known at a moment, the latest first: code, version, name, kind, order_no, days and area."""
    rows = conn.execute(
        text("""SELECT code, version, name, kind, order_no, issued_by, issued_on, classes, kinds, districts, rivers, begins_on,
          deadline, recheck_by, lead_unit, document_sha256, document_path, recorded_at
        FROM app.campaign_as_of(:on, :known) WHERE CAST(:code AS text) IS NULL OR code = :code ORDER BY begins_on DESC, code"""),
        {"on": on, "known": known_at, "code": code},
    )
    return [dict(r._mapping) for r in rows]


def unknown_units(conn: Connection, codes: list[str]) -> list[str]:
    """Those adcodes of which no unit is known, and none that lies below."""
    rows = conn.execute(
        text("""SELECT w.code FROM unnest(CAST(:codes AS text[])) w(code)
        WHERE NOT EXISTS (SELECT FROM app.admin_unit u WHERE u.code LIKE w.code || '%')"""),
        {"codes": codes},
    )
    return sorted(str(c) for c in rows.scalars())


def unknown_rivers(conn: Connection, names: list[str]) -> list[str]:
    """Those codes or names by which no river is known."""
    rows = conn.execute(
        text("""SELECT w.code FROM unnest(CAST(:names AS text[])) w(code)
        WHERE NOT EXISTS (SELECT FROM app.river r WHERE w.code IN (r.code, r.name))"""),
        {"names": names},
    )
    return sorted(str(c) for c in rows.scalars())


def add_decision(conn: Connection, finding_id: uuid.UUID, row: Mapping[str, Any]) -> bool:
    """Record what a competent authority did, with its document; the same again changes nothing and says so."""
    done = conn.execute(
        text("""INSERT INTO data.authority_decision (finding_id, authority, outcome, decided_on, document_no, document_sha256, document_path)
        VALUES (:f, :authority, :outcome, :decided_on, :document_no, :document_sha256, :document_path) ON CONFLICT DO NOTHING"""),
        {"f": finding_id, **row},
    )
    return bool(done.rowcount)


def decisions(conn: Connection, known_at: datetime, finding_id: uuid.UUID | None = None) -> pd.DataFrame:
    """What competent authorities did, of all cases or one, in the order of their days; no person is named."""
    return read_table(
        conn,
        """SELECT finding_id, authority, outcome, decided_on, document_no, document_sha256, document_path
        FROM data.authority_decision WHERE recorded_at <= :known AND (CAST(:f AS uuid) IS NULL OR finding_id = :f)
        ORDER BY finding_id, decided_on, id""",
        {"known": known_at, "f": finding_id},
    )


def figures_hash(figures: Any) -> str:
    """Hash of the figures of a report, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(figures, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def issue(
    conn: Connection, kind: str, first: date, last: date, scope: Mapping[str, Any], known_at: datetime, figures: Any
) -> tuple[uuid.UUID, str]:
    """Keep the figures of a report that goes out; returns its id and the hash of the figures. Once for each moment."""
    said = json.dumps(scope, sort_keys=True, ensure_ascii=False)
    body = f"report/{kind}/{first}/{last}/{said}/{known_at.isoformat()}"
    report, sha256 = uuid.uuid5(versions.IDENTITY_NAMESPACE, body), figures_hash(figures)
    conn.execute(
        text("""INSERT INTO data.issued_report (id, kind, from_on, to_on, scope, known_at, figures, figures_sha256)
        VALUES (:id, :kind, :a, :b, CAST(:scope AS jsonb), :known, CAST(:figures AS jsonb), :sha) ON CONFLICT (id) DO NOTHING"""),
        {
            "id": report, "kind": kind, "a": first, "b": last, "scope": said, "known": known_at,
            "figures": json.dumps(figures, ensure_ascii=False, default=str), "sha": sha256,
        },
    )  # fmt: skip
    return report, sha256


def issued(conn: Connection, report: str) -> list[dict[str, Any]]:
    """Reports that went out whose id begins so, the last first; an empty beginning = all."""
    rows = conn.execute(
        text("""SELECT id, kind, from_on, to_on, scope, known_at, figures, figures_sha256, actor, recorded_at
        FROM data.issued_report WHERE id::text LIKE :p ORDER BY recorded_at DESC, id"""),
        {"p": report.lower() + "%"},
    )
    return [dict(r._mapping) for r in rows]
