"""Reports from the place become candidates (现场上报): typed, from a table with photos, from photos alone, or from patrols."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.db.versions import IDENTITY_NAMESPACE
from rivergis.encroachment import report_store, reports, store
from rivergis.errors import UsageError
from rivergis.intake import photo, sources
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.rules import RuleView

NAMESPACE = "inspector"
SHANGHAI = ZoneInfo("Asia/Shanghai")
_TIME_OPEN = frozenset({"photo_no_time", "photo_other_time"})
Kind = Callable[[str], str | None]
"""Kind of candidate that a word of a source names, nothing_found, or None where it names none."""


@dataclass(frozen=True)
class Said:
    """One report as it is said. Position in degrees of ``datum``; missing = that of the photo."""

    kind: str
    lon: float | None = None
    lat: float | None = None
    at: datetime | None = None
    accuracy_m: float | None = None
    datum: str = "wgs84"
    photo: Path | None = None
    note: str | None = None
    word: str | None = None
    source: str = ""
    """File and row, where it came in a table."""


@dataclass(frozen=True)
class Reported:
    """What became of one report."""

    report: str
    kind: str
    known: bool
    lon: float
    lat: float
    at: datetime
    candidate: str | None
    doubts: list[str] = field(default_factory=list)
    source: str = ""


@dataclass(frozen=True)
class _Ready:
    """A report with its photo read, placed and timed."""

    id: uuid.UUID
    said: Said
    point: shapely.Point
    at: datetime
    accuracy_m: float
    photo_sha256: str | None
    doubts: list[dict[str, str]]
    observation_id: uuid.UUID | None = None
    photo_path: str | None = None


def kinds(view: RuleView) -> Kind:
    """What the words of sources mean at a place, by the taxonomy: our own codes and labels of kinds too."""
    own = {k: k for k in (*reports.KINDS, reports.NOTHING)} | {words.say(f"kind.{k}"): k for k in reports.KINDS}

    def kind_of(word: str) -> str | None:
        if reports.nothing(word):
            return reports.NOTHING
        found = view.book.local_class(view.path, word)
        return own.get(word.strip()) or reports.kind_of_class(found.groups, found.code)

    return kind_of


def report(
    db: Database,
    said: Sequence[Said],
    *,
    actor: str,
    store_dir: Path,
    view: RuleView,
    limits: Limits = DEFAULT,
    now: datetime | None = None,
) -> list[Reported]:
    """Record reports in one transaction; the same report again changes nothing.

    The photo is kept by its hash; where its position or time differs from what is said, that is told and kept. Raises
    ``UsageError`` where a report has no position, ``InputError`` where a photo cannot be read.
    """
    shown = view.number("encroach.report.photo_distance")
    ready = [_ready(s, shown, limits, now or datetime.now(UTC)) for s in said]
    with db.write(actor) as conn:
        known = report_store.known(conn, [r.id for r in ready])
        fresh = {r.id: r for r in ready if r.id not in known}
        shown_by = Counter(r.photo_sha256 for r in fresh.values())
        new = {i: _photo_used(conn, r, shown_by[r.photo_sha256] > 1) for i, r in fresh.items()}
        for r in new.values():
            if r.said.photo is not None and r.photo_path is not None:
                sources.keep(r.said.photo, store_dir / r.photo_path, sha256=r.photo_sha256)
        _record(conn, list(new.values()))
    return [_reported(new.get(r.id, r), r.id in known) for r in ready]


def _ready(said: Said, shown_m: float, limits: Limits, now: datetime) -> _Ready:
    facts: Mapping[str, Any] = {}
    if said.photo is not None:
        facts = photo.read_photo(said.photo, Asked(), limits).layers[0].facts
    lon, lat = _position(said, facts)
    taken = facts.get("taken_at")
    at = said.at or (datetime.fromisoformat(taken) if taken else now)
    if at.tzinfo is None:
        at = at.replace(tzinfo=SHANGHAI)
    if at > now + pd.Timedelta(minutes=10):
        raise UsageError(f"A report cannot be of the future ({at:%Y-%m-%d %H:%M}): give the time it was seen.")
    accuracy = said.accuracy_m if said.accuracy_m is not None else facts.get("error_m") or reports.USUAL_ACCURACY_M
    found = reports.doubts(facts, lon, lat, said.at, accuracy, shown_m) if said.photo is not None else []
    sha256 = facts.get("sha256")
    moment = (said.at or (datetime.fromisoformat(taken) if taken else None)) and at.astimezone(UTC).isoformat()
    key = f"report/{said.kind}/{lon:.7f}/{lat:.7f}/{moment or at.astimezone(SHANGHAI).date()}/{said.note or ''}/{sha256 or ''}"
    return _Ready(
        uuid.uuid5(IDENTITY_NAMESPACE, key),
        said,
        shapely.Point(lon, lat),
        at.astimezone(UTC),
        float(accuracy),
        sha256,
        [{"code": d.code, "said": words.both(f"report_doubt.{d.code}", **d.values)} for d in found],
        None,
        None if said.photo is None else f"evidence/{sha256}{said.photo.suffix.lower()}",
    )


def _position(said: Said, facts: Mapping[str, Any]) -> tuple[float, float]:
    """Degrees of WGS 84 as said, else of the photo."""
    if (said.lon is None) != (said.lat is None):
        raise UsageError(f"{said.source or 'The report'} has only one of --lon and --lat: give both.")
    if said.lon is None or said.lat is None:
        if facts.get("lon") is None:
            raise UsageError(
                f"{said.source or 'The report'} says no position and its photo carries none: give --lon and --lat."
            )
        return float(facts["lon"]), float(facts["lat"])
    if abs(said.lon) > 180 or abs(said.lat) > 90:
        raise UsageError(f"{said.lon}, {said.lat} is no longitude and latitude in degrees: --lon comes before --lat.")
    lon, lat = crs.to_wgs84([said.lon], [said.lat], "wgs84" if said.datum == "cgcs2000" else said.datum)
    return float(lon[0]), float(lat[0])


def _photo_used(conn: Connection, r: _Ready, twice: bool) -> _Ready:
    """A photo that another report carries proves only one of them: told."""
    if r.photo_sha256 is None or not (twice or report_store.photos(conn, r.photo_sha256)):
        return r
    doubt = {"code": "photo_used_twice", "said": words.both("report_doubt.photo_used_twice")}
    return replace(r, doubts=[*r.doubts, doubt])


def _record(conn: Connection, ready: Sequence[_Ready]) -> None:
    """Reports, and candidates of the feed that is added to, by the civil day each was seen on."""
    days: dict[date, list[_Ready]] = {}
    for r in ready:
        days.setdefault(r.at.astimezone(SHANGHAI).date(), []).append(r)
    for day, group in sorted(days.items()):
        things = [r for r in group if r.said.kind != reports.NOTHING]
        held = _candidates(conn, things, day) if things else {}
        for r in group:
            report_store.add(conn, _row(r, held.get(str(r.id))))


def _candidates(conn: Connection, things: Sequence[_Ready], day: date) -> dict[str, uuid.UUID]:
    """The things reported on a day as an addition to the feed; code of a candidate -> its identity."""
    import_id = uuid.uuid4()
    frame = gpd.GeoDataFrame(
        {
            "code": [str(r.id) for r in things],
            "kind": [r.said.kind for r in things],
            "source_kind": "inspector",
            "accuracy_m": [r.accuracy_m for r in things],
            "seen_at": [r.at for r in things],
            "evidence": [
                {k: v for k, v in (("report", str(r.id)), ("subtype", r.said.word), ("photo", r.photo_sha256)) if v}
                for r in things
            ],
            "source_feature": [str(n) for n in range(len(things))],
            "geom": [r.point for r in things],
        },
        geometry="geom",
        crs=crs.STORAGE,
    )
    content = uuid.uuid5(IDENTITY_NAMESPACE, "/".join(sorted(str(r.id) for r in things)))
    saved = store.save(
        conn,
        "candidate",
        frame,
        namespace=NAMESPACE,
        import_id=import_id,
        feed=report_store.FEED,
        delivered_on=day,
        complete=False,
    )
    system.record_import(
        conn, import_id=import_id, layer="candidate", file_name="reports", file_sha256=content.hex, source_layer="",
        profile="report", options={"delivered_on": str(day)}, source_crs=crs.STORAGE, count_in=len(things),
        count_imported=saved.imported, count_unchanged=saved.unchanged, count_quarantined=len(saved.set_aside), count_skipped=0,
        report={},
    )  # fmt: skip
    return {code: identity for code, (identity, _) in saved.versions.items()}


def _row(r: _Ready, candidate: uuid.UUID | None) -> dict[str, Any]:
    said = {"lon": r.said.lon, "lat": r.said.lat, "datum": r.said.datum, "source": r.said.source}
    return {
        "id": r.id,
        "kind": r.said.kind,
        "word": r.said.word,
        "candidate_id": candidate,
        "observation_id": r.observation_id,
        "at": r.at,
        "accuracy_m": r.accuracy_m,
        "note": r.said.note,
        "photo_sha256": r.photo_sha256,
        "photo_path": r.photo_path,
        "said": {k: v for k, v in said.items() if v not in (None, "")},
        "doubts": r.doubts,
        "geom": shapely.to_wkb(r.point),
    }


def _reported(r: _Ready, known: bool) -> Reported:
    return Reported(
        str(r.id),
        r.said.kind,
        known,
        round(r.point.x, 7),
        round(r.point.y, 7),
        r.at,
        None if r.said.kind == reports.NOTHING else str(r.id),
        [d["said"] for d in r.doubts],
        r.said.source,
    )


# ---- patrols ----------------------------------------------------------------------------------------------------------


def take_observations(conn: Connection, until: date, kind_of: Kind) -> int:
    """What patrols noticed up to a civil day and its words name as 四乱 becomes candidates, without being typed again; how many.

    ``kind_of``: by the taxonomy. Part of the night, before it looks at what stands on the ground. An observation whose words
    name nothing stays an observation.
    """
    ready = []
    for o in report_store.observations(conn, until).itertuples():
        word = next((w for w in (o.kind, o.text) if isinstance(w, str) and kind_of(w)), None)
        if word is None:
            continue
        said = Said(str(kind_of(word)), note=o.text, word=word, source="patrol")
        ready.append(
            _Ready(
                uuid.uuid5(IDENTITY_NAMESPACE, f"report/observation/{o.id}"),
                said,
                o.geom,
                o.at.astimezone(UTC),
                reports.USUAL_ACCURACY_M,
                o.photo_sha256,
                [],
                o.id,
            )
        )
    _record(conn, ready)
    return len(ready)


def attach_photos(conn: Connection) -> int:
    """Photos of reports and pictures of alerts become evidence of the leads that rest on them; how many."""
    rows = report_store.unattached(conn)
    for r in rows:
        doubts = {d["code"] for d in r["doubts"]}
        store.add_evidence(
            conn,
            r["finding_id"],
            "photo",
            file_sha256=r["photo_sha256"],
            file_path=r["photo_path"],
            # what the photo itself does not say, or says otherwise, is not known of it
            taken_on=None if doubts & _TIME_OPEN or r["at"] is None else r["at"].astimezone(SHANGHAI).date(),
            caption=words.both(r["caption"]),
            position_grade="hand_placed" if "photo_no_position" in doubts else "measured",
        )
    return len(rows)


# ---- looks that found nothing -----------------------------------------------------------------------------------------


def standing(conn: Connection, things: gpd.GeoDataFrame, view: RuleView, night: date, known_at: datetime) -> np.ndarray:
    """Which candidates (EPSG:4490; feed, seen_at) stand: a report is taken back where a later look at its place found nothing."""
    looks = report_store.looks(conn, night, known_at)
    reported = (things["feed"] == report_store.FEED).to_numpy(bool)
    keep = np.ones(len(things), bool)
    if looks.empty or not reported.any():
        return keep
    zone = crs.metric_crs(*crs.centre(looks))
    mine = things[reported]
    seen = [None if pd.isna(t) else t for t in mine["seen_at"]]
    radius = view.number("encroach.report.seen_radius")
    keep[reported] = ~reports.taken_back(list(mine.geometry.to_crs(zone)), seen, looks.to_crs(zone), radius)
    return keep


def looked_at(
    conn: Connection,
    footprints: gpd.GeoSeries,
    last_seen: Sequence[date],
    view: RuleView,
    night: date,
    known_at: datetime,
    before: datetime | None,
) -> np.ndarray:
    """Share of each footprint (EPSG:4490) that people looked at in person and found nothing, 0 to 1.

    A look counts in the night of its civil day; one that was told later (recorded after the night ``before``) in the night
    that hears of it, for what nobody saw since (``last_seen``).
    """
    looks = report_store.looks(conn, night, known_at)
    out = np.zeros(len(footprints))
    if looks.empty or footprints.empty:
        return out
    late = looks["recorded_at"] > before if before is not None else np.zeros(len(looks), bool)
    looks = looks[(looks["day"] == night) | late]
    if looks.empty:
        return out
    zone = crs.metric_crs(*crs.centre(looks))
    radius = view.number("encroach.report.seen_radius")
    shapes = list(footprints.to_crs(zone))
    for day, there in looks.to_crs(zone).groupby("day"):
        counts = np.array([day == night or seen < day for seen in last_seen])
        out = np.where(counts, np.maximum(out, reports.looked_at(shapes, there, radius)), out)
    return out
