"""``rivergis user``: users, their roles, passwords and keys."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import click

from rivergis.cli import common, user_log


@click.group("user")
def command() -> None:
    """Users, roles and keys (用户、角色与密钥).

    \b
    Example:
      rivergis user add lihua --display "李华" --role inspector
      rivergis user key lihua --name qgis --role viewer
    """


for _command in (user_log.area, user_log.keys, user_log.log, user_log.sessions):
    command.add_command(_command)

AREA = click.option(
    "--area", default="", metavar="ADCODE", help="Only things of this administrative unit (default: everywhere)."
)
PASSWORD = click.option("--password-stdin", is_flag=True, help="Read the password from standard input (one line).")


def _password(from_stdin: bool) -> tuple[str, bool]:
    """The password given, or a new one and True: it is printed once."""
    from rivergis.db import people

    if not from_stdin:
        return people.new_password(), True
    return sys.stdin.readline().rstrip("\r\n"), False


def _done(as_json: bool, text: str, **result: object) -> None:
    common.emit({k: v for k, v in result.items() if v is not None}, as_json, text)


@command.command()
@click.argument("name")
@click.option("--display", required=True, help="Name shown to others.")
@click.option("--role", "roles", multiple=True, help="Role to grant; may be given more than once.")
@AREA
@click.option("--service", is_flag=True, help="A program that imports and runs the night; it signs in with keys only.")
@PASSWORD
@common.actor_option
@common.json_option
def add(
    name: str,
    display: str,
    roles: tuple[str, ...],
    area: str,
    service: bool,
    password_stdin: bool,
    actor: str | None,
    as_json: bool,
) -> None:
    """Make a user. Without --password-stdin a password is made and printed once.

    \b
    Example:
      rivergis user add lihua --display "李华" --role inspector --area 500113
      rivergis user add nightly --display "夜间服务" --service
    """
    from rivergis.db import people

    db = common.database()
    who = common.acting(db, actor, "manage_users")
    password, made = (None, False) if service else _password(password_stdin)
    with db.write(who) as conn:
        people.add_user(conn, name, display, kind="service" if service else "person", password=password, area=area)
        for role in roles:
            people.grant(conn, name, role, by=who)
    shown = password if made else None
    line = f"{name} · {', '.join(roles) or ('night_service' if service else 'no role yet')}"
    _done(
        as_json, line + (f"\npassword (shown once): {shown}" if shown else ""), name=name, roles=roles, password=shown
    )


@command.command("list")
@common.actor_option
@common.json_option
def list_(actor: str | None, as_json: bool) -> None:
    """List users with their roles.

    \b
    Example:
      rivergis user list
    """
    from rivergis.db import people

    db = common.database()
    common.acting(db, actor, "manage_users")
    with db.read() as conn:
        rows = people.list_users(conn)
    if as_json:
        common.emit(rows, True)
        return
    common.table(
        ("用户 name", "姓名 display name", "类别 kind", "行政区 area", "角色 roles", "停用 disabled"),
        [
            (r["name"], r["display_name"], r["kind"], r["area"], ", ".join(r["roles"]), r["disabled_at"] or "")
            for r in rows
        ],
    )


@command.command()
@click.argument("name")
@click.argument("role")
@common.actor_option
@common.json_option
def grant(name: str, role: str, actor: str | None, as_json: bool) -> None:
    """Give a user a role. System admin, security officer and auditor are three people (三员分立).

    \b
    Example:
      rivergis user grant lihua reviewer
    """
    from rivergis.db import people

    db = common.database()
    who = common.acting(db, actor, "manage_users")
    with db.write(who) as conn:
        people.grant(conn, name, role, by=who)
    _done(as_json, f"{name} · {role}", name=name, granted=role)


@command.command()
@click.argument("name")
@click.argument("role")
@common.actor_option
@common.json_option
def revoke(name: str, role: str, actor: str | None, as_json: bool) -> None:
    """Take a role from a user.

    \b
    Example:
      rivergis user revoke lihua reviewer
    """
    from rivergis.db import people

    db = common.database()
    with db.write(common.acting(db, actor, "manage_users")) as conn:
        people.revoke(conn, name, role)
    _done(as_json, f"{name} · no longer {role}", name=name, revoked=role)


@command.command()
@click.argument("name")
@common.actor_option
@common.json_option
def disable(name: str, actor: str | None, as_json: bool) -> None:
    """Refuse a user from now on; sessions and keys end, what the user did stays.

    \b
    Example:
      rivergis user disable lihua
    """
    from rivergis.db import people

    db = common.database()
    with db.write(common.acting(db, actor, "manage_users")) as conn:
        people.disable(conn, name)
    _done(as_json, f"{name} · disabled", name=name, disabled=True)


@command.command()
@click.argument("name")
@PASSWORD
@common.actor_option
@common.json_option
def password(name: str, password_stdin: bool, actor: str | None, as_json: bool) -> None:
    """Set a new password; the user's sessions end.

    \b
    Example:
      rivergis user password lihua
    """
    from rivergis.db import people

    db = common.database()
    who = common.acting(db, actor, "manage_users")
    new, made = _password(password_stdin)
    with db.write(who) as conn:
        people.set_password(conn, name, new)
    shown = new if made else None
    _done(as_json, f"{name}" + (f"\npassword (shown once): {shown}" if shown else ""), name=name, password=shown)


@command.command()
@click.argument("name")
@click.option("--name", "about", required=True, help="What the key is for.")
@click.option("--role", default=None, help="Narrow the key to one role of the user.")
@AREA
@click.option("--days", type=click.IntRange(1, 3650), default=None, help="Days until it ends (default: it does not).")
@click.option("--revoke", "ends", is_flag=True, help="End the key of that name instead of making one.")
@common.actor_option
@common.json_option
def key(
    name: str,
    about: str,
    role: str | None,
    area: str,
    days: int | None,
    ends: bool,
    actor: str | None,
    as_json: bool,
) -> None:
    """Make an API key (Authorization: Bearer KEY), printed once; it never has more rights than its user.

    \b
    Example:
      rivergis user key lihua --name qgis --role viewer --area 500113 --days 90
      rivergis user key lihua --name qgis --revoke
    """
    from rivergis.db import access

    db = common.database()
    with db.write(common.acting(db, actor, "manage_keys")) as conn:
        if ends:
            count = access.revoke_key(conn, name, about)
            _done(as_json, f"{name} · {about} · ended", name=name, ended=count)
            return
        until = datetime.now(UTC) + timedelta(days=days) if days else None
        made = access.make_key(conn, name, about, role, until, area)
    _done(as_json, f"{name} · {about}\nkey (shown once): {made}", name=name, key=made, role=role)
