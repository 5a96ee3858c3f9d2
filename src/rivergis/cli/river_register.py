"""``rivergis river list`` and ``rivergis river duties``: the list of rivers and lakes, and who answers for each metre."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.reports.register_sources import Files, Sources
    from rivergis.river.inventory import Inventory, Sizes
    from rivergis.river.official import Official
    from rivergis.rules import RuleView

FILE = click.Path(path_type=Path)
ON = click.option(
    "--on",
    "on",
    type=common.CivilDay(),
    default=None,
    help="Civil day as of which it holds (default: today).",
)
PLACE = click.option("--place", default="000000", metavar="ADCODE", help="Place whose rules hold (default: national).")
OUT = click.option("--out", type=FILE, default=None, help="Register to write: .xlsx, .html, .csv or .json.")


@click.command("list")
@click.option("--network", type=FILE, default=None, help="Network file of 'river build' (default: the database).")
@click.option("--areas", type=FILE, default=None, help="With --network: lakes, reservoirs and ponds.")
@click.option("--areas-layer", default=None, help="Layer of the water areas in their file.")
@click.option("--units", type=FILE, default=None, help="With --network: administrative units with code and name.")
@click.option("--units-layer", default=None, help="Layer of the units in their file.")
@click.option(
    "--official", "official_file", type=FILE, default=None, help="Official list to compare with (.xlsx, .csv)."
)
@click.option(
    "--length-unit", type=click.Choice(["km", "m"]), default=None, help="Unit of its lengths, if it states none."
)
@click.option("--min-length", type=float, default=None, metavar="KM", help="Only rivers longer than this.")
@click.option(
    "--basin-class", default=None, metavar="CLASS", help="Only rivers of a basin class in km2, such as 10-50."
)
@click.option("--unit", default=None, metavar="ADCODE", help="Only waters with any part in this unit.")
@click.option("--map", "map_file", type=FILE, default=None, help="Distribution map to write (.html).")
@ON
@PLACE
@OUT
@common.json_option
def list_(
    network: Path | None,
    areas: Path | None,
    areas_layer: str | None,
    units: Path | None,
    units_layer: str | None,
    official_file: Path | None,
    length_unit: str | None,
    map_file: Path | None,
    on: datetime | None,
    place: str,
    out: Path | None,
    as_json: bool,
    **filters: Any,
) -> None:
    """The list of rivers and lakes (名录): length, units, source and mouth, basin class, grade, lines; and its map.

    What is not known is left empty. With --official every river that is missing, extra or of another length is told, and
    basin areas stated there are taken where no DEM gives one.

    \b
    Example:
      rivergis river list --out register.xlsx --map rivers.html
      rivergis river list --network network.gpkg --units units.gpkg --min-length 5 --official list.xlsx
    """
    from rivergis.reports import register_sources, river_register
    from rivergis.reports.register_tables import RiverRegister
    from rivergis.river import inventory, official

    river_register.check(out)
    _check(network, areas, units, map_file)
    view = _rules(place, on)
    sizes = _sizes(view)
    _check_class(filters["basin_class"], sizes)
    listed = None if official_file is None else register_sources.official_of(official_file, length_unit)
    files = None if network is None else register_sources.Files(network, areas, areas_layer, units, units_layer)
    sources = _sources(files, on, view)
    _check_unit(filters["unit"], sources)
    whole = _inventory(sources, sizes, listed)
    kept = inventory.narrowed(
        whole,
        min_length_m=None if filters["min_length"] is None else filters["min_length"] * 1000,
        basin_class=filters["basin_class"],
        unit=filters["unit"],
    )
    tolerance = view.number("river.register.length_difference")
    compared = (
        None
        if listed is None
        else official.compare(whole.rivers, listed, tolerance, scope=set(kept.rivers["river_id"]))
    )
    said = [f"{k.replace('_', '-')} {v}" for k, v in filters.items() if v is not None]
    about = {**sources.about, "official": official_file and official_file.name, "filters": ", ".join(said) or None}
    register = RiverRegister(
        kept, official=compared, about=about, rules=[r.as_dict() for r in view.used], demo=sources.demo
    )
    if out is not None:
        river_register.write(register, out)
    if map_file is not None:
        _write_map(kept, sources, map_file)
    _show_list(register, [p for p in (out, map_file) if p is not None], as_json)


def _check(network: Path | None, areas: Path | None, units: Path | None, map_file: Path | None) -> None:
    from rivergis.errors import EnvironmentFault, UsageError

    if network is None and (areas is not None or units is not None):
        raise UsageError("--areas and --units go with --network; the database has its own water areas and units.")
    if map_file is not None and map_file.suffix.lower() != ".html":
        raise UsageError(f"{map_file.name}: a map is one page; give --map a name that ends in .html.")
    if map_file is not None and not map_file.absolute().parent.is_dir():
        raise EnvironmentFault(f"{map_file} cannot be written: there is no folder {map_file.parent}.")


def _check_class(asked: str | None, sizes: Sizes) -> None:
    from rivergis.errors import UsageError
    from rivergis.river.grades import class_labels

    known = class_labels(sizes.basin_classes)
    if asked is not None and asked not in known:
        raise UsageError(f"There is no basin class {asked!r}; the classes are {', '.join(known)} (km2).")


def _check_unit(asked: str | None, sources: Sources) -> None:
    from rivergis.errors import NotFound, UsageError

    if asked is None:
        return
    if sources.units is None:
        raise UsageError("No administrative units are known to look for --unit in: give --units, or import admin_unit.")
    if asked not in set(sources.units["code"]):
        raise NotFound(f"There is no administrative unit {asked!r}: give a code of the units, as in --unit 500199001.")


def _rules(place: str, on: datetime | None) -> RuleView:
    from rivergis import rules

    return rules.load(common.settings().rules_dir).at(rules.path_of(place), on.date() if on else date.today())


def _sizes(view: RuleView) -> Sizes:
    from rivergis.river.inventory import Sizes

    def value(key: str) -> Any:
        return view.value(key).value

    low, high = value("river.register.small_basin")
    return Sizes(
        value("river.register.basin_classes"),
        value("river.register.lake_classes"),
        view.number("river.register.min_length") * 1000,
        (low, high),
        value("code.grade_table"),
    )


def _sources(files: Files | None, on: datetime | None, view: RuleView) -> Sources:
    from rivergis.reports import register_sources

    if files is not None:
        return register_sources.of_files(files, max_half_width_m=view.number("river.network.max_half_width"))
    with common.database().read() as conn:
        return register_sources.of_database(conn, on.date() if on else date.today())


def _inventory(sources: Sources, sizes: Sizes, listed: Official | None) -> Inventory:
    """The list; basin areas of an official list are stated facts where its rivers are found here."""
    from rivergis.river import inventory, official

    def make(facts: Any) -> Inventory:
        return inventory.rivers(
            sources.reaches, sources.areas, sources.units, sizes, known=sources.known, facts=facts, lines=sources.lines
        )

    made = make(None)
    facts = None if listed is None else official.facts(made.rivers, listed)
    return made if facts is None or facts.empty else make(facts)


def _write_map(kept: Inventory, sources: Sources, path: Path) -> None:
    from rivergis import words
    from rivergis.maps import register_map

    stamp = words.both("page.demo") if sources.demo else None
    units = sources.units
    county = [] if units is None else list(units.loc[units["level"] == "county", "name"])
    where = county[0] if len(county) == 1 else "" if "on" in sources.about else str(sources.about["source"])
    html = register_map.draw(kept, units, name=f"{where} {sources.about.get('on') or ''}".strip(), stamp=stamp)
    common.write_page(path, html)


def _show_list(register: Any, written: list[Path], as_json: bool) -> None:
    from rivergis import words
    from rivergis.reports import river_register

    if as_json:
        common.emit({**river_register.as_json(register), "written": [str(p) for p in written]}, True)
        return
    f = register.inventory.figures
    kinds = "、".join(f"{words.both(f'choice.kind.{k}')} {n}" for k, n in f["kinds"].items())
    common.say(f"{f['rows']} 条 rows ({kinds}); 总长 length {f['length_m'] / 1000:.1f} km")
    common.say(f"长度在实施范围 in scope by length: {f['over_min_length']}; 流域面积不明 basin not known: {f['basin_unknown']}; "
               f"等级不明 grade not known: {f['grade_unknown']}"
               + ("" if f["without_line"] is None else f"; 无管理范围线 without a line: {f['without_line']}"))  # fmt: skip
    rows = register.inventory.rivers.head(common.SHOWN).to_dict("records")
    common.table(
        ("编码 code", "名称 name", "类型 kind", "km", "流域级别 basin", "等级 grade", "汇入 flows into", "源头 source", "河口 mouth"),
        [
            (r["code"], r["name"], words.say(f"choice.kind.{r['kind']}"), _km(r["length_m"]), r["basin_class"], r["grade"],
             r["flows_into"] or r["flows_into_water"], r["source_unit"], r["mouth_unit"])
            for r in rows
        ],
    )  # fmt: skip
    if f["rows"] > common.SHOWN:
        common.say(f"另有 {f['rows'] - common.SHOWN} 条 more rows; --out 写出全部 writes them all")
    if register.official is not None:
        for status, count in register.official["status"].value_counts().items():
            common.say(f"对照 official list: {words.both(f'river_register.status_{status}')} {count}")
    _say_end(register, written)


def _km(length_m: float) -> str | None:
    return None if length_m is None or length_m != length_m else f"{length_m / 1000:.3f}"


def _say_end(register: Any, written: list[Path]) -> None:
    """Files that were written, and the rule values that nobody has confirmed."""
    unsure = [r["key"] for r in register.rules if r["status"] != "confirmed"]
    if unsure:
        common.say(f"未经证实的规则值 unconfirmed rule values used: {', '.join(unsure)}")
    for path in written:
        common.say(f"→ {path}")


@click.command()
@ON
@PLACE
@OUT
@click.option(
    "--fail-on",
    type=click.Choice(["gaps", "doubles", "any"]),
    default=None,
    help="Exit 1 if any stretch has nobody (gaps), several of one level (doubles), or either (any).",
)
@common.json_option
def duties(on: datetime | None, place: str, out: Path | None, fail_on: str | None, as_json: bool) -> int:
    """Who answers for each metre of each bank at each level on a day, and where nobody or several do.

    \b
    Exit codes: 0 done; 1 what --fail-on names was found.
    Example:
      rivergis river duties --on 2026-05-20 --out duties.xlsx
      rivergis river duties --fail-on gaps
    """
    from rivergis import words
    from rivergis.reports import register_sources, river_register
    from rivergis.reports.register_tables import RiverRegister
    from rivergis.river import duties as duties_

    river_register.check(out)
    view = _rules(place, on)
    shortest = view.number("river.register.min_stretch")
    day = on.date() if on else date.today()
    with common.database().read() as conn:
        people = register_sources.people_of(conn, day)
    assigned = duties_.assign(people.duties, people.rivers)
    nobody, few = duties_.longer(duties_.joined(assigned.orphans), shortest)
    several, short = duties_.longer(duties_.joined(assigned.doubles), shortest)
    register = RiverRegister(
        assignment=assigned,
        without_axis=people.without_axis,
        codes=people.codes,
        min_stretch_m=shortest,
        about={"source": words.both("river_register.database"), "on": str(day), "short_stretches": few + short or None},
        rules=[r.as_dict() for r in view.used],
        demo=people.demo,
    )
    if out is not None:
        river_register.write(register, out)
    if as_json:
        common.emit({**river_register.as_json(register), "written": None if out is None else str(out)}, True)
    else:
        _show_duties(register, out)
    found = {"gaps": len(nobody), "doubles": len(several), "any": len(nobody) + len(several)}
    return int(fail_on is not None and found[fail_on] > 0)


def _show_duties(register: Any, out: Path | None) -> None:
    """Summary of each level, then the stretches that are open, then the load of persons."""
    from rivergis.reports.river_register import heading, title

    for sheet in register.sheets():
        if sheet.key == "duties":
            continue
        common.head([heading(c) for c in sheet.columns], sheet.rows, title(sheet))
    _say_end(register, [] if out is None else [out])


def add_to(group: click.Group) -> None:
    """Make both commands verbs of ``rivergis river``."""
    group.add_command(list_)
    group.add_command(duties)
