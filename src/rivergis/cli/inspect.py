"""``rivergis inspect``: what is in these files, where does it lie, and what is wrong with it? Nothing is written."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common
from rivergis.errors import legible

if TYPE_CHECKING:
    from rivergis.intake.crs_reference import Reference

_CANDIDATES = 4


@click.command("inspect")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    default=None,
    help="GeoPackage with layers rivers and county of the place, as evidence (default: a database that is running).",
)
@click.option("--layer", default=None, help="Only this layer of each file.")
@click.option(
    "--crs",
    callback=common.known_system,
    default=None,
    help="Coordinate system (EPSG:CODE), where the file names none or a wrong one.",
)
@click.option(
    "--datum", type=click.Choice(["wgs84", "cgcs2000", "gcj02", "bd09"]), default=None, help="Datum, where you know it."
)
@click.option("--encoding", default=None, help="Text encoding, to overrule what was found: GBK, for instance.")
@click.option(
    "--report", type=click.Path(path_type=Path), default=None, help="Write the findings as .html, .json or .xlsx."
)
@common.json_option
def command(files: tuple[Path, ...], reference: Path | None, report: Path | None, as_json: bool, **o: Any) -> int:
    """Look at FILES or folders: format, encoding, coordinate system, every defect. Nothing is changed or imported.

    Exit codes: 0 everything can be read, 3 nothing can, 4 a part can.

    \b
    Example:
      rivergis inspect lines.shp stakes.xlsx walk.gpx
      rivergis inspect survey_disk/ --reference county.gpkg --report disk.html
    """
    from rivergis import rules
    from rivergis.intake import inspection
    from rivergis.intake.delivery import Asked
    from rivergis.intake.limits import Limits
    from rivergis.reports import intake_report

    intake_report.check(report)
    settings = common.settings()
    found = inspection.inspect(
        files,
        asked=Asked(o["layer"], o["crs"], o["datum"], o["encoding"]),
        reference=_reference(reference),
        limits=Limits.of(settings.max_limits),
        large_scale_km2=rules.load(settings.rules_dir)
        .at(("000000",), date.today())
        .number("publish.max_contiguous_large_scale"),
        draw=report is not None,
        progress=_progress,
    )
    if report is not None:
        intake_report.write_inspection(found.for_report(), report)
        common.say(f"→ {report}", err=True)
    if as_json:
        common.emit(found.as_list(), True)
    else:
        for file in found.as_list():
            _show(file)
        if len(found.files) > 1:
            _show_sum(found.as_list())
    return found.exit_code


def _progress(done: int, of: int, name: str) -> None:
    """One line that is written over; without a thread, so that each file's own process starts at once."""
    if of > 1 and sys.stderr.isatty():
        click.echo(f"\r\x1b[K{done}/{of} {legible(name)}" if done < of else "\r\x1b[K", nl=False, err=True)


def _reference(path: Path | None) -> Reference | None:
    """The reference file, or the rivers and outlines of a database that is there already; nothing is started for it."""
    from rivergis.intake import crs_reference

    if path is not None:
        return crs_reference.read_reference(path)
    from rivergis.jobs import reference

    return reference.of_running(common.settings())


def _show(file: dict[str, Any]) -> None:
    click.echo()
    common.say(f"{file['file']}  {file['format']}")
    if file["error"]:
        common.say(f"  ✗ {file['error']}")
    for d in file["defects"]:
        _show_defect(d)
    for layer in file["layers"]:
        _show_layer(layer)


def _show_layer(layer: dict[str, Any]) -> None:
    from rivergis import words

    crs = layer["crs"]
    kinds = ", ".join(layer["geometry_types"]) or layer["kind"]
    common.say(f"  图层 {layer['name']}: {layer['count']} × {kinds}")
    if layer["encoding"]:
        common.say(f"    编码 encoding: {layer['encoding']} · {layer['encoding_basis']}".rstrip(" ·"))
    if layer["kind"] == "table":
        common.say(f"    {words.both('intake.no_positions')}")
    else:
        _show_place(crs)
    if layer["extent_4490"]:
        west, south, east, north = layer["extent_4490"]
        common.say(f"    范围 extent: {west:.5f} {south:.5f} {east:.5f} {north:.5f}")
    _show_track(layer)
    for field in layer["fields"]:
        common.say(f"    {field['name']} ({field['type']}): {' | '.join(field['samples'][:3])}")
    for d in layer["defects"]:
        _show_defect(d)


def _show_place(crs: dict[str, Any]) -> None:
    from rivergis import words

    verdict = words.both(f"crs_verdict.{crs['verdict']}")
    system = f"EPSG:{crs['epsg']}" if crs["epsg"] else "?"
    more = [] if crs["datum"] == "wgs84" else [crs["datum"].upper()]
    more += ["坐标轴对调 axes exchanged"] if crs["axis"] == "swapped" else []
    common.say(f"    坐标系 CRS: {verdict} {system} {' '.join(more)}".rstrip())
    for reason in crs["reasons"]:
        common.say(f"      · {reason}")
    if crs["verdict"] != "declared":
        _show_candidates(crs["candidates"])


def _show_candidates(candidates: list[dict[str, Any]]) -> None:
    for c in candidates[:_CANDIDATES]:
        options = f"--crs EPSG:{c['epsg']}" + (f" --datum {c['datum']}" if c["datum"] in ("gcj02", "bd09") else "")
        common.say(f"      ? {options}{', X = 北 north' if c['axis'] == 'swapped' else ''}: {c['reason']}")
    if len(candidates) > _CANDIDATES:
        common.say(f"      … 另有 {len(candidates) - _CANDIDATES} 种可能 more readings")


def _show_sum(files: list[dict[str, Any]]) -> None:
    """What a folder of files came to, in two lines."""
    from rivergis import words

    unread = sum(f["error"] is not None for f in files)
    layers = [x for f in files for x in f["layers"]]
    verdicts = Counter(x["crs"]["verdict"] for x in layers)
    click.echo()
    click.echo(f"{len(files)} 个文件 files · {unread} 个不能读取 unreadable · {len(layers)} 个图层 layers")
    click.echo("坐标系 CRS: " + " · ".join(f"{words.both(f'crs_verdict.{v}')} {n}" for v, n in verdicts.items()))


def _show_track(layer: dict[str, Any]) -> None:
    if "time_verdict" in layer:
        common.say(
            f"    轨迹 track: {layer['fixes']} 点 fixes, {layer['first_at'] or '?'} … {layer['last_at'] or '?'}, 时间 times: {layer['time_verdict']}"
        )


def _show_defect(d: dict[str, Any]) -> None:
    from rivergis import words

    sign = {"error": "✗", "warning": "!", "info": "·"}[d["severity"]]
    where = f" [{d['place']}]" if d["place"] else f" [要素 {', '.join(d['features'][:5])}]" if d["features"] else ""
    action = f" → {d['action']}" if d["action"] else ""
    common.say(f"    {sign} {words.say('defect.' + d['code'])} {d['code']}: {d['message']}{where}{action}")
    common.advise(d["code"], "      ")
