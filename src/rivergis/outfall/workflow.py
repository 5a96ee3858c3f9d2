"""The night's questions about outfalls: inside a source zone, or far from any water?"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
from sqlalchemy import Connection

from rivergis import crs
from rivergis.lead import Lead
from rivergis.outfall import check, store
from rivergis.river import store as river_store
from rivergis.river.register import Register, Spot
from rivergis.rules import RuleView
from rivergis.sourcezone import store as zone_store


def leads(conn: Connection, view: RuleView, register: Register, on: date, known_at: datetime) -> list[Lead]:
    """Leads on the outfalls in force on a civil day; reads only."""
    outfalls = store.outfalls(conn, on, known_at)
    if outfalls.empty:
        return []
    zone_crs = crs.metric_crs(*crs.centre(outfalls))
    metric = outfalls.to_crs(zone_crs)
    zones = zone_store.zones(conn, on, known_at)
    spots = register.spots(list(outfalls.geometry), list(outfalls["river_id"]))
    return [*_in_zone(outfalls, metric, zones, spots, view), *_far(conn, outfalls, metric, spots, view, on, known_at)]


def _in_zone(
    outfalls: gpd.GeoDataFrame, metric: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, spots: list[Spot], view: RuleView
) -> list[Lead]:
    out = []
    for hit in check.in_zones(metric, zones.to_crs(metric.crs)).itertuples():
        zone = zones.iloc[hit.zone]
        ban = view.prohibition("source_zone.outfall", zone_class=int(zone["zone_class"]))
        figures = {
            "zone": zone["name"],
            "zone_class": int(zone["zone_class"]),
            "zone_doc_no": zone["doc_no"],
            "depth_m": round(float(hit.depth_m), 1),
        }
        out.append(
            _lead(
                outfalls.iloc[hit.outfall],
                spots[hit.outfall],
                "outfall_in_zone",
                "inside",
                "gazette" if zone["basis"] == "announced" else zone["basis"],
                ban,
                figures,
                {"zone": [str(zone["id"]), int(zone["version"])]},
                [],
            )
        )
    return out


def _far(
    conn: Connection,
    outfalls: gpd.GeoDataFrame,
    metric: gpd.GeoDataFrame,
    spots: list[Spot],
    view: RuleView,
    on: date,
    known_at: datetime,
) -> list[Lead]:
    limit = view.value("outfall.max_snap_to_water")
    reaches = river_store.reaches(conn, on, known_at).to_crs(metric.crs)
    water = river_store.water_areas(conn, on, known_at).to_crs(metric.crs)
    distance = check.distance_to_water_m(metric, reaches, water)
    question = view.prohibition("outfall.position")
    return [
        _lead(
            outfalls.iloc[i],
            spots[i],
            "outfall_position",
            "undecided",
            "register",
            question,
            {"distance_to_water_m": None if np.isinf(d) else round(float(d), 1)},
            {},
            [limit.as_dict()],
        )
        for i, d in enumerate(distance)
        if d > float(limit.value)
    ]


def _lead(
    row: Any,
    spot: Spot,
    topic: str,
    position: str,
    basis: str,
    line: Any,
    figures: dict[str, Any],
    inputs: dict[str, Any],
    rules: list[dict[str, Any]],
) -> Lead:
    where = {
        k: v
        for k, v in spot.as_dict().items()
        if k in ("river", "river_code", "bank", "at_m", "chainage", "village", "town", "county", "chiefs")
    }
    return Lead(
        topic=topic,
        key=str(row["id"]),
        kind="outfall",
        class_code=line.code,
        place=row["geom"],
        geom=row["geom"],
        position=position,
        basis=basis,
        clause=line.clause,
        competent_authority=line.competent_authority,
        our_action=line.our_action,
        figures={
            "name": row["name"],
            "code": row["code"],
            "class_1": row["class_1"],
            "approval_kind": row["approval_kind"],
            **figures,
            **where,
        },
        rules=rules,
        inputs={"outfall": [str(row["id"]), int(row["version"])], **inputs},
        sources=[{"outfall": str(row["id"]), "version": int(row["version"]), "code": row["code"]}],
        district=spot.village_code or "",
    )
