"""What each chief owes visits to on a day: duties joined to targets by the frequency row that holds for them.

A frequency counts patrols on any of the chief's waters, on each river, or on each assigned stretch; a warning in force on a
water may have a row of its own, or multiplies the frequency. Of several warnings the highest applies. Register id A1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pandas as pd

from rivergis.patrol import frequency as frequencies
from rivergis.patrol.frequency import Calendar, Frequency
from rivergis.patrol.visits import Stretch, length_m
from rivergis.rules import RuleValue

WARNINGS = ("yellow", "orange", "red")
DUTY = (
    "duty_id", "chief_id", "chief", "level", "place", "water_class", "river_id", "river", "bank", "from_m", "to_m",
    "valid_from", "valid_to",
)  # fmt: skip
WARNING = ("river_id", "from_m", "to_m", "level", "valid_from", "valid_to")


@dataclass(frozen=True)
class Terms:
    """What the rules say: ``find`` answers (key, day, place, facts by name) with a row or None."""

    find: Callable[..., RuleValue | None]
    days: Calendar
    remaining: float
    """Share of a period that must remain when a duty begins for the period to be owed (``patrol.frequency.remaining``)."""
    min_visit_m: float
    """Least metres of a visit (``patrol.frequency.min_visit``)."""
    by_day: bool
    """Several patrols on one day count once (``patrol.frequency.counted``)."""


@dataclass(frozen=True)
class Held:
    """One duty of one chief, with its first and last day."""

    row: Any
    since: date
    until: date
    stretch: Stretch

    def on(self, day: date) -> bool:
        """Whether the duty is held on a civil day."""
        return self.since <= day <= self.until

    @property
    def chief_id(self) -> Any:
        return self.row.chief_id


@dataclass(frozen=True)
class Target:
    """Duties that one chief owes together under one row of the rules; ``owed`` False: held, but not on the deciding day."""

    duties: tuple[Held, ...]
    rule: RuleValue
    frequency: Frequency
    warning: str | None = None
    owed: bool = True

    @property
    def head(self) -> Any:
        return self.duties[0].row

    @property
    def chief_id(self) -> Any:
        return self.duties[0].chief_id

    @property
    def stretches(self) -> list[Stretch]:
        return [h.stretch for h in self.duties]

    @property
    def assigned_m(self) -> float:
        """Metres along the rivers, overlaps once."""
        return length_m(self.stretches)

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes two targets of one period the same."""
        return self.chief_id, self.frequency.per, _part(self.frequency, self.duties[0])


def _part(asked: Frequency, h: Held) -> Any:
    return {"chief": None, "river": h.stretch.river_id, "reach": h.stretch}[asked.per]


def held(duties: pd.DataFrame) -> list[Held]:
    """Duties (columns ``DUTY``; ``valid_to`` inclusive, None = open); the same duty renewed without a break is one."""
    out: dict[tuple[Any, ...], list[Held]] = {}
    for row in duties[list(DUTY)].itertuples(index=False):
        stretch = Stretch(row.river_id, row.bank, float(row.from_m), float(row.to_m))
        h = Held(row, known(row.valid_from) or date.min, known(row.valid_to) or date.max, stretch)
        out.setdefault((row.chief_id, row.level, row.place, stretch), []).append(h)
    return [h for group in out.values() for h in _renewed(group)]


def _renewed(group: Sequence[Held]) -> Iterator[Held]:
    current: Held | None = None
    for h in sorted(group, key=lambda h: h.since):
        joins = current is not None and (current.until == date.max or h.since <= current.until + timedelta(days=1))
        if current is not None and joins:
            current = replace(current, until=max(current.until, h.until))
            continue
        if current is not None:
            yield current
        current = h
    if current is not None:
        yield current


def known(value: Any) -> Any:
    """A value of a frame, None where it is missing."""
    return None if value is None or pd.isna(value) else value


