"""Receive a track file: its fixes, clock, outing, party and observations in one transaction; the raw file under its hash.

Whatever the order in which files come, and however often, the database ends up the same.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from rivergis import crs
from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.db.versions import IDENTITY_NAMESPACE, identity
from rivergis.errors import InputError, NotFound
from rivergis.intake import sources
from rivergis.intake import track as track_intake
from rivergis.patrol import clean, outing
from rivergis.patrol import receive_store as store
from rivergis.river import place
from rivergis.rules import RuleView

SHANGHAI = ZoneInfo("Asia/Shanghai")
_NEAR_DEGREES = 0.02  # reaches looked up round an observation; far more than anybody sees


@dataclass(frozen=True)
class Said:
    """What a sender says of a track file; None = not said.

    ``party``: who took part besides the chief, each with part, and chief_code, person or unit_code.
    """

    chief_code: str | None = None
    datum: str | None = None
    mode: str = "app"
    uploaded_at: datetime | None = None
    device: str | None = None
    session: str | None = None
    unit_code: str | None = None
    party: tuple[dict[str, str], ...] = ()
    namespace: str = "local"


@dataclass(frozen=True)
class Received:
    """A track file taken in: id, whether it was new, its day and outing, how many observations came with it, what was noticed."""

    track_id: str
    new: bool
    fixes: int
    day: str | None
    head: str
    parts: int
    observations: int = 0
    diagnostics: list[dict[str, Any]] = field(default_factory=list)


def receive_track(
    db: Database,
    path: Path,
    said: Said,
    *,
    view: RuleView,
    actor: str,
    store_dir: Path,
    read: track_intake.TrackFile | None = None,
) -> Received:
    """Record one track file. The same file again changes nothing but what it says in addition (whose it is, from which device).

    An undeclared datum is read as WGS 84 and stays undeclared: the scoring asks, nothing is moved in silence. ``read``: what was
    read from it in the datum said, where many files were read together. Raises ``InputError`` for an unusable file, an unknown chief, or
    one said to be somebody else's than before.
    """
    read = read or track_intake.read_track(path, said.datum or "wgs84")
    gaps = gaps_of(view)
    with db.write(actor) as conn:
        party = [_person(conn, p, said.namespace) for p in said.party]
        told = _told(conn, said)
        store.one_at_a_time(conn)
        known = store.known(conn, read.sha256)
        if known is not None and known["purged_at"] is not None:
            return _received(known, False, read, pd.Series(known["id"]), 0)
        told = told if known is None else _agreed(known, told, path.name)
        row = _row(read, told, view)
        if known is None:
            raw = Path("tracks") / f"{read.sha256}{path.suffix.lower()}"
            row |= {
                "id": uuid.uuid5(IDENTITY_NAMESPACE, "track/" + read.sha256),
                "raw_sha256": read.sha256,
                "raw_path": str(raw),
                "file_name": path.name,
                "format": read.format,
                "datum_used": told["datum_declared"] or "wgs84",
                "fix_count": len(read.fixes),
            }
            store.add(conn, row, _fix_rows(read.fixes))
            sources.keep(path, store_dir / raw, sha256=read.sha256)
        else:
            row |= {"id": known["id"]}
            store.complete(conn, known["id"], {k: v for k, v in row.items() if k != "id"})
        store.add_party(conn, row["id"], party)
        observed = observe(conn, row["id"], read.places, view, row["day"])
        return _received(row, known is None, read, regroup(conn, row["id"], gaps), observed)


def _received(row: Any, new: bool, read: track_intake.TrackFile, heads: pd.Series, observed: int) -> Received:
    head = heads.get(row["id"], row["id"])
    parts = int((heads == head).sum())
    day = row["day"].isoformat() if row["day"] is not None else None
    return Received(str(row["id"]), new, len(read.fixes), day, str(head), parts, observed, read.diagnostics)


def gaps_of(view: RuleView) -> outing.Gaps:
    """How long a pause may be between parts of one outing, by the rules."""
    return outing.Gaps(60 * view.number("patrol.part.gap"), 60 * view.number("patrol.part.session_gap"))


def regroup(conn: Connection, track_id: uuid.UUID, gaps: outing.Gaps) -> pd.Series:
    """Say anew which tracks are parts of one outing with this one: id -> head."""
    kin = store.kin(conn, track_id, gaps.device_s, gaps.session_s)
    heads = outing.heads(kin, gaps).set_axis(kin["id"])
    store.put_heads(conn, heads.to_dict())
    return heads


def bind_account(db: Database, user: str, chief_code: str | None, namespace: str, *, actor: str) -> None:
    """Say whose account a user is, or (None) that it is nobody's any more; ``NotFound`` for an unknown user."""
    with db.write(actor) as conn:
        if chief_code is not None:
            _require_chief(conn, namespace, chief_code)
        chief = identity("chief", namespace, chief_code) if chief_code is not None else None
        if not store.set_account(conn, user, chief):
            raise NotFound(f"There is no user {user!r}: make one with 'rivergis user add'.")


def _told(conn: Connection, said: Said) -> dict[str, Any]:
    if said.chief_code is not None:
        _require_chief(conn, said.namespace, said.chief_code)
    return {
        "chief_id": identity("chief", said.namespace, said.chief_code) if said.chief_code else None,
        "mode": said.mode,
        "datum_declared": said.datum,
        "uploaded_at": said.uploaded_at.astimezone(UTC) if said.uploaded_at else None,
        "device": said.device,
        "session": said.session,
        "unit_code": said.unit_code,
    }


