"""``rivergis boundary``: drawing, checking, versioning and delivering boundary lines; each verb in a module of its own."""

from __future__ import annotations

from datetime import datetime

import click

from rivergis.cli import (
    boundary_check,
    boundary_deliver,
    boundary_diff,
    boundary_draft,
    boundary_qgis,
    boundary_stakes,
    boundary_version,
    boundary_zones,
    common,
)


@click.group("boundary")
def command() -> None:
    """Boundary lines (管理范围线)."""


@command.command()
@click.option("--on", "day", type=common.CivilDay(), default=None, help="Civil day (default: today).")
@click.option("--at", "adcode", default="000000", show_default=True, help="Adcode whose rules hold.")
@common.actor_option
@common.json_option
def surrogate(day: datetime | None, adcode: str, actor: str | None, as_json: bool) -> None:
    """Make surrogate areas (basis = surrogate) for rivers without any line, from water areas or lines plus an offset.

    A surrogate is for orientation only: nothing inside it is worded as a lead against somebody.

    \b
    Example:
      rivergis boundary surrogate
    """
    from rivergis import rules
    from rivergis.boundary import workflow

    db = common.database()
    who = common.acting(db, actor, "draft_boundary")
    made = workflow.make_surrogates(
        db, rules.load(common.settings().rules_dir), (day or datetime.now()).date(), who, adcode=adcode
    )
    common.emit(
        made,
        as_json,
        f"替代边界 surrogate areas: {made.rivers} 新 new, {made.unchanged} 未变 unchanged"
        + (f"\n未确认的规则值 unconfirmed rule values used: {', '.join(made.unconfirmed)}" if made.unconfirmed else ""),
    )


for verb in (
    *boundary_check.COMMANDS,
    *boundary_deliver.COMMANDS,
    *boundary_diff.COMMANDS,
    *boundary_draft.COMMANDS,
    *boundary_qgis.COMMANDS,
    *boundary_stakes.COMMANDS,
    *boundary_version.COMMANDS,
    *boundary_zones.COMMANDS,
):
    command.add_command(verb)
