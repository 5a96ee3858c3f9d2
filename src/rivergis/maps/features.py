"""What maps draw: one query per noun over the views of ``app``, as frames with label, popup and class.

Frames are in EPSG:4490 with the columns that ``marks`` speaks of. Everything is as of a civil day and as known at a
moment; nothing here writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import layers, words
from rivergis.db.connect import now_of, read_frame, read_table
from rivergis.errors import NotFound, UsageError
from rivergis.river.chainage import label as chainage

# what a page says of a thing: Chinese, English, value
Row = tuple[str, str, Any]

_RIVER = "LEFT JOIN app.river_as_of(:on, :known) r ON r.id = {0}.river_id"
_ACT = (
    "JOIN app.boundary_version_as_of(:on, :known) v ON v.id = t.boundary_id AND v.state <> 'revoked' "
    + _RIVER.format("v")
)
_NO_RIVER = "CROSS JOIN (SELECT NULL::uuid AS id, NULL::text AS name) r"
# how a noun comes to its river, and what its query takes from elsewhere than its own table
_JOINS = {
    "admin_unit": _NO_RIVER,
    "candidate": _NO_RIVER,
    "patrol_area": _NO_RIVER,
    "boundary_line": _ACT,
    "boundary_area": _ACT,
    "bank_line": "JOIN app.reach_as_of(:on, :known) h ON h.id = t.reach_id " + _RIVER.format("h"),
    "source_zone": "LEFT JOIN app.intake_as_of(:on, :known) i ON i.id = t.intake_id " + _RIVER.format("i"),
}
_TABLES = {"boundary_line": "boundary_segment"}
_OF_ACT = ("line_type", "basis", "announce_gov", "announce_doc_no", "announced_on", "survey_scale", "xy_error_m")
_ELSEWHERE = {"boundary_line": _OF_ACT, "boundary_area": ("basis", *_OF_ACT[2:5])}
# column whose code is the class in the palette
CLASS = {
    "admin_unit": "level", "reach": "kind", "boundary_line": "basis", "source_zone": "zone_class",
    "function_zone": "zone_type", "candidate": "kind",
}  # fmt: skip
COUNTY = (
    "admin_unit", "water_area", "boundary_area", "boundary_line", "source_zone", "reach", "levee", "function_zone",
    "intake", "outfall", "stake", "landmark", "permit",
)  # fmt: skip
# what a night's map stands on
GROUND = ("admin_unit", "water_area", "boundary_area", "boundary_line", "source_zone", "reach", "levee", "outfall")
HIDDEN = ("stake", "function_zone", "permit", "boundary_area", "landmark")


@dataclass(frozen=True)
class When:
    """A civil day, and the moment up to which the database's knowledge counts."""

    on: date
    known_at: datetime

    @property
    def params(self) -> dict[str, Any]:
        return {"on": self.on, "known": self.known_at}


def when(conn: Connection, on: date | None = None) -> When:
    """A civil day as known now; by default today in Asia/Shanghai, or the last night told where that lies ahead."""
    if on is None:
        query = "SELECT greatest(app.today(), (SELECT max(run_date) FROM app.night_run)) AS d"
        on = read_table(conn, query)["d"].iloc[0]
    return When(on, now_of(conn))


@dataclass(frozen=True)
class Scope:
    """What a map is about: everything, or one river and the ground round it."""

    river_id: Any = None
    box: tuple[float, float, float, float] | None = None

    @property
    def corners(self) -> dict[str, float]:
        """The box as parameters of a query."""
        return {k: float(v) for k, v in zip(("west", "south", "east", "north"), self.box or (), strict=True)}


def layer(conn: Connection, noun: str, at: When, scope: Scope | None = None) -> gpd.GeoDataFrame:
    """A layer of the contract in force: id, label, popup, cls, river, from_m, to_m, geometry (EPSG:4490)."""
    shape = layers.layer(noun)
    elsewhere = _ELSEWHERE.get(noun, ())
    own = [c for c in shape.columns if c.refers is None and c.name not in (*elsewhere, "version_code")]
    columns = ", ".join([f"t.{c.name}" for c in own] + [f"v.{c}" for c in elsewhere])
    where, params = _scope(noun, scope)
    frame = read_frame(
        conn,
        f"SELECT t.id, t.code, r.name AS river, {columns}, t.geom {rows_of_layer(noun)} {where} ORDER BY t.code, t.id",
        {**at.params, **params},
    )
    return _dressed(noun, shape, frame)


