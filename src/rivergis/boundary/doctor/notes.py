"""What was not asked of a case, and why: a check that is not made is said, never passed over in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rivergis import words
from rivergis.boundary.doctor import attributes as doctor_attributes
from rivergis.boundary.doctor import stakes as doctor_stakes
from rivergis.boundary.doctor.case import Case, NotChecked
from rivergis.boundary.doctor.vertices import SMALL_LOOP, Found


def note(what: str, codes: Sequence[str], text: str = "") -> NotChecked:
    """One note in both languages."""
    key = f"boundary_check.untold.{what}"
    return NotChecked(tuple(codes), words.say(key, "en", what=text), words.say(key, "zh", what=text))


def notes(case: Case, shapes: Any, found: Sequence[Found]) -> list[NotChecked]:
    """Everything about files and columns that keeps a check from being made; what the reader said comes first."""
    out = [*case.not_checked, *_columns(case)]
    lost = sum(s is None for s in shapes)
    loops = len({f.line for f in found if f.code == SMALL_LOOP})
    unnamed = int(case.lines["reach_id"].isna().sum()) if "reach_id" in case.present else 0
    for what, count, codes in (
        ("no_shape", lost, ()),
        ("small_loops", loops, ("self_crossing",)),
        ("reach_name", unnamed, ()),
    ):
        if count:
            out.append(note(what, codes, str(count)))
    if doctor_stakes.unnumbered(case):
        out.append(note("stake_no", ("stake_number_order",)))
    return out


def _columns(case: Case) -> list[NotChecked]:
    """Notes on columns that the files do not have, or that are empty from top to bottom."""
    out = []
    silent = doctor_attributes.unasked(case)
    if silent:
        codes = ("missing_announcement", "bad_date") if "announce_date" in silent else ("missing_announcement",)
        out.append(note("announcement", codes, ", ".join(silent)))
    for column, codes in (
        ("reach_id", ("unknown_reach",)),
        ("bank", ("bank_swapped", "wrong_bank_side")),
        ("line_type", ("bad_code",)),
    ):
        if column not in case.present:
            out.append(note(column, codes))
    if "basis" not in case.present and "drawn_by" not in case.present:
        out.append(note("basis", ("offset_from_rule",)))
    if not {"from_m", "to_m"} <= case.present:
        out.append(note("chainage", ("bad_chainage",)))
    if "county" not in case.present and case.counties is None:
        out.append(note("county", ("seam_gap", "seam_overlap", "seam_offset")))
    if case.limits.bank_offset_m is not None and not np.isfinite(case.reaches["width_m"].to_numpy(float)).any():
        out.append(note("width", ("offset_from_rule",)))
    return out
