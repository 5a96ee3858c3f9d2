"""The only SQL of replaying verdicts: what was given, and the rules as they were kept."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from rivergis.errors import NotFound


def given(conn: Connection, finding: uuid.UUID | None = None, night: date | None = None) -> list[dict[str, Any]]:
    """Verdicts as they were given, of one lead, of one night, or all: every column, and ``topic`` and ``key`` of the lead."""
    rows = conn.execute(
        text("""SELECT v.*, f.topic, (SELECT s.sources -> 0 ->> 'key' FROM data.sighting s
            WHERE s.finding_id = v.finding_id AND s.night = v.night) AS key
        FROM data.verdict v JOIN data.finding f ON f.id = v.finding_id
        WHERE (CAST(:finding AS uuid) IS NULL OR v.finding_id = :finding) AND (CAST(:night AS date) IS NULL OR v.night = :night)
        ORDER BY v.night, v.known_at, f.topic, v.finding_id, v.recorded_at"""),
        {"finding": finding, "night": night},
    )
    return [dict(r._mapping) for r in rows]


def rule_texts(conn: Connection, rule_set: str) -> dict[str, str]:
    """The rule files of a rule set as they were kept, file name -> text."""
    content = conn.execute(text("SELECT content FROM list.rule_set WHERE version = :v"), {"v": rule_set}).scalar()
    if content is None:
        raise NotFound(f"The database keeps no rule set {rule_set!r}.")
    return dict(content)
