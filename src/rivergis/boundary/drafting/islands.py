"""Islands (洲滩、江心洲) between arms of one river: those that are small lie inside the management area as a whole.

《河道管理条例》第二十条: 两岸之间的沙洲、滩地属于管理范围. The banks of the arms that face such an island have no line; a larger island
keeps its own lines, and both are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

from rivergis.boundary.drafting.frames import Note, Reach
from rivergis.boundary.drafting.nodes import Nodes, Side

_DUG = ("canal", "ditch")


@dataclass(frozen=True)
class Island:
    """Land that reaches run round: ``shape`` bounded by their axes, ``sides`` the banks that face it."""

    shape: shapely.Polygon
    sides: tuple[Side, ...]
    inside: bool


@dataclass(frozen=True)
class Inner:
    """Islands, and the banks without a line because they face one that lies inside."""

    islands: tuple[Island, ...] = ()
    sides: frozenset[Side] = field(default_factory=frozenset)


def inner_sides(reaches: Sequence[Reach], nodes: Nodes, island_m2: float) -> Inner:
    """Islands round which reaches run, and which banks face those of at most ``island_m2`` (between the axes)."""
    faces = _faces(nodes)
    islands = []
    for face in faces:
        ring = np.vstack([shapely.get_coordinates(reaches[r].axis)[:: 1 if end == 0 else -1] for r, end in face])
        shape = shapely.make_valid(shapely.Polygon(ring))
        if shape.geom_type != "Polygon" or not shapely.is_ccw(shapely.linearrings(np.vstack([ring, ring[:1]]))):
            continue  # walked the other way round: the world outside
        if not _of_one_river([reaches[r] for r, _ in face]):
            continue  # land between rivers, or fields between canals
        # walking round the face keeps it on the left
        sides = tuple((r, "left" if end == 0 else "right") for r, end in face)
        islands.append(Island(shape, sides, shape.area <= island_m2))
    return Inner(tuple(islands), frozenset(s for i in islands if i.inside for s in i.sides))


def _of_one_river(round_it: Sequence[Reach]) -> bool:
    """Whether reaches round a piece of land are arms of one river; canals that meet in a grid are none."""
    rivers = {r.river for r in round_it if r.river is not None}
    return len(rivers) <= 1 and not any(r.kind in _DUG for r in round_it)


def _faces(nodes: Nodes) -> list[list[tuple[int, int]]]:
    """Closed ways round islands, island on the left: (reach, end it is entered by)."""
    turn: dict[tuple[int, int], tuple[int, int]] = {}
    for arms in nodes.arms:
        for k, arm in enumerate(arms):
            leave = arms[k - 1]  # the next arm clockwise: the sharpest turn to the left
            turn[(arm.reach, 1 - arm.end)] = (leave.reach, leave.end)
    seen: set[tuple[int, int]] = set()
    found = []
    for start in sorted(turn):
        way, here = [], start
        while here not in seen:
            seen.add(here)
            way.append(here)
            here = turn[here]
        if way and here == start and len({r for r, _ in way}) == len(way):
            found.append(way)
    return found


def notes_of(inner: Inner, reaches: Sequence[Reach]) -> list[Note]:
    """What was done about each island."""
    out = []
    for island in inner.islands:
        first = reaches[island.sides[0][0]]
        did = (
            "it lies inside the management area, and the banks that face it have no line"
            if island.inside
            else "it is larger than boundary.draft.island and keeps lines of its own: say whether it belongs to the management area"
        )
        code = "island_inside" if island.inside else "island_outside"
        out.append(
            Note(
                first.code,
                island.sides[0][1],
                first.origin_m,
                first.origin_m + first.length_m,
                code,
                f"An island of {island.shape.area:,.0f} m2 between the axes: {did}.",
                island.shape.representative_point(),
            )
        )
    return out
