"""What a night does to each lead, once it is known what belongs to whom: status, footprint and memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import shapely

from rivergis.encroachment.groups import near, overlaps, sound
from rivergis.encroachment.matching import Known, Matched, Thing
from rivergis.encroachment.memory import Carried, Measured, NightLimits
from rivergis.encroachment.point_matching import PointsMatched

_STANDS_UNJUDGED = ("undecided", "not_observed", "permit_place_open")
"""Reasons that say nothing against the object: the lead stays as it is."""


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
    whole: shapely.Geometry | None = None
    """The whole object, inside the line and outside, permitted or not (metres); None = the footprint is all of it."""


@dataclass(frozen=True)
class Step:
    """What tonight does to one lead.

    ``status``: new, persisting, grown, shrunk, rebound, split (seen in more pieces than ever; the id goes on);
    gone, permitted, merged (these close it); missed (looked at and not seen, too few times to be gone), unobserved,
    left_by_redraw (the line moved, the object is still there). ``known`` and ``seen`` are positions in the arguments;
    ``seen`` (areas before points, largest first) is empty where nothing was told of it. ``footprint`` and ``carried``
    are what the next night is to be given.
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
        """Joint area at the last full sight, m2; None for points and where nothing was seen."""
        return self.carried.area_m2 if self.seen else None


@dataclass(frozen=True)
class Tonight:
    """The arguments of a night, as ``ledger.reconcile`` has them."""

    known: Sequence[Known]
    seen: Sequence[Seen]
    observed: Sequence[float]
    limits: NightLimits
    night: date
    line_moved: Sequence[bool]


def steps_of(
    tonight: Tonight, things: Sequence[Thing], points: Sequence[Thing], areas: Matched, spots: PointsMatched
) -> list[Step]:
    """One step for each open lead and each that comes back, in the order of ``known``; then what is new."""
    of_lead, of_thing = _inverted(spots.lead_of), _inverted(spots.thing_of)
    why = _why_unseen(tonight)
    steps = []
    for k, lead in enumerate(tonight.known):
        own = [things[t] for t in areas.things_of.get(k, ())]
        beside = [points[p] for p in of_lead[k]]
        if own or beside:
            lost = [tonight.known[j].carried for j, into in areas.merged.items() if into == k]
            steps.append(_again(tonight, k, own, beside, lost))
        elif k in areas.merged:
            closed = replace(lead.carried, closed="merged")
            steps.append(Step("merged", k, (), lead.footprint, closed, into=areas.merged[k]))
        elif lead.carried.closed is None:
            steps.append(_unseen(tonight, k, why.get(k, frozenset())))
    steps += [
        _new(tonight, [t], [points[p] for p in of_thing[i]]) for i, t in enumerate(things) if i not in areas.lead_of
    ]
    return steps + [_new(tonight, [], [p]) for i, p in enumerate(points) if spots.free(i)]


def _inverted(table: Mapping[int, int]) -> defaultdict[int, list[int]]:
    out: defaultdict[int, list[int]] = defaultdict(list)
    for a, b in sorted(table.items()):
        out[b].append(a)
    return out


def _new(tonight: Tonight, things: Sequence[Thing], points: Sequence[Thing]) -> Step:
    day = tonight.night.isoformat()
    blank = Carried(kind="", kinds={}, born=day, last_seen=day, sources=())
    carried = replace(_sighted(tonight, blank, things, points), **_fresh_size(tonight, things))
    return Step("new", None, _members(things, points), _ground(things or points), carried)


def _members(things: Sequence[Thing], points: Sequence[Thing]) -> tuple[int, ...]:
    by_size = sorted(things, key=lambda t: -t.ground.area)
    return tuple(i for t in [*by_size, *points] for i in t.members)


def _ground(things: Sequence[Thing]) -> shapely.Geometry:
    return things[0].ground if len(things) == 1 or things[0].ground.area == 0 else _union(things)


def _union(things: Sequence[Thing]) -> shapely.Geometry:
    return shapely.union_all([t.ground for t in things])


