"""How complete and how good are the results of delimitation (划界成果质量), river by river? Pure counting, nothing filled in.

Register ids B7 (who of the small basins is listed, who has a line, who is missing), C2. Frames in EPSG:4490.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from rivergis import crs

WANTED = ("river_code", "bank", "from_m", "to_m", "line_type", "basis", "survey_scale", "xy_error_m")
"""What every line says of itself."""
PROOF = ("announce_gov", "announce_doc_no", "announced_on")
"""What an announced line says besides."""
SEAMS = ("seam_gap", "seam_overlap", "seam_offset")
COMPLETE, PARTLY, DRAFT, MISSING = "complete", "partly", "draft_only", "missing"
RIVER_COLUMNS = (
    "river_code", "river", "kind", "length_m", "basin_km2", "basin_class", "listed", "lines", "line_km", "announced_share", "left_share",
    "right_share", "state", "missing_attributes", "survey_scale", "xy_error_m", "acts", "stakes", "blocks", "advises", "seams",
)  # fmt: skip


@dataclass(frozen=True)
class Quality:
    """``rivers``: one row a river (``RIVER_COLUMNS``); ``attributes``, ``defects``, ``surveys``, ``acts``: tables of the report."""

    rivers: pd.DataFrame
    attributes: pd.DataFrame
    defects: pd.DataFrame
    surveys: pd.DataFrame
    acts: pd.DataFrame


def assess(
    rivers: pd.DataFrame,
    lines: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    stakes: pd.DataFrame,
    defects: pd.DataFrame | None,
    *,
    enough: float,
) -> Quality:
    """``rivers``: river_code, river, kind, length_m, basin_km2, basin_class, listed, from_m, to_m (ends of the axis), any of them
    unknown. ``lines``: management lines with the columns of a delivery; ``defects``: what the line doctor found (code, severity,
    reach_id, bank, features, sentence) or None where nobody asked it; ``enough``: share of a bank that counts as whole (rivers end in
    confluences and reservoirs, where lines stop a little short)."""
    lines = lines.assign(km=crs.length_m(lines.geometry.values) / 1000 if len(lines) else np.zeros(0))
    lines = lines.assign(river_code=_column(lines, "river_code"))
    known = _with_unlisted(rivers, lines)
    found = None if defects is None else _placed(defects, lines)
    rows = [_river(row, lines, stakes, found, enough) for row in known.to_dict("records")]
    table = pd.DataFrame(rows, columns=list(RIVER_COLUMNS)).astype(object)
    table = table.where(table.notna(), None)
    return Quality(table, _attributes(lines), _defects(found), _surveys(lines), _acts(lines, areas, stakes))


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name] if name in frame else pd.Series(None, index=frame.index, dtype=object)


def _with_unlisted(rivers: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """The rivers of the list, and those that only the lines name: these are not listed."""
    named = lines.drop_duplicates("river_code")
    extra = named[~named["river_code"].isin(rivers["river_code"])]
    more = pd.DataFrame({"river_code": extra["river_code"], "river": _column(extra, "river")})
    if len(rivers) and rivers["listed"].notna().any():
        more["listed"] = False
    return pd.concat([rivers, more], ignore_index=True) if len(more) else rivers


def _river(
    row: Mapping[str, Any], lines: gpd.GeoDataFrame, stakes: pd.DataFrame, defects: pd.DataFrame | None, enough: float
) -> dict[str, Any]:
    own = (
        lines[lines["river_code"] == row["river_code"]]
        if row["river_code"] is not None
        else lines[lines["river_code"].isna()]
    )
    announced = own[own["basis"] == "announced"]
    shares = {b: share(own[_column(own, "bank") == b], row) for b in ("left", "right")}
    found = defects[defects["river_code"] == row["river_code"]] if defects is not None else None
    return {
        **{c: row.get(c) for c in ("river_code", "river", "kind", "length_m", "basin_km2", "basin_class", "listed")},
        "lines": len(own), "line_km": float(own["km"].sum()),
        "announced_share": float(announced["km"].sum() / own["km"].sum()) if len(own) and own["km"].sum() else None,
        "left_share": shares["left"], "right_share": shares["right"], "state": state(own, shares, enough),
        "missing_attributes": int(sum(_lacking(own).values())), "survey_scale": _most(own, "survey_scale"),
        "xy_error_m": _most(own, "xy_error_m"), "acts": int(_column(own, "version_code").nunique()),
        "stakes": int((_column(stakes, "river_code") == row["river_code"]).sum()),
        "blocks": None if found is None else int((found["severity"] == "blocks").sum()),
        "advises": None if found is None else int((found["severity"] != "blocks").sum()),
        "seams": None if found is None else int(found["code"].isin(SEAMS).sum()),
    }  # fmt: skip


def share(own: pd.DataFrame, river: Mapping[str, Any]) -> float | None:
    """Share of a river's chainage along which a bank has a line; None where the chainages of river or lines are not known."""
    begin, end = river.get("from_m"), river.get("to_m")
    if own.empty:
        return 0.0
    if begin is None or end is None or pd.isna(begin) or pd.isna(end) or end <= begin:
        return None
    starts, ends = (pd.to_numeric(_column(own, c), errors="coerce") for c in ("from_m", "to_m"))
    if starts.isna().any() or ends.isna().any():
        return None
    return covered(list(zip(starts, ends, strict=True)), float(begin), float(end)) / float(end - begin)


