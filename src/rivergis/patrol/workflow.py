"""Score the outings of a day and of days that changed since, keep every scoring replayable, purge what retention has passed."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from rivergis import crs
from rivergis.db.connect import Database
from rivergis.patrol import (
    clean,
    company,
    compliance,
    coverage,
    merge_workflow,
    outing_store,
    questions,
    review_workflow,
    store,
)
from rivergis.patrol.authenticity import course_of, limits_of
from rivergis.patrol.datum import in_wgs84
from rivergis.patrol.fixes import Fixes
from rivergis.patrol.outing_workflow import Ground, Outing, ground, read_outing
from rivergis.patrol.score import ENGINE, Score
from rivergis.patrol.score import score as score_table
from rivergis.rules import RuleView


@dataclass(frozen=True)
class DayScored:
    """Outings of a day: scored anew, unchanged, and with reasons for a person to look."""

    tracks: int
    scored: int
    unchanged: int
    to_review: int


def days_to_score(conn: Connection, view: RuleView, until: date, since: datetime | None) -> list[date]:
    """Days up to ``until`` whose outings have to be scored (again); see ``outing_store.days_to_score``."""
    return outing_store.days_to_score(conn, until, since, int(view.number("patrol.replay.days")))


def score_day(conn: Connection, view: RuleView, rule_set: str, on: date, known_at: datetime) -> DayScored:
    """Score every outing of the civil day in the caller's transaction; equal inputs make no new result.

    Duties are those in force on that day, so a new chief inherits nothing. Questions are raised, entries on paper that are the
    same patrol are merged.
    """
    tracks = outing_store.outings_of_day(conn, on, known_at)
    base = ground(conn, on, known_at, view) if len(tracks) else None
    scored = review = 0
    for track in tracks.itertuples():
        assert base is not None
        outing = read_outing(conn, track, base, view)
        if store.known_scoring(conn, track.id, outing.hash):
            continue
        done = score(conn, outing, base, view, rule_set)
        review_workflow.ask(conn, track.id, store.add_scoring(conn, done), [s["code"] for s in done.review])
        merge_workflow.merge_late(conn, track.id, view)
        scored, review = scored + 1, review + bool(done.review)
    return DayScored(len(tracks), scored, len(tracks) - scored, review)


def score(conn: Connection, outing: Outing, base: Ground, view: RuleView, rule_set: str) -> store.Scored:
    """Score an outing with what was read for it, ready to be recorded."""
    table = _tables(conn, [outing.track.id], outing.parts["id"])[outing.track.id]
    declared = next(iter(outing.parts["datum_declared"].dropna()), None)
    done = _score_one(outing, table, declared, base, view)
    courses = _courses(conn, outing, done, base)
    right = done.right
    visits = company.visits(right, outing.areas, view.number)
    figures = done.figures | {
        "datum": declared or done.datum,
        "datum_found": done.datum,  # of the fixes as they are stored; those of a declared datum were moved when received
        "clock_offset_s": float(outing.parts["clock_offset_s"].fillna(0.0).iloc[0]),
        "clock_basis": outing.parts["clock_basis"].iloc[0],
        "joint": company.joint(right, outing.track, outing.others, courses, outing.reaches, base.units, view.number),
        "party": outing.party.astype(object).where(outing.party.notna(), None).to_dict("records"),
        "areas": company.told(visits, outing.areas, outing.track.chief_id),
        "read": outing.read,
    }
    return store.Scored(
        outing.track.id,
        ENGINE,
        outing.hash,
        rule_set,
        _named(figures, base.reaches),
        [asdict(t) for t in _tested(outing, figures, view)],
        _asked(outing, done, courses, declared, view),
        leg_rows(done.legs, base.reaches),
        visits,
    )


def _score_one(outing: Outing, table: pd.DataFrame, declared: str | None, base: Ground, view: RuleView) -> Score:
    """The one place where the database hands a track to the pure scoring."""
    return score_table(
        table,
        base.waters,
        assigned(outing.duty, base.reaches),
        base.method,
        declared="wgs84" if declared else None,  # what was declared has been moved when it was received
        fast_kmh=view.number("patrol.coverage.fast_speed"),
    )


def _named(figures: dict[str, Any], reaches: gpd.GeoDataFrame) -> dict[str, Any]:
    """Figures that name reaches by their position, with the id of the reach instead: positions change with the network.

    Stops are kept as a place on a reach, as legs are; where a person stood away from the water (a home) leaves with the fixes.
    """
    out = dict(figures)
    for key in ("stops", "unobserved"):
        rows = [dict(r) for r in figures.get(key, [])]
        for r in rows:
            at = r.pop("reach")
            r["reach_id"] = str(reaches["id"].iloc[int(at)]) if at is not None else None
            r.pop("lon", None), r.pop("lat", None)
            if "at_s" in r:
                r["at"] = datetime.fromtimestamp(r.pop("at_s"), UTC).isoformat()
        out[key] = rows
    return out


def _tested(outing: Outing, figures: dict[str, Any], view: RuleView) -> list[compliance.Tested]:
    level = outing.duty["level"].iloc[0] if len(outing.duty) else None
    facts = {"chief_level": level} if level else {}
    said = {"mode": outing.track.mode, "hours_since_last": outing.hours_since_last}
    return compliance.test(figures | said, lambda key: view.find(key, **facts))


def _asked(
    outing: Outing, done: Score, courses: Mapping[uuid.UUID, Fixes], declared: str | None, view: RuleView
) -> list[dict[str, Any]]:
    """What a person should look at; other tracks are named in words that tell nothing of other people."""
    chief = str(outing.track.chief_id) if outing.track.chief_id else None
    others = [
        course_of(courses[o.id], str(o.id), str(o.chief_id) if o.chief_id else None)
        for o in outing.earlier.itertuples()
    ]
    mine = questions.course(done, str(outing.track.id), chief)
    found = questions.of_track(done, mine, others, limits_of(view.number), declared="wgs84" if declared else None)
    names = {str(o.id): _called(o, outing.track.chief_id) for o in outing.earlier.itertuples()}
    return [asdict(s) | {k: _renamed(getattr(s, k), names) for k in ("zh", "en")} for s in found]


def _called(other: Any, chief_id: uuid.UUID | None) -> str:
    """Another track as the person concerned may read of it: the own ones by day and file; a file of somebody else may bear a name."""
    own = chief_id is not None and other.chief_id == chief_id
    return f"{other.day} {other.file_name}" if own else f"{other.day} ({str(other.id)[:8]})"


def _renamed(sentence: str, names: Mapping[str, str]) -> str:
    for track_id, name in names.items():
        sentence = sentence.replace(track_id, name)
    return sentence


def _tables(
    conn: Connection, heads: Sequence[uuid.UUID], files: Collection[uuid.UUID] | None = None
) -> dict[uuid.UUID, pd.DataFrame]:
    """Fixes of outings by head, as ``clean.order`` reads them; ``files``: only of these."""
    fixes = store.fixes(conn, list(heads))
    fixes = fixes if files is None else fixes[fixes["track_id"].isin(files)]
    return {head: _as_declared(own.reset_index(drop=True)) for head, own in fixes.groupby("head")}


def _courses(conn: Connection, outing: Outing, done: Score, base: Ground) -> dict[uuid.UUID, Fixes]:
    """Cleaned fixes in WGS 84 of the outings this one is compared with; those nobody declared or scored as this one's are."""
    datums = {o.id: o.datum or done.datum for f in (outing.earlier, outing.others) for o in f.itertuples()}
    missing = [i for i in datums if i not in base.cleaned]
    for head, table in _tables(conn, missing).items():
        base.cleaned[head] = clean.order(table, base.method.cleaning)
    return {i: in_wgs84(base.cleaned[i], datum) for i, datum in datums.items()}


