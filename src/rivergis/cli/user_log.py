"""``rivergis user log|sessions|keys``: who saw what, where somebody is signed in, and which keys there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from rivergis.cli import common


@click.command("log")
@click.option("--user", default=None, help="Only this account.")
@click.option("--what", default=None, help="Part of the path or collection, such as /maps/patrol.")
@click.option("--action", type=click.Choice(["view", "export", "write", "refused"]), default=None)
@click.option("--from", "first", type=common.CivilDay(), default=None, help="First civil day (default: today).")
@click.option("--to", "last", type=common.CivilDay(), default=None, help="Last civil day (default: today).")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=200, show_default=True, help="Rows, the latest first."
)
@click.option(
    "--purge", is_flag=True, help="Remove rows older than the rule service.log.retention instead of showing any."
)
@common.actor_option
@common.json_option
def log(
    user: str | None,
    what: str | None,
    action: str | None,
    first: datetime | None,
    last: datetime | None,
    limit: int,
    purge: bool,
    actor: str | None,
    as_json: bool,
) -> None:
    """Who saw or took what, when and how much (访问日志); kept at least six months.

    Showing it takes the capability read_audit (auditor), removing what retention has passed manage_database.

    \b
    Example:
      rivergis user log --as audit-wu --user lihua --from 2026-05-01
      rivergis user log --purge
    """
    from rivergis.db import access_log

    db = common.database()
    if purge:
        keep = _kept_days()
        gone = access_log.purge(db, common.acting(db, actor, "manage_database"), keep)
        common.emit({"removed": gone, "kept_days": keep}, as_json, f"{gone} rows removed; kept {keep} days")
        return
    common.acting(db, actor, "read_audit")
    since, until = _span(first, last)
    with db.read() as conn:
        rows = access_log.asked(conn, since, until, actor=user, what=what, action=action, limit=limit)
    if as_json:
        common.emit(rows, True)
        return
    heads = (
        "时间 minute",
        "用户 user",
        "行政区 area",
        "地址 address",
        "动作 action",
        "对象 what",
        "次数 requests",
        "条数 things",
    )
    common.table(
        heads,
        [
            (_local(r["at"]), *(r[k] for k in ("actor", "area", "address", "action", "what", "requests", "things")))
            for r in rows
        ],
    )


def _kept_days() -> int:
    from datetime import date

    from rivergis import rules

    view = rules.load(common.settings().rules_dir).at((rules.NATIONAL,), date.today())
    return int(view.number("service.log.retention"))


def _span(first: datetime | None, last: datetime | None) -> tuple[datetime, datetime]:
    """Civil days of Asia/Shanghai as moments, the last one included."""
    today = datetime.now(common.SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = (first or last or today).replace(tzinfo=common.SHANGHAI)
    end = (last or today).replace(tzinfo=common.SHANGHAI) + timedelta(days=1)
    return begin.astimezone(UTC), end.astimezone(UTC)


def _local(moment: datetime | None) -> str:
    return f"{moment.astimezone(common.SHANGHAI):%Y-%m-%d %H:%M}" if moment else ""


@click.command("sessions")
@click.argument("name")
@click.option("--end", "ends", is_flag=True, help="End all of them.")
@common.actor_option
@common.json_option
def sessions(name: str, ends: bool, actor: str | None, as_json: bool) -> None:
    """Where a user is signed in; --end signs the user out everywhere.

    \b
    Example:
      rivergis user sessions lihua --end
    """
    from rivergis.db import access, people

    db = common.database()
    with db.write(common.acting(db, actor, "manage_users")) as conn:
        people.area_of(conn, name)
        rows = access.sessions(conn, name)
        if ends:
            count = access.end_sessions(conn, name)
            common.emit({"name": name, "ended": count}, as_json, f"{name} · {count} ended")
            return
    if as_json:
        common.emit(rows, True)
        return
    heads = ("登录 signed in", "最近使用 last used", "到期 ends", "地址 address", "浏览器 browser")
    common.table(
        heads,
        [
            (_local(r["created_at"]), _local(r["seen_at"]), _local(r["expires_at"]), r["address"], r["agent"])
            for r in rows
        ],
    )


@click.command("keys")
@click.argument("name")
@common.actor_option
@common.json_option
def keys(name: str, actor: str | None, as_json: bool) -> None:
    """Keys of a user that are alive, and when each was last used.

    \b
    Example:
      rivergis user keys lihua
    """
    from rivergis.db import access, people

    db = common.database()
    common.acting(db, actor, "manage_keys")
    with db.read() as conn:
        people.area_of(conn, name)
        rows = access.keys(conn, name)
    if as_json:
        common.emit(rows, True)
        return
    heads = ("用途 for", "角色 role", "行政区 area", "发放 made", "到期 ends", "最近使用 last used")
    common.table(
        heads,
        [
            (
                r["name"],
                r["role"] or "",
                r["area"],
                _local(r["created_at"]),
                _local(r["expires_at"]),
                _local(r["seen_at"]),
            )
            for r in rows
        ],
    )


@click.command("area")
@click.argument("name")
@click.argument("adcode")
@common.actor_option
@common.json_option
def area(name: str, adcode: str, actor: str | None, as_json: bool) -> None:
    """Hold a user to one administrative unit from now on; ADCODE all = everywhere.

    \b
    Example:
      rivergis user area lihua 500113
      rivergis user area lihua all
    """
    from rivergis.db import people

    db = common.database()
    with db.write(common.acting(db, actor, "manage_users")) as conn:
        kept = people.set_area(conn, name, "" if adcode == "all" else adcode)
    common.emit({"name": name, "area": kept}, as_json, f"{name} · {kept or '全部 everywhere'}")