def count(conn: Connection, noun: str, at: When, scope: Scope | None, most: int) -> tuple[int, int]:
    """How many features ``layer`` would give, and their vertices; no farther than ``most`` + 1 is counted, for nobody needs to know."""
    where, params = _scope(noun, scope)
    query = f"""SELECT count(*) AS n, coalesce(sum(ST_NPoints(geom)), 0) AS vertices
        FROM (SELECT t.geom {rows_of_layer(noun)} {where} LIMIT :most) x"""
    found = read_table(conn, query, {**at.params, **params, "most": most + 1})
    return int(found["n"].iloc[0]), int(found["vertices"].iloc[0])


def rows_of_layer(noun: str) -> str:
    """FROM of a layer's query: its rows of the day as ``t``, its river as ``r``, its act as ``v`` where it has one."""
    return f"FROM app.{_TABLES.get(noun, noun)}_as_of(:on, :known) t {_JOINS.get(noun) or _RIVER.format('t')}"


def _scope(noun: str, scope: Scope | None) -> tuple[str, dict[str, Any]]:
    """WHERE of a query: all that stands on a ground; for one river what is its own, or nobody's on its ground."""
    if scope is None or (scope.box is None and scope.river_id is None):
        return "", {}
    if scope.box is None:
        return "WHERE r.id = :river", {"river": scope.river_id}
    near = "t.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)"
    params = scope.corners
    if scope.river_id is None or noun in ("admin_unit", "source_zone"):
        return f"WHERE {near}", params
    return f"WHERE r.id = :river OR (r.id IS NULL AND {near})", {**params, "river": scope.river_id}


