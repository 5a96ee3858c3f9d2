"""``rivergis river landmarks``: the gazetteer, what is near a place, and the stretch between two names."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common
from rivergis.cli.river_chainage import position

if TYPE_CHECKING:
    from rivergis.river.landmarks import Gazetteer


@click.command()
@click.option("--river", default=None, help="Code or name of the river.")
@click.option("--near", metavar="LON,LAT", callback=position, default=None, help="The landmarks nearest to a position.")
@click.option(
    "--between",
    nargs=2,
    metavar="NAME NAME",
    default=None,
    help="With --river: the stretch between two landmarks or chainages.",
)
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True, help="With --near: how many.")
@click.option("--on", "on", type=common.CivilDay(), default=None, help="Civil day (default: today).")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Write the list: .csv or .json.")
@common.json_option
def landmarks(
    river: str | None,
    near: tuple[float, float] | None,
    between: tuple[str, str] | None,
    count: int,
    on: datetime | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Landmarks (桥、堰、村组、公示牌 ...) with their chainage; import them with 'rivergis import landmark FILE'.

    A landmark of which only the point is known is measured on the axis of its river. A name that stands twice on a river,
    or is written a little differently, is asked back with what is there.

    \b
    Example:
      rivergis river landmarks --river 清溪
      rivergis river landmarks --near 106.02,29.41
      rivergis river landmarks --river 清溪 --between 石桥 栖云堰
    """
    from rivergis.errors import UsageError

    gazetteer, rivers = _gazetteer(on.date() if on else date.today())
    own = None if river is None else _river(rivers, river)
    if between is not None:
        if own is None:
            raise UsageError("Name the river of the two places: --river CODE.")
        _between(gazetteer, own, between, as_json)
        return
    rows = gazetteer.nearest(*near, count=count) if near is not None else gazetteer.marks
    rows = rows if own is None else rows[rows["river_id"] == own]
    rows = rows.assign(chainage=[_label(gazetteer, r) for r in rows.itertuples()])
    columns = ["river", "river_code", "chainage", "name", "kind", "bank", "offset_m", "code", "at_m", "basis"]
    shown = rows[[*columns, *(["distance_m"] if near else [])]]
    metres = [c for c in shown if c.endswith("_m")]
    common.deliver(shown.assign(**{c: shown[c].astype(float).round(1) for c in metres}), out, as_json)


def _gazetteer(on: date) -> tuple[Gazetteer, Any]:
    from rivergis import rules
    from rivergis.db.connect import now_of
    from rivergis.river import store
    from rivergis.river.landmarks import Gazetteer

    within_m = rules.load(common.settings().rules_dir).at(("000000",), on).number("river.chainage.max_offset")
    with common.database().read() as conn:
        known = now_of(conn)
        found = Gazetteer(store.landmarks(conn, on, known), store.axes(conn, on, known), within_m)
        return found, store.rivers(conn, on, known)


def _river(rivers: Any, said: str) -> Any:
    from rivergis.errors import InputError, NotFound

    own = rivers[(rivers["code"] == said) | (rivers["name"] == said)]
    if own.empty:
        raise NotFound(f"There is no river {said!r}: 'rivergis river list' shows them.")
    if len(own) > 1:
        raise InputError(f"Several rivers are called {said}: name one by its code, {', '.join(own['code'])}.")
    return own["id"].iloc[0]


def _label(gazetteer: Gazetteer, row: Any) -> str | None:
    return gazetteer.label(row.river_id, row.at_m) if row.at_m == row.at_m and row.at_m is not None else None


def _between(gazetteer: Gazetteer, river: Any, places: tuple[str, str], as_json: bool) -> None:
    found = gazetteer.between(river, *places)
    length_m = found.to_m - found.from_m
    told = {
        "from": found.start.label,
        "to": found.end.label,
        "from_m": found.from_m,
        "to_m": found.to_m,
        "length_m": length_m,
    }
    common.emit(told, as_json, f"{found.start.label} – {found.end.label} ({length_m:.0f} m)")
