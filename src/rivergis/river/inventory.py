"""The list of rivers and lakes (江河湖库名录): one row per river, ditch, lake, reservoir and pond, with what is known of it.

Register ids B4, B6 to B8: length, course, units, mouth, basin and its class, grade, boundary line. What is not known stays
empty and is said; nothing is filled in. Frames in EPSG:4490, lengths and areas on the ellipsoid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis.river import grades, sections, standing
from rivergis.river.standing import STANDING

KIND_OF_REACH = {"canal": "ditch", "ditch": "ditch"}
BASES = ("announced", "draft", "computed", "surrogate")
"""What a boundary line may rest on, the weightiest first."""
COLUMNS = (
    "river_id", "code", "name", "kind", "lies_in", "length_m", "side_length_m", "covered_m", "water_area_km2",
    "source_lon", "source_lat", "source_unit", "mouth_lon", "mouth_lat", "mouth_unit", "flows_into_id", "flows_into",
    "flows_into_water", "upstream_area_km2", "area_basis", "basin_class", "lake_class", "grade", "grade_basis", "grade_range",
    "grade_missing", "over_min_length", "small_basin", "line_basis", "line_banks",
)  # fmt: skip


@dataclass(frozen=True)
class Sizes:
    """The rules of the list: class limits in km2, shortest river in scope, the small basins that are listed and delimited."""

    basin_classes: Sequence[float]
    lake_classes: Sequence[float]
    min_length_m: float
    small_basin: tuple[float, float]
    grade_table: Mapping[str, Mapping[int, Any]]


@dataclass(frozen=True)
class Inventory:
    """``rivers``: the list (名录, ``COLUMNS``); ``sections``: its stretches by unit (分段, ``sections.COLUMNS``);
    ``course``: the reaches of the main courses; ``waters``: the lakes, reservoirs and ponds."""

    rivers: pd.DataFrame
    sections: pd.DataFrame
    course: gpd.GeoDataFrame
    waters: gpd.GeoDataFrame
    figures: dict[str, Any] = field(default_factory=dict)


def rivers(
    reaches: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame | None,
    units: gpd.GeoDataFrame | None,
    sizes: Sizes,
    *,
    known: pd.DataFrame | None = None,
    facts: pd.DataFrame | None = None,
    lines: pd.DataFrame | None = None,
) -> Inventory:
    """Which rivers and lakes are there, how long or large, in which units, and who flows into whom? (名录)

    ``reaches``: layer ``reaches`` of a network (LineString); shoreline reaches are no length, but bound the lakes that
    ``areas`` lacks. ``areas``: water surfaces with
    kind and, where known, river_id, code, name. ``units``: code, name, level. ``known``: what a register says: river_id, code,
    name, kind, grade. ``facts``: river_id and any of ``grades.CRITERIA``. ``lines``: boundary lines: river_id, bank, basis
    (None = not known whether there are any).
    """
    course, side = _courses(reaches)
    areas = standing.with_shores(areas, reaches)
    waters = standing.one_each(areas)
    measured = _lengths(course, side).join(_ends(course, units), how="left")
    listed = measured.join(standing.surface_km2(areas, waters), how="outer").join(
        standing.lie_in(waters, units), how="left"
    )
    listed = _said(listed, reaches, waters, known)
    listed = listed.join(_downstream(course, listed, waters), how="left")
    listed = listed.join(_basins(course, facts), how="left")
    listed["basin_class"] = [grades.size_class(a, sizes.basin_classes) for a in listed["upstream_area_km2"]]
    lake = listed["kind"] == "lake"
    listed["lake_class"] = [
        grades.size_class(a, sizes.lake_classes) if is_lake else None
        for a, is_lake in zip(listed["water_area_km2"], lake, strict=True)
    ]
    listed = listed.join(_grades(listed, facts, sizes.grade_table), how="left")
    listed["over_min_length"] = [None if pd.isna(m) else bool(m > sizes.min_length_m) for m in listed["length_m"]]
    listed["small_basin"] = [_small(a, sizes.small_basin) for a in listed["upstream_area_km2"]]
    listed = listed.join(_lines(lines, listed.index), how="left")
    table = _ordered(listed.rename_axis("river_id").reset_index())
    return Inventory(table, _sections(course, waters, units), course, waters, figures(table))


def _small(area: float, limits: tuple[float, float]) -> bool | None:
    return None if pd.isna(area) else bool(limits[0] <= area < limits[1])


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Flowing waters first, longest first; then standing waters, largest first."""
    order = pd.DataFrame(
        {
            "standing": table["kind"].isin(STANDING),
            "length": -table["length_m"].fillna(0),
            "area": -table["water_area_km2"].fillna(0),
            "code": table["code"].astype(str),
        }
    )
    index = order.sort_values(["standing", "length", "area", "code"], kind="stable").index
    out = table.reindex(columns=list(COLUMNS)).loc[index].reset_index(drop=True)
    return out.assign(**{c: _or_none(out[c]) for c in out if not pd.api.types.is_numeric_dtype(out[c])})


