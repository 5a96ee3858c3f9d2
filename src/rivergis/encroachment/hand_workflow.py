"""Candidates (待核对象) entered one by one through a service: recorded, replaced by a new version, ended. Nothing is overwritten.

What somebody enters bears the writer's name as namespace, so that no two sources mean different things by one code. Each entry is an
import of one feature and an addition to its feed: the next night judges it like any other.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import shapely
from sqlalchemy import Connection

from rivergis import crs
from rivergis.db import places, system, versions
from rivergis.db.connect import Database, now_of
from rivergis.encroachment import hand_store, report_store, store
from rivergis.errors import InputError, NotFound, NotNow, Outdated

FEED = "api"
PROFILE = "by_hand"
SHANGHAI = ZoneInfo("Asia/Shanghai")
FIELDS = ("feed", "kind", "source_kind", "name", "accuracy_m", "seen_at", "evidence", "valid_from", "valid_to")
_LONGEST = 200
_OPEN_END = 9999  # year that programs write for "until further notice"
_ROUNDED_DEG = 2e-9  # 0.2 mm: services give out nine decimals
_KINDS = (shapely.Point, shapely.Polygon, shapely.MultiPolygon)


@dataclass(frozen=True)
class SavedCandidate:
    """A candidate as an entry left it."""

    id: uuid.UUID
    code: str
    version: int
    known: bool = False
    """It said what stood already: nothing was written."""
    last_day: date | None = None
    """Where it was ended: the last civil day on which it is in force."""


@dataclass(frozen=True)
class Made:
    """The version an edit was made on. ``own_counts``: later versions by the same person are part of the same work."""

    version: int
    own_counts: bool = False


def record(
    db: Database, said: Mapping[str, Any], shape: shapely.Geometry, actor: str, *, area: str = ""
) -> SavedCandidate:
    """Record a candidate; ``shape``: Point, Polygon or MultiPolygon in EPSG:4490. The same one again under its code changes nothing.

    Raises ``InputError`` for what cannot be recorded, ``NotNow`` where the code is taken, ``NotPermitted`` outside of ``area``.
    """
    row = _row(said, shape)
    row["code"] = _short(str(said.get("code") or uuid.uuid4()), "code")
    with db.write(actor) as conn:
        hand_store.one_at_a_time(conn)
        places.require_within(conn, row["geom"], area)
        held = hand_store.candidate(conn, versions.identity("candidate", actor, row["code"]))
        if held is not None and not _same(held, row):
            raise NotNow(
                f"You have recorded a candidate {row['code']!r} already: replace that one, or leave the code out."
            )
        if held is not None:
            return SavedCandidate(held["id"], held["code"], held["version"], known=True)
        return _save(conn, row, actor, actor)


def replace(
    db: Database,
    candidate_id: uuid.UUID,
    made: Sequence[Made],
    said: Mapping[str, Any],
    shape: shapely.Geometry | None,
    actor: str,
    *,
    area: str = "",
) -> SavedCandidate:
    """A new version of a candidate, with what is ``said`` (of ``FIELDS``) and its ``shape`` (EPSG:4490) where there is one.

    It keeps its code and namespace. Raises ``Outdated`` with both where it was made on an older version, else as ``record`` does.
    """
    with db.write(actor) as conn:
        hand_store.one_at_a_time(conn)
        held = _held(conn, candidate_id)
        shape = held["geom"] if shape is None or shape.equals_exact(held["geom"], _ROUNDED_DEG) else shape
        row = _row({**{k: held[k] for k in FIELDS}, **said}, shape) | {"code": held["code"]}
        for place in (held["geom"], shape):
            places.require_within(conn, place, area)
        _on_its_version(held, made, actor, row)
        if _same(held, row):
            return SavedCandidate(held["id"], held["code"], held["version"], known=True)
        return _save(conn, row, held["code_namespace"], actor)


def end(db: Database, candidate_id: uuid.UUID, made: Sequence[Made], actor: str, *, area: str = "") -> SavedCandidate:
    """End the validity of a candidate: from today it stands no more (from tomorrow, where it begins today). Raises as ``replace`` does."""
    with db.write(actor) as conn:
        hand_store.one_at_a_time(conn)
        held = _held(conn, candidate_id)
        places.require_within(conn, held["geom"], area)
        _on_its_version(held, made, actor, None)
        today = _today(conn)
        begins = held["valid_from"]
        until = today if begins is None or begins < today else begins + timedelta(days=1)
        import_id = uuid.uuid4()
        version = hand_store.end_validity(conn, candidate_id, today, until)
        store.deliver(conn, [(candidate_id, version)], import_id, held["feed"], today, False)
        _note(conn, import_id, {"ended": str(candidate_id), "version": version}, today, actor)
        return SavedCandidate(candidate_id, held["code"], version, last_day=until - timedelta(days=1))


def _held(conn: Connection, candidate_id: uuid.UUID) -> dict[str, Any]:
    held = hand_store.candidate(conn, candidate_id)
    if held is None:
        raise NotFound(f"There is no candidate {candidate_id} in force today.")
    return held


def _on_its_version(held: Mapping[str, Any], made: Sequence[Made], actor: str, mine: Mapping[str, Any] | None) -> None:
    """``Outdated`` with both where an edit was not made on the version in force."""
    now, editors = held["version"], list(held["editors"])
    for one in made:
        own = one.own_counts and 0 < one.version < now and set(editors[one.version :]) == {actor}
        if one.version == now or own:
            return
    raise Outdated(
        f"The candidate {held['code']} is in version {now} by now, your edit was made on version {made[0].version}: look at both, "
        "decide, and send it on the new version.",
        version=now,
        mine=None if mine is None else _told(mine),
        theirs=_told(held),
    )


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    said = {k: str(row[k]) if isinstance(row[k], (date, datetime)) else row[k] for k in FIELDS}
    return {"properties": said, "geometry": shapely.geometry.mapping(row["geom"])}


def _row(said: Mapping[str, Any], shape: shapely.Geometry) -> dict[str, Any]:
    """One candidate as its table has it; ``InputError`` names what cannot be recorded."""
    row = {k: said.get(k) for k in FIELDS}
    row["feed"] = _short(row["feed"] or FEED, "feed")
    if row["feed"] == report_store.FEED:
        raise InputError("What an inspector saw is a report: send it to the collection report.")
    if row["accuracy_m"] is not None and row["accuracy_m"] < 0:
        raise InputError(f"accuracy_m is the one-sigma error in metres, not {row['accuracy_m']:g}.")
    row["seen_at"] = _moment(row["seen_at"])
    row["valid_from"], row["valid_to"] = (_day(row[k], k) for k in ("valid_from", "valid_to"))
    if row["valid_from"] and row["valid_to"] and row["valid_to"] < row["valid_from"]:
        raise InputError("Its validity ends before it begins: correct valid_from and valid_to.")
    return row | {"evidence": row["evidence"] or {}, "geom": _shape(shape)}


def _short(text: str, name: str) -> str:
    """A word that things are known by: of one line, and not too long to be read."""
    if len(text) > _LONGEST or not text.isprintable():
        raise InputError(f"{name} = {text[:40]!r} is a word of one line with at most {_LONGEST} characters.")
    return text


def _shape(shape: shapely.Geometry) -> shapely.Geometry:
    shape = shapely.force_2d(shape)
    if not isinstance(shape, _KINDS) or shape.is_empty:
        raise InputError(f"A candidate is a Point, a Polygon or a MultiPolygon, not a {shape.geom_type}.")
    west, south, east, north = shape.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise InputError(f"The place {west:.4f}, {south:.4f} is not on earth: name its system in Content-Crs.")
    if not shape.is_valid:
        raise InputError(f"The shape cannot be used ({shapely.is_valid_reason(shape)}): correct it.")
    return shape


def _moment(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise InputError(f"seen_at = {value[:60]!r} is no moment: write it as 2026-05-20T08:30:00+08:00.") from error
    _in_our_time(at, "seen_at")
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _day(value: Any, name: str) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        day = date.fromisoformat(value[:10])
    except ValueError as error:
        raise InputError(f"{name} = {value[:60]!r} is not a day: write it as 2026-05-20.") from error
    if name == "valid_to" and day.year == _OPEN_END:
        return None
    _in_our_time(day, name)
    return day


def _in_our_time(day: date, name: str) -> None:
    if not 1900 <= day.year < _OPEN_END:
        raise InputError(f"{name} = {day.isoformat()} is not a day of our time: correct its year.")


def _same(held: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return all(held[k] == row[k] for k in FIELDS) and bool(row["geom"].equals_exact(held["geom"], _ROUNDED_DEG))


def _today(conn: Connection) -> date:
    return now_of(conn).astimezone(SHANGHAI).date()


def _save(conn: Connection, row: Mapping[str, Any], namespace: str, actor: str) -> SavedCandidate:
    """One feature of an import of its own, as an addition to its feed."""
    import_id, today = uuid.uuid4(), _today(conn)
    frame = gpd.GeoDataFrame([{**row, "source_feature": "0"}], geometry="geom", crs=crs.STORAGE)
    with system.trial(conn):
        saved = store.save(
            conn, "candidate", frame, namespace=namespace, import_id=import_id, feed=row["feed"], delivered_on=today, complete=False
        )  # fmt: skip
    (identity, version) = saved.versions[row["code"]]
    _note(conn, import_id, {"recorded": str(identity), "version": version, "namespace": namespace}, today, actor)
    return SavedCandidate(identity, row["code"], version)


def _note(conn: Connection, import_id: uuid.UUID, what: Mapping[str, Any], today: date, actor: str) -> None:
    content = hashlib.sha256(f"{import_id}/{sorted(what.items())}".encode()).hexdigest()
    system.record_import(
        conn, import_id=import_id, layer="candidate", file_name=f"by hand: {actor}", file_sha256=content, source_layer="", profile=PROFILE,
        options={"delivered_on": str(today), **what}, source_crs=crs.STORAGE, count_in=1, count_imported=1, count_unchanged=0,
        count_quarantined=0, count_skipped=0, report={},
    )  # fmt: skip
