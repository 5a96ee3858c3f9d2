"""``rivergis boundary drawdown``: the belt of a reservoir between two water levels, and what lies in it."""

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
@click.option(
    "--water", type=FILE, required=True, metavar="FILE", help="The water of the reservoir at any level: areas."
)
@click.option("--low", "low_m", type=float, required=True, metavar="M", help="Low level, such as 145.")
@click.option("--high", "high_m", type=float, required=True, metavar="M", help="High level, such as 175.")
@click.option(
    "--objects", type=FILE, default=None, metavar="FILE", help="Ponds, fields ... (areas): which lie in the belt?"
)
@click.option("--vertical-datum", default=None, metavar="NAME", help="From what the levels count: 1985, 吴淞 ...")
@click.option("--dem-datum", default=None, metavar="NAME", help="From what the DEM counts, over what its file says.")
@click.option(
    "--accept-unknown-datum", "insist", is_flag=True, help="Compare although the datums are unknown or differ."
)
@click.option("--dem-kind", default=None, metavar="KIND", help="lidar, survey, srtm ... (boundary.draft.dem_error).")
@click.option("--out", type=FILE, required=True, metavar="GPKG", help="GeoPackage with layers belt, below and objects.")
@common.json_option
def drawdown(out: Path, as_json: bool, **asked: Any) -> None:
    """Land that is dry at the low and under water at the high level (消落带), with the objects in it.

    \b
    Example:
      rivergis boundary drawdown dem.tif --water reservoir.gpkg --low 145 --high 175 --vertical-datum 吴淞 --objects ponds.gpkg --out belt.gpkg
    """
    import geopandas as gpd
    import shapely

    from rivergis import crs, geometry, rules
    from rivergis.boundary.drafting import drawdown as belts
    from rivergis.errors import UsageError
    from rivergis.intake import vector
    from rivergis.river import files

    if out.suffix.lower() != ".gpkg":
        raise UsageError(f"{out.name}: the belt is written as GeoPackage; give --out a name that ends in .gpkg.")
    common.not_its_source(out)
    view = rules.load(common.settings().rules_dir).at(("000000",), date.today())
    water = vector.open_layer(asked["water"]).frame
    system = crs.local_crs(*crs.centre(water))
    whole = geometry.polygons_of(shapely.union_all(water.to_crs(system).geometry.to_numpy()))
    objects = None if asked["objects"] is None else vector.open_layer(asked["objects"]).frame.to_crs(system)
    with ExitStack() as stack:
        heights, said = boundary_draft_ground.level_ground(asked, view, stack)
        made = belts.belt(heights, whole, asked["low_m"], asked["high_m"], system, objects)
    shapes = {"belt": made.shape, "below": made.below}
    mark = "示意" if made.indicative else None
    layers = [
        (n, crs.to_storage(gpd.GeoDataFrame({"indicative": [mark]}, geometry=[s], crs=system)), "MultiPolygon")
        for n, s in shapes.items()
    ]
    found = made.objects
    if len(found):
        layers.append(("objects", crs.to_storage(found), "Unknown"))
    files.write_package(out, layers)
    told = {"area_m2": round(made.area_m2, 1), "objects": len(found), "indicative": made.indicative, "said": said}
    text = f"消落带 drawdown belt: {made.area_m2:,.0f} m² · {len(found)} 个对象在内 objects in it" + (
        " · 示意 indicative only" if made.indicative else ""
    )
    common.emit(told, as_json, "\n".join([text, *(f"! {s}" for s in said), f"  {out}"]))


COMMANDS: tuple[click.Command, ...] = (drawdown,)
