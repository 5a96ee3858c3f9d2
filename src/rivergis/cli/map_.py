"""``rivergis map``: maps as single files that open without server or network."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rivergis.cli import common, map_pocket, map_sheets, map_tiles

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rivergis.maps.sheets import Sheet

DAY, OUT, ON = map_sheets.DAY, map_sheets.OUT, map_sheets.ON


@click.group("map")
def command() -> None:
    """Folium maps (地图) as single files: scripts, styles and pictures are inside.

    \b
    Example:
      rivergis map county --out county.html
      rivergis map night 2026-05-20 --out night.html
    """


@command.command()
@ON
@OUT
@common.json_option
def county(on: datetime | None, out: Path, as_json: bool) -> None:
    """The county at a glance: every layer in force and the leads that stand.

    \b
    Example:
      rivergis map county --out county.html
    """
    from rivergis.maps import sheets

    map_sheets.write(out, as_json, lambda conn, sheet: sheets.county(conn, sheet, map_sheets.day_of(on)))


@command.command()
@click.argument("code")
@click.option("--namespace", default=None, help="Who gave the code, where several did.")
@ON
@OUT
@common.json_option
def river(code: str, namespace: str | None, on: datetime | None, out: Path, as_json: bool) -> None:
    """一河一档: one river by its CODE, on the map and in words, as one page.

    \b
    Example:
      rivergis map river YXH --out yxh.html
    """
    from rivergis.reports import river_file

    day = map_sheets.day_of(on)
    map_sheets.write(out, as_json, lambda conn, sheet: river_file.page(conn, sheet, code, day, namespace))


@command.command()
@click.argument("night_date", metavar="DATE", type=DAY)
@OUT
@common.json_option
def night(night_date: datetime, out: Path, as_json: bool) -> None:
    """The leads of a night, and the objects it did not tell.

    \b
    Example:
      rivergis map night 2026-05-20 --out night.html
    """
    from rivergis.maps import sheets

    map_sheets.write(out, as_json, lambda conn, sheet: sheets.night(conn, sheet, night_date.date()))


@command.command()
@click.argument("track")
@OUT
@common.actor_option
@common.json_option
def patrol(track: str, out: Path, actor: str | None, as_json: bool) -> None:
    """One patrol by the id of its TRACK (personal data: needs the capability view_tracks, and is in the audit).

    \b
    Example:
      rivergis map patrol 39e4fee8-ba4f-5c9e-b3fd-a699cb782d41 --as lihua --out patrol.html
    """
    from rivergis import rules
    from rivergis.db import people, system
    from rivergis.patrol import store
    from rivergis.reports import patrol_page

    db = common.database()
    who = common.acting(db, actor, "view_tracks")
    book = rules.load(common.settings().rules_dir)

    def draw(conn: Connection, _: Sheet) -> str:
        head = store.head_starting(conn, track)
        review = patrol_page.may_review(conn, head, who, people.capabilities(conn, who))
        return patrol_page.page(conn, book, head, review=review)

    map_sheets.write(out, as_json, draw)
    with db.write(who) as conn:
        head = store.head_starting(conn, track)
        system.audit(conn, who, "export", f"track:{head}")
        store.saw(conn, head, who, "map patrol")


map_sheets.add_to(command)


for _command in map_pocket.COMMANDS:
    command.add_command(_command)
command.add_command(map_tiles.command)
