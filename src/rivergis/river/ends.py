"""Where lines meet: ends within the tolerance become one node, and lines are cut where others end on them.

``join`` is one round; ``noding.node`` repeats it until nothing changes, so that its result is a fixed point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from rivergis.river.course import (
    SAME_M,
    TOUCH_M,
    Bools,
    Course,
    Feet,
    along_others,
    cleaned,
    cut,
    distinct,
    feet,
    with_vertices,
)
from rivergis.river.drawn import Floats, Ints, NetworkDefect

_RING = 4.0
"""A line that comes back to itself is a ring where it is longer than this many tolerances, and a short line else."""


@dataclass(frozen=True)
class Sources:
    """What the joining asks of the source features, per row: number, level, covered; ``snap_m`` is the tolerance."""

    fid: Ints
    level: Ints
    covered: Bools
    snap_m: float

    def alike(self, a: Ints, b: Ints) -> Bools:
        """Whether pairs of rows lie on one level with neither of them covered."""
        return (self.level[a] == self.level[b]) & ~self.covered[a] & ~self.covered[b]


def common_vertices(course: Course, sources: Sources) -> Course:
    """Lines of one level that run along each other get each other's vertices there, so that they part at vertices."""
    ka, kb = course.index.pairs
    a, b = course.line[ka], course.line[kb]
    alike = (a != b) & sources.alike(course.row[a], course.row[b])
    more = along_others(course, ka[alike], kb[alike], sources.snap_m)
    return cleaned(with_vertices(course, more.k, more.f, more.at))[0] if len(more.k) else course


class Dropped(NamedTuple):
    """A piece that repeats another: its row, the row that is kept, its length, its middle, and why it is told."""

    row: int
    kept: int
    length_m: float
    at: shapely.Point


class _Spots(NamedTuple):
    """Places that may become nodes (the ends of all lines first), and pairs of them that belong together.

    ``owner``: the end that a place on another line was found for; itself for all others.
    """

    k: Ints
    f: Floats
    at: Floats
    links: Ints
    owner: Ints


def join(course: Course, sources: Sources) -> tuple[Course, list[NetworkDefect], list[Dropped]]:
    """One round: ends brought together, lines cut where others end or share a vertex, rings split, repeats set aside."""
    spots = _spots(course, sources)
    label, place = _clusters(course, spots, sources.snap_m)
    cuts = _cuts(course, spots, label, place, sources.snap_m)
    told = _moves(course, spots, cuts, label, place, sources) + _shared_nodes(course, spots, label, place, sources)
    ends = course.ends
    xy = course.xy.copy()
    xy[ends] = place[label[: len(ends)]]
    moved = np.zeros(len(xy), dtype=np.bool_)
    moved[ends] = np.hypot(*(xy[ends] - course.xy[ends]).T) > SAME_M
    pieces = cut(replace(course, xy=xy), spots.k[cuts], spots.f[cuts], place[label[cuts]], moved)
    alive, stays = cleaned(pieces)
    told += [_collapsed(pieces, i, sources) for i in np.flatnonzero(~stays).tolist()]
    kept, dropped = _without_repeats(_open_rings(alive), sources.snap_m)
    return kept, told, dropped


def _spots(course: Course, sources: Sources) -> _Spots:
    """Ends, the places they lie on, and vertices that lines share."""
    ends = course.ends
    near = _on_others(course, sources.snap_m)
    number = len(course.row)
    along, line = course.along(near.k, near.f), course.line[near.k]
    rest = course.length[line] - along
    to_end = np.minimum(along, rest) <= sources.snap_m
    end_links = np.column_stack([near.who, np.where(along <= rest, line, line + number)])[to_end]
    tees = near.where(~to_end)
    tee_links = np.column_stack([tees.who, len(ends) + np.arange(len(tees.who))])
    shared_k, shared_links = _shared_vertices(course, sources)
    shared_links = shared_links + len(ends) + len(tees.who)
    k = np.concatenate([ends, tees.k, shared_k])
    f = np.concatenate([np.zeros(len(ends)), tees.f, np.zeros(len(shared_k))])
    owner = np.arange(len(k))
    owner[tee_links[:, 1]] = tees.who
    return _Spots(k, f, course.at(k, f), np.concatenate([end_links, tee_links, shared_links]), owner)


