"""``rivergis river``: networks, chainage (桩号), traces and the register; axes for rivers that came as loose reaches."""

from __future__ import annotations

import click

from rivergis.cli import common, river_build, river_chainage, river_landmarks, river_register, river_trace


@click.group("river")
def command() -> None:
    """Rivers (河网、桩号、名录): build the network, say where and on which bank, trace it, list it, name who answers."""


for verb in (river_build.build, *river_chainage.COMMANDS, river_landmarks.landmarks, *river_trace.COMMANDS):
    command.add_command(verb)
river_register.add_to(command)


@command.command()
@common.actor_option
@common.json_option
def axes(actor: str | None, as_json: bool) -> None:
    """Give rivers without an axis the longest chain of their reaches as axis. A second run changes nothing.

    \b
    Example:
      rivergis river axes
    """
    from rivergis.river import workflow

    db = common.database()
    made = workflow.build_axes(db, common.acting(db, actor, "import"))
    common.emit(
        made,
        as_json,
        f"已建中心线 axes for {made.rivers} rivers; {made.reaches} reaches on them, {made.reaches_off_axis} side channels",
    )


@command.command()
@common.actor_option
@common.json_option
def orient(actor: str | None, as_json: bool) -> None:
    """Turn reaches that were digitised against the chainage of their river; each becomes a new version and is listed.

    \b
    Example:
      rivergis river orient
    """
    from rivergis.river import workflow

    db = common.database()
    done = workflow.orient(db, common.acting(db, actor, "import"))
    common.emit(
        done, as_json, f"已核对 checked {done.checked} reaches; 掉头 turned: {', '.join(done.turned) or '无 none'}"
    )
