"""The only SQL of what a night reads: candidates near a line, permits, scenes and deliveries, as known at a moment."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis.db.connect import read_frame, read_table

# what the feeds say stands on the ground: per feed the last complete delivery and the additions after it
_STANDING = """
    whole AS (SELECT DISTINCT ON (feed) feed, id, delivered_on, recorded_at FROM data.delivery
              WHERE complete AND delivered_on <= :night AND recorded_at <= :known ORDER BY feed, delivered_on DESC, recorded_at DESC),
    used AS (SELECT d.id, d.delivered_on, d.recorded_at FROM data.delivery d LEFT JOIN whole w ON w.feed = d.feed
             WHERE d.delivered_on <= :night AND d.recorded_at <= :known
               AND (d.id = w.id OR w.id IS NULL OR (NOT d.complete AND (d.delivered_on, d.recorded_at) > (w.delivered_on, w.recorded_at)))),
    item AS MATERIALIZED (SELECT DISTINCT ON (i.candidate_id) i.candidate_id, i.candidate_version, u.delivered_on, u.recorded_at AS delivered_at
             FROM data.delivery_item i JOIN used u ON u.id = i.delivery_id
             ORDER BY i.candidate_id, u.delivered_on DESC, u.recorded_at DESC)"""
_CANDIDATE = """c.id, c.version, c.code, c.feed, c.kind, c.source_kind, c.name, c.accuracy_m, c.seen_at, c.evidence"""
_FIRST = """(SELECT min(d.delivered_on) FROM data.delivery d JOIN data.delivery_item i ON i.delivery_id = d.id
             WHERE i.candidate_id = c.id AND d.recorded_at <= :known) AS first_delivered_on"""
_LINE_SLACK_DEG = 1e-5  # about a metre: a straight edge in degrees is not quite the one in metres


def count_standing(conn: Connection, night: date, known_at: datetime) -> int:
    """How many candidates the feeds say stand on the ground on a civil day."""
    sql = f"WITH {_STANDING} SELECT count(*) FROM item"
    return int(conn.execute(text(sql), {"night": night, "known": known_at}).scalar_one())


def candidates_near(
    conn: Connection,
    night: date,
    known_at: datetime,
    grounds: Sequence[uuid.UUID],
    islands: Sequence[shapely.Polygon],
    ids: Sequence[uuid.UUID],
) -> gpd.GeoDataFrame:
    """Of what stands on the ground, what lies on or at prepared grounds, in ``islands`` (degrees) they leave out, or is in ``ids``.

    Columns id, version, code, feed, kind, source_kind, name, accuracy_m, seen_at, evidence, delivered_on and delivered_at
    (of the last delivery), first_delivered_on; geom EPSG:4490. What lies elsewhere is never fetched.
    """
    # tables of the transaction, so that the planner knows how much there is to join
    conn.execute(
        text(f"""CREATE TEMP TABLE standing ON COMMIT DROP AS WITH {_STANDING}
        SELECT c.id, c.version, c.geom, i.delivered_on, i.delivered_at
        FROM item i JOIN data.candidate c ON c.id = i.candidate_id AND c.version = i.candidate_version"""),
        {"night": night, "known": known_at},
    )
    conn.execute(
        text("CREATE TEMP TABLE wanted ON COMMIT DROP AS SELECT unnest(CAST(:grounds AS uuid[])) AS ground_id"),
        {"grounds": [str(g) for g in grounds]},
    )
    conn.execute(
        text("""CREATE TEMP TABLE island ON COMMIT DROP AS
        SELECT ST_GeomFromEWKT(h) AS geom FROM unnest(CAST(:islands AS text[])) h"""),
        {"islands": [f"SRID=4490;{shapely.to_wkt(g, rounding_precision=-1)}" for g in islands]},
    )
    conn.execute(text("CREATE INDEX ON standing USING gist (geom)"))
    conn.execute(text("ANALYZE standing, wanted, island"))
    conn.execute(
        text(f"""CREATE TEMP TABLE near ON COMMIT DROP AS
        SELECT s.id FROM standing s JOIN cache.boundary_piece p ON ST_DWithin(p.geom, s.geom, {_LINE_SLACK_DEG})
        WHERE p.ground_id IN (SELECT ground_id FROM wanted)
        UNION SELECT s.id FROM island h JOIN standing s ON ST_DWithin(h.geom, s.geom, 0)
        UNION SELECT unnest(CAST(:ids AS uuid[]))"""),
        {"ids": [str(i) for i in ids]},
    )
    conn.execute(text("ANALYZE near"))
    found = read_frame(
        conn,
        f"""SELECT {_CANDIDATE}, s.delivered_on, s.delivered_at, {_FIRST}, c.geom
        FROM near JOIN standing s USING (id) JOIN data.candidate c USING (id, version) ORDER BY c.id""",
        {"known": known_at},
    )
    conn.execute(text("DROP TABLE standing, wanted, island, near"))
    return found


def candidates_of(conn: Connection, versions: Sequence[tuple[str, int]], known_at: datetime) -> gpd.GeoDataFrame:
    """Candidates by id and version, with the columns of ``candidates_near`` (no last delivery)."""
    return read_frame(
        conn,
        f"""SELECT {_CANDIDATE}, NULL::date AS delivered_on, NULL::timestamptz AS delivered_at, {_FIRST}, c.geom FROM data.candidate c
        JOIN unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[])) w(id, version) USING (id, version) ORDER BY c.id""",
        {"ids": [i for i, _ in versions], "versions": [v for _, v in versions], "known": known_at},
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

    Columns feed, delivered_on (last), on_foot (all that the feed ever named was reported by an inspector).
    """
    return read_table(
        conn,
        """SELECT d.feed, max(d.delivered_on) AS delivered_on,
          NOT EXISTS (SELECT FROM data.candidate c WHERE c.feed = d.feed AND c.source_kind <> 'inspector') AS on_foot
        FROM data.delivery d WHERE d.complete AND d.delivered_on <= :until
          AND (CAST(:after AS date) IS NULL OR d.delivered_on > :after OR d.recorded_at > :since) AND d.recorded_at <= :known GROUP BY d.feed ORDER BY d.feed""",
        {"after": after, "since": since, "until": until, "known": known_at},
    )
