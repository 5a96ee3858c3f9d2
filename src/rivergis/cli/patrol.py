"""``rivergis patrol``: the group, scoring on files, and what the retention period has passed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from rivergis.cli import (
    common,
    patrol_duty,
    patrol_entries,
    patrol_receive,
    patrol_records,
    patrol_reports,
    patrol_score,
)
from rivergis.errors import UsageError


@click.group("patrol")
def command() -> None:
    """巡河: which metres of which bank were seen, who owes a visit, and the papers about it.

    On files, without a database: score. Tracks come in with 'rivergis import track'.

    \b
    Example:
      rivergis patrol score walk.gpx --reaches county.gpkg --layer reach
      rivergis patrol next --days 7
      rivergis patrol bulletin --month 2026-05 --out bulletin.pdf
    """


for verb in (
    *patrol_receive.COMMANDS,
    *patrol_reports.COMMANDS,
    *patrol_duty.COMMANDS,
    *patrol_records.COMMANDS,
    *patrol_entries.COMMANDS,
):
    command.add_command(verb)


@command.command()
@click.argument("track", type=click.Path(path_type=Path))
@click.option(
    "--reaches",
    "reaches_file",
    type=click.Path(path_type=Path),
    default=None,
    help="LineStrings, digitised downstream; kind, half_width_m, visible_m are used if present. Not for a folder, which brings its own.",
)
@click.option("--layer", default=None, help="Layer of the reaches in their file.")
@click.option(
    "--datum",
    type=click.Choice(["wgs84", "cgcs2000", "gcj02", "bd09"]),
    default=None,
    help="Datum of the track (default: not declared; told by its fit to the rivers).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="Write the result: .json (all of it), or for one track .geojson, .gpkg, .csv, .html.",
)
@common.json_option
def score(
    track: Path, reaches_file: Path | None, layer: str | None, datum: str | None, out: Path | None, as_json: bool
) -> int:
    """Which metres of which bank a TRACK has seen, and why the rest was not.

    TRACK is a track file (with --reaches; no rule and no assignment is applied, so nothing is called effective), or a
    folder with tracks.json, reaches.geojson and the tracks it lists, each with its assigned reaches and rule.

    \b
    Example:
      rivergis patrol score walk.gpx --reaches county.gpkg --layer reach --out walk.html
      rivergis patrol score may2026/ --out result.json
    """
    if track.is_dir():
        if reaches_file is not None or datum is not None or layer is not None:
            raise UsageError(
                "A folder brings its own reaches.geojson and datums: leave --reaches, --layer and --datum out."
            )
        return patrol_score.folder(track, out, as_json)
    if reaches_file is None:
        raise UsageError(f"{track.name} is one track: say with --reaches which file holds the reaches.")
    return patrol_score.single(track, reaches_file, layer=layer, datum=datum, out=out, as_json=as_json)


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
