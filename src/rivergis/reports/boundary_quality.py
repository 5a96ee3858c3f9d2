"""The completeness and quality report of a delimitation (划界成果完整性与质量报告): page, workbook or PDF of the same tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from rivergis import words
from rivergis.boundary.delivery import quality
from rivergis.boundary.delivery.quality import COMPLETE, DRAFT, MISSING, PARTLY, Quality
from rivergis.reports.patrol_paper import Paper, Table

_RIVERS = (
    "river_code", "river", "kind", "length_km", "basin_km2", "listed", "lines", "line_km", "announced_share", "left_share",
    "right_share", "state", "missing_attributes", "survey_scale", "xy_error_m", "acts", "stakes", "blocks", "advises", "seams",
)  # fmt: skip
_SMALL = ("river_code", "river", "length_km", "basin_km2", "listed", "state", "line_km", "left_share", "right_share")
_ACTS = ("version_code", "river", "standing", "announced", "lines", "line_km", "km2", "stakes")


@dataclass(frozen=True)
class Told:
    """What a report is about: where its data come from (``about``), until when they are known, the rules used, the class of small
    basins that is listed apart (km2), and whether it is fictional data."""

    title: str
    known_at: datetime
    about: Sequence[tuple[str, Any]] = ()
    rules: Sequence[dict[str, Any]] = ()
    small_km2: tuple[float, float] = (10.0, 50.0)
    doctor: bool = False
    demo: bool = False


def paper(found: Quality, told: Told) -> Paper:
    """The report as a paper (``patrol_paper.write`` by its ending)."""
    rivers = found.rivers
    small = quality.of_class(rivers, *told.small_km2)
    unknown = int(pd.to_numeric(rivers["basin_km2"], errors="coerce").isna().sum())
    low, high = told.small_km2
    note = words.both("patrol_report.quality.small_note", low=f"{low:g}", high=f"{high:g}", unknown=unknown)
    bare = rivers[rivers["state"] != COMPLETE]
    tables = [
        _table("rivers", _RIVERS, [_river(r, _RIVERS) for r in rivers.to_dict("records")]),
        _table("missing", _SMALL, [_river(r, _SMALL) for r in bare.to_dict("records")]),
        _table("small", _SMALL, [_river(r, _SMALL) for r in small.to_dict("records")], "quality_small", note),
        _table("attributes", ("attribute", "lines", "missing", "share", "examples"), [_attribute(r) for r in found.attributes.to_dict("records")]),
        _table(
            "defects", ("code", "severity", "count", "rivers", "example"), [_defect(r) for r in found.defects.to_dict("records")],
            note=None if told.doctor else words.both("patrol_report.quality.no_doctor"),
        ),
        _table("surveys", ("survey_scale", "xy_error_m", "lines", "line_km"), [_survey(r) for r in found.surveys.to_dict("records")]),
        _table("acts", _ACTS, [_act(r) for r in found.acts.to_dict("records")]),
    ]  # fmt: skip
    figures = figures_of(rivers, told.small_km2)
    tiles = [(f"quality.tile_{k}", figures[k]) for k in ("rivers", COMPLETE, PARTLY, DRAFT, MISSING) if k in figures]
    tiles += [("quality.tile_blocks", figures["blocks"])] if told.doctor else []
    return Paper(
        told.title, words.say("patrol_report.block_quality", "en"), told.known_at, told.about, tables, tiles, told.rules, demo=told.demo,
        footer="quality.footer", figures=figures,
    )  # fmt: skip


def figures_of(rivers: pd.DataFrame, small_km2: tuple[float, float]) -> dict[str, Any]:
    """The report in figures: rivers by state, and the same of the small basins with how many of them are listed (B7)."""
    small = quality.of_class(rivers, *small_km2)

    def counted(table: pd.DataFrame) -> dict[str, int]:
        states = table["state"].value_counts()
        return {s: int(states.get(s, 0)) for s in (COMPLETE, PARTLY, DRAFT, MISSING)}

    listed = {"listed": int((small["listed"] == True).sum()), "unlisted": int((small["listed"] == False).sum())}  # noqa: E712
    blocks = pd.to_numeric(rivers["blocks"], errors="coerce").sum()
    return {
        "rivers": len(rivers), **counted(rivers), "blocks": int(blocks), "line_km": round(float(pd.to_numeric(rivers["line_km"]).sum()), 3),
        "small": {"class_km2": list(small_km2), "rivers": len(small), **counted(small), **listed},
        "basin_unknown": int(pd.to_numeric(rivers["basin_km2"], errors="coerce").isna().sum()),
    }  # fmt: skip


def _table(
    key: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], block: str = "quality", note: str | None = None
) -> Table:
    return Table(f"quality_{key}", [f"quality.{c}" for c in columns], rows, block, note)


def _say(key: str) -> str:
    return words.say(f"patrol_report.quality.{key}")


def _number(value: Any, digits: int, factor: float = 1.0) -> float | None:
    return None if value is None or pd.isna(value) else round(float(value) * factor, digits)


def _yes(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else _say("is_so" if value else "is_not")


def _whole(value: Any) -> int | None:
    return None if value is None or pd.isna(value) else int(value)


def _river(row: dict[str, Any], columns: Sequence[str]) -> list[Any]:
    state = "missing_line" if row["state"] == MISSING else row["state"]
    shown = {
        **row, "length_km": _number(row["length_m"], 3, 1e-3), "basin_km2": _number(row["basin_km2"], 2), "listed": _yes(row["listed"]),
        "line_km": _number(row["line_km"], 3), "state": _say(state), "kind": row["kind"] and words.say(f"choice.kind.{row['kind']}"),
        **{c: _number(row[c], 1, 100) for c in ("announced_share", "left_share", "right_share")},
        **{c: _whole(row[c]) for c in ("lines", "missing_attributes", "survey_scale", "acts", "stakes", "blocks", "advises", "seams")},
    }  # fmt: skip
    return [shown[c] for c in columns]


def _attribute(row: dict[str, Any]) -> list[Any]:
    name = words.say(f"column.boundary_line.{row['attribute']}")
    return [
        f"{name} {row['attribute']}",
        int(row["lines"]),
        int(row["missing"]),
        _number(row["share"], 1, 100),
        row["examples"],
    ]


def _defect(row: dict[str, Any]) -> list[Any]:
    key = f"boundary_doctor.{row['code']}"
    name = f"{words.say(key)} {row['code']}" if key in words.catalogue() else row["code"]
    severity = _say("blocks_word" if row["severity"] == "blocks" else "advises_word")
    return [name, severity, int(row["count"]), row["rivers"], row["example"]]


def _survey(row: dict[str, Any]) -> list[Any]:
    return [_whole(row["survey_scale"]), _number(row["xy_error_m"], 2), int(row["lines"]), _number(row["km"], 3)]


def _act(row: dict[str, Any]) -> list[Any]:
    announced = " ".join(str(row[c]) for c in quality.PROOF if row.get(c) is not None and row[c] == row[c])
    standing = row.get("standing")
    said = words.say(f"deliver.standing.{standing}") if standing else None
    return [
        row["version_code"], row.get("river") or row.get("river_code"), said, announced, int(row["lines"]), _number(row["km"], 3),
        _number(row.get("km2"), 4), _whole(row.get("stakes")),
    ]  # fmt: skip