def _on_others(course: Course, snap_m: float) -> Feet:
    """For each end the nearest place on each line within the tolerance; on its own line only after a turn.

    Of ends that have nothing but each other within the tolerance nothing is told: they are one node already.
    """
    ends = course.ends
    crowded = _crowded_ends(course, snap_m)
    near = feet(course, course.xy[ends[crowded]], snap_m)
    near = near._replace(who=crowded[near.who])
    own = course.line[ends[near.who]] == course.line[near.k]
    detour = np.abs(course.along(near.k, near.f) - course.chainage[ends[near.who]])
    near = near.where(~own | (detour > _RING * snap_m))
    order = np.lexsort([near.at[:, 1], near.at[:, 0], np.round(near.m, 6), course.line[near.k], near.who])
    near = near.where(order)
    key = np.column_stack([near.who, course.line[near.k]])
    fresh = np.concatenate([[True], (key[1:] != key[:-1]).any(axis=1)])[: len(key)]
    return near.where(fresh)


def _crowded_ends(course: Course, snap_m: float) -> Ints:
    """Ends at nodes that have more segments within the tolerance than lines end there."""
    where, node = course.nodes
    who, _ = course.index.near(shapely.points(where), predicate="dwithin", distance=snap_m)
    crowded = np.bincount(who, minlength=len(where)) > np.bincount(node)
    return np.flatnonzero(crowded[node])


def _shared_vertices(course: Course, sources: Sources) -> tuple[Ints, Ints]:
    """Inner vertices at which lines of one level part or cross, and which of them belong together."""
    inner = np.ones(len(course.xy), dtype=np.bool_)
    inner[course.ends] = False
    inner &= ~sources.covered[course.row[course.line]]
    cell = course.cells
    k = _crowded_cells(cell, np.flatnonzero(inner))
    k = k[np.lexsort([k, sources.level[course.row[course.line[k]]], cell[k, 1], cell[k, 0]])]
    level = sources.level[course.row[course.line[k]]]
    same = (cell[k[1:]] == cell[k[:-1]]).all(axis=1) & (level[1:] == level[:-1])
    group = np.concatenate([[0], np.cumsum(~same)])[: len(k)]
    parts = _parting(course.line, cell, k, group)
    exact = k[parts]
    links = np.flatnonzero(np.diff(group[parts]) == 0)
    a, b = _met_at_vertices(course, sources)
    pairs = np.column_stack([len(exact) + np.arange(len(a)), len(exact) + len(a) + np.arange(len(b))])
    return np.concatenate([exact, a, b]), np.concatenate([np.column_stack([links, links + 1]), pairs])


def _crowded_cells(cell: Ints, k: Ints) -> Ints:
    """Those of the vertices that may have another one in their cell: on most rivers hardly any."""
    key = cell[k, 0] * 2**32 + cell[k, 1]  # where it overflows, some vertices too many stay
    order = np.argsort(key)
    same = np.diff(key[order]) == 0
    return k[order[np.concatenate([same, [False]])[: len(k)] | np.concatenate([[False], same])[: len(k)]]]


def _parting(line: Ints, cell: Ints, k: Ints, group: Ints) -> Bools:
    """Which vertices belong to a group whose neighbours differ: lines that only run together there do not part."""
    before, after = cell[k - 1], cell[np.minimum(k + 1, len(cell) - 1)]
    swap = (before[:, 0] > after[:, 0]) | ((before[:, 0] == after[:, 0]) & (before[:, 1] > after[:, 1]))
    sides = np.where(swap[:, None], np.hstack([after, before]), np.hstack([before, after]))
    differs = np.concatenate([[False], (sides[1:] != sides[:-1]).any(axis=1) & (group[1:] == group[:-1])])[: len(k)]
    differs[1:] &= ~_out_and_back(line, cell, k[:-1], k[1:])
    parting = np.bincount(group, weights=differs, minlength=1) > 0
    return np.asarray(parting[group], dtype=np.bool_)


