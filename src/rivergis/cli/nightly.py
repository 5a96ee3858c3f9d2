"""``rivergis nightly``: run a night, show what it found, explain one lead."""

from __future__ import annotations

from datetime import date, datetime

import click

from rivergis.cli import common


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
@click.option("--at", "adcode", default=None, help="Adcode whose rules hold (default: the county in the database).")
@common.actor_option
@common.json_option
def run(day: datetime | None, adcode: str | None, actor: str | None, as_json: bool) -> None:
    """Run the night of a civil day. A second run changes nothing.

    \b
    Example:
      rivergis nightly run --date 2026-05-20
    """
    from rich.console import Console

    from rivergis import rules
    from rivergis.jobs import nightly

    s, db = common.settings(), common.database()
    who = common.acting(db, actor, "run_jobs")
    console = Console(stderr=True)
    result = nightly.run(
        db,
        rules.load(s.rules_dir),
        _date(day),
        who,
        adcode=adcode,
        store_dir=s.store_dir,
        report_dir=s.report_dir,
        progress=lambda step: console.print(f"  {step}", style="dim"),
    )
    if as_json:
        common.emit(result, True)
        return
    _summary(result)


def _summary(result: object) -> None:
    from rivergis import words
    from rivergis.jobs.nightly import NightResult

    assert isinstance(result, NightResult)
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
    """List the leads of a night.

    \b
    Example:
      rivergis nightly show --date 2026-05-20
    """
    from rivergis import words
    from rivergis.encroachment import store

    night = _date(day)
    with common.database().read() as conn:
        frame = store.findings_of_night(conn, night)
    rows = [dict(r._asdict()) for r in frame.drop(columns="geom").itertuples(index=False)]
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
