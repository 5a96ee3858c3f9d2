"""How grave (严重程度) and how old a suspected encroachment is, as far as what was measured and seen can tell.

A measured value comes with its one-sigma error, a date as the bracket of two images. Where the error bar crosses a
threshold, or the bracket a cut, that is what is said; nothing is rounded to the nearer answer. Thresholds and cuts:
rule keys encroach.severity.* and encroach.period.*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from rivergis.errors import RuleError
from rivergis.rules import RuleValue, RuleView, Taxon

LEVELS = ("一般", "较严重", "重大")
"""Levels of the MWR supervision rules, mildest first."""

PERIODS = ("before_1988_06", "1988_06_to_2018", "from_2019")


@dataclass(frozen=True)
class Measured:
    """A measured value with its unit (m, m2, m3, count) and one-sigma error; None = not known."""

    value: float
    unit: str
    sigma: float | None = None


@dataclass(frozen=True)
class Severity:
    """Level of one lead, or why there is none.

    ``state``: level, borderline (the error bar crosses a threshold: ``between`` names the levels it touches),
    cannot_tell (not measured, or the source is too coarse) or no_rule (no threshold that holds here).
    ``why`` is a key of the catalogue (group ``severity_why``) and ``key`` the rule key it speaks of. A level
    of None is below the lowest that the rules name.
    """

    state: str
    level: str | None
    why: str
    key: str | None = None
    between: tuple[str | None, ...] = ()

    @property
    def said(self) -> str | None:
        """What a table shows: the level, borderline or cannot_tell; None where no rule grades it, or not so small a one."""
        return self.state if self.state in ("borderline", "cannot_tell") else self.level


@dataclass(frozen=True)
class Period:
    """When it was built: one of ``PERIODS``, or undecided with the periods that remain possible."""

    period: str
    possible: tuple[str, ...]
    why: str
    last_without: date | None
    first_with: date | None


def grade(taxon: Taxon, measured: Mapping[str, Measured], gsd_m: float | None, view: RuleView) -> Severity:
    """How grave is it? ``measured``: what was measured, by unit; ``gsd_m``: of the image it was measured on, None = none.

    Only thresholds that are confirmed or inferred grade; raises ``RuleError`` for thresholds that cannot be steps.
    """
    if taxon.severity is None:
        return Severity("no_rule", None, "no_key")
    key = "encroach.severity.listed" if taxon.severity == "listed" else taxon.severity
    row = view.find(key)
    missing = _no_rule(row)
    if row is None or missing:
        return Severity("no_rule", None, missing or "no_row", key)
    if taxon.severity == "listed":
        return Severity("level", str(row.value), "listed", key)
    size = measured.get(row.unit or taxon.measure)
    blind = _cannot_tell(size, gsd_m, view)
    if size is None or blind:
        return Severity("cannot_tell", None, blind or "not_measured", key)
    return _by_size(size, row, taxon.top_above, view.number("encroach.severity.sigmas"))


def _no_rule(row: RuleValue | None) -> str | None:
    """Why a row does not grade: there is none, it leaves the value open, or nobody has confirmed it."""
    if row is None:
        return "no_row"
    if row.value is None:
        return "no_value"
    return "unconfirmed" if row.status == "unconfirmed" else None


def _cannot_tell(size: Measured | None, gsd_m: float | None, view: RuleView) -> str | None:
    """Why the source cannot tell a level: too coarse, not measured, or the error unknown or larger than the value."""
    if gsd_m is not None and gsd_m > view.number("encroach.max_image_gsd"):
        return "image_too_coarse"
    if size is None:
        return "not_measured"
    if size.sigma is None:
        return "error_unknown"
    return "error_too_large" if size.sigma > size.value else None


def _by_size(size: Measured, row: RuleValue, top_above: bool, sigmas: float) -> Severity:
    assert size.sigma is not None
    steps = _steps(row)
    levels: tuple[str | None, ...] = LEVELS if len(steps) == 2 else (None, LEVELS[-1])
    spread = sigmas * size.sigma
    low, high = (levels[_reached(v, steps, top_above)] for v in (size.value - spread, size.value + spread))
    if low == high:
        return Severity("level", low, "measured" if low else "below_lowest", row.key)
    between = levels[levels.index(low) : levels.index(high) + 1]
    return Severity("borderline", None, "crosses", row.key, between)


def _steps(row: RuleValue) -> list[float]:
    """Thresholds in rising order: two between three levels, or one that begins the highest."""
    steps = row.value if isinstance(row.value, list) else [row.value]
    numbers = all(isinstance(s, (int, float)) and not isinstance(s, bool) for s in steps)
    if not numbers or len(steps) not in (1, 2) or steps != sorted(steps):
        raise RuleError(f"{row.ruleset}: {row.key} is {row.value!r}: give one threshold, or two in rising order.")
    return [float(s) for s in steps]


def _reached(value: float, steps: list[float], top_above: bool) -> int:
    """How many thresholds a value has reached; the last may have to be passed."""
    return sum(value > s if top_above and i == len(steps) - 1 else value >= s for i, s in enumerate(steps))


def built_period(last_without: date | None, first_with: date | None, view: RuleView) -> Period:
    """When was it built? From the bracket of the last day without it and the first day with it, never from a guess.

    It came up on or after ``last_without`` and on or before ``first_with``; an open end leaves every period on that side
    possible. A bracket that contradicts itself (seen before it was last not there: removed and built again, or a
    mistake) leaves all open.
    """
    cuts = [view.value(f"encroach.period.cut_{n}").value for n in (1, 2)]
    if last_without and first_with and last_without > first_with:
        return Period("undecided", PERIODS, "contradiction", last_without, first_with)
    first = sum(last_without >= cut for cut in cuts) if last_without else 0
    last = sum(first_with >= cut for cut in cuts) if first_with else len(cuts)
    possible = PERIODS[first : last + 1]
    why = "bracket" if last_without or first_with else "no_bracket"
    return Period(possible[0] if len(possible) == 1 else "undecided", possible, why, last_without, first_with)
