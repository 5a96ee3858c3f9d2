"""``rivergis nightly``: run a night, show what it found, explain one lead."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from rivergis.cli import common, nightly_report

if TYPE_CHECKING:
    from rivergis.jobs.nightly import NightResult


def _date(value: datetime | None) -> date:
    from rivergis.jobs import nightly

    return value.date() if value else nightly.yesterday()


DATE = click.option(
    "--date",
    "day",
    type=common.CivilDay(),
    default=None,
    help="Civil day in Asia/Shanghai (default: yesterday).",
)


@click.group("nightly")
def command() -> None:
    """The overnight run: tracks scored, leads recorded, morning report written.

    \b
    Example:
      rivergis nightly run --date 2026-05-20
      rivergis nightly show --date 2026-05-20 --json
    """


@command.command()
@DATE
@click.option(
    "--district",
    default=None,
    help="Only this part of the night: adcode of a county, or none for what lies in no county.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the last night that began, if it did not come to its end; else do nothing.",
)
@click.option("--full", is_flag=True, help="Look at everything, not only at what changed since the night before.")
@click.option("--no-files", is_flag=True, help="Leave the folders of feeds alone.")
@click.option(
    "--at", "adcode", default=None, help="Adcode whose rules hold everywhere (default: those of each district)."
)
@common.actor_option
@common.json_option
def run(
    day: datetime | None,
    district: str | None,
    resume: bool,
    full: bool,
    no_files: bool,
    adcode: str | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """Run the night of a civil day: a district at a time, on what changed. A second run changes nothing.

    A night that was interrupted is gone on with, by the same command or by --resume, and comes to the same result. A district or file
    that fails is told and stops no other (exit code 4). Of a day that later nights follow it is told what it would say otherwise today;
    nothing is written.

    \b
    Example:
      rivergis nightly run --date 2026-05-20
      rivergis nightly run --resume
    """
    from rich.console import Console

    from rivergis import rules
    from rivergis.errors import UsageError
    from rivergis.jobs import nightly, notice

    if resume and (day or full or district):
        raise UsageError("--resume goes on with the night that began: leave out --date, --district and --full.")
    s, db = common.settings(), common.database()
    who = common.acting(db, actor, "run_jobs")
    console, book = Console(stderr=True), rules.load(s.rules_dir)
    result = nightly.run(
        db,
        book,
        _date(day),
        who,
        adcode=adcode,
        district=district,
        resume=resume,
        full=full,
        rules_dir=None if no_files else s.rules_dir,
        store_dir=s.store_dir,
        report_dir=s.report_dir,
        progress=lambda step: console.print(f"  {step}", style="dim"),
    )
    # a morning whose page could not be written is told all the more
    sent = notice.after_night(db, s, book, result.night) if result.changed and not result.unfinished else []
    for notice_ in sent:
        console.print(f"  {notice_.channel}: {notice_.sentence}", style="dim" if notice_.ok else "red")
    if as_json:
        common.emit(result, True)
    elif result.late is not None:
        _late(result)
    elif result.counts:
        _summary(result)
    if result.state == "partly":
        _partly(result, as_json)


def _partly(result: NightResult, as_json: bool) -> None:
    """What failed or is still to be run, and the exit code that says so."""
    from rivergis.errors import EnvironmentFault

    for part, sentence in result.failed.items():
        common.say(f"未完成 failed: {part}: {sentence}", err=True)
    if result.unfinished:
        common.say(
            f"尚未运行 still to be run: {', '.join(result.unfinished)}: rivergis nightly run --date {result.night}",
            err=True,
        )
    sys.exit(EnvironmentFault.exit_code if result.page_refused else common.EXIT_PARTLY)


def _late(result: NightResult) -> None:
    """What a night that later ones follow would say otherwise."""
    from rivergis import words

    late = result.late or {}
    common.say(
        f"{result.night}: 之后的夜次已运行至 {late['last']},不再改写 later nights are recorded up to {late['last']}; nothing was written"
    )
    if late.get("same_inputs"):
        common.say("输入未变 nothing it reads has changed since")
        return
    if not late["leads"]:
        common.say("与当时所说一致 it would say the same of every lead")
    for status, n in sorted(late["leads"].items()):
        common.say(f"  {words.both('status.' + status)}: {n}")
    for row in late["listed"]:
        then = words.both("status." + row["then"]) if row["then"] else "—"
        common.say(f"  {row['finding'][:8]}: {then} → {words.both('status.' + row['now'])}")
    common.say("后到的数据由下一夜处理 what came since is taken up by the next night")


def _summary(result: NightResult) -> None:
    from rivergis import words

    counts = result.counts
    common.table(
        ("检查项 check", "线索 leads", "其中公告界线 on announced lines or zones", "状态 statuses"),
        [
            (
                words.both(f"topic.{topic}"),
                c["leads"],
                c["on_announced"],
                ", ".join(f"{words.both('status.' + s)} {n}" for s, n in sorted(c["statuses"].items())),
            )
            for topic, c in counts["topics"].items()
        ],
        title=f"{result.night} 夜间核查 night" + ("" if result.changed else " (无变化 unchanged)"),
    )
    common.table(
        ("项目 item", "数 count"),
        [
            ("巡河轨迹 patrol tracks", counts["tracks"]),
            ("其中待核实 of them to be looked at", counts["tracks_to_review"]),
            ("待核对象 candidates", counts["candidates"]),
            ("其中有变化 of them changed", counts["changed"]),
            *((f"未报 not told: {words.both('reason.' + r)}", n) for r, n in sorted(counts["not_told"].items())),
        ],
    )
    if counts["rules_unconfirmed"]:
        click.echo("未确认的规则值 unconfirmed rule values used: " + ", ".join(counts["rules_unconfirmed"]))
    click.echo(f"晨报 morning report: {result.report}")
    click.echo("仅供核查,不作为行政处罚依据 · For verification only; not a basis for administrative penalties")


@command.command()
@DATE
@common.json_option
def show(day: datetime | None, as_json: bool) -> None:
    """List the leads as a night left them (default: the last that was run).

    \b
    Example:
      rivergis nightly show --date 2026-05-20
    """
    from rivergis import words
    from rivergis.db import nights, system
    from rivergis.encroachment import store
    from rivergis.errors import NotFound

    with common.database().read() as conn:
        last = system.latest_job_run(conn, nights.JOB)
        night: date | None = day.date() if day else last["run_date"] if last else None
        if night is None or not nights.was_run(conn, night):
            when = f" for {night}" if night else ""
            raise NotFound(
                f"No night was run{when}: run it with 'rivergis nightly run{f' --date {night}' if night else ''}'."
            )
        frame = store.findings_of_night(conn, night)
    rows = [dict(r._asdict()) for r in frame.drop(columns="geom").itertuples(index=False)]
    # what happened first, then what goes on
    rows.sort(key=lambda r: (r["status"] in ("persisting", "unobserved"), str(r["class_code"]), str(r["id"])))
    if as_json:
        common.emit(rows, True)
        return
    common.table(
        (
            "编号 id",
            "类别 class",
            "状态 status",
            "河流 river",
            "岸 bank",
            "桩号 chainage",
            "村 village",
            "m²",
            "位置 position",
        ),
        [
            (
                str(r["id"])[:8],
                words.both("class." + r["class_code"]) if r["class_code"] else "",
                words.both("status." + r["status"]),
                (r["figures"] or {}).get("river"),
                words.both("bank." + b) if (b := (r["figures"] or {}).get("bank")) else "",
                (r["figures"] or {}).get("chainage"),
                (r["figures"] or {}).get("village"),
                None if r["area_m2"] != r["area_m2"] else r["area_m2"],  # a point has none
                words.both("position." + r["position"]) if r["position"] else None,
            )
            for r in rows
        ],
        title=f"{night}",
    )


@command.command()
@click.argument("finding")
@common.json_option
def explain(finding: str, as_json: bool) -> None:
    """Why a lead was raised: line, clause, values, rules, sightings and events. FINDING is its id or the start of it.

    \b
    Example:
      rivergis nightly explain 3f2a91c0
    """
    from rivergis.encroachment import store

    with common.database().read() as conn:
        record = store.record_of(conn, finding)
    if as_json:
        common.emit(record, True)
        return
    from rivergis.cli import nightly_explain

    nightly_explain.tell(record)


for more in nightly_report.COMMANDS:
    command.add_command(more)
