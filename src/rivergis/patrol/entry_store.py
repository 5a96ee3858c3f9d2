"""The only SQL of entries: patrols said to have been done, their stretches, and what became of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date

import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db.connect import copy_frame, read_table

# one row of an entry with its chief as of its day, and its state: the last move counts
_ENTRY = """SELECT e.id, e.kind, e.chief_id, c.code AS chief_code, c.name AS chief, c.title, c.level, c.unit_code, u.name AS unit,
  e.day, e.started_at, e.ended_at, e.minutes, e.metres_said, e.problems, e.note, e.scan_sha256, e.scan_path, e.source_sha256,
  e.source_row, e.external_id, e.profile, e.actor, e.recorded_at,
  CASE v.move WHEN 'merged' THEN 'merged' WHEN 'withdrawn' THEN 'withdrawn' ELSE 'counted' END AS state,
  CASE WHEN v.move = 'merged' THEN v.track_id END AS merged_into, v.reason,
  COALESCE(v.move = 'restored', false)
    AND EXISTS (SELECT FROM data.patrol_entry_event x WHERE x.entry_id = e.id AND x.move = 'merged') AS kept_apart
FROM data.patrol_entry e
LEFT JOIN LATERAL app.chief_as_of(e.day) c ON c.id = e.chief_id
LEFT JOIN LATERAL (SELECT name FROM app.admin_unit_as_of(e.day) a WHERE a.code = c.unit_code LIMIT 1) u ON true
LEFT JOIN LATERAL (SELECT move, track_id, reason FROM data.patrol_entry_event x WHERE x.entry_id = e.id ORDER BY x.id DESC LIMIT 1) v
  ON true"""


def one_at_a_time(conn: Connection) -> None:
    """Wait until nobody else is entering: the same sheet sent twice at one moment would be recorded twice or fail."""
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('rivergis'), hashtext('patrol_entry'))"))


def add(conn: Connection, entries: pd.DataFrame, stretches: pd.DataFrame) -> None:
    """Record entries (columns of data.patrol_entry) and their stretches (entry_id, seq, river_id ...)."""
    if len(entries):
        # a column of whole numbers with gaps is one of floats, which the database refuses
        copy_frame(conn, "data.patrol_entry", entries.assign(problems=entries["problems"].astype("Int64")))
    if len(stretches):
        copy_frame(conn, "data.patrol_entry_stretch", stretches)


def add_person(conn: Connection, entry_id: uuid.UUID, person: str, part: str) -> None:
    """Record who went for, or with, the chief: ``part`` is assistant or joint."""
    conn.execute(
        text("INSERT INTO data.patrol_party (entry_id, person, part) VALUES (:e, :p, :part) ON CONFLICT DO NOTHING"),
        {"e": entry_id, "p": person, "part": part},
    )


def add_event(conn: Connection, entry_id: uuid.UUID, move: str, reason: str, track_id: uuid.UUID | None = None) -> None:
    """Record a move of an entry: merged (with the track), withdrawn or restored."""
    conn.execute(
        text("INSERT INTO data.patrol_entry_event (entry_id, move, track_id, reason) VALUES (:e, :m, :t, :r)"),
        {"e": entry_id, "m": move, "t": track_id, "r": reason},
    )


def entries(conn: Connection, first: date, last: date, chief_id: uuid.UUID | None = None) -> pd.DataFrame:
    """Entries of the civil days ``first`` to ``last`` (inclusive), of one chief if named, with chief, state and merged_into.

    ``state``: counted (satisfies frequency, apart from proven coverage), merged (is the patrol of the track
    ``merged_into``, which counts) or withdrawn.
    """
    return read_table(
        conn,
        f"""{_ENTRY} WHERE e.day BETWEEN :first AND :last AND (CAST(:chief AS uuid) IS NULL OR e.chief_id = :chief)
        ORDER BY e.day, c.code, e.started_at, e.id""",
        {"first": first, "last": last, "chief": chief_id},
    )


def latest(conn: Connection, kinds: Sequence[str], count: int) -> pd.DataFrame:
    """The entries of some kinds that were recorded last, as ``entries`` gives them."""
    return read_table(
        conn,
        f"{_ENTRY} WHERE e.kind = ANY(:kinds) ORDER BY e.recorded_at DESC, e.id LIMIT :count",
        {"kinds": list(kinds), "count": count},
    )


def by_id(conn: Connection, ids: Sequence[uuid.UUID]) -> pd.DataFrame:
    """Entries by id, as ``entries`` gives them."""
    return read_table(conn, f"{_ENTRY} WHERE e.id = ANY(:ids) ORDER BY e.id", {"ids": list(ids)})


def starting(conn: Connection, prefix: str) -> list[uuid.UUID]:
    """Ids that begin with these characters, two at most: enough to know whether one is meant."""
    return list(
        conn.execute(
            text("SELECT id FROM data.patrol_entry WHERE CAST(id AS text) LIKE :p ORDER BY id LIMIT 2"),
            {"p": prefix.lower().replace("%", "").replace("_", "") + "%"},
        ).scalars()
    )


def stretches(conn: Connection, ids: Sequence[uuid.UUID]) -> pd.DataFrame:
    """Stretches of entries in order: entry_id, river_id, river_code, river, bank, from_m, to_m, from_landmark, to_landmark."""
    return read_table(
        conn,
        """SELECT s.entry_id, s.seq, s.river_id, r.code AS river_code, r.name AS river, s.bank, s.from_m, s.to_m,
          s.from_landmark_id, s.to_landmark_id, a.name AS from_landmark, b.name AS to_landmark
        FROM data.patrol_entry_stretch s JOIN data.patrol_entry e ON e.id = s.entry_id
        LEFT JOIN LATERAL app.river_as_of(e.day) r ON r.id = s.river_id
        LEFT JOIN LATERAL app.landmark_as_of(e.day) a ON a.id = s.from_landmark_id
        LEFT JOIN LATERAL app.landmark_as_of(e.day) b ON b.id = s.to_landmark_id
        WHERE s.entry_id = ANY(:ids) ORDER BY s.entry_id, s.seq""",
        {"ids": list(ids)},
    )


def of_profile(conn: Connection, profile: str, external_ids: Sequence[str]) -> pd.DataFrame:
    """Entries that came through a profile under these numbers, the newest first: external_id and the columns of ``entries``."""
    return read_table(
        conn,
        f"{_ENTRY} WHERE e.profile = :p AND e.external_id = ANY(:x) ORDER BY e.recorded_at DESC, e.id",
        {"p": profile, "x": list(external_ids)},
    )


def known_ids(conn: Connection, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these are ids of tracks or entries of this database."""
    found = conn.execute(
        text(
            "SELECT id FROM data.track WHERE id = ANY(:ids) UNION SELECT id FROM data.patrol_entry WHERE id = ANY(:ids)"
        ),
        {"ids": list(ids)},
    )
    return set(found.scalars())


