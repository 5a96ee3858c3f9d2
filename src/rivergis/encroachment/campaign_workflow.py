"""专项行动: a campaign is recorded with its order, and told again with what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from rivergis.db.connect import Database
from rivergis.encroachment import campaign_store, case_store
from rivergis.encroachment.campaigns import Campaign, check
from rivergis.errors import NotFound, UsageError
from rivergis.intake import sources
from rivergis.rules import RuleBook


@dataclass(frozen=True)
class Recorded:
    """A campaign as it was recorded; ``changed`` is false where the same was known already."""

    code: str
    version: int
    changed: bool


@dataclass(frozen=True)
class Decided:
    """A decision of a competent authority as it was recorded."""

    finding: str
    authority: str
    outcome: str
    document_no: str
    new: bool


def group_of(book: RuleBook) -> dict[str, str]:
    """Group (乱占, 乱采, 乱堆, 乱建, 碍洪 ...) of every class of the taxonomy."""
    return {code: str(row["group"]) for code, row in book.taxonomy["classes"].items()}


def add(
    db: Database, campaign: Campaign, actor: str, *, groups: Mapping[str, str], document: Path | None, store_dir: Path
) -> Recorded:
    """Record a campaign or order, or a correction of it as a new version, with its document.

    Raises ``UsageError`` for days, classes, units or rivers that cannot be.
    """
    check(campaign, groups)
    row = {f.name: getattr(campaign, f.name) for f in fields(campaign)}
    row |= _kept(document, store_dir / "campaigns") if document else {"document_sha256": None, "document_path": None}
    with db.write(actor) as conn:
        _refuse(campaign_store.unknown_units(conn, list(campaign.districts)), "unit (adcode)")
        _refuse(campaign_store.unknown_rivers(conn, list(campaign.rivers)), "river")
        version, changed = campaign_store.save(conn, row)
    return Recorded(campaign.code, version, changed)


def _refuse(unknown: list[str], noun: str) -> None:
    if unknown:
        raise UsageError(
            f"There is no {noun} {unknown[0]!r} in the database: import it first, or correct the campaign."
        )


def _kept(document: Path, folder: Path) -> dict[str, Any]:
    sha256 = sources.sha256(document)
    name = f"{sha256}{document.suffix.lower()}"
    sources.keep(document, folder / name, sha256)
    return {"document_sha256": sha256, "document_path": f"{folder.name}/{name}"}


def of_row(row: Mapping[str, Any]) -> Campaign:
    """A campaign from its row in the database."""
    return Campaign(**{f.name: row[f.name] for f in fields(Campaign)})


def listed(conn: Connection, on: date, known_at: datetime) -> list[tuple[Campaign, dict[str, Any]]]:
    """All campaigns as known at a moment, the latest first, with their rows."""
    return [(of_row(r), r) for r in campaign_store.campaigns(conn, on, known_at)]


def one(conn: Connection, code: str, on: date, known_at: datetime) -> Campaign:
    """One campaign by its code; ``NotFound`` names those that there are."""
    rows = campaign_store.campaigns(conn, on, known_at, code)
    if not rows:
        known = [r["code"] for r in campaign_store.campaigns(conn, on, known_at)]
        raise NotFound(f"There is no campaign {code!r}; there are {', '.join(known[:10]) or 'none yet'}.")
    return of_row(rows[0])


def decide(
    db: Database, finding: str, actor: str, *, authority: str, outcome: str, decided_on: date, document_no: str,
    document: Path, store_dir: Path,
) -> Decided:  # fmt: skip
    """Record what a competent authority did in a case (查认改罚: 罚), with its document. Nothing is decided here.

    Raises ``NotFound`` for a case that there is not.
    """
    row: dict[str, Any] = {
        "authority": authority,
        "outcome": outcome,
        "decided_on": decided_on,
        "document_no": document_no,
    }
    row |= _kept(document, store_dir / "evidence")
    with db.write(actor) as conn:
        finding_id = case_store.find(conn, finding)
        new = campaign_store.add_decision(conn, finding_id, row)
    return Decided(str(finding_id), authority, outcome, document_no, new)