def _sighted(tonight: Tonight, before: Carried, things: Sequence[Thing], points: Sequence[Thing]) -> Carried:
    """Kinds, sources, names and day of a sight; sizes are judged apart."""
    of = [tonight.seen[i] for i in _members(things, points)]
    kinds = Counter(before.kinds) + Counter({s.kind for s in of})
    names = tuple(sorted({s.identity for s in of if s.identity is not None}))
    reach = [r for r in (before.accuracy_m, *(p.accuracy_m for p in points)) if r > 0]
    return replace(
        before,
        kind=of[0].kind,
        kinds=dict(sorted(kinds.items())),
        last_seen=tonight.night.isoformat(),
        sources=tuple(sorted({*before.sources, *(s.source for s in of)})),
        accuracy_m=min(reach, default=0.0),
        identities=names or before.identities,
        missed=0,
        closed=None,
    )


def _areas_by_source(tonight: Tonight, things: Sequence[Thing], *, whole: bool = False) -> dict[str, float]:
    """Joint area each source draws tonight, m2: of the ground inside, or of the whole objects."""
    shapes: dict[str, list[shapely.Geometry]] = defaultdict(list)
    for thing in things:
        for s in (tonight.seen[i] for i in thing.members):
            shapes[s.source].append(s.whole if whole and s.whole is not None else s.footprint)
    areas = {s: g[0].area if len(g) == 1 else shapely.union_all(g).area for s, g in sorted(shapes.items())}
    return {s: round(float(a), 3) for s, a in areas.items()}


def _fresh_size(tonight: Tonight, things: Sequence[Thing]) -> dict[str, Any]:
    """Tonight's areas are acknowledged, and nothing before them."""
    inside, whole = _areas_by_source(tonight, things), _areas_by_source(tonight, things, whole=True)
    return {
        "sizes": Measured.at(inside, whole),
        "area_m2": round(float(_union(things).area), 3) if things else None,
        "parts": max(_pieces(things), 1),
        "left": False,
        "absent": 0,
    }


def _pieces(things: Sequence[Thing]) -> int:
    """Things that share no ground with one another: a part drawn once more is no further piece."""
    apart: list[shapely.Geometry] = []
    for thing in things:
        if not any(shapely.intersection(thing.ground, g).area > 0 for g in apart):
            apart.append(thing.ground)
    return len(apart)


def _again(tonight: Tonight, k: int, things: Sequence[Thing], points: Sequence[Thing], lost: Sequence[Carried]) -> Step:
    """A known lead is seen; ``lost`` are the memories of leads that merge into it."""
    lead, seen = tonight.known[k], _members(things, points)
    before = _taken_over(lead.carried, lost)
    carried = _sighted(tonight, before, things, points)
    if not things:
        return Step("rebound" if before.closed else "persisting", k, seen, lead.footprint, carried)
    ground = _ground(things)
    if before.closed:
        return Step("rebound", k, seen, ground, replace(carried, **_fresh_size(tonight, things)))
    if not before.sizes.inside or before.left or tonight.line_moved[k]:
        # an outline for a point, or another line: what stands inside now is not larger or smaller than it was
        return Step("persisting", k, seen, ground, replace(carried, **_fresh_size(tonight, things)))
    if tonight.observed[k] < tonight.limits.min_observed:
        larger = max(ground, lead.footprint, key=lambda g: g.area)
        return Step("persisting", k, seen, larger, carried)
    lost_ground = _not_seen(lead.footprint, ground, tonight.limits)
    if lost_ground and before.absent + 1 < tonight.limits.gone_after:
        # a part that one picture has missed is still a part: neither forgotten nor a loss of size
        kept = shapely.union_all([ground, *lost_ground])
        return Step("persisting", k, seen, kept, replace(carried, absent=before.absent + 1))
    return _measured(tonight, k, things, replace(carried, absent=0), seen)


def _measured(tonight: Tonight, k: int, things: Sequence[Thing], carried: Carried, seen: tuple[int, ...]) -> Step:
    """The whole of a lead is seen: has it grown, shrunk or split."""
    inside, whole = _areas_by_source(tonight, things), _areas_by_source(tonight, things, whole=True)
    sizes, told = carried.sizes.seen_again(inside, whole, tonight.limits)
    ground, pieces = _ground(things), _pieces(things)
    status = told if told == "grown" else "split" if pieces > carried.parts else told or "persisting"
    now = replace(carried, sizes=sizes, area_m2=round(float(ground.area), 3), parts=max(pieces, carried.parts))
    return Step(status, k, seen, ground, now)


