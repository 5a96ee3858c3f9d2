"""Who may act: users, the roles they hold, and what those allow. No ladder; 三员分立 is kept here.

Every function works in the caller's transaction, so that a user and the roles are made together or not at all.
"""

from __future__ import annotations

import getpass
import re
import secrets
import uuid
from functools import lru_cache
from typing import Any

from pwdlib import PasswordHash
from sqlalchemy import Connection, text

from rivergis import words
from rivergis.db.connect import Database
from rivergis.errors import NotFound, NotPermitted, UsageError

# 三员分立: nobody holds two of these
APART = frozenset({"system_admin", "security_officer", "auditor"})
# a service and the local operator hold this role by what they are; it is not granted and people cannot hold it
ROLE_OF_KIND = {"service": "night_service", "operator": "local_operator"}
MIN_PASSWORD = 10


@lru_cache(maxsize=1)
def hasher() -> PasswordHash:
    """Argon2 with the parameters pwdlib recommends."""
    return PasswordHash.recommended()


def new_password() -> str:
    """A password for a person to type: 96 random bits in 16 characters."""
    return secrets.token_urlsafe(12)


def area_code(adcode: str) -> str:
    """An area as accounts keep it: the adcode without the zeros of the levels below ('500100' is '5001'); '' = everywhere.

    Raises ``UsageError`` for what is no adcode of a province, city, county, town or village.
    """
    if not re.fullmatch(r"([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})?", adcode):
        raise UsageError(f"{adcode[:20]!r} is no adcode: a unit has 2, 4, 6, 9 or 12 digits, such as 500113.")
    for length, zeros in ((2, "0{4,10}"), (4, "0{2,8}"), (6, "0{3,6}"), (9, "0{3}")):
        if len(adcode) > length and re.fullmatch(zeros, adcode[length:]):
            return adcode[:length]
    return adcode


def area_of(conn: Connection, name: str) -> str:
    """The area that a user is held to (adcode prefix), '' = everywhere; ``NotFound`` where there is no such user."""
    area = conn.execute(text('SELECT area FROM sys."user" WHERE name = :n'), {"n": name}).scalar()
    if area is None:
        raise NotFound(f"There is no user {name!r}.")
    return str(area)


def set_area(conn: Connection, name: str, area: str) -> str:
    """Hold a user to an area from now on; returns it as it is kept. Keys that reach outside of it open nothing any more."""
    kept = area_code(area)
    conn.execute(text('UPDATE sys."user" SET area = :a WHERE id = :u'), {"a": kept, "u": _user(conn, name)["id"]})
    return kept


def add_user(
    conn: Connection, name: str, display_name: str, *, kind: str = "person", password: str | None = None, area: str = ""
) -> uuid.UUID:
    """Make a user; ``UsageError`` when the name is taken or not of letters, digits and ``_.:@-``.

    Without a password nobody can sign in as the user; keys still work.
    """
    if not (2 <= len(name) <= 64 and all(c.isalnum() or c in "_.:@-" for c in name)):
        raise UsageError(f"{name[:64]!r} is not a user name: 2 to 64 letters, digits or _.:@-")
    user = conn.execute(
        text(
            'INSERT INTO sys."user" (name, display_name, kind, password_hash, area) VALUES (:n, :d, :k, :p, :a)'
            " ON CONFLICT (name) DO NOTHING RETURNING id"
        ),
        {
            "n": name,
            "d": display_name,
            "k": kind,
            "p": _hashed(name, password) if password is not None else None,
            "a": area_code(area),
        },
    ).scalar()
    if user is None:
        raise UsageError(f"There is already a user {name!r}: choose another name.")
    return uuid.UUID(str(user))


def _hashed(name: str, password: str) -> str:
    if len(password) < MIN_PASSWORD or password.lower() == name.lower():
        raise UsageError(f"A password needs at least {MIN_PASSWORD} characters and is not the user's name.")
    return hasher().hash(password)


def set_password(conn: Connection, name: str, password: str) -> None:
    """Set a new password and end the user's sessions."""
    user = _user(conn, name)["id"]
    conn.execute(
        text('UPDATE sys."user" SET password_hash = :p WHERE id = :u'), {"p": _hashed(name, password), "u": user}
    )
    _end(conn, user, "session")


def disable(conn: Connection, name: str) -> None:
    """Refuse a user from now on: sessions and keys end; the user is kept."""
    user = _user(conn, name)["id"]
    conn.execute(text('UPDATE sys."user" SET disabled_at = now() WHERE id = :u AND disabled_at IS NULL'), {"u": user})
    _end(conn, user, "session")
    _end(conn, user, "api_key")


def _end(conn: Connection, user: uuid.UUID, table: str) -> None:
    conn.execute(
        text(f"UPDATE sys.{table} SET revoked_at = now() WHERE user_id = :u AND revoked_at IS NULL"), {"u": user}
    )


def _user(conn: Connection, name: str) -> dict[str, Any]:
    """The user's row, held until the transaction ends, so that two grants at once cannot pass each other."""
    row = conn.execute(text('SELECT * FROM sys."user" WHERE name = :n FOR UPDATE'), {"n": name}).first()
    if row is None:
        raise NotFound(f"There is no user {name!r}.")
    return dict(row._mapping)


