"""``rivergis patrol``: score a track on files, and purge what the retention period has passed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from rivergis.cli import common, patrol_duty, patrol_receive, patrol_records, patrol_reports


@click.group("patrol")
def command() -> None:
    """Patrol tracks (巡河)."""


for verb in (*patrol_receive.COMMANDS, *patrol_reports.COMMANDS, *patrol_duty.COMMANDS, *patrol_records.COMMANDS):
    command.add_command(verb)


@command.command()
@click.argument("track", type=click.Path(path_type=Path))
@click.option(
    "--reaches",
    "reaches_file",
    type=click.Path(path_type=Path),
    required=True,
    help="LineStrings, digitised downstream; kind and half_width_m are used if present.",
)
@click.option("--layer", default=None, help="Layer of the reaches in their file.")
@click.option(
    "--datum",
    type=click.Choice(["wgs84", "cgcs2000", "gcj02", "bd09"]),
    default=None,
    help="Datum of the track (default: not declared).",
)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Write the result as JSON.")
@common.json_option
def score(
    track: Path, reaches_file: Path, layer: str | None, datum: str | None, out: Path | None, as_json: bool
) -> None:
    """Which metres of which bank a TRACK has seen; no rule and no assignment is applied.

    \b
    Example:
      rivergis patrol score walk.gpx --reaches county.gpkg --layer reach
    """
    from rivergis import rules
    from rivergis.patrol import files

    view = rules.load(common.settings().rules_dir).at(("000000",), date.today())
    result = files.score_file(track, reaches_file, view, layer=layer, datum=datum)
    if out is not None:
        common.write_json(out, result)
    if as_json:
        common.emit(result, True)
        return
    common.table(
        ("河段 reach", "岸 bank", "自 from m", "至 to m"),
        [(c["reach_id"], c["bank"], c["from_m"], c["to_m"]) for c in result.covered],
        title=result.track,
    )
    click.echo(
        f"{result.figures['minutes']} min, {result.figures['metres']} m; " + "; ".join(r["zh"] for r in result.review)
    )


@command.command()
@common.actor_option
@common.json_option
def purge(actor: str | None, as_json: bool) -> None:
    """Remove fixes and raw files past the retention period; intervals and hashes stay.

    \b
    Example:
      rivergis patrol purge
    """
    from rivergis import rules
    from rivergis.patrol import workflow

    db, s = common.database(), common.settings()
    who = common.acting(db, actor, "run_jobs")
    days = int(rules.load(s.rules_dir).at(("000000",), date.today()).number("personal_data.track_retention"))
    count = workflow.purge_expired(db, today=date.today(), retention_days=days, store_dir=s.store_dir, actor=who)
    common.emit(
        {"purged": count, "retention_days": days},
        as_json,
        f"已清除 purged {count} 条轨迹 tracks older than {days} days",
    )
