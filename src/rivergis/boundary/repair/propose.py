"""Which repair could a planner take for each defect of a boundary line (整改建议), and does it hold?

For every defect with a safe repair one proposal: the first of several that the doctor accepts when all proposals are made at once - the
defect is gone and nothing new came. What cannot be known (a document number, a reduction somebody has to give a reason for) is not
proposed. Nothing is applied: ``repair_case.applied`` makes a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from rivergis.boundary.doctor.case import Case, Defect
from rivergis.boundary.repair import areas as repair_areas
from rivergis.boundary.repair import fields as repair_fields
from rivergis.boundary.repair import joins as repair_joins
from rivergis.boundary.repair import stakes as repair_stakes
from rivergis.boundary.repair import stretch as repair_stretch
from rivergis.boundary.repair import vertices as repair_vertices
from rivergis.boundary.repair.case import Repair, applied, together
from rivergis.boundary.repair.courses import Ground

Maker = Callable[[Ground, int, Defect], Iterator[Repair]]
Examine = Callable[[Case], list[Defect]]

MAKERS: Mapping[str, Maker] = {
    "dangle": repair_joins.stub,
    "pseudo_node": repair_joins.split,
    "duplicate_line": repair_joins.twice,
    "gap_in_line": repair_joins.gap,
    "crosses_other_reach_line": repair_joins.mouth,
    "seam_gap": repair_joins.seam,
    "seam_overlap": repair_joins.seam,
    "seam_offset": repair_joins.seam,
    "wrong_bank_side": repair_joins.redrawn_bank,
    "missing_bank": repair_joins.missing_bank,
    "order_reversed": repair_joins.reversed_line,
    "bank_swapped": repair_joins.banks_exchanged,
    "self_crossing": repair_vertices.dropped,
    "spike": repair_vertices.dropped,
    "duplicate_vertex_run": repair_vertices.doubled,
    "outlier_vertex": repair_vertices.far_away,
    "axis_swapped_part": repair_vertices.exchanged,
    "offset_from_rule": repair_stretch.back_on_course,
    "inside_levee_toe": repair_stretch.back_on_course,
    "width_jump": repair_stretch.back_on_course,
    "crosses_centreline": repair_stretch.back_on_course,
    "water_not_inside": repair_stretch.back_on_course,
    "centreline_not_inside": repair_areas.outline,
    "sliver_area": repair_areas.removed,
    "area_duplicate": repair_areas.removed,
    "area_not_closed": repair_areas.closed,
    "bad_chainage": repair_fields.chainage,
    "unknown_reach": repair_fields.reach_named,
    "bad_code": repair_fields.code_named,
    "missing_announcement": repair_fields.announcement,
    "bad_date": repair_fields.day,
    "stake_off_line": repair_stakes.on_line,
    "stake_number_order": repair_stakes.in_order,
    "stake_spacing": repair_stakes.more,
}
UNCOVERED = {"stake_spacing": {"gap_in_line", "seam_gap", "seam_offset", "seam_overlap", "missing_bank"}}
"""What could not be asked before a repair: stakes stand where a line stood, their spacing is another matter."""
_NEAR_M = 80.0  # a defect before and after within this is the same; a new one within this of a repaired is its doing


def propose(case: Case, defects: Sequence[Defect], examine: Examine, rounds: int = 4) -> list[Repair]:
    """At most one proposal a defect, by position in ``defects``.

    All that could be made together is made on a copy and the copy is examined, ``rounds`` times: where a defect is still there or
    a new one came, the next proposal is tried.
    """
    ground = Ground(case)
    options = {n: iter(_options(ground, n, d)) for n, d in enumerate(defects)}
    current = {n: first for n, more in options.items() if (first := next(more, None)) is not None}
    failed: set[int] = set()
    for _ in range(rounds):
        current = {n: r for n, r in current.items() if n not in failed}
        current |= {n: other for n in failed if (other := next(options[n], None)) is not None}
        tried = together(current[n] for n in sorted(current))
        failed = _failed(defects, tried, examine(applied(case, tried))) if tried else set()
        if not failed:
            return tried
    return [r for r in tried if r.defect not in failed]


def _options(ground: Ground, n: int, d: Defect) -> Iterable[Repair]:
    maker = MAKERS.get(d.code)
    return (repair_stakes.with_stakes(ground, r) for r in maker(ground, n, d)) if maker is not None else ()


def _failed(before: Sequence[Defect], tried: Sequence[Repair], after: Sequence[Defect]) -> set[int]:
    """Defects whose proposal left them, or brought another."""
    made = {r.defect for r in tried}
    stays = [d for n, d in enumerate(before) if n not in made]
    failed: set[int] = set()
    for found in after:
        if any(_same(found, d) for d in stays):
            continue
        blamed = [n for n in made if _same(found, before[n])] or [n for n in made if _touches(found, before[n])]
        if not any(before[n].code in UNCOVERED.get(found.code, ()) for n in blamed):
            failed |= set(blamed)
    return failed


def _same(a: Defect, b: Defect) -> bool:
    """The same defect seen again, perhaps a little moved."""
    if a.code != b.code or a.reach != b.reach:
        return False
    return bool(set(a.features) & set(b.features)) or _apart(a, b) < _NEAR_M


def _touches(a: Defect, b: Defect) -> bool:
    """Whether one defect can come from repairing another: same feature, or near it on the same reach."""
    return bool(set(a.features) & set(b.features)) or (a.reach == b.reach and _apart(a, b) < 2 * _NEAR_M)


def _apart(a: Defect, b: Defect) -> float:
    away = a.place.distance(b.place) if a.place is not None and b.place is not None else np.inf
    return float(away) if np.isfinite(away) else np.inf
