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


@dataclass(frozen=True)
class Move:
    """One allowed step: who may take it (capability) and what it needs."""

    name: str
    from_states: tuple[str, ...]
    to_state: str
    capability: str
    needs: tuple[str, ...]
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
        state = self.start
        for name in moves:
            state = self.step(state, name)
        return state

    def step(self, state: str, name: str) -> str:
        """State after one move from ``state``; ``UsageError`` says what is allowed instead."""
        move = self.moves.get(name)
        if move is None or state not in move.from_states:
            allowed = [m.name for m in self.moves.values() if state in m.from_states] or ["none"]
            raise UsageError(f"A {self.noun} that is {state!r} cannot be {name!r}; allowed now: {', '.join(allowed)}.")
        return move.to_state

    def check(self, state: str, name: str, actor: str, given: Iterable[str], done_by: Iterable[tuple[str, str]]) -> str:
        """State after a move by ``actor``; refuses what is missing and one's own acceptance.

        ``given``: what is attached (reason, document, photo ...); ``done_by``: (move, actor) of the events so far.
        """
        to_state = self.step(state, name)
        move = self.moves[name]
        missing = set(move.needs) - set(given)
        if missing:
            raise UsageError(f"The move {name!r} needs {', '.join(sorted(missing))}.")
        if any(m in move.other_than and who == actor for m, who in done_by):
            raise NotPermitted(f"{actor} took part in what is to be decided here: {name!r} is for another person.")
        return to_state


@lru_cache(maxsize=4)
def load(path: Path | None = None) -> dict[str, Lifecycle]:
    """All lifecycles by noun, from ``gis/lifecycle.yaml``."""
    raw = yaml.safe_load((path or gis_dir() / "lifecycle.yaml").read_text(encoding="utf-8"))
    return {noun: _lifecycle(noun, body) for noun, body in raw.items()}


def _lifecycle(noun: str, body: dict[str, dict[str, dict[str, object]]]) -> Lifecycle:
    states = {code: (str(s["zh"]), str(s["en"])) for code, s in body["states"].items()}
    moves = {}
    for name, m in body["moves"].items():
        move = Move(
            name,
            _words(m["from"]),
            str(m["to"]),
            str(m["capability"]),
            _words(m.get("needs")),
            _words(m.get("other_than")),
        )
        unknown = {*move.from_states, move.to_state} - states.keys()
        if unknown:
            raise UsageError(f"lifecycle.yaml: move {noun}.{name} names unknown states {sorted(unknown)}.")
        moves[name] = move
    return Lifecycle(noun, states, moves)


def _words(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(v) for v in value)  # type: ignore[attr-defined]
