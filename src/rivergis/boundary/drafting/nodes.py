"""Where reaches meet: lines of one bank go on smoothly from reach to reach, and trunk and tributary meet in corners.

Round a node, every two arms that are neighbours share a corner: the line on the one side of the first and that on the other
side of the second. Where the two lines cross, both end at the crossing; where they do not, they are led to one point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import cKDTree
from shapely.ops import substring

from rivergis.boundary.drafting.course import Piece, led
from rivergis.boundary.drafting.curves import Curve, Floats, tidy
from rivergis.boundary.drafting.frames import Reach
from rivergis.boundary.drafting.rules import Drawing

_LOOK_M = 50.0
"""How far from a node one looks to tell in which direction a reach leaves it."""

Side = tuple[int, str]
"""Number of a reach, and bank."""


@dataclass(frozen=True)
class Arm:
    """A reach at a node: ``end`` 0 where it begins there, 1 where it ends; ``angle`` in which it leads away."""

    reach: int
    end: int
    angle: float

    def bank(self, left: bool) -> str:
        """Bank on the left (right) looking away from the node."""
        return "left" if left == (self.end == 0) else "right"


@dataclass(frozen=True)
class Corner:
    """Two neighbouring arms at a node and the banks that face each other between them; ``opening`` the angle between, radians."""

    node: int
    first: Arm
    second: Arm
    opening: float

    @property
    def sides(self) -> tuple[Side, Side]:
        return (self.first.reach, self.first.bank(True)), (self.second.reach, self.second.bank(False))

    @property
    def through(self) -> bool:
        """Whether one river goes on here: one arm comes, the other goes, and no sharp turn lies between."""
        return self.first.end != self.second.end and self.opening > np.pi / 2


@dataclass(frozen=True)
class Nodes:
    """Nodes of a set of reaches: number of the node at both ends of each (n, 2), places, arms at each."""

    of: np.ndarray
    xy: Floats
    arms: tuple[tuple[Arm, ...], ...]

    def degree(self, reach: int, end: int) -> int:
        return len(self.arms[self.of[reach, end]])


def nodes_of(reaches: Sequence[Reach], snap_m: float) -> Nodes:
    """Which ends of reaches meet, within ``snap_m``."""
    ends = np.array([r.axis.coords[i] for r in reaches for i in (0, -1)])[:, :2]
    pairs = cKDTree(ends).query_pairs(snap_m, output_type="ndarray")
    number = np.arange(len(ends))
    for a, b in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))] if len(pairs) else ():
        low, high = sorted((number[a], number[b]))
        number[number == high] = low
    names, of = np.unique(number, return_inverse=True)
    arms: list[list[Arm]] = [[] for _ in names]
    for k, node in enumerate(of):
        reach, end = divmod(k, 2)
        arms[node].append(Arm(reach, end, _angle(reaches[reach].axis, end)))
    places = ends[names]
    return Nodes(of.reshape(-1, 2), places, tuple(tuple(sorted(a, key=lambda x: x.angle)) for a in arms))


def _angle(axis: shapely.LineString, end: int) -> float:
    look = min(_LOOK_M, axis.length / 2)
    here = np.array(axis.coords[0 if end == 0 else -1])
    there = np.array(axis.interpolate(look if end == 0 else axis.length - look).coords[0])
    return float(np.arctan2(*(there[:2] - here[:2])[::-1]))


def corners_of(nodes: Nodes) -> list[Corner]:
    """All corners, node by node, counter-clockwise."""
    found = []
    for node, arms in enumerate(nodes.arms):
        if len(arms) < 2:
            continue
        for first, second in zip(arms, (*arms[1:], arms[0]), strict=True):
            opening = (second.angle - first.angle) % (2 * np.pi) or 2 * np.pi
            found.append(Corner(node, first, second, opening))
    return found


Courses = dict[Side, list[Piece]]


def meet(
    courses: Courses, corner: Corner, nodes: Nodes, axes: Mapping[int, Curve], rules: Drawing, goes_on: bool
) -> None:
    """Bring the two lines of a corner to one point, in place: cut at their crossing, or led to each other.

    ``goes_on``: the two arms are one river. The line of a tributary that ends short of the line of a wider river is met by it.
    """
    one, two = corner.sides
    ends = (corner.first.end, corner.second.end)
    if _at_kept(courses, corner, axes, rules):
        return
    if not all(_touches(courses.get(s, []), e, axes[s[0]]) for s, e in zip((one, two), ends, strict=True)):
        return
    crossing = _crossing(courses[one], courses[two], ends, corner)
    if crossing is not None:
        for side, end in ((one, ends[0]), (two, ends[1])):
            courses[side] = _cut(courses[side], end, crossing)
        return
    if not goes_on and _lengthened(courses, corner, nodes):
        return
    point = _between(courses, corner, nodes)
    for side, end in ((one, ends[0]), (two, ends[1])):
        courses[side] = _led(courses[side], end, point, axes[side[0]], rules)


def _at_kept(courses: Courses, corner: Corner, axes: Mapping[int, Curve], rules: Drawing) -> bool:
    """Where the line of a bank was kept it stays, and the other one is led to its end; whether that was so."""
    last = [
        None if not courses.get(side) else courses[side][0 if arm.end == 0 else -1]
        for side, arm in zip(corner.sides, (corner.first, corner.second), strict=True)
    ]
    kept = [p is not None and p.row is not None for p in last]
    if not any(kept):
        return False
    if not all(kept):
        stays, moves = (0, 1) if kept[0] else (1, 0)
        arms, piece = (corner.first, corner.second), last[stays]
        if last[moves] is not None and piece is not None:
            point = piece.curve.xy[0 if arms[stays].end == 0 else -1]
            side, end = corner.sides[moves], arms[moves].end
            near = _cut(courses[side], end, _foot(courses[side], point))
            courses[side] = _led(near, end, point, axes[side[0]], rules) if near else near
    return True


def _foot(pieces: Sequence[Piece], point: Floats) -> Floats:
    """The place on a bank nearest to a point."""
    line = _whole(pieces)
    return np.array(line.interpolate(line.project(shapely.Point(point))).coords[0])


def _lengthened(courses: Courses, corner: Corner, nodes: Nodes) -> bool:
    """Where one line, lengthened straight beyond the node, meets the other: there both end; whether that was so."""
    arms = (corner.first, corner.second)
    for k in (0, 1):
        (side, arm), (other, its) = (corner.sides[k], arms[k]), (corner.sides[1 - k], arms[1 - k])
        xy = _whole(courses[side]).coords
        end, before = np.array(xy[0 if arm.end == 0 else -1]), np.array(xy[1 if arm.end == 0 else -2])
        far = 3 * float(np.hypot(*(end - nodes.xy[corner.node])))
        ahead = (end - before) / max(float(np.hypot(*(end - before))), 1e-9) * far
        met = shapely.get_coordinates(shapely.LineString([end, end + ahead]).intersection(_whole(courses[other])))
        if len(met):
            point = met[int(np.argmin(np.hypot(*(met - end).T)))]
            courses[side] = _longer(courses[side], arm.end, point)
            courses[other] = _cut(courses[other], its.end, point)
            return True
    return False


def _longer(pieces: list[Piece], end: int, point: Floats) -> list[Piece]:
    """A bank led straight on to a point beyond its end, at the chainage of that end."""
    which = 0 if end == 0 else len(pieces) - 1
    curve = pieces[which].curve
    xy = np.vstack([point, curve.xy] if end == 0 else [curve.xy, point])
    at = np.concatenate([curve.at_m[:1], curve.at_m] if end == 0 else [curve.at_m, curve.at_m[-1:]])
    return [Piece(tidy(xy, at), p.basis, p.fixed) if i == which else p for i, p in enumerate(pieces)]


def _touches(pieces: Sequence[Piece], end: int, axis: Curve) -> bool:
    """Whether the line of a bank comes as far as the node."""
    if not pieces:
        return False
    return pieces[0].from_m < 1.0 if end == 0 else pieces[-1].to_m > axis.to_m - 1.0


def _whole(pieces: Sequence[Piece]) -> shapely.LineString:
    return shapely.LineString(np.vstack([p.curve.xy for p in pieces]))


def _crossing(one: Sequence[Piece], two: Sequence[Piece], ends: tuple[int, int], corner: Corner) -> Floats | None:
    """The crossing of two lines that lies farthest from their node; None where they do not cross."""
    a, b = _whole(one), _whole(two)
    if corner.through:
        a, b = _near(a, ends[0]), _near(b, ends[1])
    met = shapely.get_coordinates(shapely.intersection(a, b))
    if not len(met):
        return None
    points = shapely.points(met)
    gone = sum(
        shapely.line_locate_point(line, points) if end == 0 else line.length - shapely.line_locate_point(line, points)
        for line, end in ((a, ends[0]), (b, ends[1]))
    )
    return met[int(np.argmax(gone))]


def _near(line: shapely.LineString, end: int) -> shapely.LineString:
    """The third of a line that lies towards its node: one river does not meet itself farther off."""
    a, b = (0.0, line.length / 3) if end == 0 else (line.length * 2 / 3, line.length)
    return substring(line, a, b)


def _cut(pieces: list[Piece], end: int, point: Floats) -> list[Piece]:
    """A bank without what lies beyond a place on its line, seen from the reach."""
    place = shapely.Point(point)
    which = int(np.argmin([p.curve.line.distance(place) for p in pieces]))
    piece = pieces[which]
    run = float(piece.curve.line.project(place))
    at = float(np.interp(run, piece.curve.run_m, piece.curve.at_m))
    beyond = pieces[:which] if end == 0 else pieces[which + 1 :]
    if piece.row is not None or any(p.row is not None for p in beyond):
        return pieces
    inside = piece.curve.run_m > run + 1e-6 if end == 0 else piece.curve.run_m < run - 1e-6
    xy, chain = piece.curve.xy[inside], piece.curve.at_m[inside]
    rest = pieces[which + 1 :] if end == 0 else pieces[:which]
    if not len(xy):
        return rest
    if end == 0:
        curve = tidy(np.vstack([point, xy]), np.concatenate([[at], chain]))
        return [Piece(curve, piece.basis, piece.fixed), *rest]
    curve = tidy(np.vstack([xy, point]), np.concatenate([chain, [at]]))
    return [*rest, Piece(curve, piece.basis, piece.fixed)]


def _between(courses: Courses, corner: Corner, nodes: Nodes) -> Floats:
    """Where two lines that do not cross are led to: as far from the node as the farther, in the middle of both directions."""
    node = nodes.xy[corner.node]
    away, kept = [], []
    for side, end in zip(corner.sides, (corner.first.end, corner.second.end), strict=True):
        piece = courses[side][0 if end == 0 else -1]
        away.append(piece.curve.xy[0 if end == 0 else -1] - node)
        kept.append(piece.row is not None)
    if any(kept):
        return node + away[kept.index(True)]
    far = np.hypot(*np.array(away).T)
    both = sum(a / max(f, 1e-9) for a, f in zip(away, far, strict=True))
    size = float(np.hypot(*both))
    if size < 1e-6:
        return node + away[int(np.argmax(far))]
    return node + both / size * float(far.max())


def _led(pieces: list[Piece], end: int, point: Floats, axis: Curve, rules: Drawing) -> list[Piece]:
    which = 0 if end == 0 else len(pieces) - 1
    moved = led(axis, pieces[which], point if end == 0 else None, point if end == 1 else None, rules)
    return [moved if i == which else p for i, p in enumerate(pieces)]
