"""The only SQL of what a night has to look at: what changed since a night before, and all that it may touch.

The tables of one transaction hold it: ``lead_node`` and ``lead_name`` (leads as the nights before left them, and the candidates
they are known by), ``cand_node`` (candidates to be judged), ``lead_in`` (leads to be judged). A shape is the ground of a thing;
of a point it is the circle of its accuracy.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis.db.connect import read_table
from rivergis.encroachment.night_store import LINE_SLACK_DEG, STANDS, standing_sql
from rivergis.encroachment.store import LAST_ROWS, MAY_BE_MET, Moment

_TOUCH_DEG = 1e-8  # about a millimetre: shared edges do not meet exactly
_M_PER_DEG = 111_000
_REACH = "({m} * 1.2 + 0.001) / ({per} * cos(radians(ST_YMin({g}))))"


def deliveries_used(conn: Connection, at: Moment) -> dict[str, frozenset[uuid.UUID]]:
    """By feed the deliveries that say what stands on the ground: the last complete picture, and additions after it."""
    rows = conn.execute(text(f"WITH {standing_sql()} SELECT feed, array_agg(id) FROM used GROUP BY feed"), at.params)
    return {str(feed): frozenset(ids) for feed, ids in rows}


def changed_items(conn: Connection, now: Iterable[uuid.UUID], before: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Candidates that two sets of deliveries hold in different versions, or one of them not at all."""
    held = """SELECT DISTINCT ON (i.candidate_id) i.candidate_id, i.candidate_version FROM data.delivery_item i
      JOIN data.delivery d ON d.id = i.delivery_id WHERE d.id = ANY(CAST(:{0} AS uuid[]))
      ORDER BY i.candidate_id, d.delivered_on DESC, d.recorded_at DESC"""
    rows = conn.execute(
        text(f"""SELECT candidate_id FROM ({held.format("now")}) a FULL JOIN ({held.format("before")}) b USING (candidate_id)
        WHERE a.candidate_version IS DISTINCT FROM b.candidate_version"""),
        {"now": [str(i) for i in now], "before": [str(i) for i in before]},
    )
    return set(rows.scalars())


def seen_earlier(conn: Connection, now: Moment, before: Moment) -> set[uuid.UUID]:
    """Candidates that a delivery which came since shows on an earlier day than any known before."""
    rows = conn.execute(
        text("""SELECT DISTINCT i.candidate_id FROM data.delivery d JOIN data.delivery_item i ON i.delivery_id = d.id
        WHERE d.recorded_at > :since AND d.recorded_at <= :known
          AND d.delivered_on < (SELECT max(delivered_on) FROM data.delivery WHERE recorded_at <= :since)
          AND d.delivered_on < (SELECT min(o.delivered_on) FROM data.delivery_item j JOIN data.delivery o ON o.id = j.delivery_id
                                WHERE j.candidate_id = i.candidate_id AND o.recorded_at <= :since)"""),
        {"since": before.known_at, "known": now.known_at},
    )
    return set(rows.scalars())


def open_leads(conn: Connection, at: Moment, back: timedelta) -> None:
    """Make ``lead_node`` and ``lead_name``: encroachments as the nights before left them, also those that may come back."""
    reach = _REACH.format(m="coalesce((m.carried ->> 'accuracy_m')::float8, 0)", per=_M_PER_DEG, g="s.geom")
    conn.execute(
        text(f"""CREATE TEMP TABLE lead_node ON COMMIT DROP AS
        SELECT f.id, f.first_night, f.place, left(f.district, 6) AS district, z.night, z.status, coalesce(z.calm, false) AS calm,
          coalesce(z.status, '') IN ('gone', 'permitted', 'merged') AS closed, s.sources, coalesce(m.carried -> 'sources', '[]') AS feeds,
          CASE WHEN ST_Dimension(s.geom) = 2 THEN s.geom ELSE ST_Buffer(s.geom, {reach}) END AS shape,
          coalesce(m.carried -> 'identities', '[]') AS names
        FROM data.finding f {LAST_ROWS}
        WHERE f.topic = 'encroachment' AND {MAY_BE_MET}"""),
        {**at.params, "closed_since": at.night - back},
    )
    conn.execute(
        text("""CREATE TEMP TABLE lead_name ON COMMIT DROP AS
        SELECT l.id AS lead, (e ->> 'candidate')::uuid AS candidate FROM lead_node l, jsonb_array_elements(l.sources) e WHERE e ? 'candidate'
        UNION SELECT l.id, n::uuid FROM lead_node l, jsonb_array_elements_text(l.names) n""")
    )
    conn.execute(text("CREATE INDEX ON lead_node USING gist (shape)"))
    conn.execute(
        text("CREATE INDEX ON lead_node (id); CREATE INDEX ON lead_name (lead); CREATE INDEX ON lead_name (candidate)")
    )
    conn.execute(text("ANALYZE lead_node, lead_name"))


