"""``rivergis map tiles export``: vector tiles as a file, for maps that are used without the service."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from rivergis.cli import common
from rivergis.cli.map_pocket import kept_apart, listed

DAY = common.CivilDay()


@click.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--layers", required=True, metavar="A,B,…", help="Collections, as in docs/ogc_api.md: reach,boundary_line,outfall."
)
@click.option(
    "--district",
    default=None,
    metavar="ADCODE|NAME",
    help="Only what touches this unit (default: the area of who asks).",
)
@click.option("--on", type=DAY, default=None, help="Civil day on which the rows are in force (default: today).")
@click.option("--minzoom", type=int, default=6, show_default=True)
@click.option("--maxzoom", type=int, default=14, show_default=True)
@click.option("--name", default=None, help="Name of the tile set (default: that of the district).")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")
@common.actor_option
@common.json_option
def export(out: Path, actor: str | None, as_json: bool, overwrite: bool, **o: Any) -> None:
    """Write vector tiles to OUT.pmtiles or OUT.mbtiles (离线切片): the tiles of the service, for use without it.

    The same shapes, classes and attributes as /tiles/…mvt; styles are those of /maps/style and gis/styles. Interrupted, the same
    command goes on where it ended (OUT.part), as long as the data has not changed. Needs the capability export and that of each
    layer; the export is in the audit.

    \b
    Example:
      rivergis map tiles export county.pmtiles --layers reach,boundary_line,source_zone,outfall --district 500199
      rivergis map tiles export lines.mbtiles --layers boundary_line --maxzoom 16
    """
    from rivergis.db import people, system
    from rivergis.db.quick import QuickPool
    from rivergis.errors import UsageError
    from rivergis.maps import features, tiles_export
    from rivergis.maps.pocket import district as pockets

    if out.suffix.lower() not in tiles_export.ENDINGS:
        raise UsageError(f"{out.name}: write to a name that ends in {' or '.join(tiles_export.ENDINGS)}.")
    kept_apart(out, overwrite)
    db = common.database()
    who = common.acting(db, actor, "export")
    with db.read() as conn:
        capabilities, area = people.capabilities(conn, who), people.area_of(conn, who)
        at = features.when(conn, _day(o["on"]))
        where = pockets.district(conn, o["district"], at, area) if o["district"] else None
    name = o["name"] or (f"{where.name} {at.on}" if where else f"rivergis {at.on}")
    asked = listed(o["layers"])
    zooms = (o["minzoom"], o["maxzoom"])
    what = tiles_export.wanted(asked, at.on, people.area_code(where.code) if where else area, zooms, name, capabilities)

    def allowed(count: int) -> None:
        """Nothing leaves the house without its line in the audit."""
        detail = {
            "file": out.name,
            "as_of": at.on,
            "area": what.area,
            "zooms": [what.minzoom, what.maxzoom],
            "tiles": count,
        }
        with db.write(who) as conn:
            system.audit(conn, who, "export", f"tiles:{','.join(what.layers)}", detail)

    pool = QuickPool(db, 1)
    try:
        with pool.use(area) as quick, _Bar() as bar:
            done = tiles_export.export(quick, what, out, bar, allowed)
    finally:
        pool.close()
    common.emit(done, as_json, _told(done))


class _Bar:
    """How far it is, on a terminal; silent elsewhere."""

    def __enter__(self) -> _Bar:
        from rich.console import Console
        from rich.progress import Progress

        self._progress = Progress(console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("切片 tiles", total=None)
        if self._progress.console.is_terminal:
            self._progress.start()
        return self

    def __call__(self, done: int, of: int) -> None:
        self._progress.update(self._task, completed=done, total=of)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _told(done: Any) -> str:
    lines = [
        f"{done.file}  {done.bytes / 1e6:.2f} MB · 切片 tiles {done.tiles} · 最大 largest {done.largest / 1000:.0f} kB"
    ]
    lines.append("  " + "、".join(f"{layer} {n}" for layer, n in done.features.items()))
    if done.resumed:
        lines.append(f"  接着上次 went on from an earlier run: {done.resumed}")
    if done.aggregated:
        lines.append(f"  聚合或概化的切片 tiles that aggregate: {done.aggregated}")
    if done.over:
        lines.append(f"  超过 500 kB 的切片 tiles over 500 kB: {done.over}")
    return "\n".join(lines)


def _day(on: datetime | None) -> Any:
    return on.date() if on else None
