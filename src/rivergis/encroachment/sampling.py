"""Re-examining what was judged no problem (不是问题抽样复核): a sample that nobody can draw until it suits, and what it tells.

Practice of 松辽委: about 6 % of the patches judged 不是问题 are examined again by others. Pure.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# reasons of not telling that are a judgement on something at the line; what lies plainly outside is none
NEAR = (
    "permitted",
    "allowed_use",
    "below_min_area",
    "within_tolerance",
    "touches_only",
    "in_hole",
)
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Member:
    """One thing judged no problem: by people (``judged_by`` names them) or by the machine, which did not tell it."""

    key: str
    """finding/ID or candidate/ID: what it is, whoever asks."""
    county: str
    class_code: str
    outcome: str
    judged_by: tuple[str, ...] = ()
    finding_id: str | None = None
    candidate_id: str | None = None
    candidate_version: int | None = None

    @property
    def stratum(self) -> str:
        return f"{self.county or '-'} / {self.class_code or '-'} / {self.outcome}"


@dataclass(frozen=True)
class Draw:
    """A sample: its seed, the members drawn in order, and stratum -> (population, drawn)."""

    seed: str
    members: list[Member]
    strata: dict[str, tuple[int, int]]


def seed_of(scope: Mapping[str, Any], population: Iterable[Member]) -> str:
    """The seed: a hash of what is drawn from and of what was judged of it, in whatever order it comes."""
    lines = sorted(f"{m.key}|{m.stratum}" for m in population)
    head = "|".join(f"{k}={scope[k]}" for k in sorted(scope))
    return hashlib.sha256("\n".join([head, *lines]).encode()).hexdigest()


def draw(scope: Mapping[str, Any], population: Sequence[Member], share: float) -> Draw:
    """Draw a share of every stratum, rounded up, so that each county, class and outcome is examined at least once.

    The order within a stratum is that of the hash of seed and member: the same population gives the same sample everywhere.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share is above 0 and at most 1, not {share}")
    seed = seed_of(scope, population)
    groups: dict[str, list[Member]] = {}
    for m in population:
        groups.setdefault(m.stratum, []).append(m)
    members: list[Member] = []
    strata = {}
    for name in sorted(groups):
        ranked = sorted(groups[name], key=lambda m: _rank(seed, m))
        count = math.ceil(round(share * len(ranked), 9))
        strata[name] = (len(ranked), count)
        members += ranked[:count]
    return Draw(seed, members, strata)


def _rank(seed: str, member: Member) -> tuple[str, str]:
    return hashlib.sha256(f"{seed}|{member.key}".encode()).hexdigest(), member.key


def wilson(wrong: float, examined: float) -> tuple[float, float]:
    """Interval of Wilson (95 %) of a share; from 0 to 1 where nothing was examined.

    >>> [round(x, 3) for x in wilson(0, 60)]
    [0.0, 0.06]
    """
    if examined <= 0:
        return 0.0, 1.0
    p, z2 = wrong / examined, Z95**2
    middle = p + z2 / (2 * examined)
    half = Z95 * math.sqrt(p * (1 - p) / examined + z2 / (4 * examined**2))
    low, high = (middle - half) / (1 + z2 / examined), (middle + half) / (1 + z2 / examined)
    return (0.0 if wrong == 0 else max(low, 0.0)), (1.0 if wrong == examined else min(high, 1.0))


@dataclass(frozen=True)
class Result:
    """What an examined sample tells of its population: error share with its interval, in all and by stratum."""

    population: int
    drawn: int
    examined: int
    disagreed: int
    share: float | None
    """Estimated share of the population that was judged wrongly; strata weigh by how many they are. None = none examined."""
    interval: tuple[float, float]
    strata: list[dict[str, Any]] = field(default_factory=list)


def result(strata: Mapping[str, tuple[int, int]], examined: Sequence[tuple[str, bool]]) -> Result:
    """Error share of a population from its examined members: (stratum, whether the examiner disagreed).

    Small strata are examined more than their share, so members weigh by what each stands for; the interval is Wilson's with
    the number of members that an even sample of the same worth would have (Kish).
    """
    rows, weights, wrong = [], [], 0.0
    for name, (population, drawn) in strata.items():
        told = [bad for s, bad in examined if s == name]
        low, high = wilson(sum(told), len(told))
        rows.append(
            {
                "stratum": name,
                "population": population,
                "drawn": drawn,
                "examined": len(told),
                "disagreed": sum(told),
                "low": round(low, 4),
                "high": round(high, 4),
            }
        )
        weight = population / max(len(told), 1)
        weights += [weight] * len(told)
        wrong += weight * sum(told)
    total = sum(weights)
    share = wrong / total if total else None
    worth = total**2 / sum(w * w for w in weights) if weights else 0.0
    low, high = wilson((share or 0.0) * worth, worth)
    return Result(
        sum(p for p, _ in strata.values()),
        sum(d for _, d in strata.values()),
        len(examined),
        sum(bad for _, bad in examined),
        None if share is None else round(share, 4),
        (round(low, 4), round(high, 4)),
        rows,
    )
