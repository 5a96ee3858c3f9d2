"""The ground of a draft, opened: a DEM or heights above the nearest drainage, with its kind, error and vertical datum."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rivergis.boundary.drafting.flood import Heights
    from rivergis.boundary.drafting.flood_files import Terrain
    from rivergis.river.dem_files import DemFile
    from rivergis.rules import RuleView

FILE = click.Path(path_type=Path)
OPTIONS = (
    click.option("--dem", type=FILE, default=None, metavar="FILE", help="DEM that flood levels are compared with."),
    click.option(
        "--hand",
        type=FILE,
        default=None,
        metavar="FILE",
        help="Heights above the nearest drainage instead; levels are then depths (示意).",
    ),
    click.option(
        "--flood-levels",
        "levels",
        type=FILE,
        default=None,
        metavar="FILE",
        help="Levels: level_m with at_m and reach_code or river_code, or points; return_period_a.",
    ),
    click.option(
        "--dem-kind",
        default=None,
        metavar="KIND",
        help="lidar, survey, photogrammetry, srtm, copernicus, alos, aster ... (boundary.draft.dem_error).",
    ),
    click.option(
        "--dem-error", type=click.FloatRange(min=0), default=None, metavar="M", help="Vertical error, one sigma."
    ),
    click.option(
        "--vertical-datum",
        default=None,
        metavar="NAME",
        help="From what the levels count, and the DEM where it does not say: 1985, 吴淞 ...",
    ),
    click.option(
        "--dem-datum", default=None, metavar="NAME", help="From what the DEM counts, over what its file says."
    ),
    click.option(
        "--accept-unknown-datum",
        "insist",
        is_flag=True,
        help="Compare levels and DEM although their datums are unknown or differ; the result says so.",
    ),
    click.option(
        "--constant-beyond", is_flag=True, help="Take the first and last level as constant beyond them along the river."
    ),
)


def options(command: Any) -> Any:
    """The options of the ground."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def opened(asked: dict[str, Any], view: RuleView, stack: ExitStack) -> Terrain | None:
    """The ground asked for, open as long as the stack is; takes its options out of ``asked``. None where levels are not asked for."""
    from rivergis.boundary.drafting.flood_files import Terrain
    from rivergis.river import dem_files

    dem, hand, kind, error, datum, dem_datum, insist, beyond = (
        asked.pop(k)
        for k in (
            "dem",
            "hand",
            "dem_kind",
            "dem_error",
            "vertical_datum",
            "dem_datum",
            "insist",
            "constant_beyond",
        )
    )
    if (dem is None) == (hand is None):
        if dem is not None:
            raise click.UsageError("Give a DEM with --dem or heights above drainage with --hand, not both.")
        if asked["levels"] is not None:
            raise click.UsageError("Levels need the ground: give a DEM with --dem, or --hand.")
        return None
    if asked["levels"] is None:
        raise click.UsageError("The ground alone tells no line: give water levels with --flood-levels.")
    context: AbstractContextManager[DemFile] = dem_files.opened(dem or hand, vertical_datum=dem_datum)
    file = stack.enter_context(context)
    heights = heights_of(file, kind, error, view, hand is not None)
    return Terrain(heights, dem_files.datum_named, datum, insist, beyond)


def heights_of(file: DemFile, kind: str | None, error: float | None, view: RuleView, relative: bool) -> Heights:
    """An open DEM as the ground of a draft: its kind, error, and whether what is made from it is indicative only."""
    import numpy as np
    from rasterio.windows import Window

    from rivergis import crs
    from rivergis.boundary.drafting.flood import Heights
    from rivergis.river.terrain import Dem

    errors = view.value("boundary.draft.dem_error").value
    surfaces = view.value("boundary.draft.surface_models").value
    if kind is not None and kind not in errors:
        raise click.BadParameter(f"--dem-kind {kind!r} is none of {', '.join(errors)}.")
    kind = kind or next((k for k in surfaces if k in file.name.lower()), None)
    probe = Dem(np.zeros((file.shape[0], 1), np.float32), file.affine, file.crs)
    most = view.number("terrain.exact_max_cells")

    def read(lonlat: Any, margin_m: float) -> tuple[Dem, bool]:
        from rivergis.errors import InputError

        xy = crs.out_of_storage(file.crs)(lonlat)
        column, row = (~file.affine) @ (xy[:, 0], xy[:, 1])
        margin = max(64, int(np.ceil(margin_m / probe.cell_m)))
        rows, columns = file.shape
        top, left = max(int(row.min()) - margin, 0), max(int(column.min()) - margin, 0)
        bottom, right = min(int(row.max()) + margin + 1, rows), min(int(column.max()) + margin + 1, columns)
        if bottom <= top or right <= left:
            raise InputError(f"The river axis does not touch {file.name}: give the DEM of this river.", file=file.name)
        if (bottom - top) * (right - left) > most:
            raise InputError(
                f"The water of these levels needs {right - left} x {bottom - top} cells of {file.name}, more than {most:,.0f} "
                "(terrain.exact_max_cells): give levels of a shorter stretch, or a coarser DEM.",
                file=file.name,
            )
        window = Window(left, top, right - left, bottom - top)
        return file.read(window), (bottom - top, right - left) == file.shape

    coarse = probe.cell_m > view.number("boundary.draft.dem_cell") or kind in surfaces
    told = error if error is not None else float(errors[kind]) if kind else float("nan")
    return Heights(file.name, probe.cell_m, file.vertical_datum, read, told, coarse or relative, relative)


def level_ground(asked: dict[str, Any], view: RuleView, stack: ExitStack) -> tuple[Heights, list[str]]:
    """A DEM for levels that the user types: opened, its datum compared with theirs; what is to be said of it."""
    from dataclasses import replace

    import numpy as np

    from rivergis.river import dem_files
    from rivergis.river.terrain import UNKNOWN, Dem, require_same_datum

    file = stack.enter_context(dem_files.opened(asked["dem"], vertical_datum=asked["dem_datum"]))
    declared = dem_files.datum_named(asked["vertical_datum"])
    own, said = file.vertical_datum, []
    if own == UNKNOWN and declared != UNKNOWN:
        own = declared
        said.append(f"{file.name} names no vertical datum; {declared} is declared by the user.")
    probe = Dem(np.zeros((1, 1), np.float32), file.affine, file.crs, own, file.name)
    said += require_same_datum(probe, declared, asked["insist"])
    return replace(heights_of(file, asked["dem_kind"], None, view, False), vertical_datum=own), said
