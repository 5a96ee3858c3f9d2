"""轨迹待核实: the state of a question about a track, folded from its moves (raised, replied, confirmed, dismissed).

The machine asks; the person concerned replies (说明); somebody else decides (复核). A question that a later scoring no longer
asks is told as such and stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rivergis.errors import NotPermitted, UsageError

OPEN, REPLIED, CONFIRMED, DISMISSED = "raised", "replied", "confirmed", "dismissed"
DECISIONS = (CONFIRMED, DISMISSED)


@dataclass(frozen=True)
class Question:
    """One question about one track: state, who replied and decided and in which words; ``gone``: no longer asked by the machine."""

    code: str
    state: str
    raised_at: datetime
    replies: tuple[tuple[str, str, datetime], ...] = ()
    """(actor, text, at) of each reply."""
    decided_by: str | None = None
    reason: str | None = None
    decided_at: datetime | None = None
    gone: bool = False


def fold(events: Iterable[Mapping[str, Any]], asked: Collection[str]) -> dict[str, Question]:
    """code -> question, of the moves of one track in their order; ``asked``: codes its current scoring asks.

    A question raised again after it was gone is open again and keeps its replies.
    """
    out: dict[str, Question] = {}
    for e in events:
        out[e["code"]] = _moved(out.get(e["code"]), e)
    return {code: _with(q, gone=code not in asked) for code, q in out.items()}


def _with(question: Question, **changes: Any) -> Question:
    return Question(**{**question.__dict__, **changes})


def _moved(question: Question | None, e: Mapping[str, Any]) -> Question:
    if question is None:
        return Question(e["code"], OPEN, e["recorded_at"])
    if e["move"] == OPEN:
        return _with(question, state=OPEN, raised_at=e["recorded_at"], decided_by=None, reason=None, decided_at=None)
    if e["move"] == REPLIED:
        return _with(question, state=REPLIED, replies=(*question.replies, (e["actor"], e["text"], e["recorded_at"])))
    return _with(question, state=e["move"], decided_by=e["actor"], reason=e["text"], decided_at=e["recorded_at"])


def may_reply(question: Question) -> None:
    """A decided question takes no reply any more: ``UsageError``."""
    if question.state in DECISIONS:
        raise UsageError("The question is decided already: a reply would change nothing.")


def may_decide(question: Question, move: str, actor: str, now: datetime, reply_days: int) -> None:
    """Whether ``actor`` may decide: somebody else than who replied, and nothing is confirmed before a reply could be given.

    Raises ``NotPermitted`` for who replied, ``UsageError`` where it is decided, or confirmed too early.
    """
    if question.state in DECISIONS:
        raise UsageError(f"The question is {question.state} already.")
    if actor in {who for who, _, _ in question.replies}:
        raise NotPermitted(f"{actor} replied to this question: somebody else decides it (说明与复核不得为同一人).")
    until = question.raised_at + timedelta(days=reply_days)
    if move == CONFIRMED and not question.replies and now < until:
        raise UsageError(
            f"The person concerned may reply until {until:%Y-%m-%d}: confirm after that day, or after the reply."
        )
