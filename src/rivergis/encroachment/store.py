"""The only SQL of candidates, permits, imagery and of leads with their sightings, verdicts, evidence and events."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis.db import versions
from rivergis.db.connect import copy_frame, read_frame
from rivergis.errors import NotFound
from rivergis.lead import Lead, NotLead, verdict_id


def save(
    conn: Connection,
    layer_name: str,
    frame: pd.DataFrame,
    *,
    namespace: str,
    import_id: uuid.UUID | None,
    feed: str | None = None,
    delivered_on: date | None = None,
    complete: bool = True,
) -> versions.Saved:
    """Record permits, or candidates as a delivery of their feed; frame in EPSG:4490.

    ``complete``: what the delivery does not hold is not there any more; otherwise it adds to the delivery before.
    """
    if layer_name != "candidate":
        return versions.save_layer(conn, layer_name, frame, namespace=namespace, import_id=import_id)
    # the feed the user names; else the one each feature names; else the files themselves are the feed
    feeds = (
        pd.Series(feed, index=frame.index)
        if feed
        else frame["feed"].fillna("files")
        if "feed" in frame
        else pd.Series("files", index=frame.index)
    )
    frame = frame.assign(feed=feeds)
    if "evidence" in frame:
        frame["evidence"] = [e if isinstance(e, dict) else {} for e in frame["evidence"]]
    saved = versions.save_layer(conn, layer_name, frame, namespace=namespace, import_id=import_id)
    # a feed that looked and saw nothing delivers, too
    for name in sorted({*frame["feed"], *([feed] if feed else [])}):
        codes = frame.loc[frame["feed"] == name, "code"].astype(str).unique()
        held = [saved.versions[c] for c in codes if c in saved.versions]
        deliver(conn, held, import_id, str(name), delivered_on, complete)
    return saved


def deliver(
    conn: Connection,
    held: list[tuple[uuid.UUID, int]],
    import_id: uuid.UUID | None,
    feed: str,
    delivered_on: date | None,
    complete: bool,
) -> None:
    """A delivery of a feed: the candidates it held, in which versions; ``complete`` as in ``save``."""
    delivery = uuid.uuid5(versions.IDENTITY_NAMESPACE, f"delivery/{import_id}/{feed}")
    conn.execute(
        text("""INSERT INTO data.delivery (id, import_id, feed, delivered_on, complete)
        VALUES (:id, :i, :feed, coalesce(CAST(:on AS date), app.today()), :complete) ON CONFLICT (id) DO NOTHING"""),
        {"id": delivery, "i": import_id, "feed": feed, "on": delivered_on, "complete": complete},
    )
    columns = ("delivery_id", "candidate_id", "candidate_version")
    _add(conn, "delivery_item", columns, [(delivery, c, v) for c, v in held])


def save_imagery(
    conn: Connection,
    *,
    code: str,
    taken_on: date,
    gsd_m: float,
    bands: str,
    source_crs: str,
    file_sha256: str,
    file_path: str,
    unobserved: shapely.MultiPolygon | None,
    geom: shapely.MultiPolygon,
    namespace: str,
    import_id: uuid.UUID | None,
) -> versions.Saved:
    """Record a scene that lies in the store; footprint and unobserved part in EPSG:4490."""
    frame = gpd.GeoDataFrame(
        {
            "code": [code],
            "taken_on": [taken_on],
            "gsd_m": [gsd_m],
            "bands": [bands],
            "source_crs": [source_crs],
            "file_sha256": [file_sha256],
            "file_path": [file_path],
            "unobserved": [unobserved],
            "geom": [geom],
        },
        geometry="geom",
        crs="EPSG:4490",
    )
    return versions.save(conn, "imagery", frame, namespace=namespace, import_id=import_id)


# leads ``f`` as the nights before ``:night`` left them, as known then; what an earlier run of the same night told first counts as before
LAST_ROWS = """
        CROSS JOIN LATERAL (SELECT CASE WHEN f.first_night = :night THEN f.first_night ELSE CAST(:night AS date) - 1 END AS last) w
        JOIN LATERAL (SELECT * FROM data.sighting s WHERE s.finding_id = f.id AND s.night <= w.last AND s.recorded_at <= :known
                      AND s.geom IS NOT NULL ORDER BY s.night DESC LIMIT 1) s ON true
        JOIN LATERAL (SELECT * FROM data.sighting z WHERE z.finding_id = f.id AND z.night <= w.last AND z.recorded_at <= :known
                      ORDER BY z.night DESC LIMIT 1) z ON true
        LEFT JOIN LATERAL (SELECT m.night, m.carried, m.sources FROM data.sighting m WHERE m.finding_id = f.id AND m.night <= w.last AND m.recorded_at <= :known
                           AND m.carried IS NOT NULL ORDER BY m.night DESC LIMIT 1) m ON true"""
MAY_BE_MET = """f.recorded_at <= :known AND z.status <> 'merged' AND (z.status NOT IN ('gone', 'permitted') OR z.night >= :closed_since)"""


@dataclass(frozen=True)
class Moment:
    """A civil day, and up to when what the database knew counts."""

    night: date
    known_at: datetime

    @property
    def params(self) -> dict[str, Any]:
        return {"night": self.night, "known": self.known_at}


def open_findings(
    conn: Connection, topic: str, at: Moment, closed_since: date, ids: Sequence[uuid.UUID] | None = None
) -> gpd.GeoDataFrame:
    """Leads of a topic (or of them ``ids``) as the nights before one left them, and those closed since a day, which may come back;
    and what an earlier run of the same night told first, so that the night run again does not tell it twice.

    Columns id, first_night, last_status, last_night, last_because, calm, last_seen, sources (of the last sight), area_m2, missed, carried
    (null = recorded before it was kept), seen_again and seen_again_on (nights since that showed it as it was), told_knowing (what was known when its last row was written, null =
    not kept), inputs, basis and feed (of
    the last verdict); geom = last footprint, EPSG:4490.
    """
    return read_frame(
        conn,
        f"""
        SELECT f.id, f.first_night, z.status AS last_status, z.night AS last_night, m.sources -> 0 ->> 'because' AS last_because,
               coalesce(z.calm, false) AS calm, s.night AS last_seen, s.sources, s.area_m2, m.carried, g.seen_again, g.seen_again_on,
               (SELECT max(n.known_at) FROM sys.night n WHERE n.night = z.night AND n.known_at < z.recorded_at) AS told_knowing,
               v.inputs, v.basis, v.feed,
               (SELECT count(*) FROM data.sighting x WHERE x.finding_id = f.id AND x.night > s.night AND x.night < :night AND x.status = 'missed') AS missed,
               s.geom
        FROM data.finding f {LAST_ROWS}
        CROSS JOIN LATERAL (SELECT count(*) AS seen_again, max(x.night) AS seen_again_on FROM data.sighting x WHERE x.finding_id = f.id
                           AND x.night > coalesce(m.night, '-infinity') AND x.night <= w.last AND x.recorded_at <= :known
                           AND x.calm AND x.carried IS NULL AND x.status = 'persisting') g
        LEFT JOIN LATERAL (SELECT v.inputs, v.basis, v.figures ->> 'feed' AS feed FROM data.verdict v WHERE v.finding_id = f.id AND v.night <= w.last
                           AND v.recorded_at <= :known ORDER BY v.night DESC, v.recorded_at DESC LIMIT 1) v ON true
        WHERE f.topic = :topic AND {MAY_BE_MET} AND (CAST(:ids AS uuid[]) IS NULL OR f.id = ANY(CAST(:ids AS uuid[]))) ORDER BY f.id""",
        {
            **at.params,
            "topic": topic,
            "closed_since": closed_since,
            "ids": None if ids is None else [str(i) for i in ids],
        },
    )


def missed_lately(conn: Connection, topics: Sequence[str], night: date) -> bool:
    """Whether a lead of these topics was missed by the nights before one, too few times to be gone: another night counts."""
    return bool(
        conn.execute(
            text("""SELECT EXISTS (SELECT FROM data.finding f JOIN LATERAL (SELECT s.status FROM data.sighting s WHERE s.finding_id = f.id
            AND s.night < :night ORDER BY s.night DESC LIMIT 1) z ON z.status = 'missed' WHERE f.topic = ANY(:topics))"""),
            {"night": night, "topics": list(topics)},
        ).scalar()
    )


def told_by_night(conn: Connection, night: date) -> list[dict[str, Any]]:
    """What a night left, by topic: status, leads, and how many of them rest on announced lines or gazetted zones; verdicts apart."""
    rows = conn.execute(
        text("""SELECT t.topic, CASE WHEN t.night < :night AND t.status IN ('new', 'grown', 'shrunk', 'rebound', 'split') THEN 'persisting'
          WHEN t.night < :night AND t.status = 'missed' THEN 'unobserved' ELSE t.status END AS status, count(*) AS n, count(*) FILTER (WHERE t.basis IN ('announced', 'gazette')) AS announced
        FROM app.finding_as_of(:night) t WHERE t.night = :night OR t.status NOT IN ('gone', 'permitted', 'merged') GROUP BY 1, 2 ORDER BY 1, 2"""),
        {"night": night},
    )
    return [dict(r._mapping) for r in rows]


def verdicts_of_night(conn: Connection, night: date) -> dict[str, int]:
    """How many verdicts a night gave, by topic."""
    rows = conn.execute(
        text(
            """SELECT f.topic, count(*) FROM data.verdict v JOIN data.finding f ON f.id = v.finding_id WHERE v.night = :night GROUP BY 1"""
        ),
        {"night": night},
    )
    return {str(topic): int(n) for topic, n in rows}


def statuses_on(conn: Connection, night: date) -> dict[uuid.UUID, str]:
    """What a night has written of leads."""
    rows = conn.execute(text("SELECT finding_id, status FROM data.sighting WHERE night = :night"), {"night": night})
    return {i: str(s) for i, s in rows}


@dataclass(frozen=True)
class Sighting:
    """What a night saw of a lead; geometry in EPSG:4490, missing where nothing was seen."""

    finding: uuid.UUID
    status: str
    sources: list[dict[str, Any]] = field(default_factory=list)
    area_m2: float | None = None
    observed_share: float | None = None
    geom: shapely.Geometry | None = None
    carried: dict[str, Any] | None = None
    calm: bool = False
    """Seen again as it is, it would change nothing."""


@dataclass(frozen=True)
class Given:
    """By what a night's verdicts are given: rule set, place whose rules hold, software, and what was known."""

    rule_set: str
    jurisdiction: str | None
    engine: dict[str, str]
    known_at: datetime


