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
DAY = common.CivilDay()
UNIT = click.option(
    "--unit", metavar="ADCODE", default=None, help="Only this county, township or village and what is below it."
)
OUT = click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="Where to write; the ending says the form."
)
KNOWN_AT = click.option(
    "--known-at",
    metavar="'YYYY-MM-DD HH:MM:SS'",
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
    from datetime import UTC

    from rivergis.reports import patrol_bulletin

    return patrol_bulletin.now() if told is None else told.replace(tzinfo=patrol_bulletin.SHANGHAI).astimezone(UTC)


def _days(first: datetime, last: datetime) -> tuple[date, date]:
    from rivergis.errors import UsageError

    if last < first:
        raise UsageError(
            f"The period ends on {last.date()}, before it begins on {first.date()}: give --from and --to in order."
        )
    return first.date(), last.date()


def _period(month: str | None, first: datetime | None, last: datetime | None) -> tuple[date, date]:
    """First and last day of a month, or as they were given."""
    from rivergis.errors import UsageError
    from rivergis.reports import patrol_bulletin

    if month is not None and first is None and last is None:
        return patrol_bulletin.month_of(month)
    if month is None and first is not None and last is not None:
        return _days(first, last)
    raise UsageError("Say which period: --month 2026-05, or --from and --to with its first and last day.")


def _deliver(paper: Paper, out: Path | None, as_json: bool, page: str | None = None, written: bool = False) -> None:
    """A paper to its file (``page``: the HTML that stands for it; ``written``: its layers are there already), and to the screen."""
    from rivergis.reports import patrol_paper

    if out is not None and page is not None:
        common.write_page(out, page)
    elif out is not None and not written:
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
@click.option("--month", metavar="YYYY-MM", default=None, help="The month.")
@click.option("--from", "first", type=DAY, default=None, help="Instead of a month: first day of a quarter, a year ...")
@click.option("--to", "last", type=DAY, default=None, help="Last day; belongs to the period.")
@UNIT
@OUT
@KNOWN_AT
@common.actor_option
@common.json_option
def bulletin(
    month: str | None,
    first: datetime | None,
    last: datetime | None,
    unit: str | None,
    out: Path | None,
    known_at: datetime | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """巡河情况通报 of a month (or quarter, year) by township and village: .xlsx, .html, .pdf or .json.

    Names people (capability view_tracks).

    \b
    Example:
      rivergis patrol bulletin --month 2026-05 --out bulletin.pdf
      rivergis patrol bulletin --from 2026-04-01 --to 2026-06-30 --unit 500199001 --out quarter.xlsx
    """  # fmt: skip
    from rivergis import rules
    from rivergis.reports import patrol_bulletin, patrol_paper

    begin, end = _period(month, first, last)
    patrol_paper.check(out)
    db = common.database()
    common.may_see_patrols(db, actor, "bulletin")
    book = rules.load(common.settings().rules_dir)
    with db.read() as conn:
        paper = patrol_bulletin.bulletin(conn, book, begin, end, unit=unit, known_at=_moment(known_at))
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
    from rivergis.db import people, system
    from rivergis.errors import UsageError
    from rivergis.patrol import store
    from rivergis.reports import patrol_page

    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{out.name}: a patrol is written as a page, to a name that ends in .html.")
    db = common.database()
    book = rules.load(common.settings().rules_dir)
    with db.read() as conn:
        head = store.head_starting(conn, track)
    who = common.may_see_track(db, head, actor)
    with db.read() as conn:
        html = patrol_page.page(
            conn, book, head, review=patrol_page.may_review(conn, head, who, people.capabilities(conn, who))
        )
    with db.write(who) as conn:
        system.audit(conn, who, "export", f"track:{head}")
        store.saw(conn, head, who, "patrol page")
    common.write_page(out, html)
    size = len(html.encode())
    common.emit({"file": str(out), "track": str(head), "bytes": size}, as_json, f"{out} ({size / 1024:.0f} kB)")


RIVER = click.option(
    "--river", "rivers", multiple=True, help="Code or name of a river, may be repeated: all of both banks."
)


def _asked(
    first: datetime, last: datetime, unit: str | None, rivers: tuple[str, ...], basis: str, level: str | None = None
) -> Any:
    from rivergis.reports.patrol_coverage import Asked

    return Asked(*_days(first, last), unit, rivers, basis, level)


@click.command()
@span_options
@UNIT
@click.option(
    "--level",
    type=click.Choice(["province", "city", "county", "town", "village"]),
    default=None,
    help="Only what is assigned to chiefs of this level.",
)
@RIVER
@OUT
@KNOWN_AT
@common.actor_option
@common.json_option
def coverage(
    first: datetime,
    last: datetime,
    unit: str | None,
    level: str | None,
    rivers: tuple[str, ...],
    out: Path | None,
    known_at: datetime | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """覆盖情况(参考): days since every assigned stretch of bank was last seen: .html (map), .pdf, .xlsx, .json, .gpkg, .geojson.

    By whom stands in tables only (capability view_tracks), never on the map or in the layers.

    \b
    Example:
      rivergis patrol coverage --from 2026-05-01 --to 2026-05-31 --unit 500199001 --out coverage.html
    """  # fmt: skip
    from rivergis import rules
    from rivergis.reports import patrol_coverage as report
    from rivergis.reports import patrol_paper

    patrol_paper.check(out, report.LAYERS)
    db = common.database()
    common.may_see_patrols(db, actor, "coverage")
    book, asked = rules.load(common.settings().rules_dir), _asked(first, last, unit, rivers, "duties", level)
    ending = out.suffix.lower() if out else ""
    with db.read() as conn:
        covered = report.read(conn, book, asked, _moment(known_at))
        paper = report.paper(covered, names=True, drawing=ending == ".pdf")
        page = report.map_page(conn, covered, paper, patrol_paper.under(paper)) if ending == ".html" else None
    if out is not None and ending in report.LAYERS:
        report.write_layers([("stretches", report.layer(covered), "LineString")], out)
    _deliver(paper, out, as_json, page, written=ending in report.LAYERS)


@click.command()
@span_options
@UNIT
@RIVER
@click.option("--cell", "cell_m", type=float, default=500.0, show_default=True, help="Side of a grid cell, m.")
@OUT
@KNOWN_AT
@common.actor_option
@common.json_option
def sweep(
    first: datetime,
    last: datetime,
    unit: str | None,
    rivers: tuple[str, ...],
    cell_m: float,
    out: Path | None,
    known_at: datetime | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """全覆盖排查: was every bank metre and grid cell searched, by whom and when, and where are the holes: .pdf, .html, .xlsx, .json, .gpkg.

    Every metre of both banks of the rivers named, or of all rivers of a unit, whether assigned or not.

    \b
    Example:
      rivergis patrol sweep --from 2026-05-01 --to 2026-05-31 --river 云溪河 --out sweep.pdf
    """  # fmt: skip
    from rivergis import rules
    from rivergis.errors import UsageError
    from rivergis.reports import patrol_coverage, patrol_paper
    from rivergis.reports import patrol_sweep as report

    if unit is None and not rivers:
        raise UsageError(
            "Say what was to be swept: --river NAME (may be repeated), or --unit ADCODE for all rivers in it."
        )
    patrol_paper.check(out, (".gpkg",))
    db = common.database()
    common.may_see_patrols(db, actor, "sweep")
    book, asked = rules.load(common.settings().rules_dir), _asked(first, last, unit, rivers, "rivers")
    ending = out.suffix.lower() if out else ""
    with db.read() as conn:
        covered = patrol_coverage.read(conn, book, asked, _moment(known_at))
        cells = report.grid(covered, cell_m)
        paper = report.paper(covered, cells, names=True, drawing=ending == ".pdf")
        page = report.map_page(conn, covered, cells, paper, patrol_paper.under(paper)) if ending == ".html" else None
    if out is not None and ending == ".gpkg":
        patrol_coverage.write_layers(report.layers(covered, cells), out)
    _deliver(paper, out, as_json, page, written=ending == ".gpkg")


COMMANDS: tuple[click.Command, ...] = (bulletin, page, coverage, sweep)
