"""Upstream, downstream and routes (溯源、下泄、河道路径) on a network file or in the database, with what lies on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs
from rivergis.db.connect import Database
from rivergis.errors import InputError
from rivergis.intake import vector
from rivergis.river import files, network_store
from rivergis.river.network import Network, Route, Spot, things
from rivergis.river.place import cut, place, place_one
from rivergis.rules import RuleView

_THING = ["layer", "id", "name", "reach_id", "at_m", "offset_m", "bank", "bank_certain", "distance_m"]


@dataclass(frozen=True)
class Limits:
    """How far from its channel a thing may lie, and how sure a direction must be for its bank to be told, by the rules."""

    max_offset_m: float
    min_confidence: float

    @classmethod
    def of(cls, view: RuleView) -> Limits:
        return cls(view.number("river.trace.max_offset"), view.number("river.network.min_confidence"))


@dataclass(frozen=True)
class Start:
    """Where a trace or route begins or ends: a position in degrees, or metres below the upstream end of a reach."""

    lonlat: tuple[float, float] | None = None
    reach: str | None = None
    at_m: float = 0.0


@dataclass(frozen=True)
class Traced:
    """A trace as told: ``parts`` (``Network.trace`` with the shape of each part, EPSG:4490) and ``things`` on the way.

    ``start``: where it begins. ``aside``: how many things to stop at lie too far from every channel to be on one.
    ``cycle``: reaches that flow in a circle.
    """

    start: dict[str, Any]
    direction: str
    parts: gpd.GeoDataFrame
    things: pd.DataFrame
    aside: int
    cycle: list[str]

    @property
    def length_m(self) -> float:
        return float((self.parts["to_m"] - self.parts["from_m"]).sum())


@dataclass(frozen=True)
class Routed:
    """A route as told: the parts in order with their shapes, their length, which way it goes and where it turns."""

    parts: gpd.GeoDataFrame
    length_m: float
    way: str
    node: str | None


def _spot(network: Network, reaches: gpd.GeoDataFrame, start: Start, limits: Limits) -> tuple[Spot, dict[str, Any]]:
    """The place on a network, and how it was found."""
    if start.lonlat is not None:
        found = place_one(reaches, *start.lonlat, within_m=limits.max_offset_m, min_confidence=limits.min_confidence)
        return network.spot(str(found["reach_id"]), float(str(found["at_m"]))), found
    spot = network.spot(str(start.reach), start.at_m)
    return spot, {"reach_id": str(start.reach), "at_m": spot.at_m}


def trace_file(
    path: Path,
    start: Start,
    direction: str,
    within_m: float | None,
    limits: Limits,
    *,
    stop_at: Path | None = None,
    source_layer: str | None = None,
) -> Traced:
    """A trace on the layer ``reaches`` of a network file; ``stop_at``: a file of points that it does not go past."""
    reaches = files.read_reaches(path)
    network = Network.of(reaches)
    spot, found = _spot(network, reaches, start, limits)
    stops, aside = (None, 0) if stop_at is None else _placed_file(stop_at, source_layer, reaches, limits)
    rows = network.trace(spot, direction, within_m, stops)
    on = pd.DataFrame(columns=_THING) if stops is None else things(rows, stops, direction)[_THING]
    return Traced(found, direction, cut(_shaped(rows, reaches)), on, aside, rows.attrs["cycle"])


def _shaped(rows: pd.DataFrame, reaches: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows by reach_id with the whole shape of each reach."""
    shapes = reaches.set_index("reach_id").geometry
    return gpd.GeoDataFrame(rows, geometry=shapes.loc[rows["reach_id"]].to_numpy(), crs=reaches.crs)


