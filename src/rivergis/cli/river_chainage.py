"""``rivergis river locate/point/cut/transfer/banks``: chainage (桩号) to and from places, on a network file or the database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common, river_shown

if TYPE_CHECKING:
    from rivergis.river.measuring import Measuring

FILE = click.Path(path_type=Path)
network_option = click.option(
    "--network", type=FILE, default=None, help="network.gpkg of river build (default: the database)."
)
stakes_option = click.option(
    "--stakes",
    type=FILE,
    default=None,
    help="Stakes of known official chainage (at_m, official_m): figures count by these.",
)


def position(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[float, float] | None:
    """Callback of a ``LON,LAT`` option."""
    if text is None:
        return None
    try:
        lon, lat = (float(v) for v in text.split(","))
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is not a position: write longitude and latitude in degrees, as in 106.02,29.41."
        ) from error
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise click.BadParameter(f"{text!r} is not on the earth: longitude comes first, in degrees.")
    return lon, lat


def _measuring(network: Path | None, river: str | None, stakes: Path | None = None) -> Measuring:
    """The axes to measure on: of a network file, or of the database."""
    from rivergis.river import measuring

    view = _national()
    if network is not None:
        return measuring.of_file(network, view, river=river, stakes=stakes)
    with common.database().read() as conn:
        return measuring.of_database(conn, view, river=river, stakes=stakes)


@click.command()
@click.option("--at", "at", metavar="LON,LAT", callback=position, default=None, help="Position in degrees.")
@click.option(
    "--points", type=FILE, default=None, help="Points of a file; with --out the answers are written beside them."
)
@click.option("--points-layer", default=None, help="Layer of the points in their file.")
@click.option(
    "--crs",
    "crs_",
    default=None,
    callback=common.known_system,
    help="EPSG:CODE of --points, where their file names none.",
)
@click.option("--river", default=None, help="Code or name of the river (default: the nearest).")
@network_option
@stakes_option
@click.option("--out", type=FILE, default=None, help="Write the answers: .gpkg .geojson .csv .json.")
@common.json_option
def locate(
    at: tuple[float, float] | None,
    points: Path | None,
    points_layer: str | None,
    crs_: str | None,
    river: str | None,
    network: Path | None,
    stakes: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """River, chainage, offset and bank of a position; from the database also village and chiefs.

    A bank is told looking downstream; bank_certain is false where the direction of the reach is a guess, or the point
    lies on the axis or straight ahead of its end. other_axis names a second river that is about as near.

    \b
    Example:
      rivergis river locate --at 106.02,29.41
      rivergis river locate --points outfalls.gpkg --network network.gpkg --out placed.csv
      rivergis river locate --points phone.csv --crs EPSG:4326 --network network.gpkg
    """
    from rivergis.errors import UsageError

    if (at is None) == (points is None):
        raise UsageError("Say what to locate: --at LON,LAT, or --points FILE.")
    if at is not None:
        _tell(_placed(at, network, river, stakes), as_json, river_shown.show_place)
        return
    assert points is not None
    found = _measuring(network, river, stakes).locate_file(points, points_layer, crs_)
    _deliver(found, out, as_json, river_shown.show_places)


def _tell(answer: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    """An answer as JSON with every digit, or as a person reads it."""
    if as_json:
        common.emit(answer, True)
    else:
        show(answer)


def _deliver(frame: Any, out: Path | None, as_json: bool, show: Callable[[Any], None]) -> None:
    """A frame to a file, as JSON, or as a person reads it."""
    if out is None and not as_json:
        show(common.rows_of(frame))
    else:
        common.deliver(frame, out, as_json)


def _placed(at: tuple[float, float], network: Path | None, river: str | None, stakes: Path | None) -> dict[str, Any]:
    from rivergis.errors import NotFound

    answer = common.rows_of(_measuring(network, river, stakes).locate([at]))[0]
    if answer["river_id"] is None:
        raise NotFound(f"The nearest river is {abs(answer['offset_m']) / 1000:.1f} km away: this place is on none.")
    return answer if network is not None else {**answer, **_who_answers(at, answer["river_id"])}


def _who_answers(at: tuple[float, float], river_id: str) -> dict[str, Any]:
    """Village and chiefs of a place on a river of the database, today."""
    from datetime import date

    import shapely

    from rivergis.db.connect import now_of
    from rivergis.river import store
    from rivergis.river.register import Register

    with common.database().read() as conn:
        today, known = date.today(), now_of(conn)
        axes = store.axes(conn, today, known)
        axes = axes[axes["river_code"] == river_id]
        register = Register(axes, store.units(conn, today, known), store.duties(conn, today, known))
        spot = register.spots([shapely.Point(*at)])[0].as_dict()
    return {k: spot[k] for k in ("village", "village_code", "town", "county", "county_code", "chiefs")}


@click.command()
@click.option("--river", required=True, help="Code or name of the river.")
@click.option("--chainage", required=True, help="Chainage as a label, 12+345 or K12+345.6.")
@click.option(
    "--offset", "offset_m", type=click.FloatRange(min=0), default=0.0, help="Metres off the axis, looking downstream."
)
@click.option("--bank", type=click.Choice(["left", "right"]), default="left", help="Side of --offset.")
@click.option(
    "--bearing",
    "bearing_deg",
    type=float,
    default=None,
    help="Direction of the offset as locate tells it (bearing_deg): needed round a bend and beyond an end.",
)
@network_option
@stakes_option
@common.json_option
def point(
    river: str,
    chainage: str,
    offset_m: float,
    bank: str,
    bearing_deg: float | None,
    network: Path | None,
    stakes: Path | None,
    as_json: bool,
) -> None:
    """Position of a chainage, or of a point beside it: the way back from locate.

    \b
    Example:
      rivergis river point --river 清溪 --chainage 3+200 --offset 25 --bank right
    """
    measuring = _measuring(network, river, stakes)
    signed = offset_m if bank == "left" else -offset_m
    _tell(measuring.point(chainage, signed, bearing_deg), as_json, river_shown.show_point)


@click.command()
@click.option("--river", required=True, help="Code or name of the river.")
@click.option("--from", "from_", required=True, metavar="CHAINAGE", help="Upstream end, such as 1+000.")
@click.option("--to", "to", required=True, metavar="CHAINAGE", help="Downstream end, such as 3+500.")
@network_option
@stakes_option
@click.option("--out", type=FILE, default=None, help="Write the stretch: .gpkg .geojson .csv .json.")
@common.json_option
def cut(
    river: str, from_: str, to: str, network: Path | None, stakes: Path | None, out: Path | None, as_json: bool
) -> None:
    """The stretch of a river between two chainages, exactly cut.

    \b
    Example:
      rivergis river cut --river R12 --from 1+000 --to 3+500 --network network.gpkg --out stretch.gpkg
    """
    _deliver(_measuring(network, river, stakes).cut(from_, to), out, as_json, river_shown.show_stretch)


@click.command()
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option("--river", required=True, help="Code or name of the river in both networks.")
@click.option(
    "--at", "chainages", multiple=True, metavar="CHAINAGE", help="Chainage to carry over; may be given again."
)
@click.option("--out", type=FILE, default=None, help="Write the table: .csv .json.")
@common.json_option
def transfer(old: Path, new: Path, river: str, chainages: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Chainages of a river in the OLD network on the NEW one: the same place, moved, or without counterpart.

    \b
    Example:
      rivergis river transfer network_2020.gpkg network_2026.gpkg --river 清溪 --at 3+200 --at 7+050
    """
    carried = _measuring(old, river).transfer(_measuring(new, river), chainages)
    _deliver(carried, out, as_json, river_shown.show_transfer)


