"""A small river with its boundary, water, areas and stakes, for repairs: two reaches, both banks, offset 20 m from 30 m of water."""

from __future__ import annotations

from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import rules
from rivergis.boundary.doctor import limits as doctor_limits
from rivergis.boundary.doctor.case import LINE_COLUMNS, Case
from rivergis.settings import gis_dir

ZONE, EAST, NORTH = "EPSG:4547", 500_000.0, 3_300_000.0
HALF, OFFSET, LENGTH = 15.0, 20.0, 1_500.0
PARAMS = {
    "bank_offset_m": [[9999, OFFSET]], "basis": ["bank_offset", "road"], "rule_basis": ["bank_offset"], "bank": ["L", "R"], "line_type": ["管理范围线"],
    "date_formats": ["%Y-%m-%d"], "today": "2026-01-01", "rule_tolerance_m": 1.0, "stake_max_spacing_m": 150, "stake_tolerance_m": 0.5,
    "no_rule_check_within_m": {"reach_end": 180, "levee_end": 90},
}  # fmt: skip


def axis(first: int) -> np.ndarray:
    """The bending centre line of reach 0 or 1."""
    x = np.linspace(first * LENGTH, (first + 1) * LENGTH, 101)
    return np.column_stack([EAST + x, NORTH + 60 * np.sin(x / 320)])


def beside(xy: np.ndarray, metres: float) -> np.ndarray:
    """Positions to the left of a line."""
    ahead = np.column_stack([np.ones(len(xy)), 60 / 320 * np.cos((xy[:, 0] - EAST) / 320)])
    ahead /= np.hypot(*ahead.T)[:, None]
    return xy + metres * np.column_stack([-ahead[:, 1], ahead[:, 0]])


def case() -> Case:
    """Nothing is wrong with it."""
    view = rules.load(gis_dir() / "rules").at((rules.NATIONAL,), date(2026, 1, 1))
    limits, _ = doctor_limits.limits(view, PARAMS)
    reaches, lines, areas, water, stakes = [], [], [], [], []
    for k in (0, 1):
        xy, name = axis(k), f"R{k}"
        banks = {"L": beside(xy, HALF + OFFSET), "R": beside(xy, -HALF - OFFSET)}
        reaches.append({"reach_id": name, "down_reach": "R1" if k == 0 else None, "kind": "reach", "width_m": 2 * HALF, "levee_grade": None,
                        "length_m": shapely.LineString(xy).length, "map_border": True, "geometry": shapely.LineString(xy)})  # fmt: skip
        water.append(
            {"reach_id": name, "geometry": shapely.Polygon(np.vstack([beside(xy, HALF), beside(xy, -HALF)[::-1]]))}
        )
        areas.append(
            {
                "area_id": f"P{k}",
                "reach_id": name,
                "county": "A",
                "geometry": shapely.Polygon(np.vstack([banks["L"], xy[-1:], banks["R"][::-1], xy[:1]])),
            }
        )
        for bank, line in banks.items():
            lines.append(
                _line(f"{name}{bank}", name, bank, shapely.LineString(line), 0.0, shapely.LineString(xy).length)
            )
            along = np.arange(40, LENGTH - 40, 100)
            stakes += [
                {
                    "stake_no": f"{name}-{bank}-{n:03d}",
                    "reach_id": name,
                    "bank": bank,
                    "geometry": shapely.LineString(line).interpolate(s),
                }
                for n, s in enumerate(along, 1)
            ]
    return Case(
        reaches=_frame(reaches), lines=_frame(lines), limits=limits, areas=_frame(areas), water=_frame(water), stakes=_frame(stakes),
        former=_frame([{k: v for k, v in x.items() if k in ("line_id", "reach_id", "bank", "geometry")} for x in lines]),
    )  # fmt: skip


def _line(name: str, reach: str, bank: str, shape: Any, from_m: float, to_m: float) -> dict[str, Any]:
    return dict.fromkeys(LINE_COLUMNS) | {
        "line_id": name, "reach_id": reach, "bank": bank, "county": "A", "line_type": "管理范围线", "basis": "bank_offset", "announce_gov": "A县人民政府",
        "announce_doc_no": "A政〔2021〕1号", "announce_date": "2021-05-01", "from_m": round(from_m, 2), "to_m": round(to_m, 2), "file": "a.gpkg", "row": 0,
        "given": shape, "given_crs": ZONE, "geometry": shape,
    }  # fmt: skip


def _frame(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=ZONE)
