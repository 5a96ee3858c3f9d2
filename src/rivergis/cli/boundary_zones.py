"""``rivergis boundary zones``: shoreline function zones, their shares, the two lines, and permitted against used shoreline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common
from rivergis.cli.boundary_stakes import check_outs, pairs

if TYPE_CHECKING:
    from rivergis.boundary.shore.zone_files import ShoreAsked, Zones
    from rivergis.rules import RuleView

FILE = click.Path(path_type=Path)
TYPES = ["outer", "management", "protection", "blue_line", "waterside"]


@click.group()
def zones() -> None:
    """Shoreline function zones (岸线功能区, 四区两线) and shoreline uses."""


def _options(command: Any, required: bool = True) -> Any:
    """What every command here asks for: reaches, line type, rules, how files are read."""
    for option in (
        click.option("--encoding", default=None, help="Text encoding of files that name none: GBK."),
        click.option("--crs", callback=common.known_system, default=None, help="Coordinate system of files that name none."),
        click.option("--layer", "layers", multiple=True, callback=pairs, metavar="INPUT=LAYER", help="Layer of a file that has several: lines=outer."),
        click.option("--on", "day", type=common.CivilDay(), default=None, help="Civil day whose rules hold (default: today)."),
        click.option("--at", "adcode", default="000000", show_default=True, help="Adcode whose rules hold."),
        click.option("--line-type", default="outer", show_default=True, type=click.Choice(TYPES), help="Along which lines; without outer lines the management line stands for them."),
        click.option("--reaches", type=FILE, required=required, metavar="FILE", help="Centre lines, digitised downstream, or a network.",),
    ):  # fmt: skip
        command = option(command)
    return command


def _asked(files: dict[str, Path | None], given: dict[str, Any], words: dict[str, str] | None = None) -> ShoreAsked:
    from rivergis.boundary.shore.zone_files import ShoreAsked

    return ShoreAsked(files, given["line_type"], given["layers"], given["crs"], given["encoding"], words or {})


def _view(given: dict[str, Any]) -> RuleView:
    from rivergis import rules

    book = rules.load(common.settings().rules_dir)
    return book.at(rules.path_of(given["adcode"]), (given["day"] or datetime.now()).date())


def _zone_options(command: Any) -> Any:
    for option in (
        click.option("--river", default=None, metavar="NAME", help="One river of the database."),
        click.option("--alias", multiple=True, callback=pairs, metavar="WORD=TYPE", help="A further name of zones: 生态岸线=protection. Lasting ones go into the rules (shoreline.zone_words)."),
        click.option("--lines", type=FILE, default=None, metavar="FILE", help="Outer lines (外缘边界线), or management lines."),
        click.argument("zones_file", metavar="[ZONES]", required=False, type=FILE),
    ):  # fmt: skip
        command = option(command)
    return _options(command, required=False)


def _found(zones_file: Path | None, lines: Path | None, given: dict[str, Any], **more: Any) -> Zones:
    """Zones of files, or of the database where none is given."""
    from rivergis.boundary.shore import zone_files, zone_workflow
    from rivergis.db.connect import now_of

    words = given["alias"]
    wrong = [t for t in words.values() if t not in zone_files.function_zones.TYPES]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is no type: {', '.join(zone_files.function_zones.TYPES)}.")
    files = {"lines": lines, "reaches": given["reaches"], "zones": zones_file}
    if all(f is None for f in files.values()):
        with common.database().read() as conn:
            return zone_workflow.zones(conn, _view(given), now_of(conn), river=given["river"], line_type=given["line_type"], **more)  # fmt: skip
    if None in files.values():
        raise click.UsageError("Give ZONES, --lines and --reaches, or none of them: then the database is asked.")
    return zone_files.zones(_asked(files, given, words), _view(given), **more)


@zones.command()
@_zone_options
@click.option(
    "--out",
    "outs",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Where to: .xlsx, .gpkg, .json, .html; several times.",
)
@common.json_option
def check(zones_file: Path | None, lines: Path | None, outs: tuple[Path, ...], as_json: bool, **given: Any) -> None:
    """Do the zones fit together? Overlaps, stretches without a zone, words and chainages that mean nothing, each with its place.

    ZONES: a layer with lines, or a table of stretches (XLSX, CSV) with river, bank, type and chainages such as 12+345; without it
    the zones and lines of the database.

    \b
    Example:
      rivergis boundary zones check 功能区.xlsx --lines outer.shp --reaches network.gpkg --out zones.xlsx --out zones.gpkg
    """
    check_outs(outs, (".xlsx", ".gpkg", ".json", ".html"))
    found = _found(zones_file, lines, given)
    for out in outs:
        _write(found, out)
    if as_json:
        common.emit(_told(found), True)
        return
    from rivergis import words

    f = found.figures
    common.say(f"功能区 zones: {f['zones']},落到岸线 laid on the shoreline: {f['laid']}")
    common.say(
        f"岸线 shoreline {f['line_m']:.1f} m,已划 zoned {f['zoned_m']:.1f} m,未划 uncovered {f['uncovered_m']:.1f} m,重叠 overlapping {f['overlap_m']:.1f} m"
    )
    rows = [
        [
            words.both(f"zone_defect.{d.code}"),
            d.river,
            _bank(d.bank),
            _at(d.from_m),
            _at(d.to_m),
            _m(d.length_m),
            "、".join(d.zones),
            d.detail,
        ]
        for d in found.defects
    ]
    common.head(
        [
            words.both(f"zone_column.{c}")
            for c in ("matter", "river", "bank", "from", "to", "length", "zones", "detail")
        ],
        rows,
    )
    _end(found.ground.told, outs)


@zones.command()
@_zone_options
@click.option(
    "--islands/--no-islands", default=None, help="Whether shorelines of islands count (default: as the rules say)."
)
@click.option(
    "--gaps/--no-gaps", default=None, help="Whether stretches without a zone count (default: as the rules say)."
)
@click.option(
    "--rank",
    type=click.Choice(["important", "other"]),
    default="important",
    show_default=True,
    help="Of which rivers the share is asked.",
)
@click.option("--out", "outs", type=FILE, multiple=True, metavar="FILE", help="Where to: .xlsx, .json; several times.")
@common.json_option
def share(zones_file: Path | None, lines: Path | None, islands: bool | None, gaps: bool | None, rank: str, outs: tuple[Path, ...], as_json: bool, **given: Any) -> None:  # fmt: skip
    """What share of the shoreline is protection or reserve zone, per river and in all, against the share the rules ask for?

    The counting rule is printed with the result. Where zones of different types claim one stretch, the least and the most are given.

    \b
    Example:
      rivergis boundary zones share 功能区.xlsx --lines outer.shp --reaches network.gpkg --at 500100
    """
    from dataclasses import replace

    from rivergis.boundary.shore import zone_files

    check_outs(outs, (".xlsx", ".json"))
    counting = zone_files.counting_of(_view(given))
    changed: dict[str, Any] = {k: v for k, v in (("islands", islands), ("gaps", gaps)) if v is not None}
    found = _found(zones_file, lines, given, counting=replace(counting, **changed), rank=rank)
    for out in outs:
        _write(found, out)
    if as_json:
        common.emit(_told(found), True)
        return
    from rivergis import words
    from rivergis.reports import shoreline_book

    common.say(shoreline_book.counting_words(found))
    common.say(shoreline_book.wanted_words(found))
    columns = ("river", "line", "zoned", "uncovered", "overlap", "kept", "share", "reached")
    common.table([words.both(f"zone_column.{c}") for c in columns], shoreline_book.share_rows(found))
    _end(found.ground.told, outs)


@zones.command("lines")
@click.argument("lines", type=FILE)
@click.option("--outer", type=FILE, default=None, metavar="FILE", help="Outer lines, where LINES does not hold them.")
@click.option(
    "--waterside", type=FILE, default=None, metavar="FILE", help="Waterside lines, where LINES does not hold them."
)
@click.option(
    "--banks",
    type=FILE,
    default=None,
    metavar="FILE",
    help="Bank lines (of rivergis river banks), for proposals of the waterside line.",
)
@_options
@click.option(
    "--propose",
    type=FILE,
    default=None,
    metavar="GPKG",
    help="Write proposals for the lines that are missing: outer = edge of the management area, waterside = bank line.",
)
@common.json_option
def lines_(lines: Path, outer: Path | None, waterside: Path | None, banks: Path | None, propose: Path | None, as_json: bool, **given: Any) -> None:  # fmt: skip
    """Do the two lines stand right? The outer line not inside the management line, the waterside line not outside the outer one.

    \b
    Example:
      rivergis boundary zones lines boundary.gpkg --waterside waterside.shp --reaches network.gpkg --propose two_lines.gpkg
    """
    from rivergis import words
    from rivergis.boundary.shore import zone_files

    if propose is not None:
        check_outs((propose,), (".gpkg", ".geojson"))
    files = {"lines": lines, "reaches": given["reaches"], "outer": outer, "waterside": waterside, "banks": banks}
    found = zone_files.lines(_asked(files, given), _view(given), propose is not None)
    if propose is not None:
        from rivergis import crs

        common.write_frame(crs.to_storage(found.proposals), propose, "lines")
    if as_json:
        common.emit(
            {
                "defects": [{k: v for k, v in vars(d).items() if k != "part"} for d in found.defects],
                "missing": found.missing,
                "said": found.said,
                "rules": found.rules,
            },
            True,
        )
        return
    for kind, banks_ in found.missing.items():
        if banks_:
            common.say(
                f"缺 missing {words.both(f'choice.line_type.{kind}')}: "
                + ", ".join(f"{r} {_bank(b)}" for r, b in banks_[:20])
            )
    rows = [
        [
            words.both(f"line_defect.{d.code}"),
            d.river,
            _bank(d.bank),
            _at(d.from_m),
            _at(d.to_m),
            _m(d.length_m),
            _m(d.depth_m),
        ]
        for d in found.defects
    ]
    common.head(
        [words.both(f"zone_column.{c}") for c in ("matter", "river", "bank", "from", "to", "length", "depth")], rows
    )
    _end(
        [*found.said, *(["提议为草案 proposals are drafts: 内部草稿·非测绘成果"] if propose else [])],
        (propose,) if propose else (),
    )


@zones.command()
@click.argument("uses_file", metavar="USES", type=FILE)
@click.option("--lines", type=FILE, required=True, metavar="FILE", help="Outer, management or blue lines.")
@click.option(
    "--permits", type=FILE, default=None, metavar="FILE", help="Permits: areas, lines or stretches with chainage."
)
@click.option("--observed", type=FILE, default=None, metavar="FILE", help="What was looked at: areas or stretches.")
@_options
@click.option("--out", "outs", type=FILE, multiple=True, metavar="FILE", help="Where to: .xlsx, .json; several times.")
@common.json_option
def use(uses_file: Path, lines: Path, permits: Path | None, observed: Path | None, outs: tuple[Path, ...], as_json: bool, **given: Any) -> None:  # fmt: skip
    """Permitted against used shoreline: what looks little used (多占少用) or unused (占而不用), and uses outside of any permit.

    USES: candidates or a survey of uses, as areas, lines or stretches. With --line-type blue_line each use is also held against
    the list of uses allowed there. All of it is to be looked at by a person; none of it says that something is wrong.

    \b
    Example:
      rivergis boundary zones use candidates.geojson --permits permits.xlsx --lines outer.shp --reaches network.gpkg --out uses.xlsx
    """
    from rivergis import words
    from rivergis.boundary.shore import zone_files
    from rivergis.reports import shoreline_book

    check_outs(outs, (".xlsx", ".json"))
    files = {"lines": lines, "reaches": given["reaches"], "uses": uses_file, "permits": permits, "observed": observed}
    found = zone_files.uses(_asked(files, given), _view(given))
    for out in outs:
        common.write_json(out, found) if out.suffix.lower() == ".json" else shoreline_book.write_uses(found, out)
    if as_json:
        common.emit(found, True)
        return
    for title, columns, rows in shoreline_book.use_tables(found):
        if rows:
            common.head([words.both(f"zone_column.{c}") for c in columns], rows, title)
    _end(found.said, outs)


def _write(found: Zones, out: Path) -> None:
    from rivergis.reports import shoreline_book

    def package(_: Zones, path: Path) -> None:
        from rivergis import crs
        from rivergis.boundary.shore import zone_files

        common.write_frame(crs.to_storage(zone_files.zones_frame(found)), path, "function_zone")

    def page(_: Zones, path: Path) -> None:
        from rivergis.boundary.shore import zone_files
        from rivergis.maps import shore_map

        common.write_page(path, shore_map.zones_map(zone_files.zones_frame(found)))

    writers: dict[str, Callable[[Zones, Path], None]] = {
        ".xlsx": shoreline_book.write_zones,
        ".gpkg": package,
        ".html": page,
        ".json": lambda f, p: common.write_json(p, _told(f)),
    }
    writers[out.suffix.lower()](found, out)


def _told(found: Zones) -> dict[str, Any]:
    wanted = found.wanted["value"] if found.wanted else None
    return {
        **found.figures,
        "counting": found.counting,
        "wanted_share": wanted,
        "shares": [
            {**common.plain(s), "least": s.least, "most": s.most, "reached": s.reaches(wanted)} for s in found.shares
        ],
        "defects_list": found.defects,
        "said": found.ground.told,
        "rules": found.rules,
    }


def _end(said: Sequence[str], outs: Sequence[Path]) -> None:
    for sentence in said:
        common.say(f"· {sentence}")
    for out in outs:
        common.say(f"→ {out}")


def _bank(code: str) -> str:
    from rivergis import words

    return words.both(f"bank.{code}") if code else ""


def _at(at_m: float) -> str:
    from rivergis.river import chainage

    return "" if at_m != at_m else chainage.label(at_m)


def _m(value: float) -> str:
    return "" if value != value else f"{value:.1f}"


COMMANDS: tuple[click.Command, ...] = (zones,)
