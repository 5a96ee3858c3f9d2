"""What a draft of boundary lines (界线草案) is made of and what comes out: reaches, pieces of line with their basis, notes, frames.

Every piece says by which rule, from which source, at which flood level and within which tolerance it was drawn. What could
not be decided is a note, never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis.rules import RuleValue

Floats = npt.NDArray[np.float64]

SIDES = {"left": 1, "right": -1}
LINE_COLUMNS = (
    "code", "river_code", "reach_code", "bank", "line_type", "basis", "from_m", "to_m", "drawn_by", "rule", "source",
    "flood_level_m", "return_period_a", "vertical_datum", "tolerance_m", "band_in_m", "band_out_m", "hand_edited",
    "announce_gov", "announce_doc_no", "announced_on", "county", "indicative",
)  # fmt: skip
"""Columns of the layer ``lines``; ``rule`` and ``source`` are JSON texts, ``indicative`` the word 示意 or null."""
AREA_COLUMNS = ("code", "river_code", "reach_code", "county", "line_type", "basis", "area_m2", "indicative")
BAND_COLUMNS = ("reach_code", "bank", "error_m", "sentence")
NOTE_COLUMNS = ("reach", "bank", "from_m", "to_m", "code", "sentence")
INDICATIVE = "示意"


@dataclass(frozen=True)
class Reach:
    """A reach (河段) as a draft asks it: ``axis`` LineString in metres, first vertex upstream; ``origin_m`` chainage there.

    ``facts``: what rules may be limited to (plan_area, reach_kind, ...). ``half_width_m``: NaN where no file tells it.
    """

    code: str
    axis: shapely.LineString
    river: str | None = None
    origin_m: float = 0.0
    half_width_m: float = float("nan")
    kind: str | None = None
    return_period_a: float = float("nan")
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def length_m(self) -> float:
        return float(self.axis.length)


@dataclass(frozen=True)
class Basis:
    """Why a piece of line lies where it lies."""

    drawn_by: str
    rule: RuleValue | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    basis: str = "draft"
    flood_level_m: float = float("nan")
    return_period_a: float = float("nan")
    vertical_datum: str | None = None
    tolerance_m: float = float("nan")
    band_in_m: float = float("nan")
    band_out_m: float = float("nan")
    indicative: bool = False

    @property
    def rule_text(self) -> str | None:
        """The rule row as it is kept with the line."""
        if self.rule is None:
            return None
        r = self.rule
        told = {"key": r.key, "value": r.value, "unit": r.unit, "status": r.status, "ruleset": r.ruleset}
        return json.dumps(told | {"version": r.ruleset_version, "source": r.basis}, ensure_ascii=False)

    @property
    def source_text(self) -> str | None:
        return json.dumps(dict(self.source), ensure_ascii=False, default=str) if self.source else None


@dataclass(frozen=True)
class Note:
    """What was not decided, and what a person does about it; chainages of the reach's file."""

    reach: str | None
    bank: str | None
    from_m: float
    to_m: float
    code: str
    sentence: str
    place: shapely.Point | None = None


@dataclass(frozen=True)
class Draft:
    """Lines (LineString), areas (Polygon), bands (Polygon) and notes (Point), in metres, and what is to be said of all of it."""

    lines: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    bands: gpd.GeoDataFrame
    notes: gpd.GeoDataFrame
    said: tuple[str, ...] = ()


def notes_frame(notes: Iterable[Note], system: Any) -> gpd.GeoDataFrame:
    """Notes as a frame of points in order of reach and chainage."""
    rows = sorted(notes, key=lambda n: (n.reach or "", n.bank or "", n.from_m, n.code))
    table = pd.DataFrame([[getattr(n, c) for c in NOTE_COLUMNS] for n in rows], columns=list(NOTE_COLUMNS))
    table[["from_m", "to_m"]] = table[["from_m", "to_m"]].astype(float).round(2)
    places = [n.place if n.place is not None else shapely.Point() for n in rows]
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(places, crs=system), crs=system)
