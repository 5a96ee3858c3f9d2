"""What a list of rivers is made from: the database as of a day, or files; the same frames from either."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.boundary import store as boundary_store
from rivergis.db.connect import now_of
from rivergis.errors import InputError, NotFound
from rivergis.intake import vector
from rivergis.river import attributes, files, official, sections, store
from rivergis.river.chainage import Axis
from rivergis.river.water_bodies import judged


@dataclass(frozen=True)
class Sources:
    """Frames for ``river.inventory.rivers`` (see there), and where they come from (``about``). ``demo``: fictional data."""

    reaches: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame | None
    units: gpd.GeoDataFrame | None
    known: pd.DataFrame | None = None
    lines: pd.DataFrame | None = None
    demo: bool = False
    about: dict[str, Any] = field(default_factory=dict)


def of_database(conn: Connection, on: date) -> Sources:
    """Everything of the register in force on a day; ``NotFound`` while no river is known."""
    known_at = now_of(conn)
    known = _texts(store.rivers(conn, on, known_at).rename(columns={"id": "river_id"}))
    if known.empty:
        raise NotFound(f"No river is known on {on}: import rivers or build a network first.")
    reaches = _texts(store.reaches(conn, on, known_at)).rename(columns={"id": "reach_id", "river": "river_name"})
    areas = _texts(store.water_areas(conn, on, known_at))
    kind = areas["river_id"].map(known.set_index("river_id")["kind"])
    areas["kind"] = kind.where(kind.notna(), areas["kind"])
    areas["river_id"] = areas["river_id"].where(areas["river_id"].notna(), areas["id"])
    lines = _texts(boundary_store.lines(conn, on, known_at))
    units = store.units(conn, on, known_at)
    return Sources(
        reaches,
        areas,
        None if units.empty else units,
        known,
        lines.loc[lines["line_type"] == "management", ["river_id", "bank", "basis"]],
        store.has_namespace(conn, "demo"),
        {"source": words.both("river_register.database"), "on": str(on)},
    )


def _texts(frame: Any) -> Any:
    """Ids as texts."""
    ids = [c for c in ("id", "river_id", "next_reach_id", "chief_id") if c in frame]
    return frame.assign(**{c: [None if pd.isna(v) else str(v) for v in frame[c]] for c in ids})


@dataclass(frozen=True)
class Files:
    """A built network, and files (with their layers) of water areas and administrative units where there are."""

    network: Path
    areas: Path | None = None
    areas_layer: str | None = None
    units: Path | None = None
    units_layer: str | None = None


def of_files(given: Files, *, max_half_width_m: float) -> Sources:
    """The same from files; ``InputError`` names what is wrong. Water that does not say its kind is judged by its shape."""
    reaches = files.read_reaches(given.network)
    areas, units = given.areas, given.units
    waters = None if areas is None else _water_areas(areas, given.areas_layer, reaches, max_half_width_m)
    told = {
        "source": given.network.name,
        **{k: p.name for k, p in (("areas", areas), ("units", units)) if p is not None},
    }
    return Sources(reaches, waters, None if units is None else _units(units, given.units_layer), about=told)


def _water_areas(path: Path, layer: str | None, reaches: gpd.GeoDataFrame, max_half_width_m: float) -> gpd.GeoDataFrame:
    """Water areas of a file, standing ones with the river_id of their shoreline reaches."""
    frame, name, _ = vector.read_frame(path, source_layer=layer)
    if not isinstance(frame, gpd.GeoDataFrame) or not frame.geom_type.isin(["Polygon", "MultiPolygon"]).any():
        raise InputError(
            f"{path.name}, layer {name} holds no areas: name the layer with --areas-layer.", file=str(path), layer=name
        )
    frame = frame[frame.geom_type.isin(["Polygon", "MultiPolygon"])]
    read, _ = attributes.read_areas(frame.drop(columns=frame.geometry.name), files.words())
    out = gpd.GeoDataFrame(read, geometry=frame.geometry.to_numpy(), crs=frame.crs)
    standing = out["kind"].isin(["lake", "reservoir", "pond", "unknown"])
    out["river_id"] = [f"L{int(i)}" if s else None for i, s in zip(frame.index, standing, strict=True)]
    out = out[out["kind"] != "other"].reset_index(drop=True)
    lines = reaches.loc[reaches["kind"] != "shoreline", [reaches.geometry.name]]
    told, _ = judged(
        crs.to_metric(out), crs.to_metric(lines, crs.to_metric(out).crs), max_half_width_m=max_half_width_m
    )
    return out.assign(kind=told["kind"])


def _units(path: Path, layer: str | None) -> gpd.GeoDataFrame:
    frame, name, _ = vector.read_frame(path, source_layer=layer)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(
            f"{path.name}, layer {name} holds no areas: name the layer with --units-layer.", file=str(path)
        )
    return sections.units_of(frame, f"{path.name}, layer {name}")


@dataclass(frozen=True)
class People:
    """Duties of a day and the rivers they are on: frames for ``river.duties.assign``. ``codes``: of rivers and chiefs by id. ``without_axis``: waters no metre of
    which can be told, with whether anyone is named for them at all."""

    duties: pd.DataFrame
    rivers: pd.DataFrame
    without_axis: pd.DataFrame
    codes: dict[str, str]
    demo: bool


def people_of(conn: Connection, on: date) -> People:
    """Who answers for what on a day; ``NotFound`` while no duty is known."""
    known_at = now_of(conn)
    held = _texts(store.duties(conn, on, known_at))
    if held.empty:
        raise NotFound(f"No duty (责任河段) is known on {on}: import the layers chief and duty first.")
    axes = _texts(store.axes(conn, on, known_at))
    ends = [Axis(line, origin).end_m for line, origin in zip(axes.geometry, axes["origin_m"], strict=True)]
    axes = axes.assign(from_m=axes["origin_m"].astype(float), to_m=ends).sort_values("river_code", kind="stable")
    known = _texts(store.rivers(conn, on, known_at).rename(columns={"id": "river_id"}))
    bare = known[~known["river_id"].isin(axes["river_id"])]
    bare = bare.assign(duties=bare["river_id"].map(held["river_id"].value_counts()).fillna(0).astype(int))
    codes = dict(zip(known["river_id"], known["code"], strict=True))
    codes |= dict(zip(held["chief_id"], held["chief_code"], strict=True))
    rivers = pd.DataFrame(axes[["river_id", "river", "from_m", "to_m"]])
    return People(held, rivers, bare.reset_index(drop=True), codes, store.has_namespace(conn, "demo"))


def official_of(path: Path, length_unit: str | None) -> official.Official:
    """An official list out of a table (.xlsx, .csv, ...) or the attributes of a layer."""
    frame, _, _ = vector.read_frame(path)
    shapes = [frame.geometry.name] if isinstance(frame, gpd.GeoDataFrame) else []
    return official.read(pd.DataFrame(frame.drop(columns=shapes)), path.name, length_unit)