def _out_and_back(line: Ints, cell: Ints, a: Ints, b: Ints) -> Bools:
    """Whether a line comes from the one vertex to the other by a spike: no loop lies between them."""
    a, b = np.minimum(a, b), np.maximum(a, b)
    inner = np.minimum(a + 1, len(cell) - 1)
    return np.asarray((line[a] == line[b]) & (cell[inner] == cell[b - 1]).all(axis=1), dtype=np.bool_)


def _met_at_vertices(course: Course, sources: Sources) -> tuple[Ints, Ints]:
    """Crossings where both lines have an inner vertex within the tolerance, though not the same one."""
    found = course.crossings
    rows = course.row[course.line[found.ka]], course.row[course.line[found.kb]]
    ends = np.zeros(len(course.xy), dtype=np.bool_)
    ends[course.ends] = True
    sides = [_nearest_vertex(course, k, f, found.at) for k, f in ((found.ka, found.fa), (found.kb, found.fb))]
    (a, ma), (b, mb) = sides
    fits = sources.alike(*rows) & (np.maximum(ma, mb) <= sources.snap_m) & ~ends[a] & ~ends[b] & (a != b)
    own = course.line[a] == course.line[b]
    fits &= ~own | (np.abs(course.chainage[a] - course.chainage[b]) > _RING * sources.snap_m)
    fits &= (course.cells[a] != course.cells[b]).any(axis=1)
    return a[fits], b[fits]


def _nearest_vertex(course: Course, k: Ints, f: Floats, at: Floats) -> tuple[Ints, Floats]:
    following = np.where(f > 0, k + 1, k)
    m = np.hypot(*(course.xy[k] - at).T), np.hypot(*(course.xy[following] - at).T)
    return np.where(m[0] <= m[1], k, following), np.minimum(*m)


def _clusters(course: Course, spots: _Spots, snap_m: float) -> tuple[Ints, Floats]:
    """The node of each spot, and the positions of the nodes."""
    where, unique = distinct(spots.at)
    near = cKDTree(where).query_pairs(snap_m, output_type="ndarray").astype(np.int64)
    edges = np.concatenate([near, unique[spots.links]])
    edges = np.unique(np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1), axis=0)
    label = _components(len(where), edges)
    number = len(course.row)
    pairs = np.column_stack([unique[:number], unique[number : 2 * number]])
    apart = np.hypot(*(where[pairs[:, 0]] - where[pairs[:, 1]]).T)
    ring = (apart == 0) | ((apart <= snap_m) & (course.length > _RING * snap_m))
    swallowed = (label[pairs[:, 0]] == label[pairs[:, 1]]) & ~ring
    if swallowed.any():
        label = _guarded(where, edges, label, pairs[swallowed])
    _, label = np.unique(label, return_inverse=True)
    place = _positions(spots, where, unique, label, 2 * number)
    return label[unique].astype(np.int64), place


def _components(n: int, edges: Ints) -> Ints:
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _guarded(where: Floats, edges: Ints, label: Ints, pairs: Ints) -> Ints:
    """Clusters made anew, nearest first, where a chain of short gaps had swallowed both ends of a short line."""
    touched = np.isin(label[edges[:, 0]], label[pairs[:, 0]])
    kept = edges[~touched]
    a, b = edges[touched].T
    order = np.lexsort([b, a, np.round(np.hypot(*(where[a] - where[b]).T), 6)])
    parent = {int(i): int(i) for i in np.unique(edges[touched])}
    foes: dict[int, set[int]] = {i: set() for i in parent}
    for i, j in pairs.tolist():
        foes[i].add(j)
        foes[j].add(i)
    joined = [(i, j) for i, j in zip(a[order].tolist(), b[order].tolist(), strict=True) if _merge(parent, foes, i, j)]
    return _components(len(where), np.concatenate([kept, np.array(joined, dtype=np.int64).reshape(-1, 2)]))


