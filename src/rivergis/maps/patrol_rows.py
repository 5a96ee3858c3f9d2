"""What a period of patrols is told from: duties, tracks with their legs, entries, observations, as known at a moment. Personal data.

One read for bulletins, coverage maps and sweeps alike, so that they can be replayed and say by one hash what they rest on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cached_property
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis.db.connect import read_frame, read_table
from rivergis.patrol import period_lines
from rivergis.patrol.period_lines import OnRivers
from rivergis.river import sections
from rivergis.river import store as river_store
from rivergis.rules import RuleView


@dataclass(frozen=True)
class Span:
    """First and last civil day of a period, and the moment up to which knowledge counts (UTC)."""

    first: date
    last: date
    known_at: datetime

    @property
    def params(self) -> dict[str, Any]:
        return {"first": self.first, "last": self.last, "known": self.known_at}


@dataclass(frozen=True)
class Facts:
    """All that was read of a period, one frame a noun; columns as in the queries below and ``app.*_in``.

    ``duties`` and legs are on river chainage, ``duties`` with the days on which they hold.
    """

    span: Span
    demo: bool
    units: gpd.GeoDataFrame
    rivers: pd.DataFrame
    reaches: gpd.GeoDataFrame
    axes: gpd.GeoDataFrame
    landmarks: pd.DataFrame
    chiefs: pd.DataFrame
    duties: pd.DataFrame
    patrols: pd.DataFrame
    credits: pd.DataFrame
    raw_legs: pd.DataFrame
    legs: OnRivers
    entries: pd.DataFrame
    entry_stretches: pd.DataFrame
    observations: pd.DataFrame
    signals: pd.DataFrame
    rejected: pd.DataFrame
    """Tracks that a person has not accepted on review (复核不予认定): they are in no figure, neither patrols nor legs."""

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything read but the moment of reading: equal inputs, equal hash."""
        out = hashlib.sha256(f"{self.span.first} {self.span.last}".encode())
        for field in fields(self):
            frame = getattr(self, field.name)
            if isinstance(frame, pd.DataFrame):
                out.update(f"\n{field.name}\n".encode())
                out.update(_plain(frame).to_csv(index=False).encode())
        return out.hexdigest()

    @cached_property
    def river_names(self) -> dict[Any, str]:
        """Name of each river by its id, its code where it has none."""
        return {r.id: r.name or r.code for r in self.rivers.itertuples(index=False)}


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(frame, gpd.GeoDataFrame):
        return frame
    name = frame.geometry.name
    return pd.DataFrame(frame.drop(columns=name)).assign(geometry=shapely.to_wkb(frame.geometry.to_numpy(), hex=True))


def facts(conn: Connection, span: Span, view: RuleView) -> Facts:
    """Read a period. ``view``: rules that say how far chainages are carried over between two digitisings of a river."""
    on, known = span.last, span.known_at
    raw = _table(conn, _LEGS, span)
    axes = river_store.axes(conn, on, known)
    return Facts(
        span,
        river_store.has_namespace(conn, "demo"),
        river_store.units(conn, on, known),
        river_store.rivers(conn, on, known),
        river_store.reaches(conn, on, known),
        axes,
        _table(conn, _LANDMARKS, span),
        _table(conn, "SELECT * FROM app.chief_in(:first, :last, :known) ORDER BY unit_code, code, chief_id", span),
        _duties(conn, span),
        _table(conn, _PATROLS, span),
        _table(conn, _CREDITS, span),
        raw,
        _on_rivers(conn, raw, axes, view),
        _table(conn, _ENTRIES, span),
        _table(conn, _STRETCHES, span),
        _table(conn, _OBSERVATIONS, span),
        _table(conn, _SIGNALS, span),
        _table(conn, _REJECTED, span),
    )


_LEGS = """SELECT * FROM app.leg_in(:first, :last, :known) l
  WHERE l.track_id NOT IN (SELECT v.track_id FROM app.patrol_rejected_as_of(:known) v) ORDER BY day, track_id, seq"""
_PATROLS = """SELECT * FROM app.patrol_in(:first, :last, :known) p
  WHERE p.track_id NOT IN (SELECT v.track_id FROM app.patrol_rejected_as_of(:known) v) ORDER BY day, started_at, track_id"""
_REJECTED = """SELECT p.track_id, p.day FROM app.patrol_in(:first, :last, :known) p
  JOIN app.patrol_rejected_as_of(:known) v ON v.track_id = p.track_id ORDER BY p.day, p.track_id"""
_LANDMARKS = """SELECT m.river_id, m.name, m.kind, m.at_m FROM app.landmark_as_of(:last, :known) m
  WHERE m.river_id IS NOT NULL AND m.at_m IS NOT NULL ORDER BY m.river_id, m.at_m, m.code"""
