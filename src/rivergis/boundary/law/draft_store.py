"""The only SQL of drafts of boundary lines: their segments by revision, saves, moves, and what an announcement writes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis.db.connect import copy_frame, read_frame, read_table

_SEGMENT = """s.segment_id, s.revision, s.removed, s.code, s.river_id, r.code AS river_code, r.name AS river, s.reach_code, s.bank, s.from_m, s.to_m,
  s.basis, s.drawn_by, s.hand_edited, s.attributes, s.base_segment_id, s.base_segment_version, s.geom"""


def find(conn: Connection, code: str) -> dict[str, Any] | None:
    """A draft by its code or id, with state and revision; None if there is none."""
    row = conn.execute(
        text("SELECT * FROM app.boundary_draft_as_of(now()) WHERE code = :c OR id::text = :c"), {"c": code}
    ).mappings().first()  # fmt: skip
    return None if row is None else dict(row)


def listed(conn: Connection, known_at: datetime | None = None) -> pd.DataFrame:
    """All drafts as known at a moment, the last changed first."""
    return read_table(
        conn,
        "SELECT * FROM app.boundary_draft_as_of(coalesce(CAST(:k AS timestamptz), now())) ORDER BY changed_at DESC, code",
        {"k": known_at},
    )


def add_draft(conn: Connection, said: Mapping[str, Any]) -> uuid.UUID:
    """Open a draft; its code must be new."""
    return uuid.UUID(
        str(
            conn.execute(
                text("""INSERT INTO data.boundary_draft (code, title, line_type, adcode, code_namespace, based_on, based_known_at, sketch)
            VALUES (:code, :title, :line_type, :adcode, :code_namespace, :based_on, :based_known_at, :sketch) RETURNING id"""),
                dict(said),
            ).scalar_one()
        )
    )


def lock(conn: Connection, draft_id: uuid.UUID) -> int:
    """Hold the draft until the end of the transaction; its revision."""
    conn.execute(text("SELECT FROM data.boundary_draft WHERE id = :d FOR UPDATE"), {"d": draft_id})
    return int(conn.execute(text("SELECT app.draft_revision(:d)"), {"d": draft_id}).scalar_one())


def segments(
    conn: Connection, draft_id: uuid.UUID, revision: int | None = None, *, removed: bool = False
) -> gpd.GeoDataFrame:
    """Segments of a draft as a revision left them (default the last); LineString, EPSG:4490. ``removed``: those taken out, too."""
    return read_frame(
        conn,
        f"""SELECT {_SEGMENT} FROM (
          SELECT DISTINCT ON (k.segment_id) k.* FROM data.boundary_draft_segment k
          WHERE k.draft_id = :d AND (CAST(:r AS int) IS NULL OR k.revision <= :r) ORDER BY k.segment_id, k.revision DESC) s
        LEFT JOIN data.identity i ON i.id = s.river_id LEFT JOIN app.river_as_of(app.today()) r ON r.id = s.river_id
        WHERE :all OR NOT s.removed ORDER BY s.river_id, s.reach_code NULLS FIRST, s.bank, s.from_m NULLS FIRST, s.segment_id""",
        {"d": draft_id, "r": revision, "all": removed},
    )


def line(conn: Connection, segment_id: uuid.UUID) -> dict[str, Any] | None:
    """One segment as it stands, also where it was taken out: its draft (draft, adcode, based_on, based_known_at), ``edition`` (how often it
    was saved), ``draft_revision``, and ``editors``, who saved each edition; geom LineString, EPSG:4490. None = it never was."""
    row = conn.execute(
        text(f"""SELECT {_SEGMENT}, ST_AsBinary(s.geom) AS wkb, s.draft_id, d.code AS draft, d.adcode, d.based_on, d.based_known_at,
          app.draft_revision(s.draft_id) AS draft_revision, e.edition, e.editors FROM (
          SELECT DISTINCT ON (k.segment_id) k.* FROM data.boundary_draft_segment k WHERE k.segment_id = :s ORDER BY k.segment_id, k.revision DESC) s
        JOIN data.boundary_draft d ON d.id = s.draft_id
        CROSS JOIN LATERAL (SELECT count(*)::int AS edition, array_agg(c.actor ORDER BY c.revision) AS editors FROM data.boundary_draft_segment k
          JOIN data.boundary_draft_change c ON c.draft_id = k.draft_id AND c.revision = k.revision WHERE k.draft_id = s.draft_id AND k.segment_id = s.segment_id) e
        LEFT JOIN app.river_as_of(app.today()) r ON r.id = s.river_id"""),
        {"s": segment_id},
    ).mappings().first()  # fmt: skip
    if row is None:
        return None
    said = dict(row)
    return said | {"geom": shapely.from_wkb(bytes(said.pop("wkb")))}


def on_river(
    conn: Connection, river_id: uuid.UUID, reach_code: str | None, line: shapely.Geometry
) -> tuple[str, str, float, float] | None:
    """Reach, bank and chainages of the first and last vertex of a line (EPSG:4490) on its river, m; None where no reach is known."""
    row = conn.execute(
        text("SELECT * FROM app.line_on_river(:r, :reach, ST_GeomFromWKB(:g, 4490))"),
        {"r": river_id, "reach": reach_code, "g": shapely.to_wkb(line)},
    ).first()
    return None if row is None or row[0] is None else (str(row[0]), str(row[1]), float(row[2]), float(row[3]))


def edition(conn: Connection, segment_id: uuid.UUID, revision: int | None = None) -> int:
    """How often a segment was saved, up to a revision of its draft."""
    sql = (
        "SELECT count(*) FROM data.boundary_draft_segment WHERE segment_id = :s AND revision <= coalesce(:r, revision)"
    )
    return int(conn.execute(text(sql), {"s": segment_id, "r": revision}).scalar_one())


def revision_of_edition(conn: Connection, segment_id: uuid.UUID, edition: int) -> int | None:
    """The save that left a segment in that edition; None = there is no such edition."""
    sql = "SELECT revision FROM data.boundary_draft_segment WHERE segment_id = :s ORDER BY revision OFFSET :n LIMIT 1"
    found = conn.execute(text(sql), {"s": segment_id, "n": max(edition, 1) - 1}).scalar()
    return None if found is None or edition < 1 else int(found)


def add_change(
    conn: Connection,
    draft_id: uuid.UUID,
    revision: int,
    base_revision: int,
    reason: str,
    tool: str,
    rows: gpd.GeoDataFrame,
) -> None:
    """One save: its change and the segments it leaves."""
    conn.execute(
        text("""INSERT INTO data.boundary_draft_change (draft_id, revision, base_revision, reason, tool)
        VALUES (:d, :r, :b, :w, :t)"""),
        {"d": draft_id, "r": revision, "b": base_revision, "w": reason, "t": tool},
    )
    copy_frame(conn, "data.boundary_draft_segment", rows.assign(draft_id=draft_id, revision=revision))


def changes(conn: Connection, draft_id: uuid.UUID) -> pd.DataFrame:
    """History of a draft: its saves with who, when, why and how many segments they put or took out."""
    return read_table(
        conn,
        """SELECT c.revision, c.base_revision, c.reason, c.tool, c.actor, c.recorded_at, c.base_revision < c.revision - 1 AS merged,
          count(s.segment_id) FILTER (WHERE NOT s.removed)::int AS put, count(s.segment_id) FILTER (WHERE s.removed)::int AS removed
        FROM data.boundary_draft_change c LEFT JOIN data.boundary_draft_segment s ON s.draft_id = c.draft_id AND s.revision = c.revision
        WHERE c.draft_id = :d GROUP BY c.draft_id, c.revision ORDER BY c.revision""",
        {"d": draft_id},
    )


def revision_at(conn: Connection, draft_id: uuid.UUID, known_at: datetime) -> int:
    """Revision a draft stood at, at a moment."""
    sql = "SELECT coalesce(max(revision), 0) FROM data.boundary_draft_change WHERE draft_id = :d AND recorded_at <= :k"
    return int(conn.execute(text(sql), {"d": draft_id, "k": known_at}).scalar_one())


def events(
    conn: Connection, *, draft_id: uuid.UUID | None = None, boundary_id: uuid.UUID | None = None
) -> list[dict[str, Any]]:
    """Moves of a draft or of an announced delimitation, in order."""
    rows = conn.execute(
        text("SELECT * FROM data.boundary_event WHERE draft_id = :d OR boundary_id = :b ORDER BY seq"),
        {"d": draft_id, "b": boundary_id},
    )
    return [dict(r) for r in rows.mappings()]


def add_event(
    conn: Connection,
    *,
    draft_id: uuid.UUID | None = None,
    boundary_id: uuid.UUID | None = None,
    move: str,
    to_state: str,
    revision: int | None,
    reason: str | None,
    attachment: tuple[str, str] | None,
    detail: Mapping[str, Any],
) -> None:
    """Append a move; the database refuses what the lifecycle does not allow. ``attachment``: hash and name of a kept file."""
    sha256, name = attachment or (None, None)
    conn.execute(
        text("""INSERT INTO data.boundary_event (draft_id, boundary_id, move, to_state, revision, reason, attachment_sha256, attachment_name, detail)
        VALUES (:d, :b, :move, :to, :r, :reason, :sha, :name, CAST(:detail AS jsonb))"""),
        {
            "d": draft_id, "b": boundary_id, "move": move, "to": to_state, "r": revision, "reason": reason, "sha": sha256, "name": name,
            "detail": json.dumps(dict(detail), ensure_ascii=False),
        },
    )  # fmt: skip


def rivers(conn: Connection, codes: Sequence[str], on: date, known_at: datetime) -> pd.DataFrame:
    """Rivers by code (all namespaces): id, code, code_namespace, name."""
    return read_table(
        conn,
        "SELECT id, code, code_namespace, name FROM app.river_as_of(:on, :k) WHERE code = ANY(:c) ORDER BY code",
        {"on": on, "k": known_at, "c": list(codes)},
    )


def law_segments(
    conn: Connection, river_ids: Sequence[uuid.UUID], line_type: str, on: date, known_at: datetime
) -> gpd.GeoDataFrame:
    """Announced lines of rivers in force on a day, with the act each belongs to; LineString, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT s.id, s.version, s.code, s.bank, s.from_m, s.to_m, s.source, v.id AS boundary_id, v.version AS boundary_version,
          v.code AS boundary_code, v.river_id, s.geom
        FROM app.boundary_segment_as_of(:on, :known) s JOIN app.boundary_version_as_of(:on, :known) v ON v.id = s.boundary_id
        WHERE v.river_id = ANY(:rivers) AND v.line_type = :type AND v.basis = 'announced' AND v.state = 'announced'
        ORDER BY v.river_id, s.bank, s.from_m NULLS FIRST, s.code""",
        {"on": on, "known": known_at, "rivers": list(river_ids), "type": line_type},
    )


def law_areas(
    conn: Connection, river_ids: Sequence[uuid.UUID], line_type: str, on: date, known_at: datetime
) -> gpd.GeoDataFrame:
    """Announced areas of rivers in force on a day, with the act each belongs to; MultiPolygon, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT a.id, a.version, v.id AS boundary_id, v.version AS boundary_version, v.code AS boundary_code, v.river_id, a.geom
        FROM app.boundary_area_as_of(:on, :known) a JOIN app.boundary_version_as_of(:on, :known) v ON v.id = a.boundary_id
        WHERE v.river_id = ANY(:rivers) AND v.line_type = :type AND v.basis = 'announced' AND v.state = 'announced' ORDER BY a.id""",
        {"on": on, "known": known_at, "rivers": list(river_ids), "type": line_type},
    )


_LAW = (("boundary_version", "id"), ("boundary_segment", "boundary_id"), ("boundary_area", "boundary_id"))
_NEXT = "(SELECT max(m.version) FROM data.{noun} m WHERE m.id = k.id)"


def end_validity(conn: Connection, boundary_id: uuid.UUID, on: date, *, revoked: bool = False) -> None:
    """A delimitation with its lines and areas is in force until the day before ``on``; revoked, it says so from then on."""
    for noun, key in _LAW:
        columns = conn.execute(text(f"SELECT * FROM data.{noun} LIMIT 0")).keys()
        kept = ", ".join(
            f'"{c}"' for c in columns if c not in ("version", "valid", "recorded_at", "superseded_at", "actor")
        )
        after = (
            f""", after AS (INSERT INTO data.{noun} ({kept}, version, valid)
            SELECT {kept.replace('"state"', "'revoked'")}, {_NEXT.format(noun=noun)} + (SELECT count(*) FROM gone) + row_number() OVER (ORDER BY k.valid),
              valid * daterange(:on, NULL) FROM gone k)"""
            if revoked and noun == "boundary_version"
            else ""
        )
        conn.execute(
            text(f"""WITH gone AS (
              UPDATE data.{noun} SET superseded_at = now()
              WHERE {key} = :id AND superseded_at IS NULL AND valid && daterange(:on, NULL) RETURNING *){after}
            INSERT INTO data.{noun} ({kept}, version, valid)
            SELECT {kept}, {_NEXT.format(noun=noun)} + row_number() OVER (PARTITION BY k.id ORDER BY k.valid), valid * daterange(NULL, :on)
            FROM gone k WHERE NOT isempty(k.valid * daterange(NULL, :on))"""),
            {"id": boundary_id, "on": on},
        )


def add_act(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Which draft an announced delimitation came from and what it replaces."""
    for row in rows:
        conn.execute(
            text("""INSERT INTO data.boundary_act (boundary_id, boundary_version, draft_id, revision, replaces_id, replaces_version)
            VALUES (:boundary_id, :boundary_version, :draft_id, :revision, coalesce(CAST(:replaces_id AS uuid), '00000000-0000-0000-0000-000000000000'), :replaces_version)"""),
            dict(row),
        )


