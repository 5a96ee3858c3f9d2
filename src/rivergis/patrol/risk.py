"""问题河段加密巡查: extra visits that open problems near an assigned stretch advise, each with its reason in words.

Extra visits are advice beside the frequency (建议加密), owed only where a local document adopts the table of the rules. Leads of
the machine stay suspected leads until a person has judged them. Register id A5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from rivergis.errors import RuleError
from rivergis.patrol.visits import Stretch

PROBLEM = ("problem_id", "kind", "river_id", "at_m", "bank", "name", "since", "lon", "lat")
REBOUND, JUDGED, LEAD, SECTION, WARNING = "rebound", "problem", "lead", "failing_section", "warning"
KINDS = (REBOUND, JUDGED, LEAD, SECTION, WARNING)
# state of a finding that a person has judged a problem and nobody has closed
OPEN_STATES = ("problem", "assigned", "rectified")


@dataclass(frozen=True)
class Raise:
    """One row of ``patrol.risk.extra``: from ``at_least`` problems of a kind on, so many visits more in each period."""

    when: str
    extra: int
    at_least: int = 1


@dataclass(frozen=True)
class Reason:
    """Why a stretch should be visited more often: kind and number of problems, and visits it adds."""

    when: str
    n: int
    extra: int


@dataclass(frozen=True)
class Advice:
    """Extra visits of a stretch in a period (``extra``, at most what the rules allow), with all reasons for them."""

    extra: int
    reasons: tuple[Reason, ...]


def table(value: Iterable[Mapping[str, Any]]) -> list[Raise]:
    """The rows of ``patrol.risk.extra``; ``RuleError`` for a kind or a number that is none."""
    out = []
    for row in value:
        made = Raise(str(row.get("when")), row.get("extra", 0), row.get("at_least", 1))
        if made.when not in KINDS or not all(isinstance(n, int) and n >= 0 for n in (made.extra, made.at_least)):
            raise RuleError(
                f"patrol.risk.extra has the row {dict(row)}: when is one of {', '.join(KINDS)}, the rest whole numbers."
            )
        out.append(made)
    return out


def kind_of(state: str, status: str) -> str | None:
    """What an encroachment or outfall finding is for patrols: a rebound, a judged problem, a lead, or nothing (closed, gone)."""
    if status == "rebound":
        return REBOUND
    if state in OPEN_STATES:
        return JUDGED
    return LEAD if state == "found" and status not in ("gone", "permitted", "merged") else None


def on_way(problems: pd.DataFrame, stretches: Sequence[Stretch], margin_m: float) -> pd.DataFrame:
    """Problems (columns ``PROBLEM``) that lie along any of the stretches, or at most ``margin_m`` beyond its ends."""
    keep = [any(lies(p, s, margin_m) for s in stretches) for p in problems.itertuples(index=False)]
    return problems.loc[pd.Series(keep, problems.index, dtype=bool)].reset_index(drop=True)


def by_river(problems: pd.DataFrame) -> dict[Any, list[Any]]:
    """Problems of each river, as rows."""
    out: dict[Any, list[Any]] = {}
    for row in problems.itertuples(index=False):
        out.setdefault(row.river_id, []).append(row)
    return out


def lies(problem: Any, stretch: Stretch, margin_m: float) -> bool:
    """Whether a problem lies along a stretch, or at most ``margin_m`` beyond its ends; one without chainage on all its river."""
    if problem.river_id != stretch.river_id:
        return False
    at_m = problem.at_m
    return pd.isna(at_m) or stretch.from_m - margin_m <= at_m <= stretch.to_m + margin_m


def advise(kinds: Mapping[str, int], rows: Sequence[Raise], max_extra: int) -> Advice:
    """How many more visits so many problems of each kind advise; of several rows of one kind the highest counts."""
    reasons = tuple(r for r in _reasons(kinds, rows) if r.extra)
    return Advice(min(sum(r.extra for r in reasons), max_extra), reasons)


def _reasons(kinds: Mapping[str, int], rows: Sequence[Raise]) -> Iterator[Reason]:
    for kind in KINDS:
        n = kinds.get(kind, 0)
        extra = max((r.extra for r in rows if r.when == kind and n >= max(r.at_least, 1)), default=0)
        yield Reason(kind, n, extra)


def counted(problems: Iterable[Any], on: date) -> dict[str, int]:
    """Number of problems (rows) of each kind that were known on a day."""
    return dict(Counter(str(p.kind) for p in problems if pd.isna(p.since) or p.since <= on))
