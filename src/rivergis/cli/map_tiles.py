"""``rivergis map tiles``: what the services draw from, made anew; and tiles as files."""

from __future__ import annotations

import click

from rivergis.cli import common, map_tiles_export


@click.group("tiles")
def command() -> None:
    """Vector tiles (矢量瓦片): made anew from the facts, or written to a file.

    \b
    Example:
      rivergis map tiles rebuild
      rivergis map tiles export county.pmtiles --layers reach,boundary_line --district 500199
    """


@command.command()
@click.option("--layer", "layers", multiple=True, metavar="COLLECTION", help="Only this one; may stand several times.")
@common.actor_option
@common.json_option
def rebuild(layers: tuple[str, ...], actor: str | None, as_json: bool) -> None:
    """Make the shapes and counts that maps and services draw from anew (重建瓦片数据); edits do this by themselves.

    A restored backup and an upgrade are followed by it; it changes no fact, and the service may run meanwhile. Needs the
    capability manage_database.

    \b
    Example:
      rivergis map tiles rebuild
      rivergis map tiles rebuild --layer reach --layer river
    """
    from rivergis.db import served

    db = common.database()
    done = served.rebuild(db, common.acting(db, actor, "manage_database"), layers or None)
    if as_json:
        common.emit(done, True)
    else:
        common.table(("图层 collection", "图形 shapes"), done.items())


command.add_command(map_tiles_export.export)