def shown(conn: Connection, head: uuid.UUID, figures: Mapping[str, Any], limits: clean.Limits) -> Fixes:
    """The cleaned fixes of an outing in WGS 84, where its scoring (``figures``) found them to lie; none where they were purged."""
    table = _as_declared(store.fixes(conn, [head]))
    return in_wgs84(clean.order(table, limits), figures.get("datum_found") or "wgs84")


def _as_declared(table: pd.DataFrame) -> pd.DataFrame:
    """Positions in WGS 84 where the datum was declared after the file had been read without (or with another part of the outing)."""
    declared = table["datum_declared"].dropna()
    late = (table["datum_used"] == "wgs84").to_numpy() & (len(declared) > 0)
    if not late.any() or declared.iloc[0] in ("wgs84", "cgcs2000"):
        return table
    lon, lat = crs.to_wgs84(table["lon"].to_numpy(), table["lat"].to_numpy(), declared.iloc[0])
    return table.assign(lon=np.where(late, lon, table["lon"]), lat=np.where(late, lat, table["lat"]))


def assigned(duties: pd.DataFrame, reaches: gpd.GeoDataFrame) -> pd.DataFrame:
    """Duties on river chainages as stretches of reaches, bank by bank: reach position, bank, from_m, to_m."""
    on = pd.DataFrame({c: reaches[c].to_numpy() for c in ("river_id", "from_m", "to_m", "length_m")})
    on = on.assign(reach=np.arange(len(on)))[on["from_m"].notna()]
    both = duties[["river_id", "bank", "from_m", "to_m"]].merge(on, on="river_id", suffixes=("_duty", ""))
    low, high = both[["from_m_duty", "from_m"]].max(axis=1), both[["to_m_duty", "to_m"]].min(axis=1)
    scale = both["length_m"] / (both["to_m"] - both["from_m"])
    part = pd.DataFrame(
        {
            "reach": both["reach"],
            "bank": both["bank"],
            "from_m": (low - both["from_m"]) * scale,
            "to_m": (high - both["from_m"]) * scale,
        }
    )[high > low]
    banks = [part[part["bank"].isin(("both", b))].assign(bank=b) for b in ("left", "right")]
    return pd.concat(banks).sort_values(["reach", "bank", "from_m"], ignore_index=True)


