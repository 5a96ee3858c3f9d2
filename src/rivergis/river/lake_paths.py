"""Ways through a lake for the water of its inlets: inside the shore, around islands, near the middle.

The lake is cut into triangles between its shores (constrained Delaunay, GEOS); a way leads from the middle of one inner
edge to the next, which keeps it inside and about midway between the shores (the chordal axis: Prasad 1997, CNLS
Newsletter 139). The inlets are joined to one tree by always taking the nearest next (Takahashi, Matsuyama 1980).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra

from rivergis.river.drawn import Floats, Ints, NetworkDefect
from rivergis.river.sheet import Sheet

STEPS_ROUND_A_SHORE = 200
"""A shore drawn with few vertices gets about as many, so that a way has middles to run on."""
_SAME_M = 1e-6


@dataclass
class Party:
    """Lines and open ends of one lake that already hang together: ``pieces`` inside the lake, ``ends`` the nodes from which
    a way may start. ``numbers``: where they are among the places of the ``Ways``; those in ``goals`` are nodes."""

    pieces: list[int]
    ends: list[int]
    numbers: list[int] = field(default_factory=list)
    goals: dict[int, int] = field(default_factory=dict)


def join_inside(sheet: Sheet, lake: shapely.Polygon, name: str | None, parties: list[Party]) -> list[NetworkDefect]:
    """Join the parties of one lake by made flow paths inside of it (metric); each made path is listed as a defect.

    The first party with pieces is the stem; without any, the way between the two ends farthest apart is made first.
    """
    ways = _ways_of(sheet, lake, parties)
    parties = sorted(parties, key=lambda p: -sum(sheet.lines[i].length for i in p.pieces))
    stem, others, before = parties[0], parties[1:], len(sheet.lines)
    if not stem.pieces:
        stem, goal = _farthest(ways, parties)
        others = [p for p in parties if p is not stem]
        _attach(sheet, ways, name, stem, others, [goal])
    while others and _attach(sheet, ways, name, stem, others, [g for p in others for g in p.goals]):
        pass
    made = [i for i in range(before, len(sheet.lines)) if sheet.row[i] < 0]
    for piece in made:
        _straighten(sheet, piece, lake, [i for p in parties for i in p.pieces])
    return [_told(sheet.lines[piece]) for piece in made]


def _ways_of(sheet: Sheet, lake: shapely.Polygon, parties: list[Party]) -> Ways:
    """The ways between all ends and all vertices of the lines inside; writes the numbers of the places into the parties."""
    step = shapely.length(lake) / STEPS_ROUND_A_SHORE
    xy: list[Floats] = []
    seek: list[bool] = []
    for party in parties:
        party.goals = {len(seek) + k: node for k, node in enumerate(party.ends)}
        on_lines = [shapely.get_coordinates(shapely.segmentize(sheet.lines[i], step)) for i in party.pieces]
        places = np.vstack([np.array([sheet.nodes[n] for n in party.ends]), *on_lines])
        party.numbers = list(range(len(seek), len(seek) + len(places)))
        seek += [k < len(party.ends) for k in range(len(places))]
        xy.append(places)
    return ways_inside(lake, np.vstack(xy), np.array(seek))


def _farthest(ways: Ways, parties: list[Party]) -> tuple[Party, int]:
    """Of parties that are only ends: the one to start from, and the end that is farthest from it."""
    goals = [g for p in parties for g in p.goals]
    start = ways.farthest(goals[0], goals[1:])
    party = next(p for p in parties if start in p.goals)
    return party, ways.farthest(start, [g for g in goals if g not in party.goals])


def _attach(sheet: Sheet, ways: Ways, name: str | None, stem: Party, others: list[Party], goals: list[int]) -> bool:
    """Lead the nearest of the goals to the stem, or to another party that lies on the way; False if no way is left."""
    numbers = ways.way(stem.numbers, goals)
    if len(numbers) < 2:
        return False
    own = next(p for p in others if numbers[0] in p.goals)
    line = shapely.LineString(ways.xy[numbers])
    first_m = max(_meets(sheet, line, own.pieces), default=0.0)
    met = {id(p): [m for m in _meets(sheet, line, p.pieces) if m > first_m + _SAME_M] for p in [stem, *others]}
    to = min([p for p in [stem, *others] if p is not own], key=lambda p: min(met[id(p)], default=np.inf))
    last_m = min(met[id(to)], default=line.length)
    to = to if met[id(to)] else stem
    start = _node(sheet, own, numbers[0], line, first_m, 0.0)
    end = _node(sheet, to, numbers[-1], line, last_m, line.length)
    if last_m - first_m <= _SAME_M:  # two ends at one place that nobody joined
        sheet.unite(start, end)
        to.goals[numbers[0]] = end
    else:
        path = _between(line, first_m, last_m, sheet.nodes[start], sheet.nodes[end])
        own.pieces.append(sheet.make(path, start, end, name))
    at_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(ways.xy[numbers], axis=0).T))])
    to.numbers += own.numbers + [n for n, m in zip(numbers, at_m, strict=True) if first_m <= m <= last_m]
    to.pieces += own.pieces
    others.remove(own)
    return True


def _meets(sheet: Sheet, line: shapely.LineString, pieces: list[int]) -> list[float]:
    """Positions in metres along a line where it meets pieces."""
    met = shapely.intersection(line, np.array([sheet.lines[i] for i in pieces], dtype=object))
    return list(shapely.line_locate_point(line, shapely.points(shapely.get_coordinates(met))))


def _node(sheet: Sheet, party: Party, number: int, line: shapely.LineString, at_m: float, whole_m: float) -> int:
    """The node at a position of a way: that of the end it started from, or a joint on a piece of the party."""
    if abs(at_m - whole_m) <= _SAME_M and number in party.goals:
        return party.goals[number]
    node, added = sheet.joint(party.pieces, shapely.line_interpolate_point(line, at_m))
    party.pieces += added
    return node


def _between(
    line: shapely.LineString, from_m: float, to_m: float, start: tuple[float, float], end: tuple[float, float]
) -> shapely.LineString:
    """A stretch of a line, its ends put exactly on two nodes."""
    xy = shapely.get_coordinates(line)
    at_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    inner = xy[(at_m > from_m + _SAME_M) & (at_m < to_m - _SAME_M)]
    return shapely.LineString(np.vstack([start, inner, end]))


def _straighten(sheet: Sheet, piece: int, lake: shapely.Polygon, beside: list[int]) -> None:
    """Take the zigzag out of a made path, as far as it stays inside the lake and meets no line that it did not meet."""
    line = sheet.lines[piece]
    others = shapely.union_all([sheet.lines[i] for i in set(beside) - {piece}])
    ends = shapely.boundary(line)
    for step in (4, 2, 1, 0.5):
        plain = shapely.simplify(line, step * shapely.length(lake) / STEPS_ROUND_A_SHORE)
        outside_m = shapely.difference(plain, lake).length
        if outside_m < 1e-3 and shapely.difference(shapely.intersection(plain, others), ends).is_empty:
            sheet.lines[piece] = plain
            return


def _told(line: shapely.LineString) -> NetworkDefect:
    at = shapely.line_interpolate_point(line, 0.5, normalized=True)
    says = "a river line ends at the shore of this lake; it is led on through the lake by a flow path that nobody drew"
    return NetworkDefect("flow_path_made", "info", at, says, round(line.length, 2), "m", -1, done=True)


@dataclass(frozen=True)
class Ways:
    """Middles of inner edges and the asked places, and the straight steps between them, all inside the lake.

    ``xy``: (n, 2) metres, the places first, in the order given. ``steps``: symmetric lengths (n, n).
    """

    xy: Floats
    steps: csr_matrix

    def way(self, tree: list[int], goals: list[int]) -> list[int]:
        """Numbers along the shortest way from the nearest of ``goals`` to the tree; empty where none leads there."""
        far, before, _ = dijkstra(self.steps, directed=False, indices=tree, min_only=True, return_predecessors=True)
        goal = min(goals, key=lambda g: far[g])
        if not np.isfinite(far[goal]):
            return []
        out = [goal]
        while before[out[-1]] >= 0:
            out.append(int(before[out[-1]]))
        return out

    def farthest(self, start: int, goals: list[int]) -> int:
        """That of the goals to which the way is longest."""
        far = dijkstra(self.steps, directed=False, indices=start)
        return max(goals, key=lambda g: far[g] if np.isfinite(far[g]) else -1.0)


def ways_inside(lake: shapely.Polygon, places: Floats, seek: npt.NDArray[np.bool_]) -> Ways:
    """The ways inside a lake (metric) between places (n, 2) inside it or on its shore.

    ``seek``: which of the places look for a way; two places in one triangle are joined directly if one of them does.
    """
    edge_of, inner, middles = _triangles(lake)
    at = shapely.STRtree(edge_of["shape"]).query_nearest(shapely.points(places), all_matches=False)
    within = np.empty(len(places), dtype=np.int64)
    within[at[0]] = at[1]
    n = len(places)
    number = np.where(inner, n + np.cumsum(inner) - 1, -1)  # of each edge among all places and middles
    sides = number[edge_of["edges"]]
    pairs = [sides[:, p] for p in ([0, 1], [1, 2], [2, 0])]
    pairs += [np.column_stack([np.arange(n), sides[within, k]]) for k in range(3)]
    pairs.append(_neighbours(within, seek))
    both = np.vstack(pairs)
    both = both[(both >= 0).all(axis=1)]
    xy = np.vstack([places, middles[inner]])
    return Ways(xy, _lengths(xy, both))


def _triangles(lake: shapely.Polygon) -> tuple[dict[str, npt.NDArray], npt.NDArray[np.bool_], Floats]:
    """Triangles (shape, numbers of their edges), and of each edge whether it is inner, and its middle."""
    shore = shapely.segmentize(lake, shapely.length(lake) / STEPS_ROUND_A_SHORE)
    shape = shapely.get_parts(shapely.constrained_delaunay_triangles(shore))
    corners = shapely.get_coordinates(shape).reshape(-1, 4, 2)[:, :3]
    places, number = np.unique(corners.reshape(-1, 2), axis=0, return_inverse=True)
    number = number.reshape(-1, 3)
    sides = np.sort(np.stack([number, np.roll(number, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    edges, of, times = np.unique(sides, axis=0, return_inverse=True, return_counts=True)
    return {"shape": shape, "edges": of.reshape(-1, 3)}, times == 2, places[edges].mean(axis=1)


def _neighbours(within: Ints, seek: npt.NDArray[np.bool_]) -> Ints:
    """Pairs of places in the same triangle, of which the first looks for a way."""
    pairs = [(i, j) for i in np.flatnonzero(seek) for j in np.flatnonzero(within == within[i]) if i != j]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _lengths(xy: Floats, pairs: Ints) -> csr_matrix:
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    far = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    far = np.maximum(far, 1e-9)  # a step of no length would be no step for a sparse matrix
    return coo_matrix((far, (pairs[:, 0], pairs[:, 1])), shape=(len(xy), len(xy))).tocsr()
