"""Is it the same thing as last night? Identity of leads over nights.

Thin on purpose: the same object by its identity, else the best overlap of the same kind. Not looked at is never
gone; gone is told after a number of observed nights without it. Source for the order of rules: design notes on
identity (MapBiomas Alerta, GFW integrated alerts: one place, one alert, the first date stays).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely


@dataclass(frozen=True)
class Known:
    """An open lead as the ledger has it: its key, kind, last footprint (metres), area, and observed nights without it."""

    finding_id: str
    key: str
    kind: str
    footprint: shapely.Geometry
    area_m2: float | None
    missed: int
    gone: bool = False


@dataclass(frozen=True)
class Seen:
    """What is seen tonight: key of the object, kind, footprint (metres), net area."""

    key: str
    kind: str
    footprint: shapely.Geometry
    area_m2: float | None


@dataclass(frozen=True)
class Step:
    """What a night does to a lead: ``seen`` is its position tonight (None if not seen), ``known`` its position in the ledger."""

    status: str  # new, persisting, grown, shrunk, rebound, gone, unobserved, missed
    seen: int | None
    known: int | None


def reconcile(
    known: Sequence[Known],
    seen: Sequence[Seen],
    observed_share: Sequence[float],
    *,
    min_overlap: float,
    gone_after: int,
    grown_ratio: float,
    grown_min_m2: float,
    min_observed: float,
) -> list[Step]:
    """Steps of one night. ``observed_share``: for each known lead, the share of its place that was looked at.

    ``missed`` means looked at and not seen, too few times yet to be called gone. Independent of order: ties go to
    the older key.
    """
    match = _match(known, seen, min_overlap)
    steps = [_step_seen(known, seen, i, match.get(i), grown_ratio, grown_min_m2) for i in range(len(seen))]
    taken = set(match.values())
    for k, lead in enumerate(known):
        if k in taken or lead.gone:
            continue
        if observed_share[k] < min_observed:
            steps.append(Step("unobserved", None, k))
        else:
            steps.append(Step("gone" if lead.missed + 1 >= gone_after else "missed", None, k))
    return steps


def _match(known: Sequence[Known], seen: Sequence[Seen], min_overlap: float) -> dict[int, int]:
    by_key = {lead.key: k for k, lead in enumerate(known)}
    match = {i: by_key[s.key] for i, s in enumerate(seen) if s.key in by_key}
    free = [k for k in range(len(known)) if k not in match.values()]
    pairs = []
    tree = shapely.STRtree([known[k].footprint for k in free])
    for i, s in enumerate(seen):
        if i in match:
            continue
        for j in tree.query(s.footprint, predicate="intersects"):
            k = free[int(j)]
            overlap = _overlap(s.footprint, known[k].footprint)
            if known[k].kind == s.kind and overlap >= min_overlap:
                pairs.append((-round(overlap, 2), known[k].key, s.key, i, k))
    used: set[int] = set()
    for _, _, _, i, k in sorted(pairs):
        if i not in match and k not in used:
            match[i] = k
            used.add(k)
    return match


def _overlap(a: shapely.Geometry, b: shapely.Geometry) -> float:
    """Shared area over the smaller of both; points count as full overlap where they meet."""
    smaller = min(a.area, b.area)
    return 1.0 if smaller == 0 else float(shapely.intersection(a, b).area / smaller)


def _step_seen(
    known: Sequence[Known], seen: Sequence[Seen], i: int, k: int | None, ratio: float, min_m2: float
) -> Step:
    if k is None:
        return Step("new", i, None)
    before, now = known[k].area_m2, seen[i].area_m2
    if known[k].gone:
        return Step("rebound", i, k)
    if before is None or now is None or np.isnan(before):
        return Step("persisting", i, k)
    if now >= before * ratio and now >= before + min_m2:
        return Step("grown", i, k)
    if before >= now * ratio and before >= now + min_m2:
        return Step("shrunk", i, k)
    return Step("persisting", i, k)