def _passes(legs: pd.DataFrame) -> pd.Series:
    """Which pass along its reach each leg is, from 1; missing for what was not passed."""
    passed = legs["passage"].where(legs["passage"] >= 0)
    return passed.groupby(legs["reach"]).rank("dense").astype("Int64")


def leg_rows(legs: pd.DataFrame, reaches: gpd.GeoDataFrame) -> pd.DataFrame:
    """Legs of a score as rows of ``data.leg``, on the versions of the reaches they were measured on."""
    on = reaches.iloc[legs["reach"].to_numpy(dtype=int)]
    seen = (legs["why"] == coverage.SEEN).to_numpy()
    return legs[["bank", "from_m", "to_m", "mode", "confidence", "speed_ms"]].assign(
        reach_id=on["id"].to_numpy(),
        reach_version=on["version"].to_numpy(dtype=int),
        seen=seen,
        reason=np.where(seen, None, legs["why"]),
        passage=_passes(legs),
        started_at=pd.to_datetime(legs["started_s"].astype(float), unit="s", utc=True),
        ended_at=pd.to_datetime(legs["ended_s"].astype(float), unit="s", utc=True),
    )


def purge_expired(db: Database, *, today: date, retention_days: int, store_dir: Path, actor: str) -> int:
    """Remove fixes and raw files of tracks past the retention period, keeping intervals, observations and hash; how many."""
    with db.write(actor) as conn:
        gone = store.purge(conn, today - timedelta(days=retention_days))
        files = store.purged_files(conn)
    for raw_path in files:  # also what a purge that was cut off left behind
        (store_dir / raw_path).unlink(missing_ok=True)
    return len(gone)
