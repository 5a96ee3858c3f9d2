"""What stands under a map of the service: facts and tables, Chinese first, as finished HTML of one template.

Headings are words of the catalogue (``sheet.KEY``); values come as they are and are escaped by the template.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rivergis import words
from rivergis.reports import morning
from rivergis.river.chainage import label as chainage

SHOWN_ROWS = 400
"""A page stays readable; the rest is counted, and stands in the API."""


@dataclass(frozen=True)
class Link:
    """A value that leads to a page of this service."""

    text: str
    href: str


@dataclass(frozen=True)
class Table:
    """One table: key of its title and of its headings (``sheet.KEY``), rows as shown, and a sentence above it if any."""

    key: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str | None = None


@dataclass(frozen=True)
class Below:
    """Facts (key, value) in one line each, then tables, then sentences."""

    facts: Sequence[tuple[str, Any]] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = field(default_factory=tuple)
    links: Sequence[Link] = ()

    def html(self) -> str:
        """Without script, style or style attributes, as ``LocalMap.below`` takes it."""
        return morning.environment().get_template("sheet_below.html").render(
            below=self, shown=SHOWN_ROWS, pair=words.pair, numeric=_numeric
        )  # fmt: skip


def _numeric(table: Table, column: int) -> bool:
    return any(isinstance(row[column], (int, float)) for row in table.rows[:SHOWN_ROWS])


def shown(value: Any, form: Callable[[Any], Any] = str) -> Any:
    """A value in a form, or a dash where there is none."""
    return "—" if value is None or value != value or value == "" else form(value)


def stretch(from_m: Any, to_m: Any) -> str:
    """A stretch by its chainages: 0+000 – 1+250."""
    return f"{shown(from_m, chainage)} – {shown(to_m, chainage)}"


def km(length_m: Any) -> Any:
    """Metres as kilometres with three decimals."""
    return shown(length_m, lambda m: round(float(m) / 1000, 3))


def metres(length_m: Any) -> Any:
    """Whole metres."""
    return shown(length_m, lambda m: round(float(m)))
