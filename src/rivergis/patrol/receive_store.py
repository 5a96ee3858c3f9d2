"""The only SQL of receiving: tracks by their file, their outing, who took part, what was observed on the way."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db.connect import copy_frame, read_frame, read_table

# what a sender says of a track, and may say later
SAID = ("chief_id", "mode", "datum_declared", "uploaded_at", "device", "session", "unit_code")


def one_at_a_time(conn: Connection) -> None:
    """Wait until no other file is being received: two parts that come at once would not see each other."""
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('rivergis'), hashtext('tracks'))"))


def known(conn: Connection, raw_sha256: str) -> dict[str, Any] | None:
    """The track that came from a file with this hash: id, what was said of it, day, purged_at."""
    row = conn.execute(
        text(f"SELECT id, day, purged_at, datum_used, {', '.join(SAID)} FROM data.track WHERE raw_sha256 = :h"),
        {"h": raw_sha256},
    ).first()
    return dict(row._mapping) if row else None


def add(conn: Connection, row: Mapping[str, Any], fixes: gpd.GeoDataFrame) -> None:
    """Record a track and its fixes (Points in EPSG:4490 with seq, at, acc_m, speed_ms, received_at)."""
    names = list(row)
    conn.execute(
        text(f"INSERT INTO data.track ({', '.join(names)}) VALUES ({', '.join(':' + n for n in names)})"), dict(row)
    )
    copy_frame(conn, "data.fix", fixes.assign(track_id=row["id"]))
    conn.execute(
        text("""UPDATE data.track t SET box = (SELECT ST_SetSRID(ST_Envelope(ST_Expand(CAST(ST_Extent(geom) AS geometry), 1e-7)), 4490)
        FROM data.fix WHERE track_id = t.id) WHERE id = :t"""),
        {"t": row["id"]},
    )


def complete(conn: Connection, track_id: uuid.UUID, changes: Mapping[str, Any]) -> None:
    """Record what a later delivery of the same file says in addition, and what follows from it; nothing where it says the same."""
    names = ", ".join(changes)
    values = ", ".join(f":{name}" for name in changes)
    conn.execute(
        text(
            f"UPDATE data.track SET ({names}) = ROW({values}) WHERE id = :id AND ROW({names}) IS DISTINCT FROM ROW({values})"
        ),
        {**changes, "id": track_id},
    )


_KIN = """WITH RECURSIVE kin(id, chief_id, device, session, started_at, ended_at) AS (
  SELECT id, chief_id, device, session, started_at, ended_at FROM data.track
  WHERE id = :t OR part_of = :t OR part_of = (SELECT part_of FROM data.track WHERE id = :t)
     OR id = (SELECT part_of FROM data.track WHERE id = :t)
  UNION
  SELECT o.id, o.chief_id, o.device, o.session, o.started_at, o.ended_at FROM kin k JOIN data.track o
    ON o.chief_id IS NOT DISTINCT FROM k.chief_id
    AND ((o.session = k.session AND o.started_at <= k.ended_at + make_interval(secs => :session_s)
          AND o.ended_at >= k.started_at - make_interval(secs => :session_s))
      OR (o.device = k.device AND o.started_at <= k.ended_at + make_interval(secs => :device_s)
          AND o.ended_at >= k.started_at - make_interval(secs => :device_s))))
