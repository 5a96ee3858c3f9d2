"""River sense of whole lines: on which bank they lie, which way they run, whether they are there twice or belong to nothing."""

from __future__ import annotations

import numpy as np
import shapely

from rivergis.boundary.doctor.axes import Bools, Floats, Ints
from rivergis.boundary.doctor.case import Defect
from rivergis.boundary.doctor.desk import Desk
from rivergis.boundary.doctor.lines import Laid

_SAME_SHARE = 0.5
"""Share of a line that must lie upon another one to be that line twice."""
_SAMPLES = np.linspace(0.02, 0.98, 11)


def sides(desk: Desk, laid: Laid) -> list[Defect]:
    """order_reversed, bank_swapped, wrong_bank_side; lines on the wrong bank are no longer ``main``."""
    found = [_whole(desk, laid, "order_reversed", int(r)) for r in np.flatnonzero(laid.reversed)]
    wrong = laid.main & (laid.label != 0) & (laid.side == -laid.label)
    swapped = _swapped(laid, wrong)
    found += [_exchanged(desk, laid, int(reach), wrong) for reach in swapped]
    alone = np.flatnonzero(wrong & ~np.isin(laid.reach, swapped))
    for key in np.unique(2 * laid.reach[alone] + (laid.label[alone] > 0)):
        rows = alone[2 * laid.reach[alone] + (laid.label[alone] > 0) == key]
        found.append(_whole(desk, laid, "wrong_bank_side", *sorted(rows.tolist(), key=lambda r: -laid.length[r])))
    laid.set_aside(alone)
    return found


def _whole(desk: Desk, laid: Laid, code: str, row: int, *more: int, measure: float | None = None) -> Defect:
    ends = laid.span[0][row], laid.span[1][row]
    names = desk.names(row, *more)
    place = shapely.line_interpolate_point(laid.shapes[row], 0.5, normalized=True)
    return desk.defect(
        code,
        int(laid.reach[row]),
        int(laid.label[row] or laid.side[row]),
        (float(min(ends)), float(max(ends))),
        place,
        names,
        float(laid.length[row]) if measure is None else measure,
        bank=desk.bank(row),
    )


def _swapped(laid: Laid, wrong: Bools) -> Ints:
    """Reaches whose left lines all lie on the right and whose right lines all lie on the left."""
    n = len(laid.axes.ids)
    judged = laid.main & (laid.label != 0)
    left, right = (np.bincount(laid.reach[wrong & (laid.label == k)], minlength=n) > 0 for k in (1, -1))
    sound = np.bincount(laid.reach[judged & ~wrong], minlength=n) > 0
    return np.flatnonzero(left & right & ~sound)


def _exchanged(desk: Desk, laid: Laid, reach: int, wrong: Bools) -> Defect:
    rows = np.flatnonzero(wrong & (laid.reach == reach))
    names = desk.names(*rows.tolist())
    span = (float(laid.span[0][rows].min()), float(laid.span[1][rows].max()))
    middle = laid.axes.at(np.array([reach]), laid.axes.length[[reach]] / 2)[0]
    return desk.defect("bank_swapped", reach, 0, span, middle, names, float(laid.length[rows].sum()), bank="")


def doubles(desk: Desk, laid: Laid, kind: Ints) -> list[Defect]:
    """duplicate_line: lines of one kind that lie upon another one, wholly or in part; the second one is no longer ``main``."""
    near = max(desk.case.limits.snap_m, 0.02)
    a, b = shapely.STRtree(laid.shapes).query(laid.shapes, predicate="dwithin", distance=near)
    pair = (a < b) & (kind[a] == kind[b])
    a, b = a[pair], b[pair]
    shorter = np.where(laid.length[a] < laid.length[b] - near, a, b)
    longer = np.where(shorter == a, b, a)
    upon = _share_upon(laid.shapes[shorter], laid.shapes[longer], near) >= _SAME_SHARE
    found = []
    for row, other in sorted(zip(shorter[upon].tolist(), longer[upon].tolist(), strict=True)):
        if laid.main[row] and laid.main[other]:
            laid.main[row] = False
            found.append(_whole(desk, laid, "duplicate_line", row, other))
    return found


def _share_upon(lines: np.ndarray, others: np.ndarray, near_m: float) -> Floats:
    """Share of each line that lies upon the other one, by points along it."""
    if not len(lines):
        return np.zeros(0)
    points = shapely.line_interpolate_point(lines[:, None], _SAMPLES[None, :], normalized=True)
    return np.asarray((shapely.distance(points, others[:, None]) <= near_m).mean(axis=1), float)


def dangles(desk: Desk, laid: Laid, kind: Ints) -> list[Defect]:
    """dangle: short pieces beside a line of their own bank that are joined at one end or none; no longer ``main``."""
    limits = desk.case.limits
    short = np.flatnonzero(laid.main & (laid.length <= limits.dangle_max_m))
    found = []
    for row in short.tolist():
        others = np.flatnonzero(
            laid.main & (laid.reach == laid.reach[row]) & (laid.bank == laid.bank[row]) & (kind == kind[row])
        )
        others = others[(others != row) & (laid.length[others] > laid.length[row])]
        low, high = sorted((laid.span[0][row], laid.span[1][row]))
        inner = (laid.span[0][others] <= low + 1.0) & (laid.span[1][others] >= high - 1.0)
        ends = [shapely.get_point(laid.shapes[row], i) for i in (0, -1)]
        loose = [not (shapely.distance(e, laid.shapes[others]) <= limits.snap_m).any() for e in ends]
        if inner.any() and any(loose):
            laid.main[row] = False
            at = ends[loose.index(False)] if not all(loose) else ends[0]
            found.append(_loose(desk, laid, row, at))
    return found


def _loose(desk: Desk, laid: Laid, row: int, at: shapely.Point) -> Defect:
    s = float(laid.span[0][row])
    return desk.defect(
        "dangle",
        int(laid.reach[row]),
        int(laid.bank[row]),
        (s, s),
        at,
        desk.names(row),
        float(laid.length[row]),
        bank=desk.bank(row),
    )
