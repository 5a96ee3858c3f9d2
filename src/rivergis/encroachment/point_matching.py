"""Which known lead is each report without an area: an inspector's point, an outfall, a line.

A point is known by its lasting name, else by its place: within its accuracy of a point lead of its kind it is that
lead; within its accuracy of exactly one area of its kind it is evidence of that one; else it is a lead of its own,
because nobody may choose between two heaps for the inspector.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

from rivergis.encroachment.groups import near
from rivergis.encroachment.matching import Known, Matched, Thing


@dataclass
class PointsMatched:
    """Where each point of tonight belongs, by position: a known lead, or a thing with an area that is new tonight."""

    lead_of: dict[int, int] = field(default_factory=dict)
    thing_of: dict[int, int] = field(default_factory=dict)

    def free(self, point: int) -> bool:
        return point not in self.lead_of and point not in self.thing_of


@dataclass(frozen=True)
class PointNight:
    """Points of tonight, the things with an area and what those were matched to, and the leads there are."""

    points: Sequence[Thing]
    things: Sequence[Thing]
    areas: Matched
    known: Sequence[Known]
    open_: frozenset[int]
    back: frozenset[int]


def grow_out_of_points(night: PointNight) -> None:
    """A thing with an area that is new where exactly one point lead of its kind stands is that lead: it has got an outline.

    Only where that lead stands near no other area; adds to ``night.areas``.
    """
    leads = [k for k in sorted(night.open_) if not night.known[k].is_area]
    spots = np.array([night.known[k].footprint for k in leads], object)
    reach = np.array([night.known[k].carried.accuracy_m for k in leads], float)
    i, t = near(spots, np.array([x.ground for x in night.things], object), reach)
    pairs = [
        (leads[a], b)
        for a, b in zip(i.tolist(), t.tolist(), strict=True)
        if night.known[leads[a]].carried.usual_kinds & night.things[b].kinds
    ]
    for k, thing in pairs:
        once = sum(k == a for a, _ in pairs) == 1 and sum(thing == b for _, b in pairs) == 1
        if once and thing not in night.areas.lead_of:
            night.areas.take(thing, k)


def match_points(night: PointNight) -> PointsMatched:
    """Where each point of tonight belongs; those in neither table are new leads."""
    done = PointsMatched()
    _by_name(night, done)
    spots = [k for k in sorted(night.open_) if not night.known[k].is_area]
    _nearest(night, spots, done)
    _only_one(night, done, _places(night), reopened=False)
    back = [(night.known[k].footprint, night.known[k].carried.usual_kinds, k, None) for k in sorted(night.back)]
    _only_one(night, done, back, reopened=True)
    return done


def _by_name(night: PointNight, done: PointsMatched) -> None:
    order = [*sorted(night.back), *sorted(night.open_)]
    named = {name: k for k in order for name in night.known[k].carried.identities}
    for p, point in enumerate(night.points):
        for name in sorted(point.names & named.keys()):
            done.lead_of.setdefault(p, named[name])


def _nearest(night: PointNight, leads: Sequence[int], done: PointsMatched) -> None:
    """One to one, the nearest first, within the coarser accuracy of the two."""
    taken = set(done.lead_of.values())
    here = np.array([p.ground for p in night.points], object)
    there = np.array([night.known[k].footprint for k in leads], object)
    own, theirs = (
        np.array([x.accuracy_m for x in xs], float) for xs in (night.points, [night.known[k].carried for k in leads])
    )
    a, b = near(here, there, own)
    d, c = near(there, here, theirs)
    pairs = {*zip(a.tolist(), b.tolist(), strict=True), *zip(c.tolist(), d.tolist(), strict=True)}
    rows = sorted(
        (round(shapely.distance(here[p], there[j]), 1), night.known[leads[j]].rank, p, leads[j])
        for p, j in pairs
        if night.points[p].kinds & night.known[leads[j]].carried.usual_kinds
    )
    for *_, p, k in rows:
        if done.free(p) and k not in taken:
            done.lead_of[p] = k
            taken.add(k)


_Place = tuple[shapely.Geometry, frozenset[str], int | None, int | None]
"""Ground, kinds, and the known lead or the new thing it is."""


def _places(night: PointNight) -> list[_Place]:
    """Every area that stands tonight: of leads as seen tonight or last, and what is new."""
    out: list[_Place] = []
    for k in sorted(night.open_ | set(night.areas.things_of)):
        things = [night.things[t] for t in night.areas.things_of.get(k, ())]
        if things:
            out += [(t.ground, t.kinds | night.known[k].carried.usual_kinds, k, None) for t in things]
        elif night.known[k].is_area and k not in night.areas.merged:
            out.append((night.known[k].footprint, night.known[k].carried.usual_kinds, k, None))
    new = (t for t in range(len(night.things)) if t not in night.areas.lead_of)
    return out + [(night.things[t].ground, night.things[t].kinds, None, t) for t in new]


def _only_one(night: PointNight, done: PointsMatched, places: Sequence[_Place], *, reopened: bool) -> None:
    """What is within its accuracy of exactly one of these places of its kind belongs to it."""
    here = np.array([p.ground for p in night.points], object)
    reach = np.array([p.accuracy_m for p in night.points], float)
    at: dict[int, set[tuple[int | None, int | None]]] = defaultdict(set)
    for p, j in zip(*near(here, np.array([x[0] for x in places], object), reach), strict=True):
        if night.points[p].kinds & places[j][1]:
            at[int(p)].add(places[j][2:])
    for p, owners in sorted(at.items()):
        if len(owners) == 1 and done.free(p):
            [(lead, thing)] = owners
            if lead is not None and not (reopened and lead in done.lead_of.values()):
                done.lead_of[p] = lead
            elif thing is not None:
                done.thing_of[p] = thing
