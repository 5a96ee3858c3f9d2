"""``rivergis map responsibility | versions | zones | card``: maps for a meeting as single files, with their lists under them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rivergis.maps.sheets import Sheet
    from rivergis.rules import RuleView

DAY = common.CivilDay()
OUT = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="HTML file to write.")
ON = click.option("--on", type=DAY, default=None, help="Civil day as of which it is drawn (default: today).")
NAMESPACE = click.option("--namespace", default=None, help="Who gave the code, where several did.")
RIVER = click.option("--river", default=None, metavar="CODE", help="Only this river (default: all).")
LEVEL = click.Choice(["province", "city", "county", "town", "village"])


def write(out: Path, as_json: bool, draw: Callable[[Connection, Sheet], str]) -> None:
    """Draw in one read-only transaction and write the file whole or not at all."""
    from rivergis.maps.sheets import Sheet

    with common.database().read() as conn:
        html = draw(conn, Sheet("inline", common.settings().store_dir))
    common.write_page(out, html)
    common.emit({"file": str(out), "bytes": len(html.encode())}, as_json, f"{out} ({len(html.encode()) / 1024:.0f} kB)")


def day_of(told: datetime | None) -> date | None:
    """The civil day of an option, if it was given."""
    return told.date() if told else None


def _rules(conn: Connection, on: date | None) -> RuleView:
    """The rules of the place that the database is about."""
    from rivergis import rules
    from rivergis.maps import features
    from rivergis.river import store

    at = features.when(conn, on)
    home = store.home(conn, at.on, at.known_at) or rules.NATIONAL
    return rules.load(common.settings().rules_dir).at(rules.path_of(home), at.on)


@click.command()
@ON
@click.option("--level", type=LEVEL, default=None, help="Only chiefs of this level (default: all that any duty names).")
@click.option("--river", default=None, metavar="CODE", help="Only this river, by code or name (default: all).")
@OUT
@common.json_option
def responsibility(on: datetime | None, level: str | None, river: str | None, out: Path, as_json: bool) -> None:
    """每米一长: who answers for each metre of each bank, gaps and doubles shown and listed with their chainage.

    \b
    Example:
      rivergis map responsibility --on 2026-05-20 --level village --out who.html
    """
    from rivergis.reports import responsibility_sheet

    asked = responsibility_sheet.Asked(day_of(on), level, river)

    def draw(conn: Connection, sheet: Sheet) -> str:
        shortest_m = _rules(conn, asked.on).number("river.register.min_stretch")
        return responsibility_sheet.page(conn, sheet, asked, shortest_m)

    write(out, as_json, draw)


@click.command()
@click.option("--before", type=DAY, default=None, help="Earlier day (default: the one before the last change).")
@click.option("--after", type=DAY, default=None, help="Later day (default: today).")
@RIVER
@NAMESPACE
@OUT
@common.json_option
def versions(out: Path, as_json: bool, **o: Any) -> None:
    """界线版本对比: the boundary of two days left and right of a slider, and what changed between them listed.

    \b
    Example:
      rivergis map versions --before 2023-12-31 --after 2026-05-20 --out lines.html
    """
    from rivergis.boundary.redraw import make
    from rivergis.reports import version_sheet

    asked = version_sheet.Asked(day_of(o["before"]), day_of(o["after"]), o["river"], o["namespace"])
    write(
        out,
        as_json,
        lambda conn, sheet: version_sheet.page(conn, sheet, asked, make.limits_of(_rules(conn, asked.after)).noise_m),
    )


@click.command()
@ON
@OUT
@common.json_option
def zones(on: datetime | None, out: Path, as_json: bool) -> None:
    """水源保护区与排污口: outfalls by the class of zone they lie in, with the clause, and every zone with what lies in it.

    \b
    Example:
      rivergis map zones --on 2026-05-20 --out zones.html
    """
    from rivergis.reports import zone_sheet

    write(out, as_json, lambda conn, sheet: zone_sheet.page(conn, sheet, _rules(conn, day_of(on)), day_of(on)))


@click.command()
@click.argument("kind", type=click.Choice(["river", "lead"]))
@click.argument("code")
@NAMESPACE
@OUT
@common.json_option
def card(kind: str, code: str, namespace: str | None, out: Path, as_json: bool) -> None:
    """地图卡片: a river by its CODE or a lead by its id, on a page of a few kilobytes that opens on any phone; no names of people.

    \b
    Example:
      rivergis map card river YXH --out yxh_card.html
    """
    from rivergis.reports import cards

    def draw(conn: Connection, _: Sheet) -> str:
        made = cards.river(conn, code, None, namespace) if kind == "river" else cards.lead(conn, code)
        return made.html(served=False)

    write(out, as_json, draw)


def add_to(group: click.Group) -> None:
    """Make them verbs of ``rivergis map``; what patrols saw is drawn by the command that also lists it."""
    from rivergis.cli import map_publish, patrol_reports

    for verb in (responsibility, versions, zones, card, patrol_reports.coverage, map_publish.publish):
        group.add_command(verb)