def _dressed(noun: str, shape: layers.Layer, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    records = frame.drop(columns="geom").to_dict("records")
    out = frame[["id", "river", "geom"]].copy()
    out["id"] = out["id"].astype(str)
    out["label"] = [_label(noun, r) for r in records]
    out["popup"] = [_popup(noun, shape, r) for r in records]
    if noun in CLASS:
        out["cls"] = [str(r[CLASS[noun]]) for r in records]
    for column in ("from_m", "to_m"):
        if column in frame and noun == "reach":
            out[column] = frame[column]
    if noun in ("reach", "admin_unit"):
        out["text"] = _map_text(noun, frame)
    return out


def _map_text(noun: str, frame: gpd.GeoDataFrame) -> pd.Series:
    """Names written on the map: every unit's own, and each river's once, on its longest reach."""
    if noun == "admin_unit" or frame.empty:
        return frame["name"]
    length = frame.geometry.apply(shapely.length)
    longest = length.groupby(frame["river"].fillna("")).transform("max") == length
    return frame["river"].where(longest)


def _label(noun: str, row: dict[str, Any]) -> str:
    if noun == "stake":
        return f"{words.say('layer.stake')} {row['code']}"
    return str(row.get("name") or f"{place(row)} {words.say(f'layer.{noun}')}".strip())


def place(figures: dict[str, Any]) -> str:
    """River, bank and chainage of a thing, as far as they are known: 云溪河 左岸 3+200."""
    bank = words.say(f"bank.{figures['bank']}") if figures.get("bank") else None
    return " ".join(str(p) for p in (figures.get("river"), bank, figures.get("chainage")) if p)


def rows_of(values: dict[str, Any]) -> list[Row]:
    """Values by the last part of their ``page.`` word, empty ones left out."""
    return [(*words.pair(f"page.{key}"), value) for key, value in values.items() if value]


def _popup(noun: str, shape: layers.Layer, row: dict[str, Any]) -> list[Row]:
    """The contract's columns in words, empty ones left out."""
    rows: list[Row] = [("编码", "code", row["code"])]
    if row.get("river"):
        rows.append((*words.pair("page.river"), row["river"]))
    for column in shape.columns:
        value = row.get(column.name)
        if column.kind != "json" and value is not None and not pd.isna(value) and value != "":
            rows.append((column.zh, column.en, said(noun, column.name, value)))
    return rows


def said(noun: str, column: str, value: Any) -> Any:
    """A value as people read it: codes in words, chainages as 12+345."""
    if column in ("from_m", "to_m", "at_m"):
        return chainage(float(value))
    code = int(value) if column in ("zone_class", "grade", "survey_scale") and not isinstance(value, str) else value
    return words.choice(noun, column, code)


def county_name(conn: Connection, at: When) -> str:
    """Name of the county the database is about, if there is exactly one."""
    query = "SELECT name FROM app.admin_unit_as_of(:on, :known) WHERE level = 'county' LIMIT 2"
    found = read_table(conn, query, at.params)
    return str(found["name"].iloc[0]) if len(found) == 1 else ""


def has_drafts(conn: Connection, at: When, scope: Scope | None = None) -> bool:
    """Whether any line of the day, or of a river, is a draft: then the map says so across all of it."""
    own = "AND v.river_id = :river" if scope is not None and scope.river_id is not None else ""
    query = (
        f"SELECT EXISTS (SELECT FROM app.boundary_version_as_of(:on, :known) v WHERE v.basis = 'draft' {own}) AS found"
    )
    more = {"river": scope.river_id} if scope is not None and own else {}
    return bool(read_table(conn, query, {**at.params, **more})["found"].iloc[0])


def extent(conn: Connection, at: When) -> tuple[float, float, float, float] | None:
    """Box round the units of the day, or else its reaches, in degrees; None where there is neither."""
    for noun in ("admin_unit", "reach"):
        query = f"""SELECT ST_XMin(b) AS west, ST_YMin(b) AS south, ST_XMax(b) AS east, ST_YMax(b) AS north
            FROM (SELECT ST_Extent(t.geom) AS b FROM app.{noun}_as_of(:on, :known) t) x WHERE b IS NOT NULL"""
        found = read_table(conn, query, at.params)
        if len(found):
            west, south, east, north = (float(v) for v in found.iloc[0])
            return west, south, east, north
    return None


@dataclass(frozen=True)
class River:
    """A river asked for by code, and the box of its ground in degrees."""

    id: Any
    name: str
    name_en: str | None
    scope: Scope = field(default_factory=Scope)


MARGIN_DEG = 0.004  # about 400 m of ground round a river


def river(conn: Connection, code: str, at: When, namespace: str | None = None) -> River:
    """The river of that code; ``NotFound``, or ``UsageError`` when several namespaces have it."""
    found = read_table(
        conn,
        """SELECT r.id, r.name, r.name_en, r.code_namespace,
          ST_XMin(b) AS west, ST_YMin(b) AS south, ST_XMax(b) AS east, ST_YMax(b) AS north
        FROM app.river_as_of(:on, :known) r
        LEFT JOIN LATERAL (SELECT ST_Extent(g.geom) AS b FROM (
            SELECT geom FROM app.reach_as_of(:on, :known) h WHERE h.river_id = r.id
            UNION ALL SELECT geom FROM app.water_area_as_of(:on, :known) w WHERE w.river_id = r.id) g) e ON true
        WHERE r.code = :code AND (CAST(:ns AS text) IS NULL OR r.code_namespace = :ns)""",
        {**at.params, "code": code, "ns": namespace},
    )
    if found.empty:
        raise NotFound(f"There is no river with the code {code!r} on {at.on}.")
    if len(found) > 1:
        raise UsageError(f"The code {code!r} stands in the namespaces {', '.join(found['code_namespace'])}: name one.")
    row = found.iloc[0]
    box = None
    if not pd.isna(row["west"]):
        box = (row["west"] - MARGIN_DEG, row["south"] - MARGIN_DEG, row["east"] + MARGIN_DEG, row["north"] + MARGIN_DEG)
    return River(row["id"], row["name"], row["name_en"], Scope(row["id"], box))