def add_findings(conn: Connection, night: date, leads: Sequence[tuple[uuid.UUID, Lead]]) -> None:
    """Open leads; known ids are left as they are."""
    rows = [(i, x.topic, night, x.district, x.place) for i, x in leads]
    _add(conn, "finding", ("id", "topic", "first_night", "district", "place"), rows)


def add_sightings(conn: Connection, night: date, sightings: Sequence[Sighting]) -> int:
    """Record what a night saw of leads; what the night already said is kept. Returns how many were recorded."""
    rows = [
        (s.finding, night, s.status, s.sources, s.area_m2, s.observed_share, s.geom, s.carried, s.calm)
        for s in sightings
    ]
    columns = ("finding_id", "night", "status", "sources", "area_m2", "observed_share", "geom", "carried", "calm")
    return _add(conn, "sighting", columns, rows)


def add_verdicts(conn: Connection, night: date, leads: Sequence[tuple[uuid.UUID, Lead]], given: Given) -> int:
    """Record why leads are raised, unless the same verdict stands already. Returns how many were recorded."""
    columns = (
        "id", "finding_id", "night", "class_code", "position", "boundary_id", "boundary_version", "basis", "clause",
        "competent_authority", "our_action", "figures", "rules", "inputs", "severity", "built_period",
        "rule_set", "jurisdiction", "engine", "known_at", "content_hash", "seal",
    )  # fmt: skip
    rows = []
    for finding, x in leads:
        content = x.content_hash()
        rows.append((
            verdict_id(finding, content), finding, night, x.class_code, x.position, x.boundary_id, x.boundary_version, x.basis, x.clause,
            x.competent_authority, x.our_action, x.figures, x.rules, x.inputs, x.severity, x.built_period,
            given.rule_set, given.jurisdiction, given.engine, given.known_at, content, seal(content, night, given),
        ))  # fmt: skip
    return _add(conn, "verdict", columns, rows)


