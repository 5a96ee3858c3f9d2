"""``rivergis map``: maps as single files that open without server or network."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common, map_pocket

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rivergis.maps.sheets import Sheet

DAY = common.CivilDay()
OUT = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="HTML file to write.")
ON = click.option("--on", type=DAY, default=None, help="Civil day as of which it is drawn (default: today).")


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

    _write(out, as_json, lambda conn, sheet: sheets.county(conn, sheet, on.date() if on else None))


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

    day = on.date() if on else None
    _write(out, as_json, lambda conn, sheet: river_file.page(conn, sheet, code, day, namespace))


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

    _write(out, as_json, lambda conn, sheet: sheets.night(conn, sheet, night_date.date()))


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

    _write(out, as_json, draw)
    with db.write(who) as conn:
        head = store.head_starting(conn, track)
        system.audit(conn, who, "export", f"track:{head}")
        store.saw(conn, head, who, "map patrol")


def _write(out: Path, as_json: bool, draw: Callable[[Any, Any], str]) -> None:
    """Draw in one read-only transaction and write the file whole or not at all."""
    from rivergis.maps.sheets import Sheet

    with common.database().read() as conn:
        html = draw(conn, Sheet("inline", common.settings().store_dir))
    common.write_page(out, html)
    common.emit({"file": str(out), "bytes": len(html.encode())}, as_json, f"{out} ({len(html.encode()) / 1024:.0f} kB)")


for _command in map_pocket.COMMANDS:
    command.add_command(_command)
