"""The only SQL of the ledger (台账): cases, their events, numbers, reports and evidence; see ``look_back_store`` for looking back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import shapely
from sqlalchemy import Connection, text

from rivergis.db.connect import read_frame
from rivergis.db.versions import IDENTITY_NAMESPACE
from rivergis.errors import NotFound


def _rows(conn: Connection, sql: str, **params: Any) -> list[dict[str, Any]]:
    return [dict(r._mapping) for r in conn.execute(text(sql), params)]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


# ---- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """Which cases of the ledger are asked for; what is left open limits nothing."""

    states: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    overdue: bool = False
    due_within_days: int | None = None
    district: str | None = None
    """adcode of a county, town or village, or the start of one."""
    class_code: str | None = None
    """Class of gis/rules/taxonomy, or a group of classes before the point."""
    severity: str | None = None
    stock: bool | None = None
    unit: str | None = None
    """Unit that the case is handed to."""
    numbered: bool | None = None
    """With a running number of the ledger: people took it up."""
    rebound: bool = False
    awaits_above: bool = False
    escalation: bool = False
    """A stage of escalation is due that has not been issued."""


_WANTED = """
  (CAST(:states AS text[]) = '{}' OR c.state = ANY(CAST(:states AS text[])))
  AND (CAST(:topics AS text[]) = '{}' OR c.topic = ANY(CAST(:topics AS text[])))
  AND (NOT :overdue OR c.overdue_days > 0)
  AND (CAST(:due AS int) IS NULL OR c.due_in_days <= CAST(:due AS int))
  AND (CAST(:district AS text) IS NULL OR f.district LIKE CAST(:district AS text) || '%')
  AND (CAST(:class AS text) IS NULL OR c.class_code = :class OR c.class_code LIKE CAST(:class AS text) || '.%')
  AND (CAST(:severity AS text) IS NULL OR c.severity = :severity)
  AND (CAST(:stock AS boolean) IS NULL OR c.stock = :stock)
  AND (CAST(:unit AS text) IS NULL OR EXISTS (SELECT FROM jsonb_array_elements(c.units) u WHERE u ->> 'unit' = :unit))
  AND (CAST(:numbered AS boolean) IS NULL OR (c.number IS NOT NULL) = :numbered)
  AND (NOT :rebound OR c.rebound) AND (NOT :above OR c.awaits_above)
  AND (NOT :escalation OR c.escalation_due IS NOT NULL AND c.escalation_due IS DISTINCT FROM c.escalation_issued)"""


def _params(wanted: Wanted) -> dict[str, Any]:
    return {
        "states": list(wanted.states),
        "topics": list(wanted.topics),
        "overdue": wanted.overdue,
        "due": wanted.due_within_days,
        "district": wanted.district,
        "class": wanted.class_code,
        "severity": wanted.severity,
        "stock": wanted.stock,
        "unit": wanted.unit,
        "numbered": wanted.numbered,
        "rebound": wanted.rebound,
        "above": wanted.awaits_above,
        "escalation": wanted.escalation,
    }


def ledger(conn: Connection, on: date, known_at: datetime, wanted: Wanted | None = None) -> gpd.GeoDataFrame:
    """Cases as ``app.case_as_of`` tells them, the numbered ones first in the order of their numbers; geom in EPSG:4490."""
    conn.execute(text("SET LOCAL jit = off"))  # to compile the query takes longer than to answer it
    return read_frame(
        conn,
        f"""SELECT c.* FROM app.case_as_of(:on, :known) c JOIN data.finding f ON f.id = c.id
        WHERE {_WANTED} ORDER BY c.number IS NULL, c.number, c.first_night, c.id""",
        {"on": on, "known": known_at, **_params(wanted or Wanted())},
    )


def counts(conn: Connection, on: date, known_at: datetime, wanted: Wanted | None = None) -> list[dict[str, Any]]:
    """How many cases of each county stand in which state, stock and increment apart: district, state, stock, cases, overdue."""
    return _rows(
        conn,
        f"""SELECT c.district, c.state, c.stock, count(*)::int AS cases, count(*) FILTER (WHERE c.overdue_days > 0)::int AS overdue
        FROM app.case_as_of(:on, :known) c JOIN data.finding f ON f.id = c.id
        WHERE {_WANTED} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
        on=on,
        known=known_at,
        **_params(wanted or Wanted()),
    )


