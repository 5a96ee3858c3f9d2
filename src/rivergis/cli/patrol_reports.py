"""``rivergis patrol bulletin | page | coverage | sweep``: what patrols come to, for people to read and sign."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.reports.patrol_paper import Paper

F = TypeVar("F", bound=Callable[..., Any])
DAY = click.DateTime(["%Y-%m-%d"])
UNIT = click.option(
    "--unit", metavar="ADCODE", default=None, help="Only this county, township or village and what is below it."
)
OUT = click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="Where to write; the ending says the form."
)
KNOWN_AT = click.option(
    "--known-at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]),
    default=None,
    help="As known then (Beijing time): replays a paper with the moment that stands on it. Default: now.",
)


def span_options(command: F) -> F:
    """Add ``--from`` and ``--to``: first and last civil day, both inclusive."""
    first = click.option("--from", "first", type=DAY, required=True, help="First day, YYYY-MM-DD.")
    last = click.option("--to", "last", type=DAY, required=True, help="Last day, YYYY-MM-DD; belongs to the period.")
    return first(last(command))


def _moment(told: datetime | None) -> datetime:
    """The moment asked for in Beijing time, else the present one."""
    from zoneinfo import ZoneInfo

    from rivergis.reports import patrol_bulletin

    return patrol_bulletin.now() if told is None else told.replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def _days(first: datetime, last: datetime) -> tuple[date, date]:
    from rivergis.errors import UsageError

    if last < first:
        raise UsageError(
            f"The period ends on {last.date()}, before it begins on {first.date()}: give --from and --to in order."
        )
    return first.date(), last.date()


def _deliver(paper: Paper, out: Path | None, as_json: bool) -> None:
    """A paper to its file, or to the screen: its figures, or everything as JSON."""
    from rivergis.reports import patrol_paper

    if out is not None:
        patrol_paper.write(paper, out)
    if as_json:
        common.emit(patrol_paper.as_json(paper), True)
        return
    common.say(f"{paper.title_zh} · {paper.printed_at}")
    for key, value in paper.tiles:
        common.say(f"  {patrol_paper.heading(key)}: {value}")
    if out is not None:
        common.say(f"→ {out}")


@click.command()
@click.option("--month", required=True, metavar="YYYY-MM", help="The month.")
@UNIT
@OUT
@KNOWN_AT
@common.actor_option
@common.json_option
def bulletin(
    month: str, unit: str | None, out: Path | None, known_at: datetime | None, actor: str | None, as_json: bool
) -> None:
    """巡河情况通报 of a month by township and village: .xlsx, .html, .pdf or .json. Names people (capability view_tracks).

    \b
    Example:
      rivergis patrol bulletin --month 2026-05 --out bulletin.pdf
    """
    from rivergis import rules
    from rivergis.reports import patrol_bulletin, patrol_paper

    first, last = patrol_bulletin.month_of(month)
    patrol_paper.check(out)
    db = common.database()
    common.acting(db, actor, "view_tracks")
    book = rules.load(common.settings().rules_dir)
    with db.read() as conn:
        paper = patrol_bulletin.bulletin(conn, book, first, last, unit=unit, known_at=_moment(known_at))
    _deliver(paper, out, as_json)


@click.command()
@click.argument("track")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Page to write (.html).")
@common.actor_option
@common.json_option
def page(track: str, out: Path, actor: str | None, as_json: bool) -> None:
    """One patrol by the id of its TRACK, or the first letters of it: map, 达标, 覆盖情况(参考) and every stretch.

    Personal data: needs the capability view_tracks, or the account of the chief; it is recorded who saw it.

    \b
    Example:
      rivergis patrol page 39e4fee8 --as lihua --out patrol.html
    """
    from rivergis import rules
    from rivergis.db import people
    from rivergis.patrol import store
    from rivergis.reports import patrol_page

    db = common.database()
    book = rules.load(common.settings().rules_dir)
    who = common.acting(db, actor, "view_tracks")
    with db.read() as conn:
        head = store.head_starting(conn, track)
        html = patrol_page.page(
            conn, book, head, review=patrol_page.may_review(conn, head, who, people.capabilities(conn, who))
        )
    with db.write(who) as conn:
        store.saw(conn, head, who, "patrol page")
    common.write_page(out, html)
    size = len(html.encode())
    common.emit({"file": str(out), "track": str(head), "bytes": size}, as_json, f"{out} ({size / 1024:.0f} kB)")


COMMANDS: tuple[click.Command, ...] = (bulletin, page)
