"""问题清单、任务清单、责任清单: three lists from one ledger, the same cases with the same numbers in all three. Register id D5.

And once a year who answers for what, and what is to be done (年度责任清单、任务清单). Register id E17.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.encroachment import list_store
from rivergis.encroachment.progress import OPEN, PROBLEMS, standing, whole
from rivergis.reports import case_rows, case_scope
from rivergis.reports.case_rows import class_name, number, place, state_name, stock_name, table, units
from rivergis.reports.case_scope import Scope
from rivergis.reports.patrol_paper import Paper
from rivergis.rules import RuleBook

LISTED = (*PROBLEMS, "listed")
_PROBLEMS = (
    "number", "superior", "found_on", "source", "county", "town", "village", "river", "bank", "chainage", "lon", "lat", "class", "kind",
    "area_m2", "severity", "stock_kind", "state",
)  # fmt: skip
_TASKS = (
    "number", "place", "class", "measure", "lead", "assigned_on", "deadline", "overdue_days", "rectified_on", "accepted_on", "closed_on",
    "closed_above_on", "sent_back", "escalation_due", "escalation_issued", "state",
)  # fmt: skip
_DUTIES = ("number", "place", "class", "lead", "responsible", "support", "offices", "close_level", "deadline", "state")
FIGURES = ("problems", "listed", "in_hand", "to_accept", "to_close", "closed", "overdue")


def listed(cases: pd.DataFrame, *, open_only: bool = False) -> pd.DataFrame:
    """Cases that stand in the lists: what people found to be a problem (问题), and 历史碍洪挂账; with the figures of each."""
    flags = standing(cases)
    own = flags[flags["stage"].isin(OPEN if open_only else LISTED)]
    return own.reset_index(drop=True)


def paper(conn: Connection, rules: RuleBook, asked: Scope, *, names: bool, open_only: bool = False) -> Paper:
    """The three lists as one paper; ``names``: whether the reader may see who is meant by an office."""
    own = listed(case_scope.cases(conn, asked, rules), open_only=open_only)
    answering = _Answering(list_store.answering(conn, asked.on, asked.known_at))
    rows = case_rows.records(own)
    zh, en = words.pair("patrol_report.case.lists")
    figures = whole(own, FIGURES)
    tables = [
        table("problems", _PROBLEMS, [_problem(c, asked) for c in rows], "case_lists"),
        table("tasks", _TASKS, [_task(c, names) for c in rows], "case_lists"),
        table("duties", _DUTIES, [_duty(c, answering, names) for c in rows], "case_lists"),
    ]
    return Paper(
        f"{asked.name} {zh}",
        en,
        asked.known_at,
        asked.about(),
        tables,
        [(f"case.{k}", v) for k, v in figures.items()],
        demo=asked.demo,
        figures=figures | {"rows": len(rows)},
        footer="case.footer",
    )


def _problem(c: Mapping[str, Any], asked: Scope) -> Sequence[Any]:
    bank = words.say(f"bank.{c['bank']}") if c["bank"] else None
    area = None if c["area_m2"] is None else round(float(c["area_m2"]), 1)
    kind = words.say(f"kind.{c['kind']}") if c["kind"] else None
    return (
        number(c), case_rows.joined(c["superior_numbers"]), c["found_on"], case_rows.source(c), c["county"], c["town"], c["village"],
        c["river"], bank, c["chainage"], round(float(c["lon"]), 6), round(float(c["lat"]), 6), class_name(c["class_code"]), kind, area,
        case_rows.severity(c), stock_name(bool(c["stock"]), asked.signed), state_name(c["state"]),
    )  # fmt: skip


def _task(c: Mapping[str, Any], names: bool) -> Sequence[Any]:
    steps = [_step(c[k]) for k in ("escalation_due", "escalation_issued")]
    return (
        number(c), place(c), class_name(c["class_code"]), c["measure"], units(c, "lead", names=names) or units(c, "responsible", names=names),
        c["assigned_on"], c["deadline"], int(c["overdue_days"] or 0) or None, c["rectified_on"], c["accepted_on"], c["closed_on"],
        c["closed_above_on"], int(c["sent_back"] or 0) or None, *steps, state_name(c["state"]),
    )  # fmt: skip


def _step(code: str | None) -> str | None:
    return words.say(f"patrol_report.case.step_{code}") if code else None


def _duty(c: Mapping[str, Any], answering: _Answering, names: bool) -> Sequence[Any]:
    level = words.say(f"patrol_report.case.close_{c['close_level']}") if c["close_level"] else None
    return (
        number(c), place(c), class_name(c["class_code"]), *(units(c, r, names=names) for r in ("lead", "responsible", "support")),
        answering.of(c, names), level, c["deadline"], state_name(c["state"]),
    )  # fmt: skip


class _Answering:
    """Who answers for the stretch of river on which a case stands."""

    def __init__(self, duties: pd.DataFrame) -> None:
        self._of = {code: case_rows.records(rows) for code, rows in duties.groupby("river_code")}

    def of(self, c: Mapping[str, Any], names: bool) -> str | None:
        """Offices (level, unit) that answer there, the highest first; people only where they may be seen."""
        at, told = c["at_m"], []
        for d in self._of.get(c["river_code"], []) if at is not None else []:
            if d["from_m"] <= at < d["to_m"] and d["bank"] in ("both", c["bank"]):
                told.append(office(d) + (f" {d['chief']}" if names else ""))
        return "、".join(dict.fromkeys(told)) or None


def office(duty: Mapping[str, Any]) -> str:
    """An office without its person: 镇级河长(青石镇)."""
    level = words.say(f"level.{duty['level']}") + words.say("patrol_report.case.office")
    return f"{level}({duty['unit']})" if duty["unit"] else level
