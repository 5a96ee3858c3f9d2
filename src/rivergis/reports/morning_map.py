"""位置略图 of a morning: townships, rivers, boundary lines, what of them nobody looked at, first-class zones, and the leads as dots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import shapely
from sqlalchemy import Connection

from rivergis.db.connect import read_frame
from rivergis.maps.leads import STANDS, STANDS_WITH
from rivergis.maps.night_picture import Dot, Pen, Picture
from rivergis.reports.book import SHOWN_ROWS
from rivergis.reports.morning_facts import Morning
from rivergis.reports.morning_reading import Read
from rivergis.river import store as river_store

STANDING, GROWN, GONE, NEW = "#8a97a0", "#d9731c", "#6b5b95", "#b3261e"
UNIT, TOWN = Pen("#8d8777", 1.2, "#fbfaf6"), Pen("#a9a292", 0.7, dash="5 3")
RIVER, LINE = Pen("#3d8fbd", 1.4), Pen("#b3284f", 0.8)
ZONE, UNLOOKED = Pen("#0f6b4a", 0.8, "#bfe0d2"), Pen("#1c1c1c", 3.0, dash="3 2")
LEGEND = (
    ("new", NEW, "dot"),
    ("grown", GROWN, "dot"),
    ("gone", GONE, "dot"),
    ("standing", STANDING, "dot"),
    ("line", LINE.stroke, "line"),
    ("unlooked", UNLOOKED.stroke, "thick"),
    ("zone", ZONE.stroke, "line"),
    ("water", RIVER.stroke, "line"),
)
CHANGED = (
    ("gone", GONE, 4.5),
    ("grown", GROWN, 5.5),
    ("rebound", NEW, 6.0),
    ("new_elsewhere", NEW, 4.0),
    ("new_announced", NEW, 6.0),
)


def picture(conn: Connection, read: Read) -> Picture:
    """The drawing of a morning; dots of what changed lead to the row in the same file."""
    night, known = read.morning.night, read.morning.known_at
    at = {"on": night, "known": known}
    units, reaches = river_store.units(conn, night, known), river_store.reaches(conn, night, known)
    lines = _shapes(conn, "SELECT t.geom FROM app.boundary_segment_as_of(:on, :known) t", at)
    zones = _shapes(conn, "SELECT t.geom FROM app.source_zone_as_of(:on, :known) t WHERE t.zone_class = 1", at)
    towns = units[units["level"] == "town"]
    layers: list[tuple[Sequence[Any], Pen]] = [
        (list(units.geometry[units["level"] == "county"]), UNIT),
        (list(towns.geometry), TOWN),
        (zones, ZONE),
        (list(reaches.geometry), RIVER),
        (lines, LINE),
        (list(read.not_looked_at.geometry), UNLOOKED),
    ]
    return Picture(layers, list(zip(towns.geometry, towns["name"], strict=True)), _dots(conn, at, read.morning))


def _dots(conn: Connection, at: dict[str, Any], morning: Morning) -> list[Dot]:
    frame = read_frame(
        conn,
        f"""SELECT t.id::text AS id, ST_PointOnSurface(t.geom) AS geom, {STANDS} AS stands
        FROM app.finding_as_of(:on, :known) t WHERE t.topic <> 'boundary_line'""",
        {**at, **STANDS_WITH},
    )
    places = dict(zip(frame["id"], frame.geometry, strict=True))
    changed = {
        r["id"]: (colour, size, r, f"lead-{r['number']}" if n < SHOWN_ROWS else f"f-{code}")
        for code, colour, size in CHANGED
        for n, r in enumerate(morning.figure(code).rows)
    }
    out = [
        Dot(p.x, p.y, STANDING, 3.4)
        for i, p, s in zip(frame["id"], frame.geometry, frame["stands"], strict=True)
        if s and i not in changed
    ]
    for i, (colour, size, row, anchor) in changed.items():
        if i in places:
            title = " ".join(str(row[k]) for k in ("status", "class", "place") if row[k])
            out.append(Dot(places[i].x, places[i].y, colour, size, anchor, title))
    return out


def _shapes(conn: Connection, sql: str, at: dict[str, Any]) -> list[Any]:
    return [g for g in read_frame(conn, sql, at).geometry if not shapely.is_empty(g)]
