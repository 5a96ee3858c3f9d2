"""What auditors find (审计发现): the one thing an auditor writes. Others reply; only an auditor closes, and never the own reply counts."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Connection, text

from rivergis.errors import InputError, NotFound, NotNow

ABOUT = ("case", "river", "draft", "patrol", "report", "user", "log", "other")
LONGEST = 4000


def find(conn: Connection, about: str, ref: str, said: str, actor: str, area: str = "") -> uuid.UUID:
    """Record what an auditor found about a thing; ``InputError`` where nothing is said, or of what kind it is."""
    if about not in ABOUT:
        raise InputError(f"{about[:40]!r} is no kind of thing: it is one of {', '.join(ABOUT)}.")
    found: uuid.UUID = conn.execute(
        text("""INSERT INTO data.audit_finding (about, ref, said, area, actor) VALUES (:about, :ref, :said, :area, :actor)
        RETURNING id"""),
        {"about": about, "ref": ref.strip()[:200], "said": _said(said), "area": area, "actor": actor},
    ).scalar_one()
    return found


def reply(conn: Connection, finding: uuid.UUID, said: str, actor: str, *, closes: bool = False) -> None:
    """Reply to what was found, or close it; ``NotFound`` where there is none, ``NotNow`` where it is closed."""
    state = conn.execute(
        text("""SELECT EXISTS (SELECT FROM data.audit_reply r WHERE r.audit_finding_id = f.id AND r.closes)
        FROM data.audit_finding f WHERE f.id = :f FOR UPDATE OF f"""),
        {"f": finding},
    ).scalar()
    if state is None:
        raise NotFound(f"There is no audit finding {finding}.")
    if state:
        raise NotNow(f"The audit finding {finding} is closed.")
    conn.execute(
        text(
            "INSERT INTO data.audit_reply (audit_finding_id, said, closes, actor) VALUES (:f, :said, :closes, :actor)"
        ),
        {"f": finding, "said": _said(said), "closes": closes, "actor": actor},
    )


def listed(conn: Connection, *, open_only: bool = False) -> list[dict[str, Any]]:
    """What was found, the latest first, each with its replies and whether it is closed."""
    rows = conn.execute(
        text("""SELECT f.id, f.about, f.ref, f.said, f.area, f.actor, f.recorded_at, coalesce(r.closed, false) AS closed,
          coalesce(r.replies, '[]') AS replies
        FROM data.audit_finding f LEFT JOIN LATERAL (
          SELECT bool_or(r.closes) AS closed, jsonb_agg(jsonb_build_object('said', r.said, 'closes', r.closes, 'actor', r.actor,
            'recorded_at', r.recorded_at) ORDER BY r.id) AS replies FROM data.audit_reply r WHERE r.audit_finding_id = f.id) r ON true
        WHERE NOT (:open AND coalesce(r.closed, false)) ORDER BY f.recorded_at DESC, f.id"""),
        {"open": open_only},
    )
    return [dict(r._mapping) for r in rows]


def _said(text_: str) -> str:
    text_ = text_.strip()
    if not 0 < len(text_) <= LONGEST:
        raise InputError(f"Say in up to {LONGEST} characters what was found or done.")
    return text_