def find(conn: Connection, said: str) -> uuid.UUID:
    """The case that somebody means: by its running number, the number of a higher level, or the beginning of its id.

    Raises ``NotFound`` where none or more than one is meant.
    """
    said = said.strip()
    ids = list(
        conn.execute(
            text("""SELECT finding_id FROM data.case_number WHERE number = :s
            UNION SELECT finding_id FROM app.superior_number WHERE number = :s
            UNION SELECT finding_id FROM data.case_report WHERE number = :s
            UNION (SELECT id FROM data.finding WHERE length(:s) >= 4 AND id::text LIKE replace(replace(lower(:s), '%', ''), '_', '') || '%' LIMIT 2)
            LIMIT 2"""),
            {"s": said},
        ).scalars()
    )
    if len(ids) != 1:
        raise NotFound(
            f"{'No' if not ids else 'More than one'} case has the number {said!r}, or an id that begins so: "
            "'rivergis encroachment ledger list' shows them."
        )
    return uuid.UUID(str(ids[0]))


def case(conn: Connection, case_id: uuid.UUID, on: date, known_at: datetime) -> dict[str, Any]:
    """One case as ``app.case_as_of`` tells it, with ``lon`` and ``lat`` of a point of it; ``NotFound`` before it was known."""
    rows = _rows(
        conn,
        """SELECT c.*, ST_X(ST_PointOnSurface(c.geom)) AS lon, ST_Y(ST_PointOnSurface(c.geom)) AS lat
        FROM app.case_as_of(:on, :known) c WHERE c.id = :id""",
        on=on,
        known=known_at,
        id=case_id,
    )
    if not rows:
        raise NotFound(f"The case {str(case_id)[:8]} was not known on {on}.")
    return {k: v for k, v in rows[0].items() if k != "geom"}


def events(conn: Connection, case_id: uuid.UUID, known_at: datetime | None = None) -> list[dict[str, Any]]:
    """Events of a case in order: id, seq, move, to_state, reason, detail, attachment_sha256, actor, recorded_at."""
    return _rows(
        conn,
        """SELECT id, seq, move, to_state, reason, detail, attachment_sha256, actor, recorded_at FROM data.finding_event
        WHERE finding_id = :f AND recorded_at <= coalesce(CAST(:known AS timestamptz), 'infinity') ORDER BY seq""",
        f=case_id,
        known=known_at,
    )


def reports(conn: Connection, case_id: uuid.UUID) -> list[dict[str, Any]]:
    """What was reported of a case by hand, oldest first: source, number, found_on, class_code, kind, said, actor, recorded_at."""
    return _rows(
        conn,
        """SELECT source, number, found_on, class_code, kind, said, actor, recorded_at FROM data.case_report
        WHERE finding_id = :f ORDER BY id""",
        f=case_id,
    )


def evidence(conn: Connection, case_id: uuid.UUID) -> list[dict[str, Any]]:
    """Pictures and documents of a case in the order they came: id, kind, file_sha256, file_path, taken_at, said, doubts, lon, lat ..."""
    return _rows(
        conn,
        """SELECT id, kind, file_sha256, file_path, taken_on, taken_at, caption, position_grade, said, doubts, actor, recorded_at,
          ST_X(geom) AS lon, ST_Y(geom) AS lat FROM data.evidence WHERE finding_id = :f ORDER BY recorded_at, id""",
        f=case_id,
    )


@dataclass(frozen=True)
class Facts:
    """What a move is judged by beside the events of its case."""

    now: datetime
    kept: frozenset[str]
    severity: str
    close_level: str
    instructed: bool
    instructed_words: frozenset[str]
    heir_open: bool
    holds_others: bool


def facts(conn: Connection, case_id: uuid.UUID, into: str | None) -> Facts:
    """What the database knows about a case when a move is about to be taken; ``into``: the case it is to be merged into."""
    row = (
        conn.execute(
            text("""SELECT now() AS now, app.case_severity(:f) AS severity, r.close_level, r.instructed, app.holds_others(:f) AS holds_others,
          array(SELECT file_sha256 FROM data.evidence WHERE finding_id = :f) AS kept,
          array(SELECT severity FROM list.ledger_severity WHERE instructed) AS instructed_words,
          EXISTS (SELECT FROM data.finding h WHERE h.id::text = :into AND h.id <> :f AND app.takes_others(h.id)) AS heir_open
        FROM app.case_rule(:f) r"""),
            {"f": case_id, "into": into},
        )
        .one()
        ._mapping
    )
    return Facts(**{**row, "kept": frozenset(row["kept"]), "instructed_words": frozenset(row["instructed_words"])})


def place(conn: Connection, case_id: uuid.UUID) -> tuple[shapely.Geometry, datetime | None]:
    """Where a case lies (last footprint, else its point; EPSG:4490), and when it was last assigned."""
    row = conn.execute(
        text("""SELECT ST_AsBinary(coalesce((SELECT s.geom FROM data.sighting s WHERE s.finding_id = f.id AND s.geom IS NOT NULL
            ORDER BY s.night DESC LIMIT 1), f.place)),
          (SELECT max(e.recorded_at) FROM data.finding_event e WHERE e.finding_id = f.id AND e.move = 'assign')
        FROM data.finding f WHERE f.id = :f"""),
        {"f": case_id},
    ).one()
    return shapely.from_wkb(bytes(row[0])), row[1]