_TRACK = """SELECT h.id, h.day, h.mode, h.file_name, min(p.started_at) AS started_at, max(p.ended_at) AS ended_at, h.chief_id,
  array(SELECT x.chief_id FROM data.patrol_party x WHERE x.track_id = h.id AND x.chief_id IS NOT NULL) AS party
FROM data.track h JOIN data.track p ON p.id = h.id OR p.part_of = h.id
WHERE h.part_of IS NULL AND h.day IS NOT NULL"""


def tracks_with(conn: Connection, chief_ids: Sequence[uuid.UUID], days: Sequence[date]) -> pd.DataFrame:
    """Outings of these chiefs (their own, or declared as taking part) on these days: id, day, chief_id, party, started_at, ended_at."""
    return read_table(
        conn,
        f"""{_TRACK} AND h.day = ANY(:days) AND (h.chief_id = ANY(:chiefs) OR EXISTS (
          SELECT FROM data.patrol_party x WHERE x.track_id = h.id AND x.chief_id = ANY(:chiefs)))
        GROUP BY h.id ORDER BY h.id""",
        {"chiefs": list(chief_ids), "days": list(days)},
    )


def head_of(conn: Connection, track_id: uuid.UUID) -> uuid.UUID | None:
    """The head of the outing a track belongs to; None if the track is not known."""
    return conn.execute(text("SELECT COALESCE(part_of, id) FROM data.track WHERE id = :t"), {"t": track_id}).scalar()


def track(conn: Connection, track_id: uuid.UUID) -> pd.DataFrame:
    """One outing by its head, as ``tracks_with`` gives it."""
    return read_table(conn, f"{_TRACK} AND h.id = :t GROUP BY h.id", {"t": track_id})


