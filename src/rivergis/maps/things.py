"""One thing on a map (一个要素): what a click shows of it, in words, and what lies at a place.

Shapes come from ``cache.shape_<collection>``, facts from where ``ogc_source`` says; the area of whoever asks is held by the
connection (row-level security), and stands in WHERE before it.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from rivergis.db.connect import read_table
from rivergis.errors import NotFound, UsageError
from rivergis.maps import collections, features, leads, marks, palette, webstyle
from rivergis.maps.features import When
from rivergis.maps.ogc import source as ogc_source
from rivergis.maps.ogc.source import Source

NEAR_PX = 10
"""How far from the pointer a line or sign may lie that is meant, pixels."""
MANY = 12
"""More things than this at one place are told as a number."""
_EQUATOR_M = 40_075_016.686
_DRAWN = 1_500  # steps in which the longer side of an outline is drawn
_SPOT = "ST_Transform(ST_SetSRID(ST_MakePoint(:lon, :lat), 4490), 3857)"
# who is held to an area sees what touches it; the walls of the database (85_walls.sql) say the same again
IN_AREA = "CASE WHEN :area = '' THEN true ELSE s.areas @> ARRAY[CAST(:area AS text)] END"

# what the public may see of layers that hold drafts, too: the same as in its tiles
_ANNOUNCED = {
    "boundary_line": "s.cls = 'announced'",
    "boundary_area": "s.cls = 'announced'",
    "source_zone": "s.mark = 'announced'",
}

Told = dict[str, Any]


@dataclass(frozen=True)
class Sight:
    """What whoever asks may see: things that touch an area (adcode; empty: everywhere), or of these only what is public."""

    area: str = ""
    public: bool = False

    def where(self, name: str) -> str:
        """Condition on the shapes ``s`` of a collection; its parameter is ``:area``."""
        return f"{IN_AREA} AND {_ANNOUNCED[name]}" if self.public and name in _ANNOUNCED else IN_AREA

    def named(self, name: str) -> bool:
        """Whether the label of a thing may be told: a name, or that of its river."""
        return not self.public or bool({"name", "river_code"} & set(collections.collection(name).public))


EVERYTHING = Sight()


def thing(conn: Connection, name: str, ident: str, at: When, sight: Sight = EVERYTHING) -> Told:
    """What is known of one thing on a day: label, rows (zh, en, value), outline and bounds in degrees (EPSG:4490).

    ``ident``: its id, or its number in tiles (``fid``). ``NotFound`` where it is not there that day, or out of sight.
    """
    source = ogc_source.source(name, sight.public)
    columns = "".join(f", {field.sql} AS p{i}" for i, field in enumerate(source.fields))
    key, value = _key(ident)
    found = read_table(
        conn,
        f"""SELECT s.fid, CAST(s.id AS text) AS id, s.code, s.label, s.cls, s.river, CAST({source.track or "NULL"} AS text) AS track,
          ST_AsGeoJSON(ST_Transform(ST_Simplify(s.geom, greatest(ST_XMax(s.geom) - ST_XMin(s.geom),
            ST_YMax(s.geom) - ST_YMin(s.geom)) / {_DRAWN}, true), 4490), 6, 0) AS outline,
          ST_XMin(e.box) AS west, ST_YMin(e.box) AS south, ST_XMax(e.box) AS east, ST_YMax(e.box) AS north,
          ST_X(e.spot) AS lon, ST_Y(e.spot) AS lat{columns}
        FROM {source.rows}
        CROSS JOIN LATERAL (SELECT ST_Transform(ST_Envelope(s.geom), 4490) AS box,
          ST_Transform(ST_PointOnSurface(s.geom), 4490) AS spot) e
        WHERE {key} AND s.valid @> CAST(:last AS date) AND {sight.where(name)} LIMIT 1""",
        {"ident": value, "last": at.on, "area": sight.area},
    )
    if found.empty:
        raise NotFound(f"There is no {name} {ident!r} on {at.on}, or it lies out of your area.")
    row = dict(found.astype(object).where(found.notna(), None).iloc[0].items())
    if not sight.named(name):
        row |= {"label": None, "code": None, "river": None}
    return _shape(name, row) | (_lead(conn, row, at) if name == "finding" else _facts(source, row))


def _key(ident: str) -> tuple[str, str | int]:
    if re.fullmatch(r"[0-9]{1,18}", ident):
        return "s.fid = :ident", int(ident)
    try:
        return "s.id = CAST(:ident AS uuid)", str(uuid.UUID(ident))
    except ValueError:
        raise NotFound(f"{ident[:60]!r} is neither the id nor the number of a thing.") from None


def _shape(name: str, row: dict[str, Any]) -> Told:
    shown = collections.collection(name)
    return {
        "collection": name,
        "zh": shown.zh,
        "en": shown.en,
        "id": row["id"],
        "fid": int(row["fid"]),
        "cls": row["cls"],
        "label": row["label"] or row["code"] or shown.zh,
        "style": palette.load().of(name, row["cls"] or "").as_dict(),
        "at": [round(row["lon"], 6), round(row["lat"], 6)],
        "bounds": [round(row[side], 6) for side in ("west", "south", "east", "north")],
        "geometry": json.loads(row["outline"]) if row["outline"] else None,
    }


def _facts(source: Source, row: dict[str, Any]) -> Told:
    """The columns in words, empty ones left out; whose patrol it is; and the page with more about it."""
    rows = []
    for i, field in enumerate(source.fields):
        value = row[f"p{i}"]
        if field.kind != "json" and value not in (None, ""):
            rows.append([field.zh, field.en, marks.words(features.said(source.collection.id, field.name, value))])
    if row["river"]:
        rows.insert(1, ["河流", "river", row["river"]])
    told: Told = {"popup": rows}
    if row["track"]:
        told["track"] = row["track"]
    if source.collection.id == "river":
        told["href"] = f"/maps/river/{row['code']}"
    return told


def _lead(conn: Connection, row: dict[str, Any], at: When) -> Told:
    """A lead as the maps tell it: class, state, place, measure with its error, clause, pictures."""
    record = leads.one(conn, row["id"], at).drop(columns="geom").iloc[0].to_dict()
    rows = [[zh, en, marks.words(value)] for zh, en, value in record["popup"]]
    return {"label": record["label"], "popup": rows, "chips": record["chips"], "href": record["href"]}


def at_place(
    conn: Connection, names: Sequence[str], lon: float, lat: float, zoom: int, on: Any, sight: Sight = EVERYTHING
) -> list[Told]:
    """What lies at a place (点查询), topmost first: for browsers that draw no vectors. Up to ``MANY`` of a collection.

    Where a collection has more there than that, one entry says how many (``n``). Lines and points count within ``NEAR_PX``
    pixels of the zoom, areas where they hold the place.
    """
    if not (-180 <= lon <= 180 and -85 <= lat <= 85):
        raise UsageError("The place is not on the map: lon -180 to 180 and lat -85 to 85, in degrees.")
    near_m = NEAR_PX * _EQUATOR_M / 256 / 2 ** min(max(zoom, 0), 22)
    params = {"lon": lon, "lat": lat, "near": near_m, "on": on, "most": MANY + 1, "area": sight.area}
    found: list[Told] = []
    for name in reversed(webstyle.in_order(names)):
        there = _THERE.format(shapes=collections.collection(name).shapes, sight=sight.where(name))
        label = "s.label" if sight.named(name) else "NULL"
        rows = read_table(
            conn,
            f"""SELECT s.fid, CAST(s.id AS text) AS id, CAST({label} AS text) AS label, s.cls {there}
            ORDER BY ST_Dimension(s.geom), ST_Area(s.geom), s.fid LIMIT :most""",
            params,
        ).to_dict("records")
        if len(rows) > MANY:
            several = int(read_table(conn, f"SELECT count(*) AS n {there}", params)["n"].iloc[0])
            found.append({"collection": name, "cls": rows[0]["cls"], "n": several})
        else:
            found += [{"collection": name, **row} for row in rows]
    return found


_THERE = f"""FROM {{shapes}} s CROSS JOIN (SELECT {_SPOT} AS spot) p
WHERE s.geom && ST_Expand(p.spot, :near) AND s.valid @> CAST(:on AS date) AND {{sight}}
  AND ST_DWithin(s.geom, p.spot, CASE WHEN ST_Dimension(s.geom) = 2 THEN 0 ELSE :near END)"""
