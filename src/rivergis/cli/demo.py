"""``rivergis demo``: the fictional county that shows the whole service in five minutes."""

from __future__ import annotations

from pathlib import Path

import click

from rivergis.cli import common


@click.group("demo")
def command() -> None:
    """The fictional demo county (虚构演示数据): loaded through the same doors as real files."""


@command.command()
@click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path),
    default=None,
    help="Folder of the demo county (default: data/demo_county of the checkout).",
)
@common.actor_option
@common.json_option
def load(folder: Path | None, actor: str | None, as_json: bool) -> None:
    """Load the county, its tracks and images, and run its three nights. A second run changes nothing.

    \b
    Example:
      rivergis demo load
    """
    from rich.console import Console

    from rivergis import rules
    from rivergis.jobs import demo
    from rivergis.settings import gis_dir

    s, db = common.settings(), common.database()
    who = common.acting(db, actor, "import")
    console = Console(stderr=True)
    result = demo.load(
        db,
        rules.load(s.rules_dir),
        folder or gis_dir().parent / "data" / "demo_county",
        who,
        rules_dir=s.rules_dir,
        store_dir=s.store_dir,
        report_dir=s.report_dir,
        progress=lambda step: console.print(f"  {step}", style="dim"),
    )
    if as_json:
        common.emit(result, True)
        return
    common.table(
        ("图层 layer", "新行 new rows"), sorted(result.imported.items()), title="演示县已装入 demo county loaded"
    )
    for night in result.nights:
        new = {t: c["statuses"].get("new", 0) for t, c in night["topics"].items()}
        click.echo(
            f"{night['night']}  首次发现(存量待核) told first, stock until a baseline is signed: "
            + ", ".join(f"{t} {n}" for t, n in new.items())
            + ("" if night["changed"] else "  (无变化 unchanged)")
        )
    click.echo(f"晨报 morning report: {result.nights[-1]['report']}")
    click.echo(f"登录 sign in as {', '.join(result.users)}; 密码 password: {result.password}")
