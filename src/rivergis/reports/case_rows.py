"""Cases of the ledger as rows that people read: number, place, class, state; offices by name, people only where they may be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd

from rivergis import words
from rivergis.reports.patrol_paper import SHANGHAI, Linked, Table

GROUP = "case"
SUPPORT = ("supporting", "police", "procurator")
"""Roles of units that help: 配合单位, and where the case has them 警长 and 检察长."""


def keys(names: Iterable[str]) -> list[str]:
    """Keys of headings of this module in the catalogue of papers."""
    return [f"{GROUP}.{n}" for n in names]


def number(case: Mapping[str, Any]) -> str:
    """台账编号 the number in the ledger; a lead that nobody has touched yet has none and is told by its id."""
    return case["number"] or f"{words.say('patrol_report.case.unnumbered')} {str(case['id'])[:8]}"


def class_name(code: str | None) -> str | None:
    return words.say(f"class.{code}") if code else None


def state_name(code: str) -> str:
    return words.say(f"state.finding.{code}")


def severity(case: Mapping[str, Any]) -> str | None:
    """Level of the rules as it is called there, or why there is none."""
    return words.say(f"severity.{case['severity']}") if case["severity"] else None


def place(case: Mapping[str, Any]) -> str:
    """Where it is, in words: township, village, river, bank and chainage, as far as they are known."""
    return " ".join(p for p in (case["town"], spot(case)) if p)


def spot(case: Mapping[str, Any]) -> str:
    """The same without the township."""
    bank = words.say(f"bank.{case['bank']}") if case["bank"] else None
    parts = (case["village"], case["river"], bank, case["chainage"])
    return " ".join(str(p) for p in parts if p)


def units(case: Mapping[str, Any], role: str, *, names: bool) -> str | None:
    """Offices of a role (lead, responsible, support) in a case, with their person only where ``names`` may be seen."""
    told = []
    for unit in case["units"] or []:
        if _role(unit) == role:
            person = unit.get("person") if names else None
            told.append(" ".join(str(p) for p in (unit.get("unit"), person) if p))
    return "、".join(told) or None


def _role(unit: Mapping[str, Any]) -> str:
    if unit.get("lead") is True:
        return "lead"
    return "support" if unit.get("role") in SUPPORT else "responsible"


def stock_name(stock: bool, signed: date | None) -> str:
    """存量、增量; until a baseline is signed everything is 存量待核."""
    if signed is None:
        return words.say("patrol_report.case.stock_unsigned")
    return words.say("patrol_report.case.stock" if stock else "patrol_report.case.increment")


def joined(values: Iterable[Any] | None) -> str | None:
    return "、".join(str(v) for v in values if v) or None if values is not None else None


def source(case: Mapping[str, Any]) -> str | None:
    return joined(case["sources"])


def text(value: Any) -> Any:
    """A cell as shown: civil days as text, numbers as numbers, what is missing as nothing."""
    if value is None or isinstance(value, (bool, str, Linked)):
        return value
    if isinstance(value, (datetime, pd.Timestamp)):
        return None if pd.isna(value) else f"{value.astimezone(SHANGHAI):%Y-%m-%d}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value != value:
        return None
    return value.item() if hasattr(value, "item") else value


def table(
    key: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], block: str, note: str | None = None, anchors: Sequence[str] = ()
) -> Table:  # fmt: skip
    """A table of this module: headings from its group, cells as shown."""
    return Table(f"case_{key}", keys(columns), [[text(v) for v in row] for row in rows], block, note, anchors)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with plain values, unknown ones as None."""
    return [{str(k): _plain(v) for k, v in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (list, dict, tuple)):
        return value
    return None if pd.isna(value) else value
