"""``rivergis boundary project``: what a proposed project in the river would take, before anybody applies for it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.boundary.redraw.precheck import Precheck

_SINGULAR = {"areas": "management_area", "reaches": "reach", "function_zones": "function_zone", "source_zones": "source_zone", "water": "water", "levees": "levee", "permits": "permit"}  # fmt: skip
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("project")
@click.argument("projects", type=FILE)
@click.option("--class", "class_code", default="building.no_or_off_permit", show_default=True, help="Class of the works (rivergis rules ...): building.road_works, building.solar_wind, extraction.sand ...")  # fmt: skip
@click.option("--areas", type=FILE, default=None, help="Management areas of a file instead of those of the database.")
@click.option(
    "--reaches", type=FILE, default=None, help="With --areas: centre lines, for bank, chainage and flood width."
)
@click.option("--on", "day", type=common.CivilDay(), default=None, help="Civil day (default: today).")
@click.option(
    "--place", "adcode", default="000000", show_default=True, metavar="ADCODE", help="Place whose rules hold."
)
@click.option(
    "--crs", callback=common.known_system, default=None, help="Coordinate system (EPSG:CODE) of files that name none."
)
@click.option("--encoding", default=None, help="Text encoding of files that name none: GBK, for instance.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="File to write: .json (everything) or .csv (one row a project).",
)
@common.json_option
def project(
    projects: Path, class_code: str, areas: Path | None, reaches: Path | None, day: datetime | None, adcode: str, crs: str | None,
    encoding: str | None, out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Pre-check of proposed projects (涉河建设项目预检): zones hit, m2, metres of bank, flood width lost, and the clauses that apply.

    For the planner's table, not for a permit: what is asked of the ground is listed with its clause; people decide.

    \b
    Examples:
      rivergis boundary project bridge.shp --class building.road_works
      rivergis boundary project dock.gpkg --areas areas.gpkg --reaches reaches.gpkg --out dock.json
    """
    from rivergis import rules
    from rivergis.boundary.redraw import precheck_workflow as workflow
    from rivergis.errors import UsageError
    from rivergis.intake.delivery import Asked

    if out is not None and out.suffix.lower() not in (".json", ".csv"):
        raise UsageError(f"{out.name}: write to a name that ends in .json or .csv.")
    common.not_its_source(out)
    on = (day or datetime.now(common.SHANGHAI)).date()
    view = rules.load(common.settings().rules_dir).at(rules.path_of(adcode), on)
    if class_code not in (known := view.book.taxonomy["classes"]):
        some = ", ".join(c for c in known if c.startswith(class_code.partition(".")[0] + ".")) or ", ".join(known)
        raise UsageError(f"--class {class_code}: there is no such class; there are {some}.")
    asked = Asked(None, crs, None, encoding)
    given = workflow.projects(projects, asked)
    if areas is not None:
        found = workflow.of_files(given, areas, reaches, class_code, view, asked)
    else:
        with common.database().read() as conn:
            found = workflow.of_database(conn, given, class_code, view, on)
    if out is not None and out.suffix.lower() == ".csv":
        common.write_frame(workflow.table(found), out)
    elif out is not None:
        common.write_json(out, [workflow.as_dict(f) for f in found])
    if as_json:
        common.emit([workflow.as_dict(f) for f in found], True)
        return
    for one in found:
        _show(one)
    if out is not None:
        common.say(f"→ {out}")


def _show(one: Precheck) -> None:
    from rivergis import lifecycle, words

    common.say(f"{one.project}: {one.m2:,.0f} m², {words.both('precheck.inside')} {one.inside_m2:,.0f} m²")
    bank = ", ".join(f"{words.both(f'bank.{b}')} {m:,.0f} m" for b, m in one.bank_m.items() if m > 0)
    if bank:
        common.say(f"  {words.both('precheck.bank')}: {bank}")
    if one.width is not None:
        w = one.width
        common.say(
            f"  {words.both('precheck.width')}: {w.lost_m:,.1f} / {w.whole_m:,.1f} m ({w.share:.0%}), {w.reach_code} {w.at_m:,.0f} m"
        )
    if one.zones:
        common.table(
            [words.both(f"precheck.{c}") for c in ("zone", "name", "kind", "m2", "length_m")],
            [[words.both(f"precheck.zone_{z.zone}"), z.name, z.kind, None if z.m2 is None else f"{z.m2:,.1f}", None if z.length_m is None else f"{z.length_m:,.1f}"] for z in one.zones],
        )  # fmt: skip
    if one.rules:
        common.table(
            [words.both(f"precheck.{c}") for c in ("needs", "subject", "clause")],
            [[r["needs"], r["subject"], r["clause"]] for r in one.rules],
        )
    if one.not_looked_at:
        missing = "、".join(words.say(f"precheck.zone_{_SINGULAR[n]}") for n in one.not_looked_at)
        common.say(f"  {words.both('redraw.not_looked_at')}: {missing}")
    common.say(f"  {words.both('precheck.decide')} · {lifecycle.DRAFT_MARK}")
