"""Which known lead is each thing of tonight: areas. What is a point is matched in ``point_matching``.

The order decides: what is the same ground goes to the open lead it shares most with; what is left is a part of a lead,
then a rebound, then a merge tells where the leads went that are left without ground. Ties go to what was born first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

from rivergis.encroachment.groups import Overlaps, overlaps
from rivergis.encroachment.memory import Carried, NightLimits


@dataclass(frozen=True)
class Known:
    """A lead as the nights before left it: id, last footprint (metres) and what it remembers. Closed ones too: they may come back."""

    finding_id: str
    footprint: shapely.Geometry
    carried: Carried

    @property
    def rank(self) -> tuple[str, str]:
        """Born first goes first."""
        return self.carried.born, self.finding_id

    @property
    def is_area(self) -> bool:
        return bool(self.footprint.area > 0)


@dataclass(frozen=True)
class Thing:
    """One thing of tonight: the detections that are it, its ground (metres), the kinds and lasting names it is given."""

    members: tuple[int, ...]
    ground: shapely.Geometry
    kinds: frozenset[str]
    names: frozenset[str] = frozenset()
    accuracy_m: float = 0.0


@dataclass
class Matched:
    """Things and known leads that belong together, by position; a lead may hold several things: its parts."""

    lead_of: dict[int, int] = field(default_factory=dict)
    things_of: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    merged: dict[int, int] = field(default_factory=dict)
    """Known lead -> known lead that goes on for it."""

    def take(self, thing: int, lead: int) -> None:
        self.lead_of[thing] = lead
        self.things_of[lead].append(thing)

    def give_up(self, thing: int) -> None:
        """Take a thing away from the lead that holds it."""
        lead = self.lead_of.pop(thing)
        self.things_of[lead].remove(thing)
        if not self.things_of[lead]:
            del self.things_of[lead]


@dataclass(frozen=True)
class AreaNight:
    """Things with an area, and the leads they may be: ``open_`` and ``back`` (closed lately) are positions in ``known``."""

    things: Sequence[Thing]
    known: Sequence[Known]
    open_: frozenset[int]
    back: frozenset[int]
    observed: Sequence[float]
    limits: NightLimits

    def alike(self, thing: int, lead: int) -> bool:
        return bool(self.things[thing].kinds & self.known[lead].carried.usual_kinds)

    def namesakes(self, thing: int, lead: int) -> bool:
        return not self.things[thing].names.isdisjoint(self.known[lead].carried.identities)


def match_areas(night: AreaNight) -> Matched:
    """Match things with an area to open leads, then to those closed lately; what stays unmatched is new."""
    leads = np.array(sorted(k for k in night.open_ | night.back if night.known[k].is_area), int)
    ground = np.array([t.ground for t in night.things], object)
    found = overlaps(ground, np.array([night.known[k].footprint for k in leads], object))
    found = Overlaps(found.first, leads[found.second], found.iou, found.of_first, found.of_second)
    edges = found.where(np.array([_edge(night, *row) for row in found.rows()], bool))
    matched = Matched()
    _one_to_one(night, edges, night.open_, matched)
    _by_name(night, leads, matched)
    _pieces(night, found, matched)
    _parts(night, found, night.open_, matched)
    _one_to_one(night, edges, night.back, matched)
    _parts(night, found, night.back, matched)
    _merge(night, edges, matched)
    return matched


def _edge(night: AreaNight, thing: int, lead: int, iou: float, of_thing: float, of_lead: float) -> bool:
    """Whether a thing may be a lead: much of the smaller, and the same ground or kind or name."""
    same_place = max(of_thing, of_lead) >= night.limits.min_overlap
    return night.namesakes(thing, lead) or (same_place and (iou >= night.limits.match_iou or night.alike(thing, lead)))


def _one_to_one(night: AreaNight, edges: Overlaps, among: frozenset[int], matched: Matched) -> None:
    rows = sorted(
        (-round(iou, 2), not night.namesakes(t, k), night.known[k].rank, t, k)
        for t, k, iou, *_ in edges.rows()
        if k in among and t not in matched.lead_of and k not in matched.things_of
    )
    for *_, t, k in rows:
        if t not in matched.lead_of and k not in matched.things_of:
            matched.take(t, k)


def _by_name(night: AreaNight, leads: np.ndarray, matched: Matched) -> None:
    """An object that jumped and kept its lasting name is the same lead, as far as the limit goes."""
    named = {
        name: int(k)
        for k in sorted(leads, key=lambda k: night.known[k].rank, reverse=True)
        if k in night.open_ and k not in matched.things_of
        for name in night.known[k].carried.identities
    }
    for t, thing in enumerate(night.things):
        for k in sorted({named[n] for n in thing.names if n in named}, key=lambda k: night.known[k].rank):
            jump_m = shapely.distance(thing.ground, night.known[k].footprint)
            if t not in matched.lead_of and k not in matched.things_of and jump_m <= night.limits.same_name_within_m:
                matched.take(t, k)


def _pieces(night: AreaNight, found: Overlaps, matched: Matched) -> None:
    """An open lead that no single thing is, but several together: cut up and called something else in one night."""
    held: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for t, k, _, of_thing, of_lead in found.rows():
        if of_thing >= night.limits.part_share and k in night.open_ and k not in matched.things_of:
            held[k].append((t, of_lead))
    for k in sorted(held, key=lambda k: night.known[k].rank):
        free = [(t, share) for t, share in held[k] if t not in matched.lead_of]
        if sum(share for _, share in free) >= night.limits.match_iou:
            for t, _ in free:
                matched.take(t, k)


def _parts(night: AreaNight, found: Overlaps, among: frozenset[int], matched: Matched) -> None:
    """A thing left over joins the lead that held most of its ground: the lead has split, its id goes on."""
    rows = sorted(
        (-of_thing, night.known[k].rank, t, k)
        for t, k, _, of_thing, _ in found.rows()
        if of_thing >= night.limits.part_share and k in among and k in matched.things_of and t not in matched.lead_of
    )
    for *_, t, k in rows:
        if t not in matched.lead_of and all(_beside(night, t, o) for o in matched.things_of[k]):
            matched.take(t, k)


def _beside(night: AreaNight, part: int, other: int) -> bool:
    """Whether two things are parts of one: of one kind, or side by side; a heap on a yard is neither."""
    a, b = night.things[part], night.things[other]
    smaller = min(a.ground.area, b.ground.area)
    shared = shapely.intersection(a.ground, b.ground).area
    return bool(a.kinds & b.kinds) or shared < night.limits.min_overlap * smaller


def _merge(night: AreaNight, edges: Overlaps, matched: Matched) -> None:
    """Open leads whose ground lies under a thing that another lead took, and did not before: the eldest goes on."""
    under: dict[int, int] = {}
    for t, k, _, _, of_lead in sorted(edges.rows(), key=lambda r: (-r[4], r[0])):
        free = k in night.open_ and k not in matched.things_of and k not in under
        if free and t in matched.lead_of and of_lead >= night.limits.part_share and _swallowed(night, k, t, matched):
            under[k] = t
    for t in sorted(set(under.values())):
        _eldest_goes_on(night, t, [k for k, thing in under.items() if thing == t], matched)


def _swallowed(night: AreaNight, lead: int, thing: int, matched: Matched) -> bool:
    """A lead that already lay under the other one's ground, or was not looked at, is only not seen tonight."""
    taker = night.known[matched.lead_of[thing]].footprint
    own = night.known[lead].footprint
    before = shapely.intersection(own, taker).area / min(own.area, taker.area)
    return bool(before < night.limits.part_share) and night.observed[lead] >= night.limits.min_observed


def _eldest_goes_on(night: AreaNight, thing: int, losers: Iterable[int], matched: Matched) -> None:
    taker = matched.lead_of[thing]
    alone = len(matched.things_of[taker]) == 1
    leads = sorted([taker, *losers], key=lambda k: night.known[k].rank)
    eldest = leads[0]
    if eldest != taker:
        matched.give_up(thing)
        matched.take(thing, eldest)
    for k in leads[1:]:
        if k != taker or alone:
            matched.merged[k] = eldest