def _placed_file(
    path: Path, source_layer: str | None, reaches: gpd.GeoDataFrame, limits: Limits
) -> tuple[pd.DataFrame, int]:
    """Features of a file on the reaches, and how many of them are too far from every channel."""
    frame, layer, _ = vector.read_frame(path, source_layer=source_layer)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(f"{path.name}, layer {layer} has no geometry: a trace stops at points on the river.")
    points = frame.geometry.representative_point()
    placed = place(reaches, points, within_m=limits.max_offset_m, min_confidence=limits.min_confidence)
    code = frame["code"] if "code" in frame else pd.Series(frame.index, frame.index)
    placed = placed.assign(layer=layer, id=code, name=frame.get("name"))
    on = placed["reach_id"].notna()
    return placed[on], int((~on).sum())


def route_file(path: Path, a: Start, b: Start, limits: Limits) -> Routed:
    """A route on the layer ``reaches`` of a network file."""
    reaches = files.read_reaches(path)
    network = Network.of(reaches)
    route: Route = network.route(*(_spot(network, reaches, s, limits)[0] for s in (a, b)))
    return Routed(cut(_shaped(route.parts, reaches)), route.length_m, route.way, route.node)


def ready(db: Database, actor: str) -> None:
    """Make the tracing numbers of the database anew when reaches have changed since; nothing else is written."""
    with db.read() as conn:
        if network_store.topology_current(conn):
            return
    with db.write(actor) as conn:
        if not network_store.topology_current(conn):
            network_store.rebuild_topology(conn)


def trace_database(
    conn: Connection,
    start: Start,
    direction: str,
    within_m: float | None,
    limits: Limits,
    *,
    stop_at: Iterable[str] = (),
) -> Traced:
    """A trace in the database (see ``ready``); ``stop_at``: layers that it does not go past."""
    reach, found = _start(conn, start, limits)
    stopping = [network_store.placed(conn, layer, limits.max_offset_m) for layer in stop_at]
    stops = pd.concat(stopping) if stopping else None
    rows = network_store.trace(conn, reach, found["at_m"], direction, within_m, stops)
    area = shapely.box(*rows.total_bounds)
    placed = [network_store.placed(conn, layer, limits.max_offset_m, area) for layer in network_store.PLACED_LAYERS]
    on = things(rows, pd.concat(placed), direction)
    code = rows.set_index("reach_id")["code"]
    sure = on["direction_confidence"].astype(float).fillna(0.0).ge(limits.min_confidence)
    on = on.assign(reach_id=on["reach_id"].map(code), bank_certain=sure & on["bank"].notna())[_THING]
    rows = rows.assign(reach_id=rows["code"]).drop(columns="code")
    return Traced(found, direction, cut(rows), on, 0, [])


def locate_database(conn: Connection, lonlat: tuple[float, float], limits: Limits) -> dict[str, Any]:
    """The reach nearest to a position, where along it, and the bank (see ``ready``); ``NotFound`` far from every channel."""
    return _start(conn, Start(lonlat=lonlat), limits)[1]


def _start(conn: Connection, start: Start, limits: Limits) -> tuple[UUID, dict[str, Any]]:
    if start.lonlat is not None:
        found = network_store.locate(conn, *start.lonlat, limits.max_offset_m)
        told = {"reach_id": found["code"], **{c: found[c] for c in ("at_m", "offset_m", "bank")}}
        sure = (found["direction_confidence"] or 0.0) >= limits.min_confidence
        return found["reach_id"], told | {"bank_certain": found["bank"] is not None and sure}
    return network_store.reach_named(conn, str(start.reach)), {"reach_id": start.reach, "at_m": start.at_m}


def route_database(conn: Connection, a: Start, b: Start, limits: Limits) -> Routed:
    """A route in the database (see ``ready``)."""
    (first, here), (last, there) = (_start(conn, s, limits) for s in (a, b))
    rows = network_store.route(conn, (first, here["at_m"]), (last, there["at_m"]))
    parts = rows.assign(reach_id=rows["code"])[["reach_id", "direction", "from_m", "to_m", "distance_m", "geom"]]
    length = float((rows["to_m"] - rows["from_m"]).sum())
    return Routed(cut(parts.set_crs(crs.STORAGE)), length, rows["way"].iloc[0], rows["node"].iloc[0])