def seal(content_hash: str, night: date, given: Given) -> str:
    """Hash of a verdict as it was given: its content, and by what and when."""
    known = given.known_at.astimezone(UTC).isoformat()
    body = [content_hash, str(night), given.rule_set, given.jurisdiction, given.engine, known]
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def merge(conn: Connection, into: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """Say of leads which other lead goes on for them; said once, never changed."""
    if not into:
        return
    conn.execute(
        text("""UPDATE data.finding f SET merged_into = w.heir FROM unnest(CAST(:ids AS uuid[]), CAST(:into AS uuid[])) w(id, heir)
        WHERE f.id = w.id AND f.merged_into IS NULL"""),
        {"ids": [str(i) for i, _ in into], "into": [str(j) for _, j in into]},
    )


# reasons that end one: it is told, plainly outside every line, or not delivered any more
ENDS = ("told", "outside", "left")


def add_not_findings(conn: Connection, at: Moment, rows: Sequence[NotLead]) -> int:
    """Record why candidates near a line are not told, where that is another reason than before; returns how many were recorded."""
    before = {
        str(r.candidate_id): (r.candidate_version, r.reason, r.detail)
        for r in conn.execute(
            text("""SELECT DISTINCT ON (candidate_id) candidate_id, candidate_version, reason, detail FROM data.not_finding
            WHERE candidate_id = ANY(CAST(:ids AS uuid[])) AND night <= :night AND recorded_at <= :known ORDER BY candidate_id, night DESC"""),
            {**at.params, "ids": [r.candidate_id for r in rows]},
        )
    }
    body = [
        (at.night, r.candidate_id, r.candidate_version, r.reason, r.detail)
        for r in rows
        if _is_news(r, before.get(r.candidate_id, (0, "outside", {})))
    ]
    return _add(conn, "not_finding", ("night", "candidate_id", "candidate_version", "reason", "detail"), body)


def _is_news(row: NotLead, last: tuple[int, str, dict[str, Any]]) -> bool:
    if row.reason in ENDS and last[1] in ENDS:
        return False
    return (row.candidate_version, row.reason, json.loads(json.dumps(row.detail, default=str))) != last


def _add(conn: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Add rows that are not there yet, in one statement: one line of the audit, however many they are."""
    if not rows:
        return 0
    names = ", ".join(columns)
    conn.execute(text(f"CREATE TEMP TABLE added ON COMMIT DROP AS SELECT {names} FROM data.{table} WITH NO DATA"))
    copy_frame(conn, "added", pd.DataFrame(rows, columns=list(columns), dtype=object))
    done = conn.execute(
        text(f"INSERT INTO data.{table} ({names}) SELECT {names} FROM added ON CONFLICT DO NOTHING")
    ).rowcount
    conn.execute(text("DROP TABLE added"))
    return done


def add_evidence(
    conn: Connection,
    finding_id: uuid.UUID,
    kind: str,
    *,
    file_sha256: str,
    file_path: str,
    taken_on: date | None,
    caption: str,
    position_grade: str,
) -> None:
    """Attach a picture or document that lies in the store; the same file again changes nothing."""
    conn.execute(
        text("""INSERT INTO data.evidence (finding_id, kind, file_sha256, file_path, taken_on, caption, position_grade)
        VALUES (:f, :kind, :h, :path, :on, :caption, :grade) ON CONFLICT DO NOTHING"""),
        {
            "f": finding_id,
            "kind": kind,
            "h": file_sha256,
            "path": file_path,
            "on": taken_on,
            "caption": caption,
            "grade": position_grade,
        },
    )


def events(conn: Connection, finding_id: uuid.UUID) -> list[dict[str, Any]]:
    """Events of a lead in order: move, to_state, reason, detail, actor, recorded_at."""
    rows = conn.execute(
        text(
            """SELECT move, to_state, reason, detail, actor, recorded_at FROM data.finding_event WHERE finding_id = :f ORDER BY seq"""
        ),
        {"f": finding_id},
    )
    return [dict(r._mapping) for r in rows]


def findings_of_night(conn: Connection, night: date) -> gpd.GeoDataFrame:
    """Leads that stand after a night, and those that it ended, with the verdict in force then; geom = last footprint, EPSG:4490.

    ``status``: what the night said of a lead; persisting where it said nothing.
    """
    return read_frame(
        conn,
        """
        SELECT t.id, t.topic, t.first_night, t.district, t.night, CASE WHEN t.night < :night AND t.status IN ('new', 'grown', 'shrunk', 'rebound', 'split')
               THEN 'persisting' WHEN t.night < :night AND t.status = 'missed' THEN 'unobserved' ELSE t.status END AS status, t.area_m2, s.sources, t.class_code, t."position", t.basis, t.clause,
               t.competent_authority, t.our_action, t.figures, v.rules, v.inputs, v.rule_set, t.state, t.geom
        FROM app.finding_as_of(:night) t
        LEFT JOIN LATERAL (SELECT s.sources FROM data.sighting s WHERE s.finding_id = t.id AND s.night <= :night AND s.sources <> '[]'
                           ORDER BY s.night DESC LIMIT 1) s ON true
        LEFT JOIN LATERAL (SELECT * FROM data.verdict v WHERE v.finding_id = t.id AND v.night <= :night ORDER BY v.night DESC, v.recorded_at DESC LIMIT 1) v ON true
        WHERE t.night = :night OR t.status NOT IN ('gone', 'permitted', 'merged') ORDER BY t.topic, t.id""",
        {"night": night},
    )


def not_findings_of_night(conn: Connection, night: date) -> gpd.GeoDataFrame:
    """Candidates that are not told after a night, with reason and detail; geom as delivered, EPSG:4490."""
    return read_frame(
        conn,
        """SELECT candidate_id, reason, detail, code, kind, name, geom FROM app.not_finding_as_of(:night) ORDER BY reason, code""",
        {"night": night},
    )


def reasons_of_night(conn: Connection, night: date) -> dict[str, int]:
    """How many candidates are not told after a night, by reason."""
    rows = conn.execute(
        text("SELECT reason, count(*) FROM app.not_finding_as_of(:night) GROUP BY reason ORDER BY reason"),
        {"night": night},
    )
    return {str(reason): int(n) for reason, n in rows}


def objects_told(conn: Connection, night: date) -> int:
    """How many candidates the leads that stand after a night rest on."""
    return int(
        conn.execute(
            text("""SELECT count(DISTINCT e ->> 'candidate') FROM app.finding_as_of(:night) t
            JOIN LATERAL (SELECT s.sources FROM data.sighting s WHERE s.finding_id = t.id AND s.night <= :night AND s.geom IS NOT NULL
                          ORDER BY s.night DESC LIMIT 1) s ON true, jsonb_array_elements(s.sources) e
            WHERE t.topic = 'encroachment' AND t.status NOT IN ('gone', 'permitted', 'merged', 'missed', 'unobserved') AND e ? 'candidate'"""),
            {"night": night},
        ).scalar_one()
    )


def permit_queue(conn: Connection, night: date | None = None) -> list[dict[str, Any]]:
    """Objects that wait for a person beside a permit, as the last night up to a day left them: night, queue (why), code, permits ..."""
    rows = conn.execute(
        text("""SELECT night, queue, candidate_id, finding_id, code, kind, name, permits, river, bank, chainage, village,
          ST_X(ST_PointOnSurface(geom)) AS lon, ST_Y(ST_PointOnSurface(geom)) AS lat
        FROM app.permit_queue_as_of(coalesce(CAST(:night AS date), app.today()))"""),
        {"night": night},
    )
    return [dict(r._mapping) for r in rows]


def record_of(conn: Connection, finding: str) -> dict[str, Any]:
    """The whole record of a lead by its id or the start of it: finding, sightings, verdicts, evidence, events.

    Raises ``NotFound`` when no lead or more than one begins so.
    """
    ids = list(
        conn.execute(
            text("SELECT id FROM data.finding WHERE id::text LIKE :p ORDER BY id LIMIT 2"), {"p": finding.lower() + "%"}
        ).scalars()
    )
    if len(ids) != 1:
        raise NotFound(f"{'No' if not ids else 'More than one'} lead has an id that begins with {finding!r}.")
    out: dict[str, Any] = {}
    for name, query in (
        (
            "finding",
            "SELECT id, topic, first_night, district, merged_into, ST_X(place) AS lon, ST_Y(place) AS lat FROM data.finding WHERE id = :f",
        ),
        (
            "sightings",
            "SELECT night, status, area_m2, observed_share, sources FROM data.sighting WHERE finding_id = :f ORDER BY night",
        ),
        ("verdicts", "SELECT * FROM data.verdict WHERE finding_id = :f ORDER BY night, recorded_at"),
        (
            "evidence",
            "SELECT id, kind, file_sha256, file_path, taken_on, caption, position_grade FROM data.evidence WHERE finding_id = :f ORDER BY kind, taken_on",
        ),
    ):
        out[name] = [dict(r._mapping) for r in conn.execute(text(query), {"f": ids[0]})]
    out["finding"] = out["finding"][0]
    out["events"] = events(conn, ids[0])
    return out


def pictures_of(conn: Connection, finding_id: uuid.UUID) -> list[dict[str, Any]]:
    """Pictures of a lead, oldest first: id, kind, file_path, taken_on, caption."""
    rows = conn.execute(
        text("""SELECT id, kind, file_path, taken_on, caption FROM data.evidence
        WHERE finding_id = :f AND kind LIKE 'chip%' ORDER BY taken_on, kind"""),
        {"f": finding_id},
    )
    return [dict(r._mapping) for r in rows]
