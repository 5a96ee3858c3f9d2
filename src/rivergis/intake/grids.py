"""Tables before anybody knows what is in them: rows of cells with their numbers, as sheets, text files and documents give them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rivergis.intake.delivery import Defect

Row = tuple[int, list[Any]]
"""Number of the row as a person sees it (from 1), and its cells without empty ones at the end."""
Span = tuple[int, int, int, int]
"""A merged area: first and last row number, first and last column position, all inclusive."""

HEAD_ROWS = 300
"""How many filled rows are looked at to find header, columns and spellings."""


@dataclass(frozen=True)
class Grid:
    """One table of a file. ``rows`` can be called again and again; the rows come in order and are never all held."""

    name: str
    rows: Callable[[], Iterator[Row]]
    spans: tuple[Span, ...] = ()
    around: tuple[str, ...] = ()
    """Words near the table: titles, paragraphs before it, the name of the sheet."""
    delimited: bool = False
    """Fields were told apart by a character, so that a row of another length may have its fields in the wrong columns."""
    defects: tuple[Defect, ...] = field(default=())

    def filled(self) -> Iterator[Row]:
        """Rows with merged areas filled: every cell of an area holds the value of its first."""
        if not self.spans:
            yield from self.rows()
            return
        by_row: dict[int, list[Span]] = {}
        for span in self.spans:
            by_row.setdefault(span[0], []).append(span)
        open_: list[tuple[Span, Any]] = []
        for number, cells in self.rows():
            open_ = [(s, v) for s, v in open_ if s[1] >= number]
            open_ += [(s, cells[s[2]] if s[2] < len(cells) else None) for s in by_row.get(number, ())]
            yield number, _filled(cells, open_)

    def head(self) -> list[Row]:
        """The first filled rows."""
        found: list[Row] = []
        for number, cells in self.filled():
            if cells:
                found.append((number, cells))
            if len(found) == HEAD_ROWS or number > 100 * HEAD_ROWS:
                break
        return found


def _filled(cells: list[Any], spans: Iterable[tuple[Span, Any]]) -> list[Any]:
    cells = list(cells)
    for (_, _, left, right), value in spans:
        if value is not None:
            cells += [None] * (right + 1 - len(cells))
            cells[left : right + 1] = [value] * (right + 1 - left)
    return cells


def trimmed(cells: Iterable[Any], keep_length: bool = False) -> list[Any]:
    """Cells with blank text as None and without empty ones at the end; none at all where all are empty.

    ``keep_length``: empty ones at the end stay, because their number tells whether fields are missing.
    """
    out = [None if isinstance(c, str) and not c.strip() else c for c in cells]
    while out and out[-1] is None and not (keep_length and any(c is not None for c in out)):
        out.pop()
    return out


def width_of(cells: list[Any]) -> int:
    """How many columns a row reaches over."""
    return max((i + 1 for i, c in enumerate(cells) if c is not None), default=0)


def words(cells: Iterable[Any]) -> list[str]:
    """The filled cells of a row as text, each once."""
    return list(dict.fromkeys(" ".join(str(c).split()) for c in cells if c is not None))
