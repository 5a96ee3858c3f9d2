"""Source zones and outfalls on one map (水源保护区与排污口): each outfall by the highest class of zone it lies in, and how far inside.

Source: 水污染防治法 art. 64 (no outfall inside any drinking-water source zone).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs, words
from rivergis.maps.features import Row
from rivergis.outfall import check

OUTFALL = "zone_outfall"
CLASSES = (1, 2, 3)
_NEAR_DEG = 1e-5


def placed(outfalls: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Outfalls (Point, EPSG:4490) with the zone of the highest class they lie in: zone, zone_class (None outside), doc_no, basis, depth_m."""
    if outfalls.empty or zones.empty:
        return outfalls.assign(zone=None, zone_class=None, doc_no=None, basis=None, depth_m=None)
    # what lies in no zone by a wide margin is not worth a projection: a province has 50,000 outfalls
    area, point = shapely.STRtree(outfalls.geometry.values).query(zones.geometry.values, "dwithin", distance=_NEAR_DEG)
    near, round_ = np.unique(point), zones.iloc[np.unique(area)]
    plane = crs.metric_crs(*crs.centre(outfalls))
    hits = check.in_zones(outfalls.iloc[near].to_crs(plane), round_.to_crs(plane))
    hits = hits.assign(outfall=near[hits["outfall"].to_numpy(dtype=int)]).set_index("outfall")
    own = round_.iloc[hits["zone"].to_numpy(dtype=int)]
    told = pd.DataFrame(
        {
            "zone": own["name"].to_numpy(),
            "zone_class": own["zone_class"].to_numpy(),
            "doc_no": own["doc_no"].to_numpy(),
            "basis": own["basis"].to_numpy(),
            "depth_m": hits["depth_m"].to_numpy(),
        },
        index=hits.index,
        dtype=object,
    )
    told = told.reindex(range(len(outfalls)))
    told = told.where(told.notna(), None)
    return outfalls.assign(**{c: told[c].to_numpy(dtype=object) for c in told})


def inside(outfalls: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """``placed`` outfalls that lie in a zone, the highest class first."""
    return outfalls[outfalls["zone_class"].notna()].sort_values(["zone_class", "code"])


def drawn(
    outfalls: gpd.GeoDataFrame, clause_of: Callable[[int], str], pages: Mapping[str, str] | None = None
) -> gpd.GeoDataFrame:
    """The map layer ``zone_outfall`` of ``inside`` outfalls.

    ``clause_of``: the clause of a class; ``pages``: page of the lead by the code of the outfall.
    """
    records = outfalls.drop(columns=outfalls.geometry.name).to_dict("records")
    return gpd.GeoDataFrame(
        {
            "id": [str(r["id"]) for r in records],
            "cls": [str(int(r["zone_class"])) for r in records],
            "label": [_label(r) for r in records],
            "popup": [_popup(r, clause_of) for r in records],
            "href": [(pages or {}).get(str(r["code"])) for r in records],
        },
        geometry=outfalls.geometry.to_numpy(),
        crs=outfalls.crs,
    )


def _label(r: dict[str, Any]) -> str:
    return f"{r['name'] or r['code']} · {words.say('zone_class.' + str(int(r['zone_class'])))}"


def _popup(r: dict[str, Any], clause_of: Callable[[int], str]) -> list[Row]:
    level = int(r["zone_class"])
    values = {
        "code": r["code"],
        "river": r.get("river"),
        "class": r["class_1"],
        "approval": words.choice("outfall", "approval_kind", r["approval_kind"]),
        "approval_no": r["approval_no"],
        "in_zone": f"{r['zone']} {words.both(f'zone_class.{level}')}",
        "depth_m": f"{float(r['depth_m']):,.1f}",
        "basis": words.both(f"basis.{r['basis']}") if r["basis"] else None,
        "document": r["doc_no"],
        "clause": clause_of(level),
    }
    return [(*words.pair(f"sheet.{k}"), v) for k, v in values.items() if v]
