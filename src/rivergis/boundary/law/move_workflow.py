"""The moves of a draft up to its review: who submits gives every reduction a reason, who reviews countersigns the table of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from rivergis import lifecycle
from rivergis.boundary.law import draft_store, draft_workflow
from rivergis.boundary.law.reduction_workflow import Limits, Reduced, reduced
from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.errors import Conflict, InputError, UsageError
from rivergis.intake import sources


@dataclass(frozen=True)
class Moved:
    """A move in the life of a draft, with the reductions it stands for."""

    code: str
    move: str
    state: str
    revision: int
    reductions: list[Reduced] = field(default_factory=list)
    table_sha256: str = ""
    told: list[str] = field(default_factory=list)


def move(
    db: Database,
    code: str,
    move_: str,
    actor: str,
    *,
    reason: str,
    reasons: Mapping[str, str] | None = None,
    countersign: str = "",
    limits: Limits,
    revision: int | None = None,
) -> Moved:
    """Submit, review, send back or withdraw a draft; announcing is ``law_workflow.announce``.

    ``reasons``: why each reduction, by its number in the table (``1``, ``2`` ...) or ``*`` for all; ``countersign``: at the review
    the hash of the table of reductions (its first 8 characters or more), as the reviewer read it. ``revision``: the one that was
    looked at; ``Conflict`` when the draft has gone on. Raises ``UsageError`` (move not
    allowed now, a reduction without a reason, ground that does not close) or ``NotPermitted`` (own draft).
    """
    with db.write(actor) as conn:
        draft = draft_workflow.get(conn, code)
        life = lifecycle.load()["boundary_draft"]
        to_state = life.step(draft["state"], move_)
        if move_ == "announce":
            raise UsageError("A draft is announced with its announcement: 'rivergis boundary version announce'.")
        people.require(conn, actor, life.moves[move_].capability)
        at_revision(conn, draft, revision)
        detail: dict[str, Any] = {}
        table: list[Reduced] = []
        if move_ == "submit":
            table = with_reasons(reduced(conn, draft, limits), reasons or {})
            detail = {"reductions": [r.as_dict() for r in table], "table_sha256": table_hash(table)}
        elif move_ == "review":
            detail = {"countersigned": _countersigned(conn, draft, countersign)}
        draft_store.add_event(
            conn, draft_id=draft["id"], move=move_, to_state=to_state, revision=draft["revision"], reason=reason, attachment=None, detail=detail
        )  # fmt: skip
        return Moved(draft["code"], move_, to_state, draft["revision"], table, str(detail.get("table_sha256", "")))


def at_revision(conn: Connection, draft: Mapping[str, Any], revision: int | None) -> None:
    """Hold the draft; ``Conflict`` when it no longer stands at the revision that somebody looked at."""
    now = draft_store.lock(conn, draft["id"])
    if revision not in (None, now):
        raise Conflict(
            f"The draft {draft['code']} went from revision {revision} to {now} meanwhile: look at it again first.",
            revision=now,
        )


def with_reasons(table: Sequence[Reduced], reasons: Mapping[str, str]) -> list[Reduced]:
    """The table of reductions with the reason of each; ``UsageError`` lists those without one."""
    strange = sorted(set(reasons) - {"*", *map(str, range(1, len(table) + 1))})
    if strange:
        raise UsageError(
            f"There is no reduction {', '.join(strange)}; the table of reductions has {len(table)} rows: give a reason by its number "
            "(--why NUMBER=REASON), or one for all without a number."
        )
    told = [r.because(reasons.get(str(n), "") or r.reason or reasons.get("*", "")) for n, r in enumerate(table, 1)]
    open_ = [
        f"{n}: {r.river_code} {r.stretch} {r.area_m2:.0f} m²" for n, r in enumerate(told, 1) if not r.reason.strip()
    ]
    if open_:
        raise UsageError(
            f"The draft takes ground out of announced areas and {len(open_)} reductions have no reason ({'; '.join(open_[:8])}): "
            "give each its reason (--why NUMBER=REASON), or draw the line where it was."
        )
    return told


def table_hash(table: Sequence[Reduced]) -> str:
    """Hash of the table of reductions that a reviewer countersigns."""
    body = json.dumps([r.as_dict() for r in table], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()


def submitted_table(conn: Connection, draft: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The table of reductions as submitted last, and its hash; empty before."""
    for event in reversed(draft_store.events(conn, draft_id=draft["id"])):
        if event["move"] == "submit":
            return event["detail"]["reductions"], event["detail"]["table_sha256"]
    return [], ""


def _countersigned(conn: Connection, draft: Mapping[str, Any], said: str) -> str:
    """The whole hash that a reviewer countersigns with its beginning."""
    table, sha256 = submitted_table(conn, draft)
    if table and not (len(said) >= 8 and sha256.startswith(said.lower())):
        total = sum(r["area_m2"] for r in table)
        raise UsageError(
            f"The draft takes {total:.0f} m² out of announced areas in {len(table)} places: read the table of reductions and "
            f"countersign it with its number ({sha256[:8]}), or send the draft back."
        )
    return sha256


def keep_file(path: Path, store_dir: Path) -> tuple[str, str]:
    """Hash and name of a file that is kept for good (announcement, decision); ``InputError`` for an empty one."""
    if not path.is_file() or path.stat().st_size == 0:
        raise InputError(f"{path.name} is missing or empty: give the announcement itself.", file=str(path))
    sha256 = sources.sha256(path)
    sources.keep(path, store_dir / f"announcements/{sha256}{path.suffix.lower()}", sha256=sha256)
    return sha256, path.name
