"""Where lines of one bank follow each other: gaps, splits without a reason, seams at county borders, ends that meet nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from rivergis.boundary.doctor.axes import Bools, Floats, Ints
from rivergis.boundary.doctor.case import Defect
from rivergis.boundary.doctor.desk import Desk
from rivergis.boundary.doctor.lines import Laid

REASONS = ("basis", "drawn_by", "rule_m", "stretch", "announce_gov", "announce_doc_no", "announce_date")
"""Columns whose change is a reason to split a line, besides reach, bank, county and kind."""
_ISLAND = 1.3
"""How many times the offset of the line across the river the areas must reach on a bank that needs no line."""
_MOUTH = 1.15
"""How many times its offset beyond the end of a line the areas must still reach where its bank needs no line."""
END_SLACK_M = 100.0
"""How far from the head of a river or the border of the map a line may begin or end."""


@dataclass(frozen=True)
class Chains:
    """Main rows in order: by reach, bank, kind and chainage. ``follows``: position i continues position i-1 on the same bank."""

    rows: Ints
    follows: Bools


def chains(laid: Laid, kind: Ints) -> Chains:
    """The rows of every bank in the order they follow each other downstream."""
    rows = np.flatnonzero(laid.main)
    low = np.minimum(*laid.span)
    rows = rows[np.lexsort((low[rows], kind[rows], laid.bank[rows], laid.reach[rows]))]
    key = np.c_[laid.reach[rows], laid.bank[rows], kind[rows]]
    follows = np.r_[False, (key[1:] == key[:-1]).all(axis=1)] if len(rows) else np.zeros(0, bool)
    return Chains(rows, follows)


def joins(desk: Desk, laid: Laid, chain: Chains) -> list[Defect]:
    """pseudo_node, gap_in_line, duplicate_line (ends that overlap), seam_gap, seam_overlap, seam_offset."""
    found = []
    at = np.flatnonzero(chain.follows)
    first, last = laid.ends
    a, b = chain.rows[at - 1], chain.rows[at]
    apart = np.hypot(*(last[a] - first[b]).T)
    seen = ~_mouths(desk, laid, a, b, apart)
    a, b, apart = a[seen], b[seen], apart[seen]
    split = ~_reasons(desk, a, b)
    for i, j, d, bare in zip(a.tolist(), b.tolist(), apart.tolist(), split.tolist(), strict=True):
        code = _code(desk, laid, i, j, d, bare)
        if code is not None:
            found.append(_between(desk, laid, code, i, j, d))
    return found


def _mouths(desk: Desk, laid: Laid, a: Ints, b: Ints, apart: Floats) -> Bools:
    """Breaks of a line where a tributary comes in: both ends meet lines of other reaches."""
    near = max(desk.case.limits.snap_m, desk.case.limits.seam_tolerance_m)
    wide = np.flatnonzero(apart > near)
    rows = np.flatnonzero(laid.main)
    tree = shapely.STRtree(laid.shapes[rows])
    out = np.zeros(len(a), bool)
    if not len(wide):
        return out
    met = []
    for side, points in ((a, laid.ends[1]), (b, laid.ends[0])):
        own = side[wide]
        point, other = tree.query(shapely.points(points[own]), predicate="dwithin", distance=near)
        foreign = laid.reach[rows[other]] != laid.reach[own[point]]
        met.append(np.bincount(point[foreign], minlength=len(wide)) > 0)
    out[wide] = met[0] & met[1]
    return out


def _code(desk: Desk, laid: Laid, i: int, j: int, apart_m: float, bare: bool) -> str | None:
    """What is wrong between a line and the one that follows it, or None. ``bare``: nothing else changes between them."""
    limits = desk.case.limits
    seam = laid.county[i] is not None and laid.county[j] is not None and laid.county[i] != laid.county[j]
    if apart_m <= (max(limits.seam_tolerance_m, limits.snap_m) if seam else limits.snap_m):
        return None if seam or not bare else "pseudo_node"
    ahead = float(laid.span[0][j] - laid.span[1][i])
    near = limits.seam_tolerance_m
    start, end = shapely.get_point(laid.shapes[j], 0), shapely.get_point(laid.shapes[i], -1)
    upon = shapely.distance(start, laid.shapes[i]) <= near or shapely.distance(end, laid.shapes[j]) <= near
    if ahead < 0 and upon:
        return "seam_overlap" if seam else "duplicate_line"
    if not seam:
        return "gap_in_line"
    sideways = abs(_offset(laid, end, i) - _offset(laid, start, j))
    if sideways >= abs(ahead):
        return "seam_offset"
    return "seam_gap" if ahead > 0 else "seam_overlap"


def _offset(laid: Laid, point: shapely.Point, row: int) -> float:
    return float(laid.axes.feet(laid.reach[[row]], shapely.get_coordinates(point))[1][0])


def _reasons(desk: Desk, a: Ints, b: Ints) -> Bools:
    """Whether something changes from one line to the one that follows it."""
    lines = desk.case.lines
    out = np.zeros(len(a), bool)
    for column in REASONS:
        if column in lines.columns:
            said, empty = lines[column].to_numpy(object), lines[column].isna().to_numpy()
            out |= (said[a] != said[b]) & ~(empty[a] & empty[b])
    return out


def _between(desk: Desk, laid: Laid, code: str, i: int, j: int, apart_m: float) -> Defect:
    span = sorted((float(laid.span[1][i]), float(laid.span[0][j])))
    place = (laid.ends[1][i] + laid.ends[0][j]) / 2
    return desk.defect(
        code,
        int(laid.reach[i]),
        int(laid.bank[i]),
        (span[0], span[1]),
        place,
        desk.names(i, j),
        apart_m,
        bank=desk.bank(i),
        what=f"{laid.county[i] or ''} | {laid.county[j] or ''}",
        detail={"counties": [laid.county[i], laid.county[j]]},
    )


@dataclass(frozen=True)
class _Loose:
    """An end of a bank that meets nothing: row, whether it is its downstream end, place, chainage."""

    row: int
    down: bool
    at: Floats
    s: float


def ends(desk: Desk, laid: Laid, chain: Chains, kind: Ints) -> list[Defect]:
    """gap_in_line at the first and last line of a bank that ends before the line of the next reach begins."""
    loose = _loose_ends(desk, laid, chain, kind)
    at_node: dict[tuple[int, int], list[int]] = {}
    for k, end in enumerate(loose):
        at_node.setdefault(_node(laid, end), []).append(k)
    found, taken = [], set()
    for k, end in enumerate(loose):
        if k in taken:
            continue
        other = _partner(loose, k, at_node[_node(laid, end)])
        if other is not None:
            taken.add(other)
        found.append(_open(desk, laid, end, None if other is None else loose[other]))
    return found


def _loose_ends(desk: Desk, laid: Laid, chain: Chains, kind: Ints) -> list[_Loose]:
    starts = chain.rows[~chain.follows]
    stops = chain.rows[np.r_[~chain.follows[1:], True]] if len(chain.rows) else chain.rows
    main = np.flatnonzero(laid.main & (kind == 0))
    tree = shapely.STRtree(laid.shapes[main])
    near = max(desk.case.limits.snap_m, desk.case.limits.seam_tolerance_m)
    out = []
    for rows, down in ((starts, False), (stops, True)):
        rows = rows[kind[rows] == 0]
        points = laid.ends[int(down)][rows]
        point, other = tree.query(shapely.points(points), predicate="dwithin", distance=near)
        met = np.bincount(point[main[other] != rows[point]], minlength=len(rows)) > 0
        s = laid.span[int(down)][rows]
        reach = laid.reach[rows]
        rest = laid.axes.length[reach] - s if down else s
        lawful = (laid.axes.lawful_end if down else laid.axes.lawful_start)[reach] & (rest <= END_SLACK_M)
        border = _at_border(desk, points)
        open_ = np.flatnonzero(~met & ~lawful & ~border)
        open_ = open_[~_in_receiver(desk, laid, rows[open_], s[open_], down)]
        for k in open_.tolist():
            out.append(_Loose(int(rows[k]), down, points[k], float(s[k])))
    return out


def _covered(desk: Desk, xy: Floats) -> Bools:
    """Which points (n, 2) lie in a management area."""
    frame = desk.case.areas
    if frame is None or not len(frame) or not len(xy):
        return np.zeros(len(xy), bool)
    closed = shapely.get_dimensions(frame.geometry.values) == 2
    point, _ = shapely.STRtree(frame.geometry.values[closed]).query(shapely.points(xy), predicate="within")
    return np.bincount(point, minlength=len(xy)) > 0


def _in_receiver(desk: Desk, laid: Laid, rows: Ints, s: Floats, down: bool) -> Bools:
    """Ends whose bank runs on, to the node, well inside the areas of the place: a mouth in wide water is no gap."""
    reach = laid.reach[rows]
    first, last = laid.ends
    offset = laid.axes.feet(reach, (last if down else first)[rows])[1]
    node = laid.axes.length[reach] if down else np.zeros(len(rows))
    inside = [_covered(desk, laid.axes.beside(reach, s + q * (node - s), _MOUTH * offset)) for q in (0.25, 0.75)]
    return np.asarray(inside[0] & inside[1], bool)


def _at_border(desk: Desk, points: Floats) -> Bools:
    """Ends on the border of a county of which no line was given: its own file may go on there."""
    counties = desk.case.counties
    if counties is None:
        return np.zeros(len(points), bool)
    silent = ~counties["county"].isin(desk.case.lines["county"].dropna().unique()).to_numpy()
    if not silent.any():
        return np.zeros(len(points), bool)
    near = desk.case.limits.seam_tolerance_m
    met = shapely.STRtree(counties.geometry.values[silent]).query(
        shapely.points(points), predicate="dwithin", distance=near
    )[0]
    return np.isin(np.arange(len(points)), met)


def _node(laid: Laid, end: _Loose) -> tuple[int, int]:
    """The node and bank that a loose end should meet the next line at."""
    node = laid.axes.end_node if end.down else laid.axes.start_node
    return int(node[laid.reach[end.row]]), int(laid.bank[end.row])


def _partner(loose: list[_Loose], k: int, near: list[int]) -> int | None:
    """The loose end of the next reach on the same bank that this one should meet."""
    me = loose[k]
    fits = [(float(np.hypot(*(loose[i].at - me.at))), i) for i in near if i > k and loose[i].down != me.down]
    return min(fits)[1] if fits else None


def _open(desk: Desk, laid: Laid, end: _Loose, other: _Loose | None) -> Defect:
    reach = int(laid.reach[end.row])
    length = float(laid.axes.length[reach])
    features = desk.names(*(e.row for e in (end, other) if e is not None))
    rest = length - end.s if end.down else end.s
    gap = float(np.hypot(*(end.at - other.at))) if other is not None else max(rest, 0.0)
    node = (laid.axes.end_node if end.down else laid.axes.start_node)[reach]
    around = np.flatnonzero((laid.axes.start_node == node) | (laid.axes.end_node == node))
    return desk.defect(
        "gap_in_line",
        reach,
        int(laid.bank[end.row]),
        (min(end.s, length), max(end.s, length)) if end.down else (min(end.s, 0.0), max(end.s, 0.0)),
        end.at if other is None else (end.at + other.at) / 2,
        features,
        gap,
        bank=desk.bank(end.row),
        detail={"neighbours": [str(laid.axes.ids[r]) for r in around if r != reach], "end": True},
    )


def missing(desk: Desk, laid: Laid, kind: Ints, silent: Bools) -> list[Defect]:
    """missing_bank and reach_without_line. ``silent``: reaches of counties that gave no lines at all; they are not asked."""
    n = len(laid.axes.ids)
    rows = laid.main & (kind == 0)
    there = {side: np.bincount(laid.reach[rows & (laid.bank == side)], minlength=n) > 0 for side in (1, -1)}
    found = []
    for reach in np.flatnonzero(~(there[1] & there[-1]) & ~silent).tolist():
        none = not there[1][reach] and not there[-1][reach]
        side = 0 if none else (1 if not there[1][reach] else -1)
        if none or not _island_taken_in(desk, laid, reach, side, rows):
            found.append(_absent(desk, laid, reach, side))
    return found


def _island_taken_in(desk: Desk, laid: Laid, reach: int, side: int, rows: Bools) -> bool:
    """Whether the bank without a line lies inside the areas of the place, far beyond where its line would be: an island between arms."""
    there = np.flatnonzero(rows & (laid.reach == reach))
    middle = shapely.get_coordinates(shapely.line_interpolate_point(laid.shapes[there], 0.5, normalized=True))
    offset = float(np.median(np.abs(laid.axes.feet(laid.reach[there], middle)[1])))
    s = np.linspace(0.2, 0.8, 7) * laid.axes.length[reach]
    beyond = laid.axes.beside(np.full(7, reach), s, np.full(7, side * _ISLAND * offset))
    return bool(_covered(desk, beyond).all())


def _absent(desk: Desk, laid: Laid, reach: int, side: int) -> Defect:
    length = float(laid.axes.length[reach])
    at: Any = laid.axes.at(np.array([reach]), np.array([length / 2]))[0]
    code = "missing_bank" if side else "reach_without_line"
    return desk.defect(code, reach, side, (0.0, length), at, [], length, bank=None if side else "")


def silent_reaches(desk: Desk) -> tuple[Bools, list[str]]:
    """Reaches wholly in counties of which no line was given, and the names of those counties."""
    axes, counties = desk.axes, desk.case.counties
    out = np.zeros(len(axes.ids), bool)
    if counties is None or "county" not in desk.case.present:
        return out, []
    drawn = set(desk.case.lines["county"].dropna())
    if not drawn & set(counties["county"]):
        return out, []
    points = np.concatenate(
        [shapely.line_interpolate_point(axes.shapes, q, normalized=True) for q in (0.02, 0.5, 0.98)]
    )
    point, area = shapely.STRtree(counties.geometry.values).query(points, predicate="intersects")
    quiet = ~counties["county"].isin(drawn).to_numpy()
    in_quiet = np.bincount(point[quiet[area]], minlength=len(points)).reshape(3, -1) > 0
    in_drawn = np.bincount(point[~quiet[area]], minlength=len(points)).reshape(3, -1) > 0
    out = np.asarray(in_quiet.any(axis=0) & ~in_drawn.any(axis=0), bool)
    return out, sorted(set(counties["county"].to_numpy(object)[area][quiet[area]]))