def _or_none(column: pd.Series) -> pd.Series:
    return pd.Series([None if pd.isna(v) else v for v in column], index=column.index, dtype=object)


def _courses(reaches: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Main course and side arms. A river that is itself a side channel and does not return has its own main course."""
    flowing = reaches[(reaches["kind"] != "shoreline") & reaches["river_id"].notna()].reset_index(drop=True)
    side = (flowing["channel"] == "side") | (flowing["channel"].isna() & (flowing["kind"] == "braid"))
    side &= (~side).groupby(flowing["river_id"]).transform("any")
    return flowing[~side].reset_index(drop=True), flowing[side].reset_index(drop=True)


def _lengths(course: gpd.GeoDataFrame, side: gpd.GeoDataFrame) -> pd.DataFrame:
    main = course.groupby("river_id")["length_m"].sum()
    arms = side.groupby("river_id")["length_m"].sum()
    covered = course[course["covered"].astype(bool)].groupby("river_id")["length_m"].sum()
    return pd.DataFrame(
        {
            "length_m": main,
            "side_length_m": arms.reindex(main.index, fill_value=0.0),
            "covered_m": covered.reindex(main.index, fill_value=0.0),
        }
    )


def _last(course: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The lowest main reach of each river, by river_id."""
    placed = course[course["to_m"].notna()]
    return placed.loc[placed.groupby("river_id")["to_m"].idxmax()].set_index("river_id")


def _ends(course: gpd.GeoDataFrame, units: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Source and mouth of each river, with the units they lie in."""
    last = _last(course)
    placed = course[course["from_m"].notna()]
    first = placed.loc[placed.groupby("river_id")["from_m"].idxmin()].set_index("river_id").reindex(last.index)
    out = pd.DataFrame(index=last.index)
    asked = None if units is None or units.empty else sections.Units(units)
    for name, frame, at in (("source", first, 0), ("mouth", last, -1)):
        points = shapely.get_point(frame.geometry.to_numpy(), at)
        out[f"{name}_lon"], out[f"{name}_lat"] = shapely.get_x(points), shapely.get_y(points)
        out[f"{name}_unit"] = None if asked is None else asked.at(list(points))
    return out


def _said(
    listed: pd.DataFrame, reaches: gpd.GeoDataFrame, waters: gpd.GeoDataFrame, known: pd.DataFrame | None
) -> pd.DataFrame:
    """Code, name and kind: of the register, else of the water area, else of the reaches. Registered waters without any
    geometry are listed too."""
    flowing = reaches[reaches["kind"] != "shoreline"]
    weight = flowing.assign(kind=flowing["kind"].map(KIND_OF_REACH).fillna("river"))
    kinds = weight.groupby(["river_id", "kind"])["length_m"].sum().reset_index()
    kinds = kinds.sort_values("length_m").drop_duplicates("river_id", keep="last").set_index("river_id")["kind"]
    names = flowing.dropna(subset=["river_name"]).groupby("river_id")["river_name"].first()
    own = waters.set_index("river_id")
    register = (known if known is not None else pd.DataFrame(columns=["river_id"])).set_index("river_id")
    index = listed.index.union(register.index, sort=False)
    out = listed.reindex(index)
    for column, below in (
        ("code", (own["code"], pd.Series(index, index=index))),
        ("name", (own["name"], names)),
        ("kind", (own["kind"], kinds)),
    ):
        out[column] = register[column].reindex(index) if column in register else None
        for series in below:
            out[column] = out[column].where(out[column].notna(), series.reindex(index))
    out["register_grade"] = register["grade"].reindex(index) if "grade" in register else None
    return out


def _downstream(course: gpd.GeoDataFrame, listed: pd.DataFrame, waters: gpd.GeoDataFrame) -> pd.DataFrame:
    """The river each one flows into, and the lake or reservoir its mouth lies in."""
    last = _last(course)
    river_of = course.set_index("reach_id")["river_id"]
    onward = last["next_reach_id"].map(river_of[~river_of.index.duplicated()])
    heads = course[course["from_node"].notna()].sort_values("length_m").drop_duplicates("from_node", keep="last")
    at_node = last["to_node"].map(heads.set_index("from_node")["river_id"])
    onward = onward.where(onward.notna(), at_node.where(at_node != last.index))
    out = pd.DataFrame({"flows_into_id": onward}, index=last.index)
    out["flows_into"] = [None if pd.isna(r) else _called(listed, r) for r in onward]
    out["flows_into_water"] = _in_water(last, waters)
    return out


def _called(listed: pd.DataFrame, river_id: Any) -> str:
    row = listed.loc[river_id]
    return str(row["name"] if pd.notna(row["name"]) else row["code"])


def _in_water(last: gpd.GeoDataFrame, waters: gpd.GeoDataFrame) -> list[str | None]:
    """Name of the standing water at the mouth of each river; a water is not said to flow into itself."""
    out: list[str | None] = [None] * len(last)
    mouths = shapely.get_point(last.geometry.to_numpy(), -1)
    river, water = shapely.STRtree(waters.geometry.to_numpy()).query(mouths, predicate="dwithin", distance=1e-6)
    for r, w in zip(river.tolist(), water.tolist(), strict=True):
        row = waters.iloc[w]
        if row["river_id"] != last.index[r]:
            out[r] = str(
                row["name"] if pd.notna(row["name"]) else row["code"] if pd.notna(row["code"]) else row["river_id"]
            )
    return out


def _basins(course: gpd.GeoDataFrame, facts: pd.DataFrame | None) -> pd.DataFrame:
    """Upstream area at the mouth: of the DEM, else as stated for the river."""
    last = _last(course)
    dem = pd.to_numeric(last["upstream_area_km2"], errors="coerce")
    stated = pd.Series(np.nan, index=last.index)
    if facts is not None and grades.AREA in facts:
        stated = facts.set_index("river_id")[grades.AREA].reindex(last.index).astype(float) * 1e4
    basis = ["dem" if d else "stated" if s else None for d, s in zip(dem.notna(), stated.notna(), strict=True)]
    return pd.DataFrame({"upstream_area_km2": dem.fillna(stated), "area_basis": basis}, index=last.index)


def _grades(listed: pd.DataFrame, facts: pd.DataFrame | None, table: Mapping[str, Mapping[int, Any]]) -> pd.DataFrame:
    """Grade of each river: as registered, else by the rule where the figures decide it, else the range they leave."""
    stated = {} if facts is None else facts.set_index("river_id").to_dict("index")
    rows: list[tuple[str | None, str | None, str | None, str | None]] = []
    for river_id, row in listed.iterrows():
        if row["kind"] != "river":
            rows.append((None, None, None, None))
            continue
        given = {k: v for k, v in stated.get(river_id, {}).items() if k in grades.CRITERIA}
        if pd.notna(row["upstream_area_km2"]):
            given[grades.AREA] = row["upstream_area_km2"] / 1e4
        found = grades.grade_of(given, table)
        registered = str(row["register_grade"]) if pd.notna(row["register_grade"]) else None
        grade = registered if registered is not None else (str(found.grade) if found.grade else None)
        basis = "register" if registered is not None else "rule" if found.grade else None
        rows.append((grade, basis, found.range, ",".join(found.missing) or None))
    return pd.DataFrame(rows, index=listed.index, columns=["grade", "grade_basis", "grade_range", "grade_missing"])


def _lines(lines: pd.DataFrame | None, rivers_: pd.Index) -> pd.DataFrame:
    """The weightiest basis of each river's management line and the banks it stands on; 'none' where there is no line."""
    if lines is None:
        return pd.DataFrame({"line_basis": None, "line_banks": None}, index=rivers_)
    rank = lines["basis"].map({b: i for i, b in enumerate(BASES)})
    best = lines.assign(rank=rank)[rank == rank.groupby(lines["river_id"]).transform("min")]
    grouped = best.groupby("river_id")
    banks = grouped["bank"].agg(lambda b: ",".join(sorted(set(b))))
    basis = grouped["basis"].first()
    return pd.DataFrame({"line_basis": basis.reindex(rivers_, fill_value="none"), "line_banks": banks.reindex(rivers_)})


def _sections(course: gpd.GeoDataFrame, waters: gpd.GeoDataFrame, units: gpd.GeoDataFrame | None) -> pd.DataFrame:
    if units is None or units.empty:
        return pd.DataFrame(columns=list(sections.COLUMNS))
    asked = sections.Units(units)
    frames = [sections.of_courses(course[course["from_m"].notna()], asked), sections.of_waters(waters, asked)]
    filled = [f for f in frames if len(f)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def figures(table: pd.DataFrame) -> dict[str, Any]:
    """What a list holds, in figures."""
    flowing = table[~table["kind"].isin(STANDING)]
    return {
        "rows": len(table),
        "kinds": {str(k): int(n) for k, n in table["kind"].value_counts().items()},
        "length_m": round(float(flowing["length_m"].sum()), 1),
        "over_min_length": int((table["over_min_length"] == True).sum()),  # noqa: E712
        "basin_unknown": int(flowing["upstream_area_km2"].isna().sum()),
        "grade_unknown": int((table["kind"].eq("river") & table["grade"].isna()).sum()),
        "without_line": None if table["line_basis"].isna().all() else int((table["line_basis"] == "none").sum()),
    }


def narrowed(
    inventory: Inventory,
    *,
    min_length_m: float | None = None,
    basin_class: str | None = None,
    unit: str | None = None,
) -> Inventory:
    """The list of the waters that pass all filters: longer than, of a basin class, with any part in a unit (by its code).

    Waters without a known length or basin do not pass a filter that asks for it.
    """
    table = inventory.rivers
    keep = pd.Series(True, index=table.index)
    if min_length_m is not None:
        keep &= table["length_m"].fillna(-1) > min_length_m
    if basin_class is not None:
        keep &= table["basin_class"] == basin_class
    parts = inventory.sections
    if unit is not None:
        touches = (parts["unit_code"] == unit) | parts["with_code"].fillna("").str.split("+").map(lambda c: unit in c)
        keep &= table["river_id"].isin(parts.loc[touches, "river_id"])
    kept = table[keep].reset_index(drop=True)

    def of(frame: Any) -> Any:
        return frame[frame["river_id"].isin(kept["river_id"])].reset_index(drop=True)

    return Inventory(kept, of(parts), of(inventory.course), of(inventory.waters), figures(kept))
