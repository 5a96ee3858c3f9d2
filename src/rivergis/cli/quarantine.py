"""``rivergis quarantine``: features that imports set aside, whole, with the reason; out to be corrected, and back in."""

from __future__ import annotations

from pathlib import Path

import click

from rivergis.cli import common
from rivergis.errors import legible


@click.group("quarantine")
def command() -> None:
    """Features set aside at imports: nothing is lost."""


@command.command("list")
@click.option("--layer", default=None, help="Only of this layer.")
@click.option("--all", "whole", is_flag=True, help="Also what came in corrected or was dismissed.")
@common.json_option
def list_(layer: str | None, whole: bool, as_json: bool) -> None:
    """List what was set aside and why.

    \b
    Example:
      rivergis quarantine list --layer outfall
    """
    from rivergis import words
    from rivergis.jobs import returned

    with common.database().read() as conn:
        rows = returned.listed(conn, layer, whole)
    if as_json:
        common.emit(rows, True)
        return
    common.table(
        ("编号 id", "图层 layer", "文件 file", "要素 feature", "代码 code", "状态 state", "原因 reason"),
        [
            (
                r["id"],
                r["layer"],
                r["file_name"],
                r["source_feature"],
                f"{words.say('defect.' + r['code'])} {r['code']}",
                words.both(f"quarantine_state.{r['state']}"),
                r["sentence"],
            )
            for r in rows
        ],
    )


@command.command()
@click.argument("number", metavar="ID", type=int)
@common.json_option
def show(number: int, as_json: bool) -> None:
    """Show one feature that was set aside: attributes and shape as delivered, and what became of it.

    \b
    Example:
      rivergis quarantine show 12
    """
    from rivergis.db import aside

    with common.database().read() as conn:
        row = aside.row(conn, number)
    if as_json:
        common.emit(row, True)
        return
    said = [f"{k}: {v}" for k, v in row.items() if k not in ("attributes", "events") and v is not None]
    said += ["attributes:", *(f"  {k}: {v}" for k, v in row["attributes"].items())]
    said += [f"{e['recorded_at']} {e['actor']}: {e['action']} {e['reason'] or ''}" for e in row["events"]]
    for line in said:
        common.say(line)


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--layer", default=None, help="Only of this layer.")
@click.option("--all", "whole", is_flag=True, help="Also what came in corrected or was dismissed.")
def export(file: Path, layer: str | None, whole: bool) -> None:
    """Write what was set aside to FILE (.gpkg, .geojson, .csv or .json), to be corrected and returned.

    Attributes are those of the source; shapes are in source coordinates with x = east, in the system named beside them.
    A shape is corrected where it stands: drawn in .gpkg and .geojson, column geom_wkt in .csv and .json. Columns that it was
    read from (X, Y, 经度 …) are attributes here. Keep the column quarantine_id: a row is matched by it.

    \b
    Example:
      rivergis quarantine export aside.gpkg --layer outfall
      rivergis quarantine export aside.csv
    """
    from rivergis.jobs import aside_files, returned

    with common.database().read() as conn:
        rows = returned.listed(conn, layer, whole)
    aside_files.write(file, rows)
    common.say(f"{len(rows)} → {file}")


@command.command("return")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Do everything and keep nothing.")
@common.actor_option
@common.json_option
def return_(file: Path, dry_run: bool, actor: str | None, as_json: bool) -> int:
    """Bring a corrected export back in: rows are matched by their number, those that now pass are imported.

    Exit codes: 0 all in, 3 the file cannot be used, 4 some are still not usable.

    \b
    Example:
      rivergis quarantine return aside.gpkg
    """
    from rivergis import words
    from rivergis.intake.limits import Limits
    from rivergis.jobs import returned

    db = common.database()
    who, settings = common.acting(db, actor, "import"), common.settings()
    limits = Limits.of(settings.max_limits)
    results = returned.take_back(db, file, actor=who, rules_dir=settings.rules_dir, dry_run=dry_run, limits=limits)
    said = [
        f"{r.layer or '–'} {r.source_layer}: {r.count_in} 读回 returned, {r.imported} 新 imported, {r.unchanged} 未变 unchanged, "
        f"{r.quarantined} 仍未通过 not usable, {r.skipped} 略过 skipped"
        for r in results
    ]
    said += [
        legible(f"  {a.source_feature}: {words.say('defect.' + a.code)} {a.code}: {a.sentence}")
        for r in results
        for a in r.set_aside[:20]
    ]
    common.emit(results, as_json, "\n".join(said) or "没有要素 no features")
    return common.EXIT_PARTLY if any(r.quarantined for r in results) else 0


@command.command()
@click.argument("number", metavar="ID", type=int)
@click.option("--reason", required=True, help="Why it will not be corrected.")
@common.actor_option
def dismiss(number: int, reason: str, actor: str | None) -> None:
    """Close a feature that will not be corrected; it is kept with who, when and why.

    \b
    Example:
      rivergis quarantine dismiss 12 --reason "delivered twice"
    """
    from rivergis.jobs import returned

    db = common.database()
    done = returned.dismiss(db, number, reason, common.acting(db, actor, "import"))
    click.echo(f"{number}: {'已关闭 dismissed' if done else '此前已处理,未变 closed before, nothing changed'}")
