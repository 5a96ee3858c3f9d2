"""The only SQL of patrol tracks, their fixes and scorings, who saw them, and how long they are kept."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db import versions
from rivergis.db.connect import copy_frame, read_frame, read_table
from rivergis.errors import NotFound, UsageError


def save(
    conn: Connection, layer_name: str, frame: pd.DataFrame, *, namespace: str, import_id: uuid.UUID | None
) -> versions.Saved:
    """Record rows of a patrol layer (see ``layers.LAYERS``): areas, who answers for them, warnings."""
    return versions.save_layer(conn, layer_name, frame, namespace=namespace, import_id=import_id)


# ---- outings --------------------------------------------------------------------------------------------------------

_OUTING = """SELECT h.id, h.file_name, h.chief_id, h.day, h.mode, coalesce(h.unit_code, c.unit_code) AS unit_code,
  min(p.started_at) AS started_at, max(p.ended_at) AS ended_at,
  ST_XMin(ST_Extent(p.box)) AS west, ST_YMin(ST_Extent(p.box)) AS south, ST_XMax(ST_Extent(p.box)) AS east, ST_YMax(ST_Extent(p.box)) AS north
FROM data.track h JOIN data.track p ON p.id = h.id OR p.part_of = h.id
LEFT JOIN LATERAL (SELECT unit_code FROM app.chief_as_of(h.day, :known) x WHERE x.id = h.chief_id) c ON true
WHERE h.part_of IS NULL AND {condition}
GROUP BY h.id, c.unit_code HAVING count(p.purged_at) = 0 ORDER BY min(p.started_at), h.id"""


def outings_of_day(conn: Connection, day: date, known_at: datetime) -> pd.DataFrame:
    """Outings of a civil day, each under its head, with all fixes still there: id, file_name, chief_id, day, mode, unit_code,
    started_at, ended_at, west, south, east, north (degrees)."""
    return read_table(conn, _OUTING.format(condition="h.day = :day"), {"day": day, "known": known_at})


def outing(conn: Connection, head: uuid.UUID, known_at: datetime, part_ids: Sequence[str]) -> pd.DataFrame:
    """One outing like ``outings_of_day``, of these files only, whatever came later; empty where fixes have been purged."""
    condition = "h.id = :t AND p.id = ANY(CAST(:parts AS uuid[]))"
    params = {"t": head, "known": known_at, "parts": list(part_ids)}
    return read_table(conn, _OUTING.format(condition=condition), params)


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
    frame = read_table(
        conn,
        """SELECT coalesce(t.part_of, t.id) AS head, f.track_id, f.seq,
          f.at + make_interval(secs => coalesce(t.clock_offset_s, 0)) AS at, ST_X(f.geom) AS lon, ST_Y(f.geom) AS lat,
          f.acc_m, f.speed_ms, f.received_at, t.datum_declared, t.datum_used
        FROM data.track t JOIN data.fix f ON f.track_id = t.id
        WHERE t.id = ANY(CAST(:ids AS uuid[])) OR t.part_of = ANY(CAST(:ids AS uuid[]))
        ORDER BY head, t.started_at, t.id, f.seq""",
        {"ids": [str(t) for t in heads]},
    )
    times = {c: pd.to_datetime(frame[c], utc=True) for c in ("at", "received_at")}
    return frame.assign(**times, **{c: frame[c].astype(float) for c in ("acc_m", "speed_ms")})


# what the fixes of another outing (o) are in: declared ones were moved when they were received
_DATUM = """CASE WHEN o.datum_declared IS NOT NULL THEN 'wgs84' ELSE (SELECT r.figures ->> 'datum' FROM data.patrol_result r
          WHERE r.track_id = o.id AND r.recorded_at <= :known ORDER BY r.recorded_at DESC LIMIT 1) END"""


def earlier_of_same_place(
    conn: Connection, head: uuid.UUID, known_at: datetime, *, days: float, together_min: float, limit: int
) -> pd.DataFrame:
    """Earlier outings whose box agrees best with that of this one: id, chief_id, day, file_name, datum.

    Begun at most ``days`` before it, and not later than ``together_min`` after; the ``limit`` that overlap most. ``datum``: what
    their fixes were found to be in where nobody declared it; None = not scored yet.
    """
    return read_table(
        conn,
        f"""WITH me AS (SELECT h.id, h.started_at, ST_Union(p.box) AS box FROM data.track h
            JOIN data.track p ON p.id = h.id OR p.part_of = h.id WHERE h.id = :t GROUP BY h.id)
        SELECT o.id, o.chief_id, o.day, o.file_name, {_DATUM} AS datum
        FROM me JOIN data.track o ON o.id <> me.id AND o.part_of IS NULL
          AND o.box && me.box AND o.purged_at IS NULL AND o.recorded_at <= :known
          AND o.started_at > me.started_at - make_interval(secs => :seconds)
          AND o.started_at < me.started_at + make_interval(secs => :together)
        ORDER BY ST_Area(ST_Intersection(o.box, me.box)) / nullif(ST_Area(ST_Union(o.box, me.box)), 0) DESC NULLS LAST, o.id
        LIMIT :n""",
        {"t": head, "known": known_at, "seconds": days * 86400, "together": together_min * 60, "n": limit},
    )


def at_the_same_time(conn: Connection, head: uuid.UUID, known_at: datetime) -> pd.DataFrame:
    """Outings of other chiefs under way near this one at the same time: id, chief_id, chief, unit_code, day, file_name, datum."""
    return read_table(
        conn,
        f"""WITH me AS (SELECT h.id, h.chief_id, h.day, min(p.started_at) AS a, max(p.ended_at) AS b, ST_Expand(ST_Union(p.box), 0.02) AS box
            FROM data.track h JOIN data.track p ON p.id = h.id OR p.part_of = h.id WHERE h.id = :t GROUP BY h.id)
        SELECT DISTINCT o.id, o.chief_id, c.name AS chief, coalesce(o.unit_code, c.unit_code) AS unit_code, o.day, o.file_name,
          {_DATUM} AS datum
        FROM me JOIN data.track q ON q.box && me.box AND q.started_at < me.b AND q.ended_at > me.a AND q.purged_at IS NULL
        JOIN data.track o ON o.id = coalesce(q.part_of, q.id) AND o.id <> me.id AND o.chief_id IS DISTINCT FROM me.chief_id
        LEFT JOIN app.chief_as_of((SELECT day FROM me), :known) c ON c.id = o.chief_id
        WHERE q.recorded_at <= :known ORDER BY o.id""",
        {"t": head, "known": known_at},
    )


def hours_since_last(conn: Connection, head: uuid.UUID, known_at: datetime) -> float | None:
    """Hours between the end of the chief's outing before this one and its start; None when there is none, or nobody is named."""
    hours = conn.execute(
        text("""SELECT extract(epoch FROM h.started_at - max(o.ended_at)) / 3600 FROM data.track h
        JOIN data.track o ON o.chief_id = h.chief_id AND coalesce(o.part_of, o.id) <> h.id
          AND o.started_at < h.started_at AND o.recorded_at <= :known WHERE h.id = :t GROUP BY h.started_at"""),
        {"t": head, "known": known_at},
    ).scalar()
    return None if hours is None else round(float(hours), 3)


