"""Who may act: users, roles bundled from capabilities, sessions and keys. No ladder; 三员分立 is kept here."""

from __future__ import annotations

import getpass
import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from pwdlib import PasswordHash
from sqlalchemy import Connection, text

from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.errors import NotFound, NotPermitted, NotSignedIn, UsageError

# 三员分立: nobody holds two of these
APART = frozenset({"system_admin", "security_officer", "auditor"})
# what whoever owns the private cluster's socket may do without a name of their own: run the place, not judge in it
OPERATOR = frozenset({"view", "import", "run_jobs", "draft_boundary", "export", "manage_users", "manage_keys", "manage_database"})
SERVICE = frozenset({"view", "run_jobs"})
FAILURES, WINDOW = 5, "15 minutes"
SESSION_LIFE = "12 hours"


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@lru_cache(maxsize=1)
def _dummy_hash() -> str:
    """Verified for unknown names, so that they take as long as known ones."""
    return _hasher().hash(secrets.token_urlsafe(16))


def _sha(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class Actor:
    """Somebody who has signed in: name, display name and what they may do now."""

    name: str
    display_name: str
    capabilities: frozenset[str]


def add_user(conn: Connection, name: str, display_name: str, *, kind: str = "person", password: str | None = None, area: str = "") -> uuid.UUID:
    """Make a user; ``UsageError`` when the name is taken or not of letters, digits and ``_.:@-``."""
    if conn.execute(text('SELECT 1 FROM sys."user" WHERE name = :n'), {"n": name}).first():
        raise UsageError(f"There is already a user {name!r}.")
    if not (2 <= len(name) <= 64 and all(c.isalnum() or c in "_.:@-" for c in name)):
        raise UsageError(f"{name!r} is not a user name: 2 to 64 letters, digits or _.:@-")
    return conn.execute(text('INSERT INTO sys."user" (name, display_name, kind, password_hash, area) VALUES (:n, :d, :k, :p, :a) RETURNING id'),
                        {"n": name, "d": display_name, "k": kind, "p": _hasher().hash(password) if password else None, "a": area}).scalar_one()


def set_password(conn: Connection, name: str, password: str) -> None:
    """Set a new password (at least 10 characters) and end the user's sessions."""
    if len(password) < 10:
        raise UsageError("A password needs at least 10 characters.")
    user = _user(conn, name)
    conn.execute(text('UPDATE sys."user" SET password_hash = :p WHERE id = :i'), {"p": _hasher().hash(password), "i": user["id"]})
    conn.execute(text("UPDATE sys.session SET revoked_at = now() WHERE user_id = :i AND revoked_at IS NULL"), {"i": user["id"]})


def _user(conn: Connection, name: str) -> dict[str, Any]:
    row = conn.execute(text('SELECT * FROM sys."user" WHERE name = :n'), {"n": name}).first()
    if row is None:
        raise NotFound(f"There is no user {name!r}.")
    return dict(row._mapping)


def roles_of(conn: Connection, name: str) -> list[str]:
    return list(conn.execute(text("""SELECT r.role FROM sys.user_role r JOIN sys."user" u ON u.id = r.user_id
        WHERE u.name = :n AND r.revoked_at IS NULL ORDER BY r.role"""), {"n": name}).scalars())


def grant(conn: Connection, name: str, role: str) -> None:
    """Give a user a role; refuses a second one of system admin, security officer and auditor (三员分立)."""
    known = set(conn.execute(text("SELECT code FROM list.role")).scalars())
    if role not in known:
        raise UsageError(f"There is no role {role!r}; the roles are {', '.join(sorted(known))}.")
    have = set(roles_of(conn, name))
    if role in have:
        return
    if role in APART and have & APART:
        raise NotPermitted(f"{name} is already {(have & APART).pop()}; system admin, security officer and auditor must be three people (三员分立).")
    conn.execute(text("INSERT INTO sys.user_role (user_id, role) VALUES (:u, :r)"), {"u": _user(conn, name)["id"], "r": role})


def revoke(conn: Connection, name: str, role: str) -> None:
    """Take a role from a user; the history of it stays."""
    conn.execute(text("UPDATE sys.user_role SET revoked_at = now() WHERE user_id = :u AND role = :r AND revoked_at IS NULL"),
                 {"u": _user(conn, name)["id"], "r": role})


def disable(conn: Connection, name: str) -> None:
    """Refuse a user from now on: sessions and keys end; the user is kept."""
    user = _user(conn, name)["id"]
    conn.execute(text('UPDATE sys."user" SET disabled_at = now() WHERE id = :u AND disabled_at IS NULL'), {"u": user})
    conn.execute(text("UPDATE sys.session SET revoked_at = now() WHERE user_id = :u AND revoked_at IS NULL"), {"u": user})
    conn.execute(text("UPDATE sys.api_key SET revoked_at = now() WHERE user_id = :u AND revoked_at IS NULL"), {"u": user})


def list_users(conn: Connection) -> list[dict[str, Any]]:
    """All users with their roles: name, display_name, kind, roles, created_at, disabled_at."""
    rows = conn.execute(text("""SELECT u.name, u.display_name, u.kind, u.area, u.created_at, u.disabled_at,
          coalesce(array_agg(r.role ORDER BY r.role) FILTER (WHERE r.role IS NOT NULL AND r.revoked_at IS NULL), '{}') AS roles
        FROM sys."user" u LEFT JOIN sys.user_role r ON r.user_id = u.id GROUP BY u.id ORDER BY u.name"""))
    return [dict(r._mapping) for r in rows]


def capabilities(conn: Connection, name: str, only_role: str | None = None) -> frozenset[str]:
    """What a user may do by their roles (or by one of them); empty for unknown and disabled users."""
    row = conn.execute(text('SELECT kind FROM sys."user" WHERE name = :n AND disabled_at IS NULL'), {"n": name}).first()
    if row is None:
        return frozenset()
    if row.kind in ("operator", "service"):
        return OPERATOR if row.kind == "operator" else SERVICE
    return frozenset(conn.execute(text("""SELECT c.capability FROM sys.user_role r JOIN sys."user" u ON u.id = r.user_id
        JOIN list.role_capability c ON c.role = r.role
        WHERE u.name = :n AND r.revoked_at IS NULL AND (CAST(:role AS text) IS NULL OR r.role = :role)"""), {"n": name, "role": only_role}).scalars())


def require(conn: Connection, name: str, capability: str) -> None:
    """``NotPermitted`` with one sentence unless the user has the capability."""
    if capability in capabilities(conn, name):
        return
    if not conn.execute(text('SELECT 1 FROM sys."user" WHERE name = :n AND disabled_at IS NULL'), {"n": name}).first():
        raise NotPermitted(f"{name!r} is not a user here (or is disabled): name one with --as, or have it made with 'rivergis user add'.")
    zh, en = conn.execute(text("SELECT zh, en FROM list.capability WHERE code = :c"), {"c": capability}).first() or (capability, capability)
    raise NotPermitted(f"{name} may not do this: it needs the capability {zh} ({en}), which a role with it would give.")


def acting(db: Database, name: str | None, capability: str, *, private: bool) -> str:
    """The name to write under, checked for a capability.

    Without a name, on the private cluster, it is the local operator (``local:<login>``), registered at first use.
    """
    if name is None and not private:
        raise NotPermitted("Say who acts with --as NAME (or RIVERGIS_ACTOR): this database is shared.")
    if name is None:
        name = "local:" + getpass.getuser()
        with db.write(name) as conn:
            if not conn.execute(text('SELECT 1 FROM sys."user" WHERE name = :n'), {"n": name}).first():
                add_user(conn, name, "本机操作员 local operator", kind="operator")
    with db.read() as conn:
        require(conn, name, capability)
    return name


def sign_in(db: Database, name: str, password: str) -> str:
    """A session token for a right password; ``NotSignedIn`` otherwise. Audited; after five failures the name must wait."""
    with db.write(name or "unknown") as conn:
        failures = conn.execute(text(f"SELECT count(*) FROM sys.audit WHERE actor = :n AND action = 'sign_in_failed' AND at > now() - interval '{WINDOW}'"),
                                {"n": name}).scalar_one()
        row = conn.execute(text('SELECT id, password_hash FROM sys."user" WHERE name = :n AND disabled_at IS NULL'), {"n": name}).first()
        right = _hasher().verify(password, row.password_hash if row and row.password_hash else _dummy_hash())
        if failures >= FAILURES:
            problem = "Too many failed sign-ins for this name: wait 15 minutes."
        elif not (row and row.password_hash and right):
            problem = "Name or password is wrong."
        else:
            token = secrets.token_urlsafe(32)
            conn.execute(text(f"INSERT INTO sys.session (token_hash, user_id, expires_at) VALUES (:h, :u, now() + interval '{SESSION_LIFE}')"),
                         {"h": _sha(token), "u": row.id})
            system.audit(conn, name, "sign_in", "session")
            return token
        system.audit(conn, name or "unknown", "sign_in_failed", "session")
    raise NotSignedIn(problem)


def of_session(conn: Connection, token: str) -> Actor | None:
    """Who a session token belongs to, if it is alive."""
    row = conn.execute(text("""SELECT u.name, u.display_name FROM sys.session s JOIN sys."user" u ON u.id = s.user_id
        WHERE s.token_hash = :h AND s.revoked_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL"""), {"h": _sha(token)}).first()
    return Actor(row.name, row.display_name, capabilities(conn, row.name)) if row else None


def sign_out(db: Database, token: str, actor: str) -> None:
    """End a session."""
    with db.write(actor) as conn:
        conn.execute(text("UPDATE sys.session SET revoked_at = now() WHERE token_hash = :h AND revoked_at IS NULL"), {"h": _sha(token)})
        system.audit(conn, actor, "sign_out", "session")


def make_key(conn: Connection, name: str, about: str, role: str | None = None, expires_at: datetime | None = None) -> str:
    """A new API key of a user, shown this once; it never has more rights than its user."""
    user = _user(conn, name)
    if role is not None and role not in roles_of(conn, name):
        raise UsageError(f"{name} does not have the role {role!r}; a key cannot have more than its user.")
    key = "rg_" + secrets.token_urlsafe(32)
    conn.execute(text("INSERT INTO sys.api_key (user_id, name, key_hash, role, expires_at) VALUES (:u, :n, :h, :r, :e)"),
                 {"u": user["id"], "n": about, "h": _sha(key), "r": role, "e": expires_at})
    return key


def of_key(conn: Connection, key: str) -> Actor | None:
    """Who an API key belongs to, with the rights it has, if it is alive."""
    row = conn.execute(text("""SELECT u.name, u.display_name, k.role FROM sys.api_key k JOIN sys."user" u ON u.id = k.user_id
        WHERE k.key_hash = :h AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AND u.disabled_at IS NULL"""), {"h": _sha(key)}).first()
    return Actor(row.name, row.display_name, capabilities(conn, row.name, row.role)) if row else None
