"""Reaches, levees and water to draw boundary lines beside: builders that read like a sketch, in metres of tests/tiny."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import rules
from rivergis.boundary.drafting import rules_files as draft_rules_files
from rivergis.boundary.drafting.edges import Linework
from rivergis.boundary.drafting.frames import Draft, Reach
from rivergis.boundary.drafting.make import Ground, Sources, Work, make
from rivergis.rules import RuleView
from rivergis.settings import gis_dir
from tests import tiny

DAY = date(2026, 5, 20)


@cache
def book() -> rules.RuleBook:
    return rules.load(gis_dir() / "rules")


def view(name: str = "national") -> RuleView:
    return draft_rules_files.view_of(book(), name, DAY)


def own_rules(folder: Path, berm_m: dict[str, float], bank_offset_m: list[list[float]]) -> RuleView:
    """Rules of a table of offsets."""
    import json

    path = folder / "params.json"
    path.write_text(json.dumps({"berm_m": berm_m, "bank_offset_m": bank_offset_m}), encoding="utf-8")
    return draft_rules_files.view_of(book(), str(path), DAY)


def reach(code: str, *points: tuple[float, float], width: float = float("nan"), **more: Any) -> Reach:
    return Reach(code, tiny.line(*points), half_width_m=width / 2, **more)


def levee(number: int, bank: str, *points: tuple[float, float], **facts: Any) -> Work:
    return Work(number, bank, tiny.line(*points), facts, {"layer": "levees", "feature": f"D{number}{bank}"})


def water(*shapes: shapely.Polygon) -> Ground:
    whole = shapely.union_all(shapes)
    rims = [shapely.LineString(p.exterior.coords) for p in shapely.get_parts(whole)]
    return Ground("water", Linework(gpd.GeoSeries(rims, crs=tiny.ZONE)), {"layer": "water"})


def winding(length: float = 2000.0, swing: float = 60.0, wave: float = 700.0) -> list[tuple[float, float]]:
    x = np.arange(0.0, length + 1, 10.0)
    return [(float(a), float(b)) for a, b in zip(x, swing * np.sin(2 * np.pi * x / wave), strict=True)]


def drawn(rule_set: RuleView, *reaches: Reach, **sources: Any) -> Draft:
    return make(Sources(reaches, **sources), lambda _: rule_set, tiny.ZONE)


def line_of(draft: Draft, code: str, bank: str) -> shapely.LineString:
    """The whole line of a bank."""
    rows = draft.lines[(draft.lines["reach_code"] == code) & (draft.lines["bank"] == bank)].sort_values("from_m")
    return shapely.LineString(np.vstack([shapely.get_coordinates(g) for g in rows.geometry]))


def ends(line: shapely.LineString) -> np.ndarray:
    """Both ends in local metres."""
    return shapely.get_coordinates(line)[[0, -1]] - np.array([tiny.EAST, tiny.NORTH])
