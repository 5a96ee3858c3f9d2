"""The only SQL of the canonical record: what the nights and people said, without when and in which run it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from rivergis.db.connect import stream_rows

_LOT = 2_000  # rows held at a time
_FINDINGS = """SELECT id, topic, first_night, district, merged_into, encode(ST_AsBinary(place, 'NDR'), 'hex') AS place
  FROM data.finding ORDER BY id"""
_SIGHTINGS = """SELECT finding_id, night, status, sources, area_m2, observed_share, carried, calm, encode(ST_AsBinary(geom, 'NDR'), 'hex') AS geom
  FROM data.sighting ORDER BY finding_id, night"""
_VERDICTS = """SELECT finding_id, night, id, class_code, position, severity, boundary_id, boundary_version, content_hash
  FROM data.verdict ORDER BY finding_id, night, id"""
_NOT_FINDINGS = """SELECT night, candidate_id, candidate_version, reason, detail
  FROM data.not_finding ORDER BY night, candidate_id"""
# a picture or document is what its bytes are; where and when it was filed is of the run
_EVIDENCE = """SELECT finding_id, kind, file_sha256, taken_on, position_grade
  FROM data.evidence ORDER BY finding_id, kind, file_sha256"""
# the database numbers events through; the number within its lead does not depend on what else was written meanwhile
_EVENTS = """SELECT finding_id, row_number() OVER (PARTITION BY finding_id ORDER BY id) AS seq, move, to_state, actor, reason,
    attachment_sha256, detail
  FROM data.finding_event ORDER BY finding_id, id"""
# record -> its rows, each in the order of its own key
RECORDS = {
    "finding": _FINDINGS,
    "sighting": _SIGHTINGS,
    "verdict": _VERDICTS,
    "not_finding": _NOT_FINDINGS,
    "evidence": _EVIDENCE,
    "finding_event": _EVENTS,
}


def records(conn: Connection) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row of the ledger of leads (线索台账) with the name of its record, in an order that only its content decides.

    Geometries are little-endian WKB in hex, exactly as stored (EPSG:4490). Nothing in a row depends on the clock, on the run
    that wrote it or on numbers the database gave out.
    """
    for name, sql in RECORDS.items():
        for lot in stream_rows(conn, sql, {}, _LOT):
            yield from ((name, dict(row._mapping)) for row in lot)  # type: ignore[attr-defined]
