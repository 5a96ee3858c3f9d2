"""年度责任清单、任务清单: who answers for which metres of river in a year, and what is to be done in it. Register id E17.

Made of the register of duties, the rules on patrols, the campaigns and the open cases; offices answer, people are named only
where the reader may see them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.encroachment import campaign_workflow, list_store
from rivergis.encroachment.progress import OPEN, standing
from rivergis.errors import UsageError
from rivergis.patrol import calendar, duty_workflow
from rivergis.reports import case_rows, case_scope
from rivergis.reports.case_lists import office
from rivergis.reports.case_rows import class_name, number, place, state_name, table, units
from rivergis.reports.case_scope import Scope
from rivergis.reports.patrol_paper import Paper, Table
from rivergis.river.chainage import label
from rivergis.rules import RuleBook

_DUTIES = ("river", "bank", "from", "to", "km", "level", "offices", "title_of", "valid_from")
_PATROLS = ("offices", "waters", "period_kind", "periods", "visits", "basis", "basis_status")
_CAMPAIGNS = (
    "code",
    "campaign",
    "order_no",
    "classes",
    "begins_on",
    "deadline",
    "recheck_by",
    "lead_unit",
    "campaign_state",
)
_CASES = ("number", "place", "class", "measure", "lead", "deadline", "state")


def paper(conn: Connection, rules: RuleBook, asked: Scope, year: int, *, names: bool) -> Paper:
    """The lists of a year as known on the day of ``asked``; ``names``: whether the reader may see who holds an office."""
    if not 1990 <= year <= 2100:
        raise UsageError(f"{year} is no year of river work: give one from 1990 to 2100.")
    first, last = date(year, 1, 1), date(year, 12, 31)
    day = min(max(asked.on, first), last)
    held = _held(conn, asked, day)
    cases = standing(case_scope.cases(conn, asked, rules))
    waiting = cases[cases["stage"].isin(OPEN)]
    tables = [
        table(
            "year_duties",
            (*_DUTIES, *(("chief",) if names else ())),
            [_duty_row(d, names) for d in held],
            "year_duties",
        ),
        _patrols(conn, rules, asked, first, last, {d["unit_code"]: d["unit"] for d in held}),
        _campaigns(conn, asked, first, last),
        table("year_cases", _CASES, [_case(c) for c in case_rows.records(waiting)], "year_tasks"),
    ]
    zh, en = words.pair("patrol_report.case.yearly")
    figures = {
        "duties_n": len(held),
        "metres_m": round(sum(d["to_m"] - d["from_m"] for d in held)),
        "campaigns_n": len(tables[2].rows),
        "open": len(waiting),
    }
    return Paper(
        f"{asked.name} {zh.format(year=year)}", en.format(year=year), asked.known_at,
        asked.about([(words.both("patrol_report.case.year"), year), (words.both("patrol_report.case.duties_on"), day.isoformat())]),
        tables, [(f"case.{k}", v) for k, v in figures.items() if k != "metres_m"], demo=asked.demo, figures=figures, footer="case.footer",
    )  # fmt: skip


def _held(conn: Connection, asked: Scope, day: date) -> list[dict[str, Any]]:
    rows = case_rows.records(list_store.answering(conn, day, asked.known_at))
    return [d for d in rows if not asked.unit or str(d["unit_code"] or "").startswith(asked.unit)]


def _duty_row(d: Mapping[str, Any], names: bool) -> Sequence[Any]:
    km = round((d["to_m"] - d["from_m"]) / 1000, 2)
    level = words.say(f"level.{d['level']}")
    told = (
        d["river"],
        words.say(f"bank.{d['bank']}"),
        label(d["from_m"]),
        label(d["to_m"]),
        km,
        level,
        office(d),
        d["title"],
        d["valid_from"],
    )
    return (*told, d["chief"]) if names else told


def _patrols(
    conn: Connection, rules: RuleBook, asked: Scope, first: date, last: date, unit_names: Mapping[Any, Any]
) -> Table:
    """巡河任务 visits that the announced rules ask for in the year, by office, water and period."""
    read = duty_workflow.read(conn, rules, first=first, last=last, as_of=asked.on, known_at=asked.known_at)
    unit_of = dict(zip(read.duties["chief_id"], read.duties["unit_code"], strict=True))
    own = read.ledger[(read.ledger["what"] == calendar.VISITS) & read.ledger["begin"].between(first, last)]
    own = own.assign(unit=[unit_of.get(c) for c in own["chief_id"]])
    rows = []
    for key, part in own.groupby(["unit", "level", "waters", "period", "basis", "status"], dropna=False, sort=True):
        unit, level, waters, period, basis, status = (None if pd.isna(k) else k for k in key)
        if asked.unit and not str(unit or "").startswith(asked.unit):
            continue
        said = office({"level": level, "unit": unit_names.get(unit)})
        visits = int(part["count"].fillna(0).sum())
        kind = words.say(f"patrol_report.duty.period_{period}")
        rows.append((said, waters, kind, len(part), visits, basis, words.say(f"rule_status.{status}")))
    return table("year_patrols", _PATROLS, rows, "year_tasks", words.both("patrol_report.case.year_note"))


def _campaigns(conn: Connection, asked: Scope, first: date, last: date) -> Table:
    told = [c for c, _ in campaign_workflow.listed(conn, asked.on, asked.known_at)]
    rows = [
        (
            c.code,
            c.name,
            c.order_no,
            "、".join(c.classes) or None,
            c.begins_on,
            c.deadline,
            c.recheck_by,
            c.lead_unit,
            words.say(f"campaign_state.{c.state(asked.on)}"),
        )
        for c in told
        if c.begins_on <= last and (c.recheck_by or c.deadline) >= first
    ]
    return table("year_campaigns", _CAMPAIGNS, rows, "year_tasks")


def _case(c: Mapping[str, Any]) -> Sequence[Any]:
    lead = units(c, "lead", names=False) or units(c, "responsible", names=False)
    return (number(c), place(c), class_name(c["class_code"]), c["measure"], lead, c["deadline"], state_name(c["state"]))
