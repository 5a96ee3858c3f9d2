"""Remote-sensing patches (图斑): the fields of their form, what the machine measures of one, and what people may decide.

Pure: shapes in metres, tables as plain rows. What was delivered is never overwritten; a difference is listed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import crs

# decimals that a figure is given with, and how far two figures may lie apart and still be the same
_DIGITS = {"area_m2": 1, "area_in_mgmt_m2": 1, "share_in_mgmt": 3, "dist_to_line_m": 1}
# one word for each thing that forms say in several
_WORDS = {
    "bank": {"left": "左岸", "l": "左岸", "左": "左岸", "right": "右岸", "r": "右岸", "右": "右岸"},
    "in_levee_or_berm": {
        "yes": "是",
        "y": "是",
        "1": "是",
        "true": "是",
        "no": "否",
        "n": "否",
        "0": "否",
        "false": "否",
    },
}
_APART = {"area_m2": 0.01, "area_in_mgmt_m2": 0.01, "share_in_mgmt": 0.005, "dist_to_line_m": 0.01}


@dataclass(frozen=True)
class Field:
    """One field of the form of a batch: who fills it and as what it is written."""

    name: str
    zh: str
    by: str  # delivered, machine, people
    kind: str = "text"  # text, number, integer


FIELDS = (
    Field("patch_no", "图斑编号", "delivered"),
    Field("batch", "批次", "delivered"),
    Field("image_date_before", "前时相日期", "delivered"),
    Field("image_date_after", "后时相日期", "delivered"),
    Field("image_res_m", "影像分辨率", "delivered", "number"),
    Field("class_code", "地物类别", "delivered"),
    Field("class_corrected", "更正类别", "people"),
    Field("area_m2", "图斑面积", "machine", "number"),
    Field("area_in_mgmt_m2", "管理范围内面积", "machine", "number"),
    Field("share_in_mgmt", "管理范围内占比", "machine", "number"),
    Field("river_code", "河流编码", "machine"),
    Field("reach_code", "河段编码", "machine"),
    Field("adcode", "行政区代码", "machine"),
    Field("bank", "岸别", "machine"),
    Field("chainage", "桩号", "machine"),
    Field("dist_to_line_m", "距界线距离", "machine", "number"),
    Field("in_levee_or_berm", "堤防护堤地", "machine"),
    Field("zones_hit", "涉及分区", "machine"),
    Field("permit_id", "许可编号", "machine"),
    Field("permit_match", "许可相符", "machine"),
    Field("built_period", "建成时段", "machine"),
    Field("outcome", "核查结论", "people", "integer"),
    Field("severity", "严重程度", "machine"),
    Field("reason", "核查说明", "people"),
    Field("evidence", "佐证材料", "people"),
    Field("checked_by", "核查人", "people"),
    Field("checked_on", "核查日期", "people"),
    Field("reviewed_by", "复核人", "people"),
    Field("reviewed_on", "复核日期", "people"),
    Field("state", "状态", "machine"),
    Field("check_note", "机核说明", "machine"),
)
BY_NAME = {f.name: f for f in FIELDS}
MACHINE = tuple(f.name for f in FIELDS if f.by == "machine")
PEOPLE = tuple(f.name for f in FIELDS if f.by == "people")
DELIVERED = tuple(f.name for f in FIELDS if f.by == "delivered")
# what is filled in afresh at every export and says nothing of the patch itself
_SAID = ("state", "check_note")

# the four outcomes of a check and the move of the lead that each is
OUTCOMES = {1: "不是问题", 2: "不是问题·历史不碍洪", 3: "问题·历史碍洪(挂账监管)", 4: "问题"}
MOVES = {
    1: "judge_not_a_problem",
    2: "judge_historic_harmless",
    3: "judge_historic_listed",
    4: "judge_problem",
}
_MARKS = {"①": 1, "②": 2, "③": 3, "④": 4}
_SEPARATORS = re.compile(r"\.0+$|[\s·•.,、;()\uff08\uff09\uff0c\uff1b\uff1a:。/_-]+")


def outcome(said: Any) -> int | None:
    """The outcome (核查结论, 1 to 4) that a cell says, as number, sign or in words; None where it is empty.

    Raises ``ValueError`` with what it said where that is none of the four.
    """
    text = _SEPARATORS.sub("", _text(said) or "")
    if not text:
        return None
    number = _MARKS.get(text[0]) or (int(text[0]) if text[0] in "1234" and not text[1:2].isdigit() else None)
    words = text[1:].removeprefix("0") if number else text
    meant = _in_words(words)
    if (number is None and meant is None) or (number and meant and number != meant):
        raise ValueError(_text(said))
    if number and words and meant is None:
        raise ValueError(_text(said))
    return number or meant


def _in_words(words: str) -> int | None:
    if not words:
        return None
    if "历史不碍洪" in words:
        return None if words.startswith("问题") else 2
    if "历史碍洪" in words or "挂账" in words:
        return None if words.startswith("不是问题") else 3
    return {"不是问题": 1, "非问题": 1, "问题": 4, "是问题": 4}.get(words)


def _text(value: Any) -> str | None:
    """A cell as text: a whole number without its point, a day without its midnight; None where it is empty."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, (datetime, date)):
        return value.isoformat()[:10] if not isinstance(value, datetime) or value.hour == 0 else value.isoformat()
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value).strip() or None


