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
