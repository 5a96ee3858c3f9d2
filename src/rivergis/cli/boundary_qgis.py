"""``rivergis boundary qgis``: a folder that QGIS opens on this database, to edit drafts in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from rivergis.cli import common

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option(
    "--draft", default=None, metavar="CODE", help="Draft that new lines belong to, and that the map opens on."
)
@click.option("--lines", type=FILE, default=None, metavar="GPKG", help="Also show a draft that lies in a file.")
@click.option("--defects", type=FILE, default=None, metavar="JSON", help="Also show a report of 'boundary check'.")
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
      rivergis boundary qgis --draft YXH-2026 --defects report.json --out desk
    """
    from rivergis.boundary import desktop_store, draft_store
    from rivergis.errors import NotFound, UsageError

    if (folder / "rivergis.qgs").exists() and not overwrite:
        raise UsageError(f"{folder / 'rivergis.qgs'} is there already: give another --out, or --overwrite.")
    db = common.database()
    who = common.acting(db, actor, "draft_boundary")
    with db.read() as conn:
        if draft and draft_store.find(conn, draft) is None:
            raise NotFound(f"There is no draft {draft!r}: 'rivergis boundary version drafts' lists them.")
        extent = desktop_store.extent(conn, draft)
    made = _write(folder, db.engine.url, db.private, who, draft, extent, lines, defects)
    common.emit(
        {"folder": str(folder), "files": made, "actor": who},
        as_json,
        f"QGIS 工程 project → {folder}: {', '.join(made)}\n编辑人 edits in the name of: {who}\n打开 open it: {folder / 'open.sh'}",
    )


def _write(
    folder: Path, url: Any, private: bool, who: str, draft: str | None, extent: Any, lines: Path | None, defects: Path | None
) -> list[str]:  # fmt: skip
    """All files of the folder; returns their names."""
    from rivergis.maps import desktop

    _make(folder)
    files: dict[str, list[str]] = {}
    if lines is not None:
        files[str(lines.absolute())] = _layers(lines)
    if defects is not None:
        _write_defects(defects, folder / "defects.gpkg")
        files[str((folder / "defects.gpkg").absolute())] = ["defects"]
    texts = {
        "rivergis.qgs": desktop.project(files, draft, extent, folder.absolute()),
        "pg_service.conf": desktop.service(url, private, who),
        **desktop.starters(),
    }
    for name, content in texts.items():
        common.write_page(folder / name, content)
    (folder / "open.sh").chmod(0o755)
    return [*texts, *(["defects.gpkg"] if defects is not None else [])]


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


def _write_defects(report: Path, out: Path) -> None:
    from rivergis.errors import InputError
    from rivergis.maps import desktop

    try:
        said = json.loads(report.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{report.name} is no report of 'rivergis boundary check' ({error}).") from error
    common.write_frame(desktop.defects(said), out, "defects")


COMMANDS: tuple[click.Command, ...] = (qgis,)
