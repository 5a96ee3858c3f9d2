"""``rivergis encroachment check`` and ``check-cases``: files against files, without a database."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common
from rivergis.errors import UsageError

if TYPE_CHECKING:
    from rivergis.encroachment.files import Check
    from rivergis.rules import RuleView

FILES = ("boundary", "candidates", "permits", "zones")
DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")


def how_options(command: Any) -> Any:
    """``--layer --crs --datum --encoding``: how a file is to be read, for one file (candidates=...) or for all."""
    for name, metavar, text in (
        ("encoding", "[FILE=]NAME", "Encoding of the text, e.g. candidates=gbk."),
        ("datum", "[FILE=]DATUM", f"Datum of the coordinates: {', '.join(DATUMS)}."),
        ("crs", "[FILE=]EPSG:CODE", "Coordinate system, where the file does not say it or says it wrongly."),
        ("layer", "[FILE=]NAME", "Layer inside a file."),
    ):
        command = click.option(
            f"--{name}", multiple=True, metavar=metavar, help=f"{text} FILE: {', '.join(FILES)}; without it: of every file. Repeatable."
        )(command)  # fmt: skip
    return command


@click.command()
@click.option(
    "--boundary",
    type=click.Path(path_type=Path),
    required=True,
    help="Management areas: polygons, closed lines or bank lines.",
)
@click.option(
    "--candidates",
    type=click.Path(path_type=Path),
    required=True,
    help="Objects on the ground: polygons, lines or points.",
)
@click.option(
    "--permits",
    type=click.Path(path_type=Path),
    default=None,
    help="Permits with allows, kind, valid_from, valid_to; polygons, or a place in words.",
)
@click.option(
    "--zones",
    type=click.Path(path_type=Path),
    default=None,
    help="Drinking-water source zones (polygons with zone_class).",
)
@how_options
@click.option(
    "--as-of",
    "day",
    type=common.CivilDay(),
    default=None,
    help="Civil day on which permits and rules are judged (default: today).",
)
@click.option("--at", "adcode", default=None, help="Adcode whose rules hold (default: the national ones).")
@click.option(
    "--not-findings",
    "listed",
    type=click.Choice(("all", "near", "count")),
    default=None,
    help="Which of those not told are listed (default: all up to 10,000 candidates, then near).",
)
@click.option(
    "--verdict/--no-verdict",
    default=None,
    help="Class, severity, position and permit match of each finding (default: up to 10,000 candidates).",
)
@click.option(
    "--prepared",
    type=click.Path(path_type=Path),
    default=None,
    help="Keep the prepared boundary in this file, and use it again while boundary and rules are the same.",
)
@click.option("--fail-on", type=click.Choice(("findings",)), default=None, help="Exit code 1 when there are findings.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="Result as .json (all of it), or its findings as .gpkg .geojson .csv.",
)
@common.json_option  # fmt: skip
def check(
    boundary: Path,
    candidates: Path,
    permits: Path | None,
    zones: Path | None,
    day: datetime | None,
    adcode: str | None,
    listed: str | None,
    verdict: bool | None,
    prepared: Path | None,
    fail_on: str | None,
    out: Path | None,
    as_json: bool,
    **how: tuple[str, ...],
) -> int:
    """What lies inside the line, less what a permit allows that day.

    Exit code 4 when candidates had to be left out (they are listed), 3 when a layer cannot be used.

    \b
    Example:
      rivergis encroachment check --boundary line.gpkg --candidates patches.geojson --as-of 2026-05-20 --out leads.json
      rivergis encroachment check --boundary banks.shp --candidates houses.dxf --crs candidates=EPSG:4547 --permits permits.xlsx
    """
    from rivergis.encroachment import asked_files, files

    _may_write(out, (".json", ".gpkg", ".geojson", ".csv"))
    _may_keep(prepared, [boundary, candidates, permits, zones])
    asking = asked_files.Asking(
        boundary,
        candidates,
        permits,
        (day or datetime.now(common.SHANGHAI)).date(),
        _asked(how),
        listed,
        zones,
        prepared,
        verdict,
    )
    done = files.check(asking, _view(asking.as_of, adcode))
    if out is not None:
        _write(done, out)
    if as_json:
        common.emit(done.as_dict(), True)
    else:
        _tell(done, out)
    if done.findings and fail_on:
        return 1
    return common.EXIT_PARTLY if any(d["code"] == "candidate_skipped" for d in done.diagnostics) else 0


def _view(on: date, adcode: str | None) -> RuleView:
    from rivergis import rules

    path = rules.path_of(adcode) if adcode else (rules.NATIONAL,)
    return rules.load(common.settings().rules_dir).at(path, on)


def _may_write(out: Path | None, endings: tuple[str, ...]) -> None:
    """Refuse before the work what could not be written after it."""
    if out is None:
        return
    if out.suffix.lower() not in endings:
        raise UsageError(f"{out.name}: write to a name that ends in {', '.join(endings)}.")
    if not out.absolute().parent.is_dir() or out.is_dir():
        raise UsageError(f"{out}: its folder does not exist, or it is a folder itself: give the name of a file.")
    common.not_its_source(out)


def _may_keep(prepared: Path | None, read: list[Path | None]) -> None:
    """Refuse a prepared boundary where one of the files stands, or where no file can."""
    if prepared is None:
        return
    if not prepared.absolute().parent.is_dir() or prepared.is_dir():
        raise UsageError(f"{prepared}: its folder does not exist, or it is a folder itself: give the name of a file.")
    if any(prepared.absolute() == p.absolute() for p in read if p is not None):
        raise UsageError(f"{prepared} is what is to be checked: give --prepared another name.")


def _asked(how: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """How each file is to be read; a value without a file holds for all that have none of their own."""
    from rivergis.intake.delivery import Asked

    told: dict[str, dict[str, str]] = {f: {} for f in FILES}
    for option, values in how.items():
        of_all = [v for v in values if v.partition("=")[0] not in FILES]
        for v in [*(f"{f}={v}" for v in of_all for f in FILES), *(v for v in values if v not in of_all)]:
            file, _, value = v.partition("=")
            told[file][option] = _CHECKED[option](value) if option in _CHECKED else value
    return {f: Asked(t.get("layer"), t.get("crs"), t.get("datum"), t.get("encoding")) for f, t in told.items()}


def _system(text: str) -> str:
    """A coordinate system that is one; ``BadParameter`` otherwise."""
    context = click.get_current_context()
    return common.known_system(context, context.command.params[0], text) or text


def _datum(text: str) -> str:
    """A datum that can be taken off; ``BadParameter`` otherwise, so that no word for one is passed over."""
    if text.strip().lower() not in DATUMS:
        raise click.BadParameter(f"{text[:40]!r} is no datum: one of {', '.join(DATUMS)}.", param_hint="'--datum'")
    return text.strip().lower()


_CHECKED = {"crs": _system, "datum": _datum}


def _write(done: Check, out: Path) -> None:
    if out.suffix.lower() == ".json":
        common.write_json(out, done.as_dict())
    else:
        common.write_frame(done.shapes, out, layer="finding")


def _cells(f: dict[str, Any]) -> tuple[Any, ...]:
    """A finding as a row of the screen; without a verdict its kind stands for the class."""
    from rivergis import words

    of_class = words.both("class." + f["class"]) if "class" in f else f["kind"]
    position = words.both("position." + f["position"]) if "position" in f else None
    return (
        ", ".join(f["candidates"]),
        of_class,
        ", ".join(f["reaches"]),
        f["area_m2"],
        position,
        words.both("severity." + f["severity"]) if f.get("severity") else None,
        words.both("basis." + f["basis"]),
    )


def _tell(done: Check, out: Path | None) -> None:
    from rivergis import words

    counts = done.counts
    for d in done.diagnostics:
        click.echo(f"{words.both('check.' + d['code'])}: {d['sentence']}", err=True)
    common.table(
        ("对象 candidates", "类别 class", "河段 reaches", "界内 m²", "位置 position", "严重程度 severity", "界线 basis"),
        [_cells(f) for f in done.findings[:40]],
        title=f"{done.as_of}: {counts['findings']} 条线索 leads of {counts['candidates']} 个对象 candidates",
    )  # fmt: skip
    if len(done.findings) > 40:
        click.echo(f"  … {len(done.findings) - 40} 条未列 more; --out writes all")
    common.table(
        ("未报原因 not told because", "数 count"),
        [(words.both("reason." + r), n) for r, n in sorted(counts["not_told"].items())],
    )
    unaccepted = [q for q in done.queue if q["why"] == "permit_unaccepted"]
    if unaccepted:
        click.echo(f"{words.both('reason.permit_unaccepted')}: {len(unaccepted)}")
    if done.rules_unconfirmed:
        click.echo("未确认的规则值 unconfirmed rule values used: " + ", ".join(done.rules_unconfirmed))
    click.echo(words.both("page.disclaimer"))
    if out is not None:
        click.echo(f"→ {out}")


@click.command("check-cases")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--as-of", "day", type=common.CivilDay(), default=None, help="Civil day of all cases (default: today).")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Results by case, as JSON.")
def check_cases(folder: Path, day: datetime | None, out: Path) -> None:
    """Check a folder of small cases: FOLDER/cases/NAME/{boundary,candidates,permits}.geojson; only those are read.

    \b
    Example:
      rivergis encroachment check-cases cases/ --as-of 2026-06-01 --out results.json
    """
    from rivergis.encroachment import case_files

    _may_write(out, (".json",))
    on = (day or datetime.now(common.SHANGHAI)).date()
    quiet = not sys.stderr.isatty()
    results = case_files.check_cases(
        folder, _view(on, None), on, (lambda name: None) if quiet else (lambda name: click.echo(f"  {name}", err=True))
    )
    common.write_json(out, results)
    rejected = sum(any(d["code"] == "layer_rejected" for d in r["diagnostics"]) for r in results.values())
    click.echo(
        f"{len(results)} 例 cases, {sum(len(r['findings']) for r in results.values())} 条线索 leads, {rejected} 例不能定位 rejected → {out}"
    )


COMMANDS: tuple[click.Command, ...] = (check, check_cases)
