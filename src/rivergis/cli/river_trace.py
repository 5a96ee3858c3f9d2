"""``rivergis river trace/route/topology``: what lies upstream and downstream (溯源、下泄), and the way between two places."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common, river_shown
from rivergis.cli.river_chainage import network_option, position

if TYPE_CHECKING:
    from rivergis.river.tracing import Limits

FILE = click.Path(path_type=Path)
WAYS = {
    "down": "顺流而下 downstream",
    "up": "逆流而上 upstream",
    "confluence": "先下后上 down to a confluence, then up",
}
place_option = click.option(
    "--place", default="000000", metavar="ADCODE", help="Place whose rules hold (default: national)."
)


def _limits(place: str) -> Limits:
    from datetime import date

    from rivergis import rules
    from rivergis.river.tracing import Limits

    return Limits.of(rules.load(common.settings().rules_dir).at(rules.path_of(place), date.today()))


def _acting(actor: str | None) -> Any:
    """The database with tracing numbers of its reaches in force."""
    from rivergis.river import tracing

    db = common.database()
    tracing.ready(db, common.acting(db, actor, "view"))
    return db


@click.command()
@network_option
@click.option(
    "--at", "at", metavar="LON,LAT|METRES", default=None, help="Position in degrees; with --reach, metres along it."
)
@click.option(
    "--reach", default=None, metavar="ID", help="Reach the trace starts on; --at is metres from its upstream end."
)
@click.option(
    "--direction", type=click.Choice(["up", "down"]), required=True, help="What drains to it, or where it drains."
)
@click.option("--within", "within_m", type=click.FloatRange(min=0), default=None, help="Metres along the channel.")
@click.option(
    "--stop-at",
    "stop_at",
    default=None,
    metavar="LAYER",
    help="Do not go past these: a file, or a layer such as outfall, intake.",
)
@click.option("--source-layer", default=None, help="Layer of the file of --stop-at, where it has several.")
@click.option("--out", type=FILE, default=None, help="Write the parts: .gpkg .geojson .csv .json.")
@place_option
@common.actor_option
@common.json_option
def trace(
    network: Path | None,
    at: str | None,
    reach: str | None,
    direction: str,
    within_m: float | None,
    stop_at: str | None,
    source_layer: str | None,
    out: Path | None,
    place: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """Everything that drains to a place, or every channel its water takes, with distances along the channel.

    On a network.gpkg of river build, or in the database. Braids and loops are followed to their end, each reach is told once,
    cut where the trace begins and ends. What lies on the way is told: things of the file to stop at, or in the database
    outfalls, intakes, landmarks and leads.

    \b
    Example:
      rivergis river trace --network network.gpkg --at 106.02,29.41 --direction up --within 5000 --out upstream.gpkg
      rivergis river trace --reach 500199001001 --at 250 --direction down --stop-at intake --json
    """
    from rivergis.river import tracing

    start, limits = _start(at, reach), _limits(place)
    if network is not None:
        stops = None if stop_at is None else Path(stop_at)
        told = tracing.trace_file(network, start, direction, within_m, limits, stop_at=stops, source_layer=source_layer)
    else:
        with _acting(actor).read() as conn:
            layers = [] if stop_at is None else [stop_at]
            told = tracing.trace_database(conn, start, direction, within_m, limits, stop_at=layers)
    if out is not None:
        common.write_frame(told.parts, out, "trace")
    if as_json:
        facts = {
            "start": told.start,
            "direction": told.direction,
            "within_m": within_m,
            "length_m": round(told.length_m, 3),
        }
        lists = {"reaches": _rows(told.parts), "things": _rows(told.things), "aside": told.aside, "cycle": told.cycle}
        common.emit(facts | lists, True)
    else:
        _show(told, out)


def _start(at: str | None, reach: str | None) -> Any:
    """Where to begin: a position, or metres along a reach; wrong usage otherwise."""
    from rivergis.errors import UsageError
    from rivergis.river.tracing import Start

    if at is None:
        raise UsageError("Say where the trace starts: --at LON,LAT, or --reach ID --at METRES.")
    if reach is None:
        return Start(lonlat=position(click.get_current_context(), None, at))  # type: ignore[arg-type]
    try:
        return Start(reach=reach, at_m=float(at))
    except ValueError as error:
        raise UsageError(f"{at!r} is no number of metres along reach {reach!r}.") from error


def _rows(frame: Any) -> list[dict[str, Any]]:
    shapes = [c for c in frame if frame[c].dtype.name == "geometry"]
    return common.rows_of(frame.drop(columns=shapes))


def _show(told: Any, out: Path | None) -> None:
    way = "上游 upstream" if told.direction == "up" else "下游 downstream"
    common.say(
        f"{way} of {told.start['reach_id']} {told.start['at_m']:.1f} m: {len(told.parts)} 河段 reaches, {told.length_m / 1000:.3f} km"
        + (f" → {out}" if out else "")
    )
    if told.cycle:
        common.say(f"水流成环 reaches flow in a circle: {', '.join(told.cycle[:10])}")
    if told.aside:
        common.say(
            f"{told.aside} 个停止点离河道过远,未采用 things to stop at are too far from every channel and were left out"
        )
    if out is None:
        common.head(
            ("河段 reach", "从 from m", "至 to m", "距离 distance m", "沿主流 by the main flow"),
            [
                (
                    r.reach_id,
                    f"{r.from_m:.1f}",
                    f"{r.to_m:.1f}",
                    f"{r.distance_m:.1f}",
                    river_shown.yes(r.on_main),
                )
                for r in told.parts.itertuples()
            ],
        )
    if len(told.things):
        common.table(
            ("图层 layer", "名称 name", "河段 reach", "位置 at m", "岸 bank", "距离 distance m"),
            [
                (
                    _layer(t.layer),
                    _thing(t),
                    t.reach_id,
                    f"{t.at_m:.1f}",
                    river_shown.side(t.bank),
                    f"{t.distance_m:.1f}",
                )
                for t in told.things.itertuples()
            ],
        )


def _layer(name: str) -> str:
    """A layer of the database in words; a layer of a file by its own name."""
    from rivergis import words

    return words.both(f"layer.{name}") if f"layer.{name}" in words.catalogue() else name


def _thing(thing: Any) -> str | None:
    """The name of a thing; of a lead, what it is about."""
    from rivergis import words

    key = f"topic.{thing.name}"
    return words.both(key) if thing.layer == "finding" and key in words.catalogue() else thing.name


@click.command()
@network_option
@click.option("--from", "begin", metavar="LON,LAT", callback=position, required=True, help="Where the way begins.")
@click.option("--to", "end", metavar="LON,LAT", callback=position, required=True, help="Where it ends.")
@click.option("--out", type=FILE, default=None, help="Write the parts: .gpkg .geojson .csv .json.")
@place_option
@common.actor_option
@common.json_option
def route(
    network: Path | None,
    begin: tuple[float, float],
    end: tuple[float, float],
    out: Path | None,
    place: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """The shortest way along the water between two places: down, up, or down to a confluence and up again.

    \b
    Example:
      rivergis river route --network network.gpkg --from 106.02,29.41 --to 106.05,29.43
    """
    from rivergis.river import tracing
    from rivergis.river.tracing import Start

    a, b, limits = Start(lonlat=begin), Start(lonlat=end), _limits(place)
    if network is not None:
        told = tracing.route_file(network, a, b, limits)
    else:
        with _acting(actor).read() as conn:
            told = tracing.route_database(conn, a, b, limits)
    if out is not None:
        common.write_frame(told.parts, out, "route")
    if as_json:
        facts = {"way": told.way, "node": told.node, "length_m": round(told.length_m, 3)}
        common.emit(facts | {"parts": _rows(told.parts)}, True)
        return
    at = f" {told.node}" if told.node else ""
    common.say(f"{WAYS[told.way]}{at}: {told.length_m / 1000:.3f} km" + (f" → {out}" if out else ""))
    common.table(
        ("河段 reach", "方向 way", "从 from m", "至 to m", "距离 distance m"),
        [
            (r.reach_id, river_shown.WAYS[r.direction], f"{r.from_m:.1f}", f"{r.to_m:.1f}", f"{r.distance_m:.1f}")
            for r in told.parts.itertuples()
        ],
    )


@click.command()
@common.actor_option
@common.json_option
def topology(actor: str | None, as_json: bool) -> None:
    """Make the numbers that traces in the database rest on anew, after reaches were changed by other programs.

    \b
    Example:
      rivergis river topology
    """
    from rivergis.river import network_store

    db = common.database()
    with db.write(common.acting(db, actor, "import")) as conn:
        count = network_store.rebuild_topology(conn)
    common.emit({"reaches": count}, as_json, f"{count} 河段 reaches")


COMMANDS = (trace, route, topology)
