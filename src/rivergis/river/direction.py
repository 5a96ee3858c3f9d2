"""Which way does the water run (流向)? The direction of every piece of a drawn network, what says so, and how surely.

Four kinds of evidence are weighed, in this order of strength: the source's attributes, the direction of digitising
(as far as the file proves trustworthy as a whole), the fall of a DEM, and what makes a river network of the lines: water
leaves every confluence, reaches an outlet, and tributaries join at acute angles pointing downstream (Horton 1945;
Howard 1971, doi:10.1029/WR007i004p00863). ``orient`` looks for the directions of all pieces that together agree best with all
of it; ``consensus`` says how, for the parts with and without loops.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rivergis.river import consensus
from rivergis.river.drawn import Drawn, Floats, Ints, NetworkDefect

Flags = npt.NDArray[np.bool_]

# natural logarithms of odds; kept small enough that no single drawn line outvotes a whole network
ATTRIBUTE_ODDS = 8.0
MOST_ODDS = 6.0  # of digitising, for a file that is drawn downstream throughout
DEM_ODDS = 3.0
ANGLE_WEIGHT = 3.0  # per radian; two surveyed networks fit 3.5 to 4, hand-drawn confluences are less regular
BEARING_M = 100.0  # a bearing at a node is taken over this much of the piece, at most half of it
TRUSTED_SHARE = 0.7  # below this share of lines drawn downstream, digitising does not set a direction
THROUGH = 4.0  # a line drawn in one go runs one way
FIRST_SHARE = 0.97
DRAWN_UPSTREAM = 25.0  # what a network must bring before a file is taken to be mostly drawn upstream
PREFERRED, TEMPER = 10.0, 4.0  # lead of the better of two explanations that decides, and that makes it sure
MOSTLY_UPSTREAM = 0.4  # share of lines drawn downstream from which on that holds in full
LONELY, FEW = (
    0.75,
    3.0,
)  # what a drawn direction is worth where no confluence confirms any, as if from so many confluences
END_TRUSTED, END_DOUBTED = 3.0, 2.0
PRIOR_LINES = 10.0  # the share is not learnt from a handful of lines


@dataclass(frozen=True)
class Directed:
    """Directions of the pieces of a ``Drawn``.

    ``turned``: (n,) bool, the piece runs against the way it was drawn. ``basis``: attribute, digitised, dem, connectivity
    or unknown. ``confidence``: 0.5 (a coin) to 1. ``drawn_downstream``: share of lines that were drawn downstream, as estimated.
    ``start``, ``end``: upstream and downstream node of each piece; ``fit``: how well it fits as the one that leaves ``start``.
    """

    turned: Flags
    basis: npt.NDArray[np.str_]
    confidence: Floats
    drawn_downstream: float
    start: Ints
    end: Ints
    fit: Floats
    defects: list[NetworkDefect]


def orient(
    drawn: Drawn,
    *,
    min_confidence: float,
    fall_error_m: float = 1.0,
    fall_m: Floats | None = None,
    outlets: Ints | None = None,
) -> Directed:
    """Direct every piece; the directed pieces never form a cycle.

    ``fall_m``: (n,) height of the first vertex minus that of the last, NaN where no DEM tells. ``outlets``: numbers of the
    nodes where water is known to leave. ``fall_error_m``: a fall that says little yet. Below ``min_confidence`` a direction
    is listed as a guess.
    """
    count = len(drawn.pieces)
    fall = np.full(count, np.nan) if fall_m is None else fall_m
    known = np.asarray([] if outlets is None else outlets, dtype=np.int64)
    given = _given(drawn, fall, fall_error_m)
    fits = _confluence_fits(drawn)
    share, solved = _best(drawn, given, fits, known)
    turned = solved.turned
    basis = _basis(drawn, turned, solved.confidence, given, share)
    start, end = np.where(turned, drawn.end, drawn.start), np.where(turned, drawn.start, drawn.end)
    fit = np.where(turned, fits[:, 1], fits[:, 0])
    directed = Directed(turned, basis, solved.confidence, share, start, end, fit, [])
    directed.defects.extend(_defects(drawn, directed, solved.contradicted, known, min_confidence))
    return directed


@dataclass(frozen=True)
class _Given:
    """Log odds for "as drawn" from what is said of single pieces."""

    attribute: Floats
    dem: Floats

    @property
    def sum(self) -> Floats:
        return self.attribute + self.dem


def _given(drawn: Drawn, fall_m: Floats, fall_error_m: float) -> _Given:
    dem = np.clip(np.nan_to_num(fall_m) / max(fall_error_m, 1e-6), -DEM_ODDS, DEM_ODDS)
    return _Given(drawn.pieces["flow"].to_numpy(dtype=float) * ATTRIBUTE_ODDS, dem)


def _best(drawn: Drawn, given: _Given, fits: Floats, outlets: Ints) -> tuple[float, consensus.Solved]:
    """The best directions, with the share of lines drawn downstream learnt from the network itself.

    Two beginnings, mostly drawn downstream or mostly upstream; the second must explain the lines clearly better to win.
    """
    length = shapely.length(drawn.pieces.geometry.to_numpy())
    ways = consensus.Ways(drawn.start, drawn.end, len(drawn.nodes), length, outlets)
    lines = _one_for_each_line(drawn)
    meetings = int((drawn.degree() > 2).sum())
    found = []
    for share in (FIRST_SHARE, 1 - FIRST_SHARE):
        first = share
        for _ in range(4):
            odds = float(np.clip(np.log(share / (1 - share)), -MOST_ODDS, MOST_ODDS))
            # in a loop every piece counts whole: what holds the pieces of a line together on a tree does not there
            within = odds * (lines > 0) + given.sum
            solved = ways.solve(odds * lines + given.sum, fits, _end_cost(share), within)
            downstream = float(lines[~solved.turned].sum())
            learnt = (downstream + PRIOR_LINES * first) / (lines.sum() + PRIOR_LINES)
            learnt = (learnt * meetings + (LONELY if first > 0.5 else 1 - LONELY) * FEW) / (meetings + FEW)
            if abs(learnt - share) < 1e-3:
                break
            share = learnt
        found.append((_likelihood(solved, lines, share), share, solved))
    (first_likelihood, *_), (second_likelihood, *_) = found
    second = second_likelihood > first_likelihood + PREFERRED
    return found[second][1], _doubted(found[second][2], found[not second][2], abs(second_likelihood - first_likelihood))


def _doubted(chosen: consensus.Solved, other: consensus.Solved, ahead: float) -> consensus.Solved:
    """The chosen solution, as sure as it may be where the other one is about as likely and says otherwise."""
    weight = 1 / (1 + np.exp(min(ahead / TEMPER, 50.0)))
    same = chosen.turned == other.turned
    said = np.where(same, other.confidence, 1 - other.confidence)
    return replace(chosen, confidence=np.maximum((1 - weight) * chosen.confidence + weight * said, 0.5))


def _one_for_each_line(drawn: Drawn) -> Floats:
    """(n,) weight of each piece as a witness of how lines were drawn: a line was drawn once, in however many pieces it is now.

    What the build made was drawn by no one.
    """
    fids = drawn.pieces["source_fid"].to_numpy()
    _, line, pieces = np.unique(fids, return_inverse=True, return_counts=True)
    return np.where(fids >= 0, 1 / np.sqrt(pieces[line]), 0.0)


def _end_cost(share: float) -> float:
    """What must be shown for one more outlet: less in a file whose lines can be trusted, where map edges cut arms off."""
    return END_TRUSTED + END_DOUBTED * (1 - abs(2 * share - 1))


def _likelihood(solved: consensus.Solved, lines: Floats, share: float) -> float:
    """Log likelihood of a solution: its own score, with the odds of digitising measured from zero; upstream is rarer."""
    down = lines[~solved.turned].sum()
    up = lines.sum() - down
    share = min(max(share, 1e-3), 1 - 1e-3)
    odds = float(np.clip(np.log(share / (1 - share)), -MOST_ODDS, MOST_ODDS))
    rest = solved.score - odds * down
    rarer = DRAWN_UPSTREAM * min(max((0.5 - share) / (0.5 - MOSTLY_UPSTREAM), 0.0), 1.0)
    return float(rest + down * np.log(share) + up * np.log(1 - share) - rarer)


def _confluence_fits(drawn: Drawn) -> Floats:
    """(n, 2) how well each piece fits as the one that leaves the node at its first and at its last vertex.

    At a confluence the leaving piece lies opposite to the arriving ones: the sum of its angles to the others is largest.
    Log probabilities per node, 0 where fewer than three ends meet.
    """
    away = _bearings(drawn)
    node = np.concatenate([drawn.start, drawn.end])
    fits = np.zeros(len(node))
    order = np.argsort(node, kind="stable")
    _, first, degree = np.unique(node[order], return_index=True, return_counts=True)
    for d in np.unique(degree[degree >= 3]):
        ends = order[first[degree == d][:, None] + np.arange(d)]  # (nodes of this degree, d)
        cosines = np.clip(away[ends] @ away[ends].transpose(0, 2, 1), -1, 1)
        angles = np.arccos(cosines).sum(axis=2) / (d - 1) * 2
        weight = ANGLE_WEIGHT * (angles - angles.max(axis=1, keepdims=True))
        fits[ends] = weight - np.log(np.exp(weight).sum(axis=1, keepdims=True))
    fits -= THROUGH * _beside_a_line_drawn_through(drawn)
    return fits.reshape(2, -1).T


def _beside_a_line_drawn_through(drawn: Drawn) -> Flags:
    """(2n,) ends at a node that one other line was drawn through: if one of these led away, that line would end from both sides."""
    fid = np.tile(drawn.pieces["source_fid"].to_numpy(), 2)
    node = np.concatenate([drawn.start, drawn.end])
    _, group, size = np.unique(np.column_stack([node, fid]), axis=0, return_inverse=True, return_counts=True)
    through = (size[group.ravel()] == 2) & (fid >= 0)
    lines = np.bincount(node[through], minlength=len(drawn.nodes)) // 2
    return np.asarray((lines[node] == 1) & ~through)


def _bearings(drawn: Drawn) -> Floats:
    """(2n, 2) unit vectors from the nodes into the pieces: first those at the first vertices, then at the last."""
    lines = drawn.pieces.geometry.to_numpy()
    length = shapely.length(lines)
    reach = np.minimum(BEARING_M, length / 2)
    first = shapely.get_coordinates(shapely.line_interpolate_point(lines, reach)) - drawn.nodes[drawn.start]
    last = shapely.get_coordinates(shapely.line_interpolate_point(lines, length - reach)) - drawn.nodes[drawn.end]
    both = np.concatenate([first, last])
    return both / np.maximum(np.hypot(both[:, 0], both[:, 1]), 1e-9)[:, None]


def _basis(drawn: Drawn, turned: Flags, confidence: Floats, given: _Given, share: float) -> npt.NDArray[np.str_]:
    """The strongest evidence that agrees with the direction chosen."""
    sign = np.where(turned, -1.0, 1.0)
    made = drawn.pieces["source_fid"].to_numpy() < 0
    digitised = ~turned if share >= TRUSTED_SHARE else turned if share <= 1 - TRUSTED_SHARE else np.zeros_like(turned)
    return np.select(
        [given.attribute * sign > 0, digitised & ~made, given.dem * sign > 1.0, confidence > 0.5 + 1e-6],
        ["attribute", "digitised", "dem", "connectivity"],
        "unknown",
    )


def components(start: Ints, end: Ints, nodes: int) -> Ints:
    """Number of the connected part each node belongs to."""
    graph = coo_array((np.ones(len(start)), (start, end)), shape=(nodes, nodes))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _defects(
    drawn: Drawn, directed: Directed, contradicted: Ints, outlets: Ints, min_confidence: float
) -> list[NetworkDefect]:
    """Everything about the directions that a person may want to check, with its place."""
    lines = drawn.pieces.geometry.to_numpy()
    middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    fids = drawn.pieces["source_fid"].to_numpy()
    found = []

    def tell(i: int, code: str, severity: str, proposal: str, measure: float | None, done: bool) -> None:
        unit = None if measure is None else "ratio"
        fid = int(fids[i]) if fids[i] >= 0 else None
        found.append(NetworkDefect(code, severity, middles[i], proposal, measure, unit, fid, done))

    flow = drawn.pieces["flow"].to_numpy()
    sign = np.where(directed.turned, -1, 1)
    for i in np.flatnonzero(directed.turned & (fids >= 0)):
        said = f"Drawn against the flow as far as {directed.basis[i]} tells; it was turned round."
        tell(int(i), "direction_turned", "info", said, float(directed.confidence[i]), True)
    for i in np.flatnonzero(directed.confidence < min_confidence):
        said = "Its direction is a guess, and so are its banks: check which way the water runs."
        tell(int(i), "direction_guessed", "warning", said, float(directed.confidence[i]), True)
    for i in np.flatnonzero(flow * sign < 0):
        said = (
            "Its attributes say it runs the other way, which would leave the water nowhere to go: correct one of them."
        )
        tell(int(i), "direction_contradicted", "warning", said, None, True)
    for i in contradicted:
        said = "As drawn the water would run in a circle here: it was directed by the lines around it."
        tell(int(i), "cycle_broken", "warning", said, None, True)
    return found + _node_defects(drawn, directed, outlets)


def _node_defects(drawn: Drawn, directed: Directed, outlets: Ints) -> list[NetworkDefect]:
    nodes = len(drawn.nodes)
    out = np.bincount(directed.start, minlength=nodes)
    into = np.bincount(directed.end, minlength=nodes)
    part = components(directed.start, directed.end, nodes)
    sinks = np.flatnonzero((out == 0) & (into > 0))
    per_part = Counter(part[sinks].tolist())
    found = []
    for node in sinks:
        if node in outlets:
            continue
        at = shapely.Point(drawn.nodes[node])
        if into[node] > 1:
            said = "Water arrives here from several sides and none leaves: a reach is missing, or one is drawn the wrong way."
            found.append(NetworkDefect("inner_end", "warning", at, said, float(into[node]), "reaches"))
        elif per_part[int(part[node])] > 1:
            said = "One of several ends of this part of the network: an outlet, or a reach that should run the other way or on."
            found.append(NetworkDefect("second_outlet", "warning", at, said, float(per_part[int(part[node])]), "ends"))
    for node in np.setdiff1d(outlets, sinks):
        at = shapely.Point(drawn.nodes[node])
        said = "Said to be an outlet, but the network carries the water on from here."
        found.append(NetworkDefect("outlet_not_an_end", "warning", at, said))
    return found + _parts(drawn, directed, part)


def _parts(drawn: Drawn, directed: Directed, part: Ints) -> list[NetworkDefect]:
    """Parts of the network that no other part is connected to, all but the longest."""
    length = shapely.length(drawn.pieces.geometry.to_numpy())
    total = np.bincount(part[directed.start], weights=length)
    found = []
    for number in np.argsort(-total)[1:]:
        if total[number] > 0:
            first = int(np.flatnonzero(part[directed.start] == number)[0])
            at = shapely.Point(drawn.nodes[directed.end[first]])
            said = "This part is connected to nothing: join it to the river it drains to, if it drains to one."
            found.append(NetworkDefect("isolated_part", "warning", at, said, float(total[number]), "m"))
    return found
