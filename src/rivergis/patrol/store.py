"""The only SQL of patrol tracks, their fixes and scorings, who saw them, and how long they are kept."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db import versions
from rivergis.db.connect import copy_frame, read_table
from rivergis.errors import NotFound, UsageError


def save(
    conn: Connection, layer_name: str, frame: pd.DataFrame, *, namespace: str, import_id: uuid.UUID | None
) -> versions.Saved:
    """Record rows of a patrol layer (see ``layers.LAYERS``): areas, who answers for them, warnings."""
    return versions.save_layer(conn, layer_name, frame, namespace=namespace, import_id=import_id)


# ---- files and fixes ------------------------------------------------------------------------------------------------


def parts(conn: Connection, head: uuid.UUID) -> pd.DataFrame:
    """Files of an outing in the order of their times: id, file_name, raw_sha256, datum_declared, datum_used, started_at,
    clock_offset_s, clock_basis, uploaded_at."""
    return read_table(
        conn,
        """SELECT id, file_name, raw_sha256, datum_declared, datum_used, started_at, clock_offset_s, clock_basis, uploaded_at
        FROM data.track WHERE id = :t OR part_of = :t ORDER BY started_at, id""",
        {"t": head},
    )


def fixes(conn: Connection, heads: Sequence[uuid.UUID]) -> pd.DataFrame:
    """Fixes of outings, file after file in the order of their times: head, track_id, seq, at (with the clock of the phone repaired),
    lon, lat (degrees, as ``datum_used``), acc_m, speed_ms, received_at, datum_declared, datum_used."""
    files = read_table(
        conn,
        """SELECT coalesce(part_of, id) AS head, id AS track_id, datum_declared, datum_used FROM data.track
        WHERE id = ANY(CAST(:ids AS uuid[])) OR part_of = ANY(CAST(:ids AS uuid[])) ORDER BY head, started_at, id""",
        {"ids": [str(t) for t in heads]},
    )
    # numbers only: a uuid or a time for each of many fixes is slow to read
    frame = read_table(
        conn,
        """SELECT CAST(i.n AS int) - 1 AS file, f.seq, CAST(extract(epoch FROM f.at) AS double precision) + coalesce(t.clock_offset_s, 0) AS at,
          ST_X(f.geom) AS lon, ST_Y(f.geom) AS lat, f.acc_m, f.speed_ms, CAST(extract(epoch FROM f.received_at) AS double precision) AS received_at
        FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY i(id, n) JOIN data.track t ON t.id = i.id JOIN data.fix f ON f.track_id = t.id
        ORDER BY i.n, f.seq""",
        {"ids": [str(t) for t in files["track_id"]]},
    )
    times = {
        c: pd.to_datetime(frame[c].astype(float), unit="s", utc=True).dt.round("us") for c in ("at", "received_at")
    }
    told = files.iloc[frame["file"].to_numpy(dtype=int)].set_index(frame.index)
    return told.join(
        frame.drop(columns="file").assign(**times, **{c: frame[c].astype(float) for c in ("acc_m", "speed_ms")})
    )


# ---- scorings -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scored:
    """A scoring ready to be recorded; ``visits``: area_id, area_version, minutes, metres, share."""

    track_id: uuid.UUID
    engine: str
    input_hash: str
    rule_set: str
    figures: dict[str, Any]
    standard: list[dict[str, Any]]
    review: list[dict[str, Any]]
    legs: pd.DataFrame
    visits: pd.DataFrame = field(default_factory=pd.DataFrame)


def known_scoring(conn: Connection, track_id: uuid.UUID, input_hash: str) -> bool:
    """Whether the current scoring of a track already rests on these inputs."""
    return bool(
        conn.execute(
            text(
                "SELECT EXISTS (SELECT FROM data.patrol_result WHERE track_id = :t AND input_hash = :h AND superseded_at IS NULL)"
            ),
            {"t": track_id, "h": input_hash},
        ).scalar()
    )


def add_scoring(conn: Connection, s: Scored) -> uuid.UUID:
    """Record a scoring with its legs and visits; the one before it, and those of files that are now parts, are superseded."""
    alike = conn.execute(
        text("SELECT count(*) FROM data.patrol_result WHERE track_id = :t AND input_hash = :h"),
        {"t": s.track_id, "h": s.input_hash},
    ).scalar()
    # inputs that come back to what they were make a result of their own
    result_id = uuid.uuid5(s.track_id, s.input_hash + (f"/{alike}" if alike else ""))
    retire(conn, s.track_id)
    conn.execute(
        text("""INSERT INTO data.patrol_result (id, track_id, engine, input_hash, rule_set, figures, standard, review)
        VALUES (:id, :t, :engine, :h, :rs, CAST(:figures AS jsonb), CAST(:standard AS jsonb), CAST(:review AS jsonb))"""),
        {
            "id": result_id,
            "t": s.track_id,
            "engine": s.engine,
            "h": s.input_hash,
            "rs": s.rule_set,
            **{
                k: json.dumps(getattr(s, k), ensure_ascii=False, default=str) for k in ("figures", "standard", "review")
            },
        },
    )
    if len(s.legs):
        copy_frame(conn, "data.leg", s.legs.assign(result_id=result_id, seq=range(len(s.legs))))
    if len(s.visits):
        copy_frame(conn, "data.area_visit", s.visits.assign(result_id=result_id))
    return result_id


def retire(conn: Connection, head: uuid.UUID) -> int:
    """Supersede the current scorings of an outing: of its head, and of files that were heads before; returns how many."""
    done = conn.execute(
        text("""UPDATE data.patrol_result r SET superseded_at = now() FROM data.track t
        WHERE t.id = r.track_id AND r.superseded_at IS NULL AND (t.id = :t OR t.part_of = :t)"""),
        {"t": head},
    )
    return int(done.rowcount)


_RESULT = """SELECT r.id AS result_id, r.track_id, t.day, t.file_name, r.engine, r.input_hash, r.rule_set, r.recorded_at,
  r.superseded_at, r.figures, r.standard, r.review, b.content AS rules,
  (SELECT bool_or(p.purged_at IS NOT NULL) FROM data.track p WHERE p.id = t.id OR p.part_of = t.id) AS purged