def seen(conn: Connection, track_ids: Sequence[uuid.UUID]) -> pd.DataFrame:
    """What tracks have seen, along the chainage of rivers: track_id, river_id, bank, from_m, to_m; by their scoring in force."""
    return read_table(
        conn,
        """SELECT p.track_id, h.river_id, l.bank,
          h.from_m + l.from_m * (h.to_m - h.from_m) / h.length_m AS from_m, h.from_m + l.to_m * (h.to_m - h.from_m) / h.length_m AS to_m
        FROM data.leg l JOIN data.patrol_result p ON p.id = l.result_id AND p.superseded_at IS NULL
        JOIN data.reach h ON h.id = l.reach_id AND h.version = l.reach_version
        WHERE p.track_id = ANY(:ids) AND l.seen AND h.from_m IS NOT NULL ORDER BY p.track_id, l.seq""",
        {"ids": list(track_ids)},
    )


def patrols(conn: Connection, first: date, last: date) -> pd.DataFrame:
    """Scored outings of the civil days ``first`` to ``last``, as a platform's record has them; not those rejected on review.

    id, day, started_at, ended_at, minutes, metres (of the way, from the scoring), chief_id, chief_code, chief, title, unit_code, unit.
    """
    return read_table(
        conn,
        f"""SELECT t.id, t.day, t.started_at, t.ended_at, CAST(p.figures ->> 'minutes' AS double precision) AS minutes,
          CAST(COALESCE(p.figures ->> 'passage_metres', p.figures ->> 'metres') AS double precision) AS metres,
          t.chief_id, c.code AS chief_code, c.name AS chief, c.title, c.unit_code, u.name AS unit,
          (SELECT count(*) FROM data.observation o WHERE o.track_id = t.id) AS problems
        FROM ({_TRACK} AND h.day BETWEEN :first AND :last GROUP BY h.id) t
        LEFT JOIN data.patrol_result p ON p.track_id = t.id AND p.superseded_at IS NULL
        JOIN LATERAL app.chief_as_of(t.day) c ON c.id = t.chief_id
        LEFT JOIN LATERAL (SELECT name FROM app.admin_unit_as_of(t.day) a WHERE a.code = c.unit_code LIMIT 1) u ON true
        WHERE t.id NOT IN (SELECT v.track_id FROM app.patrol_rejected_as_of() v)
        ORDER BY t.day, t.started_at, t.id""",
        {"first": first, "last": last},
    )


def rivers_of(conn: Connection, track_ids: Sequence[uuid.UUID]) -> pd.DataFrame:
    """Rivers that tracks have seen: track_id, river_code, river."""
    return read_table(
        conn,
        """SELECT DISTINCT p.track_id, r.code AS river_code, r.name AS river
        FROM data.leg l JOIN data.patrol_result p ON p.id = l.result_id AND p.superseded_at IS NULL
        JOIN data.track t ON t.id = p.track_id JOIN data.reach h ON h.id = l.reach_id AND h.version = l.reach_version
        JOIN LATERAL app.river_as_of(t.day) r ON r.id = h.river_id
        WHERE p.track_id = ANY(:ids) AND l.seen ORDER BY p.track_id, r.code""",
        {"ids": list(track_ids)},
    )


def chiefs(conn: Connection, on: date) -> pd.DataFrame:
    """Chiefs in force on a civil day: id, code, name, level, title, unit_code."""
    return read_table(
        conn, "SELECT id, code, name, level, title, unit_code FROM app.chief_as_of(:on) ORDER BY code, id", {"on": on}
    )


def unit_names(conn: Connection, on: date) -> pd.DataFrame:
    """Administrative units in force on a civil day: code, name, level, parent_code."""
    return read_table(
        conn, "SELECT code, name, level, parent_code FROM app.admin_unit_as_of(:on) ORDER BY code", {"on": on}
    )


def reach_names(conn: Connection, on: date) -> pd.DataFrame:
    """Reaches with a name and a chainage: name, river_id, river (name), from_m, to_m."""
    return read_table(
        conn,
        """SELECT h.name, h.river_id, r.name AS river, h.from_m, h.to_m FROM app.reach_as_of(:on) h
        JOIN app.river_as_of(:on) r ON r.id = h.river_id WHERE h.name IS NOT NULL AND h.from_m IS NOT NULL ORDER BY h.id""",
        {"on": on},
    )
