"""``rivergis patrol calendar | next | remind | rota``: what was owed and done, what waits, cards that remind, agencies on duty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rivergis.cli import common
from rivergis.cli.patrol_reports import DAY, KNOWN_AT

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rivergis.patrol.duty_workflow import Duties
    from rivergis.reports.patrol_paper import Paper
    from rivergis.reports.reminder_card import Card

F = TypeVar("F", bound=Callable[..., Any])
FILE = click.Path(path_type=Path)
OUT = click.option("--out", type=FILE, default=None, help="File to write: .xlsx, .html, .pdf, .csv or .json.")
WITHIN = click.option(
    "--days",
    type=click.IntRange(0, 366),
    default=None,
    metavar="N",
    help="Only what ends within N days, or has been missed before.",
)


def duty_options(command: F) -> F:
    """Add ``--on``, ``--chief`` and ``--known-at``: the day it stands for, of whom, and as known when."""
    on = click.option("--on", "on", type=DAY, default=None, help="Day it stands for (default: today, Beijing time).")
    chief = click.option("--chief", default=None, metavar="NAME|CODE", help="Only this chief.")
    return on(chief(KNOWN_AT(command)))


@click.command("calendar")
@click.option("--from", "first", type=DAY, default=None, help="First day (default: 1 January of the year of --on).")
@click.option("--to", "last", type=DAY, default=None, help="Last day; belongs to the time (default: --on).")
@duty_options
@OUT
@common.actor_option
@common.json_option
def calendar(
    first: datetime | None,
    last: datetime | None,
    on: datetime | None,
    chief: str | None,
    known_at: datetime | None,
    out: Path | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """巡河日历: per chief, water and period what was due, what was done (by track, by entry) and what is overdue.

    Periods that were decided before patrols were recorded at all are nobody's miss. Names people (capability view_tracks).

    \b
    Example:
      rivergis patrol calendar --on 2026-05-20 --from 2026-05-01 --to 2026-06-30 --out calendar.html
    """
    from rivergis.reports import duty_papers

    _check(out)
    with _reading(actor) as conn:
        day = _day(conn, on)
        start, end = _span(first, last, day)
        duties = _duties(conn, start, end, day, known_at, chief)
    paper = duty_papers.calendar_paper(duties)
    _deliver(paper, duty_papers.flat(duties.ledger), out, as_json)
    if out is None and not as_json:
        head = ("河长 chief", "水体 waters", "周期 period", "应巡 due", "已巡 done", "轨迹 track", "状态 state")
        rows = [duty_papers.calendar_row(r) for r in duties.ledger.itertuples()]
        common.head(head, [(r[0], r[1], r[3], r[6], r[7], r[8], r[10]) for r in rows])


@click.command("next")
@WITHIN
@duty_options
@OUT
@common.actor_option
@common.json_option
def next_(
    days: int | None,
    on: datetime | None,
    chief: str | None,
    known_at: datetime | None,
    out: Path | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """下一步巡查: stretches that wait for a patrol, by days overdue, open problems nearby, and days since a bank was seen.

    Names people (capability view_tracks).

    \b
    Example:
      rivergis patrol next --on 2026-05-20 --days 7
    """
    from rivergis.reports import duty_papers
    from rivergis.river.chainage import label

    _check(out)
    with _reading(actor) as conn:
        day = _day(conn, on)
        duties = _duties(conn, _year_before(day), day, day, known_at, chief)
    waiting = duties.next_patrols(days)
    paper = duty_papers.next_paper(duties, waiting)
    _deliver(paper, duty_papers.flat(waiting), out, as_json)
    if out is None and not as_json:
        head = (
            "河长 chief",
            "河段 stretch",
            "截止 end",
            "还需 missing",
            "逾期天数 days overdue",
            "加密 extra",
            "未见天数 days unseen",
        )
        rows = [
            (
                r.chief,
                f"{r.river} {label(r.from_m)} – {label(r.to_m)}",
                r.deadline,
                r.missing,
                r.overdue_days,
                r.extra,
                _whole(r.days_unseen),
            )
            for r in waiting.itertuples()
        ]
        common.head(head, rows)


@click.command("remind")
@click.option("--out", "folder", type=FILE, required=True, help="Folder for the cards and the list; made if needed.")
@WITHIN
@duty_options
@common.actor_option
@common.json_option
def remind(
    folder: Path,
    days: int | None,
    on: datetime | None,
    chief: str | None,
    known_at: datetime | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """提示卡: a card (HTML and PDF) for every chief with stretches waiting, and the list of them (XLSX). Run it each quarter.

    Names people (capability view_tracks).

    \b
    Example:
      rivergis patrol remind --on 2026-05-20 --out reminders
    """
    from rivergis.reports import duty_papers, patrol_paper, reminder_card

    with _reading(actor) as conn:
        day = _day(conn, on)
        duties = _duties(conn, _year_before(day), day, day, known_at, chief)
        cards = reminder_card.cards(conn, duties, days)
    _folder(folder)
    names = [_write_card(folder, card, name) for card, name in zip(cards, _names(cards), strict=True)]
    waiting = duties.next_patrols(days)
    paper = duty_papers.remind_paper(duties, cards, waiting, names)
    patrol_paper.write(paper, folder / f"reminders-{day}.xlsx")
    result = {
        "on": day,
        "cards": len(cards),
        "stretches": len(waiting),
        "list": f"reminders-{day}.xlsx",
        "files": names,
    }
    common.emit(result, as_json, f"提示卡 cards: {len(cards)}; 河段 stretches: {len(waiting)} → {folder}")


@click.command("rota")
@click.argument("file", type=FILE)
@click.option("--from", "first", type=DAY, required=True, help="First day, YYYY-MM-DD.")
@click.option("--to", "last", type=DAY, required=True, help="Last day; belongs to the time.")
@click.option(
    "--credit", is_flag=True, help="Also count the patrols of the database for the agency on duty (view_tracks)."
)
@click.option("--out", type=FILE, default=None, help="Table to write: .csv or .json.")
@common.actor_option
@common.json_option
def rota(
    file: Path, first: datetime, last: datetime, credit: bool, out: Path | None, actor: str | None, as_json: bool
) -> None:
    """轮值表: who is on duty on which water, day by day, with gaps and double shifts; FILE is a table (.xlsx, .csv).

    Columns 水体, 单位, 起, 止 (water, agency, from, to); 循环天数 and 循环至 (every_days, until) where a shift comes back.

    \b
    Example:
      rivergis patrol rota rota.xlsx --from 2026-05-01 --to 2026-05-31 --credit
    """
    import pandas as pd

    from rivergis.intake import vector
    from rivergis.patrol import rota as rotas

    start, end = _span(first, last, last.date())
    shifts = rotas.read(pd.DataFrame(vector.read_frame(file)[0]), file.name)
    if credit:
        with _reading(actor) as conn:
            duties = _duties(conn, start, end, end, None, None)
        frame = rotas.credit(shifts, duties.on_waters(), start, end)
    else:
        frame = rotas.spans(shifts, start, end)
    common.deliver(frame, out, as_json)


def _reading(actor: str | None) -> Any:
    """A reading connection, for those who may see whose patrols they are."""
    db = common.database()
    common.may_see_patrols(db, actor, "duties")
    return db.read()


def _day(conn: Connection, on: datetime | None) -> date:
    """The day asked for, else today in Asia/Shanghai."""
    from zoneinfo import ZoneInfo

    from rivergis.db.connect import now_of

    return on.date() if on is not None else now_of(conn).astimezone(ZoneInfo("Asia/Shanghai")).date()


def _year_before(day: date) -> date:
    return day - timedelta(days=366)


def _span(first: datetime | None, last: datetime | None, day: date) -> tuple[date, date]:
    from rivergis.errors import UsageError

    end = last.date() if last is not None else day
    start = first.date() if first is not None else min(date(day.year, 1, 1), date(end.year, 1, 1))
    if start > end:
        raise UsageError(f"The time ends on {end}, before it begins on {start}: give --from and --to in order.")
    if (end - start).days > 3700:
        raise UsageError("A calendar of more than ten years is no calendar: give a shorter time with --from and --to.")
    return start, end


def _duties(
    conn: Connection, first: date, last: date, as_of: date, known_at: datetime | None, chief: str | None
) -> Duties:
    from zoneinfo import ZoneInfo

    from rivergis import rules
    from rivergis.db.connect import now_of
    from rivergis.patrol import duty_workflow

    known = now_of(conn) if known_at is None else known_at.replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    book = rules.load(common.settings().rules_dir)
    duties = duty_workflow.read(conn, book, first=first, last=last, as_of=as_of, known_at=known, chief=chief)
    if duties.duties.empty:
        common.say(
            f"没有登记责任河段 no duties from {first} to {last}: 请导入 chief、duty 图层 import the layers chief and duty",
            err=True,
        )
    return duties


def _check(out: Path | None) -> None:
    """Refuse a file that cannot be written before anything is read."""
    from rivergis.reports import patrol_paper

    patrol_paper.check(out, (".csv",))


def _deliver(paper: Paper, frame: Any, out: Path | None, as_json: bool) -> None:
    """To a file by its ending, or the figures to the screen."""
    from rivergis.reports import patrol_paper

    if out is not None and out.suffix.lower() == ".csv":
        common.write_frame(frame, out)
    elif out is not None:
        patrol_paper.write(paper, out)
    if as_json:
        common.emit(common.rows_of(frame), True)
        return
    common.say(f"{paper.title_zh} {paper.title_en} · {paper.about[0][1]}")
    for key, value in paper.tiles:
        common.say(f"  {patrol_paper.heading(key)}: {value}")
    if out is not None:
        common.say(f"→ {out}")


def _folder(folder: Path) -> None:
    from rivergis.errors import EnvironmentFault

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"The folder {folder} cannot be made ({error.strerror}): give another --out.") from error


def _names(cards: Sequence[Card]) -> list[str]:
    """A file name for each card by the code of the chief; codes that read the same get a number."""
    names: list[str] = []
    for card in cards:
        stem = f"card-{''.join(c if c.isalnum() else '_' for c in card.code)}-{card.as_of}"
        names.append(stem if stem not in names else f"{stem}-{len(names) + 1}")
    return names


def _write_card(folder: Path, card: Card, name: str) -> str:
    """The card as page and PDF; returns the name of the page."""
    from rivergis.reports import patrol_paper, reminder_card
    from rivergis.river.files import whole

    page = reminder_card.render(card)
    common.write_page(folder / f"{name}.html", page)
    with whole(folder / f"{name}.pdf") as part:
        part.write_bytes(patrol_paper.pdf(page))
    return f"{name}.html"


def _whole(value: Any) -> int | str:
    return "从未 never" if value is None or value != value else int(value)


COMMANDS: Sequence[click.Command] = (calendar, next_, remind, rota)
