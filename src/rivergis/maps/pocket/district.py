"""A county in a pocket (口袋地图): what an inspector takes along for a district where there is no network.

Layers are read as of a civil day, with what touches the district. Intakes, persons and leads in full go along only when they are
asked for; today's work is told as counts and places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import words
from rivergis.db.connect import read_table
from rivergis.errors import InputError, NotFound, NotPermitted, UsageError
from rivergis.maps import collections, features, leads
from rivergis.maps.atlas import Layers
from rivergis.maps.features import Scope, When
from rivergis.maps.pocket import work as pocket_work
from rivergis.river import store as river_store
from rivergis.river.chainage import label as chainage
from rivergis.rules import RuleBook

LAYERS = (
    "admin_unit", "water_area", "boundary_area", "boundary_line", "source_zone", "function_zone", "reach", "levee", "outfall",
    "stake", "landmark",
)  # fmt: skip
"""What goes along unless others are named; a layer of the contract that is not personal may be added."""
MORE = ("bank_line", "permit", "patrol_area")
SENSITIVE = {
    "intakes": frozenset({"inspect", "draft_boundary"}),
    "persons": frozenset({"view_tracks"}),
    "cases": frozenset({"inspect", "review_findings"}),
}
"""What goes along only when it is asked for -> the capabilities, one of which whoever asks must have."""
HIDDEN = ("function_zone", "boundary_area", "landmark", "bank_line", "permit", "patrol_area")
"""Layers that start switched off."""


_ZEROS = re.compile(r"^(\d{2}(?=0{4,10}$)|\d{4}(?=0{2,8}$)|\d{6}(?=0{3,6}$)|\d{9}(?=000$)).*$")


@dataclass(frozen=True)
class District:
    """An administrative unit by adcode, and its area (EPSG:4490)."""

    code: str
    name: str
    level: str
    area: shapely.Geometry

    @property
    def scope(self) -> Scope:
        return Scope(box=self.area.bounds)

    @property
    def prefix(self) -> str:
        """The adcode without the zeros of the levels below it, as ``app.short_code`` has it: 500199001000 is 500199001."""
        return _short(self.code)


def _short(code: str) -> str:
    return _ZEROS.sub(r"\1", code)


@dataclass(frozen=True)
class Asked:
    """What is to go along: layers, and of ``SENSITIVE`` what was asked for."""

    layers: tuple[str, ...] = LAYERS
    sensitive: frozenset[str] = frozenset()


def asked(layers: Sequence[str], sensitive: Sequence[str], capabilities: frozenset[str]) -> Asked:
    """What was asked for, checked: ``UsageError`` for a name that is none, ``NotPermitted`` without the capability it takes."""
    for name in layers:
        if name not in (*LAYERS, *MORE):
            raise UsageError(f"{name!r} is no layer of a pocket map; the layers are {', '.join((*LAYERS, *MORE))}.")
        if not collections.collection(name).seen_by(capabilities):
            raise NotPermitted(f"The layer {name} needs the capability {collections.collection(name).capability}.")
    for name in sensitive:
        if name not in SENSITIVE:
            raise UsageError(f"{name!r} cannot be asked for with --with; it knows {', '.join(SENSITIVE)}.")
        if not capabilities & SENSITIVE[name]:
            needed = " or ".join(f"{words.both(f'capability.{c}')} ({c})" for c in sorted(SENSITIVE[name]))
            raise NotPermitted(f"--with {name} needs a role with the capability {needed}.")
    return Asked(tuple(dict.fromkeys(layers)) or LAYERS, frozenset(sensitive))


def everywhere(conn: Connection, at: When) -> District:
    """All the ground that there is, for places without units; ``NotFound`` where nothing is drawn."""
    found = read_table(
        conn,
        """SELECT ST_XMin(b) AS west, ST_YMin(b) AS south, ST_XMax(b) AS east, ST_YMax(b) AS north FROM (
          SELECT ST_Extent(geom) AS b FROM (SELECT geom FROM app.reach_as_of(:on, :known) UNION ALL
            SELECT geom FROM app.water_area_as_of(:on, :known) UNION ALL SELECT geom FROM app.admin_unit_as_of(:on, :known)) g) e""",
        at.params,
    ).iloc[0]
    if pd.isna(found["west"]):
        raise NotFound(f"There is no river, water or unit in force on {at.on}: import some first.")
    room = 1e-3  # about 100 m, so that what stands on the banks is in it
    box = shapely.box(found["west"] - room, found["south"] - room, found["east"] + room, found["north"] + room)
    return District("", words.say("pocket.everywhere"), "", box)


def district(conn: Connection, said: str | None, at: When, area: str = "") -> District:
    """The unit with that adcode or name, or everything where none is said; ``area``: adcode prefix that whoever asks is held to.

    ``NotFound`` for none (names those there are), ``UsageError`` for several, ``InputError`` for one without an area.
    """
    if said is None:
        return everywhere(conn, at)
    units = river_store.units(conn, at.on, at.known_at)
    units = units[[str(code).startswith(area) for code in units["code"]]]
    found = units[units["code"] == said]
    if found.empty:
        found = units[units["name"] == said]
    if found.empty:
        known = "、".join(f"{r.name} {r.code}" for r in units.head(12).itertuples(index=False))
        raise NotFound(
            f"There is no district {said!r} on {at.on}: the units are {known or 'none; import the layer admin_unit'}."
        )
    if len(found) > 1:
        raise UsageError(f"The name {said!r} stands for {', '.join(found['code'])}: name the code.")
    row = found.iloc[0]
    if row["geom"] is None or row["geom"].is_empty:
        raise InputError(
            f"The district {row['name']} ({row['code']}) has no area: import its border (layer admin_unit)."
        )
    return District(str(row["code"]), str(row["name"]), str(row["level"]), shapely.make_valid(row["geom"]))


def read(conn: Connection, book: RuleBook, where: District, at: When, what: Asked) -> Layers:
    """Everything that goes along as frames (EPSG:4490, columns as in ``marks``), today's work among them."""
    shapely.prepare(where.area)
    layers: Layers = {name: of_layer(conn, name, where, at) for name in what.layers}
    if "intakes" in what.sensitive:
        layers["intake"] = of_layer(conn, "intake", where, at)
    if "persons" in what.sensitive and "reach" in layers:
        layers["reach"] = _with_chiefs(conn, layers["reach"], at)
    if "cases" in what.sensitive:
        layers["finding"] = _cases(conn, where, at, "persons" in what.sensitive)
    layers |= pocket_work.read(conn, book, where.area, at, persons="persons" in what.sensitive)
    return {name: frame for name, frame in layers.items() if len(frame)}


