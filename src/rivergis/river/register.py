"""Responsibility register: which river, bank and chainage a place is at, in which village, and who answers for it.

Register ids B5 and A10: every metre of every water body resolves to its chiefs, dated. Frames come in as the
stores give them (EPSG:4490), so that the same answer can be had without a database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.river.chainage import Axis


@dataclass(frozen=True)
class Spot:
    """A place in the words of the river manager; missing knowledge is None, never a guess."""

    river_id: str | None = None
    river_code: str | None = None
    river: str | None = None
    at_m: float | None = None
    chainage: str | None = None
    bank: str | None = None
    offset_m: float | None = None
    village: str | None = None
    village_code: str | None = None
    town: str | None = None
    county: str | None = None
    county_code: str | None = None
    chiefs: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Register:
    """Axes, administrative units and duties of one day, ready to be asked about places."""

    def __init__(self, axes: gpd.GeoDataFrame, units: gpd.GeoDataFrame, duties: pd.DataFrame) -> None:
        self.axes, self.units, self.duties = axes.reset_index(drop=True), units.reset_index(drop=True), duties

    @cached_property
    def _measuring(self) -> list[Axis]:
        return [Axis(line, origin) for line, origin in zip(self.axes.geometry, self.axes["origin_m"], strict=True)]

    @cached_property
    def _metric_axes(self) -> gpd.GeoSeries:
        return crs.to_metric(self.axes.geometry)

    @cached_property
    def _axis_tree(self) -> shapely.STRtree:
        return shapely.STRtree(self._metric_axes.values)

    @cached_property
    def _duties_of(self) -> dict[str, list[Any]]:
        """Duties by river, in their order."""
        out: dict[str, list[Any]] = {}
        for row in self.duties.itertuples():
            out.setdefault(str(row.river_id), []).append(row)
        return out

    @cached_property
    def _axis_of(self) -> dict[str, int]:
        return {str(r): i for i, r in enumerate(self.axes["river_id"])}

    @cached_property
    def _unit_rows(self) -> list[tuple[str, str, str]]:
        return list(zip(self.units["level"], self.units["name"], self.units["code"], strict=True))

    @cached_property
    def _unit_tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.units.geometry.values)

    def spots(self, points: Sequence[shapely.Point], river_ids: Sequence[Any] | None = None) -> list[Spot]:
        """One ``Spot`` for each point (degrees); ``river_ids`` names the river where it is known, else the nearest."""
        nearest = self._nearest_axes(points, river_ids)
        return [self._spot(p, None if a < 0 else a) for p, a in zip(points, nearest, strict=True)]

    def along(self, shape: shapely.Geometry, river_id: str | None) -> tuple[float, float, frozenset[str]] | None:
        """From which chainage to which, and on which banks, a thing (degrees) stands at a river; None where it has no axis."""
        axis = self._axis_of.get(str(river_id))
        if axis is None or shape.is_empty:
            return None
        places = self._measuring[axis].locate(shapely.points(shapely.get_coordinates(shape)))
        at = [p.at_m for p in places]
        return min(at), max(at), frozenset(p.bank for p in places if p.sided)

    def names(self, level: str) -> list[str]:
        """Names of the units of a level."""
        return [] if self.units.empty else list(self.units.loc[self.units["level"] == level, "name"])

    def _nearest_axes(self, points: Sequence[shapely.Point], river_ids: Sequence[Any] | None) -> np.ndarray:
        if self.axes.empty or not len(points):
            return np.full(len(points), -1)
        metric = gpd.GeoSeries(list(points), crs=crs.STORAGE).to_crs(self._metric_axes.crs)
        chosen = np.asarray(self._axis_tree.nearest(metric.values))
        if river_ids is not None:
            chosen = np.array([self._axis_of.get(str(r), c) for r, c in zip(river_ids, chosen, strict=True)])
        return chosen

    def _spot(self, point: shapely.Point, axis: int | None) -> Spot:
        known = self._units_of(point)
        units: dict[str, Any] = {k: known.get(k) for k in ("village", "village_code", "town", "county", "county_code")}
        if axis is None:
            return Spot(**units)
        place = self._measuring[axis].locate([point])[0]
        row = self.axes.iloc[axis]
        return Spot(
            river_id=str(row["river_id"]),
            river_code=row["river_code"],
            river=row["river"],
            at_m=round(place.at_m, 1),
            chainage=place.label,
            bank=place.bank,
            offset_m=round(place.offset_m, 1),
            chiefs=self.chiefs(row["river_id"], place.at_m, place.bank),
            **units,
        )

    def _units_of(self, point: shapely.Point) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if len(self.units):
            for i in self._unit_tree.query(point, predicate="intersects"):
                level, name, code = self._unit_rows[i]
                found[level], found[level + "_code"] = name, code
        return found

    def districts(self, points: Sequence[shapely.Point]) -> list[str]:
        """District (县级行政区) of each point (degrees): adcode of its county, ``none`` where no county is known there."""
        found = (self._units_of(p) for p in points)
        codes = ("county_code", "town_code", "village_code")
        return [next((str(u[c])[:6] for c in codes if u.get(c)), "none") for u in found]

    def chiefs(self, river_id: Any, at_m: float, bank: str) -> list[dict[str, Any]]:
        """Who answers for a metre of a bank on the day, highest level first: level, chief, title, chief_id."""
        order = {"province": 0, "city": 1, "county": 2, "town": 3, "village": 4}
        rows = [
            {"level": r.level, "chief": r.chief, "title": r.title, "chief_id": str(r.chief_id)}
            for r in self._duties_of.get(str(river_id), [])
            if r.from_m <= at_m < r.to_m and r.bank in ("both", bank)
        ]
        return sorted(rows, key=lambda r: (order.get(r["level"], 9), r["chief"]))
