"""``rivergis boundary check``: the line doctor on files, on a draft, or on what is in force in the database."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common
from rivergis.errors import UsageError

if TYPE_CHECKING:
    from rivergis.boundary.doctor.case import Case
    from rivergis.boundary.doctor.examine import Examined
    from rivergis.boundary.repair.case import Repair
    from rivergis.rules import RuleView

LAYERS = ("levees", "water", "former", "stakes", "counties")


def _layer_options(command: Any) -> Any:
    for name, text in (
        ("counties", "County areas, for seams at their borders."),
        ("stakes", "Boundary stakes with stake_no, reach_id, bank."),
        ("former", "Lines of the former version: any reduction is told."),
        ("water", "Water areas, with reach_id where known."),
        ("levees", "Outer (landward) levee toes with grade."),
    ):
        command = click.option(f"--{name}", type=click.Path(path_type=Path), default=None, help=text)(command)
    return command


@click.command("check")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--reaches", type=click.Path(path_type=Path), default=None, help="Centre lines with reach_id, drawn downstream."
)
@_layer_options
@click.option(
    "--params",
    type=click.Path(path_type=Path),
    default=None,
    help="JSON with tolerances and lists of this delivery, before the rules.",
)
@click.option(
    "--crs",
    callback=common.known_system,
    default=None,
    help="Coordinate system (EPSG:CODE) of files that name none or a wrong one.",
)
@click.option("--encoding", default=None, help="Text encoding, to overrule what was found: GBK, for instance.")
@click.option(
    "--layer",
    "named",
    multiple=True,
    metavar="INPUT=LAYER",
    help="Layer of an input (lines, areas, reaches, levees, water, former, stakes, counties), where a file has several; repeatable.",
)
@click.option("--at", "adcode", default=None, help="Adcode whose rules hold (default: the national ones).")
@click.option(
    "--on", "day", type=common.CivilDay(), default=None, help="Civil day on which it is judged (default: today)."
)
@click.option("--draft", default=None, help="Check a draft of the database, by its code.")
@click.option("--river", "rivers", multiple=True, help="Without FILES: only this river (code); repeatable.")
@click.option(
    "--repairs",
    type=click.Path(path_type=Path),
    default=None,
    help="Write a safe repair for every defect that has one (.gpkg); nothing is changed.",
)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Write the report as .json or .html.")
@click.option(
    "--fail-on", type=click.Choice(["blocks", "advises"]), default=None, help="Exit 1 when there are defects that bad."
)
@common.json_option
def check(
    files: tuple[Path, ...],
    draft: str | None,
    rivers: tuple[str, ...],
    adcode: str | None,
    day: datetime | None,
    repairs: Path | None,
    out: Path | None,
    fail_on: str | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Look for every fault of boundary lines (管理范围线体检): geometry, river sense, gaps, seams, attributes, stakes, reductions.

    With FILES: lines and areas of one or several counties, each in its own coordinate system. Without: what is in force in
    the database, or a draft. Nothing is changed. Codes and their meaning: docs/boundary_check.md.

    Exit codes: 0 done; 1 what --fail-on names was found; 3 a file cannot be used.

    \b
    Example:
      rivergis boundary check county_a.gpkg county_b.shp --reaches reaches.gpkg --water water.gpkg --out report.html
      rivergis boundary check lines.gpkg --reaches reaches.gpkg --params params.json --fail-on blocks --out report.json
      rivergis boundary check --draft 2026-anling
    """
    _may_write(out, repairs)
    on = day.date() if day is not None else datetime.now(common.SHANGHAI).date()
    view = _view(on, adcode)
    case = _of_files(files, view, draft, rivers, given) if files else _of_database(view, draft, rivers, given)
    if case is None:
        common.say("没有可检查的界线 there are no boundary lines to check.")
        return 0
    from rivergis.boundary.doctor import examine as doctor
    from rivergis.boundary.doctor import report as doctor_report

    examined = doctor.check(case)
    proposals = _proposals(case, examined, wanted=repairs is not None or out is not None)
    told = doctor_report.report(case, examined, view.used, _told(proposals), [f.name for f in files])
    if repairs is not None:
        from rivergis.boundary.repair import files as repair_files

        repair_files.write(repairs, case, examined.defects, proposals)
    if out is not None:
        _write(out, told, case, examined, proposals)
    if as_json:
        common.emit(told, True)
    else:
        _show(told, out, repairs, len(proposals))
    return int(_failed(told, fail_on))


def _failed(told: dict[str, Any], fail_on: str | None) -> bool:
    n = told["counts"]
    return bool(fail_on and (n["blocks"] or (fail_on == "advises" and n["advises"])))


def _view(on: date, adcode: str | None) -> RuleView:
    from rivergis import rules

    path = rules.path_of(adcode) if adcode else (rules.NATIONAL,)
    return rules.load(common.settings().rules_dir).at(path, on)


