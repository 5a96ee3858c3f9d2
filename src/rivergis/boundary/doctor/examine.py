"""The line doctor: every defect of boundary lines that a planner looks for by eye, found along the river they belong to.

Faults of single vertices are found first and taken out of a working copy, lines are laid along their reaches, whole lines on
the wrong bank or there twice are set aside; what is left is asked along the chainage. Consequences are folded at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from rivergis import crs
from rivergis.boundary.doctor import areas as doctor_areas
from rivergis.boundary.doctor import attributes as doctor_attributes
from rivergis.boundary.doctor import crossings as doctor_crossings
from rivergis.boundary.doctor import former as doctor_former
from rivergis.boundary.doctor import joins as doctor_joins
from rivergis.boundary.doctor import notes as doctor_notes
from rivergis.boundary.doctor import profile as doctor_profile
from rivergis.boundary.doctor import sides as doctor_sides
from rivergis.boundary.doctor import stakes as doctor_stakes
from rivergis.boundary.doctor import vertices as doctor_vertices
from rivergis.boundary.doctor.axes import Bools, Ints, axes
from rivergis.boundary.doctor.case import Case, Defect, Limits, NotChecked
from rivergis.boundary.doctor.desk import Desk
from rivergis.boundary.doctor.fold import fold
from rivergis.boundary.doctor.lines import Laid, lay

__all__ = ["Case", "Defect", "Examined", "Limits", "NotChecked", "check", "examine"]

SAME_TYPE = {
    "管理范围线": "management", "保护范围线": "protection", "蓝线": "blue_line", "临水边界线": "waterside", "外缘边界线": "outer",
}  # fmt: skip


@dataclass(frozen=True)
class Examined:
    """What a check found: defects, and the questions that were not asked, with the reason of each."""

    defects: list[Defect]
    not_checked: list[NotChecked]


def examine(case: Case) -> list[Defect]:
    """All defects of a case, in order of reach and chainage; consequences stand in their causes. See ``check``."""
    return check(case).defects


def check(case: Case) -> Examined:
    """All defects of a case and what could not be asked of it.

    Raises ``CrsRefused`` for frames that are not in metres.
    """
    crs.require_metric(case.lines)
    axis = axes(case.reaches, case.limits.snap_m)
    shapes, vertices = doctor_vertices.clean(case.lines, case.limits)
    told = doctor_notes.notes(case, shapes, vertices)
    usable = np.flatnonzero([s is not None for s in shapes])
    place = {int(k): i for i, k in enumerate(usable)}
    vertices = [
        replace(v, line=place[v.line]) for v in vertices if v.line in place and v.code != doctor_vertices.SMALL_LOOP
    ]
    case = replace(case, lines=case.lines.iloc[usable].reset_index(drop=True))
    desk = Desk(case, axis)
    silent, counties = doctor_joins.silent_reaches(desk)
    laid = lay(case.lines, shapes[usable], axis, case.counties, case.limits.bank)
    found = [d for part in _asked(desk, laid, vertices, silent) for d in part]
    told += [doctor_notes.note("silent_county", ("missing_bank", "reach_without_line"), name) for name in counties]
    order = sorted(fold(found, case.limits.consequences), key=lambda d: (d.reach or "", d.from_m, d.code, d.features))
    return Examined(order, told)


def _asked(desk: Desk, laid: Laid, vertices: list[doctor_vertices.Found], silent: Bools) -> Iterator[list[Defect]]:
    """Every check in the order in which the later ones rely on the earlier."""
    kind = kinds(desk.case)
    yield _of_vertices(desk, laid, vertices)
    yield doctor_attributes.attributes(desk, laid)
    yield doctor_sides.doubles(desk, laid, kind)
    yield doctor_sides.dangles(desk, laid, kind)
    yield doctor_sides.sides(desk, laid)
    chain = doctor_joins.chains(laid, kind)
    yield doctor_joins.joins(desk, laid, chain)
    yield doctor_joins.ends(desk, laid, chain, kind)
    yield doctor_joins.missing(desk, laid, kind, silent)
    yield doctor_crossings.crossings(desk, laid, kind)
    at = doctor_profile.points(laid, kind)
    yield doctor_profile.river_sense(desk, laid, doctor_profile.Ground(desk.case, desk.axes), at)
    yield doctor_former.shrunk(desk, at)
    yield doctor_areas.areas(desk)
    yield doctor_stakes.stakes(desk, laid, kind)


def kinds(case: Case) -> Ints:
    """The type of each line as a number, 0 for the most frequent known one; a word that is in no list counts as that."""
    said = case.lines["line_type"].map(lambda v: SAME_TYPE.get(v, v) if v in case.limits.line_type else None)
    order = list(said.value_counts().index)
    number: dict[Any, int] = {k: i for i, k in enumerate(order)}
    return np.array([number.get(v, 0) for v in said], np.int64)


def _of_vertices(desk: Desk, laid: Laid, found: list[doctor_vertices.Found]) -> list[Defect]:
    """Faults of vertices put where they lie along the reach."""
    if not found:
        return []
    row = np.array([f.line for f in found], np.int64)
    reach = laid.reach[row]
    first, last = np.array([f.first for f in found]), np.array([f.last for f in found])
    a, b = laid.axes.feet(reach, first)[0], laid.axes.feet(reach, last)[0]
    return [
        desk.defect(
            f.code,
            int(reach[i]),
            int(laid.bank[f.line]),
            (float(min(a[i], b[i])), float(max(a[i], b[i]))),
            shapely.Point((first[i] + last[i]) / 2),
            desk.names(f.line),
            f.measure,
            f.unit,
            bank=desk.bank(f.line),
            detail={"vertex": f.vertex, "count": f.count, "row": f.line},
        )
        for i, f in enumerate(found)
    ]
