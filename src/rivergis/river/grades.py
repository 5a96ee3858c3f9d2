"""How large a water is in the official sense: class by basin area or lake area, and grade of a river (河道等级).

Grades one to five after 水管〔1994〕106号 (河道等级划分办法): a grade is given by basin area with farmland or with population;
a large city, traffic and industry, or hydropower raise it by at most one. The figures come from the rules. What is not
known is not guessed: the answer is then a range, with the criteria that are missing.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rivergis.errors import RuleError

AREA, WITH_AREA, LIFTING = (
    "basin_area_1e4_km2",
    ("farmland_1e4_mu", "population_1e4"),
    ("city", "traffic_and_industry", "hydropower_1e4_kw"),
)
CRITERIA = (AREA, *WITH_AREA, *LIFTING)
LOWEST = 5
_NONE = LOWEST + 2  # no city, no hydropower: lifts nothing


def size_class(value: float | None, thresholds: Sequence[float]) -> str | None:
    """Class of a size between rising thresholds (分级): '0-10', '10-50', ... '10000+'; None where the size is unknown.

    A value on a threshold belongs to the class above it.
    """
    if value is None or pd.isna(value):
        return None
    labels = class_labels(thresholds)
    return labels[sum(float(value) >= t for t in thresholds)]


def class_labels(thresholds: Sequence[float]) -> list[str]:
    """Names of all classes between thresholds, smallest first; ``RuleError`` unless they are positive and rise."""
    stops = [0.0, *map(float, thresholds)]
    if len(stops) < 2 or any(a >= b for a, b in itertools.pairwise(stops)):
        raise RuleError(f"The class limits {list(thresholds)} must be positive and rise: correct the rule.")
    return [f"{a:g}-{b:g}" for a, b in itertools.pairwise(stops)] + [f"{_plain(stops[-1])}+"]


def _plain(value: float) -> str:
    return f"{value:g}" if value < 1e5 else f"{value:.0f}"


@dataclass(frozen=True)
class Grade:
    """Grade of a river: ``grade`` where the known figures decide it, else None and the range ``best`` to ``worst``."""

    best: int
    worst: int
    missing: tuple[str, ...]

    @property
    def grade(self) -> int | None:
        return self.best if self.best == self.worst else None

    @property
    def range(self) -> str:
        return str(self.best) if self.best == self.worst else f"{self.best}-{self.worst}"


def grade_of(facts: Mapping[str, Any], table: Mapping[str, Mapping[int, Any]]) -> Grade:
    """Grade of a river by its figures (河道等级, 1 the largest).

    ``facts``: any of ``CRITERIA``, in the units of their names; absent or null is unknown. ``table``: rule
    ``code.grade_table``. A wrong word for a city or for traffic is a ``RuleError`` that names the right ones.
    """
    known = {c: _class(facts.get(c), c, table[c]) for c in CRITERIA}
    missing = tuple(c for c in CRITERIA if known[c] is None)
    return Grade(_decided(known, unknown_is_large=True), _decided(known, unknown_is_large=False), missing)


def _decided(known: Mapping[str, int | None], unknown_is_large: bool) -> int:
    """The grade when everything unknown is as large, or as small, as it can be."""

    def at(criterion: str, smallest: int) -> int:
        found = known[criterion]
        return found if found is not None else (1 if unknown_is_large else smallest)

    area = at(AREA, LOWEST)
    base = min(max(area, at(c, LOWEST - 1)) for c in WITH_AREA)
    lift = min(at(c, _NONE) for c in LIFTING)
    return base - 1 if base > 1 and lift <= base - 1 else base


def _class(value: Any, criterion: str, limits: Mapping[int, Any]) -> int | None:
    if value is None or pd.isna(value) or value == "":
        return None
    if isinstance(next(iter(limits.values())), str):
        return _named(str(value), criterion, limits)
    number = float(value)
    if criterion in LIFTING and number <= 0:
        return _NONE
    for grade, (low, high) in sorted(limits.items()):
        if number > low if high is None else low <= number <= high:
            return int(grade)
    raise RuleError(f"{criterion} = {number:g} lies in no grade of the rule code.grade_table: correct the figure.")


def _named(word: str, criterion: str, limits: Mapping[int, str]) -> int:
    if word in ("无", "none"):
        return _NONE
    for grade, name in limits.items():
        if name == word:
            return int(grade)
    raise RuleError(f"{criterion} = {word!r} is none of {', '.join(limits.values())}, 无: correct the word.")
