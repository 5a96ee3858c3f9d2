"""All that a night reads beside its candidates: ground inside the lines, permits, scenes, and what lies around."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import PurePath
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs, geometry
from rivergis.boundary.ground import store as ground_store
from rivergis.encroachment import night_store
from rivergis.encroachment.ground_workflow import Acts, Ground, Made, acts, ground
from rivergis.encroachment.overlay import Limits, limits_of
from rivergis.encroachment.permits import Permits, permits_on
from rivergis.encroachment.surroundings_workflow import Around, Surroundings, around
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
class Registers:
    """All that the verdicts of a night rest on beside candidates and ground, read once; EPSG:4490."""

    on: date
    known_at: datetime
    acts: Acts
    permits: gpd.GeoDataFrame
    scenes: gpd.GeoDataFrame
    register: Register
    around: Around

    @cached_property
    def in_force(self) -> frozenset[str]:
        """All ground in force, as verdicts name it (``reference``)."""
        return frozenset(named(reference(a)) for _, a in self.acts.frame.iterrows())

    @cached_property
    def areas_in_force(self) -> frozenset[str]:
        rows = self.acts.frame
        return frozenset(
            named([str(i), int(v)]) for i, v in zip(rows["area_id"], rows["area_version"], strict=True) if pd.notna(i)
        )


@dataclass(frozen=True)
class Night:
    """All that things of a night are judged by that lie near each other, in metres of the zone of their ground."""

    on: date
    known_at: datetime
    at: tuple[float, float]
    """Degrees of the middle of the zone."""
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
    def to_degrees(self) -> Callable[[Any], Any]:
        """Coordinates of the zone to degrees, for ``shapely.transform``."""
        return crs.into_storage(self.ground.crs)

    @cached_property
    def _hidden(self) -> dict[str, Any]:
        """Ground that each scene shows nothing usable of, metres, where it has some."""
        some = [s for s in self.scenes.itertuples() if s.unobserved is not None]
        metric = gpd.GeoSeries([s.unobserved for s in some], crs=crs.STORAGE).to_crs(self.ground.crs)
        return dict(zip([str(s.code) for s in some], metric, strict=True))

    def observed(self, shape: Any, scene: str) -> float:
        """Share of a shape (metres) that a scene shows, by its code."""
        hidden = self._hidden.get(scene)
        if hidden is None:
            return 1.0
        if shape.area == 0:
            return 0.0 if shape.intersects(hidden) else 1.0
        return 1.0 - float(geometry.polygons_of(shape).intersection(hidden).area / shape.area)

    @cached_property
    def rule_rows(self) -> list[dict[str, Any]]:
        """The rule rows that every judgement of the night rests on."""
        return [self.view.value(key).as_dict() for key in KEYS]

    @property
    def areas(self) -> gpd.GeoDataFrame:
        return self.ground.areas


def registers(conn: Connection, view: RuleView, register: Register, on: date, known_at: datetime) -> Registers:
    """Read all that a night rests on beside its candidates and the ground."""
    snap_m, doubt_m = view.number("encroach.snap"), view.number("encroach.doubt_around")
    return Registers(
        on,
        known_at,
        acts(conn, on, known_at, snap_m=snap_m, doubt_m=doubt_m),
        night_store.permits(conn, on, known_at),
        night_store.imagery(conn, on, known_at),
        register,
        around(conn, register, on, known_at),
    )


def night_at(
    conn: Connection,
    known: Registers,
    view: RuleView,
    at: tuple[float, float],
    boxes: npt.NDArray[np.float64],
    made: Made | None = None,
) -> Night:
    """What things in boxes (n, 4) of degrees are judged by, measured in the zone at ``at`` (degrees); ``made``: ground the cache does not hold."""
    zone = crs.metric_crs(*at)
    wide = _widened(boxes, view.number("encroach.position.look"))
    grounds = ground_store.near(conn, known.acts.grounds, wide)
    if made is not None:
        grounds |= set(made.grounds["id"])
    inside = ground(conn, known.acts.near(grounds), zone, made)
    return Night(
        known.on,
        known.known_at,
        at,
        inside,
        permits_on(_permits_near(known.permits, wide).to_crs(zone), known.on),
        known.scenes,
        known.register,
        view,
        limits_of(view.number),
        known.around.near(wide, zone, view),
    )


def _widened(boxes: npt.NDArray[np.float64], look_m: float) -> npt.NDArray[np.float64]:
    """Boxes of degrees with all that lies within a distance, and some more."""
    dy = np.full(len(boxes), look_m * 2 / 111_000)
    dx = dy / np.cos(np.radians(np.abs(boxes[:, [1, 3]]).max(axis=1)))
    return boxes + np.column_stack([-dx, -dy, dx, dy])


def _permits_near(permits: gpd.GeoDataFrame, boxes: npt.NDArray[np.float64]) -> gpd.GeoDataFrame:
    """Permits with ground in boxes, and all whose place is said in words."""
    # an outline drawn beside a position in words is no permitted ground
    worded = (permits["position_kind"] != "polygon").to_numpy()
    shapes = np.where(worded, None, permits.geometry.to_numpy())
    met = np.zeros(len(permits), bool)
    met[np.unique(shapely.STRtree(shapes).query(shapely.box(*boxes.T))[1])] = True
    frame = permits.set_geometry(gpd.GeoSeries(shapes, crs=permits.crs, index=permits.index))[met | worded].reset_index(
        drop=True
    )
    for column in ("from_m", "to_m"):
        frame[column] = pd.to_numeric(frame[column], errors="coerce").astype(float)
    return frame


def reference(area: pd.Series) -> dict[str, Any]:
    """What a piece of ground is made of: delimitation, area or lines, each with its version."""
    made = {"boundary": [str(area["boundary_id"]), int(area["boundary_version"])]}
    if pd.notna(area["area_id"]):
        return made | {"area": [str(area["area_id"]), int(area["area_version"])]}
    return made | {"lines": [[str(i), int(v)] for i, v in area["lines"]]}


def named(ground: Any) -> str:
    """A reference as one word."""
    return json.dumps(ground, sort_keys=True)


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
