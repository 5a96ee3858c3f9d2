"""``rivergis quarantine``: features that imports set aside, whole, with the reason."""

from __future__ import annotations

from pathlib import Path

import click

from rivergis.cli import common


@click.group("quarantine")
def command() -> None:
    """Features set aside at imports: nothing is lost."""


@command.command("list")
@click.option("--layer", default=None, help="Only of this layer.")
@common.json_option
def list_(layer: str | None, as_json: bool) -> None:
    """List what was set aside and why.

    \b
    Example:
      rivergis quarantine list --layer outfall
    """
    from rivergis.db import system

    with common.database().read() as conn:
        rows = system.list_quarantine(conn, layer)
    if as_json:
        common.emit(rows, True)
        return
    common.table(
        ("编号 id", "图层 layer", "文件 file", "要素 feature", "代码 code", "原因 reason"),
        [(r["id"], r["layer"], r["file_name"], r["source_feature"], r["code"], r["sentence"]) for r in rows],
    )


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--layer", default=None, help="Only of this layer.")
def export(file: Path, layer: str | None) -> None:
    """Write what was set aside to a JSON FILE, with attributes and geometry as read.

    \b
    Example:
      rivergis quarantine export aside.json
    """
    from rivergis.db import system

    with common.database().read() as conn:
        rows = system.list_quarantine(conn, layer)
    common.write_json(file, rows)
    click.echo(f"{len(rows)} → {file}")
