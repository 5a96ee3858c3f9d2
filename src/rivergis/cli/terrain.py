"""``rivergis terrain``: where water runs on a DEM, and what lies low beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from rivergis.cli import common, terrain_flood

STEPS = {
    "read": "读取 reading",
    "fill": "填洼 filling depressions",
    "direction": "流向 flow direction",
    "area": "集水面积 upstream area",
    "report": "检查 looking at voids and pits",
    "windows": "沿河全分辨率 windows in full resolution",
    "write": "写出 writing",
}
RESULTS = {
    "filled": "填洼高程 filled DEM",
    "flow_direction": "流向 flow direction",
    "upstream_area": "集水面积 upstream area",
    "edge": "边缘影响 touched by the edge",
    "catchments": "集水区 catchments of the streams",
    "basins": "流域 basins",
    "upstream_cells": "上游格数 upstream cells",
    "streams": "溪流 streams",
    "height_above_drainage": "高于河道 height above the nearest stream",
    "result": "结果 result",
}
METHODS = {"exact": "逐格精确 exact"}


@contextmanager
def shown_progress() -> Iterator[Callable[[str, float], None]]:
    """A bar on stderr for steps of ``STEPS``, gone when the work is done; nothing where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step, share: None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda step, share: bar.update(task, description=STEPS.get(step, step), completed=share)


@click.group("terrain")
def command() -> None:
    """Terrain (数字高程模型): where does the water run, and how high above the river does the land lie?"""


@command.command()
@click.argument("dem", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the results.")
@click.option(
    "--threshold",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    metavar="KM2",
    help="Upstream area from which a stream is drawn (default: rule terrain.stream_area).",
)
@click.option(
    "--crs",
    "system",
    default=None,
    callback=common.known_system,
    metavar="EPSG:CODE",
    help="Coordinate system, where the file names none or a wrong one.",
)
@click.option(
    "--vertical-datum",
    default=None,
    metavar="NAME",
    help="From what heights count: 1985, ellipsoidal, local, NAVD88 ... (written into the results).",
)
@click.option(
    "--burn",
    type=click.Path(path_type=Path),
    default=None,
    metavar="LINES",
    help="River lines along which the ground is lowered first.",
)
@click.option("--burn-layer", default=None, metavar="LAYER", help="Layer of the river lines.")
@click.option(
    "--burn-depth",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    metavar="M",
    help="By how much (default: rule terrain.burn_depth).",
)
@click.option(
    "--max-depth",
    "max_depth_m",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    metavar="M",
    help="Depressions deeper than this keep their water (default: all are filled).",
)
@click.option(
    "--fill-voids",
    type=click.IntRange(min=0),
    default=0,
    metavar="CELLS",
    help="Interpolate inner voids of at most so many cells (default: none).",
)
@click.option(
    "--coding",
    type=click.Choice(["esri", "taudem", "grass"]),
    default="esri",
    show_default=True,
    help="Codes of the flow directions.",
)
@click.option(
    "--max-cells",
    type=click.IntRange(min=1000),
    default=None,
    metavar="N",
    help="Cells up to which flow is exact (default: rule terrain.exact_max_cells).",
)
@common.json_option
def flow(
    dem: Path,
    out: Path,
    threshold: float | None,
    burn_depth: float | None,
    max_cells: int | None,
    as_json: bool,
    **more: Any,
) -> None:
    """Filled DEM, flow direction, upstream area, streams and height above the nearest stream, as GeoTIFF and GeoPackage.

    \b
    Example:
      rivergis terrain flow dem.tif --out flow --threshold 5 --vertical-datum 1985
    """
    from datetime import date

    from rivergis import rules
    from rivergis.river import flow_files

    view = rules.load(common.settings().rules_dir).at(("000000",), date.today())
    asked = flow_files.Asked(
        threshold_km2=threshold if threshold is not None else view.number("terrain.stream_area"),
        max_cells=max_cells if max_cells is not None else int(view.number("terrain.exact_max_cells")),
        burn_depth_m=burn_depth if burn_depth is not None else view.number("terrain.burn_depth"),
        **more,
    )
    with shown_progress() as told:
        result = flow_files.flow_file(dem, out, asked, told)
    if as_json:
        common.emit(result, True)
        return
    common.say(
        f"{result.dem}: {result.rows:,} x {result.columns:,} 格 cells · {result.cell_m:g} m · 高程基准 vertical datum {terrain_flood.datum(result.vertical_datum)} · {METHODS.get(result.method, result.method)}"
    )
    common.say(
        f"填洼 filled pits {result.pits['count']:,}, {result.pits['volume_m3']:,.0f} m³, 最深 deepest {result.pits['deepest_m']} m"
    )
    common.say(
        f"溪流 streams {result.streams:,} (≥ {result.threshold_km2:g} km²), {result.stream_length_km:,.1f} km, Strahler {result.strahler}, 最大集水面积 largest area {result.largest_area_km2:,.2f} km²"
    )
    common.say(f"边缘影响 touched by the edge of the DEM {result.edge_share:.1%}")
    for sentence in result.said:
        common.say(f"! {sentence}")
    for name, path in result.files.items():
        common.say(f"  {RESULTS.get(name, name)}: {path}")


command.add_command(terrain_flood.flood)
