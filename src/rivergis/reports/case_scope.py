"""What a list or report of the ledger is about: a day, what was known then, a unit, a campaign; and the cases that belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.encroachment import campaign_workflow, list_store
from rivergis.encroachment.campaigns import Campaign, members
from rivergis.encroachment.progress import MERGED
from rivergis.errors import NotFound
from rivergis.reports import book
from rivergis.reports.patrol_paper import SHANGHAI
from rivergis.rules import RuleBook


@dataclass(frozen=True)
class Scope:
    """One list or report: its day, the moment up to which knowledge counts, the unit (adcode) and the campaign it is limited to."""

    on: date
    known_at: datetime
    unit: str | None = None
    unit_name: str | None = None
    campaign: Campaign | None = None
    signed: date | None = None
    """Night of the signed baseline; None = nobody says 新增."""
    demo: bool = False

    @property
    def name(self) -> str:
        """Where and in which campaign, in words."""
        parts = (self.unit_name or self.unit, self.campaign.name if self.campaign else None)
        return " ".join(p for p in parts if p) or words.say("patrol_report.case.everywhere")

    @property
    def known_exactly(self) -> str:
        """The moment in Beijing time to the last digit, as ``--known-at`` takes it."""
        return self.known_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S.%f")

    def as_json(self) -> dict[str, Any]:
        """What a report that went out is limited to."""
        return {"unit": self.unit, "campaign": self.campaign.code if self.campaign else None}

    def about(self, more: Sequence[tuple[str, Any]] = ()) -> list[tuple[str, Any]]:
        """What a paper says it rests on."""
        stock = words.say("patrol_report.case.unsigned") if self.signed is None else self.signed.isoformat()
        told: list[tuple[str, Any]] = [(words.both("patrol_report.case.as_of"), self.on.isoformat()), *more]
        told.append((words.both("patrol_report.case.scope"), self.name))
        if (c := self.campaign) is not None:
            number = " ".join(p for p in (c.issued_by, c.order_no) if p)
            said = f"{c.name} {number} {c.begins_on}—{c.deadline}".replace("  ", " ")
            told.append((words.both("patrol_report.case.campaign"), said))
        told.append((words.both("patrol_report.case.baseline"), stock))
        return [*told, (words.both("patrol_report.case.replay"), self.known_exactly)]

    def upto(self, known_at: datetime) -> Scope:
        return replace(self, known_at=known_at)


def scope(
    conn: Connection, on: date, known_at: datetime, *, unit: str | None = None, campaign: str | None = None
) -> Scope:
    """What is asked for; ``NotFound`` for a unit or a campaign that there is not."""
    name = list_store.unit_name(conn, unit, on, known_at) if unit else None
    if unit and name is None:
        raise NotFound(f"There is no unit {unit!r} on {on}: give the adcode of a county, township or village.")
    told = campaign_workflow.one(conn, campaign, on, known_at) if campaign else None
    return Scope(on, known_at, unit, name, told, list_store.signed_baseline(conn, known_at), book.is_demo(conn))


def cases(conn: Connection, asked: Scope, rules: RuleBook) -> pd.DataFrame:
    """The cases a list or report is about, in the order of the ledger; what was merged into another counts with that one."""
    found = list_store.cases(conn, asked.on, asked.known_at)
    groups = campaign_workflow.group_of(rules)
    found["group"] = found["class_code"].map(lambda c: groups.get(c, "")).astype(object)
    names = list_store.feed_names(conn, asked.on, asked.known_at)
    found["sources"] = found["sources"].map(lambda told: [names.get(s, s) for s in told or []])
    # what a night merged while people had it in hand is theirs to settle, and counts for itself
    found.loc[~found["state"].isin([MERGED, "found"]), "merged_into"] = None
    keep = (found["state"] != MERGED) & found["merged_into"].isna()
    if asked.unit:
        keep &= found["unit_code"].fillna("").astype(str).str.startswith(asked.unit)
    if asked.campaign is not None:
        keep &= members(found, asked.campaign, groups)
    return found[keep].reset_index(drop=True)