def _require_chief(conn: Connection, namespace: str, code: str) -> None:
    if not system.knows(conn, "chief", namespace, code):
        raise InputError(
            f"There is talk of the chief {code!r}, whom the database does not hold in namespace {namespace!r}: import the chiefs first, or say with --namespace who gave the code."
        )


def _person(conn: Connection, p: dict[str, str], namespace: str) -> dict[str, Any]:
    out: dict[str, Any] = {k: p[k] for k in ("part", "person", "unit_code") if k in p}
    if "chief_code" in p:
        _require_chief(conn, namespace, p["chief_code"])
        out["chief_id"] = identity("chief", namespace, p["chief_code"])
    return out


def _agreed(known: dict[str, Any], told: dict[str, Any], name: str) -> dict[str, Any]:
    """What earlier and this delivery of the same file say together; ``InputError`` where they contradict each other.

    Of two times of upload the earlier is when it came; a mode other than the usual is what somebody knew.
    """
    out = {}
    for key in store.SAID:
        before, now = known[key], told[key]
        if key == "uploaded_at":
            out[key] = min((t for t in (before, now) if t is not None), default=None)
        elif key == "mode":
            out[key] = before if now == "app" else now
        elif before is not None and now is not None and before != now:
            raise InputError(
                f"{name} was received before, with another {_LABEL[key]} than now: nothing was changed; ask both senders whose "
                "track it is.",
                track_id=str(known["id"]),
            )
        else:
            out[key] = before if now is None else now
    return out


_LABEL = {
    "chief_id": "chief",
    "datum_declared": "datum",
    "device": "device",
    "session": "session",
    "unit_code": "unit",
}


def _row(read: track_intake.TrackFile, told: dict[str, Any], view: RuleView) -> dict[str, Any]:
    """What follows from the fixes and what is said: repaired start and end, civil day, repair of the clock."""
    uploaded = told["uploaded_at"].timestamp() if told["uploaded_at"] else np.nan
    fixes = clean.order(read.fixes, clean.limits_of(view.number), uploaded_s=uploaded)
    t = fixes.t_s[np.isfinite(fixes.t_s)]
    start, end = (datetime.fromtimestamp(float(f(t)), UTC) for f in (np.min, np.max)) if len(t) else (None, None)
    return told | {
        "started_at": start,
        "ended_at": end,
        "day": start.astimezone(SHANGHAI).date() if start is not None else None,
        "clock_offset_s": fixes.clock.offset_s if len(t) else None,
        "clock_basis": fixes.clock.basis if len(t) else None,
    }


def _fix_rows(fixes: pd.DataFrame) -> gpd.GeoDataFrame:
    geom = gpd.points_from_xy(fixes["lon"], fixes["lat"])
    columns = [c for c in ("at", "acc_m", "speed_ms", "received_at") if c in fixes]
    return gpd.GeoDataFrame(
        fixes[columns].assign(seq=np.arange(len(fixes))),
        geometry=gpd.GeoSeries(geom, index=fixes.index),
        crs=crs.STORAGE,
    ).rename_geometry("geom")


def observe(conn: Connection, track_id: uuid.UUID, places: pd.DataFrame, view: RuleView, on: Any) -> int:
    """Record observations (观察点) of a track, referred to river, chainage and bank; returns how many were new.

    ``places``: at (UTC or missing), kind, text, lon, lat (degrees of WGS 84), and photo_sha256 where known; ``on``: the civil
    day of the patrol, None = today. The same observation again changes nothing.
    """
    if places.empty:
        return 0
    day = on or datetime.now(SHANGHAI).date()
    points = gpd.GeoSeries(gpd.points_from_xy(places["lon"], places["lat"]), index=places.index, crs=crs.STORAGE)
    rows = gpd.GeoDataFrame(places.drop(columns=["lon", "lat"]), geometry=points).rename_geometry("geom")
    photos = rows["photo_sha256"] if "photo_sha256" in rows else [""] * len(rows)
    keys = [
        f"{r.at}|{r.kind}|{r.text}|{r.geom.x:.7f}|{r.geom.y:.7f}{photo}"
        for r, photo in zip(rows.itertuples(), photos, strict=True)
    ]
    rows = rows.assign(id=[uuid.uuid5(track_id, "observation/" + k) for k in keys], track_id=track_id)
    return store.add_observations(conn, rows.join(_on_rivers(conn, points, view, day)))


def _on_rivers(conn: Connection, points: gpd.GeoSeries, view: RuleView, day: Any) -> pd.DataFrame:
    """river_id, at_m (chainage) and bank of each point; missing where no reach is near."""
    west, south, east, north = points.total_bounds
    d = _NEAR_DEGREES
    reaches = store.reaches_within(conn, day, (west - d, south - d, east + d, north + d))
    out = pd.DataFrame({"river_id": None, "at_m": np.nan, "bank": None}, index=points.index, dtype=object)
    if reaches.empty or (reaches["kind"] == "shoreline").all():
        return out
    at = place.place(reaches, points, within_m=view.number("patrol.observation.within"), min_confidence=0.0)
    found = at[at["reach_id"].notna()].join(reaches.set_index("reach_id").drop(columns="geom"), on="reach_id")
    scale = (found["to_m"] - found["from_m"]) / found["length_m"]
    out.loc[found.index, "river_id"] = found["river_id"]
    out.loc[found.index, "at_m"] = (found["from_m"] + found["at_m"] * scale).astype(float)
    out.loc[found.index, "bank"] = found["bank"]
    return out.astype({"at_m": float})
