"""Boundary stakes (界桩): on their line, numbered downstream, not too far apart along the river."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from rivergis.boundary.doctor.axes import Floats, Ints
from rivergis.boundary.doctor.case import Case, Defect
from rivergis.boundary.doctor.desk import Desk
from rivergis.boundary.doctor.lines import Laid, side_of
from rivergis.boundary.doctor.profile import key_of
from rivergis.boundary.stake import numbers as stake_numbers

SLACK = 1.05
"""Stakes are set out with a tape: so much more than the longest spacing is not told."""


def stakes(desk: Desk, laid: Laid, kind: Ints) -> list[Defect]:
    """stake_off_line, stake_number_order, stake_spacing."""
    frame = desk.case.stakes
    if frame is None or not len(frame):
        return []
    xy = shapely.get_coordinates(frame.geometry.values)
    reach = _reach(desk, laid, frame)
    s, o, _ = laid.axes.feet(reach, xy)
    named = frame["bank"].map({b: side_of(b) for b in frame["bank"].unique()}).fillna(0).to_numpy(np.int64)
    bank = np.where(named != 0, named, np.where(o >= 0, 1, -1))
    group = key_of(reach, bank)
    place = _along_bank(laid, frame, group, s, kind)
    order = np.lexsort((place, group))
    found = _off_line(desk, laid, frame, xy, reach, bank, s)
    return (
        found
        + _numbers(desk, frame, xy, reach, bank, group, s, order)
        + _gaps(desk, frame, xy, reach, bank, group, s, place, order)
    )


def _along_bank(laid: Laid, frame: Any, group: Ints, s: Floats, kind: Ints) -> Floats:
    """Metres of each stake along the lines of its bank, one behind the other; its chainage where the bank has no line.

    On the inside of a bend the order along the river is not the order along the line.
    """
    rows = np.flatnonzero(laid.main & (kind == 0))
    key = key_of(laid.reach[rows], laid.bank[rows])
    rows = rows[order := np.lexsort((np.minimum(*laid.span)[rows], key))]
    key, length = key[order], laid.length[rows]
    before = np.cumsum(length) - length
    out, best = s.copy(), np.full(len(s), np.inf)
    low, high = np.searchsorted(key, group), np.searchsorted(key, group, side="right")
    dots = np.asarray(frame.geometry.values)
    for k in range(int((high - low).max(initial=0))):
        i = np.flatnonzero(low + k < high)
        row = low[i] + k
        away = shapely.distance(laid.shapes[rows[row]], dots[i])
        nearer = away < best[i]
        i, row = i[nearer], row[nearer]
        best[i] = away[nearer]
        out[i] = before[row] + shapely.line_locate_point(laid.shapes[rows[row]], dots[i])
    return out


def _reach(desk: Desk, laid: Laid, frame: Any) -> Ints:
    row = frame["reach_id"].map(laid.axes.row)
    reach = row.fillna(-1).to_numpy(np.int64)
    lost = reach < 0
    if lost.any():
        reach[lost] = laid.axes.tree.nearest(frame.geometry.values[lost])
    return reach


def _off_line(desk: Desk, laid: Laid, frame: Any, xy: Floats, reach: Ints, bank: Ints, s: Floats) -> list[Defect]:
    """Stakes farther from every line than the tolerance; where a reach has no line at all, its stakes stand for themselves."""
    dots = np.asarray(frame.geometry.values)
    order = np.argsort(laid.reach, kind="stable")
    cuts = np.searchsorted(laid.reach[order], np.arange(len(laid.axes.ids) + 1))
    bundle = np.array([shapely.multilinestrings(laid.shapes[order[a:b]]) for a, b in pairwise(cuts)], object)
    away = shapely.distance(bundle[reach], dots)
    tolerance = desk.case.limits.stake_tolerance_m
    far = np.flatnonzero(~(away <= tolerance))
    if len(far):
        tree = shapely.STRtree(laid.shapes)
        (i, _), d = tree.query_nearest(dots[far], return_distance=True, all_matches=False)
        away[far[i]] = d
        far = far[away[far] > tolerance]
    return [
        _stake(desk, frame, "stake_off_line", [k], int(reach[k]), int(bank[k]), (s[k], s[k]), xy[k], float(away[k]))
        for k in far.tolist()
    ]


def _numbers(
    desk: Desk, frame: Any, xy: Floats, reach: Ints, bank: Ints, group: Ints, s: Floats, order: Ints
) -> list[Defect]:
    """Neighbours whose numbers do not rise downstream; neighbouring pairs in disorder are one defect."""
    numbers = frame["stake_no"].to_numpy(object)[order]
    same = np.diff(group[order]) == 0
    wrong = [bool(s) and not _rises(a, b) for s, (a, b) in zip(same, pairwise(numbers), strict=True)]
    found, last = [], -9
    for k in np.flatnonzero(wrong).tolist():
        i, j = int(order[k]), int(order[k + 1])
        if k > last + 2:
            found.append(
                _stake(
                    desk, frame, "stake_number_order", [i, j], int(reach[i]), int(bank[i]), (s[i], s[j]),
                    (xy[i] + xy[j]) / 2, None,
                )
            )  # fmt: skip
        last = k
    return found


def _rises(before: Any, after: Any) -> bool:
    """Whether a number may stand behind another one; of numbers of one length the text says it already."""
    if isinstance(before, str) and isinstance(after, str) and len(before) == len(after) and before < after:
        return True
    a, b = _key(before), _key(after)
    return a is None or b is None or a < b


def _key(text: Any) -> tuple[int, ...] | None:
    """What a number is put in order by: 012, then 012-1 that was set in between, then 013."""
    found = stake_numbers.read(str(text)) if text is not None else None
    return found.key if found else None


def _gaps(
    desk: Desk, frame: Any, xy: Floats, reach: Ints, bank: Ints, group: Ints, s: Floats, place: Floats, order: Ints
) -> list[Defect]:
    """Neighbours farther apart than the longest spacing."""
    step = _spacing(place[order], s[order], np.diff(group[order]) == 0)
    wide = (np.diff(group[order]) == 0) & (step > SLACK * desk.case.limits.stake_max_spacing_m)
    found = []
    for k in np.flatnonzero(wide).tolist():
        i, j = int(order[k]), int(order[k + 1])
        at = desk.axes.beside(reach[[i]], np.array([(s[i] + s[j]) / 2]), _mean_offset(desk, reach, xy, i, j))[0]
        found.append(
            _stake(desk, frame, "stake_spacing", [i, j], int(reach[i]), int(bank[i]), (s[i], s[j]), at, float(step[k]))
        )
    return found


def _spacing(place: Floats, s: Floats, same: Any) -> Floats:
    """Metres from each stake to the next, along the river or along the line: the way they were set out, which is the more even one."""
    onward, along = np.abs(np.diff(s)), np.diff(place)
    return onward if _uneven(onward[same]) <= _uneven(along[same]) else along


def _uneven(steps: Floats) -> float:
    middle = float(np.median(steps)) if len(steps) else 0.0
    return float(np.median(np.abs(steps - middle))) / max(middle, 1e-9)


def _mean_offset(desk: Desk, reach: Ints, xy: Floats, i: int, j: int) -> Floats:
    _, o, _ = desk.axes.feet(reach[[i, j]], xy[[i, j]])
    return np.array([o.mean()])


def _stake(
    desk: Desk,
    frame: Any,
    code: str,
    rows: list[int],
    reach: int,
    bank: int,
    span: Any,
    place: Any,
    measure: float | None,
) -> Defect:
    return desk.defect(
        code,
        reach,
        bank,
        (float(min(span)), float(max(span))),
        place,
        [str(frame["stake_no"].iat[r]) for r in rows],
        measure,
        bank=frame["bank"].iat[rows[0]],
        layer="stakes",
    )


def unnumbered(case: Case) -> bool:
    """Whether no stake carries a number that could be put in order."""
    return case.stakes is not None and all(_key(v) is None for v in case.stakes["stake_no"])
