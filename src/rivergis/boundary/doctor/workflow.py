"""The line doctor on the database: a draft, or what is in force, judged along the axes of its rivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from sqlalchemy import Connection

from rivergis import crs
from rivergis.boundary import store
from rivergis.boundary.doctor import case as doctor_case
from rivergis.boundary.doctor import examine as doctor
from rivergis.boundary.doctor import files as doctor_files
from rivergis.boundary.doctor import limits as doctor_limits
from rivergis.boundary.doctor.case import Case, Defect
from rivergis.boundary.law import draft_store, draft_workflow
from rivergis.boundary.stake import store as stake_store
from rivergis.db.connect import now_of
from rivergis.errors import InputError
from rivergis.river import store as river_store
from rivergis.rules import NATIONAL, RuleBook, RuleView, path_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
KNOWN = frozenset({"line_id", "reach_id", "bank", "line_type", "basis", "from_m", "to_m"})
"""What every line in the database says; its announcement stands with its act, and the database keeps it whole."""


def examine_draft(conn: Connection, draft_id: str, book: RuleBook) -> list[Defect]:
    """Defects of a draft as it stands, by the rules of its county on today's civil day; reads only. ``NotFound`` without it."""
    draft = draft_workflow.get(conn, str(draft_id))
    adcode = draft.get("adcode")
    view = book.at(path_of(str(adcode)) if adcode else (NATIONAL,), now_of(conn).astimezone(SHANGHAI).date())
    case = case_of_draft(conn, str(draft_id), view, None)
    return doctor.examine(case) if case is not None else []


def case_of_draft(conn: Connection, draft_code: str, view: RuleView, params: Path | None) -> Case | None:
    """A draft with the axes, water, levees and stakes of its rivers, and the announced lines as the former version.

    None for a draft without a line. The announcement is not asked of a draft.
    """
    draft = draft_workflow.get(conn, draft_code)
    lines = draft_workflow.segments(conn, draft)
    if lines.empty:
        return None
    lines = lines.assign(line_type=draft["line_type"], line_id=_named(lines["code"], lines["segment_id"]))
    lines["rule_m"] = [_rule_m(a) for a in lines["attributes"]]
    known = now_of(conn)
    former = draft_store.law_segments(conn, list(lines["river_id"].unique()), draft["line_type"], view.on, known)
    return _case(conn, view, lines, params, former=former if len(former) else None)


def case_in_force(conn: Connection, view: RuleView, rivers: Sequence[str], params: Path | None) -> Case | None:
    """All boundary lines in force (of ``rivers`` by code, or of every river that has one); None where there are none."""
    known = now_of(conn)
    lines = store.lines(conn, view.on, known)
    areas = store.areas(conn, view.on, known)
    if rivers:
        lines, areas = (f[f["river_code"].isin(rivers)] for f in (lines, areas))
    if lines.empty:
        return None
    lines = lines.assign(line_id=_named(lines["code"], lines["id"]), rule_m=np.nan)
    return _case(conn, view, lines, params, areas=areas[areas["river_id"].isin(lines["river_id"])])


def _named(code: pd.Series, other: pd.Series) -> pd.Series:
    return code.where(code.notna() & (code != ""), other.astype(str))


def _rule_m(attributes: Any) -> float:
    """The metres of the rule that a segment of a draft carries; NaN where it carries none."""
    rule = attributes.get("rule") if isinstance(attributes, Mapping) else None
    value = rule.get("value") if isinstance(rule, Mapping) and rule.get("unit") == "m" else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else float("nan")


