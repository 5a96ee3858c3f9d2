"""The only SQL of what a night reads: candidates near a line, permits, scenes and deliveries, as known at a moment."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import date, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis.db.connect import read_frame, read_table

LINE_SLACK_DEG = 1e-5  # about a metre: a straight edge in degrees is not quite the one in metres

Moments = tuple[date, datetime]
"""A civil day, and up to when what the database knew counts."""


def standing_sql(only: str = "") -> str:
    """What the feeds say stands on the ground, as ``item``: per feed the last complete delivery and the additions after it.

    ``only``: a query of candidate ids that are asked for; else all.
    """
    asked = f"WHERE i.candidate_id IN ({only})" if only else ""
    return f"""
    whole AS (SELECT DISTINCT ON (feed) feed, id, delivered_on, recorded_at FROM data.delivery
              WHERE complete AND delivered_on <= :night AND recorded_at <= :known ORDER BY feed, delivered_on DESC, recorded_at DESC),
    used AS (SELECT d.feed, d.id, d.delivered_on, d.recorded_at FROM data.delivery d LEFT JOIN whole w ON w.feed = d.feed
             WHERE d.delivered_on <= :night AND d.recorded_at <= :known
               AND (d.id = w.id OR w.id IS NULL OR (NOT d.complete AND (d.delivered_on, d.recorded_at) > (w.delivered_on, w.recorded_at)))),
    item AS MATERIALIZED (SELECT DISTINCT ON (i.candidate_id) i.candidate_id, i.candidate_version, u.delivered_on, u.recorded_at AS delivered_at
             FROM data.delivery_item i JOIN used u ON u.id = i.delivery_id {asked}
             ORDER BY i.candidate_id, u.delivered_on DESC, u.recorded_at DESC)"""


# what somebody ended (hand_workflow.end) stands no more, though a delivery holds it
STANDS = "c.source ->> 'ended_on' IS NULL"
_CANDIDATE = """c.id, c.version, c.code, c.feed, c.kind, c.source_kind, c.name, c.accuracy_m, c.seen_at, c.evidence"""
_FIRST = """(SELECT min(d.delivered_on) FROM data.delivery d JOIN data.delivery_item i ON i.delivery_id = d.id
             WHERE i.candidate_id = c.id AND d.recorded_at <= :known) AS first_delivered_on"""


def count_standing(conn: Connection, night: date, known_at: datetime) -> int:
    """How many candidates the feeds say stand on the ground on a civil day."""
    sql = f"WITH {standing_sql()} SELECT count(*) FROM item"
    return int(conn.execute(text(sql), {"night": night, "known": known_at}).scalar_one())


def candidates_of(conn: Connection, versions: Sequence[tuple[str, int]], known_at: datetime) -> gpd.GeoDataFrame:
    """Candidates by id and version: id, version, code, feed, kind, source_kind, name, accuracy_m, seen_at, evidence, first_delivered_on
    (null = unknown), delivered_on and delivered_at (null: whoever asks knows by which delivery); geom EPSG:4490."""
    return read_frame(
        conn,
        f"""SELECT {_CANDIDATE}, NULL::date AS delivered_on, NULL::timestamptz AS delivered_at, {_FIRST}, c.geom FROM data.candidate c
        JOIN unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[])) w(id, version) USING (id, version) ORDER BY c.id""",
        {"ids": [str(i) for i, _ in versions], "versions": [int(v) for _, v in versions], "known": known_at},
    )


def permits(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Permits (涉河许可) known at a moment, each in the last of its periods that had begun on a civil day: it holds, or has ended.

    Columns id, version, code, name, kind, allows, doc_no, position_kind, river_id, bank, from_m, to_m, valid_from, valid_to
    (both inclusive, null = open), accepted_on; geom MultiPolygon in EPSG:4490 or missing.
    """
    return read_frame(
        conn,
        """SELECT DISTINCT ON (id) id, version, code, name, kind, allows, doc_no, position_kind, river_id, bank, from_m, to_m,
          lower(valid) AS valid_from, upper(valid) - 1 AS valid_to, CASE WHEN accepted_on <= :on THEN accepted_on END AS accepted_on, geom
        FROM data.permit WHERE coalesce(lower(valid) <= :on, true) AND recorded_at <= :known
          AND (superseded_at IS NULL OR superseded_at > :known) ORDER BY id, valid DESC""",
        {"on": on, "known": known_at},
    )


