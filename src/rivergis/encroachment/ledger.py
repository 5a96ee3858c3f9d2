"""Is it the same thing as last night? Identity of leads over nights (同一处问题).

One place is one lead: its id and its first date stay, whatever the sources call it, however they cut it up and
whoever looked. Not looked at is never gone; gone is told after a number of observed nights without it. Source for
the order of rules: design notes on identity (MapBiomas Alerta, GFW integrated alerts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import shapely

from rivergis.encroachment.groups import area_groups, overlaps, point_groups, sound
from rivergis.encroachment.matching import AreaNight, Known, Thing, match_areas
from rivergis.encroachment.memory import Carried, NightLimits
from rivergis.encroachment.point_matching import PointNight, grow_out_of_points, match_points
from rivergis.encroachment.steps import Seen, Step, Tonight, steps_of

ALL_SOURCES = "all"
__all__ = [
    "ALL_SOURCES",
    "Carried",
    "Known",
    "NightLimits",
    "Seen",
    "Step",
    "may_come_back",
    "observed_shares",
    "reconcile",
]


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

    ``observed_share``: for each known lead, the share of its place that was looked at by a source that can see it
    (``observed_shares``); ``line_moved``: whether a line at its place is another one than on the night before
    (default: none is). Pure: the same arguments give the same steps, known leads first, in their order; order and
    keys of ``seen`` do not matter.
    """
    known = [replace(lead, footprint=g) for lead, g in zip(known, sound([x.footprint for x in known]), strict=True)]
    tonight = Tonight(known, seen, observed_share, limits, night, line_moved or [False] * len(known))
    told = _in_order([i for i, s in enumerate(seen) if s.untold is None], seen)
    things = _things([i for i in told if seen[i].footprint.area > 0], seen, known, limits)
    points = _points([i for i in told if seen[i].footprint.area == 0], seen)
    open_ = frozenset(k for k, lead in enumerate(known) if lead.carried.closed is None)
    back = frozenset(k for k, lead in enumerate(known) if may_come_back(lead.carried, night, limits))
    areas = match_areas(AreaNight(things, known, open_, back, observed_share, limits))
    at_points = PointNight(points, things, areas, known, open_, back)
    grow_out_of_points(at_points)
    return steps_of(tonight, things, points, areas, match_points(at_points))


def may_come_back(carried: Carried, night: date, limits: NightLimits) -> bool:
    """A place that was cleaned or merged lately. What a permit closed is new when the permit has ended: it never went."""
    ago = (night - date.fromisoformat(carried.last_seen)).days
    return carried.closed in ("gone", "merged") and ago <= limits.rebound_within


def _in_order(which: Sequence[int], seen: Sequence[Seen]) -> list[int]:
    """Positions in an order that does not depend on theirs: by place, size, kind and source; names come last."""
    spots = shapely.get_coordinates(shapely.centroid([seen[i].footprint for i in which])).round(3)
    rows = [
        (*xy, round(seen[i].footprint.area, 3), seen[i].kind, seen[i].source, seen[i].key, i)
        for i, xy in zip(which, spots.tolist(), strict=True)
    ]
    return [row[-1] for row in sorted(rows)]


def _things(which: Sequence[int], seen: Sequence[Seen], known: Sequence[Known], limits: NightLimits) -> list[Thing]:
    shapes = sound([seen[i].footprint for i in which])
    kinds = [seen[i].kind for i in which]
    groups = area_groups(shapes, kinds, _claims(shapes, known, limits), limits)
    return [_thing([which[i] for i in group], shapes[group], seen) for group in groups]


def _claims(shapes: np.ndarray, known: Sequence[Known], limits: NightLimits) -> list[set[int]]:
    """The open lead that each detection is by itself the same ground as, if there is one."""
    leads = [k for k, lead in enumerate(known) if lead.is_area and lead.carried.closed is None]
    found = overlaps(shapes, np.array([known[k].footprint for k in leads], object))
    best: dict[int, tuple[float, tuple[str, str], int]] = {}
    for i, j, iou, *_ in found.where(found.iou >= limits.same_thing_iou).rows():
        k = leads[j]
        best[i] = min(best.get(i, (1.0, ("~", ""), -1)), (-round(iou, 2), known[k].rank, k))
    return [{best[i][2]} if i in best else set() for i in range(len(shapes))]


def _thing(members: Sequence[int], shapes: np.ndarray, seen: Sequence[Seen]) -> Thing:
    """One thing of its detections, largest first (points: the most accurate first)."""
    areas = shapely.area(shapes).tolist()
    order = sorted(range(len(members)), key=lambda i: (-areas[i], seen[members[i]].accuracy_m, i))
    of = [seen[members[i]] for i in order]
    point = areas[order[0]] == 0
    ground = shapes[order[0]] if point or len(members) == 1 else shapely.union_all(shapes)
    names = frozenset(s.identity for s in of if s.identity is not None)
    reach = of[0].accuracy_m if point else 0.0
    return Thing(tuple(members[i] for i in order), ground, frozenset(s.kind for s in of), names, reach)


def _points(which: Sequence[int], seen: Sequence[Seen]) -> list[Thing]:
    shapes = np.array([seen[i].footprint for i in which], object)
    accuracy = np.array([seen[i].accuracy_m for i in which], float)
    groups = point_groups(shapes, [seen[i].kind for i in which], accuracy)
    return [_thing([which[i] for i in group], shapes[group], seen) for group in groups]


def observed_shares(known: Sequence[Known], coverage: Mapping[str, shapely.Geometry]) -> np.ndarray:
    """Share of each known lead's place that was looked at tonight (n,), 0 to 1, by sources that can see it.

    ``coverage``: source -> area it looked at (metres); ``all`` stands for every source that draws areas. A lead with an
    area is looked at by the sources that ever showed it. A lead that is a point is looked at only by its own source, said
    by its name: pictures do not show what an inspector stood before.
    """
    looked: dict[tuple[str, ...], shapely.Geometry] = {}
    out = np.zeros(len(known))
    for i, lead in enumerate(known):
        who = lead.carried.sources + ((ALL_SOURCES,) if lead.is_area else ())
        if who not in looked:
            looked[who] = shapely.union_all([coverage[s] for s in who if s in coverage])
            shapely.prepare(looked[who])
        out[i] = _share_within(lead.footprint, looked[who])
    return out


def _share_within(shape: shapely.Geometry, looked: shapely.Geometry) -> float:
    if shapely.covers(looked, shape):
        return 1.0
    if not shapely.intersects(looked, shape) or shape.area == 0:
        return 0.0
    return float(shapely.intersection(looked, shape).area / shape.area)