def _case(
    conn: Connection,
    view: RuleView,
    lines: gpd.GeoDataFrame,
    params: Path | None,
    *,
    former: gpd.GeoDataFrame | None = None,
    areas: gpd.GeoDataFrame | None = None,
) -> Case:
    known, on = now_of(conn), view.on
    axes = river_store.axes(conn, on, known)
    axes = axes[axes["river_id"].isin(lines["river_id"])]
    if axes.empty:
        raise InputError("The rivers of these lines have no axis: make one with rivergis river axis.")
    lines = lines[lines["river_id"].isin(axes["river_id"])]
    home = crs.local_crs(*crs.centre(axes))
    name = dict(zip(axes["river_id"], axes["river_code"], strict=True))
    limits, told = doctor_limits.limits(view, doctor_files.params(params))
    layers = {"former": former, "areas": areas, **_around(conn, on, known, set(name))}
    frames = {k: _placed(v, home, name, k) for k, v in layers.items()}
    told += [doctor_limits.untold(k) for k, v in frames.items() if v is None]
    reaches = gpd.GeoDataFrame(
        {"reach_id": axes["river_code"].to_numpy(object)}, geometry=list(axes.geometry), crs=axes.crs
    )
    reaches = reaches.to_crs(home).assign(down_reach=None, kind=None, width_m=np.nan, levee_grade=None, length_m=np.nan)
    return Case(
        reaches.assign(map_border=False), _lines(lines, home, name), limits, present=KNOWN, not_checked=tuple(told), **frames
    )  # fmt: skip


def _around(conn: Connection, on: Any, known: datetime, rivers: set[Any]) -> dict[str, gpd.GeoDataFrame | None]:
    """Water, levee toes, standing stakes and counties around the rivers; None where there are none."""
    water = river_store.water_areas(conn, on, known)
    levees = river_store.levees(conn, on, known)
    stakes = stake_store.stakes(conn)
    units = river_store.units(conn, on, known)
    found = {
        "water": water[water["river_id"].isin(rivers) | water["river_id"].isna()],
        "levees": levees[levees["river_id"].isin(rivers) & (levees["line_role"] == "landward_toe")],
        "stakes": stakes[stakes["river_id"].isin(rivers) & (stakes["status"] != "lost")],
        "counties": units[units["level"] == "county"],
    }
    return {k: v if len(v) else None for k, v in found.items()}


_COLUMNS = {
    "former": {"line_id": "code", "bank": "bank"},
    "areas": {"area_id": "code"},
    "water": {},
    "levees": {"levee_id": "code", "bank": "bank", "grade": "grade"},
    "stakes": {"stake_no": "code", "bank": "bank"},
    "counties": {"county": "code", "name": "name"},
}


def _placed(frame: gpd.GeoDataFrame | None, home: CRS, name: Mapping[Any, str], layer: str) -> gpd.GeoDataFrame | None:
    """A frame of the database as the case wants it: its river as reach, its columns under their names, in metres."""
    if frame is None or not len(frame):
        return None
    rows: dict[str, Any] = {k: _column(frame, v) for k, v in _COLUMNS[layer].items()}
    if "river_id" in frame.columns:
        rows["reach_id"] = [name.get(r) for r in frame["river_id"]]
    if layer == "areas":
        rows["county"] = None
    return gpd.GeoDataFrame(
        pd.DataFrame(rows, index=range(len(frame))), geometry=list(frame.geometry), crs=crs.STORAGE
    ).to_crs(home)


def _column(frame: pd.DataFrame, column: str) -> Any:
    if column not in frame.columns:
        return frame["boundary_code"].to_numpy(object)
    return frame[column].astype(object).where(frame[column].notna(), None).to_numpy(object)


def _lines(frame: gpd.GeoDataFrame, home: CRS, name: Mapping[Any, str]) -> gpd.GeoDataFrame:
    n = len(frame)
    empty = np.full(n, None, object)
    rows: dict[str, Any] = dict.fromkeys(doctor_case.LINE_COLUMNS, empty)
    for c in ("line_id", "bank", "line_type", "basis", "drawn_by"):
        if c in frame.columns:
            rows[c] = frame[c].astype(object).where(frame[c].notna(), None).to_numpy(object)
    for c in ("from_m", "to_m", "rule_m"):
        rows[c] = frame[c].to_numpy(float)
    rows["reach_id"] = [name[r] for r in frame["river_id"]]
    rows["file"], rows["row"] = "database", np.arange(n)
    rows["stretch"] = frame["reach_code"].to_numpy(object) if "reach_code" in frame.columns else empty
    given = np.asarray(frame.geometry.values, object)
    rows["given"], rows["given_crs"] = given, crs.STORAGE
    shapes = shapely.transform(given, crs.out_of_storage(home))
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=home)
