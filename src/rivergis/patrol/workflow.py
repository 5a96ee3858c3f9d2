"""Jobs on patrols: receive a track file, score the tracks of a day, purge what the retention period has passed."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from rivergis import crs
from rivergis.db.connect import Database
from rivergis.db.versions import IDENTITY_NAMESPACE, identity
from rivergis.intake import sources
from rivergis.intake import track as track_intake
from rivergis.patrol import coverage, store
from rivergis.patrol.score import ENGINE, Score, method_of, score
from rivergis.river import store as river_store
from rivergis.rules import RuleView

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Received:
    """A track file taken in: its id, whether it was new, and what was noticed."""

    track_id: str
    new: bool
    fixes: int
    diagnostics: list[dict[str, Any]]


def receive_track(
    db: Database,
    path: Path,
    *,
    actor: str,
    store_dir: Path,
    chief_code: str | None = None,
    datum: str | None = None,
    mode: str = "app",
    uploaded_at: datetime | None = None,
    namespace: str = "local",
) -> Received:
    """Record one track file: fixes in EPSG:4490, the raw file kept under its hash. The same file again changes nothing.

    An undeclared datum is read as WGS 84 and stays undeclared: the scoring asks, nothing is moved in silence.
    """
    read = track_intake.read_track(path, datum or "wgs84")
    track_id = uuid.uuid5(IDENTITY_NAMESPACE, "track/" + read.sha256)
    raw = Path("tracks") / f"{read.sha256}{path.suffix.lower()}"
    with db.write(actor) as conn:
        if store.track_of_file(conn, read.sha256):
            return Received(str(track_id), False, len(read.fixes), read.diagnostics)
        at = read.fixes["at"].dropna()
        started = at.min() if len(at) else None
        row = {
            "id": track_id,
            "raw_sha256": read.sha256,
            "raw_path": str(raw),
            "file_name": path.name,
            "format": read.format,
            "chief_id": identity("chief", namespace, chief_code) if chief_code else None,
            "mode": mode,
            "datum_declared": datum,
            "datum_used": datum or "wgs84",
            "started_at": started,
            "ended_at": at.max() if len(at) else None,
            "day": started.tz_convert(SHANGHAI).date() if started is not None else None,
            "fix_count": len(read.fixes),
            "uploaded_at": uploaded_at,
        }
        store.add_track(conn, row, _fix_rows(read.fixes))
        sources.keep(path, store_dir / raw)
    return Received(str(track_id), True, len(read.fixes), read.diagnostics)


def _fix_rows(fixes: pd.DataFrame) -> gpd.GeoDataFrame:
    geom = gpd.points_from_xy(fixes["lon"], fixes["lat"])
    columns = [c for c in ("at", "acc_m", "speed_ms", "received_at") if c in fixes]
    return gpd.GeoDataFrame(
        fixes[columns].assign(seq=np.arange(len(fixes))),
        geometry=gpd.GeoSeries(geom, index=fixes.index),
        crs=crs.STORAGE,
    ).rename_geometry("geom")


@dataclass(frozen=True)
class DayScored:
    """Tracks of a day: scored anew, unchanged, and with reasons for a person to look."""

    tracks: int
    scored: int
    unchanged: int
    to_review: int


def score_day(conn: Connection, view: RuleView, rule_set: str, on: date, known_at: datetime) -> DayScored:
    """Score every track of the civil day in the caller's transaction; equal inputs make no new result."""
    tracks = store.tracks_of_day(conn, on)
    reaches = river_store.reaches(conn, on, known_at)
    duties = river_store.duties(conn, on, known_at)
    scored = unchanged = review = 0
    for track in tracks.itertuples():
        mine = duties[duties["chief_id"] == track.chief_id] if track.chief_id else duties.iloc[:0]
        input_hash = _input_hash(track, mine, reaches, rule_set)
        if store.known_scoring(conn, track.id, input_hash):
            unchanged += 1
            continue
        done = _score_one(conn, track, mine, reaches, view)
        store.add_scoring(conn, _record(track.id, input_hash, rule_set, done, reaches))
        scored, review = scored + 1, review + bool(done.review)
    return DayScored(len(tracks), scored, unchanged, review)


def _score_one(conn: Connection, track: Any, mine: pd.DataFrame, reaches: gpd.GeoDataFrame, view: RuleView) -> Score:
    level = mine["level"].iloc[0] if len(mine) else None
    return score(
        store.fixes(conn, track.id),
        reaches,
        assigned(mine, reaches),
        method_of(view.number),
        rule=lambda key: view.find(key, chief_level=level),
        same_as=store.same_course(
            conn, track.id, view.number("patrol.cheat.same_place"), view.number("patrol.cheat.similarity")
        ),
        datum_declared=track.datum_declared,
    )


def assigned(duties: pd.DataFrame, reaches: gpd.GeoDataFrame) -> pd.DataFrame:
    """Duties on river chainages as stretches of reaches, bank by bank: reach position, bank, from_m, to_m."""
    rows = []
    for duty in duties.itertuples():
        own = reaches[(reaches["river_id"] == duty.river_id) & reaches["from_m"].notna()]
        for i, reach in zip(reaches.index.get_indexer(own.index), own.itertuples(), strict=True):
            lo, hi = max(duty.from_m, reach.from_m), min(duty.to_m, reach.to_m)
            scale = reach.length_m / (reach.to_m - reach.from_m)
            if hi > lo:
                rows += [
                    (int(i), bank, (lo - reach.from_m) * scale, (hi - reach.from_m) * scale)
                    for bank in ("left", "right")
                    if duty.bank in ("both", bank)
                ]
    return pd.DataFrame(rows, columns=["reach", "bank", "from_m", "to_m"])


def _input_hash(track: Any, mine: pd.DataFrame, reaches: gpd.GeoDataFrame, rule_set: str) -> str:
    body = [
        track.raw_sha256,
        track.datum_used,
        ENGINE,
        rule_set,
        sorted(zip(mine["id"].astype(str), mine["version"], strict=True)),
        sorted(zip(reaches["id"].astype(str), reaches["version"], strict=True)),
    ]
    return hashlib.sha256(json.dumps(body, default=str).encode()).hexdigest()


def _record(
    track_id: uuid.UUID, input_hash: str, rule_set: str, done: Score, reaches: gpd.GeoDataFrame
) -> store.Scored:
    legs = pd.DataFrame(
        [
            {
                "reach_id": reaches["id"].iloc[s.reach],
                "reach_version": int(reaches["version"].iloc[s.reach]),
                "bank": s.bank,
                "from_m": s.from_m,
                "to_m": s.to_m,
                "seen": s.why == coverage.SEEN,
                "reason": None if s.why == coverage.SEEN else s.why,
                "started_at": s.started_at,
                "ended_at": s.ended_at,
            }
            for s in done.stretches
        ]
    )
    return store.Scored(
        track_id,
        ENGINE,
        input_hash,
        rule_set,
        done.figures,
        [asdict(t) for t in done.standard],
        [asdict(r) for r in done.review],
        legs,
    )


def purge_expired(db: Database, *, today: date, retention_days: int, store_dir: Path, actor: str) -> int:
    """Remove fixes and raw files of tracks past the retention period, keeping intervals and hash; returns how many."""
    with db.write(actor) as conn:
        gone = store.purge(conn, today - timedelta(days=retention_days))
    for _, raw_path in gone:
        (store_dir / raw_path).unlink(missing_ok=True)
    return len(gone)
