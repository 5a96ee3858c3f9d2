"""``rivergis boundary quality``: how complete and how good the results of delimitation are, river by river."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    import pandas as pd

    from rivergis.boundary.delivery.tables import Delivery
    from rivergis.reports.register_sources import Sources
    from rivergis.rules import RuleView

FILE = click.Path(path_type=Path, exists=True)


@click.command("quality")
@click.option(
    "--lines", "line_files", type=FILE, multiple=True, help="File of lines; may be repeated (default: the database)."
)
@click.option(
    "--network",
    type=FILE,
    default=None,
    help="With --lines: network file of 'river build', whose rivers are asked for.",
)
@click.option("--official", type=FILE, default=None, help="Official list of rivers (名录): who is listed, and basin areas where no DEM gives one.")  # fmt: skip
@click.option("--doctor", type=FILE, default=None, help="Report of 'boundary check --out report.json'.")
@click.option("--stakes", type=FILE, default=None, help="With --lines: file of the stakes.")
@click.option("--basin", default=None, metavar="LOW-HIGH", help="Class of basin areas in km2 that is listed apart (default: the rule river.register.small_basin, 10-50).")  # fmt: skip
@click.option("--only-basin", is_flag=True, help="Only rivers of that class.")
@click.option("--title", default=None, help="Title of the report.")
@click.option("--on", type=common.CivilDay(), default=None, help="Civil day (default: today).")
@click.option("--place", default="000000", metavar="ADCODE", help="Place whose rules hold (default: national).")
@click.option("--out", "outs", type=click.Path(path_type=Path), multiple=True, help="Report to write: .html, .xlsx, .pdf or .json; may be repeated.")  # fmt: skip
@common.json_option
def quality(outs: tuple[Path, ...], place: str, on: datetime | None, as_json: bool, **o: Any) -> None:
    """Completeness and quality of the results of delimitation (划界成果质量): length and banks covered, share announced,
    missing attributes, survey scale and error, the doctor's defects, seams, delimitations, stakes; and the rivers of small
    basins: who is listed, who has a line, who is missing.

    \b
    Example:
      rivergis boundary quality --out quality.html --out quality.xlsx
      rivergis boundary quality --lines survey.shp --network network.gpkg --official list.xlsx --basin 10-50 --out quality.pdf
    """
    from rivergis import rules
    from rivergis.boundary.delivery import quality as assessing
    from rivergis.reports import boundary_quality, patrol_paper

    for out in outs:
        patrol_paper.check(out)
    day = (on or datetime.now(common.SHANGHAI)).date()
    view = rules.load(common.settings().rules_dir).at(rules.path_of(place), day)
    small = _class(o["basin"], view)
    told, rivers, known_at, about, demo = _inputs(o, view, day)
    lines = (
        told.lines[told.lines["line_type"].fillna("management") == "management"]
        if "line_type" in told.lines
        else told.lines
    )
    found = assessing.assess(
        rivers,
        lines,
        told.areas,
        _stakes(told),
        _defects(o["doctor"]),
        enough=view.number("boundary.quality.enough_share"),
    )
    if o["only_basin"]:
        from dataclasses import replace

        found = replace(found, rivers=assessing.of_class(found.rivers, *small))
    said = boundary_quality.Told(
        o["title"] or told.title,
        known_at,
        about,
        [r.as_dict() for r in view.used],
        small,
        o["doctor"] is not None,
        demo,
    )
    paper = boundary_quality.paper(found, said)
    for out in outs:
        patrol_paper.write(paper, out)
    _show(paper, found.rivers, outs, as_json)


def _class(text: str | None, view: RuleView) -> tuple[float, float]:
    if text is None:
        low, high = view.value("river.register.small_basin").value
        return float(low), float(high)
    try:
        low, high = (float(p) for p in text.split("-"))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no class: write it in km2 like 10-50.", param_hint="--basin") from error
    return low, high


def _inputs(
    o: dict[str, Any], view: RuleView, day: date
) -> tuple[Delivery, pd.DataFrame, datetime, list[tuple[str, Any]], bool]:
    """Lines, rivers, the moment up to which they are known, where they come from, whether they are fictional."""
    from rivergis import words
    from rivergis.reports import register_sources

    title = words.say("patrol_report.block_quality")
    if not o["line_files"]:
        if o["network"] or o["stakes"]:
            raise click.UsageError("--network and --stakes go with --lines; the database has its own.")
        from rivergis.boundary.delivery import publication_workflow

        with common.database().read() as conn:
            held = publication_workflow.standing_now(conn, title, day)
            sources = register_sources.of_database(conn, day)
        rivers = _rivers(sources, view, o["official"])
        about = [(words.both("deliver.about.as_of"), str(day)), (words.both("deliver.about.source"), "rivergis")]
        return held.delivery, rivers, held.known_at, about, sources.demo
    told = _of_files(o, view, title)
    rivers = _listed_rivers(o, view, told)
    about = [(words.both("deliver.about.source"), "; ".join(told.sources))]
    return told, rivers, datetime.now(UTC), about, False


def _of_files(o: dict[str, Any], view: RuleView, title: str) -> Delivery:
    from dataclasses import replace

    import geopandas as gpd
    import pandas as pd

    from rivergis.boundary.delivery import files as delivery_files
    from rivergis.intake import profile

    names = delivery_files.names_of(
        view.value("boundary.deliver.fields").value, profile.load_all(common.settings().rules_dir)
    )
    parts = [
        delivery_files.delivery(delivery_files.Files(p, stakes=o["stakes"] if i == 0 else None), title, names)
        for i, p in enumerate(o["line_files"])
    ]

    def joined(frames: list[Any]) -> Any:
        return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=frames[0].crs)

    return replace(
        parts[0], lines=joined([p.lines for p in parts]), areas=joined([p.areas for p in parts]),
        sources=tuple(s for p in parts for s in p.sources),
    )  # fmt: skip


def _listed_rivers(o: dict[str, Any], view: RuleView, told: Delivery) -> pd.DataFrame:
    """The rivers of a network or of an official list; with neither, those that the lines name."""
    import pandas as pd

    from rivergis.reports import register_sources

    if o["network"] is not None:
        files = register_sources.Files(o["network"])
        sources = register_sources.of_files(files, max_half_width_m=view.number("river.network.max_half_width"))
        return _by_name(_rivers(sources, view, o["official"]), told)
    if o["official"] is None:
        return pd.DataFrame({c: [] for c in _COLUMNS})
    listed = register_sources.official_of(o["official"], None).rivers
    rows = listed.rename(columns={"code": "river_code", "name": "river", "basin_area_km2": "basin_km2"})
    return _by_name(rows.assign(listed=True).reindex(columns=_COLUMNS), told)


_COLUMNS = ["river_code", "river", "kind", "length_m", "basin_km2", "basin_class", "listed", "from_m", "to_m"]


def _by_name(rivers: pd.DataFrame, told: Delivery) -> pd.DataFrame:
    """Rivers under the code that the lines have for them: their own, else that of the lines of their name, else their name."""
    lines = told.lines
    codes = list(lines["river_code"]) if "river_code" in lines else [None] * len(lines)
    names = list(lines["river"]) if "river" in lines else codes
    known = {str(c) for c in codes if c is not None}
    of_name = {str(n): str(c) for n, c in zip(names, codes, strict=True) if n is not None and c is not None}

    def code(own: Any, name: Any) -> Any:
        given = own if own is not None and own == own else name
        return given if str(given) in known else of_name.get(str(name), str(name) if str(name) in known else given)

    pairs = zip(rivers["river_code"], rivers["river"], strict=True)
    return rivers.assign(river_code=[code(own, name) for own, name in pairs])


def _rivers(sources: Sources, view: RuleView, official_file: Path | None) -> pd.DataFrame:
    """The list of rivers with length, basin and the ends of their chainage, and who of them an official list has."""
    import pandas as pd

    from rivergis.cli.river_register import _inventory, _sizes
    from rivergis.reports import register_sources
    from rivergis.river import official

    listed = None if official_file is None else register_sources.official_of(official_file, None)
    table = _inventory(sources, _sizes(view), listed).rivers
    ends = sources.reaches.groupby("river_id").agg(from_m=("from_m", "min"), to_m=("to_m", "max"))
    table = table.join(ends, on="river_id")
    rows = table.rename(columns={"code": "river_code", "name": "river", "upstream_area_km2": "basin_km2"})
    if listed is None:
        return rows.assign(listed=None).reindex(columns=_COLUMNS)
    compared = official.compare(table, listed, view.number("river.register.length_difference"))
    there = set(
        compared.loc[compared["official_name"].notna() | compared["official_code"].notna(), "river_id"].dropna()
    )
    known = rows.assign(listed=[r in there for r in table["river_id"]]).reindex(columns=_COLUMNS)
    # the first rows of the comparison are those of the official list, in its order
    missing = listed.rivers[compared["river_id"].head(len(listed.rivers)).isna().to_numpy()]
    more = missing.rename(columns={"code": "river_code", "name": "river", "basin_area_km2": "basin_km2"})
    more = more.assign(river_code=more["river_code"].where(more["river_code"].notna(), more["river"]), listed=True)
    return pd.concat([known, more.reindex(columns=_COLUMNS)], ignore_index=True)


def _stakes(told: Delivery) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame() if told.stakes is None else pd.DataFrame(told.stakes.drop(columns=told.stakes.geometry.name))


def _defects(path: Path | None) -> pd.DataFrame | None:
    """Defects of the doctor's report."""
    import pandas as pd

    from rivergis.errors import InputError

    if path is None:
        return None
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["defects"]
        frame = pd.DataFrame(rows, columns=["code", "severity", "reach_id", "bank", "features", "sentence"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path.name} is no report of the line doctor: make one with 'rivergis boundary check ... --out report.json'.") from error  # fmt: skip
    return frame.assign(severity=frame["severity"].fillna("blocks"))


def _show(paper: Any, rivers: pd.DataFrame, outs: tuple[Path, ...], as_json: bool) -> None:
    from rivergis.reports import patrol_paper

    if as_json:
        common.emit({**patrol_paper.as_json(paper), "written": [str(p) for p in outs]}, True)
        return
    f = paper.figures
    small = f["small"]
    low, high = small["class_km2"]
    common.say(f"河流 rivers {f['rivers']}: 两岸已公告 complete {f['complete']}, 部分 partly {f['partly']}, 仅草案 drafts {f['draft_only']}, 无界线 missing {f['missing']}")  # fmt: skip
    common.say(f"流域面积 basin {low:g}-{high:g} km2: {small['rivers']}, 列入名录 listed {small['listed']}, 无界线 missing {small['missing']}; 流域面积不明 basin not known {f['basin_unknown']}")  # fmt: skip
    table = paper.tables[0]
    common.head([patrol_paper.heading(c) for c in table.columns[:12:1]], [r[:12] for r in table.rows])
    for out in outs:
        common.say(f"→ {out}")


COMMANDS: tuple[click.Command, ...] = (quality,)
