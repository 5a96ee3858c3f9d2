"""``rivergis nightly report`` and ``notify``: the morning of a night as a file, and its news sent again."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from rivergis.cli import common

ENDINGS = (".html", ".xlsx", ".json")

_DATE = click.option(
    "--date", "day", type=common.CivilDay(), default=None, help="Civil day in Asia/Shanghai (default: yesterday)."
)


def _night(day: datetime | None) -> date:
    from rivergis.jobs import nightly

    return day.date() if day else nightly.yesterday()


@click.command("report")
@_DATE
@click.option("--out", type=click.Path(path_type=Path), default=None, help="File to write: .html, .xlsx or .json.")
@common.json_option
def report(day: datetime | None, out: Path | None, as_json: bool) -> None:
    """The morning page of a night that was run: one A4 with the rows behind every number, as page, workbook or JSON.

    \b
    Example:
      rivergis nightly report --date 2026-05-20 --out morning.html
      rivergis nightly report --date 2026-05-20 --json
    """
    from rivergis import rules
    from rivergis.errors import UsageError
    from rivergis.reports import morning, morning_sheet

    if out is not None and out.suffix.lower() not in ENDINGS:
        raise UsageError(f"{out.name}: write to a name that ends in {', '.join(ENDINGS)}.")
    if out is not None and not out.absolute().parent.is_dir():
        raise UsageError(f"The folder {out.absolute().parent} does not exist: make it, or give another --out.")
    s, db = common.settings(), common.database()
    with db.read() as conn:
        made = morning.make(conn, rules.load(s.rules_dir), _night(day), s.store_dir)
    if as_json:
        common.emit(made.morning, True)
    if out is None:
        if not as_json:
            _table(made.morning)
        return
    if out.suffix.lower() == ".html":
        common.write_page(out, made.html)
    elif out.suffix.lower() == ".xlsx":
        morning_sheet.write(made.morning, out, made.png)
    else:
        common.write_json(out, made.morning)
    common.say(f"{made.morning.night} → {out}", err=as_json)


def _table(facts: object) -> None:
    from rivergis import words
    from rivergis.reports.morning_facts import Morning
    from rivergis.reports.morning_words import label, mean, number

    assert isinstance(facts, Morning)
    for key in [k for k, told in (("red", facts.red), ("quiet", facts.quiet)) if told]:
        common.say(words.both(f"morning.{key}"))
    if not facts.baseline_signed:
        common.say(words.both("morning.no_baseline"))
    for trouble in facts.run.troubles:
        common.say(f"{trouble.what}: {trouble.sentence}")
    common.table(
        [words.both(f"morning.{h}") for h in ("group", "figure", "tonight", "yesterday", "mean_head", "nights")],
        [
            (
                words.say(f"morning.{f.group}"),
                f"{label(f.code, facts)} {label(f.code, facts, 'en')}",
                number(f.value, f.unit),
                number(f.yesterday, f.unit),
                mean(f),
                f.nights,
            )
            for f in facts.figures
        ],
        title=f"{facts.night}",
    )


@click.command("notify")
@_DATE
@common.actor_option
@common.json_option
def notify(day: datetime | None, actor: str | None, as_json: bool) -> None:
    """Send the news of a night to the webhook and by mail, as the settings say (RIVERGIS_NOTICE_*, RIVERGIS_SMTP_*).

    A night in which nothing changed is not told. Exit code 6 where a notice did not go out.

    \b
    Example:
      rivergis nightly notify --date 2026-05-20
    """
    from rivergis import rules
    from rivergis.errors import EnvironmentFault, UsageError
    from rivergis.jobs import notice

    s, db = common.settings(), common.database()
    common.acting(db, actor, "run_jobs")
    if not (s.notices.webhook or s.notices.mail_to):
        raise UsageError("No notice is set: give RIVERGIS_NOTICE_WEBHOOK or RIVERGIS_NOTICE_MAIL_TO.")
    sent = notice.after_night(db, s, rules.load(s.rules_dir), _night(day))
    if as_json:
        common.emit(sent, True)
    else:
        for line in [x.sentence for x in sent] or ["Nothing changed in this night: no notice was sent."]:
            common.say(line)
    if failed := [x.sentence for x in sent if not x.ok]:
        raise EnvironmentFault(failed[0])


COMMANDS: tuple[click.Command, ...] = (report, notify)
