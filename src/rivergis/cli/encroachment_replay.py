"""``rivergis encroachment replay`` and ``queue``: verdicts made again, and permits that wait for a person."""

from __future__ import annotations

import sys
from datetime import date, datetime

import click

from rivergis.cli import common
from rivergis.errors import UsageError


@click.command()
@click.argument("finding", required=False)
@click.option("--night", "day", type=common.CivilDay(), default=None, help="The verdicts given in this night.")
@click.option("--all", "every", is_flag=True, help="Every verdict of the database.")
@click.option("--fail-on", type=click.Choice(("differs",)), default=None, help="Exit code 1 when a verdict differs.")
@common.json_option
def replay(finding: str | None, day: datetime | None, every: bool, fail_on: str | None, as_json: bool) -> None:
    """Make recorded verdicts again from what was known then, and hold them beside what was said.

    FINDING is the id of a lead or the start of it. Lines, permits and registers are those known that night, the rules those
    that the database kept: later imports and edited rule files change nothing. Says equal, or what differs and with which software.

    \b
    Exit codes: 0 done; 1 what --fail-on names was found.
    Example:
      rivergis encroachment replay 3f2a91c0
      rivergis encroachment replay --night 2026-05-20 --fail-on differs
    """
    from rivergis import words
    from rivergis.jobs import replay as job

    if every == bool(finding or day):
        raise UsageError("Name a lead, a night or both, or say --all.")
    done = job.replay(common.database(), finding, None if day is None else day.date())
    if as_json:
        common.emit(done, True)
    else:
        common.table(
            ("编号 id", "核查 check", "夜次 night", "规则 rules", "结果 result", "说明 because"),
            [
                (
                    r.finding[:8],
                    words.both(f"topic.{r.topic}"),
                    r.night,
                    r.rule_set,
                    words.both(f"replay.{r.outcome}"),
                    _why(r),
                )
                for r in done
            ],
        )
        same = sum(r.outcome == "equal" for r in done)
        click.echo(f"复算一致 equal: {same} / {len(done)}")
    if fail_on and any(r.outcome == "differs" for r in done):
        sys.exit(1)


def _why(done: object) -> str:
    from rivergis.encroachment.replay_workflow import Replayed

    assert isinstance(done, Replayed)
    told = [f"{d.what}: {d.then} → {d.now}" for d in done.differences[:3]]
    more = [f"… {len(done.differences) - 3}"] if len(done.differences) > 3 else []
    engines = sorted({*done.engine_then, *done.engine_now})
    other = [
        f"{e} {done.engine_then.get(e)} → {done.engine_now.get(e)}"
        for e in engines
        if done.outcome == "differs" and done.engine_then.get(e) != done.engine_now.get(e)
    ]
    return "; ".join([*([done.because] if done.because else []), *told, *more, *other])


@click.command()
@click.option("--night", "day", type=common.CivilDay(), default=None, help="As this night left it (default: the last).")
@common.json_option
def queue(day: datetime | None, as_json: bool) -> None:
    """Objects beside a permit that a person must place or see the papers of (有许可·待核位置).

    A permit that says in words where it holds is never taken off and never ignored: its neighbours wait here until the permit
    is imported again with its polygon (the same code, position_kind polygon: a new version of it). A permanent work whose
    permit has ended waits until its acceptance is seen (accepted_on).

    \b
    Example:
      rivergis encroachment queue
      rivergis encroachment queue --night 2026-05-20 --json
    """
    from rivergis import words
    from rivergis.encroachment import store

    night: date | None = None if day is None else day.date()
    with common.database().read() as conn:
        rows = store.permit_queue(conn, night)
    if as_json:
        common.emit(rows, True)
        return
    common.table(
        ("夜次 night", "待核 waits for", "对象 object", "类别 kind", "许可 permit", "河流 river", "桩号 chainage", "村 village"),
        [
            (r["night"], words.both(f"reason.{r['queue']}"), r["code"], words.both(f"kind.{r['kind']}"), "、".join(r["permits"] or []),
             r["river"], r["chainage"], r["village"])
            for r in rows
        ],
    )  # fmt: skip


COMMANDS: tuple[click.Command, ...] = (replay, queue)
