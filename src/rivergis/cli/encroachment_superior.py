"""``rivergis encroachment superior``: lists of higher levels in with their numbers, and reported back in their own form."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common
from rivergis.cli.encroachment_baseline import desk, left

if TYPE_CHECKING:
    from rivergis.encroachment.superior_workflow import TakenIn

DAY = common.CivilDay()
FILE = click.Path(path_type=Path)
_NAMED = 12

list_option = click.option("--list", "name", required=True, help="Name of the list, such as 2026年省级暗访.")
profile_option = click.option(
    "--profile", default="national", show_default=True, help="List profile from gis/rules/list_fields."
)


def reading_options(command: Any) -> Any:
    """Options of a command that reads a list."""
    return profile_option(common.reading_options(command))


@click.group("superior")
def superior() -> None:
    """Lists of higher levels (上级清单): their numbers are kept, and their own form goes back filled in."""


@superior.command("import")
@click.argument("file", type=FILE)
@list_option
@click.option(
    "--kind",
    type=click.Choice(["problems", "tasks"]),
    default="problems",
    show_default=True,
    help="Problems (问题清单), or tasks (整改任务分解表).",
)
@click.option("--issued-by", default=None, help="Who issued it.")
@click.option(
    "--issued-on", type=DAY, default=None, help="Civil day it was issued: deadlines without a year count from it."
)
@click.option(
    "--night", type=DAY, default=None, help="Compare with the leads of this night (default: the last that ran)."
)
@reading_options
@common.actor_option
@common.json_option  # fmt: skip
def import_(
    file: Path,
    name: str,
    kind: str,
    issued_by: str | None,
    issued_on: datetime | None,
    night: datetime | None,
    actor: str | None,
    as_json: bool,
    **o: Any,
) -> int:
    """Take in a list: a problem that means a lead gives it its number and moves it in your name, one that means none opens a case.

    Of a table of tasks every row is kept with its deadline as a day and a standing duty. What cannot be read, may mean several or has
    no place is listed and not decided (exit code 4). The same file again changes nothing. Takes inspect.

    \b
    Example:
      rivergis encroachment superior import 暗访问题清单.xlsx --list 2026年省级暗访 --issued-on 2026-05-20 --as demo-inspector
      rivergis encroachment superior import 整改任务分解表.xlsx --list 水污染整改 --kind tasks --as demo-inspector
    """
    from rivergis.encroachment import baseline_files, superior_workflow
    from rivergis.encroachment.superior_workflow import ListOf
    from rivergis.intake.delivery import Asked
    from rivergis.intake.limits import Limits
    from rivergis.jobs import reference

    settings = common.settings()
    db = common.database()
    who = common.acting(db, actor, "inspect")
    profile = baseline_files.load_profile(o["profile"], settings.rules_dir)
    asked = Asked(o["source_layer"], o["crs"], o["datum"], o["encoding"])
    options = {k: o[k] for k in ("source_layer", "crs", "datum", "encoding") if o[k]}
    about = ListOf(name, kind, profile, issued_by, issued_on.date() if issued_on else None, options)
    table = superior_workflow.read(
        file, about, asked=asked, reference=reference.of_database(db), limits=Limits.of(settings.max_limits)
    )
    done = superior_workflow.take_in(desk(db, who, night.date() if night else None), table, about)
    _show(done, as_json)
    return common.EXIT_PARTLY if done.doubts or any(i.start == "listed" for i in done.items) else 0


def _show(done: TakenIn, as_json: bool) -> None:
    from rivergis import words

    if as_json:
        items = [{k: v for k, v in vars(i).items() if k not in ("place", "said")} for i in done.items]
        common.emit(
            {
                **common.plain({k: v for k, v in vars(done).items() if k != "items"}),
                "counts": done.counts,
                "items": items,
            },
            True,
        )
        return
    known = " (已有 known)" if done.known else ""
    common.say(f"{done.name}: 第 {done.version} 次 delivery {done.version}{known}, {done.rows} 行 rows")
    if done.items:
        common.say("  " + ", ".join(f"{words.both('baseline_how.' + k)} {n}" for k, n in done.counts.items()))
    if done.awaiting:
        common.say(
            f"  待他人销号 to be closed by another person: {done.awaiting} (rivergis encroachment superior close --list {done.name} --as NAME)"
        )
    for i in [i for i in done.items if i.start == "listed"][:_NAMED]:
        may_be = ", ".join(m["finding"][:8] for m in i.figures.get("may_be", ())) or left(i.figures)
        common.say(f"  {i.number}: {words.both('baseline_how.' + i.how)} {may_be}")
    for d in done.doubts[:_NAMED]:
        common.say(f"  {d['number']}: {words.both('deadline.' + d['code'])}: {d['said'][:60]}")
    if (more := len(done.doubts) - _NAMED) > 0:
        common.say(f"  另有 {more} more; --json")


@superior.command("list")
@click.option("--list", "name", default=None, help="A list; without it, the lists there are.")
@common.json_option
def list_(name: str | None, as_json: bool) -> None:
    """The lists there are, or every row of one: number, case or task, deadline, and what could not be read.

    \b
    Example:
      rivergis encroachment superior list
      rivergis encroachment superior list --list 2026年省级暗访
    """
    from rivergis.encroachment import superior_store

    head: tuple[str, ...]
    rows: list[Any]
    with common.database().read() as conn:
        if name is None:
            found = superior_store.lists(conn)
            rows = [
                (x["name"], x["kind"], x["version"], x["issued_by"], x["issued_on"], x["rows"], x["linked"], x["doubts"]) for x in found
            ]  # fmt: skip
            head = (
                "清单 list",
                "类 kind",
                "版 delivery",
                "印发 by",
                "日期 on",
                "行 rows",
                "已对应 linked",
                "存疑 doubts",
            )
        else:
            found = superior_store.items(conn, superior_store.named(conn, name)["id"])
            rows = [
                (
                    i["number"], str(i["finding_id"] or "")[:8], i["how"] or i["step"], i["due_on"], "长期" if i["standing"] else "",
                    "; ".join(f"{d['field']}: {d['said'][:24]}" for d in i["doubts"]),
                )
                for i in found
            ]  # fmt: skip
            head = ("编号 number", "线索 case", "对应 how", "时限 due", "长期 standing", "存疑 doubts")
    if as_json:
        common.emit(found, True)
    else:
        common.head(head, rows)


@superior.command("link")
@list_option
@click.option("--number", required=True, help="Number in the list.")
@click.option("--case", default=None, help="The case it means: its running number, or the start of its id.")
@click.option("--new", is_flag=True, help="It means a case of its own: open one at the place the row says.")
@click.option("--none", "off", is_flag=True, help="It means no case: take the number off.")
@click.option("--reason", required=True, help="Why, in words.")
@profile_option
@common.actor_option
@common.json_option
def link(
    name: str,
    number: str,
    case: str | None,
    new: bool,
    off: bool,
    reason: str,
    profile: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """Say which case a number means, where the machine could not: one there is, a new one, or none. Takes inspect.

    \b
    Example:
      rivergis encroachment superior link --list 2026年省级暗访 --number CQ-2026-017 --case 500199-2026-0003 --reason 现场核对 --as demo-inspector
    """
    from rivergis.encroachment import baseline_files, superior_workflow
    from rivergis.errors import UsageError

    if (case is not None) + new + off != 1:
        raise UsageError("Give one of --case, --new and --none.")
    db = common.database()
    who = common.acting(db, actor, "inspect")
    lists = baseline_files.load_profile(profile, common.settings().rules_dir)
    finding = superior_workflow.link(desk(db, who, None), name, number, case, lists, new=new, reason=reason)
    common.emit({"list": name, "number": number, "case": str(finding) if finding else None}, as_json)


@superior.command("close")
@list_option
@common.actor_option
@common.json_option
def close(name: str, actor: str | None, as_json: bool) -> int:
    """Close, as another person than who imported it, the cases that a list says are closed. Takes review_findings.

    \b
    Example:
      rivergis encroachment superior close --list 2026年省级暗访 --as demo-reviewer
    """
    from rivergis.encroachment import superior_store, superior_workflow

    db = common.database()
    who = common.acting(db, actor, "review_findings")
    with db.read() as conn:
        superior_store.named(conn, name, "problems")
    done = superior_workflow.close_taken_over(desk(db, who, None), [name])
    if as_json:
        common.emit(done, True)
    else:
        common.say(f"{name}: 据清单销号 closed {done.closed}, 未能销号 refused {len(done.refused)}")
        for r in done.refused[:_NAMED]:
            common.say(f"  {r['finding'][:8]}: {r['why']}")
    return common.EXIT_PARTLY if done.refused else 0


@superior.command("task")
@list_option
@click.option("--number", required=True, help="Serial number of the task.")
@click.option(
    "--state",
    type=click.Choice(["done", "accepted", "open"]),
    required=True,
    help="Done (takes inspect), accepted by another person (takes review_findings), or open again.",
)
@click.option("--reason", required=True, help="What was done, or why, in words.")
@click.option("--attachment", type=FILE, default=None, help="Document or photo.")
@common.actor_option
@common.json_option  # fmt: skip
def task(
    name: str, number: str, state: str, reason: str, attachment: Path | None, actor: str | None, as_json: bool
) -> None:
    """Say of a task (整改任务) that it is done, accepted, or open again.

    \b
    Example:
      rivergis encroachment superior task --list 水污染整改 --number 24 --state done --reason 设施已拆除 --as demo-inspector
    """
    from rivergis.encroachment import superior_workflow

    db = common.database()
    who = common.acting(db, actor, "review_findings" if state == "accepted" else "inspect")
    superior_workflow.step(desk(db, who, None), name, number, state, reason, attachment)
    common.emit({"list": name, "number": number, "state": state, "by": who}, as_json)


@superior.command("export")
@list_option
@click.option("--out", type=FILE, required=True, help="File to write, with the ending the list came with.")
@profile_option
@common.actor_option
@common.json_option
def export(name: str, out: Path, profile: str, actor: str | None, as_json: bool) -> int:
    """Report a list back in its own form: same columns, order and cells; state, days and evidence filled in. Takes export.

    \b
    Example:
      rivergis encroachment superior export --list 2026年省级暗访 --out 回报.xlsx --as demo-inspector
    """
    from rivergis.db import system
    from rivergis.encroachment import baseline_files, superior_report_workflow

    common.not_its_source(out)
    db = common.database()
    who = common.acting(db, actor, "export")
    settings = common.settings()
    lists = baseline_files.load_profile(profile, settings.rules_dir)
    with db.read() as conn:
        done = superior_report_workflow.export(conn, name, out, settings.store_dir, lists)
    with db.write(who) as conn:
        system.audit(conn, who, "export", "superior", {"list": name, "rows": done.rows})
    if as_json:
        common.emit(done, True)
    else:
        filled = ", ".join(f"{f} {n}" for f, n in done.filled.items()) or "0"
        common.say(f"{done.rows} 行 rows → {done.file}; 已填 filled in: {filled}")
        if done.without_case:
            common.say(
                f"  无对应案件 without a case: {', '.join(done.without_case[:_NAMED])} ({len(done.without_case)})"
            )
        for feature, column in done.cut[:_NAMED]:
            common.say(f"  {feature}: {column} 放不下,已截短 does not hold it whole, cut")
    return common.EXIT_PARTLY if done.without_case else 0


COMMANDS: tuple[click.Command, ...] = (superior,)
