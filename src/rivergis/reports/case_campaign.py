"""专项行动进展: how far a campaign or order is, by district, township, river, reach or class, and across borders by reach.

Register ids D3, D4, D20. And the four stages 查、认、改、罚 of the same cases (E16).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.encroachment import list_store
from rivergis.encroachment.campaigns import Campaign
from rivergis.encroachment.progress import STANDING, share, standing
from rivergis.errors import UsageError
from rivergis.reports import case_rows, case_scope
from rivergis.reports.case_rows import class_name, number, place, state_name, table
from rivergis.reports.case_scope import Scope
from rivergis.reports.case_trace import Trace, by, named
from rivergis.reports.case_trace import rows as rows_of
from rivergis.reports.patrol_paper import Paper, Table
from rivergis.rules import RuleBook

PARTS: dict[str, tuple[str, ...]] = {
    "district": ("county",),
    "town": ("county", "town"),
    "river": ("river",),
    "reach": ("river", "reach"),
    "class": ("group", "class_code"),
}
_SHARES = ("rectified_share", "closed_share")


def progress(conn: Connection, rules: RuleBook, asked: Scope, part: str = "town") -> Paper:
    """How far a campaign is on a day; ``part``: by what its figures are told apart. Reaches that run in or along several counties
    are told apart from those of one county, too, with what each county has there."""
    if asked.campaign is None or part not in PARTS:
        raise UsageError(f"Figures are told by {', '.join(PARTS)}, and of one campaign.")
    stand = standing(case_scope.cases(conn, asked, rules))
    trace = Trace(stand)
    zh, en = words.pair("patrol_report.case.progress")
    tables = [_parts(stand, PARTS[part], trace, f"by_{part}")]
    border = list_store.reaches_of_counties(conn, asked.on, asked.known_at)
    tables.append(_border(stand, {r: c for r, c in border.items() if len(c) > 1}, trace))
    tables += [rows_of(stand, STANDING), trace.sources()]
    figures = {n: int(stand[n].sum()) for n in STANDING}
    state = words.both(f"campaign_state.{asked.campaign.state(asked.on)}")
    return Paper(
        f"{asked.campaign.name} {zh}", en, asked.known_at, asked.about(_told(asked.campaign, state)), tables,
        [(f"case.{k}", v) for k, v in figures.items()], demo=asked.demo, footer="case.footer",
        figures={"campaign": asked.campaign.code, "total": figures, "cases": trace.cases},
    )  # fmt: skip


def _told(c: Campaign, state: str) -> list[tuple[str, Any]]:
    """What a campaign is, for the head of its paper."""
    area = "、".join([*c.districts, *c.rivers]) or words.say("patrol_report.case.everywhere")
    said = {
        "code": c.code, "order_no": c.order_no, "campaign_state": state, "classes": "、".join([*c.classes, *c.kinds]) or None, "area": area,
        "deadline": c.deadline.isoformat(), "recheck_by": c.recheck_by.isoformat() if c.recheck_by else None, "lead_unit": c.lead_unit,
    }  # fmt: skip
    return [(words.both(f"patrol_report.case.{k}"), v) for k, v in said.items() if v]


def _parts(stand: pd.DataFrame, columns: Sequence[str], trace: Trace, key: str) -> Table:
    rows = [(*_words(columns, k), *_figures(own, trace, " ".join(_words(columns, k)))) for k, own in by(stand, columns)]
    whole = [words.say("patrol_report.case.all"), *[None] * (len(columns) - 1)]
    heads = tuple("class" if c == "class_code" else c for c in columns)
    rows.append((*whole, *_figures(stand, trace, "")))
    note = words.both("patrol_report.case.progress_note")
    return table(key, (*heads, *STANDING, *_SHARES), rows, "case_progress", note)


def _words(columns: Sequence[str], key: Sequence[Any]) -> list[str]:
    return [class_name(v) or v if c == "class_code" else v for c, v in zip(columns, named(key), strict=True)]


def _figures(own: pd.DataFrame, trace: Trace, part: str) -> Sequence[Any]:
    figures = dict(zip(STANDING, trace.figures(own, STANDING, part), strict=True))
    problems = int(figures["problems"])
    return (*figures.values(), share(int(own["rectified"].sum()), problems), share(int(own["closed"].sum()), problems))


def _border(stand: pd.DataFrame, border: Mapping[str, Sequence[str]], trace: Trace) -> Table:
    """跨界河段 reaches of several counties, with the figures of each county there."""
    own = stand[stand["reach"].isin(list(border))]
    rows = []
    for (river, reach, county), part in by(own, ("river", "reach", "county")):
        said = " ".join(named((river, reach, county)))
        rows.append((*named((river, reach)), "—".join(border[reach]), *named((county,)), *_figures(part, trace, said)))
    note = words.both("patrol_report.case.border_note")
    return table("border", ("river", "reach", "counties", "county", *STANDING, *_SHARES), rows, "case_progress", note)


_FIND = (
    "number",
    "place",
    "class",
    "found_on",
    "source",
    "confirmed_on",
    "outcome",
    "assigned_on",
    "deadline",
    "rectified_on",
    "accepted_on",
    "closed_on",
)
_DECIDED = ("decisions",)


def stages(conn: Connection, rules: RuleBook, asked: Scope) -> Paper:
    """查、认、改、罚 of the cases in the ledger: when each stage was reached, and what a competent authority did with its document.

    罚 holds only what an authority decided; we propose nothing and name no person.
    """
    cases = {c["id"]: c for c in case_rows.records(case_scope.cases(conn, asked, rules))}
    told = [s for s in case_rows.records(list_store.stages(conn, asked.on, asked.known_at)) if s["id"] in cases]
    shown = [s for s in told if s["number"] is not None or s["decisions"]]
    at = {n: sum(s["stage"] == n for s in told) for n in ("find", "confirm", "rectify", "done")}
    decided = sum(bool(s["decisions"]) for s in told)
    zh, en = words.pair("patrol_report.case.stages")
    counts = [*((f"case.stage_{k}", n) for k, n in at.items()), ("case.decided", decided)]
    rows = [_stage_row(s, cases[s["id"]]) for s in shown]
    note = words.both("patrol_report.case.stages_note", n=len(told) - len(shown))
    return Paper(
        f"{asked.name} {zh}", en, asked.known_at, asked.about(), [table("stages", ("stage", *_FIND, *_DECIDED), rows, "case_stages", note)],
        counts, demo=asked.demo, footer="case.footer", figures={**at, "decided": decided},
    )  # fmt: skip


def _stage_row(s: Mapping[str, Any], c: Mapping[str, Any]) -> Sequence[Any]:
    outcome = state_name(s["outcome"]) if s["outcome"] else None
    return (
        words.say(f"patrol_report.case.stage_{s['stage']}"), number(c), place(c), class_name(c["class_code"]), s["found_on"],
        case_rows.source(c), s["confirmed_on"], outcome, s["assigned_on"], s["deadline"], s["rectified_on"], s["accepted_on"],
        s["closed_on"], ";".join(_decided(d) for d in s["decisions"]) or None,
    )  # fmt: skip


def _decided(d: Mapping[str, Any]) -> str:
    """What an authority did, in the order of its document: day, office, what, number."""
    what = words.say(f"patrol_report.case.outcome_{d['outcome']}")
    return f"{d['decided_on']} {d['authority']} {what} {d['document_no']}"
