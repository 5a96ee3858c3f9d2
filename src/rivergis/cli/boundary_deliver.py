"""``rivergis boundary deliver``: a delimitation handed over as files; and the verbs of what is published and how good it is."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import boundary_merge, boundary_publish, boundary_quality, boundary_terms, common

if TYPE_CHECKING:
    from rivergis.boundary.delivery.tables import Delivery
    from rivergis.rules import RuleView

FILE = click.Path(path_type=Path, exists=True)
FORMATS = ("shp", "gpkg", "dxf", "xlsx", "txt", "pdf")


@click.command("deliver")
@click.option("--draft", metavar="FILE|CODE", default=None, help="File of lines (and areas): draft.gpkg of 'boundary draft', Shapefile, DXF ...; or the code of a draft of the database.")  # fmt: skip
@click.option(
    "--version",
    "versions",
    multiple=True,
    metavar="CODE",
    help="Delimitation of the database, by its code; may be repeated.",
)
@click.option(
    "--river",
    "rivers",
    multiple=True,
    metavar="CODE",
    help="Without --draft and --version: only lines in force of this river.",
)
@click.option(
    "--on", type=common.CivilDay(), default=None, help="Civil day on which the lines are in force (default: today)."
)
@click.option(
    "--lines-layer", default=None, help="With a file: layer of the lines (default: the one there is, or 'lines')."
)
@click.option(
    "--areas", "areas_file", type=FILE, default=None, help="With a file: file of the areas (default: the same)."
)
@click.option("--areas-layer", default=None, help="With a file: layer of the areas.")
@click.option(
    "--crs",
    callback=common.known_system,
    default=None,
    help="With a file: its system, where it names none or a wrong one.",
)
@click.option("--source-encoding", default=None, help="With a file: its text encoding, where it names none.")
@click.option("--levees", type=FILE, default=None, help="Levee lines to deliver with it (XCDJX, SCDJX).")
@click.option("--stakes", type=FILE, default=None, help="Stakes to deliver with it.")
@click.option("--axes", type=FILE, default=None, help="River axes to show on the map.")
@click.option("--water", type=FILE, default=None, help="Water areas to show on the map.")
@click.option("--counties", type=FILE, default=None, help="Counties to show on the map.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write; must be new or empty.")
@click.option("--title", default=None, help="Title of map and metadata.")
@click.option("--zone", type=int, default=None, metavar="N", help="Put all into this 3-degree zone: its number (25-45) or central meridian (default: the zone of the place, one set of files a zone).")  # fmt: skip
@click.option("--zone-prefix/--no-zone-prefix", default=None, help="Eastings begin with the number of the zone (default: the rule boundary.deliver.zone_prefix).")  # fmt: skip
@click.option("--encoding", type=click.Choice(["GBK", "UTF-8"], case_sensitive=False), default="GBK", show_default=True, help="Text of Shapefiles and DXF.")  # fmt: skip
@click.option("--formats", metavar="A,B,…", default=",".join(FORMATS), show_default=True, help="What to write.")
@click.option(
    "--paper",
    type=click.Choice(["A3", "A4"], case_sensitive=False),
    default="A3",
    show_default=True,
    help="Paper of the map.",
)
@click.option("--scale", type=int, default=None, metavar="N", help="Scale 1:N of the map; what does not fit one page becomes numbered sheets.")  # fmt: skip
@click.option("--drawn-by", default=None, help="Office that made the map, printed on it.")
@click.option("--place", default="000000", metavar="ADCODE", help="Place whose rules hold (default: national).")
@click.option("--overwrite", is_flag=True, help="Replace an earlier delivery in the folder.")
@common.actor_option
@common.json_option
def deliver(out: Path, place: str, on: datetime | None, actor: str | None, as_json: bool, **o: Any) -> int:
    """Hand over a delimitation (划界成果): Shapefiles by national layer codes, GeoPackage, DXF, coordinate tables, an
    announcement map as PDF, metadata and check sums, in one folder.

    Without --draft and --version: the lines in force. What is not announced carries 内部草稿·非测绘成果 on everything. A
    river in two 3-degree zones comes as one set of files a zone, unless --zone says one. Field names of Shapefiles have at
    most 10 bytes; LAYER.fields.csv says what they stand for.

    Exit codes: 0 done; 4 some text could not go out whole (said, with its place).

    \b
    Example:
      rivergis boundary deliver --draft draft.gpkg --out delivery
      rivergis boundary deliver --river YXH --encoding UTF-8 --paper A4 --out yxh
    """
    from dataclasses import replace

    from rivergis import rules
    from rivergis.boundary.delivery import layers as delivery_layers
    from rivergis.boundary.delivery.tables import zone_number
    from rivergis.reports import boundary_delivery, boundary_map, bundle

    formats = _formats(o["formats"])
    day = (on or datetime.now(common.SHANGHAI)).date()
    bundle.check_free(out, o["overwrite"])
    view = rules.load(common.settings().rules_dir).at(rules.path_of(place), day)
    terms = boundary_terms.terms_of(view, o["zone_prefix"])
    zone = None if o["zone"] is None else zone_number(o["zone"])
    told, audited = _delivery(day, view, actor, o)
    if not told.title:
        told = replace(told, title=boundary_delivery.named(told, Path(o["draft"] or "").stem))
    asked = boundary_terms.asked_of(view, o["encoding"], formats, day)
    zones = delivery_layers.zones(told, terms, zone)
    printed = None
    with bundle.whole(out, o["overwrite"]) as folder:
        if "pdf" in formats:
            sheet = boundary_terms.sheet_of(view, terms, o["paper"], o["scale"], zone, day, o["drawn_by"])
            printed = boundary_map.write(told, sheet, folder / "map.pdf")
        done = boundary_delivery.write(told, zones, asked, folder)
        bundle.seal(folder)
        audited(done.counts)
    _show(out, done, printed, as_json)
    return 0 if done.whole else common.EXIT_PARTLY


def _formats(text: str) -> tuple[str, ...]:
    asked = tuple(dict.fromkeys(p.strip().lower() for p in text.split(",") if p.strip()))
    bad = [p for p in asked if p not in FORMATS]
    if bad or not asked:
        raise click.BadParameter(
            f"{', '.join(bad) or 'nothing'}: there are {', '.join(FORMATS)}.", param_hint="--formats"
        )
    return asked


def _delivery(day: date, view: RuleView, actor: str | None, o: dict[str, Any]) -> tuple[Delivery, Any]:
    """What is delivered, and who is told of it: nothing leaves the database without its line in the audit."""
    draft = o["draft"]
    if draft is not None and (o["versions"] or o["rivers"]):
        raise click.UsageError("Name either --draft, or --version or --river.")
    if draft is not None and Path(draft).exists():
        return _of_file(Path(draft), view, o), lambda _counts: None
    if draft is not None and Path(draft).suffix:
        raise click.BadParameter(
            f"{draft} is not there: give a file that is, or the code of a draft of the database.", param_hint="--draft"
        )
    return _of_database(day, view, actor, o)


def _of_file(path: Path, view: RuleView, o: dict[str, Any]) -> Delivery:
    from rivergis.boundary.delivery import files as delivery_files
    from rivergis.intake import profile
    from rivergis.intake.delivery import Asked as Read

    names = delivery_files.names_of(
        view.value("boundary.deliver.fields").value, profile.load_all(common.settings().rules_dir)
    )
    files = delivery_files.Files(
        path, o["lines_layer"], o["areas_file"], o["areas_layer"], o["levees"], o["stakes"], o["axes"], o["water"], o["counties"]
    )  # fmt: skip
    asked = Read(None, o["crs"], None, o["source_encoding"])
    return delivery_files.delivery(files, o["title"] or "", names, asked)


def _of_database(day: date, view: RuleView, actor: str | None, o: dict[str, Any]) -> tuple[Delivery, Any]:
    from dataclasses import replace

    from rivergis.boundary.delivery import publication_workflow
    from rivergis.boundary.law import draft_workflow
    from rivergis.db import system

    db = common.database()
    who = common.acting(db, actor, "export")
    with db.read() as conn:
        if o["draft"] is not None:
            draft = draft_workflow.get(conn, o["draft"])
            told = publication_workflow.drafted(
                conn, draft, o["title"] or draft["title"], day, view.number("encroach.snap")
            )
        else:
            held = publication_workflow.held(conn, o["title"] or "", day, codes=o["versions"], rivers=o["rivers"])
            told = replace(held.delivery, sources=(f"rivergis, {held.known_at:%Y-%m-%d %H:%M} UTC",))

    def audited(counts: dict[str, int]) -> None:
        with db.write(who) as conn:
            system.audit(
                conn,
                who,
                "export",
                "boundary_delivery",
                {"counts": counts, "as_of": day, "rivers": sorted({str(v) for v in told.lines["river_code"].dropna()})},
            )

    return told, audited


def _show(out: Path, done: Any, printed: Any, as_json: bool) -> None:
    if as_json:
        common.emit(
            {"folder": str(out), "files": done.files, "counts": done.counts, "zones": done.zones, "map": printed, "notes": done.notes, "whole": done.whole},
            True,
        )  # fmt: skip
        return
    common.say(f"{out}: {len(done.files)} 个文件 files")
    common.say("  " + ", ".join(f"{n} {c}" for n, c in done.counts.items()))
    if printed is not None:
        common.say(f"  map.pdf: {printed.pages} 页 pages, 1:{printed.sheet_scale}, {printed.system}")
    for note in (*done.notes, *(printed.notes if printed is not None else ())):
        common.say(f"  {note}", err=True)


COMMANDS: tuple[click.Command, ...] = (
    deliver,
    boundary_publish.publish,
    *boundary_quality.COMMANDS,
    *boundary_merge.COMMANDS,
)