def of_layer(conn: Connection, name: str, where: District, at: When) -> gpd.GeoDataFrame:
    """A layer of the contract: what touches the district, of the units those in it or round it."""
    frame = features.layer(conn, name, at, where.scope)
    if name == "admin_unit":
        return units_of(frame, [popup[0][2] for popup in frame["popup"]], where)  # the code comes first in every popup
    return inside(frame, where.area)


def units_of(frame: gpd.GeoDataFrame, codes: Iterable[Any], where: District) -> gpd.GeoDataFrame:
    """Units in a district or round it, by their codes: those beside it only share a border."""
    return frame[[str(c).startswith(where.prefix) or where.code.startswith(_short(str(c))) for c in codes]]


def inside(frame: gpd.GeoDataFrame, area: shapely.Geometry) -> gpd.GeoDataFrame:
    """Rows that touch an area; shapes that are not valid count by their outline."""
    shapes = frame.geometry.values
    placed = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    sound = np.where(shapely.is_valid(shapes), shapes, shapely.boundary(shapes))
    return frame[placed & shapely.intersects(area, sound)]


def _with_chiefs(conn: Connection, reaches: gpd.GeoDataFrame, at: When) -> gpd.GeoDataFrame:
    """Reaches whose popup says who answers for them (河长), level by level."""
    duties = river_store.duties(conn, at.on, at.known_at)
    rivers = river_store.rivers(conn, at.on, at.known_at)
    duties["river"] = duties["river_id"].map(dict(zip(rivers["id"], rivers["name"], strict=True)))
    popups = [[*row.popup, *_chiefs(row, duties[duties["river"] == row.river])] for row in reaches.itertuples()]
    return reaches.assign(popup=popups)


def _chiefs(reach: Any, duties: pd.DataFrame) -> list[features.Row]:
    """A row for each chief whose stretch meets the reach."""
    if pd.isna(reach.from_m) or pd.isna(reach.to_m):
        return []
    met = duties[(duties["from_m"] < reach.to_m) & (duties["to_m"] > reach.from_m)]
    zh, en = words.pair("layer.chief")
    return [
        (f"{zh} {words.say(f'level.{d.level}')}", en, f"{d.chief} {chainage(d.from_m)}–{chainage(d.to_m)}")
        for d in met.itertuples()
    ]


def _cases(conn: Connection, where: District, at: When, persons: bool) -> gpd.GeoDataFrame:
    """Leads that stand and cases that people have in hand, in full; names of chiefs only where persons were asked for."""
    frame = inside(leads.standing(conn, at, scope=where.scope), where.area)
    if not persons:
        chiefs = words.pair("page.chiefs")[0]
        frame = frame.assign(popup=[[row for row in popup if row[0] != chiefs] for popup in frame["popup"]])
    return frame.drop(columns=["chips", "href"], errors="ignore")