def grant(conn: Connection, name: str, role: str, *, by: str | None = None) -> None:
    """Give a person a role; again changes nothing. ``by``: who grants it, and never to themselves.

    Refuses a second one of system admin, security officer and auditor (三员分立), and roles that are not for people.
    """
    for_people = set(conn.execute(text("SELECT code FROM list.role")).scalars()) - set(ROLE_OF_KIND.values())
    if role not in for_people:
        raise UsageError(f"There is no role {role!r} to give; the roles are {', '.join(sorted(for_people))}.")
    user = _user(conn, name)
    if user["kind"] != "person":
        raise UsageError(f"{name} is a {user['kind']}: its rights are fixed, roles are for people.")
    if by == name:
        raise NotPermitted(f"{name} cannot grant a role to themselves: another person does.")
    have = set(roles_of(conn, name))
    if role in have:
        return
    if role in APART and have & APART:
        other = words.both("role." + (have & APART).pop())
        raise NotPermitted(
            f"{name} is already {other}: system admin, security officer and auditor are three people (三员分立)."
        )
    conn.execute(text("INSERT INTO sys.user_role (user_id, role) VALUES (:u, :r)"), {"u": user["id"], "r": role})


def revoke(conn: Connection, name: str, role: str) -> None:
    """Take a role from a user; the history of it stays. ``NotFound`` when the user does not hold it."""
    done = conn.execute(
        text("UPDATE sys.user_role SET revoked_at = now() WHERE user_id = :u AND role = :r AND revoked_at IS NULL"),
        {"u": _user(conn, name)["id"], "r": role},
    ).rowcount
    if not done:
        raise NotFound(f"{name} does not hold the role {role!r}.")


def roles_of(conn: Connection, name: str) -> list[str]:
    """Roles a user holds now."""
    rows = conn.execute(
        text("""SELECT r.role FROM sys.user_role r JOIN sys."user" u ON u.id = r.user_id
        WHERE u.name = :n AND r.revoked_at IS NULL ORDER BY r.role"""),
        {"n": name},
    )
    return list(rows.scalars())


def list_users(conn: Connection) -> list[dict[str, Any]]:
    """All users with their roles: name, display_name, kind, area, roles, created_at, disabled_at."""
    rows = conn.execute(
        text("""SELECT u.name, u.display_name, u.kind, u.area, u.created_at, u.disabled_at,
          array(SELECT r.role FROM sys.user_role r WHERE r.user_id = u.id AND r.revoked_at IS NULL ORDER BY 1) AS roles
        FROM sys."user" u ORDER BY u.name""")
    )
    return [dict(r._mapping) for r in rows]


def capabilities(conn: Connection, name: str, only_role: str | None = None) -> frozenset[str]:
    """What a user may do by the roles held now (or by one of them); empty for unknown and disabled users."""
    kind = _kind(conn, name)
    if kind is None:
        return frozenset()
    held = [ROLE_OF_KIND[kind]] if kind in ROLE_OF_KIND else roles_of(conn, name)
    if only_role is not None:
        held = [r for r in held if r == only_role]
    rows = conn.execute(
        text("SELECT DISTINCT capability FROM list.role_capability WHERE role = ANY(:roles)"), {"roles": held}
    )
    return frozenset(rows.scalars())


def _kind(conn: Connection, name: str) -> str | None:
    """Kind of a user who is not disabled."""
    found = text('SELECT kind FROM sys."user" WHERE name = :n AND disabled_at IS NULL')
    kind: str | None = conn.execute(found, {"n": name}).scalar()
    return kind


def require(conn: Connection, name: str, capability: str) -> None:
    """``NotPermitted`` with one sentence unless the user has the capability."""
    if capability in capabilities(conn, name):
        return
    if _kind(conn, name) is None:
        raise NotPermitted(
            f"{name!r} is not a user here (or is disabled): name one with --as, or make it with 'rivergis user add'."
        )
    needed = f"{words.both('capability.' + capability)} ({capability})"
    raise NotPermitted(f"{name} may not do this: it needs a role with the capability {needed}.")


def acting(db: Database, name: str | None, capability: str, *, private: bool) -> str:
    """The name to write under, checked for a capability.

    Without a name, on the private cluster, it is the local operator (``local:<login>``), registered at first use. On
    a shared server that has nobody yet to manage users, whoever holds its address makes the first one.
    """
    if name is None and not private:
        if capability == "manage_users" and _nobody_manages(db):
            return "setup:" + getpass.getuser()
        raise NotPermitted("Say who acts with --as NAME (or RIVERGIS_ACTOR): this database is shared.")
    if name is None:
        name = "local:" + getpass.getuser()
        _register_operator(db, name)
    with db.read() as conn:
        require(conn, name, capability)
    return name


def _register_operator(db: Database, name: str) -> None:
    with db.read() as conn:
        known = conn.execute(text('SELECT 1 FROM sys."user" WHERE name = :n'), {"n": name}).first()
    if known is None:
        with db.write(name) as conn:
            conn.execute(
                text(
                    """INSERT INTO sys."user" (name, display_name, kind) VALUES (:n, :d, 'operator')
                    ON CONFLICT (name) DO NOTHING"""
                ),
                {"n": name, "d": words.both("role.local_operator")},
            )


def _nobody_manages(db: Database) -> bool:
    with db.read() as conn:
        rows = conn.execute(
            text("""SELECT 1 FROM sys.user_role r JOIN sys."user" u ON u.id = r.user_id
            JOIN list.role_capability c ON c.role = r.role AND c.capability = 'manage_users'
            WHERE r.revoked_at IS NULL AND u.disabled_at IS NULL LIMIT 1""")
        )
        return rows.first() is None