def _may_write(out: Path | None, repairs: Path | None) -> None:
    """Refuse before the work what could not be written after it."""
    for path, endings in ((out, (".json", ".html")), (repairs, (".gpkg",))):
        if path is None:
            continue
        if path.suffix.lower() not in endings:
            raise UsageError(f"{path.name}: write to a name that ends in {' or '.join(endings)}.")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"The folder {path.absolute().parent} does not exist: make it, or give another place.")
        common.not_its_source(path)


def _of_files(
    files: tuple[Path, ...], view: RuleView, draft: str | None, rivers: tuple[str, ...], given: dict[str, Any]
) -> Case:
    from rivergis.boundary.doctor import files as doctor_files

    if given["reaches"] is None:
        raise UsageError("A boundary line belongs to a river: give the centre lines with --reaches.")
    if draft is not None or rivers:
        raise UsageError("--draft and --river ask the database: give either FILES or those.")
    wrong = [n for n in given["named"] if n.partition("=")[0] not in doctor_files.NAMES or not n.partition("=")[2]]
    if wrong:
        raise UsageError(f"--layer {wrong[0]}: write INPUT=LAYER with one of {', '.join(doctor_files.NAMES)}.")
    named = dict(n.split("=", 1) for n in given.pop("named"))
    return doctor_files.read(doctor_files.Files(files, **given, layers=named), view)


def _of_database(view: RuleView, draft: str | None, rivers: tuple[str, ...], given: dict[str, Any]) -> Case | None:
    from rivergis.boundary.doctor import workflow as doctor_workflow

    unused = [k for k in ("reaches", *LAYERS, "crs", "encoding", "named") if given[k]]
    if unused:
        raise UsageError(
            f"--{unused[0].replace('named', 'layer')} goes with FILES; without them the database is asked."
        )
    with common.database().read() as conn:
        if draft is not None:
            return doctor_workflow.case_of_draft(conn, draft, view, given["params"])
        return doctor_workflow.case_in_force(conn, view, rivers, given["params"])


def _proposals(case: Case, examined: Examined, *, wanted: bool) -> list[Repair]:
    if not wanted:
        return []
    from rivergis.boundary.doctor import examine as doctor
    from rivergis.boundary.repair import propose as repair

    return repair.propose(case, examined.defects, doctor.examine)


def _told(proposals: list[Repair]) -> dict[int, dict[str, Any]]:
    return {
        r.defect: {"sentence": r.sentence, "zh": r.zh, "kind": r.kind, "feature": r.feature, "basis": r.basis}
        for r in proposals
    }


def _write(out: Path, told: dict[str, Any], case: Case, examined: Examined, proposals: list[Repair]) -> None:
    if out.suffix.lower() == ".json":
        common.write_json(out, told)
        return
    from rivergis.reports import boundary_check_page

    common.write_page(out, boundary_check_page.page(told, case, examined.defects, proposals))


def _show(told: dict[str, Any], out: Path | None, repairs: Path | None, proposed: int) -> None:
    from rivergis import words

    n = told["counts"]
    common.say(
        f"{n['reaches']} 河段 reaches, {n['lines']} 界线 lines, {n['areas']} 面 areas, {n['stakes']} 界桩 stakes: "
        f"{n['defects']} 问题 defects ({n['blocks']} 阻止报批 block approval, {n['advises']} 提示 advise)"
    )
    severity = {d["code"]: d["severity"] for d in told["defects"]}
    rows = [
        [
            words.both(f"boundary_check.code.{code}"),
            code,
            words.both(f"boundary_check.severity.{severity[code]}"),
            count,
        ]
        for code, count in sorted(n["by_code"].items(), key=lambda c: (severity[c[0]] != "blocks", -c[1], c[0]))
    ]
    if rows:
        common.table(["问题 defect", "code", "程度 severity", "数 count"], rows)
        common.head(["河段 reach", "岸 bank", "从 from m", "至 to m", "说明 what"], [_line(d) for d in told["defects"]])
    for note in told["not_checked"]:
        common.say(f"未检查 not checked: {note['zh']} {note['sentence']}")
    common.say(f"使用的规则 rules used: {dict(Counter(r['status'] for r in told['rules']))}")
    for path in (out, repairs):
        if path is not None:
            common.say(f"→ {path}" + (f" ({proposed} 条整改建议 proposed repairs)" if path == repairs else ""))


def _line(d: dict[str, Any]) -> list[Any]:
    metres = ["" if d[k] is None else f"{d[k]:.0f}" for k in ("from_m", "to_m")]
    return [d["reach_id"] or "", d["bank"] or "", *metres, f"{d['zh']} {d['sentence']}"]


COMMANDS: tuple[click.Command, ...] = (check,)
