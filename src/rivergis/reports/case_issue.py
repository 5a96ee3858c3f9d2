"""已报送: a report that went out keeps its figures, and is told again to see whether they are still the same."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from rivergis.db.connect import Database
from rivergis.encroachment import campaign_store
from rivergis.errors import NotFound, UsageError
from rivergis.reports import case_period, case_scope
from rivergis.reports.case_scope import Scope
from rivergis.reports.patrol_paper import Paper
from rivergis.rules import RuleBook


@dataclass(frozen=True)
class Replayed:
    """A report that went out, told again with what was known then."""

    id: str
    kind: str
    first: date
    last: date
    known_at: str
    filed_sha256: str
    sha256: str
    same: bool
    figures: dict[str, Any]


def issue(db: Database, actor: str, kind: str, asked: Scope, first: date, report: Paper) -> tuple[uuid.UUID, str]:
    """Keep the figures of a report that goes out; returns its id and the hash of its figures."""
    with db.write(actor) as conn:
        return campaign_store.issue(conn, kind, first, asked.on, asked.as_json(), asked.known_at, report.figures)


def replayed(conn: Connection, rules: RuleBook, report: str) -> Replayed:
    """The figures of a report that went out, made again from the ledger as it was known then. ``NotFound`` without it."""
    rows = campaign_store.issued(conn, report)
    if not rows or (len(rows) > 1 and report):
        raise NotFound(
            f"{'No report' if not rows else 'More than one report'} that went out has an id that begins with {report!r}."
        )
    row = rows[0]
    if row["kind"] not in MAKERS:
        raise UsageError(f"The report {row['id']} is a {row['kind']}, which is told again from its own command.")
    asked = case_scope.scope(conn, row["to_on"], row["known_at"], **row["scope"])
    figures = MAKERS[row["kind"]](conn, rules, asked, row["from_on"]).figures
    again = campaign_store.figures_hash(figures)
    return Replayed(
        str(row["id"]), row["kind"], row["from_on"], row["to_on"], row["known_at"].isoformat(), row["figures_sha256"], again,
        again == row["figures_sha256"], figures["total"],
    )  # fmt: skip


MAKERS = {"period": case_period.paper, "rectification": case_period.rectification}