def covered(stretches: Sequence[tuple[float, float]], begin: float, end: float) -> float:
    """Metres of [begin, end) that at least one stretch covers."""
    metres, reached = 0.0, begin
    for a, b in sorted((max(min(s), begin), min(max(s), end)) for s in stretches):
        metres += max(0.0, b - max(a, reached))
        reached = max(reached, b)
    return metres


def state(own: pd.DataFrame, shares: Mapping[str, float | None], enough: float) -> str:
    """Whether a river has its line: complete on both banks, partly, drafts only, or missing."""
    if own.empty:
        return MISSING
    if not (own["basis"] == "announced").any():
        return DRAFT
    banks = set(_column(own, "bank").dropna())
    known = [s for s in shares.values() if s is not None]
    whole = {"left", "right"} <= banks and all(s >= enough for s in known) and (own["basis"] == "announced").all()
    return COMPLETE if whole else PARTLY


def _lacking(lines: pd.DataFrame) -> dict[str, int]:
    """How many lines do not say each thing that they should."""
    out = {c: int(_column(lines, c).isna().sum()) for c in WANTED}
    announced = lines[lines["basis"] == "announced"]
    return {**out, **{c: int(_column(announced, c).isna().sum()) for c in PROOF}}


def _attributes(lines: pd.DataFrame) -> pd.DataFrame:
    rows = []
    announced = lines[lines["basis"] == "announced"]
    for column, count in _lacking(lines).items():
        of = announced if column in PROOF else lines
        lacking = of[_column(of, column).isna()]
        some = [str(c) for c in _column(lacking, "code").head(5)]
        rows.append((column, len(of), count, count / len(of) if len(of) else None, "、".join(some)))
    return pd.DataFrame(rows, columns=["attribute", "lines", "missing", "share", "examples"])


def _most(frame: pd.DataFrame, column: str) -> float | None:
    """The weakest of what the lines say: smallest scale (largest denominator), largest error."""
    worst = pd.to_numeric(_column(frame, column), errors="coerce").max()
    return None if pd.isna(worst) else float(worst)


def _placed(defects: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Defects with the river they are on: that of the first line they name, else of their reach."""
    by_code = _river_by(lines, "code")
    by_reach = _river_by(lines, "reach_code")
    out = []
    for row in defects.to_dict("records"):
        named = next((by_code[str(f)] for f in row.get("features") or () if str(f) in by_code), None)
        out.append(named or by_reach.get(str(row.get("reach_id"))))
    return defects.assign(river_code=pd.Series(out, index=defects.index, dtype=object))


def _river_by(lines: pd.DataFrame, column: str) -> dict[str, Any]:
    there = lines[_column(lines, column).notna()]
    return {str(c): r for c, r in zip(_column(there, column), there["river_code"], strict=True)}


def _defects(found: pd.DataFrame | None) -> pd.DataFrame:
    columns = ["code", "severity", "count", "rivers", "example"]
    if found is None or found.empty:
        return pd.DataFrame(columns=columns)
    rows = [
        (
            code, group["severity"].iloc[0], len(group), "、".join(str(r) for r in group["river_code"].dropna().unique()[:8]),
            str(_column(group, "sentence").iloc[0] or ""),
        )
        for code, group in found.groupby("code")
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).sort_values(
        ["severity", "count", "code"], ascending=[False, False, True]
    )


def _surveys(lines: pd.DataFrame) -> pd.DataFrame:
    """Kilometres of line by scale of survey and position error."""
    keys = pd.DataFrame({c: pd.to_numeric(_column(lines, c), errors="coerce") for c in ("survey_scale", "xy_error_m")})
    grouped = lines[["km"]].join(keys).groupby(["survey_scale", "xy_error_m"], dropna=False)["km"]
    return grouped.agg(lines="count", km="sum").reset_index()


def _acts(lines: pd.DataFrame, areas: gpd.GeoDataFrame, stakes: pd.DataFrame) -> pd.DataFrame:
    """Delimitations with what belongs to them."""
    keys = [c for c in ("version_code", "river_code", "river", "standing", "basis", *PROOF) if c in lines]
    if "version_code" not in lines or lines["version_code"].isna().all():
        return pd.DataFrame(columns=["version_code"])
    told = (
        lines.groupby("version_code")[keys[1:]]
        .first()
        .join(lines.groupby("version_code")["km"].agg(lines="count", km="sum"))
    )
    if len(areas) and "version_code" in areas:
        km2 = pd.Series(crs.area_m2(areas.geometry.values) / 1e6, index=areas.index)
        told = told.join(km2.groupby(areas["version_code"]).sum().rename("km2"))
    told = told.join(_column(stakes, "version_code").value_counts().rename("stakes")) if len(stakes) else told
    return told.reset_index()


def of_class(table: pd.DataFrame, low_km2: float, high_km2: float) -> pd.DataFrame:
    """Rivers whose basin lies in [low, high) km2 (B7); those whose basin is not known are left out and to be counted beside."""
    basin = pd.to_numeric(table["basin_km2"], errors="coerce")
    return table[(basin >= low_km2) & (basin < high_km2)]