def add_reductions(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Ground that an announced area no longer encloses, with the reason; ``geom`` as WKB of a MultiPolygon in EPSG:4490."""
    for row in rows:
        conn.execute(
            text("""INSERT INTO data.boundary_reduction (boundary_id, boundary_version, by_boundary_id, by_boundary_version, draft_id, river_id, bank,
              from_m, to_m, area_m2, reason, case_ids, countersigned_by, noise, geom)
            VALUES (:boundary_id, :boundary_version, :by_boundary_id, :by_boundary_version, :draft_id, :river_id, :bank, :from_m, :to_m, :area_m2,
                :reason, CAST(:case_ids AS uuid[]), :countersigned_by, :noise, ST_GeomFromWKB(:geom, 4490))"""),
            dict(row),
        )


def reductions(conn: Connection, known_at: datetime | None = None) -> gpd.GeoDataFrame:
    """Every reduction of an announced area so far beyond the noise of surveys, the last first; MultiPolygon, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT b.id, r.code AS river_code, r.name AS river, o.code AS boundary_code, n.code AS by_code, d.code AS draft_code, b.bank, b.from_m, b.to_m,
          b.area_m2, b.reason, cardinality(b.case_ids) AS cases, b.countersigned_by, b.actor, b.recorded_at, b.geom
        FROM data.boundary_reduction b LEFT JOIN app.river_as_of(app.today()) r ON r.id = b.river_id
        LEFT JOIN data.identity o ON o.id = b.boundary_id LEFT JOIN data.identity n ON n.id = b.by_boundary_id
        LEFT JOIN data.boundary_draft d ON d.id = b.draft_id
        WHERE NOT b.noise AND b.recorded_at <= coalesce(CAST(:k AS timestamptz), now()) ORDER BY b.recorded_at DESC, b.id""",
        {"k": known_at},
    )


def standing(conn: Connection, on: date, known_at: datetime) -> pd.DataFrame:
    """Every delimitation with its standing on a civil day as known at a moment."""
    return read_table(
        conn,
        "SELECT * FROM app.boundary_standing_as_of(:on, :k) ORDER BY river_code, code",
        {"on": on, "k": known_at},
    )


def codes(conn: Connection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Codes of things by id."""
    rows = conn.execute(text("SELECT id, code FROM data.identity WHERE id = ANY(:ids)"), {"ids": list(ids)})
    return {i: str(c) for i, c in rows}


def namespaces(conn: Connection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Who gave the codes of things, by id."""
    rows = conn.execute(text("SELECT id, code_namespace FROM data.identity WHERE id = ANY(:ids)"), {"ids": list(ids)})
    return {i: str(n) for i, n in rows}


def taken_codes(conn: Connection, namespace: str, wanted: Sequence[str]) -> list[str]:
    """Codes of delimitations that are taken in a namespace."""
    rows = conn.execute(
        text(
            "SELECT DISTINCT code FROM data.boundary_version WHERE code_namespace = :n AND code = ANY(:c) ORDER BY code"
        ),
        {"n": namespace, "c": list(wanted)},
    )
    return [str(c) for c in rows.scalars()]


def turns(conn: Connection) -> pd.DataFrame:
    """When the announced ground of a river changed without an entry in the list of reductions: imports, mostly.

    river_id, line_type, before and after (civil days), known_before and known_after (moments), reason of the delimitation that came.
    """
    return read_table(
        conn,
        """WITH act AS (SELECT * FROM data.boundary_version WHERE superseded_at IS NULL AND basis = 'announced' AND state IN ('announced', 'revoked')),
        day AS (SELECT river_id, line_type, d FROM act, LATERAL (VALUES (lower(valid)), (upper(valid))) x(d) WHERE d IS NOT NULL GROUP BY 1, 2, 3),
        anew AS (
          SELECT s.boundary_id, s.recorded_at FROM data.boundary_segment s JOIN data.boundary_segment p ON p.id = s.id AND p.version = s.version - 1
          WHERE p.geom::text <> s.geom::text
          UNION SELECT s.boundary_id, s.recorded_at FROM data.boundary_area s JOIN data.boundary_area p ON p.id = s.id AND p.version = s.version - 1
          WHERE p.geom::text <> s.geom::text
          UNION  -- areas that another file brought to lines that were there before
          SELECT a.boundary_id, a.recorded_at FROM data.boundary_area a JOIN sys.import_record f ON f.id = a.import_id
          WHERE a.version = 1 AND EXISTS (SELECT FROM data.boundary_segment s JOIN sys.import_record g ON g.id = s.import_id
            WHERE s.boundary_id = a.boundary_id AND s.recorded_at < a.recorded_at AND g.file_sha256 <> f.file_sha256))
        SELECT d.river_id, d.line_type, d.d - 1 AS before, d.d AS after, now() AS known_before, now() AS known_after,
          (SELECT a.reason FROM act a WHERE a.river_id = d.river_id AND a.line_type = d.line_type AND lower(a.valid) = d.d LIMIT 1) AS reason
        FROM day d WHERE NOT EXISTS (
          SELECT FROM data.boundary_reduction b JOIN data.boundary_version v ON v.id IN (b.boundary_id, b.by_boundary_id)
          WHERE b.river_id = d.river_id AND (lower(v.valid) = d.d OR upper(v.valid) = d.d))
        UNION ALL
        SELECT DISTINCT a.river_id, a.line_type, k.day, k.day, n.recorded_at - interval '1 microsecond', n.recorded_at, a.reason
        FROM anew n JOIN act a ON a.id = n.boundary_id
        CROSS JOIN LATERAL (SELECT greatest((n.recorded_at AT TIME ZONE 'Asia/Shanghai')::date, lower(a.valid)) AS day) k
        ORDER BY 4, 1""",
    )


def let_go(conn: Connection, rivers: Sequence[uuid.UUID], line_type: str) -> gpd.GeoDataFrame:
    """Ground that announcements let go of rivers so far, the oldest first: river_code (id), noise, recorded_at, geom (EPSG:4490)."""
    return read_frame(
        conn,
        """SELECT b.river_id::text AS river_code, b.noise, b.recorded_at, b.geom FROM data.boundary_reduction b
        JOIN data.boundary_version v ON v.id = b.boundary_id AND v.version = b.boundary_version
        WHERE b.river_id = ANY(:rivers) AND v.line_type = :type ORDER BY b.recorded_at, b.id""",
        {"rivers": list(rivers), "type": line_type},
    )
