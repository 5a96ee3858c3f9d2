"""Looking back at closed cases (回头看): which are drawn, by risk, so that nobody can draw until it suits. Pure.

《全面推行河长制 … 定期开展排查整改“回头看”》: not done in full, or rebounded. What was never on the ledger (漏查漏报) is opened as a case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rivergis.encroachment import sampling

SHANGHAI = ZoneInfo("Asia/Shanghai")
OUTPUTS = ("holds", "not_done", "rebounded")
"""整治到位, 清理整治不到位, 反弹."""
AT_RISK, ORDINARY = "at_risk", "ordinary"


@dataclass(frozen=True)
class Closed:
    """A case that was closed: what it weighs and who may not look at it."""

    case_id: str
    county: str
    class_code: str
    risks: tuple[str, ...]
    done_by: tuple[str, ...]

    @property
    def level(self) -> str:
        return AT_RISK if self.risks else ORDINARY


@dataclass(frozen=True)
class Drawn:
    """A sample of closed cases: its seed, how many it was drawn from, and (stratum, case) in order."""

    seed: str
    population: int
    members: list[tuple[str, Closed]]


def risks(case: Mapping[str, Any], quick_days: float) -> tuple[str, ...]:
    """Why a closed case weighs more; ``case``: a row of ``app.case_as_of``.

    severe, sent_back, doubts (in its evidence), rebound (before), late (rectified after its deadline), quick (in few days).
    """
    assigned, rectified, deadline = case["assigned_at"], case["rectified_at"], case["deadline"]
    reasons = {
        "severe": case["severity"] in ("较严重", "重大"),
        "sent_back": case["sent_back"] > 0,
        "doubts": case["doubts"] > 0,
        "rebound": case["rebounds"] > 0,
        "late": bool(rectified and deadline and _day(rectified) > deadline),
        "quick": bool(assigned and rectified and 0 <= (rectified - assigned).total_seconds() < quick_days * 86_400),
    }
    return tuple(name for name, there in reasons.items() if there)


def _day(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date()


def draw(scope: Mapping[str, Any], population: Sequence[Closed], share: float, share_at_risk: float) -> Drawn:
    """Draw a share of every county and class, more of those with a risk, each rounded up; the population is the seed."""
    held = {c.case_id: c for c in population}
    shares = {AT_RISK: share_at_risk, ORDINARY: share}
    members: list[tuple[str, Closed]] = []
    every = [sampling.Member(c.case_id, c.county, c.class_code, c.level) for c in population]
    for level, part in shares.items():
        group = [m for m in every if m.outcome == level]
        if group:
            members += [(m.stratum, held[m.key]) for m in sampling.draw(scope, group, part).members]
    return Drawn(sampling.seed_of(scope, every), len(population), members)
