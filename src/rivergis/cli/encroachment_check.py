"""``rivergis encroachment check``: files against files, without a database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from rivergis.cli import common


@click.command()
@click.option("--boundary", type=click.Path(path_type=Path), required=True, help="Management areas (polygons).")
@click.option(
    "--candidates", type=click.Path(path_type=Path), required=True, help="Objects on the ground (polygons or points)."
)
@click.option(
    "--permits",
    type=click.Path(path_type=Path),
    default=None,
    help="Permits (polygons with allows, valid_from, valid_to).",
)
@click.option(
    "--layer",
    "layers",
    multiple=True,
    metavar="WHAT=LAYER",
    help="Layer inside a file: boundary=, candidates= or permits=; repeatable.",
)
@click.option(
    "--as-of",
    "day",
    type=common.CivilDay(),
    default=None,
    help="Civil day on which permits are judged (default: today).",
)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Write the result as JSON.")
@common.json_option
def check(
    boundary: Path,
    candidates: Path,
    permits: Path | None,
    layers: tuple[str, ...],
    day: datetime | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """What lies inside the line, less what a permit allows.

    \b
    Example:
      rivergis encroachment check --boundary line.gpkg --candidates patches.geojson --as-of 2026-05-20
    """
    from rivergis import rules, words
    from rivergis.encroachment import files

    on = (day or datetime.now()).date()
    view = rules.load(common.settings().rules_dir).at(("000000",), on)
    result = files.check_files(
        boundary, candidates, permits, view, on, layers={k: v for k, _, v in (w.partition("=") for w in layers)}
    )
    if out is not None:
        common.write_json(out, result)
    if as_json:
        common.emit(result, True)
        return
    common.table(
        ("对象 candidate", "类型 kind", "界内 m²", "位置 position", "界线 basis"),
        [
            (
                x["candidate"],
                words.both("kind." + x["kind"]),
                x["area_m2"],
                words.both("position." + x["position"]),
                words.both("basis." + str(x["basis"])),
            )
            for x in result.leads
        ],
        title=f"{on}: {len(result.leads)} 条 leads, {len(result.not_leads)} 未报 not told",
    )
    click.echo(words.both("page.disclaimer"))


COMMANDS: tuple[click.Command, ...] = (check,)
