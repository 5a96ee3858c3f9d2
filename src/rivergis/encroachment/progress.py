"""办理进展: how far the work on problems is, and what a period brought; every figure is a sum over cases that can be listed.

A figure is the number of rows for which a boolean column is true, so that figures of parts add up to the figure of the whole
and each can be traced to its cases. Register ids D3, D16, D20, E12.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import pandas as pd

from rivergis.errors import UsageError

STAGE_OF = {
    "found": "to_verify",
    "not_a_problem": "no_problem",
    "historic_harmless": "no_problem",
    "historic_listed": "listed",
    "problem": "to_assign",
    "assigned": "in_hand",
    "rectified": "to_accept",
    "accepted": "to_close",
    "closed": "closed",
    "closed_above": "closed",
}
"""Where a case stands by its state; every case that counts stands in one place. Merged ones count with the other case."""
MERGED = "merged"
STAGES = tuple(dict.fromkeys(STAGE_OF.values()))
VERIFIED = tuple(s for s in STAGES if s != "to_verify")
PROBLEMS = ("to_assign", "in_hand", "to_accept", "to_close", "closed")
"""Stages of a problem that people confirmed and that is to be put right; 历史碍洪挂账 is listed apart."""
RECTIFIED = ("to_accept", "to_close", "closed")
OPEN = ("listed", "to_assign", "in_hand", "to_accept", "to_close")
HINTS = ("surrogate", "draft", "computed")
"""Bases of lines that nobody announced: what lies inside is a hint, and told apart from leads inside announced lines."""
TOPICS = ("encroachment", "reported")
"""What a report on the four disorders (四乱) counts; outfalls and checks of boundary lines have reports of their own."""
STANDING = ("found", "hints", "verified", "problems", "rectified", "closed", "open", "overdue", "rechecked", "rebounds")
"""Figures of a campaign."""
PERIOD = ("found", "hints", "verified", "confirmed", "rectified", "closed", "rebound")
"""Figures of what happened in a period."""


def standing(cases: pd.DataFrame) -> pd.DataFrame:
    """Cases with one boolean column for each stage and each figure of ``STANDING``; cases merged into another are left out.

    ``hints``: those of the found that nobody verified, inside lines that nobody announced. ``cases``: state, basis, overdue_days,
    looked_back_at, rebounds. ``UsageError`` for a state that has no stage.
    """
    own = cases[cases["state"] != MERGED].copy()
    stage = own["state"].map(STAGE_OF)
    if stage.isna().any():
        strange = sorted(set(own.loc[stage.isna(), "state"]))
        raise UsageError(f"The ledger has cases in the state {strange[0]!r}, which no list knows: upgrade rivergis.")
    own["stage"] = stage
    for name in STAGES:
        own[name] = stage == name
    own["found"] = True
    own["hints"] = (stage == "to_verify") & own["basis"].isin(HINTS)
    own["verified"] = stage.isin(VERIFIED)
    own["problems"] = stage.isin(PROBLEMS)
    own["rectified"] = stage.isin(RECTIFIED)
    own["open"] = stage.isin(OPEN)
    own["overdue"] = own["open"] & (pd.to_numeric(own["overdue_days"]).fillna(0) > 0)
    own["rechecked"] = own["looked_back_at"].notna()
    own["rebounds"] = pd.to_numeric(own["rebounds"]).fillna(0) > 0
    return own


def sums(flags: pd.DataFrame, by: Sequence[str], figures: Iterable[str]) -> pd.DataFrame:
    """Figures by groups: columns ``by`` and one count for each figure, in the order of the groups; unknown groups are kept.

    The sum over all groups is the figure of the whole.
    """
    names = list(figures)
    keys = flags[list(by)].astype(object).where(flags[list(by)].notna(), "")
    table = flags[names].astype(int).groupby([keys[k] for k in by], sort=True).sum()
    return table.reset_index()


def whole(flags: pd.DataFrame, figures: Iterable[str]) -> dict[str, int]:
    """Figures of all rows together."""
    return {name: int(flags[name].sum()) for name in figures}


def share(part: int, of: int) -> float | None:
    """Share in percent with one decimal; None where there is nothing to be a share of."""
    return None if of == 0 else round(100 * part / of, 1)


def happened(cases: pd.DataFrame, events: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Cases with a boolean column for each figure of ``PERIOD``: what happened to them from ``first`` to ``last``, both inclusive.

    ``cases``: id, found_on, basis; ``events``: finding_id, what (one of ``PERIOD``), on (civil day). A case counts once for each
    figure, however often it happened: a case that went back and was put right again was rectified once in the period.
    """
    own = cases.copy()
    inside = events[[first <= d <= last for d in events["on"]]] if len(events) else events
    for name in PERIOD:
        own[name] = own["id"].isin(set(inside.loc[inside["what"] == name, "finding_id"])) if len(inside) else False
    own["found"] = own["found_on"].map(lambda d: d is not None and first <= d <= last).astype(bool)
    own["hints"] = own["found"] & own["basis"].isin(HINTS)
    return own
