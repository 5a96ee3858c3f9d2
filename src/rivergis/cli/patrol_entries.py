"""``rivergis patrol entry`` and ``paper-log``: patrols without a track, and the printable sheet they are written on."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from rivergis.cli import common
from rivergis.cli.patrol_records import county_rules

FILE = click.Path(path_type=Path)
DAY = common.CivilDay()
reason_option = click.option("--reason", required=True, help="Why, in a few words; it stays with the entry.")


@click.group("entry")
def entry() -> None:
    """Patrols without a track (纸质、手绘、无人机、现场办公、委托): enter, list, take back, merge."""


@entry.command()
@click.option(
    "--kind",
    type=click.Choice(["paper", "hand_drawn", "drone", "on_site_meeting", "proxy"]),
    default="paper",
    show_default=True,
    help="What it is.",
)
@click.option("--chief", required=True, help="Code of the chief, number of the sheet, or a name that only one bears.")
@click.option("--day", required=True, metavar="YYYY-MM-DD", help="Civil day of the patrol.")
@click.option("--river", default="", help="Code or name, where the places lie on several rivers of the chief.")
@click.option("--from", "begin", default="", help="Landmark or chainage (3+200) where it began.")
@click.option("--to", "end", default="", help="Landmark or chainage where it ended.")
@click.option(
    "--bank",
    type=click.Choice(["left", "right", "both"]),
    default="both",
    show_default=True,
    help="Looking downstream.",
)
@click.option("--started", default="", metavar="HH:MM", help="Start, Beijing time.")
@click.option("--ended", default="", metavar="HH:MM", help="End, Beijing time.")
@click.option("--minutes", default="", help="How long, if no hours are said.")
@click.option("--metres", default="", help="How far, as said.")
@click.option("--problems", default="", help="How many problems were found.")
@click.option("--note", default="", help="What else stands on the sheet.")
@click.option("--person", default="", help="With --kind proxy: who went.")
@click.option("--scan", type=FILE, default=None, help="Scan of the sheet (PDF, PNG, JPEG, TIFF).")
@click.option("--line", "drawn", type=FILE, default=None, help="With --kind hand_drawn: file with the drawn line.")
@common.actor_option
@common.json_option
def add(scan: Path | None, actor: str | None, as_json: bool, **told: Any) -> None:
    """Enter one patrol. It counts for the frequency, apart from coverage proven by tracks; a late track takes it over.

    \b
    Example:
      rivergis patrol entry add --chief HZ50019900120201 --day 2026-05-20 --from 石桥 --to 栖云堰 --minutes 40
      rivergis patrol entry add --kind hand_drawn --chief HZ50019900120201 --day 2026-05-20 --line way.geojson
    """
    from rivergis.errors import InputError
    from rivergis.patrol import entry_workflow
    from rivergis.patrol.typed import Typed

    db, s = common.database(), common.settings()
    who = common.acting(db, actor, "import")
    kept = None if scan is None else entry_workflow.scan_of(scan, s.store_dir)
    [done] = entry_workflow.enter(db, [Typed(**told, scan=kept)], actor=who, view=county_rules())
    if done.problems:
        raise InputError("; ".join(done.problems))
    state = "此前已录入 known before" if done.known else "已录入 entered"
    merged = f"; 已并入轨迹 merged into track {done.merged_into}" if done.merged_into else ""
    common.emit(done, as_json, f"{state}: {done.entry_id} {done.where}{merged}")


@entry.command("list")
@click.option("--from", "first", type=DAY, required=True, help="First civil day.")
@click.option("--to", "last", type=DAY, required=True, help="Last civil day, inclusive.")
@click.option(
    "--proposed",
    is_flag=True,
    help="Only what a person has to decide: entry and track that may be one patrol, and entries that tell of one twice.",
)
@common.actor_option
@common.json_option
def list_(first: datetime, last: datetime, proposed: bool, actor: str | None, as_json: bool) -> None:
    """List entries with their state, or what waits for a decision. Names people (capability view_tracks).

    \b
    Example:
      rivergis patrol entry list --from 2026-05-01 --to 2026-05-31
      rivergis patrol entry list --from 2026-05-01 --to 2026-05-31 --proposed
    """
    from rivergis.patrol import entry_store, merge_workflow

    db = common.database()
    common.may_see_patrols(db, actor, "entries")
    view = county_rules()
    with db.read() as conn:
        if proposed:
            pairs = merge_workflow.proposals(conn, first.date(), last.date(), view)
            twins = merge_workflow.twins(conn, first.date(), last.date(), view)
        else:
            found = entry_store.entries(conn, first.date(), last.date())
            parts = entry_store.stretches(conn, list(found["id"]))
    if proposed:
        _show_pairs(pairs, twins, as_json)
    else:
        _show_entries(found, parts, as_json)


def _show_pairs(pairs: list[dict[str, Any]], twins: list[dict[str, Any]], as_json: bool) -> None:
    from rivergis import words

    if as_json:
        common.emit({"pairs": pairs, "twins": twins}, True)
        return
    rows = [(p["entry_id"][:8], p["day"], p["chief"], p["track_id"], p["why"]) for p in pairs]
    common.table(("记录 entry", "日期 day", "河长 chief", "轨迹 track", "缘由 why"), rows)
    if twins:
        both = [
            (
                t["entry_id"][:8],
                t["other_id"][:8],
                t["day"],
                t["chief"],
                " / ".join(words.both(f"entry_kind.{k}") for k in t["kinds"]),
            )
            for t in twins
        ]
        title = "可能同一次记了两条,撤回其一 perhaps one patrol told twice: withdraw one"
        common.table(("记录 entry", "另一条 other", "日期 day", "河长 chief", "方式 kinds"), both, title)


def _show_entries(found: Any, parts: Any, as_json: bool) -> None:
    from rivergis import words

    where = {i: _stretch_words(rows) for i, rows in parts.groupby("entry_id")}
    if as_json:
        told = common.rows_of(found)
        common.emit([{**r, "where": where.get(r["id"], "")} for r in told], True)
        return
    rows = [
        (
            str(r["id"])[:8],
            r["day"],
            r["chief"],
            words.both(f"entry_kind.{r['kind']}"),
            where.get(r["id"], ""),
            None if r["minutes"] is None else round(r["minutes"]),
            words.both(f"entry_state.{r['state']}"),
        )
        for r in common.rows_of(found)
    ]
    common.table(("编号 id", "日期 day", "河长 chief", "方式 kind", "河段 where", "分钟 min", "状态 state"), rows)


def _stretch_words(rows: Any) -> str:
    from rivergis.river.chainage import label

    said = []
    for s in common.rows_of(rows):
        ends = [
            s[f"{end}_landmark"] or (None if s[f"{end}_m"] is None else label(s[f"{end}_m"])) for end in ("from", "to")
        ]
        said.append(" ".join([s["river"] or "", "–".join(e for e in ends if e)]).strip())
    return "; ".join(said)


@entry.command()
@click.argument("entry_id", metavar="ENTRY")
@reason_option
@common.actor_option
@common.json_option
def withdraw(entry_id: str, reason: str, actor: str | None, as_json: bool) -> None:
    """Take an entry back: it stays visible and counts no more.

    \b
    Example:
      rivergis patrol entry withdraw 3f2a9c1e --reason 日期填错
    """
    from rivergis.patrol import merge_workflow

    db = common.database()
    done = merge_workflow.withdraw(db, entry_id, reason, actor=common.acting(db, actor, "import"))
    common.emit(done, as_json, f"{done['entry_id'][:8]}: 已撤回 withdrawn")


@entry.command()
@click.argument("entry_id", metavar="ENTRY")
@reason_option
@common.actor_option
@common.json_option
def restore(entry_id: str, reason: str, actor: str | None, as_json: bool) -> None:
    """Let a withdrawn or merged entry count again; from then on only people merge it.

    \b
    Example:
      rivergis patrol entry restore 3f2a9c1e --reason 下午另走一次
    """
    from rivergis.patrol import merge_workflow

    db = common.database()
    done = merge_workflow.restore(db, entry_id, reason, actor=common.acting(db, actor, "import"))
    common.emit(done, as_json, f"{done['entry_id'][:8]}: 计入频次 counted")


@entry.command()
@click.argument("entry_id", metavar="ENTRY")
@click.option("--track", type=click.UUID, required=True, help="Id of the track that is the same patrol.")
@reason_option
@common.actor_option
@common.json_option
def merge(entry_id: str, track: uuid.UUID, reason: str, actor: str | None, as_json: bool) -> None:
    """Say that an entry and a track are one patrol: the track counts, the entry stays visible.

    \b
    Example:
      rivergis patrol entry merge 3f2a9c1e --track 6c1c5d2e-7b1f-5e4e-9d60-0a1b2c3d4e5f --reason 问过本人
    """
    from rivergis.patrol import merge_workflow

    db = common.database()
    done = merge_workflow.merge_by_hand(db, entry_id, track, reason, actor=common.acting(db, actor, "import"))
    common.emit(done, as_json, f"{done['entry_id'][:8]}: 已并入轨迹 merged into track {done['track_id']}")


@click.command("paper-log")
@click.option("--unit", default=None, metavar="ADCODE", help="Chiefs of this unit and of those below it.")
@click.option("--chief", default=None, metavar="CODE", help="Only this chief.")
@click.option("--on", "on", type=DAY, default=None, help="Civil day whose duties hold (default: today).")
@click.option("--out", type=FILE, required=True, help="File to write: .pdf or .html.")
@common.json_option
def paper_log(unit: str | None, chief: str | None, on: datetime | None, out: Path, as_json: bool) -> None:
    """Print a page of A4 per chief: landmarks of the stretches with boxes per bank, fields to fill, a number to enter it by.

    \b
    Example:
      rivergis patrol paper-log --unit 500199001 --out 巡河日志.pdf
    """
    from rivergis.errors import UsageError
    from rivergis.reports import paper_log as report

    if unit is None and chief is None:
        raise UsageError("Say for whom: --unit ADCODE or --chief CODE.")
    within_m = county_rules().number("river.chainage.max_offset")
    with common.database().read() as conn:
        made = report.write(conn, out, on.date() if on else date.today(), within_m, unit, chief)
    if as_json:
        common.emit(
            [
                {
                    "number": s.number,
                    "chief_code": s.chief_code,
                    "chief": s.chief,
                    "unit": s.unit,
                    "pages": len(s.pages()),
                }
                for s in made
            ],
            True,
        )
        return
    rows = [(s.number, s.unit, s.chief, s.title, len(s.pages())) for s in made]
    common.head(("表号 sheet", "行政区 unit", "河长 chief", "职务 title", "页 pages"), rows)
    common.say(f"{len(made)} → {out}")


COMMANDS = (entry, paper_log)
