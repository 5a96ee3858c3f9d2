"""Function zones of the database (岸线功能区): the shoreline in force on a day, and the zones on it; reads only."""

from __future__ import annotations

from datetime import date, datetime

import geopandas as gpd
import pandas as pd
from pyproj import CRS
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.boundary import store
from rivergis.boundary.ground import bank_chains
from rivergis.boundary.ground.bank_chains import Reach
from rivergis.boundary.shore import function_zones
from rivergis.boundary.shore.function_zones import Counting, Zone
from rivergis.boundary.shore.zone_files import Ground, Zones, zones_on
from rivergis.errors import NotFound
from rivergis.river import store as river_store
from rivergis.rules import RuleView


def zones(
    conn: Connection,
    view: RuleView,
    known_at: datetime,
    *,
    river: str | None = None,
    line_type: str = "outer",
    counting: Counting | None = None,
    rank: str | None = "important",
) -> Zones:
    """Zones in force on the day of the rules, of one river (code or name) or of all, measured in the zone of their centre.

    Announced lines count before others; without an outer line the management line stands for it, river by river, and that is
    said. ``NotFound`` where there is no line.
    """
    lines, said = _lines(conn, view.on, known_at, river, line_type)
    zone = crs.metric_crs(*crs.centre(lines))
    reaches = _reaches(conn, view.on, known_at, set(lines["river_code"]), zone)
    chains = bank_chains.chains_of(lines.to_crs(zone), reaches, view.number("boundary.topology.min_gap"))
    on = Ground(function_zones.shores_of(chains), reaches, {}, zone, said)
    code_of = dict(zip(lines["river_id"].astype(str), lines["river_code"], strict=True))
    return zones_on(on, _zones(store.function_zones(conn, view.on, known_at), code_of, zone), view, counting, rank)


def _lines(
    conn: Connection, on: date, known_at: datetime, river: str | None, line_type: str
) -> tuple[gpd.GeoDataFrame, list[str]]:
    every = store.lines(conn, on, known_at)
    if river is not None:
        every = every[(every["river_code"] == river) | (every["river"] == river)]
    some, said = [], []
    for code, mine in every.groupby("river_code", sort=True):
        chosen = _best(mine[mine["line_type"] == line_type])
        if chosen.empty and line_type == "outer":
            chosen = _best(mine[mine["line_type"] == "management"])
            if len(chosen):
                said.append(words.both("zone_said.no_outer", file=code))
        some.append(chosen)
    found = pd.concat(some) if some else every
    if found.empty:
        raise NotFound(f"There is no line of type {line_type} in force on {on}{f' of {river}' if river else ''}.")
    return found.assign(line_type=line_type, reach_code=None), said


def _best(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Announced lines where there are any, else all."""
    announced = lines[lines["basis"] == "announced"]
    return announced if len(announced) else lines


def _reaches(conn: Connection, on: date, known_at: datetime, rivers: set[str], zone: CRS) -> list[Reach]:
    frame = river_store.reaches(conn, on, known_at)
    frame = frame[frame["river_code"].isin(rivers)].to_crs(zone)
    return bank_chains.reaches_of(frame.rename(columns={"code": "reach_code"}))


def _zones(frame: gpd.GeoDataFrame, code_of: dict[str, str], zone: CRS) -> list[Zone]:
    shapes = frame.geometry.to_crs(zone)
    return [
        Zone(
            str(z.code),
            z.zone_type,
            str(z.zone_type),
            code_of[str(z.river_id)],
            z.bank,
            float("nan") if z.from_m is None else float(z.from_m),
            float("nan") if z.to_m is None else float(z.to_m),
            None if shape is None or shape.is_empty else shape,
        )
        for z, shape in zip(frame.itertuples(), shapes, strict=True)
        if str(z.river_id) in code_of
    ]