def _root(parent: dict[int, int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def _merge(parent: dict[int, int], foes: dict[int, set[int]], i: int, j: int) -> bool:
    """Two clusters made one, unless they hold the two ends of a line that must stay a line."""
    i, j = _root(parent, i), _root(parent, j)
    if i == j:
        return True
    if j in {_root(parent, foe) for foe in foes[i]}:
        return False
    if len(foes[i]) < len(foes[j]):
        i, j = j, i
    parent[j] = i
    foes[i] |= foes[j]
    return True


def _positions(spots: _Spots, where: Floats, unique: Ints, label: Ints, ends: int) -> Floats:
    """One of the positions of each cluster: on a line that passes, else where most ends lie, else the middle one."""
    n = len(where)
    passing = np.zeros(n, dtype=np.int64)
    np.maximum.at(passing, unique[ends:], np.where(spots.f[ends:] > 0, 1, 2))
    count = np.bincount(unique, minlength=n)
    size = np.bincount(label)
    middle = np.column_stack([np.bincount(label, weights=where[:, i]) / size for i in (0, 1)])
    off = np.round(np.hypot(*(where - middle[label]).T), 6)
    order = np.lexsort((where[:, 1], where[:, 0], off, -count, -passing, label))
    best = order[np.searchsorted(label[order], np.arange(len(size)))]
    return where[best]


def _cuts(course: Course, spots: _Spots, label: Ints, place: Floats, snap_m: float) -> Ints:
    """Which spots are cut: each line once at a node that it passes, and not beside its own end at that node."""
    ends = len(course.ends)
    number = len(course.row)
    s = np.arange(ends, len(spots.k))
    line, along = course.line[spots.k[s]], course.along(spots.k[s], spots.f[s])
    reach = _RING * snap_m
    at_start = (label[s] == label[line]) & (along <= reach)
    at_stop = (label[s] == label[line + number]) & (course.length[line] - along <= reach)
    keep = ~(at_start | at_stop) & (label[s] == label[spots.owner[s]])
    s, line, along = s[keep], line[keep], along[keep]
    order = np.lexsort([along, label[s], line])
    s, line, along = s[order], line[order], along[order]
    fresh = (np.diff(line) != 0) | (np.diff(label[s]) != 0) | (np.diff(along) > reach)
    group = np.concatenate([[0], np.cumsum(fresh)])[: len(s)]
    off = np.round(np.hypot(*(spots.at[s] - place[label[s]]).T), 6)
    order = np.lexsort([spots.at[s, 1], spots.at[s, 0], off, group])
    return s[order[np.concatenate([[True], np.diff(group[order]) != 0])[: len(order)]]]


def _moves(
    course: Course, spots: _Spots, cuts: Ints, label: Ints, place: Floats, sources: Sources
) -> list[NetworkDefect]:
    """One record for each node to which ends, or lines that pass, were moved by more than a millimetre."""
    at_nodes = np.concatenate([np.arange(len(course.ends)), cuts])
    m = np.zeros(len(spots.k))
    m[at_nodes] = np.hypot(*(spots.at[at_nodes] - place[label[at_nodes]]).T)
    far = np.flatnonzero(m > SAME_M)
    order = far[np.lexsort([-m[far], label[far]])]
    heads = order[np.concatenate([[True], np.diff(label[order]) != 0])[: len(order)]]
    count = np.bincount(label[far], minlength=len(place))
    return [
        NetworkDefect(
            "ends_snapped",
            "info",
            shapely.Point(place[label[i]]),
            f"{count[label[i]]} line end(s) or passing line(s) were moved to one node, by up to {m[i]:.3f} m (tolerance {sources.snap_m:g} m).",
            float(m[i]),
            "m",
            int(sources.fid[course.row[course.line[spots.k[i]]]]),
            True,
        )
        for i in heads.tolist()
    ]


def _shared_nodes(course: Course, spots: _Spots, label: Ints, place: Floats, sources: Sources) -> list[NetworkDefect]:
    """One record for each node that no line ends at: lines were drawn through a vertex that they share."""
    number = len(course.ends)
    ended = np.zeros(len(place), dtype=np.bool_)
    ended[label[:number]] = True
    new, first = np.unique(label[number:], return_index=True)
    return [
        NetworkDefect(
            "node_at_shared_vertex",
            "info",
            shapely.Point(place[node]),
            "Lines without an end here share a vertex on one level: taken as a confluence and cut.",
            source_fid=int(sources.fid[course.row[course.line[spots.k[number + i]]]]),
            done=True,
        )
        for node, i in zip(new.tolist(), first.tolist(), strict=True)
        if not ended[node]
    ]


def _collapsed(pieces: Course, i: int, sources: Sources) -> NetworkDefect:
    return NetworkDefect(
        "short_line",
        "warning",
        shapely.Point(pieces.xy[pieces.first[i]]),
        "Both ends of a short piece came to lie on one node and the piece was given up; check the lines here.",
        source_fid=int(sources.fid[pieces.row[i]]),
        done=True,
    )


def _open_rings(course: Course) -> Course:
    """Rings cut at the vertex nearest to their middle: no piece begins and ends at one node."""
    ring = (course.xy[course.first] == course.xy[course.last]).all(axis=1)
    if not ring.any():
        return course
    inner = ring[course.line]
    inner[course.ends] = False
    k = np.flatnonzero(inner)
    line = course.line[k]
    off = np.round(np.abs(course.chainage[k] - course.length[line] / 2), 6)
    order = k[np.lexsort([course.xy[k, 1], course.xy[k, 0], off, line])]
    middle = order[np.concatenate([[True], np.diff(course.line[order]) != 0])[: len(order)]]
    return cut(course, middle, np.zeros(len(middle)), course.xy[middle], np.zeros(len(course.xy), dtype=np.bool_))


def _without_repeats(course: Course, snap_m: float) -> tuple[Course, list[Dropped]]:
    """Pieces between the same two nodes along the same course within the tolerance: the first drawn stays."""
    number = len(course.row)
    _, node = course.nodes
    pair = np.sort(np.column_stack([node[:number], node[number:]]), axis=1)
    order = np.lexsort([np.arange(number), pair[:, 1], pair[:, 0]])
    same = (pair[order[1:]] == pair[order[:-1]]).all(axis=1)
    group = np.concatenate([[0], np.cumsum(~same)])[:number]
    crowd = np.flatnonzero(np.bincount(group, minlength=1)[group] > 1)
    starts = np.flatnonzero(np.concatenate([[True], np.diff(group[crowd]) != 0])[: len(crowd)])
    members = [sorted(part.tolist()) for part in np.split(order[crowd], starts[1:])] if len(crowd) else []
    shapes = dict(zip(order[crowd].tolist(), course.some_lines(order[crowd]), strict=True))
    repeats = [(j, i) for part in members for j, i in repeated(shapes, part, snap_m)]
    keep = np.ones(number, dtype=np.bool_)
    keep[[j for j, _ in repeats]] = False
    told = [
        Dropped(
            int(course.row[j]),
            int(course.row[i]),
            float(course.length[j]),
            shapely.line_interpolate_point(shapes[j], 0.5, normalized=True),
        )
        for j, i in repeats
    ]
    return course.only(keep), told


def repeated(shapes: Mapping[int, shapely.Geometry], members: list[int], snap_m: float) -> list[tuple[int, int]]:
    """(repeated, kept) among lines that may repeat each other, the first one kept."""
    out: list[tuple[int, int]] = []
    left = members
    while left:
        kept, rest = left[0], left[1:]
        same = alongside([shapes[j] for j in rest], [shapes[kept]] * len(rest), snap_m)
        out += [(j, kept) for j, is_same in zip(rest, same, strict=True) if is_same]
        left = [j for j, is_same in zip(rest, same, strict=True) if not is_same]
    return out


def alongside(a: list[shapely.Geometry], b: list[shapely.Geometry], within_m: float | Floats) -> Bools:
    """Whether pairs of lines keep within a distance of each other all along; boxes are asked first, which costs little."""
    apart = np.abs(shapely.bounds(a) - shapely.bounds(b)).max(axis=1, initial=0.0)
    same = apart <= within_m + TOUCH_M
    near = np.flatnonzero(same)
    far = shapely.hausdorff_distance([a[i] for i in near], [b[i] for i in near])
    same[near] = far <= np.broadcast_to(within_m, same.shape)[near]
    return np.asarray(same, dtype=np.bool_)
