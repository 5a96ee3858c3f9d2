"""``rivergis boundary stakes``: stakes and boards placed by rule, tables and drawings for the field, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import boundary_stake_life, common

if TYPE_CHECKING:
    from rivergis.boundary.stake.files import Placed

FILE = click.Path(path_type=Path)
_AROUND_M = 100.0  # so much of a DEM is read around the lines
ENDINGS = (".gpkg", ".xlsx", ".dxf", ".gpx", ".html")


@click.group()
def stakes() -> None:
    """Stakes (界桩) and notice boards (公告牌) of boundary lines."""


def pairs(_context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Callback of options such as ``--layer lines=jzx``, several times."""
    wrong = [g for g in given if "=" not in g]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r}: write {parameter.metavar}.")
    return dict(g.split("=", 1) for g in given)


@stakes.command()
@click.argument("lines", type=FILE)
@click.option(
    "--reaches", type=FILE, required=True, metavar="FILE", help="Centre lines, digitised downstream, or a network."
)
@click.option("--dem", type=FILE, default=None, metavar="FILE", help="DEM: heights, lines of sight, cliffs.")
@click.option(
    "--counties", type=FILE, default=None, metavar="FILE", help="Counties: a stake where the line crosses their border."
)
@click.option("--landmarks", type=FILE, default=None, metavar="FILE", help="Bridges, villages, accesses to the river.")
@click.option(
    "--existing", type=FILE, default=None, metavar="FILE", help="Stakes that are there: kept, never renumbered."
)
@click.option(
    "--water", type=FILE, default=None, metavar="FILE", help="Water areas: stakes in them are virtual (电子桩)."
)
@click.option(
    "--line-type",
    default="management",
    show_default=True,
    type=click.Choice(["management", "protection", "blue_line", "waterside", "outer"]),
    help="Which lines.",
)
@click.option(
    "--at", "adcode", default="000000", show_default=True, help="Adcode whose rules hold where no county is given."
)
@click.option("--on", "day", type=common.CivilDay(), default=None, help="Civil day whose rules hold (default: today).")
@click.option(
    "--spacing",
    "spacing_m",
    type=click.FloatRange(min=1),
    default=None,
    metavar="M",
    help="Widest spacing along the line, where the rules allow more.",
)
@click.option(
    "--number-form",
    "form",
    default=None,
    metavar="FORM",
    help="Form of numbers, such as {river}-{bank}-{number:04d}; also {county}, {reach}.",
)
@click.option(
    "--short",
    multiple=True,
    callback=pairs,
    metavar="RIVER=LETTERS",
    help="Short name of a river in numbers, such as 清溪=QX.",
)
@click.option("--county-code", "county", default="", help="What stands for {county} in numbers.")
@click.option("--phone", default=None, help="Telephone of the office on the boards.")
@click.option("--unit", default=None, help="Office that answers, on the boards.")
@click.option(
    "--layer",
    "layers",
    multiple=True,
    callback=pairs,
    metavar="INPUT=LAYER",
    help="Layer of a file that has several: lines=jzx.",
)
@click.option("--crs", callback=common.known_system, default=None, help="Coordinate system of files that name none.")
@click.option("--encoding", default=None, help="Text encoding of files that name none: GBK.")
@click.option(
    "--vertical-datum", default=None, metavar="NAME", help="From what the heights of the DEM count: 1985, 吴淞 ..."
)
@click.option(
    "--out",
    "outs",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Where to: .gpkg, .xlsx, .dxf, .gpx, .html; several times.",
)
@common.json_option
def place(outs: tuple[Path, ...], adcode: str, day: datetime | None, as_json: bool, dem: Path | None, vertical_datum: str | None, **given: Any) -> None:  # fmt: skip
    """Place stakes on boundary lines by rule: ends, county borders, tributary mouths, bridges, bends, and even spacing between.

    Existing stakes are kept with their numbers, and what is set between 012 and 013 becomes 012-1; the same again changes nothing.
    The spacing is the rule of the county (gis/rules, boundary.stake.*), along the line. With a DEM each stake must see the next.

    \b
    Example:
      rivergis boundary stakes place draft.gpkg --reaches network.gpkg --dem dem.tif --counties counties.shp --landmarks marks.gpkg --out stakes.xlsx --out stakes.gpkg
    """
    from rivergis import rules
    from rivergis.boundary.stake import files as stake_files

    check_outs(outs, ENDINGS)
    book = rules.load(common.settings().rules_dir)
    view = book.at(rules.path_of(adcode), (day or datetime.now()).date())
    around = _dem_around(dem, vertical_datum, int(view.number("terrain.exact_max_cells"))) if dem else None
    placed = stake_files.place(stake_files.StakesAsked(**given), book, view, around)
    for out in outs:
        _WRITERS[out.suffix.lower()](placed, out)
    common.emit(_told(placed), True) if as_json else _show(placed, outs)


def check_outs(outs: tuple[Path, ...], endings: tuple[str, ...]) -> None:
    """Refuse, before any work, a place that cannot be written to: ``UsageError``."""
    from rivergis.errors import UsageError

    for out in outs:
        if out.suffix.lower() not in endings:
            raise UsageError(f"{out.name}: write to a name that ends in {', '.join(endings)}.")
        if not out.absolute().parent.is_dir():
            raise UsageError(f"The folder {out.absolute().parent} does not exist: make it, or give another --out.")
        common.not_its_source(out)


