"""达标: only rule rows that stand in an announced document are tested; what no document sets is told as 未规定.

Coverage, bank and speed are shown beside it as reference (覆盖情况) and enter no verdict here, unless a local document adopts
a share of its own. Source: docs/rules.md; register ids A1, A4.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rivergis.errors import InputError
from rivergis.rules import RuleValue

AT_LEAST, AT_MOST, ABOVE, ONE_OF = "at_least", "at_most", "above", "one_of"
NEAR_KEY = "patrol.near"
# rule key -> figure it is about, and which way it is compared
TESTS = {
    "patrol.effective.min_duration": ("minutes", AT_LEAST),
    "patrol.effective.min_distance": ("metres", AT_LEAST),
    "patrol.effective.min_share": ("share", AT_LEAST),
    "patrol.effective.min_interval": ("hours_since_last", ABOVE),
    "patrol.accepted_modes": ("mode", ONE_OF),
}
# field of the rule of a bare file -> rule key, figure, unit, factor to that unit, way it is compared
FILE_TESTS = {
    "min_minutes": ("patrol.effective.min_duration", "minutes", "min", 1.0),
    "min_km": ("patrol.effective.min_distance", "metres", "m", 1000.0),
    "min_coverage": ("patrol.effective.min_share", "share", "ratio", 1.0),
}
FAST_KEY = "patrol.coverage.fast_share"
FAST_FIELD = "max_speed_kmh"
SHARE_FIELD = "min_coverage"
MOST = 1e9  # of any figure of a rule


@dataclass(frozen=True)
class Tested:
    """One rule row against its measured value; ``near`` within a share of the threshold (rule ``patrol.near``): to a person.

    ``met`` None: the figure could not be measured (a track without times), so that nothing can be told.
    """

    key: str
    measured: float | str | None
    threshold: float | tuple[str, ...]
    unit: str
    met: bool | None
    near: bool
    basis: str
    status: str
    document: str
    """Where the text of the rule was read."""
    compared: str
    """``at_least``, ``at_most``, ``above`` or ``one_of``."""
    ruleset: str
    version: str


@dataclass(frozen=True)
class Unset:
    """A rule key that no announced document sets here (未规定): ``status`` of the row that there is, or None."""

    key: str
    status: str | None


Find = Callable[[str], RuleValue | None]


def test(figures: Mapping[str, Any], rule: Find) -> list[Tested]:
    """Does a patrol meet what announced documents ask of it? (达标)

    ``figures``: minutes, metres, share (of the assigned length), hours_since_last (since the person's last patrol; None if
    there was none), mode; a figure that is not given is not tested. ``rule`` answers a key with its row or None; rows that
    are not ``confirmed`` are never tested.
    """
    near = _near(rule)
    out = []
    for key, (name, way) in TESTS.items():
        row = rule(key)
        if name in figures and _announced(row) and row is not None:
            out.append(_tested(row, figures[name], way, near))
    return out


def unset(rule: Find) -> list[Unset]:
    """Which of the keys that could be tested are set by no announced document? (未规定)"""
    rows = {key: rule(key) for key in TESTS}
    return [Unset(key, row.status if row else None) for key, row in rows.items() if not _announced(row)]


def met(tested: Sequence[Tested]) -> bool | None:
    """Whether all that was tested is met; None where nothing was tested, or a figure is missing and no other fails."""
    outcomes = [t.met for t in tested]
    if False in outcomes:
        return False
    return None if None in outcomes or not outcomes else True


def effective(figures: Mapping[str, Any], rule: Mapping[str, Any], *, fast_share: float, near: float) -> list[Tested]:
    """Does a patrol meet the rule that a bare file gives with it?

    ``figures``: minutes, metres (unique, on what is assigned), share (of the assigned length), fast_share (of the seen way,
    faster than the file's max_speed_kmh). ``rule``: min_minutes, min_km, min_coverage, max_speed_kmh; a field that is missing
    or null is not tested. ``fast_share``, ``near``: values of ``patrol.coverage.fast_share`` and ``patrol.near``. Raises
    ``InputError`` for a field that is not known or is no number.
    """
    check_rule(rule)
    out = [
        _given(key, figures[name], float(rule[field]) * factor, unit, AT_LEAST, near)
        for field, (key, name, unit, factor) in FILE_TESTS.items()
        if rule.get(field) is not None
    ]
    if rule.get(FAST_FIELD) is not None:
        out.append(_given(FAST_KEY, figures["fast_share"], fast_share, "ratio", AT_MOST, near))
    return out


def check_rule(rule: Any) -> None:
    """Whether a rule that comes with a file can be read; ``InputError`` names the field that cannot."""
    if not isinstance(rule, Mapping):
        raise InputError(
            f'The rule of the file is {str(rule)[:40]!r}: write an object such as {{"min_minutes": 30}}, or null.'
        )
    for field, value in rule.items():
        if field not in (*FILE_TESTS, FAST_FIELD):
            raise InputError(
                f"The rule of the file has the unknown field {str(field)[:40]!r}: it may have "
                f"{', '.join((*FILE_TESTS, FAST_FIELD))}."
            )
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        most = 1 if field == SHARE_FIELD else MOST
        if value is not None and not (number and 0 <= value <= most):
            said = "a share from 0 to 1" if field == SHARE_FIELD else "a number of 0 or more"
            raise InputError(f"The rule of the file has {field} = {str(value)[:40]!r}: write {said}.")


def _announced(row: RuleValue | None) -> bool:
    return row is not None and row.value is not None and row.status == "confirmed"


def _near(rule: Find) -> float:
    row = rule(NEAR_KEY)
    return 0.0 if row is None or row.value is None else float(row.value)


def _tested(row: RuleValue, measured: Any, way: str, near: float) -> Tested:
    threshold = tuple(row.value) if way == ONE_OF else float(row.value)
    outcome, close = _compared(measured, threshold, way, near)
    said = (row.basis, row.status, row.source, way, row.ruleset, row.ruleset_version)
    return Tested(row.key, measured, threshold, row.unit or "", outcome, close, *said)


def _given(key: str, measured: Any, threshold: float, unit: str, way: str, near: float) -> Tested:
    """A test against a rule that came with the file: it is what its sender says, and stands in no rule set."""
    outcome, close = _compared(measured, threshold, way, near)
    return Tested(key, measured, threshold, unit, outcome, close, "rule of the file", "given", "", way, "", "")


def _compared(measured: Any, threshold: Any, way: str, near: float) -> tuple[bool | None, bool]:
    """Outcome, and whether it is near the threshold."""
    if way == ONE_OF:
        return (measured in threshold if measured is not None else None), False
    if measured is None:
        return (True if way == ABOVE else None), False  # no earlier patrol: no interval to keep
    if math.isnan(measured):
        return None, False
    outcome = {AT_LEAST: measured >= threshold, AT_MOST: measured <= threshold, ABOVE: measured > threshold}[way]
    return bool(outcome), bool(abs(measured - threshold) <= near * threshold)