SELECT * FROM kin"""


def kin(conn: Connection, track_id: uuid.UUID, device_s: float, session_s: float) -> pd.DataFrame:
    """Every track that may be of one outing with this one: id, chief_id, device, session, started_at, ended_at."""
    frame = read_table(conn, _KIN, {"t": track_id, "device_s": device_s, "session_s": session_s})
    return frame.assign(**{c: pd.to_datetime(frame[c], utc=True) for c in ("started_at", "ended_at")})


def put_heads(conn: Connection, heads: Mapping[uuid.UUID, uuid.UUID]) -> None:
    """Record the head of each track; one that is its own head is no part."""
    for track_id, head in heads.items():
        conn.execute(
            text("UPDATE data.track SET part_of = :h WHERE id = :t AND part_of IS DISTINCT FROM :h"),
            {"t": track_id, "h": None if head == track_id else head},
        )


def add_party(conn: Connection, track_id: uuid.UUID, party: Sequence[Mapping[str, Any]]) -> None:
    """Record who took part: chief_id, person, unit_code, part; what is known already is left as it is."""
    for p in party:
        conn.execute(
            text("""INSERT INTO data.patrol_party (track_id, chief_id, person, unit_code, part)
            VALUES (:track, :chief_id, :person, :unit_code, :part) ON CONFLICT DO NOTHING"""),
            {"track": track_id, "chief_id": None, "person": None, "unit_code": None, **p},
        )


def add_observations(conn: Connection, rows: gpd.GeoDataFrame) -> int:
    """Record observations not known yet (id, track_id, at, kind, text, geom, river_id, at_m, bank, photo_sha256); how many."""
    there = set(
        conn.execute(
            text("SELECT id FROM data.observation WHERE id = ANY(CAST(:ids AS uuid[]))"),
            {"ids": [str(i) for i in rows["id"]]},
        ).scalars()
    )
    new = rows[~rows["id"].isin(there)].drop_duplicates("id")
    return copy_frame(conn, "data.observation", new) if len(new) else 0


def has_photo(conn: Connection, head: uuid.UUID, sha256: str) -> bool:
    """Whether an observation of an outing has the photo with this hash."""
    return bool(
        conn.execute(
            text("""SELECT EXISTS (SELECT FROM data.observation o JOIN data.track t ON t.id = o.track_id
            WHERE (t.id = :t OR t.part_of = :t) AND o.photo_sha256 = :h)"""),
            {"t": head, "h": sha256},
        ).scalar()
    )


def reaches_within(conn: Connection, on: date, box: Sequence[float]) -> gpd.GeoDataFrame:
    """Reaches in force on a day that touch a box (west, south, east, north in degrees): reach_id, river_id, kind, from_m, to_m,
    length_m, direction_confidence, geom (LineString, EPSG:4490)."""
    return read_frame(
        conn,
        """SELECT h.id AS reach_id, h.river_id, h.kind, h.from_m, h.to_m, h.length_m, h.direction_confidence, h.geom
        FROM data.reach h WHERE h.superseded_at IS NULL AND h.valid @> :on
          AND h.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490) ORDER BY h.id""",
        {"on": on, **dict(zip(("west", "south", "east", "north"), map(float, box), strict=True))},
    )


def day_of(conn: Connection, track_id: uuid.UUID) -> date | None:
    """Civil day of a track; None where it has no times."""
    return conn.execute(text("SELECT day FROM data.track WHERE id = :t"), {"t": track_id}).scalar()


def chief_of_user(conn: Connection, name: str) -> tuple[uuid.UUID, str, str] | None:
    """Chief whose account a user is: (id, namespace, code), or None."""
    row = conn.execute(
        text("""SELECT i.id, i.code_namespace, i.code FROM sys."user" u JOIN data.identity i ON i.id = u.chief_id
        WHERE u.name = :n AND u.disabled_at IS NULL"""),
        {"n": name},
    ).first()
    return (row.id, row.code_namespace, row.code) if row else None


def unit_of_chief(conn: Connection, namespace: str, code: str) -> str | None:
    """Adcode of the unit that a chief serves; None where it is not known, or the chief is not."""
    unit: str | None = conn.execute(
        text("""SELECT app.chief_unit(id) FROM data.identity
        WHERE noun = 'chief' AND code_namespace = :ns AND code = :c"""),
        {"ns": namespace, "c": code},
    ).scalar()
    return unit


def set_account(conn: Connection, name: str, chief_id: uuid.UUID | None) -> bool:
    """Say whose account a user is; False where there is no such user."""
    done = conn.execute(text('UPDATE sys."user" SET chief_id = :c WHERE name = :n'), {"n": name, "c": chief_id})
    return bool(done.rowcount)