def photo_used(conn: Connection, sha256: str, case_id: uuid.UUID) -> str | None:
    """Where a file was evidence before: 'same' of this case, 'other' of another, None = nowhere."""
    cases = set(
        conn.execute(text("SELECT finding_id FROM data.evidence WHERE file_sha256 = :h"), {"h": sha256}).scalars()
    )
    return None if not cases else "same" if cases == {case_id} else "other"


# ---- writing ----------------------------------------------------------------------------------------------------------


def lock(conn: Connection, *case_ids: Any) -> None:
    """Let one step at a time be taken on cases, always in the same order."""
    conn.execute(
        text("SELECT id FROM data.finding WHERE id::text = ANY(:ids) ORDER BY id FOR UPDATE"),
        {"ids": [str(i) for i in case_ids if i is not None]},
    )


def add_event(
    conn: Connection,
    case_id: uuid.UUID,
    move: str,
    to_state: str,
    *,
    reason: str | None,
    attachment_sha256: str | None,
    detail: Mapping[str, Any],
) -> int:
    """Append an event to the life of a case; the guard of the database looks at it again. Returns its id."""
    return int(
        conn.execute(
            text("""INSERT INTO data.finding_event (finding_id, move, to_state, reason, attachment_sha256, detail)
        VALUES (:f, :m, :s, :r, :a, CAST(:d AS jsonb)) RETURNING id"""),
            {"f": case_id, "m": move, "s": to_state, "r": reason, "a": attachment_sha256, "d": _json(dict(detail))},
        ).scalar_one()
    )


def give_number(conn: Connection, case_id: uuid.UUID) -> str:
    """The running number of a case (台账编号), given now where it has none: county, year and the next of them."""
    return str(conn.execute(text("SELECT app.give_number(:f)"), {"f": case_id}).scalar_one())


def add_evidence(conn: Connection, case_id: uuid.UUID, row: Mapping[str, Any]) -> None:
    """Keep a picture or document with a case: kind, file_sha256, file_path, taken_at, taken_on, caption, position_grade, said, doubts,
    lon, lat; the same file again changes nothing."""
    conn.execute(
        text("""INSERT INTO data.evidence (finding_id, kind, file_sha256, file_path, taken_on, taken_at, caption, position_grade, said, doubts, geom)
        VALUES (:f, :kind, :file_sha256, :file_path, :taken_on, :taken_at, :caption, :position_grade, CAST(:said AS jsonb), CAST(:doubts AS jsonb),
          CASE WHEN CAST(:lon AS float8) IS NOT NULL THEN ST_SetSRID(ST_MakePoint(:lon, :lat), 4490) END) ON CONFLICT DO NOTHING"""),
        {**row, "f": case_id, "said": _json(row["said"]), "doubts": _json(row["doubts"])},
    )


@dataclass(frozen=True)
class Report:
    """What somebody reports that no night told; ``place`` in EPSG:4490."""

    source: str
    found_on: date
    place: shapely.Geometry
    class_code: str | None = None
    kind: str | None = None
    number: str | None = None
    said: Mapping[str, Any] | None = None
    figures: Mapping[str, Any] | None = None

    @property
    def case_id(self) -> uuid.UUID:
        """Identity of the case that it opens: the same report again is the same case."""
        parts = (
            self.source,
            self.number,
            self.found_on,
            self.class_code,
            self.kind,
            shapely.to_wkb(self.place, hex=True),
        )
        return uuid.uuid5(IDENTITY_NAMESPACE, "case/" + "/".join("" if p is None else str(p) for p in parts))


def is_there(conn: Connection, case_id: uuid.UUID) -> bool:
    return conn.execute(text("SELECT 1 FROM data.finding WHERE id = :f"), {"f": case_id}).first() is not None


def open_case(conn: Connection, report: Report, district: str) -> None:
    """Open a case that no night told, with its report; one that is there stays as it is."""
    made = conn.execute(
        text("""INSERT INTO data.finding (id, topic, first_night, district, place)
        VALUES (:f, 'reported', :on, :district, ST_PointOnSurface(ST_GeomFromWKB(:g, 4490))) ON CONFLICT (id) DO NOTHING"""),
        {"f": report.case_id, "on": report.found_on, "district": district, "g": shapely.to_wkb(report.place)},
    ).rowcount
    if not made:
        return
    conn.execute(
        text("""INSERT INTO data.sighting (finding_id, night, status, sources, geom)
        VALUES (:f, :on, 'new', CAST(:sources AS jsonb), ST_GeomFromWKB(:g, 4490))"""),
        {
            "f": report.case_id,
            "on": report.found_on,
            "sources": _json([{"reported": report.source, "number": report.number}]),
            "g": shapely.to_wkb(report.place),
        },
    )
    add_report(conn, report.case_id, report)


