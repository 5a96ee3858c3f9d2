"""``rivergis river``: chainage (桩号) of places, and axes for rivers that came as loose reaches."""

from __future__ import annotations

import click

from rivergis.cli import common, river_build


@click.group("river")
def command() -> None:
    """Rivers: where is this, and on which bank?"""


command.add_command(river_build.build)


@command.command()
@click.option("--at", "lonlat", required=True, metavar="LON,LAT", help="Position in degrees.")
@click.option("--river", default=None, help="Code of the river (default: the nearest).")
@common.json_option
def locate(lonlat: str, river: str | None, as_json: bool) -> None:
    """River, bank, chainage, village and chiefs of a position.

    \b
    Example:
      rivergis river locate --at 106.02,29.41
    """
    from datetime import date

    import shapely

    from rivergis.db.connect import now_of
    from rivergis.errors import NotFound, UsageError
    from rivergis.river import store
    from rivergis.river.register import Register

    try:
        lon, lat = (float(v) for v in lonlat.split(","))
    except ValueError as error:
        raise UsageError(
            f"{lonlat!r} is not a position: write longitude and latitude in degrees, as in 106.02,29.41."
        ) from error
    with common.database().read() as conn:
        today, known = date.today(), now_of(conn)
        axes = store.axes(conn, today, known)
        if river is not None:
            axes = axes[axes["river_code"] == river]
        if axes.empty:
            raise NotFound("No axis is known" + (f" of river {river!r}" if river else ": import rivers first") + ".")
        spot = Register(axes, store.units(conn, today, known), store.duties(conn, today, known)).spots(
            [shapely.Point(lon, lat)]
        )[0]
    common.emit(spot, as_json)


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