@click.command()
@click.option("--network", type=FILE, required=True, help="network.gpkg of river build.")
@click.option("--lines", type=FILE, default=None, help="Bank lines, in any direction and pieces.")
@click.option("--lines-layer", default=None, help="Layer of the bank lines in their file.")
@click.option("--areas", type=FILE, default=None, help="Water areas, whose rims are taken where no lines are given.")
@click.option("--areas-layer", default=None, help="Layer of the water areas in their file.")
@click.option("--bank-field", default=None, help="Field of the bank lines that says left or right, to be checked.")
@click.option("--out", type=FILE, required=True, help="banks.gpkg with layers banks and defects.")
@common.json_option
def banks(
    network: Path,
    lines: Path | None,
    lines_layer: str | None,
    areas: Path | None,
    areas_layer: str | None,
    bank_field: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Left and right bank lines of the reaches: given ones attached and checked, or taken from water areas.

    \b
    Example:
      rivergis river banks --network network.gpkg --lines banks.shp --bank-field 岸别 --out banks.gpkg
      rivergis river banks --network network.gpkg --areas water.gpkg --out banks.gpkg
    """
    from rivergis.errors import UsageError
    from rivergis.river import measuring

    if (lines is None) == (areas is None):
        raise UsageError("Say where the banks come from: --lines FILE, or --areas FILE.")
    common.not_its_source(out)
    view = _national()
    if lines is not None:
        done = measuring.attach_banks(network, lines, view, layer=lines_layer, bank_field=bank_field)
    else:
        assert areas is not None
        done = measuring.banks_of_water(network, areas, view, layer=areas_layer)
    measuring.write_banks(done, out)
    _tell(done.summary, as_json, lambda summary: river_shown.show_banks(summary, out))


def _national() -> Any:
    from datetime import date

    from rivergis import rules

    return rules.load(common.settings().rules_dir).at((rules.NATIONAL,), date.today())


@click.command()
@click.option("--river", required=True, help="Code or name of the river.")
@click.option(
    "--stakes", type=FILE, required=True, help="Stakes: official_m, and at_m or points; ahead_m at a chain break."
)
@common.actor_option
@common.json_option
def calibrate(river: str, stakes: Path, actor: str | None, as_json: bool) -> None:
    """Record a river's official chainage in the database: locate, point and cut then count by it.

    official_m is the figure on the stake, in metres or as 12+345. It may count from the mouth, start anywhere, be stretched,
    and jump at a chain break (断链).

    \b
    Example:
      rivergis river calibrate --river 清溪 --stakes stakes.csv
    """
    from rivergis.river import workflow

    db = common.database()
    done = workflow.calibrate(db, _national(), river=river, stakes=stakes, actor=common.acting(db, actor, "import"))
    _tell(common.plain(done), as_json, river_shown.show_calibration)


COMMANDS = (locate, point, cut, transfer, calibrate, banks)
