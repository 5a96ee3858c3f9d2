"""数字出处: every figure of a report leads to the rows it is made of, and is the number of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from rivergis import words
from rivergis.reports.case_rows import class_name, number, records, spot, state_name, table
from rivergis.reports.patrol_paper import Linked, Table

SHOWN = 60
"""So many numbers, or runs of numbers, stand in a line."""
_ROWS = ("number", "county", "town", "group", "class", "place", "found_on", "deadline", "state")
_COLUMNS = ("figure_no", "part", "figure", "value", "rows")


class Trace:
    """Figures as they are told, each with the numbers of its cases: one row of the table of sources each."""

    def __init__(self, flags: pd.DataFrame) -> None:
        self._numbers = {c["id"]: number(c) for c in records(flags[["id", "number"]])}
        self._rows: list[tuple[str, str, str, int, str]] = []
        self.cases: dict[str, list[str]] = {}

    def figure(self, flags: pd.DataFrame, name: str, part: str = "") -> Linked | int:
        """How many rows of ``flags`` have ``name``; a figure above nothing leads to its row in the table of sources."""
        own = flags.loc[flags[name].astype(bool), "id"]
        if not len(own):
            return 0
        key = f"f{len(self._rows) + 1}"
        told = [self._numbers[i] for i in own]
        said = part or words.say("patrol_report.case.all")
        self._rows.append((key[1:], said, words.say(f"patrol_report.case.{name}"), len(told), listed(told)))
        self.cases[f"{said} · {name}"] = [str(i) for i in own]
        return Linked.to(len(told), f"#{key}")

    def figures(self, flags: pd.DataFrame, names: Iterable[str], part: str = "") -> list[Linked | int]:
        return [self.figure(flags, n, part) for n in names]

    def sources(self) -> Table:
        """The table of sources, a row a figure in the order in which they were told."""
        rows = [(int(k), *rest) for k, *rest in self._rows]
        return table(
            "trace",
            _COLUMNS,
            rows,
            "case_trace",
            words.both("patrol_report.case.trace_note"),
            [f"f{k}" for k, *_ in self._rows],
        )


def listed(numbers: Sequence[str]) -> str:
    """Numbers in a line: those that follow each other as first—last; beyond ``SHOWN`` the rest is counted, and found by its mark in the
    table of rows."""
    runs: list[list[str]] = []
    for number_ in sorted(numbers, key=_order):
        if runs and _follows(runs[-1][-1], number_):
            runs[-1].append(number_)
        else:
            runs.append([number_])
    shown = [r[0] if len(r) == 1 else f"{r[0]}—{r[-1].rpartition('-')[2]}" for r in runs[:SHOWN]]
    rest = sum(len(r) for r in runs[SHOWN:])
    return "、".join(shown) + (words.say("patrol_report.case.trace_rest", n=rest) if rest else "")


def _order(number_: str) -> tuple[str, int, str]:
    place, _, running = number_.rpartition("-")
    return place, len(running), running


def _follows(before: str, after: str) -> bool:
    """Whether one running number comes right after another of the same county and year."""
    (place, _, n), (other, _, m) = before.rpartition("-"), after.rpartition("-")
    return bool(place) and place == other and n.isdecimal() and m.isdecimal() and int(m) == int(n) + 1


def by(flags: pd.DataFrame, columns: Sequence[str]) -> list[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Parts of a table by columns, in the order of their values; what is not known stands last and is kept."""
    keys = flags[list(columns)].astype(object).where(flags[list(columns)].notna(), "")
    parts = [
        (tuple(k) if isinstance(k, tuple) else (k,), own)
        for k, own in flags.groupby([keys[c] for c in columns], sort=True)
    ]
    return sorted(parts, key=lambda p: [(v == "", str(v)) for v in p[0]])


def named(key: Sequence[Any]) -> list[str]:
    """A part in words; what is not known is said to be."""
    return [str(k) if k != "" else words.say("patrol_report.case.unknown") for k in key]


def rows(flags: pd.DataFrame, names: Sequence[str]) -> Table:
    """Every case that stands in a figure, with a mark under each it stands in: filtered by a part, the sum of a column is its figure."""
    own = flags[flags[list(names)].any(axis=1)]
    told = [
        (
            number(c), c["county"], c["town"], c["group"], class_name(c["class_code"]), spot(c), c["found_on"], c["deadline"],
            state_name(c["state"]), *(1 if c[n] else None for n in names),
        )
        for c in records(own)
    ]  # fmt: skip
    return table("rows", (*_ROWS, *names), told, "case_rows")