def _dem_around(path: Path, vertical_datum: str | None, most: int) -> Callable[[Any], Any]:
    """Reads the cells of a DEM around lines; ``InputError`` where it lies elsewhere, or has too many."""

    def read(lines: Any) -> Any:
        import shapely
        from rasterio.windows import Window

        from rivergis import crs
        from rivergis.errors import InputError
        from rivergis.river import dem_files

        with dem_files.opened(path, vertical_datum=vertical_datum) as file:
            degrees = crs.to_storage(lines.buffer(_AROUND_M)).to_numpy()
            west, south, east, north = shapely.total_bounds(shapely.transform(degrees, crs.out_of_storage(file.crs)))
            (left, up), (right, low) = ((~file.affine) @ corner for corner in ((west, north), (east, south)))
            rows, columns = file.shape
            top, bottom = max(int(up), 0), min(int(low) + 1, rows)
            first, last = max(int(left), 0), min(int(right) + 1, columns)
            if top >= bottom or first >= last:
                raise InputError(f"{file.name} does not cover the lines: give the DEM of their place.", file=str(path))
            if (bottom - top) * (last - first) > most:
                raise InputError(
                    f"{file.name} has {(bottom - top) * (last - first):,} cells around the lines, more than {most:,}: cut it, or resample it.",
                    file=str(path),
                )
            return file.read(Window(first, top, last - first, bottom - top))

    return read


def _gpkg(placed: Placed, out: Path) -> None:
    from rivergis.boundary.stake import files as stake_files
    from rivergis.river import files

    tables = [("notes", stake_files.notes_frame(placed)), ("about", files.told_table(stake_files.about(placed)))]
    files.write_package(out, stake_files.package(placed), tables)


def _xlsx(placed: Placed, out: Path) -> None:
    from rivergis.boundary.stake import files as stake_files
    from rivergis.reports import stakes_book

    stakes_book.write(
        out,
        stakes=placed.stakes,
        boards=placed.boards,
        notes=stake_files.notes_frame(placed),
        figures=placed.figures,
        rules=placed.rules,
        said=placed.said,
        zone=placed.zone,
        draft=placed.draft,
    )


def _dxf(placed: Placed, out: Path) -> None:
    from rivergis.maps import stakes_field
    from rivergis.reports import stakes_book

    system = stakes_book.zone_words(placed.zone)[0]
    about = [
        f"坐标系 system: {system};Y 不含带号 without zone number",
        *([stakes_field.DRAFT_SAID] if placed.draft else []),
    ]
    stakes_field.write_dxf(placed.stakes, placed.boards, placed.lines, out, about=about)


def _gpx(placed: Placed, out: Path) -> None:
    from rivergis.maps import stakes_field

    stakes_field.write_gpx(placed.stakes, placed.boards, out, draft=placed.draft)


def _html(placed: Placed, out: Path) -> None:
    from rivergis.maps import shore_map

    common.write_page(out, shore_map.stakes_map(placed.stakes, placed.boards, placed.lines, draft=placed.draft))


_WRITERS: dict[str, Callable[[Placed, Path], None]] = {
    ".gpkg": _gpkg, ".xlsx": _xlsx, ".dxf": _dxf, ".gpx": _gpx, ".html": _html,
}  # fmt: skip


def _told(placed: Placed) -> dict[str, Any]:
    from rivergis import crs

    return {
        **placed.figures,
        "stakes_list": common.rows_of(crs.to_storage(placed.stakes)),
        "boards_list": common.rows_of(crs.to_storage(placed.boards)),
        "notes_list": placed.notes,
        "said": placed.said,
        "rules": placed.rules,
    }


def _show(placed: Placed, outs: tuple[Path, ...]) -> None:
    from rivergis import words

    if placed.draft:
        common.say("内部草稿·非测绘成果 draft, no survey result")
    for key, value in placed.figures.items():
        if key != "draft" and value not in (None, {}, 0):
            told = ", ".join(f"{_label(k)} {v}" for k, v in value.items()) if isinstance(value, dict) else value
            common.say(f"{words.both(f'stake_figure.{key}')}: {told}")
    rows = [
        [
            words.both(f"stake_note.{n.code}"),
            n.river,
            words.both(f"bank.{n.bank}") if n.bank else "",
            _at(n.at_m),
            "、".join(n.stakes),
            _m(n.measure),
        ]
        for n in placed.notes
    ]
    if rows:
        common.head(["事项 matter", "河流 river", "岸别 bank", "桩号 chainage", "编号 number", "量值 m"], rows)
    for sentence in placed.said:
        common.say(f"· {sentence}")
    open_rules = sorted({r["key"] for r in placed.rules if r["status"] == "unconfirmed"})
    if open_rules:
        common.say(f"未确认的规则值 unconfirmed rule values used: {', '.join(open_rules)}")
    for out in outs:
        common.say(f"→ {out}")


def _label(code: str) -> str:
    from rivergis import words

    return words.both(f"bank.{code}" if code in ("left", "right") else f"choice.kind.{code}")


def _at(at_m: float) -> str:
    from rivergis.river import chainage

    return "" if at_m != at_m else chainage.label(at_m)


def _m(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


for verb in boundary_stake_life.COMMANDS:
    stakes.add_command(verb)

COMMANDS: tuple[click.Command, ...] = (stakes,)
