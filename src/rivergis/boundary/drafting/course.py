"""One bank of one reach from end to end: the lines of works and banks laid one behind the other and joined smoothly.

Levees and flood walls stand where they stand; between them the line follows the flood, the bank or a surrogate, in this order,
and is led to them. A short gap in a levee (堤防缺口) is bridged along the bend of the river.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rivergis.boundary.drafting.curves import Curve, Floats, drawn_to
from rivergis.boundary.drafting.frames import Basis
from rivergis.boundary.drafting.rules import Drawing

_LEAST_M = 0.5
"""No piece is shorter."""


@dataclass(frozen=True)
class Piece:
    """A piece of line with its basis. ``fixed``: it stands where it stands; ``row``: number of the kept segment it is, or,
    where ``cut``, a part of it."""

    curve: Curve
    basis: Basis
    fixed: bool = False
    row: int | None = None
    cut: bool = False

    @property
    def from_m(self) -> float:
        return self.curve.from_m

    @property
    def to_m(self) -> float:
        return self.curve.to_m


def outermost(works: Sequence[Piece], axis: Curve) -> tuple[list[Piece], list[tuple[float, float]]]:
    """Works of one bank in order, each metre by the outermost of them, and the stretches where several stood."""
    done: list[Piece] = []
    twice: list[tuple[float, float]] = []
    far = sorted(works, key=lambda w: (w.row is None, -float(_off(axis, w.curve).mean()), w.from_m))
    for work in far:
        for a, b in without((work.from_m, work.to_m), [(p.from_m, p.to_m) for p in done]):
            done.append(replace(work, curve=work.curve if work.row is not None else work.curve.part(a, b)))
        twice += [
            (max(work.from_m, p.from_m), min(work.to_m, p.to_m))
            for p in done
            if p.curve is not work.curve
            and min(work.to_m, p.to_m) - max(work.from_m, p.from_m) > 2 * _LEAST_M
            and not (p.from_m >= work.from_m and p.to_m <= work.to_m and p.basis is work.basis)
        ]
    return sorted(done, key=lambda p: p.from_m), twice


def _off(axis: Curve, curve: Curve) -> Floats:
    return np.hypot(*(curve.xy - axis.points(curve.at_m)).T)


def without(span: tuple[float, float], taken: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """What is left of a stretch when others are taken out of it."""
    left = [span]
    for a, b in taken:
        left = [p for x, y in left for p in ((x, min(y, a)), (max(x, b), y)) if p[1] - p[0] > _LEAST_M]
    return left


def within(works: Sequence[Piece], spans: Iterable[tuple[float, float]]) -> list[Piece]:
    """What lies of works in stretches."""
    return [
        replace(w, curve=w.curve.part(max(w.from_m, a), min(w.to_m, b)))
        for a, b in spans
        for w in works
        if min(w.to_m, b) - max(w.from_m, a) > _LEAST_M
    ]


def laid(
    axis: Curve,
    works: Sequence[Piece],
    grounds: Sequence[Piece],
    rules: Drawing,
    carried: tuple[bool, bool],
    spans: Iterable[tuple[float, float]],
) -> tuple[list[Piece], list[tuple[float, float]]]:
    """The pieces of a bank from end to end, not yet joined, and the stretches for which nothing was found.

    ``works``: fixed pieces in order; ``grounds``: what is followed between them, the first that is there first. ``carried``:
    whether the levee at the start (end) goes on in the next reach, so that the rest up to the node is a gap in it.
    ``spans``: the stretches that are to be drawn.
    """
    pieces, open_ = list(works), []
    taken = [(w.from_m, w.to_m) for w in works]
    for a, b in (rest for span in spans for rest in without(span, taken)):
        if _is_gap(a, b, axis.to_m, works, rules, carried):
            pieces.append(_gap(axis, a, b, grounds, works))
            continue
        left = [(a, b)]
        for ground in grounds:
            for x, y in left:
                x, y = max(x, ground.from_m), min(y, ground.to_m)
                if y - x > _LEAST_M:
                    pieces.append(replace(ground, curve=ground.curve.part(x, y)))
            left = [p for span in left for p in without(span, [(ground.from_m, ground.to_m)])]
        open_ += left
    return sorted(pieces, key=lambda p: p.from_m), open_


def _is_gap(
    a: float, b: float, end_m: float, works: Sequence[Piece], rules: Drawing, carried: tuple[bool, bool]
) -> bool:
    levee_before = any(abs(w.to_m - a) < _LEAST_M and _is_levee(w) for w in works)
    levee_after = any(abs(w.from_m - b) < _LEAST_M and _is_levee(w) for w in works)
    if a <= _LEAST_M and b >= end_m - _LEAST_M:
        return False
    if a <= _LEAST_M:
        return levee_after and carried[0]
    if b >= end_m - _LEAST_M:
        return levee_before and carried[1]
    return levee_before and levee_after and b - a <= rules.levee_gap_m


def _is_levee(work: Piece) -> bool:
    return work.basis.drawn_by in ("levee_toe", "flood_wall")


def _gap(axis: Curve, a: float, b: float, grounds: Sequence[Piece], works: Sequence[Piece]) -> Piece:
    """A gap in a levee: along the bank where one is known, else along the axis."""
    follow = next((g.curve for g in grounds if g.from_m <= a + _LEAST_M and g.to_m >= b - _LEAST_M), axis)
    beside = min(works, key=lambda w: min(abs(w.from_m - b), abs(w.to_m - a)))
    return Piece(follow.part(a, b), replace(beside.basis, drawn_by="levee_gap"))


def joined(axis: Curve, pieces: Sequence[Piece], rules: Drawing) -> list[Piece]:
    """Pieces led to each other where they touch: to what is fixed, else to the one farther out, so that no rule is undercut."""
    ends: list[list[Floats | None]] = [[None, None] for _ in pieces]
    for i in range(1, len(pieces)):
        before, after = pieces[i - 1], pieces[i]
        if after.from_m - before.to_m > _LEAST_M:
            continue
        meet = _meeting(axis, before, after)
        ends[i - 1][1], ends[i][0] = meet, meet
    made = [led(axis, piece, start, end, rules) for piece, (start, end) in zip(pieces, ends, strict=True)]
    for i in range(1, len(made)):
        if ends[i][0] is not None:
            made[i - 1], made[i] = _abutting(made[i - 1], made[i])
    return made


def _abutting(before: Piece, after: Piece) -> tuple[Piece, Piece]:
    """Two pieces that meet, at one chainage: that of the kept one, if one was kept."""
    at = after.from_m if after.row is not None else before.to_m
    if before.row is None:
        before = replace(before, curve=Curve(before.curve.xy, np.append(before.curve.at_m[:-1], at)))
    if after.row is None:
        after = replace(after, curve=Curve(after.curve.xy, np.insert(after.curve.at_m[1:], 0, at)))
    return before, after


def _meeting(axis: Curve, before: Piece, after: Piece) -> Floats:
    end, start = before.curve.xy[-1], after.curve.xy[0]
    if (before.row is None) != (after.row is None):
        return end if before.row is not None else start
    if before.fixed != after.fixed:
        return end if before.fixed else start
    if before.basis.drawn_by == "levee_gap" or after.basis.drawn_by == "levee_gap":
        return start if before.basis.drawn_by == "levee_gap" else end
    foot = axis.points([before.to_m])[0]
    return end if np.hypot(*(end - foot)) >= np.hypot(*(start - foot)) else start


def led(axis: Curve, piece: Piece, start: Floats | None, end: Floats | None, rules: Drawing) -> Piece:
    """A piece led to end points, as far as they are given; a kept piece never moves. A gap melts into what is on both sides."""
    if piece.row is not None:
        return piece
    start = None if start is None or np.array_equal(start, piece.curve.xy[0]) else start
    end = None if end is None or np.array_equal(end, piece.curve.xy[-1]) else end
    length = piece.to_m - piece.from_m
    over = max(length, rules.join_m) if piece.basis.drawn_by == "levee_gap" else rules.join_m
    return replace(piece, curve=drawn_to(piece.curve, axis, start, end, over))
