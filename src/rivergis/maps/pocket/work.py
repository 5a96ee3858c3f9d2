"""Today's work on a pocket map (今日任务): leads to look at, patrols that are due, stakes to check, as counts and places.

Nobody is named unless persons were asked for, and of a lead there is no more than that something waits at a place.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.db.connect import read_frame
from rivergis.maps import features, leads
from rivergis.maps.atlas import Layers
from rivergis.maps.features import Row, When
from rivergis.patrol import duty_workflow
from rivergis.river import place
from rivergis.river import store as river_store
from rivergis.river.chainage import label as chainage
from rivergis.rules import NATIONAL, RuleBook, path_of

LOOK_BACK = timedelta(days=366)
TO_CHECK = ("lost", "damaged", "planned")
_SPOT_DEG = 4  # about 10 m: the place, not the outline


def read(conn: Connection, book: RuleBook, area: shapely.Geometry, at: When, *, persons: bool) -> Layers:
    """The three layers of work in an area (EPSG:4490): work_lead, work_patrol, work_stake."""
    return {
        "work_lead": to_look_at(conn, area, at),
        "work_patrol": to_patrol(conn, book, area, at, persons=persons),
        "work_stake": to_check(conn, area, at),
    }


def to_look_at(conn: Connection, area: shapely.Geometry, at: When) -> gpd.GeoDataFrame:
    """Leads that nobody has judged yet, counted by place: river, bank, 100 m of chainage and village."""
    west, south, east, north = area.bounds
    frame = read_frame(
        conn,
        f"""SELECT t.figures->>'river' AS river, t.figures->>'bank' AS bank, t.figures->>'chainage' AS chainage,
          t.figures->>'village' AS village, t.basis, ST_PointOnSurface(t.geom) AS geom
        FROM app.finding_as_of(:on, :known) t
        WHERE {leads.STANDS} AND t.state = 'found' AND t.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)""",
        {**at.params, **leads.STANDS_WITH, "west": west, "south": south, "east": east, "north": north},
    )
    frame = frame[shapely.intersects(area, frame.geometry.values)].copy()
    frame["stretch"] = [_hundreds(c) for c in frame["chainage"]]
    # what has no place in words is counted with what stands within about 100 m
    frame["near"] = ["" if c else f"{g.x:.3f} {g.y:.3f}" for c, g in zip(frame["stretch"], frame.geometry, strict=True)]
    keys = ["river", "bank", "stretch", "village", "near"]
    groups = [
        (dict(zip(keys, k, strict=True)), some) for k, some in frame.fillna(dict.fromkeys(keys, "")).groupby(keys)
    ]
    groups.sort(key=lambda g: (g[0]["river"], g[0]["bank"], len(g[0]["stretch"]), g[0]["stretch"], g[0]["village"]))
    spots = [_spot(some) for _, some in groups]
    return _frame([_waiting(where, some, spot) for (where, some), spot in zip(groups, spots, strict=True)], spots)


def _hundreds(said: str | None) -> str:
    """A chainage to the hundred metres below it: 3+261 is 3+200."""
    km, plus, rest = (said or "").partition("+")
    return f"{km}+{rest[:1]}00" if plus else ""


def _spot(some: gpd.GeoDataFrame) -> shapely.Point:
    middle = shapely.centroid(shapely.union_all(some.geometry.values))
    return shapely.Point(round(middle.x, _SPOT_DEG), round(middle.y, _SPOT_DEG))


def _waiting(where: dict[str, str], some: gpd.GeoDataFrame, spot: shapely.Point) -> dict[str, Any]:
    """One place with leads: how many, and whether the line they lie in points at nobody."""
    said = features.place({**where, "chainage": where["stretch"]}) or where["village"] or f"{spot.x:.4f}, {spot.y:.4f}"
    hint = next((words.both(f"basis.{b}") for b in some["basis"] if b in leads.HINTS), None)
    rows = {"place": said, "village": where["village"], "waiting": len(some), "line_basis": hint}
    return {"label": f"{said} · {len(some)} {words.say('pocket.leads')}", "popup": _told(rows), "n": len(some)}


def to_patrol(conn: Connection, book: RuleBook, area: shapely.Geometry, at: When, *, persons: bool) -> gpd.GeoDataFrame:
    """Stretches whose patrol is due within the days of ``morning.due_within``, or was missed before, drawn on their reaches."""
    duties = duty_workflow.read(
        conn, book, first=at.on - LOOK_BACK, last=at.on, as_of=at.on, known_at=at.known_at
    )  # fmt: skip
    home = river_store.home(conn, at.on, at.known_at) or NATIONAL
    waiting = duties.next_patrols(int(book.at(path_of(home), at.on).number("morning.due_within")))
    reaches = river_store.reaches(conn, at.on, at.known_at)
    rows, shapes = [], []
    for wait in waiting.itertuples(index=False):
        line = _stretch(reaches[reaches["river_id"] == wait.river_id], wait.from_m, wait.to_m)
        if line is not None and shapely.intersects(area, line):
            rows.append(_patrol(wait, persons))
            shapes.append(line)
    return _frame(rows, shapes)


def _stretch(reaches: gpd.GeoDataFrame, from_m: float, to_m: float) -> shapely.Geometry | None:
    """The part of a river between two chainages, over all the reaches that it meets."""
    met = reaches[(reaches["from_m"] < to_m) & (reaches["to_m"] > from_m)]
    if met.empty:
        return None
    parts = met[["from_m", "to_m", met.geometry.name]].copy()
    begin = parts["from_m"]
    parts["to_m"] = parts["to_m"].clip(upper=to_m) - begin
    parts["from_m"] = begin.clip(lower=from_m) - begin
    lines = place.cut(parts).geometry.dropna()
    return shapely.MultiLineString(list(lines)) if len(lines) else None


def _patrol(wait: Any, persons: bool) -> dict[str, Any]:
    said = f"{wait.river} {chainage(wait.from_m)}–{chainage(wait.to_m)}"
    rows = {
        "place": said,
        "deadline": str(wait.deadline),
        "missing": int(wait.missing),
        "overdue": max(int(wait.overdue_days), 0),
        "chiefs": wait.chief if persons else None,
    }
    return {"label": f"{said} · {words.say('pocket.patrol')} {wait.deadline:%m-%d}", "popup": _told(rows), "n": 1}


def to_check(conn: Connection, area: shapely.Geometry, at: When) -> gpd.GeoDataFrame:
    """Stakes that are lost, damaged or still to be set."""
    west, south, east, north = area.bounds
    frame = read_frame(
        conn,
        """SELECT s.code, r.name AS river, s.bank, s.at_m, s.status, s.geom FROM app.stake_as_of(:on, :known) s
        LEFT JOIN app.river_as_of(:on, :known) r ON r.id = s.river_id
        WHERE s.status = ANY(:open) AND s.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
        ORDER BY r.name, s.bank, s.at_m, s.code""",
        {**at.params, "open": list(TO_CHECK), "west": west, "south": south, "east": east, "north": north},
    )
    frame = frame[shapely.intersects(area, frame.geometry.values)]
    rows = []
    for stake in frame.itertuples(index=False):
        at_m = None if pd.isna(stake.at_m) else chainage(float(stake.at_m))
        said = features.place({"river": stake.river, "bank": stake.bank, "chainage": at_m})
        status = words.choice("stake", "status", stake.status)
        popup = _told({"code": stake.code, "place": said, "status": status})
        rows.append({"label": f"{words.say('layer.stake')} {stake.code} · {status}", "popup": popup, "n": 1})
    return _frame(rows, list(frame.geometry))


def _told(values: dict[str, Any]) -> list[Row]:
    """Values by the last part of their word, those that say nothing left out."""
    return [(*words.pair(f"pocket.{key}"), value) for key, value in values.items() if value]


def _frame(rows: list[dict[str, Any]], shapes: list[Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=["label", "popup", "n"]), geometry=shapes, crs=crs.STORAGE)
