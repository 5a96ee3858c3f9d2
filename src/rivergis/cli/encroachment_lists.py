"""``rivergis encroachment lists | bulletin | rectification | yearly | stages | decision | pack``: what offices keep beside the ledger."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common
from rivergis.cli.encroachment_campaign import DAY, FILE, KNOWN_AT, ON, OUT, day, deliver, moment

if TYPE_CHECKING:
    from rivergis.reports.case_scope import Scope

UNIT = click.option(
    "--unit", metavar="ADCODE", default=None, help="Only this county, township or village and what is below it."
)
CAMPAIGN = click.option("--campaign", metavar="CODE", default=None, help="Only cases of this campaign.")
NAMES = click.option(
    "--names", is_flag=True, help="Name the people behind the offices (capability view_tracks; recorded)."
)
FIRST = click.option("--from", "first", type=DAY, default=None, help="First day.")
LAST = click.option("--to", "last", type=DAY, default=None, help="Last day; belongs to the period.")


def _asked(conn: Any, on: date, known_at: datetime, unit: str | None, campaign: str | None) -> Scope:
    from rivergis.reports import case_scope

    return case_scope.scope(conn, on, known_at, unit=unit, campaign=campaign)


def _book() -> Any:
    from rivergis import rules

    return rules.load(common.settings().rules_dir)


def _reader(db: Any, actor: str | None, names: bool, what: str) -> str:
    return common.may_see_patrols(db, actor, what) if names else common.acting(db, actor, "view")


@click.command()
@ON
@UNIT
@CAMPAIGN
@click.option("--open", "open_only", is_flag=True, help="Only what is not closed yet.")
@NAMES
@KNOWN_AT
@OUT
@common.actor_option
@common.json_option
def lists(
    on: datetime | None, unit: str | None, campaign: str | None, open_only: bool, names: bool, known_at: datetime | None,
    out: Path | None, actor: str | None, as_json: bool,
) -> None:  # fmt: skip
    """问题清单、任务清单、责任清单: three lists of the same cases, each row numbered as in the ledger.

    \b
    Example:
      rivergis encroachment lists --on 2026-05-20 --out lists.xlsx
      rivergis encroachment lists --campaign ZHZ-3 --open --out lists.pdf
    """
    from rivergis.reports import case_lists, patrol_paper

    patrol_paper.check(out)
    db = common.database()
    _reader(db, actor, names, "lists")
    with db.read() as conn:
        asked = _asked(conn, day(on), moment(db, known_at), unit, campaign)
        paper = case_lists.paper(conn, _book(), asked, names=names, open_only=open_only)
    deliver(paper, out, as_json, shown=1)


def period_of(said: str) -> tuple[date, date, str]:
    """Days and kind of a period as it is written: 2026-W21, 2026-05, 2026-Q2; last-week, last-month, last-quarter."""
    from rivergis.errors import UsageError

    today = datetime.now(common.SHANGHAI).date()
    if said in ("last-week", "last-month", "last-quarter"):
        return _before(today, said.removeprefix("last-"))
    if match := re.fullmatch(r"(\d{4})-W(\d{1,2})", said):
        try:
            first = date.fromisocalendar(int(match[1]), int(match[2]), 1)
        except ValueError as error:
            raise UsageError(f"{said!r} is no week of the calendar: write it like 2026-W21.") from error
        return first, first + timedelta(days=6), "week"
    if (match := re.fullmatch(r"(\d{4})-Q([1-4])", said)) or (match := re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", said)):
        months = 3 if "Q" in said else 1
        start = (int(match[2]) - 1) * months + 1
        end = start + months - 1
        year = int(match[1])
        return (
            date(year, start, 1),
            date(year, end, calendar.monthrange(year, end)[1]),
            "quarter" if months == 3 else "month",
        )
    raise UsageError(
        f"{said[:40]!r} is no period: write 2026-W21, 2026-05, 2026-Q2, last-week, last-month or last-quarter."
    )


def _before(today: date, kind: str) -> tuple[date, date, str]:
    """The last whole week, month or quarter before a day."""
    if kind == "week":
        first = today - timedelta(days=today.weekday() + 7)
        return first, first + timedelta(days=6), kind
    months = 3 if kind == "quarter" else 1
    last = date(today.year, (today.month - 1) // months * months + 1, 1) - timedelta(days=1)
    return date(last.year, last.month - months + 1, 1), last, kind


def _period(said: str | None, first: datetime | None, last: datetime | None) -> tuple[date, date, str]:
    from rivergis.errors import UsageError

    if said is not None and first is None and last is None:
        return period_of(said)
    if said is None and first is not None and last is not None:
        return first.date(), last.date(), "period"
    raise UsageError("Say which period: --period last-week, or --from and --to with its first and last day.")


@click.command()
@click.option(
    "--period", "said", default=None, help="2026-W21, 2026-05, 2026-Q2, last-week, last-month or last-quarter."
)
@FIRST
@LAST
@UNIT
@CAMPAIGN
@click.option("--photos", is_flag=True, help="With pictures of what was found (.html and .pdf).")
@click.option("--issue", is_flag=True, help="Keep the figures as sent (已报送); told again later with --replay.")
@click.option(
    "--replay",
    metavar="ID",
    default=None,
    help="A report that went out: its figures again, and whether they are the same.",
)
@KNOWN_AT
@OUT
@common.actor_option
@common.json_option
def bulletin(
    said: str | None, first: datetime | None, last: datetime | None, unit: str | None, campaign: str | None, photos: bool, issue: bool,
    replay: str | None, known_at: datetime | None, out: Path | None, actor: str | None, as_json: bool,
) -> None:  # fmt: skip
    """“四乱”定期报告 of a week, month or quarter: found, verified, rectified, closed, rebound, stock and increment.

    By township and class; every figure leads to its rows, and is the same again with --known-at of the paper.

    \b
    Example:
      rivergis encroachment bulletin --period last-week --photos --out week.pdf
      rivergis encroachment bulletin --period 2026-Q2 --unit 500199 --issue --out quarter.xlsx
      rivergis encroachment bulletin --replay 3f2a91c0
    """
    from rivergis.reports import case_issue, case_period, patrol_paper

    patrol_paper.check(out)
    db = common.database()
    if replay is not None:
        common.acting(db, actor, "view")
        with db.read() as conn:
            common.emit(case_issue.replayed(conn, _book(), replay), as_json)
        return
    begin, end, kind = _period(said, first, last)
    who = common.acting(db, actor, "export" if issue else "view")
    store_dir = common.settings().store_dir if photos else None
    with db.read() as conn:
        asked = _asked(conn, end, moment(db, known_at), unit, campaign)
        paper = case_period.paper(conn, _book(), asked, begin, kind=kind, store_dir=store_dir)
    if issue:
        report, sha256 = case_issue.issue(db, who, "period", asked, begin, paper)
        common.say(f"已报送 issued: {report} · sha256 {sha256}", err=as_json)
    deliver(paper, out, as_json, shown=1)


@click.command()
@click.option("--campaign", metavar="CODE", default=None, help="The campaign it reports on.")
@click.option("--from", "first", type=DAY, default=None, help="First day (default: that of the campaign).")
@click.option("--issue", is_flag=True, help="Keep the figures as sent (已报送); told again with bulletin --replay.")
@ON
@UNIT
@KNOWN_AT
@OUT
@common.actor_option
@common.json_option
def rectification(
    campaign: str | None, first: datetime | None, issue: bool, on: datetime | None, unit: str | None, known_at: datetime | None, out: Path | None,
    actor: str | None, as_json: bool,
) -> None:  # fmt: skip
    """整改报告 a draft with figures that lead to their rows in the ledger: .docx, .html, .pdf, .xlsx or .json.

    \b
    Example:
      rivergis encroachment rectification --campaign ZHZ-3 --on 2026-09-30 --out report.docx
    """
    from rivergis.errors import UsageError
    from rivergis.reports import case_document, case_issue, case_period, patrol_paper

    patrol_paper.check(out, more=(".docx",))
    db = common.database()
    who = common.acting(db, actor, "export" if issue else "view")
    with db.read() as conn:
        asked = _asked(conn, day(on), moment(db, known_at), unit, campaign)
        if first is None and asked.campaign is None:
            raise UsageError("Say from when: --from with the first day, or --campaign.")
        begin = first.date() if first else asked.campaign.begins_on  # type: ignore[union-attr]
        paper = case_period.rectification(conn, _book(), asked, begin)
    if issue:
        report, sha256 = case_issue.issue(db, who, "rectification", asked, begin, paper)
        common.say(f"已报送 issued: {report} · sha256 {sha256}", err=as_json)
    if out is not None and out.suffix.lower() == ".docx":
        case_document.write(paper, out)
        common.say(f"→ {out}", err=as_json)
        out = None
    deliver(paper, out, as_json)


@click.command()
@click.option("--year", type=int, required=True, help="The year the lists are for.")
@ON
@UNIT
@NAMES
@KNOWN_AT
@OUT
@common.actor_option
@common.json_option
def yearly(
    year: int, on: datetime | None, unit: str | None, names: bool, known_at: datetime | None, out: Path | None, actor: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """年度责任清单、任务清单: who answers for which stretch in a year; patrols, campaigns and open problems to be done.

    \b
    Example:
      rivergis encroachment yearly --year 2027 --out lists-2027.xlsx
    """
    from rivergis.reports import case_yearly, patrol_paper

    patrol_paper.check(out)
    db = common.database()
    _reader(db, actor, names, "yearly")
    with db.read() as conn:
        asked = _asked(conn, day(on), moment(db, known_at), unit, None)
        paper = case_yearly.paper(conn, _book(), asked, year, names=names)
    deliver(paper, out, as_json)


@click.command()
@ON
@UNIT
@CAMPAIGN
@KNOWN_AT
@OUT
@common.actor_option
@common.json_option
def stages(
    on: datetime | None, unit: str | None, campaign: str | None, known_at: datetime | None, out: Path | None, actor: str | None, as_json: bool
) -> None:  # fmt: skip
    """查、认、改、罚: the four stages of each case; 罚 holds only what an authority decided, with its document.

    \b
    Example:
      rivergis encroachment stages --on 2026-05-20 --out stages.pdf
    """
    from rivergis.reports import case_campaign, patrol_paper

    patrol_paper.check(out)
    db = common.database()
    common.acting(db, actor, "view")
    with db.read() as conn:
        asked = _asked(conn, day(on), moment(db, known_at), unit, campaign)
        paper = case_campaign.stages(conn, _book(), asked)
    deliver(paper, out, as_json, shown=1)


@click.command()
@click.argument("finding")
@click.option("--authority", required=True, help="Office that decided; an office, no person.")
@click.option(
    "--outcome",
    type=click.Choice(["received", "filed", "not_filed", "decided", "carried_out", "passed_on"]),
    required=True,
    help="收件, 立案, 不予立案, 作出处理决定, 执行完毕 or 移送其他机关.",
)
@click.option("--decided-on", type=DAY, required=True, help="Day of the document.")
@click.option("--document-no", required=True, help="Number of the document (文号).")
@click.option("--document", type=FILE, required=True, help="The document; kept in the store.")
@common.actor_option
@common.json_option
def decision(finding: str, document: Path, actor: str | None, as_json: bool, **o: Any) -> None:
    """Record what a competent authority did in a case, with its document. Nothing is decided here, nobody is named.

    \b
    Example:
      rivergis encroachment decision 500199-2026-0007 --authority 试验县水利局 --outcome filed --decided-on 2026-06-02 \\
        --document-no 试水立字〔2026〕7号 --document filed.pdf --as demo-inspector
    """
    from rivergis.encroachment import campaign_workflow

    db = common.database()
    who = common.acting(db, actor, "inspect")
    said = {**o, "decided_on": o["decided_on"].date()}
    done = campaign_workflow.decide(db, finding, who, document=document, store_dir=common.settings().store_dir, **said)
    common.emit(done, as_json)


def _verify(check: Path, recorded: bool, as_json: bool) -> None:
    """Check a pack against its own list, and with ``recorded`` its seal against the audit; refused in one sentence."""
    from rivergis.encroachment import pack_store
    from rivergis.errors import InputError
    from rivergis.reports import case_pack

    found = case_pack.verify(check)
    made = None
    if recorded:
        with common.database().read() as conn:
            made = pack_store.made(conn, found.seal)
    common.emit({**common.plain(found), "whole": found.whole, **({"made": made} if recorded else {})}, as_json)
    if not found.whole:
        raise InputError(f"{check.name} is not as it was written: {found.faults[0]}", file=str(check))
    if recorded and made is None:
        raise InputError(
            f"{check.name} is whole, but no pack with its seal was made here: it was written anew elsewhere.",
            file=str(check),
        )


@click.command()
@click.argument("case", required=False)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="The .zip, or the new folder, to write.")
@click.option(
    "--verify", "check", type=click.Path(path_type=Path, exists=True), default=None, help="A pack to check instead."
)
@click.option(
    "--recorded", is_flag=True, help="With --verify: also ask the database whether this very pack was made here."
)
@ON
@KNOWN_AT
@common.actor_option
@common.json_option
def pack(
    case: str | None, out: Path | None, check: Path | None, recorded: bool, on: datetime | None, known_at: datetime | None, actor: str | None, as_json: bool
) -> None:  # fmt: skip
    """案件资料包: documents, photos, maps, events and verdicts of a CASE with their hashes, to be checked later by anybody.

    Holds originals and names (capabilities export and view_tracks; recorded). `--verify` needs no database.

    \b
    Example:
      rivergis encroachment pack 500199-2026-0007 --out case-7.zip
      rivergis encroachment pack --verify case-7.zip --recorded
    """
    from rivergis.db import system
    from rivergis.errors import UsageError
    from rivergis.reports import case_pack

    if check is not None:
        _verify(check, recorded, as_json)
        return
    if case is None or out is None:
        raise UsageError("Name the CASE and --out with a .zip or a new folder, or a pack to check with --verify.")
    db = common.database()
    common.acting(db, actor, "export")
    who = common.may_see_patrols(db, actor, f"pack:{case}")
    with db.read() as conn:
        asked = _asked(conn, day(on), moment(db, known_at), None, None)
        row, content, missing = case_pack.pieces(conn, asked, case, common.settings().store_dir)
    done = case_pack.write(asked, row, content, missing, out)
    with db.write(who) as conn:
        system.audit(conn, who, "export", f"pack:{done.seal}", {"case": done.case, "files": done.files})
    common.emit(done, as_json)


COMMANDS: tuple[click.Command, ...] = (lists, bulletin, rectification, yearly, stages, decision, pack)
