"""``rivergis encroachment move``: a step in the life of a lead."""

from __future__ import annotations

from pathlib import Path

import click

from rivergis.cli import common


@click.command()
@click.argument("finding")
@click.argument("move")
@click.option("--reason", default=None, help="Reason in words.")
@click.option("--attach", type=click.Path(path_type=Path), default=None, help="Document or photo.")
@common.actor_option
@common.json_option
def move(finding: str, move: str, reason: str | None, attach: Path | None, actor: str | None, as_json: bool) -> None:
    """Take a step in the life of a lead: judge_problem, assign, rectify, accept ... (gis/lifecycle.yaml).

    \b
    Example:
      rivergis encroachment move 3f2a91c0 judge_not_a_problem --reason 许可工程 --as demo-inspector
    """
    from rivergis import lifecycle
    from rivergis.encroachment import life_workflow
    from rivergis.errors import UsageError

    life = lifecycle.load()["finding"]
    if move not in life.moves:
        raise UsageError(f"There is no move {move!r}; the moves are {', '.join(life.moves)}.")
    db = common.database()
    who = common.acting(db, actor, life.moves[move].capability)
    done = life_workflow.take_step(
        db, finding, move, who, reason=reason, attachment=attach, store_dir=common.settings().store_dir
    )
    common.emit(done, as_json)


COMMANDS: tuple[click.Command, ...] = (move,)
