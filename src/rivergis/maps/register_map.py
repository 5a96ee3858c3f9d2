"""The distribution map of a list of rivers and lakes (分布示意图): one page that asks nothing of any other machine.

Rivers are coloured by basin class, or by grade where no basin is known, or by length where neither is; the title says which.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs, words
from rivergis.layers import LEVELS
from rivergis.maps import atlas, marks
from rivergis.river.inventory import Inventory
from rivergis.river.standing import STANDING

NAMED = 40
"""So many of the longest rivers have their name written on the map; the others are found by pointing or searching."""
MOST_UNITS, MOST_WATERS = 400, 600
FINEST = 6000
"""A course is drawn with bends down to this share of the map's extent."""


def draw(
    inventory: Inventory,
    units: gpd.GeoDataFrame | None,
    *,
    name: str = "",
    stamp: str | None = None,
    assets: str = "inline",
) -> str:
    """HTML of the map: rivers, lakes and units of a list; where a page cannot carry all, the shortest are left out and counted."""
    by = _coloured_by(inventory.rivers)
    whole = {"water_area": _waters(inventory), "listed_river": _rivers(inventory, by)}
    layers: atlas.Layers = {"admin_unit": _units(units, inventory)} if units is not None and len(units) else {}
    layers["water_area"] = whole["water_area"].iloc[:MOST_WATERS]
    layers["listed_river"] = whole["listed_river"].iloc[: marks.MAX_FEATURES - sum(map(len, layers.values()))]
    left = [
        f"{words.say(f'layer.{noun}')} {len(layers[name])}/{len(frame)}"
        for (name, frame), noun in zip(whole.items(), ("water_area", "river"), strict=True)
        if len(layers[name]) < len(frame)
    ]
    notes = [words.say(f"river_register.coloured_by_{by}")]
    notes += [words.say("map.thinned", layers="、".join(left))] if left else []
    zh, en = words.pair("river_register.map_title")
    english = f"{en}, {words.say(f'river_register.coloured_by_{by}', 'en')}"
    title = " · ".join([p for p in (zh, name) if p] + notes)
    return atlas.county_map(layers, title_zh=title, title_en=english, stamp=stamp, assets=assets, focus=_focus(layers))


def _focus(layers: atlas.Layers) -> atlas.Bounds | None:
    """Where the rivers are: units may reach far beyond them."""
    boxes = [f.total_bounds for n, f in layers.items() if n != "admin_unit" and len(f)]
    if not boxes:
        return None
    west, south, east, north = np.array(boxes).T
    pad = 0.03 * max(east.max() - west.min(), north.max() - south.min(), 0.01)
    return float(west.min() - pad), float(south.min() - pad), float(east.max() + pad), float(north.max() + pad)


def _coloured_by(rivers: pd.DataFrame) -> str:
    flowing = rivers[rivers["kind"] == "river"]
    return next(
        (by for by, column in (("basin", "basin_class"), ("grade", "grade")) if flowing[column].notna().any()), "length"
    )


def _class(row: dict[str, Any], by: str) -> str:
    if row["kind"] != "river":
        return "ditch" if row["kind"] == "ditch" else "through"
    if by == "length":
        return "long" if row["over_min_length"] else "short"
    value = row["basin_class"] if by == "basin" else row["grade"]
    return "unknown" if value is None else str(value) if by == "basin" else f"grade_{value}"


def _rivers(inventory: Inventory, by: str) -> gpd.GeoDataFrame:
    """One line per river, longest first."""
    course = inventory.course.sort_values(["river_id", "from_m"])
    parts = course.geometry.groupby(course["river_id"])
    lines = parts.agg(lambda g: shapely.line_merge(shapely.multilinestrings(list(g))))
    rows = inventory.rivers[inventory.rivers["river_id"].isin(lines.index)].reset_index(drop=True)
    shapes = lines.reindex(rows["river_id"]).to_numpy()
    if len(rows):
        west, south, east, north = shapely.total_bounds(shapes)
        shapes = shapely.simplify(shapes, max(east - west, north - south) / FINEST)
    records = rows.to_dict("records")
    named = rows["name"].where((rows.index < NAMED) & ~rows["kind"].isin(STANDING))
    return gpd.GeoDataFrame(
        {
            "id": rows["river_id"],
            "label": [_title(r) for r in records],
            "cls": [_class(r, by) for r in records],
            "text": [None if pd.isna(n) else n for n in named],
            "popup": [_popup(r) for r in records],
        },
        geometry=list(shapes),
        crs=crs.STORAGE,
    )


def _title(r: dict[str, Any]) -> str:
    return str(r["name"] or r["code"])


def _popup(r: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """What the list says of a water, unknown things left out."""
    missing = pd.isna(r["length_m"])
    values = {
        "code": r["code"],
        "kind": words.both(f"choice.kind.{r['kind']}"),
        "length_km": None if missing else round(r["length_m"] / 1000, 3),
        "water_area_km2": None if pd.isna(r["water_area_km2"]) else round(r["water_area_km2"], 4),
        "upstream_area_km2": None if pd.isna(r["upstream_area_km2"]) else round(r["upstream_area_km2"], 2),
        "basin_class": r["basin_class"],
        "lake_class": r["lake_class"],
        "grade": r["grade"],
        "lies_in": r["lies_in"],
        "source_unit": r["source_unit"],
        "mouth_unit": r["mouth_unit"],
        "flows_into": r["flows_into"],
        "flows_into_water": r["flows_into_water"],
        "line_basis": None if r["line_basis"] is None else _line(r["line_basis"]),
    }
    return [(*words.pair(f"river_register.{key}"), value) for key, value in values.items() if value is not None]


def _line(basis: str) -> str:
    return words.both("river_register.no_line" if basis == "none" else f"basis.{basis}")


def _waters(inventory: Inventory) -> gpd.GeoDataFrame:
    """Lakes, reservoirs and ponds, largest first."""
    shapes = inventory.waters.set_index("river_id").geometry
    rows = inventory.rivers[inventory.rivers["kind"].isin(STANDING) & inventory.rivers["river_id"].isin(shapes.index)]
    records = rows.to_dict("records")
    return gpd.GeoDataFrame(
        {
            "id": rows["river_id"].to_numpy(),
            "label": [_title(r) for r in records],
            "text": [r["name"] if r["kind"] != "pond" else None for r in records],
            "popup": [_popup(r) for r in records],
        },
        geometry=shapes.reindex(rows["river_id"]).to_list(),
        crs=crs.STORAGE,
    )


def _units(units: gpd.GeoDataFrame, inventory: Inventory) -> gpd.GeoDataFrame:
    """The units that hold any of the waters, with their names, down to the finest level a map has room for."""
    used = units[units["code"].isin(inventory.sections["unit_code"])]
    levels = [level for level in LEVELS if level in set(used["level"])]
    while len(levels) > 1 and used["level"].isin(levels).sum() > MOST_UNITS:
        levels.pop()
    used = used[used["level"].isin(levels)].iloc[:MOST_UNITS]
    frame = used.assign(
        cls=used["level"],
        label=used["name"],
        text=used["name"].where(used["level"] != levels[0]) if len(levels) > 1 else used["name"],
    )
    return gpd.GeoDataFrame(frame[["cls", "label", "text"]], geometry=used.geometry.to_numpy(), crs=used.crs)
