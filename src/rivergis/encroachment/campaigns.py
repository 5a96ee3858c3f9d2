"""专项行动: which cases of the ledger a campaign or an order of the chief river head (总河长令) is about.

A campaign takes no list of cases: what it is about follows from its classes, its area and its days, so that it can be told
again for any day. Register ids D3, D4, D20.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from rivergis.errors import UsageError

KINDS = ("chief_order", "special_action", "sweep")


@dataclass(frozen=True)
class Campaign:
    """One campaign as it is in force; empty ``classes``, ``kinds``, ``districts`` or ``rivers`` = all of them."""

    code: str
    name: str
    kind: str
    begins_on: date
    deadline: date
    order_no: str | None = None
    issued_by: str | None = None
    issued_on: date | None = None
    classes: Sequence[str] = ()
    """Codes of classes (building.obstacle), their first parts (building) or groups (乱建)."""
    kinds: Sequence[str] = ()
    districts: Sequence[str] = ()
    """adcodes; what lies below belongs to them (GB/T 2260)."""
    rivers: Sequence[str] = ()
    recheck_by: date | None = None
    lead_unit: str | None = None

    def state(self, on: date) -> str:
        """ahead, running, over its deadline (``rechecking`` until the last day of looking back), or over."""
        if on < self.begins_on:
            return "ahead"
        if on <= self.deadline:
            return "running"
        return "rechecking" if self.recheck_by is not None and on <= self.recheck_by else "over"


KINDS = ("chief_order", "special_action", "sweep")
"""总河长令, 专项行动, 拉网排查."""


def check(campaign: Campaign, group_of: Mapping[str, str]) -> None:
    """``UsageError`` in one sentence for a campaign that cannot be: its days, its number, a class that nobody knows."""
    if not campaign.code.strip() or not campaign.name.strip():
        raise UsageError("A campaign has a code and a name.")
    if campaign.kind not in KINDS:
        raise UsageError(f"{campaign.kind!r} is no kind of campaign: it is one of {', '.join(KINDS)}.")
    if campaign.deadline < campaign.begins_on:
        raise UsageError(
            f"The campaign {campaign.code} would end on {campaign.deadline}, before it begins: give --from and --deadline in order."
        )
    if campaign.recheck_by is not None and campaign.recheck_by < campaign.deadline:
        raise UsageError(
            f"Looking back by {campaign.recheck_by} lies before the deadline {campaign.deadline}: give a later day."
        )
    if campaign.kind == "chief_order" and not campaign.order_no:
        raise UsageError("An order of the chief river head has a number: give it with --order-no, such as 第3号.")
    known = {*group_of, *group_of.values(), *(c.partition(".")[0] for c in group_of)}
    for word in campaign.classes:
        if word not in known:
            groups = "、".join(dict.fromkeys(group_of.values()))
            raise UsageError(f"{word!r} is no class of gis/rules/taxonomy.yaml and no group of them ({groups}).")


def members(cases: pd.DataFrame, campaign: Campaign, group_of: Mapping[str, str]) -> pd.Series:
    """Which cases a campaign is about, as booleans: its classes and kinds, in its area, found by its deadline and not yet closed
    when it began. A case merged into another counts with that one.

    ``cases``: class_code, kind, unit_code (adcode of the smallest unit known), river, river_code, found_on, closed_at, merged_into.
    """
    inside = cases["merged_into"].isna()
    if campaign.classes:
        wanted = set(campaign.classes)
        inside &= cases["class_code"].map(lambda c: bool(wanted & _names(c, group_of))).astype(bool)
    if campaign.kinds:
        inside &= cases["kind"].isin(list(campaign.kinds))
    if campaign.districts:
        inside &= (
            cases["unit_code"]
            .fillna("")
            .astype(str)
            .map(lambda c: c.startswith(tuple(campaign.districts)))
            .astype(bool)
        )
    if campaign.rivers:
        own = list(campaign.rivers)
        inside &= cases["river_code"].isin(own) | cases["river"].isin(own)
    inside &= cases["found_on"].map(lambda d: d is not None and d <= campaign.deadline).astype(bool)
    return inside & ~cases["closed_on"].map(lambda d: _before(d, campaign.begins_on)).astype(bool)


def _names(code: str | None, group_of: Mapping[str, str]) -> set[str]:
    return set() if not code else {code, code.partition(".")[0], group_of.get(code, "")} - {""}


def _before(day: date | None, begin: date) -> bool:
    return day is not None and day < begin
