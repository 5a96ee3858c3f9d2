"""Repairs of what joins and what is missing (接边与补缺): stubs, needless splits, lines twice, gaps, missing banks, county seams, mouths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis import geometry
from rivergis.boundary.doctor.case import Defect
from rivergis.boundary.repair.case import ADD, FIELDS, REMOVE, SHAPE, Change, Repair
from rivergis.boundary.repair.courses import Ground, parallel
from rivergis.boundary.repair.stretch import bank_runs, chainages, cut_at
from rivergis.boundary.repair.vertices import way

Array = npt.NDArray[np.float64]
_SEAM_M = 150.0  # along the river: how far an offset at a border may be led back
_NEAR_M = 2.0  # a piece of the same line as another lies this near to it


def _name(ground: Ground, row: int) -> str:
    return str(ground.value("lines", row, "line_id"))


def _xy(ground: Ground, row: int) -> Array:
    return np.asarray(shapely.get_coordinates(ground.shape("lines", row)), dtype=np.float64)


def _fine(ground: Ground, rows: list[int]) -> list[int]:
    return [r for r in rows if geometry.finite(ground.shape("lines", r)) and ground.shape("lines", r).length > 0]


def stub(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A stub that joins nothing: it goes, if it is no longer than a stub may be."""
    rows = _fine(ground, ground.named("lines", d.features))
    short = [r for r in rows if ground.shape("lines", r).length <= 2 * ground.case.limits.dangle_max_m]
    if short:
        row = min(short, key=lambda r: float(ground.shape("lines", r).length))
        length = ground.shape("lines", row).length
        yield Repair(
            n, _name(ground, row), "remove", "vertices", (Change("lines", REMOVE, row),),
            f"Remove the stub of {length:.1f} m.", f"删除{length:.1f}米悬挂短线。",
        )  # fmt: skip


