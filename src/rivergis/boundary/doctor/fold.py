"""One fault, told once: what is only the look of another defect at the same place goes with that one, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rivergis.boundary.doctor.case import Defect

MARGIN_M = 40.0
"""How far beyond the stretch of a defect its consequences may reach."""
ACROSS = ("missing_bank", "reach_without_line", "wrong_bank_side", "unknown_reach", "crosses_other_reach_line")
"""Defects of a neighbouring reach after which the line of this one meets nothing at their common node."""


def fold(defects: Sequence[Defect], consequences: Mapping[str, Sequence[str]]) -> list[Defect]:
    """The defects without those that are consequences of another one; each names what was folded into it.

    A consequence must be listed for its cause (``consequences``: cause -> codes) and lie with it: on the same reach, on the
    same bank where both have one, within ``MARGIN_M`` of its stretch; or share a feature where the cause is of a whole line.
    The end of a line that meets nothing goes with what is wrong with the reach it should meet.
    """
    by_reach: dict[str, list[int]] = {}
    by_feature: dict[str, list[int]] = {}
    for i, d in enumerate(defects):
        by_reach.setdefault(d.reach or "", []).append(i)
        for f in d.features:
            by_feature.setdefault(f, []).append(i)
    cause = [_cause(i, defects, by_reach, by_feature, consequences) for i in range(len(defects))]
    for i in range(len(defects)):
        if _root(i, cause) == i:
            cause[i] = None  # where causes go round, the first of them stands
    folded: dict[int, list[Defect]] = {}
    for i, c in enumerate(cause):
        if c is not None:
            folded.setdefault(_root(c, cause), []).append(defects[i])
    return [
        replace(d, consequences=tuple(sorted({f.code for f in folded[i]}))) if i in folded else d
        for i, d in enumerate(defects)
        if cause[i] is None
    ]


def _root(i: int, cause: Sequence[int | None]) -> int:
    """The last cause behind a defect; a defect that comes back to itself is its own."""
    at, seen = i, {i}
    while (above := cause[at]) is not None:
        if above == i:
            return i
        if above in seen:
            return at
        at = above
        seen.add(at)
    return at


def _cause(
    i: int,
    defects: Sequence[Defect],
    by_reach: Mapping[str, list[int]],
    by_feature: Mapping[str, list[int]],
    consequences: Mapping[str, Sequence[str]],
) -> int | None:
    """The defect that one is a consequence of, or None: at its reach, through a shared line, or at the reach behind its node."""
    d = defects[i]
    near = [*by_reach[d.reach or ""], *(k for f in d.features for k in by_feature[f])]
    for k in near:
        if k != i and d.code in consequences.get(defects[k].code, ()) and _together(defects[k], d):
            return k
    for name in d.detail.get("neighbours", ()):
        for k in by_reach.get(name, ()):
            if defects[k].code in ACROSS:
                return k
    return None


def _together(cause: Defect, d: Defect) -> bool:
    other_bank = bool(cause.side and d.side and cause.side != d.side) and d.layer != "areas"  # an area has both banks
    if cause.reach != d.reach or other_bank:
        return bool(set(cause.features) & set(d.features))
    return d.from_m <= cause.to_m + MARGIN_M and d.to_m >= cause.from_m - MARGIN_M
