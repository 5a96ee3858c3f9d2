"""The figures of a morning (晨报数字): one frozen set for the page, the workbook, the JSON and the notices.

A figure is the number of a civil day with what stands behind it, row by row; beside it the value of the night before and
the mean of the seven nights before, over those that were run. Nothing here names a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

Row = Mapping[str, Any]

RUN, LEADS, WORK, PATROLS, LINES = "run", "leads", "work", "patrols", "lines"
GROUPS = (RUN, LEADS, WORK, PATROLS, LINES)
BEFORE_NIGHTS = 7
NO_TOWN = ""
"""Where no township is known."""


@dataclass(frozen=True)
class Measured:
    """One figure of one night: its value (None: not known) and what it is the sum of."""

    value: float | None
    rows: Sequence[Row] = ()
    towns: Mapping[str, float] = field(default_factory=dict)
    """Value by name of the township; what lies in none stands under ``NO_TOWN``."""
    parts: Mapping[str, float] = field(default_factory=dict)
    """Value by class or level, where the figure is told apart so."""

    @classmethod
    def of_rows(cls, rows: Sequence[Row], part: str | None = None, weight: str | None = None) -> Measured:
        """Count of rows, or the sum of a column, by ``town`` and by the column ``part``."""
        towns: dict[str, float] = {}
        parts: dict[str, float] = {}
        for row in rows:
            value = 1 if weight is None else row[weight]
            towns[row.get("town") or NO_TOWN] = towns.get(row.get("town") or NO_TOWN, 0) + value
            if part is not None:
                parts[row.get(part) or "unknown"] = parts.get(row.get(part) or "unknown", 0) + value
        whole = sum(towns.values())
        return cls(whole, rows, towns, dict(sorted(parts.items(), key=lambda p: (-p[1], p[0]))))


@dataclass(frozen=True)
class Figure:
    """A number on the page: ``code`` is its key in the catalogue group ``morning`` and its anchor in the file."""

    group: str
    code: str
    unit: str
    """Empty for a count, else ``km``."""
    value: float | None
    yesterday: float | None
    """Of the night before; None where that night was not run, or the figure is not known."""
    mean: float | None
    """Over the nights of the seven before that were run and know the figure."""
    nights: int
    """How many those are."""
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    towns: Mapping[str, float]
    parts: Mapping[str, float]


@dataclass(frozen=True)
class Trouble:
    """A district or file that failed, or a feed that is silent: what, and the sentence about it."""

    what: str
    sentence: str
    red: bool


@dataclass(frozen=True)
class Run:
    """The run of the night: when it ended (UTC), what it covered, what failed and which feeds were missing."""

    finished_at: datetime
    state: str
    rule_set: str
    scope: tuple[str, ...]
    candidates: int | None
    districts: int
    troubles: tuple[Trouble, ...]
    line_km: float
    """Length of the boundary lines in force."""
    late_after_h: int

    @property
    def red(self) -> bool:
        return any(t.red for t in self.troubles)


@dataclass(frozen=True)
class Morning:
    """Everything the page of a morning says, as known at a moment (UTC)."""

    night: date
    known_at: datetime
    demo: bool
    baseline_signed: bool
    """False: what was told first this night is 存量待核 (stock to be verified), never 新增."""
    run: Run
    figures: tuple[Figure, ...]
    towns: tuple[str, ...]
    first: tuple[Row, ...]
    """Leads of the night to look at first: in channel, levee or berm land, or in a first-class zone, before all others."""
    limits: Mapping[str, int]
    """Days of the rules used, by the last part of their key."""
    rules_unconfirmed: tuple[str, ...]

    def of(self, group: str) -> tuple[Figure, ...]:
        return tuple(f for f in self.figures if f.group == group)

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data."""
        return asdict(self)

    def figure(self, code: str) -> Figure:
        return next(f for f in self.figures if f.code == code)

    @property
    def red(self) -> bool:
        """A feed is dead, or a district failed, or the night as a whole."""
        return self.run.red or self.run.state == "failed"

    @property
    def quiet(self) -> bool:
        """Nothing on the ground changed, nothing is overdue or missing: a short page says so."""
        return not self.run.troubles and all(not self.figure(code).value for code in LOUD)


LOUD = (
    "new_announced",
    "new_elsewhere",
    "grown",
    "rebound",
    "gone",
    "work_overdue",
    "handover",
)
"""Figures that make a morning worth reading when they are not nought."""


def compared(
    group: str,
    code: str,
    unit: str,
    columns: Sequence[str],
    tonight: Measured,
    before: Mapping[date, float | None],
    night: date,
) -> Figure:
    """A figure beside yesterday and the seven nights before; ``before``: its value in each night that was run."""
    known = [v for v in before.values() if v is not None]
    return Figure(
        group,
        code,
        unit,
        tonight.value,
        before.get(night - timedelta(days=1)),
        round(sum(known) / len(known), 3) if known else None,
        len(known),
        tuple(columns),
        tuple(tonight.rows),
        dict(tonight.towns),
        dict(tonight.parts),
    )