_CREDITS = """SELECT k.track_id, k.entry_id, k.chief_id FROM app.patrol_credit_as_of(:known) k
  LEFT JOIN app.patrol_in(:first, :last, :known) p ON p.track_id = k.track_id
  LEFT JOIN app.patrol_entry_as_of(:known) e ON e.entry_id = k.entry_id AND e.day BETWEEN :first AND :last
  WHERE p.track_id IS NOT NULL OR e.entry_id IS NOT NULL ORDER BY k.track_id, k.entry_id, k.chief_id"""
_ENTRIES = (
    """SELECT * FROM app.patrol_entry_as_of(:known) e WHERE e.day BETWEEN :first AND :last ORDER BY e.day, e.entry_id"""
)
_STRETCHES = """SELECT s.entry_id, s.river_id, s.bank, s.from_m, s.to_m, e.day FROM data.patrol_entry_stretch s
  JOIN app.patrol_entry_as_of(:known) e ON e.entry_id = s.entry_id
  WHERE e.day BETWEEN :first AND :last ORDER BY s.entry_id, s.seq"""
_OBSERVATIONS = """SELECT o.id, o.track_id, o.entry_id, o.at, coalesce(p.day, e.day, (o.at AT TIME ZONE 'Asia/Shanghai')::date) AS day,
    o.kind, o.text, o.river_id, o.at_m, o.bank
  FROM data.observation o LEFT JOIN app.patrol_in(:first, :last, :known) p ON p.track_id = o.track_id
  LEFT JOIN app.patrol_entry_as_of(:known) e ON e.entry_id = o.entry_id
  WHERE o.recorded_at <= :known
    AND coalesce(p.day, e.day, (o.at AT TIME ZONE 'Asia/Shanghai')::date) BETWEEN :first AND :last ORDER BY day, o.at, o.id"""
# only what a person has confirmed goes out; the words of the question stand in the scoring it was raised in
_SIGNALS = """SELECT p.track_id, p.day, v.decided_at, v.decided_text, s.value->>'zh' AS zh, s.value->>'en' AS en
  FROM app.patrol_in(:first, :last, :known) p JOIN app.review_state_as_of(:known) v ON v.track_id = p.track_id
  CROSS JOIN LATERAL jsonb_array_elements(p.review) s(value)
  WHERE v.move = 'confirmed' AND s.value->>'code' = v.code ORDER BY p.day, p.track_id, v.code"""


def _table(conn: Connection, sql: str, span: Span) -> pd.DataFrame:
    return read_table(conn, sql, span.params)


def _duties(conn: Connection, span: Span) -> pd.DataFrame:
    return _table(
        conn,
        "SELECT * FROM app.duty_in(:first, :last, :known) ORDER BY chief_id, river_id, from_m, duty_id, version",
        span,
    )


def _on_rivers(conn: Connection, legs: pd.DataFrame, axes: gpd.GeoDataFrame, view: RuleView) -> OnRivers:
    """Legs on today's chainage; the lines of reaches that were re-digitised since are read only where there are any."""
    old = legs[legs["now_from_m"].isna() & legs["reach_from_m"].notna()][["reach_id", "reach_version"]]
    wanted = old.drop_duplicates()
    lines = read_frame(
        conn,
        """SELECT h.id AS reach_id, h.version AS reach_version, h.geom FROM data.reach h
        JOIN unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[])) w(id, version) ON w.id = h.id AND w.version = h.version""",
        {"ids": [str(i) for i in wanted["reach_id"]], "versions": [int(v) for v in wanted["reach_version"]]},
    )
    tolerance_m, reach_m = (view.number(f"river.chainage.transfer_{k}") for k in ("tolerance", "reach"))
    return period_lines.on_rivers(legs, lines, axes, tolerance_m=tolerance_m, reach_m=reach_m)


def sections_of(read: Facts, unit: str) -> pd.DataFrame:
    """Stretches of river that lie in a unit (adcode), also where they run on its border: river_id, from_m, to_m."""
    course = read.reaches[read.reaches["from_m"].notna() & (read.reaches["kind"] != "shoreline")]
    own = read.units[read.units["code"] == unit]
    level = own["level"].iloc[0] if len(own) else None
    parts = sections.of_courses(course, sections.Units(read.units[read.units["level"] == level]))
    inside = (parts["unit_code"] == unit) | parts["with_code"].fillna("").str.split("+").map(lambda c: unit in c)
    return parts.loc[inside, ["river_id", "from_m", "to_m"]].reset_index(drop=True)


def whole_rivers(read: Facts) -> pd.DataFrame:
    """Every river with an axis, from end to end: river_id, from_m, to_m (chainage of the axis)."""
    ends = read.reaches[read.reaches["from_m"].notna()].groupby("river_id", sort=True)
    out = ends.agg(from_m=("from_m", "min"), to_m=("to_m", "max")).reset_index()
    return out[out["to_m"].notna()].astype({"from_m": float, "to_m": float})