def parties(conn: Connection, head: uuid.UUID) -> pd.DataFrame:
    """Who was declared to take part in an outing: chief_id, person, unit_code, part."""
    return read_table(
        conn,
        """SELECT DISTINCT p.chief_id, p.person, p.unit_code, p.part FROM data.patrol_party p JOIN data.track t ON t.id = p.track_id
        WHERE t.id = :t OR t.part_of = :t ORDER BY p.part, p.chief_id, p.person, p.unit_code""",
        {"t": head},
    )


def areas(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Patrol areas in force: id, version, code, name, chiefs (ids of who answers); MultiPolygon, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT a.id, a.version, a.code, a.name, array(SELECT CAST(d.chief_id AS text) FROM app.area_duty_as_of(:on, :known) d
          WHERE d.area_id = a.id ORDER BY 1) AS chiefs, a.geom
        FROM app.patrol_area_as_of(:on, :known) a ORDER BY a.id""",
        {"on": on, "known": known_at},
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


_STALE = """WITH changed AS (
  SELECT valid, max(greatest(recorded_at, superseded_at)) AS at FROM (
    SELECT valid, recorded_at, superseded_at FROM data.reach UNION ALL SELECT valid, recorded_at, superseded_at FROM data.duty
    UNION ALL SELECT valid, recorded_at, superseded_at FROM data.chief UNION ALL SELECT valid, recorded_at, superseded_at FROM data.river
    UNION ALL SELECT valid, recorded_at, superseded_at FROM data.patrol_area
    UNION ALL SELECT valid, recorded_at, superseded_at FROM data.area_duty) v
  WHERE recorded_at > :since OR superseded_at > :since GROUP BY valid),
head AS (
  SELECT h.id, h.day, h.chief_id, count(DISTINCT p.id) AS parts, bool_or(p.purged_at IS NOT NULL) AS purged,
    bool_or(p.id <> h.id AND x.id IS NOT NULL) AS part_scored
  FROM data.track h JOIN data.track p ON p.id = h.id OR p.part_of = h.id
  LEFT JOIN data.patrol_result x ON x.track_id = p.id AND x.superseded_at IS NULL
  WHERE h.part_of IS NULL AND h.day <= :until GROUP BY h.id),
current AS (
  SELECT h.*, r.recorded_at AS scored_at, r.figures -> 'read' AS read FROM head h
  LEFT JOIN data.patrol_result r ON r.track_id = h.id AND r.superseded_at IS NULL WHERE NOT h.purged)
SELECT DISTINCT day FROM current c WHERE scored_at IS NULL OR part_scored
  OR jsonb_array_length(read -> 'parts') <> parts OR read ->> 'chief_id' IS DISTINCT FROM CAST(chief_id AS text)
  OR EXISTS (SELECT FROM changed v WHERE v.valid @> c.day AND v.at > c.scored_at)
  OR EXISTS (SELECT FROM data.patrol_party p JOIN data.track t ON t.id = p.track_id
             WHERE coalesce(t.part_of, t.id) = c.id AND p.recorded_at > c.scored_at)
  OR EXISTS (SELECT FROM data.track o JOIN data.track t ON (t.id = c.id OR t.part_of = c.id) AND (o.box && t.box OR o.chief_id = t.chief_id)
             WHERE o.recorded_at > greatest(c.scored_at, :since) AND coalesce(o.part_of, o.id) <> c.id
               AND o.started_at < t.ended_at AND o.started_at > t.started_at - make_interval(days => :days))
ORDER BY day"""


def days_to_score(conn: Connection, until: date, since: datetime | None, replay_days: int) -> list[date]:
    """Days up to ``until`` with an outing that was never scored, got another part or party, or whose duties, chiefs, rivers,
    reaches, areas or neighbouring tracks changed after it was; ``since``: changes before it were looked at already."""
    found = conn.execute(text(_STALE), {"until": until, "since": since or "-infinity", "days": replay_days})
    return list(found.scalars())


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
        """SELECT r.id AS result_id, r.track_id, t.file_name, t.started_at, t.ended_at, c.name AS chief, c.level, c.title,
          r.figures, r.standard, r.review, r.rule_set
        FROM data.patrol_result r JOIN data.track t ON t.id = r.track_id
        LEFT JOIN app.chief_as_of(:day, :known) c ON c.id = t.chief_id
        WHERE t.day = :day AND r.recorded_at <= :known AND (r.superseded_at IS NULL OR r.superseded_at > :known)
        ORDER BY t.started_at, t.id""",
        {"day": day, "known": known_at},
    )


def legs_on_rivers(conn: Connection, result_id: uuid.UUID) -> pd.DataFrame:
    """Legs of a scoring along the chainage of their rivers: river, bank, at_from_m, at_to_m, seen, reason."""
    return read_table(
        conn,
        """SELECT r.name AS river, l.bank, h.from_m + l.from_m * k.scale AS at_from_m, h.from_m + l.to_m * k.scale AS at_to_m, l.seen, l.reason
        FROM data.leg l JOIN data.reach h ON h.id = l.reach_id AND h.version = l.reach_version
        CROSS JOIN LATERAL (SELECT (h.to_m - h.from_m) / nullif(h.length_m, 0) AS scale) k
        JOIN data.patrol_result p ON p.id = l.result_id
        JOIN app.river_as_of((SELECT day FROM data.track WHERE id = p.track_id)) r ON r.id = h.river_id
        WHERE l.result_id = :r AND l.bank IS NOT NULL AND h.from_m IS NOT NULL
        ORDER BY r.name, l.bank, at_from_m""",
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


def accesses(conn: Connection, track_id: uuid.UUID) -> pd.DataFrame:
    """Who saw an outing: at (UTC), actor, display_name, purpose; newest first."""
    return read_table(
        conn,
        """SELECT a.at, a.actor, u.display_name, a.purpose FROM sys.track_access a LEFT JOIN sys."user" u ON u.name = a.actor
        JOIN data.track t ON t.id = a.track_id JOIN data.track asked ON asked.id = :t
        WHERE coalesce(t.part_of, t.id) = coalesce(asked.part_of, asked.id) ORDER BY a.id DESC""",
        {"t": track_id},
    )


def of_chief(conn: Connection, chief_id: uuid.UUID, limit: int = 200) -> pd.DataFrame:
    """Outings of a chief, newest first: track_id, day, started_at, ended_at, file_name, files, scored_at, purged_at."""
    return read_table(
        conn,
        """SELECT h.id AS track_id, h.day, min(p.started_at) AS started_at, max(p.ended_at) AS ended_at, h.file_name,
          count(p.id) AS files, r.recorded_at AS scored_at, max(p.purged_at) AS purged_at
        FROM data.track h JOIN data.track p ON p.id = h.id OR p.part_of = h.id
        LEFT JOIN data.patrol_result r ON r.track_id = h.id AND r.superseded_at IS NULL
        WHERE h.part_of IS NULL AND (h.chief_id = :c
          OR EXISTS (SELECT FROM data.patrol_party y WHERE y.track_id = h.id AND y.chief_id = :c))
        GROUP BY h.id, r.recorded_at ORDER BY h.day DESC NULLS LAST, h.started_at DESC LIMIT :n""",
        {"c": chief_id, "n": limit},
    )


def is_own(conn: Connection, track_id: uuid.UUID, actor: str) -> bool:
    """Whether a track is of the chief whose account ``actor`` is, or of an outing the chief is declared to have taken part in."""
    return bool(
        conn.execute(
            text("""SELECT EXISTS (SELECT FROM sys."user" u JOIN data.track t ON t.id = :t
            WHERE u.name = :a AND u.disabled_at IS NULL AND u.chief_id IS NOT NULL AND (t.chief_id = u.chief_id
              OR EXISTS (SELECT FROM data.patrol_party p WHERE p.track_id = t.id AND p.chief_id = u.chief_id)))"""),
            {"t": track_id, "a": actor},
        ).scalar()
    )


def purge(conn: Connection, before: date) -> list[tuple[uuid.UUID, str]]:
    """Remove the fixes and boxes of outings that ended before a day; legs, visits, observations and hash stay. (id, raw_path).

    An outing goes whole, with its last part. A track without times counts from the day it was recorded.
    """
    conn.execute(text("SET LOCAL rivergis.purpose = 'retention'"))
    gone = conn.execute(
        text("""WITH outing AS (
          SELECT coalesce(part_of, id) AS head, max(coalesce(day, CAST(recorded_at AT TIME ZONE 'Asia/Shanghai' AS date))) AS last
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
