"""Ways in: sign-in with a password, sessions, API keys. Only hashes are kept; every sign-in is in the audit."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, text

from rivergis import words
from rivergis.db import people, system
from rivergis.db.connect import Database
from rivergis.errors import NotFound, NotSignedIn, UsageError, legible

STRANGER = "not_signed_in"


@dataclass(frozen=True)
class SessionRules:
    """How long a session lives, unused and at all, and after how many wrong passwords a name waits (rules ``service.*``)."""

    idle_min: int = 30
    life_h: int = 12
    failures: int = 5
    wait_min: int = 15


@dataclass(frozen=True)
class Client:
    """Where a sign-in came from: network address, and the browser as it names itself."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Actor:
    """Somebody who asks: name, display name, what they may do now, and where.

    ``area`` is an adcode prefix: only things of that unit are seen and acted on; empty = everywhere. ``public``: nobody
    signed in and the service shows its public part. ``by``: ("session" or "key", its id) the actor came with.
    """

    name: str
    display_name: str
    capabilities: frozenset[str]
    area: str = ""
    public: bool = False
    by: tuple[str, str] | None = None


def _sha(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    """Verified for unknown names, so that they take as long as known ones."""
    return people.hasher().hash(secrets.token_urlsafe(16))


def sign_in(
    db: Database, name: str, password: str, rules: SessionRules = SessionRules(), client: Client = Client()
) -> str:
    """A session token for a right password, always a new one; ``NotSignedIn`` with one sentence otherwise.

    After some failures for a name within a quarter of an hour, known or not, it must wait; the audit is the counter, and
    tries for one name go one after the other, so that many at once gain nothing.
    """
    name = name.strip()[:64]
    with db.write(STRANGER) as conn:
        conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('rivergis sign-in'), hashtext(:n))"), {"n": name})
        refusal = "sentence.locked" if _failures(conn, name, rules.wait_min) >= rules.failures else None
        user = conn.execute(
            text('SELECT id, password_hash FROM sys."user" WHERE name = :n AND disabled_at IS NULL'), {"n": name}
        ).first()
        stored = user.password_hash if user else None
        right = people.hasher().verify(password[:1024], stored or _nobodys_hash()) and stored is not None
        if refusal is None and user is not None and right:
            token = secrets.token_urlsafe(32)
            _open_session(conn, token, user.id, rules, client)
            system.audit(conn, name, "sign_in", name)
            return token
        # a refusal while locked is told apart, so that waiting ends
        system.audit(conn, STRANGER, "sign_in_locked" if refusal else "sign_in_failed", name)
    raise NotSignedIn(words.both(refusal or "sentence.wrong_sign_in", count=rules.failures, minutes=rules.wait_min))


def _failures(conn: Connection, name: str, window_min: int) -> int:
    """Wrong passwords for a name in the window, since its last sign-in."""
    return int(
        conn.execute(
            text("""SELECT count(*) FROM sys.audit WHERE action = 'sign_in_failed' AND target = :n
            AND at > now() - make_interval(mins => :w)
            AND at > coalesce((SELECT max(at) FROM sys.audit WHERE action = 'sign_in' AND target = :n
                               AND at > now() - make_interval(mins => :w)), '-infinity')"""),
            {"n": name, "w": window_min},
        ).scalar_one()
    )


def _open_session(conn: Connection, token: str, user: object, rules: SessionRules, client: Client) -> None:
    conn.execute(
        text("""INSERT INTO sys.session (token_hash, user_id, expires_at, idle, address, agent)
        VALUES (:h, :u, now() + make_interval(hours => :life), make_interval(mins => :idle), :address, :agent)"""),
        {
            "h": _sha(token),
            "u": user,
            "life": rules.life_h,
            "idle": rules.idle_min,
            "address": _kept(client.address, 64),
            "agent": _kept(client.agent, 200),
        },
    )


def _kept(text_: str, most: int) -> str:
    """What a client says of itself as it may be kept and shown."""
    return legible(text_)[:most]


def of_session(conn: Connection, token: str) -> Actor | None:
    """Who a session token belongs to, if it is alive."""
    row = conn.execute(
        text("""SELECT s.id, u.name, u.display_name, u.area FROM sys.session s JOIN sys."user" u ON u.id = s.user_id
        WHERE s.token_hash = :h AND s.revoked_at IS NULL AND s.expires_at > now() AND s.seen_at + s.idle > now()
          AND u.disabled_at IS NULL"""),
        {"h": _sha(token)},
    ).first()
    if row is None:
        return None
    able = people.capabilities(conn, row.name)
    return Actor(row.name, row.display_name, able, row.area, by=("session", str(row.id)))


def sign_out(db: Database, token: str) -> None:
    """End a session; an unknown or ended one changes nothing."""
    with db.write(STRANGER) as conn:
        name = conn.execute(
            text("""UPDATE sys.session s SET revoked_at = now() FROM sys."user" u
            WHERE u.id = s.user_id AND s.token_hash = :h AND s.revoked_at IS NULL RETURNING u.name"""),
            {"h": _sha(token)},
        ).scalar()
        if name:
            system.audit(conn, name, "sign_out", name)