def read_row(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, str]:
    """The fields of the form as a row of a file says them, empty ones left out. ``columns``: field -> column of the file."""
    said = {name: _text(row.get(column)) for name, column in columns.items()}
    if said.get("image_date_before") and columns.get("image_date_before") == columns.get("image_date_after"):
        said["image_date_before"] = None  # one date alone is that of the image interpreted
    return {name: value for name, value in said.items() if value is not None}


def columns_of(headings: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """Which column of a file holds which field. ``names``: field -> spellings joined by ``|``; the first that is there counts."""
    there = {str(h).strip().lower(): str(h) for h in reversed(headings)}
    out = {}
    for name in BY_NAME:
        found = [there[n.lower()] for n in names.get(name, name).split("|") if n.lower() in there]
        if found:
            out[name] = found[0]
    return out


def keys(numbers: Sequence[str | None]) -> list[str]:
    """What each patch of a file is known by: its number, and where that stands again or is missing, which of them it is."""
    met: dict[str, int] = {}
    out = []
    for number in numbers:
        n = met[number or ""] = met.get(number or "", 0) + 1
        out.append(number if number and n == 1 else f"{number or ''}#{n}")
    return out


def shape_hash(shape: shapely.Geometry | None) -> str | None:
    """Hash of a geometry that is the same for rings begun elsewhere or turned round."""
    if shape is None or shape.is_empty:
        return None
    return hashlib.sha256(shapely.to_wkb(shapely.normalize(shapely.force_2d(shape)), byte_order=1)).hexdigest()


def content_hash(figures: Mapping[str, Any]) -> str:
    """Hash of figures; equal figures make no new row."""
    return hashlib.sha256(json.dumps(figures, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def said(name: str, value: Any) -> str | None:
    """A value of a field as text, in the one word there is for it."""
    text = _text(value)
    return text if text is None else _WORDS.get(name, {}).get(text.lower(), text)


def agrees(name: str, one: Any, other: Any) -> bool:
    """Whether two values of a field say the same: figures within what they are given with, the rest letter by letter."""
    a, b = said(name, one), said(name, other)
    if a is None or b is None or a == b:
        return a == b
    try:
        x, y = float(a), float(b)
    except ValueError:
        return False
    return abs(x - y) <= max(_APART.get(name, 0.0) * max(abs(x), abs(y)), 0.6 * 10 ** -_DIGITS.get(name, 9))


def differences(delivered: Mapping[str, Any], figures: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Where the machine finds another value than was delivered: field, delivered, computed."""
    return [
        (name, str(delivered[name]), str(figures[name]))
        for name in MACHINE
        if name not in _SAID
        and delivered.get(name) is not None
        and figures.get(name) is not None
        and not agrees(name, delivered[name], figures[name])
    ]


def returned(
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    shapes: tuple[str | None, str | None],
    filled: Sequence[Mapping[str, Any]],
) -> bool:
    """Whether a patch that comes again is as it was delivered, but for what was filled in since or decided.

    ``filled``: what the form was ever filled in with. Fields of people are no part of a delivery that is known already: they are
    taken over as checks, never as corrections.
    """
    if shapes[0] != shapes[1]:
        return False
    return all(
        agrees(name, before.get(name), now.get(name)) or _ours(name, before, now, filled)
        for name in (*DELIVERED, *MACHINE)
        if name not in _SAID
    )


def _ours(name: str, before: Mapping[str, Any], now: Mapping[str, Any], filled: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a value is one that we filled in where nothing was delivered."""
    return before.get(name) is None and any(agrees(name, f.get(name), now.get(name)) for f in filled)


def measure(shapes: Sequence[shapely.Geometry], areas: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """What each shape (metres) measures and how it lies to the management areas (same CRS): one dict a shape.

    Keys: area_m2, area_in_mgmt_m2, share_in_mgmt, dist_to_line_m (0 where the line crosses it) and ``at``, the position in
    ``areas`` of the area it is in or next to (None where there are none).
    """
    if len(areas):
        crs.require_metric(areas)
    grounds = np.asarray(areas.geometry.values, dtype=object)
    tree = shapely.STRtree(grounds)
    return [_measured(shape, grounds, tree) for shape in shapes]


def _measured(shape: shapely.Geometry, grounds: np.ndarray, tree: shapely.STRtree) -> dict[str, Any]:
    out: dict[str, Any] = {"area_m2": round(float(shape.area), 1), "at": None}
    hit = tree.query(shape, predicate="intersects")
    near = hit if len(hit) else tree.query_nearest(shape, all_matches=False)
    if not len(near):
        return out | {"area_in_mgmt_m2": 0.0, "share_in_mgmt": 0.0, "dist_to_line_m": None}
    ground = shapely.union_all(grounds[near])
    inside = float(shapely.intersection(shape, ground).area)
    parts = shapely.area(shapely.intersection(shape, grounds[near]))
    share = inside / shape.area if shape.area else float(len(hit) > 0)
    return out | {
        "area_in_mgmt_m2": round(inside, 1),
        "share_in_mgmt": round(min(share, 1.0), 3),
        "dist_to_line_m": round(float(shapely.distance(shape, ground.boundary)), 1),
        "at": int(near[int(np.argmax(parts))]),
    }


def limits_of(figures: Mapping[str, Any], delivered: Mapping[str, Any], min_m2: float, max_gsd_m: float) -> list[str]:
    """What a patch is too small or its image too coarse for (解译技术规程): below_map_limit, image_too_coarse."""
    said = ["below_map_limit"] if figures["area_m2"] < min_m2 else []
    try:
        coarse = float(delivered.get("image_res_m") or 0) > max_gsd_m
    except ValueError:
        return [*said, "image_res_unreadable"]
    return [*said, "image_too_coarse"] if coarse else said


_GROUNDS = ("levee", "berm")
_MATCHED = ("content", "position", "limits")


def machine_fields(patch: Mapping[str, Any]) -> dict[str, Any]:
    """What the machine can say of a patch, field by field: measured figures, and the verdict of its lead where it has one.

    ``patch``: a row of ``patch_store.patches``. Fields that nothing is known of are left out.
    """
    figures = patch.get("figures") or {}
    verdict = (patch.get("verdict") or {}).get("verdict") or {}
    out = {k: said(k, v) if k in _WORDS else v for k in MACHINE if (v := figures.get(k)) is not None}
    if verdict.get("stands_on"):
        out["in_levee_or_berm"] = "是" if set(verdict["stands_on"]) & set(_GROUNDS) else "否"
    zones = [out.get("zones_hit"), *(z["code"] for z in verdict.get("function_zones") or ())]
    if any(zones):
        out["zones_hit"] = ";".join(z for z in zones if z)
    permits = verdict.get("permit_match") or ()
    if permits:
        out["permit_id"] = ";".join(p["doc_no"] or p["permit"] for p in permits)
        out["permit_match"] = ";".join(",".join(f"{part} {p[part]}" for part in _MATCHED) for p in permits)
    for name in ("severity", "built_period"):
        if patch.get(name) is not None:
            out[name] = patch[name]
    return out


def ever_filled(patch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the form of a patch was ever filled in with: a form may come back after a night that measured otherwise.

    ``patch``: a row of ``patch_store.patches`` with its ``history``: figures and verdicts, each as they were.
    """
    return [machine_fields(patch | past) for past in patch.get("history") or ()] + [machine_fields(patch)]


def people_fields(patch: Mapping[str, Any]) -> dict[str, Any]:
    """What people decided on a patch here, field by field; empty where nobody has."""
    check, review = patch.get("check"), patch.get("review")
    if not check:
        return {}
    out = {
        "outcome": check["outcome"],
        "class_corrected": check["class_corrected"],
        "reason": check["reason"],
        "evidence": ";".join(e["name"] for e in check["evidence"]) or None,
        "checked_by": check["done_by"] or check["actor"],
        "checked_on": check["done_on"] or str(check["recorded_at"])[:10],
    }
    if review and review["id"] > check["id"]:
        out |= {
            "reviewed_by": review["done_by"] or review["actor"],
            "reviewed_on": review["done_on"] or str(review["recorded_at"])[:10],
        }
    return {k: v for k, v in out.items() if v is not None}


def standing(patch: Mapping[str, Any], state: str | None) -> str:
    """Where a patch stands: aside, a state of its lead, not_told (and no lead), or waiting for a night.

    ``state``: state of its lead; None = it has none. A check without a lead stands by its outcome.
    """
    if patch.get("aside"):
        return "aside"
    if state is not None and state != "found":
        return state
    check = patch.get("check")
    if check and patch.get("finding_id") is None:
        return ("not_a_problem", "historic_harmless", "historic_listed", "problem")[check["outcome"] - 1]
    if state is not None:
        return state
    if patch.get("reason"):
        return "not_told"
    figures = patch.get("figures")
    return "outside" if figures and figures.get("area_in_mgmt_m2") == 0 else "waiting"


def form_row(patch: Mapping[str, Any]) -> dict[str, Any]:
    """What goes into the form for a patch: fields that were delivered empty and are known here, and what people decided.

    A figure that was delivered is not named, so that it stays as it was.
    """
    delivered = patch["delivered"]
    machine = {k: v for k, v in machine_fields(patch).items() if delivered.get(k) is None}
    return machine | people_fields(patch)


def as_delivered(
    before: Mapping[str, Any], now: Mapping[str, Any], filled: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The fields of a patch that comes again, as delivered: without what was filled in since, people's as they stood before."""
    own = {k: v for k, v in now.items() if k in DELIVERED}
    machine = {k: v for k, v in now.items() if k in MACHINE and k not in _SAID}
    own |= {k: v for k, v in machine.items() if not _ours(k, before, now, filled)}
    return own | {k: v for k, v in before.items() if k in PEOPLE}