def imagery(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Scenes taken up to a day, newest first; footprint in EPSG:4490, ``unobserved`` as geometry or None."""
    frame = read_frame(
        conn,
        """SELECT id, version, code, taken_on, gsd_m, file_path, ST_AsBinary(unobserved) AS unobserved, geom
        FROM app.imagery_as_of(:on, :known) WHERE taken_on <= :on ORDER BY taken_on DESC, id""",
        {"on": on, "known": known_at},
    )
    frame["unobserved"] = [None if u is None else shapely.from_wkb(bytes(u)) for u in frame["unobserved"]]
    return frame


def feeds_delivered(
    conn: Connection, after: date | None, since: datetime | None, until: date, known_at: datetime
) -> pd.DataFrame:
    """Feeds that gave a complete picture for a civil day after one, up to another, or since a moment; the others did not look.

    A picture that comes after a newer one of its feed was taken up is history: what stands now was looked at already.
    Columns feed, delivered_on and recorded_at (of the newest picture), on_foot (all that the feed ever named was reported by an inspector).
    """
    return read_table(
        conn,
        """SELECT d.feed, d.delivered_on, d.recorded_at,
          NOT EXISTS (SELECT FROM data.candidate c WHERE c.feed = d.feed AND c.source_kind <> 'inspector') AS on_foot
        FROM (SELECT DISTINCT ON (feed) feed, delivered_on, recorded_at FROM data.delivery
              WHERE complete AND delivered_on <= :until AND recorded_at <= :known ORDER BY feed, delivered_on DESC, recorded_at DESC) d
        WHERE CAST(:after AS date) IS NULL OR d.delivered_on > :after OR d.recorded_at > :since ORDER BY d.feed""",
        {"after": after, "since": since, "until": until, "known": known_at},
    )


def not_told(conn: Connection, night: date, known_at: datetime) -> set[uuid.UUID]:
    """Candidates of which the nights up to one said why they are not told, and never that it is over."""
    rows = conn.execute(
        text("""SELECT candidate_id FROM (SELECT DISTINCT ON (candidate_id) candidate_id, reason FROM data.not_finding
        WHERE night <= :night AND recorded_at <= :known ORDER BY candidate_id, night DESC) n
        WHERE reason NOT IN ('told', 'outside', 'left')"""),
        {"night": night, "known": known_at},
    )
    return set(rows.scalars())


def end_not_findings(conn: Connection, night: date, known_at: datetime, candidates: Collection[uuid.UUID]) -> int:
    """End the reasons why candidates were not told that are at no line any more: outside now, or no longer delivered (left)."""
    return conn.execute(
        text(f"""INSERT INTO data.not_finding (night, candidate_id, candidate_version, reason)
        WITH {standing_sql("SELECT unnest(CAST(:ids AS uuid[]))")}
        SELECT :night, n.candidate_id, n.candidate_version, CASE WHEN i.candidate_id IS NULL THEN 'left' ELSE 'outside' END
        FROM (SELECT DISTINCT ON (candidate_id) * FROM data.not_finding WHERE candidate_id = ANY(CAST(:ids AS uuid[]))
              AND night <= :night AND recorded_at <= :known ORDER BY candidate_id, night DESC) n
        LEFT JOIN (SELECT i.candidate_id FROM item i JOIN data.candidate c ON c.id = i.candidate_id AND c.version = i.candidate_version AND {STANDS}) i
          USING (candidate_id) WHERE n.reason NOT IN ('told', 'outside', 'left') ON CONFLICT DO NOTHING"""),
        {"night": night, "known": known_at, "ids": [str(i) for i in candidates]},
    ).rowcount


def permits_between(conn: Connection, now: Moments, before: Moments) -> gpd.GeoDataFrame:
    """Permits that two nights judge by differently: another version, begun, ended or accepted since.

    Columns id, allows, placed (has a polygon that counts); geom of either night, EPSG:4490.
    """
    then, today = permits(conn, *before), permits(conn, *now)
    changed = _judged_by(today, now[0]).symmetric_difference(_judged_by(then, before[0]))
    ids = {i for i, *_ in changed}
    both = pd.concat([f[np.array([str(i) in ids for i in f["id"]], bool)] for f in (then, today)], ignore_index=True)
    placed = (both["position_kind"] == "polygon").to_numpy(bool) & both.geometry.notna().to_numpy(bool)
    return gpd.GeoDataFrame(
        both[["id", "allows"]].assign(placed=placed), geometry=both.geometry.to_numpy(), crs="EPSG:4490"
    )


def _judged_by(frame: gpd.GeoDataFrame, on: date) -> set[tuple[str, int, bool, str]]:
    over = [t is not None and not pd.isna(t) and t < on for t in frame["valid_to"]]
    return {
        (str(i), int(v), o, str(a))
        for i, v, o, a in zip(frame["id"], frame["version"], over, frame["accepted_on"], strict=True)
    }


def scenes_between(conn: Connection, now: Moments, before: Moments) -> set[str]:
    """Codes of the scenes that two nights do not both know in the same version."""
    then, today = (
        {(str(c), str(i), int(v)) for c, i, v in zip(f["code"], f["id"], f["version"], strict=True)}
        for f in (imagery(conn, *before), imagery(conn, *now))
    )
    return {c for c, *_ in then.symmetric_difference(today)}


def naming_scenes(conn: Connection, codes: Collection[str]) -> set[uuid.UUID]:
    """Candidates whose sources name these scenes as their picture before or after."""
    stem = "regexp_replace(regexp_replace(evidence ->> '{}', '^.*/', ''), '\\.[^.]*$', '')"
    rows = conn.execute(
        text(
            f"SELECT id FROM data.candidate WHERE {stem.format('before')} = ANY(:codes) OR {stem.format('after')} = ANY(:codes)"
        ),
        {"codes": sorted(codes)},
    )
    return set(rows.scalars())


def of_kinds(conn: Connection, kinds: Collection[str]) -> set[uuid.UUID]:
    """Candidates of these kinds."""
    rows = conn.execute(
        text("SELECT DISTINCT id FROM data.candidate WHERE kind = ANY(:kinds)"), {"kinds": sorted(kinds)}
    )
    return set(rows.scalars())
