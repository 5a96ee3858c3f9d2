"""``rivergis imagery``: scenes and their copies for tiles."""

from __future__ import annotations

import click

from rivergis.cli import common


@click.group("imagery")
def command() -> None:
    """Scenes and terrain (影像、地形): which there are, and their copies for tiles. They come in with 'rivergis import imagery'."""


@command.command("list")
@common.json_option
def listed(as_json: bool) -> None:
    """List the scenes, newest first.

    \b
    Example:
      rivergis imagery list
    """
    from rivergis.jobs import scenes
    from rivergis.maps.imagery import scenes as imagery

    store = common.settings().store_dir
    with common.database().read() as conn:
        found = imagery.scenes(conn)
    rows = [
        {
            "id": str(s.id),
            "taken_on": s.taken_on,
            "code": s.code,
            "gsd_m": s.gsd_m,
            "bands": s.bands,
            "tiles": scenes.state(store, s),
        }
        for s in found
    ]
    none = "还没有影像 no scenes: rivergis import imagery FILE --taken-on YYYY-MM-DD"
    common.emit(rows, as_json, "\n".join("  ".join(str(v) for v in row.values()) for row in rows) or none)


@command.command("prepare")
@common.json_option
def prepare(as_json: bool) -> int:
    """Make every scene ready for tiles: a cloud-optimised copy with overviews beside the file that came, once.

    New imports are made ready by themselves; this is for scenes that came before, or whose copy was lost. Exit code 4:
    a scene could not be made ready, the others are.

    \b
    Example:
      rivergis imagery prepare
    """
    from rivergis.jobs import scenes

    made = scenes.prepare(
        common.database(), common.settings().store_dir, lambda code: click.echo(f"  {code} …", err=True)
    )
    common.emit(made, as_json, "\n".join(f"{m.code}  {m.state}  {m.why}".rstrip() for m in made))
    return common.EXIT_PARTLY if any(m.state == "failed" for m in made) else 0
