"""``rivergis boundary ridge``: the strip beside rivers up to the first ridge."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import click

from rivergis.cli import boundary_draft_ground, common

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("dem", type=FILE)
@click.option("--reaches", type=FILE, required=True, metavar="FILE", help="Centre lines, digitised downstream.")
@click.option("--layer", default=None, metavar="LAYER", help="Layer of the reaches.")
@click.option(
    "--farthest",
    "farthest_m",
    type=click.FloatRange(min=1),
    default=None,
    metavar="M",
    help="How far a ridge is looked for.",
)
@click.option(
    "--drop",
    "drop_m",
    type=click.FloatRange(min=0.1),
    default=None,
    metavar="M",
    help="Fall behind what counts as a ridge.",
)
@click.option("--dem-kind", default=None, metavar="KIND", help="lidar, survey, srtm ... (boundary.draft.dem_error).")
@click.option("--out", type=FILE, required=True, metavar="GPKG", help="GeoPackage with layers strips and ridges.")
@common.json_option
def ridge(out: Path, as_json: bool, **asked: Any) -> None:
    """Strips from the river to the first ridge on both sides (一重山), where mining is banned; a proposal for people to decide.

    \b
    Example:
      rivergis boundary ridge dem.tif --reaches reaches.gpkg --out ridge.gpkg
    """
    import geopandas as gpd

    from rivergis import crs, rules
    from rivergis.boundary.drafting import read_files as draft_read_files
    from rivergis.boundary.drafting import ridge as ridges
    from rivergis.errors import UsageError
    from rivergis.intake.delivery import Asked
    from rivergis.river import dem_files, files

    if out.suffix.lower() != ".gpkg":
        raise UsageError(f"{out.name}: strips are written as GeoPackage; give --out a name that ends in .gpkg.")
    common.not_its_source(out)
    view = rules.load(common.settings().rules_dir).at(("000000",), date.today())
    reading = draft_read_files.Reading()
    opened = draft_read_files.opened({"reaches": asked["reaches"]}, Asked(None, None, None, None))
    layer = draft_read_files.layer("reaches", asked["reaches"], opened["reaches"], asked["layer"], reading)
    system = crs.local_crs(*crs.centre(layer.frame))
    reaches = draft_read_files.reaches_of(layer.to(system), reading, view.book.facts)
    far = asked["farthest_m"] or view.number("boundary.ridge.farthest")
    drop = asked["drop_m"] or view.number("boundary.ridge.drop")
    step = view.number("boundary.draft.look_step")
    with ExitStack() as stack:
        file = stack.enter_context(dem_files.opened(asked["dem"]))
        heights = boundary_draft_ground.heights_of(file, asked["dem_kind"], None, view, False)
        made = [(r, ridges.strip(heights, r.axis, system, step_m=step, farthest_m=far, drop_m=drop)) for r in reaches]
    mark = "示意" if heights.indicative else None
    strips = [(r.code, mark, s.shape) for r, s in made if not s.shape.is_empty]
    tops = [(r.code, bank, line) for r, s in made for bank, line in s.ridges]
    open_m = sum(b - a for _, s in made for _, a, b in s.open_m)
    frames = [
        ("strips", gpd.GeoDataFrame({"reach_code": [s[0] for s in strips], "indicative": [s[1] for s in strips]}, geometry=[s[2] for s in strips], crs=system), "MultiPolygon"),
        ("ridges", gpd.GeoDataFrame({"reach_code": [t[0] for t in tops], "bank": [t[1] for t in tops]}, geometry=[t[2] for t in tops], crs=system), "LineString"),
    ]  # fmt: skip
    files.write_package(
        out,
        [(n, crs.to_storage(f) if len(f) else f.set_crs(crs.STORAGE, allow_override=True), k) for n, f, k in frames],
    )
    told = {
        "strips": len(strips),
        "without_ridge_m": round(open_m),
        "indicative": heights.indicative,
        "said": reading.said,
    }
    text = f"一重山 strips to the first ridge: {len(strips)} 河段 reaches · {open_m:,.0f} m 岸线未见山脊 of bank without a ridge"
    common.emit(told, as_json, "\n".join([text + (" · 示意 indicative only" if mark else ""), f"  {out}"]))


COMMANDS: tuple[click.Command, ...] = (ridge,)
