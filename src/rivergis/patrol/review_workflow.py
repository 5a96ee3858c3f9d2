"""轨迹待核实 from the question to its decision: asked by a scoring, replied (说明) by the person concerned, decided (复核) by another."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from rivergis.db import people
from rivergis.db.connect import Database, now_of
from rivergis.errors import NotFound, NotPermitted, UsageError
from rivergis.patrol import receive_store, review, review_store, store
from rivergis.rules import RuleView

REVIEW = "review_patrols"


@dataclass(frozen=True)
class Asked:
    """A question as the duty person and the chief concerned see it; ``number`` names it in commands and pages."""

    number: int
    track_id: str
    day: str | None
    file_name: str
    chief: str | None
    unit_code: str | None
    zh: str
    en: str
    state: str
    gone: bool
    raised_at: datetime
    replies: list[dict[str, Any]]
    decided_by: str | None
    reason: str | None
    decided_at: datetime | None


def ask(conn: Connection, head: uuid.UUID, result_id: uuid.UUID, codes: Collection[str]) -> int:
    """Raise the signals of a new scoring as questions, in the caller's transaction; returns how many are new.

    One that is asked already stays in its state; one that was gone in the scoring before and comes back is asked again.
    """
    moves = review_store.moves(conn, head)
    standing = {m["code"] for m in moves}
    before = store.codes_before(conn, result_id)
    new = [c for c in dict.fromkeys(codes) if c not in standing or (before is not None and c not in before)]
    for code in new:
        review_store.add(conn, result_id, head, code, review.OPEN)
    return len(new)


def questions(conn: Connection, *, chief_id: uuid.UUID | None = None, state: str | None = None) -> list[Asked]:
    """All questions, newest patrol first; those of one chief, or in one state (raised, replied, confirmed, dismissed)."""
    out = []
    for row in review_store.asked_outings(conn, chief_id).itertuples():
        out += of_outing(conn, row)
    return [q for q in out if state in (None, q.state)]


def of_track(conn: Connection, track_id: uuid.UUID) -> list[Asked]:
    """The questions about one outing, for its page; ``confirmed`` ones are what a bulletin may name."""
    rows = review_store.asked_outings(conn, None)
    return [q for row in rows[rows["head"] == track_id].itertuples() for q in of_outing(conn, row)]


def of_outing(conn: Connection, row: Any) -> list[Asked]:
    """The questions about an outing (a row of ``review_store.asked_outings``)."""
    moves = review_store.moves(conn, row.head)
    told = review_store.sentences(conn, row.head)
    folded = review.fold(moves, {s["code"] for s in row.review})
    numbers = {m["code"]: m["id"] for m in reversed(moves) if m["move"] == review.OPEN}
    return [_asked(q, int(numbers[q.code]), row, told.get(q.code, {})) for q in folded.values()]


def _asked(q: review.Question, number: int, row: Any, told: dict[str, Any]) -> Asked:
    return Asked(
        number,
        str(row.head),
        row.day.isoformat() if row.day else None,
        row.file_name,
        row.chief,
        row.unit_code,
        told.get("zh", ""),
        told.get("en", ""),
        q.state,
        q.gone,
        q.raised_at,
        [{"actor": who, "text": said, "at": at} for who, said, at in q.replies],
        q.decided_by,
        q.reason,
        q.decided_at,
    )


def reply(db: Database, number: int, said: str, *, actor: str) -> None:
    """说明: the person concerned, or the duty person for them, replies; ``NotPermitted`` for anybody else."""
    with db.write(actor) as conn:
        head, question = _open(conn, number, said)
        if not store.is_own(conn, head, actor) and REVIEW not in people.capabilities(conn, actor):
            raise NotPermitted(
                f"{actor} may not reply: that is for the chief concerned or the duty person (capability {REVIEW})."
            )
        review.may_reply(question)
        _move(conn, head, question.code, review.REPLIED, said)


def decide(db: Database, number: int, move: str, reason: str, *, actor: str, view: RuleView) -> None:
    """复核: confirm or dismiss a question; by somebody with the capability who neither replied nor is the person concerned.

    Nothing is confirmed before a reply could be given (``patrol.review.reply_days``). Raises ``NotPermitted``, ``UsageError``.
    """
    if move not in review.DECISIONS:
        raise UsageError(f"A question is {' or '.join(review.DECISIONS)}, not {move!r}.")
    with db.write(actor) as conn:
        head, question = _open(conn, number, reason)
        people.require(conn, actor, REVIEW)
        if store.is_own(conn, head, actor):
            raise NotPermitted(f"{actor} is the person concerned: somebody else decides.")
        days = int(view.number("patrol.review.reply_days"))
        review.may_decide(question, move, actor, now_of(conn), days)
        _move(conn, head, question.code, move, reason)


def _open(conn: Connection, number: int, said: str) -> tuple[uuid.UUID, review.Question]:
    """Outing and question behind a number, with the outing locked, so that two people do not decide at once."""
    if not said.strip():
        raise UsageError("Say it in words: an empty text explains nothing.")
    found = review_store.outing_of(conn, number)
    if found is None:
        raise NotFound(f"There is no question {number}.")
    head, code = found
    receive_store.one_at_a_time(conn)
    return head, review.fold(review_store.moves(conn, head), {code})[code]


def _move(conn: Connection, head: uuid.UUID, code: str, move: str, said: str) -> None:
    results = [m for m in review_store.moves(conn, head) if m["code"] == code]
    review_store.add(conn, results[-1]["result_id"], head, code, move, said.strip())


def as_dict(asked: Asked) -> dict[str, Any]:
    """A question as JSON-ready data."""
    return asdict(asked)
