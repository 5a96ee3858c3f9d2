"""Read everything the scoring of an outing rests on, with one hash over it: an equal hash means an equal result."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis.patrol import outing_store, store
from rivergis.patrol.fixes import Fixes
from rivergis.patrol.score import ENGINE, Method, method_of, waters_of
from rivergis.patrol.water import Waters
from rivergis.river import store as river_store
from rivergis.rules import RuleView

ROUND_DEGREES = 0.02  # reaches this near to a track are read: sight, the greatest shift of a datum (1.2 km), and room


@dataclass(frozen=True, eq=False)
class Ground:
    """What a day stands on, as known at a moment: reaches, duties, units and patrol areas in force."""

    on: date
    known_at: datetime
    reaches: gpd.GeoDataFrame
    duties: pd.DataFrame
    units: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    method: Method
    cleaned: dict[uuid.UUID, Fixes] = field(default_factory=dict)
    """Fixes of outings that others are compared with, read once."""

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of the reaches."""
        return shapely.STRtree(self.reaches.geometry.values)

    @cached_property
    def waters(self) -> Waters:
        """The reaches made ready for matching, once for all tracks of the day."""
        return waters_of(self.reaches, self.method)

    def near(self, track: Any, duty: pd.DataFrame) -> gpd.GeoDataFrame:
        """The reaches round an outing and those of the rivers its chief answers for: what its scoring reads."""
        d = ROUND_DEGREES
        box = shapely.box(track.west - d, track.south - d, track.east + d, track.north + d)
        picked = self.reaches["river_id"].isin(duty["river_id"]).to_numpy(copy=True)
        picked[self.tree.query(box)] = True
        return self.reaches[picked]


def ground(conn: Connection, on: date, known_at: datetime, view: RuleView) -> Ground:
    """Read what a day stands on."""
    reaches, duties = river_store.reaches(conn, on, known_at), river_store.duties(conn, on, known_at)
    areas = outing_store.areas(conn, on, known_at)
    reaches, duties, areas = (f.assign(digest=_contents(f)) for f in (reaches, duties, areas))
    return Ground(on, known_at, reaches, duties, river_store.units(conn, on, known_at), areas, method_of(view.number))


@dataclass(frozen=True, eq=False)
class Outing:
    """Everything a scoring reads of one outing; ``hash`` covers it all, so an equal hash means an equal result."""

    track: Any
    parts: pd.DataFrame
    duty: pd.DataFrame
    reaches: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    party: pd.DataFrame
    earlier: pd.DataFrame
    others: pd.DataFrame
    hours_since_last: float | None
    rules: str
    read: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def hash(self) -> str:
        """Over the files, what was said of them, everything near as it stands, the tracks compared with, and the rules."""
        body = [
            ENGINE,
            self.rules,
            self.track.chief_id,
            self.track.unit_code,
            self.track.mode,
            self.hours_since_last,
            self.parts[["raw_sha256", "datum_declared", "clock_offset_s"]].astype(str).values.tolist(),
            *(sorted(f["digest"]) for f in (self.duty, self.reaches, self.areas)),
            self.party.astype(str).values.tolist(),
            *(_compared(f) for f in (self.earlier, self.others)),
        ]
        return hashlib.sha256(json.dumps(body, default=str).encode()).hexdigest()


def _contents(frame: pd.DataFrame) -> list[str]:
    """A digest of each row; a version that only ends earlier, or begins later, than the one before says the same."""
    plain = frame.drop(columns=["version", *(c for c in ("geom",) if c in frame)])
    shapes = shapely.to_wkb(frame["geom"].to_numpy()) if "geom" in frame else [b""] * len(frame)
    rows = zip(plain.astype(str).itertuples(index=False, name=None), shapes, strict=True)
    return [hashlib.sha256(repr(row).encode() + shape).hexdigest() for row, shape in rows]


def _compared(tracks: pd.DataFrame) -> list[tuple[str, str]]:
    """Other tracks, with the datum of those that are not in WGS 84: scoring one of the others later changes nothing else."""
    moved = tracks["datum"].fillna("wgs84")
    return sorted((str(i), str(d)) for i, d in zip(tracks["id"], moved, strict=True))


def read_outing(conn: Connection, track: Any, base: Ground, view: RuleView) -> Outing:
    """Read what the scoring of an outing needs (``track``: a row of ``outing_store.outings_of_day``)."""
    duty = base.duties[base.duties["chief_id"] == track.chief_id] if track.chief_id else base.duties.iloc[:0]
    parts = store.parts(conn, track.id)
    earlier = outing_store.earlier_of_same_place(
        conn,
        track.id,
        base.known_at,
        days=view.number("patrol.replay.days"),
        together_min=view.number("patrol.cheat.same_time"),
        limit=int(view.number("patrol.replay.candidates")),
    )
    others = outing_store.at_the_same_time(conn, track.id, base.known_at)
    box = shapely.box(track.west, track.south, track.east, track.north)
    areas = base.areas[base.areas.intersects(box)].reset_index(drop=True)
    read = {
        "jurisdiction": view.path[-1],
        "chief_id": str(track.chief_id) if track.chief_id else None,
        "unit_code": track.unit_code,
        "parts": [{"id": str(p.id), "sha256": p.raw_sha256} for p in parts.itertuples()],
        "compared_with": {str(o.id): o.datum for f in (earlier, others) for o in f.itertuples()},
    }
    return Outing(
        track, parts, duty, base.near(track, duty), areas, outing_store.parties(conn, track.id), earlier, others,
        outing_store.hours_since_last(conn, track.id, base.known_at), rules_hash(view), read,
    )  # fmt: skip


def rules_hash(view: RuleView) -> str:
    """Hash of the patrol rows in force at a place on a day: other rows of the book change no patrol."""
    rows = [
        r.as_dict()
        for r in view.book.rows()
        if r.key.startswith("patrol.") and r.jurisdiction in view.path and r.holds_on(view.on)
    ]
    return hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).hexdigest()
