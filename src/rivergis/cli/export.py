"""``rivergis export``: a layer out as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from rivergis.cli import common

DAY = common.CivilDay()


@click.command("export")
@click.argument("layer")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--filter", "filter_", metavar="CQL2", default=None, help="Which features, as CQL2 text.")
@click.option(
    "--crs",
    default=None,
    help="EPSG:CODE, or local: the CGCS2000 3-degree zone of the place (default for .xlsx and .dxf; others EPSG:4490).",
)
@click.option(
    "--encoding",
    type=click.Choice(["GBK", "UTF-8"], case_sensitive=False),
    default=None,
    help="Text of .shp, .zip, .dxf.",
)
@click.option("--as-of", type=DAY, default=None, help="Civil day on which the rows are in force (default: today).")
@click.option(
    "--known-at", metavar="TIME", default=None, help="As known then: 2026-05-20T08:00:00+08:00 (default: now)."
)
@click.option("--namespace", default=None, help="Only what this namespace gave codes to (default: all).")
@click.option("--layer-name", default=None, help="Name of the layer inside the file (default: LAYER).")
@click.option("--fields", metavar="A,B,…", default=None, help="Only these columns (default: all).")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")
@common.actor_option
@common.json_option
def command(layer: str, out: Path, actor: str | None, as_json: bool, **o: Any) -> int:
    """Export LAYER to OUT; the ending says the format:
    .gpkg .shp .zip .geojson .geojsonl .fgb .parquet .kml .gml .gdb .csv .xlsx .dxf

    Columns are those of docs/layers.md, then the attributes as delivered (NAME_delivered where ours has the name and
    says something else). Needs the capability export; every export is in the audit.

    A layer in several 3-degree zones (--crs local), or with points and areas where a format holds one kind, goes out as
    several files (OUT_zone35, OUT_zone36; OUT_point, OUT_area). A Shapefile comes with OUT.fields.csv: what its short names
    stand for. In .csv and .xlsx a text that a spreadsheet would take for a formula (= + - @ …) gets an apostrophe before
    it, and so does one that begins with an apostrophe: take one away to have it back.

    Exit codes: 0 done, also with no feature; 4 some text could not go out whole (said, with its place).

    \b
    Example:
      rivergis export boundary_line lines.shp --crs local --encoding GBK
      rivergis export stake stakes.xlsx --filter "bank = 'left' AND at_m BETWEEN 0 AND 5000"
      rivergis export outfall near.gpkg --filter "S_INTERSECTS(geom, BBOX(106.0, 29.3, 106.1, 29.5))"
    """
    from rivergis.db import system
    from rivergis.maps import export

    db = common.database()
    who = common.acting(db, actor, "export")
    wanted = export.Wanted(
        layer,
        crs=o["crs"],
        encoding=o["encoding"],
        filter=o["filter_"],
        as_of=o["as_of"].date() if o["as_of"] else None,
        known_at=_moment(o["known_at"]),
        namespace=o["namespace"],
        layer_name=o["layer_name"],
        fields=_listed(o["fields"]),
        overwrite=o["overwrite"],
    )
    with db.read() as conn, export.stage(conn, wanted, out.absolute()) as staged:
        # nothing leaves the house without its line in the audit
        with db.write(who) as writing:
            system.audit(writing, who, "export", f"layer:{layer}", staged.done.detail())
        staged.release()
    _show(staged.done, as_json)
    return 0 if staged.done.whole else common.EXIT_PARTLY


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no time: write 2026-05-20T08:00:00+08:00.", param_hint="--known-at"
        ) from error
    if moment.tzinfo is None:
        raise click.BadParameter("Name the time zone: 2026-05-20T08:00:00+08:00 or Z.", param_hint="--known-at")
    return moment.astimezone(UTC)


def _listed(text: str | None) -> tuple[str, ...] | None:
    return tuple(n.strip() for n in text.split(",") if n.strip()) if text is not None else None


def _show(done: Any, as_json: bool) -> None:
    if as_json:
        common.emit(done, True)
        return
    for file in done.files:
        system = f" · {file['crs']}" if file["crs"] else ""
        common.say(f"{file['file']}: {file['count']} 个要素 features{system}")
    for note in done.notes:
        common.say(f"  {note}", err=True)
