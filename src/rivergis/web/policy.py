"""What the rules say of the service itself: how long sessions live, how often one may ask, how long the log is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rivergis import rules
from rivergis.db.access import SessionRules
from rivergis.errors import RuleError
from rivergis.rules import RuleView
from rivergis.web.limits import Rate


@dataclass(frozen=True)
class Policy:
    """The rules ``service.*`` as the service uses them; ``rates`` by kind of request."""

    sessions: SessionRules
    rates: dict[str, Rate]


def load(rules_dir: Path) -> Policy:
    """The policy of the national layer today."""
    return of(rules.load(rules_dir).at((rules.NATIONAL,), date.today()))


def of(view: RuleView) -> Policy:
    """The policy that a rule book gives; ``RuleError`` where a rate is no number above nothing."""
    idle, life, failures, wait = (
        int(view.number(f"service.{k}")) for k in ("session.idle", "session.life", "sign_in.failures", "sign_in.wait")
    )
    per_minute, burst = view.value("service.limit.per_minute").value, view.value("service.limit.burst").value
    rates = {kind: Rate(_above_zero(kind, per_minute), _above_zero(kind, burst)) for kind in per_minute}
    return Policy(SessionRules(idle, life, failures, wait), rates)


def _above_zero(kind: str, values: dict[str, float]) -> float:
    value = values.get(kind)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise RuleError(f"service.limit: the rate of {kind!r} is {value!r}: give a number above 0 in both rows.")
    return float(value)
