"""How grave (严重程度) and how old a suspected encroachment is, as far as what was measured and seen can tell.

A measured value comes with its one-sigma error, a date as the bracket of two images. Where the error bar crosses a
threshold, or the bracket a cut, that is what is said; nothing is rounded to the nearer answer. Thresholds and cuts:
rule keys encroach.severity.* and encroach.period.*.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

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
    ``why`` is a key of the catalogue (group ``severity_why``) and ``key`` the rule key it speaks of.
    """

    state: str
    level: str | None
    why: str
    key: str | None = None
    between: tuple[str, ...] = ()

    @property
    def said(self) -> str | None:
        """What a table shows: the level, borderline or cannot_tell; None where no rule gives a threshold."""
        return self.level or (None if self.state == "no_rule" else self.state)


@dataclass(frozen=True)
class Period:
    """When it was built: one of ``PERIODS``, or undecided with the periods that remain possible."""

    period: str
    possible: tuple[str, ...]
    why: str
    last_without: date | None
    first_with: date | None