def twice(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A line that lies on another: the shorter goes, the later of two alike."""
    rows = _fine(ground, ground.named("lines", d.features))
    if len(rows) < 2:
        return
    ordered = sorted(rows, key=lambda r: (round(float(ground.shape("lines", r).length), 1), -r))
    gone, stays = ordered[0], ordered[-1]
    if shapely.hausdorff_distance(ground.shape("lines", gone), ground.shape("lines", stays)) > 0 and not shapely.buffer(
        ground.shape("lines", stays), _NEAR_M
    ).covers(ground.shape("lines", gone)):
        return
    yield Repair(
        n, _name(ground, gone), "remove", "vertices", (Change("lines", REMOVE, gone),),
        f"Remove {_name(ground, gone)}, which lies on {_name(ground, stays)}.",
        f"删除与{_name(ground, stays)}重合的{_name(ground, gone)}。",
    )  # fmt: skip


def split(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A line split without a reason: one feature again, with the chainage of both."""
    rows = _fine(ground, ground.named("lines", d.features))
    if len(rows) == 2:
        first, second = _in_order(ground, rows, str(d.reach))
        yield _joined(
            ground,
            n,
            first,
            second,
            np.empty((0, 2)),
            "vertices",
            "Join the two features into one.",
            "两段合并为一条要素。",
        )


def gap(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A gap within a bank: filled along the best source, and one feature again where both parts say the same."""
    rows, reach = _fine(ground, ground.named("lines", d.features)), str(d.reach)
    if len(rows) != 2 or reach not in ground.reaches:
        return
    first, second = _in_order(ground, rows, reach)
    a, b = _xy(ground, first), _xy(ground, second)
    for basis, new in fillings(ground, reach, first, a[-1], b[0]):
        en, zh = way(basis)
        metres = float(np.hypot(*np.diff(np.vstack([a[-1], new, b[0]]), axis=0).T).sum())
        yield _joined(
            ground, n, first, second, new, basis, f"Close {metres:.1f} m {en}.", f"{metres:.1f}米缺口{zh}补齐。"
        )


def fillings(ground: Ground, reach: str, row: int, start: Array, end: Array) -> Iterator[tuple[str, Array]]:
    """What each source has between two ends of a bank; ``row`` is a line of it."""
    side, axis = ground.side_of_row(row, reach), ground.reaches[reach]
    for course in ground.courses(reach, side, ground.value("lines", row, "basis")) if side else ():
        near = 0.05 if course.basis == "area_edge" else 2 * ground.case.limits.rule_tolerance_m
        new = course.between(start, end, axis, near)
        if new is not None:
            yield course.basis, new
    new = parallel(start, end, axis)
    if new is not None:
        yield "parallel", new


def _in_order(ground: Ground, rows: list[int], reach: str) -> tuple[int, int]:
    """Two lines in the order of the river."""
    axis = ground.reaches.get(reach)
    if axis is None:
        return rows[0], rows[1]
    first, second = sorted(
        rows, key=lambda r: float(axis.line_locate_point(shapely.Point(_xy(ground, r).mean(axis=0))))
    )
    return first, second


def _joined(ground: Ground, n: int, first: int, second: int, new: Array, basis: str, en: str, zh: str) -> Repair:
    """Two features as one, where they say the same of themselves; else the first is led up to the second."""
    a, b = _xy(ground, first), _xy(ground, second)
    alike = all(
        ground.value("lines", first, c) == ground.value("lines", second, c)
        for c in ("reach_id", "bank", "county", "line_type", "basis")
    )
    to_m = ground.value("lines", second, "to_m" if alike else "from_m")
    tail = b[1:] if len(new) == 0 and np.hypot(*(a[-1] - b[0])) < 0.05 else b
    xy = np.vstack([a, new, tail if alike else b[:1]])
    changes = [Change("lines", SHAPE, first, shape=shapely.LineString(xy))]
    if to_m is not None:
        changes.append(Change("lines", FIELDS, first, fields={"to_m": to_m}))
    if alike:
        changes.append(Change("lines", REMOVE, second))
    more = f" {_name(ground, second)} becomes part of {_name(ground, first)}." if alike else ""
    more_zh = f"{_name(ground, second)}并入{_name(ground, first)}。" if alike else ""
    return Repair(n, _name(ground, first), "geometry", basis, tuple(changes), en + more, zh + more_zh)


# ---- mouths and seams -----------------------------------------------------------------------------------------------


def mouth(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """Two lines that run on beyond the place where they meet: both end there."""
    rows = _fine(ground, ground.named("lines", d.features))
    if len(rows) != 2:
        return
    shapes = [ground.shape("lines", r) for r in rows]
    points = [p for p in shapely.get_parts(shapely.intersection(*shapes)) if p.geom_type == "Point"]
    if not points:
        return
    point = min(points, key=lambda p: float(p.distance(d.place)))
    changes: list[Change] = []
    for row, shape in zip(rows, shapes, strict=True):
        changes += _trimmed(ground, row, shape, point)
    yield Repair(
        n, _name(ground, rows[0]), "geometry", "vertices", tuple(changes),
        "End both lines where they cross.", "两线在交点处截断，去掉超出部分。",
    )  # fmt: skip


def _trimmed(ground: Ground, row: int, shape: Any, point: Any, most_m: float = 400.0) -> Iterator[Change]:
    """A line without its shorter end beyond a point on it, and its chainage brought after it."""
    at = float(shape.line_locate_point(point))
    head, tail = at <= shape.length - at, at
    over = min(at, shape.length - at)
    if over < 1e-6 or over > most_m:
        return
    kept = shapely.ops.substring(shape, tail, shape.length) if head else shapely.ops.substring(shape, 0, at)
    xy = shapely.get_coordinates(kept)
    xy[0 if head else -1] = point.coords[0]
    yield Change("lines", SHAPE, row, shape=shapely.LineString(xy))
    column = "from_m" if head else "to_m"
    value = ground.value("lines", row, column)
    if value is not None:
        moved = float(value) + over if head else float(value) - over
        yield Change("lines", FIELDS, row, fields={column: round(moved, 2)})


def seam(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """Two counties' lines that do not meet in the border: a gap is filled, an overlap cut, an offset led back on its course."""
    rows, reach = _fine(ground, ground.named("lines", d.features)), str(d.reach)
    if len(rows) != 2 or reach not in ground.reaches:
        return
    upper, lower = _in_order(ground, rows, reach)
    if d.code == "seam_overlap":
        yield from _cut_back(ground, n, upper, lower)
    elif d.code == "seam_gap":
        yield from _led_on(ground, n, reach, upper, lower)
    else:
        yield from _led_back(ground, n, reach, upper, lower)


def _owner(ground: Ground, row: int) -> Any:
    """The ground of the county that a line says it belongs to."""
    counties, name = ground.case.counties, ground.value("lines", row, "county")
    if counties is None or name is None:
        return None
    mine = counties[(counties["county"].astype(str) == str(name)) | (counties["name"].astype(str) == str(name))]
    return mine.geometry.iloc[0] if len(mine) == 1 else None


def _cut_back(ground: Ground, n: int, upper: int, lower: int) -> Iterator[Repair]:
    """The line that runs on in the other county ends where the other begins."""
    for row, other, end in ((lower, upper, -1), (upper, lower, 0)):
        owner = _owner(ground, row)
        shape, stop = ground.shape("lines", row), shapely.Point(_xy(ground, other)[end])
        if owner is None or shape.distance(stop) > 1.0:
            continue
        over = float(shape.line_locate_point(stop))
        over = min(over, shape.length - over)
        beyond = shapely.intersection(shape, shapely.buffer(shape, 1).difference(owner)).length
        if over > 0.05 and beyond > over / 2:
            yield Repair(
                n, _name(ground, row), "geometry", "vertices", tuple(_trimmed(ground, row, shape, stop)),
                f"End {_name(ground, row)} at the border, {over:.1f} m earlier, where {_name(ground, other)} begins.",
                f"{_name(ground, row)}截至县界，去掉越界{over:.1f}米，与{_name(ground, other)}相接。",
            )  # fmt: skip


def _led_on(ground: Ground, n: int, reach: str, upper: int, lower: int) -> Iterator[Repair]:
    """The line that stops short of the border is led on to where the other ends."""
    a, b = _xy(ground, upper), _xy(ground, lower)
    for row in (lower, upper):
        owner, middle = _owner(ground, row), shapely.Point((a[-1] + b[0]) / 2)
        if owner is None or not owner.buffer(1.0).covers(middle):
            continue
        for basis, new in fillings(ground, reach, row, a[-1], b[0]):
            xy = np.vstack([a[-1], new, b]) if row == lower else np.vstack([a, new, b[0]])
            column, other = (
                ("from_m", ground.value("lines", upper, "to_m"))
                if row == lower
                else ("to_m", ground.value("lines", lower, "from_m"))
            )
            changes = [Change("lines", SHAPE, row, shape=shapely.LineString(xy))]
            changes += [Change("lines", FIELDS, row, fields={column: other})] if other is not None else []
            en, zh = way(basis)
            metres = float(np.hypot(*np.diff(np.vstack([a[-1], new, b[0]]), axis=0).T).sum())
            yield Repair(
                n, _name(ground, row), "geometry", basis, tuple(changes),
                f"Lead {_name(ground, row)} on {metres:.1f} m to the border, {en}.",
                f"{_name(ground, row)}向县界补{metres:.1f}米，{zh}。",
            )  # fmt: skip


def _led_back(ground: Ground, n: int, reach: str, upper: int, lower: int) -> Iterator[Repair]:
    """The end that lies off its course is led to the end of the other, over the stretch in which it is off."""
    a, b = _xy(ground, upper), _xy(ground, lower)
    axis, tolerance = ground.reaches[reach], ground.case.limits.rule_tolerance_m
    for row, xy, target in ((lower, b, a[-1]), (upper, a[::-1], b[0])):
        side = ground.side_of_row(row, reach)
        for course in ground.courses(reach, side, ground.value("lines", row, "basis")) if side else ():
            if course.line.distance(shapely.Point(target)) > 2 * tolerance:
                continue
            along = np.r_[0.0, np.cumsum(np.hypot(*np.diff(xy, axis=0).T))]
            off = shapely.distance(course.line, shapely.points(xy)) > 0.05 * tolerance
            # the course may leave a source that ends soon after: only what is off from the border on is led back
            k = int(np.argmin(off)) if not off.all() else len(off)
            if k == 0 or k >= len(xy) or along[k] > _SEAM_M:
                continue
            new = course.between(target, xy[k], axis, 2 * tolerance)
            if new is None:
                continue
            moved = np.vstack([target, new, xy[k:]])
            shape = shapely.LineString(moved if row == lower else moved[::-1])
            en, zh = way(course.basis)
            yield Repair(
                n, _name(ground, row), "geometry", course.basis, (Change("lines", SHAPE, row, shape=shape),),
                f"Lead the last {along[k]:.0f} m of {_name(ground, row)} to the end of the other county's line, {en}; both counties have to agree.",
                f"{_name(ground, row)}县界一端{along[k]:.0f}米{zh}调整，与邻县边线相接；须两县会商确认。",
            )  # fmt: skip


# ---- whole banks ----------------------------------------------------------------------------------------------------


def redrawn_bank(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A line drawn along the other bank: every line of the bank as the area or the former version has it."""
    reach, side = str(d.reach), d.side
    rows = sorted(
        _fine(ground, ground.named("lines", d.features)), key=lambda r: float(ground.value("lines", r, "from_m") or 0)
    )
    if not rows or reach not in ground.reaches:
        return
    axis = ground.reaches[reach]
    said = ground.side_of_row(rows[0], reach) or side
    cuts = [float(ground.value("lines", r, "from_m") or 0) for r in rows[1:]]
    for basis, run in bank_runs(ground, reach, said) if said else ():
        pieces = cut_at(run, axis, cuts)
        if len(pieces) != len(rows):
            continue
        changes = []
        for row, piece in zip(rows, pieces, strict=True):
            lo, hi = chainages(piece, axis)
            changes += [
                Change("lines", SHAPE, row, shape=shapely.LineString(piece)),
                Change("lines", FIELDS, row, fields={"from_m": lo, "to_m": hi}),
            ]
        en, zh = way(basis)
        yield Repair(
            n,
            _name(ground, rows[0]),
            "geometry",
            basis,
            tuple(changes),
            f"Draw the bank anew {en}.",
            f"本岸边线重绘，{zh}。",
        )


def missing_bank(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A bank without a line: drawn from the area or the former version, in the parts of the other bank, whose announcement it takes."""
    reach, lines = str(d.reach), ground.case.lines
    if reach not in ground.reaches:
        return
    mine = lines[lines["reach_id"].astype(str) == reach]
    rows = sorted(_fine(ground, mine.index.tolist()), key=lambda r: float(ground.value("lines", r, "from_m") or 0))
    have = {ground.side_of_row(r, reach) for r in rows}
    wanted = ({"left", "right"} - have).pop() if len(have) == 1 and have <= {"left", "right"} else None
    if wanted is None:
        return
    axis, word = ground.reaches[reach], _bank_word(ground, wanted)
    cuts = [float(ground.value("lines", r, "from_m") or 0) for r in rows[1:]]
    for basis, run in bank_runs(ground, reach, wanted) if word is not None else ():
        pieces = cut_at(run, axis, cuts)
        if len(pieces) != len(rows):
            continue
        changes = []
        for k, (row, piece) in enumerate(zip(rows, pieces, strict=True)):
            lo, hi = chainages(piece, axis)
            fields = {c: lines[c].iloc[row] for c in lines.columns if c not in (lines.geometry.name, "given")}
            fields |= {"line_id": f"NEW-{reach}-{word}-{k + 1}", "bank": word, "from_m": lo, "to_m": hi, "row": None}
            changes.append(Change("lines", ADD, shape=shapely.LineString(piece), fields=fields))
        en, zh = way(basis)
        yield Repair(
            n, str(changes[0].fields["line_id"]), "add", basis, tuple(changes),
            f"Draw the bank {en}; basis and announcement are those of the other bank and have to be confirmed.",
            f"补绘本岸边线，{zh}；划定依据和公告信息取自对岸，须核实。",
        )  # fmt: skip


def _bank_word(ground: Ground, side: str) -> str | None:
    """The word that these files use for a bank."""
    letters = {"left": ("L", "left", "左", "左岸"), "right": ("R", "right", "右", "右岸")}[side]
    said = ground.case.lines["bank"]
    used = said[said.isin(letters) & said.isin(ground.case.limits.bank)]
    return str(used.mode().iloc[0]) if len(used) else next((w for w in letters if w in ground.case.limits.bank), None)


def reversed_line(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A line whose vertices run upstream: turned."""
    rows = _fine(ground, ground.named("lines", d.features))
    if rows:
        changes = tuple(Change("lines", SHAPE, r, shape=shapely.reverse(ground.shape("lines", r))) for r in rows)
        yield Repair(
            n,
            _name(ground, rows[0]),
            "geometry",
            "vertices",
            changes,
            "Turn the order of the vertices.",
            "节点顺序反转为自上游至下游。",
        )


def banks_exchanged(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """Left and right of a reach exchanged: the words are exchanged back on every line of the reach."""
    lines = ground.case.lines
    rows = lines.index[lines["reach_id"].astype(str) == str(d.reach)].tolist()
    words = [w for w in pd.unique(lines["bank"].iloc[rows]) if not pd.isna(w)]
    if len(words) == 2:
        other = {words[0]: words[1], words[1]: words[0]}
        changes = tuple(
            Change("lines", FIELDS, r, fields={"bank": other[lines["bank"].iloc[r]]})
            for r in rows
            if lines["bank"].iloc[r] in other
        )
        yield Repair(
            n, _name(ground, rows[0]), "attributes", "reach", changes,
            f"Exchange {words[0]} and {words[1]} on the {len(changes)} lines of the reach.",
            f"本河段{len(changes)}条边线的岸别{words[0]}、{words[1]}对调。",
        )  # fmt: skip
