"""What of a collection may go out to the public: rows in force on a day, announced ones only, with whitelisted columns and nothing else.

The whitelist is that of ``collections`` (domain: no heights, capacities, owners, persons, intakes, leads). Shapes in EPSG:4490.
Source: 《地图管理条例》 art. 8, 13, 15, 22; 公开地图内容表示规范 (自然资规〔2023〕2号).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
from sqlalchemy import Connection

from rivergis.db.connect import read_frame, read_table
from rivergis.errors import NotFound, NotPermitted
from rivergis.layers import Column
from rivergis.maps import features
from rivergis.maps.collections import COLLECTIONS, Collection, collection
from rivergis.maps.features import When

_OF_ACT = ("line_type", "basis", "announce_gov", "announce_doc_no", "announced_on")
_WHERE_FROM = {"river_code": "r.code", "version_code": "v.code"}
_RIVER = """FROM app.river_as_of(:on, :known) t JOIN LATERAL (
  SELECT ST_Collect(h.geom) AS geom FROM app.reach_as_of(:on, :known) h WHERE h.river_id = t.id) g ON g.geom IS NOT NULL"""


CHIEFS = "chiefs"
"""Name of the part that is the list of chiefs."""


@dataclass(frozen=True)
class Part:
    """One file that goes out: name, titles, its whitelisted columns, and its rows (EPSG:4490)."""

    name: str
    zh: str
    en: str
    columns: tuple[Column, ...]
    frame: gpd.GeoDataFrame


@dataclass(frozen=True)
class Wanted:
    """Which rows: of rivers by code, in a unit by adcode, lines of one type; all where nothing is said."""

    rivers: tuple[str, ...] = ()
    unit: str | None = None
    line_type: str | None = None


def public_names() -> list[str]:
    """The collections of which anything may be public."""
    return [c.id for c in COLLECTIONS.values() if c.public]


def allowed(name: str) -> Collection:
    """The collection, if any of it may be public; ``NotPermitted`` otherwise, ``NotFound`` for an unknown one."""
    found = collection(name)
    if not found.public:
        raise NotPermitted(
            f"Nothing of {name} ({found.zh}) may be public: leave it out; public are {', '.join(public_names())}."
        )
    return found


def columns(found: Collection) -> tuple[Column, ...]:
    """The attribute list of a collection: what goes out, and nothing else."""
    return tuple(found.column(name) for name in found.public)


def rows(conn: Connection, name: str, at: When, wanted: Wanted) -> gpd.GeoDataFrame:
    """Public rows of a collection with their whitelisted columns (EPSG:4490), by code."""
    found = allowed(name)
    where, params = _where(conn, found, at, wanted)
    picked = ", ".join(f"{_source(name, c)} AS {c}" for c in found.public)
    shape = "g.geom" if name == "river" else "t.geom"
    source = _RIVER if name == "river" else features.rows_of_layer(name)
    query = f"SELECT {picked}, {shape} {source} WHERE {' AND '.join(where)} ORDER BY t.code, t.id"
    return read_frame(conn, query, {**at.params, **params})


def _source(name: str, column: str) -> str:
    if name == "boundary_line" and column in _OF_ACT:
        return f"v.{column}"
    return _WHERE_FROM.get(column, f"t.{column}")


def _where(conn: Connection, found: Collection, at: When, wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    shape = "g.geom" if found.id == "river" else "t.geom"
    where, params = [f"{shape} IS NOT NULL"], dict[str, Any]()
    if found.public_only:
        where.append(f"{_source(found.id, found.public_only[0])} = :only")
        params["only"] = found.public_only[1]
    if found.id in ("boundary_line", "boundary_area"):
        where.append("v.basis = 'announced' AND v.state = 'announced'")
        if wanted.line_type:
            where.append("coalesce(v.line_type, 'management') = :line_type")
            params["line_type"] = wanted.line_type
    if wanted.rivers and _has_river(found):
        where.append(("t.code" if found.id == "river" else "r.code") + " = ANY(:rivers)")
        params["rivers"] = list(wanted.rivers)
    if wanted.unit:
        _known_unit(conn, at, wanted.unit)
        where.append(
            f"EXISTS (SELECT FROM app.admin_unit_as_of(:on, :known) u WHERE u.code = :unit AND ST_Intersects(u.geom, {shape}))"
        )
        params["unit"] = wanted.unit
    return where, params


def _has_river(found: Collection) -> bool:
    return found.id == "river" or any(c.name == "river_code" for c in found.columns)


def _known_unit(conn: Connection, at: When, unit: str) -> None:
    query = "SELECT 1 FROM app.admin_unit_as_of(:on, :known) WHERE code = :unit LIMIT 1"
    if read_table(conn, query, {**at.params, "unit": unit}).empty:
        raise NotFound(f"There is no unit {unit!r} on {at.on}: give the adcode of a county, township or village.")


def attribute_list(files: Mapping[str, Sequence[Column]]) -> list[tuple[str, str, str, str]]:
    """File, column, Chinese, English: every attribute that goes out (属性清单)."""
    return [(name, c.name, c.zh, c.en) for name, held in files.items() for c in held]
