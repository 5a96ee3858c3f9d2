"""``rivergis boundary``: diff, what a redraw of management areas changes before anybody signs it; and project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import boundary_project, common

if TYPE_CHECKING:
    from rivergis.boundary.redraw.compare import Redraw
    from rivergis.boundary.redraw.files import Files
    from rivergis.rules import RuleView

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
DATABASE = "database"
KEPT = "redraw_layers"
"""Folder of layers that are held against every redraw, in the data folder."""
_LAYERS = {
    "objects": ("object", "Objects that stand on the ground, of any kind."),
    "buildings": ("building", "Buildings (建筑物); households where a column gives them."),
    "land_use": ("land_use", "Land-use classes of the third survey (三调地类图斑)."),
    "farmland": ("farmland", "Permanent basic farmland (永久基本农田)."),
    "red_line": ("red_line", "Ecological red line (生态保护红线)."),
    "growth_boundary": ("growth_boundary", "Urban growth boundary (城镇开发边界)."),
    "parcels": ("parcel", "Land parcels (宗地)."),
    "permits": ("permit", "Permits in the river (涉河许可)."),
    "outfalls": ("outfall", "Outfalls (入河排污口)."),
}
"""Option -> layer of a redraw, and what it is."""


def _layer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, (_, text) in reversed(_LAYERS.items()):
        flag = "--" + name.replace("_", "-")
        command = click.option(flag, name, type=FILE, multiple=True, help=f"{text} May be given more than once.")(
            command
        )
    return command


@click.command("diff")
@click.argument("old", type=FILE, required=False)
@click.argument("new", type=FILE, required=False)
@click.option(
    "--draft",
    default=None,
    metavar="CODE",
    help="Instead of two files: a draft of the database against the law of its day.",
)
@click.option(
    "--on",
    "days",
    type=common.CivilDay(),
    multiple=True,
    help="Instead of two files: the law of two civil days; give it twice.",
)
@click.option("--river", "rivers", multiple=True, metavar="CODE", help="With --on: these rivers only.")
@click.option(
    "--reaches", type=FILE, default=None, help="Centre lines, digitised downstream: for bank, reach and chainage."
)
@_layer_options
@click.option(
    "--observed",
    type=FILE,
    multiple=True,
    help="Water extents seen, each with its day (a column 日期, date ...). May be given more than once.",
)
@click.option(
    "--cases",
    default=None,
    metavar="FILE|database",
    help="Open cases: a file, or the ledger of the database (always looked at with --draft and --on).",
)
@click.option("--units", type=FILE, default=None, help="Villages or towns, to tell which of them gain and lose.")
@click.option(
    "--layers",
    "kept",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="Folder of layers named by what they hold (land_use.shp, farmland.gpkg, red_line, parcel, observed ...); with --draft and --on by default redraw_layers in the data folder.",
)
@click.option("--old-layer", default=None, help="Layer of the first file.")
@click.option("--new-layer", default=None, help="Layer of the second file.")
@click.option(
    "--old-day",
    type=common.CivilDay(),
    default=None,
    help="Since when the old line is law (default: its announcement): what is newer is a new object.",
)
@click.option(
    "--noise",
    "noise_m",
    type=click.FloatRange(0, 20),
    default=None,
    help="Width in metres up to which a change is resurvey noise (default: the rules).",
)
@click.option("--reason", default="", help="Reason of the reductions for which the new lines give none.")
@click.option(
    "--place", "adcode", default="000000", show_default=True, metavar="ADCODE", help="Place whose rules hold."
)
@click.option(
    "--crs", callback=common.known_system, default=None, help="Coordinate system (EPSG:CODE) of files that name none."
)
@click.option("--encoding", default=None, help="Text encoding of files that name none: GBK, for instance.")
@click.option(
    "--out",
    "outs",
    type=click.Path(path_type=Path),
    multiple=True,
    help="File to write: .html, .pdf, .xlsx (tables to be countersigned), .gpkg or .json. May be given more than once.",
)
@click.option("--fail-on", type=click.Choice(["reduction"]), default=None, help="Exit with 1 where anything is let go.")
@common.json_option
def diff(
    old: Path | None, new: Path | None, draft: str | None, days: tuple[datetime, ...], rivers: tuple[str, ...], reaches: Path | None,
    observed: tuple[Path, ...], cases: str | None, units: Path | None, kept: Path | None, old_layer: str | None, new_layer: str | None,
    old_day: datetime | None, noise_m: float | None, reason: str, adcode: str, crs: str | None, encoding: str | None,
    outs: tuple[Path, ...], fail_on: str | None, as_json: bool, **layers: tuple[Path, ...],
) -> None:  # fmt: skip
    """What a redraw of management areas takes in and lets go, and everything that it touches (改线预览).

    OLD and NEW are files of areas or of lines. Every reduction is listed with its reason and the open cases on it, in a table to be
    countersigned; released ground that was ever water, or carries something new, is flagged. What was not given is named: nothing
    is known of it.

    \b
    Examples:
      rivergis boundary diff former.gpkg new.gpkg --reaches reaches.gpkg --cases database --out redraw.pdf --out redraw.xlsx
      rivergis boundary diff --draft 2026-01 --land-use dltb.shp --farmland yjjbnt.shp --out redraw.html
      rivergis boundary diff --on 2025-12-31 --on 2026-07-01 --out year.xlsx
    """
    from rivergis.boundary.redraw.files import Files
    from rivergis.errors import UsageError
    from rivergis.reports import boundary_diff as report

    for out in outs:
        report.check(out)
        common.not_its_source(out)
    ways = sum((old is not None, draft is not None, bool(days)))
    if ways != 1 or (old is not None and new is None) or (days and len(days) != 2):
        raise UsageError(
            "Compare two files (OLD NEW), a draft (--draft CODE), or the law of two days (--on DAY --on DAY)."
        )
    things = {_LAYERS[name][0]: paths for name, paths in layers.items() if paths}
    if cases is not None and cases != DATABASE:
        things["case"] = (_there(cases),)
    files = Files(old, new, old_layer, new_layer, reaches, things, observed, units, crs, encoding)
    view = _view(adcode, days[0].date() if days else date.today())
    told = _Asked(files, view, noise_m, None if old_day is None else old_day.date(), reason, kept)
    if old is not None:
        redraw = _of_files(told, cases == DATABASE)
    else:
        redraw = _of_database(told, draft, [d.date() for d in days], rivers)
    made_at = datetime.now(common.SHANGHAI)
    for out in outs:
        report.write(redraw, out, made_at)
    _show(redraw, as_json, outs)
    if fail_on == "reduction" and len(redraw.reduced):
        raise SystemExit(1)


@dataclass(frozen=True)
class _Asked:
    """What the command was asked, for both ways."""

    files: Files
    view: RuleView
    noise_m: float | None
    old_day: date | None
    reason: str
    kept: Path | None


def _there(name: str) -> Path:
    from rivergis.errors import UsageError

    path = Path(name)
    if not path.is_file():
        raise UsageError(f"--cases {name}: there is no such file; write the word database for the ledger.")
    return path


def _view(adcode: str, on: date) -> RuleView:
    from rivergis import rules

    return rules.load(common.settings().rules_dir).at(rules.path_of(adcode), on)


def _of_files(asked: _Asked, ledger: bool) -> Redraw:
    from rivergis.boundary.redraw import files as diff_files
    from rivergis.boundary.redraw import workflow as diff_workflow

    more = diff_files.kept(asked.kept) if asked.kept else diff_files.Given()
    if ledger:
        with common.database().read() as conn:
            more = replace(more, things={**more.things, "case": diff_workflow.cases(conn)})
    return diff_files.redraw(
        asked.files, asked.view, noise_m=asked.noise_m, old_day=asked.old_day, reason=asked.reason, more=more
    )


def _of_database(asked: _Asked, draft: str | None, days: list[date], rivers: tuple[str, ...]) -> Redraw:
    from rivergis.boundary.redraw import files as diff_files
    from rivergis.boundary.redraw import workflow as diff_workflow

    kept = diff_files.kept(asked.kept or common.settings().data_dir / KEPT)
    given = diff_files.both(diff_files.given(asked.files, old_day=asked.old_day, reason=asked.reason), kept)
    with common.database().read() as conn:
        if draft is not None:
            made = diff_workflow.preview_draft(conn, draft, asked.view, noise_m=asked.noise_m, layers=given)
        else:
            made = diff_workflow.between_days(
                conn, days[0], days[1], asked.view, rivers=rivers, noise_m=asked.noise_m, layers=given
            )
    return made.redraw


def _show(redraw: Redraw, as_json: bool, outs: tuple[Path, ...]) -> None:
    from rivergis import words
    from rivergis.boundary.redraw import told as diff_told

    told = diff_told.told(redraw, shapes=as_json)
    if as_json:
        common.emit(told, True)
        return
    keys = (
        "old_m2",
        "new_m2",
        "entering_m2",
        "leaving_m2",
        "taken_over_m2",
        "handed_over_m2",
        "noise_in_m2",
        "noise_out_m2",
    )
    common.head(
        [words.both("redraw.river"), *(words.both(f"redraw.{k}") for k in keys)],
        [
            [r["river"] or r["river_code"] or words.both("redraw.all_rivers"), *(f"{r[k]:,.1f}" for k in keys)]
            for r in told["rivers"]
        ],
    )
    _reductions(told["reductions"])
    if told["sums"]:
        common.head(
            [words.both(f"redraw.{k}") for k in ("layer", "kind", "change", "things", "m2", "households", "households_unsaid")],
            [
                [words.both(f"redraw.layer_{s['layer']}"), s["kind"], words.say(f"redraw.{s['change']}"), s["things"], s["m2"], s["households"], s["unsaid"]]
                for s in told["sums"]
            ],
        )  # fmt: skip
    if told["not_looked_at"]:
        missing = "、".join(words.say(f"redraw.layer_{n}") for n in told["not_looked_at"])
        common.say(f"{words.both('redraw.not_looked_at')}: {missing}")
    for said in told["said"]:
        common.say(f"  {said['sentence']}", err=True)
    for out in outs:
        common.say(f"→ {out}")


def _reductions(rows: list[dict[str, Any]]) -> None:
    """The reductions, in red where the screen has colours."""
    from rivergis import words

    if not rows:
        common.say(words.both("redraw.nothing_reduced"))
        return
    total = sum(r["m2"] for r in rows)
    headline = f"{words.both('redraw.table_sign')}: {len(rows)}, {total:,.0f} m²"
    click.secho(headline, fg="red", bold=True)
    common.head(
        [words.both(f"redraw.{k}") for k in ("item_no", "river", "bank", "stretch", "m2", "reason", "cases", "against")],
        [
            [
                r["no"], r["river"] or r["river_code"], r["bank"], r["stretch"], f"{r['m2']:,.1f}", r["reason"] or words.both("redraw.reason_missing"),
                "、".join(r["cases"]), "、".join(words.say(f"redraw.flag_{c}") for c in r["codes"]),
            ]
            for r in rows
        ],
    )  # fmt: skip


COMMANDS: tuple[click.Command, ...] = (diff, boundary_project.project)
