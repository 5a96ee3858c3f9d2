"""Steps in the life of a lead: people judge, assign, rectify and accept; the machine keeps the order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rivergis import lifecycle
from rivergis.db.connect import Database
from rivergis.encroachment import store
from rivergis.intake import sources


@dataclass(frozen=True)
class Step:
    """A step taken in the life of a lead."""

    finding: str
    move: str
    state: str
    actor: str


def take_step(
    db: Database,
    finding: str,
    move: str,
    actor: str,
    *,
    reason: str | None,
    attachment: Path | None,
    store_dir: Path,
) -> Step:
    """Append an event to a lead if its lifecycle allows the move; the one who accepts is not the one who did.

    Raises ``NotFound``, ``UsageError`` (move not allowed now, something missing) or ``NotPermitted``.
    """
    life = lifecycle.load()["finding"]
    with db.write(actor) as conn:
        finding_id = store.record_of(conn, finding)["finding"]["id"]
        store.lock_finding(conn, finding_id)
        past = store.events(conn, finding_id)
        state = life.fold([e["move"] for e in past])
        given = [name for name, value in (("reason", reason), ("attachment", attachment)) if value]
        to_state = life.check(state, move, actor, given, [(e["move"], e["actor"]) for e in past])
        sha256 = None
        if attachment is not None:
            sha256 = sources.sha256(attachment)
            sources.keep(attachment, store_dir / "evidence" / f"{sha256}{attachment.suffix.lower()}")
        store.add_event(conn, finding_id, move, to_state, reason, sha256)
    return Step(str(finding_id), move, to_state, actor)
