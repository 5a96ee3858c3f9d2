"""What lies around the objects of a night: water, levees, source zones and shoreline function zones, ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import Connection

from rivergis import geometry
from rivergis.boundary import store as boundary_store
from rivergis.encroachment.position import FunctionZoneHit, Stand, ZoneHit, function_zones_at, zones_hit
from rivergis.encroachment.standing import LeveeStretch, channel_of, levee_stretches, stand_on
from rivergis.river import store as river_store
from rivergis.river.register import Register, Spot
from rivergis.rules import RuleView
from rivergis.sourcezone import store as zone_store

Rests = dict[str, list[list[Any]]]


@dataclass(frozen=True)
class Surroundings:
    """Registers around the lines in force, in metres of one zone."""

    waters: npt.NDArray[np.object_]
    """Ground of the channel: water areas and the ground between bank lines."""
    water_rows: list[list[tuple[str, str, int]]]
    """By what each is known: noun, id and version."""
    tree: shapely.STRtree
    rivers_with_water: frozenset[str]
    levees: dict[str, tuple[list[LeveeStretch], list[tuple[str, int]]]]
    """By river: the ground of its levees, and the ids and versions of their lines."""
    zones: gpd.GeoDataFrame
    function_zones: dict[str, gpd.GeoDataFrame]
    """By river."""

    def stand(self, net: Any, spot: Spot, rests: Rests) -> Stand:
        """On which ground an object stands; what that rests on is added to ``rests``."""
        hit = sorted(self.tree.query(net, predicate="intersects").tolist())
        channel = shapely.union_all(self.waters[hit]) if hit else None
        if channel is None and str(spot.river_id) in self.rivers_with_water:
            channel = shapely.Polygon()  # the river's water is known, and it is elsewhere
        for noun, id_, version in (row for h in hit for row in self.water_rows[h]):
            rests.setdefault(noun, []).append([id_, version])
        stretches, lines = self.levees.get(str(spot.river_id), (None, []))
        rests.setdefault("levee", []).extend([list(x) for x in lines])
        return stand_on(net, channel, stretches, river_id=spot.river_id, bank=spot.bank)

    def zones_of(self, net: Any, rests: Rests) -> tuple[ZoneHit, ...]:
        """The source zones an object lies in."""
        [hits] = zones_hit([net], self.zones)
        rests.setdefault("source_zone", []).extend([h.id, h.version] for h in hits)
        return hits

    def function_zones_of(self, net: Any, spot: Spot, rests: Rests) -> tuple[FunctionZoneHit, ...]:
        """The shoreline function zones on whose stretch of bank an object stands."""
        zones = self.function_zones.get(str(spot.river_id))
        if zones is None:
            return ()
        hits = function_zones_at(zones, net, river_id=spot.river_id, bank=spot.bank, from_m=spot.at_m, to_m=spot.at_m)
        rests.setdefault("function_zone", []).extend([h.id, h.version] for h in hits)
        return hits


def surroundings(
    conn: Connection, view: RuleView, register: Register, on: date, known_at: datetime, zone: Any
) -> Surroundings:
    """Read the registers around the lines as of a day, and bring them to metres of ``zone``."""
    waters, rows, rivers = _waters(
        river_store.water_areas(conn, on, known_at).to_crs(zone),
        river_store.bank_lines(conn, on, known_at).to_crs(zone),
    )
    of_bank = boundary_store.function_zones(conn, on, known_at).to_crs(zone)
    return Surroundings(
        waters,
        rows,
        shapely.STRtree(waters),
        rivers,
        _levees(river_store.levees(conn, on, known_at).to_crs(zone), register.axes.to_crs(zone), view),
        zone_store.zones(conn, on, known_at).to_crs(zone),
        {str(r): rows for r, rows in of_bank.groupby("river_id")},
    )


def _waters(
    areas: gpd.GeoDataFrame, banks: gpd.GeoDataFrame
) -> tuple[npt.NDArray[np.object_], list[list[tuple[str, str, int]]], frozenset[str]]:
    grounds = [geometry.polygons_of(g) for g in areas.geometry]
    rows = [[("water_area", str(r.id), int(r.version))] for r in areas.itertuples()]
    rivers = {str(r) for r in areas["river_id"] if r is not None}
    for _, lines in banks.groupby("reach_id"):
        between = channel_of(None, lines)
        if between is not None:
            grounds.append(between)
            rows.append([("bank_line", str(r.id), int(r.version)) for r in lines.itertuples()])
            rivers.add(str(lines["river_id"].iloc[0]))
    return np.array(grounds, dtype=object), rows, frozenset(rivers)


def _levees(
    lines: gpd.GeoDataFrame, axes: gpd.GeoDataFrame, view: RuleView
) -> dict[str, tuple[list[LeveeStretch], list[tuple[str, int]]]]:
    """Levees by river; a river without an axis tells no side, so its levees tell no ground."""
    out = {}
    for river, mine in lines.groupby("river_id"):
        axis = axes.geometry[(axes["river_id"] == river).to_numpy()]
        if len(axis):
            made = levee_stretches(mine, shapely.union_all(axis.to_numpy()), view)
            out[str(river)] = (made, [(str(r.id), int(r.version)) for r in mine.itertuples()])
    return out
