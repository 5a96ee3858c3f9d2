"""Spoil beside a river (弃土区): where it lies against levee or bank, the line starts from its outer toe.

Source: 江苏 technical rules (试行): a spoil zone that is wide moves the line out to its outer toe plus the same width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from rivergis.boundary.drafting.course import Piece
from rivergis.boundary.drafting.curves import Curve, Floats, tidy


@dataclass(frozen=True)
class Spoil:
    """A heap or strip of spoil (Polygon, metres) and where it is told."""

    shape: shapely.Polygon
    source: Mapping[str, Any]


def moved_out(pieces: Sequence[Piece], axis: Curve, side: int, heaps: Sequence[Spoil]) -> list[Piece]:
    """Pieces of a bank led round the outer toe of spoil that lies across them, at the distance of their rule."""
    out: list[Piece] = []
    for piece in pieces:
        made = [piece]
        for heap in heaps if piece.row is None else ():
            made = [p for m in made for p in _round(m, axis, side, heap)]
        out += made
    return out


def _round(piece: Piece, axis: Curve, side: int, heap: Spoil) -> list[Piece]:
    if not shapely.intersects(heap.shape, piece.curve.line):
        return [piece]
    metres = _metres(piece)
    zone = heap.shape.buffer(metres, quad_segs=32)
    met = shapely.intersection(piece.curve.line, zone.exterior)
    run = np.sort(shapely.line_locate_point(piece.curve.line, shapely.points(shapely.get_coordinates(met))))
    if len(run) < 2 or run[-1] - run[0] < 1.0 or piece.basis.drawn_by == "spoil":
        return [piece]
    a, b = float(run[0]), float(run[-1])
    arc = _outer(piece.curve, zone.exterior, a, b, side)
    if arc is None:
        return [piece]
    at = np.interp([a, b], piece.curve.run_m, piece.curve.at_m)
    share = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(arc, axis=0).T))])
    between = tidy(arc, at[0] + share / share[-1] * (at[1] - at[0]))
    basis = replace(piece.basis, drawn_by="spoil", source=heap.source)
    head, tail = _part(piece.curve, 0.0, a), _part(piece.curve, b, float(piece.curve.run_m[-1]))
    return [
        *([replace(piece, curve=head)] if head is not None else []),
        Piece(between, basis, True),
        *([replace(piece, curve=tail)] if tail is not None else []),
    ]


def _metres(piece: Piece) -> float:
    """Width that the rule of a piece asks."""
    row = piece.basis.rule
    return float(row.value) if row is not None and isinstance(row.value, (int, float)) else 0.0


def _outer(curve: Curve, ring: Any, a: float, b: float, side: int) -> Floats | None:
    """The way round a zone on the land side, from one place of the line to another; None where it does not lead out."""
    start, end = (np.array(curve.line.interpolate(x).coords[0]) for x in (a, b))
    xy = shapely.get_coordinates(ring)
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    p, q = (float(ring.project(shapely.Point(x))) for x in (start, end))
    low, high = min(p, q), max(p, q)
    inner = xy[(run > low + 1e-6) & (run < high - 1e-6)]
    outer = np.vstack([xy[run > high + 1e-6][:-1], xy[run < low - 1e-6]])
    ways = [inner, outer[::-1]] if p < q else [inner[::-1], outer]
    whole = [np.vstack([start, w, end]) for w in ways]
    # land lies to the left of a left line, to the right of a right one: the way round it turns there
    sense = [side * _turn(w) for w in whole]
    best = int(np.argmin(sense))
    return whole[best] if sense[best] < 0 else None


def _turn(xy: Floats) -> float:
    """Area between a way and the straight line from its end to its start; positive where the way turns left."""
    x, y = xy[:, 0] - xy[0, 0], xy[:, 1] - xy[0, 1]
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def _part(curve: Curve, a: float, b: float) -> Curve | None:
    if b - a < 0.5:
        return None
    inside = (curve.run_m > a + 1e-6) & (curve.run_m < b - 1e-6)
    run = np.concatenate([[a], curve.run_m[inside], [b]])
    xy = np.column_stack([np.interp(run, curve.run_m, curve.xy[:, k]) for k in (0, 1)])
    return tidy(xy, np.interp(run, curve.run_m, curve.at_m))
