"""Is it the same thing as last night? Identity of leads over nights.

One place is one lead: its id and its first date stay, whatever the sources call it, however they cut it up and
whoever looked. Not looked at is never gone; gone is told after a number of observed nights without it. Source for
the order of rules: design notes on identity (MapBiomas Alerta, GFW integrated alerts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import shapely

from rivergis.encroachment.memory import Carried, NightLimits

__all__ = ["Carried", "Known", "NightLimits", "Seen", "Step", "reconcile"]


@dataclass(frozen=True)
class Known:
    """A lead as the nights before left it: id, last footprint (metres) and what it remembers. Closed ones too: they may come back."""

    finding_id: str
    footprint: shapely.Geometry
    carried: Carried


@dataclass(frozen=True)
class Seen:
    """One detection of tonight: its key tonight, kind, source and footprint (metres; of what is told, the net part inside).

    ``identity``: the lasting name of the object in its source, None where names are only tonight's.
    ``untold``: why it is not told (outside, within_tolerance, permitted, undecided ...; then the footprint is all of it).
    Pass what is untold wherever it meets a known lead: it says why that lead is not seen.
    """

    key: str
    kind: str
    footprint: shapely.Geometry
    source: str = ""
    identity: str | None = None
    accuracy_m: float = 0.0
    """Position error of a point, m; areas do without."""
    untold: str | None = None


@dataclass(frozen=True)
class Step:
    """What tonight does to one lead.

    ``status``: new, persisting, grown, shrunk, rebound, split (seen in more pieces than ever; the id goes on);
    gone, permitted, merged (these close it); missed (looked at and not seen, too few times to be gone), unobserved,
    left_by_redraw (the line moved, the object is still there). ``known`` and ``seen`` are positions in the arguments;
    ``seen`` (largest first) is empty where nothing was told of it. ``footprint`` and ``carried`` are what the next
    night is to be given.
    """

    status: str
    known: int | None
    seen: tuple[int, ...]
    footprint: shapely.Geometry
    carried: Carried
    into: int | None = None
    """The known lead that goes on for a merged one."""
    because: str | None = None
    """Reason of the untold detection that explains why it was not seen."""

    @property
    def area_m2(self) -> float | None:
        """Joint area of what was seen, m2; None for points and where nothing was seen."""
        return (self.footprint.area or None) if self.seen else None


def reconcile(
    known: Sequence[Known],
    seen: Sequence[Seen],
    observed_share: Sequence[float],
    limits: NightLimits,
    *,
    night: date,
    line_moved: Sequence[bool] = (),
) -> list[Step]:
    """Steps of one night: what is new, what goes on, what is gone (是否昨夜同一处问题).

    ``observed_share``: for each known lead, the share of its place that was looked at by a source that can see it;
    ``line_moved``: whether a line at its place is another one than on the night before (default: none is). Pure: the
    same arguments give the same steps; order and keys of ``seen`` do not matter.
    """
    match = _match(known, seen, limits)
    steps = [_seen_step(known, seen, i, match.get(i), limits, night) for i in range(len(seen)) if not seen[i].untold]
    taken = set(match.values())
    for k, lead in enumerate(known):
        if k in taken or lead.carried.closed:
            continue
        steps.append(_unseen_step(lead, k, observed_share[k], limits))
    return steps


def _unseen_step(lead: Known, k: int, observed: float, limits: NightLimits) -> Step:
    if observed < limits.min_observed:
        return Step("unobserved", k, (), lead.footprint, lead.carried)
    missed = lead.carried.missed + 1
    status = "gone" if missed >= limits.gone_after else "missed"
    carried = replace(lead.carried, missed=missed, closed="gone" if status == "gone" else None)
    return Step(status, k, (), lead.footprint, carried)


def _match(known: Sequence[Known], seen: Sequence[Seen], limits: NightLimits) -> dict[int, int]:
    by_identity = {name: k for k, lead in enumerate(known) for name in lead.carried.identities}
    told = [i for i, s in enumerate(seen) if not s.untold]
    match = {i: by_identity[seen[i].identity or ""] for i in told if seen[i].identity in by_identity}
    free = [k for k in range(len(known)) if k not in match.values()]
    pairs = []
    tree = shapely.STRtree([known[k].footprint for k in free])
    for i in told:
        if i in match:
            continue
        for j in tree.query(seen[i].footprint, predicate="intersects"):
            k = free[int(j)]
            overlap = _overlap(seen[i].footprint, known[k].footprint)
            if known[k].carried.kind == seen[i].kind and overlap >= limits.min_overlap:
                pairs.append((-round(overlap, 2), known[k].carried.born, known[k].finding_id, i, k))
    used: set[int] = set()
    for *_, i, k in sorted(pairs):
        if i not in match and k not in used:
            match[i] = k
            used.add(k)
    return match


def _overlap(a: shapely.Geometry, b: shapely.Geometry) -> float:
    """Shared area over the smaller of both; points count as full overlap where they meet."""
    smaller = min(a.area, b.area)
    return 1.0 if smaller == 0 else float(shapely.intersection(a, b).area / smaller)


def _seen_step(
    known: Sequence[Known], seen: Sequence[Seen], i: int, k: int | None, limits: NightLimits, night: date
) -> Step:
    s = seen[i]
    now = Carried.bare(
        s.kind,
        s.footprint.area,
        source=s.source,
        born=night.isoformat(),
        last_seen=night.isoformat(),
        identity=s.identity,
        accuracy_m=s.accuracy_m,
    )
    if k is None:
        return Step("new", None, (i,), s.footprint, now)
    before = known[k].carried
    carried = replace(now, born=before.born)
    if before.closed:
        return Step("rebound", k, (i,), s.footprint, carried)
    return Step(_change(before.area_m2, now.area_m2, limits), k, (i,), s.footprint, carried)


def _change(before: float | None, now: float | None, limits: NightLimits) -> str:
    if before is None or now is None:
        return "persisting"
    if now >= before * limits.growth_ratio and now >= before + limits.growth_min_m2:
        return "grown"
    if before >= now * limits.growth_ratio and before >= now + limits.growth_min_m2:
        return "shrunk"
    return "persisting"
