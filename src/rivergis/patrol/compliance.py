"""达标: only rules that stand in an announced document are tested; keys that no document sets are not.

Coverage, bank and speed are shown beside it as reference (覆盖情况) and enter no verdict here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rivergis.rules import RuleValue


@dataclass(frozen=True)
class Tested:
    """One rule row against its measured value; ``near`` within 15 % of the threshold: that goes to a person."""

    key: str
    measured: float
    threshold: float
    unit: str
    met: bool
    near: bool
    basis: str
    status: str


NEAR = 0.15


def test(figures: dict[str, float], rule: Callable[[str], RuleValue | None]) -> list[Tested]:
    """Test minutes and metres of a patrol (``figures``: minutes, metres) against the local rules.

    ``rule`` answers a key with its row or None. Only rows with status ``confirmed`` are tested.
    """
    out = []
    for key, name in (("patrol.effective.min_duration", "minutes"), ("patrol.effective.min_distance", "metres")):
        row = rule(key)
        if row is None or row.value is None or row.status != "confirmed":
            continue
        threshold, measured = float(row.value), figures[name]
        out.append(
            Tested(
                key,
                round(measured, 2),
                threshold,
                row.unit or "",
                measured >= threshold,
                abs(measured - threshold) <= NEAR * threshold,
                row.basis,
                row.status,
            )
        )
    return out