def add_report(conn: Connection, case_id: uuid.UUID, report: Report) -> None:
    """Record a report of a case: the one that opened it, or a later one of the same thing."""
    conn.execute(
        text("""INSERT INTO data.case_report (finding_id, source, number, found_on, class_code, kind, said, figures, geom)
        VALUES (:f, :source, :number, :on, :class_code, :kind, CAST(:said AS jsonb), CAST(:figures AS jsonb), ST_GeomFromWKB(:g, 4490))"""),
        {
            "f": case_id,
            "source": report.source,
            "number": report.number,
            "on": report.found_on,
            "class_code": report.class_code,
            "kind": report.kind,
            "said": _json(dict(report.said or {})),
            "figures": _json(dict(report.figures or {})),
            "g": shapely.to_wkb(report.place),
        },
    )


# ---- duplicates -------------------------------------------------------------------------------------------------------


def near_pairs(
    conn: Connection,
    on: date,
    known_at: datetime,
    within_m: float,
    states: Sequence[str],
    case_id: uuid.UUID | None,
    every: bool,
) -> list[dict[str, Any]]:
    """Open cases of one class (group before the point) that lie nearer than ``within_m`` metres to each other.

    a is the elder; one of the two was reported by people unless ``every``. Columns a, b, a_number, b_number, a_class, b_class,
    a_sources, b_sources, a_found_on, b_found_on, distance_m, overlap (share of the smaller).
    """
    conn.execute(text("SET LOCAL jit = off"))  # to compile the query takes longer than to answer it
    return _rows(
        conn,
        """WITH told AS (
          SELECT finding_id FROM data.case_report UNION
          SELECT s.finding_id FROM data.report r JOIN data.sighting s
            ON s.sources @> jsonb_build_array(jsonb_build_object('candidate', r.candidate_id::text)) WHERE r.candidate_id IS NOT NULL),
        open AS MATERIALIZED (
          SELECT c.id, c.number, c.class_code, split_part(c.class_code, '.', 1) AS class_group, c.sources, c.found_on, c.geom,
            c.topic = 'reported' OR c.id IN (SELECT finding_id FROM told) AS by_people
          FROM app.case_as_of(:on, :known) c WHERE c.state = ANY(CAST(:states AS text[])) AND c.merged_into IS NULL
            AND (CAST(:case AS uuid) IS NULL
              OR c.geom && (SELECT ST_Expand(k.geom, :degrees) FROM app.case_as_of(:on, :known) k WHERE k.id = CAST(:case AS uuid)))),
        cell AS MATERIALIZED (  -- squares that each case reaches into: who shares none with another is not near it
          SELECT o.id, o.found_on, o.by_people, x, y FROM open o,
            generate_series(CAST(floor((ST_XMin(o.geom) - :degrees) / :cell) AS int), CAST(floor((ST_XMax(o.geom) + :degrees) / :cell) AS int)) x,
            generate_series(CAST(floor((ST_YMin(o.geom) - :degrees) / :cell) AS int), CAST(floor((ST_YMax(o.geom) + :degrees) / :cell) AS int)) y),
        pair AS (
          SELECT DISTINCT a.id AS a, b.id AS b FROM cell a JOIN cell b ON a.x = b.x AND a.y = b.y AND (a.found_on, a.id) < (b.found_on, b.id)
            AND (:every OR a.by_people OR b.by_people))
        SELECT a.id AS a, b.id AS b, a.number AS a_number, b.number AS b_number, a.class_code AS a_class, b.class_code AS b_class,
          a.sources AS a_sources, b.sources AS b_sources, a.found_on AS a_found_on, b.found_on AS b_found_on, d.m AS distance_m,
          CASE WHEN ST_Dimension(a.geom) = 2 AND ST_Dimension(b.geom) = 2
            THEN ST_Area(ST_Intersection(a.geom, b.geom)) / nullif(least(ST_Area(a.geom), ST_Area(b.geom)), 0) END AS overlap
        FROM pair p JOIN open a ON a.id = p.a JOIN open b ON b.id = p.b
          AND (a.class_group = b.class_group OR a.class_group IS NULL OR b.class_group IS NULL) AND ST_Expand(a.geom, :degrees) && b.geom
        CROSS JOIN LATERAL (SELECT ST_Distance(geography(a.geom), geography(b.geom)) AS m) d
        WHERE d.m <= :within AND (CAST(:case AS uuid) IS NULL OR :case IN (a.id, b.id))
        ORDER BY d.m, a.found_on, a.id, b.id""",
        on=on,
        known=known_at,
        within=within_m,
        # no degree is shorter than this many metres below 60 N
        degrees=within_m / 55_000,
        cell=max(within_m / 55_000, 0.005),
        states=list(states),
        case=case_id,
        every=every,
    )
