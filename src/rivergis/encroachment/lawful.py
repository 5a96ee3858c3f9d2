"""What ground, lawful use and the basin's law mean for one object: on which grounds it counts, may it be there, how near is too near."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rivergis.encroachment.facts import Facts
from rivergis.encroachment.permit_match import NO, NOT_TOLD, YES
from rivergis.encroachment.position import GROUNDS, Stand, Uncertainty
from rivergis.rules import AllowedUse, RuleView, Taxon


def grounds_of(facts: Facts, view: RuleView) -> tuple[str, ...]:
    """Grounds that enough of it stands on to be told, and ``unknown`` where the data leave as much open."""
    least = view.number("encroach.min_overlap_area")
    area = None if facts.area is None or facts.area.value <= 0 else facts.area.value

    def counts(part: float | None) -> bool:
        return part is not None and part > 0 and (area is None or part * area >= min(least, area / 2))

    return tuple(g for g in (*GROUNDS, "unknown") if counts(getattr(facts.stand, g)))


def allowed_use(use: AllowedUse | None, stand: Stand, grounds: tuple[str, ...]) -> dict[str, Any] | None:
    """The lawful use it may be: allowed, needs_evidence, or not_on_this_ground."""
    if use is None:
        return None
    elsewhere = use.only_on and "unknown" not in grounds and not set(use.only_on) & set(grounds)
    if elsewhere or set(use.never_on) & set(grounds):
        state = "not_on_this_ground"
    elif use.evidence or (use.only_on and "unknown" in grounds):
        state = "needs_evidence"
    else:
        state = "allowed"
    open_ground = [g for g in (*use.only_on, *use.never_on) if getattr(stand, g) is None]
    return asdict(use) | {"state": state, "ground_not_known": open_ground}


def buffers(taxon: Taxon, facts: Facts, off: Uncertainty, view: RuleView) -> tuple[dict[str, Any], ...]:
    """Whether works that a basin's law keeps off the shoreline lie within its distance: yes, no, or not told."""
    row = view.buffer(taxon.code)
    if row is None:
        return ()
    waters = [facts.water] if facts.water else ["main", "tributary"]
    found = [view.find(row["rule"], basin=row["basin"], water=w) for w in waters]
    limits = sorted({float(r.value) for r in found if r is not None and r.value is not None})
    kept = {k: v for k, v in row.items() if k != "of"}
    return (kept | {"limits_m": limits, "within": _within(facts.distance_m, limits, off.band_m)},)


def _within(distance_m: float | None, limits_m: list[float], band_m: float | None) -> str:
    if distance_m is None or not limits_m:
        return NOT_TOLD
    if distance_m >= 0:
        return YES
    if band_m is None:
        return NOT_TOLD
    if -distance_m + band_m <= limits_m[0]:
        return YES
    return NO if -distance_m - band_m > limits_m[-1] else NOT_TOLD
