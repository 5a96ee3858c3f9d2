"""One lifecycle for all that is drafted, reviewed, approved, closed or reopened: states and moves are data.

``gis/lifecycle.yaml`` names for each noun its states and moves; the state of a thing is the fold of its events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from rivergis.errors import NotPermitted, UsageError
from rivergis.settings import gis_dir

DRAFT_MARK = "内部草稿·非测绘成果"
"""Stands on everything made from lines that nobody has announced."""
STAY, BACK = "stay", "back"
"""Where a move may lead beside a state: nowhere else, or to the state before the last move (a merged case taken apart)."""


@dataclass(frozen=True)
class Move:
    """One allowed step: who may take it (capability) and what it needs."""

    name: str
    zh: str
    en: str
    from_states: tuple[str, ...]
    to_state: str
    """A state, ``stay`` or ``back``."""
    capability: str
    needs: tuple[str, ...]
    needs_if_severe: tuple[str, ...]
    """What is needed besides where the level of the case takes an instruction first (批示)."""
    other_than: tuple[str, ...]
    """Moves whose actor may not take this one: the one who accepts is not the one who did."""


@dataclass(frozen=True)
class Lifecycle:
    """States (code -> (zh, en)) and moves of one noun; the first state is where everything starts."""

    noun: str
    states: dict[str, tuple[str, str]]
    moves: dict[str, Move]

    @property
    def start(self) -> str:
        return next(iter(self.states))

    def fold(self, moves: Iterable[str]) -> str:
        """State after a sequence of move names; ``UsageError`` names the first step that is not allowed."""
        before = state = self.start
        for name in moves:
            before, state = state, self.step(state, name, before)
        return state

    def step(self, state: str, name: str, before: str | None = None) -> str:
        """State after one move from ``state``; ``UsageError`` says what is allowed instead.

        ``before``: the state before the last move, to which a move may lead back; None = the start.
        """
        move = self.moves.get(name)
        if move is None or state not in move.from_states:
            allowed = ", ".join(self.allowed(state)) or "none"
            raise UsageError(f"A {self.noun} that is {state!r} cannot be {name!r}; allowed now: {allowed}.")
        return {STAY: state, BACK: before or self.start}.get(move.to_state, move.to_state)

    def allowed(self, state: str) -> list[str]:
        """Moves that may be taken from a state, in the order of the file."""
        return [m.name for m in self.moves.values() if state in m.from_states]

    def check(
        self,
        state: str,
        name: str,
        actor: str,
        given: Iterable[str],
        done_by: Iterable[tuple[str, str]],
        *,
        before: str | None = None,
        severe: bool = False,
    ) -> str:
        """State after a move by ``actor``; refuses what is missing and one's own acceptance.

        ``given``: what is attached (reason, document, photo ...); ``done_by``: (move, actor) of the events so far; ``severe``: the
        level of the thing takes an instruction first.
        """
        to_state = self.step(state, name, before)
        move = self.moves[name]
        missing = {*move.needs, *(move.needs_if_severe if severe else ())} - set(given)
        if missing:
            raise UsageError(f"The move {name!r} needs {', '.join(sorted(missing))}.")
        if any(m in move.other_than and who == actor for m, who in done_by):
            raise NotPermitted(f"{actor} took part in what is to be decided here: {name!r} is for another person.")
        return to_state

    def state_rows(self) -> list[dict[str, object]]:
        """States as rows of ``list.lifecycle_state``."""
        return [
            {"noun": self.noun, "code": code, "seq": n, "zh": zh, "en": en}
            for n, (code, (zh, en)) in enumerate(self.states.items(), 1)
        ]

    def move_rows(self) -> list[dict[str, object]]:
        """Moves as rows of ``list.lifecycle_move``."""
        return [
            {
                "noun": self.noun,
                "move": m.name,
                "from_states": list(m.from_states),
                "to_state": m.to_state,
                "capability": m.capability,
                "needs": list(m.needs),
                "needs_if_severe": list(m.needs_if_severe),
                "other_than": list(m.other_than),
                "zh": m.zh,
                "en": m.en,
            }
            for m in self.moves.values()
        ]


@lru_cache(maxsize=4)
def load(path: Path | None = None) -> dict[str, Lifecycle]:
    """All lifecycles by noun, from ``gis/lifecycle.yaml``."""
    raw = yaml.safe_load((path or gis_dir() / "lifecycle.yaml").read_text(encoding="utf-8"))
    return {noun: _lifecycle(noun, body) for noun, body in raw.items()}


def _lifecycle(noun: str, body: dict[str, dict[str, dict[str, object]]]) -> Lifecycle:
    states = {code: (str(s["zh"]), str(s["en"])) for code, s in body["states"].items()}
    moves = {name: _move(name, m) for name, m in body["moves"].items()}
    for move in moves.values():
        unknown = {*move.from_states, move.to_state} - states.keys() - {STAY, BACK}
        if unknown:
            raise UsageError(f"lifecycle.yaml: move {noun}.{move.name} names unknown states {sorted(unknown)}.")
        strange = set(move.other_than) - moves.keys()
        if strange:
            raise UsageError(f"lifecycle.yaml: move {noun}.{move.name} names unknown moves {sorted(strange)}.")
    return Lifecycle(noun, states, moves)


def _move(name: str, m: dict[str, object]) -> Move:
    return Move(
        name,
        str(m["zh"]),
        str(m["en"]),
        _words(m["from"]),
        str(m["to"]),
        str(m["capability"]),
        _words(m.get("needs")),
        _words(m.get("needs_if_severe")),
        _words(m.get("other_than")),
    )


def _words(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(v) for v in value)  # type: ignore[attr-defined]
