"""``rivergis db``: the private PostGIS cluster, upgrade, backup and restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.db.cluster import Cluster


@click.group("db")
def command() -> None:
    """The private PostGIS cluster (no TCP port, a socket only you can enter), or RIVERGIS_DATABASE_URL."""


@command.command()
@common.json_option
def start(as_json: bool) -> None:
    """Start the cluster (made at first use), create and upgrade the database.

    \b
    Example:
      rivergis db start
    """
    from rivergis.db import upgrade

    db = common.any_database()
    applied = upgrade.upgrade(db)
    common.emit(
        {"database": db.name, "running": True, "applied": applied},
        as_json,
        f"数据库已就绪 database {db.name} is ready" + (f"; applied {', '.join(applied)}" if applied else ""),
    )


@command.command()
@common.json_option
def stop(as_json: bool) -> None:
    """Stop the private cluster.

    \b
    Example:
      rivergis db stop
    """
    stopped = _cluster().stop()
    common.emit(
        {"stopped": stopped}, as_json, "数据库已停止 stopped" if stopped else "数据库未在运行 it was not running"
    )


@command.command()
@common.json_option
def status(as_json: bool) -> None:
    """Whether the private cluster runs, and where it lives.

    \b
    Example:
      rivergis db status --json
    """
    common.emit(_cluster().status(), as_json)


@command.command()
@common.json_option
def upgrade(as_json: bool) -> None:
    """Apply new migrations and rebuild views, functions and triggers. A second run changes nothing.

    \b
    Example:
      rivergis db upgrade
    """
    from rivergis.db import upgrade as upgrade_

    applied = upgrade_.upgrade(common.any_database())
    common.emit(
        {"applied": applied},
        as_json,
        "已是最新 nothing to do" if not applied else "已应用 applied: " + ", ".join(applied),
    )


@command.command()
@common.json_option
def check(as_json: bool) -> None:
    """Whether the guards of the database stand, and whether events of the ledger came through them (exit code 4 where not).

    Who owns the tables can put a guard aside and put it back: what leaves no mark in the database shows only in what left it
    before, such as evidence packs, reports that were sent, and backups.

    \b
    Example:
      rivergis db check
    """
    from rivergis.db import guards

    with common.any_database().read() as conn:
        found = {"guards": guards.aside(conn), "events": guards.marks(conn)}
    told = [*found["guards"], *found["events"]]
    common.emit(
        found, as_json, "\n".join(told) or "护栏完整,事件无异常 the guards stand, and all events came through them"
    )
    if told:
        raise SystemExit(common.EXIT_PARTLY)


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@common.actor_option
@common.json_option
def backup(file: Path, actor: str | None, as_json: bool) -> None:
    """Write the database and its kept files (raw tracks, images, evidence) into one FILE.

    \b
    Example:
      rivergis db backup rivergis-2026-05-20.tar
    """
    from rivergis.db import backup as backup_

    db, s = common.database(), common.settings()
    common.acting(db, actor, "manage_database")
    made = backup_.backup(db, file, s.store_dir)
    common.emit(made, as_json, f"已备份 backed up to {file} ({made.bytes / 1e6:.1f} MB, {made.files} kept files)")


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--database",
    "name",
    default=None,
    help="Database to restore into (default: RIVERGIS_DATABASE); it must be empty or absent.",
)
@common.json_option
def restore(file: Path, name: str | None, as_json: bool) -> None:
    """Restore a backup FILE into an empty database, then upgrade it.

    \b
    Example:
      rivergis db restore rivergis-2026-05-20.tar --database rivergis_copy
    """
    from dataclasses import replace

    from rivergis.db import backup as backup_
    from rivergis.db.connect import open_database

    s = common.settings()
    s = replace(s, database=name or s.database)
    db = open_database(s.database_url, s.data_dir, s.database)
    done = backup_.restore(db, file, s.store_dir)
    common.emit(done, as_json, f"已恢复到 restored into {db.name} ({done.files} kept files)")


def _cluster() -> Cluster:
    from rivergis.db.cluster import Cluster
    from rivergis.errors import UsageError

    s = common.settings()
    if s.database_url:
        raise UsageError(
            "RIVERGIS_DATABASE_URL names a server of its own: start, stop and status are about the private cluster only."
        )
    return Cluster(s.data_dir)