FROM data.patrol_result r JOIN data.track t ON t.id = r.track_id JOIN list.rule_set b ON b.version = r.rule_set"""


def result(conn: Connection, head: uuid.UUID) -> dict[str, Any] | None:
    """The current scoring of an outing with the text of the rule book it used; None when it has none."""
    row = conn.execute(text(f"{_RESULT} WHERE r.track_id = :t AND r.superseded_at IS NULL"), {"t": head}).first()
    return dict(row._mapping) if row else None


def legs(conn: Connection, result_id: uuid.UUID) -> pd.DataFrame:
    """Legs of a scoring in their order: reach_id, reach_version, bank, from_m, to_m, seen, reason, started_at, ended_at ..."""
    return read_table(conn, "SELECT * FROM data.leg WHERE result_id = :r ORDER BY seq", {"r": result_id})


def codes_before(conn: Connection, result_id: uuid.UUID) -> set[str] | None:
    """Codes of the signals of the scoring that came before this one of the same track; None when it is the first."""
    row = conn.execute(
        text("""SELECT o.review FROM data.patrol_result r JOIN data.patrol_result o ON o.track_id = r.track_id AND o.id <> r.id
        AND o.recorded_at < r.recorded_at WHERE r.id = :r ORDER BY o.recorded_at DESC LIMIT 1"""),
        {"r": result_id},
    ).first()
    return None if row is None else {s["code"] for s in row.review}


def results_of_day(conn: Connection, day: date, known_at: datetime) -> pd.DataFrame:
    """Scorings of a civil day as known at a moment: track_id, file_name, chief, figures, standard, review."""
    return read_table(
        conn,
        """SELECT r.id AS result_id, r.track_id, t.file_name, t.started_at,
          (SELECT max(p.ended_at) FROM data.track p WHERE p.id = t.id OR p.part_of = t.id) AS ended_at, c.name AS chief, c.level, c.title,
          r.figures, r.standard, r.review, r.rule_set
        FROM data.patrol_result r JOIN data.track t ON t.id = r.track_id
        LEFT JOIN app.chief_as_of(:day, :known) c ON c.id = t.chief_id
        WHERE t.day = :day AND r.recorded_at <= :known AND (r.superseded_at IS NULL OR r.superseded_at > :known)
        ORDER BY t.started_at, t.id""",
        {"day": day, "known": known_at},
    )


def legs_on_rivers(conn: Connection, result_id: uuid.UUID) -> pd.DataFrame:
    """Legs of a scoring along the chainage of their rivers: river, bank, at_from_m, at_to_m, seen, reason.

    From the middle of the water both banks are seen: such a leg stands on both.
    """
    return read_table(
        conn,
        """SELECT r.name AS river, b.bank, h.from_m + l.from_m * k.scale AS at_from_m, h.from_m + l.to_m * k.scale AS at_to_m, l.seen, l.reason
        FROM data.leg l JOIN data.reach h ON h.id = l.reach_id AND h.version = l.reach_version
        CROSS JOIN LATERAL (SELECT (h.to_m - h.from_m) / nullif(h.length_m, 0) AS scale) k
        JOIN data.patrol_result p ON p.id = l.result_id
        JOIN app.river_as_of((SELECT day FROM data.track WHERE id = p.track_id)) r ON r.id = h.river_id
        CROSS JOIN LATERAL unnest(CASE WHEN l.bank IS NULL THEN ARRAY['left', 'right'] ELSE ARRAY[l.bank] END) AS b(bank)
        WHERE l.result_id = :r AND h.from_m IS NOT NULL
        ORDER BY r.name, b.bank, at_from_m""",
        {"r": result_id},
    )


# ---- personal data --------------------------------------------------------------------------------------------------


def head_starting(conn: Connection, prefix: str) -> uuid.UUID:
    """The outing of the track whose id begins so; ``NotFound`` when there is none, ``UsageError`` when there are several."""
    found = conn.execute(
        text("SELECT coalesce(part_of, id) AS head FROM data.track WHERE starts_with(CAST(id AS text), :p) LIMIT 3"),
        {"p": prefix.lower()},
    ).scalars()
    heads = set(found)
    if len(heads) > 1:
        raise UsageError(f"Several tracks begin with {prefix!r}: give more of the id.")
    if not heads:
        raise NotFound(f"There is no patrol track {prefix!r}.")
    return uuid.UUID(str(heads.pop()))


def saw(conn: Connection, track_id: uuid.UUID, actor: str, purpose: str) -> None:
    """Record that somebody saw the track of a person (page, map, report or export ``purpose``); call it whenever fixes or the
    patrol of a named person are shown. An outing is told by its head."""
    conn.execute(
        text("""INSERT INTO sys.track_access (track_id, actor, purpose)
        SELECT coalesce(part_of, id), :a, :p FROM data.track WHERE id = :t"""),
        {"t": track_id, "a": actor, "p": purpose},
    )


def saw_all(conn: Connection, track_ids: Iterable[uuid.UUID], actor: str, purpose: str) -> None:
    """``saw`` for many tracks at once; an outing is told once, by its head."""
    conn.execute(
        text("""INSERT INTO sys.track_access (track_id, actor, purpose)
        SELECT DISTINCT coalesce(part_of, id), :a, :p FROM data.track WHERE id = ANY(CAST(:t AS uuid[]))"""),
        {"t": list(track_ids), "a": actor, "p": purpose},
    )


def accesses(conn: Connection, track_id: uuid.UUID) -> pd.DataFrame:
    """Who saw an outing: at (UTC), actor, display_name, purpose; newest first."""
    return read_table(
        conn,
        """SELECT a.at, a.actor, u.display_name, a.purpose FROM sys.track_access a LEFT JOIN sys."user" u ON u.name = a.actor
        JOIN data.track t ON t.id = a.track_id JOIN data.track asked ON asked.id = :t
        WHERE coalesce(t.part_of, t.id) = coalesce(asked.part_of, asked.id) ORDER BY a.id DESC""",
        {"t": track_id},
    )


def outings(conn: Connection, chief_id: uuid.UUID | None, day: date | None = None, limit: int = 200) -> pd.DataFrame:
    """Outings of a chief (None: of everybody), of a day (None: the newest): track_id, day, started_at, ended_at, chief, file_name,
    files, minutes, metres, scored_at, purged_at."""
    return read_table(
        conn,
        """SELECT h.id AS track_id, h.day, min(p.started_at) AS started_at, max(p.ended_at) AS ended_at, c.name AS chief,
          h.file_name, count(p.id) AS files, CAST(r.figures ->> 'minutes' AS double precision) AS minutes,
          CAST(r.figures ->> 'metres' AS double precision) AS metres, r.recorded_at AS scored_at, max(p.purged_at) AS purged_at
        FROM data.track h JOIN data.track p ON p.id = h.id OR p.part_of = h.id
        LEFT JOIN data.patrol_result r ON r.track_id = h.id AND r.superseded_at IS NULL
        LEFT JOIN LATERAL (SELECT name FROM app.chief_as_of(h.day) x WHERE x.id = h.chief_id LIMIT 1) c ON true
        WHERE h.part_of IS NULL AND (CAST(:day AS date) IS NULL OR h.day = :day) AND (CAST(:c AS uuid) IS NULL OR h.chief_id = :c
          OR EXISTS (SELECT FROM data.patrol_party y JOIN data.track q ON q.id = y.track_id
            WHERE (q.id = h.id OR q.part_of = h.id) AND y.chief_id = :c AND y.part IN ('chief', 'joint')))
        GROUP BY h.id, c.name, r.id ORDER BY h.day DESC NULLS LAST, h.started_at DESC LIMIT :n""",
        {"c": chief_id, "day": day, "n": limit},
    )


def is_own(conn: Connection, track_id: uuid.UUID, actor: str) -> bool:
    """Whether a track is of the chief whose account ``actor`` is, or of an outing the chief is declared to have taken part in."""
    return bool(
        conn.execute(
            text("""SELECT EXISTS (SELECT FROM sys."user" u JOIN data.track t ON t.id = :t
            WHERE u.name = :a AND u.disabled_at IS NULL AND u.chief_id IS NOT NULL AND (t.chief_id = u.chief_id
              OR EXISTS (SELECT FROM data.patrol_party p JOIN data.track q ON q.id = p.track_id
                WHERE coalesce(q.part_of, q.id) = coalesce(t.part_of, t.id) AND p.chief_id = u.chief_id AND p.part IN ('chief', 'joint'))))"""),
            {"t": track_id, "a": actor},
        ).scalar()
    )


def purge(conn: Connection, before: date) -> list[tuple[uuid.UUID, str]]:
    """Remove the fixes and boxes of outings that ended before a day; legs, visits, observations and hash stay. (id, raw_path).

    An outing goes whole, with its last part. A track without times, or of a day to come by a wrong clock, counts from the day it
    was recorded.
    """
    conn.execute(text("SET LOCAL rivergis.purpose = 'retention'"))
    gone = conn.execute(
        text("""WITH outing AS (
          SELECT coalesce(part_of, id) AS head, max(least(day, CAST(recorded_at AT TIME ZONE 'Asia/Shanghai' AS date))) AS last
          FROM data.track GROUP BY 1)
        SELECT t.id, t.raw_path FROM data.track t JOIN outing o ON o.head = coalesce(t.part_of, t.id)
        WHERE o.last < :d AND t.purged_at IS NULL ORDER BY t.id"""),
        {"d": before},
    )
    rows = [(r.id, str(r.raw_path)) for r in gone]
    ids = {"ids": [str(i) for i, _ in rows]}
    conn.execute(text("DELETE FROM data.fix WHERE track_id = ANY(CAST(:ids AS uuid[]))"), ids)
    conn.execute(text("UPDATE data.track SET purged_at = now(), box = NULL WHERE id = ANY(CAST(:ids AS uuid[]))"), ids)
    return rows


def purged_files(conn: Connection) -> list[str]:
    """Raw files (paths in the store) of all tracks whose fixes have been removed."""
    return list(conn.execute(text("SELECT raw_path FROM data.track WHERE purged_at IS NOT NULL")).scalars())
