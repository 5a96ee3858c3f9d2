"""The only SQL of batches of remote-sensing patches: deliveries, what the machine filled in, what people found."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import geopandas as gpd
from sqlalchemy import Connection, text

from rivergis.db import versions
from rivergis.db.connect import read_frame
from rivergis.errors import NotFound

_PLACED = """SELECT p.seq, p.source_feature, p.patch_no, p.candidate_id, p.candidate_version, p.aside, p.delivered, p.shape_hash"""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _rows(conn: Connection, sql: str, **params: Any) -> list[dict[str, Any]]:
    return [dict(r._mapping) for r in conn.execute(text(sql), params)]


def batch_id(name: str, version: int) -> uuid.UUID:
    """Identity of a delivery of a batch."""
    return uuid.uuid5(versions.IDENTITY_NAMESPACE, f"patch_batch/{name}/{version}")


def batches(conn: Connection) -> list[dict[str, Any]]:
    """The latest delivery of every batch: name, version, file_name, delivered_on, patches, aside."""
    return _rows(
        conn,
        """SELECT DISTINCT ON (b.name) b.id, b.name, b.version, b.file_name, b.delivered_on, b.actor, b.recorded_at,
          (SELECT count(*) FROM data.patch p WHERE p.batch_id = b.id) AS patches,
          (SELECT count(*) FROM data.patch p WHERE p.batch_id = b.id AND p.aside IS NOT NULL) AS aside
        FROM data.patch_batch b ORDER BY b.name, b.version DESC""",
    )


def batch(conn: Connection, name: str, version: int | None = None) -> dict[str, Any]:
    """A delivery of a batch, the latest unless told otherwise; ``NotFound`` lists the batches there are."""
    found = latest(conn, name) if version is None else None
    if version is not None:
        rows = _rows(conn, "SELECT * FROM data.patch_batch WHERE name = :n AND version = :v", n=name, v=version)
        found = rows[0] if rows else None
    if found is None:
        names = ", ".join(b["name"] for b in batches(conn)) or "none"
        raise NotFound(
            f"There is no batch {name!r}{f' version {version}' if version else ''}; the batches are {names}."
        )
    return found


def latest(conn: Connection, name: str) -> dict[str, Any] | None:
    """The latest delivery of a batch, or None."""
    rows = _rows(conn, "SELECT * FROM data.patch_batch WHERE name = :n ORDER BY version DESC LIMIT 1", n=name)
    return rows[0] if rows else None


def state(conn: Connection, known_at: datetime) -> str:
    """What the deliveries of patches come to, as known at a moment; another delivery is another state."""
    sql = "SELECT coalesce(md5(string_agg(id::text, ',' ORDER BY id)), '') FROM data.patch_batch WHERE recorded_at <= :known"
    return str(conn.execute(text(sql), {"known": known_at}).scalar_one())


def lock(conn: Connection) -> None:
    """Let one delivery at a time be recorded."""
    conn.execute(text("LOCK TABLE data.patch_batch IN SHARE ROW EXCLUSIVE MODE"))


def add_batch(conn: Connection, row: Mapping[str, Any]) -> None:
    """Record a delivery: id, name, version, file, layer, profile, options, columns, encoding, delivered_on."""
    conn.execute(
        text("""INSERT INTO data.patch_batch (id, name, version, file_name, file_sha256, file_path, source_layer, profile, options,
          columns, encoding, delivered_on)
        VALUES (:id, :name, :version, :file_name, :file_sha256, :file_path, :source_layer, :profile, CAST(:options AS jsonb),
          CAST(:columns AS jsonb), :encoding, :delivered_on)"""),
        {**row, "options": _json(row["options"]), "columns": _json(row["columns"])},
    )


def add_patches(conn: Connection, batch: uuid.UUID, rows: Iterable[Mapping[str, Any]]) -> None:
    """Record the patches of a delivery in their order."""
    body = [{**r, "batch": batch, "delivered": _json(r["delivered"])} for r in rows]
    if body:
        conn.execute(
            text("""INSERT INTO data.patch (batch_id, seq, source_feature, patch_no, candidate_id, candidate_version, aside, delivered, shape_hash)
            VALUES (:batch, :seq, :source_feature, :patch_no, :candidate_id, :candidate_version, :aside, CAST(:delivered AS jsonb), :shape_hash)"""),
            body,
        )


def candidates_of(conn: Connection, namespace: str, codes: Sequence[str]) -> dict[str, tuple[uuid.UUID, int]]:
    """code -> identity and version in force of the candidates of a namespace."""
    ids = {versions.identity("candidate", namespace, c): c for c in codes}
    rows = conn.execute(
        text("""SELECT id, max(version) FROM data.candidate WHERE superseded_at IS NULL AND id = ANY(CAST(:ids AS uuid[]))
        GROUP BY id"""),
        {"ids": [str(i) for i in ids]},
    )
    return {ids[i]: (i, version) for i, version in rows}


def asides_of(conn: Connection, file_sha256: str, source_layer: str, profile: str) -> dict[str, str]:
    """source_feature -> sentence of what the imports of a file set aside."""
    rows = conn.execute(
        text("""SELECT q.source_feature, q.sentence FROM sys.quarantine q JOIN sys.import_record i ON i.id = q.import_id
        WHERE i.layer = 'candidate' AND i.file_sha256 = :h AND i.source_layer = :l AND i.profile = :p ORDER BY q.id"""),
        {"h": file_sha256, "l": source_layer, "p": profile},
    )
    return {str(f): str(s) for f, s in rows}


def patches(conn: Connection, batch: uuid.UUID) -> list[dict[str, Any]]:
    """Every patch of a delivery in its order, with what is known of it.

    Beside the columns of ``data.patch``: figures (latest), check and review (latest of each), finding (id), moves of its lead
    in order, reason (why the last night that looked did not tell it), verdict (figures, severity, built_period of the latest).
    """
    return _rows(
        conn,
        f"""WITH met AS MATERIALIZED (SELECT p.candidate_id, s.finding_id, s.night FROM data.patch p
            JOIN data.sighting s ON s.sources @> jsonb_build_array(jsonb_build_object('candidate', p.candidate_id::text)) WHERE p.batch_id = :b),
          lead AS MATERIALIZED (SELECT DISTINCT ON (candidate_id) * FROM met ORDER BY candidate_id, night DESC, finding_id)
        {_PLACED}, g.figures, f.finding_id, v.figures AS verdict, v.severity, v.built_period, v.class_code, n.reason, n.detail,
          coalesce((SELECT jsonb_agg(jsonb_build_object('move', e.move, 'actor', e.actor) ORDER BY e.id) FROM data.finding_event e
                    WHERE e.finding_id = f.finding_id), '[]') AS moves,
          to_jsonb(k) AS "check", to_jsonb(w) AS review
        FROM data.patch p
        LEFT JOIN lead f ON f.candidate_id = p.candidate_id
        LEFT JOIN LATERAL (SELECT figures FROM data.patch_figures g WHERE g.candidate_id = p.candidate_id ORDER BY night DESC, id DESC LIMIT 1) g ON true
        LEFT JOIN LATERAL (SELECT * FROM data.verdict v WHERE v.finding_id = f.finding_id ORDER BY night DESC, recorded_at DESC LIMIT 1) v ON true
        LEFT JOIN LATERAL (SELECT reason, detail FROM data.not_finding n WHERE n.candidate_id = p.candidate_id
          AND (f.night IS NULL OR n.night > f.night) ORDER BY night DESC LIMIT 1) n ON n.reason NOT IN ('told', 'left')
        LEFT JOIN LATERAL (SELECT * FROM data.patch_check k WHERE k.candidate_id = p.candidate_id AND kind = 'check' ORDER BY id DESC LIMIT 1) k ON true
        LEFT JOIN LATERAL (SELECT * FROM data.patch_check w WHERE w.candidate_id = p.candidate_id AND kind = 'review' ORDER BY id DESC LIMIT 1) w ON true
        WHERE p.batch_id = :b ORDER BY p.seq""",
        b=batch,
    )


def with_history(conn: Connection, batch: uuid.UUID) -> list[dict[str, Any]]:
    """``patches``, each with its ``history``: every set of figures with every verdict (figures, severity, built_period) it ever had."""
    rows = _rows(
        conn,
        """SELECT p.seq, to_jsonb(g.figures) AS figures, v.figures AS verdict, v.severity, v.built_period
        FROM data.patch p LEFT JOIN data.patch_figures g ON g.candidate_id = p.candidate_id
        LEFT JOIN LATERAL (SELECT DISTINCT s.finding_id FROM data.sighting s
          WHERE s.sources @> jsonb_build_array(jsonb_build_object('candidate', p.candidate_id::text))) f ON true
        LEFT JOIN data.verdict v ON v.finding_id = f.finding_id
        WHERE p.batch_id = :b AND p.candidate_id IS NOT NULL""",
        b=batch,
    )
    past: dict[int, list[dict[str, Any]]] = {}
    for r in rows:
        past.setdefault(r.pop("seq"), []).append(r)
    return [p | {"history": past.get(p["seq"], [])} for p in patches(conn, batch)]


def shapes(conn: Connection, on: date, batch: uuid.UUID | None = None) -> gpd.GeoDataFrame:
    """Patches of the latest delivery of every batch (or of one delivery) that lie on the map: candidate_id, candidate_version,
    kind, delivered, geom (EPSG:4490). Batches that were delivered for a later day are left out."""
    return read_frame(
        conn,
        """SELECT c.id AS candidate_id, c.version AS candidate_version, c.kind, p.delivered, c.geom
        FROM data.patch p JOIN data.candidate c ON c.id = p.candidate_id AND c.version = p.candidate_version
        WHERE p.batch_id IN (SELECT DISTINCT ON (name) id FROM data.patch_batch WHERE delivered_on <= :on AND (CAST(:b AS uuid) IS NULL OR id = :b)
                             ORDER BY name, version DESC) ORDER BY c.id""",
        {"on": on, "b": batch},
    )


def filled(conn: Connection, candidates: Sequence[Any], up_to: date) -> dict[str, str]:
    """candidate -> hash of the figures last filled in for it up to a day."""
    rows = conn.execute(
        text("""SELECT DISTINCT ON (candidate_id) candidate_id, content_hash FROM data.patch_figures
        WHERE candidate_id = ANY(CAST(:ids AS uuid[])) AND night <= :on ORDER BY candidate_id, night DESC, id DESC"""),
        {"ids": [str(c) for c in candidates], "on": up_to},
    )
    return {str(c): str(h) for c, h in rows}


def add_figures(conn: Connection, night: date, rows: Iterable[Mapping[str, Any]]) -> int:
    """Record figures (candidate_id, candidate_version, figures, content_hash); how many."""
    body = [{**r, "night": night, "figures": _json(r["figures"])} for r in rows]
    if body:
        conn.execute(
            text("""INSERT INTO data.patch_figures (candidate_id, candidate_version, night, figures, content_hash)
            VALUES (:candidate_id, :candidate_version, :night, CAST(:figures AS jsonb), :content_hash)"""),
            body,
        )
    return len(body)


def add_check(conn: Connection, row: Mapping[str, Any]) -> None:
    """Record what a person found at a patch, or that another person reviewed it."""
    conn.execute(
        text("""INSERT INTO data.patch_check (candidate_id, candidate_version, finding_id, kind, outcome, class_corrected, reason, evidence, done_by, done_on)
        VALUES (:candidate_id, :candidate_version, :finding_id, :kind, :outcome, :class_corrected, :reason, CAST(:evidence AS jsonb), :done_by, :done_on)"""),
        {**row, "evidence": _json(row["evidence"])},
    )


def places(conn: Connection, batch: uuid.UUID) -> dict[str, tuple[float, float, float]]:
    """candidate -> longitude and latitude of a point on each patch of a delivery, and how far across the patch is, m."""
    rows = conn.execute(
        text("""SELECT p.candidate_id, ST_X(g.point), ST_Y(g.point), ST_Length(CAST(ST_BoundingDiagonal(c.geom) AS geography))
        FROM data.patch p JOIN data.candidate c ON c.id = p.candidate_id AND c.version = p.candidate_version
        CROSS JOIN LATERAL (SELECT ST_PointOnSurface(c.geom) AS point) g WHERE p.batch_id = :b"""),
        {"b": batch},
    )
    return {str(c): (float(x), float(y), float(across)) for c, x, y, across in rows}