def sessions(conn: Connection, name: str) -> list[dict[str, Any]]:
    """Sessions of a user that are alive, the latest first: id, created_at, seen_at, expires_at, address, agent."""
    rows = conn.execute(
        text("""SELECT s.id, s.created_at, s.seen_at, s.expires_at, s.address, s.agent
        FROM sys.session s JOIN sys."user" u ON u.id = s.user_id
        WHERE u.name = :n AND s.revoked_at IS NULL AND s.expires_at > now() AND s.seen_at + s.idle > now()
        ORDER BY s.created_at DESC"""),
        {"n": name},
    )
    return [dict(r._mapping) for r in rows]


def end_session(conn: Connection, name: str, session: str) -> None:
    """End a session of a user by its id; ``NotFound`` for one that is not there, or somebody else's."""
    done = conn.execute(
        text("""UPDATE sys.session s SET revoked_at = now() FROM sys."user" u
        WHERE u.id = s.user_id AND u.name = :n AND s.id::text = :s AND s.revoked_at IS NULL"""),
        {"n": name, "s": session},
    ).rowcount
    if not done:
        raise NotFound(f"{name} has no living session {session[:40]!r}.")
    system.audit(conn, name, "session_ended", session)


def end_sessions(conn: Connection, name: str) -> int:
    """End every session of a user; how many there were."""
    done = conn.execute(
        text("""UPDATE sys.session s SET revoked_at = now() FROM sys."user" u
        WHERE u.id = s.user_id AND u.name = :n AND s.revoked_at IS NULL AND s.expires_at > now()"""),
        {"n": name},
    )
    return int(done.rowcount)


def keys(conn: Connection, name: str) -> list[dict[str, Any]]:
    """Keys of a user that are alive: name, role, area, created_at, expires_at, and when they were last used."""
    rows = conn.execute(
        text("""SELECT k.name, k.role, k.area, k.created_at, k.created_by, k.expires_at, e.seen_at
        FROM sys.api_key k JOIN sys."user" u ON u.id = k.user_id LEFT JOIN sys.api_key_use e ON e.key_id = k.id
        WHERE u.name = :n AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
        ORDER BY k.created_at"""),
        {"n": name},
    )
    return [dict(r._mapping) for r in rows]


def make_key(
    conn: Connection,
    name: str,
    about: str,
    role: str | None = None,
    expires_at: datetime | None = None,
    area: str = "",
) -> str:
    """A new API key of a user, shown this once; ``role`` narrows it to one of the user's roles, ``area`` to a unit (adcode).

    Raises ``UsageError`` where a key would reach farther than its user.
    """
    found = conn.execute(text('SELECT id, area FROM sys."user" WHERE name = :n AND disabled_at IS NULL'), {"n": name})
    user, own = found.first() or (None, "")
    kept = people.area_code(area)
    if user is not None and kept and not kept.startswith(own):
        raise UsageError(f"{name} is held to the area {own}; a key never reaches farther than its user ({kept}).")
    if user is None:
        raise NotFound(f"There is no user {name!r}, or it is disabled.")
    if role is not None and role not in people.roles_of(conn, name):
        raise UsageError(f"{name} does not hold the role {role!r}; a key never has more rights than its user.")
    key = "rg_" + secrets.token_urlsafe(32)
    conn.execute(
        text("""INSERT INTO sys.api_key (user_id, name, key_hash, role, expires_at, area)
        VALUES (:u, :n, :h, :r, :e, :a)"""),
        {"u": user, "n": about, "h": _sha(key), "r": role, "e": expires_at, "a": kept},
    )
    return key


def revoke_key(conn: Connection, name: str, about: str) -> int:
    """End the keys of a user that were made for ``about``; returns how many. ``NotFound`` when there is none."""
    done = conn.execute(
        text("""UPDATE sys.api_key k SET revoked_at = now() FROM sys."user" u
        WHERE u.id = k.user_id AND u.name = :n AND k.name = :about AND k.revoked_at IS NULL"""),
        {"n": name, "about": about},
    ).rowcount
    if not done:
        raise NotFound(f"{name} has no living key named {about!r}.")
    return int(done)


def of_key(conn: Connection, key: str) -> Actor | None:
    """Who an API key belongs to, with the rights the key has, if it is alive."""
    row = conn.execute(
        text("""SELECT k.id, u.name, u.display_name, k.role, u.area, k.area AS narrower
        FROM sys.api_key k JOIN sys."user" u ON u.id = k.user_id
        WHERE k.key_hash = :h AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
          AND u.disabled_at IS NULL"""),
        {"h": _sha(key)},
    ).first()
    # a user who was moved to another area since takes the key along: nothing is seen where the two do not meet
    if row is None or (not row.narrower.startswith(row.area) and row.narrower):
        return None
    able = people.capabilities(conn, row.name, row.role)
    return Actor(row.name, row.display_name, able, row.narrower or row.area, by=("key", str(row.id)))
