"""``rivergis boundary stakes record/list/history/set/lost/damaged/moved/restored``: stakes in the database and what becomes of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from rivergis.cli import common
from rivergis.cli.river_chainage import position

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("package", metavar="GPKG", type=FILE)
@click.option("--namespace", required=True, help="Who gave the codes of rivers and stakes.")
@common.actor_option
@common.json_option
def record(package: Path, namespace: str, actor: str | None, as_json: bool) -> None:
    """Record the stakes (planned, 待埋设) and boards of a placing; numbers that are known stay as they are.

    \b
    Example:
      rivergis boundary stakes record stakes.gpkg --namespace 500199
    """
    from rivergis.boundary.stake import workflow as stake_workflow

    db = common.database()
    done = stake_workflow.record(db, package, common.acting(db, actor, "draft_boundary"), namespace=namespace)
    common.emit(
        done,
        as_json,
        f"界桩 stakes: {done.stakes} 新 new, {done.known} 已有 known before; 公告牌 boards: {done.boards} 新 new, {done.boards_unchanged} 未变 unchanged",
    )
    for sentence in done.set_aside:
        common.say(f"· {sentence}", err=True)


@click.command("list")
@click.option("--river", default=None, metavar="NAME", help="Code or name of one river.")
@click.option("--status", type=click.Choice(["planned", "good", "damaged", "lost"]), default=None, help="Only these.")
@click.option("--out", type=FILE, default=None, metavar="FILE", help="Where to: .gpkg, .geojson, .csv, .json.")
@common.json_option
def list_(river: str | None, status: str | None, out: Path | None, as_json: bool) -> None:
    """Stakes in force, in their order along each bank.

    \b
    Example:
      rivergis boundary stakes list --river 清溪 --status lost
    """
    from rivergis import words
    from rivergis.boundary.stake import store as stake_store
    from rivergis.river import chainage

    with common.database().read() as conn:
        found = stake_store.stakes(conn)
    kept = found[
        (river is None or (found["river_code"] == river) | (found["river"] == river))
        & (status is None or found["status"] == status)
    ]
    columns = ["code", "river", "river_code", "bank", "kind", "status", "at_m", "height_m", "vertical_datum", "moved_m", "moved_bearing_deg", "reason", "measured_on", "geom"]  # fmt: skip
    if out is not None or as_json:
        common.deliver(kept[columns], out, as_json, "stakes")
        return
    rows = [
        [
            s.code,
            s.river,
            words.both(f"bank.{s.bank}"),
            "" if s.at_m != s.at_m else chainage.label(s.at_m),
            words.choice("stake", "kind", s.kind),
            words.choice("stake", "status", s.status),
            "" if s.moved_m is None or s.moved_m != s.moved_m else f"{s.moved_m:.2f} m, {s.moved_bearing_deg:.1f}°",
        ]
        for s in kept.itertuples()
    ]
    common.head([words.both(f"stake_column.{c}") for c in ("code", "river", "bank", "chainage", "kind", "status", "moved")], rows)  # fmt: skip


@click.command()
@click.argument("number")
@click.option("--namespace", default=None, help="Where a number stands on several stakes.")
@common.json_option
def history(number: str, namespace: str | None, as_json: bool) -> None:
    """What became of one stake.

    \b
    Example:
      rivergis boundary stakes history QX-L-0012
    """
    from rivergis import words
    from rivergis.boundary.stake import store as stake_store
    from rivergis.boundary.stake import workflow as stake_workflow

    with common.database().read() as conn:
        row = stake_workflow.the_one(stake_store.stakes(conn, code=number, namespace=namespace), number)
        events = stake_store.events(conn, row["id"])
    if as_json:
        common.emit(common.rows_of(events), True)
        return
    rows = [
        [
            words.both(f"stake_event.{e.event}"),
            e.happened_on,
            e.reason,
            e.reported_by,
            e.actor,
            common.beijing(e.recorded_at),
        ]
        for e in events.itertuples()
    ]
    common.table(["事件 event", "日期 day", "说明 reason", "报告 reported by", "操作 actor", "记录时间 recorded"], rows)


def _event(name: str, does: str, example: str, *, place: bool = False, measured: bool = False) -> click.Command:
    """A command that records one kind of event."""

    @click.argument("number")
    @click.option("--on", "day", type=common.CivilDay(), required=True, help="Civil day it happened or was found.")
    @click.option("--reason", required=True, help="What was found, in words.")
    @click.option("--by", "reported_by", default=None, metavar="OFFICE", help="Who told it: an office or a role.")
    @click.option("--photo", type=FILE, default=None, help="Photo; kept under its hash.")
    @click.option("--namespace", default=None, help="Where a number stands on several stakes.")
    @common.actor_option
    @common.json_option
    def act(number: str, day: datetime, namespace: str | None, actor: str | None, as_json: bool, **told: Any) -> None:
        from rivergis import rules
        from rivergis.boundary.stake import workflow as stake_workflow

        s = common.settings()
        view = rules.load(s.rules_dir).at(rules.path_of("000000"), day.date())
        db = common.database()
        report = stake_workflow.Report(name, day.date(), **told)
        done = stake_workflow.report(
            db,
            number,
            report,
            common.acting(db, actor, "draft_boundary"),
            store_dir=s.data_dir,
            namespace=namespace,
            within_m=view.number("boundary.stake.belongs_within"),
            today=datetime.now(common.SHANGHAI).date(),
        )
        common.emit(done, as_json, _said(done))

    act.__doc__ = f"{does}\n\n\b\nExample:\n  rivergis boundary stakes {name} {example}\n"
    if place:
        act = click.option(
            "--to", metavar="LON,LAT", callback=position, default=None, help="Where it stands, in degrees."
        )(act)
    if measured:
        for option in (
            click.option("--height", "height_m", type=float, default=None, help="Measured height, m."),
            click.option("--vertical-datum", default=None, help="From what the height counts: 1985国家高程基准."),
            click.option("--measured-by", default=None, metavar="OFFICE", help="Who measured it."),
            click.option("--xy-error", "xy_error_m", type=float, default=None, help="Position error, one sigma, m."),
        ):
            act = option(act)
    return click.command(name)(act)


def _said(done: Any) -> str:
    from rivergis import words

    where = (
        ""
        if done.moved_m is None
        else f",距真实点位 off its true point {done.moved_m:.2f} m, {done.moved_bearing_deg:.1f}°"
    )
    if done.from_planned_m is not None:
        where = f",距设计点位 from the planned point {done.from_planned_m:.2f} m"
    event, status = words.both(f"stake_event.{done.event}"), words.choice("stake", "status", done.status)
    return f"{done.code}: {event} → {status}{where} (第 {done.version} 版 version)"


COMMANDS: tuple[click.Command, ...] = (
    record,
    list_,
    history,
    _event("set", "A planned stake was set: with where it stands and its height as measured.", "QX-L-0012 --on 2026-06-01 --reason 埋设 --to 106.00123,29.39456 --height 231.42 --vertical-datum 1985国家高程基准 --measured-by 县测绘院", place=True, measured=True),
    _event("lost", "A stake is gone.", "QX-L-0012 --on 2026-07-03 --reason 洪水冲毁 --by 巡河员 --photo lost.jpg"),
    _event("damaged", "A stake stands, but is broken or leans.", "QX-L-0012 --on 2026-07-03 --reason 桩体断裂"),
    _event("moved", "A stake stands elsewhere (移位桩): the way from the true point it marks is kept in metres and degrees.", "QX-L-0012 --on 2026-07-03 --reason 让道施工 --to 106.00125,29.39460", place=True),
    _event("restored", "A stake stands again on its true point, whole.", "QX-L-0012 --on 2026-09-01 --reason 补埋"),
)  # fmt: skip
