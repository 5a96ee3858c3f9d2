"""What lies around the objects of a night: water, levees, source zones and shoreline function zones, ready to be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import Connection

from rivergis import crs, geometry
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
    water_known: Callable[[str | None], bool]
    levees: Levees
    zones: gpd.GeoDataFrame
    function_zones: dict[str, gpd.GeoDataFrame]
    """By river."""

    def stand(self, net: Any, spot: Spot, rests: Rests) -> Stand:
        """On which ground an object stands; what that rests on is added to ``rests``."""
        hit = sorted(self.tree.query(net, predicate="intersects").tolist())
        channel = shapely.union_all(self.waters[hit]) if hit else None
        if channel is None and self.water_known(spot.river_id):
            channel = shapely.Polygon()  # the river's water is known, and it is elsewhere
        for noun, id_, version in (row for h in hit for row in self.water_rows[h]):
            rests.setdefault(noun, []).append([id_, version])
        stretches, lines = self.levees.of(spot.river_id)
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


@dataclass(frozen=True)
class Around:
    """The registers around all lines in force, EPSG:4490, of which a part of a night takes what is near it."""

    waters: gpd.GeoDataFrame
    banks: gpd.GeoDataFrame
    levees: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    function_zones: gpd.GeoDataFrame
    axes: gpd.GeoDataFrame

    @cached_property
    def _water_known(self) -> dict[str, bool]:
        return {str(r): True for r in self.waters["river_id"] if r is not None}

    def water_known(self, river_id: str | None) -> bool:
        """Whether it is known where the water of a river is."""
        river = str(river_id)
        if river not in self._water_known:
            banks = self.banks[(self.banks["river_id"].astype(str) == river).to_numpy()]
            self._water_known[river] = len(banks) > 1 and channel_of(None, crs.to_metric(banks)) is not None
        return self._water_known[river]

    def near(self, boxes: npt.NDArray[np.float64], zone: Any, view: RuleView) -> Surroundings:
        """What lies around things in boxes (n, 4) of degrees, in metres of a zone."""
        windows = shapely.box(*boxes.T)
        banks = self.banks[self.banks["reach_id"].isin(_met(self.banks, windows)["reach_id"])]
        waters, rows = _waters(_met(self.waters, windows).to_crs(zone), banks.to_crs(zone))
        of_bank = _met(self.function_zones, windows).to_crs(zone)
        return Surroundings(
            waters,
            rows,
            shapely.STRtree(waters),
            self.water_known,
            Levees(self.levees, self.axes, zone, view),
            _met(self.zones, windows).to_crs(zone),
            {str(r): rows for r, rows in of_bank.groupby("river_id")},
        )


def _met(frame: gpd.GeoDataFrame, windows: npt.NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Rows whose box meets windows, in their order."""
    boxes = shapely.box(*shapely.bounds(frame.geometry.to_numpy()).reshape(-1, 4).T)
    return frame.iloc[np.unique(shapely.STRtree(windows).query(boxes)[0])] if len(frame) else frame


class Levees:
    """The ground of levees by river, made when it is asked for; a river without an axis tells no side, so its levees tell no ground."""

    def __init__(self, lines: gpd.GeoDataFrame, axes: gpd.GeoDataFrame, zone: Any, view: RuleView) -> None:
        self._lines, self._axes, self._zone, self._view = lines, axes, zone, view
        self._made: dict[str, tuple[list[LeveeStretch] | None, list[tuple[str, int]]]] = {}

    def of(self, river_id: str | None) -> tuple[list[LeveeStretch] | None, list[tuple[str, int]]]:
        """Stretches of the levees of a river (None: none known), and ids and versions of their lines."""
        key = str(river_id)
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]

    def _make(self, river: str) -> tuple[list[LeveeStretch] | None, list[tuple[str, int]]]:
        mine = self._lines[(self._lines["river_id"].astype(str) == river).to_numpy()]
        axis = self._axes[(self._axes["river_id"].astype(str) == river).to_numpy()]
        if mine.empty or axis.empty:
            return None, []
        whole = shapely.union_all(axis.geometry.to_crs(self._zone).to_numpy())
        made = levee_stretches(mine.to_crs(self._zone), whole, self._view)
        return made, [(str(r.id), int(r.version)) for r in mine.itertuples()]


def around(conn: Connection, register: Register, on: date, known_at: datetime) -> Around:
    """Read the registers around the lines as of a day, as known at a moment."""
    return Around(
        river_store.water_areas(conn, on, known_at),
        river_store.bank_lines(conn, on, known_at),
        river_store.levees(conn, on, known_at),
        zone_store.zones(conn, on, known_at),
        boundary_store.function_zones(conn, on, known_at),
        register.axes,
    )


def _waters(
    areas: gpd.GeoDataFrame, banks: gpd.GeoDataFrame
) -> tuple[npt.NDArray[np.object_], list[list[tuple[str, str, int]]]]:
    grounds = [geometry.polygons_of(g) for g in areas.geometry]
    rows = [[("water_area", str(r.id), int(r.version))] for r in areas.itertuples()]
    for _, lines in banks.groupby("reach_id"):
        between = channel_of(None, lines)
        if between is not None:
            grounds.append(between)
            rows.append([("bank_line", str(r.id), int(r.version)) for r in lines.itertuples()])
    return np.array(grounds, dtype=object), rows
