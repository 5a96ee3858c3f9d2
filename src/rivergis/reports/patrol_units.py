"""Units and people of a report on patrols: who belongs to which township or village, and how places are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from rivergis import words
from rivergis.errors import NotFound
from rivergis.layers import LEVELS
from rivergis.maps.patrol_rows import Facts
from rivergis.river.chainage import label
from rivergis.rules import RuleView

OWN, WITH_BELOW = "own", "with_below"
QUESTIONS = ("patrol.cheat.", "patrol.replay.", "patrol.review.")
"""Rules of questions about tracks, which are for the duty person and the chief concerned."""


@dataclass(frozen=True)
class Group:
    """A unit with the chiefs that a row of a report is about: its own, or with those of the units below it."""

    code: str | None
    name: str
    level: str | None
    scope: str
    chiefs: Sequence[Any]


class Places:
    """Names of a period's rivers, landmarks, units and chiefs."""

    def __init__(self, facts: Facts, unit: str | None = None) -> None:
        self.facts, self.unit = facts, unit
        self.rivers = facts.river_names
        self._units = {u.code: u for u in facts.units.drop(columns="geom").itertuples(index=False)}
        if unit is not None and unit not in self._units and not any(self.below(c, unit) for c in self._codes()):
            raise NotFound(
                f"There is no unit {unit!r} on {facts.span.last}, and no chief of one: give the adcode of a unit."
            )

    def _codes(self) -> list[str]:
        return [c for c in self.facts.chiefs["unit_code"] if c is not None]

    def below(self, code: str | None, unit: str) -> bool:
        """Whether a unit is the other one or lies in it, by its code (GB/T 2260) or by the units above it."""
        if code is None:
            return False
        seen: set[str] = set()
        at: str | None = code
        while at is not None and at not in seen:
            if at == unit:
                return True
            seen.add(at)
            at = getattr(self._units.get(at), "parent_code", None)
        short = unit.rstrip("0") if unit.endswith("00") and len(unit) == 6 else unit
        return code.startswith(short + "0" * (len(short) % 2 if len(unit) == 6 else 0))

    @cached_property
    def chiefs(self) -> pd.DataFrame:
        """Chiefs of the unit asked for and of those below it; all where none was asked for."""
        every = self.facts.chiefs
        if self.unit is None:
            return every
        return every[[self.below(c, self.unit) for c in every["unit_code"]]].reset_index(drop=True)

    def groups(self) -> list[Group]:
        """Units that have chiefs, by code: their own chiefs, and with those below where there are such."""
        out = []
        codes = {c for c in self.chiefs["unit_code"] if c is not None}
        above = {u for u in self._units if any(self.below(c, u) for c in codes)}
        shown = {u for u in codes | above if self.unit is None or self.below(u, self.unit)}
        for code in sorted(shown, key=lambda c: (self._rank(c), c)):
            own = list(self.chiefs.loc[self.chiefs["unit_code"] == code, "chief_id"])
            under = [c.chief_id for c in self.chiefs.itertuples() if self.below(c.unit_code, code)]
            out += [self._group(code, OWN, own)] if own else []
            out += [self._group(code, WITH_BELOW, under)] if len(under) > len(own) else []
        nowhere = list(self.chiefs.loc[self.chiefs["unit_code"].isna(), "chief_id"])
        return out + ([Group(None, words.both("patrol_report.no_unit"), None, OWN, nowhere)] if nowhere else [])

    def _rank(self, code: str) -> int:
        level = getattr(self._units.get(code), "level", None)
        return LEVELS.index(level) if level in LEVELS else len(LEVELS)

    def _group(self, code: str, scope: str, chiefs: Sequence[Any]) -> Group:
        return Group(code, self.unit_name(code), getattr(self._units.get(code), "level", None), scope, chiefs)

    def unit_name(self, code: str | None) -> str:
        if code is None:
            return words.both("patrol_report.no_unit")
        return getattr(self._units.get(code), "name", None) or code

    @cached_property
    def people(self) -> dict[Any, Any]:
        """Rows of the chiefs by id."""
        return {c.chief_id: c for c in self.facts.chiefs.itertuples(index=False)}

    def names(self, chiefs: Iterable[Any]) -> str:
        """Chiefs as people read them: 村级 黎雪松、镇级 ..."""
        return "、".join(self.name(c) for c in chiefs)

    def name(self, chief: Any) -> str:
        own = self.people.get(chief)
        return "—" if own is None else f"{words.say('level.' + own.level)} {own.name}"

    def river(self, river: Any) -> str:
        return self.rivers.get(river, "—")

    @cached_property
    def _marks(self) -> dict[Any, tuple[Any, list[str]]]:
        return {
            river: (own["at_m"].to_numpy(np.float64), list(own["name"]))
            for river, own in self.facts.landmarks.groupby("river_id")
        }

    def landmark(self, river: Any, from_m: float, to_m: float) -> str | None:
        """The landmark in a stretch, or the one nearest to it with its distance: 青棠桥下游 120 m."""
        at, names = self._marks.get(river, (None, []))
        if at is None:
            return None
        away = np.maximum(np.maximum(from_m - at, at - to_m), 0.0)
        i = int(np.argmin(away))
        if away[i] == 0:
            return str(names[i])
        side = words.say("patrol_report.downstream" if at[i] < from_m else "patrol_report.upstream")
        return f"{names[i]}{side} {away[i]:,.0f} m"


def stretch(from_m: float, to_m: float) -> tuple[str, str, float]:
    """Both ends as chainage labels, and the length in metres to 0.1."""
    return label(from_m), label(to_m), round(to_m - from_m, 1)


def bank(code: str) -> str:
    return words.both(f"bank.{code}")


NAMED = (
    "patrol.effective.", "patrol.frequency", "patrol.accepted_modes", "patrol.near", "patrol.calendar", "patrol.warning",
    "patrol.risk.", "patrol.coverage.visible_beyond_bank", "patrol.coverage.ditch_factor", "patrol.coverage.fast_",
    "patrol.coverage.min_", "patrol.track.max_gap",
)  # fmt: skip
"""Rules that a report names with value and basis; all the others stand in the rule book whose version it names."""


def rules_of(view: RuleView, levels: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Rows of ``patrol.*`` that hold at a place, each once, but for those of questions about tracks."""
    found = {}
    for key in sorted(k for k in view.book.registry if k.startswith("patrol.") and not k.startswith(QUESTIONS)):
        for row in (view.find(key), *(view.find(key, chief_level=level) for level in levels)):
            if row is not None:
                told = row.as_dict()
                found[key, told["ruleset"], str(told["value"]), str(told["applies_to"])] = told
    return list(found.values())


def named(rules: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rules that a report names one by one."""
    return [r for r in rules if r["key"].startswith(NAMED)]


def unconfirmed(rules: Iterable[dict[str, Any]]) -> list[str]:
    """What the rules are called that nobody has confirmed, each once (未经确认)."""
    return list(dict.fromkeys(words.say(f"rule_key.{r['key']}") for r in rules if r["status"] == "unconfirmed"))
