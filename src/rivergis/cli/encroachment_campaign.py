"""``rivergis encroachment campaign add | list | progress``: campaigns and orders of the chief river head (总河长令)."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.reports.patrol_paper import Paper

DAY = common.CivilDay()
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
ON = click.option("--on", "on", type=DAY, default=None, help="Civil day (default: today).")
KNOWN_AT = click.option(
    "--known-at",
    metavar="'YYYY-MM-DD HH:MM:SS'",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f"]),
    default=None,
    help="As known then (Beijing time): tells the same figures again. Default: now.",
)
OUT = click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="Where to write: .xlsx, .html, .pdf or .json."
)


def moment(db: Any, told: datetime | None) -> datetime:
    """The moment asked for in Beijing time, else that of the database."""
    from datetime import UTC

    from rivergis.db.connect import now_of

    if told is not None:
        return told.replace(tzinfo=common.SHANGHAI).astimezone(UTC)
    with db.read() as conn:
        return now_of(conn)


def day(told: datetime | None) -> date:
    """The civil day asked for, else today in Asia/Shanghai."""
    return told.date() if told is not None else datetime.now(common.SHANGHAI).date()


@click.group()
def campaign() -> None:
    """专项行动、总河长令: campaigns with their classes, area and days, and how far they are."""


@campaign.command("add")
@click.argument("code")
@click.option("--name", required=True, help="Name of the campaign.")
@click.option(
    "--kind",
    type=click.Choice(["chief_order", "special_action", "sweep"]),
    default="special_action",
    help="chief_order (总河长令), special_action (专项行动) or sweep (拉网排查).",
)
@click.option("--order-no", default=None, help="Number of the order or document, such as 第3号; an order needs one.")
@click.option("--issued-by", default=None, help="Office that issued it (an office, no person).")
@click.option("--issued-on", type=DAY, default=None, help="Day of the document.")
@click.option(
    "--class", "classes", multiple=True, help="Class, or group of classes (乱占, 乱建 ...); repeat it. Default: all."
)
@click.option("--object", "kinds", multiple=True, help="Kind of object (building, dump ...); repeat it. Default: all.")
@click.option(
    "--district", "districts", multiple=True, help="adcode of a unit, with what is below it; repeat. Default: all."
)
@click.option("--river", "rivers", multiple=True, help="Code or name of a river; repeat it. Default: all.")
@click.option("--from", "begins_on", type=DAY, required=True, help="First day.")
@click.option("--deadline", type=DAY, required=True, help="Last day by which what is found is to be closed.")
@click.option("--recheck-by", type=DAY, default=None, help="Last day of looking back (回头看).")
@click.option("--lead-unit", default=None, help="Office in the lead.")
@click.option("--document", type=FILE, default=None, help="The order or plan; kept in the store.")
@common.actor_option
@common.json_option
def add(code: str, document: Path | None, actor: str | None, as_json: bool, **o: Any) -> None:
    """Record a campaign; the same CODE again with other words is a new version of it, and nothing is lost.

    \b
    Example:
      rivergis encroachment campaign add ZHZ-3 --kind chief_order --order-no 第3号 --name 妨碍河道行洪突出问题排查整治 \\
        --class 乱建 --class 乱占 --district 500199 --from 2026-05-01 --deadline 2026-09-30 --recheck-by 2026-12-31
    """
    from rivergis import rules
    from rivergis.encroachment import campaign_workflow
    from rivergis.encroachment.campaigns import Campaign

    days = {k: o[k].date() if o[k] else None for k in ("issued_on", "begins_on", "deadline", "recheck_by")}
    said = Campaign(code=code, **{**o, **days})
    db = common.database()
    who = common.acting(db, actor, "import")
    groups = campaign_workflow.group_of(rules.load(common.settings().rules_dir))
    done = campaign_workflow.add(db, said, who, groups=groups, document=document, store_dir=common.settings().store_dir)
    common.emit(done, as_json)


@campaign.command("list")
@ON
@KNOWN_AT
@common.json_option
def list_(on: datetime | None, known_at: datetime | None, as_json: bool) -> None:
    """Campaigns, the latest first, with their days, classes and area.

    \b
    Example:
      rivergis encroachment campaign list --json
    """
    from rivergis import words
    from rivergis.encroachment import campaign_workflow

    db, as_of = common.database(), day(on)
    with db.read() as conn:
        rows = campaign_workflow.listed(conn, as_of, moment(db, known_at))
    if as_json:
        common.emit([{**r, "state": c.state(as_of)} for c, r in rows], True)
        return
    head = (
        "code",
        "name",
        "campaign_kind",
        "order_no",
        "begins_on",
        "deadline",
        "recheck_by",
        "campaign_state",
        "classes",
        "area",
    )
    table = [
        (
            c.code, c.name, words.both(f"campaign_kind.{c.kind}"), c.order_no, c.begins_on, c.deadline, c.recheck_by,
            words.both(f"campaign_state.{c.state(as_of)}"), "、".join(c.classes), "、".join([*c.districts, *c.rivers]),
        )
        for c, _ in rows
    ]  # fmt: skip
    common.table([words.both(f"patrol_report.case.{h}") for h in head], table)


@campaign.command("progress")
@click.argument("code")
@click.option(
    "--by",
    "part",
    type=click.Choice(["district", "town", "river", "reach", "class"]),
    default="town",
    help="What its figures are told by; reaches across borders are told apart in any case.",
)
@ON
@KNOWN_AT
@OUT
@common.actor_option
@common.json_option
def progress(
    code: str, part: str, on: datetime | None, known_at: datetime | None, out: Path | None, actor: str | None, as_json: bool
) -> None:  # fmt: skip
    """How far a campaign is: found, verified, rectified, closed, overdue, looked back at; every figure with its rows.

    \b
    Example:
      rivergis encroachment campaign progress ZHZ-3 --by reach --out progress.xlsx
    """
    from rivergis import rules
    from rivergis.reports import case_campaign, case_scope, patrol_paper

    patrol_paper.check(out)
    db, at, book = common.database(), day(on), rules.load(common.settings().rules_dir)
    common.acting(db, actor, "view")
    with db.read() as conn:
        asked = case_scope.scope(conn, at, moment(db, known_at), campaign=code)
        paper = case_campaign.progress(conn, book, asked, part)
    deliver(paper, out, as_json, shown=1)


def deliver(paper: Paper, out: Path | None, as_json: bool, shown: int = 0) -> None:
    """A paper to its file and to the screen: its tiles, and so many of its tables where no file is asked for."""
    from rivergis.reports import patrol_paper

    if out is not None:
        patrol_paper.write(paper, out)
    if as_json:
        common.emit(patrol_paper.as_json(paper), True)
        return
    # to the last digit: --known-at of it tells the same again
    common.say(f"{paper.title_zh} · {paper.known_at.astimezone(common.SHANGHAI):%Y-%m-%d %H:%M:%S.%f}")
    for key, value in paper.tiles:
        common.say(f"  {patrol_paper.heading(key)}: {value}")
    if out is not None:
        common.say(f"→ {out}")
        return
    for told in paper.tables[:shown]:
        common.head([patrol_paper.heading(c) for c in told.columns], told.rows, told.title)


COMMANDS: tuple[click.Command, ...] = (campaign,)