def _shape(c: str) -> str:
    reach = _REACH.format(
        m=f"coalesce({c}.accuracy_m, (CAST(:reach AS jsonb) ->> {c}.source_kind)::float8, (CAST(:reach AS jsonb) ->> '*')::float8)",
        per=_M_PER_DEG,
        g=f"{c}.geom",
    )
    return f"CASE WHEN ST_Dimension({c}.geom) = 0 THEN ST_Buffer({c}.geom, {reach}) ELSE {c}.geom END"


class Nodes:
    """Candidates and leads that a night has to judge, gathered in tables of its transaction.

    ``grounds``: prepared grounds in force; ``reach_m``: position error by source kind where a candidate says none, m.
    """

    def __init__(
        self, conn: Connection, at: Moment, grounds: Sequence[uuid.UUID], reach_m: Mapping[str, float]
    ) -> None:
        self.conn, self.at = conn, at
        self._with = {**at.params, "reach": json.dumps(dict(reach_m)), "far": _far_deg(conn, reach_m)}
        conn.execute(
            text("CREATE TEMP TABLE wanted_ground ON COMMIT DROP AS SELECT unnest(CAST(:g AS uuid[])) AS id"),
            {"g": [str(g) for g in grounds]},
        )
        conn.execute(
            text("""CREATE TEMP TABLE cand_node (id uuid PRIMARY KEY, version int, shape geometry, home geometry, delivered_on date,
            delivered_at timestamptz, round int) ON COMMIT DROP; CREATE INDEX ON cand_node USING gist (shape);
            CREATE TEMP TABLE lead_in (id uuid PRIMARY KEY, round int) ON COMMIT DROP; ANALYZE wanted_ground""")
        )

    def everything(self) -> None:
        """All that stands at or inside the lines in force, and all leads with whatever stands at them."""
        self.conn.execute(
            text(f"""CREATE TEMP TABLE standing ON COMMIT DROP AS WITH {standing_sql()}
            SELECT c.id, c.version, c.geom, {_shape("c")} AS shape, i.delivered_on, i.delivered_at
            FROM item i JOIN data.candidate c ON c.id = i.candidate_id AND c.version = i.candidate_version AND {STANDS}"""),
            self._with,
        )
        self.conn.execute(
            text("CREATE INDEX ON standing USING gist (shape); CREATE INDEX ON standing (id); ANALYZE standing")
        )
        self.conn.execute(
            text(f"""INSERT INTO cand_node SELECT s.id, s.version, s.shape, ST_PointOnSurface(s.geom), s.delivered_on, s.delivered_at, 0
            FROM standing s WHERE s.id IN (
              SELECT s.id FROM standing s JOIN cache.boundary_piece p ON ST_DWithin(p.geom, s.geom, {LINE_SLACK_DEG})
                WHERE p.ground_id IN (SELECT id FROM wanted_ground)
              UNION SELECT s.id FROM standing s JOIN cache.boundary_island h ON ST_DWithin(h.geom, s.geom, 0)
                WHERE h.ground_id IN (SELECT id FROM wanted_ground)
              UNION SELECT candidate FROM lead_name
              UNION SELECT s.id FROM standing s JOIN lead_node l ON ST_DWithin(l.shape, s.shape, {_TOUCH_DEG}))"""),
        )
        self.conn.execute(text("INSERT INTO lead_in SELECT id, 0 FROM lead_node; DROP TABLE standing"))

    def add_candidates(self, ids: Iterable[uuid.UUID]) -> None:
        """Candidates by id, as far as they stand and are at a line or at a lead; and the leads known by them, wherever they are now."""
        self.conn.execute(
            text("CREATE TEMP TABLE asked ON COMMIT DROP AS SELECT unnest(CAST(:ids AS uuid[])) AS id"),
            {"ids": [str(i) for i in ids]},
        )
        self._take(0)
        self.conn.execute(
            text(
                """INSERT INTO lead_in SELECT DISTINCT n.lead, 0 FROM lead_name n JOIN asked a ON a.id = n.candidate ON CONFLICT DO NOTHING"""
            )
        )
        self.conn.execute(text("DROP TABLE asked"))

    def add_places(self, places: Sequence[shapely.Geometry]) -> set[uuid.UUID]:
        """Whatever stands in places (degrees), and the leads there; returns all candidates that ever were there."""
        if not len(places):
            return set()
        self._places(places)
        self.conn.execute(
            text(f"""CREATE TEMP TABLE asked ON COMMIT DROP AS SELECT DISTINCT c.id FROM place p JOIN data.candidate c
            ON c.geom && ST_Expand(p.geom, :far) AND ST_DWithin({_shape("c")}, p.geom, {_TOUCH_DEG})"""),
            self._with,
        )
        self._take(0)
        found = set(self.conn.execute(text("SELECT id FROM asked")).scalars())
        self.conn.execute(
            text(f"""INSERT INTO lead_in SELECT DISTINCT l.id, 0 FROM place p JOIN lead_node l ON ST_DWithin(l.shape, p.geom, {_TOUCH_DEG})
            ON CONFLICT DO NOTHING; DROP TABLE asked; DROP TABLE place""")
        )
        return found

    def _places(self, places: Sequence[shapely.Geometry]) -> None:
        self.conn.execute(
            text(
                "CREATE TEMP TABLE place ON COMMIT DROP AS SELECT ST_SetSRID(ST_GeomFromWKB(decode(g, 'hex')), 4490) AS geom FROM unnest(CAST(:g AS text[])) g"
            ),
            {"g": [shapely.to_wkb(p, hex=True) for p in places]},
        )
        self.conn.execute(text("CREATE INDEX ON place USING gist (geom); ANALYZE place"))

    def add_moving(self, feeds: Sequence[str]) -> None:
        """Open leads that feeds which delivered may have something to say of: seen for the first times, growing, missed."""
        self.conn.execute(
            text("""INSERT INTO lead_in SELECT id, 0 FROM lead_node WHERE NOT calm AND NOT closed AND jsonb_exists_any(feeds, CAST(:f AS text[]))
            ON CONFLICT DO NOTHING"""),
            {"f": list(feeds)},
        )

    def add_district(self, districts: Sequence[str], places: Sequence[shapely.Geometry]) -> None:
        """All leads that were found in districts or in their ground (degrees), and whatever stands in them."""
        self.conn.execute(
            text(
                "INSERT INTO lead_in SELECT id, 0 FROM lead_node WHERE district = ANY(CAST(:d AS text[])) ON CONFLICT DO NOTHING"
            ),
            {"d": list(districts)},
        )
        if len(places):
            self._places(places)
            self.conn.execute(
                text("""INSERT INTO lead_in SELECT DISTINCT l.id, 0 FROM place p JOIN lead_node l ON ST_Intersects(p.geom, l.place)
                ON CONFLICT DO NOTHING; DROP TABLE place""")
            )
        self.add_places(places)

    def _take(self, round_: int) -> None:
        """Of the candidates asked for, those that stand and are at a line or at a lead."""
        self.conn.execute(text("ANALYZE asked"))
        self.conn.execute(
            text(f"""WITH {standing_sql("SELECT id FROM asked EXCEPT SELECT id FROM cand_node")},
            s AS MATERIALIZED (SELECT c.id, c.version, c.geom, {_shape("c")} AS shape, i.delivered_on, i.delivered_at
                  FROM item i JOIN data.candidate c ON c.id = i.candidate_id AND c.version = i.candidate_version AND {STANDS})
            INSERT INTO cand_node SELECT s.id, s.version, s.shape, ST_PointOnSurface(s.geom), s.delivered_on, s.delivered_at, :round FROM s
            WHERE EXISTS (SELECT FROM cache.boundary_piece p WHERE ST_DWithin(p.geom, s.geom, {LINE_SLACK_DEG}) AND p.ground_id IN (SELECT id FROM wanted_ground))
               OR EXISTS (SELECT FROM cache.boundary_island h WHERE ST_DWithin(h.geom, s.geom, 0) AND h.ground_id IN (SELECT id FROM wanted_ground))
               OR EXISTS (SELECT FROM lead_name n WHERE n.candidate = s.id)
               OR EXISTS (SELECT FROM lead_node l WHERE ST_DWithin(l.shape, s.shape, {_TOUCH_DEG}))"""),
            {**self._with, "round": round_},
        )

    def close(self) -> None:
        """Add whatever the things gathered so far may be the same as, until nothing is left."""
        round_ = 0
        while self._grow(round_ + 1):
            round_ += 1

    def _grow(self, round_: int) -> bool:
        before = self.counts
        last = {"last": round_ - 1, "round": round_}
        self.conn.execute(
            text(f"""INSERT INTO lead_in SELECT lead, :round FROM (
              SELECT n.lead FROM lead_name n JOIN cand_node c ON c.id = n.candidate WHERE c.round = :last
              UNION SELECT l.id FROM cand_node c JOIN lead_node l ON ST_DWithin(l.shape, c.shape, {_TOUCH_DEG}) WHERE c.round = :last
              UNION SELECT b.id FROM lead_in i JOIN lead_node a ON a.id = i.id JOIN lead_node b ON ST_DWithin(a.shape, b.shape, {_TOUCH_DEG})
                WHERE i.round = :last) x ON CONFLICT DO NOTHING"""),
            last,
        )
        self.conn.execute(
            text(f"""CREATE TEMP TABLE asked ON COMMIT DROP AS
            WITH f AS MATERIALIZED (SELECT l.shape FROM lead_in i JOIN lead_node l ON l.id = i.id WHERE i.round IN (:last, :round)
                       UNION ALL SELECT shape FROM cand_node WHERE round = :last)
            SELECT n.candidate AS id FROM lead_in i JOIN lead_name n ON n.lead = i.id WHERE i.round IN (:last, :round)
            UNION SELECT c.id FROM f JOIN data.candidate c ON c.geom && ST_Expand(f.shape, :far) AND ST_DWithin({_shape("c")}, f.shape, {_TOUCH_DEG})"""),
            {**self._with, **last},
        )
        self._take(round_)
        self.conn.execute(text("DROP TABLE asked; ANALYZE cand_node, lead_in"))
        return self.counts != before

    @property
    def counts(self) -> tuple[int, int]:
        row = self.conn.execute(text("SELECT (SELECT count(*) FROM cand_node), (SELECT count(*) FROM lead_in)")).one()
        return int(row[0]), int(row[1])

    def seen_as_they_were(self, deliveries: Iterable[uuid.UUID]) -> pd.DataFrame:
        """Calm leads that are not to be judged and that new deliveries show again: id, status, lon, lat of where they were found."""
        return read_table(
            self.conn,
            """SELECT l.id, l.status, ST_X(l.place) AS lon, ST_Y(l.place) AS lat FROM lead_node l WHERE l.calm AND NOT l.closed AND l.id NOT IN (SELECT id FROM lead_in)
            AND EXISTS (SELECT FROM jsonb_array_elements(l.sources) e JOIN data.delivery_item i ON i.candidate_id = (e ->> 'candidate')::uuid
                        WHERE e ? 'candidate' AND i.delivery_id = ANY(CAST(:new AS uuid[]))) ORDER BY l.id""",
            {"new": [str(d) for d in deliveries]},
        )

    def frame(self) -> pd.DataFrame:
        """The things gathered, leads first: id, version (0 = lead), first_night, lon and lat of where each speaks, box, last delivery, and
        ``round``: 0 = asked for by itself, more = gathered because it may be the same as another."""
        box = "ST_XMin({0}) AS west, ST_YMin({0}) AS south, ST_XMax({0}) AS east, ST_YMax({0}) AS north"
        return read_table(
            self.conn,
            f"""SELECT * FROM (SELECT l.id, 0 AS version, l.first_night, ST_X(l.place) AS lon, ST_Y(l.place) AS lat, {box.format("l.shape")},
              NULL::date AS delivered_on, NULL::timestamptz AS delivered_at, i.round FROM lead_in i JOIN lead_node l ON l.id = i.id
            UNION ALL SELECT c.id, c.version, NULL::date, ST_X(c.home), ST_Y(c.home), {box.format("c.shape")}, c.delivered_on, c.delivered_at, c.round
            FROM cand_node c) x ORDER BY version > 0, id""",
        )

    def pairs(self, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Things that may be the same, as positions in ``frame`` (k, 2): on common ground, or known by name."""
        rows = self.conn.execute(
            text(f"""WITH n AS MATERIALIZED (SELECT l.id, l.shape FROM lead_in i JOIN lead_node l ON l.id = i.id UNION ALL SELECT id, shape FROM cand_node)
            SELECT a.id, b.id FROM n a JOIN lead_in i ON i.id = a.id JOIN lead_node b ON a.id < b.id AND ST_DWithin(a.shape, b.shape, {_TOUCH_DEG}) JOIN lead_in k ON k.id = b.id
            UNION ALL SELECT a.id, b.id FROM n a JOIN cand_node b ON a.id <> b.id AND ST_DWithin(a.shape, b.shape, {_TOUCH_DEG})
            UNION ALL SELECT n.lead, n.candidate FROM lead_name n JOIN lead_in i ON i.id = n.lead JOIN cand_node c ON c.id = n.candidate""")
        ).all()
        at = {i: n for n, i in enumerate(frame["id"])}
        return np.array([(at[a], at[b]) for a, b in rows], np.int64).reshape(-1, 2)


def _far_deg(conn: Connection, reach_m: Mapping[str, float]) -> float:
    """Beyond this no point is near anything, degrees."""
    own = conn.execute(text("SELECT max(accuracy_m) FROM data.candidate WHERE ST_Dimension(geom) = 0")).scalar()
    any_ = conn.execute(text("SELECT EXISTS (SELECT FROM data.candidate WHERE ST_Dimension(geom) = 0)")).scalar()
    far_m = max(float(own or 0), *(reach_m.values() or [0.0])) if any_ else 0.0
    return (far_m * 1.2 + 0.001) / (_M_PER_DEG * 0.5)
