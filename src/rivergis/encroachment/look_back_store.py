"""The only SQL of looking back at closed cases (回头看): what there is to draw from, what was drawn, what was found."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from rivergis.db.versions import IDENTITY_NAMESPACE
from rivergis.errors import NotFound


def _rows(conn: Connection, sql: str, **params: Any) -> list[dict[str, Any]]:
    return [dict(r._mapping) for r in conn.execute(text(sql), params)]


def closed(
    conn: Connection, first: date, last: date, known_at: datetime, district: str | None, class_code: str | None
) -> list[dict[str, Any]]:
    """Cases that were closed on these civil days, as they stood at ``known_at``, with ``done_by``: who rectified or accepted them."""
    return _rows(
        conn,
        """SELECT c.*, d.done_by FROM app.case_as_of(:last, :known) c JOIN data.finding f ON f.id = c.id
        CROSS JOIN LATERAL (
          SELECT array_agg(DISTINCT e.actor ORDER BY e.actor) FILTER (WHERE e.move IN ('rectify', 'unit_done', 'accept', 'take_over_rectified')) AS done_by,
            bool_or(e.to_state IN ('closed', 'closed_above') AND e.move IN ('close', 'accept', 'take_over_closed', 'take_over_closed_above')
              AND (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN :first AND :last) AS then
          FROM data.finding_event e WHERE e.finding_id = c.id AND e.recorded_at <= :known) d
        WHERE d.then AND (CAST(:district AS text) IS NULL OR f.district LIKE CAST(:district AS text) || '%')
          AND (CAST(:class AS text) IS NULL OR c.class_code = :class OR c.class_code LIKE CAST(:class AS text) || '.%')
        ORDER BY c.id""",
        first=first,
        last=last,
        known=known_at,
        district=district,
        **{"class": class_code},
    )


def add(
    conn: Connection,
    scope: Mapping[str, Any],
    share: float,
    rules: Sequence[Mapping[str, Any]],
    seed: str,
    population: int,
    members: Sequence[Mapping[str, Any]],
) -> uuid.UUID:
    """Record a sample (members: case_id, stratum, risks, done_by); one that was drawn before stays as it is."""
    head = "|".join(f"{k}={scope[k]}" for k in sorted(scope))
    identity = uuid.uuid5(IDENTITY_NAMESPACE, f"look_back/{head}/{share}/{seed}")
    made = conn.execute(
        text("""INSERT INTO data.look_back (id, scope, share, rules, seed, population)
        VALUES (:id, CAST(:scope AS jsonb), :share, CAST(:rules AS jsonb), :seed, :n) ON CONFLICT (id) DO NOTHING"""),
        {
            "id": identity,
            "scope": json.dumps(dict(scope), ensure_ascii=False, default=str),
            "share": share,
            "rules": json.dumps(list(rules), ensure_ascii=False, default=str),
            "seed": seed,
            "n": population,
        },
    ).rowcount
    if made:
        conn.execute(
            text("""INSERT INTO data.look_back_member (look_back_id, seq, finding_id, stratum, risks, done_by)
            VALUES (:b, :seq, :case_id, :stratum, CAST(:risks AS jsonb), :done_by)"""),
            [
                {**m, "b": identity, "seq": n, "risks": json.dumps(list(m["risks"])), "done_by": list(m["done_by"])}
                for n, m in enumerate(members, 1)
            ],
        )
    return identity


def samples(conn: Connection) -> list[dict[str, Any]]:
    """Every sample, oldest first: id, scope, share, population, actor, recorded_at, drawn, looked, and how many of each output."""
    return _rows(
        conn,
        """SELECT b.*, (SELECT count(*) FROM data.look_back_member m WHERE m.look_back_id = b.id)::int AS drawn,
          count(r.seq)::int AS looked, count(*) FILTER (WHERE r.output = 'holds')::int AS holds,
          count(*) FILTER (WHERE r.output = 'not_done')::int AS not_done, count(*) FILTER (WHERE r.output = 'rebounded')::int AS rebounded
        FROM data.look_back b LEFT JOIN data.look_back_result r ON r.look_back_id = b.id GROUP BY b.id ORDER BY b.recorded_at, b.id""",
    )


def sample(conn: Connection, start: str) -> dict[str, Any]:
    """A sample by the beginning of its id; ``NotFound`` where none or more than one begins so."""
    found = [s for s in samples(conn) if str(s["id"]).startswith(start.lower())]
    if len(found) != 1:
        raise NotFound(f"{'No' if not found else 'More than one'} look-back has an id that begins with {start!r}.")
    return found[0]


def members(conn: Connection, sample_id: uuid.UUID) -> list[dict[str, Any]]:
    """Members in order with the number and place of their case, and what was found (output, reason, looked_by) or None."""
    return _rows(
        conn,
        """SELECT m.seq, m.finding_id, n.number, m.stratum, m.risks, m.done_by, ST_X(f.place) AS lon, ST_Y(f.place) AS lat,
          r.output, e.reason, r.actor AS looked_by, r.recorded_at
        FROM data.look_back_member m JOIN data.finding f ON f.id = m.finding_id
        LEFT JOIN data.case_number n ON n.finding_id = m.finding_id
        LEFT JOIN data.look_back_result r ON r.look_back_id = m.look_back_id AND r.seq = m.seq
        LEFT JOIN data.finding_event e ON e.id = r.event_id WHERE m.look_back_id = :b ORDER BY m.seq""",
        b=sample_id,
    )


def add_result(conn: Connection, sample_id: uuid.UUID, seq: int, output: str, event_id: int) -> None:
    """Record what was found; the event on the case says why."""
    conn.execute(
        text("INSERT INTO data.look_back_result (look_back_id, seq, output, event_id) VALUES (:b, :s, :o, :e)"),
        {"b": sample_id, "s": seq, "o": output, "e": event_id},
    )
