"""What lines are judged by: limits from the rules of the place, and over them what a params.json says for one delivery."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from rivergis import words
from rivergis.boundary.doctor.case import Limits, NotChecked
from rivergis.errors import InputError
from rivergis.rules import RuleView

NUMBERS = {
    "rule_tolerance_m": "rule_tolerance",
    "shrink_tolerance_m": "shrink_tolerance",
    "stake_tolerance_m": "stake_tolerance",
    "seam_tolerance_m": "seam_tolerance",
    "snap_m": "snap",
    "sliver_max_width_m": "sliver_max_width",
    "step_min_m": "step_min",
    "spike_max_angle_deg": "spike_max_angle",
    "spike_min_m": "spike_min",
    "loop_min_m": "loop_min",
    "outlier_min_m": "outlier_min",
    "duplicate_vertex_m": "duplicate_vertex",
    "dangle_max_m": "dangle_max",
    "water_tolerance_m": "water_tolerance",
    "min_stretch_m": "min_stretch",
    "reach_end_m": "reach_end",
    "levee_end_m": "levee_end",
}
LISTS = {
    "date_formats": "date_formats",
    "line_type": "line_types",
    "basis": "bases",
    "rule_basis": "rule_bases",
    "bank": "banks",
}
GRADES = (1, 2, 3, 4, 5)
CODES_OF = {
    "areas": ("sliver_area", "area_not_closed", "centreline_not_inside"),
    "levees": ("inside_levee_toe",),
    "water": ("water_not_inside",),
    "former": ("shrunk_against_former",),
    "stakes": ("stake_off_line", "stake_number_order", "stake_spacing"),
    "counties": (),
}


def untold(what: str) -> NotChecked:
    """The note that something was not given, and which codes were therefore not asked."""
    zh, en = words.pair(f"boundary_check.without.{what}")
    return NotChecked(CODES_OF.get(what, ()), en, zh)


def limits(view: RuleView, params: Mapping[str, Any]) -> tuple[Limits, list[NotChecked]]:
    """The limits for a place and day; what ``params`` names stands before the rules. Raises ``InputError`` for wrong params."""
    rule = "boundary.doctor."
    inner = dict(params.get("no_rule_check_within_m") or {})
    given = {**params, **{f"{k}_m": v for k, v in inner.items()}}
    values: dict[str, Any] = {
        k: _number(k, given[k]) if k in given else view.number(rule + name) for k, name in NUMBERS.items()
    }
    values["stake_max_spacing_m"] = (
        _number("stake_max_spacing_m", given["stake_max_spacing_m"])
        if "stake_max_spacing_m" in given
        else _spacing(view)
    )
    for k, name in LISTS.items():
        values[k] = tuple(map(str, given[k] if k in given else view.value(rule + name).value))
    values["first_date"] = date.fromisoformat(str(given.get("first_date") or view.value(rule + "first_date").value))
    values["today"] = date.fromisoformat(str(given["today"])) if "today" in given else view.on
    values["severity"] = dict(view.value(rule + "severity").value)
    values["consequences"] = {k: tuple(v) for k, v in view.value(rule + "consequences").value.items()}
    values["berm_m"], values["bank_offset_m"] = _berms(given, view), _offsets(given, view)
    absent = [what for what, k in (("berm", "berm_m"), ("bank_offset", "bank_offset_m")) if values[k] is None]
    return Limits(**values), [untold(what) for what in absent]


def _spacing(view: RuleView) -> float:
    """The longest spacing of base stakes, which the placing of stakes keeps to as well."""
    row = view.value("boundary.stake.spacing.base")
    return float(row.value["max"]) if isinstance(row.value, Mapping) else float(row.value)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"params.json: {name} is {value!r}, but a number is needed: correct it.")
    return float(value)


def _berms(given: Mapping[str, Any], view: RuleView) -> dict[str, float] | None:
    if "berm_m" in given:
        return {str(k): _number("berm_m", v) for k, v in given["berm_m"].items()}
    rows = {str(g): view.find("boundary.leveed.berm_width", levee_grade=g) for g in GRADES}
    found = {g: float(r.value) for g, r in rows.items() if r is not None and isinstance(r.value, (int, float))}
    return found or None


def _offsets(given: Mapping[str, Any], view: RuleView) -> tuple[tuple[float, float, float], ...] | None:
    """(width not exceeded, least, most): one value a class of width from params, one range for all from the rules."""
    if "bank_offset_m" in given:
        rows = sorted((_number("bank_offset_m", w), _number("bank_offset_m", o)) for w, o in given["bank_offset_m"])
        return tuple((w, o, o) for w, o in rows)
    row = view.find("boundary.unleveed.edge_offset")
    if row is None or not isinstance(row.value, Mapping):
        return None
    low, high = row.value.get("min"), row.value.get("max")
    return None if low is None or high is None else ((float("inf"), float(low), float(high)),)
