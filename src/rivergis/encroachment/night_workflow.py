"""All that a night reads beside its candidates: ground inside the lines, permits, scenes, and what lies around."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import PurePath
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs, geometry
from rivergis.encroachment import night_store
from rivergis.encroachment.ground_workflow import Ground, ground
from rivergis.encroachment.overlay import Limits, limits_of
from rivergis.encroachment.permits import Permits, permits_on
from rivergis.encroachment.surroundings_workflow import Surroundings, surroundings
from rivergis.river.register import Register, Spot
from rivergis.rules import RuleView

# what a verdict on one object rests on beside its own rules; identity over nights has keys of its own
KEYS = (
    "encroach.width_tolerance",
    "encroach.min_overlap_area",
    "encroach.touch",
    "encroach.snap",
    "encroach.doubt_around",
    "encroach.nights.min_observed_share",
)


@dataclass(frozen=True)
class Night:
    """All that a night reads, in metres of the zone of its ground."""

    on: date
    known_at: datetime
    ground: Ground
    permits: Permits
    scenes: gpd.GeoDataFrame
    register: Register
    view: RuleView
    limits: Limits
    surroundings: Surroundings

    @cached_property
    def scene_of(self) -> dict[str, Any]:
        """Scenes by code."""
        return {str(s.code): s for s in self.scenes.itertuples()}

    @cached_property
    def rule_rows(self) -> list[dict[str, Any]]:
        """The rule rows that every judgement of the night rests on."""
        return [self.view.value(key).as_dict() for key in KEYS]

    @property
    def areas(self) -> gpd.GeoDataFrame:
        return self.ground.areas


def read(
    conn: Connection, view: RuleView, register: Register, on: date, known_at: datetime, *, keep: bool = True
) -> Night | None:
    """All that a night reads beside its candidates; None where no management line is in force."""
    snap_m, doubt_m = view.number("encroach.snap"), view.number("encroach.doubt_around")
    inside = ground(conn, on, known_at, snap_m=snap_m, doubt_m=doubt_m, keep=keep)
    if inside is None:
        return None
    permits = night_store.permits(conn, on, known_at).to_crs(inside.crs)
    for column in ("from_m", "to_m"):
        permits[column] = pd.to_numeric(permits[column], errors="coerce").astype(float)
    # an outline drawn beside a position in words is no permitted ground
    worded = (permits["position_kind"] != "polygon").to_numpy()
    permits = permits.set_geometry(gpd.GeoSeries(np.where(worded, None, permits.geometry), crs=inside.crs))
    scenes = night_store.imagery(conn, on, known_at)
    around = surroundings(conn, view, register, on, known_at, inside.crs)
    return Night(on, known_at, inside, permits_on(permits, on), scenes, register, view, limits_of(view.number), around)


def rounded(value: Any, digits: int = 1) -> float | None:
    """A figure for a record; None where it is not known."""
    return None if value is None or np.isnan(value) else round(float(value), digits)


def where(spot: Spot) -> dict[str, Any]:
    """A place in the words that records keep."""
    kept = ("river", "river_code", "bank", "at_m", "chainage", "village", "town", "county", "chiefs")
    return {k: v for k, v in spot.as_dict().items() if k in kept}


def scene_code(name: str | None) -> str | None:
    """Code of the scene that a delivery names by its file."""
    return PurePath(name).stem if name else None


def observed(shape: Any, zone: Any, unobserved: shapely.Geometry) -> float:
    """Share of a shape (metres) outside an unobserved area (degrees)."""
    hidden = gpd.GeoSeries([unobserved], crs=crs.STORAGE).to_crs(zone).iloc[0]
    if shape.area == 0:
        return 0.0 if shape.intersects(hidden) else 1.0
    return 1.0 - float(geometry.polygons_of(shape).intersection(hidden).area / shape.area)
