"""``rivergis encroachment nights``: identity over nights, on files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rivergis.cli import common
from rivergis.errors import UsageError


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Table of leads night by night, as .csv.")
@click.option("--at", "adcode", default=None, help="Adcode whose rules hold (default: the national ones).")
@click.option("--layer", default=None, help="Layer inside the files.")
@click.option(
    "--crs", default=None, callback=common.known_system, help="Coordinate system, where the files do not say it."
)
@click.option(
    "--datum", type=click.Choice(["wgs84", "cgcs2000", "gcj02", "bd09"]), default=None, help="Datum of the files."
)
@click.option("--encoding", default=None, help="Encoding of the text in the files, e.g. gbk.")
@common.json_option
def nights(
    folder: Path,
    out: Path,
    adcode: str | None,
    layer: str | None,
    crs: str | None,
    datum: str | None,
    encoding: str | None,
    as_json: bool,
) -> None:
    """Is it the same thing as last night? Replay the nights of FOLDER, one at a time, into a table of leads.

    FOLDER holds params.json (start day; limits over those of the rules), boundaries, permits, and for each night
    nights/NNN/candidates and nights/NNN/coverage; a redrawn boundary or another permit list stands in the folder of the
    night from which it holds. The table is whole after every night: a run that was ended goes on where it stood, a second
    run changes nothing, and a night that was changed afterwards is refused. The state stands beside the table.

    \b
    Example:
      rivergis encroachment nights may2026/ --out findings.csv
      rivergis encroachment nights may2026/ --out findings.csv --crs EPSG:4547
    """
    from datetime import date

    from rivergis import rules, words
    from rivergis.encroachment import night_files
    from rivergis.intake.delivery import Asked

    if out.suffix.lower() != ".csv":
        raise UsageError(f"{out.name}: the table of nights is written as .csv.")
    if not out.absolute().parent.is_dir() or out.is_dir():
        raise UsageError(f"{out}: its folder does not exist, or it is a folder itself: give the name of a file.")
    common.not_its_source(out)
    path = rules.path_of(adcode) if adcode else (rules.NATIONAL,)
    view = rules.load(common.settings().rules_dir).at(path, date.today())
    quiet = not sys.stderr.isatty()
    done = night_files.replay(
        folder,
        out,
        view,
        asked=Asked(layer, crs, datum, encoding),
        progress=(lambda line: None) if quiet else (lambda line: click.echo(f"  {line}", err=True)),
    )
    if as_json:
        common.emit(done.as_dict(), True)
        return
    click.echo(
        f"{done.nights} 夜 nights (此前 before: {done.nights_before}), {done.detections} 个对象 detections, "
        f"{done.leads} 条线索 leads"
    )
    common.table(
        ("状态 status", "数 count"), [(words.both("status." + s), n) for s, n in sorted(done.statuses.items())]
    )
    click.echo(words.both("page.disclaimer"))
    click.echo(f"→ {out}")


COMMANDS: tuple[click.Command, ...] = (nights,)
