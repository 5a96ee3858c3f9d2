"""Where a stake has to stand, whatever the spacing (必设桩位): ends, county borders, mouths, bridges, populated reaches, bends.

Each function looks at one chain of boundary lines and says places in metres along it. A place is exact (an end, a border: the
stake marks that very point) or near (a bridge, a bend: a stake close by will do).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from rivergis import geometry
from rivergis.boundary.ground.bank_chains import Chain, merged

Floats = npt.NDArray[np.float64]
EXACT = ("line_end", "county_border", "tributary", "settled")


@dataclass(frozen=True)
class Method:
    """How stakes are placed; every number is a rule ``boundary.stake.*``, in metres and degrees."""

    bend_deg: float
    """A corner that turns by as much gets a stake."""
    simplify_m: float
    """Wobble of a line that is no corner."""
    chord_m: float
    """How far the line may stray from the straight way between two stakes before denser ones follow it."""
    same_m: float
    """What lies as near is one place."""
    mark_m: float
    """How far off the line a bridge or village is that the line passes."""
    settled_m: float
    """How far from a village the reach counts as populated."""
    border_m: float
    """Borders of two counties as near are one border, drawn twice."""


@dataclass(frozen=True)
class Mark:
    """Something beside the river: kind bridge, village or access, its name, and its shape in metres."""

    kind: str
    name: str
    shape: shapely.Geometry


@dataclass(frozen=True)
class County:
    """A county with its area in metres."""

    adcode: str
    name: str
    area: shapely.Geometry


@dataclass(frozen=True)
class Spot:
    """A place along a chain that asks for a stake: why, and what it is called."""

    along: float
    why: str
    name: str = ""

    @property
    def exact(self) -> bool:
        return self.why in EXACT


def ends(chain: Chain) -> list[Spot]:
    """Both ends of the line; of a ring (lake, island) its first point."""
    ring = chain.line.coords[0] == chain.line.coords[-1]
    return [Spot(0.0, "line_end")] if ring else [Spot(0.0, "line_end"), Spot(chain.length_m, "line_end")]


def mouths(chain: Chain, near: Sequence[tuple[str, shapely.Point]]) -> list[Spot]:
    """Corners of tributary mouths: where a line of another river ends on this one. ``near``: river and end of lines that do."""
    return [Spot(float(shapely.line_locate_point(chain.line, p)), "tributary", r) for r, p in near if r != chain.river]


def borders(chain: Chain, in_county: Sequence[tuple[County, Sequence[tuple[float, float]]]]) -> list[Spot]:
    """Where the line crosses into another county, or runs onto the border. ``in_county``: its stretches in each."""
    ends_ = [(c.name, s) for c, stretches in in_county for stretch in stretches for s in stretch]
    return [Spot(s, "county_border", name) for name, s in ends_ if _inner(chain, s)]


def changes_of_county(chain: Chain, county_of: dict[object, str]) -> list[Spot]:
    """Joints of pieces that name different counties."""
    pairs = zip(chain.parts, chain.parts[1:], strict=False)
    return [
        Spot(b.from_s, "county_border", f"{county_of[a.row]}/{county_of[b.row]}")
        for a, b in pairs
        if county_of.get(a.row) and county_of.get(b.row) and county_of[a.row] != county_of[b.row]
    ]


def _inner(chain: Chain, s: float) -> bool:
    return 1e-6 < s < chain.length_m - 1e-6


def bridges(chain: Chain, marks: Iterable[Mark], within_m: float) -> list[Spot]:
    """Where bridges cross the line; of a bridge known as a point, the nearest place, if it is that near."""
    found = []
    for mark in marks:
        if mark.kind != "bridge" or not shapely.dwithin(mark.shape, chain.line, within_m):
            continue
        met = shapely.intersection(chain.line, mark.shape)
        points = [p for p in shapely.get_parts(met) if p.geom_type == "Point" and not p.is_empty]
        for p in points or [_nearest_on(mark.shape, chain.line)]:
            found.append(Spot(float(shapely.line_locate_point(chain.line, p)), "bridge", mark.name))
    return found


def _nearest_on(shape: shapely.Geometry, line: shapely.LineString) -> shapely.Point:
    """The point of a shape that is nearest to a line."""
    return shape if shape.geom_type == "Point" else shapely.get_point(shapely.shortest_line(shape, line), 0)


def settled(chain: Chain, marks: Iterable[Mark], within_m: float) -> list[tuple[float, float]]:
    """Stretches of the line in populated reaches (人口密集段): within so many metres of a village."""
    villages = [m.shape for m in marks if m.kind == "village" and shapely.dwithin(m.shape, chain.line, within_m)]
    return chain.stretches_in(shapely.union_all(shapely.buffer(villages, within_m))) if villages else []


def ends_of(stretches: Iterable[tuple[float, float]], chain: Chain) -> list[Spot]:
    """Where populated reaches begin and end."""
    return [Spot(s, "settled") for stretch in stretches for s in stretch if _inner(chain, s)]


def bends(chain: Chain, bend_deg: float, simplify_m: float) -> list[Spot]:
    """Vertices at which the line turns by at least so many degrees, sharpest first; less than ``simplify_m`` of wobble is no turn."""
    xy, along = chain.vertices()
    kept = _kept(xy, shapely.get_coordinates(shapely.simplify(chain.line, simplify_m, preserve_topology=False)))
    step = np.diff(xy[kept], axis=0)
    turn = np.abs(np.degrees(np.angle(np.exp(1j * np.diff(np.arctan2(step[:, 1], step[:, 0]))))))
    sharp = sorted((-round(float(t), 6), float(along[k])) for t, k in zip(turn, kept[1:-1], strict=True) if t >= bend_deg)  # fmt: skip
    return [Spot(s, "bend") for _, s in sharp]


def _kept(xy: Floats, chosen: Floats) -> npt.NDArray[np.int64]:
    """Positions in ``xy`` of the vertices that a simplification kept, which are some of them in order."""
    at, out = 0, []
    for point in chosen:
        at += int(np.argmax((xy[at:] == point).all(axis=1)))
        out.append(at)
    return np.array(out, np.int64)


def strays_m(xy: Floats, along: Floats, a: float, b: float) -> float:
    """How far a line (vertices, metres along it of each) strays from the straight way between two places on it, m."""
    inside = (along > a) & (along < b)
    if not inside.any():
        return 0.0
    chord = shapely.LineString([(np.interp(s, along, xy[:, 0]), np.interp(s, along, xy[:, 1])) for s in (a, b)])
    return float(shapely.distance(chord, shapely.points(xy[inside])).max())


def share_in(stretches: Iterable[tuple[float, float]], a: float, b: float) -> float:
    """Metres of a stretch that lie in others."""
    return sum(max(0.0, min(b, d) - max(a, c)) for c, d in merged(list(stretches)))


def side_out(chain: Chain, points: npt.NDArray[np.object_]) -> Floats:
    """Distance of points off the line in metres: positive away from the river, negative towards it."""
    outward = 1.0 if chain.bank == "left" else -1.0
    side = np.asarray(geometry.side_of(chain.line, points), np.float64)
    return np.asarray(outward * side * shapely.distance(chain.line, points), np.float64)
