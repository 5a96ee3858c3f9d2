"""``rivergis boundary draft``: lines of the management area from levees, floods, banks or surrogates, by rule."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import boundary_draft_ground, boundary_drawdown, boundary_ridge, common

if TYPE_CHECKING:
    from rivergis.boundary.drafting.files import Drafted
    from rivergis.boundary.drafting.keep import Only

FILE = click.Path(path_type=Path)


def _layers(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """``--layer levees=堤脚线``, several times."""
    wrong = [g for g in given if "=" not in g]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r}: write INPUT=LAYER, such as levees=levee_toe.")
    return dict(g.split("=", 1) for g in given)


def _only(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> tuple[Only, ...]:
    """``--only R0005`` or ``--only R0005:100-900``; chainages also as 0+100."""
    from rivergis.boundary.drafting.keep import Only
    from rivergis.river import chainage

    out = []
    for text in given:
        reach, _, stretch = text.partition(":")
        ends = stretch.split("-") if stretch else []
        try:
            metres = [chainage.parse(e) if "+" in e else float(e) for e in ends]
        except ValueError as error:
            raise click.BadParameter(f"{text!r}: write REACH or REACH:FROM-TO, such as R0005:100-900.") from error
        if stretch and (len(metres) != 2 or metres[0] >= metres[1]):
            raise click.BadParameter(f"{text!r}: write REACH or REACH:FROM-TO, from upstream to downstream.")
        out.append(Only(reach, *metres))
    return tuple(out)


@click.command()
@click.option("--reaches", type=FILE, required=True, metavar="FILE", help="Centre lines, digitised downstream.")
@click.option(
    "--rules", required=True, metavar="SET",
    help="Rule set: anhui, 安徽省, an adcode, or a file (.yaml as in gis/rules; .json with berm_m, bank_offset_m).",
)  # fmt: skip
@click.option("--levees", type=FILE, default=None, metavar="FILE", help="Outer (landward) toes of levees, with grade.")
@click.option("--banks", type=FILE, default=None, metavar="FILE", help="Bank lines (河口线).")
@click.option("--water", type=FILE, default=None, metavar="FILE", help="Water areas, where no bank lines are given.")
@click.option("--walls", type=FILE, default=None, metavar="FILE", help="Flood walls with design_level_m and ground_m.")
@click.option(
    "--lakes",
    type=FILE,
    default=None,
    metavar="FILE",
    help="Lakes: shores, or lines of the design flood level (line_kind).",
)
@click.option(
    "--reservoirs",
    type=FILE,
    default=None,
    metavar="FILE",
    help="Reservoirs: areas with line_kind (check_flood, land_acquisition ...), dams.",
)
@click.option("--spoil", type=FILE, default=None, metavar="FILE", help="Spoil beside levee or bank.")
@click.option(
    "--surrogates",
    type=FILE,
    default=None,
    metavar="FILE",
    help="Roads, village edges, scarps ... (kind), where nothing else bounds the river (示意).",
)
@boundary_draft_ground.options
@click.option(
    "--counties", type=FILE, default=None, metavar="FILE", help="Counties: lines and areas are cut at borders."
)
@click.option(
    "--surrogate-offset",
    is_flag=True,
    help="Where nothing else is given: water's edge or axis plus the surrogate distance (示意).",
)
@click.option(
    "--keep",
    type=FILE,
    default=None,
    metavar="GPKG",
    help="Earlier draft: what was drawn or changed by hand stays as it is.",
)
@click.option(
    "--only",
    multiple=True,
    callback=_only,
    metavar="REACH[:FROM-TO]",
    help="Redraw this stretch only; the rest of --keep stays.",
)
@click.option(
    "--layer",
    "layers",
    multiple=True,
    callback=_layers,
    metavar="INPUT=LAYER",
    help="Layer inside a file, such as levees=levee_toe.",
)
@click.option(
    "--crs", default=None, callback=common.known_system, metavar="EPSG:CODE", help="System of the files that name none."
)
@click.option("--on", type=common.CivilDay(), default=None, help="Civil day whose rules hold (default: today).")
@click.option(
    "--line-type", type=click.Choice(["management", "protection", "blue_line", "waterside", "outer"]), default="management", show_default=True,
)  # fmt: skip
@click.option("--out", type=FILE, required=True, metavar="GPKG", help="GeoPackage for lines, areas, bands and notes.")
@click.option("--overwrite", is_flag=True, help="Replace a result that is there already.")
@common.json_option
def draft(out: Path, overwrite: bool, as_json: bool, on: datetime | None, **asked: Any) -> None:
    """Draft boundary lines by rule (划界草案): each piece with its basis, and a note for what was not decided.

    \b
    Example:
      rivergis boundary draft --reaches reaches.gpkg --rules anhui --levees levees.gpkg --water water.gpkg --counties counties.gpkg --out draft.gpkg
    """
    from rivergis import rules
    from rivergis.boundary.drafting import files as draft_files
    from rivergis.boundary.drafting import rules_files as draft_rules_files
    from rivergis.river import files

    if asked["only"] and not asked["keep"]:
        raise click.UsageError("--only redraws a stretch of an earlier draft: name it with --keep.")
    _check_out(out, overwrite)
    book = rules.load(common.settings().rules_dir)
    day = on.date() if on else date.today()
    with ExitStack() as stack:
        view = draft_rules_files.view_of(book, asked["rules"], day)
        terrain = boundary_draft_ground.opened(asked, view, stack)
        made = draft_files.draft(draft_files.Asked(**asked, on=day), book, terrain)
    files.write_package(out, draft_files.package(made), [("draft", files.told_table(made.summary))])
    if as_json:
        common.emit(made.summary, True)
        return
    _tell(made, out)


def _check_out(out: Path, overwrite: bool) -> None:
    """Whether a draft can be written there, before any work is done."""
    from rivergis.errors import UsageError

    if out.suffix.lower() != ".gpkg":
        raise UsageError(f"{out.name}: a draft is written as GeoPackage; give --out a name that ends in .gpkg.")
    if out.exists() and not overwrite:
        raise UsageError(f"{out} is there already: give another --out, or --overwrite.")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"The folder {out.absolute().parent} does not exist: make it, or give another --out.")
    common.not_its_source(out)


def _tell(made: Drafted, out: Path) -> None:
    from rivergis import words

    told = made.summary
    common.say(
        f"{told['title']} · {told['reaches']} 河段 reaches · {told['lines']} 段界线 lines · {told['area_m2'] / 1e6:,.2f} km²"
    )
    for drawn_by, metres in told["metres"].items():
        common.say(f"  {words.both(f'drawn_by.{drawn_by}')}: {metres / 1000:,.2f} km")
    if told["indicative"]:
        common.say(f"! {told['indicative']} 段仅为示意 lines are indicative only")
    for code, count in told["notes"].items():
        common.say(f"  {words.both(f'draft_note.{code}')}: {count}")
    doubtful = [k for k in told["unconfirmed"] if not k.startswith("boundary.draft.")]
    if doubtful:
        common.say(f"! 未确认的规则值 unconfirmed rule values used: {', '.join(doubtful)}")
    for sentence in told["said"]:
        common.say(f"! {sentence}")
    common.say(f"  {out}")


COMMANDS: tuple[click.Command, ...] = (draft, *boundary_drawdown.COMMANDS, *boundary_ridge.COMMANDS)
