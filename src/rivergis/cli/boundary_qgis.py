"""``rivergis boundary qgis``: a folder that QGIS opens on this database, to edit drafts in."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from sqlalchemy import Connection

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option(
    "--draft", default=None, metavar="CODE", help="Draft that new lines belong to; its defects are shown, the map opens on it."
)  # fmt: skip
@click.option("--lines", type=FILE, default=None, metavar="GPKG", help="Also show a draft that lies in a file.")
@click.option(
    "--defects", type=FILE, default=None, metavar="JSON", help="Show this report of 'boundary check' instead of a fresh one."
)  # fmt: skip
@click.option(
    "--out", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write; made if need be."
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a project that is there already.")
@common.actor_option
@common.json_option
def qgis(
    draft: str | None, lines: Path | None, defects: Path | None, folder: Path, overwrite: bool, actor: str | None, as_json: bool
) -> None:  # fmt: skip
    """Write a QGIS project (划界工作台) on this database: drafts to edit, announced lines to snap to, Chinese forms.

    A save in QGIS is a save of the draft, in the name of who runs this: only drafts that are being drafted can be changed, and an
    edit of what somebody else changed meanwhile is refused. open.sh (Windows: open.bat) starts QGIS with the service file beside
    it, which holds no password. More: docs/qgis.md.

    \b
    Example:
      rivergis boundary qgis --out desk
      rivergis boundary qgis --draft YXH-2026 --lines draft.gpkg --out desk
    """
    from rivergis.boundary.law import desktop_store, draft_workflow
    from rivergis.errors import UsageError
    from rivergis.maps import desktop

    if (folder / "rivergis.qgs").exists() and not overwrite:
        raise UsageError(f"{folder / 'rivergis.qgs'} is there already: give another --out, or --overwrite.")
    files = {} if lines is None else {str(lines.absolute()): _layers(lines)}
    db = common.database()
    who = common.acting(db, actor, "draft_boundary")
    with db.read() as conn:
        opened = draft_workflow.get(conn, draft) if draft else None
        report = _report(defects) if defects else _examined(conn, opened) if opened else None
        extent = desktop_store.extent(conn, draft)
    _make(folder)
    if report is not None:
        common.write_frame(desktop.defects(report), folder / "defects.gpkg", "defects")
        files[str((folder / "defects.gpkg").absolute())] = ["defects"]
    texts = {
        "rivergis.qgs": desktop.project(files, draft, extent, folder.absolute()),
        "pg_service.conf": desktop.service(db.engine.url, db.private, who),
        **desktop.starters(),
    }
    for name, content in texts.items():
        common.write_page(folder / name, content)
    (folder / "open.sh").chmod(0o755)
    told = {"folder": str(folder), "files": [*texts, *(["defects.gpkg"] if report is not None else [])], "actor": who}
    common.emit(told, as_json, _told(told, report))


def _told(told: dict[str, Any], report: dict[str, Any] | None) -> str:
    found = "" if report is None else f"界线体检 defects shown: {len(report.get('defects', []))}\n"
    return (
        f"QGIS 工程 project → {told['folder']}: {', '.join(told['files'])}\n{found}"
        f"编辑人 edits in the name of: {told['actor']}\n打开 open it: {Path(told['folder']) / 'open.sh'}"
    )


def _examined(conn: Connection, draft: dict[str, Any]) -> dict[str, Any] | None:
    """What the line doctor says of the draft as it stands; None, saying so, where it cannot be asked."""
    from rivergis import rules
    from rivergis.boundary.doctor import examine as doctor
    from rivergis.boundary.doctor import report as doctor_report
    from rivergis.boundary.doctor import workflow as doctor_workflow
    from rivergis.errors import InputError

    today = datetime.now(common.SHANGHAI).date()
    view = rules.load(common.settings().rules_dir).at(rules.path_of(draft["adcode"]), today)
    try:
        case = doctor_workflow.case_of_draft(conn, draft["code"], view, None)
    except InputError as error:
        common.say(f"未做体检 the line doctor was not asked: {error}", err=True)
        return None
    return None if case is None else doctor_report.report(case, doctor.check(case), view.used)


def _report(path: Path) -> dict[str, Any]:
    """A report that was written before; ``InputError`` for what is none."""
    from rivergis.errors import InputError

    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        held = isinstance(said["defects"], list)
    except (ValueError, KeyError, TypeError):
        held = False
    if not held:
        raise InputError(f"{path.name} is no report of 'rivergis boundary check': write one with --out report.json.")
    return dict(said)


def _make(folder: Path) -> None:
    from rivergis.errors import EnvironmentFault

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"The folder {folder} cannot be made ({error.strerror}): give another --out.") from error


def _layers(path: Path) -> list[str]:
    """Layers of a draft file; ``InputError`` for what is none."""
    import pyogrio

    from rivergis.errors import InputError

    try:
        held = [str(name) for name, _ in pyogrio.list_layers(path)]
    except pyogrio.errors.DataSourceError:
        held = []
    if "lines" not in held:
        raise InputError(f"{path.name} has no layer 'lines': give a GeoPackage of 'rivergis boundary draft'.")
    return held


COMMANDS: tuple[click.Command, ...] = (qgis,)
