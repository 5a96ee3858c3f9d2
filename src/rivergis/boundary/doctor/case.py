"""What the line doctor is given and what it finds: one case of frames in metres, its limits, and defects.

The case keeps what the files say as they say it; nothing is corrected here. Codes are those of docs/boundary_check.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import geopandas as gpd
import shapely

LINE_COLUMNS = (
    "line_id",
    "reach_id",
    "bank",
    "county",
    "line_type",
    "basis",
    "announce_gov",
    "announce_doc_no",
    "announce_date",
    "from_m",
    "to_m",
    "drawn_by",
    "rule_m",
    "file",
    "row",
)
REACH_COLUMNS = ("reach_id", "down_reach", "kind", "width_m", "levee_grade", "length_m", "map_border")
LEVEE_COLUMNS = ("levee_id", "reach_id", "bank", "grade")
STAKE_COLUMNS = ("stake_no", "reach_id", "bank")
BLOCKS, ADVISES = "blocks", "advises"


@dataclass(frozen=True)
class Limits:
    """Tolerances and lists that a line is judged by (判定界值); metres unless the name says otherwise.

    ``berm_m``: levee grade -> metres outside the toe; ``bank_offset_m``: (width not exceeded, least and most metres
    outside the bank), ascending. None of either: that rule is not judged. ``severity``: code -> blocks or advises;
    ``consequences``: code -> codes that are no defects of their own where they lie with it.
    """

    rule_tolerance_m: float
    shrink_tolerance_m: float
    stake_tolerance_m: float
    seam_tolerance_m: float
    snap_m: float
    stake_max_spacing_m: float
    reach_end_m: float
    levee_end_m: float
    sliver_max_width_m: float
    step_min_m: float
    spike_max_angle_deg: float
    spike_min_m: float
    loop_min_m: float
    outlier_min_m: float
    duplicate_vertex_m: float
    dangle_max_m: float
    water_tolerance_m: float
    min_stretch_m: float
    date_formats: tuple[str, ...]
    first_date: date
    today: date
    line_type: tuple[str, ...]
    basis: tuple[str, ...]
    rule_basis: tuple[str, ...]
    bank: tuple[str, ...]
    severity: Mapping[str, str]
    consequences: Mapping[str, tuple[str, ...]]
    berm_m: Mapping[str, float] | None = None
    bank_offset_m: tuple[tuple[float, float, float], ...] | None = None


@dataclass(frozen=True)
class NotChecked:
    """A question that was not asked, and why; ``codes`` are those it would have answered."""

    codes: tuple[str, ...]
    sentence: str
    zh: str


@dataclass(frozen=True)
class Case:
    """Everything a check of boundary lines looks at; every frame in the same metric system, None where no file was given.

    ``lines``: LineStrings with ``LINE_COLUMNS`` (None or NaN where nothing is said), the index 0.., and ``given`` /
    ``given_crs``: the shape and system as the file has them. Vertices may be far away or not finite. ``drawn_by``: what a
    draft drew a line by, before ``basis``; ``rule_m``: the metres of the rule that a line carries itself.
    ``areas``: Polygons (or LineStrings that should have been) with area_id, reach_id, county. ``reaches``: centre lines
    digitised downstream with ``REACH_COLUMNS``. ``levees``: outer toes with ``LEVEE_COLUMNS``. ``water``: Polygons with
    reach_id. ``former``: lines with reach_id, bank. ``stakes``: Points with ``STAKE_COLUMNS``. ``counties``: Polygons
    with county, name. ``present``: columns that the files of lines have at all.
    """

    reaches: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    limits: Limits
    areas: gpd.GeoDataFrame | None = None
    levees: gpd.GeoDataFrame | None = None
    water: gpd.GeoDataFrame | None = None
    former: gpd.GeoDataFrame | None = None
    stakes: gpd.GeoDataFrame | None = None
    counties: gpd.GeoDataFrame | None = None
    present: frozenset[str] = frozenset(LINE_COLUMNS)
    not_checked: tuple[NotChecked, ...] = ()


@dataclass(frozen=True)
class Defect:
    """One defect of one place: what is wrong, where, how much, and what else is only its consequence.

    ``reach``: id of the reach it lies at; ``bank`` as the file says it; ``from_m``, ``to_m``: chainage from the first
    vertex of the reach (NaN where there is none); ``place`` in the metric system of the case; ``features``: line_id,
    area_id or stake_no; ``side``: left or right as the geometry says, for proposals.
    """

    code: str
    severity: str
    reach: str | None
    bank: str | None
    from_m: float
    to_m: float
    place: shapely.Point
    features: tuple[str, ...]
    measure: float | None
    unit: str
    sentence: str
    zh: str
    side: str | None = None
    layer: str = "lines"
    consequences: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
