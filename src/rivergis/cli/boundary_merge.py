"""``rivergis boundary merge``: several survey results in many systems and encodings on one map."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.boundary.delivery.files import Names
    from rivergis.reports.boundary_merge import Delivered

FILE = click.Path(path_type=Path, exists=True)
ENDINGS = (
    ".shp",
    ".zip",
    ".gpkg",
    ".geojson",
    ".json",
    ".dxf",
    ".kml",
    ".kmz",
    ".gml",
    ".gdb",
    ".xlsx",
    ".csv",
    ".tab",
    ".mif",
)


@click.command("merge")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="GeoPackage to write: lines, areas, duplicates, conflicts, overlaps.")  # fmt: skip
@click.option("--report", "reports", type=click.Path(path_type=Path), multiple=True, help="Report to write: .html, .xlsx, .pdf or .json; may be repeated.")  # fmt: skip
@click.option("--map", "map_file", type=click.Path(path_type=Path), default=None, help="Map to write (.html).")
@click.option(
    "--crs", "systems", multiple=True, metavar="FILE=EPSG:CODE", help="System of a file that names none or a wrong one."
)
@click.option(
    "--encoding", "encodings", multiple=True, metavar="FILE=GBK", help="Text encoding of a file that names none."
)
@click.option("--near", type=click.FloatRange(min=0.01), default=None, metavar="M", help="Lines nearer than this are one (default: the rule boundary.quality.duplicate_tolerance).")  # fmt: skip
@click.option("--far", type=click.FloatRange(min=1), default=None, metavar="M", help="Lines of one river and bank up to this far apart contradict each other (default: the rule boundary.quality.conflict_within).")  # fmt: skip
@click.option("--place", default="000000", metavar="ADCODE", help="Place whose rules hold (default: national).")
@click.option("--overwrite", is_flag=True, help="Replace files that are there already.")
@common.json_option
def merge(files: tuple[Path, ...], out: Path, reports: tuple[Path, ...], map_file: Path | None, place: str, overwrite: bool, as_json: bool, **o: Any) -> int:  # fmt: skip
    """Bring survey results (FILES, or folders of them) in many systems and encodings onto one map (划界整合上图).

    Every line and area stays, with the file, layer and feature it came from. What came twice, what contradicts (one river
    and bank, two lines), and areas over each other are layers and tables of their own. A line that lies wholly on another
    and says nothing else is proposed to be left out (proposal); nobody decides here. What cannot be used is told, never
    guessed.

    Exit codes: 0 done; 4 some file or feature could not be taken (said).

    \b
    Example:
      rivergis boundary merge results/*.shp county_b.dxf --crs county_b.dxf=EPSG:4544 --out merged.gpkg --report merged.html
    """
    from rivergis import rules
    from rivergis.boundary.delivery import merging
    from rivergis.reports import boundary_merge, patrol_paper

    _check(out, reports, map_file, _listed(files), overwrite)
    day = datetime.now(common.SHANGHAI).date()
    view = rules.load(common.settings().rules_dir).at(rules.path_of(place), day)
    limits = merging.Limits(
        o["near"] if o["near"] is not None else view.number("boundary.quality.duplicate_tolerance"),
        o["far"] if o["far"] is not None else view.number("boundary.quality.conflict_within"),
        view.number("boundary.topology.sliver_area"),
    )
    names = _names(view)
    frames, delivered = _read(
        _listed(files), names, _named(o["systems"], "--crs"), _named(o["encodings"], "--encoding")
    )
    merged = merging.merge(_joined(frames["lines"]), _joined(frames["areas"]), limits)
    paper = boundary_merge.paper(merged, delivered, limits, datetime.now(UTC), [r.as_dict() for r in view.used])
    boundary_merge.write_data(merged, out)
    for report in reports:
        patrol_paper.write(paper, report)
    if map_file is not None:
        common.write_page(map_file, boundary_merge.draw(merged))
    _show(paper, delivered, [p for p in (out, *reports, map_file) if p is not None], as_json)
    return common.EXIT_PARTLY if paper.figures["aside"] else 0


def _check(out: Path, reports: Sequence[Path], map_file: Path | None, files: Sequence[Path], overwrite: bool) -> None:
    from rivergis.errors import UsageError
    from rivergis.reports import patrol_paper

    if out.suffix.lower() != ".gpkg":
        raise UsageError(f"{out.name}: what is merged is written to a GeoPackage; give a name that ends in .gpkg.")
    if map_file is not None and map_file.suffix.lower() != ".html":
        raise UsageError(f"{map_file.name}: a map is one page; give --map a name that ends in .html.")
    for report in reports:
        patrol_paper.check(report)
    for path in (out, *reports, *([map_file] if map_file else [])):
        if path.exists() and any(path.samefile(f) for f in files):
            raise UsageError(f"{path} is what the result is made of: give another name.")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"The folder {path.absolute().parent} does not exist: make it, or give another name.")
        if path.exists() and not overwrite:
            raise UsageError(f"{path} is there already: choose another name or say --overwrite.")


def _names(view: Any) -> Names:
    from rivergis.boundary.delivery import files as delivery_files
    from rivergis.intake import profile

    return delivery_files.names_of(
        view.value("boundary.deliver.fields").value, profile.load_all(common.settings().rules_dir)
    )


def _listed(given: Sequence[Path]) -> list[Path]:
    """The files named, and those in the folders named; a file geodatabase is a folder that is a file."""
    out: list[Path] = []
    for path in given:
        folder = path.is_dir() and path.suffix.lower() != ".gdb"
        out += sorted(p for p in path.rglob("*") if p.suffix.lower() in ENDINGS) if folder else [path]
    return list(dict.fromkeys(out))


def _named(pairs: Sequence[str], option: str) -> dict[str, str]:
    """FILE=VALUE of an option, by the name of the file."""
    out = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name or not value:
            raise click.BadParameter(f"{pair!r}: write FILE=VALUE, as in county_b.dxf=EPSG:4544.", param_hint=option)
        out[Path(name).name] = value
    return out


def _read(paths: Sequence[Path], names: Names, systems: dict[str, str], encodings: dict[str, str]) -> tuple[dict[str, list[Any]], list[Delivered]]:  # fmt: skip
    """Lines and areas of every file, and what became of each; a file that cannot be used does not end the others."""
    from rivergis.errors import CrsRefused

    frames: dict[str, list[Any]] = {"lines": [], "areas": []}
    asked = {p: _asked(p, systems, encodings) for p in paths}
    told = {p: _one(p, names, asked[p], frames) for p in paths}
    # a file that names no zone may lie where the others lie: they are the evidence by which it is recognised, or not
    place = _place(frames)
    for path, results in told.items():
        if place is not None and any(isinstance(d.error, CrsRefused) for d in results):
            told[path] = _one(path, names, asked[path], frames, place)
    return frames, [d for results in told.values() for d in results]


def _asked(path: Path, systems: dict[str, str], encodings: dict[str, str]) -> Any:
    from rivergis.intake.delivery import Asked

    return Asked(None, systems.get(path.name), None, encodings.get(path.name))


def _place(frames: dict[str, list[Any]]) -> Any:
    """What the files that are certain know of the place: their lines, and the ground around them."""
    import shapely

    from rivergis.intake.crs_reference import Reference

    lines = [g for f in frames["lines"] for g in f.geometry]
    shapes = [*lines, *(g for f in frames["areas"] for g in f.geometry)]
    if not shapes:
        return None
    around = shapely.convex_hull(shapely.geometrycollections(shapes)).buffer(0.05)
    return Reference(tuple(lines), (around,), "the other files")


def _one(path: Path, names: Names, asked: Any, frames: dict[str, list[Any]], place: Any = None) -> list[Delivered]:
    """What became of one file; its lines and areas are added to ``frames``."""
    from rivergis.boundary.delivery import files as delivery_files
    from rivergis.errors import RivergisError
    from rivergis.reports.boundary_merge import Delivered

    try:
        found = delivery_files.read_all(path, names, asked, place)
    except RivergisError as error:
        return [Delivered(path.name, None, None, None, error=error)]
    told = []
    for got in found:
        by = f"{got.system} (据其他成果识别 recognised by the other files)" if place is not None else got.system
        told.append(Delivered(path.name, got.layer, by, got.encoding, len(got.frame), list(got.faults)))
        if len(got.frame):
            areal = got.frame.geom_type.iloc[0].endswith("Polygon")
            frames["areas" if areal else "lines"].append(
                got.frame.assign(file=path.name, layer=got.layer, source_crs=got.system)
            )
    return told or [Delivered(path.name, None, None, None, 0)]


def _joined(frames: Sequence[Any]) -> Any:
    """Frames of several files as one; lines as single lines."""
    import geopandas as gpd
    import pandas as pd

    from rivergis import crs

    if not frames:
        return gpd.GeoDataFrame(
            {c: [] for c in ("file", "layer", "feature", "source_crs")}, geometry=[], crs=crs.STORAGE
        )
    whole = pd.concat([f.dropna(axis=1, how="all") for f in frames], ignore_index=True)
    for column in ("layer", "source_crs"):
        whole[column] = whole.get(column)
    return gpd.GeoDataFrame(whole, geometry="geometry", crs=frames[0].crs).explode(ignore_index=True)


def _show(paper: Any, delivered: Sequence[Delivered], written: Sequence[Path], as_json: bool) -> None:
    from rivergis.reports import patrol_paper

    if as_json:
        common.emit({**patrol_paper.as_json(paper), "written": [str(p) for p in written]}, True)
        return
    f = paper.figures
    common.say(f"{f['files']} 个文件 files: 界线 lines {f['lines']}, 范围面 areas {f['areas']}; 重复 twice {f['duplicates']} (建议不采用 proposed to leave out {f['proposed_to_leave_out']}), 矛盾 in conflict {f['conflicts']}, 重叠 overlaps {f['overlaps']}")  # fmt: skip
    for d in delivered:
        where = " · ".join(p for p in (d.file, d.layer, d.system, d.encoding) if p)
        common.say(f"  {where}: {d.taken}" + (f" — {d.said}" if d.error is not None else ""), err=d.error is not None)
        for feature, sentence in d.aside[:5]:
            common.say(f"    {feature}: {sentence}", err=True)
    for path in written:
        common.say(f"→ {path}")


COMMANDS: tuple[click.Command, ...] = (merge,)