@dataclass
class Ruling:
    """The rules as they hold for duties on a day, each row looked up once; and the warnings in force."""

    terms: Terms
    warnings: Sequence[Any]
    _rows: dict[tuple[Any, ...], RuleValue | None] = field(default_factory=dict)
    _asked: dict[int, Frequency] = field(default_factory=dict)

    def rule(self, key: str, day: date, place: str, **facts: Any) -> RuleValue | None:
        """The row of a key at a place on a day; facts that are None are not given."""
        given = {k: v for k, v in facts.items() if v is not None}
        at = (key, day, place, *sorted(given.items()))
        if at not in self._rows:
            self._rows[at] = self.terms.find(key, day, place, **given)
        return self._rows[at]

    def frequency(self, day: date, row: Any, warning: str | None) -> tuple[RuleValue, Frequency] | None:
        """The frequency of a duty row under a warning, with the rule it stands in."""
        facts = {"chief_level": row.level, "water_class": known(row.water_class), "warning": warning}
        found = self.rule("patrol.frequency", day, row.place, **facts)
        if found is None or found.value is None:
            return None
        if id(found) not in self._asked:
            self._asked[id(found)] = frequencies.of(found.value, found.ruleset)
        return found, self._asked[id(found)]

    def factor(self, day: date, target: Target) -> float | None:
        """Multiplier of the target's warning; None where no document sets one; 1 where the frequency is of that warning."""
        if target.warning is None or "warning" in target.rule.applies_to:
            return 1.0
        head = target.head
        row = self.rule("patrol.warning.multiplier", day, head.place, chief_level=head.level)
        factor = None if row is None or row.value is None else row.value.get(target.warning)
        return None if factor is None else float(factor)


def targets(duties: Iterable[Held], ruling: Ruling, day: date) -> list[Target]:
    """Duties joined to what their chief owes visits to, by the rules of a day."""
    duties = list(duties)
    warned = [warning(h, ruling.warnings, day) for h in duties]
    highest: dict[Any, str | None] = {}
    for h, level in zip(duties, warned, strict=True):
        highest[h.chief_id] = _higher(highest.get(h.chief_id), level)
    groups: dict[tuple[Any, ...], Target] = {}
    for h, level in zip(duties, warned, strict=True):
        one = _alone(h, ruling, day, level, highest[h.chief_id])
        if one is not None:
            at = (*one.key, id(one.rule), one.warning)
            groups[at] = replace(groups[at], duties=(*groups[at].duties, h)) if at in groups else one
    return list(groups.values())


def _alone(h: Held, ruling: Ruling, day: date, level: str | None, highest: str | None) -> Target | None:
    """A duty as a target of its own; where a chief's waters count together, the highest warning on any of them holds."""
    for at in dict.fromkeys((highest, level)):
        found = ruling.frequency(day, h.row, at)
        if found is None:
            return None
        if found[1].per == "chief" or at == level:
            return Target((h,), *found, at)
    return None


def warning(h: Held, warnings: Iterable[Any], day: date) -> str | None:
    """The highest warning in force on a stretch on a day (预警等级从高)."""
    best = None
    for w in warnings:
        since, until = known(w.valid_from) or date.min, known(w.valid_to) or date.max
        low, high = known(w.from_m), known(w.to_m)
        there = (low is None or low < h.stretch.to_m) and (high is None or high > h.stretch.from_m)
        if w.river_id == h.stretch.river_id and since <= day <= until and there:
            best = _higher(best, w.level)
    return best


def _higher(a: str | None, b: str | None) -> str | None:
    return max((a, b), key=lambda w: -1 if w is None else WARNINGS.index(w))


def one_of_each(duties: Iterable[Held]) -> list[Held]:
    """One duty for each place, level and class of water: the rules say the same of all that are alike."""
    return list({(h.row.level, h.row.place, known(h.row.water_class)): h for h in duties}.values())


def kinds(duties: Iterable[Held], ruling: Ruling, day: date) -> set[str]:
    """Kinds of periods that any of these duties is asked for on a day."""
    out: set[str] = set()
    for h in duties:
        for level in (None, *WARNINGS) if ruling.warnings else (None,):
            found = ruling.frequency(day, h.row, level)
            if found is not None:
                out |= {found[1].period} | ({found[1].sweep.within} if found[1].sweep else set())
    return out
