"""Check candidates against boundaries that are files: no database, no ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from rivergis import crs
from rivergis.encroachment.old_overlay import overlay
from rivergis.errors import InputError
from rivergis.intake import vector
from rivergis.rules import RuleView


@dataclass(frozen=True)
class FileCheck:
    """Leads with net area and position to the line, and what is not told with its reason."""

    as_of: str
    leads: list[dict[str, Any]]
    not_leads: list[dict[str, Any]]
    rules: list[dict[str, Any]]


def check_files(
    boundary: Path,
    candidates: Path,
    permits: Path | None,
    view: RuleView,
    as_of: date,
    *,
    layers: dict[str, str | None],
) -> FileCheck:
    """Check candidate polygons or points against boundary polygons, less permits valid on a civil day (both ends inclusive).

    Columns used where present: candidates ``id|code, kind, accuracy_m``; boundaries ``basis, xy_error_m``; permits ``allows,
    valid_from, valid_to``. Lines as boundaries are refused here: they must be made areas first.
    """
    areas = _frame(boundary, layers.get("boundary"))
    if not areas.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        raise InputError(
            f"{boundary.name} holds lines: polygons are needed here; make areas of the lines first.", file=str(boundary)
        )
    things = _frame(candidates, layers.get("candidates"))
    allowed = _valid(_frame(permits, layers.get("permits")), as_of) if permits else areas.iloc[:0]
    zone = crs.metric_crs(*crs.centre(areas))
    areas = areas.assign(basis=areas.get("basis", "draft"), xy_error_m=_number(areas, "xy_error_m")).to_crs(zone)
    things = things.assign(kind=things.get("kind", "unknown"), accuracy_m=_number(things, "accuracy_m")).to_crs(zone)
    allowed = allowed.assign(allows=allowed.get("allows", "")).to_crs(zone)
    results = overlay(
        things,
        areas,
        allowed,
        width_tolerance_m=view.number("encroach.width_tolerance"),
        min_area_m2=view.number("encroach.min_overlap_area"),
    )
    name = next((c for c in ("id", "code") if c in things), None)
    names = list(things[name].astype(str)) if name else [str(i) for i in range(len(things))]
    leads = [
        {
            "candidate": names[r.candidate],
            "kind": things["kind"].iloc[r.candidate],
            "area_m2": None if r.net_m2 is None else round(r.net_m2, 1),
            "area_error_m2": r.error_m2,
            "position": r.position,
            "basis": areas["basis"].iloc[r.area] if r.area is not None else None,
        }
        for r in results
        if r.reason is None
    ]
    return FileCheck(
        str(as_of),
        leads,
        [{"candidate": names[r.candidate], "reason": r.reason} for r in results if r.reason],
        [v.as_dict() for v in view.used],
    )


def _frame(path: Path, layer: str | None) -> gpd.GeoDataFrame:
    frame, name, _ = vector.read_frame(path, source_layer=layer)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(f"{path.name}, layer {name} has no geometry.", file=str(path), layer=name)
    return frame[~(frame.geometry.isna() | frame.geometry.is_empty)].reset_index(drop=True)


def _number(frame: pd.DataFrame, column: str) -> pd.Series:
    return (
        pd.to_numeric(frame[column], errors="coerce") if column in frame else pd.Series(float("nan"), index=frame.index)
    )


def _valid(permits: gpd.GeoDataFrame, on: date) -> gpd.GeoDataFrame:
    """Permits in force on a civil day; an open end is open."""
    first = (
        pd.to_datetime(permits["valid_from"], errors="coerce")
        if "valid_from" in permits
        else pd.Series(pd.NaT, index=permits.index)
    )
    last = (
        pd.to_datetime(permits["valid_to"], errors="coerce")
        if "valid_to" in permits
        else pd.Series(pd.NaT, index=permits.index)
    )
    day = pd.Timestamp(on)
    return permits[(first.isna() | (first <= day)) & (last.isna() | (day <= last))].reset_index(drop=True)
