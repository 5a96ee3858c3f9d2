"""The only SQL of lists of higher levels: deliveries, their rows, which case a number means, and what was done about tasks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import shapely
from sqlalchemy import Connection, text

from rivergis.db import versions
from rivergis.db.connect import read_frame
from rivergis.errors import NotFound


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _rows(conn: Connection, sql: str, **params: Any) -> list[dict[str, Any]]:
    return [dict(r._mapping) for r in conn.execute(text(sql), params)]


def wkb(shape: shapely.Geometry | None) -> str | None:
    """A shape in EPSG:4490 as the database takes it."""
    return None if shape is None else shapely.to_wkb(shapely.set_srid(shape, 4490), hex=True, include_srid=True)


def list_id(name: str, version: int) -> uuid.UUID:
    """Identity of a delivery of a list."""
    return uuid.uuid5(versions.IDENTITY_NAMESPACE, f"superior_list/{name}/{version}")


def lock(conn: Connection) -> None:
    """Let one list at a time be recorded."""
    conn.execute(text("LOCK TABLE data.superior_list IN SHARE ROW EXCLUSIVE MODE"))


def lists(conn: Connection) -> list[dict[str, Any]]:
    """The latest delivery of every list: kind, name, version, issued_by, issued_on, file_name, rows, linked, doubts."""
    return _rows(
        conn,
        """SELECT DISTINCT ON (l.name) l.id, l.kind, l.name, l.version, l.issued_by, l.issued_on, l.file_name, l.actor, l.recorded_at,
          (SELECT count(*) FROM data.superior_item i WHERE i.list_id = l.id) AS rows,
          (SELECT count(*) FROM data.superior_item i JOIN app.superior_number n ON n.list_name = l.name AND n.number = i.number WHERE i.list_id = l.id) AS linked,
          (SELECT count(*) FROM data.superior_item i WHERE i.list_id = l.id AND i.doubts <> '[]') AS doubts
        FROM data.superior_list l ORDER BY l.name, l.version DESC""",
    )


def latest(conn: Connection, name: str) -> dict[str, Any] | None:
    """The latest delivery of a list, or None."""
    rows = _rows(conn, "SELECT * FROM data.superior_list WHERE name = :n ORDER BY version DESC LIMIT 1", n=name)
    return rows[0] if rows else None


def named(conn: Connection, name: str, kind: str | None = None) -> dict[str, Any]:
    """The latest delivery of a list; ``NotFound`` names the lists there are."""
    found = latest(conn, name)
    if found is None or kind not in (None, found["kind"]):
        names = ", ".join(x["name"] for x in lists(conn) if kind in (None, x["kind"])) or "none"
        raise NotFound(f"There is no list {name!r}{f' of {kind}' if kind else ''}; the lists are {names}.")
    return found


def add_list(conn: Connection, row: Mapping[str, Any]) -> None:
    """Record a delivery of a list."""
    conn.execute(
        text("""INSERT INTO data.superior_list (id, kind, name, version, issued_by, issued_on, file_name, file_sha256, file_path, source_layer,
          options, columns, headings, encoding)
        VALUES (:id, :kind, :name, :version, :issued_by, :issued_on, :file_name, :file_sha256, :file_path, :source_layer,
          CAST(:options AS jsonb), CAST(:columns AS jsonb), CAST(:headings AS jsonb), :encoding)"""),
        {**row, **{k: _json(row[k]) for k in ("options", "columns", "headings")}},
    )


def add_items(conn: Connection, identity: uuid.UUID, rows: Iterable[Mapping[str, Any]]) -> None:
    """Record the rows of a delivery: seq, source_feature, number, said, due_on, standing, doubts, place (EPSG:4490)."""
    body = [
        {**r, "l": identity, "said": _json(r["said"]), "doubts": _json(r["doubts"]), "place": wkb(r["place"])}
        for r in rows
    ]
    if body:
        conn.execute(
            text("""INSERT INTO data.superior_item (list_id, seq, source_feature, number, said, due_on, standing, doubts, geom)
            VALUES (:l, :seq, :source_feature, :number, CAST(:said AS jsonb), :due_on, :standing, CAST(:doubts AS jsonb), CAST(:place AS geometry))"""),
            body,
        )


def items(conn: Connection, identity: uuid.UUID) -> list[dict[str, Any]]:
    """Rows of a delivery in their order, each with the case its number means (finding_id, how) and the last step (task)."""
    return _rows(
        conn,
        """SELECT i.seq, i.source_feature, i.number, i.said, i.due_on, i.standing, i.doubts, n.finding_id, n.how,
          ST_X(ST_PointOnSurface(i.geom)) AS lon, ST_Y(ST_PointOnSurface(i.geom)) AS lat, s.state AS step, s.reason AS step_reason,
          s.actor AS step_by, s.recorded_at AS step_at
        FROM data.superior_item i JOIN data.superior_list l ON l.id = i.list_id
        LEFT JOIN app.superior_number n ON n.list_name = l.name AND n.number = i.number
        LEFT JOIN LATERAL (SELECT * FROM data.superior_step s WHERE s.list_name = l.name AND s.number = i.number ORDER BY s.id DESC LIMIT 1) s ON true
        WHERE i.list_id = :l ORDER BY i.seq""",
        l=identity,
    )


def links(conn: Connection, name: str) -> dict[str, dict[str, Any]]:
    """number -> what a list's number means now: finding_id, how, figures (the last link, also one taken off)."""
    rows = _rows(
        conn,
        """SELECT DISTINCT ON (number) number, finding_id, how, figures FROM data.superior_link WHERE list_name = :n
        ORDER BY number, id DESC""",
        n=name,
    )
    return {r["number"]: r for r in rows}