def _not_seen(before: shapely.Geometry, ground: shapely.Geometry, limits: NightLimits) -> list[shapely.Geometry]:
    """Separate pieces of a lead's ground that tonight shows next to nothing of, where it shows others."""
    pieces = shapely.get_parts(before)
    if len(pieces) == 1:
        return []
    shared = shapely.area(shapely.intersection(pieces, ground))
    absent = shared < limits.min_overlap * np.minimum(shapely.area(pieces), ground.area)
    return [] if absent.all() else list(pieces[absent])


def _taken_over(own: Carried, lost: Sequence[Carried]) -> Carried:
    for other in lost:
        own = replace(
            own,
            kinds=dict(Counter(own.kinds) + Counter(other.kinds)),
            sources=tuple(sorted({*own.sources, *other.sources})),
            sizes=own.sizes.plus(other.sizes),
        )
    return own


def _unseen(tonight: Tonight, k: int, why: frozenset[str]) -> Step:
    """Nothing is told of an open lead tonight: the reason decides, else whether its place was looked at."""
    lead = tonight.known[k]
    because = min(why, default=None)
    doubt = min(why.intersection(_STANDS_UNJUDGED), default=None)
    if "permitted" in why:
        closed = replace(lead.carried, missed=0, closed="permitted")
        return Step("permitted", k, (), lead.footprint, closed, because="permitted")
    if doubt:
        return Step("unobserved", k, (), lead.footprint, lead.carried, because=doubt)
    if why and (lead.carried.left or tonight.line_moved[k]):
        stays = replace(lead.carried, missed=0, left=True)
        return Step("left_by_redraw", k, (), lead.footprint, stays, because=because)
    if tonight.observed[k] < tonight.limits.min_observed:
        return Step("unobserved", k, (), lead.footprint, lead.carried)
    return _missed(tonight, k, because)


def _missed(tonight: Tonight, k: int, because: str | None) -> Step:
    lead = tonight.known[k]
    missed = lead.carried.missed + 1
    if missed >= tonight.limits.gone_after:
        gone = replace(lead.carried, missed=missed, closed="gone")
        return Step("gone", k, (), lead.footprint, gone, because=because)
    return Step("missed", k, (), lead.footprint, replace(lead.carried, missed=missed), because=because)


def _why_unseen(tonight: Tonight) -> dict[int, frozenset[str]]:
    """For each known lead the reasons of untold detections that are it: most of its ground, or its name."""
    untold = [s for s in tonight.seen if s.untold is not None]
    shapes = sound([s.footprint for s in untold])
    grounds = np.array([lead.footprint for lead in tonight.known], object)
    shares: dict[tuple[int, str], float] = defaultdict(float)
    for i, k, _, _, of_lead in overlaps(shapes, grounds).rows():
        shares[k, str(untold[i].untold)] += of_lead
    why: dict[int, set[str]] = defaultdict(set)
    for (k, reason), share in shares.items():
        if share >= tonight.limits.part_share:
            why[k].add(reason)
    for k, reason in _by_name(tonight, untold) + _at_points(tonight, untold, shapes, grounds):
        why[k].add(reason)
    return {k: frozenset(reasons) for k, reasons in why.items()}


def _by_name(tonight: Tonight, untold: Sequence[Seen]) -> list[tuple[int, str]]:
    names: dict[str, set[str]] = defaultdict(set)
    for s in untold:
        if s.identity is not None:
            names[s.identity].add(str(s.untold))
    of = ((k, n) for k, lead in enumerate(tonight.known) for n in lead.carried.identities if n in names)
    return [(k, reason) for k, n in of for reason in names[n]]


def _at_points(
    tonight: Tonight, untold: Sequence[Seen], shapes: np.ndarray, grounds: np.ndarray
) -> list[tuple[int, str]]:
    """Point leads and what is not told within their accuracy, of their kind."""
    spots = [k for k, lead in enumerate(tonight.known) if not lead.is_area]
    reach = np.array([tonight.known[k].carried.accuracy_m for k in spots], float)
    pairs = zip(*near(grounds[spots], shapes, reach), strict=True)
    return [
        (spots[a], str(untold[i].untold))
        for a, i in pairs
        if untold[i].kind in tonight.known[spots[a]].carried.usual_kinds
    ]
