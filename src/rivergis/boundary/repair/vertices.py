"""Repairs of single vertices (节点修复): loops, needles, vertices twice, thrown far away or with x and y exchanged.

Each function answers one defect with the proposals that could heal it, the best first; which of them holds is for the doctor to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

from rivergis import geometry
from rivergis.boundary.doctor.case import Defect
from rivergis.boundary.repair.case import SPLICE, Change, Repair
from rivergis.boundary.repair.courses import Ground, parallel

Array = npt.NDArray[np.float64]
_FAR, _MOST = 8, 8  # vertices looked at either side of the place, and dropped at most
_COST = 0.05  # radians of turning that one more dropped vertex must save
_WAYS = {
    "area_edge": ("along the edge of the area of the same reach", "沿本河段管理范围面边缘"),
    "rule": ("by the rule of its basis", "按划定依据规则"),
    "former": ("as the former version has it", "按原版边线"),
    "parallel": ("parallel to the reach", "平行于河道中心线"),
}


def way(basis: str) -> tuple[str, str]:
    """In words where a new shape comes from: English, Chinese."""
    return _WAYS[basis]


def splice(row: int, start: int, end: int, xy: Array | None = None) -> Change:
    """A stretch of vertices of a line replaced or dropped."""
    return Change("lines", SPLICE, row, start, end, np.empty((0, 2)) if xy is None else xy)


def nearest_row(ground: Ground, d: Defect) -> int | None:
    """The named line that lies nearest to the place of a defect."""
    rows = ground.named("lines", d.features)
    away = [_distance(ground.shape("lines", r), d.place) for r in rows]
    return rows[int(np.argmin(away))] if rows else None


def _distance(shape: Any, place: Any) -> float:
    if not geometry.finite(shape) or place is None or place.is_empty:
        return 1e9
    return float(shape.distance(place))


def dropped(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """A loop or needle: the vertices are dropped that leave the smoothest line."""
    row = nearest_row(ground, d)
    if row is None or not geometry.finite(ground.shape("lines", row)):
        return
    xy = shapely.get_coordinates(ground.shape("lines", row))
    best = _smoothest(xy, int(np.argmin(np.hypot(*(xy - d.place.coords[0]).T))))
    if best is not None:
        count = best[1] - best[0]
        yield Repair(
            n, str(ground.value("lines", row, "line_id")), "geometry", "vertices", (splice(row, *best),),
            f"Drop {count} vertices of the {'needle' if d.code == 'spike' else 'loop'}; the others stay.",
            f"删除{'尖刺' if d.code == 'spike' else '打结'}处{count}个节点，其余节点不动。",
        )  # fmt: skip
    yield from along_courses(ground, n, d, row, best)


def _smoothest(xy: Array, near: int) -> tuple[int, int] | None:
    """The window of vertices without which the line is simple there and turns least."""
    lo, hi = max(near - _FAR, 1), min(near + _FAR, len(xy) - 1)
    options = [(i, j) for i in range(lo, hi) for j in range(i + 1, min(i + _MOST, hi) + 1)]
    before, after = max(lo - 4, 0), hi + 4
    best, least = None, _turning(xy[before:after])
    for i, j in options:
        left = np.vstack([xy[before:i], xy[j:after]])
        cost = _turning(left) + _COST * (j - i)
        if cost < least and shapely.LineString(left).is_simple:
            best, least = (i, j), cost
    return best


def _turning(xy: Array) -> float:
    """Sum of the turns of a line in radians; a vertex twice turns nothing."""
    step = np.diff(xy, axis=0)
    step = step[np.hypot(*step.T) > 1e-6]
    heading = np.arctan2(step[:, 1], step[:, 0])
    return float(np.abs((np.diff(heading) + np.pi) % (2 * np.pi) - np.pi).sum())


def along_courses(ground: Ground, n: int, d: Defect, row: int, window: tuple[int, int] | None) -> Iterator[Repair]:
    """Vertices replaced by what each source has between the vertices before and after them."""
    reach = str(d.reach)
    side = ground.side_of_row(row, reach)
    if window is None or side is None or reach not in ground.reaches:
        return
    axis, tolerance = ground.reaches[reach], ground.case.limits.rule_tolerance_m
    xy = shapely.get_coordinates(ground.shape("lines", row))
    start, end = window
    if start < 1 or end >= len(xy):
        return
    name = str(ground.value("lines", row, "line_id"))
    for course in ground.courses(reach, side, ground.value("lines", row, "basis")):
        new = course.between(xy[start - 1], xy[end], axis, 0.05 if course.basis == "area_edge" else 2 * tolerance)
        if new is not None:
            yield _replaced(n, name, row, window, new, course.basis)
    new = parallel(xy[start - 1], xy[end], axis)
    if new is not None:
        yield _replaced(n, name, row, window, new, "parallel")


def _replaced(n: int, name: str, row: int, window: tuple[int, int], new: Array, basis: str) -> Repair:
    en, zh = way(basis)
    count = window[1] - window[0]
    return Repair(
        n, name, "geometry", basis, (splice(row, *window, new),),
        f"Replace {count} vertices by {len(new)} {en}.", f"{count}个节点改为{zh}的{len(new)}个节点。",
    )  # fmt: skip


def doubled(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """Vertices that lie on the one before: one of them stays."""
    row = nearest_row(ground, d)
    if row is None or not geometry.finite(ground.shape("lines", row)):
        return
    xy = shapely.get_coordinates(ground.shape("lines", row))
    again = np.flatnonzero(np.hypot(*np.diff(xy, axis=0).T) <= 2 * ground.case.limits.duplicate_vertex_m) + 1
    again = again[np.hypot(*(xy[again] - d.place.coords[0]).T) < 5.0]
    if not len(again):
        return
    runs = np.split(again, np.flatnonzero(np.diff(again) > 1) + 1)
    changes = [splice(row, int(r[0]), int(r[-1]) + 1) for r in runs]
    if runs[-1][-1] == len(xy) - 1:  # the end of a line stays where it is
        changes[-1] = splice(row, int(runs[-1][0]) - 1, len(xy) - 1)
    yield Repair(
        n, str(ground.value("lines", row, "line_id")), "geometry", "vertices", tuple(changes),
        f"Keep one of {len(again) + len(runs)} vertices that lie on each other.", f"重合节点只保留1个，删除{len(again)}个。",
    )  # fmt: skip


def far_away(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """One vertex thrown away from its line: back where a source has the line, or dropped."""
    row = nearest_row(ground, d) if len(ground.named("lines", d.features)) > 1 else _first(ground, d)
    if row is None or not geometry.finite(ground.shape("lines", row)):
        return
    xy = shapely.get_coordinates(ground.shape("lines", row))
    if len(xy) < 4:
        return
    step = np.hypot(*np.diff(xy, axis=0).T)
    detour = step[:-1] + step[1:] - np.hypot(*(xy[2:] - xy[:-2]).T)
    k = int(np.argmax(detour)) + 1
    yield from along_courses(ground, n, d, row, (k, k + 1))
    yield Repair(
        n, str(ground.value("lines", row, "line_id")), "geometry", "vertices", (splice(row, k, k + 1),),
        f"Drop the vertex {detour[k - 1] / 2:.0f} m away.", f"删除偏离约{detour[k - 1] / 2:.0f}米的节点。",
    )  # fmt: skip


def _first(ground: Ground, d: Defect) -> int | None:
    rows = ground.named("lines", d.features)
    return rows[0] if rows else None


def exchanged(ground: Ground, n: int, d: Defect) -> Iterator[Repair]:
    """Vertices with x and y exchanged in the file: exchanged back."""
    for row in ground.named("lines", d.features):
        given, system = ground.value("lines", row, "given"), ground.value("lines", row, "given_crs")
        if given is None or system is None:
            continue
        raw = shapely.get_coordinates(given)
        wrong = _exchanged(raw)
        if not wrong.any() or wrong.all():
            continue
        move = Transformer.from_crs(system, ground.case.lines.crs, always_xy=True)
        right = np.column_stack(move.transform(raw[:, 1], raw[:, 0]))
        runs = np.split(np.flatnonzero(wrong), np.flatnonzero(np.diff(np.flatnonzero(wrong)) > 1) + 1)
        changes = tuple(splice(row, int(r[0]), int(r[-1]) + 1, right[r]) for r in runs)
        yield Repair(
            n, str(ground.value("lines", row, "line_id")), "geometry", "swapped", changes,
            f"Exchange x and y of {int(wrong.sum())} vertices.", f"{int(wrong.sum())}个节点的X、Y对调回来。",
        )  # fmt: skip


def _exchanged(raw: Array) -> npt.NDArray[np.bool_]:
    """Which vertices lie with their line only when x and y are exchanged."""
    middle = np.nanmedian(raw, axis=0)
    away, back = np.hypot(*(raw - middle).T), np.hypot(*(raw[:, ::-1] - middle).T)
    return np.asarray(back * 10 < np.where(np.isfinite(away), away, np.inf), dtype=bool)
