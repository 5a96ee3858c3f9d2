"""``rivergis map pocket``: a district as one file for a memory card."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.db.connect import Database
    from rivergis.maps.pocket import district as pockets
    from rivergis.maps.pocket.page import Paper

F = TypeVar("F", bound=Callable[..., Any])
DAY = common.CivilDay()
PASSPHRASE = "RIVERGIS_POCKET_PASSPHRASE"


def taken_along(command: F) -> F:
    """Options of what a person takes along: district, day, layers, what is sensitive, for whom and until when."""
    for option in (
        click.option("--expires", type=click.IntRange(1, 366), default=7, show_default=True, metavar="DAYS", help="Good for so many days."),
        click.option("--holder", default=None, metavar="NAME", help="Who takes it along (default: who makes it)."),
        click.option("--with", "sensitive", default="", metavar="A,B", help="Also intakes, persons, cases; each needs a capability."),
        click.option("--layers", default="", metavar="A,B,…", help="Only these layers (default: lines, zones, outfalls, stakes, ground)."),
        click.option("--on", type=DAY, default=None, help="Civil day as of which it is drawn (default: today)."),
        click.option("--district", default=None, metavar="ADCODE|NAME", help="County, township or village (default: all there is)."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@taken_along
@click.option(
    "--max-mb", type=click.FloatRange(0.2, 100), default=10.0, show_default=True, help="Size it must fit into."
)
@click.option(
    "--passphrase", "sealed", is_flag=True, help=f"Seal the data; the passphrase is asked for, or stands in {PASSPHRASE}."
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")
@common.actor_option
@common.json_option
def pocket(out: Path, actor: str | None, as_json: bool, max_mb: float, sealed: bool, overwrite: bool, **o: Any) -> None:
    """A district in a pocket (口袋地图): OUT is one page that opens from a memory card, without server or network.

    Lines, zones, outfalls, stakes and today's work (as counts and places), search by name and chainage, own position, distances.
    Lines are generalised only as far as the size needs, and by how much stands in the file. Holder, day and expiry stand across
    the map; after the last day the page hides the data, which reminds and does not protect: to protect, use --passphrase.
    Needs the capability export; who took what along, and the hash of the file, is in the audit.

    \b
    Example:
      rivergis map pocket --district 500199 county.html --holder 李明 --expires 7
      rivergis map pocket --district 栖云镇 town.html --with cases,persons --passphrase --as demo-inspector
    """
    from rivergis.db import system
    from rivergis.errors import UsageError
    from rivergis.maps.pocket import page as pocket_page

    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{out.name}: a pocket map is a page; write to a name that ends in .html.")
    kept_apart(out, overwrite)
    passphrase = asked_passphrase() if sealed else None
    db, who, area, what = who_takes(actor, o)
    where, layers, paper = read(db, who, area, what, o)
    packed = packed_into(layers, where, int(max_mb * 1e6))
    html = pocket_page.page(packed, paper, passphrase)
    sha256 = hashlib.sha256(html.encode()).hexdigest()
    told = {
        "file": str(out), "bytes": len(html.encode()), "sha256": sha256, "district": where.code, "as_of": paper.day,
        "holder": paper.holder, "expires_on": paper.expires_on, "with": list(paper.sensitive), "sealed": sealed,
        "counts": packed.counts, "tolerances_m": packed.tolerances, "points_before": packed.points_before, "points": packed.points,
        "unplaced": packed.unplaced, "generalised": pocket_page.generalised(packed),
    }  # fmt: skip
    # nothing leaves the house without its line in the audit
    with db.write(who) as conn:
        system.audit(
            conn, who, "export", f"pocket:{where.code or 'all'}", {k: v for k, v in told.items() if k != "unplaced"}
        )
    common.write_page(out, html)
    common.emit(told, as_json, said(told))


def said(told: dict[str, Any]) -> str:
    """What the command tells: size, what is in it, how far lines may have moved, and until when it is good."""
    from rivergis.maps import palette

    counts = "、".join(f"{palette.load().of(name).zh} {n}" for name, n in told["counts"].items())
    lines = [
        f"{told['file']}  {told['bytes'] / 1e6:.2f} MB  sha256 {told['sha256'][:16]}…",
        f"  {counts}",
        f"  {told['generalised']}",
        f"  持有人 holder {told['holder']} · 有效至 until {told['expires_on']}"
        + (" · 已加密 sealed" if told["sealed"] else ""),
    ]
    return "\n".join(lines)


def kept_apart(out: Path, overwrite: bool) -> None:
    """``UsageError`` where the file is there already, or its folder is not."""
    from rivergis.errors import UsageError

    if out.exists() and not overwrite:
        raise UsageError(f"{out} is there already: give another name, or --overwrite.")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"The folder {out.absolute().parent} does not exist: make it, or give another name.")


def asked_passphrase() -> str:
    """From the environment, else typed twice; never from the command line, where others can read it."""
    given = os.environ.get(PASSPHRASE)
    return given or str(
        click.prompt("口令 passphrase", hide_input=True, confirmation_prompt="再输一次 again", err=True)
    )


def who_takes(actor: str | None, o: dict[str, Any]) -> tuple[Database, str, str, pockets.Asked]:
    """Database, who asks, the area they are held to, and what may go along."""
    from rivergis.db import people
    from rivergis.maps.pocket import district as pockets

    db = common.database()
    who = common.acting(db, actor, "export")
    with db.read() as conn:
        capabilities, area = people.capabilities(conn, who), people.area_of(conn, who)
    what = pockets.asked(listed(o["layers"]), listed(o["sensitive"]), capabilities)
    return db, who, area, what


def read(
    db: Database, who: str, area: str, what: pockets.Asked, o: dict[str, Any], reader: Callable[..., Any] | None = None
) -> tuple[Any, Any, Paper]:
    """District, layers and what the file says of itself; everything read as one snapshot, within the area of who asks."""
    from rivergis import rules
    from rivergis.errors import UsageError
    from rivergis.maps import features
    from rivergis.maps.pocket import district as pockets
    from rivergis.maps.pocket.page import Paper
    from rivergis.river import store as river_store

    book = rules.load(common.settings().rules_dir)
    now = datetime.now(common.SHANGHAI)
    with db.within(area).read() as conn:
        at = features.when(conn, o["on"].date() if o["on"] else None)
        where = pockets.district(conn, o["district"], at, area)
        layers = (reader or pockets.read)(conn, book, where, at, what)
        demo = river_store.has_namespace(conn, "demo")
    holder = " ".join((o["holder"] or who).split())
    if not 0 < len(holder) <= 40:
        raise UsageError("The holder needs a name of 1 to 40 characters: --holder.")
    expires_on = now.date() + timedelta(days=o["expires"])
    sensitive = tuple(sorted(what.sensitive))
    return where, layers, Paper(where.code, where.name, at.on, now, who, holder, expires_on, sensitive, demo)


def packed_into(layers: Any, where: pockets.District, max_bytes: int) -> Any:
    """The layers packed so that the page around them fits into ``max_bytes``."""
    from rivergis.errors import UsageError
    from rivergis.maps.pocket import district as pockets
    from rivergis.maps.pocket import pack as pocket_pack
    from rivergis.maps.pocket import page as pocket_page

    if not layers:
        raise UsageError(f"There is nothing to take along for {where.name} ({where.code}) on that day.")
    hidden = [name for name in pockets.HIDDEN if name in layers]
    return pocket_pack.pack(
        layers, pocket_page.contents(layers, where.area.bounds, hidden), pocket_page.room(max_bytes)
    )


def listed(text: str) -> tuple[str, ...]:
    return tuple(n.strip() for n in text.split(",") if n.strip())


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@taken_along
@common.actor_option
@common.json_option
def field(folder: Path, actor: str | None, as_json: bool, **o: Any) -> None:
    """A field folder (外业数据包) for QGIS and QField: FOLDER gets data.gpkg, field.qgs, and reports.gpkg to fill in.

    The layers as they are, with styles and Chinese labels, and today's work; nothing is generalised. What was filled in comes back
    with 'rivergis encroachment report --from FOLDER/reports.gpkg --photos FOLDER/DCIM'. Needs the capability export; the export
    and the hash of data.gpkg are in the audit.

    \b
    Example:
      rivergis map field --district 500199 field_500199 --holder 李明
    """
    from rivergis.db import system
    from rivergis.errors import UsageError
    from rivergis.maps.pocket import field as pocket_field

    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is there already and not empty: give another name.")
    db, who, area, what = who_takes(actor, o)
    where, layers, paper = read(db, who, area, what, o, pocket_field.read)
    with _staged(folder) as part:
        counts = pocket_field.write(layers, where, paper, part)
        sha256 = hashlib.sha256((part / pocket_field.DATA).read_bytes()).hexdigest()
        told = {
            "folder": str(folder), "sha256": sha256, "district": where.code, "as_of": paper.day, "holder": paper.holder,
            "expires_on": paper.expires_on, "with": list(paper.sensitive), "counts": counts,
        }  # fmt: skip
        with db.write(who) as conn:
            system.audit(conn, who, "export", f"field:{where.code or 'all'}", told)
    rows = "、".join(f"{name} {n}" for name, n in counts.items())
    common.emit(
        told,
        as_json,
        f"{folder}: field.qgs, data.gpkg, reports.gpkg\n  {rows}\n  持有人 holder {paper.holder} · 有效至 until {paper.expires_on}",
    )


@contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """A folder beside the target that takes its place when all of it is written; ``EnvironmentFault`` where it cannot be made."""
    from rivergis.errors import EnvironmentFault

    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
    except OSError as error:
        raise EnvironmentFault(f"The folder {folder} cannot be made ({error.strerror}): give another name.") from error
    try:
        yield part
        part.chmod(0o755)
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


COMMANDS: tuple[click.Command, ...] = (pocket, field)
