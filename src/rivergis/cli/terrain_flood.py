"""``rivergis terrain flood``: land under water at levels along a river."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.river.flood_files import FloodResult

FILE = click.Path(path_type=Path)
PROFILES = {"as_given": "按给定值 as given", "fitted_falling": "拟合下降水面线 fitted, falling downstream"}


def datum(name: str) -> str:
    """A vertical datum as it is shown."""
    return "不明 unknown" if name == "unknown" else name


@click.command()
@click.argument("dem", type=FILE)
@click.option(
    "--axis",
    type=FILE,
    required=True,
    metavar="LINES",
    help="Axis of the river, digitised downstream, or a network of rivergis river build.",
)
@click.option("--axis-layer", default=None, metavar="LAYER", help="Layer of the axis (default: reaches of a network).")
@click.option("--river-id", default=None, metavar="ID", help="Which river of the network.")
@click.option("--reverse-axis", "upstream_last", is_flag=True, help="The axis is digitised upstream: turn it.")
@click.option(
    "--levels",
    type=FILE,
    required=True,
    metavar="FILE",
    help="Water levels: level_m with at_m (chainage), or points (high-water marks).",
)
@click.option("--levels-layer", default=None, metavar="LAYER", help="Layer of the levels.")
@click.option(
    "--vertical-datum",
    default=None,
    metavar="NAME",
    help="From what the levels count, and the DEM where it does not say: 1985, 吴淞, NAVD88 ...",
)
@click.option("--dem-datum", default=None, metavar="NAME", help="From what the DEM counts, over what its file says.")
@click.option(
    "--accept-unknown-datum",
    "insist",
    is_flag=True,
    help="Compare levels and DEM although their datums are unknown or differ; the result says so.",
)
@click.option("--levees", type=FILE, default=None, metavar="LINES", help="Levee crests: lines with crest_m or heights.")
@click.option("--levees-layer", default=None, metavar="LAYER", help="Layer of the levees.")
@click.option(
    "--profile",
    type=click.Choice(["auto", "fitted", "as_given"]),
    default="auto",
    show_default=True,
    help="Fitted: falling downstream, robust against wrong marks (auto: for points).",
)
@click.option(
    "--constant-beyond", is_flag=True, help="Take the first and last level as constant beyond them along the axis."
)
@click.option(
    "--every",
    "every_m",
    type=click.FloatRange(min=1),
    default=100.0,
    show_default=True,
    metavar="M",
    help="Length of the stretches of which the mean wet width is told.",
)
@click.option(
    "--crs",
    default=None,
    callback=common.known_system,
    metavar="EPSG:CODE",
    help="System of axis, levels and levees where their files name none.",
)
@click.option("--out", type=FILE, required=True, metavar="GPKG", help="GeoPackage for the extent.")
@click.option("--depth", type=FILE, default=None, metavar="TIF", help="GeoTIFF for the depths.")
@click.option("--overwrite", is_flag=True, help="Replace results that are there already.")
@common.json_option
def flood(out: Path, depth: Path | None, overwrite: bool, as_json: bool, **asked: Any) -> None:
    """Extent and depth at water levels along a river (淹没范围): never across a levee that is not overtopped.

    Land below the river that the water does not reach is listed apart, with the rise that would reach it.

    \b
    Example:
      rivergis terrain flood dem.tif --axis network.gpkg --river-id R1 --levels levels.csv --vertical-datum 1985 --out flood.gpkg --depth depth.tif
    """
    from datetime import date

    from rivergis import rules
    from rivergis.river import flood_files

    flood_files.check_out(out, depth, overwrite)
    common.not_its_source(out, depth)
    view = rules.load(common.settings().rules_dir).at(("000000",), date.today())
    result = flood_files.flood_files(flood_files.Asked(**asked), view)
    flood_files.write(result, out)
    if depth is not None:
        flood_files.write_depth(result, depth)
    if as_json:
        common.emit(result.summary, True)
        return
    _tell(result, out, depth)


def _errors(told: dict[str, Any]) -> str:
    """How well a fitted profile keeps to its marks; a table is taken as given and has no errors."""
    if told["profile"] == "as_given":
        return ""
    figures = (("残差 residuals", "residual_rms_m"), ("留一误差 leave-one-out", "left_out_rms_m"))
    return "".join(f" · {name} {told[key]:.2f} m" for name, key in figures if told[key] is not None)


def _tell(result: FloodResult, out: Path, depth: Path | None) -> None:
    from rivergis import words

    told = result.levels
    deepest = "–" if result.max_depth_m is None else f"{result.max_depth_m:.2f} m"
    common.say(
        f"{result.dem}: 淹没面积 area {result.area_m2:,.0f} m² · {result.parts} 片 parts · 最大水深 deepest {deepest} · 高程基准 vertical datum {datum(result.vertical_datum)}"
    )
    common.say(
        f"水位 levels {told['count']}, {told['from_m']:,.0f}–{told['to_m']:,.0f} m, {told['highest_m']:.2f}–{told['lowest_m']:.2f} m · {PROFILES.get(told['profile'], told['profile'])}"
        + _errors(told)
    )
    common.say(
        f"{words.both('flood.low_but_not_connected')}: {len(result.low_but_not_connected)}, {result.low_area_m2:,.0f} m²"
    )
    for code, count in Counter(m["code"] for m in (*result.open_ends, *result.look_at)).items():
        common.say(f"{words.both(f'flood.{code}')}: {count}")
    for sentence in result.said:
        common.say(f"! {sentence}")
    common.say(f"  {out}" + (f" · {depth}" if depth is not None else ""))