def add_link(
    conn: Connection,
    name: str,
    number: str,
    finding: uuid.UUID | None,
    how: str,
    figures: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Say which case a number means; None takes it off again."""
    conn.execute(
        text("""INSERT INTO data.superior_link (list_name, number, finding_id, how, figures, reason)
        VALUES (:l, :n, :f, :how, CAST(:figures AS jsonb), :reason)"""),
        {"l": name, "n": number, "f": finding, "how": how, "figures": _json(figures or {}), "reason": reason},
    )


def links_by_people(conn: Connection) -> list[list[Any]]:
    """Every link that a person decided, in order: list, number, case."""
    sql = "SELECT list_name, number, finding_id::text FROM data.superior_link WHERE how = 'person' ORDER BY id"
    return [list(r) for r in conn.execute(text(sql))]


def add_step(conn: Connection, name: str, number: str, state: str, reason: str, attachment_sha256: str | None) -> None:
    """Record what was done about a task: done, accepted or open again."""
    conn.execute(
        text("""INSERT INTO data.superior_step (list_name, number, state, reason, attachment_sha256)
        VALUES (:l, :n, :state, :reason, :sha)"""),
        {"l": name, "n": number, "state": state, "reason": reason, "sha": attachment_sha256},
    )


def knowns(conn: Connection, night: Any) -> gpd.GeoDataFrame:
    """Leads and cases that a row of a table may mean, as a night left them; those that another goes on for are left out.

    Columns id, topic, class_code, state, status, source_kind, accuracy_m (worst of its objects; null = none says), patch_numbers,
    superior_numbers, report_numbers (lists of text); geom = last footprint, EPSG:4490.
    """
    return read_frame(
        conn,
        """SELECT f.id, f.topic, f.class_code, f.state, f.status, o.source_kind, o.accuracy_m, coalesce(o.numbers, '{}') AS patch_numbers,
          coalesce((SELECT array_agg(DISTINCT n.number) FROM app.superior_number n WHERE n.finding_id = f.id), '{}') AS superior_numbers,
          coalesce((SELECT array_agg(DISTINCT r.number) FROM data.case_report r WHERE r.finding_id = f.id AND r.number IS NOT NULL), '{}') AS report_numbers, f.geom
        FROM app.finding_as_of(:night) f
        LEFT JOIN LATERAL (
          SELECT min(c.source_kind) AS source_kind, max(c.accuracy_m) AS accuracy_m,
            array_remove(array_agg(DISTINCT coalesce(p.patch_no, c.evidence ->> 'patch_no', CASE WHEN c.source_kind = 'remote_sensing' THEN c.code END)), NULL) AS numbers
          FROM (SELECT DISTINCT y.x ->> 'candidate' AS id FROM data.sighting s CROSS JOIN LATERAL jsonb_array_elements(s.sources) y(x)
                WHERE s.finding_id = f.id AND y.x ? 'candidate') k
          JOIN data.candidate c ON c.id = CAST(k.id AS uuid)
          LEFT JOIN data.patch p ON p.candidate_id = c.id) o ON true
        WHERE f.topic IN ('encroachment', 'reported') AND f.status <> 'merged' AND f.state <> 'merged' ORDER BY f.id""",
        {"night": night},
    )


def place_of(conn: Connection, identity: uuid.UUID, seq: int) -> shapely.Geometry | None:
    """Place of a row of a delivery in EPSG:4490; None = no usable place."""
    sql = "SELECT ST_AsBinary(geom) FROM data.superior_item WHERE list_id = :l AND seq = :s"
    body = conn.execute(text(sql), {"l": identity, "s": seq}).scalar()
    return None if body is None else shapely.from_wkb(bytes(body))


def awaiting(conn: Connection, names: Sequence[str]) -> list[dict[str, Any]]:
    """Cases of these lists that were taken over as rectified and are closed by what their row says: finding_id, then (closed or
    closed_above), reason, path of the list in the store, detail."""
    return _rows(
        conn,
        """SELECT DISTINCT e.finding_id, e.detail ->> 'then' AS "then", e.reason, e.detail #>> '{source,path}' AS path, e.detail
        FROM app.superior_number n JOIN LATERAL (SELECT * FROM data.finding_event e WHERE e.finding_id = n.finding_id ORDER BY e.id DESC LIMIT 1) e ON true
        WHERE n.list_name = ANY(:names) AND e.move = 'take_over_rectified' AND e.detail ->> 'then' IN ('closed', 'closed_above')
        ORDER BY e.finding_id""",
        names=list(names),
    )


def cases(conn: Connection, ids: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """id -> how a case stands today (or the one it was merged into), as it is reported back: number, state, deadline, rectified_at, closed_at, closed_above_at,
    and the names of its evidence."""
    rows = _rows(
        conn,
        """WITH ledger AS MATERIALIZED (SELECT * FROM app.case)
        SELECT m.id, c.number, c.state, c.deadline, c.rectified_at, c.closed_at, c.closed_above_at, c.class_code,
          array(SELECT coalesce(e.caption, e.kind) FROM data.evidence e WHERE e.finding_id IN (m.id, c.id) AND e.kind IN ('photo', 'document')
                ORDER BY e.recorded_at, e.id) AS evidence
        FROM ledger m JOIN ledger c ON c.id = CASE WHEN m.state IN ('merged', 'found') THEN coalesce(m.merged_into, m.id) ELSE m.id END
        WHERE m.id = ANY(CAST(:ids AS uuid[]))""",
        ids=[str(i) for i in ids],
    )
    return {str(r["id"]): r for r in rows}


def states(conn: Connection, ids: Sequence[Any]) -> dict[str, str]:
    """id -> state of a case now: that of its last event."""
    rows = conn.execute(
        text("""SELECT f.id, coalesce((SELECT e.to_state FROM data.finding_event e WHERE e.finding_id = f.id ORDER BY e.id DESC LIMIT 1), 'found')
        FROM data.finding f WHERE f.id = ANY(CAST(:ids AS uuid[]))"""),
        {"ids": [str(i) for i in ids]},
    )
    return {str(i): state for i, state in rows}
