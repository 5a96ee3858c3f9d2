"""Which moves a person may take on a case now, and what each asks for: what the forms of the case page are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rivergis import lifecycle
from rivergis.db.access import Actor
from rivergis.encroachment.case_needs import LEVELS, SEVERITIES
from rivergis.lifecycle import Move
from rivergis.reports.case_page import CaseFacts

FIELDS = frozenset(
    (
        "reason",
        "attachment",
        "deadline",
        "measure",
        "authority",
        "authority_level",
        "unit",
        "units",
        "stage",
        "evidence",
        "completions",
        "doubts_seen",
        "into",
    )
)
"""Needs that a form has a field for; anything else is there or is not: it must have happened before."""
_CONDITIONS = frozenset({"completions", "doubts_seen"})
"""Needs that may be there already, and then are not asked for."""
UNIT_ROWS = 4


@dataclass(frozen=True)
class Offer:
    """A move that this person may take now: fields it needs, and what must happen before it if anything."""

    move: str
    needs: tuple[str, ...]
    waits_for: str | None = None
    grades: bool = False
    """Class and severity may be set right with it."""
    may_prove: bool = False
    """Pictures with position and time may go with it."""

    @property
    def of_papers(self) -> bool:
        """Takes over what papers say that were there before this ledger."""
        return self.move.startswith("take_over_")

    def as_dict(self) -> dict[str, Any]:
        move = lifecycle.load()["finding"].moves[self.move]
        return {"move": self.move, "zh": move.zh, "en": move.en, "needs": list(self.needs), "waits_for": self.waits_for}


def offers(facts: CaseFacts, actor: Actor) -> list[Offer]:
    """Moves from the state of the case that the actor holds the capability for and that are not for another person."""
    life = lifecycle.load()["finding"]
    mine = {e["move"] for e in facts.events if e["actor"] == actor.name}
    return [
        _offer(m, facts)
        for m in life.moves.values()
        if facts.case["state"] in m.from_states
        and m.capability in actor.capabilities
        and not mine & set(m.other_than)
        and _has_sense(m, facts.case)
        and not set(m.needs) - FIELDS - facts.given
    ]


def _has_sense(move: Move, case: Mapping[str, Any]) -> bool:
    """A unit can only be done that is not yet; a case that others are merged into goes into no other."""
    if move.name == "unit_done":
        return any(not u.get("done_on") for u in case["units"] or [])
    return move.name != "merge" or not len(case["merged_from"])


def _offer(move: Move, facts: CaseFacts) -> Offer:
    needs = (*move.needs, *(move.needs_if_severe if facts.severe else ()))
    judges = move.name.startswith("judge_")
    return Offer(
        move.name,
        tuple(n for n in needs if n in FIELDS and n not in facts.given & _CONDITIONS),
        next((n for n in needs if n not in FIELDS and n not in facts.given), None),
        grades=judges or move.name == "instruct",
        may_prove=judges or move.name.startswith("look_back_") or move.name == "accept",
    )


def choices(facts: CaseFacts, moves: Sequence[Offer], classes: Sequence[str], today: date) -> dict[str, Any]:
    """What the fields of the forms offer: near cases, levels that may close, units, severities and classes."""
    least = max(LEVELS.index(facts.case["close_level"] or "county"), 1)
    return {
        "only": len(moves) == 1,
        "today": today,
        "near": facts.near,
        "levels": LEVELS[least:],
        "unit_rows": max(UNIT_ROWS, len(facts.case["units"] or []) + 1),
        "severities": SEVERITIES,
        "classes": [c for c in classes if not c.startswith(("outfall.", "boundary."))],
    }
